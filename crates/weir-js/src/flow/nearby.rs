//! What does not leave the machine, and what does not decide which program runs: ends of flows that
//! look like sinks and are none.

use std::collections::HashSet;

use weir_model::contents::SourceKind;

use super::graph::{Atom, Call, NONE, Node, Rule};
use super::solve::Solver;

/// Most hops that are followed back.
const HOPS: usize = 400;

/// Functions that start a program by its path, without a shell between, unless they are asked to.
const STARTS_BY_PATH: &[&str] = &[
    "node:child_process.spawn",
    "node:child_process.spawnSync",
    "node:child_process.execFile",
    "node:child_process.execFileSync",
    "node:child_process.fork",
];

/// Words after which a program runs its argument as code.
const RUNS_ARGUMENT: &[&str] = &[
    "-c", "/c", "/C", "-e", "--eval", "-p", "-Command", "-command",
];

impl Solver<'_> {
    /// Whether a call starts a program by its path: no shell reads what it is given.
    pub(super) fn starts_by_path(&self, path: &str, call: &Call) -> bool {
        if !STARTS_BY_PATH.contains(&path) {
            return false;
        }
        let has_shell = call.arguments.iter().skip(1).any(|&(argument, _)| {
            self.graph
                .atoms(argument)
                .iter()
                .any(|(atom, _)| match atom {
                    Atom::Object(object) => self.has_field(*object, "shell"),
                    _ => false,
                })
        });
        let listed = self.listed(Self::argument(call, 1)).unwrap_or_default();
        let runs_argument = listed.iter().any(|(node, _)| {
            let texts = self.known_texts(*node);
            texts
                .iter()
                .any(|text| RUNS_ARGUMENT.contains(&text.as_str()))
        });
        !has_shell && !runs_argument
    }

    fn has_field(&self, object: u32, name: &str) -> bool {
        let name = self.graph.known(name);
        let object = self.graph.objects.get(object as usize);
        name.zip(object)
            .is_some_and(|(name, object)| object.fields.contains_key(&name))
    }

    /// Whether data only chose a folder on its way: it was joined into a path whose last part is a
    /// plain name that the code states.
    pub(super) fn is_folder(&self, source: u32, from: Node) -> bool {
        let joins = self.joined_paths();
        let mut node = from;
        let mut seen = HashSet::new();
        for _ in 0..HOPS {
            if node == NONE || !seen.insert(node) {
                return false;
            }
            let last = joins.iter().find(|(out, _)| *out == node);
            if last.is_some_and(|(_, last)| self.is_plain_name(*last, source)) {
                return true;
            }
            let held = self.graph.atoms(node).iter();
            let mut held = held.filter(|(atom, _)| *atom == Atom::Taint(source));
            match held.next() {
                Some((_, previous)) => node = *previous,
                None => return false,
            }
        }
        false
    }

    /// Calls that join paths: result and last part.
    fn joined_paths(&self) -> Vec<(Node, Node)> {
        let joins = self.graph.rules.iter().filter_map(|rule| {
            let Rule::Call(call) = rule else {
                return None;
            };
            let (last, is_spread) = *call.arguments.last()?;
            let is_join = self.graph.atoms(call.callee).iter().any(|(atom, _)| {
                matches!(atom, Atom::Builtin(path) if matches!(
                    &*self.graph.name(*path),
                    "node:path.join" | "node:path.resolve"
                ))
            });
            (is_join && !is_spread && call.arguments.len() > 1).then_some((call.out, last))
        });
        joins.collect()
    }

    /// Whether a node holds names of files that are known, and nothing of the source.
    fn is_plain_name(&self, node: Node, source: u32) -> bool {
        let texts = self.known_texts(node);
        let is_plain = |text: &String| {
            text.chars().any(char::is_alphanumeric)
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        };
        let atoms = self.graph.atoms(node);
        !texts.is_empty()
            && texts.iter().all(is_plain)
            && !atoms.iter().any(|(atom, _)| *atom == Atom::Taint(source))
    }

    /// Whether what a socket is opened with may be a path only.
    fn is_no_address(&self, atom: &Atom) -> bool {
        match atom {
            Atom::Object(_) => false,
            Atom::Taint(source) => self
                .graph
                .sources
                .get(*source as usize)
                .is_some_and(|it| !matches!(it.kind, SourceKind::Fetched | SourceKind::Decoded)),
            _ => true,
        }
    }

    /// Whether a socket is opened to a program on this machine: `net.connect` of a path alone. What is a text and of
    /// which nothing is known is a path or a port here as well, as another machine's name takes a second argument
    /// or an object. It may be such an object where it was decoded, fetched, or put together.
    pub(super) fn is_local_socket(&self, path: &str, made: &Call) -> bool {
        if !matches!(path, "node:net.connect" | "node:net.createConnection") {
            return false;
        }
        let callback_only = made.arguments.iter().skip(1).all(|&(argument, _)| {
            let mut atoms = self.graph.atoms(argument).iter();
            argument != NONE && atoms.any(|(atom, _)| matches!(atom, Atom::Function(_)))
        });
        let first = Self::argument(made, 0);
        let is_path = |text: &String| text.contains(['/', '\\']) && !text.contains("://");
        let texts = self.known_texts(first);
        let mut atoms = self.graph.atoms(first).iter();
        callback_only
            && first != NONE
            && texts.iter().all(is_path)
            && atoms.all(|(atom, _)| self.is_no_address(atom))
    }
}
