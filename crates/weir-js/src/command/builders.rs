//! Builders of native code, and what they are told to run: by options, by variables, or as their first word.

use super::folder::within;
use super::run::Reading;
use super::shell;

const BUILDERS: [&str; 8] = [
    "node-gyp",
    "node-pre-gyp",
    "prebuild-install",
    "node-gyp-build",
    "node-gyp-build-optional",
    "node-gyp-build-optional-packages",
    "cmake-js",
    "pkg-prebuilds-verify",
];

/// Options that name a program, without dashes; also the names of settings by which npm hands them on.
const PROGRAMS: [&str; 10] = [
    "python",
    "make",
    "msbuild_path",
    "node_gyp",
    "cmake_path",
    "c",
    "cc",
    "cxx",
    "prefer_cc",
    "prefer_cxx",
];

/// Variables that builders and what they start take programs from.
const VARIABLES: [&str; 14] = [
    "PYTHON",
    "NODE_GYP_FORCE_PYTHON",
    "MAKE",
    "CC",
    "CXX",
    "CPP",
    "LD",
    "LINK",
    "AR",
    "CC_TARGET",
    "CXX_TARGET",
    "CMAKE_C_COMPILER",
    "CMAKE_CXX_COMPILER",
    "CMAKE_TOOLCHAIN_FILE",
];

/// Shortest beginning of an option that is taken for it: builders complete what is cut short.
const CUT: usize = 3;

/// Whether a program is a builder, by its name.
pub(super) fn is_one(name: &str) -> bool {
    BUILDERS.contains(&name)
}

/// Texts among its words that a builder has a shell run: what it does before it builds, and after it.
pub(super) fn commands(name: &str, words: &[String]) -> Vec<String> {
    if !name.starts_with("node-gyp-build") {
        return Vec::new();
    }
    let given = words.iter().filter(|word| !word.starts_with('-'));
    given.map(|word| shell::literal(word)).collect()
}

/// Options of a builder that name a program or a folder with files of node-gyp, as far as those may be the package's.
pub(super) fn options(words: &[String], folder: &str, reading: &mut Reading) {
    for (at, word) in words.iter().enumerate() {
        let Some(option) = word.strip_prefix('-') else {
            continue;
        };
        let option = option.strip_prefix('-').unwrap_or(option);
        match option.split_once('=') {
            Some((name, value)) => setting(name, value, folder, reading),
            None => {
                if let Some(value) = words.get(at + 1) {
                    setting(option, value, folder, reading);
                }
            }
        }
    }
}

/// The same of variables that are set for a program.
pub(super) fn settings(name: &str, value: &str, folder: &str, reading: &mut Reading) {
    let lower = name.to_ascii_lowercase();
    if let Some(name) = lower.strip_prefix("npm_config_") {
        setting(name, value, folder, reading);
    } else if VARIABLES.contains(&name) {
        file(value, folder, reading);
    }
}

fn setting(name: &str, value: &str, folder: &str, reading: &mut Reading) {
    // A letter alone is an option of its own in either case: `-C` is a folder.
    let name = match name.len() {
        1 => name.to_owned(),
        _ => name.to_ascii_lowercase().replace('-', "_"),
    };
    let names = |full: &str| full == name || (name.len() >= CUT && full.starts_with(&name));
    if names("nodedir") || name == "node_dir" {
        // node-gyp takes files of its own from there, and make what those name.
        let value = shell::literal(value);
        let value = value.trim_end_matches('/');
        let headers = format!("{value}/include/node");
        reading.node_gyp.push(within(folder, value));
        reading.node_gyp.push(within(folder, &headers));
        return;
    }
    if PROGRAMS.iter().any(|program| names(program)) {
        file(value, folder, reading);
    }
}

/// A program: one of the package's files where it is a path, or where there is a script of that name.
fn file(value: &str, folder: &str, reading: &mut Reading) {
    let value = shell::literal(value);
    // `ccache ./x`: every word may be one.
    for word in value.split_whitespace() {
        let path = within(folder, word);
        match word.contains('/') && !word.starts_with('/') {
            true => reading.files.push(path),
            // Otherwise it is looked for among programs; a folder of that name is none.
            false if word.contains('.') => reading.hints.push(path),
            false => {}
        }
    }
}
