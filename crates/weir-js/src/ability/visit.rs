//! What calls, assignments and members say about ability. Called by the survey's visitor, once per
//! node, so that everything here is a few comparisons for the nodes that say nothing.

use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, BindingPattern, CallExpression, Expression,
    ImportDeclaration, ImportDeclarationSpecifier, NewExpression, ObjectExpression, ObjectProperty,
    ObjectPropertyKind, PropertyKey, StaticMemberExpression, VariableDeclarator,
};
use oxc_span::GetSpan;
use oxc_syntax::operator::UnaryOperator;
use weir_model::contents::CapabilityKind;

use super::{NAMES, Seen, Sure, TOUCHES, Touch, Verb};
use crate::tables::{abilities, credentials};

/// Longest constant that is remembered by name, in bytes.
const CONSTANT: usize = 512;

/// Packages that take `fs`'s place.
const FILE_PACKAGES: [&str; 4] = ["fs-extra", "graceful-fs", "mz/fs", "jsonfile"];

/// The last name of a callee: `a.b.c` gives `c`.
pub(super) fn last_name<'a>(callee: &'a Expression<'_>) -> &'a str {
    match callee {
        Expression::Identifier(name) => name.name.as_str(),
        Expression::StaticMemberExpression(member) => member.property.name.as_str(),
        _ => "",
    }
}

/// The module of a specifier, if it is one that gives an ability.
fn module(specifier: &str) -> Option<&str> {
    let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
    let known = match bare {
        "fs" | "fs/promises" => Some("fs"),
        "dns/promises" => Some("dns"),
        "os" | "vm" | "process" | "worker_threads" | "path" => Some(bare),
        "rimraf" | "del" => Some("rimraf"),
        _ if FILE_PACKAGES.contains(&bare) => Some("fs"),
        _ => None,
    };
    known.or_else(|| abilities::of_module(bare).map(|_| bare))
}

/// The text of a plain literal.
fn text<'a>(it: &'a Expression<'_>) -> Option<&'a str> {
    match it {
        Expression::StringLiteral(text) => Some(text.value.as_str()),
        Expression::TemplateLiteral(template) => {
            let only = template.quasis.first()?;
            only.value.cooked.as_ref().map(|text| text.as_str())
        }
        _ => None,
    }
}

fn first<'a, 'b>(arguments: &'b [Argument<'a>], at: usize) -> Option<&'b Expression<'a>> {
    arguments.get(at).and_then(Argument::as_expression)
}

fn key_name<'a>(key: &'a PropertyKey<'_>) -> &'a str {
    match key {
        PropertyKey::StaticIdentifier(name) => name.name.as_str(),
        PropertyKey::StringLiteral(name) => name.value.as_str(),
        _ => "",
    }
}

fn is_false(it: &Expression<'_>) -> bool {
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

fn is_true(it: &Expression<'_>) -> bool {
    match it {
        Expression::BooleanLiteral(literal) => literal.value,
        Expression::UnaryExpression(unary) => {
            unary.operator == UnaryOperator::LogicalNot
                && matches!(&unary.argument, Expression::NumericLiteral(zero) if zero.value == 0.0)
        }
        _ => false,
    }
}

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

    /// `import x, { y as z } from 'm'`
    pub(crate) fn import(&mut self, it: &ImportDeclaration<'_>) {
        let Some(module) = module(it.source.value.as_str()) else {
            return;
        };
        for specifier in it.specifiers.iter().flatten() {
            let path = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    format!("{module}.{}", one.imported.name())
                }
                _ => module.to_owned(),
            };
            self.name(specifier.local().name.as_str(), path);
        }
    }

    /// `const x = require('m')`, `const { y } = require('m')`, `const text = '...'`.
    pub(crate) fn declare(&mut self, it: &VariableDeclarator<'_>) {
        let Some(init) = &it.init else {
            return;
        };
        self.pattern(init, 0);
        if let Expression::StringLiteral(_)
        | Expression::TemplateLiteral(_)
        | Expression::BinaryExpression(_)
        | Expression::LogicalExpression(_) = init
        {
            self.remember(&it.id, init);
            return;
        }
        let Some(module) = self.loaded(init, 0) else {
            match init {
                Expression::CallExpression(call) => match last_name(&call.callee) {
                    "join" | "resolve" | "homedir" | "cwd" | "tmpdir" | "fileURLToPath"
                    | "dirname" => self.remember(&it.id, init),
                    "createElement"
                        if first(&call.arguments, 0).and_then(text) == Some("script") =>
                    {
                        if let BindingPattern::BindingIdentifier(name) = &it.id
                            && self.scripts.len() < NAMES
                        {
                            self.scripts.push(name.name.to_string());
                        }
                    }
                    _ => {}
                },
                Expression::StaticMemberExpression(_) => self.remember(&it.id, init),
                _ => {}
            }
            return;
        };
        match &it.id {
            BindingPattern::BindingIdentifier(name) => self.name(name.name.as_str(), module),
            BindingPattern::ObjectPattern(pattern) => {
                for property in &pattern.properties {
                    let key = key_name(&property.key);
                    let local = match &property.value {
                        BindingPattern::BindingIdentifier(name) => name.name.as_str(),
                        BindingPattern::AssignmentPattern(default) => match &default.left {
                            BindingPattern::BindingIdentifier(name) => name.name.as_str(),
                            _ => continue,
                        },
                        _ => continue,
                    };
                    if !key.is_empty() {
                        let path = if key == "promises" {
                            module.clone()
                        } else {
                            format!("{module}.{key}")
                        };
                        self.name(local, path);
                    }
                }
            }
            _ => {}
        }
    }

    fn remember(&mut self, pattern: &BindingPattern<'_>, init: &Expression<'_>) {
        let BindingPattern::BindingIdentifier(name) = pattern else {
            return;
        };
        if self.constants.len() >= NAMES {
            return;
        }
        // Only what can be a path or an address is worth a place.
        let Some(value) = self.fold(init) else {
            return;
        };
        let is_useful = value.len() <= CONSTANT
            && (value.contains(['/', '~', '.']) || value.starts_with(super::fold::OWN));
        if is_useful
            && !self
                .constants
                .iter()
                .any(|(known, _)| known == name.name.as_str())
        {
            self.constants.push((name.name.to_string(), value));
        }
    }

    fn name(&mut self, local: &str, path: String) {
        if self.names.len() < NAMES && !self.names.iter().any(|(known, _)| known == local) {
            self.names.push((local.to_owned(), path));
        }
    }

    fn named(&self, local: &str) -> Option<&str> {
        self.names
            .iter()
            .find(|(known, _)| known == local)
            .map(|(_, path)| path.as_str())
    }

    /// The module that an expression gives: `require('m')`, also inside interop wrappers.
    fn loaded(&self, it: &Expression<'_>, depth: usize) -> Option<String> {
        if depth > 3 {
            return None;
        }
        match it {
            Expression::AwaitExpression(inner) => self.loaded(&inner.argument, depth + 1),
            Expression::ImportExpression(import) => {
                text(&import.source).and_then(module).map(str::to_owned)
            }
            Expression::CallExpression(call) => {
                let argument = first(&call.arguments, 0)?;
                match text(argument) {
                    Some(specifier)
                        if matches!(
                            last_name(&call.callee),
                            "require" | "getBuiltinModule" | "__require" | "_load"
                        ) =>
                    {
                        module(specifier).map(str::to_owned)
                    }
                    Some(_) => None,
                    None if call.arguments.len() <= 2 => match argument {
                        Expression::CallExpression(_) => self.loaded(argument, depth + 1),
                        // `promisify(exec)`
                        Expression::StaticMemberExpression(_) | Expression::Identifier(_)
                            if last_name(&call.callee) == "promisify" =>
                        {
                            let (module, function) = self.path(argument)?;
                            Some(format!("{module}.{function}"))
                        }
                        _ => None,
                    },
                    None => None,
                }
            }
            Expression::StaticMemberExpression(member) => {
                let module =
                    self.loaded(&member.object, depth + 1)
                        .or_else(|| match &member.object {
                            Expression::Identifier(name) => {
                                self.named(name.name.as_str()).map(str::to_owned)
                            }
                            _ => None,
                        })?;
                match member.property.name.as_str() {
                    "default" | "promises" => Some(module),
                    function => Some(format!("{module}.{function}")),
                }
            }
            _ => None,
        }
    }

    /// Module and function of a callee, where it belongs to something known.
    fn path(&self, callee: &Expression<'_>) -> Option<(String, String)> {
        let split = |path: &str| match path.split_once('.') {
            Some((module, function)) => (module.to_owned(), function.to_owned()),
            None => (path.to_owned(), String::new()),
        };
        match callee {
            Expression::Identifier(name) => self.named(name.name.as_str()).map(split),
            Expression::StaticMemberExpression(member) => {
                let function = member.property.name.as_str();
                let module = match &member.object {
                    Expression::Identifier(object) => {
                        let object = object.name.as_str();
                        match self.named(object) {
                            Some(path) => path.strip_suffix(".default").unwrap_or(path),
                            None if matches!(object, "process" | "navigator" | "Deno" | "Bun") => {
                                object
                            }
                            None => return None,
                        }
                        .to_owned()
                    }
                    Expression::StaticMemberExpression(inner) => {
                        match (inner.property.name.as_str(), &inner.object) {
                            ("clipboard", _) => "clipboard".to_owned(),
                            ("promises" | "default", Expression::Identifier(object)) => {
                                self.named(object.name.as_str())?.to_owned()
                            }
                            _ => return None,
                        }
                    }
                    object @ (Expression::CallExpression(_) | Expression::AwaitExpression(_)) => {
                        self.loaded(object, 0)?
                    }
                    _ => return None,
                };
                Some((module, function.to_owned()))
            }
            Expression::CallExpression(_) => self.loaded(callee, 0).as_deref().map(split),
            Expression::SequenceExpression(sequence) => {
                sequence.expressions.last().and_then(|last| self.path(last))
            }
            _ => None,
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
        match &it.callee {
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
                        _ => {}
                    }
                }
                self.method(function, &it.arguments, offset);
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
    fn pattern(&mut self, it: &Expression<'_>, depth: usize) {
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
    fn clipboard(&mut self, function: &str, offset: u32) {
        self.copied.0 |= function.starts_with("read") || function == "paste";
        self.copied.1 |= function.starts_with("write") || function == "copy";
        if self.copied == (true, true) {
            // Surer than one call alone, so that it is what is told.
            self.settled &= !(1_u32 << (CapabilityKind::Clipboard as u32));
            self.act(
                CapabilityKind::Clipboard,
                "reads and replaces what was copied",
                offset,
                Sure::Exact,
            );
        }
    }

    /// A method of something unknown.
    fn method(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        match function {
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
            }
            "_compile" => self.dynamic("module._compile", first(arguments, 0), offset),
            "log" | "warn" | "error" | "info" | "debug" | "trace" | "describe" | "test" | "it"
            | "push" | "includes" | "startsWith" | "indexOf" | "replace" | "createElement"
            | "expect" | "invariant" | "setAttributeNS" | "createElementNS" => {}
            _ => {
                for argument in arguments.iter().take(3) {
                    if let Some(address) = argument.as_expression().and_then(text)
                        && address.len() > 9
                        && (address.starts_with("http") || address.starts_with("ws"))
                    {
                        self.contact(address, offset, false);
                    }
                }
            }
        }
    }

    fn global(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        match function {
            "fetch" => {
                self.act(CapabilityKind::Network, "fetch", offset, Sure::Called);
                self.addresses(arguments, offset);
            }
            "eval" => self.dynamic("eval", first(arguments, 0), offset),
            "Function" => self.dynamic(
                "Function",
                arguments.last().and_then(Argument::as_expression),
                offset,
            ),
            "importScripts" => self.addresses(arguments, offset),
            "setTimeout" | "require" | "Error" | "define" => {}
            _ => {
                if let Some(address) = first(arguments, 0).and_then(text)
                    && address.len() > 9
                    && (address.starts_with("http") || address.starts_with("ws"))
                {
                    self.contact(address, offset, false);
                }
            }
        }
    }

    /// Code made of text. A literal is code like any other, and only its wrapper is new.
    fn dynamic(&mut self, what: &'static str, code: Option<&Expression<'_>>, offset: u32) {
        let Some(code) = code else {
            return;
        };
        if is_plain(code, 0) {
            return;
        }
        self.runs_text = true;
        self.act(CapabilityKind::DynamicCode, what, offset, Sure::Called);
    }

    fn document(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        if !matches!(function, "write" | "writeln") {
            return;
        }
        if let Some(html) = first(arguments, 0).and_then(|it| self.fold(it))
            && let Some((_, rest)) = html.split_once("<script")
            && let Some((_, address)) = rest.split_once("src=")
        {
            self.remote_script(address.trim_start_matches(['"', '\'', '\\']), offset);
        }
    }

    /// A script element is given an address.
    fn remote_script(&mut self, address: &str, offset: u32) {
        let full = if address.starts_with("//") {
            format!("https:{address}")
        } else {
            address.to_owned()
        };
        let is_remote = full.starts_with("http://") || full.starts_with("https://");
        if !is_remote {
            return;
        }
        if let Some(host) = crate::tables::network::host_of(&full) {
            self.act(
                CapabilityKind::RemoteScript,
                format!("a script from {host}"),
                offset,
                Sure::Exact,
            );
            self.contact(&full, offset, true);
        }
    }

    /// A function of a module that is known.
    fn known(&mut self, module: &str, function: &str, arguments: &[Argument<'_>], offset: u32) {
        match module {
            "fs" => self.file(function, arguments, offset),
            "rimraf" => self.remove(true, arguments, "rimraf", offset),
            "os" | "vm" | "process" | "clipboard" | "clipboardy" | "copy-paste" | "navigator"
            | "libnpmpublish" | "Deno" | "Bun" => {
                let Some(kind) = abilities::of_function(module, function)
                    .or_else(|| abilities::of_module(module))
                else {
                    return;
                };
                if kind == CapabilityKind::Clipboard {
                    self.clipboard(function, offset);
                }
                if kind == CapabilityKind::DynamicCode {
                    self.dynamic("vm", first(arguments, 0), offset);
                } else {
                    self.act(kind, format!("{module}.{function}"), offset, Sure::Called);
                }
                if kind == CapabilityKind::Network {
                    self.addresses(arguments, offset);
                }
            }
            _ => match abilities::of_module(module) {
                Some(CapabilityKind::Process) => self.process(module, function, arguments, offset),
                Some(kind) => {
                    let is_server = matches!(function, "createServer" | "STATUS_CODES" | "Agent");
                    if !is_server {
                        let detail = if function.is_empty() {
                            module.to_owned()
                        } else {
                            format!("{module}.{function}")
                        };
                        self.act(kind, detail, offset, Sure::Called);
                    }
                    if kind == CapabilityKind::Network {
                        self.addresses(arguments, offset);
                    }
                }
                None => {}
            },
        }
    }

    /// Addresses among the arguments of a call that talks to the network.
    fn addresses(&mut self, arguments: &[Argument<'_>], offset: u32) {
        for argument in arguments.iter().take(3).filter_map(Argument::as_expression) {
            if let Expression::ObjectExpression(object) = argument {
                self.address_fields(object, offset);
            } else if let Some(address) = self.fold(argument) {
                if address.contains("://") {
                    self.contact(&address, offset, true);
                } else if address.contains('.') && !address.contains(['/', ' ']) {
                    // `net.connect(443, 'a.example')`
                    self.contact_host(address.to_ascii_lowercase(), &address, offset, true);
                }
            }
        }
    }

    fn address_fields(&mut self, object: &ObjectExpression<'_>, offset: u32) {
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                continue;
            };
            match key_name(&property.key) {
                "host" | "hostname" => {
                    if let Some(host) = self.fold(&property.value) {
                        self.contact_host(host.to_ascii_lowercase(), &host, offset, true);
                    }
                }
                "url" | "uri" | "baseURL" | "prefixUrl" | "href" | "origin" => {
                    if let Some(address) = self.fold(&property.value) {
                        self.contact(&address, offset, true);
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads, writes and removals of files.
    fn file(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        if abilities::READERS.contains(&function) {
            if function.starts_with("readdir")
                && self.listed.len() < TOUCHES
                && let Some(folder) = first(arguments, 0).and_then(|it| self.fold(it))
            {
                self.listed.push(super::fold::join([folder.as_str()]));
            }
            if !self.is_settled(CapabilityKind::SecretFiles)
                && let Some(path) = first(arguments, 0).and_then(|it| self.fold(it))
                && credentials::kind(&path).is_some()
            {
                self.act(CapabilityKind::SecretFiles, path, offset, Sure::Called);
            }
            return;
        }
        if let Some((_, at)) = abilities::WRITERS
            .iter()
            .find(|(name, _)| *name == function)
        {
            self.touch(Verb::Write, first(arguments, *at), function, offset);
            // What is moved away is gone from where it was.
            if function.starts_with("rename") || function.starts_with("move") {
                self.touch(
                    Verb::Remove { tree: false },
                    first(arguments, 0),
                    function,
                    offset,
                );
            }
            return;
        }
        let removes = abilities::REMOVERS
            .iter()
            .find(|(name, _)| *name == function);
        if let Some((_, whole)) = removes {
            let is_recursive = *whole
                || arguments.iter().skip(1).filter_map(Argument::as_expression).any(|it| {
                    matches!(it, Expression::ObjectExpression(object) if has(object, "recursive", is_true))
                });
            self.remove(is_recursive, arguments, function, offset);
        }
    }

    fn remove(&mut self, tree: bool, arguments: &[Argument<'_>], function: &str, offset: u32) {
        if tree {
            self.act(
                CapabilityKind::Removes,
                function.to_owned(),
                offset,
                Sure::Loaded,
            );
        }
        self.touch(Verb::Remove { tree }, first(arguments, 0), function, offset);
    }

    fn touch(&mut self, verb: Verb, path: Option<&Expression<'_>>, by: &str, offset: u32) {
        if self.touches.len() >= TOUCHES {
            return;
        }
        // `unlink(process.argv[1])` is the program itself.
        let is_self = matches!(path, Some(Expression::ComputedMemberExpression(member))
            if matches!(&member.object, Expression::StaticMemberExpression(inner) if inner.property.name == "argv")
                && matches!(&member.expression, Expression::NumericLiteral(one) if one.value == 1.0));
        let path = if is_self {
            Some(format!("{}/\u{f8fd}", super::fold::OWN))
        } else {
            path.and_then(|it| self.fold(it))
        };
        if let Some(path) = path {
            let mut path = super::fold::join([path.as_str()]);
            // Each entry of a folder that is listed is all of it.
            if let Some((folder, entry)) = path.rsplit_once('/')
                && entry.chars().all(|c| c == crate::flow::UNKNOWN)
                && self.listed.iter().any(|listed| listed == folder)
            {
                path = format!("{folder}/*");
            }
            self.touches.push(Touch {
                verb,
                path,
                by: by.to_owned(),
                offset,
            });
        }
    }

    /// A program is started.
    fn process(&mut self, module: &str, function: &str, arguments: &[Argument<'_>], offset: u32) {
        if matches!(function, "on" | "isMaster" | "isPrimary" | "ChildProcess") {
            return;
        }
        let program = first(arguments, 0).and_then(|it| self.fold(it));
        let mut line = program.clone().unwrap_or_default();
        if let Some(Expression::ArrayExpression(list)) = first(arguments, 1) {
            for element in list.elements.iter().take(32) {
                let word = element.as_expression().and_then(|it| self.fold(it));
                line.push_str(" '");
                line.push_str(&word.unwrap_or_default().replace('\'', "'\\''"));
                line.push('\'');
            }
        }
        let named = if function.is_empty() {
            module.to_owned()
        } else {
            format!("{module}.{function}")
        };
        match program {
            Some(program) => {
                let shown = crate::place::clean(&program);
                self.act(
                    CapabilityKind::Process,
                    format!("{named} of {shown}"),
                    offset,
                    Sure::Called,
                );
                self.command(&line, offset);
            }
            None => self.act(CapabilityKind::Process, named.clone(), offset, Sure::Loaded),
        }
        let is_silent = arguments
            .iter()
            .skip(1)
            .filter_map(Argument::as_expression)
            .any(|it| {
                matches!(it, Expression::ObjectExpression(options)
                    if has(options, "detached", is_true) && has(options, "stdio", is_ignored))
            });
        if is_silent {
            self.act(CapabilityKind::DetachedProcess, named, offset, Sure::Called);
        }
    }

    /// `new x()`
    pub(crate) fn construct(&mut self, it: &NewExpression<'_>) {
        let offset = it.span.start;
        if let Some((module, function)) = self.path(&it.callee) {
            if module == "worker_threads" {
                self.worker(&it.arguments, offset);
            } else if !matches!(function.as_str(), "Agent" | "Server" | "WebSocketServer") {
                self.known(&module, &function, &it.arguments, offset);
            }
            return;
        }
        match last_name(&it.callee) {
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
            "Error" | "TypeError" | "RangeError" | "URL" => {}
            _ => {
                if let Some(address) = first(&it.arguments, 0).and_then(text)
                    && (address.starts_with("http") || address.starts_with("ws"))
                {
                    self.contact(address, offset, false);
                }
            }
        }
    }

    fn worker(&mut self, arguments: &[Argument<'_>], offset: u32) {
        let evaluates = matches!(first(arguments, 1), Some(Expression::ObjectExpression(options))
            if has(options, "eval", is_true));
        if evaluates {
            self.dynamic("Worker", first(arguments, 0), offset);
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
            _ => {}
        }
    }

    /// `x.y = z`
    pub(crate) fn assign(&mut self, it: &AssignmentExpression<'_>) {
        let AssignmentTarget::StaticMemberExpression(target) = &it.left else {
            return;
        };
        let offset = it.span.start;
        let property = target.property.name.as_str();
        self.pattern(&it.right, 0);
        if matches!(
            property,
            "request" | "send" | "sendAsync" | "sendTransaction" | "signTransaction"
        ) && let Some(provider) = provider(&target.object)
        {
            self.act(
                CapabilityKind::WrapsRequests,
                format!("replaces {provider}.{property}"),
                offset,
                Sure::Called,
            );
        }
        match property {
            "NODE_TLS_REJECT_UNAUTHORIZED" => {
                let is_off = match &it.right {
                    Expression::StringLiteral(text) => matches!(text.value.as_str(), "0" | "false"),
                    Expression::NumericLiteral(number) => number.value == 0.0,
                    other => is_false(other),
                };
                if is_off {
                    self.act(
                        CapabilityKind::DisablesTls,
                        property.to_owned(),
                        offset,
                        Sure::Called,
                    );
                }
            }
            "fetch" | "open" | "send" => {
                let wraps = match &target.object {
                    Expression::Identifier(object) => {
                        property == "fetch"
                            && matches!(
                                object.name.as_str(),
                                "window" | "globalThis" | "self" | "global"
                            )
                    }
                    // `XMLHttpRequest.prototype.send = `
                    Expression::StaticMemberExpression(inner) => {
                        inner.property.name == "prototype"
                            && last_name(&inner.object) == "XMLHttpRequest"
                    }
                    _ => false,
                };
                if wraps
                    && matches!(
                        it.right,
                        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)
                    )
                {
                    self.act(
                        CapabilityKind::WrapsRequests,
                        format!("replaces {property}"),
                        offset,
                        Sure::Called,
                    );
                }
            }
            "src" => {
                if let Expression::Identifier(element) = &target.object
                    && self
                        .scripts
                        .iter()
                        .any(|known| known == element.name.as_str())
                    && let Some(address) = self.fold(&it.right)
                {
                    self.remote_script(&address, offset);
                }
            }
            _ => {}
        }
    }

    /// `name: value` in an object.
    pub(crate) fn property(&mut self, it: &ObjectProperty<'_>) {
        let PropertyKey::StaticIdentifier(key) = &it.key else {
            return;
        };
        match key.name.as_str() {
            "rejectUnauthorized" | "strictSSL" if is_false(&it.value) => {
                self.act(
                    CapabilityKind::DisablesTls,
                    format!("{}: false", key.name),
                    it.span.start,
                    Sure::Called,
                );
            }
            // The body of a publish request holds the tarball under this name.
            "_attachments" => self.act(
                CapabilityKind::Publishes,
                "a publish request (_attachments)",
                it.value.span().start,
                Sure::Called,
            ),
            _ => {}
        }
    }
}

/// The wallet of a page: `window.ethereum`, also under another name of the page.
fn provider<'a>(it: &'a Expression<'_>) -> Option<&'a str> {
    let name = match it {
        Expression::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(page)
                if matches!(page.name.as_str(), "window" | "globalThis" | "self") =>
            {
                member.property.name.as_str()
            }
            _ => return None,
        },
        Expression::Identifier(name) => name.name.as_str(),
        _ => return None,
    };
    matches!(name, "ethereum" | "solana" | "phantom" | "tronWeb").then_some(name)
}

/// Whether a pattern is that of addresses of Ethereum, Bitcoin or Tron, as far as their alphabets
/// and lengths tell.
fn is_coin_address(pattern: &str) -> bool {
    if pattern.len() > 4096 {
        return false;
    }
    let pattern = pattern.to_ascii_lowercase();
    let is_ethereum = pattern.contains("0x[") && pattern.contains("{40}");
    let is_bitcoin = pattern.contains("bc1") && pattern.contains('[');
    let is_tron = pattern.contains("t[") && pattern.contains("]{33}");
    is_ethereum || is_bitcoin || is_tron
}

/// Text whose every piece is written there.
fn is_plain(it: &Expression<'_>, depth: usize) -> bool {
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
fn has(object: &ObjectExpression<'_>, name: &str, test: fn(&Expression<'_>) -> bool) -> bool {
    object.properties.iter().any(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) => {
            key_name(&property.key) == name && test(&property.value)
        }
        ObjectPropertyKind::SpreadProperty(_) => false,
    })
}

/// `'ignore'`, or a list of nothing else.
fn is_ignored(it: &Expression<'_>) -> bool {
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
