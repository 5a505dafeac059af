//! Which dependencies no code mentions: one that nothing uses is there for what it runs when it is
//! installed (INCIDENTS I38).

use memchr::memmem::Finder;
use weir_files::TextFile;
use weir_npm::manifest::Manifest;

/// Most names looked for: beyond it the answer is not worth the time.
const MOST: usize = 200;

/// The packages that are installed along and that no file mentions.
pub(super) fn missing(manifest: &Manifest, texts: &[TextFile<'_>]) -> Vec<String> {
    let all = manifest
        .dependencies
        .keys()
        .chain(manifest.optional_dependencies.keys());
    let mut names: Vec<&String> = all.collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MOST {
        return Vec::new();
    }
    let is_missing = |name: &&String| {
        let finder = Finder::new(name.as_bytes());
        !texts.iter().any(|text| finder.find(text.bytes).is_some())
    };
    names.into_iter().filter(is_missing).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_code_mentions_is_used() {
        let manifest = Manifest::from_json(
            r#"{"dependencies":{"used":"1","@acme/used":"1","left":"1"},"optionalDependencies":{"left":"1","far":"1"}}"#,
        )
        .unwrap();
        let texts = [
            TextFile {
                path: "a.js",
                bytes: b"require('used/part')",
            },
            TextFile {
                path: "b.js",
                bytes: b"import('@acme/used')",
            },
        ];
        assert_eq!(missing(&manifest, &texts), ["far", "left"]);
        assert_eq!(missing(&manifest, &[]).len(), 4);
        assert!(missing(&Manifest::default(), &texts).is_empty());
    }
}
