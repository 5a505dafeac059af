//! Lengths of time as written in `weir.toml`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::text_value;

/// A length of time: a whole number and a unit, `"90m"`. Units: `ms`, `s`, `m`, `h`, `d` (24 hours),
/// `w` (7 days). A number without a unit is refused: what people mean by `7` differs too much.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Period(Duration);

// Not `duration`: JSON Schema means the ISO 8601 form by that, and editors would complain.
text_value!(Period, "period", "24h");

/// Milliseconds per unit, smallest first.
const UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Longest period, in days: ten years. Longer ones are typing mistakes.
const MAX_DAYS: u64 = 3_653;

impl Period {
    /// A period of whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// A period of whole hours.
    #[must_use]
    pub const fn from_hours(hours: u64) -> Self {
        Self(Duration::from_secs(hours.saturating_mul(3_600)))
    }

    /// A period of days of 24 hours.
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        Self(Duration::from_secs(days.saturating_mul(86_400)))
    }

    /// The period for the standard library.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// The moment this long after the given one; `None` beyond the calendar's end.
    #[must_use]
    pub fn after(self, moment: Timestamp) -> Option<Timestamp> {
        let length = SignedDuration::try_from(self.0).ok()?;
        moment.checked_add(length).ok()
    }

    /// Whether less than this has passed from `start` to `now`. A start in the future counts as
    /// not passed.
    #[must_use]
    pub fn is_running(self, start: Timestamp, now: Timestamp) -> bool {
        self.after(start).is_none_or(|end| now < end)
    }
}

impl std::str::FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if number.is_empty() {
            return Err(format!(
                "{text:?} is not a duration: write a whole number and a unit, such as \"24h\""
            ));
        }
        if unit.is_empty() {
            return Err(format!(
                "{text:?} has no unit: write \"{number}h\" for hours or \"{number}d\" for days"
            ));
        }
        let factor = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, factor)| *factor);
        let Some(factor) = factor else {
            return Err(format!(
                "{text:?} has an unknown unit {unit:?}: use one of ms, s, m, h, d, w, right behind the number"
            ));
        };
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
            .filter(|milliseconds| *milliseconds <= MAX_DAYS * 86_400_000)
            .map(|milliseconds| Self(Duration::from_millis(milliseconds)))
            .ok_or_else(|| format!("{text:?} is longer than ten years"))
    }
}

/// The text it is parsed from: the largest unit that divides it, hours up to three days because
/// release ages are thought of in hours up to there.
impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = self.0.as_millis();
        let fits = |unit: &&(&str, u64)| {
            let factor = u128::from(unit.1);
            milliseconds.is_multiple_of(factor)
                && match unit.0 {
                    "w" => false,
                    "d" => milliseconds > 3 * factor,
                    _ => true,
                }
        };
        let (name, factor) = UNITS.iter().rev().find(fits).unwrap_or(&("ms", 1));
        let (name, factor) = if milliseconds == 0 {
            ("s", 1)
        } else {
            (*name, u128::from(*factor))
        };
        write!(f, "{}{name}", milliseconds / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds, printed) in [
            ("24h", 86_400, "24h"),
            ("72h", 259_200, "72h"),
            ("3d", 259_200, "72h"),
            ("4d", 345_600, "4d"),
            ("1w", 604_800, "7d"),
            ("90m", 5_400, "90m"),
            ("60m", 3_600, "1h"),
            ("25s", 25, "25s"),
            ("0h", 0, "0s"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period, Period::from_secs(seconds), "{text}");
            assert_eq!(period.to_string(), printed, "{text}");
            assert_eq!(printed.parse::<Period>().unwrap(), period, "{text}");
        }
        assert_eq!("1500ms".parse::<Period>().unwrap().to_string(), "1500ms");
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (text, part) in [
            ("7", "has no unit"),
            ("", "is not a duration"),
            ("h", "is not a duration"),
            ("-1h", "is not a duration"),
            ("1.5h", "unknown unit"),
            ("1 h", "unknown unit"),
            ("24H", "unknown unit"),
            ("1h30m", "unknown unit"),
            ("1y", "unknown unit"),
            ("3654d", "longer than ten years"),
            ("99999999999999999999h", "longer than ten years"),
        ] {
            let error = text.parse::<Period>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_period_runs_until_its_very_end() {
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let day = Period::from_hours(24);
        assert!(day.is_running(start, "2026-11-01T23:59:59.999Z".parse().unwrap()));
        assert!(!day.is_running(start, "2026-11-02T00:00:00Z".parse().unwrap()));
        assert!(day.is_running(start, "2026-10-01T00:00:00Z".parse().unwrap()));
        assert!(!Period::from_secs(0).is_running(start, start));
    }
}
