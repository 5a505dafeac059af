//! R5, R7, R8, R9, R24, R26: what a tarball or a manifest looks like from outside, before its code.

use jiff::Timestamp;
use serde_json::json;

use super::deviations::{elsewhere, expected, package, release};
use super::parts::{NEXT, Stage};
use super::{Attack, Scenario, days_before, history, minutes_before};
use crate::payloads::{TOKENS, enormous_bundle};
use crate::samples::{FORMATTER, aimed_at};

/// R5: `stream-flatten` was clean for a month and is asked for as `^0.1.0`; its next patch has a hook.
pub fn bait_in_two_steps(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let collect = aimed_at(TOKENS, &stage.sink.url());
    stage.registry.add(
        package("stream-of-records", "dominic")
            .releases(history(
                now,
                &["3.3.3", "3.3.4", "3.3.5"],
                (900, 60),
                release,
            ))
            .release(
                release("3.3.6")
                    .dependency("stream-flatten", "^0.1.0")
                    .published_at(days_before(now, 26)),
            ),
    );
    stage.registry.add(
        package("stream-flatten", "hugeglass")
            .release(release("0.1.0").published_at(days_before(now, 31)))
            .release(
                release("0.1.1")
                    .file("setup.js", collect)
                    .script("postinstall", "node setup.js")
                    .published_at(minutes_before(now, 12)),
            ),
    );
    stage.attacks.push(Attack {
        name: "stream-flatten",
        version: "0.1.1",
        good: Some("0.1.0"),
        incidents: &["I03", "I04"],
        parts_of: &[],
        separable: true,
        expected: vec![expected("M7", "execution", "a hook in the second release")],
    });
    stage.end(
        "R5-bait-in-two-steps",
        "A dependency that was clean when it was taken in gets a hook in its next patch.",
    )
}

/// R7: a `binding.gyp` appears that compiles nothing and runs a command while it is read.
///
/// Twin: a native package that changes its sources.
pub fn implicit_build(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let collect = aimed_at(TOKENS, &stage.sink.url());
    let gyp = "{\n  'targets': [{\n    'target_name': 'addon',\n    'sources': ['<!(node lib/probe.js)'],\n  }],\n}\n";
    stage.hijacked(
        "gauge-parser",
        &[],
        vec![expected(
            "M7",
            "execution",
            "a binding.gyp runs a command, no script says so",
        )],
        14,
        |next| next.file("binding.gyp", gyp).file("lib/probe.js", collect),
    );
    stage.honest(
        "native-gauge",
        "compiled since its first release; only its sources change",
        |version| release(version).gypfile(),
        |next| next.file("addon.c", "int addon(void) { return 1; }\n"),
    );
    stage.end(
        "R7-implicit-build",
        "A binding.gyp without sources runs a command when the package is installed.",
    )
}

/// R8: from some kilobytes to more than a megabyte in one line, once with a hook that runs it, and
/// once with the hook forgotten.
///
/// Twin: a new major version that brings a bundle.
pub fn swollen(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let bundle = aimed_at(&enormous_bundle(), &stage.sink.url());
    stage.hijacked(
        "@kiln/sqlite",
        &["I28", "I32", "I41", "I42"],
        vec![
            expected("M7", "execution", "a preinstall that was not there"),
            expected(
                "M14",
                "shape",
                "hundreds of times larger, one enormous line",
            ),
        ],
        18,
        |next| {
            next.file("setup.mjs", "import './execution.js';\n")
                .file("execution.js", &bundle)
                .script("preinstall", "node setup.mjs")
        },
    );
    stage.hijacked(
        "tiny-tints",
        &["I28"],
        vec![expected(
            "M14",
            "shape",
            "hundreds of times larger, nothing runs it yet",
        )],
        11,
        |next| next.file("bundle.js", &bundle),
    );
    let large = enormous_bundle().replace("{SINK}", "https://docs.example/");
    let harmless = large
        .split("const s={env")
        .next()
        .unwrap_or_default()
        .to_owned()
        + "})();\n";
    let versions = ["5.0.0", "5.1.0", "5.2.0"];
    stage.registry.add(
        package("chart-core", "petra")
            .releases(history(now, &versions, (700, 90), release))
            .release(
                release("6.0.0")
                    .file("dist/chart-core.min.js", harmless)
                    .field("main", json!("dist/chart-core.min.js"))
                    .published_at(minutes_before(now, 40)),
            ),
    );
    stage.twin(
        "chart-core",
        "6.0.0",
        "a new major version that ships one bundle",
    );
    stage.end(
        "R8-swollen",
        "Patch releases grow several hundredfold by one file with one line.",
    )
}

/// R9: forty packages of one scope gain the same file within ten minutes.
///
/// Twin: forty packages of another scope are released together, as always, each with its own change.
pub fn whole_scope(now: Timestamp) -> Scenario {
    const PARTS: [&str; 40] = [
        "table", "router", "form", "query", "store", "grid", "chart", "tree", "list", "menu",
        "modal", "toast", "tabs", "steps", "upload", "slider", "switch", "select", "radio",
        "check", "input", "button", "badge", "avatar", "card", "image", "layout", "space", "split",
        "theme", "icons", "motion", "portal", "scroll", "virtual", "watch", "devtools", "start",
        "history", "hash",
    ];
    let mut stage = Stage::new(now);
    let init = format!(
        "{}\n// {}\n",
        aimed_at(TOKENS, &stage.sink.url()),
        "the same bytes in every package ".repeat(40)
    );
    for (position, part) in (0..).zip(PARTS) {
        let bad: &'static str = Box::leak(format!("@delta-ui/{part}").into_boxed_str());
        let package = stage.updated(bad, "delta-ci", release, 12 - position / 4, |next| {
            elsewhere(next.file("router_init.js", &init)).optional_dependency(
                "@delta-ui/setup",
                &format!("github:delta/ui#{}", "79ac49ee".repeat(5)),
            )
        });
        stage.registry.add(package);
        stage.bad_update(
            bad,
            &["I22", "I25", "I43", "I45"],
            vec![expected(
                "M9",
                "dependency",
                "a git dependency that no sibling ever had",
            )],
        );
        let good: &'static str = Box::leak(format!("@sigma-ui/{part}").into_boxed_str());
        let own = format!("{FORMATTER}\nmodule.exports.part = '{part}';\n");
        let make = |version: &str| {
            release(version)
                .file("index.js", format!("{own}// {version}\n"))
                .trusted_publisher()
                .attested()
        };
        let package = stage.updated(good, "sigma-ci", make, 30 - position / 20, |next| next);
        stage.registry.add(package);
        stage.twin(
            good,
            NEXT,
            "one of forty packages that are always released together",
        );
    }
    stage.end(
        "R9-whole-scope",
        "Forty packages of a scope gain the same file and the same git dependency in ten minutes.",
    )
}

/// R24: a `.js` file that is a program.
pub fn not_text(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let mut program = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0".to_vec();
    program.resize(60_000, 0);
    stage.hijacked(
        "pixel-fonts",
        &["I08", "I09", "I23"],
        vec![
            expected("M7", "execution", "a hook starts it"),
            expected("M14", "shape", "a program under a script's name"),
        ],
        16,
        |next| {
            next.file("lib/font.js", program)
                .script("postinstall", "chmod +x lib/font.js && ./lib/font.js")
        },
    );
    stage.side_of(&["I08", "I09", "I23"]);
    stage.end(
        "R24-not-text",
        "A hook starts a program that is stored under the name of a script.",
    )
}

/// I08, I09, I23: a package that slept for years has three of its lines patched within minutes, each with
/// a hook that starts a library it brings along.
pub fn woken_with_program(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let mut program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".to_vec();
    program.resize(40_000, 0);
    let hook = "'use strict';\n\nconst { spawn } = require('child_process');\nconst path = require('path');\n\nif \
                (process.platform === 'win32') {\n  spawn('rundll32', [path.join(__dirname, 'node-gyp.dll'), 'main'], { \
                detached: true, cwd: '/weir-inert/none' }).unref();\n}\n";
    let mut asleep = package("style-options", "vera").releases(history(
        now,
        &["1.0.0", "1.0.1", "2.0.0", "2.0.1", "3.0.0", "3.0.1"],
        (2400, 800),
        release,
    ));
    for (version, minutes) in [("1.0.2", 40), ("2.0.2", 22), ("3.0.2", 6)] {
        asleep = asleep.release(elsewhere(
            release(version)
                .file("install.js", hook)
                .file("node-gyp.dll", &program)
                .script("install", "node install.js")
                .published_at(minutes_before(now, minutes)),
        ));
    }
    stage.registry.add(asleep);
    stage.attacks.push(Attack {
        name: "style-options",
        version: "3.0.2",
        good: Some("3.0.1"),
        incidents: &["I08", "I09", "I23"],
        parts_of: &[],
        separable: true,
        expected: vec![
            expected("M10", "shape", "three major lines within an hour"),
            expected("M7", "execution", "a hook in each of them"),
        ],
    });
    stage.end(
        "woken-with-program",
        "Three lines of a sleeping package gain a hook and a program within the hour.",
    )
}

/// R26: the registry shows no hook, the tarball has one.
pub fn two_manifests(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let collect = aimed_at(TOKENS, &stage.sink.url());
    stage.hijacked(
        "form-binder",
        &[],
        vec![expected("M7", "execution", "the tarball's manifest has a hook that the registry's has not")],
        9,
        |next| {
            next.file("install.js", collect).tarball_manifest(json!({
                "name": "form-binder", "version": NEXT, "main": "index.js", "license": "MIT",
                "repository": {"type": "git", "url": "https://git.example.invalid/mara/form-binder"},
                "scripts": {"postinstall": "node install.js"},
            }))
        },
    );
    stage.end(
        "R26-two-manifests",
        "What the registry shows of a release is not what is in its tarball.",
    )
}
