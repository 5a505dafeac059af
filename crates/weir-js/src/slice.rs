//! Which parts of a large file could take part in a flow.
//!
//! A bundle is many files in one. Its parts are the largest statements and expressions that are no
//! larger than a file that people write, and a part matters when it is near both something that
//! reads secrets and something that sends. Near is counted in names: one part defines a name that
//! the other one uses, and few others do.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault};

use oxc_span::Span;
use rustc_hash::FxHasher;

use crate::cut::{Cut, Cuts};
use crate::hash::Set;
use crate::survey::{self, KINDS, Signs};
use crate::tables::targets::Named;

/// Largest part, in bytes.
pub(crate) const PART: u32 = 16 << 10;
/// Files up to this size are not cut, in bytes.
pub(crate) const WHOLE: usize = 32 << 10;
/// How many names the two ends of a flow may be apart.
const DISTANCE: u8 = 2;
/// Most bytes of a file that take part; with more, the two ends have to be nearer to each other.
/// A payload is short and whole; what spreads over so much code is the program itself.
const MOST: usize = 128 << 10;
/// Most parts that may define a name for it to connect them.
const DEFINERS: usize = 2;
/// Most parts that may use it.
const USERS: usize = 8;
/// Most bytes that are added because chosen parts call them.
const SUPPORT: u32 = 24 << 10;

type ByName<T> = HashMap<u64, T, BuildHasherDefault<crate::flow::NumberHasher>>;

/// One part of a file. Small, as a generated parser of 15 MB has two million of them.
#[derive(Debug, Default)]
pub(crate) struct Part {
    span: Span,
    signs: Signs,
    ends: Ends,
}

/// Where what belongs to a part ends in the lists of all parts. A file is too short for more than these can count.
#[derive(Debug, Default, Clone, Copy)]
struct Ends {
    /// The names it defines.
    defines: u32,
    /// The names it uses.
    uses: u32,
    /// How it is taken out of the text.
    cuts: u32,
}

/// How many names of a part are remembered, so that not every mention takes a place. A power of two.
const RECENT: usize = 256;

/// Most parts of one file that are kept. Generated parsers have millions, of some bytes each, which take more memory
/// than their text; the most in anything else among 4,600 popular packages are 200,000.
pub(crate) const MOST_PARTS: usize = 500_000;

/// Collects parts while a file is surveyed.
#[derive(Debug)]
pub(crate) struct Recorder {
    parts: Parts,
    /// There are more than are kept, so that none is.
    is_over: bool,
    current: Option<Part>,
    /// Names with the part that used them last, each in the place that its last bits say.
    recent: Box<[(u64, usize)]>,
    /// The same in every process, so that the same bytes give the same facts. Names that are made
    /// to collide join parts that have nothing in common, which leaves less out.
    hasher: BuildHasherDefault<FxHasher>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            parts: Parts::default(),
            is_over: false,
            current: None,
            recent: vec![(0, usize::MAX); RECENT].into_boxed_slice(),
            hasher: BuildHasherDefault::default(),
        }
    }
}

impl Recorder {
    /// Whether no part is open, so that one may begin.
    pub(crate) fn is_between(&self) -> bool {
        self.current.is_none()
    }

    /// Whether a node of this size begins a part.
    pub(crate) fn begins(&self, span: Span) -> bool {
        self.is_between() && span.size() <= PART
    }

    pub(crate) fn open(&mut self, span: Span, cuts: Cuts) {
        self.parts.cuts.extend(cuts);
        self.current = Some(Part {
            span,
            ..Part::default()
        });
    }

    pub(crate) fn close(&mut self, signs: Signs) {
        if let Some(mut part) = self.current.take() {
            part.signs = signs;
            part.ends = self.parts.ends();
            self.parts.list.push(part);
            if self.parts.list.len() > MOST_PARTS {
                self.parts = Parts::default();
                self.is_over = true;
            }
        }
    }

    pub(crate) fn uses(&mut self, name: &str) {
        if self.current.is_none() {
            return;
        }
        let name = self.hasher.hash_one(name);
        let used = (name, self.parts.list.len());
        let place = usize::try_from(name % RECENT as u64).unwrap_or_default();
        if let Some(recent) = self.recent.get_mut(place)
            && *recent != used
        {
            *recent = used;
            self.parts.uses.push(name);
        }
    }

    pub(crate) fn defines(&mut self, name: &str) {
        if self.current.is_some() {
            self.parts.defines.push(self.hasher.hash_one(name));
        }
    }

    /// Whether there are more parts than are kept.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The parts, if there are not too many.
    pub(crate) fn finish(self) -> Option<Parts> {
        (!self.is_over).then_some(self.parts)
    }
}

/// The parts of a file. Names are sorted where they are asked for: most files never are.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    list: Vec<Part>,
    /// Hashes of the names that parts define, part after part, and of those they use.
    defines: Vec<u64>,
    uses: Vec<u64>,
    /// How parts are taken out of the text, part after part.
    cuts: Vec<Cut>,
}

/// What files nearby have.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Nearby {
    /// Something in the package holds the process by an alias.
    pub(crate) holds_process: bool,
    /// The ends that other files have.
    pub(crate) ends: survey::Ends,
}

/// The parts of a file that may be left out.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// Which.
    pub(crate) spans: Set<Span>,
    /// What to overwrite for them to be gone from the text.
    pub(crate) cuts: Vec<Cut>,
    /// How many bytes all other parts have.
    pub(crate) bytes_left: usize,
}

impl Parts {
    fn ends(&self) -> Ends {
        let end = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Ends {
            defines: end(self.defines.len()),
            uses: end(self.uses.len()),
            cuts: end(self.cuts.len()),
        }
    }

    /// The names among `all` of the part whose names end at `end`, where `start` is the end of those before.
    fn each<'a>(
        &'a self,
        all: &'a [u64],
        end: impl Fn(&Ends) -> u32,
    ) -> impl Iterator<Item = (u32, &'a [u64])> {
        let mut start = 0;
        (0_u32..).zip(&self.list).map(move |(at, part)| {
            let end = end(&part.ends) as usize;
            let own = all.get(start..end).unwrap_or_default();
            start = end;
            (at, own)
        })
    }

    /// The names that a part uses, some of them several times.
    fn uses_of(&self, part: usize) -> &[u64] {
        let end = |part: usize| self.list.get(part).map(|part| part.ends.uses as usize);
        let start = part.checked_sub(1).and_then(end).unwrap_or_default();
        end(part)
            .and_then(|end| self.uses.get(start..end))
            .unwrap_or_default()
    }

    /// What may be left out. `named` says where the text names what matters to others, in the order of the text.
    pub(crate) fn left_out(&self, nearby: Nearby, named: &[Named]) -> LeftOut {
        let chosen = self.chosen(nearby, named);
        let mut left_out = LeftOut::default();
        let mut start = 0;
        for (part, is_chosen) in self.list.iter().zip(chosen) {
            let end = part.ends.cuts as usize;
            if is_chosen {
                left_out.bytes_left += part.span.size() as usize;
            } else {
                left_out.spans.insert(part.span);
                let cuts = self.cuts.get(start..end).unwrap_or_default();
                left_out.cuts.extend_from_slice(cuts);
            }
            start = end;
        }
        left_out
    }

    /// The ends that each part has.
    fn ends_of_parts(&self, nearby: Nearby, named: &[Named]) -> Vec<survey::Ends> {
        let mut found: Vec<survey::Ends> = self
            .list
            .iter()
            .map(|part| part.signs.ends(nearby.holds_process, 0))
            .collect();
        for one in named {
            let at = self.list.partition_point(|part| part.span.end <= one.at);
            let holds = self
                .list
                .get(at)
                .is_some_and(|part| part.span.start <= one.at);
            if let Some(ends) = found.get_mut(at).filter(|_| holds) {
                ends.from |= one.kinds;
            }
        }
        found
    }

    /// Which parts matter.
    fn chosen(&self, nearby: Nearby, named: &[Named]) -> Vec<bool> {
        let parts = &self.list;
        let ends = self.ends_of_parts(nearby, named);
        let flows = KINDS.map(|kind| Flow::of(kind, &ends, nearby.ends));
        let mut chosen = vec![false; parts.len()];
        // Most files of a package have neither end.
        if flows.iter().all(|flow| flow.is_nowhere()) {
            return chosen;
        }
        let graph = Graph::of(self);
        let flows = flows.map(|flow| flow.measured(&graph));
        for distance in (0..=DISTANCE).rev() {
            chosen.fill(false);
            for flow in &flows {
                flow.choose(&mut chosen, distance);
            }
            let picked = parts.iter().zip(&chosen).filter(|(_, mark)| **mark);
            if picked
                .map(|(part, _)| part.span.size() as usize)
                .sum::<usize>()
                <= MOST
            {
                break;
            }
        }
        graph.support(&mut chosen);
        chosen
    }
}

/// The parts that are the two ends of a flow.
struct Flow {
    sources: Vec<usize>,
    sinks: Vec<usize>,
    /// Another file has such a source, or such a sink.
    is_read_elsewhere: bool,
    is_sent_elsewhere: bool,
    /// How far each part is from the two ends together, where the file has both.
    distances: Vec<u8>,
}

impl Flow {
    /// The parts that are the two ends of a flow of this kind.
    fn of(kind: u8, parts: &[survey::Ends], elsewhere: survey::Ends) -> Self {
        let with = |bits: &dyn Fn(&survey::Ends) -> u8| -> Vec<usize> {
            let parts = parts.iter().enumerate();
            parts
                .filter_map(|(at, ends)| (bits(ends) & kind != 0).then_some(at))
                .collect()
        };
        Self {
            sources: with(&|ends| ends.from),
            sinks: with(&|ends| ends.to),
            is_read_elsewhere: elsewhere.from & kind != 0,
            is_sent_elsewhere: elsewhere.to & kind != 0,
            distances: Vec::new(),
        }
    }

    /// Whether no part can be chosen for it.
    fn is_nowhere(&self) -> bool {
        let (reads, sends) = (!self.sources.is_empty(), !self.sinks.is_empty());
        !(reads && (sends || self.is_sent_elsewhere)) && !(sends && self.is_read_elsewhere)
    }

    fn measured(mut self, graph: &Graph<'_>) -> Self {
        if !self.sources.is_empty() && !self.sinks.is_empty() {
            self.distances = graph.distances(&self.sources);
            let from_sink = graph.distances(&self.sinks);
            for (both, sink) in self.distances.iter_mut().zip(from_sink) {
                *both = both.saturating_add(sink);
            }
        }
        self
    }

    /// Chooses what is near both ends.
    fn choose(&self, chosen: &mut [bool], distance: u8) {
        for (list, is_elsewhere) in [
            (&self.sources, self.is_sent_elsewhere),
            (&self.sinks, self.is_read_elsewhere),
        ] {
            for &at in list.iter().filter(|_| is_elsewhere) {
                if let Some(mark) = chosen.get_mut(at) {
                    *mark = true;
                }
            }
        }
        for (mark, both) in chosen.iter_mut().zip(&self.distances) {
            *mark |= *both <= distance;
        }
    }
}

/// The parts that define one name, as far as they are few.
#[derive(Debug, Default, Clone, Copy)]
struct Definers {
    parts: [u32; DEFINERS],
    count: u32,
    /// The place of its users in the list of those of all names, from one on.
    users: u32,
}

impl Definers {
    /// Adds a part. They come in order, so that one which is there already was the last.
    fn add(&mut self, part: u32) {
        if self.parts().last() == Some(&part) {
            return;
        }
        if let Some(place) = self.parts.get_mut(self.count as usize) {
            *place = part;
        }
        self.count = self.count.saturating_add(1);
    }

    /// The parts; none where they are many.
    fn parts(&self) -> &[u32] {
        self.parts.get(..self.count as usize).unwrap_or_default()
    }
}

/// The parts that use a name which few define.
#[derive(Debug, Clone, Copy)]
struct Users {
    definers: Definers,
    parts: [u32; USERS],
    count: usize,
}

impl Users {
    /// Adds a part, like [`Definers::add`].
    fn add(&mut self, part: u32) {
        if self.parts().last() == Some(&part) {
            return;
        }
        if let Some(place) = self.parts.get_mut(self.count) {
            *place = part;
        }
        self.count = self.count.saturating_add(1);
    }

    /// The parts; none where they are many.
    fn parts(&self) -> &[u32] {
        self.parts.get(..self.count).unwrap_or_default()
    }
}

/// Stands for the end of a list.
const END: u32 = u32::MAX;

/// Parts by the names they share.
struct Graph<'a> {
    parts: &'a Parts,
    /// Parts that define a name.
    definers: ByName<Definers>,
    /// For each part where the list of those begins that are near it.
    heads: Vec<u32>,
    /// A part of such a list, and the place of the next one.
    near: Vec<(u32, u32)>,
}

impl<'a> Graph<'a> {
    fn of(parts: &'a Parts) -> Self {
        let mut graph = Self {
            parts,
            definers: HashMap::default(),
            heads: vec![END; parts.list.len()],
            near: Vec::new(),
        };
        for (at, names) in parts.each(&parts.defines, |ends| ends.defines) {
            for &name in names {
                graph.definers.entry(name).or_default().add(at);
            }
        }
        for users in graph.users() {
            for &to in users.definers.parts() {
                for &from in users.parts().iter().filter(|from| **from != to) {
                    graph.join(from, to);
                    graph.join(to, from);
                }
            }
        }
        graph
    }

    /// Who uses the names that few parts define.
    fn users(&mut self) -> Vec<Users> {
        let mut all: Vec<Users> = Vec::new();
        let parts = self.parts;
        for (at, names) in parts.each(&parts.uses, |ends| ends.uses) {
            for name in names {
                let Some(definers) = self.definers.get_mut(name) else {
                    continue;
                };
                if definers.parts().is_empty() {
                    continue;
                }
                if definers.users == 0 {
                    all.push(Users {
                        definers: *definers,
                        parts: [0; USERS],
                        count: 0,
                    });
                    definers.users = u32::try_from(all.len()).unwrap_or(END);
                }
                let place = (definers.users as usize).wrapping_sub(1);
                if let Some(users) = all.get_mut(place) {
                    users.add(at);
                }
            }
        }
        all
    }

    /// Notes that `to` is near `from`.
    fn join(&mut self, from: u32, to: u32) {
        let place = u32::try_from(self.near.len()).unwrap_or(END);
        if let Some(head) = self.heads.get_mut(from as usize) {
            self.near.push((to, std::mem::replace(head, place)));
        }
    }

    /// The parts that are near one.
    fn near(&self, part: usize) -> impl Iterator<Item = usize> {
        let mut next = self.heads.get(part).copied().unwrap_or(END);
        std::iter::from_fn(move || {
            let &(part, behind) = self.near.get(next as usize)?;
            next = behind;
            Some(part as usize)
        })
    }

    fn distances(&self, starts: &[usize]) -> Vec<u8> {
        let mut distance = vec![u8::MAX; self.heads.len()];
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
            for other in self.near(at) {
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
    fn support(&self, chosen: &mut [bool]) {
        let mut queue: VecDeque<usize> = chosen
            .iter()
            .enumerate()
            .filter_map(|(at, &is_chosen)| is_chosen.then_some(at))
            .collect();
        let mut bytes = 0_u32;
        let mut names: Vec<u64> = Vec::new();
        while let Some(at) = queue.pop_front() {
            names.clear();
            names.extend_from_slice(self.parts.uses_of(at));
            // What does not fit is left out: the order must be the same in every process.
            names.sort_unstable();
            names.dedup();
            let definers = names.iter().filter_map(|name| self.definers.get(name));
            for &other in definers.flat_map(Definers::parts) {
                let other = other as usize;
                let part = self.parts.list.get(other);
                let size = part.map_or(0, |part| part.span.size());
                if let Some(mark) = chosen.get_mut(other)
                    && !*mark
                    && bytes.saturating_add(size) <= SUPPORT
                {
                    bytes += size;
                    *mark = true;
                    queue.push_back(other);
                }
            }
        }
    }
}
