//! `throwaway-publisher`: a new package by an account that looks made for it.

use jiff::SignedDuration;
use weir_model::assessment::PUBLISHER;
use weir_model::{Confidence, Evidence, Group, Incomplete, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// A package older than this is judged by its own past (INCIDENTS M17: accounts on record were found
/// within weeks).
const YOUNG: SignedDuration = SignedDuration::from_hours(30 * 24);

/// More releases than this are a past.
const FEW: usize = 5;

/// Digits at the end of a name from which on it is a number and not a liking: names are taken in turn by
/// programs (INCIDENTS I15, I33, I36).
const NUMBERED: usize = 3;

/// Providers of mail addresses that last for minutes.
const DISPOSABLE: [&str; 12] = [
    "10minutemail.com",
    "dispostable.com",
    "emailondeck.com",
    "getnada.com",
    "guerrillamail.com",
    "maildrop.cc",
    "mailinator.com",
    "sharklasers.com",
    "temp-mail.org",
    "tempmail.com",
    "trashmail.com",
    "yopmail.com",
];

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "throwaway-publisher",
    summary: "A new package by an account or scope that looks made for it",
    since: "next",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Identity,
    severity: Severity::Low,
    confidence: Confidence::Low,
    needs: &[Input::Manifest, Input::PublishTime, Input::Publisher],
    incidents: &[
        "Contagious Interview, 2023",
        "sl4x0, 2025",
        "PhantomRaven, 2025",
    ],
    documentation: Documentation {
        sees: "A package first published within 30 days, with five releases at most, whose publisher's account or \
               whose scope ends in three digits or more that are no year, and which names no repository; or whose \
               publisher has an address of a provider of disposable mail. With a repository the number alone is \
               mentioned for information.",
        matters: "Campaigns publish under dozens of accounts that programs registered one after the other.",
        wrong: "People put numbers into their names. It is a weak sign and counts for new packages only, where it \
                makes a difference beside something else. A registry that leaves publishers out says nothing about it: \
                that is reported as not known.",
        todo: "Look what else the account has published, and since when it exists.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let (Some(first), Some(publication)) = (timeline.first(), timeline.publication()) else {
        return;
    };
    let young = subject.now.duration_since(first) < YOUNG && timeline.before.len() < FEW;
    if !young || subject.names.is_own(subject.name.as_str()) {
        return;
    }
    let Some(publisher) = &publication.publisher else {
        observation.incomplete(Incomplete {
            what: PUBLISHER.to_owned(),
            why: "the registry does not say who published it".to_owned(),
        });
        return;
    };
    if publisher.trusted_publisher {
        return;
    }
    let mut words = Vec::new();
    let mut evidence = Vec::new();
    let domain = publisher.email.as_deref().and_then(disposable);
    if let Some(domain) = domain {
        words.push(format!(
            "its publisher's mail address is of {domain}, a provider of disposable ones"
        ));
        evidence.push(Evidence::change(
            "_npmUser.email",
            None::<&str>,
            publisher.email.clone(),
        ));
    }
    if is_numbered(&publisher.name) {
        words.push(format!("its publisher's account is {}", publisher.name));
        evidence.push(Evidence::change(
            "_npmUser.name",
            None::<&str>,
            Some(&publisher.name),
        ));
    }
    if let Some(scope) = subject.name.scope().filter(|scope| is_numbered(scope)) {
        words.push(format!("its scope is {scope}"));
        evidence.push(Evidence::change("scope", None::<&str>, Some(scope)));
    }
    if words.is_empty() {
        return;
    }
    let has_repository = subject
        .manifest()
        .is_ok_and(|manifest| manifest.manifest.repository.is_some());
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!("A new package, and {}", words.join(", and ")),
        400,
    ));
    if has_repository && domain.is_none() {
        finding.severity = Severity::Info;
    }
    finding.evidence = evidence;
    observation.find(finding);
}

/// The provider of disposable addresses that the address is of.
fn disposable(address: &str) -> Option<&'static str> {
    let domain = address.rsplit_once('@')?.1;
    DISPOSABLE
        .into_iter()
        .find(|known| domain.eq_ignore_ascii_case(known))
}

/// Whether a name ends in a number that is not a year.
fn is_numbered(name: &str) -> bool {
    let head = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = name.get(head.len()..).unwrap_or_default();
    let is_year = digits.len() == 4
        && digits
            .parse::<u32>()
            .is_ok_and(|year| (1940..=2035).contains(&year));
    digits.len() >= NUMBERED && !is_year && !head.trim_start_matches('@').is_empty()
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let by = |name: &'static str, account: &str, rest: serde_json::Value| {
        let mut manifest = rest;
        manifest["_npmUser"] =
            serde_json::json!({"name": account, "email": format!("{account}@mail.example")});
        Scene::of(name, "1.0.0").release("1.0.0", "2026-06-14T09:00:00Z", &manifest.to_string())
    };
    let nothing = || serde_json::json!({});
    let repository =
        || serde_json::json!({"repository": "https://git.example.invalid/jpd/vite-thing"});
    vec![
        Sample::flagged(
            "A first release by an account that is a number, and no repository",
            by("vite-plugin-thing", "jpd-dev-8831", nothing()),
        ),
        Sample::flagged(
            "A numbered scope",
            by("@left-tools-48213/formatter", "lena", nothing()),
        ),
        Sample::flagged(
            "A disposable mail address, whatever else is there",
            Scene::of("vite-plugin-thing", "1.0.0").release(
                "1.0.0",
                "2026-06-14T09:00:00Z",
                r#"{"_npmUser":{"name":"lena","email":"qx81@yopmail.com"},"repository":"https://git.example.invalid/lena/thing"}"#,
            ),
        ),
        Sample::passing(
            "Near miss: a number, and a repository: for information",
            by("vite-plugin-thing", "jpd-dev-8831", repository()),
        ),
        Sample::passing("A year of birth", by("vite-plugin-thing", "lena1992", nothing())),
        Sample::passing("Two digits", by("vite-plugin-thing", "lena42", nothing())),
        Sample::passing(
            "A numbered account that published the package years ago",
            by("vite-plugin-thing", "jpd-dev-8831", nothing()).release(
                "0.1.0",
                "2023-06-14T09:00:00Z",
                r#"{"_npmUser":{"name":"jpd-dev-8831"}}"#,
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_no_years() {
        for (name, numbered) in [
            ("jpd-dev-8831", true),
            ("hacktask9021", true),
            ("@scope-48213", true),
            ("lena1992", false),
            ("lena2024", false),
            ("lena42", false),
            ("lena", false),
            ("123", false),
            ("", false),
        ] {
            assert_eq!(is_numbered(name), numbered, "{name}");
        }
    }
}
