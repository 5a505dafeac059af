//! `young-in-tree`: a release brings along a package that is days old.

use std::cell::LazyCell;

use jiff::{SignedDuration, Timestamp};
use weir_model::finding::printable;
use weir_model::{Confidence, Evidence, Finding, Group, Incomplete, Severity};

use crate::called::{is_expected, is_named_after};
use crate::comparison::{is_leap, is_patch};
use crate::people::{MANY_RELEASES, PublishedBy, are_the_same, is_stamped};
use crate::timeline::in_words;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// A package that had its first release within this time before the one that brings it is young
/// (DETECTION section 3, rank 3).
const YOUNG: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Packages told one by one.
const LISTED: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "young-in-tree",
    summary: "A release brings a package into the tree that is days old",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Dependency,
    severity: Severity::Low,
    confidence: Confidence::High,
    needs: &[Input::Manifest, Input::History],
    incidents: &["event-stream, 2018", "axios, 2026"],
    documentation: Documentation {
        sees: "What a client would install along with this release and not with the one before: dependencies that are new \
               or asked for differently, and what those depend on, four steps down. It names each package that had its \
               first release within seven days before this one (before weir first saw it, where it is not known when it \
               was published), with the way that leads to it. In a patch release, or \
               where the young package runs something at install, it weighs more. Widely used packages end the search.",
        matters: "A release can stay clean and bring the payload as something else, one or more steps down, where nobody \
                  looks. The bait is made for the purpose, and so it is young.",
        wrong: "Projects split themselves into packages on the day they need them: those of the same scope, and those \
                that an account of the package published, are mentioned only. So are those of the same name, unless they \
                run something at install: anybody may take such a name. Packages and releases that do not exist are \
                mentioned; where a registry did not answer, the assessment is incomplete.",
        todo: "`weir why` shows the way; look at the young package itself, and at who asked for it in the repository.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

/// A package that comes along with a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// Names from the release's own dependency down to this package, which is the last.
    pub path: Vec<String>,
    /// What the one before asks for.
    pub spec: String,
    /// The version that a client would take; nothing where that is not known.
    pub version: Option<String>,
    /// When that was published.
    pub published: Option<Timestamp>,
    /// When the package had its first release.
    pub package_since: Option<Timestamp>,
    /// How many releases it has.
    pub releases: usize,
    /// Whether their times look like those of a mirror, see [`crate::is_stamped`].
    pub stamped: bool,
    /// Whether it runs something at install.
    pub hooks: bool,
    /// Who published that version.
    pub by: PublishedBy,
    /// Who may publish it, by account name.
    pub maintainers: Vec<String>,
    /// Whether there is no such package.
    pub missing: bool,
    /// Whether there is such a package, and none of its releases is what is asked for.
    pub unanswered: bool,
    /// Why it is not known better.
    pub unknown: Option<String>,
}

impl Brought {
    /// A package at the end of a way, of which nothing else is known yet.
    #[must_use]
    pub fn new(path: Vec<String>, spec: &str) -> Self {
        Self {
            path,
            spec: spec.to_owned(),
            ..Self::default()
        }
    }

    /// The package.
    fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let at = subject.out_by_now();
    let patch = subject.previous().is_some_and(|previous| {
        !is_leap(previous.version, subject.version) && is_patch(previous.version, subject.version)
    });
    let mirrored = LazyCell::new(|| subject.packument.known().is_some_and(|it| is_stamped(it)));
    let mut found = Vec::new();
    for brought in subject.brought {
        if let Some(why) = &brought.unknown {
            observation.incomplete(Incomplete {
                what: format!("dependency {}", printable(brought.name(), 220)),
                why: printable(why, 300),
            });
        }
        // On a mirror the times of other packages say when they were fetched, as its own do.
        let stamped = brought.stamped && brought.releases > MANY_RELEASES;
        let dated = !(stamped && *mirrored);
        found.extend(tell(subject, brought, dated.then_some(at), patch));
    }
    // What counts comes first: clean packages cost nothing.
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in found.into_iter().take(LISTED) {
        observation.find(finding);
    }
}

/// What is to be said of a package that comes along with a release which came out `at` a moment; nothing for that where
/// times say nothing.
fn tell(
    subject: &Subject<'_>,
    brought: &Brought,
    at: Option<Timestamp>,
    patch: bool,
) -> Option<Finding> {
    let name = printable(brought.name(), 220);
    let way = printable(&brought.path.join(" > "), 600);
    let own = subject.name;
    if brought.missing {
        let mut finding = SIGNAL.finding(format!("Asks for {name}, which does not exist"));
        finding.severity = Severity::Info;
        finding.evidence.push(Evidence::change(
            format!("{own} > {way}"),
            None::<&str>,
            Some(&brought.spec),
        ));
        return Some(finding);
    }
    let young = at.zip(brought.package_since);
    let young = young.filter(|(at, since)| at.duration_since(*since) <= YOUNG);
    let Some((at, since)) = young else {
        return brought.unanswered.then(|| unanswered(subject, brought));
    };
    let age = at.duration_since(since);
    let moment = subject.out_in_words();
    let when = if age.is_negative() {
        format!("after {moment}")
    } else {
        format!("{} before {moment}", in_words(age))
    };
    let version = brought.version.as_deref().unwrap_or("?");
    let runs = if brought.hooks {
        " and runs something at install"
    } else {
        ""
    };
    let mut finding = SIGNAL.finding(format!(
        "Brings {name}@{}, a package first published {when}{runs}, by way of {way}",
        printable(version, 80)
    ));
    finding.severity = match (kinship(subject, brought), patch || brought.hooks) {
        (Kinship::Family, _) => Severity::Info,
        (Kinship::Name, _) if !brought.hooks => Severity::Info,
        // As many releases at once may well be a mirror's doing.
        (_, true) if !brought.stamped => Severity::Medium,
        _ => SIGNAL.severity,
    };
    finding.evidence.push(Evidence::change(
        format!("{own} > {way}"),
        Some(format!("{at} ({moment})")),
        Some(format!("{since} (first release of {name})")),
    ));
    Some(finding)
}

/// A package of which no release is what is asked for: no client installs one. What is published to answer it will be
/// judged itself when somebody asks for it.
fn unanswered(subject: &Subject<'_>, brought: &Brought) -> Finding {
    let name = printable(brought.name(), 220);
    let mut finding = SIGNAL.finding(format!(
        "Asks for {name}@{}, and the package has no such release",
        printable(&brought.spec, 80)
    ));
    finding.severity = Severity::Info;
    let way = printable(&brought.path.join(" > "), 600);
    finding.evidence.push(Evidence::change(
        format!("{} > {way}", subject.name),
        None::<&str>,
        Some(&brought.spec),
    ));
    finding
}

/// What a package has to do with the one that brings it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinship {
    /// The same people publish it, or it is in the same scope, or widely used.
    Family,
    /// It is named like a part of it, which anybody may call theirs.
    Name,
    None,
}

fn kinship(subject: &Subject<'_>, brought: &Brought) -> Kinship {
    let name = brought.name();
    let same_people = || are_the_same(subject, &brought.by, &brought.maintainers);
    if is_expected(subject, name) || same_people() {
        Kinship::Family
    } else if is_named_after(subject, name) {
        Kinship::Name
    } else {
        Kinship::None
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand};
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let brought = |path: &[&str], since: &str| Brought {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        spec: "^1.0.0".to_owned(),
        version: Some("1.0.0".to_owned()),
        published: time(since),
        package_since: time(since),
        releases: 1,
        maintainers: vec!["hugeglass".to_owned()],
        ..Brought::default()
    };
    let scene = |version| {
        Scene::of("wire-client", version)
            .release("1.4.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
            .release(version, "2026-06-14T09:00:00Z", &by_hand("mara"))
    };
    let mirrored = || {
        let mut scene = Scene::of("wire-client", "1.4.1");
        for version in [
            "1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.1", "1.2.0", "1.2.1", "1.3.0", "1.3.1",
            "1.3.2", "1.4.0",
        ] {
            scene = scene.release(version, "2026-06-12T09:00:00Z", &by_hand("mara"));
        }
        scene.release("1.4.1", "2026-06-14T09:00:00Z", &by_hand("mara"))
    };
    let six = || {
        let parts = ["a", "b", "c", "d", "e"].map(|part| format!("wire-client-{part}"));
        let mut scene = scene("1.5.0");
        for part in &parts {
            scene = scene.brings(brought(&[part], "2026-06-14T08:00:00Z"));
        }
        scene.brings(Brought {
            hooks: true,
            ..brought(&["zlib-tide"], "2026-06-14T08:00:00Z")
        })
    };
    let unanswered = Brought {
        unknown: Some("the registry did not answer".to_owned()),
        ..brought(&["plain-cipher"], "2020-01-01T09:00:00Z")
    };
    vec![
        Sample::flagged(
            "A patch brings a package that was made the day before",
            scene("1.4.1").brings(brought(&["plain-cipher"], "2026-06-13T09:00:00Z")),
        ),
        Sample::flagged(
            "A patch that claims to come a year from now brings one of yesterday",
            Scene::of("wire-client", "1.4.1")
                .release("1.4.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
                .release("1.4.1", "2027-06-14T09:00:00Z", &by_hand("mara"))
                .brings(brought(&["plain-cipher"], "2026-06-14T09:00:00Z")),
        ),
        Sample::flagged(
            "The same where it is not known when the patch was published, only when weir first saw it",
            Scene::of("wire-client", "1.4.1")
                .release("1.4.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
                .release("1.4.1", "", &by_hand("mara"))
                .first_seen("2026-06-14T09:00:00Z")
                .brings(brought(&["plain-cipher"], "2026-06-13T09:00:00Z")),
        ),
        Sample::flagged(
            "A minor release brings one three steps down",
            scene("1.5.0").brings(brought(
                &["row-boat", "night-owl", "plain-cipher"],
                "2026-06-10T09:00:00Z",
            )),
        ),
        Sample::passing(
            "Near miss: a package as young, by a maintainer of this one",
            scene("1.4.1").brings(Brought {
                maintainers: vec!["mara".to_owned()],
                ..brought(&["tide-table"], "2026-06-13T09:00:00Z")
            }),
        ),
        Sample::flagged(
            "A package as young, by an account whose name differs in case from that of a maintainer",
            scene("1.4.1").brings(Brought {
                maintainers: vec!["Mara".to_owned()],
                ..brought(&["tide-table"], "2026-06-13T09:00:00Z")
            }),
        ),
        Sample::flagged(
            "A package as young that lists a maintainer of this one, and that somebody else published",
            scene("1.4.1").brings(Brought {
                by: PublishedBy::Account("zed".to_owned()),
                maintainers: vec!["zed".to_owned(), "mara".to_owned()],
                ..brought(&["tide-table"], "2026-06-13T09:00:00Z")
            }),
        ),
        Sample::passing(
            "A part of itself, split off the same day",
            scene("1.4.1").brings(brought(&["wire-client-core"], "2026-06-14T08:00:00Z")),
        ),
        Sample::passing(
            "The same with an install script, by an account that published this one",
            scene("1.4.1").brings(Brought {
                by: PublishedBy::Account("mara".to_owned()),
                hooks: true,
                ..brought(&["wire-client-core"], "2026-06-14T08:00:00Z")
            }),
        ),
        Sample::flagged(
            "Near miss: the name of a part of itself and an install script, by somebody else",
            scene("1.4.1").brings(Brought {
                by: PublishedBy::Account("zed".to_owned()),
                hooks: true,
                ..brought(&["@wire-client/setup"], "2026-06-14T08:00:00Z")
            }),
        ),
        Sample::flagged(
            "A package of yesterday that has had eleven releases since",
            scene("1.4.1").brings(Brought {
                releases: 11,
                ..brought(&["plain-cipher"], "2026-06-13T09:00:00Z")
            }),
        ),
        Sample::passing(
            "Near miss: on a mirror that stamps what it fetches, this package as well",
            mirrored().brings(Brought {
                releases: 30,
                stamped: true,
                ..brought(&["tide-table"], "2026-06-13T09:00:00Z")
            }),
        ),
        Sample::flagged(
            "Six packages as young, of which the last one runs something at install",
            six(),
        ),
        Sample::passing(
            "A package that has been there for half a year",
            scene("1.4.1").brings(brought(&["tide-table"], "2025-12-13T09:00:00Z")),
        ),
        Sample::passing(
            "A part for one platform that has other releases, and not the one that is asked for",
            scene("1.4.1").brings(Brought {
                version: None,
                published: None,
                unanswered: true,
                ..brought(&["wire-client-linux-arm64"], "2025-12-13T09:00:00Z")
            }),
        ),
        Sample::passing(
            "A package whose registry did not answer, which is said",
            scene("1.4.1").brings(unanswered),
        ),
    ]
}
