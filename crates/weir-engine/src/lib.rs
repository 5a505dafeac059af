#![doc = include_str!("../README.md")]

pub mod alike;
mod assess;
pub mod audit;
pub mod clock;
mod compare;
mod download;
mod engine;
mod error;
pub mod flight;
mod history;
mod keyed;
mod neighbours;
mod own_rules;
mod packuments;
mod quiet;
pub mod resolution;
pub mod trust;
mod verdicts;
pub mod worker;

pub use assess::Assessed;
pub use clock::Clock;
pub use compare::{PreviousRelease, Profile, Side, Since};
pub use download::{Bringing, Tarball, TarballStream};
pub use engine::{Engine, EngineConfig, Late, Local};
pub use error::EngineError;
pub use history::{History, PastRelease};
pub use packuments::Held as HeldPackument;
pub use verdicts::{Verdict, Waited};
