//! `.yarnrc` of yarn 1, as far as it takes what is in it for arguments: these come before every variable.

use std::collections::BTreeSet;

/// Arguments that send yarn 1 to another registry, to other settings or to another project.
const ARGUMENTS: &[&str] = &["registry", "proxy", "cwd", "use-yarnrc"];

/// The keys in a `.yarnrc` that lead past weir. Any word of a line that looks like one is taken for it: yarn allows
/// several keys with commas between, quotes, and a colon behind.
pub(super) fn leading(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // What is escaped in quotes may be any letter. A backslash that is itself escaped is one in a path.
    if text.replace(r"\\", "").contains(r"\u") {
        found.insert(r"a key or value with \u".to_owned());
    }
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.starts_with('#')) {
        let words = line.split(|it: char| it.is_whitespace() || matches!(it, '"' | ',' | ':'));
        found.extend(words.filter(|word| leads(word)).map(str::to_owned));
    }
    found
}

/// `--registry`, and `--install.registry` for one command. No yarn leaves a host out of a `proxy`, the gateway's
/// neither, and this one is none of those that weir empties.
fn leads(word: &str) -> bool {
    let Some(argument) = word.strip_prefix("--") else {
        return word == "proxy";
    };
    let name = argument.split_once('.').map_or(argument, |(_, name)| name);
    ARGUMENTS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each tried with yarn 1.22.
    #[test]
    fn arguments_in_settings_that_lead_past_are_noticed() {
        for (line, found) in [
            ("--registry \"http://r.example/\"", Some("--registry")),
            ("--registry: \"http://r.example/\"", Some("--registry")),
            ("\"--registry\" \"http://r.example/\"", Some("--registry")),
            ("flat, --registry \"http://r.example/\"", Some("--registry")),
            ("--install.registry \"x\"", Some("--install.registry")),
            ("--add.proxy \"http://p.example/\"", Some("--add.proxy")),
            ("proxy \"http://p.example/\"", Some("proxy")),
            ("--cwd \"../other\"", Some("--cwd")),
            (
                "--install.use-yarnrc \"other\"",
                Some("--install.use-yarnrc"),
            ),
            (
                "\"-\\u002dregistry\" \"x\"",
                Some("a key or value with \\u"),
            ),
            // A variable comes before these, and the others lead nowhere.
            ("registry \"http://r.example/\"", None),
            ("# --registry \"http://r.example/\"", None),
            ("--install.check-files true", None),
            ("yarn-path \"C:\\\\users\\\\yarn.js\"", None),
        ] {
            let keys: Vec<String> = leading(line).into_iter().collect();
            let expected: Vec<&str> = found.into_iter().collect();
            assert_eq!(keys, expected, "{line}");
        }
    }
}
