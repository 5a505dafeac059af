//! What several scenarios are put together from.

use jiff::Timestamp;

use super::deviations::{elsewhere, package, release};
use super::{Attack, Expected, Scenario, Twin, history, minutes_before};
use crate::{Package, Registry, Release, Sink};

/// The releases that most histories consist of.
pub(super) const VERSIONS: [&str; 6] = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.3.1", "1.4.0"];

/// The release after them.
pub(super) const NEXT: &str = "1.4.1";

/// The registry, the sink and the moment that a scenario begins with.
pub(super) struct Stage {
    pub(super) registry: Registry,
    pub(super) sink: Sink,
    pub(super) now: Timestamp,
    pub(super) known: Vec<&'static str>,
    pub(super) attacks: Vec<Attack>,
    pub(super) twins: Vec<Twin>,
}

impl Stage {
    pub(super) fn new(now: Timestamp) -> Stage {
        let registry = Registry::start();
        registry.set_now_at(now);
        Stage {
            registry,
            sink: Sink::start(),
            now,
            known: Vec::new(),
            attacks: Vec::new(),
            twins: Vec::new(),
        }
    }

    pub(super) fn end(self, name: &'static str, description: &'static str) -> Scenario {
        let Stage {
            registry,
            sink,
            now,
            known,
            attacks,
            twins,
        } = self;
        Scenario {
            name,
            description,
            registry,
            sink,
            now,
            known,
            attacks,
            twins,
        }
    }

    /// A package with two years behind it, whose releases `make` builds, and one more, [`NEXT`], that
    /// `change` makes of what would have been the next one.
    pub(super) fn updated(
        &self,
        name: &str,
        maintainer: &str,
        make: impl Fn(&str) -> Release,
        minutes: i64,
        change: impl FnOnce(Release) -> Release,
    ) -> Package {
        let next = change(make(NEXT)).published_at(minutes_before(self.now, minutes));
        package(name, maintainer)
            .releases(history(self.now, &VERSIONS, (800, 40), make))
            .release(next)
    }

    /// An attack: a package of long standing gets a bad patch from somebody's other machine, as
    /// stolen tokens leave it.
    pub(super) fn hijacked(
        &mut self,
        name: &'static str,
        incidents: &'static [&'static str],
        expected: Vec<Expected>,
        minutes: i64,
        change: impl FnOnce(Release) -> Release,
    ) {
        let package = self.updated(name, "mara", release, minutes, |next| {
            elsewhere(change(next))
        });
        self.registry.add(package);
        self.bad_update(name, incidents, expected);
    }

    /// Names [`NEXT`] of a package as the attack.
    pub(super) fn bad_update(
        &mut self,
        name: &'static str,
        incidents: &'static [&'static str],
        expected: Vec<Expected>,
    ) {
        self.attacks.push(Attack {
            name,
            version: NEXT,
            good: Some("1.4.0"),
            incidents,
            parts_of: &[],
            separable: true,
            expected,
        });
    }

    /// The same where only one side of the incidents is replayed.
    pub(super) fn side_of(&mut self, incidents: &'static [&'static str]) {
        if let Some(attack) = self.attacks.last_mut() {
            attack.incidents = &[];
            attack.parts_of = incidents;
        }
    }

    /// A package whose first release is the attack.
    pub(super) fn newcomer(
        &mut self,
        package: Package,
        (name, version): (&'static str, &'static str),
        incidents: &'static [&'static str],
        expected: Vec<Expected>,
    ) {
        self.registry.add(package);
        self.attacks.push(Attack {
            name,
            version,
            good: None,
            incidents,
            parts_of: &[],
            separable: true,
            expected,
        });
    }

    /// A package of long standing whose next release resembles an attack.
    pub(super) fn honest(
        &mut self,
        name: &'static str,
        why: &'static str,
        make: impl Fn(&str) -> Release,
        change: impl FnOnce(Release) -> Release,
    ) {
        let package = self.updated(name, "ines", make, 21, change);
        self.registry.add(package);
        self.twin(name, NEXT, why);
    }

    pub(super) fn twin(&mut self, name: &'static str, version: &'static str, why: &'static str) {
        self.twins.push(Twin { name, version, why });
    }
}
