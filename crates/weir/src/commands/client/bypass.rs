//! What would go past the gateway: refused before the client runs, or said aloud.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, bail};

use super::place::Place;
use crate::clients::{Around, Client, Doing, Past, Said, is_by_shell};

/// Refuses options that lead past weir, or to settings that weir would not read as the client does.
pub(super) fn refuse_options(client: Client, arguments: &[String], said: &Said) -> Result<()> {
    if client.names_registry(arguments) {
        bail!(
            "a registry on the command line would go past weir: give it to weir itself, as --upstream <URL>"
        );
    }
    if client.moves_lockfile(arguments) {
        bail!(
            "the addresses in a lockfile of another folder (--lockfile-dir) would go past weir: move it to the \
             project's, where weir looks at it"
        );
    }
    if let Some(option) = &said.unread {
        bail!(
            "{option} names a file of settings, and what it says of registries would go past weir: set \
             npm_config_userconfig in its place, which weir reads too"
        );
    }
    Ok(())
}

/// What a client is asked to do, and where.
pub(super) struct Asked<'a> {
    pub client: Client,
    pub arguments: &'a [String],
    pub said: &'a Said,
    pub place: &'a Place,
    /// What that is about.
    pub doing: Doing,
    /// The scopes whose registries weir knows and takes the place of.
    pub scopes: &'a [String],
}

impl Asked<'_> {
    /// Some clients fetch the addresses in their lockfile as they are, and ask registries that only their own
    /// settings name: past the gateway, and nobody would hear of it.
    pub(super) fn refuse_bypass(&self) -> Result<()> {
        let client = self.client;
        let doing = self.doing;
        if doing == Doing::Says {
            return Ok(());
        }
        let past = self.past();
        if past.is_empty() {
            self.warn_of_scopes();
        }
        let allowed = std::env::var_os("WEIR_ALLOW_BYPASS").is_some_and(|value| value == "1");
        let goes_on = allowed || doing == Doing::Runs;
        let (stop, warn): (Vec<Past>, Vec<Past>) = past
            .into_iter()
            .partition(|past| !goes_on && past.matters(client, |scope| self.comes_up(scope)));
        for past in &warn {
            anstream::eprintln!("weir: NOT CHECKED: {}, past weir", past.says(client));
        }
        let Some(first) = stop.first() else {
            return Ok(());
        };
        let all: Vec<String> = stop.iter().map(|past| past.says(client)).collect();
        bail!(
            "{}, past weir. {}, or set WEIR_ALLOW_BYPASS=1 to go on with these unchecked",
            all.join("; "),
            first.todo(client)
        )
    }

    fn past(&self) -> Vec<Past> {
        let variable = |name| {
            let value = std::env::var_os(name);
            let value = value.filter(|value: &std::ffi::OsString| !value.is_empty());
            value.map(PathBuf::from)
        };
        let (client, place) = (self.client, self.place);
        let home = variable("HOME");
        let config = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        let bunfig = self.said.bunfig.as_ref();
        let bunfig = bunfig.map(|file| place.folder.join(file));
        let yarnrc_yml =
            std::env::var("YARN_RC_FILENAME").unwrap_or_else(|_| ".yarnrc.yml".to_owned());
        let around = Around {
            folder: &place.folder,
            project: &place.project,
            home: home.as_deref(),
            config: config.as_deref(),
            bunfig: bunfig.as_deref(),
            yarnrc_yml: &yarnrc_yml,
            known: self.scopes,
            by_shell: is_by_shell(client.program()),
        };
        let mut past = client.bypassing(&place.project, self.doing);
        past.extend(client.past_settings(&around));
        if client.makes_lockfile(self.arguments) && !around.has_lockfile_of_bun() {
            past.extend(bun_version().and_then(|version| around.by_old_bun(&version)));
        }
        past
    }

    /// A script's shell may hand on no variable with `@` in its name, and no argument gets that far. pnpm 11 and
    /// later read no such variable either where no argument may be given because 10 hands the command on.
    fn warn_of_scopes(&self) {
        let runs = self.client.runs_others(self.arguments);
        let hands_on = self.client.hands_on(self.arguments);
        let scopes = self.scopes.iter().map(|scope| format!("@{scope}"));
        let is_open = |scope: &String| {
            let start = format!("{scope}/");
            runs || (hands_on && self.arguments.iter().any(|word| word.contains(&start)))
        };
        let scopes: Vec<String> = scopes.filter(is_open).collect();
        if scopes.is_empty() {
            return;
        }
        anstream::eprintln!(
            "weir: NOT CHECKED: what this run may ask the registries of {} itself: scopes do not reach clients \
             inside scripts and tools, nor pnpm where it stands in for npm",
            weir_model::finding::printable(&scopes.join(", "), 300)
        );
    }

    /// Whether a scope (with its `@`) comes up in the arguments, the manifests or the lockfile. Where there are
    /// workspaces and no lockfile, or one that is not text, it may.
    fn comes_up(&self, scope: &str) -> bool {
        let start = format!("{scope}/");
        if self.arguments.iter().any(|word| word.contains(&start)) {
            return true;
        }
        let (folder, project) = (&self.place.folder, &self.place.project);
        let locks = ["yarn.lock", "bun.lock"].map(|file| project.join(file));
        let is_locked = locks.iter().any(|file| file.exists());
        let manifest = project.join("package.json");
        if project.join("bun.lockb").exists() || (!is_locked && has(&manifest, "\"workspaces\"")) {
            return true;
        }
        let own = folder.join("package.json");
        let mut files = locks.iter().chain([&manifest, &own]);
        files.any(|file| has(file, &start))
    }
}

/// What bun says of its version: not asked for unless it may matter, as it takes a moment.
fn bun_version() -> Option<String> {
    let mut bun = std::process::Command::new(Client::Bun.program());
    let said = bun.arg("--version").stdin(Stdio::null()).output().ok()?;
    String::from_utf8(said.stdout).ok()
}

/// Whether a text is in a file; it may be in one that is there and cannot be read.
fn has(file: &Path, text: &str) -> bool {
    match std::fs::metadata(file) {
        Err(_) => false,
        // A device or a pipe would be read without end.
        Ok(found) if !found.is_file() => true,
        Ok(_) => match std::fs::read(file) {
            Ok(found) => String::from_utf8_lossy(&found).contains(text),
            Err(_) => true,
        },
    }
}
