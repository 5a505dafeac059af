//! Modules that a bundler put into one file: webpack's table of functions and esbuild's wrappers.
//!
//! Both call every module through one small function. Followed like any other function it would mix
//! all modules with all others, so it is recognised and left out: a module is a function that is
//! given its own `module`, `exports` and loader, and loading it by its name gives its exports.

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_syntax::symbol::SymbolId;

use super::Lower;
use crate::flow::graph::{Atom, Function as Callable, Graph, NONE, Node};
use crate::hash::Map;

/// Longest loader of a bundler, in bytes; those of webpack and esbuild have 150 to 900.
const LOADER: u32 = 1_200;

/// The loader of modules that webpack put into files of their own, to be loaded later. They share it with
/// those of every bundle of the package.
pub(crate) const CHUNK: &str = "webpack:chunk";

/// What a file's bundler left in it.
#[derive(Default)]
pub(super) struct Bundles {
    /// webpack's loaders, by the offset where each function begins: the number of its table.
    loaders: Map<u32, usize>,
    /// Variables and parameters that hold webpack's tables.
    tables: Map<SymbolId, usize>,
    /// esbuild's wrapper functions.
    wrappers: Vec<SymbolId>,
    /// Tables that are arguments of a function that is called where it stands: offset of that
    /// function, position, table.
    arguments: Vec<(u32, usize, usize)>,
    /// It may be one of webpack's later files.
    is_chunk: bool,
}

impl Bundles {
    /// Looks through a program for them. Cheap for files that have none.
    pub(super) fn of(program: &Program<'_>, scoping: &Scoping) -> Self {
        let mut found = Self {
            is_chunk: makes_chunk(program.source_text),
            ..Self::default()
        };
        if !makes_modules(program.source_text) {
            return found;
        }
        let mut search = Search {
            found: &mut found,
            scoping,
            text: program.source_text,
        };
        search.visit_program(program);
        if !found.tables.is_empty() {
            let mut search = Tables { found: &mut found };
            search.visit_program(program);
        }
        found
    }
}

/// Whether a text makes an empty module, as the loaders of bundlers do.
fn makes_modules(text: &str) -> bool {
    ["exports:{}", "exports: {}"]
        .iter()
        .any(|part| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some())
}

/// Whether a text hands a table of modules over, as webpack's later files do.
fn makes_chunk(text: &str) -> bool {
    ["exports.modules=", "exports.modules ="]
        .iter()
        .any(|part| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some())
}

/// Finds loaders and wrappers.
struct Search<'f, 's> {
    found: &'f mut Bundles,
    scoping: &'s Scoping,
    text: &'s str,
}

impl Search<'_, '_> {
    fn is_loader(&self, at: Span) -> bool {
        at.size() <= LOADER
            && self
                .text
                .get(at.start as usize..at.end as usize)
                .is_some_and(makes_modules)
    }
}

impl<'a> Visit<'a> for Search<'_, '_> {
    fn visit_function(&mut self, it: &Function<'a>, flags: oxc_syntax::scope::ScopeFlags) {
        if it.params.items.len() == 1
            && self.is_loader(it.span)
            && let Some(BindingPattern::BindingIdentifier(name)) =
                it.params.items.first().map(|parameter| &parameter.pattern)
            && let Some(key) = name.symbol_id.get()
        {
            let mut lookup = Lookup {
                key,
                scoping: self.scoping,
                table: None,
            };
            if let Some(body) = &it.body {
                lookup.visit_function_body(body);
            }
            if let Some(table) = lookup.table {
                let next = self.found.tables.len();
                let number = *self.found.tables.entry(table).or_insert(next);
                self.found.loaders.insert(it.span.start, number);
                return;
            }
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        // `var c = (t, e) => () => (e || t((e = {exports: {}}).exports, e), e.exports)`
        if let Some(Expression::ArrowFunctionExpression(arrow)) = &it.init
            && arrow.params.items.len() == 2
            && self.is_loader(arrow.span)
            && let BindingPattern::BindingIdentifier(name) = &it.id
            && let Some(symbol) = name.symbol_id.get()
        {
            self.found.wrappers.push(symbol);
            return;
        }
        walk::walk_variable_declarator(self, it);
    }
}

/// Finds `table[key](...)` and `table[key].call(...)` in a loader.
struct Lookup<'s> {
    key: SymbolId,
    scoping: &'s Scoping,
    table: Option<SymbolId>,
}

impl Lookup<'_> {
    fn symbol(&self, it: &Expression<'_>) -> Option<SymbolId> {
        let Expression::Identifier(name) = it else {
            return None;
        };
        let reference = name.reference_id.get()?;
        self.scoping.get_reference(reference).symbol_id()
    }
}

impl<'a> Visit<'a> for Lookup<'_> {
    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        let callee = match &it.callee {
            Expression::StaticMemberExpression(member) if member.property.name == "call" => {
                &member.object
            }
            other => other,
        };
        if let Expression::ComputedMemberExpression(member) = callee
            && it.arguments.len() >= 3
            && self.symbol(&member.expression) == Some(self.key)
        {
            self.table = self.symbol(&member.object);
        }
        walk::walk_call_expression(self, it);
    }
}

/// Finds functions called where they stand, one of whose parameters is a table: webpack 4.
struct Tables<'f> {
    found: &'f mut Bundles,
}

impl<'a> Visit<'a> for Tables<'_> {
    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some((start, parameters)) = called_in_place(&it.callee) {
            for (at, parameter) in parameters.items.iter().enumerate() {
                if let BindingPattern::BindingIdentifier(name) = &parameter.pattern
                    && let Some(symbol) = name.symbol_id.get()
                    && let Some(&table) = self.found.tables.get(&symbol)
                {
                    self.found.arguments.push((start, at, table));
                }
            }
        }
        walk::walk_call_expression(self, it);
    }
}

fn called_in_place<'b, 'a>(callee: &'b Expression<'a>) -> Option<(u32, &'b FormalParameters<'a>)> {
    match callee {
        Expression::FunctionExpression(function) => Some((function.span.start, &function.params)),
        Expression::ArrowFunctionExpression(arrow) => Some((arrow.span.start, &arrow.params)),
        Expression::ParenthesizedExpression(inner) => called_in_place(&inner.expression),
        _ => None,
    }
}

impl Lower<'_, '_, '_> {
    fn loader_path(&self, table: usize) -> String {
        format!("webpack:{}:{table}", self.file)
    }

    /// The loader that a function is, in place of the function.
    pub(super) fn loader(&mut self, at: Span) -> Option<Node> {
        let table = *self.bundles.loaders.get(&at.start)?;
        let path = self.loader_path(table);
        Some(self.builtin(at, &path))
    }

    /// A variable gets its value: webpack's table is given its loader.
    pub(super) fn table_in(&mut self, pattern: &BindingPattern<'_>, value: Node) {
        if self.bundles.tables.is_empty() {
            return;
        }
        if let BindingPattern::BindingIdentifier(name) = pattern
            && let Some(symbol) = name.symbol_id.get()
            && let Some(&table) = self.bundles.tables.get(&symbol)
        {
            let path = self.loader_path(table);
            self.graph.wire_modules(&path, value);
        }
    }

    /// `exports.modules = {...}` of one of webpack's later files.
    pub(super) fn table_of_chunk(&mut self, target: &AssignmentTarget<'_>, value: Node) {
        if self.bundles.is_chunk
            && let AssignmentTarget::StaticMemberExpression(member) = target
            && member.property.name == "modules"
            && matches!(&member.object, Expression::Identifier(name) if name.name == "exports")
        {
            self.graph.wire_modules(CHUNK, value);
        }
    }

    /// The same where the table is an argument.
    pub(super) fn table_among(&mut self, call: &CallExpression<'_>, arguments: &[(Node, bool)]) {
        if self.bundles.arguments.is_empty() {
            return;
        }
        let Some((start, _)) = called_in_place(&call.callee) else {
            return;
        };
        let found: Vec<(usize, usize)> = self
            .bundles
            .arguments
            .iter()
            .filter(|(function, ..)| *function == start)
            .map(|&(_, at, table)| (at, table))
            .collect();
        for (at, table) in found {
            if let Some(&(value, _)) = arguments.get(at) {
                let path = self.loader_path(table);
                self.graph.wire_modules(&path, value);
            }
        }
    }

    /// `wrapper((exports, module) => {...})` of esbuild: a function that gives the module's exports.
    pub(super) fn wrapped(&mut self, call: &CallExpression<'_>) -> Option<Node> {
        let Expression::Identifier(name) = &call.callee else {
            return None;
        };
        if self.bundles.wrappers.is_empty() {
            return None;
        }
        let reference = name.reference_id.get()?;
        let symbol = self.scoping.get_reference(reference).symbol_id()?;
        if !self.bundles.wrappers.contains(&symbol) {
            return None;
        }
        let value = self.expression(call.arguments.first()?.as_expression()?);
        let mut functions = self.graph.functions_in(value);
        if functions.is_empty() {
            // `wrapper({"a.js"(exports, module) {...}})`
            let parts = self.graph.fields_of(value);
            functions.extend(
                parts
                    .iter()
                    .flat_map(|(_, node)| self.graph.functions_in(*node)),
            );
        }
        let &module_function = functions.first()?;
        let (module, exports) = self.graph.bundled_module();
        self.graph
            .give_parameters(module_function, &[exports, module], exports);
        let id = u32::try_from(self.graph.functions.len()).unwrap_or(u32::MAX);
        self.graph.functions.push(Callable {
            result: exports,
            ..Callable::default()
        });
        Some(self.holding(call.span, Atom::Function(id)))
    }
}

impl Graph {
    /// Functions that a node holds.
    fn functions_in(&self, node: Node) -> Vec<u32> {
        let function = |(atom, _): &(Atom, Node)| match atom {
            Atom::Function(function) => Some(*function),
            _ => None,
        };
        self.atoms(node).iter().filter_map(function).collect()
    }

    /// Named fields and elements of the objects in a node.
    fn fields_of(&self, node: Node) -> Vec<(String, Node)> {
        let mut fields = Vec::new();
        for (atom, _) in self.atoms(node) {
            let Atom::Object(object) = atom else {
                continue;
            };
            let Some(found) = self.objects.get(*object as usize) else {
                continue;
            };
            fields.extend(
                found
                    .fields
                    .iter()
                    .map(|(name, node)| (self.name(*name).to_string(), *node)),
            );
            let elements = found.elements.iter().flatten().enumerate();
            fields.extend(elements.map(|(at, node)| (at.to_string(), *node)));
        }
        fields.sort();
        fields
    }

    /// A `module` and its `exports`.
    fn bundled_module(&mut self) -> (Node, Node) {
        let object = self.object();
        let module = self.node(u32::MAX, 0);
        self.add(module, Atom::Object(object), NONE);
        let name = self.intern("exports");
        let exports = self.field(object, name);
        let inner = self.object();
        self.add(exports, Atom::Object(inner), NONE);
        (module, exports)
    }

    /// What a module of a table exports.
    pub(crate) fn bundled_exports(&mut self, loader: &str, key: &str) -> Node {
        let name = self.intern(&format!("{loader}/{key}"));
        if let Some(&(_, exports)) = self.bundled.get(&name) {
            return exports;
        }
        let made = self.bundled_module();
        self.bundled.insert(name, made);
        made.1
    }

    /// Gives every function of a table its own `module`, `exports` and loader.
    fn wire_modules(&mut self, loader: &str, table: Node) {
        let name = self.intern(loader);
        if !self.loaders.contains(&name) {
            self.loaders.push(name);
        }
        for (key, node) in self.fields_of(table) {
            for function in self.functions_in(node) {
                let exports = self.bundled_exports(loader, &key);
                let name = self.intern(&format!("{loader}/{key}"));
                let module = self.bundled.get(&name).map_or(NONE, |(module, _)| *module);
                let path = self.intern(loader);
                let loads = self.node(u32::MAX, 0);
                self.add(loads, Atom::Builtin(path), NONE);
                self.give_parameters(function, &[module, exports, loads], exports);
            }
        }
    }

    fn give_parameters(&mut self, function: u32, given: &[Node], this: Node) {
        let Some(found) = self.functions.get(function as usize).cloned() else {
            return;
        };
        for (&from, &parameter) in given.iter().zip(&found.parameters) {
            self.copy(from, parameter);
        }
        self.copy(this, found.this);
    }
}
