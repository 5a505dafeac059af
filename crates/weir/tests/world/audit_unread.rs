//! `weir audit`: what there is nothing to audit in, and what cannot be read.

use serde_json::{Value, json};
use weir_testing::Project;

use crate::audit::{audit, import, pond, project, reed_flaw};
use crate::support::{World, output};

/// A lockfile that locks nothing of what the project asks for was not audited.
#[test]
fn a_lockfile_that_holds_nothing_is_no_pass() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let asks = json!({"name": "p", "dependencies": {"reed": "1.0.0"}});
    let dev = json!({"name": "p", "devDependencies": {"reed": "1.0.0"}});
    let nothing = json!({"name": "p"});
    let local = json!({"name": "p", "dependencies": {"inner": "file:./inner"}});
    let npm = |packages: Value| json!({"lockfileVersion": 3, "packages": packages}).to_string();
    let old = json!({"lockfileVersion": 1, "dependencies": {}}).to_string();
    let pnpm = "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n";
    let bun = json!({"lockfileVersion": 1, "workspaces": {"": {"name": "p"}}, "packages": {}});
    for (file, text, manifest, options, code) in [
        ("package-lock.json", npm(json!({})), &asks, &[][..], 5),
        ("package-lock.json", npm(json!({"": asks})), &asks, &[], 5),
        ("package-lock.json", old, &asks, &[], 5),
        (
            "yarn.lock",
            "# yarn lockfile v1\n".to_owned(),
            &asks,
            &[],
            5,
        ),
        ("pnpm-lock.yaml", pnpm.to_owned(), &asks, &[], 5),
        ("bun.lock", bun.to_string(), &asks, &[], 5),
        ("package-lock.json", npm(json!({})), &dev, &[], 5),
        (
            "package-lock.json",
            npm(json!({})),
            &dev,
            &["--omit", "dev"],
            0,
        ),
        (
            "package-lock.json",
            npm(json!({"": nothing})),
            &nothing,
            &[],
            0,
        ),
        ("package-lock.json", npm(json!({"": local})), &local, &[], 0),
    ] {
        let project = Project::new().package_json(manifest).file(file, &text);
        let (report, run) = audit(&world, &registry, &project, options);
        assert_eq!(run.code, Some(code), "{text} {manifest}: {}", run.text());
        let unchecked = report["unchecked"].as_array().unwrap();
        assert_eq!(unchecked.len(), usize::from(code != 0), "{}", run.text());
        for finding in unchecked {
            assert_eq!(finding["rule"], "nothing-locked");
            let what = finding["what"].as_str().unwrap();
            assert!(
                what.contains("could not audit: the lockfile lists nothing"),
                "{what}"
            );
        }
    }
}

/// A lockfile or a manifest without end: each command says what it is, and ends.
#[cfg(unix)]
#[test]
fn a_device_is_no_file_of_a_project() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "1.0.0"}});
    let packages = [("node_modules/reed", "1.0.0", json!({}))];
    for (file, commands) in [
        (
            "package-lock.json",
            &["audit", "check", "sbom", "verify"][..],
        ),
        ("package.json", &["audit", "check", "sbom", "verify"]),
    ] {
        let project = project(&manifest, &packages);
        std::fs::remove_file(project.path().join(file)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", project.path().join(file)).unwrap();
        for command in commands {
            let run = output(
                world
                    .weir_before(&registry)
                    .arg(command)
                    .current_dir(project.path()),
            );
            run.assert_failure();
            assert!(
                run.says(file) && run.says("not an ordinary file"),
                "{command} {file}: {}",
                run.text()
            );
        }
    }
}

/// Neither are settings, trusted roots or things to be inspected.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_file_to_read() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let manifest = json!({"name": "p", "dependencies": {"reed": "1.0.0"}});
    let packages = [("node_modules/reed", "1.0.0", json!({}))];
    let project = project(&manifest, &packages);
    let pipe = |name: &str| {
        let path = project.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        path
    };
    pipe("reed.tgz");
    std::os::unix::fs::symlink("/dev/zero", project.path().join("zero.tgz")).unwrap();
    let root = pipe("root.json");
    for arguments in [
        &["inspect", "./reed.tgz"][..],
        &["inspect", "zero.tgz"],
        &["--trusted-root", root.to_str().unwrap(), "verify"],
    ] {
        let run = output(
            world
                .weir_before(&registry)
                .args(arguments)
                .current_dir(project.path()),
        );
        run.assert_failure();
        assert!(
            run.says("not an ordinary file"),
            "{arguments:?}: {}",
            run.text()
        );
    }
    pipe(".npmrc");
    for command in ["check", "audit", "why"] {
        let mut weir = world.weir_before(&registry);
        weir.arg(command).current_dir(project.path());
        let run = output(weir.args((command == "why").then_some("reed")));
        // A check says so, an audit has the advisories; `why` needs the registry that the file names.
        let code = if command == "why" { 1 } else { 5 };
        assert_eq!(run.code, Some(code), "{command}: {}", run.text());
        assert!(
            run.says(".npmrc") && run.says("not an ordinary file"),
            "{command}: {}",
            run.text()
        );
    }
}
