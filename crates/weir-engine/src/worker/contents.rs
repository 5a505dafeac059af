//! From the bytes of a tarball, or from a folder, to facts. Runs in a worker process only.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use weir_archive::Archive;
use weir_files::TextFile;
use weir_files::rules::RuleSet;
use weir_js::{Analyst, Package, SourceFile, Unkept};
use weir_model::Contents;
use weir_model::contents::{InstallStep, Size, Violation};
use weir_npm::manifest::Manifest;

use super::collected::{Collected, Left};
use super::{beside, mentions, shrinkwrap};

/// Most clashes of names that are told.
const CLASHES: usize = 8;

/// Most packages in a package that are listed.
const BUNDLED: usize = 4_000;

/// The archive reader's rule for two names of one file.
const CLASH: &str = "name-clash";

/// The facts about a tarball.
///
/// # Errors
/// When nothing in it could be read at all; what could be read in part is in the facts.
pub fn of_tarball(bytes: &[u8], limits: &weir_archive::Limits) -> Result<Contents, String> {
    let read = |analyst: &mut Analyst| of_tarball_with(bytes, limits, None, analyst);
    Analyst::employ(weir_js::Limits::default(), read).map_err(|error| error.to_string())?
}

/// The same, with the operator's rules run over every file, for who reads many.
///
/// # Errors
/// As for [`of_tarball`].
pub fn of_tarball_with(
    bytes: &[u8],
    limits: &weir_archive::Limits,
    rules: Option<&RuleSet>,
    analyst: &mut Analyst,
) -> Result<Contents, String> {
    let mut collected = Collected::new(rules);
    let archive = weir_archive::read(bytes, limits, &mut collected);
    if archive.files == 0
        && let Err(error) = &archive.ended
        && error.to_violation().is_none()
    {
        return Err(error.to_string());
    }
    collected.size = Size {
        files: archive.files,
        bytes: archive.bytes,
        javascript_bytes: 0,
    };
    let left_out = archive.violations_left_out;
    let mut violations = Archive::into_violations(archive);
    if left_out > 0 {
        violations.push(Violation {
            rule: "more-violations".to_owned(),
            path: None,
            detail: format!("{left_out} more of the same rules"),
            ambiguous: false,
        });
    }
    Ok(collected.analyse(violations, analyst))
}

/// The facts about a folder, taken as `npm pack` would take it but for ignore files: everything
/// except version control, and of `node_modules` only what the manifest says is bundled.
///
/// # Errors
/// When the folder cannot be read.
pub fn of_folder(
    folder: &Path,
    rules: Option<&RuleSet>,
    analyst: &mut Analyst,
) -> Result<Contents, String> {
    let mut collected = Collected::new(rules);
    collected.walk(folder, "", 0)?;
    for name in bundled_names(collected.manifest.as_deref()) {
        let inside = format!("node_modules/{name}");
        let there = folder.join(&inside);
        let is_folder = std::fs::symlink_metadata(&there).is_ok_and(|it| it.is_dir());
        if is_folder {
            collected.walk(&there, &inside, 2)?;
        }
    }
    Ok(collected.analyse(Vec::new(), analyst))
}

/// The packages that lie in a package and are packed with it, as far as their names stay inside it.
fn bundled_names(manifest: Option<&[u8]>) -> Vec<String> {
    let manifest = manifest.and_then(|text| Manifest::from_json(text).ok());
    let mut names = manifest.unwrap_or_default().bundle_dependencies;
    names.retain(|name| {
        let mut parts = name.split('/');
        !name.contains('\\') && parts.all(|part| !part.is_empty() && !part.starts_with('.'))
    });
    names.sort_unstable();
    names.dedup();
    names
}

/// The packages in the package's own `node_modules`, by name: those that have a manifest.
fn bundled_in(files: &[(String, Vec<u8>)], unkept: &[Left]) -> Vec<String> {
    let kept = files.iter().map(|(path, _)| path.as_str());
    let left = unkept.iter().map(|file| file.path.as_str());
    let names = kept.chain(left).filter_map(|path| {
        let name = path.strip_prefix("node_modules/")?;
        let name = name.strip_suffix("/package.json")?;
        let parts = if name.starts_with('@') { 2 } else { 1 };
        (name.split('/').count() == parts).then(|| name.to_owned())
    });
    let mut names: Vec<String> = names.take(BUNDLED).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Collected<'_> {
    fn analyse(mut self, violations: Vec<Violation>, analyst: &mut Analyst) -> Contents {
        let manifest = match self.manifest.as_deref().map(Manifest::from_json) {
            Some(Ok(manifest)) => Some(manifest),
            Some(Err(error)) => {
                self.not_read("package.json", error.to_string(), true);
                None
            }
            None => {
                self.not_read("package.json", "there is none".to_owned(), true);
                None
            }
        };
        let files: Vec<SourceFile<'_>> = self
            .files
            .iter()
            .chain(&self.programs)
            .chain(&self.data)
            .map(|(path, bytes)| SourceFile { path, bytes })
            .collect();
        let beside::Found {
            binaries,
            scanned,
            mut others,
            unread,
        } = self.beside.finish();
        self.unread.extend(unread);
        let is_binary: HashSet<&str> = binaries.iter().map(|it| it.path.as_str()).collect();
        let unkept: Vec<Unkept<'_>> = self
            .unkept
            .iter()
            // Programs and the like are looked at as such.
            .filter(|file| !is_binary.contains(file.path.as_str()))
            .map(|file| Unkept {
                path: &file.path,
                why: &file.why,
                is_code: file.is_code,
                is_told: file.is_told,
            })
            .collect();
        let fallback = Manifest::default();
        let own = manifest.as_ref().unwrap_or(&fallback);
        let shrinkwrap = shrinkwrap::of(&self.locks, own);
        let bundled = bundled_in(&self.files, &self.unkept);
        let package = Package {
            unkept: &unkept,
            ..Package::new(&files, own)
        };
        let facts = analyst.analyse(&package);
        let violations = with_clashes(violations, &files, &facts.install_steps);
        self.size.javascript_bytes = facts.javascript_bytes;
        self.unread.extend(facts.unread);
        let texts: Vec<TextFile<'_>> = self
            .files
            .iter()
            .filter(|(path, _)| path != "package.json")
            .map(|(path, bytes)| TextFile { path, bytes })
            .collect();
        let looked = weir_files::look(&texts, &facts.surfaces, &weir_files::Limits::default());
        self.unread.extend(looked.unread);
        others.extend_from_slice(&looked.left_out);
        others.sort_unstable();
        others.dedup();
        let unmentioned = match &manifest {
            Some(manifest) if self.unread.is_empty() => mentions::missing(manifest, &texts),
            _ => Vec::new(),
        };
        Contents {
            unmentioned,
            shrinkwrap,
            bundled: Some(bundled),
            manifest,
            size: self.size,
            violations,
            install_steps: facts.install_steps,
            flows: facts.flows,
            capabilities: facts.capabilities,
            hosts: facts.hosts,
            binaries,
            hidden: looked.hidden,
            obfuscated: looked.obfuscated,
            rule_hits: scanned.hits,
            files: looked.files,
            files_left_out: looked.files_left_out,
            other_digests: others.concat(),
            sketch: looked.sketch,
            unread: self.unread,
            rule_hits_left_out: scanned.left_out,
            unscanned: scanned.unscanned,
        }
    }
}

/// Adds files that some file systems take for one which install runs. There another file runs than the one that
/// was read as being run; elsewhere two names of one file are common enough among honest packages.
fn with_clashes(
    mut violations: Vec<Violation>,
    files: &[SourceFile<'_>],
    steps: &[InstallStep],
) -> Vec<Violation> {
    let run: HashSet<&str> = steps
        .iter()
        .flat_map(|step| step.reaches.iter().map(String::as_str))
        .collect();
    let mut named: HashMap<String, Vec<&SourceFile<'_>>> = HashMap::new();
    for path in &run {
        named.entry(weir_archive::folded(path)).or_default();
    }
    if named.is_empty() {
        return violations;
    }
    for file in files {
        if let Some(same) = named.get_mut(&weir_archive::folded(file.path)) {
            same.push(file);
        }
    }
    let mut clashes: Vec<(&str, &str)> = Vec::new();
    for same in named.values() {
        for one in same.iter().filter(|one| run.contains(one.path)) {
            let other = same
                .iter()
                .find(|other| other.path != one.path && other.bytes != one.bytes);
            clashes.extend(other.map(|other| (one.path, other.path)));
        }
    }
    clashes.sort_unstable();
    for (path, other) in clashes.into_iter().take(CLASHES) {
        let is_same = |it: &Violation| {
            it.rule == CLASH
                && it
                    .path
                    .as_deref()
                    .is_some_and(|it| it == path || it == other)
        };
        violations.retain(|it| !is_same(it));
        violations.push(Violation {
            rule: CLASH.to_owned(),
            path: Some(path.to_owned()),
            detail: format!(
                "runs at install time, and `{other}`, which has other contents, is the same file on some file systems"
            ),
            ambiguous: true,
        });
    }
    violations
}

#[cfg(test)]
mod tests {
    use weir_testing::tarball::{Entry, tgz};

    use super::{of_folder, of_tarball};

    /// What a manifest names is told when it was not read, whatever its name and wherever it stands.
    #[test]
    fn what_the_manifest_runs_is_read_or_told() {
        let large = b"// words and words\n".repeat(4 << 10);
        for (manifest, path, data, is_told) in [
            (
                r#"{"scripts":{"postinstall":"node setup.png"}}"#,
                "setup.png",
                &large[..99],
                true,
            ),
            (
                r#"{"scripts":{"postinstall":"node setup.dat"}}"#,
                "setup.dat",
                &large[..],
                true,
            ),
            (r#"{"main":"lib.dat"}"#, "lib.dat", &large[..], true),
            (
                r#"{"scripts":{"postinstall":"node setup.js"}}"#,
                "setup.dat",
                &large[..],
                false,
            ),
            (r#"{"main":"lib.dat"}"#, "lib.dat", &large[..99], false),
            (r#"{"main":"words.json"}"#, "words.json", &large[..], false),
        ] {
            let archive = tgz(&[
                Entry::file("package/package.json", manifest),
                Entry::file("package/setup.js", "console.log('ready')"),
                Entry::file(format!("package/{path}"), data),
            ]);
            let contents = of_tarball(&archive, &weir_archive::Limits::default()).unwrap();
            let told = contents.unread.iter().any(|one| one.path == path);
            assert_eq!(told, is_told, "{manifest}: {:?}", contents.unread);
        }
    }

    /// Payloads come as data, as images and in other languages.
    #[test]
    fn every_file_is_known_by_its_digest() {
        let bytes = [b'a'; 300];
        let digest = weir_files::digest_of(&bytes);
        for (path, is_other) in [
            ("payload.dat", true),
            ("data.json", true),
            ("stage.py", true),
            ("i.png", true),
            (".github/workflows/w.yml", true),
            ("types.d.ts", true),
            ("README.md", true),
            ("index.js", false),
            ("LICENSE", false),
            ("index.js.map", false),
        ] {
            let files = [
                Entry::file("package/package.json", "{}"),
                Entry::file(format!("package/{path}"), &bytes[..]),
                Entry::file("package/short.dat", &bytes[..199]),
            ];
            let contents = of_tarball(&tgz(&files), &weir_archive::Limits::default()).unwrap();
            let is_listed = contents.files.iter().any(|it| it.digest == digest);
            let expected = if is_other { digest.as_str() } else { "" };
            assert_eq!(contents.other_digests, expected, "{path}");
            assert_eq!(is_listed, !is_other && path != "index.js.map", "{path}");
        }
    }

    #[test]
    fn files_beyond_those_listed_are_known_by_their_digests_all_the_same() {
        let text = |number: usize| format!("// {number:0300}");
        let mut files = vec![Entry::file("package/package.json", "{}")];
        let numbered = |number| Entry::file(format!("package/{number:04}.js"), text(number));
        files.extend((0..1_002).map(numbered));
        let contents = of_tarball(&tgz(&files), &weir_archive::Limits::default()).unwrap();
        assert_eq!((contents.files.len(), contents.files_left_out), (1_000, 2));
        for left in [1_000, 1_001] {
            let digest = weir_files::digest_of(text(left).as_bytes());
            assert!(contents.other_digests.contains(&digest), "{left}");
        }
    }

    /// Of a folder what would be packed is read: bundled packages with what lies in them, and no others.
    #[test]
    fn bundled_packages_of_a_folder_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let hook = r#"{"scripts":{"postinstall":"node x.js"}}"#;
        for (path, text) in [
            (
                "package.json",
                r#"{"bundleDependencies":["@s/in","../out",".bin"]}"#,
            ),
            ("node_modules/@s/in/package.json", "{}"),
            ("node_modules/@s/in/node_modules/deep/package.json", hook),
            ("node_modules/other/package.json", hook),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let limits = weir_js::Limits::default();
        let read = |analyst: &mut weir_js::Analyst| of_folder(folder.path(), None, analyst);
        let contents = weir_js::Analyst::employ(limits, read).unwrap().unwrap();
        let events = contents.install_steps.iter().map(|step| &step.event);
        let events: Vec<&String> = events.collect();
        assert_eq!(
            events,
            ["postinstall of node_modules/@s/in/node_modules/deep"]
        );
    }

    /// npm follows the file whatever the manifest asks for, and takes what is bundled only where it is there.
    #[test]
    fn what_the_package_fixes_and_brings_is_read() {
        let entry =
            r#""node_modules/silt":{"version":"1.0.0","resolved":"https://one.invalid/mud.tgz"}"#;
        // Larger than any data that is kept.
        let blank = " ".repeat(80 << 10);
        let lock = format!(r#"{{"lockfileVersion":3,"packages":{{"":{{}},{entry}}}}}{blank}"#);
        for (name, found) in [
            ("npm-shrinkwrap.json", Some(false)),
            ("package-lock.json", Some(true)),
            ("lib/npm-shrinkwrap.json", None),
        ] {
            let archive = tgz(&[
                Entry::file("package/package.json", r#"{"name":"a","version":"1.0.0"}"#),
                Entry::file(format!("package/{name}"), &*lock),
                Entry::file("package/node_modules/b/package.json", "{}"),
                Entry::file("package/node_modules/b/node_modules/c/package.json", "{}"),
                Entry::file("package/node_modules/@s/d/package.json", "{}"),
            ]);
            let contents = of_tarball(&archive, &weir_archive::Limits::default()).unwrap();
            let shrinkwrap = contents.shrinkwrap;
            assert_eq!(shrinkwrap.as_ref().map(|it| it.is_lock), found, "{name}");
            let elsewhere = shrinkwrap.map(|it| it.elsewhere.len());
            assert_eq!(elsewhere, found.map(|_| 1), "{name}");
            let bundled = contents.bundled.unwrap();
            assert_eq!(bundled, ["@s/d", "b"]);
        }
    }

    /// On macOS and Windows the last of two such names wins, and a hook runs it.
    #[test]
    fn a_hook_that_may_run_the_other_of_two_files_is_told() {
        let manifest = r#"{"name":"a","version":"1.0.0","scripts":{"postinstall":"node x.js"}}"#;
        for (one, other, contents, is_told) in [
            ("x.js", "X.js", "steal()", true),
            ("x.js", "X.js", "console.log('ready')", false),
            ("x.js", "lib/X.js", "steal()", false),
            ("x.js", "readme.md", "steal()", false),
        ] {
            let archive = tgz(&[
                Entry::file("package/package.json", manifest),
                Entry::file(format!("package/{one}"), "console.log('ready')"),
                Entry::file(format!("package/{other}"), contents),
                Entry::file("package/README.md", "a"),
            ]);
            let contents = of_tarball(&archive, &weir_archive::Limits::default()).unwrap();
            let told: Vec<_> = contents
                .violations
                .iter()
                .filter(|it| it.ambiguous)
                .collect();
            assert_eq!(!told.is_empty(), is_told, "{other}: {told:?}");
        }
    }
}
