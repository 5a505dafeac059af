//! From syntax trees to values and rules.

mod bundle;
mod counter;
mod expression;
mod function;
mod literal;
mod pattern;
mod statement;
mod typescript;

pub(crate) use bundle::CHUNK;

use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_semantic::Scoping;
use oxc_span::GetSpan;
use oxc_syntax::symbol::SymbolId;

use crate::fold::Evaluator;
use crate::hash::Set;
use crate::scan;
use crate::slice::PART;

use super::graph::{Atom, Graph, Key, NONE, Node, Rule};

/// Longest loop that is tried as a decoder, in bytes.
const LOOP_BYTES: u32 = 4_096;
/// Most variables of a file that code it evaluates may see.
const VARIABLES: usize = 20_000;
/// Longest computed array whose elements are kept apart.
const ELEMENTS: usize = 4_096;

/// Lowers one file. `scoping` and `evaluator` must be those of `program`. What is no module is evaluated,
/// or given on a command line: there `this` is the global object.
pub(crate) fn lower<'s>(
    graph: &mut Graph,
    file: u32,
    program: &Program<'_>,
    scoping: &'s Scoping,
    evaluator: Option<Evaluator<'s, '_>>,
    left_out: &'s Set<Span>,
    is_module: bool,
) {
    let exports = graph.exports(file);
    let module = graph.module(file);
    let module_node = graph.node(file, 0);
    graph.add(module_node, Atom::Object(module), NONE);
    // `exports` is the first object, whatever `module.exports` becomes.
    let exports_node = graph.node(file, 0);
    for atom in graph.held(exports) {
        graph.add(exports_node, atom, NONE);
    }
    let mut this = exports_node;
    if !is_module {
        this = graph.node(file, 0);
        graph.copy(exports_node, this);
        let global = graph.intern("global");
        graph.add(this, Atom::Builtin(global), NONE);
    }
    let mut lower = Lower {
        graph,
        file,
        scoping,
        symbols: vec![NONE; scoping.symbols_len()],
        exports_node,
        module_node,
        frames: vec![Frame {
            this,
            ..Frame::default()
        }],
        classes: Vec::new(),
        withs: Vec::new(),
        evaluator,
        left_out,
        bundles: bundle::Bundles::of(program, scoping),
        counters: Vec::new(),
    };
    lower.visit_program(program);
    lower.keep_variables(program.source_text);
    if let Some(evaluator) = &lower.evaluator {
        lower.graph.fold_steps = evaluator.budget;
    }
}

/// The function that is being lowered.
#[derive(Default, Clone)]
struct Frame {
    this: Node,
    result: Node,
    /// The object behind `arguments`, made when it is used.
    arguments: Option<u32>,
    is_arrow: bool,
}

struct Lower<'g, 's, 'a> {
    graph: &'g mut Graph,
    file: u32,
    scoping: &'s Scoping,
    symbols: Vec<Node>,
    exports_node: Node,
    module_node: Node,
    frames: Vec<Frame>,
    /// Super classes of the classes around.
    classes: Vec<Node>,
    /// Objects of the `with` statements around.
    withs: Vec<Node>,
    /// Runs decoders, in files that have some.
    evaluator: Option<Evaluator<'s, 'a>>,
    /// Parts of a large file that no flow passes.
    left_out: &'s Set<Span>,
    /// Loaders of a bundler.
    bundles: bundle::Bundles,
    /// Counters of the loops around.
    counters: Vec<SymbolId>,
}

impl Lower<'_, '_, '_> {
    fn node(&mut self, at: impl GetSpan) -> Node {
        self.graph.node(self.file, at.span().start)
    }

    fn holding(&mut self, at: impl GetSpan, atom: Atom) -> Node {
        let node = self.node(at);
        self.graph.add(node, atom, NONE);
        node
    }

    /// Code that is evaluated here sees these.
    fn keep_variables(&mut self, text: &str) {
        if self.symbols.len() > VARIABLES || !scan::evaluates(text.as_bytes()) {
            return;
        }
        let scoping = self.scoping;
        for id in scoping.symbol_ids() {
            if let Some(&node) = self.symbols.get(id.index())
                && node != NONE
            {
                let name = self.graph.intern(scoping.symbol_name(id));
                let known = self.graph.variables.entry((self.file, name)).or_default();
                known.push(node);
            }
        }
    }

    /// A variable of the code that evaluates this file.
    fn outer_variable(&mut self, name: &str, at: impl GetSpan) -> Option<Node> {
        let &(outer, _) = self.graph.completions.get(&self.file)?;
        let name = self.graph.known(name)?;
        let nodes = self.graph.variables.get(&(outer, name))?.clone();
        let node = self.node(at);
        for from in nodes {
            self.graph.copy(from, node);
        }
        Some(node)
    }

    fn is_left_out(&self, span: Span) -> bool {
        !self.left_out.is_empty() && span.size() <= PART && self.left_out.contains(&span)
    }

    fn builtin(&mut self, at: impl GetSpan, path: &str) -> Node {
        let name = self.graph.intern(path);
        self.holding(at, Atom::Builtin(name))
    }

    fn union(&mut self, at: impl GetSpan, parts: &[Node]) -> Node {
        let mut known = parts.iter().copied().filter(|&part| part != NONE);
        match (known.next(), known.next()) {
            (None, _) => NONE,
            (Some(only), None) => only,
            _ => {
                let node = self.node(at);
                for &part in parts {
                    self.graph.copy(part, node);
                }
                node
            }
        }
    }

    fn member(&mut self, at: impl GetSpan, object: Node, key: Key) -> Node {
        if object == NONE {
            return NONE;
        }
        let out = self.node(at);
        self.graph.rule(Rule::Member { object, key, out });
        out
    }

    fn store(&mut self, object: Node, key: Key, value: Node) {
        if object != NONE && value != NONE {
            self.graph.rule(Rule::Store { object, key, value });
        }
    }

    fn name_key(&mut self, name: &str) -> Key {
        Key::Name(self.graph.intern(name))
    }

    fn symbol(&mut self, id: SymbolId, at: impl GetSpan) -> Node {
        let index = id.index();
        match self.symbols.get(index) {
            Some(&node) if node != NONE => node,
            _ => {
                let node = self.node(at);
                if let Some(slot) = self.symbols.get_mut(index) {
                    *slot = node;
                }
                node
            }
        }
    }

    fn binding(&mut self, identifier: &BindingIdentifier<'_>) -> Node {
        match identifier.symbol_id.get() {
            Some(id) => self.symbol(id, identifier.span),
            None => NONE,
        }
    }

    /// The variable a name refers to, if it is declared in this file.
    fn declared(&mut self, identifier: &IdentifierReference<'_>) -> Option<Node> {
        let reference = identifier.reference_id.get()?;
        let id = self.scoping.get_reference(reference).symbol_id()?;
        let span = self.scoping.symbol_span(id);
        Some(self.symbol(id, span))
    }

    fn identifier(&mut self, identifier: &IdentifierReference<'_>) -> Node {
        if let Some(node) = self.declared(identifier) {
            return node;
        }
        if let Some(node) = self.outer_variable(identifier.name.as_str(), identifier.span) {
            return node;
        }
        match identifier.name.as_str() {
            "undefined" | "NaN" | "Infinity" => NONE,
            "exports" => self.exports_node,
            "module" => self.module_node,
            "__dirname" => self.own(identifier.span, "dirname"),
            "__filename" => self.own(identifier.span, "filename"),
            "arguments" => self.arguments(identifier.span),
            name => {
                let path = match name {
                    "globalThis" | "global" | "window" | "self" => "global",
                    other => other,
                };
                let node = self.builtin(identifier.span, path);
                self.found_with(identifier, node);
                // Code may have put it there: `global.r = require`.
                let name = self.graph.intern(name);
                let field = self.graph.field(self.graph.globals, name);
                self.graph.copy(field, node);
                node
            }
        }
    }

    /// What CommonJS has a variable for, and modules a member of `import.meta`.
    fn own(&mut self, at: Span, member: &str) -> Node {
        let meta = self.builtin(at, "import.meta");
        let key = self.name_key(member);
        self.member(at, meta, key)
    }

    fn arguments(&mut self, at: Span) -> Node {
        let found = self.frames.iter().rposition(|frame| !frame.is_arrow);
        let Some(frame) = found.and_then(|index| self.frames.get(index)) else {
            return NONE;
        };
        let object = match frame.arguments {
            Some(object) => object,
            None => {
                let object = self.graph.object();
                if let Some(frame) = found.and_then(|index| self.frames.get_mut(index)) {
                    frame.arguments = Some(object);
                }
                object
            }
        };
        self.holding(at, Atom::Object(object))
    }

    fn this(&self) -> Node {
        self.frames.last().map_or(NONE, |frame| frame.this)
    }

    fn expressions<'a>(&mut self, list: impl IntoIterator<Item = &'a Expression<'a>>) -> Node {
        list.into_iter()
            .map(|expression| self.expression(expression))
            .last()
            .unwrap_or(NONE)
    }
}
