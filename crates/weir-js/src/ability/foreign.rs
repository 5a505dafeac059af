//! Packages that nobody here knows, and that are given an address: they may be clients.

use oxc_ast::ast::{Argument, BindingPattern, Expression, ImportDeclaration, ObjectPropertyKind};

use super::syntax::{first, last_name, text};
use super::{NAMES, Seen};
use crate::tables::network;

/// Longest chain of members and calls that is gone back.
const CHAIN: usize = 12;
/// Most arguments, and most fields of one object, that are looked at.
const GIVEN: usize = 3;
const FIELDS: usize = 16;

/// Whether a specifier is another package, and no module of Node.
fn is_package(specifier: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '@';
    specifier.starts_with(is_name)
        && !specifier.contains(':')
        && weir_npm::node::module(specifier).is_none()
}

/// The package that an expression loads.
fn loads_package(it: &Expression<'_>) -> bool {
    match it {
        Expression::AwaitExpression(inner) => loads_package(&inner.argument),
        Expression::ImportExpression(import) => text(&import.source).is_some_and(is_package),
        Expression::CallExpression(call) => {
            last_name(&call.callee) == "require"
                && first(&call.arguments, 0)
                    .and_then(text)
                    .is_some_and(is_package)
        }
        _ => false,
    }
}

impl Seen {
    /// `import x, { y } from 'package'`
    pub(super) fn import_foreign(&mut self, it: &ImportDeclaration<'_>) {
        if is_package(it.source.value.as_str()) {
            for specifier in it.specifiers.iter().flatten() {
                self.name_foreign(specifier.local().name.as_str());
            }
        }
    }

    /// `const x = require('package')`, `const { y } = require('package')`
    pub(super) fn declare_foreign(&mut self, pattern: &BindingPattern<'_>, init: &Expression<'_>) {
        let loaded = match init {
            Expression::StaticMemberExpression(member) => &member.object,
            other => other,
        };
        if !loads_package(loaded) {
            return;
        }
        match pattern {
            BindingPattern::BindingIdentifier(name) => self.name_foreign(name.name.as_str()),
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    if let BindingPattern::BindingIdentifier(name) = &property.value {
                        self.name_foreign(name.name.as_str());
                    }
                }
            }
            _ => {}
        }
    }

    fn name_foreign(&mut self, name: &str) {
        if self.foreign.len() < NAMES && !self.foreign.iter().any(|known| known == name) {
            self.foreign.push(name.to_owned());
        }
    }

    /// Whether a package that nobody here knows is given an address, other than one of this machine.
    pub(crate) fn tells_address(&self, callee: &Expression<'_>, given: &[Argument<'_>]) -> bool {
        let mut given = given.iter().take(GIVEN).filter_map(Argument::as_expression);
        self.is_foreign(callee) && given.any(|it| self.holds_address(it))
    }

    fn is_foreign(&self, callee: &Expression<'_>) -> bool {
        let mut it = callee;
        for _ in 0..CHAIN {
            if let Expression::Identifier(name) = it {
                return self.foreign.iter().any(|known| known == name.name.as_str());
            }
            if loads_package(it) {
                return true;
            }
            it = match it {
                Expression::StaticMemberExpression(member) => &member.object,
                Expression::CallExpression(call) => &call.callee,
                Expression::ParenthesizedExpression(inner) => &inner.expression,
                Expression::AwaitExpression(inner) => &inner.argument,
                _ => return false,
            };
        }
        false
    }

    fn holds_address(&self, it: &Expression<'_>) -> bool {
        match it {
            Expression::StringLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::BinaryExpression(_)
            | Expression::Identifier(_) => self.fold(it).is_some_and(|text| {
                (text.starts_with("http") || text.starts_with("ws"))
                    && network::host_of(&text).is_some_and(|host| !network::is_local(&host))
            }),
            Expression::ObjectExpression(object) => {
                let mut fields = object.properties.iter().take(FIELDS);
                fields.any(|field| match field {
                    ObjectPropertyKind::ObjectProperty(field) => {
                        !matches!(field.value, Expression::ObjectExpression(_))
                            && self.holds_address(&field.value)
                    }
                    ObjectPropertyKind::SpreadProperty(_) => false,
                })
            }
            _ => false,
        }
    }
}
