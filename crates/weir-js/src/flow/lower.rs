//! From syntax trees to values and rules.

use std::collections::HashSet;

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::GetSpan;
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, LogicalOperator};
use oxc_syntax::scope::ScopeFlags;
use oxc_syntax::symbol::SymbolId;

use crate::fold::{Evaluator, Value};
use crate::slice::PART;

use super::graph::{Atom, Call, Function as Callable, Graph, Key, NONE, Node, Rule};

/// Longest loop that is tried as a decoder, in bytes.
const LOOP_BYTES: u32 = 4_096;
/// Most variables of a file that code it evaluates may see.
const VARIABLES: usize = 20_000;
/// Longest computed array whose elements are kept apart.
const ELEMENTS: usize = 4_096;

/// Lowers one file. `scoping` and `evaluator` must be those of `program`.
pub(crate) fn lower<'s>(
    graph: &mut Graph,
    file: u32,
    program: &Program<'_>,
    scoping: &'s Scoping,
    evaluator: Option<Evaluator<'s, '_>>,
    left_out: HashSet<Span>,
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
    let mut lower = Lower {
        graph,
        file,
        scoping,
        symbols: vec![NONE; scoping.symbols_len()],
        exports_node,
        module_node,
        frames: vec![Frame {
            this: exports_node,
            ..Frame::default()
        }],
        classes: Vec::new(),
        evaluator,
        left_out,
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
    /// Runs decoders, in files that have some.
    evaluator: Option<Evaluator<'s, 'a>>,
    /// Parts of a large file that no flow passes.
    left_out: HashSet<Span>,
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
        let evaluates = ["eval", "_compile", "CharCode", "atob", "Buffer.from"]
            .iter()
            .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some());
        if !evaluates || self.symbols.len() > VARIABLES {
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
            "__dirname" => self.graph.constant("."),
            "__filename" => self.graph.constant("./__filename"),
            "arguments" => self.arguments(identifier.span),
            name => {
                let path = match name {
                    "globalThis" | "global" | "window" | "self" => "global",
                    other => other,
                };
                let node = self.builtin(identifier.span, path);
                // Code may have put it there: `global.r = require`.
                let name = self.graph.intern(name);
                let field = self.graph.field(self.graph.globals, name);
                self.graph.copy(field, node);
                node
            }
        }
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

    /// Lowers an expression and gives the node of its value.
    fn expression(&mut self, it: &Expression<'_>) -> Node {
        if self.is_left_out(it.span()) {
            return NONE;
        }
        match it {
            Expression::StringLiteral(text) => self.graph.constant(text.value.as_str()),
            Expression::NumericLiteral(number) => self.number(number.value),
            Expression::TemplateLiteral(template) => self.template(template),
            Expression::Identifier(identifier) => self.identifier(identifier),
            Expression::ThisExpression(_) => self.this(),
            Expression::Super(_) => self.classes.last().copied().unwrap_or(NONE),
            Expression::ArrayExpression(array) => self.array(array),
            Expression::ObjectExpression(object) => self.object(object),
            Expression::ArrowFunctionExpression(arrow) => self.arrow(arrow),
            Expression::FunctionExpression(function) => self.function(function),
            Expression::ClassExpression(class) => self.class(class),
            Expression::AssignmentExpression(assignment) => self.assignment(assignment),
            Expression::AwaitExpression(inner) => self.expression(&inner.argument),
            Expression::BinaryExpression(binary) => self.binary(binary),
            Expression::LogicalExpression(logical) => {
                let left = self.expression(&logical.left);
                let right = self.expression(&logical.right);
                // The left of `&&` comes out only when it is falsy, and then holds nothing.
                match logical.operator {
                    LogicalOperator::And => right,
                    _ => self.union(logical.span, &[left, right]),
                }
            }
            Expression::ConditionalExpression(conditional) => {
                self.expression(&conditional.test);
                let consequent = self.expression(&conditional.consequent);
                let alternate = self.expression(&conditional.alternate);
                self.union(conditional.span, &[consequent, alternate])
            }
            Expression::SequenceExpression(sequence) => self.expressions(&sequence.expressions),
            Expression::ParenthesizedExpression(inner) => self.expression(&inner.expression),
            Expression::CallExpression(call) => self.call(call),
            Expression::NewExpression(new) => {
                let callee = self.expression(&new.callee);
                let arguments = self.arguments_of(&new.arguments);
                self.emit(new.span, callee, NONE, None, arguments, true)
            }
            Expression::ImportExpression(import) => {
                let source = self.expression(&import.source);
                let callee = self.builtin(import.span, "import");
                self.emit(
                    import.span,
                    callee,
                    NONE,
                    None,
                    vec![(source, false)],
                    false,
                )
            }
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => self.call(call),
                ChainElement::TSNonNullExpression(inner) => self.expression(&inner.expression),
                ChainElement::ComputedMemberExpression(member) => self.computed(member),
                ChainElement::StaticMemberExpression(member) => self.static_member(member),
                ChainElement::PrivateFieldExpression(member) => self.private(member),
            },
            Expression::ComputedMemberExpression(member) => self.computed(member),
            Expression::StaticMemberExpression(member) => self.static_member(member),
            Expression::PrivateFieldExpression(member) => self.private(member),
            Expression::TaggedTemplateExpression(tagged) => {
                let (callee, receiver, method) = self.callee(&tagged.tag);
                let text = self.template(&tagged.quasi);
                self.emit(
                    tagged.span,
                    callee,
                    receiver,
                    method,
                    vec![(text, false)],
                    false,
                )
            }
            Expression::UnaryExpression(unary) => {
                self.expression(&unary.argument);
                NONE
            }
            Expression::YieldExpression(inner) => match &inner.argument {
                Some(argument) => {
                    let value = self.expression(argument);
                    let result = self.frames.last().map_or(NONE, |frame| frame.result);
                    self.graph.copy(value, result);
                    value
                }
                None => NONE,
            },
            Expression::PrivateInExpression(inner) => {
                self.expression(&inner.right);
                NONE
            }
            Expression::TSAsExpression(inner) => self.expression(&inner.expression),
            Expression::TSSatisfiesExpression(inner) => self.expression(&inner.expression),
            Expression::TSTypeAssertion(inner) => self.expression(&inner.expression),
            Expression::TSNonNullExpression(inner) => self.expression(&inner.expression),
            Expression::TSInstantiationExpression(inner) => self.expression(&inner.expression),
            Expression::ImportMeta(meta) => self.builtin(meta.span, "import.meta"),
            Expression::JSXElement(_) | Expression::JSXFragment(_) => {
                walk::walk_expression(self, it);
                NONE
            }
            _ => NONE,
        }
    }

    /// Whole numbers are kept as text: they are indexes and character codes.
    fn number(&mut self, value: f64) -> Node {
        if value.fract() == 0.0 && (0.0..1_200_000.0).contains(&value) {
            self.graph.constant(&format!("{value}"))
        } else {
            NONE
        }
    }

    fn template(&mut self, template: &TemplateLiteral<'_>) -> Node {
        let mut parts = Vec::new();
        for (index, quasi) in template.quasis.iter().enumerate() {
            if let Some(text) = &quasi.value.cooked
                && !text.is_empty()
            {
                parts.push(self.graph.constant(text.as_str()));
            }
            if let Some(inner) = template.expressions.get(index) {
                parts.push(self.expression(inner));
            }
        }
        match parts.as_slice() {
            [] => self.graph.constant(""),
            [only] if template.expressions.is_empty() => *only,
            _ => self.concat(template.span, parts),
        }
    }

    fn concat(&mut self, at: Span, parts: Vec<Node>) -> Node {
        if parts.iter().all(|&part| part == NONE) {
            return NONE;
        }
        let out = self.node(at);
        self.graph.rule(Rule::Concat {
            parts: parts.into(),
            out,
        });
        out
    }

    /// `+` chains lean left and can be long: they are flattened without recursion.
    fn binary(&mut self, binary: &BinaryExpression<'_>) -> Node {
        if binary.operator != BinaryOperator::Addition {
            let left = self.expression(&binary.left);
            let right = self.expression(&binary.right);
            // Arithmetic on secrets is how decoders work; comparisons tell nothing.
            return match binary.operator {
                BinaryOperator::BitwiseXOR | BinaryOperator::BitwiseOR => {
                    let out = self.node(binary.span);
                    for from in [left, right] {
                        if from != NONE {
                            self.graph.rule(Rule::Content { from, out });
                        }
                    }
                    out
                }
                _ => NONE,
            };
        }
        let mut parts = vec![&binary.right];
        let mut left = &binary.left;
        while let Expression::BinaryExpression(inner) = left
            && inner.operator == BinaryOperator::Addition
        {
            parts.push(&inner.right);
            left = &inner.left;
        }
        parts.push(left);
        let nodes = parts
            .iter()
            .rev()
            .map(|part| self.expression(part))
            .collect();
        self.concat(binary.span, nodes)
    }

    fn array(&mut self, array: &ArrayExpression<'_>) -> Node {
        let object = self.graph.object();
        let mut elements = Vec::with_capacity(array.elements.len());
        for element in &array.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let from = self.expression(&spread.argument);
                    let any = self.graph.any(object);
                    if from != NONE {
                        self.graph.rule(Rule::Elements { from, out: any });
                    }
                    elements.push(NONE);
                }
                ArrayExpressionElement::Elision(_) => elements.push(NONE),
                other => {
                    let value = other
                        .as_expression()
                        .map_or(NONE, |inner| self.expression(inner));
                    elements.push(value);
                }
            }
        }
        self.graph.set_elements(object, elements);
        self.holding(array.span, Atom::Object(object))
    }

    fn key(&mut self, key: &PropertyKey<'_>) -> Option<Key> {
        match key {
            PropertyKey::StaticIdentifier(name) => Some(self.name_key(name.name.as_str())),
            PropertyKey::PrivateIdentifier(name) => {
                let name = format!("#{}", name.name);
                Some(self.name_key(&name))
            }
            PropertyKey::StringLiteral(text) => Some(self.name_key(text.value.as_str())),
            other => {
                let node = other
                    .as_expression()
                    .map_or(NONE, |inner| self.expression(inner));
                Some(Key::Node(node))
            }
        }
    }

    fn object(&mut self, literal: &ObjectExpression<'_>) -> Node {
        let object = self.graph.object();
        let node = self.holding(literal.span, Atom::Object(object));
        for property in &literal.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.expression(&spread.argument);
                    let spread = self.graph.spread(object);
                    self.graph.copy(value, spread);
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    let key = self.key(&property.key);
                    let value = if property.method || property.kind != PropertyKind::Init {
                        match &property.value {
                            Expression::FunctionExpression(function) => self.method(function, node),
                            other => self.expression(other),
                        }
                    } else {
                        self.expression(&property.value)
                    };
                    let value = self.accessed(
                        property.kind == PropertyKind::Get,
                        property.kind == PropertyKind::Set,
                        value,
                    );
                    self.put(object, key, value);
                }
            }
        }
        node
    }

    /// What reading a property gives: the function, or for a getter its result. A setter gives its
    /// parameter, so that what is written arrives there.
    fn accessed(&mut self, is_getter: bool, is_setter: bool, value: Node) -> Node {
        if !is_getter && !is_setter {
            return value;
        }
        for atom in self.graph.held(value) {
            if let Atom::Function(id) = atom
                && let Some(function) = self.graph.functions.get(id as usize)
            {
                return if is_getter {
                    function.result
                } else {
                    function.parameters.first().copied().unwrap_or(NONE)
                };
            }
        }
        value
    }

    fn put(&mut self, object: u32, key: Option<Key>, value: Node) {
        if value == NONE {
            return;
        }
        match key {
            Some(Key::Name(name)) => {
                let field = self.graph.field(object, name);
                self.graph.copy(value, field);
            }
            Some(key @ Key::Node(node)) if node != NONE => {
                let holder = self.graph.node(self.file, 0);
                self.graph.add(holder, Atom::Object(object), NONE);
                self.store(holder, key, value);
            }
            _ => {
                let any = self.graph.any(object);
                self.graph.copy(value, any);
            }
        }
    }

    fn static_member(&mut self, member: &StaticMemberExpression<'_>) -> Node {
        let object = self.expression(&member.object);
        let key = self.name_key(member.property.name.as_str());
        self.member(member.span, object, key)
    }

    fn computed(&mut self, member: &ComputedMemberExpression<'_>) -> Node {
        let object = self.expression(&member.object);
        let key = self.expression(&member.expression);
        self.member(member.span, object, Key::Node(key))
    }

    fn private(&mut self, member: &PrivateFieldExpression<'_>) -> Node {
        let object = self.expression(&member.object);
        let name = format!("#{}", member.field.name);
        let key = self.name_key(&name);
        self.member(member.span, object, key)
    }

    /// Callee, receiver and method of a call.
    fn callee(&mut self, callee: &Expression<'_>) -> (Node, Node, Option<Key>) {
        match callee {
            Expression::StaticMemberExpression(member) => {
                let key = self.name_key(member.property.name.as_str());
                let receiver = self.receiver(&member.object);
                let callee = self.member(member.span, receiver, key);
                (callee, receiver, Some(key))
            }
            Expression::ComputedMemberExpression(member) => {
                let receiver = self.receiver(&member.object);
                let key = Key::Node(self.expression(&member.expression));
                let callee = self.member(member.span, receiver, key);
                (callee, receiver, Some(key))
            }
            Expression::PrivateFieldExpression(member) => {
                let receiver = self.expression(&member.object);
                let name = format!("#{}", member.field.name);
                let key = self.name_key(&name);
                let callee = self.member(member.span, receiver, key);
                (callee, receiver, Some(key))
            }
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::StaticMemberExpression(member) => {
                    let key = self.name_key(member.property.name.as_str());
                    let receiver = self.expression(&member.object);
                    let callee = self.member(member.span, receiver, key);
                    (callee, receiver, Some(key))
                }
                _ => (self.expression(callee), NONE, None),
            },
            // `(0, a.b)(c)`
            Expression::SequenceExpression(sequence) => {
                let mut last = (NONE, NONE, None);
                for expression in &sequence.expressions {
                    last = self.callee(expression);
                }
                last
            }
            Expression::Super(_) => {
                let callee = self.classes.last().copied().unwrap_or(NONE);
                (callee, self.this(), None)
            }
            other => (self.expression(other), NONE, None),
        }
    }

    /// What a method is called on. `super.x()` finds `x` on the instance and runs on `this`.
    fn receiver(&mut self, object: &Expression<'_>) -> Node {
        match object {
            Expression::Super(_) => self.this(),
            other => self.expression(other),
        }
    }

    fn arguments_of(&mut self, arguments: &[Argument<'_>]) -> Vec<(Node, bool)> {
        arguments
            .iter()
            .map(|argument| match argument {
                Argument::SpreadElement(spread) => (self.expression(&spread.argument), true),
                other => {
                    let node = other
                        .as_expression()
                        .map_or(NONE, |inner| self.expression(inner));
                    (node, false)
                }
            })
            .collect()
    }

    fn call(&mut self, call: &CallExpression<'_>) -> Node {
        if let Some(evaluator) = &mut self.evaluator
            && let Some(value) = evaluator.call(call)
            && let Some(node) = self.value(call.span, &value, 0)
        {
            return node;
        }
        let (callee, receiver, method) = self.callee(&call.callee);
        let arguments = self.arguments_of(&call.arguments);
        // The name of a method says more of where a call is than the start of its chain.
        let at = match &call.callee {
            Expression::StaticMemberExpression(member) => member.property.span,
            _ => call.span,
        };
        self.emit(at, callee, receiver, method, arguments, false)
    }

    /// The node of a value that was computed; `None` for one that the graph has no use for.
    fn value(&mut self, at: Span, value: &Value, depth: u8) -> Option<Node> {
        match value {
            Value::Text(_) | Value::Number(_) => Some(self.graph.constant(&value.to_plain()?)),
            Value::Bytes(bytes) => {
                Some(std::str::from_utf8(bytes).map_or(NONE, |text| self.graph.constant(text)))
            }
            Value::Array(values) if depth < 2 => {
                let values = values.borrow();
                if values.len() > ELEMENTS {
                    return None;
                }
                let elements = values
                    .iter()
                    .map(|value| self.value(at, value, depth + 1).unwrap_or(NONE))
                    .collect();
                let object = self.graph.object();
                self.graph.set_elements(object, elements);
                Some(self.holding(at, Atom::Object(object)))
            }
            Value::Boolean(_) => Some(NONE),
            _ => None,
        }
    }

    /// What a loop that computes with constants leaves in the variables it writes.
    fn after_loop(&mut self, statement: &Statement<'_>) {
        if statement.span().size() > LOOP_BYTES {
            return;
        }
        let Some(evaluator) = &mut self.evaluator else {
            return;
        };
        for (symbol, value) in evaluator.after_loop(statement) {
            if matches!(value, Value::Text(_) | Value::Array(_))
                && let Some(node) = self.value(statement.span(), &value, 0)
            {
                let span = self.scoping.symbol_span(symbol);
                let variable = self.symbol(symbol, span);
                self.graph.copy(node, variable);
            }
        }
    }

    fn emit(
        &mut self,
        at: Span,
        callee: Node,
        receiver: Node,
        method: Option<Key>,
        arguments: Vec<(Node, bool)>,
        is_new: bool,
    ) -> Node {
        let out = self.node(at);
        self.graph.rule(Rule::Call(std::rc::Rc::new(Call {
            callee,
            receiver,
            method,
            arguments,
            out,
            is_new,
            file: self.file,
            offset: at.start,
        })));
        out
    }

    /// Makes a function and its frame. The body is lowered by `body` inside it.
    fn callable(
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
        let mut parameters = Vec::with_capacity(params.items.len());
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
        for (parameter, &node) in params.items.iter().zip(&parameters) {
            if let Some(initializer) = &parameter.initializer {
                let value = self.expression(initializer);
                self.graph.copy(value, node);
            }
            self.bind(&parameter.pattern, node);
        }
        let mut rest = None;
        if let Some(parameter) = &params.rest {
            let object = self.graph.object();
            rest = Some(object);
            let node = self.holding(parameter.span, Atom::Object(object));
            self.bind(&parameter.rest.argument, node);
        }
        body(self, result);
        let frame = self.frames.pop().unwrap_or_default();
        if let Some(function) = self.graph.functions.get_mut(id as usize) {
            // A recursive use may have made its instance already.
            function.parameters = parameters;
            function.rest = rest;
            function.arguments = frame.arguments;
            function.this = this;
            function.result = result;
        }
        let node = self.holding(at, Atom::Function(id));
        (id, node)
    }

    fn arrow(&mut self, arrow: &ArrowFunctionExpression<'_>) -> Node {
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

    fn function(&mut self, function: &Function<'_>) -> Node {
        self.function_with(function, None).1
    }

    fn method(&mut self, function: &Function<'_>, this: Node) -> Node {
        self.function_with(function, Some(this)).1
    }

    fn function_with(&mut self, function: &Function<'_>, this: Option<Node>) -> (u32, Node) {
        let (id, node) = self.callable(function.span, &function.params, this, false, |lower, _| {
            if let Some(body) = &function.body {
                lower.visit_function_body(body);
            }
        });
        if let Some(name) = &function.id {
            let binding = self.binding(name);
            self.graph.copy(node, binding);
        }
        (id, node)
    }

    fn class(&mut self, class: &Class<'_>) -> Node {
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
                    if method.kind == MethodDefinitionKind::Constructor {
                        has_constructor = true;
                        let made = self.graph.functions.get(function as usize).cloned();
                        if let (Some(made), Some(slot)) =
                            (made, self.graph.functions.get_mut(id as usize))
                        {
                            slot.parameters = made.parameters;
                            slot.rest = made.rest;
                            slot.arguments = made.arguments;
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
            self.emit(class.span, heritage, this, None, vec![(all, true)], false);
        }
        node
    }

    fn assignment(&mut self, assignment: &AssignmentExpression<'_>) -> Node {
        let right = self.expression(&assignment.right);
        let value = match assignment.operator {
            AssignmentOperator::Assign
            | AssignmentOperator::LogicalAnd
            | AssignmentOperator::LogicalOr
            | AssignmentOperator::LogicalNullish => right,
            AssignmentOperator::Addition | AssignmentOperator::BitwiseXOR => {
                let left = assignment
                    .left
                    .as_simple_assignment_target()
                    .map_or(NONE, |target| self.read_target(target));
                self.concat(assignment.span, vec![left, right])
            }
            _ => NONE,
        };
        self.assign(&assignment.left, value);
        value
    }

    fn read_target(&mut self, target: &SimpleAssignmentTarget<'_>) -> Node {
        match target {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => self.identifier(name),
            SimpleAssignmentTarget::StaticMemberExpression(member) => self.static_member(member),
            SimpleAssignmentTarget::ComputedMemberExpression(member) => self.computed(member),
            SimpleAssignmentTarget::PrivateFieldExpression(member) => self.private(member),
            _ => NONE,
        }
    }

    fn assign(&mut self, target: &AssignmentTarget<'_>, value: Node) {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(name) => self.assign_name(name, value),
            AssignmentTarget::StaticMemberExpression(member) => {
                let object = self.expression(&member.object);
                let key = self.name_key(member.property.name.as_str());
                self.store(object, key, value);
            }
            AssignmentTarget::ComputedMemberExpression(member) => {
                let object = self.expression(&member.object);
                let key = Key::Node(self.expression(&member.expression));
                self.store(object, key, value);
            }
            AssignmentTarget::PrivateFieldExpression(member) => {
                let object = self.expression(&member.object);
                let name = format!("#{}", member.field.name);
                let key = self.name_key(&name);
                self.store(object, key, value);
            }
            AssignmentTarget::ArrayAssignmentTarget(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let key = self.name_key(&index.to_string());
                        let part = self.member(array.span, value, key);
                        self.assign_maybe(element, part);
                    }
                }
                if let Some(rest) = &array.rest {
                    self.assign(&rest.target, value);
                }
            }
            AssignmentTarget::ObjectAssignmentTarget(object) => {
                for property in &object.properties {
                    match property {
                        AssignmentTargetProperty::AssignmentTargetPropertyIdentifier(property) => {
                            let key = self.name_key(property.binding.name.as_str());
                            let part = self.member(property.span, value, key);
                            self.assign_name(&property.binding, part);
                            if let Some(init) = &property.init {
                                let init = self.expression(init);
                                self.assign_name(&property.binding, init);
                            }
                        }
                        AssignmentTargetProperty::AssignmentTargetPropertyProperty(property) => {
                            if let Some(key) = self.key(&property.name) {
                                let part = self.member(property.span, value, key);
                                self.assign_maybe(&property.binding, part);
                            }
                        }
                    }
                }
                if let Some(rest) = &object.rest {
                    self.assign(&rest.target, value);
                }
            }
            _ => {}
        }
    }

    fn assign_maybe(&mut self, target: &AssignmentTargetMaybeDefault<'_>, value: Node) {
        match target {
            AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(inner) => {
                let init = self.expression(&inner.init);
                let value = self.union(inner.span, &[value, init]);
                self.assign(&inner.binding, value);
            }
            other => {
                if let Some(target) = other.as_assignment_target() {
                    self.assign(target, value);
                }
            }
        }
    }

    fn assign_name(&mut self, name: &IdentifierReference<'_>, value: Node) {
        if value == NONE {
            return;
        }
        match self.declared(name) {
            Some(node) => self.graph.copy(value, node),
            None if name.name == "exports" => {}
            None => {
                let field = self.graph.intern(name.name.as_str());
                let field = self.graph.field(self.graph.globals, field);
                self.graph.copy(value, field);
            }
        }
    }

    fn bind(&mut self, pattern: &BindingPattern<'_>, value: Node) {
        match pattern {
            BindingPattern::BindingIdentifier(name) => {
                let node = self.binding(name);
                self.graph.copy(value, node);
            }
            BindingPattern::AssignmentPattern(inner) => {
                let init = self.expression(&inner.right);
                let value = self.union(inner.span, &[value, init]);
                self.bind(&inner.left, value);
            }
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    if let Some(key) = self.key(&property.key) {
                        let part = self.member(property.span, value, key);
                        self.bind(&property.value, part);
                    }
                }
                if let Some(rest) = &object.rest {
                    self.bind(&rest.argument, value);
                }
            }
            BindingPattern::ArrayPattern(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let key = self.name_key(&index.to_string());
                        let part = self.member(element.span(), value, key);
                        self.bind(element, part);
                    }
                }
                if let Some(rest) = &array.rest {
                    self.bind(&rest.argument, value);
                }
            }
        }
    }

    /// The left side of `for (x in y)` and `for (x of y)`.
    fn bind_loop(&mut self, left: &ForStatementLeft<'_>, value: Node) {
        match left {
            ForStatementLeft::VariableDeclaration(declaration) => {
                for declarator in &declaration.declarations {
                    self.bind(&declarator.id, value);
                }
            }
            other => {
                if let Some(target) = other.as_assignment_target() {
                    self.assign(target, value);
                }
            }
        }
    }

    fn export(&mut self, name: &str, value: Node) {
        let key = self.name_key(name);
        self.store(self.exports_node, key, value);
    }

    /// What importing `specifier` gives.
    fn import(&mut self, at: Span, specifier: &str) -> Node {
        let text = self.graph.constant(specifier);
        let callee = self.builtin(at, "import");
        self.emit(at, callee, NONE, None, vec![(text, false)], false)
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

    fn visit_ts_type(&mut self, _: &TSType<'a>) {}

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
            _ => {}
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
