//! `new-publisher`: somebody published who never, or not for long, published this package.

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Finding, Group, Severity};
use weir_npm::packument::{Person, Publication, Publisher, VersionManifest};

use crate::accounts::{Account, Resemblance, is_same_account};
use crate::lesson::repository_owner;
use crate::timeline::{Event, Timeline, in_words, is_same, who};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Fewer earlier releases than this say nothing about who usually publishes.
const PAST: usize = 3;

/// A maintainer who has not published for this long is idle, if others have meanwhile (INCIDENTS I14,
/// I44: two years and more).
const IDLE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Releases that others have to have published meanwhile: a package that slept has no idle people.
const MEANWHILE: usize = 3;

/// For how long a prerelease has to have been out before it makes its publisher known to stable releases: it costs
/// nothing to publish one that nobody installs, and no attack on record but one was prepared for longer.
const KNOWN_BY_PRERELEASE: SignedDuration = SignedDuration::from_hours(90 * 24);

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
               year in which others published three or more. Releases count once they have been out for a week, \
               prereleases for a stable one after 90 days: until then whoever published them stays new. It says whether the account was listed as a \
               maintainer in the release before (idle all the while) or was not (new, which weighs more). Names \
               that differ in case alone or in letters that look alike are two accounts, and so are two names with one \
               mail address: that is said. \
               All workflows of one host are one publisher. The first release by a workflow is told where it has no \
               provenance and the owner of its repository changed, or somebody became a maintainer, along with it. Where it is not known when a release was published, those with \
               lower numbers are the ones before it, whoever published those with higher numbers that have been out for a \
               week is not new, and whether somebody was idle is not known. A release that also lost the evidence of where it was built \
               counts as evidence of trust, because both are one fact.",
        matters: "Rights to publish are seldom taken back. Attackers found the account of somebody who had long left, or \
                  talked a maintainer into adding them, and published under a trusted name.",
        wrong: "Projects change hands and teams grow. Where five people have published lately a sixth is mentioned for \
                information only. A new maintainer is told for each release of the first week. Somebody who changed \
                accounts comes with the same mail address: no more than low, because an address is what an account says of itself. Registries that leave publishers out say nothing about it: that is reported as not known.",
        todo: "Look whether the project says that this person publishes: in its repository, its releases, its \
               discussions.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let Some(publication) = timeline.publication() else {
        return;
    };
    let Some(publisher) = &publication.publisher else {
        return;
    };
    if publisher.trusted_publisher {
        let found = first_by_workflow(subject, publication, publisher);
        found.into_iter().for_each(|it| observation.find(it));
        return;
    }
    let recent = past(timeline, publisher);
    if recent.is_empty() {
        return;
    }
    let last = match recent.iter().find(|(_, other)| is_same(publisher, other)) {
        Some((event, _)) => Some(*event),
        None => by_them(timeline, publisher, true),
    };
    let idle = last.and_then(|event| timeline.ago(event));
    // Whoever published before is no stranger; for how long they did not is not known without times.
    if last.is_some() && idle.is_none() {
        return;
    }
    let meanwhile = recent
        .iter()
        .take_while(|(event, _)| last.is_none_or(|last| event.published > last.published))
        .count();
    if idle.is_some_and(|idle| idle < IDLE || meanwhile < MEANWHILE) {
        return;
    }
    let mut finding = tell(timeline, publication, publisher, last, idle);
    if let Some(resemblance) = resemblance(publisher, &recent) {
        let words = format!("{}; {}", finding.message, resemblance.words(""));
        finding.message = weir_model::finding::printable(&words, 400);
        finding.severity = finding.severity.min(resemblance.most());
        finding
            .evidence
            .extend(resemblance.evidence("_npmUser.name"));
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

/// The releases that tell who publishes: those that had been out for a week, or a stranger's first release
/// would excuse the second. Where too few had, the others count as well, but for the stranger's own; and
/// whoever published the first release of a package that is days old is no stranger to it.
fn past<'t, 'a>(
    timeline: &'t Timeline<'a>,
    publisher: &Publisher,
) -> Vec<(&'t Event<'a>, &'t Publisher)> {
    let settled: Vec<_> = timeline.recent_settled().filter_map(published_by).collect();
    if settled.len() >= PAST {
        return settled;
    }
    let first = timeline.before.last();
    let founder = first
        .filter(|event| !timeline.has_settled(event))
        .and_then(|event| timeline.read(event)?.publisher.as_ref());
    if founder.is_some_and(|founder| is_same(founder, publisher)) {
        return Vec::new();
    }
    let recent = timeline.recent().filter_map(published_by);
    recent
        .filter(|(event, other)| timeline.has_settled(event) || !is_same(publisher, other))
        .collect()
}

fn published_by<'t, 'a>(
    (event, publication): (&'t Event<'a>, &'t Publication),
) -> Option<(&'t Event<'a>, &'t Publisher)> {
    Some((event, publication.publisher.as_ref()?))
}

/// The last release by that account, of those that had settled or of the others.
fn by_them<'t, 'a>(
    timeline: &'t Timeline<'a>,
    publisher: &Publisher,
    settled: bool,
) -> Option<&'t Event<'a>> {
    // Workflows have one name, or none.
    let account = (!publisher.trusted_publisher).then_some(publisher.name.as_str());
    timeline.last_by(
        account,
        |event| makes_known(timeline, event) == settled,
        |other| is_same(publisher, other),
    )
}

/// Whether that release makes whoever published it known: it had been out for a week, or for longer where it is a
/// prerelease and this one is none.
fn makes_known(timeline: &Timeline<'_>, event: &Event<'_>) -> bool {
    let own = timeline.own.as_ref();
    let alike = !event.version.is_prerelease() || own.is_some_and(|it| it.version.is_prerelease());
    let ago = || timeline.ago(event);
    timeline.has_settled(event) && (alike || ago().is_none_or(|ago| ago >= KNOWN_BY_PRERELEASE))
}

/// What is to be said of the first release by a workflow. Only owners can let one publish, and with provenance it says
/// where it comes from. Without, nothing tells whose workflow it is, and whoever came to the package lately may have
/// let it: so it is told where the repository, or who may publish, changed along with it.
fn first_by_workflow(
    subject: &Subject<'_>,
    publication: &Publication,
    publisher: &Publisher,
) -> Option<Finding> {
    let timeline = subject.timeline();
    let recent = past(timeline, publisher);
    let known = recent.iter().any(|(_, other)| is_same(publisher, other));
    if publication.provenance || recent.is_empty() || known {
        return None;
    }
    if by_them(timeline, publisher, true).is_some() {
        return None;
    }
    let before = previous(timeline, publisher).map_or(&[][..], |earlier| &earlier.maintainers);
    let is_new = |person: &&Person| {
        let mut before = before.iter();
        !before.any(|known| is_same_account(&known.name, &person.name))
    };
    let now = publication.maintainers.iter();
    let came: Vec<Person> = match before.is_empty() {
        true => Vec::new(),
        false => now.filter(is_new).cloned().collect(),
    };
    let moved = moved_repository(subject);
    let mut with = Vec::new();
    if !came.is_empty() {
        with.push(format!("{} became a maintainer", names(&came)));
    }
    if let Some((from, to)) = &moved {
        with.push(format!("its repository moved from {from} to {to}"));
    }
    if with.is_empty() {
        return None;
    }
    let words = format!(
        "{} published this for the first time, without provenance, and {}",
        who(publisher),
        with.join(", and ")
    );
    let mut finding = SIGNAL.finding(weir_model::finding::printable(&words, 400));
    if recent.len() < PAST || people(&recent) >= MANY {
        finding.severity = Severity::Info;
    }
    if timeline.trust_dropped() {
        finding.group = Group::Trust;
    }
    let usual = recent.first().map(|(_, other)| who(other));
    finding.evidence.push(Evidence::change(
        "_npmUser.name",
        usual,
        Some(who(publisher)),
    ));
    if let Some((from, to)) = moved {
        finding
            .evidence
            .push(Evidence::change("repository", Some(from), Some(to)));
    }
    Some(finding)
}

/// The owners of the repositories that the release before and this one name, where they differ.
fn moved_repository(subject: &Subject<'_>) -> Option<(String, String)> {
    let owner =
        |manifest: &VersionManifest| repository_owner(manifest.manifest.repository.as_deref()?);
    let (_, before) = subject.previous_manifest()?;
    let (from, to) = (owner(before)?, owner(subject.manifest().ok()?)?);
    (from != to).then_some((from, to))
}

/// The earlier publisher whom this one could be taken for.
fn resemblance<'p>(
    publisher: &'p Publisher,
    recent: &[(&Event<'_>, &'p Publisher)],
) -> Option<Resemblance<'p>> {
    let others = recent.iter().map(|(_, other)| *other);
    let accounts: Vec<Account<'p>> = others
        .filter(|other| !other.trusted_publisher)
        .map(Account::from)
        .collect();
    Resemblance::find(Account::from(publisher), &accounts)
}

fn tell(
    timeline: &Timeline<'_>,
    publication: &Publication,
    publisher: &Publisher,
    last: Option<&Event<'_>>,
    idle: Option<SignedDuration>,
) -> Finding {
    let newcomer = is_newcomer(timeline, publisher);
    let mut words = told(timeline, publisher, last.zip(idle));
    if newcomer && last.is_none() {
        words.push_str(", and was not a maintainer at the last one");
    }
    let mut finding = SIGNAL.finding(weir_model::finding::printable(&words, 400));
    if newcomer && last.is_none() {
        finding.severity = Severity::Medium;
        let before = previous(timeline, publisher).map(|earlier| names(&earlier.maintainers));
        finding.evidence.push(Evidence::change(
            "maintainers",
            before,
            Some(names(&publication.maintainers)),
        ));
    }
    finding
}

/// What they published before this one, in words.
fn told(
    timeline: &Timeline<'_>,
    publisher: &Publisher,
    last: Option<(&Event<'_>, SignedDuration)>,
) -> String {
    let name = who(publisher);
    let lately = by_them(timeline, publisher, false);
    // What is not known to have been out for a week is not said not to have been.
    let none = match lately {
        Some(event) if event.unplaced => {
            "none of the releases that are known to have been out for a week"
        }
        Some(event) if timeline.has_settled(event) => {
            "no stable release before, nor a prerelease that had been out for 90 days"
        }
        _ => "none of the releases that had been out for a week",
    };
    let lately = lately.map(|event| match timeline.ago(event) {
        Some(ago) if ago.is_zero() => format!("{} (at the same time)", event.text),
        Some(ago) => format!("{} ({} before)", event.text, in_words(ago)),
        None if event.unplaced => format!("{} (when is not known)", event.text),
        None => event.text.to_owned(),
    });
    match (last, lately) {
        (Some((last, idle)), None) => format!(
            "{name} published this, for the first time in {} (since {})",
            in_words(idle),
            last.text
        ),
        (Some((last, idle)), Some(lately)) => format!(
            "{name} published this and {lately}, but {none} in {} (since {})",
            in_words(idle),
            last.text
        ),
        (None, None) => format!("{name} published this and none of the releases before"),
        (None, Some(lately)) => format!("{name} published this and {lately}, but {none}"),
    }
}

/// Whether the registry said at the previous release who may publish, and this one was not among them.
fn is_newcomer(timeline: &Timeline<'_>, publisher: &Publisher) -> bool {
    previous(timeline, publisher).is_some_and(|earlier| {
        !earlier.maintainers.is_empty()
            && !earlier
                .maintainers
                .iter()
                .any(|person| is_same_account(&person.name, &publisher.name))
    })
}

/// How the newest release before this one came to be. Their own of the last days are passed over: whoever
/// takes a package adds themselves.
fn previous<'t>(timeline: &'t Timeline<'_>, publisher: &Publisher) -> Option<&'t Publication> {
    let theirs = |earlier: &Publication| {
        let by = earlier.publisher.as_ref();
        by.is_some_and(|by| is_same(by, publisher))
    };
    timeline
        .recent()
        .chain(timeline.recent_settled())
        .find(|(event, earlier)| timeline.has_settled(event) || !theirs(earlier))
        .map(|(_, earlier)| earlier)
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
    let home = |user: serde_json::Value, repository: &str, maintainers: &[&str], dist| {
        let list = maintainers.iter();
        let list: Vec<_> = list
            .map(|name| serde_json::json!({ "name": name }))
            .collect();
        serde_json::json!({
            "_npmUser": user, "repository": repository, "maintainers": list, "dist": dist,
        })
        .to_string()
    };
    let workflows = |repository: &str, other: &str, provenance: bool| {
        let mut dist = serde_json::json!({});
        if provenance {
            let predicate = "https://slsa.dev/provenance/v1";
            dist = serde_json::json!({ "attestations": { "provenance": { "predicateType": predicate } } });
        }
        let by_hand = |name: &str| {
            let user = serde_json::json!({ "name": name });
            home(
                user,
                "github:mara/left-lib",
                &["mara"],
                serde_json::json!({}),
            )
        };
        let by_workflow = serde_json::json!({
            "name": "GitHub Actions", "trustedPublisher": { "id": "github" },
        });
        Scene::of("left-lib", "1.4.1")
            .release("1.2.0", "2025-10-01T09:00:00Z", &by_hand("mara"))
            .release("1.3.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
            .release("1.4.0", "2026-04-01T09:00:00Z", &by_hand("mara"))
            .release(
                "1.4.1",
                "2026-06-14T09:00:00Z",
                &home(by_workflow, repository, &["mara", other], dist),
            )
    };
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
            "A stranger whose prerelease of eighteen days before nobody installed",
            past()
                .release("1.4.1-beta.0", "2026-05-27T09:00:00Z", &by("lena", &two))
                .release("1.4.1", "2026-06-14T09:00:00Z", &by("lena", &two)),
        ),
        Sample::passing(
            "Near miss: one who has published prereleases since last year",
            past()
                .release("1.4.0-beta.0", "2025-11-27T09:00:00Z", &by("lena", &two))
                .release("1.4.1", "2026-06-14T09:00:00Z", &by("lena", &two)),
        ),
        Sample::flagged(
            "A workflow, for the first time and without provenance, once the repository belongs to somebody else",
            workflows("github:lena/left-lib", "mara", false),
        ),
        Sample::flagged(
            "A workflow, for the first time and without provenance, once somebody became a maintainer",
            workflows("github:mara/left-lib", "lena", false),
        ),
        Sample::passing(
            "Near miss: the same people and repository",
            workflows("github:mara/left-lib", "mara", false),
        ),
        Sample::passing(
            "Near miss: with provenance, which says where it comes from",
            workflows("github:lena/left-lib", "lena", true),
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
            "The second release within a day by somebody new: the first one excuses nothing",
            past()
                .release(
                    "1.4.1-x",
                    "2026-06-13T20:00:00Z",
                    &by("lena", &["mara", "lena"]),
                )
                .release(
                    "1.4.2",
                    "2026-06-14T08:50:00Z",
                    &by("lena", &["mara", "lena"]),
                )
                .release(
                    "1.4.1",
                    "2026-06-14T09:00:00Z",
                    &by("lena", &["mara", "lena"]),
                ),
        ),
        Sample::flagged(
            "An account whose name is that of the usual publisher but for a letter that looks the same",
            past().release(
                "1.4.1",
                "2026-06-14T09:00:00Z",
                r#"{"_npmUser":{"name":"m\u0430ra","email":"mara@mail.example"},
                    "maintainers":[{"name":"mara"}]}"#,
            ),
        ),
        Sample::flagged(
            "An account whose name differs in case alone",
            past().release("1.4.1", "2026-06-14T09:00:00Z", &by("MARA", &["mara"])),
        ),
        Sample::flagged(
            "A stranger's release of which the registry does not say when it was published",
            past().release("1.4.1", "", &by("lena", &["mara", "lena"])),
        ),
        Sample::passing(
            "Near miss: two maintainers who take turns, and no publish time",
            Scene::of("left-lib", "1.4.1")
                .release("1.2.0", "2021-10-01T09:00:00Z", &by("otto", &two))
                .release("1.3.0", "2026-01-01T09:00:00Z", &by("mara", &two))
                .release("1.3.1", "2026-02-01T09:00:00Z", &by("mara", &two))
                .release("1.4.0", "2026-04-01T09:00:00Z", &by("mara", &two))
                .release("1.4.1", "", &by("otto", &two)),
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
            "A maintainer whose first release has been out for a month",
            past()
                .release("1.4.2", "2026-05-14T09:00:00Z", &by("otto", &two))
                .release("1.4.1", "2026-06-14T09:00:00Z", &by("otto", &two)),
        ),
        Sample::passing(
            "A publisher without a name, which is not known rather than new",
            past().release(
                "1.4.1",
                "2026-06-14T09:00:00Z",
                r#"{"_npmUser":{"name":" ","email":"mara@mail.example"}}"#,
            ),
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

#[cfg(test)]
mod tests {
    use weir_model::Severity;

    use super::SIGNAL;
    use crate::Observation;
    use crate::sample::Scene;

    /// A release: its version, when it was published, by whom.
    type Release = (&'static str, &'static str, &'static str);

    /// What the signal says of a release of 14 June by that account, with this past.
    fn said(past: &[Release], by: &str) -> Option<(Severity, String)> {
        let manifest = |name: &str| {
            format!(
                r#"{{"_npmUser":{{"name":"{name}"}},
                    "maintainers":[{{"name":"mara"}},{{"name":"{name}"}}]}}"#
            )
        };
        let mut scene = Scene::of("left-lib", "1.9.9");
        for (version, published, name) in past.iter().copied() {
            scene = scene.release(version, published, &manifest(name));
        }
        let mut observation = Observation::default();
        scene
            .release("1.9.9", "2026-06-14T09:00:00Z", &manifest(by))
            .with_subject(|subject| SIGNAL.run(subject, &mut observation));
        let found = observation.findings.into_iter().next();
        found.map(|it| (it.severity, it.message))
    }

    #[test]
    fn whoever_is_new_stays_new_until_a_release_of_theirs_has_been_out_for_a_week() {
        let old: [Release; 3] = [
            ("1.0.0", "2026-01-01T09:00:00Z", "mara"),
            ("1.1.0", "2026-02-01T09:00:00Z", "mara"),
            ("1.2.0", "2026-03-01T09:00:00Z", "mara"),
        ];
        let new = |published: &'static str| -> Vec<Release> {
            old.into_iter()
                .chain([("1.3.0", published, "eve")])
                .collect()
        };
        let severity = |past: &[Release], by: &str| said(past, by).map(|(severity, _)| severity);
        assert_eq!(severity(&old, "eve"), Some(Severity::Medium));
        let second = said(&new("2026-06-14T08:50:00Z"), "eve").unwrap();
        assert_eq!(second.0, Severity::Medium);
        assert_eq!(
            second.1,
            "eve published this and 1.3.0 (10 minutes before), but none of the releases that had been out for a \
             week, and was not a maintainer at the last one"
        );
        assert_eq!(
            severity(&new("2026-06-07T10:00:00Z"), "eve"),
            Some(Severity::Medium)
        );
        assert_eq!(severity(&new("2026-06-07T08:00:00Z"), "eve"), None);
        assert_eq!(severity(&new("2026-06-14T08:50:00Z"), "mara"), None);
    }

    #[test]
    fn whoever_began_a_package_is_no_stranger_to_it() {
        let young = [
            ("1.0.0", "2026-06-11T09:00:00Z", "mara"),
            ("1.1.0", "2026-06-12T09:00:00Z", "mara"),
            ("1.2.0", "2026-06-13T09:00:00Z", "mara"),
            ("1.3.0", "2026-06-13T10:00:00Z", "eve"),
        ];
        assert_eq!(said(&young, "mara"), None);
        assert_eq!(
            said(&young, "eve").map(|(severity, _)| severity),
            Some(Severity::Medium)
        );
    }
}
