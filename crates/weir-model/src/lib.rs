#![doc = include_str!("../README.md")]

pub mod advisory;
pub mod assessment;
pub mod contents;
pub mod decision;
pub mod difference;
pub mod finding;
pub mod habits;
pub mod json;
pub mod ledger;
pub mod ordinary;
pub mod provenance;

pub use advisory::{
    Advisory, AdvisoryKind, Cvss, FeedSays, FlawSeverity, Score, Stance, Standing, Told,
};
pub use assessment::{Assessment, Incomplete, ReleaseId};
pub use contents::Contents;
pub use decision::{Action, BlockId, Circumstances, Decision, Request};
pub use difference::Difference;
pub use finding::{Confidence, Evidence, Finding, Group, Severity};
pub use habits::{Baseline, Habits, Lesson};
pub use ledger::LedgerEntry;
pub use provenance::{
    AttestationState, Breach, ClaimChange, ClaimKind, Claims, Expected, SignatureState, Trust,
};
