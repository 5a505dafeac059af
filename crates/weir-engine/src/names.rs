//! What the engine knows of names beyond the lists: which were asked for in vain, which are depended on,
//! and what a release newly depends on.

use weir_model::{Action, Assessment};
use weir_npm::name::PackageName;
use weir_npm::packument::VersionManifest;
use weir_policy::Policy;
use weir_signals::{DependencyFacts, Dependents, NameIndex, NamesError, PublishedBy};

use crate::engine::Engine;
use crate::inspect::pick;
use crate::neighbours::owners;
use crate::packuments::Held;
use crate::verdicts::Verdict;

/// Most new dependencies of a release that are looked at: each costs a packument that whoever installs
/// the release needs as well, and as many are looked at for what they bring along.
const LOOKED_AT: usize = 24;

/// Most dependents told by name.
const TOLD: usize = 5;

/// Signals whose findings weigh less where others depend on the package.
const ABOUT_NAMES: [&str; 2] = ["lookalike-name", "invented-name"];

/// The popular names and the operator's own. Exact names and scopes can be looked for; whatever else a
/// pattern matches is theirs, and nothing is compared with it.
pub(crate) fn index(policy: &Policy) -> Result<NameIndex, NamesError> {
    let (names, scopes) = own(policy);
    let listed = policy.names.clone();
    let is_own = move |name: &str| listed.is_own(name);
    NameIndex::embedded()?.with_own(&names, &scopes, is_own)
}

/// The policy's own and internal names as the name index takes them: exact names, and the scopes that
/// patterns name.
fn own(policy: &Policy) -> (Vec<String>, Vec<String>) {
    let (mut names, mut scopes) = (Vec::new(), Vec::new());
    let internal = policy.names.internal.iter().map(|entry| entry.name());
    for glob in policy.names.own.iter().chain(internal) {
        let text = glob.as_str();
        if !text.contains('*') {
            names.push(text.to_owned());
            continue;
        }
        let scoped = text.strip_prefix('@').and_then(|rest| rest.split_once('/'));
        match scoped {
            Some((scope, _)) if !scope.contains('*') => scopes.push(scope.to_owned()),
            _ => {}
        }
    }
    (names, scopes)
}

/// Whether others depending on the package would make a difference.
pub(crate) fn asks_for_dependents(assessment: &Assessment) -> bool {
    assessment
        .counted()
        .any(|finding| ABOUT_NAMES.contains(&finding.signal.as_str()))
}

impl Engine {
    /// Notes that a name was asked for and there is no such package. Losing it loses a hint.
    pub(crate) async fn note_missed(&self, name: &PackageName, upstream: &str) {
        if !self.records() || self.names.is_own(name.as_str()) || self.rank(name).is_some() {
            return;
        }
        let known = self.store.first_missed(name.as_str(), upstream).await;
        if matches!(known, Ok(Some(_))) {
            return;
        }
        let noted = self.store.note_missed(name.as_str(), upstream, self.now());
        if let Err(error) = noted.await {
            tracing::warn!(package.name = %name, %error, "a name that was asked for could not be noted");
        }
    }

    /// The entry of `names.internal` that says that this release is somebody else's: it comes from the
    /// default registry.
    pub(crate) fn internal_entry(&self, name: &PackageName, version: &str) -> Option<String> {
        let asked = self.upstreams.upstream_for(name).id();
        if asked != self.upstreams.default_upstream().id() {
            return None;
        }
        let entry = self.policy.names.foreign(name.as_str(), version)?;
        Some(entry.to_string())
    }

    /// Who depends on a package, owners of it aside.
    pub(crate) async fn dependents_of(&self, held: &Held, version: &str) -> Option<Dependents> {
        let name = held.packument.name();
        let manifest = self.manifest(held, version).ok();
        let mut own = owners(name, manifest.as_deref());
        let maintainers = held.packument.maintainers().iter();
        own.extend(maintainers.map(|person| format!("by {}", person.name)));
        own.push(name.to_string());
        let found = match held.dependents(&self.store).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(package.name = %name, %error, "dependents could not be looked up");
                return None;
            }
        };
        let mut some: Vec<String> = found
            .iter()
            .filter(|(owner, _)| !own.contains(owner))
            .map(|(_, dependent)| dependent.clone())
            .collect();
        let count = some.len() as u64;
        some.truncate(TOLD);
        Some(Dependents { count, some })
    }

    /// Remembers what a release depends on that passes without a word. Held and blocked ones vouch for
    /// nothing.
    pub(crate) async fn note_dependencies(&self, held: &Held, version: &str, verdict: &Verdict) {
        if !self.records() || verdict.decision.action != Action::Allow {
            return;
        }
        let Ok(manifest) = self.manifest(held, version) else {
            return;
        };
        let name = held.packument.name();
        // A workflow is nobody: then the package stands for itself.
        let owners = owners(name, Some(&manifest));
        let owner = owners.first().map_or(name.as_str(), String::as_str);
        let little_known: Vec<&str> = little_known(&manifest, name)
            .filter(|dependency| self.names.rank(dependency).is_none())
            .collect();
        let noted = self
            .store
            .note_dependencies(name.as_str(), owner, &little_known);
        if let Err(error) = noted.await {
            tracing::warn!(package.name = %name, %error, "dependencies could not be noted");
        }
    }

    /// What the registry says of packages that a release began to depend on, each with what is asked of
    /// it. What cannot be had is left out: nobody can install it either.
    pub(crate) async fn dependency_facts(
        &self,
        wanted: Vec<(String, String)>,
    ) -> Vec<DependencyFacts> {
        let looked_at = wanted.iter().take(LOOKED_AT);
        let asking = looked_at.map(|(name, range)| self.dependency_fact(name, range));
        let found = futures_util::future::join_all(asking).await;
        found.into_iter().flatten().collect()
    }

    async fn dependency_fact(&self, name: &str, range: &str) -> Option<DependencyFacts> {
        let package = PackageName::parse(name).ok()?;
        match self.packuments.get(&package).await {
            Ok(other) => Some(facts(&other, range)),
            Err(error) => {
                tracing::info!(package.name = %name, %error, "a new dependency could not be looked at");
                None
            }
        }
    }
}

/// The names a release depends on, of other scopes than its own.
fn little_known<'m>(
    manifest: &'m VersionManifest,
    name: &'m PackageName,
) -> impl Iterator<Item = &'m str> {
    let scope = name.as_str().split_once('/').map(|(scope, _)| scope);
    manifest
        .manifest
        .dependencies
        .keys()
        .map(String::as_str)
        .filter(move |dependency| {
            scope.is_none() || dependency.split_once('/').map(|(scope, _)| scope) != scope
        })
}

/// What the packument of a dependency says of it.
fn facts(dependency: &Held, range: &str) -> DependencyFacts {
    let packument = &dependency.packument;
    let version = pick(dependency, Some(range), jiff::Timestamp::MAX).ok();
    let manifest = version
        .as_deref()
        .and_then(|version| dependency.manifest(version).ok());
    let mut hooks: Vec<String> = Vec::new();
    let mut repository = None;
    if let Some(manifest) = &manifest {
        let scripts = manifest.manifest.install_scripts();
        hooks.extend(scripts.map(|(event, _)| event.to_owned()));
        if hooks.is_empty() && manifest.manifest.gypfile == Some(true) {
            hooks.push("binding.gyp".to_owned());
        }
        repository = manifest.manifest.repository.clone();
    }
    let publication = version
        .as_deref()
        .and_then(|version| packument.publication(version));
    let maintainers = packument.maintainers().iter();
    DependencyFacts {
        name: packument.name().to_string(),
        created: packument.created(),
        published: version
            .as_deref()
            .and_then(|version| packument.published(version)),
        by: PublishedBy::of(publication.as_ref(), repository.as_deref()),
        maintainers: maintainers.map(|person| person.name.clone()).collect(),
        version,
        hooks,
        repository,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index_of(names: &str) -> NameIndex {
        let policy = Policy::from_toml(&format!("[names]\n{names}\n"), "w").unwrap();
        index(&policy).unwrap()
    }

    #[test]
    fn the_policy_says_which_names_are_ones_own() {
        let index = index_of(r#"own = ["acme-*", "@acme/*", "@mill/web-*", "lodahs"]"#);
        for (name, is) in [
            ("acme-billing", true),
            ("@acme/anything", true),
            ("@mill/web-router", true),
            ("lodahs", true),
            ("@mill/other", false),
            ("@other/acme-billing", false),
            ("lodash", false),
        ] {
            assert_eq!(index.is_own(name), is, "{name}");
        }
    }

    #[test]
    fn lookalikes_of_a_patterns_scope_are_found_and_its_names_are_none() {
        for pattern in ["@millpond/*", "@millpond/web-*"] {
            let index = index_of(&format!("own = [\"{pattern}\", \"crossen*\"]"));
            for name in ["@millpond/web-lodahs", "crossenv"] {
                assert_eq!(index.candidates(name), [], "{pattern} {name}");
            }
            for name in ["@mill-pond/web-router", "@milpond/anything"] {
                let found = index.candidates(name);
                let scope = found.iter().any(|it| it.target == "@millpond");
                assert!(scope, "{pattern} {name}: {found:?}");
            }
        }
        assert_ne!(index_of("").candidates("crossenv"), []);
    }
}
