//! Where tarballs may come from: the registries in npm's configuration, under the addresses they give
//! themselves.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::Result;
use weir_npm::lockfile::{Format, Lockfile, Node, NodeId, Source};
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_npm::settings::Setting;
use weir_npm::spec::classify;
use weir_policy::Policy;
use weir_upstream::{Conditional, PackumentResponse, Upstream, Upstreams};

use super::super::own::is_withheld;
use super::client::ClientFiles;
use super::url::normal;
use super::{Run, State, addresses};
use crate::cli::Check;
use crate::setup;

/// The name of an entry, and what stands before the name in its address.
type Recorded<'l> = (&'l str, Cow<'l, str>);

/// Addresses that tarballs may start with, and how far they are known.
#[derive(Debug, Default)]
pub(super) struct Registries {
    /// With a final slash each.
    pub(super) allowed: BTreeSet<String>,
    /// Where nothing better was to be had: the address most entries have, which is allowed too.
    pub(super) assumed: Option<String>,
    /// Whether that is taken for the registry yarn 1 has by itself, which is another than npm's and which
    /// nothing here knows.
    pub(super) yarns_own: bool,
    /// Why the registries themselves did not say where their tarballs are.
    pub(super) unasked: Option<Unasked>,
    /// Whether the default registry was not asked because that would have told it a name that is yours.
    pub(super) withheld: bool,
    /// Entries of the registry that yarn 1 has by itself, if anything: their addresses are of none that is
    /// known, and only their digests can tell.
    pub(super) undecided: HashSet<NodeId>,
}

/// Why a registry did not say where its tarballs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unasked {
    /// Nobody was to be asked.
    Offline,
    /// It could not be asked.
    NotAsked(String),
    /// It was asked, and did not answer.
    NoAnswer(String),
}

impl Registries {
    /// The registries of a project. Asks one only if the lockfile has addresses it does not explain:
    /// lockfiles record the address a registry gives itself, which may be another than it is known by.
    /// A name that is yours is not asked about at the default one.
    ///
    /// # Errors
    /// When the policy, which says which names are yours, has mistakes.
    pub(super) async fn learn(
        run: &Run<'_>,
        state: &State,
        before: Option<&State>,
    ) -> Result<Self> {
        let (global, options) = (run.global, run.options);
        let mut found = Self::default();
        let lockfile = &state.lockfile;
        let entries = recorded(lockfile);
        // One at an address of another form needs to know as well which registries there are.
        if !lockfile.nodes.iter().any(has_address) {
            return Ok(found);
        }
        let folder =
            std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
        let policy = setup::policy_of(global, &folder)?;
        let in_yarnrc = in_yarnrc(lockfile.format, &state.files);
        found.allowed.extend(in_yarnrc.iter().cloned());
        let upstreams =
            setup::upstreams_of_project(global, &policy, &folder, run.npmrc_before.as_deref());
        match &upstreams {
            Ok(upstreams) => found.ask(options, &policy, upstreams, &entries).await,
            Err(error) => found.unasked = Some(Unasked::NotAsked(format!("{error:#}"))),
        }
        if lockfile.format == Format::YarnClassic && !names_default(&state.files) {
            let is_of_default = |name: &str| {
                let is_default = |upstreams| is_of_default(&policy, upstreams, name);
                upstreams.as_ref().ok().is_none_or(is_default)
            };
            let witness = witness(lockfile, before);
            let mut of_default = unasked_for(witness);
            of_default.retain(|(name, prefix)| {
                !in_yarnrc.contains(prefix.as_ref()) && is_of_default(name)
            });
            found.assume_yarns_own(&of_default, silent(witness));
            found.undecided = found.unknown(lockfile, &is_of_default);
        }
        // What could be somebody else's is not taken for the registry.
        if found.assumed.is_none() && found.unasked.is_some() && !found.withheld {
            let witness = earlier(before).unwrap_or(lockfile);
            found.assume(&recorded(witness), silent(witness));
        }
        Ok(found)
    }

    /// The entries at safe addresses of the usual form that are of no registry that is known.
    fn unknown(&self, lockfile: &Lockfile, is_wanted: &dyn Fn(&str) -> bool) -> HashSet<NodeId> {
        let nodes = lockfile.nodes.iter().enumerate();
        let found = nodes.filter_map(|(id, node)| Some((id, with_prefix(node)?)));
        found
            .filter(|(_, (name, prefix))| {
                let is_known = self.allowed.contains(prefix.as_ref());
                !is_known && prefix.starts_with("https://") && is_wanted(name)
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// Takes the address most entries have for that which the registry gives itself. Never one without TLS, but
    /// where a registry is known by such an address.
    fn assume(&mut self, entries: &[Recorded<'_>], silent: usize) {
        let is_plain = |it: &str| it.starts_with("http://");
        let knows_plain = self.allowed.iter().any(|it| is_plain(it));
        let found = most(entries, silent).filter(|it| knows_plain || !is_plain(it));
        self.allowed.extend(found.clone());
        self.assumed = found;
    }

    /// Takes the address most entries have for the registry that yarn 1 has by itself. Not where some are of
    /// a registry that is known: then that is the one in use, and whatever else there is has to be named.
    fn assume_yarns_own(&mut self, entries: &[Recorded<'_>], silent: usize) {
        let is_known = |(_, prefix): &Recorded<'_>| self.allowed.contains(prefix.as_ref());
        if entries.iter().any(is_known) {
            return;
        }
        let secure = |prefix: &String| prefix.starts_with("https://");
        if let Some(prefix) = most(entries, silent).filter(secure) {
            self.allowed.insert(prefix.clone());
            self.assumed = Some(prefix);
            self.yarns_own = true;
        }
    }

    async fn ask(
        &mut self,
        options: &Check,
        policy: &Policy,
        upstreams: &Upstreams,
        recorded: &[Recorded<'_>],
    ) {
        let all = upstreams.scopes().map(|(_, upstream)| upstream);
        let all = all.chain([upstreams.default_upstream()]);
        self.allowed
            .extend(all.map(|upstream| upstream.id().to_owned()));
        // One package of each registry is enough to learn how it calls itself.
        let mut asked: BTreeSet<&str> = BTreeSet::new();
        let mut withheld = false;
        for (name, prefix) in recorded {
            let Ok(name) = PackageName::parse(name) else {
                continue;
            };
            let upstream = upstreams.upstream_for(&name);
            if self.allowed.contains(prefix.as_ref()) || asked.contains(upstream.id()) {
                continue;
            }
            if is_withheld(policy, upstreams, &name) {
                withheld = true;
                continue;
            }
            asked.insert(upstream.id());
            if options.offline {
                self.unasked = Some(Unasked::Offline);
                return;
            }
            match public(upstream, &name).await {
                Ok(hosts) => self.allowed.extend(hosts),
                Err(why) => self.unasked = Some(Unasked::NoAnswer(why)),
            }
        }
        // It would have had to be told a name that is yours, and there was no other to ask it by.
        self.withheld = withheld && !asked.contains(upstreams.default_upstream().id());
        if self.withheld && self.unasked.is_none() {
            let why = "all that it could be asked about has names that are yours";
            self.unasked = Some(Unasked::NotAsked(why.to_owned()));
        }
    }
}

async fn public(upstream: &Upstream, name: &PackageName) -> Result<Vec<String>, String> {
    match upstream.packument(name, &Conditional::default()).await {
        Ok(PackumentResponse::Fresh { raw, .. }) => Packument::parse(name, raw)
            .map(|packument| packument.public_hosts())
            .map_err(|error| error.to_string()),
        Ok(PackumentResponse::NotModified) => Err("no answer".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether an entry says at which address of a registry it is.
fn has_address(node: &Node) -> bool {
    matches!(node.source, Source::Registry(Some(_)))
}

/// The names of what comes from registries, each with what stands before the name in its address.
fn recorded(lockfile: &Lockfile) -> Vec<Recorded<'_>> {
    lockfile.nodes.iter().filter_map(with_prefix).collect()
}

/// The same of what nobody asks for by that very address: such an address says nothing of the registry.
fn unasked_for(lockfile: &Lockfile) -> Vec<Recorded<'_>> {
    let by_address = lockfile.requests().filter_map(|(name, spec, id)| {
        let asked = classify(name, spec);
        addresses::is_at(&asked, lockfile.node(id)?).then_some(id)
    });
    let by_address: HashSet<NodeId> = by_address.collect();
    let nodes = lockfile.nodes.iter().enumerate();
    nodes
        .filter(|(id, _)| !by_address.contains(id))
        .filter_map(|(_, node)| with_prefix(node))
        .collect()
}

fn with_prefix(node: &Node) -> Option<Recorded<'_>> {
    let Source::Registry(Some(url)) = &node.source else {
        return None;
    };
    let prefix = match normal(url) {
        Cow::Borrowed(url) => Cow::Borrowed(addresses::prefix(&node.name, url)?),
        Cow::Owned(url) => Cow::Owned(addresses::prefix(&node.name, &url)?.to_owned()),
    };
    Some((&node.name, prefix))
}

/// The registries that yarn 1's own settings name, which npm does not read; with a final slash each.
fn in_yarnrc(format: Format, files: &ClientFiles) -> BTreeSet<String> {
    if format != Format::YarnClassic {
        return BTreeSet::new();
    }
    let names = |key: &String| key == "registry" || key.ends_with(":registry");
    let settings = files.yarnrc.iter();
    settings
        .filter(|setting| setting.key.iter().any(names))
        .filter_map(Setting::text)
        .map(|url| format!("{}/", normal(url).trim_end_matches('/')))
        .collect()
}

/// Whether the project says which registry yarn 1 asks. What a person or a machine says elsewhere is not
/// there where the lockfile was written.
fn names_default(files: &ClientFiles) -> bool {
    let named = [&files.yarnrc, &files.npmrc].map(|file| file.get(&["registry"]));
    named.into_iter().flatten().any(|it| it.text().is_some())
}

/// The lockfile from before a change, which cannot speak for itself, where it has addresses.
fn earlier(before: Option<&State>) -> Option<&Lockfile> {
    let before = before.map(|state| &state.lockfile);
    before.filter(|it| !recorded(it).is_empty())
}

/// The lockfile that shows where yarn 1 fetches from.
fn witness<'l>(lockfile: &'l Lockfile, before: Option<&'l State>) -> &'l Lockfile {
    earlier(before)
        .filter(|it| it.format == Format::YarnClassic)
        .unwrap_or(lockfile)
}

/// Whether a package comes from the default registry, and its name is not yours.
fn is_of_default(policy: &Policy, upstreams: &Upstreams, name: &str) -> bool {
    PackageName::parse(name).is_ok_and(|name| {
        let default = upstreams.default_upstream().id();
        upstreams.upstream_for(&name).id() == default && !is_withheld(policy, upstreams, &name)
    })
}

/// How many entries have no address: what they are fetched from is what the client is set up with, and no
/// witness for an address that another entry has.
fn silent(lockfile: &Lockfile) -> usize {
    let without = |node: &&Node| matches!(node.source, Source::Registry(None)) && node.is_served();
    lockfile.nodes.iter().filter(without).count()
}

/// The address more than half of the entries have, those without one among them.
fn most(recorded: &[Recorded<'_>], silent: usize) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, prefix) in recorded {
        *counts.entry(prefix.as_ref()).or_default() += 1;
    }
    let (prefix, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > recorded.len() + silent).then(|| prefix.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_without_an_address_are_not_spoken_for_by_the_one_that_has_one() {
        let ours = "https://registry.example.invalid/";
        for (addresses, silent, assumed) in
            [(1, 0, true), (1, 1, false), (1, 3, false), (3, 2, true)]
        {
            let entries = vec![("silt", Cow::Borrowed(ours)); addresses];
            let found = most(&entries, silent);
            assert_eq!(found.is_some(), assumed, "{addresses} and {silent}");
        }
    }

    #[test]
    fn an_address_without_tls_is_no_registry_unless_one_is_known_by_such_an_address() {
        let (safe, plain) = (
            "https://registry.example.invalid/",
            "http://registry.example.invalid/",
        );
        for (known, said, assumed) in [
            (safe, plain, false),
            (safe, "https://evil.example.invalid/", true),
            ("http://127.0.0.1:4873/", plain, true),
        ] {
            let mut found = Registries::default();
            found.allowed.insert(known.to_owned());
            found.assume(&[("silt", Cow::Borrowed(said))], 0);
            assert_eq!(found.allowed.contains(said), assumed, "{known} {said}");
            assert_eq!(found.assumed.is_some(), assumed, "{known} {said}");
        }
    }

    #[test]
    fn what_comes_in_another_package_needs_no_address() {
        let text = r#"{"lockfileVersion": 3, "packages": {
            "node_modules/silt": {"version": "1.0.0", "bundleDependencies": ["ms"]},
            "node_modules/silt/node_modules/ms": {"version": "1.0.0", "inBundle": true}}}"#;
        let lockfile = Lockfile::parse("package-lock.json", text.as_bytes()).unwrap();
        assert_eq!(silent(&lockfile), 1);
    }

    #[test]
    fn what_is_asked_for_by_its_address_says_nothing_of_the_registry() {
        let text = r#"
ms@^1.0.0:
  version "1.0.0"
  resolved "https://yarn.example.invalid/ms/-/ms-1.0.0.tgz#00"

silt@^1.0.0:
  version "1.0.0"
  resolved "https://Registry.example.invalid:443/silt/-/silt-1.0.0.tgz#00"
  dependencies:
    dam "https://registry.example.invalid/dam/-/dam-1.0.0.tgz"

"dam@https://registry.example.invalid/dam/-/dam-1.0.0.tgz":
  version "1.0.0"
  resolved "https://registry.example.invalid/dam/-/dam-1.0.0.tgz#00"
"#;
        let lockfile = Lockfile::parse("yarn.lock", text.as_bytes()).unwrap();
        let found = |of: Vec<Recorded<'_>>| {
            let found = of.into_iter().map(|(name, at)| format!("{name} {at}"));
            found.collect::<Vec<_>>()
        };
        let ms = "ms https://yarn.example.invalid/";
        let silt = "silt https://registry.example.invalid/";
        assert_eq!(found(unasked_for(&lockfile)), [ms, silt]);
        assert_eq!(recorded(&lockfile).len(), 3);
        let mut registries = Registries::default();
        registries
            .allowed
            .insert("https://registry.example.invalid/".to_owned());
        let unknown = registries.unknown(&lockfile, &|name| name != "rm");
        let names = unknown.iter().filter_map(|id| lockfile.node(*id));
        assert_eq!(names.map(|it| &*it.name).collect::<Vec<_>>(), ["ms"]);
        assert!(registries.unknown(&lockfile, &|_| false).is_empty());
    }

    #[test]
    fn yarns_own_registry_is_what_most_entries_have_where_none_is_known() {
        let (yarns, known) = (
            "https://registry.example.invalid/",
            "https://npm.example.invalid/",
        );
        let evil = "https://evil.example.invalid/";
        for (prefixes, assumed) in [
            (vec![yarns], Some(yarns)),
            (vec![yarns, yarns, evil], Some(yarns)),
            (vec![yarns, evil], None),
            (vec!["http://registry.example.invalid/"], None),
            (vec![known], None),
            (vec![known, evil, evil], None),
            (vec![], None),
        ] {
            let mut found = Registries::default();
            found.allowed.insert(known.to_owned());
            let entries: Vec<Recorded<'_>> = prefixes
                .iter()
                .map(|it| ("silt", Cow::Borrowed(*it)))
                .collect();
            found.assume_yarns_own(&entries, 0);
            assert_eq!(found.assumed.as_deref(), assumed, "{prefixes:?}");
            assert_eq!(found.yarns_own, assumed.is_some(), "{prefixes:?}");
            assert!(assumed.is_none_or(|it| found.allowed.contains(it)));
            assert!(!found.allowed.contains(evil), "{prefixes:?}");
        }
    }
}
