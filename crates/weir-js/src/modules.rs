//! The graph of files: what loads what, and from which surface each file is reached.

use std::collections::VecDeque;

use weir_model::contents::Surface;

use crate::hash::Set;

/// Surfaces a file is reached from, as a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Surfaces(u8);

impl Surfaces {
    /// The set of one.
    pub(crate) fn only(surface: Surface) -> Self {
        match surface {
            Surface::Install => Self(1),
            Surface::Import => Self(2),
            Surface::Command => Self(4),
            Surface::Worker => Self(8),
            Surface::Unreferenced => Self(0),
        }
    }

    /// Those in both. What is imported runs beside the workers that it starts: a value that travels
    /// from one to the other does so in the worker.
    pub(crate) fn common(self, other: Self) -> Self {
        let (import, worker) = (Self::only(Surface::Import), Self::only(Surface::Worker));
        let both = Self(self.0 & other.0);
        let one_each = (self.0 & import.0 != 0 && other.0 & worker.0 != 0)
            || (self.0 & worker.0 != 0 && other.0 & import.0 != 0);
        match one_each {
            true => Self(both.0 | worker.0),
            false => both,
        }
    }

    /// Whether install reaches it.
    pub(crate) fn has_install(self) -> bool {
        self.0 & 1 != 0
    }

    /// All of the set, strongest first; [`Surface::Unreferenced`] alone where it is empty.
    pub(crate) fn list(self) -> Vec<Surface> {
        let mut list: Vec<Surface> = [
            Surface::Install,
            Surface::Import,
            Surface::Worker,
            Surface::Command,
        ]
        .into_iter()
        .filter(|surface| self.0 & Self::only(*surface).0 != 0)
        .collect();
        if list.is_empty() {
            list.push(Surface::Unreferenced);
        }
        list
    }

    /// The strongest of the set.
    pub(crate) fn strongest(self) -> Surface {
        match self.0 {
            0 => Surface::Unreferenced,
            bits if bits & 1 != 0 => Surface::Install,
            bits if bits & 2 != 0 => Surface::Import,
            // Without anybody calling it, unlike a command.
            bits if bits & 8 != 0 => Surface::Worker,
            _ => Surface::Command,
        }
    }
}

/// Files and what they load. Indexes are those of the package's files, then of inline code.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    edges: Vec<Vec<usize>>,
    /// Edges by which one file only starts the other, as a worker or child process.
    starts: Set<(usize, usize)>,
    surfaces: Vec<Surfaces>,
}

impl Modules {
    /// A graph of `count` files without edges.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            edges: vec![Vec::new(); count],
            starts: Set::default(),
            surfaces: vec![Surfaces::default(); count],
        }
    }

    /// `from` loads `to`. Returns whether that is new.
    pub(crate) fn connect(&mut self, from: usize, to: usize) -> bool {
        match self.edges.get_mut(from) {
            Some(edges) if !edges.contains(&to) => {
                edges.push(to);
                true
            }
            _ => false,
        }
    }

    /// The same, where `from` may only start `to` beside itself.
    pub(crate) fn join(&mut self, from: usize, to: usize, is_started: bool) -> bool {
        let is_new = self.connect(from, to);
        if is_new && is_started {
            self.starts.insert((from, to));
        } else if !is_started {
            self.starts.remove(&(from, to));
        }
        is_new
    }

    /// Adds code that a file evaluates; it runs where that one does.
    pub(crate) fn add(&mut self, from: usize) {
        let to = self.edges.len();
        self.edges.push(Vec::new());
        self.surfaces.push(self.surfaces(from));
        self.connect(from, to);
    }

    /// Makes place for code that was found later, up to `count` in all.
    pub(crate) fn reserve(&mut self, count: usize) {
        if count > self.edges.len() {
            self.edges.resize(count, Vec::new());
            self.surfaces.resize(count, Surfaces::default());
        }
    }

    /// Groups of `files` that loads between them connect, each in the order given.
    pub(crate) fn groups(&self, files: &[usize]) -> Vec<Vec<usize>> {
        let mut leader: Vec<usize> = (0..self.edges.len()).collect();
        let is_in: Set<usize> = files.iter().copied().collect();
        for &from in files {
            for &to in self.edges.get(from).into_iter().flatten() {
                if is_in.contains(&to) {
                    let (a, b) = (lead(&mut leader, from), lead(&mut leader, to));
                    if let Some(slot) = leader.get_mut(a.max(b)) {
                        *slot = a.min(b);
                    }
                }
            }
        }
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut place = std::collections::HashMap::new();
        for &file in files {
            let first = lead(&mut leader, file);
            let at = *place.entry(first).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(at) {
                group.push(file);
            }
        }
        groups
    }

    /// All files reached from `roots`, roots included, in the order they are met.
    pub(crate) fn reach(&self, roots: &[usize]) -> Vec<usize> {
        let mut seen = vec![false; self.edges.len()];
        let mut queue: VecDeque<usize> = VecDeque::new();
        let mut found = Vec::new();
        let meet = |index: usize, seen: &mut Vec<bool>, queue: &mut VecDeque<usize>| {
            if let Some(mark) = seen.get_mut(index)
                && !*mark
            {
                *mark = true;
                queue.push_back(index);
            }
        };
        for &root in roots {
            meet(root, &mut seen, &mut queue);
        }
        while let Some(index) = queue.pop_front() {
            found.push(index);
            for &next in self.edges.get(index).into_iter().flatten() {
                meet(next, &mut seen, &mut queue);
            }
        }
        found
    }

    /// Marks all that is reached from `roots`. What is imported and starts a file beside itself
    /// reaches that one as a worker; what installs or is called as a command, as itself.
    pub(crate) fn mark(&mut self, roots: &[usize], surface: Surface) {
        let mut seen = Set::default();
        let mut queue: VecDeque<(usize, Surface)> =
            roots.iter().map(|root| (*root, surface)).collect();
        while let Some((index, surface)) = queue.pop_front() {
            if !seen.insert((index, surface)) {
                continue;
            }
            if let Some(surfaces) = self.surfaces.get_mut(index) {
                surfaces.0 |= Surfaces::only(surface).0;
            }
            for &next in self.edges.get(index).into_iter().flatten() {
                let is_started = surface == Surface::Import && self.starts.contains(&(index, next));
                let surface = if is_started { Surface::Worker } else { surface };
                queue.push_back((next, surface));
            }
        }
    }

    /// From where a file is reached.
    pub(crate) fn surfaces(&self, index: usize) -> Surfaces {
        self.surfaces.get(index).copied().unwrap_or_default()
    }

    /// Distance of every file from the nearest of `starts`, along edges in either direction, up to
    /// `bound`; farther ones get `bound + 1`.
    pub(crate) fn distances(&self, starts: &[usize], bound: u8) -> Vec<u8> {
        let mut back: Vec<Vec<usize>> = vec![Vec::new(); self.edges.len()];
        for (from, edges) in self.edges.iter().enumerate() {
            for &to in edges {
                if let Some(list) = back.get_mut(to) {
                    list.push(from);
                }
            }
        }
        let mut distance = vec![bound.saturating_add(1); self.edges.len()];
        let mut queue = VecDeque::new();
        for &start in starts {
            if let Some(value) = distance.get_mut(start) {
                *value = 0;
                queue.push_back(start);
            }
        }
        while let Some(index) = queue.pop_front() {
            let next = distance
                .get(index)
                .copied()
                .unwrap_or(bound)
                .saturating_add(1);
            if next > bound {
                continue;
            }
            let forward = self.edges.get(index).into_iter().flatten();
            for &other in forward.chain(back.get(index).into_iter().flatten()) {
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
}

/// The file that stands for a group, with the way there shortened.
fn lead(leader: &mut [usize], mut file: usize) -> usize {
    while let Some(&next) = leader.get(file) {
        if next == file {
            break;
        }
        let after = leader.get(next).copied().unwrap_or(next);
        if let Some(slot) = leader.get_mut(file) {
            *slot = after;
        }
        file = after;
    }
    file
}
