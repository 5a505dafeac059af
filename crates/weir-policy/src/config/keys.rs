//! The list of keys, read from the JSON schema and so from the doc comments of the sections.

use std::fmt::Write as _;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::nearest::nearest;
use super::{
    Day, Expiry, Folder, NameGlob, Period, Policy, ReferencePattern, RepositoryPattern, Selector,
    SignalId, Size, VersionRange, Words, WorkflowPattern,
};

/// What a key takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A text of some form: `period`, `size`, `last day`.
    Text(String),
    /// One of these words.
    Choice(Vec<String>),
    /// A whole number.
    Number,
    /// A list of texts of some form.
    List(String),
}

/// One key of `weir.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The section it stands in, e.g. `age`; `waiver` for keys of waivers.
    pub section: String,
    /// Its name there, e.g. `minimum`; `<signal>` where any signal's id may stand.
    pub name: String,
    /// Both, e.g. `age.minimum`.
    pub path: String,
    /// What it takes.
    pub kind: Kind,
    /// What it means, in sentences.
    pub description: String,
    /// The default as TOML; absent where there is none.
    pub default: Option<String>,
    /// Whether it cannot be left out.
    pub required: bool,
}

/// What stands in for an id in the section of signals.
pub(super) const ANY_SIGNAL: &str = "<signal>";

/// How to say a form with its article, and how to tell whether a text has it.
type Form = (&'static str, &'static str, fn(&str) -> Result<(), String>);

const FORMS: &[Form] = &[
    ("period", "a duration such as \"24h\"", |text| {
        text.parse::<Period>().map(drop)
    }),
    ("size", "a size such as \"512 MiB\"", |text| {
        text.parse::<Size>().map(drop)
    }),
    ("last day", "a date such as \"2026-12-31\"", |text| {
        text.parse::<Expiry>().map(drop)
    }),
    ("day", "a date such as \"2026-07-01\"", |text| {
        text.parse::<Day>().map(drop)
    }),
    (
        "repository pattern",
        "a repository pattern such as \"acme/*\"",
        |text| text.parse::<RepositoryPattern>().map(drop),
    ),
    (
        "workflow pattern",
        "a workflow's path such as \".github/workflows/release.yml\"",
        |text| text.parse::<WorkflowPattern>().map(drop),
    ),
    (
        "ref pattern",
        "a ref such as \"tags\" or \"refs/heads/main\"",
        |text| text.parse::<ReferencePattern>().map(drop),
    ),
    ("text", "text", |text| text.parse::<Words>().map(drop)),
    ("folder", "a folder such as \"rules\"", |text| {
        text.parse::<Folder>().map(drop)
    }),
    (
        "version range",
        "a version range such as \"1.2.3 || ^2\"",
        |text| text.parse::<VersionRange>().map(drop),
    ),
    (
        "package pattern",
        "a package pattern such as \"@acme/*\"",
        |text| text.parse::<NameGlob>().map(drop),
    ),
    (
        "package pattern, with or without versions",
        "a package pattern such as \"@acme/*\" or \"name@1.2.3\"",
        |text| text.parse::<Selector>().map(drop),
    ),
    ("signal", "the id of a signal", |text| {
        text.parse::<SignalId>().map(drop)
    }),
];

fn form(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|(form, ..)| *form == name)
}

impl Kind {
    /// What the key takes, as part of a sentence.
    #[must_use]
    pub fn with_article(&self) -> String {
        let named = |name: &String| form(name).map_or("text", |(_, article, _)| article);
        match self {
            Self::Text(name) => named(name).to_owned(),
            Self::Choice(words) => format!("one of {}", alternatives(words)),
            Self::Number => "a whole number".to_owned(),
            Self::List(name) => format!("a list, each {}", named(name)),
        }
    }

    /// Whether a text, or one text of a list, is what the key takes.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        match self {
            Self::Text(name) | Self::List(name) => {
                form(name).map_or(Ok(()), |(.., check)| check(text))
            }
            Self::Choice(words) => {
                if words.iter().any(|word| word == text) {
                    return Ok(());
                }
                let near = nearest(text, words.iter().map(String::as_str));
                let near = near.map_or(String::new(), |word| format!("; did you mean \"{word}\"?"));
                Err(format!(
                    "{text:?} is not one of {}{near}",
                    alternatives(words)
                ))
            }
            Self::Number => Ok(()),
        }
    }

    /// What the key takes, for a table.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Text(name) => name.clone(),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                words.join(" or ")
            }
            Self::Number => "whole number".to_owned(),
            Self::List(name) => format!("list: {name}"),
        }
    }
}

fn alternatives(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    words.join(", ")
}

/// The JSON schema of `weir.toml`, for editors: draft 2020-12, nothing behind references.
#[must_use]
pub fn schema() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Policy>();
    schema.insert("title".to_owned(), Value::from("weir.toml"));
    schema.to_value()
}

/// One section of `weir.toml`.
pub(super) struct Section {
    pub(super) name: String,
    pub(super) description: String,
}

struct Catalogue {
    sections: Vec<Section>,
    keys: Vec<Key>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let schema = schema();
    let mut catalogue = Catalogue {
        sections: Vec::new(),
        keys: Vec::new(),
    };
    for (name, section) in properties(&schema) {
        catalogue.sections.push(Section {
            name: name.clone(),
            description: description(section),
        });
        // Waivers are a list of sections, signals a section of any keys.
        let body = section.get("items").unwrap_or(section);
        if let Some(any) = body
            .get("additionalProperties")
            .filter(|any| any.is_object())
        {
            let mut key = key(name, ANY_SIGNAL, any, false);
            key.description = format!("{}{}", description(section), meanings(any));
            catalogue.keys.push(key);
        }
        let required = body.get("required").and_then(Value::as_array);
        for (key_name, value) in properties(body) {
            let required = required.is_some_and(|all| all.iter().any(|name| name == key_name));
            catalogue.keys.push(key(name, key_name, value, required));
        }
    }
    catalogue
});

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

/// The description on one line: doc comments are wrapped, tables and terminals wrap by themselves.
fn description(schema: &Value) -> String {
    let text = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn key(section: &str, name: &str, schema: &Value, required: bool) -> Key {
    let default = schema
        .get("default")
        .and_then(|value| toml::Value::try_from(value).ok());
    Key {
        section: section.to_owned(),
        name: name.to_owned(),
        path: format!("{section}.{name}"),
        kind: kind(schema),
        description: format!("{}{}", description(schema), meanings(schema)),
        default: default.map(|value| value.to_string()),
        required,
    }
}

fn kind(schema: &Value) -> Kind {
    let format = |schema: &Value| {
        schema
            .get("format")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let words = choices(schema);
    if !words.is_empty() {
        return Kind::Choice(words);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => Kind::Number,
        Some("array") => {
            let item = schema.get("items").and_then(format);
            Kind::List(item.unwrap_or_else(|| "text".to_owned()))
        }
        _ => Kind::Text(format(schema).unwrap_or_else(|| "text".to_owned())),
    }
}

/// What each word of an enumeration means, as sentences to follow a description.
fn meanings(schema: &Value) -> String {
    let options = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut text = String::new();
    for option in options {
        if let Some(word) = option.get("const").and_then(Value::as_str) {
            let meaning = description(option);
            let mut letters = meaning.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            let _ = write!(
                text,
                " `\"{word}\"`: {}{}",
                String::from_iter(first),
                letters.as_str()
            );
        }
    }
    text
}

/// The words of an enumeration: `enum`, or `oneOf` with `const` where words are documented.
fn choices(schema: &Value) -> Vec<String> {
    let list = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let consts = list("oneOf").filter_map(|option| option.get("const"));
    let nested = list("oneOf").flat_map(|option| {
        option
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    });
    list("enum")
        .chain(consts)
        .chain(nested)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Every key of `weir.toml`, in the order of its sections.
#[must_use]
pub fn keys() -> &'static [Key] {
    &CATALOGUE.keys
}

pub(super) fn section_list() -> &'static [Section] {
    &CATALOGUE.sections
}

pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    CATALOGUE
        .sections
        .iter()
        .map(|section| section.name.as_str())
}

/// Sections that stand any number of times, each time a table of its own.
pub(super) const LISTS: [&str; 2] = ["expect", "waiver"];

/// Whether this is a section of settings (lists are none).
pub(super) fn is_section(name: &str) -> bool {
    !LISTS.contains(&name) && sections().any(|section| section == name)
}

pub(super) fn of_section(section: &str) -> impl Iterator<Item = &'static Key> {
    keys().iter().filter(move |key| key.section == section)
}

pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    of_section(section).find(|key| key.name == name || (key.name == ANY_SIGNAL && !name.is_empty()))
}
