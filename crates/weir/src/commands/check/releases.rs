//! What weir makes of the releases that a change brings in: the decision, and what they do that the ones
//! before them did not.

use std::sync::Arc;

use weir_engine::{Engine, Side};
use weir_model::finding::printable;
use weir_model::json::v1::{ChangeKind, ChangedPackage, ChangedRelease, CheckLevel};
use weir_model::{Contents, Decision, ReleaseId};
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Lockfile, Node, NodeId, Source};
use weir_npm::name::PackageName;
use weir_npm::version::Version;

use super::super::own::{WITHHELD, is_withheld};
use super::{Checked, Rule};
use crate::print;

const REFUSED: Rule = Rule {
    id: "release-refused",
    level: CheckLevel::Error,
    todo: "`weir inspect` shows all of it; take another version, or have somebody look at this one",
};
const NEW_BEHAVIOUR: Rule = Rule {
    id: "new-behaviour",
    level: CheckLevel::Warning,
    todo: "`weir diff` shows all of it: make sure that this is what the release is for",
};
const NOT_ASSESSED: Rule = Rule {
    id: "releases-not-assessed",
    level: CheckLevel::Warning,
    todo: "run it again when the registry answers, or look at them yourself: they count as not checked",
};
/// The same where no registry was asked.
const NOT_KEPT: Rule = Rule {
    id: NOT_ASSESSED.id,
    level: NOT_ASSESSED.level,
    todo: "run it again without --offline: they count as not checked",
};

/// The same of what no registry tells of, so that asking again changes nothing.
const NO_REGISTRY: Rule = Rule {
    id: NOT_ASSESSED.id,
    level: NOT_ASSESSED.level,
    todo: "look at them yourself: no registry tells of them, and they count as not checked",
};

/// Releases assessed at a time: they are downloaded and read.
const AT_A_TIME: usize = 4;

/// A release to look at.
struct Job {
    /// Which package, and which of its new versions.
    at: (usize, usize),
    node: NodeId,
    name: PackageName,
    version: String,
    integrity: Option<Integrity>,
    /// The one that was locked before.
    before: Option<(String, Option<Integrity>)>,
}

/// What came of a job.
struct Outcome {
    release: ChangedRelease,
    /// The strongest thing that signals say of the comparison, and how many they say.
    minded: Option<(String, usize)>,
}

/// Looks at what is new, and notes what is wrong with it.
pub(super) async fn assess(
    engine: &Arc<Engine>,
    offline: bool,
    checked: &mut Checked<'_>,
    before: Option<&Lockfile>,
    packages: &mut [ChangedPackage],
) {
    let (mut jobs, elsewhere) = jobs(checked.lockfile, before, packages);
    let mut unknown = Vec::new();
    if !offline {
        withhold(engine, &mut jobs, packages, &mut unknown);
    }
    let places = Arc::new(tokio::sync::Semaphore::new(AT_A_TIME));
    let mut tasks = tokio::task::JoinSet::new();
    for job in jobs {
        let (engine, places) = (Arc::clone(engine), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire().await;
            let outcome = if offline {
                from_kept(&engine, &job).await
            } else {
                from_registry(&engine, &job).await
            };
            (job, outcome)
        });
    }
    let mut outcomes = Vec::new();
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok(done) => outcomes.push(done),
            Err(error) => unknown.push(format!("a release ({error})")),
        }
    }
    outcomes.sort_by_key(|(job, _)| job.at);
    for (job, outcome) in outcomes {
        note(checked, &job, &outcome, &mut unknown);
        if let Some(package) = packages.get_mut(job.at.0) {
            package.releases.push(outcome.release);
        }
    }
    let rule = if offline { &NOT_KEPT } else { &NOT_ASSESSED };
    tell(checked, &NO_REGISTRY, &elsewhere);
    tell(checked, rule, &unknown);
}

/// Names what is new where registries cannot be asked, and why they cannot.
pub(super) fn unassessed(why: &str, checked: &mut Checked<'_>, packages: &mut [ChangedPackage]) {
    let (jobs, elsewhere) = jobs(checked.lockfile, None, packages);
    let mut unknown = Vec::new();
    for job in jobs {
        unknown.push(format!(
            "{} {} (no registry was asked)",
            job.name, job.version
        ));
        if let Some(package) = packages.get_mut(job.at.0) {
            let why = printable(&format!("no registry was asked: {why}"), 600);
            package.releases.push(unknown_release(&job.version, why));
        }
    }
    tell(checked, &NO_REGISTRY, &elsewhere);
    tell(checked, &NOT_ASSESSED, &unknown);
}

/// Says what is not known, if there is anything.
fn tell(checked: &mut Checked<'_>, rule: &Rule, unknown: &[String]) {
    let Some(first) = unknown.first() else {
        return;
    };
    let more = match unknown.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let what = format!("not everything is known of what is new: {first}{more}");
    checked.add(rule, 1, None, &what);
}

/// What is to be looked at, and what no registry tells of.
fn jobs(
    lockfile: &Lockfile,
    before: Option<&Lockfile>,
    packages: &mut [ChangedPackage],
) -> (Vec<Job>, Vec<String>) {
    let (mut jobs, mut unknown) = (Vec::new(), Vec::new());
    for (number, package) in packages.iter_mut().enumerate() {
        for (which, text) in package.after.clone().iter().enumerate() {
            let found = entry(lockfile, package, text);
            // Of a release with other bytes the texts are its digests.
            let version = found.and_then(|(_, node)| node.version.as_ref());
            let version = version.unwrap_or(text).clone();
            let from_registry =
                found.filter(|(_, node)| matches!(node.source, Source::Registry(_)));
            let name = PackageName::parse(&package.name);
            let (Some((node, entry)), Ok(name)) = (from_registry, name) else {
                let why = "not from a registry: nothing is known of it".to_owned();
                unknown.push(format!("{} {version} ({why})", package.name));
                package.releases.push(unknown_release(&version, why));
                continue;
            };
            let before = before.and_then(|before| match package.kind {
                ChangeKind::Replaced => same(before, entry),
                _ => earlier(before, &package.name, &version),
            });
            jobs.push(Job {
                at: (number, which),
                node,
                version,
                integrity: integrity(entry),
                before,
                name,
            });
        }
    }
    (jobs, unknown)
}

/// The entry that is new in a change: of this version; or, where only its bytes or its place are other ones, at the
/// change's line and with this digest.
fn entry<'l>(
    lockfile: &'l Lockfile,
    package: &ChangedPackage,
    text: &str,
) -> Option<(NodeId, &'l Node)> {
    let nodes = lockfile.nodes.iter().enumerate();
    let mut named = nodes.filter(|(_, node)| node.name == package.name);
    if package.kind != ChangeKind::Replaced {
        return named.find(|(_, node)| node.version.as_deref() == Some(text));
    }
    let here = named.filter(|(_, node)| node.line == package.line);
    let here: Vec<(NodeId, &Node)> = here.collect();
    let is_it =
        |node: &Node| integrity(node).is_some_and(|it| printable(&it.to_string(), 300) == text);
    let exact = here.iter().find(|it| is_it(it.1));
    exact.or_else(|| here.first()).copied()
}

/// The release of the same version as it was locked before.
fn same(before: &Lockfile, entry: &Node) -> Option<(String, Option<Integrity>)> {
    let mut nodes = before.nodes.iter();
    let was = nodes.find(|it| it.name == entry.name && it.version == entry.version)?;
    Some((was.version.clone()?, integrity(was)))
}

/// Takes out what the default registry would have to be told a name of yours for.
fn withhold(
    engine: &Engine,
    jobs: &mut Vec<Job>,
    packages: &mut [ChangedPackage],
    unknown: &mut Vec<String>,
) {
    jobs.retain(|job| {
        if !is_withheld(engine.policy(), engine.upstreams(), &job.name) {
            return true;
        }
        unknown.push(format!("{} {} ({WITHHELD})", job.name, job.version));
        if let Some(package) = packages.get_mut(job.at.0) {
            let release = unknown_release(&job.version, WITHHELD.to_owned());
            package.releases.push(release);
        }
        false
    });
}

fn integrity(node: &Node) -> Option<Integrity> {
    Integrity::parse(node.integrity.as_deref()?).ok()
}

/// The version that a new one most likely takes the place of: the highest below it, else the highest.
fn earlier(before: &Lockfile, name: &str, version: &str) -> Option<(String, Option<Integrity>)> {
    let parsed = Version::parse(version).ok()?;
    let of_name = before
        .nodes
        .iter()
        .filter(|node| node.name == name && !node.is_local());
    let mut known: Vec<(Version, &Node)> = of_name
        .filter_map(|node| Some((Version::parse(node.version.as_deref()?).ok()?, node)))
        .collect();
    known.sort_by(|one, other| one.0.precedence(&other.0));
    let below = known
        .iter()
        .rev()
        .find(|(it, _)| it.precedence(&parsed).is_lt());
    let (_, node) = below.or_else(|| known.last())?;
    Some((node.version.clone()?, integrity(node)))
}

fn unknown_release(version: &str, why: String) -> ChangedRelease {
    ChangedRelease {
        version: version.to_owned(),
        decision: None,
        compared_with: None,
        behaviour: Vec::new(),
        unknown: vec![why],
    }
}

fn note(checked: &mut Checked<'_>, job: &Job, outcome: &Outcome, unknown: &mut Vec<String>) {
    let line = checked.lockfile.node(job.node).map_or(1, |node| node.line);
    if let Some(decision) = &outcome.release.decision
        && !decision.action.serves()
    {
        checked.add(&REFUSED, line, Some(job.node), &in_words(decision));
    }
    if let Some((first, count)) = &outcome.minded {
        let more = match count {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let with = outcome
            .release
            .compared_with
            .as_deref()
            .unwrap_or("the one before");
        let what = format!("does what {with} did not: {first}{more}");
        checked.add(&NEW_BEHAVIOUR, line, Some(job.node), &what);
    }
    if let Some(why) = outcome.release.unknown.first() {
        unknown.push(format!("{} {} ({why})", job.name, job.version));
    }
}

/// A decision that refuses, as a sentence.
fn in_words(decision: &Decision) -> String {
    let action = match decision.action {
        weir_model::Action::Block => "would be blocked",
        _ => "would be held",
    };
    let reasons = decision.reasons.iter().take(2).map(String::as_str);
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    match &decision.instead {
        Some(instead) => format!("{action}: {reasons}; {instead} would be served instead"),
        None => format!("{action}: {reasons}"),
    }
}

async fn from_registry(engine: &Arc<Engine>, job: &Job) -> Outcome {
    let mut release = ChangedRelease {
        unknown: Vec::new(),
        ..unknown_release(&job.version, String::new())
    };
    match engine.inspect(&job.name, Some(&job.version)).await {
        Ok(assessed) => {
            let gaps = assessed.assessment.incomplete.iter();
            let gaps = gaps.map(|gap| printable(&format!("{}: {}", gap.what, gap.why), 300));
            release.unknown.extend(gaps);
            release.decision = Some(assessed.decision);
        }
        Err(error) => release.unknown.push(printable(&error.to_string(), 300)),
    }
    let sides = match engine.side(&job.name, Some(&job.version)).await {
        Ok(after) => match &job.before {
            Some((before, _)) if *before != job.version => {
                engine.side(&job.name, Some(before)).await.map(Some)
            }
            // A registry has a version once: other bytes of it are compared with the version before.
            _ => engine.side_before(&after).await,
        }
        .map(|before| before.map(|before| (before, after))),
        Err(error) => Err(error),
    };
    match sides {
        Ok(Some((before, after))) => compared(engine, release, &before, &after),
        // The first of its package, or all before it are refused: there is nothing to compare with.
        Ok(None) => Outcome {
            release,
            minded: None,
        },
        Err(error) => {
            let why = format!("behaviour not compared: {error}");
            release.unknown.push(printable(&why, 300));
            Outcome {
                release,
                minded: None,
            }
        }
    }
}

/// From the data folder alone.
async fn from_kept(engine: &Arc<Engine>, job: &Job) -> Outcome {
    let mut release = ChangedRelease {
        unknown: Vec::new(),
        ..unknown_release(&job.version, String::new())
    };
    match engine.kept_verdict(&job.name, &job.version).await {
        Ok(Some(verdict)) => release.decision = Some(verdict.decision),
        Ok(None) => release.unknown.push("no decision is kept".to_owned()),
        Err(error) => release.unknown.push(printable(&error.to_string(), 300)),
    }
    let after = kept_side(engine, &job.name, &job.version, job.integrity.as_ref()).await;
    let before = match &job.before {
        Some((version, integrity)) => {
            kept_side(engine, &job.name, version, integrity.as_ref()).await
        }
        None => None,
    };
    if let (Some(before), Some(after)) = (&before, &after) {
        return compared(engine, release, before, after);
    }
    let was = job.before.as_ref().map(|(version, _)| version.as_str());
    let missing = not_kept(was, before.is_some(), after.is_some());
    release.unknown.extend(missing);
    Outcome {
        release,
        minded: None,
    }
}

/// Whose contents are not kept, of a package that was at another version before or not there. Where it was not there,
/// there is nothing to compare it with.
fn not_kept(was: Option<&str>, has_before: bool, has_after: bool) -> Option<String> {
    match (was, has_before, has_after) {
        (None, _, true) | (Some(_), true, true) => None,
        (None, _, false) => Some("its contents are not kept".to_owned()),
        (Some(_), true, false) => {
            Some("behaviour not compared: its contents are not kept".to_owned())
        }
        (Some(was), false, true) => Some(format!(
            "behaviour not compared: the contents of {} are not kept",
            printable(was, 100)
        )),
        (Some(was), false, false) => Some(format!(
            "behaviour not compared: neither its contents nor those of {} are kept",
            printable(was, 100)
        )),
    }
}

async fn kept_side(
    engine: &Arc<Engine>,
    name: &PackageName,
    version: &str,
    integrity: Option<&Integrity>,
) -> Option<Side> {
    let contents: Contents = engine.kept_contents(integrity?).await.ok()??;
    Some(Side {
        release: ReleaseId {
            name: name.to_string(),
            version: version.to_owned(),
            integrity: integrity.map(ToString::to_string),
        },
        published: None,
        publisher: None,
        contents,
    })
}

fn compared(engine: &Engine, mut release: ChangedRelease, before: &Side, after: &Side) -> Outcome {
    let (difference, findings) = engine.changes(before, after);
    let first = findings.first();
    let minded = first.map(|finding| {
        let said = format!("{}: {}", finding.signal, finding.message);
        (printable(&said, 400), findings.len())
    });
    release.behaviour = print::behaviour(&difference, &findings);
    release.compared_with = Some(before.release.version.clone());
    Outcome { release, minded }
}
