//! The functions of the language that decoders use. Pure ones only.

use std::rc::Rc;

use oxc_span::GetSpan;

use super::decode::{from_json, percent, unescape};
use super::pattern::Pattern;
use super::value::{Closure, Value, index, parse_int};
use super::{Evaluator, Halt, LINK, Outcome};
use crate::flow::text::{base64, encode_base64, hex};

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

pub(super) fn unknown<T>(value: Option<T>) -> Outcome<T> {
    value.ok_or(Halt::Unknown)
}

/// A string of bytes, one unit each, as `atob` gives.
pub(super) fn latin(bytes: &[u8]) -> Value {
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

    pub(super) fn bytes_from(&mut self, value: &Value, encoding: Option<&Value>) -> Outcome<Value> {
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
            Value::Array(values) => {
                // Text that stands as numbers is hidden as well.
                self.decoder = Some("Buffer.from");
                values
                    .borrow()
                    .iter()
                    .map(|value| low_byte(value.to_bits()))
                    .collect()
            }
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
        name: &str,
        key: Option<&Value>,
        arguments: Vec<Value>,
    ) -> Outcome<Value> {
        match receiver {
            Value::Text(text) => {
                let text = Rc::clone(text);
                self.text_method(&text, name, &arguments)
            }
            Value::Array(_) => self.array_method(receiver, name, arguments),
            Value::Bytes(bytes) => {
                let bytes = Rc::clone(bytes);
                self.bytes_method(&bytes, receiver, name, &arguments)
            }
            Value::Number(value) => match name {
                "toString" => {
                    let radix = arguments.first().map_or(10.0, Value::to_number);
                    radix_text(*value, radix)
                }
                "toFixed" if arguments.is_empty() => Ok(Value::text(&format!("{value:.0}"))),
                _ => Err(Halt::Unknown),
            },
            Value::Function(_) if matches!(name, "call" | "apply") => {
                self.invoke(receiver, name, arguments)
            }
            // Code that guards itself looks at its own text.
            Value::Function(closure) if name == "toString" => self.source(closure),
            Value::Builtin("TextDecoder") => match arguments.first() {
                Some(Value::Bytes(bytes)) if name == "decode" => {
                    Ok(Value::text(&String::from_utf8_lossy(bytes)))
                }
                _ => Err(Halt::Unknown),
            },
            Value::Builtin(_) if matches!(name, "call" | "apply") => {
                self.invoke(receiver, name, arguments)
            }
            Value::Pattern(source, flags) if name == "test" => {
                let pattern = unknown(Pattern::new(source, flags))?;
                let text = unknown(arguments.first().and_then(Value::to_units))?;
                self.scan(&text)?;
                Ok(Value::Boolean(pattern.find(&text, 0).is_some()))
            }
            _ => {
                let callee = match key {
                    Some(key) => self.member(receiver, key)?,
                    None => self.named(receiver, name)?,
                };
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
}

pub(super) fn thrown(name: &str) -> Halt {
    Halt::Thrown(Value::text(name))
}

fn low_byte(value: i32) -> u8 {
    u8::try_from(value & 0xff).unwrap_or_default()
}

fn low_unit(value: i32) -> u16 {
    u16::try_from(value & 0xffff).unwrap_or_default()
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
