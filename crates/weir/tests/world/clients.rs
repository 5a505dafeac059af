//! What each real client shows when a release is refused, and that its wrapper works
//! (PROTOCOL 3.4, 3.5 and 3.13: which client shows what).

use weir_testing::clients::{self, Kind};
use weir_testing::{Project, Registry};

use crate::support::{World, assert_explained, block_id, output, river};

mod past;
mod yarn;

/// What reaches the person whose project pins a held version.
#[derive(Clone, Copy)]
enum Shown {
    /// The refusal, its id and the version to use instead.
    Reason,
    /// No more than the address that was refused.
    AddressOnly,
    /// That no such version exists: it was hidden so that ranges fall back.
    NotThere,
}

/// A project that every client can read, pointed at `url`.
fn project(url: &str, range: &str) -> Project {
    Project::new()
        .registry(url)
        .dependency("gauge-reader", range)
}

fn a_pin_is_refused(kind: Kind, shown: Shown) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let project = project(gateway.url(), "1.2.0");
    let run = client.install(&project);
    run.assert_failure();
    assert_eq!(project.installed("gauge-reader"), None);
    assert!(
        run.elapsed.as_secs() < 30,
        "{kind} retried for {:?}",
        run.elapsed
    );
    match shown {
        Shown::Reason => {
            assert!(
                run.says("eld by weir: gauge-reader@1.2.0") || run.says("ELD by weir"),
                "{}",
                run.text()
            );
            assert!(run.says("Use 1.1.0 instead"), "{}", run.text());
            assert_explained(&world, &run.text(), "gauge-reader@1.2.0");
        }
        Shown::AddressOnly => {
            assert!(run.says("gauge-reader-1.2.0.tgz"), "{}", run.text());
            assert!(run.says("403"), "{}", run.text());
        }
        Shown::NotThere => assert!(run.says("1.2.0"), "{}", run.text()),
    }
    // Whatever a client shows, the ledger knows, unless it never asked for the version.
    if !matches!(shown, Shown::NotThere) {
        assert!(
            !world
                .ledger(&["--action", "hold", "--package", "gauge-reader"])
                .is_empty()
        );
    }
}

fn a_range_falls_back(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    for range in ["^1.0.0", "latest", "*"] {
        let project = project(gateway.url(), range);
        client.install(&project).assert_success();
        assert_eq!(
            project.installed("gauge-reader").as_deref(),
            Some("1.1.0"),
            "{kind} {range}"
        );
    }
}

/// A lockfile that pins a version which is held now: the tarball is refused, frozen or not.
fn a_frozen_install_meets_the_gate(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let locked = {
        let open = World::new().at("2026-11-30T12:00:00Z");
        let gateway = open.serve(&registry);
        let project = project(gateway.url(), "1.2.0");
        client.install(&project).assert_success();
        assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.2.0"));
        (project, gateway.url().to_owned())
    };
    let gateway = world.serve(&registry);
    let (project, before) = locked;
    let lockfile = project
        .read(kind.lockfile())
        .unwrap()
        .replace(&before, gateway.url());
    let project = project
        .registry(gateway.url())
        .file(kind.lockfile(), lockfile);
    project.forget_modules();
    project.forget_home();
    let run = client.install_frozen(&project);
    run.assert_failure();
    assert_eq!(project.installed("gauge-reader"), None);
    assert!(
        !world.ledger(&["--event", "refused"]).is_empty(),
        "{}",
        run.text()
    );
}

/// Age gates of the clients off, so that what happens is weir's doing; names no registry.
fn without_age_gate(kind: Kind, project: &Project) {
    project.write("pnpm-workspace.yaml", "minimumReleaseAge: 0\n");
    if kind == Kind::Yarn4 {
        project.write(
            ".yarnrc.yml",
            "nodeLinker: node-modules\nnpmMinimalAgeGate: 0\nenableGlobalCache: false\n",
        );
    }
}

/// `weir <client>` with nothing but the registry in the project's configuration.
fn the_wrapper_installs(kind: Kind, arguments: &[&str]) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at("https://registry.example.invalid/");
    // `.npmrc` names the upstream, and no other file a registry.
    let project = Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .dependency("@millpond/sluice", "^2.0.0");
    without_age_gate(kind, &project);
    let files = [".npmrc", "pnpm-workspace.yaml", ".yarnrc.yml"].map(|file| project.read(file));
    let run = output(world.wrapper(&client, &project).args(arguments));
    run.assert_success();
    assert_eq!(
        project.installed("@millpond/sluice").as_deref(),
        Some("2.0.0"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("weir: 2 releases seen"),
        "{}",
        run.text()
    );
    assert!(run.says("held gauge-reader@1.2.0"), "{}", run.stderr);
    assert!(run.says("used 1.1.0 instead"), "{}", run.stderr);
    assert_eq!(
        world.ledger(&["--event", "served"]).len(),
        2,
        "everything came through weir"
    );
    assert_eq!(
        files,
        [".npmrc", "pnpm-workspace.yaml", ".yarnrc.yml"].map(|file| project.read(file))
    );
    let lockfile = project.read(kind.lockfile()).unwrap();
    assert!(lockfile.contains("gauge-reader"), "{lockfile}");
    assert!(!lockfile.contains("127.0.0.1"), "{lockfile}");
    let id = block_id(&run.stderr).unwrap();
    assert!(
        world
            .run(&["explain", &id])
            .assert_success()
            .says("gauge-reader@1.2.0")
    );
}

/// Who asked a registry for packages, unless it was weir.
fn others(registry: &Registry) -> Vec<String> {
    let requests = registry.requests().into_iter();
    requests
        .filter(|request| {
            !request
                .header("user-agent")
                .unwrap_or_default()
                .starts_with("weir")
        })
        .map(|request| format!("{request:?}"))
        .collect()
}

/// `weir <client>` where a scope has a registry of its own: everything comes to the gateway, or nothing is asked.
fn a_scope_comes_to_the_gateway(kind: Kind, arguments: &[&str], scope: &str, passes: bool) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, everyone, ours) = (World::new(), river(), Registry::start());
    let name = format!("{scope}/sluice");
    ours.add(
        weir_testing::Package::new(&name)
            .maintainer("mill")
            .release(
                weir_testing::Release::new("2.0.0")
                    .published("2024-03-02T03:04:05.678Z")
                    .dependency("gauge-reader", "^1.0.0"),
            ),
    );
    let npmrc = format!(
        "registry={}\n{scope}:registry={}\n",
        everyone.url(),
        ours.url()
    );
    let project = Project::new()
        .file(".npmrc", npmrc)
        .dependency(&name, "^2.0.0");
    without_age_gate(kind, &project);
    let run = output(world.wrapper(&client, &project).args(arguments));
    if passes {
        run.assert_success();
        assert_eq!(project.installed(&name).as_deref(), Some("2.0.0"));
        assert_eq!(world.ledger(&["--event", "served"]).len(), 2);
        for registry in [&everyone, &ours] {
            assert_eq!(others(registry), Vec::<String>::new(), "{kind} {scope}");
        }
        return;
    }
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(run.says("past weir"), "{}", run.text());
    assert!(run.says(scope), "{}", run.text());
    assert!(everyone.requests().is_empty() && ours.requests().is_empty());
    // Whoever wants it all the same is told what that means.
    let mut command = world.wrapper(&client, &project);
    let run = output(command.args(arguments).env("WEIR_ALLOW_BYPASS", "1"));
    run.assert_success();
    assert!(run.says("NOT CHECKED"), "{}", run.text());
    assert!(!others(&ours).is_empty(), "{}", run.text());
}

/// `weir <client>` where the settings name a proxy, and hosts that are reached without it: the gateway is one.
fn a_proxy_is_not_asked_for_the_gateway(kind: Kind, arguments: &[&str]) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at("https://registry.example.invalid/");
    // Nobody listens there; the registry has a name of its own, so that it is left out, and only it.
    let upstream = registry.url().replace("127.0.0.1", "localhost");
    let npmrc = format!(
        "registry={upstream}\nproxy=http://127.0.0.1:9/\nhttps-proxy=http://127.0.0.1:9/\nnoproxy=localhost\n"
    );
    let project = Project::new()
        .file(".npmrc", npmrc)
        .dependency("gauge-reader", "^1.0.0");
    without_age_gate(kind, &project);
    let run = output(world.wrapper(&client, &project).args(arguments));
    run.assert_success();
    assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.1.0"));
}

/// The tests of one client. `$scopes`: whether a scope, and one with an underscore, can be had through weir.
macro_rules! client {
    ($name:ident, $kind:expr, $shown:expr, $arguments:expr, $scopes:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn shows_a_refused_pin() {
                a_pin_is_refused($kind, $shown);
            }

            #[test]
            fn falls_back_inside_ranges() {
                a_range_falls_back($kind);
            }

            #[test]
            fn meets_the_gate_with_a_frozen_lockfile() {
                a_frozen_install_meets_the_gate($kind);
            }

            #[test]
            fn installs_through_its_wrapper() {
                the_wrapper_installs($kind, $arguments);
            }

            #[test]
            fn finds_the_gateway_beside_a_proxy() {
                a_proxy_is_not_asked_for_the_gateway($kind, $arguments);
            }

            #[test]
            fn asks_no_registry_of_a_scope_itself() {
                let [plain, underscored] = $scopes;
                a_scope_comes_to_the_gateway($kind, $arguments, "@millpond", plain);
                a_scope_comes_to_the_gateway($kind, $arguments, "@mill_pond", underscored);
            }
        }
    };
}

client!(
    npm,
    Kind::Npm,
    Shown::Reason,
    &["npm", "install"],
    [true, true]
);
client!(
    pnpm_10,
    Kind::Pnpm10,
    Shown::NotThere,
    &["pnpm", "install", "--no-frozen-lockfile"],
    [true, true]
);
client!(
    pnpm_12,
    Kind::Pnpm12,
    Shown::AddressOnly,
    &["pnpm", "install", "--no-frozen-lockfile"],
    [true, true]
);
client!(
    yarn_1,
    Kind::Yarn1,
    Shown::NotThere,
    &["yarn", "install"],
    // It is a script of `sh` here that starts it, which hands on no variable with `@`.
    [false, false]
);
client!(
    yarn_4,
    Kind::Yarn4,
    Shown::Reason,
    &["yarn", "install", "--no-immutable"],
    [true, true]
);
client!(
    bun,
    Kind::Bun,
    Shown::Reason,
    &["bun", "install"],
    [false, false]
);

/// A package that is bad as a whole is refused at its packument, where more clients show the words.
fn a_blocked_package_is_explained(kind: Kind, in_words: bool) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), Registry::start());
    registry.add(
        weir_testing::Package::new("just-born")
            .maintainer("mill")
            .release(weir_testing::Release::new("0.1.0").published("2026-11-20T11:58:00.000Z")),
    );
    let gateway = world.serve(&registry);
    let project = Project::new()
        .registry(gateway.url())
        .dependency("just-born", "*");
    let run = client.install(&project);
    run.assert_failure();
    if in_words {
        assert!(run.says("Held by weir: just-born@0.1.0"), "{}", run.text());
        assert_explained(&world, &run.text(), "just-born@0.1.0");
    } else {
        assert!(run.says("403"), "{}", run.text());
    }
}

#[test]
fn a_package_refused_whole_reaches_nearly_everybody_in_words() {
    for kind in [Kind::Npm, Kind::Pnpm10, Kind::Yarn1, Kind::Yarn4] {
        a_blocked_package_is_explained(kind, true);
    }
    // pnpm 12.21 shows the status and the address only, although PROTOCOL 3.13 saw the phrase.
    a_blocked_package_is_explained(Kind::Pnpm12, false);
    a_blocked_package_is_explained(Kind::Bun, false);
}

const PNPM_LOCK: &str = "lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      gauge-reader:
        specifier: ^1.0.0
        version: 1.1.0

packages:

  gauge-reader@1.1.0:
    resolution: {integrity: sha512-AAAA, tarball: https://registry.example.invalid/gauge-reader/-/gauge-reader-1.1.0.tgz}

snapshots:

  gauge-reader@1.1.0: {}
";

/// yarn 1, bun and pnpm fetch what their lockfile says, past any registry setting: the wrapper stops them.
#[test]
fn lockfiles_that_lead_past_weir_stop_the_wrapper() {
    for (kind, lockfile, text) in [
        (
            Kind::Yarn1,
            "yarn.lock",
            "gauge-reader@^1.0.0:\n  version \"1.1.0\"\n  resolved \"https://registry.example.invalid/gauge-reader/-/gauge-reader-1.1.0.tgz#x\"\n",
        ),
        (
            Kind::Bun,
            "bun.lock",
            "{\"packages\": {\"gauge-reader\": [\"gauge-reader@1.1.0\", \"https://registry.example.invalid/gauge-reader/-/gauge-reader-1.1.0.tgz\", {}, \"sha512-x\"]}}",
        ),
        (Kind::Pnpm10, "pnpm-lock.yaml", PNPM_LOCK),
        (Kind::Pnpm12, "pnpm-lock.yaml", PNPM_LOCK),
    ] {
        let Some(client) = clients::or_skip(kind) else {
            continue;
        };
        let (world, registry) = (World::new(), river());
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", registry.url()))
            .file(lockfile, text)
            .dependency("gauge-reader", "^1.0.0");
        let name = match kind {
            Kind::Bun => "bun",
            Kind::Pnpm10 | Kind::Pnpm12 => "pnpm",
            _ => "yarn",
        };
        let run = output(world.wrapper(&client, &project).args([name, "install"]));
        assert_eq!(run.code, Some(1), "{}", run.text());
        assert!(run.says("past weir"), "{}", run.text());
        assert!(registry.requests().is_empty());
        assert_eq!(project.read(lockfile).as_deref(), Some(text));
    }
}

/// A script may call another client than the one that runs it.
#[test]
fn clients_inside_a_script_find_the_gateway() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    for (kind, script) in [
        (Kind::Pnpm12, "pnpm install --no-frozen-lockfile"),
        (Kind::Yarn4, "yarn install --no-immutable"),
    ] {
        let Some(inner) = clients::or_skip(kind) else {
            continue;
        };
        let (world, registry) = (World::new(), river());
        registry.present_tarballs_at("https://registry.example.invalid/");
        let manifest = format!(
            r#"{{"name": "project", "version": "1.0.0", "scripts": {{"hi": "{script}"}},
                "dependencies": {{"gauge-reader": "^1.0.0"}}}}"#
        );
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", registry.url()))
            .file("package.json", manifest);
        without_age_gate(kind, &project);
        inner.link_into(&world.path("bin"));
        let run = output(world.wrapper(&npm, &project).args(["npm", "run", "hi"]));
        run.assert_success();
        assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.1.0"));
        assert_eq!(others(&registry), Vec::<String>::new(), "{kind}");
        assert_eq!(world.ledger(&["--event", "served"]).len(), 1, "{kind}");
    }
}

/// pnpm 10 hands `view` on to npm where it is the first argument.
#[test]
fn commands_that_pnpm_hands_on_work_beside_a_scope() {
    let Some(pnpm) = clients::or_skip(Kind::Pnpm10) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let npmrc = format!("registry={0}\n@acme:registry={0}\n", registry.url());
    let project = Project::new().file(".npmrc", npmrc);
    let mut command = world.wrapper(&pnpm, &project);
    let run = output(command.args(["pnpm", "view", "gauge-reader", "version"]));
    run.assert_success();
    assert!(run.stdout.contains("1.1.0"), "{}", run.text());
    assert!(!run.says("Unknown"), "{}", run.text());
    assert_eq!(others(&registry), Vec::<String>::new());
}

/// pnpm 10 reads the settings of the member it works in, 12 those of the root.
#[test]
fn a_member_with_a_registry_of_its_own_is_asked_about() {
    for kind in [Kind::Pnpm10, Kind::Pnpm12] {
        let Some(pnpm) = clients::or_skip(kind) else {
            continue;
        };
        let (world, roots, members) = (World::new(), river(), river());
        let manifest =
            r#"{"name": "inner", "version": "1.0.0", "dependencies": {"gauge-reader": "^1.0.0"}}"#;
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", roots.url()))
            .file(
                "pnpm-workspace.yaml",
                "packages:\n  - inner\nminimumReleaseAge: 0\n",
            )
            .file("inner/.npmrc", format!("registry={}\n", members.url()))
            .file("inner/package.json", manifest);
        let run = |arguments: &[&str]| {
            let mut command = world.wrapper(&pnpm, &project);
            command.current_dir(project.path().join("inner"));
            output(command.args(arguments))
        };
        let refused = run(&["pnpm", "install"]);
        assert_eq!(refused.code, Some(1), "{kind}: {}", refused.text());
        assert!(refused.says("inner/.npmrc"), "{kind}: {}", refused.text());
        assert!(roots.requests().is_empty() && members.requests().is_empty());
        // Alone, the member's counts for both.
        let alone = run(&[
            "pnpm",
            "install",
            "--ignore-workspace",
            "--no-frozen-lockfile",
        ]);
        alone.assert_success();
        assert!(roots.requests().is_empty(), "{kind}");
        assert!(!members.requests().is_empty(), "{kind}");
        // Who says which, has it.
        let upstream = roots.url();
        run(&[
            "--upstream",
            &upstream,
            "pnpm",
            "install",
            "--no-frozen-lockfile",
        ])
        .assert_success();
    }
}

/// Nobody is stopped over a scope that does not come up, or where nothing is fetched.
#[test]
fn scopes_that_do_not_come_up_stop_nobody() {
    for (kind, name) in [(Kind::Bun, "bun"), (Kind::Yarn1, "yarn")] {
        let Some(client) = clients::or_skip(kind) else {
            continue;
        };
        let (world, registry) = (World::new(), river());
        let manifest = r#"{"name": "project", "version": "1.0.0", "scripts": {"hi": "echo hi"},
            "dependencies": {"gauge-reader": "^1.0.0"}}"#;
        let npmrc = format!("registry={0}\n@mill_pond:registry={0}\n", registry.url());
        let project = Project::new()
            .home_file(".npmrc", npmrc)
            .file("package.json", manifest);
        let run = |arguments: &[&str]| {
            let mut command = world.wrapper(&client, &project);
            output(command.arg(name).args(arguments))
        };
        let version = run(&["--version"]);
        assert!(!version.assert_success().says("NOT CHECKED"), "{kind}");
        for arguments in [&["run", "hi"][..], &["install"]] {
            let goes_on = run(arguments);
            goes_on.assert_success();
            assert!(goes_on.says("NOT CHECKED"), "{kind}: {}", goes_on.text());
        }
        let stopped = run(&["add", "@mill_pond/sluice"]);
        assert_eq!(stopped.code, Some(1), "{kind}: {}", stopped.text());
        assert!(
            stopped.says("/.npmrc names registries"),
            "{}",
            stopped.text()
        );
    }
}

/// npm shows the notice that weir puts beside a refusal, once in its error and once as a notice.
#[test]
fn a_frozen_npm_install_shows_the_reason() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let integrity = registry.integrity("gauge-reader", "1.2.0").unwrap();
    let lock = format!(
        r#"{{"name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {{
            "": {{"name": "project", "version": "1.0.0", "dependencies": {{"gauge-reader": "1.2.0"}}}},
            "node_modules/gauge-reader": {{"version": "1.2.0", "integrity": "{integrity}",
                "resolved": "{}gauge-reader/-/gauge-reader-1.2.0.tgz"}}}}}}"#,
        gateway.url()
    );
    let project = project(gateway.url(), "1.2.0").file("package-lock.json", lock);
    let run = npm.install_frozen(&project);
    run.assert_failure();
    assert!(run.says("E403"), "{}", run.text());
    assert!(
        // What was found comes before why a lockfile does not vouch for it.
        run.says("younger than 24h"),
        "{}",
        run.text()
    );
    assert_explained(&world, &run.text(), "gauge-reader@1.2.0");
}
