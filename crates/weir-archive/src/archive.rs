//! The one function, and what it returns.

use std::io::Read;

use weir_model::contents::Violation;

use crate::source::Window;
use crate::tar::{Counts, Walk};
use crate::{ArchiveError, Limits, Visitor};

/// What is known of an archive once it has been read.
#[derive(Debug)]
#[must_use]
pub struct Archive {
    /// Regular files delivered that npm's extractor sees, each occurrence counted.
    pub files: u64,
    /// Bytes of their data.
    pub bytes: u64,
    /// Headers with a valid checksum, those of folders and extended headers included.
    pub entries: u64,
    /// Compressed bytes read.
    pub packed_bytes: u64,
    /// Bytes of the tar stream.
    pub unpacked_bytes: u64,
    /// Rules that are broken, in the order in which that was noticed; at most eight per rule.
    pub violations: Vec<Violation>,
    /// How many more violations there were.
    pub violations_left_out: u64,
    /// How reading ended. After an error, the rest of the archive is unknown.
    pub ended: Result<(), ArchiveError>,
}

impl Archive {
    /// Whether extractors may disagree on what this archive installs, or its end was not reached.
    /// Such a release is refused.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.ended.is_err() || self.violations.iter().any(|violation| violation.ambiguous)
    }

    /// The violations, the error that ended reading among them. An [`ArchiveError::Io`] is left
    /// out, because it says nothing about the archive: handle it first.
    #[must_use]
    pub fn into_violations(self) -> Vec<Violation> {
        let mut violations = self.violations;
        violations.extend(self.ended.err().and_then(|error| error.to_violation()));
        violations
    }
}

/// Reads an npm tarball to its end, delivering every regular file that any extractor may see.
///
/// Files that were delivered before an error stay delivered; the error is in [`Archive::ended`].
/// Memory: a window of 256 KiB that grows to the largest wanted file or extended header (and to
/// what is there of it, whatever was declared), 64 KiB of input, and the paths.
pub fn read<R: Read, V: Visitor + ?Sized>(packed: R, limits: &Limits, visitor: &mut V) -> Archive {
    let window = match Window::open(packed, limits) {
        Ok(window) => window,
        Err(error) => return Archive::new(Counts::default(), (0, 0), Vec::new(), 0, Err(error)),
    };
    let mut walk = Walk::new(window, limits, visitor);
    let ended = walk.run();
    let (counts, totals, report) = walk.finish();
    let (violations, left_out) = report.finish();
    Archive::new(counts, totals, violations, left_out, ended)
}

impl Archive {
    fn new(
        counts: Counts,
        (packed_bytes, unpacked_bytes): (u64, u64),
        violations: Vec<Violation>,
        violations_left_out: u64,
        ended: Result<(), ArchiveError>,
    ) -> Self {
        Self {
            files: counts.files,
            bytes: counts.bytes,
            entries: counts.entries,
            packed_bytes,
            unpacked_bytes,
            violations,
            violations_left_out,
            ended,
        }
    }
}
