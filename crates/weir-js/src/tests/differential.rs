//! Against V8: what Node compiles is read, or reported as not read. A program that runs and of which
//! nothing is known would be the cheapest way around everything else.
//!
//! The snippets are random and the same each time. Behind each stands a line that starts a program;
//! where V8 takes the whole, so has that line to be among the facts.

use std::io::Write;
use std::process::{Command, Stdio};

use weir_model::contents::{CapabilityKind, Surface};

use super::run;

/// Snippets per goal. V8 takes about one of eight.
const SNIPPETS: usize = 24_000;

/// The line behind each snippet.
const MARK: [&str; 2] = [
    "\n;require('child_process').execSync('id');",
    "\n;import { execSync as mark } from 'child_process'; mark('id');",
];

/// Compiles what it is given as Node does, each as a function body or as a module, and answers
/// which ones V8 took.
const JUDGE: &str = "
    const vm = require('vm'), { goal, texts } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    const names = ['exports', 'require', 'module', '__filename', '__dirname'];
    const compile = goal === 'module' ? t => new vm.SourceTextModule(t) : t => vm.compileFunction(t, names);
    const taken = [];
    texts.forEach((text, at) => { try { compile(text); taken.push(at); } catch {} });
    process.stdout.write(JSON.stringify(taken));";

/// Whole pieces of programs, among them the odd ones that parsers disagree on.
const PIECES: &[&str] = &[
    "f()",
    "f() = 1",
    "++f()",
    "f()--",
    "f() += a",
    "if (0) f() = 1",
    "for (f() of a) ;",
    "for (f() in a) ;",
    "let",
    "let\nx",
    "let = 1",
    "var let",
    "let\n[a] = b",
    "yield",
    "yield = a",
    "await",
    "await = 1",
    "async",
    "async\n() => a",
    "async () => { await a }",
    "static",
    "of",
    "for (of of of) ;",
    "for (let of a) ;",
    "for (async of => 1; 0;) ;",
    "var a",
    "var { a, ...b } = f",
    "const [g = 1] = a",
    "a => b",
    "(a, b = a) => ({ a })",
    "function h() {}",
    "function* g() { yield* a }",
    "async function* i() { for await (a of b) ; }",
    "if (a) function j() {}",
    "k: function l() {}",
    "m: n: for (;;) { continue m }",
    "class A {}",
    "class B extends f { #p; static { this.x = 1 } get a() { return #p in this } }",
    "class C { static async *[a]() {} 'constructor'() {} }",
    "new.target",
    "return",
    "throw a",
    "with (a) b",
    "debugger",
    "delete a",
    "void 0",
    "typeof a",
    "a?.b",
    "a?.[b]?.(c)",
    "a ?? b",
    "a ||= b",
    "a ** b",
    "1n",
    "010",
    "08.5",
    "0x1_0",
    ".5",
    "1..a",
    "'\\08'",
    "'\u{2028}'",
    "\"use strict\"",
    "'a\\\nb'",
    "`a${b}c`",
    "a`${b}\\u`",
    "/[/]\\//g.test(a)",
    "a / b / c",
    "/(?<a>b)\\k<a>/v",
    "a\n/b/g",
    "<!-- a",
    "\n--> a",
    "a<!--b",
    "/* a */",
    "/*\n*/-->",
    "// a",
    "\u{feff}a",
    "\\u0061b",
    "a\u{2029}b",
    "ünï",
    "import('a')",
    "import.meta",
    "eval('a')",
    "arguments[0]",
    "arguments = a",
    "undefined = 1",
    "try { a } catch { b } finally { c }",
    "try { a } catch ([b]) {}",
    "switch (a) { case 1: default: }",
    "do a; while (b) c",
    "while (0) a",
    "if (a) b; else c",
    "({ a, 'b': 1, [c]: 2, get d() { return 1 }, async *e() {} })",
    "({ __proto__: a, __proto__: b })",
    "({ a = 1 } = b)",
    "[a, ...b] = c",
    "[f()] = c",
    "{ a }",
    "{}",
    ";",
    ",",
    "=",
    "(",
    ")",
    "!",
    "-",
    "in",
    "instanceof a",
    "?",
    ": b",
    "...a",
    "@a",
    "#p in a",
    "enum",
    "using a = b",
    "export { }",
    "export default a",
    "import a from 'a'",
    "import * as b from 'b'",
    "super.a",
    "this",
    "null",
];

const BETWEEN: &[&str] = &["\n", " ", ";", ";\n", "", "\n\n"];

/// Marsaglia's xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from[usize::try_from(self.0 >> 33).unwrap() % from.len()]
    }
}

fn snippets(seed: u64, mark: &str) -> Vec<String> {
    let mut random = Random(seed);
    let mut made = Vec::with_capacity(SNIPPETS);
    for at in 0..SNIPPETS {
        let mut text = String::new();
        for _ in 0..=at % 4 {
            text.push_str(random.pick(PIECES));
            text.push_str(random.pick(BETWEEN));
        }
        text.push_str(mark);
        made.push(text);
    }
    made
}

/// The texts that V8 takes. Node is a requirement of the tests, so its absence fails them.
fn taken_by_v8(goal: &str, texts: &[String]) -> Vec<usize> {
    let mut node = Command::new("node")
        .args(["--no-warnings", "--experimental-vm-modules", "-e", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("these tests need node");
    let job = serde_json::json!({ "goal": goal, "texts": texts });
    let mut input = node.stdin.take().unwrap();
    input.write_all(job.to_string().as_bytes()).unwrap();
    drop(input);
    let answer = node.wait_with_output().unwrap();
    assert!(answer.status.success(), "node gave up: {}", answer.status);
    serde_json::from_slice(&answer.stdout).unwrap()
}

/// What becomes of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// The line behind it is among the facts.
    Read,
    /// The file is reported as not read.
    Reported,
    /// Neither.
    Silent,
}

fn reading(path: &str, text: &str) -> Reading {
    let facts = run(&[(path, text)], &[], &[(Surface::Import, path)]);
    let is_found = facts.capabilities.iter().any(|capability| {
        capability.kind == CapabilityKind::Process && capability.surface == Surface::Import
    });
    if is_found {
        Reading::Read
    } else if facts.unread.iter().any(|unread| unread.path == path) {
        Reading::Reported
    } else {
        Reading::Silent
    }
}

fn nothing_is_silent(goal: &str, path: &str, seed: u64, mark: &str) {
    let texts = snippets(seed, mark);
    let taken = taken_by_v8(goal, &texts);
    // Fewer, and the test would ask nothing.
    assert!(taken.len() > SNIPPETS / 40, "V8 took {}", taken.len());
    let readings = taken.iter().map(|at| &texts[*at]);
    let readings: Vec<(Reading, &String)> =
        readings.map(|text| (reading(path, text), text)).collect();
    let of = |kind| {
        let of_kind = readings.iter().filter(move |(found, _)| *found == kind);
        of_kind.map(|(_, text)| *text).collect::<Vec<_>>()
    };
    let (reported, missed) = (of(Reading::Reported), of(Reading::Silent));
    assert!(
        missed.is_empty(),
        "{} of {} programs ({goal}) that V8 takes are passed over in silence, such as {:#?}",
        missed.len(),
        taken.len(),
        missed.iter().take(20).collect::<Vec<_>>()
    );
    // Honest, and of little use to whoever installs it.
    assert!(
        reported.len() * 100 <= taken.len(),
        "{} of {} programs ({goal}) that V8 takes cannot be read, such as {:#?}",
        reported.len(),
        taken.len(),
        reported.iter().take(20).collect::<Vec<_>>()
    );
}

#[test]
fn no_script_that_v8_takes_is_passed_over_in_silence() {
    nothing_is_silent("script", "index.js", 0x5eed_0001, MARK[0]);
}

#[test]
fn no_module_that_v8_takes_is_passed_over_in_silence() {
    nothing_is_silent("module", "index.mjs", 0x5eed_0002, MARK[1]);
}
