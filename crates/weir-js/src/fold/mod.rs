//! A small interpreter for the pure part of JavaScript, on constant input.
//!
//! What hides strings is code: a decoder, an array, a loop that rotates it. Such code is not
//! recognised by its looks but run, as far as it needs nothing but itself: no host object, no
//! clock, no input. Whatever is unknown ends the attempt, and a budget of steps and bytes ends
//! what does not end by itself.

mod decode;
mod expression;
mod library;
mod list_methods;
mod member;
mod pattern;
mod run;
mod text_methods;
mod value;

use std::rc::Rc;

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, BindingPattern, CallExpression, Expression, Statement};
use oxc_semantic::{AstNodes, Scoping};
use oxc_span::{GetSpan, Span};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use run::Frame;

use crate::hash::{Map, Set};
pub(crate) use value::Value;

/// Most steps of one attempt. The rotation of a string array with RC4 over a few hundred entries
/// takes some millions, at about 40 ns each.
const STEPS: u64 = 16_000_000;
/// Most steps for one call that is not part of preparing an array.
const CALL_STEPS: u64 = 400_000;
/// Deepest nesting of expressions, statements and calls that is evaluated.
const DEPTH: u32 = 2_000;
/// Most memory that strings and arrays of one file may take, in bytes.
const BYTES: usize = 128 << 20;
/// What a new array, object or function counts, in bytes: more than it takes, so that no chain of
/// them is so long that letting go of it overflows the stack (262,144 links of some 400 bytes).
const LINK: usize = 512;
/// How often a function may fail before it is not tried any more.
const FAILURES: u8 = 2;

/// Methods that change a list in place.
const FILLS: [&str; 8] = [
    "push", "unshift", "pop", "shift", "splice", "fill", "sort", "reverse",
];

/// Why an evaluation ended without a value.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The program threw; it may catch it.
    Thrown(Value),
    /// Something is not constant, not modelled, or too much.
    Unknown,
}

pub(crate) type Outcome<T> = Result<T, Halt>;

/// What is known of a variable outside the function that runs.
enum Lazy {
    /// Its initializer is being evaluated.
    Busy,
    Known(Value),
    Unknown,
}

/// The interpreter for one file.
pub(crate) struct Evaluator<'s, 'a> {
    nodes: &'s AstNodes<'a>,
    scoping: &'s Scoping,
    outside: Map<SymbolId, Lazy>,
    /// Statements that prepare an array and were run.
    prepared: Set<NodeId>,
    failures: Map<SymbolId, u8>,
    /// Steps left for the whole package.
    pub(crate) budget: u64,
    /// How often the steps of an attempt that came to nothing count. Decoders come to something;
    /// parsers and codecs have loops that look alike and do not.
    waste: u64,
    /// Steps left for this attempt.
    steps: u64,
    bytes: usize,
    depth: u32,
    /// The name of what decoded text, where the last call did that.
    pub(crate) decoder: Option<&'static str>,
    /// What decoded the text that a variable holds, so that it is no other text where it is read again.
    decoded: Map<SymbolId, &'static str>,
}

impl<'s, 'a> Evaluator<'s, 'a> {
    /// An interpreter for the file these belong to, which may take `budget` steps. Those taken in
    /// vain count `waste` times.
    pub(crate) fn new(
        nodes: &'s AstNodes<'a>,
        scoping: &'s Scoping,
        budget: u64,
        waste: u64,
    ) -> Self {
        Self {
            nodes,
            scoping,
            outside: Map::default(),
            prepared: Set::default(),
            failures: Map::default(),
            budget,
            waste,
            steps: 0,
            bytes: BYTES,
            depth: 0,
            decoder: None,
            decoded: Map::default(),
        }
    }

    /// The value of a call whose function and arguments are constant.
    pub(crate) fn call(&mut self, call: &CallExpression<'_>) -> Option<Value> {
        self.decoder = None;
        let symbol = match &call.callee {
            Expression::Identifier(name) => {
                let reference = name.reference_id.get()?;
                self.scoping.get_reference(reference).symbol_id()
            }
            _ => None,
        };
        if let Some(symbol) = symbol {
            // Without arguments there is nothing to decode that its body would not show.
            let failed = self.failures.get(&symbol).is_some_and(|&n| n > FAILURES);
            if failed || call.arguments.is_empty() {
                return None;
            }
        }
        // What prepares a variable runs once, when something first reads the variable.
        let prepares = matches!(
            call.callee,
            Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)
        ) && call.arguments.iter().any(|one| {
            matches!(one, Argument::Identifier(_)) || matches!(one, Argument::SpreadElement(_))
        });
        if prepares || !call.arguments.iter().all(|one| is_plain_argument(one, 0)) {
            return None;
        }
        let mut is_ready = false;
        let value = self.attempt(CALL_STEPS, |it| {
            if symbol.is_some() {
                it.arguments(&call.arguments, None)?;
                is_ready = true;
            }
            it.call_expression(call, None)
        });
        // Only the function's own failures count, not those of what it is given.
        if value.is_none()
            && is_ready
            && let Some(symbol) = symbol
        {
            *self.failures.entry(symbol).or_default() += 1;
        }
        value
    }

    /// Runs a loop that computes with constants only, and gives what the variables it writes hold
    /// afterwards.
    pub(crate) fn after_loop(&mut self, statement: &Statement<'_>) -> Vec<(SymbolId, Value)> {
        let span = statement.span();
        let frame = Rc::new(Frame::for_loop(span));
        let done = self.attempt(CALL_STEPS, |it| {
            it.statement(statement, Some(&frame)).map(|_| ())
        });
        if done.is_none() {
            return Vec::new();
        }
        frame.written()
    }

    fn attempt<T>(&mut self, steps: u64, run: impl FnOnce(&mut Self) -> Outcome<T>) -> Option<T> {
        if self.budget == 0 {
            return None;
        }
        let granted = self.budget.min(steps);
        self.steps = granted;
        self.depth = 0;
        let outcome = run(self);
        let used = granted.saturating_sub(self.steps).max(16);
        let times = if outcome.is_ok() { 1 } else { self.waste };
        self.budget = self.budget.saturating_sub(used.saturating_mul(times));
        outcome.ok()
    }

    /// One step of work.
    fn step(&mut self) -> Outcome<()> {
        self.steps = self.steps.checked_sub(1).ok_or(Halt::Unknown)?;
        Ok(())
    }

    /// Memory that is about to be taken.
    fn take(&mut self, bytes: usize) -> Outcome<()> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Halt::Unknown)?;
        Ok(())
    }

    /// A variable that no running function declares: its initializer is evaluated once.
    fn outside(&mut self, symbol: SymbolId) -> Outcome<Value> {
        match self.outside.get(&symbol) {
            Some(Lazy::Known(value)) => {
                self.decoder = self.decoded.get(&symbol).copied().or(self.decoder);
                return Ok(value.clone());
            }
            Some(Lazy::Busy | Lazy::Unknown) => return Err(Halt::Unknown),
            None => {}
        }
        self.outside.insert(symbol, Lazy::Busy);
        let before = self.decoder.take();
        let value = self.initial(symbol);
        if let (Some(decoder), Ok(Value::Text(_))) = (self.decoder, &value) {
            self.decoded.insert(symbol, decoder);
        }
        self.decoder = self.decoder.or(before);
        let state = match &value {
            Ok(value) => Lazy::Known(value.clone()),
            Err(_) => Lazy::Unknown,
        };
        self.outside.insert(symbol, state);
        let value = value?;
        if matches!(value, Value::Array(_) | Value::Function(_)) {
            self.prepare(symbol);
            if let Some(Lazy::Known(value)) = self.outside.get(&symbol) {
                return Ok(value.clone());
            }
        }
        Ok(value)
    }

    fn initial(&mut self, symbol: SymbolId) -> Outcome<Value> {
        let declaration = self.scoping.symbol_declaration(symbol);
        match self.nodes.kind(declaration) {
            // A decoder may replace itself the first time it runs.
            AstKind::Function(function) => self.closure(function.node_id.get(), None),
            AstKind::VariableDeclarator(declarator) => {
                let BindingPattern::BindingIdentifier(_) = &declarator.id else {
                    return Err(Halt::Unknown);
                };
                let written = self.scoping.symbol_is_mutated(symbol);
                if self.is_filled(symbol, None) {
                    return Err(Halt::Unknown);
                }
                match &declarator.init {
                    Some(init) if !written => self.expression(init, None),
                    Some(init) if self.is_written_inside(symbol) => self.expression(init, None),
                    None if self.is_looped(declaration) => Err(Halt::Unknown),
                    None if self.is_written_inside(symbol) => Ok(Value::Undefined),
                    _ => Err(Halt::Unknown),
                }
            }
            _ => Err(Halt::Unknown),
        }
    }

    /// Whether what a variable holds is changed in place, other than in functions that prepare it
    /// and at `except`: `list.push(x)`, `list[i] = x`.
    pub(crate) fn is_filled(&self, symbol: SymbolId, except: Option<Span>) -> bool {
        let starts_empty = match self.nodes.kind(self.scoping.symbol_declaration(symbol)) {
            AstKind::VariableDeclarator(declarator) => match &declarator.init {
                Some(Expression::ArrayExpression(array)) => array.elements.is_empty(),
                Some(Expression::ObjectExpression(object)) => object.properties.is_empty(),
                _ => false,
            },
            _ => return false,
        };
        self.scoping
            .get_resolved_references(symbol)
            .any(|reference| {
                let node = reference.node_id();
                let span = self.nodes.kind(node).span();
                if except.is_some_and(|except| except.contains_inclusive(span)) {
                    return false;
                }
                let parent = self.nodes.parent_id(node);
                match self.nodes.kind(parent) {
                    AstKind::StaticMemberExpression(member) if member.object.span() == span => {
                        FILLS.contains(&member.property.name.as_str()) || self.is_target(parent)
                    }
                    AstKind::ComputedMemberExpression(member) if member.object.span() == span => {
                        self.is_target(parent)
                    }
                    // A function that is given something empty fills it.
                    AstKind::CallExpression(_) => starts_empty,
                    _ => false,
                }
            })
    }

    /// Whether a member is assigned to.
    fn is_target(&self, member: NodeId) -> bool {
        let span = self.nodes.kind(member).span();
        match self.nodes.parent_kind(member) {
            AstKind::AssignmentExpression(assignment) => assignment.left.span() == span,
            AstKind::UpdateExpression(_) => true,
            _ => false,
        }
    }

    /// Whether a declaration is that of a loop's variable, which the loop writes: `for (const c of text)`.
    fn is_looped(&self, declarator: NodeId) -> bool {
        let list = self.nodes.parent_id(declarator);
        matches!(
            self.nodes.parent_kind(list),
            AstKind::ForOfStatement(_) | AstKind::ForInStatement(_)
        )
    }

    /// Whether a variable is written only in functions deeper than its own: state of a decoder.
    fn is_written_inside(&self, symbol: SymbolId) -> bool {
        let home = self.function_of(self.scoping.symbol_declaration(symbol));
        self.scoping
            .get_resolved_references(symbol)
            .filter(|reference| reference.is_write())
            .all(|reference| self.function_of(reference.node_id()) != home)
    }

    fn function_of(&self, node: NodeId) -> Option<NodeId> {
        self.nodes.ancestor_ids(node).skip(1).find(|&id| {
            matches!(
                self.nodes.kind(id),
                AstKind::Function(_) | AstKind::ArrowFunctionExpression(_)
            )
        })
    }

    /// Runs the functions that are called where they stand with this variable as an argument: the
    /// loop that rotates an array of strings before anything reads it.
    fn prepare(&mut self, symbol: SymbolId) {
        let scoping = self.scoping;
        let references: Vec<NodeId> = scoping
            .get_resolved_references(symbol)
            .map(oxc_semantic::Reference::node_id)
            .take(4096)
            .collect();
        for node in references {
            let parent = self.nodes.parent_id(node);
            let AstKind::CallExpression(call) = self.nodes.kind(parent) else {
                continue;
            };
            let is_immediate = matches!(
                call.callee,
                Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)
            );
            if !is_immediate || !self.prepared.insert(parent) {
                continue;
            }
            let (steps, depth) = (self.steps, self.depth);
            let granted = self.budget.min(STEPS);
            self.steps = granted;
            self.depth = 0;
            // What it throws or does not know leaves the array as far as it got.
            let _ = self.call_expression(call, None);
            let used = granted.saturating_sub(self.steps);
            self.budget = self.budget.saturating_sub(used);
            self.steps = steps.min(self.budget);
            self.depth = depth;
        }
    }
}

/// Whether an argument could be constant by its shape: cheap, and right for most calls that are
/// not worth an attempt.
fn is_plain_argument(argument: &Argument<'_>, depth: u8) -> bool {
    match argument {
        Argument::SpreadElement(spread) => is_plain(&spread.argument, depth),
        other => other
            .as_expression()
            .is_some_and(|inner| is_plain(inner, depth)),
    }
}

fn is_plain(expression: &Expression<'_>, depth: u8) -> bool {
    if depth > 6 {
        return false;
    }
    let next = depth + 1;
    match expression {
        Expression::StringLiteral(_)
        | Expression::NumericLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::NullLiteral(_)
        | Expression::RegExpLiteral(_)
        | Expression::FunctionExpression(_)
        | Expression::ArrowFunctionExpression(_)
        | Expression::Identifier(_) => true,
        Expression::TemplateLiteral(template) => {
            template.expressions.iter().all(|one| is_plain(one, next))
        }
        Expression::UnaryExpression(unary) => is_plain(&unary.argument, next),
        Expression::BinaryExpression(binary) => {
            is_plain(&binary.left, next) && is_plain(&binary.right, next)
        }
        Expression::ArrayExpression(array) => array.elements.iter().take(64).all(|element| {
            element
                .as_expression()
                .is_none_or(|inner| is_plain(inner, next))
        }),
        Expression::StaticMemberExpression(member) => is_plain(&member.object, next),
        Expression::ComputedMemberExpression(member) => {
            is_plain(&member.object, next) && is_plain(&member.expression, next)
        }
        // `new TextDecoder().decode(new Uint8Array([...]))`
        Expression::NewExpression(new) => {
            matches!(&new.callee, Expression::Identifier(name)
                if matches!(name.name.as_str(), "TextDecoder" | "Uint8Array"))
                && new
                    .arguments
                    .iter()
                    .all(|argument| is_plain_argument(argument, next))
        }
        Expression::CallExpression(call) => {
            is_plain(&call.callee, next)
                && call
                    .arguments
                    .iter()
                    .all(|argument| is_plain_argument(argument, next))
        }
        _ => false,
    }
}
