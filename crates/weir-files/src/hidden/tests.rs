use proptest::prelude::*;
use weir_model::contents::HiddenKind::*;

use super::*;

fn kinds(text: &str) -> Vec<HiddenKind> {
    scan(text.as_bytes())
        .iter()
        .map(|hidden| hidden.kind)
        .collect()
}

const PAYLOAD: &str = "global['r']=require;run('x');";

#[test]
fn code_behind_white_space_is_found() {
    for (text, columns) in [
        (
            format!("module.exports = a;{}{PAYLOAD}\n", " ".repeat(900)),
            900,
        ),
        (
            format!("module.exports = a;{}{PAYLOAD}\n", " ".repeat(400)),
            400,
        ),
        (format!("{}{PAYLOAD}\n", " ".repeat(500)), 500),
        (format!("foo();{}{PAYLOAD}", "\t".repeat(60)), 480),
        (format!("foo();{}{PAYLOAD}", "\u{3000}".repeat(420)), 420),
        (format!("foo();{}{PAYLOAD}", "\u{a0}".repeat(420)), 420),
        // Too little for any screen, and alone in its file.
        (
            format!("a();\nfoo();{}{PAYLOAD}\nb();\n", " ".repeat(160)),
            160,
        ),
    ] {
        let found = scan(text.as_bytes());
        assert_eq!(found.len(), 1, "{columns}");
        assert_eq!((found[0].kind, found[0].length), (OffScreen, columns));
        assert!(
            text.get(found[0].end..).unwrap().starts_with("global"),
            "{columns}"
        );
    }
}

#[test]
fn white_space_without_code_or_in_the_files_own_style_is_not() {
    let aligned: String = (0..40)
        .map(|row| format!("call{row}();{}other({row}, 'value');\n", " ".repeat(150)))
        .collect();
    for text in [
        format!("module.exports = a;{}\n", " ".repeat(900)),
        format!(
            "module.exports = a;{}// a comment far to the right = (\n",
            " ".repeat(900)
        ),
        format!("const pad = '{}'; use(pad, 'x');\n", " ".repeat(900)),
        format!("const table = [1,{}2];\n", " ".repeat(380)),
        format!("x = 'a'{}'b';", " ".repeat(399)),
        format!("{}deep(call, 'x');\n", " ".repeat(300)),
        aligned,
        " ".repeat(100_000),
        "\n".repeat(100_000),
        String::new(),
    ] {
        assert_eq!(kinds(&text), [], "{:?}", text.get(..60));
    }
}

#[test]
fn runs_without_width_are_found_and_emoji_are_not() {
    let selectors: String = (0..64_u32)
        .map(|byte| char::from_u32(0xe0100 + byte).unwrap())
        .collect();
    let tags: String = "payload of tags.."
        .chars()
        .map(|c| char::from_u32(0xe0000 + u32::from(c)).unwrap())
        .collect();
    let bits: String = (0..32)
        .map(|bit| if bit % 3 == 0 { '\u{200b}' } else { '\u{200c}' })
        .collect();
    let fillers = "\u{3164}\u{ffa0}".repeat(10);
    for (text, kind) in [
        (format!("decode('{selectors}')"), VariationSelectors),
        (
            format!("decode(`a{}`)", "\u{fe01}".repeat(16)),
            VariationSelectors,
        ),
        (format!("// {tags}\n"), VariationSelectors),
        (format!("x = '{bits}'"), Invisible),
        (format!("x = {{ {fillers}: 1 }}"), Invisible),
    ] {
        assert_eq!(kinds(&text), [kind], "{text:?}");
    }
    for text in [
        // A family, a flag of a region (six tags), a heart, keycaps.
        "'👨\u{200d}👩\u{200d}👧\u{200d}👦 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} ❤\u{fe0f} 1\u{fe0f}\u{20e3}'".repeat(40),
        "می\u{200c}خواهم می\u{200c}روم نمی\u{200c}دانم ".repeat(40),
        "so\u{ad}ft hy\u{ad}phens".repeat(40),
        "'\u{200b}'".repeat(200),
        format!("x = '{}'", "\u{200b}".repeat(15)),
        "\u{feff}module.exports = 1;".to_owned(),
    ] {
        assert_eq!(kinds(&text), [], "{text:?}");
    }
}

#[test]
fn lines_that_read_in_another_order_are_found_and_data_is_not() {
    for text in [
        // After the examples of the Trojan Source paper, with our own words.
        "/*\u{202e} } \u{2066}if (isAdmin)\u{2069} \u{2066} admins only */",
        "if (level != 'user\u{202e} \u{2066}// check it\u{2069} \u{2066}') {",
        "const shown = `\u{202e}${level} != 'user'`; // check it",
        "const shown = '\u{202e}${level}'; if (check) {",
        "a(); // \u{202b}comment\nb();",
    ] {
        assert_eq!(kinds(text), [Bidi], "{text:?}");
    }
    for text in [
        "const pattern = /[\u{202a}-\u{202e}\u{2066}-\u{2069}]/g;",
        "exports.turned = (text) => `\u{202e}${text}`;",
        "const controls = ['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}'];",
        "const name = '\u{2068}' + user + '\u{2069}';",
        "say('\u{202b}שלום\u{202c}');",
        "say('\u{2067}hello\u{2069} and \u{2067}again\u{2069}');",
        "const marks = '\u{200e}\u{200f}';",
        "“quoted” — text… with dashes – and ‘quotes’",
    ] {
        assert_eq!(kinds(text), [], "{text:?}");
    }
}

#[test]
fn the_order_deceives_nobody_on_a_line_that_nobody_reads() {
    let words = |count: usize| {
        format!(
            "const words = unpack('{}\u{202b}the');",
            "Aword".repeat(count)
        )
    };
    assert_eq!(kinds(&words(50)), [Bidi]);
    assert_eq!(kinds(&words(400)), []);
    let after = format!("{}\n{}", words(400), words(50));
    assert_eq!(kinds(&after), [Bidi]);
    let before = format!("{}\r{}", words(50), words(400));
    assert_eq!(kinds(&before), [Bidi]);
}

#[test]
fn nothing_is_quadratic() {
    // Each would take minutes if every probe walked over all of it.
    for text in [
        " ".repeat(8 << 20),
        "\u{3000}".repeat(2 << 20),
        "\u{202e}a".repeat(2 << 20),
        "\u{200b}".repeat(2 << 20),
        format!("{} x", " ".repeat(63)).repeat(100_000),
    ] {
        assert!(scan(text.as_bytes()).len() <= REPORTED);
    }
}

#[test]
fn short_runs_that_carry_something_together_are_found() {
    let run = |letter: char| format!("{letter}{}", "\u{e0156}".repeat(12));
    let lines: String = ('a'..='e')
        .map(|letter| format!("'{}', ", run(letter)))
        .collect();
    assert_eq!(
        kinds(&format!("const x = [{lines}];")),
        [VariationSelectors]
    );
    // Two of them are a slip, and behind an ideograph they choose a glyph.
    assert_eq!(
        kinds(&format!("const x = ['{}', '{}'];", run('a'), run('b'))),
        []
    );
    let glyphs = "\u{8fba}\u{e0101}".repeat(100);
    assert_eq!(kinds(&format!("const x = '{glyphs}';")), []);
}

#[test]
fn names_without_a_shape_are_found_and_texts_of_them_are_not() {
    let filler = '\u{3164}';
    let code =
        format!("const {{ timeout, {filler} }} = query; for (const c of ['a', {filler}]) run(c);");
    let found = scan(code.as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind, found[0].length), (Invisible, 1));
    // A minifier gives it another name, and leaves it once.
    for packed in [
        format!("const{{timeout:o,{filler}:r}}=t;for(const t of[o,r])e(t)"),
        format!("const {{ {filler} : r }} = t"),
    ] {
        assert_eq!(kinds(&packed), [Invisible], "{packed}");
    }
    for text in [
        format!("const blank = '{filler}'; say('{filler}'); say(\"{filler}\");"),
        format!("say('a {filler} b {filler} c')"),
        format!("const {{ {filler} }} = one;"),
        format!("const widths={{a:1,{filler}:2}}"),
        format!("const names={{a:'A',{filler}:'filler'}}"),
        format!("const x = a ? {filler}:r"),
    ] {
        assert_eq!(kinds(&text), [], "{text}");
    }
}

const SPACES: &[&str] = &[
    " ", "  ", "\t", "\u{b}", "\u{c}", "\u{a0}", "\u{3000}", "\u{2003}", "\n", "\r\n", "x",
    "\u{e9}", "\0", "        ", "\t\t\t\t",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_long_run_is_ruled_out(pieces in prop::collection::vec((0..SPACES.len(), 1..12_usize), 0..40)) {
        let text: String = pieces.iter().map(|(piece, times)| SPACES[*piece].repeat(*times)).collect();
        let text = text.as_bytes();
        for at in 0..text.len() {
            let is_long = run_around(text, at).is_some_and(|run| run.columns >= PROBE);
            prop_assert!(!is_long || may_be_long(text, at), "{at} in {text:?}");
        }
    }
}

/// Tables of emoji in minified code: the character is an escape, its selector is not.
#[test]
fn emoji_written_as_escapes_carry_nothing() {
    let emoji: String = (0..200)
        .map(|index| format!("\"\\uD83C\\uDC{:02X}\u{fe0f}\",\n", index % 256))
        .collect();
    assert_eq!(kinds(&format!("const all = [{emoji}];")), []);
    // Near miss: another selector behind each of them is a byte.
    let bytes: String = (0..200)
        .map(|index| {
            let selector = char::from_u32(0xfe00 + index % 15).unwrap();
            format!("\"\\uD83C\\uDC04{selector}\",\n")
        })
        .collect();
    assert_eq!(
        kinds(&format!("const all = [{bytes}];")),
        [VariationSelectors]
    );
}

/// Packed tables of parsers hold runs of spaces between control characters.
#[test]
fn a_table_of_characters_is_no_code_behind_white_space() {
    let row = |cell: &str| format!("{}{}", " ".repeat(900), cell.repeat(20));
    let table = format!("const t = '{}=(index)';\n", row("\u{2} "));
    assert_eq!(kinds(&table), []);
    // Near miss: one such character does not make a table.
    let code = format!("foo('{}\u{2}');{PAYLOAD}\n", " ".repeat(900));
    assert_eq!(kinds(&code), [OffScreen]);
}
