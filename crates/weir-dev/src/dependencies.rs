//! `cargo dev dependencies`: what deny.toml says of licences, sources and versions, checked with
//! nothing but cargo. cargo-deny reads the same file and looks at more.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::{files, licence, programs};

/// The part of deny.toml that is checked here.
#[derive(Debug, Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Why; for people.
    reason: String,
    /// Whether one version is fine and only several are not.
    #[serde(default, rename = "deny-multiple-versions")]
    one_version: bool,
}

/// A crate that is really compiled, on this platform, with the features in use.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Used {
    name: String,
    version: String,
    /// A path or address where it does not come from the registry.
    elsewhere: Option<String>,
    licence: String,
}

pub(crate) fn run() -> anyhow::Result<()> {
    let root = files::root();
    let rules = std::fs::read_to_string(root.join("deny.toml")).context("reading deny.toml")?;
    let rules: Rules = toml::from_str(&rules).context("deny.toml")?;
    // Not `cargo metadata`: its graph holds optional crates that no feature in use asks for.
    let tree = programs::cargo_output(&[
        "tree",
        "--workspace",
        "--locked",
        "--edges=normal,build,dev",
        "--prefix=none",
        "--format={p}\t{l}",
    ])?;
    let used = used(&String::from_utf8(tree).context("cargo tree")?)?;
    let root = root.display().to_string();
    let problems = problems(&rules, &used, &root);
    if problems.is_empty() {
        return Ok(());
    }
    bail!("deny.toml is not kept:\n  {}", problems.join("\n  "))
}

/// Reads the output of `cargo tree`: `name v1.2.3 (path or address)`, a tab, the licence.
fn used(tree: &str) -> anyhow::Result<BTreeSet<Used>> {
    let lines = tree.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let line = line.strip_suffix(" (*)").unwrap_or(line);
            let (package, licence) = line
                .split_once('\t')
                .with_context(|| format!("cargo tree printed {line:?}"))?;
            let mut words = package.splitn(3, ' ');
            let (name, version) = words
                .next()
                .zip(words.next().and_then(|word| word.strip_prefix('v')))
                .with_context(|| format!("cargo tree printed {line:?}"))?;
            let notes = words.next().unwrap_or_default();
            let elsewhere = notes
                .split(['(', ')'])
                .map(str::trim)
                .find(|note| !note.is_empty() && *note != "proc-macro");
            Ok(Used {
                name: name.to_owned(),
                version: version.to_owned(),
                elsewhere: elsewhere.map(str::to_owned),
                licence: licence.trim().to_owned(),
            })
        })
        .collect()
}

/// Everything that breaks the rules, one sentence each.
fn problems(rules: &Rules, used: &BTreeSet<Used>, root: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in used {
        let known = versions.entry(&package.name).or_default();
        known.push(&package.version);
        problems.extend(package_problem(rules, package, root));
    }
    for ban in &rules.bans.deny {
        let Some(found) = versions.get(ban.name.as_str()) else {
            continue;
        };
        if !ban.one_version || found.len() > 1 {
            problems.push(format!(
                "{} {}: {}",
                ban.name,
                found.join(" and "),
                ban.reason
            ));
        }
    }
    problems
}

/// What is wrong with one package by itself: where it comes from, or its licence.
fn package_problem(rules: &Rules, package: &Used, root: &str) -> Option<String> {
    let Used { name, version, .. } = package;
    if let Some(elsewhere) = &package.elsewhere {
        // Our own crates need no licence check.
        return (!elsewhere.starts_with(root))
            .then(|| format!("{name} {version} comes from {elsewhere}, not from the registry"));
    }
    match licence::is_satisfied(&package.licence, &rules.licenses.allow) {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "{name} {version}: the licence {:?} is not on the list",
            package.licence
        )),
        Err(why) => Some(format!(
            "{name} {version}: the licence {:?} cannot be read: {why}",
            package.licence
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        toml::from_str(
            r#"
            [licenses]
            allow = ["MIT"]
            [bans]
            deny = [
                { crate = "openssl", reason = "one TLS library" },
                { crate = "tokio", deny-multiple-versions = true, reason = "one runtime" },
            ]
            "#,
        )
        .unwrap()
    }

    fn broken(tree: &str) -> Vec<String> {
        problems(&rules(), &used(tree).unwrap(), "/here")
    }

    #[test]
    fn what_keeps_the_rules_passes() {
        let tree = "ours v0.1.0 (/here/crates/ours)\tEUPL-1.2\n\ntokio v1.0.0\tMIT\n\
                    derive v1.0.0 (proc-macro)\tMIT\ntokio v1.0.0\tMIT (*)\n";
        assert_eq!(broken(tree), [""; 0]);
    }

    #[test]
    fn each_rule_is_checked() {
        assert_eq!(
            broken("a v1.0.0\tGPL-3.0-only\n"),
            ["a 1.0.0: the licence \"GPL-3.0-only\" is not on the list"]
        );
        assert_eq!(
            broken("a v1.0.0 (https://git.example/a#0123)\tMIT\n"),
            ["a 1.0.0 comes from https://git.example/a#0123, not from the registry"]
        );
        assert_eq!(
            broken("openssl v1.0.0\tMIT\n"),
            ["openssl 1.0.0: one TLS library"]
        );
        assert_eq!(
            broken("tokio v1.0.0\tMIT\ntokio v2.0.0\tMIT\n"),
            ["tokio 1.0.0 and 2.0.0: one runtime"]
        );
        assert!(broken("a v1.0.0\t\n")[0].contains("cannot be read"));
        assert!(used("nonsense\n").is_err());
    }
}
