//! What is thrown, and who catches it. Where a call stands says where its errors go: into the block that
//! catches them, or out of the function around. Only data travels that way: an error without any says nothing.

use super::graph::{Atom, Call, Graph, NONE, Node, Rule, index};
use super::solve::Solver;

/// The global field for what nobody catches. No program can name it.
const UNCAUGHT: &str = "uncaught error";
/// Purpose of the object that a promise is rejected with.
const REJECTED: u8 = 10;
/// Longest way out of a call that another call stands for.
const STANDS: usize = 4;

/// A part of the program whose errors go to one place, by the rules that are lowered for it.
#[derive(Debug)]
pub(super) struct Region {
    start: u32,
    end: u32,
    /// The region around.
    outer: Option<u32>,
    /// Where errors go.
    errors: Node,
    /// It is a function, and not a block that catches.
    is_function: bool,
}

/// All of them, in the order of their beginnings.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    all: Vec<Region>,
    /// The one that is being lowered.
    open: Option<u32>,
}

impl Regions {
    /// The region that the rule of this number is in.
    fn of(&self, rule: u32) -> Option<&Region> {
        let before = self.all.partition_point(|region| region.start <= rule);
        let mut at = before.checked_sub(1).map(index);
        while let Some(region) = at.and_then(|at| self.all.get(at as usize)) {
            if region.end > rule {
                return Some(region);
            }
            at = region.outer;
        }
        None
    }
}

impl Graph {
    /// From here on errors go to `errors`. Gives what [`Graph::close_region`] wants.
    pub(crate) fn open_region(&mut self, errors: Node, is_function: bool) -> u32 {
        let number = index(self.regions.all.len());
        self.regions.all.push(Region {
            start: index(self.rules.len()),
            end: u32::MAX,
            outer: self.regions.open,
            errors,
            is_function,
        });
        self.regions.open = Some(number);
        number
    }

    /// The end of a region.
    pub(crate) fn close_region(&mut self, number: u32) {
        let end = index(self.rules.len());
        if let Some(region) = self.regions.all.get_mut(number as usize) {
            region.end = end;
            self.regions.open = region.outer;
        }
    }

    /// Where errors go that are thrown here, while files are lowered.
    pub(crate) fn errors_here(&mut self) -> Node {
        let open = self.regions.open;
        match open.and_then(|at| self.regions.all.get(at as usize)) {
            Some(region) => region.errors,
            None => self.uncaught(),
        }
    }

    /// What nobody catches.
    pub(super) fn uncaught(&mut self) -> Node {
        let name = self.intern(UNCAUGHT);
        self.field(self.globals, name)
    }
}

impl Solver<'_> {
    /// Data in what is thrown.
    pub(super) fn throw(&mut self, from: Node, out: Node) {
        for atom in self.graph.held(from) {
            match atom {
                Atom::Taint(_) | Atom::Environment(_) => self.graph.add(out, atom, from),
                Atom::Object(object) if self.graph.data(object, false, self.current).is_some() => {
                    self.graph.add(out, atom, from);
                }
                _ => {}
            }
        }
    }

    /// What a function throws that a call runs.
    pub(super) fn throws(&mut self, function: u32, id: u32) {
        let found = self.graph.functions.get(function as usize);
        let thrown = found.map_or(NONE, |found| found.thrown);
        if thrown == NONE || !self.is_guessing {
            return;
        }
        let errors = self.errors_of(id);
        self.graph.copy(thrown, errors);
    }

    /// What a function throws that runs on its own: nobody catches it.
    pub(super) fn throws_alone(&mut self, function: u32) {
        let found = self.graph.functions.get(function as usize);
        let thrown = found.map_or(NONE, |found| found.thrown);
        if thrown != NONE {
            let errors = self.graph.uncaught();
            self.graph.copy(thrown, errors);
        }
    }

    /// Where the errors of a call go.
    fn errors_of(&mut self, id: u32) -> Node {
        let mut id = id;
        for _ in 0..STANDS {
            match self.stands_for.get(&id) {
                Some(&written) => id = written,
                None => break,
            }
        }
        match self.graph.regions.of(id) {
            // In large programs what everybody may throw comes together at the top.
            Some(region) if region.is_function && self.is_careful => NONE,
            Some(region) => region.errors,
            None => self.graph.uncaught(),
        }
    }

    /// `Promise.reject(value)`, or what a promise's own function rejects it with.
    pub(super) fn rejects(&mut self, id: u32, value: Node) {
        let out = self.errors_of(id);
        self.derive(Rule::Thrown { from: value, out });
    }

    /// `new Promise((resolve, reject) => …)`: its second parameter.
    pub(super) fn rejecter(&mut self, id: u32, function: u32) {
        let reject = self.parameter(function, 1);
        if reject != NONE {
            let object = self.made(id, REJECTED);
            let value = self.graph.any(object);
            self.graph.add(reject, Atom::Resolver(value), NONE);
            self.rejects(id, value);
        }
        self.throws(function, id);
    }

    /// `process.on('uncaughtException', listener)`
    pub(super) fn hears_uncaught(&mut self, call: &Call) {
        let is_process = self.graph.known("process");
        let mut atoms = self.graph.atoms(call.receiver).iter();
        if !atoms.any(|(atom, _)| matches!(atom, Atom::Builtin(name) if Some(*name) == is_process))
        {
            return;
        }
        let events = self.known_texts(Self::argument(call, 0));
        let is_error = |event: &String| {
            matches!(
                event.as_str(),
                "uncaughtException" | "uncaughtExceptionMonitor" | "unhandledRejection"
            )
        };
        if !events.iter().any(is_error) {
            return;
        }
        let errors = self.graph.uncaught();
        for function in self.functions(Self::argument(call, 1)) {
            let parameter = self.parameter(function, 0);
            self.graph.copy(errors, parameter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, NONE, Rule};

    #[test]
    fn rules_are_in_the_innermost_region() {
        let mut graph = Graph::default();
        let [outer, inner] = [graph.node(0, 0), graph.node(0, 1)];
        let rule = |graph: &mut Graph| {
            graph.rule(Rule::Content {
                from: NONE,
                out: NONE,
            })
        };
        let before = rule(&mut graph);
        let function = graph.open_region(outer, true);
        let first = rule(&mut graph);
        let block = graph.open_region(inner, false);
        let second = rule(&mut graph);
        graph.close_region(block);
        let third = rule(&mut graph);
        graph.close_region(function);
        let after = rule(&mut graph);
        let errors = |rule| graph.regions.of(rule).map(|region| region.errors);
        assert_eq!(errors(before), None);
        assert_eq!(errors(first), Some(outer));
        assert_eq!(errors(second), Some(inner));
        assert_eq!(errors(third), Some(outer));
        assert_eq!(errors(after), None);
    }
}
