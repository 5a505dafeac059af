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

/// One form for all spellings of a path that some file system takes for the same file: macOS and Windows fold case,
/// macOS normalises as well, and Windows drops dots and spaces at the end of a component.
#[must_use]
pub fn folded(path: &str) -> String {
    tar::fold(path)
}
