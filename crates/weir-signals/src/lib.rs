#![doc = include_str!("../README.md")]

mod catalogue;
mod chain;
mod declaration;
mod history;
mod identity;
mod intel;
mod manifest;
pub mod names;
#[cfg(any(test, feature = "samples"))]
pub mod sample;
mod source;
mod subject;
#[cfg(test)]
mod tests;

pub use catalogue::{CATALOGUE, observe_all};
pub use declaration::{
    Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, find,
};
pub use names::{NameIndex, NamesError};
pub use subject::{Previous, Settings, Stage, Subject, previous_version};
