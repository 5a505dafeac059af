//! Archives that are built to cost more than they are worth.

mod support;

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use support::{END, Header, extended, file, gzip, noise, read_all, verdict};
use weir_archive::{Archive, ArchiveError, Entry, File, Limits, Visitor, read};

const MEGABYTE: usize = 1 << 20;

/// A tar stream of a header and `megabytes` of zeros, compressed piece by piece.
fn zeros(header: Header, megabytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(&file("package/package.json", b"{}"))
        .unwrap();
    encoder.write_all(&header.bytes()).unwrap();
    let piece = vec![0; MEGABYTE];
    for _ in 0..megabytes {
        encoder.write_all(&piece).unwrap();
    }
    encoder
        .write_all(&file("package/after.js", b"AFTER"))
        .unwrap();
    encoder.write_all(&END).unwrap();
    encoder.finish().unwrap()
}

/// Wants nothing, remembers paths.
#[derive(Default)]
struct Paths(Vec<String>);

impl Visitor for Paths {
    fn wants(&mut self, _: &File<'_>) -> bool {
        false
    }

    fn entry(&mut self, entry: Entry<'_>) {
        self.0.push(entry.path().to_owned());
    }
}

fn paths(packed: impl Read, limits: &Limits) -> (Archive, Vec<String>) {
    let mut paths = Paths::default();
    let archive = read(packed, limits, &mut paths);
    (archive, paths.0)
}

#[test]
fn a_ratio_bomb_is_stopped_and_what_came_before_it_is_delivered() {
    let bomb = zeros(Header::file(b"package/bomb", 200 * MEGABYTE), 200);
    let (archive, paths) = paths(&bomb[..], &Limits::default());
    assert_eq!(paths, ["package.json", "bomb"]);
    assert!(archive.unpacked_bytes < 10 << 20, "{archive:?}");
    match &archive.ended {
        Err(error @ ArchiveError::RatioTooHigh { limit: 200, .. }) => {
            assert_eq!(error.entry(), Some("bomb"));
        }
        other => panic!("{other:?}"),
    }
    assert!(archive.is_ambiguous());
    assert_eq!(archive.into_violations().len(), 1);
}

#[test]
fn a_long_name_of_600_megabytes_is_never_held() {
    let name = || Header::file(b"././@LongLink", 600 * MEGABYTE).kind(b'L');
    let packed = zeros(name(), 600);
    let (archive, _) = paths(&packed[..], &Limits::default());
    assert!(matches!(
        archive.ended,
        Err(ArchiveError::RatioTooHigh { .. })
    ));

    let patient = Limits {
        ratio: 2000,
        entry_bytes: 1 << 30,
        ..Limits::default()
    };
    let before = peak_memory();
    let (archive, delivered) = paths(&packed[..], &patient);
    assert_eq!(verdict(&archive), ["extended-header-too-big!"]);
    assert_eq!(delivered, ["package.json", "after.js"]);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 50 << 10, "{before} to {after} KiB");
    }
}

/// Most memory this process ever held, in KiB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn memory_follows_what_is_there_and_not_what_is_declared() {
    let packed = gzip(&Header::file(b"package/a.js", 500 * MEGABYTE).with(b"little"));
    let before = peak_memory();
    let (archive, files) = read_all(&packed, &Limits::default());
    assert_eq!(verdict(&archive), ["error truncated-entry"]);
    assert_eq!(files[0].1.len(), 512);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 50 << 10, "{before} to {after} KiB");
    }
}

#[test]
fn each_limit_names_itself() {
    let small = Limits {
        unpacked_bytes: 100 << 10,
        entry_bytes: 50 << 10,
        entries: 20,
        ..Limits::default()
    };
    let of = |tar: &[u8]| {
        let (archive, _) = paths(&gzip(tar)[..], &small);
        archive.ended.unwrap_err()
    };
    let many: Vec<u8> = (0..30)
        .flat_map(|n| file(&format!("package/{n}.js"), b""))
        .collect();
    let error = of(&many);
    assert!(
        matches!(error, ArchiveError::TooManyEntries { limit: 20, .. }),
        "{error}"
    );
    assert_eq!(error.entry(), Some("package/20.js"));

    let error = of(&file("package/large", &noise(60 << 10)));
    assert_eq!(
        error.to_string(),
        "`large` declares 61440 bytes, more than the limit of 51200"
    );

    let three: Vec<u8> = (0..3)
        .flat_map(|n| file(&format!("package/{n}.js"), &noise(40 << 10)))
        .collect();
    let error = of(&three);
    assert!(
        matches!(error, ArchiveError::TooLarge { limit: 102_400, .. }),
        "{error}"
    );
}

#[test]
fn long_and_deep_paths_are_delivered_and_refused() {
    let long = format!("package/{}", "folder/".repeat(200));
    let component = format!("package/{}.js", "n".repeat(300));
    let deep = format!("package/{}a.js", "d/".repeat(70));
    for (name, rule) in [
        (long + "a.js", "path-too-long!"),
        (component, "path-too-long!"),
        (deep, "path-too-deep!"),
    ] {
        let tar = [
            support::long_name(name.as_bytes()),
            file("package/a", b"1"),
            END.to_vec(),
        ];
        let (archive, files) = read_all(&gzip(&tar.concat()), &Limits::default());
        let verdict = verdict(&archive);
        assert!(verdict.contains(&rule.to_owned()), "{verdict:?}");
        assert_eq!(files[0].0, name.strip_prefix("package/").unwrap());
    }
}

#[test]
fn a_flood_of_violations_is_counted_and_not_kept() {
    let mut tar = file("package/package.json", b"{}");
    for _ in 0..1000 {
        tar.extend(Header::file(b"package/a.js", 0).wrong_checksum().bytes());
    }
    tar.extend(END);
    let (archive, _) = read_all(&gzip(&tar), &Limits::default());
    assert_eq!(archive.violations.len(), 8);
    assert_eq!(archive.violations_left_out, 992);
}

#[test]
fn an_extended_header_at_the_limit_is_read() {
    let name = format!("package/{}", "a/".repeat(5000));
    let body = [name.as_bytes(), b"b.js\0"].concat();
    let tar = [extended(b'L', &body), file("package/x", b"1"), END.to_vec()].concat();
    let exact = Limits {
        extended_header_bytes: body.len() as u64,
        path_bytes: 20_000,
        path_depth: 20_000,
        ..Limits::default()
    };
    assert_eq!(verdict(&read_all(&gzip(&tar), &exact).0), [""; 0]);
    let short = Limits {
        extended_header_bytes: body.len() as u64 - 1,
        ..exact
    };
    assert_eq!(
        verdict(&read_all(&gzip(&tar), &short).0),
        ["extended-header-too-big!"]
    );
}

#[test]
fn a_reader_that_fails_or_dribbles() {
    struct Dribble<'a>(&'a [u8], bool);
    impl Read for Dribble<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            match (self.0.split_first(), out.first_mut()) {
                (Some((byte, rest)), Some(to)) => {
                    *to = *byte;
                    self.0 = rest;
                    Ok(1)
                }
                _ if self.1 => Err(std::io::Error::other("cable pulled")),
                _ => Ok(0),
            }
        }
    }
    let tar = [
        file("package/a", &noise(9000)),
        file("package/b", b"2"),
        END.to_vec(),
    ]
    .concat();
    let packed = gzip(&tar);
    let (archive, delivered) = paths(Dribble(&packed, false), &Limits::default());
    assert_eq!(
        (verdict(&archive), delivered),
        (vec![], vec!["a".to_owned(), "b".to_owned()])
    );
    let (archive, _) = paths(Dribble(&packed[..100], true), &Limits::default());
    assert!(matches!(archive.ended, Err(ArchiveError::Io(_))));
    assert_eq!(archive.into_violations(), []);
}
