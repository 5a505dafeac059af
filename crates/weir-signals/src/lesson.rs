//! What a release teaches about those who publish, as its registry states it.

use jiff::Timestamp;
use weir_model::habits::{By, Lesson, Minute, Moment, Origin, minute};
use weir_npm::packument::{Packument, Publisher, VersionManifest};
use weir_npm::repository::Repository;
use weir_npm::version::Version;

use crate::timeline;

/// Most dependencies that a lesson names: what siblings share comes first in nothing, so a release with
/// more teaches only these.
const DEPENDENCIES: usize = 64;

/// Most earlier moments read of one package: as many as habits keep.
const MOMENTS: usize = 64;

/// What a release teaches. Its version need not be one that semver knows.
#[must_use]
pub fn lesson(version: &str, published: Timestamp, manifest: &VersionManifest) -> Lesson {
    let stated = &manifest.manifest;
    let mut dependencies: Vec<String> = stated
        .dependencies
        .keys()
        .chain(stated.optional_dependencies.keys())
        .map(|name| weir_model::finding::printable(name, 220))
        .collect();
    dependencies.sort_unstable();
    dependencies.dedup();
    dependencies.truncate(DEPENDENCIES);
    Lesson {
        version: version.to_owned(),
        line: line_number(version),
        published,
        by: manifest.publisher.as_ref().and_then(by),
        origin: origin(manifest),
        hooks: runs_at_install(manifest),
        licence: manifest.license.as_deref().map(short),
        repository: stated.repository.as_deref().and_then(repository_owner),
        dependencies,
    }
}

/// Texts that packages choose are kept short.
fn short(text: &str) -> String {
    weir_model::finding::printable(text.trim(), 80)
}

/// Whether anything runs when it is installed, as far as its manifest says.
pub(crate) fn runs_at_install(manifest: &VersionManifest) -> bool {
    manifest.manifest.install_scripts().next().is_some()
        || manifest.manifest.gypfile == Some(true)
        || manifest.has_install_script == Some(true)
}

/// Who published it; nothing for an account without a name. The name is kept as it is, see
/// [`By::label`]: blanks make it another account.
#[must_use]
pub fn by(publisher: &Publisher) -> Option<By> {
    if publisher.trusted_publisher {
        let host = publisher.trusted_publisher_id.as_deref();
        return Some(By::Workflow(short(host.unwrap_or("not stated"))));
    }
    let named = !publisher.name.trim().is_empty();
    named.then(|| By::Account(weir_model::finding::printable(&publisher.name, 220)))
}

fn origin(manifest: &VersionManifest) -> Origin {
    let stated = manifest.dist.attestations.as_ref();
    let provenance = stated.is_some_and(|it| it.provenance.is_some());
    match &manifest.publisher {
        Some(publisher) if publisher.approver.is_some() => Origin::Approved,
        Some(publisher) if publisher.trusted_publisher && provenance => Origin::TrustedPublisher,
        _ if provenance => Origin::Provenance,
        _ => Origin::None,
    }
}

/// Host and owner of a repository address, in lower case.
#[must_use]
pub fn repository_owner(address: &str) -> Option<String> {
    let repository = Repository::parse(address)?;
    let owner = format!("{}/{}", repository.host, repository.owner?);
    Some(short(&owner).to_ascii_lowercase())
}

/// The line of a version as a number that equal lines share; 0 for what is no version.
#[must_use]
pub fn line_number(version: &str) -> u64 {
    /// Minor versions of 0.x stay below this, major ones above: the numbers npm allows go beyond both,
    /// where lines may be confused, which costs a burst one of its parts.
    const MAJOR: u64 = 1 << 32;
    Version::parse(version).map_or(0, |version| match timeline::line(&version) {
        (0, minor) => minor.saturating_add(1).min(MAJOR - 1),
        (major, _) => major.saturating_mul(MAJOR),
    })
}

/// When the releases of a package came out that are older than `until`, newest 64, oldest first. What
/// was refused teaches nothing. `by` leaves out those by anybody else, which takes reading them.
#[must_use]
pub fn moments(
    packument: &Packument,
    until: Timestamp,
    refused: &dyn Fn(&str) -> bool,
    by: Option<&By>,
) -> Vec<Moment> {
    let mut times: Vec<(Timestamp, &str)> = packument
        .versions()
        .iter()
        .filter_map(|entry| {
            let version = entry.version.as_str();
            Some((packument.published(version)?, version))
        })
        .filter(|(published, version)| *published < until && !refused(version))
        .collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    let is_theirs = |version: &str| {
        by.is_none_or(|by| {
            let publication = packument.publication(version);
            let publisher = publication.and_then(|it| it.publisher);
            publisher
                .as_ref()
                .and_then(self::by)
                .is_some_and(|it| it.label() == by.label())
        })
    };
    let mut moments: Vec<Moment> = times
        .into_iter()
        .take(MOMENTS)
        .filter(|(_, version)| is_theirs(version))
        .map(|(published, version)| Moment {
            minute: minute(published),
            line: line_number(version),
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// The minute as a moment, for people.
pub(crate) fn in_hours(at: Minute) -> usize {
    usize::try_from(at.div_euclid(60).rem_euclid(24)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_repository_is_found_in_every_form_npm_reads() {
        for text in [
            "https://github.com/Mill-Pond/weir.git",
            "git+https://www.github.com/mill-pond/weir#readme",
            "git@github.com:mill-pond/weir.git",
            "git+ssh://git@github.com/mill-pond/weir",
            "github:mill-pond/weir",
            "mill-pond/weir",
        ] {
            assert_eq!(
                repository_owner(text).as_deref(),
                Some("github.com/mill-pond"),
                "{text}"
            );
        }
        for text in [
            "",
            "weir",
            "https://github.com",
            "https://github.com/weir",
            "://a/b/c",
            ":",
        ] {
            assert_eq!(repository_owner(text), None, "{text:?}");
        }
    }

    #[test]
    fn equal_lines_share_a_number() {
        assert_eq!(line_number("1.2.3"), line_number("1.9.0-rc.1"));
        assert_ne!(line_number("1.2.3"), line_number("2.0.0"));
        assert_ne!(line_number("0.1.0"), line_number("0.2.0"));
        assert_ne!(line_number("0.1.0"), line_number("1.0.0"));
        assert_eq!(line_number("not a version"), 0);
        assert_ne!(line_number("0.0.1"), 0);
    }

    #[test]
    fn a_release_teaches_what_its_manifest_says() {
        let manifest = VersionManifest::from_json(
            r#"{"license":{"type":"MIT"},"repository":"mill/weir","dependencies":{"b":"1","a":"1"},
            "optionalDependencies":{"b":"1"},"hasInstallScript":true,"_npmUser":{"name":"Mara"}}"#,
        )
        .unwrap();
        let learned = lesson("1.0.0", Timestamp::UNIX_EPOCH, &manifest);
        assert_eq!(learned.licence.as_deref(), Some("MIT"));
        assert_eq!(learned.repository.as_deref(), Some("github.com/mill"));
        assert_eq!(learned.dependencies, ["a", "b"]);
        assert!(learned.hooks);
        assert_eq!(learned.by, Some(By::Account("Mara".to_owned())));
        assert_eq!(learned.origin, Origin::None);
        let nothing = lesson("x", Timestamp::UNIX_EPOCH, &VersionManifest::default());
        assert_eq!(
            (nothing.by, nothing.licence, nothing.hooks),
            (None, None, false)
        );
    }

    #[test]
    fn an_account_is_its_name_to_the_letter() {
        let label = |name: &str| {
            let publisher = Publisher {
                name: name.to_owned(),
                ..Publisher::default()
            };
            by(&publisher).map(|by| by.label())
        };
        let mara = Some("~mara".to_owned());
        for (name, same) in [("mara", true), ("Mara", false), ("mara ", false)] {
            assert_eq!(label(name) == mara, same, "{name:?}");
        }
        for nobody in ["", " "] {
            assert_eq!(label(nobody), None, "{nobody:?}");
        }
    }
}
