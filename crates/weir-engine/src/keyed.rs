//! One lock per key, for work that many askers want done once.

use std::hash::Hash;
use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Locks by key. A key nobody holds takes no memory.
#[derive(Debug)]
pub(crate) struct Keyed<K: Eq + Hash> {
    locks: Arc<DashMap<K, Arc<Mutex<()>>>>,
}

impl<K: Eq + Hash> Default for Keyed<K> {
    fn default() -> Self {
        Self {
            locks: Arc::default(),
        }
    }
}

/// Holds a key until dropped.
#[derive(Debug)]
pub(crate) struct Guard<K: Eq + Hash> {
    locks: Arc<DashMap<K, Arc<Mutex<()>>>>,
    key: K,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> Keyed<K> {
    /// Waits until nobody else holds the key.
    pub(crate) async fn hold(&self, key: &K) -> Guard<K> {
        let lock = Arc::clone(&self.locks.entry(key.clone()).or_default());
        let held = Some(lock.lock_owned().await);
        Guard {
            locks: Arc::clone(&self.locks),
            key: key.clone(),
            held,
        }
    }
}

impl<K: Eq + Hash> Drop for Guard<K> {
    fn drop(&mut self) {
        drop(self.held.take());
        // Two owners would be the map and one who waits: keep it for them.
        self.locks
            .remove_if(&self.key, |_, lock| Arc::strong_count(lock) == 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_left_behind() {
        let keyed = Arc::new(Keyed::<u8>::default());
        let busy = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (keyed, busy) = (Arc::clone(&keyed), Arc::clone(&busy));
                tokio::spawn(async move {
                    let _guard = keyed.hold(&1).await;
                    assert_eq!(busy.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    tokio::task::yield_now().await;
                    busy.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(keyed.locks.is_empty());
    }
}
