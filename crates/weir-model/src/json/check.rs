//! Version 1 of what `weir check` says.

use schemars::JsonSchema;
use serde::Serialize;

/// Name of the check schema.
pub const CHECK: &str = "weir.check/v1";

/// One object per run, as `weir check --json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Check {
    /// Always [`CHECK`].
    pub schema: &'static str,
    /// The lockfiles that were read, as they were given or found.
    pub lockfiles: Vec<CheckedLockfile>,
    /// What was found, in the order of the files.
    pub findings: Vec<CheckFinding>,
}

/// A lockfile that was read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedLockfile {
    /// Its path.
    pub file: String,
    /// The client that wrote it.
    pub client: &'static str,
    /// The version of its format.
    pub version: String,
    /// How many packages from elsewhere it locks.
    pub packages: usize,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckLevel {
    /// Good to know.
    Note,
    /// Should be put right.
    Warning,
    /// Must be put right: the exit code says so.
    Error,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckFinding {
    /// The rule's id.
    pub rule: &'static str,
    /// How much it matters.
    pub level: CheckLevel,
    /// The file.
    pub file: String,
    /// The line in it, from one.
    pub line: u32,
    /// The package it is about, if it is about one.
    pub package: Option<String>,
    /// What is so.
    pub what: String,
    /// What to do.
    pub todo: &'static str,
    /// Why the package is there: names from the project to it.
    pub path: Vec<String>,
}
