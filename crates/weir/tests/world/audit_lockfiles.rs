//! `weir audit` of the lockfiles that real clients write.

use serde_json::json;
use weir_testing::Project;
use weir_testing::clients::{self, Kind};

use crate::audit::{audit, change, changes, import, pond, reed_flaw};
use crate::support::World;

/// The same tree locked by each client gives the same report.
fn every_lockfile(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let project = Project::new()
        .registry(&registry.url())
        .package_json(&json!({
            "name": "p", "version": "1.0.0",
            "dependencies": {"stalk": "1.0.0"},
            "devDependencies": {"mud": "1.0.0"},
        }));
    client.install(&project).assert_success();
    let (report, run) = audit(&world, &registry, &project, &[]);
    assert_eq!(run.code, Some(5), "{kind}: {}", run.text());
    let locked = &report["findings"][0]["locked"][0];
    assert_eq!(locked["version"], "1.0.0", "{kind}");
    assert_eq!(locked["need"], "production", "{kind}");
    assert_eq!(
        locked["paths"][0]["through"],
        json!(["stalk@1.0.0", "reed@1.0.0"]),
        "{kind}"
    );
    assert_eq!(
        changes(&report),
        [change("raise", "stalk", "^2.0.0")],
        "{kind}"
    );
}

#[test]
fn of_npm() {
    every_lockfile(Kind::Npm);
}

#[test]
fn of_pnpm() {
    every_lockfile(Kind::Pnpm12);
}

#[test]
fn of_yarn_1() {
    every_lockfile(Kind::Yarn1);
}

#[test]
fn of_yarn_4() {
    every_lockfile(Kind::Yarn4);
}

#[test]
fn of_bun() {
    every_lockfile(Kind::Bun);
}
