//! What comes into a project without weir being asked: told after the run, by what the client wrote down.

use std::process::Command;

use weir_testing::clients::{self, Client, Kind};
use weir_testing::{Package, Project, Registry, Release};

use crate::support::{World, output, river};

/// A project whose own configuration names the registry.
fn project(registry: &Registry, range: &str) -> Project {
    Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .dependency("gauge-reader", range)
}

fn wrapped(world: &World, client: &Client, project: &Project, words: &[&str]) -> clients::Output {
    output(world.wrapper(client, project).args(words))
}

/// A client that has a release in its cache does not ask for it.
fn a_warm_cache_is_told_until_weir_has_looked(kind: Kind, words: &[&str]) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let project = project(&registry, "1.1.0");
    client.install(&project).assert_success();
    project.forget_modules();
    let warm = wrapped(&world, &client, &project, words);
    warm.assert_success();
    assert!(
        warm.stderr.contains("weir: 0 releases seen"),
        "{}",
        warm.stderr
    );
    let program = words[0];
    let told = format!("1 release that {program} had already, and that weir has never looked at");
    assert!(warm.says(&told), "{}", warm.stderr);
    assert!(warm.says("gauge-reader@1.1.0"), "{}", warm.stderr);

    project.forget_modules();
    project.forget_home();
    let cold = wrapped(&world, &client, &project, words);
    assert!(
        !cold.assert_success().says("NOT CHECKED"),
        "{}",
        cold.stderr
    );
    project.forget_modules();
    let warm = wrapped(&world, &client, &project, words);
    assert!(
        warm.stderr.contains("weir: 0 releases seen"),
        "{}",
        warm.stderr
    );
    assert!(
        !warm.assert_success().says("NOT CHECKED"),
        "{}",
        warm.stderr
    );
}

#[test]
fn what_npm_had_already_is_told_until_weir_has_looked() {
    a_warm_cache_is_told_until_weir_has_looked(Kind::Npm, &["npm", "ci"]);
}

#[test]
fn what_pnpm_had_already_is_told_until_weir_has_looked() {
    a_warm_cache_is_told_until_weir_has_looked(Kind::Pnpm10, &["pnpm", "install"]);
}

#[test]
fn what_yarn_1_had_already_is_told_until_weir_has_looked() {
    a_warm_cache_is_told_until_weir_has_looked(Kind::Yarn1, &["yarn", "install"]);
}

/// What weir refuses is refused wherever the client has it from: the exit code says so.
#[test]
fn a_refused_release_out_of_a_cache_is_told_and_fails_the_run() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let project = project(&registry, "1.2.0");
    npm.install(&project).assert_success();
    let refused = Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .file("package.json", project.read("package.json").unwrap())
        .file(
            "package-lock.json",
            project.read("package-lock.json").unwrap(),
        );
    wrapped(&world, &npm, &refused, &["npm", "ci"]).assert_failure();
    project.forget_modules();
    let run = wrapped(&world, &npm, &project, &["npm", "ci"]);
    assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.2.0"));
    assert!(
        run.says("INSTALLED, AND held: gauge-reader@1.2.0, which npm had already; weir explain w-"),
        "{}",
        run.text()
    );
    assert_eq!(run.code, Some(3), "{}", run.text());
}

/// Clients that fetch what comes by git or by an address themselves, as far as they are here, and their programs.
fn fetchers() -> impl Iterator<Item = (Client, &'static str)> {
    let all = [
        (Kind::Npm, "npm"),
        (Kind::Pnpm10, "pnpm"),
        (Kind::Yarn1, "yarn"),
    ];
    all.into_iter()
        .filter_map(|(kind, program)| Some((clients::or_skip(kind)?, program)))
}

/// A repository with one commit of a package, if there is a git.
fn repository(folder: &std::path::Path) -> Option<String> {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(
        folder.join("package.json"),
        r#"{"name": "reed-bed", "version": "1.0.0"}"#,
    )
    .unwrap();
    let author = [
        "-c",
        "user.name=mill",
        "-c",
        "user.email=mill@example.invalid",
    ];
    for words in [
        &["init", "-q"][..],
        &["add", "."],
        &["commit", "-qm", "reeds"],
    ] {
        let mut git = Command::new("git");
        let run = git.current_dir(folder).args(author).args(words).status();
        run.ok().filter(std::process::ExitStatus::success)?;
    }
    Some(format!("git+file://{}", folder.display()))
}

#[test]
fn what_comes_from_a_repository_is_told_whichever_client_fetched_it() {
    for (client, program) in fetchers() {
        let (world, registry) = (World::new(), river());
        let project = project(&registry, "1.1.0");
        let Some(address) = repository(&project.path().join("../reed-bed")) else {
            clients::skip("no git");
            return;
        };
        let project = project.dependency("reed-bed", &address);
        let run = wrapped(&world, &client, &project, &[program, "install"]);
        run.assert_success();
        let told = format!("NOT CHECKED: reed-bed (from git): {program} fetches");
        assert!(run.says(&told), "{}", run.text());
        assert!(!run.says("had already"), "{}", run.text());
    }
}

#[test]
fn what_comes_by_an_address_is_told_once() {
    for (client, program) in fetchers() {
        let (world, registry) = (World::new(), river());
        registry.add(
            Package::new("odd")
                .maintainer("mill")
                .release(Release::new("1.0.0")),
        );
        let tarball = registry.tarball("odd", "1.0.0").unwrap();
        registry.serve("/files/odd.tgz", 200, "application/octet-stream", tarball);
        let address = format!(
            "{}files/odd.tgz",
            registry.url().replace("127.0.0.1", "localhost")
        );
        let project = project(&registry, "1.1.0").dependency("odd", &address);
        let run = wrapped(&world, &client, &project, &[program, "install"]);
        run.assert_success();
        assert!(run.says("odd (from localhost): "), "{}", run.text());
        assert_eq!(run.text().matches("odd (from").count(), 1, "{}", run.text());
    }
}

/// npm keeps packuments by their address, and nothing of them is ever cleared away.
#[test]
fn the_gateway_of_a_run_is_where_it_was_before() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let project = project(&registry, "^1.0.0");
    let forget = || {
        project.forget_modules();
        std::fs::remove_file(project.path().join("package-lock.json")).unwrap();
    };
    wrapped(&world, &npm, &project, &["npm", "install"]).assert_success();
    forget();
    // Without a lockfile npm needs the packument, and may not ask for it.
    let offline = wrapped(&world, &npm, &project, &["npm", "install", "--offline"]);
    offline.assert_success();
    assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.1.0"));
    forget();
    // Somebody else's packument is not taken for one of this registry.
    let other = river();
    project.write(".npmrc", format!("registry={}\n", other.url()));
    let run = wrapped(&world, &npm, &project, &["npm", "install", "--offline"]);
    assert!(run.assert_failure().says("ENOTCACHED"), "{}", run.text());
}
