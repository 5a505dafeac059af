//! What an entry of a lockfile says of a release, for the commands that ask registries about it.

use std::path::{Path, PathBuf};

use weir_engine::trust::{NOT_COMPARED, Wanted};
use weir_model::Trust;
use weir_npm::integrity::{Integrity, IntegrityError};
use weir_npm::lockfile::{DependencyKind, Format, Lockfile, Node, Source};
use weir_npm::name::PackageName;
use weir_npm::spec::{DependencySpec, classify};

use super::check;

/// The folder of the project that is looked at. Where no folder is given, it is that of the lockfile that is
/// named: its policy, npm configuration and manifests belong to it, and those of the current folder do not.
pub(super) fn project(folder: PathBuf, lockfile: Option<&PathBuf>) -> PathBuf {
    let beside = lockfile
        .and_then(|file| file.parent())
        .filter(|it| !it.as_os_str().is_empty());
    match beside {
        Some(beside) if folder.as_os_str() == "." => above_modules(beside).to_owned(),
        _ => folder,
    }
}

/// The folder itself, or for one of installed packages, where npm keeps its hidden lockfile, the one above.
fn above_modules(folder: &Path) -> &Path {
    if folder.file_name().is_none_or(|name| name != "node_modules") {
        return folder;
    }
    match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => folder,
    }
}

/// What an entry records of a release's bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Recorded {
    /// A digest of the tarball, which is compared.
    Digest,
    /// A digest of yarn's own archive, which nobody can compare.
    OwnArchive,
    /// None.
    Nothing,
    /// Something that is no digest, and why.
    Unreadable(String),
}

/// A release that is locked, and how its bytes are recorded there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Locked {
    pub(super) wanted: Wanted,
    pub(super) recorded: Recorded,
}

impl Locked {
    /// What an entry locks from a registry. Nothing for what comes from elsewhere, and for what no registry
    /// can be asked about: [`unaskable`] says why.
    pub(super) fn of(node: &Node, format: Format) -> Option<Self> {
        if !node.is_served() {
            return None;
        }
        let integrity = node.integrity.as_deref().map(Integrity::parse);
        let recorded = match &integrity {
            Some(Ok(_)) => Recorded::Digest,
            Some(Err(error)) => unreadable(*error),
            // yarn leaves it out for platforms nobody has installed on yet, and fills it in then.
            None if node.checksum.is_some() => Recorded::OwnArchive,
            None if node.flags.platform && format == Format::YarnBerry => Recorded::OwnArchive,
            None => Recorded::Nothing,
        };
        Some(Self {
            wanted: Wanted {
                name: PackageName::parse(&node.name).ok()?,
                version: node.version.clone()?,
                integrity: integrity.and_then(Result::ok),
            },
            recorded,
        })
    }

    /// What holds of the bytes that the lockfile means, where this holds of the release.
    pub(super) fn judged(&self, trust: Trust) -> Trust {
        let why = match &self.recorded {
            Recorded::Digest | Recorded::OwnArchive => return trust,
            Recorded::Nothing => "the lockfile records no integrity".to_owned(),
            Recorded::Unreadable(why) => format!("the lockfile's integrity cannot be read ({why})"),
        };
        trust.not_compared(&format!("{why}: {NOT_COMPARED}"))
    }
}

fn unreadable(error: IntegrityError) -> Recorded {
    Recorded::Unreadable(error.to_string())
}

/// Why no registry can be asked about an entry that is said to come from one.
pub(super) fn unaskable(node: &Node, format: Format) -> Option<&'static str> {
    if node.is_unclear(format) {
        Some("where it comes from is neither an address nor a path")
    } else if !node.is_served() {
        None
    } else if node.version.is_none() {
        Some("the lockfile gives no version")
    } else if PackageName::parse(&node.name).is_err() {
        Some("its name is none that a registry could have")
    } else {
        None
    }
}

/// Something that the project asks for, where its lockfile holds nothing but the project: an empty lockfile
/// would pass everything.
pub(super) fn nothing_locked(
    lockfile: &Lockfile,
    manifests: &check::Manifests,
    omitted: &dyn Fn(DependencyKind) -> bool,
) -> Option<String> {
    if !lockfile.nodes.iter().all(Node::is_local) {
        return None;
    }
    let is_local = |name: &str, spec: &str| {
        matches!(
            classify(name, spec),
            DependencySpec::File(_) | DependencySpec::Workspace(_)
        )
    };
    let mut asked = manifests.asked();
    let (_, name, _) = asked.find(|(kind, name, spec)| !omitted(*kind) && !is_local(name, spec))?;
    Some(format!(
        "the lockfile lists nothing of what package.json asks for, such as {name}"
    ))
}

/// Gives projects the names and versions of their manifests where the lockfile has none, as those of pnpm and
/// bun, and the versions of yarn 2 and later.
pub(super) fn name_projects(lockfile: &mut Lockfile, manifests: &check::Manifests) {
    for node in &mut lockfile.nodes {
        let Source::Project(folder) = &node.source else {
            continue;
        };
        let manifest = manifests.of(folder);
        let said = manifest.and_then(|it| it.version.clone());
        if node.version.is_none() {
            node.version = said;
        }
        if let Some(name) = manifest.and_then(|it| it.name.as_deref())
            && node.name.is_empty()
        {
            name.clone_into(&mut node.name);
        }
    }
}

/// The manifests of the project and its workspaces; nothing where the project has none.
///
/// # Errors
/// The one that cannot be read, and why.
pub(super) fn manifests(
    folder: &Path,
    lockfile: &Lockfile,
) -> Result<Option<check::Manifests>, (PathBuf, String)> {
    if folder.join("package.json").symlink_metadata().is_err() {
        return Ok(None);
    }
    check::Manifests::in_folder(folder, lockfile).map(Some)
}

#[cfg(test)]
mod tests {
    use weir_model::{AttestationState, SignatureState};

    use super::*;

    #[test]
    fn the_project_is_where_its_lockfile_is_unless_a_folder_is_given() {
        for (folder, lockfile, found) in [
            (".", None, "."),
            (".", Some("package-lock.json"), "."),
            (".", Some("app/package-lock.json"), "app"),
            (".", Some("/srv/app/yarn.lock"), "/srv/app"),
            (".", Some("node_modules/.package-lock.json"), "."),
            (".", Some("app/node_modules/.package-lock.json"), "app"),
            ("app", Some("elsewhere/yarn.lock"), "app"),
            ("app", None, "app"),
        ] {
            let lockfile = lockfile.map(PathBuf::from);
            let project = project(PathBuf::from(folder), lockfile.as_ref());
            assert_eq!(project, Path::new(found), "{folder} {lockfile:?}");
        }
    }

    #[test]
    fn a_project_is_called_what_its_manifest_says() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("w")).unwrap();
        for (place, name, version) in [("", "app", r#", "version": "1.2.0""#), ("w/", "inner", "")]
        {
            let manifest = format!(r#"{{"name": "{name}"{version}}}"#);
            let file = folder.path().join(format!("{place}package.json"));
            std::fs::write(file, manifest).unwrap();
        }
        let pnpm = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n  w: {}\n";
        let bun = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "app"}, "w": {"name": "inner"}}, "packages": {"inner": ["inner@workspace:w"]}}"#;
        let berry = "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  \
            resolution: \"app@workspace:.\"\n\n\"inner@workspace:w\":\n  version: 0.0.0-use.local\n  \
            resolution: \"inner@workspace:w\"\n";
        for (file, text) in [
            ("pnpm-lock.yaml", pnpm),
            ("bun.lock", bun),
            ("yarn.lock", berry),
        ] {
            let mut lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
            let manifests = check::Manifests::in_folder(folder.path(), &lockfile);
            name_projects(
                &mut lockfile,
                &manifests.unwrap_or_else(|_| panic!("{file}")),
            );
            let labels = ["", "w"].map(|folder| {
                let id = lockfile.project(folder).unwrap();
                lockfile.node(id).unwrap().label()
            });
            assert_eq!(labels, ["app@1.2.0", "inner"], "{file}");
        }
    }

    /// Which is all there is to go by: the lockfile of yarn 1 does not name them.
    #[test]
    fn workspaces_of_yarn_1_ask_for_what_their_manifests_say() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("w")).unwrap();
        for (file, manifest) in [
            ("package.json", r#"{"private": true, "workspaces": ["w"]}"#),
            (
                "w/package.json",
                r#"{"name": "inner", "version": "1.0.0", "devDependencies": {"silt": "^1.0.0"}}"#,
            ),
        ] {
            std::fs::write(folder.path().join(file), manifest).unwrap();
        }
        let text = "# yarn lockfile v1\n\n\nsilt@^1.0.0:\n  version \"1.0.0\"\n";
        let mut lockfile = Lockfile::parse("yarn.lock", text.as_bytes()).unwrap();
        let manifests = check::Manifests::in_folder(folder.path(), &lockfile);
        manifests
            .unwrap_or_else(|why| panic!("{why:?}"))
            .complete(&mut lockfile);
        let silt = lockfile
            .nodes
            .iter()
            .position(|it| it.name == "silt")
            .unwrap();
        let ways = lockfile.ways_to(silt, 9).ways;
        let from: Vec<&str> = ways
            .iter()
            .map(|way| lockfile.nodes[way[0].from].name.as_str())
            .collect();
        assert_eq!(from, ["inner"]);
        assert_eq!(
            lockfile.needs()[silt],
            weir_npm::lockfile::Need::Development
        );
    }

    /// The entry `a` of npm's lockfile with these fields.
    fn entry(fields: &str) -> Node {
        let text = format!(
            r#"{{"name": "app", "lockfileVersion": 3, "packages": {{"": {{"name": "app"}},
            "node_modules/a": {{"resolved": "https://registry.example.invalid/a/-/a-1.0.0.tgz"{fields}}}}}}}"#
        );
        let lockfile = Lockfile::parse("package-lock.json", text.as_bytes()).unwrap();
        let mut nodes = lockfile.nodes.into_iter();
        nodes.find(|node| node.name == "a").unwrap()
    }

    #[test]
    fn what_is_not_compared_does_not_count_as_verified() {
        let verified = || Trust {
            signature: SignatureState::Verified {
                keyid: "key".to_owned(),
            },
            attestations: AttestationState::Verified { claims: None },
            ..Trust::unchecked("")
        };
        let sha512 = format!("sha512-{}==", "A".repeat(86));
        for (integrity, holds) in [
            (format!(r#", "integrity": "{sha512}""#), true),
            (r#", "integrity": "md5-AAAA""#.to_owned(), false),
            (r#", "integrity": "rubbish""#.to_owned(), false),
            (r#", "integrity": """#.to_owned(), false),
            (String::new(), false),
        ] {
            let node = entry(&format!(r#", "version": "1.0.0"{integrity}"#));
            let locked = Locked::of(&node, Format::Npm).unwrap();
            let trust = locked.judged(verified());
            let signed = matches!(trust.signature, SignatureState::Verified { .. });
            let attested = matches!(trust.attestations, AttestationState::Verified { .. });
            assert_eq!((signed, attested), (holds, holds), "{integrity}");
        }
        // yarn's checksum is of its own archive: there is nothing that could be compared.
        let mut node = entry(r#", "version": "1.0.0""#);
        node.checksum = Some("10c0/ab".to_owned());
        let locked = Locked::of(&node, Format::YarnBerry).unwrap();
        assert_eq!(locked.recorded, Recorded::OwnArchive);
        assert_eq!(locked.judged(verified()), verified());
    }

    #[test]
    fn an_entry_that_nobody_can_be_asked_about_says_why() {
        let mut named = entry(r#", "version": "1.0.0""#);
        assert_eq!(unaskable(&named, Format::Npm), None);
        named.name = "no such name".to_owned();
        let unnamed = unaskable(&named, Format::Npm).unwrap();
        assert!(unnamed.contains("name"), "{unnamed}");
        assert_eq!(Locked::of(&named, Format::Npm), None);
        let nowhen = entry("");
        assert_eq!(
            unaskable(&nowhen, Format::Npm),
            Some("the lockfile gives no version")
        );
        // Inside another package's tarball.
        (named.flags.bundled, named.source) = (true, Source::Registry(None));
        assert_eq!(unaskable(&named, Format::Npm), None);
    }
}
