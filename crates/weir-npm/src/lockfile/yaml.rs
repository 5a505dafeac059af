//! The part of YAML that pnpm and yarn write, with lines.
//!
//! Read as a stream of events, without recursion: a parser that builds trees by recursion ends the
//! process on deep input. Anchors, aliases and tags are refused where they stand, so nothing grows; in settings
//! a single value may be repeated by an alias, as often as it takes to fill a megabyte.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};

use super::error::{LockfileError, Problem};
use super::tree::{Kind, MAX_DEPTH, Member, Value, distinct};

/// A collection that is still open.
struct Open<'a> {
    line: u32,
    /// The key that waits for its value, in an object.
    key: Option<(Cow<'a, str>, u32)>,
    items: Items<'a>,
}

enum Items<'a> {
    List(Vec<Value<'a>>),
    Map(Vec<Member<'a>>),
}

/// Reads a text with one document.
pub(crate) fn parse(text: &str) -> Result<Value<'_>, LockfileError> {
    let mut documents = parse_all(text)?.into_iter();
    let first = documents.next();
    if let Some(second) = documents.next() {
        return Err(another(second.line));
    }
    first.ok_or_else(|| Problem::Syntax("the file is empty".to_owned()).at(1, None))
}

/// That there are more documents than the format has.
pub(crate) fn another(line: u32) -> LockfileError {
    Problem::Syntax("more than one YAML document".to_owned()).at(line, None)
}

/// Most bytes that aliases repeat in a file.
const MOST_REPEATED: usize = 1 << 20;

/// Single values with an anchor, by its number, and how many bytes may still be repeated.
struct Anchored<'a> {
    values: HashMap<usize, (Cow<'a, str>, ScalarStyle)>,
    left: usize,
}

impl<'a> Anchored<'a> {
    fn repeat(&mut self, anchor: usize) -> Option<Kind<'a>> {
        let (text, style) = self.values.get(&anchor)?;
        self.left = self.left.checked_sub(text.len())?;
        Some(scalar(text.clone(), *style))
    }
}

/// Reads a text with any number of documents.
pub(crate) fn parse_all(text: &str) -> Result<Vec<Value<'_>>, LockfileError> {
    read(text, None)
}

/// The same of settings, in which a single value may have an anchor and aliases.
pub(crate) fn parse_settings(text: &str) -> Result<Vec<Value<'_>>, LockfileError> {
    let anchored = Anchored {
        values: HashMap::new(),
        left: MOST_REPEATED,
    };
    read(text, Some(anchored))
}

fn read<'a>(
    text: &'a str,
    mut anchored: Option<Anchored<'a>>,
) -> Result<Vec<Value<'a>>, LockfileError> {
    let is_settings = anchored.is_some();
    let options = granit_parser::options! {
        // A berry key lists every range that leads to an entry and can be as long as a line gets.
        simple_key_max_lookahead: super::npm::MAX_KEY * 64,
    };
    let mut open: Vec<Open<'a>> = Vec::new();
    let mut roots = Vec::new();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| {
            let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
            Problem::Syntax(format!("not YAML: {}", error.info())).at(line.max(1), None)
        })?;
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        let done = match event {
            Event::MappingStart(_, anchor, tag) => {
                plain(anchor, tag.is_some(), line, is_settings)?;
                push(&mut open, line, Items::Map(Vec::new()))?;
                None
            }
            Event::SequenceStart(_, anchor, tag) => {
                plain(anchor, tag.is_some(), line, is_settings)?;
                push(&mut open, line, Items::List(Vec::new()))?;
                None
            }
            Event::MappingEnd | Event::SequenceEnd => Some(close(open.pop(), line)?),
            Event::Scalar(text, style, anchor, tag) => {
                plain(anchor, tag.is_some(), line, is_settings)?;
                if let (Some(anchored), 1..) = (&mut anchored, anchor) {
                    anchored.values.insert(anchor, (text.clone(), style));
                }
                let kind = scalar(text, style);
                Some(Value { line, kind })
            }
            Event::Alias(anchor) => {
                let kind = anchored.as_mut().and_then(|it| it.repeat(anchor));
                let kind = kind.ok_or_else(|| refused(is_settings).at(line, None))?;
                Some(Value { line, kind })
            }
            _ => None,
        };
        if let Some(value) = done {
            add(&mut open, &mut roots, value)?;
        }
    }
    Ok(roots)
}

fn plain(anchor: usize, tagged: bool, line: u32, is_settings: bool) -> Result<(), LockfileError> {
    if tagged || (anchor != 0 && !is_settings) {
        return Err(refused(is_settings).at(line, None));
    }
    Ok(())
}

fn refused(is_settings: bool) -> Problem {
    if is_settings {
        Problem::Reference
    } else {
        Problem::Alias
    }
}

fn push<'a>(open: &mut Vec<Open<'a>>, line: u32, items: Items<'a>) -> Result<(), LockfileError> {
    if open.len() >= MAX_DEPTH {
        return Err(Problem::TooDeep.at(line, None));
    }
    open.push(Open {
        line,
        key: None,
        items,
    });
    Ok(())
}

fn close(open: Option<Open<'_>>, line: u32) -> Result<Value<'_>, LockfileError> {
    let open = open.ok_or_else(|| Problem::Syntax("not YAML".to_owned()).at(line, None))?;
    let kind = match open.items {
        Items::List(values) => Kind::List(values),
        Items::Map(members) => {
            distinct(&members)?;
            Kind::Map(members)
        }
    };
    Ok(Value {
        line: open.line,
        kind,
    })
}

fn add<'a>(
    open: &mut [Open<'a>],
    roots: &mut Vec<Value<'a>>,
    value: Value<'a>,
) -> Result<(), LockfileError> {
    let Some(parent) = open.last_mut() else {
        roots.push(value);
        return Ok(());
    };
    match (&mut parent.items, parent.key.take()) {
        (Items::List(values), _) => values.push(value),
        (Items::Map(members), Some((key, line))) => members.push(Member { key, line, value }),
        (Items::Map(_), None) => {
            let line = value.line;
            let key = match value.kind {
                Kind::Text(text) | Kind::Number(text) => text,
                Kind::Bool(true) => "true".into(),
                Kind::Bool(false) => "false".into(),
                _ => return Err(Problem::Wrong("a key").at(line, None)),
            };
            parent.key = Some((key, line));
        }
    }
    Ok(())
}

/// What a scalar is. Only bare words can be anything but text.
fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Kind<'_> {
    if style != ScalarStyle::Plain {
        return Kind::Text(text);
    }
    match text.as_ref() {
        "" | "~" | "null" => Kind::Null,
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        _ if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.') =>
        {
            Kind::Number(text)
        }
        _ => Kind::Text(text),
    }
}
