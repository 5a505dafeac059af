use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// A package of six releases by one person, and a seventh that `change` makes.
fn packument(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut versions = serde_json::Map::new();
    let mut time = serde_json::Map::new();
    let manifest = |version: &str| {
        json!({
            "name": name, "version": version, "repository": "https://git.example.invalid/mara/left-lib",
            "_npmUser": {"name": "mara", "email": "mara@mail.example"},
            "maintainers": [{"name": "mara", "email": "mara@mail.example"}],
            "gitHead": "0123456789abcdef0123456789abcdef01234567",
            "_npmVersion": "10.8.2", "_nodeVersion": "20.17.0",
            "dist": {"tarball": format!("https://registry.example.invalid/{name}/-/{name}-{version}.tgz"),
                     "fileCount": 9, "unpackedSize": 40_000},
        })
    };
    for number in 0..7 {
        let version = format!("1.{number}.0");
        versions.insert(version.clone(), manifest(&version));
        time.insert(version, json!(format!("2026-0{}-01T09:00:00Z", number + 1)));
    }
    change(&mut versions["1.6.0"]);
    json!({"name": name, "dist-tags": {"latest": "1.6.0"}, "versions": versions, "time": time})
}

fn write(folder: &Path, name: &str, document: &Value) {
    std::fs::write(folder.join(format!("{name}.json")), document.to_string()).unwrap();
}

fn lockfile(folder: &Path, names: &[&str]) -> PathBuf {
    let mut packages = serde_json::Map::new();
    packages.insert(
        String::new(),
        json!({"name": "project", "version": "1.0.0"}),
    );
    for name in names {
        packages.insert(
            format!("node_modules/{name}"),
            json!({"version": "1.0.0",
                   "resolved": format!("https://registry.example.invalid/{name}/-/{name}-1.0.0.tgz"),
                   "integrity": "sha512-AAAA"}),
        );
    }
    let file = folder.join("package-lock.json");
    let document = json!({"name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
                          "packages": packages});
    std::fs::write(&file, document.to_string()).unwrap();
    file
}

fn walked(folder: &Path, names: &[&str]) -> walk::Walk {
    let home = tempfile::tempdir().unwrap();
    let names = find::names(&[lockfile(home.path(), names)]).unwrap();
    let mut walk = walk::Walk::new(30, None).unwrap();
    find::in_folder(folder, &names, |found| walk.take(found)).unwrap();
    walk
}

#[test]
fn every_update_is_counted_by_what_would_happen_to_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "left-lib", &packument("left-lib", |_| {}));
    let hooked = packument("right-lib", |last| {
        last["scripts"] = json!({"postinstall": "node collect.js"});
        last["dependencies"] = json!({"crossenv": "*"});
        last["_npmUser"] = json!({"name": "lena"});
    });
    write(folder.path(), "right-lib", &hooked);
    let walk = walked(folder.path(), &["left-lib", "right-lib", "absent-lib"]);
    let counts = walk.counts();
    assert_eq!((counts.packages, counts.updates), (2, 12));
    assert_eq!((counts.allowed, counts.blocked), (11, 1));
    assert_eq!(counts.stopped.len(), 1);
    assert_eq!(counts.stopped[0].release, "right-lib@1.6.0");
    assert_eq!(counts.missing.keys().collect::<Vec<_>>(), ["absent-lib"]);
    assert_eq!((counts.unknown_publisher, counts.other_gaps), (0, 0));
    let table = board::render(counts, counts);
    assert!(table.contains("| blocked | 1 | 83.33 | 0.1 |"), "{table}");
    assert!(table.contains("| right-lib@1.6.0 | block |"), "{table}");
    assert!(table.contains("absent-lib"), "{table}");
}

#[test]
fn where_the_registry_leaves_publishers_out_that_is_counted_and_never_fine() {
    let folder = tempfile::tempdir().unwrap();
    let mut document = packument("left-lib", |_| {});
    for manifest in document["versions"].as_object_mut().unwrap().values_mut() {
        manifest.as_object_mut().unwrap().remove("_npmUser");
    }
    write(folder.path(), "left-lib", &document);
    let walk = walked(folder.path(), &["left-lib"]);
    assert_eq!(walk.counts().updates, 6);
    assert_eq!(walk.counts().unknown_publisher, 6);
}

#[test]
fn nothing_to_look_at_is_an_error_and_so_are_bad_files() {
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let arguments = |lockfile: PathBuf| Arguments {
        lockfiles: vec![lockfile],
        packuments: Some(folder.path().to_owned()),
        data: None,
        fetch: false,
        releases: 30,
        first: None,
        list: false,
        write: false,
    };
    let error = run(&arguments(lockfile(home.path(), &["left-lib"]))).unwrap_err();
    assert!(
        error.to_string().contains("none has a packument"),
        "{error}"
    );
    let error = run(&arguments(lockfile(home.path(), &[]))).unwrap_err();
    assert!(error.to_string().contains("locks no package"), "{error}");
    std::fs::write(folder.path().join("odd.json"), "[]").unwrap();
    let error = run(&arguments(lockfile(home.path(), &["left-lib"]))).unwrap_err();
    assert!(error.to_string().contains("is no packument"), "{error}");
}

#[test]
fn times_of_a_cache_are_noticed_and_numbers_give_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let honest = packument("left-lib", |_| {});
    let mut shuffled = packument("right-lib", |_| {});
    let patch = |version: &str, time: &str, document: &mut Value| {
        let mut manifest = document["versions"]["1.6.0"].clone();
        manifest["version"] = json!(version);
        document["versions"][version] = manifest;
        document["time"][version] = json!(time);
    };
    patch("1.6.2", "2026-08-01T09:00:00Z", &mut shuffled);
    patch("1.6.1", "2026-09-01T09:00:00Z", &mut shuffled);
    write(folder.path(), "left-lib", &honest);
    write(folder.path(), "right-lib", &shuffled);
    let home = tempfile::tempdir().unwrap();
    let names = find::names(&[lockfile(home.path(), &["left-lib", "right-lib"])]).unwrap();
    let mut found = Vec::new();
    find::in_folder(folder.path(), &names, |one| found.push(one)).unwrap();
    let shuffled = |one: &find::Found| order::is_shuffled(one.1.as_ref().unwrap());
    assert_eq!(
        found.iter().map(shuffled).collect::<Vec<_>>(),
        [false, true]
    );
    let numbered = order::by_number(&found[1]);
    assert!(!shuffled(&numbered));
    let packument = numbered.1.unwrap();
    let order = packument.by_publish_time();
    assert_eq!(order[order.len() - 3..], ["1.6.0", "1.6.1", "1.6.2"]);
    assert_eq!(
        packument.published("1.6.2"),
        Some("2026-09-01T09:00:00Z".parse().unwrap())
    );
    assert_eq!(
        packument.published("1.6.1"),
        Some("2026-08-25T09:00:00Z".parse().unwrap())
    );
}
