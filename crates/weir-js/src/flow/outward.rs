//! The calls that leave the code of the package. Few do, and whatever is asked once all is solved is asked of these.

use super::graph::{Atom, Call, Key, Rule, index};
use super::solve::Solver;

impl Solver<'_> {
    /// Notes which calls these are.
    pub(super) fn note_outward(&mut self) {
        let compile = self.graph.known("_compile").map(Key::Name);
        let fed = ["write", "end"].map(|name| self.graph.known(name).map(Key::Name));
        let leaves = |call: &Call| {
            // What is written to a child is what a shell runs.
            let feeds = call.method.is_some() && fed.contains(&call.method);
            let mut receivers = self.graph.atoms(call.receiver).iter();
            if feeds && receivers.any(|(atom, _)| matches!(atom, Atom::Instance(_))) {
                return true;
            }
            // Whatever it is called on, this is how Node's own loader compiles.
            let compiles = call.method.is_some() && call.method == compile;
            let mut callees = self.graph.atoms(call.callee).iter();
            compiles || callees.any(|(atom, _)| matches!(atom, Atom::Builtin(_)))
        };
        let rules = self.graph.rules.iter().enumerate();
        self.outward = rules
            .filter(|(_, rule)| matches!(rule, Rule::Call(call) if leaves(call)))
            .map(|(id, _)| index(id))
            .collect();
    }

    /// The calls of builtins, and of methods that compile, with the numbers of their rules.
    pub(super) fn outward(&self) -> impl Iterator<Item = (usize, &Call)> {
        self.outward.iter().filter_map(|&id| {
            let id = id as usize;
            match self.graph.rules.get(id) {
                Some(Rule::Call(call)) => Some((id, &**call)),
                _ => None,
            }
        })
    }
}
