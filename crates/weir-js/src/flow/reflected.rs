//! Functions of the language by which properties and calls are told as data: descriptors, `Reflect`.

use super::graph::{Atom, Call, Key, NONE, Node, Rule};
use super::solve::Solver;

impl Solver<'_> {
    /// `Object.getOwnPropertyDescriptor(process, key).value` is `process[key]`. Only of what Node
    /// provides: helpers of compilers describe every export of every module.
    pub(super) fn described(&mut self, id: u32, call: &Call) {
        if self.made.contains_key(&(id, 0)) {
            return;
        }
        let descriptor = self.made(id, 0);
        let value = self.graph.node(call.file, call.offset);
        self.derive(Rule::Member {
            object: Self::argument(call, 0),
            key: Key::Node(Self::argument(call, 1)),
            out: value,
        });
        let name = self.graph.intern("value");
        let field = self.graph.field(descriptor, name);
        self.graph.copy(value, field);
        self.graph.add(call.out, Atom::Object(descriptor), NONE);
    }

    /// `Reflect.apply(callee, this, list)`, `Reflect.construct(class, list)`: a call like any other, of
    /// what stands in the list.
    pub(super) fn reflected(&mut self, id: u32, callee: Node, this: Node, at: usize, call: &Call) {
        let list = Self::argument(call, at);
        let arguments = self.listed(list).unwrap_or_else(|| vec![(list, true)]);
        let redirected = Call {
            callee,
            receiver: this,
            method: None,
            arguments: arguments.into(),
            is_new: at == 1,
            ..call.clone()
        };
        // A list that becomes known later is missed only in the first phase.
        self.redirect(id, u8::from(self.is_guessing), redirected);
    }

    /// `Object.defineProperty(target, key, { value, get })`.
    pub(super) fn define(&mut self, call: &Call) {
        let target = Self::argument(call, 0);
        let key = Key::Node(Self::argument(call, 1));
        let descriptor = Self::argument(call, 2);
        self.graph.copy(target, call.out);
        for atom in self.graph.held(descriptor) {
            let Atom::Object(object) = atom else {
                continue;
            };
            let name = self.graph.intern("value");
            let value = self.graph.field(object, name);
            self.derive(Rule::Store {
                object: target,
                key,
                value,
            });
            let name = self.graph.intern("get");
            let getter = self.graph.field(object, name);
            for function in self.functions(getter) {
                let value = self.result(function);
                self.derive(Rule::Store {
                    object: target,
                    key,
                    value,
                });
            }
        }
    }

    /// `new Proxy(process.env, { get(target, name) })`: whatever is asked for passes the function. Proxies of
    /// other things are what their owners make of them.
    pub(super) fn proxy_of_environment(&mut self, target: Node, handler: Node) {
        let mut atoms = self.graph.atoms(target).iter();
        if !atoms.any(|(atom, _)| matches!(atom, Atom::Environment(_))) {
            return;
        }
        let name = self.graph.intern("get");
        for atom in self.graph.held(handler) {
            let Atom::Object(object) = atom else {
                continue;
            };
            let trap = self.graph.field(object, name);
            for function in self.functions(trap) {
                let own = self.parameter(function, 0);
                self.graph.copy(target, own);
                // Over time, all names there are.
                let asked = self.parameter(function, 1);
                self.derive(Rule::Keys {
                    from: target,
                    out: asked,
                });
            }
        }
    }
}
