//! What the names of a file stand for: modules, their functions, constants.

use oxc_ast::ast::{
    ArrayExpression, ArrowFunctionBody, AssignmentTarget, BindingPattern, Expression,
    ImportDeclaration, ImportDeclarationSpecifier, ObjectExpression, ObjectProperty,
    ObjectPropertyKind, PropertyKey, Statement, VariableDeclarator,
};
use oxc_span::GetSpan;

use super::page::is_new_script;
use super::syntax::{first, key_name, last_name, text};
use super::{NAMES, OUTSIDE, Seen};
use crate::flow::UNKNOWN;
use crate::tables::{abilities, network};

/// Longest constant that is remembered by name, in bytes.
const CONSTANT: usize = 512;
/// From how many characters on a text in quotes is remembered to be one.
const PLAIN: u32 = 16;

/// Packages that take `fs`'s place.
const FILE_PACKAGES: [&str; 4] = ["fs-extra", "graceful-fs", "mz/fs", "jsonfile"];

/// The module of a specifier, if it is one that gives an ability.
fn module(specifier: &str) -> Option<&str> {
    let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
    let known = match bare {
        "fs" | "fs/promises" => Some("fs"),
        "dns/promises" => Some("dns"),
        "os" | "vm" | "process" | "worker_threads" | "path" | "module" => Some(bare),
        "rimraf" | "del" => Some("rimraf"),
        "write-file-atomic" => Some("fs.writeFile"),
        _ if FILE_PACKAGES.contains(&bare) => Some("fs"),
        _ => None,
    };
    known.or_else(|| abilities::of_module(bare).map(|_| bare))
}

/// The expression that a function's body consists of.
fn single<'b, 'a>(body: &'b [Statement<'a>]) -> Option<&'b Expression<'a>> {
    match body {
        [Statement::ExpressionStatement(only)] => Some(&only.expression),
        _ => None,
    }
}

/// One bit of 64 for a name, by its length and both its ends.
fn bit(name: &str) -> u64 {
    let end = |byte: Option<&u8>| byte.map_or(0, |&byte| usize::from(byte));
    let bytes = name.as_bytes();
    1 << ((bytes.len() * 5 + end(bytes.first()) + end(bytes.last()) * 11) % 64)
}

impl Seen {
    /// `import x, { y as z } from 'm'`
    pub(crate) fn import(&mut self, it: &ImportDeclaration<'_>) {
        let Some(module) = module(it.source.value.as_str()) else {
            self.import_foreign(it);
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
        if let BindingPattern::BindingIdentifier(name) = &it.id {
            self.name_shell(name.name.as_str(), init);
        }
        if let Expression::StringLiteral(_)
        | Expression::TemplateLiteral(_)
        | Expression::BinaryExpression(_)
        | Expression::LogicalExpression(_) = init
        {
            self.name_wallet(it, init);
            self.remember(&it.id, init);
            return;
        }
        let Some(module) = self.loaded(init, 0) else {
            self.declare_foreign(&it.id, init);
            match init {
                Expression::CallExpression(call) => match last_name(&call.callee) {
                    "join" | "resolve" | "homedir" | "cwd" | "tmpdir" | "fileURLToPath"
                    | "dirname" | "toString" | "atob" => self.remember(&it.id, init),
                    "createElement" if is_new_script(call) => {
                        if let BindingPattern::BindingIdentifier(name) = &it.id
                            && self.scripts.len() < NAMES
                        {
                            self.scripts.push(name.name.to_string());
                        }
                    }
                    _ => {}
                },
                Expression::ObjectExpression(options) => self.name_options(&it.id, options),
                Expression::ArrayExpression(list) => self.remember_each(&it.id, list),
                Expression::StaticMemberExpression(_) => {
                    self.name_wallet(it, init);
                    self.remember(&it.id, init);
                }
                Expression::Identifier(_) | Expression::ChainExpression(_) => {
                    self.name_wallet(it, init);
                }
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

    /// `const [name, key] = ['x', 'y' + 'z']`
    fn remember_each(&mut self, pattern: &BindingPattern<'_>, list: &ArrayExpression<'_>) {
        let BindingPattern::ArrayPattern(names) = pattern else {
            return;
        };
        for (name, value) in names.elements.iter().zip(&list.elements) {
            if let (Some(name), Some(value)) = (name, value.as_expression()) {
                self.remember(name, value);
            }
        }
    }

    fn remember(&mut self, pattern: &BindingPattern<'_>, init: &Expression<'_>) {
        let BindingPattern::BindingIdentifier(name) = pattern else {
            return;
        };
        if self.constants.len() >= NAMES {
            return;
        }
        let is_text = matches!(
            init,
            Expression::StringLiteral(_) | Expression::TemplateLiteral(_)
        );
        let is_long = init.span().size() >= PLAIN;
        if is_text && is_long && self.plain.len() < NAMES {
            self.plain.push(name.name.to_string());
        }
        // Only what can be a path, an address or a telling field is worth a place.
        let Some(value) = self.fold(init) else {
            return;
        };
        let is_useful = value.len() <= CONSTANT
            && (value.contains(['/', '~', '.'])
                || value.starts_with(super::fold::OWN)
                || value == super::TARBALL)
            || value.starts_with(super::fold::ENCODED);
        if is_useful
            && !self
                .constants
                .iter()
                .any(|(known, _)| known == name.name.as_str())
        {
            self.constants.push((name.name.to_string(), value));
        }
    }

    pub(super) fn name(&mut self, local: &str, path: String) {
        if self.names.len() < NAMES && !self.names.iter().any(|(known, _)| known == local) {
            self.name_bits |= bit(local);
            self.names.push((local.to_owned(), path));
        }
    }

    pub(super) fn named(&self, local: &str) -> Option<&str> {
        if self.name_bits & bit(local) == 0 {
            return None;
        }
        self.names
            .iter()
            .find(|(known, _)| known == local)
            .map(|(_, path)| path.as_str())
    }

    /// The module that an expression gives: `require('m')`, also inside interop wrappers.
    pub(super) fn loaded(&self, it: &Expression<'_>, depth: usize) -> Option<String> {
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
                    Some(key) if matches!(call.callee, Expression::Identifier(_)) => {
                        self.bundled(key)
                    }
                    Some(_) => None,
                    None if matches!(argument, Expression::NumericLiteral(_)) => {
                        let Expression::NumericLiteral(number) = argument else {
                            return None;
                        };
                        match self.outside.is_empty() {
                            true => None,
                            false => self.bundled(&number.value.to_string()),
                        }
                    }
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

    /// The module that a module of this bundle stands for.
    fn bundled(&self, key: &str) -> Option<String> {
        self.outside
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, module)| module.clone())
    }

    /// `require('./' + name)`: some file of that folder.
    pub(super) fn loads_unknown(&mut self, specifier: Option<&Expression<'_>>) {
        let Some(specifier) = specifier.filter(|it| !matches!(it, Expression::StringLiteral(_)))
        else {
            return;
        };
        if self.picks.len() < NAMES
            && let Some(path) = self.fold(specifier)
            && let Some((folder, name)) = path.rsplit_once('/')
            && name.chars().eq([UNKNOWN])
        {
            let folder = match folder.strip_prefix("./") {
                _ if folder == "." => super::OWN.to_owned(),
                Some(below) => super::fold::join([super::OWN, below]),
                None => super::fold::join([folder]),
            };
            self.picks.push(folder);
        }
    }

    /// Folders, seen from the file, that are listed and from which a name that is not known is loaded.
    pub(crate) fn listed_loads(&self) -> impl Iterator<Item = String> {
        let listed = self
            .picks
            .iter()
            .filter(|folder| self.listed.contains(folder));
        listed.filter_map(|folder| Some(format!(".{}", folder.strip_prefix(super::OWN)?)))
    }

    /// The modules of a bundle that stand for modules outside of it, before any module of the table
    /// is looked at: they may come last.
    pub(crate) fn object(&mut self, it: &ObjectExpression<'_>) {
        for property in &it.properties {
            if let ObjectPropertyKind::ObjectProperty(property) = property {
                self.outside_module(property);
            }
        }
    }

    /// `200(e) { e.exports = require('child_process'); }` in the table of a bundle.
    fn outside_module(&mut self, it: &ObjectProperty<'_>) {
        if self.outside.len() >= OUTSIDE {
            return;
        }
        let only = match &it.value {
            Expression::FunctionExpression(function) => function
                .body
                .as_ref()
                .and_then(|body| single(&body.statements)),
            Expression::ArrowFunctionExpression(arrow) => match &arrow.body {
                ArrowFunctionBody::FunctionBody(body) => single(&body.statements),
                other => other.as_expression(),
            },
            _ => None,
        };
        if let Some(Expression::AssignmentExpression(assignment)) = only
            && let AssignmentTarget::StaticMemberExpression(target) = &assignment.left
            && target.property.name == "exports"
            && let Some(module) = self.loaded(&assignment.right, 0)
        {
            let key = match &it.key {
                PropertyKey::NumericLiteral(number) => number.value.to_string(),
                PropertyKey::StringLiteral(text) => text.value.to_string(),
                PropertyKey::StaticIdentifier(name) => name.name.to_string(),
                _ => return,
            };
            self.outside.push((key, module));
        }
    }

    /// Module and function of a callee, where it belongs to something known.
    pub(super) fn path(&self, callee: &Expression<'_>) -> Option<(String, String)> {
        let split = |path: &str| {
            let (module, function) = network::split_package(path);
            (module.to_owned(), function.to_owned())
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
}
