//! Which unread releases a later one has to wait for. None of them excuses anything; those that could not change what
//! it is measured by, whatever they are found to be, are not read for it.

use weir_npm::packument::Packument;
use weir_npm::version::Version;

/// A release, as far as unread ones before it concern it.
pub(super) struct Concerned<'p> {
    packument: &'p Packument,
    number: Option<Version>,
    publisher: Option<String>,
    /// Whether who published it published the release that it is measured by.
    is_at_home: bool,
}

impl<'p> Concerned<'p> {
    /// `baseline` is what it is measured by without the unread ones.
    pub(super) fn new(packument: &'p Packument, version: &str, baseline: Option<&str>) -> Self {
        let publisher = publisher(packument, version);
        let before = baseline.map(|before| self::publisher(packument, before));
        Self {
            packument,
            number: Version::parse(version).ok(),
            is_at_home: before.is_some_and(|before| before == publisher),
            publisher,
        }
    }

    /// Whether it has to wait for another. A stable release is not compared with prereleases: they only tell who
    /// publishes the package, which is known of whoever published the release before.
    pub(super) fn waits_for(&self, other: &str) -> bool {
        let (Some(own), Ok(number)) = (&self.number, Version::parse(other)) else {
            return true;
        };
        let is_of_line = own.is_prerelease() && own.major() == number.major();
        let tells_who = || !self.is_at_home && publisher(self.packument, other) == self.publisher;
        !number.is_prerelease() || is_of_line || tells_who()
    }
}

/// Who published a version, where its registry says so.
fn publisher(packument: &Packument, version: &str) -> Option<String> {
    let publication = packument.publication(version)?;
    publication.publisher.map(|publisher| publisher.name)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use weir_npm::name::PackageName;

    use super::*;

    fn packument() -> Packument {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}});
        for (version, publisher) in [
            ("1.0.0", "mara"),
            ("1.1.0-rc.1", "mara"),
            ("2.0.0-rc.1", "eve"),
            ("2.0.0-rc.2", "mara"),
            ("1.1.0", "eve"),
            ("1.1.1", "mara"),
        ] {
            document["versions"][version] = serde_json::json!({
                "name": "sluice", "version": version, "_npmUser": {"name": publisher},
            });
        }
        let name = PackageName::parse("sluice").unwrap();
        Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
    }

    #[test]
    fn a_stable_release_waits_for_prereleases_that_tell_who_publishes() {
        let packument = packument();
        for (version, baseline, other, waits) in [
            ("1.1.1", Some("1.0.0"), "1.1.0", true),
            ("1.1.1", Some("1.0.0"), "1.1.0-rc.1", false),
            ("1.1.1", Some("1.0.0"), "2.0.0-rc.1", false),
            // Without a past, or new to it.
            ("1.1.1", None, "1.1.0-rc.1", true),
            ("1.1.1", Some("1.1.0"), "1.1.0-rc.1", true),
            ("1.1.1", Some("1.1.0"), "2.0.0-rc.1", false),
            ("1.1.0", Some("1.0.0"), "2.0.0-rc.1", true),
            // A prerelease is compared with those of its line.
            ("2.0.0-rc.2", Some("1.0.0"), "2.0.0-rc.1", true),
            ("2.0.0-rc.2", Some("1.0.0"), "1.1.0-rc.1", false),
            // Of what is no version none can say.
            ("1.1.1", Some("1.0.0"), "1.1.0.1", true),
        ] {
            let concerned = Concerned::new(&packument, version, baseline);
            assert_eq!(
                concerned.waits_for(other),
                waits,
                "{version} {baseline:?} {other}"
            );
        }
    }
}
