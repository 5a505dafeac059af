//! Regular expressions as decoders use them: characters, classes and counts, no groups.

use std::cell::Cell;

/// One item: what it matches and how often.
struct Item {
    set: Set,
    least: usize,
    most: usize,
}

enum Set {
    Any,
    Ranges(Vec<(u16, u16)>, bool),
}

/// A pattern without alternatives, groups and assertions. Counts take all they can and give back
/// what the rest needs, within a budget of comparisons.
pub(crate) struct Pattern {
    items: Vec<Item>,
    ignores_case: bool,
    /// Comparisons left: trying every start costs the square of the text at worst.
    work: Cell<u32>,
}

impl Pattern {
    /// Reads a pattern; `None` where it uses more than is modelled.
    pub(crate) fn new(source: &str, flags: &str) -> Option<Self> {
        let units: Vec<u16> = source.encode_utf16().collect();
        let mut items = Vec::new();
        let mut at = 0;
        while let Some(&unit) = units.get(at) {
            let (set, next) = match u8::try_from(unit).ok() {
                Some(b'.') => (Set::Any, at + 1),
                Some(b'\\') => (Set::Ranges(escape(*units.get(at + 1)?)?, false), at + 2),
                Some(b'[') => class(&units, at + 1)?,
                // A brace that counts nothing is itself.
                Some(b'{') if !is_digit(units.get(at + 1)) => {
                    (Set::Ranges(vec![(unit, unit)], false), at + 1)
                }
                Some(b'(' | b')' | b'|' | b'^' | b'$' | b'*' | b'+' | b'?' | b'{') => return None,
                _ => (Set::Ranges(vec![(unit, unit)], false), at + 1),
            };
            let (least, most, next) = count(&units, next)?;
            items.push(Item { set, least, most });
            if items.len() > 256 {
                return None;
            }
            at = next;
        }
        Some(Self {
            items,
            ignores_case: flags.contains('i'),
            work: Cell::new(8_000_000),
        })
    }

    /// The first match from `from` on.
    pub(crate) fn find(&self, text: &[u16], from: usize) -> Option<(usize, usize)> {
        (from..=text.len()).find_map(|start| Some((start, self.match_at(text, start)?)))
    }

    /// All matches, without overlap.
    pub(crate) fn all(&self, text: &[u16]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some((start, end)) = self.find(text, from) {
            found.push((start, end));
            from = if end == start { end + 1 } else { end };
            if from > text.len() {
                break;
            }
        }
        found
    }

    fn match_at(&self, text: &[u16], start: usize) -> Option<usize> {
        self.match_items(&self.items, text, start)
    }

    fn match_items(&self, items: &[Item], text: &[u16], start: usize) -> Option<usize> {
        let Some((item, rest)) = items.split_first() else {
            return Some(start);
        };
        let mut end = start;
        while end - start < item.most
            && text
                .get(end)
                .is_some_and(|&unit| self.matches(&item.set, unit))
        {
            end += 1;
            self.work.set(self.work.get().checked_sub(1)?);
        }
        loop {
            self.work.set(self.work.get().checked_sub(1)?);
            if end - start < item.least {
                return None;
            }
            if let Some(found) = self.match_items(rest, text, end) {
                return Some(found);
            }
            if end == start {
                return None;
            }
            end -= 1;
        }
    }

    fn matches(&self, set: &Set, unit: u16) -> bool {
        let Set::Ranges(ranges, is_negated) = set else {
            return !matches!(unit, 10 | 13);
        };
        let has = |unit: u16| ranges.iter().any(|&(from, to)| (from..=to).contains(&unit));
        let found = has(unit)
            || (self.ignores_case
                && u8::try_from(unit).is_ok_and(|byte| {
                    has(u16::from(byte.to_ascii_lowercase()))
                        || has(u16::from(byte.to_ascii_uppercase()))
                }));
        found != *is_negated
    }
}

fn is_digit(unit: Option<&u16>) -> bool {
    unit.is_some_and(|&unit| (u16::from(b'0')..=u16::from(b'9')).contains(&unit))
}

fn escape(unit: u16) -> Option<Vec<(u16, u16)>> {
    let one = |byte: u8| (u16::from(byte), u16::from(byte));
    let range = |from: u8, to: u8| (u16::from(from), u16::from(to));
    Some(match u8::try_from(unit).ok()? {
        b'd' => vec![range(b'0', b'9')],
        b'w' => vec![
            range(b'0', b'9'),
            range(b'a', b'z'),
            range(b'A', b'Z'),
            one(b'_'),
        ],
        b's' => vec![one(b' '), range(9, 13), (0xa0, 0xa0), (0xfeff, 0xfeff)],
        b'n' => vec![one(b'\n')],
        b'r' => vec![one(b'\r')],
        b't' => vec![one(b'\t')],
        byte if byte.is_ascii_alphanumeric() => return None,
        byte => vec![one(byte)],
    })
}

fn class(units: &[u16], start: usize) -> Option<(Set, usize)> {
    let mut ranges = Vec::new();
    let mut at = start;
    let is_negated = units.get(at) == Some(&u16::from(b'^'));
    if is_negated {
        at += 1;
    }
    loop {
        let unit = *units.get(at)?;
        if unit == u16::from(b']') {
            return Some((Set::Ranges(ranges, is_negated), at + 1));
        }
        if unit == u16::from(b'\\') {
            ranges.extend(escape(*units.get(at + 1)?)?);
            at += 2;
        } else if units.get(at + 1) == Some(&u16::from(b'-'))
            && units.get(at + 2).is_some_and(|&end| end != u16::from(b']'))
        {
            ranges.push((unit, *units.get(at + 2)?));
            at += 3;
        } else {
            ranges.push((unit, unit));
            at += 1;
        }
    }
}

fn count(units: &[u16], at: usize) -> Option<(usize, usize, usize)> {
    let byte = units.get(at).and_then(|&unit| u8::try_from(unit).ok());
    let (least, most, next) = match byte {
        Some(b'*') => (0, usize::MAX, at + 1),
        Some(b'+') => (1, usize::MAX, at + 1),
        Some(b'?') => (0, 1, at + 1),
        Some(b'{') if is_digit(units.get(at + 1)) => {
            let length = units
                .get(at..)?
                .iter()
                .position(|&unit| unit == u16::from(b'}'))?;
            let inner = String::from_utf16(units.get(at + 1..at + length)?).ok()?;
            let (least, most) = match inner.split_once(',') {
                None => (inner.parse().ok()?, inner.parse().ok()?),
                Some((least, "")) => (least.parse().ok()?, usize::MAX),
                Some((least, most)) => (least.parse().ok()?, most.parse().ok()?),
            };
            (least, most, at + length + 1)
        }
        _ => return Some((1, 1, at)),
    };
    // A lazy count is another program.
    if units.get(next) == Some(&u16::from(b'?')) {
        return None;
    }
    Some((least, most, next))
}
