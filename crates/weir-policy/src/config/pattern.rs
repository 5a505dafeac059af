//! Patterns over what a build's certificate says.

use super::selector::wildcard;
use super::text_value;

/// A repository's address in which `*` stands for any run of characters except `/`. `owner/name` without
/// a host is one on GitHub: a name alone would be anybody's, on whatever host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryPattern(String);

text_value!(RepositoryPattern, "repository pattern", "acme/*");

/// Where a repository without a host is.
const GITHUB: &str = "https://github.com/";

impl RepositoryPattern {
    /// Whether the pattern matches the whole address, whatever the case of its letters.
    #[must_use]
    pub fn matches(&self, address: &str) -> bool {
        wildcard(
            &self.whole().to_ascii_lowercase(),
            &address.to_ascii_lowercase(),
            false,
        )
    }

    fn whole(&self) -> String {
        if self.0.contains("://") {
            self.0.clone()
        } else {
            format!("{GITHUB}{}", self.0)
        }
    }
}

impl std::str::FromStr for RepositoryPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        only_stars(text)?;
        let plain = text.strip_prefix("https://").unwrap_or(text);
        let parts: Vec<&str> = plain.split('/').collect();
        let wanted = if plain.len() == text.len() { 2 } else { 3 };
        if text.contains("://") && plain.len() == text.len() {
            return Err(format!(
                "{text:?}: repositories are compared by their https address"
            ));
        }
        if parts.len() < wanted || parts.iter().any(|part| part.is_empty()) {
            return Err(format!(
                "{text:?} is neither `owner/name` nor an address such as \
                 \"https://git.example/owner/name\""
            ));
        }
        if wanted == 2 && parts.len() > 2 {
            return Err(format!(
                "{text:?}: outside GitHub the address has to begin with https://"
            ));
        }
        // The host, or on GitHub the owner, says whose it is.
        if parts.first().is_some_and(|first| first.contains('*')) {
            return Err(format!("{text:?} would match repositories of anybody"));
        }
        if text.ends_with(".git") {
            return Err(format!("{text:?}: write the address without `.git`"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A workflow's file inside the repository, or the address of one elsewhere; `*` stands for any run of
/// characters except `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkflowPattern(String);

text_value!(
    WorkflowPattern,
    "workflow pattern",
    ".github/workflows/release.yml"
);

impl WorkflowPattern {
    /// Whether the pattern matches the whole path.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        wildcard(&self.0, path, false)
    }
}

impl std::str::FromStr for WorkflowPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        only_stars(text)?;
        if text.starts_with('/') || text.starts_with("./") || text.contains('@') {
            return Err(format!(
                "{text:?}: write the path from the repository's folder, without a ref, such as \
                 \".github/workflows/release.yml\""
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for WorkflowPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A git ref such as `refs/heads/main`, in which `*` stands for any run of characters, slashes too; or the
/// word `tags` or `branches` for all of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReferencePattern(String);

text_value!(ReferencePattern, "ref pattern", "refs/heads/main");

impl ReferencePattern {
    /// Whether the pattern matches the whole ref. Tags hold slashes (`refs/tags/@acme/tools@1.0.0`).
    #[must_use]
    pub fn matches(&self, reference: &str) -> bool {
        match self.0.as_str() {
            "tags" => reference.starts_with("refs/tags/"),
            "branches" => reference.starts_with("refs/heads/"),
            pattern => wildcard(pattern, reference, true),
        }
    }
}

impl std::str::FromStr for ReferencePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        only_stars(text)?;
        let known = matches!(text, "tags" | "branches") || text.starts_with("refs/");
        if !known {
            return Err(format!(
                "{text:?} is no ref: write \"tags\", \"branches\", \"refs/heads/{text}\" or \
                 \"refs/tags/{text}\""
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for ReferencePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn only_stars(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("empty".to_owned());
    }
    match text
        .chars()
        .find(|c| c.is_whitespace() || c.is_control() || matches!(c, '?' | '[' | ']' | '{' | '}'))
    {
        Some(odd) => Err(format!("{text:?} holds {odd:?}: the only wildcard is `*`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_somebodys() {
        for (pattern, address, expected) in [
            ("acme/*", "https://github.com/acme/tools", true),
            ("acme/*", "https://github.com/ACME/tools", true),
            ("acme/*", "https://gitlab.com/acme/tools", false),
            ("acme/*", "https://github.com/acme-x/tools", false),
            ("acme/*", "https://github.com/acme/tools/more", false),
            (
                "https://git.example.invalid/acme/tools",
                "https://git.example.invalid/acme/tools",
                true,
            ),
            (
                "https://git.example.invalid/acme/tools",
                "https://git.example.invalid/acme/tools-2",
                false,
            ),
        ] {
            let parsed: RepositoryPattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(address), expected, "{pattern} {address}");
        }
        for (bad, part) in [
            ("", "empty"),
            ("*/tools", "anybody"),
            ("https://*/acme/tools", "anybody"),
            ("acme", "neither"),
            ("acme/", "neither"),
            ("a/b/c", "https://"),
            ("git://git.example.invalid/a/b", "https address"),
            ("acme/tools.git", "without `.git`"),
            ("acme/[a]", "only wildcard"),
        ] {
            let error = bad.parse::<RepositoryPattern>().unwrap_err();
            assert!(error.contains(part), "{bad}: {error}");
        }
    }

    #[test]
    fn refs_have_classes() {
        for (pattern, reference, expected) in [
            ("tags", "refs/tags/v1", true),
            ("tags", "refs/heads/tags", false),
            ("branches", "refs/heads/main", true),
            ("refs/heads/main", "refs/heads/main", true),
            ("refs/heads/main", "refs/heads/main-2", false),
            ("refs/tags/*", "refs/tags/@acme/tools@1.0.0", true),
            ("refs/heads/release-*", "refs/heads/patch", false),
        ] {
            let parsed: ReferencePattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(reference), expected, "{pattern} {reference}");
        }
        let error = "main".parse::<ReferencePattern>().unwrap_err();
        assert!(error.contains("refs/heads/main"), "{error}");
    }

    #[test]
    fn workflows_are_paths_without_refs() {
        let pattern: WorkflowPattern = ".github/workflows/*.yml".parse().unwrap();
        assert!(pattern.matches(".github/workflows/release.yml"));
        assert!(!pattern.matches(".github/workflows/x/release.yml"));
        for bad in ["/a.yml", "./a.yml", "a.yml@refs/heads/main"] {
            assert!(bad.parse::<WorkflowPattern>().is_err(), "{bad}");
        }
    }
}
