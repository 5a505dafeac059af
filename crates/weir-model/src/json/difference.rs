//! Version 1 of a difference between two releases.

use schemars::JsonSchema;
use serde::Serialize;

use super::v1::Finding;
use crate::contents::{
    BinaryFormat, CapabilityKind, FileDigest, HiddenKind, HostClass, Place, SinkKind, SourceKind,
    Surface,
};
use crate::difference::{self, Change as InternalChange};
use crate::{Decision, ReleaseId, contents};

/// Name of the difference schema.
pub const DIFF: &str = "weir.diff/v1";

/// One object per comparison, as `weir diff --json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Difference<'a> {
    /// Always [`DIFF`].
    pub schema: &'static str,
    /// The earlier side.
    pub before: Side<'a>,
    /// The later side.
    pub after: Side<'a>,
    /// What the signals that compare releases say of the later side, strongest first.
    pub findings: Vec<Finding<'a>>,
    /// What a gateway with this policy makes of the later side.
    pub decision: &'a Decision,
    /// Abilities of the code.
    pub capabilities: Change<Capability<'a>>,
    /// Hosts that calls or commands name.
    pub hosts: Change<Host<'a>>,
    /// Values that travel from a source to a sink.
    pub flows: Change<Flow<'a>>,
    /// What runs at install time.
    pub install_steps: Change<Step<'a>>,
    /// Dependencies that came, went or changed.
    pub dependencies: Vec<Dependency<'a>>,
    /// Files with code.
    pub files: Files<'a>,
    /// Files that are no text.
    pub binaries: Binaries<'a>,
    /// Text that a reader does not see.
    pub hidden: Change<Hidden<'a>>,
    /// Files that are packed or obfuscated.
    pub obfuscated: Change<Obfuscated<'a>>,
    /// What could not be analysed.
    pub unread: Change<Unread<'a>>,
}

/// One side of a comparison.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Side<'a> {
    /// Which release.
    pub release: &'a ReleaseId,
    /// When it was published (RFC 3339), where a registry says so.
    pub published: Option<String>,
    /// The account that published it, where a registry says so.
    pub publisher: Option<&'a str>,
    /// Number of files.
    pub files: u64,
    /// Bytes of all files, unpacked.
    pub bytes: u64,
}

/// What came and what went.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Change<T> {
    /// There now, and not before.
    pub added: Vec<T>,
    /// There before, and not now.
    pub removed: Vec<T>,
}

impl<T> Change<T> {
    fn of<'a, I>(change: &InternalChange<'a, I>, public: impl Fn(&'a I) -> T) -> Self {
        Self {
            added: change.added.iter().map(|one| public(one)).collect(),
            removed: change.removed.iter().map(|one| public(one)).collect(),
        }
    }
}

/// Where in the package.
#[derive(Debug, Serialize, JsonSchema)]
pub struct At<'a> {
    /// Path inside the package.
    pub path: &'a str,
    /// Line, counted from 1.
    pub line: u32,
    /// The text there, shortened.
    pub snippet: &'a str,
}

impl<'a> At<'a> {
    fn of(place: &'a Place) -> Self {
        Self {
            path: &place.path,
            line: place.line,
            snippet: &place.snippet,
        }
    }
}

/// Something the code is able to do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Capability<'a> {
    /// Which ability.
    pub kind: CapabilityKind,
    /// The called function, the module, the command.
    pub detail: &'a str,
    /// From where the code runs.
    pub surface: Surface,
    /// Where it is used first.
    pub place: At<'a>,
}

/// Somebody the code talks to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Host<'a> {
    /// Name or address.
    pub host: &'a str,
    /// What kind of host.
    pub class: HostClass,
    /// From where the code runs.
    pub surface: Surface,
    /// Where it is named.
    pub place: At<'a>,
}

/// A value that travels.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Flow<'a> {
    /// What is read.
    pub source: SourceKind,
    /// What exactly.
    pub source_detail: &'a str,
    /// Where it is read.
    pub source_place: At<'a>,
    /// Where it goes.
    pub sink: SinkKind,
    /// Where exactly.
    pub sink_detail: &'a str,
    /// Where it leaves.
    pub sink_place: At<'a>,
    /// From where the code runs.
    pub surface: Surface,
}

/// One thing that runs at install time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step<'a> {
    /// `preinstall`, `install`, `postinstall`, `binding.gyp`.
    pub event: &'a str,
    /// The command.
    pub command: &'a str,
}

/// A dependency that came, went or changed its range.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Dependency<'a> {
    /// The field of `package.json`.
    pub field: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What was asked for before; null if it was not there.
    pub before: Option<&'a str>,
    /// What is asked for now; null if it is gone.
    pub after: Option<&'a str>,
}

/// Files with code.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Files<'a> {
    /// New, and with bytes that were nowhere in the package before.
    pub added: Vec<File<'a>>,
    /// Gone, with bytes that are nowhere in the package now.
    pub removed: Vec<File<'a>>,
    /// Other bytes under the same path.
    pub changed: Vec<FileChange<'a>>,
    /// The same bytes under another path.
    pub moved: Vec<FileChange<'a>>,
    /// The same bytes, run from another surface than before.
    pub reached: Vec<FileChange<'a>>,
}

/// A file with code.
#[derive(Debug, Serialize, JsonSchema)]
pub struct File<'a> {
    /// Path inside the package.
    pub path: &'a str,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, the first 16 bytes in hexadecimal.
    pub digest: &'a str,
    /// From where it runs; null where nothing leads to it.
    pub surface: Option<Surface>,
}

impl<'a> File<'a> {
    fn of(file: &'a FileDigest) -> Self {
        Self {
            path: &file.path,
            bytes: file.bytes,
            digest: &file.digest,
            surface: file.surface,
        }
    }
}

/// A file before and after.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileChange<'a> {
    /// The earlier one.
    pub before: File<'a>,
    /// The later one.
    pub after: File<'a>,
}

impl<'a> FileChange<'a> {
    fn all(pairs: &[(&'a FileDigest, &'a FileDigest)]) -> Vec<Self> {
        pairs
            .iter()
            .map(|(before, after)| Self {
                before: File::of(before),
                after: File::of(after),
            })
            .collect()
    }
}

/// Files that are no text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Binaries<'a> {
    /// New by their path.
    pub added: Vec<Binary<'a>>,
    /// Gone.
    pub removed: Vec<Binary<'a>>,
    /// Other bytes under the same path, as they are now.
    pub rebuilt: Vec<Binary<'a>>,
}

/// A file that is no text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Binary<'a> {
    /// Path inside the package.
    pub path: &'a str,
    /// What it is.
    pub format: BinaryFormat,
    /// Length in bytes.
    pub bytes: u64,
    /// What its name says it is instead, or null.
    pub disguise: Option<&'a str>,
    /// Whether it lies where prebuilt addons are kept.
    pub usual_place: bool,
}

impl<'a> Binary<'a> {
    fn of(binary: &'a contents::Binary) -> Self {
        Self {
            path: &binary.path,
            format: binary.format,
            bytes: binary.bytes,
            disguise: binary.disguise.as_deref(),
            usual_place: binary.usual_place,
        }
    }
}

/// Text that a reader does not see.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Hidden<'a> {
    /// How it is hidden.
    pub kind: HiddenKind,
    /// Where.
    pub place: At<'a>,
    /// Length in characters.
    pub length: u32,
    /// From where the file runs, or null.
    pub surface: Option<Surface>,
}

/// A packed or obfuscated file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Obfuscated<'a> {
    /// Where it shows first.
    pub place: At<'a>,
    /// From where the file runs.
    pub surface: Surface,
    /// What was measured, in words.
    pub criteria: &'a [String],
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// Something that was not analysed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Unread<'a> {
    /// The file, or a stage.
    pub path: &'a str,
    /// Why not.
    pub why: &'a str,
}

impl<'a> Difference<'a> {
    /// The public form of a difference, between two sides, with what signals and policy say.
    #[must_use]
    pub fn new(
        (before, after): (Side<'a>, Side<'a>),
        difference: &difference::Difference<'a>,
        findings: &'a [crate::Finding],
        decision: &'a Decision,
    ) -> Self {
        let files = &difference.files;
        let list =
            |list: &[&'a FileDigest]| list.iter().map(|file| File::of(file)).collect::<Vec<_>>();
        let binaries = Change::of(&difference.binaries, Binary::of);
        Self {
            schema: DIFF,
            before,
            after,
            findings: findings.iter().map(Finding::new).collect(),
            decision,
            capabilities: Change::of(&difference.capabilities, capability),
            hosts: Change::of(&difference.hosts, host),
            flows: Change::of(&difference.flows, flow),
            install_steps: Change::of(&difference.install_steps, |step| Step {
                event: &step.event,
                command: &step.command,
            }),
            dependencies: difference.dependencies.iter().map(dependency).collect(),
            files: Files {
                added: list(&files.added),
                removed: list(&files.removed),
                changed: FileChange::all(&files.changed),
                moved: FileChange::all(&files.moved),
                reached: FileChange::all(&files.reached),
            },
            binaries: Binaries {
                added: binaries.added,
                removed: binaries.removed,
                rebuilt: difference
                    .rebuilt
                    .iter()
                    .map(|(_, after)| Binary::of(after))
                    .collect(),
            },
            hidden: Change::of(&difference.hidden, |hidden| Hidden {
                kind: hidden.kind,
                place: At::of(&hidden.place),
                length: hidden.length,
                surface: hidden.surface,
            }),
            obfuscated: Change::of(&difference.obfuscated, |file| Obfuscated {
                place: At::of(&file.place),
                surface: file.surface,
                criteria: &file.criteria,
                bytes: file.bytes,
            }),
            unread: Change::of(&difference.unread, |unread| Unread {
                path: &unread.path,
                why: &unread.why,
            }),
        }
    }
}

fn capability(it: &contents::Capability) -> Capability<'_> {
    Capability {
        kind: it.kind,
        detail: &it.detail,
        surface: it.surface,
        place: At::of(&it.place),
    }
}

fn host(it: &contents::Host) -> Host<'_> {
    Host {
        host: &it.host,
        class: it.class,
        surface: it.surface,
        place: At::of(&it.place),
    }
}

fn flow(it: &contents::Flow) -> Flow<'_> {
    Flow {
        source: it.source,
        source_detail: &it.source_detail,
        source_place: At::of(&it.source_place),
        sink: it.sink,
        sink_detail: &it.sink_detail,
        sink_place: At::of(&it.sink_place),
        surface: it.surface,
    }
}

fn dependency<'a>(it: &difference::DependencyChange<'a>) -> Dependency<'a> {
    Dependency {
        field: it.field,
        name: it.name,
        before: it.before,
        after: it.after,
    }
}
