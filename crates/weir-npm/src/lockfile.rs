//! Lockfiles: what each client writes down about a tree, as one graph.
//!
//! Read: npm's `package-lock.json` and `npm-shrinkwrap.json` in versions 1 to 3 and the hidden one in
//! `node_modules`, yarn's `yarn.lock` (classic and berry), `pnpm-lock.yaml` 5 to 9 and `bun.lock`. Never
//! written. A lockfile is text that a pull request of a stranger may change: what a client would not have
//! written (a key twice, YAML aliases, deep nesting) is an error with its line and key, never a guess.

mod bun;
pub(crate) mod error;
mod graph;
pub(crate) mod json;
mod needs;
mod npm;
mod pnpm;
pub(crate) mod tree;
mod ways;
mod workspaces;
pub(crate) mod yaml;
mod yarn_berry;
mod yarn_classic;

pub use error::{LockfileError, Problem};
pub use graph::{
    DEFAULT_CATALOG, DependencyKind, Edge, Flags, Lockfile, Node, NodeId, Patch, Paths, Source,
    Terms, folder_from, named_catalog,
};
pub use needs::Need;
pub use ways::Ways;
pub use workspaces::Workspaces;

/// Largest lockfile that is read. The lockfiles of three ordinary projects of about a thousand packages
/// are half a megabyte; this is room for fifty times as much.
pub const MAX_SIZE: usize = 32 << 20;

/// Which client wrote a lockfile, and in which of its forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// npm's `package-lock.json`, `npm-shrinkwrap.json`, or the one hidden in `node_modules`.
    Npm,
    /// `yarn.lock` of yarn 1.
    YarnClassic,
    /// `yarn.lock` of yarn 2 and later.
    YarnBerry,
    /// `pnpm-lock.yaml`.
    Pnpm,
    /// `bun.lock`.
    Bun,
}

impl Format {
    /// Which format a file of this name holds. Both of yarn's have one name and are told apart by what
    /// is in the file.
    #[must_use]
    pub fn of(file: &str, text: &[u8]) -> Option<Self> {
        let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
        match base {
            "package-lock.json" | "npm-shrinkwrap.json" | ".package-lock.json" => Some(Self::Npm),
            "yarn.lock" => Some(Self::yarn(text)),
            "pnpm-lock.yaml" => Some(Self::Pnpm),
            "bun.lock" => Some(Self::Bun),
            _ => None,
        }
    }

    fn yarn(text: &[u8]) -> Self {
        // Berry writes this before any entry; classic cannot have it, as every key of it holds an `@`.
        let marked = memchr::memmem::find(text, b"__metadata:").is_some_and(|at| {
            at == 0
                || text
                    .get(at - 1)
                    .is_some_and(|byte| matches!(byte, b'\n' | 0xbf))
        });
        if marked {
            Self::YarnBerry
        } else {
            Self::YarnClassic
        }
    }

    /// The client's name.
    #[must_use]
    pub const fn client(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::YarnClassic => "yarn 1",
            Self::YarnBerry => "yarn",
            Self::Pnpm => "pnpm",
            Self::Bun => "bun",
        }
    }
}

impl Lockfile {
    /// Reads a lockfile. `file` is what errors call it, and its last part says which format it is.
    ///
    /// # Errors
    /// [`LockfileError`], with the line and the key.
    pub fn parse(file: &str, text: &[u8]) -> Result<Self, LockfileError> {
        let format =
            Format::of(file, text).ok_or_else(|| Problem::UnknownFile.at(1, None).in_file(file))?;
        Self::parse_as(format, file, text)
    }

    /// Reads a lockfile whose format is known.
    ///
    /// # Errors
    /// [`LockfileError`], with the line and the key.
    pub fn parse_as(format: Format, file: &str, text: &[u8]) -> Result<Self, LockfileError> {
        read(format, text).map_err(|error| error.in_file(file))
    }

    /// Reads what a client wrote down of the tree that it installed, in the format of a lockfile. pnpm 12 lists there
    /// what it left out, as an optional release that could not be had: none of that is among the nodes.
    ///
    /// # Errors
    /// [`LockfileError`], with the line and the key.
    pub fn parse_installed(format: Format, file: &str, text: &[u8]) -> Result<Self, LockfileError> {
        read_as(format, text, Extent::Installed).map_err(|error| error.in_file(file))
    }
}

/// What a file is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// All that a project locks.
    Locked,
    /// What of it was installed.
    Installed,
}

fn read(format: Format, bytes: &[u8]) -> Result<Lockfile, LockfileError> {
    read_as(format, bytes, Extent::Locked)
}

fn read_as(format: Format, bytes: &[u8], extent: Extent) -> Result<Lockfile, LockfileError> {
    if bytes.len() > MAX_SIZE {
        return Err(Problem::TooLarge.at(1, None));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        Problem::NotUtf8.at(error::lines_in(before) + 1, None)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(line) = merge_conflict(text) {
        return Err(Problem::MergeConflict.at(line, None));
    }
    match format {
        Format::Npm => npm::read(&json::parse(text, json::Dialect::Json)?),
        Format::Bun => bun::read(&json::parse(text, json::Dialect::Commas)?),
        Format::Pnpm => pnpm::read_all(&yaml::parse_all(text)?, extent),
        Format::YarnBerry => yarn_berry::read(&yaml::parse(text)?),
        Format::YarnClassic => yarn_classic::read(text),
    }
}

/// The line of a mark that git leaves where two changes met. A tool that writes a file anew may have moved it to
/// the right; no client begins a line with it.
fn merge_conflict(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    for at in memchr::memmem::find_iter(bytes, b"<<<<<<<") {
        let before = bytes.get(..at).unwrap_or_default();
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let begins = match before.iter().rfind(|byte| !is_blank(byte)) {
            Some(byte) => *byte == b'\n',
            None => true,
        };
        let after = bytes.get(at + 7);
        if begins && after.is_none_or(|byte| matches!(byte, b' ' | b'\r' | b'\n')) {
            return Some(error::lines_in(before) + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::formats::SAMPLES;
