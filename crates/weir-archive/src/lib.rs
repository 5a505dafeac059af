#![doc = include_str!("../README.md")]

mod archive;
mod entry;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod limits;
mod rules;
mod source;
mod tar;

pub use archive::{Archive, read};
pub use entry::{Content, Entry, File, HEAD_BYTES, Visitor};
pub use error::ArchiveError;
pub use limits::Limits;
pub use rules::Rule;
