//! Values that travel by messages and events: what is posted or emitted arrives at the functions that
//! listen for it, by the object both are called on. And by an asynchronous store, which gives back what
//! it was run with.

use super::channels::MESSAGE;
use super::graph::{Arguments, Atom, Call, Key, NONE, Name, Names, Node, Rule};
use super::solve::Solver;
use crate::hash::Map;
use crate::tables::calls;

/// Most calls on either side of one event that are brought together.
const CALLS: usize = 24;
/// What an event is called by whoever hears of all of them, and is told which first.
const ANY: &str = "*";

/// Where both sides meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// An emitter, or the two ports of a channel, which are one object.
    Object(u32),
    /// A module that is one emitter for everybody.
    Shared(Name),
    /// The process, as an emitter.
    Process,
    /// Between a program and the workers or children it starts, whichever.
    Worker,
}

/// Both sides of one event, as the rules of their calls.
#[derive(Debug, Default)]
struct Sides {
    told: Vec<u32>,
    heard: Vec<u32>,
}

/// All events that anything tells or hears of, by place and name.
#[derive(Debug, Default)]
pub(super) struct Events(Map<(Place, Name), Sides>);

/// The global field for what an asynchronous store holds. It is no field of the store: whoever is handed
/// the store is not handed that. No program can name it.
fn store_field(object: u32) -> String {
    format!("asynchronous store {object}")
}

impl Solver<'_> {
    /// A method that may tell or hear of something. Returns whether what it does with data is known.
    pub(super) fn event(&mut self, id: u32, name: &str, call: &Call, is_known: bool) -> bool {
        match name {
            "emit" => {
                let mut events = self.graph.texts(Self::argument(call, 0));
                events.extend(self.graph.known(ANY));
                self.meet(id, call, &events, true, is_known);
            }
            "postMessage" | "send" => {
                let message = self.graph.intern(MESSAGE);
                self.meet(id, call, &Names::from_slice(&[message]), true, is_known);
                if name == "postMessage" && !is_known {
                    self.tell_handlers(id, call);
                }
            }
            "on" | "once" | "addListener" | "prependListener" | "addEventListener" => {
                let events = self.graph.texts(Self::argument(call, 0));
                self.meet(id, call, &events, false, is_known);
                self.hears_uncaught(call);
                self.hears_page(call);
            }
            "getStore" | "run" | "enterWith" => return self.stored(id, name, call),
            _ => {}
        }
        false
    }

    /// Where a method tells or hears. Objects with a method of their own by that name hand on by
    /// themselves.
    fn places(&self, call: &Call, is_message: bool, is_known: bool) -> Vec<Place> {
        let place = |(atom, _): &(Atom, Node)| match atom {
            Atom::Object(object) if !is_known => Some(Place::Object(*object)),
            Atom::Builtin(path) => match &*self.graph.name(*path) {
                "process" if is_message => Some(Place::Worker),
                "process" => Some(Place::Process),
                "node:worker_threads.parentPort" => Some(Place::Worker),
                shared if calls::SHARED_EMITTERS.contains(&shared) => Some(Place::Shared(*path)),
                _ => None,
            },
            Atom::Instance(instance) if is_message && self.is_started(*instance) => {
                Some(Place::Worker)
            }
            _ => None,
        };
        let places = self.graph.atoms(call.receiver).iter().filter_map(place);
        places.collect()
    }

    /// Notes one side of an event everywhere it is told or heard of.
    fn meet(&mut self, id: u32, call: &Call, events: &Names, tells: bool, is_known: bool) {
        let message = self.graph.known(MESSAGE);
        for &event in events {
            for place in self.places(call, Some(event) == message, is_known) {
                self.meet_at(id, place, event, tells);
            }
        }
    }

    /// Notes one side of an event, and hands what is told to whoever hears of it. Nothing is made as
    /// long as there is only one side.
    pub(super) fn meet_at(&mut self, id: u32, place: Place, event: Name, tells: bool) {
        let sides = self.events.0.entry((place, event)).or_default();
        let (own, others) = match tells {
            true => (&mut sides.told, &sides.heard),
            false => (&mut sides.heard, &sides.told),
        };
        if own.contains(&id) || own.len() >= CALLS {
            return;
        }
        own.push(id);
        for other in others.clone() {
            let (told, heard) = if tells { (id, other) } else { (other, id) };
            self.hand_over(told, heard);
        }
    }

    /// What one call tells is what the function of another is called with.
    fn hand_over(&mut self, told: u32, heard: u32) {
        let call_of = |id: u32| match self.graph.rules.get(id as usize) {
            Some(Rule::Call(call)) => Some(std::rc::Rc::clone(call)),
            _ => None,
        };
        let (Some(told), Some(heard)) = (call_of(told), call_of(heard)) else {
            return;
        };
        let emit = self.graph.known("emit").map(Key::Name);
        let is_emitted = emit.is_some() && told.method == emit;
        let hears_all = |name| Some(name) == self.graph.known(ANY);
        let given = match is_emitted {
            true if self
                .graph
                .texts(Self::argument(&heard, 0))
                .into_iter()
                .any(hears_all) =>
            {
                told.arguments.clone()
            }
            true => told.arguments.get(1..).unwrap_or_default().into(),
            false => told.arguments.iter().take(1).copied().collect(),
        };
        let listener = Self::argument(&heard, 1);
        self.call_listener(&told, listener, given);
        if !is_emitted {
            // Listeners of the web get an event that holds the message, those of Node the message.
            self.tell_event(&told, listener);
        }
    }

    /// Calls a listener with an event that holds a message.
    pub(super) fn tell_event(&mut self, told: &Call, listener: Node) {
        let object = self.graph.object();
        let event = self.graph.node(told.file, told.offset);
        self.graph.add(event, Atom::Object(object), NONE);
        let name = self.graph.intern("data");
        let data = self.graph.field(object, name);
        self.graph.copy(Self::argument(told, 0), data);
        self.call_listener(told, listener, std::iter::once((event, false)).collect());
    }

    /// A call that nobody wrote: of a listener, where it is told something.
    fn call_listener(&mut self, told: &Call, listener: Node, arguments: Arguments) {
        self.graph.rule(Rule::Call(std::rc::Rc::new(Call {
            callee: listener,
            receiver: NONE,
            method: None,
            arguments,
            out: NONE,
            is_new: false,
            file: told.file,
            offset: told.offset,
        })));
    }

    /// `new AsyncLocalStorage()`
    pub(super) fn asynchronous_store(&mut self, id: u32, call: &Call) {
        let object = self.made(id, 0);
        self.graph.intern(&store_field(object));
        self.graph.add(call.out, Atom::Object(object), NONE);
    }

    /// `storage.run(store, callback)`, `storage.enterWith(store)`, `storage.getStore()`.
    fn stored(&mut self, id: u32, name: &str, call: &Call) -> bool {
        let mut is_store = false;
        for atom in self.graph.held(call.receiver) {
            let Atom::Object(object) = atom else {
                continue;
            };
            let Some(field) = self.graph.known(&store_field(object)) else {
                continue;
            };
            is_store = true;
            let kept = self.graph.field(self.graph.globals, field);
            match name {
                "getStore" => self.graph.copy(kept, call.out),
                _ => self.graph.copy(Self::argument(call, 0), kept),
            }
        }
        if is_store && name == "run" {
            let callback = Call {
                callee: Self::argument(call, 1),
                receiver: NONE,
                method: None,
                arguments: call.arguments.get(2..).unwrap_or_default().into(),
                ..call.clone()
            };
            self.redirect(id, 0, callback);
        }
        is_store
    }
}
