//! Encodings of text and data, as the functions of the language read them.

use std::rc::Rc;

use super::value::{Value, parse_number};

/// `%xx` and `%uxxxx`, each to one unit.
pub(super) fn unescape(units: &[u16]) -> Vec<u16> {
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
pub(super) fn percent(text: &str) -> Option<Vec<u8>> {
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

pub(super) fn from_json(json: &serde_json::Value) -> Value {
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
