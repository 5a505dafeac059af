//! The gate on the tarball: what passes, what does not, and how a refusal is said.

use serde_json::Value;
use weir_testing::clients::Output;
use weir_testing::{Fault, Package, Release};

use crate::support::{Gateway, NOW, NPM, World, block_id, eventually, noise, river};

const HELD: &str = "/gauge-reader/-/gauge-reader-1.2.0.tgz";
const GOOD: &str = "/gauge-reader/-/gauge-reader-1.1.0.tgz";

#[test]
fn bytes_pass_untouched_and_are_written_down() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    for (cache, note) in [("miss", "upstream"), ("hit", "cache")] {
        let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.body,
            registry.tarball("gauge-reader", "1.1.0").unwrap()
        );
        assert_eq!(reply.header("x-weir-decision"), Some("allow"));
        assert_eq!(reply.header("x-weir-cache"), Some(cache));
        let entry = world.ledger(&["--event", "served"]).pop().unwrap();
        assert_eq!(entry["note"], note);
        assert_eq!(entry["version"], "1.1.0");
        assert_eq!(
            entry["integrity"],
            registry.integrity("gauge-reader", "1.1.0").unwrap()
        );
        assert_eq!(entry["client"], format!("127.0.0.1 {NPM}"));
    }
    assert_eq!(registry.requests_to(GOOD).len(), 1);
}

/// Frozen installs never ask for metadata: the gate stands on its own.
#[test]
fn a_held_tarball_is_refused_in_every_channel_at_once() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let reply = gateway.get(HELD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403);
    assert!(
        reply.reason.starts_with("Held by weir: gauge-reader@1.2.0"),
        "{}",
        reply.reason
    );
    let body = reply.json();
    let id = body["weir"]["block"].as_str().unwrap();
    assert_eq!(body["error"], reply.reason);
    assert_eq!(reply.header("npm-notice"), Some(reply.reason.as_str()));
    assert_eq!(reply.header("x-weir-block"), Some(id));
    assert_eq!(reply.header("x-weir-decision"), Some("hold"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(body["weir"]["action"], "hold");
    assert_eq!(body["weir"]["instead"], "1.1.0");
    assert_eq!(body["weir"]["until"], "2026-11-21T11:00:00Z");

    let page = gateway.get(&format!("/-/weir/why/{id}"), &[]);
    assert!(
        page.text().contains("gauge-reader@1.2.0"),
        "{}",
        page.text()
    );
    let page = gateway
        .get(
            &format!("/-/weir/why/{id}"),
            &[("accept", "application/json")],
        )
        .json();
    assert_eq!(page["schema"], "weir.assessment/v1");
    assert_eq!(page["decision"]["action"], "hold");
    crate::support::assert_explained(&world, id, "gauge-reader@1.2.0");
    assert!(world.ledger(&["--event", "served"]).is_empty());
}

/// What a packument says about a held version leads to an explanation, also where nobody went on
/// to ask for the tarball.
#[test]
fn ids_in_a_packument_lead_somewhere_too() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let document = gateway.packument(NPM, "gauge-reader");
    for text in [
        document["versions"]["1.2.0"]["deprecated"]
            .as_str()
            .unwrap(),
        document["policyRestrictions"]["message"].as_str().unwrap(),
    ] {
        let id = block_id(text).unwrap();
        let page = gateway.get(&format!("/-/weir/why/{id}"), &[]);
        assert_eq!(page.status, 200, "{text}");
        crate::support::assert_explained(&world, &id, "gauge-reader@1.2.0");
    }
}

#[test]
fn a_package_of_which_nothing_may_pass_is_refused_whole() {
    let (world, registry) = (World::new(), river());
    registry.add(
        Package::new("just-born")
            .maintainer("mill")
            .release(Release::new("0.1.0").published("2026-11-20T11:58:00.000Z")),
    );
    let gateway = world.serve(&registry);
    let reply = gateway.get("/just-born", &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403);
    assert!(reply.reason.contains("just-born@0.1.0"), "{}", reply.reason);
    crate::support::assert_explained(&world, &reply.reason, "just-born@0.1.0");
}

#[test]
fn many_askers_cost_the_upstream_one_request() {
    let (world, registry) = (World::new(), river());
    // Slow enough that all of them are there before the first answer.
    registry.fault(Fault::on("*").delay(std::time::Duration::from_millis(300)));
    let gateway = world.serve(&registry);
    let expected = registry.tarball("gauge-reader", "1.1.0").unwrap();
    for path in ["/gauge-reader", GOOD] {
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    let reply = gateway.get(path, &[("user-agent", NPM)]);
                    assert_eq!(reply.status, 200);
                    assert!(path != GOOD || reply.body == expected);
                });
            }
        });
        assert_eq!(registry.requests_to(path).len(), 1, "{path}");
    }
    assert_eq!(
        world.ledger(&["--event", "served", "--limit", "100"]).len(),
        50
    );
}

#[test]
fn wrong_bytes_never_arrive_whole() {
    let (world, registry) = (World::new(), river());
    // Popular and long established: this one is streamed while it is read.
    registry.add(
        Package::new("lodash").maintainer("mill").release(
            Release::new("4.17.21")
                .published("2021-02-20T15:42:16.891Z")
                .file("data.json", noise(900_000)),
        ),
    );
    let gateway = world.serve(&registry);
    registry.fault(Fault::on("*.tgz").wrong_bytes());
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(
        reply.reason.contains("integrity-mismatch"),
        "{}",
        reply.reason
    );
    assert_eq!(reply.json()["weir"]["action"], "block");
    let streamed = gateway.get("/lodash/-/lodash-4.17.21.tgz", &[("user-agent", NPM)]);
    assert!(
        streamed.status == 403 || !streamed.whole,
        "{} arrived whole",
        streamed.status
    );

    registry.clear_faults();
    for (path, name, version) in [
        (GOOD, "gauge-reader", "1.1.0"),
        ("/lodash/-/lodash-4.17.21.tgz", "lodash", "4.17.21"),
    ] {
        let reply = gateway.get(path, &[("user-agent", NPM)]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.whole && reply.body == registry.tarball(name, version).unwrap());
    }
}

/// Once only or for good: who asks for a range gets another release meanwhile, and this one once its bytes are right.
#[test]
fn ranges_and_tags_pass_over_wrong_bytes_until_the_right_ones_come() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let latest = || gateway.packument(NPM, "gauge-reader")["dist-tags"]["latest"].clone();
    assert_eq!(latest(), "1.1.0");
    registry.fault(Fault::on("*.tgz").wrong_bytes());
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(reply.json()["weir"]["instead"], "1.0.0");
    assert_eq!(latest(), "1.0.0");
    let asked = registry.requests_to(GOOD).len();
    assert_eq!(latest(), "1.0.0");
    assert_eq!(registry.requests_to(GOOD).len(), asked);
    let body = reply.json();
    let told = world.run(&["explain", body["weir"]["block"].as_str().unwrap()]);
    assert!(told.says("for ten minutes"), "{}", told.text());
    assert!(told.says("when the command ends"), "{}", told.text());

    registry.clear_faults();
    assert_eq!(gateway.get(GOOD, &[("user-agent", NPM)]).status, 200);
    assert_eq!(latest(), "1.1.0");
}

#[test]
fn a_cut_or_silent_download_is_an_error_once_and_fine_the_next_time() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    for (fault, expected) in [
        // Twice at the same byte.
        (Fault::on(GOOD).cut_after(100), 404),
        (Fault::on(GOOD).drop_connection(), 502),
        (Fault::on(GOOD).status(500), 502),
        (Fault::on(GOOD).body("<html>maintenance</html>"), 403),
    ] {
        registry.clear_faults();
        registry.fault(fault.clone());
        let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
        assert_eq!(reply.status, expected, "{fault:?}: {}", reply.text());
        assert!(!reply.json()["error"].as_str().unwrap().is_empty());
    }
    registry.clear_faults();
    assert_eq!(gateway.get(GOOD, &[("user-agent", NPM)]).status, 200);
}

#[test]
fn a_release_without_integrity_is_not_served() {
    let (world, registry) = (World::new(), river());
    registry.edit_packument("gauge-reader", |document| {
        let dist = document["versions"]["1.1.0"]["dist"]
            .as_object_mut()
            .unwrap();
        dist.remove("integrity");
        dist.remove("shasum");
    });
    let gateway = world.serve(&registry);
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(block_id(&reply.reason).is_some(), "{}", reply.reason);
    assert_eq!(
        gateway
            .get("/gauge-reader/-/gauge-reader-1.0.0.tgz", &[])
            .status,
        200
    );
}

#[test]
fn downloads_nobody_waits_for_any_more_leave_nothing_half_done() {
    let (world, registry) = (World::new(), river());
    registry.fault(
        Fault::on(GOOD)
            .drip(200, std::time::Duration::from_millis(40))
            .times(1),
    );
    let gateway = world.serve(&registry);
    let address = gateway
        .url()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let mut hasty = std::net::TcpStream::connect(&address).unwrap();
    let head = format!("GET {GOOD} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    std::io::Write::write_all(&mut hasty, head.as_bytes()).unwrap();
    eventually("the upstream is asked", || {
        registry.requests_to(GOOD).len() == 1
    });
    drop(hasty);
    let reply = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.body,
        registry.tarball("gauge-reader", "1.1.0").unwrap()
    );
}

/// Nothing in its metadata speaks against 1.2.0: the hook has been there from the beginning, of which too much has
/// come out since for the first release to be looked at, and only what it runs has changed.
#[test]
fn a_version_refused_for_its_contents_is_not_resolved_to_again() {
    let (world, registry) = (World::new(), weir_testing::Registry::start());
    let hooked = |version: &str, published: &str, script: &str| {
        Release::new(version)
            .published(published)
            .script("postinstall", "node set-up.js")
            .file("set-up.js", script)
    };
    let theft = weir_testing::samples::aimed_at(
        weir_testing::samples::WHOLE_ENVIRONMENT,
        &weir_testing::Sink::start().url(),
    );
    let old = (0..40).fold(Package::new("quiet-hook"), |package, patch| {
        let published = format!("2024-01-{:02}T03:{:02}:05.000Z", 1 + patch / 4, patch % 4);
        package.release(hooked(&format!("1.0.{patch}"), &published, "'use strict';"))
    });
    registry.add(
        old.release(hooked("1.1.0", "2025-01-02T03:04:05.000Z", "'use strict';"))
            .release(hooked("1.2.0", "2026-11-02T03:04:05.000Z", &theft)),
    );
    let gateway = world.serve(&registry);
    assert_eq!(
        gateway.packument(NPM, "quiet-hook")["dist-tags"]["latest"],
        "1.2.0"
    );
    let reply = gateway.get("/quiet-hook/-/quiet-hook-1.2.0.tgz", &[]);
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("x-weir-decision"), Some("block"));
    let document = gateway.packument(NPM, "quiet-hook");
    assert_eq!(document["dist-tags"]["latest"], "1.1.0");
    assert!(document["versions"]["1.2.0"]["deprecated"].is_string());
    drop(gateway);
    let restarted = world.serve(&registry);
    assert_eq!(
        restarted.packument(NPM, "quiet-hook")["dist-tags"]["latest"],
        "1.1.0"
    );
}

/// What `weir inspect --json` found of replaced bytes.
fn replaced(run: &Output) -> Vec<Value> {
    let found: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()));
    let mut findings = found["findings"].as_array().unwrap().clone();
    findings.retain(|it| it["signal"] == "replaced-release");
    findings
}

/// Registries never let a version be published again; one that has other bytes under it all the same is told of.
#[test]
fn bytes_that_the_registry_replaced_are_told_of_until_the_first_are_back() {
    const PATH: &str = "/tide-table/-/tide-table-1.1.0.tgz";
    let (world, registry) = (World::new(), river());
    world.policy("[cache]\npackument_ttl = \"0s\"\n");
    let release = |version: &str, published: &str, text: &str| {
        Release::new(version)
            .published(published)
            .file("index.js", text)
    };
    let with = |text: &str| release("1.1.0", "2025-01-02T03:04:05.678Z", text);
    registry.add(
        Package::new("tide-table")
            .maintainer("mill")
            .release(release("1.0.0", "2024-01-02T03:04:05.678Z", "'old';"))
            .release(with("'one';")),
    );
    let put = |text: &str| {
        registry.update("tide-table", |mut package| {
            *package.release_mut("1.1.0").unwrap() = with(text);
            package
        });
    };
    let inspect =
        || replaced(&world.run_before(&registry, &["inspect", "--json", "tide-table@1.1.0"]));
    let gateway = world.serve(&registry);
    let install = || {
        gateway.packument(NPM, "tide-table");
        let reply = gateway.get(PATH, &[("user-agent", NPM)]);
        let current = registry.tarball("tide-table", "1.1.0").unwrap();
        assert_eq!(reply.body, current, "{}", reply.text());
        reply.header("x-weir-decision").map(str::to_owned)
    };
    assert_eq!(install().as_deref(), Some("allow"));
    assert_eq!(inspect(), [] as [Value; 0]);
    let first = registry.integrity("tide-table", "1.1.0").unwrap();

    put("'another';");
    assert_eq!(install().as_deref(), Some("notice"));
    // Said again, although the second bytes have been decided on by now.
    for found in [inspect(), inspect()] {
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["severity"], "high");
        let message = found[0]["message"].as_str().unwrap();
        assert!(message.contains("replaced its bytes"), "{message}");
        assert!(message.contains("2026-11-20T12:00:00Z"), "{message}");
        assert_eq!(found[0]["evidence"][0]["previous"], first);
    }
    assert_eq!(install().as_deref(), Some("notice"));

    put("'one';");
    assert_eq!(registry.integrity("tide-table", "1.1.0").unwrap(), first);
    assert_eq!(install().as_deref(), Some("allow"));
    assert_eq!(inspect(), [] as [Value; 0]);
}

/// One data folder serves projects with different registries.
#[test]
fn another_upstream_has_its_own_bytes_under_the_same_name() {
    let world = World::new();
    // Both live to the end: the second must not be given the port of the first, or it were the same upstream.
    let registries = [(); 2].map(|()| weir_testing::Registry::start());
    for (registry, text) in registries.iter().zip(["'one';", "'another';"]) {
        registry.add(
            Package::new("same-name").release(
                Release::new("1.0.0")
                    .published("2024-01-02T03:04:05.000Z")
                    .file("index.js", text),
            ),
        );
        let gateway = world.serve(registry);
        let reply = gateway.get("/same-name/-/same-name-1.0.0.tgz", &[]);
        assert_eq!(reply.body, registry.tarball("same-name", "1.0.0").unwrap());
        // They replace nothing.
        let run = world.run_before(registry, &["inspect", "--json", "same-name@1.0.0"]);
        assert_eq!(replaced(&run), [] as [Value; 0]);
    }
}

/// Whoever replaces bytes leaves out the digest that would tell.
#[test]
fn replaced_bytes_are_told_by_what_was_read_where_the_registry_gives_a_weaker_digest() {
    let (world, registry) = (World::new(), river());
    world.policy("[cache]\npackument_ttl = \"0s\"\n");
    let with = |text: &str| {
        Release::new("1.0.0")
            .published("2024-01-02T03:04:05.678Z")
            .file("index.js", text)
    };
    registry.add(
        Package::new("tide-table")
            .maintainer("mill")
            .release(with("'one';")),
    );
    let inspect =
        || replaced(&world.run_before(&registry, &["inspect", "--json", "tide-table@1.0.0"]));
    assert_eq!(inspect(), [] as [Value; 0]);
    registry.edit_packument("tide-table", |packument| {
        let dist = &mut packument["versions"]["1.0.0"]["dist"];
        dist.as_object_mut().unwrap().remove("integrity");
    });
    assert_eq!(inspect(), [] as [Value; 0], "they are the same bytes");
    registry.update("tide-table", |mut package| {
        *package.release_mut("1.0.0").unwrap() = with("'another';");
        package
    });
    for found in [inspect(), inspect()] {
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["severity"], "high");
        let message = found[0]["message"].as_str().unwrap();
        assert!(message.contains("replaced its bytes"), "{message}");
    }
}

/// Any of them would do for npm, so whoever can add one has their bytes installed.
#[test]
fn several_digests_of_one_algorithm_are_refused_and_called_that() {
    let (world, registry) = (World::new(), river());
    registry.edit_packument("gauge-reader", |document| {
        let dist = &mut document["versions"]["1.1.0"]["dist"];
        let own = dist["integrity"].as_str().unwrap_or_default().to_owned();
        dist["integrity"] = format!("sha512-{}== {own}", "A".repeat(86)).into();
        // Near miss: of two algorithms the stronger counts. It is refused here for its signature, which is of another text.
        let dist = &mut document["versions"]["1.0.0"]["dist"];
        let own = dist["integrity"].as_str().unwrap_or_default().to_owned();
        dist["integrity"] = format!("sha1-{}= {own}", "A".repeat(27)).into();
    });
    let gateway = world.serve(&registry);
    let refused = gateway.get(GOOD, &[("user-agent", NPM)]);
    assert_eq!(refused.status, 403, "{}", refused.text());
    let said = refused.text();
    assert!(
        said.contains("several digests of one algorithm, of which any would do"),
        "{said}"
    );
    assert!(!said.contains("gives none"), "{said}");
    let other = gateway.get("/gauge-reader/-/gauge-reader-1.0.0.tgz", &[]);
    let said = other.text();
    assert!(!said.contains("several digests"), "{said}");
}

/// The same command where no file may grow beyond so many blocks: writing fails as on a full disk.
#[cfg(target_os = "linux")]
fn cramped(command: &std::process::Command, blocks: u32) -> std::process::Command {
    let mut cramped = std::process::Command::new("/bin/sh");
    cramped.env_clear();
    cramped
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
        ))
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            cramped.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        cramped.current_dir(folder);
    }
    cramped
}

/// A refusal costs nothing that a full disk could keep from being given; what would be served has to be written down.
#[cfg(target_os = "linux")]
#[test]
fn refusals_are_given_on_a_full_disk_and_nothing_is_served_that_cannot_be_kept() {
    const LARGE: &str = "/flood-plain/-/flood-plain-1.0.0.tgz";
    let (world, registry) = (World::new(), river());
    registry.add(
        Package::new("flood-plain").maintainer("mill").release(
            Release::new("1.0.0")
                .published("2024-03-02T03:04:05.678Z")
                .file("silt.bin", noise(1 << 20)),
        ),
    );
    let mut roomy = world.serve(&registry);
    assert_eq!(roomy.get(GOOD, &[("user-agent", NPM)]).status, 200);
    roomy.stop();
    let mut command = world.weir_before(&registry);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let full = Gateway::start(&mut cramped(&command, 256));
    // Long after the database has had all the room there is.
    for round in 0..60 {
        let held = full.get(HELD, &[("user-agent", NPM)]);
        assert_eq!(held.status, 403, "{round}: {}", held.text());
        assert!(held.reason.starts_with("Held by weir"), "{}", held.reason);
    }
    let large = full.get(LARGE, &[("user-agent", NPM)]);
    assert_eq!(large.status, 500, "{}", large.reason);
    assert_eq!(full.get(HELD, &[("user-agent", NPM)]).status, 403);
    drop(full);
    let roomy = world.serve(&registry);
    let whole = roomy.get(LARGE, &[("user-agent", NPM)]);
    assert_eq!(
        whole.body,
        registry.tarball("flood-plain", "1.0.0").unwrap()
    );
}

/// What was served before is not held for its age, and counts from its own moment on only.
#[test]
fn what_a_clock_that_ran_ahead_served_is_young_again_by_one_that_is_right() {
    let (world, registry) = (World::new().at("2026-11-24T12:00:00Z"), river());
    let status = |gateway: &Gateway| gateway.get(HELD, &[("user-agent", NPM)]).status;
    let mut ahead = world.serve(&registry);
    assert_eq!(status(&ahead), 200);
    ahead.stop();
    let world = world.at(NOW);
    let mut right = world.serve(&registry);
    let tags = &right.packument(NPM, "gauge-reader")["dist-tags"];
    assert_eq!(tags["latest"], "1.1.0");
    assert_eq!(status(&right), 403);
    right.stop();
    let later = world.at("2026-11-24T12:00:01Z");
    assert_eq!(status(&later.serve(&registry)), 200);
}
