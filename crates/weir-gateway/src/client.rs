//! Which client asks, as far as that changes the answer.

use http::HeaderMap;
use http::header::USER_AGENT;

/// How held versions appear in a packument (PROTOCOL 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Variant {
    /// Left out: for clients that pick a held version and then fail.
    Hidden,
    /// Listed, marked with the reason, and refused at the tarball: for clients that fall back to
    /// another version inside the range and show the mark for an exact pin.
    Listed,
}

impl Variant {
    /// The variant for a user agent. Clients that do not say who they are (yarn 2 and later call
    /// themselves `got`) get the listed form, which they handle (PROTOCOL 3.5, results per client).
    #[must_use]
    pub(crate) fn for_agent(agent: &str) -> Self {
        let Some((name, rest)) = agent.split_once('/') else {
            return Self::Listed;
        };
        let mut numbers = rest
            .split(|c: char| !c.is_ascii_digit())
            .map(str::parse::<u32>);
        let major = numbers.next().and_then(Result::ok);
        let minor = numbers.next().and_then(Result::ok);
        let hidden = match name {
            // pnpm up to 10 turns a direct range into a preferred version and skips its own fallback.
            "pnpm" => major.is_some_and(|major| major <= 10),
            "yarn" => major == Some(1),
            "Bun" => matches!((major, minor), (Some(0), _) | (Some(1), Some(0..=3))),
            _ => false,
        };
        if hidden { Self::Hidden } else { Self::Listed }
    }
}

/// The user agent as a client sent it, or `-`.
#[must_use]
pub(crate) fn agent(headers: &HeaderMap) -> &str {
    headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::Variant::{self, Hidden, Listed};

    #[test]
    fn each_client_gets_the_form_it_handles() {
        for (agent, variant) in [
            (
                "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false",
                Listed,
            ),
            ("npm/8.19.4 node/v16.20.2 linux x64", Listed),
            ("pnpm/10.12.1 npm/? node/v20.20.2 linux x64", Hidden),
            ("pnpm/8.15.9 npm/? node/v20.20.2 linux x64", Hidden),
            ("pnpm/11.0.0 npm/? node/v20.20.2 linux x64", Listed),
            ("pnpm/12.1.0", Listed),
            ("yarn/1.22.22 npm/? node/v20.20.2 linux x64", Hidden),
            ("got (https://github.com/sindresorhus/got)", Listed),
            ("Bun/1.2.23", Hidden),
            ("Bun/1.4.5", Listed),
            ("Bun/2.0.0", Listed),
            ("", Listed),
            ("pnpm/", Listed),
        ] {
            assert_eq!(Variant::for_agent(agent), variant, "{agent}");
        }
    }
}
