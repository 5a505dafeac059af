//! What would have a client ask another server than the gateway, which is then asked nothing.

use super::*;

/// Files that lead a client to a server, and its arguments.
struct Case {
    kind: Kind,
    arguments: &'static [&'static str],
    files: Vec<(&'static str, String)>,
}

/// What each client was seen to be led by, with tarballs at `elsewhere`.
fn cases(elsewhere: &str, integrity: &str) -> Vec<Case> {
    const YARN_4: &[&str] = &["yarn", "install", "--no-immutable"];
    const PNPM: &[&str] = &["pnpm", "install", "--frozen-lockfile"];
    let tarball = format!("{elsewhere}gauge-reader/-/gauge-reader-1.1.0.tgz");
    let encoded = tarball.replace(':', "%3A").replace('/', "%2F");
    let pnpm_lock = PNPM_LOCK
        .replace("sha512-AAAA", integrity)
        .replace("https://registry.example.invalid/", elsewhere);
    let pnpm = |files| Case {
        kind: Kind::Pnpm10,
        arguments: PNPM,
        files,
    };
    let bun = |files| Case {
        kind: Kind::Bun,
        arguments: &["bun", "install"],
        files,
    };
    vec![
        Case {
            kind: Kind::Yarn4,
            arguments: YARN_4,
            files: vec![(
                "yarn.lock",
                format!(
                    "__metadata:\n  version: 8\n\n\"gauge-reader@npm:^1.0.0\":\n  version: 1.1.0\n  resolution: \
                     \"gauge-reader@npm:1.1.0::__archiveUrl={encoded}\"\n  languageName: node\n  linkType: hard\n"
                ),
            )],
        },
        bun(vec![(
            "bun.lock",
            format!(
                "{{\"lockfileVersion\": 1, \"workspaces\": {{\"\": {{\"name\": \"project\", \"dependencies\": \
                 {{\"gauge-reader\": \"^1.0.0\"}}}}}}, \"packages\": {{\"gauge-reader\": \
                 [\"gauge-reader@1.1.0\",\n\"{tarball}\", {{}}, \"{integrity}\"]}}}}"
            ),
        )]),
        bun(vec![(
            "package-lock.json",
            format!(
                "{{\"name\": \"project\", \"lockfileVersion\": 3, \"packages\": {{\"\": {{\"dependencies\": \
                 {{\"gauge-reader\": \"^1.0.0\"}}}}, \"node_modules/gauge-reader\": {{\"version\": \"1.1.0\", \
                 \"resolved\": \"{tarball}\", \"integrity\": \"{integrity}\"}}}}}}"
            ),
        )]),
        pnpm(vec![
            (
                "pnpm-workspace.yaml",
                "packages: [inner]\nsharedWorkspaceLockfile: false\n".to_owned(),
            ),
            (
                "inner/package.json",
                r#"{"name": "inner", "dependencies": {"gauge-reader": "^1.0.0"}}"#.to_owned(),
            ),
            ("package.json", r#"{"name": "project"}"#.to_owned()),
            ("inner/pnpm-lock.yaml", pnpm_lock.clone()),
        ]),
        pnpm(vec![
            ("pnpm-workspace.yaml", "lockfileDir: inner\n".to_owned()),
            (
                "inner/pnpm-lock.yaml",
                pnpm_lock.replace("\n  .:\n", "\n  ..:\n"),
            ),
        ]),
        pnpm(vec![(
            "pnpm-workspace.yaml",
            format!(
                "configDependencies:\n  gauge-reader:\n    tarball: {tarball}\n    integrity: 1.1.0+{integrity}\n"
            ),
        )]),
        Case {
            kind: Kind::Yarn1,
            arguments: &["yarn", "install"],
            files: vec![(".yarnrc", format!("--install.registry \"{elsewhere}\"\n"))],
        },
    ]
}

/// Each case is one: without weir's word, the other server is asked.
#[test]
fn files_that_lead_elsewhere_stop_the_wrapper() {
    let (registry, elsewhere) = (river(), river());
    let integrity = registry.integrity("gauge-reader", "1.1.0").unwrap();
    for case in cases(&elsewhere.url(), &integrity) {
        let Some(client) = clients::or_skip(case.kind) else {
            continue;
        };
        let world = World::new();
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", registry.url()))
            .dependency("gauge-reader", "^1.0.0");
        if case.kind == Kind::Yarn4 {
            without_age_gate(case.kind, &project);
        }
        for (file, text) in &case.files {
            project.write(file, text);
        }
        let says = format!("{} {:?}", case.kind, case.files);
        elsewhere.clear_requests();
        let stopped = output(world.wrapper(&client, &project).args(case.arguments));
        assert_eq!(stopped.code, Some(1), "{says}: {}", stopped.text());
        assert!(stopped.says("past weir"), "{says}: {}", stopped.text());
        assert!(elsewhere.requests().is_empty(), "{says}");
        let mut command = world.wrapper(&client, &project);
        let goes_on = output(command.args(case.arguments).env("WEIR_ALLOW_BYPASS", "1"));
        assert!(goes_on.says("NOT CHECKED"), "{says}: {}", goes_on.text());
        let asked = elsewhere.requests();
        assert!(!asked.is_empty(), "{says}: {}", goes_on.text());
    }
}

/// bun's binary lockfile keeps addresses that nobody sees, and the way to a text is the one that is said.
#[test]
fn a_binary_lockfile_of_bun_is_refused_until_it_is_a_text() {
    let Some(bun) = clients::or_skip(Kind::Bun) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at("https://registry.example.invalid/");
    let project = Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .file("bunfig.toml", "[install]\nsaveTextLockfile = false\n")
        .dependency("gauge-reader", "^1.0.0");
    let run = |arguments: &[&str]| output(world.wrapper(&bun, &project).arg("bun").args(arguments));
    let stopped = run(&["install"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.text());
    assert!(stopped.says("saveTextLockfile"), "{}", stopped.text());
    let mut command = world.wrapper(&bun, &project);
    let goes_on = output(
        command
            .args(["bun", "install"])
            .env("WEIR_ALLOW_BYPASS", "1"),
    );
    goes_on.assert_success();
    assert!(project.path().join("bun.lockb").exists());
    assert!(goes_on.says("stops at that"), "{}", goes_on.text());
    project.write("bunfig.toml", "");
    registry.clear_requests();
    let stopped = run(&["install", "--frozen-lockfile"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.text());
    assert!(
        stopped.says("bun install --save-text-lockfile --lockfile-only"),
        "{}",
        stopped.text()
    );
    assert!(registry.requests().is_empty());
}

/// bun keeps to what its lockfile says, so that what a run writes there is what the next one starts with.
#[test]
fn what_bun_writes_down_stops_no_later_run() {
    let Some(bun) = clients::or_skip(Kind::Bun) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at("https://registry.example.invalid/");
    let project = Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .dependency("gauge-reader", "^1.0.0");
    let run = |arguments: &[&str]| output(world.wrapper(&bun, &project).arg("bun").args(arguments));
    for arguments in [
        &["install"][..],
        &["install", "--frozen-lockfile"],
        &["add", "@millpond/sluice"],
        &["install"],
    ] {
        let goes_on = run(arguments);
        goes_on.assert_success();
        assert!(!goes_on.says("stops at that"), "{}", goes_on.text());
        let lock = project.read("bun.lock").unwrap();
        assert!(lock.contains("[\"gauge-reader@1.1.0\", \"\", "), "{lock}");
        assert!(!lock.contains("://"), "{lock}");
    }
    // Addresses that somebody else wrote stop what reads them, and nothing else.
    let lock = project.read("bun.lock").unwrap();
    let address = "https://registry.example.invalid/gauge-reader/-/gauge-reader-1.1.0.tgz";
    let other = format!("[\"gauge-reader@1.1.0\", \"{address}\", ");
    project.write(
        "bun.lock",
        lock.replace("[\"gauge-reader@1.1.0\", \"\", ", &other),
    );
    let stopped = run(&["install"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.text());
    for arguments in [&["pm", "ls"][..], &["outdated"]] {
        let goes_on = run(arguments);
        assert!(!goes_on.says("past weir"), "{}", goes_on.text());
        assert!(!goes_on.says("stops at that"), "{}", goes_on.text());
    }
}
