//! Addresses with passwords and tokens in them, in lockfiles and manifests: no report shows them, and `weir check`
//! says that they are there.

use serde_json::json;

use crate::audit::{flaw, import};
use crate::check_base::{commit, git};
use crate::support::{World, river};

const SECRET: &str = "S3cretS3cretS3cretS3cret";

fn project(world: &World, secret: &str) {
    let git = format!("git+https://x-access-token:{secret}@git.example.invalid/o/priv.git");
    world.write(
        "work/package.json",
        json!({"name": "app", "version": "1.0.0", "dependencies": {"silt": "^1.0.0", "priv": git, "tar": "^1.0.0"}})
            .to_string(),
    );
    world.write(
        "work/package-lock.json",
        format!(
            "{{\"name\": \"app\", \"version\": \"1.0.0\", \"lockfileVersion\": 3, \"requires\": true, \"packages\": {{\n\
             \"\": {{\"name\": \"app\", \"version\": \"1.0.0\", \"dependencies\": {{\"silt\": \"^1.0.0\",\n\
             \"priv\": \"{git}\", \"tar\": \"^1.0.0\"}}}},\n\
             \"node_modules/silt\": {{\"version\": \"1.2.0\", \"resolved\": \"https://bob:{secret}@registry.example.invalid/silt/-/silt-1.2.0.tgz\"}},\n\
             \"node_modules/priv\": {{\"version\": \"1.0.0\", \"resolved\": \"git+https://{secret}@git.example.invalid/o/priv.git#{commit}\"}},\n\
             \"node_modules/tar\": {{\"version\": \"1.0.0\", \"resolved\": \"https://files.example.invalid/tar.tgz?token={secret}\"}},\n\
             \"node_modules/odd\": {{\"version\": \"1.0.0\", \"resolved\": \"s3://u:{secret}@files.example.invalid/odd.tgz?token={secret}\"}}\n\
             }}}}\n",
            commit = "0a".repeat(20),
        ),
    );
}

const REPORTS: [&[&str]; 10] = [
    &["check", "--offline"],
    &["check", "--offline", "--json"],
    &["check", "--offline", "--github"],
    &[
        "check",
        "--offline",
        "--sarif",
        "../out.sarif",
        "--junit",
        "../out.xml",
    ],
    &["audit", "--offline"],
    &["audit", "--offline", "--json", "--sarif", "../out.audit"],
    &["verify"],
    &["why", "--offline", "priv"],
    &["why", "--offline", "--json", "tar"],
    &["sbom"],
];

fn assert_hidden(world: &World, text: &str) {
    assert!(!text.contains(SECRET), "{text}");
    for file in ["out.sarif", "out.xml", "out.audit"] {
        let text = std::fs::read_to_string(world.path(file)).unwrap_or_default();
        assert!(!text.contains(SECRET), "{file}: {text}");
    }
}

#[test]
fn no_report_shows_what_lets_its_bearer_in() {
    let (world, registry) = (World::new(), river());
    import(
        &world,
        "osv",
        &[flaw("GHSA-1", "priv", json!([{"introduced": "0"}]))],
    );
    project(&world, SECRET);
    for arguments in REPORTS {
        let run = world.run_before(&registry, arguments);
        assert!(!run.stdout.is_empty(), "{arguments:?}: {}", run.text());
        assert_hidden(&world, &run.text());
    }
    git(&world, &["init", "--quiet"]);
    commit(&world);
    project(&world, &SECRET.replace('t', "t2"));
    for report in ["--json", "--github"] {
        let run = world.run_before(&registry, &["check", "--base", "HEAD", "--offline", report]);
        assert!(!run.text().contains("S3cret"), "{}", run.text());
    }
}

#[test]
fn a_credential_in_an_address_is_told() {
    let (world, registry) = (World::new(), river());
    project(&world, SECRET);
    let told = || {
        let run = world.run_before(&registry, &["check", "--offline", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let found = findings.filter(|it| it["rule"] == "credential-in-project");
        let mut lines: Vec<u64> = found.map(|it| it["line"].as_u64().unwrap()).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(told(), [3, 4, 5, 6]);
    // Near miss: a variable that is put in later.
    project(&world, "${TOKEN}");
    assert_eq!(told(), Vec::<u64>::new());
}
