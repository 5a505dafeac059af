//! The folder in which the programs of a text run.

use super::leaks::program;
use super::shell::{Mark, Simple};
use super::wrappers::unwrapped;

/// Where a text is, while it is gone through. Whether a step into a folder comes to pass is not known.
#[derive(Default)]
pub(super) struct Folder {
    /// Seen from the package's folder.
    pub(super) now: String,
    before: String,
    pushed: Vec<String>,
    /// Those to which the ends of open subshells go back.
    outer: Vec<String>,
}

impl Folder {
    /// At the beginning of a text.
    pub(super) fn at(folder: &str) -> Self {
        Self {
            now: folder.to_owned(),
            ..Self::default()
        }
    }

    /// A group begins or ends.
    pub(super) fn group(&mut self, simple: &Simple) {
        match simple.mark {
            _ if !simple.is_subshell => {}
            Mark::End => self.now = self.outer.pop().unwrap_or_default(),
            Mark::Begin | Mark::Aside(_) => self.outer.push(self.now.clone()),
            Mark::Program => {}
        }
    }

    /// A program that may be `cd`.
    pub(super) fn program(&mut self, simple: &Simple) {
        let words = unwrapped(&simple.words);
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let name = program(first);
        let to = match &*name {
            "popd" => Some(self.pushed.pop().unwrap_or_default()),
            "cd" if rest.first().is_some_and(|word| word == "-") => Some(self.before.clone()),
            "cd" | "pushd" | "chdir" => {
                let mut folders = rest.iter().filter(|word| !word.starts_with(['-', '+']));
                folders.next().map(|to| within(&self.now, to))
            }
            _ => None,
        };
        let Some(to) = to else {
            return;
        };
        self.before = std::mem::replace(&mut self.now, to);
        if name == "pushd" {
            self.pushed.push(self.before.clone());
        }
    }
}

/// Names of the folder in which a command runs, or of that of its own file, as shells write them. Hooks run in
/// the package's folder; that of whoever installs it is taken for it as well.
const HERE: [&str; 16] = [
    "$PWD/",
    "${PWD}/",
    "$INIT_CWD/",
    "${INIT_CWD}/",
    "$(pwd)/",
    "`pwd`/",
    "%CD%/",
    "%cd%/",
    "%INIT_CWD%/",
    "%~dp0",
    "$npm_config_local_prefix/",
    "${npm_config_local_prefix}/",
    "$npm_package_json/../",
    "${npm_package_json}/../",
    "%npm_config_local_prefix%/",
    "$PSScriptRoot/",
];

/// `path` seen from `folder`. Absolute paths stay.
pub(super) fn within(folder: &str, path: &str) -> String {
    let is_variable = path.starts_with(['$', '%', '`']);
    let turned = (is_variable && path.contains('\\')).then(|| path.replace('\\', "/"));
    let path = turned.as_deref().unwrap_or(path);
    let here = HERE.iter().filter(|_| is_variable);
    let path = here
        .filter_map(|name| path.strip_prefix(name))
        .next()
        .unwrap_or(path);
    if folder.is_empty() || path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    }
}
