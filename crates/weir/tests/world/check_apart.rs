//! pnpm workspaces with a lockfile each: what is asked in the root says nothing of them, and says so.

use serde_json::Value;

use crate::support::{World, river};

/// As pnpm writes them with `sharedWorkspaceLockfile: false`.
fn workspaces() -> World {
    let world = World::new();
    let manifest = r#"{"name": "a", "dependencies": {"silt": "^1.0.0"}}"#;
    for (file, text) in [
        ("package.json", r#"{"name": "root", "private": true}"#),
        (
            "pnpm-workspace.yaml",
            "packages:\n  - packages/*\nsharedWorkspaceLockfile: false\n",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nimporters:\n  .: {}\n",
        ),
        ("packages/a/package.json", manifest),
        (
            "packages/a/pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nimporters:\n  .: {}\n",
        ),
        ("packages/b/package.json", r#"{"name": "b"}"#),
    ] {
        world.write(&format!("work/{file}"), text);
    }
    world
}

#[test]
fn workspaces_with_lockfiles_of_their_own_do_not_pass_unread() {
    let (world, registry) = (workspaces(), river());
    for command in [&["check", "--offline"][..], &["verify"], &["sbom"]] {
        let run = world.run_before(&registry, command);
        assert_eq!(run.code, Some(5), "{command:?}: {}", run.text());
        let told = "packages/a/pnpm-lock.yaml:1: error: this workspace has a lockfile of its own";
        assert!(run.says(told), "{command:?}: {}", run.text());
        assert!(run.says("[unchecked-project]") && !run.says("packages/b"));
        // Where the one in the root is meant, it is what is asked about.
        let alone = [command, &["--lockfile", "pnpm-lock.yaml"]].concat();
        let alone = world.run_before(&registry, &alone);
        assert_eq!(alone.code, Some(0), "{command:?}: {}", alone.text());
    }
    let why = world.run_before(&registry, &["why", "silt", "--offline"]);
    assert_eq!(why.code, Some(1));
    assert!(why.says("[unchecked-project]"), "{}", why.text());
}

#[test]
fn a_change_does_not_pass_over_them_either() {
    let (world, registry) = (workspaces(), river());
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.current_dir(world.path("work")).args([
            "-c",
            "user.name=mara",
            "-c",
            "user.email=mara@river.example",
        ]);
        assert!(git.args(arguments).output().unwrap().status.success());
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "before"]);
    let arguments = ["check", "--offline", "--json", "--base", "HEAD"];
    let run = world.run_before(&registry, &arguments);
    assert_eq!(run.code, Some(5), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["findings"][0]["rule"], "unchecked-project");
}

/// pnpm leaves none out that asks for something, and one without a lockfile is checked nowhere.
#[test]
fn a_workspace_without_any_lockfile_is_out_of_step() {
    let (world, registry) = (workspaces(), river());
    std::fs::remove_file(world.path("work/packages/a/pnpm-lock.yaml")).unwrap();
    let run = world.run_before(&registry, &["check", "--offline"]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    assert!(run.says(r#"the workspace "packages/a" is not in the lockfile"#));
}
