use proptest::prelude::*;
use weir_model::contents::HiddenKind;

use super::*;

#[test]
fn files_are_described_strongest_surface_first() {
    let files = [
        TextFile {
            path: "a.js",
            bytes: b"short\nlongest line\nx",
        },
        TextFile {
            path: "setup.js",
            bytes: b"eval(function(p,a,c,k,e,d){}('',0,0,'a|b'.split('|')))",
        },
        TextFile {
            path: "notes.gyp",
            bytes: b"eval(function(p,a,c,k,e,d){}('',0,0,'a|b'.split('|')))",
        },
    ];
    let surfaces = BTreeMap::from([
        ("setup.js".to_owned(), Surface::Install),
        ("notes.gyp".to_owned(), Surface::Import),
    ]);
    let facts = look(
        &files,
        &surfaces,
        &Limits {
            files: 2,
            ..Limits::default()
        },
    );
    let paths: Vec<&str> = facts.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["setup.js", "notes.gyp"]);
    assert_eq!((facts.files_left_out, facts.left_out.len()), (1, 1));
    assert_eq!(
        facts.obfuscated.len(),
        1,
        "only what is a script by its name"
    );
    assert_eq!(facts.obfuscated[0].surface, Surface::Install);
    let facts = look(&files, &BTreeMap::new(), &Limits::default());
    let first = &facts.files[0];
    assert_eq!(
        (first.path.as_str(), first.longest_line, first.bytes),
        ("a.js", 12, 20)
    );
    assert_eq!(first.digest, digest_of(b"short\nlongest line\nx"));
    assert_eq!(first.digest.len(), 32);
}

#[test]
fn places_show_what_is_hidden() {
    let text = format!(
        "a();\nmodule.exports = a;{}global['r']=require;run('x');\n",
        " ".repeat(500)
    );
    let selectors = format!("decode('{}')", "\u{e0100}".repeat(20));
    let files = [
        TextFile {
            path: "a.js",
            bytes: text.as_bytes(),
        },
        TextFile {
            path: "b.js",
            bytes: selectors.as_bytes(),
        },
    ];
    let facts = look(&files, &BTreeMap::new(), &Limits::default());
    let [white, run] = &facts.hidden[..] else {
        panic!("{:?}", facts.hidden);
    };
    assert_eq!((white.kind, white.place.line), (HiddenKind::OffScreen, 2));
    assert!(
        white
            .place
            .snippet
            .contains("module.exports = a;[500 of white space]global['r']=require;"),
        "{}",
        white.place.snippet
    );
    assert!(
        run.place.snippet.starts_with("decode('\\u{e0100}"),
        "{}",
        run.place.snippet
    );
}

proptest! {
    #[test]
    fn the_longest_line_is_that_of_the_definition(lines in prop::collection::vec(0..60_usize, 0..40)) {
        let lines: Vec<String> = lines.iter().map(|length| "x".repeat(*length)).collect();
        let longest = lines.iter().map(String::len).max().unwrap_or(0);
        prop_assert_eq!(longest_line(lines.join("\n").as_bytes()), longest);
    }
}

const PIECES: [&str; 24] = [
    "eval(",
    "Function('",
    "atob('",
    "\\x61",
    "\\u0061",
    "_0x12ab",
    "parseInt(a(1))/2",
    "push(shift())",
    "'3|1|2'.split('|')",
    "switch",
    "while",
    "['a','b',",
    "'a'+'b'",
    "[]+!",
    "\u{202e}",
    "\u{200b}",
    "\u{e0100}",
    "\u{3000}",
    "          ",
    "\t\t\t\t",
    "\n",
    "=function(){return ",
    "/*",
    "\u{ff9f}ω\u{ff9f}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
        fuzz::files(&bytes);
    }

    #[test]
    fn soups_of_marks(pieces in prop::collection::vec((0..PIECES.len(), 1..60_usize), 0..40)) {
        let text: String = pieces.iter().map(|(piece, times)| PIECES[*piece].repeat(*times)).collect();
        fuzz::files(text.as_bytes());
    }
}
