//! Lists of digests of content that is known to be malicious, as people exchange them.

use crate::digest::KEPT;

/// Longest list that is read, in bytes: half a million digests.
pub const LIST_BYTES: u64 = 64 << 20;

/// Longest remark that is kept, in characters.
const REMARK: usize = 200;

/// Digits of a SHA-256 digest.
const DIGITS: usize = 64;

/// A digest of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// As [`crate::digest_of`] gives it.
    pub digest: String,
    /// The line, from 1.
    pub line: usize,
    /// What stands behind the digest: a file's name, a reason.
    pub remark: String,
}

/// A line that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadLine {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// The digests of a list, and the lines that are none. One SHA-256 digest a line, in hexadecimal, with or
/// without `sha256:` in front and with anything behind it, as `sha256sum` writes; `#` begins a comment.
#[must_use]
pub fn listed(text: &str) -> (Vec<Listed>, Vec<BadLine>) {
    let mut found = Vec::new();
    let mut bad = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let end = line
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
            .unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        match digest(word) {
            Ok(digest) => found.push(Listed {
                digest,
                line: number,
                remark: remark(rest),
            }),
            Err(why) => bad.push(BadLine { line: number, why }),
        }
    }
    (found, bad)
}

/// Fewest digits by which a digest is found.
const FEWEST: usize = 8;

/// The part of a digest that is kept, from a whole SHA-256 digest, the kept part itself, or its first digits
/// (eight at least); nothing for what is none of them.
#[must_use]
pub fn beginning(word: &str) -> Option<String> {
    let bare = bare(word);
    let is_hexadecimal = bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    match bare.len() {
        _ if !is_hexadecimal => None,
        DIGITS => bare.get(..2 * KEPT).map(str::to_owned),
        FEWEST..=32 => Some(bare),
        _ => None,
    }
}

fn remark(rest: &str) -> String {
    let text =
        rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '*' | '#'));
    weir_model::finding::printable(text.trim_matches('"'), REMARK)
}

/// The digits of a digest, in small letters and without what stands around them.
fn bare(word: &str) -> String {
    let word = word.trim().trim_matches('"').to_ascii_lowercase();
    let bare = word
        .strip_prefix("sha256:")
        .or_else(|| word.strip_prefix("sha256-"));
    bare.unwrap_or(&word).to_owned()
}

/// The part of a digest that is kept.
fn digest(word: &str) -> Result<String, String> {
    let bare = bare(word);
    let is_hexadecimal = bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (is_hexadecimal, bare.len()) {
        (true, DIGITS) => Ok(bare.get(..2 * KEPT).unwrap_or(&bare).to_owned()),
        (true, 32) => {
            Err("32 digits, which looks like MD5: only SHA-256 digests are compared".to_owned())
        }
        (true, 40) => {
            Err("40 digits, which looks like SHA-1: only SHA-256 digests are compared".to_owned())
        }
        (true, 128) => Err(
            "128 digits, which looks like SHA-512: only SHA-256 digests are compared".to_owned(),
        ),
        (true, length) => Err(format!(
            "{length} hexadecimal digits, and a SHA-256 digest has {DIGITS}"
        )),
        (false, _) => Err(format!(
            "{:?} is no SHA-256 digest ({DIGITS} hexadecimal digits)",
            weir_model::finding::printable(word, 80)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest_of;

    const DIGEST: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    #[test]
    fn a_digest_is_found_whole_kept_or_by_its_beginning() {
        let kept = DIGEST.get(..32).unwrap();
        for (word, found) in [
            (DIGEST.to_owned(), Some(kept)),
            (format!("sha256:{}", DIGEST.to_uppercase()), Some(kept)),
            (kept.to_uppercase(), Some(kept)),
            ("2cf24dba".to_owned(), Some("2cf24dba")),
            ("2cf24db".to_owned(), None),
            (format!("{kept}1"), None),
            (format!("{DIGEST}0"), None),
            ("left-library".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(beginning(&word).as_deref(), found, "{word}");
        }
    }

    #[test]
    fn digests_are_read_however_people_write_them() {
        let text = format!(
            "\u{feff}# a list\n\n{DIGEST}  setup.js\nsha256:{} *bundle.js\n\"{DIGEST}\",\"a worm, 2025\"\n{DIGEST}\n",
            DIGEST.to_uppercase()
        );
        let (found, bad) = listed(&text);
        assert_eq!(bad, []);
        let found: Vec<(usize, &str, &str)> = found
            .iter()
            .map(|one| (one.line, one.digest.as_str(), one.remark.as_str()))
            .collect();
        let digest = digest_of(b"hello");
        let digest = digest.as_str();
        assert_eq!(
            found,
            [
                (3, digest, "setup.js"),
                (4, digest, "bundle.js"),
                (5, digest, "a worm, 2025"),
                (6, digest, "")
            ]
        );
    }

    #[test]
    fn lines_that_are_no_digest_are_named() {
        for (line, why) in [
            ("setup.js", "is no SHA-256 digest"),
            ("d41d8cd98f00b204e9800998ecf8427e", "MD5"),
            ("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "SHA-1"),
            ("abcd", "4 hexadecimal digits"),
            ("sha512-AbCd", "is no SHA-256 digest"),
        ] {
            let (found, bad) = listed(&format!("{DIGEST}\n{line}\n"));
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(bad.len(), 1, "{line}");
            let said = bad[0].to_string();
            assert!(said.starts_with("line 2: ") && said.contains(why), "{said}");
        }
    }
}
