//! What a worker process saw inside a tarball. Facts, no opinions: signals judge them, together
//! with the packument. It depends on the tarball's bytes and on [`ANALYSER_VERSION`] alone, so it
//! is computed once and kept.

mod behaviour;
mod flow;
mod inventory;
mod locked;
mod words;

use serde::{Deserialize, Serialize};
use weir_npm::manifest::Manifest;

pub use behaviour::{Capability, CapabilityKind, Gate, GateKind, Host, HostClass, Spot};
pub use flow::{Flow, Place, SinkKind, SourceKind, Step, Surface};
pub use inventory::{
    Binary, BinaryFormat, FileDigest, HiddenKind, HiddenText, Obfuscated, RuleHit, Sketch,
};
pub use locked::{LockedElsewhere, LockedKind, LockedOrigin, OutOfRange, Shrinkwrap};

/// Raised whenever the same bytes could give other facts. Stored contents of another version are
/// computed anew.
pub const ANALYSER_VERSION: u32 = 17;

/// Facts about the contents of one tarball or folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The tarball's own `package.json`, where it could be read.
    pub manifest: Option<Manifest>,
    /// How much there is.
    pub size: Size,
    /// Ways in which the archive is not what every extractor would read alike.
    pub violations: Vec<Violation>,
    /// What runs at install time, explicit or implicit, and what it reaches.
    pub install_steps: Vec<InstallStep>,
    /// Values that travel from a source to a sink.
    pub flows: Vec<Flow>,
    /// What the code is able to do, each kind once for each surface that reaches it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// Hosts that appear as an argument of a call or command, not in comments or documentation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Host>,
    /// Files that are programs, libraries, archives or images of memory, by their first bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<Binary>,
    /// Text that a person who reads the file does not see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenText>,
    /// Files whose code is packed or obfuscated, with the measurements that say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obfuscated: Vec<Obfuscated>,
    /// Hits of the operator's own rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rule_hits: Vec<RuleHit>,
    /// How many more of those rules hit and were left out: none of them weighs more than those that are told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rule_hits_left_out: u64,
    /// Digests of the files with code, to find what was added and what siblings share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileDigest>,
    /// How many more files with code there are, which are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub files_left_out: u64,
    /// What else copies are known by: SHA-256 of every file that is neither among `files` nor among `binaries`, but for
    /// source maps and what is very short. The first 16 bytes of each in hexadecimal, in order, one right behind the other.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub other_digests: String,
    /// A sketch of all code, to find near copies; absent where there is too little of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sketch: Option<Sketch>,
    /// Dependencies of the manifest that no file with code mentions. Empty also where not every file
    /// was read: then nobody knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmentioned: Vec<String>,
    /// The package's own `npm-shrinkwrap.json`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrinkwrap: Option<Shrinkwrap>,
    /// Packages that lie in the package's own `node_modules`, by name, the first of them. Nothing where nobody
    /// has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundled: Option<Vec<String>>,
    /// What could not be analysed, and why.
    pub unread: Vec<Unread>,
    /// Files over which the operator's rules did not come to an end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unscanned: Vec<Unread>,
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How much there is in a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Number of files.
    pub files: u64,
    /// Bytes of all files, unpacked.
    pub bytes: u64,
    /// Bytes of JavaScript that were given to the parser.
    pub javascript_bytes: u64,
}

/// A rule of the strict archive reader that the tarball breaks. Extractors of different clients may
/// disagree on what such an archive holds, so files can hide in the difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The rule, kebab-case, e.g. `data-after-end`.
    pub rule: String,
    /// The entry it concerns, where there is one.
    pub path: Option<String>,
    /// What exactly was seen.
    pub detail: String,
    /// Whether extractors may disagree on what is installed (then the release is refused), or the
    /// oddity only deserves a mention.
    pub ambiguous: bool,
}

/// One thing that runs when the package is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallStep {
    /// `preinstall`, `install`, `postinstall`, `prepare` (git dependencies only), `binding.gyp`, or `bin.` and the name
    /// of a command that install scripts of any package find instead of a tool; with ` of ` and its folder, where it is
    /// one of a package that lies in this one.
    pub event: String,
    /// The command line, or for `binding.gyp` what node-gyp would run.
    pub command: String,
    /// Files of the package it can reach, by path.
    pub reaches: Vec<String>,
}

/// Something that was not analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The file, or the stage where no single file is to blame.
    pub path: String,
    /// Why not, with the limit that was hit.
    pub why: String,
    /// Whether the reason is one that ordinary packages do not give (built to break parsers), as
    /// opposed to one they do (too large, not JavaScript after all).
    pub suspicious: bool,
}

impl Unread {
    /// What [`Unread::why`] begins with where the file was read, and text that it makes and evaluates was not.
    pub const EVALUATED: &str = "text that it evaluates";

    /// Whether it is a file of which nothing was understood, as opposed to a part of the analysis that ended
    /// early or a text within a file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        let is_stage = matches!(self.path.as_str(), "value flow" | "javascript" | "binaries");
        !is_stage && !self.is_evaluated()
    }

    /// Whether it is a text that a file or a command evaluates.
    #[must_use]
    pub fn is_evaluated(&self) -> bool {
        self.why.starts_with(Self::EVALUATED)
    }
}
