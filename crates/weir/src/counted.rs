//! Numbers in sentences.

use std::fmt::Display;

/// `1 package`, `3 packages`.
pub(crate) fn counted<N: Display + PartialEq + From<u8>>(
    number: N,
    one: &str,
    many: &str,
) -> String {
    let word = if number == N::from(1) { one } else { many };
    format!("{number} {word}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_one() {
        let packages = |number: usize| counted(number, "package", "packages");
        assert_eq!(
            [0, 1, 2].map(packages),
            ["0 packages", "1 package", "2 packages"]
        );
    }
}
