//! Which versions would do.

use std::cmp::Ordering;

use weir_model::Standing;
use weir_model::finding::printable;
use weir_model::json::v1::AuditFix;
use weir_npm::version::Version;
use weir_store::PackageAdvisories;
use weir_store::advisories::NotFixed;

use super::super::registry::Known;

/// Versions of a package that would do, the nearest first.
#[derive(Debug, Clone)]
pub(super) struct Goal {
    pub(super) name: String,
    pub(super) versions: Vec<Version>,
    pub(super) toward: Toward,
    /// Whether these are all there are, or only those that records name.
    pub(super) complete: bool,
    /// Whether records call the nearest one fixed; else nothing affects it, and that is all.
    pub(super) stated: bool,
}

/// Which way the versions lie, from the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    /// Later releases.
    Later,
    /// Earlier ones: nothing later is known to be clean, as after malware was published.
    Lower,
    /// Prereleases, where no release is.
    Prerelease,
}

impl Goal {
    /// The versions of a package that nothing known speaks against, in place of a locked one. Where its
    /// packument is not at hand, only those that records name are known.
    pub(super) fn of(
        name: &str,
        locked: &str,
        about: &PackageAdvisories,
        package: Option<&Known>,
    ) -> Self {
        let candidates = match package {
            Some(package) => package.versions.clone(),
            None => about.named_fixes(locked),
        };
        let is_clear = |it: &Version| about.standing(it.as_str()) == Standing::Clear;
        let clear: Vec<Version> = candidates.into_iter().filter(is_clear).collect();
        let (versions, toward) = nearest(locked, &clear);
        let first = versions.first();
        let not_fixed = first.and_then(|first| about.not_fixed(locked, first));
        Self {
            name: name.to_owned(),
            versions,
            toward,
            complete: package.is_some(),
            stated: not_fixed.is_none(),
        }
    }

    /// What its versions may be called.
    pub(super) const fn kind(&self) -> &'static str {
        match self.stated {
            true => "a fixed version",
            false => "an unaffected version",
        }
    }

    /// What records say of the nearest one, where nothing else is known of it.
    pub(super) const fn said(&self) -> &'static str {
        match self.stated {
            true => "which records name as fixed",
            false => "which no record calls affected",
        }
    }

    /// What to say first, where the way out is not simply a later release.
    pub(super) fn lead(&self, locked: &str) -> Option<String> {
        let (name, nearest) = (&self.name, self.versions.first()?);
        match self.toward {
            Toward::Later => None,
            Toward::Lower => Some(format!(
                "no later version of {name} is known to be clean; {nearest} is, lower than the locked \
                 {locked}: "
            )),
            Toward::Prerelease => Some(format!(
                "no release of {name} is known to be clean, only a prerelease, {nearest}: "
            )),
        }
    }

    /// As they are told: the nearest, and the nearest that stays in reach; of all others nobody needs to
    /// hear.
    pub(super) fn fixes(&self, locked: &str, about: &PackageAdvisories) -> Vec<AuditFix> {
        let first = self.versions.first();
        let near = self.versions.iter().find(|it| !leaves(locked, it));
        let near = near.filter(|near| Some(*near) != first);
        let fix = |version: &Version| {
            let not_fixed = about.not_fixed(locked, version);
            let last = not_fixed.as_ref().and_then(NotFixed::last_affected);
            AuditFix {
                version: version.as_str().to_owned(),
                published: self.complete.then_some(true),
                breaking: leaves(locked, version),
                lower: is_lower(locked, version),
                prerelease: version.is_prerelease(),
                last_affected: last.map(str::to_owned),
                fixed: not_fixed.is_none(),
                not_fixed: not_fixed.map(|why| printable(&why.to_string(), 300)),
            }
        };
        first.into_iter().chain(near).map(fix).collect()
    }
}

/// Of clean versions, lowest first, those that are the best way out of a locked one.
fn nearest(locked: &str, clear: &[Version]) -> (Vec<Version>, Toward) {
    let locked = Version::parse(locked).ok();
    let side = |it: &Version| match &locked {
        Some(locked) => it.precedence(locked),
        None => Ordering::Greater,
    };
    // Who has a prerelease may be led to a later one.
    let early = locked.as_ref().is_some_and(Version::is_prerelease);
    let later = |it: &&Version| side(it) == Ordering::Greater;
    let earlier = |it: &&Version| side(it) == Ordering::Less;
    let release = |it: &&Version| !it.is_prerelease();
    let up = clear.iter().filter(|it| early || release(it)).filter(later);
    let up: Vec<Version> = up.cloned().collect();
    if !up.is_empty() {
        return (up, Toward::Later);
    }
    let down = clear.iter().rev().filter(release).filter(earlier);
    let down: Vec<Version> = down.cloned().collect();
    if !down.is_empty() {
        return (down, Toward::Lower);
    }
    let (up, down) = (
        clear.iter().filter(later),
        clear.iter().rev().filter(earlier),
    );
    (up.chain(down).cloned().collect(), Toward::Prerelease)
}

/// Whether a version lies outside of `^locked`.
pub(super) fn leaves(locked: &str, version: &Version) -> bool {
    use weir_npm::version::Range;
    let range = Range::parse_with_prereleases(&format!("^{locked}"));
    !range.is_ok_and(|range| range.matches(version))
}

pub(super) fn is_lower(locked: &str, version: &Version) -> bool {
    let locked = Version::parse(locked);
    locked.is_ok_and(|locked| version.precedence(&locked) == Ordering::Less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_releases_come_first_then_earlier_ones_then_prereleases() {
        for (locked, clear, want, toward) in [
            ("1.2.0", "1.0.0 1.3.0 2.0.0", "1.3.0 2.0.0", Toward::Later),
            (
                "1.2.0",
                "1.0.0 1.1.0 1.3.0-rc.1",
                "1.1.0 1.0.0",
                Toward::Lower,
            ),
            (
                "1.2.0",
                "1.0.0-rc.1 1.3.0-rc.1 1.3.0-rc.2",
                "1.3.0-rc.1 1.3.0-rc.2 1.0.0-rc.1",
                Toward::Prerelease,
            ),
            (
                "2.0.0-rc.1",
                "1.0.0 2.0.0-rc.2 2.0.0",
                "2.0.0-rc.2 2.0.0",
                Toward::Later,
            ),
            ("2.0.0-rc.1", "1.0.0 2.0.0-rc.0", "1.0.0", Toward::Lower),
            ("1.2.0", "", "", Toward::Prerelease),
        ] {
            let clear = clear
                .split_whitespace()
                .map(|it| Version::parse(it).unwrap());
            let (versions, found) = nearest(locked, &clear.collect::<Vec<_>>());
            let versions: Vec<&str> = versions.iter().map(Version::as_str).collect();
            assert_eq!(
                (versions.join(" ").as_str(), found),
                (want, toward),
                "{locked}"
            );
        }
    }

    #[test]
    fn what_is_lower_or_past_a_major_leaves_the_range() {
        for (locked, version, outside) in [
            ("1.2.0", "1.3.0", false),
            ("1.2.0", "1.3.0-rc.1", false),
            ("1.2.0", "1.1.0", true),
            ("1.2.0", "2.0.0", true),
            ("1.2.0", "2.0.0-rc.1", true),
            ("0.1.0", "0.2.0", true),
        ] {
            let version = Version::parse(version).unwrap();
            assert_eq!(leaves(locked, &version), outside, "{locked} {version}");
        }
    }
}
