//! Whether the project lets a package's install scripts run.

use weir_npm::lockfile::{Format, Node};
use weir_npm::settings::{Said, Setting, Settings};

use super::client::{Client, ClientFiles};

/// What the project's settings make of a package's install scripts, in words that follow "and".
pub(super) fn of(files: &ClientFiles, client: Client, node: &Node) -> String {
    if let Some(setting) = all_off(files, client.format) {
        return format!("none runs: `{setting}`");
    }
    match client.format {
        Format::Npm => npm(files, client, node),
        Format::Pnpm => pnpm(files, client, node),
        Format::YarnClassic => "yarn 1 runs them".to_owned(),
        Format::YarnBerry => berry(files, client, node),
        Format::Bun => bun(files, node),
    }
}

/// The setting that keeps all scripts from running, if one does.
fn all_off(files: &ClientFiles, format: Format) -> Option<&'static str> {
    let on = |settings: &Settings, key: &[&str]| settings.get(key).is_some_and(Setting::is_on);
    let npmrc = on(&files.npmrc, &["ignore-scripts"]).then_some("ignore-scripts");
    match format {
        Format::Npm => npmrc,
        Format::Pnpm => {
            npmrc.or_else(|| on(&files.pnpm, &["ignoreScripts"]).then_some("ignoreScripts"))
        }
        Format::YarnClassic => npmrc.or_else(|| {
            let keys = ["ignore-scripts", "--install.ignore-scripts"];
            keys.into_iter().find(|key| on(&files.yarnrc, &[key]))
        }),
        Format::YarnBerry => None,
        Format::Bun => {
            on(&files.bunfig, &["install", "ignoreScripts"]).then_some("install.ignoreScripts")
        }
    }
}

/// What a list of names says of a package: a list names those that may, a table says which may.
///
/// Versions count: `name@1.0.0 || 1.0.1` is for these only, and of two that fit, the one with a version wins.
fn said(settings: &Settings, list: &[&str], node: &Node) -> Option<bool> {
    let mut found = None;
    let mut is_there = false;
    for setting in settings.under(list) {
        is_there = true;
        let (name, allowed) = match setting.key.get(list.len()) {
            None => continue,
            Some(key) => match (&setting.value, key.parse::<usize>()) {
                (Said::Text(name), Ok(_)) => (name.as_str(), true),
                (Said::Flag(allowed), _) => (key.as_str(), *allowed),
                _ => continue,
            },
        };
        let (exact, fits) = fits(name, node);
        if fits && (exact || found.is_none()) {
            found = Some(allowed);
        }
    }
    match found {
        Some(allowed) => Some(allowed),
        None => is_there.then_some(false),
    }
}

/// Whether an entry is for a package: whether it names versions, and whether it fits.
fn fits(entry: &str, node: &Node) -> (bool, bool) {
    let at = entry
        .char_indices()
        .skip(1)
        .find(|(_, c)| *c == '@')
        .map(|(at, _)| at);
    let Some(at) = at else {
        return (false, entry == node.name);
    };
    let (name, versions) = entry.split_at(at);
    let version = node.version.as_deref().unwrap_or_default();
    let mut versions = versions.trim_start_matches('@').split("||");
    (
        true,
        name == node.name && versions.any(|one| one.trim() == version),
    )
}

fn npm(files: &ClientFiles, client: Client, node: &Node) -> String {
    let enforced = client.since(12, 0) == Some(true)
        || files
            .npmrc
            .get(&["strict-allow-scripts"])
            .is_some_and(Setting::is_on);
    let from = if enforced {
        ""
    } else {
        ", which counts from npm 12 on: earlier ones run them"
    };
    match said(&files.package, &["allowScripts"], node) {
        Some(true) => "`allowScripts` lets them run".to_owned(),
        Some(false) => format!("`allowScripts` does not let them run{from}"),
        None => format!("package.json has no `allowScripts`{from}"),
    }
}

/// pnpm 10.26 brought `allowBuilds`, and pnpm 11 reads nothing else; before 10 all scripts run where no list
/// is.
fn pnpm(files: &ClientFiles, client: Client, node: &Node) -> String {
    if files
        .pnpm
        .get(&["dangerouslyAllowAllBuilds"])
        .is_some_and(Setting::is_on)
    {
        return "`dangerouslyAllowAllBuilds` lets them run".to_owned();
    }
    let newer = client.since(11, 0) == Some(true);
    let never = ["neverBuiltDependencies", "ignoredBuiltDependencies"];
    let (workspace, manifest): (&Settings, &Settings) = (&files.pnpm, &files.package);
    let mut lists = vec![(workspace, vec!["allowBuilds"])];
    if !newer {
        lists.push((workspace, vec!["onlyBuiltDependencies"]));
        lists.push((manifest, vec!["pnpm", "onlyBuiltDependencies"]));
        lists.push((manifest, vec!["pnpm", "allowBuilds"]));
        for key in never {
            for (settings, list) in [
                (&files.pnpm, vec![key]),
                (&files.package, vec!["pnpm", key]),
            ] {
                if said(settings, &list, node) == Some(true) {
                    return format!("`{}` does not let them run", list.join("."));
                }
            }
        }
    }
    for (settings, list) in lists {
        match said(settings, &list, node) {
            Some(true) => return format!("`{}` lets them run", list.join(".")),
            Some(false) => return format!("`{}` does not let them run", list.join(".")),
            None => {}
        }
    }
    match client.since(10, 0) {
        Some(true) => "pnpm does not run what no `allowBuilds` names".to_owned(),
        Some(false) => format!("{} runs them: nothing names those that may", client.label()),
        None => {
            "nothing names those that may: pnpm runs them before 10, and not from 10 on".to_owned()
        }
    }
}

fn berry(files: &ClientFiles, client: Client, node: &Node) -> String {
    let built = files
        .package
        .get(&["dependenciesMeta", &node.name, "built"]);
    let label = node.label();
    let built = built.or_else(|| files.package.get(&["dependenciesMeta", &label, "built"]));
    match built {
        Some(setting) if setting.is_off() => {
            return "`dependenciesMeta` does not let them run".to_owned();
        }
        Some(setting) if setting.is_on() => return "`dependenciesMeta` lets them run".to_owned(),
        _ => {}
    }
    match files.yarnrc_yml.get(&["enableScripts"]) {
        Some(setting) if setting.is_on() => "`enableScripts` lets them run".to_owned(),
        Some(_) => "`enableScripts` does not let them run".to_owned(),
        None => match client.since(4, 14) {
            Some(true) => "yarn does not run what `dependenciesMeta` does not name".to_owned(),
            Some(false) => format!("{} runs them", client.label()),
            None => "yarn runs them before 4.14, and not from 4.14 on".to_owned(),
        },
    }
}

fn bun(files: &ClientFiles, node: &Node) -> String {
    match said(&files.package, &["trustedDependencies"], node) {
        Some(true) => "`trustedDependencies` lets them run".to_owned(),
        Some(false) => "`trustedDependencies` does not let them run".to_owned(),
        None => "bun runs them if they are on its own list".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use weir_npm::lockfile::Lockfile;

    use super::*;

    /// An entry for esbuild 0.25.1, as a lockfile has it.
    fn esbuild() -> Node {
        let text = "esbuild@^0.25.0:\n  version \"0.25.1\"\n";
        let lockfile = Lockfile::parse("yarn.lock", text.as_bytes()).unwrap();
        lockfile.nodes[0].clone()
    }

    #[test]
    fn lists_and_tables_name_packages_and_versions() {
        let node = esbuild();
        for (list, allowed) in [
            ("{}", None),
            ("x: []", Some(false)),
            ("x: [esbuild]", Some(true)),
            ("x: ['esbuild@0.25.1']", Some(true)),
            ("x: ['esbuild@0.24.0 || 0.25.1']", Some(true)),
            ("x: ['esbuild@0.25.2']", Some(false)),
            ("x: [esbuild-wasm]", Some(false)),
            ("x: {esbuild: true}", Some(true)),
            ("x: {esbuild: false}", Some(false)),
            ("x: {esbuild: true, 'esbuild@0.25.1': false}", Some(false)),
            ("x: {'esbuild@0.25.1': false, esbuild: true}", Some(false)),
        ] {
            let settings = Settings::yaml("x", list.as_bytes()).unwrap();
            assert_eq!(said(&settings, &["x"], &node), allowed, "{list}");
        }
    }
}
