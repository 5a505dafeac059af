//! Each entry by itself: digests, and what is fetched past the registry.

use weir_model::json::v1::CheckLevel;
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Format, Lockfile, Node, NodeId, Source};
use weir_npm::spec::{DependencySpec, classify};

use super::step::{OTHER_PACKAGE, unambiguous};
use super::{Checked, Rule};

const NO_INTEGRITY: Rule = Rule {
    id: "no-integrity",
    level: CheckLevel::Error,
    todo: "let the client write the entry anew: without a digest any bytes will do",
};
const WEAK_INTEGRITY: Rule = Rule {
    id: "weak-integrity",
    level: CheckLevel::Warning,
    todo: "let the client write the entry anew with sha512: others can be made that match a sha1",
};
const BROKEN_INTEGRITY: Rule = Rule {
    id: "broken-integrity",
    level: CheckLevel::Error,
    todo: "let the client write the entry anew: some clients take an unreadable digest for none",
};
const UNPINNED: Rule = Rule {
    id: "unpinned",
    level: CheckLevel::Error,
    todo: "pin it to a whole commit or to a digest: what is fetched can change at any time",
};
const NOT_FROM_REGISTRY: Rule = Rule {
    id: "not-from-registry",
    level: CheckLevel::Note,
    todo: "make sure that this place is wanted: no registry vouches for what it serves",
};
const UNKNOWN_SOURCE: Rule = Rule {
    id: "unknown-source",
    level: CheckLevel::Warning,
    todo: "could not be checked: look at the entry yourself",
};

pub(super) fn check(checked: &mut Checked<'_>) {
    let lockfile = checked.lockfile;
    match lockfile.format {
        Format::YarnBerry => named_otherwise(checked),
        Format::YarnClassic => led_elsewhere(checked),
        Format::Npm | Format::Pnpm | Format::Bun => {}
    }
    for (id, node) in lockfile.nodes.iter().enumerate() {
        if let Some(said) = &node.other_version {
            let what = format!(
                "says version {said}, and its resolution is to {}",
                node.label()
            );
            checked.add(&OTHER_PACKAGE, node.line, Some(id), &what);
        }
        match &node.source {
            Source::Registry(_) if node.is_served() => digest(checked, id, node),
            Source::Tarball(url) => {
                let what = format!("comes from {url}");
                checked.add(&NOT_FROM_REGISTRY, node.line, Some(id), &what);
                digest(checked, id, node);
            }
            Source::Git { url, commit } => git(checked, id, node, url, commit.as_deref()),
            Source::Other(text) => {
                let what = format!("comes from {text:?}, which weir does not know");
                checked.add(&UNKNOWN_SOURCE, node.line, Some(id), &what);
            }
            _ => {}
        }
    }
}

/// What the requests in the key of an entry ask for.
fn asked_by_key(lockfile: &Lockfile) -> impl Iterator<Item = (&str, DependencySpec, NodeId)> {
    let requests = lockfile.requests();
    requests.map(|(name, spec, id)| (name, classify(name, unambiguous(lockfile.format, spec)), id))
}

/// Entries of yarn 2 and later that resolve to another package than their own key asks for: whatever the project
/// sets, it is in the key.
fn named_otherwise(checked: &mut Checked<'_>) {
    let lockfile = checked.lockfile;
    for (name, asked, id) in asked_by_key(lockfile) {
        let Some(node) = lockfile.node(id) else {
            continue;
        };
        let is_alias = match &asked {
            DependencySpec::Alias { name, .. } => node.name == name.as_str(),
            _ => false,
        };
        if !is_alias && node.name != name {
            let what = format!("is the entry for {name}, and its resolution is to another package");
            add_once(checked, id, &what);
        }
    }
}

/// Entries of yarn 1 that lead to git or to an address nobody asks for in their key.
fn led_elsewhere(checked: &mut Checked<'_>) {
    let lockfile = checked.lockfile;
    let mut by_place = vec![false; lockfile.nodes.len()];
    for (_, asked, id) in asked_by_key(lockfile) {
        if let Some(place) = by_place.get_mut(id) {
            *place |= !asked.is_registry();
        }
    }
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let is_elsewhere = matches!(node.source, Source::Tarball(_) | Source::Git { .. });
        if is_elsewhere && by_place.get(id) == Some(&false) {
            let what = "is asked for from the registry, and the entry leads elsewhere";
            add_once(checked, id, what);
        }
    }
}

/// Reports an entry, unless what asks for it has had it reported.
fn add_once(checked: &mut Checked<'_>, id: NodeId, what: &str) {
    let Some(node) = checked.lockfile.node(id) else {
        return;
    };
    let mut known = checked.findings.iter();
    if !known.any(|it| it.rule == OTHER_PACKAGE.id && it.line == node.line) {
        checked.add(&OTHER_PACKAGE, node.line, Some(id), what);
    }
}

fn digest(checked: &mut Checked<'_>, id: NodeId, node: &Node) {
    let Some(text) = &node.integrity else {
        // yarn leaves it out for platforms nobody has installed on yet, and fills it in then.
        let later = node.flags.platform && checked.lockfile.format == Format::YarnBerry;
        if node.checksum.is_none() && !later {
            checked.add(&NO_INTEGRITY, node.line, Some(id), "has no integrity");
        }
        return;
    };
    match Integrity::parse(text) {
        Ok(integrity) if !integrity.is_strong() => {
            let what = format!("has only {}", integrity.strongest().0);
            checked.add(&WEAK_INTEGRITY, node.line, Some(id), &what);
        }
        Ok(_) => {}
        Err(error) => {
            let what = format!("has an unreadable integrity {text:?}: {error}");
            checked.add(&BROKEN_INTEGRITY, node.line, Some(id), &what);
        }
    }
}

fn git(checked: &mut Checked<'_>, id: NodeId, node: &Node, url: &str, commit: Option<&str>) {
    let whole = |text: &str| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    // bun shortens commits to seven digits and keeps a digest of what it fetched beside them.
    let digested = node.integrity.is_some() && checked.lockfile.format == Format::Bun;
    if commit.is_some_and(whole) || digested {
        let what = format!("comes from git, {url}");
        checked.add(&NOT_FROM_REGISTRY, node.line, Some(id), &what);
    } else {
        let at = commit.unwrap_or("no commit");
        let what = format!("comes from git, {url}, at {at:?}");
        checked.add(&UNPINNED, node.line, Some(id), &what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<(u32, String)> {
        let lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
        let mut checked = Checked {
            file: file.to_owned(),
            lockfile: &lockfile,
            paths: lockfile.paths(),
            findings: Vec::new(),
        };
        check(&mut checked);
        let others = checked.findings.into_iter();
        let others = others.filter(|it| it.rule == OTHER_PACKAGE.id);
        others.map(|it| (it.line, it.what)).collect()
    }

    /// Whoever asks, and whatever the project sets.
    #[test]
    fn an_entry_of_yarn_2_is_of_the_package_in_its_key() {
        for (key, resolution, is_other) in [
            ("ms@npm:^2.1.3", "ms@npm:2.1.3", false),
            ("ms@npm:^2.1.3", "silt@npm:2.1.3", true),
            ("ms@npm:silt@^2.1.3", "silt@npm:2.1.3", false),
            ("ms@npm:silt@^2.1.3", "dam@npm:2.1.3", true),
            (
                "ms@patch:ms@npm%3A2.1.3#~/p.patch",
                "ms@patch:ms@npm%3A2.1.3#~/p.patch",
                false,
            ),
            ("ms@patch:ms@npm%3A2.1.3#~/p.patch", "silt@npm:2.1.3", true),
            ("ms@npm:^2.0.0, silt@npm:^2.1.3", "ms@npm:2.1.3", true),
            (
                "ms@https://a.invalid/x.tgz",
                "ms@https://a.invalid/x.tgz",
                false,
            ),
        ] {
            let text = format!(
                "__metadata:\n  version: 8\n\n\"{key}\":\n  version: 2.1.3\n  resolution: \"{resolution}\"\n  checksum: 10c0/ab\n"
            );
            let found = found("yarn.lock", &text);
            assert_eq!(!found.is_empty(), is_other, "{key} {resolution}: {found:?}");
        }
    }

    #[test]
    fn an_entry_of_yarn_1_leads_where_its_key_may_lead() {
        for (key, resolved, is_other) in [
            (
                "ms@^2.0.0",
                "https://registry.example.invalid/ms/-/ms-2.1.3.tgz",
                false,
            ),
            ("ms@^2.0.0", "https://evil.example.invalid/x.tgz", true),
            (
                "ms@^2.0.0",
                "git+https://evil.example.invalid/x.git#0a",
                true,
            ),
            (
                "ms@^2.0.0, \"ms@https://a.invalid/x.tgz\"",
                "https://a.invalid/x.tgz",
                false,
            ),
            (
                "ms@river/ms",
                "https://codeload.github.com/river/ms/tar.gz/0a",
                false,
            ),
        ] {
            let text = format!("{key}:\n  version \"2.1.3\"\n  resolved \"{resolved}\"\n");
            let found = found("yarn.lock", &text);
            assert_eq!(!found.is_empty(), is_other, "{key} {resolved}: {found:?}");
        }
    }
}
