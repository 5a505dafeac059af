//! The first, cheap look at every file: what it imports, and whether it could take part in a flow.

mod literals;
mod loads;
mod shapes;
mod signs;

use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, BinaryExpression, BindingIdentifier,
    BindingPattern, BindingProperty, CallExpression, ComputedMemberExpression,
    ExportAllDeclaration, ExportFromDeclaration, Expression, ForOfStatement, FormalParameter,
    IdentifierReference, ImportDeclaration, ImportExpression, JSXElement, MethodDefinition,
    NewExpression, ObjectExpression, ObjectProperty, PropertyKey, Statement,
    StaticMemberExpression, StringLiteral, TSExternalModuleReference, TSType, TemplateLiteral,
    UnaryExpression, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, UnaryOperator};

use literals::{is_shouting, may_name_command, names_command, names_tool, tells_command};
pub(crate) use shapes::literal;
use shapes::{
    asks_for_evaluation, hands_maker_on, is_answer, is_cookies, is_decoded, is_function,
    is_function_prototype, is_pressed_key, last_name, loaded_by_each, loaded_in_loop,
    makes_functions, names_constructor, names_data_beside, names_service_worker,
    names_what_is_typed, spreads_storage, takes_cookies, takes_storage, takes_target,
};
pub(crate) use signs::{COMMANDS, Ends, KINDS, SECRETS, Signs, TEXT, Unsure};

use crate::ability::{Seen, Settled};
use crate::cut::Removable;
use crate::digits::Digits;
use crate::slice::{self, Parts, Recorder};
use crate::tables::{calls, credentials, data, secrets};
use crate::words::match_word;

/// Deepest syntax tree that is walked, in nested expressions and statements. The deepest of 44,175
/// real files has 779 levels; scopes and lowering use under 1 KiB of stack per level, so this many
/// fit half of the default stack (CRATES section 1).
pub(crate) const TREE_DEPTH: u32 = 60_000;

/// What one file is like.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Specifiers of what it loads, as far as they are plain or folded from literals.
    pub(crate) imports: Vec<String>,
    /// Those of them that it starts beside itself: workers, child processes.
    pub(crate) starts: Vec<String>,
    /// What speaks for a flow.
    pub(crate) signs: Signs,
    /// It holds the process, or everything global, under another name.
    pub(crate) process_by_alias: bool,
    /// The tree was too deep to be walked whole.
    pub(crate) too_deep: bool,
    /// Deepest nesting of expressions and statements that was met.
    pub(crate) deepest: u32,
    /// What it is able to do, and the hosts it names.
    pub(crate) seen: Seen,
    /// What it names of what matters to others, as far as anything near it writes, removes or starts something
    /// that is not known: bits of [`crate::tables::targets`].
    pub(crate) named: u8,
    depth: u32,
    /// Some literal may be a command that matters.
    may_name_command: bool,
    /// The parts of a large file, unless it has too many.
    pub(crate) parts: Option<Parts>,
    /// It has more parts than are kept.
    pub(crate) too_many_parts: bool,
    /// Collects them.
    recorder: Option<Box<Recorder>>,
}

impl Survey {
    /// Looks at a program. A large one is looked at part by part.
    pub(crate) fn of(program: &oxc_ast::ast::Program<'_>) -> Self {
        let is_large = program.source_text.len() > slice::WHOLE;
        let mut survey = Self {
            may_name_command: may_name_command(program.source_text),
            recorder: is_large.then(Box::default),
            ..Self::default()
        };
        survey.visit_program(program);
        survey.signs = survey.concluded();
        let recorder = survey.recorder.take();
        survey.too_many_parts = recorder.as_ref().is_some_and(|it| it.is_over());
        survey.parts = recorder.and_then(|it| it.finish());
        survey
    }

    /// Begins a part of the file here, if this is where one begins. Gives what was seen before.
    fn open(&mut self, node: &impl Removable) -> Option<(Signs, Settled)> {
        let recorder = self.recorder.as_mut().filter(|one| one.is_between())?;
        if !recorder.begins(node.part()) {
            return None;
        }
        recorder.open(node.part(), node.cuts());
        Some((std::mem::take(&mut self.signs), self.seen.unsettle()))
    }

    fn close(&mut self, before: Option<(Signs, Settled)>) {
        let Some((signs, settled)) = before else {
            return;
        };
        let part = self.concluded();
        if let Some(recorder) = &mut self.recorder {
            recorder.close(part);
        }
        self.signs.add(signs);
        self.seen.settle(settled);
    }

    /// What was seen since the beginning of the part or the file.
    fn concluded(&mut self) -> Signs {
        self.signs.source |= self.seen.reads_the_host();
        self.signs.runs_text |=
            self.seen.runs_text() || (self.signs.decodes && self.seen.starts_what_it_writes());
        self.signs.source |= self.signs.names_tool && self.seen.starts_with_words();
        self.signs.brings |= self.seen.asks_network();
        self.signs.unsure.add(self.seen.unsure());
        // What was fetched and written may be what is loaded by a name that is no literal.
        self.signs.runs_text |= self.signs.loads_by_alias && self.seen.fetches_what_it_writes();
        let mut signs = self.signs;
        signs.conclude();
        signs
    }

    fn uses(&mut self, name: &str) {
        if let Some(recorder) = &mut self.recorder {
            recorder.uses(name);
        }
    }

    fn defines(&mut self, name: &str) {
        if let Some(recorder) = &mut self.recorder {
            recorder.defines(name);
        }
    }

    /// It may take part in a flow.
    pub(crate) fn is_candidate(&self) -> bool {
        self.signs.may_read(true) || self.signs.sink
    }

    fn text(&mut self, text: &str) {
        self.signs.source |= tells_command(text);
        self.signs.names_tool |= names_tool(text);
        let bare = text.strip_prefix("node:").unwrap_or(text);
        match bare.len() {
            3 if bare == "env" => self.signs.env_of_something = true,
            2..=13 if calls::SENDING_MODULES.contains(&bare) => self.signs.names_module = true,
            _ => {}
        }
        if !self.signs.source && credentials::may_name_one(text) {
            self.signs.source = true;
        }
        if self.may_name_command && text.len() >= 6 && text.len() <= 8192 && names_command(text) {
            self.signs.source = true;
        }
        if text.len() > 2
            && text.len() < 128
            && is_shouting(text)
            && secrets::is_secret_variable(text)
        {
            self.signs.source = true;
        }
    }
}

impl<'a> Visit<'a> for Survey {
    fn visit_expression(&mut self, it: &Expression<'a>) {
        if self.depth > TREE_DEPTH {
            self.too_deep = true;
            return;
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let opened = self.open(it);
        walk::walk_expression(self, it);
        self.close(opened);
        self.depth -= 1;
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        if self.depth > TREE_DEPTH {
            self.too_deep = true;
            return;
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let opened = self.open(it);
        walk::walk_statement(self, it);
        self.close(opened);
        self.depth -= 1;
    }

    fn visit_jsx_element(&mut self, it: &JSXElement<'a>) {
        if self.depth > TREE_DEPTH {
            self.too_deep = true;
            return;
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        walk::walk_jsx_element(self, it);
        self.depth -= 1;
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.seen.declare(it);
        let opened = self.open(it);
        // `const { constructor: Maker } = Object.getPrototypeOf(async () => {})`
        if let (BindingPattern::ObjectPattern(_), Some(init)) = (&it.id, &it.init) {
            self.signs.runs_text |= is_function_prototype(init);
        }
        walk::walk_variable_declarator(self, it);
        self.close(opened);
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.defines(it.name.as_str());
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        self.seen.assign(it);
        if let AssignmentTarget::StaticMemberExpression(member) = &it.left {
            let property = member.property.name.as_str();
            self.signs.source |= secrets::is_key_function(property)
                || (is_function(&it.right) && self.seen.replaces(member));
            // An address that is put together and loaded carries what is in it.
            self.signs.sink |= property == "src"
                && matches!(
                    it.right,
                    Expression::BinaryExpression(_) | Expression::TemplateLiteral(_)
                );
        }
        // `typed += event.key`
        self.signs.source |=
            it.operator == AssignmentOperator::Addition && is_pressed_key(&it.right);
        if self.recorder.is_some() {
            match &it.left {
                AssignmentTarget::StaticMemberExpression(member) => {
                    self.defines(member.property.name.as_str());
                }
                AssignmentTarget::AssignmentTargetIdentifier(name) => {
                    self.defines(name.name.as_str());
                }
                _ => {}
            }
        }
        match &it.left {
            // A cookie is set, and none is read.
            AssignmentTarget::StaticMemberExpression(member) if is_cookies(member) => {
                self.uses("cookie");
                self.visit_expression(&member.object);
                self.visit_expression(&it.right);
            }
            _ => walk::walk_assignment_expression(self, it),
        }
    }

    fn visit_object_expression(&mut self, it: &ObjectExpression<'a>) {
        self.seen.object(it);
        // All that a page stores.
        self.signs.source |= spreads_storage(it);
        walk::walk_object_expression(self, it);
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        self.seen.property(it);
        if self.recorder.is_some() {
            // A module of a bundle stands under its number or path.
            let opened = self.open(it);
            match &it.key {
                PropertyKey::StaticIdentifier(name) => self.defines(name.name.as_str()),
                PropertyKey::StringLiteral(text) => self.defines(text.value.as_str()),
                PropertyKey::NumericLiteral(number) => self.defines(&Digits::of(number.value)),
                _ => {}
            }
            walk::walk_object_property(self, it);
            self.close(opened);
            return;
        }
        walk::walk_object_property(self, it);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if let PropertyKey::StaticIdentifier(name) = &it.key {
            self.defines(name.name.as_str());
            self.signs.source |= secrets::is_key_function(name.name.as_str());
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_ts_type(&mut self, _: &TSType<'a>) {
        // Types do not run.
    }

    /// `import x = require('y')` of TypeScript.
    fn visit_ts_external_module_reference(&mut self, it: &TSExternalModuleReference<'a>) {
        self.load(it.expression.value.as_str(), it.span.start);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        for specifier in loaded_in_loop(it) {
            self.load(&specifier, it.span.start);
        }
        walk::walk_for_of_statement(self, it);
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.seen.import(it);
        self.seen
            .remote_import(it.source.value.as_str(), it.span.start);
        self.load(it.source.value.as_str(), it.span.start);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.load(it.source.value.as_str(), it.span.start);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.load(it.source.value.as_str(), it.span.start);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        self.load_argument(Some(&it.source));
        self.seen.import_expression(&it.source);
        walk::walk_import_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        self.seen.call(it);
        self.signs.sink |= self.seen.tells_address(&it.callee, &it.arguments);
        if self.recorder.is_some() {
            // `require(123)` inside a bundle.
            match it.arguments.first() {
                Some(Argument::NumericLiteral(number)) => self.uses(&Digits::of(number.value)),
                Some(Argument::StringLiteral(text)) => self.uses(text.value.as_str()),
                _ => {}
            }
        }
        let function = last_name(&it.callee);
        // `parseCookies(document.cookie)` is after one of them.
        if takes_cookies(&it.arguments) && function.contains("arse") {
            self.uses("cookie");
            self.visit_expression(&it.callee);
            return;
        }
        match_word!(function, {
            "fork" => self.start_argument(&it.arguments),
            // `.then(eval)`, `[text].map(eval)`
            "then" | "flatMap" | "filter" => self.signs.runs_text |= hands_maker_on(it),
            "forEach" | "map" => {
                self.signs.runs_text |= hands_maker_on(it);
                for specifier in loaded_by_each(it) {
                    self.load(&specifier, it.span.start);
                }
            },
            // `navigator.serviceWorker.register('sw.js')`, and hooks of Node's loader of modules
            "register"
                if names_service_worker(&it.callee) || self.seen.sets_hooks(&it.callee) =>
            {
                self.start_argument(&it.arguments);
            },
            "require" | "resolve" | "getBuiltinModule" | "_load" => {
                let is_plain = matches!(&it.callee, Expression::Identifier(_));
                let first = it.arguments.first().and_then(Argument::as_expression);
                let text = first.and_then(literal);
                if first.is_some_and(is_decoded) {
                    self.signs.dynamic = true;
                }
                let last = it.arguments.last().and_then(Argument::as_expression);
                if let (Some(first), Some(last)) = (first, last) {
                    self.signs.names_data |= names_data_beside(first, last);
                }
                if let Some(text) = &text {
                    self.load(text, it.span.start);
                } else if is_plain && first.is_some() && function == "require" {
                    self.signs.loads_by_alias = true;
                }
                if is_plain && function == "require" {
                    // The name itself is no alias here.
                    for argument in &it.arguments {
                        self.visit_argument(argument);
                    }
                    return;
                }
            },
            "createRequire" => {
                self.signs.loads_by_alias = true;
            },
            "spawn" | "execFile" | "exec" => {
                self.signs.runs_text |= self.starts_bare_shell(&it.arguments);
            },
            // Text that a timer runs is mostly asked for where it is set.
            "setTimeout" | "setInterval" => {
                let first = it.arguments.first().and_then(Argument::as_expression);
                self.signs.runs_text |= first.is_some_and(is_answer);
            },
            "push" => {
                let first = it.arguments.first().and_then(Argument::as_expression);
                self.signs.source |= first.is_some_and(is_pressed_key);
            },
            "querySelector" | "getElementById" | "addEventListener" => {
                self.signs.source |= names_what_is_typed(function, &it.arguments);
            },
            "post" => {
                let first = it.arguments.first().and_then(Argument::as_expression);
                self.signs.runs_text |= matches!(first, Some(Expression::StringLiteral(text))
                    if text.value == "Runtime.evaluate");
            },
            // All that a page stores.
            "stringify" | "entries" | "values" | "assign" if takes_storage(&it.arguments) => {
                self.signs.source = true;
            },
            // `Reflect.construct(Function, [text])`, `Function.call(null, text)`
            "construct" | "apply" | "call" | "bind" if hands_maker_on(it) => {
                self.signs.runs_text = true;
            },
            "eval" | "Function" | "runInThisContext" | "runInNewContext" | "runInContext"
            | "_compile" | "compileFunction" => self.evaluates(&it.arguments),
            "fromCharCode" | "codePointAt" | "unescape" | "reverse" => self.signs.decodes = true,
            "atob" | "createDecipheriv" | "gunzipSync" | "inflateSync" | "brotliDecompressSync" => {
                self.signs.decodes = true;
                self.signs.brings = true;
            },
            "from" | "toString" | "join" => {
                let last = it.arguments.last().and_then(Argument::as_expression);
                let first = it.arguments.first().and_then(Argument::as_expression);
                if let (Some(first), Some(last)) = (first, last) {
                    self.signs.names_data |= names_data_beside(first, last);
                }
                if let Some(Expression::StringLiteral(text)) = last
                    && matches!(text.value.as_str(), "hex" | "base64" | "")
                {
                    self.signs.decodes = true;
                    self.signs.brings |= function == "from" && it.arguments.len() > 1;
                }
            },
            _ => {}
        });
        if let Expression::CallExpression(inner) = &it.callee
            && last_name(&inner.callee) == "createRequire"
        {
            self.load_argument(it.arguments.first().and_then(Argument::as_expression));
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        if self.seen.construct(it) {
            self.start_argument(&it.arguments);
        }
        self.signs.sink |= self.seen.tells_address(&it.callee, &it.arguments);
        if matches!(
            last_name(&it.callee),
            "Function" | "Script" | "SourceTextModule"
        ) {
            self.evaluates(&it.arguments);
        }
        self.signs.source |= last_name(&it.callee) == "FormData" && takes_target(&it.arguments);
        if last_name(&it.callee) == "Worker" && asks_for_evaluation(&it.arguments) {
            self.evaluates(it.arguments.get(..1).unwrap_or_default());
        }
        if last_name(&it.callee) == "URL"
            && let Some(text) = it
                .arguments
                .first()
                .and_then(Argument::as_expression)
                .and_then(literal)
        {
            self.signs.names_data |= it.arguments.len() > 1 && data::is_named(&text);
            self.load(&text, it.span.start);
        }
        walk::walk_new_expression(self, it);
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        // Two short literals joined: nobody writes that by hand, bundlers fold it.
        if it.operator == BinaryOperator::Addition
            && let (Expression::StringLiteral(left), Expression::StringLiteral(right)) =
                (&it.left, &it.right)
            && left.value.len() + right.value.len() <= 16
            && !left.value.contains(['\n', ' '])
            && !right.value.contains(['\n', ' '])
        {
            self.signs.dynamic = true;
        }
        self.signs.names_data |= names_data_beside(&it.left, &it.right);
        walk::walk_binary_expression(self, it);
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        // `typeof process`, `typeof require`, `typeof fetch` ask whether it exists.
        if it.operator == UnaryOperator::Typeof && matches!(it.argument, Expression::Identifier(_))
        {
            return;
        }
        walk::walk_unary_expression(self, it);
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        let property = it.property.name.as_str();
        self.uses(property);
        self.seen.member(it);
        match_word!(property, {
            "env" => match &it.object {
                Expression::Identifier(name) if name.name != "process" => {
                    self.signs.env_of_something = true;
                }
                Expression::StaticMemberExpression(inner) if inner.property.name != "process" => {
                    self.signs.env_of_something = true;
                }
                _ => self.signs.source = true,
            },
            "fetch" | "XMLHttpRequest" | "WebSocket" | "EventSource" | "sendBeacon" => {
                self.signs.sink = true;
            },
            "mainModule" | "getBuiltinModule" => self.signs.dynamic = true,
            // Of the diagnostic report.
            "environmentVariables" => self.signs.source = true,
            "privateKey" | "secretKey" if matches!(it.object, Expression::ThisExpression(_)) => {
                self.signs.source = true;
            },
            "process" => self.process_by_alias = true,
            // All that an app stores, and all cookies of a browser.
            "getAllKeys" => self.signs.source = true,
            "cache" => self.signs.source |= matches!(&it.object, Expression::Identifier(name)
                if name.name == "require"),
            "cookies" => self.signs.source |= matches!(&it.object, Expression::Identifier(name)
                if matches!(name.name.as_str(), "chrome" | "browser")),
            "cookie" => self.signs.source |= is_cookies(it),
            "constructor" => self.signs.runs_text |= makes_functions(&it.object),
            _ => self.signs.source |= secrets::is_seed_field(property),
        });
        match &it.object {
            // `process.platform`
            Expression::Identifier(name) if name.name == "process" => return,
            // `process.env.NAME`
            Expression::StaticMemberExpression(inner) if inner.property.name == "env" => {
                if secrets::is_secret_variable(property)
                    || property.eq_ignore_ascii_case("npm_config_userconfig")
                {
                    self.signs.source = true;
                }
                if let Expression::Identifier(name) = &inner.object {
                    if name.name != "process" {
                        self.visit_identifier_reference(name);
                    }
                } else {
                    self.visit_expression(&inner.object);
                }
                return;
            }
            // `document.cookie.split(';')` looks for one of them.
            Expression::StaticMemberExpression(inner) if is_cookies(inner) => {
                self.uses("cookie");
                self.visit_expression(&inner.object);
                return;
            }
            Expression::Identifier(name)
                if name.name == "module" && matches!(property, "constructor" | "require") =>
            {
                self.signs.dynamic = true;
            }
            _ => {}
        }
        walk::walk_static_member_expression(self, it);
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        let is_call = match &it.expression {
            Expression::CallExpression(call) => matches!(call.callee, Expression::Identifier(_)),
            Expression::BinaryExpression(_) => true,
            _ => false,
        };
        if is_call && is_decoded(&it.expression) {
            self.signs.decoded_names += 1;
        }
        if names_constructor(it) {
            self.signs.runs_text |= makes_functions(&it.object);
        }
        // `Reflect['con' + 'struct'](Function, [text])`: nobody hides what else it can do.
        self.signs.runs_text |=
            matches!(&it.object, Expression::Identifier(name) if name.name == "Reflect");
        if let Expression::Identifier(name) = &it.object
            && matches!(
                name.name.as_str(),
                "process" | "global" | "globalThis" | "window" | "self" | "module" | "require"
            )
        {
            match literal(&it.expression) {
                Some(text)
                    if matches!(
                        text.as_str(),
                        "fetch" | "XMLHttpRequest" | "WebSocket" | "EventSource"
                    ) =>
                {
                    self.signs.sink = true;
                }
                Some(text) if matches!(text.as_str(), "env" | "process" | "require") => {
                    self.signs.dynamic = true;
                }
                Some(_) => {}
                // A name that is not known: anything global, the network included.
                None if matches!(
                    name.name.as_str(),
                    "global" | "globalThis" | "window" | "self"
                ) =>
                {
                    self.signs.sink = true;
                    self.process_by_alias = true;
                }
                None => self.signs.dynamic = true,
            }
        }
        walk::walk_computed_member_expression(self, it);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.uses(it.name.as_str());
        match it.name.as_str() {
            "process" => self.process_by_alias = true,
            "fetch" | "XMLHttpRequest" | "WebSocket" | "EventSource" => self.signs.sink = true,
            "Bun" | "Deno" => {
                self.signs.source = true;
                self.signs.sink = true;
            }
            "require" => self.signs.loads_by_alias = true,
            _ => {}
        }
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if let BindingPattern::BindingIdentifier(name) = &it.pattern
            && secrets::is_key_argument(name.name.as_str())
        {
            self.signs.source = true;
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        self.text(it.value.as_str());
    }

    fn visit_binding_property(&mut self, it: &BindingProperty<'a>) {
        if let PropertyKey::StaticIdentifier(key) = &it.key {
            match key.name.as_str() {
                "env" => self.signs.env_of_something = true,
                "process" => self.process_by_alias = true,
                "fetch" | "XMLHttpRequest" | "WebSocket" | "EventSource" => self.signs.sink = true,
                "mainModule" | "getBuiltinModule" => self.signs.dynamic = true,
                _ => {}
            }
        }
        walk::walk_binding_property(self, it);
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        for quasi in &it.quasis {
            if let Some(text) = &quasi.value.cooked {
                self.text(text.as_str());
            }
        }
        // `${__dirname}/data.bin`
        if let (Some(Expression::Identifier(folder)), Some(rest)) =
            (it.expressions.first(), it.quasis.last())
            && folder.name == "__dirname"
            && let Some(rest) = &rest.value.cooked
        {
            self.signs.names_data |= data::is_named(rest.as_str());
        }
        walk::walk_template_literal(self, it);
    }
}
