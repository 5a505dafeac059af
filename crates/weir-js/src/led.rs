//! What commands lead on to beside their own programs: scripts of other manifests, build files, and what the
//! command lines in code mean with the package around them.

use std::collections::BTreeMap;

use weir_npm::manifest::Manifest;

use crate::analyse::Work;
use crate::command::{self, Build};
use crate::makefile;
use crate::script::Language;

/// Most build files that take each other in.
const BUILD_FILES: usize = 64;

impl Work<'_> {
    /// Scripts of the manifest in a folder of the package.
    pub(crate) fn scripts_in(
        &mut self,
        folder: &str,
        events: &[String],
        depth: usize,
    ) -> Vec<usize> {
        let wanted = format!("{folder}/package.json");
        let Some(index) = self.resolver.entry(&wanted) else {
            return Vec::new();
        };
        let Some(file) = self.package.files.get(index) else {
            return Vec::new();
        };
        let (true, Ok(manifest)) = (
            file.path.ends_with("package.json"),
            Manifest::from_json(file.bytes),
        ) else {
            return Vec::new();
        };
        let path = file.path.to_owned();
        let folder = path.strip_suffix("/package.json").unwrap_or_default();
        let mut roots = Vec::new();
        for script in events
            .iter()
            .filter_map(|event| manifest.scripts.get(event))
        {
            // Told of with the manifest where it stands.
            roots.push(index);
            let reading = command::read_in(folder, script, &manifest.scripts);
            roots.extend(self.take(&path, script, reading, depth));
        }
        roots
    }

    /// What is built as a makefile or a list of CMake says.
    pub(crate) fn built(&mut self, path: &str, build: &Build, depth: usize) -> Vec<usize> {
        let names: &[&str] = match build.is_cmake {
            true => &["CMakeLists.txt"],
            false => &["GNUmakefile", "makefile", "Makefile"],
        };
        let place = |name: &str| match build.folder.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let named = build.file.as_deref().map(place);
        let found = match &named {
            Some(file) => self.beside(path, file),
            None => names.iter().find_map(|name| {
                let index = self.beside(path, &place(name))?;
                self.path_of(index)?.ends_with(name).then_some(index)
            }),
        };
        let Some(index) = found else {
            if self.has_made_files && !build.is_cmake && depth <= 1 {
                let what = "`make` runs what a file says that is none of the package".to_owned();
                self.tell_unfollowed(path, what);
            }
            return Vec::new();
        };
        let mut roots = Vec::new();
        let mut wanted = vec![index];
        let mut text = String::new();
        let mut own = (String::new(), String::new());
        while let Some(index) = wanted.pop() {
            if roots.contains(&index) || roots.len() >= BUILD_FILES {
                continue;
            }
            let Some(code) = self.codes.get_mut(index) else {
                continue;
            };
            roots.push(index);
            // It is read here, and is no code of another language.
            code.run_as = Some(Language::Shell);
            self.scripts_read.insert(index);
            let bytes = code.bytes.clone();
            let here = code.path.clone().into_owned();
            let piece = String::from_utf8_lossy(&bytes).into_owned();
            if own.0.is_empty() {
                own = (here.clone(), piece.clone());
            }
            let folder = here.rsplit_once('/').map_or("", |(folder, _)| folder);
            let built = match build.is_cmake {
                true => makefile::read_cmake(&piece),
                false => makefile::read(&piece, &build.goals),
            };
            for file in built.includes {
                wanted.extend(self.resolver.entry(&format!("{folder}/{file}")));
            }
            // Makefiles are one text; lists of CMake have a folder each.
            if build.is_cmake {
                if built.in_part {
                    self.tell_in_part(&here);
                }
                let reading = command::read_in(folder, &built.script, &BTreeMap::new());
                let found = self.take(&here, &piece, reading, depth);
                self.join_roots(&mut roots, found);
            }
            text.push_str(&piece);
            text.push('\n');
        }
        if !build.is_cmake {
            let (own, piece) = own;
            let folder = own
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder)
                .to_owned();
            let built = makefile::read(&text, &build.goals);
            if built.in_part {
                self.tell_in_part(&own);
            }
            let reading = command::read_in(&folder, &built.script, &BTreeMap::new());
            let found = self.take(&own, &piece, reading, depth);
            self.join_roots(&mut roots, found);
        }
        roots
    }

    fn join_roots(&self, roots: &mut Vec<usize>, found: Vec<usize>) {
        for index in found {
            if !roots.contains(&index) {
                roots.push(index);
            }
        }
    }

    /// Command lines that code runs at install time, as far as they mean other files of the package.
    pub(crate) fn read_lines(&mut self) -> bool {
        let lines: Vec<(usize, Vec<String>, bool)> = (0..self.codes.len())
            .filter(|index| self.modules.surfaces(*index).has_install())
            .filter(|index| !self.lines_read.contains(index))
            .filter_map(|index| {
                let seen = &self.codes.get(index)?.survey.as_ref()?.seen;
                let lines = seen.lines().to_vec();
                (!lines.is_empty()).then(|| (index, lines, seen.talks()))
            })
            .collect();
        let has_any = !lines.is_empty();
        for (index, lines, talks) in lines {
            self.lines_read.insert(index);
            let Some(code) = self.codes.get(index) else {
                continue;
            };
            let path = code.path.clone().into_owned();
            let text = String::from_utf8_lossy(&code.bytes).into_owned();
            for line in lines {
                let known = command::read(&line, &BTreeMap::new());
                let mut reading = command::read(&line, &self.package.scripts).beyond(&known);
                if talks {
                    reading.unpacks.clear();
                }
                for found in self.take(&path, &text, reading, 0) {
                    self.join_started(index, found);
                }
            }
        }
        has_any
    }

    /// Code that other code starts, once it is known.
    pub(crate) fn join_started(&mut self, index: usize, found: usize) {
        self.modules.reserve(self.codes.len());
        self.modules.connect(index, found);
        if self
            .codes
            .get(found)
            .is_some_and(|code| code.survey.is_none() && code.failure.is_none() && code.may_run())
        {
            self.survey_one(found);
            self.connect(found);
        }
    }
}
