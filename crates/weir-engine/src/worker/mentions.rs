//! Which dependencies no code mentions: one that nothing uses is there for what it runs when it is
//! installed (INCIDENTS I38).

use std::collections::{BTreeSet, HashSet};

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::contiguous::NFA;
use weir_files::TextFile;
use weir_npm::manifest::Manifest;

/// Most names looked for: beyond it the answer is not worth the time.
const MOST: usize = 200;

/// Longer names no registry has and no client installs. They are not looked for, so that a manifest
/// does not choose the size of the automaton.
const LONGEST: usize = 214;

/// Up to how many names are looked for one after the other. A search for one name passes over text ten to twenty
/// times as fast as the automaton, and mostly ends in one of the first files.
const FEW: usize = 12;

/// The packages that are installed along and that no file mentions.
pub(super) fn missing(manifest: &Manifest, texts: &[TextFile<'_>]) -> Vec<String> {
    let all = manifest
        .dependencies
        .keys()
        .chain(manifest.optional_dependencies.keys());
    let mut left: BTreeSet<&str> = all.map(String::as_str).collect();
    if left.is_empty() || left.len() > MOST {
        return Vec::new();
    }
    if left.len() <= FEW {
        left.retain(|name| !is_mentioned(name, texts));
    } else {
        strike_mentioned(&mut left, texts);
    }
    left.into_iter().map(str::to_owned).collect()
}

/// Whether some text holds a name.
fn is_mentioned(name: &str, texts: &[TextFile<'_>]) -> bool {
    if name.len() > LONGEST {
        return false;
    }
    let finder = memchr::memmem::Finder::new(name);
    texts.iter().any(|text| finder.find(text.bytes).is_some())
}

/// Takes out the names that a text holds, in one pass over each text. What a state of the automaton
/// means is looked at once, so that a text made of matches costs no more than any other.
fn strike_mentioned(left: &mut BTreeSet<&str>, texts: &[TextFile<'_>]) {
    let names: Vec<&str> = left
        .iter()
        .copied()
        .filter(|name| name.len() <= LONGEST)
        .collect();
    let Ok(automaton) = NFA::new(&names) else {
        return;
    };
    let Ok(start) = automaton.start_state(Anchored::No) else {
        return;
    };
    let mut unseen = names.len();
    let mut known = HashSet::new();
    for text in texts {
        let mut state = start;
        for &byte in text.bytes {
            state = automaton.next_state(Anchored::No, state, byte);
            if !automaton.is_match(state) || !known.insert(state) {
                continue;
            }
            for at in 0..automaton.match_len(state) {
                let name = names.get(automaton.match_pattern(state, at).as_usize());
                unseen -= usize::from(name.is_some_and(|name| left.remove(name)));
            }
            if unseen == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> TextFile<'_> {
        TextFile {
            path: "a.js",
            bytes,
        }
    }

    #[test]
    fn what_code_mentions_is_used() {
        let manifest = Manifest::from_json(
            r#"{"dependencies":{"used":"1","@acme/used":"1","left":"1"},"optionalDependencies":{"left":"1","far":"1"}}"#,
        )
        .unwrap();
        let texts = [text(b"require('used/part')"), text(b"import('@acme/used')")];
        assert_eq!(missing(&manifest, &texts), ["far", "left"]);
        assert_eq!(missing(&manifest, &[]).len(), 4);
        assert!(missing(&Manifest::default(), &texts).is_empty());
    }

    #[test]
    fn names_within_names_are_all_found_and_nothing_across_files() {
        let names = ["a", "aa", "ab", "b-aa", "@x/b-aa", "left-lib", "lib", "-li"];
        let dependencies: Vec<String> = names.iter().map(|it| format!("{it:?}:\"1\"")).collect();
        let json = format!("{{\"dependencies\":{{{}}}}}", dependencies.join(","));
        let manifest = Manifest::from_json(&json).unwrap();
        for (texts, expected) in [
            (vec!["@x/b-aa left-lib"], vec!["ab"]),
            (
                vec!["aa"],
                vec!["-li", "@x/b-aa", "ab", "b-aa", "left-lib", "lib"],
            ),
            (
                vec!["left", "-lib"],
                vec!["@x/b-aa", "a", "aa", "ab", "b-aa", "left-lib"],
            ),
            (vec!["aab left-lib", "@x/b-aa"], vec![]),
        ] {
            let texts: Vec<TextFile<'_>> = texts.iter().map(|it| text(it.as_bytes())).collect();
            assert_eq!(missing(&manifest, &texts), expected);
        }
    }

    #[test]
    fn a_name_longer_than_any_is_not_looked_for() {
        let long = "x".repeat(LONGEST + 1);
        let json = format!("{{\"dependencies\":{{\"{long}\":\"1\",\"used\":\"1\"}}}}");
        let manifest = Manifest::from_json(&json).unwrap();
        let file = format!("{long} used");
        assert_eq!(missing(&manifest, &[text(file.as_bytes())]), [long]);
    }
}
