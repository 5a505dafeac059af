//! The settings in `.npmrc` files and `npm_config_*` variables that decide where requests go, with which
//! credentials, and what is trusted. Texts and maps come in, answers come out; nothing is read from the machine.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use url::Url;

mod ini;

/// Settings of npm, layered as npm layers them. Holds secrets: its `Debug` shows keys only.
///
/// Only credentials tied to an address (`//host/path/:_authToken` and its kin) are read. A bare `_auth` or
/// `_authToken` is refused by npm since its version 9 and ignored here: it would go to any registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Npmrc {
    /// An empty list is a setting that was set to `null`: it hides what lower layers say.
    values: BTreeMap<String, Vec<String>>,
}

/// What to send to a registry. `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Bearer(String),
    /// `user:password` in base64.
    Basic(String),
}

impl Credentials {
    /// A token.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self(Kind::Bearer(token.to_owned()))
    }

    /// A user name and a password.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self(Kind::Basic(STANDARD.encode(format!("{user}:{password}"))))
    }

    /// The value of the `authorization` header. Keep it out of logs.
    #[must_use]
    pub fn authorization_header(&self) -> String {
        match &self.0 {
            Kind::Bearer(token) => format!("Bearer {token}"),
            Kind::Basic(encoded) => format!("Basic {encoded}"),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Bearer(_) => "Bearer(redacted)",
            Kind::Basic(_) => "Basic(redacted)",
        })
    }
}

impl fmt::Debug for Npmrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// The keys and values in a text, before anything is replaced in them.
pub(crate) fn pairs(text: &str) -> Vec<(String, Vec<String>)> {
    ini::parse(text)
}

impl Npmrc {
    /// Reads the text of one `.npmrc`. `${NAME}` and `${NAME?}` are replaced from `env`, which is the
    /// process environment or any other map. Nothing in the text is fatal.
    #[must_use]
    pub fn parse(text: &str, env: &BTreeMap<String, String>) -> Self {
        let mut values = BTreeMap::new();
        for (key, value) in ini::parse(text) {
            let key = ini::replace_env(&key, env);
            let value = value
                .into_iter()
                .map(|text| ini::replace_env(text.trim(), env))
                .collect();
            values.insert(key, value);
        }
        Self { values }.with_home(env)
    }

    /// Reads the `npm_config_*` variables of an environment. The prefix is matched in any case; `_` becomes
    /// `-` except in keys that are tied to an address, and at the start. If a variable is there in two
    /// spellings, lower case wins.
    #[must_use]
    pub fn from_env(env: &BTreeMap<String, String>) -> Self {
        const PREFIX: &str = "npm_config_";
        let mut values = BTreeMap::new();
        for (name, value) in env {
            let Some((prefix, key)) = name.split_at_checked(PREFIX.len()) else {
                continue;
            };
            if !prefix.eq_ignore_ascii_case(PREFIX) || value.is_empty() {
                continue;
            }
            let key = ini::replace_env(&normalise_env_key(key), env);
            let value = match value.trim() {
                "null" | "undefined" => Vec::new(),
                text => vec![ini::replace_env(text, env)],
            };
            values.insert(key, value);
        }
        Self { values }.with_home(env)
    }

    /// Whether npm works for the whole machine (`--global`, `--location=global`) and leaves a project's settings out.
    #[must_use]
    pub fn is_global(&self) -> bool {
        let is_on = |value: &str| !matches!(value, "" | "0" | "false");
        self.get("global").is_some_and(is_on) || self.get("location") == Some("global")
    }

    /// These settings over others, which fill in what these leave open.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        Self::merge(self, lower, Self::default(), Self::default())
    }

    /// Layers settings as npm does: environment over project over user over global.
    #[must_use]
    pub fn merge(project: Self, user: Self, global: Self, env: Self) -> Self {
        let mut values = global.values;
        for layer in [user, project, env] {
            values.extend(layer.values);
        }
        Self { values }
    }

    /// A setting as text; the last one of a list. `None` when it is unset or `null`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.last().map(String::as_str)
    }

    /// `registry`, with a trailing slash.
    #[must_use]
    pub fn registry(&self) -> Option<String> {
        self.get("registry")
            .filter(|registry| !registry.is_empty())
            .map(with_slash)
    }

    /// `@scope:registry`, with a trailing slash. `scope` is without its `@`.
    #[must_use]
    pub fn scope_registry(&self, scope: &str) -> Option<String> {
        let registry = self.get(&format!("@{scope}:registry"))?;
        (!registry.is_empty()).then(|| with_slash(registry))
    }

    /// Every scope that has a registry of its own: scope without `@`, and the registry.
    pub fn scope_registries(&self) -> impl Iterator<Item = (&str, String)> {
        self.values.keys().filter_map(|key| {
            let scope = key.strip_prefix('@')?.strip_suffix(":registry")?;
            Some((scope, self.scope_registry(scope)?))
        })
    }

    /// What to send to a URL that belongs to no registry in particular: as [`Self::auth_named_by`] with the
    /// default one.
    #[must_use]
    pub fn auth_for(&self, url: &str) -> Option<Credentials> {
        self.auth_or_of(url, self.registry().as_deref())
    }

    /// What to send to a URL that `registry` named: the credentials tied to the longest part of its host and
    /// path, or else, for a URL on the host of `registry`, those of `registry`. So npm has it: tarballs may lie
    /// on another path than the packuments that name them. No other registry's are taken, the default one's
    /// neither.
    #[must_use]
    pub fn auth_named_by(&self, registry: &str, url: &str) -> Option<Credentials> {
        self.auth_or_of(url, Some(registry))
    }

    fn auth_or_of(&self, url: &str, registry: Option<&str>) -> Option<Credentials> {
        let url = web_address(url)?;
        self.auth_at(&url).or_else(|| {
            let registry = web_address(registry?)?;
            let same_host = host_and_port(&registry) == host_and_port(&url);
            if same_host {
                self.auth_at(&registry)
            } else {
                None
            }
        })
    }

    /// The addresses (`//host/path/`) that a client certificate is set for, each once. weir presents none; who
    /// sets one has to hear of it.
    pub fn client_certificates(&self) -> impl Iterator<Item = &str> {
        let set = |key: &&String| self.get(key).is_some_and(|file| !file.is_empty());
        let keys = self.values.keys().filter(set);
        keys.filter_map(|key| key.strip_suffix(":certfile"))
    }

    /// Walks up `//host/path/`, removing by turns a last segment and a last slash, as npm does: keys are
    /// written with and without the slash.
    fn auth_at(&self, url: &Url) -> Option<Credentials> {
        let full = format!("//{}{}", host_and_port(url)?, url.path());
        let mut key = full.as_str();
        while key.len() > 2 {
            if let Some(credentials) = self.credentials(key) {
                return Some(credentials);
            }
            key = match key.strip_suffix('/') {
                Some(shorter) => shorter,
                None => key
                    .rfind('/')
                    .and_then(|slash| key.get(..=slash))
                    .unwrap_or_default(),
            };
        }
        None
    }

    fn credentials(&self, key: &str) -> Option<Credentials> {
        let field = |name: &str| {
            self.get(&format!("{key}:{name}"))
                .filter(|value| !value.is_empty())
        };
        if let Some(token) = field("_authToken") {
            return Some(Credentials::bearer(token));
        }
        if let Some(encoded) = field("_auth") {
            return Some(Credentials(Kind::Basic(encoded.to_owned())));
        }
        let password = LENIENT.decode(field("_password")?).ok()?;
        Some(Credentials::basic(
            field("username")?,
            &String::from_utf8_lossy(&password),
        ))
    }

    /// `cafile`: path of a file of certificate authorities, `~/` already replaced.
    #[must_use]
    pub fn cafile(&self) -> Option<&str> {
        self.get("cafile").filter(|path| !path.is_empty())
    }

    /// `ca`: certificate authorities in PEM, one per entry.
    #[must_use]
    pub fn ca(&self) -> Vec<String> {
        let values = self.values.get("ca").map(Vec::as_slice).unwrap_or_default();
        // Several in one variable are separated by an empty line; line ends may be written as `\n`.
        let texts = values.iter().flat_map(|text| text.split("\n\n"));
        texts
            .filter(|text| !text.trim().is_empty())
            .map(|text| text.replace("\\n", "\n"))
            .collect()
    }

    /// `strict-ssl`; true unless it is turned off.
    #[must_use]
    pub fn strict_ssl(&self) -> bool {
        self.get("strict-ssl") != Some("false")
    }

    /// `proxy`: for plain HTTP.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.get("proxy")
            .filter(|proxy| !matches!(*proxy, "" | "false"))
    }

    /// `https-proxy`.
    #[must_use]
    pub fn https_proxy(&self) -> Option<&str> {
        self.get("https-proxy")
            .filter(|proxy| !matches!(*proxy, "" | "false"))
    }

    /// `noproxy` (also spelled `no-proxy`): domains that are reached without a proxy.
    #[must_use]
    pub fn noproxy(&self) -> Vec<String> {
        let values = self
            .values
            .get("noproxy")
            .or_else(|| self.values.get("no-proxy"));
        let domains = values
            .into_iter()
            .flatten()
            .flat_map(|text| text.split(','));
        domains
            .map(str::trim)
            .filter(|domain| !domain.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// `replace-registry-host`: `npmjs`, `never`, `always`, a host name or a URL (PROTOCOL 3.7).
    #[must_use]
    pub fn replace_registry_host(&self) -> Option<&str> {
        self.get("replace-registry-host")
    }

    /// Replaces `~/` in paths.
    fn with_home(mut self, env: &BTreeMap<String, String>) -> Self {
        if let Some(home) = env.get("HOME")
            && let Some(path) = self
                .values
                .get_mut("cafile")
                .and_then(|paths| paths.last_mut())
            && let Some(rest) = path.strip_prefix("~/")
        {
            *path = format!("{}/{rest}", home.trim_end_matches('/'));
        }
        self
    }
}

/// Passwords are decoded as Node does, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn normalise_env_key(key: &str) -> String {
    if key.starts_with("//") {
        return key.to_owned();
    }
    let (first, rest) = match key.strip_prefix('_') {
        Some(rest) => ("_", rest),
        None => ("", key),
    };
    format!("{first}{}", rest.replace('_', "-")).to_lowercase()
}

fn with_slash(url: &str) -> String {
    if url.ends_with('/') {
        url.to_owned()
    } else {
        format!("{url}/")
    }
}

fn web_address(url: &str) -> Option<Url> {
    Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// `host` or `host:port`, as JavaScript's `URL.host`.
fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
}

#[cfg(test)]
mod tests;
