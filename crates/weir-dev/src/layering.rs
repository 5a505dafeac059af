//! `cargo dev layering`: imports between crates point one way.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::{files, programs};

/// `layers.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layers {
    /// Crates from top to bottom; those of one layer do not import each other.
    order: Vec<Vec<String>>,
    /// Crates for tests only, with what of ours they may import.
    development: BTreeMap<String, Vec<String>>,
    /// Crates that nothing imports, with what they are for.
    tooling: BTreeMap<String, String>,
    /// Beginnings of the names of dependencies, with the one crate that may have them.
    fenced: BTreeMap<String, String>,
}

/// The part of `cargo metadata` that matters here.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// Absent for ordinary dependencies, else `dev` or `build`.
    kind: Option<String>,
}

impl Layers {
    /// The layer of a crate, 0 at the top.
    fn layer(&self, name: &str) -> Option<usize> {
        self.order
            .iter()
            .position(|layer| layer.iter().any(|member| member == name))
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.order
            .iter()
            .flatten()
            .chain(self.development.keys())
            .chain(self.tooling.keys())
    }
}

pub(crate) fn run() -> anyhow::Result<()> {
    let root = files::root();
    let layers =
        std::fs::read_to_string(root.join("layers.toml")).context("reading layers.toml")?;
    let layers: Layers = toml::from_str(&layers).context("layers.toml")?;
    let metadata =
        programs::cargo_output(&["metadata", "--format-version=1", "--no-deps", "--locked"])?;
    let metadata: Metadata = serde_json::from_slice(&metadata).context("cargo metadata")?;
    let problems = problems(&layers, &metadata);
    if problems.is_empty() {
        return Ok(());
    }
    bail!("layers.toml is not kept:\n  {}", problems.join("\n  "))
}

/// Everything that breaks the rules, one sentence each.
fn problems(layers: &Layers, metadata: &Metadata) -> Vec<String> {
    let ours: BTreeSet<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut problems: Vec<String> = layers
        .names()
        .filter(|name| !ours.contains(name.as_str()))
        .map(|name| format!("{name} is in layers.toml, but not in the workspace"))
        .collect();
    for package in &metadata.packages {
        if !layers.names().any(|name| *name == package.name) {
            problems.push(format!("{} is not in layers.toml", package.name));
            continue;
        }
        for dependency in &package.dependencies {
            problems.extend(fence(layers, package, dependency));
            if ours.contains(dependency.name.as_str()) {
                problems.extend(import(layers, package, dependency));
            }
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// A dependency that belongs behind another crate.
fn fence(layers: &Layers, package: &Package, dependency: &Dependency) -> Option<String> {
    let (_, keeper) = layers.fenced.iter().find(|(prefix, _)| {
        let name = dependency.name.strip_prefix(prefix.as_str());
        name.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    })?;
    (*keeper != package.name).then(|| {
        format!(
            "{} depends on {}, which only {keeper} may",
            package.name, dependency.name
        )
    })
}

/// An import between two of our crates that points the wrong way.
fn import(layers: &Layers, package: &Package, dependency: &Dependency) -> Option<String> {
    let (from, to) = (package.name.as_str(), dependency.name.as_str());
    if layers.tooling.contains_key(to) {
        return Some(format!("{from} imports {to}, which nothing may"));
    }
    if layers.tooling.contains_key(from) {
        return None;
    }
    if let Some(allowed) = layers.development.get(from) {
        return (!allowed.iter().any(|name| name == to))
            .then(|| format!("{from} imports {to}, which is not listed for it"));
    }
    if layers.development.contains_key(to) {
        return (dependency.kind.as_deref() != Some("dev"))
            .then(|| format!("{from} imports {to} outside of tests"));
    }
    (layers.layer(to) <= layers.layer(from))
        .then(|| format!("{from} imports {to}, which is not below it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> Layers {
        toml::from_str(
            r#"
            order = [["top"], ["left", "right"], ["bottom"]]
            [development]
            testing = ["bottom"]
            [tooling]
            tool = "a tool"
            [fenced]
            oxc = "bottom"
            "#,
        )
        .unwrap()
    }

    /// What is wrong when one more dependency is added to a workspace in which all is well.
    fn with(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let all = ["top", "left", "right", "bottom", "testing", "tool"];
        let mut packages: Vec<Package> = all
            .into_iter()
            .map(|name| Package {
                name: name.to_owned(),
                dependencies: Vec::new(),
            })
            .collect();
        if !all.contains(&from) {
            packages.push(Package {
                name: from.to_owned(),
                dependencies: Vec::new(),
            });
        }
        for package in &mut packages {
            if package.name == from {
                package.dependencies.push(Dependency {
                    name: to.to_owned(),
                    kind: kind.map(str::to_owned),
                });
            }
        }
        problems(&layers(), &Metadata { packages })
    }

    #[test]
    fn imports_point_down() {
        assert_eq!(with("top", "bottom", None), [""; 0]);
        assert_eq!(with("left", "bottom", Some("dev")), [""; 0]);
        assert_eq!(
            with("bottom", "top", None),
            ["bottom imports top, which is not below it"]
        );
        assert_eq!(
            with("left", "right", Some("dev")),
            ["left imports right, which is not below it"]
        );
        assert_eq!(
            with("left", "left", Some("build")),
            ["left imports left, which is not below it"]
        );
    }

    #[test]
    fn crates_for_tests_and_tooling_stay_out() {
        assert_eq!(with("left", "testing", Some("dev")), [""; 0]);
        assert_eq!(
            with("left", "testing", None),
            ["left imports testing outside of tests"]
        );
        assert_eq!(with("testing", "bottom", None), [""; 0]);
        assert_eq!(
            with("testing", "top", None),
            ["testing imports top, which is not listed for it"]
        );
        assert_eq!(with("tool", "top", None), [""; 0]);
        assert_eq!(with("tool", "testing", None), [""; 0]);
        assert_eq!(
            with("top", "tool", Some("dev")),
            ["top imports tool, which nothing may"]
        );
    }

    #[test]
    fn heavy_dependencies_stay_behind_their_crate() {
        assert_eq!(with("bottom", "oxc_parser", None), [""; 0]);
        assert_eq!(
            with("left", "oxc_parser", Some("dev")),
            ["left depends on oxc_parser, which only bottom may"]
        );
        assert_eq!(with("left", "oxcart", None), [""; 0]);
    }

    #[test]
    fn unknown_crates_are_refused() {
        assert_eq!(
            with("stranger", "bottom", None),
            ["stranger is not in layers.toml"]
        );
        let mut layers = layers();
        layers.order.push(vec!["gone".to_owned()]);
        let metadata = Metadata {
            packages: Vec::new(),
        };
        assert!(
            problems(&layers, &metadata)
                .contains(&"gone is in layers.toml, but not in the workspace".to_owned())
        );
    }
}
