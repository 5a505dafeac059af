//! Addresses in texts that are shown: logs of jobs, annotations and reports have more readers than the project has.

use std::borrow::Cow;

/// What stands in the place of what is not shown.
const HIDDEN: &str = "***";

/// Parameters of a query that let their bearer in, in lower case and without `-` and `_`.
const TOKENS: [&str; 14] = [
    "token",
    "accesstoken",
    "authtoken",
    "privatetoken",
    "jobtoken",
    "apitoken",
    "apikey",
    "auth",
    "key",
    "secret",
    "password",
    "sig",
    "signature",
    "xamzsignature",
];

/// A text, with no user, no password and no query in the addresses it holds: tokens travel in these. A user that is
/// only called `git`, or one of ssh without a password, is no secret.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(address) = Address::first_in(rest) {
        let Address {
            before,
            user,
            after,
        } = address;
        shown.push_str(before);
        shown.push_str(if is_secret(before, user) {
            "***@"
        } else {
            user
        });
        let end = after.find(is_end).unwrap_or(after.len());
        let (place, beyond) = after.split_at_checked(end).unwrap_or((after, ""));
        let place = place
            .split_once('?')
            .map_or(Cow::Borrowed(place), |(path, query)| {
                let (query, fragment) = match query.find('#') {
                    Some(at) => query.split_at_checked(at).unwrap_or((query, "")),
                    None => (query, ""),
                };
                // What ends a sentence or a list is no part of the address.
                let kept = query.trim_end_matches([',', ';', ':', '.', ')', '`']).len();
                let tail = query.get(kept..).unwrap_or_default();
                Cow::Owned(format!("{path}?{HIDDEN}{tail}{fragment}"))
            });
        shown.push_str(&place);
        rest = beyond;
    }
    if shown.is_empty() {
        return Cow::Borrowed(text);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Whether an address holds what lets its bearer in: a password, a user of http who is not `git`, or a query that
/// names a token.
pub(crate) fn holds_secret(text: &str) -> bool {
    let Some(Address {
        before,
        user,
        after,
    }) = Address::first_in(text)
    else {
        return false;
    };
    let address = after.split('#').next().unwrap_or(after);
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let names_token = query.split('&').any(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = name.replace(['-', '_'], "").to_ascii_lowercase();
        TOKENS.contains(&name.as_str()) && !value.is_empty() && !is_variable(value)
    });
    names_token || (is_secret(before, user) && opens(user))
}

/// Whether a user lets its bearer in: by a password, or as a token in its place. Addresses that hosts show to those
/// who are logged in have the plain name in front.
fn opens(user: &str) -> bool {
    const SHORTEST_TOKEN: usize = 20;
    let user = user.strip_suffix('@').unwrap_or(user);
    match user.split_once(':') {
        Some((_, password)) if !password.is_empty() => !is_variable(password),
        Some((user, _)) => user.len() >= SHORTEST_TOKEN && !is_variable(user),
        None => user.len() >= SHORTEST_TOKEN && !is_variable(user),
    }
}

/// The first address of a text.
struct Address<'t> {
    /// Up to the slashes, with them.
    before: &'t str,
    /// User and password with their `@`, where there are any.
    user: &'t str,
    /// The rest of the text.
    after: &'t str,
}

impl<'t> Address<'t> {
    fn first_in(text: &'t str) -> Option<Self> {
        let is_slash = |it: char| it == '/' || it == '\\';
        let mut colons = text.match_indices(':');
        let start = colons.find_map(|(at, _)| {
            let mut scheme = text.get(..at)?.chars().rev().take(2);
            // A letter alone is a drive of Windows.
            let is_scheme = |it: char| it.is_ascii_alphanumeric();
            let is_scheme =
                scheme.next().is_some_and(is_scheme) && scheme.next().is_some_and(is_scheme);
            let rest = text.get(at + 1..)?;
            let slashes = rest.len() - rest.trim_start_matches(is_slash).len();
            // One is enough for those who read addresses as browsers do.
            (is_scheme && slashes > 0).then_some(at + 1 + slashes)
        })?;
        let (before, rest) = text.split_at_checked(start)?;
        let end = rest.find(|it: char| is_slash(it) || is_end(it) || it == '?' || it == '#');
        let authority = rest.get(..end.unwrap_or(rest.len()))?;
        let user = authority.rfind('@').map_or(0, |at| at + 1);
        let (user, after) = rest.split_at_checked(user)?;
        Some(Self {
            before,
            user,
            after,
        })
    }
}

/// What ends an address in a text.
fn is_end(character: char) -> bool {
    character.is_whitespace() || character == '"'
}

/// Whether what stands in front of a host is to be hidden.
fn is_secret(before: &str, user: &str) -> bool {
    let Some(user) = user.strip_suffix('@') else {
        return false;
    };
    let scheme = before
        .trim_end_matches(['/', '\\', ':'])
        .to_ascii_lowercase();
    let is_path = ["file", "link", "portal"]
        .iter()
        .any(|it| scheme.ends_with(it));
    let is_user_of_ssh = scheme.ends_with("ssh") && !user.contains(':');
    !is_path && !is_user_of_ssh && user != "git" && !user.is_empty()
}

/// Whether a text is the name of a variable that somebody puts in later.
fn is_variable(text: &str) -> bool {
    text.starts_with("${") && text.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_its_bearer_in_is_not_shown() {
        for (text, shown, is_held) in [
            (
                "https://bob:S3@r.example.invalid/a",
                "https://***@r.example.invalid/a",
                true,
            ),
            (
                "comes from git+https://ghp_S3S3S3S3S3S3S3S3@r.example.invalid/a#1",
                "comes from git+https://***@r.example.invalid/a#1",
                true,
            ),
            (
                "a@https://S3@r.example.invalid:8/a",
                "a@https://***@r.example.invalid:8/a",
                false,
            ),
            (
                "HTTPS:\\\\b:S3@r.example.invalid/a",
                "HTTPS:\\\\***@r.example.invalid/a",
                true,
            ),
            (
                "https:/b:S3@r.example.invalid/a",
                "https:/***@r.example.invalid/a",
                true,
            ),
            (
                "ssh://git:S3@r.example.invalid/a",
                "ssh://***@r.example.invalid/a",
                true,
            ),
            (
                "needs x \"git+https://t:S3@r.example.invalid/o/r.git\", and",
                "needs x \"git+https://***@r.example.invalid/o/r.git\", and",
                true,
            ),
            (
                "was https://a:S3@r.example.invalid/a?t=S3, and is https://b:S3@r.example.invalid/b?t=S3#x",
                "was https://***@r.example.invalid/a?***, and is https://***@r.example.invalid/b?***#x",
                true,
            ),
            (
                "https://r.example.invalid/a.tgz?token=S3",
                "https://r.example.invalid/a.tgz?***",
                true,
            ),
            (
                "https://r.example.invalid/a.tgz?X-Amz-Signature=S3&b=1",
                "https://r.example.invalid/a.tgz?***",
                true,
            ),
            // A variable is put in later, and some things only look like it.
            (
                "https://u:${TOKEN}@r.example.invalid/a",
                "https://***@r.example.invalid/a",
                false,
            ),
            (
                "https://r.example.invalid/a.tgz?v=1",
                "https://r.example.invalid/a.tgz?***",
                false,
            ),
            (
                "https://r.example.invalid/@s/a/-/a-1.0.0.tgz",
                "https://r.example.invalid/@s/a/-/a-1.0.0.tgz",
                false,
            ),
            (
                "git+ssh://git@r.example.invalid/a.git#0a",
                "git+ssh://git@r.example.invalid/a.git#0a",
                false,
            ),
            (
                "ssh://deploy@r.example.invalid/a",
                "ssh://deploy@r.example.invalid/a",
                false,
            ),
            (
                "git@r.example.invalid:o/r.git",
                "git@r.example.invalid:o/r.git",
                false,
            ),
            ("npm:other@1.0.0, is it?", "npm:other@1.0.0, is it?", false),
            ("file:/a@b/c", "file:/a@b/c", false),
            ("C:\\a@b\\c", "C:\\a@b\\c", false),
            ("file:../a@b/c?", "file:../a@b/c?", false),
            ("", "", false),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert_eq!(holds_secret(text), is_held, "{text}");
        }
    }
}
