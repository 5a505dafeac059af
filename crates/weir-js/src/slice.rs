//! Which parts of a large file could take part in a flow.
//!
//! A bundle is many files in one. Its parts are the largest statements and expressions that are no
//! larger than a file that people write, and a part matters when it is near both something that
//! reads secrets and something that sends. Near is counted in names: one part defines a name that
//! the other one uses, and few others do.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;

use oxc_span::Span;

/// Largest part, in bytes.
pub(crate) const PART: u32 = 16 << 10;
/// Files up to this size are not cut, in bytes.
pub(crate) const WHOLE: usize = 32 << 10;
/// How many names the two ends of a flow may be apart.
const DISTANCE: u8 = 2;
/// Most parts that may define a name for it to connect them.
const DEFINERS: usize = 2;
/// Most parts that may use it.
const USERS: usize = 8;
/// Most bytes that are added because chosen parts call them.
const SUPPORT: u32 = 24 << 10;

type Names = std::hash::BuildHasherDefault<crate::flow::NumberHasher>;

/// One part of a file.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) span: Span,
    /// It may read secrets.
    pub(crate) source: bool,
    /// It reads a member `env` of something.
    pub(crate) env_of_something: bool,
    /// It may send.
    pub(crate) sink: bool,
    /// It hides what it does, so it may do both.
    pub(crate) dynamic: bool,
    defines: Vec<u64>,
    uses: Vec<u64>,
}

/// Collects parts while a file is surveyed.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    parts: Vec<Part>,
    current: Option<Part>,
    /// The same in every process, so that the same bytes give the same facts.
    hasher: std::hash::BuildHasherDefault<std::hash::DefaultHasher>,
}

impl Recorder {
    /// Whether a node of this size begins a part.
    pub(crate) fn begins(&self, span: Span) -> bool {
        self.current.is_none() && span.size() <= PART
    }

    pub(crate) fn open(&mut self, span: Span) {
        self.current = Some(Part {
            span,
            ..Part::default()
        });
    }

    pub(crate) fn close(&mut self, finish: impl FnOnce(&mut Part)) {
        if let Some(mut part) = self.current.take() {
            finish(&mut part);
            part.defines.sort_unstable();
            part.defines.dedup();
            part.uses.sort_unstable();
            part.uses.dedup();
            self.parts.push(part);
        }
    }

    pub(crate) fn uses(&mut self, name: &str) {
        let hash = self.hasher.hash_one(name);
        if let Some(part) = &mut self.current {
            part.uses.push(hash);
        }
    }

    pub(crate) fn defines(&mut self, name: &str) {
        let hash = self.hasher.hash_one(name);
        if let Some(part) = &mut self.current {
            part.defines.push(hash);
        }
    }

    /// The parts that may be left out, and how many bytes are left in. `has_source` and `has_sink`
    /// say whether a file nearby has the other end.
    pub(crate) fn left_out(
        self,
        holds_process: bool,
        has_source: bool,
        has_sink: bool,
    ) -> (HashSet<Span>, usize) {
        let parts = self.parts;
        let is_source =
            |part: &Part| part.source || part.dynamic || (holds_process && part.env_of_something);
        let is_sink = |part: &Part| part.sink || part.dynamic;
        let graph = Graph::of(&parts);
        let ends = |test: &dyn Fn(&Part) -> bool| -> Vec<usize> {
            (0..parts.len())
                .filter(|&at| parts.get(at).is_some_and(test))
                .collect()
        };
        let from_source = graph.distances(&ends(&is_source));
        let from_sink = graph.distances(&ends(&is_sink));
        let mut chosen: Vec<bool> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let source = from_source.get(at).copied().unwrap_or(u8::MAX);
                let sink = from_sink.get(at).copied().unwrap_or(u8::MAX);
                source.saturating_add(sink) <= DISTANCE
                    || (has_sink && is_source(part))
                    || (has_source && is_sink(part))
            })
            .collect();
        graph.support(&parts, &mut chosen);
        let mut bytes = 0;
        let mut left_out = HashSet::new();
        for (part, is_chosen) in parts.iter().zip(chosen) {
            if is_chosen {
                bytes += part.span.size() as usize;
            } else {
                left_out.insert(part.span);
            }
        }
        (left_out, bytes)
    }
}

/// Parts by the names they share.
struct Graph {
    near: Vec<Vec<usize>>,
    /// Parts that define a name, for names that few define.
    definers: HashMap<u64, Vec<usize>, Names>,
}

impl Graph {
    fn of(parts: &[Part]) -> Self {
        let mut definers: HashMap<u64, Vec<usize>, Names> = HashMap::default();
        for (at, part) in parts.iter().enumerate() {
            for &name in &part.defines {
                definers.entry(name).or_default().push(at);
            }
        }
        definers.retain(|_, list| list.len() <= DEFINERS);
        let mut users: HashMap<u64, Vec<usize>, Names> = HashMap::default();
        for (at, part) in parts.iter().enumerate() {
            for &name in &part.uses {
                if definers.contains_key(&name) {
                    let list = users.entry(name).or_default();
                    if list.len() <= USERS {
                        list.push(at);
                    }
                }
            }
        }
        let mut near = vec![Vec::new(); parts.len()];
        for (name, using) in &users {
            if using.len() > USERS {
                continue;
            }
            for &to in definers.get(name).into_iter().flatten() {
                for &from in using {
                    if from != to {
                        for (a, b) in [(from, to), (to, from)] {
                            if let Some(list) = near.get_mut(a) {
                                list.push(b);
                            }
                        }
                    }
                }
            }
        }
        Self { near, definers }
    }

    fn distances(&self, starts: &[usize]) -> Vec<u8> {
        let mut distance = vec![u8::MAX; self.near.len()];
        let mut queue = VecDeque::new();
        for &start in starts {
            if let Some(value) = distance.get_mut(start) {
                *value = 0;
                queue.push_back(start);
            }
        }
        while let Some(at) = queue.pop_front() {
            let next = distance
                .get(at)
                .copied()
                .unwrap_or(u8::MAX)
                .saturating_add(1);
            if next > DISTANCE {
                continue;
            }
            for &other in self.near.get(at).into_iter().flatten() {
                if let Some(value) = distance.get_mut(other)
                    && *value > next
                {
                    *value = next;
                    queue.push_back(other);
                }
            }
        }
        distance
    }

    /// Adds what chosen parts use, however many others use it too: helpers and decoders.
    fn support(&self, parts: &[Part], chosen: &mut [bool]) {
        let mut queue: VecDeque<usize> = chosen
            .iter()
            .enumerate()
            .filter_map(|(at, &is_chosen)| is_chosen.then_some(at))
            .collect();
        let mut bytes = 0_u32;
        while let Some(at) = queue.pop_front() {
            let uses = parts.get(at).map_or(&[][..], |part| part.uses.as_slice());
            for other in uses
                .iter()
                .filter_map(|name| self.definers.get(name))
                .flatten()
            {
                let size = parts.get(*other).map_or(0, |part| part.span.size());
                if let Some(mark) = chosen.get_mut(*other)
                    && !*mark
                    && bytes.saturating_add(size) <= SUPPORT
                {
                    bytes += size;
                    *mark = true;
                    queue.push_back(*other);
                }
            }
        }
    }
}
