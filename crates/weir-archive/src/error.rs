//! Why reading stopped.

use std::io;

use weir_model::contents::Violation;

use crate::rules::{Rule, clip, violation};

/// Why reading stopped before the archive's end. What was read before has been delivered.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is nothing.
    #[error("the archive is empty")]
    Empty,
    /// Neither gzip nor tar.
    #[error("not an archive: it looks like {looks_like}")]
    NotAnArchive {
        /// A guess from the first bytes.
        looks_like: &'static str,
    },
    /// Compressed in a way that some clients undo and others do not (npm undoes zstd where Node
    /// can, CRATES section 4).
    #[error("compressed with {method}, which only some clients can read; npm packages use gzip")]
    OtherCompression {
        /// The method's name.
        method: &'static str,
    },
    /// The compressed data is not valid.
    #[error(
        "the compressed data is broken after {unpacked} unpacked bytes{}",
        within(entry)
    )]
    CorruptCompression {
        /// Unpacked bytes before the fault.
        unpacked: u64,
        /// The entry being read.
        entry: Option<String>,
    },
    /// The compressed data stops early.
    #[error(
        "the compressed data ends early, after {unpacked} unpacked bytes{}",
        within(entry)
    )]
    TruncatedCompression {
        /// Unpacked bytes before the end.
        unpacked: u64,
        /// The entry being read.
        entry: Option<String>,
    },
    /// The tar stream stops inside an entry.
    #[error("the archive ends inside `{entry}`, {missing} bytes early")]
    TruncatedEntry {
        /// The entry that was being read.
        entry: String,
        /// Bytes that are missing, padding included.
        missing: u64,
    },
    /// More came out than [`crate::Limits::unpacked_bytes`] allows.
    #[error("the archive unpacks to more than {limit} bytes{}", within(entry))]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
        /// The entry being read.
        entry: Option<String>,
    },
    /// One entry is larger than [`crate::Limits::entry_bytes`] allows.
    #[error("`{entry}` declares {size} bytes, more than the limit of {limit}")]
    EntryTooLarge {
        /// The entry.
        entry: String,
        /// The size it declares, in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The compression ratio is beyond [`crate::Limits::ratio`].
    #[error(
        "{packed} bytes unpack to {unpacked} and more, a ratio beyond the limit of {limit}{}",
        within(entry)
    )]
    RatioTooHigh {
        /// Packed bytes read so far.
        packed: u64,
        /// Unpacked bytes so far.
        unpacked: u64,
        /// The limit.
        limit: u64,
        /// The entry being read.
        entry: Option<String>,
    },
    /// More entries than [`crate::Limits::entries`] allows.
    #[error("the archive has more than {limit} entries; `{entry}` is the first beyond")]
    TooManyEntries {
        /// The limit.
        limit: u64,
        /// The first entry beyond it.
        entry: String,
    },
    /// The reader that was passed in failed. This says nothing about the archive.
    #[error("the archive could not be read")]
    Io(#[from] io::Error),
}

impl ArchiveError {
    /// Whether a violation says that the archive was not read to its end, or not as it was packed: what was
    /// read of it may be less than, or other than, what it holds.
    #[must_use]
    pub fn is_behind(violation: &Violation) -> bool {
        const ENDINGS: [&str; 10] = [
            "empty-archive",
            "not-an-archive",
            "other-compression",
            "corrupt-compression",
            "truncated-compression",
            "truncated-entry",
            "archive-too-large",
            "entry-too-large",
            "compression-ratio-too-high",
            "too-many-entries",
        ];
        let rule = violation.rule.as_str();
        ENDINGS.contains(&rule) || rule == Rule::GzipChecksum.id()
    }

    /// A stable kebab-case word for the situation, in the manner of [`crate::Rule::id`].
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Empty => "empty-archive",
            Self::NotAnArchive { .. } => "not-an-archive",
            Self::OtherCompression { .. } => "other-compression",
            Self::CorruptCompression { .. } => "corrupt-compression",
            Self::TruncatedCompression { .. } => "truncated-compression",
            Self::TruncatedEntry { .. } => "truncated-entry",
            Self::TooLarge { .. } => "archive-too-large",
            Self::EntryTooLarge { .. } => "entry-too-large",
            Self::RatioTooHigh { .. } => "compression-ratio-too-high",
            Self::TooManyEntries { .. } => "too-many-entries",
            Self::Io(_) => "archive-unreadable",
        }
    }

    /// The entry being read when it happened.
    #[must_use]
    pub fn entry(&self) -> Option<&str> {
        match self {
            Self::CorruptCompression { entry, .. }
            | Self::TruncatedCompression { entry, .. }
            | Self::TooLarge { entry, .. }
            | Self::RatioTooHigh { entry, .. } => entry.as_deref(),
            Self::TruncatedEntry { entry, .. }
            | Self::EntryTooLarge { entry, .. }
            | Self::TooManyEntries { entry, .. } => Some(entry),
            Self::Empty
            | Self::NotAnArchive { .. }
            | Self::OtherCompression { .. }
            | Self::Io(_) => None,
        }
    }

    /// The same as a violation, for records that know only those. Always ambiguous: what lies
    /// behind the fault was not seen here, and an extractor with other limits may see it.
    /// [`ArchiveError::Io`] gives `None`, because it is no property of the archive.
    #[must_use]
    pub fn to_violation(&self) -> Option<Violation> {
        match self {
            Self::Io(_) => None,
            other => Some(violation(
                other.id(),
                other.entry(),
                other.to_string(),
                true,
            )),
        }
    }

    /// Adds the entry that was being read, where the layer that failed could not know it.
    pub(crate) fn within(mut self, path: &str) -> Self {
        if let Self::CorruptCompression { entry, .. }
        | Self::TruncatedCompression { entry, .. }
        | Self::TooLarge { entry, .. }
        | Self::RatioTooHigh { entry, .. } = &mut self
        {
            *entry = Some(clip(path));
        }
        self
    }
}

fn within(entry: &Option<String>) -> String {
    entry
        .as_ref()
        .map(|entry| format!(", inside `{entry}`"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_reading_is_told_from_an_oddity() {
        let entry = || Some("package/a".to_owned());
        let ends = [
            ArchiveError::Empty,
            ArchiveError::NotAnArchive { looks_like: "text" },
            ArchiveError::OtherCompression { method: "zstd" },
            ArchiveError::CorruptCompression {
                unpacked: 1,
                entry: entry(),
            },
            ArchiveError::TruncatedCompression {
                unpacked: 1,
                entry: None,
            },
            ArchiveError::TruncatedEntry {
                entry: "a".to_owned(),
                missing: 1,
            },
            ArchiveError::TooLarge {
                limit: 1,
                entry: None,
            },
            ArchiveError::EntryTooLarge {
                entry: "a".to_owned(),
                size: 2,
                limit: 1,
            },
            ArchiveError::RatioTooHigh {
                packed: 1,
                unpacked: 2,
                limit: 1,
                entry: None,
            },
            ArchiveError::TooManyEntries {
                limit: 1,
                entry: "a".to_owned(),
            },
        ];
        for error in ends {
            let violation = error.to_violation().unwrap();
            assert!(ArchiveError::is_behind(&violation), "{error}");
        }
        let odd = |rule: Rule| violation(rule.id(), None, String::new(), true);
        assert!(ArchiveError::is_behind(&odd(Rule::GzipChecksum)));
        for rule in [Rule::Link, Rule::NoEndMarker, Rule::DataAfterEnd] {
            assert!(!ArchiveError::is_behind(&odd(rule)), "{}", rule.id());
        }
    }
}
