//! What npm runs when it installs a package: commands of the manifest, `binding.gyp` and the files beside it.

use std::collections::BTreeSet;

use weir_model::contents::InstallStep;

use crate::analyse::{Code, Work};
use crate::{command, gyp};

/// Most gyp files of a package that are read, and most of their commands.
const GYP_FILES: usize = 256;
const GYP_COMMANDS: usize = 512;
/// Longest part of one that is read, in bytes.
const GYP_TEXT: usize = 4 << 20;
/// Event of what `binding.gyp` runs.
const GYP: &str = "binding.gyp";

/// Where the command of an event stands.
pub(crate) fn own_path(event: &str) -> &'static str {
    if event == GYP { GYP } else { "package.json" }
}

impl Work<'_> {
    /// Install commands, `binding.gyp`, and the shell scripts they run.
    pub(crate) fn read_commands(&mut self) {
        let mut commands = self.package.install_commands.clone();
        let runs_own_install = commands
            .iter()
            .any(|(event, _)| event == "install" || event == "preinstall");
        let has_gyp = self.package.files.iter().any(|file| file.path == GYP);
        // npm runs `node-gyp rebuild` by itself only where neither script is given.
        if has_gyp && self.package.gypfile != Some(false) && !runs_own_install {
            commands.push((GYP.to_owned(), "node-gyp rebuild".to_owned()));
        }
        let mut folders: Vec<String> = Vec::new();
        for (_, command) in &commands {
            folders.extend(command::read(command, &self.package.scripts).node_gyp);
        }
        let (built, in_part) = self.gyp_commands(&folders);
        commands.extend(built.into_iter().map(|command| (GYP.to_owned(), command)));
        for path in &in_part {
            self.tell_in_part(path);
        }
        for (event, command) in commands {
            let mut roots = self.read_command(&event, &command);
            roots.extend(self.programs_of(&command));
            // What was followed in part is told of where it stands.
            let own = own_path(&event);
            let mut reaches = in_part.clone();
            if self.is_in_part(own) {
                reaches.push(own.to_owned());
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

    /// Programs of a command line that are JavaScript by being run as it, whatever they are named:
    /// `node README.md`.
    fn programs_of(&mut self, command: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for path in command::read(command, &self.package.scripts).programs {
            let entry = self.resolver.entry(&path);
            let Some(index) = entry.or_else(|| self.elsewhere(&path)) else {
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
