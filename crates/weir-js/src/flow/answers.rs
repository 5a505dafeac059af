//! Answers from the network that do not come out of the call that asked: by the error that clients throw, by the
//! request itself, by whoever is told of messages.

use weir_model::contents::{SinkKind, SourceKind};

use super::graph::{Atom, Call, NONE, Name, Node};
use super::sinks::socket_kind;
use super::solve::Solver;

/// Longest chain of `then` that is gone back.
const CHAIN: usize = 16;
/// Where errors of clients keep the answer.
pub(super) const RESPONSE: &str = "response";
/// Purpose of the object that stands for such an error.
const ERROR: u8 = 9;

/// What a browser's request holds of its answer.
const ANSWER: [&str; 3] = ["response", "responseText", "responseXML"];

/// Whether a property holds a function that is told of answers or messages.
fn is_handler(name: &str) -> bool {
    matches!(
        name,
        "onload" | "onloadend" | "onprogress" | "onreadystatechange" | "onmessage"
    )
}

/// Whether what a call gives, or tells its listeners, comes from the network, beside the calls of clients.
pub(super) fn is_told(path: &str) -> bool {
    matches!(
        path,
        "WebSocket"
            | "WebSocketPackage"
            | "WebSocketPackage.WebSocket"
            | "pkg:eventsource"
            | "pkg:eventsource.EventSource"
            | "node:net.connect"
            | "node:net.createConnection"
            | "node:tls.connect"
            | "node:net.Socket"
            | "node:tls.TLSSocket"
            | "node:dgram.createSocket"
            | "Bun.connect"
            // Text for whoever asks: what a name server answers is the domain's owner's.
            | "node:dns.resolveTxt"
    )
        // Its server gives orders.
        || path.starts_with("pkg:socket.io-client")
}

impl Solver<'_> {
    /// What was fetched, of all that a node holds.
    pub(super) fn answered(&mut self, from: Node, out: Node) {
        for atom in self.graph.held(from) {
            if let Atom::Taint(source) = atom
                && self.kind(source) == Some(SourceKind::Fetched)
            {
                self.graph.add(out, atom, from);
            }
        }
    }

    fn is_answer(&self, node: Node) -> bool {
        let mut atoms = self.graph.atoms(node).iter();
        atoms.any(|(atom, _)| {
            matches!(atom, Atom::Taint(source) if self.kind(*source) == Some(SourceKind::Fetched))
        })
    }

    /// `promise.catch(error => …)`: an error of a client holds the answer, and passes all of `then` before.
    pub(super) fn rejected(&mut self, id: u32, promise: Node, error: Node) {
        if !self.graph.follows_code || error == NONE {
            return;
        }
        let mut promise = promise;
        for _ in 0..CHAIN {
            if self.is_answer(promise) {
                let object = self.made(id, ERROR);
                let name = self.graph.intern(RESPONSE);
                let field = self.graph.field(object, name);
                self.answered(promise, field);
                self.graph.add(error, Atom::Object(object), NONE);
            }
            match self.chained.get(&promise) {
                Some(&before) => promise = before,
                None => break,
            }
        }
    }

    /// Notes what a promise was made of.
    pub(super) fn chain(&mut self, call: &Call) {
        if self.graph.follows_code && call.receiver != NONE {
            self.chained.entry(call.out).or_insert(call.receiver);
        }
    }

    /// `request.responseText`, by its name.
    pub(super) fn answer_of_request(&mut self, instance: u32, name: &str, out: Node) {
        if !self.graph.follows_code || !ANSWER.contains(&name) || !self.is_request(instance) {
            return;
        }
        let (file, offset) = self.graph.place(out);
        if file != u32::MAX {
            let detail = match self.opened_host(instance) {
                Some(host) => format!("XMLHttpRequest from {host}"),
                None => "XMLHttpRequest".to_owned(),
            };
            let source = self
                .graph
                .source(SourceKind::Fetched, &detail, file, offset);
            self.graph.add(out, Atom::Taint(source), NONE);
        }
    }

    /// Whether an instance is a request of a browser's.
    pub(super) fn is_request(&self, instance: u32) -> bool {
        self.is_made_by(instance, |path| socket_kind(path) == Some(SinkKind::Http))
    }

    /// `request.onload = function () { … this.responseText … }`, `socket.onmessage = event => …`.
    pub(super) fn handles_answer(&mut self, atom: Atom, names: &[Name], value: Node) {
        let handles = |name: &Name| is_handler(&self.graph.name(*name));
        if !self.graph.follows_code || !names.iter().any(handles) {
            return;
        }
        for function in self.functions(value) {
            let parameter = self.parameter(function, 0);
            match atom {
                Atom::Taint(source) if self.kind(source) == Some(SourceKind::Fetched) => {
                    self.graph.add(parameter, atom, NONE);
                }
                Atom::Instance(instance) if self.is_request(instance) => {
                    self.told_request(function, atom);
                }
                _ => {}
            }
        }
    }

    /// A function that is told of a request's progress: it is called on the request, and its event names it.
    fn told_request(&mut self, function: u32, atom: Atom) {
        let this = self
            .graph
            .functions
            .get(function as usize)
            .map(|it| it.this);
        if let Some(this) = this.filter(|this| *this != NONE) {
            self.graph.add(this, atom, NONE);
        }
        let parameter = self.parameter(function, 0);
        if parameter != NONE && self.told.insert((function, atom)) {
            let event = self.graph.object();
            for name in ["target", "currentTarget"] {
                let name = self.graph.intern(name);
                let field = self.graph.field(event, name);
                self.graph.add(field, atom, NONE);
            }
            self.graph.add(parameter, Atom::Object(event), NONE);
        }
    }

    /// `request.addEventListener('load', function () { … this.responseText … })`
    pub(super) fn listens_to_request(&mut self, call: &Call) {
        if !self.graph.follows_code {
            return;
        }
        for atom in self.graph.held(call.receiver) {
            if let Atom::Instance(instance) = atom
                && self.is_request(instance)
            {
                for function in self.functions(Self::argument(call, 1)) {
                    self.told_request(function, atom);
                }
            }
        }
    }
}
