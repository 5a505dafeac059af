//! Header by header.

mod announced;
mod files;

use std::io::Read;

use super::extended::{Extension, Pending};
use super::fingerprint::Keys;
use super::header::{BLOCK, Block, Checksum, Format, Header, is_ordinary};
use super::index::Index;
use super::number::Number;
use super::text::{After, Text};
use crate::entry::Visitor;
use crate::rules::{Report, clip};
use crate::source::Window;
use crate::{ArchiveError, Limits, Rule};

/// From this many bytes on, some programs put a name into an extended header (npm's among them,
/// although the header has room for a hundred).
const HEADER_NAME_BYTES: usize = 100;

/// How much was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) entries: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Where the walk is with regard to the two blocks of zeros that end an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zeros {
    /// The last block was none.
    None,
    /// It was the first.
    One,
    /// The archive has ended; what follows should be zeros.
    Ended,
}

/// A walk over one archive.
pub(crate) struct Walk<'a, R, V: ?Sized> {
    window: Window<R>,
    limits: Limits,
    visitor: &'a mut V,
    report: Report,
    index: Index,
    keys: Keys,
    counts: Counts,
    zeros: Zeros,
    pending: Pending,
    global_size: Option<u64>,
    top: Option<String>,
    other_readings: u64,
}

impl<'a, R: Read, V: Visitor + ?Sized> Walk<'a, R, V> {
    pub(crate) fn new(window: Window<R>, limits: &Limits, visitor: &'a mut V) -> Self {
        Self {
            window,
            limits: *limits,
            visitor,
            report: Report::default(),
            index: Index::default(),
            keys: Keys::random(),
            counts: Counts::default(),
            zeros: Zeros::None,
            pending: Pending::default(),
            global_size: None,
            top: None,
            other_readings: 0,
        }
    }

    /// Reads to the end, or to the first error.
    pub(crate) fn run(&mut self) -> Result<(), ArchiveError> {
        while self.block()? {}
        if let Some(fault) = self.window.fault() {
            return Err(fault);
        }
        if self.counts.entries == 0 {
            self.report.clear();
            return Err(ArchiveError::NotAnArchive {
                looks_like: self.window.looks_like(),
            });
        }
        self.tail();
        Ok(())
    }

    /// Counts, packed and unpacked bytes, violations.
    pub(crate) fn finish(mut self) -> (Counts, (u64, u64), Report) {
        // The bare fact that a stream is not compressed says nothing if it is no archive either.
        if self.counts.entries > 0 {
            for (rule, detail) in self.window.take_notes() {
                self.report.add(rule, None, || detail);
            }
        }
        self.index.finish(&mut self.report);
        (self.counts, self.window.totals(), self.report)
    }

    /// One block in the place of a header. False at the end of the stream.
    fn block(&mut self) -> Result<bool, ArchiveError> {
        let position = self.window.position();
        let size_given = self.pending.size.or(self.global_size).is_some();
        let Some(block) = self.window.peek(BLOCK).first_chunk::<BLOCK>() else {
            return Ok(false);
        };
        let block = Block::parse(block, size_given);
        self.window.consume(BLOCK);
        match block {
            Block::Zero => self.zero_block(),
            Block::NearlyZero => {
                self.report.add(Rule::BadChecksum, None, || {
                    format!("zeros at byte {position}, but for the checksum field")
                });
                self.zero_block();
            }
            Block::Unreadable(field) if self.zeros != Zeros::Ended => {
                self.report.add(Rule::UnreadableNumber, None, || {
                    format!("npm skips the header at byte {position} because of its {field}")
                });
            }
            Block::Unreadable(_) => self.data_after_end(position),
            Block::Header(header) => self.header(&header, position)?,
        }
        Ok(true)
    }

    fn zero_block(&mut self) {
        self.zeros = match self.zeros {
            Zeros::None => Zeros::One,
            Zeros::One | Zeros::Ended => Zeros::Ended,
        };
    }

    fn data_after_end(&mut self, position: u64) {
        self.report.add_once(Rule::DataAfterEnd, None, || {
            format!("more than zeros at byte {position}, after the archive's end")
        });
    }

    fn header(&mut self, header: &Header, position: u64) -> Result<(), ArchiveError> {
        let zeros = self.zeros;
        match zeros {
            Zeros::None => {}
            Zeros::One => self.zeros = Zeros::None,
            Zeros::Ended => self.data_after_end(position),
        }
        let name = header.full_name();
        if header.checksum != Checksum::Right && zeros != Zeros::Ended {
            self.report.add(Rule::BadChecksum, Some(&name), || {
                let npm = header.checksum.right_for_npm();
                format!("the header at byte {position}; npm accepts it: {npm}")
            });
        }
        if !header.checksum.right_for_npm() {
            if header.format != Format::Old && is_file(header.kind) {
                self.other_reading(&name, header);
            }
            return Ok(());
        }
        self.counts.entries += 1;
        if self.counts.entries > self.limits.entries {
            return Err(ArchiveError::TooManyEntries {
                limit: self.limits.entries,
                entry: clip(&name),
            });
        }
        if zeros == Zeros::One {
            self.report.add(Rule::EntryAfterZeroBlock, Some(&name), || {
                format!("the header at byte {position}; npm reads on, others stop at the zeros")
            });
        }
        match Extension::of(header.kind) {
            Some((extension, usual)) => self.extended(header, &name, extension, usual),
            None => self.entry(header),
        }
    }

    /// Whether npm's extractor takes the header at all. If not, it goes on behind the header, not
    /// behind the data.
    fn acceptable(&mut self, header: &Header, name: &str) -> bool {
        let link = matches!(header.kind, b'1' | b'2');
        let has_target = !header.link_name.text.is_empty();
        if name.is_empty() {
            self.report.add(Rule::NoName, None, || {
                "npm skips the header and takes the data for headers".to_owned()
            });
            return false;
        }
        if link && !has_target {
            self.report.add(Rule::Link, Some(name), || {
                "a link without a target; npm takes its data for headers".to_owned()
            });
            return false;
        }
        if !link && has_target && !matches!(header.kind, b'x' | b'g') {
            self.report.add(Rule::LinkNameOnFile, Some(name), || {
                "npm skips the header and takes the data for headers".to_owned()
            });
            self.other_reading(name, header);
            return false;
        }
        true
    }

    /// Oddities that any header may have.
    fn oddities(&mut self, header: &Header, name: &str) {
        if header.format == Format::Old || header.kind == 0 {
            self.report.add_once(Rule::OldFormat, Some(name), || {
                "written in a format older than POSIX ustar".to_owned()
            });
        }
        if header.prefix_unread {
            self.report.add(Rule::PrefixMisread, Some(name), || {
                "a name prefix in a header that is not ustar, which npm leaves out".to_owned()
            });
        }
        for text in [&header.name, &header.prefix, &header.link_name] {
            if text.after != After::Nothing {
                let appended = text.after == After::Appended;
                self.report
                    .judge(Rule::BytesAfterName, appended, Some(name), || {
                        format!("more behind the end of a name; npm appends it: {appended}")
                    });
            }
            self.check_utf8(text, name);
        }
        if !matches!(header.size, Number::Octal(_) | Number::Empty) {
            self.report.add(Rule::OddSize, Some(name), || {
                format!(
                    "{:?}, which npm takes for {}",
                    header.size,
                    plain_size(header)
                )
            });
        }
    }

    fn check_utf8(&mut self, text: &Text, name: &str) {
        if !text.utf8 {
            self.report.add(Rule::NameNotUtf8, Some(name), || {
                "npm puts U+FFFD where the bytes are not UTF-8".to_owned()
            });
        }
    }

    fn unusual(&mut self, kind: u8, name: &str) {
        self.report.add(Rule::UnusualType, Some(name), || {
            format!("type `{}`", kind.escape_ascii())
        });
    }

    fn entry(&mut self, header: &Header) -> Result<(), ArchiveError> {
        let normal = is_ordinary(header.kind);
        let long = self.pending.name.clone().filter(|_| normal);
        let base = long.as_ref().unwrap_or(&header.name.text);
        let folder_name = base.ends_with('/');
        // npm looks for a name before it drops the prefix in favour of an extended header's name.
        let name = match header.prefix.text.as_str() {
            "" => base.clone(),
            prefix => format!("{prefix}/{base}"),
        };
        if !self.acceptable(header, &name) {
            return Ok(());
        }
        let name = long.clone().unwrap_or(name);
        let pending = std::mem::take(&mut self.pending);
        self.oddities(header, &name);
        if let Some(long) = &long {
            self.long_name_oddities(header, long);
        }
        let plain = plain_size(header);
        if let Some(size) = pending.size {
            self.report
                .judge(Rule::PaxSize, size != plain, Some(&name), || {
                    format!("{size} bytes by the extended header, {plain} by the header")
                });
        }
        let size = pending
            .size
            .or(self.global_size)
            .filter(|_| normal)
            .unwrap_or(plain);
        match header.kind {
            0 | b'0' if folder_name => {
                self.report.add(Rule::FileWithSlash, Some(&name), || {
                    "npm takes it for a folder and its data for headers".to_owned()
                });
                self.other_reading(&name, header);
                Ok(())
            }
            0 | b'0' => self.file(&name, header, size),
            b'5' => {
                self.folder(&name, header, size);
                Ok(())
            }
            b'1' | b'2' => {
                self.report.add(Rule::Link, Some(&name), || {
                    format!("to `{}`; npm leaves links out", header.link_name.text)
                });
                self.skip(&name, size)
            }
            b'3' | b'4' | b'6' => {
                self.report.add(Rule::SpecialFile, Some(&name), || {
                    format!("type `{}`; npm leaves it out", header.kind.escape_ascii())
                });
                self.skip(&name, size)
            }
            b'D' => {
                self.unusual(header.kind, &name);
                self.skip(&name, size)
            }
            // Contiguous files, and types that npm leaves out where others take them for files.
            kind => {
                self.unusual(kind, &name);
                self.file(&name, header, size)
            }
        }
    }

    fn long_name_oddities(&mut self, header: &Header, long: &str) {
        let needed = long.len() >= HEADER_NAME_BYTES || !long.is_ascii();
        if !needed && long != header.name.text && long != header.full_name() {
            self.report
                .add(Rule::NameContradictsHeader, Some(long), || {
                    format!("the header says `{}`", header.name.text)
                });
        }
    }

    /// What is left at the end, less than a block.
    fn tail(&mut self) {
        let rest = self.window.peek(BLOCK);
        let (bytes, dirty) = (rest.len(), rest.iter().any(|byte| *byte != 0));
        let ended = self.zeros == Zeros::Ended;
        if bytes > 0 {
            let ambiguous = dirty && !ended;
            self.report.judge(Rule::PartialBlock, ambiguous, None, || {
                format!("{bytes} bytes at the end, zeros only: {}", !dirty)
            });
            if dirty && ended {
                self.data_after_end(self.window.position());
            }
        }
        if !ended {
            self.report.add(Rule::NoEndMarker, None, || {
                "the two blocks of zeros that end an archive are missing".to_owned()
            });
        }
        if self.pending.any {
            self.report.add(Rule::ExtendedHeaderUnused, None, || {
                "the archive ends after an extended header".to_owned()
            });
        }
    }
}

/// The types that mean a file for everybody; zero is the one from before POSIX.
fn is_file(kind: u8) -> bool {
    matches!(kind, 0 | b'0')
}

/// The size by the header alone, as npm reads it.
fn plain_size(header: &Header) -> u64 {
    header.size.value().unwrap_or(0)
}

/// Sizes here are below the limits; where an address space is smaller, so are they.
fn to_usize(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
