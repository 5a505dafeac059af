//! Audits: what the advisories here and the registries behind say of many releases.
//!
//! Nobody's word replaces another's: what either tells of is told. A registry is asked about its own
//! packages only, and the default one never about names that are yours (`names.own`,
//! `names.internal`).

mod ask;
mod heard;
mod keys;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_npm::name::PackageName;
use weir_store::Advisories;
use weir_upstream::Upstream;

pub use self::heard::{Heard, NO_FIX};
use self::heard::{join, join_told};
pub use self::keys::given_twice;
use crate::{Engine, EngineError};

/// Names and the versions of each that are asked about.
pub type Asked = BTreeMap<String, BTreeSet<String>>;

/// What came of asking a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamSaid {
    /// It answered.
    Answered,
    /// It has no audit.
    Missing,
    /// It failed, or could not be understood in full, for this reason.
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
    /// Adds what came of asking a registry.
    fn take_in(&mut self, asked: &Asked, id: String, said: UpstreamSaid, heard: ask::Answers) {
        if let UpstreamSaid::Failed(why) = &said {
            tracing::warn!(
                upstream = id,
                why,
                "an audit is answered without what the registry has to say, or a part of it"
            );
        }
        self.upstreams.push((id, said));
        for (name, more) in heard {
            // A registry may only speak of what it was asked about.
            if let Some(versions) = asked.get(&name) {
                let known = self.heard.entry(name).or_default();
                more.into_iter().for_each(|it| join(known, it, versions));
            }
        }
    }

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
    pub async fn audit(&self, asked: Arc<Asked>) -> Result<AuditAnswer, EngineError> {
        let (advisories, here) = (self.advisories(), Arc::clone(&asked));
        let mut answer = aside(move || heard_here(&advisories, &here)).await??;
        let mut asking = Vec::new();
        for (upstream, names) in self.by_upstream(&asked, &mut answer.withheld) {
            asking.push(async move {
                let (said, heard) = ask::ask(&upstream, &names).await;
                (upstream.id().to_owned(), said, heard)
            });
        }
        let said = futures_util::future::join_all(asking).await;
        aside(move || {
            for (id, said, heard) in said {
                answer.take_in(&asked, id, said, heard);
            }
            answer.heard.retain(|_, heard| !heard.is_empty());
            answer
        })
        .await
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

/// What the advisories here say.
fn heard_here(advisories: &Advisories, asked: &Asked) -> Result<AuditAnswer, EngineError> {
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

/// Does the work of an audit where no other request waits for it: a large tree takes seconds.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EngineError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| EngineError::Audit(error.to_string()))
}

#[cfg(test)]
mod tests;
