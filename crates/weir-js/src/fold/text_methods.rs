//! Methods of texts.

use std::rc::Rc;

use super::expression::position;
use super::library::{number, unknown};
use super::pattern::Pattern;
use super::value::{Value, index};
use super::{Evaluator, Halt, Outcome};

impl Evaluator<'_, '_> {
    pub(super) fn text_method(
        &mut self,
        text: &Rc<Vec<u16>>,
        name: &str,
        list: &[Value],
    ) -> Outcome<Value> {
        let length = text.len();
        let first = list.first();
        if !matches!(name, "charCodeAt" | "charAt" | "codePointAt" | "at") {
            self.scan(text)?;
            self.take(2 * length + 16)?;
        }
        let cut = |from: usize, to: usize| {
            Value::units(text.get(from..to.max(from)).unwrap_or_default().to_vec())
        };
        Ok(match name {
            "charCodeAt" | "codePointAt" => {
                let at = first.map_or(0.0, Value::to_number).trunc();
                let at = if at.is_nan() { 0.0 } else { at };
                match index(at).and_then(|at| text.get(at..)?.split_first()) {
                    // A character beyond the first 65,536 is a pair of units.
                    Some((&high, rest)) if name == "codePointAt" => {
                        let pair = [Some(high), rest.first().copied()].into_iter().flatten();
                        match char::decode_utf16(pair).next() {
                            Some(Ok(character)) => Value::Number(f64::from(u32::from(character))),
                            _ => Value::Number(f64::from(high)),
                        }
                    }
                    Some((&unit, _)) => Value::Number(f64::from(unit)),
                    None => Value::Number(f64::NAN),
                }
            }
            "charAt" | "at" => {
                let at = position(first, length, 0);
                match text.get(at) {
                    Some(&unit) => Value::units(vec![unit]),
                    None if name == "charAt" => Value::text(""),
                    None => Value::Undefined,
                }
            }
            "slice" => cut(
                position(first, length, 0),
                position(list.get(1), length, length),
            ),
            "substring" => {
                let clamp = |value: Option<&Value>, default| {
                    value
                        .filter(|v| !matches!(v, Value::Undefined))
                        .map_or(default, |value| {
                            position(Some(&Value::Number(value.to_number().max(0.0))), length, 0)
                        })
                };
                let (a, b) = (clamp(first, 0), clamp(list.get(1), length));
                cut(a.min(b), a.max(b))
            }
            "substr" => {
                let from = position(first, length, 0);
                let count = match list.get(1) {
                    Some(count) => index(count.to_number().trunc().max(0.0)).unwrap_or(0),
                    None => length,
                };
                cut(from, from.saturating_add(count).min(length))
            }
            "indexOf" | "lastIndexOf" | "includes" | "startsWith" | "endsWith" => {
                let needle = unknown(first.and_then(Value::to_units))?;
                search(text, &needle, name)
            }
            "toString" | "valueOf" | "normalize" => Value::Text(Rc::clone(text)),
            "trim" => Value::text(String::from_utf16_lossy(text).trim()),
            "toLowerCase" => Value::text(&String::from_utf16_lossy(text).to_lowercase()),
            "toUpperCase" => Value::text(&String::from_utf16_lossy(text).to_uppercase()),
            "concat" => {
                let mut units = text.to_vec();
                for part in list {
                    units.extend(unknown(part.to_units())?.iter());
                }
                self.take(2 * units.len())?;
                Value::units(units)
            }
            "repeat" => {
                let count = unknown(first.and_then(Value::to_index))?;
                self.take(length.saturating_mul(count).saturating_mul(2))?;
                Value::units(text.repeat(count))
            }
            "padStart" | "padEnd" => {
                let target = unknown(first.and_then(Value::to_index))?;
                let fill = match list.get(1) {
                    Some(fill) => unknown(fill.to_units())?,
                    None => Rc::new(vec![u16::from(b' ')]),
                };
                let missing = target.saturating_sub(length);
                self.take(missing.saturating_mul(2))?;
                let mut pad: Vec<u16> = fill.iter().copied().cycle().take(missing).collect();
                if name == "padStart" {
                    pad.extend(text.iter());
                    Value::units(pad)
                } else {
                    Value::units([text.as_slice(), &pad].concat())
                }
            }
            "split" => self.split(text, list)?,
            "replace" | "replaceAll" => self.replace(text, name, list)?,
            "match" => {
                let Some(Value::Pattern(source, flags)) = first else {
                    return Err(Halt::Unknown);
                };
                if !flags.contains('g') {
                    return Err(Halt::Unknown);
                }
                let pattern = unknown(Pattern::new(source, flags))?;
                let found: Vec<Value> = pattern
                    .all(text)
                    .into_iter()
                    .map(|(from, to)| cut(from, to))
                    .collect();
                self.take(48 * found.len())?;
                if found.is_empty() {
                    Value::Null
                } else {
                    Value::array(found)
                }
            }
            _ => return Err(Halt::Unknown),
        })
    }

    fn split(&mut self, text: &Rc<Vec<u16>>, list: &[Value]) -> Outcome<Value> {
        let pieces: Vec<Value> = match list.first() {
            None | Some(Value::Undefined) => vec![Value::Text(Rc::clone(text))],
            Some(Value::Text(separator)) if separator.is_empty() => {
                self.take(48 * text.len())?;
                text.iter().map(|&unit| Value::units(vec![unit])).collect()
            }
            Some(Value::Text(separator)) => {
                let mut pieces = Vec::new();
                let mut rest = text.as_slice();
                while let Some(at) = find(rest, separator) {
                    self.take(48)?;
                    pieces.push(Value::units(rest.get(..at).unwrap_or_default().to_vec()));
                    rest = rest.get(at + separator.len()..).unwrap_or_default();
                }
                pieces.push(Value::units(rest.to_vec()));
                pieces
            }
            Some(Value::Pattern(source, flags)) => {
                let pattern = unknown(Pattern::new(source, flags))?;
                let mut pieces = Vec::new();
                let mut from = 0;
                for (start, end) in pattern.all(text) {
                    if start == end {
                        return Err(Halt::Unknown);
                    }
                    self.take(48)?;
                    pieces.push(Value::units(
                        text.get(from..start).unwrap_or_default().to_vec(),
                    ));
                    from = end;
                }
                pieces.push(Value::units(text.get(from..).unwrap_or_default().to_vec()));
                pieces
            }
            Some(_) => return Err(Halt::Unknown),
        };
        Ok(Value::array(pieces))
    }

    fn replace(&mut self, text: &Rc<Vec<u16>>, name: &str, list: &[Value]) -> Outcome<Value> {
        let (Some(what), Some(with)) = (list.first(), list.get(1)) else {
            return Err(Halt::Unknown);
        };
        let found = match what {
            Value::Text(needle) if !needle.is_empty() => {
                let mut found = Vec::new();
                let mut from = 0;
                while let Some(at) = text.get(from..).and_then(|rest| find(rest, needle)) {
                    found.push((from + at, from + at + needle.len()));
                    from += at + needle.len();
                    if name == "replace" {
                        break;
                    }
                }
                found
            }
            Value::Pattern(source, flags) => {
                let pattern = unknown(Pattern::new(source, flags))?;
                if flags.contains('g') {
                    pattern.all(text)
                } else {
                    pattern.find(text, 0).into_iter().collect()
                }
            }
            _ => return Err(Halt::Unknown),
        };
        let mut units = Vec::with_capacity(text.len());
        let mut from = 0;
        for (start, end) in found {
            units.extend_from_slice(text.get(from..start).unwrap_or_default());
            let part = text.get(start..end).unwrap_or_default().to_vec();
            let new = match with {
                Value::Function(_) => {
                    self.apply(with, Value::Undefined, vec![Value::units(part)])?
                }
                other => other.clone(),
            };
            let new = unknown(new.to_units())?;
            // `$1` and the like are not modelled.
            if new.contains(&u16::from(b'$')) {
                return Err(Halt::Unknown);
            }
            self.take(2 * new.len())?;
            units.extend_from_slice(&new);
            from = end;
        }
        units.extend_from_slice(text.get(from..).unwrap_or_default());
        Ok(Value::units(units))
    }
}

fn find(text: &[u16], needle: &[u16]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    text.windows(needle.len())
        .position(|window| window == needle)
}

fn search(text: &[u16], needle: &[u16], name: &str) -> Value {
    let place = |found: Option<usize>| found.map_or(Value::Number(-1.0), number);
    match name {
        "indexOf" => place(find(text, needle)),
        "lastIndexOf" => place(
            text.windows(needle.len().max(1))
                .rposition(|window| window == needle),
        ),
        "includes" => Value::Boolean(find(text, needle).is_some()),
        "startsWith" => Value::Boolean(text.starts_with(needle)),
        _ => Value::Boolean(text.ends_with(needle)),
    }
}
