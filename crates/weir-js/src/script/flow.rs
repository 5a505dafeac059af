//! Which values of a script reach the network, or are run.

use std::collections::{BTreeMap, HashMap};

use weir_model::contents::{CapabilityKind, SinkKind, SourceKind};

use super::lex::{Grammar, Statement, Token, statements};
use crate::ability::{Touch, Verb, judge};
use crate::command::{self, Deed, Leak, Reading, Stolen};
use crate::tables::scripts::{self, Meaning, Row};
use crate::tables::{credentials, network, secrets};

/// How often the statements are gone through: values that are passed on by functions and loops need more
/// than once.
const ROUNDS: usize = 3;
/// Most values that one name is followed with.
const VALUES: usize = 16;
/// Most leaks that are reported.
const LEAKS: usize = 50;
/// Deepest call in a call whose arguments are handed to the function's parameters.
const CALLS: u8 = 4;

/// A language, to this reader.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    grammar: Grammar,
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
        nested: 0,
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

/// What a statement's names say together.
#[derive(Default)]
struct Said {
    /// Values in it, by what they hold.
    values: Vec<Stolen>,
    talks: Option<(SinkKind, String)>,
    fetches_file: bool,
    evaluates: Option<String>,
    starts: Option<String>,
    opens: bool,
    removes: bool,
}

struct Reader<'a> {
    dialect: Dialect,
    text: &'a str,
    /// Local names of modules and their members.
    aliases: HashMap<String, String>,
    /// What variables hold.
    values: HashMap<String, Vec<Stolen>>,
    /// Constant texts by variable.
    texts: HashMap<String, String>,
    /// What files were written with, by path.
    files: HashMap<String, Vec<Stolen>>,
    /// Paths of open files, by variable.
    handles: HashMap<String, String>,
    /// Parameters of functions.
    functions: HashMap<String, Vec<String>>,
    /// Variables that hold a connection or request, and how it sends.
    carriers: HashMap<String, (SinkKind, String, Option<String>)>,
    /// Calls in calls at hand.
    nested: u8,
    reading: Reading,
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
    fn path(&self, name: &str) -> String {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match self.aliases.get(first) {
            Some(path) if rest.is_empty() => path.clone(),
            Some(path) => format!("{path}.{rest}"),
            None => name.to_owned(),
        }
    }

    /// What a name means: as it is, as a member of a module that means one thing, or as a method.
    fn meaning(&self, path: &str) -> Option<Meaning> {
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
        let line = crate::place::clean(
            self.text
                .get(statement.offset..)
                .and_then(|rest| rest.lines().next())
                .unwrap_or_default(),
        );
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

    /// Names of a statement, and what they stand for.
    fn said(&mut self, tokens: &[Token]) -> Said {
        let mut said = Said::default();
        let lists_environment = self.lists_environment(tokens);
        for (at, token) in tokens.iter().enumerate() {
            let name = match token {
                Token::Name(name) => name,
                Token::Text(text) => {
                    said.values.extend(self.in_text(text));
                    continue;
                }
                Token::Symbol(_) => continue,
            };
            let base = name.split('.').next().unwrap_or(name);
            said.values
                .extend(self.values.get(base).into_iter().flatten().cloned());
            if let Some(variable) = name.strip_prefix("$env:") {
                said.values
                    .extend(variable_of(&variable.to_ascii_uppercase()));
            }
            if let Some(parameters) = self.functions.get(name).cloned() {
                let given = self.given(tokens, at);
                for parameter in parameters {
                    self.keep(&parameter, given.clone());
                }
            }
            let path = self.path(name);
            let Some(meaning) = self.meaning(&path) else {
                continue;
            };
            match meaning {
                Meaning::Environment => said.values.extend(self.environment(tokens, at, &path)),
                Meaning::Source(kind) => said.values.push(Stolen { kind, detail: path }),
                Meaning::Talks(kind) => said.talks = Some((kind, path)),
                Meaning::FetchesFile => {
                    said.fetches_file = true;
                    said.talks = Some((SinkKind::Http, path));
                }
                Meaning::Decodes => said.values.push(Stolen {
                    kind: SourceKind::Decoded,
                    detail: path,
                }),
                Meaning::Evaluates => said.evaluates = Some(path),
                Meaning::Starts => said.starts = Some(path),
                Meaning::Opens => {
                    said.opens = true;
                    if lists_environment {
                        said.values.push(Stolen {
                            kind: SourceKind::Environment,
                            detail: "env:".to_owned(),
                        });
                    }
                }
                Meaning::RemovesTree => said.removes = true,
            }
        }
        said.values.dedup();
        said.values.truncate(VALUES);
        said
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
    fn environment(&self, tokens: &[Token], at: usize, path: &str) -> Vec<Stolen> {
        // `if "X" in os.environ` asks, it does not read; `for k in os.environ` does.
        let is_asked = at > 0
            && matches!(tokens.get(at - 1), Some(Token::Name(word)) if word == "in")
            && !matches!(tokens.first(), Some(Token::Name(word)) if word == "for")
            && !tokens
                .iter()
                .any(|token| matches!(token, Token::Name(word) if word == "for"));
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

    /// What a call is given: the values of all that stands in its parentheses.
    fn given(&mut self, tokens: &[Token], at: usize) -> Vec<Stolen> {
        let mut depth = 0_usize;
        let mut inside = Vec::new();
        for token in tokens.iter().skip(at + 1) {
            match token {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                // PowerShell gives arguments without parentheses.
                _ if self.dialect.grammar == Grammar::PowerShell => {}
                _ => break,
            }
            inside.push(token.clone());
            if depth == 0 && self.dialect.grammar == Grammar::Python {
                break;
            }
        }
        if inside.is_empty() || self.nested >= CALLS {
            return Vec::new();
        }
        self.nested += 1;
        let values = self.said(&inside).values;
        self.nested -= 1;
        values
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
        named.or_else(|| {
            let line = self.text.get(statement.offset..)?.lines().next()?;
            network::host_of(line)
        })
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

    /// Files that are written: with what, and where.
    fn writes(&mut self, said: &Said, statement: &Statement, host: Option<&str>, line: &str) {
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
        if let Some(act) = judge(&touch, "package.json", false) {
            self.deed(act.kind, act.detail.into_owned(), line);
        }
    }

    /// `a = ...`, `a, b = ...`, `with x as a`, `for a in x`, `$a += ...`.
    fn assigns(
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

    fn keep(&mut self, name: &str, values: Vec<Stolen>) {
        if values.is_empty() || self.values.len() > 4096 {
            return;
        }
        let held = self.values.entry(name.to_owned()).or_default();
        for value in values {
            if held.len() < VALUES && !held.contains(&value) {
                held.push(value);
            }
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

    fn deed(&mut self, kind: CapabilityKind, detail: String, line: &str) {
        if self.reading.acts.iter().all(|deed| deed.kind != kind) {
            self.reading.acts.push(Deed {
                kind,
                detail,
                snippet: line.to_owned(),
            });
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

/// A variable of the environment, if its name says that it is secret.
fn variable_of(name: &str) -> Vec<Stolen> {
    let is_secret = secrets::is_secret_variable(name);
    let stolen = Stolen {
        kind: SourceKind::SecretVariable,
        detail: name.to_owned(),
    };
    is_secret.then_some(stolen).into_iter().collect()
}

fn with_host(label: &str, host: Option<&str>) -> String {
    match host {
        Some(host) => format!("{label} to {host}"),
        None => label.to_owned(),
    }
}
