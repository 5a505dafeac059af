//! What comes into a project without weir being asked: told after the run, by what the client wrote down.

use std::process::Command;

use weir_testing::clients::{self, Client, Kind};
use weir_testing::{Package, Project, Registry, Release};

use crate::support::{World, block_id, output, river};

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

/// A release that was let pass, in the cache of a client that asks nobody for it.
struct Warm {
    world: World,
    registry: Registry,
    project: Project,
    client: Client,
    words: &'static [&'static str],
}

impl Warm {
    /// Nothing where the client is not here.
    fn installed(kind: Kind, words: &'static [&'static str], policy: &str) -> Option<Self> {
        let client = clients::or_skip(kind)?;
        let (world, registry) = (World::new(), river());
        let project = project(&registry, "1.1.0").file("weir.toml", policy);
        let project = project.file(
            ".npmrc",
            format!("registry={}\naudit=false\n", registry.url()),
        );
        let warm = Self {
            world,
            registry,
            project,
            client,
            words,
        };
        let install = [words[0], "install"];
        let first = wrapped(&warm.world, &warm.client, &warm.project, &install);
        first.assert_success();
        assert!(
            first.stderr.contains("weir: 1 release seen"),
            "{}",
            first.stderr
        );
        Some(warm)
    }

    /// Installs once more out of the cache.
    fn again(&self) -> clients::Output {
        self.project.forget_modules();
        wrapped(&self.world, &self.client, &self.project, self.words)
    }

    fn advisory(&self, id: &str, name: &str, version: &str) {
        let record = format!(
            r#"{{"schema_version": "1.7.4", "id": "{id}", "published": "2026-11-19T08:00:00Z",
                "modified": "2026-11-19T09:00:00Z", "summary": "an inert record", "affected": [
                {{"package": {{"ecosystem": "npm", "name": "{name}"}}, "versions": ["{version}"]}}]}}"#
        );
        self.world.write(&format!("work/osv/{id}.json"), record);
        let run = self.world.run(&["advisories", "import", "osv"]);
        run.assert_success();
    }

    /// That the cache was asked and nobody else, and that nothing is said of what it gave.
    fn is_quiet(&self) {
        let run = self.again();
        run.assert_success();
        assert!(
            run.stderr.contains("weir: 0 releases seen"),
            "{}",
            run.stderr
        );
        for word in ["NOT CHECKED", "INSTALLED"] {
            assert!(!run.says(word), "{}", run.stderr);
        }
    }

    /// That it is told to be refused, with an id that leads somewhere.
    fn is_refused(&self, how: &str, code: i32) {
        let run = self.again();
        assert!(
            run.stderr.contains("weir: 0 releases seen"),
            "{}",
            run.stderr
        );
        let program = self.words[0];
        let told = format!(
            "INSTALLED, AND {how}: gauge-reader@1.1.0, which {program} had already; weir explain w-"
        );
        assert!(run.says(&told), "{}", run.text());
        assert_eq!(run.code, Some(code), "{}", run.text());
        let id = block_id(&run.stderr).unwrap();
        let explained = self.world.run(&["explain", &id]);
        let explained = explained.assert_success();
        assert!(explained.says("gauge-reader@1.1.0"), "{}", explained.text());
    }
}

/// An advisory comes after the install as a rule: that is when a warm cache must not be silent.
fn an_advisory_counts_for_what_a_cache_has(kind: Kind, words: &'static [&'static str]) {
    let Some(warm) = Warm::installed(kind, words, "") else {
        return;
    };
    warm.is_quiet();
    // Near misses: another package, and another version.
    warm.advisory("MAL-2026-8", "gauge-writer", "1.1.0");
    warm.advisory("MAL-2026-9", "gauge-reader", "1.0.0");
    warm.is_quiet();
    warm.advisory("MAL-2026-1", "gauge-reader", "1.1.0");
    warm.is_refused("blocked", 4);
    // Not once only.
    warm.is_refused("blocked", 4);
}

#[test]
fn an_advisory_counts_for_what_npm_had_already() {
    an_advisory_counts_for_what_a_cache_has(Kind::Npm, &["npm", "ci"]);
}

#[test]
fn an_advisory_counts_for_what_pnpm_had_already() {
    an_advisory_counts_for_what_a_cache_has(Kind::Pnpm10, &["pnpm", "install"]);
}

#[test]
fn an_advisory_counts_for_what_yarn_1_had_already() {
    an_advisory_counts_for_what_a_cache_has(Kind::Yarn1, &["yarn", "install"]);
}

/// What let a release pass once may be gone: a waiver, a milder policy, a list that did not know its content.
#[test]
fn what_a_cache_has_is_decided_on_by_the_policy_and_the_lists_of_now() {
    let npm = &["npm", "ci"];
    let Some(warm) = Warm::installed(Kind::Npm, npm, "[age]\nminimum = \"1h\"\n") else {
        return;
    };
    let policy = |text: &str| warm.project.write("weir.toml", text);
    // Another policy that lets it pass as well.
    policy("[age]\nminimum = \"2h\"\n");
    warm.is_quiet();
    policy("[names]\ninternal = [\"gauge-reader\"]\n");
    warm.is_refused("blocked", 4);
    policy("");
    warm.is_quiet();
    // Observing refuses nothing, and says what it would.
    policy("[names]\ninternal = [\"gauge-reader\"]\n[gate]\nmode = \"observe\"\n");
    let observed = warm.again();
    observed.assert_success();
    let told = "weir: would be blocked: gauge-reader@1.1.0, which npm had already";
    assert!(observed.says(told), "{}", observed.text());
    // A rule of one's own, written after the install: kept bytes are read once more.
    let rule = |text: &str| {
        let rule = format!(
            "rule odd {{ meta: severity = \"critical\" strings: $a = \"{text}\" condition: $a }}"
        );
        warm.project.write("yara/own.yar", rule);
    };
    policy("[rules]\nfolder = \"yara\"\n[decide]\nhold_groups = 1\n");
    rule("nowhere-in-it");
    warm.is_quiet();
    rule("gauge-reader");
    warm.is_refused("held", 3);
}

/// What is installed from a cache that weir never saw is matched against the advisories at least.
#[test]
fn malware_that_weir_never_looked_at_is_told_as_such() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let project = project(&registry, "1.1.0");
    npm.install(&project).assert_success();
    project.forget_modules();
    let warm = Warm {
        world,
        registry,
        project,
        client: npm,
        words: &["npm", "ci"],
    };
    warm.advisory("MAL-2026-1", "gauge-reader", "1.1.0");
    warm.is_refused("blocked", 4);
}

/// What is known to have been looked at, and of which nothing is kept to decide by.
#[test]
fn what_cannot_be_decided_anew_is_told_as_not_checked() {
    let Some(warm) = Warm::installed(Kind::Npm, &["npm", "ci"], "") else {
        return;
    };
    // Verification is expected, and the trusted root that it was done with is another now.
    warm.project.write(
        "weir.toml",
        "[[expect]]\npackage = \"gauge-*\"\nevidence = \"signature\"\non_breach = \"block\"\n",
    );
    warm.registry.clear_requests();
    let mut command = warm.world.wrapper(&warm.client, &warm.project);
    command.env_remove("WEIR_TRUSTED_ROOT");
    warm.project.forget_modules();
    let run = output(command.args(warm.words));
    let told = "NOT CHECKED: 1 release that npm had already, and that weir looked at under another policy, other \
                advisories or another version of itself: gauge-reader@1.1.0.";
    assert!(run.says(told), "{}", run.text());
    assert!(
        !warm
            .registry
            .requests()
            .iter()
            .any(|it| it.path.contains("attestations")),
        "nobody is asked"
    );
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
