//! What a worker process saw inside a tarball. Facts, no opinions: signals judge them, together
//! with the packument. It depends on the tarball's bytes and on [`ANALYSER_VERSION`] alone, so it
//! is computed once and kept.

use serde::{Deserialize, Serialize};
use weir_npm::manifest::Manifest;

/// Raised whenever the same bytes could give other facts. Stored contents of another version are
/// computed anew.
pub const ANALYSER_VERSION: u32 = 1;

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
    /// What could not be analysed, and why.
    pub unread: Vec<Unread>,
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
    /// `preinstall`, `install`, `postinstall`, `prepare` (git dependencies only), or `binding.gyp`.
    pub event: String,
    /// The command line, or for `binding.gyp` what node-gyp would run.
    pub command: String,
    /// Files of the package it can reach, by path.
    pub reaches: Vec<String>,
}

/// From where code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Runs when the package is installed.
    Install,
    /// Runs when the package is imported: `main`, `module`, `exports`, `browser`.
    Import,
    /// Runs when its command is called: `bin`.
    Command,
    /// Nothing in the package leads to it.
    Unreferenced,
}

/// What kind of thing is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// The whole environment: `process.env` listed, copied or serialised.
    Environment,
    /// One environment variable whose name says that it holds a secret.
    SecretVariable,
    /// A file that holds credentials: `.npmrc`, ssh and cloud keys, wallets.
    CredentialFile,
}

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinkKind {
    /// A request over HTTP or HTTPS, fetch, XHR, beacon.
    Http,
    /// A raw socket or WebSocket.
    Socket,
    /// A name lookup that carries the value.
    Dns,
    /// A command that talks to the network.
    NetworkCommand,
}

/// A place in the package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Path inside the package.
    pub path: String,
    /// Line, counted from 1.
    pub line: u32,
    /// The text there, shortened.
    pub snippet: String,
}

/// A value that travels from a source to a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// What is read.
    pub source: SourceKind,
    /// What exactly: the variable's name, the file's path, or `process.env`.
    pub source_detail: String,
    /// Where it is read.
    pub source_place: Place,
    /// The steps between, in order.
    pub steps: Vec<Place>,
    /// Where it goes.
    pub sink: SinkKind,
    /// What exactly: the called function, and the host where it is known.
    pub sink_detail: String,
    /// Where it leaves.
    pub sink_place: Place,
    /// From where the code runs; the strongest surface where there are several.
    pub surface: Surface,
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
