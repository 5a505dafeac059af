//! Functions and statements.

use std::cell::RefCell;
use std::rc::Rc;

use oxc_ast::AstKind;
use oxc_ast::ast::*;
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;
use oxc_syntax::scope::ScopeId;
use oxc_syntax::symbol::SymbolId;

use super::value::{Closure, Table, Value};
use super::{DEPTH, Evaluator, Halt, LINK, Outcome};

/// The variables of a running function, or of a loop that is run by itself.
#[derive(Debug)]
pub(crate) struct Frame {
    values: RefCell<Vec<(SymbolId, Value)>>,
    parent: Option<Rc<Frame>>,
    /// Scope of the function, to tell its own variables from those outside.
    scope: Option<ScopeId>,
    /// A loop that is run by itself keeps what it writes here.
    span: Option<Span>,
    arguments: Value,
    pub(crate) this: Value,
}

impl Frame {
    /// The frame of a loop at this place.
    pub(crate) fn for_loop(span: Span) -> Self {
        Self {
            values: RefCell::default(),
            parent: None,
            scope: None,
            span: Some(span),
            arguments: Value::Undefined,
            this: Value::Undefined,
        }
    }

    /// What the frame holds.
    pub(crate) fn written(&self) -> Vec<(SymbolId, Value)> {
        self.values.borrow().clone()
    }

    fn get(&self, symbol: SymbolId) -> Option<Value> {
        let values = self.values.borrow();
        let found = values.iter().find(|(held, _)| *held == symbol);
        match (found, &self.parent) {
            (Some((_, value)), _) => Some(value.clone()),
            (None, Some(parent)) => parent.get(symbol),
            (None, None) => None,
        }
    }

    /// Writes to a variable of this or an outer frame. Gives the value back where there is none.
    fn set(&self, symbol: SymbolId, value: Value) -> Result<(), Value> {
        if let Some((_, slot)) = self
            .values
            .borrow_mut()
            .iter_mut()
            .find(|(held, _)| *held == symbol)
        {
            *slot = value;
            return Ok(());
        }
        match &self.parent {
            Some(parent) => parent.set(symbol, value),
            None => Err(value),
        }
    }

    pub(crate) fn declare(&self, symbol: SymbolId, value: Value) {
        let mut values = self.values.borrow_mut();
        match values.iter_mut().find(|(held, _)| *held == symbol) {
            Some((_, slot)) => *slot = value,
            None => values.push((symbol, value)),
        }
    }

    fn scopes(&self) -> impl Iterator<Item = ScopeId> {
        let mut found = Vec::new();
        let mut next = Some(self);
        while let Some(frame) = next {
            found.extend(frame.scope);
            next = frame.parent.as_deref();
        }
        found.into_iter()
    }

    fn loop_span(&self) -> Option<Span> {
        let mut next = self;
        while let Some(parent) = next.parent.as_deref() {
            next = parent;
        }
        next.span
    }

    /// `arguments` of the function around.
    pub(crate) fn arguments(&self) -> Value {
        self.arguments.clone()
    }
}

/// How a statement ended.
#[derive(Debug)]
pub(crate) enum Next {
    On,
    Break(Option<String>),
    Continue(Option<String>),
    Return(Value),
}

/// What a loop does after its body.
enum Turn {
    Again,
    Leave,
    Pass(Next),
}

fn turn(next: Next, label: Option<&str>) -> Turn {
    match next {
        Next::On | Next::Continue(None) => Turn::Again,
        Next::Break(None) => Turn::Leave,
        Next::Continue(Some(name)) if Some(name.as_str()) == label => Turn::Again,
        Next::Break(Some(name)) if Some(name.as_str()) == label => Turn::Leave,
        other => Turn::Pass(other),
    }
}

type Scope<'f> = Option<&'f Rc<Frame>>;

impl Evaluator<'_, '_> {
    pub(crate) fn closure(&mut self, node: NodeId, frame: Scope<'_>) -> Outcome<Value> {
        self.take(LINK)?;
        Ok(Value::Function(Rc::new(Closure {
            node,
            frame: frame.cloned(),
            properties: RefCell::default(),
        })))
    }

    /// Goes one level deeper for the time of `run`.
    pub(crate) fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.step()?;
        if self.depth >= DEPTH {
            return Err(Halt::Unknown);
        }
        self.depth += 1;
        let outcome = run(self);
        self.depth -= 1;
        outcome
    }

    /// Calls a function of the file.
    pub(crate) fn enter(
        &mut self,
        closure: &Closure,
        this: Value,
        arguments: Vec<Value>,
    ) -> Outcome<Value> {
        self.take(64 + 24 * arguments.len())?;
        let kind = self.nodes.kind(closure.node);
        let (parameters, scope) = match kind {
            AstKind::Function(function) if !function.r#async && !function.generator => {
                (&function.params, function.scope_id.get())
            }
            AstKind::ArrowFunctionExpression(arrow) if !arrow.r#async => {
                (&arrow.params, arrow.scope_id.get())
            }
            _ => return Err(Halt::Unknown),
        };
        let is_arrow = matches!(kind, AstKind::ArrowFunctionExpression(_));
        let outer = closure.frame.as_ref();
        let frame = Rc::new(Frame {
            values: RefCell::default(),
            parent: outer.cloned(),
            scope,
            span: None,
            arguments: match (is_arrow, outer) {
                (true, Some(outer)) => outer.arguments.clone(),
                _ => argument_object(&arguments),
            },
            this: match (is_arrow, outer) {
                (true, Some(outer)) => outer.this.clone(),
                _ => this,
            },
        });
        for (at, parameter) in parameters.items.iter().enumerate() {
            let mut value = arguments.get(at).cloned().unwrap_or(Value::Undefined);
            if let (Value::Undefined, Some(initializer)) = (&value, &parameter.initializer) {
                value = self.expression(initializer, Some(&frame))?;
            }
            self.bind(&parameter.pattern, value, &frame)?;
        }
        if let Some(rest) = &parameters.rest {
            let left = arguments.get(parameters.items.len()..).unwrap_or_default();
            self.bind(&rest.rest.argument, Value::array(left.to_vec()), &frame)?;
        }
        let body = match kind {
            AstKind::Function(function) => function.body.as_deref(),
            AstKind::ArrowFunctionExpression(arrow) => match &arrow.body {
                ArrowFunctionBody::FunctionBody(body) => Some(&**body),
                other => {
                    let Some(inner) = other.as_expression() else {
                        return Err(Halt::Unknown);
                    };
                    return self.nested(|it| it.expression(inner, Some(&frame)));
                }
            },
            _ => None,
        };
        let Some(body) = body else {
            return Err(Halt::Unknown);
        };
        match self.nested(|it| it.statements(&body.statements, Some(&frame)))? {
            Next::Return(value) => Ok(value),
            _ => Ok(Value::Undefined),
        }
    }

    /// The value of a variable.
    pub(crate) fn read(&mut self, symbol: SymbolId, frame: Scope<'_>) -> Outcome<Value> {
        let Some(frame) = frame else {
            return self.outside(symbol);
        };
        if let Some(value) = frame.get(symbol) {
            return Ok(value);
        }
        if self.is_own(symbol, frame) {
            return Ok(Value::Undefined);
        }
        match frame.loop_span() {
            Some(span) => self.before_loop(symbol, span, frame),
            None => self.outside(symbol),
        }
    }

    /// Whether one of the running functions declares the variable, further down or in a block.
    fn is_own(&self, symbol: SymbolId, frame: &Frame) -> bool {
        let home = self.scoping.symbol_scope_id(symbol);
        frame
            .scopes()
            .any(|scope| self.scoping.scope_ancestors(home).any(|one| one == scope))
    }

    /// The value of a variable outside of a loop that is run by itself, at the loop's beginning:
    /// its initializer, if only the loop writes to it.
    fn before_loop(&mut self, symbol: SymbolId, span: Span, frame: &Frame) -> Outcome<Value> {
        let declaration = self.scoping.symbol_declaration(symbol);
        let writes_elsewhere = self
            .scoping
            .get_resolved_references(symbol)
            .filter(|reference| reference.is_write())
            .any(|reference| !span.contains_inclusive(self.nodes.kind(reference.node_id()).span()));
        let is_written = self.scoping.symbol_is_mutated(symbol);
        if (is_written && writes_elsewhere) || self.is_filled(symbol, Some(span)) {
            return Err(Halt::Unknown);
        }
        let value = match self.nodes.kind(declaration) {
            AstKind::VariableDeclarator(declarator) if is_written => match &declarator.init {
                Some(init) if matches!(declarator.id, BindingPattern::BindingIdentifier(_)) => {
                    self.expression(init, None)?
                }
                None => Value::Undefined,
                Some(_) => return Err(Halt::Unknown),
            },
            _ => self.outside(symbol)?,
        };
        // The loop may fill an array: it gets one of its own.
        let value = match value {
            Value::Array(values) => {
                let copy = values.borrow().clone();
                self.take(24 * copy.len())?;
                let copy = Value::array(copy);
                frame.root_declare(symbol, copy.clone());
                copy
            }
            other => other,
        };
        Ok(value)
    }

    pub(crate) fn write(
        &mut self,
        symbol: SymbolId,
        value: Value,
        frame: Scope<'_>,
    ) -> Outcome<()> {
        let Some(frame) = frame else {
            return Err(Halt::Unknown);
        };
        let Err(value) = frame.set(symbol, value) else {
            return Ok(());
        };
        if self.is_own(symbol, frame) {
            frame.declare(symbol, value);
        } else if frame.loop_span().is_some() {
            frame.root_declare(symbol, value);
        } else {
            self.outside.insert(symbol, super::Lazy::Known(value));
        }
        Ok(())
    }

    pub(crate) fn statements(&mut self, list: &[Statement<'_>], frame: Scope<'_>) -> Outcome<Next> {
        if let Some(frame) = frame {
            for statement in list {
                if let Statement::FunctionDeclaration(function) = statement
                    && let Some(symbol) = function.id.as_ref().and_then(|id| id.symbol_id.get())
                {
                    let closure = self.closure(function.node_id.get(), Some(frame))?;
                    frame.declare(symbol, closure);
                }
            }
        }
        for statement in list {
            match self.statement(statement, frame)? {
                Next::On => {}
                other => return Ok(other),
            }
        }
        Ok(Next::On)
    }

    pub(crate) fn statement(&mut self, it: &Statement<'_>, frame: Scope<'_>) -> Outcome<Next> {
        self.nested(|this| this.labelled(it, None, frame))
    }

    fn labelled(
        &mut self,
        it: &Statement<'_>,
        label: Option<&str>,
        frame: Scope<'_>,
    ) -> Outcome<Next> {
        match it {
            Statement::BlockStatement(block) => self.statements(&block.body, frame),
            Statement::ExpressionStatement(inner) => {
                self.expression(&inner.expression, frame)?;
                Ok(Next::On)
            }
            Statement::VariableDeclaration(declaration) => self.variables(declaration, frame),
            Statement::FunctionDeclaration(_)
            | Statement::EmptyStatement(_)
            | Statement::DebuggerStatement(_) => Ok(Next::On),
            Statement::ReturnStatement(inner) => Ok(Next::Return(match &inner.argument {
                Some(argument) => self.expression(argument, frame)?,
                None => Value::Undefined,
            })),
            Statement::IfStatement(inner) => {
                if self.expression(&inner.test, frame)?.is_truthy() {
                    self.statement(&inner.consequent, frame)
                } else if let Some(alternate) = &inner.alternate {
                    self.statement(alternate, frame)
                } else {
                    Ok(Next::On)
                }
            }
            Statement::ForStatement(inner) => self.count(inner, label, frame),
            Statement::WhileStatement(inner) => {
                while self.expression(&inner.test, frame)?.is_truthy() {
                    match turn(self.statement(&inner.body, frame)?, label) {
                        Turn::Again => {}
                        Turn::Leave => break,
                        Turn::Pass(next) => return Ok(next),
                    }
                }
                Ok(Next::On)
            }
            Statement::DoWhileStatement(inner) => {
                loop {
                    match turn(self.statement(&inner.body, frame)?, label) {
                        Turn::Again => {}
                        Turn::Leave => break,
                        Turn::Pass(next) => return Ok(next),
                    }
                    if !self.expression(&inner.test, frame)?.is_truthy() {
                        break;
                    }
                }
                Ok(Next::On)
            }
            Statement::ForOfStatement(inner) => self.each(inner, label, frame),
            Statement::ForInStatement(inner) => {
                let Value::Array(values) = self.expression(&inner.right, frame)? else {
                    return Err(Halt::Unknown);
                };
                let count = values.borrow().len();
                let keys = (0..count).map(|at| Value::text(&at.to_string())).collect();
                self.walk_list(keys, &inner.left, &inner.body, label, frame)
            }
            Statement::BreakStatement(inner) => Ok(Next::Break(
                inner.label.as_ref().map(|name| name.name.to_string()),
            )),
            Statement::ContinueStatement(inner) => Ok(Next::Continue(
                inner.label.as_ref().map(|name| name.name.to_string()),
            )),
            Statement::LabeledStatement(inner) => {
                let name = inner.label.name.as_str();
                match self.labelled(&inner.body, Some(name), frame)? {
                    Next::Break(Some(target)) if target == name => Ok(Next::On),
                    other => Ok(other),
                }
            }
            Statement::SwitchStatement(inner) => self.switch(inner, frame),
            Statement::ThrowStatement(inner) => {
                let value = self.expression(&inner.argument, frame)?;
                Err(Halt::Thrown(value))
            }
            Statement::TryStatement(inner) => self.attempt_block(inner, frame),
            _ => Err(Halt::Unknown),
        }
    }

    fn variables(
        &mut self,
        declaration: &VariableDeclaration<'_>,
        frame: Scope<'_>,
    ) -> Outcome<Next> {
        let Some(frame) = frame else {
            return Err(Halt::Unknown);
        };
        for declarator in &declaration.declarations {
            match &declarator.init {
                Some(init) => {
                    let value = self.expression(init, Some(frame))?;
                    self.bind(&declarator.id, value, frame)?;
                }
                None if declaration.kind == VariableDeclarationKind::Var => {}
                None => self.bind(&declarator.id, Value::Undefined, frame)?,
            }
        }
        Ok(Next::On)
    }

    fn bind(&mut self, pattern: &BindingPattern<'_>, value: Value, frame: &Frame) -> Outcome<()> {
        match pattern {
            BindingPattern::BindingIdentifier(name) => {
                let symbol = name.symbol_id.get().ok_or(Halt::Unknown)?;
                frame.declare(symbol, value);
                Ok(())
            }
            BindingPattern::ArrayPattern(array) if array.rest.is_none() => {
                let Value::Array(values) = value else {
                    return Err(Halt::Unknown);
                };
                for (at, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let part = values.borrow().get(at).cloned();
                        self.bind(element, part.unwrap_or(Value::Undefined), frame)?;
                    }
                }
                Ok(())
            }
            _ => Err(Halt::Unknown),
        }
    }

    fn count(
        &mut self,
        inner: &ForStatement<'_>,
        label: Option<&str>,
        frame: Scope<'_>,
    ) -> Outcome<Next> {
        match &inner.init {
            Some(ForStatementInit::VariableDeclaration(declaration)) => {
                self.variables(declaration, frame)?;
            }
            Some(other) => {
                if let Some(init) = other.as_expression() {
                    self.expression(init, frame)?;
                }
            }
            None => {}
        }
        loop {
            if let Some(test) = &inner.test
                && !self.expression(test, frame)?.is_truthy()
            {
                return Ok(Next::On);
            }
            match turn(self.statement(&inner.body, frame)?, label) {
                Turn::Again => {}
                Turn::Leave => return Ok(Next::On),
                Turn::Pass(next) => return Ok(next),
            }
            if let Some(update) = &inner.update {
                self.expression(update, frame)?;
            }
        }
    }

    fn each(
        &mut self,
        inner: &ForOfStatement<'_>,
        label: Option<&str>,
        frame: Scope<'_>,
    ) -> Outcome<Next> {
        let list = self.expression(&inner.right, frame)?;
        let list = self.spread(&list)?;
        self.walk_list(list, &inner.left, &inner.body, label, frame)
    }

    fn walk_list(
        &mut self,
        list: Vec<Value>,
        left: &ForStatementLeft<'_>,
        body: &Statement<'_>,
        label: Option<&str>,
        frame: Scope<'_>,
    ) -> Outcome<Next> {
        let (Some(frame), ForStatementLeft::VariableDeclaration(declaration)) = (frame, left)
        else {
            return Err(Halt::Unknown);
        };
        let Some(declarator) = declaration.declarations.first() else {
            return Err(Halt::Unknown);
        };
        for value in list {
            self.bind(&declarator.id, value, frame)?;
            match turn(self.statement(body, Some(frame))?, label) {
                Turn::Again => {}
                Turn::Leave => break,
                Turn::Pass(next) => return Ok(next),
            }
        }
        Ok(Next::On)
    }

    fn switch(&mut self, inner: &SwitchStatement<'_>, frame: Scope<'_>) -> Outcome<Next> {
        let value = self.expression(&inner.discriminant, frame)?;
        let mut start = None;
        for (at, case) in inner.cases.iter().enumerate() {
            if let Some(test) = &case.test
                && self.expression(test, frame)?.is_same(&value)
            {
                start = Some(at);
                break;
            }
        }
        let start = start.or_else(|| inner.cases.iter().position(|case| case.test.is_none()));
        for case in inner.cases.iter().skip(start.unwrap_or(usize::MAX)) {
            match self.statements(&case.consequent, frame)? {
                Next::On => {}
                Next::Break(None) => return Ok(Next::On),
                other => return Ok(other),
            }
        }
        Ok(Next::On)
    }

    fn attempt_block(&mut self, inner: &TryStatement<'_>, frame: Scope<'_>) -> Outcome<Next> {
        let depth = self.depth;
        let mut outcome = self.statements(&inner.block.body, frame);
        if let (Err(Halt::Thrown(_)), Some(handler)) = (&outcome, &inner.handler) {
            self.depth = depth;
            let Err(Halt::Thrown(thrown)) = outcome else {
                return Err(Halt::Unknown);
            };
            if let (Some(parameter), Some(frame)) = (&handler.param, frame) {
                self.bind(&parameter.pattern, thrown, frame)?;
            }
            outcome = self.statements(&handler.body.body, frame);
        }
        if let Some(finalizer) = &inner.finalizer {
            match self.statements(&finalizer.body, frame)? {
                Next::On => {}
                other => return Ok(other),
            }
        }
        outcome
    }
}

/// `arguments`: an object, as decoders also keep what they decoded in it.
fn argument_object(arguments: &[Value]) -> Value {
    let mut table: Table = arguments
        .iter()
        .enumerate()
        .map(|(at, value)| (Rc::from(at.to_string()), value.clone()))
        .collect();
    table.insert(Rc::from("length"), super::library::number(arguments.len()));
    Value::Object(Rc::new(RefCell::new(table)))
}

impl Frame {
    /// Declares in the outermost frame.
    fn root_declare(&self, symbol: SymbolId, value: Value) {
        match &self.parent {
            Some(parent) => parent.root_declare(symbol, value),
            None => self.declare(symbol, value),
        }
    }
}
