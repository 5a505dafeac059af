//! Values that travel from a source to a sink.

use serde::{Deserialize, Serialize};

use super::behaviour::Gate;

/// From where code runs.
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
pub enum Surface {
    /// Runs when the package is installed.
    Install,
    /// Runs when the package is imported: `main`, `module`, `exports`, `browser`.
    Import,
    /// Runs when its command is called: `bin`.
    Command,
    /// Runs in a worker thread or child process that other code of the package starts.
    Worker,
    /// Nothing in the package leads to it.
    Unreferenced,
}

/// What kind of thing is read.
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
pub enum SourceKind {
    /// The whole environment: `process.env` listed, copied or serialised.
    Environment,
    /// One environment variable whose name says that it holds a secret.
    SecretVariable,
    /// A file that holds credentials: `.npmrc`, ssh and cloud keys.
    CredentialFile,
    /// A wallet's files or a browser's profile: cookies, stored passwords, extensions' storage.
    WalletOrProfile,
    /// A cloud's metadata service or a cluster's secret store.
    CloudMetadata,
    /// The memory of other processes, as of a CI runner (`/proc/<pid>/mem`).
    ProcessMemory,
    /// The clipboard.
    Clipboard,
    /// Facts about host and user: host name, user name, addresses, working directory.
    HostFacts,
    /// What a credential tool prints: `npm config`, `gh auth token`, `git credential`.
    CredentialTool,
    /// Key material that a caller passes to an exported function (`privateKey`, `mnemonic`).
    KeyArgument,
    /// What passes by and is meant for others: what they hand to a function of Node or of a page that the code has
    /// replaced, what somebody types into a page.
    Overheard,
    /// What was fetched from the network.
    Fetched,
    /// Text decoded at run time: base64, hex, character codes, decryption, inflation.
    Decoded,
}

/// Where it goes.
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
pub enum SinkKind {
    /// A request over HTTP or HTTPS, fetch, XHR, beacon.
    Http,
    /// A raw socket or WebSocket.
    Socket,
    /// A name lookup that carries the value.
    Dns,
    /// A command that talks to the network.
    NetworkCommand,
    /// Code made from text: `eval`, `Function`, `vm`, a worker with `eval`.
    DynamicCode,
    /// A child process whose command or program the value decides.
    Process,
    /// A file that other programs run or trust: shell start-up files, services, launch agents, git
    /// hooks, workflow files, configuration of editors and agents.
    Persistence,
    /// Another installed package, or the package's own manifest.
    OtherPackage,
    /// A file that is then executed: written, made executable or started.
    ProgramFile,
    /// A registry's publish endpoint, or `npm publish`.
    Publish,
    /// A browser's wallet provider or a request that pays.
    Wallet,
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

/// One step of a value on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Where.
    pub place: Place,
    /// The constant that the expression there folds to, shortened, where that says more than the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<String>,
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
    pub steps: Vec<Step>,
    /// Where it goes.
    pub sink: SinkKind,
    /// What exactly: the called function, and the host where it is known.
    pub sink_detail: String,
    /// Where it leaves.
    pub sink_place: Place,
    /// From where the code runs; the strongest surface where there are several.
    pub surface: Surface,
    /// What has to hold before the code runs this far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// It leaves as soon as the file is loaded, whoever calls what.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_load: bool,
}
