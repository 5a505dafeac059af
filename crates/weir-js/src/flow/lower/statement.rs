//! Statements, imports and exports.

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;
use smallvec::smallvec;

use super::Lower;
use crate::flow::answers::RESPONSE;
use crate::flow::graph::{Atom, Key, NONE, Node, Rule};

/// Most calls of one block whose answers an error is taken to hold.
const CAUGHT: usize = 64;

impl Lower<'_, '_, '_> {
    pub(super) fn export(&mut self, name: &str, value: Node) {
        let key = self.name_key(name);
        self.store(self.exports_node, key, value);
    }

    /// `try { await get(address) } catch (error) { … error.response … }`: errors of clients hold the answer.
    fn caught(&mut self, handler: &CatchClause<'_>, tried: std::ops::Range<usize>) {
        let response = self.graph.known(RESPONSE).map(Key::Name);
        let inside = self.graph.rules.get(tried.end..).unwrap_or_default();
        let asks = inside
            .iter()
            .any(|rule| matches!(rule, Rule::Member { key, .. } if Some(*key) == response));
        let Some(parameter) = &handler.param else {
            return;
        };
        let takes_apart = matches!(parameter.pattern, BindingPattern::ObjectPattern(_));
        if !self.graph.follows_code || !(asks || takes_apart) {
            return;
        }
        let calls = self.graph.rules.get(tried).unwrap_or_default().iter();
        let answers: Vec<Node> = calls
            .filter_map(|rule| match rule {
                Rule::Call(call) => Some(call.out),
                _ => None,
            })
            .take(CAUGHT)
            .collect();
        let error = self.graph.object();
        let name = self.graph.intern(RESPONSE);
        let field = self.graph.field(error, name);
        for from in answers {
            self.graph.rule(Rule::Answered { from, out: field });
        }
        let value = self.holding(parameter.span, Atom::Object(error));
        self.bind(&parameter.pattern, value);
    }

    /// What a block may throw, given to the one that catches it.
    fn thrown_to(&mut self, handler: &CatchClause<'_>, errors: Node) {
        if let Some(parameter) = &handler.param {
            self.bind(&parameter.pattern, errors);
        }
    }

    /// What importing `specifier` gives.
    pub(super) fn import(&mut self, at: Span, specifier: &str) -> Node {
        let text = self.graph.constant(specifier);
        let callee = self.builtin(at, "import");
        self.emit(at, callee, NONE, None, smallvec![(text, false)], false)
    }
}

impl<'a> Visit<'a> for Lower<'_, '_, '_> {
    fn visit_expression(&mut self, it: &Expression<'a>) {
        self.expression(it);
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        // What is imported and exported costs little.
        if self.is_left_out(it.span()) && !it.is_module_declaration() {
            return;
        }
        walk::walk_statement(self, it);
        if matches!(
            it,
            Statement::ForStatement(_)
                | Statement::WhileStatement(_)
                | Statement::DoWhileStatement(_)
                | Statement::ForOfStatement(_)
        ) {
            self.after_loop(it);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if self.is_left_out(it.span) {
            return;
        }
        if let Some(init) = &it.init {
            let value = self.expression(init);
            self.table_in(&it.id, value);
            self.bind(&it.id, value);
        }
    }

    fn visit_expression_statement(&mut self, it: &ExpressionStatement<'a>) {
        let value = self.expression(&it.expression);
        if self.frames.len() == 1
            && let Some(&(_, result)) = self.graph.completions.get(&self.file)
        {
            self.graph.copy(value, result);
        }
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'a>) {
        let before = self.graph.rules.len();
        let region = it.handler.as_ref().map(|handler| {
            let errors = match &handler.param {
                Some(parameter) => self.node(parameter.span),
                None => NONE,
            };
            (errors, self.graph.open_region(errors, false))
        });
        self.visit_block_statement(&it.block);
        if let Some((_, region)) = region {
            self.graph.close_region(region);
        }
        let tried = before..self.graph.rules.len();
        if let Some((handler, (errors, _))) = it.handler.as_ref().zip(region) {
            self.thrown_to(handler, errors);
            self.visit_catch_clause(handler);
            self.caught(handler, tried);
        }
        if let Some(last) = &it.finalizer {
            self.visit_block_statement(last);
        }
    }

    fn visit_function(&mut self, it: &Function<'a>, _: ScopeFlags) {
        self.function(it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.class(it);
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        if let Some(argument) = &it.argument {
            let value = self.expression(argument);
            let result = self.frames.last().map_or(NONE, |frame| frame.result);
            self.graph.copy(value, result);
        }
    }

    fn visit_throw_statement(&mut self, it: &ThrowStatement<'a>) {
        let from = self.expression(&it.argument);
        let out = self.graph.errors_here();
        if from != NONE && out != NONE {
            self.graph.rule(Rule::Thrown { from, out });
        }
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'a>) {
        let counter = self.counter(it);
        self.counters.extend(counter);
        walk::walk_for_statement(self, it);
        if counter.is_some() {
            self.counters.pop();
        }
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        let from = self.expression(&it.right);
        if from != NONE {
            let out = self.node(it.right.span());
            self.graph.rule(Rule::Keys { from, out });
            self.bind_loop(&it.left, out);
        }
        self.visit_statement(&it.body);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        let from = self.expression(&it.right);
        if from != NONE {
            let out = self.node(it.right.span());
            self.graph.rule(Rule::Elements { from, out });
            self.bind_loop(&it.left, out);
        }
        self.visit_statement(&it.body);
    }

    fn visit_with_statement(&mut self, it: &WithStatement<'a>) {
        let object = self.expression(&it.object);
        self.withs.push(object);
        self.visit_statement(&it.body);
        self.withs.pop();
    }

    fn visit_ts_type(&mut self, _: &TSType<'a>) {}

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        self.namespace(it);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.enumeration(it);
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.import_equals(it);
    }

    fn visit_ts_export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        self.export_whole(it);
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        let module = self.import(it.span, it.source.value.as_str());
        for specifier in it.specifiers.iter().flatten() {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    let name = one.imported.name();
                    let key = self.name_key(name.as_str());
                    let value = self.member(one.span, module, key);
                    let binding = self.binding(&one.local);
                    self.graph.copy(value, binding);
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                    let key = self.name_key("default");
                    let value = self.member(one.span, module, key);
                    let binding = self.binding(&one.local);
                    self.graph.copy(value, binding);
                    // The default of a CommonJS module is all of it.
                    self.graph.copy(module, binding);
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => {
                    let binding = self.binding(&one.local);
                    self.graph.copy(module, binding);
                }
            }
        }
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        let module = self.import(it.span, it.source.value.as_str());
        if let Some(exported) = &it.exported {
            let name = exported.name();
            self.export(name.as_str(), module);
        } else {
            for atom in self.graph.held(self.exports_node) {
                if let Atom::Object(object) = atom {
                    let spread = self.graph.spread(object);
                    self.graph.copy(module, spread);
                }
            }
        }
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        let module = self.import(it.span, it.source.value.as_str());
        for specifier in &it.specifiers {
            let local = specifier.local.name();
            let key = self.name_key(local.as_str());
            let value = self.member(specifier.span, module, key);
            let exported = specifier.exported.name();
            self.export(exported.as_str(), value);
        }
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        for specifier in &it.specifiers {
            let value = match &specifier.local {
                ModuleExportName::IdentifierReference(name) => self.identifier(name),
                _ => NONE,
            };
            let exported = specifier.exported.name();
            self.export(exported.as_str(), value);
        }
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        walk::walk_export_declaration(self, it);
        match &it.declaration {
            Declaration::FunctionDeclaration(function) => {
                if let Some(id) = &function.id {
                    let value = self.binding(id);
                    self.export(id.name.as_str(), value);
                }
            }
            Declaration::ClassDeclaration(class) => {
                if let Some(id) = &class.id {
                    let value = self.binding(id);
                    self.export(id.name.as_str(), value);
                }
            }
            Declaration::VariableDeclaration(variables) => {
                for declarator in &variables.declarations {
                    for id in declarator.id.get_binding_identifiers() {
                        let value = self.binding(id);
                        self.export(id.name.as_str(), value);
                    }
                }
            }
            other => {
                let id = match other {
                    Declaration::TSNamespaceDeclaration(namespace) => &namespace.id,
                    Declaration::TSEnumDeclaration(enumeration) => &enumeration.id,
                    Declaration::TSImportEqualsDeclaration(import) => &import.id,
                    _ => return,
                };
                let value = self.binding(id);
                self.export(id.name.as_str(), value);
            }
        }
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        let value = match &it.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => self.function(function),
            ExportDefaultDeclarationKind::ClassDeclaration(class) => self.class(class),
            other => other
                .as_expression()
                .map_or(NONE, |inner| self.expression(inner)),
        };
        self.export("default", value);
    }
}
