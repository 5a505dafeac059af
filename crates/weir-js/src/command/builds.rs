//! Programs that build as a file of the package says: which file, and where.

use super::folder::within;
use super::run::Build;

/// `make [-C folder] [-f file] [goals]`
pub(super) fn make(words: &[String], folder: &str) -> Build {
    let mut build = Build {
        folder: folder.to_owned(),
        file: None,
        goals: Vec::new(),
        is_cmake: false,
    };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (option, glued) = match word.strip_prefix("--") {
            Some(long) => match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            },
            None => match word.strip_prefix('-') {
                Some(short) if short.len() > 1 => short
                    .split_at_checked(1)
                    .map_or(("", None), |(name, value)| (name, Some(value.to_owned()))),
                Some(short) => (short, None),
                None if word.contains('=') => continue,
                None => {
                    build.goals.push(word.clone());
                    continue;
                }
            },
        };
        match option {
            "C" | "directory" => {
                if let Some(to) = glued.or_else(|| rest.next().cloned()) {
                    build.folder = within(folder, &to);
                }
            }
            "f" | "file" | "makefile" => build.file = glued.or_else(|| rest.next().cloned()),
            "I" | "o" | "W" if glued.is_none() => {
                rest.next();
            }
            // How many jobs may stand behind it, or not.
            "j" | "jobs" | "l" if glued.is_none() => {
                let mut ahead = rest.clone();
                if ahead.next().is_some_and(|word| word.parse::<u32>().is_ok()) {
                    rest = ahead;
                }
            }
            _ => {}
        }
    }
    build
}

/// `cmake .`, `cmake -S lib -B build`, `cmake -P x.cmake`; `--build` goes on with what such a call made.
pub(super) fn cmake(words: &[String], folder: &str) -> Option<Build> {
    if words
        .iter()
        .any(|word| matches!(word.as_str(), "-E" | "--build" | "--install" | "--version"))
    {
        return None;
    }
    let value = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let script = value("-P");
    let operand = || words.iter().find(|word| !word.starts_with('-')).cloned();
    let source = value("-S")
        .or_else(operand)
        .unwrap_or_else(|| ".".to_owned());
    Some(Build {
        folder: match script {
            Some(_) => folder.to_owned(),
            None => within(folder, &source),
        },
        file: script,
        goals: Vec::new(),
        is_cmake: true,
    })
}

/// Where `node-gyp` builds: `-C x`, `--directory=x`.
pub(super) fn build_folder(words: &[String], folder: &str) -> String {
    for (at, word) in words.iter().enumerate() {
        let path = match word.as_str() {
            "-C" | "--directory" => words.get(at + 1).map(String::as_str),
            _ => word
                .strip_prefix("--directory=")
                .or_else(|| word.strip_prefix("-C=")),
        };
        if let Some(path) = path {
            return within(folder, path);
        }
    }
    folder.to_owned()
}
