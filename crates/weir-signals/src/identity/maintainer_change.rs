//! `maintainer-change`: those who may publish are not those of the release before.

use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::packument::Person;

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
        sees: "The lists of maintainers that the registry recorded with this release and with the last one before it. \
               It counts if no account is on both; accounts with the same mail address are one. Accounts that came \
               are mentioned for information, those that only left are not. A release from a workflow is left out: \
               its owners let it publish.",
        matters: "Packages change hands quietly: a stranger asks, an owner agrees, and the next release is the \
                  stranger's. So do stolen ones, when the thief removes everybody else.",
        wrong: "Owners hand over to their successors and leave, and companies replace all accounts at once by one \
                that is shared.",
        todo: "Look whether the old maintainers said that they hand over, and to whom.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let (Some(now), Some((earlier, before))) = (timeline.publication(), timeline.recent().next())
    else {
        return;
    };
    // Where the registry does not say who published, maintainers are what the package says of itself.
    let unknown = now.publisher.is_none() || before.publisher.is_none();
    if unknown || now.maintainers.is_empty() || before.maintainers.is_empty() {
        return;
    }
    let by_workflow = now
        .publisher
        .as_ref()
        .is_some_and(|publisher| publisher.trusted_publisher);
    let came: Vec<&Person> = now
        .maintainers
        .iter()
        .filter(|person| !is_among(person, &before.maintainers))
        .collect();
    if came.is_empty() || by_workflow {
        return;
    }
    let replaced = came.len() == now.maintainers.len();
    let words = if replaced {
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
    let mut finding = SIGNAL.finding(weir_model::finding::printable(&words, 400));
    if !replaced {
        finding.severity = Severity::Info;
    }
    finding.evidence.push(Evidence::change(
        format!("maintainers ({} -> {})", earlier.text, subject.version),
        Some(listed(before.maintainers.iter())),
        Some(listed(now.maintainers.iter())),
    ));
    observation.find(finding);
}

/// Whether one of them is that person, by account or by mail address.
fn is_among(person: &Person, people: &[Person]) -> bool {
    people.iter().any(|other| {
        let same_mail = matches!((&person.email, &other.email), (Some(one), Some(two)) if one.eq_ignore_ascii_case(two));
        same_mail || person.name.eq_ignore_ascii_case(&other.name)
    })
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
        Sample::passing(
            "Near miss: one maintainer joins, for information",
            after(&by("mara", &[mara, otto, ("lena", "lena@mail.example")])),
        ),
        Sample::passing("One maintainer leaves", after(&by("mara", &[mara]))),
        Sample::passing(
            "An account of another name with the same mail address",
            after(&by("mara-codes", &[("mara-codes", "mara@mail.example")])),
        ),
    ]
}
