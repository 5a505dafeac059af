//! Whether the digests in a lockfile are those that the registries give.

use weir_model::finding::printable;
use weir_model::json::v1::{CheckLevel, ComparedDigests};
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Node, NodeId};

use super::super::own::NAME_THEIR_REGISTRY;
use super::known::{Digest, Known, release_of};
use super::{Checked, Rule};
use crate::causes::{Cause, Causes};
use crate::counted::counted;

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
pub(super) const NOT_COMPARED: Rule = Rule {
    id: "digest-not-compared",
    level: CheckLevel::Warning,
    todo: "run it again when the registry answers: it counts as not checked",
};
const UNCOMPARED: Rule = Rule {
    id: "digests-not-compared",
    level: CheckLevel::Note,
    todo: "run with --online to compare them with those of the registry",
};
/// The same, where asking the registry does not help.
const YARNS_OWN: Rule = Rule {
    id: UNCOMPARED.id,
    level: UNCOMPARED.level,
    todo: "let yarn compare: yarn install --check-cache fetches every package anew; or install through weir's \
           gateway, which compares each tarball with the registry's digest",
};
const INCOMPARABLE: Rule = Rule {
    id: UNCOMPARED.id,
    level: UNCOMPARED.level,
    todo: "let the client write these entries anew, with a digest that the registry gives as well",
};
const WITHHELD_NAMES: Rule = Rule {
    id: "names-withheld",
    level: CheckLevel::Warning,
    todo: NAME_THEIR_REGISTRY,
};

/// What came of comparing one entry.
enum Compared {
    /// And whether by a digest that nobody can make other bytes for.
    Same(bool),
    Not(&'static Rule, String),
    /// What the registry says could not be had.
    Unanswered(String),
    /// Its name is yours, and the default registry was not told it.
    Withheld,
    Unlike(Unlike),
}

/// Why there was nothing to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unlike {
    /// The registry was not asked.
    Unasked,
    /// The entry has yarn's checksum of its own archive.
    Yarns,
    /// The entry has no digest, or none in an algorithm of the registry's.
    NotInCommon,
}

impl Unlike {
    const ALL: [Self; 3] = [Self::Unasked, Self::Yarns, Self::NotInCommon];

    fn rule(self) -> &'static Rule {
        match self {
            Self::Unasked => &UNCOMPARED,
            Self::Yarns => &YARNS_OWN,
            Self::NotInCommon => &INCOMPARABLE,
        }
    }

    fn why(self, known: &Known) -> &str {
        match self {
            Self::Unasked => &known.why,
            Self::Yarns => {
                "yarn 2 and later keep a checksum of a zip archive of their own, which no registry has"
            }
            Self::NotInCommon => {
                "the lockfile has no digest for them that the registry gives as well"
            }
        }
    }
}

/// Compares the entries that are wanted. Gives those as well that have a strong digest of the registry's.
pub(super) fn check(
    checked: &mut Checked<'_>,
    known: &Known,
    wanted: &dyn Fn(NodeId) -> bool,
) -> (ComparedDigests, Vec<NodeId>) {
    let lockfile = checked.lockfile;
    let mut counts = ComparedDigests {
        same: 0,
        different: 0,
        not_compared: 0,
        why: None,
    };
    let (mut same, mut withheld, mut unlike) = (Vec::new(), Vec::new(), Vec::new());
    let mut unanswered = Causes::default();
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
            Compared::Same(is_strong) => {
                counts.same += 1;
                same.extend(is_strong.then_some(id));
            }
            Compared::Unlike(why) => unlike.push(why),
            Compared::Withheld => withheld.push(node),
            Compared::Not(rule, what) => {
                counts.different += 1;
                checked.add(rule, node.line, Some(id), &what);
            }
            Compared::Unanswered(why) => {
                counts.not_compared += 1;
                unanswered.add(&node.name, node.version.as_deref(), id, &why);
            }
        }
    }
    counts.not_compared += unlike.len();
    tell_unanswered(checked, &counts, unanswered);
    counts.why = uncompared(checked, known, &counts, &unlike);
    if let Some(first) = withheld.first() {
        let what = unasked(withheld.len(), first);
        checked.add(&WITHHELD_NAMES, first.line, None, &what);
        counts.not_compared += withheld.len();
        if counts.why.is_none() {
            counts.why = Some(what);
        }
    }
    (counts, same)
}

/// Says once for each cause how many digests could not be had.
fn tell_unanswered(checked: &mut Checked<'_>, counts: &ComparedDigests, causes: Causes<NodeId>) {
    let all = counts.same + counts.different + counts.not_compared;
    let lockfile = checked.lockfile;
    for Cause { first, why, count } in causes.into_all() {
        let node = lockfile.node(first);
        let line = node.map_or(1, |node| node.line);
        if count == 1 {
            let what = format!("could not be compared with the registry: {why}");
            checked.add(&NOT_COMPARED, line, Some(first), &what);
            continue;
        }
        let label = node.map(Node::label).unwrap_or_default();
        let what = format!(
            "{count} of {} could not be compared with the registry; {} first: {why}",
            counted(all, "digest", "digests"),
            printable(&label, 220)
        );
        checked.add(&NOT_COMPARED, line, None, &what);
    }
}

/// Says once for each reason how many digests were not compared; gives the reasons.
fn uncompared(
    checked: &mut Checked<'_>,
    known: &Known,
    counts: &ComparedDigests,
    unlike: &[Unlike],
) -> Option<String> {
    let all = counts.same + counts.different + counts.not_compared;
    let mut reasons = Vec::new();
    for reason in Unlike::ALL {
        let count = unlike.iter().filter(|it| **it == reason).count();
        if count == 0 {
            continue;
        }
        let why = reason.why(known);
        let were = if count == 1 { "was" } else { "were" };
        let what = format!(
            "{count} of {} {were} not compared with those of the registry: {why}",
            counted(all, "digest", "digests")
        );
        checked.add(reason.rule(), 1, None, &what);
        reasons.push(why.to_owned());
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// How many entries the default registry was not asked about.
fn unasked(count: usize, first: &Node) -> String {
    let entries = counted(
        count,
        "entry whose name is yours",
        "entries whose names are yours",
    );
    format!(
        "could not be checked: the default registry was not asked about {entries} (names.own, names.internal), \
         {} first",
        printable(&first.label(), 220)
    )
}

fn compare(node: &Node, said: Option<&Digest>) -> Compared {
    let theirs = match said {
        None => None,
        Some(Digest::NoSuchRelease(what)) => return Compared::Not(&NO_SUCH_RELEASE, what.clone()),
        Some(Digest::Failed(why)) => return Compared::Unanswered(why.clone()),
        Some(Digest::Withheld) => return Compared::Withheld,
        Some(Digest::Is(theirs)) => Some(theirs),
    };
    // An entry without a digest is another rule's as well.
    let ours = node
        .integrity
        .as_deref()
        .and_then(|text| Integrity::parse(text).ok());
    let (ours, theirs) = match (ours, theirs) {
        (None, _) if node.checksum.is_some() => return Compared::Unlike(Unlike::Yarns),
        (_, None) => return Compared::Unlike(Unlike::Unasked),
        (None, _) => return Compared::Unlike(Unlike::NotInCommon),
        (Some(ours), Some(theirs)) => (ours, theirs),
    };
    match agree(&ours, theirs) {
        Some(true) => Compared::Same(ours.is_strong() && theirs.is_strong()),
        Some(false) => {
            let what = format!("has {ours}, and the registry says {theirs}");
            Compared::Not(&OTHER_DIGEST, what)
        }
        None => Compared::Unlike(Unlike::NotInCommon),
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
    use weir_npm::lockfile::Lockfile;

    use super::*;

    /// Asking a registry helps only where nothing else keeps a digest from being compared.
    #[test]
    fn what_is_not_compared_says_why() {
        let (sha1, sha512) = (
            format!("sha1-{}=", "A".repeat(27)),
            format!("sha512-{}==", "A".repeat(86)),
        );
        let yarns = "__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  \
                     resolution: \"a@npm:1.0.0\"\n  checksum: 10c0/ab\n";
        let npms = |said: &str| {
            format!(
                r#"{{"lockfileVersion": 3, "packages": {{"node_modules/a": {{"version": "1.0.0"{said}}}}}}}"#
            )
        };
        let short = format!(r#", "integrity": "{sha1}""#);
        let right = format!(r#", "integrity": "{sha512}""#);
        for (file, text, is_asked, wanted) in [
            ("yarn.lock", yarns.to_owned(), true, Some(Unlike::Yarns)),
            ("yarn.lock", yarns.to_owned(), false, Some(Unlike::Yarns)),
            (
                "package-lock.json",
                npms(&short),
                true,
                Some(Unlike::NotInCommon),
            ),
            (
                "package-lock.json",
                npms(&short),
                false,
                Some(Unlike::Unasked),
            ),
            (
                "package-lock.json",
                npms(""),
                true,
                Some(Unlike::NotInCommon),
            ),
            ("package-lock.json", npms(&right), true, None),
        ] {
            let lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
            let node = lockfile.nodes.iter().find(|it| it.name == "a").unwrap();
            let said = is_asked.then(|| Digest::Is(Integrity::parse(&sha512).unwrap()));
            let found = match compare(node, said.as_ref()) {
                Compared::Unlike(why) => Some(why),
                _ => None,
            };
            assert_eq!(found, wanted, "{text} {is_asked}");
        }
    }

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
