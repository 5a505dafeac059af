//! JSON, and the JSON with trailing commas that bun writes, with lines.

use jsonc_parser::ast::Value as Ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::error::{LockfileError, Problem, lines_in};
use super::tree::{Kind, MAX_DEPTH, Member, Value, distinct};

/// How far from JSON a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// JSON.
    Json,
    /// With comments and commas before closing brackets.
    Commas,
}

/// Reads a text.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Value<'_>, LockfileError> {
    let relaxed = dialect == Dialect::Commas;
    let options = ParseOptions {
        allow_comments: relaxed,
        allow_loose_object_property_names: false,
        allow_trailing_commas: relaxed,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let line = u32::try_from(error.line_display()).unwrap_or(u32::MAX);
        Problem::Syntax(format!("not JSON: {}", error.kind())).at(line, None)
    })?;
    let value = parsed
        .value
        .ok_or_else(|| Problem::Syntax("not JSON: the file is empty".to_owned()).at(1, None))?;
    Lines {
        text,
        at: 0,
        line: 1,
    }
    .convert(value, 0)
}

/// Counts lines on the way through a text.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    /// The line of a position. Positions come in order.
    fn line(&mut self, position: usize) -> u32 {
        let passed = self.text.as_bytes().get(self.at..position);
        self.line = self
            .line
            .saturating_add(lines_in(passed.unwrap_or_default()));
        self.at = self.at.max(position);
        self.line
    }

    fn convert(&mut self, value: Ast<'a>, depth: usize) -> Result<Value<'a>, LockfileError> {
        let (line, kind) = match value {
            Ast::NullKeyword(it) => (self.line(it.range.start), Kind::Null),
            Ast::BooleanLit(it) => (self.line(it.range.start), Kind::Bool(it.value)),
            Ast::NumberLit(it) => (self.line(it.range.start), Kind::Number(it.value.into())),
            Ast::StringLit(it) => (self.line(it.range.start), Kind::Text(it.value)),
            Ast::Array(array) => {
                let line = self.line(array.range.start);
                let elements = array.elements.into_iter();
                let list = elements.map(|value| self.deeper(value, depth, line));
                (line, Kind::List(list.collect::<Result<_, _>>()?))
            }
            Ast::Object(object) => {
                let line = self.line(object.range.start);
                let mut members = Vec::with_capacity(object.properties.len());
                for property in object.properties {
                    let line = self.line(property.range.start);
                    let value = self.deeper(property.value, depth, line)?;
                    let key = match property.name {
                        jsonc_parser::ast::ObjectPropName::String(name) => name.value,
                        jsonc_parser::ast::ObjectPropName::Word(name) => name.value.into(),
                    };
                    members.push(Member { key, line, value });
                }
                distinct(&members)?;
                (line, Kind::Map(members))
            }
        };
        Ok(Value { line, kind })
    }

    fn deeper(
        &mut self,
        value: Ast<'a>,
        depth: usize,
        line: u32,
    ) -> Result<Value<'a>, LockfileError> {
        if depth >= MAX_DEPTH {
            return Err(Problem::TooDeep.at(line, None));
        }
        self.convert(value, depth + 1)
    }
}
