//! What can be wrong with a policy, and where.

/// Where a value came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Nobody set it.
    #[default]
    Default,
    /// A place in a file.
    File {
        /// The name the caller gave to the text, e.g. `weir.toml`.
        file: String,
        /// Line, counted from 1.
        line: u32,
        /// Column in characters, counted from 1.
        column: u32,
    },
    /// A single setting handed in by the caller: the name of an environment variable or flag.
    Setting(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Setting(name) => f.write_str(name),
        }
    }
}

/// Why a policy is refused. Every mistake in a file is reported, not only the first:
/// see [`PolicyError::mistakes`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is not TOML.
    #[error("{at}: not valid TOML: {message}")]
    Syntax {
        /// Where.
        at: Origin,
        /// What the parser says.
        message: String,
    },
    /// A key or section that does not exist.
    #[error("{at}: `{key}` is not a setting")]
    UnknownKey {
        /// Where.
        at: Origin,
        /// The key as written, with its section.
        key: String,
        /// The valid key it resembles most.
        nearest: Option<String>,
    },
    /// A value of another type than the key takes.
    #[error("{at}: `{key}` takes {wanted}, not {found}")]
    WrongType {
        /// Where.
        at: Origin,
        /// The key, with its section.
        key: String,
        /// What it takes, with an article: `a duration such as "24h"`.
        wanted: String,
        /// What it was given, with an article: `a whole number`.
        found: String,
    },
    /// A value of the right type that makes no sense.
    #[error("{at}: `{key}`: {why}")]
    BadValue {
        /// Where.
        at: Origin,
        /// The key, with its section.
        key: String,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// A waiver that does not say everything it has to say.
    #[error("{at}: this waiver lacks {}", quoted(.missing))]
    IncompleteWaiver {
        /// Where the waiver begins.
        at: Origin,
        /// The keys it lacks.
        missing: Vec<String>,
    },
    /// An expectation that does not say what it is about.
    #[error("{at}: this expectation lacks {}", quoted(.missing))]
    IncompleteExpectation {
        /// Where the expectation begins.
        at: Origin,
        /// The keys it lacks.
        missing: Vec<String>,
    },
    /// A waiver whose last day has passed. It does nothing; see [`crate::Policy::expired_waivers`].
    #[error("{at}: the waiver for `{package}` expired: {expires}")]
    ExpiredWaiver {
        /// Where the waiver begins.
        at: Origin,
        /// The package it is for.
        package: String,
        /// Its last day or moment, as written.
        expires: String,
    },
    /// An id that no signal has.
    #[error("{at}: there is no signal `{signal}`")]
    UnknownSignal {
        /// Where.
        at: Origin,
        /// The id as written.
        signal: String,
        /// The id it resembles most.
        nearest: Option<String>,
    },
    /// More than one mistake; never empty, never nested.
    #[error("{}", lines(.0))]
    Several(Vec<PolicyError>),
}

impl PolicyError {
    /// Each mistake by itself, in the order of the layers and of their lines.
    #[must_use]
    pub fn mistakes(&self) -> &[PolicyError] {
        match self {
            Self::Several(all) => all,
            one => std::slice::from_ref(one),
        }
    }

    /// Where the mistake is; of several, the first one's place.
    #[must_use]
    pub fn at(&self) -> &Origin {
        match self {
            Self::Syntax { at, .. }
            | Self::UnknownKey { at, .. }
            | Self::WrongType { at, .. }
            | Self::BadValue { at, .. }
            | Self::IncompleteWaiver { at, .. }
            | Self::IncompleteExpectation { at, .. }
            | Self::ExpiredWaiver { at, .. }
            | Self::UnknownSignal { at, .. } => at,
            Self::Several(all) => all.first().map_or(&Origin::Default, Self::at),
        }
    }

    /// What might help, as a sentence without a full stop; for the renderer of errors to print.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey {
                nearest: Some(nearest),
                ..
            }
            | Self::UnknownSignal {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::IncompleteWaiver { .. } => Some(
                "a waiver names its package, versions, action, reason, author and last day, so that \
                 whoever reads it later knows what was accepted and by whom"
                    .to_owned(),
            ),
            Self::ExpiredWaiver { .. } => {
                Some("remove it, or look again and give it a new last day".to_owned())
            }
            _ => None,
        }
    }

    /// One error out of many; `None` if there is nothing wrong.
    pub(crate) fn from_mistakes(mut mistakes: Vec<PolicyError>) -> Option<Self> {
        match mistakes.len() {
            0 => None,
            1 => mistakes.pop(),
            _ => Some(Self::Several(mistakes)),
        }
    }
}

fn quoted(keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    keys.join(", ")
}

fn lines(mistakes: &[PolicyError]) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
