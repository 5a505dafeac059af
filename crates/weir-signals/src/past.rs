//! A package's own past, as far as metadata tells it: sizes of its last releases.

use weir_npm::packument::{Packument, VersionManifest};
use weir_npm::version::Version;

use crate::timeline::is_before;

/// How many releases before one make its past (DETECTION section 4.4).
const RELEASES: usize = 30;

/// Fewer than this many values have no spread worth the name.
pub(crate) const ENOUGH: usize = 4;

/// The least spread that is assumed, as a natural logarithm: releases that differ by a quarter are
/// alike, however alike the ones before were.
const LEAST_SPREAD: f64 = 0.223;

/// Makes the median absolute deviation comparable with a standard deviation.
const MAD_SCALE: f64 = 1.4826;

/// How large one release is, as its registry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseSize {
    /// Bytes, unpacked.
    pub bytes: Option<u64>,
    /// Number of files.
    pub files: Option<u64>,
}

impl ReleaseSize {
    pub(crate) fn of(manifest: &VersionManifest) -> Self {
        Self {
            bytes: manifest.dist.unpacked_size,
            files: manifest.dist.file_count,
        }
    }
}

/// The sizes of the last releases published before `version`, newest first. Prereleases count only
/// for a prerelease: nightly builds are often of another size.
pub(crate) fn sizes(
    packument: &Packument,
    version: &str,
    refused: &dyn Fn(&str) -> bool,
) -> Vec<ReleaseSize> {
    let Some(published) = packument.published(version) else {
        return Vec::new();
    };
    let own = Version::parse(version).ok();
    let is_prerelease = |version: Option<&Version>| version.is_some_and(Version::is_prerelease);
    let own_is_prerelease = is_prerelease(own.as_ref());
    let mut before: Vec<_> = packument
        .versions()
        .iter()
        .filter(|entry| entry.version != version)
        .filter_map(|entry| {
            let other = entry.version.as_str();
            Some((entry.published()?, Version::parse(other).ok(), other))
        })
        .filter(|(time, number, other)| {
            is_before((*time, number.as_ref()), (published, own.as_ref()))
                && (own_is_prerelease || !is_prerelease(number.as_ref()))
                && !refused(other)
        })
        .collect();
    before.sort_unstable_by(|one, other| other.cmp(one));
    before
        .into_iter()
        .take(RELEASES)
        .filter_map(|(_, _, other)| packument.manifest(other)?.ok())
        .map(|manifest| ReleaseSize::of(&manifest))
        .collect()
}

/// How far a value lies from the median of earlier ones, in robust standard deviations of their
/// logarithms (sizes grow by factors, not by sums). Nothing where there are too few values.
pub(crate) fn deviation(value: u64, past: &[u64]) -> Option<f64> {
    if past.len() < ENOUGH {
        return None;
    }
    let logarithm = |value: u64| (value.max(1) as f64).ln();
    let mut logs: Vec<f64> = past.iter().map(|value| logarithm(*value)).collect();
    let middle = median(&mut logs)?;
    let mut distances: Vec<f64> = logs.iter().map(|log| (log - middle).abs()).collect();
    let spread = (median(&mut distances)? * MAD_SCALE).max(LEAST_SPREAD);
    Some((logarithm(value) - middle) / spread)
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*values.get(middle.checked_sub(1)?)?, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_of_factors_and_robust() {
        let steady = [100_000, 101_000, 99_000, 102_000, 100_500];
        assert!(deviation(110_000, &steady).unwrap().abs() < 1.0);
        assert!(deviation(1_000_000, &steady).unwrap() > 9.0);
        assert!(deviation(10_000, &steady).unwrap() < -9.0);
        // One odd release among many does not hide the next.
        let with_one_odd = [100_000, 5_000_000, 100_000, 100_000, 100_000];
        assert!(deviation(5_000_000, &with_one_odd).unwrap() > 9.0);
        // A package whose sizes have always varied is given its room.
        let varied = [10_000, 100_000, 1_000_000, 50_000, 400_000];
        assert!(deviation(2_000_000, &varied).unwrap() < 3.0);
        assert_eq!(deviation(1, &[1, 1, 1]), None);
        assert!(deviation(0, &[0, 0, 0, 0]).unwrap().abs() < 1e-9);
    }
}
