//! `replaced-release`: other bytes under a version that was decided on or served before.

use jiff::Timestamp;
use weir_model::{Confidence, Evidence, Finding, Group, Severity};
use weir_npm::integrity::Integrity;

use crate::{Declaration, Documentation, Kind, Layer, Maturity, Observation, Subject};

/// Characters of a digest that a message shows; the evidence has all of it.
const SHOWN: usize = 12;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "replaced-release",
    summary: "The version had other bytes when weir first decided on it, or may have had",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::High,
    confidence: Confidence::High,
    needs: &[],
    incidents: &[],
    documentation: Documentation {
        sees: "The registry gives another digest for a version than when weir first decided on it or served it, as the \
               ledger has it. Only digests of the same algorithm are compared, and only those that came from the same \
               registry. Where the registry gives only a weaker digest than it did, the bytes themselves are compared \
               once they were read; until then the missing digest is the finding, which weighs less, as whoever \
               replaces bytes leaves it out. Where an older weir did not write down from which one they came, both are possible, and it \
               weighs less. Nothing is said once the first bytes are back.",
        matters: "A version that is published never changes: registries refuse to publish it again, even after it was \
                  removed. Where its bytes change all the same, somebody has the registry in hand, or a proxy before \
                  it, and whatever was read and approved of that version is not what is installed now.",
        wrong: "A mirror or an older registry program may give fewer digests than the one before it; the same bytes \
                are no finding once they were read. Some private registries allow to publish a version again, and a mirror that packs anew gives the same \
                files another digest.",
        todo: "Compare both tarballs: lockfiles pin the first. Ask whoever runs the registry who put the second one \
               there, and do not take it before that is known.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

/// Bytes that a release had when it was decided on or served here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierBytes {
    /// Their digest, as the registry gave it.
    pub integrity: String,
    /// When they were first decided on or served.
    pub first: Timestamp,
    /// From where they came.
    pub origin: Origin,
}

/// From where earlier bytes came, as far as that was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It was not written down.
    NotKnown,
    /// From another registry, which may have its own package of that name.
    Elsewhere,
    /// From the registry that is asked now.
    Here,
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let (Some(surroundings), Ok(manifest)) = (subject.surroundings, subject.manifest()) else {
        return;
    };
    let now = manifest.dist.best_integrity();
    // Several digests of one algorithm name no bytes; that it has none that count is told elsewhere.
    let Some(now) = now.filter(|now| !now.is_ambiguous()) else {
        return;
    };
    let mut earlier = surroundings.earlier.iter();
    let read = surroundings.bytes.as_ref();
    let first = earlier.find_map(|bytes| Some((bytes, compared(bytes, &now, read)?)));
    if let Some((first, Compared::Other(after))) = first {
        observation.find(finding(first, after));
        return;
    }
    let mut earlier = surroundings.earlier.iter();
    let stronger = earlier.find(|bytes| is_stronger(bytes, &now, read));
    if let Some(stronger) = stronger {
        observation.find(weakened(stronger, &now));
    }
}

/// What comes of comparing earlier bytes with those of now.
enum Compared<'a> {
    Same,
    /// They are others, by this digest.
    Other(&'a Integrity),
}

/// Whether earlier bytes are those that the registry names, or else those that were read; nothing where they cannot be
/// compared.
fn compared<'a>(
    bytes: &EarlierBytes,
    now: &'a Integrity,
    read: Option<&'a Integrity>,
) -> Option<Compared<'a>> {
    if bytes.origin == Origin::Elsewhere {
        return None;
    }
    let before = Integrity::parse(&bytes.integrity).ok()?;
    let mut found = [Some(now), read].into_iter().flatten();
    found.find_map(|now| {
        Some(match same_bytes(&before, now)? {
            true => Compared::Same,
            false => Compared::Other(now),
        })
    })
}

/// Whether the registry gave a stronger digest for earlier bytes than it does now, and nothing tells whether they are
/// the same.
fn is_stronger(bytes: &EarlierBytes, now: &Integrity, read: Option<&Integrity>) -> bool {
    let before = Integrity::parse(&bytes.integrity).ok();
    bytes.origin == Origin::Here
        && before.is_some_and(|before| before.strongest().0 > now.strongest().0)
        && compared(bytes, now, read).is_none()
}

/// Whether two texts give the same digest by the strongest algorithm that both have; nothing where they have none in
/// common.
#[must_use]
pub fn same_bytes(one: &Integrity, other: &Integrity) -> Option<bool> {
    one.digests().find_map(|(algorithm, digest)| {
        let mut theirs = other.digests();
        let (_, theirs) = theirs.find(|(theirs, _)| *theirs == algorithm)?;
        Some(theirs == digest)
    })
}

fn finding(first: &EarlierBytes, now: &Integrity) -> Finding {
    let (before, after) = (&first.integrity, now.to_string());
    let change = format!(
        "it was {} when first decided on, {}, and is {} now",
        shortened(before),
        first.first,
        shortened(&after)
    );
    let mut finding = match first.origin {
        Origin::Here => SIGNAL.finding(format!("The registry replaced its bytes: {change}")),
        Origin::NotKnown | Origin::Elsewhere => {
            let mut finding = SIGNAL.finding(format!(
                "Another registry, or replaced bytes (from where the first came was not written down): {change}"
            ));
            finding.severity = Severity::Medium;
            finding.confidence = Confidence::Medium;
            finding
        }
    };
    finding.evidence.push(Evidence::change(
        "dist.integrity",
        Some(before.clone()),
        Some(after),
    ));
    finding
}

fn weakened(before: &EarlierBytes, now: &Integrity) -> Finding {
    let after = now.to_string();
    let mut finding = SIGNAL.finding(format!(
        "The registry gives no stronger digest than {} any more, and it was {} when first decided on, {}: whether its \
         bytes are still the same is not known",
        shortened(&after),
        shortened(&before.integrity),
        before.first,
    ));
    finding.severity = Severity::Medium;
    finding.confidence = Confidence::Medium;
    let before = Some(before.integrity.clone());
    let change = Evidence::change("dist.integrity", before, Some(after));
    finding.evidence.push(change);
    finding
}

/// The beginning of a digest, which is enough to tell two apart.
fn shortened(integrity: &str) -> String {
    let (algorithm, digest) = integrity.split_once('-').unwrap_or(("", integrity));
    let start: String = digest.chars().take(SHOWN).collect();
    format!("{algorithm}-{start}…")
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    use weir_npm::integrity::Algorithm;
    let digest = |algorithm: Algorithm, fill: u8| {
        let digest = vec![fill; algorithm.digest_length()];
        Integrity::from_digest(algorithm, &digest)
            .map_or_else(|_| String::new(), |it| it.to_string())
    };
    let sha512 = |fill| digest(Algorithm::Sha512, fill);
    let earlier = |integrity: String, first: &str, origin| EarlierBytes {
        integrity,
        first: first.parse().unwrap_or_default(),
        origin,
    };
    let monday = |fill, origin| earlier(sha512(fill), "2026-06-08T09:00:00Z", origin);
    let friday = |fill, origin| earlier(sha512(fill), "2026-06-12T09:00:00Z", origin);
    // The registry gives the digest of twos.
    let scene = || {
        let manifest = format!(r#"{{"dist":{{"integrity":"{}"}}}}"#, sha512(2));
        Scene::of("left-lib", "1.4.1").release("1.4.1", "2026-06-01T09:00:00Z", &manifest)
    };
    // The registry gives a weaker digest of twos, in a form of its own.
    let weak = || {
        let manifest = format!(r#"{{"dist":{{"shasum":"{}"}}}}"#, "02".repeat(20));
        Scene::of("left-lib", "1.4.1").release("1.4.1", "2026-06-01T09:00:00Z", &manifest)
    };
    let sha1 = |fill, origin| {
        let integrity = digest(Algorithm::Sha1, fill);
        earlier(integrity, "2026-06-12T09:00:00Z", origin)
    };
    let read = |scene: Scene, fill: u8| {
        let bytes = Integrity::from_digest(Algorithm::Sha512, &[fill; 64]);
        match bytes {
            Ok(bytes) => scene.read_as(bytes),
            Err(_) => scene,
        }
    };
    vec![
        Sample::flagged(
            "Other bytes were read than were decided on, and the registry leaves the strong digest out",
            read(weak().earlier(monday(1, Origin::Here)), 2),
        ),
        Sample::flagged(
            "The registry leaves the strong digest out, and nobody has read the bytes",
            weak().earlier(monday(1, Origin::Here)),
        ),
        Sample::flagged(
            "The same, and the weaker digest was decided on too",
            weak()
                .earlier(monday(1, Origin::Here))
                .earlier(sha1(2, Origin::Here)),
        ),
        Sample::passing(
            "Near miss: the registry leaves the strong digest out, and the bytes that were read are the same",
            read(weak().earlier(monday(2, Origin::Here)), 2),
        ),
        Sample::passing(
            "The registry never gave a strong digest",
            read(weak().earlier(sha1(2, Origin::Here)), 2),
        ),
        Sample::passing(
            "Another registry gave a stronger digest under the same name and version",
            weak().earlier(monday(1, Origin::Elsewhere)),
        ),
        Sample::flagged(
            "Other bytes were decided on a week ago, from the same registry",
            scene().earlier(monday(1, Origin::Here)),
        ),
        Sample::flagged(
            "The second bytes were decided on too: the first are what counts",
            scene()
                .earlier(monday(1, Origin::Here))
                .earlier(friday(2, Origin::Here)),
        ),
        Sample::flagged(
            "Other bytes were decided on, and nobody wrote down from where they came",
            scene()
                .earlier(monday(1, Origin::NotKnown))
                .earlier(friday(2, Origin::Here)),
        ),
        Sample::passing(
            "Near miss: the registry has the first bytes again",
            scene()
                .earlier(monday(2, Origin::Here))
                .earlier(friday(1, Origin::Here)),
        ),
        Sample::passing(
            "Another registry has other bytes under the same name and version",
            scene()
                .earlier(monday(1, Origin::Elsewhere))
                .earlier(friday(2, Origin::Here)),
        ),
        Sample::passing(
            "The same bytes were decided on before",
            scene().earlier(monday(2, Origin::Here)),
        ),
        Sample::passing(
            "The registry gave a weaker digest then, which cannot be compared",
            scene().earlier(earlier(
                digest(Algorithm::Sha1, 1),
                "2026-06-08T09:00:00Z",
                Origin::Here,
            )),
        ),
    ]
}
