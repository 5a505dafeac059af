//! Exceptions: scoped, reasoned, signed and ending.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::selector::{NameGlob, VersionRange};
use super::text_value;

/// The moment from which a waiver does nothing. A date alone is the last day on which the waiver
/// applies, in UTC; a timestamp (RFC 3339) is the moment itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expiry {
    text: String,
    end: Timestamp,
}

text_value!(Expiry, "last day", "2026-12-31");

impl Expiry {
    /// The first moment at which the waiver no longer applies.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// One that never ends, for asking what would be without the end.
    pub(crate) fn postponed(&self) -> Self {
        Self {
            text: self.text.clone(),
            end: Timestamp::MAX,
        }
    }

    /// Whether the waiver has ended.
    #[must_use]
    pub fn has_passed(&self, now: Timestamp) -> bool {
        now >= self.end
    }
}

/// The end of a day in UTC; `None` for what is not exactly a date.
fn end_of_day(text: &str) -> Option<Timestamp> {
    // The length keeps out the longer forms that the date parser would cut short.
    let date: Date = (text.len() == "2026-12-31".len()).then(|| text.parse().ok())??;
    let next = date.tomorrow().ok()?;
    TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok()
}

impl std::str::FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = end_of_day(text).or_else(|| text.parse().ok()).ok_or_else(|| {
            format!(
                "{text:?} is neither a date such as \"2026-12-31\" nor a timestamp with an offset \
                 such as \"2026-12-31T18:00:00Z\""
            )
        })?;
        Ok(Self {
            text: text.to_owned(),
            end,
        })
    }
}

impl std::fmt::Display for Expiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Words that have to be there: an author, a reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Words(String);

text_value!(Words, "text", "reviewed by hand");

impl Words {
    /// The words, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Words {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("empty: somebody will read this when the waiver is questioned".to_owned());
        }
        if text.starts_with('<') && text.ends_with('>') {
            return Err(format!(
                "{text:?} is a placeholder: replace it by your own words"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a signal: lower-case words joined by hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignalId(String);

text_value!(SignalId, "signal", "young-release");

impl SignalId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SignalId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || !text.bytes().all(letter) {
            return Err(format!(
                "{text:?} is not the id of a signal, such as \"young-release\""
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for SignalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What becomes of a finding that a waiver covers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverAction {
    /// The release is served, and what was seen is still mentioned.
    Notice,
    /// As if it had not been seen.
    Allow,
}

/// An exception. It covers findings, never a release as a whole: what it does not cover still
/// decides, and so does what is found later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The package, or a pattern such as `@acme/*`.
    pub package: NameGlob,
    /// The versions, as an npm range. `*` covers every version but prereleases.
    pub versions: VersionRange,
    /// The signals whose findings are covered. Without this key all are, except
    /// `integrity-mismatch` and `failed-verification`, which have to be named. `young-release`
    /// covers the hold for age, `incomplete-assessment` what could not be checked, but never that the
    /// registry gives no integrity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<SignalId>,
    /// Whether what is covered is still mentioned.
    pub action: WaiverAction,
    /// Why the findings are acceptable.
    pub reason: Words,
    /// Who says so.
    pub author: Words,
    /// The last day on which the waiver applies (UTC), or a timestamp with an offset. An expired
    /// waiver does nothing and is mentioned in the decisions it would have changed.
    pub expires: Expiry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_covers_its_whole_day() {
        let expiry: Expiry = "2026-12-31".parse().unwrap();
        assert!(!expiry.has_passed("2026-12-31T23:59:59Z".parse().unwrap()));
        assert!(expiry.has_passed("2027-01-01T00:00:00Z".parse().unwrap()));
        let moment: Expiry = "2026-12-31T18:00:00+02:00".parse().unwrap();
        assert!(moment.has_passed("2026-12-31T16:00:00Z".parse().unwrap()));
        assert!(!moment.has_passed("2026-12-31T15:59:59Z".parse().unwrap()));
    }

    #[test]
    fn other_texts_are_no_ends() {
        for text in [
            "",
            "never",
            "2026-13-01",
            "2026-02-30",
            "31.12.2026",
            "2026-12-31T18:00:00",
            "20261231",
        ] {
            assert!(text.parse::<Expiry>().is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_not_placeholders() {
        assert!("  ".parse::<Words>().is_err());
        assert!("<your name>".parse::<Words>().is_err());
        assert_eq!(" Jo ".parse::<Words>().unwrap().as_str(), "Jo");
    }
}
