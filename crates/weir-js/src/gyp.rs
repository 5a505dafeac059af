//! What `binding.gyp` and the files beside it run: commands whose output is put into the file while it is
//! read, and actions that run while the package is built.
//!
//! Gyp files are literals of Python with comments. Their texts are joined and unescaped as Python does it,
//! variables are put in, and then commands are looked for, because they may stand in any text.

use std::collections::BTreeMap;

use crate::command::number;

/// Most commands of one file that are looked at.
const COMMANDS: usize = 512;
/// Most texts and signs of one file that are looked at, and how long a text may be, in bytes.
const WORDS: usize = 1 << 19;
const TEXT: usize = 64 << 10;
/// Most lists of one file that are looked at, and most texts in one of them.
const LISTS: usize = 4096;
/// Most values of one variable that are tried, and how deep variables in variables go.
const VALUES: usize = 8;
const ROUNDS: usize = 4;
/// Most words of a list that is the value of a variable.
const LIST: usize = 512;
/// Signs in front of a command: of the three times at which gyp expands.
const PHASES: [char; 3] = ['<', '>', '^'];
/// Folders that gyp knows by name, seen from the one in which it builds.
const FOLDERS: [(&str, &str); 4] = [
    ("module_root_dir", "."),
    ("DEPTH", "."),
    ("PRODUCT_DIR", "build/Release"),
    ("INTERMEDIATE_DIR", "build/Release/obj"),
];

/// What one file runs, and which files it takes in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Gyp {
    /// Command lines, each once: first those that run while the file is read.
    pub(crate) commands: Vec<String>,
    /// Files whose text becomes part of this one, seen from its own folder.
    pub(crate) includes: Vec<String>,
    /// Files that are built before it, seen from the folder of the file that is built.
    pub(crate) dependencies: Vec<String>,
    /// There is more in it than is read.
    pub(crate) in_part: bool,
}

/// Values of variables by their names.
type Values = BTreeMap<String, Vec<Vec<String>>>;

/// Reads one file.
pub(crate) fn read(text: &str) -> Gyp {
    let mut gyp = Gyp::default();
    let words = words(text, &mut gyp.in_part);
    let values = values(&words, &mut gyp.in_part);
    for word in &words {
        if let Word::Text(text) = word {
            for text in expanded(text, &values) {
                gyp.run_all(expansions(&text));
            }
        }
    }
    for (key, words) in lists(&words, &mut gyp.in_part) {
        let choices = choices(&words, &values);
        for at in 0..choices {
            let words = chosen(&words, &values, at);
            match key.as_str() {
                "action" => gyp.run(line(&words)),
                "includes" => gyp.includes.extend(words),
                "dependencies" => gyp
                    .dependencies
                    .extend(words.iter().filter_map(|word| built(word))),
                // Pairs of a name and a program.
                _ => {
                    let programs = words.iter().filter(|word| word.contains(' '));
                    gyp.run_all(programs.cloned().collect());
                }
            }
        }
    }
    gyp
}

impl Gyp {
    fn run_all(&mut self, commands: Vec<String>) {
        for command in commands {
            self.run(command);
        }
    }

    fn run(&mut self, command: String) {
        if self.commands.contains(&command) {
            return;
        }
        match self.commands.len() < COMMANDS {
            true => self.commands.push(command),
            false => self.in_part = true,
        }
    }
}

/// The file in `path:target#toolset`.
fn built(word: &str) -> Option<String> {
    let (file, _) = word.rsplit_once(':')?;
    (file.contains('.') && !file.contains('(')).then(|| file.to_owned())
}

/// What variables are set to, wherever that stands: as a text, or as a list of them.
fn values(words: &[Word], in_part: &mut bool) -> Values {
    let mut found = Values::new();
    let mut rest = words;
    while let Some((_, after)) = rest.split_first() {
        let value = match rest {
            [Word::Text(_), Word::Sign(':'), Word::Text(value), ..] => Some(vec![value.clone()]),
            [Word::Text(_), Word::Sign(':'), Word::Sign('['), list @ ..] => {
                Some(texts(list.get(..LIST).unwrap_or(list)))
            }
            _ => None,
        };
        if let (Some(value), Some(Word::Text(key))) = (value, rest.first()) {
            let known = found.entry(bare(key).to_owned()).or_default();
            if known.len() <= VALUES && !known.contains(&value) {
                known.push(value);
            }
        }
        if found.len() > LISTS {
            *in_part = true;
            break;
        }
        rest = after;
    }
    let names = |text: &str| {
        let mut named = text.split('(').skip(1);
        named.any(|name| {
            let name = name.split(')').next().unwrap_or_default();
            found.get(name).is_some_and(|known| known.len() > VALUES)
        })
    };
    *in_part |= words
        .iter()
        .any(|word| matches!(word, Word::Text(text) if names(text)));
    found
}

/// A key without the marks of how it is merged: `includes+`.
fn bare(key: &str) -> &str {
    key.trim_end_matches(['+', '=', '?', '!', '/', '%'])
}

/// A text with each of the values that its variables may have.
fn expanded(text: &str, values: &Values) -> Vec<String> {
    let words = [text.to_owned()];
    let mut found: Vec<String> = Vec::new();
    for at in 0..choices(&words, values) {
        let text = chosen(&words, values, at).join(" ");
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// How many values the variables in words have, at most.
fn choices(words: &[String], values: &Values) -> usize {
    match words.iter().any(|word| word.contains(PHASES)) {
        true => values
            .values()
            .map(Vec::len)
            .max()
            .unwrap_or(1)
            .clamp(1, VALUES),
        false => 1,
    }
}

/// The words with one of the values of each variable.
fn chosen(words: &[String], values: &Values, at: usize) -> Vec<String> {
    let mut found = Vec::new();
    for word in words {
        let mut word = word.clone();
        for _ in 0..ROUNDS {
            let Some(next) = put(&word, values, at) else {
                break;
            };
            word = next;
        }
        // A word that is nothing but a list is as many words as that has.
        match whole(&word).and_then(|name| value(name, values, at)) {
            Some(list) => found.extend(list.iter().cloned()),
            None => found.push(word),
        }
    }
    found
}

/// The variable in `<@(name)`, where that is the whole word.
fn whole(word: &str) -> Option<&str> {
    let name = word.strip_prefix(PHASES)?.strip_prefix("@(")?;
    name.strip_suffix(')')
}

fn value<'v>(name: &str, values: &'v Values, at: usize) -> Option<&'v Vec<String>> {
    let known = values.get(name)?;
    known.get(at).or_else(|| known.last())
}

/// A text with the first level of its variables replaced; nothing where none is known.
fn put(text: &str, values: &Values, at: usize) -> Option<String> {
    if whole(text).is_some() {
        return None;
    }
    let mut out = String::new();
    let mut rest = text;
    let mut has_changed = false;
    while let Some(found) = rest.find(PHASES) {
        let (before, sign) = rest.split_at(found);
        out.push_str(before);
        let behind = sign.get(1..).unwrap_or_default();
        let body = behind.strip_prefix('@').unwrap_or(behind);
        let named = body.strip_prefix('(').and_then(|body| body.split_once(')'));
        let known = named.and_then(|(name, after)| {
            let folder = FOLDERS.iter().find(|(folder, _)| *folder == name);
            let text = match folder {
                Some((_, path)) => (*path).to_owned(),
                None => value(name, values, at)?.join(" "),
            };
            Some((text, after))
        });
        match known {
            Some((text, after)) if out.len() + text.len() < TEXT => {
                out.push_str(&text);
                rest = after;
                has_changed = true;
            }
            _ => {
                out.push_str(sign.get(..1).unwrap_or_default());
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    has_changed.then_some(out)
}

/// `<!(...)`, `<!@(...)` and `<!pymod_do_main(...)`, whose module is a file in Python; what make runs in
/// `$(shell ...)`, and a shell between backticks.
fn expansions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in text.split("$(shell ").skip(1) {
        found.extend(piece.get(..closing(piece)).map(str::to_owned));
    }
    let pieces: Vec<&str> = text.split('`').collect();
    // What stands before a quote, and what stands in it; the last piece is in none.
    let closed = pieces.get(..pieces.len().saturating_sub(1));
    for pair in closed.unwrap_or_default().chunks_exact(2) {
        found.extend(pair.last().map(|command| (*command).to_owned()));
    }
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
        let command = body.get(..end).unwrap_or_default();
        if module.is_some() {
            let name = command.split_whitespace().next().unwrap_or_default();
            found.push(format!("python {name}.py"));
        } else if let Some(list) = command.trim_start().strip_prefix('[') {
            found.push(line(&texts(&words(list, &mut false))));
        } else {
            found.push(command.to_owned());
        }
        rest = body.get(end..).unwrap_or_default();
    }
    found
}

/// Where the parenthesis closes that `body` follows.
fn closing(body: &str) -> usize {
    let mut depth = 1_usize;
    body.char_indices()
        .find(|(_, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        })
        .map_or(body.len(), |(index, _)| index)
}

/// A word of a gyp file.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    Text(String),
    Sign(char),
}

/// Keys with the texts of the lists behind them, nested ones too.
fn lists(words: &[Word], in_part: &mut bool) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some((_, after)) = rest.split_first() {
        if let [Word::Text(key), Word::Sign(':'), Word::Sign('['), list @ ..] = rest {
            let key = bare(key);
            let is_known = matches!(
                key,
                "action" | "includes" | "dependencies" | "make_global_settings"
            );
            if is_known && found.len() < LISTS {
                let list = texts(list);
                *in_part |= list.len() > LISTS;
                found.push((key.to_owned(), list));
            } else {
                *in_part |= is_known;
            }
        }
        rest = after;
    }
    found
}

/// The texts up to the end of a list.
fn texts(list: &[Word]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut depth = 1_usize;
    for word in list {
        match word {
            Word::Text(text) => found.push(text.clone()),
            Word::Sign('[') => depth += 1,
            Word::Sign(']') => depth -= 1,
            Word::Sign(_) => {}
        }
        if depth == 0 || found.len() > LISTS {
            break;
        }
    }
    found
}

/// Texts and signs in order. Texts with nothing between them are one.
fn words(text: &str, in_part: &mut bool) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '#' => while rest.next_if(|c| *c != '\n').is_some() {},
            '\'' | '"' => {
                let read = literal(&mut rest, c);
                match found.last_mut() {
                    Some(Word::Text(last)) => last.push_str(&read),
                    _ => found.push(Word::Text(read)),
                }
                if let Some(Word::Text(last)) = found.last() {
                    *in_part |= last.len() > TEXT;
                }
            }
            '[' | ']' | '{' | '}' | ':' | ',' => found.push(Word::Sign(c)),
            _ => {}
        }
        if found.len() >= WORDS {
            *in_part = true;
            break;
        }
    }
    found
}

/// A literal up to its quote, with Python's escapes taken away: a shell's own are left for the shell.
fn literal(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char) -> String {
    let mut out = String::new();
    while let Some(next) = rest.next().filter(|next| *next != quote) {
        if next != '\\' {
            out.push(next);
            continue;
        }
        match rest.peek().copied() {
            Some(c @ ('\\' | '"' | '\'')) => {
                rest.next();
                out.push(c);
            }
            Some('\n') => {
                rest.next();
            }
            Some('n' | 'r' | 't') => {
                rest.next();
                out.push(' ');
            }
            Some('x') => {
                rest.next();
                out.push(number(rest, 16, 2));
            }
            Some('u') => {
                rest.next();
                out.push(number(rest, 16, 4));
            }
            Some('0'..='7') => out.push(number(rest, 8, 3)),
            _ => out.push('\\'),
        }
    }
    out
}

/// The words of an action as a command line.
fn line(words: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+,:@%".contains(c);
    let words = words.iter().enumerate().map(|(at, word)| {
        let bare = word.strip_prefix("./").filter(|_| at > 0);
        let word = bare.unwrap_or(word);
        match !word.is_empty() && word.chars().all(is_plain) {
            true => word.to_owned(),
            false => format!("'{}'", word.replace('\'', "'\\''")),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
