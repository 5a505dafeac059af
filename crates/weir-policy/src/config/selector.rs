//! Which packages and versions a setting or waiver is about.

use weir_npm::name::PackageName;
use weir_npm::version::{Range, Version};

use super::text_value;

/// A package name in which `*` stands for any run of characters except `/`: `left-pad`, `@acme/*`,
/// `acme-*`. It always matches the whole name, so `acme-*` is not about `@other/acme-tools`.
/// A pattern that matches every package is refused: whatever it would switch off has a switch.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct NameGlob(String);

text_value!(NameGlob, "package pattern", "@acme/*");

impl NameGlob {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern matches the whole name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        wildcard(&self.0, name, false)
    }
}

/// Whether a pattern with `*` matches a whole text. A `*` takes slashes only where it is told to
/// (`crosses`). With one point to return to: linear in practice, quadratic at worst, never more, so that
/// long hostile texts cost nothing.
pub(super) fn wildcard(pattern: &str, text: &str, crosses: bool) -> bool {
    let (pattern, name) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut here) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&byte) = name.get(here) {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, here));
                at += 1;
            }
            Some(&wanted) if wanted == byte => {
                at += 1;
                here += 1;
            }
            // Let the last `*` take one more character.
            _ => match retry {
                Some((after, start)) if crosses || name.get(start) != Some(&b'/') => {
                    retry = Some((after, start + 1));
                    at = after;
                    here = start + 1;
                }
                _ => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

impl std::str::FromStr for NameGlob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(odd) = text
            .chars()
            .find(|c| matches!(c, '?' | '[' | ']' | '{' | '}' | '!'))
        {
            return Err(format!(
                "{text:?} holds {odd:?}: the only wildcard is `*`, any run of characters except `/`"
            ));
        }
        // What is left once the wildcards are filled in has to be a name npm knows.
        let sample = text.replace('*', "x");
        if let Err(error) = PackageName::parse(&sample) {
            let help = match text.strip_prefix('@') {
                Some(scope) if !scope.contains(['/', '@']) => {
                    format!("; all packages of a scope are {:?}", format!("{text}/*"))
                }
                rest if rest.unwrap_or(text).contains('@') => {
                    "; it takes no versions here".to_owned()
                }
                _ => String::new(),
            };
            return Err(format!(
                "{text:?} is not a package name or pattern: {error}{help}"
            ));
        }
        if !text.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!(
                "{text:?} would match every package: name packages or scopes, such as \"@acme/*\""
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for NameGlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A range of versions as npm writes them, `"1.2.3 || ^2"`. As in npm, a prerelease only matches a
/// range that names a prerelease of the same version. A tag such as `latest` is refused, since what
/// it names is for the package's publisher to say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionRange(Range);

text_value!(VersionRange, "version range", "1.2.3 || ^2");

impl VersionRange {
    /// The range as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the version is in the range; no if it is not a version.
    #[must_use]
    pub fn matches(&self, version: &str) -> bool {
        Version::parse(version).is_ok_and(|version| self.0.matches(&version))
    }
}

impl std::str::FromStr for VersionRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("empty: write \"*\" if every version is meant".to_owned());
        }
        match Range::parse_from_npm(text) {
            Ok(range) if range.is_tag() => Err(format!(
                "{text:?} is a tag, not a version range: what it names may change; write \"1.2.3\" \
                 or \"^2\""
            )),
            // npm leaves out what makes no sense, and so takes in versions that nobody meant.
            Ok(range) if !range.is_understood() => Err(format!(
                "{text:?} is not a version range: a part of it makes no sense, and without that part it would \
                 be another range"
            )),
            Ok(range) => Ok(Self(range)),
            Err(error) => Err(format!("{text:?} is not a version range: {error}")),
        }
    }
}

impl std::fmt::Display for VersionRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Packages, or some versions of them: `left-pad`, `@acme/*`, `left-pad@1.3.0`, `@acme/*@^2`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector {
    name: NameGlob,
    versions: Option<VersionRange>,
}

text_value!(
    Selector,
    "package pattern, with or without versions",
    "name@1.2.3"
);

impl Selector {
    /// Whether the release is meant.
    #[must_use]
    pub fn matches(&self, name: &str, version: &str) -> bool {
        self.name.matches(name)
            && self
                .versions
                .as_ref()
                .is_none_or(|versions| versions.matches(version))
    }

    /// Whether releases of that package may be meant.
    #[must_use]
    pub fn is_about(&self, name: &str) -> bool {
        self.name.matches(name)
    }

    /// Whether only some versions are meant.
    #[must_use]
    pub const fn has_versions(&self) -> bool {
        self.versions.is_some()
    }

    /// The package or pattern, without versions.
    #[must_use]
    pub const fn name(&self) -> &NameGlob {
        &self.name
    }
}

impl std::str::FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The first `@` may open a scope; the next one separates the versions.
        let scoped = usize::from(text.starts_with('@'));
        let at = text.get(scoped..).and_then(|rest| rest.find('@'));
        let parts =
            at.and_then(|at| Some((text.get(..at + scoped)?, text.get(at + scoped + 1..)?)));
        match parts {
            Some((name, versions)) => Ok(Self {
                name: name.parse()?,
                versions: Some(versions.parse()?),
            }),
            None => Ok(Self {
                name: text.parse()?,
                versions: None,
            }),
        }
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.versions {
            Some(versions) => write!(f, "{}@{versions}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names_and_never_cross_a_slash() {
        for (pattern, name, expected) in [
            ("left-pad", "left-pad", true),
            ("left-pad", "left-padd", false),
            ("left-pad", "xleft-pad", false),
            ("@acme/*", "@acme/tools", true),
            ("@acme/*", "@acme-x/tools", false),
            ("@acme/*", "acme", false),
            ("acme-*", "acme-tools", true),
            ("acme-*", "acme-", true),
            ("acme-*", "@other/acme-tools", false),
            ("acme*", "acme/x", false),
            ("@acme*/x", "@acme-labs/x", true),
            ("@acme*/x", "@acme/y/x", false),
            ("*-acme-*", "a-acme-b-acme-c", true),
            ("*-acme", "a-acme-acme", true),
            ("*-acme", "a-acme-b", false),
        ] {
            let glob: NameGlob = pattern.parse().unwrap();
            assert_eq!(glob.matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_wildcards_on_a_long_name_stay_cheap() {
        let glob: NameGlob = format!("{}b", "a*".repeat(90)).parse().unwrap();
        assert!(!glob.matches(&"a".repeat(100_000)));
    }

    #[test]
    fn patterns_that_are_no_names_are_refused() {
        for (pattern, part) in [
            ("", "not a package name"),
            ("*", "every package"),
            ("@*/*", "every package"),
            ("a?", "only wildcard"),
            ("{a,b}", "only wildcard"),
            ("a b", "not a package name"),
            ("@acme", "all packages of a scope are \"@acme/*\""),
            ("billing-core@<5", "takes no versions"),
            ("@acme/core@<5", "takes no versions"),
            ("a/b/c", "not a package name"),
        ] {
            let error = pattern.parse::<NameGlob>().unwrap_err();
            assert!(error.contains(part), "{pattern}: {error}");
        }
    }

    #[test]
    fn selectors_may_name_versions() {
        for (selector, name, version, expected) in [
            ("name", "name", "1.0.0", true),
            ("name@1.2.3", "name", "1.2.3", true),
            ("name@1.2.3", "name", "1.2.4", false),
            ("@acme/*@^2", "@acme/x", "2.5.0", true),
            ("@acme/*@^2", "@acme/x", "3.0.0", false),
            ("@acme/x", "@acme/x", "not a version", true),
            ("@acme/x@*", "@acme/x", "not a version", false),
        ] {
            let parsed: Selector = selector.parse().unwrap();
            assert_eq!(
                parsed.matches(name, version),
                expected,
                "{selector} {name}@{version}"
            );
            assert_eq!(parsed.to_string(), selector);
        }
        assert!(
            "name@latest"
                .parse::<Selector>()
                .unwrap_err()
                .contains("is a tag")
        );
        assert!("name@".parse::<Selector>().unwrap_err().contains("empty"));
    }

    #[test]
    fn ranges_treat_prereleases_as_npm_does() {
        let range: VersionRange = "1.2.3 || ^2".parse().unwrap();
        assert!(range.matches("1.2.3") && range.matches("2.9.0"));
        assert!(!range.matches("1.2.4") && !range.matches("2.1.0-rc.1") && !range.matches("x"));
    }

    #[test]
    fn a_range_of_which_npm_would_leave_out_a_part_is_refused() {
        for text in [
            ">=1.0.0 <1.5.O",
            "<oops >=1",
            "1.x <l.4",
            ">1.0 !1.6.0",
            "1.6.0 || foo",
            ">=1.0.0, <2.0.0",
        ] {
            let error = text.parse::<VersionRange>().unwrap_err();
            assert!(error.contains("makes no sense"), "{text}: {error}");
            assert!(
                format!("name@{text}").parse::<Selector>().is_err(),
                "{text}"
            );
        }
        for text in [
            "*",
            "1.x || >=2.0.0 <2.1.0-rc.1",
            "1.0.0 - 2",
            "> 1.0.0 < 2.0.0",
            "=v1.0.0",
        ] {
            assert!(text.parse::<VersionRange>().is_ok(), "{text}");
        }
    }
}
