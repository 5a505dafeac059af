//! Each entry by itself: digests, and what is fetched past the registry.

use weir_model::json::v1::CheckLevel;
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Format, Node, NodeId, Source};

use super::step::OTHER_PACKAGE;
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
