//! What passes by and is meant for others: what they hand to a function of Node or of a page that the code replaced,
//! what somebody types into a page, what a browser keeps for other pages.
//!
//! Tools that measure and tests replace the same functions all day. So it counts only on its way to a host that the
//! code names, and not as what the replaced function would have been handed anyway.

use std::collections::HashSet;

use weir_model::contents::{SinkKind, SourceKind};

use super::graph::{Atom, Call, NONE, Name, Node, Quick};
use super::sinks::Sink;
use super::solve::Solver;
use crate::tables::{calls, network, overheard};

/// What a listener for keys is given.
const KEYBOARD: &str = "event:keyboard";
/// What a listener of a whole page for forms is given, and the form in it.
const SUBMITTED: &str = "event:submit";
const FORM: &str = "event:submit.form";
/// What a service worker is given for each request of its pages.
const REQUESTED: &str = "event:fetch";
/// A field for a password.
const PASSWORD: &str = "element:password";
/// The keys of all that an app stores.
const STORED: &str = "storage:keys";

/// All modules that were loaded, by their paths, and one of them.
pub(super) const LOADED: &str = "require.cache";
pub(super) const LOADED_ONE: &str = "require.cache.*";

/// Cookies of all pages, as extensions are given them.
pub(super) const ALL_COOKIES: &str = "cookies of the browser";
/// All that an app stores.
pub(super) const APP_STORAGE: &str = "AsyncStorage";

/// The package by which apps store.
const STORE: &str = "pkg:@react-native-async-storage/async-storage";
/// Fields of options that name a host.
const HOSTS: [&str; 4] = ["hostname", "host", "url", "uri"];
/// Most places that a value is followed back.
const HOPS: usize = 64;

/// The parameters of functions that took the place of others.
#[derive(Debug, Default)]
pub(super) struct Overheard(HashSet<Node, Quick>);

impl Solver<'_> {
    /// Something is stored over members of a builtin.
    pub(super) fn replaces(&mut self, path: &str, names: &[Name], value: Node) {
        let (file, offset) = self.graph.place(value);
        if file == u32::MAX {
            return;
        }
        for &name in names {
            let name = self.graph.name(name);
            let is_loaded = path.starts_with(LOADED_ONE) && &*name != "exports";
            if !is_loaded && !overheard::is_called_by_others(path, &name) {
                continue;
            }
            let whole = match path {
                "global" => name.to_string(),
                _ if is_loaded => format!("{name} of a loaded module"),
                _ => format!("{}.{name}", path.trim_start_matches("node:")),
            };
            let detail = format!("{whole}, replaced");
            for function in self.functions(value) {
                let kind = SourceKind::Overheard;
                let source = self.graph.source(kind, &detail, file, offset);
                self.overhears(function, source);
            }
        }
    }

    /// All that a function is called with is meant for others.
    fn overhears(&mut self, function: u32, source: u32) {
        let Some(found) = self.graph.functions.get(function as usize).cloned() else {
            return;
        };
        let lists = found.rest.into_iter().chain(found.arguments);
        let lists: Vec<Node> = lists.map(|list| self.graph.any(list)).collect();
        for node in found.parameters.iter().copied().chain(lists) {
            if node != NONE {
                self.overheard.0.insert(node);
                self.graph.add(node, Atom::Taint(source), NONE);
            }
        }
    }

    /// What is read for others is theirs: what the replaced function gives.
    pub(super) fn gives_overheard(&mut self, path: &str, call: &Call) {
        let is_reader = calls::READS_FILE.contains(&path) || path == "require";
        if self.overheard.0.is_empty() || !is_reader {
            return;
        }
        for &(argument, _) in &call.arguments {
            for atom in self.graph.held(argument) {
                if let Atom::Taint(source) = atom
                    && self.kind(source) == Some(SourceKind::Overheard)
                {
                    self.give_data(source, call);
                }
            }
        }
    }

    /// `addEventListener('keydown', function)` and the like.
    pub(super) fn hears_page(&mut self, call: &Call) {
        for event in self.graph.texts(Self::argument(call, 0)) {
            let event = self.graph.name(event);
            let given = match &*event {
                "keydown" | "keypress" | "keyup" => KEYBOARD,
                "submit" if self.holds_one_of(call.receiver, &["document", "global"]) => SUBMITTED,
                "fetch" if self.holds_one_of(call.receiver, &["global"]) => REQUESTED,
                _ => continue,
            };
            for function in self.functions(Self::argument(call, 1)) {
                let parameter = self.parameter(function, 0);
                self.give(parameter, given);
            }
        }
    }

    /// A member of what a page gives. False where there is no such thing.
    pub(super) fn typed(&mut self, path: &str, member: &str, out: Node) -> bool {
        let detail = match (path, member) {
            (SUBMITTED, "target" | "currentTarget") => {
                self.give(out, FORM);
                return true;
            }
            (KEYBOARD, "key") => "keys that are pressed",
            (PASSWORD, "value") => "a field for a password",
            (REQUESTED, "request") => "fetch of a page, in a service worker",
            (KEYBOARD | SUBMITTED | FORM | PASSWORD | REQUESTED, _) => return true,
            _ => return false,
        };
        let (file, offset) = self.graph.place(out);
        if file != u32::MAX {
            let kind = SourceKind::Overheard;
            let source = self.graph.source(kind, detail, file, offset);
            self.graph.add(out, Atom::Taint(source), NONE);
        }
        true
    }

    /// Calls that give what is typed, or what a browser or an app keeps for others.
    pub(super) fn page_gives(&mut self, path: &str, call: &Call) {
        let first = Self::argument(call, 0);
        match path {
            "FormData" if self.holds_one_of(first, &[FORM]) => {
                let kind = SourceKind::Overheard;
                let detail = "forms of the page";
                let source = self.graph.source(kind, detail, call.file, call.offset);
                self.graph.add(call.out, Atom::Taint(source), NONE);
            }
            "document.querySelector" | "document.getElementById" => {
                let mut texts = self.known_texts(first).into_iter();
                if texts.any(|text| text.to_ascii_lowercase().contains("password")) {
                    self.give(call.out, PASSWORD);
                }
            }
            "chrome.cookies.getAll" | "browser.cookies.getAll" => {
                let kind = SourceKind::WalletOrProfile;
                let source = self.graph.source(kind, ALL_COOKIES, call.file, call.offset);
                self.graph.add(call.out, Atom::Taint(source), NONE);
                for function in self.functions(Self::argument(call, 1)) {
                    let parameter = self.parameter(function, 0);
                    self.graph.add(parameter, Atom::Taint(source), NONE);
                }
            }
            _ => match path.strip_prefix(STORE) {
                Some(".getAllKeys") => self.give(call.out, STORED),
                Some(".multiGet") if self.holds_one_of(first, &[STORED]) => {
                    let kind = SourceKind::WalletOrProfile;
                    let source = self.graph.source(kind, APP_STORAGE, call.file, call.offset);
                    self.graph.add(call.out, Atom::Taint(source), NONE);
                }
                _ => {}
            },
        }
    }

    pub(super) fn holds_one_of(&self, node: Node, paths: &[&str]) -> bool {
        let mut atoms = self.graph.atoms(node).iter();
        atoms.any(|(atom, _)| matches!(atom, Atom::Builtin(path) if paths.contains(&self.graph.text(*path))))
    }

    /// Whether a call takes what is meant for others to a host that the code names, and not to where it goes anyway.
    pub(super) fn takes_elsewhere(&self, call: &Call, sink: &Sink) -> bool {
        if sink.kind == SinkKind::Dns {
            let names = self.known_texts(Self::argument(call, 0));
            let below = names
                .iter()
                .filter_map(|name| name.strip_prefix(super::UNKNOWN));
            return below.into_iter().any(|domain| {
                domain.starts_with('.') && !domain.contains(super::UNKNOWN) && domain.len() > 3
            });
        }
        let Some(host) = sink.host.as_deref() else {
            return false;
        };
        let is_named =
            host.contains('.') && !host.contains(super::UNKNOWN) && !network::is_local(host);
        let carries = |(atom, _): &(Atom, Node)| matches!(atom, Atom::Instance(_));
        let is_carried = self.graph.atoms(call.receiver).iter().any(carries);
        let mut given = call
            .arguments
            .iter()
            .map(|(node, _)| node)
            .chain(&sink.sent);
        is_named && (is_carried || given.any(|&node| self.names(node, host)))
    }

    /// Whether a node holds the name of a host, other than by having been handed it.
    fn names(&self, node: Node, host: &str) -> bool {
        let tells = |text: &str| text.to_ascii_lowercase().contains(host);
        self.graph.atoms(node).iter().any(|(atom, _)| {
            let is_told = match atom {
                Atom::Text(text) => tells(self.graph.text(*text)),
                Atom::Object(object) => {
                    let object = self.graph.objects.get(*object as usize);
                    let mut fields = HOSTS.iter().filter_map(|name| {
                        let name = self.graph.known(name)?;
                        object?.fields.get(&name).copied()
                    });
                    fields.any(|field| self.known_texts(field).iter().any(|text| tells(text)))
                }
                _ => false,
            };
            is_told && !self.was_handed(node, *atom)
        })
    }

    /// Whether something came by the parameter of a function that took the place of another.
    fn was_handed(&self, node: Node, atom: Atom) -> bool {
        let mut node = node;
        for _ in 0..HOPS {
            if self.overheard.0.contains(&node) {
                return true;
            }
            let mut held = self.graph.atoms(node).iter();
            match held.find(|(held, _)| *held == atom) {
                Some((_, from)) if *from != NONE => node = *from,
                _ => return false,
            }
        }
        true
    }
}
