//! What a known function does to what it is given: hosts, files, programs.

use oxc_ast::ast::{
    Argument, Expression, ObjectExpression, ObjectPropertyKind, StaticMemberExpression,
};
use weir_model::contents::CapabilityKind;

use super::syntax::{first, has, is_true, key_name, text};
use super::{Seen, Sure, TOUCHES, Touch, Verb};
use crate::command;
use crate::tables::{abilities, credentials, overheard};

impl Seen {
    /// A function of a module that is known.
    pub(super) fn known(
        &mut self,
        module: &str,
        function: &str,
        arguments: &[Argument<'_>],
        offset: u32,
    ) {
        match module {
            "fs" => self.file(function, arguments, offset),
            // `register('data:text/javascript,' + text)`: hooks of the loader of modules.
            "module" if function == "register" => self.hooks(first(arguments, 0), offset),
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

    /// Whether a callee sets hooks of the loader of modules.
    pub(crate) fn sets_hooks(&self, callee: &Expression<'_>) -> bool {
        self.path(callee)
            .is_some_and(|(module, function)| module == "module" && function == "register")
    }

    /// Whether a member is a function of Node or of a page that others call.
    pub(crate) fn replaces(&self, it: &StaticMemberExpression<'_>) -> bool {
        let member = it.property.name.as_str();
        if !overheard::may_be_called_by_others(member) {
            return false;
        }
        let object = match &it.object {
            Expression::Identifier(object) => {
                let object = object.name.as_str();
                self.named(object).unwrap_or(object)
            }
            // `XMLHttpRequest.prototype.send`
            Expression::StaticMemberExpression(inner) => {
                return matches!(&inner.object, Expression::Identifier(of)
                    if matches!(of.name.as_str(), "XMLHttpRequest" | "WebSocket"));
            }
            _ => return false,
        };
        let object = object.strip_suffix(".default").unwrap_or(object);
        match object {
            "globalThis" | "window" | "self" | "global" => {
                overheard::is_called_by_others("global", member)
            }
            "JSON" | "Module" => overheard::is_called_by_others(object, member),
            _ => overheard::is_called_by_others(&format!("node:{object}"), member),
        }
    }

    /// Hooks of the loader of modules, which lie in a file or are the address itself. Where its beginning is
    /// not known it may be either.
    fn hooks(&mut self, address: Option<&Expression<'_>>, offset: u32) {
        if self.is_data_address(address) {
            self.dynamic("module.register", address, offset);
        }
        let begins = address.and_then(|it| self.fold(it));
        self.runs_text |= begins.is_none_or(|text| text.starts_with(crate::flow::UNKNOWN));
    }

    /// Addresses among the arguments of a call that talks to the network.
    pub(super) fn addresses(&mut self, arguments: &[Argument<'_>], offset: u32) {
        for argument in arguments.iter().take(3).filter_map(Argument::as_expression) {
            if let Expression::ObjectExpression(object) = argument {
                self.address_fields(object, offset);
            } else if let Some(address) = self.fold(argument) {
                if address.contains("://") {
                    self.dispatched(&address, offset);
                    self.contact(&address, offset, true);
                } else if address.contains('.') && !address.contains(['/', ' ']) {
                    // `net.connect(443, 'a.example')`
                    self.contact_host(address.to_ascii_lowercase(), &address, offset, true);
                }
            }
        }
    }

    /// `…/actions/workflows/release.yml/dispatches`: a pipeline is told to run, and what it publishes has
    /// the repository's name.
    fn dispatched(&mut self, address: &str, offset: u32) {
        let is_dispatch = address
            .split_once("/actions/workflows/")
            .is_some_and(|(_, behind)| behind.trim_end_matches('/').ends_with("/dispatches"));
        if is_dispatch {
            let detail = "a workflow that is started (dispatches)";
            self.act(CapabilityKind::Publishes, detail, offset, Sure::Called);
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
                        self.dispatched(&address, offset);
                        self.contact(&address, offset, true);
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads, writes and removals of files.
    fn file(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        if matches!(function, "open" | "openSync")
            && first(arguments, 1)
                .and_then(text)
                .is_some_and(|mode| mode.starts_with(['a', 'w']))
        {
            // What is opened to be written or added to is written.
            self.writes = true;
            self.touch(Verb::Write, first(arguments, 0), function, offset);
            return;
        }
        if abilities::READERS.contains(&function) {
            if function.starts_with("readdir") && self.listed.len() < TOUCHES {
                match first(arguments, 0).and_then(|it| self.fold(it)) {
                    Some(folder) => self.listed.push(super::fold::join([folder.as_str()])),
                    None => self.lists_unknown = true,
                }
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
            self.writes = true;
            self.overwrites(function, arguments, offset);
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

    /// The same text in place of every file of a folder that is only known when it runs.
    fn overwrites(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        if !self.lists_unknown || !function.starts_with("writeFile") {
            return;
        }
        let is_entry = first(arguments, 0)
            .and_then(|it| self.fold(it))
            .is_some_and(|path| {
                path.contains('/')
                    && path
                        .chars()
                        .all(|c| matches!(c, '/' | crate::flow::UNKNOWN))
            });
        let is_constant = first(arguments, 1)
            .and_then(super::syntax::text)
            .is_some_and(|text| !text.is_empty());
        if is_entry && is_constant {
            self.act(
                CapabilityKind::RemovesHome,
                format!("the same text in place of every file, by {function}"),
                offset,
                Sure::Called,
            );
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
        // `unlink(process.argv[1])` is the program itself.
        let is_self = matches!(path, Some(Expression::ComputedMemberExpression(member))
            if matches!(&member.object, Expression::StaticMemberExpression(inner) if inner.property.name == "argv")
                && matches!(&member.expression, Expression::NumericLiteral(one) if one.value == 1.0));
        let path = if is_self {
            Some(format!("{}/\u{f8fd}", super::fold::OWN))
        } else {
            path.and_then(|it| self.fold(it))
        };
        self.note_touch(verb, path.as_deref());
        if self.touches.len() >= TOUCHES {
            return;
        }
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
        if (module, function) == ("shelljs", "rm") {
            // `rm('-rf', path)`
            let paths = arguments.get(1..).filter(|rest| !rest.is_empty());
            return self.remove(true, paths.unwrap_or(arguments), "shelljs.rm", offset);
        }
        self.starts = true;
        let program = first(arguments, 0).and_then(|it| self.fold(it));
        let mut line = program.clone().unwrap_or_default();
        if let Some(Expression::ArrayExpression(list)) = first(arguments, 1) {
            for element in list.elements.iter().take(32) {
                let word = element.as_expression().and_then(|it| self.fold(it));
                // Only there it matters that something stands which is not known.
                let word = word.unwrap_or_else(|| match command::ends_in_encoding(&line) {
                    true => crate::flow::UNKNOWN.to_string(),
                    false => String::new(),
                });
                line.push_str(" '");
                line.push_str(&word.replace('\'', "'\\''"));
                line.push('\'');
            }
        }
        if function != "fork" {
            self.note_start(program.as_deref(), arguments);
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
                self.prints_secrets |= self.may_print(first(arguments, 0), &line);
                self.command(&line, offset);
            }
            None => self.act(CapabilityKind::Process, named.clone(), offset, Sure::Loaded),
        }
        let is_silent = arguments
            .iter()
            .skip(1)
            .filter_map(Argument::as_expression)
            .any(|it| self.is_silent(it));
        if is_silent {
            self.act(CapabilityKind::DetachedProcess, named, offset, Sure::Called);
        }
    }
}
