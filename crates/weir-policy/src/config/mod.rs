//! What `weir.toml` says. The doc comments of the sections below are what users read in the JSON
//! schema, in `weir policy show` and in `docs/policy.md`.

mod bounds;
mod duration;
mod expect;
mod keys;
mod nearest;
mod parse;
mod pattern;
mod print;
mod selector;
mod size;
mod waiver;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_model::{Action, Severity};

use crate::error::{Origin, PolicyError};

pub use duration::Period;
pub use expect::{Day, Evidence, Expectation, Machines, OnBreach, Traced, breaches};
pub use keys::{Key, Kind, keys, schema};
pub use parse::Loader;
pub use pattern::{ReferencePattern, RepositoryPattern, WorkflowPattern};
pub use print::{Shown, reference_markdown};
pub use selector::{NameGlob, Selector, VersionRange};
pub use size::Size;
pub use waiver::{Expiry, SignalId, Waiver, WaiverAction, Words};

/// Gives a type that is written as text its conversions for serde and its JSON schema; the type
/// brings `FromStr` and `Display`.
macro_rules! text_value {
    ($type:ident, $format:literal, $example:literal) => {
        impl TryFrom<String> for $type {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format, "examples": [$example] })
            }
        }
    };
}
pub(crate) use text_value;

/// The signal that stands for the hold of young releases. Waivers may name it, and switching it off
/// switches the hold off.
pub const AGE_SIGNAL: &str = "young-release";

/// The name by which waivers cover what could not be checked. No signal has it.
pub const INCOMPLETE_SIGNAL: &str = "incomplete-assessment";

/// Signals that say that bytes are not what was published. They cannot be switched off, and waivers
/// cover them only by naming them, and never without mention.
pub const NEVER_SILENT: &[&str] = &["integrity-mismatch", "failed-verification"];

/// Everything that can be set, with the defaults where nothing was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How long a release has to be public before new resolutions get it.
    pub age: Age,
    /// How much evidence leads to what.
    pub decide: Deciding,
    /// Which releases count as long established.
    pub established: Established,
    /// How the gateway acts on decisions.
    pub gate: Gate,
    /// Which names are your own.
    pub names: Names,
    /// Signals switched off, or given another severity, each by its id: `"lookalike-name" = "off"`. A
    /// fact that is enough by itself stays so with any severity that counts.
    pub signals: BTreeMap<String, SignalSetting>,
    /// Rules of your own.
    pub rules: Rules,
    /// What analysing a package may cost.
    pub limits: Limits,
    /// What the gateway keeps at hand.
    pub cache: Cache,
    /// What you know of how packages are built and published. A release that breaks one of these gets a
    /// finding of `broken-expectation` with both values.
    #[serde(rename = "expect")]
    pub expectations: Vec<Expectation>,
    /// Exceptions. Each says what it covers, why, who says so and when it ends.
    #[serde(rename = "waiver")]
    pub waivers: Vec<Waiver>,
    #[serde(skip)]
    pub(crate) origins: Origins,
}

/// How long a release has to be public before new resolutions get it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Age {
    /// Younger releases are held for new resolutions, whatever they contain, unless they fix an
    /// advisory that affects what would be served instead and nothing speaks against them. `"0h"` switches the hold off; at most a
    /// year.
    pub minimum: Period,
    /// Releases that age does not hold: package names, patterns, or either with versions.
    pub exclude: Vec<Selector>,
    /// While a release is younger than this, two groups of evidence of which one is trust or
    /// dependency block it.
    pub young_for_rules: Period,
    /// What to make of a release whose publish time nobody knows.
    pub unknown: UnknownAge,
}

/// What to make of a release whose publish time nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownAge {
    /// It counts as young.
    Young,
    /// It counts as old.
    Old,
}

/// How much evidence leads to what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Deciding {
    /// This many independent groups of evidence block a release. 1 to 9, not below `hold_groups`.
    pub block_groups: u32,
    /// This many independent groups of evidence hold a release. 1 to 9.
    pub hold_groups: u32,
    /// The packages up to this rank by downloads are held rather than blocked while only their name
    /// and code, or only advisories of others, speak against them. 0 spares no package.
    pub popular: u32,
    /// What happens to a release that could not be fully checked and is neither established nor was
    /// served before.
    pub incomplete_unseen: Action,
    /// What happens to a release that could not be fully checked but is established or was served
    /// before.
    pub incomplete_established: Action,
    /// What happens to a release of which the registry does not say who published it, or the ones
    /// before. Some registries leave that out of everything, and then the signals about people know
    /// nothing: every decision says so, whatever this is set to.
    pub unknown_publisher: Action,
}

/// Which releases count as long established.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Established {
    /// A release that has been public for this long is established.
    pub age: Period,
    /// Releases of the packages up to this rank by downloads are established sooner. 0 makes no
    /// difference between packages.
    pub popular_rank: u32,
    /// How much sooner: such a release is established once it has been public for this long.
    pub popular_age: Period,
}

/// How the gateway acts on decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// Whether decisions are enforced or only recorded.
    pub mode: GateMode,
    /// For which releases the first request waits until the contents have been looked at.
    pub wait_for_contents: WaitForContents,
    /// How long a request waits for an analysis before it is answered "being examined". More than
    /// 0, at most 25 seconds: some clients give up after 30.
    pub analysis_budget: Period,
}

/// Whether decisions are enforced or only recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateMode {
    /// Held and blocked releases are refused.
    Enforce,
    /// Decisions are taken and written to the ledger, and refuse nothing; only a tarball without a digest is refused.
    Observe,
}

/// For which releases the first request waits until the contents have been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaitForContents {
    /// For all but those that are established, popular, run nothing new at install time and have no
    /// finding in their metadata; these are looked at right after they are served.
    Unestablished,
    /// For all.
    Always,
}

/// Which names are your own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// Names and patterns of your own packages. Look-alikes of them are reported.
    pub own: Vec<NameGlob>,
    /// Names and patterns of packages that you publish in a registry of your own and nowhere else. What
    /// the default registry has under such a name is somebody else's, and blocked. With versions
    /// (`"billing-core@<5"`) those are yours, as where your registry is the default one, and all others
    /// are not. Look-alikes of them are reported as well. Scopes that `.npmrc` sends to another registry
    /// are asked for there and left alone.
    pub internal: Vec<Selector>,
}

/// What becomes of a signal's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignalSetting {
    /// Its findings are dropped.
    Off,
    /// Its findings are reported and do not count.
    Info,
    /// Its findings count with severity low.
    Low,
    /// Its findings count with severity medium.
    Medium,
    /// Its findings count with severity high.
    High,
    /// Its findings count with severity critical.
    Critical,
}

impl SignalSetting {
    /// The severity findings get; `None` when they are dropped.
    #[must_use]
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Info => Some(Severity::Info),
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Critical => Some(Severity::Critical),
        }
    }
}

/// Rules of your own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// A folder with rules in the language of YARA, in files that end in `.yar` or `.yara`; a relative
    /// one begins at the folder of the file that names it. They run over every file of every package,
    /// and each hit is a finding of the signal `user-rule` with the severity that the rule's metadata
    /// gives. A rule that does not compile stops the start, with its place. Of YARA's modules there are
    /// `hash`, `math`, `string` and `time`: a rule that imports another one, such as `pe` or `elf`, does
    /// not compile, and neither does `include`. Files are UTF-8. `"none"` for no rules.
    pub folder: Folder,
}

/// A folder's path, or the word `none`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Folder(String);

text_value!(Folder, "folder", "rules");

impl std::str::FromStr for Folder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains('\0') {
            return Err(format!("{text:?} is no path: write \"none\" for no folder"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self("none".to_owned())
    }
}

impl std::fmt::Display for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What analysing a package may cost. Whatever hits a limit is reported as not checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Worker processes at a time. 0 starts one per processor; at most 256.
    pub workers: u32,
    /// Memory of one worker process. At least 64 MiB.
    pub worker_memory: Size,
    /// Processor time a worker may spend on one package before it is ended; where the system does not tell it,
    /// time by the clock. More than 0, at most 10 minutes.
    pub worker_time: Period,
    /// Largest package document accepted from the upstream. At least 1 MiB.
    pub packument_size: Size,
    /// Largest tarball accepted, compressed. At least 1 MiB.
    pub tarball_size: Size,
    /// Largest tarball accepted, unpacked. At least 1 MiB.
    pub unpacked_size: Size,
    /// Most files accepted in a tarball. At least 1.
    pub files: u32,
}

/// What the gateway keeps at hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// How long a package document is used before the upstream is asked again. At most a day: it
    /// also delays withdrawals and fixes.
    pub packument_ttl: Period,
    /// Memory for package documents kept ready to send.
    pub memory: Size,
}

/// DESIGN, "Deciding": 24 h and 72 h.
impl Default for Age {
    fn default() -> Self {
        Self {
            minimum: Period::from_hours(24),
            exclude: Vec::new(),
            young_for_rules: Period::from_hours(72),
            unknown: UnknownAge::Young,
        }
    }
}

/// DESIGN, "Deciding".
impl Default for Deciding {
    fn default() -> Self {
        Self {
            block_groups: 3,
            hold_groups: 2,
            popular: 10_000,
            incomplete_unseen: Action::Hold,
            incomplete_established: Action::Notice,
            unknown_publisher: Action::Allow,
        }
    }
}

/// Most hijacked releases lived for hours, and the slow ones for days (DETECTION section 4.6): a
/// month is beyond nearly all, a week will do where ten thousand others watch.
impl Default for Established {
    fn default() -> Self {
        Self {
            age: Period::from_days(30),
            popular_rank: 10_000,
            popular_age: Period::from_days(7),
        }
    }
}

/// PROTOCOL 3.6: answers have to begin within 25 s.
impl Default for Gate {
    fn default() -> Self {
        Self {
            mode: GateMode::Enforce,
            wait_for_contents: WaitForContents::Unestablished,
            analysis_budget: Period::from_secs(20),
        }
    }
}

/// CRATES section 1 (memory and time of a worker); the others are several times the largest
/// packages of the reference corpus (PEERS section 6).
impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: 0,
            worker_memory: Size::from_mib(512),
            worker_time: Period::from_secs(20),
            packument_size: Size::from_mib(128),
            tarball_size: Size::from_mib(256),
            unpacked_size: Size::from_mib(1024),
            files: 100_000,
        }
    }
}

/// Five minutes: what the public registry lets clients keep a package document.
impl Default for Cache {
    fn default() -> Self {
        Self {
            packument_ttl: Period::from_secs(300),
            memory: Size::from_mib(128),
        }
    }
}

impl Names {
    /// Whether the name is one of your own, or one that only your own registry has. Of an internal name the
    /// versions make no difference: the name itself is what strangers must not learn.
    #[must_use]
    pub fn is_own(&self, name: &str) -> bool {
        self.own.iter().any(|glob| glob.matches(name))
            || self.internal.iter().any(|entry| entry.is_about(name))
    }

    /// The entry of [`Names::internal`] that says that this release of the default registry is not yours,
    /// although its name is: the name is listed, and no entry for it names the version.
    #[must_use]
    pub fn foreign(&self, name: &str, version: &str) -> Option<&Selector> {
        let mut listed = self.internal.iter().filter(|entry| entry.is_about(name));
        let first = listed.clone().next()?;
        let is_yours = listed.any(|entry| entry.has_versions() && entry.matches(name, version));
        (!is_yours).then_some(first)
    }
}

impl Age {
    /// Whether age does not hold this release.
    #[must_use]
    pub fn excludes(&self, name: &str, version: &str) -> bool {
        self.exclude
            .iter()
            .any(|selector| selector.matches(name, version))
    }
}

/// Where each value that was set came from, by key; expectations and waivers by their place in the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Origins {
    pub(crate) keys: BTreeMap<String, Origin>,
    pub(crate) expectations: Vec<Origin>,
    pub(crate) waivers: Vec<Origin>,
}

impl Policy {
    /// Reads a policy from the text of one file; `file_name` is what errors and origins call it.
    /// Signal ids are not checked: see [`Loader::signals`].
    ///
    /// # Errors
    /// [`PolicyError`] with every mistake in the text.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Self, PolicyError> {
        Self::loader().file(file_name, text).load()
    }

    /// Puts a policy together from several layers.
    #[must_use]
    pub fn loader<'a>() -> Loader<'a> {
        Loader::default()
    }

    /// The folder with the operator's own rules, if one is set: relative to the file that names it.
    #[must_use]
    pub fn rules_folder(&self) -> Option<std::path::PathBuf> {
        let folder = match self.rules.folder.0.as_str() {
            "none" => return None,
            folder => std::path::Path::new(folder),
        };
        let beside = match self.origin("rules.folder") {
            Origin::File { file, .. } => std::path::Path::new(file).parent(),
            Origin::Default | Origin::Setting(_) => None,
        };
        Some(beside.map_or_else(|| folder.to_owned(), |beside| beside.join(folder)))
    }

    /// Where the value of a key came from, e.g. of `age.minimum`.
    #[must_use]
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.keys.get(key).unwrap_or(&Origin::Default)
    }

    /// Where the waiver at a place of [`Policy::waivers`] came from.
    #[must_use]
    pub fn waiver_origin(&self, index: usize) -> &Origin {
        self.origins.waivers.get(index).unwrap_or(&Origin::Default)
    }

    /// Where the expectation at a place of [`Policy::expectations`] came from.
    #[must_use]
    pub fn expectation_origin(&self, index: usize) -> &Origin {
        self.origins
            .expectations
            .get(index)
            .unwrap_or(&Origin::Default)
    }

    /// Whether anything is expected of the origin of this package's releases.
    #[must_use]
    pub fn expects(&self, name: &str) -> bool {
        self.expectations.iter().any(|it| it.package.matches(name))
    }

    /// Whether an expectation with `on_breach = "block"` can be told neither kept nor broken while something,
    /// see [`Incomplete::what`](weir_model::Incomplete::what), could not be checked of a release. `published` is
    /// when the registry says that it was published.
    #[must_use]
    pub fn waits_to_verify(&self, gap: &str, name: &str, published: Option<Timestamp>) -> bool {
        let mut expectations = self.expectations.iter();
        expectations.any(|it| it.waits_for(gap, name, published))
    }

    /// The waivers that have ended, as [`PolicyError::ExpiredWaiver`]s to show or to fail a check
    /// with. They are no reason to refuse a policy: a gateway restarted on the day after would not
    /// come up, and a decision ignores them anyway.
    #[must_use]
    pub fn expired_waivers(&self, now: Timestamp) -> Vec<PolicyError> {
        let expired = self
            .waivers
            .iter()
            .enumerate()
            .filter(|(_, waiver)| waiver.expires.has_passed(now));
        expired
            .map(|(index, waiver)| PolicyError::ExpiredWaiver {
                at: self.waiver_origin(index).clone(),
                package: waiver.package.to_string(),
                expires: waiver.expires.to_string(),
            })
            .collect()
    }

    /// The next moment after `now` at which a waiver ends, and with it what may be cached about
    /// decisions. The end of a hold is in [`weir_model::Decision::until`].
    #[must_use]
    pub fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        self.waivers
            .iter()
            .map(|waiver| waiver.expires.end())
            .filter(|end| *end > now)
            .min()
    }

    /// Whether a release counts as long established; never if its publish time is unknown.
    #[must_use]
    pub fn is_established(
        &self,
        published: Option<Timestamp>,
        rank: Option<u32>,
        now: Timestamp,
    ) -> bool {
        let Some(published) = published else {
            return false;
        };
        let popular = rank.is_some_and(|rank| rank <= self.established.popular_rank);
        !self.established.age.is_running(published, now)
            || (popular && !self.established.popular_age.is_running(published, now))
    }

    /// A text that is the same for policies that decide alike, and differs after any change of a
    /// value, a waiver or weir's own rules: for ETags and cache keys. Comments, file names and the
    /// order of keys do not matter. Not a seal: 64 bits of FNV-1a.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let rules = crate::decide::RULES_VERSION.to_string();
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in rules.bytes().chain([0xff]).chain(self.to_toml().bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        format!("{hash:016x}")
    }
}

#[cfg(test)]
mod tests;
