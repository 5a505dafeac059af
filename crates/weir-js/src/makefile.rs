//! What `make` runs: the recipes that a goal leads to, as a shell script. Of `cmake` the same: what its lists
//! have run while they are read, and while it builds.
//!
//! Conditions are not decided: what stands in any branch may run. Variables with plain values are put in, as in
//! shells; what functions make of texts is left as it is written.

use std::collections::{BTreeMap, BTreeSet};

/// Longest text of a file that is read, and longest script that is made of one, in bytes.
const TEXT: usize = 1 << 20;
const SCRIPT: usize = 1 << 20;
/// Most rules and variables that are kept.
const RULES: usize = 10_000;
/// How deep variables in variables go.
const ROUNDS: usize = 8;
/// Longest text with its variables put in, in bytes.
const LINE: usize = 64 << 10;

/// What a build file has run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Built {
    /// Commands of a shell, each in a group of its own.
    pub(crate) script: String,
    /// Files whose text becomes part of this one, seen from the folder it is read in.
    pub(crate) includes: Vec<String>,
    /// There is more in it than is read.
    pub(crate) in_part: bool,
}

impl Built {
    fn run(&mut self, command: &str) {
        if self.script.len() + command.len() > SCRIPT {
            self.in_part = true;
            return;
        }
        // Each line has a shell of its own, and a comment ends with its line.
        self.script.push_str("( ");
        self.script.push_str(command);
        self.script.push_str("\n)\n");
    }
}

#[derive(Debug, Default)]
struct Rule {
    targets: Vec<String>,
    needs: Vec<String>,
    recipe: Vec<String>,
}

#[derive(Debug, Default)]
struct Makefile {
    rules: Vec<Rule>,
    values: BTreeMap<String, String>,
    built: Built,
}

/// Reads a makefile with the texts that it includes. Without goals its first target is made.
pub(crate) fn read(text: &str, goals: &[String]) -> Built {
    let mut makefile = Makefile::default();
    makefile.built.in_part = text.len() > TEXT;
    makefile.parse(crate::command::cut(text));
    makefile.reach(goals);
    makefile.built
}

impl Makefile {
    fn parse(&mut self, text: &str) {
        let mut lines = text.lines();
        let mut defined: Option<(String, String)> = None;
        let mut in_rule = false;
        while let Some(line) = lines.next() {
            let mut line = line.trim_end_matches('\r').to_owned();
            while line.ends_with('\\') && !line.ends_with("\\\\") {
                line.pop();
                line.push(' ');
                line.push_str(lines.next().unwrap_or_default().trim());
            }
            if let Some((name, value)) = &mut defined {
                if line.trim() == "endef" {
                    let (name, value) = (name.clone(), value.clone());
                    self.set(&name, value);
                    defined = None;
                } else if value.len() < LINE {
                    value.push_str(&line);
                    value.push('\n');
                }
                continue;
            }
            if let Some(command) = line.strip_prefix('\t').filter(|_| in_rule) {
                if let Some(rule) = self.rules.last_mut() {
                    rule.recipe.push(command.to_owned());
                }
                continue;
            }
            let line = line.split(" #").next().unwrap_or_default().trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let word = line.split_whitespace().next().unwrap_or_default();
            let rest = line.get(word.len()..).unwrap_or_default().trim();
            match word {
                "ifeq" | "ifneq" | "ifdef" | "ifndef" | "else" | "endif" | "vpath" | "unexport" => {
                    self.shells(rest);
                }
                "include" | "-include" | "sinclude" => {
                    let files = self.put(rest, None);
                    let files = files.split_whitespace().map(str::to_owned);
                    self.built.includes.extend(files);
                }
                "define" => {
                    let name = rest.trim_end_matches(['=', ':', '?', '+', ' ']);
                    defined = Some((name.to_owned(), String::new()));
                }
                "export" | "override" | "private" => in_rule &= !self.statement(rest),
                _ => {
                    let is_setting = self.statement(line);
                    in_rule |= !is_setting;
                }
            }
        }
    }

    /// A setting or a rule; says whether it is the former.
    fn statement(&mut self, line: &str) -> bool {
        let set = line.find('=');
        let colon = line
            .match_indices(':')
            .map(|(at, _)| at)
            .find(|&at| {
                !line
                    .get(at + 1..)
                    .unwrap_or_default()
                    .starts_with(['=', ':'])
            })
            .filter(|&at| !line.get(..at).unwrap_or_default().ends_with("$("));
        if let Some(at) = set
            && colon.is_none_or(|colon| at < colon)
        {
            let name = line.get(..at).unwrap_or_default();
            let value = line.get(at + 1..).unwrap_or_default().trim().to_owned();
            let runs = name.ends_with('!');
            let name = name.trim_end_matches(['!', ':', '?', '+', ' ', '\t']);
            self.shells(&value);
            if runs {
                let command = self.put(&value, None);
                self.built.run(&command);
            }
            self.set(name.trim(), value);
            return true;
        }
        let Some(at) = colon else {
            self.shells(line);
            return false;
        };
        if self.rules.len() >= RULES {
            self.built.in_part = true;
            return false;
        }
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let behind = line.get(at + 1..).unwrap_or_default();
        let (needs, recipe) = behind.split_once(';').unwrap_or((behind, ""));
        let targets = self.put(line.get(..at).unwrap_or_default(), None);
        let needs = self.put(needs, None);
        let recipe = recipe.trim();
        self.rules.push(Rule {
            targets: words(&targets),
            needs: words(&needs),
            recipe: (!recipe.is_empty())
                .then(|| recipe.to_owned())
                .into_iter()
                .collect(),
        });
        false
    }

    /// What is run while the file is read.
    fn shells(&mut self, text: &str) {
        for piece in text.split("$(shell ").skip(1) {
            let command = self.put(piece.get(..closing(piece)).unwrap_or_default(), None);
            self.built.run(&command);
        }
    }

    fn set(&mut self, name: &str, value: String) {
        if self.values.len() >= RULES {
            self.built.in_part = true;
            return;
        }
        let known = self.values.entry(name.to_owned()).or_default();
        // What it was before may be what runs.
        if !known.is_empty() && known.len() + value.len() < LINE {
            known.push(' ');
        }
        match known.len() + value.len() < LINE {
            true => known.push_str(&value),
            false => self.built.in_part = true,
        }
    }

    /// Runs the recipes of the goals and of all they need.
    fn reach(&mut self, goals: &[String]) {
        let is_goal = |name: &&String| !name.starts_with('.') && !name.contains('%');
        let first = self
            .rules
            .iter()
            .find_map(|rule| rule.targets.iter().find(is_goal));
        let mut wanted: Vec<String> = match goals {
            [] => self
                .values
                .get(".DEFAULT_GOAL")
                .or(first)
                .into_iter()
                .cloned()
                .collect(),
            goals => goals.to_vec(),
        };
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut reached: BTreeSet<usize> = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let named = |rule: &Rule| rule.targets.contains(&name);
            let is_known = self.rules.iter().any(named);
            for (at, rule) in self.rules.iter().enumerate() {
                // A file that no rule names may be made by any that has a pattern.
                let by_pattern = !is_known && rule.targets.iter().any(|target| is_pattern(target));
                if (named(rule) || by_pattern) && reached.insert(at) {
                    wanted.extend(rule.needs.iter().cloned());
                }
            }
        }
        for at in reached {
            let Some(rule) = self.rules.get_mut(at) else {
                continue;
            };
            let rule = std::mem::take(rule);
            for line in &rule.recipe {
                let text = self.put(line, Some(&rule));
                for command in text.lines() {
                    self.built
                        .run(command.trim_start_matches(['@', '-', '+', ' ', '\t']));
                }
            }
        }
    }

    /// A text with its variables put in.
    fn put(&self, text: &str, rule: Option<&Rule>) -> String {
        let mut text = text.to_owned();
        for _ in 0..ROUNDS {
            match self.round(&text, rule) {
                Some(next) if next.len() <= LINE => text = next,
                _ => break,
            }
        }
        text.replace(DOLLARS, "$")
    }

    /// The first level of its variables; nothing where none is known.
    fn round(&self, text: &str, rule: Option<&Rule>) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut has_changed = false;
        while let Some(at) = rest.find('$') {
            out.push_str(rest.get(..at).unwrap_or_default());
            let behind = rest.get(at + 1..).unwrap_or_default();
            let Some(sign) = behind.chars().next() else {
                rest = "$";
                break;
            };
            let inner = behind.get(sign.len_utf8()..).unwrap_or_default();
            let (name, after) = match sign {
                '(' | '{' => {
                    let end = match sign {
                        '(' => closing(inner),
                        _ => inner.find('}').unwrap_or(inner.len()),
                    };
                    let after = inner.get(end..).unwrap_or_default();
                    let after = after.get(1..).unwrap_or_default();
                    (inner.get(..end).unwrap_or_default(), after)
                }
                _ => (behind.get(..sign.len_utf8()).unwrap_or_default(), inner),
            };
            let value = match name {
                "$" => Some(DOLLARS.to_owned()),
                "MAKE" => Some("make".to_owned()),
                "CURDIR" | "PWD" => Some(".".to_owned()),
                "SHELL" => Some("sh".to_owned()),
                "@" => rule.and_then(|rule| rule.targets.first().cloned()),
                "<" => rule.and_then(|rule| rule.needs.first().cloned()),
                "^" | "+" | "?" => rule.map(|rule| rule.needs.join(" ")),
                name => match name.strip_prefix("shell ") {
                    // To the shell of a recipe it is what it writes.
                    Some(command) => Some(format!("{DOLLARS}({command})")),
                    None => self.values.get(name).cloned(),
                },
            };
            match value {
                Some(value) => {
                    has_changed = true;
                    out.push_str(&value);
                    rest = after;
                }
                None => {
                    out.push_str(DOLLARS);
                    rest = behind;
                }
            }
            if out.len() > LINE {
                return None;
            }
        }
        out.push_str(rest);
        has_changed.then_some(out)
    }
}

/// `%.o`, `.c.o`
fn is_pattern(target: &str) -> bool {
    let is_suffix = target
        .strip_prefix('.')
        .is_some_and(|rest| rest.contains('.') && !rest.contains('/'));
    target.contains('%') || is_suffix
}

/// Stands for a `$` that is the shell's until all is put in.
const DOLLARS: &str = "\u{f8f4}";

/// Where the parenthesis closes that `body` follows.
fn closing(body: &str) -> usize {
    let mut depth = 1_usize;
    let closes = body.char_indices().find(|(_, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    closes.map_or(body.len(), |(at, _)| at)
}

/// Reads a list of CMake: what stands behind `COMMAND`, what it downloads, and the lists it takes in.
pub(crate) fn read_cmake(text: &str) -> Built {
    let mut built = Built {
        in_part: text.len() > TEXT,
        ..Built::default()
    };
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut rest = crate::command::cut(text);
    while let Some((name, words, after)) = invocation(rest) {
        rest = after;
        let words: Vec<String> = words.iter().map(|word| cmake_put(word, &values)).collect();
        match (name.to_ascii_lowercase().as_str(), words.as_slice()) {
            ("set", [variable, value @ ..]) if values.len() < RULES => {
                values.insert(variable.clone(), value.join(" "));
            }
            ("include", [file, ..]) => {
                let file = match file.contains('.') {
                    true => file.clone(),
                    false => format!("{file}.cmake"),
                };
                built.includes.push(file);
            }
            ("add_subdirectory", [folder, ..]) => {
                built.includes.push(format!("{folder}/CMakeLists.txt"));
            }
            ("file", [act, address, file, ..]) if act == "DOWNLOAD" => {
                built.run(&format!("curl -o '{file}' '{address}'"));
            }
            ("exec_program", [command, ..]) => built.run(command),
            _ => {
                for command in words.split(|word| word.ends_with("COMMAND")).skip(1) {
                    let is_keyword = |word: &&String| {
                        word.len() > 4 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
                    };
                    let end = command.iter().position(|word| is_keyword(&word));
                    let command = command.get(..end.unwrap_or(command.len()));
                    let quoted = command
                        .unwrap_or_default()
                        .iter()
                        .map(|word| format!("'{}'", word.replace('\'', "'\\''")));
                    let line: Vec<String> = quoted.collect();
                    if !line.is_empty() {
                        built.run(&line.join(" "));
                    }
                }
            }
        }
    }
    built
}

/// `${NAME}`, where it is set to a text; the folder that is built is where all is seen from.
fn cmake_put(word: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = word.to_owned();
    for _ in 0..ROUNDS {
        let Some(at) = out.find("${") else {
            break;
        };
        let Some(length) = out.get(at..).and_then(|rest| rest.find('}')) else {
            break;
        };
        let name = out.get(at + 2..at + length).unwrap_or_default();
        let value = match name {
            "CMAKE_COMMAND" => "cmake".to_owned(),
            "CMAKE_SOURCE_DIR"
            | "CMAKE_CURRENT_SOURCE_DIR"
            | "PROJECT_SOURCE_DIR"
            | "CMAKE_CURRENT_LIST_DIR" => ".".to_owned(),
            name => match values.get(name) {
                Some(value) => value.clone(),
                None => break,
            },
        };
        if out.len() + value.len() > LINE {
            break;
        }
        out.replace_range(at..=at + length, &value);
    }
    out
}

/// The next command of a list: its name, its words, and what follows.
fn invocation(text: &str) -> Option<(&str, Vec<String>, &str)> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        match rest.strip_prefix('#') {
            Some(comment) => rest = comment.split_once('\n').map_or("", |(_, rest)| rest),
            None => break,
        }
    }
    let open = rest.find('(')?;
    let name = rest
        .get(..open)?
        .split_whitespace()
        .last()
        .unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut depth = 1_usize;
    let (mut is_quoted, mut in_comment) = (false, false);
    let body = rest.get(open + 1..)?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if in_comment {
            in_comment = c != '\n';
            continue;
        }
        if escaped {
            escaped = false;
            word.push(c);
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => word.push(c),
            '#' => in_comment = true,
            '(' => depth += 1,
            ')' if depth == 1 => {
                words.extend((!word.is_empty()).then_some(word));
                return Some((name, words, body.get(at + 1..).unwrap_or_default()));
            }
            ')' => depth -= 1,
            c if c.is_whitespace() || c == ';' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests;
