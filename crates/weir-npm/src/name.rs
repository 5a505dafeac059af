//! Package names, as strict as npm is for packages that already exist.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name npm gives to a package, in bytes (names are ASCII). npm only warns about longer old
/// names, none of which is known; the limit also bounds what names cost in paths and keys.
pub const MAX_LENGTH: usize = 214;

/// Names npm refuses whatever their form, because they collide with paths of their own.
const RESERVED: [&str; 2] = ["node_modules", "favicon.ico"];

/// Why a text is not a package name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text, or one half of a scoped name, is empty.
    #[error("a package name cannot be empty")]
    Empty,
    /// Longer than [`MAX_LENGTH`].
    #[error("a package name cannot be longer than 214 characters")]
    TooLong,
    /// Starts with a period or an underscore.
    #[error("a package name cannot start with a period or an underscore")]
    Start,
    /// Holds a character that a URL would have to escape, or more than one slash.
    #[error("a package name can only hold URL-friendly characters")]
    Character,
    /// `node_modules` or `favicon.ico`.
    #[error("this name is reserved")]
    Reserved,
    /// A percent escape in a request path that does not decode to text.
    #[error("malformed percent escape in a package path")]
    Escape,
}

/// The name of a package: `n` or `@s/n`.
///
/// The rules are those npm applies to existing packages (validate-npm-package-name,
/// `validForOldPackages`), so capitals and `~'!()*` are allowed. One rule is ours: a scope cannot start
/// with a period, which no npm account name does, and which would read as a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(Arc<str>);

impl PackageName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`NameError`] when npm would refuse the name even for a package that already exists.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text)?;
        Ok(Self(text.into()))
    }

    /// The whole name, `@s/n` or `n`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scope without its `@`, if the name has one.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        let (scope, _) = self.0.strip_prefix('@')?.split_once('/')?;
        Some(scope)
    }

    /// The name without its scope.
    #[must_use]
    pub fn base(&self) -> &str {
        match self.0.split_once('/') {
            Some((_, base)) => base,
            None => &self.0,
        }
    }

    /// The name as one path segment of a registry URL: `@s%2fn` or `n`.
    #[must_use]
    pub fn to_url_segment(&self) -> String {
        self.0.replacen('/', "%2f", 1)
    }
}

/// Reads a name from a request path: `n`, `@s/n`, `@s%2fn` or `@s%2Fn`, without the leading slash
/// (PROTOCOL 3.1). Percent escapes are decoded once.
///
/// # Errors
/// [`NameError::Escape`] for a malformed escape, otherwise as [`PackageName::parse`].
pub fn from_url_path(path: &str) -> Result<PackageName, NameError> {
    if !path.contains('%') {
        return PackageName::parse(path);
    }
    // Three characters per escaped one; anything longer cannot decode to a name.
    if path.len() > 3 * MAX_LENGTH {
        return Err(NameError::TooLong);
    }
    PackageName::parse(&percent_decode(path).ok_or(NameError::Escape)?)
}

/// Decodes percent escapes once. `None` when an escape is malformed or the result is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_LENGTH {
        return Err(NameError::TooLong);
    }
    if RESERVED.iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Err(NameError::Reserved);
    }
    let Some(scoped) = text.strip_prefix('@') else {
        // A hyphen is fine: `-` itself is among the most downloaded packages.
        if text.starts_with(['.', '_']) {
            return Err(NameError::Start);
        }
        return check_part(text);
    };
    let (scope, base) = scoped.split_once('/').ok_or(NameError::Character)?;
    check_part(scope)?;
    check_part(base)?;
    if scope.starts_with('.') || base.starts_with('.') {
        return Err(NameError::Start);
    }
    Ok(())
}

/// The characters `encodeURIComponent` leaves alone.
fn check_part(part: &str) -> Result<(), NameError> {
    if part.is_empty() {
        return Err(NameError::Empty);
    }
    let friendly = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    if part.bytes().all(friendly) {
        Ok(())
    } else {
        Err(NameError::Character)
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl AsRef<str> for PackageName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for PackageName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for PackageName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PackageName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_exist_are_names() {
        for text in [
            "react",
            "JSONStream",
            "@types/node",
            "lodash.merge",
            "3d-view",
            "a",
            "@a/b",
            "@s/_x",
            "@s/-",
            "@_s/x",
            "jquery.1",
            "underscore_x",
            "shout!",
            "~",
            "!",
            "*",
            "a'b",
            "(x)",
            "@s/node_modules",
            "@A/B",
        ] {
            assert_eq!(
                PackageName::parse(text).map(|n| n.to_string()),
                Ok(text.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_npm_refuses_is_refused() {
        for (text, error) in [
            ("", NameError::Empty),
            (".x", NameError::Start),
            ("_x", NameError::Start),
            ("..", NameError::Start),
            ("@s/..", NameError::Start),
            ("@../x", NameError::Start),
            ("@s", NameError::Character),
            ("@/x", NameError::Empty),
            ("@s/", NameError::Empty),
            ("@s/a/b", NameError::Character),
            ("a/b", NameError::Character),
            (" a", NameError::Character),
            ("a b", NameError::Character),
            ("a%2fb", NameError::Character),
            ("a\\b", NameError::Character),
            ("a\0", NameError::Character),
            ("réact", NameError::Character),
            ("a@1", NameError::Character),
            ("node_modules", NameError::Reserved),
            ("Favicon.ico", NameError::Reserved),
        ] {
            assert_eq!(PackageName::parse(text), Err(error), "{text}");
        }
        assert!(PackageName::parse(&"a".repeat(214)).is_ok());
        assert_eq!(
            PackageName::parse(&"a".repeat(215)),
            Err(NameError::TooLong)
        );
    }

    #[test]
    fn halves_of_a_name() {
        let scoped = PackageName::parse("@s/n").unwrap();
        assert_eq!(
            (scoped.scope(), scoped.base(), scoped.to_url_segment()),
            (Some("s"), "n", "@s%2fn".to_owned())
        );
        let plain = PackageName::parse("n").unwrap();
        assert_eq!(
            (plain.scope(), plain.base(), plain.to_url_segment()),
            (None, "n", "n".to_owned())
        );
    }

    #[test]
    fn every_way_clients_write_a_scoped_path() {
        for path in ["@s/n", "@s%2fn", "@s%2Fn", "%40s%2fn", "%40s/n"] {
            assert_eq!(from_url_path(path).unwrap().as_str(), "@s/n", "{path}");
        }
        for path in [
            "@s%252fn",
            "@s%2",
            "@s%zz",
            "%ff",
            "a%00",
            "%2e%2e",
            "@s%2f..%2fx",
            "@s%2f%2e%2e",
        ] {
            assert!(from_url_path(path).is_err(), "{path}");
        }
        assert_eq!(from_url_path(&"%41".repeat(300)), Err(NameError::TooLong));
    }
}
