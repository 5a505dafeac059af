//! Numbers in tar headers, read as npm's extractor reads them.

/// The largest integer npm's extractor represents (2^53 - 1); beyond it the header is skipped.
const MAX_SAFE: u128 = (1 << 53) - 1;

/// A numeric field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// Nothing but padding.
    Empty,
    /// Octal digits, perhaps after spaces, then zero bytes and spaces only.
    Octal(u64),
    /// The GNU extension for numbers that octal digits have no room for.
    Base256(u64),
    /// Below zero.
    Negative,
    /// Not as it should be; what npm makes of its beginning, if anything.
    Malformed(Option<u64>),
    /// npm gives up on the whole header.
    Unreadable,
}

impl Number {
    pub(crate) fn parse(field: &[u8]) -> Self {
        match field.first() {
            Some(first) if first & 0x80 != 0 => Self::base256(field),
            _ => Self::octal(field),
        }
    }

    /// What npm's extractor takes it for.
    pub(crate) fn value(self) -> Option<u64> {
        match self {
            Self::Octal(value) | Self::Base256(value) => Some(value),
            Self::Malformed(value) => value,
            Self::Empty | Self::Negative | Self::Unreadable => None,
        }
    }

    fn octal(field: &[u8]) -> Self {
        let text = field.trim_ascii_start();
        if text.iter().all(|byte| is_padding(*byte)) {
            return if field.iter().all(|byte| is_padding(*byte)) {
                Self::Empty
            } else {
                Self::Malformed(None)
            };
        }
        let (negative, text, signed) = match text.split_first() {
            Some((b'-', rest)) => (true, rest, true),
            Some((b'+', rest)) => (false, rest, true),
            _ => (false, text, false),
        };
        let digits = text
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'7'))
            .count();
        let (digits, rest) = text.split_at_checked(digits).unwrap_or_default();
        if digits.is_empty() {
            return Self::Malformed(None);
        }
        // A field is at most twelve bytes, so this cannot overflow.
        let value = digits.iter().fold(0_u64, |value, digit| {
            value.saturating_mul(8) + u64::from(digit - b'0')
        });
        if negative && value > 0 {
            return Self::Negative;
        }
        let spaces = field
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .all(|byte| *byte == b' ');
        if spaces && !signed && rest.iter().all(|byte| is_padding(*byte)) {
            Self::Octal(value)
        } else {
            Self::Malformed(Some(value))
        }
    }

    fn base256(field: &[u8]) -> Self {
        let (positive, magnitude) = match field.split_first() {
            Some((0x80, rest)) => (true, big_endian(rest)),
            // Two's complement: the magnitude is the inverse plus one.
            Some((0xff, rest)) => {
                let inverse: Vec<u8> = rest.iter().map(|byte| !byte).collect();
                (false, big_endian(&inverse) + 1)
            }
            _ => return Self::Unreadable,
        };
        match u64::try_from(magnitude) {
            Ok(value) if magnitude <= MAX_SAFE => {
                if positive {
                    Self::Base256(value)
                } else {
                    Self::Negative
                }
            }
            _ => Self::Unreadable,
        }
    }
}

fn is_padding(byte: u8) -> bool {
    matches!(byte, 0 | b' ')
}

/// At most eleven bytes.
fn big_endian(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0, |value: u128, byte| (value << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn numbers_are_read_as_npm_reads_them() {
        let cases: &[(&[u8], Number)] = &[
            (b"00000000012\0", Number::Octal(10)),
            (b"         4 \0", Number::Octal(4)),
            (b"777777777777", Number::Octal((1 << 36) - 1)),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", Number::Empty),
            (b"            ", Number::Empty),
            (b"-0000000012\0", Number::Negative),
            (b"+0000000012\0", Number::Malformed(Some(10))),
            (b"\t000000012\0", Number::Malformed(Some(10))),
            (b"00000000018\0", Number::Malformed(Some(1))),
            (b"0000004\0junk", Number::Malformed(Some(4))),
            (b"\0\0\0\0\0\0\0\0\0\0\x004", Number::Malformed(None)),
            (b"size        ", Number::Malformed(None)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Number::Base256(256)),
            (
                b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
                Number::Unreadable,
            ),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0",
                Number::Negative,
            ),
            (b"\x81\0\0\0\0\0\0\0\0\0\0\x01", Number::Unreadable),
        ];
        for (field, expected) in cases {
            assert_eq!(Number::parse(field), *expected, "{field:?}");
        }
    }
}
