//! What lies in a package beside readable code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::flow::{Place, Surface};

/// A format told by a file's first bytes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum BinaryFormat {
    /// A program or library for Linux and others.
    Elf,
    /// One for macOS.
    MachO,
    /// One for Windows.
    Pe,
    /// WebAssembly.
    Wasm,
    /// A zip, jar, asar, gzip, xz, 7z or tar archive.
    Archive,
    /// Compiled Java.
    JavaClass,
    /// Compiled Python.
    PythonBytecode,
    /// A file with the name of code that is no text.
    NotText,
}

/// A file that is not text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    /// Path inside the package.
    pub path: String,
    /// What it is.
    pub format: BinaryFormat,
    /// Its length in bytes.
    pub bytes: u64,
    /// What its name says it is instead: `.js`, `.png`, `.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disguise: Option<String>,
    /// Whether it lies where prebuilt addons are kept (`prebuilds/`, `build/Release`, `*.node`).
    pub usual_place: bool,
    /// SHA-256, the first 16 bytes in hexadecimal.
    pub digest: String,
}

/// How text is hidden.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum HiddenKind {
    /// Code behind a run of white space that no screen is wide enough for.
    OffScreen,
    /// Controls that make text read in another order than it runs (Trojan Source).
    Bidi,
    /// A run of characters without width.
    Invisible,
    /// A run of variation selectors or tag characters, which carry bytes.
    VariationSelectors,
}

/// Text that a reader does not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiddenText {
    /// How.
    pub kind: HiddenKind,
    /// Where; the snippet shows escapes.
    pub place: Place,
    /// Length of the run, in characters.
    pub length: u32,
    /// From where the file is run, if it is code that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
}

/// A file whose code is packed or obfuscated. Minified code is neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obfuscated {
    /// Where it shows first.
    pub place: Place,
    /// From where the file is run.
    pub surface: Surface,
    /// What was measured, name and value in words, strongest first.
    pub criteria: Vec<String>,
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// A hit of one of the operator's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// The rule's name.
    pub rule: String,
    /// The file the rule is in.
    pub source: String,
    /// The rule's metadata: `description`, `severity`, `author`, `reference` and whatever else it gives.
    pub metadata: BTreeMap<String, String>,
    /// Where it hit, a few of the places.
    pub places: Vec<Place>,
}

/// A file with code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Path inside the package.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, the first 16 bytes in hexadecimal.
    pub digest: String,
    /// From where it runs; nothing for files no surface reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// Longest line, in bytes: a single very long one in a package of readable files stands out.
    pub longest_line: u64,
}

/// A sketch of a package's code: the least values of several hash functions over its pieces. The share
/// of equal values estimates the share of pieces that two packages have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// How many pieces there are.
    pub pieces: u32,
    /// The least values, in hexadecimal, all of one length.
    pub least: String,
}
