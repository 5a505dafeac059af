//! The functions of the language that decoders use. Pure ones only.

use std::rc::Rc;

use oxc_span::GetSpan;

use super::expression::position;
use super::pattern::Pattern;
use super::value::{Closure, Value, index, parse_int, parse_number};
use super::{Evaluator, Halt, LINK, Outcome};
use crate::flow::text::{base64, bytes_text, encode_base64, hex};

/// Every function and namespace that is modelled, by its path.
const BUILTINS: &[&str] = &[
    "String",
    "String.fromCharCode",
    "String.fromCodePoint",
    "String.raw",
    "String.prototype",
    "Number",
    "Number.parseInt",
    "Number.parseFloat",
    "Boolean",
    "parseInt",
    "parseFloat",
    "isNaN",
    "Math",
    "Math.floor",
    "Math.ceil",
    "Math.round",
    "Math.trunc",
    "Math.abs",
    "Math.min",
    "Math.max",
    "Math.pow",
    "Math.sqrt",
    "Array",
    "Array.from",
    "Array.of",
    "Array.isArray",
    "Uint8Array",
    "Uint8Array.from",
    "Buffer",
    "Buffer.from",
    "Buffer.concat",
    "Object",
    "Object.keys",
    "Object.values",
    "Object.freeze",
    "JSON",
    "JSON.parse",
    "Reflect",
    "Reflect.apply",
    "RegExp",
    "TextDecoder",
    "atob",
    "btoa",
    "escape",
    "unescape",
    "decodeURIComponent",
    "decodeURI",
    "encodeURIComponent",
    "global",
];

/// The modelled function or namespace of this path.
pub(crate) fn builtin(path: &str) -> Option<&'static str> {
    if matches!(path, "globalThis" | "window" | "self") {
        return Some("global");
    }
    BUILTINS.iter().copied().find(|known| *known == path)
}

/// A length as a number.
pub(crate) fn number(length: usize) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
    Value::Number(length as f64)
}

fn unknown<T>(value: Option<T>) -> Outcome<T> {
    value.ok_or(Halt::Unknown)
}

/// A string of bytes, one unit each, as `atob` gives.
fn latin(bytes: &[u8]) -> Value {
    Value::units(bytes.iter().map(|&byte| u16::from(byte)).collect())
}

/// Functions whose result was hidden in what they are given.
const DECODERS: &[&str] = &[
    "String.fromCharCode",
    "String.fromCodePoint",
    "atob",
    "unescape",
];

impl Evaluator<'_, '_> {
    /// Calls a function of the language.
    pub(crate) fn call_builtin(&mut self, path: &str, arguments: &[Value]) -> Outcome<Value> {
        let first = arguments.first().cloned().unwrap_or(Value::Undefined);
        let plain = || unknown(first.to_plain());
        // Functions that give a list count as one.
        let is_list = path.starts_with("Array") || path.starts_with("Object");
        self.take(if is_list { LINK } else { 16 })?;
        if let Some(decoder) = DECODERS.iter().find(|decoder| **decoder == path) {
            self.decoder = Some(decoder);
        }
        Ok(match path {
            "String" => Value::Text(unknown(first.to_units())?),
            "String.fromCharCode" => Value::units(
                arguments
                    .iter()
                    .map(|value| low_unit(value.to_bits()))
                    .collect(),
            ),
            "String.fromCodePoint" => {
                let text: Option<String> = arguments
                    .iter()
                    .map(|value| u32::try_from(value.to_bits()).ok().and_then(char::from_u32))
                    .collect();
                Value::text(&unknown(text)?)
            }
            "Number" | "parseFloat" | "Number.parseFloat" => Value::Number(first.to_number()),
            "Boolean" => Value::Boolean(first.is_truthy()),
            "parseInt" | "Number.parseInt" => {
                let radix = arguments.get(1).map_or(0, Value::to_bits);
                Value::Number(parse_int(&plain()?, u32::try_from(radix).unwrap_or(1)))
            }
            "isNaN" => Value::Boolean(first.to_number().is_nan()),
            "Math.floor" => Value::Number(first.to_number().floor()),
            "Math.ceil" => Value::Number(first.to_number().ceil()),
            "Math.round" => Value::Number((first.to_number() + 0.5).floor()),
            "Math.trunc" => Value::Number(first.to_number().trunc()),
            "Math.abs" => Value::Number(first.to_number().abs()),
            "Math.sqrt" => Value::Number(first.to_number().sqrt()),
            "Math.pow" => {
                let power = arguments.get(1).map_or(f64::NAN, Value::to_number);
                Value::Number(first.to_number().powf(power))
            }
            "Math.min" | "Math.max" => {
                let numbers = arguments.iter().map(Value::to_number);
                Value::Number(if path == "Math.min" {
                    numbers.fold(f64::INFINITY, f64::min)
                } else {
                    numbers.fold(f64::NEG_INFINITY, f64::max)
                })
            }
            "Array" | "Array.of" => match (path, arguments) {
                ("Array", [Value::Number(length)]) => {
                    let length = unknown(index(*length))?;
                    self.take(length.saturating_mul(24))?;
                    Value::array(vec![Value::Undefined; length])
                }
                _ => Value::array(arguments.to_vec()),
            },
            "Array.from" => {
                let list = match &first {
                    Value::Object(table) => {
                        let length = table.borrow().get("length").and_then(Value::to_index);
                        let length = unknown(length)?;
                        self.take(length.saturating_mul(24))?;
                        vec![Value::Undefined; length]
                    }
                    other => self.spread(other)?,
                };
                match arguments.get(1) {
                    Some(callback) => self.map(&list, callback)?,
                    None => Value::array(list),
                }
            }
            "Array.isArray" => Value::Boolean(matches!(first, Value::Array(_))),
            "Uint8Array" | "Uint8Array.from" | "Buffer" | "Buffer.from" => {
                self.bytes_from(&first, arguments.get(1))?
            }
            "Buffer.concat" => {
                let mut all = Vec::new();
                for part in self.spread(&first)? {
                    let Value::Bytes(bytes) = part else {
                        return Err(Halt::Unknown);
                    };
                    all.extend_from_slice(&bytes);
                }
                self.take(all.len())?;
                Value::Bytes(Rc::new(all))
            }
            "Object.keys" | "Object.values" => {
                let Value::Array(values) = &first else {
                    return Err(Halt::Unknown);
                };
                let values = values.borrow().clone();
                self.take(24 * values.len())?;
                Value::array(if path == "Object.values" {
                    values
                } else {
                    (0..values.len())
                        .map(|at| Value::text(&at.to_string()))
                        .collect()
                })
            }
            "Object.freeze" => first,
            "JSON.parse" => {
                let text = plain()?;
                self.take(8 * text.len())?;
                let json = serde_json::from_str(&text).map_err(|_| thrown("SyntaxError"))?;
                from_json(&json)
            }
            "Reflect.apply" => {
                let this = arguments.get(1).cloned().unwrap_or(Value::Undefined);
                let list = self.spread(unknown(arguments.get(2))?)?;
                return self.apply(&first, this, list);
            }
            "RegExp" => {
                let flags = arguments.get(1).and_then(Value::to_plain);
                Value::Pattern(Rc::from(plain()?), Rc::from(flags.unwrap_or_default()))
            }
            "atob" => latin(&base64(&plain()?).ok_or_else(|| thrown("InvalidCharacterError"))?),
            "btoa" => {
                let units = unknown(first.to_units())?;
                let bytes: Result<Vec<u8>, _> = units.iter().map(|&u| u8::try_from(u)).collect();
                Value::text(&encode_base64(&bytes.map_err(|_| thrown("Error"))?))
            }
            "unescape" => Value::units(unescape(&unknown(first.to_units())?)),
            "decodeURIComponent" | "decodeURI" => {
                let bytes = percent(&plain()?).ok_or_else(|| thrown("URIError"))?;
                let text = String::from_utf8(bytes).map_err(|_| thrown("URIError"))?;
                Value::text(&text)
            }
            "escape" | "encodeURIComponent" => {
                let mut text = String::new();
                for byte in plain()?.bytes() {
                    if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
                        text.push(char::from(byte));
                    } else {
                        text.push_str(&format!("%{byte:02X}"));
                    }
                }
                Value::text(&text)
            }
            _ => return Err(Halt::Unknown),
        })
    }

    /// `new` of something of the language.
    pub(crate) fn construct(&mut self, path: &str, arguments: &[Value]) -> Outcome<Value> {
        match path {
            "Array" | "Uint8Array" | "Buffer" | "RegExp" => self.call_builtin(path, arguments),
            "TextDecoder" => Ok(Value::Builtin("TextDecoder")),
            _ => Err(Halt::Unknown),
        }
    }

    fn bytes_from(&mut self, value: &Value, encoding: Option<&Value>) -> Outcome<Value> {
        let bytes = match value {
            Value::Text(text) => {
                let text = String::from_utf16_lossy(text);
                match encoding.and_then(Value::to_plain).as_deref() {
                    Some("base64" | "base64url") => {
                        self.decoder = Some("Buffer.from");
                        unknown(base64(&text))?
                    }
                    Some("hex") => {
                        self.decoder = Some("Buffer.from");
                        hex(&text).unwrap_or_default()
                    }
                    Some("latin1" | "binary" | "ascii") => {
                        text.chars().map(|c| (u32::from(c) & 0xff) as u8).collect()
                    }
                    Some("utf8" | "utf-8" | "undefined") | None => text.into_bytes(),
                    Some(_) => return Err(Halt::Unknown),
                }
            }
            Value::Array(values) => values
                .borrow()
                .iter()
                .map(|value| low_byte(value.to_bits()))
                .collect(),
            Value::Bytes(bytes) => bytes.to_vec(),
            _ => return Err(Halt::Unknown),
        };
        self.take(bytes.len())?;
        Ok(Value::Bytes(Rc::new(bytes)))
    }

    /// `receiver[key](...arguments)`
    pub(crate) fn method_call(
        &mut self,
        receiver: &Value,
        key: &Value,
        arguments: Vec<Value>,
    ) -> Outcome<Value> {
        let name = unknown(key.to_plain())?;
        match receiver {
            Value::Text(text) => {
                let text = Rc::clone(text);
                self.text_method(&text, &name, &arguments)
            }
            Value::Array(_) => self.array_method(receiver, &name, arguments),
            Value::Bytes(bytes) => {
                let bytes = Rc::clone(bytes);
                self.bytes_method(&bytes, receiver, &name, &arguments)
            }
            Value::Number(value) => match name.as_str() {
                "toString" => {
                    let radix = arguments.first().map_or(10.0, Value::to_number);
                    radix_text(*value, radix)
                }
                "toFixed" if arguments.is_empty() => Ok(Value::text(&format!("{value:.0}"))),
                _ => Err(Halt::Unknown),
            },
            Value::Function(_) if matches!(name.as_str(), "call" | "apply") => {
                self.invoke(receiver, &name, arguments)
            }
            // Code that guards itself looks at its own text.
            Value::Function(closure) if name == "toString" => self.source(closure),
            Value::Builtin("TextDecoder") => match arguments.first() {
                Some(Value::Bytes(bytes)) if name == "decode" => {
                    Ok(Value::text(&String::from_utf8_lossy(bytes)))
                }
                _ => Err(Halt::Unknown),
            },
            Value::Builtin(_) if matches!(name.as_str(), "call" | "apply") => {
                self.invoke(receiver, &name, arguments)
            }
            Value::Pattern(source, flags) if name == "test" => {
                let pattern = unknown(Pattern::new(source, flags))?;
                let text = unknown(arguments.first().and_then(Value::to_units))?;
                self.scan(&text)?;
                Ok(Value::Boolean(pattern.find(&text, 0).is_some()))
            }
            _ => {
                let callee = self.member(receiver, key)?;
                self.apply(&callee, receiver.clone(), arguments)
            }
        }
    }

    /// The text of a function.
    pub(crate) fn source(&mut self, closure: &Closure) -> Outcome<Value> {
        let span = self.nodes.kind(closure.node).span();
        let text = self.nodes.program().source_text;
        let text = text.get(span.start as usize..span.end as usize);
        self.take(2 * span.size() as usize)?;
        Ok(Value::text(unknown(text)?))
    }

    fn invoke(&mut self, callee: &Value, name: &str, arguments: Vec<Value>) -> Outcome<Value> {
        let this = arguments.first().cloned().unwrap_or(Value::Undefined);
        let list = if name == "call" {
            arguments.get(1..).unwrap_or_default().to_vec()
        } else {
            match arguments.get(1) {
                Some(list) => self.spread(list)?,
                None => Vec::new(),
            }
        };
        self.apply(callee, this, list)
    }

    /// Work on all of a text.
    pub(crate) fn scan(&mut self, text: &[u16]) -> Outcome<()> {
        self.steps = self
            .steps
            .checked_sub(text.len() as u64 / 8)
            .ok_or(Halt::Unknown)?;
        Ok(())
    }

    fn text_method(&mut self, text: &Rc<Vec<u16>>, name: &str, list: &[Value]) -> Outcome<Value> {
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
                match index(at).and_then(|at| text.get(at)) {
                    Some(&unit) => Value::Number(f64::from(unit)),
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

    /// `list.map(callback)`
    fn map(&mut self, list: &[Value], callback: &Value) -> Outcome<Value> {
        let mut mapped = Vec::with_capacity(list.len());
        self.take(24 * list.len())?;
        for (at, value) in list.iter().enumerate() {
            mapped.push(self.apply(callback, Value::Undefined, vec![value.clone(), number(at)])?);
        }
        Ok(Value::array(mapped))
    }

    fn array_method(
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

    fn bytes_method(
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

fn thrown(name: &str) -> Halt {
    Halt::Thrown(Value::text(name))
}

fn low_byte(value: i32) -> u8 {
    u8::try_from(value & 0xff).unwrap_or_default()
}

fn low_unit(value: i32) -> u16 {
    u16::try_from(value & 0xffff).unwrap_or_default()
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

fn radix_text(value: f64, radix: f64) -> Outcome<Value> {
    let radix = unknown(index(radix).and_then(|radix| u32::try_from(radix).ok()))?;
    if radix == 10 {
        return Ok(Value::text(&super::value::number_text(value)));
    }
    let mut rest = unknown(index(value.abs()))?;
    if !(2..=36).contains(&radix) {
        return Err(Halt::Unknown);
    }
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % radix as usize).unwrap_or_default();
        digits.extend(char::from_digit(digit, radix));
        rest /= radix as usize;
        if rest == 0 {
            break;
        }
    }
    if value < 0.0 {
        digits.push('-');
    }
    Ok(Value::text(&digits.iter().rev().collect::<String>()))
}

/// `%xx` and `%uxxxx`, each to one unit.
fn unescape(units: &[u16]) -> Vec<u16> {
    let mut out = Vec::with_capacity(units.len());
    let mut at = 0;
    let number = |from: usize, count: usize| {
        let digits = units.get(from..from + count)?;
        let text = String::from_utf16(digits).ok()?;
        u16::from_str_radix(&text, 16).ok()
    };
    while let Some(&unit) = units.get(at) {
        if unit == u16::from(b'%') {
            if units.get(at + 1) == Some(&u16::from(b'u'))
                && let Some(found) = number(at + 2, 4)
            {
                out.push(found);
                at += 6;
                continue;
            }
            if let Some(found) = number(at + 1, 2) {
                out.push(found);
                at += 3;
                continue;
            }
        }
        out.push(unit);
        at += 1;
    }
    out
}

/// The bytes of a percent-encoded text; `None` where it is malformed.
fn percent(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let pair = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    Some(bytes)
}

fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Boolean(*value),
        serde_json::Value::Number(value) => Value::Number(parse_number(&value.to_string())),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(list) => Value::array(list.iter().map(from_json).collect()),
        serde_json::Value::Object(map) => {
            let table = map
                .iter()
                .map(|(key, value)| (Rc::from(key.as_str()), from_json(value)))
                .collect();
            Value::Object(Rc::new(std::cell::RefCell::new(table)))
        }
    }
}
