//! What damages or attacks make of a lockfile, once for every format.

use super::super::{MAX_SIZE, read as read_bytes};
use super::{Format, Lockfile, Problem};

/// A small sound lockfile of each format, with a package `a` that depends on `b`, and `b` on `a`.
const SOUND: [(Format, &str); 5] = [
    (
        Format::Npm,
        "{\"lockfileVersion\": 3, \"packages\": {\"\": {\"dependencies\": {\"a\": \"1\"}},\n\
         \"node_modules/a\": {\"version\": \"1.0.0\", \"dependencies\": {\"b\": \"1\"}},\n\
         \"node_modules/b\": {\"version\": \"1.0.0\", \"dependencies\": {\"a\": \"1\", \"b\": \"1\"}}}}\n",
    ),
    (
        Format::YarnClassic,
        "a@1:\n  version \"1.0.0\"\n  dependencies:\n    b \"1\"\n\nb@1:\n  version \"1.0.0\"\n  dependencies:\n    a \"1\"\n    b \"1\"\n",
    ),
    (
        Format::YarnBerry,
        "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    a: \"npm:1\"\n\n\
         \"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: \"npm:1\"\n\n\
         \"b@npm:1\":\n  version: 1.0.0\n  resolution: \"b@npm:1.0.0\"\n  dependencies:\n    a: \"npm:1\"\n    b: \"npm:1\"\n",
    ),
    (
        Format::Pnpm,
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: '1'\n        version: 1.0.0\npackages:\n  \
         a@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n  b@1.0.0:\n    resolution: {integrity: sha512-AAAA}\nsnapshots:\n  \
         a@1.0.0:\n    dependencies:\n      b: 1.0.0\n  b@1.0.0:\n    dependencies:\n      a: 1.0.0\n      b: 1.0.0\n",
    ),
    (
        Format::Bun,
        "{\"lockfileVersion\": 1, \"workspaces\": {\"\": {\"dependencies\": {\"a\": \"1\"}}}, \"packages\": {\n\
         \"a\": [\"a@1.0.0\", \"\", {\"dependencies\": {\"b\": \"1\"}}, \"sha512-AAAA\"],\n\
         \"b\": [\"b@1.0.0\", \"\", {\"dependencies\": {\"a\": \"1\", \"b\": \"1\"}}, \"sha512-AAAA\"],\n}}\n",
    ),
];

fn sound(format: Format) -> &'static str {
    SOUND.iter().find(|(it, _)| *it == format).unwrap().1
}

const YAML: [Format; 2] = [Format::YarnBerry, Format::Pnpm];

#[test]
fn circles_end() {
    for (format, text) in SOUND {
        let lockfile =
            read_bytes(format, text.as_bytes()).unwrap_or_else(|e| panic!("{format:?}: {e}"));
        let id = |name: &str| {
            lockfile
                .nodes
                .iter()
                .position(|node| node.name == name)
                .unwrap()
        };
        let paths = lockfile.paths();
        let [a, b] = ["a", "b"].map(|name| paths.to(id(name)).len());
        // yarn 1's file does not hold the project, so nothing leads to anything yet.
        let wanted = if format == Format::YarnClassic {
            [0, 0]
        } else {
            [1, 2]
        };
        assert_eq!([a, b], wanted, "{format:?}");
    }
}

/// Cut off at any place, a file is an error or holds less; the whole formats are errors throughout.
#[test]
fn a_file_that_was_cut_off_is_no_whole_one() {
    for (format, text) in SOUND {
        let whole = read_bytes(format, text.as_bytes()).unwrap();
        let mut errors = 0;
        for end in 0..text.trim_end().len() {
            match read_bytes(format, &text.as_bytes()[..end]) {
                Err(error) => {
                    assert!(error.line > 0, "{format:?} {end}: {error}");
                    errors += 1;
                }
                // Formats without a closing bracket can end early without looking broken: then what is
                // missing is missing, which the rules about packages that are needed see.
                Ok(part) => {
                    assert!(
                        matches!(
                            format,
                            Format::YarnClassic | Format::YarnBerry | Format::Pnpm
                        ),
                        "{format:?} {end}"
                    );
                    assert!(
                        part != whole || end + 2 > text.trim_end().len(),
                        "{format:?} {end}"
                    );
                }
            }
        }
        assert!(errors > 0, "{format:?}");
    }
}

#[test]
fn marks_of_a_merge_are_refused_at_their_line() {
    for (format, text) in SOUND {
        for (at, _) in text
            .match_indices('\n')
            .filter(|(at, _)| at + 1 < text.len())
        {
            let (before, after) = text.split_at(at + 1);
            let merged = format!("{before}<<<<<<< HEAD\n=======\n>>>>>>> theirs\n{after}");
            let error = read_bytes(format, merged.as_bytes()).unwrap_err();
            let line = u32::try_from(before.lines().count()).unwrap() + 1;
            assert_eq!(
                (error.problem, error.line),
                (Problem::MergeConflict, line),
                "{format:?}"
            );
        }
    }
}

#[test]
fn a_key_twice_is_refused() {
    for (format, text) in SOUND {
        // The entry of b takes the place of a's, or a's name.
        let twice = match format {
            Format::Npm => text.replacen("node_modules/b", "node_modules/a", 1),
            Format::YarnClassic => text.replacen("b@1:", "a@1:", 1),
            Format::YarnBerry => text.replacen("\"b@npm:1\":", "\"a@npm:1\":", 1),
            Format::Pnpm => text.replacen(
                "  b@1.0.0:\n    resolution",
                "  a@1.0.0:\n    resolution",
                1,
            ),
            Format::Bun => text.replacen("\n\"b\": [", "\n\"a\": [", 1),
        };
        assert_ne!(twice, text);
        let error = read_bytes(format, twice.as_bytes()).unwrap_err();
        assert_eq!(error.problem, Problem::DuplicateKey, "{format:?}");
        assert!(error.line > 1 && error.key.is_some(), "{format:?}: {error}");
    }
}

#[test]
fn a_hundred_megabytes_are_refused_before_they_are_read() {
    let large = vec![b'a'; 100 << 20];
    for (format, _) in SOUND {
        let error = read_bytes(format, &large).unwrap_err();
        assert_eq!(error.problem, Problem::TooLarge, "{format:?}");
    }
    // The largest file that is read is read, whatever it holds.
    let most = vec![b' '; MAX_SIZE];
    assert!(read_bytes(Format::YarnClassic, &most).is_ok());
    assert!(read_bytes(Format::Npm, &most).is_err());
}

#[test]
fn deep_nesting_is_refused() {
    for format in [Format::Npm, Format::Bun] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!(
                "{{\"x\": {}1{}}}",
                open.repeat(100_000),
                close.repeat(100_000)
            );
            assert!(read_bytes(format, deep.as_bytes()).is_err(), "{format:?}");
        }
    }
    for format in YAML {
        let text = sound(format);
        let brackets = format!("{text}x: {}1{}\n", "[".repeat(100_000), "]".repeat(100_000));
        assert!(
            read_bytes(format, brackets.as_bytes()).is_err(),
            "{format:?}"
        );
        let indented: String = (0..2_000)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        assert!(
            read_bytes(format, format!("{text}{indented}").as_bytes()).is_err(),
            "{format:?}"
        );
    }
    let classic = format!(
        "{}{}x \"1\"\n",
        sound(Format::YarnClassic),
        " ".repeat(100_000)
    );
    assert!(read_bytes(Format::YarnClassic, classic.as_bytes()).is_err());
    // npm's version 1 nests by itself.
    let nested = "\"dependencies\": {\"a\": {\"version\": \"1.0.0\", ".repeat(2_000);
    let text = format!(
        "{{\"lockfileVersion\": 1, {nested}\"x\": 1{}}}",
        "}}".repeat(2_000)
    );
    assert!(read_bytes(Format::Npm, text.as_bytes()).is_err());
}

#[test]
fn anchors_aliases_tags_and_bombs_are_refused() {
    for format in YAML {
        let text = sound(format);
        let lines = u32::try_from(text.lines().count()).unwrap();
        let mut bomb = "bomb0: &x0 [x, x]\n".to_owned();
        for level in 1..60 {
            bomb.push_str(&format!(
                "bomb{level}: &x{level} [*x{0}, *x{0}]\n",
                level - 1
            ));
        }
        for bad in [
            &bomb,
            "x: &a 1\n",
            "x: *a\n",
            "x: !!set {}\n",
            "<<: *a\n",
            "x: !<tag:x> 1\n",
        ] {
            let error = read_bytes(format, format!("{text}{bad}").as_bytes()).unwrap_err();
            let known = matches!(error.problem, Problem::Alias | Problem::Syntax(_));
            assert!(
                known && error.line == lines + 1,
                "{format:?}: {bad:.20}: {error}"
            );
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_at_their_line() {
    for (format, text) in SOUND {
        let mut bytes = text.as_bytes().to_vec();
        let at = text.find('\n').unwrap() + 1;
        bytes.insert(at, 0xff);
        let error = read_bytes(format, &bytes).unwrap_err();
        assert_eq!(
            (error.problem, error.line),
            (Problem::NotUtf8, 2),
            "{format:?}"
        );
        // UTF-16 is no UTF-8 either; a mark of byte order of UTF-8 is fine.
        let wide: Vec<u8> = std::iter::once(0xfeff)
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(read_bytes(format, &wide).is_err(), "{format:?}");
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let plain: Lockfile = read_bytes(format, text.as_bytes()).unwrap();
        assert_eq!(read_bytes(format, &marked).unwrap(), plain, "{format:?}");
        for junk in [
            &b"\0\0\0\0"[..],
            b"PK\x03\x04",
            b"<!DOCTYPE html>\n<html></html>\n",
        ] {
            assert!(read_bytes(format, junk).is_err(), "{format:?} {junk:?}");
        }
    }
}
