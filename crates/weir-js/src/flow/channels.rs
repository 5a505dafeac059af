//! Channels of messages: pairs of ports, channels that are found by their name, and what a page and the
//! workers that it starts tell each other.

use super::events::Place;
use super::graph::{Atom, Call, NONE, Name, Node};
use super::solve::Solver;
use crate::hash::{Map, Set};

/// What a message is called among events.
pub(super) const MESSAGE: &str = "message";
/// The property that holds whoever is told of messages.
const HANDLER: &str = "onmessage";
/// The global field for whoever a page has told of its workers' messages. No program can name it.
const OF_WORKERS: &str = "told by workers";

/// Channels that are found by their name, and who was told what.
#[derive(Debug, Default)]
pub(super) struct Channels {
    /// The object of each name.
    named: Map<Name, u32>,
    /// Calls that post, with the nodes of those they tell.
    told: Set<(u32, Node)>,
}

impl Solver<'_> {
    /// `new MessageChannel()`: what is posted to one port arrives at the other, so that both are the
    /// same object here.
    pub(super) fn channel(&mut self, id: u32, call: &Call) {
        let channel = self.made(id, 0);
        let ports = self.made(id, 1);
        for name in ["port1", "port2"] {
            let name = self.graph.intern(name);
            let field = self.graph.field(channel, name);
            self.graph.add(field, Atom::Object(ports), NONE);
        }
        self.graph.add(call.out, Atom::Object(channel), NONE);
    }

    /// `new BroadcastChannel(name)`: all of one name are one object, in whichever file.
    pub(super) fn broadcast(&mut self, call: &Call) {
        for name in self.graph.texts(Self::argument(call, 0)) {
            if self.graph.name(name).contains(super::UNKNOWN) {
                continue;
            }
            let object = match self.channels.named.get(&name) {
                Some(&object) => object,
                None => {
                    let object = self.graph.object();
                    self.channels.named.insert(name, object);
                    object
                }
            };
            self.graph.add(call.out, Atom::Object(object), NONE);
        }
    }

    /// `port.onmessage = listener`, `worker.onmessage = listener`, and `onmessage = listener` of a worker:
    /// once per call that posts, each of them.
    pub(super) fn tell_handlers(&mut self, id: u32, call: &Call) {
        let handler = self.graph.intern(HANDLER);
        for atom in self.graph.held(call.receiver) {
            let listener = match atom {
                Atom::Object(object) => self.graph.field(object, handler),
                Atom::Instance(instance) if self.is_started(instance) => {
                    self.graph.field(self.graph.globals, handler)
                }
                _ => continue,
            };
            self.tell_handler(id, call, listener);
        }
    }

    fn tell_handler(&mut self, id: u32, call: &Call, listener: Node) {
        if self.channels.told.insert((id, listener)) {
            self.tell_event(call, listener);
        }
    }

    /// `worker.onmessage = listener` on the side that started it.
    pub(super) fn handles_worker(&mut self, instance: u32, names: &[Name], value: Node) {
        let handler = self.graph.known(HANDLER);
        if names.iter().any(|&name| Some(name) == handler) && self.is_started(instance) {
            let told = self.graph.intern(OF_WORKERS);
            let field = self.graph.field(self.graph.globals, told);
            self.graph.copy(value, field);
        }
    }

    /// `postMessage(x)` and `addEventListener('message', listener)` on nothing, or on `self`. In a file that
    /// is started as a worker they reach whoever started it; in a page, only itself.
    pub(super) fn worker_side(&mut self, id: u32, path: &str, call: &Call) {
        if !self.started.iter().any(|(_, file)| *file == call.file) {
            return;
        }
        let message = self.graph.intern(MESSAGE);
        if path == "postMessage" {
            self.meet_at(id, Place::Worker, message, true);
            let told = self.graph.intern(OF_WORKERS);
            let listener = self.graph.field(self.graph.globals, told);
            self.tell_handler(id, call, listener);
        } else if self.graph.texts(Self::argument(call, 0)).contains(&message) {
            self.meet_at(id, Place::Worker, message, false);
        }
    }

    /// Whether an instance is a worker or a child that runs JavaScript.
    pub(super) fn is_started(&self, instance: u32) -> bool {
        self.is_made_by(instance, |path| {
            matches!(
                path,
                "node:worker_threads.Worker" | "Worker" | "node:child_process.fork"
            )
        })
    }
}
