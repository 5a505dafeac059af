//! What an expression looks like, without knowing what it means.

use oxc_ast::ast::{Argument, Expression};
use oxc_syntax::operator::BinaryOperator;

/// The text of an expression made of literals only.
pub(crate) fn literal(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::TemplateLiteral(template) => {
            let mut parts = String::new();
            for (index, quasi) in template.quasis.iter().enumerate() {
                parts.push_str(quasi.value.cooked.as_ref()?.as_str());
                if let Some(inner) = template.expressions.get(index) {
                    parts.push_str(&literal(inner)?);
                }
            }
            Some(parts)
        }
        // Only short chains: this is called on every `require`.
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            let right = short_literal(&sum.right)?;
            let left = match &sum.left {
                Expression::BinaryExpression(inner)
                    if inner.operator == BinaryOperator::Addition =>
                {
                    format!(
                        "{}{}",
                        short_literal(&inner.left)?,
                        short_literal(&inner.right)?
                    )
                }
                other => short_literal(other)?,
            };
            Some(left + &right)
        }
        Expression::Identifier(name) if name.name == "__dirname" => Some(".".to_owned()),
        _ => None,
    }
}

fn short_literal(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::Identifier(name) if name.name == "__dirname" => Some(".".to_owned()),
        _ => None,
    }
}

/// Methods that make text of constants.
const MAKES_TEXT: [&str; 14] = [
    "replace",
    "replaceAll",
    "join",
    "map",
    "reverse",
    "slice",
    "substring",
    "substr",
    "concat",
    "fromCharCode",
    "fromCodePoint",
    "apply",
    "call",
    "atob",
];

/// Whether an expression has the shape of a decoder at work: a function on nothing but constants.
pub(super) fn is_decoded(expression: &Expression<'_>) -> bool {
    let call = match expression {
        Expression::CallExpression(call) => call,
        // `d(1) + 'ps'`: the outermost two pieces say enough.
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            let piece = |side: &Expression<'_>| {
                matches!(side, Expression::CallExpression(_)) && is_decoded(side)
            };
            let right = piece(&sum.right);
            return match &sum.left {
                Expression::BinaryExpression(inner) => {
                    piece(&inner.left) || (right && piece(&inner.right))
                }
                Expression::StringLiteral(_) => right,
                left => piece(left) && (right || is_constant(&sum.right, 0)),
            };
        }
        _ => return false,
    };
    let is_constant = |argument: &Argument<'_>| {
        argument
            .as_expression()
            .is_some_and(|inner| is_constant(inner, 4))
            || matches!(argument, Argument::SpreadElement(_))
    };
    match &call.callee {
        Expression::Identifier(_) => {
            !call.arguments.is_empty() && call.arguments.iter().all(is_constant)
        }
        Expression::StaticMemberExpression(member) => {
            MAKES_TEXT.contains(&member.property.name.as_str())
        }
        Expression::ComputedMemberExpression(_) => call.arguments.iter().all(is_constant),
        _ => false,
    }
}

/// Literals, and what is computed or picked from them.
fn is_constant(expression: &Expression<'_>, depth: u8) -> bool {
    match expression {
        Expression::StringLiteral(_) | Expression::NumericLiteral(_) => true,
        _ if depth == 0 => false,
        Expression::UnaryExpression(unary) => is_constant(&unary.argument, depth - 1),
        Expression::BinaryExpression(binary) => {
            is_constant(&binary.left, depth - 1) && is_constant(&binary.right, depth - 1)
        }
        Expression::StaticMemberExpression(member) => {
            matches!(member.object, Expression::Identifier(_))
        }
        Expression::ArrayExpression(array) => array.elements.iter().take(8).all(|element| {
            element
                .as_expression()
                .is_some_and(|inner| is_constant(inner, depth - 1))
        }),
        Expression::CallExpression(_) => is_decoded(expression),
        _ => false,
    }
}

/// The path of a file that is started, as far as it is plain: a literal, `new URL('./x.js', base)`,
/// `require.resolve('./x')`, `path.join(__dirname, 'x.js')`.
pub(super) fn started_path(expression: &Expression<'_>) -> Option<String> {
    let arguments = match expression {
        Expression::NewExpression(new) if last_name(&new.callee) == "URL" => &new.arguments,
        Expression::CallExpression(call)
            if matches!(last_name(&call.callee), "resolve" | "join") =>
        {
            &call.arguments
        }
        other => return literal(other),
    };
    let mut arguments = arguments.iter().filter_map(Argument::as_expression);
    let first = arguments.next()?;
    if !matches!(first, Expression::Identifier(name) if name.name == "__dirname") {
        return literal(first);
    }
    let parts: Option<Vec<String>> = arguments.map(literal).collect();
    Some(format!("./{}", parts?.join("/")))
}

/// Whether a method is one of `navigator.serviceWorker`.
pub(super) fn names_service_worker(callee: &Expression<'_>) -> bool {
    match callee {
        Expression::StaticMemberExpression(member) => last_name(&member.object) == "serviceWorker",
        _ => false,
    }
}

/// The last name of a callee: `a.b.c` gives `c`.
pub(super) fn last_name<'a>(callee: &'a Expression<'_>) -> &'a str {
    match callee {
        Expression::Identifier(name) => name.name.as_str(),
        Expression::StaticMemberExpression(member) => member.property.name.as_str(),
        // `(0, eval)(text)`
        Expression::ParenthesizedExpression(inner) => last_name(&inner.expression),
        Expression::SequenceExpression(sequence) => match sequence.expressions.last() {
            Some(Expression::Identifier(name)) => name.name.as_str(),
            Some(Expression::StaticMemberExpression(member)) => member.property.name.as_str(),
            _ => "",
        },
        _ => "",
    }
}
