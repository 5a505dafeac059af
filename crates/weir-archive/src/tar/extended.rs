//! Extended headers: pax records and GNU long names, which say more about the entry that follows.

use super::text::{After, Text};

/// Kinds of extended headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extension {
    /// Pax records for the next entry.
    Pax,
    /// Pax records for all entries from here on.
    Global,
    /// The next entry's name, GNU.
    LongName,
    /// The next entry's link target, GNU.
    LongLink,
}

impl Extension {
    /// The kind for a header's type letter, and whether npm clients write that letter.
    pub(crate) fn of(kind: u8) -> Option<(Self, bool)> {
        match kind {
            b'x' => Some((Self::Pax, true)),
            b'X' => Some((Self::Pax, false)),
            b'g' => Some((Self::Global, true)),
            b'L' => Some((Self::LongName, true)),
            b'N' => Some((Self::LongName, false)),
            b'K' => Some((Self::LongLink, true)),
            _ => None,
        }
    }
}

/// What extended headers have said so far about the entry that follows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    /// Its name.
    pub(crate) name: Option<String>,
    /// Its size.
    pub(crate) size: Option<u64>,
    /// Whether there was any extended header.
    pub(crate) any: bool,
}

/// What one pax header says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pax {
    pub(crate) name: Option<String>,
    pub(crate) size: Option<u64>,
    /// A link target is given.
    pub(crate) link: bool,
    /// Keys that only describe times, owners, comments and attributes.
    pub(crate) metadata: Vec<String>,
    /// Any other keys.
    pub(crate) unknown: Vec<String>,
    /// Why readers may read it differently.
    pub(crate) malformed: Option<&'static str>,
}

/// Keys that change nothing about what is installed.
const METADATA: &[&str] = &[
    "atime",
    "charset",
    "comment",
    "ctime",
    "gid",
    "gname",
    "hdrcharset",
    "mtime",
    "uid",
    "uname",
    "SCHILY.dev",
    "SCHILY.fflags",
    "SCHILY.ino",
    "SCHILY.nlink",
    "RHT.security.selinux",
];
/// `NODETAR.` keys are notes that npm before version 5 left in its archives; extractors of today do
/// not know them (real packages of that time carry them: `void-elements`, `pretty-format`).
const METADATA_PREFIXES: &[&str] = &["SCHILY.acl.", "SCHILY.xattr.", "LIBARCHIVE.", "NODETAR."];

/// How many keys of one header are remembered for the report.
const KEPT_KEYS: usize = 8;

impl Pax {
    pub(crate) fn parse(data: &[u8]) -> Self {
        let text = String::from_utf8_lossy(data);
        let by_line = records_by_line(&text);
        let mut pax = Self::default();
        match records_by_length(data) {
            Some(by_length) if by_length == by_line => {}
            Some(_) => pax.malformed = Some("readers by line and by length disagree"),
            None => pax.malformed = Some("a record's length is wrong"),
        }
        for (key, value) in by_line {
            pax.record(&key, &value);
        }
        pax
    }

    fn record(&mut self, key: &str, value: &str) {
        match key {
            "path" => {
                if self.name.is_some() {
                    self.malformed = Some("the path is given twice");
                }
                let name = Text::parse(value.as_bytes());
                if name.after != After::Nothing || value.contains('\0') {
                    self.malformed = Some("a zero byte in the path");
                }
                self.name = Some(name.text);
            }
            "size" => {
                if self.size.is_some() {
                    self.malformed = Some("the size is given twice");
                }
                match value.parse::<u64>() {
                    Ok(size) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                        self.size = Some(size);
                    }
                    _ => self.malformed = Some("the size is no number"),
                }
            }
            "linkpath" => self.link = true,
            _ => {
                let harmless = METADATA.contains(&key)
                    || METADATA_PREFIXES
                        .iter()
                        .any(|prefix| key.starts_with(prefix));
                let keys = if harmless {
                    &mut self.metadata
                } else {
                    &mut self.unknown
                };
                if keys.len() < KEPT_KEYS {
                    keys.push(key.to_owned());
                }
            }
        }
    }
}

/// As npm's extractor reads records: line by line, a line whose length does not fit is left out.
fn records_by_line(text: &str) -> Vec<(String, String)> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut records = Vec::new();
    for line in text.split('\n') {
        let Some(length) = leading_number(line) else {
            continue;
        };
        if length != line.len() + 1 {
            continue;
        }
        let skipped = length.to_string().len() + 1;
        let rest: String = line.chars().skip(skipped).collect();
        let (key, value) = rest.split_once('=').unwrap_or((&rest, ""));
        if !key.is_empty() {
            records.push((key.to_owned(), value.to_owned()));
        }
    }
    records
}

fn leading_number(line: &str) -> Option<usize> {
    let line = line.trim_start();
    let line = line.strip_prefix('+').unwrap_or(line);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    line.get(..digits)?.parse().ok()
}

/// As the standard has it: each record as long as it says. `None` where one is not, or is not
/// UTF-8, or has no key.
fn records_by_length(mut data: &[u8]) -> Option<Vec<(String, String)>> {
    let mut records = Vec::new();
    while !data.is_empty() {
        let space = data.iter().position(|byte| *byte == b' ')?;
        let digits = std::str::from_utf8(data.get(..space)?).ok()?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        let length: usize = digits.parse().ok().filter(|_| plain)?;
        let (record, rest) = data.split_at_checked(length)?;
        let body = record.get(space + 1..)?.strip_suffix(b"\n")?;
        let (key, value) = std::str::from_utf8(body).ok()?.split_once('=')?;
        if key.is_empty() {
            return None;
        }
        records.push((key.to_owned(), value.to_owned()));
        data = rest;
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::Pax;

    #[test]
    fn records_are_read_and_sorted_by_what_they_change() {
        let pax = Pax::parse(b"12 path=a/b\n10 size=4\n20 mtime=1700000000\n16 GNU.sparse=1\n");
        assert_eq!(pax.name.as_deref(), Some("a/b"));
        assert_eq!(pax.size, Some(4));
        assert_eq!(pax.metadata, ["mtime"]);
        assert_eq!(pax.unknown, ["GNU.sparse"]);
        assert_eq!(pax.malformed, None);
    }

    #[test]
    fn what_readers_may_read_differently_is_malformed() {
        for data in [
            &b"13 path=a/b\n"[..],
            b"012 path=a/b\n",
            b"path=a/b\n",
            b"22 path=a\n12 path=b/c\n",
            b"12 path=a/b\n12 path=a/c\n",
            b"12 path=a\0b\n",
            b"12 path=a/\xff\n",
            b"12 path=a/b",
            b"12 path=a/b\n\0\0",
            b"11 size=-4\n",
        ] {
            let pax = Pax::parse(data);
            assert!(pax.malformed.is_some(), "{pax:?}");
        }
    }
}
