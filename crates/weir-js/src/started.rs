//! Commands and scripts in other languages: what they do, and which code of the package they start.

use weir_model::contents::{Surface, Unread};

use crate::analyse::{Code, Work};
use crate::command::{self, Deed, Reading};
use crate::installs::own_path;
use crate::scan;
use crate::script::{self, Language};

/// Why a text counts as unread that holds more than is followed.
const IN_PART: &str = "followed in part: it holds more, or deeper, than is followed";
/// Most folders of a path that may not be where they seem.
const PARTS: usize = 32;
/// Deepest code in a command line in code in a command line that is read.
const INNER: usize = 4;

impl Work<'_> {
    /// One command line; gives the code it starts.
    pub(crate) fn read_command(&mut self, event: &str, command: &str) -> Vec<usize> {
        let path = own_path(event);
        let reading = command::read(command, &self.package.scripts);
        let mut roots = self.take(path, command, reading, 0);
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
    fn take(&mut self, path: &str, text: &str, reading: Reading, depth: usize) -> Vec<usize> {
        let mut roots = Vec::new();
        if reading.in_part {
            self.tell_in_part(path);
        }
        for leak in reading.leaks {
            let at = text.find(leak.snippet.as_str()).unwrap_or(0);
            self.leaks.push((path.to_owned(), at, leak));
        }
        let from_here = |deed: Deed| (path.to_owned(), deed);
        self.deeds.extend(reading.acts.into_iter().map(from_here));
        let named_here = |(host, text): (String, String)| (path.to_owned(), host, text);
        self.shell_hosts
            .extend(reading.hosts.into_iter().map(named_here));
        for code in reading.inline {
            roots.push(self.codes.len());
            self.codes.push(Code::inline(&code));
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
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for file in reading.files {
            let beside = format!("{folder}/{file}");
            let found = self
                .resolver
                .entry(&file)
                .or_else(|| self.resolver.entry(&beside))
                .or_else(|| self.elsewhere(&file));
            roots.extend(found);
        }
        roots
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

    /// Scripts in other languages that code starts.
    pub(crate) fn read_started(&mut self) {
        loop {
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
                    self.modules.reserve(self.codes.len());
                    self.modules.connect(index, found);
                    if self.codes.get(found).is_some_and(|code| {
                        code.survey.is_none() && code.failure.is_none() && code.may_run()
                    }) {
                        self.survey_one(found);
                        self.connect(found);
                    }
                }
            }
            self.mark_surfaces();
        }
    }

    /// From where the script or manifest at a path runs.
    pub(crate) fn surface_of(&self, path: &str) -> Surface {
        let at = self
            .codes
            .iter()
            .position(|code| code.path == path && !code.is_inline);
        match at.map(|index| self.modules.surfaces(index).strongest()) {
            Some(surface) if surface != Surface::Unreferenced && path != "package.json" => surface,
            _ => Surface::Install,
        }
    }
}
