//! Objects of the graph: their fields, what stands beside fields, and the data inside.

use super::graph::{Atom, Graph, MEDIUM, NONE, Name, Node, Object, Part, Use, index};

/// Most fields of an object that is no table.
const TABLE: usize = 16;
/// Most objects that one object is known to be part of.
const PARENTS: usize = 256;
/// Most elements of a rest parameter that are kept apart.
const REST: usize = 16;

impl Graph {
    /// Where fields of every name are read from, as far as there is such a place yet: unknown
    /// names, and what was spread. Should there be one later, `rule` runs again. Most objects never
    /// have any.
    pub(crate) fn beside_fields(&mut self, object: u32, rule: u32) -> (Option<Node>, Option<Node>) {
        let Some(found) = self.objects.get_mut(object as usize) else {
            return (None, None);
        };
        let made = |node: Node| (node != NONE).then_some(node);
        let beside = (made(found.any), made(found.spread));
        if (beside.0.is_none() || beside.1.is_none()) && found.readers.last() != Some(&rule) {
            found.readers.push(rule);
        }
        beside
    }

    /// Wakes the rules that read fields of an object.
    fn wake_readers(&mut self, object: u32) {
        if let Some(found) = self.objects.get_mut(object as usize) {
            self.added.append(&mut found.readers);
        }
    }

    fn object_node(
        &mut self,
        object: u32,
        pick: impl Fn(&mut Object) -> &mut Node,
    ) -> (Node, bool) {
        let made = index(self.slots.len());
        let Some(found) = self.objects.get_mut(object as usize) else {
            return (NONE, false);
        };
        let place = pick(found);
        if *place != NONE {
            return (*place, false);
        }
        *place = made;
        (self.node(u32::MAX, 0), true)
    }

    /// The node of a field.
    pub(crate) fn field(&mut self, object: u32, name: Name) -> Node {
        if let Some(found) = self.objects.get(object as usize) {
            if let Some(&node) = found.fields.get(&name) {
                return node;
            }
            // Elements of array literals are read by their number.
            if let Some(elements) = &found.elements
                && let Some(&element) = self
                    .names
                    .get(name as usize)
                    .and_then(|text| text.parse::<usize>().ok())
                    .and_then(|at| elements.get(at))
            {
                return element;
            }
        }
        let node = self.node(u32::MAX, 0);
        if let Some(found) = self.objects.get_mut(object as usize) {
            found.fields.insert(name, node);
        }
        let part = if self.known("env") == Some(name) {
            Part::EnvironmentField
        } else {
            Part::Field
        };
        self.part(object, node, part);
        node
    }

    /// Wires a node that is part of an object to its unions.
    pub(crate) fn part(&mut self, object: u32, node: Node, part: Part) {
        let all = self
            .objects
            .get(object as usize)
            .map_or(NONE, |found| found.all);
        if all != NONE && !matches!(part, Part::Spread | Part::Listed) {
            self.copy(node, all);
        }
        if node == NONE {
            return;
        }
        if let Some(slot) = self.slots.get_mut(node as usize) {
            let one = Use::Part(object, part);
            if slot.uses.last() == Some(&one) {
                return;
            }
            slot.uses.push(one);
        }
        for atom in self.held(node) {
            self.part_grew(object, part, atom, node);
        }
    }

    /// The atom of this number arrived in a part of an object.
    pub(crate) fn part_got(&mut self, object: u32, part: Part, node: Node, at: usize) {
        if let Some(&(atom, _)) = self.atoms(node).get(at) {
            self.part_grew(object, part, atom, node);
        }
    }

    /// An atom arrived in a part of an object: data goes into the object's unions of data.
    pub(crate) fn part_grew(&mut self, object: u32, part: Part, atom: Atom, from: Node) {
        if part == Part::Listed {
            self.storage_listed(object, atom, from);
            return;
        }
        match atom {
            Atom::Taint(source) | Atom::Environment(source) => {
                let deep = self.make_data(object, false);
                self.add(deep, Atom::Taint(source), from);
                let is_passed_on = match part {
                    Part::Field => !self.is_key(source),
                    Part::EnvironmentField => false,
                    Part::Spread => matches!(atom, Atom::Taint(_)),
                    Part::Listed => false,
                };
                if is_passed_on {
                    let loose = self.make_data(object, true);
                    self.add(loose, Atom::Taint(source), from);
                }
            }
            Atom::Object(inner) => {
                let Some(found) = self.objects.get_mut(inner as usize) else {
                    return;
                };
                if found.parents.len() >= PARENTS || found.parents.contains(&(object, part)) {
                    return;
                }
                found.parents.push((object, part));
                let (deep, loose) = (found.deep, found.loose);
                if deep != NONE {
                    let outer = self.make_data(object, false);
                    self.copy(deep, outer);
                }
                if loose != NONE && part != Part::EnvironmentField {
                    let outer = self.make_data(object, true);
                    self.copy(loose, outer);
                }
            }
            _ => {}
        }
    }

    /// Data inside an object, where there is some. Otherwise `rule` runs again once there is.
    pub(crate) fn data(&mut self, object: u32, is_loose: bool, rule: u32) -> Option<Node> {
        let found = self.objects.get_mut(object as usize)?;
        let node = if is_loose { found.loose } else { found.deep };
        if node != NONE {
            return Some(node);
        }
        if found.watchers.last() != Some(&rule) {
            found.watchers.push(rule);
        }
        None
    }

    /// The union of data of an object and of all objects it is part of.
    fn make_data(&mut self, object: u32, is_loose: bool) -> Node {
        let pick = |found: &Object| if is_loose { found.loose } else { found.deep };
        let existing = self.objects.get(object as usize).map_or(NONE, pick);
        if existing != NONE {
            return existing;
        }
        let mut made = NONE;
        let mut queue = vec![object];
        let mut edges = Vec::new();
        while let Some(next) = queue.pop() {
            let fresh = index(self.slots.len());
            let Some(found) = self.objects.get_mut(next as usize) else {
                continue;
            };
            if pick(found) != NONE {
                continue;
            }
            if is_loose {
                found.loose = fresh;
            } else {
                found.deep = fresh;
            }
            self.added.append(&mut found.watchers);
            for &(parent, part) in &found.parents {
                if !(is_loose && part == Part::EnvironmentField) {
                    edges.push((next, parent));
                    queue.push(parent);
                }
            }
            self.node(u32::MAX, 0);
            if made == NONE {
                made = fresh;
            }
        }
        for (inner, outer) in edges {
            let from = self.objects.get(inner as usize).map_or(NONE, pick);
            let to = self.objects.get(outer as usize).map_or(NONE, pick);
            self.copy(from, to);
        }
        made
    }

    /// Gives an array its elements.
    pub(crate) fn set_elements(&mut self, object: u32, elements: Vec<Node>) {
        for &element in &elements {
            self.part(object, element, Part::Field);
        }
        if let Some(found) = self.objects.get_mut(object as usize) {
            found.elements = Some(elements);
        }
    }

    /// The element of a rest parameter; beyond the first few they are one.
    pub(crate) fn rest_element(&mut self, object: u32, at: usize) -> Node {
        if at >= REST {
            return self.any(object);
        }
        loop {
            let known = self
                .objects
                .get(object as usize)
                .map_or(0, |found| found.elements.as_ref().map_or(0, Vec::len));
            if at < known {
                break;
            }
            let node = self.node(u32::MAX, 0);
            if let Some(found) = self.objects.get_mut(object as usize) {
                found.elements.get_or_insert_default().push(node);
            }
            self.part(object, node, Part::Field);
        }
        self.objects
            .get(object as usize)
            .and_then(|found| found.elements.as_ref()?.get(at).copied())
            .unwrap_or(NONE)
    }

    /// A call gives a rest parameter that many elements. Those that other calls give are empty then: one
    /// function joins two pieces here and three there.
    pub(crate) fn rest_ends(&mut self, object: u32, given: usize) {
        let found = self.objects.get(object as usize);
        let elements = found.and_then(|found| found.elements.as_ref()?.get(given..));
        let beyond: Vec<Node> = elements.map_or_else(Vec::new, <[Node]>::to_vec);
        if beyond.is_empty() {
            return;
        }
        let nothing = self.intern("");
        for element in beyond {
            self.add(element, Atom::Text(nothing), NONE);
        }
    }

    /// Fields written under unknown names.
    pub(crate) fn any(&mut self, object: u32) -> Node {
        let (node, is_new) = self.object_node(object, |object| &mut object.any);
        if is_new {
            self.part(object, node, Part::Field);
            self.wake_readers(object);
        }
        node
    }

    /// What was spread into the object.
    pub(crate) fn spread(&mut self, object: u32) -> Node {
        let (node, is_new) = self.object_node(object, |object| &mut object.spread);
        if is_new {
            self.part(object, node, Part::Spread);
            self.wake_readers(object);
        }
        node
    }

    fn parts(&self, object: u32) -> Vec<Node> {
        self.objects
            .get(object as usize)
            .map_or_else(Vec::new, |found| {
                let mut parts: Vec<Node> = found.fields.values().copied().collect();
                parts.sort_unstable();
                parts.extend(found.elements.iter().flatten());
                parts.push(found.any);
                parts
            })
    }

    /// Whether an object has so many fields, in so large a graph, that reading one of unknown name
    /// would mix things that have nothing to do with each other.
    pub(crate) fn is_table(&self, object: u32) -> bool {
        self.slots.len() > MEDIUM
            && self
                .objects
                .get(object as usize)
                .is_some_and(|found| found.fields.len() > TABLE)
    }

    /// Whether an object is a map, a set, or a record: something is kept in it under a name that no list has. As a text
    /// it says what it is, and nothing that is in it.
    pub(super) fn is_record(&self, object: u32) -> bool {
        let Some(found) = self.objects.get(object as usize) else {
            return false;
        };
        if self.collections.contains(&object) {
            return true;
        }
        // Reading a field makes its node.
        let holds = |node: Node| !self.atoms(node).is_empty();
        let is_number = |name: Name| self.text(name).starts_with(|c: char| c.is_ascii_digit());
        let mut fields = found.fields.iter();
        found.elements.is_none() && fields.any(|(&name, &node)| holds(node) && !is_number(name))
    }

    /// Whether an object is what `new` gives of some function of the package.
    pub(super) fn is_instance(&self, object: u32) -> bool {
        let mut functions = self.functions.iter();
        functions.any(|function| function.instance == Some(object))
    }

    /// Union of all fields.
    pub(crate) fn all(&mut self, object: u32) -> Node {
        let (node, is_new) = self.object_node(object, |object| &mut object.all);
        if is_new {
            for part in self.parts(object) {
                self.copy(part, node);
            }
        }
        node
    }

    /// What `new f()` gives.
    pub(crate) fn instance(&mut self, function: u32) -> u32 {
        if let Some(Some(instance)) = self.functions.get(function as usize).map(|f| f.instance) {
            return instance;
        }
        let object = self.object();
        let mut this = NONE;
        if let Some(found) = self.functions.get_mut(function as usize) {
            found.instance = Some(object);
            this = found.this;
        }
        self.add(this, Atom::Object(object), NONE);
        object
    }

    /// Static members of a function or class.
    pub(crate) fn statics(&mut self, function: u32) -> u32 {
        if let Some(Some(statics)) = self.functions.get(function as usize).map(|f| f.statics) {
            return statics;
        }
        let object = self.object();
        if let Some(found) = self.functions.get_mut(function as usize) {
            found.statics = Some(object);
        }
        object
    }

    /// The `module` object of a file, with `exports` filled in.
    pub(crate) fn module(&mut self, file: u32) -> u32 {
        if let Some(&module) = self.modules.get(&file) {
            return module;
        }
        let module = self.object();
        self.modules.insert(file, module);
        let exports = self.object();
        let name = self.intern("exports");
        let node = self.field(module, name);
        self.add(node, Atom::Object(exports), NONE);
        for (field, builtin) in [("require", "require"), ("constructor", "Module")] {
            let name = self.intern(field);
            let node = self.field(module, name);
            let builtin = self.intern(builtin);
            self.add(node, Atom::Builtin(builtin), NONE);
        }
        module
    }

    /// What `require` of a file gives.
    pub(crate) fn exports(&mut self, file: u32) -> Node {
        let module = self.module(file);
        let name = self.intern("exports");
        self.field(module, name)
    }
}
