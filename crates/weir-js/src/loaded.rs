//! Which of the places that matter run as soon as their file is loaded. Few files have any, so that these
//! are parsed once more for it.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::contents::{CapabilityKind, Surface};

use crate::ability::{self, AtLoad};
use crate::analyse::Work;
use crate::parse;

/// An act of a file.
#[derive(Clone, Copy)]
struct Act {
    kind: CapabilityKind,
    offset: u32,
    counts: Counts,
}

/// What else has to happen when a file is loaded, so that an act there says something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// Nothing.
    Alone,
    /// The network is used, or a program started: before that it is an option of a later call.
    BesideContact,
    /// Something is given it: else it is a default that others may use.
    InCall,
}

impl Act {
    fn of(kind: CapabilityKind, detail: &str, offset: u32) -> Self {
        let counts = match kind {
            CapabilityKind::DisablesTls if !detail.ends_with(ability::FOR_ALL) => {
                Counts::BesideContact
            }
            CapabilityKind::Publishes if detail.ends_with(ability::BY_REQUEST) => {
                Counts::BesideContact
            }
            CapabilityKind::DrivesAgents if detail.starts_with(ability::BY_LIBRARY) => {
                Counts::InCall
            }
            _ => Counts::Alone,
        };
        Self {
            kind,
            offset,
            counts,
        }
    }
}

impl Work<'_> {
    /// Finds them, and says it of the flows.
    pub(crate) fn report_loads(&mut self) {
        let mut acts = self.acts();
        let sinks: Vec<Option<(u32, u32)>> = self.ends.iter().map(|(_, sink)| *sink).collect();
        for (file, _) in sinks.iter().flatten() {
            acts.entry(*file).or_default();
        }
        // What is evaluated runs when the code around its evaluation does: outer code comes first.
        for (file, acts) in acts {
            let ends = sinks.iter().flatten().filter(|(other, _)| *other == file);
            let ends: Vec<u32> = ends.map(|(_, offset)| *offset).collect();
            self.load_of(file, &acts, &ends);
        }
        for (flow, sink) in self.facts.flows.iter_mut().zip(sinks) {
            flow.at_load = sink.is_some_and(|sink| self.at_load.contains(&sink));
        }
    }

    /// What files do of which it matters, where something imports them.
    fn acts(&self) -> BTreeMap<u32, Vec<Act>> {
        let mut acts: BTreeMap<u32, Vec<Act>> = BTreeMap::new();
        for (index, code) in self.codes.iter().enumerate() {
            let deeds = code.survey.iter().flat_map(|survey| survey.seen.deeds());
            let deeds: Vec<Act> = deeds
                .map(|act| Act::of(act.kind, &act.detail, act.offset))
                .collect();
            if !deeds.is_empty() {
                acts.insert(u32::try_from(index).unwrap_or(u32::MAX), deeds);
            }
        }
        for (kind, detail, (file, offset)) in &self.folded.abilities {
            if ability::tells_at_load(*kind) || ability::reaches_out(*kind) {
                let act = Act::of(*kind, detail, *offset);
                acts.entry(*file).or_default().push(act);
            }
        }
        acts.retain(|file, acts| {
            let surfaces = self.modules.surfaces(*file as usize).list();
            surfaces.contains(&Surface::Import)
                && acts.iter().any(|act| ability::tells_at_load(act.kind))
        });
        acts
    }

    /// Remembers which acts and ends of flows of a file run when it is loaded.
    fn load_of(&mut self, file: u32, acts: &[Act], ends: &[u32]) {
        let kind = self.kind(file as usize);
        let Some(code) = self.codes.get(file as usize) else {
            return;
        };
        let waits = code.within.is_some_and(|at| !self.at_load.contains(&at));
        let (true, false, Ok(text)) = (code.is_small(), waits, parse::decode(&code.bytes)) else {
            return;
        };
        let mut found = BTreeSet::new();
        // What does not parse does nothing either.
        let _ = parse::with_checked(self.allocator, &code.path, &text, kind, |program| {
            let at_load = AtLoad::of(program);
            found = telling(acts, &at_load);
            found.extend(ends.iter().filter(|offset| at_load.runs(**offset)));
        });
        self.at_load
            .extend(found.into_iter().map(|offset| (file, offset)));
    }
}

/// Of what runs when a file is loaded, what says something.
fn telling(acts: &[Act], at_load: &AtLoad) -> BTreeSet<u32> {
    let acts = acts.iter().filter(|act| at_load.runs(act.offset));
    let acts: Vec<&Act> = acts.collect();
    let reaches_out = acts.iter().any(|act| ability::reaches_out(act.kind));
    let told = acts.into_iter().filter(|act| {
        ability::tells_at_load(act.kind)
            && match act.counts {
                Counts::Alone => true,
                Counts::BesideContact => reaches_out,
                Counts::InCall => at_load.is_given(act.offset),
            }
    });
    told.map(|act| act.offset).collect()
}
