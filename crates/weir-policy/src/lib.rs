#![doc = include_str!("../README.md")]

pub mod config;
pub mod decide;
pub mod error;
pub mod explain;

pub use config::{Loader, Policy};
pub use decide::{Context, Request, decide};
pub use error::{Origin, PolicyError};
pub use explain::{deprecation_text, explain, refusal_line, waiver_snippet};
