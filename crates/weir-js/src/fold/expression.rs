//! Expressions.

use std::cell::RefCell;
use std::rc::Rc;

use oxc_ast::ast::*;
use oxc_syntax::operator::{
    AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator, UpdateOperator,
};

use super::run::Frame;
use super::value::{Table, Value, bits, index};
use super::{Evaluator, Halt, LINK, Outcome, library};

type Scope<'f> = Option<&'f Rc<Frame>>;

impl Evaluator<'_, '_> {
    pub(crate) fn expression(&mut self, it: &Expression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        self.nested(|this| this.evaluate(it, frame))
    }

    /// What loops of decoders are made of comes first: all kinds together need so much of the stack that setting it up
    /// takes longer than adding two numbers.
    fn evaluate(&mut self, it: &Expression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        match it {
            Expression::NumericLiteral(number) => Ok(Value::Number(number.value)),
            Expression::Identifier(name) => self.identifier(name, frame),
            Expression::BinaryExpression(inner) => self.binary(inner, frame),
            Expression::AssignmentExpression(assignment) => self.assignment(assignment, frame),
            Expression::UpdateExpression(update) => self.update(update, frame),
            Expression::CallExpression(call) => self.call_expression(call, frame),
            other => self.evaluate_other(other, frame),
        }
    }

    #[inline(never)]
    fn binary(&mut self, it: &BinaryExpression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        let left = self.expression(&it.left, frame)?;
        let right = self.expression(&it.right, frame)?;
        self.operate(it.operator, left, &right)
    }

    #[inline(never)]
    fn evaluate_other(&mut self, it: &Expression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        Ok(match it {
            Expression::StringLiteral(text) => {
                self.take(2 * text.value.len())?;
                Value::text(text.value.as_str())
            }
            Expression::BooleanLiteral(value) => Value::Boolean(value.value),
            Expression::NullLiteral(_) => Value::Null,
            Expression::RegExpLiteral(literal) => Value::Pattern(
                Rc::from(literal.regex.pattern.text.as_str()),
                Rc::from(literal.regex.flags.to_string()),
            ),
            Expression::TemplateLiteral(template) => {
                let mut units = Vec::new();
                for (at, quasi) in template.quasis.iter().enumerate() {
                    let text = quasi.value.cooked.as_ref().ok_or(Halt::Unknown)?;
                    units.extend(text.as_str().encode_utf16());
                    if let Some(inner) = template.expressions.get(at) {
                        let value = self.expression(inner, frame)?;
                        units.extend(value.to_units().ok_or(Halt::Unknown)?.iter());
                    }
                }
                self.take(2 * units.len())?;
                Value::units(units)
            }
            Expression::ThisExpression(_) => {
                frame.map_or(Value::Undefined, |frame| frame.this.clone())
            }
            Expression::ArrayExpression(array) => self.array(array, frame)?,
            Expression::ObjectExpression(object) => self.object(object, frame)?,
            Expression::FunctionExpression(function) => {
                self.closure(function.node_id.get(), frame)?
            }
            Expression::ArrowFunctionExpression(arrow) => {
                self.closure(arrow.node_id.get(), frame)?
            }
            Expression::UnaryExpression(unary) => self.unary(unary, frame)?,
            Expression::LogicalExpression(inner) => {
                let left = self.expression(&inner.left, frame)?;
                let stays = match inner.operator {
                    LogicalOperator::Or => left.is_truthy(),
                    LogicalOperator::And => !left.is_truthy(),
                    LogicalOperator::Coalesce => !matches!(left, Value::Undefined | Value::Null),
                };
                if stays {
                    left
                } else {
                    self.expression(&inner.right, frame)?
                }
            }
            Expression::ConditionalExpression(inner) => {
                if self.expression(&inner.test, frame)?.is_truthy() {
                    self.expression(&inner.consequent, frame)?
                } else {
                    self.expression(&inner.alternate, frame)?
                }
            }
            Expression::SequenceExpression(inner) => {
                let mut last = Value::Undefined;
                for one in &inner.expressions {
                    last = self.expression(one, frame)?;
                }
                last
            }
            Expression::ParenthesizedExpression(inner) => {
                self.expression(&inner.expression, frame)?
            }
            Expression::NewExpression(new) => {
                let callee = self.expression(&new.callee, frame)?;
                let arguments = self.arguments(&new.arguments, frame)?;
                match callee {
                    Value::Builtin(path) => self.construct(path, &arguments)?,
                    Value::Function(_) => self.instance(&callee, arguments)?,
                    _ => return Err(Halt::Unknown),
                }
            }
            Expression::StaticMemberExpression(member) => {
                let object = self.expression(&member.object, frame)?;
                self.named(&object, member.property.name.as_str())?
            }
            Expression::ComputedMemberExpression(member) => {
                let object = self.expression(&member.object, frame)?;
                let key = self.expression(&member.expression, frame)?;
                self.member(&object, &key)?
            }
            Expression::TaggedTemplateExpression(tagged) => {
                let tag = self.expression(&tagged.tag, frame)?;
                let (Value::Builtin("String.raw"), true) =
                    (tag, tagged.quasi.expressions.is_empty())
                else {
                    return Err(Halt::Unknown);
                };
                let raw = tagged.quasi.quasis.first().ok_or(Halt::Unknown)?;
                Value::text(raw.value.raw.as_str())
            }
            Expression::TSAsExpression(inner) => self.expression(&inner.expression, frame)?,
            Expression::TSNonNullExpression(inner) => self.expression(&inner.expression, frame)?,
            _ => return Err(Halt::Unknown),
        })
    }

    fn identifier(&mut self, name: &IdentifierReference<'_>, frame: Scope<'_>) -> Outcome<Value> {
        let symbol = name
            .reference_id
            .get()
            .and_then(|reference| self.scoping.get_reference(reference).symbol_id());
        if let Some(symbol) = symbol {
            return self.read(symbol, frame);
        }
        match name.name.as_str() {
            "undefined" => Ok(Value::Undefined),
            "NaN" => Ok(Value::Number(f64::NAN)),
            "Infinity" => Ok(Value::Number(f64::INFINITY)),
            "arguments" => {
                self.take(LINK)?;
                frame.map(|frame| frame.arguments()).ok_or(Halt::Unknown)
            }
            other => library::builtin(other)
                .map(Value::Builtin)
                .ok_or(Halt::Unknown),
        }
    }

    fn array(&mut self, array: &ArrayExpression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        self.take(LINK)?;
        let mut values = Vec::with_capacity(array.elements.len().min(1 << 16));
        for element in &array.elements {
            self.take(24)?;
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let list = self.expression(&spread.argument, frame)?;
                    values.extend(self.spread(&list)?);
                }
                ArrayExpressionElement::Elision(_) => values.push(Value::Undefined),
                other => {
                    let inner = other.as_expression().ok_or(Halt::Unknown)?;
                    values.push(self.expression(inner, frame)?);
                }
            }
        }
        Ok(Value::array(values))
    }

    fn object(&mut self, object: &ObjectExpression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        self.take(LINK)?;
        let mut table = Table::default();
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                return Err(Halt::Unknown);
            };
            if property.kind != PropertyKind::Init {
                return Err(Halt::Unknown);
            }
            let key: Rc<str> = match &property.key {
                PropertyKey::StaticIdentifier(name) => Rc::from(name.name.as_str()),
                PropertyKey::PrivateIdentifier(_) => return Err(Halt::Unknown),
                other => {
                    let inner = other.as_expression().ok_or(Halt::Unknown)?;
                    let key = self.expression(inner, frame)?;
                    key.to_key().ok_or(Halt::Unknown)?
                }
            };
            self.take(64 + key.len())?;
            let value = self.expression(&property.value, frame)?;
            table.insert(key, value);
        }
        Ok(Value::Object(Rc::new(RefCell::new(table))))
    }

    /// What `...value` gives.
    pub(crate) fn spread(&mut self, value: &Value) -> Outcome<Vec<Value>> {
        let list = match value {
            Value::Array(values) => values.borrow().clone(),
            Value::Text(text) => char::decode_utf16(text.iter().copied())
                .map(|unit| {
                    let mut buffer = [0; 2];
                    let units = match unit {
                        Ok(character) => character.encode_utf16(&mut buffer).to_vec(),
                        Err(lone) => vec![lone.unpaired_surrogate()],
                    };
                    Value::units(units)
                })
                .collect(),
            Value::Bytes(bytes) => bytes
                .iter()
                .map(|&byte| Value::Number(f64::from(byte)))
                .collect(),
            Value::Object(table) => {
                let table = table.borrow();
                let length = table.get("length").and_then(Value::to_index);
                let length = length.filter(|&length| length <= table.len());
                (0..length.ok_or(Halt::Unknown)?)
                    .map(|at| {
                        let value = table.get(at.to_string().as_str());
                        value.cloned().unwrap_or(Value::Undefined)
                    })
                    .collect()
            }
            _ => return Err(Halt::Unknown),
        };
        self.take(24 * list.len())?;
        Ok(list)
    }

    pub(crate) fn arguments(
        &mut self,
        arguments: &[Argument<'_>],
        frame: Scope<'_>,
    ) -> Outcome<Vec<Value>> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                Argument::SpreadElement(spread) => {
                    let list = self.expression(&spread.argument, frame)?;
                    values.extend(self.spread(&list)?);
                }
                other => {
                    let inner = other.as_expression().ok_or(Halt::Unknown)?;
                    values.push(self.expression(inner, frame)?);
                }
            }
        }
        Ok(values)
    }

    pub(crate) fn call_expression(
        &mut self,
        call: &CallExpression<'_>,
        frame: Scope<'_>,
    ) -> Outcome<Value> {
        match &call.callee {
            Expression::StaticMemberExpression(member) => {
                let receiver = self.expression(&member.object, frame)?;
                let arguments = self.arguments(&call.arguments, frame)?;
                let name = member.property.name.as_str();
                self.method_call(&receiver, name, None, arguments)
            }
            Expression::ComputedMemberExpression(member) => {
                let receiver = self.expression(&member.object, frame)?;
                let key = self.expression(&member.expression, frame)?;
                let arguments = self.arguments(&call.arguments, frame)?;
                let name = key.to_plain().ok_or(Halt::Unknown)?;
                self.method_call(&receiver, &name, Some(&key), arguments)
            }
            other => {
                let callee = self.expression(other, frame)?;
                let arguments = self.arguments(&call.arguments, frame)?;
                self.apply(&callee, Value::Undefined, arguments)
            }
        }
    }

    /// `new callee()`: an object with what the prototype has by then.
    fn instance(&mut self, callee: &Value, arguments: Vec<Value>) -> Outcome<Value> {
        self.take(LINK)?;
        let prototype = self.named(callee, "prototype")?;
        let Value::Object(prototype) = prototype else {
            return Err(Halt::Unknown);
        };
        let table = prototype.borrow().clone();
        self.take(64 * table.len())?;
        let object = Value::Object(Rc::new(RefCell::new(table)));
        match self.apply(callee, object.clone(), arguments)? {
            Value::Undefined => Ok(object),
            _ => Err(Halt::Unknown),
        }
    }

    /// Calls a value.
    pub(crate) fn apply(
        &mut self,
        callee: &Value,
        this: Value,
        arguments: Vec<Value>,
    ) -> Outcome<Value> {
        match callee {
            Value::Function(closure) => {
                let closure = Rc::clone(closure);
                self.nested(|it| it.enter(&closure, this, arguments))
            }
            Value::Builtin(path) => self.call_builtin(path, &arguments),
            Value::Undefined | Value::Null | Value::Number(_) | Value::Text(_) => {
                Err(Halt::Thrown(Value::text("TypeError")))
            }
            _ => Err(Halt::Unknown),
        }
    }

    fn assignment(
        &mut self,
        assignment: &AssignmentExpression<'_>,
        frame: Scope<'_>,
    ) -> Outcome<Value> {
        let operator = match assignment.operator {
            AssignmentOperator::Assign => None,
            AssignmentOperator::LogicalOr
            | AssignmentOperator::LogicalAnd
            | AssignmentOperator::LogicalNullish => return Err(Halt::Unknown),
            other => Some(other.to_binary_operator().ok_or(Halt::Unknown)?),
        };
        match &assignment.left {
            AssignmentTarget::AssignmentTargetIdentifier(name) => {
                let symbol = name
                    .reference_id
                    .get()
                    .and_then(|reference| self.scoping.get_reference(reference).symbol_id())
                    .ok_or(Halt::Unknown)?;
                let value = match operator {
                    None => self.expression(&assignment.right, frame)?,
                    Some(operator) => {
                        let left = self.read(symbol, frame)?;
                        let right = self.expression(&assignment.right, frame)?;
                        // The variable lets go of the text, so that it grows in place.
                        if matches!(left, Value::Text(_)) {
                            self.write(symbol, Value::Undefined, frame)?;
                        }
                        self.operate(operator, left, &right)?
                    }
                };
                self.write(symbol, value.clone(), frame)?;
                Ok(value)
            }
            AssignmentTarget::StaticMemberExpression(member) => {
                let object = self.expression(&member.object, frame)?;
                let key = Value::text(member.property.name.as_str());
                self.assign_member(&object, &key, operator, &assignment.right, frame)
            }
            AssignmentTarget::ComputedMemberExpression(member) => {
                let object = self.expression(&member.object, frame)?;
                let key = self.expression(&member.expression, frame)?;
                self.assign_member(&object, &key, operator, &assignment.right, frame)
            }
            AssignmentTarget::ArrayAssignmentTarget(targets) if operator.is_none() => {
                // `[a[i], a[j]] = [a[j], a[i]]`, the swap of RC4.
                let value = self.expression(&assignment.right, frame)?;
                let Value::Array(values) = &value else {
                    return Err(Halt::Unknown);
                };
                for (at, target) in targets.elements.iter().enumerate() {
                    let part = values.borrow().get(at).cloned().unwrap_or(Value::Undefined);
                    match target {
                        None => {}
                        Some(AssignmentTargetMaybeDefault::AssignmentTargetIdentifier(name)) => {
                            let symbol = name
                                .reference_id
                                .get()
                                .and_then(|id| self.scoping.get_reference(id).symbol_id())
                                .ok_or(Halt::Unknown)?;
                            self.write(symbol, part, frame)?;
                        }
                        Some(AssignmentTargetMaybeDefault::ComputedMemberExpression(member)) => {
                            let object = self.expression(&member.object, frame)?;
                            let key = self.expression(&member.expression, frame)?;
                            self.set_member(&object, &key, part)?;
                        }
                        Some(_) => return Err(Halt::Unknown),
                    }
                }
                Ok(value)
            }
            _ => Err(Halt::Unknown),
        }
    }

    fn update(&mut self, update: &UpdateExpression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        let change = match update.operator {
            UpdateOperator::Increment => 1.0,
            UpdateOperator::Decrement => -1.0,
        };
        let (old, new) = match &update.argument {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                let symbol = name
                    .reference_id
                    .get()
                    .and_then(|reference| self.scoping.get_reference(reference).symbol_id())
                    .ok_or(Halt::Unknown)?;
                let old = self.read(symbol, frame)?.to_number();
                self.write(symbol, Value::Number(old + change), frame)?;
                (old, old + change)
            }
            SimpleAssignmentTarget::ComputedMemberExpression(member) => {
                let object = self.expression(&member.object, frame)?;
                let key = self.expression(&member.expression, frame)?;
                let old = self.member(&object, &key)?.to_number();
                self.set_member(&object, &key, Value::Number(old + change))?;
                (old, old + change)
            }
            _ => return Err(Halt::Unknown),
        };
        Ok(Value::Number(if update.prefix { new } else { old }))
    }

    fn unary(&mut self, unary: &UnaryExpression<'_>, frame: Scope<'_>) -> Outcome<Value> {
        let value = self.expression(&unary.argument, frame)?;
        Ok(match unary.operator {
            UnaryOperator::UnaryPlus => Value::Number(value.to_number()),
            UnaryOperator::UnaryNegation => Value::Number(-value.to_number()),
            UnaryOperator::LogicalNot => Value::Boolean(!value.is_truthy()),
            UnaryOperator::BitwiseNot => Value::Number(f64::from(!value.to_bits())),
            UnaryOperator::Typeof => Value::text(value.kind()),
            UnaryOperator::Void => Value::Undefined,
            UnaryOperator::Delete => return Err(Halt::Unknown),
        })
    }

    pub(crate) fn operate(
        &mut self,
        operator: BinaryOperator,
        left: Value,
        right: &Value,
    ) -> Outcome<Value> {
        let numbers = || (left.to_number(), right.to_number());
        Ok(match operator {
            BinaryOperator::Addition => return self.add(left, right),
            BinaryOperator::Subtraction => Value::Number(numbers().0 - numbers().1),
            BinaryOperator::Multiplication => Value::Number(numbers().0 * numbers().1),
            BinaryOperator::Division => Value::Number(numbers().0 / numbers().1),
            BinaryOperator::Remainder => Value::Number(numbers().0 % numbers().1),
            BinaryOperator::Exponential => Value::Number(numbers().0.powf(numbers().1)),
            BinaryOperator::BitwiseXOR => bit(left.to_bits() ^ right.to_bits()),
            BinaryOperator::BitwiseOR => bit(left.to_bits() | right.to_bits()),
            BinaryOperator::BitwiseAnd => bit(left.to_bits() & right.to_bits()),
            BinaryOperator::ShiftLeft => bit(left.to_bits().wrapping_shl(shift(right))),
            BinaryOperator::ShiftRight => bit(left.to_bits().wrapping_shr(shift(right))),
            BinaryOperator::ShiftRightZeroFill => Value::Number(f64::from(
                left.to_bits().cast_unsigned().wrapping_shr(shift(right)),
            )),
            BinaryOperator::StrictEquality => Value::Boolean(left.is_same(right)),
            BinaryOperator::StrictInequality => Value::Boolean(!left.is_same(right)),
            BinaryOperator::Equality => Value::Boolean(left.is_like(right)),
            BinaryOperator::Inequality => Value::Boolean(!left.is_like(right)),
            BinaryOperator::LessThan
            | BinaryOperator::LessEqualThan
            | BinaryOperator::GreaterThan
            | BinaryOperator::GreaterEqualThan => Value::Boolean(compare(operator, &left, right)),
            BinaryOperator::In => match right {
                Value::Object(table) => {
                    let key = left.to_key().ok_or(Halt::Unknown)?;
                    Value::Boolean(table.borrow().contains_key(&key))
                }
                _ => return Err(Halt::Unknown),
            },
            BinaryOperator::Instanceof => return Err(Halt::Unknown),
        })
    }

    /// As text; functions are their source.
    fn units(&mut self, value: &Value) -> Outcome<Rc<Vec<u16>>> {
        match value {
            Value::Function(closure) => self.source(closure)?.to_units().ok_or(Halt::Unknown),
            other => other.to_units().ok_or(Halt::Unknown),
        }
    }

    fn add(&mut self, left: Value, right: &Value) -> Outcome<Value> {
        let is_number = |value: &Value| {
            matches!(
                value,
                Value::Number(_) | Value::Boolean(_) | Value::Undefined | Value::Null
            )
        };
        if is_number(&left) && is_number(right) {
            return Ok(Value::Number(left.to_number() + right.to_number()));
        }
        let right = self.units(right)?;
        let mut units = match left {
            Value::Text(text) => text,
            other => self.units(&other)?,
        };
        let copied = if Rc::strong_count(&units) > 1 {
            units.len()
        } else {
            0
        };
        self.take(2 * (copied + right.len()))?;
        Rc::make_mut(&mut units).extend_from_slice(&right);
        Ok(Value::Text(units))
    }
}

fn bit(value: i32) -> Value {
    Value::Number(f64::from(value))
}

fn shift(value: &Value) -> u32 {
    bits(value.to_number()).cast_unsigned() & 31
}

fn compare(operator: BinaryOperator, left: &Value, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => left.to_number().partial_cmp(&right.to_number()),
    };
    order.is_some_and(|order| match operator {
        BinaryOperator::LessThan => order.is_lt(),
        BinaryOperator::LessEqualThan => order.is_le(),
        BinaryOperator::GreaterThan => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// A position in a list that may be given from its end.
pub(crate) fn position(value: Option<&Value>, length: usize, default: usize) -> usize {
    let Some(value) = value.filter(|value| !matches!(value, Value::Undefined)) else {
        return default;
    };
    let number = value.to_number();
    if number.is_nan() {
        return 0;
    }
    #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
    let from_end = length as f64 + number.trunc();
    if number < 0.0 {
        index(from_end.max(0.0)).unwrap_or(0)
    } else {
        index(number.trunc()).unwrap_or(length).min(length)
    }
}
