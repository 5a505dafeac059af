//! Variables of the environment in a project's own `.npmrc`: what only that says of a registry is sent nothing of
//! them, and nothing of them is shown. Whoever proposes a change writes that file.

use weir_testing::clients::Output;
use weir_testing::{Package, Registry, Release};

use crate::audit::{flaw, import};
use crate::check_base::{commit, git};
use crate::support::{World, output};

const SECRET: &str = "s3cret-of-the-job";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.add(
        Package::new("silt").release(Release::new("1.2.0").published("2024-01-02T03:04:05.678Z")),
    );
    registry
}

/// A project with one package, of which the registry is to be asked.
fn project(world: &World, registry: &Registry, npmrc: &str) {
    world.write(
        "work/package.json",
        r#"{"name": "app", "version": "1.0.0", "dependencies": {"silt": "^1.0.0"}}"#,
    );
    let integrity = registry.integrity("silt", "1.2.0").unwrap();
    world.write(
        "work/package-lock.json",
        format!(
            r#"{{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {{
            "": {{"name": "app", "version": "1.0.0", "dependencies": {{"silt": "^1.0.0"}}}},
            "node_modules/silt": {{"version": "1.2.0", "resolved": "https://other.example.invalid/silt/-/silt-1.2.0.tgz",
            "integrity": "{integrity}"}}}}}}"#
        ),
    );
    world.write("work/.npmrc", npmrc);
}

/// A run without a registry on the command line.
fn run(world: &World, arguments: &[&str]) -> Output {
    run_with(world, "data", &[], arguments)
}

/// The same with a data folder that has seen nothing, so that the registry is asked, and with variables.
fn run_with(world: &World, data: &str, more: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = world.weir();
    command.args(arguments).env("JOB_TOKEN", SECRET);
    command.env("WEIR_DATA", world.path(data));
    output(command.envs(more.iter().copied()))
}

/// Lines of an `.npmrc` about a registry.
fn address_with_variable(registry: &Registry) -> String {
    format!("registry={}${{JOB_TOKEN}}/\n", registry.url())
}

fn token_line(registry: &Registry) -> String {
    let host = registry.url().replace("http:", "");
    format!("{host}:_authToken=${{JOB_TOKEN}}\n")
}

fn with_token(registry: &Registry) -> String {
    format!("registry={}\n{}", registry.url(), token_line(registry))
}

const ASKING: [&[&str]; 6] = [
    &["check"],
    &["check", "--online"],
    &["audit"],
    &["verify"],
    &["why", "silt"],
    &["sbom", "--verify"],
];

/// No request holds the secret, or anything that lets in.
fn assert_told_nothing(registry: &Registry) {
    for request in registry.requests() {
        assert!(!request.path.contains(SECRET), "{}", request.path);
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn a_registry_that_only_the_project_names_gets_no_variable() {
    let (world, registry) = (World::new(), registry());
    import(
        &world,
        "osv",
        &[flaw(
            "GHSA-1",
            "silt",
            serde_json::json!([{"introduced": "0"}]),
        )],
    );
    for npmrc in [address_with_variable(&registry), with_token(&registry)] {
        project(&world, &registry, &npmrc);
        for arguments in ASKING {
            let run = run(&world, arguments);
            assert!(!run.text().contains(SECRET), "{}", run.text());
        }
        assert_told_nothing(&registry);
    }
}

#[test]
fn what_was_not_put_in_is_told_with_the_registry() {
    let (world, registry) = (World::new(), registry());
    registry.require_token(SECRET);
    project(&world, &registry, &with_token(&registry));
    for arguments in [&["check", "--online"][..], &["verify"], &["why", "silt"]] {
        let run = run(&world, arguments);
        let text = run.text();
        assert!(
            text.contains("JOB_TOKEN was not put into"),
            "{arguments:?}: {text}"
        );
    }
    project(&world, &registry, &address_with_variable(&registry));
    for arguments in [&["check", "--online"][..], &["verify"], &["why", "silt"]] {
        let run = run(&world, arguments);
        let text = run.text();
        assert_eq!(run.code, Some(1), "{text}");
        assert!(
            text.contains("JOB_TOKEN was not put into registry"),
            "{arguments:?}: {text}"
        );
        assert!(text.contains("${JOB_TOKEN}/"), "{text}");
    }
}

/// As CI is set up everywhere: the token is the project's line, and the host is named by whoever runs it.
#[test]
fn a_host_that_others_name_gets_its_token() {
    let (world, registry) = (World::new(), registry());
    registry.require_token(SECRET);
    project(&world, &registry, &with_token(&registry));
    let seen = |what: &str| {
        let requests = registry.requests();
        assert!(!requests.is_empty(), "{what}");
        for request in requests {
            let shown = request.header("authorization");
            assert_eq!(
                shown,
                Some(format!("Bearer {SECRET}").as_str()),
                "{what}: {}",
                request.path
            );
        }
        registry.clear_requests();
    };
    // The user's own file, a variable, an option.
    world.write(
        "home/.npmrc",
        format!("@scope:registry={}\n", registry.url()),
    );
    run_with(&world, "first", &[], &["verify"]);
    seen("the user's own file");
    world.write("home/.npmrc", "");
    let url = registry.url();
    let variable = [("npm_config_registry", url.as_str())];
    run_with(&world, "second", &variable, &["verify"]);
    seen("a variable");
    run_with(&world, "third", &[], &["verify", "--upstream", &url]);
    seen("an option");
    // And a project that has not changed.
    git(&world, &["init", "--quiet"]);
    commit(&world);
    world.write("work/README.md", "changed\n");
    let checked = run_with(
        &world,
        "fourth",
        &[],
        &["check", "--base", "HEAD", "--online"],
    );
    assert_ne!(checked.code, Some(1), "{}", checked.text());
    seen("the base");
    // A change that adds a registry of its own has neither.
    let other = Registry::start();
    let lines =
        with_token(&registry) + &token_line(&other) + &format!("@evil:registry={}\n", other.url());
    world.write(
        "work/.npmrc",
        lines.replace(
            &format!("registry={}", registry.url()),
            &format!("registry={}", other.url()),
        ),
    );
    let changed = run_with(
        &world,
        "fifth",
        &[],
        &["check", "--base", "HEAD", "--online"],
    );
    assert!(!changed.text().contains(SECRET), "{}", changed.text());
    let asked = other.requests();
    assert!(!asked.is_empty(), "{}", changed.text());
    assert!(asked.iter().all(|it| it.header("authorization").is_none()));
}

/// A file that the project names as the user's is the project's.
#[test]
fn a_project_does_not_name_its_own_user() {
    let (world, registry) = (World::new(), registry());
    project(&world, &registry, "userconfig=other-npmrc\n");
    world.write(
        "work/other-npmrc",
        with_token(&registry) + &address_with_variable(&registry),
    );
    for arguments in ASKING {
        let run = run(&world, arguments);
        assert!(!run.text().contains(SECRET), "{}", run.text());
    }
    assert_told_nothing(&registry);
}
