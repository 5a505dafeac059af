//! Whether weir reads lockfiles as the clients that wrote them do: the same packages, and the same
//! dependencies between them, as each client lists itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use weir_npm::lockfile::{DependencyKind, Format, Lockfile, Node, Source};
use weir_npm::manifest::Manifest;
use weir_testing::clients::{self, Client, Kind};
use weir_testing::{Package, Project, Registry, Release};

/// Packages, and who depends on whom, each as `name@version`. The project itself is empty.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listing {
    packages: BTreeSet<String>,
    edges: BTreeSet<(String, String)>,
}

impl Listing {
    #[track_caller]
    fn assert_is(&self, client: &Listing, context: &str) {
        let difference = |ours: &BTreeSet<String>, theirs: &BTreeSet<String>| {
            ours.difference(theirs)
                .take(10)
                .cloned()
                .collect::<Vec<_>>()
        };
        assert!(
            !client.packages.is_empty(),
            "{context}: the client lists nothing"
        );
        let (more, less) = (
            difference(&self.packages, &client.packages),
            difference(&client.packages, &self.packages),
        );
        assert!(
            more.is_empty() && less.is_empty(),
            "{context}: only weir: {more:?}, only the client: {less:?}"
        );
        let more: Vec<_> = self.edges.difference(&client.edges).take(10).collect();
        let less: Vec<_> = client.edges.difference(&self.edges).take(10).collect();
        assert!(
            more.is_empty() && less.is_empty(),
            "{context}: only weir: {more:?}, only the client: {less:?}"
        );
    }
}

/// What a client calls a package: some go by where it lies, some by its name.
type Label = fn(&Node) -> String;

fn by_place(node: &Node) -> String {
    let version = node.version.as_deref().unwrap_or_default();
    match &node.source {
        Source::Project(folder) if folder.is_empty() => String::new(),
        Source::Project(_) => format!("{}@{version}", node.name),
        _ => format!("{}@{version}", node.place),
    }
}

/// A project goes by its folder: not every format knows its name.
fn by_name(node: &Node) -> String {
    match &node.source {
        Source::Project(folder) => folder.clone(),
        _ => node.label(),
    }
}

/// What weir reads.
fn read(lockfile: &Lockfile, label: Label, kinds: &[DependencyKind]) -> Listing {
    let mut listing = Listing::default();
    for node in &lockfile.nodes {
        if !matches!(node.source, Source::Project(_) | Source::Link(_)) {
            listing.packages.insert(label(node));
        }
    }
    for edge in &lockfile.edges {
        let Some(to) = edge.to.and_then(|id| lockfile.node(id)) else {
            continue;
        };
        let from = lockfile.node(edge.from).unwrap();
        if kinds.contains(&edge.kind) && !matches!(to.source, Source::Project(_) | Source::Link(_))
        {
            let (from, to) = (label(from), label(to));
            // A patched package leads to the one it is made from, which has the same name.
            if from != to {
                listing.edges.insert((from, to));
            }
        }
    }
    listing
}

const ALL: [DependencyKind; 4] = [
    DependencyKind::Normal,
    DependencyKind::Dev,
    DependencyKind::Optional,
    DependencyKind::Peer,
];

/// What `npm ls` says, by where packages lie.
fn npm(client: &Client, project: &Project) -> Listing {
    fn walk(listing: &mut Listing, from: &str, node: &Value) {
        for (name, inner) in node["dependencies"].as_object().into_iter().flatten() {
            // What is missing has no version: optional ones and peers nobody brought.
            let Some(version) = inner["version"].as_str() else {
                continue;
            };
            let to = format!("{name}@{version}");
            let resolved = inner["resolved"].as_str().unwrap_or_default();
            let local = resolved.starts_with("file:") && !resolved.ends_with(".tgz");
            if !local {
                listing.packages.insert(to.clone());
                // What nothing leads to hangs below the project in the listing, and nowhere in a graph.
                if inner["extraneous"] != true || !from.is_empty() {
                    listing.edges.insert((from.to_owned(), to.clone()));
                }
            }
            walk(listing, &to, inner);
        }
    }
    let run = client.run(project, &["ls", "--all", "--json", "--package-lock-only"]);
    let mut listing = Listing::default();
    walk(
        &mut listing,
        "",
        &serde_json::from_str(&run.stdout).unwrap(),
    );
    listing
}

/// What `pnpm list` says, by name.
fn pnpm(client: &Client, project: &Project) -> Listing {
    fn walk(listing: &mut Listing, from: &str, node: &Value) {
        for list in ["dependencies", "devDependencies", "optionalDependencies"] {
            for inner in node[list]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(_, inner)| inner)
            {
                let version = inner["version"].as_str().unwrap();
                if version.starts_with("link:") {
                    continue;
                }
                let name = inner["from"].as_str().unwrap();
                let to = format!("{name}@{version}");
                listing.packages.insert(to.clone());
                listing.edges.insert((from.to_owned(), to.clone()));
                walk(listing, &to, inner);
            }
        }
    }
    let arguments = [
        "list",
        "--recursive",
        "--depth",
        "Infinity",
        "--json",
        "--lockfile-only",
    ];
    let run = client.run(project, &arguments);
    run.assert_success();
    let mut listing = Listing::default();
    let projects: Value = serde_json::from_str(&run.stdout).unwrap();
    for one in projects.as_array().unwrap() {
        let folder = std::path::Path::new(one["path"].as_str().unwrap());
        let folder = folder.strip_prefix(project.path()).unwrap();
        walk(&mut listing, folder.to_str().unwrap(), one);
    }
    listing
}

/// What `yarn list` says, by where packages lie; dependencies as they are asked for.
fn yarn_1(client: &Client, project: &Project) -> Listing {
    fn walk(listing: &mut Listing, node: &Value) {
        let name = node["name"].as_str().unwrap();
        listing.packages.insert(name.to_owned());
        for child in node["children"].as_array().into_iter().flatten() {
            if child["shadow"] == true {
                let asked = child["name"].as_str().unwrap().to_owned();
                listing.edges.insert((name.to_owned(), asked));
            } else {
                walk(listing, child);
            }
        }
    }
    let run = client.run(project, &["list", "--json"]);
    run.assert_success();
    let tree = run
        .stdout
        .lines()
        .find(|line| line.contains("\"type\":\"tree\""))
        .unwrap();
    let tree: Value = serde_json::from_str(tree).unwrap();
    let mut listing = Listing::default();
    for node in tree["data"]["trees"].as_array().unwrap() {
        walk(&mut listing, node);
    }
    listing
}

/// What weir reads, in the terms of `yarn list`.
fn as_yarn_1(lockfile: &Lockfile) -> Listing {
    let mut listing = read(lockfile, by_place, &[]);
    for edge in &lockfile.edges {
        let from = lockfile.node(edge.from).unwrap();
        if !matches!(from.source, Source::Project(_)) {
            let asked = format!("{}@{}", edge.name, edge.spec);
            listing.edges.insert((by_place(from), asked));
        }
    }
    listing
}

/// What `yarn info` says, by name. Virtual packages are the same ones, once per set of peers.
fn berry(client: &Client, project: &Project) -> Listing {
    let run = client.run(project, &["info", "--all", "--recursive", "--json"]);
    run.assert_success();
    let entries: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let plain = |locator: &str| match locator.split_once("@virtual:") {
        Some((name, rest)) => format!("{name}@{}", rest.split_once('#').unwrap().1),
        None => locator.to_owned(),
    };
    let label = |locator: &str| {
        let locator = plain(locator);
        let (name, reference) = locator.split_at(locator[1..].find('@').unwrap() + 1);
        if let Some(folder) = reference.strip_prefix("@workspace:") {
            return folder.trim_start_matches('.').to_owned();
        }
        let entry = entries
            .iter()
            .find(|it| plain(it["value"].as_str().unwrap()) == locator);
        format!(
            "{name}@{}",
            entry.unwrap()["children"]["Version"].as_str().unwrap()
        )
    };
    let mut listing = Listing::default();
    for entry in &entries {
        let locator = entry["value"].as_str().unwrap();
        if !locator.contains("@workspace:") {
            listing.packages.insert(label(locator));
        }
        for to in entry["children"]["Dependencies"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let to = to["locator"].as_str().unwrap();
            if !to.contains("@workspace:") {
                listing.edges.insert((label(locator), label(to)));
            }
        }
    }
    listing
}

/// What `bun pm ls` says: what lies where, and no more.
fn bun(client: &Client, project: &Project) -> Listing {
    let run = client.run(project, &["pm", "ls", "--all"]);
    run.assert_success();
    let packages = run
        .stdout
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit(' ').next());
    let packages = packages.filter(|it| it.contains('@') && !it.contains("@workspace:"));
    Listing {
        packages: packages.map(str::to_owned).collect(),
        edges: BTreeSet::new(),
    }
}

/// What a client lists, and what weir reads in the same terms.
fn both(client: &Client, project: &Project, format: Format) -> (Listing, Listing) {
    let file = client.kind().lockfile();
    let text = project.read(file).unwrap();
    let mut lockfile =
        Lockfile::parse_as(format, file, text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    let manifest = project.read("package.json").unwrap();
    lockfile.add_project("", &Manifest::from_json(manifest).unwrap());
    match client.kind() {
        Kind::Npm => (read(&lockfile, by_place, &ALL), npm(client, project)),
        Kind::Pnpm10 | Kind::Pnpm12 => (read(&lockfile, by_name, &ALL), pnpm(client, project)),
        Kind::Yarn1 => (as_yarn_1(&lockfile), yarn_1(client, project)),
        Kind::Yarn4 => (read(&lockfile, by_name, &ALL), berry(client, project)),
        Kind::Bun => (read(&lockfile, by_place, &[]), bun(client, project)),
    }
}

/// The lockfiles of real projects, where they are beside the checkout.
fn real_projects() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/projects");
    let folder = std::env::var_os("WEIR_PROJECTS").map_or_else(|| beside.into(), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    clients::skip("no lockfiles of real projects beside the checkout (WEIR_PROJECTS)");
    None
}

/// yarn 1 asks the registry for optional packages that the lockfile leaves out, and lists them too. Here it
/// gets them from a registry that has these only; what it is asked for is what `weir` says is missing.
fn left_out(lockfile: &Lockfile, registry: &Registry) -> BTreeSet<String> {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in lockfile.edges.iter().filter(|edge| edge.to.is_none()) {
        assert!(edge.optional, "{edge:?}");
        let version = edge.spec.trim_start_matches(['^', '~']);
        missing.entry(&edge.name).or_default().insert(version);
    }
    let mut labels = BTreeSet::new();
    for (name, versions) in missing {
        labels.extend(versions.iter().map(|version| format!("{name}@{version}")));
        let releases = versions.into_iter().map(Release::new);
        registry.add(Package::new(name).maintainer("mill").releases(releases));
    }
    labels
}

fn lists_real_projects_alike(kind: Kind, file: &str, format: Format) {
    let (Some(folder), Some(client)) = (real_projects(), clients::or_skip(kind)) else {
        return;
    };
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let real = entry.unwrap().path();
        let Ok(text) = std::fs::read(real.join(file)) else {
            continue;
        };
        let registry = Registry::start();
        let lockfile = Lockfile::parse_as(format, file, &text).unwrap_or_else(|e| panic!("{e}"));
        let left_out = match kind {
            Kind::Yarn1 => left_out(&lockfile, &registry),
            _ => BTreeSet::new(),
        };
        let manifest = std::fs::read(real.join("package.json")).unwrap();
        let project = Project::new()
            .registry(&registry.url())
            .file("package.json", manifest)
            .file(kind.lockfile(), text);
        let (ours, mut theirs) = both(&client, &project, format);
        theirs.packages.retain(|label| !left_out.contains(label));
        ours.assert_is(&theirs, &format!("{} with {kind}", real.display()));
        count += 1;
    }
    assert!(count > 0, "a folder without projects");
}

#[test]
fn npm_lists_real_projects_alike() {
    lists_real_projects_alike(Kind::Npm, "package-lock.json", Format::Npm);
}

#[test]
fn pnpm_lists_real_projects_alike() {
    lists_real_projects_alike(Kind::Pnpm10, "pnpm-lock.yaml", Format::Pnpm);
}

#[test]
fn yarn_1_lists_real_projects_alike() {
    lists_real_projects_alike(Kind::Yarn1, "yarn-v1.lock", Format::YarnClassic);
}

#[test]
fn yarn_4_lists_real_projects_alike() {
    lists_real_projects_alike(Kind::Yarn4, "yarn-berry.lock", Format::YarnBerry);
}

#[test]
fn bun_lists_real_projects_alike() {
    lists_real_projects_alike(Kind::Bun, "bun.lock", Format::Bun);
}

/// A registry with what the kinds of entries need.
fn mill() -> Registry {
    let registry = Registry::start();
    let release = |version: &str| Release::new(version).published("2024-01-02T03:04:05.678Z");
    let one = |name: &str, release: Release| Package::new(name).maintainer("mill").release(release);
    registry.add(one("leaf", release("1.0.0")).release(release("2.0.0")));
    let branch = release("1.0.0")
        .dependency("leaf", "^1.0.0")
        .peer_dependency("twig", "^1.0.0");
    registry.add(one("branch", branch));
    registry.add(one("twig", release("1.0.0")));
    registry.add(one("real", release("3.0.0").dependency("leaf", "^2.0.0")));
    registry.add(one(
        "mac-only",
        release("1.0.0").field("os", json!(["darwin"])),
    ));
    registry.add(one("@jsr/std__bytes", release("1.0.0")));
    registry.add(one("forced", release("1.0.0")).release(release("1.1.0")));
    registry.add(one(
        "holder",
        release("1.0.0").dependency("forced", "^1.0.0"),
    ));
    registry
}

/// A project with a workspace, an alias, a peer, an override, a package for one platform, one of JSR, and a
/// folder beside it.
fn project(registry: &Registry, kind: Kind) -> Project {
    let mut manifest = json!({
        "name": "app", "version": "1.0.0", "private": true,
        "workspaces": ["packages/*"],
        "dependencies": {
            "branch": "^1.0.0", "twig": "^1.0.0", "nick": "npm:real@^3.0.0", "holder": "1.0.0",
            "bytes": "npm:@jsr/std__bytes@^1.0.0", "beside": "file:./beside",
        },
        "devDependencies": {"leaf": "^2.0.0"},
        "optionalDependencies": {"mac-only": "^1.0.0"},
    });
    let forced = json!({"forced": "1.0.0"});
    let list = match kind {
        Kind::Npm | Kind::Bun => "overrides",
        Kind::Yarn1 | Kind::Yarn4 => "resolutions",
        Kind::Pnpm10 | Kind::Pnpm12 => "pnpm",
    };
    manifest[list] = match kind {
        Kind::Pnpm10 | Kind::Pnpm12 => json!({"overrides": forced}),
        _ => forced,
    };
    let project = Project::new()
        .registry(&registry.url())
        .package_json(&manifest);
    project.write(
        "beside/package.json",
        r#"{"name": "beside", "version": "0.5.0"}"#,
    );
    project.write(
        "packages/tool/package.json",
        r#"{"name": "tool", "version": "0.1.0", "dependencies": {"leaf": "^1.0.0"}}"#,
    );
    // Clients know a registry for this scope by themselves.
    let jsr = project.read(".npmrc").unwrap();
    project.write(".npmrc", format!("{jsr}@jsr:registry={}\n", registry.url()));
    let berry = project.read(".yarnrc.yml").unwrap();
    let scope = format!(
        "npmScopes:\n  jsr:\n    npmRegistryServer: \"{}\"\n",
        registry.url()
    );
    project.write(".yarnrc.yml", format!("{berry}{scope}"));
    project.write(
        "pnpm-workspace.yaml",
        "packages: ['packages/*']\nminimumReleaseAge: 0\noverrides: {forced: 1.0.0}\n",
    );
    project
}

fn lists_every_kind_of_entry_alike(kind: Kind, format: Format) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let registry = mill();
    let project = project(&registry, kind);
    client.install(&project).assert_success();
    let (mut ours, mut theirs) = both(&client, &project, format);
    // A folder beside the project has a version in some listings and a path in others, yarn 1 lists
    // workspaces, and bun leaves out what is not for this platform.
    let elsewhere = |package: &str| {
        package.starts_with("beside@")
            || (kind == Kind::Yarn1 && package == "tool@0.1.0")
            || (kind == Kind::Bun && package == "mac-only@1.0.0")
    };
    for listing in [&mut ours, &mut theirs] {
        listing.packages.retain(|package| !elsewhere(package));
        listing
            .edges
            .retain(|(from, to)| !elsewhere(from) && !elsewhere(to));
    }
    ours.assert_is(&theirs, &kind.to_string());
    for wanted in [
        "branch@1.0.0",
        "twig@1.0.0",
        "leaf@1.0.0",
        "leaf@2.0.0",
        "forced@1.0.0",
    ] {
        assert!(
            ours.packages.contains(wanted),
            "{kind}: no {wanted} in {ours:#?}"
        );
    }
    assert!(!ours.packages.contains("forced@1.1.0"), "{kind}");
}

#[test]
fn npm_lists_every_kind_of_entry_alike() {
    lists_every_kind_of_entry_alike(Kind::Npm, Format::Npm);
}

#[test]
fn pnpm_10_lists_every_kind_of_entry_alike() {
    lists_every_kind_of_entry_alike(Kind::Pnpm10, Format::Pnpm);
}

#[test]
fn yarn_1_lists_every_kind_of_entry_alike() {
    lists_every_kind_of_entry_alike(Kind::Yarn1, Format::YarnClassic);
}

#[test]
fn yarn_4_lists_every_kind_of_entry_alike() {
    lists_every_kind_of_entry_alike(Kind::Yarn4, Format::YarnBerry);
}

#[test]
fn bun_lists_every_kind_of_entry_alike() {
    lists_every_kind_of_entry_alike(Kind::Bun, Format::Bun);
}
