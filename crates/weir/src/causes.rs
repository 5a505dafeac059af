//! What failed for one reason, told once however many packages it failed for.

use std::collections::HashMap;

use weir_npm::name::PackageName;

/// What stands in a reason for the package that it is about.
const ITS_NAME: &str = "\u{0}";

/// Failures by their causes, in the order in which these came up.
#[derive(Debug)]
pub(crate) struct Causes<T> {
    all: Vec<Cause<T>>,
    known: HashMap<String, usize>,
}

/// One cause.
#[derive(Debug)]
pub(crate) struct Cause<T> {
    /// The first that failed for it.
    pub(crate) first: T,
    /// What was said of that one.
    pub(crate) why: String,
    /// How many failed for it.
    pub(crate) count: usize,
}

impl<T> Default for Causes<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            known: HashMap::new(),
        }
    }
}

impl<T> Causes<T> {
    /// Notes one failure. Reasons that differ in name and version of the package alone are one cause.
    pub(crate) fn add(&mut self, name: &str, version: Option<&str>, of: T, why: &str) {
        let cause = cause(why, name, version);
        let at = self.known.get(&cause).copied();
        match at.and_then(|at| self.all.get_mut(at)) {
            Some(same) => same.count += 1,
            None => {
                self.known.insert(cause, self.all.len());
                self.all.push(Cause {
                    first: of,
                    why: why.to_owned(),
                    count: 1,
                });
            }
        }
    }

    pub(crate) fn into_all(self) -> Vec<Cause<T>> {
        self.all
    }
}

/// A reason without the package and the version that it is about, as both stand in addresses and in sentences.
fn cause(why: &str, name: &str, version: Option<&str>) -> String {
    let mut cause = why.to_owned();
    if let Ok(parsed) = PackageName::parse(name) {
        cause = without(&cause, &parsed.to_url_segment());
    }
    cause = without(&cause, name);
    match version {
        Some(version) => without(&cause, version),
        None => cause,
    }
}

/// A text without a word, wherever it stands by itself.
fn without(text: &str, word: &str) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, found) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let after = found.get(word.len()..).unwrap_or_default();
        let follows = before.chars().next_back().or(kept.chars().next_back());
        let is_alone = !follows.is_some_and(is_part) && !after.starts_with(is_part);
        kept.push_str(before);
        kept.push_str(if is_alone { ITS_NAME } else { word });
        rest = after;
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(reasons: &[(&str, &str, &str)]) -> Vec<usize> {
        let mut causes = Causes::default();
        for (name, version, why) in reasons {
            causes.add(name, Some(version), *name, why);
        }
        causes.into_all().iter().map(|it| it.count).collect()
    }

    #[test]
    fn what_differs_in_the_package_alone_is_one_cause() {
        let refused = "cannot connect (connection refused)";
        for (reasons, expected) in [
            (
                vec![
                    ("dam", "1.0.0", format!("http://127.0.0.1:9/dam: {refused}")),
                    (
                        "reed",
                        "2.0.1",
                        format!("http://127.0.0.1:9/reed: {refused}"),
                    ),
                    (
                        "@mill/reed",
                        "2.0.1",
                        format!("http://127.0.0.1:9/@mill%2freed: {refused}"),
                    ),
                    // A name that is part of every sentence.
                    ("c", "1.0.0", format!("http://127.0.0.1:9/c: {refused}")),
                ],
                vec![4],
            ),
            // Another registry, and another reason.
            (
                vec![
                    ("dam", "1.0.0", format!("http://127.0.0.1:9/dam: {refused}")),
                    (
                        "reed",
                        "1.0.0",
                        format!("http://127.0.0.1:8/reed: {refused}"),
                    ),
                    (
                        "silt",
                        "1.0.0",
                        "http://127.0.0.1:9/silt: answered 503".to_owned(),
                    ),
                    (
                        "moss",
                        "1.0.0",
                        "http://127.0.0.1:9/moss: answered 503".to_owned(),
                    ),
                ],
                vec![1, 1, 2],
            ),
            (
                vec![
                    ("dam", "1.0.0", "dam@1.0.0 is damaged".to_owned()),
                    ("dam", "1.0.1", "dam@1.0.1 is damaged".to_owned()),
                ],
                vec![2],
            ),
        ] {
            let reasons: Vec<(&str, &str, &str)> = reasons
                .iter()
                .map(|(name, version, why)| (*name, *version, why.as_str()))
                .collect();
            assert_eq!(counts(&reasons), expected, "{reasons:?}");
        }
    }
}
