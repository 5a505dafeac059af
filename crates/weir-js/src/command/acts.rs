//! What commands are able to do, whom they talk to, and what they run that comes from elsewhere.

use weir_model::contents::{CapabilityKind, SinkKind, SourceKind};

use super::leaks::{self, Leak, Stolen, program};
use super::ran::Brought;
use super::shell::{Mark, Simple};
use super::words::{SHELLS, short, target};
use super::wrappers::unwrapped;
use crate::ability::{Stand, Touch, Verb, is_everything, judge, tells_each};
use crate::tables::{network, systems};

/// Most deeds of one script before each kind is told once.
const DEEDS: usize = 48;

/// Something a command is able to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    /// Which.
    pub(crate) kind: CapabilityKind,
    /// What exactly.
    pub(crate) detail: String,
    /// The command.
    pub(crate) snippet: String,
}

/// What the commands of one script do together.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    /// Abilities, each kind once, or each thing that is done where that is told.
    pub(crate) deeds: Vec<Deed>,
    /// Hosts, with the text that names them.
    pub(crate) hosts: Vec<(String, String)>,
    /// What is fetched or decoded and then run.
    pub(crate) runs: Vec<Leak>,
    /// Files that were downloaded or unpacked, with where from.
    pub(super) downloads: Vec<(String, Stolen)>,
    /// What came from elsewhere into variables, groups and functions.
    pub(super) brought: Brought,
    /// A release was given its number, or a tag.
    pub(super) tagged: bool,
    /// A branch without a past was begun.
    pub(super) orphaned: bool,
    /// Where the commands are, once they went to a home folder or a root.
    folder: Option<String>,
}

impl Deeds {
    /// Looks at one pipeline; they come in the order in which they run.
    pub(crate) fn pipeline(&mut self, pipeline: &[Simple], text: &str) {
        for simple in pipeline {
            self.simple(simple, pipeline.len() > 1);
        }
        self.found_and_removed(pipeline);
        self.piped(pipeline);
        self.remote(pipeline);
        self.silent(pipeline, text);
        if self.hosts.len() > 64 {
            self.hosts.truncate(64);
        }
    }

    /// `find X -delete`, `find X | xargs rm`: all that lies below is removed.
    fn found_and_removed(&mut self, pipeline: &[Simple]) {
        let removes = pipeline.iter().any(|simple| {
            let words = unwrapped(&simple.words);
            let name = words.first().map(|word| program(word)).unwrap_or_default();
            matches!(&*name, "rm" | "shred" | "rimraf")
                || (name == "find"
                    && words
                        .iter()
                        .any(|word| matches!(word.as_str(), "-delete" | "rm" | "shred")))
        });
        if !removes {
            return;
        }
        for simple in pipeline {
            let words = unwrapped(&simple.words);
            if words.first().is_none_or(|word| program(word) != "find") {
                continue;
            }
            for folder in words
                .iter()
                .skip(1)
                .take_while(|word| !word.starts_with('-'))
            {
                self.judge(Verb::Remove { tree: true }, folder, "find", simple);
            }
        }
    }

    pub(super) fn deed(
        &mut self,
        kind: CapabilityKind,
        detail: impl Into<String>,
        simple: &Simple,
    ) {
        let detail = detail.into();
        let each = tells_each(kind) && self.deeds.len() < DEEDS;
        let is_known = |deed: &Deed| deed.kind == kind && !(each && deed.detail != detail);
        if self.deeds.iter().any(is_known) {
            return;
        }
        self.deeds.push(Deed {
            kind,
            detail,
            snippet: crate::place::clean(&line(simple)),
        });
    }

    fn simple(&mut self, simple: &Simple, is_piped: bool) {
        if simple.mark == Mark::End && simple.is_subshell {
            self.folder = None;
        }
        for (name, value) in &simple.assignments {
            if name == "NODE_TLS_REJECT_UNAUTHORIZED" && value == "0" {
                self.deed(CapabilityKind::DisablesTls, name.clone(), simple);
            }
        }
        self.redirects(simple);
        let words = unwrapped(&simple.words);
        let Some(first) = words.first() else {
            return;
        };
        let name = program(first);
        let rest = words.get(1..).unwrap_or_default();
        if leaks::tool(words).is_some() {
            self.network(&name, rest, simple);
        }
        self.on_system(&name, rest, simple);
        self.fetches_source(&name, rest, simple);
        match &*name {
            "cd" | "pushd" | "popd" | "chdir" | "set-location" => self.moved(rest),
            "rm" | "del" | "rd" | "rmdir" | "shred" | "remove-item" | "rimraf" => {
                self.removal(&name, rest, simple);
            }
            "sed"
                if rest
                    .iter()
                    .any(|word| word.starts_with("-i") || word == "--in-place") =>
            {
                if let Some(file) = rest.last() {
                    self.write(file, "sed", simple);
                }
            }
            // Overwrites what was removed, so that nobody gets it back.
            "cipher"
                if rest
                    .iter()
                    .any(|word| word.to_ascii_lowercase().starts_with("/w:")) =>
            {
                self.deed(CapabilityKind::RemovesHome, line(simple), simple);
            }
            // The system's hosts of scripts and libraries run without a window.
            "cscript" | "wscript" | "mshta" | "rundll32" | "regsvr32" if !rest.is_empty() => {
                self.deed(CapabilityKind::DetachedProcess, line(simple), simple);
            }
            "npm" | "pnpm" | "yarn" | "bun" => self.manager(&name, rest, simple),
            "git" => self.git(rest, simple),
            "pip" | "pip3" | "pipx" | "gem" if rest.iter().any(|word| word == "install") => {
                self.fetches_package(&name, rest, simple);
            }
            "npx" | "pnpx" | "bunx" | "uvx" | "deno" => self.fetches_program(&name, rest, simple),
            "crontab" if rest.iter().any(|word| !word.starts_with("-l")) || is_piped => {
                self.deed(
                    CapabilityKind::Persists,
                    "a service or scheduled job, crontab",
                    simple,
                );
            }
            "systemctl" | "launchctl" | "schtasks" | "loginctl" | "sc" | "update-rc.d" => {
                let starts = [
                    "enable",
                    "load",
                    "bootstrap",
                    "/create",
                    "enable-linger",
                    "create",
                    "defaults",
                ];
                if let Some(word) = rest
                    .iter()
                    .find(|word| starts.contains(&word.to_ascii_lowercase().as_str()))
                {
                    self.deed(
                        CapabilityKind::Persists,
                        format!("a service or scheduled job, {name} {word}"),
                        simple,
                    );
                }
            }
            "reg"
                if rest
                    .iter()
                    .any(|word| word.to_ascii_lowercase().contains("currentversion\\run")) =>
            {
                self.deed(
                    CapabilityKind::Persists,
                    "a service or scheduled job, a Run key",
                    simple,
                );
            }
            "tee" | "cp" | "mv" | "install" | "ln" | "copy" | "copy-item" | "move"
            | "add-content" | "set-content" | "out-file" => {
                // `tee` writes all it is given, the others the last.
                let targets: Vec<&String> =
                    rest.iter().filter(|word| !word.starts_with('-')).collect();
                let written = if name == "tee" {
                    targets.as_slice()
                } else {
                    targets
                        .get(targets.len().saturating_sub(1)..)
                        .unwrap_or_default()
                };
                for target in written {
                    self.write(target, &name, simple);
                }
                if matches!(&*name, "mv" | "move") {
                    let moved = targets.split_last().map_or(&[][..], |(_, moved)| moved);
                    for from in moved {
                        self.judge(Verb::Remove { tree: false }, from, "mv", simple);
                    }
                }
            }
            "chmod" => self.locked(rest, simple),
            "chattr" | "dd"
                if rest.iter().any(|word| {
                    word.starts_with("of=/dev/sd") || word.starts_with("of=/dev/nvme")
                }) =>
            {
                self.deed(CapabilityKind::RemovesHome, line(simple), simple);
            }
            "pbpaste" | "xclip" | "xsel" | "wl-paste" | "get-clipboard" => {
                self.deed(CapabilityKind::Clipboard, name.clone(), simple);
            }
            "gh" if matches!(rest, [group, act, ..] if group == "workflow" && act == "run") => {
                self.deed(CapabilityKind::Publishes, line(simple), simple);
            }
            "hostname" | "whoami" | "ifconfig" | "ipconfig" | "systeminfo" => {
                self.deed(CapabilityKind::HostFacts, name.clone(), simple);
            }
            _ => self.handed(first, rest, simple, is_piped),
        }
        self.starts_download(first, rest, simple);
    }

    /// What a program is there for does something to the machine.
    fn on_system(&mut self, name: &str, rest: &[String], simple: &Simple) {
        if let Some(row) = systems::find(name, rest) {
            self.deed(row.kind, format!("{}, {}", row.what, line(simple)), simple);
        }
        let is_drive = |word: &String| {
            let bytes = word.as_bytes();
            matches!(bytes, [letter, b':'] if letter.is_ascii_alphabetic())
                || word.starts_with("/dev/")
        };
        let empties = name == "format" || name == "mkfs" || name.starts_with("mkfs.");
        if empties && rest.iter().any(is_drive) {
            self.deed(CapabilityKind::RemovesHome, line(simple), simple);
        }
    }

    /// `cd ~`, `cd /`: what is named from there is looked at with it.
    fn moved(&mut self, rest: &[String]) {
        let to = rest.iter().find(|word| !word.starts_with('-'));
        let to = to.map_or_else(|| "~".to_owned(), |word| at_home(word));
        let is_back = rest.iter().any(|word| word == "-");
        self.folder = (is_everything(&to) && !to.is_empty() && !is_back).then_some(to);
    }

    fn manager(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let mut words = rest
            .iter()
            .filter(|word| !word.starts_with('-'))
            .map(String::as_str);
        let first = words.next();
        let second = words.next();
        match (first, second) {
            (Some("publish"), _) | (Some("npm"), Some("publish")) => {
                let is_rehearsal = rest.iter().any(|word| word.starts_with("--dry-run"));
                if !is_rehearsal {
                    self.deed(CapabilityKind::Publishes, format!("{name} publish"), simple);
                }
            }
            (Some("install" | "i" | "in" | "add" | "exec" | "x" | "dlx"), _) => {
                self.renames_package(name, rest, simple);
                self.installs_agent(name, rest, simple);
                self.fetches_package(name, rest, simple);
            }
            (Some("version"), Some(_)) => self.tagged = true,
            (Some("config" | "set"), _) if let Some(host) = names_registry(rest) => {
                let detail = format!("a file of keys or registries, {}", line(simple));
                self.deed(CapabilityKind::Persists, detail, simple);
                self.contact(&host, &line(simple));
            }
            (Some("config" | "set"), _) if names_program(rest) => {
                self.deed(
                    CapabilityKind::Persists,
                    format!("a program that {name} runs, {}", line(simple)),
                    simple,
                );
            }
            (Some("config" | "set"), _)
                if rest.iter().any(|word| word.starts_with("strict-ssl"))
                    && rest.iter().any(|word| word.ends_with("false")) =>
            {
                self.deed(CapabilityKind::DisablesTls, "strict-ssl false", simple);
            }
            _ => {}
        }
    }

    fn network(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let text = line(simple);
        let host = leaks::host(&text);
        let detail = match &host {
            Some(host) => format!("{name} to {host}"),
            None => name.to_owned(),
        };
        self.deed(CapabilityKind::Network, detail, simple);
        if let Some(host) = &host {
            self.contact(host, &text);
        }
        let is_careless = match name {
            "curl" => rest
                .iter()
                .any(|word| word == "--insecure" || short(word, 'k')),
            "wget" => rest.iter().any(|word| word == "--no-check-certificate"),
            _ => rest
                .iter()
                .any(|word| word.eq_ignore_ascii_case("-skipcertificatecheck")),
        };
        if is_careless {
            self.deed(
                CapabilityKind::DisablesTls,
                format!("{name} without checks"),
                simple,
            );
        }
        if let Some(file) = target(name, rest, simple) {
            self.downloads
                .push((file, fetched(&host.unwrap_or_default())));
        }
    }

    /// A host that a command talks to, once.
    pub(super) fn contact(&mut self, host: &str, text: &str) {
        if !host.is_empty() && !self.hosts.iter().any(|(known, _)| known == host) {
            self.hosts.push((host.to_owned(), text.to_owned()));
        }
    }

    fn removal(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let is_tree = name == "rimraf"
            || name == "shred"
            || rest.iter().any(|word| {
                let word = word.to_ascii_lowercase();
                short(&word, 'r') || word == "--recursive" || word == "/s" || word == "-recurse"
            });
        // Nothing but the root is preserved by default.
        if rest.iter().any(|word| word == "--no-preserve-root") {
            self.deed(CapabilityKind::RemovesHome, line(simple), simple);
        }
        // `/S` is an option of Windows' commands, and no folder.
        let is_option = |word: &str| {
            word.starts_with('-')
                || (matches!(name, "del" | "rd" | "rmdir")
                    && word.len() == 2
                    && word.starts_with('/'))
        };
        for word in rest.iter().filter(|word| !is_option(word)) {
            if matches!(
                word.as_str(),
                "$0" | "${0}" | "$BASH_SOURCE" | "${BASH_SOURCE[0]}" | "%~f0" | "%0"
            ) {
                self.deed(CapabilityKind::RemovesItself, "itself by rm", simple);
            }
            // All that lies where the commands went to.
            let there = self
                .folder
                .as_ref()
                .filter(|_| matches!(word.as_str(), "*" | "." | "./" | "./*" | "*.*" | ".*"));
            let path = match there {
                Some(folder) => format!("{}/{}", folder.trim_end_matches('/'), word),
                None => word.clone(),
            };
            self.judge(Verb::Remove { tree: is_tree }, &path, name, simple);
        }
    }

    /// All permissions are taken from a whole tree: nobody gets at what is in it.
    fn locked(&mut self, rest: &[String], simple: &Simple) {
        let is_tree = rest
            .iter()
            .any(|word| short(word, 'R') || word == "--recursive");
        let takes_all = rest.iter().any(|word| {
            (!word.is_empty() && word.len() <= 4 && word.bytes().all(|b| b == b'0'))
                || matches!(
                    word.as_str(),
                    "a-rwx" | "ugo-rwx" | "u-rwx" | "-rwx" | "a=" | "="
                )
        });
        let is_outside = |word: &String| {
            let path = at_home(word);
            path.starts_with('~') || (path.starts_with('/') && !path.starts_with("/tmp"))
        };
        if is_tree && takes_all && rest.iter().any(is_outside) {
            self.deed(CapabilityKind::RemovesHome, line(simple), simple);
        }
    }

    fn redirects(&mut self, simple: &Simple) {
        for output in &simple.outputs {
            self.write(output, ">", simple);
        }
    }

    fn write(&mut self, path: &str, by: &str, simple: &Simple) {
        self.judge(Verb::Write, path, by, simple);
    }

    /// Paths of a shell are seen from the package's folder.
    fn judge(&mut self, verb: Verb, path: &str, by: &str, simple: &Simple) {
        let mut path = at_home(path);
        // Hooks run in the package's folder: what lies beside it is another package. A plain name
        // may as well be meant for the folder of whoever runs a command.
        if path.starts_with("../") || path == "package.json" {
            path = format!("{}/{path}", crate::ability::OWN);
        }
        let touch = Touch {
            verb,
            path,
            by: by.to_owned(),
            offset: 0,
        };
        if let Some(act) = judge(&touch, Stand::COMMAND) {
            self.deed(act.kind, act.detail.into_owned(), simple);
        }
    }

    /// A file that was downloaded before is made executable or started.
    fn starts_download(&mut self, first: &str, rest: &[String], simple: &Simple) {
        let name = program(first);
        let started: Option<&String> = match &*name {
            "chmod" => rest
                .iter()
                .find(|word| !word.starts_with(['-', '+', 'u', 'a', '7', '0'])),
            "start" | "start-process" | "rundll32" | "regsvr32" | "mshta" | "msiexec"
            | "cscript" | "wscript" => rest.iter().find(|word| !word.starts_with(['-', '/'])),
            _ if SHELLS.contains(&&*name) || name == "." || name == "source" => {
                rest.iter().find(|word| !word.starts_with('-'))
            }
            _ => None,
        };
        let same = |a: &str, b: &str| {
            let base = |text: &str| {
                text.rsplit(['/', '\\'])
                    .next()
                    .unwrap_or(text)
                    .to_ascii_lowercase()
            };
            base(a) == base(b)
        };
        let begun = started.map_or(first, String::as_str);
        let first_path =
            first.contains(['/', '\\']) || first.to_ascii_lowercase().ends_with(".exe");
        if started.is_none() && !first_path {
            return;
        }
        let found = self
            .downloads
            .iter()
            .find(|(file, _)| {
                let is_below = file.ends_with('/')
                    && begun
                        .trim_start_matches("./")
                        .starts_with(file.trim_start_matches("./"));
                is_below || same(file, begun)
            })
            .map(|(_, source)| source.clone());
        // Made executable it may be meant for later; started here it is run unseen.
        let sink = match &*name {
            "chmod" => SinkKind::ProgramFile,
            _ => SinkKind::Process,
        };
        if let Some(source) = found
            && self
                .runs
                .iter()
                .all(|run| run.source != source || run.sink != sink)
        {
            self.runs.push(Leak {
                source,
                sink,
                sink_detail: crate::place::clean(begun),
                snippet: crate::place::clean(&line(simple)),
            });
        }
    }
}

/// Whether a setting of a package client is given that names what it runs. Without `set` it is asked for.
fn names_program(rest: &[String]) -> bool {
    const PROGRAMS: [&str; 4] = ["script-shell", "node-options", "init-module", "shell"];
    rest.iter().any(|word| word == "set")
        && rest.iter().any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            PROGRAMS.contains(&name)
        })
}

/// The host of another registry that a package client is told to use from now on.
fn names_registry(rest: &[String]) -> Option<String> {
    if !rest.iter().any(|word| word == "set") {
        return None;
    }
    let is_registry = |name: &str| name == "registry" || name.ends_with(":registry");
    let value = rest.iter().enumerate().find_map(|(at, word)| {
        if let Some((name, value)) = word.split_once('=') {
            return is_registry(name).then_some(value);
        }
        is_registry(word).then(|| rest.get(at + 1).map_or("", String::as_str))
    });
    network::host_of(value?).filter(|host| !network::is_local(host))
}

pub(super) fn fetched(host: &str) -> Stolen {
    let host = match host {
        "" => "an unknown host",
        host => host,
    };
    Stolen {
        kind: SourceKind::Fetched,
        detail: format!("download from {host}"),
    }
}

/// A command as one line.
pub(super) fn line(simple: &Simple) -> String {
    super::shell::literal(&simple.words.join(" "))
}

/// `$HOME` and its relatives as `~`.
pub(crate) fn at_home(path: &str) -> String {
    let mut path = path.replace('\\', "/");
    for home in [
        "${HOME}",
        "$HOME",
        "%USERPROFILE%",
        "$env:USERPROFILE",
        "$Env:USERPROFILE",
        "%HOMEPATH%",
    ] {
        path = path.replace(home, "~");
    }
    // `${HOME:?}`, `${HOME:-/x}`
    if let Some((before, rest)) = path.split_once("${HOME:")
        && let Some((_, after)) = rest.split_once('}')
    {
        path = format!("{before}~{after}");
    }
    for (variable, folder) in [
        ("%APPDATA%", "~/AppData/Roaming"),
        ("$env:APPDATA", "~/AppData/Roaming"),
        ("%LOCALAPPDATA%", "~/AppData/Local"),
    ] {
        path = path.replace(variable, folder);
    }
    path
}
