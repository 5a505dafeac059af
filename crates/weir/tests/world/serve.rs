//! `weir serve` as a registry: pages, packuments in both forms, validators, compression.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;
use weir_testing::tarball::gzip;
use weir_testing::{Package, Registry, Release};

use crate::support::http::request;
use crate::support::{Gateway, NPM, PNPM_10, World, river};

const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

#[test]
fn its_own_pages_answer() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get("/-/ping", &[]).json(), serde_json::json!({}));
    assert_eq!(gateway.get("/-/weir/health", &[]).json()["status"], "alive");
    assert_eq!(gateway.get("/-/weir/ready", &[]).json()["status"], "ready");
    assert_eq!(gateway.get("/", &[]).json()["name"], "weir");
    let unknown = gateway.get("/-/weir/why/w-0000000000", &[]);
    assert_eq!(unknown.status, 404);
    assert!(
        registry.requests().is_empty(),
        "none of this is the registry's business"
    );
}

#[test]
fn a_public_address_that_is_none_is_refused() {
    let (world, registry) = (World::new(), river());
    for (address, why) in [
        ("foo", "https://weir.example/npm/"),
        ("ftp://weir.example/", "https://weir.example/npm/"),
        ("https://weir.example/npm?y", "no ?"),
        ("https://weir.example/npm#y", "no #"),
        ("https://u:p4ss@weir.example/npm", "credentials"),
    ] {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--public-url", address];
        let run = world.run_before(&registry, &arguments);
        assert_eq!(run.code, Some(2), "{address}: {}", run.text());
        assert!(run.stderr.contains(why), "{address}: {}", run.stderr);
    }
    let gateway = Gateway::start(world.weir_before(&registry).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://weir.example/npm",
    ]));
    let packument = gateway.get("/gauge-reader", &[("user-agent", NPM)]).json();
    assert_eq!(
        packument["versions"]["1.0.0"]["dist"]["tarball"],
        "https://weir.example/npm/gauge-reader/-/gauge-reader-1.0.0.tgz"
    );
}

#[test]
fn packuments_keep_what_is_in_them_and_point_to_the_gateway() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let upstream = registry.packument("gauge-reader").unwrap();
    let full = gateway.get(
        "/gauge-reader",
        &[("user-agent", NPM), ("accept", "application/json")],
    );
    assert_eq!(full.header("content-type"), Some("application/json"));
    assert!(
        full.header("vary")
            .unwrap()
            .contains("accept, accept-encoding")
    );
    assert!(full.header("last-modified").is_some());
    let full = full.json();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        let (ours, theirs) = (&full["versions"][version], &upstream["versions"][version]);
        assert_eq!(
            ours["dist"]["tarball"],
            format!("{}gauge-reader/-/gauge-reader-{version}.tgz", gateway.url())
        );
        for field in ["integrity", "shasum", "signatures", "attestations"] {
            assert_eq!(
                ours["dist"][field], theirs["dist"][field],
                "{version} dist.{field}"
            );
        }
        assert_eq!(ours["_npmUser"], theirs["_npmUser"]);
        assert_eq!(full["time"][version], upstream["time"][version]);
    }
    assert_eq!(full["maintainers"], upstream["maintainers"]);

    let short = gateway.get(
        "/gauge-reader",
        &[("user-agent", NPM), ("accept", ABBREVIATED)],
    );
    assert_eq!(short.header("content-type"), Some(ABBREVIATED));
    let short = short.json();
    assert_eq!(short["time"], full["time"], "always with time");
    assert_eq!(short["dist-tags"], full["dist-tags"]);
    assert!(short["versions"]["1.0.0"].get("_npmUser").is_none());
    assert_eq!(
        short["versions"]["1.0.0"]["dist"],
        full["versions"]["1.0.0"]["dist"]
    );
}

#[test]
fn held_versions_are_marked_for_clients_that_fall_back_and_hidden_for_the_others() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let listed = gateway.packument(NPM, "gauge-reader");
    let mark = listed["versions"]["1.2.0"]["deprecated"].as_str().unwrap();
    assert!(mark.starts_with("HELD by weir: "), "{mark}");
    assert!(listed["versions"]["1.1.0"].get("deprecated").is_none());
    let message = listed["policyRestrictions"]["message"].as_str().unwrap();
    assert!(
        message.contains("gauge-reader@1.2.0") && message.contains("Use 1.1.0 instead"),
        "{message}"
    );
    assert!(listed["policyRestrictions"]["versions"]["1.2.0"].is_object());

    let hidden = gateway.packument(PNPM_10, "gauge-reader");
    assert!(hidden["versions"].get("1.2.0").is_none());
    assert!(hidden["time"].get("1.2.0").is_none());
    assert!(hidden.get("policyRestrictions").is_none());
    for document in [listed, hidden] {
        assert_eq!(document["dist-tags"]["latest"], "1.1.0");
    }
}

#[test]
fn version_documents_and_tags_are_filtered_the_same_way() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    assert_eq!(
        gateway.get("/gauge-reader/latest", &[]).json()["version"],
        "1.1.0"
    );
    let good = gateway.get("/gauge-reader/1.0.0", &[]).json();
    assert!(
        good["dist"]["tarball"]
            .as_str()
            .unwrap()
            .starts_with(gateway.url())
    );
    assert!(good["dist"]["signatures"].is_array());
    assert_eq!(
        gateway.get("/-/package/gauge-reader/dist-tags", &[]).json()["latest"],
        "1.1.0"
    );
    assert_eq!(gateway.get("/gauge-reader/1.2.0", &[]).status, 403);
    assert_eq!(gateway.get("/gauge-reader/9.9.9", &[]).status, 404);
}

/// `next` leads to a young release with no other of its line, and 1.0.1 is as young, with no tag.
fn with_next() -> Registry {
    let registry = river();
    let young = "2026-11-20T11:00:00.000Z";
    registry.add(
        Package::new("reed-next")
            .maintainer("mill")
            .release(Release::new("1.0.0").published("2024-01-02T03:04:05.678Z"))
            .release(Release::new("1.0.1").published(young))
            .release(Release::new("2.0.0-beta.1").published(young))
            .tag("latest", "1.0.0")
            .tag("next", "2.0.0-beta.1"),
    );
    registry
}

#[test]
fn a_tag_that_is_withheld_is_refused_for_what_it_leads_to() {
    let (world, registry) = (World::new(), with_next());
    let gateway = world.serve(&registry);
    let tags = gateway.get("/-/package/reed-next/dist-tags", &[]).json();
    assert_eq!(tags, serde_json::json!({ "latest": "1.0.0" }));
    let reply = gateway.get("/reed-next/next", &[("user-agent", NPM)]);
    assert_eq!(reply.status, 403, "{}", reply.text());
    let body = reply.json();
    assert_eq!(body["weir"]["version"], "2.0.0-beta.1");
    assert_eq!(body["weir"]["action"], "hold");
    assert_eq!(body["error"], reply.reason);
    crate::support::assert_explained(&world, &reply.reason, "reed-next@2.0.0-beta.1");
    assert_eq!(gateway.get("/reed-next/latest", &[]).status, 200);
    assert_eq!(gateway.get("/reed-next/beta", &[]).status, 404);
}

/// A refusal is what a request was about: where a tag would have led, not all that a packument mentions.
#[test]
fn the_ledger_has_a_withheld_tag_as_refused_and_a_mention_as_decided() {
    let (world, registry) = (World::new(), with_next());
    let gateway = world.serve(&registry);
    for agent in [NPM, PNPM_10, NPM] {
        let _ = gateway.packument(agent, "reed-next");
    }
    let refused = world.ledger(&["--event", "refused"]);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["version"], "2.0.0-beta.1");
    assert_eq!(refused[0]["note"], "tag next is withheld");
    assert_eq!(refused[0]["action"], "hold");
    let id = refused[0]["block_id"].as_str().unwrap();
    crate::support::assert_explained(&world, id, "reed-next@2.0.0-beta.1");
    let mentioned = world.ledger(&["--event", "decided", "--version", "1.0.1"]);
    assert!(
        mentioned.iter().any(|entry| entry["block_id"].is_string()),
        "{mentioned:?}"
    );
}

#[test]
fn scoped_names_come_in_every_spelling() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    for path in [
        "/@millpond/sluice",
        "/@millpond%2fsluice",
        "/@millpond%2Fsluice",
    ] {
        assert_eq!(
            gateway.get(path, &[]).json()["name"],
            "@millpond/sluice",
            "{path}"
        );
    }
    let bytes = registry.tarball("@millpond/sluice", "2.0.0").unwrap();
    for path in [
        "/@millpond/sluice/-/sluice-2.0.0.tgz",
        "/@millpond%2fsluice/-/sluice-2.0.0.tgz",
    ] {
        let reply = gateway.get(path, &[("accept-encoding", "identity")]);
        assert_eq!((reply.status, reply.body == bytes), (200, true), "{path}");
    }
    for path in [
        "/@millpond%2fsluice",
        "/@millpond/sluice/-/sluice-2.0.0.tgz",
    ] {
        let head = request(gateway.url(), "HEAD", path, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0), "HEAD {path}");
    }
}

#[test]
fn the_entity_tag_follows_the_policy_as_well_as_the_upstream() {
    let (world, registry) = (World::new(), river());
    let tag = |gateway: &crate::support::Gateway, known: &str| {
        let reply = gateway.get(
            "/gauge-reader",
            &[("user-agent", NPM), ("if-none-match", known)],
        );
        (reply.status, reply.header("etag").unwrap().to_owned())
    };
    let mut gateway = world.serve(&registry);
    let (status, held) = tag(&gateway, "\"unknown\"");
    assert_eq!(status, 200);
    assert_eq!(tag(&gateway, &held), (304, held.clone()));
    assert_eq!(tag(&gateway, &format!("W/{held}")).0, 304);
    gateway.stop();

    world.policy("[age]\nminimum = \"0h\"\n");
    let mut gateway = world.serve(&registry);
    // The origin is in the body too: ask for the same one.
    let reply = gateway.get(
        "/gauge-reader",
        &[("user-agent", NPM), ("if-none-match", &held)],
    );
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["dist-tags"]["latest"], "1.2.0");
    gateway.stop();
}

#[test]
fn packuments_and_request_bodies_may_be_compressed() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    let plain = gateway.get("/gauge-reader", &[("user-agent", NPM)]);
    assert_eq!(plain.header("content-encoding"), None);
    let packed = gateway.get(
        "/gauge-reader",
        &[("user-agent", NPM), ("accept-encoding", "gzip, br")],
    );
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_ne!(packed.header("etag"), plain.header("etag"));
    assert_eq!(packed.unpacked(), plain.body);

    registry
        .advise(weir_testing::Advisory::new("gauge-reader", "<1.1.0", ["1.0.0"]).title("it leaks"));
    let question = gzip(br#"{"gauge-reader":["1.0.0"]}"#);
    let reply = request(
        gateway.url(),
        "POST",
        "/-/npm/v1/security/advisories/bulk",
        &[
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ],
        &question,
    );
    let body = if reply.header("content-encoding") == Some("gzip") {
        reply.unpacked()
    } else {
        reply.body
    };
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["gauge-reader"][0]["title"], "it leaks");
}

#[test]
fn keys_and_attestations_come_from_the_upstream_and_nothing_is_written_to_it() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    assert!(gateway.get("/-/npm/v1/keys", &[]).json()["keys"].is_array());
    let attested = gateway.get("/-/npm/v1/attestations/gauge-reader@1.1.0", &[]);
    assert!(attested.json()["attestations"].is_array());
    assert_eq!(
        gateway
            .get("/-/npm/v1/attestations/gauge-reader@1.0.0", &[])
            .status,
        404
    );
    let publish = request(gateway.url(), "PUT", "/gauge-reader", &[], b"{}");
    assert_eq!(publish.status, 405);
    assert!(
        publish.json()["error"]
            .as_str()
            .unwrap()
            .contains("does not write")
    );
    assert!(
        registry
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
}

#[test]
fn another_public_address_is_used_where_one_is_set() {
    let (world, registry) = (World::new(), river());
    let mut command = world.weir_before(&registry);
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://npm.example.invalid/proxy",
    ]);
    let gateway = crate::support::Gateway::start(&mut command);
    let document = gateway.packument(NPM, "gauge-reader");
    assert_eq!(
        document["versions"]["1.0.0"]["dist"]["tarball"],
        "https://npm.example.invalid/proxy/gauge-reader/-/gauge-reader-1.0.0.tgz"
    );
}

/// Sends a request as it is, and reads the answer.
fn raw(gateway: &Gateway, head: &str) -> String {
    let address = gateway.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address.trim_end_matches('/')).unwrap();
    // A server may answer and close before it has all of a request that is too long.
    let _ = stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A web page may have its own name lead to loopback, and its browser lets it read what comes.
#[test]
fn on_loopback_only_the_names_of_this_machine_are_answered() {
    let (world, registry) = (World::new(), river());
    let listening = |arguments: &[&str]| {
        Gateway::start(world.weir_before(&registry).arg("serve").args(arguments))
    };
    let here = world.serve(&registry);
    let ask = |gateway: &Gateway, host: &str| {
        raw(
            gateway,
            &format!("GET /gauge-reader HTTP/1.1\r\nhost: {host}\r\n"),
        )
    };
    for host in [
        "localhost:4874",
        "weir.localhost",
        "[::1]:4874",
        "127.0.0.1",
    ] {
        let answer = ask(&here, host);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
        let tarball = format!("http://{host}/gauge-reader/-/gauge-reader-1.0.0.tgz");
        assert!(answer.contains(&tarball), "{host}: {answer}");
    }
    registry.clear_requests();
    for host in ["rebind.evil.example:4874", "host.docker.internal:4874"] {
        let answer = ask(&here, host);
        assert!(answer.starts_with("HTTP/1.1 421 "), "{host}: {answer}");
        let setting = format!("--public-url http://{host}/");
        assert!(answer.contains(&setting), "{host}: {answer}");
    }
    let absolute = raw(
        &here,
        "GET http://evil.example/gauge-reader HTTP/1.1\r\nhost: localhost\r\n",
    );
    assert!(absolute.starts_with("HTTP/1.1 421 "), "{absolute}");
    for odd in [
        "",
        "host: localhost\r\nhost: localhost\r\n",
        "host: a\",\"x\":\"y\r\n",
    ] {
        let answer = raw(&here, &format!("GET /gauge-reader HTTP/1.1\r\n{odd}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{odd}: {answer}");
    }
    let long = ask(&here, &"a".repeat(100_000));
    assert!(long.starts_with("HTTP/1.1 4"), "{long}");
    assert!(registry.requests_to("/gauge-reader").is_empty());
    // HTTP/1.0 need not say where it goes.
    let old = raw(&here, "GET /gauge-reader HTTP/1.0\r\n");
    assert!(
        old.contains(&format!("{}gauge-reader/-/", here.url())),
        "{old}"
    );

    // Where clients come from elsewhere, or through a proxy, by whatever name.
    let open = listening(&["--listen", "0.0.0.0:0"]);
    let public = listening(&[
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://weir.example/",
    ]);
    for (gateway, origin) in [
        (&open, "http://host.docker.internal:4874/"),
        (&public, "https://weir.example/"),
    ] {
        let answer = ask(gateway, "host.docker.internal:4874");
        assert!(
            answer.contains(&format!("{origin}gauge-reader/-/")),
            "{answer}"
        );
    }
}

#[test]
fn what_only_begins_like_a_search_is_not_passed_on() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    for path in [
        "/-/v1/searchanything",
        "/-/v1/search/x",
        "/-/v1/search/..",
        "/-/v1/search%2f..",
    ] {
        assert_eq!(gateway.get(path, &[]).status, 404, "{path}");
    }
    assert!(registry.requests().is_empty());
}
