//! Literals in unusual dress: numbers that are words in another base, tagged templates, functions that
//! are made by way of a literal's constructor.

use oxc_ast::ast::*;

use super::Lower;
use crate::flow::graph::{Atom, NONE, Node};
use crate::flow::text;

/// `(19003).toString(36)`: words can be written as numbers.
pub(super) fn number_in_base(call: &CallExpression<'_>) -> Option<String> {
    let Expression::StaticMemberExpression(member) = &call.callee else {
        return None;
    };
    let Some(Argument::NumericLiteral(base)) = call.arguments.first() else {
        return None;
    };
    if member.property.name != "toString" {
        return None;
    }
    let number = match &member.object {
        Expression::NumericLiteral(number) => number,
        Expression::ParenthesizedExpression(inner) => match &inner.expression {
            Expression::NumericLiteral(number) => number,
            _ => return None,
        },
        _ => return None,
    };
    // Fractions have digits after a point, and no name has.
    let whole = |value: f64| value.to_string().parse::<u64>().ok();
    let base = u32::try_from(whole(base.value)?).ok()?;
    text::in_base(whole(number.value)?, base)
}

/// Whether `x['constructor']` is meant.
pub(super) fn names_constructor(member: &ComputedMemberExpression<'_>) -> bool {
    matches!(&member.expression, Expression::StringLiteral(text) if text.value.as_str() == "constructor")
}

/// Whether the constructor of something makes functions of text: of another constructor
/// (`x.constructor.constructor`), or of a method of a literal (`[].filter.constructor`).
pub(super) fn makes_functions(of: &Expression<'_>) -> bool {
    let (is_constructor, owner) = match of {
        Expression::StaticMemberExpression(member) => {
            (member.property.name == "constructor", &member.object)
        }
        Expression::ComputedMemberExpression(member) => (names_constructor(member), &member.object),
        _ => return false,
    };
    let is_literal = matches!(
        owner,
        Expression::ArrayExpression(_) | Expression::StringLiteral(_)
    );
    is_constructor || is_literal
}

/// Whether a function does nothing but return `this`, or something else where there is none.
pub(super) fn gives_this(function: &Function<'_>) -> bool {
    let body = function
        .body
        .as_ref()
        .map(|body| body.statements.as_slice());
    match body {
        Some([Statement::ReturnStatement(only)]) => only.argument.as_ref().is_some_and(may_be_this),
        _ => false,
    }
}

fn may_be_this(it: &Expression<'_>) -> bool {
    match it {
        Expression::ThisExpression(_) => true,
        Expression::LogicalExpression(either) => {
            matches!(either.left, Expression::ThisExpression(_))
        }
        Expression::ParenthesizedExpression(inner) => {
            matches!(inner.expression, Expression::ThisExpression(_))
        }
        _ => false,
    }
}

impl Lower<'_, '_, '_> {
    /// Such a constructor: `Function`, beside what the code itself may have put there.
    pub(super) fn function_maker(&mut self, at: Span, value: Node) -> Node {
        let maker = self.builtin(at, "Function");
        self.graph.copy(value, maker);
        maker
    }

    /// A tag gets the pieces of text, then the values between. Tags that are built in take the whole
    /// text for what they are given.
    pub(super) fn tagged(&mut self, tagged: &TaggedTemplateExpression<'_>) -> Node {
        let (callee, receiver, method) = self.callee(&tagged.tag);
        let mut parts = Vec::new();
        let mut values = Vec::new();
        // Under their numbers, and no list: what runs commands takes a list for words of one.
        let pieces = self.graph.object();
        for (at, quasi) in tagged.quasi.quasis.iter().enumerate() {
            if let Some(text) = &quasi.value.cooked {
                let piece = self.graph.constant(text.as_str());
                let name = self.graph.intern(&at.to_string());
                let field = self.graph.field(pieces, name);
                self.graph.copy(piece, field);
                parts.push(piece);
            }
            if let Some(inner) = tagged.quasi.expressions.get(at) {
                let value = self.expression(inner);
                parts.push(value);
                values.push((value, false));
            }
        }
        let whole = match parts.as_slice() {
            [only] => *only,
            _ => self.concat(tagged.span, parts),
        };
        let first = self.holding(tagged.quasi.span, Atom::Object(pieces));
        self.graph.copy(whole, first);
        values.insert(0, (first, false));
        self.emit(tagged.span, callee, receiver, method, values.into(), false)
    }

    /// A name that is declared nowhere may be a property of the objects of the `with` statements around.
    pub(super) fn found_with(&mut self, identifier: &IdentifierReference<'_>, node: Node) {
        for at in 0..self.withs.len() {
            let object = self.withs.get(at).copied().unwrap_or(NONE);
            let key = self.name_key(identifier.name.as_str());
            let found = self.member(identifier.span, object, key);
            self.graph.copy(found, node);
        }
    }
}
