//! Properties of values.

use std::rc::Rc;

use oxc_ast::ast::*;
use oxc_syntax::operator::BinaryOperator;

use super::run::Frame;
use super::value::Value;
use super::{Evaluator, Halt, LINK, Outcome, library};

type Scope<'f> = Option<&'f Rc<Frame>>;

impl Evaluator<'_, '_> {
    /// `object[key]`
    pub(crate) fn member(&mut self, object: &Value, key: &Value) -> Outcome<Value> {
        Ok(match (object, key.to_index()) {
            (Value::Array(values), Some(at)) => {
                values.borrow().get(at).cloned().unwrap_or(Value::Undefined)
            }
            (Value::Text(text), Some(at)) => text
                .get(at)
                .map_or(Value::Undefined, |&unit| Value::units(vec![unit])),
            (Value::Bytes(bytes), Some(at)) => bytes
                .get(at)
                .map_or(Value::Undefined, |&byte| Value::Number(f64::from(byte))),
            // These throw whatever is asked for.
            (Value::Undefined | Value::Null, _) => return self.named(object, ""),
            _ => {
                let name = key.to_plain().ok_or(Halt::Unknown)?;
                return self.named(object, &name);
            }
        })
    }

    /// `object.name`, where the name is no position.
    pub(crate) fn named(&mut self, object: &Value, name: &str) -> Outcome<Value> {
        Ok(match object {
            Value::Undefined | Value::Null => {
                return Err(Halt::Thrown(Value::text("TypeError")));
            }
            Value::Object(table) => match table.borrow().get(name) {
                Some(value) => value.clone(),
                // What every object inherits is a function, not nothing.
                None if matches!(name, "toString" | "constructor" | "valueOf") => {
                    return Err(Halt::Unknown);
                }
                None => Value::Undefined,
            },
            Value::Function(closure) => {
                let found = closure.properties.borrow().get(name).cloned();
                match found {
                    Some(value) => value,
                    None if name == "prototype" => {
                        self.take(LINK)?;
                        let made = Value::Object(Rc::default());
                        let mut properties = closure.properties.borrow_mut();
                        properties.insert(Rc::from(name), made.clone());
                        made
                    }
                    None if matches!(name, "toString" | "constructor" | "name" | "length") => {
                        return Err(Halt::Unknown);
                    }
                    None => Value::Undefined,
                }
            }
            Value::Builtin(path) => match (*path, name) {
                ("global", name) => Value::Builtin(library::builtin(name).ok_or(Halt::Unknown)?),
                ("Math", "PI") => Value::Number(std::f64::consts::PI),
                (path, name) => {
                    let path = [path, ".", name].concat();
                    Value::Builtin(library::builtin(&path).ok_or(Halt::Unknown)?)
                }
            },
            Value::Array(values) if name == "length" => library::number(values.borrow().len()),
            Value::Text(text) if name == "length" => library::number(text.len()),
            Value::Bytes(bytes) if name == "length" => library::number(bytes.len()),
            _ => return Err(Halt::Unknown),
        })
    }

    /// `object[key] = value`
    pub(super) fn set_member(&mut self, object: &Value, key: &Value, value: Value) -> Outcome<()> {
        match object {
            Value::Array(values) => {
                let mut values = values.try_borrow_mut().map_err(|_| Halt::Unknown)?;
                if let Some(at) = key.to_index() {
                    if at >= values.len() {
                        let more = at.saturating_sub(values.len()).saturating_add(1);
                        drop(values);
                        self.take(more.saturating_mul(24))?;
                        let Value::Array(values) = object else {
                            return Err(Halt::Unknown);
                        };
                        let mut values = values.borrow_mut();
                        values.resize(at + 1, Value::Undefined);
                        if let Some(slot) = values.get_mut(at) {
                            *slot = value;
                        }
                    } else if let Some(slot) = values.get_mut(at) {
                        *slot = value;
                    }
                    Ok(())
                } else if key.to_plain().as_deref() == Some("length") {
                    let length = value.to_index().ok_or(Halt::Unknown)?;
                    if length > values.len() {
                        return Err(Halt::Unknown);
                    }
                    values.truncate(length);
                    Ok(())
                } else {
                    Err(Halt::Unknown)
                }
            }
            Value::Object(table) => {
                let key = key.to_key().ok_or(Halt::Unknown)?;
                self.take(64 + key.len())?;
                table.borrow_mut().insert(key, value);
                Ok(())
            }
            Value::Function(closure) => {
                let key = key.to_key().ok_or(Halt::Unknown)?;
                self.take(64 + key.len())?;
                closure.properties.borrow_mut().insert(key, value);
                Ok(())
            }
            _ => Err(Halt::Unknown),
        }
    }

    pub(super) fn assign_member(
        &mut self,
        object: &Value,
        key: &Value,
        operator: Option<BinaryOperator>,
        right: &Expression<'_>,
        frame: Scope<'_>,
    ) -> Outcome<Value> {
        let value = match operator {
            None => self.expression(right, frame)?,
            Some(operator) => {
                let left = self.member(object, key)?;
                let right = self.expression(right, frame)?;
                self.operate(operator, left, &right)?
            }
        };
        self.set_member(object, key, value.clone())?;
        Ok(value)
    }
}
