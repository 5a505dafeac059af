//! `new-publisher`: somebody published who never, or not for long, published this package.

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Finding, Group, Severity};
use weir_npm::packument::{Person, Publication, Publisher};

use crate::timeline::{Event, Timeline, in_words, is_same, who};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Fewer earlier releases than this say nothing about who usually publishes.
const PAST: usize = 3;

/// A maintainer who has not published for this long is idle, if others have meanwhile (INCIDENTS I14,
/// I44: two years and more).
const IDLE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Releases that others have to have published meanwhile: a package that slept has no idle people.
const MEANWHILE: usize = 3;

/// With this many publishers among the last releases, one more is how the project works.
const MANY: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-publisher",
    summary: "Published by somebody who never, or not for long, published this package",
    since: "next",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Identity,
    severity: Severity::Low,
    confidence: Confidence::High,
    needs: &[
        Input::Manifest,
        Input::History,
        Input::PublishTime,
        Input::Publisher,
    ],
    incidents: &[
        "event-stream, 2018",
        "Ledger connect-kit, 2023",
        "node-ipc, 2026",
        "AntV, 2026",
    ],
    documentation: Documentation {
        sees: "The account that published a release, where none of the earlier releases is by it, or none for a \
               year in which others published three or more. It says whether the account was listed as a \
               maintainer in the release before (idle all the while) or was not (new, which weighs more). Names \
               that differ in case alone are two accounts, and so are two names with one mail address: that is said. \
               All workflows of one host are one publisher. A release that also lost the evidence of where it was built \
               counts as evidence of trust, because both are one fact.",
        matters: "Rights to publish are seldom taken back. Attackers found the account of somebody who had long left, or \
                  talked a maintainer into adding them, and published under a trusted name.",
        wrong: "Projects change hands and teams grow. Where five people have published lately a sixth is mentioned for \
                information only. Somebody who changed accounts comes with the same mail address: no more than low, \
                because an address is what an account says of itself. Registries that leave publishers out say nothing about it: that is reported as not known.",
        todo: "Look whether the project says that this person publishes: in its repository, its releases, its \
               discussions.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let (Some(own), Some(publication)) = (&timeline.own, timeline.publication()) else {
        return;
    };
    let recent: Vec<(&Event<'_>, &Publisher)> = timeline
        .recent()
        .filter_map(|(event, earlier)| Some((event, earlier.publisher.as_ref()?)))
        .collect();
    let Some(publisher) = &publication.publisher else {
        return;
    };
    // Only the owners can let a workflow publish, and what it publishes says where it comes from.
    if publisher.trusted_publisher || recent.is_empty() {
        return;
    }
    let last = match recent.iter().find(|(_, other)| is_same(publisher, other)) {
        Some((event, _)) => Some(*event),
        None => timeline.last_by(Some(&publisher.name), |other| is_same(publisher, other)),
    };
    let idle = last.map(|event| own.published.duration_since(event.published));
    let meanwhile = recent
        .iter()
        .take_while(|(event, _)| last.is_none_or(|last| event.published > last.published))
        .count();
    if idle.is_some_and(|idle| idle < IDLE || meanwhile < MEANWHILE) {
        return;
    }
    let mut finding = tell(timeline, publication, publisher, last, idle);
    if let Some(resemblance) = resemblance(publisher, &recent) {
        let words = format!("{}; {}", finding.message, resemblance.words);
        finding.message = weir_model::finding::printable(&words, 400);
        finding.severity = finding.severity.min(resemblance.most);
    }
    if recent.len() < PAST || people(&recent) >= MANY {
        finding.severity = Severity::Info;
    }
    if timeline.trust_dropped() && !is_newcomer(timeline, publisher) {
        finding.group = Group::Trust;
    }
    let usual = recent.first().map(|(_, other)| who(other));
    finding.evidence.insert(
        0,
        Evidence::change("_npmUser.name", usual, Some(who(publisher))),
    );
    observation.find(finding);
}

/// What a new account has in common with an earlier one, and the most that the finding then weighs.
struct Resemblance {
    words: String,
    most: Severity,
}

/// The earlier publisher whom this one could be taken for. Neither likeness is proof: names that differ in
/// case are two accounts, and an account may state any mail address. People who change accounts keep
/// theirs, so that a shared address weighs a little less; a name that only looks the same does not.
fn resemblance(publisher: &Publisher, recent: &[(&Event<'_>, &Publisher)]) -> Option<Resemblance> {
    let accounts = || {
        let others = recent.iter().map(|(_, other)| *other);
        others.filter(|other| !other.trusted_publisher && !is_same(publisher, other))
    };
    if let Some(other) = accounts().find(|it| it.name.eq_ignore_ascii_case(&publisher.name)) {
        return Some(Resemblance {
            words: format!(
                "the name differs from that of {} in case alone, which makes it another account",
                other.name
            ),
            most: Severity::Critical,
        });
    }
    let mail = publisher.email.as_deref().filter(|mail| !mail.is_empty())?;
    let other = accounts().find(|it| {
        it.email
            .as_deref()
            .is_some_and(|it| it.eq_ignore_ascii_case(mail))
    })?;
    Some(Resemblance {
        words: format!(
            "the mail address is that of {}, which does not make them one account",
            other.name
        ),
        most: Severity::Low,
    })
}

fn tell(
    timeline: &Timeline<'_>,
    publication: &Publication,
    publisher: &Publisher,
    last: Option<&Event<'_>>,
    idle: Option<SignedDuration>,
) -> Finding {
    let name = who(publisher);
    let newcomer = is_newcomer(timeline, publisher);
    let words = match (last, idle) {
        (Some(last), Some(idle)) => format!(
            "{name} published this, for the first time in {} (since {})",
            in_words(idle),
            last.text
        ),
        _ if newcomer => format!(
            "{name} published this and none of the releases before, and was not a maintainer at the last one"
        ),
        _ => format!("{name} published this and none of the releases before"),
    };
    let mut finding = SIGNAL.finding(weir_model::finding::printable(&words, 400));
    if newcomer && last.is_none() {
        finding.severity = Severity::Medium;
        let before = previous(timeline).map(|earlier| names(&earlier.maintainers));
        finding.evidence.push(Evidence::change(
            "maintainers",
            before,
            Some(names(&publication.maintainers)),
        ));
    }
    finding
}

/// Whether the registry said at the previous release who may publish, and this one was not among them.
fn is_newcomer(timeline: &Timeline<'_>, publisher: &Publisher) -> bool {
    previous(timeline).is_some_and(|earlier| {
        !earlier.maintainers.is_empty()
            && !earlier
                .maintainers
                .iter()
                .any(|person| person.name == publisher.name)
    })
}

/// How the newest release before this one came to be.
fn previous<'t>(timeline: &'t Timeline<'_>) -> Option<&'t Publication> {
    timeline.recent().next().map(|(_, publication)| publication)
}

/// How many different publishers there were.
fn people(recent: &[(&Event<'_>, &Publisher)]) -> usize {
    let mut seen: Vec<&Publisher> = Vec::new();
    for (_, publisher) in recent {
        if !seen.iter().any(|other| is_same(publisher, other)) {
            seen.push(publisher);
        }
    }
    seen.len()
}

fn names(people: &[Person]) -> String {
    let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
    names.join(", ")
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand};
    let by = |name: &str, maintainers: &[&str]| {
        let list: Vec<_> = maintainers
            .iter()
            .map(|name| serde_json::json!({ "name": name }))
            .collect();
        let user = serde_json::json!({ "name": name, "email": format!("{name}@mail.example") });
        serde_json::json!({ "_npmUser": user, "maintainers": list }).to_string()
    };
    let mara = || by_hand("mara");
    let past = || {
        Scene::of("left-lib", "1.4.1")
            .release("1.2.0", "2025-10-01T09:00:00Z", &mara())
            .release("1.3.0", "2026-01-01T09:00:00Z", &mara())
            .release("1.4.0", "2026-04-01T09:00:00Z", &mara())
    };
    let two = ["mara", "otto"];
    vec![
        Sample::flagged(
            "A stranger who was made a maintainer after the last release",
            past().release(
                "1.4.1",
                "2026-06-14T09:00:00Z",
                &by("lena", &["mara", "lena"]),
            ),
        ),
        Sample::flagged(
            "A co-maintainer who has not published for three years",
            Scene::of("left-lib", "1.4.1")
                .release("1.0.0", "2023-01-01T09:00:00Z", &by("otto", &two))
                .release("1.2.0", "2025-10-01T09:00:00Z", &by("mara", &two))
                .release("1.3.0", "2026-01-01T09:00:00Z", &by("mara", &two))
                .release("1.4.0", "2026-04-01T09:00:00Z", &by("mara", &two))
                .release("1.4.1", "2026-06-14T09:00:00Z", &by("otto", &two)),
        ),
        Sample::flagged(
            "A maintainer of long standing who never published",
            Scene::of("left-lib", "1.4.1")
                .release("1.2.0", "2025-10-01T09:00:00Z", &by("mara", &two))
                .release("1.3.0", "2026-01-01T09:00:00Z", &by("mara", &two))
                .release("1.4.0", "2026-04-01T09:00:00Z", &by("mara", &two))
                .release("1.4.1", "2026-06-14T09:00:00Z", &by("otto", &two)),
        ),
        Sample::flagged(
            "The second release by somebody whose first one was refused",
            past()
                .release(
                    "1.4.0-x",
                    "2026-06-13T09:00:00Z",
                    &by("lena", &["mara", "lena"]),
                )
                .refused("1.4.0-x")
                .release(
                    "1.4.1",
                    "2026-06-14T09:00:00Z",
                    &by("lena", &["mara", "lena"]),
                ),
        ),
        Sample::flagged(
            "An account of another name, with the mail address of the usual publisher",
            past().release(
                "1.4.1",
                "2026-06-14T09:00:00Z",
                r#"{"_npmUser":{"name":"mara-codes","email":"mara@mail.example"}}"#,
            ),
        ),
        Sample::flagged(
            "An account whose name differs in case alone",
            past().release("1.4.1", "2026-06-14T09:00:00Z", &by("MARA", &["mara"])),
        ),
        Sample::passing(
            "Near miss: two maintainers who take turns",
            Scene::of("left-lib", "1.4.1")
                .release("1.2.0", "2025-10-01T09:00:00Z", &by("otto", &two))
                .release("1.3.0", "2026-01-01T09:00:00Z", &by("mara", &two))
                .release("1.4.0", "2026-04-01T09:00:00Z", &by("mara", &two))
                .release("1.4.1", "2026-06-14T09:00:00Z", &by("otto", &two)),
        ),
        Sample::passing(
            "The first release from a workflow",
            past().release(
                "1.4.1",
                "2026-06-14T09:00:00Z",
                &crate::sample::from_workflow(),
            ),
        ),
        Sample::passing(
            "The owner comes back to a package in which nothing happened meanwhile",
            Scene::of("left-lib", "1.4.1")
                .release("1.3.0", "2020-01-01T09:00:00Z", &mara())
                .release("1.4.0", "2021-04-01T09:00:00Z", &mara())
                .release("1.4.1", "2026-06-01T09:00:00Z", &mara()),
        ),
    ]
}
