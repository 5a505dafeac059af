//! What the names of a statement stand for, and what calls hand over to functions.

use std::collections::HashMap;

use weir_model::contents::{SinkKind, SourceKind};

use super::flow::{Reader, VALUES};
use super::lex::{Grammar, Token};
use crate::command::{self, Stolen};
use crate::tables::scripts::Meaning;
use crate::tables::{credentials, secrets};

/// What a statement's names say together.
#[derive(Default)]
pub(super) struct Said {
    /// Values in it, by what they hold: each once, at most [`VALUES`].
    pub(super) values: Vec<Stolen>,
    pub(super) talks: Option<(SinkKind, String)>,
    pub(super) fetches_file: bool,
    pub(super) evaluates: Option<String>,
    pub(super) starts: Option<String>,
    pub(super) opens: bool,
    pub(super) removes: bool,
}

impl Said {
    /// Takes in what a name means; the values that stand for it.
    fn means(
        &mut self,
        meaning: Meaning,
        path: &str,
        lists_environment: bool,
        variable: impl FnOnce() -> Vec<Stolen>,
    ) -> Vec<Stolen> {
        let of = |kind| {
            vec![Stolen {
                kind,
                detail: path.to_owned(),
            }]
        };
        match meaning {
            Meaning::Environment => return variable(),
            Meaning::Source(kind) => return of(kind),
            Meaning::Decodes => return of(SourceKind::Decoded),
            Meaning::Talks(kind) => self.talks = Some((kind, path.to_owned())),
            Meaning::FetchesFile => {
                self.fetches_file = true;
                self.talks = Some((SinkKind::Http, path.to_owned()));
            }
            Meaning::Evaluates => self.evaluates = Some(path.to_owned()),
            Meaning::Starts => self.starts = Some(path.to_owned()),
            Meaning::RemovesTree => self.removes = true,
            Meaning::Opens => {
                self.opens = true;
                if lists_environment {
                    return vec![Stolen {
                        kind: SourceKind::Environment,
                        detail: "env:".to_owned(),
                    }];
                }
            }
        }
        Vec::new()
    }
}

/// Adds a value that is not there yet, while there is room.
pub(super) fn add(values: &mut Vec<Stolen>, value: &Stolen) {
    if values.len() < VALUES && !values.contains(value) {
        values.push(value.clone());
    }
}

/// Where each parenthesis that opens is closed. Those that never are have no entry.
fn closings(tokens: &[Token]) -> HashMap<usize, usize> {
    let mut open = Vec::new();
    let mut closings = HashMap::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Symbol('(') => open.push(at),
            Token::Symbol(')') => closings.extend(open.pop().map(|from| (from, at))),
            _ => {}
        }
    }
    closings
}

impl Reader<'_> {
    /// Names of a statement, and what they stand for.
    pub(super) fn said(&mut self, tokens: &[Token]) -> Said {
        let mut said = Said::default();
        let mut held = Vec::new();
        let mut calls = Vec::new();
        let is_loop = tokens
            .iter()
            .any(|token| matches!(token, Token::Name(word) if word == "for"));
        let lists_environment = self.lists_environment(tokens);
        for (at, token) in tokens.iter().enumerate() {
            let mut values = Vec::new();
            match token {
                Token::Name(name) => {
                    if self.functions.contains_key(name) {
                        calls.push((at, name));
                    }
                    values = self.named(name);
                    let path = self.path(name);
                    if let Some(meaning) = self.meaning(&path) {
                        let variable = || self.environment(tokens, at, &path, is_loop);
                        values.extend(said.means(meaning, &path, lists_environment, variable));
                    }
                }
                Token::Text(text) => values = self.in_text(text),
                Token::Symbol(_) => {}
            }
            for value in values {
                add(&mut said.values, &value);
                if said.values.contains(&value) {
                    held.push((at, value));
                }
            }
        }
        self.hand_over(tokens, &calls, &held, &said.values);
        said
    }

    /// What a name stands for by itself: what its variable holds, or a variable of the environment.
    fn named(&self, name: &str) -> Vec<Stolen> {
        let base = name.split('.').next().unwrap_or(name);
        let mut values = self.values.get(base).cloned().unwrap_or_default();
        if let Some(variable) = name.strip_prefix("$env:") {
            values.extend(variable_of(&variable.to_ascii_uppercase()));
        }
        values
    }

    /// `Get-ChildItem env:`
    fn lists_environment(&self, tokens: &[Token]) -> bool {
        self.dialect.grammar == Grammar::PowerShell
            && tokens.iter().any(|token| match token {
                Token::Name(name) => name == "env",
                Token::Text(text) => text.eq_ignore_ascii_case("env:"),
                Token::Symbol(_) => false,
            })
    }

    /// One variable of the environment where a name stands behind, else all of it.
    fn environment(&self, tokens: &[Token], at: usize, path: &str, is_loop: bool) -> Vec<Stolen> {
        // `if "X" in os.environ` asks, it does not read; `for k in os.environ` does.
        let is_asked = at > 0
            && matches!(tokens.get(at - 1), Some(Token::Name(word)) if word == "in")
            && !is_loop;
        if is_asked {
            return Vec::new();
        }
        let named = match (tokens.get(at + 1), tokens.get(at + 2)) {
            (Some(Token::Symbol('(' | '[')), Some(Token::Text(name))) => Some(name.clone()),
            (Some(Token::Symbol('(' | '[')), Some(Token::Name(name)))
                if !matches!(tokens.get(at + 1), Some(Token::Symbol('(')))
                    || path.ends_with("get") =>
            {
                Some(self.texts.get(name).cloned().unwrap_or_default())
            }
            _ => None,
        };
        match named {
            Some(name) => variable_of(&name),
            None if path.ends_with("getenv") || path.ends_with("getenvironmentvariable") => {
                Vec::new()
            }
            None => vec![Stolen {
                kind: SourceKind::Environment,
                detail: path.to_owned(),
            }],
        }
    }

    /// A path of a file with credentials.
    fn in_text(&self, text: &str) -> Vec<Stolen> {
        let path = command::at_home(text);
        credentials::kind(&path)
            .map(|kind| Stolen {
                kind,
                detail: crate::place::clean(&path),
            })
            .into_iter()
            .collect()
    }

    /// Gives the parameters of called functions what stands in the parentheses of the calls; PowerShell
    /// gives arguments without them. `held` has values by the place of their token, in order, and `all`
    /// are the same without places.
    fn hand_over(
        &mut self,
        tokens: &[Token],
        calls: &[(usize, &String)],
        held: &[(usize, Stolen)],
        all: &[Stolen],
    ) {
        if calls.is_empty() || held.is_empty() {
            return;
        }
        let ends = match self.dialect.grammar {
            Grammar::Python => closings(tokens),
            Grammar::PowerShell => HashMap::new(),
        };
        for (at, name) in calls {
            let end = match self.dialect.grammar {
                Grammar::PowerShell => tokens.len(),
                Grammar::Python if tokens.get(at + 1) == Some(&Token::Symbol('(')) => {
                    ends.get(&(at + 1)).copied().unwrap_or(tokens.len())
                }
                Grammar::Python => continue,
            };
            let from = held.partition_point(|(place, _)| place <= at);
            let mut given = Vec::new();
            for (_, value) in held.iter().skip(from).take_while(|(place, _)| *place < end) {
                if self.steps == 0 {
                    given = all.to_vec();
                    break;
                }
                self.steps -= 1;
                add(&mut given, value);
            }
            for parameter in self.functions.get(*name).cloned().unwrap_or_default() {
                self.keep(&parameter, given.clone());
            }
        }
    }
}

/// A variable of the environment, if its name says that it is secret.
fn variable_of(name: &str) -> Vec<Stolen> {
    let is_secret = secrets::is_secret_variable(name);
    let stolen = Stolen {
        kind: SourceKind::SecretVariable,
        detail: name.to_owned(),
    };
    is_secret.then_some(stolen).into_iter().collect()
}
