//! yarn, which fetches what its lockfile says, and runs what is no command of its own.

use super::*;

/// yarn 1 writes down where each release came from, and fetches it from there the next time: by way of weir.
#[test]
fn yarn_1_installs_again_from_the_lockfile_that_it_wrote() {
    const PUBLIC: &str = "https://registry.example.invalid/";
    let Some(yarn) = clients::or_skip(Kind::Yarn1) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at(PUBLIC);
    let project = Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .dependency("gauge-reader", "^1.0.0");
    let run =
        |arguments: &[&str]| output(world.wrapper(&yarn, &project).arg("yarn").args(arguments));
    let served = || world.ledger(&["--event", "served"]).len();
    let first = run(&["install"]);
    first.assert_success();
    assert!(!first.says("stops at that"), "{}", first.text());
    // Of another registry than the one that is asked: a name's bytes are the same everywhere.
    let lock = project.read("yarn.lock").unwrap();
    assert!(
        lock.contains(&format!("\"{PUBLIC}gauge-reader/-/")),
        "{lock}"
    );
    let lock = lock.replace(PUBLIC, "https://mirror.example.invalid/npm/");
    project.write("yarn.lock", &lock);
    for frozen in [&["install", "--frozen-lockfile"][..], &["install"], &[]] {
        project.forget_modules();
        project.forget_home();
        let before = served();
        run(frozen).assert_success();
        assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.1.0"));
        assert_eq!(served(), before + 1, "{frozen:?}");
        assert_eq!(others(&registry), Vec::<String>::new());
        assert_eq!(project.read("yarn.lock").as_deref(), Some(&*lock));
        let written = project.read("node_modules/.yarn-integrity").unwrap();
        assert!(!written.contains("127.0.0.1"), "{written}");
    }
    // yarn finds that nothing has changed.
    assert!(
        run(&["install"])
            .assert_success()
            .says("Already up-to-date")
    );
    // What fetches nothing goes on, with the lockfile as it is.
    let inside = run(&["run", "env"]);
    assert!(
        inside.assert_success().says("NOT CHECKED"),
        "{}",
        inside.text()
    );
    // New ones come from the registry.
    run(&["add", "@millpond/sluice@^2.0.0"]).assert_success();
    let added = project.read("yarn.lock").unwrap();
    assert!(
        added.contains(&format!("\"{PUBLIC}@millpond/sluice/-/")),
        "{added}"
    );
    assert!(
        added.contains("\"https://mirror.example.invalid/npm/gauge-reader/-/"),
        "{added}"
    );
    assert_eq!(others(&registry), Vec::<String>::new());
    // The gateway of a run that was killed before it could put anything back.
    let left = lock.replace("https://mirror.example.invalid/npm/", "http://127.0.0.1:9/");
    project.write("yarn.lock", left);
    project.write(
        "package.json",
        r#"{"dependencies": {"gauge-reader": "^1.0.0"}}"#,
    );
    project.forget_home();
    run(&["install"]).assert_success();
    let healed = project.read("yarn.lock").unwrap();
    assert!(
        healed.contains(&format!("\"{PUBLIC}gauge-reader/-/")),
        "{healed}"
    );
}

/// A lockfile of yarn 1 vouches for nothing, and other bytes than it locks are not installed.
#[test]
fn what_yarn_1_has_locked_meets_the_gate() {
    let Some(yarn) = clients::or_skip(Kind::Yarn1) else {
        return;
    };
    for (version, digest_of, says) in [
        ("1.2.0", "1.2.0", "403"),
        ("1.1.0", "1.0.0", "ntegrity check failed"),
    ] {
        let (world, registry) = (World::new(), river());
        let integrity = registry.integrity("gauge-reader", digest_of).unwrap();
        let lock = format!(
            "# yarn lockfile v1\n\n\ngauge-reader@^1.0.0:\n  version \"{version}\"\n  resolved \
             \"https://registry.example.invalid/gauge-reader/-/gauge-reader-{version}.tgz\"\n  integrity {integrity}\n"
        );
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", registry.url()))
            .file("yarn.lock", &lock)
            .dependency("gauge-reader", "^1.0.0");
        let mut command = world.wrapper(&yarn, &project);
        let run = output(command.args(["yarn", "install", "--frozen-lockfile"]));
        assert_eq!(run.code, Some(1), "{}", run.text());
        assert!(run.says(says), "{}", run.text());
        assert_eq!(project.installed("gauge-reader"), None);
        assert_eq!(others(&registry), Vec::<String>::new());
        assert_eq!(project.read("yarn.lock"), Some(lock));
    }
}

/// yarn runs a script or a tool whose name alone is given: that fetches nothing by itself.
#[test]
fn yarn_runs_what_is_no_command_of_its_own() {
    let lock = "gauge-reader@^1.0.0:\n  version \"1.1.0\"\n  resolved \"https://registry.example.invalid/gauge-reader/-/gauge-reader-1.1.0.tgz\"\n";
    let settings = "nodeLinker: node-modules\nnpmScopes:\n  ark:\n    npmRegistryServer: https://ark.example.invalid\n";
    for (kind, file, leads_past) in [
        (Kind::Yarn1, "yarn.lock", lock),
        (Kind::Yarn4, ".yarnrc.yml", settings),
    ] {
        let Some(yarn) = clients::or_skip(kind) else {
            continue;
        };
        let (world, registry) = (World::new(), river());
        let manifest = r#"{"name": "project", "version": "1.0.0", "scripts": {"build": "echo built with"},
            "dependencies": {"gauge-reader": "^1.0.0"}}"#;
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", registry.url()))
            .file("package.json", manifest);
        without_age_gate(kind, &project);
        let run =
            |arguments: &[&str]| output(world.wrapper(&yarn, &project).arg("yarn").args(arguments));
        // So that there is something to run with.
        run(&["install"]).assert_success();
        project.write(file, leads_past);
        registry.clear_requests();
        for arguments in [
            &["build"][..],
            &["build", "--registry=http://x/"],
            &["run", "build"],
        ] {
            let built = run(arguments);
            built.assert_success();
            assert!(built.says("built with"), "{kind}: {}", built.text());
            assert!(built.says("NOT CHECKED"), "{kind}: {}", built.text());
        }
        // yarn 4 looks for tools in the manifests of what is installed.
        if kind == Kind::Yarn1 {
            let tool = project.path().join("node_modules/.bin/tool");
            project.write("node_modules/.bin/tool", "#!/bin/sh\necho the tool\n");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(tool, mode).unwrap();
            assert!(run(&["tool"]).assert_success().says("the tool"));
        }
        assert_eq!(project.read(file).as_deref(), Some(leads_past));
        // What is neither may be a command of another yarn.
        let stopped = run(&["biuld"]);
        assert_eq!(stopped.code, Some(1), "{kind}: {}", stopped.text());
        assert!(stopped.says("past weir"), "{kind}: {}", stopped.text());
        assert!(registry.requests().is_empty(), "{kind}");
    }
}
