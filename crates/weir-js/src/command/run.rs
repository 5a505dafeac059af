//! What a command line starts, and what it does besides.

use std::collections::BTreeMap;

use super::acts::{Deed, Deeds};
use super::leaks::Leak;
use super::shell;
use super::{nested, sent, starts};
use crate::script::Language;

/// Deepest `npm run` that runs `npm run`.
const DEPTH: usize = 6;
/// How much longer all scripts that are followed may be than the text and the scripts of the manifest.
const GROWTH: usize = 12;
/// What following one costs beside its text.
const EACH: usize = 16;

/// What a command line does, as far as it is read from the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Paths of files it starts, relative to the package's root, as written.
    pub(crate) files: Vec<String>,
    /// Those of them that a runtime of JavaScript is given as its program, whatever they are named.
    pub(crate) programs: Vec<String>,
    /// Code given on the command line (`node -e`).
    pub(crate) inline: Vec<String>,
    /// The same in other languages (`python -c`).
    pub(crate) scripts: Vec<(Language, String)>,
    /// Secrets that the shell itself sends.
    pub(crate) leaks: Vec<Leak>,
    /// It builds `binding.gyp`.
    pub(crate) node_gyp: bool,
    /// What it is able to do.
    pub(crate) acts: Vec<Deed>,
    /// Hosts it talks to, with the text that names them.
    pub(crate) hosts: Vec<(String, String)>,
}

impl Reading {
    /// Adds what another reading of the same text saw.
    pub(crate) fn join(&mut self, other: Self) {
        let Self {
            files,
            programs,
            inline,
            scripts,
            leaks,
            node_gyp,
            acts,
            hosts,
        } = other;
        self.node_gyp |= node_gyp;
        add(&mut self.files, files);
        add(&mut self.programs, programs);
        add(&mut self.inline, inline);
        add(&mut self.scripts, scripts);
        add(&mut self.leaks, leaks);
        add(&mut self.acts, acts);
        add(&mut self.hosts, hosts);
    }
}

fn add<T: PartialEq>(to: &mut Vec<T>, from: Vec<T>) {
    for one in from {
        if !to.contains(&one) {
            to.push(one);
        }
    }
}

/// Reads a command line or a shell script.
pub(crate) fn read(text: &str, scripts: &BTreeMap<String, String>) -> Reading {
    let lengths = scripts.values().map(String::len);
    let length = lengths.fold(text.len().saturating_add(64), usize::saturating_add);
    let mut walk = Walk {
        scripts,
        reading: Reading::default(),
        followed: Vec::new(),
        left: length.saturating_mul(GROWTH),
    };
    walk.follow(text, 0);
    walk.reading
}

struct Walk<'a> {
    scripts: &'a BTreeMap<String, String>,
    reading: Reading,
    followed: Vec<String>,
    /// How many bytes of scripts may be followed yet.
    left: usize,
}

impl Walk<'_> {
    fn follow(&mut self, text: &str, depth: usize) {
        if depth == 0 || !text.is_empty() {
            let commands = nested::commands(text);
            self.reading.leaks.extend(sent::find(&commands));
            let mut deeds = Deeds::default();
            for pipeline in &commands {
                deeds.pipeline(pipeline, text);
            }
            self.reading.leaks.append(&mut deeds.runs);
            self.reading.acts.append(&mut deeds.deeds);
            self.reading.hosts.append(&mut deeds.hosts);
        }
        let mut folder = String::new();
        for pipeline in shell::pipelines(text) {
            let mut next = Vec::new();
            for (at, simple) in pipeline.iter().enumerate() {
                let before = pipeline.get(..at).unwrap_or_default();
                let reading = &mut self.reading;
                starts::invocation(
                    simple,
                    before,
                    self.scripts,
                    &mut folder,
                    reading,
                    &mut next,
                );
            }
            for script in next {
                let cost = script.len().saturating_add(EACH);
                if depth >= DEPTH || cost > self.left || self.followed.contains(&script) {
                    continue;
                }
                self.left -= cost;
                self.followed.push(script.clone());
                self.follow(&script, depth + 1);
            }
        }
    }
}
