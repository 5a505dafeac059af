//! Secrets that a script sends to the network: through pipes, groups, loops, functions, variables and files.

use std::collections::HashMap;
use std::ops::Range;

use weir_model::contents::{SinkKind, SourceKind};

use super::acts::at_home;
use super::coded::Coded;
use super::leaks::{Leak, Stolen, addressee, device, host, program, tool};
use super::shell::{self, Mark, Simple};
use super::told::{Known, in_path, in_word, yields};
use super::trees::{self, seen_from};
use super::values;
use super::wrappers::unwrapped;
use crate::tables::{folders, network};

/// Most leaks that are told of one script.
const LEAKS: usize = 50;
/// Most secrets that are kept of one variable, file or group.
const HELD: usize = 32;
/// Most pipelines of functions that are gone through for all their calls, and how deep calls go. Long ones
/// count for several.
const STEPS: usize = 1 << 13;
const STEP: usize = 64;
const CALL_DEPTH: usize = 16;
/// Most names that are kept of files with secrets, and of variables that functions set.
const NAMES: usize = 1024;
/// Longest path of a folder that is kept.
const HOME_PATH: usize = 512;

/// All leaks of a script, and whether there was more than was gone through.
pub(super) fn find(commands: &[Vec<Simple>]) -> (Vec<Leak>, bool) {
    let mut script = Script {
        commands,
        leaks: Vec::new(),
        variables: Known::new(),
        locals: HashMap::new(),
        packed: Known::new(),
        groups: Vec::new(),
        bodies: HashMap::new(),
        socket: None,
        home: None,
        steps: 0,
        active: Vec::new(),
        in_part: false,
    };
    script.all();
    // A function may run before the text comes to one that it calls: once more, with all of them known.
    if !script.bodies.is_empty() {
        script.forget();
        script.all();
    }
    (script.leaks, script.in_part)
}

/// A group that has begun.
#[derive(Default)]
struct Group {
    /// What it is given to read.
    reads: Vec<Stolen>,
    /// What its programs have written so far.
    writes: Vec<Stolen>,
    /// Where it stands by itself: the name of a function, or none.
    aside: Option<String>,
    /// The pipeline after its beginning.
    first: usize,
}

struct Script<'a> {
    commands: &'a [Vec<Simple>],
    leaks: Vec<Leak>,
    variables: Known,
    /// Constants that functions set.
    locals: HashMap<String, String>,
    /// Files that hold secrets under another name.
    packed: Known,
    groups: Vec<Group>,
    /// Where the bodies of functions stand.
    bodies: HashMap<String, Range<usize>>,
    /// The host of a socket that was opened for later programs.
    socket: Option<String>,
    /// Where in a home folder the programs are, once they went there.
    home: Option<String>,
    steps: usize,
    /// Functions that are being run.
    active: Vec<String>,
    in_part: bool,
}

impl Script<'_> {
    fn all(&mut self) {
        for at in 0..self.commands.len() {
            self.at(at, &[], 0);
            if self.leaks.len() > LEAKS {
                self.in_part = true;
                break;
            }
        }
    }

    /// All but the functions, what they write, and what was found.
    fn forget(&mut self) {
        self.variables.retain(|name, _| name.ends_with("()"));
        self.locals.clear();
        self.packed.clear();
        self.groups.clear();
        self.socket = None;
        self.home = None;
        self.steps = 0;
    }

    /// One pipeline, in a function with the arguments it was called with.
    fn at(&mut self, at: usize, arguments: &[String], depth: usize) {
        let commands = self.commands;
        let Some(pipeline) = commands.get(at) else {
            return;
        };
        if arguments.is_empty() && self.locals.is_empty() {
            self.pipeline(pipeline, at, depth);
        } else {
            let mut bound = pipeline.clone();
            values::bind(&mut bound, arguments);
            values::put_known(&mut bound, &self.locals);
            self.pipeline(&bound, at, depth);
        }
    }

    /// Keeps constants that a function sets; what others set was put in before.
    fn keep_local(&mut self, name: &str, value: &str, depth: usize) {
        if depth == 0 || !values::is_constant(value) {
            self.locals.remove(name);
        } else if self.locals.len() < NAMES {
            self.locals.insert(name.to_owned(), value.to_owned());
        } else {
            self.in_part = true;
        }
    }

    fn pipeline(&mut self, pipeline: &[Simple], at: usize, depth: usize) {
        let mut carried: Vec<Stolen> = Vec::new();
        for (index, simple) in pipeline.iter().enumerate() {
            match &simple.mark {
                Mark::Begin => {
                    self.begin(simple, carried, None, at);
                    return;
                }
                Mark::Aside(name) => {
                    self.begin(simple, Vec::new(), Some(name.clone()), at);
                    return;
                }
                Mark::End => {
                    if simple.is_subshell {
                        self.home = None;
                    }
                    carried = self.end(simple, at);
                }
                Mark::Program => {
                    if index == 0
                        && reads_input(simple)
                        && let Some(group) = self.groups.last()
                    {
                        carried.clone_from(&group.reads);
                    }
                    self.program(simple, &mut carried, depth);
                }
            }
        }
        if let Some(group) = self.groups.last_mut()
            && pipeline.last().is_some_and(|last| !goes_elsewhere(last))
        {
            merge(&mut group.writes, &carried);
        }
    }

    fn begin(&mut self, simple: &Simple, carried: Vec<Stolen>, aside: Option<String>, at: usize) {
        let mut reads = carried;
        merge(&mut reads, &self.read_by(simple));
        if reads.is_empty()
            && aside.is_none()
            && let Some(outer) = self.groups.last()
        {
            reads.clone_from(&outer.reads);
        }
        self.groups.push(Group {
            reads,
            writes: Vec::new(),
            aside,
            first: at + 1,
        });
    }

    /// What a group writes into the pipe behind it.
    fn end(&mut self, simple: &Simple, at: usize) -> Vec<Stolen> {
        let Some(group) = self.groups.pop() else {
            return Vec::new();
        };
        if let Some(name) = group.aside {
            if !name.is_empty() {
                self.variables.insert(format!("{name}()"), group.writes);
                self.bodies.insert(name, group.first..at);
            }
            return Vec::new();
        }
        self.sent_to_socket(simple, &group.writes);
        self.in_part |= !pack(simple, &group.writes, &mut self.packed);
        group.writes
    }

    /// Secrets in the redirected input of a program or group.
    fn read_by(&self, simple: &Simple) -> Vec<Stolen> {
        let mut found = Vec::new();
        for input in &simple.inputs {
            found.extend(in_path(input));
            found.extend(in_word(input, &self.variables, 0));
        }
        for document in &simple.documents {
            found.extend(in_word(document, &self.variables, 0));
        }
        found
    }

    fn program(&mut self, simple: &Simple, carried: &mut Vec<Stolen>, depth: usize) {
        for (name, value) in shell::settings(simple) {
            let stolen = in_word(value, &self.variables, 0);
            merge(self.variables.entry(name.to_owned()).or_default(), &stolen);
            self.keep_local(name, value, depth);
        }
        let there = self.in_home(simple);
        let simple = there.as_ref().unwrap_or(simple);
        let words = unwrapped(&simple.words);
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        self.moves(&name, words);
        self.binds(&name, words, simple, carried);
        let own = match self.bodies.get(&*name).cloned() {
            Some(body) => {
                let mut given = carried.clone();
                merge(&mut given, &self.read_by(simple));
                self.call(&name, body, words, &given, depth)
            }
            None => yields(simple, &self.variables, 0),
        };
        if let Some((tool, kind)) = tool(words) {
            self.sends(simple, words, tool, kind, carried);
        } else {
            merge(carried, &own);
            self.sent_to_socket(simple, carried);
        }
        if name == "git" {
            self.git(words);
        }
        self.coded(words);
        self.in_part |= !pack(simple, &own, &mut self.packed);
        merge(carried, &own);
    }

    /// A program with what it names of the home folder in which it runs.
    fn in_home(&self, simple: &Simple) -> Option<Simple> {
        let home = self.home.as_ref()?;
        let mut there = simple.clone();
        for word in there.words.iter_mut().skip(1).chain(&mut there.inputs) {
            let path = seen_from(home, word);
            if path != *word && (folders::tree(&path).is_some() || folders::file(&path).is_some()) {
                *word = path;
            }
        }
        Some(there)
    }

    /// `cd ~/x`
    fn moves(&mut self, name: &str, words: &[String]) {
        if !matches!(name, "cd" | "pushd" | "popd" | "chdir" | "set-location") {
            return;
        }
        let to = words.iter().skip(1).find(|word| !word.starts_with('-'));
        let to = match to {
            Some(word) => at_home(word),
            None if name == "cd" && words.len() == 1 => "~".to_owned(),
            None => String::new(),
        };
        let from = self.home.take();
        let path = match from {
            Some(from) if !to.is_empty() && !to.starts_with("..") => seen_from(&from, &to),
            _ => to,
        };
        // The root holds no more of it than the folder of homes.
        let is_home = path.starts_with(['~', '/']) && path.len() < HOME_PATH && path != "/";
        self.home = Some(path)
            .filter(|path| is_home && folders::below_home(&path.to_ascii_lowercase()).is_some());
    }

    /// What git sends: what was copied into the folder, and secrets in what it is told to ask for. In front of
    /// the host is what it logs in with.
    fn git(&mut self, words: &[String]) {
        let verb = words.iter().skip(1).find(|word| !word.starts_with('-'));
        let verb = verb.map_or("", String::as_str);
        let label = match verb {
            "push" => "git push",
            "fetch" => "git fetch",
            "pull" => "git pull",
            "clone" => "git clone",
            "ls-remote" => "git ls-remote",
            _ => return,
        };
        let text = words.join(" ");
        // Behind what it logs in with: `https://user:$TOKEN@host/x`
        let login = words.iter().find(|word| word.contains("://"));
        let login = login.and_then(|word| word.rsplit_once('@'));
        let named = login.and_then(|(_, rest)| rest.split(['/', ':']).next());
        let host = named.map(str::to_ascii_lowercase).or_else(|| host(&text));
        let is_strange = |one: &Stolen| {
            let is_foreign = |host: &String| network::is_foreign(&one.detail, host);
            host.as_deref().is_some_and(network::is_odd_host)
                || host.as_ref().is_some_and(is_foreign)
        };
        let mut given: Vec<Stolen> = match verb {
            "push" => self.packed.values().flatten().cloned().collect(),
            _ => Vec::new(),
        };
        for word in words.iter().skip(2) {
            let is_login = |one: &Stolen| {
                one.kind == SourceKind::SecretVariable && word.contains("://") && word.contains('@')
            };
            let held = in_word(word, &self.variables, 0).into_iter();
            given.extend(held.filter(|one| {
                // A branch is named after whoever made it.
                one.kind != SourceKind::HostFacts && (!is_login(one) || is_strange(one))
            }));
        }
        let kind = SinkKind::NetworkCommand;
        report(&mut self.leaks, given, kind, label, host, &text);
    }

    /// `export T=$(cat ~/.npmrc); node -e "fetch('https://…' + process.env.T)"`
    fn coded(&mut self, words: &[String]) {
        let Some(code) = Coded::of(words).filter(|_| !self.variables.is_empty()) else {
            return;
        };
        let held = code.sent();
        let held = held.iter().filter_map(|name| self.variables.get(name));
        let given: Vec<Stolen> = held.flatten().cloned().collect();
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        let kind = SinkKind::Http;
        let text = words.join(" ");
        report(
            &mut self.leaks,
            given,
            kind,
            &name,
            host(code.text()),
            &text,
        );
    }

    /// Variables that take their values from what is read or gone through.
    fn binds(&mut self, name: &str, words: &[String], simple: &Simple, carried: &[Stolen]) {
        match name {
            "read" | "mapfile" | "readarray" => {
                let mut held = carried.to_vec();
                held.extend(self.read_by(simple));
                let named = words.iter().skip(1).filter(|word| !word.starts_with('-'));
                let mut names: Vec<String> = named.cloned().collect();
                if names.is_empty() {
                    names.push("REPLY".to_owned());
                }
                for name in names {
                    merge(self.variables.entry(name).or_default(), &held);
                }
            }
            "for" | "select" => {
                let Some((name, values)) = words.get(1..).and_then(<[String]>::split_first) else {
                    return;
                };
                let held: Vec<Stolen> = values
                    .iter()
                    .flat_map(|word| in_word(word, &self.variables, 0))
                    .collect();
                merge(self.variables.entry(name.clone()).or_default(), &held);
            }
            _ => {}
        }
    }

    /// Runs the body of a function, with what it is given.
    fn call(
        &mut self,
        name: &str,
        body: Range<usize>,
        words: &[String],
        carried: &[Stolen],
        depth: usize,
    ) -> Vec<Stolen> {
        let arguments = words.get(1..).unwrap_or_default();
        if depth >= CALL_DEPTH || !self.may_run(&body) {
            // One that calls itself does the same each time.
            self.in_part |= !self.active.iter().any(|active| active == name);
            let written = self.variables.get(&format!("{name}()"));
            return written.cloned().unwrap_or_default();
        }
        self.active.push(name.to_owned());
        let height = self.groups.len();
        self.groups.push(Group {
            reads: carried.to_vec(),
            ..Group::default()
        });
        for at in body {
            self.at(at, arguments, depth + 1);
        }
        let written = self.groups.get_mut(height).map(|group| &mut group.writes);
        let written = written.map(std::mem::take).unwrap_or_default();
        self.groups.truncate(height);
        self.active.pop();
        written
    }

    /// Whether there are steps left for the body of a function.
    fn may_run(&mut self, body: &Range<usize>) -> bool {
        if self.steps >= STEPS {
            return false;
        }
        let pipelines = self.commands.get(body.clone()).unwrap_or_default();
        let words = pipelines.iter().flatten().flat_map(|simple| &simple.words);
        let length: usize = words.map(|word| word.len() + 1).sum();
        let steps = pipelines.len() + length / STEP + 1;
        self.steps = self.steps.saturating_add(steps);
        self.steps <= STEPS
    }

    fn sends(
        &mut self,
        simple: &Simple,
        words: &[String],
        tool: &str,
        kind: SinkKind,
        carried: &[Stolen],
    ) {
        let text = simple.words.join(" ");
        let by_user = || addressee(words).filter(|_| takes_address(tool));
        let host = by_user().or_else(|| host(&text));
        let mut given = arguments(words, &self.variables, host.as_deref(), kind);
        given.extend(trees::taken(words));
        given.extend(self.read_by(simple));
        given.extend(carried.iter().cloned());
        given.extend(words.iter().flat_map(|word| {
            let file = word
                .rsplit_once('@')
                .map_or(word.as_str(), |(_, file)| file);
            self.packed.get(file).into_iter().flatten().cloned()
        }));
        report(&mut self.leaks, given, kind, tool, host, &text);
    }

    /// What goes into `/dev/tcp`, at once or by the number it was opened under.
    fn sent_to_socket(&mut self, simple: &Simple, given: &[Stolen]) {
        let is_open = |path: &&String| matches!(path.parse::<u8>(), Ok(3..));
        let (host, shown) = match device(&simple.outputs) {
            Some(path) => (path.split('/').nth(3).map(str::to_owned), path.to_owned()),
            None => match (&self.socket, simple.outputs.iter().find(is_open)) {
                (Some(host), Some(_)) => (Some(host.clone()), simple.words.join(" ")),
                _ => return,
            },
        };
        if simple.words.first().is_some_and(|word| word == "exec") {
            self.socket.clone_from(&host);
        }
        let kind = SinkKind::Socket;
        report(
            &mut self.leaks,
            given.to_vec(),
            kind,
            "/dev/tcp",
            host,
            &shown,
        );
    }
}

/// Whether a program at the beginning of a pipeline reads what its group is given.
fn reads_input(simple: &Simple) -> bool {
    let words = unwrapped(&simple.words);
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    match &*program(first) {
        "read" | "mapfile" | "readarray" | "nc" | "ncat" | "netcat" | "socat" | "telnet"
        | "openssl" | "xargs" | "ssh" | "mail" | "mailx" | "sendmail" | "msmtp" | "pastebinit"
        | "websocat" => true,
        "curl" | "wget" | "aws" | "http" | "https" => {
            simple.words.first().is_some_and(|word| word == "xargs")
                || rest.iter().any(|word| {
                    word == "-" || word == "." || word.ends_with("@-") || word.ends_with("=-")
                })
        }
        // With a file of their own they read that.
        "cat" | "base64" | "gzip" | "xxd" | "od" | "hexdump" | "sort" | "tac" | "rev" => {
            rest.iter().all(|word| word.starts_with('-'))
        }
        "tr" | "tee" | "head" | "tail" | "cut" | "grep" | "egrep" | "sed" | "awk" | "jq" => true,
        _ => false,
    }
}

/// Whether a tool is told where to by `user@host`.
fn takes_address(tool: &str) -> bool {
    matches!(
        tool,
        "ssh" | "scp" | "sftp" | "rsync" | "mail" | "mailx" | "mutt" | "sendmail" | "msmtp"
    )
}

/// Whether a word is one substitution or variable and nothing else: `$(hostname)`.
fn is_alone(word: &str) -> bool {
    let is_one = word.starts_with("$(") && word.ends_with(')')
        || word.len() > 1 && word.starts_with('`') && word.ends_with('`');
    is_one || word.strip_prefix('$').is_some_and(shell::is_name)
}

/// Whether a program writes into a file and not into the pipe behind it.
fn goes_elsewhere(simple: &Simple) -> bool {
    simple
        .outputs
        .iter()
        .any(|path| !path.starts_with("/dev/") && !path.chars().all(|c| c.is_ascii_digit()))
}

fn merge(into: &mut Vec<Stolen>, from: &[Stolen]) {
    for one in from {
        if into.len() < HELD && !into.contains(one) {
            into.push(one.clone());
        }
    }
}

/// Files of secrets that are copied or packed: they are secrets under the new name too. False where there
/// are too many.
fn pack(simple: &Simple, own: &[Stolen], packed: &mut Known) -> bool {
    let words = unwrapped(&simple.words);
    let name = words.first().map(|word| program(word)).unwrap_or_default();
    let packs = matches!(
        &*name,
        "tar"
            | "zip"
            | "7z"
            | "cp"
            | "mv"
            | "ln"
            | "install"
            | "copy"
            | "copy-item"
            | "rsync"
            | "compress-archive"
    );
    let operands = || words.iter().skip(1).filter(|word| !word.starts_with('-'));
    let mut stolen = own.to_vec();
    if packs {
        stolen.extend(operands().flat_map(|word| in_path(word)));
        stolen.extend(trees::taken(words));
    }
    if stolen.is_empty() {
        return true;
    }
    let targets = operands().filter(|word| packs && in_path(word).is_empty());
    for target in targets.chain(&simple.outputs) {
        if packed.len() >= NAMES {
            return false;
        }
        if target != "/dev/null" {
            merge(packed.entry(target.clone()).or_default(), &stolen);
        }
    }
    true
}

fn report(
    leaks: &mut Vec<Leak>,
    given: Vec<Stolen>,
    sink: SinkKind,
    name: &str,
    host: Option<String>,
    text: &str,
) {
    let sink_detail = match host {
        Some(host) => format!("{name} to {host}"),
        None => name.to_owned(),
    };
    for source in given {
        let leak = Leak {
            source,
            sink,
            sink_detail: sink_detail.clone(),
            snippet: crate::place::clean(&shell::literal(text)),
        };
        if !leaks.contains(&leak) {
            leaks.push(leak);
        }
    }
}

/// Secrets in the arguments of a network tool.
fn arguments(
    words: &[String],
    variables: &Known,
    host: Option<&str>,
    kind: SinkKind,
) -> Vec<Stolen> {
    let odd = host.is_some_and(network::is_odd_host);
    let is_foreign = |one: &Stolen| host.is_some_and(|host| network::is_foreign(&one.detail, host));
    let mut found = Vec::new();
    let mut after_header = false;
    let mut after_upload = false;
    let mut after_user = false;
    for word in words.iter().skip(1) {
        let stolen = in_word(word, variables, 0);
        let lower = word.to_ascii_lowercase();
        let in_credential_header = (after_header || lower.starts_with("--header="))
            && network::CREDENTIAL_FIELDS
                .iter()
                .any(|field| lower.trim_start_matches("--header=").starts_with(field));
        let exempt = !odd && (in_credential_header || after_user);
        // Its own name is what a machine looks up to learn its address.
        let is_own_name = kind == SinkKind::Dns && is_alone(word);
        found.extend(
            stolen
                .into_iter()
                .filter(|one| !is_own_name || one.kind != SourceKind::HostFacts)
                .filter(|one| !exempt || one.kind != SourceKind::SecretVariable || is_foreign(one)),
        );
        // `-d @file`, `-F x=@file`, `-T file`, `--data-binary=@file`.
        if let Some((_, path)) = word.split_once('@')
            && !word.contains("://")
        {
            found.extend(in_path(path));
        } else if after_upload
            || lower.starts_with("--post-file=")
            || lower.starts_with("--upload-file=")
        {
            found.extend(in_path(word.rsplit('=').next().unwrap_or(word)));
        } else if !word.starts_with('-')
            && program(words.first().map_or("", |first| first)) != "curl"
        {
            found.extend(in_path(word));
        }
        after_header = matches!(word.as_str(), "-H" | "--header");
        after_upload = matches!(word.as_str(), "-T" | "--upload-file" | "--body-file");
        after_user = matches!(word.as_str(), "-u" | "--user" | "--oauth2-bearer");
    }
    found
}
