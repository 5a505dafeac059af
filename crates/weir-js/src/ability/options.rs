//! What options say: certificate checks that are switched off, output that nobody reads, assistants that
//! need not ask.

use std::borrow::Cow;

use oxc_ast::ast::{ArrowFunctionBody, BindingPattern, Expression, ObjectExpression, Statement};
use oxc_syntax::operator::UnaryOperator;
use weir_model::contents::CapabilityKind;

use super::syntax::{has, is_false, is_ignored, is_true, last_name, text};
use super::{NAMES, Seen, Sure};

/// Most fields of an object that is taken for options of a child process.
const FIELDS: usize = 16;

/// Options of a child process that a name stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct ChildOptions {
    name: String,
    is_detached: bool,
    is_ignored: bool,
}

impl Seen {
    /// The name in `x['y' + 'z']`, where it is put together or written out.
    pub(super) fn put_together<'k>(&self, key: &'k Expression<'_>) -> Option<Cow<'k, str>> {
        match key {
            Expression::StringLiteral(name) => Some(Cow::Borrowed(name.value.as_str())),
            Expression::BinaryExpression(_) | Expression::TemplateLiteral(_) => {
                self.fold(key).map(Cow::Owned)
            }
            _ => None,
        }
    }

    /// What every connection of the program heeds: `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'`, another
    /// authority than those that the machine trusts.
    pub(super) fn set_for_all(
        &mut self,
        object: &Expression<'_>,
        name: &str,
        value: &Expression<'_>,
        offset: u32,
    ) {
        let Expression::StaticMemberExpression(member) = object else {
            return self.unchecked(name, value, offset);
        };
        let what = match (
            last_name(&member.object),
            member.property.name.as_str(),
            name,
        ) {
            (_, "env", "NODE_TLS_REJECT_UNAUTHORIZED") if is_off(value) => name,
            (_, "env", "NODE_EXTRA_CA_CERTS") => name,
            ("globalAgent", "options", "rejectUnauthorized") if is_false(value) => name,
            ("globalAgent", "options", "ca") => "an authority of its own",
            _ => return self.unchecked(name, value, offset),
        };
        let detail = format!("{what} for {}", super::FOR_ALL);
        self.act(CapabilityKind::DisablesTls, detail, offset, Sure::Called);
    }

    /// An option or variable by which certificates are no longer checked, set so.
    pub(super) fn unchecked(&mut self, name: &str, value: &Expression<'_>, offset: u32) {
        let detail = match name {
            "rejectUnauthorized" | "strictSSL" if is_false(value) => format!("{name}: false"),
            "NODE_TLS_REJECT_UNAUTHORIZED" if is_off(value) => name.to_owned(),
            "checkServerIdentity" if accepts_all(value) => {
                format!("{name} that accepts every name")
            }
            _ => return,
        };
        self.act(CapabilityKind::DisablesTls, detail, offset, Sure::Called);
    }

    /// An option by which the library of an assistant lets it act unasked. The surest thing about it is
    /// that such a library is used, so that a command or a file says more.
    pub(super) fn allowed(&mut self, name: &str, value: &Expression<'_>, offset: u32) {
        let is_so = match name {
            "permissionMode" => text(value) == Some("bypassPermissions"),
            "sandboxMode" => text(value) == Some("danger-full-access"),
            "dangerouslySkipPermissions" | "allowDangerouslySkipPermissions" => is_true(value),
            _ => return,
        };
        if is_so {
            self.act(
                CapabilityKind::DrivesAgents,
                format!("{}, {name}", super::BY_LIBRARY),
                offset,
                Sure::Loaded,
            );
        }
    }

    /// `const options = { detached: true, stdio: 'ignore' }`
    pub(super) fn name_options(&mut self, id: &BindingPattern<'_>, init: &ObjectExpression<'_>) {
        let BindingPattern::BindingIdentifier(name) = id else {
            return;
        };
        if init.properties.len() > FIELDS || self.options.len() >= NAMES {
            return;
        }
        let is_detached = has(init, "detached", is_true);
        let is_ignored = has(init, "stdio", is_ignored);
        if is_detached || is_ignored {
            self.options.push(ChildOptions {
                name: name.name.to_string(),
                is_detached,
                is_ignored,
            });
        }
    }

    /// `options.detached = true`
    pub(super) fn set_option(
        &mut self,
        object: &Expression<'_>,
        property: &str,
        value: &Expression<'_>,
    ) {
        let Expression::Identifier(name) = object else {
            return;
        };
        let name = name.name.as_str();
        let at = self.options.iter().position(|it| it.name == name);
        let options = match at {
            Some(at) => self.options.get_mut(at),
            None if self.options.len() >= NAMES => None,
            None => {
                self.options.push(ChildOptions {
                    name: name.to_owned(),
                    ..ChildOptions::default()
                });
                self.options.last_mut()
            }
        };
        match options {
            Some(options) if property == "detached" => options.is_detached = is_true(value),
            Some(options) => options.is_ignored = is_ignored(value),
            None => {}
        }
    }

    /// Whether a child with these options is left behind, and nobody reads what it says.
    pub(super) fn is_silent(&self, options: &Expression<'_>) -> bool {
        match options {
            Expression::ObjectExpression(options) => {
                has(options, "detached", is_true) && has(options, "stdio", is_ignored)
            }
            Expression::Identifier(name) => self.options.iter().any(|known| {
                known.name == name.name.as_str() && known.is_detached && known.is_ignored
            }),
            _ => false,
        }
    }
}

/// `0`, `'0'`, `false`
fn is_off(value: &Expression<'_>) -> bool {
    match value {
        Expression::StringLiteral(text) => matches!(text.value.as_str(), "0" | "false"),
        Expression::NumericLiteral(number) => number.value == 0.0,
        other => is_false(other),
    }
}

/// A function that finds nothing wrong with anything: what it returns would be the error.
fn accepts_all(value: &Expression<'_>) -> bool {
    match value {
        Expression::FunctionExpression(function) => function
            .body
            .as_ref()
            .is_some_and(|body| finds_nothing(&body.statements)),
        Expression::ArrowFunctionExpression(arrow) => match &arrow.body {
            ArrowFunctionBody::FunctionBody(body) => finds_nothing(&body.statements),
            other => other.as_expression().is_some_and(is_nothing),
        },
        _ => false,
    }
}

fn finds_nothing(body: &[Statement<'_>]) -> bool {
    match body {
        [] => true,
        [Statement::ReturnStatement(only)] => only.argument.as_ref().is_none_or(is_nothing),
        _ => false,
    }
}

/// `undefined`, `null`, `void 0`, and what else is no error.
fn is_nothing(it: &Expression<'_>) -> bool {
    match it {
        Expression::NullLiteral(_) | Expression::BooleanLiteral(_) => true,
        Expression::Identifier(name) => name.name == "undefined",
        Expression::UnaryExpression(unary) => unary.operator == UnaryOperator::Void,
        _ => false,
    }
}
