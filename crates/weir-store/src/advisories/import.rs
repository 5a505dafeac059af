//! Importing OSV records: reading a source, writing what has changed, and taking out what is gone.

mod fingerprint;
mod reader;
mod write;

use std::path::PathBuf;

use jiff::Timestamp;
use tokio::sync::mpsc;
use weir_model::AdvisoryKind;

pub use fingerprint::fingerprint;

use super::osv::Reduced;
use crate::{Advisories, Store, StoreError};
use reader::{Group, Reader};
use write::{Known, Writer};

/// What an import will not go beyond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLimits {
    /// Most files; with more, the import is refused.
    pub files: u64,
    /// Most bytes in one file, unpacked; a larger one is skipped and reported.
    pub file_bytes: u64,
    /// Most bytes in all files, unpacked; beyond, the import stops with an error.
    pub total_bytes: u64,
}

impl Default for ImportLimits {
    /// Several times what the collection of all npm records holds.
    fn default() -> Self {
        Self {
            files: 2_000_000,
            file_bytes: 16 << 20,
            total_bytes: 16 << 30,
        }
    }
}

/// What is to be imported.
#[derive(Debug, Clone)]
pub struct Import {
    /// The feed it belongs to.
    pub feed: String,
    /// A folder (looked into deeply), a `.zip` archive or a single `.json` file.
    pub path: PathBuf,
    /// Where it comes from, to be read again from there; the path, or the address it was fetched from.
    pub source: String,
    /// Whether it holds the whole feed: records it no longer has are removed.
    pub whole: bool,
    /// Whether most of the feed may be removed.
    pub allow_removals: bool,
    /// What is not gone beyond.
    pub limits: ImportLimits,
    /// The present moment.
    pub now: Timestamp,
    /// The entity tag it came with, or the [`fingerprint`] of a file here.
    pub etag: Option<String>,
    /// The date of last change it came with.
    pub last_modified: Option<String>,
}

impl Import {
    /// A source that holds a whole feed.
    #[must_use]
    pub fn new(feed: &str, path: impl Into<PathBuf>, now: Timestamp) -> Self {
        let path = path.into();
        Self {
            feed: feed.to_owned(),
            source: path.display().to_string(),
            path,
            whole: true,
            allow_removals: false,
            limits: ImportLimits::default(),
            now,
            etag: None,
            last_modified: None,
        }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files done with.
    pub done: u64,
    /// Files in all.
    pub total: u64,
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Files that were read as OSV records.
    pub read: u64,
    /// Those that concern npm packages.
    pub npm: u64,
    /// Of these: about malware, and in force.
    pub malware: u64,
    /// Of these: about flaws, and in force.
    pub vulnerabilities: u64,
    /// Of these: withdrawn by their authors.
    pub withdrawn: u64,
    /// Of these: in force, and to be withdrawn at a moment that has not come.
    pub pending: u64,
    /// Records that were new here, or newer than the one kept. The others were known.
    pub changed: u64,
    /// Records that are gone from the source, and from here.
    pub removed: u64,
    /// Files whose names do not end in `.json`.
    pub ignored: u64,
    /// Files, or parts of them, that could not be used, each with the place and the reason.
    pub skipped: Vec<(String, String)>,
    /// How many more could not be used beyond those in `skipped`, which ends at 10,000.
    pub skipped_more: u64,
}

/// Most reasons kept.
const MAX_SKIPPED: usize = 10_000;

impl ImportReport {
    fn skip(&mut self, file: &str, why: String) {
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push((file.to_owned(), why));
        } else {
            self.skipped_more += 1;
        }
    }

    fn count(&mut self, file: &str, found: &mut Reduced) {
        self.read += 1;
        for problem in found.problems.drain(..) {
            self.skip(file, problem);
        }
        if found.record.affected.is_empty() {
            return;
        }
        self.npm += 1;
        self.pending += u64::from(found.pending);
        match (found.withdrawn, found.record.kind) {
            (true, _) => self.withdrawn += 1,
            (false, AdvisoryKind::Malware) => self.malware += 1,
            (false, AdvisoryKind::Vulnerability) => self.vulnerabilities += 1,
        }
    }

    /// Takes in what was noted while records were written.
    fn add(&mut self, written: Self) {
        for (file, why) in written.skipped {
            self.skip(&file, why);
        }
        self.skipped_more += written.skipped_more;
        self.changed += written.changed;
        self.removed += written.removed;
    }

    /// How many files, or parts of them, could not be used.
    #[must_use]
    pub fn unusable(&self) -> u64 {
        self.skipped.len() as u64 + self.skipped_more
    }
}

impl Store {
    /// Imports OSV records into a feed. Only records that are new or have changed are written, so that
    /// the same collection can be imported again and again; an older copy never replaces a newer one. Of
    /// a whole feed, records that the source no longer has are removed; one whose file cannot be read any
    /// more stays. Where two files of the source have records of the same id, the newer record is taken, and
    /// of two that are equally new and differ the first that is read; the file of the other is named among
    /// those that could not be used. `progress` is called now and then.
    ///
    /// # Errors
    /// When the path cannot be read at all or holds no record, a limit on the whole is exceeded, most of the
    /// feed would be removed and that is not allowed, or the database or the index cannot be written. Records
    /// committed before that stay.
    pub async fn import_osv(
        &self,
        import: &Import,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<ImportReport, StoreError> {
        let mut writer = Writer::new(self, &import.feed, Known::load(self, &import.feed).await?);
        // A few groups may wait; reading pauses when writing is slower.
        let (groups, mut waiting) = mpsc::channel::<Group>(4);
        let (path, limits, now) = (import.path.clone(), import.limits.clone(), import.now);
        let reader = tokio::task::spawn_blocking(move || Reader::run(&path, limits, now, groups));
        while let Some(group) = waiting.recv().await {
            writer.keep(&group.records, &group.unreadable).await?;
            progress(group.progress);
        }
        let mut report = reader.await.map_err(|_| StoreError::Closed)??;
        if import.whole {
            writer.remove_missing(import.allow_removals).await?;
        }
        report.add(writer.take_report());
        writer.note(import, &report).await?;
        // Made now, so that nobody waits for it later.
        let fresh = Advisories::load(self).await?;
        if report.changed > 0 {
            let taken = self.unlearn_malware(&fresh).await?;
            if taken > 0 {
                tracing::info!(releases = taken, "what malware had taught is taken back");
            }
        }
        Ok(report)
    }
}
