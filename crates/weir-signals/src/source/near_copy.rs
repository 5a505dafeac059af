//! `near-copy`: the code is nearly that of another package.

use std::collections::BTreeSet;

use weir_model::{Confidence, Contents, Evidence, Group, Incomplete, Severity};

use crate::{
    Declaration, Documentation, Input, Kind, Layer, Maturity, NearCopy, Observation, Subject,
};

/// Share of code from which two packages count as copies, in percent. Forks and renamed packages have
/// more, packages that bundle the same library less.
const COPY: u8 = 70;

/// Additions listed; the rest is counted.
const LISTED: usize = 8;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "near-copy",
    summary: "The code is nearly that of another package",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Trial,
    group: Group::Name,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[
        "mathjs-min, 2023",
        "postmark-mcp, 2025",
        "klow and klown, 2021",
    ],
    documentation: Documentation {
        sees: "A release that is neither widely used nor long established, and whose code is to at least 70 % \
               that of a popular package that others maintain: the package its name resembles, which is fetched \
               to compare, or one that this gateway has seen. It weighs more if the names are alike, and most if \
               the copy does something that the original does not. Also a release whose code is nearly that of \
               one that was refused, or listed as malicious, whoever publishes it, unless the package had a release \
               like that a month before the other one came out, and is the original; of a tarball or folder at hand \
               also where it bears the same name, and its bytes are others. Code is compared by names of members and words in strings, so minifying, \
               bundling and renaming variables make no difference.",
        matters: "A full copy of a library that works, with one function added, passes every look at what it \
                  does well. What is taken down for malware comes back with a few words changed.",
        wrong: "Forks are copies, and honest. They have their own name and add nothing that talks to the \
                network, and are only mentioned. The share is an estimate, within about four percent.",
        todo: "Use the original, unless you know the fork. Look at the additions in the evidence.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(alike) = subject.alike else { return };
    for (name, why) in &alike.not_compared {
        observation.incomplete(Incomplete {
            what: format!("comparison with {name}"),
            why: why.clone(),
        });
    }
    for near in &alike.near {
        // Whoever maintains both may copy; what was refused is no better for coming from the same account again.
        let is_their_own = near.shared_maintainer && near.refused.is_none();
        if near.percent < COPY || is_their_own || is_itself(subject, near) {
            continue;
        }
        report(subject, near, observation);
    }
}

/// Whether it is the package itself, whose next release is nearly the one before. A file or folder at hand, without a
/// registry's history, may say of itself what it likes: for it nothing that was refused is itself.
fn is_itself(subject: &Subject<'_>, near: &NearCopy) -> bool {
    let is_at_hand = subject.packument.known().is_none();
    let is_refused = near.refused.is_some() && (is_at_hand || near.version == subject.version);
    near.name == subject.name.as_str() && !is_refused
}

fn report(subject: &Subject<'_>, near: &NearCopy, observation: &mut Observation) {
    let printable = |text: &str| weir_model::finding::printable(text, 200);
    let other = format!("{}@{}", printable(&near.name), printable(&near.version));
    let added = match (subject.contents.known(), &near.contents) {
        (Some(ours), Some(theirs)) => additions(ours, theirs),
        _ => Vec::new(),
    };
    let percent = near.percent;
    let mut finding = match (&near.refused, added.len()) {
        (Some(why), _) => SIGNAL.finding(format!(
            "about {percent} % of its code is that of {other}, which was refused: {}",
            printable(why)
        )),
        (None, 0) => SIGNAL.finding(format!("about {percent} % of its code is that of {other}")),
        (None, count) => SIGNAL.finding(format!(
            "about {percent} % of its code is that of {other}, and it does {count} things that the \
             original does not"
        )),
    };
    finding.severity = match (near.refused.is_some(), near.lookalike, added.is_empty()) {
        (true, ..) | (_, true, false) => Severity::High,
        (_, true, true) | (_, false, false) => Severity::Medium,
        (_, false, true) => Severity::Info,
    };
    finding.evidence.push(Evidence::change(
        "code",
        Some(&other),
        Some(format!("about {percent} % the same")),
    ));
    finding.evidence.extend(added.into_iter().take(LISTED));
    observation.find(finding);
}

/// What a copy does that its original does not, of what matters.
fn additions(ours: &Contents, theirs: &Contents) -> Vec<Evidence> {
    let mut added = Vec::new();
    let commands: BTreeSet<&str> = theirs
        .install_steps
        .iter()
        .map(|step| step.command.as_str())
        .collect();
    for step in &ours.install_steps {
        if !commands.contains(step.command.as_str()) {
            added.push(Evidence::change(
                &step.event,
                None::<&str>,
                Some(&step.command),
            ));
        }
    }
    let hosts: BTreeSet<&str> = theirs.hosts.iter().map(|host| host.host.as_str()).collect();
    for host in &ours.hosts {
        if !hosts.contains(host.host.as_str()) {
            let place = &host.place;
            added.push(Evidence::place(
                &place.path,
                Some(place.line),
                &place.snippet,
            ));
        }
    }
    let kinds: BTreeSet<_> = theirs.capabilities.iter().map(|one| one.kind).collect();
    for capability in &ours.capabilities {
        if !kinds.contains(&capability.kind) {
            let place = &capability.place;
            added.push(Evidence::place(
                &place.path,
                Some(place.line),
                &place.snippet,
            ));
        }
    }
    let flows: BTreeSet<_> = theirs
        .flows
        .iter()
        .map(|flow| (flow.source, flow.sink))
        .collect();
    for flow in &ours.flows {
        if !flows.contains(&(flow.source, flow.sink)) {
            let place = &flow.sink_place;
            added.push(Evidence::place(
                &place.path,
                Some(place.line),
                &place.snippet,
            ));
        }
    }
    if theirs.obfuscated.is_empty() {
        let places = ours.obfuscated.iter().map(|one| &one.place);
        added.extend(
            places.map(|place| Evidence::place(&place.path, Some(place.line), &place.snippet)),
        );
    }
    added
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::Alike;
    use crate::sample::{Sample, Scene, flow};
    use weir_model::contents::{SinkKind, SourceKind, Surface};
    let near = |percent, lookalike, shared_maintainer, refused: Option<&str>| NearCopy {
        name: "mathjs".to_owned(),
        version: "12.4.0".to_owned(),
        percent,
        lookalike,
        shared_maintainer,
        refused: refused.map(str::to_owned),
        contents: Some(Contents::default()),
    };
    let scene = |near: NearCopy, contents: Contents| {
        Scene::of("mathjs-min", "12.4.1")
            .release("12.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(contents)
            .alike(Alike {
                near: vec![near],
                ..Alike::default()
            })
    };
    let token = || {
        flow(
            Surface::Import,
            (SourceKind::CredentialFile, "~/.npmrc"),
            (SinkKind::Http, "https.request to collector.example"),
        )
    };
    vec![
        Sample::flagged(
            "A full copy of a library under a name like it, with one function that sends a file away",
            scene(near(98, true, false, None), token()),
        ),
        Sample::flagged(
            "A copy of a package that was refused, with other words",
            scene(
                near(91, false, false, Some("it sends the environment away")),
                Contents::default(),
            ),
        ),
        Sample::flagged(
            "A copy under a name like the original's that adds nothing yet",
            scene(near(99, true, false, None), Contents::default()),
        ),
        Sample::flagged(
            "The same name and version as one that was refused, and nearly its code",
            scene(
                NearCopy {
                    name: "mathjs-min".to_owned(),
                    version: "12.4.1".to_owned(),
                    ..near(97, false, false, Some("listed as malicious (evil.tgz)"))
                },
                Contents::default(),
            ),
        ),
        Sample::flagged(
            "Another copy of what was refused, by the same account",
            scene(
                near(99, false, true, Some("it sends the environment away")),
                Contents::default(),
            ),
        ),
        Sample::passing(
            "The release after one that was refused, of the same package",
            scene(
                NearCopy {
                    name: "mathjs-min".to_owned(),
                    ..near(97, false, false, Some("listed as malicious (evil.tgz)"))
                },
                Contents::default(),
            ),
        ),
        Sample::passing(
            "Near miss: a fork under its own name that adds nothing",
            scene(near(96, false, false, None), Contents::default()),
        ),
        Sample::passing(
            "Another package by the same people, from the same code",
            scene(near(88, true, true, None), token()),
        ),
        Sample::passing(
            "A package that bundles the library",
            scene(near(40, false, false, None), token()),
        ),
    ]
}
