#![doc = include_str!("../README.md")]

mod accounts;
mod alike;
mod beside;
mod bundles;
mod called;
mod catalogue;
mod chain;
mod commands;
mod comparison;
mod declaration;
mod history;
mod identity;
mod intel;
mod lesson;
mod manifest;
pub mod names;
mod past;
mod peers;
mod people;
#[cfg(any(test, feature = "samples"))]
pub mod sample;
mod settled;
mod source;

mod subject;
mod surroundings;
#[cfg(test)]
mod tests;
mod timeline;

pub use alike::{Alike, KnownBad, NearCopy};
pub use beside::{BESIDE, Beside};
pub use catalogue::{CATALOGUE, COMPARING, observe_all, observe_comparison};
pub use chain::tells;
pub use comparison::{Comparison, is_patch, is_worth_comparing};
pub use declaration::{
    Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, find,
};
pub use history::new_dependency::unexplained as new_dependencies;
pub use history::own_shrinkwrap::is_followed as follows_shrinkwrap;
pub use history::replaced_release::{EarlierBytes, Origin, same_bytes};
pub use history::vanished_versions::Gone;
pub use history::young_in_tree::Brought;
pub use identity::REAL_DEPENDENTS;
pub use lesson::{by, lesson, line_number, moments, repository_owner};
pub use names::{NameIndex, NamesError};
pub use past::ReleaseSize;
pub use peers::required as required_peers;
pub use people::{PublishedBy, is_stamped};
pub use subject::{
    DependencyFacts, Dependents, Previous, Settings, Sibling, Stage, Subject, baseline_version,
    previous_version,
};
pub use surroundings::{Arrival, Known, Surroundings};
pub use timeline::{is_before, trust_in_words, who};
