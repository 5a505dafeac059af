//! `weir check` on the settings of clients: what each leaves open, by version, at its file and line.

use serde_json::Value;
use weir_testing::Registry;

use crate::support::{World, river};

const SETTINGS: [&str; 9] = [
    "no-release-age",
    "scripts-run",
    "remote-sources",
    "no-trust-policy",
    "weak-setting",
    "tls-off",
    "plain-registry",
    "credential-in-project",
    "unreadable-settings",
];

/// An empty lockfile of each client.
const LOCKS: [(&str, &str); 5] = [
    (
        "npm",
        r#"{"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app"}}}"#,
    ),
    ("pnpm", "lockfileVersion: '9.0'\nimporters:\n  .: {}\n"),
    ("yarn1", "# yarn lockfile v1\n"),
    (
        "yarn",
        "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n",
    ),
    (
        "bun",
        r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "app"}}, "packages": {}}"#,
    ),
];

fn lock_of(client: &str) -> &'static str {
    LOCKS.iter().find(|(name, _)| *name == client).unwrap().1
}

fn lockfile_of(client: &str) -> &'static str {
    match client {
        "npm" => "package-lock.json",
        "pnpm" => "pnpm-lock.yaml",
        "bun" => "bun.lock",
        _ => "yarn.lock",
    }
}

/// What is found about settings: `rule file:line`, and the exit code.
fn found(registry: &Registry, client: &str, files: &[(&str, &str)]) -> (Vec<String>, i32) {
    let world = World::new();
    world.write(&format!("work/{}", lockfile_of(client)), lock_of(client));
    if !files.iter().any(|(name, _)| *name == "package.json") {
        world.write("work/package.json", r#"{"name": "app"}"#);
    }
    for (name, text) in files {
        world.write(&format!("work/{name}"), text);
    }
    let run = world.run_before(registry, &["check", "--json", "--offline"]);
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    let findings = report["findings"].as_array().unwrap().iter();
    let settings = findings.filter(|it| SETTINGS.contains(&it["rule"].as_str().unwrap()));
    let told = settings.map(|it| {
        format!(
            "{} {}:{}",
            it["rule"].as_str().unwrap(),
            it["file"].as_str().unwrap(),
            it["line"]
        )
    });
    (told.collect(), run.code.unwrap())
}

/// A client, its files, and what is found.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

#[test]
fn what_is_left_open_depends_on_the_client_and_its_version() {
    let cases: [Case; 17] = [
        (
            "npm",
            &[],
            &[
                "no-release-age package.json:1",
                "scripts-run package.json:1",
                "remote-sources package.json:1",
            ],
        ),
        (
            "npm",
            &[(
                ".npmrc",
                "ignore-scripts=true\nmin-release-age=3\nallow-git=none\nallow-remote=root\n",
            )],
            &[],
        ),
        (
            "npm",
            &[(
                "package.json",
                r#"{"name": "app", "packageManager": "npm@12.0.2"}"#,
            )],
            &["no-release-age package.json:1"],
        ),
        (
            "npm",
            &[
                (
                    "package.json",
                    r#"{"name": "app", "packageManager": "npm@10.9.0"}"#,
                ),
                (
                    ".npmrc",
                    "ignore-scripts=true\nmin-release-age=3\nallow-git=none\nallow-remote=none\n",
                ),
            ],
            &["no-release-age .npmrc:2"],
        ),
        (
            "npm",
            &[(
                ".npmrc",
                "ignore-scripts=true\nmin-release-age=0\nallow-git=all\nallow-remote=none\n",
            )],
            &["weak-setting .npmrc:2", "weak-setting .npmrc:3"],
        ),
        (
            "pnpm",
            &[],
            &[
                "no-release-age package.json:1",
                "no-trust-policy package.json:1",
                "scripts-run package.json:1",
                "remote-sources package.json:1",
            ],
        ),
        (
            "pnpm",
            &[(
                "package.json",
                r#"{"name": "app", "packageManager": "pnpm@11.2.0"}"#,
            )],
            &["no-trust-policy package.json:1"],
        ),
        (
            "pnpm",
            &[
                (
                    "package.json",
                    r#"{"name": "app", "packageManager": "pnpm@12.1.0"}"#,
                ),
                (
                    "pnpm-workspace.yaml",
                    "trustPolicy: no-downgrade\nminimumReleaseAge: 0\nblockExoticSubdeps: false\ndangerouslyAllowAllBuilds: true\n",
                ),
            ],
            &[
                "weak-setting pnpm-workspace.yaml:2",
                "weak-setting pnpm-workspace.yaml:4",
                "weak-setting pnpm-workspace.yaml:3",
            ],
        ),
        (
            "pnpm",
            &[
                (
                    "package.json",
                    r#"{"name": "app", "devEngines": {"packageManager": {"name": "pnpm", "version": "^10.26.0"}}}"#,
                ),
                (".npmrc", "minimum-release-age=1440\n"),
                (
                    "pnpm-workspace.yaml",
                    "blockExoticSubdeps: true\ntrustPolicy: no-downgrade\n",
                ),
            ],
            &[],
        ),
        (
            "yarn1",
            &[],
            &[
                "no-release-age package.json:1",
                "scripts-run package.json:1",
            ],
        ),
        (
            "yarn1",
            &[(".yarnrc", "# scripts\n--install.ignore-scripts true\n")],
            &["no-release-age package.json:1"],
        ),
        (
            "yarn",
            &[(".yarnrc.yml", "yarnPath: .yarn/releases/yarn-4.12.0.cjs\n")],
            &[
                "no-release-age .yarnrc.yml:1",
                "scripts-run .yarnrc.yml:1",
                "remote-sources .yarnrc.yml:1",
            ],
        ),
        (
            "yarn",
            &[(".yarnrc.yml", "yarnPath: .yarn/releases/yarn-4.16.0.cjs\n")],
            &[],
        ),
        (
            "yarn",
            &[(
                ".yarnrc.yml",
                "npmMinimalAgeGate: 0\nenableScripts: true\napprovedGitRepositories:\n  - \"**\"\nchecksumBehavior: ignore\n",
            )],
            &[
                "weak-setting .yarnrc.yml:1",
                "weak-setting .yarnrc.yml:2",
                "weak-setting .yarnrc.yml:4",
                "weak-setting .yarnrc.yml:5",
            ],
        ),
        (
            "bun",
            &[],
            &[
                "no-release-age package.json:1",
                "scripts-run package.json:1",
            ],
        ),
        (
            "bun",
            &[
                (
                    "package.json",
                    r#"{"name": "app", "trustedDependencies": []}"#,
                ),
                ("bunfig.toml", "[install]\nminimumReleaseAge = 259200\n"),
            ],
            &[],
        ),
        (
            "bun",
            &[
                (
                    "package.json",
                    r#"{"name": "app", "trustedDependencies": ["esbuild"]}"#,
                ),
                ("bunfig.toml", "[install\n"),
            ],
            &[
                "unreadable-settings bunfig.toml:1",
                "no-release-age bunfig.toml:1",
            ],
        ),
    ];
    let registry = river();
    for (client, files, wanted) in cases {
        assert_eq!(
            found(&registry, client, files),
            (wanted.iter().map(|it| (*it).to_owned()).collect(), 0),
            "{client} {files:?}"
        );
    }
}

/// Each finding about a default names a line, and is gone where that line is written. It stands at a file that is there.
#[test]
fn what_is_to_be_written_is_said_and_settles_it() {
    let npmrc = "min-release-age=1\nallow-git=root\nallow-remote=root\nignore-scripts=true\n";
    let pnpm = "minimumReleaseAge: 1440\nblockExoticSubdeps: true\ntrustPolicy: no-downgrade\n";
    let berry = "npmMinimalAgeGate: 1440\napprovedGitRepositories: []\nenableScripts: false\n";
    let bunfig = "[install]\nminimumReleaseAge = 86400\n";
    let cases: [(&str, &str, &str, &str, &[&str]); 5] = [
        ("npm", ".npmrc", npmrc, "{}", &[]),
        (
            "pnpm",
            "pnpm-workspace.yaml",
            pnpm,
            r#"{"pnpm": {"onlyBuiltDependencies": []}}"#,
            &[],
        ),
        (
            "yarn1",
            ".yarnrc",
            "ignore-scripts true\n",
            "{}",
            &["no-release-age"],
        ),
        ("yarn", ".yarnrc.yml", berry, "{}", &[]),
        (
            "bun",
            "bunfig.toml",
            bunfig,
            r#"{"trustedDependencies": []}"#,
            &[],
        ),
    ];
    let registry = river();
    let told = |client: &str, files: &[(&str, &str)]| -> Vec<Value> {
        let world = World::new();
        world.write(&format!("work/{}", lockfile_of(client)), lock_of(client));
        for (name, text) in files {
            world.write(&format!("work/{name}"), text);
        }
        let run = world.run_before(&registry, &["check", "--json", "--offline"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let notes = findings.filter(|it| SETTINGS.contains(&it["rule"].as_str().unwrap()));
        notes.cloned().collect()
    };
    for (client, file, text, manifest, left) in cases {
        let before = told(client, &[("package.json", "{}")]);
        assert!(before.len() > left.len(), "{client}");
        for finding in &before {
            assert_eq!(finding["file"], "package.json", "{client}");
            let todo = finding["todo"].as_str().unwrap();
            assert!(todo.contains('`'), "{client}: {todo}");
            let lines = text.lines().chain([manifest]);
            let is_the_line = |line: &str| {
                let written = format!("`{line}`");
                todo.contains(&written) || todo.contains(line.trim_matches(['{', '}']))
            };
            let is_said = lines.into_iter().any(is_the_line);
            let is_without = left.contains(&finding["rule"].as_str().unwrap());
            assert!(is_said || is_without, "{client}: {todo}");
        }
        let after = told(client, &[(file, text), ("package.json", manifest)]);
        let after: Vec<&str> = after
            .iter()
            .map(|it| it["rule"].as_str().unwrap())
            .collect();
        assert_eq!(after, left, "{client}");
    }
}

/// Certificates that are not checked and registries without encryption must be put right.
#[test]
fn transport_that_anybody_can_answer_is_an_error() {
    let cases: [Case; 6] = [
        (
            "npm",
            &[(".npmrc", "strict-ssl=false\n")],
            &["tls-off .npmrc:1"],
        ),
        (
            "npm",
            &[(
                ".npmrc",
                "min-release-age=1\nregistry=http://registry.example.invalid/\n@s:registry=http://registry.example.invalid/s/\n",
            )],
            &["plain-registry .npmrc:2", "plain-registry .npmrc:3"],
        ),
        (
            "yarn1",
            &[(
                ".yarnrc",
                "strict-ssl false\nregistry \"http://registry.example.invalid/\"\n",
            )],
            &["tls-off .yarnrc:1", "plain-registry .yarnrc:2"],
        ),
        (
            "yarn",
            &[(
                ".yarnrc.yml",
                "enableStrictSsl: false\nnpmScopes:\n  s:\n    npmRegistryServer: \"http://registry.example.invalid/\"\n",
            )],
            &["tls-off .yarnrc.yml:1", "plain-registry .yarnrc.yml:4"],
        ),
        (
            "bun",
            &[(
                "bunfig.toml",
                "[install]\nregistry = \"http://registry.example.invalid/\"\n",
            )],
            &["plain-registry bunfig.toml:2"],
        ),
        (
            "npm",
            &[(
                "package.json",
                "{\"name\": \"app\",\n\"publishConfig\": {\"registry\": \"http://registry.example.invalid/\"}}",
            )],
            &["plain-registry package.json:2"],
        ),
    ];
    let registry = river();
    for (client, files, wanted) in cases {
        let (told, code) = found(&registry, client, files);
        let errors = told
            .iter()
            .filter(|it| it.starts_with("tls-off") || it.starts_with("plain-registry"));
        assert_eq!(
            errors.cloned().collect::<Vec<_>>(),
            wanted,
            "{client} {files:?}"
        );
        assert_eq!(code, 5, "{client} {files:?}");
    }
}

/// What cannot be read is told, and the rest is checked: as an error where the file says where packages come
/// from, because neither addresses nor digests can be checked then.
#[cfg(unix)]
#[test]
fn an_npmrc_that_cannot_be_read_is_a_finding() {
    let registry = river();
    let path_of = |world: &World| world.path("work/.npmrc");
    let pipe = |world: &World| {
        let made = std::process::Command::new("mkfifo")
            .arg(path_of(world))
            .status();
        assert!(made.unwrap().success());
    };
    let folder = |world: &World| std::fs::create_dir(path_of(world)).unwrap();
    let large = |world: &World| {
        world.write("work/.npmrc", "#\n".repeat(1 << 20));
    };
    let other_text = |world: &World| {
        world.write("work/.npmrc", b"# one\ncolor=\xff\xfe\n");
    };
    type Case<'c> = (&'c dyn Fn(&World), &'c str, i32);
    let cases: [Case<'_>; 4] = [
        (&pipe, ".npmrc:1: error: ", 5),
        (&large, ".npmrc:1: error: larger than ", 5),
        // npm goes on without it, and so does weir.
        (
            &folder,
            ".npmrc:1: warning: a folder, not an ordinary file",
            0,
        ),
        (&other_text, ".npmrc:2: warning: not UTF-8", 0),
    ];
    for (make, told, code) in cases {
        let world = World::new();
        world.write("work/package.json", r#"{"name": "app"}"#);
        world.write("work/package-lock.json", LOCKS[0].1);
        make(&world);
        let run = world.run_before(&registry, &["check", "--offline"]);
        assert_eq!(run.code, Some(code), "{told}: {}", run.text());
        assert!(run.says(told), "{told}: {}", run.text());
        let times = run.stdout.matches("[unreadable-settings]").count();
        assert_eq!(times, 1, "{told}: {}", run.text());
        assert!(run.says("[no-release-age]"), "{told}: {}", run.text());
        // Which registry would have to be asked is not known: that is told with all else.
        if code == 5 {
            let run = world.run_before(&registry, &["check", "--online"]);
            assert_eq!(run.code, Some(5), "{told}: {}", run.text());
            assert!(run.says(told), "{told}: {}", run.text());
            assert!(run.says("[no-release-age]"), "{told}: {}", run.text());
            let run = world.run_before(&registry, &["verify"]);
            assert_eq!(run.code, Some(1), "{told}: {}", run.text());
        }
    }
}

#[test]
fn a_credential_is_pointed_at_and_never_shown() {
    let (world, registry) = (World::new(), river());
    world.write("work/package.json", r#"{"name": "app"}"#);
    world.write("work/package-lock.json", LOCKS[0].1);
    world.write(
        "work/.npmrc",
        "//registry.example.invalid/:_authToken=${NPM_TOKEN}\n//registry.example.invalid/:_authToken=npm_secret\n",
    );
    let run = world.run_before(&registry, &["check", "--offline"]);
    assert!(run.says(".npmrc:2: warning: "), "{}", run.text());
    assert!(!run.says(".npmrc:1: warning: "), "{}", run.text());
    assert!(!run.says("npm_secret"), "{}", run.text());
}
