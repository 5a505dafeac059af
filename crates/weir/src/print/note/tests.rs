//! How a note reads: an imitated attack, and a package with benign abilities.

use weir_engine::{Assessed, PreviousRelease, Side, Since};
use weir_model::contents::{
    Binary, BinaryFormat, Capability, CapabilityKind, FileDigest, Gate, GateKind, Host, HostClass,
    InstallStep, SinkKind, Size, Step,
};
use weir_model::{Confidence, Decision, Evidence, Group, Incomplete, ReleaseId};

use super::*;

fn place(path: &str, line: u32, snippet: &str) -> Place {
    Place {
        path: path.to_owned(),
        line,
        snippet: snippet.to_owned(),
    }
}

fn able(kind: CapabilityKind, detail: &str, at: Place, surface: Surface) -> Capability {
    Capability::at(kind, detail.to_owned(), at, surface, false)
}

fn file(path: &str, bytes: u64, surface: Option<Surface>) -> FileDigest {
    FileDigest {
        path: path.to_owned(),
        bytes,
        digest: format!("{path} {bytes}"),
        surface,
        longest_line: 80,
    }
}

fn harmless() -> Contents {
    Contents {
        size: Size {
            files: 2,
            bytes: 912,
            javascript_bytes: 600,
        },
        files: vec![file("index.js", 600, Some(Surface::Import))],
        ..Contents::default()
    }
}

/// The release that begins to steal.
fn hostile() -> Contents {
    let mut contents = harmless();
    let script = "lib/telemetry.js";
    contents.size = Size {
        files: 3,
        bytes: 2_140,
        javascript_bytes: 1_800,
    };
    contents
        .files
        .push(file(script, 1_228, Some(Surface::Install)));
    contents.install_steps.push(InstallStep {
        event: "postinstall".to_owned(),
        command: "node lib/telemetry.js".to_owned(),
        reaches: vec![script.to_owned()],
    });
    contents.capabilities = vec![
        able(
            CapabilityKind::Network,
            "https.request",
            place(script, 20, "https.request(target, options)"),
            Surface::Install,
        ),
        able(
            CapabilityKind::SecretFiles,
            "~/.npmrc",
            place(script, 10, "fs.readFileSync(file, 'utf8')"),
            Surface::Install,
        ),
    ];
    contents.hosts = vec![Host {
        host: "collector.example".to_owned(),
        class: HostClass::Webhook,
        place: place(script, 20, "https.request(target, options)"),
        surface: Surface::Install,
    }];
    contents.flows = vec![Flow {
        source: SourceKind::CredentialFile,
        source_detail: "~/.npmrc".to_owned(),
        source_place: place(script, 10, "found.npmrc = fs.readFileSync(file, 'utf8');"),
        steps: vec![Step {
            place: place(script, 19, "const target = parts.reverse().join('');"),
            folded: Some("https://collector.example/".to_owned()),
        }],
        sink: SinkKind::Http,
        sink_detail: "https.request to collector.example".to_owned(),
        sink_place: place(script, 22, "request.end(body);"),
        surface: Surface::Install,
        gates: vec![Gate {
            kind: GateKind::Ci,
            place: place(script, 4, "if (process.env.CI)"),
        }],
        at_load: false,
    }];
    contents
}

fn release(name: &str, version: &str) -> ReleaseId {
    ReleaseId {
        name: name.to_owned(),
        version: version.to_owned(),
        integrity: Some("sha512-AAAA".to_owned()),
    }
}

fn decision(action: Action, reasons: &[&str]) -> Decision {
    let groups: Vec<&str> = if action == Action::Allow {
        Vec::new()
    } else {
        vec!["execution", "code"]
    };
    serde_json::from_value(serde_json::json!({
        "action": action,
        "groups": groups,
        "reasons": reasons,
        "until": null,
        "instead": (action == Action::Block).then_some("1.4.1"),
        "circumstances": {
            "now": "2026-11-30T12:00:00Z",
            "published": "2026-11-20T11:49:00Z",
            "rank": null,
            "request": "pinned",
            "served_before": false,
            "fixes_advisory_of": null,
        },
    }))
    .unwrap()
}

fn theft(contents: &Contents) -> Finding {
    let flow = &contents.flows[0];
    let evidence = [&flow.source_place, &flow.steps[0].place, &flow.sink_place];
    Finding {
        signal: "credential-exfiltration".to_owned(),
        group: Group::Code,
        severity: Severity::Critical,
        confidence: Confidence::High,
        decisive: true,
        message: "a credential file (~/.npmrc) is sent away at install time".to_owned(),
        evidence: evidence
            .map(|at| Evidence::place(&at.path, Some(at.line), &at.snippet))
            .to_vec(),
    }
}

fn theft_at(flow: &Flow) -> Vec<Evidence> {
    let ends = [&flow.source_place, &flow.sink_place];
    ends.map(|at| Evidence::place(&at.path, Some(at.line), &at.snippet))
        .to_vec()
}

fn attack() -> Assessed {
    let contents = hostile();
    Assessed {
        assessment: Assessment {
            release: release("ledger-format", "1.4.2"),
            findings: vec![
                theft(&contents),
                Finding {
                    signal: "new-install-script".to_owned(),
                    group: Group::Execution,
                    severity: Severity::Medium,
                    confidence: Confidence::High,
                    decisive: false,
                    message: "postinstall runs `node lib/telemetry.js`; 1.4.1 had no such script"
                        .to_owned(),
                    evidence: vec![Evidence::change(
                        "scripts.postinstall",
                        None::<&str>,
                        Some("node lib/telemetry.js"),
                    )],
                },
            ],
            incomplete: Vec::new(),
        },
        decision: decision(Action::Block, &["blocked: a fact that is enough by itself"]),
        published: Some("2026-11-20T11:49:00Z".parse().unwrap()),
        profile: Some(Profile {
            steps_since: vec![Some(Since {
                version: "1.4.2".to_owned(),
                published: Some("2026-11-20T11:49:00Z".parse().unwrap()),
                releases: 1,
            })],
            contents,
            previous: Some(PreviousRelease {
                version: "1.4.1".to_owned(),
                contents: Ok(harmless()),
            }),
        }),
    }
}

/// A package that downloads its program, as it always did.
fn builder() -> Contents {
    let fetch = place("install.js", 60, "https.get(url, (res) => {");
    Contents {
        size: Size {
            files: 9,
            bytes: 11_904_120,
            javascript_bytes: 130_000,
        },
        install_steps: vec![InstallStep {
            event: "postinstall".to_owned(),
            command: "node install.js".to_owned(),
            reaches: vec!["install.js".to_owned()],
        }],
        capabilities: vec![
            able(
                CapabilityKind::Network,
                "https.get",
                fetch.clone(),
                Surface::Install,
            ),
            able(
                CapabilityKind::Process,
                "child_process.spawn",
                place("lib/main.js", 1_704, "child_process.spawn(command, args)"),
                Surface::Import,
            ),
        ],
        hosts: vec![Host {
            host: "files.builder.example".to_owned(),
            class: HostClass::Other,
            place: fetch,
            surface: Surface::Install,
        }],
        binaries: vec![Binary {
            path: "bin/builder".to_owned(),
            format: BinaryFormat::Elf,
            bytes: 11_600_000,
            disguise: None,
            usual_place: false,
            digest: "aa".to_owned(),
        }],
        ..Contents::default()
    }
}

fn benign() -> Assessed {
    Assessed {
        assessment: Assessment {
            release: release("builder", "0.25.1"),
            findings: Vec::new(),
            incomplete: Vec::new(),
        },
        decision: decision(Action::Allow, &[]),
        published: Some("2026-03-10T08:00:00Z".parse().unwrap()),
        profile: Some(Profile {
            steps_since: vec![Some(Since {
                version: "0.8.0".to_owned(),
                published: Some("2021-02-01T00:00:00Z".parse().unwrap()),
                releases: 187,
            })],
            contents: builder(),
            previous: Some(PreviousRelease {
                version: "0.25.0".to_owned(),
                contents: Ok(builder()),
            }),
        }),
    }
}

fn printed(assessed: &Assessed) -> String {
    crate::print::assessed(assessed, &weir_policy::Policy::default())
}

/// As printed where the output is no terminal.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn an_attack_reads_like_an_incident_note() {
    insta::assert_snapshot!(plain(&printed(&attack())));
}

#[test]
fn a_package_with_benign_abilities_reads_calmly() {
    insta::assert_snapshot!(plain(&printed(&benign())));
}

#[test]
fn what_is_new_and_counts_nothing_says_why() {
    let mut assessed = benign();
    let profile = assessed.profile.as_mut().unwrap();
    profile.previous.as_mut().unwrap().contents = Ok(harmless());
    let new = "New since 0.25.0: 1 install step, 2 abilities, 1 host and 1 binary";
    for (version, why) in [
        ("0.25.1", "; none of it is of a kind that counts by itself"),
        (
            "0.26.0",
            "; a new line of versions may bring that, and none of it counts",
        ),
    ] {
        assessed.assessment.release.version = version.to_owned();
        let text = plain(&printed(&assessed));
        assert!(text.contains(&format!("  {new}{why}\n")), "{text}");
    }
}

/// Packed code is all on one line, whose beginning says the same of each step.
#[test]
fn a_line_is_shown_once() {
    let mut assessed = attack();
    let flow = &mut assessed.profile.as_mut().unwrap().contents.flows[0];
    let packed = place("lib/telemetry.js", 1, "var a=1,b=2;");
    flow.source_place = packed.clone();
    flow.steps.clear();
    flow.sink_place = packed;
    assessed.assessment.findings[0].evidence = theft_at(flow);
    let text = plain(&printed(&assessed));
    let read = "       read   lib/telemetry.js:1  var a=1,b=2;\n";
    let sent = "       sent   lib/telemetry.js:1  further on in the same line\n";
    assert!(text.contains(&format!("{read}{sent}")), "{text}");
}

#[test]
fn what_is_only_noted_is_short_and_gaps_are_told_once() {
    let gap = |what: &str| Incomplete {
        what: what.to_owned(),
        why: "the registry does not say".to_owned(),
    };
    let mut assessed = benign();
    let evidence = (1..4).map(|line| Evidence::place("install.js", Some(line), &"x".repeat(300)));
    assessed.assessment.findings = vec![Finding {
        signal: "download-and-run".to_owned(),
        group: Group::Code,
        severity: Severity::Info,
        confidence: Confidence::Low,
        decisive: false,
        message: "what is fetched goes into a program file".to_owned(),
        evidence: evidence.collect(),
    }];
    assessed.assessment.incomplete = vec![gap("publisher"), gap("history")];
    let told = weir_policy::gap_in_words(&gap("publisher"));
    assessed.decision = decision(Action::Allow, &["allowed: nothing counts", &told]);
    let text = plain(&printed(&assessed));
    let noted = "  Also seen; none of it counts against the release\n    \
                 - what is fetched goes into a program file [download-and-run]\n      install.js:1: x";
    assert!(text.contains(noted), "{text}");
    assert!(text.contains("(and 2 more places in --json)"), "{text}");
    assert!(text.lines().all(|line| line.len() < 200), "{text}");
    assert_eq!(text.matches("publisher").count(), 1, "{text}");
    assert!(text.contains("not checked: history"), "{text}");
}

#[test]
fn what_a_command_shares_with_imported_code_is_counted() {
    let mut assessed = benign();
    let contents = &mut assessed.profile.as_mut().unwrap().contents;
    contents.capabilities.clear();
    let kinds = [
        CapabilityKind::Network,
        CapabilityKind::Process,
        CapabilityKind::Environment,
    ];
    for surface in [Surface::Import, Surface::Command] {
        for kind in kinds {
            let at = place("lib/main.js", 1, "x");
            contents.capabilities.push(able(kind, "x", at, surface));
        }
    }
    let own = place("bin/tool", 2, "x");
    let more = able(CapabilityKind::Native, "x", own, Surface::Command);
    contents.capabilities.push(more);
    let text = plain(&printed(&assessed));
    let rows = "    as a command     loads native code (bin/tool:2)\n                     what it does on import\n";
    assert!(text.contains(rows), "{text}");
}

#[test]
fn many_binaries_are_counted_by_format() {
    let mut assessed = benign();
    let contents = &mut assessed.profile.as_mut().unwrap().contents;
    let binary = contents.binaries.remove(0);
    for (format, path) in [
        (BinaryFormat::Elf, "a"),
        (BinaryFormat::Wasm, "b"),
        (BinaryFormat::Wasm, "c"),
        (BinaryFormat::Wasm, "d"),
    ] {
        let path = path.to_owned();
        let binary = binary.clone();
        contents.binaries.push(Binary {
            format,
            path,
            ..binary
        });
    }
    let text = plain(&printed(&assessed));
    let row = "46.4 MB in 4 files: WebAssembly, 3 times (such as b) and a program or library for Linux (a)";
    assert!(text.contains(row), "{text}");
}

#[test]
fn a_package_that_only_computes_says_so() {
    let mut assessed = benign();
    let profile = assessed.profile.as_mut().unwrap();
    profile.contents = harmless();
    profile.steps_since.clear();
    profile.previous = None;
    insta::assert_snapshot!(plain(&printed(&assessed)));
}

#[test]
fn a_difference_reads_like_a_reviewers_note() {
    let side = |version: &str, contents| Side {
        release: release("ledger-format", version),
        published: Some("2026-11-20T11:49:00Z".parse().unwrap()),
        publisher: None,
        contents,
    };
    let (before, mut after) = (side("1.4.1", harmless()), side("1.4.2", hostile()));
    after.contents.files[0].digest = "other".to_owned();
    let difference = Difference::between(&before.contents, &after.contents);
    let findings = vec![theft(&after.contents)];
    let decision = decision(Action::Block, &["blocked: a fact that is enough by itself"]);
    insta::assert_snapshot!(plain(&crate::print::difference(
        &before,
        &after,
        &difference,
        &findings,
        &decision
    )));
    let same = Difference::between(&after.contents, &after.contents);
    let text = plain(&crate::print::difference(
        &after,
        &after,
        &same,
        &[],
        &decision,
    ));
    assert!(
        text.contains("nothing that weir looks at is different"),
        "{text}"
    );
}

/// Text from packages is printed as text, whatever it holds.
#[test]
fn nothing_from_a_package_reaches_the_terminal_as_it_is() {
    let mut assessed = attack();
    let evil = "\u{1b}]0;x\u{7}\u{202e}".to_owned();
    let profile = assessed.profile.as_mut().unwrap();
    let contents = &mut profile.contents;
    contents.install_steps[0].event = evil.clone();
    contents.install_steps[0].command = evil.clone();
    contents.capabilities[0].place.path = evil.clone();
    contents.capabilities[0].detail = evil.clone();
    contents.hosts[0].host = evil.clone();
    contents.hosts[0].place.path = evil.clone();
    contents.binaries = builder().binaries;
    contents.binaries[0].path = evil.clone();
    contents.binaries[0].disguise = Some(evil.clone());
    contents.files[1].path = evil.clone();
    let flow = &mut contents.flows[0];
    flow.source_detail = evil.clone();
    flow.sink_detail = evil.clone();
    flow.steps[0].folded = Some(evil.clone());
    flow.steps[0].place.snippet = evil.clone();
    flow.gates[0].place.path = evil;
    let text = plain(&printed(&assessed));
    assert!(text.contains("\\u{1b}"), "{text}");
    for hidden in ['\u{1b}', '\u{7}', '\u{202e}'] {
        assert!(!text.contains(hidden), "{text:?}");
    }
}
