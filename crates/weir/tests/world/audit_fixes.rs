//! `weir audit`: the ways out, and that the commands it prints do what it says of them.

use serde_json::{Value, json};
use weir_testing::clients::{self, Client, Kind, Output};
use weir_testing::{Package, Project, Registry, Release};

use crate::audit::{audit, change, changes, flaw, import, pond, project, reed_flaw};
use crate::support::{World, output};

/// What is to be done, as sentences.
fn sentences(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let locked = findings.flat_map(|it| it["locked"].as_array().unwrap());
    let changes = locked.flat_map(|it| it["changes"].as_array().unwrap());
    changes
        .map(|it| it["what"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn assert_says(report: &Value, wanted: &str) {
    let said = sentences(report);
    assert!(
        said.iter().any(|it| it.contains(wanted)),
        "{wanted}: {said:#?}"
    );
}

/// A project whose only dependency is locked at a version.
fn locks(name: &str, spec: &str, version: &str) -> Project {
    let manifest = json!({"name": "p", "dependencies": {name: spec}});
    let place = format!("node_modules/{name}");
    project(&manifest, &[(&place, version, json!({}))])
}

/// A range alone under that name would be of a package that nobody looked at.
#[test]
fn what_an_address_brings_under_another_name_is_raised_by_its_own() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let address = "https://registry.example.invalid/reed/-/reed-1.0.0.tgz";
    let manifest = json!({"name": "p", "dependencies": {"grass": address}});
    let entry = json!({"name": "reed", "resolved": address});
    let project = project(&manifest, &[("node_modules/grass", "1.0.0", entry)]);
    let (report, _) = audit(&world, &registry, &project, &[]);
    assert_says(&report, "\"npm:reed@");
}

#[test]
fn names_that_are_yours_are_not_told_to_the_default_registry() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest = json!({"name": "p", "dependencies": {"bank": "1.0.0", "@pond/shore": "^1.0.0"}});
    let needs = |range: &str| json!({"dependencies": {"reed": range}});
    let project = project(
        &manifest,
        &[
            ("node_modules/reed", "1.0.0", json!({})),
            ("node_modules/bank", "1.0.0", needs("1.0.0")),
            ("node_modules/@pond/shore", "1.0.0", needs("^1.0.0")),
        ],
    )
    .file(
        "weir.toml",
        "[names]\nown = [\"@pond/*\"]\ninternal = [\"bank\"]\n",
    );
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(report["withheld"], 2, "{}", run.text());
    assert!(
        run.says("the default registry was not asked about 2 packages whose names are yours"),
        "{}",
        run.text()
    );
    let asked: Vec<String> = registry
        .requests()
        .iter()
        .map(|it| it.path.clone())
        .collect();
    assert!(asked.iter().any(|path| path.contains("reed")), "{asked:?}");
    assert!(
        asked
            .iter()
            .all(|path| !path.contains("bank") && !path.contains("pond")),
        "{asked:?}"
    );
    // What bank's later releases take nobody was asked, and nothing is claimed of it.
    assert!(
        changes(&report).contains(&change("unknown", "reed", "1.2.0")),
        "{}",
        run.text()
    );
    // Without the policy both are asked about.
    project.write("weir.toml", "");
    let (report, _) = audit(&world, &registry, &project, &[]);
    assert_eq!(report["withheld"], 0);
    assert!(
        registry
            .requests()
            .iter()
            .any(|it| it.path.contains("bank"))
    );
}

#[test]
fn where_nothing_later_is_clean_a_lower_version_is_a_way_out_and_then_a_prerelease() {
    let (world, registry) = (World::new(), pond());
    let release = |version: &str| Release::new(version).published("2024-01-02T03:04:05.678Z");
    registry.add(
        Package::new("silt")
            .release(release("1.0.0"))
            .release(release("1.1.0-rc.1")),
    );
    import(
        &world,
        "osv",
        &[
            flaw(
                "GHSA-reed-0000-0009",
                "reed",
                json!([{"introduced": "1.2.0"}]),
            ),
            flaw(
                "GHSA-silt-0000-0001",
                "silt",
                json!([{"introduced": "0"}, {"fixed": "1.1.0-rc.1"}]),
            ),
        ],
    );
    let (report, run) = audit(&world, &registry, &locks("reed", "^1.0.0", "1.2.0"), &[]);
    assert_eq!(
        report["findings"][0]["locked"][0]["fixes"],
        json!([{
            "version": "1.1.0", "published": true, "breaking": true, "lower": true, "prerelease": false,
            "last_affected": null, "fixed": false, "not_fixed": "it is lower than the affected one",
        }]),
        "{}",
        run.text()
    );
    assert_eq!(changes(&report), [change("raise", "reed", "1.1.0")]);
    assert_says(
        &report,
        "no later version of reed is known to be clean; 1.1.0 is, lower than the locked 1.2.0: lower reed in \
         package.json from \"^1.0.0\" to \"1.1.0\"",
    );

    let (report, run) = audit(&world, &registry, &locks("silt", "^1.0.0", "1.0.0"), &[]);
    assert_eq!(
        report["findings"][0]["locked"][0]["fixes"],
        json!([{
            "version": "1.1.0-rc.1", "published": true, "breaking": false, "lower": false, "prerelease": true,
            "last_affected": null, "fixed": true, "not_fixed": null,
        }]),
        "{}",
        run.text()
    );
    assert_says(
        &report,
        "no release of silt is known to be clean, only a prerelease, 1.1.0-rc.1: raise silt in package.json \
         from \"^1.0.0\" to \"^1.1.0-rc.1\"",
    );
    assert_eq!(
        report["findings"][0]["locked"][0]["changes"][0]["breaking"],
        false
    );
}

/// What is only past what records speak of, or lower, is not fixed, and no part of the answer says it is.
#[test]
fn what_no_record_calls_fixed_is_not_called_fixed() {
    let because = "is the last affected one in GHSA-reed-0000-0007, which states no fix after it";
    let affected = |ranges: Value, versions: Value| {
        let mut record = flaw("GHSA-reed-0000-0007", "reed", json!([{"introduced": "0"}]));
        record["affected"][0]["ranges"] = ranges;
        record["affected"][0]["versions"] = versions;
        record
    };
    let range = |events: Value| json!({"type": "SEMVER", "events": events});
    let last = range(json!([{"introduced": "0"}, {"last_affected": "1.1.0"}]));
    let limit = range(json!([{"introduced": "0"}, {"limit": "1.2.0"}]));
    let line = range(json!([{"introduced": "1.0.0"}, {"fixed": "1.0.1"}]));
    let next = range(json!([{"introduced": "1.1.0"}, {"last_affected": "1.1.0"}]));
    for (record, way, last, why) in [
        (
            affected(json!([last]), json!([])),
            "1.2.0",
            json!("1.1.0"),
            format!("1.1.0 {because}"),
        ),
        (
            affected(json!([]), json!(["1.0.0", "1.1.0"])),
            "1.2.0",
            json!("1.1.0"),
            format!("1.1.0 {because}"),
        ),
        (
            affected(json!([limit]), json!([])),
            "1.2.0",
            json!(null),
            "GHSA-reed-0000-0007 does not speak of versions from 1.2.0 on, and states no fix"
                .to_owned(),
        ),
        // The fix of the locked line was not published, and the next line has none.
        (
            affected(json!([line, next]), json!([])),
            "1.2.0",
            json!("1.1.0"),
            format!("1.1.0 {because}"),
        ),
    ] {
        let (world, registry) = (World::new(), pond());
        import(&world, "osv", std::slice::from_ref(&record));
        let project = locks("reed", "^1.0.0", "1.0.0");
        let (report, run) = audit(&world, &registry, &project, &[]);
        let fix = &report["findings"][0]["locked"][0]["fixes"][0];
        assert_eq!(
            (
                &fix["version"],
                &fix["last_affected"],
                &fix["fixed"],
                &fix["not_fixed"]
            ),
            (&json!(way), &last, &json!(false), &json!(why)),
            "{record} {}",
            run.text()
        );
        assert!(
            !sentences(&report).iter().any(|it| it.contains("fixed")),
            "{}",
            run.text()
        );
        let text = output(
            world
                .weir_before(&registry)
                .arg("audit")
                .current_dir(project.path()),
        );
        let said = format!("not affected: {way} ({why})");
        assert!(
            text.says(&said) && !text.says("fixed in"),
            "{}",
            text.text()
        );
    }
}

/// Of two records of one flaw one names a fix, and the other calls that affected.
#[test]
fn a_fix_that_another_record_speaks_against_is_none_with_or_without_a_registry() {
    let (world, registry) = (World::new(), pond());
    let aliased = |id: &str, events: Value| {
        let mut record = flaw(id, "reed", events);
        record["aliases"] = json!(["CVE-9"]);
        record
    };
    import(
        &world,
        "osv",
        &[
            aliased(
                "GHSA-reed-0000-0007",
                json!([{"introduced": "0"}, {"last_affected": "1.1.0"}]),
            ),
            aliased("OTHER-7", json!([{"introduced": "0"}, {"fixed": "1.1.0"}])),
        ],
    );
    let project = locks("reed", "^1.0.0", "1.0.0");
    let (report, run) = audit(&world, &registry, &project, &[]);
    let fix = &report["findings"][0]["locked"][0]["fixes"][0];
    assert_eq!(
        (&fix["version"], &fix["fixed"]),
        (&json!("1.2.0"), &json!(false)),
        "{}",
        run.text()
    );
    let (report, run) = audit(&world, &registry, &project, &["--offline"]);
    let fixes = &report["findings"][0]["locked"][0]["fixes"];
    assert_eq!(*fixes, json!([]), "{}", run.text());
    assert_says(
        &report,
        "a record names 1.1.0 as fixed for reed, and others do not confirm it, and which versions there are \
         is not known here",
    );
}

/// Nobody knows which versions there are: what clients would take is not claimed.
#[test]
fn without_a_registry_no_range_is_called_a_way_out() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest =
        json!({"name": "p", "dependencies": {"reed": "^1.0.0", "@pond/shore": "^1.0.0"}});
    let packages = [
        ("node_modules/reed", "1.0.0", json!({})),
        (
            "node_modules/@pond/shore",
            "1.0.0",
            json!({"dependencies": {"reed": "^1.0.0"}}),
        ),
    ];
    let project = project(&manifest, &packages);
    let (report, run) = audit(&world, &registry, &project, &["--offline"]);
    assert!(registry.requests().is_empty());
    assert_eq!(
        changes(&report),
        [
            change("raise", "reed", "1.2.0"),
            change("unknown", "reed", "1.2.0")
        ],
        "{}",
        run.text()
    );
    assert_says(
        &report,
        "set reed in package.json from \"^1.0.0\" to \"1.2.0\", which records name as fixed: what clients \
         take of a range could not be looked up",
    );
    assert_says(
        &report,
        "records name 1.2.0 as fixed, which @pond/shore@1.0.0 admits, and whether clients take it could not \
         be looked up",
    );
}

#[test]
fn a_tag_is_followed_to_where_it_leads() {
    let (world, registry) = (World::new(), pond());
    registry.update("reed", |reed| {
        reed.tag("next", "1.1.0").tag("latest", "2.0.0")
    });
    import(&world, "osv", &[reed_flaw()]);
    let (report, run) = audit(&world, &registry, &locks("reed", "next", "1.0.0"), &[]);
    assert_eq!(
        changes(&report),
        [change("raise", "reed", "^1.2.0")],
        "{}",
        run.text()
    );
    assert_says(
        &report,
        "set reed in package.json from \"next\" to \"^1.2.0\", as the tag \"next\" leads to no version that \
         is fixed",
    );
    let (report, run) = audit(&world, &registry, &locks("reed", "latest", "1.0.0"), &[]);
    assert_eq!(
        changes(&report),
        [change("refresh", "reed", "1.2.0")],
        "{}",
        run.text()
    );
}

/// Installs a project at a time when there was only the flawed reed; afterwards there are all.
fn installed_early(
    client: &Client,
    registry: &Registry,
    manifest: &Value,
    files: &[(&str, &str)],
) -> Project {
    let early = Release::new("1.0.0").published("2024-01-02T03:04:05.678Z");
    let late = |version: &str| Release::new(version).published("2024-06-02T03:04:05.678Z");
    registry.add(
        Package::new("reed")
            .release(early)
            .release(late("1.2.0"))
            .release(late("2.0.0")),
    );
    let cove = Release::new("1.0.0").published("2024-01-02T03:04:05.678Z");
    registry.add(Package::new("cove").release(cove.dependency("y", "npm:reed@^1.0.0")));
    let mut project = Project::new()
        .registry(&registry.url())
        .package_json(manifest);
    for (file, text) in files {
        project = project.file(file, text);
    }
    registry.set_now("2024-02-02T03:04:05.678Z");
    client.install(&project).assert_success();
    registry.set_now("2026-02-02T03:04:05.678Z");
    // What clients remember of the registry is not what is tested.
    project.forget_home();
    project
}

/// Does what a sentence says.
fn obey(client: &Client, project: &Project, sentence: &str) -> Output {
    let command = sentence.rsplit_once('(').unwrap().1.trim_end_matches(')');
    if let Some(rest) = command.strip_prefix("take the entry of ") {
        let name = rest.split(' ').next().unwrap();
        let lockfile = project.read("yarn.lock").unwrap();
        let mut entries: Vec<&str> = lockfile.split("\n\n").collect();
        let before = entries.len();
        entries.retain(|entry| {
            let entry = entry.trim_start().trim_start_matches('"');
            !entry.starts_with(&format!("{name}@"))
        });
        assert_eq!(entries.len() + 1, before, "{lockfile}");
        project.write("yarn.lock", entries.join("\n\n"));
        return client.run(project, &["install"]);
    }
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    client.run(project, &words)
}

/// The command that is printed for a lockfile that is behind brings it up, under the name the client knows.
fn refreshed(kind: Kind, dependencies: &Value, files: &[(&str, &str)], known_as: &str) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest = json!({"name": "p", "version": "1.0.0", "dependencies": dependencies});
    let project = installed_early(&client, &registry, &manifest, files);
    let (report, run) = audit(&world, &registry, &project, &[]);
    let said = sentences(&report);
    assert_eq!(said.len(), 1, "{kind}: {}", run.text());
    assert!(
        said[0].starts_with("the ranges admit a fixed version of reed"),
        "{kind}: {said:?}"
    );
    assert!(
        said[0].contains(&format!(" {known_as}")),
        "{kind}: {said:?}"
    );
    let done = obey(&client, &project, &said[0]);
    done.assert_success();
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(
        report["findings"],
        json!([]),
        "{kind}: {}\n{}",
        done.text(),
        run.text()
    );
    // The project asks for what it asked for.
    let now: Value = serde_json::from_str(&project.read("package.json").unwrap()).unwrap();
    let names = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&now["dependencies"]), names(dependencies), "{kind}");
}

/// pnpm knows an alias by the package's own name, the others by the name it has in the project.
fn is_pnpm(kind: Kind) -> bool {
    matches!(kind, Kind::Pnpm10 | Kind::Pnpm12)
}

/// The tests of one client.
macro_rules! client {
    ($name:ident, $kind:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn refreshes_what_it_asks_for() {
                refreshed($kind, &json!({"reed": "^1.0.0"}), &[], "reed");
            }

            #[test]
            fn refreshes_an_alias() {
                let known_as = if is_pnpm($kind) { "reed" } else { "x" };
                refreshed($kind, &json!({"x": "npm:reed@^1.0.0"}), &[], known_as);
            }

            #[test]
            fn refreshes_what_another_package_asks_for() {
                refreshed($kind, &json!({"@pond/shore": "^1.0.0"}), &[], "reed");
            }

            #[test]
            fn refreshes_an_alias_of_another_package() {
                let known_as = if is_pnpm($kind) { "reed" } else { "y" };
                refreshed($kind, &json!({"cove": "^1.0.0"}), &[], known_as);
            }
        }
    };
}

client!(npm, Kind::Npm);
client!(pnpm_10, Kind::Pnpm10);
client!(pnpm_12, Kind::Pnpm12);
client!(yarn_1, Kind::Yarn1);
client!(yarn_4, Kind::Yarn4);
client!(bun, Kind::Bun);

/// A range in a catalog is raised there.
fn raised_in_a_catalog(kind: Kind, file: &str, text: &str, package_json: Value) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let mut manifest = json!({
        "name": "p", "version": "1.0.0", "private": true, "dependencies": {"reed": "catalog:old"},
    });
    let more = package_json.as_object().unwrap().clone();
    manifest.as_object_mut().unwrap().extend(more);
    let mut project = Project::new()
        .package_json(&manifest)
        .registry(&registry.url());
    if !text.is_empty() {
        let before = project.read(file).unwrap_or_default();
        project = project.file(file, format!("{before}\n{text}"));
    }
    client.install(&project).assert_success();
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(
        sentences(&report),
        [format!(
            "raise reed in the catalog \"old\" in {file} from \"~1.0.0\" to \"^1.2.0\""
        )],
        "{kind}: {}",
        run.text()
    );
}

#[test]
fn a_range_in_a_catalog_is_raised_there() {
    let yaml = "catalogs:\n  old:\n    reed: ~1.0.0\n";
    let workspace = "packages:\n  - '.'\ncatalogs:\n  old:\n    reed: ~1.0.0\n";
    raised_in_a_catalog(Kind::Pnpm10, "pnpm-workspace.yaml", workspace, json!({}));
    raised_in_a_catalog(Kind::Pnpm12, "pnpm-workspace.yaml", workspace, json!({}));
    raised_in_a_catalog(Kind::Yarn4, ".yarnrc.yml", yaml, json!({}));
    let inner = json!({"workspaces": {"packages": ["packages/*"], "catalogs": {"old": {"reed": "~1.0.0"}}}});
    raised_in_a_catalog(Kind::Bun, "package.json", "", inner);
}

/// The client's own command for it works on catalogs as well.
#[test]
fn a_range_in_a_catalog_is_refreshed() {
    let workspace = "packages:\n  - '.'\ncatalog:\n  reed: ^1.0.0\n";
    for kind in [Kind::Pnpm10, Kind::Pnpm12] {
        let files = [("pnpm-workspace.yaml", workspace)];
        refreshed(kind, &json!({"reed": "catalog:"}), &files, "reed");
    }
}
