//! What is looked at in every file, whatever its name: its format by its first bytes, the operator's rules, and the
//! digest that copies of it are known by. Nothing else of a file is kept.

use weir_files::rules::{RuleSet, SCANNED_BYTES, Scan, Scanned};
use weir_files::{Digest, Recognised, digest_of, recognise};
use weir_model::contents::{Binary, BinaryFormat, Unread};

use crate::alike::BAD_BYTES;

/// Most binaries that are listed. Packages of prebuilt addons have a few dozen.
const BINARIES: usize = 1_000;

/// A look at every file of a package, one after the other.
#[derive(Debug, Default)]
pub(super) struct Beside<'r> {
    rules: Option<&'r RuleSet>,
    scan: Scan,
    binaries: Vec<Binary>,
    left_out: u64,
    /// The path of the file at hand, and what is known of it so far.
    path: String,
    begun: bool,
    recognised: Option<Recognised>,
    digest: Option<Digest>,
    /// Digests of the files that are listed nowhere else.
    others: Vec<String>,
}

/// What the look at all files came to.
pub(super) struct Found {
    pub(super) binaries: Vec<Binary>,
    /// What came of the operator's rules.
    pub(super) scanned: Scanned,
    /// Digests of files that are neither code nor binaries.
    pub(super) others: Vec<String>,
    /// What was not looked at.
    pub(super) unread: Vec<Unread>,
}

/// Whether a copy of a file is known by its digest. Maps from built to written code are as large as all code together,
/// and nothing runs or reads them; nobody needs a list of short files either.
fn is_known_by_digest(path: &str, size: u64) -> bool {
    size >= BAD_BYTES && !path.ends_with(".map")
}

impl<'r> Beside<'r> {
    pub(super) fn new(rules: Option<&'r RuleSet>) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// A file begins. Whether all of it has to be in memory.
    pub(super) fn wants(&mut self, path: &str, size: u64) -> bool {
        self.path.clear();
        self.path.push_str(path);
        self.begun = false;
        self.recognised = None;
        self.digest = is_known_by_digest(path, size).then(Digest::default);
        self.rules.is_some() && size <= SCANNED_BYTES
    }

    /// The next bytes of a file that is not in memory.
    pub(super) fn piece(&mut self, piece: &[u8]) {
        if !self.begun {
            self.begun = true;
            self.recognised = recognise(&self.path, piece);
            if self.recognised.is_some() {
                self.digest.get_or_insert_default();
            }
        }
        if let Some(digest) = &mut self.digest {
            digest.update(piece);
        }
    }

    /// Whether more pieces make a difference.
    pub(super) fn is_busy(&self) -> bool {
        self.digest.is_some()
    }

    /// The file whose pieces were shown has ended.
    pub(super) fn end(&mut self, path: &str, size: u64) {
        if self.rules.is_some() && size > SCANNED_BYTES {
            self.scan.too_large(path, false);
        }
        match (self.recognised.take(), self.digest.take()) {
            (Some(recognised), Some(digest)) => self.add(path, size, recognised, digest.finish()),
            (None, Some(digest)) => self.others.push(digest.finish()),
            (_, None) => {}
        }
    }

    /// A file of which all is in memory. Code is described elsewhere, with its digest.
    pub(super) fn whole(&mut self, path: &str, data: &[u8], is_code: bool) {
        if let Some(rules) = self.rules {
            if data.len() as u64 <= SCANNED_BYTES {
                self.scan.file(rules, path, data);
            } else {
                self.scan.too_large(path, is_code);
            }
        }
        let size = data.len() as u64;
        if let Some(recognised) = recognise(path, data) {
            self.add(path, size, recognised, digest_of(data));
        } else if !is_code && is_known_by_digest(path, size) {
            self.others.push(digest_of(data));
        }
    }

    fn add(&mut self, path: &str, bytes: u64, recognised: Recognised, digest: String) {
        if self.binaries.len() >= BINARIES {
            self.left_out += 1;
            self.others.push(digest);
            return;
        }
        self.binaries.push(Binary {
            path: path.to_owned(),
            format: recognised.format,
            bytes,
            disguise: recognised.disguise,
            usual_place: recognised.usual_place,
            digest,
        });
    }

    /// Whether it is a program that no interpreter of text takes, under a name that could be a
    /// script's. Only formats whose first bytes no JavaScript and no shell script begins with.
    pub(super) fn is_program(path: &str, data: &[u8]) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        !name.contains('.')
            && recognise(path, data).is_some_and(|recognised| {
                matches!(recognised.format, BinaryFormat::Elf | BinaryFormat::MachO)
            })
    }

    /// What was found.
    pub(super) fn finish(self) -> Found {
        let mut unread = Vec::new();
        if self.left_out > 0 {
            unread.push(Unread {
                path: "binaries".to_owned(),
                why: format!(
                    "more than {BINARIES} files that are no text: {} are not listed",
                    self.left_out
                ),
                suspicious: false,
            });
        }
        let mut scanned = self.scan.finish();
        unread.append(&mut scanned.unread);
        Found {
            binaries: self.binaries,
            scanned,
            others: self.others,
            unread,
        }
    }
}
