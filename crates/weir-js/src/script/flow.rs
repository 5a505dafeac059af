//! Which values of a script reach the network, or are run.

use std::collections::{BTreeMap, HashMap};

use weir_model::contents::{CapabilityKind, SinkKind, SourceKind};

use super::lex::{Grammar, Statement, Token, statements};
use super::said::Said;
use crate::command::{self, Deed, Leak, Reading, Stolen};
use crate::tables::network;
use crate::tables::scripts::{self, Meaning, Row};

/// How often the statements are gone through: values that are passed on by functions and loops need more
/// than once.
const ROUNDS: usize = 3;
/// Most values that one name is followed with.
pub(super) const VALUES: usize = 16;
/// Most leaks that are reported.
const LEAKS: usize = 50;
/// Steps in which arguments of calls are told apart. Behind them a call is taken to be given all that its
/// statement has, which is too much rather than too little.
const STEPS: usize = 1_000_000;
/// Longest part of a line that is looked at for a host, and shown, in bytes.
const LINE: usize = 4096;

/// A language, to this reader.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    pub(super) grammar: Grammar,
    rows: &'static [Row],
}

pub(super) const PYTHON: Dialect = Dialect {
    grammar: Grammar::Python,
    rows: scripts::PYTHON,
};
pub(super) const POWERSHELL: Dialect = Dialect {
    grammar: Grammar::PowerShell,
    rows: scripts::POWERSHELL,
};

/// Reads a script.
pub(super) fn read(text: &str, dialect: Dialect) -> Reading {
    let text = command::cut(text);
    let statements = statements(text, dialect.grammar);
    let mut reader = Reader {
        dialect,
        text,
        aliases: HashMap::new(),
        values: HashMap::new(),
        texts: HashMap::new(),
        files: HashMap::new(),
        handles: HashMap::new(),
        functions: HashMap::new(),
        carriers: HashMap::new(),
        steps: STEPS,
        reading: Reading::default(),
    };
    for statement in &statements {
        reader.imports(statement);
        reader.defines(statement);
    }
    for _ in 0..ROUNDS {
        let mut open: Vec<(usize, String)> = Vec::new();
        for statement in &statements {
            open.retain(|(indent, _)| *indent < statement.indent);
            if let Some(name) = defined(statement, dialect.grammar) {
                open.push((statement.indent, name.to_owned()));
            }
            reader.statement(statement, open.last().map(|(_, name)| name.as_str()));
        }
    }
    reader.reading
}

pub(super) struct Reader<'a> {
    pub(super) dialect: Dialect,
    pub(super) text: &'a str,
    /// Local names of modules and their members.
    pub(super) aliases: HashMap<String, String>,
    /// What variables hold.
    pub(super) values: HashMap<String, Vec<Stolen>>,
    /// Constant texts by variable.
    pub(super) texts: HashMap<String, String>,
    /// What files were written with, by path.
    pub(super) files: HashMap<String, Vec<Stolen>>,
    /// Paths of open files, by variable.
    pub(super) handles: HashMap<String, String>,
    /// Parameters of functions.
    pub(super) functions: HashMap<String, Vec<String>>,
    /// Variables that hold a connection or request, and how it sends.
    pub(super) carriers: HashMap<String, (SinkKind, String, Option<String>)>,
    /// What is left of [`STEPS`].
    pub(super) steps: usize,
    pub(super) reading: Reading,
}

/// The function that a statement begins.
fn defined(statement: &Statement, grammar: Grammar) -> Option<&str> {
    let words = match (grammar, statement.tokens.as_slice()) {
        (Grammar::Python, [Token::Name(word), rest @ ..]) if word == "async" => rest,
        (_, all) => all,
    };
    match words {
        [Token::Name(word), Token::Name(name), ..]
            if matches!(word.as_str(), "def" | "function" | "filter") =>
        {
            Some(name)
        }
        _ => None,
    }
}

impl Reader<'_> {
    /// `import a.b as c`, `from a import b as c, d`.
    fn imports(&mut self, statement: &Statement) {
        if self.dialect.grammar != Grammar::Python {
            return;
        }
        let names: Vec<&str> = statement
            .tokens
            .iter()
            .map(|token| match token {
                Token::Name(name) => name.as_str(),
                Token::Symbol(',') => ",",
                _ => "",
            })
            .collect();
        let (from, list) = match names.as_slice() {
            ["import", list @ ..] => (None, list),
            ["from", module, "import", list @ ..] => (Some(*module), list),
            _ => return,
        };
        for part in list.split(|name| *name == ",").take(64) {
            let part: Vec<&str> = part
                .iter()
                .copied()
                .filter(|name| !name.is_empty())
                .collect();
            let (name, local) = match part.as_slice() {
                [name, "as", local] => (*name, *local),
                [name] => (*name, *name),
                _ => continue,
            };
            let path = match from {
                Some(module) => format!("{module}.{name}"),
                None => name.to_owned(),
            };
            if local != path {
                self.aliases.insert(local.to_owned(), path);
            }
        }
    }

    fn defines(&mut self, statement: &Statement) {
        let Some(name) = defined(statement, self.dialect.grammar) else {
            return;
        };
        let parameters = statement
            .tokens
            .iter()
            .skip_while(|token| **token != Token::Symbol('('))
            .filter_map(|token| match token {
                Token::Name(name) => Some(name.clone()),
                _ => None,
            })
            .take(16)
            .collect();
        self.functions.insert(name.to_owned(), parameters);
    }

    /// A name as its module knows it.
    pub(super) fn path(&self, name: &str) -> String {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match self.aliases.get(first) {
            Some(path) if rest.is_empty() => path.clone(),
            Some(path) => format!("{path}.{rest}"),
            None => name.to_owned(),
        }
    }

    /// What a name means: as it is, as a member of a module that means one thing, or as a method.
    pub(super) fn meaning(&self, path: &str) -> Option<Meaning> {
        let rows = self.dialect.rows;
        let exact = |wanted: &str| {
            rows.iter()
                .find(|row| row.name == wanted)
                .map(|row| row.meaning)
        };
        if let Some(found) = exact(path) {
            return Some(found);
        }
        let (first, _) = path.split_once('.')?;
        let last = path.rsplit('.').next().unwrap_or_default();
        exact(&format!(".{last}"))
            .or_else(|| exact(first).filter(|_| !first.is_empty()))
            .or_else(|| {
                // `os.environ.get`, `os.environ.copy`
                let (object, _) = path.rsplit_once('.')?;
                exact(object).filter(|meaning| *meaning == Meaning::Environment)
            })
    }

    fn statement(&mut self, statement: &Statement, function: Option<&str>) {
        let tokens = &statement.tokens;
        if matches!(tokens.first(), Some(Token::Name(word)) if word == "import" || word == "from")
            || defined(statement, self.dialect.grammar).is_some()
        {
            return;
        }
        let said = self.said(tokens);
        let host = self.host(statement);
        let line = crate::place::clean(self.line(statement));
        let mut made = said.values.clone();
        self.sends(&said, tokens, host.as_deref(), &line);
        if let Some((kind, label)) = &said.talks {
            let from = host.clone().unwrap_or_else(|| "an unknown host".to_owned());
            if *kind != SinkKind::Dns {
                made.push(Stolen {
                    kind: SourceKind::Fetched,
                    detail: format!("download from {from}"),
                });
            }
            self.deed(
                match kind {
                    SinkKind::Dns => CapabilityKind::Dns,
                    _ => CapabilityKind::Network,
                },
                label.clone(),
                &line,
            );
        }
        self.runs(&said, tokens, &line);
        self.writes(&said, statement, host.as_deref(), &line);
        self.assigns(statement, &said, made.clone(), host);
        if let (Some(Token::Name(word)), Some(function)) = (tokens.first(), function)
            && word == "return"
        {
            self.keep(function, made.clone());
        }
        if statement.opens {
            self.keep("$_", made);
        }
    }

    /// The line of a statement, from its beginning.
    fn line(&self, statement: &Statement) -> &str {
        let rest = self.text.get(statement.offset..).unwrap_or_default();
        let rest = rest.get(..rest.floor_char_boundary(LINE)).unwrap_or(rest);
        rest.lines().next().unwrap_or_default()
    }

    /// The host that a statement names, by itself or by a constant.
    fn host(&self, statement: &Statement) -> Option<String> {
        let named = statement.tokens.iter().find_map(|token| match token {
            Token::Text(text) => network::host_of(text),
            Token::Name(name) => {
                let base = name.split('.').next().unwrap_or(name);
                self.texts
                    .get(base)
                    .and_then(|text| network::host_of(text))
                    .or_else(|| self.carriers.get(base).and_then(|(.., host)| host.clone()))
            }
            Token::Symbol(_) => None,
        });
        named.or_else(|| network::host_of(self.line(statement)))
    }

    /// Secrets that a statement gives to what talks to the network.
    fn sends(&mut self, said: &Said, tokens: &[Token], host: Option<&str>, line: &str) {
        let by_carrier = tokens.iter().find_map(|token| match token {
            Token::Name(name) => {
                let (base, method) = name.split_once('.')?;
                let last = method.rsplit('.').next().unwrap_or(method);
                let sends = matches!(
                    last,
                    "send"
                        | "sendall"
                        | "sendto"
                        | "request"
                        | "post"
                        | "put"
                        | "get"
                        | "sendmail"
                        | "storbinary"
                        | "write"
                        | "open"
                );
                self.carriers
                    .get(base)
                    .filter(|_| sends)
                    .map(|(kind, label, _)| (*kind, label.clone()))
            }
            _ => None,
        });
        let Some((sink, label)) = said.talks.clone().or(by_carrier) else {
            return;
        };
        if let Some(host) = host
            && !self.reading.hosts.iter().any(|(known, _)| known == host)
            && self.reading.hosts.len() < 64
        {
            self.reading.hosts.push((host.to_owned(), line.to_owned()));
        }
        let is_odd = host.is_some_and(network::is_odd_host);
        let in_header = tokens.iter().any(|token| match token {
            Token::Text(text) => network::CREDENTIAL_FIELDS
                .iter()
                .any(|field| text.eq_ignore_ascii_case(field)),
            _ => false,
        });
        for value in &said.values {
            let is_secret = !matches!(value.kind, SourceKind::Fetched | SourceKind::Decoded);
            let is_login = value.kind == SourceKind::SecretVariable && in_header && !is_odd;
            if is_secret && !is_login {
                self.leak(value.clone(), sink, with_host(&label, host), line);
            }
        }
    }

    /// What is fetched or decoded and then run, and command lines.
    fn runs(&mut self, said: &Said, tokens: &[Token], line: &str) {
        let comes_from_elsewhere =
            |value: &&Stolen| matches!(value.kind, SourceKind::Fetched | SourceKind::Decoded);
        if let Some(how) = &said.evaluates {
            let fetched_here = said.talks.as_ref().map(|_| self.fetched_here(line));
            let values = said.values.iter().filter(comes_from_elsewhere).cloned();
            for value in values.chain(fetched_here) {
                self.leak(value, SinkKind::DynamicCode, how.clone(), line);
            }
            self.deed(CapabilityKind::DynamicCode, how.clone(), line);
        }
        let Some(how) = &said.starts else { return };
        self.deed(CapabilityKind::Process, how.clone(), line);
        let texts: Vec<String> = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Text(text) => Some(text.clone()),
                Token::Name(name) => self.texts.get(name).cloned(),
                Token::Symbol(_) => None,
            })
            .collect();
        let unpacked = texts
            .iter()
            .filter_map(|text| self.files.get(text))
            .flatten();
        let values: Vec<Stolen> = said
            .values
            .iter()
            .chain(unpacked)
            .filter(comes_from_elsewhere)
            .cloned()
            .collect();
        for value in values {
            self.leak(value, SinkKind::Process, how.clone(), line);
        }
        let is_list = tokens.contains(&Token::Symbol('['));
        let command = match (is_list, texts.as_slice()) {
            (true, words) => words
                .iter()
                .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
                .collect::<Vec<_>>()
                .join(" "),
            (false, [first, ..]) => first.clone(),
            (false, []) => return,
        };
        let inner = command::read(&command, &BTreeMap::new());
        self.reading.join(inner);
    }

    fn fetched_here(&self, line: &str) -> Stolen {
        let host = network::host_of(line).unwrap_or_else(|| "an unknown host".to_owned());
        Stolen {
            kind: SourceKind::Fetched,
            detail: format!("download from {host}"),
        }
    }

    fn leak(&mut self, source: Stolen, sink: SinkKind, sink_detail: String, line: &str) {
        let leak = Leak {
            source,
            sink,
            sink_detail,
            snippet: line.to_owned(),
        };
        if self.reading.leaks.len() < LEAKS && !self.reading.leaks.contains(&leak) {
            self.reading.leaks.push(leak);
        }
    }

    pub(super) fn deed(&mut self, kind: CapabilityKind, detail: String, line: &str) {
        if self.reading.acts.iter().all(|deed| deed.kind != kind) {
            self.reading.acts.push(Deed {
                kind,
                detail,
                snippet: line.to_owned(),
            });
        }
    }
}

fn with_host(label: &str, host: Option<&str>) -> String {
    match host {
        Some(host) => format!("{label} to {host}"),
        None => label.to_owned(),
    }
}
