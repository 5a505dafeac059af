//! `weir check` for machines: JUnit, annotations and the summary of GitHub Actions.

use crate::support::{World, river};

/// A project with errors, warnings and notes, and with text that tries to be more than text.
fn project(world: &World) {
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"gauge-reader": "^1.0.0"}}"#,
    );
    world.write(
        "work/package-lock.json",
        "{\"name\": \"app\", \"lockfileVersion\": 3, \"packages\": {\n\
         \"\": {\"name\": \"app\", \"dependencies\": {\"gauge-reader\": \"^1.0.0\"}},\n\
         \"node_modules/gauge-reader\": {\"version\": \"1.0.0\", \"resolved\": \"https://evil.example/gauge-reader/-/gauge-reader-1.0.0.tgz\", \"integrity\": \"sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\"},\n\
         \"node_modules/b\": {\"version\": \"1.0.0\", \"resolved\": \"weird:<img>%0A::error::x|y\"}\n}}\n",
    );
}

#[test]
fn junit_has_a_test_for_each_finding() {
    let (world, registry) = (World::new(), river());
    project(&world);
    let run = world.run_before(&registry, &["check", "--junit", "out.xml"]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    let text = std::fs::read_to_string(world.path("work/out.xml")).unwrap();
    let failures = text.matches("<failure ").count();
    assert!(failures > 0, "{text}");
    assert!(
        text.contains(&format!("failures=\"{failures}\">\n  <testsuite ")),
        "{text}"
    );
    assert!(text.contains("type=\"foreign-registry\""), "{text}");
    assert!(
        text.contains("file=\"package-lock.json\" line=\"3\""),
        "{text}"
    );
    assert!(
        text.contains("&lt;img&gt;") && !text.contains("<img>"),
        "{text}"
    );
}

#[test]
fn annotations_and_a_summary_for_github() {
    let (world, registry) = (World::new(), river());
    project(&world);
    let summary = world.path("summary.md");
    std::fs::write(&summary, "before\n").unwrap();
    let run = world
        .weir_before(&registry)
        .args(["check", "--github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(5));
    let out = String::from_utf8(run.stdout).unwrap();
    let commands: Vec<&str> = out.lines().filter(|line| line.starts_with("::")).collect();
    assert!(
        commands[0].starts_with("::error file=package-lock.json,line=3,title=foreign-registry::"),
        "{out}"
    );
    assert!(
        commands
            .iter()
            .any(|line| line
                .starts_with("::error file=package-lock.json,line=4,title=unknown-source::")),
        "{out}"
    );
    // What the lockfile says cannot be a command, and a percent sign stays one.
    assert!(
        !out.lines().any(|line| line.starts_with("::error::x")),
        "{out}"
    );
    assert!(out.contains("%250A::error::x"), "{out}");
    let markdown = std::fs::read_to_string(&summary).unwrap();
    assert!(
        markdown.starts_with("before\n### weir check\n"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| error | package-lock.json:3 | gauge-reader&#64;1.0.0 |"),
        "{markdown}"
    );
    assert!(
        !markdown.contains("<img>") && !markdown.contains("https://evil"),
        "{markdown}"
    );
    // Nowhere else without the variable, and an unwritable one is an error.
    let run = world
        .weir_before(&registry)
        .args(["check", "--github"])
        .env("GITHUB_STEP_SUMMARY", world.path("no/such/folder.md"))
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&run.stderr).contains("GITHUB_STEP_SUMMARY"));
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let (world, registry) = (World::new(), river());
    project(&world);
    for arguments in [["--online", "--offline"], ["--json", "--github"]] {
        let run = world.run_before(&registry, &[&["check"], arguments.as_slice()].concat());
        assert_eq!(run.code, Some(2), "{}", run.text());
    }
}
