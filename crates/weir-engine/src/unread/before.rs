//! The releases that came before one, ordered so that the one it is measured by is found without going through all.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use weir_npm::version::Version;

/// Releases with a publish time, by number.
#[derive(Debug, Default)]
pub(super) struct Before<'p> {
    releases: BTreeMap<Version, (Timestamp, &'p str)>,
}

impl<'p> Before<'p> {
    pub(super) fn add(&mut self, number: Version, published: Timestamp, version: &'p str) {
        self.releases.insert(number, (published, version));
    }

    /// The one that signals compare a release of this number with, of those that count: as
    /// [`weir_signals::previous_version`] has it, which asks every release of a package each time. The highest below
    /// it is of its own line, where there is one below it in that.
    pub(super) fn nearest(
        &self,
        own: Option<&Version>,
        counts: &dyn Fn(&str) -> bool,
    ) -> Option<&'p str> {
        let any = own.is_some_and(Version::is_prerelease);
        let stable =
            |number: &Version, version: &str| (any || !number.is_prerelease()) && counts(version);
        self.best(own, &stable)
            .or_else(|| self.best(own, &|_: &Version, version: &str| counts(version)))
    }

    /// The highest below a number, else the newest.
    fn best(
        &self,
        own: Option<&Version>,
        counts: &dyn Fn(&Version, &str) -> bool,
    ) -> Option<&'p str> {
        let below = own.and_then(|own| {
            let below: (Bound<&Version>, Bound<&Version>) =
                (Bound::Unbounded, Bound::Excluded(own));
            let mut below = self.releases.range::<Version, _>(below).rev();
            below.find(|(number, (_, version))| {
                number.precedence(own).is_lt() && counts(number, version)
            })
        });
        let newest = || {
            let all = self.releases.iter();
            let all = all.filter(|(number, (_, version))| counts(number, version));
            all.max_by_key(|(number, (published, _))| (*published, *number))
        };
        below.or_else(newest).map(|(_, (_, version))| *version)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use weir_npm::name::PackageName;
    use weir_npm::packument::Packument;

    use super::*;

    const RELEASES: [&str; 10] = [
        "1.0.0",
        "1.1.0-rc.1",
        "1.1.0",
        "2.0.0-rc.1",
        "2.0.0",
        "1.2.0",
        "0.0.0-nightly.1",
        "0.0.0-nightly.2",
        "3.0.0",
        "2.1.0",
    ];

    fn packument() -> Packument {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
        for (number, version) in RELEASES.iter().enumerate() {
            document["versions"][version] =
                serde_json::json!({"name": "sluice", "version": version});
            document["time"][version] = format!("2026-10-{:02}T09:00:00Z", number + 1).into();
        }
        let name = PackageName::parse("sluice").unwrap();
        Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
    }

    /// What is left out is a line, what is odd or even, or nothing.
    #[test]
    fn the_nearest_is_the_one_that_signals_compare_with() {
        let packument = packument();
        let mut before = Before::default();
        for version in RELEASES {
            let number = Version::parse(version).unwrap();
            for left_out in ["-", "1.", "2.", "0", "rc", "nightly", "."] {
                let counts = |other: &str| !other.contains(left_out);
                let expected =
                    weir_signals::previous_version(&packument, version, &|other: &str| {
                        !counts(other)
                    });
                let found = before.nearest(Some(&number), &counts);
                assert_eq!(found, expected, "{version} without {left_out}");
            }
            before.add(number, packument.published(version).unwrap(), version);
        }
        assert_eq!(before.nearest(None, &|_| true), Some("2.1.0"));
    }
}
