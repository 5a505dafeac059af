//! The time that decisions are made at.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, RwLock};

/// Where "now" comes from. Decisions never look at the system's clock by themselves, so that the
/// past can be replayed (`--now`) and tests can move time.
#[derive(Debug, Clone)]
pub struct Clock(Inner);

#[derive(Debug, Clone)]
enum Inner {
    System,
    Set(Arc<RwLock<Timestamp>>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Inner::System)
    }

    /// A clock that stands at the given moment until it is moved.
    #[must_use]
    pub fn standing(at: Timestamp) -> Self {
        Self(Inner::Set(Arc::new(RwLock::new(at))))
    }

    /// The moment that counts as now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Inner::System => Timestamp::now(),
            Inner::Set(moment) => match moment.read() {
                Ok(moment) => *moment,
                Err(poisoned) => *poisoned.into_inner(),
            },
        }
    }

    /// Moves a standing clock; a system clock stays what it is.
    pub fn advance(&self, by: SignedDuration) {
        if let Inner::Set(moment) = &self.0
            && let Ok(mut moment) = moment.write()
            && let Ok(later) = moment.checked_add(by)
        {
            *moment = later;
        }
    }
}
