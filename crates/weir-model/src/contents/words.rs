//! The facts in words, for everything that people read: findings, notes, differences.

use super::{
    BinaryFormat, CapabilityKind, GateKind, HiddenKind, HostClass, SinkKind, SourceKind, Surface,
};

impl Surface {
    /// When the code runs, as the end of a sentence.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Install => "at install time",
            Self::Import => "on import",
            Self::Command => "when its command runs",
            Self::Worker => "in a worker or child process",
            Self::Unreferenced => "in code that nothing leads to",
        }
    }

    /// Whether code on this surface runs wherever code on the other one does, so that the other is
    /// nothing new. What nothing leads to is no excuse for what is then led to: hostile code is
    /// sometimes shipped in one release and switched on in the next.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Install, Self::Install)
                | (Self::Import, Self::Import | Self::Worker)
                | (Self::Command, Self::Command)
                | (Self::Worker, Self::Worker)
                | (_, Self::Unreferenced)
        )
    }
}

impl CapabilityKind {
    /// What the code does, as a verb with its object.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Network => "talks to the network",
            Self::Dns => "looks up names",
            Self::Process => "starts programs",
            Self::DetachedProcess => "starts programs that outlive it silently",
            Self::DynamicCode => "turns text into code",
            Self::Environment => "reads the environment",
            Self::SecretFiles => "reads files that hold secrets",
            Self::HostFacts => "reads facts about host and user",
            Self::WritesOutside => "writes outside its own folder",
            Self::WritesPackages => "writes into other packages or its own manifest",
            Self::Persists => "writes files that other programs run or follow",
            Self::Removes => "removes whole folders",
            Self::RemovesHome => "removes a home folder or a drive",
            Self::RemovesItself => "removes or replaces its own files",
            Self::Native => "loads native code",
            Self::Clipboard => "uses the clipboard",
            Self::Wallet => "speaks to a wallet",
            Self::WrapsRequests => "wraps the browser's own requests",
            Self::Publishes => "publishes packages",
            Self::DisablesTls => "switches certificate checks off",
            Self::DrivesAgents => "drives coding assistants or writes what they read",
            Self::RemoteScript => "brings in scripts from other hosts",
        }
    }
}

impl HostClass {
    /// What kind of host, as a noun; nothing for an ordinary one.
    #[must_use]
    pub const fn in_words(self) -> Option<&'static str> {
        match self {
            Self::Tunnel => Some("a tunnel or request catcher"),
            Self::Paste => Some("a store that anybody may fill"),
            Self::Webhook => Some("a webhook or chat bot"),
            Self::RawAddress => Some("an address without a name"),
            Self::ChainRpc => Some("a node of a chain"),
            Self::CloudMetadata => Some("a cloud's metadata service"),
            Self::Throwaway => Some("a throwaway name"),
            Self::Local => Some("this machine or its network"),
            Self::Other => None,
        }
    }
}

impl SourceKind {
    /// What is read, as a noun.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Environment => "the whole environment",
            Self::SecretVariable => "a secret variable",
            Self::CredentialFile => "a credential file",
            Self::WalletOrProfile => "a wallet or browser profile",
            Self::CloudMetadata => "a cloud's metadata or secret store",
            Self::ProcessMemory => "the memory of another process",
            Self::Clipboard => "the clipboard",
            Self::HostFacts => "facts about host and user",
            Self::CredentialTool => "what a credential tool prints",
            Self::KeyArgument => "key material a caller passes in",
            Self::Overheard => "what is meant for others",
            Self::Fetched => "what was fetched from the network",
            Self::Decoded => "text decoded at run time",
        }
    }

    /// The verb that goes with the noun.
    #[must_use]
    pub const fn goes(self) -> &'static str {
        match self {
            Self::HostFacts => "go",
            _ => "goes",
        }
    }
}

impl SinkKind {
    /// Where it goes, as the end of a sentence.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Http => "into a web request",
            Self::Socket => "into a socket",
            Self::Dns => "into a name lookup",
            Self::NetworkCommand => "into a command that talks to the network",
            Self::DynamicCode => "into code made from text",
            Self::Process => "into a child process",
            Self::Persistence => "into a file that other programs run or trust",
            Self::OtherPackage => "into another package or the own manifest",
            Self::ProgramFile => "into a file that is then run",
            Self::Publish => "into a registry, as a package",
            Self::Wallet => "into a wallet's request",
        }
    }

    /// Whether it leaves the machine there.
    #[must_use]
    pub const fn leaves(self) -> bool {
        matches!(
            self,
            Self::Http | Self::Socket | Self::Dns | Self::NetworkCommand | Self::Publish
        )
    }
}

impl GateKind {
    /// What has to hold, as the end of "only".
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Ci => "depending on CI",
            Self::Locale => "depending on locale or time zone",
            Self::Time => "after a date or a delay",
            Self::Target => "in one project, package or account",
            Self::Browser => "in a browser",
            Self::Platform => "on some platforms",
        }
    }
}

impl BinaryFormat {
    /// What it is, as a noun.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Elf => "a program or library for Linux",
            Self::MachO => "a program or library for macOS",
            Self::Pe => "a program or library for Windows",
            Self::Wasm => "WebAssembly",
            Self::Archive => "an archive",
            Self::JavaClass => "compiled Java",
            Self::PythonBytecode => "compiled Python",
            Self::NotText => "named like code, and no text",
        }
    }

    /// Whether a machine runs it as it is.
    #[must_use]
    pub const fn is_program(self) -> bool {
        matches!(self, Self::Elf | Self::MachO | Self::Pe)
    }
}

impl HiddenKind {
    /// How, as a noun.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::OffScreen => "code pushed off the screen by white space",
            Self::Bidi => "text that reads in another order than it runs",
            Self::Invisible => "characters without width",
            Self::VariationSelectors => "variation selectors that carry bytes",
        }
    }
}
