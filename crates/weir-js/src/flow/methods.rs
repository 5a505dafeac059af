//! Methods of strings, arrays, promises and functions.

use super::graph::{Atom, Call, NONE, Name, Node, Rule};
use super::solve::Solver;
use super::text;
use crate::tables::{calls, flows};

/// Most elements of an array that is folded into a string.
const ELEMENTS: usize = 4096;
/// Fewest characters, each there once, that make an alphabet.
const ALPHABET: usize = 26;
/// Purpose of the call of a builtin that was handed to a method.
const CALLED: u8 = 2;
/// Most arrays that one call makes of several constants.
const ARRAYS: usize = 8;

impl Solver<'_> {
    /// A method by its name. Returns whether what it does is known.
    pub(crate) fn method(&mut self, id: u32, name: &str, call: &Call, is_known: bool) -> bool {
        match name {
            "then" | "catch" | "finally" => self.promise(id, name, call),
            // `Reflect.apply` is no method of the function `Reflect`.
            "call" | "apply" | "bind" if !self.is_reflect(call.receiver) => {
                return self.invoke(id, name, call);
            }
            "fastPut" | "uploadFrom" | "sendMail" => {
                self.sends_file(id, name, call);
                return is_known;
            }
            _ if is_known => return true,
            "map" | "flatMap" | "forEach" | "filter" | "find" | "findLast" | "reduce"
            | "reduceRight" | "sort" | "some" | "every" | "findIndex" => {
                return self.iterate(id, name, call);
            }
            "on" | "once" | "addListener" | "addEventListener" | "prependListener" => {
                for &(argument, _) in &call.arguments {
                    for function in self.functions(argument) {
                        let parameter = self.parameter(function, 0);
                        self.loose_content(call.receiver, false, parameter);
                        self.called_on(function, call.receiver);
                    }
                }
                self.listens_to_request(call);
                self.graph.copy(call.receiver, call.out);
            }
            "pipe" | "pipeThrough" => {
                let to = Self::argument(call, 0);
                self.graph.copy(to, call.out);
                self.loose_content(call.receiver, false, call.out);
                // What flows through a transform comes out of it.
                for atom in self.graph.held(to) {
                    if let Atom::Object(object) = atom {
                        let any = self.graph.any(object);
                        self.loose_content(call.receiver, false, any);
                    }
                }
            }
            "push" | "unshift" | "add" | "append" | "set" | "enqueue" | "insert" => {
                return self.put_in(name, call);
            }
            "read" | "readv" => {
                self.read_by_handle(call);
                return false;
            }
            "copy" => {
                self.copied_into(call);
                return false;
            }
            "request" => {
                self.stream_of_session(call);
                return false;
            }
            "directory" | "file" | "addLocalFolder" | "addLocalFile" | "localFolder" => {
                self.packs(call);
                return false;
            }
            "replace" | "replaceAll" => {
                self.fills(call);
                return self.fold_method(name, call);
            }
            "deref" if self.holds_object(call.receiver) => {
                self.graph.copy(call.receiver, call.out);
            }
            "indexOf" if self.spells(call.receiver) => {
                self.derive(Rule::Content {
                    from: Self::argument(call, 0),
                    out: call.out,
                });
                return false;
            }
            "join" => return self.join(call),
            "reverse" => return self.reverse(id, call),
            "split" => return self.split(id, call),
            "concat" if self.holds_object(call.receiver) => {
                let object = self.made(id, 0);
                let any = self.graph.any(object);
                for node in call
                    .arguments
                    .iter()
                    .map(|(node, _)| *node)
                    .chain([call.receiver])
                {
                    if node != NONE {
                        self.derive(Rule::Elements {
                            from: node,
                            out: any,
                        });
                    }
                }
                self.graph.add(call.out, Atom::Object(object), NONE);
            }
            "slice" | "values" | "flat" | "concat" | "shift" | "pop" | "get" | "splice"
            | "entries" | "toSorted" | "toReversed" | "next" | "clone"
                if self.holds_object(call.receiver) =>
            {
                // Pieces of a collection: the collection and what is in it.
                match name {
                    "get" => self.got_of(call),
                    _ => self.graph.copy(call.receiver, call.out),
                }
                self.derive(Rule::Elements {
                    from: call.receiver,
                    out: call.out,
                });
            }
            _ => return self.fold_method(name, call),
        }
        true
    }

    /// A function that is no arrow is called on something: a listener on what it listens to.
    pub(super) fn called_on(&mut self, function: u32, receiver: Node) {
        let found = self.graph.functions.get(function as usize);
        let this = found.map_or(NONE, |found| found.this);
        self.graph.copy(receiver, this);
    }

    /// `session.request(headers)` of HTTP/2 gives a stream: what is written to it leaves as by the
    /// session.
    fn stream_of_session(&mut self, call: &Call) {
        for atom in self.graph.held(call.receiver) {
            if let Atom::Instance(instance) = atom
                && self.is_made_by(instance, |path| path == "node:http2.connect")
            {
                self.graph.add(call.out, atom, call.receiver);
            }
        }
    }

    /// Whether a text is an alphabet: the places of characters in it are those characters in other words.
    fn spells(&self, node: Node) -> bool {
        let is_alphabet = |text: &String| {
            let letters: std::collections::HashSet<char> = text.chars().collect();
            letters.len() >= ALPHABET && letters.len() == text.chars().count()
        };
        self.known_texts(node).iter().any(is_alphabet)
    }

    fn is_reflect(&self, node: Node) -> bool {
        let reflect = self.graph.known("Reflect");
        self.graph
            .atoms(node)
            .iter()
            .any(|(atom, _)| matches!(atom, Atom::Builtin(name) if Some(*name) == reflect))
    }

    fn holds_object(&self, node: Node) -> bool {
        self.graph
            .atoms(node)
            .iter()
            .any(|(atom, _)| matches!(atom, Atom::Object(_)))
    }

    /// `map.get(key)` is never the map itself, however the rest is read.
    fn got_of(&mut self, call: &Call) {
        for atom in self.graph.held(call.receiver) {
            let is_map = matches!(atom, Atom::Object(it) if self.graph.collections.contains(&it));
            if !is_map {
                self.graph.add(call.out, atom, call.receiver);
            }
        }
    }

    /// Promises are taken for their value.
    fn promise(&mut self, id: u32, name: &str, call: &Call) {
        self.chain(call);
        for (index, &(argument, _)) in call.arguments.iter().enumerate() {
            for function in self.functions(argument) {
                if index == 0 && name == "then" {
                    let parameter = self.parameter(function, 0);
                    self.graph.copy(call.receiver, parameter);
                }
                if index == usize::from(name == "then") && name != "finally" {
                    let error = self.parameter(function, 0);
                    self.rejected(id, call.receiver, error);
                    if let Some(&rejected) = self.graph.rejections.get(&id) {
                        self.graph.copy(rejected, error);
                    }
                }
                self.throws(function, id);
                let result = self.result(function);
                self.graph.copy(result, call.out);
            }
            // `.then(JSON.stringify)`, `.then(resolve)`
            for atom in self.graph.held(argument) {
                match atom {
                    Atom::Resolver(promise) => self.graph.copy(call.receiver, promise),
                    Atom::Builtin(path) => {
                        self.derive(Rule::Content {
                            from: call.receiver,
                            out: call.out,
                        });
                        self.called_by(id, path, argument, call.receiver, call);
                    }
                    _ => {}
                }
            }
        }
        if name != "then" {
            self.graph.copy(call.receiver, call.out);
        }
    }

    /// `.then(eval)`, `list.map(eval)`: what makes code or runs commands is called with what it is handed.
    fn called_by(&mut self, id: u32, path: Name, callee: Node, given: Node, call: &Call) {
        let path = self.graph.name(path);
        if !flows::CODE.contains(&&*path) && !calls::RUNS_COMMAND.contains(&&*path) {
            return;
        }
        let handed = Call {
            callee,
            receiver: NONE,
            method: None,
            arguments: std::iter::once((given, false)).collect(),
            is_new: false,
            ..call.clone()
        };
        self.redirect(id, CALLED, handed);
    }

    fn invoke(&mut self, id: u32, name: &str, call: &Call) -> bool {
        let is_callable = self.graph.atoms(call.receiver).iter().any(|(atom, _)| {
            matches!(
                atom,
                Atom::Function(_) | Atom::Builtin(_) | Atom::Resolver(_)
            )
        });
        if !is_callable {
            return false;
        }
        let this = Self::argument(call, 0);
        if name == "bind" {
            self.graph.copy(call.receiver, call.out);
            for function in self.functions(call.receiver) {
                for (index, &(argument, _)) in call.arguments.iter().skip(1).enumerate() {
                    let parameter = self.parameter(function, index);
                    self.graph.copy(argument, parameter);
                }
            }
            // `require.bind(null, 'x')` and the like run with what they were given.
            if call.arguments.len() < 2 {
                return true;
            }
        }
        let arguments = if name == "apply" {
            match call.arguments.get(1) {
                Some(&(list, _)) => self.listed(list).unwrap_or_else(|| vec![(list, true)]),
                None => Vec::new(),
            }
        } else {
            call.arguments.get(1..).unwrap_or_default().to_vec()
        };
        // An array that becomes known later is missed only in the first phase.
        let purpose = if self.is_guessing { 1 } else { 0 };
        let out = if name == "bind" { NONE } else { call.out };
        // `array.map.call(x, f)`: the receiver's own method name is lost on purpose.
        self.redirect(
            id,
            purpose,
            Call {
                callee: call.receiver,
                receiver: this,
                method: None,
                arguments: arguments.into(),
                out,
                is_new: false,
                file: call.file,
                offset: call.offset,
            },
        );
        true
    }

    /// The elements of an array literal, as arguments.
    pub(crate) fn listed(&self, node: Node) -> Option<Vec<(Node, bool)>> {
        self.graph
            .atoms(node)
            .iter()
            .find_map(|(atom, _)| match atom {
                Atom::Object(object) => {
                    let found = self.graph.objects.get(*object as usize)?;
                    let elements = found.elements.as_ref()?;
                    Some(
                        elements
                            .iter()
                            .take(ELEMENTS)
                            .map(|&node| (node, false))
                            .collect(),
                    )
                }
                _ => None,
            })
    }

    fn iterate(&mut self, id: u32, name: &str, call: &Call) -> bool {
        let callback = Self::argument(call, 0);
        let functions = self.functions(callback);
        for atom in self.graph.held(callback) {
            if let Atom::Builtin(path) = atom {
                let element = self.graph.node(call.file, call.offset);
                if self.redirected.contains(&(id, CALLED)) {
                    break;
                }
                self.called_by(id, path, callback, element, call);
                self.derive(Rule::Elements {
                    from: call.receiver,
                    out: element,
                });
            }
        }
        let is_reduce = name.starts_with("reduce");
        let initial = Self::argument(call, 1);
        for &function in &functions {
            let element = self.parameter(function, usize::from(is_reduce));
            if element != NONE {
                self.derive(Rule::Elements {
                    from: call.receiver,
                    out: element,
                });
            }
            // The last one is the list itself.
            let list = self.parameter(function, 2 + usize::from(is_reduce));
            self.graph.copy(call.receiver, list);
            let result = self.result(function);
            match name {
                "map" | "flatMap" => {
                    let object = self.made(id, 0);
                    let any = self.graph.any(object);
                    self.graph.copy(result, any);
                    if name == "flatMap" {
                        self.derive(Rule::Elements {
                            from: result,
                            out: any,
                        });
                    }
                    self.graph.add(call.out, Atom::Object(object), NONE);
                }
                "reduce" | "reduceRight" => {
                    let accumulator = self.parameter(function, 0);
                    for from in [initial, result] {
                        self.graph.copy(from, accumulator);
                        self.graph.copy(from, call.out);
                    }
                }
                "sort" => {
                    let second = self.parameter(function, 1);
                    self.derive(Rule::Elements {
                        from: call.receiver,
                        out: second,
                    });
                }
                _ => {}
            }
        }
        match name {
            "filter" | "sort" => self.graph.copy(call.receiver, call.out),
            "find" | "findLast" => self.derive(Rule::Elements {
                from: call.receiver,
                out: call.out,
            }),
            "map" | "flatMap" | "reduce" if functions.is_empty() => {
                // `.map(encodeURIComponent)`
                self.derive(Rule::Content {
                    from: call.receiver,
                    out: call.out,
                });
            }
            _ => {}
        }
        true
    }

    fn put_in(&mut self, name: &str, call: &Call) -> bool {
        let mut is_known = false;
        for atom in self.graph.held(call.receiver) {
            let Atom::Object(object) = atom else {
                continue;
            };
            is_known = true;
            if matches!(name, "append" | "set") && call.arguments.len() >= 2 {
                let key = super::graph::Key::Node(Self::argument(call, 0));
                let value = Self::argument(call, 1);
                self.put(object, key, value);
                continue;
            }
            let any = self.graph.any(object);
            for &(argument, is_spread) in &call.arguments {
                if is_spread {
                    self.derive(Rule::Elements {
                        from: argument,
                        out: any,
                    });
                } else {
                    self.graph.copy(argument, any);
                }
            }
        }
        if is_known {
            // `set` and `add` chain.
            self.graph.copy(call.receiver, call.out);
        }
        is_known
    }

    /// Stores under a name that may be unknown.
    pub(crate) fn put(&mut self, object: u32, key: super::graph::Key, value: Node) {
        let names = self.key_names(key);
        if names.is_empty() {
            let any = self.graph.any(object);
            self.graph.copy(value, any);
        }
        for name in names {
            let field = self.graph.field(object, name);
            self.graph.copy(value, field);
        }
    }

    fn join(&mut self, call: &Call) -> bool {
        let lists = self.all_listed(call.receiver);
        if lists.is_empty() {
            return false;
        }
        let separator = match call.arguments.first() {
            None => Some(std::rc::Rc::from(",")),
            Some(&(node, _)) => self
                .graph
                .texts(node)
                .first()
                .map(|&name| self.graph.name(name)),
        };
        self.derive(Rule::Content {
            from: call.receiver,
            out: call.out,
        });
        let Some(separator) = separator else {
            return true;
        };
        let is_guessing = self.is_guessing;
        for parts in lists {
            self.fold(&parts, call.out, |pieces| {
                if !is_guessing && pieces.iter().any(Option::is_none) {
                    return None;
                }
                let mut joined = Vec::new();
                for (index, piece) in pieces.iter().enumerate() {
                    if index > 0 {
                        joined.push(Some(&*separator));
                    }
                    joined.push(*piece);
                }
                text::concat(&joined)
            });
        }
        true
    }

    /// The elements of every array literal in a node. A function that is called with several
    /// constants makes one array of each.
    fn all_listed(&self, node: Node) -> Vec<Vec<Node>> {
        let elements = |(atom, _): &(Atom, Node)| match atom {
            Atom::Object(object) => {
                let found = self.graph.objects.get(*object as usize)?;
                let elements = found.elements.as_ref()?;
                Some(elements.iter().take(ELEMENTS).copied().collect())
            }
            _ => None,
        };
        let lists = self.graph.atoms(node).iter().filter_map(elements);
        lists.take(ARRAYS).collect()
    }

    fn reverse(&mut self, id: u32, call: &Call) -> bool {
        let lists = self.all_listed(call.receiver);
        if lists.is_empty() {
            self.graph.copy(call.receiver, call.out);
        }
        for (purpose, mut list) in (0..).zip(lists) {
            let object = self.made(id, purpose);
            list.reverse();
            self.graph.set_elements(object, list);
            self.graph.add(call.out, Atom::Object(object), NONE);
        }
        true
    }

    /// A constant is split into an array of constants.
    fn split(&mut self, id: u32, call: &Call) -> bool {
        let texts = self.known_texts(call.receiver);
        let separator = self
            .graph
            .texts(Self::argument(call, 0))
            .first()
            .map(|&name| self.graph.name(name));
        if let Some(separator) = separator {
            for (purpose, text) in (0..).zip(texts.iter().take(ARRAYS)) {
                if self.made.contains_key(&(id, purpose)) {
                    continue;
                }
                let pieces: Vec<String> = if separator.is_empty() {
                    text.chars().take(ELEMENTS).map(String::from).collect()
                } else {
                    text.split(&*separator)
                        .take(ELEMENTS)
                        .map(str::to_owned)
                        .collect()
                };
                let nodes: Vec<Node> = pieces
                    .iter()
                    .map(|piece| self.graph.constant(piece))
                    .collect();
                let object = self.made(id, purpose);
                self.graph.set_elements(object, nodes);
                // Where it is cut is not known.
                if self.is_of_file(text) {
                    let any = self.graph.any(object);
                    self.give_text(any, text);
                }
                self.graph.add(call.out, Atom::Object(object), NONE);
            }
        }
        self.derive(Rule::Content {
            from: call.receiver,
            out: call.out,
        });
        true
    }

    /// A method of string constants. Data in the receiver passes through.
    fn fold_method(&mut self, name: &str, call: &Call) -> bool {
        if self.graph.texts(call.receiver).is_empty() {
            return false;
        }
        self.part_of_file(name, call);
        let mut parts = vec![call.receiver];
        parts.extend(call.arguments.iter().map(|(node, _)| *node));
        self.fold(&parts, call.out, |pieces| {
            let (receiver, arguments) = pieces.split_first()?;
            let arguments: Vec<&str> = arguments.iter().copied().collect::<Option<_>>()?;
            text::method(name, (*receiver)?, &arguments)
        });
        // Constants and data may come together; then the data is not lost.
        false
    }
}
