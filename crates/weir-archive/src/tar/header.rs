//! One header block (POSIX ustar, with the GNU and older variants), read as npm's extractor reads
//! it, and noting where others may read it otherwise.

use super::number::Number;
use super::text::Text;

/// Bytes of a block, the unit of tar streams.
pub(crate) const BLOCK: usize = 512;

/// Header formats, by the eight bytes of magic and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// POSIX; the only one in which npm reads the name prefix.
    Ustar,
    /// GNU's own.
    Gnu,
    /// Neither; before POSIX there was no magic.
    Old,
}

/// A header that npm's extractor can read.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) name: Text,
    /// The name's first part, where npm reads one; empty otherwise.
    pub(crate) prefix: Text,
    /// Bytes in the place of the prefix that npm does not read as one.
    pub(crate) prefix_unread: bool,
    pub(crate) mode: u64,
    pub(crate) size: Number,
    pub(crate) kind: u8,
    pub(crate) link_name: Text,
    pub(crate) format: Format,
    pub(crate) checksum: Checksum,
}

/// Whether the checksum fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// It does.
    Right,
    /// It does not.
    Wrong,
    /// npm, which reads on into the next field, and the others come to different answers.
    Disputed {
        /// Whether npm finds it right.
        npm: bool,
    },
}

/// What a block of 512 bytes is in the place of a header.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// All zeros.
    Zero,
    /// Zeros but for junk in the checksum field, which npm takes for a block of zeros.
    NearlyZero,
    /// A header that npm skips because of a number in this field.
    Unreadable(&'static str),
    /// A header.
    Header(Box<Header>),
}

/// Offsets and lengths of the numbers npm reads in every header, and of those in ustar headers.
const NUMBERS: &[(&str, usize, usize)] = &[
    ("mode", 100, 8),
    ("uid", 108, 8),
    ("gid", 116, 8),
    ("size", 124, 12),
    ("mtime", 136, 12),
    ("checksum", 148, 12),
];
const USTAR_NUMBERS: &[(&str, usize, usize)] = &[("devmajor", 329, 8), ("devminor", 337, 8)];
const STAR_TIMES: &[(&str, usize, usize)] = &[("atime", 476, 12), ("ctime", 488, 12)];

impl Block {
    /// Reads a block. `size_given` says that an extended header has replaced the size of the next
    /// ordinary entry, whose own npm then does not look at.
    pub(crate) fn parse(block: &[u8; BLOCK], size_given: bool) -> Self {
        if block.iter().all(|byte| *byte == 0) {
            return Self::Zero;
        }
        let format = match field(block, 257, 8) {
            b"ustar\x0000" => Format::Ustar,
            b"ustar  \0" => Format::Gnu,
            _ => Format::Old,
        };
        // npm tells a long prefix from a short one with times behind it by this byte.
        let long_prefix = block.get(475).is_some_and(|byte| *byte != 0);
        let ustar = format == Format::Ustar;
        let kind = block.get(156).copied().unwrap_or(0);
        let size_unread = size_given && is_ordinary(kind);
        let unreadable = NUMBERS
            .iter()
            .filter(|(name, ..)| !(size_unread && *name == "size"))
            .chain(USTAR_NUMBERS.iter().filter(|_| ustar))
            .chain(STAR_TIMES.iter().filter(|_| ustar && !long_prefix))
            .find(|(_, at, length)| {
                Number::parse(field(block, *at, *length)) == Number::Unreadable
            });
        if let Some((name, ..)) = unreadable {
            return Self::Unreadable(name);
        }
        let sum = checksum(block);
        let npm_checksum = Number::parse(field(block, 148, 12)).value();
        if npm_checksum.is_none() && sum == 8 * u64::from(b' ') {
            return Self::NearlyZero;
        }
        let prefix_field = field(block, 345, 155);
        let prefix = match (ustar, long_prefix) {
            (true, true) => prefix_field,
            (true, false) => field(block, 345, 130),
            (false, _) => &[],
        };
        Self::Header(Box::new(Header {
            name: Text::parse(field(block, 0, 100)),
            prefix: Text::parse(prefix),
            prefix_unread: !ustar && prefix_field.iter().any(|byte| *byte != 0),
            mode: Number::parse(field(block, 100, 8)).value().unwrap_or(0),
            size: Number::parse(field(block, 124, 12)),
            kind,
            link_name: Text::parse(field(block, 157, 100)),
            format,
            checksum: Checksum::judge(
                npm_checksum == Some(sum),
                Number::parse(field(block, 148, 8)).value() == Some(sum),
            ),
        }))
    }
}

impl Header {
    /// The name with its prefix, as npm joins them.
    pub(crate) fn full_name(&self) -> String {
        if self.prefix.text.is_empty() {
            self.name.text.clone()
        } else {
            format!("{}/{}", self.prefix.text, self.name.text)
        }
    }
}

impl Checksum {
    fn judge(npm: bool, others: bool) -> Self {
        match (npm, others) {
            (true, true) => Self::Right,
            (false, false) => Self::Wrong,
            (npm, _) => Self::Disputed { npm },
        }
    }

    /// Whether npm accepts the header.
    pub(crate) fn right_for_npm(self) -> bool {
        matches!(self, Self::Right | Self::Disputed { npm: true })
    }
}

/// The types that stand for something in a file system, to which extended headers apply.
pub(crate) fn is_ordinary(kind: u8) -> bool {
    matches!(kind, 0 | b'0'..=b'7' | b'D')
}

fn field(block: &[u8; BLOCK], at: usize, length: usize) -> &[u8] {
    block.get(at..at + length).unwrap_or_default()
}

/// Sum of all bytes, those of the checksum field itself counted as spaces.
fn checksum(block: &[u8; BLOCK]) -> u64 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    sum(block) - sum(field(block, 148, 8)) + 8 * u64::from(b' ')
}
