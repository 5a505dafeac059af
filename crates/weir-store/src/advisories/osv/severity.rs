//! How bad an OSV record says it is.

use serde::Deserialize;
use serde_json::Value;
use weir_model::FlawSeverity;

/// A score; the schema's types grow, so both are open text.
#[derive(Debug, Deserialize)]
pub(super) struct OsvSeverity {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    score: Value,
}

/// Longest vector that is read. A CVSS v4 vector with everything in it has about 200.
const MAX_VECTOR: usize = 400;

/// The label of the database itself (GitHub's has one).
pub(super) fn label(specific: &Value) -> Option<FlawSeverity> {
    FlawSeverity::named(specific.get("severity")?.as_str()?)
}

/// The vector with the highest score, and the score in tenths. What cannot be read counts for nothing:
/// a record is no less in force for it.
pub(super) fn highest(severities: &[OsvSeverity]) -> Option<(String, u8)> {
    let scored = severities.iter().filter_map(|severity| {
        let kind = severity.kind.as_deref().unwrap_or_default();
        let vector = severity.score.as_str()?;
        (kind.starts_with("CVSS") && vector.len() <= MAX_VECTOR)
            .then(|| Some((vector.to_owned(), tenths(vector)?)))
            .flatten()
    });
    scored.max_by_key(|(_, tenths)| *tenths)
}

/// The score of a vector of CVSS v3.0, v3.1 or v4.0, in tenths.
fn tenths(vector: &str) -> Option<u8> {
    let score = vector.parse::<cvss::Cvss>().ok()?.score();
    let tenths = (score * 10.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what fits"
    )]
    let tenths = tenths.clamp(0.0, 100.0) as u8;
    Some(tenths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_their_published_scores() {
        // Examples of the specifications (FIRST, CVSS v3.1 and v4.0 examples).
        for (vector, want) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(98)),
            ("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", Some(64)),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", Some(31)),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
                Some(100),
            ),
            ("CVSS:9.0/AV:N", None),
            ("", None),
        ] {
            assert_eq!(tenths(vector), want, "{vector}");
        }
    }

    #[test]
    fn the_highest_score_counts_and_unknown_kinds_do_not() {
        let severity = |kind: &str, score: &str| OsvSeverity {
            kind: Some(kind.to_owned()),
            score: score.into(),
        };
        let low = "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N";
        let high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let found = highest(&[
            severity("CVSS_V3", low),
            severity("CVSS_V3", high),
            severity("Ubuntu", "critical"),
        ]);
        assert_eq!(found, Some((high.to_owned(), 98)));
        assert_eq!(highest(&[severity("CVSS_V3", "high")]), None);
        let label = |text: &str| label(&serde_json::json!({ "severity": text }));
        assert_eq!(label("MODERATE"), Some(FlawSeverity::Moderate));
        assert_eq!(label("Medium"), Some(FlawSeverity::Moderate));
        assert_eq!(label("terrible"), None);
    }
}
