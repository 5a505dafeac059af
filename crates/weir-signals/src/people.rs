//! Whether what a release brings along comes from the people of the package itself. Who is listed as a maintainer of
//! the other package is that one's owner's word; who published it is the registry's.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use weir_npm::packument::{Packument, Publication};
use weir_npm::version::Version;

use crate::Subject;
use crate::lesson::repository_owner;

/// Who published a release of another package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PublishedBy {
    /// The registry does not say.
    #[default]
    NotKnown,
    /// This account.
    Account(String),
    /// A workflow. With provenance, the owner of the repository that the release names.
    Workflow(Option<String>),
}

impl PublishedBy {
    /// Reads it from what the registry says of a release, and the repository that its manifest names.
    #[must_use]
    pub fn of(publication: Option<&Publication>, repository: Option<&str>) -> Self {
        let Some((publication, by)) = publication.and_then(|it| Some((it, it.publisher.as_ref()?)))
        else {
            return Self::NotKnown;
        };
        match (by.trusted_publisher, by.name.trim()) {
            (true, _) => {
                let repository = repository.filter(|_| publication.provenance);
                Self::Workflow(repository.and_then(repository_owner))
            }
            (false, "") => Self::NotKnown,
            (false, name) => Self::Account(name.to_owned()),
        }
    }
}

#[cfg(any(test, feature = "samples"))]
impl PublishedBy {
    pub(crate) fn in_words(&self) -> Option<String> {
        match self {
            Self::NotKnown => None,
            Self::Account(name) => Some(name.clone()),
            Self::Workflow(owner) => Some(match owner {
                Some(owner) => format!("a workflow of {owner}"),
                None => "a workflow".to_owned(),
            }),
        }
    }
}

/// Whether another package comes from the people of this one: an account published it that was a maintainer at the
/// release before, or published one that had been out for a week. Of a workflow it has to be built where this one is,
/// and the two have a maintainer in common; so they have where the registry does not say who published.
pub(crate) fn are_the_same(
    subject: &Subject<'_>,
    by: &PublishedBy,
    maintainers: &[String],
) -> bool {
    // Whoever took over the package may have published the other as well: they are not asked for at this release.
    let people = people(subject);
    let in_common = || {
        maintainers
            .iter()
            .any(|name| people.contains(name.as_str()))
    };
    match by {
        PublishedBy::Account(name) => people.contains(name.as_str()),
        PublishedBy::NotKnown => in_common(),
        PublishedBy::Workflow(owner) => {
            let before = subject.previous_manifest();
            let ours = before.and_then(|(_, it)| it.manifest.repository.as_deref());
            owner.is_some() && ours.and_then(repository_owner) == *owner && in_common()
        }
    }
}

/// The accounts that are known to be at home in the package. A registry may give people without a name, who are nobody
/// in particular; one that names nobody for each release may do so for the package.
fn people(subject: &Subject<'_>) -> BTreeSet<String> {
    let Some((_, before)) = subject.previous_manifest() else {
        return BTreeSet::new();
    };
    let mut listed = before.maintainers.as_slice();
    if listed.is_empty() {
        listed = subject.packument.known().map_or(&[], |it| it.maintainers());
    }
    let published = subject.timeline().recent_settled();
    let published = published.filter_map(|(_, it)| it.publisher.as_ref());
    let published = published.filter(|it| !it.trusted_publisher);
    let listed = listed.iter().map(|it| it.name.clone());
    let names = listed.chain(published.map(|it| it.name.clone()));
    names.filter(|name| !name.is_empty()).collect()
}

/// More releases than a package that is made for one attack needs, and within this time of one another.
pub(crate) const MANY_RELEASES: usize = 10;
const AT_ONCE: SignedDuration = SignedDuration::from_hours(1);

/// As many release lines (major and minor) have to be among them.
const LINES: usize = 3;

/// Whether the times of a package look like those of a mirror that stamps what it fetches: many releases of several
/// lines came at once. Whoever publishes can do the same, so that this alone excuses nothing.
#[must_use]
pub fn is_stamped(packument: &Packument) -> bool {
    let entries = packument.versions().iter();
    let mut times: Vec<_> = entries.filter_map(|entry| entry.published()).collect();
    if times.len() <= MANY_RELEASES {
        return false;
    }
    // Nearly all packages end here: their versions need not be read for it.
    let (earliest, last, _) = times.select_nth_unstable(MANY_RELEASES);
    let first = earliest.iter().min();
    if first.is_none_or(|first| last.duration_since(*first) > AT_ONCE) {
        return false;
    }
    let entries = packument.versions().iter();
    let versions = entries.filter_map(|entry| Version::parse(&entry.version).ok());
    let lines: BTreeSet<(u64, u64)> = versions.map(|it| (it.major(), it.minor())).collect();
    lines.len() >= LINES
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use weir_npm::name::PackageName;

    use super::*;

    fn packument(releases: &[(&str, &str)]) -> Packument {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
        for (version, published) in releases.iter().copied() {
            document["versions"][version] =
                serde_json::json!({"name": "sluice", "version": version});
            document["time"][version] = published.into();
        }
        let name = PackageName::parse("sluice").unwrap();
        Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
    }

    #[test]
    fn many_lines_at_once_are_a_mirror_s_times() {
        let day = |version| (version, "2026-06-14T09:00:00Z");
        let lines = [
            "1.0.0", "1.0.1", "1.1.0", "1.1.1", "1.2.0", "1.3.0", "2.0.0", "2.0.1", "2.1.0",
            "2.2.0", "2.2.1",
        ];
        assert!(is_stamped(&packument(&lines.map(day))));
        assert!(!is_stamped(&packument(&lines.map(day)[..10])));
        // Releases of one line cost nothing.
        let one: Vec<String> = (0..12).map(|patch| format!("1.0.{patch}")).collect();
        let one: Vec<_> = one.iter().map(|version| day(version.as_str())).collect();
        assert!(!is_stamped(&packument(&one)));
        let mut spread = lines.map(day);
        spread[10].1 = "2026-06-14T10:00:01Z";
        assert!(!is_stamped(&packument(&spread)));
    }

    #[test]
    fn a_workflow_is_known_by_its_repository_where_provenance_vouches_for_it() {
        let of = |publisher: serde_json::Value, dist: serde_json::Value| {
            let document = serde_json::json!({
                "name": "sluice",
                "versions": {"1.0.0": {
                    "name": "sluice", "version": "1.0.0", "_npmUser": publisher, "dist": dist,
                }},
            });
            let name = PackageName::parse("sluice").unwrap();
            let packument = Packument::parse(&name, Bytes::from(document.to_string())).unwrap();
            let publication = packument.publication("1.0.0");
            PublishedBy::of(publication.as_ref(), Some("github:Mara/sluice"))
        };
        let none = || serde_json::json!({});
        let workflow = || serde_json::json!({"name": "CI", "trustedPublisher": {"id": "github"}});
        let dist = serde_json::json!({
            "attestations": {"provenance": {"predicateType": "https://slsa.dev/provenance/v1"}},
        });
        assert_eq!(of(none(), none()), PublishedBy::NotKnown);
        let account = of(serde_json::json!({"name": "mara"}), none());
        assert_eq!(account, PublishedBy::Account("mara".to_owned()));
        assert_eq!(of(workflow(), none()), PublishedBy::Workflow(None));
        let owner = Some("github.com/mara".to_owned());
        assert_eq!(of(workflow(), dist), PublishedBy::Workflow(owner));
    }
}
