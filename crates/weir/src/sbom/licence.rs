//! Licences as packages declare them.

/// What a package says of its licence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Licence {
    /// Nobody knows.
    #[default]
    Unknown,
    /// One licence of SPDX's list, by its id.
    Id(String),
    /// A valid SPDX expression.
    Expression(String),
    /// Words that are none: `SEE LICENSE IN …`, a name that SPDX does not know.
    Words(String),
}

impl Licence {
    /// Reads what stands under `license`, or under `licenses` of old packages.
    pub(crate) fn of_manifest(manifest: &serde_json::Value) -> Self {
        let one = |value: &serde_json::Value| {
            let text = value.as_str().or_else(|| value.get("type")?.as_str());
            text.map(str::to_owned)
        };
        if let Some(licence) = manifest.get("license").and_then(one) {
            return Self::of(&licence);
        }
        let list = manifest
            .get("licenses")
            .and_then(serde_json::Value::as_array);
        let all: Vec<String> = list.into_iter().flatten().filter_map(one).collect();
        match all.as_slice() {
            [] => Self::Unknown,
            [one] => Self::of(one),
            // npm's old rule: a list offers a choice.
            several => Self::of(&format!("({})", several.join(" OR "))),
        }
    }

    /// Reads a declaration.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Unknown;
        }
        // With a `+` behind it, "or later", it is an expression over an id.
        if !text.ends_with('+') && spdx::license_id(text).is_some() {
            return Self::Id(text.to_owned());
        }
        match spdx::Expression::parse(text) {
            Ok(_) => Self::Expression(text.to_owned()),
            Err(_) => Self::Words(weir_model::finding::printable(text, 200)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn declarations_are_ids_expressions_or_words() {
        let id = |text: &str| Licence::Id(text.to_owned());
        let expression = |text: &str| Licence::Expression(text.to_owned());
        let words = |text: &str| Licence::Words(text.to_owned());
        for (manifest, expected) in [
            (json!({"license": "MIT"}), id("MIT")),
            (json!({"license": {"type": "ISC", "url": "x"}}), id("ISC")),
            (
                json!({"license": "(MIT OR Apache-2.0)"}),
                expression("(MIT OR Apache-2.0)"),
            ),
            (
                json!({"license": "GPL-2.0-only WITH Classpath-exception-2.0"}),
                expression("GPL-2.0-only WITH Classpath-exception-2.0"),
            ),
            (json!({"license": "Apache 2"}), words("Apache 2")),
            (json!({"license": "MIT OR"}), words("MIT OR")),
            (
                json!({"license": "SEE LICENSE IN LICENSE.md"}),
                words("SEE LICENSE IN LICENSE.md"),
            ),
            (
                json!({"licenses": [{"type": "MIT"}, {"type": "BSD-3-Clause"}]}),
                expression("(MIT OR BSD-3-Clause)"),
            ),
            (json!({"license": 7}), Licence::Unknown),
            (json!({"license": " "}), Licence::Unknown),
            (json!({}), Licence::Unknown),
        ] {
            assert_eq!(Licence::of_manifest(&manifest), expected, "{manifest}");
        }
    }
}
