//! Packages of which a resolution is being made at present: whoever looks at one of their releases meanwhile need not
//! look at those before it.

use std::sync::Arc;

use dashmap::DashMap;
use weir_npm::name::PackageName;

/// The packages, each with how many are at it.
#[derive(Debug, Default)]
pub(crate) struct Listing(Arc<DashMap<PackageName, usize>>);

/// In the list until dropped.
#[derive(Debug)]
pub(crate) struct Entered {
    listing: Arc<DashMap<PackageName, usize>>,
    name: PackageName,
}

impl Listing {
    pub(crate) fn enter(&self, name: &PackageName) -> Entered {
        *self.0.entry(name.clone()).or_default() += 1;
        Entered {
            listing: Arc::clone(&self.0),
            name: name.clone(),
        }
    }

    pub(crate) fn is_in(&self, name: &PackageName) -> bool {
        self.0.contains_key(name)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.listing.remove_if_mut(&self.name, |_, count| {
            *count = count.saturating_sub(1);
            *count == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_listed_as_long_as_anybody_is_at_it() {
        let (listing, name) = (Listing::default(), PackageName::parse("sluice").unwrap());
        let (one, other) = (listing.enter(&name), listing.enter(&name));
        drop(one);
        assert!(listing.is_in(&name));
        drop(other);
        assert!(!listing.is_in(&name) && listing.0.is_empty());
    }
}
