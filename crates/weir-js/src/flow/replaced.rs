//! Methods of other packages' classes that are replaced while the program runs. What they are called on is
//! not the code's own: keys in it belong to whoever uses the other package.

use weir_model::contents::SourceKind;

use super::graph::{Atom, NONE, Name, Node};
use super::solve::Solver;

/// Fields under which objects of wallets keep the key behind them.
const KEYS: [&str; 4] = ["privateKey", "secretKey", "mnemonic", "seedPhrase"];

impl Solver<'_> {
    /// Where a value is stored that is given to what is no object of the code itself: among all that is
    /// global, or nowhere.
    pub(super) fn stored_in(&mut self, atom: Atom, names: &[Name], value: Node) -> Option<u32> {
        if matches!(atom, Atom::Instance(_) | Atom::Taint(_)) {
            self.handles_answer(atom, names, value);
        }
        match atom {
            Atom::Builtin(path) => {
                let path = self.graph.name(path);
                if path.starts_with("pkg:") && path.ends_with(".prototype") {
                    self.replaces_method(value);
                }
                self.replaces(&path, names, value);
                self.changes_defaults(&path, names, value);
                (&*path == "global").then_some(self.graph.globals)
            }
            Atom::Instance(instance) => {
                self.handles_worker(instance, names, value);
                None
            }
            _ => None,
        }
    }

    /// `other.Wallet.prototype.sign = function () { … this.privateKey … }`
    fn replaces_method(&mut self, value: Node) {
        let (file, offset) = self.graph.place(value);
        for atom in self.graph.held(value) {
            let Atom::Function(function) = atom else {
                continue;
            };
            let object = self.graph.instance(function);
            for key in KEYS {
                let kind = SourceKind::KeyArgument;
                let source = self.graph.source(kind, key, file, offset);
                let name = self.graph.intern(key);
                let field = self.graph.field(object, name);
                self.graph.add(field, Atom::Taint(source), NONE);
            }
        }
    }
}
