//! `weir verify`: whether what a lockfile locks is what its registries signed and its repositories built.

mod rules;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use weir_engine::trust::{
    NO_SUCH_PACKAGE, NO_SUCH_VERSION, NOT_COMPARED, ReleaseVerifier, UNREADABLE_ENTRY,
};
use weir_model::finding::printable;
use weir_model::json::v1::{
    self, CheckFinding, CheckLevel, CheckedLockfile, VerifiedRelease, VerifyCounts,
};
use weir_model::{AttestationState, Breach, ClaimChange, ClaimKind, SignatureState, Trust};
use weir_npm::lockfile::{Lockfile, Node, NodeId, Source};

use self::rules::{
    ATTESTATION, CHANGED, ELSEWHERE, MISSING, NO_SUCH_RELEASE, NOTHING_LOCKED, ORDINARY,
    OWN_ARCHIVES, Rule, SIGNATURE, UNASKABLE, UNCHECKED, UNCOMPARED, UNEXPECTED, UNREADABLE,
    UNREADABLE_THERE, UNSIGNED, UNUSUAL, WITHHELD_NAMES,
};
use super::locked::{Locked, Recorded, manifests, nothing_locked, unaskable};
use super::{check, lockless, own};
use crate::addresses::without_secrets;
use crate::causes::{Cause, Causes};
use crate::cli::{Global, Verify};
use crate::counted::counted;
use crate::{exit, setup};

/// Verifies a project's lockfiles; the exit code tells whether all of it holds.
pub(super) async fn run(global: &Global, options: &Verify) -> Result<ExitCode> {
    let files = lockless::find(&options.folder, options.lockfile.as_ref())?;
    let mut report = v1::Verify {
        schema: v1::VERIFY,
        lockfiles: Vec::new(),
        counts: VerifyCounts::default(),
        releases: Vec::new(),
        findings: Vec::new(),
    };
    let mut lockfiles = Vec::new();
    if files.is_empty() {
        report.findings.push(lockless::finding(&options.folder));
    }
    for file in &files {
        match check::read(file) {
            Ok(lockfile) => {
                report.findings.extend(left_out(options, file, &lockfile));
                lockfiles.push((check::shown(file), lockfile));
            }
            Err((line, what)) => {
                let file = check::shown(file);
                report
                    .findings
                    .push(finding(&UNREADABLE, &file, line, &what));
            }
        }
    }
    if !lockfiles.is_empty() {
        let trusts = trusts(global, options, &lockfiles).await?;
        for (file, lockfile) in &lockfiles {
            judge(file, lockfile, &trusts, &mut report);
        }
        let unnamed = std::mem::take(&mut report.counts.unchecked);
        report.counts = counts(&trusts);
        report.counts.unchecked += unnamed;
        let releases = trusts.into_iter().map(|(locked, trust)| VerifiedRelease {
            name: locked.wanted.name.to_string(),
            version: locked.wanted.version,
            trust,
        });
        report.releases = releases.collect();
    }
    print(options, &report)?;
    Ok(ExitCode::from(code(&report)))
}

fn code(report: &v1::Verify) -> u8 {
    let has = |level| report.findings.iter().any(|finding| finding.level == level);
    let counts = &report.counts;
    let nothing = counts.signed == 0 && !report.releases.is_empty();
    if has(CheckLevel::Error) {
        exit::FOUND
    } else if counts.unchecked > 0 || nothing {
        exit::FAILED
    } else {
        exit::FINE
    }
}

/// What registries and logs say of everything that the lockfiles take from registries.
async fn trusts(
    global: &Global,
    options: &Verify,
    lockfiles: &[(String, Lockfile)],
) -> Result<BTreeMap<Locked, Trust>> {
    let mut locked: Vec<Locked> = lockfiles
        .iter()
        .flat_map(|(_, lockfile)| {
            let nodes = lockfile.nodes.iter();
            nodes.filter_map(|node| Locked::of(node, lockfile.format))
        })
        .collect();
    locked.sort();
    locked.dedup();
    let policy = setup::policy_of(global, &options.folder)?;
    let folder = std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
    let upstreams = Arc::new(setup::upstreams_of_project(global, &policy, &folder, None)?);
    let (withheld, asked): (Vec<Locked>, Vec<Locked>) = locked
        .into_iter()
        .partition(|it| own::is_withheld(&policy, &upstreams, &it.wanted.name));
    let sources = setup::trust(global)?;
    let store = setup::store(global).await?;
    let verifier = Arc::new(ReleaseVerifier::new(
        &policy,
        store.clone(),
        upstreams,
        &sources,
    )?);
    let wanted: Vec<_> = asked.iter().map(|it| it.wanted.clone()).collect();
    let trusts = verifier.verify(&wanted).await;
    store.close().await.context("closing the data folder")?;
    let unasked = withheld
        .into_iter()
        .map(|it| (it, Trust::unchecked(own::WITHHELD)));
    let answered = asked.into_iter().zip(trusts?).map(|(locked, trust)| {
        let trust = locked.judged(trust);
        (locked, trust)
    });
    Ok(answered.chain(unasked).collect())
}

/// That a lockfile lists nothing of what the project asks for or leaves workspaces out, or why that is not known.
fn left_out(options: &Verify, file: &Path, lockfile: &Lockfile) -> Vec<CheckFinding> {
    let folder = &options.folder;
    let manifests = match manifests(folder, lockfile) {
        Ok(Some(manifests)) => manifests,
        Ok(None) => return Vec::new(),
        Err((file, what)) => return vec![finding(&UNREADABLE, &check::shown(&file), 1, &what)],
    };
    let mut found = check::apart(folder, options.lockfile.as_ref(), &manifests);
    if let Some(what) = nothing_locked(lockfile, &manifests, &|_| false) {
        let what = format!("could not verify: {what}");
        found.push(finding(&NOTHING_LOCKED, &check::shown(file), 1, &what));
    }
    found
}

/// What does not hold of a release, at its entry: what a bill names as well, and whoever asks for one is to hear of.
pub(super) fn errors(file: &str, node: &Node, path: &[String], trust: &Trust) -> Vec<CheckFinding> {
    let wrong = notes(trust).into_iter();
    let wrong = wrong.filter(|(rule, _)| rule.level == CheckLevel::Error);
    wrong
        .map(|(rule, what)| of_entry(rule, file, node, path.to_vec(), &what))
        .collect()
}

/// How an entry's bytes are recorded and signed, if anybody could be asked, and what there is to say of it.
type About<'t> = (
    Option<(Recorded, &'t SignatureState)>,
    Vec<(&'static Rule, String)>,
);

/// Notes what was found at each entry of a lockfile.
fn judge(
    file: &str,
    lockfile: &Lockfile,
    trusts: &BTreeMap<Locked, Trust>,
    report: &mut v1::Verify,
) {
    let paths = lockfile.paths();
    let (mut unsigned, mut archives) = (Vec::new(), Vec::new());
    let mut packages = 0;
    let mut elsewhere: Vec<&Node> = Vec::new();
    let mut unanswered = Causes::default();
    for (id, node) in lockfile.nodes.iter().enumerate() {
        if matches!(node.source, Source::Tarball(_) | Source::Git { .. }) {
            elsewhere.push(node);
        }
        let found = about(node, lockfile, trusts, report);
        let Some((locked, notes)) = found else {
            continue;
        };
        packages += 1;
        match locked {
            Some((_, SignatureState::Unsigned)) => unsigned.push(node.line),
            Some((Recorded::OwnArchive, SignatureState::Verified { .. })) => {
                archives.push(node.line);
            }
            _ => {}
        }
        for (rule, what) in notes {
            // Where a registry does not answer, that is one thing to say, and not one for each of its packages.
            if *rule == UNCHECKED {
                unanswered.add(&node.name, node.version.as_deref(), id, &what);
                continue;
            }
            report
                .findings
                .push(of_entry(rule, file, node, path_to(&paths, id), &what));
        }
    }
    for Cause { first, why, count } in unanswered.into_all() {
        let Some(node) = lockfile.node(first) else {
            continue;
        };
        report.findings.push(match count {
            1 => of_entry(&UNCHECKED, file, node, path_to(&paths, first), &why),
            _ => {
                let what = format!("{count} releases, {} first: {why}", node.label());
                finding(&UNCHECKED, file, node.line, &what)
            }
        });
    }
    if let Some(line) = archives.first() {
        let what = format!(
            "{} of yarn's own archives, which no registry knows: that these are of what was signed was not compared",
            counted(
                archives.len(),
                "entry holds a digest",
                "entries hold digests"
            )
        );
        report
            .findings
            .push(finding(&OWN_ARCHIVES, file, *line, &what));
    }
    if let Some(first) = elsewhere.first() {
        let what = format!(
            "{}, {} first",
            counted(
                elsewhere.len(),
                "package comes from an address of its own, which signs nothing",
                "packages come from addresses of their own, which sign nothing"
            ),
            printable(&without_secrets(&first.label()), 300)
        );
        let told = finding(&ELSEWHERE, file, first.line, &what);
        report.findings.push(told);
    }
    if let Some(line) = unsigned.first() {
        let what = counted(
            unsigned.len(),
            "package comes from a registry that signs nothing",
            "packages come from registries that sign nothing",
        );
        report.findings.push(finding(&UNSIGNED, file, *line, &what));
    }
    report.lockfiles.push(CheckedLockfile {
        file: file.to_owned(),
        client: lockfile.format.client(),
        version: lockfile.version.clone(),
        packages,
        digests: None,
    });
}

/// A finding about one entry.
fn of_entry(rule: &Rule, file: &str, node: &Node, path: Vec<String>, what: &str) -> CheckFinding {
    CheckFinding {
        package: Some(printable(&without_secrets(&node.label()), 300)),
        path,
        ..finding(rule, file, node.line, what)
    }
}

pub(super) fn path_to(paths: &weir_npm::lockfile::Paths<'_>, id: NodeId) -> Vec<String> {
    let path = paths.to(id);
    path.iter().map(|edge| printable(&edge.name, 220)).collect()
}

/// What is known of an entry's bytes and signature, and what there is to say; nothing for what comes from no
/// registry. An entry that nobody can be asked about counts as not checked.
fn about<'t>(
    node: &Node,
    lockfile: &Lockfile,
    trusts: &'t BTreeMap<Locked, Trust>,
    report: &mut v1::Verify,
) -> Option<About<'t>> {
    if let Some(why) = unaskable(node, lockfile.format) {
        report.counts.unchecked += 1;
        return Some((None, vec![(&UNASKABLE, why.to_owned())]));
    }
    let locked = Locked::of(node, lockfile.format)?;
    let trust = trusts.get(&locked)?;
    Some((Some((locked.recorded, &trust.signature)), notes(trust)))
}

/// What there is to say of a release.
fn notes(trust: &Trust) -> Vec<(&'static Rule, String)> {
    let mut notes = Vec::new();
    match &trust.signature {
        SignatureState::Failed { why } => notes.push((&SIGNATURE, why.clone())),
        SignatureState::Missing => {
            let what = "the registry signs its releases, and of this one it gives no signature, or no integrity \
                        (dist.integrity) that it would be of";
            notes.push((&MISSING, what.to_owned()));
        }
        SignatureState::Unchecked { why } => {
            notes.push((unchecked(why), why.clone()));
        }
        SignatureState::Verified { .. } | SignatureState::Unsigned => {}
    }
    match &trust.attestations {
        AttestationState::Failed { why } => notes.push((&ATTESTATION, why.clone())),
        AttestationState::Unchecked { why } => {
            let known =
                matches!(&trust.signature, SignatureState::Unchecked { why: it } if it == why);
            if !known {
                notes.push((unchecked(why), why.clone()));
            }
        }
        AttestationState::None | AttestationState::Verified { .. } => {}
    }
    for breach in &trust.breaches {
        let rule = if breach.decisive {
            &UNEXPECTED
        } else {
            &UNUSUAL
        };
        notes.push((rule, unexpected(breach)));
    }
    for change in &trust.changes {
        let rule = if change.claim.is_ordinary() {
            &ORDINARY
        } else {
            &CHANGED
        };
        notes.push((rule, sentence(change, trust.since.as_deref())));
    }
    notes
}

/// The rule about what was not checked for this reason: what helps is not the same for all.
fn unchecked(why: &str) -> &'static Rule {
    if why == own::WITHHELD {
        &WITHHELD_NAMES
    } else if why == NO_SUCH_VERSION || why == NO_SUCH_PACKAGE {
        &NO_SUCH_RELEASE
    } else if why.ends_with(NOT_COMPARED) {
        &UNCOMPARED
    } else if why.starts_with(UNREADABLE_ENTRY) {
        &UNREADABLE_THERE
    } else {
        &UNCHECKED
    }
}

fn unexpected(breach: &Breach) -> String {
    let Breach {
        what,
        expected,
        found,
        package,
        ..
    } = breach;
    format!(
        "its {} is {found}, and {expected} is expected of {package}",
        what.as_str()
    )
}

fn sentence(change: &ClaimChange, since: Option<&str>) -> String {
    let since = since.unwrap_or("before");
    let ClaimChange {
        claim,
        before,
        after,
    } = change;
    match claim {
        ClaimKind::Lost => format!("it has no provenance, and {since} was {before}"),
        ClaimKind::SameRun => format!("published by the same run as {since}: {after}"),
        claim => format!(
            "its {} is {after}, and was {before} in {since}",
            claim.as_str()
        ),
    }
}

fn finding(rule: &Rule, file: &str, line: u32, what: &str) -> CheckFinding {
    CheckFinding {
        rule: rule.id,
        level: rule.level,
        file: file.to_owned(),
        line,
        package: None,
        what: printable(&without_secrets(what), 600),
        todo: rule.todo,
        path: Vec::new(),
    }
}

fn counts(trusts: &BTreeMap<Locked, Trust>) -> VerifyCounts {
    let mut counts = VerifyCounts::default();
    for (locked, trust) in trusts {
        if trust.failures().next().is_some() {
            counts.failed += 1;
            continue;
        }
        match trust.signature {
            SignatureState::Verified { .. } => {
                counts.signed += 1;
                counts.not_comparable += usize::from(locked.recorded == Recorded::OwnArchive);
            }
            SignatureState::Missing => counts.missing += 1,
            SignatureState::Unsigned => counts.unsigned += 1,
            SignatureState::Unchecked { .. } | SignatureState::Failed { .. } => {}
        }
        let unchecked = matches!(trust.signature, SignatureState::Unchecked { .. })
            || matches!(trust.attestations, AttestationState::Unchecked { .. });
        counts.unchecked += usize::from(unchecked);
        counts.provenance += usize::from(trust.claims().is_some());
        let deviates = trust
            .changes
            .iter()
            .any(|change| !change.claim.is_ordinary());
        counts.changed += usize::from(deviates);
        counts.unexpected += usize::from(!trust.breaches.is_empty());
    }
    counts
}

fn print(options: &Verify, report: &v1::Verify) -> Result<()> {
    if let Some(file) = &options.sarif {
        let document = check::sarif::document(&report.findings);
        let text = serde_json::to_string_pretty(&document).context("writing SARIF")?;
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    if options.json {
        let text = serde_json::to_string(report).context("writing JSON")?;
        crate::out::println!("{text}");
        return Ok(());
    }
    for finding in &report.findings {
        crate::out::print!("{}", check::line(finding));
    }
    if report.lockfiles.is_empty() {
        return Ok(());
    }
    let VerifyCounts {
        signed,
        provenance,
        missing,
        failed,
        changed,
        unsigned,
        unchecked,
        unexpected,
        not_comparable,
    } = report.counts;
    let files: Vec<&str> = report.lockfiles.iter().map(|it| it.file.as_str()).collect();
    let unnamed = report.findings.iter().filter(|it| it.rule == UNASKABLE.id);
    crate::out::println!(
        "{}: {}: {signed} signed, {provenance} with provenance, {missing} missing, {failed} failed, \
         {changed} changed, {unsigned} of registries that do not sign, {unchecked} not checked{}{}",
        files.join(", "),
        counted(
            report.releases.len() + unnamed.count(),
            "release",
            "releases"
        ),
        // Only who expects something is told about it.
        match unexpected {
            0 => String::new(),
            number => format!(", {number} not as expected"),
        },
        match not_comparable {
            0 => String::new(),
            number => format!(
                "; of {number} of the signed ones the lockfile's own digests cannot be compared (yarn's archives)"
            ),
        },
    );
    Ok(())
}
