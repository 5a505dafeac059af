//! Less common ways of values: objects that say what they are, events that are awaited, channels of
//! diagnostics, streams made of functions.

use super::graph::{Atom, Call, Function, Key, NONE, Node, Rule, index};
use super::solve::Solver;

/// Where channels of diagnostics are.
const DIAGNOSTICS: &str = "node:diagnostics_channel.";
/// What an object is called for when it becomes JSON.
pub(super) const AS_JSON: &[&str] = &["toJSON"];
/// What it is called for when it becomes text.
pub(super) const AS_TEXT: &[&str] = &["toString", "valueOf", "Symbol.toPrimitive"];
/// Purpose of the call that listens for an event that is awaited.
const AWAITED: u8 = 3;
/// Most arguments of an event that is awaited.
const ARGUMENTS: usize = 4;
/// Shortest name of a variable that is looked for in a text with places to fill.
const VARIABLE: usize = 5;
/// Most of them.
const VARIABLES: usize = 6;

/// The global field for what a channel of diagnostics is told. No program can name it.
fn diagnostics(name: &str) -> String {
    format!("channel of diagnostics {name}")
}

impl Solver<'_> {
    /// A call of one of these. Returns whether it is one.
    pub(super) fn less_common(&mut self, id: u32, path: &str, call: &Call) -> bool {
        match path {
            "node:events.once" | "node:events.on" => self.awaited_event(id, path, call),
            "ReadableStream" | "node:stream/web.ReadableStream" if call.is_new => {
                self.made_stream(id, call);
            }
            "WeakRef" if call.is_new => self.graph.copy(Self::argument(call, 0), call.out),
            _ => match path.strip_prefix(DIAGNOSTICS) {
                Some(function) => self.diagnosed(function, call),
                None => return false,
            },
        }
        true
    }

    /// An object with a method for it says itself what it becomes.
    pub(super) fn said_by(&mut self, from: Node, methods: &[&str], out: Node) {
        for atom in self.graph.held(from) {
            let Atom::Object(object) = atom else {
                continue;
            };
            for method in methods {
                let name = self.graph.known(method);
                let object = self.graph.objects.get(object as usize);
                let field = name.and_then(|name| object?.fields.get(&name).copied());
                for function in self.functions(field.unwrap_or(NONE)) {
                    let from = self.result(function);
                    self.derive(Rule::Content { from, out });
                }
            }
        }
    }

    /// `JSON.parse(text, function)`, `JSON.stringify(value, function)`: it sees every value.
    pub(super) fn each_value(&mut self, call: &Call) {
        for function in self.functions(Self::argument(call, 1)) {
            let out = self.parameter(function, 1);
            if out != NONE {
                let from = Self::argument(call, 0);
                self.derive(Rule::Content { from, out });
            }
            let from = self.result(function);
            let out = call.out;
            self.derive(Rule::Content { from, out });
        }
    }

    /// `await once(emitter, 'x')`, `for await (… of on(emitter, 'x'))`: the arguments of what is emitted, in
    /// a list.
    fn awaited_event(&mut self, id: u32, path: &str, call: &Call) {
        let is_new = !self.made.contains_key(&(id, 0));
        let given = self.made(id, 0);
        if is_new {
            let elements = (0..ARGUMENTS).map(|_| self.graph.node(call.file, call.offset));
            let elements: Vec<Node> = elements.collect();
            self.graph.set_elements(given, elements);
        }
        let mut out = given;
        if path.ends_with(".on") {
            out = self.made(id, 1);
            let each = self.graph.any(out);
            self.graph.add(each, Atom::Object(given), NONE);
        }
        self.graph.add(call.out, Atom::Object(out), NONE);
        if self.redirected.contains(&(id, AWAITED)) {
            return;
        }
        let list = self.graph.objects.get(given as usize);
        let parameters = list.and_then(|list| list.elements.clone());
        let function = index(self.graph.functions.len());
        self.graph.functions.push(Function {
            parameters: parameters.unwrap_or_default().into(),
            ..Function::default()
        });
        let listener = self.graph.node(call.file, call.offset);
        self.graph.add(listener, Atom::Function(function), NONE);
        let on = Key::Name(self.graph.intern("on"));
        let listens = Call {
            callee: NONE,
            receiver: Self::argument(call, 0),
            method: Some(on),
            arguments: [(Self::argument(call, 1), false), (listener, false)]
                .into_iter()
                .collect(),
            out: NONE,
            is_new: false,
            ..call.clone()
        };
        self.redirect(id, AWAITED, listens);
    }

    /// `channel(name).publish(x)`, `subscribe(name, listener)`.
    fn diagnosed(&mut self, function: &str, call: &Call) {
        let first = Self::argument(call, 0);
        match function {
            "channel" => {
                for name in self.known_texts(first) {
                    self.give(call.out, &format!("{DIAGNOSTICS}#{name}"));
                }
            }
            "subscribe" => {
                for name in self.known_texts(first) {
                    self.subscribes(&name, Self::argument(call, 1));
                }
            }
            _ => match function
                .strip_prefix('#')
                .and_then(|it| it.rsplit_once('.'))
            {
                Some((name, "publish")) => {
                    let name = self.graph.intern(&diagnostics(name));
                    let told = self.graph.field(self.graph.globals, name);
                    self.graph.copy(first, told);
                }
                Some((name, "subscribe")) => self.subscribes(name, first),
                _ => {}
            },
        }
    }

    fn subscribes(&mut self, channel: &str, listener: Node) {
        let name = self.graph.intern(&diagnostics(channel));
        let told = self.graph.field(self.graph.globals, name);
        for function in self.functions(listener) {
            let parameter = self.parameter(function, 0);
            self.graph.copy(told, parameter);
        }
    }

    /// `new ReadableStream({ start(controller) { controller.enqueue(x) } })`
    fn made_stream(&mut self, id: u32, call: &Call) {
        let object = self.made(id, 0);
        for field in self.fields_given(call, &["start", "pull"]) {
            for function in self.functions(field) {
                let controller = self.parameter(function, 0);
                self.graph.add(controller, Atom::Object(object), NONE);
            }
        }
        self.graph.add(call.out, Atom::Object(object), NONE);
    }

    /// `text.replace(/{(\w+)}/g, (all, name) => process.env[name])`: names that stand in the text.
    pub(super) fn fills(&mut self, call: &Call) {
        let functions = self.functions(Self::argument(call, 1));
        if functions.is_empty() {
            return;
        }
        let mut names = Vec::new();
        for text in self.known_texts(call.receiver) {
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let is_variable = |word: &&str| {
                word.len() >= VARIABLE
                    && word.starts_with(|c: char| c.is_ascii_uppercase())
                    && !word.contains(|c: char| c.is_ascii_lowercase())
            };
            names.extend(words.filter(is_variable).take(VARIABLES).map(str::to_owned));
        }
        for function in functions {
            for at in 0..2 {
                let parameter = self.parameter(function, at);
                for name in names.iter().take(VARIABLES) {
                    self.give_text(parameter, name);
                }
            }
        }
    }
}
