//! R1: a package without hooks for years, until a patch adds one.

use jiff::Timestamp;

use super::{Attack, Expected, Scenario, Twin, history, minutes_before};
use crate::samples::{FORMATTER, NPM_CREDENTIALS, PREBUILT_LOOKUP, aimed_at};
use crate::{Package, Registry, Release, Sink};

/// Six hookless releases of `ledger-format` over two years; then its usual publisher's account puts
/// out a patch whose `postinstall` reads `~/.npmrc` and secrets from the environment and posts them
/// to the sink.
///
/// Twins: a native package built by `node-gyp` and one that looks for prebuilt files, both with the
/// same hook for years; and a tool whose hook changes only in a version number.
pub fn first_hook(now: Timestamp) -> Scenario {
    let registry = Registry::start();
    let sink = Sink::start();
    registry.set_now_at(now);
    let collect = aimed_at(NPM_CREDENTIALS, &sink.url());
    registry.add(
        Package::new("ledger-format")
            .maintainer("mara")
            .description("Formats amounts for ledgers")
            .repository("https://git.example.invalid/mara/ledger-format")
            .releases(history(
                now,
                &["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.4.1"],
                (730, 45),
                |version| Release::new(version).file("index.js", FORMATTER),
            ))
            .release(
                Release::new("1.4.2")
                    .published_at(minutes_before(now, 11))
                    .publisher("mara")
                    .file("index.js", FORMATTER)
                    .file("lib/telemetry.js", collect)
                    .script("postinstall", "node lib/telemetry.js"),
            ),
    );
    registry.add(native(now));
    registry.add(prebuilt(now));
    registry.add(versioned_hook(now));
    Scenario {
        name: "R1-first-hook",
        description: "A patch release of a hookless package adds a postinstall that posts npm credentials.",
        registry,
        sink,
        now,
        known: Vec::new(),
        attacks: vec![Attack {
            name: "ledger-format",
            version: "1.4.2",
            good: Some("1.4.1"),
            incidents: &["I02", "I18"],
            parts_of: &[],
            separable: true,
            expected: vec![
                Expected {
                    code: "M7",
                    group: "execution",
                    seen: "six releases without a hook, then a postinstall in a patch",
                },
                Expected {
                    code: "B2",
                    group: "code",
                    seen: "install-time code reads ~/.npmrc and sends it over HTTP",
                },
            ],
        }],
        twins: vec![
            Twin {
                name: "native-checksum",
                version: "3.2.1",
                why: "built by node-gyp since its first release (running its hook needs a compiler)",
            },
            Twin {
                name: "portable-canvas",
                version: "2.6.1",
                why: "looks for prebuilt files with the same hook for years",
            },
            Twin {
                name: "schema-engine-cli",
                version: "6.3.0",
                why: "its hook changes only in a version number",
            },
        ],
    }
}

const YEARS: (i64, i64) = (1400, 60);

fn native(now: Timestamp) -> Package {
    let build = |version: &str| {
        Release::new(version)
            .file(
                "index.js",
                "module.exports = require('./build/Release/addon.node');\n",
            )
            .gypfile()
    };
    let versions = ["2.0.0", "2.1.0", "3.0.0", "3.1.0", "3.2.0"];
    Package::new("native-checksum")
        .maintainer("oskar")
        .repository("https://git.example.invalid/oskar/native-checksum")
        .releases(history(now, &versions, YEARS, build))
        .release(build("3.2.1").published_at(minutes_before(now, 35)))
}

fn prebuilt(now: Timestamp) -> Package {
    let build = |version: &str| {
        Release::new(version)
            .file("index.js", FORMATTER)
            .file("install/find.js", PREBUILT_LOOKUP)
            .script("install", "node install/find.js || node-gyp rebuild")
    };
    let versions = ["1.0.0", "2.0.0", "2.3.0", "2.5.0", "2.6.0"];
    Package::new("portable-canvas")
        .maintainer("ines")
        .repository("https://git.example.invalid/ines/portable-canvas")
        .releases(history(now, &versions, YEARS, build))
        .release(build("2.6.1").published_at(minutes_before(now, 30)))
}

fn versioned_hook(now: Timestamp) -> Package {
    let build = |version: &str| {
        Release::new(version)
            .file("index.js", FORMATTER)
            .file("install.js", PREBUILT_LOOKUP)
            .script(
                "postinstall",
                &format!("node install.js --engine={version}"),
            )
    };
    let versions = ["5.0.0", "5.4.0", "6.0.0", "6.1.0", "6.2.0"];
    Package::new("schema-engine-cli")
        .maintainer("schema-ci")
        .repository("https://git.example.invalid/schema/engine")
        .releases(history(now, &versions, YEARS, build))
        .release(build("6.3.0").published_at(minutes_before(now, 20)))
}
