//! Texts that a script writes itself and then gives to a shell: through pipes, groups and files.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

use super::leaks::program;
use super::shell::{self, Mark, Simple};
use super::words::runs_input;
use super::wrappers::unwrapped;

/// How many bytes of texts are copied for one script.
const ROOM: usize = 4 << 20;

/// Texts on their way, while a script is gone through.
pub(super) struct Texts {
    groups: Vec<Group>,
    /// By the name of the file.
    files: HashMap<String, String>,
    /// How many bytes may be copied yet.
    room: usize,
    /// There was more than that.
    pub(super) in_part: bool,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            files: HashMap::new(),
            room: ROOM,
            in_part: false,
        }
    }
}

/// A group that has begun.
#[derive(Default)]
struct Group {
    given: Option<String>,
    written: String,
}

impl Texts {
    pub(super) fn begin(&mut self, given: Option<String>) {
        self.groups.push(Group {
            given,
            written: String::new(),
        });
    }

    /// What a group has written.
    pub(super) fn end(&mut self) -> Option<String> {
        let written = self.groups.pop()?.written;
        (!written.is_empty()).then_some(written)
    }

    /// Whether a text may be copied once more.
    fn has_room(&mut self, length: usize) -> bool {
        match self.room.checked_sub(length) {
            Some(left) => self.room = left,
            None => self.in_part = true,
        }
        !self.in_part
    }

    /// The texts that shells of a pipeline run.
    pub(super) fn pipeline(&mut self, pipeline: &[Simple]) -> Vec<String> {
        let mut scripts = Vec::new();
        let mut text: Option<String> = None;
        for (at, simple) in pipeline.iter().enumerate() {
            match &simple.mark {
                Mark::Begin => {
                    let document = simple.documents.first().map(|body| shell::literal(body));
                    self.begin(document.or(text));
                    return scripts;
                }
                Mark::Aside(_) => {
                    self.begin(None);
                    return scripts;
                }
                Mark::End => text = self.end(),
                Mark::Program => {
                    let reader = reader(simple);
                    if at == 0 && reader != Reader::None {
                        text = self.given();
                    }
                    if reader == Reader::Shell {
                        scripts.extend(text.take());
                    }
                    scripts.extend(self.started(simple));
                    text = passes(simple, text);
                }
            }
            if let Some(text) = &text {
                self.keep(simple, text);
            }
        }
        let is_kept =
            pipeline.last().is_some_and(|last| last.outputs.is_empty()) && !self.groups.is_empty();
        if let Some(text) = text.filter(|text| is_kept && self.has_room(text.len()))
            && let Some(group) = self.groups.last_mut()
        {
            group.written.push_str(&text);
            group.written.push('\n');
        }
        scripts
    }

    /// What the innermost group was given to read.
    fn given(&mut self) -> Option<String> {
        let length = self.groups.last()?.given.as_ref()?.len();
        if !self.has_room(length) {
            return None;
        }
        self.groups.last()?.given.clone()
    }

    /// What is written into files.
    fn keep(&mut self, simple: &Simple, text: &str) {
        let words = unwrapped(&simple.words);
        let is_tee = words.first().is_some_and(|word| program(word) == "tee");
        let named = words.iter().skip(1).filter(|word| !word.starts_with('-'));
        let named = named.take(if is_tee { usize::MAX } else { 0 });
        for file in named.chain(&simple.outputs) {
            if !file.starts_with("/dev/") && self.has_room(text.len()) {
                let held = self.files.entry(bare(file).to_owned()).or_default();
                held.push_str(text);
                held.push('\n');
            }
        }
    }

    /// What was written into the file that a shell is told to run.
    fn started(&mut self, simple: &Simple) -> Option<String> {
        let words = unwrapped(&simple.words);
        let (first, rest) = words.split_first()?;
        let name = program(first);
        let file = match is_posix(&name) || matches!(&*name, "." | "source") {
            true => rest.iter().find(|word| !word.starts_with(['-', '+']))?,
            false => first,
        };
        let length = self.files.get(bare(file))?.len();
        if !self.has_room(length) {
            return None;
        }
        self.files.get(bare(file)).cloned()
    }
}

fn bare(file: &str) -> &str {
    file.strip_prefix("./").unwrap_or(file)
}

/// What a program does with what it is given to read.
#[derive(PartialEq, Eq)]
enum Reader {
    None,
    /// It writes it again.
    Copies,
    Shell,
}

fn reader(simple: &Simple) -> Reader {
    let words = unwrapped(&simple.words);
    let Some((first, rest)) = words.split_first() else {
        return Reader::None;
    };
    let name = program(first);
    if reads_script(&name, rest) && simple.documents.is_empty() && simple.inputs.is_empty() {
        return Reader::Shell;
    }
    match &*name {
        "cat" if rest.iter().all(|word| word.starts_with('-')) => Reader::Copies,
        "tee" => Reader::Copies,
        _ => Reader::None,
    }
}

/// Whether a program is a shell that runs what it reads.
pub(super) fn reads_script(name: &str, rest: &[String]) -> bool {
    let sources = matches!(name, "." | "source");
    (sources || is_posix(name)) && runs_input(name, rest)
}

fn is_posix(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh")
}

/// What programs write, where they write a text that they are given.
pub(super) fn written(before: &[Simple]) -> Option<String> {
    before
        .iter()
        .fold(None, |text, simple| passes(simple, text))
}

/// What a program writes that is given this text.
fn passes(simple: &Simple, text: Option<String>) -> Option<String> {
    let words = unwrapped(&simple.words);
    let (first, rest) = words.split_first()?;
    let document = || simple.documents.first().map(|body| shell::literal(body));
    match &*program(first) {
        "tee" => text.or_else(document),
        "cat" if text.is_some() => text,
        "cat" if rest.iter().all(|word| word.starts_with('-')) => document(),
        "echo" => echoed(rest),
        "printf" => formatted(rest),
        _ => None,
    }
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
        out.push(number(&mut rest, radix, most));
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

/// The character of up to `most` digits that follow.
pub(crate) fn number(rest: &mut Peekable<Chars<'_>>, radix: u32, most: usize) -> char {
    let mut value = 0;
    for _ in 0..most {
        let digit = rest.next_if(|c| c.is_digit(radix));
        let Some(digit) = digit.and_then(|c| c.to_digit(radix)) else {
            break;
        };
        value = value * radix + digit;
    }
    char::from_u32(value).unwrap_or(' ')
}
