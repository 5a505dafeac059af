//! Values of the small interpreter, and how JavaScript converts them.

use std::cell::RefCell;
use std::rc::Rc;

use oxc_syntax::node::NodeId;

use super::run::Frame;
use crate::digits::Digits;
use crate::hash::Map;

/// A value. Strings are UTF-16, as decoders index them.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Undefined,
    Null,
    Boolean(bool),
    Number(f64),
    Text(Rc<Vec<u16>>),
    Array(Rc<RefCell<Vec<Value>>>),
    Object(Rc<RefCell<Table>>),
    /// A buffer or typed array; its contents are never written to.
    Bytes(Rc<Vec<u8>>),
    /// A regular expression: source and flags.
    Pattern(Rc<str>, Rc<str>),
    Function(Rc<Closure>),
    /// A function or namespace of the language, by its path.
    Builtin(&'static str),
}

/// Properties by name.
pub(crate) type Table = Map<Rc<str>, Value>;

/// A function of the analysed file.
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) node: NodeId,
    pub(crate) frame: Option<Rc<Frame>>,
    /// Functions are objects too, and decoders keep their state there.
    pub(crate) properties: RefCell<Table>,
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Rc::new(units_of(text)))
    }

    pub(crate) fn units(units: Vec<u16>) -> Self {
        Self::Text(Rc::new(units))
    }

    pub(crate) fn array(values: Vec<Value>) -> Self {
        Self::Array(Rc::new(RefCell::new(values)))
    }

    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Boolean(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::Text(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// The string that JavaScript makes of it; `None` where that is not modelled.
    pub(crate) fn to_units(&self) -> Option<Rc<Vec<u16>>> {
        if let Self::Text(text) = self {
            return Some(Rc::clone(text));
        }
        self.to_plain().map(|text| Rc::new(units_of(&text)))
    }

    /// The same as text; lone surrogates are replaced.
    pub(crate) fn to_plain(&self) -> Option<String> {
        Some(match self {
            Self::Undefined => "undefined".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => number_text(*value),
            Self::Text(text) => String::from_utf16_lossy(text),
            Self::Array(values) => {
                let values = values.try_borrow().ok()?;
                let parts: Option<Vec<String>> = values
                    .iter()
                    .map(|value| match value {
                        Self::Undefined | Self::Null => Some(String::new()),
                        // Nested arrays could be cyclic.
                        Self::Array(_) | Self::Object(_) => None,
                        other => other.to_plain(),
                    })
                    .collect();
                parts?.join(",")
            }
            Self::Object(_) => "[object Object]".to_owned(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Pattern(..) | Self::Function(_) | Self::Builtin(_) => return None,
        })
    }

    pub(crate) fn to_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Boolean(value) => f64::from(u8::from(*value)),
            Self::Number(value) => *value,
            Self::Text(text) => parse_number(&String::from_utf16_lossy(text)),
            // `+[]` is 0 and `+[7]` is 7: packed code counts that way.
            Self::Array(_) => self.to_plain().map_or(f64::NAN, |text| parse_number(&text)),
            _ => f64::NAN,
        }
    }

    /// As the operators on bits see it.
    pub(crate) fn to_bits(&self) -> i32 {
        bits(self.to_number())
    }

    /// The name of a property it stands for.
    pub(crate) fn to_key(&self) -> Option<Rc<str>> {
        self.to_plain().map(Rc::from)
    }

    /// An index into an array or string.
    pub(crate) fn to_index(&self) -> Option<usize> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(_) => self.to_number(),
            _ => return None,
        };
        index(number)
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Function(_) | Self::Builtin(_) => "function",
            _ => "object",
        }
    }

    /// `===`
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => Rc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Rc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => Rc::ptr_eq(a, b),
            (Self::Builtin(a), Self::Builtin(b)) => a == b,
            _ => false,
        }
    }

    /// `==`
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined | Self::Null, Self::Undefined | Self::Null) => true,
            (Self::Undefined | Self::Null, _) | (_, Self::Undefined | Self::Null) => false,
            (
                Self::Number(_) | Self::Boolean(_),
                Self::Text(_) | Self::Boolean(_) | Self::Number(_),
            )
            | (Self::Text(_), Self::Number(_) | Self::Boolean(_)) => {
                self.to_number() == other.to_number()
            }
            _ => self.is_same(other),
        }
    }
}

/// A whole number that fits an index.
pub(crate) fn index(number: f64) -> Option<usize> {
    if number.fract() == 0.0 && (0.0..4_294_967_296.0).contains(&number) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "just checked"
        )]
        return Some(number as usize);
    }
    None
}

/// `ToInt32`.
pub(crate) fn bits(number: f64) -> i32 {
    if !number.is_finite() {
        return 0;
    }
    let modulus = number.trunc().rem_euclid(4_294_967_296.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the remainder fits 32 bits"
    )]
    let low = modulus as u32;
    low.cast_signed()
}

/// A number as JavaScript writes it. Very large and very small ones differ in notation only.
pub(crate) fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned()
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        Digits::of(number).to_owned()
    }
}

/// A text as UTF-16. Names and most of what decoders are given are ASCII, which needs no decoding.
fn units_of(text: &str) -> Vec<u16> {
    if text.is_ascii() {
        return text.bytes().map(u16::from).collect();
    }
    text.encode_utf16().collect()
}

/// `Number(text)`.
pub(crate) fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    let radix = |rest: &str, radix: u32| {
        u64::from_str_radix(rest, radix).map_or(f64::NAN, |value| {
            #[expect(clippy::cast_precision_loss, reason = "as JavaScript does")]
            let value = value as f64;
            value
        })
    };
    match text.as_bytes() {
        [] => 0.0,
        [b'0', b'x' | b'X', ..] => radix(text.get(2..).unwrap_or_default(), 16),
        [b'0', b'b' | b'B', ..] => radix(text.get(2..).unwrap_or_default(), 2),
        [b'0', b'o' | b'O', ..] => radix(text.get(2..).unwrap_or_default(), 8),
        // Rust also reads `inf` and `nan`.
        bytes
            if bytes
                .iter()
                .any(|byte| matches!(byte, b'i' | b'n' | b'I' | b'N')) =>
        {
            if text == "Infinity" {
                f64::INFINITY
            } else {
                f64::NAN
            }
        }
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

/// `parseInt(text, radix)`.
pub(crate) fn parse_int(text: &str, radix: u32) -> f64 {
    let text = text.trim_start();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, text) = match (radix, text.get(..2)) {
        (0 | 16, Some("0x" | "0X")) => (16, text.get(2..).unwrap_or_default()),
        (0, _) => (10, text),
        (radix, _) => (radix, text),
    };
    if !(2..=36).contains(&radix) {
        return f64::NAN;
    }
    let mut value = 0.0;
    let mut digits = 0;
    for digit in text.chars().map_while(|c| c.to_digit(radix)) {
        value = value * f64::from(radix) + f64::from(digit);
        digits += 1;
    }
    match (digits, negative) {
        (0, _) => f64::NAN,
        (_, true) => -value,
        (_, false) => value,
    }
}
