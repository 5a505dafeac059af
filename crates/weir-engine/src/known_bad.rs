//! Content that somebody else found to be malicious, taken in from files that the operator names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_archive::ArchiveError;
use weir_files::listed::{LIST_BYTES, beginning, listed};
use weir_files::sketch::bands;
use weir_model::contents::Contents;
use weir_npm::name::PackageName;
use weir_store::{BadContent, KeptSketch, Store, StoreError};

use crate::alike::{self, BAD_BYTES};
use crate::engine::{Engine, Local};

/// Most files of a folder that are looked at.
const FILES: usize = 100_000;
/// Deepest folder in a folder.
const DEPTH: usize = 16;
/// Largest sample that is no archive, in bytes.
const SAMPLE: u64 = 64 << 20;

/// What an import took in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Digests of files.
    pub digests: usize,
    /// Packages whose near copies are known from now on.
    pub sketches: usize,
    /// What could not be used: which file, and why.
    pub refused: Vec<(String, String)>,
    /// Files of folders that were left out, because honest packages have the same ones.
    pub left_out: Vec<String>,
}

impl Engine {
    /// Takes in a file or folder: lists of digests (`.txt`, `.sha256`, `.csv`, `.list`), packages (`.tgz`,
    /// `.tar.gz`, and folders whose `package.json` has a name and a version), and anything else as a file that is
    /// malicious as it is. What cannot be used is named, and the rest is taken in. With `exact`, near copies of
    /// packages are left alone.
    ///
    /// # Errors
    /// When the path cannot be read or the database cannot be written.
    pub async fn import_known_bad(
        self: &Arc<Self>,
        path: &Path,
        exact: bool,
    ) -> Result<Imported, String> {
        let mut imported = Imported::default();
        let mut found = Vec::new();
        let kind = std::fs::metadata(path).map_err(|error| format!("{}: {error}", shown(path)))?;
        match kind.is_dir() {
            true => walk(path, 0, &mut found, &mut imported.refused),
            false => found.push(path.to_owned()),
        }
        found.sort();
        for file in found {
            let label = shown(&file);
            let taken = match kind_of(&file) {
                Kind::List => self.import_list(&file, &label, &mut imported).await,
                Kind::Package => {
                    self.import_package(&file, &label, exact, &mut imported)
                        .await
                }
                Kind::Ordinary if file == path => Err(ORDINARY.to_owned()),
                Kind::Ordinary => {
                    imported.left_out.push(label);
                    continue;
                }
                Kind::Sample => self.import_sample(&file, &label, &mut imported).await,
            };
            if let Err(why) = taken {
                imported.refused.push((label, why));
            }
        }
        if imported.digests + imported.sketches > 0 {
            let counted = self.store.count_import().await;
            counted.map_err(|error| error.to_string())?;
        }
        Ok(imported)
    }

    async fn import_list(
        &self,
        file: &Path,
        label: &str,
        imported: &mut Imported,
    ) -> Result<(), String> {
        let bytes = read(file, LIST_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())?;
        let (found, bad) = listed(&text);
        if found.is_empty() && bad.is_empty() {
            return Err("it lists no digest".to_owned());
        }
        let content: Vec<BadContent> = found
            .into_iter()
            .map(|one| known(one.digest, &format!("{label}:{}", one.line), &one.remark))
            .collect();
        self.keep_bad(&content, imported).await?;
        let refused = bad.into_iter();
        imported
            .refused
            .extend(refused.map(|line| (format!("{label}:{}", line.line), line.why)));
        Ok(())
    }

    async fn import_sample(
        &self,
        file: &Path,
        label: &str,
        imported: &mut Imported,
    ) -> Result<(), String> {
        let bytes = read(file, SAMPLE)?;
        let length = bytes.len() as u64;
        if length < BAD_BYTES {
            return Err(format!(
                "{length} bytes are too few to be told from honest files ({BAD_BYTES} at least)"
            ));
        }
        let content = known(weir_files::digest_of(&bytes), label, "");
        self.keep_bad(&[content], imported).await
    }

    async fn import_package(
        self: &Arc<Self>,
        file: &Path,
        label: &str,
        exact: bool,
        imported: &mut Imported,
    ) -> Result<(), String> {
        let package = match file.is_dir() {
            // A worker does not know where it was started.
            true => Local::Folder(file.canonicalize().map_err(|error| error.to_string())?),
            false => {
                let bytes = read(file, self.policy().limits.tarball_size.bytes())?;
                Local::Tarball(bytes.into())
            }
        };
        let contents = self.read_local(package).await?;
        is_whole(&contents)?;
        let why = format!("{LISTED}{label})");
        let mut content = alike::listed(&contents);
        for one in &mut content {
            one.why.clone_from(&why);
            let inside = one.path.take().unwrap_or_else(|| "all code".to_owned());
            one.path = Some(format!("{label}, {inside}"));
        }
        let sketched = match exact {
            true => Ok(false),
            false => self.sketch_of(&contents, &why).await,
        };
        let is_sketched = *sketched.as_ref().unwrap_or(&false);
        imported.sketches += usize::from(is_sketched);
        if content.is_empty() && !is_sketched {
            return Err(match (sketched, contents.unread.first()) {
                (Err(why), _) => why,
                (Ok(_), Some(unread)) => format!(
                    "nothing was learned from it, and not all of it could be read: {}: {}",
                    weir_model::finding::printable(&unread.path, 200),
                    unread.why
                ),
                (Ok(_), None) => {
                    "nothing in it runs or sends anything at install time, and there is too little \
                          code to know near copies by: list its malicious files by their digests"
                        .to_owned()
                }
            });
        }
        self.keep_bad(&content, imported).await
    }

    /// Keeps what near copies of a package are known by. Says whether there is enough code for that.
    async fn sketch_of(&self, contents: &Contents, why: &str) -> Result<bool, String> {
        let Some(sketch) = &contents.sketch else {
            return Ok(false);
        };
        let manifest = contents.manifest.as_ref();
        let name = manifest
            .and_then(|manifest| manifest.name.clone())
            .ok_or("its manifest has no name, so its near copies cannot be told of")?;
        PackageName::parse(&name).map_err(|error| format!("its manifest's name: {error}"))?;
        let kept = KeptSketch {
            name,
            version: manifest
                .and_then(|manifest| manifest.version.clone())
                .unwrap_or_default(),
            bad: true,
            pieces: sketch.pieces,
            least: sketch.least.clone(),
            why: why.to_owned(),
            since: None,
        };
        let kept = self.store.put_sketch(&kept, &bands(sketch)).await;
        kept.map(|()| true).map_err(|error| error.to_string())
    }

    async fn keep_bad(
        &self,
        content: &[BadContent],
        imported: &mut Imported,
    ) -> Result<(), String> {
        let kept = self.store.put_bad_content(content).await;
        kept.map_err(|error| error.to_string())?;
        imported.digests += content.len();
        Ok(())
    }
}

/// Whether an archive was read as it was packed: copies of a half, or of damaged bytes, are no copies.
fn is_whole(contents: &Contents) -> Result<(), String> {
    let mut violations = contents.violations.iter();
    if let Some(behind) = violations.find(|it| ArchiveError::is_behind(it)) {
        return Err(format!(
            "it could not be read, so nothing was learned from it: {}",
            behind.detail
        ));
    }
    if contents.size.files == 0 {
        return Err("it holds no file, so nothing was learned from it".to_owned());
    }
    Ok(())
}

/// What came of forgetting one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// It was known, and is no more.
    Yes,
    /// It was taken in from there, and is known no more.
    Source {
        /// How many digests.
        digests: usize,
        /// Of how many packages near copies are not known any more.
        packages: usize,
    },
    /// Nothing is known by this digest or name, or from there.
    Unknown,
    /// Several digests begin like this; nothing was forgotten.
    Several(Vec<String>),
}

/// Forgets a digest, whole or as it is kept or by its beginning, the near copies of a package by its name, or else all
/// that was taken in from a file or folder, as it was given then.
///
/// # Errors
/// When the database cannot be written.
pub async fn forget(store: &Store, what: &str) -> Result<Forgotten, StoreError> {
    if store.forget_bad_sketch(what).await? {
        return Ok(Forgotten::Yes);
    }
    let (kind, digits) = alike::kind_of_digest(what);
    let Some(beginning) = beginning(digits) else {
        return forget_source(store, what).await;
    };
    let mut digests = store.bad_digests(&format!("{kind}{beginning}")).await?;
    match (digests.pop(), digests.is_empty()) {
        (None, _) => forget_source(store, what).await,
        (Some(digest), true) => {
            store.forget_bad_content(&digest).await?;
            Ok(Forgotten::Yes)
        }
        (Some(digest), false) => {
            digests.push(digest);
            Ok(Forgotten::Several(digests))
        }
    }
}

/// Forgets all that an import took in from a path, and below it where it is a folder.
async fn forget_source(store: &Store, what: &str) -> Result<Forgotten, StoreError> {
    let source = weir_model::finding::printable(what.trim_end_matches(['/', '\\']), 200);
    if source.is_empty() {
        return Ok(Forgotten::Unknown);
    }
    let content = store.all_bad_content().await?.into_iter();
    // What was refused here has a name, and was not taken in.
    let content = content.filter(|bad| {
        let place = bad.path.as_deref().unwrap_or_default();
        bad.name.is_empty() && is_from(place, &source)
    });
    let digests: Vec<String> = content.map(|bad| bad.digest).collect();
    let mut sketches = store.all_bad_sketches().await?;
    sketches.retain(|sketch| {
        let label = sketch.why.strip_prefix(LISTED);
        label.is_some_and(|label| is_from(label, &source))
    });
    if digests.is_empty() && sketches.is_empty() {
        return Ok(Forgotten::Unknown);
    }
    store.forget_all_bad(&digests, &sketches).await?;
    Ok(Forgotten::Source {
        digests: digests.len(),
        packages: sketches.len(),
    })
}

/// How the reason of what a package was taken in for begins; its place follows, in brackets.
const LISTED: &str = "listed as malicious (";

/// Whether a place is this file, a line or a member of it, or in this folder.
fn is_from(place: &str, source: &str) -> bool {
    match place.strip_prefix(source) {
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '\\', ':', ',', ')']),
        None => false,
    }
}

/// Content that no release of ours is named for: where it was listed stands in the path.
fn known(digest: String, listed_in: &str, remark: &str) -> BadContent {
    BadContent {
        digest,
        name: String::new(),
        version: String::new(),
        path: Some(listed_in.to_owned()),
        why: remark.to_owned(),
        since: None,
    }
}

enum Kind {
    List,
    Package,
    /// What a package has that is the same in others, honest ones among them.
    Ordinary,
    Sample,
}

/// Why a file that others have too is not taken for malicious.
const ORDINARY: &str = "honest packages have the same file, and all of them would be blocked for it: give the package \
                        as .tgz or as its folder, or list the digest of a file that is malicious";

/// What files are called that say who may use a package, and what it is for.
const SAYING: [&str; 8] = [
    "license",
    "licence",
    "copying",
    "copyright",
    "notice",
    "readme",
    "changelog",
    "authors",
];

/// Files that clients and compilers write or read, and that run nothing.
const WRITTEN: [&str; 9] = [
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    ".package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "tsconfig.json",
    "jsconfig.json",
];

fn kind_of(file: &Path) -> Kind {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let stem = name.split('.').next().unwrap_or(&name);
    let is_text = !name.contains('.') || ends(&[".md", ".txt", ".markdown", ".rst"]);
    if file.is_dir() || ends(&[".tgz", ".tar.gz"]) {
        Kind::Package
    } else if (is_text && SAYING.contains(&stem))
        || WRITTEN.contains(&name.as_str())
        || ends(&[".md", ".d.ts", ".d.mts", ".d.cts"])
    {
        Kind::Ordinary
    } else if ends(&[".txt", ".sha256", ".sha256sum", ".csv", ".list"]) {
        Kind::List
    } else {
        Kind::Sample
    }
}

/// Whether a folder holds a package, by the manifest in it.
fn is_package(folder: &Path) -> bool {
    let manifest = read(&folder.join("package.json"), LIST_BYTES);
    let manifest = manifest.map(weir_npm::manifest::Manifest::from_json);
    matches!(manifest, Ok(Ok(it)) if it.name.is_some() && it.version.is_some())
}

fn read(file: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let length = std::fs::metadata(file)
        .map_err(|error| error.to_string())?
        .len();
    if length > limit {
        return Err(format!("{length} bytes are over the limit of {limit}"));
    }
    std::fs::read(file).map_err(|error| error.to_string())
}

/// A path as it is printed: whoever made the samples chose their names.
fn shown(path: &Path) -> String {
    weir_model::finding::printable(&path.to_string_lossy(), 200)
}

fn walk(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    refused: &mut Vec<(String, String)>,
) {
    let refuse = |refused: &mut Vec<(String, String)>, why: String| {
        refused.push((shown(folder), why));
    };
    if depth > DEPTH {
        return refuse(refused, format!("deeper than {DEPTH} folders"));
    }
    // Read as a whole: most files of a malicious package are those of an honest one.
    if is_package(folder) {
        return files.push(folder.to_owned());
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return refuse(refused, error.to_string()),
    };
    for entry in entries {
        if files.len() >= FILES {
            return refuse(
                refused,
                format!("more than {FILES} files; the rest was left out"),
            );
        }
        match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok((path, kind)) if kind.is_dir() => walk(&path, depth + 1, files, refused),
            Ok((path, kind)) if kind.is_file() => files.push(path),
            Ok((path, _)) => refused.push((shown(&path), "no regular file".to_owned())),
            Err(error) => refuse(refused, error.to_string()),
        }
    }
}
