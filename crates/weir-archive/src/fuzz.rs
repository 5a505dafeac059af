//! The body of the fuzz target `archive`, shared with the property tests.

use crate::{Archive, Content, Entry, File, Limits, Visitor, read};

/// Bytes of a tar block, and where its checksum is.
const BLOCK: usize = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Small enough that a fuzzer reaches every one of them.
const LIMITS: Limits = Limits {
    unpacked_bytes: 4 << 20,
    entry_bytes: 1 << 20,
    ratio: 200,
    ratio_from_bytes: 1 << 20,
    entries: 2000,
    extended_header_bytes: 64 << 10,
    path_bytes: 300,
    path_depth: 20,
};

/// Reads arbitrary bytes as an archive, as they are and once more with the checksums of everything
/// that looks like a tar header put right, and checks what every caller relies on.
///
/// # Panics
///
/// When a promise of this crate is broken.
pub fn archive(data: &[u8]) {
    check(data);
    let mut repaired = data.to_vec();
    for block in repaired.chunks_exact_mut(BLOCK) {
        repair(block);
    }
    check(&repaired);
}

fn check(data: &[u8]) {
    let mut all = Seen::new(true);
    let mut heads = Seen::new(false);
    let first = read(data, &LIMITS, &mut all);
    let second = read(data, &LIMITS, &mut heads);
    assert_eq!(
        all.files, heads.files,
        "what is wanted changes what is seen"
    );
    assert_eq!(
        summary(&first),
        summary(&second),
        "what is wanted changes the verdict"
    );
    assert!(
        all.bytes <= 2 * LIMITS.unpacked_bytes + (64 << 20),
        "more than was there"
    );
    assert!(first.violations.len() <= 16 * crate::Rule::ALL.len());
    let _ = first.into_violations();
}

fn summary(archive: &Archive) -> String {
    format!("{archive:?}")
}

struct Seen {
    wants: bool,
    bytes: u64,
    files: Vec<(String, u64, bool, bool, Vec<u8>)>,
}

impl Seen {
    fn new(wants: bool) -> Self {
        Self {
            wants,
            bytes: 0,
            files: Vec::new(),
        }
    }
}

impl Visitor for Seen {
    fn wants(&mut self, _: &File<'_>) -> bool {
        self.wants
    }

    fn entry(&mut self, entry: Entry<'_>) {
        let hollow = |part: &str| matches!(part, "" | "." | "..");
        assert!(!entry.path().split('/').any(hollow), "{:?}", entry.path());
        match entry.content {
            Content::Whole(data) => {
                assert!(self.wants);
                self.bytes += data.len() as u64;
                assert_eq!(entry.complete, data.len() as u64 == entry.file.size);
            }
            Content::Head(_) => assert!(!self.wants),
        }
        self.files.push((
            entry.path().to_owned(),
            entry.file.size,
            entry.file.executable,
            entry.complete,
            entry.head().to_vec(),
        ));
    }
}

fn repair(block: &mut [u8]) {
    let looks_right = block.get(257..262) == Some(b"ustar");
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| u64::from(if CHECKSUM.contains(&at) { b' ' } else { *byte }))
        .sum();
    if let Some(field) = block.get_mut(CHECKSUM).filter(|_| looks_right) {
        field.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}
