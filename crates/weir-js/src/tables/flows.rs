//! Which sources make sense into which sinks.
//!
//! A constant that is written into a start-up file is no flow: nothing travels, and what matters is
//! the file. That is a capability (`Persists`), told with the folded path. A flow into such a file
//! is told where what is written was fetched or decoded.

use weir_model::contents::{SinkKind, SourceKind};

/// A pair, and why it is looked for.
pub(crate) struct Row {
    /// From.
    pub(crate) from: &'static [SourceKind],
    /// To.
    pub(crate) to: &'static [SinkKind],
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

/// The table.
pub(crate) const FLOWS: &[Row] = &[
    Row {
        from: &[
            SourceKind::Environment,
            SourceKind::SecretVariable,
            SourceKind::CredentialFile,
            SourceKind::WalletOrProfile,
            SourceKind::CloudMetadata,
            SourceKind::ProcessMemory,
            SourceKind::Clipboard,
            SourceKind::CredentialTool,
            SourceKind::KeyArgument,
            SourceKind::Overheard,
        ],
        to: &[
            SinkKind::Http,
            SinkKind::Socket,
            SinkKind::Dns,
            SinkKind::NetworkCommand,
        ],
        reason: "secrets that leave the machine",
    },
    Row {
        from: &[SourceKind::HostFacts],
        to: &[
            SinkKind::Http,
            SinkKind::Socket,
            SinkKind::Dns,
            SinkKind::NetworkCommand,
        ],
        reason: "who and where the victim is; what dependency confusion is tried out with",
    },
    Row {
        from: &[SourceKind::Fetched, SourceKind::Decoded],
        to: &[SinkKind::DynamicCode, SinkKind::Process],
        reason: "code that is in no file of the package, or in none that can be read",
    },
    Row {
        from: &[SourceKind::Fetched],
        to: &[
            SinkKind::ProgramFile,
            SinkKind::Persistence,
            SinkKind::OtherPackage,
        ],
        reason: "programs that others decide on, started, kept or put into other packages",
    },
    Row {
        from: &[SourceKind::Decoded],
        to: &[
            SinkKind::ProgramFile,
            SinkKind::Persistence,
            SinkKind::OtherPackage,
        ],
        reason: "what is hidden in the package and unpacked where others run it",
    },
];

/// Whether a value of this source is looked for in this sink.
pub(crate) fn makes_sense(from: SourceKind, to: SinkKind) -> bool {
    FLOWS
        .iter()
        .any(|row| row.from.contains(&from) && row.to.contains(&to))
}

/// Functions of Node whose result is text or bytes that were packed, by path: the path, and why.
pub(crate) const DECODERS: &[(&str, &str)] = &[
    ("node:zlib.gunzipSync", "unpacks"),
    ("node:zlib.inflateSync", "unpacks"),
    ("node:zlib.inflateRawSync", "unpacks"),
    ("node:zlib.unzipSync", "unpacks"),
    ("node:zlib.brotliDecompressSync", "unpacks"),
    ("node:crypto.createDecipheriv", "decrypts"),
    ("node:crypto.createDecipher", "decrypts"),
    ("node:crypto.privateDecrypt", "decrypts"),
    ("pkg:crypto-js.AES.decrypt", "decrypts"),
    ("pkg:pako.inflate", "unpacks"),
    ("pkg:pako.ungzip", "unpacks"),
    ("pkg:lz-string.decompressFromBase64", "unpacks"),
];

/// Functions that make code of text, by path: the path, and which argument holds it. `Function`
/// takes it last.
pub(crate) const CODE: &[&str] = &[
    "eval",
    "Function",
    "node:vm.runInThisContext",
    "node:vm.runInNewContext",
    "node:vm.runInContext",
    "node:vm.compileFunction",
    "node:vm.Script",
    "node:vm.SourceTextModule",
    "module._compile",
    "pkg:vm2.run",
    "pkg:node-eval",
    "pkg:require-from-string",
];
