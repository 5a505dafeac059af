//! Numbers as they are written: as indexes, character codes, keys of a bundle's modules. There are many, and
//! nearly all are whole and short.

use std::ops::Deref;

/// Numbers below this have at most so many digits.
const LIMIT: f64 = 1e9;
const DIGITS: usize = 9;

/// The text of a number.
pub(crate) enum Digits {
    /// A whole number, as digits from some place on.
    Short([u8; DIGITS], usize),
    /// Any other.
    Long(String),
}

impl Digits {
    /// What `value` is as a key of an object, as far as Rust and JavaScript agree on it.
    pub(crate) fn of(value: f64) -> Self {
        let is_whole =
            (0.0..LIMIT).contains(&value) && value.fract() == 0.0 && value.is_sign_positive();
        if !is_whole {
            return Self::Long(value.to_string());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, and between zero and a billion"
        )]
        let mut left = value as u32;
        let mut digits = [b'0'; DIGITS];
        let mut start = DIGITS;
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            start = at;
            *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
            left /= 10;
            if left == 0 {
                break;
            }
        }
        Self::Short(digits, start)
    }
}

impl Deref for Digits {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Short(digits, start) => digits
                .get(*start..)
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Digits;

    #[test]
    fn edges_are_written_like_any_number() {
        for value in [
            0.0,
            -0.0,
            1.0,
            10.0,
            999_999_999.0,
            1e9,
            1e21,
            0.5,
            -3.0,
            f64::NAN,
            f64::INFINITY,
        ] {
            assert_eq!(&*Digits::of(value), value.to_string());
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_written_like_any(value in 0_u32..2_000_000_000) {
            prop_assert_eq!(&*Digits::of(f64::from(value)), value.to_string());
        }
    }
}
