//! The place of a hash in a sorted table. Hashes lie evenly, so that a hash's share of all there could be
//! says about where it is; a table of millions is then touched in a few places near each other, where
//! halving it again and again would touch it all over.

/// How often the place is put right by how far the hash that lies there is off.
const CORRECTIONS: usize = 2;

/// The first step away from the corrected place, in entries.
const STRIDE: usize = 4;

/// The first of `count` places whose key is not below `wanted`. Keys are sorted; those that do not lie
/// evenly are found as well, more slowly.
pub(super) fn first(count: usize, wanted: u64, key: impl Fn(usize) -> u64) -> usize {
    let Some(last) = count.checked_sub(1) else {
        return 0;
    };
    let share = |distance: u64| {
        let share = (u128::from(distance) * count as u128) >> 64;
        usize::try_from(share).unwrap_or(last)
    };
    let mut at = share(wanted).min(last);
    for _ in 0..CORRECTIONS {
        let known = key(at);
        at = if known < wanted {
            at.saturating_add(share(wanted - known)).min(last)
        } else {
            at.saturating_sub(share(known - wanted))
        };
    }
    let (mut low, mut high) = around(count, at, &|place| key(place) < wanted);
    while low < high {
        let middle = low + (high - low) / 2;
        if key(middle) < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Two places, the wanted one not outside of them: found in steps that double.
fn around(count: usize, at: usize, is_below: &dyn Fn(usize) -> bool) -> (usize, usize) {
    let mut stride = STRIDE;
    if is_below(at) {
        let mut low = at + 1;
        loop {
            let probe = low.saturating_add(stride);
            if probe >= count {
                return (low, count);
            }
            if !is_below(probe) {
                return (low, probe);
            }
            low = probe + 1;
            stride *= 2;
        }
    }
    let mut high = at;
    while high > 0 {
        let probe = high.saturating_sub(stride);
        if is_below(probe) {
            return (probe + 1, high);
        }
        high = probe;
        stride *= 2;
    }
    (0, 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::first;

    proptest! {
        /// However uneven the keys are.
        #[test]
        fn the_first_place_is_found(
            mut keys in prop::collection::vec(
                prop_oneof![any::<u64>(), 0_u64..50, (u64::MAX - 50)..=u64::MAX],
                0..400,
            ),
            wanted in prop_oneof![any::<u64>(), 0_u64..60, (u64::MAX - 60)..=u64::MAX],
        ) {
            keys.sort_unstable();
            let expected = keys.partition_point(|key| *key < wanted);
            prop_assert_eq!(first(keys.len(), wanted, |at| keys[at]), expected);
        }
    }
}
