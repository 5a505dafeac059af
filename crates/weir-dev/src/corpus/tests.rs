use std::collections::BTreeSet;

use super::*;
use crate::files;
use crate::score::BEHAVIOURS;

fn samples() -> Vec<Sample> {
    every(&files::root()).unwrap()
}

/// Endings of names that somebody could own.
const OWNED: &[&str] = &["com", "net", "org", "io", "dev", "app", "xyz", "co", "ai"];

/// Dotted words of a text that look like a host outside the reserved names.
fn foreign_hosts(text: &str) -> Vec<String> {
    // A path, not a host.
    let text = &text.replace("kubernetes.io/serviceaccount", "");
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')));
    let is_host = |word: &&str| {
        let Some((before, end)) = word.rsplit_once('.') else {
            return false;
        };
        before.chars().any(|c| c.is_ascii_alphabetic()) && OWNED.contains(&end)
    };
    let mut hosts: Vec<String> = words.filter(is_host).map(str::to_owned).collect();
    for rest in text.split("://").skip(1) {
        // What stands before an @ is a user.
        let place = rest
            .split(['/', '\'', '"', '`', ' '])
            .next()
            .unwrap_or_default();
        let place = place.rsplit('@').next().unwrap_or_default();
        let host = place.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        let host = host.into_iter().next().unwrap_or_default();
        let allowed = host.is_empty()
            || matches!(host, "localhost" | "127.0.0.1" | "169.254.169.254")
            || host.ends_with(".invalid")
            || host.ends_with(".example");
        if !allowed {
            hosts.push(host.to_owned());
        }
    }
    hosts
}

#[test]
fn every_behaviour_has_stories_in_both_ways_of_writing_and_a_twin() {
    let samples = samples();
    for (code, _) in BEHAVIOURS {
        let of = |kind: Kind| {
            let of_kind = samples.iter().filter(move |sample| sample.kind == kind);
            of_kind.filter(|sample| sample.behaviour() == *code)
        };
        assert!(of(Kind::Attack).count() >= 5, "{code}: fewer than five");
        let styles: BTreeSet<Style> = of(Kind::Attack).map(|sample| sample.story.style).collect();
        assert_eq!(styles.len(), 2, "{code}: {styles:?}");
        assert!(of(Kind::Twin).count() >= 2, "{code}: too few twins");
    }
}

#[test]
fn samples_name_reserved_hosts_only() {
    assert_eq!(
        foreign_hosts("get('https://a.example.com/x'), 'b.io', c.invalid, d.com.example"),
        ["a.example.com", "b.io", "a.example.com"]
    );
    for sample in samples() {
        // Other styles cut texts into pieces, and are made from these.
        let whole = [Style::Plain, Style::Passed, Style::Esbuild, Style::Webpack];
        let variants = sample.variants.iter();
        for (_, files) in variants.filter(|(style, _)| whole.contains(style)) {
            for text in files.iter().filter_map(|file| file.text.as_ref()) {
                let found = foreign_hosts(text);
                assert!(found.is_empty(), "{}: {found:?}", sample.id);
            }
        }
        let command = sample.story.command.as_deref().unwrap_or_default();
        assert!(foreign_hosts(command).is_empty(), "{}", sample.id);
    }
}

#[test]
fn samples_are_filed_where_they_belong() {
    for sample in samples() {
        let folder = sample.id.split('/').nth(1).unwrap();
        let code = sample.behaviour().trim_start_matches('B');
        if sample.kind != Kind::Evasion {
            assert_eq!(folder, format!("b{code:0>2}"), "{}", sample.id);
        }
        for behaviour in &sample.story.behaviours {
            let known = BEHAVIOURS.iter().any(|(code, _)| code == behaviour);
            assert!(known, "{}: {behaviour}", sample.id);
        }
        for incident in &sample.story.incidents {
            let number = incident.strip_prefix('I').map(str::parse::<u32>);
            assert!(matches!(number, Some(Ok(1..=45))), "{}", sample.id);
        }
        assert_eq!(
            sample.story.evades.is_some(),
            sample.kind == Kind::Evasion,
            "{}",
            sample.id
        );
        if let Some(signal) = &sample.story.evades {
            assert_eq!(folder, signal, "{}", sample.id);
        }
        let styles: BTreeSet<Style> = sample.variants.iter().map(|(style, _)| *style).collect();
        assert_eq!(styles.len(), sample.variants.len(), "{}", sample.id);
    }
}

#[test]
fn nothing_in_the_corpus_is_a_package_or_a_program() {
    let mut folders = vec![files::root().join("corpus")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let end = path.extension().unwrap().to_str().unwrap();
            let is_ours = path.ends_with("generate/styles.mjs")
                || path.ends_with("generate/fold.mjs")
                || path.ends_with("generate/tools-lock.json");
            assert!(
                matches!(end, "toml" | "md" | "tsv") || is_ours,
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_package_can_be_built_and_is_read_back_whole() {
    for sample in samples() {
        for (style, files) in &sample.variants {
            let package = package(&sample, files).unwrap();
            let mut paths = Vec::new();
            let mut keep = |entry: weir_archive::Entry<'_>| paths.push(entry.path().to_owned());
            let archive = weir_archive::read(
                package.tarball.as_ref(),
                &weir_archive::Limits::default(),
                &mut keep,
            );
            assert!(!archive.is_ambiguous(), "{} {style:?}", sample.id);
            assert_eq!(paths.len(), files.len() + 1, "{} {style:?}", sample.id);
        }
    }
}
