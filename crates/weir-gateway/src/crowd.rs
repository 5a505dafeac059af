//! How many connections there may be: so many that open files are left for answering them, and not all of one peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Fewer than this are never too many.
const FEWEST: usize = 64;

/// The connections at present.
#[derive(Debug)]
pub(crate) struct Crowd {
    room: Arc<Semaphore>,
    /// How many one peer may have, of other machines: what runs here has other ways to be in the way.
    of_one: usize,
    peers: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one connection, until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    peer: IpAddr,
    _room: OwnedSemaphorePermit,
}

impl Crowd {
    /// As large as the files allow that this process may open: a quarter is for upstreams, database and tarballs.
    pub(crate) fn by_open_files() -> Arc<Self> {
        Self::of(open_files().map_or(Semaphore::MAX_PERMITS, |files| files / 4 * 3))
    }

    fn of(most: usize) -> Arc<Self> {
        let most = most.clamp(FEWEST, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            room: Arc::new(Semaphore::new(most)),
            of_one: most / 2,
            peers: Mutex::default(),
        })
    }

    /// Waits until there is room for one more.
    pub(crate) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// Takes a connection in, unless its peer has its share.
    pub(crate) fn admit(
        self: &Arc<Self>,
        peer: IpAddr,
        room: OwnedSemaphorePermit,
    ) -> Option<Place> {
        let peer = peer.to_canonical();
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = peers.entry(peer).or_default();
        if *theirs >= self.of_one && !peer.is_loopback() {
            return None;
        }
        *theirs = theirs.saturating_add(1);
        Some(Place {
            crowd: Arc::clone(self),
            peer,
            _room: room,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let peers = self.crowd.peers.lock();
        let mut peers = peers.unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = peers.get_mut(&self.peer) {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

/// How many files this process may have open, where the system tells.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    soft_limit(&limits)
}

fn soft_limit(limits: &str) -> Option<usize> {
    let mut lines = limits.lines();
    let line = lines.find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_peer_has_half_and_all_have_to_wait_for_more_than_there_is() {
        let crowd = Crowd::of(1);
        let (far, other): (IpAddr, IpAddr) =
            ("192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap());
        let mut places = Vec::new();
        for _ in 0..FEWEST / 2 {
            let room = crowd.room().await.unwrap();
            places.push(crowd.admit(far, room).unwrap());
        }
        let room = crowd.room().await.unwrap();
        assert!(crowd.admit(far, room).is_none());
        for _ in 0..FEWEST / 2 {
            let room = crowd.room().await.unwrap();
            places.push(crowd.admit(other, room).unwrap());
        }
        let wait = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(wait, crowd.room()).await.is_err());
        places.clear();
        assert!(crowd.peers.lock().unwrap().is_empty());
        for _ in 0..FEWEST {
            let room = crowd.room().await.unwrap();
            places.push(crowd.admit("127.0.0.1".parse().unwrap(), room).unwrap());
        }
    }

    #[test]
    fn the_limit_of_open_files_is_the_one_in_force() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             7823                 7823                 processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(
            soft_limit("Max open files            unlimited            unlimited"),
            None
        );
        assert_eq!(soft_limit(""), None);
    }
}
