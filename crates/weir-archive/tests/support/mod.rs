//! Writes archives byte by byte, right or wrong in every field.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_archive::{Archive, Entry, Limits};

pub(crate) const BLOCK: usize = 512;
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
pub(crate) const USTAR: &[u8; 8] = b"ustar\x0000";
pub(crate) const GNU: &[u8; 8] = b"ustar  \0";

/// One header block, field by field.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    block: [u8; BLOCK],
    checksum_off_by: u64,
}

impl Header {
    pub(crate) fn file(name: &[u8], size: usize) -> Self {
        Self {
            block: [0; BLOCK],
            checksum_off_by: 0,
        }
        .put(0, name)
        .put(100, b"0000644\0")
        .put(108, b"0000000\0")
        .put(116, b"0000000\0")
        .put(124, format!("{size:011o}\0").as_bytes())
        .put(136, b"00000000000\0")
        .put(156, b"0")
        .put(257, USTAR)
    }

    /// Overwrites bytes at an offset.
    pub(crate) fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.block[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn kind(self, kind: u8) -> Self {
        self.put(156, &[kind])
    }

    pub(crate) fn link(self, target: &[u8]) -> Self {
        self.put(157, target)
    }

    pub(crate) fn magic(self, magic: &[u8; 8]) -> Self {
        self.put(257, magic)
    }

    pub(crate) fn prefix(self, prefix: &[u8]) -> Self {
        self.put(345, prefix)
    }

    pub(crate) fn size_field(self, field: &[u8; 12]) -> Self {
        self.put(124, field)
    }

    pub(crate) fn wrong_checksum(mut self) -> Self {
        self.checksum_off_by = 1;
        self
    }

    /// The block, its checksum filled in.
    pub(crate) fn bytes(mut self) -> Vec<u8> {
        self.block[148..156].fill(b' ');
        let sum: u64 = self.block.iter().map(|byte| u64::from(*byte)).sum();
        let sum = sum + self.checksum_off_by;
        self.block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.block.to_vec()
    }

    /// The block and the padded data behind it.
    pub(crate) fn with(self, data: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }
}

/// An ordinary file.
pub(crate) fn file(name: &str, data: &[u8]) -> Vec<u8> {
    Header::file(name.as_bytes(), data.len()).with(data)
}

/// A pax header with these records.
pub(crate) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    extended(b'x', &records_of(records))
}

pub(crate) fn extended(kind: u8, body: &[u8]) -> Vec<u8> {
    Header::file(b"PaxHeader/x", body.len())
        .kind(kind)
        .with(body)
}

pub(crate) fn records_of(records: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let mut length = rest.len() + 1;
        while length != length.to_string().len() + rest.len() {
            length = length.to_string().len() + rest.len();
        }
        body.extend_from_slice(format!("{length}{rest}").as_bytes());
    }
    body
}

/// A GNU long name for the next entry.
pub(crate) fn long_name(name: &[u8]) -> Vec<u8> {
    let mut body = name.to_vec();
    body.push(0);
    Header::file(b"././@LongLink", body.len())
        .kind(b'L')
        .magic(GNU)
        .with(&body)
}

pub(crate) fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// Path and data of every file delivered.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

pub(crate) fn read_all(packed: &[u8], limits: &Limits) -> (Archive, Files) {
    let mut files = Files::new();
    let archive = weir_archive::read(packed, limits, &mut |entry: Entry<'_>| {
        files.push((entry.path().to_owned(), entry.data().unwrap().to_vec()));
    });
    (archive, files)
}

/// Violations as `rule!` where ambiguous and `rule` where not, and the error's id, in order.
pub(crate) fn verdict(archive: &Archive) -> Vec<String> {
    let mark = |ambiguous: bool| if ambiguous { "!" } else { "" };
    let mut verdict: Vec<String> = archive
        .violations
        .iter()
        .map(|it| format!("{}{}", it.rule, mark(it.ambiguous)))
        .collect();
    if let Err(error) = &archive.ended {
        verdict.push(format!("error {}", error.id()));
    }
    verdict
}

/// The 28 archives on which extractors were found to differ (CRATES section 4).
pub(crate) fn differential() -> Vec<(&'static str, Vec<u8>)> {
    const EVIL: &str = "package/evil.js";
    let manifest = file("package/package.json", br#"{"name":"a","version":"1.0.0"}"#);
    let evil = file(EVIL, b"EVIL");
    let end = END.to_vec();
    // In all archives but a few the manifest comes first.
    let packed = |parts: &[&[u8]]| {
        let mut tar = manifest.clone();
        tar.extend(parts.concat());
        gzip(&tar)
    };
    let innocent = file("package/innocent.txt", b"EVIL");
    let evil_header = |size: usize| Header::file(EVIL.as_bytes(), size);
    let sound = packed(&[&evil, &end]);
    let without = |bytes: usize, packed: &[u8]| packed[..packed.len() - bytes].to_vec();
    let noise: Vec<u8> = noise(3000);
    vec![
        ("01-plain", sound.clone()),
        ("02-duplicate", packed(&[&file(EVIL, b"GOOD"), &evil, &end])),
        ("03-entries-after-end", packed(&[&end, &evil, &end])),
        ("04-one-zero-block", packed(&[&[0; BLOCK], &evil, &end])),
        (
            "05-two-members",
            [gzip(&manifest), gzip(&[&evil[..], &end].concat())].concat(),
        ),
        ("06-bytes-after-gzip", [&sound[..], b"GARBAGE"].concat()),
        (
            "07-pax-size-hides",
            packed(&[
                &pax(&[("size", "0")]),
                &file("package/blob.bin", &evil),
                &end,
            ]),
        ),
        (
            "08-pax-size-grows",
            packed(&[
                &pax(&[("size", "1024")]),
                &Header::file(b"package/blob.bin", 0).bytes(),
                &evil,
                &end,
            ]),
        ),
        (
            "09-wrong-checksum",
            packed(&[
                &evil_header(4).wrong_checksum().with(b"EVIL"),
                &file("package/after.js", b"AFTER"),
                &end,
            ]),
        ),
        (
            "10-pax-path",
            packed(&[&pax(&[("path", EVIL)]), &innocent, &end]),
        ),
        (
            "11-gnu-long-name",
            packed(&[&long_name(EVIL.as_bytes()), &innocent, &end]),
        ),
        (
            "12-other-top-folders",
            gzip(
                &[
                    file("other/package.json", br#"{"name":"a","version":"1.0.0"}"#),
                    file("a/b/evil.js", b"EVIL"),
                    file("top.js", b"TOP"),
                    end.clone(),
                ]
                .concat(),
            ),
        ),
        (
            "13-paths-that-leave",
            packed(&[
                &file("package/../../evil.js", b"EVIL"),
                &file("/package/abs.js", b"ABS"),
                &file("package\\win.js", b"W"),
                &end,
            ]),
        ),
        (
            "14-links",
            packed(&[
                &Header::file(b"package/l", 0)
                    .kind(b'2')
                    .link(b"/tmp")
                    .bytes(),
                &file("package/l/evil.js", b"EVIL"),
                &Header::file(b"package/hl", 0)
                    .kind(b'1')
                    .link(b"package/package.json")
                    .bytes(),
                &end,
            ]),
        ),
        (
            "15-old-types",
            packed(&[
                &evil_header(4).kind(0).with(b"EVIL"),
                &Header::file(b"package/c.js", 4).kind(b'7').with(b"CONT"),
                &end,
            ]),
        ),
        (
            "16-base-256",
            packed(&[
                &evil_header(0)
                    .size_field(b"\x80\0\0\0\0\0\0\0\0\0\0\x04")
                    .with(b"EVIL"),
                &end,
            ]),
        ),
        ("17-not-compressed", [&manifest[..], &evil, &end].concat()),
        (
            "18-version-7",
            packed(&[&evil_header(4).magic(&[0; 8]).with(b"EVIL"), &end]),
        ),
        ("19-no-end", packed(&[&evil])),
        (
            "20-case",
            packed(&[
                &file(
                    "package/Package.json",
                    br#"{"name":"b","scripts":{"install":"x"}}"#,
                ),
                &end,
            ]),
        ),
        (
            "21-global-pax",
            gzip(
                &[
                    extended(b'g', b"24 path=package/evil.js\n"),
                    manifest.clone(),
                    innocent.clone(),
                    end.clone(),
                ]
                .concat(),
            ),
        ),
        (
            "22-devices",
            packed(&[
                &Header::file(b"package/fifo", 0).kind(b'6').bytes(),
                &Header::file(b"package/dev", 0).kind(b'3').bytes(),
                &evil,
                &end,
            ]),
        ),
        (
            "23-file-with-slash",
            packed(&[&file("package/evil.js/", b"EVIL"), &end]),
        ),
        (
            "24-truncated-tar",
            gzip(&[&manifest[..], &evil_header(4000).bytes(), b"EVIL"].concat()),
        ),
        (
            "25-truncated-gzip",
            without(500, &packed(&[&evil, &noise, &end])),
        ),
        (
            "26-wrong-gzip-checksum",
            [&without(8, &sound)[..], &[0; 8]].concat(),
        ),
        (
            "27-negative-size",
            packed(&[
                &Header::file(b"package/neg.js", 0)
                    .size_field(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0")
                    .bytes(),
                &evil,
                &end,
            ]),
        ),
        (
            "28-size-with-spaces",
            packed(&[
                &evil_header(0).size_field(b"         4 \0").with(b"EVIL"),
                &end,
            ]),
        ),
    ]
}

/// Bytes that do not compress, the same every time.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut random = Random(7);
    (0..bytes).map(|_| random.below(256) as u8).collect()
}

/// A small generator of numbers that look random (xorshift), so that tests repeat.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}
