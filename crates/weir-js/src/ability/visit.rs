//! What calls, assignments and members say about ability. Called by the survey's visitor, once per
//! node, so that everything here is a few comparisons for the nodes that say nothing.

use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, CallExpression, Expression, NewExpression,
    ObjectProperty, ObjectPropertyKind, PropertyKey, StaticMemberExpression,
};
use oxc_span::GetSpan;
use weir_model::contents::CapabilityKind;

use super::page::{WALLET_CALLS, is_wallet};
use super::syntax::{first, has, is_plain, is_true, last_name, text, unwrapped};
use super::{Seen, Sure};
use crate::tables::abilities;
use crate::words::{Words, match_word};

impl Seen {
    /// A module is loaded.
    pub(crate) fn load(&mut self, specifier: &str, offset: u32) {
        let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
        let name = bare.strip_suffix("/promises").unwrap_or(bare);
        if let Some(kind) = abilities::of_module(name) {
            self.act(kind, format!("loads {name}"), offset, Sure::Loaded);
        } else if bare.len() > 5 && bare.ends_with(".node") {
            self.act(
                CapabilityKind::Native,
                crate::place::clean(bare),
                offset,
                Sure::Called,
            );
        }
    }

    /// A call.
    pub(crate) fn call(&mut self, it: &CallExpression<'_>) {
        let offset = it.span.start;
        self.patterns(&it.arguments, &it.callee);
        if let Some((module, function)) = self.path(&it.callee) {
            self.known(&module, &function, &it.arguments, offset);
            return;
        }
        match unwrapped(&it.callee) {
            Expression::Identifier(name) => {
                self.global(name.name.as_str(), &it.arguments, offset);
            }
            Expression::StaticMemberExpression(member) => {
                let function = member.property.name.as_str();
                if let Expression::Identifier(object) = &member.object {
                    match object.name.as_str() {
                        "window" | "globalThis" | "global" | "self" => {
                            self.global(function, &it.arguments, offset);
                            return;
                        }
                        "document" => self.document(function, &it.arguments, offset),
                        "console" => return,
                        name if function == "setAttribute" => {
                            self.attribute(name, &it.arguments, offset);
                        }
                        _ => {}
                    }
                }
                self.method(&member.object, function, &it.arguments, offset);
            }
            _ => {}
        }
    }

    /// Patterns of addresses that coins are sent to, among what a call is given.
    fn patterns(&mut self, arguments: &[Argument<'_>], callee: &Expression<'_>) {
        for argument in arguments.iter().take(3).filter_map(Argument::as_expression) {
            self.pattern(argument, 0);
        }
        if let Expression::StaticMemberExpression(member) = callee {
            self.pattern(&member.object, 0);
        }
    }

    /// A pattern of such addresses, or a table of them.
    pub(super) fn pattern(&mut self, it: &Expression<'_>, depth: usize) {
        match it {
            Expression::RegExpLiteral(pattern)
                if is_coin_address(pattern.regex.pattern.text.as_str()) =>
            {
                self.act(
                    CapabilityKind::Wallet,
                    "a pattern of coin addresses",
                    it.span().start,
                    Sure::Loaded,
                );
            }
            Expression::ArrayExpression(list) if depth < 3 => {
                for element in list.elements.iter().take(16) {
                    if let Some(element) = element.as_expression() {
                        self.pattern(element, depth + 1);
                    }
                }
            }
            Expression::ObjectExpression(object) if depth < 3 => {
                for property in object.properties.iter().take(16) {
                    if let ObjectPropertyKind::ObjectProperty(property) = property {
                        self.pattern(&property.value, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    /// What was copied is read or replaced; a program that does both exchanges it.
    pub(super) fn clipboard(&mut self, function: &str, offset: u32) {
        self.copied.0 |= function.starts_with("read") || function == "paste";
        self.copied.1 |= function.starts_with("write") || function == "copy";
        if self.copied == (true, true) {
            // Surer than one call alone, so that it is what is told.
            self.settled &= !(1_u32 << (CapabilityKind::Clipboard as u32));
            self.act(
                CapabilityKind::Clipboard,
                super::EXCHANGES,
                offset,
                Sure::Exact,
            );
        }
    }

    /// A method of something unknown.
    fn method(
        &mut self,
        receiver: &Expression<'_>,
        function: &str,
        arguments: &[Argument<'_>],
        offset: u32,
    ) {
        match_word!(function, {
            // `request.open('POST', address)`
            "open" if arguments.len() >= 2 => {
                let is_request = first(arguments, 0).and_then(text).is_some_and(|verb| {
                    matches!(
                        verb.to_ascii_uppercase().as_str(),
                        "GET" | "POST" | "PUT" | "PATCH" | "HEAD" | "DELETE" | "OPTIONS"
                    )
                });
                if is_request {
                    self.act(
                        CapabilityKind::Network,
                        "XMLHttpRequest",
                        offset,
                        Sure::Called,
                    );
                    if let Some(address) = first(arguments, 1).and_then(|it| self.fold(it)) {
                        self.contact(&address, offset, true);
                    }
                }
            },
            "_compile" => self.dynamic("module._compile", first(arguments, 0), offset),
            // `$.getScript(address)`
            "getScript" => self.script_of(first(arguments, 0), offset),
            // `Object.assign(document.createElement('script'), { src: address })`
            "assign" => {
                self.assigned_script(arguments, offset);
                self.assigned_wallet(arguments, offset);
            },
            "defineProperty" | "set" if arguments.len() >= 3 => {
                self.defined(arguments, offset);
            },
            "insertAdjacentHTML" => self.markup(first(arguments, 1), offset),
            "createContextualFragment" => self.markup(first(arguments, 0), offset),
            "addEventListener" => self.copy_handler(arguments, offset),
            "test" => self.tested_field(receiver, arguments),
            "log" | "warn" | "error" | "info" | "debug" | "trace" | "describe" | "it" | "push"
            | "includes" | "startsWith" | "indexOf" | "replace" | "createElement" | "expect"
            | "invariant" | "setAttributeNS" | "createElementNS" => {},
            _ => {
                for argument in arguments.iter().take(3) {
                    if let Some(address) = argument.as_expression().and_then(text)
                        && address.len() > 9
                        && (address.starts_with("http") || address.starts_with("ws"))
                    {
                        self.contact(address, offset, false);
                    }
                }
            },
        });
    }

    fn global(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        match_word!(function, {
            "fetch" => {
                self.act(CapabilityKind::Network, "fetch", offset, Sure::Called);
                self.addresses(arguments, offset);
            },
            "eval" => self.dynamic("eval", first(arguments, 0), offset),
            "Function" => self.dynamic(
                "Function",
                arguments.last().and_then(Argument::as_expression),
                offset,
            ),
            "importScripts" => {
                self.addresses(arguments, offset);
                self.script_of(first(arguments, 0), offset);
            },
            "require" => self.loads_unknown(first(arguments, 0)),
            "setTimeout" | "Error" | "define" => {},
            _ => {
                if let Some(address) = first(arguments, 0).and_then(text)
                    && address.len() > 9
                    && (address.starts_with("http") || address.starts_with("ws"))
                {
                    self.contact(address, offset, false);
                }
            },
        });
    }

    /// Code made of text. A literal is code like any other, and only its wrapper is new.
    pub(super) fn dynamic(
        &mut self,
        what: &'static str,
        code: Option<&Expression<'_>>,
        offset: u32,
    ) {
        let Some(code) = code else {
            return;
        };
        if is_plain(code, 0) {
            return;
        }
        self.runs_text = true;
        self.act(CapabilityKind::DynamicCode, what, offset, Sure::Called);
    }

    /// `new x()`. Returns whether it is a worker, under whichever name.
    pub(crate) fn construct(&mut self, it: &NewExpression<'_>) -> bool {
        let offset = it.span.start;
        if let Some((module, function)) = self.path(&it.callee) {
            if module == "worker_threads" {
                self.worker(&it.arguments, offset);
                return function == "Worker";
            }
            if !matches!(function.as_str(), "Agent" | "Server" | "WebSocketServer") {
                self.known(&module, &function, &it.arguments, offset);
            }
            return false;
        }
        let name = last_name(&it.callee);
        match name {
            "Function" => self.dynamic(
                "Function",
                it.arguments.last().and_then(Argument::as_expression),
                offset,
            ),
            "XMLHttpRequest" => {
                self.act(
                    CapabilityKind::Network,
                    "XMLHttpRequest",
                    offset,
                    Sure::Called,
                );
            }
            "WebSocket" | "EventSource" => {
                self.act(CapabilityKind::Network, "WebSocket", offset, Sure::Called);
                self.addresses(&it.arguments, offset);
            }
            "Worker" => self.worker(&it.arguments, offset),
            "Blob" => self.worker_text(&it.arguments, offset),
            "Error" | "TypeError" | "RangeError" | "URL" => {}
            _ => {
                if let Some(address) = first(&it.arguments, 0).and_then(text)
                    && (address.starts_with("http") || address.starts_with("ws"))
                {
                    self.contact(address, offset, false);
                }
            }
        }
        matches!(name, "Worker" | "SharedWorker")
    }

    fn worker(&mut self, arguments: &[Argument<'_>], offset: u32) {
        let evaluates = matches!(first(arguments, 1), Some(Expression::ObjectExpression(options))
            if has(options, "eval", is_true));
        // `new Worker(new URL('data:text/javascript,' + text))`
        let address = match first(arguments, 0) {
            Some(Expression::NewExpression(url)) if last_name(&url.callee) == "URL" => {
                first(&url.arguments, 0)
            }
            other => other,
        };
        if evaluates || self.is_data_address(address) {
            self.dynamic("Worker", address, offset);
        }
    }

    /// A member is named.
    pub(crate) fn member(&mut self, it: &StaticMemberExpression<'_>) {
        let object = match &it.object {
            Expression::Identifier(object) => object,
            // `process.env.NAME`: the inner member is not visited by itself.
            Expression::StaticMemberExpression(inner) if inner.property.name == "env" => {
                self.member(inner);
                return;
            }
            _ => return,
        };
        static OBJECTS: Words = Words::of(&[
            "process",
            "Bun",
            "window",
            "globalThis",
            "self",
            "navigator",
            "location",
        ]);
        if !OBJECTS.may_hold(object.name.as_str()) {
            return;
        }
        match (object.name.as_str(), it.property.name.as_str()) {
            ("process" | "Bun", "env") => {
                self.act(
                    CapabilityKind::Environment,
                    "process.env",
                    it.span.start,
                    Sure::Called,
                );
            }
            ("window" | "globalThis" | "self", "ethereum" | "solana" | "phantom" | "tronWeb") => {
                self.act(
                    CapabilityKind::Wallet,
                    format!("window.{}", it.property.name),
                    it.span.start,
                    Sure::Called,
                );
            }
            ("navigator", "userAgent") => self.asks.0 = true,
            ("location", "host" | "hostname" | "href") => self.asks.1 = true,
            _ => {}
        }
    }

    /// `x.y = z`, `x['y'] = z`
    pub(crate) fn assign(&mut self, it: &AssignmentExpression<'_>) {
        let folded;
        let (object, property) = match &it.left {
            AssignmentTarget::StaticMemberExpression(target) => {
                (&target.object, target.property.name.as_str())
            }
            AssignmentTarget::ComputedMemberExpression(target) => {
                let Some(name) = self.put_together(&target.expression) else {
                    return;
                };
                folded = name;
                (&target.object, &*folded)
            }
            _ => return,
        };
        let offset = it.span.start;
        self.renames |= property == "name" && draws_lots(&it.right, 0);
        self.pattern(&it.right, 0);
        if WALLET_CALLS.contains(&property)
            && let Some(provider) = self.provider(object)
        {
            self.act(
                CapabilityKind::WrapsRequests,
                format!("replaces {provider}.{property}"),
                offset,
                Sure::Called,
            );
        }
        match property {
            "fetch" | "open" | "send" => self.wrapped(object, property, &it.right, offset),
            "src" => {
                if let Expression::Identifier(element) = object
                    && self.is_script_element(element.name.as_str())
                {
                    self.script_of(Some(&it.right), offset);
                }
            }
            "innerHTML" | "outerHTML" | "srcdoc" => self.markup(Some(&it.right), offset),
            name if is_wallet(name) => self.proxied(&it.right, offset),
            "value" => self.replaced_field(object, &it.right, offset),
            "detached" | "stdio" => self.set_option(object, property, &it.right),
            _ => self.set_for_all(object, property, &it.right, offset),
        }
    }

    /// `window.fetch = function`, `XMLHttpRequest.prototype.send = function`
    fn wrapped(
        &mut self,
        object: &Expression<'_>,
        property: &str,
        by: &Expression<'_>,
        offset: u32,
    ) {
        let wraps = match object {
            Expression::Identifier(object) => {
                property == "fetch"
                    && matches!(
                        object.name.as_str(),
                        "window" | "globalThis" | "self" | "global"
                    )
            }
            // `XMLHttpRequest.prototype.send = `
            Expression::StaticMemberExpression(inner) => {
                inner.property.name == "prototype" && last_name(&inner.object) == "XMLHttpRequest"
            }
            _ => false,
        };
        let is_function = matches!(
            by,
            Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)
        );
        if wraps && is_function {
            self.act(
                CapabilityKind::WrapsRequests,
                format!("replaces {property}"),
                offset,
                Sure::Called,
            );
        }
    }

    /// `import(address)`: a `data:` address is the code itself, one of another host is fetched.
    pub(crate) fn import_expression(&mut self, source: &Expression<'_>) {
        if let Some(address) = self.fold(source) {
            self.remote_module(&address, source.span().start);
        }
        if self.is_data_address(Some(source)) {
            self.dynamic("import", Some(source), source.span().start);
        }
    }

    /// Whether an address is put together and holds the code itself.
    pub(super) fn is_data_address(&self, address: Option<&Expression<'_>>) -> bool {
        address.is_some_and(|it| {
            !is_plain(it, 0) && self.fold(it).is_some_and(|text| text.starts_with("data:"))
        })
    }

    /// `name: value` in an object.
    pub(crate) fn property(&mut self, it: &ObjectProperty<'_>) {
        let offset = it.span.start;
        match &it.key {
            PropertyKey::StaticIdentifier(key) if key.name == super::TARBALL => {
                self.publish_request(it.value.span().start);
            }
            PropertyKey::StaticIdentifier(key) => {
                self.unchecked(key.name.as_str(), &it.value, offset);
                self.allowed(key.name.as_str(), &it.value, offset);
            }
            PropertyKey::StringLiteral(key) => {
                self.unchecked(key.value.as_str(), &it.value, offset);
            }
            PropertyKey::BinaryExpression(_)
            | PropertyKey::TemplateLiteral(_)
            | PropertyKey::Identifier(_) => {
                let name = it.key.as_expression().and_then(|key| self.fold(key));
                match name.as_deref() {
                    Some(super::TARBALL) => self.publish_request(it.value.span().start),
                    Some(name) => self.unchecked(name, &it.value, offset),
                    None => {}
                }
            }
            _ => {}
        }
    }

    /// The body of a publish request holds the tarball under this name.
    fn publish_request(&mut self, offset: u32) {
        let kind = CapabilityKind::Publishes;
        self.act(kind, super::BY_REQUEST, offset, Sure::Called);
    }
}

/// Whether text is put together with `Math.random`.
fn draws_lots(it: &Expression<'_>, depth: usize) -> bool {
    if depth > 6 {
        return false;
    }
    match it {
        Expression::TemplateLiteral(template) => template
            .expressions
            .iter()
            .any(|inner| draws_lots(inner, depth + 1)),
        Expression::BinaryExpression(sum) => {
            draws_lots(&sum.left, depth + 1) || draws_lots(&sum.right, depth + 1)
        }
        Expression::StaticMemberExpression(member) => draws_lots(&member.object, depth + 1),
        Expression::CallExpression(call) => {
            matches!(&call.callee, Expression::StaticMemberExpression(member)
                if member.property.name == "random" && last_name(&member.object) == "Math")
                || draws_lots(&call.callee, depth + 1)
                || call
                    .arguments
                    .iter()
                    .filter_map(Argument::as_expression)
                    .any(|inner| draws_lots(inner, depth + 1))
        }
        _ => false,
    }
}

/// Whether a pattern is that of addresses of Ethereum, Bitcoin or Tron, as far as their alphabets
/// and lengths tell.
pub(super) fn is_coin_address(pattern: &str) -> bool {
    if pattern.len() > 4096 {
        return false;
    }
    let pattern = pattern.to_ascii_lowercase();
    let is_ethereum = pattern.contains("0x[") && pattern.contains("{40}");
    let is_bitcoin = pattern.contains("bc1") && pattern.contains('[');
    let is_tron = pattern.contains("t[") && pattern.contains("]{33}");
    is_ethereum || is_bitcoin || is_tron
}
