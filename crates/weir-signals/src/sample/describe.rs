//! A scene as its page shows it.

use serde_json::{Map, Value, json};

use super::Scene;
use crate::Origin;

impl Scene {
    /// The scene as its page shows it: the releases, and what is in the tarball, without what is
    /// empty.
    #[must_use]
    pub fn describe(&self) -> Value {
        let mut shown = Map::new();
        shown.insert(
            "release".to_owned(),
            json!(format!("{}@{}", self.name, self.version)),
        );
        let releases: Map<String, Value> = self
            .releases
            .iter()
            .map(|(version, published, manifest)| {
                let mut fields = Map::new();
                fields.insert(
                    "published".to_owned(),
                    json!(published.unwrap_or("not known")),
                );
                fields.extend(manifest.as_object().cloned().unwrap_or_default());
                ((*version).to_owned(), Value::Object(fields))
            })
            .collect();
        shown.insert("releases".to_owned(), Value::Object(releases));
        for (key, contents) in [
            ("tarball", &self.contents),
            ("previous tarball", &self.previous_contents),
        ] {
            if let Some(contents) = contents.known() {
                shown.insert(
                    key.to_owned(),
                    serde_json::to_value(contents).unwrap_or_default(),
                );
            }
        }
        let siblings = self.siblings.iter().map(|sibling| {
            json!({
                "release": format!("{}@{}", sibling.name, sibling.version),
                "published": sibling.published.to_string(),
                "added": sibling.added,
            })
        });
        shown.insert("siblings".to_owned(), siblings.collect());
        let gone = self.gone.iter().map(|gone| {
            let published = gone.published.map(|time| time.to_string());
            json!({ "version": gone.version, "published": published })
        });
        shown.insert("versions that are gone".to_owned(), gone.collect());
        let earlier = self.surroundings.earlier.iter().map(|bytes| {
            let from = match bytes.origin {
                Origin::Here => "this registry",
                Origin::Elsewhere => "another registry",
                Origin::NotKnown => "not known",
            };
            json!({
                "integrity": bytes.integrity,
                "first": bytes.first.to_string(),
                "from": from,
            })
        });
        shown.insert("bytes decided on before".to_owned(), earlier.collect());
        shown.insert("removed, with their times".to_owned(), json!(self.removed));
        let brought = self.brought.iter().map(|it| {
            json!({
                "path": it.path.join(" > "),
                "version": it.version,
                "published": it.published.map(|time| time.to_string()),
                "package since": it.package_since.map(|time| time.to_string()),
                "published by": it.by.in_words(),
                "maintainers": it.maintainers,
                "runs something at install": it.hooks.then_some(true),
                "no such release": it.unanswered,
                "not known": it.unknown,
            })
        });
        shown.insert("comes along".to_owned(), brought.collect());
        for (key, known) in [
            ("usual in its scope", &self.surroundings.scope),
            ("usual for its publisher", &self.surroundings.account),
        ] {
            shown.insert(key.to_owned(), super::usual::describe(known));
        }
        if let Some(advisories) = self.advisories.known() {
            shown.insert(
                "advisories".to_owned(),
                serde_json::to_value(advisories).unwrap_or_default(),
            );
        }
        let near = self.alike.near.iter().map(|near| {
            json!({
                "package": format!("{}@{}", near.name, near.version),
                "percent": near.percent,
                "names alike": near.lookalike,
                "same maintainer": near.shared_maintainer,
                "refused": near.refused,
            })
        });
        shown.insert("nearly the same code".to_owned(), near.collect());
        let bad = self.alike.bad.iter().map(|bad| {
            json!({
                "path": bad.path,
                "refused in": format!("{}@{}", bad.name, bad.version),
                "why": bad.why,
            })
        });
        shown.insert("refused before".to_owned(), bad.collect());
        shown.insert("own names".to_owned(), json!(self.own));
        shown.insert("own scopes".to_owned(), json!(self.own_scopes));
        shown.insert("refused".to_owned(), json!(self.refused));
        let dependencies = self.dependencies.iter().map(|facts| {
            json!({
                "package": facts.name,
                "version": facts.version,
                "first published": facts.created.map(|time| time.to_string()),
                "published": facts.published.map(|time| time.to_string()),
                "scripts": facts.hooks,
                "repository": facts.repository,
                "published by": facts.by.in_words(),
                "maintainers": facts.maintainers,
            })
        });
        shown.insert("new dependencies".to_owned(), dependencies.collect());
        let dependents = self.dependents.as_ref().map(|it| &it.some);
        shown.insert("depend on it".to_owned(), json!(dependents));
        let missed = self.first_missed.known().copied().flatten();
        let missed = missed.map(|time| time.to_string());
        shown.insert("asked for in vain".to_owned(), json!(missed));
        shown.insert("names.internal".to_owned(), json!(self.internal));
        let seen = self.first_seen.map(|time| time.to_string());
        shown.insert("first seen".to_owned(), json!(seen));
        let mut shown = Value::Object(shown);
        prune(&mut shown);
        shown
    }
}

/// Drops what is empty, zero or absent.
fn prune(value: &mut Value) {
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(_) | Value::String(_) => false,
    };
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|_, field| !is_nothing(field));
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}
