//! Value flow through one package. Syntax trees are lowered to a graph of values and rules
//! ([`lower`]), the rules run to a fixpoint ([`solve`]), and what arrives at a sink is reported with
//! its path ([`report`]).
//!
//! The analysis does not know the order of statements, nor from where a function is called: a value
//! that can be stored in a name is assumed at every use of it. Functions that look builtins up by name
//! are the exception ([`asked`]).

mod answers;
mod asked;
mod builtins;
mod call;
mod channels;
mod clients;
mod contents;
mod copied;
mod deeds;
mod evaluated;
mod events;
mod files;
mod graph;
mod growth;
mod guessed;
mod handed;
mod kept;
mod laden;
mod load;
mod lower;
mod methods;
mod named;
mod nearby;
mod objects;
mod opened;
mod outward;
mod overheard;
mod own;
mod page;
mod query;
mod queue;
mod reflected;
mod replaced;
mod report;
mod sinks;
mod solve;
mod strings;
pub(crate) mod text;
mod thrown;
mod ways;
mod written;

pub(crate) use builtins::folder_variable;
pub(crate) use deeds::Deeds;
pub(crate) use graph::{Graph, NumberHasher};
pub(crate) use lower::lower;
pub(crate) use report::Reported;
pub(crate) use solve::{Modular, Outcome, Solver};

/// The running file itself, as a component of a path.
pub(crate) const ITSELF: char = '\u{f8fd}';

/// Stands for an unknown piece of a folded string. A private-use character, removed from snippets.
pub(crate) const UNKNOWN: char = '\u{f8ff}';
