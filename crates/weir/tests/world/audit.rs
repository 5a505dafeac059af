//! `weir audit`: what is told of a lockfile's releases, who brings them in, and what to change.

use serde_json::{Value, json};
use weir_testing::clients::Output;
use weir_testing::{Flavour, Package, Project, Registry, Release};

use crate::support::{World, output};

/// A reed pond: `reed` has a flaw below 1.2.0, `stalk` insists on the flawed one until 2.0.0, `bank` for
/// good, and `@pond/shore` admits a fix.
pub(crate) fn pond() -> Registry {
    let registry = Registry::start();
    let release = |version: &str| Release::new(version).published("2024-01-02T03:04:05.678Z");
    let reed = ["1.0.0", "1.1.0", "1.2.0", "2.0.0"].map(release);
    registry.add(
        reed.into_iter()
            .fold(Package::new("reed"), Package::release),
    );
    registry.add(
        Package::new("stalk")
            .release(release("1.0.0").dependency("reed", "1.0.0"))
            .release(release("1.5.0").dependency("reed", "~1.0.0"))
            .release(release("2.0.0").dependency("reed", "^1.2.0")),
    );
    registry.add(Package::new("bank").release(release("1.0.0").dependency("reed", "1.0.0")));
    registry
        .add(Package::new("@pond/shore").release(release("1.0.0").dependency("reed", "^1.0.0")));
    registry.add(Package::new("mud").release(release("1.0.0")));
    registry
}

pub(crate) fn flaw(id: &str, package: &str, events: Value) -> Value {
    json!({
        "id": id,
        "modified": "2026-11-19T09:00:00Z",
        "aliases": [format!("CVE-{id}")],
        "summary": format!("{package} leaks"),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
        "affected": [{
            "package": {"ecosystem": "npm", "name": package},
            "ranges": [{"type": "SEMVER", "events": events}],
        }],
        "references": [{"type": "ADVISORY", "url": format!("https://flaws.example.invalid/{id}")}],
        "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-200"]},
    })
}

pub(crate) fn reed_flaw() -> Value {
    flaw(
        "GHSA-reed-0000-0001",
        "reed",
        json!([{"introduced": "0"}, {"fixed": "1.2.0"}]),
    )
}

/// Imports records as a feed.
pub(crate) fn import(world: &World, feed: &str, records: &[Value]) {
    for record in records {
        let path = format!("work/{feed}/{}.json", record["id"].as_str().unwrap());
        world.write(&path, record.to_string());
    }
    world.run(&["advisories", "import", feed]).assert_success();
}

/// `weir audit --json` in a project.
pub(crate) fn audit(
    world: &World,
    registry: &Registry,
    project: &Project,
    more: &[&str],
) -> (Value, Output) {
    let run = output(
        world
            .weir_before(registry)
            .args(["audit", "--json"])
            .args(more)
            .current_dir(project.path()),
    );
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    (report, run)
}

/// A lockfile of npm's, version 3: places and what they ask for.
pub(crate) fn locked(project: &Value, packages: &[(&str, &str, Value)]) -> String {
    let mut all = json!({ "": project });
    for (place, version, more) in packages {
        let name = place.rsplit("node_modules/").next().unwrap();
        let mut entry = json!({
            "version": version,
            "resolved": format!("https://registry.example.invalid/{name}/-/x-{version}.tgz"),
        });
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all[*place] = entry;
    }
    json!({"name": "p", "lockfileVersion": 3, "requires": true, "packages": all}).to_string()
}

pub(crate) fn project(manifest: &Value, packages: &[(&str, &str, Value)]) -> Project {
    Project::new()
        .package_json(manifest)
        .file("package-lock.json", locked(manifest, packages))
}

pub(crate) fn changes(report: &Value) -> Vec<(String, String, String)> {
    let locked = report["findings"][0]["locked"].as_array().unwrap();
    let changes = locked
        .iter()
        .flat_map(|it| it["changes"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    changes
        .map(|it| (text(&it["kind"]), text(&it["package"]), text(&it["to"])))
        .collect()
}

pub(crate) fn change(kind: &str, package: &str, to: &str) -> (String, String, String) {
    (kind.to_owned(), package.to_owned(), to.to_owned())
}

#[test]
fn a_flaw_comes_with_its_paths_and_its_way_out() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest = json!({
        "name": "p", "version": "1.0.0",
        "dependencies": {"stalk": "^1.0.0", "@pond/shore": "^1.0.0"},
        "devDependencies": {"reed": "~1.0.0", "mud": "1.0.0"},
    });
    let project = project(
        &manifest,
        &[
            ("node_modules/reed", "1.0.0", json!({})),
            (
                "node_modules/stalk",
                "1.0.0",
                json!({"dependencies": {"reed": "1.0.0"}}),
            ),
            (
                "node_modules/@pond/shore",
                "1.0.0",
                json!({"dependencies": {"reed": "^1.0.0"}}),
            ),
            ("node_modules/mud", "1.0.0", json!({"dev": true})),
        ],
    );
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    assert_eq!(report["schema"], "weir.audit/v1");
    assert_eq!(report["counts"]["high"], 1);
    let finding = &report["findings"][0];
    assert_eq!(finding["id"], "GHSA-reed-0000-0001");
    assert_eq!(finding["aliases"], json!(["CVE-GHSA-reed-0000-0001"]));
    assert_eq!(finding["severity"], "high");
    assert_eq!(finding["cvss"]["score"], 7.5);
    assert_eq!(finding["vulnerable"], "<1.2.0");
    assert_eq!(
        finding["says"],
        json!([{"feed": "osv", "id": "GHSA-reed-0000-0001", "says": "affected"}])
    );
    let locked = &finding["locked"][0];
    assert_eq!(locked["version"], "1.0.0");
    assert_eq!(locked["need"], "production");
    let paths: Vec<String> = locked["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            it["through"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(" > ")
        })
        .collect();
    assert_eq!(paths[0], "reed@1.0.0");
    assert!(
        paths.contains(&"stalk@1.0.0 > reed@1.0.0".to_owned()),
        "{paths:?}"
    );
    assert!(
        paths.contains(&"@pond/shore@1.0.0 > reed@1.0.0".to_owned()),
        "{paths:?}"
    );
    assert_eq!(
        locked["fixes"],
        json!([{
            "version": "1.2.0", "published": true, "breaking": false, "lower": false, "prerelease": false,
            "last_affected": null, "fixed": true, "not_fixed": null,
        }])
    );
    let changes = changes(&report);
    // What is direct is raised; a parent that admits it needs nothing; one that does not is raised to the
    // release that does.
    assert!(
        changes.contains(&change("raise", "reed", "^1.2.0")),
        "{changes:?}"
    );
    assert!(
        changes.contains(&change("refresh", "reed", "1.2.0")),
        "{changes:?}"
    );
    assert!(
        changes.contains(&change("raise", "stalk", "^2.0.0")),
        "{changes:?}"
    );

    let text = output(
        world
            .weir_before(&registry)
            .arg("audit")
            .current_dir(project.path()),
    );
    for said in [
        "reed: high, CVSS 7.5: reed leaks (GHSA-reed-0000-0001)",
        "by way of stalk@1.0.0 > reed@1.0.0",
        "fixed in: 1.2.0",
        "raise stalk in package.json from \"^1.0.0\" to \"^2.0.0\"",
        "4 packages: 1 high",
    ] {
        assert!(text.says(said), "{said}: {}", text.text());
    }
}

#[test]
fn a_parent_that_never_takes_a_fix_is_overridden() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest = json!({"name": "p", "dependencies": {"bank": "^1.0.0"}});
    let packages = [
        ("node_modules/reed", "1.0.0", json!({})),
        (
            "node_modules/bank",
            "1.0.0",
            json!({"dependencies": {"reed": "1.0.0"}}),
        ),
    ];
    let project = project(&manifest, &packages);
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(
        changes(&report),
        [change("override", "reed", "1.2.0")],
        "{}",
        run.text()
    );
    // Without the registry nobody knows what later releases of bank take, nor whether 1.2.0 was published.
    let (report, run) = audit(&world, &registry, &project, &["--offline"]);
    assert_eq!(run.code, Some(5));
    assert_eq!(
        changes(&report),
        [change("unknown", "reed", "1.2.0")],
        "{}",
        run.text()
    );
    assert_eq!(
        report["findings"][0]["locked"][0]["fixes"][0]["published"],
        Value::Null
    );
}

/// A fix to one advisory that another speaks against is no fix.
#[test]
fn what_is_still_affected_is_never_called_fixed() {
    let (world, registry) = (World::new(), pond());
    let other = flaw(
        "GHSA-reed-0000-0002",
        "reed",
        json!([{"introduced": "1.2.0"}, {"fixed": "2.0.0"}]),
    );
    import(&world, "osv", &[reed_flaw(), other]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "^1.0.0"}});
    let project = project(&manifest, &[("node_modules/reed", "1.0.0", json!({}))]);
    for offline in [&[][..], &["--offline"]] {
        let (report, run) = audit(&world, &registry, &project, offline);
        let fixes = report["findings"][0]["locked"][0]["fixes"]
            .as_array()
            .unwrap();
        let versions: Vec<&Value> = fixes.iter().map(|it| &it["version"]).collect();
        // The record at hand states 1.2.0 only, and that is no way out.
        let want: &[&str] = if offline.is_empty() { &["2.0.0"] } else { &[] };
        assert_eq!(versions, want, "{}", run.text());
    }
    // Nothing newer is free of what is known.
    let all = flaw("GHSA-reed-0000-0003", "reed", json!([{"introduced": "0"}]));
    import(&world, "osv", &[all]);
    let (report, _) = audit(&world, &registry, &project, &[]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 2);
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["locked"][0]["fixes"], json!([]));
        assert_eq!(finding["locked"][0]["changes"][0]["kind"], "remove");
    }
}

/// A range that admits a fixed version is no way out when clients take an affected one of it.
#[test]
fn what_clients_would_take_has_to_be_fixed() {
    let (world, registry) = (World::new(), pond());
    let ends = flaw(
        "GHSA-reed-0000-0001",
        "reed",
        json!([{"introduced": "0"}, {"fixed": "1.1.0"}]),
    );
    let begins = flaw(
        "GHSA-reed-0000-0002",
        "reed",
        json!([{"introduced": "1.2.0"}, {"fixed": "2.0.0"}]),
    );
    import(&world, "osv", &[ends, begins]);
    let manifest = json!({
        "name": "p", "dependencies": {"reed": "^1.0.0", "@pond/shore": "^1.0.0"},
    });
    let packages = [
        ("node_modules/reed", "1.0.0", json!({})),
        (
            "node_modules/@pond/shore",
            "1.0.0",
            json!({"dependencies": {"reed": "^1.0.0"}}),
        ),
    ];
    let project = project(&manifest, &packages);
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(
        changes(&report),
        [
            change("raise", "reed", "1.1.0"),
            change("override", "reed", "1.1.0")
        ],
        "{}",
        run.text()
    );
}

/// Ranges are not what counts where the project sets versions itself, or a tarball brings them along.
#[test]
fn versions_that_no_range_decides_have_other_ways_out() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let shore = ("node_modules/@pond/shore", "1.0.0", "^1.0.0");
    let bank = ("node_modules/bank", "1.0.0", "1.0.0");
    for (parent, place, more, bundled, overrides, want) in [
        (
            shore,
            "node_modules/reed",
            json!({}),
            json!([]),
            json!({"reed": "1.0.0"}),
            change("override", "reed", "1.2.0"),
        ),
        (
            bank,
            "node_modules/bank/node_modules/reed",
            json!({"inBundle": true}),
            json!(["reed"]),
            json!({}),
            change("unknown", "bank", "-"),
        ),
    ] {
        let (at, version, range) = parent;
        let name = at.strip_prefix("node_modules/").unwrap();
        let manifest =
            json!({"name": "p", "dependencies": {name: "^1.0.0"}, "overrides": overrides});
        let packages = [
            (
                at,
                version,
                json!({"dependencies": {"reed": range}, "bundleDependencies": bundled}),
            ),
            (place, "1.0.0", more),
        ];
        let project = project(&manifest, &packages);
        let (report, run) = audit(&world, &registry, &project, &[]);
        assert_eq!(changes(&report), [want], "{}", run.text());
    }
}

/// Past the last version known to be affected nothing is called fixed, and nothing hopeless either.
#[test]
fn an_end_that_nobody_confirms_is_named_and_is_no_fix() {
    let (world, registry) = (World::new(), pond());
    let mut open = flaw("GHSA-reed-0000-0001", "reed", json!([{"introduced": "0"}]));
    open["affected"][0]["database_specific"] =
        json!({"last_known_affected_version_range": "<= 1.1.0"});
    import(&world, "osv", &[open]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "^1.0.0"}});
    let project = project(&manifest, &[("node_modules/reed", "1.0.0", json!({}))]);
    let (report, run) = audit(&world, &registry, &project, &[]);
    let locked = &report["findings"][0]["locked"][0];
    assert_eq!(locked["fixes"], json!([]), "{}", run.text());
    assert_eq!(locked["unconfirmed"], json!(["1.2.0"]));
    assert_eq!(changes(&report), [change("unknown", "reed", "-")]);
}

/// Malware that a newer release of a package is: back to what was published before it, and no further up.
#[test]
fn out_of_malware_leads_back() {
    let (world, registry) = (World::new(), pond());
    let mut mal = flaw("MAL-2026-0001", "reed", json!([{"introduced": "1.2.0"}]));
    mal["database_specific"] = json!({});
    import(&world, "mal", &[mal]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "^1.0.0"}});
    let project = project(&manifest, &[("node_modules/reed", "1.2.0", json!({}))]);
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(report["counts"]["malware"], 1, "{}", run.text());
    assert_eq!(report["counts"]["critical"], 0);
    assert_eq!(
        report["findings"][0]["locked"][0]["fixes"][0]["version"],
        "1.1.0"
    );
    // A caret would lead to the malware again.
    assert_eq!(changes(&report), [change("raise", "reed", "1.1.0")]);
}

#[test]
fn thresholds_and_omissions_decide_the_exit_code() {
    let (world, registry) = (World::new(), pond());
    let mut mild = reed_flaw();
    mild["database_specific"] = json!({"severity": "LOW"});
    import(&world, "osv", &[mild]);
    let manifest = json!({"name": "p", "devDependencies": {"reed": "1.0.0"}});
    let project = project(
        &manifest,
        &[("node_modules/reed", "1.0.0", json!({"dev": true}))],
    );
    let code = |more: &[&str]| audit(&world, &registry, &project, more).1.code;
    assert_eq!(code(&[]), Some(5));
    assert_eq!(code(&["--severity", "low"]), Some(5));
    assert_eq!(code(&["--severity", "moderate"]), Some(0));
    assert_eq!(code(&["--omit", "optional"]), Some(5));
    assert_eq!(code(&["--omit", "dev"]), Some(0));
    let (report, _) = audit(&world, &registry, &project, &["--severity", "moderate"]);
    assert_eq!(report["counts"]["below_threshold"], 1);
    assert_eq!(report["findings"][0]["below_threshold"], true);
    assert_eq!(report["findings"][0]["locked"][0]["need"], "development");
    // Malware is no matter of degree, and neither is what nobody rates.
    let mut mal = flaw("MAL-2026-0001", "reed", json!([{"introduced": "0"}]));
    mal["database_specific"] = json!({"severity": "LOW"});
    import(&world, "mal", &[mal]);
    let (report, run) = audit(&world, &registry, &project, &["--severity", "critical"]);
    assert_eq!(run.code, Some(5));
    assert_eq!(report["counts"]["malware"], 1);
    assert_eq!(report["findings"][0]["kind"], "malware");
}

/// What could not be audited is said, and is no pass.
#[test]
fn nothing_passes_unaudited() {
    let (world, registry) = (World::new(), pond());
    let manifest = json!({"name": "p", "dependencies": {"reed": "2.0.0"}});
    let packages = [("node_modules/reed", "2.0.0", json!({}))];
    let project = project(&manifest, &packages);
    let run = output(
        world
            .weir_before(&registry)
            .arg("audit")
            .current_dir(project.path()),
    );
    assert_eq!(run.code, Some(1), "no advisories: {}", run.text());
    assert!(run.says("no advisories are imported"), "{}", run.text());

    import(&world, "osv", &[reed_flaw()]);
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(
        (run.code, report["findings"].as_array().unwrap().len()),
        (Some(0), 0)
    );

    project.write("package-lock.json", "{ broken");
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(run.code, Some(5));
    assert_eq!(report["unchecked"][0]["rule"], "unreadable");
    let empty = Project::new().package_json(&manifest);
    let (report, run) = audit(&world, &registry, &empty, &[]);
    assert_eq!(run.code, Some(5));
    assert_eq!(report["unchecked"][0]["rule"], "no-lockfile");

    // An advisory whose ranges cannot be read is neither found nor passed.
    let odd = flaw(
        "GHSA-odd0-0000-0001",
        "reed",
        json!([{"introduced": "the flood"}]),
    );
    world.write("work/odd/GHSA-odd0-0000-0001.json", odd.to_string());
    assert_eq!(world.run(&["advisories", "import", "odd"]).code, Some(1));
    let project = self::project(&manifest, &packages);
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert_eq!(report["counts"]["unclear"], 1);
    assert_eq!(report["findings"][0]["certain"], false);
}

#[test]
fn feeds_that_disagree_are_all_heard() {
    let (world, registry) = (World::new(), pond());
    import(&world, "one", &[reed_flaw()]);
    let mut other = flaw(
        "OTHER-7",
        "reed",
        json!([{"introduced": "0"}, {"fixed": "1.0.0"}]),
    );
    other["aliases"] = json!(["GHSA-reed-0000-0001"]);
    import(&world, "two", &[other]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "1.0.0"}});
    let project = project(&manifest, &[("node_modules/reed", "1.0.0", json!({}))]);
    let (report, _) = audit(&world, &registry, &project, &[]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(
        report["findings"][0]["says"],
        json!([
            {"feed": "one", "id": "GHSA-reed-0000-0001", "says": "affected"},
            {"feed": "two", "id": "OTHER-7", "says": "not-affected"},
        ])
    );
    let shown = world.run(&["advisories", "show", "reed@1.0.0"]);
    assert!(
        shown.says("two: OTHER-7 says not affected"),
        "{}",
        shown.text()
    );
    let shown = world.run(&["advisories", "show", "OTHER-7"]);
    assert!(
        shown.says("GHSA-reed-0000-0001 vulnerability in reed"),
        "{}",
        shown.text()
    );
    let list = world.run(&["advisories", "list"]);
    assert!(
        list.says("one: 1 in force") && list.says("two: 1 in force"),
        "{}",
        list.text()
    );
}

#[test]
fn sarif_names_the_line() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "1.0.0"}});
    let project = project(&manifest, &[("node_modules/reed", "1.0.0", json!({}))]);
    audit(&world, &registry, &project, &["--sarif", "out.sarif"]);
    let sarif: Value = serde_json::from_str(&project.read("out.sarif").unwrap()).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "known-vulnerability");
    assert_eq!(result["level"], "error");
    let text = result["message"]["text"].as_str().unwrap();
    assert!(
        text.contains("GHSA-reed-0000-0001") && text.contains("to \"^1.2.0\""),
        "{text}"
    );
}

/// A feed over HTTP: fetched once, then only if it has changed; from a mirror too, which has no audit.
#[test]
fn feeds_come_from_addresses_and_are_updated_from_there() {
    let (world, registry) = (World::new(), pond());
    registry.set_flavour(Flavour::BareMirror);
    let mut archive =
        crate::advisories::zip(std::fs::File::create(world.path("work/all.zip")).unwrap());
    archive.add("GHSA-reed-0000-0001.json", &reed_flaw().to_string());
    archive.finish();
    let bytes = std::fs::read(world.path("work/all.zip")).unwrap();
    let server = crate::support::http::FileServer::start(bytes);
    let url = format!("{}feeds/all.zip", server.url());
    let run = world.run(&["advisories", "import", &url, "--feed", "web"]);
    run.assert_success();
    assert!(run.says("1 new or changed"), "{}", run.text());
    let run = world.run(&["advisories", "update"]);
    assert!(
        run.assert_success().says("web: has not changed"),
        "{}",
        run.text()
    );
    let file = format!("file://{}", world.path("work/all.zip").display());
    world
        .run(&["advisories", "import", &file, "--feed", "disk"])
        .assert_success();
    let run = world.run(&["advisories", "update", "disk"]);
    assert!(
        run.assert_success().says("disk: has not changed"),
        "{}",
        run.text()
    );
    let run = world.run(&[
        "advisories",
        "import",
        "http://feeds.example.invalid/all.zip",
    ]);
    assert_eq!(run.code, Some(1));
    assert!(run.says("only https"), "{}", run.text());
    let list = world.run(&["advisories", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list["feeds"][1]["name"], "web");
    assert_eq!(list["feeds"][1]["source"], url.as_str());
    world.run(&["advisories", "remove", "web"]).assert_success();
    assert_eq!(world.run(&["advisories", "remove", "web"]).code, Some(1));
}

/// A fork that bears a package's name is not to be had from the registry, where anybody may hold that name.
#[test]
fn nothing_is_asked_or_proposed_of_a_registry_for_what_comes_from_elsewhere() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let fork = "git+ssh://git@code.example.invalid/reed.git";
    let manifest = json!({"name": "p", "dependencies": {"reed": fork}});
    let project = project(
        &manifest,
        &[(
            "node_modules/reed",
            "1.0.0",
            json!({"resolved": format!("{fork}#0123456789abcdef0123456789abcdef01234567")}),
        )],
    );
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    assert_eq!(changes(&report), [change("unknown", "reed", "-")]);
    let asked = registry.requests();
    assert!(
        asked.iter().all(|request| !request.path.contains("reed")),
        "{asked:?}"
    );
}

/// Two records of one flaw, each about other releases: the worst decides what is below the threshold.
#[test]
fn the_worst_release_of_a_flaw_decides_the_threshold() {
    let (world, registry) = (World::new(), pond());
    let mut mild = flaw("GHSA-reed-0000-0002", "reed", json!([{"introduced": "0"}]));
    mild["database_specific"] = json!({"severity": "LOW"});
    mild["aliases"] = json!(["CVE-2026-0002"]);
    let mut bad = flaw("CVE-2026-0002", "reed", json!([{"introduced": "1.1.0"}]));
    bad["database_specific"] = json!({"severity": "CRITICAL"});
    bad["aliases"] = json!(["GHSA-reed-0000-0002"]);
    import(&world, "osv", &[mild, bad]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "1.0.0", "stalk": "1.0.0"}});
    let project = project(
        &manifest,
        &[
            ("node_modules/reed", "1.0.0", json!({})),
            (
                "node_modules/stalk",
                "1.0.0",
                json!({"dependencies": {"reed": "^1.1.0"}}),
            ),
            ("node_modules/stalk/node_modules/reed", "1.1.0", json!({})),
        ],
    );
    let (report, run) = audit(&world, &registry, &project, &["--severity", "high"]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    assert_eq!(report["counts"]["critical"], 1);
    assert_eq!(report["counts"]["below_threshold"], 0);
}
