//! Which objects hold data of a source, however deep: only calls that are given some can be sinks
//! that anything arrives at, and most calls are given none.

use super::graph::{Atom, Call, Graph, NONE, Node, Object, Rule, index};

/// Stands for the end of a list.
const END: u32 = u32::MAX;

/// The objects with data inside.
#[derive(Debug)]
pub(super) struct Laden(Vec<bool>);

impl Laden {
    pub(super) fn of(graph: &Graph) -> Self {
        let mut laden = vec![false; graph.objects.len()];
        let mut queue: Vec<u32> = Vec::new();
        // For each object where the list of those begins that it is part of; such an object with the place of
        // the next one.
        let mut heads = vec![END; graph.objects.len()];
        let mut outer: Vec<(u32, u32)> = Vec::new();
        for (id, object) in (0_u32..).zip(&graph.objects) {
            for (atom, _) in parts(object).flat_map(|part| graph.atoms(part)) {
                match atom {
                    Atom::Taint(_) | Atom::Environment(_) => queue.push(id),
                    Atom::Object(inner) => {
                        if let Some(head) = heads.get_mut(*inner as usize) {
                            let place = index(outer.len());
                            outer.push((id, std::mem::replace(head, place)));
                        }
                    }
                    _ => {}
                }
            }
        }
        while let Some(id) = queue.pop() {
            if let Some(mark @ false) = laden.get_mut(id as usize) {
                *mark = true;
                let mut next = heads.get(id as usize).copied().unwrap_or(END);
                while let Some(&(object, behind)) = outer.get(next as usize) {
                    queue.push(object);
                    next = behind;
                }
            }
        }
        Self(laden)
    }

    /// Whether a rule hands data to something. No other can be a way out of any.
    pub(super) fn hands_on(&self, graph: &Graph, rule: &Rule) -> bool {
        match rule {
            Rule::Call(call) => {
                let Call {
                    callee,
                    receiver,
                    arguments,
                    ..
                } = &**call;
                // A callee may hold what it was set up with.
                let given = arguments.iter().map(|(node, _)| *node);
                let mut given = given.chain([*receiver, *callee]);
                given.any(|node| self.is_data(graph, node))
            }
            Rule::Store { value, .. } => self.is_data(graph, *value),
            _ => false,
        }
    }

    fn is_data(&self, graph: &Graph, node: Node) -> bool {
        graph.atoms(node).iter().any(|(atom, _)| match atom {
            Atom::Taint(_) | Atom::Environment(_) => true,
            Atom::Object(object) => self.0.get(*object as usize).copied().unwrap_or(false),
            _ => false,
        })
    }
}

/// The nodes that are part of an object.
fn parts(object: &Object) -> impl Iterator<Item = Node> {
    let elements = object.elements.iter().flatten();
    let fields = object.fields.values();
    let all = fields.chain(elements).copied();
    all.chain([object.any, object.spread])
        .filter(|part| *part != NONE)
}
