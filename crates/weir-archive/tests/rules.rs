//! What exactly is said about which archive.

mod support;

use support::{
    BLOCK, END, GNU, Header, differential, extended, file, gzip, long_name, pax, read_all,
    records_of, verdict,
};
use weir_archive::{Limits, Rule};

/// The verdict on `parts` behind a manifest.
fn verdict_on(parts: &[Vec<u8>]) -> Vec<String> {
    let mut tar = file("package/package.json", b"{}");
    tar.extend(parts.concat());
    tar.extend(END);
    verdict(&read_all(&gzip(&tar), &Limits::default()).0)
}

#[test]
fn the_archives_on_which_extractors_differ() {
    let expected: &[(&str, &[&str], &[&str])] = &[
        ("01-plain", &[], &["package.json", "evil.js"]),
        (
            "02-duplicate",
            &["duplicate-path!"],
            &["package.json", "evil.js", "evil.js"],
        ),
        (
            "03-entries-after-end",
            &["data-after-end!"],
            &["package.json", "evil.js"],
        ),
        (
            "04-one-zero-block",
            &["entry-after-zero-block!"],
            &["package.json", "evil.js"],
        ),
        (
            "05-two-members",
            &["several-gzip-members!"],
            &["package.json", "evil.js"],
        ),
        (
            "06-bytes-after-gzip",
            &["bytes-after-gzip!"],
            &["package.json", "evil.js"],
        ),
        (
            "07-pax-size-hides",
            &["pax-size!"],
            &["package.json", "blob.bin", "evil.js"],
        ),
        (
            "08-pax-size-grows",
            &["pax-size!"],
            &["package.json", "blob.bin"],
        ),
        (
            "09-wrong-checksum",
            &["bad-checksum!", "bad-checksum!"],
            &["package.json", "evil.js", "after.js"],
        ),
        (
            "10-pax-path",
            &["name-contradicts-header!"],
            &["package.json", "evil.js"],
        ),
        (
            "11-gnu-long-name",
            &["name-contradicts-header!"],
            &["package.json", "evil.js"],
        ),
        (
            "12-other-top-folders",
            &["several-top-folders", "no-top-folder!"],
            &["package.json", "b/evil.js", "top.js"],
        ),
        (
            "13-paths-that-leave",
            &[
                "parent-path!",
                "unnormalised-path!",
                "absolute-path!",
                "several-top-folders",
                "no-top-folder!",
                "backslash!",
            ],
            &[
                "package.json",
                "evil.js",
                "package/abs.js",
                "package\\win.js",
            ],
        ),
        (
            "14-links",
            &["link!", "link!"],
            &["package.json", "l/evil.js"],
        ),
        (
            "15-old-types",
            &["old-format", "unusual-type!"],
            &["package.json", "evil.js", "c.js"],
        ),
        ("16-base-256", &["odd-size!"], &["package.json", "evil.js"]),
        (
            "17-not-compressed",
            &["not-compressed!"],
            &["package.json", "evil.js"],
        ),
        (
            "18-version-7",
            &["old-format"],
            &["package.json", "evil.js"],
        ),
        (
            "19-no-end",
            &["no-end-marker"],
            &["package.json", "evil.js"],
        ),
        (
            "20-case",
            &["name-clash!"],
            &["package.json", "Package.json"],
        ),
        (
            "21-global-pax",
            &["global-header!"],
            &["package.json", "innocent.txt"],
        ),
        (
            "22-devices",
            &["special-file!", "special-file!"],
            &["package.json", "evil.js"],
        ),
        (
            "23-file-with-slash",
            &["file-with-slash!", "bad-checksum!"],
            &["package.json", "evil.js"],
        ),
        (
            "24-truncated-tar",
            &["error truncated-entry"],
            &["package.json", "evil.js"],
        ),
        (
            "25-truncated-gzip",
            &[
                // The incompressible filling is no header either.
                "unreadable-number!",
                "unreadable-number!",
                "unreadable-number!",
                "unreadable-number!",
                "error truncated-compression",
            ],
            &["package.json", "evil.js"],
        ),
        (
            "26-wrong-gzip-checksum",
            &["gzip-checksum!"],
            &["package.json", "evil.js"],
        ),
        (
            "27-negative-size",
            &["odd-size!"],
            &["package.json", "neg.js", "evil.js"],
        ),
        ("28-size-with-spaces", &[], &["package.json", "evil.js"]),
    ];
    let archives = differential();
    assert_eq!(archives.len(), expected.len());
    for ((name, bytes), (expected_name, rules, paths)) in archives.iter().zip(expected) {
        let (archive, files) = read_all(bytes, &Limits::default());
        let delivered: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(name, expected_name);
        assert_eq!(verdict(&archive), *rules, "{name}");
        assert_eq!(delivered, *paths, "{name}");
    }
}

#[test]
fn what_npm_itself_writes_breaks_no_rule() {
    let deep = format!("package/{}index.js", "folder/".repeat(30));
    let long = format!("package/{}.js", "n".repeat(150));
    let prefix = format!("package/{}", "folder/".repeat(29));
    for parts in [
        vec![],
        vec![
            Header::file(b"package/lib/", 0).kind(b'5').bytes(),
            file("package/lib/a.js", b"1"),
        ],
        // A name too long for any header: cut in the header, whole in the extended header.
        vec![pax(&[("path", &long)]), file(&long[..99], b"1")],
        // A name that npm splits and repeats in an extended header.
        vec![
            pax(&[("path", &deep)]),
            Header::file(b"index.js", 1)
                .prefix(&prefix.as_bytes()[..154])
                .with(b"1"),
        ],
        vec![
            pax(&[("path", "package/stra\u{df}e.js")]),
            file("package/stra\u{df}e.js", b"1"),
        ],
        vec![long_name(long.as_bytes()), file(&long[..100], b"1")],
        vec![
            Header::file(b"index.js", 1)
                .prefix(b"package/lib")
                .with(b"1"),
        ],
    ] {
        assert_eq!(verdict_on(&parts), [""; 0]);
    }
}

#[test]
fn headers() {
    let odd = |header: Header| verdict_on(&[header.with(b"data")]);
    let plain = || Header::file(b"package/a.js", 4);
    assert_eq!(
        odd(plain().put(116, b"\x81")),
        ["unreadable-number!", "bad-checksum!"]
    );
    assert_eq!(odd(plain().put(108, b"\x80\0\0\0\x01\0\0\0")), [""; 0]);
    assert_eq!(
        odd(plain().link(b"x")),
        ["link-name-on-file!", "bad-checksum!"]
    );
    assert_eq!(
        odd(plain().put(0, &[0; 100])),
        ["no-name!", "bad-checksum!"]
    );
    assert_eq!(odd(plain().magic(GNU).prefix(b"lib")), ["prefix-misread!"]);
    assert_eq!(odd(plain().put(20, b"x")), ["bytes-after-name"]);
    assert_eq!(
        odd(plain().put(20, b"x\ny")),
        ["bytes-after-name!", "control-character"]
    );
    assert_eq!(odd(plain().put(8, b"\xff")), ["name-not-utf8!"]);
    assert_eq!(odd(plain().put(100, b"0104755\0")), ["special-mode"]);
    assert_eq!(odd(plain().kind(b'1').link(b"x")), ["link!"]);
    assert_eq!(odd(plain().kind(b'2')), ["link!", "bad-checksum!"]);
    assert_eq!(odd(plain().kind(b'S')), ["unusual-type!"]);
    assert_eq!(
        odd(plain().kind(b'5')),
        ["folder-with-data!", "bad-checksum!"]
    );
    assert_eq!(
        verdict_on(&[Header::file(b"package/a.js", 4).with(b"data\0x")]),
        ["nonzero-padding"]
    );
}

#[test]
fn extended_headers() {
    let next = || file("package/a.js", b"data");
    let odd = |records: &[(&str, &str)]| verdict_on(&[pax(records), next()]);
    assert_eq!(
        odd(&[("mtime", "1"), ("SCHILY.xattr.user.a", "1")]),
        ["pax-metadata"]
    );
    assert_eq!(odd(&[("size", "4")]), ["pax-size"]);
    assert_eq!(odd(&[("linkpath", "..")]), ["pax-link!"]);
    assert_eq!(odd(&[("GNU.sparse.name", "b.js")]), ["pax-unknown-key!"]);
    assert_eq!(
        odd(&[("path", "package/b.js"), ("path", "package/a.js")]),
        ["malformed-extended-header!"]
    );
    let global = |records| verdict_on(&[extended(b'g', &records_of(records)), next()]);
    assert_eq!(
        global(&[("comment", "0123abc")]),
        ["global-header", "pax-metadata"]
    );
    assert_eq!(global(&[("size", "4")]), ["global-header!"]);
    assert_eq!(
        verdict_on(&[
            long_name(b"package/a.js"),
            pax(&[("path", "package/a.js")]),
            next()
        ]),
        ["two-long-names!"]
    );
    assert_eq!(
        verdict_on(&[long_name(b"package/a.js")]),
        ["extended-header-unused!"]
    );
    assert_eq!(verdict_on(&[extended(b'K', b"x\0"), next()]), ["pax-link!"]);
    assert_eq!(
        verdict_on(&[extended(b'X', &records_of(&[("mtime", "1")])), next()]),
        ["unusual-type!", "pax-metadata"]
    );
    assert_eq!(
        verdict_on(&[extended(b'L', b""), next()]),
        ["malformed-extended-header!"]
    );
}

#[test]
fn ends_and_envelopes() {
    let tar = [file("package/package.json", b"{}"), END.to_vec()].concat();
    let of = |bytes: &[u8]| verdict(&read_all(bytes, &Limits::default()).0);
    let packed = gzip(&tar);
    assert_eq!(of(&[&packed[..], &[0; 20]].concat()), ["zeros-after-gzip"]);
    assert_eq!(
        of(&[&packed[..], &[0; 20], &packed].concat()),
        [
            "data-after-end!",
            "duplicate-path",
            "bytes-after-gzip!",
            "several-gzip-members!"
        ]
    );
    assert_eq!(of(&gzip(&[&tar[..], &[0; 20 * BLOCK]].concat())), [""; 0]);
    assert_eq!(of(&gzip(&[&tar[..], &[0; 7]].concat())), ["partial-block"]);
    assert_eq!(
        of(&gzip(&[&tar[..], b"junk"].concat())),
        ["partial-block", "data-after-end!"]
    );
    assert_eq!(
        of(&gzip(&[&tar[..BLOCK * 2], b"junk"].concat())),
        ["partial-block!", "no-end-marker"]
    );
    let mut flagged = packed.clone();
    flagged[3] |= 0x80;
    assert_eq!(of(&flagged), ["gzip-header!"]);
    assert_eq!(of(b""), ["error empty-archive"]);
    assert_eq!(
        of(b"<!doctype html><title>Not Found</title>"),
        ["error not-an-archive"]
    );
    assert_eq!(
        of(&gzip(b"{\"error\":\"not found\"}")),
        ["error not-an-archive"]
    );
    assert_eq!(of(b"\x28\xb5\x2f\xfd\0\0"), ["error other-compression"]);
    assert_eq!(of(&packed[..5]), ["error truncated-compression"]);
    let mut broken = packed.clone();
    broken[12] ^= 0xff;
    assert!(
        of(&broken).iter().any(|it| it.starts_with("error ")),
        "{:?}",
        of(&broken)
    );
}

#[test]
fn the_readme_lists_every_rule() {
    let readme = include_str!("../README.md");
    for rule in Rule::ALL {
        assert!(
            readme.contains(&format!("| `{}` |", rule.id())),
            "{}",
            rule.id()
        );
    }
}
