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
    Asked(Timestamp),
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

    /// The moment that somebody asks about: how it would be then. Nothing happens at such a moment, so
    /// nothing of it is written down that decides later.
    #[must_use]
    pub const fn asked(at: Timestamp) -> Self {
        Self(Inner::Asked(at))
    }

    /// Whether what is seen and decided by this clock happens, and is to be written down.
    #[must_use]
    pub const fn records(&self) -> bool {
        !matches!(self.0, Inner::Asked(_))
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
            Inner::Asked(moment) => *moment,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_moment_that_is_asked_about_leaves_no_record() {
        let at = Timestamp::UNIX_EPOCH;
        for (clock, records) in [
            (Clock::system(), true),
            (Clock::standing(at), true),
            (Clock::asked(at), false),
        ] {
            assert_eq!(clock.records(), records, "{clock:?}");
        }
        assert_eq!(Clock::asked(at).now(), at);
    }
}
