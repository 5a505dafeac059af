//! A quick look that passes nearly all files. Brackets, strings, comments and regular expressions are told
//! apart as by the scan; of the operators that wait for their right side only an upper bound is counted, as
//! if nothing but a closing bracket ended their waiting. What is not within the limits even so is scanned.

use super::{
    CROWDED_BRACKETS, CROWDED_DEPTH, Class, PENDING, class_of, comment_end, expects_operand,
    expression_end, string_end, template_end,
};

/// A bracket, quote or slash. Values of [`CHUNK`] bytes can be added up, and both counts read from the sum.
const STOP: u8 = 0x10;
/// May be an operator that waits, or part of a keyword that does.
const WAITS: u8 = 1;
/// Bytes that are looked at together.
const CHUNK: usize = 8;

/// Letters of which every keyword has one behind which the parser goes deeper: `new`, `typeof`, `void`,
/// `delete`, `await`, `yield`, `else`, `for`, `while`, `if`, `do`, `with`, `class`, `extends`.
const LETTERS: [u8; 4] = [b'd', b'f', b's', b'w'];

static BYTES: [u8; 256] = bytes();

#[expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a table of 256 entries, filled at compile time"
)]
const fn bytes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match super::CLASSES[at] {
            Class::Open | Class::Close | Class::Quote | Class::Template | Class::Slash => STOP,
            Class::Prefix => WAITS,
            _ => 0,
        };
        let mut letter = 0;
        while letter < LETTERS.len() {
            if byte == LETTERS[letter] {
                table[at] = WAITS;
            }
            letter += 1;
        }
        at += 1;
    }
    table
}

/// Whether `text` is within all limits. False where that is not known.
pub(super) fn passes(text: &[u8], bracket_depth: usize) -> bool {
    let mut bound = Bound {
        text,
        at: 0,
        levels: Vec::new(),
        pending: 0,
        here: 0,
        crowded: 0,
        operand: true,
        since: 0,
    };
    while let Some(byte) = bound.next() {
        bound.take(byte);
        if bound.pending > PENDING
            || bound.levels.len() > bracket_depth
            || bound.crowded > CROWDED_BRACKETS
        {
            return false;
        }
    }
    bound.pending <= PENDING
}

struct Bound<'a> {
    text: &'a [u8],
    at: usize,
    /// What may wait outside of each open bracket, and whether a template opened it.
    levels: Vec<(u32, bool)>,
    /// What may wait over all levels, and at this one.
    pending: u32,
    here: u32,
    crowded: usize,
    /// Whether an operand was expected at `since`, behind the last bracket, string or slash.
    operand: bool,
    since: usize,
}

impl Bound<'_> {
    /// The next bracket, quote or slash, behind which the look goes on.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        let class = |byte: u8| BYTES.get(usize::from(byte)).copied().unwrap_or(STOP);
        let mut waits = 0_u32;
        let mut skipped = 0;
        for chunk in rest.as_chunks::<CHUNK>().0 {
            let sum = chunk
                .iter()
                .fold(0_u8, |sum, &byte| sum.wrapping_add(class(byte)));
            if sum >= STOP {
                break;
            }
            // A file has far fewer bytes than this can count.
            waits = waits.wrapping_add(u32::from(sum));
            skipped += CHUNK;
        }
        let rest = rest.get(skipped..).unwrap_or_default();
        self.at += skipped;
        let found = rest.iter().position(|&byte| {
            let class = class(byte);
            waits = waits.wrapping_add(u32::from(class & WAITS));
            class == STOP
        });
        self.here = self.here.saturating_add(waits);
        self.pending = self.pending.saturating_add(waits);
        let found = found?;
        self.at += found + 1;
        rest.get(found).copied()
    }

    fn take(&mut self, byte: u8) {
        match class_of(byte) {
            Class::Open => {
                self.open(false);
                self.operand = true;
            }
            Class::Close => self.close(byte),
            Class::Quote => {
                self.at = string_end(self.text, self.at, byte);
                self.operand = false;
            }
            Class::Template => self.template_text(),
            _ => self.slash(),
        }
        self.since = self.at;
    }

    fn open(&mut self, is_template: bool) {
        self.levels.push((self.here, is_template));
        self.here = 0;
        self.crowded += usize::from(!is_template && self.levels.len() > CROWDED_DEPTH);
    }

    fn close(&mut self, byte: u8) {
        self.pending = self.pending.saturating_sub(self.here);
        let (here, is_template) = self.levels.pop().unwrap_or((0, false));
        self.here = here;
        self.operand = byte == b'}';
        if is_template && byte == b'}' {
            self.template_text();
        }
    }

    fn template_text(&mut self) {
        let (at, opens) = template_end(self.text, self.at);
        self.at = at;
        self.operand = opens;
        if opens {
            self.open(true);
        }
    }

    fn slash(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let operand = self.expects_operand();
        if let Some(length) = comment_end(rest) {
            self.at += length;
            self.operand = operand;
        } else if !operand {
            self.operand = true;
        } else {
            let length = expression_end(rest);
            self.at += length.unwrap_or_default();
            self.operand = length.is_none();
        }
    }

    /// Whether an operand is expected at the slash that was just passed, by what stands between it and the
    /// last bracket, string or slash.
    fn expects_operand(&self) -> bool {
        let before = self.text.get(self.since..self.at - 1).unwrap_or_default();
        let is_seen = |byte: &u8| !matches!(class_of(*byte), Class::Plain | Class::Line);
        let Some(last) = before.iter().rposition(is_seen) else {
            return self.operand;
        };
        let before = before.get(..=last).unwrap_or_default();
        match before.last().map(|byte| class_of(*byte)) {
            Some(Class::Letter) => {
                let is_letter = |byte: &u8| class_of(*byte) == Class::Letter;
                let start = before.iter().rposition(|byte| !is_letter(byte));
                let start = start.map_or(0, |before| before + 1);
                before.get(start..).is_some_and(expects_operand)
            }
            Some(Class::Dot) => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scan;
    use super::passes;

    #[test]
    fn ordinary_code_passes_without_a_scan() {
        for code in [
            "const a = { b: (c) => [c, `x${c}y`, /[(]/.test(c)] }; // (((\n",
            "if (a) return /[)]/; else b = a / c / d\n",
            "function f() { return a ? 'x(' : \"y{\" }\n",
        ] {
            assert!(passes(code.repeat(4_000).as_bytes(), 512), "{code}");
        }
    }

    #[test]
    fn what_is_too_deep_does_not_pass() {
        for level in [
            "( /*)*/",
            "( ')' + ",
            "( //)\n",
            "[ /]/.x, ",
            "`${",
            "{ return /}/; ",
        ] {
            assert!(!passes(level.repeat(600).as_bytes(), 512), "{level}");
        }
        for link in ["!", "new ", "x=>", "a?b:", "else ", "class extends "] {
            assert!(!passes(link.repeat(60_000).as_bytes(), 512), "{link}");
        }
    }

    fn token() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "(", ")", "[", "]", "{", "}", "'", "\"", "`", "${", "/", "//", "/*", "*/", "\\", "\n",
            " ", ";", ",", ".", "=", "?", ":", "=>", "!", "a", "b1", "return", "case", "default",
            "new", "else", "typeof", "in", "of", "do", "class", "extends", "&&", ">", "'x'",
            "/[/]/", "`y`",
        ])
    }

    proptest! {
        // Small limits, so that short texts reach them.
        #[test]
        fn what_passes_is_within_the_limits_of_the_scan(
            tokens in prop::collection::vec(token(), 0..400),
            depth in 0_usize..12,
        ) {
            let text = tokens.concat();
            if passes(text.as_bytes(), depth) {
                prop_assert_eq!(scan(text.as_bytes(), depth), Ok(()), "{}", text);
            }
        }

        // The bound follows brackets as the scan does, so that it refuses no more of them.
        #[test]
        fn what_the_scan_finds_shallow_is_no_deeper_here(
            tokens in prop::collection::vec(token(), 0..400),
            depth in 0_usize..12,
        ) {
            let text = tokens.concat();
            prop_assert_eq!(
                passes(text.as_bytes(), depth),
                scan(text.as_bytes(), depth).is_ok(),
                "{}",
                text
            );
        }
    }
}
