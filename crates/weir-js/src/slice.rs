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
use crate::survey::Signs;

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

/// Hashes of names by part, sorted and each once.
struct Names {
    all: Vec<u64>,
    /// Where those of each part end.
    ends: Vec<usize>,
}

impl Names {
    fn of(names: &[u64], ends: impl Iterator<Item = u32>) -> Self {
        let mut sorted = Self {
            all: Vec::with_capacity(names.len()),
            ends: Vec::new(),
        };
        let mut own: Vec<u64> = Vec::new();
        let mut start = 0;
        for end in ends {
            let end = end as usize;
            own.clear();
            own.extend_from_slice(names.get(start..end).unwrap_or_default());
            own.sort_unstable();
            own.dedup();
            sorted.all.extend_from_slice(&own);
            sorted.ends.push(sorted.all.len());
            start = end;
        }
        sorted
    }

    fn of_part(&self, part: usize) -> &[u64] {
        let end = |part: usize| self.ends.get(part).copied();
        let start = part.checked_sub(1).and_then(end).unwrap_or_default();
        end(part)
            .and_then(|end| self.all.get(start..end))
            .unwrap_or_default()
    }
}

/// What files nearby have.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Nearby {
    /// Something in the package holds the process by an alias.
    pub(crate) holds_process: bool,
    /// Another file may read secrets.
    pub(crate) reads: bool,
    /// Another file may send.
    pub(crate) sends: bool,
    /// Another file may hold what was fetched or decoded.
    pub(crate) unpacks: bool,
    /// Another file makes code of text.
    pub(crate) runs_text: bool,
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

    /// What may be left out.
    pub(crate) fn left_out(&self, nearby: Nearby) -> LeftOut {
        let parts = &self.list;
        let reads = |signs: &Signs| signs.may_read(nearby.holds_process);
        let graph = Graph::of(
            parts.len(),
            &Names::of(&self.defines, parts.iter().map(|part| part.ends.defines)),
            Names::of(&self.uses, parts.iter().map(|part| part.ends.uses)),
        );
        let mut chosen = vec![false; parts.len()];
        for distance in (0..=DISTANCE).rev() {
            chosen.fill(false);
            graph.choose(
                parts,
                &mut chosen,
                (&reads, nearby.reads),
                (&Signs::may_send, nearby.sends),
                distance,
            );
            graph.choose(
                parts,
                &mut chosen,
                (&Signs::may_unpack, nearby.unpacks),
                (&|signs| signs.runs_text, nearby.runs_text),
                distance,
            );
            let picked = parts.iter().zip(&chosen).filter(|(_, mark)| **mark);
            if picked
                .map(|(part, _)| part.span.size() as usize)
                .sum::<usize>()
                <= MOST
            {
                break;
            }
        }
        graph.support(parts, &mut chosen);
        let mut left_out = LeftOut::default();
        let mut start = 0;
        for (part, is_chosen) in parts.iter().zip(chosen) {
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
}

/// One end of a flow: which parts are one, and whether a file nearby has one.
type End<'a> = (&'a dyn Fn(&Signs) -> bool, bool);

/// The parts that define one name, as far as they are few.
#[derive(Debug, Default, Clone, Copy)]
struct Definers {
    parts: [usize; DEFINERS],
    count: usize,
}

impl Definers {
    fn add(&mut self, part: usize) {
        if let Some(place) = self.parts.get_mut(self.count) {
            *place = part;
        }
        self.count = self.count.saturating_add(1);
    }

    fn are_few(&self) -> bool {
        self.count <= DEFINERS
    }

    fn parts(&self) -> &[usize] {
        self.parts.get(..self.count).unwrap_or_default()
    }
}

/// Parts by the names they share.
struct Graph {
    near: Vec<Vec<usize>>,
    /// Parts that define a name, for names that few define.
    definers: ByName<Definers>,
    /// Names that parts use.
    uses: Names,
}

impl Graph {
    fn of(parts: usize, defines: &Names, used: Names) -> Self {
        let mut definers: ByName<Definers> = HashMap::default();
        for at in 0..parts {
            for &name in defines.of_part(at) {
                definers.entry(name).or_default().add(at);
            }
        }
        definers.retain(|_, list| list.are_few());
        // Sorted pairs instead of a list per name: a bundle has a hundred thousand of them.
        let mut uses: Vec<(u64, usize)> = Vec::new();
        for at in 0..parts {
            let own = used.of_part(at).iter();
            let known = own.filter(|name| definers.contains_key(name));
            uses.extend(known.map(|&name| (name, at)));
        }
        uses.sort_unstable();
        let mut near = vec![Vec::new(); parts];
        for using in uses.chunk_by(|(a, _), (b, _)| a == b) {
            let Some(&(name, _)) = using.first().filter(|_| using.len() <= USERS) else {
                continue;
            };
            for &to in definers.get(&name).map_or(&[][..], Definers::parts) {
                for &(_, from) in using {
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
        Self {
            near,
            definers,
            uses: used,
        }
    }

    /// Chooses what is near both ends of a flow. Each end says what it is, and whether a file nearby
    /// has it too.
    fn choose(
        &self,
        parts: &[Part],
        chosen: &mut [bool],
        from: End<'_>,
        to: End<'_>,
        distance: u8,
    ) {
        let ends = |test: &dyn Fn(&Signs) -> bool| -> Vec<usize> {
            (0..parts.len())
                .filter(|&at| parts.get(at).is_some_and(|part| test(&part.signs)))
                .collect()
        };
        let (sources, sinks) = (ends(from.0), ends(to.0));
        for (list, is_elsewhere) in [(&sources, to.1), (&sinks, from.1)] {
            for &at in list.iter().filter(|_| is_elsewhere) {
                if let Some(mark) = chosen.get_mut(at) {
                    *mark = true;
                }
            }
        }
        if sources.is_empty() || sinks.is_empty() {
            return;
        }
        let (from_source, from_sink) = (self.distances(&sources), self.distances(&sinks));
        for ((mark, source), sink) in chosen.iter_mut().zip(from_source).zip(from_sink) {
            *mark |= source.saturating_add(sink) <= distance;
        }
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
            for other in self
                .uses
                .of_part(at)
                .iter()
                .filter_map(|name| self.definers.get(name))
                .flat_map(Definers::parts)
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
