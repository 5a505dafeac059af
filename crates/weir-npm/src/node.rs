//! Modules that come with Node.js, which no package has to bring.

/// Modules that are loaded by their bare name, without what lies below them (`fs/promises`): `builtinModules`
/// of `node:module` in Node.js 20 to 24, without those that begin with an underscore.
pub const MODULES: [&str; 42] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Modules that need the prefix: without `node:` these names are packages.
pub const PREFIXED: [&str; 3] = ["sea", "sqlite", "test"];

/// The module of Node.js that a specifier means, without prefix and without what lies below it:
/// `node:fs/promises` gives `fs`. Nothing for packages and files.
#[must_use]
pub fn module(specifier: &str) -> Option<&'static str> {
    let bare = specifier.strip_prefix("node:");
    let path = bare.unwrap_or(specifier);
    let first = path.split_once('/').map_or(path, |(first, _)| first);
    let prefixed = PREFIXED.iter().filter(|_| bare.is_some());
    MODULES
        .iter()
        .chain(prefixed)
        .copied()
        .find(|module| *module == first)
}

#[cfg(test)]
mod tests {
    use super::module;

    #[test]
    fn modules_are_told_from_packages_of_like_names() {
        assert_eq!(module("fs"), Some("fs"));
        assert_eq!(module("node:fs/promises"), Some("fs"));
        assert_eq!(module("node:test"), Some("test"));
        assert_eq!(module("test"), None);
        assert_eq!(module("fs-extra"), None);
        assert_eq!(module("./fs"), None);
        assert_eq!(module(""), None);
    }
}
