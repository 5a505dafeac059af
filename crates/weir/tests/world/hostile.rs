//! Input that is broken or built to break: each is an error or a finding, never silence, never a
//! panic, and never memory of the process that talks to clients.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use weir_testing::tarball::{Entry, gzip, tar, tgz};
use weir_testing::{Package, Registry, Release};

use crate::support::{Gateway, NPM, World, output};

const MANIFEST: &str = r#"{"name": "mud", "version": "1.0.0", "main": "index.js"}"#;

/// A hostile tarball: what it is, its bytes, and a word that the explanation has to hold.
struct Mud {
    what: &'static str,
    bytes: Vec<u8>,
    word: &'static str,
}

fn mud(what: &'static str, bytes: impl Into<Vec<u8>>, word: &'static str) -> Mud {
    Mud {
        what,
        bytes: bytes.into(),
        word,
    }
}

fn with(mut more: Vec<Entry>) -> Vec<u8> {
    let mut entries = vec![Entry::file("package/package.json", MANIFEST)];
    entries.append(&mut more);
    tgz(&entries).to_vec()
}

/// Replaces bytes of a header and makes its checksum right again.
fn patched(entries: &[Entry], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut archive = tar(entries);
    let at = archive
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    let block = at / 512 * 512;
    archive[at..at + to.len()].copy_from_slice(to);
    archive[block + 148..block + 156].fill(b' ');
    let sum: u32 = archive[block..block + 512]
        .iter()
        .map(|byte| u32::from(*byte))
        .sum();
    archive[block + 148..block + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    gzip(&archive).to_vec()
}

/// A tar archive with one huge entry, written piece by piece: it exists only compressed.
fn huge(path: &str, length: u64, piece: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let manifest = tar(&[Entry::file("package/package.json", MANIFEST)]);
    encoder
        .write_all(&manifest[..manifest.len() - 1024])
        .unwrap();
    let header = tar(&[Entry {
        claimed_size: Some(length),
        ..Entry::file(path, "")
    }]);
    encoder.write_all(&header[..512]).unwrap();
    let mut left = length.next_multiple_of(512);
    while left > 0 {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        encoder.write_all(&piece[..take]).unwrap();
        left -= take as u64;
    }
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

/// Text without line breaks that deflate shrinks by less than the reader's limit on ratios.
fn one_line() -> Vec<u8> {
    let text = (0..3000_u32)
        .map(|n| format!("{:08x};", n.wrapping_mul(2_654_435_761)))
        .collect::<String>();
    format!("'{text}';").into_bytes()
}

fn archives() -> Vec<Mud> {
    let ordinary = with(vec![Entry::file(
        "package/index.js",
        "module.exports = 1;\n".repeat(500),
    )]);
    let twice = |path: &str, text: &str| Entry::file(path, text);
    vec![
        mud("nothing", Vec::new(), "the archive is empty"),
        mud("text", "this is not an archive", "not-an-archive"),
        mud(
            "a plain tar",
            tar(&[Entry::file("package/package.json", MANIFEST)]),
            "gzip",
        ),
        mud("gzip of nothing", gzip(b"").to_vec(), "tar"),
        mud("gzip of noise", gzip(&one_line()).to_vec(), ""),
        mud("cut in half", &ordinary[..ordinary.len() / 2], ""),
        mud(
            "cut before its checksum",
            &ordinary[..ordinary.len() - 8],
            "",
        ),
        mud(
            "something after its end",
            [&ordinary[..], b"more"].concat(),
            "",
        ),
        mud(
            "an absolute path",
            with(vec![Entry::file("/etc/cron.d/mud", "x")]),
            "",
        ),
        mud(
            "a path upward",
            with(vec![Entry::file("package/../../.bashrc", "x")]),
            "",
        ),
        mud(
            "a link",
            with(vec![Entry::symlink("package/lib", "/etc")]),
            "link",
        ),
        mud(
            "a hard link",
            with(vec![Entry {
                kind: b'1',
                link: "package/package.json".into(),
                ..Entry::file("package/a", "")
            }]),
            "link",
        ),
        mud(
            "a device",
            with(vec![Entry {
                kind: b'3',
                ..Entry::file("package/a", "")
            }]),
            "",
        ),
        mud(
            "the same path twice",
            with(vec![
                twice("package/index.js", "good()"),
                twice("package/index.js", "evil()"),
            ]),
            "occurs again",
        ),
        mud(
            "two manifests",
            with(vec![twice(
                "package/package.json",
                r#"{"name": "mud", "version": "6.6.6"}"#,
            )]),
            "",
        ),
        mud(
            "a name that is not UTF-8",
            patched(
                &[
                    Entry::file("package/package.json", MANIFEST),
                    Entry::file("package/XX.js", "x"),
                ],
                b"XX.js",
                b"\xff\xfe.js",
            ),
            "UTF-8",
        ),
        mud(
            "a size below zero",
            patched(
                &[
                    Entry::file("package/package.json", MANIFEST),
                    Entry::file("package/a.js", "x"),
                ],
                b"00000000001\0",
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            "",
        ),
        mud(
            "a manifest that is not JSON",
            tgz(&[Entry::file("package/package.json", "{ nope")]),
            "package.json",
        ),
        mud(
            "a manifest that is a list",
            tgz(&[Entry::file("package/package.json", "[]")]),
            "package.json",
        ),
        mud(
            "no manifest",
            tgz(&[Entry::file("package/index.js", "1")]),
            "package.json",
        ),
        mud(
            "a manifest nested beyond reason",
            tgz(&[Entry::file(
                "package/package.json",
                format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)),
            )]),
            "package.json",
        ),
        mud(
            "code nested beyond reason",
            with(vec![Entry::file(
                "package/index.js",
                format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)),
            )]),
            "index.js",
        ),
        mud(
            "arrays nested beyond reason",
            with(vec![Entry::file(
                "package/index.js",
                format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
            )]),
            "index.js",
        ),
        mud(
            "code that is no text",
            with(vec![Entry::file(
                "package/index.js",
                [0_u8, 255, 1, 254].repeat(64),
            )]),
            "index.js",
        ),
        mud(
            "a bomb",
            huge("package/data.bin", 600 << 20, &[0; 1 << 16]),
            "declares 629145600 bytes",
        ),
        mud(
            "a file of 200 MB on one line",
            huge("package/index.js", 200 << 20, &one_line()),
            "index.js",
        ),
        mud("a hundred thousand and one files", swarm(100_001), "100000"),
    ]
}

fn swarm(count: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for number in 0..count {
        let archive = tar(&[Entry::file(format!("package/{number}"), "")]);
        encoder.write_all(&archive[..512]).unwrap();
    }
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

/// What somebody who looks does not see, if there is such a thing.
fn overlooked(mud: &Mud, assessment: &Value) -> Option<String> {
    let findings = assessment["findings"].as_array().unwrap();
    let gaps = assessment["incomplete"].as_array().unwrap();
    let contents_read = gaps.iter().all(|gap| gap["what"] != "contents");
    let silent = findings.is_empty() && contents_read;
    let said = assessment.to_string().contains(mud.word);
    (silent || !said).then(|| format!("{}: no {:?} in {assessment}", mud.what, mud.word))
}

#[test]
fn hostile_tarballs_are_findings_or_errors_for_whoever_inspects_them() {
    let world = World::new();
    let archives = archives();
    let mut command = world.weir_before(&Registry::start());
    command.args(["inspect", "--json"]);
    for (number, mud) in archives.iter().enumerate() {
        command.arg(world.write(&format!("work/mud-{number:02}.tgz"), &mud.bytes));
    }
    let run = output(&mut command);
    let assessments: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(assessments.len(), archives.len(), "{}", run.stderr);
    let overlooked: Vec<String> = archives
        .iter()
        .zip(&assessments)
        .filter_map(|(mud, assessment)| overlooked(mud, assessment))
        .collect();
    assert!(overlooked.is_empty(), "{}", overlooked.join("\n"));
}

/// Old enough that age says nothing: what refuses them is what they are.
#[test]
fn hostile_tarballs_do_not_pass_the_gateway_and_cost_it_no_memory() {
    let (world, registry) = (World::new(), Registry::start());
    let archives = archives();
    for (number, mud) in archives.iter().enumerate() {
        registry.add(
            Package::new(format!("mud-{number:02}"))
                .maintainer("mud")
                .release(
                    Release::new("1.0.0")
                        .published("2024-01-02T03:04:05.678Z")
                        .raw_tarball(mud.bytes.clone()),
                ),
        );
    }
    let gateway = world.serve(&registry);
    for (number, mud) in archives.iter().enumerate() {
        let path = format!("/mud-{number:02}/-/mud-{number:02}-1.0.0.tgz");
        let reply = gateway.get(&path, &[("user-agent", NPM)]);
        let decision = reply
            .header("x-weir-decision")
            .unwrap_or("error")
            .to_owned();
        // What every extractor reads alike may pass with a notice; nothing passes in silence.
        assert!(
            matches!(
                (reply.status, decision.as_str()),
                (403 | 502, _) | (200, "notice")
            ),
            "{}: {} {decision} {}",
            mud.what,
            reply.status,
            reply.reason
        );
    }
    let peak = gateway.peak_memory();
    assert!(peak < 300, "the gateway held {peak} MiB");
    assert_eq!(gateway.get("/-/weir/ready", &[]).status, 200);
}

/// What an upstream may answer for a packument.
fn documents() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!(
        r#"{{"name": "mud", "x": {}{}, "versions": {{}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    vec![
        ("nothing", Vec::new()),
        (
            "broken JSON",
            br#"{"name": "mud", "versions": {"1.0.0": "#.to_vec(),
        ),
        ("HTML", b"<!doctype html><title>Sign in</title>".to_vec()),
        ("a list", b"[1, 2, 3]".to_vec()),
        (
            "another package",
            br#"{"name": "silt", "dist-tags": {}, "versions": {}}"#.to_vec(),
        ),
        (
            "versions twice",
            br#"{"name": "mud", "versions": {}, "versions": {"1.0.0": {}}}"#.to_vec(),
        ),
        ("nesting beyond reason", deep.into_bytes()),
        (
            "bytes that are not UTF-8",
            b"{\"name\": \"mud\", \"x\": \"\xff\xfe\", \"versions\": {}}".to_vec(),
        ),
        (
            "too much",
            format!(r#"{{"name": "mud", "x": "{}"}}"#, "x".repeat(3 << 20)).into_bytes(),
        ),
    ]
}

#[test]
fn packuments_that_cannot_be_used_are_errors_of_the_upstream() {
    let (world, registry) = (World::new(), Registry::start());
    world.policy("[limits]\npackument_size = \"2 MiB\"\n");
    for (what, body) in documents() {
        registry.serve("/mud", 200, "application/json", body);
        let gateway = world.serve(&registry);
        for path in ["/mud", "/mud/-/mud-1.0.0.tgz", "/mud/latest"] {
            let reply = gateway.get(path, &[("user-agent", NPM)]);
            let expected = if path.ends_with(".tgz") { 404 } else { 424 };
            assert_eq!(reply.status, expected, "{what} at {path}: {}", reply.text());
            let said = reply.json()["error"].as_str().unwrap().to_owned();
            assert!(said.contains("mud"), "{what}: {said}");
        }
        let inspected = world.run_before(&registry, &["inspect", "mud"]);
        assert_eq!(inspected.code, Some(1), "{what}: {}", inspected.text());
        assert!(
            inspected.stderr.contains("mud"),
            "{what}: {}",
            inspected.stderr
        );
    }
}

fn edited(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> (World, Registry, Gateway) {
    let (world, registry) = (World::new(), crate::support::river());
    registry.edit_packument("gauge-reader", edit);
    let gateway = world.serve(&registry);
    (world, registry, gateway)
}

/// One rotten version does not take its siblings with it, and does not pass itself.
#[test]
fn versions_that_cannot_be_used_are_left_out_or_refused() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 7] = [
        ("no dist", |version| {
            drop(version.as_object_mut().unwrap().remove("dist"))
        }),
        ("dist is text", |version| {
            version["dist"] = "https://x.invalid/".into()
        }),
        ("a number for a version", |version| *version = 7.into()),
        ("integrity that is none", |version| {
            version["dist"]["integrity"] = "sha512-nonsense".into();
            version["dist"].as_object_mut().unwrap().remove("shasum");
        }),
        ("a tarball on another scheme", |version| {
            version["dist"]["tarball"] = "file:///etc/passwd".into()
        }),
        ("a tarball that is a number", |version| {
            version["dist"]["tarball"] = 7.into()
        }),
        ("another name inside", |version| {
            version["name"] = "silt".into()
        }),
    ];
    for (what, edit) in edits {
        let (_world, registry, gateway) =
            edited(move |document| edit(&mut document["versions"]["1.1.0"]));
        let reply = gateway.get("/gauge-reader", &[("user-agent", NPM)]);
        assert_eq!(reply.status, 200, "{what}: {}", reply.text());
        assert!(reply.json()["versions"]["1.0.0"].is_object(), "{what}");
        let good = gateway.get("/gauge-reader/-/gauge-reader-1.0.0.tgz", &[]);
        assert_eq!(good.status, 200, "{what}: {}", good.text());
        let bad = gateway.get("/gauge-reader/-/gauge-reader-1.1.0.tgz", &[]);
        let right = registry.tarball("gauge-reader", "1.1.0").unwrap();
        // The bytes themselves are fine here; where they match what is said, they may pass.
        assert!(
            matches!(bad.status, 403 | 404) || (bad.status == 200 && bad.body == right),
            "{what}: {} {}",
            bad.status,
            bad.text()
        );
    }
}

#[test]
fn odd_times_and_tags_do_no_harm() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 6] = [
        ("no time", |document| {
            drop(document.as_object_mut().unwrap().remove("time"))
        }),
        ("time is a list", |document| {
            document["time"] = serde_json::json!([1, 2])
        }),
        ("a time that is none", |document| {
            document["time"]["1.1.0"] = "yesterday".into()
        }),
        ("no tags", |document| {
            drop(document.as_object_mut().unwrap().remove("dist-tags"))
        }),
        ("a tag on nothing", |document| {
            document["dist-tags"]["latest"] = "9.9.9".into()
        }),
        ("a tag that is a number", |document| {
            document["dist-tags"]["latest"] = 9.into()
        }),
    ];
    for (what, edit) in edits {
        let (_world, _registry, gateway) = edited(edit);
        let reply = gateway.get("/gauge-reader", &[("user-agent", NPM)]);
        match reply.status {
            200 => {
                let document = reply.json();
                assert!(document["time"].is_object(), "{what}");
                if let Some(latest) = document["dist-tags"]["latest"].as_str() {
                    assert!(
                        document["versions"][latest].is_object(),
                        "{what}: latest is {latest}"
                    );
                    assert_ne!(latest, "1.2.0", "{what}: held");
                }
            }
            status => assert!(
                matches!(status, 403 | 502),
                "{what}: {status} {}",
                reply.text()
            ),
        }
    }
}

#[test]
fn requests_that_name_nothing_are_answered_and_go_nowhere() {
    let (world, registry) = (World::new(), Registry::start());
    let gateway = world.serve(&registry);
    for path in [
        "/..%2f..%2fetc%2fpasswd",
        "/%00",
        "/%ff%fe",
        "/@/",
        "/@s",
        "/-",
        "/node_modules",
        "/a/-/..%2f..%2fb.tgz",
        "/a/-/",
        "/a/-/b-1.0.0.tgz",
        "/A%20B",
        "//a",
        "/%E2%80%AEa",
    ] {
        let reply = gateway.get(path, &[]);
        assert!(
            matches!(reply.status, 403 | 404),
            "{path}: {} {}",
            reply.status,
            reply.text()
        );
    }
    let long = gateway.get(&format!("/{}", "a".repeat(5000)), &[]);
    assert!(matches!(long.status, 404 | 414), "{}", long.status);
    for request in registry.requests() {
        assert!(
            !request.target.contains("..") && !request.target.contains("%2f."),
            "{}",
            request.target
        );
    }
    assert_eq!(gateway.get("/-/weir/health", &[]).status, 200);
}
