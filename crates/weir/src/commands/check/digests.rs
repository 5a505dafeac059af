//! Whether the digests in a lockfile are those that the registries give.

use weir_model::finding::printable;
use weir_model::json::v1::{CheckLevel, ComparedDigests};
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Node, NodeId};

use super::super::own::NAME_THEIR_REGISTRY;
use super::known::{Digest, Known, release_of};
use super::{Checked, Rule};

const OTHER_DIGEST: Rule = Rule {
    id: "other-digest",
    level: CheckLevel::Error,
    todo: "do not install it: these are not the bytes that the registry has under this name",
};
const NO_SUCH_RELEASE: Rule = Rule {
    id: "no-such-release",
    level: CheckLevel::Error,
    todo: "find out who wrote this entry; a release that was taken back cannot be compared any more",
};
const NOT_COMPARED: Rule = Rule {
    id: "digest-not-compared",
    level: CheckLevel::Warning,
    todo: "run it again when the registry answers: it counts as not checked",
};
const UNCOMPARED: Rule = Rule {
    id: "digests-not-compared",
    level: CheckLevel::Note,
    todo: "run with --online to compare them with those of the registry",
};

const WITHHELD_NAMES: Rule = Rule {
    id: "names-withheld",
    level: CheckLevel::Warning,
    todo: NAME_THEIR_REGISTRY,
};

/// What came of comparing one entry.
enum Compared {
    Same,
    Not(&'static Rule, String),
    /// Its name is yours, and the default registry was not told it.
    Withheld,
    /// Nothing was asked, or nothing is comparable.
    Unknown,
}

/// Compares the entries that are wanted.
pub(super) fn check(
    checked: &mut Checked<'_>,
    known: &Known,
    wanted: &dyn Fn(NodeId) -> bool,
) -> ComparedDigests {
    let lockfile = checked.lockfile;
    let mut counts = ComparedDigests {
        same: 0,
        different: 0,
        not_compared: 0,
        why: None,
    };
    let mut withheld = Vec::new();
    for (id, node) in lockfile
        .nodes
        .iter()
        .enumerate()
        .filter(|(id, _)| wanted(*id))
    {
        let Some((name, version)) = release_of(node) else {
            continue;
        };
        let said = known.digests.get(&(name.to_string(), version));
        match compare(node, said) {
            Compared::Same => counts.same += 1,
            Compared::Unknown => counts.not_compared += 1,
            Compared::Withheld => withheld.push(node),
            Compared::Not(rule, what) => {
                if rule.level == CheckLevel::Error {
                    counts.different += 1;
                } else {
                    counts.not_compared += 1;
                }
                checked.add(rule, node.line, Some(id), &what);
            }
        }
    }
    if counts.not_compared > 0 {
        let all = counts.same + counts.different + counts.not_compared;
        let what = format!(
            "{} of {all} digests were not compared with those of the registry: {}",
            counts.not_compared, known.why
        );
        checked.add(&UNCOMPARED, 1, None, &what);
        counts.why = Some(known.why.clone());
    }
    if let Some(first) = withheld.first() {
        let what = unasked(withheld.len(), first);
        checked.add(&WITHHELD_NAMES, first.line, None, &what);
        counts.not_compared += withheld.len();
        if counts.why.is_none() {
            counts.why = Some(what);
        }
    }
    counts
}

/// How many entries the default registry was not asked about.
fn unasked(count: usize, first: &Node) -> String {
    let entries = match count {
        1 => "1 entry whose name is yours".to_owned(),
        more => format!("{more} entries whose names are yours"),
    };
    format!(
        "could not be checked: the default registry was not asked about {entries} (names.own, names.internal), \
         {} first",
        printable(&first.label(), 220)
    )
}

fn compare(node: &Node, said: Option<&Digest>) -> Compared {
    let theirs = match said {
        None => return Compared::Unknown,
        Some(Digest::NoSuchRelease(what)) => return Compared::Not(&NO_SUCH_RELEASE, what.clone()),
        Some(Digest::Failed(why)) => {
            let what = format!("could not be compared with the registry: {why}");
            return Compared::Not(&NOT_COMPARED, what);
        }
        Some(Digest::Withheld) => return Compared::Withheld,
        Some(Digest::Is(theirs)) => theirs,
    };
    // yarn's own checksum is of its own archive, and an entry without a digest is another rule's.
    let ours = node
        .integrity
        .as_deref()
        .and_then(|text| Integrity::parse(text).ok());
    let Some(ours) = ours else {
        return Compared::Unknown;
    };
    match agree(&ours, theirs) {
        Some(true) => Compared::Same,
        Some(false) => {
            let what = format!("has {ours}, and the registry says {theirs}");
            Compared::Not(&OTHER_DIGEST, what)
        }
        None => Compared::Unknown,
    }
}

/// Whether two digests are of the same bytes: every digest of ours in an algorithm that both have must be one
/// of theirs. `None` if they have none in common.
pub(super) fn agree(ours: &Integrity, theirs: &Integrity) -> Option<bool> {
    let mut common = false;
    for (algorithm, digest) in ours.digests() {
        if theirs.digests().any(|(known, _)| known == algorithm) {
            common = true;
            if !theirs.holds(algorithm, digest) {
                return Some(false);
            }
        }
    }
    common.then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_agree_where_they_can_be_compared() {
        let sha512 = |byte: char| format!("sha512-{}==", byte.to_string().repeat(86));
        let sha1 = |byte: char| format!("sha1-{}=", byte.to_string().repeat(27));
        let (a, b) = (sha512('A'), format!("{} {}", sha512('A'), sha1('A')));
        for (ours, theirs, same) in [
            (a.clone(), a.clone(), Some(true)),
            (a.clone(), b.clone(), Some(true)),
            (sha1('A'), b.clone(), Some(true)),
            (sha1('A'), a.clone(), None),
            (format!("{a} {}", sha1('I')), b.clone(), Some(false)),
            // A second digest of the same algorithm would let other bytes pass.
            (
                format!("{a} sha512-{}g==", "B".repeat(85)),
                a.clone(),
                Some(false),
            ),
        ] {
            let parse = |text: &str| Integrity::parse(text).unwrap();
            assert_eq!(
                agree(&parse(&ours), &parse(&theirs)),
                same,
                "{ours} {theirs}"
            );
        }
    }
}
