//! What runs as soon as a file is loaded, before anybody calls anything of it. A library waits for its
//! caller: what acts at once has been given no reason to.

mod methods;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    Argument, AssignmentTarget, BindingPattern, CallExpression, Class, ClassElement, Expression,
    MethodDefinitionKind, ObjectProperty, Program, PropertyDefinition, PropertyKey,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SemanticBuilder};
use oxc_span::{GetSpan, Span};
use oxc_syntax::symbol::SymbolId;

use self::methods::{Methods, is_function, symbol};
use super::syntax::last_name;
use crate::hash::{Map, Set};

/// Functions that call what they are given at once, or when what the call asked for is there. Those that
/// wait for a visitor or a person (`app.get`, `.action`) are none of them.
const CALLS_BACK: &[&str] = &[
    "then",
    "catch",
    "finally",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "nextTick",
    "queueMicrotask",
    "forEach",
    "map",
    "filter",
    "some",
    "call",
    "apply",
    "exec",
    "execFile",
    "readFile",
    "writeFile",
    "appendFile",
    "access",
    "mkdir",
    "chmod",
];

/// The functions of a program, and which of them run when it is loaded.
pub(crate) struct AtLoad {
    /// Where each lies, and whether it runs; outer ones first.
    functions: Vec<(Span, bool)>,
    /// Where calls lie, with what they are given.
    calls: Vec<Span>,
}

impl AtLoad {
    pub(crate) fn of(program: &Program<'_>) -> Self {
        let semantic = SemanticBuilder::new().build(program).semantic;
        let mut bodies = Bodies {
            scoping: semantic.scoping(),
            functions: vec![Body::default()],
            open: vec![0],
            expected: Map::default(),
            at_once: Set::default(),
            named: Map::default(),
            calls: Vec::new(),
            spans: Vec::new(),
            methods: Methods::default(),
        };
        bodies.visit_program(program);
        Self {
            calls: std::mem::take(&mut bodies.spans),
            functions: bodies.conclude(),
        }
    }

    /// Whether the code at `offset` runs when the file is loaded.
    pub(crate) fn runs(&self, offset: u32) -> bool {
        let mut around = self
            .functions
            .iter()
            .filter(|(span, _)| span.start <= offset && offset < span.end);
        around.all(|(_, runs)| *runs)
    }

    /// Whether the code at `offset` is among what a call is given, or makes it: no function lies between.
    pub(crate) fn is_given(&self, offset: u32) -> bool {
        let holds = |span: &Span| span.start <= offset && offset < span.end;
        let around = self.functions.iter().filter(|(span, _)| holds(span));
        let inner = around.map(|(span, _)| span.start).max().unwrap_or_default();
        let mut calls = self.calls.iter();
        calls.any(|call| holds(call) && call.start >= inner)
    }
}

/// A function, or the program itself.
#[derive(Default)]
struct Body {
    span: Span,
    /// The function around it.
    outer: usize,
    /// It runs if the one around it does.
    at_once: bool,
}

struct Bodies<'s> {
    scoping: &'s Scoping,
    functions: Vec<Body>,
    /// Those that are around the place, from the outside in.
    open: Vec<usize>,
    /// Names that a function will have which is not met yet.
    expected: Map<Span, SymbolId>,
    /// Functions that will be called where they stand.
    at_once: Set<Span>,
    /// The functions that a name stands for.
    named: Map<SymbolId, Vec<usize>>,
    /// Names that are called, and in which function.
    calls: Vec<(usize, SymbolId)>,
    /// Where calls lie.
    spans: Vec<Span>,
    methods: Methods,
}

impl Bodies<'_> {
    fn inner(&self) -> usize {
        self.open.last().copied().unwrap_or_default()
    }

    /// `it` is called here: a function that stands here, or one by its name.
    fn called(&mut self, it: &Expression<'_>) {
        if is_function(it) {
            self.at_once.insert(it.span());
        } else if let Some(name) = symbol(it, self.scoping) {
            self.calls.push((self.inner(), name));
        }
    }

    fn called_back(&mut self, arguments: &[Argument<'_>]) {
        for argument in arguments.iter().filter_map(Argument::as_expression) {
            self.called(argument);
        }
    }

    /// A name stands for a function, or for what wraps one: `once(() => {})`, a module of a bundle.
    fn names(&mut self, name: SymbolId, it: &Expression<'_>) {
        match it {
            Expression::CallExpression(call) => {
                for argument in call.arguments.iter().filter_map(Argument::as_expression) {
                    if is_function(argument) {
                        self.expected.insert(argument.span(), name);
                    }
                }
            }
            Expression::ClassExpression(class) => self.constructs(name, class),
            it if is_function(it) => {
                self.expected.insert(it.span(), name);
            }
            _ => {}
        }
    }

    /// A constructor runs when the name of its class is called with `new`.
    fn constructs(&mut self, name: SymbolId, class: &Class<'_>) {
        for element in &class.body.body {
            if let ClassElement::MethodDefinition(method) = element
                && method.kind == MethodDefinitionKind::Constructor
            {
                self.expected.insert(method.value.span, name);
            }
        }
    }

    fn open(&mut self, span: Span, name: Option<SymbolId>) {
        let at_once = self.at_once.remove(&span);
        let here = self.functions.len();
        for name in [name, self.expected.remove(&span)].into_iter().flatten() {
            self.named.entry(name).or_default().push(here);
        }
        self.methods.met(span, here);
        self.functions.push(Body {
            span,
            outer: self.inner(),
            at_once,
        });
        self.open.push(here);
    }

    /// From the program on: what is called where it stands, and what is called by a name.
    fn conclude(self) -> Vec<(Span, bool)> {
        let mut runs = vec![false; self.functions.len()];
        let mut inside: Vec<Vec<usize>> = vec![Vec::new(); self.functions.len()];
        for (index, body) in self.functions.iter().enumerate().skip(1) {
            if body.at_once
                && let Some(outer) = inside.get_mut(body.outer)
            {
                outer.push(index);
            }
        }
        for (caller, name) in &self.calls {
            if let Some(outer) = inside.get_mut(*caller) {
                outer.extend(self.named.get(name).into_iter().flatten());
            }
        }
        for (caller, functions) in self.methods.pairs() {
            if let Some(outer) = inside.get_mut(caller) {
                outer.extend(functions);
            }
        }
        let mut next = vec![0];
        while let Some(index) = next.pop() {
            match runs.get_mut(index) {
                Some(known) if !*known => *known = true,
                _ => continue,
            }
            next.extend(inside.get(index).into_iter().flatten());
        }
        let functions = self.functions.into_iter().zip(runs).skip(1);
        functions.map(|(body, runs)| (body.span, runs)).collect()
    }
}

impl<'a> Visit<'a> for Bodies<'_> {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        match kind {
            AstKind::Function(it) => {
                let name = it.id.as_ref().and_then(|id| id.symbol_id.get());
                self.open(it.span, name);
            }
            AstKind::ArrowFunctionExpression(it) => self.open(it.span, None),
            AstKind::VariableDeclarator(it) => {
                self.methods.declared(it, self.scoping);
                if let (BindingPattern::BindingIdentifier(id), Some(init)) = (&it.id, &it.init)
                    && let Some(name) = id.symbol_id.get()
                {
                    self.names(name, init);
                }
            }
            AstKind::AssignmentExpression(it) => {
                self.methods.assigned(&it.left, &it.right, self.scoping);
                if let AssignmentTarget::AssignmentTargetIdentifier(id) = &it.left
                    && let Some(reference) = id.reference_id.get()
                    && let Some(name) = self.scoping.get_reference(reference).symbol_id()
                {
                    self.names(name, &it.right);
                }
            }
            AstKind::Class(it) => {
                self.methods.enter_class(it);
                if let Some(name) = it.id.as_ref().and_then(|id| id.symbol_id.get()) {
                    self.constructs(name, it);
                }
            }
            AstKind::CallExpression(it) => self.call(it),
            AstKind::NewExpression(it) => {
                self.spans.push(it.span);
                match last_name(&it.callee) {
                    "Promise" => self.called_back(&it.arguments),
                    _ => self.called(&it.callee),
                }
            }
            AstKind::ObjectProperty(it) if is_bundled(it) => {
                self.at_once.insert(it.value.span());
            }
            _ => {}
        }
    }

    fn leave_node(&mut self, kind: AstKind<'a>) {
        match kind {
            AstKind::Function(_) | AstKind::ArrowFunctionExpression(_) => {
                self.open.pop();
            }
            AstKind::Class(_) => self.methods.leave_class(),
            _ => {}
        }
    }

    /// A field of an instance is made when the instance is.
    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if it.r#static {
            walk::walk_property_definition(self, it);
            return;
        }
        self.open(it.span, None);
        walk::walk_property_definition(self, it);
        self.open.pop();
    }
}

impl Bodies<'_> {
    fn call(&mut self, it: &CallExpression<'_>) {
        self.spans.push(it.span);
        self.called(&it.callee);
        let caller = self.inner();
        self.methods.called(it, caller, self.scoping);
        let name = last_name(&it.callee);
        // `(function () {}).call(this)`
        if let Expression::StaticMemberExpression(member) = &it.callee
            && matches!(name, "call" | "apply")
        {
            self.called(&member.object);
        }
        // `https.get(address, (answer) => {})`, `answer.on('end', () => {})`
        let answers = match name {
            "get" | "request" => is_of_http(&it.callee),
            "on" | "once" => matches!(
                it.arguments.first(),
                Some(Argument::StringLiteral(event))
                    if matches!(event.value.as_str(), "data" | "end" | "response" | "finish")
            ),
            name => CALLS_BACK.contains(&name),
        };
        if answers {
            self.called_back(&it.arguments);
        }
    }
}

/// `http.get`, `require('https').request`
fn is_of_http(callee: &Expression<'_>) -> bool {
    let Expression::StaticMemberExpression(member) = callee else {
        return false;
    };
    match &member.object {
        Expression::Identifier(name) => matches!(name.name.as_str(), "http" | "https"),
        Expression::CallExpression(call) => last_name(&call.callee) == "require",
        _ => false,
    }
}

/// A module in the table of a bundle: a function under a number or the path of a file.
fn is_bundled(it: &ObjectProperty<'_>) -> bool {
    let is_key = match &it.key {
        PropertyKey::NumericLiteral(_) => true,
        PropertyKey::StringLiteral(path) => [".js", ".cjs", ".mjs", ".ts", ".json"]
            .iter()
            .any(|ending| path.value.ends_with(ending)),
        _ => false,
    };
    is_key && is_function(&it.value)
}
