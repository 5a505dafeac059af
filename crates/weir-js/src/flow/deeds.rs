//! What solved code is able to do: the same as one look at each file tells, where names, paths and
//! commands only become known by folding.

use std::collections::BTreeMap;

use weir_model::contents::CapabilityKind;

use super::graph::{Atom, Call, Node, Rule};
use super::sinks::socket_kind;
use super::solve::Solver;
use crate::ability::{EXCHANGES, Touch, Verb, is_everything};
use crate::command;
use crate::tables::{abilities, calls, flows, network};

/// Most of either kind that are reported.
const MOST: usize = 200;

/// What calls are able to do, with places as file and offset.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    /// Abilities: which, what exactly, where.
    pub(crate) abilities: Vec<(CapabilityKind, String, (u32, u32))>,
    /// Paths that are written or removed.
    pub(crate) touches: Vec<(Touch, u32)>,
    /// Hosts with the text that names them.
    pub(crate) hosts: Vec<(String, (u32, u32))>,
    /// Folders whose entries are listed.
    listed: Vec<String>,
}

impl Deeds {
    /// Adds what another group of files does.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.abilities.append(&mut other.abilities);
        self.touches.append(&mut other.touches);
        self.hosts.append(&mut other.hosts);
    }

    /// Adds what a command line does that is run at a place.
    fn command(&mut self, reading: command::Reading, place: (u32, u32)) {
        let acts = reading.acts.into_iter();
        self.abilities
            .extend(acts.map(|act| (act.kind, act.detail, place)));
        let hosts = reading.hosts.into_iter();
        self.hosts.extend(hosts.map(|(host, _)| (host, place)));
    }

    /// What was copied is read and replaced: told as one ability, as one look at a file tells it.
    fn exchanges_what_was_copied(&mut self) {
        let calls = |verbs: [&str; 2]| {
            self.abilities.iter().find(|(kind, detail, _)| {
                let function = detail.rsplit('.').next().unwrap_or_default();
                *kind == CapabilityKind::Clipboard
                    && verbs.iter().any(|verb| function.starts_with(verb))
            })
        };
        if let (Some(_), Some((.., place))) = (calls(["read", "paste"]), calls(["write", "copy"])) {
            let both = (CapabilityKind::Clipboard, EXCHANGES.to_owned(), *place);
            self.abilities.insert(0, both);
        }
    }

    /// Each entry of a folder that is listed is all of it, and so is each entry of its folders. Says how many
    /// folders deep the entry is.
    fn whole_folder(&self, path: String) -> (String, usize) {
        let is_any = |entry: &str| !entry.is_empty() && entry.chars().all(|c| c == super::UNKNOWN);
        let mut folder = path.as_str();
        let (mut whole, mut deep) = (None, 0);
        while let Some((outer, _)) = folder.rsplit_once('/').filter(|(_, it)| is_any(it)) {
            folder = outer;
            deep += 1;
            if self.listed.iter().any(|listed| listed == folder) {
                whole = Some((format!("{folder}/*"), deep));
            }
        }
        whole.unwrap_or((path, 0))
    }
}

impl Solver<'_> {
    /// Looks at every call.
    pub(crate) fn deeds(&self) -> Deeds {
        let mut deeds = Deeds {
            listed: self.listed_folders(),
            ..Deeds::default()
        };
        for (_, call) in self.outward() {
            for (atom, _) in self.graph.atoms(call.callee) {
                if let Atom::Builtin(path) = atom {
                    let path = self.graph.name(*path);
                    self.deed(&path, call, &mut deeds);
                }
            }
            for reading in self.scripts_run(call) {
                let place = (call.file, call.offset);
                deeds.command(reading, place);
            }
            if deeds.abilities.len() > MOST || deeds.touches.len() > MOST {
                break;
            }
        }
        deeds.exchanges_what_was_copied();
        deeds
    }

    /// Whether any folder is listed.
    pub(super) fn lists_folders(&self) -> bool {
        self.graph.rules.iter().any(|rule| match rule {
            Rule::Call(call) => self.lists(call),
            _ => false,
        })
    }

    pub(super) fn lists(&self, call: &Call) -> bool {
        self.graph.atoms(call.callee).iter().any(|(atom, _)| {
            matches!(atom, Atom::Builtin(path)
                if self.graph.name(*path).starts_with("node:fs.readdir"))
        })
    }

    /// Folders whose entries are listed.
    fn listed_folders(&self) -> Vec<String> {
        let mut folders = Vec::new();
        for (_, call) in self.outward() {
            if self.lists(call) && folders.len() < MOST {
                folders.extend(self.known_texts(Self::argument(call, 0)));
            }
        }
        folders
    }

    fn deed(&self, path: &str, call: &Call, deeds: &mut Deeds) {
        let place = (call.file, call.offset);
        let bare = path
            .trim_start_matches("node:")
            .trim_start_matches("pkg:")
            .to_owned();
        if calls::RUNS_COMMAND.contains(&path) {
            deeds.abilities.push((CapabilityKind::Process, bare, place));
            for text in self.command_lines(call) {
                let reading = command::read(&text, &BTreeMap::new());
                deeds.command(reading, place);
            }
        } else if flows::CODE.contains(&path) {
            let code = Self::argument(call, call.arguments.len().saturating_sub(1));
            // Text of a file is not known here.
            let texts = self.known_texts(code);
            if texts.iter().all(|text| self.is_of_file(text)) {
                deeds
                    .abilities
                    .push((CapabilityKind::DynamicCode, bare, place));
            }
        } else if let Some(function) = path.strip_prefix("node:fs.") {
            self.file_deed(function, call, deeds);
        } else if network::call(path).is_some() || socket_kind(path).is_some() {
            let kind = if path.starts_with("node:dns") {
                CapabilityKind::Dns
            } else {
                CapabilityKind::Network
            };
            deeds.abilities.push((kind, bare, place));
            let all: Vec<Node> = call.arguments.iter().map(|(node, _)| *node).collect();
            if let Some(host) = self.host(&all) {
                deeds.hosts.push((host, place));
            }
        } else if let Some((module, function)) = bare.split_once('.')
            && let Some(kind) = abilities::of_function(module, function)
            && kind != CapabilityKind::DynamicCode
        {
            deeds.abilities.push((kind, bare.clone(), place));
        }
    }

    /// The command lines that a call may run: each program with the words it is given, those of all
    /// lists where there are several.
    pub(super) fn command_lines(&self, call: &Call) -> Vec<String> {
        let mut words = String::new();
        for (node, _) in self
            .listed(Self::argument(call, 1))
            .into_iter()
            .flatten()
            .take(64)
        {
            for text in self.known_texts(node) {
                words.push_str(" '");
                words.push_str(&text.replace('\'', "'\\''"));
                words.push('\'');
            }
        }
        self.known_texts(Self::argument(call, 0))
            .into_iter()
            .take(16)
            .map(|program| format!("{program}{words}"))
            .collect()
    }

    fn file_deed(&self, function: &str, call: &Call, deeds: &mut Deeds) {
        let written = abilities::WRITERS
            .iter()
            .find(|(name, _)| *name == function)
            .map(|(_, at)| (Verb::Write, *at));
        // What is opened to be written or added to is written.
        let opened = || {
            let modes = self.known_texts(Self::argument(call, 1));
            let writes = modes.iter().any(|mode| mode.starts_with(['a', 'w']));
            (matches!(function, "open" | "openSync") && writes).then_some((Verb::Write, 0))
        };
        let written = written.or_else(opened);
        let removed = abilities::REMOVERS
            .iter()
            .find(|(name, _)| *name == function)
            .map(|(_, whole)| {
                // Options of a removal ask for the whole tree, in nearly all code.
                let tree = *whole || call.arguments.len() > 1;
                (Verb::Remove { tree }, 0)
            });
        let Some((verb, at)) = written.or(removed) else {
            return;
        };
        let paths = self.known_texts(Self::argument(call, at)).into_iter();
        let whole: Vec<_> = paths.map(|path| deeds.whole_folder(path)).collect();
        // Whoever removes file after file of all folders removes the tree.
        let walks = whole
            .iter()
            .any(|(path, deep)| *deep > 1 && is_everything(path));
        let verb = match verb {
            Verb::Remove { tree } => Verb::Remove {
                tree: tree || walks,
            },
            other => other,
        };
        let mut paths: Vec<String> = Vec::new();
        for (path, _) in whole {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        // One of several possible paths is no reason to say that a home folder is removed, unless
        // the others are no better.
        if paths.len() > 1
            && matches!(verb, Verb::Remove { .. })
            && !paths.iter().all(|path| is_everything(path))
        {
            return;
        }
        // Hooks of git are told last: whoever writes something else too is no manager of them.
        paths.sort_by_key(|path| path.contains(".git/hooks/"));
        for path in paths {
            let touch = Touch {
                verb,
                path: self.seen_from(path, call.file),
                by: function.to_owned(),
                offset: call.offset,
            };
            deeds.touches.push((touch, call.file));
        }
    }
}
