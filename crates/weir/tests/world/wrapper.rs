//! `weir npm` and its siblings: one run of a client behind a gateway of its own.

use std::time::Instant;

use weir_testing::clients::{self, Kind};
use weir_testing::{Fault, Package, Project, Registry, Release};

use crate::support::{
    NPM, World, block_id, eventually, finish, found_in, http, lockfile, output, output_with, river,
    signal,
};

const PUBLIC: &str = "https://registry.example.invalid/";

/// A project whose own configuration names the registry.
fn project(registry: &Registry) -> Project {
    Project::new().file(".npmrc", format!("registry={}\n", registry.url()))
}

#[test]
fn npm_installs_and_nothing_of_the_gateway_is_left() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at(PUBLIC);
    let project = project(&registry).dependency("@millpond/sluice", "^2.0.0");
    let npmrc = project.read(".npmrc");
    let run = output(world.wrapper(&npm, &project).args(["npm", "install"]));
    run.assert_success();
    assert_eq!(
        project.installed("@millpond/sluice").as_deref(),
        Some("2.0.0")
    );
    assert_eq!(
        project.installed("gauge-reader").as_deref(),
        Some("1.1.0"),
        "not the held 1.2.0"
    );

    // The summary: how many, what was held, what was used in its place, and where to read on.
    assert!(
        run.stderr.contains("weir: 2 releases seen, 0 from cache"),
        "{}",
        run.stderr
    );
    assert!(run.says("held gauge-reader@1.2.0"), "{}", run.stderr);
    assert!(
        run.says("used 1.1.0 instead; weir explain w-"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("added 2 packages"),
        "npm's own output stays: {}",
        run.stdout
    );
    let id = block_id(&run.stderr).unwrap();
    assert!(
        world
            .run(&["explain", &id])
            .assert_success()
            .says("gauge-reader@1.2.0")
    );

    // The user's files: as they were, and without a trace of an address that is gone.
    assert_eq!(project.read(".npmrc"), npmrc);
    assert!(!project.home().join(".npmrc").exists());
    let lock = project.read("package-lock.json").unwrap();
    assert!(
        lock.contains(&format!("{PUBLIC}gauge-reader/-/gauge-reader-1.1.0.tgz")),
        "{lock}"
    );
    assert!(
        lock.contains(&format!("{PUBLIC}@millpond/sluice/-/sluice-2.0.0.tgz")),
        "{lock}"
    );
    for file in [
        "package-lock.json",
        "node_modules/.package-lock.json",
        "package.json",
    ] {
        assert!(!project.read(file).unwrap().contains("127.0.0.1"), "{file}");
    }

    // A frozen install from that lockfile goes through weir as well, and comes from the cache.
    let tarballs = registry.requests_to("*.tgz").len();
    project.forget_modules();
    project.forget_home();
    let run = output(world.wrapper(&npm, &project).args(["npm", "ci"]));
    run.assert_success();
    assert!(
        run.stderr.contains("weir: 2 releases seen, 2 from cache"),
        "{}",
        run.stderr
    );
    assert_eq!(registry.requests_to("*.tgz").len(), tarballs);
    assert_eq!(
        project.read("package-lock.json").unwrap(),
        lock,
        "npm ci changes nothing"
    );
    assert_eq!(
        world
            .ledger(&["--event", "served", "--client", "npm/"])
            .len(),
        4
    );
}

#[test]
fn an_exact_pin_of_a_held_release_says_why_in_npms_own_words() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let project = project(&registry).dependency("gauge-reader", "1.2.0");
    let run = output(world.wrapper(&npm, &project).args(["npm", "install"]));
    assert_eq!(run.code, Some(1));
    assert!(run.says("due to policy violations"), "{}", run.text());
    assert!(
        run.says("Held by weir: gauge-reader@1.2.0"),
        "{}",
        run.text()
    );
    assert!(run.says("Use 1.1.0 instead"), "{}", run.text());
    crate::support::assert_explained(&world, &run.text(), "gauge-reader@1.2.0");
    assert!(!project.exists("node_modules/gauge-reader"));
    // The summary has it too, whatever the client printed.
    assert!(run.stderr.contains(", 1 held, "), "{}", run.stderr);
    assert!(
        run.stderr.contains("  held gauge-reader@1.2.0") && run.says("; weir explain w-"),
        "{}",
        run.stderr
    );
}

/// npm says that there is no such version, and nothing else.
#[test]
fn a_tag_that_leads_nowhere_any_more_is_explained_by_the_summary() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.add(
        Package::new("reed-next")
            .maintainer("mill")
            .release(Release::new("1.0.0").published("2024-01-02T03:04:05.678Z"))
            .release(Release::new("2.0.0-beta.1").published("2026-11-20T11:00:00.000Z"))
            .tag("latest", "1.0.0")
            .tag("next", "2.0.0-beta.1"),
    );
    let project = project(&registry).dependency("reed-next", "next");
    let run = output(world.wrapper(&npm, &project).args(["npm", "install"]));
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(
        run.says("held reed-next@2.0.0-beta.1")
            && run.says("(tag next is withheld; weir explain w-"),
        "{}",
        run.stderr
    );
    crate::support::assert_explained(&world, &run.stderr, "reed-next@2.0.0-beta.1");
    let refused = world.ledger(&["--event", "refused", "--package", "reed-next"]);
    assert_eq!(refused.len(), 1, "{refused:?}");
}

#[test]
fn input_output_arguments_and_the_exit_code_are_the_clients() {
    let (world, registry) = (World::new(), river());
    world.program(
        "npm",
        "read line; echo \"out:$line:$*\"; echo \"err:$npm_config_registry\" >&2; exit 7",
    );
    let mut command = world.weir_before(&registry);
    command.args(["npm", "run", "build", "--", "--flag", "two words"]);
    let run = output_with(&mut command, "typed\n");
    assert_eq!(run.code, Some(7));
    assert_eq!(run.stdout, "out:typed:run build -- --flag two words\n");
    assert!(
        run.stderr.contains("err:http://127.0.0.1:"),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains(&registry.url()),
        "the client is pointed at weir: {}",
        run.stderr
    );
}

/// A lockfile that names a gateway which is gone is no lockfile to keep quiet about.
#[test]
fn addresses_that_cannot_be_put_back_are_said_aloud() {
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at(PUBLIC);
    world.write("work/package.json", "{}");
    world.program(
        "npm",
        "for name in gauge-reader ghost; do echo \"$npm_config_registry$name/-/$name-1.0.0.tgz\"; done > yarn.lock",
    );
    let run = world.run_before(&registry, &["npm", "install"]);
    run.assert_success();
    let lock = std::fs::read_to_string(world.path("work/yarn.lock")).unwrap();
    assert!(
        lock.starts_with(&format!("{PUBLIC}gauge-reader/-/gauge-reader-1.0.0.tgz\n")),
        "{lock}"
    );
    assert!(lock.contains("/ghost/-/ghost-1.0.0.tgz"), "{lock}");
    assert!(
        run.stderr
            .contains("yarn.lock still places tarballs at http://127.0.0.1:")
            && run
                .stderr
                .contains("does not say where they are public: ghost."),
        "{}",
        run.stderr
    );
}

#[test]
fn signals_reach_the_client_and_its_end_is_passed_on() {
    let (world, registry) = (World::new(), river());
    let marker = world.path("ready");
    let script = |end: &str| {
        format!(
            "trap '{end}' TERM INT HUP; touch '{}'; while :; do sleep 0.05; done",
            marker.display()
        )
    };
    for (name, end, code) in [
        ("TERM", "exit 42", 42),
        ("INT", "exit 43", 43),
        ("HUP", "exit 44", 44),
    ] {
        let _ = std::fs::remove_file(&marker);
        world.program("npm", &script(end));
        let mut command = world.weir_before(&registry);
        command.args(["npm", "start"]);
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let child = command.spawn().unwrap();
        eventually("the client runs", || marker.exists());
        signal(&child, name);
        let run = finish(child, Instant::now());
        assert_eq!(run.code, Some(code), "{name}: {}", run.text());
        assert!(run.stderr.contains("0 releases seen"), "{}", run.stderr);
    }
    // A client that dies of a signal is reported as shells do.
    world.program("npm", "kill -9 $$");
    let run = output(world.weir_before(&registry).args(["npm", "start"]));
    assert_eq!(run.code, Some(128 + 9));
}

/// Reading goes on when the client has ended. Whoever asks weir to end then is heard, and finds the lockfile as
/// it should be.
#[test]
fn a_signal_after_the_clients_end_ends_the_reading() {
    const GOOD: &str = "/gauge-reader/-/gauge-reader-1.1.0.tgz";
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at(PUBLIC);
    world.policy("[gate]\nanalysis_budget = \"1s\"\n");
    world.write("work/package.json", "{}");
    // It begins, and never comes to an end.
    registry.fault(Fault::on(GOOD).stall_after(20));
    world.program(
        "npm",
        "echo \"${npm_config_registry}gauge-reader/-/gauge-reader-1.1.0.tgz\" > yarn.lock; \
         echo \"$npm_config_registry\" > address.part; mv address.part address; \
         until [ -f enough ]; do sleep 0.05; done; touch ended",
    );
    let mut command = world.weir_before(&registry);
    command
        .args(["npm", "ci"])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    eventually("the client runs", || world.path("work/address").exists());
    let address = std::fs::read_to_string(world.path("work/address")).unwrap();
    let reply = http::request(address.trim(), "GET", GOOD, &[("user-agent", NPM)], b"");
    assert_ne!(reply.status, 200, "{}", reply.text());
    world.write("work/enough", "");
    eventually("the client has ended", || world.path("work/ended").exists());
    // The client's end is not weir's yet: what it is told now is for weir itself.
    std::thread::sleep(std::time::Duration::from_secs(1));
    signal(&child, "TERM");
    let run = finish(child, Instant::now());
    assert_eq!(run.code, Some(128 + 15), "{}", run.text());
    assert!(
        run.says("analyses were not finished when weir was ended"),
        "{}",
        run.stderr
    );
    let lock = std::fs::read_to_string(world.path("work/yarn.lock")).unwrap();
    assert_eq!(
        lock,
        format!("{PUBLIC}gauge-reader/-/gauge-reader-1.1.0.tgz\n")
    );
}

/// Which of two spellings counts depends on their order, for npm and pnpm 12.
#[test]
fn a_registry_in_another_spelling_of_the_variable_is_taken_away() {
    let (world, registry) = (World::new(), river());
    world.program("npm", "env | grep -i '^npm_config_registry='");
    let mut command = world.weir_before(&registry);
    let command = command.env("NPM_CONFIG_REGISTRY", "http://x.invalid/");
    let run = output(command.args(["npm", "ci"]));
    run.assert_success();
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
    assert!(
        run.stdout
            .starts_with("npm_config_registry=http://127.0.0.1:"),
        "{}",
        run.stdout
    );
}

/// Yarns before 3.6 stop at this variable, whoever set it; yarn 1 needs it. Corepack fetches the client itself.
#[test]
fn variables_of_yarn_1_are_not_given_to_later_ones() {
    let (world, registry) = (World::new(), river());
    world.program("yarn", "env | grep -i -e '^yarn_registry=' -e '^corepack'");
    for (asked, is_later) in [("yarn@3.2.4", true), ("yarn@1.22.22", false)] {
        let manifest = format!(r#"{{"name": "project", "packageManager": "{asked}"}}"#);
        let project = Project::new().file("package.json", manifest);
        let mut command = world.weir_before(&registry);
        let command = command.current_dir(project.path());
        let command = command.env("YARN_REGISTRY", "http://x.invalid/");
        let run = output(command.args(["yarn", "install"]));
        run.assert_success();
        let given = |name: &str| {
            let mut lines = run.stdout.lines();
            lines.any(|line| line.starts_with(&format!("{name}=http://127.0.0.1:")))
        };
        assert!(given("COREPACK_NPM_REGISTRY"), "{}", run.stdout);
        assert_eq!(given("YARN_REGISTRY"), !is_later, "{}", run.stdout);
        assert!(!run.stdout.contains("x.invalid"), "{}", run.stdout);
    }
}

/// npm reads the settings of the folder it is told, and of no other project; so does weir, or it would ask
/// everybody's registry for a private name.
#[test]
fn settings_are_those_of_the_folder_and_the_file_that_npm_is_told() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let ours_npmrc = |ours: &Registry| {
        format!(
            "@millpond:registry={}\nregistry={}\n",
            ours.url(),
            ours.url()
        )
    };
    let manifest =
        r#"{"name": "inner", "version": "1.0.0", "dependencies": {"@millpond/sluice": "^2.0.0"}}"#;
    for arguments in [
        &["--prefix", "inner", "install"][..],
        &["install", "-C=inner"],
        &["install", "--userconfig=../inner-npmrc", "--prefix=./inner"],
    ] {
        let (world, everyone, ours) = (World::new(), river(), river());
        // The folder belongs to workspaces whose root says otherwise.
        let root = format!(
            "registry={url}\n@millpond:registry={url}\n",
            url = everyone.url()
        );
        let told = arguments.iter().any(|it| it.starts_with("--userconfig"));
        let place = if told {
            "../inner-npmrc"
        } else {
            "inner/.npmrc"
        };
        let project = Project::new()
            .file(".npmrc", root)
            .file(
                "package.json",
                r#"{"name": "root", "version": "1.0.0", "workspaces": ["inner"]}"#,
            )
            .file("inner/package.json", manifest)
            .file(place, ours_npmrc(&ours));
        let run = output(world.wrapper(&npm, &project).arg("npm").args(arguments));
        run.assert_success();
        let installed = project.read("inner/node_modules/@millpond/sluice/package.json");
        assert!(installed.is_some(), "{arguments:?}: {}", run.text());
        assert!(everyone.requests().is_empty(), "{arguments:?}");
        assert_eq!(world.ledger(&["--event", "served"]).len(), 2);
    }
}

/// For the whole machine, npm reads no project's settings.
#[test]
fn a_global_install_does_not_ask_the_projects_registry() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    for arguments in [&["-g"][..], &["--location=global"]] {
        let (world, users, projects) = (World::new(), river(), river());
        let prefix = world.path("global").display().to_string();
        let project = Project::new()
            .file(".npmrc", format!("registry={}\n", projects.url()))
            .home_file(".npmrc", format!("registry={}\n", users.url()));
        let mut command = world.wrapper(&npm, &project);
        command.env("npm_config_prefix", &prefix);
        command.args(["npm", "install", "gauge-reader"]);
        let run = output(command.args(arguments));
        run.assert_success();
        assert!(projects.requests().is_empty(), "{arguments:?}");
        assert!(!users.requests().is_empty(), "{arguments:?}");
    }
}

/// A scope's registry reaches no client inside a script: dash drops a variable with `@` in its name.
#[test]
fn scopes_are_said_not_to_be_checked_inside_scripts() {
    let (world, registry) = (World::new(), river());
    world.program("npm", "exit 0");
    let scope = format!("@millpond:registry={}\n", registry.url());
    world.write("work/.npmrc", &scope);
    world.write("work/package.json", "{}");
    for (arguments, expected) in [
        (&["npm", "run", "hi"][..], true),
        (&["npm", "exec", "tool"], true),
        (&["npm", "ci"], false),
    ] {
        let run = world.run_before(&registry, arguments);
        run.assert_success();
        let says = run.says("NOT CHECKED") && run.says("@millpond");
        assert_eq!(says, expected, "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn publishing_goes_past_the_gateway_and_another_registry_does_not() {
    let (world, registry) = (World::new(), river());
    world.program("npm", "echo \"registry=$npm_config_registry\"");
    let run = output(world.weir_before(&registry).args(["npm", "publish"]));
    assert_eq!(run.assert_success().stdout, "registry=\n");
    assert!(run.says("without the gateway"), "{}", run.stderr);

    for option in ["--registry=http://x.invalid/", "-reg=http://x.invalid/"] {
        let run = output(
            world
                .weir_before(&registry)
                .args(["npm", "install", option]),
        );
        assert_eq!(run.code, Some(1));
        assert!(run.says("--upstream"), "{}", run.stderr);
    }
    let run =
        output(
            world
                .weir_before(&registry)
                .args(["pnpm", "install", "--npmrc-auth-file=other"]),
        );
    assert_eq!(run.code, Some(1));
    assert!(run.says("npm_config_userconfig"), "{}", run.stderr);
    let world = World::new();
    let run = output(
        world
            .weir_before(&registry)
            .env("PATH", world.path("bin"))
            .args(["npm", "ci"]),
    );
    assert_eq!(run.code, Some(1));
    assert!(run.says("is npm installed"), "{}", run.stderr);
}

/// Two registries with a token each: scopes go where the user's configuration sends them, each
/// token goes to its own registry, and the client itself needs none.
#[test]
fn credentials_come_from_the_users_npmrc_and_go_to_nobody_else() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, everyone, ours) = (World::new(), river(), river());
    let (general, private) = ("made-up-general-token", "made-up-private-token");
    everyone.require_token(general);
    ours.require_token(private);
    everyone.remove("@millpond/sluice");
    ours.remove("gauge-reader");
    let host = |registry: &Registry| registry.url().trim_start_matches("http:").to_owned();
    let project = Project::new()
        .file(".npmrc", format!("@millpond:registry={}\n", ours.url()))
        .home_file(
            ".npmrc",
            format!(
                "registry={}\n{}:_authToken=${{GENERAL}}\n{}:_authToken={private}\n",
                everyone.url(),
                host(&everyone),
                host(&ours)
            ),
        )
        .dependency("@millpond/sluice", "^2.0.0");
    let run = output(
        world
            .wrapper(&npm, &project)
            .env("GENERAL", general)
            .args(["npm", "install"]),
    );
    run.assert_success();
    assert_eq!(
        project.installed("@millpond/sluice").as_deref(),
        Some("2.0.0")
    );
    assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.1.0"));
    for (registry, token, other) in [(&everyone, general, private), (&ours, private, general)] {
        let requests = registry.requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert_eq!(
                request.header("authorization"),
                Some(format!("Bearer {token}").as_str())
            );
            assert!(!format!("{:?}", request.headers).contains(other));
        }
    }
    assert!(
        !ours.requests_to("*gauge-reader*").iter().any(|_| true),
        "private names stay private"
    );
    assert!(
        everyone.requests_to("*sluice*").is_empty(),
        "a scope's names stay with its registry"
    );
    for secret in [general, private] {
        assert!(!run.text().contains(secret));
        assert_eq!(found_in(&world.path("data"), secret), None);
    }
}

#[test]
fn a_token_that_is_wrong_or_missing_is_said_to_be_that() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.require_token("made-up-token");
    let host = registry.url().trim_start_matches("http:").to_owned();
    for token in [
        format!("{host}:_authToken=made-up-stale-token\n"),
        String::new(),
    ] {
        let project = project(&registry)
            .home_file(".npmrc", token)
            .dependency("gauge-reader", "^1.0.0");
        let run =
            output(
                world
                    .wrapper(&npm, &project)
                    .args(["npm", "install", "--fetch-retries=0"]),
            );
        assert_ne!(run.code, Some(0));
        assert!(run.says("E401"), "{}", run.text());
        assert!(run.says("refuses access to gauge-reader"), "{}", run.text());
        assert!(!run.text().contains("made-up-stale-token"));
    }
}

#[test]
fn the_command_line_overrides_the_upstream() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry, other) = (World::new(), river(), Registry::start());
    let project = project(&other).dependency("gauge-reader", "^1.0.0");
    let mut command = world.wrapper(&npm, &project);
    let run = output(command.args(["--upstream", &registry.url(), "npm", "install"]));
    run.assert_success();
    assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.1.0"));
    assert!(other.requests().is_empty());
}

#[test]
fn a_broken_upstream_fails_the_run_and_is_named() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.serve(
        "/gauge-reader",
        200,
        "text/html",
        "<!doctype html><title>sign in</title>",
    );
    let project = project(&registry).dependency("gauge-reader", "^1.0.0");
    let mut command = world.wrapper(&npm, &project);
    let run = output(command.args(["npm", "install", "--fetch-retries=0"]));
    assert_ne!(run.code, Some(0));
    assert!(run.stderr.contains("failed: "), "{}", run.stderr);
    assert!(
        run.says("gauge-reader could not be had from the upstream"),
        "{}",
        run.stderr
    );
}

#[test]
fn nothing_leaves_the_folder_of_the_project_named_on_the_command_line() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at(PUBLIC);
    let project = project(&registry).dependency("gauge-reader", "^1.0.0");
    let folder = project.path().display().to_string();
    let mut command = world.wrapper(&npm, &project);
    command.current_dir(world.path("work"));
    let run = output(command.args([
        "--upstream",
        &registry.url(),
        "npm",
        "install",
        "--prefix",
        &folder,
    ]));
    run.assert_success();
    let lock = project.read("package-lock.json").unwrap();
    assert!(
        lock.contains(PUBLIC) && !lock.contains("127.0.0.1"),
        "{lock}"
    );
}

/// A client that stands still until there is a file of this name in its folder, and asks for nothing.
const STANDS_STILL: &str = "while [ ! -e go ]; do sleep 0.05; done";

#[test]
fn what_the_lockfile_names_is_fetched_and_read_before_npm_asks() {
    let (world, registry) = (World::new(), river());
    lockfile(
        &world,
        &registry,
        &[("gauge-reader", "1.2.0"), ("@millpond/sluice", "2.0.0")],
    );
    world.program("npm", STANDS_STILL);
    let started = Instant::now();
    let mut command = world.weir_before(&registry);
    command.args(["npm", "ci"]);
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    eventually("both are read", || {
        world.ledger(&["--event", "decided"]).len() == 2
    });
    world.write("work/go", "");
    let run = finish(child, started);
    run.assert_success();
    // Nothing was served, and nobody is told of what nobody asked for.
    assert!(
        run.stderr.contains("weir: 0 releases seen"),
        "{}",
        run.stderr
    );
    // What will be held is read as well: whoever asks is told all that speaks against it, by the ledger's id too.
    assert_eq!(registry.requests_to("*.tgz").len(), 2);
    let decided = world.ledger(&["--event", "decided"]);
    let held = decided.iter().find(|entry| entry["version"] == "1.2.0");
    let id = held.unwrap()["block_id"].as_str().unwrap();
    let told = world.run(&["explain", id]);
    assert!(told.assert_success().says("gauge-reader@1.2.0"));
    assert!(world.ledger(&["--event", "served"]).is_empty());
}

#[test]
fn what_was_fetched_ahead_is_downloaded_and_decided_once() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let project = project(&registry).dependency("gauge-reader", "1.1.0");
    output(world.wrapper(&npm, &project).args(["npm", "install"])).assert_success();
    // Another machine: nothing is kept, neither here nor in npm's own cache.
    let world = World::new();
    let before = registry.requests_to("*.tgz").len();
    project.forget_modules();
    project.forget_home();
    let run = output(world.wrapper(&npm, &project).args(["npm", "ci"]));
    run.assert_success();
    let counts = "weir: 1 release seen, 0 from cache";
    assert!(run.stderr.contains(counts), "{}", run.stderr);
    assert_eq!(
        registry.requests_to("*.tgz").len(),
        before + 1,
        "once for both"
    );
    assert_eq!(
        world.ledger(&["--event", "decided"]).len(),
        1,
        "decided once"
    );
    assert_eq!(world.ledger(&["--event", "served"]).len(), 1);
}
