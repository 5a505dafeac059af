//! `maintainer-change`: those who may publish are not those of the release before.

use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::packument::{Person, Publisher};

use crate::accounts::{Account, Resemblance, is_same_account};
use crate::timeline::{Event, Timeline, is_same};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "maintainer-change",
    summary: "None of those who could publish the release before can publish this one",
    since: "next",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Identity,
    severity: Severity::Low,
    confidence: Confidence::High,
    needs: &[Input::Manifest, Input::History, Input::Publisher],
    incidents: &["event-stream, 2018", "art-template, 2025"],
    documentation: Documentation {
        sees: "The lists of maintainers that the registry recorded with this release and with the last one before it \
               that had been out for a week or was allowed here without a notice; where there is none, with the first. \
               It counts if no account is on both. Names that differ in case alone or in letters that look alike are \
               two accounts, and so are two names with one mail address: that is said. Accounts that came \
               are mentioned for information, those that only left are not. A release from a workflow is left \
               out where one of the earlier maintainers is still there, or where a workflow of that host published when \
               they were: its owners let it publish.",
        matters: "Packages change hands quietly: a stranger asks, an owner agrees, and the next release is the \
                  stranger's. So do stolen ones, when the thief removes everybody else.",
        wrong: "Owners hand over to their successors and leave, and companies replace all accounts at once by one \
                that is shared. Somebody who changed accounts comes with the same mail address, which anybody may state. \
                Each release of the first week tells it once more.",
        todo: "Look whether the old maintainers said that they hand over, and to whom.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let (Some(now), Some((earlier, before))) = (timeline.publication(), timeline.measure()) else {
        return;
    };
    // Where the registry does not say who published, maintainers are what the package says of itself.
    let unknown = now.publisher.is_none() || before.publisher.is_none();
    if unknown || now.maintainers.is_empty() || before.maintainers.is_empty() {
        return;
    }
    // A registry may give people without a name, who are nobody in particular.
    let named = now
        .maintainers
        .iter()
        .filter(|it| !it.name.trim().is_empty());
    let came: Vec<&Person> = named
        .filter(|person| !is_among(person, &before.maintainers))
        .filter(|person| !is_at_home(timeline, person))
        .collect();
    let replaced = came.len() == now.maintainers.len();
    let publisher = now.publisher.as_ref();
    let workflow = publisher.filter(|publisher| publisher.trusted_publisher);
    let owners_let_it =
        workflow.is_some_and(|it| !replaced || published_before(timeline, earlier, it));
    if came.is_empty() || owners_let_it {
        return;
    }
    let mut words = if replaced {
        format!(
            "None of the maintainers of {} is one of this release's ({} now)",
            earlier.text,
            listed(came.iter().copied())
        )
    } else {
        format!(
            "{} became a maintainer since {}",
            listed(came.iter().copied()),
            earlier.text
        )
    };
    let resembled = resembled(&came, &before.maintainers);
    if let Some((person, resemblance)) = &resembled {
        let whose = format!(" of {}", person.name);
        words = format!("{words}; {}", resemblance.words(&whose));
    }
    let mut finding = SIGNAL.finding(weir_model::finding::printable(&words, 400));
    if !replaced {
        finding.severity = Severity::Info;
    }
    finding.evidence.push(Evidence::change(
        format!("maintainers ({} -> {})", earlier.text, subject.version),
        Some(listed(before.maintainers.iter())),
        Some(listed(now.maintainers.iter())),
    ));
    let spelled = resembled.and_then(|(_, resemblance)| resemblance.evidence("maintainers"));
    finding.evidence.extend(spelled);
    observation.find(finding);
}

/// Whether an account was a maintainer of releases with higher numbers that had long been out, where it is not known
/// when this one was published: then it came to the package before, whatever the release below has.
fn is_at_home(timeline: &Timeline<'_>, person: &Person) -> bool {
    let mut above = timeline.above();
    above.any(|(_, above)| above.publisher.is_some() && is_among(person, &above.maintainers))
}

/// Whether that workflow published when the earlier maintainers were there: then they let it. One that began with
/// those who came is theirs.
fn published_before(timeline: &Timeline<'_>, earlier: &Event<'_>, workflow: &Publisher) -> bool {
    timeline
        .recent_from(earlier.text)
        .filter_map(|(_, publication)| publication.publisher.as_ref())
        .any(|publisher| is_same(publisher, workflow))
}

/// Whether one of them is that account. A mail address tells nothing: an account may state any.
fn is_among(person: &Person, people: &[Person]) -> bool {
    people
        .iter()
        .any(|other| is_same_account(&person.name, &other.name))
}

/// The first of those who came that could be taken for one of those before.
fn resembled<'p>(
    came: &[&'p Person],
    before: &'p [Person],
) -> Option<(&'p Person, Resemblance<'p>)> {
    let earlier: Vec<Account<'p>> = before.iter().map(Account::from).collect();
    let mut came = came.iter().copied();
    came.find_map(|person| Some((person, Resemblance::find(Account::from(person), &earlier)?)))
}

fn listed<'p>(people: impl Iterator<Item = &'p Person>) -> String {
    /// Longer lists say no more.
    const SHOWN: usize = 10;
    let mut names: Vec<&str> = people.map(|person| person.name.as_str()).collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let names = names.join(", ");
    match more {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let by = |publisher: &str, maintainers: &[(&str, &str)]| {
        let list: Vec<_> = maintainers
            .iter()
            .map(|(name, mail)| serde_json::json!({ "name": name, "email": mail }))
            .collect();
        serde_json::json!({ "_npmUser": { "name": publisher }, "maintainers": list }).to_string()
    };
    let from = |maintainer: &str| {
        serde_json::json!({
            "_npmUser": { "name": "GitHub Actions", "trustedPublisher": { "id": "github" } },
            "maintainers": [{ "name": maintainer }],
        })
        .to_string()
    };
    let mara = ("mara", "mara@mail.example");
    let otto = ("otto", "otto@mail.example");
    let after = |manifest: &str| {
        Scene::of("left-lib", "1.4.1")
            .release("1.3.0", "2026-01-01T09:00:00Z", &by("mara", &[mara, otto]))
            .release("1.4.0", "2026-04-01T09:00:00Z", &by("mara", &[mara, otto]))
            .release("1.4.1", "2026-06-14T09:00:00Z", manifest)
    };
    vec![
        Sample::flagged(
            "Both maintainers are gone, and somebody else is there",
            after(&by("lena", &[("lena", "lena@mail.example")])),
        ),
        Sample::flagged(
            "All replaced, published under the name of one who left",
            after(&by("mara", &[("lena", "lena@mail.example")])),
        ),
        Sample::flagged(
            "All replaced in a release of which the registry does not say when it was published",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2026-04-01T09:00:00Z", &by("mara", &[mara, otto]))
                .release("1.4.1", "", &by("lena", &[("lena", "lena@mail.example")])),
        ),
        Sample::passing(
            "Near miss: one maintainer joins, for information",
            after(&by("mara", &[mara, otto, ("lena", "lena@mail.example")])),
        ),
        Sample::passing("One maintainer leaves", after(&by("mara", &[mara]))),
        Sample::flagged(
            "An account of another name with the same mail address",
            after(&by("mara-codes", &[("mara-codes", "mara@mail.example")])),
        ),
        Sample::flagged(
            "An account whose name differs in case alone, with the same mail address",
            after(&by("Mara", &[("Mara", "mara@mail.example")])),
        ),
        Sample::flagged(
            "The second release within a week after all were replaced",
            after(&by("lena", &[("lena", "lena@mail.example")])).release(
                "1.4.2",
                "2026-06-10T09:00:00Z",
                &by("lena", &[("lena", "lena@mail.example")]),
            ),
        ),
        Sample::flagged(
            "All replaced, and the first release ever from a workflow",
            after(&from("lena")),
        ),
        Sample::flagged(
            "The second release from a workflow within a week after all were replaced",
            after(&from("lena")).release("1.4.2", "2026-06-10T09:00:00Z", &from("lena")),
        ),
        Sample::passing(
            "Near miss: the first release from a workflow, and one old maintainer is left",
            after(&from("otto")),
        ),
        Sample::passing(
            "All replaced, but the workflow had published before that",
            after(&from("lena")).release("1.4.2", "2026-05-01T09:00:00Z", &from("otto")),
        ),
        Sample::passing(
            "The same maintainers, one of them with another mail address",
            after(&by("mara", &[("mara", "mara@elsewhere.example"), otto])),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use weir_model::Severity;

    use super::SIGNAL;
    use crate::Observation;
    use crate::sample::Scene;

    /// An account, and the mail address that it states.
    type Listed = (&'static str, &'static str);

    /// A release: its version, when it was published, and its maintainers.
    type Release = (&'static str, &'static str, &'static [Listed]);

    const MARA: Listed = ("mara", "mara@mail.example");
    const LENA: Listed = ("lena", "lena@mail.example");

    /// What the signal says of a release of 14 June with these maintainers and this past, of which `fine` was
    /// allowed here.
    fn said(past: &[Release], fine: &[&str], by: &[Listed]) -> Option<(Severity, String)> {
        let manifest = |listed: &[Listed]| {
            let people = listed.iter();
            let people: Vec<_> = people
                .map(|(name, mail)| serde_json::json!({ "name": name, "email": mail }))
                .collect();
            let publisher = listed.first().map(|(name, _)| *name);
            serde_json::json!({ "_npmUser": { "name": publisher }, "maintainers": people })
                .to_string()
        };
        let mut scene = Scene::of("left-lib", "1.9.9");
        for (version, published, listed) in past.iter().copied() {
            scene = scene.release(version, published, &manifest(listed));
        }
        let mut observation = Observation::default();
        scene
            .release("1.9.9", "2026-06-14T09:00:00Z", &manifest(by))
            .knowing(fine)
            .with_subject(|subject| SIGNAL.run(subject, &mut observation));
        let found = observation.findings.into_iter().next();
        found.map(|it| (it.severity, it.message))
    }

    #[test]
    fn an_account_is_its_name_to_the_letter() {
        let past: [Release; 2] = [
            ("1.0.0", "2026-01-01T09:00:00Z", &[MARA]),
            ("1.1.0", "2026-02-01T09:00:00Z", &[MARA]),
        ];
        let none = "None of the maintainers of 1.1.0 is one of this release's";
        for (by, rest) in [
            (
                ("eve", "mara@mail.example"),
                "(eve now); the mail address of eve is that of mara, which does not make them one account",
            ),
            (
                ("Mara", "mara@mail.example"),
                "(Mara now); the name of Mara differs from that of mara in case alone, which makes it another account",
            ),
            (
                ("rnara", "rnara@mail.example"),
                "(rnara now); the name of rnara looks like that of \"mara\" and is spelled \"rnara\", which makes it \
                 another account",
            ),
            (LENA, "(lena now)"),
        ] {
            let expected = (Severity::Low, format!("{none} {rest}"));
            assert_eq!(said(&past, &[], &[by]), Some(expected), "{by:?}");
        }
        // Near misses: the same account with another address, and somebody without a name.
        for by in [("mara", "new@mail.example"), ("", "mara@mail.example")] {
            assert_eq!(said(&past, &[], &[by]), None, "{by:?}");
        }
        let joined = said(&past, &[], &[MARA, ("Mara", "mara@mail.example")]);
        assert_eq!(joined.map(|it| it.0), Some(Severity::Info));
    }

    #[test]
    fn a_release_of_the_last_week_is_no_past_unless_it_was_allowed_here() {
        let old: Release = ("1.0.0", "2026-01-01T09:00:00Z", &[MARA]);
        let day: Release = ("1.1.0", "2026-06-13T09:00:00Z", &[LENA]);
        let days: Release = ("1.1.0", "2026-06-09T09:00:00Z", &[LENA]);
        let week: Release = ("1.1.0", "2026-06-06T09:00:00Z", &[LENA]);
        let begun: Release = ("1.0.0", "2026-06-10T09:00:00Z", &[MARA]);
        let low = Some(Severity::Low);
        let cases: [(&[Release], &[&str], Option<Severity>); 8] = [
            (&[old], &[], low),
            (&[old, day], &[], low),
            (&[old, days], &[], low),
            (&[old, days], &["1.1.0"], None),
            (&[old, week], &[], None),
            // Of a package that is days old, whoever began it is no stranger.
            (&[begun], &[], low),
            (&[begun, day], &[], low),
            (&[begun, day], &["1.1.0"], None),
        ];
        for (past, fine, severity) in cases {
            let found = said(past, fine, &[LENA]).map(|(severity, _)| severity);
            assert_eq!(found, severity, "{past:?} {fine:?}");
        }
        assert_eq!(said(&[begun, day], &[], &[MARA]), None);
    }
}
