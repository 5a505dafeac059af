//! Amounts of bytes as written in `weir.toml`.

use super::text_value;

/// An amount of bytes: a whole number and a unit, `"512 MiB"`. Units: `B`, `KiB`, `MiB`, `GiB`,
/// and the decimal `kB`, `MB`, `GB`. A number without a unit is refused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Size(u64);

text_value!(Size, "size", "512 MiB");

/// Bytes per unit. The binary ones come first because sizes are printed in them.
const UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Largest size: 1 TiB. Larger ones are typing mistakes.
const MAX: u64 = 1 << 40;

impl Size {
    /// A size in mebibytes.
    #[must_use]
    pub const fn from_mib(mebibytes: u64) -> Self {
        Self(mebibytes.saturating_mul(1 << 20))
    }

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        // One space between number and unit, as sizes are usually typeset.
        let unit = rest.strip_prefix(' ').unwrap_or(rest);
        if number.is_empty() {
            return Err(format!(
                "{text:?} is not a size: write a whole number and a unit, such as \"512 MiB\""
            ));
        }
        if unit.is_empty() {
            return Err(format!(
                "{text:?} has no unit: write \"{number} MiB\" for mebibytes"
            ));
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!(
                "{text:?} has an unknown unit {unit:?}: use one of B, KiB, MiB, GiB, kB, MB, GB"
            ));
        };
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*factor))
            .filter(|bytes| *bytes <= MAX)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is larger than 1024 GiB"))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = UNITS
            .iter()
            .find(|(_, factor)| self.0 > 0 && self.0.is_multiple_of(*factor));
        let (name, factor) = unit.unwrap_or(&("B", 1));
        write!(f, "{} {name}", self.0 / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_a_number_and_a_unit() {
        for (text, bytes, printed) in [
            ("512 MiB", 536_870_912, "512 MiB"),
            ("512MiB", 536_870_912, "512 MiB"),
            ("1024 MiB", 1_073_741_824, "1 GiB"),
            ("1 MB", 1_000_000, "1000000 B"),
            ("0 B", 0, "0 B"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size.bytes(), bytes, "{text}");
            assert_eq!(size.to_string(), printed);
            assert_eq!(printed.parse::<Size>().unwrap(), size);
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (text, part) in [
            ("512", "has no unit"),
            ("MiB", "is not a size"),
            ("512  MiB", "unknown unit"),
            ("512 mib", "unknown unit"),
            ("0.5 GiB", "unknown unit"),
            ("1025 GiB", "larger than"),
            ("18446744073709551616 B", "larger than"),
        ] {
            let error = text.parse::<Size>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
