//! Files, delivered to the visitor, and data that is passed over.

use std::io::Read;

use super::{Walk, plain_size, to_usize};
use crate::entry::{Content, Entry, File, HEAD_BYTES, Visitor};
use crate::rules::clip;
use crate::tar::fingerprint::Fingerprint;
use crate::tar::header::{BLOCK, Header};
use crate::tar::path::CleanPath;
use crate::{ArchiveError, Rule};

/// Least bytes of the first piece of a file that is passed over, where it has so many.
const FIRST_PIECE: usize = 4 << 10;

/// Bytes of a file that only other extractors than npm's may see: per file, and per archive.
const OTHER_READING_BYTES: usize = 1 << 20;
const OTHER_READINGS_BYTES: u64 = 64 << 20;

impl<R: Read, V: Visitor + ?Sized> Walk<'_, R, V> {
    pub(super) fn folder(&mut self, name: &str, header: &Header, size: u64) {
        let name = name.trim_end_matches('/');
        // The top folder itself is no path inside the package.
        if name.contains('/') {
            self.clean(name);
        }
        if size > 0 {
            self.report.add(Rule::FolderWithData, Some(name), || {
                format!("{size} bytes, which npm takes for headers")
            });
            self.other_reading(name, header);
        }
    }

    /// The path to deliver, its faults reported.
    fn clean(&mut self, name: &str) -> CleanPath {
        let clean = CleanPath::new(name, self.limits.path_bytes, self.limits.path_depth);
        for rule in &clean.broken {
            self.report.add(*rule, Some(&clean.path), || {
                format!("the archive says {name:?}")
            });
        }
        clean
    }

    pub(super) fn file(
        &mut self,
        name: &str,
        header: &Header,
        size: u64,
    ) -> Result<(), ArchiveError> {
        let clean = self.clean(name);
        let path = clean.path;
        match &self.top {
            None => self.top = Some(clean.top),
            Some(top) if *top == clean.top => {}
            Some(top) => self
                .report
                .add_once(Rule::SeveralTopFolders, Some(&path), || {
                    format!("`{}` beside `{}`", clip(&clean.top), clip(top))
                }),
        }
        if header.mode & 0o7000 != 0 {
            self.report.add(Rule::SpecialMode, Some(&path), || {
                format!("mode {:o}", header.mode)
            });
        }
        if size > self.limits.entry_bytes {
            return Err(ArchiveError::EntryTooLarge {
                entry: clip(&path),
                size,
                limit: self.limits.entry_bytes,
            });
        }
        let file = File {
            path: &path,
            size,
            executable: is_executable(header),
        };
        let fingerprint = if self.visitor.wants(&file) {
            self.whole(file)
        } else {
            self.head(file)
        };
        let digest = fingerprint.finish();
        self.counts.files += 1;
        self.counts.bytes += digest.1;
        if path.len() <= self.limits.path_bytes {
            self.index.add(&path, digest, &mut self.report);
        }
        if digest.1 < size {
            return Err(self.ended_inside(&path, padded(size) - digest.1));
        }
        self.padding(&path, size)
    }

    /// Delivers all of a file's data.
    fn whole(&mut self, file: File<'_>) -> Fingerprint {
        let mut fingerprint = Fingerprint::new(self.keys);
        let data = self.window.peek(to_usize(file.size));
        fingerprint.update(data);
        self.visitor.entry(Entry {
            file,
            content: Content::Whole(data),
            complete: data.len() as u64 == file.size,
        });
        let taken = data.len();
        self.window.consume(taken);
        fingerprint
    }

    /// Delivers the beginning of a file's data and passes over the rest.
    fn head(&mut self, file: File<'_>) -> Fingerprint {
        let mut fingerprint = Fingerprint::new(self.keys);
        let mut head = [0; HEAD_BYTES];
        // The first piece is long enough for whoever tells formats apart.
        let shown = self.window.peek(FIRST_PIECE.min(to_usize(file.size)));
        let shown_bytes = shown.len().min(HEAD_BYTES);
        for (to, from) in head.iter_mut().zip(shown) {
            *to = *from;
        }
        let mut missing = file.size;
        while missing > 0 {
            let here = self.window.peek_some();
            let here = here.get(..to_usize(missing)).unwrap_or(here);
            if here.is_empty() {
                break;
            }
            fingerprint.update(here);
            self.visitor.piece(here);
            let taken = here.len();
            self.window.consume(taken);
            missing -= taken as u64;
        }
        self.visitor.entry(Entry {
            file,
            content: Content::Head(head.get(..shown_bytes).unwrap_or_default()),
            complete: missing == 0,
        });
        fingerprint
    }

    /// Delivers a file that npm's extractor does not see here, and stays where it is.
    pub(super) fn other_reading(&mut self, name: &str, header: &Header) {
        let size = plain_size(header);
        let affordable = self.other_readings.saturating_add(size) <= OTHER_READINGS_BYTES;
        if size == 0 || size > OTHER_READING_BYTES as u64 || !affordable {
            return;
        }
        self.other_readings += size;
        let clean = CleanPath::new(name, self.limits.path_bytes, self.limits.path_depth);
        let file = File {
            path: &clean.path,
            size,
            executable: is_executable(header),
        };
        let wanted = self.visitor.wants(&file);
        let data = self.window.peek(to_usize(size));
        let complete = data.len() as u64 == size;
        let content = if wanted {
            Content::Whole(data)
        } else {
            self.visitor.piece(data);
            Content::Head(data.get(..HEAD_BYTES).unwrap_or(data))
        };
        self.visitor.entry(Entry {
            file,
            content,
            complete,
        });
    }

    /// Passes over data and its padding.
    pub(super) fn skip(&mut self, name: &str, size: u64) -> Result<(), ArchiveError> {
        let mut missing = size;
        while missing > 0 {
            let here = self.window.peek_some().len().min(to_usize(missing));
            if here == 0 {
                return Err(self.ended_inside(name, missing));
            }
            self.window.consume(here);
            missing -= here as u64;
        }
        self.padding(name, size)
    }

    /// Passes over the padding behind data.
    pub(super) fn padding(&mut self, name: &str, size: u64) -> Result<(), ArchiveError> {
        let bytes = padded(size) - size;
        let padding = self.window.peek(to_usize(bytes));
        let here = padding.len();
        let dirty = padding.iter().any(|byte| *byte != 0);
        self.window.consume(here);
        if dirty {
            self.report.add(Rule::NonzeroPadding, Some(name), || {
                "bytes between the data and the next header, which nobody reads".to_owned()
            });
        }
        if (here as u64) < bytes {
            return Err(self.ended_inside(name, bytes - here as u64));
        }
        Ok(())
    }

    pub(super) fn ended_inside(&mut self, name: &str, missing: u64) -> ArchiveError {
        match self.window.fault() {
            Some(fault) => fault.within(name),
            None => ArchiveError::TruncatedEntry {
                entry: clip(name),
                missing,
            },
        }
    }
}

fn is_executable(header: &Header) -> bool {
    header.mode & 0o111 != 0
}

/// With the padding to a whole number of blocks.
fn padded(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64)
}
