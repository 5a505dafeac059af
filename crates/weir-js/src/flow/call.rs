//! Calls: functions of the package, and what happens to data in calls that are not known.

use std::rc::Rc;

use super::graph::{Asked, Atom, Call, NONE, Node, Parameters, Rule};
use super::solve::Solver;
use crate::tables::calls;

impl Solver<'_> {
    /// One call.
    pub(crate) fn call(&mut self, id: u32, call: &Call) {
        let mut is_known = false;
        for atom in self.graph.held(call.callee) {
            match atom {
                Atom::Function(function) => {
                    self.enter(function, call);
                    self.throws(function, id);
                    is_known = true;
                }
                Atom::Builtin(path) => {
                    let path = self.graph.name(path);
                    self.page_data(&path, call);
                    self.page_gives(&path, call);
                    is_known |= self.builtin(id, &path, call);
                }
                Atom::Resolver(promise) => {
                    if let Some(&(value, _)) = call.arguments.first() {
                        self.graph.copy(value, promise);
                    }
                    is_known = true;
                }
                _ => {}
            }
        }
        let mut names = super::graph::Names::new();
        if let Some(method) = call.method {
            names = self.key_names(method);
            for &name in &names {
                let name = self.graph.name(name);
                self.page_data_sent(&name, call);
                self.open(&name, call);
                is_known |= self.event(id, &name, call, is_known);
                is_known |= self.method(id, &name, call, is_known);
            }
        }
        if !is_known && self.is_guessing {
            let name = names.first().map(|&name| self.graph.name(name));
            self.unknown(id, name.as_deref(), call);
        }
    }

    /// Arguments go to parameters, the result comes back.
    pub(crate) fn enter(&mut self, function: u32, call: &Call) {
        let Some(found) = self.graph.functions.get(function as usize).cloned() else {
            return;
        };
        for (index, &(argument, is_spread)) in call.arguments.iter().enumerate() {
            if argument == NONE {
                continue;
            }
            if is_spread {
                for &parameter in found.parameters.iter().skip(index) {
                    self.derive(Rule::Elements {
                        from: argument,
                        out: parameter,
                    });
                }
            } else if let Some(&parameter) = found.parameters.get(index) {
                self.graph.copy(argument, parameter);
            }
            if let Some(rest) = found.rest
                && (is_spread || index >= found.parameters.len())
            {
                let at = index.saturating_sub(found.parameters.len());
                let part = match is_spread {
                    true => self.graph.any(rest),
                    false => self.graph.rest_element(rest, at),
                };
                self.pass(argument, is_spread, part);
            }
            if let Some(all) = found.arguments {
                let any = self.graph.any(all);
                self.pass(argument, is_spread, any);
            }
        }
        if let Some(rest) = found.rest {
            let given = call.arguments.len().saturating_sub(found.parameters.len());
            self.graph.rest_ends(rest, given);
        }
        if call.is_new {
            let instance = self.graph.instance(function);
            self.graph.add(call.out, Atom::Object(instance), NONE);
        } else if call.receiver != NONE {
            self.graph.copy(call.receiver, found.this);
        } else if found.gives_this {
            // Only what comes out of this call: on an object, such a function gives the object.
            self.give(call.out, "global");
        }
        match self.asked(&found, call) {
            Some(names) => self.derive(Rule::Answer(Rc::new(Asked {
                function,
                names,
                result: found.result,
                out: call.out,
            }))),
            None => self.graph.copy(found.result, call.out),
        }
    }

    fn pass(&mut self, argument: Node, is_spread: bool, to: Node) {
        if is_spread {
            self.derive(Rule::Elements {
                from: argument,
                out: to,
            });
        } else {
            self.graph.copy(argument, to);
        }
    }

    /// Functions among the atoms of a node.
    pub(crate) fn functions(&self, node: Node) -> Vec<u32> {
        self.graph
            .atoms(node)
            .iter()
            .filter_map(|(atom, _)| match atom {
                Atom::Function(function) => Some(*function),
                _ => None,
            })
            .collect()
    }

    /// The parameter of a function, by position.
    pub(crate) fn parameter(&self, function: u32, at: usize) -> Node {
        self.graph
            .functions
            .get(function as usize)
            .and_then(|found| found.parameters.get(at).copied())
            .unwrap_or(NONE)
    }

    /// What a function returns.
    pub(crate) fn result(&self, function: u32) -> Node {
        self.graph
            .functions
            .get(function as usize)
            .map_or(NONE, |found| found.result)
    }

    /// The argument at a position; `NONE` where there is none or it is spread.
    pub(crate) fn argument(call: &Call, at: usize) -> Node {
        match call.arguments.get(at) {
            Some(&(node, false)) => node,
            _ => NONE,
        }
    }

    /// A call of which nothing is known. Data in receiver and arguments comes out again, and goes to
    /// callbacks. `new` gives an object that holds what it was given.
    fn unknown(&mut self, id: u32, name: Option<&str>, call: &Call) {
        if name.is_some_and(|name| calls::METHODS_WITHOUT_VALUE.contains(&name)) {
            return;
        }
        self.tells_client(id, call);
        self.stays_client(name.unwrap_or_default(), call);
        if call.is_new {
            let object = self.made(id, 0);
            let spread = self.graph.spread(object);
            for &(argument, _) in &call.arguments {
                if argument != NONE {
                    self.graph.copy(argument, spread);
                }
            }
            self.graph.add(call.out, Atom::Object(object), NONE);
            return;
        }
        let copies = name.is_some_and(|name| calls::COPIES.contains(&name))
            || self
                .graph
                .atoms(call.callee)
                .iter()
                .any(|(atom, _)| match atom {
                    Atom::Builtin(path) => {
                        let path = self.graph.name(*path);
                        calls::COPIES
                            .contains(&path.rsplit(['.', '/', ':']).next().unwrap_or_default())
                    }
                    _ => false,
                });
        self.loose_content(call.receiver, false, call.out);
        if name.is_some_and(|name| calls::ENCODES.contains(&name)) {
            self.keys_in(call.receiver, call.out);
        }
        let nodes: Vec<Node> = call.arguments.iter().map(|(node, _)| *node).collect();
        let is_nameless = self.graph.follows_code && !self.holds_builtin(call.callee);
        for &argument in &nodes {
            match is_nameless {
                true => self.asked_of_unknown(argument, copies, call.out),
                false => self.loose_content(argument, copies, call.out),
            }
        }
        let has_data = nodes
            .iter()
            .chain([&call.receiver])
            .any(|&node| self.has_data(node, copies));
        for &argument in &nodes {
            for function in self.functions(argument) {
                // A callback's result may come out, and the callback gets the data.
                let result = self.result(function);
                self.derive(Rule::Content {
                    from: result,
                    out: call.out,
                });
                if !has_data || self.is_careful {
                    continue;
                }
                let parameters = self
                    .graph
                    .functions
                    .get(function as usize)
                    .map_or_else(Parameters::new, |found| found.parameters.clone());
                for parameter in parameters {
                    for &other in &nodes {
                        self.loose_content(other, copies, parameter);
                    }
                    self.loose_content(call.receiver, false, parameter);
                }
            }
        }
        if !has_data || self.is_careful {
            return;
        }
        // `hash.update(secret)`, `form.append(name, secret)`: the receiver holds it from now on. What puts something
        // into a map or a set is known.
        for atom in self.graph.held(call.receiver) {
            if let Atom::Object(object) = atom
                && !self.graph.collections.contains(&object)
            {
                let any = self.graph.any(object);
                for &argument in &nodes {
                    self.loose_content(argument, copies, any);
                }
            }
        }
    }

    /// What comes out of a function of which not even the name is known, of what it was given. Decoders take text;
    /// what is asked for by an object that holds some among other things (`server.load({ url })`) is something else.
    fn asked_of_unknown(&mut self, from: Node, copies: bool, out: Node) {
        for atom in self.graph.held(from) {
            match atom {
                Atom::Object(object) => {
                    if let Some(data) = self.graph.data(object, !copies, self.current) {
                        let fetched = true;
                        self.derive(Rule::Undecoded {
                            from: data,
                            out,
                            fetched,
                        });
                    }
                }
                Atom::Taint(source) if !copies && self.graph.is_key(source) => {}
                Atom::Taint(_) => self.graph.add(out, atom, from),
                Atom::Environment(source) if copies => {
                    self.graph.add(out, Atom::Taint(source), from);
                }
                _ => {}
            }
        }
    }

    /// Whether a node holds data that an unknown call passes on. Objects are watched.
    fn has_data(&mut self, node: Node, copies: bool) -> bool {
        self.graph.held(node).into_iter().any(|atom| match atom {
            Atom::Taint(_) => true,
            Atom::Environment(_) => copies,
            Atom::Object(object) => self.graph.data(object, !copies, self.current).is_some(),
            _ => false,
        })
    }

    /// Data in a value, for unknown calls: the environment object itself counts only where the
    /// called function copies, and an `env` option never does.
    pub(crate) fn loose_content(&mut self, from: Node, copies: bool, out: Node) {
        for atom in self.graph.held(from) {
            match atom {
                // What is signed with a key, or derived from it, is not the key.
                Atom::Taint(source) if !copies && self.graph.is_key(source) => {}
                Atom::Taint(_) => self.graph.add(out, atom, from),
                Atom::Environment(source) if copies => {
                    self.graph.add(out, Atom::Taint(source), from);
                }
                Atom::Object(object) => {
                    if let Some(data) = self.graph.data(object, !copies, self.current) {
                        self.graph.copy(data, out);
                    }
                }
                _ => {}
            }
        }
    }

    /// Key material in a value, for methods that give the same key in another form.
    fn keys_in(&mut self, from: Node, out: Node) {
        for atom in self.graph.held(from) {
            if let Atom::Taint(source) = atom
                && self.graph.is_key(source)
            {
                self.graph.add(out, atom, from);
            }
        }
    }

    /// Whether an instance was made by a call of a builtin of such a path.
    pub(super) fn is_made_by(&self, instance: u32, is_such: impl Fn(&str) -> bool) -> bool {
        let made_by = self.instances.get(instance as usize);
        let rule = made_by.and_then(|rule| self.graph.rules.get(*rule as usize));
        let Some(Rule::Call(made)) = rule else {
            return false;
        };
        let mut callees = self.graph.atoms(made.callee).iter();
        callees.any(
            |(atom, _)| matches!(atom, Atom::Builtin(path) if is_such(&self.graph.name(*path))),
        )
    }

    /// Runs a call in another shape (`f.call(x, y)` as `f(y)` on `x`), once.
    pub(crate) fn redirect(&mut self, id: u32, purpose: u8, call: Call) {
        if self.redirected.insert((id, purpose)) {
            let made = self.graph.rule(Rule::Call(std::rc::Rc::new(call)));
            self.stands_for.insert(made, id);
        }
    }
}
