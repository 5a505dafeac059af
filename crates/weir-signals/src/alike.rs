//! What a release's code resembles, as far as somebody has compared it.

use weir_model::Contents;

/// Copies that were found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alike {
    /// Packages whose code this one nearly has.
    pub near: Vec<NearCopy>,
    /// Content that is exactly what was refused before.
    pub bad: Vec<KnownBad>,
    /// Packages it should have been compared with, and why it was not.
    pub not_compared: Vec<(String, String)>,
}

/// Another package with nearly the same code.
#[derive(Debug, Clone, PartialEq)]
pub struct NearCopy {
    /// The other package.
    pub name: String,
    /// The version that was compared.
    pub version: String,
    /// Share of code that both have, in percent, estimated.
    pub percent: u8,
    /// Whether the names are alike as well.
    pub lookalike: bool,
    /// Whether somebody who maintains this package maintains the other one too.
    pub shared_maintainer: bool,
    /// Why the other one was refused, if it was.
    pub refused: Option<String>,
    /// What is in the other one, where that is known.
    pub contents: Option<Contents>,
}

/// Content that was the reason for a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBad {
    /// The file of this release, or the files that only together are known; nothing if all of its code is meant.
    pub path: Option<String>,
    /// Its digest.
    pub digest: String,
    /// Where the operator's lists name it; nothing for what was refused here.
    pub listed_in: Option<String>,
    /// The package that was refused; empty for what was listed.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Why it was refused.
    pub why: String,
    /// Whether this release runs it when it is installed, or may: nothing visible leads to it, and something runs then.
    pub at_install: bool,
}
