//! Runs the rules until nothing grows any more.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use weir_model::contents::SourceKind;

use super::builtins;
use super::graph::{Atom, Graph, Key, NONE, Name, Names, Node, Quick, Rule, TEXT_BYTES, Use};
use super::overheard::{LOADED, LOADED_ONE};
use super::queue::Queue;
use crate::hash::Set;
use crate::tables::{calls, secrets};

/// What a worker was given by whoever started it.
const WORKER: &str = "node:worker_threads.workerData";

/// Most fields of an object whose names are followed as constants.
const NAMED: usize = 8;

/// How the solver sees the package around the graph.
pub(crate) trait Modular {
    /// The file that `specifier` means in `file`.
    fn resolve(&self, file: u32, specifier: &str) -> Option<u32>;
    /// Code in a folder, seen from `file`.
    fn folder(&self, file: u32, folder: &str) -> Vec<u32>;
    /// The later file of a bundle that is known by this key, beside `file`.
    fn chunk(&self, file: u32, key: &str) -> Option<u32>;
    /// The field of the manifest that a variable `npm_package_…` holds, by what follows.
    fn manifest(&self, variable: &str) -> Option<String>;
    /// The file at a path from the package's root.
    fn at_root(&self, path: &str) -> Option<u32>;
    /// The path of a file.
    fn path(&self, file: u32) -> Option<String>;
    /// The contents of a JSON file, where the file is one.
    fn json(&self, file: u32) -> Option<serde_json::Value>;
}

/// How solving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing grows any more.
    Complete,
    /// The budget is spent; what was found so far is true.
    Stopped,
    /// So is the room for what rules make of each other.
    Overgrown,
}

/// The solver's state beside the graph.
pub(crate) struct Solver<'m> {
    pub(crate) graph: Graph,
    pub(crate) modules: &'m dyn Modular,
    /// Strings with unknown pieces are kept and unknown calls pass data on. Off in the first phase,
    /// so that what can be known exactly is known first.
    pub(crate) is_guessing: bool,
    /// Objects made by a rule, by rule and purpose.
    pub(crate) made: HashMap<(u32, u8), u32, Quick>,
    /// Rules made by rules.
    derived: HashSet<(u8, Node, Key, Node), Quick>,
    /// Calls derived from `call`, `apply` and the like, by the rule they come from.
    pub(crate) redirected: Set<(u32, u8)>,
    /// Calls that gave [`Atom::Instance`]: rule of the call.
    pub(crate) instances: Vec<u32>,
    pub(crate) instance_index: HashMap<u32, u32, Quick>,
    /// Loads between files that were found, as file indexes.
    pub(crate) loads: Vec<(u32, u32)>,
    /// Those of them that start a file in a worker or child process.
    pub(crate) started: Set<(u32, u32)>,
    /// JSON files already turned into objects.
    pub(crate) json: HashSet<u32, Quick>,
    /// Texts that were looked into as code or JSON, by rule and text.
    pub(crate) evaluated: Set<(usize, String)>,
    /// Paths of files that are run, once all is solved.
    pub(super) run_files: OnceCell<(HashSet<String>, HashSet<String>)>,
    /// What promises were made of, by `then` and the like.
    pub(super) chained: HashMap<Node, Node, Quick>,
    /// Functions that are told of a request.
    pub(super) told: Set<(u32, Atom)>,
    /// Files of the package that are read as text.
    pub(super) contents: super::contents::Contents,
    /// What is told and heard by name.
    pub(super) events: super::events::Events,
    /// Channels that are found by name.
    pub(super) channels: super::channels::Channels,
    /// Objects that are buffers.
    pub(super) buffers: Set<u32>,
    /// Calls that rules made, by the call that is written.
    pub(super) stands_for: HashMap<u32, u32, Quick>,
    /// Where packages were told to send.
    pub(super) told_packages: super::clients::Told,
    /// What is meant for others.
    pub(super) overheard: super::overheard::Overheard,
    /// Where requests were opened to.
    pub(super) opened: super::opened::Opened,
    /// Calls that leave the code of the package, by their rules, once all is solved.
    pub(super) outward: Vec<u32>,
    /// The paths of builtins' members that are nothing but members, by the names of both.
    members: HashMap<(Name, Name), Name, Quick>,
    /// What is not known passes data to its result only. In large programs everything comes near
    /// everything, and objects that take in whatever passes by make flows of nothing.
    pub(crate) is_careful: bool,
    pub(super) budget: u64,
    /// What solving made.
    pub(super) growth: super::growth::Growth,
    /// The rule that runs.
    pub(crate) current: u32,
}

impl<'m> Solver<'m> {
    /// A solver over an empty graph.
    pub(crate) fn new(modules: &'m dyn Modular, budget: u64) -> Self {
        Self {
            graph: Graph::default(),
            modules,
            is_guessing: false,
            made: HashMap::default(),
            derived: HashSet::default(),
            redirected: Set::default(),
            instances: Vec::new(),
            instance_index: HashMap::default(),
            loads: Vec::new(),
            started: Set::default(),
            json: HashSet::default(),
            evaluated: Set::default(),
            run_files: OnceCell::new(),
            chained: HashMap::default(),
            told: Set::default(),
            contents: super::contents::Contents::default(),
            events: super::events::Events::default(),
            channels: super::channels::Channels::default(),
            buffers: Set::default(),
            stands_for: HashMap::default(),
            told_packages: super::clients::Told::default(),
            overheard: super::overheard::Overheard::default(),
            opened: super::opened::Opened::default(),
            outward: Vec::new(),
            members: HashMap::default(),
            is_careful: false,
            budget,
            growth: super::growth::Growth::default(),
            current: 0,
        }
    }

    /// Solves in phases: what is known exactly, then strings with unknown pieces, then calls of
    /// which nothing is known. The last one only moves data, so without a source it is left out.
    /// May be called again after more files were lowered.
    pub(crate) fn solve(&mut self) -> Outcome {
        self.growth.begin(&self.graph);
        let outcome = self.phases();
        self.growth.end(&self.graph);
        self.note_outward();
        self.run_files = OnceCell::new();
        outcome
    }

    fn phases(&mut self) -> Outcome {
        self.is_guessing = false;
        let exact = self.run(Vec::new());
        if exact != Outcome::Complete {
            return exact;
        }
        self.is_guessing = true;
        let strings = self.rules_where(|rule| match rule {
            Rule::Concat { .. } => true,
            Rule::Call(call) => self.joins(call),
            _ => false,
        });
        let joined = self.run(strings);
        if joined != Outcome::Complete {
            return joined;
        }
        if self.graph.sources.is_empty() || !self.has_sink() {
            return Outcome::Complete;
        }
        let open = self.rules_where(|rule| match rule {
            Rule::Call(_) => true,
            Rule::Member { key, .. } | Rule::Store { key, .. } => matches!(key, Key::Node(_)),
            _ => false,
        });
        self.run(open)
    }

    /// Whether a call puts strings together, or files by names that are known only once others were.
    fn joins(&self, call: &super::graph::Call) -> bool {
        let join = self.graph.known("join").map(Key::Name);
        (call.method.is_some() && call.method == join)
            || self.graph.atoms(call.callee).iter().any(|(atom, _)| {
                matches!(atom, Atom::Builtin(path)
                    if self.graph.text(*path).starts_with("node:path.")
                        || matches!(self.graph.text(*path), "pkg:tar.c" | "pkg:tar.create"))
            })
    }

    fn rules_where(&self, test: impl Fn(&Rule) -> bool) -> Vec<u32> {
        self.graph
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| test(rule))
            .filter_map(|(id, _)| u32::try_from(id).ok())
            .collect()
    }

    fn run(&mut self, first: Vec<u32>) -> Outcome {
        let mut rules = Queue::default();
        for rule in first {
            rules.push(rule);
        }
        loop {
            // Rules that were added since run once, whatever they read.
            while let Some(rule) = self.graph.added.pop() {
                rules.push(rule);
            }
            while let Some(node) = self.graph.grown.pop() {
                let fresh = self.graph.fresh(node);
                if fresh.is_empty() {
                    continue;
                }
                let mut index = 0;
                while let Some(&one) = self.graph.uses(node).get(index) {
                    index += 1;
                    match one {
                        Use::Copy(to) => self.graph.hand_on(node, fresh.clone(), to),
                        Use::Part(object, part) => {
                            for at in fresh.clone() {
                                self.graph.part_got(object, part, node, at);
                            }
                        }
                        Use::Rule(rule) => {
                            self.graph.steps += 1;
                            rules.push(rule);
                        }
                    }
                }
                if self.graph.steps > self.budget {
                    return Outcome::Stopped;
                }
            }
            if !self.graph.added.is_empty() {
                continue;
            }
            let Some(rule) = rules.pop() else {
                return Outcome::Complete;
            };
            self.fire(rule);
            if let Some(outcome) = self.spent() {
                return outcome;
            }
        }
    }

    fn fire(&mut self, id: u32) {
        self.graph.steps += 4;
        self.current = id;
        let Some(rule) = self.graph.rules.get(id as usize).cloned() else {
            return;
        };
        match rule {
            Rule::Member { object, key, out } => self.member(object, key, out),
            Rule::Store { object, key, value } => self.store(object, key, value),
            Rule::Call(call) => self.call(id, &call),
            Rule::Concat { parts, out } => self.concat(&parts, out),
            Rule::Content { from, out } => self.content(from, out),
            Rule::Elements { from, out } => self.elements(from, out),
            Rule::Keys { from, out } => self.keys(from, out),
            Rule::Answer(asked) => self.answer(&asked),
            Rule::Answered { from, out } => self.answered(from, out),
            Rule::Thrown { from, out } => self.throw(from, out),
            Rule::Undecoded { from, out, fetched } => self.undecoded(from, out, fetched),
            Rule::Inherit { class, out } => {
                for atom in self.graph.held(class) {
                    if let Atom::Function(function) = atom {
                        let instance = self.graph.instance(function);
                        self.graph.add(out, Atom::Object(instance), class);
                    }
                }
            }
        }
    }

    /// A rule made by a rule, once.
    pub(crate) fn derive(&mut self, rule: Rule) {
        let mark = match &rule {
            Rule::Member { object, key, out } => (0, *object, *key, *out),
            Rule::Store { object, key, value } => (1, *object, *key, *value),
            Rule::Content { from, out } => (2, *from, Key::Name(0), *out),
            Rule::Elements { from, out } => (3, *from, Key::Name(0), *out),
            Rule::Keys { from, out } => (4, *from, Key::Name(0), *out),
            Rule::Answer(asked) => (5, asked.result, Key::Name(0), asked.out),
            Rule::Thrown { from, out } => (6, *from, Key::Name(0), *out),
            Rule::Undecoded { from, out, fetched } => {
                (7, *from, Key::Name(Name::from(*fetched)), *out)
            }
            _ => return,
        };
        if mark.1 != NONE && self.derived.insert(mark) {
            self.graph.rule(rule);
        }
    }

    /// Names a key may have; empty when it is unknown.
    pub(crate) fn key_names(&self, key: Key) -> Names {
        match key {
            Key::Name(name) => Names::from_slice(&[name]),
            Key::Node(node) => self
                .graph
                .texts(node)
                .into_iter()
                .filter(|&name| !self.graph.name(name).contains(super::UNKNOWN))
                .collect(),
        }
    }

    fn member(&mut self, object: Node, key: Key, out: Node) {
        let names = self.key_names(key);
        for atom in self.graph.held(object) {
            match atom {
                Atom::Environment(source) => self.variable(source, object, key, &names, out),
                Atom::Taint(source) => {
                    let carries = names.is_empty()
                        || names.iter().any(|&name| {
                            !calls::PROPERTIES_WITHOUT_VALUE.contains(&&*self.graph.name(name))
                        });
                    if carries && !self.picks_item(source, &names) {
                        self.graph.add(out, atom, object);
                    }
                }
                Atom::Object(target) if self.measures_buffer(target, &names) => {}
                Atom::Object(target) => {
                    for &name in &names {
                        let field = self.graph.field(target, name);
                        self.graph.copy(field, out);
                    }
                    let (any, spread) = self.graph.beside_fields(target, self.current);
                    let inner = if names.is_empty() {
                        // An unknown name in the first phase may still become known.
                        if !self.is_guessing && key != Key::Node(NONE) {
                            continue;
                        }
                        if self.graph.is_table(target) {
                            continue;
                        }
                        self.graph.all(target)
                    } else {
                        any.unwrap_or(NONE)
                    };
                    self.graph.copy(inner, out);
                    self.inherited(spread, key, out);
                }
                Atom::Function(function) => {
                    for &name in &names {
                        if &*self.graph.name(name) == "constructor" && !self.may_be_instance(object)
                        {
                            // `(() => {}).constructor` makes functions of text.
                            let maker = self.graph.intern("Function");
                            self.graph.add(out, Atom::Builtin(maker), object);
                        }
                        if &*self.graph.name(name) == "prototype" {
                            let instance = self.graph.instance(function);
                            self.graph.add(out, Atom::Object(instance), object);
                        } else {
                            if &*self.graph.name(name) == "__proto__" {
                                let all = self.graph.intern("Function.prototype");
                                self.graph.add(out, Atom::Builtin(all), object);
                            }
                            let statics = self.graph.statics(function);
                            let field = self.graph.field(statics, name);
                            self.graph.copy(field, out);
                            let (_, spread) = self.graph.beside_fields(statics, self.current);
                            self.inherited(spread, key, out);
                        }
                    }
                }
                Atom::Builtin(path) => {
                    for &name in &names {
                        self.builtin_member(path, name, object, out);
                    }
                    if names.is_empty() && self.graph.text(path) == LOADED {
                        self.give(out, LOADED_ONE);
                    }
                }
                Atom::Instance(instance) => {
                    for &name in &names {
                        let text = self.graph.name(name);
                        self.answer_of_request(instance, &text, out);
                        if matches!(&*text, "stdin" | "stdio" | "socket" | "writer") {
                            self.graph.add(out, atom, object);
                        }
                    }
                }
                // Addresses are kept as their text: `pathToFileURL(path).href`.
                Atom::Text(_) => {
                    let is_address =
                        |name: &Name| matches!(&*self.graph.name(*name), "href" | "pathname");
                    if names.iter().any(is_address) {
                        self.graph.add(out, atom, object);
                    }
                }
                Atom::Resolver(_) => {}
            }
        }
    }

    /// Whether an object of a class of the package comes by as well: `this.constructor` is that class, whatever else
    /// its methods are called on.
    fn may_be_instance(&self, node: Node) -> bool {
        let mut atoms = self.graph.atoms(node).iter();
        atoms.any(|(atom, _)| matches!(atom, Atom::Object(it) if self.graph.is_instance(*it)))
    }

    /// A field is also read from what was spread into an object, and from its prototypes.
    fn inherited(&mut self, spread: Option<Node>, key: Key, out: Node) {
        if let Some(object) = spread {
            self.derive(Rule::Member { object, key, out });
        }
    }

    /// A variable is read from the environment object.
    fn variable(&mut self, source: u32, object: Node, key: Key, names: &[Name], out: Node) {
        for &name in names {
            let name = self.graph.name(name);
            if let Some(path) = builtins::folder_variable(&name) {
                let text = self.graph.intern(path);
                self.graph.add(out, Atom::Text(text), object);
            } else if let Some(field) = name.strip_prefix("npm_package_") {
                if let Some(text) = self.modules.manifest(field)
                    && (text.len() <= TEXT_BYTES || self.graph.keeps_text(text.len()))
                {
                    let text = self.graph.intern(&text);
                    self.graph.add(out, Atom::Text(text), object);
                }
            } else if secrets::is_secret_variable(&name) {
                let (file, offset) = self.graph.place(out);
                let (file, offset) = if file == u32::MAX {
                    self.graph
                        .sources
                        .get(source as usize)
                        .map_or((0, 0), |s| (s.file, s.offset))
                } else {
                    (file, offset)
                };
                let secret = self
                    .graph
                    .source(SourceKind::SecretVariable, &name, file, offset);
                self.graph.add(out, Atom::Taint(secret), NONE);
            }
        }
        // Names that come from listing the environment read all of it.
        if let Key::Node(node) = key {
            for atom in self.graph.held(node) {
                if let Atom::Taint(listed) = atom
                    && self.kind(listed) == Some(SourceKind::Environment)
                {
                    self.graph.add(out, atom, node);
                }
            }
        }
    }

    pub(crate) fn kind(&self, source: u32) -> Option<SourceKind> {
        self.graph
            .sources
            .get(source as usize)
            .map(|source| source.kind)
    }

    fn builtin_member(&mut self, path: Name, name: Name, object: Node, out: Node) {
        let both = (path, name);
        if let Some(&found) = self.members.get(&both) {
            self.graph.add(out, Atom::Builtin(found), object);
            return;
        }
        let path = self.graph.name(path);
        let member = self.graph.name(name);
        if &*path == "global" {
            let field = self.graph.field(self.graph.globals, name);
            self.graph.copy(field, out);
        }
        if path.starts_with('e') && self.typed(&path, &member, out) {
            return;
        }
        let found = builtins::member(&path, &member);
        if found == "process.env" {
            let (file, offset) = self.graph.place(out);
            if file != u32::MAX {
                let source =
                    self.graph
                        .source(SourceKind::Environment, "process.env", file, offset);
                self.graph.add(out, Atom::Environment(source), NONE);
            }
            return;
        }
        if found == super::page::COOKIES && self.is_kept(out) {
            // Whether they are sent from there is asked for once everything else is known.
            let (file, offset) = self.graph.place(out);
            self.graph
                .source(SourceKind::WalletOrProfile, &found, file, offset);
        }
        if found == WORKER {
            let shared = self.graph.intern(super::load::WORKER_DATA);
            let field = self.graph.field(self.graph.globals, shared);
            self.graph.copy(field, out);
        }
        // Tests start themselves that way, and what they start need not be followed.
        let is_started = found != builtins::OWN_RUNTIME || self.graph.installs;
        let constant = builtins::constant_member(&found)
            .filter(|_| is_started)
            .map(str::to_owned)
            .or_else(|| self.own_place(&found, self.graph.place(out).0));
        let is_constant = constant.is_some();
        if let Some(text) = constant {
            let text = self.graph.intern(&text);
            self.graph.add(out, Atom::Text(text), object);
        }
        if found.len() < 96 && found.matches('.').count() < 6 {
            let is_plain = !is_constant
                && &*path != "global"
                && found != super::page::COOKIES
                && found != WORKER;
            let found = self.graph.intern(&found);
            self.graph.add(out, Atom::Builtin(found), object);
            if is_plain {
                self.members.insert(both, found);
            }
        }
    }

    fn store(&mut self, object: Node, key: Key, value: Node) {
        let names = self.key_names(key);
        for atom in self.graph.held(object) {
            let target = match atom {
                Atom::Object(target) => target,
                Atom::Function(function) => {
                    if names
                        .iter()
                        .any(|&name| &*self.graph.name(name) == "prototype")
                    {
                        let instance = self.graph.instance(function);
                        let spread = self.graph.spread(instance);
                        self.graph.copy(value, spread);
                        continue;
                    }
                    self.graph.statics(function)
                }
                other => match self.stored_in(other, &names, value) {
                    Some(target) => target,
                    None => continue,
                },
            };
            if names.is_empty() {
                if self.is_guessing || key == Key::Node(NONE) {
                    let any = self.graph.any(target);
                    self.graph.copy(value, any);
                }
                // A key that is itself secret makes the object hold it.
                if let Key::Node(node) = key {
                    let any = self.graph.any(target);
                    self.derive(Rule::Content {
                        from: node,
                        out: any,
                    });
                }
            }
            for &name in &names {
                let field = self.graph.field(target, name);
                self.graph.copy(value, field);
            }
        }
    }

    pub(crate) fn content(&mut self, from: Node, out: Node) {
        for atom in self.graph.held(from) {
            match atom {
                Atom::Taint(_) => self.graph.add(out, atom, from),
                Atom::Environment(source) => self.graph.add(out, Atom::Taint(source), from),
                Atom::Object(object) => {
                    if let Some(data) = self.graph.data(object, false, self.current) {
                        self.graph.copy(data, out);
                    }
                }
                _ => {}
            }
        }
    }

    pub(crate) fn elements(&mut self, from: Node, out: Node) {
        for atom in self.graph.held(from) {
            match atom {
                Atom::Taint(_) => self.graph.add(out, atom, from),
                Atom::Object(object) => {
                    let all = self.graph.all(object);
                    self.graph.copy(all, out);
                    let spread = self.graph.spread(object);
                    self.derive(Rule::Elements { from: spread, out });
                }
                _ => {}
            }
        }
    }

    pub(crate) fn keys(&mut self, from: Node, out: Node) {
        for atom in self.graph.held(from) {
            match atom {
                Atom::Environment(source) => self.graph.add(out, Atom::Taint(source), from),
                Atom::Taint(source) if self.kind(source) == Some(SourceKind::Environment) => {
                    self.graph.add(out, atom, from);
                }
                // Who goes through the process by name comes past its environment.
                Atom::Builtin(path) if &*self.graph.name(path) == "process" => {
                    let name = self.graph.intern("env");
                    self.graph.add(out, Atom::Text(name), from);
                }
                Atom::Object(object) => {
                    self.field_names(object, out);
                    let spread = self.graph.spread(object);
                    self.derive(Rule::Keys { from: spread, out });
                }
                _ => {}
            }
        }
    }

    /// The names of a small object's fields, as constants.
    fn field_names(&mut self, object: u32, out: Node) {
        let Some(found) = self.graph.objects.get(object as usize) else {
            return;
        };
        if found.fields.len() > NAMED {
            return;
        }
        let mut names: Vec<Name> = found.fields.keys().copied().collect();
        names.sort_unstable();
        for name in names {
            self.graph.add(out, Atom::Text(name), NONE);
        }
    }

    /// The object a rule makes, once per purpose.
    pub(crate) fn made(&mut self, rule: u32, purpose: u8) -> u32 {
        if let Some(&object) = self.made.get(&(rule, purpose)) {
            return object;
        }
        let object = self.graph.object();
        self.made.insert((rule, purpose), object);
        object
    }

    /// The instance that a call gives.
    pub(crate) fn instance(&mut self, rule: u32) -> Atom {
        if let Some(&instance) = self.instance_index.get(&rule) {
            return Atom::Instance(instance);
        }
        let instance = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
        self.instances.push(rule);
        self.instance_index.insert(rule, instance);
        Atom::Instance(instance)
    }
}
