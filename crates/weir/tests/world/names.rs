//! What the gateway knows of names: internal ones, those asked for in vain, those that others use.

use serde_json::Value;
use weir_testing::{Package, Registry, Release};

use crate::support::{NPM, World, river};

fn inspected(world: &World, registry: &Registry, release: &str) -> Value {
    let run = world.run_before(registry, &["inspect", "--json", release]);
    serde_json::from_str(run.stdout.trim()).unwrap_or_else(|_| panic!("{}", run.text()))
}

fn finding<'f>(assessment: &'f Value, signal: &str) -> Option<&'f Value> {
    let findings = assessment["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["signal"] == signal)
}

#[test]
fn a_public_package_under_an_internal_name_is_blocked() {
    let (world, registry) = (World::new(), river());
    registry.add(
        Package::new("northwind-billing")
            .maintainer("stranger")
            .release(Release::new("1.0.3").published("2026-03-01T09:00:00.000Z")),
    );
    registry.add(
        Package::new("northwind-core")
            .maintainer("nora")
            .release(Release::new("4.2.0").published("2024-03-01T09:00:00.000Z"))
            .release(Release::new("41.0.0").published("2026-03-01T09:00:00.000Z")),
    );
    world.policy("[names]\ninternal = [\"northwind-billing\", \"northwind-core@<5\"]\n");
    let gateway = world.serve(&registry);
    for (path, status) in [
        ("/northwind-billing/-/northwind-billing-1.0.3.tgz", 403),
        ("/northwind-core/-/northwind-core-41.0.0.tgz", 403),
        ("/northwind-core/-/northwind-core-4.2.0.tgz", 200),
        ("/gauge-reader/-/gauge-reader-1.1.0.tgz", 200),
    ] {
        let reply = gateway.get(path, &[("user-agent", NPM)]);
        assert_eq!(reply.status, status, "{path} {}", reply.reason);
        if status == 403 {
            assert!(reply.reason.contains("internal-name"), "{}", reply.reason);
        }
    }
    // A range goes to what is theirs.
    let document = gateway.packument(NPM, "northwind-core");
    assert_eq!(document["dist-tags"]["latest"], "4.2.0");
}

#[test]
fn a_scope_that_is_sent_to_another_registry_is_not_foreign() {
    let (world, registry, inside) = (World::new(), river(), Registry::start());
    inside.set_now("2026-11-20T12:00:00Z");
    inside.add(
        Package::new("@northwind/billing")
            .maintainer("nora")
            .release(Release::new("1.0.3").published("2026-03-01T09:00:00.000Z")),
    );
    world.policy("[names]\ninternal = [\"@northwind/*\"]\n");
    world.write(
        "work/.npmrc",
        format!("@northwind:registry={}\n", inside.url()),
    );
    let found = inspected(&world, &registry, "@northwind/billing@1.0.3");
    assert!(finding(&found, "internal-name").is_none(), "{found:#}");
}

#[test]
fn a_name_that_was_asked_for_before_it_existed_is_noticed_after_a_restart_too() {
    let (world, registry) = (World::new().at("2026-10-01T12:00:00Z"), river());
    let gateway = world.serve(&registry);
    for name in ["table-sorter-hooks", "gauge-writer"] {
        assert_eq!(gateway.get(&format!("/{name}"), &[]).status, 404);
    }
    drop(gateway);
    for name in ["table-sorter-hooks", "gauge-counter"] {
        registry.add(
            Package::new(name)
                .maintainer("stranger")
                .release(Release::new("1.0.0").published("2026-11-10T09:00:00.000Z")),
        );
    }
    let world = world.at("2026-11-20T12:00:00Z");
    let found = inspected(&world, &registry, "table-sorter-hooks@1.0.0");
    let invented = finding(&found, "invented-name").unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!(invented["severity"], "low");
    assert!(
        invented["message"].as_str().unwrap().contains("39 days"),
        "{invented:#}"
    );
    let other = inspected(&world, &registry, "gauge-counter@1.0.0");
    assert!(finding(&other, "invented-name").is_none(), "{other:#}");
}

#[test]
fn a_package_that_a_pattern_of_own_names_covers_is_not_called_invented_or_alike() {
    let (world, registry) = (World::new().at("2026-10-01T12:00:00Z"), Registry::start());
    registry.set_now("2026-11-20T12:00:00Z");
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get("/mongose", &[]).status, 404);
    drop(gateway);
    registry.add(
        Package::new("mongose")
            .maintainer("crew-8831")
            .release(Release::new("1.0.0").published("2026-11-10T09:00:00.000Z")),
    );
    let world = world.at("2026-11-20T12:00:00Z");
    let signals = ["invented-name", "lookalike-name", "throwaway-publisher"];
    let found = inspected(&world, &registry, "mongose@1.0.0");
    for signal in signals {
        assert!(finding(&found, signal).is_some(), "{signal}: {found:#}");
    }
    world.policy("[names]\nown = [\"mongos*\"]\n");
    let found = inspected(&world, &registry, "mongose@1.0.0");
    for signal in signals {
        assert!(finding(&found, signal).is_none(), "{signal}: {found:#}");
    }
}

#[test]
fn a_name_that_packages_of_three_owners_depend_on_weighs_less() {
    let (world, registry) = (World::new(), Registry::start());
    registry.set_now("2026-11-20T12:00:00Z");
    registry.add(
        Package::new("mongose")
            .maintainer("ines")
            .release(Release::new("1.0.0").published("2026-10-01T09:00:00.000Z")),
    );
    let before = inspected(&world, &registry, "mongose@1.0.0");
    let severity = |found: &Value| {
        let finding = finding(found, "lookalike-name").unwrap();
        (finding["severity"].clone(), finding["message"].clone())
    };
    assert_eq!(severity(&before).0, "medium", "{before:#}");
    for owner in ["mara", "otto", "vera"] {
        let name = format!("{owner}-tools");
        registry.add(
            Package::new(&name).maintainer(owner).release(
                Release::new("1.0.0")
                    .published("2026-10-10T09:00:00.000Z")
                    .dependency("mongose", "^1.0.0"),
            ),
        );
        let found = inspected(&world, &registry, &format!("{name}@1.0.0"));
        assert_eq!(found["decision"]["action"], "allow", "{found:#}");
    }
    // The verdict that is kept was made before; another day decides anew.
    let world = world.at("2026-11-21T12:00:00Z");
    world.policy("[age]\nminimum = \"23h\"\n");
    let after = inspected(&world, &registry, "mongose@1.0.0");
    let (severity, message) = severity(&after);
    assert_eq!(severity, "low", "{after:#}");
    assert!(
        message
            .as_str()
            .unwrap()
            .contains("3 packages that were served here depend on it"),
        "{message}"
    );
}

#[test]
fn a_new_dependency_is_looked_at_itself() {
    let (world, registry) = (World::new(), Registry::start());
    registry.set_now("2026-11-20T12:00:00Z");
    registry.add(
        Package::new("obscure-stream")
            .maintainer("stranger")
            .release(
                Release::new("0.1.1")
                    .published("2026-11-17T09:00:00.000Z")
                    .script("postinstall", "node ./setup.js")
                    .file("setup.js", "console.log('setting up');\n"),
            ),
    );
    registry.add(
        Package::new("river-flow")
            .maintainer("mara")
            .release(Release::new("1.0.0").published("2024-10-01T09:00:00.000Z"))
            .release(Release::new("1.1.0").published("2025-10-01T09:00:00.000Z"))
            .release(
                Release::new("1.1.1")
                    .published("2026-11-18T09:00:00.000Z")
                    .dependency("obscure-stream", "^0.1.0"),
            ),
    );
    let found = inspected(&world, &registry, "river-flow@1.1.1");
    let new = finding(&found, "new-dependency").unwrap_or_else(|| panic!("{found:#}"));
    let message = new["message"].as_str().unwrap();
    for words in [
        "first published 24 hours before",
        "runs postinstall at install",
        "is mentioned by no file",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(new["severity"], "medium");
}

#[test]
fn a_registry_that_leaves_publishers_out_is_said_to_and_never_fine() {
    let (world, registry) = (World::new(), river());
    registry.edit_packument("gauge-reader", |document| {
        for manifest in document["versions"].as_object_mut().unwrap().values_mut() {
            manifest.as_object_mut().unwrap().remove("_npmUser");
        }
    });
    let found = inspected(&world, &registry, "gauge-reader@1.1.0");
    assert_eq!(found["complete"], false);
    assert_eq!(found["incomplete"][0]["what"], "publisher", "{found:#}");
    assert_eq!(found["decision"]["action"], "allow", "{found:#}");
    world.policy("[decide]\nunknown_publisher = \"hold\"\n");
    let strict = inspected(&world, &registry, "gauge-reader@1.1.0");
    assert_eq!(strict["decision"]["action"], "hold", "{strict:#}");
}

/// That nobody knows when a release was published does not answer who published it.
#[test]
fn a_release_without_a_time_does_not_pass_for_one_whose_publisher_is_known() {
    let (world, registry) = (World::new(), river());
    registry.edit_packument("gauge-reader", |document| {
        document["time"].as_object_mut().unwrap().remove("1.1.0");
        for manifest in document["versions"].as_object_mut().unwrap().values_mut() {
            manifest.as_object_mut().unwrap().remove("_npmUser");
        }
    });
    world.policy("[age]\nunknown = \"old\"\n\n[decide]\nunknown_publisher = \"hold\"\n");
    let found = inspected(&world, &registry, "gauge-reader@1.1.0");
    let gaps = found["incomplete"].as_array().unwrap().iter();
    let gaps: Vec<&str> = gaps.filter_map(|it| it["what"].as_str()).collect();
    for gap in ["publisher", "publish time"] {
        assert!(gaps.contains(&gap), "{gap}: {found:#}");
    }
    assert_eq!(found["decision"]["action"], "hold", "{found:#}");
}
