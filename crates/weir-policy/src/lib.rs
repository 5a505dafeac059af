#![doc = include_str!("../README.md")]

pub mod config;
pub mod decide;
pub mod error;
pub mod explain;
pub mod json;

pub use config::{Loader, Policy};
pub use decide::{ALONE, Context, Request, Trace, decide, gap_in_words, is_not_known, trace};
pub use error::{Origin, PolicyError};
pub use explain::{became, deprecation_text, explain, refusal_line, structure, structure_of};
