//! `weir verify`: whether what a lockfile locks is what its registries signed and its repositories built.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use weir_engine::trust::{ReleaseVerifier, Wanted};
use weir_model::finding::printable;
use weir_model::json::v1::{
    self, CheckFinding, CheckLevel, CheckedLockfile, VerifiedRelease, VerifyCounts,
};
use weir_model::{AttestationState, Breach, ClaimChange, ClaimKind, SignatureState, Trust};
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Lockfile, Node, NodeId, Source};
use weir_npm::name::PackageName;

use super::{check, own};
use crate::cli::{Global, Verify};
use crate::{exit, setup};

/// A rule: its id, how much its findings matter, and what to do about them.
struct Rule {
    id: &'static str,
    level: CheckLevel,
    todo: &'static str,
}

const NO_LOCKFILE: Rule = Rule {
    id: "no-lockfile",
    level: CheckLevel::Error,
    todo: "run the client's install once and commit the lockfile it writes",
};
const UNREADABLE: Rule = Rule {
    id: "unreadable",
    level: CheckLevel::Error,
    todo: "nothing in this file was verified: restore it, or let the client write it anew",
};
const SIGNATURE: Rule = Rule {
    id: "signature-failed",
    level: CheckLevel::Error,
    todo: "do not install it: what is served is not what the registry signed",
};
const MISSING: Rule = Rule {
    id: "signature-missing",
    level: CheckLevel::Error,
    todo: "find out why the registry, which signs its releases, did not sign this one",
};
const ATTESTATION: Rule = Rule {
    id: "attestation-failed",
    level: CheckLevel::Error,
    todo: "do not install it: its attestations are about something else, or nobody's",
};
const CHANGED: Rule = Rule {
    id: "provenance-changed",
    level: CheckLevel::Warning,
    todo: "ask the project whether it means to build there now, before taking the release",
};
const ORDINARY: Rule = Rule {
    id: "provenance-changed",
    level: CheckLevel::Note,
    todo: "nothing, if the project says so",
};
const UNEXPECTED: Rule = Rule {
    id: "broken-expectation",
    level: CheckLevel::Error,
    todo: "do not install it before you know why: your policy says how it is built and published",
};
const UNUSUAL: Rule = Rule {
    id: "broken-expectation",
    level: CheckLevel::Warning,
    todo: "find out whether the project releases in another way now, and change the expectation if so",
};
const UNCHECKED: Rule = Rule {
    id: "unchecked",
    level: CheckLevel::Warning,
    todo: "run it again when the registry answers: it counts as not verified",
};
const WITHHELD_NAMES: Rule = Rule {
    id: "names-withheld",
    level: CheckLevel::Warning,
    todo: own::NAME_THEIR_REGISTRY,
};
const UNSIGNED: Rule = Rule {
    id: "unsigned-registry",
    level: CheckLevel::Note,
    todo: "nothing can be verified there: the registry names no keys",
};

/// Verifies a project's lockfiles; the exit code tells whether all of it holds.
pub(super) async fn run(global: &Global, options: &Verify) -> Result<ExitCode> {
    let mut report = v1::Verify {
        schema: v1::VERIFY,
        lockfiles: Vec::new(),
        counts: VerifyCounts::default(),
        releases: Vec::new(),
        findings: Vec::new(),
    };
    let mut lockfiles = Vec::new();
    let files = check::find(&options.folder, options.lockfile.as_ref());
    if files.is_empty() {
        let file = check::shown(&options.folder.join("package.json"));
        let what = format!("there is no lockfile in {}", options.folder.display());
        report.findings.push(finding(&NO_LOCKFILE, &file, 1, &what));
    }
    for file in &files {
        match check::read(file) {
            Ok(lockfile) => lockfiles.push((check::shown(file), lockfile)),
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
        report.counts = counts(trusts.values());
        let releases = trusts.into_iter().map(|(wanted, trust)| VerifiedRelease {
            name: wanted.name.to_string(),
            version: wanted.version,
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
) -> Result<BTreeMap<Wanted, Trust>> {
    let nodes = lockfiles.iter().flat_map(|(_, lockfile)| &lockfile.nodes);
    let mut wanted: Vec<Wanted> = nodes.filter_map(wanted_of).collect();
    wanted.sort();
    wanted.dedup();
    let policy = setup::policy_of(global, &options.folder)?;
    let folder = std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
    let upstreams = Arc::new(setup::upstreams_of(global, &policy, &folder)?);
    let (withheld, wanted): (Vec<Wanted>, Vec<Wanted>) = wanted
        .into_iter()
        .partition(|it| own::is_withheld(&policy, &upstreams, &it.name));
    let sources = setup::trust(global)?;
    let store = setup::store(global).await?;
    let verifier = Arc::new(ReleaseVerifier::new(
        &policy,
        store.clone(),
        upstreams,
        &sources,
    )?);
    let trusts = verifier.verify(&wanted).await;
    store.close().await.context("closing the data folder")?;
    let unasked = withheld
        .into_iter()
        .map(|it| (it, Trust::unchecked(own::WITHHELD)));
    Ok(wanted.into_iter().zip(trusts?).chain(unasked).collect())
}

/// The release an entry takes from a registry. What comes inside another package's tarball is covered by
/// that one's signature.
fn wanted_of(node: &Node) -> Option<Wanted> {
    if !matches!(node.source, Source::Registry(_)) || node.flags.bundled {
        return None;
    }
    Some(Wanted {
        name: PackageName::parse(&node.name).ok()?,
        version: node.version.clone()?,
        integrity: node
            .integrity
            .as_deref()
            .and_then(|text| Integrity::parse(text).ok()),
    })
}

/// Notes what was found at each entry of a lockfile.
fn judge(
    file: &str,
    lockfile: &Lockfile,
    trusts: &BTreeMap<Wanted, Trust>,
    report: &mut v1::Verify,
) {
    let paths = lockfile.paths();
    let mut unsigned = Vec::new();
    let mut packages = 0;
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let Some(trust) = wanted_of(node).and_then(|wanted| trusts.get(&wanted)) else {
            continue;
        };
        packages += 1;
        if trust.signature == SignatureState::Unsigned {
            unsigned.push(node.line);
        }
        for (rule, what) in notes(trust) {
            let mut finding = finding(rule, file, node.line, &what);
            finding.package = Some(printable(&node.label(), 300));
            finding.path = path_to(&paths, id);
            report.findings.push(finding);
        }
    }
    if let Some(line) = unsigned.first() {
        let what = format!(
            "{} packages come from registries that sign nothing",
            unsigned.len()
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

fn path_to(paths: &weir_npm::lockfile::Paths<'_>, id: NodeId) -> Vec<String> {
    let path = paths.to(id);
    path.iter().map(|edge| printable(&edge.name, 220)).collect()
}

/// What there is to say of a release.
fn notes(trust: &Trust) -> Vec<(&'static Rule, String)> {
    let mut notes = Vec::new();
    match &trust.signature {
        SignatureState::Failed { why } => notes.push((&SIGNATURE, why.clone())),
        SignatureState::Missing => {
            let what = "the registry signs its releases and has no signature for this one";
            notes.push((&MISSING, what.to_owned()));
        }
        SignatureState::Unchecked { why } => {
            let rule = if why == own::WITHHELD {
                &WITHHELD_NAMES
            } else {
                &UNCHECKED
            };
            notes.push((rule, why.clone()));
        }
        SignatureState::Verified { .. } | SignatureState::Unsigned => {}
    }
    match &trust.attestations {
        AttestationState::Failed { why } => notes.push((&ATTESTATION, why.clone())),
        AttestationState::Unchecked { why } => {
            let known =
                matches!(&trust.signature, SignatureState::Unchecked { why: it } if it == why);
            if !known {
                notes.push((&UNCHECKED, why.clone()));
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
        what: printable(what, 600),
        todo: rule.todo,
        path: Vec::new(),
    }
}

fn counts<'t>(trusts: impl Iterator<Item = &'t Trust>) -> VerifyCounts {
    let mut counts = VerifyCounts::default();
    for trust in trusts {
        if trust.failures().next().is_some() {
            counts.failed += 1;
            continue;
        }
        match trust.signature {
            SignatureState::Verified { .. } => counts.signed += 1,
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
        anstream::println!("{text}");
        return Ok(());
    }
    for finding in &report.findings {
        anstream::print!("{}", check::line(finding));
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
    } = report.counts;
    let files: Vec<&str> = report.lockfiles.iter().map(|it| it.file.as_str()).collect();
    anstream::println!(
        "{}: {} releases: {signed} signed, {provenance} with provenance, {missing} missing, {failed} failed, \
         {changed} changed, {unsigned} of registries that do not sign, {unchecked} not checked{}",
        files.join(", "),
        report.releases.len(),
        // Only who expects something is told about it.
        match unexpected {
            0 => String::new(),
            number => format!(", {number} not as expected"),
        },
    );
    Ok(())
}
