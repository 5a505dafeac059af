//! Programs by what they make of the files and texts that they are given.

/// Programs that run a file of JavaScript or TypeScript.
pub(crate) const RUNTIMES: &[&str] = &[
    "node",
    "nodejs",
    "tsx",
    "ts-node",
    "ts-node-esm",
    "ts-node-dev",
    "babel-node",
    "node-dev",
    "nodemon",
    "supervisor",
    "forever",
    "pm2",
    "zx",
    "electron",
    "swc-node",
    "esr",
    "jiti",
    "sucrase-node",
    "esno",
    "qjs",
    "mocha",
    "deno",
    "bun",
];

/// Tools that run a file of the folder they are started in, and how that is named, without its ending.
pub(crate) const CONFIGURED: &[(&str, &str)] = &[
    ("gulp", "gulpfile"),
    ("grunt", "Gruntfile"),
    ("jake", "Jakefile"),
    ("webpack", "webpack.config"),
    ("vite", "vite.config"),
    ("rollup", "rollup.config"),
    ("jest", "jest.config"),
    ("vitest", "vitest.config"),
    ("karma", "karma.conf"),
    ("mocha", ".mocharc"),
    ("babel", "babel.config"),
    ("next", "next.config"),
    ("nuxt", "nuxt.config"),
    ("eslint", "eslint.config"),
    ("tsup", "tsup.config"),
    ("metro", "metro.config"),
];

/// Interpreters and runners of other languages that nothing here reads, the language, and words that have
/// to come first for them to run anything.
const FOREIGN: &[(&str, &str, &[&str])] = &[
    ("java", "Java", &[]),
    ("jshell", "Java", &[]),
    ("go", "Go", &["run"]),
    ("cargo", "Rust", &["run", "test"]),
    ("swift", "Swift", &[]),
    ("dotnet", ".NET", &[]),
    ("mono", ".NET", &[]),
    ("csi", "C#", &[]),
    ("tclsh", "Tcl", &[]),
    ("wish", "Tcl", &[]),
    ("expect", "Tcl", &[]),
    ("rscript", "R", &[]),
    ("r", "R", &[]),
    ("julia", "Julia", &[]),
    ("coffee", "CoffeeScript", &[]),
    ("cake", "CoffeeScript", &[]),
    ("lsc", "LiveScript", &[]),
    ("scala", "Scala", &[]),
    ("kotlin", "Kotlin", &[]),
    ("groovy", "Groovy", &[]),
    ("elixir", "Elixir", &[]),
    ("escript", "Erlang", &[]),
    ("guile", "Scheme", &[]),
    ("racket", "Racket", &[]),
    ("sbcl", "Lisp", &["--script", "--load"]),
    ("emacs", "Lisp", &["--script", "--batch", "-batch"]),
    ("awk", "awk", &["-f", "--file"]),
    ("gawk", "awk", &["-f", "--file"]),
    ("gdb", "commands of a debugger", &["-x", "-ex"]),
    ("lldb", "commands of a debugger", &["-s", "-o"]),
    ("vim", "commands of an editor", &["-S", "-c"]),
    ("nvim", "commands of an editor", &["-S", "-c"]),
    ("ansible-playbook", "Ansible", &[]),
    ("wasmtime", "WebAssembly", &[]),
    ("wasmer", "WebAssembly", &[]),
];

/// The language of a program that runs what it is given, where nothing here reads that.
pub(crate) fn foreign(name: &str, rest: &[String]) -> Option<&'static str> {
    let (_, language, needed) = FOREIGN.iter().find(|(foreign, ..)| *foreign == name)?;
    let asks = |word: &String| {
        let bare = word.trim_start_matches('-');
        matches!(bare, "version" | "v" | "V" | "help" | "h" | "info")
    };
    let is_asked = rest.first().is_none_or(asks);
    let runs = needed.is_empty() || rest.iter().any(|word| needed.contains(&word.as_str()));
    (!is_asked && runs).then_some(language)
}

/// Programs that run, install or take in a file that they are given, or make one fit to be run.
const STARTERS: &[&str] = &[
    ".",
    "source",
    "chmod",
    "xattr",
    "codesign",
    "install",
    "start",
    "start-process",
    "saps",
    "invoke-item",
    "open",
    "xdg-open",
    "gio",
    "explorer",
    "rundll32",
    "regsvr32",
    "msiexec",
    "wine",
    "wine64",
    "launchctl",
    "systemctl",
    "schtasks",
    "crontab",
    "at",
    "sc",
    "installer",
    "hdiutil",
    "dpkg",
    "rpm",
    "apt",
    "apt-get",
    "yum",
    "dnf",
    "pacman",
    "brew",
    "npm",
    "npx",
    "pnpm",
    "yarn",
    "bunx",
    "pip",
    "pip3",
    "pipx",
    "gem",
    "adb",
    "insmod",
    "make",
    "awk",
    "gawk",
];

/// Whether a program runs files that it is given, beside shells and interpreters that are read.
pub(crate) fn runs_operands(name: &str) -> bool {
    STARTERS.contains(&name)
        || RUNTIMES.contains(&name)
        || FOREIGN.iter().any(|(foreign, ..)| *foreign == name)
        // The loader itself: `/lib64/ld-linux-x86-64.so.2 ./x`
        || name.starts_with("ld-linux")
        || name.starts_with("ld-musl")
}

/// Programs whose words are texts, names or data: whatever these look like, nothing of it is started.
const PASSIVE: &[&str] = &[
    "echo",
    "printf",
    "true",
    "false",
    ":",
    "exit",
    "return",
    "test",
    "[",
    "[[",
    "cd",
    "pushd",
    "popd",
    "export",
    "set",
    "unset",
    "read",
    "local",
    "declare",
    "readonly",
    "shift",
    "break",
    "continue",
    "type",
    "which",
    "where",
    "hash",
    "man",
    "cat",
    "head",
    "tail",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "sed",
    "cut",
    "sort",
    "uniq",
    "tr",
    "wc",
    "diff",
    "cmp",
    "ls",
    "dir",
    "rm",
    "del",
    "cp",
    "mv",
    "ln",
    "mkdir",
    "rmdir",
    "touch",
    "chmod",
    "chown",
    "pwd",
    "basename",
    "dirname",
    "realpath",
    "readlink",
    "stat",
    "file",
    "du",
    "df",
    "date",
    "sleep",
    "ps",
    "kill",
    "pkill",
    "killall",
    "taskkill",
    "tee",
    "uname",
    "id",
    "whoami",
    "hostname",
    "curl",
    "wget",
    "git",
    "gh",
    "tar",
    "unzip",
    "zip",
    "gzip",
    "gunzip",
    "apt",
    "apt-get",
    "apk",
    "yum",
    "dnf",
    "brew",
    "port",
    "pacman",
    "choco",
    "winget",
    "scoop",
    "snap",
    "pip",
    "pip3",
    "gem",
    "docker",
    "podman",
    "case",
    "for",
    "select",
    "function",
    "in",
    "rimraf",
    "copyfiles",
    "cpx",
    "mkdirp",
    "shx",
    "notify-send",
    "jq",
    "for",
    "esac",
    "rem",
    "title",
];

/// Whether nothing in a program's words is started by it.
pub(crate) fn is_passive(name: &str) -> bool {
    PASSIVE.contains(&name)
}

/// Programs that take an archive apart.
const UNPACKERS: &[&str] = &[
    "tar",
    "gtar",
    "bsdtar",
    "unzip",
    "7z",
    "7za",
    "7zr",
    "7zz",
    "unrar",
    "cpio",
    "jar",
    "ar",
    "gunzip",
    "bunzip2",
    "unxz",
    "unlzma",
    "unzstd",
    "gzip",
    "bzip2",
    "xz",
    "zstd",
    "brotli",
    "expand-archive",
    "expand",
    "extract-zip",
    "decompress",
];

/// Whether a program, with the words behind it, takes an archive apart.
pub(crate) fn unpacks(name: &str, rest: &[String]) -> bool {
    if !UNPACKERS.contains(&name) {
        return false;
    }
    let options = || rest.iter().filter(|word| word.starts_with('-'));
    let first = rest.first().map_or("", String::as_str);
    match name {
        "tar" | "gtar" | "bsdtar" | "jar" => {
            let plain = !first.starts_with('-') && first.contains('x');
            plain || options().any(|word| word == "--extract" || is_short(word, 'x'))
        }
        "7z" | "7za" | "7zr" | "7zz" | "unrar" => matches!(first, "x" | "e"),
        "ar" => first.contains('x'),
        "cpio" => options().any(|word| word == "--extract" || is_short(word, 'i')),
        "gzip" | "bzip2" | "xz" | "zstd" | "brotli" => {
            options().any(|word| word.ends_with("decompress") || is_short(word, 'd'))
        }
        _ => !rest.is_empty(),
    }
}

fn is_short(word: &str, option: char) -> bool {
    !word.starts_with("--") && word.contains(option)
}

/// Programs that make files out of what nobody here reads: compilers, builders, what brings repositories. What
/// make and CMake are told is read.
const MAKERS: &[&str] = &[
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "tcc",
    "rustc",
    "cargo",
    "go",
    "javac",
    "swiftc",
    "csc",
    "nim",
    "zig",
    "ghc",
    "fpc",
    "ninja",
    "meson",
    "bazel",
    "git",
    "hg",
    "svn",
    "curl",
    "wget",
    "ld",
    "msbuild",
    "xcodebuild",
];

/// Whether a program may leave files behind that are no files of the package.
pub(crate) fn makes_files(name: &str, rest: &[String]) -> bool {
    MAKERS.contains(&name) || unpacks(name, rest) || foreign(name, rest).is_some()
}

#[cfg(test)]
mod tests {
    use super::{foreign, unpacks};

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn archives_are_taken_apart() {
        for text in [
            "tar xf a.tgz",
            "tar -xzf a.tgz",
            "tar --extract -f a.tgz",
            "unzip -o a.zip",
            "7z x a.7z",
            "gunzip -c x.gz",
            "xz -d x.xz",
        ] {
            let words = words(text);
            assert!(unpacks(&words[0], &words[1..]), "{text}");
        }
        for text in [
            "tar czf a.tgz lib",
            "gzip a.txt",
            "7z a x.7z lib",
            "zip a.zip lib",
        ] {
            let words = words(text);
            assert!(!unpacks(&words[0], &words[1..]), "{text}");
        }
    }

    #[test]
    fn asking_for_a_version_runs_nothing() {
        for text in ["java -jar x.jar", "go run x.go", "tclsh x.tcl", "cargo run"] {
            let words = words(text);
            assert!(foreign(&words[0], &words[1..]).is_some(), "{text}");
        }
        for text in [
            "java -version",
            "go version",
            "go build",
            "cargo build",
            "gdb x",
        ] {
            let words = words(text);
            assert!(foreign(&words[0], &words[1..]).is_none(), "{text}");
        }
    }
}
