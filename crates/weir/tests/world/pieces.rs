//! The pieces for CI, run without their hosts: the steps of the action, the job for GitLab and the hook for
//! pre-commit, as far as a shell and a git repository can tell.

mod action;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use weir_npm::settings::{Said, Setting, Settings};
use weir_testing::{Registry, clients};

use self::action::Action;
use crate::support::{World, river};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn yaml(path: &str) -> Settings {
    let text = std::fs::read(root().join(path)).unwrap();
    Settings::yaml(path, &text).unwrap_or_else(|error| panic!("{error}"))
}

fn text<'s>(settings: &'s Settings, key: &[&str]) -> Option<&'s str> {
    settings.get(key).and_then(Setting::text)
}

/// What is in the repository that others run, and the workflows of the repository itself.
fn files_with_steps() -> Vec<String> {
    let workflows = std::fs::read_dir(root().join(".github/workflows")).unwrap();
    let workflows = workflows.map(|it| {
        format!(
            ".github/workflows/{}",
            it.unwrap().file_name().to_string_lossy()
        )
    });
    workflows.chain(["action.yml".to_owned()]).collect()
}

#[test]
fn every_action_that_is_used_is_pinned_to_a_commit() {
    let mut pinned = 0;
    for file in files_with_steps() {
        for setting in yaml(&file)
            .iter()
            .filter(|it| it.key.last().is_some_and(|key| key == "uses"))
        {
            let used = setting.text().unwrap();
            let commit = used.split_once('@').map_or("", |(_, commit)| commit);
            let whole = commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit());
            assert!(
                whole,
                "{file}:{}: {used} is not pinned to a commit",
                setting.line
            );
            pinned += 1;
        }
    }
    assert!(pinned >= 3, "only {pinned} actions were looked at");
}

/// What a pull request calls itself is no shell: expressions go through variables.
#[test]
fn no_expression_is_written_into_a_script() {
    let mut scripts = 0;
    for file in files_with_steps() {
        for setting in yaml(&file)
            .iter()
            .filter(|it| it.key.last().is_some_and(|key| key == "run"))
        {
            let script = setting.text().unwrap();
            assert!(!script.contains("${{"), "{file}:{}: {script}", setting.line);
            scripts += 1;
        }
    }
    assert!(scripts >= 5, "only {scripts} scripts were looked at");
}

#[test]
fn workflows_ask_for_what_they_need_and_no_more() {
    for file in files_with_steps().iter().filter(|it| *it != "action.yml") {
        let settings = yaml(file);
        let all = settings
            .get(&["permissions"])
            .unwrap_or_else(|| panic!("{file} names no permissions"));
        assert_eq!(all.value, Said::Nothing, "{file}");
        for setting in settings
            .iter()
            .filter(|it| it.key.iter().any(|key| key == "permissions"))
        {
            assert!(
                matches!(&setting.value, Said::Nothing) || setting.text() == Some("read"),
                "{file}:{}",
                setting.line
            );
        }
    }
}

/// Puts a weir into the cache's place.
fn cache_weir(folder: &Path) {
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_weir"), folder.join("bin/weir")).unwrap();
}

fn git(world: &World, folder: &str, arguments: &[&str]) -> Output {
    Command::new("git")
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:/usr/local/bin:/usr/bin:/bin",
                world.path("bin").display()
            ),
        )
        .env("HOME", world.path("home"))
        .env("WEIR_DATA", world.path("data"))
        .args([
            "-c",
            "user.name=mill",
            "-c",
            "user.email=mill@example.invalid",
            "-c",
            "commit.gpgsign=false",
        ])
        .args([
            "-c",
            "protocol.file.allow=always",
            "-c",
            "uploadpack.allowAnySHA1InWant=true",
        ])
        .args(arguments)
        .current_dir(world.path(folder))
        .output()
        .unwrap()
}

fn git_ok(world: &World, folder: &str, arguments: &[&str]) -> String {
    let output = git(world, folder, arguments);
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A project in a repository, and a change after it that sends a package elsewhere.
fn repository(world: &World, registry: &Registry) -> (String, String) {
    let entry = |folder: &str, name: &str, version: &str| {
        let integrity = registry.integrity(name, version).unwrap();
        let base = name.rsplit('/').next().unwrap();
        format!(
            "\"{folder}\": {{\"version\": \"{version}\", \"resolved\": \"{}{name}/-/{base}-{version}.tgz\", \"integrity\": \"{integrity}\"",
            registry.url()
        )
    };
    let sluice = "node_modules/@millpond/sluice";
    let lock = format!(
        "{{\"name\": \"app\", \"lockfileVersion\": 3, \"packages\": {{\n\"\": {{\"name\": \"app\", \"dependencies\": {{\"gauge-reader\": \"^1.0.0\", \"@millpond/sluice\": \"^2.0.0\"}}}},\n\
         {}}},\n{}, \"dependencies\": {{\"gauge-reader\": \"^1.0.0\"}}}},\n{}}}\n}}}}\n",
        entry("node_modules/gauge-reader", "gauge-reader", "1.1.0"),
        entry(sluice, "@millpond/sluice", "2.0.0"),
        entry(
            &format!("{sluice}/node_modules/gauge-reader"),
            "gauge-reader",
            "1.0.0"
        ),
    );
    world.write("work/.npmrc", format!("registry={}\n", registry.url()));
    world.write("work/package.json", r#"{"name": "app", "dependencies": {"gauge-reader": "^1.0.0", "@millpond/sluice": "^2.0.0"}}"#);
    world.write("work/package-lock.json", &lock);
    git_ok(world, "work", &["init", "--quiet", "--initial-branch=main"]);
    git_ok(world, "work", &["add", "--all"]);
    git_ok(world, "work", &["commit", "--quiet", "--message", "sound"]);
    let tampered = lock.replacen(&registry.url(), "https://evil.example/", 1);
    (lock, tampered)
}

#[test]
fn the_action_checks_a_project_and_a_change() {
    let (world, registry) = (World::new(), river());
    let (_, tampered) = repository(&world, &registry);
    cache_weir(&world.path("temp/weir"));
    let mut action = Action::new(
        &world,
        &[
            ("offline", "true"),
            ("sarif", "out.sarif"),
            ("junit", "out.xml"),
        ],
        true,
    );
    let (sound, ran) = action.run(&world);
    assert_eq!(sound.status.code(), Some(0), "{sound:?}");
    assert_eq!(ran, ["Identify this version of weir", "Check"]);
    assert_eq!(action.outputs["steps.source.outputs.key"].len(), 64);
    assert_eq!(action.outputs["steps.check.outputs.code"], "0");
    assert!(world.path("work/out.sarif").is_file() && world.path("work/out.xml").is_file());
    let summary = std::fs::read_to_string(world.path("temp/summary.md")).unwrap();
    assert!(summary.contains("### weir check"), "{summary}");
    // A change, beside the commit it is to be merged into.
    let base = git_ok(&world, "work", &["rev-parse", "HEAD"]);
    world.write("work/package-lock.json", tampered);
    git_ok(
        &world,
        "work",
        &["commit", "--quiet", "--all", "--message", "tampered"],
    );
    let mut action = Action::new(&world, &[("offline", "true"), ("base", &base)], true);
    let (change, _) = action.run(&world);
    assert_eq!(change.status.code(), Some(5), "{change:?}");
    assert_eq!(action.outputs["steps.check.outputs.code"], "5");
    let out = String::from_utf8_lossy(&change.stdout);
    assert!(
        out.contains("::error file=package-lock.json,line=3,title=foreign-registry::"),
        "{out}"
    );
}

/// A checkout of depth 1 lacks the commit a pull request starts from.
#[test]
fn the_action_fetches_the_commit_it_needs() {
    let (world, registry) = (World::new(), river());
    let (lock, tampered) = repository(&world, &registry);
    let base = git_ok(&world, "work", &["rev-parse", "HEAD"]);
    world.write("work/package-lock.json", tampered);
    git_ok(
        &world,
        "work",
        &["commit", "--quiet", "--all", "--message", "tampered"],
    );
    let origin = world.path("work").display().to_string();
    git_ok(
        &world,
        "work",
        &["config", "uploadpack.allowAnySHA1InWant", "true"],
    );
    let shallow = format!("file://{origin}");
    git_ok(
        &world,
        ".",
        &["clone", "--quiet", "--depth=1", &shallow, "shallow"],
    );
    cache_weir(&world.path("temp/weir"));
    let folder = world.path("shallow").display().to_string();
    let inputs = [
        ("offline", "true"),
        ("base", base.as_str()),
        ("folder", folder.as_str()),
    ];
    let (change, _) = Action::new(&world, &inputs, true).run(&world);
    let out = String::from_utf8_lossy(&change.stdout);
    assert_eq!(change.status.code(), Some(5), "{change:?}");
    assert!(
        out.contains("title=entry-replaced") || out.contains("title=foreign-registry"),
        "{out}"
    );
    // One that nobody has.
    let absent = "0123456789abcdef0123456789abcdef01234567";
    let inputs = [("base", absent), ("folder", folder.as_str())];
    let (lost, _) = Action::new(&world, &inputs, true).run(&world);
    assert_eq!(lost.status.code(), Some(1), "{lost:?}");
    assert!(
        String::from_utf8_lossy(&lost.stdout).contains("cannot be fetched"),
        "{lost:?}"
    );
    assert!(!lock.is_empty());
}

/// Without a cache the action builds weir from its own source, with the pinned compiler and versions.
#[test]
fn the_action_builds_what_is_not_cached() {
    let (world, registry) = (World::new(), river());
    repository(&world, &registry);
    let weir = env!("CARGO_BIN_EXE_weir");
    world.program("rustup", "echo \"rustup $*\" >> \"$HOME/built\"");
    world.program(
        "cargo",
        &format!("echo \"cargo $* in $(pwd -P)\" >> \"$HOME/built\"\nmkdir -p \"$WEIR/bin\" && ln -s '{weir}' \"$WEIR/bin/weir\""),
    );
    let mut action = Action::new(&world, &[("offline", "true")], false);
    let (built, ran) = action.run(&world);
    assert_eq!(built.status.code(), Some(0), "{built:?}");
    assert_eq!(
        ran,
        ["Identify this version of weir", "Build weir", "Check"]
    );
    let commands = std::fs::read_to_string(world.path("home/built")).unwrap();
    let toolchain = yaml(".github/workflows/ci.yml");
    let of_ci = toolchain
        .iter()
        .filter_map(Setting::text)
        .any(|it| it.contains("toolchain install 1.95.0"));
    assert!(
        of_ci && commands.starts_with("rustup toolchain install 1.95.0 "),
        "{commands}"
    );
    assert!(
        commands.contains("cargo +1.95.0 install --locked --path "),
        "{commands}"
    );
    // What the change says of compilers does not count.
    let own = root().canonicalize().unwrap();
    let place = format!("/temp/weir in {}", own.display());
    assert!(commands.contains(&place), "{commands}");
}

#[test]
fn the_gitlab_job_checks_a_merge_request() {
    let (world, registry) = (World::new(), river());
    let (_, tampered) = repository(&world, &registry);
    let settings = yaml("ci/gitlab.yml");
    let script: Vec<&str> = settings
        .under(&["weir-check", "script"])
        .filter_map(Setting::text)
        .collect();
    assert_eq!(script.len(), 4);
    let script = script.join("\n");
    let weir = env!("CARGO_BIN_EXE_weir");
    world.program(
        "cargo",
        &format!(
            "echo \"$* in $PWD\" > \"$HOME/built\"\nwhile [ \"$1\" != --root ]; do shift; done\n\
             mkdir -p \"$2/bin\" && ln -s '{weir}' \"$2/bin/weir\""
        ),
    );
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let run = |commit: &str, base: &str| {
        Command::new("sh")
            .args(["-e", "-c", &script])
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", world.path("bin").display()),
            )
            .env("HOME", world.path("home"))
            .env("WEIR_DATA", world.path("data"))
            .envs([
                ("WEIR_FOLDER", "."),
                ("WEIR_OPTIONS", "--offline"),
                ("WEIR_COMMIT", commit),
            ])
            .envs([("WEIR_SOURCE", "https://gitlab.example.invalid/weir.git")])
            .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", base)
            .current_dir(world.path("work"))
            .output()
            .unwrap()
    };
    for short in ["main", "0123456", ""] {
        let refused = run(short, "");
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(
            String::from_utf8_lossy(&refused.stdout).contains("40 digits"),
            "{refused:?}"
        );
    }
    // A change that brings its own gate.
    for own in [".weir/bin/weir", "weir.xml"] {
        world.write(&format!("work/{own}"), "#!/bin/sh\nexit 0\n");
        git_ok(&world, "work", &["add", "--force", own]);
        let refused = run(commit, "");
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let said = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert!(said.contains("the repository itself has"), "{said}");
        git_ok(&world, "work", &["rm", "--quiet", "--force", own]);
    }
    let sound = run(commit, "");
    assert_eq!(sound.status.code(), Some(0), "{sound:?}");
    let built = std::fs::read_to_string(world.path("home/built")).unwrap();
    assert_eq!(
        built.trim(),
        format!(
            "install --locked --git https://gitlab.example.invalid/weir.git --rev {commit} --root {}/.weir weir in /",
            world.path("work").display()
        )
    );
    let base = git_ok(&world, "work", &["rev-parse", "HEAD"]);
    world.write("work/package-lock.json", tampered);
    let change = run(commit, &base);
    assert_eq!(change.status.code(), Some(5), "{change:?}");
    let artifact = text(&settings, &["weir-check", "artifacts", "reports", "junit"]).unwrap();
    let junit = std::fs::read_to_string(world.path("work").join(artifact)).unwrap();
    assert!(junit.contains("type=\"foreign-registry\""), "{junit}");
}

/// The hook's entry and the files it is for.
fn hook() -> (String, String) {
    let settings = yaml(".pre-commit-hooks.yaml");
    assert_eq!(text(&settings, &["0", "id"]), Some("weir-check"));
    assert_eq!(
        settings.get(&["0", "pass_filenames"]).map(|it| it.is_off()),
        Some(true)
    );
    let entry = text(&settings, &["0", "entry"]).unwrap();
    (
        entry.to_owned(),
        text(&settings, &["0", "files"]).unwrap().to_owned(),
    )
}

/// Runs the hook through git as pre-commit does: when a staged file is one of those it is for.
fn install_hook(world: &World) {
    let (entry, files) = hook();
    let script = format!(
        "#!/bin/sh\nset -e\nif git diff --cached --name-only | grep -qE '{files}'; then {entry}; fi\n"
    );
    let file = world.write("work/.git/hooks/pre-commit", script);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(file, mode).unwrap();
}

/// A sound change goes in, a tampered one does not, and one that touches no such file is not looked at.
fn the_hook_decides(world: &World, tampered: &str) {
    world.write("work/README.md", "a river\n");
    git_ok(world, "work", &["add", "--all"]);
    git_ok(world, "work", &["commit", "--message", "a page"]);
    world.write("work/package-lock.json", tampered);
    git_ok(world, "work", &["add", "--all"]);
    let refused = git(world, "work", &["commit", "--message", "tampered"]);
    assert!(!refused.status.success(), "{refused:?}");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&refused.stdout),
        String::from_utf8_lossy(&refused.stderr)
    );
    assert!(said.contains("[foreign-registry]"), "{said}");
    git_ok(
        world,
        "work",
        &["checkout", "--quiet", "HEAD", "--", "package-lock.json"],
    );
    world.write(
        "work/.npmrc",
        format!(
            "{}save-exact=true\n",
            std::fs::read_to_string(world.path("work/.npmrc")).unwrap()
        ),
    );
    git_ok(world, "work", &["commit", "--all", "--message", "sound"]);
}

#[test]
fn the_hook_stops_a_tampered_lockfile() {
    let (world, registry) = (World::new(), river());
    let (_, tampered) = repository(&world, &registry);
    world.program(
        "weir",
        &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_weir")),
    );
    install_hook(&world);
    the_hook_decides(&world, &tampered);
}

/// The same through pre-commit itself, where it is installed.
#[test]
fn the_hook_works_with_pre_commit() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(program) = std::env::split_paths(&path)
        .map(|it| it.join("pre-commit"))
        .find(|it| it.is_file())
    else {
        clients::skip("pre-commit is not on PATH");
        return;
    };
    let (world, registry) = (World::new(), river());
    let (_, tampered) = repository(&world, &registry);
    world.program(
        "weir",
        &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_weir")),
    );
    world.program(
        "pre-commit",
        &format!("exec '{}' \"$@\"", program.display()),
    );
    // The hook's repository, as somebody would name it in a configuration.
    let hooks = std::fs::read(root().join(".pre-commit-hooks.yaml")).unwrap();
    world.write("hooks/.pre-commit-hooks.yaml", hooks);
    git_ok(
        &world,
        "hooks",
        &["init", "--quiet", "--initial-branch=main"],
    );
    git_ok(&world, "hooks", &["add", "--all"]);
    git_ok(
        &world,
        "hooks",
        &["commit", "--quiet", "--message", "hooks"],
    );
    let commit = git_ok(&world, "hooks", &["rev-parse", "HEAD"]);
    world.write(
        "work/.pre-commit-config.yaml",
        format!(
            "repos:\n  - repo: {}\n    rev: {commit}\n    hooks:\n      - id: weir-check\n",
            world.path("hooks").display()
        ),
    );
    let installed = Command::new(&program)
        .arg("install")
        .env("HOME", world.path("home"))
        .current_dir(world.path("work"))
        .output()
        .unwrap();
    assert!(installed.status.success(), "{installed:?}");
    the_hook_decides(&world, &tampered);
}
