//! Tarballs, by sha512.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{self, Context, Digest};
use sqlx::Row;
use tokio::io::AsyncWriteExt;
use weir_npm::integrity::{Algorithm, Integrity};

use crate::store::{PART, part_beside};
use crate::{Store, StoreError};

/// A tarball on disk whose bytes this process has hashed. There is no other way to get one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    path: PathBuf,
    length: u64,
    sha512: String,
}

impl Blob {
    /// Where it is. The file is never changed, and stays readable through an open handle even if
    /// it is removed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Its sha512, as 128 lower-case hexadecimal digits.
    #[must_use]
    pub fn sha512_hex(&self) -> &str {
        &self.sha512
    }

    /// Reads all of it. Meant for worker input; clients are better served from [`Self::path`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn read(&self) -> Result<Vec<u8>, StoreError> {
        tokio::fs::read(&self.path)
            .await
            .map_err(StoreError::file("read", &self.path))
    }
}

/// The sha512 names of blobs whose bytes were hashed by this process.
#[derive(Debug, Default)]
pub(crate) struct Verified(Mutex<HashSet<String>>);

impl Verified {
    fn contains(&self, name: &str) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(name)
    }

    fn insert(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned());
    }
}

impl Store {
    /// The tarball with this integrity, if it is kept. The first time a process asks for it, it is
    /// hashed again; a damaged one is removed and counts as absent.
    ///
    /// # Errors
    /// When the database cannot be read or the file exists and cannot be.
    pub async fn blob(&self, integrity: &Integrity) -> Result<Option<Blob>, StoreError> {
        // Usually one. Where a packument gives several digests of one algorithm, any of them will do.
        let (strongest, _) = integrity.strongest();
        for (algorithm, digest) in integrity.digests().filter(|(found, _)| *found == strongest) {
            if let Some(sha512) = self.sha512_of(algorithm, digest).await?
                && let Some(blob) = self.blob_named(sha512).await?
            {
                return Ok(Some(blob));
            }
        }
        Ok(None)
    }

    async fn blob_named(&self, sha512: String) -> Result<Option<Blob>, StoreError> {
        let path = self.blob_path(&sha512);
        let length = match tokio::fs::metadata(&path).await {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("read", path)(error)),
        };
        if !self.inner.verified.contains(&sha512) {
            if hash_file(path.clone()).await? != sha512 {
                tracing::warn!(file.path = %path.display(), "removed a damaged tarball");
                let removed = tokio::fs::remove_file(&path).await;
                removed.map_err(StoreError::file("remove", path))?;
                return Ok(None);
            }
            self.inner.verified.insert(&sha512);
        }
        Ok(Some(Blob {
            path,
            length,
            sha512,
        }))
    }

    /// Begins to keep a tarball. `expected` is what the packument promised for it.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub async fn write_blob(&self, expected: &Integrity) -> Result<BlobWriter, StoreError> {
        // The final name is known only once all bytes were hashed: parts live beside the shards.
        let path = part_beside(&self.inner.folder.join("blobs").join("incoming"));
        let file = tokio::fs::File::create_new(&path)
            .await
            .map_err(StoreError::file("create", &path))?;
        let (strongest, _) = expected.strongest();
        let extra = (strongest != Algorithm::Sha512)
            .then(|| (strongest, Context::new(function_of(strongest))));
        Ok(BlobWriter {
            store: self.clone(),
            part: Part { path, keep: false },
            file,
            expected: expected.clone(),
            sha512: Context::new(&digest::SHA512),
            extra,
            length: 0,
            pending: Vec::new(),
        })
    }

    fn blob_path(&self, sha512: &str) -> PathBuf {
        let shard = |from: usize| sha512.get(from..from + 2).unwrap_or("__");
        self.inner
            .folder
            .join("blobs")
            .join(shard(0))
            .join(shard(2))
            .join(format!("{sha512}.tgz"))
    }

    /// The sha512 name of a digest: itself, or the one noted for it.
    async fn sha512_of(
        &self,
        algorithm: Algorithm,
        digest: &[u8],
    ) -> Result<Option<String>, StoreError> {
        if algorithm == Algorithm::Sha512 {
            return Ok(Some(hex::encode(digest)));
        }
        sqlx::query("SELECT sha512 FROM blob_alias WHERE integrity = $1")
            .bind(alias_key(algorithm, digest))
            .fetch_optional(&self.inner.database.read)
            .await
            .and_then(|row| row.map(|row| row.try_get(0)).transpose())
            .map_err(StoreError::query("blob_alias", "look up a digest"))
    }
}

/// A tarball that is being kept. Dropping it forgets what was written.
pub struct BlobWriter {
    store: Store,
    part: Part,
    file: tokio::fs::File,
    expected: Integrity,
    sha512: Context,
    extra: Option<(Algorithm, Context)>,
    length: u64,
    pending: Vec<u8>,
}

/// Small chunks are gathered up to this many bytes before they are written; a write costs a thread
/// hop.
const GATHER: usize = 128 * 1024;

impl BlobWriter {
    /// The file that is being written; it may be followed by a reader while it grows. What
    /// [`Self::flush`] returned is there.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.part.path
    }

    /// Bytes taken so far.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they cannot be written, e.g. because the disk is full.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        self.sha512.update(chunk);
        if let Some((_, context)) = &mut self.extra {
            context.update(chunk);
        }
        self.length = self.length.saturating_add(chunk.len() as u64);
        self.pending.extend_from_slice(chunk);
        if self.pending.len() >= GATHER {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes what was gathered, and returns how many bytes a reader of [`Self::path`] finds.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn flush(&mut self) -> Result<u64, StoreError> {
        let write = async {
            self.file.write_all(&self.pending).await?;
            self.file.flush().await
        };
        write
            .await
            .map_err(StoreError::file("write", &self.part.path))?;
        self.pending.clear();
        Ok(self.length)
    }

    /// Compares the bytes with what was expected and keeps them.
    ///
    /// # Errors
    /// [`StoreError::Integrity`] when they are other bytes; nothing is kept then. Otherwise when
    /// the file cannot be written or renamed, or its digest not noted.
    pub async fn finish(mut self) -> Result<Blob, StoreError> {
        self.flush().await?;
        let sha512 = self.sha512.finish();
        let extra = self
            .extra
            .take()
            .map(|(algorithm, context)| (algorithm, context.finish()));
        check(&self.expected, &sha512, extra.as_ref())?;

        let name = hex::encode(sha512);
        let path = self.store.blob_path(&name);
        if let Some(shard) = path.parent() {
            let made = tokio::fs::create_dir_all(shard).await;
            made.map_err(StoreError::file("create", shard))?;
        }
        let renamed = tokio::fs::rename(&self.part.path, &path).await;
        renamed.map_err(StoreError::file("rename", &self.part.path))?;
        self.part.keep = true;
        self.store.inner.verified.insert(&name);
        if let Some((algorithm, digest)) = extra {
            self.store
                .note_alias(&alias_key(algorithm, digest.as_ref()), &name)
                .await?;
        }
        Ok(Blob {
            path,
            length: self.length,
            sha512: name,
        })
    }
}

impl std::fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobWriter")
            .field("path", &self.part.path)
            .field("expected", &self.expected)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Store {
    async fn note_alias(&self, integrity: &str, sha512: &str) -> Result<(), StoreError> {
        // The newest bytes win: weak digests can have several.
        sqlx::query(
            "INSERT INTO blob_alias (integrity, sha512) VALUES ($1, $2) \
             ON CONFLICT (integrity) DO UPDATE SET sha512 = excluded.sha512",
        )
        .bind(integrity)
        .bind(sha512)
        .execute(&self.inner.database.write)
        .await
        .map(drop)
        .map_err(StoreError::query("blob_alias", "note a digest"))
    }
}

/// A half-written file, removed unless it is kept.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    keep: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.keep {
            debug_assert!(self.path.extension().is_some_and(|ending| ending == PART));
            // What stays behind is swept when the folder is next opened.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Compares digests with the promise, in the strongest algorithm of the promise.
fn check(
    expected: &Integrity,
    sha512: &Digest,
    extra: Option<&(Algorithm, Digest)>,
) -> Result<(), StoreError> {
    let (algorithm, _) = expected.strongest();
    let found = extra.map_or(sha512, |(_, digest)| digest).as_ref();
    if expected.holds(algorithm, found) {
        return Ok(());
    }
    let actual = Integrity::from_digest(algorithm, found)
        .map_or_else(|_| alias_key(algorithm, found), |found| found.to_string());
    Err(StoreError::Integrity {
        expected: expected.to_string(),
        actual,
    })
}

/// A digest as a key, `sha1-<hex>`.
fn alias_key(algorithm: Algorithm, raw: &[u8]) -> String {
    format!("{algorithm}-{}", hex::encode(raw))
}

fn function_of(algorithm: Algorithm) -> &'static digest::Algorithm {
    match algorithm {
        Algorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => &digest::SHA256,
        Algorithm::Sha384 => &digest::SHA384,
        Algorithm::Sha512 => &digest::SHA512,
    }
}

/// The sha512 of a file, in hexadecimal.
async fn hash_file(path: PathBuf) -> Result<String, StoreError> {
    let hash = move || {
        use std::io::Read as _;
        let fail = |doing: &'static str| StoreError::file(doing, path.clone());
        let mut file = std::fs::File::open(&path).map_err(fail("open"))?;
        let mut context = Context::new(&digest::SHA512);
        let mut buffer = vec![0_u8; 256 * 1024];
        loop {
            let read = file.read(&mut buffer).map_err(fail("read"))?;
            match buffer.get(..read) {
                None | Some([]) => break,
                Some(bytes) => context.update(bytes),
            }
        }
        Ok(hex::encode(context.finish()))
    };
    tokio::task::spawn_blocking(hash)
        .await
        .map_err(|_| StoreError::Closed)?
}

#[cfg(test)]
mod tests;
