//! Counters of loops. Characters that are made of them are counted, and not decoded.

use oxc_ast::ast::*;
use oxc_syntax::symbol::SymbolId;

use super::Lower;

/// Deepest sum that is looked into.
const DEPTH: usize = 4;

impl Lower<'_, '_, '_> {
    /// The variable that a loop counts with: `for (let i = 32; …; i++)`.
    pub(super) fn counter(&self, it: &ForStatement<'_>) -> Option<SymbolId> {
        let begins = match it.init.as_ref()? {
            ForStatementInit::VariableDeclaration(list) => {
                let first = list.declarations.first()?;
                let is_number = matches!(first.init, Some(Expression::NumericLiteral(_)));
                match &first.id {
                    BindingPattern::BindingIdentifier(name) if is_number => name.symbol_id.get(),
                    _ => None,
                }
            }
            ForStatementInit::AssignmentExpression(first) => match &first.left {
                AssignmentTarget::AssignmentTargetIdentifier(name)
                    if matches!(first.right, Expression::NumericLiteral(_)) =>
                {
                    self.meant(name)
                }
                _ => None,
            },
            _ => None,
        }?;
        let goes_on = match it.update.as_ref()? {
            Expression::UpdateExpression(update) => match &update.argument {
                SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => self.meant(name),
                _ => None,
            },
            _ => None,
        }?;
        (begins == goes_on).then_some(begins)
    }

    fn meant(&self, name: &IdentifierReference<'_>) -> Option<SymbolId> {
        let reference = name.reference_id.get()?;
        self.scoping.get_reference(reference).symbol_id()
    }

    /// `String.fromCharCode(i + 32)`
    pub(super) fn makes_counted_character(&self, call: &CallExpression<'_>) -> bool {
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return false;
        };
        let name = member.property.name.as_str();
        if !matches!(name, "fromCharCode" | "fromCodePoint") || self.counters.is_empty() {
            return false;
        }
        let [argument] = call.arguments.as_slice() else {
            return false;
        };
        let number = argument.as_expression();
        number.and_then(|it| self.counts(it, 0)).unwrap_or(false)
    }

    /// Whether a sum of numbers has a counter in it; nothing where it has anything else.
    fn counts(&self, it: &Expression<'_>, depth: usize) -> Option<bool> {
        match it {
            _ if depth > DEPTH => None,
            Expression::NumericLiteral(_) => Some(false),
            Expression::Identifier(name) => {
                let symbol = self.meant(name)?;
                self.counters.contains(&symbol).then_some(true)
            }
            Expression::ParenthesizedExpression(inner) => self.counts(&inner.expression, depth + 1),
            Expression::BinaryExpression(sum) => {
                let left = self.counts(&sum.left, depth + 1)?;
                let right = self.counts(&sum.right, depth + 1)?;
                Some(left || right)
            }
            _ => None,
        }
    }
}
