//! What a command hands to somebody else: a process that outlives the script, a release that a tool or a
//! pipeline publishes, an assistant, an image of a foreign registry.

use weir_model::contents::{CapabilityKind, SinkKind};

use super::acts::{Deeds, at_home, fetched, line};
use super::leaks::{Leak, program};
use super::shell::Simple;
use crate::tables::{abilities, commands, folders, network};

/// Programs that run an image.
const CONTAINERS: [&str; 4] = ["docker", "podman", "nerdctl", "finch"];

impl Deeds {
    /// Programs that others are named to, by whatever runner of packages.
    pub(super) fn handed(&mut self, first: &str, rest: &[String], simple: &Simple, is_fed: bool) {
        let file = program(first);
        let name = commands::program_of(&file);
        self.agent(name, rest, simple);
        if commands::fits(commands::PUBLISHERS, name, rest) {
            self.deed(CapabilityKind::Publishes, line(simple), simple);
        }
        let is_later = match name {
            "at" | "batch" => is_scheduled(name, rest, is_fed || !simple.documents.is_empty()),
            _ => false,
        };
        if is_later || commands::fits(commands::KEEPERS, name, rest) {
            self.deed(CapabilityKind::DetachedProcess, line(simple), simple);
        }
        if CONTAINERS.contains(&name) {
            self.image(name, rest, simple);
        }
    }

    /// Assistants that are told to act unasked.
    fn agent(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let Some((_, options)) = abilities::AGENTS.iter().find(|(agent, _)| *agent == name) else {
            return;
        };
        let acts = rest
            .iter()
            .any(|word| options.contains(&word.as_str()) || word == "-p" || word == "--prompt");
        if acts {
            self.deed(CapabilityKind::DrivesAgents, line(simple), simple);
        }
    }

    /// `docker run images.example/tool`: what lies there is fetched and run.
    fn image(&mut self, name: &str, rest: &[String], simple: &Simple) {
        if image_of(rest).is_some() && mounts_all(rest) {
            let detail = format!("all files of the machine, {}", line(simple));
            self.deed(CapabilityKind::Persists, detail, simple);
        } else if image_of(rest).is_some() && mounts(rest, is_home) {
            let detail = format!("all files of the user, {}", line(simple));
            self.deed(CapabilityKind::Persists, detail, simple);
        }
        let Some(host) = image_of(rest).and_then(foreign_registry) else {
            return;
        };
        self.contact(&host, &line(simple));
        self.runs.push(Leak {
            source: fetched(&host),
            sink: SinkKind::Process,
            sink_detail: format!("{name} run"),
            snippet: crate::place::clean(&line(simple)),
        });
    }

    /// A program that is left behind without output: `nohup x > /dev/null 2>&1 &`, `(x > /dev/null &)`.
    pub(super) fn silent(&mut self, pipeline: &[Simple], text: &str) {
        let (Some(first), Some(last)) = (pipeline.first(), pipeline.last()) else {
            return;
        };
        let is_behind = first
            .words
            .iter()
            .take(2)
            .any(|word| matches!(&*program(word), "nohup" | "setsid" | "disown"));
        let is_hidden = first.words.windows(2).any(|pair| {
            matches!(pair, [a, b] if a.eq_ignore_ascii_case("-windowstyle") && b.eq_ignore_ascii_case("hidden"))
        });
        let drops = pipeline
            .iter()
            .any(|simple| simple.outputs.iter().any(|path| path == "/dev/null"));
        let is_left = last.is_left && last.is_mute && !is_awaited(text);
        if (is_behind && drops && text.contains('&')) || is_hidden || is_left {
            let named = pipeline.iter().find(|simple| !simple.words.is_empty());
            let shown = named.map_or_else(|| "a group of commands".to_owned(), line);
            self.deed(
                CapabilityKind::DetachedProcess,
                shown,
                named.unwrap_or(first),
            );
        }
    }
}

/// Whether `at` or `batch` is given a command. `at -l` only lists.
fn is_scheduled(name: &str, rest: &[String], is_fed: bool) -> bool {
    let has_file = rest.iter().any(|word| word == "-f");
    let names_time = rest.iter().any(|word| {
        word.starts_with(|c: char| c.is_ascii_digit())
            || matches!(
                word.as_str(),
                "now" | "midnight" | "noon" | "teatime" | "tomorrow"
            )
    });
    (is_fed || has_file) && (name == "batch" || names_time)
}

/// Whether a script waits for what it started, or ends it itself.
fn is_awaited(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | '!')))
        .any(|word| {
            matches!(
                word,
                "wait" | "kill" | "pkill" | "killall" | "fg" | "$!" | "wait-on"
            )
        })
}

/// The image that is run: the first word that is no option, nor the value of one.
fn image_of(rest: &[String]) -> Option<&str> {
    let run = rest.iter().position(|word| !word.starts_with('-'))?;
    let run = match rest.get(run)?.as_str() {
        "run" => run,
        "container" if rest.get(run + 1).is_some_and(|word| word == "run") => run + 1,
        _ => return None,
    };
    let mut words = rest.get(run + 1..)?.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            return Some(word);
        }
        if commands::CONTAINER_VALUES.contains(&word.as_str()) {
            words.next();
        }
    }
    None
}

/// Whether a container is given the whole machine: its root as a volume.
fn mounts_all(rest: &[String]) -> bool {
    mounts(rest, |from| {
        let lower = from.to_ascii_lowercase();
        matches!(&*lower, "/" | "c:\\" | "c:/")
    })
}

/// Whether a path is a home folder.
fn is_home(path: &str) -> bool {
    let path = at_home(path).to_ascii_lowercase();
    let below = folders::below_home(&path);
    path != "/" && below.is_some_and(|rest| rest.trim_matches('/').is_empty())
}

/// Whether a container is given such a folder as a volume.
fn mounts(rest: &[String], is_one: impl Fn(&str) -> bool) -> bool {
    let is_volume = |volume: &str| {
        // `c:\x:/x`
        let drive = usize::from(
            volume.get(1..3).is_some_and(|at| at == ":\\" || at == ":/")
                && volume.starts_with(|c: char| c.is_ascii_alphabetic()),
        ) * 2;
        let at = volume.get(drive..).and_then(|rest| rest.find(':'));
        at.and_then(|at| volume.get(..at + drive))
            .is_some_and(&is_one)
    };
    let is_bind = |mount: &str| {
        let mut parts = mount.split(',');
        parts.any(|part| {
            let from = part.strip_prefix("source=");
            from.or_else(|| part.strip_prefix("src="))
                .is_some_and(&is_one)
        })
    };
    rest.iter().enumerate().any(|(at, word)| {
        let next = rest.get(at + 1).map_or("", String::as_str);
        match word.split_once('=') {
            Some(("-v" | "--volume", volume)) => is_volume(volume),
            Some(("--mount", mount)) => is_bind(mount),
            _ => match word.as_str() {
                "-v" | "--volume" => is_volume(next),
                "--mount" => is_bind(next),
                _ => false,
            },
        }
    })
}

/// The registry that an image names, where it is none that is open to everybody, nor the machine itself.
fn foreign_registry(image: &str) -> Option<String> {
    let (host, path) = image.split_once('/')?;
    let is_host = host.contains('.')
        && !host.starts_with('.')
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    let host = host.to_ascii_lowercase();
    let is_foreign = is_host
        && !path.is_empty()
        && !commands::is_open_registry(&host)
        && !network::is_local(&host);
    is_foreign.then_some(host)
}
