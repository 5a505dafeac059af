//! What runs when somebody opens the package's folder in an editor or with an assistant: tasks, hooks and tool servers
//! that its configuration names. npm puts such files beside everything else, and nobody has to install anything.

use std::collections::BTreeMap;

use serde_json::Value;
use weir_model::contents::{Surface, Unread};

use crate::analyse::Work;
use crate::command;

/// Configuration that is read, and how.
const FILES: [(&str, Kind); 9] = [
    (".vscode/tasks.json", Kind::Tasks),
    (".claude/settings.json", Kind::Hooks),
    (".claude/settings.local.json", Kind::Hooks),
    (".gemini/settings.json", Kind::Hooks),
    (".cursor/hooks.json", Kind::Hooks),
    (".mcp.json", Kind::Servers),
    (".cursor/mcp.json", Kind::Servers),
    (".vscode/mcp.json", Kind::Servers),
    (".devcontainer/devcontainer.json", Kind::Container),
];
/// Largest file that is read, in bytes.
const BYTES: usize = 256 << 10;
/// Most commands of one file; that there are so many is told.
const COMMANDS: usize = 64;
/// Deepest value in a value.
const DEPTH: usize = 12;

/// What a file tells to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Tasks of an editor, of which some run by themselves.
    Tasks,
    /// Hooks of an assistant.
    Hooks,
    /// Servers that an assistant starts for its tools.
    Servers,
    /// Commands around a container. One of them runs on the machine itself.
    Container,
}

impl Kind {
    /// The commands of a file, in the order in which they stand there.
    fn commands(self, file: &Value) -> Vec<String> {
        let mut found = Vec::new();
        match self {
            Self::Tasks if runs_by_itself(file) => collect(file, 0, &mut found),
            Self::Tasks => {}
            Self::Hooks => {
                for field in ["hooks", "statusLine", "mcpServers"] {
                    collect(&file[field], 0, &mut found);
                }
                found.extend(file["apiKeyHelper"].as_str().map(str::to_owned));
            }
            Self::Servers => {
                for field in ["mcpServers", "servers"] {
                    collect(&file[field], 0, &mut found);
                }
            }
            Self::Container => match &file["initializeCommand"] {
                // Each under a name of its own.
                Value::Object(several) => {
                    found.extend(several.values().filter_map(line_of).take(COMMANDS))
                }
                one => found.extend(line_of(one)),
            },
        }
        found
    }
}

/// What is known of a file by its path.
fn row(path: &str) -> Option<(&'static str, Kind)> {
    let mut rows = FILES.iter().filter(|_| path.starts_with('.'));
    rows.find(|(known, _)| *known == path).copied()
}

/// Whether a task runs as soon as the folder is opened. It may need others.
fn runs_by_itself(file: &Value) -> bool {
    let tasks = file["tasks"].as_array();
    let mut tasks = tasks.into_iter().flatten();
    tasks.any(|task| task["runOptions"]["runOn"] == "folderOpen")
}

/// A command that is written as a line, or as its words.
fn line_of(command: &Value) -> Option<String> {
    match command {
        Value::String(line) => Some(line.clone()),
        Value::Array(words) => {
            let (first, words) = words.split_first()?;
            Some(with_words(first.as_str()?, words))
        }
        _ => None,
    }
}

/// A command and its words as a line that a shell would take apart in the same way.
fn with_words(command: &str, words: &[Value]) -> String {
    let words = words.iter().filter_map(Value::as_str);
    let quoted = words.map(|word| format!(" '{}'", word.replace('\'', "'\\''")));
    std::iter::once(command.to_owned()).chain(quoted).collect()
}

/// Whatever stands under the name `command`, with the words of `args`.
fn collect(value: &Value, depth: usize, found: &mut Vec<String>) {
    if depth > DEPTH || found.len() >= COMMANDS {
        return;
    }
    match value {
        Value::Object(fields) => {
            if let Some(command) = fields.get("command").and_then(Value::as_str) {
                let words = fields.get("args").and_then(Value::as_array);
                found.push(with_words(command, words.map_or(&[], Vec::as_slice)));
            }
            for field in fields.values() {
                collect(field, depth + 1, found);
            }
        }
        Value::Array(list) => {
            for item in list {
                collect(item, depth + 1, found);
            }
        }
        _ => {}
    }
}

/// JSON as editors read it: without comments, and without a comma before a bracket that closes.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut in_text = false;
    while let Some(c) = rest.next() {
        if in_text {
            out.push(c);
            match c {
                '\\' => out.extend(rest.next()),
                '"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match (c, rest.peek()) {
            ('/', Some('/')) => while rest.next_if(|&next| next != '\n').is_some() {},
            ('/', Some('*')) => {
                rest.next();
                let mut last = ' ';
                for next in rest.by_ref() {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
            }
            (']' | '}', _) => {
                let end = out.trim_end().len();
                if out.get(..end).is_some_and(|before| before.ends_with(',')) {
                    out.truncate(end - 1);
                }
                out.push(c);
            }
            _ => {
                in_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

impl Work<'_> {
    /// Reads the commands of configuration that is packed with the package.
    pub(crate) fn read_configuration(&mut self) {
        let package = self.package;
        for file in package.unkept {
            if row(file.path).is_some() {
                self.configuration_unread(file.path, file.why.to_owned());
            }
        }
        for (index, file) in package.files.iter().enumerate() {
            let Some((path, kind)) = row(file.path) else {
                continue;
            };
            if file.bytes.len() > BYTES {
                self.configuration_unread(path, format!("larger than {BYTES} bytes"));
                continue;
            }
            let text = String::from_utf8_lossy(file.bytes);
            let value = match serde_json::from_str(&plain(&text)) {
                Ok(value) => value,
                Err(error) => {
                    self.configuration_unread(path, format!("no JSON: {error}"));
                    continue;
                }
            };
            let before = (self.unfollowed.len(), self.has_made_files);
            let lines = kind.commands(&value);
            if lines.len() >= COMMANDS {
                self.configuration_unread(path, format!("{COMMANDS} commands or more"));
            }
            for line in &lines {
                let reading = command::read(line, &BTreeMap::new());
                let started = self.read_command(path, line, reading);
                self.opened.extend(started);
            }
            if !lines.is_empty() {
                self.opened.push(index);
            }
            // What is started without being followed is told of what install runs.
            self.unfollowed.truncate(before.0);
            self.has_made_files = before.1;
        }
    }

    /// What an editor or an assistant may understand and we do not is told, whatever it says.
    fn configuration_unread(&mut self, path: &str, why: String) {
        self.facts.unread.push(Unread {
            path: path.to_owned(),
            why,
            suspicious: false,
        });
    }

    /// Marks what runs when the folder is opened.
    pub(crate) fn mark_opened(&mut self) {
        let opened = self.opened.clone();
        self.modules.mark(&opened, Surface::Command);
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, plain};

    #[test]
    fn comments_and_last_commas_are_no_part_of_the_value() {
        for (text, expected) in [
            ("{\"a\": 1, // one\n}", "{\"a\": 1}"),
            ("[1, /* two */ 3,]", "[1,  3]"),
            (
                r#"{"a": "http://x /* no */", }"#,
                r#"{"a": "http://x /* no */"}"#,
            ),
            (r#"["\"//", 1]"#, r#"["\"//", 1]"#),
            ("/*", ""),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn commands_are_those_that_run_by_themselves() {
        let on_open = r#"{"tasks":[{"label":"x","command":"sh","args":["-c","a 'b'"],"runOptions":{"runOn":"folderOpen"}}]}"#;
        for (kind, text, expected) in [
            (Kind::Tasks, on_open, vec![r"sh '-c' 'a '\''b'\'''"]),
            (Kind::Tasks, r#"{"tasks":[{"command":"make"}]}"#, vec![]),
            (
                Kind::Hooks,
                r#"{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"a b"}]}]},"env":{"command":"no"}}"#,
                vec!["a b"],
            ),
            (
                Kind::Servers,
                r#"{"mcpServers":{"x":{"command":"npx","args":["y"]}}}"#,
                vec!["npx 'y'"],
            ),
            (
                Kind::Container,
                r#"{"initializeCommand":"a","postCreateCommand":"b"}"#,
                vec!["a"],
            ),
            (
                Kind::Container,
                r#"{"initializeCommand":["sh","-c","a b"]}"#,
                vec!["sh '-c' 'a b'"],
            ),
            (
                Kind::Container,
                r#"{"initializeCommand":{"one":"a b","two":["c","d"],"three":7}}"#,
                vec!["a b", "c 'd'"],
            ),
        ] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(kind.commands(&value), expected, "{text}");
        }
    }
}
