use proptest::prelude::*;

use super::*;
use crate::obfuscation::Mark;

/// For each criterion, texts in which one of its words counts.
const EXAMPLES: &[(&str, Wanted)] = &[
    ("eval(function(p,a,c,k,e,d)", Wanted::Packer),
    ("function (p, a, c, k, e, d)", Wanted::Packer),
    ("ﾟωﾟﾉ", Wanted::Faces),
    ("parseInt(f(419))/1", Wanted::ShuffledArray),
    ("'3|1|2'.split('|');while(1){switch(a)", Wanted::Flattened),
    ("_0x12ab", Wanted::HexadecimalNames),
    (ALPHABET, Wanted::ForeignBase64),
    (
        "['a'];b=function(){return c};return b()",
        Wanted::SelfReplacingArray,
    ),
    (
        "eval(atob('YWJjZGVmZ2hpamtsbW5vcHFyc3R1')",
        Wanted::DecodedInPlace,
    ),
    (
        "Function(atob('YWJjZGVmZ2hpamtsbW5vcHFyc3R1')",
        Wanted::DecodedInPlace,
    ),
    ("'ch'+'ild'", Wanted::SplitWords),
    ("\"ch\"+\"ild\"", Wanted::SplitWords),
    ("'ch' + 'ild'", Wanted::SplitWords),
    ("\"ch\" + \"ild\"", Wanted::SplitWords),
    ("f(0x1)", Wanted::HexadecimalNumbers),
    ("f[0x1f]", Wanted::HexadecimalNumbers),
    ("{a:0x1ff}", Wanted::HexadecimalNumbers),
    ("a=0x2;", Wanted::HexadecimalNumbers),
    ("atob('aGk=')", Wanted::Members),
    ("Buffer.from(\"6869\", 'hex')", Wanted::Members),
    ("String.fromCharCode(104)", Wanted::Members),
    ("'cexe'.split('').reverse().join('')", Wanted::Members),
    ("['a', 'b'].join('')", Wanted::Members),
    ("[\"a\", \"b\"].join(\"\")", Wanted::Members),
    ("'\\x65\\x6e'", Wanted::Members),
    ("\"\\x75\\x6e\"", Wanted::Members),
];

#[test]
fn every_word_has_an_example_and_is_found_behind_every_other() {
    for needle in NEEDLES {
        assert!(needle.word.contains(needle.rare), "{}", needle.word);
        let has_example = EXAMPLES
            .iter()
            .any(|(example, wanted)| *wanted == needle.wanted && example.contains(needle.word));
        assert!(has_example, "{}", needle.word);
    }
    for (example, wanted) in EXAMPLES {
        assert!(Needles::of(example.as_bytes()).has(*wanted), "{example}");
        for before in NEEDLES {
            let text = format!("{}{example}", before.rare);
            // What a literal has before it takes part in some.
            let separate = format!("{};{example}", before.rare);
            assert!(
                Needles::of(text.as_bytes()).has(*wanted)
                    || Needles::of(separate.as_bytes()).has(*wanted),
                "{text}"
            );
        }
    }
    // One that begins within another.
    assert!(Needles::of(b"Function(0x1)").has(Wanted::HexadecimalNumbers));
    assert!(Needles::of(b"'a'+'+'+'ild'+'pro'").has(Wanted::SplitWords));
}

#[test]
fn plain_code_and_words_that_do_not_count_are_nothing() {
    for text in [
        "export const a = (b) => b.c + 'd';",
        "const [key, value] = line.split('='); parseInt(value, 10); list.join(', ')",
        "isFunction(a); eval(code); atob(token); Buffer.from(body); String.fromCharCode(code)",
        "table = [ 0x00, 0x77 ]; _0x; mask & 0xffff0000; f(0x12345); '\\x1b[0m'",
        "message = 'a text of words, ' + 'and more of them'; a=function(){return b}",
    ] {
        assert_eq!(Needles::of(text.as_bytes()), Needles::default(), "{text}");
    }
}

/// A criterion, by itself.
type Criterion = fn(&[u8]) -> Option<Mark>;

const CRITERIA: &[(Wanted, Criterion)] = &[
    (Wanted::Packer, marks::packer),
    (Wanted::Faces, marks::faces),
    (Wanted::ShuffledArray, marks::shuffled_array),
    (Wanted::Flattened, marks::flattened),
    (Wanted::HexadecimalNames, marks::hexadecimal_names),
    (Wanted::ForeignBase64, marks::foreign_base64),
    (Wanted::SelfReplacingArray, marks::self_replacing_array),
    (Wanted::DecodedInPlace, marks::decoded_in_place),
    (Wanted::SplitWords, words::split_words),
    (Wanted::HexadecimalNumbers, words::hexadecimal_numbers),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_criterion_is_met_without_its_needle(
        pieces in prop::collection::vec((0..EXAMPLES.len(), 0..80_usize, 0..80_usize, 1..20_usize), 1..12)
    ) {
        let mut text = Vec::new();
        for (example, from, to, times) in pieces {
            let bytes = EXAMPLES[example].0.as_bytes();
            let piece = bytes.get(from.min(to)..from.max(to).min(bytes.len())).unwrap_or(bytes);
            text.extend(piece.repeat(times));
        }
        let needles = Needles::of(&text);
        for (wanted, criterion) in CRITERIA {
            prop_assert!(needles.has(*wanted) || criterion(&text).is_none(), "{wanted:?}");
        }
        prop_assert!(needles.has(Wanted::Members) || members::marks(&text) == [None, None]);
    }
}
