//! Values and rules of a package, independent of the syntax they came from.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::rc::Rc;

use smallvec::SmallVec;
use weir_model::contents::SourceKind;

use crate::hash::Map;

/// Hashes small numbers. Keys are our own indexes, which hostile code cannot choose freely.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value.cast_unsigned() as u64);
    }
}

/// For maps keyed by indexes.
pub(crate) type Quick = BuildHasherDefault<NumberHasher>;

/// An interned string.
pub(crate) type Name = u32;
/// A place where values are: a variable, a field, an expression.
pub(crate) type Node = u32;
/// What a node holds, without where it came from.
pub(crate) type Atoms = SmallVec<[Atom; 8]>;
/// Names that a node may hold.
pub(crate) type Names = SmallVec<[Name; 4]>;
/// Arguments of a call, and whether each is spread.
pub(crate) type Arguments = SmallVec<[(Node, bool); 3]>;
/// Parameters of a function.
pub(crate) type Parameters = SmallVec<[Node; 4]>;
/// The node of values that do not matter, e.g. numbers and comparisons.
pub(crate) const NONE: Node = 0;

/// Most functions, objects and the like per node; a set that is fuller says nothing any more.
const ATOMS: usize = 48;
/// The same once the graph has more than [`LARGE`] nodes: large programs have places where
/// everything meets, and their sets make the work grow with the square of the program.
const ATOMS_IN_LARGE: usize = 8;
/// The same in between.
const ATOMS_IN_MEDIUM: usize = 16;
/// From how many nodes on a graph is large.
const LARGE: usize = 120_000;
/// From how many nodes on it is medium.
pub(super) const MEDIUM: usize = 30_000;
/// From how many uses on a node's copies are looked up and not searched for.
const WIDE: usize = 12;
/// Most string constants per node.
const TEXTS: usize = 8;
/// Longest string constant that is kept, in bytes.
pub(crate) const TEXT_BYTES: usize = 4096;

/// Longest text that may be code, in bytes.
pub(crate) const LONG_TEXT: usize = 1 << 20;
/// Most bytes of texts longer than [`TEXT_BYTES`].
const LONG_TEXTS: usize = 16 << 20;
/// Steps of decoders that are run, for the whole package: about a second.
const FOLD_STEPS: u64 = 32_000_000;

/// One thing a node may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Atom {
    /// A string constant, possibly with unknown pieces.
    Text(Name),
    /// Something that Node, the browser or another package provides, by its path.
    Builtin(Name),
    /// A function of this package.
    Function(u32),
    /// An object, array, class instance or module of this package.
    Object(u32),
    /// The environment object itself, as read at a source.
    Environment(u32),
    /// Data derived from a source.
    Taint(u32),
    /// A request, socket or child process, by the call that made it.
    Instance(u32),
    /// The `resolve` of a promise, by the promise's node.
    Resolver(Node),
}

/// Who wants to know when a node grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    /// Everything goes on to that node.
    Copy(Node),
    /// That rule reads it.
    Rule(u32),
    /// It is part of that object.
    Part(u32, Part),
}

/// How a node is part of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// A field or element.
    Field,
    /// The field `env`, by which calls are given an environment to run in.
    EnvironmentField,
    /// Spread into it, or a prototype.
    Spread,
    /// Listed where its literal spreads it: `{ ...value }` reads all of the value. What is copied goes by
    /// [`Part::Spread`]; this part only tells what such a reading takes.
    Listed,
}

/// What solving reads of a node over and over, in one line of the cache.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Slot {
    /// Each atom with the node it came from. Most nodes hold one or two, and have one or two uses:
    /// these need no memory of their own.
    atoms: SmallVec<[(Atom, Node); 2]>,
    pub(super) uses: SmallVec<[Use; 2]>,
    /// How many of the atoms were handed on.
    handed_on: u32,
    /// Whether the nodes that get a copy are in [`Graph::edges`].
    is_wide: bool,
}

impl Slot {
    /// Takes an atom in that came from `from`. False where it is held already, or nothing more fits.
    fn take(&mut self, atom: Atom, from: Node, cap: usize) -> bool {
        if self.atoms.iter().any(|(held, _)| *held == atom) {
            return false;
        }
        let is_full = match atom {
            Atom::Taint(_) | Atom::Environment(_) => self.atoms.len() >= 2 * ATOMS,
            Atom::Text(_) => {
                let texts = |held: &&(Atom, Node)| matches!(held.0, Atom::Text(_));
                self.atoms.len() >= TEXTS && self.atoms.iter().filter(texts).count() >= TEXTS
            }
            _ => self.atoms.len() >= cap,
        };
        if !is_full {
            self.atoms.push((atom, from));
        }
        !is_full
    }
}

/// A property's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// As written.
    Name(Name),
    /// Computed.
    Node(Node),
}

/// A call or construction.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What is called.
    pub(crate) callee: Node,
    /// `a` of `a.b()`.
    pub(crate) receiver: Node,
    /// `b` of `a.b()`.
    pub(crate) method: Option<Key>,
    /// Arguments, and whether each is spread.
    pub(crate) arguments: Arguments,
    /// The result.
    pub(crate) out: Node,
    /// `new`.
    pub(crate) is_new: bool,
    /// File, as an index.
    pub(crate) file: u32,
    /// Byte offset in the file.
    pub(crate) offset: u32,
}

/// How values follow from others.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    /// `out = object.key`
    Member { object: Node, key: Key, out: Node },
    /// `object.key = value`
    Store { object: Node, key: Key, value: Node },
    /// A call.
    Call(Rc<Call>),
    /// Strings joined, `NONE` for unknown pieces.
    Concat { parts: Rc<[Node]>, out: Node },
    /// All data reachable from `from`, as taint.
    Content { from: Node, out: Node },
    /// Elements of what `from` holds.
    Elements { from: Node, out: Node },
    /// Of what `from` holds, what came from the network.
    Answered { from: Node, out: Node },
    /// Of what `from` holds, the data that was not decoded, nor fetched unless that counts.
    Undecoded {
        from: Node,
        out: Node,
        fetched: bool,
    },
    /// Of what `from` holds, the data: what an error carries.
    Thrown { from: Node, out: Node },
    /// Property names of what `from` holds.
    Keys { from: Node, out: Node },
    /// `out` inherits from instances of the classes in `class`.
    Inherit { class: Node, out: Node },
    /// A call of a function that looks builtins up by name.
    Answer(Rc<Asked>),
}

/// What a call asks a function for that looks builtins up by name.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The function.
    pub(crate) function: u32,
    /// What the call states.
    pub(crate) names: Rc<[Name]>,
    /// What comes out of the function for all of its calls.
    pub(crate) result: Node,
    /// What comes out for this one.
    pub(crate) out: Node,
}

/// A function of the package.
#[derive(Debug, Default, Clone)]
pub(crate) struct Function {
    pub(crate) parameters: Parameters,
    /// Object that collects the rest parameter.
    pub(crate) rest: Option<u32>,
    /// Object behind `arguments`, where it is used.
    pub(crate) arguments: Option<u32>,
    pub(crate) this: Node,
    pub(crate) result: Node,
    /// Data in what it throws.
    pub(crate) thrown: Node,
    /// It does nothing but return `this`: the global object, where it is called on nothing.
    pub(crate) gives_this: bool,
    /// What `new` gives; made when first needed.
    pub(crate) instance: Option<u32>,
    /// Static members; made when first needed.
    pub(crate) statics: Option<u32>,
}

/// An object of the package. Nodes are made when first needed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Object {
    pub(crate) fields: HashMap<Name, Node, Quick>,
    /// Elements of an array literal, in order.
    pub(crate) elements: Option<Vec<Node>>,
    /// Written under unknown names; elements of other arrays.
    pub(crate) any: Node,
    /// What was spread into it, and prototypes.
    pub(crate) spread: Node,
    /// Union of all fields, for reads under unknown names.
    pub(crate) all: Node,
    /// All data inside, as taint. Made when there is some.
    pub(super) deep: Node,
    /// The same without what calls need not pass on: an `env` field, a spread environment.
    pub(super) loose: Node,
    /// Objects this one is part of.
    pub(super) parents: Vec<(u32, Part)>,
    /// Rules that want to know when there is data inside.
    pub(super) watchers: Vec<u32>,
    /// Rules that read fields, and want to know when there are unknown names or something spread.
    pub(super) readers: Vec<u32>,
}

/// Something that is read and is sensitive.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) kind: SourceKind,
    pub(crate) detail: String,
    pub(crate) file: u32,
    pub(crate) offset: u32,
}

/// The graph.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(super) slots: Vec<Slot>,
    /// File and offset of each node.
    places: Vec<(u32, u32)>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) functions: Vec<Function>,
    pub(crate) objects: Vec<Object>,
    pub(crate) sources: Vec<Source>,
    source_index: Map<(SourceKind, String, u32, u32), u32>,
    pub(super) names: Vec<Rc<str>>,
    name_index: Map<Rc<str>, Name>,
    constants: HashMap<Name, Node, Quick>,
    /// Nodes that grew since they were last looked at.
    pub(crate) grown: Vec<Node>,
    /// Rules that were added with something to read.
    pub(crate) added: Vec<u32>,
    /// Atoms that were added.
    pub(crate) steps: u64,
    /// Copies between nodes.
    pub(super) links: u64,
    /// Copies of nodes with many uses. Of others, the list of uses is looked through.
    edges: HashSet<(Node, Node), Quick>,
    /// Modules by file: the `module` object.
    pub(super) modules: Map<u32, u32>,
    /// Fields of the global object.
    pub(crate) globals: u32,
    /// Steps that decoders of the package may still take while files are lowered.
    pub(crate) fold_steps: u64,
    /// Whether what is fetched or decoded is followed: only where something could run it.
    pub(crate) follows_code: bool,
    /// Install runs it: then files of folders that are listed count as loaded, where their names are not
    /// known otherwise, and a file that is no code by its name is told where it is evaluated.
    pub(crate) installs: bool,
    /// Bytes of long texts that may still be kept.
    pub(crate) long_text: usize,
    /// Modules of bundles, by loader and key: the nodes of `module` and `exports`.
    pub(crate) bundled: HashMap<Name, (Node, Node), Quick>,
    /// Loaders of bundles whose modules are known.
    pub(crate) loaders: Vec<Name>,
    /// Evaluated code, by file: the file that evaluates it, and the node of its result.
    pub(crate) completions: Map<u32, (u32, Node)>,
    /// Variables of files that evaluate code, by file and name.
    pub(crate) variables: Map<(u32, Name), SmallVec<[Node; 2]>>,
    /// Objects that are maps and sets.
    pub(super) collections: HashSet<u32, Quick>,
    /// Calls that make characters of counters, by their rules.
    pub(crate) counted: HashSet<u32, Quick>,
    /// Where errors go.
    pub(super) regions: super::thrown::Regions,
    /// Calls of `catch` and `then`, by their rules: what the promise was rejected with.
    pub(crate) rejections: HashMap<u32, Node, Quick>,
}

impl Default for Graph {
    fn default() -> Self {
        let mut graph = Self {
            slots: vec![Slot::default()],
            places: vec![(0, 0)],
            rules: Vec::new(),
            functions: Vec::new(),
            objects: Vec::new(),
            sources: Vec::new(),
            source_index: Map::default(),
            names: Vec::new(),
            name_index: Map::default(),
            constants: HashMap::default(),
            grown: Vec::new(),
            added: Vec::new(),
            steps: 0,
            links: 0,
            edges: HashSet::default(),
            modules: Map::default(),
            globals: 0,
            fold_steps: FOLD_STEPS,
            follows_code: false,
            installs: false,
            long_text: LONG_TEXTS,
            bundled: HashMap::default(),
            loaders: Vec::new(),
            completions: Map::default(),
            variables: Map::default(),
            collections: HashSet::default(),
            counted: HashSet::default(),
            regions: super::thrown::Regions::default(),
            rejections: HashMap::default(),
        };
        graph.globals = graph.object();
        graph
    }
}

impl Graph {
    /// Makes room for what a text of so many bytes is lowered to: one node for ten to fourteen of them in
    /// real code.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.slots.reserve(bytes / 10);
        self.places.reserve(bytes / 10);
        self.rules.reserve(bytes / 20);
    }

    /// Number of nodes, as a measure of size.
    pub(crate) fn size(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn intern(&mut self, text: &str) -> Name {
        if let Some(&name) = self.name_index.get(text) {
            return name;
        }
        let name = index(self.names.len());
        let text: Rc<str> = Rc::from(text);
        self.names.push(Rc::clone(&text));
        self.name_index.insert(text, name);
        name
    }

    /// A string that was interned before.
    pub(crate) fn known(&self, text: &str) -> Option<Name> {
        self.name_index.get(text).copied()
    }

    /// The text of an interned string.
    pub(crate) fn text(&self, name: Name) -> &str {
        self.names.get(name as usize).map_or("", |text| &**text)
    }

    pub(crate) fn name(&self, name: Name) -> Rc<str> {
        self.names
            .get(name as usize)
            .cloned()
            .unwrap_or_else(|| Rc::from(""))
    }

    pub(crate) fn node(&mut self, file: u32, offset: u32) -> Node {
        let node = index(self.slots.len());
        self.slots.push(Slot::default());
        self.places.push((file, offset));
        node
    }

    /// File and offset of a node.
    pub(crate) fn place(&self, node: Node) -> (u32, u32) {
        self.places.get(node as usize).copied().unwrap_or_default()
    }

    /// A node that holds one string constant.
    pub(crate) fn constant(&mut self, text: &str) -> Node {
        if text.len() > TEXT_BYTES && (text.len() > LONG_TEXT || !self.keeps_text(text.len())) {
            return NONE;
        }
        let name = self.intern(text);
        if let Some(&node) = self.constants.get(&name) {
            return node;
        }
        let node = self.node(u32::MAX, 0);
        self.constants.insert(name, node);
        self.add(node, Atom::Text(name), NONE);
        node
    }

    pub(crate) fn object(&mut self) -> u32 {
        self.objects.push(Object::default());
        index(self.objects.len() - 1)
    }

    /// The source of this description; one per place.
    pub(crate) fn source(&mut self, kind: SourceKind, detail: &str, file: u32, offset: u32) -> u32 {
        let key = (kind, detail.to_owned(), file, offset);
        if let Some(&source) = self.source_index.get(&key) {
            return source;
        }
        let source = index(self.sources.len());
        self.sources.push(Source {
            kind,
            detail: crate::place::clean(detail),
            file,
            offset,
        });
        self.source_index.insert(key, source);
        source
    }

    /// Whether a source is key material, which unknown calls use rather than pass on.
    pub(crate) fn is_key(&self, source: u32) -> bool {
        self.sources
            .get(source as usize)
            .is_some_and(|source| source.kind == SourceKind::KeyArgument)
    }

    pub(crate) fn atoms(&self, node: Node) -> &[(Atom, Node)] {
        match self.slots.get(node as usize) {
            Some(slot) if node != NONE => &slot.atoms,
            _ => &[],
        }
    }

    pub(crate) fn uses(&self, node: Node) -> &[Use] {
        self.slots
            .get(node as usize)
            .map_or(&[], |slot| slot.uses.as_slice())
    }

    /// The atoms that were not handed on yet, by their number; from now on they count as handed on. Uses
    /// that are added later get everything when they are added.
    pub(crate) fn fresh(&mut self, node: Node) -> Range<usize> {
        let Some(slot) = self.slots.get_mut(node as usize) else {
            return 0..0;
        };
        let start = slot.handed_on as usize;
        slot.handed_on = index(slot.atoms.len());
        start..slot.atoms.len()
    }

    /// A copy of what a node holds, without where it came from.
    pub(crate) fn held(&self, node: Node) -> Atoms {
        self.atoms(node).iter().map(|(atom, _)| *atom).collect()
    }

    /// String constants of a node.
    pub(crate) fn texts(&self, node: Node) -> Names {
        self.atoms(node)
            .iter()
            .filter_map(|(atom, _)| match atom {
                Atom::Text(name) => Some(*name),
                _ => None,
            })
            .collect()
    }

    /// Adds an atom that came from `from`.
    pub(crate) fn add(&mut self, node: Node, atom: Atom, from: Node) {
        self.steps += 1;
        if node == NONE {
            return;
        }
        let cap = self.cap();
        if let Some(slot) = self.slots.get_mut(node as usize)
            && slot.take(atom, from, cap)
        {
            self.grew(node);
        }
    }

    /// Most functions, objects and the like that a node takes in as the graph is now.
    fn cap(&self) -> usize {
        match self.slots.len() {
            LARGE.. => ATOMS_IN_LARGE,
            MEDIUM.. => ATOMS_IN_MEDIUM,
            _ => ATOMS,
        }
    }

    /// Has a node looked at, once for what it got in a row.
    fn grew(&mut self, node: Node) {
        if self.grown.last() != Some(&node) {
            self.grown.push(node);
        }
    }

    /// Adds those of the atoms of `from` that have these numbers to `to`.
    pub(crate) fn hand_on(&mut self, from: Node, atoms: Range<usize>, to: Node) {
        // Most nodes that are lowered hold nothing yet.
        if atoms.is_empty() {
            return;
        }
        self.steps += atoms.len() as u64;
        let cap = self.cap();
        let both = [from as usize, to as usize];
        let Ok([source, target]) = self.slots.get_disjoint_mut(both) else {
            return;
        };
        let mut is_more = false;
        for &(atom, _) in source.atoms.get(atoms).unwrap_or_default() {
            is_more |= target.take(atom, from, cap);
        }
        if is_more {
            self.grew(to);
        }
    }

    /// Everything in `from` goes to `to`, now and later.
    pub(crate) fn copy(&mut self, from: Node, to: Node) {
        if from == NONE || to == NONE || from == to || !self.link(from, to) {
            return;
        }
        let held = self.atoms(from).len();
        self.hand_on(from, 0..held, to);
    }

    /// Notes that `to` gets what `from` holds. False where it does already.
    fn link(&mut self, from: Node, to: Node) -> bool {
        let Some(slot) = self.slots.get_mut(from as usize) else {
            return false;
        };
        if slot.uses.len() < WIDE {
            if slot.uses.contains(&Use::Copy(to)) {
                return false;
            }
        } else {
            if !slot.is_wide {
                slot.is_wide = true;
                let copies = slot.uses.iter().filter_map(|one| match one {
                    Use::Copy(to) => Some((from, *to)),
                    _ => None,
                });
                self.edges.extend(copies);
            }
            if !self.edges.insert((from, to)) {
                return false;
            }
        }
        slot.uses.push(Use::Copy(to));
        self.links += 1;
        true
    }

    /// Adds a rule and has it run when one of what it reads grows.
    pub(crate) fn rule(&mut self, rule: Rule) -> u32 {
        let id = index(self.rules.len());
        let mut reads: SmallVec<[Node; 8]> = SmallVec::new();
        match &rule {
            Rule::Member { object, key, .. } | Rule::Store { object, key, .. } => {
                reads.push(*object);
                if let Key::Node(node) = key {
                    reads.push(*node);
                }
            }
            Rule::Call(call) => {
                reads.extend([call.callee, call.receiver]);
                if let Some(Key::Node(node)) = call.method {
                    reads.push(node);
                }
                reads.extend(call.arguments.iter().map(|(node, _)| *node));
            }
            Rule::Concat { parts, .. } => reads.extend(parts.iter().copied()),
            Rule::Content { from, .. }
            | Rule::Elements { from, .. }
            | Rule::Answered { from, .. }
            | Rule::Thrown { from, .. }
            | Rule::Undecoded { from, .. }
            | Rule::Keys { from, .. } => {
                reads.push(*from);
            }
            Rule::Inherit { class, .. } => reads.push(*class),
            Rule::Answer(asked) => reads.push(asked.result),
        }
        let mut is_ready = false;
        for node in reads {
            if node == NONE {
                continue;
            }
            if let Some(slot) = self.slots.get_mut(node as usize) {
                if slot.uses.last() != Some(&Use::Rule(id)) {
                    slot.uses.push(Use::Rule(id));
                }
                is_ready |= !slot.atoms.is_empty();
            }
        }
        if is_ready {
            self.added.push(id);
        }
        self.rules.push(rule);
        id
    }
}

/// Indexes are 32 bits wide: the limits on source size keep graphs far below that.
pub(crate) fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
