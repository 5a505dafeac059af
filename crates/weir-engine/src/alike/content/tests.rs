use weir_model::contents::{InstallStep, Place, SinkKind, SourceKind, Step};

use super::*;

fn file(path: &str, digest: &str, surface: Option<Surface>) -> FileDigest {
    FileDigest {
        path: path.to_owned(),
        bytes: 2_000,
        digest: digest.to_owned(),
        surface,
        longest_line: 80,
    }
}

fn place(path: &str) -> Place {
    Place {
        path: path.to_owned(),
        line: 1,
        snippet: String::new(),
    }
}

/// A flow through these files: the first reads, the last sends.
fn flow(surface: Surface, through: &[&str]) -> Flow {
    let steps = through.iter().map(|path| Step {
        place: place(path),
        folded: None,
    });
    Flow {
        source: SourceKind::Environment,
        source_detail: "process.env".to_owned(),
        source_place: place(through[0]),
        steps: steps.collect(),
        sink: SinkKind::Http,
        sink_detail: String::new(),
        sink_place: place(through[through.len() - 1]),
        surface,
        gates: Vec::new(),
        at_load: false,
    }
}

/// Files that are run at install time, with digests by their names.
fn package(files: &[&str], flows: Vec<Flow>) -> Contents {
    Contents {
        files: files
            .iter()
            .map(|path| file(path, &format!("of {path}"), Some(Surface::Install)))
            .collect(),
        install_steps: vec![InstallStep {
            event: "postinstall".to_owned(),
            command: "node setup.js".to_owned(),
            reaches: Vec::new(),
        }],
        flows,
        ..Contents::default()
    }
}

fn digests_of(content: &[BadContent]) -> Vec<&str> {
    let kinds = content
        .iter()
        .map(|bad| kind_of_digest(&bad.digest).0)
        .zip(content);
    kinds
        .map(|(kind, bad)| if kind.is_empty() { &bad.digest } else { kind })
        .collect()
}

#[test]
fn a_file_is_learned_that_reads_and_sends_and_no_file_that_it_only_uses() {
    use Surface::{Import, Install};
    for (says, flows, learns) in [
        (
            "both in one file",
            vec![flow(Install, &["setup.js"])],
            &["of setup.js", WHOLE][..],
        ),
        (
            "the library reads, the package's own file sends",
            vec![flow(Install, &["lib/main.js", "setup.js"])],
            &[PARTS, WHOLE],
        ),
        (
            "the own file reads, and the library sends",
            vec![flow(Install, &["setup.js", "lib/main.js"])],
            &[PARTS, WHOLE],
        ),
        (
            "in a library's two files, called by the own one",
            vec![flow(Install, &["lib/main.js", "setup.js", "lib/send.js"])],
            &[PARTS, WHOLE],
        ),
        (
            "when it is imported: may be what the library is for",
            vec![flow(Import, &["lib/main.js"])],
            &[WHOLE],
        ),
        (
            "both, in either order",
            vec![flow(Import, &["setup.js"]), flow(Install, &["setup.js"])],
            &["of setup.js", WHOLE],
        ),
        (
            "on its way out through the command line, which is in no file",
            vec![flow(Install, &["lib/main.js", "package.json"])],
            &[WHOLE],
        ),
        ("a hook that runs a library's file", Vec::new(), &[WHOLE]),
    ] {
        let contents = package(&["setup.js", "lib/main.js", "lib/send.js"], flows);
        let content = learned(&contents);
        assert_eq!(digests_of(&content), learns, "{says}");
    }
}

#[test]
fn files_that_only_together_are_hostile_are_known_together() {
    let through = ["lib/read.js", "setup.js", "lib/send.js"];
    let hostile = package(&through, vec![flow(Surface::Install, &through)]);
    let parts = learned(&hostile).swap_remove(0);
    assert_eq!(
        parts.path.as_deref(),
        Some("lib/read.js with lib/send.js with setup.js")
    );
    // Elsewhere, beside others and at other places.
    let more = ["a.js", "lib/read.js", "setup.js", "lib/send.js"];
    let mut copy = package(&more, vec![flow(Surface::Import, &through)]);
    assert!(digests(&copy).contains(&parts.digest));
    for flow in &mut copy.flows {
        flow.steps.clear();
    }
    assert!(!digests(&copy).contains(&parts.digest), "one is not in it");
}

#[test]
fn what_is_imported_is_what_sends_whenever_that_is() {
    let flows = vec![
        flow(Surface::Import, &["lib/send.js"]),
        flow(Surface::Import, &["lib/main.js", "index.js"]),
    ];
    let content = listed(&package(&["index.js", "lib/main.js", "lib/send.js"], flows));
    assert_eq!(digests_of(&content), ["of lib/send.js", PARTS, WHOLE]);
}

#[test]
fn where_a_file_is_run_says_how_much_it_counts() {
    let found = |surface, has_steps: bool| {
        let mut contents = Contents {
            files: vec![file("a.js", "x", surface)],
            ..Contents::default()
        };
        if has_steps {
            contents.install_steps = package(&[], Vec::new()).install_steps;
        }
        let bad = BadContent {
            digest: "x".to_owned(),
            name: "right-lib".to_owned(),
            version: "2.0.1".to_owned(),
            path: Some("setup.js".to_owned()),
            why: String::new(),
            since: None,
        };
        let known = found_in(&contents, vec![bad]).swap_remove(0);
        assert_eq!(known.path.as_deref(), Some("a.js"));
        known.at_install
    };
    for (surface, has_steps, at_install) in [
        (Some(Surface::Install), true, true),
        (Some(Surface::Import), true, false),
        (Some(Surface::Import), false, false),
        (None, false, false),
        (None, true, true),
        (Some(Surface::Unreferenced), true, true),
    ] {
        assert_eq!(
            found(surface, has_steps),
            at_install,
            "{surface:?} {has_steps}"
        );
    }
}

/// Payloads that are no code are looked up as well, and nothing of them is learned.
#[test]
fn files_that_are_not_listed_are_known_by_their_digests() {
    let (one, other) = ("0".repeat(DIGITS), "f".repeat(DIGITS));
    let contents = Contents {
        other_digests: format!("{one}{other}"),
        ..package(&["setup.js"], Vec::new())
    };
    let known = digests(&contents);
    assert!(known.contains(&one) && known.contains(&other), "{known:?}");
    let learned = [learned(&contents), listed(&contents)].concat();
    assert!(!digests_of(&learned).contains(&one.as_str()));
    let bad = BadContent {
        digest: other,
        name: String::new(),
        version: String::new(),
        path: Some("payload.dat".to_owned()),
        why: String::new(),
        since: None,
    };
    let found = found_in(&contents, vec![bad]);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].path.as_deref(), found[0].listed_in.as_deref()),
        (Some(UNLISTED), Some("payload.dat"))
    );
    assert!(found[0].at_install, "something is run at install time");
}
