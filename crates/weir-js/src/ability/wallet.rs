//! Ways to come between people and their wallets: functions of a wallet that are defined anew, wallets in
//! a proxy, addresses of coins that are exchanged in a form or when they are copied.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, Expression, ObjectPropertyKind, Statement};
use oxc_ast_visit::{Visit, walk};
use weir_model::contents::CapabilityKind;

use super::page::{WALLET_CALLS, is_wallet};
use super::syntax::{first, key_name, last_name, text};
use super::visit::is_coin_address;
use super::{NAMES, Seen, Sure};
use crate::survey::TREE_DEPTH;

impl Seen {
    fn wraps(&mut self, detail: String, offset: u32) {
        self.act(CapabilityKind::WrapsRequests, detail, offset, Sure::Called);
    }

    /// `Object.defineProperty(wallet, 'request', …)`, `Reflect.set(wallet, 'request', …)`, and a proxy of a
    /// wallet that is put in its place.
    pub(super) fn defined(&mut self, arguments: &[Argument<'_>], offset: u32) {
        let (Some(object), Some(name)) = (first(arguments, 0), first(arguments, 1).and_then(text))
        else {
            return;
        };
        if WALLET_CALLS.contains(&name)
            && let Some(provider) = self.provider(object)
        {
            let detail = format!("replaces {provider}.{name}");
            self.wraps(detail, offset);
        }
        if !is_wallet(name) {
            return;
        }
        match first(arguments, 2) {
            Some(Expression::ObjectExpression(descriptor)) => {
                for field in descriptor.properties.iter().take(8) {
                    if let ObjectPropertyKind::ObjectProperty(field) = field
                        && key_name(&field.key) == "value"
                    {
                        self.proxied(&field.value, offset);
                    }
                }
            }
            Some(value) => self.proxied(value, offset),
            None => {}
        }
    }

    /// `Object.assign(window.ethereum, { request })`
    pub(super) fn assigned_wallet(&mut self, arguments: &[Argument<'_>], offset: u32) {
        let (Some(object), Some(Expression::ObjectExpression(fields))) =
            (first(arguments, 0), first(arguments, 1))
        else {
            return;
        };
        let Some(provider) = self.provider(object).map(str::to_owned) else {
            return;
        };
        let replaced = fields
            .properties
            .iter()
            .take(16)
            .find_map(|field| match field {
                ObjectPropertyKind::ObjectProperty(field) => {
                    Some(key_name(&field.key)).filter(|name| WALLET_CALLS.contains(name))
                }
                ObjectPropertyKind::SpreadProperty(_) => None,
            });
        if let Some(name) = replaced {
            self.wraps(format!("replaces {provider}.{name}"), offset);
        }
    }

    /// `window.ethereum = new Proxy(window.ethereum, …)`. Wallets put proxies of their own there, which
    /// are proxies of something else.
    pub(super) fn proxied(&mut self, by: &Expression<'_>, offset: u32) {
        if let Expression::NewExpression(new) = by
            && last_name(&new.callee) == "Proxy"
            && let Some(provider) = first(&new.arguments, 0).and_then(|it| self.provider(it))
        {
            let detail = format!("replaces {provider} by a proxy of it");
            self.wraps(detail, offset);
        }
    }

    /// `/0x…/.test(field.value)`
    pub(super) fn tested_field(&mut self, pattern: &Expression<'_>, arguments: &[Argument<'_>]) {
        let is_coin = matches!(pattern, Expression::RegExpLiteral(pattern)
            if is_coin_address(pattern.regex.pattern.text.as_str()));
        if is_coin
            && self.tested.len() < NAMES
            && let Some(Expression::StaticMemberExpression(field)) = first(arguments, 0)
            && field.property.name == "value"
            && let Expression::Identifier(name) = &field.object
        {
            self.tested.push(name.name.to_string());
        }
    }

    /// `field.value = 'other'`, where the field was found to hold such an address. A call mostly writes the
    /// same address in another way.
    pub(super) fn replaced_field(
        &mut self,
        object: &Expression<'_>,
        by: &Expression<'_>,
        offset: u32,
    ) {
        let is_other = matches!(
            by,
            Expression::StringLiteral(_)
                | Expression::Identifier(_)
                | Expression::ComputedMemberExpression(_)
        );
        if let Expression::Identifier(name) = object
            && is_other
            && self.tested.iter().any(|known| known == name.name.as_str())
        {
            self.wraps("replaces addresses of coins in a form".to_owned(), offset);
        }
    }

    /// `addEventListener('copy', …)` with a function that looks for such an address and puts something
    /// else in its place.
    pub(super) fn copy_handler(&mut self, arguments: &[Argument<'_>], offset: u32) {
        if !matches!(
            first(arguments, 0).and_then(text),
            Some("copy" | "cut" | "paste")
        ) {
            return;
        }
        let mut exchange = Exchange::default();
        match first(arguments, 1) {
            Some(Expression::ArrowFunctionExpression(function)) => {
                exchange.visit_arrow_function_expression(function);
            }
            Some(Expression::FunctionExpression(function)) => {
                if let Some(body) = &function.body {
                    exchange.visit_function_body(body);
                }
            }
            _ => {}
        }
        if exchange.looks && exchange.puts {
            // Surer than a call alone, so that it is what is told.
            self.settled &= !(1_u32 << (CapabilityKind::Clipboard as u32));
            let kind = CapabilityKind::Clipboard;
            self.act(kind, super::EXCHANGES, offset, Sure::Exact);
            let kind = CapabilityKind::Wallet;
            self.act(kind, "a pattern of coin addresses", offset, Sure::Loaded);
        }
    }
}

/// What a function does with what is copied.
#[derive(Default)]
struct Exchange {
    /// A pattern of coin addresses stands in it.
    looks: bool,
    /// It says what is copied.
    puts: bool,
    depth: u32,
}

impl Exchange {
    /// Looks no deeper than the survey, which says where it ends.
    fn deeper(&mut self, look: impl FnOnce(&mut Self)) {
        if self.depth < TREE_DEPTH {
            self.depth += 1;
            look(self);
            self.depth -= 1;
        }
    }
}

impl<'a> Visit<'a> for Exchange {
    fn visit_expression(&mut self, it: &Expression<'a>) {
        self.deeper(|this| walk::walk_expression(this, it));
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        self.deeper(|this| walk::walk_statement(this, it));
    }

    fn enter_node(&mut self, kind: AstKind<'a>) {
        match kind {
            AstKind::RegExpLiteral(pattern) => {
                self.looks |= is_coin_address(pattern.regex.pattern.text.as_str());
            }
            AstKind::CallExpression(call) => self.puts |= last_name(&call.callee) == "setData",
            _ => {}
        }
    }
}
