//! Scripts inside a script: of `sh -c` and `eval`, of here-documents and pipes into a shell, of traps, and
//! what stands in the substitutions of a word.

use super::leaks::program;
use super::shell::{self, Mark, Simple};
use super::texts::{Texts, reads_script};
use super::words::runs_arguments;
use super::wrappers::{split_string, unwrapped};

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
pub(super) fn commands(text: &str) -> Commands {
    let mut walk = Walk {
        left: text.len().saturating_mul(GROWTH).saturating_add(SMALL),
        out: Commands::default(),
        texts: Texts::default(),
    };
    walk.script(text, 0);
    walk.out.in_part |= walk.texts.in_part;
    walk.out
}

/// What a text runs.
#[derive(Debug, Default)]
pub(super) struct Commands {
    /// In the order in which they run.
    pub(super) pipelines: Vec<Vec<Simple>>,
    /// Texts that were written into a shell, by pipes, groups and files.
    pub(super) fed: Vec<String>,
    /// There was more than is followed.
    pub(super) in_part: bool,
}

struct Walk {
    left: usize,
    out: Commands,
    texts: Texts,
}

impl Walk {
    fn script(&mut self, text: &str, depth: usize) {
        let (pipelines, in_part) = shell::told(text);
        self.out.in_part |= in_part;
        for pipeline in pipelines {
            if depth < DEPTH {
                self.pipeline(pipeline, depth);
                continue;
            }
            let holds_more = |simple: &Simple| {
                inline_script(&simple.words).is_some()
                    || simple.words.iter().any(|word| word.contains("$("))
            };
            self.out.in_part |= pipeline.iter().any(holds_more);
            self.out.pipelines.push(pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: Vec<Simple>, depth: usize) {
        for simple in &pipeline {
            self.substituted(simple, depth);
        }
        for text in self.texts.pipeline(&pipeline) {
            self.aside(&text, depth);
            self.out.fed.push(text);
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
            self.out.pipelines.push(vec![simple]);
            let begun = std::mem::replace(&mut before, vec![end]);
            self.out.pipelines.push(begun);
            self.script(&script, depth + 1);
        }
        self.out.pipelines.push(before);
    }

    fn may_read(&mut self, text: &str) -> bool {
        let cost = text.len().saturating_add(EACH);
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.out.in_part = true;
                false
            }
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
        self.out.pipelines.push(mark(Mark::Aside(String::new())));
        self.texts.begin(None);
        self.script(text, depth + 1);
        self.texts.end();
        self.out.pipelines.push(mark(Mark::End));
    }
}

/// The script that a shell is given as a here-document.
pub(super) fn document_script(simple: &Simple) -> Option<String> {
    let words = unwrapped(&simple.words);
    let name = program(words.first()?);
    let reads = reads_script(&name, words.get(1..).unwrap_or_default());
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
    match &*name {
        "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh" => shell_script(words.get(1..)?),
        "env" => split_string(words),
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
            });
            match at {
                Some(at) => Some(words.get(at + 1..)?.join(" ")),
                None => decoded(encoded(words.get(1..)?)?),
            }
        }
        "eval" => Some(words.get(1..)?.join(" ")),
        // `trap 'commands' EXIT`; a dash puts the ordinary answer back.
        "trap" => {
            let mut words = words.iter().skip(1).filter(|word| *word != "--");
            words.next().filter(|word| !word.starts_with('-')).cloned()
        }
        _ => None,
    }
}

/// The text that PowerShell is given encoded: `-EncodedCommand`, as short as it takes it.
pub(super) fn encoded(rest: &[String]) -> Option<&str> {
    let at = rest.iter().position(|word| is_encoding(word))?;
    Some(rest.get(at + 1).map_or("", String::as_str))
}

fn is_encoding(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.len() >= 4 && "-encodedcommand".starts_with(&word)
        || matches!(word.as_str(), "-e" | "-ec" | "-en")
}

/// Whether the next word of a command line is such a text.
pub(crate) fn ends_in_encoding(line: &str) -> bool {
    let is_powershell = line
        .split([' ', '/', '\\', '.'])
        .any(|word| word.eq_ignore_ascii_case("powershell") || word.eq_ignore_ascii_case("pwsh"));
    let last = line.rsplit([' ', '\'']).find(|word| !word.is_empty());
    is_powershell && last.is_some_and(is_encoding)
}

/// What such a text says, where it is known.
fn decoded(text: &str) -> Option<String> {
    if let Some(plain) = text.strip_prefix(crate::ability::ENCODED) {
        return (!plain.is_empty()).then(|| plain.to_owned());
    }
    let bytes = crate::flow::text::base64(text)?;
    let pairs = bytes.chunks_exact(2);
    let units = pairs.map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    let text: String = char::decode_utf16(units).map_while(Result::ok).collect();
    (!text.is_empty()).then_some(text)
}

/// The first operand of a shell that has `-c` among its options: `-c x`, `-ec x`, `-cx x`, `-c -- x`.
fn shell_script(words: &[String]) -> Option<String> {
    let mut has_code = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(options) = word.strip_prefix(['-', '+']) else {
            return has_code.then(|| word.clone());
        };
        if matches!(word.as_str(), "--" | "-") {
            return words.next().filter(|_| has_code).cloned();
        }
        if options.starts_with('-') {
            if matches!(options, "-rcfile" | "-init-file") {
                words.next();
            }
            continue;
        }
        has_code |= word.starts_with('-') && options.contains('c');
        // `-o pipefail`
        if options.contains(['o', 'O']) {
            words.next();
        }
    }
    None
}
