//! The registry that is asked where no settings name one: npm's own, whatever a project's `.npmrc` says.

use weir_testing::Registry;

use crate::support::{World, output, river};

/// An npm that knows a registry, and in a folder whose `.npmrc` names one, that one; for the whole machine (`-g`) it
/// reads no project's.
fn npm(world: &World, own: &Registry) {
    let own = own.url();
    world.program(
        "npm",
        &format!(
            "[ \"$1\" = config ] || exit 0\n\
             case \" $* \" in *' -g '*) ;; *) [ -f .npmrc ] && exec sed -n s/^registry=//p .npmrc;; esac\n\
             echo {own}"
        ),
    );
}

/// A world with a project whose `.npmrc` names another registry, which nobody may ask for anything.
fn world() -> (World, Registry, Registry) {
    let (world, own, other) = (World::new(), river(), river());
    npm(&world, &own);
    world.write("theirs/package.json", "{}");
    world.write("theirs/.npmrc", format!("registry={}\n", other.url()));
    (world, own, other)
}

#[test]
fn a_projects_registry_is_nobody_elses() {
    let (world, own, other) = world();
    // npm leaves the project's settings out, and so weir has to know npm's own registry.
    let run = output(
        world
            .weir()
            .args(["npm", "install", "-g", "gauge-reader"])
            .current_dir(world.path("theirs")),
    );
    run.assert_success();
    // One project is asked about from within another one.
    world.write("mine/package.json", "{}");
    let lock = r#"{"lockfileVersion": 3, "packages": {"": {}}}"#;
    world.write("mine/package-lock.json", lock);
    let run = output(
        world
            .weir()
            .args(["verify", "../mine"])
            .current_dir(world.path("theirs")),
    );
    run.assert_success();
    world
        .run(&["inspect", "gauge-reader@1.1.0"])
        .assert_success();
    assert!(!own.requests_to("/gauge-reader").is_empty());
    assert!(other.requests().is_empty(), "{:?}", other.requests());
    // What the project names counts in the project.
    let run = output(
        world
            .weir()
            .args(["inspect", "gauge-reader@1.1.0"])
            .current_dir(world.path("theirs")),
    );
    run.assert_success();
    assert!(!other.requests_to("/gauge-reader").is_empty());
}

#[test]
fn what_an_earlier_weir_kept_is_not_believed() {
    let (world, own, other) = world();
    let npm = world.path("bin/npm").canonicalize().unwrap();
    let changed = npm.metadata().unwrap().modified().unwrap();
    let changed = changed.duration_since(std::time::UNIX_EPOCH).unwrap();
    let (npm, url) = (npm.display(), other.url());
    let kept = format!("{npm} {}\n{url}\n", changed.as_secs());
    let kept = world.write("data/npm-default-registry", kept);
    world
        .run(&["inspect", "gauge-reader@1.1.0"])
        .assert_success();
    assert!(!own.requests_to("/gauge-reader").is_empty());
    assert!(other.requests().is_empty(), "{:?}", other.requests());
    assert!(!kept.exists());
    // The new answer is kept: npm is asked once.
    let said = std::fs::read_to_string(world.path("data/npm-own-registry")).unwrap();
    assert!(said.ends_with(&format!("\n{}\n", own.url())), "{said}");
}
