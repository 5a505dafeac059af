//! What a signal saw, and the evidence a person can check.

use serde::{Deserialize, Serialize};

/// Evidence group. Each group counts once in a decision, however many signals speak for it, so
/// that two views of one fact are not mistaken for two facts (DETECTION section 4.1).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Who published it: publisher, maintainers, forged identity.
    Identity,
    /// Provenance, trusted publishing, registry signatures.
    Trust,
    /// Code that runs at install time.
    Execution,
    /// What it depends on, and from where.
    Dependency,
    /// Sizes, file lists, archives and manifests that do not agree.
    Shape,
    /// What its code does.
    Code,
    /// What it did when run under observation.
    Runtime,
    /// Its name, compared with names people trust.
    Name,
    /// What others have published about it.
    Intel,
    /// How long it has been public. Not evidence of anything: never counted, only held for.
    Age,
}

impl Group {
    /// Whether findings of this group count as evidence. Age does not: every release was young once.
    #[must_use]
    pub const fn is_evidence(self) -> bool {
        !matches!(self, Self::Age)
    }

    /// The group's name as printed and as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Trust => "trust",
            Self::Execution => "execution",
            Self::Dependency => "dependency",
            Self::Shape => "shape",
            Self::Code => "code",
            Self::Runtime => "runtime",
            Self::Name => "name",
            Self::Intel => "intel",
            Self::Age => "age",
        }
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad it would be if the finding is right.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth showing in a full report; never counted towards a decision.
    Info,
    /// Unusual, mostly harmless.
    Low,
    /// Deserves a look before it is trusted.
    Medium,
    /// Hostile unless explained.
    High,
    /// Hostile.
    Critical,
}

impl Severity {
    /// The name as printed and as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure the signal is that it saw what it says it saw, apart from how bad that would be.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A guess worth a person's look.
    Low,
    /// More likely right than wrong.
    Medium,
    /// Stated by the data itself.
    High,
}

impl Confidence {
    /// The name as printed and as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Something a person can check for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Evidence {
    /// A place in the package.
    Place {
        /// Path inside the package, as npm extracts it (first folder stripped).
        path: String,
        /// Line, counted from 1; absent where lines mean nothing (a binary, an archive header).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// The text there, shortened, control characters escaped.
        snippet: String,
    },
    /// Two values that were compared.
    Change {
        /// What was compared, e.g. `scripts.postinstall` or `dist-tags.latest`.
        field: String,
        /// The value before, or in the place compared with; absent if there was none.
        previous: Option<String>,
        /// The value now; absent if there is none.
        current: Option<String>,
    },
}

impl std::fmt::Display for Evidence {
    /// One line: `path:line: snippet`, or `field: previous -> current`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Place {
                path,
                line: Some(line),
                snippet,
            } => write!(f, "{path}:{line}: {snippet}"),
            Self::Place {
                path,
                line: None,
                snippet,
            } => write!(f, "{path}: {snippet}"),
            Self::Change {
                field,
                previous,
                current,
            } => {
                let shown =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                write!(f, "{field}: {} -> {}", shown(previous), shown(current))
            }
        }
    }
}

impl Evidence {
    /// Longest snippet kept, in characters. A screen line; the path and line lead to the rest.
    pub const SNIPPET_CHARS: usize = 160;

    /// A place in the package. The snippet is made safe to print and shortened.
    #[must_use]
    pub fn place(path: impl Into<String>, line: Option<u32>, snippet: &str) -> Self {
        Self::Place {
            path: printable(&path.into(), 400),
            line,
            snippet: printable(snippet.trim(), Self::SNIPPET_CHARS),
        }
    }

    /// Two compared values, made safe to print and shortened.
    #[must_use]
    pub fn change(
        field: impl Into<String>,
        previous: Option<impl AsRef<str>>,
        current: Option<impl AsRef<str>>,
    ) -> Self {
        Self::Change {
            field: printable(&field.into(), 200),
            previous: previous.map(|text| printable(text.as_ref(), Self::SNIPPET_CHARS)),
            current: current.map(|text| printable(text.as_ref(), Self::SNIPPET_CHARS)),
        }
    }
}

/// What a signal saw on one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// The signal's id: kebab-case, never changed once shipped.
    pub signal: String,
    /// The group it counts in.
    pub group: Group,
    /// How bad it would be.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether this one fact is enough to block (DESIGN, "Deciding").
    #[serde(default)]
    pub decisive: bool,
    /// One sentence for a person: what was seen, with names and values.
    pub message: String,
    /// What to check it against.
    pub evidence: Vec<Evidence>,
}

/// Makes text from a package safe to print on one line: control characters, bidirectional controls
/// and other invisible characters become `\u{..}`, and at most `limit` characters are kept.
///
/// Package text is hostile input in terminals and log viewers too (DETECTION section 4.9).
#[must_use]
pub fn printable(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit + 3));
    for (count, character) in text.chars().enumerate() {
        if count == limit {
            out.push('…');
            break;
        }
        match character {
            '\t' => out.push(' '),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that take no space or change the direction of what follows: Unicode general category
/// Cf as used in source text, variation selectors and tag characters.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_packages_is_made_printable() {
        assert_eq!(printable("a\u{1b}[2Jb", 20), "a\\u{1b}[2Jb");
        assert_eq!(printable("x\u{202e}y", 20), "x\\u{202e}y");
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }

    #[test]
    fn evidence_is_either_a_place_or_two_values_in_json() {
        let place = Evidence::place("lib/a.js", Some(3), "  fetch(x) ");
        assert_eq!(
            serde_json::to_string(&place).unwrap(),
            r#"{"path":"lib/a.js","line":3,"snippet":"fetch(x)"}"#
        );
        let change = Evidence::change("scripts.postinstall", None::<&str>, Some("node a.js"));
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(
            text,
            r#"{"field":"scripts.postinstall","previous":null,"current":"node a.js"}"#
        );
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), change);
    }
}
