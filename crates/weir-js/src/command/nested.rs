//! Scripts inside a script: of `sh -c` and `eval`, of here-documents and pipes into a shell, of traps, and
//! what stands in the substitutions of a word.

use super::leaks::{program, unwrapped};
use super::shell::{self, Mark, Simple};
use super::words::{runs_arguments, runs_input};

/// Deepest script in a script that is followed.
const DEPTH: usize = 6;
/// How much longer all inner scripts together may be than the text.
const GROWTH: usize = 8;
/// The same for short texts, in bytes.
const SMALL: usize = 4 << 10;
/// What a script costs beside its text, so that many empty ones end, too.
const EACH: usize = 16;

/// Pipelines of a text in the order in which they run, those of inner scripts included. A script that a
/// program runs is a group in its place; substitutions run before it, and what they write stays in
/// their word.
pub(super) fn commands(text: &str) -> Vec<Vec<Simple>> {
    let mut walk = Walk {
        left: text.len().saturating_mul(GROWTH).saturating_add(SMALL),
        out: Vec::new(),
    };
    walk.script(text, 0);
    walk.out
}

struct Walk {
    left: usize,
    out: Vec<Vec<Simple>>,
}

impl Walk {
    fn script(&mut self, text: &str, depth: usize) {
        for pipeline in shell::pipelines(text) {
            if depth >= DEPTH {
                self.out.push(pipeline);
            } else {
                self.pipeline(pipeline, depth);
            }
        }
    }

    fn pipeline(&mut self, pipeline: Vec<Simple>, depth: usize) {
        for simple in &pipeline {
            self.substituted(simple, depth);
        }
        if let Some(text) = piped_script(&pipeline) {
            self.aside(&text, depth);
        }
        let mut before: Vec<Simple> = Vec::new();
        for simple in pipeline {
            let given = inline_script(&simple.words);
            let is_given = given.is_some();
            let script = given
                .or_else(|| document_script(&simple))
                // There it is what comes in that is run.
                .filter(|_| !runs_arguments(&simple))
                .filter(|text| self.may_read(text));
            let Some(script) = script else {
                before.push(simple);
                continue;
            };
            // A here-document is the script, and not what it reads.
            let documents = match is_given {
                true => simple.documents.clone(),
                false => Vec::new(),
            };
            before.push(Simple {
                mark: Mark::Begin,
                inputs: simple.inputs.clone(),
                documents,
                ..Simple::default()
            });
            let end = Simple {
                mark: Mark::End,
                outputs: simple.outputs.clone(),
                ..Simple::default()
            };
            // What the program is by itself, whatever its script does.
            self.out.push(vec![simple]);
            self.out.push(std::mem::replace(&mut before, vec![end]));
            self.script(&script, depth + 1);
        }
        self.out.push(before);
    }

    fn may_read(&mut self, text: &str) -> bool {
        let cost = text.len().saturating_add(EACH);
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    fn substituted(&mut self, simple: &Simple, depth: usize) {
        let values = simple.assignments.iter().map(|(_, value)| value);
        let words = simple.words.iter().chain(&simple.documents);
        for word in words.chain(&simple.inputs).chain(values) {
            for text in shell::substitutions(word) {
                self.aside(&text, depth);
            }
        }
    }

    /// A script whose output is in nobody's pipe.
    fn aside(&mut self, text: &str, depth: usize) {
        if !self.may_read(text) {
            return;
        }
        let mark = |mark| {
            vec![Simple {
                mark,
                ..Simple::default()
            }]
        };
        self.out.push(mark(Mark::Aside(String::new())));
        self.script(text, depth + 1);
        self.out.push(mark(Mark::End));
    }
}

/// The text that the programs of a pipeline write into a shell: `echo ... | sh`, `cat <<E | sh`.
fn piped_script(pipeline: &[Simple]) -> Option<String> {
    let at = pipeline.iter().position(|simple| {
        let words = unwrapped(&simple.words);
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        is_posix(&name) && runs_input(&name, words.get(1..).unwrap_or_default())
    })?;
    written(pipeline.get(..at)?)
}

/// What programs write, where they write a text that they are given.
pub(super) fn written(before: &[Simple]) -> Option<String> {
    let mut text: Option<String> = None;
    for simple in before {
        let words = unwrapped(&simple.words);
        let (first, rest) = words.split_first()?;
        text = match program(first).as_str() {
            "cat" | "tee" if text.is_some() => text,
            "cat" if rest.iter().all(|word| word.starts_with('-')) => {
                simple.documents.first().map(|body| shell::literal(body))
            }
            "echo" => echoed(rest),
            "printf" => formatted(rest),
            _ => None,
        };
    }
    text
}

fn echoed(words: &[String]) -> Option<String> {
    let is_option = |word: &&String| matches!(word.as_str(), "-n" | "-e" | "-E" | "-ne" | "-en");
    let options = words.iter().take_while(is_option).count();
    let (options, words) = words.split_at_checked(options)?;
    let text = shell::literal(&words.join(" "));
    match options.iter().any(|word| word.contains('e')) {
        true => Some(unescaped(&text)),
        false => Some(text),
    }
}

/// The text of `printf`, each argument in the place of one `%s`.
fn formatted(words: &[String]) -> Option<String> {
    let (format, arguments) = words.split_first()?;
    let mut text = shell::literal(format);
    for argument in arguments {
        let place = text.find("%s").into_iter().chain(text.find("%b")).min();
        let argument = shell::literal(argument);
        match place {
            Some(at) => text.replace_range(at..at + 2, &argument),
            None => text.push_str(&argument),
        }
    }
    Some(unescaped(&text))
}

/// Takes the escapes of `printf` and `echo -e` away.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let (radix, most) = match rest.peek() {
            Some('x') => (16, 2),
            Some('0') => (8, 4),
            Some('1'..='7') => (8, 3),
            _ => (0, 0),
        };
        if radix == 0 {
            out.push(match rest.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            });
            continue;
        }
        rest.next_if_eq(&'x');
        let mut value = 0;
        for _ in 0..most {
            let digit = rest.next_if(|c| c.is_digit(radix));
            let Some(digit) = digit.and_then(|c| c.to_digit(radix)) else {
                break;
            };
            value = value * radix + digit;
        }
        out.push(char::from_u32(value).unwrap_or(' '));
    }
    out
}

/// How many characters the words of `printf` and `echo` write as numbers.
pub(super) fn escapes(words: &[String]) -> usize {
    let is_number = |text: &str| {
        text.strip_prefix('x').map_or_else(
            || text.bytes().take(3).filter(u8::is_ascii_digit).count() == 3,
            |hex| hex.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2,
        )
    };
    let pieces = words.iter().flat_map(|word| word.split('\\').skip(1));
    pieces.filter(|piece| is_number(piece)).count()
}

fn is_posix(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh")
}

/// The script that a shell is given as a here-document.
pub(super) fn document_script(simple: &Simple) -> Option<String> {
    let words = unwrapped(&simple.words);
    let name = program(words.first()?);
    let reads = is_posix(&name) && runs_input(&name, words.get(1..).unwrap_or_default());
    let body = simple.documents.first().filter(|_| reads)?;
    Some(shell::literal(body))
}

/// The script in `sh -c '...'`, `cmd /c ...`, `powershell -Command ...`, `eval ...`.
pub(super) fn inline_script(words: &[String]) -> Option<String> {
    let script = quoted_script(unwrapped(words))?;
    Some(shell::literal(&script))
}

fn quoted_script(words: &[String]) -> Option<String> {
    let name = program(words.first()?);
    match name.as_str() {
        "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh" => {
            let at = words.iter().position(|word| {
                word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
            })?;
            words.get(at + 1).cloned()
        }
        "cmd" => {
            let at = words.iter().position(|word| {
                word.eq_ignore_ascii_case("/c") || word.eq_ignore_ascii_case("/k")
            })?;
            Some(words.get(at + 1..)?.join(" "))
        }
        "powershell" | "pwsh" => {
            let at = words.iter().position(|word| {
                let word = word.to_ascii_lowercase();
                word == "-command" || word == "-c"
            })?;
            Some(words.get(at + 1..)?.join(" "))
        }
        "eval" => Some(words.get(1..)?.join(" ")),
        // `trap 'commands' EXIT`; a dash puts the ordinary answer back.
        "trap" => words.get(1).filter(|word| !word.starts_with('-')).cloned(),
        _ => None,
    }
}
