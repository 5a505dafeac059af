//! What npm runs when it installs a package: commands of the manifest, `binding.gyp` and the files beside it.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::contents::InstallStep;

use crate::analyse::{Code, Work};
use crate::command::Reading;
use crate::{Package, command, gyp};

/// Most gyp files of a package that are read, and most of their commands.
const GYP_FILES: usize = 256;
const GYP_COMMANDS: usize = 512;
/// Longest part of one that is read, in bytes.
const GYP_TEXT: usize = 4 << 20;
/// Event of what `binding.gyp` runs.
const GYP: &str = "binding.gyp";

/// Before the name of a command that runs in the place of a tool.
const BIN: &str = "bin.";

/// Between an event and the folder of the package whose it is, where that lies in another one.
const OF: &str = " of ";

/// Where the command of an event stands.
pub(crate) fn own_path(event: &str) -> String {
    let (event, folder) = match event.split_once(OF) {
        Some((event, folder)) => (event, format!("{folder}/")),
        None => (event, String::new()),
    };
    let name = if event == GYP { GYP } else { "package.json" };
    format!("{folder}{name}")
}

/// A package whose hooks run: the one that is installed, or one that it brings.
#[derive(Clone, Copy)]
struct Owner<'p> {
    /// Empty for the first.
    folder: &'p str,
    install_commands: &'p [(String, String)],
    scripts: &'p BTreeMap<String, String>,
    gypfile: Option<bool>,
}

impl<'p> Owner<'p> {
    fn all(package: &'p Package<'_>) -> Vec<Self> {
        let own = Owner {
            folder: "",
            install_commands: &package.install_commands,
            scripts: &package.scripts,
            gypfile: package.gypfile,
        };
        let bundled = package.bundled.iter().map(|inner| Owner {
            folder: &inner.folder,
            install_commands: &inner.install_commands,
            scripts: &inner.scripts,
            gypfile: inner.gypfile,
        });
        std::iter::once(own).chain(bundled).collect()
    }

    /// An event, by which it is told whose it is.
    fn event(&self, event: &str) -> String {
        match self.folder {
            "" => event.to_owned(),
            folder => format!("{event}{OF}{folder}"),
        }
    }

    /// A file of it.
    fn path(&self, name: &str) -> String {
        match self.folder {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        }
    }

    fn read(&self, command: &str) -> Reading {
        command::read_in(self.folder, command, self.scripts)
    }
}

impl Work<'_> {
    /// Install commands, `binding.gyp`, and the shell scripts they run, of the package and of those in it.
    pub(crate) fn read_commands(&mut self) {
        let package = self.package;
        for owner in Owner::all(package) {
            self.read_hooks(owner);
        }
        self.read_shadowing();
    }

    /// Commands that scripts of any package run in the place of a tool.
    fn read_shadowing(&mut self) {
        let package = self.package;
        for (name, path) in &package.shadowing {
            let inside = path.replace('\\', "/");
            let command = command::quoted(&format!("./{}", inside.trim_start_matches("./")));
            let reading = command::read(&command, &package.scripts);
            let programs = reading.programs.clone();
            let mut roots = self.read_command("package.json", &command, reading);
            roots.extend(self.programs_of(&programs));
            let step = InstallStep {
                event: format!("{BIN}{name}"),
                command,
                reaches: Vec::new(),
            };
            self.steps.push((step, roots));
        }
    }

    fn read_hooks(&mut self, owner: Owner<'_>) {
        let mut commands = owner.install_commands.to_vec();
        let runs_own_install = commands
            .iter()
            .any(|(event, _)| event == "install" || event == "preinstall");
        let gyp = owner.path(GYP);
        let has_gyp = || {
            let file = self.resolver.entry(&gyp);
            file.is_some_and(|index| self.path_of(index) == Some(&gyp))
        };
        // npm runs `node-gyp rebuild` by itself only where neither script is given.
        if owner.gypfile != Some(false) && !runs_own_install && has_gyp() {
            commands.push((GYP.to_owned(), "node-gyp rebuild".to_owned()));
        }
        let mut folders: Vec<String> = Vec::new();
        for (_, command) in &commands {
            folders.extend(owner.read(command).node_gyp);
        }
        let (built, in_part) = self.gyp_commands(&folders);
        let own = commands
            .into_iter()
            .map(|(event, command)| (event, owner.read(&command), command));
        let own: Vec<(String, Reading, String)> = own.collect();
        // Where these are built is said in them.
        let built = built.into_iter().map(|command| {
            let reading = command::read(&command, owner.scripts);
            (GYP.to_owned(), reading, command)
        });
        for path in &in_part {
            self.tell_in_part(path);
        }
        for (event, reading, command) in own.into_iter().chain(built) {
            let event = owner.event(&event);
            let path = own_path(&event);
            let told = (self.facts.unread.len(), self.unfollowed.len());
            let leaks = self.leaks.len();
            let programs = reading.programs.clone();
            let mut roots = self.read_command(&path, &command, reading);
            roots.extend(self.programs_of(&programs));
            // What it does itself, and what was not followed, is told of where it stands.
            let mut reaches = in_part.clone();
            let mut unread = self.facts.unread.iter().skip(told.0);
            let mut unfollowed = self.unfollowed.iter().skip(told.1);
            let mut leaked = self.leaks.iter().skip(leaks);
            if leaked.any(|(other, ..)| *other == path)
                || unread.any(|one| one.path == path)
                || unfollowed.any(|(other, _)| *other == path)
                || self.is_in_part(&path)
            {
                reaches.push(path);
            }
            let step = InstallStep {
                event,
                command,
                reaches,
            };
            self.steps.push((step, roots));
        }
    }

    /// What `binding.gyp` in these folders runs, and what it takes in does: its includes, those that
    /// node-gyp adds, and the files that are built before it. Then the files that were read in part.
    fn gyp_commands(&self, folders: &[String]) -> (Vec<String>, Vec<String>) {
        let mut found: Vec<String> = Vec::new();
        let mut in_part: Vec<String> = Vec::new();
        // Files, and the folder of the one that is built: there the commands run.
        let mut wanted: Vec<(String, String)> = Vec::new();
        for folder in folders {
            let folder = folder.trim_start_matches("./").trim_matches('/');
            for file in [GYP, "config.gypi", "common.gypi"] {
                let path = format!("{folder}/{file}");
                let path = path.trim_start_matches('/').to_owned();
                wanted.push((path, folder.to_owned()));
            }
        }
        let mut seen: BTreeSet<(usize, String)> = BTreeSet::new();
        let mut at = 0;
        while let Some((path, folder)) = wanted.get(at).cloned() {
            at += 1;
            let Some(index) = self.resolver.entry(&path) else {
                continue;
            };
            let Some(file) = self.package.files.get(index) else {
                continue;
            };
            if !seen.insert((index, folder.clone())) {
                continue;
            }
            if seen.len() > GYP_FILES {
                in_part.push(file.path.to_owned());
                break;
            }
            let text = String::from_utf8_lossy(file.bytes.get(..GYP_TEXT).unwrap_or(file.bytes));
            let gyp = gyp::read(&text);
            if gyp.in_part || file.bytes.len() > GYP_TEXT {
                in_part.push(file.path.to_owned());
            }
            let own = file.path.rsplit_once('/').map_or("", |(own, _)| own);
            let includes = gyp.includes.iter().map(|path| format!("{own}/{path}"));
            wanted.extend(includes.map(|path| (path, folder.clone())));
            for path in &gyp.dependencies {
                let path = format!("{folder}/{path}");
                let below = path.rsplit_once('/').map_or("", |(below, _)| below);
                let below = below.trim_start_matches('/').to_owned();
                wanted.push((path, below));
            }
            found.extend(
                gyp.commands
                    .into_iter()
                    .map(|command| match folder.is_empty() {
                        true => command,
                        false => format!("cd '{}' && {command}", folder.replace('\'', "")),
                    }),
            );
            if found.len() > GYP_COMMANDS {
                in_part.push(file.path.to_owned());
                found.truncate(GYP_COMMANDS);
                break;
            }
        }
        in_part.dedup();
        (found, in_part)
    }

    /// Those programs of a command line that are JavaScript by being run as it, whatever they are named:
    /// `node README.md`.
    fn programs_of(&mut self, programs: &[String]) -> Vec<usize> {
        let mut found = Vec::new();
        for path in programs {
            let Some(index) = self.named(path) else {
                continue;
            };
            let (Some(code), Ok(file)) = (self.codes.get(index), u32::try_from(index)) else {
                continue;
            };
            if code.may_run() || code.extension() == "json" || code.language().is_some() {
                continue;
            }
            let text = String::from_utf8_lossy(&code.bytes).into_owned();
            let code = Code::evaluated(&code.path, &text, (file, 0));
            found.push(self.codes.len());
            self.codes.push(code);
        }
        found
    }
}
