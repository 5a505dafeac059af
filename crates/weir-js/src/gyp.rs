//! What `binding.gyp` and the files beside it run: commands whose output is put into the file while it is
//! read, and actions that run while the package is built.
//!
//! Gyp files are literals of Python with comments. Commands in texts are looked for in the text as it
//! stands, because they may stand in any of them; lists are read from its words.

/// Most commands of one file that are looked at.
const COMMANDS: usize = 64;
/// Most texts of one file that are looked at, and how long one may be, in bytes.
const TEXTS: usize = 1 << 16;
const TEXT: usize = 64 << 10;
/// Most lists of one file that are looked at, and most texts in one of them.
const LISTS: usize = 256;
/// Signs in front of a command: of the three times at which gyp expands.
const PHASES: [char; 3] = ['<', '>', '^'];

/// What one file runs, and which files it takes in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Gyp {
    /// Command lines, in order: first those that run while the file is read.
    pub(crate) commands: Vec<String>,
    /// Files whose text becomes part of this one, seen from its own folder.
    pub(crate) includes: Vec<String>,
    /// Files that are built before it, seen from the folder of the file that is built.
    pub(crate) dependencies: Vec<String>,
}

/// Reads one file.
pub(crate) fn read(text: &str) -> Gyp {
    let mut gyp = Gyp {
        commands: expansions(text),
        ..Gyp::default()
    };
    for (key, words) in lists(text) {
        match key.as_str() {
            "action" if gyp.commands.len() < COMMANDS => gyp.commands.push(line(&words)),
            "includes" => gyp.includes.extend(words),
            "dependencies" => {
                let files = words.iter().filter_map(|word| word.rsplit_once(".gyp:"));
                gyp.dependencies
                    .extend(files.map(|(stem, _)| format!("{stem}.gyp")));
            }
            _ => {}
        }
    }
    gyp
}

/// `<!(...)`, `<!@(...)` and `<!pymod_do_main(...)`, whose module is a file in Python.
fn expansions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('!') {
        let is_command = rest
            .get(..at)
            .is_some_and(|before| before.ends_with(PHASES));
        rest = rest.get(at + 1..).unwrap_or_default();
        if !is_command {
            continue;
        }
        let body = rest.strip_prefix('@').unwrap_or(rest);
        let module = body.strip_prefix("pymod_do_main");
        let Some(body) = module.unwrap_or(body).strip_prefix('(') else {
            continue;
        };
        let end = closing(body);
        let command = unescape(body.get(..end).unwrap_or_default());
        match module {
            Some(_) => {
                let name = command.split_whitespace().next().unwrap_or_default();
                found.push(format!("python {name}.py"));
            }
            None => found.push(command),
        }
        rest = body.get(end..).unwrap_or_default();
        if found.len() >= COMMANDS {
            break;
        }
    }
    found
}

/// Where the parenthesis closes that `body` follows.
fn closing(body: &str) -> usize {
    let mut depth = 1_usize;
    body.char_indices()
        .take(TEXT)
        .find(|(_, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        })
        .map_or(body.len().min(1024), |(index, _)| index)
}

/// Takes the escapes of a Python string literal away, once: a shell's own are left for the shell.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\'
            && let Some(escaped) = characters.next_if(|c| matches!(c, '\\' | '"' | '\''))
        {
            out.push(escaped);
        } else {
            out.push(character);
        }
    }
    out
}

/// A word of a gyp file.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    Text(String),
    Sign(char),
}

/// Keys with the texts of the lists behind them, nested ones too. Marks of how a list is merged are
/// taken off the key: `includes+`.
fn lists(text: &str) -> Vec<(String, Vec<String>)> {
    let words = words(text);
    let mut found = Vec::new();
    let mut rest = words.as_slice();
    while let Some((_, after)) = rest.split_first() {
        if let [Word::Text(key), Word::Sign(':'), Word::Sign('['), list @ ..] = rest {
            let key = key.trim_end_matches(['+', '=', '?', '!', '/', '%']);
            if matches!(key, "action" | "includes" | "dependencies") {
                found.push((key.to_owned(), texts(list)));
            }
        }
        if found.len() >= LISTS {
            break;
        }
        rest = after;
    }
    found
}

/// The texts up to the end of a list. Those without a comma between them are one.
fn texts(list: &[Word]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut depth = 1_usize;
    let mut is_joined = false;
    for word in list {
        match word {
            Word::Text(text) if is_joined => {
                if let Some(last) = found.last_mut() {
                    last.push_str(text);
                }
            }
            Word::Text(text) => found.push(text.clone()),
            Word::Sign('[') => depth += 1,
            Word::Sign(']') => depth -= 1,
            Word::Sign(_) => {}
        }
        is_joined = matches!(word, Word::Text(_));
        if depth == 0 || found.len() > LISTS {
            break;
        }
    }
    found
}

fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '#' => while rest.next_if(|c| *c != '\n').is_some() {},
            '\'' | '"' => {
                let mut literal = String::new();
                while let Some(next) = rest.next().filter(|next| *next != c) {
                    if next == '\\'
                        && let Some(escaped) = rest.next_if(|c| matches!(c, '\\' | '"' | '\''))
                    {
                        literal.push(escaped);
                    } else if literal.len() < TEXT {
                        literal.push(next);
                    }
                }
                found.push(Word::Text(literal));
            }
            '[' | ']' | '{' | '}' | ':' | ',' => found.push(Word::Sign(c)),
            _ => {}
        }
        if found.len() >= TEXTS {
            break;
        }
    }
    found
}

/// The words of an action as a command line. Paths that gyp knows begin at the folder of the file.
fn line(words: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+,:@%".contains(c);
    let words = words.iter().map(|word| {
        let word = word.replace("<(module_root_dir)/", "");
        match !word.is_empty() && word.chars().all(is_plain) {
            true => word,
            false => format!("'{}'", word.replace('\'', "'\\''")),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{expansions, read};

    #[test]
    fn expansions_are_found() {
        let text = "{'targets': [{'include_dirs': [\"<!(node -e \\\"require('nan')\\\")\", '<!@(node -p \"(1)\")']}]}";
        assert_eq!(
            expansions(text),
            ["node -e \"require('nan')\"", "node -p \"(1)\""]
        );
        // Escaped for Python and for the shell.
        let twice = r#"{"v": "<!(node -p \"a.split(\\\".\\\")[0]\")"}"#;
        assert_eq!(expansions(twice), [r#"node -p "a.split(\".\")[0]""#]);
        assert!(expansions("{'x': '<(module_path)', 'y!': ['a']}").is_empty());
        assert_eq!(expansions("<!(").len(), 1);
        assert_eq!(expansions("'>!(a b)', '^!@(c)'"), ["a b", "c"]);
        assert_eq!(expansions("'<!pymod_do_main(p x)'"), ["python p.py"]);
    }

    #[test]
    fn lists_of_words_are_read() {
        let gyp = read(
            "{ # 'action': ['not', 'this']\n 'includes': ['./c.gypi', \"d.gypi\"], 'targets': [{\
             'dependencies': ['deps/x.gyp:x', 'own', 'deps/y.gyp:y#host'],\
             'actions': [{'action_name': 'a', 'action': ['sh', '-c', 'it\\'s ' 'one',],}],\
             'rules': [{'action': ['node', '<(module_root_dir)/i.js', '<(RULE_INPUT_PATH)']}]}]}",
        );
        assert_eq!(
            gyp.commands,
            ["sh -c 'it'\\''s one'", "node i.js '<(RULE_INPUT_PATH)'"]
        );
        assert_eq!(gyp.includes, ["./c.gypi", "d.gypi"]);
        assert_eq!(gyp.dependencies, ["deps/x.gyp", "deps/y.gyp"]);
    }

    #[test]
    fn what_is_no_gyp_file_ends() {
        for text in [
            "'",
            "[[[[",
            "'action':[",
            "]]]",
            "'action':['a",
            "<!pymod_do_main",
        ] {
            read(text);
        }
    }
}
