//! Header by header.

use std::io::Read;

use super::extended::{Extension, Pax, Pending};
use super::fingerprint::{Fingerprint, Keys};
use super::header::{BLOCK, Block, Checksum, Format, Header, is_ordinary};
use super::index::Index;
use super::number::Number;
use super::path::CleanPath;
use super::text::{After, Text};
use crate::entry::{Content, Entry, File, HEAD_BYTES, Visitor};
use crate::rules::{Report, clip};
use crate::source::Window;
use crate::{ArchiveError, Limits, Rule};

/// Above this npm's extractor skips an extended header.
const NPM_EXTENDED_HEADER_BYTES: u64 = 1 << 20;

/// Bytes of a file that only other extractors than npm's may see: per file, and per archive.
const OTHER_READING_BYTES: usize = 1 << 20;
const OTHER_READINGS_BYTES: u64 = 64 << 20;

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

    fn extended(
        &mut self,
        header: &Header,
        name: &str,
        extension: Extension,
        usual: bool,
    ) -> Result<(), ArchiveError> {
        if !self.acceptable(header, name) {
            return Ok(());
        }
        self.oddities(header, name);
        if !usual {
            self.unusual(header.kind, name);
        }
        let size = plain_size(header);
        // npm lets an earlier pax size stand in for this header's own when it decides whether
        // there is anything to read, and then reads this header's own number of bytes.
        let apparent = self.global_size.or(self.pending.size).unwrap_or(size);
        if apparent == 0 {
            self.malformed(name, "npm takes it for empty and its data for headers");
            return Ok(());
        }
        let limit = self
            .limits
            .extended_header_bytes
            .min(NPM_EXTENDED_HEADER_BYTES);
        if apparent > limit || size > limit {
            self.report.add(Rule::ExtendedHeaderTooBig, Some(name), || {
                format!("{size} bytes, more than the limit of {limit}")
            });
            return self.skip(name, size);
        }
        let data = self.window.peek(to_usize(size));
        let complete = data.len() as u64 == size;
        let content = match extension {
            Extension::Pax | Extension::Global => Said::Pax(Pax::parse(data)),
            Extension::LongName => Said::Name(Text::parse(data)),
            Extension::LongLink => Said::Link,
        };
        let taken = data.len();
        self.window.consume(taken);
        if !complete {
            return Err(self.ended_inside(name, size - taken as u64));
        }
        match content {
            Said::Pax(pax) if extension == Extension::Global => self.global(name, pax),
            Said::Pax(pax) => self.pax(name, pax),
            Said::Name(text) => self.long_name(name, text),
            Said::Link => self.link_target(name),
        }
        self.padding(name, size)
    }

    fn pax(&mut self, name: &str, pax: Pax) {
        self.pending.any = true;
        self.pax_oddities(name, &pax);
        if let Some(long) = pax.name {
            self.name_next(long);
        }
        if pax.size.is_some() {
            self.pending.size = pax.size;
        }
    }

    fn global(&mut self, name: &str, pax: Pax) {
        let weighty = pax.name.is_some()
            || pax.size.is_some()
            || pax.link
            || !pax.unknown.is_empty()
            || pax.malformed.is_some();
        self.report
            .judge(Rule::GlobalHeader, weighty, Some(name), || {
                if weighty {
                    "npm ignores a path for all entries and honours a size; others differ"
                } else {
                    "only times, owners or comments, as `git archive` writes"
                }
                .to_owned()
            });
        self.pax_oddities(name, &pax);
        self.global_size = pax.size.or(self.global_size);
    }

    fn pax_oddities(&mut self, name: &str, pax: &Pax) {
        if let Some(why) = pax.malformed {
            self.malformed(name, why);
        }
        if pax.link {
            self.link_target(name);
        }
        if !pax.unknown.is_empty() {
            self.report.add(Rule::PaxUnknownKey, Some(name), || {
                format!("keys: {}", pax.unknown.join(", "))
            });
        }
        if !pax.metadata.is_empty() {
            self.report.add_once(Rule::PaxMetadata, Some(name), || {
                format!("keys: {}", pax.metadata.join(", "))
            });
        }
    }

    fn long_name(&mut self, name: &str, text: Text) {
        self.pending.any = true;
        if text.after != After::Nothing {
            self.malformed(name, "more behind the end of a long name");
        }
        self.check_utf8(&text, name);
        self.name_next(text.text);
    }

    fn name_next(&mut self, long: String) {
        if self.pending.name.is_some() {
            self.report.add(Rule::TwoLongNames, Some(&long), || {
                "npm takes the last of several extended headers".to_owned()
            });
        }
        self.pending.name = Some(long);
    }

    fn link_target(&mut self, name: &str) {
        self.pending.any = true;
        self.report.add(Rule::PaxLink, Some(name), || {
            "a link target for the next entry; npm drops a file whose target leaves the package"
                .to_owned()
        });
    }

    fn malformed(&mut self, name: &str, why: &'static str) {
        self.report
            .add(Rule::MalformedExtendedHeader, Some(name), || why.to_owned());
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

    fn folder(&mut self, name: &str, header: &Header, size: u64) {
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

    fn file(&mut self, name: &str, header: &Header, size: u64) -> Result<(), ArchiveError> {
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
        let shown = self.window.peek(HEAD_BYTES.min(to_usize(file.size)));
        let shown_bytes = shown.len();
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
    fn other_reading(&mut self, name: &str, header: &Header) {
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
            Content::Head(data.get(..HEAD_BYTES).unwrap_or(data))
        };
        self.visitor.entry(Entry {
            file,
            content,
            complete,
        });
    }

    /// Passes over data and its padding.
    fn skip(&mut self, name: &str, size: u64) -> Result<(), ArchiveError> {
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
    fn padding(&mut self, name: &str, size: u64) -> Result<(), ArchiveError> {
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

    fn ended_inside(&mut self, name: &str, missing: u64) -> ArchiveError {
        match self.window.fault() {
            Some(fault) => fault.within(name),
            None => ArchiveError::TruncatedEntry {
                entry: clip(name),
                missing,
            },
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

/// What an extended header says.
enum Said {
    Pax(Pax),
    Name(Text),
    Link,
}

/// The types that mean a file for everybody; zero is the one from before POSIX.
fn is_file(kind: u8) -> bool {
    matches!(kind, 0 | b'0')
}

fn is_executable(header: &Header) -> bool {
    header.mode & 0o111 != 0
}

/// The size by the header alone, as npm reads it.
fn plain_size(header: &Header) -> u64 {
    header.size.value().unwrap_or(0)
}

/// With the padding to a whole number of blocks.
fn padded(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64)
}

/// Sizes here are below the limits; where an address space is smaller, so are they.
fn to_usize(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
