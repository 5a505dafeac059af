//! What is printed from the list of keys: the values in force, the policy as a file, the reference.

use std::fmt::Write as _;

use super::Policy;
use super::keys::{ANY_SIGNAL, Key, LISTS, keys, of_section, section_list};
use crate::decide::{GROUPS, RULES, Spared};
use crate::error::Origin;

/// A value in force, for `weir policy show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The key, e.g. `age.minimum`; `signals.<id>`, `expect` and `waiver` for what was set there.
    pub key: String,
    /// The value as TOML.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Policy {
    fn values(&self) -> toml::Table {
        // Every value of a policy has a form in TOML; an empty table would show in the round trip.
        toml::Table::try_from(self).unwrap_or_default()
    }

    /// Every value in force, with where it came from: the settings in the order of the reference,
    /// then the signals that were changed, then the expectations and the waivers.
    #[must_use]
    pub fn show(&self) -> Vec<Shown> {
        let values = self.values();
        let get = |section: &str, name: &str| values.get(section)?.as_table()?.get(name);
        let plain = keys()
            .iter()
            .filter(|key| !LISTS.contains(&key.section.as_str()) && key.name != ANY_SIGNAL);
        let mut shown: Vec<Shown> = plain
            .filter_map(|key| Some((key.path.clone(), get(&key.section, &key.name)?)))
            .map(|(key, value)| self.shown(key, value))
            .collect();
        let signals = values.get("signals").and_then(toml::Value::as_table);
        for (id, setting) in signals.into_iter().flatten() {
            shown.push(self.shown(format!("signals.{id}"), setting));
        }
        for list in LISTS {
            let items = values.get(list).and_then(toml::Value::as_array);
            for (index, item) in items.into_iter().flatten().enumerate() {
                let origin = match list {
                    "expect" => self.expectation_origin(index),
                    _ => self.waiver_origin(index),
                };
                shown.push(Shown {
                    key: list.to_owned(),
                    value: item.to_string(),
                    origin: origin.clone(),
                });
            }
        }
        shown
    }

    fn shown(&self, key: String, value: &toml::Value) -> Shown {
        let origin = self.origin(&key).clone();
        Shown {
            key,
            value: value.to_string(),
            origin,
        }
    }

    /// The whole policy as TOML, without comments.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.print(false)
    }

    /// The whole policy as TOML, every key with its meaning. Reading it back gives the same policy.
    #[must_use]
    pub fn to_toml_commented(&self) -> String {
        self.print(true)
    }

    fn print(&self, comments: bool) -> String {
        let values = self.values();
        let mut out = String::new();
        for section in section_list() {
            let value = values.get(&section.name);
            if comments {
                comment(&mut out, &section.description);
            }
            match value {
                Some(toml::Value::Array(items)) => {
                    for item in items.iter().filter_map(toml::Value::as_table) {
                        let _ = writeln!(out, "[[{}]]", section.name);
                        print_table(&mut out, &section.name, item, false);
                    }
                }
                Some(toml::Value::Table(table)) => {
                    let _ = writeln!(out, "[{}]", section.name);
                    print_table(&mut out, &section.name, table, comments);
                }
                _ => {}
            }
            out.push('\n');
        }
        // One newline at the end, whatever the last section held.
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }
}

/// Keys in the order of the reference, then those without a place there (ids of signals).
fn print_table(out: &mut String, section: &str, table: &toml::Table, comments: bool) {
    let known: Vec<&Key> = of_section(section).collect();
    for key in &known {
        let Some(value) = table.get(&key.name) else {
            continue;
        };
        if comments {
            comment(out, &key.description);
        }
        let _ = writeln!(out, "{} = {value}", key.name);
    }
    for (name, value) in table {
        if !known.iter().any(|key| key.name == *name) {
            let _ = writeln!(out, "{} = {value}", toml::Value::from(name.as_str()));
        }
    }
}

/// A comment, wrapped at 100 characters.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > 100 {
            let _ = writeln!(out, "{line}");
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}

/// The generated part of `docs/policy.md`: the keys, the rules, and the defaults as a file.
#[must_use]
pub fn reference_markdown() -> String {
    let mut out = String::from("## Keys\n");
    for section in section_list() {
        let brackets = if LISTS.contains(&section.name.as_str()) {
            ("[[", "]]")
        } else {
            ("[", "]")
        };
        let _ = writeln!(
            out,
            "\n### `{}{}{}`\n",
            brackets.0, section.name, brackets.1
        );
        let _ = writeln!(out, "{}\n", section.description);
        out.push_str("| key | takes | default | meaning |\n| --- | --- | --- | --- |\n");
        for key in of_section(&section.name) {
            let default = match &key.default {
                Some(default) => format!("`{default}`"),
                None if key.required => "required".to_owned(),
                None => String::new(),
            };
            // The only key of a section of any keys need not repeat what the section says.
            let meaning = key.description.strip_prefix(&section.description);
            let meaning = meaning.unwrap_or(&key.description).trim_start();
            let cells = [
                format!("`{}`", key.name),
                key.kind.label(),
                default,
                meaning.to_owned(),
            ];
            let _ = writeln!(
                out,
                "| {} |",
                cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
            );
        }
    }
    out.push_str("\n## Rules\n\nEvery rule is asked; the strictest answer is the decision.\n\n");
    out.push_str("| rule | answer | when |\n| --- | --- | --- |\n");
    for rule in RULES {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} |",
            rule.id,
            rule.answer.in_words(),
            rule.sentence
        );
    }
    out.push_str(
        "\n## Groups\n\nHow often a group of evidence counts at most, whether it weighs more on a young release, and \
         whether a popular package is spared a block on it.\n\n",
    );
    out.push_str("| group | counts | on a young release | popular packages | findings about |\n");
    out.push_str("| --- | --- | --- | --- | --- |\n");
    for rule in GROUPS {
        let counts = match rule.cap {
            0 => "never".to_owned(),
            1 => "once".to_owned(),
            more => format!("{more} times"),
        };
        let young = if rule.telling { "weighs more" } else { "" };
        let spared = match rule.spared {
            Spared::Never => "",
            Spared::WithNameAndCode => "held, while only name and code speak",
            Spared::Alone => "held, while nothing else speaks",
        };
        let _ = writeln!(
            out,
            "| {} | {counts} | {young} | {spared} | {} |",
            rule.group, rule.about
        );
    }
    out.push_str("\n## The defaults, as a file\n\n```toml\n");
    out.push_str(&Policy::default().to_toml_commented());
    out.push_str("```\n");
    out
}
