//! Functions that look something up by the name they are given (`name => globalThis[name]`), and what
//! each call of them asks for.
//!
//! Values do not know from which call they came, so what one call asks for would come out of all of them:
//! a library that gets both `atob` and `Function` through one such function would seem to run what it
//! decodes, wherever it calls `Object.keys`.

use std::rc::Rc;

use super::graph::{Asked, Atom, Call, Function, Key, Name, Node, Rule, Use};
use super::solve::Solver;

/// Builtins that several names lead to, so that a name says nothing about which call asked.
const OF_MANY_NAMES: &[&str] = &["global", "require", "module", "Module", "process.env"];

impl Solver<'_> {
    /// The names that a call states, where the called function looks something up by what it is
    /// given. Nothing where one of them is not known, or could be several: then everything comes out.
    pub(super) fn asked(&self, function: &Function, call: &Call) -> Option<Rc<[Name]>> {
        if call.arguments.is_empty() {
            return None;
        }
        let stated = |&(argument, is_spread): &(Node, bool)| match self.graph.atoms(argument) {
            [(Atom::Text(name), _)] if !is_spread => {
                let is_whole = !self.graph.name(*name).contains(super::UNKNOWN);
                is_whole.then_some(*name)
            }
            _ => None,
        };
        let names: Option<Rc<[Name]>> = call.arguments.iter().map(stated).collect();
        names.filter(|_| self.looks_up(&function.parameters))
    }

    /// Whether a parameter itself is the key of a read. A name that is translated first is none.
    fn looks_up(&self, parameters: &[Node]) -> bool {
        let is_key = |node: Node| {
            self.graph.uses(node).iter().any(|one| match one {
                Use::Rule(rule) => matches!(
                    self.graph.rules.get(*rule as usize),
                    Some(Rule::Member { key: Key::Node(key), .. }) if *key == node
                ),
                _ => false,
            })
        };
        parameters.iter().any(|&parameter| {
            let mut uses = self.graph.uses(parameter).iter();
            // The parameter's variable may be a node of its own.
            is_key(parameter) || uses.any(|one| matches!(one, Use::Copy(to) if is_key(*to)))
        })
    }

    /// Gives a call what comes out of such a function, without the builtins that only other calls
    /// ask it for.
    pub(super) fn answer(&mut self, asked: &Asked) {
        for atom in self.graph.held(asked.result) {
            if !self.is_asked_elsewhere(atom, asked) {
                self.graph.add(asked.out, atom, asked.result);
            }
        }
    }

    /// Whether another call of the function names a builtin, and this one does not.
    fn is_asked_elsewhere(&self, atom: Atom, asked: &Asked) -> bool {
        let Atom::Builtin(path) = atom else {
            return false;
        };
        let path = self.graph.name(path);
        let word = last_word(&path);
        if OF_MANY_NAMES.contains(&&*path)
            || asked
                .names
                .iter()
                .any(|name| has_word(&self.graph.name(*name), word))
        {
            return false;
        }
        let names_it = |parameter: &Node| {
            let texts = self.graph.texts(*parameter);
            texts
                .iter()
                .any(|name| last_word(&self.graph.name(*name)) == word)
        };
        self.graph
            .functions
            .get(asked.function as usize)
            .is_some_and(|found| found.parameters.iter().any(names_it))
    }
}

/// What parts the words of paths of builtins and of names of modules.
const BETWEEN: [char; 4] = ['.', '/', ':', '-'];

fn last_word(path: &str) -> &str {
    path.rsplit(BETWEEN).next().unwrap_or(path)
}

/// Whether a name has a word: `fs/promises` asks for `fs`, too.
fn has_word(name: &str, word: &str) -> bool {
    name.split(BETWEEN).any(|one| one == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ask_for_what_they_name() {
        for (name, path, asks) in [
            ("keys", "Object.keys", true),
            ("atob", "Object.keys", false),
            ("fs/promises", "node:fs", true),
            ("node:child_process", "node:child_process", true),
            ("node-fetch", "fetch", true),
            ("Function", "atob", false),
        ] {
            assert_eq!(has_word(name, last_word(path)), asks, "{name} {path}");
        }
    }
}
