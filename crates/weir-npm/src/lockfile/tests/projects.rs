//! Fifteen lockfiles of three real projects, where they are beside the checkout.

use std::path::{Path, PathBuf};

use super::{BTreeSet, Format, Lockfile, Source, labels};
use crate::manifest::Manifest;

const FILES: [(&str, Format); 5] = [
    ("package-lock.json", Format::Npm),
    ("yarn-v1.lock", Format::YarnClassic),
    ("yarn-berry.lock", Format::YarnBerry),
    ("pnpm-lock.yaml", Format::Pnpm),
    ("bun.lock", Format::Bun),
];

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/projects");
    let folder = std::env::var_os("WEIR_PROJECTS").map_or_else(|| beside.into(), PathBuf::from);
    folder.is_dir().then_some(folder)
}

fn read(project: &Path, file: &str, format: Format) -> Lockfile {
    let text = std::fs::read(project.join(file)).unwrap();
    let mut lockfile = Lockfile::parse_as(format, file, &text).unwrap_or_else(|e| panic!("{e}"));
    let manifest = std::fs::read(project.join("package.json")).unwrap();
    lockfile.add_project("", &Manifest::from_json(&manifest).unwrap());
    lockfile
}

/// The projects' lockfiles, or nothing, said aloud, where the folder is missing.
fn projects() -> Vec<(String, Vec<(Format, Lockfile)>)> {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED: no lockfiles of real projects beside the checkout (WEIR_PROJECTS)");
        return Vec::new();
    };
    let mut projects = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let project = entry.unwrap().path();
        if !project.join("package.json").is_file() {
            continue;
        }
        let name = project.file_name().unwrap().to_string_lossy().into_owned();
        let files = FILES.iter();
        let read = files.map(|(file, format)| (*format, read(&project, file, *format)));
        projects.push((name, read.collect()));
    }
    assert!(!projects.is_empty(), "a folder without projects");
    projects
}

/// How many entries a file has, counted by lines and without the reader.
fn entries(project: &Path, file: &str) -> usize {
    let text = std::fs::read_to_string(project.join(file)).unwrap();
    let is_entry = |line: &&str| match file {
        "package-lock.json" => line.starts_with("    \"node_modules/"),
        "yarn-v1.lock" => line.starts_with("  resolved "),
        "yarn-berry.lock" => line.starts_with("  resolution: "),
        "pnpm-lock.yaml" => line.starts_with("    resolution: "),
        _ => line.contains("\": [\""),
    };
    text.lines().filter(is_entry).count()
}

#[test]
fn every_entry_is_read_and_reached() {
    for (project, lockfiles) in projects() {
        let folder = folder().unwrap().join(&project);
        for (number, (format, lockfile)) in lockfiles.iter().enumerate() {
            let context = format!("{project} {format:?}");
            let projects = lockfile.projects().count();
            let own = match format {
                // The project has an entry like any other.
                Format::YarnBerry => 0,
                _ => projects,
            };
            let counted = entries(&folder, FILES[number].0);
            assert_eq!(lockfile.nodes.len() - own, counted, "{context}");
            let missing = lockfile
                .edges
                .iter()
                .find(|edge| edge.to.is_none() && !edge.optional);
            assert_eq!(missing, None, "{context}");
            let paths = lockfile.paths();
            for (id, node) in lockfile.nodes.iter().enumerate() {
                let is_project = matches!(node.source, Source::Project(_));
                assert_eq!(paths.to(id).is_empty(), is_project, "{context}: {node:?}");
            }
        }
    }
}

/// The clients were run on the same `package.json` and still lock different sets, for these reasons only.
#[test]
fn the_formats_agree_but_for_what_the_clients_do_differently() {
    for (project, lockfiles) in projects() {
        let names = |wanted: Format| {
            let (_, lockfile) = lockfiles
                .iter()
                .find(|(format, _)| *format == wanted)
                .unwrap();
            lockfile
                .releases()
                .into_iter()
                .map(|(name, _)| name)
                .collect::<BTreeSet<_>>()
        };
        let (npm, classic, berry) = (
            names(Format::Npm),
            names(Format::YarnClassic),
            names(Format::YarnBerry),
        );
        let (pnpm, bun) = (names(Format::Pnpm), names(Format::Bun));
        // pnpm and bun lock every platform and install peers: the same names, one for one, but for what
        // one of them asks of a version the other did not choose.
        let difference = pnpm.symmetric_difference(&bun).count();
        assert!(
            difference <= 1,
            "{project}: {:?}",
            pnpm.symmetric_difference(&bun)
        );
        // yarn does not install peers: fewer names, and none that pnpm does not have, but for node-gyp.
        // Berry adds that for every package that builds native code without naming it.
        assert_eq!(classic.difference(&pnpm).count(), 0, "{project}");
        let (_, lockfile) = &lockfiles[2];
        let paths = lockfile.paths();
        for extra in berry.difference(&pnpm) {
            let id = lockfile
                .nodes
                .iter()
                .position(|node| node.name == **extra)
                .unwrap();
            let by_node_gyp = paths.to(id).iter().any(|edge| edge.name == "node-gyp");
            assert!(by_node_gyp, "{project}: {extra}");
        }
        // npm's lock was made on its own: it chose other versions, which need other packages.
        let versions = |format: Format| {
            let (_, lockfile) = lockfiles.iter().find(|(it, _)| *it == format).unwrap();
            labels(lockfile)
        };
        let (ours, theirs) = (versions(Format::Npm), versions(Format::Pnpm));
        let common = ours.intersection(&theirs).count();
        assert!(
            common * 10 > ours.len() * 8,
            "{project}: {common} of {}",
            ours.len()
        );
        assert!(
            npm.intersection(&pnpm).count() * 10 > npm.len() * 9,
            "{project}"
        );
    }
}
