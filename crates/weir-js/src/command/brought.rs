//! Programs that bring code by themselves: package managers given an address, and git.

use weir_model::contents::{CapabilityKind, SinkKind};

use super::acts::{Deeds, fetched, line};
use super::leaks::Leak;
use super::shell::Simple;
use crate::tables::{commands, network, systems};

/// Settings of git whose value is a program. `core.hooksPath` of a repository is none of them: managers of hooks
/// set it.
const GIT_PROGRAMS: [&str; 6] = [
    "core.fsmonitor",
    "core.sshcommand",
    "core.pager",
    "core.askpass",
    "diff.external",
    "gpg.program",
];

impl Deeds {
    /// `npm install https://…`: what lies there is installed, and its hooks run.
    pub(super) fn fetches_package(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let mut is_value = false;
        for word in rest {
            // `--package=https://…`
            let asked = word.strip_prefix("--package=");
            let is_option = word.starts_with('-') && asked.is_none();
            let is_address = word.contains("://") && !is_option && !is_value;
            if is_address && let Some(host) = network::host_of(asked.unwrap_or(word)) {
                self.installs(&host, name, simple);
                return;
            }
            is_value = matches!(
                word.as_str(),
                "--registry" | "--proxy" | "--https-proxy" | "--cache" | "--userconfig"
            );
        }
        if let Some(host) = foreign_registry(rest) {
            self.installs(&host, name, simple);
        }
    }

    /// `cargo install --git https://…`, `go run host.example/x@latest`: what lies there is built and run.
    pub(super) fn fetches_source(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let mut plain = rest.iter().filter(|word| !word.starts_with('-'));
        let verb = plain.next().map(String::as_str);
        let host = match (name, verb) {
            ("cargo", Some("install")) => {
                let named = |names: [&str; 2]| value(rest, names);
                named(["--git", "--index"]).and_then(network::host_of)
            }
            ("go", Some("run" | "install" | "get")) => plain.find_map(|word| {
                let (host, _) = word.split_once('/')?;
                let is_host = host.contains('.')
                    && !host.starts_with('.')
                    && !commands::is_open_source(host)
                    && host
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
                is_host.then(|| host.to_ascii_lowercase())
            }),
            _ => None,
        };
        if let Some(host) = host.filter(|host| !network::is_local(host)) {
            self.installs(&host, name, simple);
        }
    }

    fn installs(&mut self, host: &str, name: &str, simple: &Simple) {
        self.contact(host, &line(simple));
        self.runs.push(Leak {
            source: fetched(host),
            sink: SinkKind::Process,
            sink_detail: format!("the hooks of what {name} installs"),
            snippet: crate::place::clean(&line(simple)),
        });
    }

    /// `npx https://…`, `uvx --from git+https://…`, `deno run https://…`: what lies there is run. What stands
    /// behind the program is its own.
    pub(super) fn fetches_program(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let named = ["-p", "--package", "--from", "--with"];
        let mut words = rest.iter();
        let mut asked = Vec::new();
        while let Some(word) = words.next() {
            if let Some((option, value)) = word.split_once('=')
                && named.contains(&option)
            {
                asked.push(value);
            } else if named.contains(&word.as_str()) {
                asked.extend(words.next().map(String::as_str));
            } else if name == "deno" && asked.is_empty() && word == "run" {
                continue;
            } else if !word.starts_with('-') {
                asked.push(word);
                break;
            }
        }
        let mut asked = asked.into_iter().filter(|word| word.contains("://"));
        let host = asked.find_map(network::host_of);
        let Some(host) = host.filter(|host| !network::is_local(host)) else {
            return;
        };
        self.contact(&host, &line(simple));
        self.runs.push(Leak {
            source: fetched(&host),
            sink: SinkKind::Process,
            sink_detail: name.to_owned(),
            snippet: crate::place::clean(&line(simple)),
        });
    }

    /// `npm install -g openclaw`: an agent is left on the machine that nobody asked for.
    pub(super) fn installs_agent(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let is_global = rest.iter().any(|word| {
            matches!(
                word.as_str(),
                "-g" | "--global" | "global" | "--location=global"
            )
        });
        if is_global && rest.iter().any(|word| systems::is_agent(word)) {
            let detail = format!("an agent installed by {name}, {}", line(simple));
            self.deed(CapabilityKind::DrivesAgents, detail, simple);
        }
    }

    /// `npm install ethers@npm:other`: another package is put where one of that name is looked for.
    pub(super) fn renames_package(&mut self, name: &str, rest: &[String], simple: &Simple) {
        let renamed = rest.iter().find_map(|word| {
            let (alias, target) = word.split_once("@npm:")?;
            // Its own name with another version is only a version.
            let package = match target.rfind('@') {
                Some(at) if at > 0 => target.get(..at).unwrap_or(target),
                _ => target,
            };
            (!alias.is_empty() && !word.starts_with('-') && alias != package).then_some(word)
        });
        if let Some(word) = renamed {
            let detail = format!("another package under a name, {word} by {name}");
            self.deed(CapabilityKind::WritesPackages, detail, simple);
        }
    }

    /// Settings of git that name a program, which git then runs for whatever it does.
    pub(super) fn git(&mut self, rest: &[String], simple: &Simple) {
        if let Some(at) = rest.iter().position(|word| word == "clone") {
            self.cloned(rest.get(at + 1..).unwrap_or_default());
            return;
        }
        self.pushed(rest, simple);
        let mut words = rest.iter().map(|word| word.to_ascii_lowercase());
        if !words.any(|word| word == "config") {
            return;
        }
        self.git_trusts(rest, simple);
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let names_program = GIT_PROGRAMS.contains(&word.as_str())
                || (word.starts_with("alias.")
                    && words.peek().is_some_and(|value| value.starts_with('!')));
            // Without a value it is only asked for.
            if names_program && words.peek().is_some() {
                self.deed(
                    CapabilityKind::Persists,
                    format!("a program that git runs, {word}"),
                    simple,
                );
            }
        }
    }

    /// Settings for all repositories of the user: whose hooks git runs, and another place that is asked instead
    /// of the one that is named. That another scheme is used for the same host is none.
    fn git_trusts(&mut self, rest: &[String], simple: &Simple) {
        let is_wide = rest
            .iter()
            .any(|word| matches!(word.as_str(), "--global" | "--system"));
        for (at, word) in rest.iter().enumerate().filter(|_| is_wide) {
            let lower = word.to_ascii_lowercase();
            let value = rest.get(at + 1);
            let what = if lower == "core.hookspath" && value.is_some() {
                "a program that git runs, core.hookspath".to_owned()
            } else if let Some(base) = lower
                .strip_prefix("url.")
                .and_then(|rest| rest.strip_suffix(".insteadof"))
                && let (Some(to), Some(value)) = (network::host_of(base), value)
                && !value.to_ascii_lowercase().contains(&to)
            {
                format!("a place that git asks instead, {to}")
            } else {
                continue;
            };
            self.deed(CapabilityKind::Persists, what, simple);
        }
    }

    /// What is pushed: a tag that was made before, for which pipelines publish, or a past that is gone, in
    /// place of everything that was there.
    fn pushed(&mut self, rest: &[String], simple: &Simple) {
        let has = |names: &[&str]| rest.iter().any(|word| names.contains(&word.as_str()));
        let mut words = rest.iter().filter(|word| !word.starts_with('-'));
        let first = words.next().map(String::as_str);
        match first {
            Some("tag") => self.tagged |= words.next().is_some(),
            Some("checkout" | "switch") => self.orphaned |= has(&["--orphan"]),
            Some("push") => {
                if self.tagged && has(&["--tags", "--follow-tags"]) {
                    let detail = format!("a tag for pipelines, {}", line(simple));
                    self.deed(CapabilityKind::Publishes, detail, simple);
                }
                if self.orphaned && has(&["--force", "-f"]) && has(&["--mirror", "--all"]) {
                    self.deed(CapabilityKind::RemovesHome, line(simple), simple);
                }
            }
            _ => {}
        }
    }

    /// `git clone https://… folder`: what is started below that folder was fetched.
    fn cloned(&mut self, rest: &[String]) {
        let Some(at) = rest.iter().position(|word| word.contains("://")) else {
            return;
        };
        let address = rest.get(at).map_or("", String::as_str);
        let own = address.trim_end_matches('/').rsplit('/').next();
        let own = own.unwrap_or_default().trim_end_matches(".git");
        let folder = rest.get(at + 1).map_or(own, String::as_str);
        let host = network::host_of(address).unwrap_or_default();
        self.downloads
            .push((format!("{}/", folder.trim_end_matches('/')), fetched(&host)));
    }
}

/// The value of an option that is given by one of these names.
fn value<'w>(rest: &'w [String], names: [&str; 2]) -> Option<&'w str> {
    rest.iter().enumerate().find_map(|(at, word)| {
        if names.contains(&word.as_str()) {
            return rest.get(at + 1).map(String::as_str);
        }
        let (name, value) = word.split_once('=')?;
        names.contains(&name).then_some(value)
    })
}

/// The host of a registry that a command names itself, from which a package is installed by its name: whatever that
/// is there, its hooks run. Which one is right is the user's to say, and theirs needs no naming.
fn foreign_registry(rest: &[String]) -> Option<String> {
    let address = value(rest, ["--registry", "--index-url"])?;
    let mut plain = rest.iter().filter(|word| !word.starts_with('-'));
    plain.next();
    plain.find(|word| *word != address)?;
    let host = network::host_of(address)?;
    (!network::is_local(&host)).then_some(host)
}
