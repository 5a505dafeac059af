//! Advisories of others: malware blocks, except where one feed alone is not enough; flaws open the
//! way for their fix.

use std::io::Write;

use weir_testing::{Package, Registry, Release};

use crate::support::{Gateway, NPM, World, assert_explained, river};

const GOOD: &str = "/gauge-reader/-/gauge-reader-1.1.0.tgz";
const YOUNG: &str = "/gauge-reader/-/gauge-reader-1.2.0.tgz";

/// An OSV record; `extra` goes in at the top.
fn record(id: &str, package: &str, affected: &str, extra: &str) -> String {
    format!(
        r#"{{"schema_version": "1.7.4", "id": "{id}", {extra} "published": "2026-11-19T08:00:00Z",
            "modified": "2026-11-19T09:00:00Z", "summary": "an inert record",
            "affected": [{{"package": {{"ecosystem": "npm", "name": "{package}"}}, {affected}}}]}}"#
    )
}

fn import(world: &World, files: &[(&str, String)]) -> String {
    for (name, text) in files {
        world.write(&format!("work/osv/{name}.json"), text);
    }
    let run = world.run(&["advisories", "import", "osv"]);
    run.assert_success();
    run.stdout
}

fn ask(gateway: &Gateway, path: &str) -> (u16, String) {
    let reply = gateway.get(path, &[("user-agent", NPM)]);
    (reply.status, reply.reason)
}

#[test]
fn malware_is_blocked_by_version_and_by_package() {
    let (world, registry) = (World::new(), river());
    let whole = r#""ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]"#;
    let report = import(
        &world,
        &[
            (
                "MAL-2026-1",
                record("MAL-2026-1", "gauge-reader", r#""versions": ["1.1.0"]"#, ""),
            ),
            (
                "MAL-2026-2",
                record("MAL-2026-2", "@millpond/sluice", whole, ""),
            ),
        ],
    );
    assert!(report.contains("2 malware"), "{report}");
    let gateway = world.serve(&registry);
    gateway.packument(NPM, "gauge-reader");
    let (status, reason) = ask(&gateway, GOOD);
    assert_eq!(status, 403);
    assert!(
        reason.contains("Blocked by weir") && reason.contains("MAL-2026-1"),
        "{reason}"
    );
    assert_explained(&world, &reason, "gauge-reader@1.1.0");
    let document = gateway.packument(NPM, "gauge-reader");
    assert_eq!(document["dist-tags"]["latest"], "1.0.0");
    assert!(
        document["versions"]["1.1.0"]["deprecated"]
            .as_str()
            .unwrap()
            .starts_with("BLOCKED by weir")
    );
    let (status, reason) = ask(&gateway, "/@millpond%2fsluice");
    assert_eq!(status, 403, "a package of which all is malware: {reason}");
}

#[test]
fn withdrawn_records_and_other_ecosystems_say_nothing() {
    let (world, registry) = (World::new(), river());
    let withdrawn = r#""withdrawn": "2026-11-19T10:00:00Z","#;
    let elsewhere = record("MAL-2026-4", "gauge-reader", r#""versions": ["1.1.0"]"#, "")
        .replace("\"npm\"", "\"PyPI\"");
    let report = import(
        &world,
        &[
            (
                "MAL-2026-3",
                record(
                    "MAL-2026-3",
                    "gauge-reader",
                    r#""versions": ["1.1.0"]"#,
                    withdrawn,
                ),
            ),
            ("MAL-2026-4", elsewhere),
        ],
    );
    assert!(report.contains("1 withdrawn"), "{report}");
    let gateway = world.serve(&registry);
    assert_eq!(ask(&gateway, GOOD).0, 200);
}

#[test]
fn a_release_served_before_is_blocked_once_an_advisory_names_it_and_freed_when_it_is_withdrawn() {
    let (world, registry) = (World::new(), river());
    let mut gateway = world.serve(&registry);
    assert_eq!(ask(&gateway, GOOD).0, 200);
    gateway.stop();
    let malware = |extra: &str, modified: &str| {
        record(
            "MAL-2026-5",
            "gauge-reader",
            r#""versions": ["1.1.0"]"#,
            extra,
        )
        .replace("09:00", modified)
    };
    import(&world, &[("MAL-2026-5", malware("", "09:00"))]);
    let mut gateway = world.serve(&registry);
    assert_eq!(ask(&gateway, GOOD).0, 403);
    gateway.stop();
    import(
        &world,
        &[(
            "MAL-2026-5",
            malware(r#""withdrawn": "2026-11-19T10:00:00Z","#, "10:00"),
        )],
    );
    let gateway = world.serve(&registry);
    assert_eq!(ask(&gateway, GOOD).0, 200);
}

/// An import by another process reaches a gateway that runs.
#[test]
fn a_running_gateway_notices_an_import() {
    let (world, registry) = (World::new(), river());
    let gateway = world.serve(&registry);
    assert_eq!(ask(&gateway, GOOD).0, 200);
    let malware = record("MAL-2026-8", "gauge-reader", r#""versions": ["1.1.0"]"#, "");
    import(&world, &[("MAL-2026-8", malware)]);
    crate::support::eventually("the advisory is in force", || ask(&gateway, GOOD).0 == 403);
    assert_eq!(
        gateway.packument(NPM, "gauge-reader")["dist-tags"]["latest"],
        "1.0.0"
    );
}

/// One feed alone never blocks what everybody uses: it holds and asks a person.
#[test]
fn a_popular_package_is_held_rather_than_blocked() {
    let (world, registry) = (World::new(), Registry::start());
    registry.add(
        Package::new("lodash")
            .maintainer("mill")
            .release(Release::new("4.17.20").published("2020-08-13T16:53:54.152Z"))
            .release(Release::new("4.17.21").published("2021-02-20T15:42:16.891Z")),
    );
    import(
        &world,
        &[(
            "MAL-2026-6",
            record("MAL-2026-6", "lodash", r#""versions": ["4.17.21"]"#, ""),
        )],
    );
    let gateway = world.serve(&registry);
    let reply = gateway.get("/lodash/-/lodash-4.17.21.tgz", &[]);
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.header("x-weir-decision"),
        Some("hold"),
        "{}",
        reply.reason
    );
    assert!(reply.reason.contains("MAL-2026-6") || reply.text().contains("MAL-2026-6"));
    assert_eq!(
        gateway.packument(NPM, "lodash")["dist-tags"]["latest"],
        "4.17.20"
    );
}

#[test]
fn a_young_release_that_fixes_a_flaw_is_not_held_for_its_age() {
    let (world, registry) = (World::new(), river());
    let before =
        r#""ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.0"}]}]"#;
    let mut gateway = world.serve(&registry);
    assert_eq!(ask(&gateway, YOUNG).0, 403);
    gateway.stop();
    let report = import(
        &world,
        &[(
            "GHSA-inert",
            record("GHSA-aaaa-bbbb-cccc", "gauge-reader", before, ""),
        )],
    );
    assert!(report.contains("1 vulnerability"), "{report}");
    // It has no provenance, where the one before had: a fix does not make up for that.
    let mut gateway = world.serve(&registry);
    assert_eq!(ask(&gateway, YOUNG).0, 403);
    gateway.stop();
    registry.edit_packument("gauge-reader", |document| {
        for manifest in document["versions"].as_object_mut().unwrap().values_mut() {
            let dist = manifest["dist"].as_object_mut().unwrap();
            dist.remove("attestations");
        }
    });
    let world = World::new();
    let record = record("GHSA-aaaa-bbbb-cccc", "gauge-reader", before, "");
    import(&world, &[("GHSA-inert", record)]);
    let gateway = world.serve(&registry);
    let (status, reason) = ask(&gateway, YOUNG);
    assert_eq!(status, 200, "{reason}");
    assert_eq!(
        gateway.packument(NPM, "gauge-reader")["dist-tags"]["latest"],
        "1.2.0"
    );
    // A flaw is no reason to refuse the old one: that is for audits.
    assert_eq!(ask(&gateway, GOOD).0, 200);
}

#[test]
fn a_young_release_past_the_last_affected_one_is_held_as_any_other() {
    for affected in [
        r#""ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"last_affected": "1.1.0"}]}]"#,
        r#""versions": ["1.0.0", "1.1.0"]"#,
    ] {
        let (world, registry) = (World::new(), river());
        let last = record("GHSA-aaaa-bbbb-cccc", "gauge-reader", affected, "");
        import(&world, &[("GHSA-inert", last)]);
        let gateway = world.serve(&registry);
        let (status, reason) = ask(&gateway, YOUNG);
        assert_eq!(status, 403, "{affected}: {reason}");
        assert_eq!(
            gateway.packument(NPM, "gauge-reader")["dist-tags"]["latest"],
            "1.1.0"
        );
    }
}

#[test]
fn archives_are_imported_and_bad_records_are_named() {
    let world = World::new();
    let file = std::fs::File::create(world.path("work/all.zip")).unwrap();
    let mut archive = zip(file);
    archive.add(
        "npm/MAL-2026-7.json",
        &record("MAL-2026-7", "gauge-reader", r#""versions": ["1.1.0"]"#, ""),
    );
    archive.add("npm/broken.json", "{ not json");
    archive.finish();
    let run = world.run(&["advisories", "import", "all.zip"]);
    assert_eq!(
        run.code,
        Some(1),
        "what could not be used is not passed over: {}",
        run.text()
    );
    assert!(run.stdout.contains("1 malware"), "{}", run.text());
    assert!(run.stderr.contains("broken.json"), "{}", run.text());
    let show = world.run(&["advisories", "show"]);
    assert!(
        show.assert_success().says("1 advisory in force, of 1 feed"),
        "{}",
        show.stdout
    );
    assert_eq!(
        world.run(&["advisories", "import", "nowhere"]).code,
        Some(1)
    );
}

/// A zip archive of stored entries, by hand: enough for an import.
pub(crate) struct Zip {
    file: std::fs::File,
    offset: u32,
    directory: Vec<u8>,
    entries: u16,
}

pub(crate) fn zip(file: std::fs::File) -> Zip {
    Zip {
        file,
        offset: 0,
        directory: Vec::new(),
        entries: 0,
    }
}

impl Zip {
    pub(crate) fn add(&mut self, name: &str, text: &str) {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let (size, length) = (
            u32::try_from(text.len()).unwrap(),
            u16::try_from(name.len()).unwrap(),
        );
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for number in [crc.sum(), size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend(length.to_le_bytes());
        common.extend([0, 0]);
        let mut local = b"PK\x03\x04".to_vec();
        local.extend(&common);
        local.extend(name.as_bytes());
        local.extend(text.as_bytes());
        self.directory.extend(b"PK\x01\x02\x14\x00");
        self.directory.extend(&common);
        self.directory.extend([0; 10]);
        self.directory.extend(self.offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.offset += u32::try_from(local.len()).unwrap();
        self.entries += 1;
        self.file.write_all(&local).unwrap();
    }

    pub(crate) fn finish(mut self) {
        let mut end = self.directory.clone();
        end.extend(b"PK\x05\x06\0\0\0\0");
        end.extend(self.entries.to_le_bytes());
        end.extend(self.entries.to_le_bytes());
        end.extend(u32::try_from(self.directory.len()).unwrap().to_le_bytes());
        end.extend(self.offset.to_le_bytes());
        end.extend([0, 0]);
        self.file.write_all(&end).unwrap();
    }
}

/// Whatever of it is in force, a person who asks is told what there is.
#[test]
fn show_tells_of_a_package_a_version_and_an_id() {
    let world = World::new();
    let all =
        r#""ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.1.0"}]}]"#;
    let gone = r#""withdrawn": "2026-11-19T10:00:00Z", "aliases": ["CVE-2026-7"],"#;
    let odd = r#""aliases": ["CVE-2026-8", "\u001b[31mred"],"#;
    import(
        &world,
        &[
            ("GHSA-1", record("GHSA-1", "reed", all, gone)),
            (
                "GHSA-2",
                record("GHSA-2", "reed", r#""versions": ["2.0.0"]"#, odd),
            ),
        ],
    );
    let show = |what: &str| world.run(&["advisories", "show", what]);
    let withdrawn = [
        "GHSA-1 vulnerability in reed",
        "withdrawn: it counts for nothing",
        "osv: GHSA-1 is withdrawn",
    ];
    let in_force = ["GHSA-2 vulnerability in reed", "osv: GHSA-2 says affected"];
    let both: Vec<&str> = [withdrawn.as_slice(), &in_force].concat();
    let nobody = "reed@1.0.0: no advisory in force affects it";
    let table: &[(&str, &[&str], &[&str])] = &[
        ("reed", &both, &["no advisory"]),
        ("reed@2.0.0", &both, &["no advisory", "other versions"]),
        (
            "reed@1.0.0",
            &[
                withdrawn.as_slice(),
                &[nobody, "about other versions of it: GHSA-2"],
            ]
            .concat(),
            &["GHSA-2 v"],
        ),
        ("GHSA-1", &withdrawn, &["GHSA-2"]),
        ("cve-2026-7", &withdrawn, &["GHSA-2"]),
        ("CVE-2026-8", &in_force, &["GHSA-1"]),
        (
            "rush",
            &["no advisory here about rush (1 feed, 2 records)"],
            &["GHSA"],
        ),
        (
            "rush@1.0.0",
            &["no advisory here about rush@1.0.0 (1 feed, 2 records)"],
            &["GHSA"],
        ),
        (
            "CVE-2026-9",
            &["no advisory here about CVE-2026-9 (1 feed, 2 records)"],
            &["GHSA"],
        ),
        (
            "a\u{1b}b",
            &["no advisory here about a\\u{1b}b"],
            &["\u{1b}"],
        ),
    ];
    for (what, said, unsaid) in table {
        let run = show(what);
        run.assert_success();
        for text in *said {
            assert!(run.stdout.contains(text), "{what}, {text}: {}", run.text());
        }
        for text in *unsaid {
            assert!(!run.stdout.contains(text), "{what}, {text}: {}", run.text());
        }
        assert!(!run.stdout.contains('\u{1b}'), "{what}: {}", run.text());
    }
    for (what, why) in [
        (
            "reed@^1.0.0",
            "\"^1.0.0\" is a range, and one version is expected, as in reed@1.2.3",
        ),
        ("reed@1", "\"1\" is a range, and one version is expected"),
        (
            "@a/reed@banana\u{1b}",
            "is no version, and one version is expected, as in @a/reed@1.2.3",
        ),
        ("reed@", "\"\" is no version"),
    ] {
        let run = show(what);
        assert_eq!(run.code, Some(1), "{}", run.text());
        assert!(run.stderr.contains(why), "{}", run.text());
    }
}

#[test]
fn an_archive_is_read_again_only_if_it_is_another() {
    let world = World::new();
    let write = |versions: &str| {
        let file = std::fs::File::create(world.path("work/all.zip")).unwrap();
        let mut archive = zip(file);
        archive.add("npm/X-1.json", &record("X-1", "reed", versions, ""));
        archive.finish();
    };
    write(r#""versions": ["1.1.0"]"#);
    world
        .run(&["advisories", "import", "all.zip"])
        .assert_success();
    let run = world.run(&["advisories", "update"]);
    assert_eq!(run.assert_success().stdout, "all: has not changed\n");
    // To import is to read.
    let run = world.run(&["advisories", "import", "all.zip"]);
    assert!(
        run.assert_success().says("0 new or changed"),
        "{}",
        run.text()
    );
    write(r#""versions": ["1.2.0"]"#);
    let run = world.run(&["advisories", "update"]);
    assert!(
        run.assert_success().says("1 new or changed"),
        "{}",
        run.text()
    );
    // What could not be used has not become usable.
    write(r#""versions": "1.2.0""#);
    let run = world.run(&["advisories", "update"]);
    assert!(
        run.stderr.contains("affected[0].versions: is a text"),
        "{}",
        run.text()
    );
    assert_eq!(run.code, Some(1));
    let run = world.run(&["advisories", "update"]);
    assert!(
        run.stderr.contains("all: 1 part of it could not be used"),
        "{}",
        run.text()
    );
    assert_eq!(run.code, Some(1));
}

/// By the moment that the whole program works at.
#[test]
fn a_withdrawal_to_come_counts_with_the_first_update_after_its_moment() {
    let world = World::new().at("2026-11-20T00:00:00Z");
    let later = r#""withdrawn": "2026-11-21T00:00:00Z","#;
    let later = record("X-1", "reed", r#""versions": ["1.1.0"]"#, later);
    world.write("work/X-1.json", later);
    let run = world.run(&["advisories", "import", "X-1.json"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(
        run.stderr
            .contains("is yet to come; the record stays in force"),
        "{}",
        run.text()
    );
    let run = world.run(&["advisories", "show", "reed@1.1.0"]);
    assert!(
        run.stdout.contains("X-1: X-1 says affected"),
        "{}",
        run.text()
    );

    let world = world.at("2026-11-21T00:00:00Z");
    let run = world.run(&["advisories", "update"]);
    assert!(
        run.assert_success().says("1 withdrawn; 1 new or changed"),
        "{}",
        run.text()
    );
    let run = world.run(&["advisories", "show", "reed@1.1.0"]);
    assert!(
        run.stdout.contains("no advisory in force affects it"),
        "{}",
        run.text()
    );
}
