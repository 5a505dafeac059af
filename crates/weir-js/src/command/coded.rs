//! Code on a command line: the variables of the environment that it prints or sends.

use weir_model::contents::SourceKind;

use super::leaks::{Stolen, program};
use super::shell;
use super::told::in_path;
use crate::tables::secrets;

/// How languages name the environment.
const ENVIRONMENTS: [&str; 9] = [
    "process.env",
    "Bun.env",
    "Deno.env",
    "os.environ",
    "os.getenv",
    "$ENV",
    "%ENV",
    "getenv",
    "ENV",
];
/// What of an object of theirs stands for all of it, or is asked for one by name.
const MEMBERS: [&str; 10] = [
    "get", "fetch", "copy", "items", "to_h", "to_a", "toObject", "inspect", "values", "entries",
];
/// Words without which code of a line neither prints nor sends anything.
const PRINTS: [&str; 7] = [
    "console.", "stdout", "print", "puts", "echo", "p ENV", "var_dump",
];
const SENDS: [&str; 10] = [
    "fetch(",
    "http",
    "request",
    "axios",
    "got(",
    "net.",
    "dns.",
    "socket",
    "urlopen",
    "WebSocket",
];
/// Longest code that is looked at, in bytes, and most variables of it.
const LENGTH: usize = 64 << 10;
const NAMES: usize = 64;

/// Code that a program is given in its words.
pub(super) struct Coded {
    text: String,
    /// Its value is printed.
    is_printed: bool,
}

/// A variable, or all of them.
enum Named {
    All,
    One(String),
}

impl Coded {
    /// `node -p …`, `python -c …`, `ruby -e …`, `php -r …`
    pub(super) fn of(words: &[String]) -> Option<Self> {
        let (first, rest) = words.split_first()?;
        let name = program(first);
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let takes: &[&str] = match bare {
            "node" | "nodejs" | "bun" | "tsx" => &["-p", "--print", "-pe", "-e", "--eval"],
            "deno" => &["eval"],
            "python" => &["-c"],
            "ruby" => &["-e"],
            "perl" => &["-e", "-E", "-ne", "-le"],
            "php" => &["-r"],
            _ => return None,
        };
        let at = rest
            .iter()
            .position(|word| takes.contains(&word.as_str()))?;
        let option = rest.get(at).map_or("", String::as_str);
        let text = shell::literal(rest.get(at + 1).filter(|text| text.len() < LENGTH)?);
        let is_printed = option.starts_with("-p")
            || option == "--print"
            || PRINTS.iter().any(|word| text.contains(word));
        Some(Self { text, is_printed })
    }

    /// Secrets that it prints.
    pub(super) fn printed(&self) -> Vec<Stolen> {
        if !self.is_printed {
            return Vec::new();
        }
        let mut found = Vec::new();
        for named in self.named() {
            match named {
                Named::All => found.push(Stolen {
                    kind: SourceKind::Environment,
                    detail: "the environment".to_owned(),
                }),
                Named::One(name) if secrets::is_secret_variable(&name) => found.push(Stolen {
                    kind: SourceKind::SecretVariable,
                    detail: name,
                }),
                Named::One(_) => {}
            }
        }
        if self.text.contains("readFile") || self.text.contains("open(") {
            let quoted = self.text.split(['\'', '"', '`']).skip(1).step_by(2);
            let paths = quoted.take(NAMES).filter(|path| path.contains('/'));
            found.extend(paths.flat_map(in_path));
        }
        found
    }

    /// Names of variables that it may send.
    pub(super) fn sent(&self) -> Vec<String> {
        if !SENDS.iter().any(|word| self.text.contains(word)) {
            return Vec::new();
        }
        let named = self.named().into_iter();
        named
            .filter_map(|named| match named {
                Named::One(name) => Some(name),
                Named::All => None,
            })
            .collect()
    }

    /// The text, for the host in it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn named(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let mut rest = self.text.as_str();
        while let Some((at, name)) = next(rest) {
            let before = rest.get(..at).unwrap_or_default();
            let after = rest.get(at + name.len()..).unwrap_or_default();
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            // `NODE_ENV`, `ENVIRONMENT`, `'X' in process.env`
            let is_part = before.ends_with(is_word) || after.starts_with(is_word);
            if !is_part && !before.trim_end().ends_with(" in") {
                found.push(variable(after));
            }
            if found.len() >= NAMES {
                break;
            }
            rest = after;
        }
        found
    }
}

/// The next place at which the environment is named, and how.
fn next(text: &str) -> Option<(usize, &'static str)> {
    let places = ENVIRONMENTS
        .iter()
        .filter_map(|name| text.find(name).map(|at| (at, *name)));
    // Of two at one place the longer one.
    places.min_by_key(|(at, name)| (*at, usize::MAX - name.len()))
}

/// What of the environment the text behind its name asks for.
fn variable(after: &str) -> Named {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = after.trim_start_matches('?');
    if let Some(member) = rest.strip_prefix('.') {
        let end = member.find(|c| !is_word(c)).unwrap_or(member.len());
        let (name, behind) = member.split_at(end);
        if !MEMBERS.contains(&name) && !name.is_empty() {
            return Named::One(name.to_owned());
        }
        rest = behind;
    }
    let Some(inner) = rest.strip_prefix(['[', '(', '{']) else {
        return Named::All;
    };
    let inner = inner.trim_start_matches(['\'', '"', '`']);
    let end = inner.find(|c| !is_word(c)).unwrap_or(inner.len());
    match inner.get(..end) {
        Some(name) if !name.is_empty() => Named::One(name.to_owned()),
        _ => Named::All,
    }
}

#[cfg(test)]
mod tests {
    use super::Coded;

    fn coded(option: &str, code: &str) -> Coded {
        let program = match option {
            "-c" => "python3",
            "-r" => "php",
            _ => "node",
        };
        let words = [program, option, code].map(str::to_owned);
        Coded::of(&words).expect("an option for code")
    }

    #[test]
    fn code_prints_variables() {
        for (option, code, prints) in [
            ("-p", "process.env", true),
            ("-p", "JSON.stringify(process.env)", true),
            ("-p", "process.env.NPM_TOKEN", true),
            ("-p", "process.env['NPM_TOKEN']", true),
            ("-e", "console.log(process.env)", true),
            ("-c", "import os;print(os.environ)", true),
            ("-c", "import os;print(os.environ.get('NPM_TOKEN'))", true),
            ("-c", "import os;print(os.getenv('NPM_TOKEN'))", true),
            ("-r", "print_r(getenv());", true),
            (
                "-p",
                "require('fs').readFileSync(os.homedir()+'/.npmrc','utf8')",
                true,
            ),
            ("-p", "process.env.NODE_ENV", false),
            ("-p", "process.env.npm_package_version", false),
            ("-p", "'CI' in process.env", false),
            ("-p", "require('./package.json').version", false),
            ("-p", "NODE_ENV", false),
            ("-e", "process.env.NPM_TOKEN", false),
            ("-c", "import os;print(os.getenv('HOME'))", false),
        ] {
            let printed = coded(option, code).printed();
            assert_eq!(!printed.is_empty(), prints, "{code}: {printed:?}");
        }
    }
}
