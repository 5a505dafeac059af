//! The ini dialect of `.npmrc`, as npm's `ini` and `@npmcli/config` read it.

use std::collections::BTreeMap;

/// Keys and values in the order of their first appearance. `key[]` appends to a list; `null` empties it; a
/// key without `=` is `true`. What stands in a `[section]` is no setting of npm and is left out.
pub(super) fn parse(text: &str) -> Vec<(String, Vec<String>)> {
    let mut settings: Vec<(String, Vec<String>)> = Vec::new();
    let mut positions: BTreeMap<String, usize> = BTreeMap::new();
    let mut lists = std::collections::BTreeSet::new();
    for line in text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .split(['\r', '\n'])
    {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with([';', '#']) {
            continue;
        }
        if is_section(line) {
            // Sections last to the end of the file.
            break;
        }
        let (key, value) = match line.split_once('=') {
            Some(("", _)) => continue,
            Some((key, value)) => (key, Some(unquote(value))),
            None => (line, None),
        };
        let key = unquote(key);
        let (key, is_list) = match key.strip_suffix("[]") {
            Some(name) if !name.is_empty() => (name.to_owned(), true),
            _ => (key, false),
        };
        let value = value.unwrap_or_else(|| "true".to_owned());
        let value = (value != "null").then_some(value);
        let at = *positions.entry(key.clone()).or_insert(settings.len());
        if at == settings.len() {
            settings.push((key.clone(), Vec::new()));
        }
        let Some((_, values)) = settings.get_mut(at) else {
            continue;
        };
        // Once a list, always a list: a later `key = value` without brackets appends too.
        let is_list = is_list || lists.contains(&key);
        if is_list {
            lists.insert(key);
        } else {
            values.clear();
        }
        values.extend(value);
    }
    settings
}

fn is_section(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('[') else {
        return false;
    };
    rest.split_once(']')
        .is_some_and(|(_, after)| after.trim().is_empty())
}

/// A key or value without its quotes or its comment.
fn unquote(text: &str) -> String {
    let text = text.trim();
    let quoted = |mark: char| text.starts_with(mark) && text.ends_with(mark);
    if quoted('"') {
        return from_json(text).unwrap_or_else(|| text.to_owned());
    }
    if quoted('\'') {
        let inner = text
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
            .unwrap_or_default();
        return from_json(inner).unwrap_or_else(|| inner.to_owned());
    }
    without_comment(text)
}

/// The text of a JSON value, if it is a plain one.
fn from_json(text: &str) -> Option<String> {
    match serde_json::from_str(text).ok()? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) | serde_json::Value::Null => {
            Some(text.to_owned())
        }
        _ => None,
    }
}

/// Unquoted text up to `;` or `#`. A backslash keeps these two and itself; before anything else it is only
/// a backslash.
fn without_comment(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ';' | '#' => break,
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ';' | '#')) => kept.push(escaped),
                Some(other) => kept.extend(['\\', other]),
                None => kept.push('\\'),
            },
            other => kept.push(other),
        }
    }
    kept.trim().to_owned()
}

/// Replaces `${NAME}`. An unknown name stays as it is written, or becomes nothing if it is written
/// `${NAME?}`. Backslashes before it pair up; an odd one keeps the text as it is written.
pub(super) fn replace_env(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, expression) = rest.split_at(start);
        let Some((name, length)) = expression_name(expression) else {
            replaced.push_str(before);
            replaced.push_str("${");
            rest = expression.get(2..).unwrap_or_default();
            continue;
        };
        let (whole, after) = expression.split_at(length);
        let plain = before.trim_end_matches('\\');
        let backslashes = before.len() - plain.len();
        replaced.push_str(plain);
        replaced.extend(std::iter::repeat_n('\\', backslashes / 2));
        match env.get(name) {
            _ if backslashes % 2 == 1 => replaced.push_str(whole),
            Some(value) => replaced.push_str(value),
            None if whole.ends_with("?}") => {}
            None => replaced.push_str(whole),
        }
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// The names that still stand in a text as `${NAME}` after [`replace_env`]: nothing was there in their place.
pub(super) fn variables(text: &str) -> Vec<&str> {
    let plain = |name: &&str| {
        let mut characters = name.chars();
        characters.all(|it| it == '_' || it.is_ascii_alphanumeric())
    };
    expressions(text).filter(plain).collect()
}

/// All names that stand in a text as `${NAME}`.
pub(super) fn expressions(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("${");
    let names = starts.filter_map(|(at, _)| expression_name(text.get(at..)?));
    names.map(|(name, _)| name)
}

/// The name in a `${NAME}` or `${NAME?}` at the start of a text, and the length of the whole.
fn expression_name(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix("${")?;
    let (inner, _) = inner.split_once('}')?;
    let name = inner.strip_suffix('?').unwrap_or(inner);
    let fine = !name.is_empty() && !name.contains(['$', '{', '?']);
    fine.then_some((name, inner.len() + 3))
}
