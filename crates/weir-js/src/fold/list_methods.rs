//! Methods of lists and of bytes.

use std::rc::Rc;

use super::expression::position;
use super::library::{latin, number, unknown};
use super::value::{Value, index};
use super::{Evaluator, Halt, LINK, Outcome};
use crate::flow::text::bytes_text;

impl Evaluator<'_, '_> {
    /// `list.map(callback)`
    pub(super) fn map(&mut self, list: &[Value], callback: &Value) -> Outcome<Value> {
        let mut mapped = Vec::with_capacity(list.len());
        self.take(24 * list.len())?;
        for (at, value) in list.iter().enumerate() {
            mapped.push(self.apply(callback, Value::Undefined, vec![value.clone(), number(at)])?);
        }
        Ok(Value::array(mapped))
    }

    pub(super) fn array_method(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: Vec<Value>,
    ) -> Outcome<Value> {
        let Value::Array(values) = receiver else {
            return Err(Halt::Unknown);
        };
        let first = arguments.first().cloned();
        match name {
            "push" => {
                self.take(24 * arguments.len())?;
                let mut values = values.borrow_mut();
                values.extend(arguments);
                return Ok(number(values.len()));
            }
            "pop" => return Ok(values.borrow_mut().pop().unwrap_or(Value::Undefined)),
            "shift" => {
                let mut values = values.borrow_mut();
                // Rotating is a step per element: the list moves.
                self.steps = self
                    .steps
                    .checked_sub(values.len() as u64 / 64)
                    .ok_or(Halt::Unknown)?;
                return Ok(if values.is_empty() {
                    Value::Undefined
                } else {
                    values.remove(0)
                });
            }
            "unshift" => {
                self.take(24 * arguments.len())?;
                let mut values = values.borrow_mut();
                values.splice(0..0, arguments);
                return Ok(number(values.len()));
            }
            "reverse" => {
                values.borrow_mut().reverse();
                return Ok(receiver.clone());
            }
            "fill" => {
                let value = first.unwrap_or(Value::Undefined);
                values.borrow_mut().fill(value);
                return Ok(receiver.clone());
            }
            _ => {}
        }
        let list = values.borrow().clone();
        let length = list.len();
        self.take(24 * length + LINK)?;
        self.steps = self.steps.checked_sub(length as u64).ok_or(Halt::Unknown)?;
        Ok(match name {
            "join" | "toString" => {
                let separator = match &first {
                    Some(Value::Undefined) | None => Rc::new(vec![u16::from(b',')]),
                    Some(value) => unknown(value.to_units())?,
                };
                let mut units = Vec::new();
                for (at, value) in list.iter().enumerate() {
                    if at > 0 {
                        units.extend_from_slice(&separator);
                    }
                    if !matches!(value, Value::Undefined | Value::Null) {
                        units.extend_from_slice(&unknown(value.to_units())?);
                    }
                }
                self.take(2 * units.len())?;
                Value::units(units)
            }
            "slice" => {
                let from = position(first.as_ref(), length, 0);
                let to = position(arguments.get(1), length, length);
                Value::array(list.get(from..to.max(from)).unwrap_or_default().to_vec())
            }
            "splice" => {
                let from = position(first.as_ref(), length, 0);
                let count = arguments
                    .get(1)
                    .map_or(length, |count| index(count.to_number()).unwrap_or(0));
                let to = from.saturating_add(count).min(length);
                let new = arguments.get(2..).unwrap_or_default().to_vec();
                let removed = values.borrow_mut().splice(from..to, new).collect();
                Value::array(removed)
            }
            "concat" => {
                let mut all = list;
                for part in arguments {
                    match part {
                        Value::Array(more) => all.extend(more.borrow().iter().cloned()),
                        other => all.push(other),
                    }
                }
                self.take(24 * all.len())?;
                Value::array(all)
            }
            "indexOf" | "includes" => {
                let wanted = first.unwrap_or(Value::Undefined);
                let found = list.iter().position(|value| value.is_same(&wanted));
                match (name, found) {
                    ("includes", found) => Value::Boolean(found.is_some()),
                    (_, Some(at)) => number(at),
                    (_, None) => Value::Number(-1.0),
                }
            }
            "map" => self.map(&list, &unknown(first)?)?,
            "forEach" => {
                self.map(&list, &unknown(first)?)?;
                Value::Undefined
            }
            "filter" => {
                let callback = unknown(first)?;
                let mut kept = Vec::new();
                for (at, value) in list.into_iter().enumerate() {
                    let keep =
                        self.apply(&callback, Value::Undefined, vec![value.clone(), number(at)])?;
                    if keep.is_truthy() {
                        kept.push(value);
                    }
                }
                Value::array(kept)
            }
            "reduce" | "reduceRight" => {
                let callback = unknown(first)?;
                let mut list = list;
                if name == "reduceRight" {
                    list.reverse();
                }
                let mut rest = list.into_iter().enumerate();
                let mut sum = match arguments.get(1) {
                    Some(initial) => initial.clone(),
                    None => unknown(rest.next())?.1,
                };
                for (at, value) in rest {
                    sum = self.apply(&callback, Value::Undefined, vec![sum, value, number(at)])?;
                }
                sum
            }
            "sort" if first.is_none() => {
                let mut keyed = Vec::with_capacity(length);
                for value in list {
                    keyed.push((unknown(value.to_units())?, value));
                }
                keyed.sort_by(|a, b| a.0.cmp(&b.0));
                *values.borrow_mut() = keyed.into_iter().map(|(_, value)| value).collect();
                receiver.clone()
            }
            "flat" => {
                let mut all = Vec::new();
                for value in list {
                    match value {
                        Value::Array(inner) => all.extend(inner.borrow().iter().cloned()),
                        other => all.push(other),
                    }
                }
                Value::array(all)
            }
            _ => return Err(Halt::Unknown),
        })
    }

    pub(super) fn bytes_method(
        &mut self,
        bytes: &Rc<Vec<u8>>,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
    ) -> Outcome<Value> {
        self.take(2 * bytes.len() + 16)?;
        Ok(match name {
            "toString" => {
                let encoding = arguments.first().and_then(Value::to_plain);
                match encoding.as_deref() {
                    Some("latin1" | "binary") => latin(bytes),
                    other => Value::text(&unknown(bytes_text(bytes, other.unwrap_or("utf8")))?),
                }
            }
            "slice" | "subarray" => {
                let length = bytes.len();
                let from = position(arguments.first(), length, 0);
                let to = position(arguments.get(1), length, length);
                let part = bytes.get(from..to.max(from)).unwrap_or_default();
                Value::Bytes(Rc::new(part.to_vec()))
            }
            "reverse" => Value::Bytes(Rc::new(bytes.iter().rev().copied().collect())),
            "map" => {
                let list = self.spread(receiver)?;
                let callback = unknown(arguments.first())?.clone();
                let mapped = self.map(&list, &callback)?;
                self.bytes_from(&mapped, None)?
            }
            "reduce" | "forEach" | "join" | "includes" | "indexOf" => {
                let list = self.spread(receiver)?;
                self.array_method(&Value::array(list), name, arguments.to_vec())?
            }
            _ => return Err(Halt::Unknown),
        })
    }
}
