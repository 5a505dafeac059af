//! Audits: what the advisories here and the registries behind say of many releases.
//!
//! Nobody's word replaces another's: what either tells of is told. A registry is asked about its own
//! packages only, and the default one never about names that are yours (`names.own`,
//! `names.internal`).

mod ask;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_model::{AdvisoryKind, FlawSeverity, Told};
use weir_npm::name::PackageName;
use weir_npm::version::{Range, Version};
use weir_upstream::Upstream;

use crate::{Engine, EngineError};

/// Names and the versions of each that are asked about.
pub type Asked = BTreeMap<String, BTreeSet<String>>;

/// What is told of a package: one flaw, or malware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its ids: those of databases, as far as they are known.
    pub ids: BTreeSet<String>,
    /// The number a registry has given it.
    pub number: Option<u64>,
    /// Where to read on.
    pub url: String,
    /// One line about it.
    pub title: String,
    /// How bad it is; `None` where nobody says.
    pub severity: Option<FlawSeverity>,
    /// The affected versions, as a range of npm's with all prereleases.
    pub vulnerable: String,
    /// The versions that are a fix, as a range of npm's; `None` where no fix is stated.
    pub patched: Option<String>,
    /// Weaknesses it is an example of (`CWE-…`).
    pub weaknesses: Vec<String>,
    /// Score in tenths, and vector, where there is one.
    pub cvss: Option<(u8, Option<String>)>,
    /// Which of the versions that were asked about are affected.
    pub versions: BTreeSet<String>,
}

/// What came of asking a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamSaid {
    /// It answered.
    Answered,
    /// It has no audit.
    Missing,
    /// It failed, for this reason.
    Failed(String),
}

/// The answer to an audit.
#[derive(Debug, Clone, Default)]
pub struct AuditAnswer {
    /// What is told, by package.
    pub heard: BTreeMap<String, Vec<Heard>>,
    /// Whether there are any advisories here.
    pub has_advisories: bool,
    /// The registries that were asked, and what came of it.
    pub upstreams: Vec<(String, UpstreamSaid)>,
    /// How many names are told to no registry.
    pub withheld: usize,
}

impl AuditAnswer {
    /// Whether anybody who could know was heard on every name.
    #[must_use]
    pub fn is_grounded(&self) -> bool {
        let answered = |(_, said): &(String, UpstreamSaid)| *said == UpstreamSaid::Answered;
        let withheld_only = self.withheld > 0 && self.upstreams.is_empty();
        self.has_advisories || (self.upstreams.iter().all(answered) && !withheld_only)
    }
}

impl Engine {
    /// Audits releases.
    ///
    /// # Errors
    /// When the advisories cannot be read. A registry that fails is part of the answer.
    pub async fn audit(&self, asked: &Asked) -> Result<AuditAnswer, EngineError> {
        let mut answer = self.audit_here(asked)?;
        let mut asking = Vec::new();
        for (upstream, names) in self.by_upstream(asked, &mut answer.withheld) {
            asking.push(async move {
                let (said, heard) = ask::ask(&upstream, &names).await;
                (upstream.id().to_owned(), said, heard)
            });
        }
        for (id, said, heard) in futures_util::future::join_all(asking).await {
            if let UpstreamSaid::Failed(why) = &said {
                tracing::warn!(
                    upstream = id,
                    why,
                    "an audit is answered without the registry"
                );
            }
            answer.upstreams.push((id, said));
            for (name, more) in heard {
                // A registry may only speak of what it was asked about.
                if let Some(versions) = asked.get(&name) {
                    let known = answer.heard.entry(name).or_default();
                    more.into_iter().for_each(|it| join(known, it, versions));
                }
            }
        }
        answer.heard.retain(|_, heard| !heard.is_empty());
        Ok(answer)
    }

    /// What the advisories here say.
    fn audit_here(&self, asked: &Asked) -> Result<AuditAnswer, EngineError> {
        let advisories = self.advisories();
        let mut answer = AuditAnswer {
            has_advisories: !advisories.is_empty(),
            ..AuditAnswer::default()
        };
        for (name, versions) in asked {
            let about = advisories.about(name)?;
            let mut known: Vec<Heard> = Vec::new();
            for version in versions {
                for told in about.told(version) {
                    join_told(&mut known, &told, version);
                }
            }
            if !known.is_empty() {
                answer.heard.insert(name.clone(), known);
            }
        }
        Ok(answer)
    }

    /// Who is asked about what.
    fn by_upstream(&self, asked: &Asked, withheld: &mut usize) -> Vec<(Arc<Upstream>, Asked)> {
        let default = self.upstreams.default_upstream();
        let mut groups: Vec<(Arc<Upstream>, Asked)> = Vec::new();
        for (name, versions) in asked {
            let upstream = PackageName::parse(name).ok();
            let upstream = upstream.map(|name| self.upstreams.upstream_for(&name));
            let upstream = upstream.filter(|upstream| {
                upstream.id() != default.id() || !self.policy.names.is_own(name)
            });
            let Some(upstream) = upstream else {
                *withheld += 1;
                continue;
            };
            let group = groups
                .iter_mut()
                .find(|(known, _)| known.id() == upstream.id());
            match group {
                Some((_, names)) => {
                    names.insert(name.clone(), versions.clone());
                }
                None => {
                    let names = Asked::from([(name.clone(), versions.clone())]);
                    groups.push((Arc::clone(upstream), names));
                }
            }
        }
        groups
    }
}

fn join_told(known: &mut Vec<Heard>, told: &Told, version: &str) {
    let heard = Heard {
        ids: told.ids().map(str::to_owned).collect(),
        number: None,
        url: told.url.clone(),
        title: title(told),
        severity: told.severity,
        vulnerable: told.vulnerable.clone(),
        patched: patched(&told.fixes),
        weaknesses: told.weaknesses.clone(),
        cvss: told
            .cvss
            .as_ref()
            .map(|cvss| (cvss.score.tenths(), Some(cvss.vector.clone()))),
        versions: BTreeSet::from([version.to_owned()]),
    };
    merge(known, heard);
}

/// Fixed versions as a range: from the last fix on, and of those before it no more than what is named.
fn patched(fixes: &[String]) -> Option<String> {
    let (last, before) = fixes.split_last()?;
    let before: String = before.iter().map(|fix| format!("{fix} || ")).collect();
    Some(format!("{before}>={last}"))
}

fn title(told: &Told) -> String {
    let summary = match told.summary.as_str() {
        "" => told.id.as_str(),
        summary => summary,
    };
    let prefix = match told.kind {
        AdvisoryKind::Malware if !summary.to_ascii_lowercase().contains("mal") => "Malware: ",
        _ => "",
    };
    let suffix = match (told.certain, told.severity) {
        (false, _) => " (which versions cannot be read from the advisory: any may be affected)",
        (true, None) => " (severity not stated)",
        (true, Some(_)) => "",
    };
    format!("{prefix}{summary}{suffix}")
}

/// Takes in what a registry says, if it concerns a version that was asked about.
fn join(known: &mut Vec<Heard>, mut heard: Heard, versions: &BTreeSet<String>) {
    let range = Range::parse_with_prereleases(&heard.vulnerable).ok();
    let affected = versions.iter().filter(|version| {
        let version = Version::parse(version).ok();
        match (&range, version) {
            (Some(range), Some(version)) => range.matches(&version),
            // The registry was asked about these versions only: what cannot be compared is meant.
            _ => true,
        }
    });
    heard.versions = affected.cloned().collect();
    if !heard.versions.is_empty() {
        merge(known, heard);
    }
}

/// Puts two reports of one flaw together.
fn merge(known: &mut Vec<Heard>, heard: Heard) {
    let same = known.iter_mut().find(|it| !it.ids.is_disjoint(&heard.ids));
    let Some(same) = same else {
        known.push(heard);
        return;
    };
    let has = same
        .vulnerable
        .split(" || ")
        .any(|it| it == heard.vulnerable);
    if !has && same.vulnerable != "*" && same.vulnerable != heard.vulnerable {
        same.vulnerable = match heard.vulnerable.as_str() {
            "*" => heard.vulnerable,
            more => format!("{} || {more}", same.vulnerable),
        };
    }
    // A fix has to be one to both.
    same.patched = match (same.patched.take(), heard.patched) {
        (Some(one), Some(other)) if one != other => Some(higher(&one, &other)),
        (one, other) => one.or(other),
    };
    same.ids.extend(heard.ids);
    same.number = same.number.or(heard.number);
    same.severity = same.severity.max(heard.severity);
    same.versions.extend(heard.versions);
    if same.cvss.is_none() {
        same.cvss = heard.cvss;
    }
    for weakness in heard.weaknesses {
        if !same.weaknesses.contains(&weakness) {
            same.weaknesses.push(weakness);
        }
    }
}

/// Of two statements of fixed versions the one that begins later.
fn higher(one: &str, other: &str) -> String {
    let first = |text: &str| {
        let bare = text.trim_start_matches(['>', '=', ' ']);
        let word = bare.split([' ', '|']).next().unwrap_or(bare);
        Version::parse(word).ok()
    };
    match (first(one), first(other)) {
        (Some(a), Some(b)) if a >= b => one.to_owned(),
        (Some(_), Some(_)) => other.to_owned(),
        _ => one.to_owned(),
    }
}

#[cfg(test)]
mod tests;
