//! What arrives at sinks, with its path.

use std::collections::HashSet;

use weir_model::contents::{HostClass, SinkKind, SourceKind};

use super::graph::{Atom, Call, Key, NONE, Node, Rule};
use super::laden::Laden;
use super::sinks::{Sink, is_credential_name, socket_kind};
use super::solve::Solver;
use crate::tables::{calls, data, flows, hosts, network, uploads, vaults};

/// Deepest object in object that is looked into at a sink.
const DEPTH: usize = 6;
/// Most places between source and sink that are reported.
const STEPS: usize = 8;
/// Most sinks that are reported for one source; where there are more, they share their way.
const SINKS: usize = 4;
/// Most hops that are followed back.
const HOPS: usize = 400;

/// A flow, with places as file and offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) source: SourceKind,
    pub(crate) source_detail: String,
    pub(crate) source_place: (u32, u32),
    /// Places between, with the constant that each folds to.
    pub(crate) steps: Vec<((u32, u32), Option<String>)>,
    pub(crate) sink: SinkKind,
    pub(crate) sink_detail: String,
    pub(crate) sink_place: (u32, u32),
}

/// A secret found in what a sink is given.
struct Arrived {
    source: u32,
    node: Node,
    /// It stands under a name by which requests authenticate.
    is_credential_field: bool,
}

impl Solver<'_> {
    /// Whether anything is called that could be a sink.
    pub(crate) fn has_sink(&self) -> bool {
        let compile = self.graph.known("_compile").map(Key::Name);
        let is_named = self.graph.rules.iter().any(|rule| {
            let Rule::Call(call) = rule else {
                return false;
            };
            if self.graph.follows_code && call.method.is_some() && call.method == compile {
                return true;
            }
            self.graph
                .atoms(call.callee)
                .iter()
                .any(|(atom, _)| match atom {
                    Atom::Builtin(path) => {
                        let path = self.graph.name(*path);
                        network::call(&path).is_some()
                            || uploads::of(&path).is_some()
                            || socket_kind(&path).is_some()
                            || calls::RUNS_COMMAND.contains(&&*path)
                            || (self.graph.follows_code && flows::CODE.contains(&&*path))
                    }
                    _ => false,
                })
        });
        // The search for addresses in what calls are given is the dearer one.
        is_named || self.graph.rules.iter().any(|it| self.may_leave_unnamed(it))
    }

    /// All flows, in the order of the calls.
    pub(crate) fn report(&self, limit: usize) -> Vec<Reported> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        if self.graph.sources.is_empty() {
            return found;
        }
        let laden = Laden::of(&self.graph);
        let rules = self.graph.rules.iter();
        for rule in rules.filter(|rule| laden.hands_on(&self.graph, rule)) {
            if let Some((call, sink)) = self.loaded_address(rule) {
                self.arrivals(&call, &sink, &mut seen, &mut found);
            }
            let Rule::Call(call) = rule else {
                continue;
            };
            for sink in self.sinks(call) {
                self.arrivals(call, &sink, &mut seen, &mut found);
            }
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        found
    }

    fn arrivals(
        &self,
        call: &Call,
        sink: &Sink,
        seen: &mut HashSet<(u32, SinkKind, u32, u32)>,
        found: &mut Vec<Reported>,
    ) {
        // What a cloud's metadata service is told stays with the machine.
        let is_own_cloud = sink
            .host
            .as_deref()
            .is_some_and(|host| hosts::classify(host, host) == HostClass::CloudMetadata);
        if sink.kind.leaves() && is_own_cloud {
            return;
        }
        let is_odd = sink.host.as_deref().is_some_and(network::is_odd_host);
        let mut arrived = Vec::new();
        let mut objects = HashSet::new();
        for &node in &sink.sent {
            self.collect(
                node,
                sink.is_credential_field,
                0,
                &mut objects,
                &mut arrived,
            );
        }
        for one in arrived {
            let Some(source) = self.graph.sources.get(one.source as usize) else {
                continue;
            };
            if !flows::makes_sense(source.kind, sink.kind)
                || (sink.is_loaded && source.kind != SourceKind::Fetched)
            {
                continue;
            }
            let is_strange = || {
                let host = sink.host.as_deref();
                is_odd || host.is_some_and(|host| network::is_foreign(&source.detail, host))
            };
            let is_login =
                source.kind == SourceKind::SecretVariable || vaults::is_told(&source.detail);
            if one.is_credential_field && is_login && !is_strange() {
                continue;
            }
            // Services are given a key of theirs by whichever client; all variables, by none.
            if sink.is_guessed
                && !matches!(
                    source.kind,
                    SourceKind::Environment
                        | SourceKind::CredentialFile
                        | SourceKind::WalletOrProfile
                        | SourceKind::CloudMetadata
                        | SourceKind::ProcessMemory
                )
            {
                continue;
            }
            if source.kind == SourceKind::Overheard && !self.takes_elsewhere(call, sink) {
                continue;
            }
            if self.stays_with_page(&source.detail, sink, one.is_credential_field) {
                continue;
            }
            // A version or a list that lies beside the code goes into commands and files everywhere.
            if source.detail.starts_with(data::PREFIX) && sink.kind != SinkKind::DynamicCode {
                continue;
            }
            if sink.names_program && self.is_folder(one.source, one.node) {
                continue;
            }
            let of_source = seen
                .iter()
                .filter(|(source, ..)| *source == one.source)
                .count();
            if of_source >= SINKS || !seen.insert((one.source, sink.kind, call.file, call.offset)) {
                continue;
            }
            let detail = match &sink.host {
                Some(host) => format!("{} to {host}", sink.label),
                None => sink.label.clone(),
            };
            found.push(Reported {
                source: source.kind,
                source_detail: source.detail.clone(),
                source_place: (source.file, source.offset),
                steps: self.steps(one.source, one.node),
                sink: sink.kind,
                sink_detail: detail,
                sink_place: (call.file, call.offset),
            });
        }
    }

    /// The host that the arguments of a request name.
    pub(super) fn host(&self, arguments: &[Node]) -> Option<String> {
        let mut objects = HashSet::new();
        arguments
            .iter()
            .find_map(|&node| self.host_in(node, 0, &mut objects))
    }

    fn host_in(&self, node: Node, depth: usize, objects: &mut HashSet<u32>) -> Option<String> {
        let texts = self.known_texts(node);
        let mut hosts = texts.iter().filter_map(|text| network::host_of(text));
        // This machine is the least that one of several addresses can mean.
        if let Some(first) = hosts.next() {
            let other = match network::is_local(&first) {
                true => hosts.find(|host| !network::is_local(host)),
                false => None,
            };
            return Some(other.unwrap_or(first));
        }
        if depth > 3 {
            return None;
        }
        for (atom, _) in self.graph.atoms(node) {
            let Atom::Object(object) = atom else {
                continue;
            };
            if !objects.insert(*object) {
                continue;
            }
            let found = self.graph.objects.get(*object as usize)?;
            for key in [
                "hostname",
                "host",
                "url",
                "uri",
                "baseURL",
                "prefixUrl",
                "href",
                "origin",
            ] {
                let Some(&field) = self
                    .graph
                    .known(key)
                    .and_then(|name| found.fields.get(&name))
                else {
                    continue;
                };
                if let Some(host) = self.host_in(field, depth + 1, objects) {
                    return Some(host);
                }
                let plain = self
                    .known_texts(field)
                    .into_iter()
                    .find(|text| !text.contains(['/', ' ', super::UNKNOWN]) && !text.is_empty());
                if plain.is_some() {
                    return plain;
                }
            }
            if let Some(host) = self.host_in(found.spread, depth + 1, objects) {
                return Some(host);
            }
        }
        None
    }

    fn collect(
        &self,
        node: Node,
        is_credential_field: bool,
        depth: usize,
        objects: &mut HashSet<(u32, bool)>,
        arrived: &mut Vec<Arrived>,
    ) {
        if node == NONE || depth > DEPTH || arrived.len() > 200 {
            return;
        }
        for (atom, _) in self.graph.atoms(node) {
            match atom {
                Atom::Taint(source) | Atom::Environment(source) => arrived.push(Arrived {
                    source: *source,
                    node,
                    is_credential_field,
                }),
                Atom::Object(object) => {
                    if !objects.insert((*object, is_credential_field)) {
                        continue;
                    }
                    let Some(found) = self.graph.objects.get(*object as usize) else {
                        continue;
                    };
                    let mut fields: Vec<_> = found.fields.iter().collect();
                    fields.sort_unstable_by_key(|(name, _)| **name);
                    for (name, &field) in fields {
                        let name = self.graph.name(*name);
                        let is_credential = is_credential_field || is_credential_name(&name);
                        self.collect(field, is_credential, depth + 1, objects, arrived);
                    }
                    // `[['authorization', token]]`
                    let is_pair = found
                        .elements
                        .as_ref()
                        .and_then(|list| list.first())
                        .is_some_and(|&first| {
                            self.known_texts(first)
                                .iter()
                                .any(|text| is_credential_name(text))
                        });
                    for &element in found.elements.iter().flatten() {
                        self.collect(
                            element,
                            is_credential_field || is_pair,
                            depth + 1,
                            objects,
                            arrived,
                        );
                    }
                    for part in [found.any, found.spread] {
                        self.collect(part, is_credential_field, depth + 1, objects, arrived);
                    }
                }
                _ => {}
            }
        }
    }

    /// The constant beside the data in a node: the text it was put into.
    fn folded(&self, node: Node) -> Option<String> {
        let name = *self.graph.texts(node).first()?;
        let text = self.graph.name(name).replace(super::UNKNOWN, "…");
        let text = crate::place::clean(&text);
        (text.chars().filter(|c| c.is_alphabetic()).count() > 2).then_some(text)
    }

    /// The places a value passed, from source to sink, without the ends.
    fn steps(&self, source: u32, from: Node) -> Vec<((u32, u32), Option<String>)> {
        let mut places: Vec<((u32, u32), Option<String>)> = Vec::new();
        let mut node = from;
        let mut seen = HashSet::new();
        for _ in 0..HOPS {
            if node == NONE || !seen.insert(node) {
                break;
            }
            let place = self.graph.place(node);
            if place.0 != u32::MAX && places.last().map(|(last, _)| *last) != Some(place) {
                places.push((place, self.folded(node)));
            }
            let found = self.graph.atoms(node).iter().find(|(atom, _)| {
                matches!(atom, Atom::Taint(held) | Atom::Environment(held) if *held == source)
            });
            match found {
                Some((_, previous)) => node = *previous,
                None => break,
            }
        }
        places.reverse();
        if places.len() > 4 * STEPS {
            // The two ends of a long way say most.
            let tail = places.split_off(places.len() - 2 * STEPS);
            places.truncate(2 * STEPS);
            places.extend(tail);
        }
        places
    }
}
