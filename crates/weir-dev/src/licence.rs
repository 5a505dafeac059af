//! SPDX licence expressions, as far as crates use them: `OR`, `AND`, `WITH`, parentheses, and the
//! slash that old crates write for `OR`.

/// Whether an expression can be satisfied with licences of a list.
///
/// `Err` says what is wrong with an expression that cannot be read.
pub(crate) fn is_satisfied(expression: &str, allowed: &[String]) -> Result<bool, String> {
    let words = words(expression);
    let mut reader = Reader {
        words: &words,
        allowed,
    };
    let satisfied = reader.any()?;
    match reader.words.first() {
        None => Ok(satisfied),
        Some(word) => Err(format!("{word:?} is unexpected in {expression:?}")),
    }
}

fn words(expression: &str) -> Vec<String> {
    expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ")
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

struct Reader<'a> {
    words: &'a [String],
    allowed: &'a [String],
}

impl Reader<'_> {
    fn take(&mut self, wanted: &str) -> bool {
        match self.words.split_first() {
            Some((word, rest)) if word == wanted => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    /// Alternatives. All are read, whichever holds, so that mistakes further on are found.
    fn any(&mut self) -> Result<bool, String> {
        let mut satisfied = self.all()?;
        while self.take("OR") {
            satisfied |= self.all()?;
        }
        Ok(satisfied)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Ok(satisfied)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let satisfied = self.any()?;
            return if self.take(")") {
                Ok(satisfied)
            } else {
                Err("a parenthesis is not closed".to_owned())
            };
        }
        let Some((first, rest)) = self.words.split_first() else {
            return Err("it ends where a licence should be".to_owned());
        };
        if matches!(first.as_str(), "OR" | "AND" | "WITH" | ")") {
            return Err(format!("{first:?} where a licence should be"));
        }
        self.words = rest;
        let mut licence = first.clone();
        if self.take("WITH") {
            let Some((exception, rest)) = self.words.split_first() else {
                return Err("it ends where an exception should be".to_owned());
            };
            self.words = rest;
            licence = format!("{licence} WITH {exception}");
        }
        Ok(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_say() {
        let allowed = ["MIT", "Apache-2.0", "Zlib"].map(str::to_owned);
        for (expression, wanted) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT", true),
            ("MIT/GPL-3.0-only", true),
            ("MIT AND ISC", false),
            ("MIT AND (ISC OR Zlib)", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", false),
            ("ISC OR MIT AND Zlib", true),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ] {
            assert_eq!(
                is_satisfied(expression, &allowed),
                Ok(wanted),
                "{expression}"
            );
        }
        for broken in ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "AND", "MIT WITH"] {
            assert!(is_satisfied(broken, &allowed).is_err(), "{broken}");
        }
    }
}
