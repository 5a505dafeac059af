//! The settings of clients, as their files write them, each with its line: `.npmrc`, yarn's `.yarnrc` and
//! `.yarnrc.yml`, `pnpm-workspace.yaml`, `bunfig.toml`, and the parts of `package.json` that clients read.
//!
//! For pointing at them. What npm's settings mean for requests is in [`npmrc`](crate::npmrc).

use std::borrow::Cow;

use crate::lockfile::error::lines_in;
use crate::lockfile::json::{self, Dialect};
use crate::lockfile::tree::{Kind, Value};
use crate::lockfile::{LockfileError, Problem, yaml};

/// Largest file of settings that is read. Real ones are a thousandth of it.
pub const MAX_SIZE: usize = 4 << 20;

/// Most settings in a file.
const MAX_SETTINGS: usize = 100_000;

/// One value in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The keys that lead to it, from the outside in. Members of lists have their number for a key.
    pub key: Vec<String>,
    /// The value, as it is written.
    pub value: Said,
    /// The line it is on, from one.
    pub line: u32,
}

/// What a setting says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Nothing, or an empty list or table.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// Text or a number.
    Text(String),
}

/// The values of one file, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    all: Vec<Setting>,
}

impl Settings {
    /// Reads YAML: `pnpm-workspace.yaml`, `.yarnrc.yml`.
    ///
    /// # Errors
    /// [`LockfileError`] with the line: what is wrong is the same as in a lockfile.
    pub fn yaml(file: &str, text: &[u8]) -> Result<Self, LockfileError> {
        let read = |text: &str| {
            let documents = yaml::parse_settings(text)?;
            if let Some(second) = documents.get(1) {
                return Err(yaml::another(second.line));
            }
            documents.first().map_or(Ok(Self::default()), flat)
        };
        of_text(file, text, read)
    }

    /// Reads JSON: `package.json`.
    ///
    /// # Errors
    /// [`LockfileError`] with the line.
    pub fn json(file: &str, text: &[u8]) -> Result<Self, LockfileError> {
        of_text(file, text, |text| flat(&json::parse(text, Dialect::Json)?))
    }

    /// Reads TOML: `bunfig.toml`.
    ///
    /// # Errors
    /// [`LockfileError`] with the line.
    pub fn toml(file: &str, text: &[u8]) -> Result<Self, LockfileError> {
        of_text(file, text, |text| flat(&of_toml(text)?))
    }

    /// Reads an `.npmrc`. Nothing in it is fatal, as for npm.
    #[must_use]
    pub fn npmrc(text: &str) -> Self {
        let mut all = Vec::new();
        for (line, text) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
            if text.starts_with('[') && text.trim_end().ends_with(']') {
                // What stands in a section is no setting of npm, and sections last to the end.
                break;
            }
            for (key, values) in crate::npmrc::pairs(text) {
                let said = values.last().map_or(Said::Nothing, |value| plain(value));
                all.push(Setting {
                    key: vec![key],
                    value: said,
                    line,
                });
            }
        }
        Self { all }
    }

    /// Reads a `.yarnrc` of yarn 1: a key and a value per line, either of them quoted or bare.
    #[must_use]
    pub fn yarnrc(text: &str) -> Self {
        let mut all = Vec::new();
        for (line, text) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (key, value) = match text.strip_prefix('"').and_then(|it| it.split_once('"')) {
                Some((key, value)) => (key, value),
                None => text
                    .split_once(' ')
                    .or_else(|| text.split_once(':'))
                    .unwrap_or((text, "true")),
            };
            let value = value.trim_start_matches([':', ' ']).trim_matches('"');
            all.push(Setting {
                key: vec![key.trim_end_matches(':').to_owned()],
                value: plain(value),
                line,
            });
        }
        Self { all }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.all.iter()
    }

    /// The last value under a key: files may say a thing twice, and the last word counts.
    #[must_use]
    pub fn get(&self, key: &[&str]) -> Option<&Setting> {
        self.all.iter().rev().find(|setting| setting.key == key)
    }

    /// Everything below a key, and the key itself: members of a list or table.
    pub fn under<'s>(&'s self, key: &'s [&str]) -> impl Iterator<Item = &'s Setting> {
        self.all.iter().filter(move |setting| {
            let start = setting.key.get(..key.len());
            start.is_some_and(|start| start == key)
        })
    }
}

impl Setting {
    /// Whether it says yes.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.value == Said::Flag(true)
    }

    /// Whether it says no.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.value == Said::Flag(false)
    }

    /// Its text; none for yes, no and nothing.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Said::Text(text) => Some(text),
            Said::Flag(_) | Said::Nothing => None,
        }
    }
}

/// What a bare word says.
fn plain(value: &str) -> Said {
    match value.trim() {
        "" => Said::Nothing,
        "true" => Said::Flag(true),
        "false" => Said::Flag(false),
        text => Said::Text(text.to_owned()),
    }
}

fn of_text(
    file: &str,
    text: &[u8],
    read: impl FnOnce(&str) -> Result<Settings, LockfileError>,
) -> Result<Settings, LockfileError> {
    if text.len() > MAX_SIZE {
        return Err(Problem::TooLarge.at(1, None).in_file(file));
    }
    let decoded = std::str::from_utf8(text).map_err(|error| {
        let before = text.get(..error.valid_up_to()).unwrap_or_default();
        Problem::NotUtf8
            .at(lines_in(before) + 1, None)
            .in_file(file)
    })?;
    let decoded = decoded.strip_prefix('\u{feff}').unwrap_or(decoded);
    read(decoded).map_err(|error| error.in_file(file))
}

/// Every value with the keys that lead to it. Nesting is limited by whoever parsed it.
fn flat(value: &Value<'_>) -> Result<Settings, LockfileError> {
    let mut all = Vec::new();
    let mut key = Vec::new();
    flatten(value, value.line, &mut key, &mut all)?;
    // An empty file says nothing.
    all.retain(|setting| !setting.key.is_empty());
    Ok(Settings { all })
}

fn flatten(
    value: &Value<'_>,
    line: u32,
    key: &mut Vec<String>,
    all: &mut Vec<Setting>,
) -> Result<(), LockfileError> {
    if all.len() >= MAX_SETTINGS {
        let problem = Problem::Syntax("more values than settings have".to_owned());
        return Err(problem.at(line, None));
    }
    let said = match &value.kind {
        Kind::Map(members) if !members.is_empty() => {
            for member in members {
                key.push(member.key.clone().into_owned());
                flatten(&member.value, member.line, key, all)?;
                key.pop();
            }
            return Ok(());
        }
        Kind::List(values) if !values.is_empty() => {
            for (number, value) in values.iter().enumerate() {
                key.push(number.to_string());
                flatten(value, value.line, key, all)?;
                key.pop();
            }
            return Ok(());
        }
        Kind::Null | Kind::Map(_) | Kind::List(_) => Said::Nothing,
        Kind::Bool(flag) => Said::Flag(*flag),
        Kind::Number(text) | Kind::Text(text) => Said::Text(text.clone().into_owned()),
    };
    all.push(Setting {
        key: key.clone(),
        value: said,
        line,
    });
    Ok(())
}

fn of_toml(text: &str) -> Result<Value<'static>, LockfileError> {
    let line = |at: usize| lines_in(text.as_bytes().get(..at).unwrap_or_default()) + 1;
    let table = toml::de::DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(1, |span| line(span.start));
        Problem::Syntax(format!("not TOML: {}", error.message())).at(at, None)
    })?;
    Ok(Value {
        line: 1,
        kind: toml_table(table.get_ref(), &line),
    })
}

fn toml_table(table: &toml::de::DeTable<'_>, line: &impl Fn(usize) -> u32) -> Kind<'static> {
    let members = table
        .iter()
        .map(|(key, value)| crate::lockfile::tree::Member {
            key: Cow::Owned(key.get_ref().to_string()),
            line: line(key.span().start),
            value: toml_value(value, line),
        });
    Kind::Map(members.collect())
}

fn toml_value(
    value: &toml::Spanned<toml::de::DeValue<'_>>,
    line: &impl Fn(usize) -> u32,
) -> Value<'static> {
    use toml::de::DeValue;
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Text(Cow::Owned(text.to_string())),
        DeValue::Integer(number) => Kind::Number(Cow::Owned(number.as_str().to_owned())),
        DeValue::Float(number) => Kind::Number(Cow::Owned(number.as_str().to_owned())),
        DeValue::Boolean(flag) => Kind::Bool(*flag),
        DeValue::Datetime(time) => Kind::Text(Cow::Owned(time.to_string())),
        DeValue::Array(values) => {
            Kind::List(values.iter().map(|it| toml_value(it, line)).collect())
        }
        DeValue::Table(table) => toml_table(table, line),
    };
    Value {
        line: line(value.span().start),
        kind,
    }
}

#[cfg(test)]
mod tests;
