//! What code is able to do, to whom it talks, and what it waits for.

use serde::{Deserialize, Serialize};

use super::flow::{Place, Surface};

/// What code is able to do. Ability, not intent: a release is compared with the one before.
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
pub enum CapabilityKind {
    /// Talks to the network.
    Network,
    /// Looks up names.
    Dns,
    /// Starts other programs.
    Process,
    /// Starts a program that outlives it and says nothing: detached, output ignored.
    DetachedProcess,
    /// Turns text that is no literal into code.
    DynamicCode,
    /// Reads the environment.
    Environment,
    /// Reads files that hold secrets.
    SecretFiles,
    /// Reads facts about host and user.
    HostFacts,
    /// Writes outside its own folder.
    WritesOutside,
    /// Writes into other installed packages or its own manifest.
    WritesPackages,
    /// Writes a file that something else runs or follows: shell start-up files, services, git hooks,
    /// workflows, configuration of editors and agents.
    Persists,
    /// Removes whole trees.
    Removes,
    /// Removes or overwrites a home folder, a drive, or everything.
    RemovesHome,
    /// Removes its own files, or puts another manifest in place of its own.
    RemovesItself,
    /// Loads native code.
    Native,
    /// Reads or writes the clipboard.
    Clipboard,
    /// Speaks to a wallet provider.
    Wallet,
    /// Puts its own function in place of a page's `fetch` or `XMLHttpRequest`.
    WrapsRequests,
    /// Publishes packages.
    Publishes,
    /// Switches certificate checks off.
    DisablesTls,
    /// Drives a command-line assistant, or writes what assistants read.
    DrivesAgents,
    /// Brings in scripts from other hosts: adds them to pages, or imports them.
    RemoteScript,
}

/// An ability, where it is used first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// Which.
    pub kind: CapabilityKind,
    /// What exactly: the called function, the module, the command.
    pub detail: String,
    /// Where.
    pub place: Place,
    /// From where the code runs; the strongest surface where there are several.
    pub surface: Surface,
    /// It is used as soon as the file is loaded, whoever calls what. Looked for only where that makes a difference.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_load: bool,
    /// Where else on that surface, for abilities that signals tell of place by place. A write of one file may not
    /// hide the write of the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Spot>,
    /// How many more such places there are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub also_left_out: u32,
}

const fn is_none(number: &u32) -> bool {
    *number == 0
}

impl Capability {
    /// Where an ability is used, with nothing known beyond.
    #[must_use]
    pub const fn at(
        kind: CapabilityKind,
        detail: String,
        place: Place,
        surface: Surface,
        at_load: bool,
    ) -> Self {
        Self {
            kind,
            detail,
            place,
            surface,
            at_load,
            also: Vec::new(),
            also_left_out: 0,
        }
    }

    /// Each place by itself, the best one first.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let of = |detail: &str, place: &Place, at_load| {
            Self::at(
                self.kind,
                detail.to_owned(),
                place.clone(),
                self.surface,
                at_load,
            )
        };
        let first = of(&self.detail, &self.place, self.at_load);
        let also = self.also.iter();
        std::iter::once(first)
            .chain(also.map(move |spot| of(&spot.detail, &spot.place, spot.at_load)))
    }
}

/// A further place of an ability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// What exactly, as in [`Capability::detail`].
    pub detail: String,
    /// Where.
    pub place: Place,
    /// As in [`Capability::at_load`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_load: bool,
}

/// What kind of host.
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
pub enum HostClass {
    /// A tunnel to somebody's machine, or a catcher of requests.
    Tunnel,
    /// Stores text or files for anybody.
    Paste,
    /// A webhook or chat bot.
    Webhook,
    /// An address instead of a name.
    RawAddress,
    /// A node of a chain, where data cannot be taken down.
    ChainRpc,
    /// A cloud's metadata service.
    CloudMetadata,
    /// A dynamic name, or a top-level domain that abuse prefers.
    Throwaway,
    /// Loopback or a private network.
    Local,
    /// Anything else.
    Other,
}

/// A host used as an argument of a call or command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The name or address, in lower case.
    pub host: String,
    /// What kind.
    pub class: HostClass,
    /// Where.
    pub place: Place,
    /// From where the code runs.
    pub surface: Surface,
}

/// What code waits for before it acts.
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
pub enum GateKind {
    /// It runs (or does not run) in CI.
    Ci,
    /// A locale, language or time zone.
    Locale,
    /// A date or a delay of minutes and more.
    Time,
    /// One project, package or user.
    Target,
    /// A browser.
    Browser,
    /// An operating system or architecture.
    Platform,
}

/// A condition around code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What it asks.
    pub kind: GateKind,
    /// Where it asks.
    pub place: Place,
}
