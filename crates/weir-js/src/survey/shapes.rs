//! What an expression looks like, without knowing what it means.

use oxc_ast::ast::{
    Argument, BindingPattern, CallExpression, ComputedMemberExpression, Expression, ForOfStatement,
    ForStatementLeft, FormalParameters, ImportExpression, ObjectExpression, ObjectPropertyKind,
    Statement, StaticMemberExpression,
};
use oxc_ast_visit::{Visit, walk};
use oxc_syntax::operator::BinaryOperator;

use crate::tables::data;

/// Most names that a loop goes through and that are tried.
const LOOPED: usize = 16;
/// Deepest expression or statement of a loop's body that is looked into.
const LOOP_DEPTH: usize = 64;

/// The text of an expression made of literals only.
pub(crate) fn literal(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::TemplateLiteral(template) => {
            let mut parts = String::new();
            for (index, quasi) in template.quasis.iter().enumerate() {
                parts.push_str(quasi.value.cooked.as_ref()?.as_str());
                if let Some(inner) = template.expressions.get(index) {
                    parts.push_str(&literal(inner)?);
                }
            }
            Some(parts)
        }
        // Only short chains: this is called on every `require`.
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            let right = short_literal(&sum.right)?;
            let left = match &sum.left {
                Expression::BinaryExpression(inner)
                    if inner.operator == BinaryOperator::Addition =>
                {
                    format!(
                        "{}{}",
                        short_literal(&inner.left)?,
                        short_literal(&inner.right)?
                    )
                }
                other => short_literal(other)?,
            };
            Some(left + &right)
        }
        Expression::Identifier(name) if name.name == "__dirname" => Some(".".to_owned()),
        _ => None,
    }
}

fn short_literal(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::Identifier(name) if name.name == "__dirname" => Some(".".to_owned()),
        _ => None,
    }
}

/// Methods that make text of constants.
const MAKES_TEXT: [&str; 14] = [
    "replace",
    "replaceAll",
    "join",
    "map",
    "reverse",
    "slice",
    "substring",
    "substr",
    "concat",
    "fromCharCode",
    "fromCodePoint",
    "apply",
    "call",
    "atob",
];

/// Whether an expression has the shape of a decoder at work: a function on nothing but constants.
pub(super) fn is_decoded(expression: &Expression<'_>) -> bool {
    let call = match expression {
        Expression::CallExpression(call) => call,
        // `d(1) + 'ps'`: the outermost two pieces say enough.
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            let piece = |side: &Expression<'_>| {
                matches!(side, Expression::CallExpression(_)) && is_decoded(side)
            };
            let right = piece(&sum.right);
            return match &sum.left {
                Expression::BinaryExpression(inner) => {
                    piece(&inner.left) || (right && piece(&inner.right))
                }
                Expression::StringLiteral(_) => right,
                left => piece(left) && (right || is_constant(&sum.right, 0)),
            };
        }
        _ => return false,
    };
    let is_constant = |argument: &Argument<'_>| {
        argument
            .as_expression()
            .is_some_and(|inner| is_constant(inner, 4))
            || matches!(argument, Argument::SpreadElement(_))
    };
    match &call.callee {
        Expression::Identifier(_) => {
            !call.arguments.is_empty() && call.arguments.iter().all(is_constant)
        }
        Expression::StaticMemberExpression(member) => {
            MAKES_TEXT.contains(&member.property.name.as_str())
        }
        Expression::ComputedMemberExpression(_) => call.arguments.iter().all(is_constant),
        _ => false,
    }
}

/// Literals, and what is computed or picked from them.
fn is_constant(expression: &Expression<'_>, depth: u8) -> bool {
    match expression {
        Expression::StringLiteral(_) | Expression::NumericLiteral(_) => true,
        _ if depth == 0 => false,
        Expression::UnaryExpression(unary) => is_constant(&unary.argument, depth - 1),
        Expression::BinaryExpression(binary) => {
            is_constant(&binary.left, depth - 1) && is_constant(&binary.right, depth - 1)
        }
        Expression::StaticMemberExpression(member) => {
            matches!(member.object, Expression::Identifier(_))
        }
        Expression::ArrayExpression(array) => array.elements.iter().take(8).all(|element| {
            element
                .as_expression()
                .is_some_and(|inner| is_constant(inner, depth - 1))
        }),
        Expression::CallExpression(_) => is_decoded(expression),
        _ => false,
    }
}

/// The path of a file that is started, as far as it is plain: a literal, `new URL('./x.js', base)`,
/// `require.resolve('./x')`, `path.join(__dirname, 'x.js')`.
pub(super) fn started_path(expression: &Expression<'_>) -> Option<String> {
    let arguments = match expression {
        Expression::NewExpression(new) if last_name(&new.callee) == "URL" => &new.arguments,
        Expression::CallExpression(call)
            if matches!(last_name(&call.callee), "resolve" | "join") =>
        {
            &call.arguments
        }
        other => return literal(other),
    };
    let mut arguments = arguments.iter().filter_map(Argument::as_expression);
    let first = arguments.next()?;
    if !matches!(first, Expression::Identifier(name) if name.name == "__dirname") {
        return literal(first);
    }
    let parts: Option<Vec<String>> = arguments.map(literal).collect();
    Some(format!("./{}", parts?.join("/")))
}

/// Whether a path begins in the folder of the file itself and ends in the name of a data file:
/// `__dirname + '/data.bin'`, `path.join(__dirname, 'data.bin')`.
pub(super) fn names_data_beside(folder: &Expression<'_>, rest: &Expression<'_>) -> bool {
    let is_own = match folder {
        Expression::Identifier(name) => name.name == "__dirname",
        Expression::StaticMemberExpression(member) => {
            member.property.name == "dirname" && matches!(member.object, Expression::ImportMeta(_))
        }
        _ => false,
    };
    is_own && matches!(rest, Expression::StringLiteral(text) if data::is_named(text.value.as_str()))
}

/// Whether the constructor of something makes functions of text: something is a function, or what all
/// functions inherit from, as far as its shape tells.
pub(super) fn makes_functions(of: &Expression<'_>) -> bool {
    let is_literal = |owner: &Expression<'_>| {
        matches!(
            owner,
            Expression::ArrayExpression(_) | Expression::StringLiteral(_)
        )
    };
    match of {
        Expression::StaticMemberExpression(member) if member.property.name == "constructor" => true,
        // `[].filter.constructor`
        Expression::StaticMemberExpression(member) if is_literal(&member.object) => true,
        Expression::ComputedMemberExpression(member) => {
            is_literal(&member.object) || names_constructor(member)
        }
        Expression::Identifier(name) if name.name == "Function" => true,
        other => is_function(other) || is_function_prototype(other),
    }
}

/// `x['constructor']`
pub(super) fn names_constructor(member: &ComputedMemberExpression<'_>) -> bool {
    matches!(&member.expression, Expression::StringLiteral(text) if text.value.as_str() == "constructor")
}

/// What all functions inherit from: `Object.getPrototypeOf(async function () {})`, `(() => {}).__proto__`,
/// `Function.prototype`. Other things that are asked for a prototype are mostly classes.
pub(super) fn is_function_prototype(it: &Expression<'_>) -> bool {
    match it {
        Expression::CallExpression(call) => {
            let first = call.arguments.first().and_then(Argument::as_expression);
            last_name(&call.callee) == "getPrototypeOf" && first.is_some_and(is_function)
        }
        Expression::StaticMemberExpression(member) => match member.property.name.as_str() {
            "prototype" => {
                matches!(&member.object, Expression::Identifier(name) if name.name == "Function")
            }
            "__proto__" => is_function(&member.object),
            _ => false,
        },
        _ => false,
    }
}

pub(super) fn is_function(it: &Expression<'_>) -> bool {
    match it {
        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => true,
        Expression::ParenthesizedExpression(inner) => is_function(&inner.expression),
        _ => false,
    }
}

/// `document.cookie`
pub(super) fn is_cookies(member: &StaticMemberExpression<'_>) -> bool {
    member.property.name == "cookie" && last_name(&member.object) == "document"
}

/// `event.key`, which is what was pressed where it is collected.
pub(super) fn is_pressed_key(it: &Expression<'_>) -> bool {
    matches!(it, Expression::StaticMemberExpression(member)
        if member.property.name == "key" && matches!(&member.object, Expression::Identifier(_)))
}

/// Whether a call asks for a field for passwords, or hears of all requests of a page.
pub(super) fn names_what_is_typed(function: &str, arguments: &[Argument<'_>]) -> bool {
    let Some(Argument::StringLiteral(text)) = arguments.first() else {
        return false;
    };
    match function {
        "addEventListener" => text.value == "fetch",
        _ => text.value.contains("password"),
    }
}

/// `new FormData(event.target)`
pub(super) fn takes_target(arguments: &[Argument<'_>]) -> bool {
    matches!(arguments, [Argument::StaticMemberExpression(member)]
        if matches!(member.property.name.as_str(), "target" | "currentTarget"))
}

/// Whether all cookies are what a call is given.
pub(super) fn takes_cookies(arguments: &[Argument<'_>]) -> bool {
    matches!(arguments, [Argument::StaticMemberExpression(member)] if is_cookies(member))
}

fn is_storage(it: &Expression<'_>) -> bool {
    matches!(last_name(it), "localStorage" | "sessionStorage")
}

/// Whether the storage of a page is among what a call is given.
pub(super) fn takes_storage(arguments: &[Argument<'_>]) -> bool {
    let mut given = arguments.iter().take(2).filter_map(Argument::as_expression);
    given.any(is_storage)
}

/// `{ ...localStorage }`
pub(super) fn spreads_storage(it: &ObjectExpression<'_>) -> bool {
    it.properties.iter().any(|property| {
        matches!(property, ObjectPropertyKind::SpreadProperty(spread) if is_storage(&spread.argument))
    })
}

/// Whether an expression is the answer of a request by its name: `request.responseText`.
pub(super) fn is_answer(it: &Expression<'_>) -> bool {
    match it {
        Expression::StaticMemberExpression(member) => {
            matches!(
                member.property.name.as_str(),
                "responseText" | "response" | "body" | "data"
            )
        }
        _ => false,
    }
}

/// Whether options of a worker say that it is given code: `new Worker(text, { eval: true })`.
pub(super) fn asks_for_evaluation(arguments: &[Argument<'_>]) -> bool {
    let Some(Argument::ObjectExpression(options)) = arguments.get(1) else {
        return false;
    };
    options.properties.iter().any(|one| match one {
        ObjectPropertyKind::ObjectProperty(one) => {
            one.key.is_specific_static_name("eval")
                && !matches!(&one.value, Expression::BooleanLiteral(it) if !it.value)
        }
        ObjectPropertyKind::SpreadProperty(_) => false,
    })
}

/// Whether a call hands a maker of code to reflection, or calls it by a method of its own:
/// `Reflect.construct(Function, [text])`, `Function.call(null, text)`.
pub(super) fn hands_maker_on(it: &CallExpression<'_>) -> bool {
    // Whatever it is called on, `_compile` is how Node's own loader makes code of text.
    let is_maker = |it: &Expression<'_>| match it {
        // By a name that is put together: `globalThis['ev' + 'al']`.
        Expression::ComputedMemberExpression(member) => {
            matches!(&member.object, Expression::Identifier(name)
                if matches!(name.name.as_str(), "globalThis" | "global" | "window" | "self"))
                && matches!(member.expression, Expression::BinaryExpression(_))
        }
        Expression::Identifier(name) => matches!(name.name.as_str(), "Function" | "eval"),
        Expression::StaticMemberExpression(member) => member.property.name == "_compile",
        _ => false,
    };
    let Expression::StaticMemberExpression(member) = &it.callee else {
        return false;
    };
    let first = it.arguments.first().and_then(Argument::as_expression);
    is_maker(&member.object) || first.is_some_and(is_maker)
}

/// Whether a method is one of `navigator.serviceWorker`.
pub(super) fn names_service_worker(callee: &Expression<'_>) -> bool {
    match callee {
        Expression::StaticMemberExpression(member) => last_name(&member.object) == "serviceWorker",
        _ => false,
    }
}

/// The last name of a callee: `a.b.c` gives `c`.
pub(super) fn last_name<'a>(callee: &'a Expression<'_>) -> &'a str {
    match callee {
        Expression::Identifier(name) => name.name.as_str(),
        Expression::StaticMemberExpression(member) => member.property.name.as_str(),
        // `(0, eval)(text)`
        Expression::ParenthesizedExpression(inner) => last_name(&inner.expression),
        Expression::SequenceExpression(sequence) => match sequence.expressions.last() {
            Some(Expression::Identifier(name)) => name.name.as_str(),
            Some(Expression::StaticMemberExpression(member)) => member.property.name.as_str(),
            _ => "",
        },
        _ => "",
    }
}

/// What a loop over names that are written out loads:
/// `for (const name of ['a', 'b']) require('./' + name)`.
pub(super) fn loaded_in_loop(it: &ForOfStatement<'_>) -> Vec<String> {
    let ForStatementLeft::VariableDeclaration(declaration) = &it.left else {
        return Vec::new();
    };
    let variable = declaration.declarations.first().map(|one| &one.id);
    let Some(BindingPattern::BindingIdentifier(variable)) = variable else {
        return Vec::new();
    };
    let names = written_out(&it.right);
    let mut loads = Loads::of(variable.name.as_str(), &names);
    if !names.is_empty() {
        loads.visit_statement(&it.body);
    }
    loads.found
}

/// The same of `['a', 'b'].forEach(name => require('./' + name))`, and of `map`.
pub(super) fn loaded_by_each(it: &CallExpression<'_>) -> Vec<String> {
    let Expression::StaticMemberExpression(member) = &it.callee else {
        return Vec::new();
    };
    let names = written_out(&member.object);
    let callback = it.arguments.first().and_then(Argument::as_expression);
    let (Some(callback), false) = (callback, names.is_empty()) else {
        return Vec::new();
    };
    let parameters = match callback {
        Expression::ArrowFunctionExpression(arrow) => &arrow.params,
        Expression::FunctionExpression(function) => &function.params,
        _ => return Vec::new(),
    };
    let Some(variable) = first_parameter(parameters) else {
        return Vec::new();
    };
    let mut loads = Loads::of(variable, &names);
    loads.visit_expression(callback);
    loads.found
}

fn first_parameter<'e>(parameters: &'e FormalParameters<'_>) -> Option<&'e str> {
    match &parameters.items.first()?.pattern {
        BindingPattern::BindingIdentifier(name) => Some(name.name.as_str()),
        _ => None,
    }
}

/// The texts of a short list of nothing else.
fn written_out(list: &Expression<'_>) -> Vec<String> {
    let Expression::ArrayExpression(array) = list else {
        return Vec::new();
    };
    if array.elements.len() > LOOPED {
        return Vec::new();
    }
    let texts = array
        .elements
        .iter()
        .map(|element| match element.as_expression() {
            Some(Expression::StringLiteral(text)) => Some(text.value.to_string()),
            _ => None,
        });
    texts.collect::<Option<_>>().unwrap_or_default()
}

/// Collects what is loaded by names that a variable goes through.
struct Loads<'n> {
    variable: &'n str,
    names: &'n [String],
    found: Vec<String>,
    depth: usize,
}

impl<'n> Loads<'n> {
    fn of(variable: &'n str, names: &'n [String]) -> Self {
        Self {
            variable,
            names,
            found: Vec::new(),
            depth: 0,
        }
    }

    fn load(&mut self, specifier: &Expression<'_>) {
        for name in self.names {
            if let Some(text) = with_name(specifier, self.variable, name, 0)
                && !self.found.contains(&text)
            {
                self.found.push(text);
            }
        }
    }
}

impl<'a> Visit<'a> for Loads<'_> {
    fn visit_expression(&mut self, it: &Expression<'a>) {
        if self.depth < LOOP_DEPTH {
            self.depth += 1;
            walk::walk_expression(self, it);
            self.depth -= 1;
        }
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        if self.depth < LOOP_DEPTH {
            self.depth += 1;
            walk::walk_statement(self, it);
            self.depth -= 1;
        }
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        let first = it.arguments.first().and_then(Argument::as_expression);
        if let (Expression::Identifier(name), Some(first)) = (&it.callee, first)
            && name.name == "require"
        {
            self.load(first);
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        self.load(&it.source);
        walk::walk_import_expression(self, it);
    }
}

/// The text of an expression in which a variable stands for a name.
fn with_name(it: &Expression<'_>, variable: &str, name: &str, depth: usize) -> Option<String> {
    let inner = |it| with_name(it, variable, name, depth + 1);
    match it {
        _ if depth > 4 => None,
        Expression::Identifier(found) if found.name == variable => Some(name.to_owned()),
        Expression::TemplateLiteral(template) => {
            let mut parts = String::new();
            for (index, quasi) in template.quasis.iter().enumerate() {
                parts.push_str(quasi.value.cooked.as_ref()?.as_str());
                if let Some(value) = template.expressions.get(index) {
                    parts.push_str(&inner(value)?);
                }
            }
            Some(parts)
        }
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            Some(inner(&sum.left)? + &inner(&sum.right)?)
        }
        other => literal(other),
    }
}
