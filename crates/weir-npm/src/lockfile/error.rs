//! What is wrong with a lockfile, and where.

use std::fmt;

/// Why a lockfile cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockfileError {
    /// The file, as the reader was told its name.
    pub file: String,
    /// The line, from one.
    pub line: u32,
    /// The key the trouble is at, if it is at one.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A name that no client uses.
    #[error("not the name of a lockfile weir reads")]
    UnknownFile,
    /// Larger than is read.
    #[error("larger than {} MB", super::MAX_SIZE >> 20)]
    TooLarge,
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Marks of a merge that was not finished.
    #[error("`<<<<<<<`: a merge conflict that was not resolved, the mark of an unfinished merge")]
    MergeConflict,
    /// Not JSON, not YAML, not what yarn writes.
    #[error("{0}")]
    Syntax(String),
    /// Nested deeper than any client writes.
    #[error("nested too deeply")]
    TooDeep,
    /// YAML anchors, aliases and tags: clients write none, and they can make a small file huge.
    #[error("YAML anchors, aliases and tags are not read in a lockfile")]
    Alias,
    /// The same in settings, which people write: there a single value may be repeated.
    #[error("YAML tags are not read, nor aliases of anything but a single value")]
    Reference,
    /// The same key twice: readers disagree about which one counts.
    #[error("this key is there twice")]
    DuplicateKey,
    /// A version of the format that is not known.
    #[error("version {0:?} of this format is not known")]
    UnknownVersion(String),
    /// Something the format requires.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Something that is asked for and not there: the file was cut off, or an entry was taken out.
    #[error("it needs {name} {got:?}, which the lockfile does not have")]
    NoEntry {
        /// What is asked for.
        name: String,
        /// What it got.
        got: String,
    },
    /// A value of the wrong kind.
    #[error("this is not {0}")]
    Wrong(&'static str),
    /// Two parts that state the same thing, and differ: clients disagree about which one counts.
    #[error("{one}, and {other}")]
    Contradiction {
        /// What one of them says.
        one: String,
        /// What the other says.
        other: String,
    },
    /// What npm writes of a `node_modules` with `install-strategy=linked`: links into a store of its own.
    #[error(
        "npm's linked layout (install-strategy=linked) is not read: package-lock.json locks the same releases"
    )]
    LinkedLayout,
    /// A key longer or with more parts than a file system takes.
    #[error("too long a key")]
    KeyTooLong,
}

impl Problem {
    pub(crate) fn at(self, line: u32, key: Option<&str>) -> LockfileError {
        /// Enough of a hostile key to find it by.
        const MOST: usize = 200;
        LockfileError {
            file: String::new(),
            line,
            key: key.map(|key| key.chars().take(MOST).collect()),
            problem: self,
        }
    }
}

impl LockfileError {
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }
}

impl fmt::Display for LockfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(key) = &self.key {
            write!(f, "{key:?}: ")?;
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for LockfileError {}

/// How many lines end in a text.
pub(crate) fn lines_in(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX - 1)
}
