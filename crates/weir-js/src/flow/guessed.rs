//! Ways out that no table names: clients nobody knows, and addresses that are loaded.

use std::collections::HashSet;

use weir_model::contents::SinkKind;

use super::graph::{Arguments, Atom, Call, Key, NONE, Node, Rule};
use super::sinks::Sink;
use super::solve::Solver;
use crate::tables::network;
use crate::tables::silent::is_silent;

/// Deepest object in object in which an address is looked for.
const DEPTH: usize = 3;
/// Most fields of one object that are looked into.
const FIELDS: usize = 32;

/// Properties whose address a browser loads as soon as they are set.
const LOADED: [&str; 2] = ["src", "srcset"];

impl Solver<'_> {
    /// A function of a package that nobody knows, and that is given an address.
    pub(super) fn unknown_client(&self, path: &str, call: &Call) -> Option<Sink> {
        let all: Vec<Node> = call.arguments.iter().map(|(node, _)| *node).collect();
        let name = path.trim_start_matches("pkg:");
        if is_silent(name) {
            return None;
        }
        let host = self.addressed(call).or_else(|| self.told_package(path))?;
        Some(Sink {
            host: Some(host),
            is_guessed: true,
            ..Sink::of(SinkKind::Http, name, all)
        })
    }

    /// The host of an address among what a call is given, at any place. An address of this machine or its network
    /// says nothing of a way out: that of a server under test is handed to whatever is tested with it.
    pub(super) fn addressed(&self, call: &Call) -> Option<String> {
        let mut objects = HashSet::new();
        call.arguments
            .iter()
            .find_map(|&(node, _)| self.address_in(node, 0, &mut objects))
    }

    fn address_in(&self, node: Node, depth: usize, objects: &mut HashSet<u32>) -> Option<String> {
        let texts = self.graph.texts(node).into_iter();
        let of_text = texts
            .map(|name| self.graph.name(name))
            .filter(|text| text.starts_with("http") || text.starts_with("ws"))
            .filter_map(|text| network::host_of(&text))
            .find(|host| !network::is_local(host));
        if of_text.is_some() || depth >= DEPTH {
            return of_text;
        }
        for (atom, _) in self.graph.atoms(node) {
            let Atom::Object(object) = atom else {
                continue;
            };
            if !objects.insert(*object) {
                continue;
            }
            let found = self.graph.objects.get(*object as usize)?;
            let mut fields: Vec<(u32, Node)> = found
                .fields
                .iter()
                .map(|(name, field)| (*name, *field))
                .collect();
            // The first by name; large tables are not sorted for them.
            if fields.len() > FIELDS {
                fields.select_nth_unstable(FIELDS);
                fields.truncate(FIELDS);
            }
            fields.sort_unstable();
            for (_, field) in fields {
                if let Some(host) = self.address_in(field, depth + 1, objects) {
                    return Some(host);
                }
            }
        }
        None
    }

    /// `image.src = 'https://host/?' + secret`: the browser asks for the address at once.
    pub(super) fn loaded_address(&self, rule: &Rule) -> Option<(Call, Sink)> {
        let Rule::Store {
            key: Key::Name(name),
            value,
            ..
        } = rule
        else {
            return None;
        };
        let name = self.graph.name(*name);
        if !LOADED.contains(&&*name) {
            return None;
        }
        let host = self
            .known_texts(*value)
            .iter()
            .find_map(|text| network::host_of(text))?;
        let (file, offset) = self.graph.place(*value);
        if file == u32::MAX {
            return None;
        }
        let call = Call {
            callee: NONE,
            receiver: NONE,
            method: None,
            arguments: Arguments::new(),
            out: NONE,
            is_new: false,
            file,
            offset,
        };
        let label = format!("an address that is loaded (.{name})");
        let sink = Sink {
            host: Some(host),
            ..Sink::of(SinkKind::Http, label, vec![*value])
        };
        Some((call, sink))
    }

    /// Whether a rule may be such a way out.
    pub(super) fn may_leave_unnamed(&self, rule: &Rule) -> bool {
        match rule {
            Rule::Call(call) => {
                let is_package = self.graph.atoms(call.callee).iter().any(|(atom, _)| {
                    matches!(atom, Atom::Builtin(path) if self.graph.name(*path).strip_prefix("pkg:").is_some_and(|name| !is_silent(name)))
                });
                is_package && (self.addressed(call).is_some() || self.client_made(call).is_some())
            }
            store => self.loaded_address(store).is_some(),
        }
    }
}
