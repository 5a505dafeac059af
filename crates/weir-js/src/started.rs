//! Commands and scripts in other languages: what they do, and which code of the package they start.

use std::borrow::Cow;

use weir_model::contents::{Surface, Unread};

use crate::analyse::{Code, Work};
use crate::command::{self, Deed, Reading};
use crate::report::found_in;
use crate::scan;
use crate::script::{self, Language};

/// Why a text counts as unread that holds more than is followed.
const IN_PART: &str = "followed in part: it holds more, or deeper, than is followed";
/// Most folders of a path that may not be where they seem.
const PARTS: usize = 32;
/// Most things that are told of as not followed.
const UNFOLLOWED: usize = 32;
/// Deepest code in a command line in code in a command line that is read.
const INNER: usize = 4;

impl Work<'_> {
    /// One command line of the manifest at a path; gives the code it starts.
    pub(crate) fn read_command(&mut self, path: &str, text: &str, reading: Reading) -> Vec<usize> {
        let mut roots = self.take(path, text, reading, 0);
        let mut at = 0;
        while let Some(&index) = roots.get(at) {
            at += 1;
            for found in self.read_script(index) {
                if !roots.contains(&found) {
                    roots.push(found);
                }
            }
        }
        roots
    }

    /// Takes over what was read in a text of a file; gives the code it starts.
    pub(crate) fn take(
        &mut self,
        path: &str,
        text: &str,
        reading: Reading,
        depth: usize,
    ) -> Vec<usize> {
        let mut roots = Vec::new();
        if reading.in_part {
            self.tell_in_part(path);
        }
        for mut leak in reading.leaks {
            let at = found_in(text, &leak.snippet).unwrap_or(0);
            // `sh` alone, at the end of a pipeline, says nothing to who reads the report.
            if path == "package.json" && is_word_of(&leak.snippet, text) {
                leak.snippet = crate::place::clean(text);
            }
            self.leaks.push((path.to_owned(), at, leak));
        }
        let has_hosts = !reading.hosts.is_empty();
        let from_here = |deed: Deed| (path.to_owned(), deed);
        self.deeds.extend(reading.acts.into_iter().map(from_here));
        let named_here = |(host, text): (String, String)| (path.to_owned(), host, text);
        self.shell_hosts
            .extend(reading.hosts.into_iter().map(named_here));
        for code in reading.inline {
            roots.push(self.codes.len());
            let mut code = Code::inline(&code);
            // It loads from where its manifest lies.
            if is_manifest(path) {
                code.path = Cow::Owned(path.to_owned());
            }
            self.codes.push(code);
        }
        for (language, code) in reading.scripts {
            match script::read(&code, language) {
                Some(inner) if depth < INNER => {
                    roots.extend(self.take(path, &code, inner, depth + 1));
                }
                Some(_) => self.tell_in_part(path),
                None => self.not_read(path, &code, language),
            }
        }
        for file in &reading.shells {
            if let Some(index) = self.beside(path, file) {
                if let Some(code) = self.codes.get_mut(index) {
                    code.run_as = Some(Language::Shell);
                }
                roots.push(index);
            }
        }
        let mut missing = Vec::new();
        for file in &reading.files {
            match self.beside(path, file) {
                Some(index) => roots.push(index),
                None if is_own(file) => missing.push(file),
                None => {}
            }
        }
        let hints = reading.hints.iter();
        roots.extend(hints.filter_map(|file| self.beside(path, file)));
        self.has_made_files |= reading.makes_files || !roots.is_empty();
        for what in reading.unfollowed {
            self.tell_unfollowed(path, what);
        }
        if let Some(file) = missing.first().filter(|_| self.has_made_files) {
            let what = format!("`{file}` is started, and is no file of the package");
            self.tell_unfollowed(path, what);
        }
        // What is fetched and unpacked is told of as that.
        let is_there = !has_hosts;
        for archive in reading.unpacks.iter().filter(|_| is_there) {
            if is_own(archive) && archive.contains('.') {
                let what = format!("`{archive}` is unpacked, and what it holds is not looked at");
                self.tell_unfollowed(path, what);
            }
        }
        if depth < INNER {
            for build in &reading.builds {
                roots.extend(self.built(path, build, depth + 1));
            }
            for (folder, events) in &reading.nested {
                roots.extend(self.scripts_in(folder, events, depth + 1));
            }
        }
        roots
    }

    /// The file that a command in the text of another one names.
    pub(crate) fn beside(&self, path: &str, file: &str) -> Option<usize> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = self.resolver.entry(file);
        let found = found.or_else(|| self.resolver.entry(&format!("{folder}/{file}")));
        found.or_else(|| self.named(file))
    }

    /// A file of the package by whatever way it is named: where it is, or where it will lie once installed.
    pub(crate) fn named(&self, file: &str) -> Option<usize> {
        let installed = self.package.name.and_then(|name| {
            let (_, rest) = file.split_once("node_modules/")?;
            rest.strip_prefix(name)?.strip_prefix('/')
        });
        match installed {
            Some(rest) => self.resolver.entry(rest),
            None => self.resolver.entry(file).or_else(|| self.elsewhere(file)),
        }
    }

    /// A file that is not where a command seems to look for it. Whether a text is in the folder into which
    /// it goes shows only when it runs, and folders may be variables: `cd "$(dirname "$0")"`. Files of
    /// other packages and of the system are not ours, whatever they are named.
    pub(crate) fn elsewhere(&self, file: &str) -> Option<usize> {
        if file.starts_with(['/', '~']) || file.starts_with("../") || file.contains("node_modules")
        {
            return None;
        }
        let behind = file.match_indices('/').take(PARTS);
        behind
            .filter_map(|(at, _)| file.get(at + 1..))
            .filter(|rest| rest.contains('.'))
            .find_map(|rest| self.resolver.entry(rest))
    }

    /// Says of a file that it starts what is not followed.
    pub(crate) fn tell_unfollowed(&mut self, path: &str, what: String) {
        let one = (path.to_owned(), what);
        if self.unfollowed.len() < UNFOLLOWED && !self.unfollowed.contains(&one) {
            self.unfollowed.push(one);
        }
    }

    /// Says once of a file that there is more in it than was followed.
    pub(crate) fn tell_in_part(&mut self, path: &str) {
        if !self.is_in_part(path) {
            self.facts.unread.push(Unread {
                path: path.to_owned(),
                why: IN_PART.to_owned(),
                suspicious: false,
            });
        }
    }

    /// Whether that was said of a file.
    pub(crate) fn is_in_part(&self, path: &str) -> bool {
        let mut told = self.facts.unread.iter();
        told.any(|one| one.path == path && one.why == IN_PART)
    }

    /// A script in another language, once; gives the code it starts.
    fn read_script(&mut self, index: usize) -> Vec<usize> {
        let Some(code) = self.codes.get(index) else {
            return Vec::new();
        };
        let Some(language) = code.language() else {
            return Vec::new();
        };
        if !self.scripts_read.insert(index) {
            return Vec::new();
        }
        let path = code.path.clone().into_owned();
        let text = String::from_utf8_lossy(&code.bytes).into_owned();
        if text.len() > script::TEXT {
            self.facts.unread.push(Unread {
                path: path.clone(),
                why: format!("only its first {} bytes were read", script::TEXT),
                suspicious: false,
            });
        }
        let reading = match language {
            // Only shells take part in `npm run`.
            Language::Shell => Some(command::read(&text, &self.package.scripts)),
            other => script::read(&text, other),
        };
        match reading {
            Some(reading) => self.take(&path, &text, reading, 0),
            None => {
                self.not_read(&path, &text, language);
                Vec::new()
            }
        }
    }

    /// Text in a language that nothing here reads.
    fn not_read(&mut self, path: &str, text: &str, language: Language) {
        let Language::Other(name) = language else {
            return;
        };
        let words = scan::script_words(text.as_bytes());
        self.facts.unread.push(Unread {
            path: path.to_owned(),
            why: format!(
                "its language ({name}) is not analysed; {}",
                words.describe()
            ),
            suspicious: words.is_pair(),
        });
    }

    /// Scripts in other languages that code starts, and what its command lines lead to.
    pub(crate) fn read_started(&mut self) {
        loop {
            if self.read_lines() {
                self.mark_surfaces();
            }
            let reached: Vec<usize> = (0..self.codes.len())
                .filter(|&index| {
                    let surface = self.modules.surfaces(index).strongest();
                    surface != Surface::Unreferenced
                        && !self.scripts_read.contains(&index)
                        && self
                            .codes
                            .get(index)
                            .is_some_and(|code| code.survey.is_none() && code.language().is_some())
                })
                .collect();
            if reached.is_empty() {
                return;
            }
            for index in reached {
                for found in self.read_script(index) {
                    self.join_started(index, found);
                }
            }
            self.mark_surfaces();
        }
    }

    /// What could not be followed of what runs at install time. Elsewhere it is for whoever runs it.
    pub(crate) fn report_unfollowed(&mut self) {
        for (path, why) in std::mem::take(&mut self.unfollowed) {
            if self.surface_of(&path) == Surface::Install {
                self.facts.unread.push(Unread {
                    path,
                    why,
                    suspicious: false,
                });
            }
        }
    }

    /// From where the script or manifest at a path runs.
    pub(crate) fn surface_of(&self, path: &str) -> Surface {
        let at = self
            .codes
            .iter()
            .position(|code| code.path == path && !code.is_inline);
        match at.map(|index| self.modules.surfaces(index).strongest()) {
            Some(surface) if surface != Surface::Unreferenced && !is_manifest(path) => surface,
            _ => Surface::Install,
        }
    }
}

fn is_manifest(path: &str) -> bool {
    path == "package.json" || path.ends_with("/package.json")
}

/// Whether a path, as a command names it, is one of the package's own files if it is there at all.
fn is_own(file: &str) -> bool {
    let is_elsewhere = file.starts_with(['/', '~', '-'])
        || file.starts_with("../")
        || file.contains("node_modules")
        || file.contains(':');
    let is_open = file.contains(['$', '%', '*', '`', '{']);
    !is_elsewhere && !is_open && !file.is_empty()
}

/// Whether a text is one word of a command.
fn is_word_of(text: &str, command: &str) -> bool {
    let mut words = command.split(|c: char| c.is_whitespace() || matches!(c, '|' | ';' | '&'));
    words.any(|word| word == text)
}
