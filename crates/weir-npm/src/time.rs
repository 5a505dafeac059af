//! Publish times.

use jiff::Timestamp;

/// Reads a time as registries write it: `2020-01-02T03:04:05.678Z`, or with an offset such as `+00:00`
/// (PROTOCOL 3.14), with or without a fraction of a second.
///
/// The form is exact, because what clients cannot read they treat as no time at all, and then take the
/// newest version (PROTOCOL 3.2): a lenient reader here would hide that.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    if is_exact(text.as_bytes()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Writes a time as npm does: UTC with milliseconds.
#[must_use]
pub fn format(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `dddd-dd-ddTdd:dd:dd[.d+](Z|[+-]dd:dd)`, without the leap second that JavaScript refuses.
fn is_exact(text: &[u8]) -> bool {
    let matches = |bytes: &[u8], pattern: &[u8]| {
        bytes.len() == pattern.len()
            && bytes.iter().zip(pattern).all(|(byte, want)| match want {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let Some((date, rest)) = text.split_at_checked(19) else {
        return false;
    };
    if !matches(date, b"dddd-dd-ddTdd:dd:dd") || date.ends_with(b"60") {
        return false;
    }
    let zone = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            fraction.split_at(digits).1
        }
        None => rest,
    };
    zone == b"Z" || matches(zone, b"+dd:dd") || matches(zone, b"-dd:dd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_registries_write() {
        for (text, want) in [
            ("2020-01-02T03:04:05.678Z", "2020-01-02T03:04:05.678Z"),
            ("2020-01-02T03:04:05Z", "2020-01-02T03:04:05.000Z"),
            (
                "2025-11-17T10:20:30.123456+00:00",
                "2025-11-17T10:20:30.123Z",
            ),
            ("2025-11-17T10:20:30+02:00", "2025-11-17T08:20:30.000Z"),
            ("2010-12-29T19:38:25.450-00:30", "2010-12-29T20:08:25.450Z"),
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            "2020",
            "2020-01-02",
            "2020-01-02T03:04:05",
            "2020-01-02 03:04:05Z",
            "2020-01-02t03:04:05Z",
            "2020-01-02T03:04:05z",
            "2020-13-02T03:04:05Z",
            "2020-02-30T03:04:05Z",
            "2020-01-02T25:04:05Z",
            "2020-01-02T03:04:60Z",
            "2020-01-02T03:04:05.Z",
            "2020-01-02T03:04:05.1234567890Z",
            "1577934245",
            "2020-01-02T03:04:05Z[UTC]",
            "2020-01-02T03:04:05+0000",
            "+02020-01-02T03:04:05Z",
            "2020-01-02T03:04:05+99:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
