use super::*;
use crate::contents::{HostClass, Place};

fn place(path: &str) -> Place {
    Place {
        path: path.to_owned(),
        line: 1,
        snippet: String::new(),
    }
}

fn capability(kind: CapabilityKind, surface: Surface) -> Capability {
    Capability::at(kind, "call".to_owned(), place("index.js"), surface, false)
}

fn able(list: &[(CapabilityKind, Surface)]) -> Contents {
    Contents {
        capabilities: list
            .iter()
            .map(|(kind, on)| capability(*kind, *on))
            .collect(),
        ..Contents::default()
    }
}

fn file(path: &str, digest: &str, surface: Option<Surface>) -> FileDigest {
    FileDigest {
        path: path.to_owned(),
        bytes: 10,
        digest: digest.to_owned(),
        surface,
        longest_line: 10,
    }
}

#[test]
fn contents_do_not_differ_from_themselves() {
    let mut contents = able(&[(CapabilityKind::Network, Surface::Install)]);
    contents.files = vec![file("a.js", "1", None), file("b.js", "1", None)];
    contents.manifest =
        Some(Manifest::from_json(r#"{"name":"a","dependencies":{"b":"1"}}"#).unwrap());
    assert!(Difference::between(&contents, &contents).is_empty());
}

#[test]
fn an_ability_is_new_unless_an_earlier_one_covers_it() {
    use CapabilityKind::{Network, Process};
    use Surface::{Command, Import, Install, Unreferenced, Worker};
    let cases: &[(&[_], _, bool)] = &[
        (&[], (Network, Import), true),
        (&[(Network, Import)], (Network, Import), false),
        (&[(Process, Import)], (Network, Import), true),
        // Another moment is another matter.
        (&[(Network, Import)], (Network, Install), true),
        (&[(Network, Install)], (Network, Import), true),
        (&[(Network, Command)], (Network, Import), true),
        (&[(Network, Import)], (Network, Worker), false),
        // Shipped in one release, switched on in the next.
        (&[(Network, Unreferenced)], (Network, Import), true),
        (&[(Network, Command)], (Network, Unreferenced), false),
    ];
    for (before, after, new) in cases {
        let (before, after) = (able(before), able(&[*after]));
        let difference = Difference::between(&before, &after);
        assert_eq!(
            !difference.capabilities.added.is_empty(),
            *new,
            "{difference:#?}"
        );
    }
    let before = able(&[(Network, Unreferenced)]);
    let after = able(&[]);
    assert!(!Difference::between(&before, &after).had(Network));
}

#[test]
fn files_come_go_change_and_move() {
    let before = Contents {
        files: vec![
            file("same.js", "1", None),
            file("changed.js", "2", None),
            file("chunk-a1.js", "3", Some(Surface::Import)),
            file("gone.js", "4", None),
            file("sleeper.js", "5", None),
        ],
        ..Contents::default()
    };
    let after = Contents {
        files: vec![
            file("same.js", "1", None),
            file("changed.js", "20", None),
            file("chunk-b2.js", "3", Some(Surface::Import)),
            file("copy-of-same.js", "1", None),
            file("new.js", "6", Some(Surface::Install)),
            file("sleeper.js", "5", Some(Surface::Install)),
        ],
        ..Contents::default()
    };
    let difference = Difference::between(&before, &after);
    let paths = |files: &[&FileDigest]| -> Vec<String> {
        files.iter().map(|file| file.path.clone()).collect()
    };
    assert_eq!(paths(&difference.files.added), ["new.js"]);
    assert_eq!(paths(&difference.files.removed), ["gone.js"]);
    assert_eq!(difference.files.changed[0].1.path, "changed.js");
    assert_eq!(difference.files.moved[0].1.path, "chunk-b2.js");
    assert_eq!(difference.files.reached[0].1.path, "sleeper.js");
    assert!(!difference.is_empty());
}

#[test]
fn dependencies_are_compared_by_field_and_range() {
    let of = |json| Contents {
        manifest: Some(Manifest::from_json(json).unwrap()),
        ..Contents::default()
    };
    let before = of(r#"{"dependencies":{"a":"^1","b":"1","c":"1"}}"#);
    let after =
        of(r#"{"dependencies":{"a":"^1","b":"2"},"optionalDependencies":{"c":"1","d":"1"}}"#);
    let shown: Vec<String> = Difference::between(&before, &after)
        .dependencies
        .iter()
        .map(|it| format!("{} {} {:?} {:?}", it.field, it.name, it.before, it.after))
        .collect();
    assert_eq!(
        shown,
        [
            r#"dependencies b Some("1") Some("2")"#,
            r#"dependencies c Some("1") None"#,
            r#"optionalDependencies c None Some("1")"#,
            r#"optionalDependencies d None Some("1")"#,
        ]
    );
}

#[test]
fn hosts_are_compared_by_name_whatever_the_line() {
    let host = |name: &str, path: &str| Host {
        host: name.to_owned(),
        class: HostClass::Other,
        place: place(path),
        surface: Surface::Import,
    };
    let before = Contents {
        hosts: vec![host("a.example", "x.js")],
        ..Contents::default()
    };
    let after = Contents {
        hosts: vec![host("a.example", "y.js"), host("b.example", "y.js")],
        ..Contents::default()
    };
    let difference = Difference::between(&before, &after);
    assert_eq!(difference.hosts.added.len(), 1);
    assert_eq!(difference.hosts.added[0].host, "b.example");
    assert!(difference.hosts.removed.is_empty());
}
