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

const ASKING: [&[&str]; 7] = [
    &["check"],
    &["check", "--online"],
    &["audit"],
    &["verify"],
    &["why", "silt"],
    &["sbom", "--verify"],
    &["baseline", "backfill"],
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
    for (arguments, code) in [
        // What can be told without asking anybody is told.
        (&["check", "--online"][..], 5),
        (&["verify"], 1),
        (&["why", "silt"], 1),
    ] {
        let run = run(&world, arguments);
        let text = run.text();
        assert_eq!(run.code, Some(code), "{text}");
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

fn rules(run: &Output) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let rules = findings.iter().map(|it| it["rule"].as_str().unwrap());
    rules.map(str::to_owned).collect()
}

/// That a registry cannot be asked is one more finding, and takes the place of none.
#[test]
fn a_change_to_a_registry_that_cannot_be_asked_is_told_all_the_same() {
    let (world, registry) = (World::new(), registry());
    project(&world, &registry, "");
    let lockfile = world.path("work/package-lock.json");
    let whole = std::fs::read_to_string(&lockfile).unwrap();
    git(&world, &["init", "--quiet"]);
    world.write(
        "work/package-lock.json",
        whole.replace("node_modules/silt", "node_modules/other"),
    );
    commit(&world);
    world.write("work/package-lock.json", &whole);
    for npmrc in [
        address_with_variable(&registry),
        "registry=https://[nowhere/\n".to_owned(),
    ] {
        world.write("work/.npmrc", &npmrc);
        let run = run(&world, &["check", "--base", "HEAD", "--json"]);
        assert_eq!(run.code, Some(5), "{}", run.text());
        let told = rules(&run);
        for rule in [
            "registry-changed",
            "registry-not-asked",
            "releases-not-assessed",
        ] {
            let count = told.iter().filter(|it| *it == rule).count();
            assert_eq!(count, 1, "{rule} among {told:?}");
        }
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let mut packages = report["changes"]["packages"].as_array().unwrap().iter();
        let added = packages.find(|it| it["name"] == "silt").unwrap();
        let unknown = added["releases"][0]["unknown"].to_string();
        assert!(unknown.contains("no registry was asked"), "{unknown}");
        assert!(!run.text().contains(SECRET), "{}", run.text());
    }
}

/// A change leads no requests through a proxy of its own, and believes no authority of its own.
#[test]
fn a_connection_is_not_made_as_only_the_project_says() {
    let (world, registry, proxy) = (World::new(), registry(), Registry::start());
    registry.require_token(SECRET);
    // The registry and its token are the user's.
    world.write("home/.npmrc", with_token(&registry));
    let lines = format!(
        "proxy={0}\nhttps-proxy={0}\nstrict-ssl=false\ncafile=./own.pem\n",
        proxy.url()
    );
    project(&world, &registry, &lines);
    for (at, arguments) in ASKING.into_iter().enumerate() {
        let run = run_with(&world, &format!("data{at}"), &[], arguments);
        assert!(!run.text().contains(SECRET), "{}", run.text());
        let told = run.text().contains("does not count here");
        // Nobody was to be asked.
        assert!(
            told || arguments == ["audit"],
            "{arguments:?}: {}",
            run.text()
        );
        assert!(proxy.requests().is_empty(), "{arguments:?}");
    }
    assert!(!registry.requests().is_empty());
    let run = run_with(&world, "data", &[], &["check", "--online", "--json"]);
    let told = rules(&run);
    let count = told.iter().filter(|it| *it == "connection-setting").count();
    assert_eq!(count, 4, "{}", run.text());
    // Near misses: what the commit has as well, or the user.
    git(&world, &["init", "--quiet"]);
    commit(&world);
    world.write("work/README.md", "changed\n");
    let same = run_with(&world, "data", &[], &["check", "--base", "HEAD", "--json"]);
    let told = rules(&same);
    assert!(!told.contains(&"connection-setting".to_owned()), "{told:?}");
    world.write("home/.npmrc", with_token(&registry) + &lines);
    let own = run_with(&world, "data", &[], &["check", "--online", "--json"]);
    let told = rules(&own);
    assert!(!told.contains(&"connection-setting".to_owned()), "{told:?}");
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
