//! `weir audit`: what advisories say of everything that lockfiles lock, who brings it in, and what to change.

mod fix;
mod print;
mod registry;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use weir_model::finding::printable;
use weir_model::json::v1::{
    self, AuditCounts, AuditFinding, AuditedRelease, CheckFinding, CheckLevel, CheckedLockfile,
    Need,
};
use weir_model::{AdvisoryKind, FlawSeverity, Told};
use weir_npm::lockfile::{DependencyKind, Lockfile, Node, NodeId, Source};
use weir_npm::version::join_ranges;
use weir_store::Advisories;

use self::registry::Registry;
use self::tree::Tree;
use super::check::{self, Rule};
use super::{locked, lockless};
use crate::addresses::without_secrets;
use crate::cli::{Audit, Global, Omit};
use crate::{exit, setup};

const UNREADABLE: Rule = Rule {
    id: "unreadable",
    level: CheckLevel::Error,
    todo: "nothing in this file was audited: restore it, or let the client write it anew",
};
const NO_VERSION: Rule = Rule {
    id: "no-version",
    level: CheckLevel::Warning,
    todo: "let the client write the lockfile anew: no advisory can be looked up without a version",
};
const NOTHING_LOCKED: Rule = Rule {
    id: "nothing-locked",
    level: CheckLevel::Error,
    todo: "nothing was audited: run the client's install and commit the lockfile it writes",
};
const UNKNOWN_SOURCE: Rule = Rule {
    id: "unknown-source",
    level: CheckLevel::Warning,
    todo: "let the client write the entry anew, and find out who put this there: it was not audited",
};
const ELSEWHERE: Rule = Rule {
    id: "not-from-a-registry",
    level: CheckLevel::Note,
    todo: "look for advisories where it comes from: those for npm packages say nothing of it",
};

/// Something that is audited.
struct Audited<'l> {
    file: &'l str,
    tree: &'l Tree<'l>,
    id: NodeId,
    node: &'l Node,
    version: &'l str,
}

/// Audits a project; the exit code tells whether anything at or above the threshold was found.
pub(super) async fn run(global: &Global, options: &Audit) -> Result<ExitCode> {
    let files = lockless::find(&options.folder, options.lockfile.as_ref())?;
    let policy = setup::policy_of(global, &options.folder)?;
    let store = setup::store(global).await?;
    let advisories = Advisories::load(&store).await?;
    if advisories.is_empty() {
        bail!(
            "no advisories are imported, so nothing could be audited: `weir advisories import` reads a \
             collection of OSV records"
        );
    }
    let feeds = store.advisory_feeds().await?;
    let mut report = v1::Audit {
        schema: v1::AUDIT,
        lockfiles: Vec::new(),
        feeds: feeds.iter().map(super::advisories::public).collect(),
        counts: AuditCounts::default(),
        findings: Vec::new(),
        unchecked: Vec::new(),
        withheld: 0,
    };
    let lockfiles = read(options, &files, &mut report);
    let trees: Vec<(&str, Tree<'_>)> = lockfiles
        .iter()
        .map(|(file, lockfile, manifests)| {
            let tree = Tree::of(&options.folder, lockfile, manifests);
            (file.as_str(), tree)
        })
        .collect();
    let mut told = Vec::new();
    for (file, tree) in &trees {
        told.extend(ask(options, &advisories, file, tree, &mut report)?);
    }
    let mut registry = Registry::of(global, options, policy, &store);
    let affected = told.iter().map(|(audited, _)| audited);
    let wanted = affected
        .flat_map(|audited| audited.tree.names_to(audited.id))
        .collect();
    registry.learn(wanted).await;
    registry.complain();
    report.withheld = registry.withheld();
    let ways = fix::Ways::new(&advisories, &registry);
    for (audited, told) in &told {
        let locked = ways.out_of(audited)?;
        for told in told {
            add(options, &mut report.findings, audited, told, locked.clone());
        }
    }
    report.findings.sort_by_key(order);
    report.counts = counts(&report.findings);
    store.close().await.context("closing the data folder")?;
    print::print(options, &report)?;
    Ok(ExitCode::from(code(&report)))
}

/// Reads the lockfiles, each with the manifests beside it.
fn read(
    options: &Audit,
    files: &[PathBuf],
    report: &mut v1::Audit,
) -> Vec<(String, Lockfile, check::Manifests)> {
    if files.is_empty() {
        report.unchecked.push(lockless::finding(&options.folder));
    }
    let mut lockfiles = Vec::new();
    for file in files {
        let mut lockfile = match check::read(file) {
            Ok(lockfile) => lockfile,
            Err((line, what)) => {
                let finding = check::about_file(&UNREADABLE, file, line, &what);
                report.unchecked.push(finding);
                continue;
            }
        };
        let manifests = match check::Manifests::in_folder(&options.folder, &lockfile) {
            Ok(manifests) => manifests,
            Err((file, what)) => {
                report
                    .unchecked
                    .push(check::about_file(&UNREADABLE, &file, 1, &what));
                continue;
            }
        };
        manifests.complete(&mut lockfile);
        report
            .unchecked
            .extend(nothing_locked(options, file, &lockfile, &manifests));
        let named = options.lockfile.as_ref();
        let apart = check::apart(&options.folder, named, &manifests);
        report.unchecked.extend(apart);
        report.lockfiles.push(CheckedLockfile {
            file: check::shown(file),
            client: lockfile.format.client(),
            version: lockfile.version.clone(),
            packages: lockfile
                .nodes
                .iter()
                .filter(|node| !tree::is_local(node))
                .count(),
            digests: None,
        });
        lockfiles.push((check::shown(file), lockfile, manifests));
    }
    lockfiles
}

/// A lockfile that holds nothing of what the project asks for: an empty one would pass every audit.
fn nothing_locked(
    options: &Audit,
    file: &Path,
    lockfile: &Lockfile,
    manifests: &check::Manifests,
) -> Option<CheckFinding> {
    let omitted = |kind| match kind {
        DependencyKind::Dev => options.omit.contains(&Omit::Dev),
        DependencyKind::Optional => options.omit.contains(&Omit::Optional),
        _ => false,
    };
    let what = locked::nothing_locked(lockfile, manifests, &omitted)?;
    let what = format!("could not audit: {what}");
    Some(check::about_file(&NOTHING_LOCKED, file, 1, &what))
}

/// Looks up everything a lockfile locks.
fn ask<'l>(
    options: &Audit,
    advisories: &Advisories,
    file: &'l str,
    tree: &'l Tree<'l>,
    report: &mut v1::Audit,
) -> Result<Vec<(Audited<'l>, Vec<Told>)>> {
    let mut found = Vec::new();
    for (id, node) in tree.lockfile.nodes.iter().enumerate() {
        let omitted = match tree.need(id) {
            Need::Production => false,
            Need::Optional => options.omit.contains(&Omit::Optional),
            Need::Development => options.omit.contains(&Omit::Dev),
        };
        if tree::is_local(node) || omitted {
            continue;
        }
        let from_registry = tree::from_registry(node);
        if !from_registry {
            let rule = match node.is_unclear(tree.lockfile.format) {
                true => &UNKNOWN_SOURCE,
                false => &ELSEWHERE,
            };
            report.unchecked.push(unchecked(rule, file, node));
        }
        let Some(version) = node.version.as_deref() else {
            if from_registry {
                report.unchecked.push(unchecked(&NO_VERSION, file, node));
            }
            continue;
        };
        // A fork or a copy of a package is as flawed as the release whose name and version it bears.
        let told = advisories.about(&node.name)?.told(version);
        if !told.is_empty() {
            let audited = Audited {
                file,
                tree,
                id,
                node,
                version,
            };
            found.push((audited, told));
        }
    }
    Ok(found)
}

fn unchecked(rule: &Rule, file: &str, node: &Node) -> CheckFinding {
    let what = match &node.source {
        _ if tree::from_registry(node) => "the lockfile gives no version".to_owned(),
        Source::Git { url, .. } => format!("it comes from git, {url}"),
        Source::Tarball(url) => format!("it comes from {url}"),
        Source::Other(text) => format!("could not be audited: it comes from {text:?}"),
        _ => "it comes from no registry".to_owned(),
    };
    CheckFinding {
        file: file.to_owned(),
        package: Some(printable(&without_secrets(&node.label()), 300)),
        ..check::about_file(rule, Path::new(file), node.line, &what)
    }
}

/// Adds what is told of a release to what is told of its package.
fn add(
    options: &Audit,
    findings: &mut Vec<AuditFinding>,
    audited: &Audited<'_>,
    told: &Told,
    locked: AuditedRelease,
) {
    let same = findings.iter_mut().find(|finding| {
        finding.id == told.id
            && finding.package == audited.node.name
            && finding.kind == told.kind
            && finding.certain == told.certain
    });
    if let Some(finding) = same {
        finding.vulnerable = join_ranges([&*finding.vulnerable, &*told.vulnerable]);
        let news = told.says.iter().filter(|says| !finding.says.contains(says));
        let news: Vec<_> = news.cloned().collect();
        finding.says.extend(news);
        if told.severity > finding.severity {
            finding.severity = told.severity;
            finding.cvss.clone_from(&told.cvss);
            finding.title.clone_from(&told.summary);
        }
        finding.below_threshold &= is_below(options, told);
        finding.locked.push(locked);
        return;
    }
    findings.push(AuditFinding {
        id: told.id.clone(),
        kind: told.kind,
        aliases: told.aliases.clone(),
        title: told.summary.clone(),
        severity: told.severity,
        cvss: told.cvss.clone(),
        weaknesses: told.weaknesses.clone(),
        url: told.url.clone(),
        package: audited.node.name.clone(),
        vulnerable: told.vulnerable.clone(),
        certain: told.certain,
        below_threshold: is_below(options, told),
        says: told.says.clone(),
        locked: vec![locked],
    });
}

/// Whether it is rated, and milder than what is asked for. Malware never is.
fn is_below(options: &Audit, told: &Told) -> bool {
    let is_mild = |severity| severity < options.severity;
    told.kind == AdvisoryKind::Vulnerability && told.severity.is_some_and(is_mild)
}

/// Malware first, then what nobody rates or is worst.
fn order(finding: &AuditFinding) -> impl Ord + use<> {
    let severity = finding.severity.map_or(u8::MAX, |it| it as u8);
    (
        finding.kind,
        !finding.certain,
        std::cmp::Reverse(severity),
        finding.package.clone(),
        finding.id.clone(),
    )
}

fn counts(findings: &[AuditFinding]) -> AuditCounts {
    let mut counts = AuditCounts::default();
    for finding in findings {
        counts.below_threshold += usize::from(finding.below_threshold);
        let place = match (finding.certain, finding.kind, finding.severity) {
            (false, ..) => &mut counts.unclear,
            (true, AdvisoryKind::Malware, _) => &mut counts.malware,
            (true, _, Some(FlawSeverity::Critical)) => &mut counts.critical,
            (true, _, Some(FlawSeverity::High)) => &mut counts.high,
            (true, _, Some(FlawSeverity::Moderate)) => &mut counts.moderate,
            (true, _, Some(FlawSeverity::Low)) => &mut counts.low,
            (true, _, Some(FlawSeverity::Info)) => &mut counts.info,
            (true, _, None) => &mut counts.unstated,
        };
        *place += 1;
    }
    counts
}

/// Found is found; else what could not be audited is no pass.
fn code(report: &v1::Audit) -> u8 {
    let reasons = report.findings.iter().filter(|it| !it.below_threshold);
    let unchecked = report.unchecked.iter().map(|it| it.level);
    let worst = unchecked.max();
    if worst == Some(CheckLevel::Error) || reasons.clone().any(|finding| finding.certain) {
        exit::FOUND
    } else if worst == Some(CheckLevel::Warning) || reasons.clone().next().is_some() {
        exit::FAILED
    } else {
        exit::FINE
    }
}
