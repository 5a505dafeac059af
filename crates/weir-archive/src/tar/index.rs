//! Paths seen so far: which occur twice, which are one on some file systems, and which are both
//! file and folder.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use unicode_normalization::UnicodeNormalization;

use crate::Rule;
use crate::rules::Report;

/// Sum and length of a file's data.
type Digest = (u64, u64);

/// Files that say what a package is or what runs at install time. A file system that takes two
/// names for one decides which of two such files counts.
const DECISIVE: &[&str] = &["package.json", "binding.gyp"];

#[derive(Debug, Default)]
pub(crate) struct Index {
    exact: HashMap<Box<str>, Digest>,
    folded: HashMap<Box<str>, Box<str>>,
}

impl Index {
    /// Notes a file and reports what it collides with.
    pub(crate) fn add(&mut self, path: &str, digest: Digest, report: &mut Report) {
        let folded = fold(path);
        match self.exact.entry(path.into()) {
            Slot::Occupied(mut earlier) => {
                let differs = *earlier.get() != digest;
                report.judge(Rule::DuplicatePath, differs, Some(path), || {
                    if differs {
                        "occurs again with other contents; npm installs the last".to_owned()
                    } else {
                        "occurs again with the same contents".to_owned()
                    }
                });
                earlier.insert(digest);
            }
            Slot::Vacant(vacant) => {
                vacant.insert(digest);
                self.clash(path, &folded, digest, report);
                self.folded
                    .entry(folded.into_boxed_str())
                    .or_insert_with(|| path.into());
            }
        }
    }

    fn clash(&self, path: &str, folded: &str, digest: Digest, report: &mut Report) {
        if let Some(earlier) = self.folded.get(folded) {
            let differs = self.exact.get(earlier) != Some(&digest);
            let ambiguous = differs && DECISIVE.contains(&folded);
            report.judge(Rule::NameClash, ambiguous, Some(path), || {
                format!("is the same file as `{earlier}` on some file systems")
            });
        }
    }

    /// Reports files below files, once all paths are known.
    pub(crate) fn finish(self, report: &mut Report) {
        let mut hits: Vec<(&str, &str, bool)> = Vec::new();
        for path in self.exact.keys() {
            // Folding neither adds nor removes slashes.
            let folded = fold(path);
            let parents = path.match_indices('/').zip(folded.match_indices('/'));
            for ((exact_end, _), (folded_end, _)) in parents {
                let exact = path.get(..exact_end).unwrap_or_default();
                let folded = folded.get(..folded_end).unwrap_or_default();
                if let Some((file, _)) = self.exact.get_key_value(exact) {
                    hits.push((path, file, true));
                } else if let Some(file) = self.folded.get(folded) {
                    hits.push((path, file, false));
                }
            }
        }
        hits.sort_unstable();
        for (path, file, exact) in hits {
            report.judge(Rule::FileAndFolder, exact, Some(path), || {
                format!("lies below `{file}`, which is a file")
            });
        }
    }
}

/// One form for all spellings that some file system takes for the same name: macOS and Windows fold
/// case, macOS normalises as well, and Windows drops dots and spaces at the end of a component.
pub(crate) fn fold(path: &str) -> String {
    let trailing = |part: &str| part.ends_with(['.', ' ']);
    let lower = if path.is_ascii() {
        path.to_ascii_lowercase()
    } else {
        // By way of capitals, so that letters with two small forms meet.
        path.nfd()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .nfc()
            .collect()
    };
    if !lower.split('/').any(trailing) {
        return lower;
    }
    let parts: Vec<&str> = lower
        .split('/')
        .map(|part| part.trim_end_matches(['.', ' ']))
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{Index, fold};
    use crate::rules::Report;

    #[test]
    fn spellings_of_one_name_fold_together() {
        for (one, other) in [
            ("Package.json", "package.JSON"),
            ("caf\u{e9}.js", "cafe\u{301}.js"),
            ("\u{212a}.js", "k.js"),
            ("lib/a.js. ", "lib/a.js"),
            ("stra\u{df}e", "STRASSE"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        assert_ne!(fold("a.js"), fold("b.js"));
    }

    #[test]
    fn collisions_are_reported_in_a_stable_order() {
        let mut report = Report::default();
        let mut index = Index::default();
        for (path, digest) in [
            ("package.json", 1),
            ("Package.json", 2),
            ("a/b", 3),
            ("a/b/c", 4),
            ("A/B/d", 5),
            ("a/b", 3),
            ("a/b", 6),
            ("A/b", 7),
            ("A/b/e", 8),
        ] {
            index.add(path, (digest, 1), &mut report);
        }
        index.finish(&mut report);
        let (violations, _) = report.finish();
        let seen: Vec<(&str, &str, bool)> = violations
            .iter()
            .map(|it| {
                (
                    it.rule.as_str(),
                    it.path.as_deref().unwrap_or(""),
                    it.ambiguous,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("name-clash", "Package.json", true),
                ("duplicate-path", "a/b", false),
                ("duplicate-path", "a/b", true),
                ("name-clash", "A/b", false),
                ("file-and-folder", "A/B/d", false),
                ("file-and-folder", "A/b/e", true),
                ("file-and-folder", "a/b/c", true),
            ]
        );
    }
}
