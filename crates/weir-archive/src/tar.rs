//! The walk over the tar stream.
//!
//! It goes where npm's extractor goes, quirks included, so that whatever npm installs is delivered;
//! and where another extractor may read the same bytes otherwise it reports the rule that is
//! broken and, where that costs little, delivers the other reading as well.

mod extended;
mod fingerprint;
mod header;
mod index;
mod number;
mod path;
mod text;
mod walk;

pub(crate) use index::fold;
pub(crate) use walk::{Counts, Walk};
