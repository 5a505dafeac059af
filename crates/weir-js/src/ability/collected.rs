//! What all files of a package are able to do, by surface, and to whom they talk.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::contents::{Capability, CapabilityKind, Host, HostClass, Place, Spot, Surface};

use super::{Act, Seen, Stand, Sure, is_host, judge, tells_at_load, tells_each};
use crate::place;
use crate::tables::hosts;

/// Most hosts that are reported per package.
const REPORTED: usize = 200;

/// Most further places of one ability on one surface; the rest is counted.
const ALSO: usize = 15;

/// Most of those that are counted.
const LEFT_OUT: usize = 200;

/// One ability on one surface: where it shows best, and where else.
#[derive(Debug)]
struct Found {
    sure: Sure,
    best: Spot,
    also: Vec<(Sure, Spot)>,
    /// Places beyond these, each once: path, line, and what is done.
    left_out: BTreeSet<(String, u32, String)>,
}

impl Found {
    fn new(sure: Sure, best: Spot) -> Self {
        Self {
            sure,
            best,
            also: Vec::new(),
            left_out: BTreeSet::new(),
        }
    }

    /// Whether what is known says at least as much as what is found now: what happens at once says most.
    fn is_better(&self, at_load: bool, now: Sure) -> bool {
        (self.best.at_load, self.sure) >= (at_load, now)
    }

    /// Adds a further place. `each` says that all of them are told; of others only the best one is kept.
    fn add(&mut self, sure: Sure, spot: Spot, each: bool) {
        let is_weaker = self.is_better(spot.at_load, sure);
        if !each {
            if !is_weaker {
                (self.sure, self.best) = (sure, spot);
            }
            return;
        }
        let is_known = is_same(sure, &spot, self.sure, &self.best);
        if is_weaker && is_known {
            return;
        }
        let (sure, spot) = match is_weaker {
            true => (sure, spot),
            false => {
                self.also
                    .retain(|(old, known)| !is_same(sure, &spot, *old, known));
                let old = std::mem::replace(&mut self.sure, sure);
                (old, std::mem::replace(&mut self.best, spot))
            }
        };
        let is_load = spot.detail.starts_with("loads ");
        if is_known || is_load {
            return;
        }
        let known = self.also.iter_mut();
        let mut same = known.filter(|(old, known)| is_same(sure, &spot, *old, known));
        if let Some((_, known)) = same.next() {
            known.at_load |= spot.at_load;
        } else if self.also.len() < ALSO {
            self.also.push((sure, spot));
        } else if self.left_out.len() < LEFT_OUT {
            let name = name(&spot).to_owned();
            self.left_out
                .insert((spot.place.path, spot.place.line, name));
        }
    }

    fn finish(self, kind: CapabilityKind, surface: Surface) -> Capability {
        Capability {
            kind,
            detail: self.best.detail,
            place: self.best.place,
            surface,
            at_load: self.best.at_load,
            also: self.also.into_iter().map(|(_, spot)| spot).collect(),
            also_left_out: u32::try_from(self.left_out.len()).unwrap_or(u32::MAX),
        }
    }
}

/// What a deed is done to, without its folder.
fn name(spot: &Spot) -> &str {
    spot.detail.rsplit('/').next().unwrap_or(&spot.detail)
}

/// Whether two finds are of one deed. Folding a call may give it a fuller path than the look at its file, or
/// another wording; what folding alone shows may be several things in one place.
fn is_same(sure: Sure, spot: &Spot, other_sure: Sure, other: &Spot) -> bool {
    spot.place == other.place && (sure != other_sure || name(spot) == name(other))
}

/// Everything a package's files are able to do, by surface.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    capabilities: BTreeMap<(Surface, CapabilityKind), Found>,
    hosts: BTreeMap<(HostClass, String), Host>,
}

impl Collected {
    /// Adds what one file is able to do, for every surface that reaches it.
    /// Most files show nothing that others have not shown: `place` is not asked then.
    pub(crate) fn file(
        &mut self,
        (path, package): (&str, Option<&str>),
        surfaces: &[Surface],
        seen: &Seen,
        loaded: impl Fn(u32) -> bool,
        place: impl Fn(u32) -> Place,
    ) {
        let Some(&strongest) = surfaces.first() else {
            return;
        };
        let stand = Stand {
            file: path,
            at_install: strongest == Surface::Install,
            package,
        };
        let judged = seen.touches.iter();
        let judged = judged.filter_map(|touch| judge(touch, stand));
        let mut acts: Vec<Act> = judged.collect();
        let touched = acts.len();
        acts.extend(seen.acts.iter().cloned());
        let told = seen.told.iter().filter(|act| !seen.acts.contains(act));
        acts.extend(told.cloned());
        let deeds = seen.deeds.iter();
        let at_load = deeds.filter(|act| tells_at_load(act.kind) && loaded(act.offset));
        let acts = acts.iter().enumerate();
        let acts = acts.map(|(index, act)| (act, false, index < touched));
        for (act, at_load, touches) in at_load.map(|act| (act, true, false)).chain(acts) {
            // That a module is loaded is nothing that was done in a place.
            let is_told = tells_each(act.kind) && (touches || act.sure >= Sure::Called);
            for &surface in surfaces {
                let known = self.capabilities.get(&(surface, act.kind));
                if !is_told && known.is_some_and(|known| known.is_better(at_load, act.sure)) {
                    continue;
                }
                let place = place(act.offset);
                self.add(act.sure, act.kind, &act.detail, place, surface, at_load);
            }
        }
        for contact in &seen.contacts {
            let key = (contact.class, contact.host.clone());
            let weaker = |known: &Host| known.surface <= strongest;
            if self.hosts.get(&key).is_some_and(weaker) {
                continue;
            }
            let place = place(contact.offset);
            let host = Host {
                host: contact.host.clone(),
                class: contact.class,
                place,
                surface: strongest,
            };
            self.hosts.insert(key, host);
        }
    }

    /// Adds one ability.
    pub(crate) fn add(
        &mut self,
        sure: Sure,
        kind: CapabilityKind,
        detail: &str,
        place: Place,
        surface: Surface,
        at_load: bool,
    ) {
        let spot = Spot {
            detail: place::clean(detail),
            place,
            at_load,
        };
        match self.capabilities.get_mut(&(surface, kind)) {
            Some(found) => found.add(sure, spot, tells_each(kind)),
            None => {
                self.capabilities
                    .insert((surface, kind), Found::new(sure, spot));
            }
        }
    }

    /// Adds a host that a command or a folded call names.
    pub(crate) fn host(&mut self, host: &str, text: &str, place: Place, surface: Surface) {
        if !is_host(host) {
            return;
        }
        let class = hosts::classify(host, text);
        let known = self
            .hosts
            .entry((class, host.to_owned()))
            .or_insert_with(|| Host {
                host: host.to_owned(),
                class,
                place: place.clone(),
                surface,
            });
        if surface < known.surface {
            known.surface = surface;
            known.place = place;
        }
    }

    /// The lists, strongest surface first, odd hosts before ordinary ones.
    pub(crate) fn finish(self) -> (Vec<Capability>, Vec<Host>) {
        let capabilities = self
            .capabilities
            .into_iter()
            .map(|((surface, kind), found)| found.finish(kind, surface))
            .collect();
        let mut hosts: Vec<Host> = self.hosts.into_values().collect();
        hosts.truncate(REPORTED);
        (capabilities, hosts)
    }
}
