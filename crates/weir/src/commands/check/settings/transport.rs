//! Whether requests can be answered by somebody else: certificates that are not checked, and plain HTTP.

use weir_npm::settings::Setting;

use super::{Judge, PLAIN_REGISTRY, TLS_OFF, WEAK};
use crate::commands::check::client::File;

pub(super) fn check(judge: &mut Judge<'_>) {
    let files = judge.files;
    let all = [
        &files.npmrc,
        &files.yarnrc,
        &files.yarnrc_yml,
        &files.pnpm,
        &files.bunfig,
        &files.package,
    ];
    for file in all {
        for setting in file.iter() {
            one(judge, file, setting);
        }
    }
}

fn one(judge: &mut Judge<'_>, file: &File, setting: &Setting) {
    let is_manifest = file.name == Some("package.json");
    let Some(last) = setting.key.last().map(String::as_str) else {
        return;
    };
    let off = match last {
        "strict-ssl" | "strictSsl" | "enableStrictSsl" => setting.is_off(),
        // Node's own switch, as a variable in settings that can set variables.
        "NODE_TLS_REJECT_UNAUTHORIZED" => setting.text() == Some("0"),
        _ => false,
    };
    if off && !is_manifest {
        judge.says(&TLS_OFF, file, setting, "certificates are not checked");
    }
    let of_whitelist = setting
        .key
        .first()
        .is_some_and(|key| key == "unsafeHttpWhitelist");
    if of_whitelist && setting.text().is_some() {
        judge.says(&WEAK, file, setting, "is fetched from without encryption");
    }
    let names_registry = is_manifest_registry(setting)
        || (!is_manifest && setting.key.iter().any(|key| is_registry(key)));
    if names_registry && setting.text().is_some_and(is_plain) {
        judge.says(
            &PLAIN_REGISTRY,
            file,
            setting,
            "is asked without encryption",
        );
    }
}

/// Keys that hold a registry's address: `registry`, `@scope:registry`, `npmRegistryServer`, and in
/// `bunfig.toml` and `pnpm-workspace.yaml` the members of `scopes` and `registries`.
fn is_registry(key: &str) -> bool {
    key == "registry"
        || key.ends_with(":registry")
        || matches!(key, "npmRegistryServer" | "registries" | "scopes")
}

/// `publishConfig.registry` is where the project's own packages go, with credentials.
fn is_manifest_registry(setting: &Setting) -> bool {
    setting.key == ["publishConfig", "registry"]
}

/// Whether an address is plain HTTP to another machine.
fn is_plain(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or(six),
        None => host.split(':').next().unwrap_or(host),
    };
    let loopback = host
        .parse::<std::net::IpAddr>()
        .is_ok_and(|it| it.is_loopback());
    !loopback && host != "localhost" && !host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_other_machines_count() {
        for (url, plain) in [
            ("http://registry.example.invalid/", true),
            ("http://user@registry.example.invalid:80/", true),
            ("http://localhost.example.invalid/", true),
            ("https://registry.example.invalid/", false),
            ("http://localhost:4873/", false),
            ("http://127.0.0.1:4873/", false),
            ("http://[::1]:4873/", false),
            ("${REGISTRY}", false),
        ] {
            assert_eq!(is_plain(url), plain, "{url}");
        }
    }
}
