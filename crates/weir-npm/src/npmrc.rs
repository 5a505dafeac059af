//! The settings in `.npmrc` files and `npm_config_*` variables that decide where requests go, with which
//! credentials, and what is trusted. Texts and maps come in, answers come out; nothing is read from the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use url::Url;

mod access;
mod guarded;
mod ini;

pub use access::{Access, ClientCertificate, Credentials, Pem, PemSource};
pub use guarded::Vouchers;

/// Settings of npm, layered as npm layers them. Holds secrets: its `Debug` shows keys only.
///
/// Only credentials tied to an address (`//host/path/:_authToken` and its kin) are read. A bare `_auth` or
/// `_authToken` is refused by npm since its version 9 and ignored here: it would go to any registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Npmrc {
    /// An empty list is a setting that was set to `null`: it hides what lower layers say.
    values: BTreeMap<String, Vec<String>>,
    /// Where settings were found, for those who have to change them.
    places: BTreeMap<String, String>,
    /// Variables that were not put into a setting, by its key.
    withheld: BTreeMap<String, Vec<String>>,
    /// Settings of a connection that only a project's own file has, and that do not count.
    ignored: BTreeSet<String>,
    /// The file they are in.
    ignored_in: Option<String>,
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
        let found = Self {
            values,
            ..Self::default()
        };
        found.with_home(env)
    }

    /// Reads the `npm_config_*` variables of an environment. The prefix is matched in any case; `_` becomes
    /// `-` except in keys that are tied to an address, and at the start. If a variable is there in two
    /// spellings, lower case wins.
    #[must_use]
    pub fn from_env(env: &BTreeMap<String, String>) -> Self {
        const PREFIX: &str = "npm_config_";
        let (mut values, mut places) = (BTreeMap::new(), BTreeMap::new());
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
            places.insert(key.clone(), name.clone());
            values.insert(key, value);
        }
        let found = Self {
            values,
            places,
            ..Self::default()
        };
        found.with_home(env)
    }

    /// The same settings, with the place where all of them were found: a file, an option.
    #[must_use]
    pub fn found_in(mut self, place: &str) -> Self {
        let keys = self.values.keys().chain(self.withheld.keys()).cloned();
        self.places = keys.map(|key| (key, place.to_owned())).collect();
        self.ignored_in = (!self.ignored.is_empty()).then(|| place.to_owned());
        self
    }

    /// Where a setting was found: a file, a variable or an option, if that is known.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Option<&str> {
        self.places.get(key).map(String::as_str)
    }

    /// The variables that are named in a setting and were not set: they stand there as they were written.
    #[must_use]
    pub fn unset_in(&self, key: &str) -> Vec<&str> {
        ini::variables(self.get(key).unwrap_or_default())
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
        let mut merged = global;
        for layer in [user, project, env] {
            let is_left = |key: &String| !layer.values.contains_key(key);
            merged.places.retain(|key, _| is_left(key));
            merged.withheld.retain(|key, _| is_left(key));
            merged.ignored.retain(is_left);
            merged.places.extend(layer.places);
            merged.withheld.extend(layer.withheld);
            merged.ignored.extend(layer.ignored);
            merged.ignored_in = layer.ignored_in.or(merged.ignored_in);
            merged.values.extend(layer.values);
        }
        merged
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

    /// What goes along to a URL that belongs to no registry in particular: as [`Self::access_named_by`] with the
    /// default one.
    #[must_use]
    pub fn access_for(&self, url: &str) -> Access {
        self.access_or_of(url, self.registry().as_deref())
    }

    /// What goes along to a URL that `registry` named: what is tied to the longest part of its host and
    /// path, or else, for a URL on the host of `registry`, what is tied to `registry`. So npm has it: tarballs may
    /// lie on another path than the packuments that name them. No other registry's is taken, the default one's
    /// neither.
    ///
    /// Where that is no certificate, `cert` and `key` go to the origin of `registry`. They are tied to no
    /// address, and npm presents them to everybody; weir to the registries that are configured.
    #[must_use]
    pub fn access_named_by(&self, registry: &str, url: &str) -> Access {
        self.access_or_of(url, Some(registry))
    }

    fn access_or_of(&self, url: &str, registry: Option<&str>) -> Access {
        let Some(url) = web_address(url) else {
            return Access::default();
        };
        let registry = registry.and_then(web_address);
        let on_its_host = registry
            .as_ref()
            .filter(|registry| host_and_port(registry) == host_and_port(&url));
        let mut access = self
            .access_at(&url)
            .or_else(|| self.access_at(on_its_host?))
            .unwrap_or_default();
        if access.certificate.is_none()
            && registry.is_some_and(|registry| registry.origin() == url.origin())
        {
            access.certificate = self.certificate_in_settings();
        }
        access
    }

    /// Walks up `//host/path/`, removing by turns a last segment and a last slash, as npm does: keys are
    /// written with and without the slash.
    fn access_at(&self, url: &Url) -> Option<Access> {
        let full = format!("//{}{}", host_and_port(url)?, url.path());
        let mut key = full.as_str();
        while key.len() > 2 {
            if let Some(access) = self.access_by_key(key) {
                return Some(access);
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
