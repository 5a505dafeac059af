//! The clients' own audits through weir: with and without an audit upstream, with and without advisories here.

use std::path::Path;

use serde_json::{Value, json};
use weir_testing::clients::{self, Client, Kind, Output};
use weir_testing::{Advisory, Fault, Flavour, Project, Registry};

use crate::audit::{flaw, import, pond, reed_flaw};
use crate::support::http::{Reply, request};
use crate::support::{Gateway, World, output};

const BULK: &str = "/-/npm/v1/security/advisories/bulk";
const QUICK: &str = "/-/npm/v1/security/audits/quick";

/// The arguments of a client's audit, as JSON.
fn arguments(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Yarn4 => &["npm", "audit", "--all", "--recursive", "--json"],
        Kind::Npm | Kind::Pnpm10 | Kind::Pnpm12 | Kind::Yarn1 | Kind::Bun => &["audit", "--json"],
    }
}

/// yarn 1 asks a host that is written into it, whatever is configured: a copy of it asks the gateway.
fn yarn_1_of(world: &World, project: &Project, url: &str, client: &Client) -> Output {
    let yarn = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/clients/yarn-1.22.22/node_modules/yarn");
    let program = std::fs::read_to_string(yarn.join("lib/cli.js")).unwrap();
    let at = program
        .find("YARN_REGISTRY = exports.YARN_REGISTRY = '")
        .unwrap();
    let start = at + program[at..].find('\'').unwrap() + 1;
    let end = start + program[start..].find('\'').unwrap();
    let patched = format!(
        "{}{}{}",
        &program[..start],
        url.trim_end_matches('/'),
        &program[end..]
    );
    world.write("yarn/lib/cli.js", patched);
    for file in ["bin/yarn.js", "package.json"] {
        world.write(
            &format!("yarn/{file}"),
            std::fs::read(yarn.join(file)).unwrap(),
        );
    }
    let mut command = std::process::Command::new("node");
    command
        .arg(world.path("yarn/bin/yarn.js"))
        .args(arguments(Kind::Yarn1))
        .current_dir(project.path())
        .env_clear()
        .envs(client.environment(project));
    output(&mut command)
}

fn audited(world: &World, project: &Project, gateway: &Gateway, client: &Client) -> Output {
    match client.kind() {
        Kind::Yarn1 => yarn_1_of(world, project, gateway.url(), client),
        kind => client.run(project, arguments(kind)),
    }
}

/// A project that locks the flawed reed, installed through the gateway.
fn installed(gateway: &Gateway, client: &Client) -> Project {
    let project = Project::new().registry(gateway.url()).package_json(&json!({
        "name": "p", "version": "1.0.0",
        "dependencies": {"stalk": "1.0.0", "mud": "1.0.0"},
    }));
    client.install(&project).assert_success();
    project
}

/// From the advisories here alone: the upstream has no audit.
fn from_the_store(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    registry.set_flavour(Flavour::BareMirror);
    import(&world, "osv", &[reed_flaw()]);
    let gateway = world.serve(&registry);
    let project = installed(&gateway, &client);
    let run = audited(&world, &project, &gateway, &client);
    run.assert_failure();
    assert!(run.says("reed leaks"), "{kind}: {}", run.text());
    assert!(run.says("GHSA-reed-0000-0001"), "{kind}: {}", run.text());
}

/// What only the upstream tells of is told, beside what only weir knows.
fn of_both(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    registry.advise(
        Advisory::new("mud", "<2.0.0", ["1.0.0"])
            .title("mud sticks")
            .severity("high"),
    );
    import(&world, "osv", &[reed_flaw()]);
    let gateway = world.serve(&registry);
    let project = installed(&gateway, &client);
    let run = audited(&world, &project, &gateway, &client);
    run.assert_failure();
    assert!(run.says("reed leaks"), "{kind}: {}", run.text());
    assert!(run.says("mud sticks"), "{kind}: {}", run.text());
}

/// Nobody knows: the client is not told that all is well.
fn of_nobody(kind: Kind) {
    let Some(client) = clients::or_skip(kind) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    registry.set_flavour(Flavour::BareMirror);
    let gateway = world.serve(&registry);
    let project = installed(&gateway, &client);
    let run = audited(&world, &project, &gateway, &client);
    run.assert_failure();
    assert!(!run.says("reed leaks"), "{kind}: {}", run.text());
}

/// The tests of one client.
macro_rules! client {
    ($name:ident, $kind:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn is_answered_from_the_advisories_here() {
                from_the_store($kind);
            }

            #[test]
            fn is_told_what_either_side_tells() {
                of_both($kind);
            }

            #[test]
            fn is_not_told_that_all_is_well_when_nobody_knows() {
                of_nobody($kind);
            }
        }
    };
}

client!(npm, Kind::Npm);
client!(pnpm_10, Kind::Pnpm10);
client!(pnpm_12, Kind::Pnpm12);
client!(yarn_1, Kind::Yarn1);
client!(yarn_4, Kind::Yarn4);
client!(bun, Kind::Bun);

fn post(gateway: &Gateway, path: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    request(
        gateway.url(),
        "POST",
        path,
        &headers,
        body.to_string().as_bytes(),
    )
}

fn reed() -> Value {
    json!({"reed": ["1.0.0"], "mud": ["1.0.0"]})
}

#[test]
fn an_upstream_that_fails_is_named_and_does_not_silence_what_is_known_here() {
    let (world, registry) = (World::new(), pond());
    registry.fault(Fault::on("/-/npm/v1/security/*").status(500));
    import(&world, "osv", &[reed_flaw()]);
    let mut gateway = world.serve(&registry);
    let reply = post(&gateway, BULK, &reed());
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["reed"][0]["vulnerable_versions"], "<1.2.0");
    let sources = reply.header("x-weir-audit").unwrap().to_owned();
    assert!(
        sources.starts_with("advisories=yes; ") && sources.contains("=failed (it answered 500)"),
        "{sources}"
    );
    gateway.stop();

    let empty = World::new();
    let gateway = empty.serve(&registry);
    for path in [BULK, QUICK] {
        let body = match path {
            BULK => reed(),
            _ => json!({"dependencies": {"reed": {"version": "1.0.0"}}}),
        };
        let reply = post(&gateway, path, &body);
        assert_eq!(reply.status, 502, "{path}: {}", reply.text());
        assert!(
            reply.json()["error"]
                .as_str()
                .unwrap()
                .contains("it answered 500")
        );
    }
}

/// What a registry tells and nobody can read is not the same as nothing: each version that was asked about is
/// told of, or the registry counts as not heard.
#[test]
fn what_an_upstream_tells_and_nobody_can_read_is_not_dropped() {
    let (world, registry) = (World::new(), pond());
    let gateway = world.serve(&registry);
    let tree = json!({"dependencies": {"reed": {"version": "1.0.0"}}});
    for (answer, understood) in [
        (r#"{"reed": [{"id": 7, "title": "reed leaks"}]}"#, true),
        (
            r#"{"reed": [{"id": 7, "vulnerable_versions": null}]}"#,
            true,
        ),
        (
            r#"{"reed": [{"id": 7, "vulnerable_versions": "garbage!!"}]}"#,
            true,
        ),
        (
            r#"{"reed": [{"id": 7, "vulnerable_versions": "latest"}]}"#,
            true,
        ),
        (r#"{"reed": [{}]}"#, false),
        (r#"{"reed": [5]}"#, false),
        (
            r#"{"reed": [{"id": 7, "vulnerable_versions": "*"}], "reed": []}"#,
            false,
        ),
        (
            r#"{"reed": [{"id": 7, "vulnerable_versions": "*", "vulnerable_versions": "<0.0.0"}]}"#,
            false,
        ),
    ] {
        registry.fault(Fault::on(BULK).status(200).body(answer.as_bytes().to_vec()));
        for (path, body) in [(BULK, &reed()), (QUICK, &tree)] {
            let reply = post(&gateway, path, body);
            let sources = reply.header("x-weir-audit").unwrap();
            assert_eq!(
                sources.contains("=failed ("),
                !understood,
                "{answer}: {sources}"
            );
            if !understood {
                assert_eq!(reply.status, 502, "{answer}: {}", reply.text());
                continue;
            }
            assert_eq!(reply.status, 200, "{answer}: {}", reply.text());
            let told = match path {
                BULK => reply.json()["reed"][0].clone(),
                _ => reply.json()["advisories"]["7"].clone(),
            };
            assert_eq!(told["vulnerable_versions"], "*", "{answer}: {told}");
            let title = told["title"].as_str().unwrap();
            assert!(title.contains("cannot be read"), "{answer}: {told}");
        }
    }
}

#[test]
fn one_flaw_of_both_sides_is_one_advisory() {
    let (world, registry) = (World::new(), pond());
    // The registry's advisory has the same id, in its address.
    registry
        .advise(Advisory::new("reed", "<1.1.0", ["1.0.0"]).title("reed leaks, says the registry"));
    let id = "GHSA-1000";
    let record = flaw(id, "reed", json!([{"introduced": "0"}, {"fixed": "1.2.0"}]));
    import(&world, "osv", &[record]);
    let gateway = world.serve(&registry);
    let reply = post(&gateway, BULK, &reed());
    let answer = reply.json();
    let list = answer["reed"].as_array().unwrap();
    assert_eq!(list.len(), 1, "{answer}");
    assert_eq!(list[0]["id"], 1000);
    assert_eq!(list[0]["vulnerable_versions"], "<1.2.0 || <1.1.0");
    assert_eq!(list[0]["title"], "reed leaks");
    assert!(answer.get("mud").is_none(), "{answer}");
    assert!(reply.header("x-weir-audit").unwrap().ends_with("=answered"));
}

#[test]
fn private_names_stay_here() {
    let (world, registry) = (World::new(), pond());
    let private = Registry::start();
    world.policy("[names]\nown = [\"@secret/*\"]\ninternal = [\"inner-*@<5\"]\n");
    world.write(
        "work/.npmrc",
        format!(
            "registry={}\n@pond:registry={}\n",
            registry.url(),
            private.url()
        ),
    );
    import(
        &world,
        "osv",
        &[flaw(
            "GHSA-own0-0000-0001",
            "@secret/plan",
            json!([{"introduced": "0"}]),
        )],
    );
    let gateway = Gateway::start(world.weir().args(["serve", "--listen", "127.0.0.1:0"]));
    let asked = json!({
        "@secret/plan": ["1.0.0"], "inner-tool": ["1.0.0"], "@pond/shore": ["1.0.0"], "mud": ["1.0.0"],
    });
    let tree = json!({"requires": {}, "dependencies": {
        "@secret/plan": {"version": "1.0.0"}, "mud": {"version": "1.0.0", "requires": {"@secret/plan": "*"}},
        "@pond/shore": {"version": "1.0.0", "dependencies": {"inner-tool": {"version": "1.0.0"}}},
    }});
    for (path, body) in [(BULK, &asked), (QUICK, &tree)] {
        let reply = post(&gateway, path, body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply.text().contains("GHSA-own0-0000-0001"),
            "{}",
            reply.text()
        );
        assert!(reply.header("x-weir-audit").unwrap().contains("withheld=2"));
    }
    let sent = |registry: &Registry| {
        let requests = registry.requests();
        let posts = requests.iter().filter(|it| it.method.as_str() == "POST");
        posts
            .map(|it| String::from_utf8_lossy(&it.body).into_owned())
            .collect::<Vec<_>>()
    };
    let (public, own) = (sent(&registry), sent(&private));
    assert!(!public.is_empty() && !own.is_empty());
    for body in public {
        assert!(
            body.contains("mud")
                && !body.contains("secret")
                && !body.contains("inner")
                && !body.contains("pond"),
            "{body}"
        );
    }
    for body in own {
        assert!(
            body.contains("@pond/shore") && !body.contains("mud") && !body.contains("secret"),
            "{body}"
        );
    }
}

#[test]
fn an_upstream_with_the_older_endpoint_only_is_asked_there() {
    let (world, registry) = (World::new(), pond());
    registry.advise(Advisory::new("reed", "<1.2.0", ["1.0.0", "1.1.0"]).title("reed leaks"));
    registry.fault(Fault::on(BULK).status(404));
    let gateway = world.serve(&registry);
    let reply = post(
        &gateway,
        BULK,
        &json!({"reed": ["1.0.0", "1.1.0", "2.0.0"]}),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["reed"][0]["title"], "reed leaks");
    assert!(
        reply
            .header("x-weir-audit")
            .unwrap()
            .starts_with("advisories=none; ")
    );
}

#[test]
fn bodies_that_cannot_be_read_are_refused() {
    let (world, registry) = (World::new(), pond());
    import(&world, "osv", &[reed_flaw()]);
    let gateway = world.serve(&registry);
    for (headers, body, status) in [
        (&[][..], &b"{"[..], 400),
        (&[], b"[]", 400),
        (&[("content-encoding", "gzip")][..], b"not gzip", 400),
        (&[("content-encoding", "br")][..], b"{}", 415),
    ] {
        let reply = request(gateway.url(), "POST", BULK, headers, body);
        assert_eq!(reply.status, status, "{}", reply.text());
        assert!(reply.json()["error"].is_string());
    }
    let large = format!("{{\"reed\": [\"{}\"]}}", "1".repeat(17 << 20));
    let reply = request(gateway.url(), "POST", BULK, &[], large.as_bytes());
    assert!(matches!(reply.status, 413 | 0), "{}", reply.status);
    // Other paths below `security/` are nobody's.
    let reply = request(
        gateway.url(),
        "POST",
        "/-/npm/v1/security/other",
        &[],
        b"{}",
    );
    assert_eq!(reply.status, 405);
    let installed = post(&gateway, BULK, &reed());
    assert_eq!(installed.status, 200);
}

/// Everything that npm's audit says, `weir audit` says too, and more.
#[test]
fn weir_audit_says_what_npm_audit_says() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), pond());
    let second = flaw(
        "GHSA-reed-0000-0002",
        "reed",
        json!([{"introduced": "1.0.0"}, {"fixed": "1.1.0"}]),
    );
    let mut third = flaw("GHSA-mud0-0000-0003", "mud", json!([{"introduced": "0"}]));
    third["database_specific"] = json!({"severity": "CRITICAL"});
    import(&world, "osv", &[reed_flaw(), second, third]);
    let gateway = world.serve(&registry);
    let project = installed(&gateway, &npm);
    let run = npm.run(&project, &["audit", "--json"]);
    let theirs: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    let ours = output(
        world
            .weir_before(&registry)
            .args(["audit", "--json"])
            .current_dir(project.path()),
    );
    let ours: Value =
        serde_json::from_str(&ours.stdout).unwrap_or_else(|_| panic!("{}", ours.text()));
    let mut compared = 0;
    for (name, vulnerability) in theirs["vulnerabilities"].as_object().unwrap() {
        for via in vulnerability["via"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|via| via.is_object())
        {
            let same = ours["findings"]
                .as_array()
                .unwrap()
                .iter()
                .find(|it| it["url"] == via["url"] && it["package"] == *name);
            let same = same.unwrap_or_else(|| panic!("{via} is missing in {ours}"));
            assert_eq!(same["title"], via["title"]);
            assert_eq!(same["severity"], via["severity"]);
            assert_eq!(same["weaknesses"], via["cwe"]);
            assert_eq!(same["cvss"]["score"], via["cvss"]["score"]);
            assert_eq!(same["vulnerable"], via["range"]);
            let fixed = vulnerability["fixAvailable"] != json!(false);
            let change = &same["locked"][0]["changes"][0];
            assert_eq!(fixed, change["kind"] != "remove", "{via} {change}");
            assert!(!same["locked"][0]["paths"].as_array().unwrap().is_empty());
            compared += 1;
        }
    }
    assert_eq!(compared, 3, "{theirs}");
    assert_eq!(ours["findings"].as_array().unwrap().len(), 3);
}
