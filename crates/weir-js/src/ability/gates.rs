//! What code waits for before it acts: conditions around a place in its function, guards before it,
//! and the same around the calls of that function.

use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, Expression, Program, Statement};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use weir_model::contents::GateKind;

use crate::tables::gates::kinds;

/// How many calls up are looked at.
const CALLERS: usize = 3;
/// Most places that call one function and are looked at; a function that is called from more is
/// no payload's wrapper.
const PLACES: usize = 4;
/// A delay that counts as waiting, in milliseconds: sandboxes stop watching after about a minute.
const DELAY: f64 = 60_000.0;
/// Longest condition that is read, in bytes.
const CONDITION: usize = 2_000;

/// What a program's constants are made of, to be asked about several of its places.
pub(crate) struct Gates<'p, 'a> {
    program: &'p Program<'a>,
    constants: Vec<(String, Span)>,
}

impl<'p, 'a> Gates<'p, 'a> {
    pub(crate) fn of(program: &'p Program<'a>) -> Self {
        let mut constants = Constants::default();
        constants.visit_program(program);
        Self {
            program,
            constants: constants.0,
        }
    }

    /// What has to hold before the code at `offset` runs: kind and place of each condition.
    pub(crate) fn before(&self, offset: u32) -> Vec<(GateKind, u32)> {
        before(self.program, &self.constants, offset)
    }
}

fn before(
    program: &Program<'_>,
    constants: &[(String, Span)],
    offset: u32,
) -> Vec<(GateKind, u32)> {
    let mut found = Vec::new();
    let mut places = vec![offset];
    for _ in 0..=CALLERS {
        let mut names: Vec<String> = Vec::new();
        let mut common: Option<Vec<(GateKind, u32)>> = None;
        for &place in &places {
            let mut around = Around::at(program, place, constants);
            around.visit_program(program);
            for name in around.functions {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            common = Some(match common {
                None => around.gates,
                // Every way in has to pass it.
                Some(before) => before
                    .into_iter()
                    .filter(|(kind, _)| around.gates.iter().any(|(other, _)| other == kind))
                    .collect(),
            });
        }
        for gate in common.unwrap_or_default() {
            if !found.iter().any(|(kind, _)| *kind == gate.0) {
                found.push(gate);
            }
        }
        // The innermost function with a name.
        let Some(name) = names.pop() else {
            break;
        };
        let mut calls = Calls {
            name: &name,
            places: Vec::new(),
        };
        calls.visit_program(program);
        if calls.places.is_empty() || calls.places.len() > PLACES {
            break;
        }
        places = calls.places;
    }
    found
}

/// Conditions around one place.
struct Around<'s, 'c> {
    source: &'s str,
    offset: u32,
    gates: Vec<(GateKind, u32)>,
    /// Names of the functions around the place, from the outside in.
    functions: Vec<String>,
    /// What constants were made of: `const inCi = process.env.CI`.
    constants: &'c [(String, Span)],
}

impl<'s, 'c> Around<'s, 'c> {
    fn at(program: &'s Program<'_>, offset: u32, constants: &'c [(String, Span)]) -> Self {
        Self {
            source: program.source_text,
            offset,
            gates: Vec::new(),
            functions: Vec::new(),
            constants,
        }
    }

    fn holds(&self, span: Span) -> bool {
        span.start <= self.offset && self.offset < span.end
    }

    fn text(&self, span: Span) -> &'s str {
        let end = (span.end as usize).min(span.start as usize + CONDITION);
        self.source
            .get(span.start as usize..end)
            .unwrap_or_default()
    }

    fn condition(&mut self, test: Span) {
        let text = self.text(test);
        let mut found = kinds(text);
        for word in text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'))
            .take(40)
        {
            let init = self.constants.iter().find(|(name, _)| name == word);
            if let Some((_, init)) = init {
                found.extend(kinds(self.text(*init)));
            }
        }
        for kind in found {
            if !self.gates.iter().any(|(known, _)| *known == kind) {
                self.gates.push((kind, test.start));
            }
        }
    }

    /// `if (x) return;` before the place, in the same list of statements.
    fn guards(&mut self, statements: &[Statement<'_>]) {
        for statement in statements {
            let span = statement.span();
            if span.start > self.offset || self.holds(span) {
                break;
            }
            if let Statement::IfStatement(guard) = statement
                && leaves(&guard.consequent)
            {
                self.condition(guard.test.span());
            }
        }
    }
}

/// Short initial values by name.
#[derive(Default)]
struct Constants(Vec<(String, Span)>);

impl<'a> Visit<'a> for Constants {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        if let AstKind::VariableDeclarator(declared) = kind
            && let (BindingPattern::BindingIdentifier(name), Some(init)) =
                (&declared.id, &declared.init)
            && init.span().size() < 300
            && self.0.len() < 200
        {
            self.0.push((name.name.to_string(), init.span()));
        }
    }
}

/// Whether a statement ends the function or the program.
fn leaves(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::ReturnStatement(_) | Statement::ThrowStatement(_) => true,
        Statement::BlockStatement(block) => block.body.last().is_some_and(leaves),
        Statement::ExpressionStatement(it) => match &it.expression {
            Expression::CallExpression(call) => super::syntax::last_name(&call.callee) == "exit",
            _ => false,
        },
        _ => false,
    }
}

impl<'a> Visit<'a> for Around<'_, '_> {
    // What does not hold the place says nothing, and nothing in it does.
    fn visit_statement(&mut self, it: &Statement<'a>) {
        if self.holds(it.span()) {
            walk::walk_statement(self, it);
        }
    }

    fn visit_expression(&mut self, it: &Expression<'a>) {
        if self.holds(it.span()) {
            walk::walk_expression(self, it);
        }
    }

    fn enter_node(&mut self, kind: AstKind<'a>) {
        match kind {
            AstKind::VariableDeclarator(declared) => {
                if let (BindingPattern::BindingIdentifier(name), Some(init)) =
                    (&declared.id, &declared.init)
                {
                    let is_function = matches!(
                        init,
                        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)
                    );
                    if is_function && self.holds(init.span()) {
                        self.functions.push(name.name.to_string());
                    }
                }
            }
            AstKind::Function(function) if self.holds(function.span) => {
                if let Some(name) = &function.id {
                    self.functions.push(name.name.to_string());
                }
            }
            AstKind::IfStatement(it) if self.holds(it.span) && !self.holds(it.test.span()) => {
                self.condition(it.test.span());
            }
            AstKind::ConditionalExpression(it)
                if self.holds(it.span) && !self.holds(it.test.span()) =>
            {
                self.condition(it.test.span());
            }
            AstKind::LogicalExpression(it) if self.holds(it.right.span()) => {
                self.condition(it.left.span());
            }
            AstKind::SwitchStatement(it)
                if self.holds(it.span) && !self.holds(it.discriminant.span()) =>
            {
                self.condition(it.discriminant.span());
            }
            AstKind::FunctionBody(body) if self.holds(body.span) => self.guards(&body.statements),
            AstKind::BlockStatement(block) if self.holds(block.span) => self.guards(&block.body),
            AstKind::Program(program) => self.guards(&program.body),
            AstKind::CallExpression(call) if self.holds(call.span) => {
                let delays = matches!(
                    super::syntax::last_name(&call.callee),
                    "setTimeout" | "setInterval"
                );
                if delays
                    && let Some(delay) = call.arguments.get(1)
                    && self.delay(delay.span()) >= DELAY
                    && !self.gates.iter().any(|(kind, _)| *kind == GateKind::Time)
                {
                    self.gates.push((GateKind::Time, delay.span().start));
                }
            }
            _ => {}
        }
    }
}

impl Around<'_, '_> {
    /// A delay in milliseconds, from a product of numbers; zero where it is anything else.
    fn delay(&self, span: Span) -> f64 {
        self.text(span)
            .split('*')
            .map(|factor| factor.trim().replace('_', "").parse::<f64>().unwrap_or(0.0))
            .product()
    }
}

/// Places where a function is called by its name.
struct Calls<'n> {
    name: &'n str,
    places: Vec<u32>,
}

impl<'a> Visit<'a> for Calls<'_> {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        if let AstKind::CallExpression(call) = kind
            && matches!(&call.callee, Expression::Identifier(name) if name.name == self.name)
            && self.places.len() <= PLACES
        {
            self.places.push(call.span.start);
        }
    }
}
