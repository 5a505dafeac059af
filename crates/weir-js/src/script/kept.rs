//! What a script keeps for later: in variables, in files, in open connections.

use weir_model::contents::SourceKind;

use super::flow::Reader;
use super::lex::{Statement, Token};
use super::said::{Said, add};
use crate::ability::{Stand, Touch, Verb, judge};
use crate::command::{self, Stolen};

impl Reader<'_> {
    /// Files that are written: with what, and where.
    pub(super) fn writes(
        &mut self,
        said: &Said,
        statement: &Statement,
        host: Option<&str>,
        line: &str,
    ) {
        let tokens = &statement.tokens;
        let texts = || {
            tokens.iter().filter_map(|token| match token {
                Token::Text(text) => Some(text.clone()),
                Token::Name(name) => self.texts.get(name).cloned(),
                Token::Symbol(_) => None,
            })
        };
        if said.removes {
            let paths: Vec<String> = texts().collect();
            for path in paths {
                self.touch(Verb::Remove { tree: true }, &path, "rmtree", line);
            }
            return;
        }
        if said.fetches_file {
            let paths: Vec<String> = texts().filter(|text| !text.contains("://")).collect();
            let value = Stolen {
                kind: SourceKind::Fetched,
                detail: format!("download from {}", host.unwrap_or("an unknown host")),
            };
            for path in paths {
                self.files.entry(path).or_default().push(value.clone());
            }
            return;
        }
        let handle = tokens.iter().find_map(|token| match token {
            Token::Name(name) => {
                let (base, method) = name.split_once('.')?;
                (method == "write").then(|| self.handles.get(base).cloned())?
            }
            _ => None,
        });
        let mode = texts().any(|text| {
            text.len() <= 3 && text.starts_with(['w', 'a', 'x']) && !text.contains(' ')
        });
        let names_writer = tokens.iter().any(|token| {
            matches!(token, Token::Name(name)
                if name.ends_with(".write") || name.ends_with(".write_text")
                    || name.ends_with(".write_bytes")
                    || matches!(name.as_str(), "set-content" | "out-file" | "add-content"
                        | "writeallbytes" | "writealltext"))
        });
        let path = match (&handle, said.opens && (mode || names_writer)) {
            (Some(path), _) => Some(path.clone()),
            (None, true) => texts().next(),
            (None, false) => None,
        };
        let Some(path) = path else { return };
        let path_text = command::at_home(&path);
        self.touch(Verb::Write, &path_text, "open", line);
        let values = said
            .values
            .iter()
            .filter(|value| matches!(value.kind, SourceKind::Fetched | SourceKind::Decoded));
        let values: Vec<Stolen> = values.cloned().collect();
        self.files.entry(path).or_default().extend(values);
    }

    fn touch(&mut self, verb: Verb, path: &str, by: &str, line: &str) {
        let mut path = command::at_home(path);
        if path.starts_with("../") || path == "package.json" {
            path = format!("{}/{path}", crate::ability::OWN);
        }
        let touch = Touch {
            verb,
            path,
            by: by.to_owned(),
            offset: 0,
        };
        if let Some(act) = judge(&touch, Stand::COMMAND) {
            self.deed(act.kind, act.detail.into_owned(), line);
        }
    }

    /// `a = ...`, `a, b = ...`, `with x as a`, `for a in x`, `$a += ...`.
    pub(super) fn assigns(
        &mut self,
        statement: &Statement,
        said: &Said,
        made: Vec<Stolen>,
        host: Option<String>,
    ) {
        let tokens = &statement.tokens;
        let names = |part: &[Token]| -> Vec<String> {
            part.iter()
                .filter_map(|token| match token {
                    Token::Name(name) => Some(name.split('.').next().unwrap_or(name).to_owned()),
                    _ => None,
                })
                .take(8)
                .collect()
        };
        let word = |at: usize| match tokens.get(at) {
            Some(Token::Name(name)) => name.as_str(),
            _ => "",
        };
        let targets = if word(0) == "for" || word(0) == "foreach" {
            let end = tokens
                .iter()
                .position(|token| matches!(token, Token::Name(name) if name == "in"))
                .unwrap_or(0);
            names(tokens.get(1..end).unwrap_or_default())
        } else if let Some(at) = tokens
            .iter()
            .position(|token| matches!(token, Token::Name(name) if name == "as"))
        {
            names(tokens.get(at + 1..at + 2).unwrap_or_default())
        } else {
            match assignment(tokens) {
                Some(at) => names(tokens.get(..at).unwrap_or_default()),
                None => appended(tokens).into_iter().collect(),
            }
        };
        let own_text = match tokens.as_slice() {
            [Token::Name(_), Token::Symbol('='), Token::Text(text)] => Some(text.clone()),
            _ => None,
        };
        for target in targets {
            if let Some(text) = &own_text
                && self.texts.len() < 1024
            {
                self.texts.insert(target.clone(), text.clone());
            }
            if let Some((kind, label)) = &said.talks
                && self.carriers.len() < 256
            {
                self.carriers
                    .insert(target.clone(), (*kind, label.clone(), host.clone()));
            }
            if said.opens
                && self.handles.len() < 256
                && let Some(path) = tokens.iter().find_map(|token| match token {
                    Token::Text(text) => Some(text.clone()),
                    Token::Name(name) => self.texts.get(name).cloned(),
                    Token::Symbol(_) => None,
                })
            {
                self.handles.insert(target.clone(), path);
            }
            self.keep(&target, made.clone());
        }
    }

    pub(super) fn keep(&mut self, name: &str, values: Vec<Stolen>) {
        if values.is_empty() || self.values.len() > 4096 {
            return;
        }
        let held = self.values.entry(name.to_owned()).or_default();
        for value in &values {
            add(held, value);
        }
    }
}

/// Where the sign of an assignment stands, outside of parentheses and comparisons.
fn assignment(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Symbol('(' | '[' | '{') => depth += 1,
            Token::Symbol(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Symbol('=') if depth == 0 && at > 0 => {
                let compares = matches!(tokens.get(at + 1), Some(Token::Symbol('=')))
                    || matches!(
                        tokens.get(at - 1),
                        Some(Token::Symbol('=' | '!' | '<' | '>'))
                    );
                return (!compares).then_some(at);
            }
            _ => {}
        }
    }
    None
}

/// `list.append(x)`, `box.update(x)`: the variable takes in what it is given.
fn appended(tokens: &[Token]) -> Option<String> {
    match tokens.first() {
        Some(Token::Name(name)) => {
            let (base, method) = name.split_once('.')?;
            matches!(
                method,
                "append" | "update" | "extend" | "add" | "setdefault" | "insert"
            )
            .then(|| base.to_owned())
        }
        _ => None,
    }
}
