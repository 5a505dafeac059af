//! From texts to one resolved policy, with a place for every mistake.
//!
//! Each value is first looked at by itself: is the key known, is the type right, does the value
//! parse. That way every mistake is reported at once, and at its own line. What is left is merged,
//! later layers over earlier ones, and turned into a [`Policy`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Deserializer};

use super::bounds;
use super::keys::{self, Key, Kind};
use super::nearest::nearest;
use super::{
    AGE_SIGNAL, Expectation, INCOMPLETE_SIGNAL, NEVER_SILENT, Origins, Policy, SignalId, Waiver,
};
use crate::error::{Origin, PolicyError};

/// Puts a policy together. Later layers win, key by key: a list replaces the list before it, signal
/// settings are merged by id, expectations and waivers add up.
#[derive(Debug, Default)]
pub struct Loader<'a> {
    layers: Vec<Layer<'a>>,
    signals: Option<Vec<&'a str>>,
}

#[derive(Debug)]
enum Layer<'a> {
    File {
        name: &'a str,
        text: &'a str,
    },
    Setting {
        origin: &'a str,
        key: &'a str,
        value: &'a str,
    },
}

/// What the layers said, value by value.
#[derive(Default)]
struct Collected<'a> {
    values: BTreeMap<String, (Spanned<DeValue<'a>>, Origin)>,
    expectations: Vec<(Expectation, Origin)>,
    waivers: Vec<(Waiver, Origin)>,
    mistakes: Vec<PolicyError>,
}

impl<'a> Loader<'a> {
    /// The ids of all signals; ids in settings and waivers that are not among them are then
    /// mistakes. Without this call, ids are taken as they are.
    #[must_use]
    pub fn signals(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        self.signals = Some(ids.into_iter().collect());
        self
    }

    /// Adds a file: the name that errors and origins call it, and its text.
    #[must_use]
    pub fn file(mut self, name: &'a str, text: &'a str) -> Self {
        self.layers.push(Layer::File { name, text });
        self
    }

    /// Adds a single value, from an environment variable or a flag: what errors call it
    /// (`WEIR_AGE_MINIMUM`), the key (`age.minimum`), and the value, a text without quotes. Lists
    /// are separated by commas. Expectations and waivers cannot be given this way.
    #[must_use]
    pub fn setting(mut self, origin: &'a str, key: &'a str, value: &'a str) -> Self {
        self.layers.push(Layer::Setting { origin, key, value });
        self
    }

    /// Resolves the layers.
    ///
    /// # Errors
    /// [`PolicyError`] with every mistake in every layer.
    pub fn load(self) -> Result<Policy, PolicyError> {
        let mut found = Collected::default();
        for layer in &self.layers {
            match *layer {
                Layer::File { name, text } => found.file(name, text),
                Layer::Setting { origin, key, value } => found.setting(origin, key, value),
            }
        }
        found.check_signals(self.signals.as_deref());
        let mut mistakes = std::mem::take(&mut found.mistakes);
        let all_read = mistakes.is_empty();
        // Without what could not be read, so that the bounds of the rest are told beside it.
        let policy = found.resolve()?;
        mistakes.extend(bounds::of_values(&policy));
        if all_read {
            mistakes.extend(bounds::between_values(&policy));
        }
        mistakes.sort_by_key(|mistake| self.place(mistake.at()));
        match PolicyError::from_mistakes(mistakes) {
            Some(error) => Err(error),
            None => Ok(policy),
        }
    }
}

impl Loader<'_> {
    /// Where a mistake is among the layers: layer, line, column.
    fn place(&self, at: &Origin) -> (usize, u32, u32) {
        let layer = |name: &str| {
            let named = |layer: &Layer<'_>| match *layer {
                Layer::File { name, .. } => name,
                Layer::Setting { origin, .. } => origin,
            } == name;
            self.layers.iter().position(named).unwrap_or(usize::MAX)
        };
        match at {
            Origin::Default => (usize::MAX, 0, 0),
            Origin::File { file, line, column } => (layer(file), *line, *column),
            Origin::Setting(name) => (layer(name), 0, 0),
        }
    }
}

/// The places in one text.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn at(&self, span: &Range<usize>) -> Origin {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Origin::File {
            file: self.name.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

impl<'a> Collected<'a> {
    fn file(&mut self, name: &'a str, text: &'a str) {
        let source = Source { name, text };
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let at = source.at(&error.span().unwrap_or_default());
                let message = error.message().replace('\n', ", ");
                self.mistakes.push(PolicyError::Syntax { at, message });
                return;
            }
        };
        // In the order of their lines, so that mistakes come in that order too.
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            match key.get_ref().as_ref() {
                list if keys::LISTS.contains(&list) => self.list(&source, list, value),
                section if keys::is_section(section) => self.section(&source, section, value),
                other => self.unknown(source.at(&key.span()), other, None),
            }
        }
    }

    fn section(&mut self, source: &Source<'_>, section: &str, value: Spanned<DeValue<'a>>) {
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            self.mistakes.push(PolicyError::WrongType {
                at: source.at(&span),
                key: section.to_owned(),
                wanted: format!("settings of its own, under a line [{section}]"),
                found: "a single value".to_owned(),
            });
            return;
        };
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let place = key.span();
            let name = key.into_inner();
            match keys::find(section, &name) {
                Some(known) => self.value(source, known, &name, place, value),
                None => self.unknown(source.at(&place), &name, Some(section)),
            }
        }
    }

    /// Checks one value by itself and keeps it if it is fine.
    fn value(
        &mut self,
        source: &Source<'_>,
        known: &Key,
        name: &str,
        place: Range<usize>,
        value: Spanned<DeValue<'a>>,
    ) {
        let key = format!("{}.{name}", known.section);
        if let Err(mistake) = fits(known, &key, &value, |span| source.at(span)) {
            self.mistakes.push(mistake);
            return;
        }
        self.values.insert(key, (value, source.at(&place)));
    }

    fn setting(&mut self, origin: &'a str, key: &'a str, text: &'a str) {
        let at = Origin::Setting(origin.to_owned());
        if let Some(list) = key.split('.').next().filter(|it| keys::LISTS.contains(it)) {
            self.mistakes.push(PolicyError::BadValue {
                at,
                key: key.to_owned(),
                why: format!(
                    "{} cannot be given as single settings; write them into a file",
                    plural(list)
                ),
            });
            return;
        }
        let (section, name) = key.split_once('.').unwrap_or((key, ""));
        let Some(known) = keys::find(section, name) else {
            let section = keys::is_section(section).then_some(section);
            let name = if section.is_some() { name } else { key };
            self.unknown(at, name, section);
            return;
        };
        let whole = |value| Spanned::new(0..text.len(), value);
        let string = |text: &'a str| DeValue::String(Cow::Borrowed(text));
        let value = match &known.kind {
            Kind::Text(_) | Kind::Choice(_) => whole(string(text)),
            Kind::List(_) => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                whole(DeValue::Array(
                    items.map(|item| whole(string(item))).collect(),
                ))
            }
            // What does not read as a number stays text, for the type check to name.
            Kind::Number => DeValue::parse(text).unwrap_or_else(|_| whole(string(text))),
        };
        match fits(known, key, &value, |_| at.clone()) {
            Ok(()) => {
                self.values.insert(key.to_owned(), (value, at));
            }
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    /// A section that stands any number of times.
    fn list(&mut self, source: &Source<'_>, list: &str, value: Spanned<DeValue<'a>>) {
        let span = value.span();
        let each = format!("{}, each under a line [[{list}]]", plural(list));
        let DeValue::Array(items) = value.into_inner() else {
            self.mistakes.push(PolicyError::WrongType {
                at: source.at(&span),
                key: list.to_owned(),
                wanted: format!("a list of {each}"),
                found: "something else".to_owned(),
            });
            return;
        };
        for item in items {
            let at = source.at(&item.span());
            match item.into_inner() {
                DeValue::Table(table) => self.item(source, list, at, table),
                other => self.mistakes.push(PolicyError::WrongType {
                    at,
                    key: list.to_owned(),
                    wanted: each.clone(),
                    found: described(&other).to_owned(),
                }),
            }
        }
    }

    fn item(&mut self, source: &Source<'_>, list: &str, at: Origin, mut table: DeTable<'a>) {
        let before = self.mistakes.len();
        let mut places = BTreeMap::new();
        let mut entries: Vec<_> = table.iter_mut().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            // TOML has dates of its own; both spellings are welcome.
            if let DeValue::Datetime(date) = value.get_ref() {
                let text = date.to_string();
                *value.get_mut() = DeValue::String(Cow::Owned(text));
            }
            let name = key.get_ref().as_ref();
            places.insert(name.to_owned(), source.at(&key.span()));
            let Some(known) = keys::find(list, name) else {
                self.unknown(source.at(&key.span()), name, Some(list));
                continue;
            };
            let full = format!("{list}.{name}");
            if let Err(mistake) = fits(known, &full, value, |span| source.at(span)) {
                self.mistakes.push(mistake);
            }
        }
        let missing: Vec<String> = keys::of_section(list)
            .filter(|key| key.required && !table.contains_key(key.name.as_str()))
            .map(|key| key.name.clone())
            .collect();
        if !missing.is_empty() {
            let at = at.clone();
            self.mistakes.push(match list {
                "waiver" => PolicyError::IncompleteWaiver { at, missing },
                _ => PolicyError::IncompleteExpectation { at, missing },
            });
        }
        self.refuse_empty(list, &table, &places);
        if self.mistakes.len() > before {
            return;
        }
        let table = Deserializer::from(Spanned::new(0..0, table));
        let mistake = match list {
            "waiver" => Waiver::deserialize(table)
                .map(|waiver| self.waivers.push((waiver, at.clone())))
                .err(),
            _ => Expectation::deserialize(table)
                .map(|expectation| self.expectation(expectation, &at, &places))
                .err(),
        };
        self.mistakes
            .extend(mistake.map(|error| PolicyError::BadValue {
                at,
                key: list.to_owned(),
                why: error.message().to_owned(),
            }));
    }

    /// An empty list is no list: where all are meant a waiver would cover everything, and an expectation would expect
    /// nothing, where somebody meant something.
    fn refuse_empty(&mut self, list: &str, table: &DeTable<'_>, places: &BTreeMap<String, Origin>) {
        let empty = |value: &Spanned<DeValue<'_>>| matches!(value.get_ref(), DeValue::Array(items) if items.is_empty());
        let named = table.iter().filter(|(_, value)| empty(value));
        for (key, _) in named {
            let name = key.get_ref().as_ref();
            let Some(at) = places.get(name) else {
                continue;
            };
            let why = match list {
                "waiver" => {
                    "empty: name the signals that are covered, or leave the key out if all are"
                }
                _ => "empty: name what is expected, or leave the key out",
            };
            self.mistakes.push(PolicyError::BadValue {
                at: at.clone(),
                key: format!("{list}.{name}"),
                why: why.to_owned(),
            });
        }
    }

    fn expectation(
        &mut self,
        expectation: Expectation,
        at: &Origin,
        places: &BTreeMap<String, Origin>,
    ) {
        match expectation.contradiction() {
            Some((key, why)) => self.mistakes.push(PolicyError::BadValue {
                at: places.get(key).unwrap_or(at).clone(),
                key: format!("expect.{key}"),
                why,
            }),
            None => self.expectations.push((expectation, at.clone())),
        }
    }

    /// A key nobody knows. It may be misspelt, or stand in the wrong section.
    fn unknown(&mut self, at: Origin, name: &str, section: Option<&str>) {
        let elsewhere = || {
            let mut same = keys::keys().iter().filter(|key| key.name == name);
            same.next().map(|key| key.path.clone())
        };
        let nearest = match section {
            Some(section) => nearest(name, keys::of_section(section).map(|key| key.name.as_str()))
                .map(|name| format!("{section}.{name}")),
            None => nearest(name, keys::sections()).map(str::to_owned),
        };
        let key = section.map_or_else(|| name.to_owned(), |section| format!("{section}.{name}"));
        let nearest = nearest.or_else(elsewhere);
        self.mistakes
            .push(PolicyError::UnknownKey { at, key, nearest });
    }

    /// Ids of signals, in settings and in waivers.
    fn check_signals(&mut self, known: Option<&[&str]>) {
        let mut mistakes = Vec::new();
        for (key, (value, at)) in &self.values {
            let Some(id) = key.strip_prefix("signals.") else {
                continue;
            };
            if id == INCOMPLETE_SIGNAL {
                mistakes.push(PolicyError::BadValue {
                    at: at.clone(),
                    key: key.clone(),
                    why: "what could not be checked is set by decide.incomplete_unseen and \
                          decide.incomplete_established"
                        .to_owned(),
                });
            } else if NEVER_SILENT.contains(&id)
                && matches!(value.get_ref().as_str(), Some("off" | "info"))
            {
                mistakes.push(PolicyError::BadValue {
                    at: at.clone(),
                    key: key.clone(),
                    why: "this signal cannot be silenced; a waiver may name it for one release"
                        .to_owned(),
                });
            } else {
                mistakes.extend(unknown_signal(id, known, at));
            }
        }
        for (waiver, at) in &self.waivers {
            let ids = waiver
                .signals
                .iter()
                .map(SignalId::as_str)
                .filter(|id| *id != INCOMPLETE_SIGNAL);
            mistakes.extend(ids.filter_map(|id| unknown_signal(id, known, at)));
        }
        self.mistakes.append(&mut mistakes);
    }

    fn resolve(self) -> Result<Policy, PolicyError> {
        let mut root = DeTable::new();
        let mut origins = Origins::default();
        for (key, (value, at)) in self.values {
            insert(&mut root, &key, value);
            origins.keys.insert(key, at);
        }
        let mut policy = Policy::deserialize(Deserializer::from(Spanned::new(0..0, root)))
            .map_err(|error| PolicyError::BadValue {
                at: Origin::Default,
                key: "policy".to_owned(),
                why: error.message().to_owned(),
            })?;
        for (expectation, at) in self.expectations {
            policy.expectations.push(expectation);
            origins.expectations.push(at);
        }
        for (waiver, at) in self.waivers {
            policy.waivers.push(waiver);
            origins.waivers.push(at);
        }
        policy.origins = origins;
        Ok(policy)
    }
}

/// What the items of a list are called.
fn plural(list: &str) -> &'static str {
    match list {
        "waiver" => "waivers",
        _ => "expectations",
    }
}

/// The one that begins with a word: no typo for what is left out, and yet what was meant.
fn begun<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const SHORTEST: usize = 4;
    let mut found = candidates.filter(|it| word.len() >= SHORTEST && it.starts_with(word));
    found.next().filter(|_| found.next().is_none())
}

fn unknown_signal(id: &str, known: Option<&[&str]>, at: &Origin) -> Option<PolicyError> {
    let known = known?;
    let own = [AGE_SIGNAL].into_iter().chain(NEVER_SILENT.iter().copied());
    if known.contains(&id) || own.clone().any(|own| own == id) {
        return None;
    }
    Some(PolicyError::UnknownSignal {
        at: at.clone(),
        signal: id.to_owned(),
        nearest: nearest(id, known.iter().copied().chain(own.clone()))
            .or_else(|| begun(id, known.iter().copied().chain(own)))
            .map(str::to_owned),
    })
}

/// Puts a value into its section.
fn insert<'a>(root: &mut DeTable<'a>, key: &str, value: Spanned<DeValue<'a>>) {
    let word = |text: &str| Spanned::new(0..0, DeString::Owned(text.to_owned()));
    let Some((section, name)) = key.split_once('.') else {
        return;
    };
    let entry = root
        .entry(word(section))
        .or_insert_with(|| Spanned::new(0..0, DeValue::Table(DeTable::new())));
    if let DeValue::Table(table) = entry.get_mut() {
        table.insert(word(name), value);
    }
}

/// Whether a value is what its key takes: first its type, then, by the type it is meant for, its
/// text. `at` finds the place of a span.
fn fits(
    known: &Key,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    at: impl Fn(&Range<usize>) -> Origin,
) -> Result<(), PolicyError> {
    let wrong = |value: &Spanned<DeValue<'_>>, wanted: String| PolicyError::WrongType {
        at: at(&value.span()),
        key: key.to_owned(),
        wanted,
        found: described(value.get_ref()).to_owned(),
    };
    let texts: Vec<&Spanned<DeValue<'_>>> = match (&known.kind, value.get_ref()) {
        (Kind::Text(_) | Kind::Choice(_), DeValue::String(_)) => vec![value],
        (Kind::List(_), DeValue::Array(items)) => items.iter().collect(),
        (Kind::Number, DeValue::Integer(number)) => {
            return match u32::from_str_radix(number.as_str(), number.radix()) {
                Ok(_) => Ok(()),
                Err(_) => Err(PolicyError::BadValue {
                    at: at(&value.span()),
                    key: key.to_owned(),
                    why: format!("{number} is not between 0 and {}", u32::MAX),
                }),
            };
        }
        _ => return Err(wrong(value, known.kind.with_article())),
    };
    for value in texts {
        let Some(text) = value.get_ref().as_str() else {
            return Err(wrong(value, known.kind.with_article()));
        };
        known
            .kind
            .check(text)
            .map_err(|why| PolicyError::BadValue {
                at: at(&value.span()),
                key: key.to_owned(),
                why,
            })?;
    }
    Ok(())
}

/// What a value is, with an article.
fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
