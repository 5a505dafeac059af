//! Whether the address of each entry belongs to a registry in use, and to that name and version. An
//! entry that leads elsewhere, with a digest to match, is how a pull request smuggles code in.

use std::collections::BTreeSet;

use weir_model::json::v1::{CheckFinding, CheckLevel};
use weir_npm::lockfile::{Lockfile, Node, NodeId, Source};
use weir_npm::spec::DependencySpec;

use super::registries::{Registries, Unasked};
use super::url::{Address, normal, without_query};
use super::{Checked, Rule, remote};

const FOREIGN: Rule = Rule {
    id: "foreign-registry",
    level: CheckLevel::Error,
    todo: "find out who changed this entry; a registry that is wanted belongs into .npmrc",
};
const PLAIN_HTTP: Rule = Rule {
    id: "plain-http",
    level: CheckLevel::Error,
    todo: "let the client write the entry anew: the registry is known by https",
};
const OTHER_TARBALL: Rule = Rule {
    id: "other-tarball",
    level: CheckLevel::Error,
    todo: "find out who changed this entry, and let the client write it anew",
};
const UNUSUAL: Rule = Rule {
    id: "unusual-address",
    level: CheckLevel::Warning,
    todo: "could not be checked: an address of a registry in use, but not of the usual form",
};
const ASSUMED: Rule = Rule {
    id: "registry-assumed",
    level: CheckLevel::Warning,
    todo: "run without --offline where the registry in npm's configuration can be reached",
};
/// The same, where it was asked.
const NO_ANSWER: Rule = Rule {
    id: ASSUMED.id,
    level: ASSUMED.level,
    todo: "run it again when the registry in npm's configuration answers",
};
/// The same, where asking npm's registry does not help.
const YARNS_OWN: Rule = Rule {
    id: ASSUMED.id,
    level: ASSUMED.level,
    todo: "name the registry in .yarnrc; --online proves entries by their digests, whatever the address",
};
/// The same, once the digests have been compared.
const PROVEN: Rule = Rule {
    id: ASSUMED.id,
    level: ASSUMED.level,
    todo: "name the registry in .yarnrc, so that it is checked without asking as well",
};

/// What stands before the package's name in the address of a tarball, with a final slash.
pub(super) fn prefix<'u>(name: &str, url: &'u str) -> Option<&'u str> {
    let (before, _) = url.split_once("/-/")?;
    let encoded = |slash: &str| before.strip_suffix(name.replace('/', slash).as_str());
    let prefix = before
        .strip_suffix(name)
        .or_else(|| encoded("%2f"))
        .or_else(|| encoded("%2F"))?;
    prefix.ends_with('/').then_some(prefix)
}

/// Whether a project itself asks for an entry by the very address it has: the package's own name may be any.
pub(super) fn is_asked(
    lockfile: &Lockfile,
    from: NodeId,
    asked: &DependencySpec,
    node: &Node,
) -> bool {
    let by = lockfile.node(from).map(|it| &it.source);
    matches!(by, Some(Source::Project(_))) && is_at(asked, node)
}

/// Whether an entry is fetched from the address that is asked for.
pub(super) fn is_at(asked: &DependencySpec, node: &Node) -> bool {
    match (asked, &node.source) {
        (DependencySpec::Url(asked), Source::Tarball(url) | Source::Registry(Some(url))) => {
            let (asked, at) = (Address::of(asked), Address::of(url));
            // npm and pnpm drop the query.
            asked == at || asked.without_query() == at
        }
        // pnpm takes an address of the registry for the release it is of.
        (DependencySpec::Url(asked), Source::Registry(None)) => {
            let asked = without_query(plain(asked));
            let file = asked.rsplit('/').next();
            let base = node.name.rsplit('/').next().unwrap_or(&node.name);
            let is_file = |version: &String| file == Some(format!("{base}-{version}.tgz").as_str());
            prefix(&node.name, asked).is_some() && node.version.as_ref().is_some_and(is_file)
        }
        (DependencySpec::Git { url: asked, .. }, source) => {
            remote::pinned(source).is_some_and(|it| it.repository == remote::repository(asked))
        }
        _ => false,
    }
}

/// An address without its fragment.
pub(super) fn plain(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

pub(super) fn check(checked: &mut Checked<'_>, registries: &Registries) {
    if let (true, Some(prefix)) = (registries.yarns_own, &registries.assumed) {
        let what = format!(
            "the project names no registry, and the one that yarn 1 has by itself is not known: {prefix}, which \
             most entries have, is taken for it"
        );
        checked.add(&YARNS_OWN, 1, None, &what);
    } else if let Some(why) = &registries.unasked {
        let assumed = match &registries.assumed {
            Some(prefix) => format!("{prefix}, which most entries have, is taken for the registry"),
            None if registries.withheld => "none but the configured one is taken for it".to_owned(),
            None => "no address is that of most entries".to_owned(),
        };
        let (rule, did, why) = match why {
            Unasked::Offline => (&ASSUMED, "was not asked", "--offline"),
            Unasked::NotAsked(why) => (&ASSUMED, "was not asked", why.as_str()),
            Unasked::NoAnswer(why) => (&NO_ANSWER, "did not say", why.as_str()),
        };
        let what = format!("the registry {did} where its tarballs are ({why}): {assumed}");
        checked.add(rule, 1, None, &what);
    }
    let lockfile = checked.lockfile;
    for (id, node) in lockfile.nodes.iter().enumerate() {
        if let Source::Registry(Some(url)) = &node.source {
            address(checked, registries, id, node, url);
        }
    }
}

/// Takes back what was said of the addresses of entries whose digests turned out to be the registry's, and says
/// once that they are of no registry that is known.
pub(super) fn prove(checked: &mut Checked<'_>, registries: &Registries, same: &[NodeId]) {
    let lockfile = checked.lockfile;
    let nodes = same.iter().filter(|id| registries.undecided.contains(id));
    let lines: BTreeSet<u32> = nodes
        .filter_map(|id| lockfile.node(*id))
        .map(|node| node.line)
        .collect();
    let is_proven =
        |finding: &CheckFinding| finding.rule == FOREIGN.id && lines.contains(&finding.line);
    let first = checked.findings.iter().find(|it| is_proven(it));
    let Some(first) = first.map(|it| (it.line, it.what.clone())) else {
        return;
    };
    let before = checked.findings.len();
    checked.findings.retain(|it| !is_proven(it));
    let what = format!(
        "the project names no registry, and {} of its entries have addresses of none that is known (the first {}); \
         their digests are those of the registry in npm's configuration",
        before - checked.findings.len(),
        first.1
    );
    checked.add(&PROVEN, first.0, None, &what);
}

fn address(checked: &mut Checked<'_>, registries: &Registries, id: NodeId, node: &Node, url: &str) {
    let line = node.line;
    let url = &*normal(url);
    let allowed = |url: &str| {
        registries
            .allowed
            .iter()
            .any(|prefix| url.starts_with(prefix.as_str()))
    };
    if !allowed(url) {
        let secure = url
            .strip_prefix("http://")
            .map(|rest| format!("https://{rest}"));
        let rule = if secure.is_some_and(|url| allowed(&url)) {
            &PLAIN_HTTP
        } else {
            &FOREIGN
        };
        checked.add(rule, line, Some(id), &format!("comes from {url}"));
        return;
    }
    let Some((before, file)) = url.split_once("/-/") else {
        checked.add(&UNUSUAL, line, Some(id), &format!("comes from {url}"));
        return;
    };
    let Some(prefix) = prefix(&node.name, url) else {
        let what = format!("is fetched as another package: {before}");
        checked.add(&OTHER_TARBALL, line, Some(id), &what);
        return;
    };
    if !registries.allowed.contains(prefix) {
        // Below a registry's address, but not right there.
        checked.add(&OTHER_TARBALL, line, Some(id), &format!("comes from {url}"));
        return;
    }
    let Some(version) = &node.version else { return };
    let base = node.name.rsplit('/').next().unwrap_or(&node.name);
    // Build metadata is no part of a file's name.
    let plain = version.split('+').next().unwrap_or(version);
    let file = file.split(['?', '#']).next().unwrap_or(file);
    if file != format!("{base}-{plain}.tgz") && file != format!("{base}-{version}.tgz") {
        let what = format!("says version {version}, and its address is that of {file}");
        checked.add(&OTHER_TARBALL, line, Some(id), &what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
"": {"dependencies": {"rm": "x"}},
"node_modules/dam": {"version": "1.0.0"},
"node_modules/rm": {"name": "silt", "version": "1.2.0", "resolved": "AT"}
}}"#;

    #[test]
    fn a_project_may_ask_for_any_package_by_its_address() {
        let at = "https://registry.example.invalid/silt/-/silt-1.2.0.tgz";
        let hub = "git+ssh://git@github.com/river/silt.git#0123abc";
        let load = "https://codeload.github.com/river/silt/tar.gz/0123abc";
        for (resolved, spec, wanted) in [
            (at, at, true),
            (
                at,
                "https://registry.example.invalid/silt/-/silt-1.2.1.tgz",
                false,
            ),
            (at, "^1.0.0", false),
            ("", at, true),
            (
                "",
                "https://registry.example.invalid/silt/-/silt-1.2.1.tgz",
                false,
            ),
            (
                "",
                "https://registry.example.invalid/dam/-/dam-1.2.0.tgz",
                false,
            ),
            (
                "https://files.example.invalid/a.tgz",
                "https://files.example.invalid/a.tgz",
                true,
            ),
            (
                "https://files.example.invalid/b.tgz",
                "https://files.example.invalid/a.tgz",
                false,
            ),
            (hub, "github:river/silt", true),
            (hub, "git@github.com:river/silt.git", true),
            (hub, "git+https://a:b@github.com/river/silt.git", true),
            (hub, "github:evil/silt", false),
            (load, "river/silt#0123abc", true),
            (load, "river/sil", false),
        ] {
            let lock = LOCK
                .replace("AT", resolved)
                .replace(r#", "resolved": """#, "");
            let lockfile = Lockfile::parse("package-lock.json", lock.as_bytes()).unwrap();
            let id = |key: &str| lockfile.nodes.iter().position(|it| it.key == key).unwrap();
            let node = &lockfile.nodes[id("node_modules/rm")];
            let asked = weir_npm::spec::classify("rm", spec);
            let is_asked = |from| is_asked(&lockfile, id(from), &asked, node);
            assert_eq!(is_asked(""), wanted, "{resolved} {spec}");
            assert!(!is_asked("node_modules/dam"), "{resolved} {spec}");
        }
    }
}
