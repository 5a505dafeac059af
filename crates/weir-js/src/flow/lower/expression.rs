//! Expressions.

use oxc_ast::ast::*;
use oxc_ast_visit::walk;
use oxc_span::GetSpan;
use oxc_syntax::operator::{BinaryOperator, LogicalOperator};
use smallvec::smallvec;
use weir_model::contents::SourceKind;

use super::literal::{makes_functions, names_constructor, number_in_base};
use super::{ELEMENTS, LOOP_BYTES, Lower};
use crate::digits::Digits;
use crate::flow::graph::{Arguments, Atom, Call, Key, NONE, Node, Part, Rule, index};
use crate::fold::Value;
use crate::tables::secrets;

impl Lower<'_, '_, '_> {
    /// Lowers an expression and gives the node of its value.
    pub(super) fn expression(&mut self, it: &Expression<'_>) -> Node {
        if self.is_left_out(it.span()) {
            return NONE;
        }
        match it {
            Expression::StringLiteral(text) => self.literal(it.span(), text.value.as_str()),
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
                    smallvec![(source, false)],
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
            Expression::TaggedTemplateExpression(tagged) => self.tagged(tagged),
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

    /// A text as it is written. One with a run of characters that nobody sees holds something else.
    fn literal(&mut self, at: Span, text: &str) -> Node {
        let node = self.graph.constant(text);
        if !self.graph.follows_code || !crate::flow::text::is_hidden(text) {
            return node;
        }
        self.decoded(at, "invisible characters", node)
    }

    /// Whole numbers are kept as text: they are indexes and character codes.
    pub(super) fn number(&mut self, value: f64) -> Node {
        if value.fract() == 0.0 && (0.0..1_200_000.0).contains(&value) {
            self.graph.constant(&Digits::of(value))
        } else {
            NONE
        }
    }

    pub(super) fn template(&mut self, template: &TemplateLiteral<'_>) -> Node {
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

    pub(super) fn concat(&mut self, at: Span, parts: Vec<Node>) -> Node {
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
    pub(super) fn binary(&mut self, binary: &BinaryExpression<'_>) -> Node {
        if binary.operator != BinaryOperator::Addition {
            let left = self.expression(&binary.left);
            let right = self.expression(&binary.right);
            // Arithmetic on secrets is how decoders work; comparisons tell nothing.
            return match binary.operator {
                BinaryOperator::BitwiseXOR
                | BinaryOperator::BitwiseOR
                | BinaryOperator::Subtraction => {
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

    pub(super) fn array(&mut self, array: &ArrayExpression<'_>) -> Node {
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

    pub(super) fn key(&mut self, key: &PropertyKey<'_>) -> Option<Key> {
        match key {
            PropertyKey::StaticIdentifier(name) => Some(self.name_key(name.name.as_str())),
            PropertyKey::PrivateIdentifier(name) => {
                let name = format!("#{}", name.name);
                Some(self.name_key(&name))
            }
            PropertyKey::StringLiteral(text) => Some(self.name_key(text.value.as_str())),
            PropertyKey::NumericLiteral(number) => Some(self.name_key(&Digits::of(number.value))),
            other => {
                let node = other
                    .as_expression()
                    .map_or(NONE, |inner| self.expression(inner));
                Some(Key::Node(node))
            }
        }
    }

    pub(super) fn object(&mut self, literal: &ObjectExpression<'_>) -> Node {
        let object = self.graph.object();
        let node = self.holding(literal.span, Atom::Object(object));
        for property in &literal.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.expression(&spread.argument);
                    let spread = self.graph.spread(object);
                    self.graph.copy(value, spread);
                    self.graph.part(object, value, Part::Listed);
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
                    self.thenable(key, value, node);
                    self.put(object, key, value);
                }
            }
        }
        node
    }

    /// `{ then(resolve) { resolve(value) } }`: who waits for the object gets the value.
    fn thenable(&mut self, key: Option<Key>, value: Node, node: Node) {
        let is_then = |name| &*self.graph.name(name) == "then";
        if !matches!(key, Some(Key::Name(name)) if is_then(name)) {
            return;
        }
        for atom in self.graph.held(value) {
            if let Atom::Function(function) = atom
                && let Some(made) = self.graph.functions.get(function as usize)
                && let Some(&resolve) = made.parameters.first()
            {
                self.graph.add(resolve, Atom::Resolver(node), NONE);
            }
        }
    }

    /// What reading a property gives: the function, or for a getter its result. A setter gives its
    /// parameter, so that what is written arrives there.
    pub(super) fn accessed(&mut self, is_getter: bool, is_setter: bool, value: Node) -> Node {
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

    pub(super) fn put(&mut self, object: u32, key: Option<Key>, value: Node) {
        if value == NONE {
            return;
        }
        match key {
            Some(Key::Name(name)) => {
                self.key_function(name, value);
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

    pub(super) fn static_member(&mut self, member: &StaticMemberExpression<'_>) -> Node {
        let object = self.expression(&member.object);
        let name = member.property.name.as_str();
        let key = self.name_key(name);
        let value = self.member(member.span, object, key);
        if name == "constructor" && makes_functions(&member.object) {
            return self.function_maker(member.span, value);
        }
        if value != NONE && secrets::is_seed_field(name) {
            let (kind, at) = (SourceKind::KeyArgument, member.property.span.start);
            let source = self.graph.source(kind, name, self.file, at);
            self.graph.add(value, Atom::Taint(source), NONE);
        }
        value
    }

    pub(super) fn computed(&mut self, member: &ComputedMemberExpression<'_>) -> Node {
        let object = self.expression(&member.object);
        let key = self.computed_key(&member.expression);
        let value = self.member(member.span, object, key);
        match names_constructor(member) && makes_functions(&member.object) {
            true => self.function_maker(member.span, value),
            false => value,
        }
    }

    /// The name in `x[name]`. One that is reckoned with numbers never becomes known.
    fn computed_key(&mut self, it: &Expression<'_>) -> Key {
        let node = self.expression(it);
        match it {
            Expression::BinaryExpression(sum) if sum.operator != BinaryOperator::Addition => {
                Key::Node(NONE)
            }
            _ => Key::Node(node),
        }
    }

    pub(super) fn private(&mut self, member: &PrivateFieldExpression<'_>) -> Node {
        let object = self.expression(&member.object);
        let name = format!("#{}", member.field.name);
        let key = self.name_key(&name);
        self.member(member.span, object, key)
    }

    /// Callee, receiver and method of a call.
    pub(super) fn callee(&mut self, callee: &Expression<'_>) -> (Node, Node, Option<Key>) {
        match callee {
            Expression::StaticMemberExpression(member) => {
                let name = member.property.name.as_str();
                let key = self.name_key(name);
                let receiver = self.receiver(&member.object);
                let mut callee = self.member(member.span, receiver, key);
                if name == "constructor" && makes_functions(&member.object) {
                    callee = self.function_maker(member.span, callee);
                }
                (callee, receiver, Some(key))
            }
            Expression::ComputedMemberExpression(member) => {
                let receiver = self.receiver(&member.object);
                let key = self.computed_key(&member.expression);
                let mut callee = self.member(member.span, receiver, key);
                if names_constructor(member) && makes_functions(&member.object) {
                    callee = self.function_maker(member.span, callee);
                }
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
    pub(super) fn receiver(&mut self, object: &Expression<'_>) -> Node {
        match object {
            Expression::Super(_) => self.this(),
            other => self.expression(other),
        }
    }

    pub(super) fn arguments_of(&mut self, arguments: &[Argument<'_>]) -> Arguments {
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

    pub(super) fn call(&mut self, call: &CallExpression<'_>) -> Node {
        if let Some(evaluator) = &mut self.evaluator
            && let Some(value) = evaluator.call(call)
            && let decoder = evaluator.decoder
            && let Some(node) = self.value(call.span, &value, 0)
        {
            return decoder.map_or(node, |decoder| self.decoded(call.span, decoder, node));
        }
        if let Some(module) = self.wrapped(call) {
            return module;
        }
        if let Some(digits) = number_in_base(call) {
            return self.graph.constant(&digits);
        }
        let errors = self.rejected(call);
        let region = errors.map(|errors| self.graph.open_region(errors, false));
        let (callee, receiver, method) = self.callee(&call.callee);
        if let Some(region) = region {
            self.graph.close_region(region);
        }
        let arguments = self.arguments_of(&call.arguments);
        self.table_among(call, &arguments);
        // The name of a method says more of where a call is than the start of its chain.
        let at = match &call.callee {
            Expression::StaticMemberExpression(member) => member.property.span,
            _ => call.span,
        };
        if let Some(errors) = errors {
            let id = index(self.graph.rules.len());
            self.graph.rejections.insert(id, errors);
        }
        if self.makes_counted_character(call) {
            let id = index(self.graph.rules.len());
            self.graph.counted.insert(id);
        }
        self.emit(at, callee, receiver, method, arguments, false)
    }

    /// `promise.catch(f)`, `promise.then(f, g)`: what was thrown on the way to the promise. One that has
    /// a name may come from anything in the function around.
    fn rejected(&mut self, call: &CallExpression<'_>) -> Option<Node> {
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return None;
        };
        let catches = match member.property.name.as_str() {
            "catch" => !call.arguments.is_empty(),
            "then" => call.arguments.len() > 1,
            _ => false,
        };
        if !catches {
            return None;
        }
        let errors = self.node(member.property.span);
        if matches!(&member.object, Expression::Identifier(_)) {
            let around = self.graph.errors_here();
            self.graph.copy(around, errors);
        }
        Some(errors)
    }

    /// Text that was computed by decoding is known, and hidden nevertheless.
    fn decoded(&mut self, at: Span, decoder: &str, text: Node) -> Node {
        if !self.graph.follows_code {
            return text;
        }
        let source = (self.graph).source(SourceKind::Decoded, decoder, self.file, at.start);
        let node = self.node(at);
        self.graph.copy(text, node);
        self.graph.add(node, Atom::Taint(source), NONE);
        node
    }

    /// The node of a value that was computed; `None` for one that the graph has no use for.
    pub(super) fn value(&mut self, at: Span, value: &Value, depth: u8) -> Option<Node> {
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
    pub(super) fn after_loop(&mut self, statement: &Statement<'_>) {
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

    pub(super) fn emit(
        &mut self,
        at: Span,
        callee: Node,
        receiver: Node,
        method: Option<Key>,
        arguments: Arguments,
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
}
