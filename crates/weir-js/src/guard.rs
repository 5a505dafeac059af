//! What is checked before a file is given to the parser. oxc recurses without a limit and a stack
//! overflow ends the process, so nesting is measured over the raw bytes first (CRATES section 1).

mod bound;

/// Brackets that may open deeper than [`CROWDED_DEPTH`] before a file counts as built to be slow
/// to parse: the known cubic shapes need depth, and the deepest real file has 147 levels.
const CROWDED_BRACKETS: usize = 4_000;
const CROWDED_DEPTH: usize = 200;

/// Most pending right-recursive operators (`a=>b=>`, `a?b:`, `!!`, `else if`) before the parse is
/// refused. Each costs up to 1 KiB of stack, so this many fit a quarter of the default stack.
const PENDING: u32 = 50_000;

/// Why a file must not be given to the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Brackets nested deeper than the limit.
    Brackets(usize),
    /// More pending prefix operators than the stack allows.
    Operators,
    /// Long stretches of very deep code, the shape of slow parses.
    Crowded,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Brackets(limit) => write!(out, "brackets nested deeper than {limit}"),
            Self::Operators => write!(out, "more than {PENDING} operators wait for one operand"),
            Self::Crowded => write!(
                out,
                "more than {CROWDED_BRACKETS} brackets nested deeper than {CROWDED_DEPTH}"
            ),
        }
    }
}

/// What a byte means to the scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Dot,
    Line,
    Open,
    Close,
    Quote,
    Template,
    Slash,
    /// An operator that may recurse to its right.
    Prefix,
    /// Ends what is pending at this level.
    End,
    Letter,
}

const CLASSES: [Class; 256] = classes();

#[expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a table of 256 entries, filled at compile time"
)]
const fn classes() -> [Class; 256] {
    let mut table = [Class::Plain; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = match at as u8 {
            b'.' => Class::Dot,
            b'\n' => Class::Line,
            b'(' | b'[' | b'{' => Class::Open,
            b')' | b']' | b'}' => Class::Close,
            b'"' | b'\'' => Class::Quote,
            b'`' => Class::Template,
            b'/' => Class::Slash,
            b'=' | b'?' | b':' | b'!' | b'~' | b'-' | b'+' | b'*' | b'<' => Class::Prefix,
            b';' | b',' => Class::End,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'0'..=b'9' | 0x80.. => Class::Letter,
            _ => Class::Plain,
        };
        at += 1;
    }
    table
}

fn class_of(byte: u8) -> Class {
    CLASSES
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Class::Plain)
}

/// Checks `text` against `bracket_depth` and the fixed limits above.
///
/// # Errors
/// [`Refusal`] names the first limit that is broken.
pub(crate) fn check(text: &[u8], bracket_depth: usize) -> Result<(), Refusal> {
    // Most files have fewer brackets than may be nested, and fewer bytes than operators may wait.
    if text.len() <= PENDING as usize && opening(text) <= bracket_depth.min(CROWDED_BRACKETS) {
        return Ok(());
    }
    if bound::passes(text, bracket_depth) {
        return Ok(());
    }
    scan(text, bracket_depth)
}

/// The exact look.
fn scan(text: &[u8], bracket_depth: usize) -> Result<(), Refusal> {
    Scan {
        text,
        at: 0,
        levels: Vec::new(),
        pending: 0,
        here: 0,
        crowded: 0,
        limit: bracket_depth,
        operand: true,
        ended: false,
    }
    .run()
}

/// How many brackets open, those in strings and comments included. Counted in bytes, so that vector
/// instructions do it.
fn opening(text: &[u8]) -> usize {
    let count = |chunk: &[u8]| {
        let opens = |byte: &u8| u8::from(matches!(byte, b'(' | b'[' | b'{'));
        chunk.iter().map(opens).fold(0_u8, u8::wrapping_add)
    };
    text.chunks(usize::from(u8::MAX))
        .map(|chunk| usize::from(count(chunk)))
        .sum()
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Pending operators of each open bracket's outside, and whether it was opened by a template.
    levels: Vec<(u32, bool)>,
    /// Pending operators over all levels.
    pending: u32,
    /// Pending operators at this level.
    here: u32,
    crowded: usize,
    limit: usize,
    /// Whether an operand is expected, so that a slash begins a regular expression.
    operand: bool,
    /// Whether the last token was a name or literal, so that a line break may end a statement.
    ended: bool,
}

impl Scan<'_> {
    fn run(mut self) -> Result<(), Refusal> {
        while let Some(&byte) = self.text.get(self.at) {
            let class = class_of(byte);
            self.at += 1;
            match class {
                // Mostly indentation, so that more of it follows.
                Class::Plain => self.skip_plain(),
                Class::Dot => self.operand = false,
                Class::Line => self.line(),
                Class::Letter => self.word()?,
                Class::Open => self.open()?,
                Class::Close => self.close(byte),
                Class::Quote => self.quoted(byte),
                Class::Template => self.template()?,
                Class::Slash => self.slash(),
                Class::Prefix => {
                    self.operand = true;
                    self.ended = false;
                    self.wait()?;
                }
                Class::End => {
                    self.operand = true;
                    self.settle(byte);
                }
            }
        }
        Ok(())
    }

    fn skip_plain(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|&byte| class_of(byte) != Class::Plain)
            .unwrap_or(rest.len());
        self.at += length;
    }

    /// One more operator waits for its right side.
    fn wait(&mut self) -> Result<(), Refusal> {
        self.here += 1;
        self.pending += 1;
        if self.pending > PENDING {
            return Err(Refusal::Operators);
        }
        Ok(())
    }

    /// A line break ends what waits where the statement may end there: after a name or literal,
    /// and not before an operator, a comment or `else`.
    fn line(&mut self) {
        if self.ended && self.here > 0 {
            let next = self
                .text
                .get(self.at..)
                .unwrap_or_default()
                .trim_ascii_start();
            let goes_on = next.first().is_none_or(|&byte| {
                !matches!(
                    CLASSES.get(usize::from(byte)),
                    Some(Class::Letter | Class::Quote | Class::Close)
                )
            });
            if !goes_on && !next.starts_with(b"else") {
                self.settle(b'\n');
            }
        }
    }

    /// `;` and `,` end what waits, unless an `else` goes on with it.
    fn settle(&mut self, byte: u8) {
        self.ended = false;
        if byte == b';' && self.here > 0 {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let rest = rest.trim_ascii_start();
            if rest.starts_with(b"else") || rest.starts_with(b"/") {
                return;
            }
        }
        self.pending = self.pending.saturating_sub(self.here);
        self.here = 0;
    }

    fn open(&mut self) -> Result<(), Refusal> {
        self.levels.push((self.here, false));
        self.here = 0;
        self.operand = true;
        if self.levels.len() > self.limit {
            return Err(Refusal::Brackets(self.limit));
        }
        if self.levels.len() > CROWDED_DEPTH {
            self.crowded += 1;
            if self.crowded > CROWDED_BRACKETS {
                return Err(Refusal::Crowded);
            }
        }
        Ok(())
    }

    fn close(&mut self, byte: u8) {
        self.pending = self.pending.saturating_sub(self.here);
        let (here, template) = self.levels.pop().unwrap_or((0, false));
        self.here = here;
        self.operand = false;
        self.ended = false;
        if template && byte == b'}' {
            self.template_text();
        } else if byte == b'}' {
            // A block may end a statement, and a slash after it begins an expression.
            self.operand = true;
            self.ended = true;
        }
    }

    /// A word. Keywords that recurse count as operators.
    fn word(&mut self) -> Result<(), Refusal> {
        let rest = self.text.get(self.at - 1..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|&byte| class_of(byte) != Class::Letter)
            .unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        self.at += length - 1;
        self.operand = false;
        self.ended = true;
        // Nearly all words are told apart from keywords by their length and first letter.
        let may_be_keyword = (2..=10).contains(&length)
            && rest.first().is_some_and(|byte| {
                matches!(
                    byte,
                    b'a' | b'c'
                        | b'd'
                        | b'e'
                        | b'f'
                        | b'i'
                        | b'n'
                        | b'o'
                        | b'r'
                        | b't'
                        | b'v'
                        | b'w'
                        | b'y'
                )
            });
        if !may_be_keyword {
            return Ok(());
        }
        if !expects_operand(word) {
            return Ok(());
        }
        self.operand = true;
        self.ended = false;
        if recurses(word) {
            self.wait()?;
        } else if matches!(word, b"case" | b"default") && self.follows_colon(length) {
            // There it can only begin the next case, and nothing waits for that.
            self.settle(b':');
        }
        Ok(())
    }

    /// Whether the word of `length` bytes that was just read stands behind a colon.
    fn follows_colon(&self, length: usize) -> bool {
        let before = self.text.get(..self.at.saturating_sub(length));
        before.unwrap_or_default().trim_ascii_end().last() == Some(&b':')
    }

    fn quoted(&mut self, quote: u8) {
        self.at = string_end(self.text, self.at, quote);
        self.operand = false;
        self.ended = true;
    }

    fn template(&mut self) -> Result<(), Refusal> {
        self.template_text();
        if self.levels.len() > self.limit {
            return Err(Refusal::Brackets(self.limit));
        }
        Ok(())
    }

    /// Template text up to its end or to the next `${`, which opens a level.
    fn template_text(&mut self) {
        let (at, opens) = template_end(self.text, self.at);
        self.at = at;
        if opens {
            self.levels.push((self.here, true));
            self.here = 0;
        }
        self.operand = opens;
        self.ended |= !opens;
    }

    fn slash(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if let Some(length) = comment_end(rest) {
            self.at += length;
        } else if !self.operand {
            self.operand = true;
        } else if let Some(length) = expression_end(rest) {
            self.at += length;
            self.operand = false;
            self.ended = true;
        }
    }
}

/// Where a string ends that began before `at`: behind its quote, at the end of its line or of the text.
fn string_end(text: &[u8], at: usize, quote: u8) -> usize {
    let mut at = at;
    while let Some(rest) = text.get(at..) {
        let Some(found) = memchr::memchr3(quote, b'\\', b'\n', rest) else {
            return text.len();
        };
        at += found + 1;
        if rest.get(found) != Some(&b'\\') {
            break;
        }
        at += 1;
    }
    at
}

/// Where the text of a template ends, and whether that is at a `${`.
fn template_end(text: &[u8], at: usize) -> (usize, bool) {
    let mut at = at;
    while let Some(rest) = text.get(at..) {
        let Some(found) = memchr::memchr3(b'`', b'\\', b'$', rest) else {
            return (text.len(), false);
        };
        at += found + 1;
        match rest.get(found) {
            Some(b'\\') => at += 1,
            Some(b'$') if rest.get(found + 1) == Some(&b'{') => return (at + 1, true),
            Some(b'$') => {}
            _ => break,
        }
    }
    (at, false)
}

/// Length of the comment that the text behind a slash begins, if it does.
fn comment_end(rest: &[u8]) -> Option<usize> {
    match rest.first() {
        Some(b'/') => Some(memchr::memchr(b'\n', rest).unwrap_or(rest.len())),
        Some(b'*') => {
            let body = rest.get(1..).unwrap_or_default();
            Some(memchr::memmem::find(body, b"*/").map_or(rest.len(), |end| end + 3))
        }
        _ => None,
    }
}

/// Length of a regular expression literal up to its closing slash, on the same line.
fn expression_end(rest: &[u8]) -> Option<usize> {
    let mut class = false;
    let mut skip = false;
    for (index, &byte) in rest.iter().enumerate() {
        match byte {
            _ if skip => skip = false,
            b'\\' => skip = true,
            b'[' => class = true,
            b']' => class = false,
            b'\n' => return None,
            b'/' if !class => return Some(index + 1),
            _ => {}
        }
    }
    None
}

/// Whether an operand is expected behind a word.
fn expects_operand(word: &[u8]) -> bool {
    recurses(word)
        || matches!(
            word,
            b"return" | b"case" | b"in" | b"of" | b"instanceof" | b"throw" | b"default"
        )
}

/// Whether a word is a keyword behind which the parser goes deeper.
fn recurses(word: &[u8]) -> bool {
    matches!(
        word,
        b"new"
            | b"typeof"
            | b"void"
            | b"delete"
            | b"await"
            | b"yield"
            | b"else"
            | b"for"
            | b"while"
            | b"if"
            | b"do"
            | b"with"
            | b"class"
            | b"extends"
    )
}

#[cfg(test)]
mod tests {
    use super::{Refusal, check};

    #[test]
    fn ordinary_code_passes() {
        let code = "var a = /[(]/.test(b) ? `x${c}` : {d: [1, 2]} // (((\n".repeat(60_000);
        assert_eq!(check(code.as_bytes(), 512), Ok(()));
        let code = "const a = b(c)\nconst d = a\n".repeat(60_000);
        assert_eq!(check(code.as_bytes(), 512), Ok(()));
    }

    #[test]
    fn comments_and_strings_do_not_cancel_depth() {
        for level in ["( /*)*/", "( ')' + ", "( //)\n", "[ /]/.x, "] {
            let code = level.repeat(600);
            assert_eq!(
                check(code.as_bytes(), 512),
                Err(Refusal::Brackets(512)),
                "{level}"
            );
        }
    }

    #[test]
    fn one_bracket_too_many_is_seen_in_a_short_file() {
        for depth in [512, 513, 2_000] {
            let code = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            let expected = match depth {
                512 => Ok(()),
                _ => Err(Refusal::Brackets(512)),
            };
            assert_eq!(check(code.as_bytes(), 512), expected, "{depth}");
        }
    }

    #[test]
    fn chains_of_prefixes_are_refused() {
        for link in [
            "!",
            "new ",
            "x=>",
            "a=",
            "a?b:",
            "a?b\n:",
            "if(a)b;else ",
            "for(;;)",
            "for(;;)\n",
            "typeof ",
            "await ",
            "a**",
            "while(1)",
            "a:",
            "<a>",
        ] {
            let code = link.repeat(200_000);
            assert_eq!(
                check(code.as_bytes(), 512),
                Err(Refusal::Operators),
                "{link}"
            );
        }
    }
}
