//! Worker processes: the only places where the contents of packages are parsed.
//!
//! A worker is this same program started again with an empty environment and hard limits. It reads
//! one job at a time from its standard input, tarball bytes included, and answers on its standard
//! output; it needs no file, no network and no secret. One that crashes, hangs or eats memory costs
//! the assessment it was busy with and is replaced.

mod beside;
pub mod child;
mod collected;
pub mod contents;
pub mod limits;
mod mentions;
mod patience;
mod pool;
pub mod protocol;
mod shrinkwrap;

pub use pool::{Deadline, Priority, WorkerPool, WorkerProgram};
