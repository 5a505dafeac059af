#![doc = include_str!("../README.md")]

pub mod advisories;
mod alike;
pub mod blobs;
mod contents;
mod database;
mod error;
mod first_seen;
pub mod habits;
mod hashed;
pub mod ledger;
mod names;
pub mod packuments;
mod presence;
mod private;
mod refusals;
mod store;
mod trust;
mod vanished;
mod verdicts;

pub use advisories::{Advisories, ImportReport, PackageAdvisories};
pub use alike::{BadContent, KeptSketch};
pub use blobs::Blob;
pub use error::StoreError;
pub use habits::{KeptLesson, LessonState};
pub use hashed::{Hashed, Hashing};
pub use ledger::{DECIDER, Filter, KnownBytes, Ledger};
pub use packuments::StoredPackument;
pub use refusals::StoredRefusal;
pub use store::Store;
pub use trust::StoredDocument;
pub use vanished::Vanished;
