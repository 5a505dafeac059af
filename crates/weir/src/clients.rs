//! The five clients: how each is pointed at a gateway, by its environment and, for scopes that no variable can
//! name, by arguments.

mod arguments;
mod doing;
mod past;

pub(crate) use arguments::{IGNORES_WORKSPACE, Said};
pub(crate) use doing::Doing;
pub(crate) use past::{Around, Past, is_by_later_yarn, is_by_shell};

/// A client weir can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// npm.
    Npm,
    /// npx.
    Npx,
    /// pnpm.
    Pnpm,
    /// yarn, classic or berry: which one is decided by the project.
    Yarn,
    /// bun.
    Bun,
}

/// Commands of npm-like clients that change something on a registry or an account. They are for the
/// registry itself and run without weir between.
const WRITING: &[&str] = &[
    "access",
    "adduser",
    "add-user",
    "deprecate",
    "dist-tag",
    "dist-tags",
    "hook",
    "login",
    "logout",
    "org",
    "owner",
    "profile",
    "publish",
    "stage",
    "star",
    "stars",
    "team",
    "token",
    "trust",
    "undeprecate",
    "unpublish",
    "unstar",
    "whoami",
];

/// Those of them that are commands of every client, never a script's name.
const WRITING_EVERYWHERE: &[&str] = &[
    "adduser",
    "deprecate",
    "dist-tag",
    "login",
    "logout",
    "owner",
    "publish",
    "unpublish",
    "whoami",
];

/// Commands that pnpm 10 hands on to npm, less those that write: its own list (10.34). They show something and
/// install nothing.
const HANDED_ON: &[&str] = &[
    "bugs",
    "docs",
    "edit",
    "find",
    "home",
    "info",
    "issues",
    "ping",
    "pkg",
    "prefix",
    "repo",
    "s",
    "se",
    "search",
    "set-script",
    "show",
    "v",
    "version",
    "view",
    "xmas",
];

/// Options without a value that may come before a command.
const PLAIN_OPTIONS: &[&str] = &[
    "--silent",
    "-s",
    "--quiet",
    "-q",
    "--verbose",
    "-d",
    "-dd",
    "-ddd",
    "--json",
    "--yes",
    "-y",
    "--force",
    "-f",
    "--dry-run",
];

impl Client {
    /// The program to run.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Npx => "npx",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
            Self::Bun => "bun",
        }
    }

    /// Whether it is npm or what comes with it.
    pub(crate) const fn is_npm(self) -> bool {
        matches!(self, Self::Npm | Self::Npx)
    }

    /// Whether these arguments ask for something that goes to the registry itself. In doubt they do
    /// not: `--prefix team ci` is an install in a folder called `team`.
    pub(crate) fn writes(self, arguments: &[String]) -> bool {
        let Some(first) = arguments.iter().position(|word| !word.starts_with('-')) else {
            return false;
        };
        let (options, words) = arguments.split_at(first);
        let takes_value =
            |option: &String| !option.contains('=') && !PLAIN_OPTIONS.contains(&option.as_str());
        if options.iter().any(takes_value) {
            return false;
        }
        let word = |index: usize| words.get(index).map(String::as_str);
        let (word, writing) = match (self, word(0)) {
            (Self::Npx, _) => return false,
            (Self::Npm, word) => (word, WRITING),
            // yarn berry: `yarn npm publish`; bun: `bun pm whoami`.
            (Self::Yarn, Some("npm")) | (Self::Bun, Some("pm")) => (word(1), WRITING),
            // Other words may be scripts of the project here.
            (_, word) => (word, WRITING_EVERYWHERE),
        };
        word.is_some_and(|word| writing.contains(&word))
    }

    /// Variables that are nobody's for the run but weir's, whether it sets them or not.
    pub(crate) const TAKEN: &[&str] = &["yarn_registry"];

    /// The environment that points the client at a gateway, and every other one that it starts: a script of
    /// `npm run` may well call pnpm.
    pub(crate) fn environment(self, way: &Way<'_>) -> Vec<(String, String)> {
        let gateway = way.gateway;
        let mut set: Vec<(String, String)> = Vec::new();
        let mut put = |name: &str, value: &str| set.push((name.to_owned(), value.to_owned()));
        put("npm_config_registry", gateway);
        // A lockfile names the registry it was made with; npm otherwise goes there (PROTOCOL 3.7).
        put("npm_config_replace_registry_host", way.replaced);
        // Settings come before `NO_PROXY`, and whoever wrote them knew nothing of this gateway.
        put("npm_config_noproxy", &way.direct);
        for scope in way.scopes {
            put(&format!("npm_config_@{scope}:registry"), gateway);
        }
        // pnpm 11 and later read their own prefix only.
        put("pnpm_config_registry", gateway);
        put("pnpm_config_noproxy", &way.direct);
        put("pnpm_config_no_proxy", &way.direct);
        // yarn 1 sets npm's variable inside its scripts by this one. Yarns from 2.0 to 3.5 stop at a variable of
        // theirs that they do not know, and it is one.
        if !way.by_later_yarn {
            put("YARN_REGISTRY", gateway);
        }
        put("YARN_NPM_REGISTRY_SERVER", gateway.trim_end_matches('/'));
        // Berry refuses plain HTTP to hosts it is not told of; this one is loopback.
        put("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1");
        // No yarn leaves a host out of a proxy that its settings name.
        put("YARN_HTTP_PROXY", "");
        put("YARN_HTTPS_PROXY", "");
        put("BUN_CONFIG_REGISTRY", gateway);
        // Where `pnpm` or `yarn` is corepack's, it fetches the client itself, in the version that the project names.
        put("COREPACK_NPM_REGISTRY", gateway.trim_end_matches('/'));
        // npm's own variables, which npm itself takes amiss or to heart: for whom they are meant, and where they
        // are needed. One inside a script then asks the proxy, which is no silent way.
        match self {
            Self::Pnpm if way.is_proxied => put("npm_config_no_proxy", &way.direct),
            Self::Yarn if way.is_proxied => {
                put("npm_config_proxy", "false");
                put("npm_config_https_proxy", "false");
            }
            Self::Npm | Self::Npx | Self::Pnpm | Self::Yarn | Self::Bun => {}
        }
        set
    }

    /// Arguments that point scopes at the gateway where variables may not, to come before all others: pnpm 11
    /// and later read none for scopes (10 takes the argument, too), npm reads `-` for `_` in them, and a client
    /// that a script of `sh` starts never sees one with `@` in its name. pnpm 10 hands some commands on to npm,
    /// by its first argument and only that: nothing may stand before them.
    pub(crate) fn leading(self, way: &Way<'_>, arguments: &[String]) -> Vec<String> {
        if self.hands_on(arguments) {
            return Vec::new();
        }
        let option = match self {
            Self::Npm | Self::Npx => "--",
            Self::Pnpm => "--config.",
            Self::Yarn | Self::Bun => return Vec::new(),
        };
        let scopes = way.scopes.iter();
        scopes
            .map(|scope| format!("{option}@{scope}:registry={}", way.gateway))
            .collect()
    }

    /// Whether pnpm 10 hands this on to npm.
    pub(crate) fn hands_on(self, arguments: &[String]) -> bool {
        let first = arguments.first().map(String::as_str);
        self == Self::Pnpm && first.is_some_and(|word| HANDED_ON.contains(&word))
    }

    /// What `NO_PROXY` has to hold so that a configured proxy is not asked for loopback.
    pub(crate) fn no_proxy(current: Option<&str>) -> String {
        match current.filter(|value| !value.is_empty()) {
            Some(current) => format!("{current},127.0.0.1"),
            None => "127.0.0.1".to_owned(),
        }
    }
}

/// The way to a gateway.
#[derive(Debug)]
pub(crate) struct Way<'a> {
    /// Its address, with a final slash.
    pub gateway: &'a str,
    /// The scopes (without `@`) that the user's configuration sends to registries of their own: they have to
    /// come to the gateway too.
    pub scopes: &'a [String],
    /// The host in a lockfile's addresses whose place the gateway takes, or `always`.
    pub replaced: &'a str,
    /// The hosts that are reached without a proxy, the gateway's among them, with commas between.
    pub direct: String,
    /// Whether npm's settings name a proxy.
    pub is_proxied: bool,
    /// Whether the project is one of yarn 2 or later, which no yarn 1 works in.
    pub by_later_yarn: bool,
}

/// A variable's name in the one spelling for all that clients take for the same: `NPM_CONFIG_REGISTRY` and
/// `npm_config_registry` are one setting, and which of them counts depends on their order.
pub(crate) fn one_spelling(variable: &str) -> String {
    variable.to_ascii_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn publishing_goes_to_the_registry_itself() {
        for (client, line, expected) in [
            (Client::Npm, "publish --tag next", true),
            (Client::Npm, "--loglevel=warn whoami", true),
            (Client::Npm, "install publish", false),
            (Client::Npm, "ci", false),
            (Client::Yarn, "npm publish", true),
            (Client::Yarn, "npm audit", false),
            (Client::Bun, "pm whoami", true),
            (Client::Npx, "publish", false),
            (Client::Npm, "--prefix team ci", false),
            (Client::Npm, "-w hook install left-lib", false),
            (Client::Npm, "--json whoami", true),
            (Client::Yarn, "stage", false),
            (Client::Pnpm, "publish", true),
        ] {
            assert_eq!(client.writes(&words(line)), expected, "{client:?} {line}");
        }
    }

    /// Each tried: npm 11, pnpm 10.34 and 12.21, yarn 1.22 and 4.18.
    #[test]
    fn scopes_come_to_the_gateway_by_variables_or_arguments() {
        let gateway = "http://127.0.0.1:4874/";
        let scopes = ["acme".to_owned(), "my_org".to_owned()];
        let way = Way {
            gateway,
            scopes: &scopes,
            replaced: "always",
            direct: "corp.example,127.0.0.1".to_owned(),
            is_proxied: true,
            by_later_yarn: false,
        };
        for (client, leading) in [
            (
                Client::Npm,
                &["--@acme:registry=", "--@my_org:registry="][..],
            ),
            (Client::Npx, &["--@acme:registry=", "--@my_org:registry="]),
            (
                Client::Pnpm,
                &["--config.@acme:registry=", "--config.@my_org:registry="],
            ),
            (Client::Yarn, &[]),
            (Client::Bun, &[]),
        ] {
            let expected: Vec<String> = leading.iter().map(|it| format!("{it}{gateway}")).collect();
            assert_eq!(
                client.leading(&way, &words("add left")),
                expected,
                "{client:?}"
            );
            let set = client.environment(&way);
            let value = |name: &str| set.iter().find(|(it, _)| it == name).map(|(_, it)| &**it);
            assert_eq!(value("npm_config_registry"), Some(gateway));
            assert_eq!(value("npm_config_@acme:registry"), Some(gateway));
            assert_eq!(value("npm_config_noproxy"), Some("corp.example,127.0.0.1"));
            let is_yarn = client == Client::Yarn;
            assert_eq!(value("npm_config_proxy").is_some(), is_yarn);
            let is_pnpm = client == Client::Pnpm;
            assert_eq!(value("npm_config_no_proxy").is_some(), is_pnpm);
            // What it starts may be any other.
            for name in [
                "pnpm_config_registry",
                "YARN_REGISTRY",
                "BUN_CONFIG_REGISTRY",
            ] {
                assert_eq!(value(name), Some(gateway), "{client:?}");
            }
            for name in ["YARN_NPM_REGISTRY_SERVER", "COREPACK_NPM_REGISTRY"] {
                assert_eq!(value(name), Some("http://127.0.0.1:4874"), "{client:?}");
            }
        }
    }

    /// pnpm 10 knows those it hands on by its first argument; npm warns of a variable that it does not know.
    #[test]
    fn what_pnpm_hands_on_to_npm_is_left_as_it_is() {
        let scopes = ["acme".to_owned()];
        let way = Way {
            gateway: "http://127.0.0.1:4874/",
            scopes: &scopes,
            replaced: "always",
            direct: "127.0.0.1".to_owned(),
            is_proxied: false,
            by_later_yarn: true,
        };
        for line in ["view @acme/left", "version patch", "pkg get name"] {
            let leading = Client::Pnpm.leading(&way, &words(line));
            assert!(leading.is_empty(), "{line}");
        }
        for line in ["-r version", "run view", "install view"] {
            assert_eq!(Client::Pnpm.leading(&way, &words(line)).len(), 1, "{line}");
        }
        let set = Client::Pnpm.environment(&way);
        assert!(set.iter().all(|(name, _)| name != "npm_config_no_proxy"));
        // Yarns before 3.6 stop at it, in a script of any client.
        assert!(set.iter().all(|(name, _)| name != "YARN_REGISTRY"));
    }

    #[test]
    fn spellings_of_one_variable_are_one() {
        for name in ["NPM_CONFIG_REGISTRY", "npm_config_registry"] {
            assert_eq!(one_spelling(name), "npm_config_registry");
        }
        assert_eq!(
            one_spelling("NPM_CONFIG_replace-registry-host"),
            "npm_config_replace_registry_host"
        );
    }
}
