//! Gzip (RFC 1952), member by member. Written here rather than taken from flate2 because its
//! decoders either stop at the first member without a word or read all of them without a word, and
//! which of the two an extractor does is exactly what this crate has to know.

use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::input::Input;
use crate::{ArchiveError, Rule};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;

/// Flags of the gzip header (RFC 1952 section 2.3.1).
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Name and comment have no length limit of their own; more than this no program writes.
const HEADER_BYTES: usize = 128 << 10;

/// Something the gzip layer noticed, at most once per rule.
pub(crate) type Note = (Rule, String);

/// Why no more bytes come out.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Corrupt,
    Truncated,
}

impl Fault {
    pub(super) fn after(self, unpacked: u64) -> ArchiveError {
        match self {
            Self::Io(error) => ArchiveError::Io(error),
            Self::Corrupt => ArchiveError::CorruptCompression {
                unpacked,
                entry: None,
            },
            Self::Truncated => ArchiveError::TruncatedCompression {
                unpacked,
                entry: None,
            },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[derive(Debug)]
enum Layer {
    Plain,
    Member,
    Trailer,
    Done,
    /// Broken after bytes that were still handed out.
    Broken,
}

/// Unpacks gzip, or passes a plain stream through and says so.
#[derive(Debug)]
pub(super) struct Gunzip<R> {
    input: Input<R>,
    layer: Layer,
    inflate: Decompress,
    checksum: Crc,
    looks_like: &'static str,
    notes: Vec<Note>,
}

impl<R: Read> Gunzip<R> {
    pub(super) fn open(reader: R) -> Result<Self, ArchiveError> {
        let mut input = Input::new(reader);
        let first = input.peek(8)?;
        let looks_like = guess(first);
        if first.is_empty() {
            return Err(ArchiveError::Empty);
        }
        if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            return Err(ArchiveError::OtherCompression { method: "zstd" });
        }
        let packed = first.starts_with(&MAGIC);
        let mut gunzip = Self {
            input,
            layer: Layer::Plain,
            inflate: Decompress::new(false),
            checksum: Crc::new(),
            looks_like,
            notes: Vec::new(),
        };
        if packed {
            gunzip.member_header().map_err(|fault| fault.after(0))?;
            gunzip.layer = Layer::Member;
        } else {
            gunzip.note(Rule::NotCompressed, || {
                "a tar stream without gzip; npm reads it, other clients refuse it".to_owned()
            });
        }
        Ok(gunzip)
    }

    pub(super) fn packed(&self) -> u64 {
        self.input.consumed()
    }

    pub(super) fn looks_like(&self) -> &'static str {
        self.looks_like
    }

    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Fills the front of `out` and says how much; 0 is the end of the stream.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.layer {
                Layer::Done => return Ok(0),
                Layer::Broken => return Err(Fault::Corrupt),
                Layer::Plain => return self.copy_some(out),
                Layer::Trailer => self.member_trailer()?,
                Layer::Member => {
                    let produced = self.inflate_some(out)?;
                    if produced > 0 {
                        return Ok(produced);
                    }
                }
            }
        }
    }

    fn copy_some(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let here = self.input.peek(1)?;
        let bytes = here.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..bytes), here.get(..bytes)) {
            to.copy_from_slice(from);
        }
        self.input.consume(bytes);
        Ok(bytes)
    }

    /// One step of decompression. 0 means that it took input and has no output yet, or that the
    /// layer changed.
    fn inflate_some(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let packed = self.input.peek(1)?;
        let at_end = packed.is_empty();
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(packed, out, FlushDecompress::None);
        let consumed = to_usize(self.inflate.total_in() - before.0);
        let produced = to_usize(self.inflate.total_out() - before.1);
        self.input.consume(consumed);
        self.checksum
            .update(out.get(..produced).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => self.layer = Layer::Trailer,
            Err(_) => self.layer = Layer::Broken,
            Ok(_) if consumed > 0 || produced > 0 => {}
            Ok(_) if at_end => return Err(Fault::Truncated),
            Ok(_) => return Err(Fault::Corrupt),
        }
        Ok(produced)
    }

    fn member_header(&mut self) -> Result<(), Fault> {
        let mut header = Vec::with_capacity(16);
        let mut next = |input: &mut Input<R>| -> Result<u8, Fault> {
            let byte = input.byte()?.ok_or(Fault::Truncated)?;
            if header.len() >= HEADER_BYTES {
                return Err(Fault::Corrupt);
            }
            header.push(byte);
            Ok(byte)
        };
        let input = &mut self.input;
        next(input)?;
        next(input)?;
        let method = next(input)?;
        let flags = next(input)?;
        for _ in 0..6 {
            next(input)?;
        }
        if method != DEFLATE {
            return Err(Fault::Corrupt);
        }
        if flags & EXTRA != 0 {
            let length = u16::from_le_bytes([next(input)?, next(input)?]);
            for _ in 0..length {
                next(input)?;
            }
        }
        for field in [NAME, COMMENT] {
            while flags & field != 0 && next(input)? != 0 {}
        }
        let mut checksum = Crc::new();
        checksum.update(&header);
        let wrong = if flags & HEADER_CHECKSUM != 0 {
            let mut stored = [0; 2];
            for byte in &mut stored {
                *byte = self.input.byte()?.ok_or(Fault::Truncated)?;
            }
            u32::from(u16::from_le_bytes(stored)) != checksum.sum() & 0xffff
        } else {
            false
        };
        if wrong || flags & RESERVED != 0 {
            self.note(Rule::GzipHeader, || {
                format!("flags {flags:#010b}, header checksum wrong: {wrong}")
            });
        }
        Ok(())
    }

    fn member_trailer(&mut self) -> Result<(), Fault> {
        self.layer = Layer::Done;
        let mut stored = [0; 8];
        for byte in &mut stored {
            *byte = self.input.byte()?.ok_or(Fault::Truncated)?;
        }
        let [a, b, c, d, e, f, g, h] = stored;
        let (sum, length) = (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        );
        let (real_sum, real_length) = (self.checksum.sum(), self.checksum.amount());
        if (sum, length) != (real_sum, real_length) {
            self.note(Rule::GzipChecksum, || {
                format!(
                    "trailer says checksum {sum:08x} and {length} bytes, \
                     the data {real_sum:08x} and {real_length}"
                )
            });
        }
        self.after_member()
    }

    /// Looks at what follows a member: nothing, zeros, another member, or anything else.
    fn after_member(&mut self) -> Result<(), Fault> {
        let mut zeros = 0_u64;
        loop {
            let here = self.input.peek(2)?;
            let run = here.iter().take_while(|byte| **byte == 0).count();
            if run == 0 {
                break;
            }
            zeros += run as u64;
            self.input.consume(run);
        }
        let rest = self.input.peek(2)?;
        let (ended, member) = (rest.is_empty(), rest.starts_with(&MAGIC));
        if zeros > 0 {
            let rule = if ended {
                Rule::ZerosAfterGzip
            } else {
                Rule::BytesAfterGzip
            };
            self.note(rule, || format!("{zeros} zeros after the gzip member"));
        }
        if ended {
            return Ok(());
        }
        let at = self.input.consumed();
        if !member {
            self.note(Rule::BytesAfterGzip, || {
                format!("something that is not gzip follows at byte {at}")
            });
            return Ok(());
        }
        self.note(Rule::SeveralGzipMembers, || {
            format!("another gzip member begins at byte {at}")
        });
        self.member_header()?;
        self.inflate.reset(false);
        self.checksum.reset();
        self.layer = Layer::Member;
        Ok(())
    }

    fn note(&mut self, rule: Rule, detail: impl FnOnce() -> String) {
        if !self.notes.iter().any(|(noted, _)| *noted == rule) {
            self.notes.push((rule, detail()));
        }
    }
}

fn guess(first: &[u8]) -> &'static str {
    const KNOWN: &[(&[u8], &str)] = &[
        (&MAGIC, "gzip around something that is no tar"),
        (b"<", "a web page"),
        (b"{", "JSON"),
        (b"PK", "a zip file"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"\x78", "a bare zlib stream"),
        (b"\0", "nothing but zeros, or no known format"),
    ];
    let text = first.trim_ascii_start();
    KNOWN
        .iter()
        .find(|(magic, _)| first.starts_with(magic) || text.starts_with(magic))
        .map_or("no known format", |(_, name)| name)
}

/// Both counts were made from a slice's length.
fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
