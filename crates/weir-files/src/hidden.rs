//! Text that a person who reads a file does not see.

use weir_model::contents::HiddenKind;

/// Columns of white space before code on the same line that no screen and no review shows. The
/// payloads on record stood behind 400 and more (INCIDENTS I21, I22, R25).
const OFF_SCREEN: usize = 400;

/// From here on a run inside a line is judged by the file's own style: code this far to the right
/// is beyond a screen of ordinary width, and if the file has no other such run, nobody aligned it.
const ODD: usize = 120;

/// Runs shorter than this are not looked at: white space is tested at every so many bytes, so that
/// a run of this length cannot lie between two tests.
const PROBE: usize = 64;

/// Other runs of [`PROBE`] bytes and more that a file may have before an odd one is its style.
const OTHERS: usize = 1;

/// Shortest run of characters without width that carries something. The longest in emoji (flags of
/// regions) has seven.
const INVISIBLE: usize = 16;

/// Fewest selectors and tags of a file, in runs behind plain letters, that carry something: writing puts them
/// behind ideographs and emoji only.
const SCATTERED: usize = 32;

/// How often a name of letters without a shape has to stand in a file: where it is bound, and where it is
/// used.
const NAMED: usize = 2;

/// Most places reported per file; the first few say all.
const REPORTED: usize = 16;

/// Longest line that a person reads, in bytes. On a longer one, which bundlers and packed tables of words have,
/// nobody is deceived about the order.
const READ: usize = 1_000;

/// Fewest control characters behind a run that say that it is part of a table.
const CONTROLS: usize = 8;

/// Bytes of a line that are looked at behind a run.
const AHEAD: usize = 400;

/// Hidden text, by its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// How it is hidden.
    pub kind: HiddenKind,
    /// Where the run begins, in bytes.
    pub start: usize,
    /// Where it ends; what is hidden begins here, or is the run itself.
    pub end: usize,
    /// Length in characters; in columns for white space.
    pub length: usize,
}

/// Looks at one file of code. Cheap for what has no such text: white space is tested at every 64th
/// byte, and the rest only costs where there is something beside ASCII.
#[must_use]
pub fn scan(text: &[u8]) -> Vec<Hidden> {
    let mut found = off_screen(text);
    if !text.is_ascii() {
        invisible(text, &mut found);
        bidi(text, &mut found);
    }
    found.sort_by_key(|hidden| hidden.start);
    found.truncate(REPORTED);
    found
}

/// A run of white space within one line.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    columns: usize,
}

fn off_screen(text: &[u8]) -> Vec<Hidden> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if may_be_long(text, at)
            && let Some(run) = run_around(text, at)
            && run.columns >= PROBE
        {
            at = run.end.max(at);
            runs.push(run);
        }
        at += PROBE;
    }
    let covers = |run: &Run| run.columns >= OFF_SCREEN && has_code_behind(text, run);
    let odd = |run: &Run| {
        let others = runs.iter().filter(|other| other.start != run.start).count();
        run.columns >= ODD
            && others <= OTHERS
            && ends_statement(text, run)
            && has_code_behind(text, run)
    };
    runs.iter()
        .filter(|run| covers(run) || odd(run))
        .map(|run| Hidden {
            kind: HiddenKind::OffScreen,
            start: run.start,
            end: run.end,
            length: run.columns,
        })
        .collect()
}

/// Whether the byte can be part of a run of [`PROBE`] columns. Most bytes are no space, and most spaces
/// are indentation, which ends within eight bytes on both sides: those are looked at together, as numbers.
fn may_be_long(text: &[u8], at: usize) -> bool {
    let Some(byte) = text.get(at) else {
        return false;
    };
    if !matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | 0x80..) {
        return false;
    }
    let before = text.get(..at).and_then(|before| before.last_chunk());
    let behind = text.get(at + 1..).and_then(|behind| behind.first_chunk());
    let (Some(before), Some(behind)) = (before, behind) else {
        return true;
    };
    let (before, behind) = (u64::from_le_bytes(*before), u64::from_le_bytes(*behind));
    let (left, right) = (no_spaces(before), no_spaces(behind));
    if left == 0 || right == 0 {
        return true;
    }
    // Only tabs have more columns than bytes, which are eight.
    let around = (left.leading_zeros() / 8 + right.trailing_zeros() / 8 + 1) as usize;
    let tabs = || *byte == b'\t' || has_tab(before) || has_tab(behind);
    around >= PROBE / 8 && tabs()
}

/// A byte in all places of a number.
const fn eightfold(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The highest bit of each byte that cannot belong to a space: line feeds, and what is printable.
const fn no_spaces(bytes: u64) -> u64 {
    // Without their highest bits, bytes can be added to without a carry into the next.
    let low = bytes & eightfold(0x7f);
    let printable = (low + eightfold(0x7f - b' ')) & !bytes;
    let other = bytes ^ eightfold(b'\n');
    let line_feeds = !(((other & eightfold(0x7f)) + eightfold(0x7f)) | other);
    (printable | line_feeds) & eightfold(0x80)
}

/// Whether one of the bytes is a tab, or is the byte behind one.
const fn has_tab(bytes: u64) -> bool {
    let other = bytes ^ eightfold(b'\t');
    other.wrapping_sub(eightfold(1)) & !other & eightfold(0x80) != 0
}

/// The run of white space that the byte is part of.
fn run_around(text: &[u8], at: usize) -> Option<Run> {
    let (mut start, first) = space_with(text, at)?;
    let mut end = start + first;
    let mut columns = width(text, start);
    while let Some((before, _)) = start.checked_sub(1).and_then(|at| space_with(text, at)) {
        start = before;
        columns += width(text, start);
    }
    while let Some((here, length)) = space_with(text, end) {
        if here != end {
            break;
        }
        columns += width(text, end);
        end += length;
    }
    Some(Run {
        start,
        end,
        columns,
    })
}

/// Start and length of the space character that the byte is part of. Line ends are none.
fn space_with(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let byte = *text.get(at)?;
    if matches!(byte, b' ' | b'\t' | 0x0b | 0x0c) {
        return Some((at, 1));
    }
    if byte < 0x80 {
        return None;
    }
    (0..3).find_map(|back| {
        let start = at.checked_sub(back)?;
        let length = wide_space(text.get(start..)?)?;
        (start + length > at).then_some((start, length))
    })
}

/// Length of the space at the beginning, if it is one beyond ASCII: no-break, ogham, quads, narrow,
/// mathematical and ideographic space.
fn wide_space(rest: &[u8]) -> Option<usize> {
    match rest {
        [0xc2, 0xa0, ..] => Some(2),
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => Some(3),
        _ => None,
    }
}

/// Columns: a tab counts as eight, which is what terminals and web pages show.
fn width(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(b'\t') => 8,
        _ => 1,
    }
}

/// Whether what stands before the run on its line is a finished statement. Tables and strings that
/// are padded are not.
fn ends_statement(text: &[u8], run: &Run) -> bool {
    let before = run.start.checked_sub(1).and_then(|at| text.get(at));
    matches!(before, Some(b';' | b'}' | b')' | b'{' | b'/'))
}

/// Whether code follows on the same line, as far as a glance can tell: not a comment, not the other
/// quote of a string of spaces, and something that calls or assigns.
fn has_code_behind(text: &[u8], run: &Run) -> bool {
    let rest = text.get(run.end..).unwrap_or_default();
    let rest = rest.get(..AHEAD).unwrap_or(rest);
    let line =
        memchr::memchr2(b'\n', b'\r', rest).map_or(rest, |end| rest.get(..end).unwrap_or(rest));
    let before = run.start.checked_sub(1).and_then(|at| text.get(at));
    let is_string = matches!((before, line.first()), (Some(a), Some(b)) if a == b && matches!(a, b'"' | b'\'' | b'`'));
    let is_comment = line.starts_with(b"//") || line.starts_with(b"/*") || line.starts_with(b"*");
    let letters = line
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let acts = line.iter().any(|byte| matches!(byte, b'(' | b'=' | b'['));
    let goes_on = line
        .iter()
        .any(|byte| matches!(byte, b';' | b')' | b'\'' | b'"' | b'`'));
    // No code holds control characters: a table in a string does, of which the run is a part.
    let is_table = line
        .iter()
        .filter(|byte| matches!(byte, 0x01..=0x08))
        .count()
        >= CONTROLS
        && line.first().is_some_and(|byte| matches!(byte, 0x01..=0x08));
    !is_string && !is_comment && !is_table && letters >= 6 && acts && goes_on
}

/// What a character without width is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blank {
    Invisible,
    Selector,
}

/// The character at the beginning, if nothing is seen of it, with its length in bytes.
fn blank(rest: &[u8]) -> Option<(Blank, usize)> {
    Some(match rest {
        // U+FE00 to U+FE0F.
        [0xef, 0xb8, 0x80..=0x8f, ..] => (Blank::Selector, 3),
        // U+E0000 to U+E01EF: tags, and the other variation selectors.
        [0xf3, 0xa0, 0x80..=0x87, 0x80..=0xbf, ..] => (Blank::Selector, 4),
        // Zero-width spaces and joiners, marks of direction; word joiner to invisible plus.
        [0xe2, 0x80, 0x8b..=0x8f, ..]
        | [0xe2, 0x81, 0xa0..=0xa4, ..]
        // U+FEFF, Mongolian vowel separator, Hangul fillers (which are letters to JavaScript).
        | [0xef, 0xbb, 0xbf, ..]
        | [0xe1, 0xa0, 0x8e, ..]
        | [0xe1, 0x85, 0x9f | 0xa0, ..]
        | [0xe3, 0x85, 0xa4, ..]
        | [0xef, 0xbe, 0xa0, ..] => (Blank::Invisible, 3),
        // Soft hyphen.
        [0xc2, 0xad, ..] => (Blank::Invisible, 2),
        _ => return None,
    })
}

fn invisible(text: &[u8], found: &mut Vec<Hidden>) {
    let mut at = 0;
    let mut scattered = Tally::default();
    let mut named = Tally::default();
    while let Some(next) = text.get(at..).and_then(next_beyond_ascii) {
        at += next;
        let start = at;
        let (mut length, mut selectors) = (0, 0);
        while let Some((blank, bytes)) = text.get(at..).and_then(blank) {
            at += bytes;
            length += 1;
            selectors += usize::from(blank == Blank::Selector);
        }
        if length >= INVISIBLE {
            found.push(Hidden {
                kind: if selectors * 2 >= length {
                    HiddenKind::VariationSelectors
                } else {
                    HiddenKind::Invisible
                },
                start,
                end: at,
                length,
            });
            if found.len() > REPORTED * 4 {
                return;
            }
        } else if selectors == length && length > 0 && stands_behind_ascii(text, start, at) {
            scattered.add(start, at, length);
        } else if selectors == 0 && is_name(text, start, at) {
            named.add(start, at, if renames(text, start, at) { NAMED } else { 1 });
        }
        if at == start {
            at += 1;
        }
    }
    found.extend(scattered.hidden(SCATTERED, HiddenKind::VariationSelectors));
    let names = named.hidden(NAMED, HiddenKind::Invisible);
    found.extend(names.map(|hidden| Hidden {
        length: 1,
        ..hidden
    }));
}

/// Small runs of one sort in a file: the first of them, and how much there is in all.
#[derive(Debug, Default)]
struct Tally {
    first: Option<(usize, usize)>,
    count: usize,
}

impl Tally {
    fn add(&mut self, start: usize, end: usize, count: usize) {
        self.first.get_or_insert((start, end));
        self.count += count;
    }

    fn hidden(&self, least: usize, kind: HiddenKind) -> Option<Hidden> {
        let (start, end) = self.first.filter(|_| self.count >= least)?;
        Some(Hidden {
            kind,
            start,
            end,
            length: self.count,
        })
    }
}

/// Whether a run that ends at `end` stands behind a plain letter or digit, where writing puts none. The
/// key of a telephone does: a digit, U+FE0F and U+20E3.
fn stands_behind_ascii(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    let run = text.get(start..end).unwrap_or_default();
    let behind = text.get(end..).unwrap_or_default();
    let is_key = run == "\u{fe0f}".as_bytes() && behind.starts_with("\u{20e3}".as_bytes());
    // The escape of an emoji is written in letters: `\uDC04` and U+FE0F. Other selectors say something.
    let is_emoji = run == "\u{fe0f}".as_bytes() && ends_in_escape(text, start);
    before.is_some_and(u8::is_ascii_alphanumeric) && !is_key && !is_emoji
}

/// Whether the escape of a character beyond ASCII ends at `end`.
fn ends_in_escape(text: &[u8], end: usize) -> bool {
    let escape = end.checked_sub(6).and_then(|start| text.get(start..end));
    let Some([b'\\', b'u', digits @ ..]) = escape else {
        return false;
    };
    let digits = std::str::from_utf8(digits).ok();
    let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
    unit.is_some_and(|unit| unit >= 0x80)
}

/// Whether a run is a name to JavaScript: Hangul fillers, which count as letters, between what stands
/// around names. In a text it would stand between quotes or words.
fn is_name(text: &[u8], start: usize, end: usize) -> bool {
    let run = text.get(start..end).unwrap_or_default();
    let is_letter = |piece: &[u8]| {
        matches!(
            piece,
            [0xe1, 0x85, 0x9f | 0xa0] | [0xe3, 0x85, 0xa4] | [0xef, 0xbe, 0xa0]
        )
    };
    if run.is_empty() || !run.chunks(3).all(is_letter) {
        return false;
    }
    // One blank may stand between a name and the sign beside it.
    let before = text.get(..start).unwrap_or_default();
    let before = before.strip_suffix(b" ").unwrap_or(before).last();
    let behind = text.get(end..).unwrap_or_default();
    let behind = behind.strip_prefix(b" ").unwrap_or(behind).first();
    let is_sign = |byte: Option<&u8>| byte.is_some_and(|byte| b",;=(){}[].:\n".contains(byte));
    is_sign(before) && is_sign(behind)
}

/// Whether a name of letters without a shape is a key that is given another name, `{ x: y }`: a minifier leaves
/// it once. In tables of characters there are texts behind such keys.
fn renames(text: &[u8], start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default().trim_ascii_end();
    let behind = text.get(end..).unwrap_or_default().trim_ascii_start();
    let behind = behind.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    (before.ends_with(b"{") || before.ends_with(b","))
        && behind
            .and_then(<[u8]>::first)
            .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$'))
}

/// Where the next byte beyond ASCII is. Eight bytes at a time: this runs over all code.
fn next_beyond_ascii(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    for chunk in rest.chunks_exact(32) {
        if !chunk.is_ascii() {
            break;
        }
        at += 32;
    }
    let tail = rest.get(at..)?;
    tail.iter()
        .position(|byte| *byte >= 0x80)
        .map(|found| at + found)
}

/// Bidi controls that are opened and not closed on their line, with text behind them: the line
/// reads in another order than it runs. Pairs, and single controls as data, are how libraries for
/// right-to-left text are written; lines that nobody reads are left out.
fn bidi(text: &[u8], found: &mut Vec<Hidden>) {
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr(0xe2, rest)) {
        at += next;
        if bidi_control(text.get(at..).unwrap_or_default()).is_none() {
            at += 1;
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let line_end = memchr::memchr2(b'\n', b'\r', rest).map_or(text.len(), |end| at + end);
        let line_start = text
            .get(..at)
            .and_then(|before| memchr::memrchr2(b'\n', b'\r', before));
        let is_read = line_end - line_start.map_or(0, |end| end + 1) <= READ;
        if let Some(hidden) = unclosed(text, at, line_end).filter(|_| is_read) {
            found.push(hidden);
            if found.len() > REPORTED * 4 {
                return;
            }
        }
        at = line_end;
    }
}

/// What a bidi control does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Embeds,
    EndsEmbedding,
    Isolates,
    EndsIsolate,
}

fn bidi_control(rest: &[u8]) -> Option<Direction> {
    match rest {
        [0xe2, 0x80, 0xaa | 0xab | 0xad | 0xae, ..] => Some(Direction::Embeds),
        [0xe2, 0x80, 0xac, ..] => Some(Direction::EndsEmbedding),
        [0xe2, 0x81, 0xa6..=0xa8, ..] => Some(Direction::Isolates),
        [0xe2, 0x81, 0xa9, ..] => Some(Direction::EndsIsolate),
        _ => None,
    }
}

/// Whether a control stands first in a template that holds nothing else but one value: `` `<control>${text}` ``, as
/// functions are written that turn a text around.
fn begins_template(text: &[u8], at: usize) -> bool {
    if at.checked_sub(1).and_then(|before| text.get(before)) != Some(&b'`') {
        return false;
    }
    let behind = text.get(at + 3..).unwrap_or_default();
    let Some(behind) = behind.strip_prefix(b"${") else {
        return false;
    };
    let is_value = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.');
    let value = behind.iter().take(LONGEST_VALUE);
    let length = value.take_while(|byte| is_value(byte)).count();
    behind
        .get(length..)
        .is_some_and(|rest| rest.starts_with(b"}`"))
}

/// Longest value in a template that is looked at for this, in bytes.
const LONGEST_VALUE: usize = 80;

/// The first control of the stretch that is open at its end, if text stands right behind it.
fn unclosed(text: &[u8], from: usize, to: usize) -> Option<Hidden> {
    let mut open: Vec<(Direction, usize)> = Vec::new();
    let (mut at, mut controls) = (from, 0);
    while at < to {
        let Some(direction) = text.get(at..).and_then(bidi_control) else {
            at += 1;
            continue;
        };
        controls += 1;
        match direction {
            Direction::Embeds | Direction::Isolates => {
                // As data: in a range, a list, or alone in a string.
                let behind = text.get(at + 3).copied().unwrap_or(b'\n');
                let is_data = matches!(
                    behind,
                    b'-' | b']'
                        | b'"'
                        | b'\''
                        | b'`'
                        | b'|'
                        | b','
                        | b'/'
                        | b')'
                        | b'\\'
                        | b'\n'
                        | b'\r'
                ) || behind >= 0x80
                    || begins_template(text, at);
                if !is_data && open.len() < 64 {
                    open.push((direction, at));
                }
            }
            Direction::EndsEmbedding | Direction::EndsIsolate => {
                let wanted = if direction == Direction::EndsIsolate {
                    Direction::Isolates
                } else {
                    Direction::Embeds
                };
                if let Some(last) = open.iter().rposition(|(kind, _)| *kind == wanted) {
                    open.truncate(last);
                }
            }
        }
        at += 3;
    }
    let (_, start) = *open.first()?;
    Some(Hidden {
        kind: HiddenKind::Bidi,
        start,
        end: start + 3,
        length: controls,
    })
}

#[cfg(test)]
mod tests;
