//! Parts of an address that are set after it was made: `url.searchParams.set(name, value)`.

use super::graph::{Atom, Call, NONE, Rule};
use super::solve::Solver;

/// Purpose of the object that stands for an address's parameters.
const PARAMETERS: u8 = 12;
/// Members of an address that hold its parameters.
const HOLDERS: [&str; 2] = ["href", "search"];

impl Solver<'_> {
    /// `new URL(address)`: its parameters are an object, and part of it.
    pub(super) fn searched(&mut self, id: u32, call: &Call) {
        let Some(name) = self.graph.known("searchParams") else {
            return;
        };
        let object = self.made(id, 0);
        let parameters = self.made(id, PARAMETERS);
        let field = self.graph.field(object, name);
        self.graph.add(field, Atom::Object(parameters), NONE);
        for holder in HOLDERS {
            if let Some(name) = self.graph.known(holder) {
                let out = self.graph.field(object, name);
                self.derive(Rule::Content { from: field, out });
            }
        }
        self.graph.add(call.out, Atom::Object(object), NONE);
    }
}
