//! `young-in-tree`: a release brings along a package that is days old.

use jiff::{SignedDuration, Timestamp};
use weir_model::finding::printable;
use weir_model::{Confidence, Evidence, Finding, Group, Incomplete, Severity};

use crate::accounts::is_same_account;
use crate::comparison::{is_leap, is_patch};
use crate::history::new_dependency::is_expected;
use crate::timeline::in_words;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// A package that had its first release within this time before the one that brings it is young
/// (DETECTION section 3, rank 3).
const YOUNG: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One that many releases lie behind is not, whatever a mirror says of its first.
const MANY_RELEASES: usize = 10;

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
        wrong: "Projects split themselves into packages on the day they need them: those of the same scope, of the same \
                name, or with a maintainer in common are mentioned only. Packages and releases that do not exist are \
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
    /// Whether it runs something at install.
    pub hooks: bool,
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
    let mut told = 0;
    for brought in subject.brought {
        if let Some(why) = &brought.unknown {
            observation.incomplete(Incomplete {
                what: format!("dependency {}", printable(brought.name(), 220)),
                why: printable(why, 300),
            });
        }
        if told < LISTED
            && let Some(finding) = tell(subject, brought, at, patch)
        {
            told += 1;
            observation.find(finding);
        }
    }
}

fn tell(subject: &Subject<'_>, brought: &Brought, at: Timestamp, patch: bool) -> Option<Finding> {
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
    let since = brought.package_since;
    let young = since
        .filter(|since| at.duration_since(*since) <= YOUNG && brought.releases <= MANY_RELEASES);
    let Some(since) = young else {
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
    finding.severity = match (is_of_the_family(subject, brought), patch || brought.hooks) {
        (true, _) => Severity::Info,
        (false, true) => Severity::Medium,
        (false, false) => SIGNAL.severity,
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

/// Whether the package is a part of the same project, as far as names and people tell.
fn is_of_the_family(subject: &Subject<'_>, brought: &Brought) -> bool {
    // Whoever took over the package may have published the bait as well: only those count who were
    // maintainers at the release before.
    let earlier = subject.previous_manifest();
    let earlier = earlier.map(|(_, manifest)| manifest.maintainers.as_slice());
    let same_people = earlier.unwrap_or_default().iter().any(|person| {
        // A registry may give people without a name, who are nobody in particular.
        let known = !person.name.is_empty();
        let mut names = brought.maintainers.iter();
        known && names.any(|name| is_same_account(name, &person.name))
    });
    same_people || is_expected(subject, brought.name())
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
        Sample::passing(
            "A part of itself, split off the same day",
            scene("1.4.1").brings(brought(&["wire-client-core"], "2026-06-14T08:00:00Z")),
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
