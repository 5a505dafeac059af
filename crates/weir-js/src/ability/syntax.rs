//! Small questions about expressions that the look at ability asks.

use oxc_ast::ast::{Argument, Expression, ObjectExpression, ObjectPropertyKind, PropertyKey};
use oxc_syntax::operator::UnaryOperator;

/// The last name of a callee: `a.b.c` gives `c`.
pub(super) fn last_name<'a>(callee: &'a Expression<'_>) -> &'a str {
    match callee {
        Expression::Identifier(name) => name.name.as_str(),
        Expression::StaticMemberExpression(member) => member.property.name.as_str(),
        _ => "",
    }
}

/// What is called in the end: `eval` in `(0, eval)(text)`.
pub(super) fn unwrapped<'b, 'a>(callee: &'b Expression<'a>) -> &'b Expression<'a> {
    match callee {
        Expression::SequenceExpression(sequence) => sequence.expressions.last().unwrap_or(callee),
        other => other,
    }
}

/// The text of a plain literal.
pub(super) fn text<'a>(it: &'a Expression<'_>) -> Option<&'a str> {
    match it {
        Expression::StringLiteral(text) => Some(text.value.as_str()),
        Expression::TemplateLiteral(template) => {
            let only = template.quasis.first()?;
            only.value.cooked.as_ref().map(|text| text.as_str())
        }
        _ => None,
    }
}

pub(super) fn first<'a, 'b>(
    arguments: &'b [Argument<'a>],
    at: usize,
) -> Option<&'b Expression<'a>> {
    arguments.get(at).and_then(Argument::as_expression)
}

pub(super) fn key_name<'a>(key: &'a PropertyKey<'_>) -> &'a str {
    match key {
        PropertyKey::StaticIdentifier(name) => name.name.as_str(),
        PropertyKey::StringLiteral(name) => name.value.as_str(),
        _ => "",
    }
}

pub(super) fn is_false(it: &Expression<'_>) -> bool {
    match it {
        Expression::BooleanLiteral(literal) => !literal.value,
        // `!1`, as minifiers write it.
        Expression::UnaryExpression(unary) => {
            unary.operator == UnaryOperator::LogicalNot
                && matches!(&unary.argument, Expression::NumericLiteral(one) if one.value != 0.0)
        }
        _ => false,
    }
}

pub(super) fn is_true(it: &Expression<'_>) -> bool {
    match it {
        Expression::BooleanLiteral(literal) => literal.value,
        Expression::UnaryExpression(unary) => {
            unary.operator == UnaryOperator::LogicalNot
                && matches!(&unary.argument, Expression::NumericLiteral(zero) if zero.value == 0.0)
        }
        _ => false,
    }
}

/// Text whose every piece is written there.
pub(super) fn is_plain(it: &Expression<'_>, depth: usize) -> bool {
    match it {
        Expression::StringLiteral(_) => true,
        Expression::TemplateLiteral(template) => template.expressions.is_empty(),
        Expression::BinaryExpression(sum) if depth < 64 => {
            is_plain(&sum.right, depth + 1) && is_plain(&sum.left, depth + 1)
        }
        Expression::NumericLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::NullLiteral(_) => true,
        _ => false,
    }
}

/// Whether an object literal has a field whose value passes a test.
pub(super) fn has(
    object: &ObjectExpression<'_>,
    name: &str,
    test: fn(&Expression<'_>) -> bool,
) -> bool {
    object.properties.iter().any(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) => {
            key_name(&property.key) == name && test(&property.value)
        }
        ObjectPropertyKind::SpreadProperty(_) => false,
    })
}

/// `'ignore'`, or a list of nothing else.
pub(super) fn is_ignored(it: &Expression<'_>) -> bool {
    match it {
        Expression::StringLiteral(text) => text.value == "ignore",
        Expression::ArrayExpression(list) => {
            !list.elements.is_empty()
                && list.elements.iter().all(|element| {
                    element.as_expression().is_some_and(|it| {
                        matches!(it, Expression::StringLiteral(text) if text.value == "ignore")
                    })
                })
        }
        _ => false,
    }
}
