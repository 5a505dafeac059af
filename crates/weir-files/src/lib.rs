#![doc = include_str!("../README.md")]

mod digest;
mod format;
#[doc(hidden)]
pub mod fuzz;
pub mod hidden;
pub mod listed;
pub mod obfuscation;
pub mod rules;
pub mod sketch;

use std::collections::BTreeMap;

use weir_model::contents::{FileDigest, HiddenText, Obfuscated, Place, Sketch, Surface, Unread};

pub use digest::{Digest, digest_of};
pub use format::{HEAD_BYTES, Recognised, recognise};

use sketch::Sketcher;

/// A file with code, or one that could be.
#[derive(Debug, Clone, Copy)]
pub struct TextFile<'a> {
    /// Path inside the package.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// How much is reported and looked at.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most digests; files that a surface reaches come first.
    pub files: usize,
    /// Most places of hidden text, and most obfuscated files.
    pub places: usize,
    /// Most code that the sketch is made of, in bytes. Near copies are near in their first 32 MB too.
    pub sketched_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 1_000,
            places: 100,
            sketched_bytes: 32 << 20,
        }
    }
}

/// What is known of a package's files with code.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextFacts {
    /// Text that a reader does not see.
    pub hidden: Vec<HiddenText>,
    /// Packed or obfuscated files.
    pub obfuscated: Vec<Obfuscated>,
    /// Digests, files that a surface reaches first.
    pub files: Vec<FileDigest>,
    /// How many are not listed because there are too many.
    pub files_left_out: u64,
    /// The digests of these.
    pub left_out: Vec<String>,
    /// A sketch of all code.
    pub sketch: Option<Sketch>,
    /// What was not looked at.
    pub unread: Vec<Unread>,
}

/// Looks at all files with code. `surfaces` says from where files run; those it does not name are
/// reached from nowhere.
#[must_use]
pub fn look(
    files: &[TextFile<'_>],
    surfaces: &BTreeMap<String, Surface>,
    limits: &Limits,
) -> TextFacts {
    let mut facts = TextFacts::default();
    let mut sketcher = Sketcher::default();
    let mut sketched = 0_usize;
    let mut order: Vec<(Option<Surface>, &TextFile<'_>)> = files
        .iter()
        .map(|file| (surfaces.get(file.path).copied(), file))
        .collect();
    // `None` sorts before everything, and is the weakest.
    order.sort_by_key(|(surface, file)| (surface.is_none(), *surface, file.path));
    for (surface, file) in order {
        if facts.files.len() < limits.files {
            facts.files.push(describe(file, surface));
        } else {
            facts.files_left_out += 1;
            facts.left_out.push(digest_of(file.bytes));
        }
        hidden_text(file, surface, limits, &mut facts);
        if !is_script(file) {
            continue;
        }
        if facts.obfuscated.len() < limits.places
            && let Some(measured) = obfuscation::measure(file.bytes)
        {
            facts.obfuscated.push(Obfuscated {
                place: place(file, measured.offset, measured.offset),
                surface: surface.unwrap_or(Surface::Unreferenced),
                criteria: measured.criteria,
                bytes: file.bytes.len() as u64,
            });
        }
        if sketched < limits.sketched_bytes {
            sketched = sketched.saturating_add(file.bytes.len());
            sketcher.add(file.bytes);
        }
    }
    facts.sketch = sketcher.finish();
    facts
}

fn describe(file: &TextFile<'_>, surface: Option<Surface>) -> FileDigest {
    FileDigest {
        path: file.path.to_owned(),
        bytes: file.bytes.len() as u64,
        digest: digest_of(file.bytes),
        surface,
        longest_line: longest_line(file.bytes) as u64,
    }
}

fn hidden_text(
    file: &TextFile<'_>,
    surface: Option<Surface>,
    limits: &Limits,
    facts: &mut TextFacts,
) {
    for hidden in hidden::scan(file.bytes) {
        if facts.hidden.len() >= limits.places {
            return;
        }
        facts.hidden.push(HiddenText {
            kind: hidden.kind,
            place: place(file, hidden.start, hidden.end),
            length: u32::try_from(hidden.length).unwrap_or(u32::MAX),
            surface,
        });
    }
}

/// Whether it is JavaScript by its name, or a script without an extension.
fn is_script(file: &TextFile<'_>) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or(file.path);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => matches!(
            extension.to_ascii_lowercase().as_str(),
            "js" | "cjs" | "mjs" | "jsx" | "ts" | "cts" | "mts" | "tsx"
        ),
        _ => memchr::memmem::find(file.bytes.get(..80).unwrap_or(file.bytes), b"node").is_some(),
    }
}

/// Longest snippet, in characters.
const SNIPPET: usize = 120;

/// A place by its offset: the line, and the text from there on with everything unseen as escapes.
/// Between `start` and `end` nothing is shown but how long it is.
fn place(file: &TextFile<'_>, start: usize, end: usize) -> Place {
    let before = file.bytes.get(..start).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let lead = before.get(line_start..).unwrap_or_default();
    let lead = lead
        .get(lead.len().saturating_sub(SNIPPET / 3)..)
        .unwrap_or_default();
    let behind = file.bytes.get(end..).unwrap_or_default();
    let behind = behind.get(..SNIPPET * 2).unwrap_or(behind);
    let behind =
        memchr::memchr(b'\n', behind).map_or(behind, |at| behind.get(..at).unwrap_or(behind));
    let mut snippet = escaped(lead.trim_ascii_start(), SNIPPET / 3);
    if end > start {
        let run = file.bytes.get(start..end).unwrap_or_default();
        snippet.push_str(&escaped(run, 24));
    }
    snippet.push_str(&escaped(behind, SNIPPET));
    Place {
        path: file.path.to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        snippet,
    }
}

/// Text of which everything is seen: runs of white space are counted, what is neither printable nor
/// ordinary is escaped.
fn escaped(bytes: &[u8], limit: usize) -> String {
    use std::fmt::Write as _;
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    let mut spaces = 0_usize;
    for (count, c) in text.chars().enumerate() {
        if matches!(c, ' ' | '\t') {
            spaces += 1;
            continue;
        }
        flush_spaces(&mut out, &mut spaces);
        if out.chars().count() >= limit {
            let _ = write!(out, "…({} more)", text.chars().count() - count);
            break;
        }
        if c.is_ascii_graphic() || (c.is_alphanumeric() && !is_unseen(c)) {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
    flush_spaces(&mut out, &mut spaces);
    out
}

fn flush_spaces(out: &mut String, spaces: &mut usize) {
    use std::fmt::Write as _;
    match *spaces {
        0 => {}
        1..=4 => out.push(' '),
        many => {
            let _ = write!(out, "[{many} of white space]");
        }
    }
    *spaces = 0;
}

/// Letters that have no shape.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

/// Bytes of the longest line. Only a line end that is missing where the longest so far would have ended
/// makes a longer one, so most of the text is stepped over.
fn longest_line(bytes: &[u8]) -> usize {
    let (mut longest, mut start) = (0, 0);
    while let Some(line) = bytes.get(start..start + longest + 1) {
        // From the last line end within so many bytes on: all lines before it are short enough.
        if let Some(end) = memchr::memrchr(b'\n', line) {
            start += end + 1;
            continue;
        }
        let rest = bytes.get(start + longest..).unwrap_or_default();
        let Some(more) = memchr::memchr(b'\n', rest) else {
            return bytes.len() - start;
        };
        longest += more;
        start += longest + 1;
    }
    longest
}

#[cfg(test)]
mod tests;
