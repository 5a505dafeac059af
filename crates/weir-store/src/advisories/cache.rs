//! What was read of packages lately: several questions about one package, often about each of its versions,
//! come together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::PackageAdvisories;

/// Most packages held. Those of the requests that are answered at one time fit in many times over; of a tree
/// that is audited each package is asked about a few times in a row.
const PACKAGES: usize = 256;

/// Most bytes of their texts in the index: a package may have a thousand records. In memory they take about
/// three times as much.
const BYTES: u32 = 8 << 20;

/// Emptied when it is full: what is still asked for is back after one reading each.
#[derive(Debug, Default)]
pub(super) struct Cache {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    packages: HashMap<String, Arc<PackageAdvisories>>,
    bytes: u32,
}

impl Cache {
    pub(super) fn get(&self, name: &str) -> Option<Arc<PackageAdvisories>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.packages.get(name).cloned()
    }

    /// Holds what is known of a package; `bytes` is the length of its text.
    pub(super) fn put(&self, name: &str, about: &Arc<PackageAdvisories>, bytes: u32) {
        if bytes > BYTES {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // Two may have read the same at one time.
        if held.packages.contains_key(name) {
            return;
        }
        if held.packages.len() >= PACKAGES || held.bytes > BYTES - bytes {
            *held = Held::default();
        }
        held.packages.insert(name.to_owned(), about.clone());
        held.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(cache: &Cache) -> (usize, u32) {
        let held = cache.held.lock().unwrap();
        (held.packages.len(), held.bytes)
    }

    #[test]
    fn it_is_bounded_by_number_and_by_size() {
        let about = Arc::new(PackageAdvisories::default());
        let cache = Cache::default();
        for number in 0..PACKAGES {
            cache.put(&number.to_string(), &about, 10);
        }
        cache.put("0", &about, 10);
        assert!(cache.get("255").is_some());
        cache.put("one more", &about, 10);
        assert!(cache.get("one more").is_some());
        assert_eq!(sizes(&cache), (1, 10));

        cache.put("large", &about, BYTES - 10);
        assert_eq!(sizes(&cache), (2, BYTES));
        cache.put("small", &about, 1);
        assert_eq!(sizes(&cache), (1, 1));
        cache.put("too large", &about, BYTES + 1);
        assert!(cache.get("too large").is_none());
        assert_eq!(sizes(&cache), (1, 1));
    }

    #[test]
    fn the_same_package_counts_once() {
        let about = Arc::new(PackageAdvisories::default());
        let cache = Cache::default();
        cache.put("a", &about, 7);
        cache.put("a", &about, 7);
        assert_eq!(sizes(&cache), (1, 7));
    }
}
