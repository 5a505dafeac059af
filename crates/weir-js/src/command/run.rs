//! What a command line starts, and what it does besides.

use std::collections::{BTreeMap, HashSet};

use super::acts::{Deed, Deeds};
use super::folder::Folder;
use super::leaks::Leak;
use super::shell;
use super::starts::{Next, Own};
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
    /// Folders in which it builds `binding.gyp`.
    pub(crate) node_gyp: Vec<String>,
    /// What it is able to do.
    pub(crate) acts: Vec<Deed>,
    /// Hosts it talks to, with the text that names them.
    pub(crate) hosts: Vec<(String, String)>,
    /// Files it copies or moves: from where, and to where.
    pub(crate) copies: Vec<(String, String)>,
    /// Files that a shell runs, whatever they are named.
    pub(crate) shells: Vec<String>,
    /// Files that it may run, where they are there.
    pub(crate) hints: Vec<String>,
    /// What it builds by a file that says how.
    pub(crate) builds: Vec<Build>,
    /// Scripts of the manifest in another folder that it runs: the folder, and their names.
    pub(crate) nested: Vec<(String, Vec<String>)>,
    /// It runs scripts of the manifest.
    pub(crate) asks: bool,
    /// Archives that it takes apart.
    pub(crate) unpacks: Vec<String>,
    /// It may leave files behind that nobody here has read.
    pub(crate) makes_files: bool,
    /// What it starts that cannot be followed, in words.
    pub(crate) unfollowed: Vec<String>,
    /// There is more in it, or deeper, than is followed.
    pub(crate) in_part: bool,
}

/// Something that is built as a file of the package says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Build {
    /// Where the files that it may be are looked for, and where it runs.
    pub(crate) folder: String,
    /// The file, where it is named.
    pub(crate) file: Option<String>,
    /// What is to be made.
    pub(crate) goals: Vec<String>,
    /// By CMake, else by make.
    pub(crate) is_cmake: bool,
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
            copies,
            shells,
            hints,
            builds,
            nested,
            asks,
            unpacks,
            makes_files,
            unfollowed,
            in_part,
        } = other;
        self.in_part |= in_part;
        self.asks |= asks;
        self.makes_files |= makes_files;
        add(&mut self.shells, shells);
        add(&mut self.hints, hints);
        add(&mut self.builds, builds);
        add(&mut self.nested, nested);
        add(&mut self.unpacks, unpacks);
        add(&mut self.unfollowed, unfollowed);
        add(&mut self.node_gyp, node_gyp);
        add(&mut self.copies, copies);
        add(&mut self.files, files);
        add(&mut self.programs, programs);
        add(&mut self.inline, inline);
        add(&mut self.scripts, scripts);
        add(&mut self.leaks, leaks);
        add(&mut self.acts, acts);
        add(&mut self.hosts, hosts);
    }
}

impl Reading {
    /// Whether what it does lies in other files, in other languages, or out of sight.
    pub(crate) fn leads_on(&self) -> bool {
        self.asks
            || !self.builds.is_empty()
            || !self.nested.is_empty()
            || !self.unpacks.is_empty()
            || !self.scripts.is_empty()
            || !self.shells.is_empty()
            || !self.unfollowed.is_empty()
    }

    /// What it says beyond another reading of the same text, which was taken over already.
    pub(crate) fn beyond(mut self, known: &Self) -> Self {
        self.leaks.retain(|one| !known.leaks.contains(one));
        self.acts.retain(|one| !known.acts.contains(one));
        self.hosts.retain(|one| !known.hosts.contains(one));
        self.inline.retain(|one| !known.inline.contains(one));
        self.files.retain(|one| !known.files.contains(one));
        self
    }

    /// A file that is started under the name to which it was copied.
    fn start_copies(&mut self) {
        let bare = |path: &String| path.trim_start_matches("./").to_owned();
        let mut programs: HashSet<String> = self.programs.iter().map(bare).collect();
        let mut files: HashSet<String> = self.files.iter().map(bare).collect();
        for (from, to) in std::mem::take(&mut self.copies).into_iter().rev() {
            let to = bare(&to);
            if programs.contains(&to) && programs.insert(bare(&from)) {
                self.programs.push(from.clone());
            }
            if files.contains(&to) && files.insert(bare(&from)) {
                self.files.push(from);
            }
        }
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
    read_in("", text, scripts)
}

/// The same of one that runs in a folder of the package.
pub(crate) fn read_in(folder: &str, text: &str, scripts: &BTreeMap<String, String>) -> Reading {
    let lengths = scripts.values().map(String::len);
    let length = lengths.fold(text.len().saturating_add(64), usize::saturating_add);
    let mut walk = Walk {
        scripts,
        folder,
        reading: Reading::default(),
        followed: Vec::new(),
        left: length.saturating_mul(GROWTH),
    };
    walk.follow(text, 0);
    walk.reading.start_copies();
    walk.reading
}

struct Walk<'a> {
    scripts: &'a BTreeMap<String, String>,
    /// Where it begins.
    folder: &'a str,
    reading: Reading,
    followed: Vec<String>,
    /// How many bytes of scripts may be followed yet.
    left: usize,
}

impl Walk<'_> {
    /// A text that no other one holds: what it does, and what it starts.
    fn follow(&mut self, text: &str, depth: usize) {
        self.reading.in_part |= text.len() > shell::TEXT;
        let commands = nested::commands(text);
        let (leaks, in_part) = sent::find(&commands.pipelines);
        self.reading.leaks.extend(leaks);
        let mut deeds = Deeds::default();
        for pipeline in &commands.pipelines {
            deeds.pipeline(pipeline, text);
        }
        self.reading.in_part |= in_part || commands.in_part || deeds.brought.in_part;
        self.reading.leaks.append(&mut deeds.runs);
        self.reading.acts.append(&mut deeds.deeds);
        self.reading.hosts.append(&mut deeds.hosts);
        self.started(text, depth);
        for script in commands.fed {
            if self.may_follow(&script, depth) {
                self.started(&script, depth + 1);
            }
        }
    }

    /// What a text starts. What its inner scripts do by themselves was seen with the text around them.
    fn started(&mut self, text: &str, depth: usize) {
        let mut folder = Folder::at(self.folder);
        for pipeline in shell::pipelines(text) {
            let mut next = Next::default();
            for (at, simple) in pipeline.iter().enumerate() {
                let before = pipeline.get(..at).unwrap_or_default();
                let reading = &mut self.reading;
                folder.group(simple);
                let own = Own {
                    scripts: self.scripts,
                    base: self.folder,
                };
                starts::invocation(simple, before, own, &folder.now, reading, &mut next);
                folder.program(simple);
            }
            for script in next.inner {
                if self.may_follow(&script, depth) {
                    self.started(&script, depth + 1);
                }
            }
            for script in next.scripts {
                if self.may_follow(&script, depth) {
                    self.follow(&script, depth + 1);
                }
            }
        }
    }

    /// Whether a script is new, and there is room for it.
    fn may_follow(&mut self, script: &str, depth: usize) -> bool {
        if self.followed.iter().any(|known| known == script) {
            return false;
        }
        let cost = script.len().saturating_add(EACH);
        if depth >= DEPTH || cost > self.left {
            self.reading.in_part = true;
            return false;
        }
        self.left -= cost;
        self.followed.push(script.to_owned());
        true
    }
}
