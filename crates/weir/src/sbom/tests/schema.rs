//! As much of JSON Schema as the schemas of CycloneDX and SPDX use. A keyword that it does not know is a
//! failed test, so that nothing is passed over. Libraries for it would double the tree of dependencies.

use std::collections::BTreeMap;
use std::path::Path;

use regex_automata::meta::Regex;
use serde_json::{Map, Value};

/// Words that ask nothing of a document.
const WORDS: [&str; 12] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "examples",
    "default",
    "deprecated",
    "meta:enum",
    "definitions",
    "then",
    "additionalItems",
];

/// A published schema, with what it refers to.
pub(super) struct Schema {
    main: Value,
    others: BTreeMap<&'static str, Value>,
}

impl Schema {
    pub(super) fn cyclonedx() -> Self {
        Self {
            main: read("cyclonedx-1.6.schema.json"),
            others: BTreeMap::from([
                (
                    "jsf-0.82.SNAPSHOT.schema.json",
                    read("cyclonedx-jsf-0.82.schema.json"),
                ),
                (
                    "spdx.SNAPSHOT.schema.json",
                    read("cyclonedx-licences.schema.json"),
                ),
            ]),
        }
    }

    pub(super) fn spdx() -> Self {
        Self {
            main: read("spdx-2.3.schema.json"),
            others: BTreeMap::new(),
        }
    }

    /// # Errors
    /// Where the document is not as the schema wants it.
    pub(super) fn check(&self, document: &Value) -> Result<(), String> {
        self.valid(&self.main, &self.main, document, "")
    }

    fn valid(&self, root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let words = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return Err(format!("{at}: nothing may stand here")),
            schema => schema.as_object().expect("a schema is an object"),
        };
        if let Some(reference) = words.get("$ref").and_then(Value::as_str) {
            // Draft 7 passes over whatever stands beside it.
            let (root, schema) = self.resolve(root, reference);
            return self.valid(root, schema, value, at);
        }
        for (word, wanted) in words {
            self.keyword(root, words, (word, wanted), value, at)?;
        }
        Ok(())
    }

    fn resolve<'s>(&'s self, root: &'s Value, reference: &str) -> (&'s Value, &'s Value) {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let root = match file {
            "" => root,
            file => self.others.get(file).expect("a schema that is referred to"),
        };
        (root, root.pointer(pointer).expect("a definition"))
    }

    fn keyword(
        &self,
        root: &Value,
        words: &Map<String, Value>,
        (word, wanted): (&str, &Value),
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        let all = |schema: &Value, value: &Value, at: &str| self.valid(root, schema, value, at);
        let branches = || wanted.as_array().expect("branches").iter();
        let fits = |schema: &Value| all(schema, value, at).is_ok();
        let text = value.as_str();
        let number = value.as_f64();
        let holds = match word {
            "type" => is(wanted, value),
            "enum" => branches().any(|it| it == value),
            "const" => wanted == value,
            "required" => value.as_object().is_none_or(|members| {
                branches().all(|key| members.contains_key(key.as_str().expect("a key")))
            }),
            "pattern" => text.is_none_or(|text| {
                let pattern = Regex::new(wanted.as_str().expect("a pattern"));
                pattern.expect("a regular expression").is_match(text)
            }),
            "format" => text.is_none_or(|text| has_form(wanted, text)),
            "minimum" => number.is_none_or(|number| wanted.as_f64() <= Some(number)),
            "maximum" => number.is_none_or(|number| wanted.as_f64() >= Some(number)),
            "minLength" => text.is_none_or(|text| size(wanted) <= text.chars().count()),
            "maxLength" => text.is_none_or(|text| size(wanted) >= text.chars().count()),
            "minItems" => value
                .as_array()
                .is_none_or(|items| size(wanted) <= items.len()),
            "maxItems" => value
                .as_array()
                .is_none_or(|items| size(wanted) >= items.len()),
            "uniqueItems" => value.as_array().is_none_or(|items| {
                let twice = |(at, item)| items.iter().skip(at + 1).any(|other| other == item);
                !items.iter().enumerate().any(twice)
            }),
            "oneOf" => branches().filter(|it| fits(it)).count() == 1,
            "anyOf" => branches().any(fits),
            "allOf" => branches().all(fits),
            "if" => !fits(wanted) || words.get("then").is_none_or(fits),
            "properties" => {
                let known = wanted.as_object().expect("properties");
                for (key, member) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = known.get(key) {
                        all(schema, member, &format!("{at}/{key}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = words.get("properties").and_then(Value::as_object);
                for (key, member) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(key)) {
                        all(wanted, member, &format!("{at}/{key}"))?;
                    }
                }
                true
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    let place = format!("{at}/{number}");
                    match wanted {
                        // One schema for each place, and what is behind them.
                        Value::Array(each) => match each.get(number) {
                            Some(schema) => all(schema, item, &place)?,
                            None => {
                                let rest = words.get("additionalItems");
                                all(rest.unwrap_or(&Value::Bool(true)), item, &place)?;
                            }
                        },
                        schema => all(schema, item, &place)?,
                    }
                }
                true
            }
            word if WORDS.contains(&word) => true,
            other => panic!("the schema uses {other:?}, which is not known here"),
        };
        if holds {
            return Ok(());
        }
        let shown: String = value.to_string().chars().take(300).collect();
        Err(format!("{at}: {word} does not hold for {shown}"))
    }
}

fn read(file: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

fn size(wanted: &Value) -> usize {
    usize::try_from(wanted.as_u64().expect("a number")).unwrap()
}

fn is(wanted: &Value, value: &Value) -> bool {
    let one = |name: &Value| match name.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("the type {other:?} is not known here"),
    };
    match wanted {
        Value::Array(names) => names.iter().any(one),
        name => one(name),
    }
}

fn has_form(wanted: &Value, text: &str) -> bool {
    match wanted.as_str().expect("a form") {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "uri" => weir_upstream::Url::parse(text).is_ok(),
        // May be relative, so that all but a few characters may stand in it.
        "iri-reference" => !text
            .chars()
            .any(|c| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '{' | '}' | '\\' | '^')),
        "idn-email" => text.contains('@'),
        other => panic!("the form {other:?} is not known here"),
    }
}
