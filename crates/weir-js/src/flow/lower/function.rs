//! Functions and classes.

use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_span::GetSpan;
use smallvec::smallvec;
use weir_model::contents::SourceKind;

use super::literal::gives_this;
use super::{Frame, Lower};
use crate::flow::graph::{Atom, Function as Callable, Key, NONE, Name, Node, Parameters, Rule};
use crate::tables::secrets;

impl Lower<'_, '_, '_> {
    /// Makes a function and its frame. The body is lowered by `body` inside it.
    pub(super) fn callable(
        &mut self,
        at: Span,
        params: &FormalParameters<'_>,
        this: Option<Node>,
        is_arrow: bool,
        body: impl FnOnce(&mut Self, Node),
    ) -> (u32, Node) {
        let id = u32::try_from(self.graph.functions.len()).unwrap_or(u32::MAX);
        self.graph.functions.push(Callable::default());
        let this = match this {
            Some(this) => this,
            None if is_arrow => self.this(),
            None => self.node(at),
        };
        let result = self.node(at);
        let thrown = self.node(at);
        let mut parameters = Parameters::with_capacity(params.items.len());
        for parameter in &params.items {
            let node = self.node(parameter.pattern.span());
            parameters.push(node);
        }
        self.frames.push(Frame {
            this,
            result,
            arguments: None,
            is_arrow,
        });
        let region = self.graph.open_region(thrown, true);
        for (parameter, &node) in params.items.iter().zip(&parameters) {
            if let Some(initializer) = &parameter.initializer {
                let value = self.expression(initializer);
                self.graph.copy(value, node);
            }
            self.bind(&parameter.pattern, node);
            self.key_argument(&parameter.pattern, node);
        }
        let mut rest = None;
        if let Some(parameter) = &params.rest {
            let object = self.graph.object();
            rest = Some(object);
            let node = self.holding(parameter.span, Atom::Object(object));
            self.bind(&parameter.rest.argument, node);
        }
        body(self, result);
        self.graph.close_region(region);
        let frame = self.frames.pop().unwrap_or_default();
        if let Some(function) = self.graph.functions.get_mut(id as usize) {
            // A recursive use may have made its instance already.
            function.parameters = parameters;
            function.rest = rest;
            function.arguments = frame.arguments;
            // An arrow function is called on nothing, and has the `this` around.
            function.this = if is_arrow { NONE } else { this };
            function.result = result;
            function.thrown = thrown;
        }
        let node = self.holding(at, Atom::Function(id));
        (id, node)
    }

    /// Key material that callers hand over is a source where it comes in.
    fn key_argument(&mut self, pattern: &BindingPattern<'_>, node: Node) {
        if let BindingPattern::BindingIdentifier(name) = pattern
            && secrets::is_key_argument(name.name.as_str())
        {
            let source = self.graph.source(
                SourceKind::KeyArgument,
                name.name.as_str(),
                self.file,
                name.span.start,
            );
            self.graph.add(node, Atom::Taint(source), NONE);
        }
    }

    /// `fromSecretKey`, `fromMnemonic`: what such a function is given first is key material, whatever
    /// a minifier called it.
    pub(super) fn key_function(&mut self, name: Name, value: Node) {
        let name = self.graph.name(name);
        if !secrets::is_key_function(&name) {
            return;
        }
        let (file, offset) = self.graph.place(value);
        for atom in self.graph.held(value) {
            if let Atom::Function(function) = atom
                && let Some(&parameter) = self
                    .graph
                    .functions
                    .get(function as usize)
                    .and_then(|found| found.parameters.first())
            {
                let source = self
                    .graph
                    .source(SourceKind::KeyArgument, &name, file, offset);
                self.graph.add(parameter, Atom::Taint(source), NONE);
            }
        }
    }

    pub(super) fn arrow(&mut self, arrow: &ArrowFunctionExpression<'_>) -> Node {
        let (_, node) =
            self.callable(
                arrow.span,
                &arrow.params,
                None,
                true,
                |lower, result| match &arrow.body {
                    ArrowFunctionBody::FunctionBody(body) => lower.visit_function_body(body),
                    other => {
                        if let Some(expression) = other.as_expression() {
                            let value = lower.expression(expression);
                            lower.graph.copy(value, result);
                        }
                    }
                },
            );
        node
    }

    pub(super) fn function(&mut self, function: &Function<'_>) -> Node {
        self.function_with(function, None).1
    }

    pub(super) fn method(&mut self, function: &Function<'_>, this: Node) -> Node {
        self.function_with(function, Some(this)).1
    }

    pub(super) fn function_with(
        &mut self,
        function: &Function<'_>,
        this: Option<Node>,
    ) -> (u32, Node) {
        let (id, node) = match self.loader(function.span) {
            // How a bundler loads its modules is known, and no part of what they do.
            Some(node) => {
                let id = u32::try_from(self.graph.functions.len()).unwrap_or(u32::MAX);
                self.graph.functions.push(Callable::default());
                (id, node)
            }
            None => self.callable(function.span, &function.params, this, false, |lower, _| {
                if let Some(body) = &function.body {
                    lower.visit_function_body(body);
                }
            }),
        };
        if this.is_none()
            && gives_this(function)
            && let Some(made) = self.graph.functions.get_mut(id as usize)
        {
            made.gives_this = true;
        }
        if let Some(name) = &function.id {
            let binding = self.binding(name);
            self.graph.copy(node, binding);
        }
        (id, node)
    }

    pub(super) fn class(&mut self, class: &Class<'_>) -> Node {
        let heritage = class
            .heritage
            .as_ref()
            .map_or(NONE, |heritage| self.expression(&heritage.expression));
        let instance = self.graph.object();
        let this = self.holding(class.span, Atom::Object(instance));
        let statics = self.graph.object();
        let statics_node = self.holding(class.span, Atom::Object(statics));
        if heritage != NONE {
            let spread = self.graph.spread(instance);
            self.graph.rule(Rule::Inherit {
                class: heritage,
                out: spread,
            });
            let spread = self.graph.spread(statics);
            self.graph.copy(heritage, spread);
        }
        // The class is known under its name inside its own body.
        let id = u32::try_from(self.graph.functions.len()).unwrap_or(u32::MAX);
        let result = self.node(class.span);
        self.graph.functions.push(Callable {
            this,
            result,
            instance: Some(instance),
            statics: Some(statics),
            ..Callable::default()
        });
        let node = self.holding(class.span, Atom::Function(id));
        if let Some(name) = &class.id {
            let binding = self.binding(name);
            self.graph.copy(node, binding);
        }
        self.classes.push(heritage);
        let mut has_constructor = false;
        for element in &class.body.body {
            match element {
                ClassElement::MethodDefinition(method) => {
                    let key = self.key(&method.key);
                    let owner = if method.r#static { statics_node } else { this };
                    let (function, value) = self.function_with(&method.value, Some(owner));
                    if let Some(Key::Name(name)) = key {
                        self.key_function(name, value);
                    }
                    if method.kind == MethodDefinitionKind::Constructor {
                        has_constructor = true;
                        let made = self.graph.functions.get(function as usize).cloned();
                        if let (Some(made), Some(slot)) =
                            (made, self.graph.functions.get_mut(id as usize))
                        {
                            slot.parameters = made.parameters;
                            slot.rest = made.rest;
                            slot.arguments = made.arguments;
                            slot.thrown = made.thrown;
                        }
                        continue;
                    }
                    let value = self.accessed(
                        method.kind == MethodDefinitionKind::Get,
                        method.kind == MethodDefinitionKind::Set,
                        value,
                    );
                    let object = if method.r#static { statics } else { instance };
                    if method.kind == MethodDefinitionKind::Set
                        && let Some(Key::Name(name)) = key
                    {
                        let field = self.graph.field(object, name);
                        self.graph.copy(field, value);
                    } else {
                        self.put(object, key, value);
                    }
                }
                ClassElement::PropertyDefinition(property) => {
                    let key = self.key(&property.key);
                    let (owner, object) = if property.r#static {
                        (statics_node, statics)
                    } else {
                        (this, instance)
                    };
                    if let Some(value) = &property.value {
                        self.frames.push(Frame {
                            this: owner,
                            ..Frame::default()
                        });
                        let value = self.expression(value);
                        self.frames.pop();
                        self.put(object, key, value);
                    }
                }
                ClassElement::AccessorProperty(property) => {
                    let key = self.key(&property.key);
                    if let Some(value) = &property.value {
                        let value = self.expression(value);
                        self.put(instance, key, value);
                    }
                }
                ClassElement::StaticBlock(block) => {
                    self.frames.push(Frame {
                        this: statics_node,
                        ..Frame::default()
                    });
                    for statement in &block.body {
                        self.visit_statement(statement);
                    }
                    self.frames.pop();
                }
                ClassElement::TSIndexSignature(_) => {}
            }
        }
        self.classes.pop();
        if !has_constructor && heritage != NONE {
            // The implicit constructor hands its arguments on.
            let object = self.graph.object();
            if let Some(slot) = self.graph.functions.get_mut(id as usize) {
                slot.arguments = Some(object);
            }
            let all = self.holding(class.span, Atom::Object(object));
            self.emit(
                class.span,
                heritage,
                this,
                None,
                smallvec![(all, true)],
                false,
            );
        }
        node
    }
}
