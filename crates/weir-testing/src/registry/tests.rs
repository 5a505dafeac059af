use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::*;
use crate::{Provenance, Release};

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
    whole: bool,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

fn send(
    registry: &Registry,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    send_within(
        registry,
        method,
        path,
        headers,
        body,
        Duration::from_secs(5),
    )
}

fn send_within(
    registry: &Registry,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    patience: Duration,
) -> Reply {
    let url = registry.url();
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end else {
        return Reply {
            status: 0,
            head: String::new(),
            body: Vec::new(),
            whole: false,
        };
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut reply = Reply {
        status: head[9..12].parse().unwrap(),
        head,
        body: bytes[end + 4..].to_vec(),
        whole: true,
    };
    let length = reply.header("content-length");
    reply.whole = length.is_none_or(|length| length.parse() == Ok(reply.body.len()));
    reply
}

fn get(registry: &Registry, path: &str, headers: &[(&str, &str)]) -> Reply {
    send(registry, "GET", path, headers, b"")
}

const CORGI: (&str, &str) = ("accept", "application/vnd.npm.install-v1+json; q=1.0, */*");

fn sample() -> Package {
    Package::new("@demo/pad")
        .maintainer("alice")
        .maintainer_since("mallory", "2025-06-01T00:00:00Z")
        .repository("https://git.example.invalid/demo/pad")
        .release(Release::new("1.0.0").published("2024-01-02T03:04:05.678Z"))
        .release(
            Release::new("1.1.0")
                .published("2025-01-02T03:04:05.000Z")
                .trusted_publisher()
                .attested(),
        )
        .release(
            Release::new("2.0.0-rc.1")
                .published("2025-05-02T03:04:05.000Z")
                .tag("next"),
        )
        .release(
            Release::new("1.1.1")
                .published("2026-01-02T03:04:05.000Z")
                .publisher("mallory")
                .script("postinstall", "node x.js")
                .bin("pad", "cli.js")
                .file("cli.js", "#!/usr/bin/env node\n"),
        )
}

fn demo() -> Registry {
    let registry = Registry::start();
    registry.add(sample());
    registry
}

#[test]
fn the_full_document_carries_what_signals_need() {
    let registry = demo();
    let document = get(&registry, "/@demo%2fpad", &[]).json();
    assert_eq!(document["_id"], "@demo/pad");
    assert_eq!(
        document["dist-tags"],
        json!({"latest": "1.1.1", "next": "2.0.0-rc.1"})
    );
    assert_eq!(document["time"]["created"], "2024-01-02T03:04:05.678Z");
    assert_eq!(document["time"]["modified"], "2026-01-02T03:04:05.000Z");
    assert_eq!(document["time"]["1.0.0"], "2024-01-02T03:04:05.678Z");
    let attested = &document["versions"]["1.1.0"];
    assert_eq!(attested["_npmUser"]["trustedPublisher"]["id"], "github");
    assert_eq!(
        attested["dist"]["attestations"]["provenance"]["predicateType"],
        "https://slsa.dev/provenance/v1"
    );
    let last = &document["versions"]["1.1.1"];
    assert_eq!(last["_npmUser"]["name"], "mallory");
    assert_eq!(last["maintainers"].as_array().unwrap().len(), 2);
    assert_eq!(attested["maintainers"].as_array().unwrap().len(), 1);
    assert_eq!(last["dist"]["fileCount"], 3);
    assert!(last.get("hasInstallScript").is_none());
    assert!(last["dist"].get("attestations").is_none());
}

#[test]
fn the_abbreviated_document_is_cut_down() {
    let registry = demo();
    let reply = get(&registry, "/@demo/pad", &[CORGI]);
    assert_eq!(
        reply.header("content-type"),
        Some("application/vnd.npm.install-v1+json")
    );
    let document = reply.json();
    assert_eq!(document["modified"], "2026-01-02T03:04:05.000Z");
    assert!(document.get("time").is_none());
    let last = &document["versions"]["1.1.1"];
    assert_eq!(last["hasInstallScript"], true);
    assert!(last.get("_npmUser").is_none());
    assert!(last.get("scripts").is_none());
    assert!(last["dist"]["signatures"].is_array());
}

#[test]
fn the_clock_hides_what_is_not_published_yet() {
    let registry = demo();
    registry.set_now("2025-03-01T00:00:00Z");
    let document = get(&registry, "/@demo%2Fpad", &[]).json();
    assert_eq!(document["dist-tags"], json!({"latest": "1.1.0"}));
    assert_eq!(document["time"]["modified"], "2025-01-02T03:04:05.000Z");
    assert_eq!(document["maintainers"].as_array().unwrap().len(), 1);
    assert_eq!(
        get(&registry, "/@demo/pad/-/pad-1.1.1.tgz", &[]).status,
        404
    );
    registry.set_now("2023-01-01T00:00:00Z");
    assert_eq!(get(&registry, "/@demo/pad", &[]).status, 404);
}

#[test]
fn a_release_taken_down_stays_in_time_only() {
    let registry = demo();
    registry.update("@demo/pad", |mut package| {
        let release = package.release_mut("1.1.1").unwrap();
        *release = release.clone().unpublished("2026-01-03T00:00:00Z");
        package
    });
    registry.set_now("2026-01-02T12:00:00Z");
    assert_eq!(get(&registry, "/@demo/pad/1.1.1", &[]).status, 200);
    registry.set_now("2026-01-03T12:00:00Z");
    let document = get(&registry, "/@demo/pad", &[]).json();
    assert_eq!(document["dist-tags"]["latest"], "1.1.0");
    assert_eq!(document["time"]["1.1.1"], "2026-01-02T03:04:05.000Z");
    assert!(document["versions"].get("1.1.1").is_none());
    assert_eq!(
        get(&registry, "/@demo/pad/-/pad-1.1.1.tgz", &[]).status,
        404
    );
}

#[test]
fn validators_answer_304_until_something_changes() {
    let registry = demo();
    registry.set_now("2025-03-01T00:00:00Z");
    let first = get(&registry, "/@demo/pad", &[]);
    let tag = first.header("etag").unwrap().to_owned();
    let again = get(
        &registry,
        "/@demo/pad",
        &[("if-none-match", &format!("W/{tag}"))],
    );
    assert_eq!((again.status, again.body.len()), (304, 0));
    let date = first.header("last-modified").unwrap();
    assert_eq!(date, "Thu, 02 Jan 2025 03:04:05 GMT");
    assert_eq!(
        get(&registry, "/@demo/pad", &[("if-modified-since", date)]).status,
        304
    );
    registry.set_now("2026-03-01T00:00:00Z");
    assert_eq!(
        get(&registry, "/@demo/pad", &[("if-none-match", &tag)]).status,
        200
    );
}

#[test]
fn documents_are_compressed_for_those_who_ask() {
    let registry = demo();
    let reply = get(
        &registry,
        "/@demo/pad",
        &[("accept-encoding", "gzip, deflate")],
    );
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    GzDecoder::new(&*reply.body)
        .read_to_end(&mut plain)
        .unwrap();
    assert_eq!(plain, get(&registry, "/@demo/pad", &[]).body);
}

#[test]
fn signatures_verify_against_the_keys() {
    let registry = demo();
    registry.update("@demo/pad", |package| {
        package.release(Release::new("3.0.0").wrongly_signed())
    });
    let key = get(&registry, "/-/npm/v1/keys", &[]).json()["keys"][0].clone();
    let spki = STANDARD.decode(key["key"].as_str().unwrap()).unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, spki);
    let document = registry.packument("@demo/pad").unwrap();
    for (version, good) in [("1.0.0", true), ("3.0.0", false)] {
        let dist = &document["versions"][version]["dist"];
        let message = format!(
            "@demo/pad@{version}:{}",
            dist["integrity"].as_str().unwrap()
        );
        assert_eq!(dist["signatures"][0]["keyid"], key["keyid"]);
        let signature = dist["signatures"][0]["sig"].as_str().unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        assert_eq!(public.verify(message.as_bytes(), &signature).is_ok(), good);
    }
}

#[test]
fn attestations_name_their_subject_and_claims() {
    let registry = demo();
    registry.update("@demo/pad", |package| {
        let provenance = Provenance::from_repository("https://git.example.invalid/demo/pad");
        package.release(Release::new("1.2.0").attested_with(provenance.reference("refs/heads/x")))
    });
    assert_eq!(
        get(&registry, "/-/npm/v1/attestations/@demo%2fpad@1.0.0", &[]).status,
        404
    );
    let document = get(&registry, "/-/npm/v1/attestations/@demo%2fpad@1.2.0", &[]).json();
    let bundle = &document["attestations"][1]["bundle"];
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let statement: Value = serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap();
    assert_eq!(statement["subject"][0]["name"], "pkg:npm/%40demo/pad@1.2.0");
    let workflow = "/predicate/buildDefinition/externalParameters/workflow/ref";
    assert_eq!(statement.pointer(workflow).unwrap(), "refs/heads/x");
}

#[test]
fn manifests_can_disagree_with_tarballs() {
    let registry = Registry::start();
    registry.add(
        Package::new("confused").release(
            Release::new("1.0.0")
                .tarball_manifest(json!({"name": "confused", "version": "1.0.0", "scripts": {"install": "node x"}}))
                .packument_field("deprecated", json!("old"))
                .dist_field("integrity", Value::Null),
        ),
    );
    registry.add(Package::new("built").release(Release::new("1.0.0").gypfile()));
    let document = registry.packument("confused").unwrap();
    let version = &document["versions"]["1.0.0"];
    assert!(version.get("scripts").is_none());
    assert!(version["dist"].get("integrity").is_none());
    assert_eq!(version["deprecated"], "old");
    let mut tar = Vec::new();
    let tarball = registry.tarball("confused", "1.0.0").unwrap();
    GzDecoder::new(&*tarball).read_to_end(&mut tar).unwrap();
    assert!(String::from_utf8_lossy(&tar).contains("node x"));
    let built = registry.packument("built").unwrap();
    assert_eq!(
        built["versions"]["1.0.0"]["scripts"]["install"],
        "node-gyp rebuild"
    );
}

#[test]
fn faults_strike_as_often_as_asked() {
    let registry = demo();
    registry.fault(
        Fault::on("/@demo/pad")
            .status(503)
            .header("retry-after", "1")
            .skip(1)
            .times(1),
    );
    let statuses: Vec<u16> = (0..3)
        .map(|_| get(&registry, "/@demo/pad", &[]).status)
        .collect();
    assert_eq!(statuses, [200, 503, 200]);
}

#[test]
fn bodies_can_be_cut_wrong_slow_or_unmeasured() {
    let registry = demo();
    let path = "/@demo/pad/-/pad-1.1.1.tgz";
    let good = get(&registry, path, &[]);
    assert!(good.whole);
    assert_eq!(good.body, registry.tarball("@demo/pad", "1.1.1").unwrap());

    registry.fault(Fault::on("*.tgz").cut_after(100).times(1));
    let cut = get(&registry, path, &[]);
    assert_eq!((cut.status, cut.body.len(), cut.whole), (200, 100, false));

    registry.fault(Fault::on("*.tgz").wrong_bytes().times(1));
    let wrong = get(&registry, path, &[]);
    assert_eq!(wrong.body.len(), good.body.len());
    assert_ne!(wrong.body, good.body);

    registry.fault(Fault::on("*.tgz").without_length().times(1));
    let unmeasured = get(&registry, path, &[]);
    assert_eq!(unmeasured.header("content-length"), None);
    assert_eq!(unmeasured.header("transfer-encoding"), Some("chunked"));

    registry.fault(
        Fault::on("*.tgz")
            .drip(200, Duration::from_millis(30))
            .times(1),
    );
    let start = Instant::now();
    assert_eq!(get(&registry, path, &[]).body, good.body);
    assert!(start.elapsed() >= Duration::from_millis(60));

    registry.fault(Fault::on("*.tgz").drop_connection().times(1));
    assert_eq!(get(&registry, path, &[]).status, 0);
    assert!(registry.requests().last().unwrap().status.is_none());
}

#[test]
fn answers_can_stall_or_never_come() {
    let registry = demo();
    registry.fault(Fault::on("/@demo/pad").hang());
    registry.fault(Fault::on("*.tgz").stall_after(10));
    let (headers, body): (&[(&str, &str)], &[u8]) = (&[], b"");
    let patience = Duration::from_millis(200);
    let hung = send_within(&registry, "GET", "/@demo/pad", headers, body, patience);
    assert_eq!(hung.status, 0);
    let path = "/@demo/pad/-/pad-1.0.0.tgz";
    let stalled = send_within(&registry, "GET", path, headers, body, patience);
    assert_eq!((stalled.body.len(), stalled.whole), (10, false));
    registry.clear_faults();
    assert_eq!(get(&registry, "/@demo/pad", &[]).status, 200);
}

#[test]
fn tokens_are_asked_for_and_logged() {
    let registry = demo();
    registry.require_token("s3cret");
    assert_eq!(get(&registry, "/-/ping", &[]).status, 200);
    assert_eq!(get(&registry, "/@demo/pad", &[]).status, 401);
    let good = ("authorization", "Bearer s3cret");
    assert_eq!(
        get(&registry, "/-/whoami", &[good]).json()["username"],
        "tester"
    );
    assert_eq!(get(&registry, "/@demo%2fpad", &[good]).status, 200);
    let requests = registry.requests_to("/@demo/*");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(requests[1].target, "/@demo%2fpad");
    assert_eq!(requests[1].status.unwrap(), 200);
}

#[test]
fn audits_report_what_is_affected() {
    let registry = demo();
    registry.advise(Advisory::new("@demo/pad", "<1.1.0", ["1.0.0"]).severity("critical"));
    let body = crate::tarball::gzip(br#"{"@demo/pad":["1.0.0"],"other":["1.0.0"]}"#);
    let gzipped = [("content-encoding", "gzip")];
    let path = "/-/npm/v1/security/advisories/bulk";
    let report = send(&registry, "POST", path, &gzipped, &body).json();
    assert_eq!(report["@demo/pad"][0]["severity"], "critical");
    let none = send(&registry, "POST", path, &[], br#"{"@demo/pad":["1.1.0"]}"#).json();
    assert_eq!(none, json!({}));
    let tree = br#"{"dependencies":{"a":{"version":"1.0.0","dependencies":{"@demo/pad":{"version":"1.0.0"}}}}}"#;
    let report = send(
        &registry,
        "POST",
        "/-/npm/v1/security/audits/quick",
        &[],
        tree,
    )
    .json();
    assert_eq!(report["metadata"]["vulnerabilities"]["critical"], 1);
    assert_eq!(
        report["advisories"]["1000"]["findings"][0]["paths"][0],
        "a>@demo/pad"
    );
}

#[test]
fn the_feed_grows_with_the_clock() {
    let registry = demo();
    registry.add(
        Package::new("other").release(Release::new("1.0.0").published("2024-06-01T00:00:00Z")),
    );
    registry.set_now("2025-03-01T00:00:00Z");
    let feed = get(&registry, "/registry/_changes?since=0&limit=10", &[]).json();
    assert_eq!(feed["results"].as_array().unwrap().len(), 2);
    let since = feed["last_seq"].clone();
    registry.set_now("2026-03-01T00:00:00Z");
    let path = format!("/registry/_changes?since={since}");
    let feed = get(&registry, &path, &[]).json();
    assert_eq!(feed["results"][0]["id"], "@demo/pad");
    assert_eq!(feed["results"].as_array().unwrap().len(), 1);
    let path = format!("/registry/_changes?since={}", feed["last_seq"]);
    assert_eq!(get(&registry, &path, &[]).json()["results"], json!([]));
}

#[test]
fn other_paths_answer_as_the_public_registry_does() {
    let registry = demo();
    assert_eq!(
        get(&registry, "/@demo/pad/latest", &[]).json()["version"],
        "1.1.1"
    );
    assert_eq!(
        get(&registry, "/@demo%2fpad/1.0.0", &[]).json()["version"],
        "1.0.0"
    );
    assert_eq!(get(&registry, "/@demo/pad/9.9.9", &[]).status, 404);
    assert_eq!(get(&registry, "/absent", &[]).json()["error"], "Not found");
    assert_eq!(
        get(&registry, "/@demo%2fpad/-/pad-1.0.0.tgz", &[]).status,
        200
    );
    let tags = get(&registry, "/-/package/@demo%2fpad/dist-tags", &[]).json();
    assert_eq!(tags["next"], "2.0.0-rc.1");
    let head = send(&registry, "HEAD", "/@demo/pad", &[], b"");
    assert!(head.body.is_empty() && head.header("etag").is_some());
    let search = get(&registry, "/-/v1/search?text=pad", &[]).json();
    assert_eq!(search["objects"][0]["package"]["name"], "@demo/pad");
    registry.serve("/@demo/pad", 200, "text/html", "<html>");
    assert_eq!(get(&registry, "/@demo%2fpad", &[]).body, b"<html>");
}

#[test]
fn documents_can_be_bent() {
    let registry = demo();
    registry.present_tarballs_at("https://registry.example.invalid/");
    registry.edit_packument("@demo/pad", |document| {
        document.as_object_mut().unwrap().remove("time");
    });
    let document = get(&registry, "/@demo/pad", &[]).json();
    assert!(document.get("time").is_none());
    assert_eq!(
        document["versions"]["1.0.0"]["dist"]["tarball"],
        "https://registry.example.invalid/@demo/pad/-/pad-1.0.0.tgz"
    );
}

#[test]
fn a_bare_mirror_says_little() {
    let registry = demo();
    registry.set_flavour(Flavour::BareMirror);
    let reply = get(&registry, "/@demo/pad", &[CORGI]);
    assert!(reply.header("etag").is_none());
    let document = reply.json();
    assert_eq!(document["dist-tags"], json!({"latest": "1.1.1"}));
    assert_eq!(document["time"]["1.0.0"], "2024-01-02T03:04:05.678+00:00");
    assert!(document["time"].get("created").is_none());
    let version = &document["versions"]["1.1.1"];
    assert_eq!(version["scripts"]["postinstall"], "node x.js");
    assert!(version.get("_npmUser").is_none() && version["dist"].get("signatures").is_none());
    assert_eq!(get(&registry, "/-/npm/v1/keys", &[]).status, 404);
    assert_eq!(send(&registry, "POST", "/x", &[], b"").status, 405);
}

#[test]
fn latest_moves_as_publishing_moves_it() {
    let registry = Registry::start();
    registry.add(
        Package::new("lines")
            .release(Release::new("1.0.0"))
            .release(Release::new("2.0.0"))
            .release(Release::new("1.0.1"))
            .release(Release::new("2.1.0-beta.1"))
            .tag("lts", "1.0.1"),
    );
    let tags = registry.packument("lines").unwrap()["dist-tags"].clone();
    assert_eq!(tags, json!({"latest": "2.0.0", "lts": "1.0.1"}));
}

#[test]
fn patterns_match_across_slashes() {
    assert!(fault::glob("/@s/*.tgz", "/@s/n/-/n-1.0.0.tgz"));
    assert!(fault::glob("*", ""));
    assert!(!fault::glob("/a", "/ab"));
    assert!(!fault::glob("/*b", "/a"));
}
