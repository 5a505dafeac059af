//! Tarballs, by sha512.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{self, Context};
use bytes::Bytes;
use sqlx::Row;
use weir_npm::integrity::{Algorithm, Integrity};

use crate::store::{PART, part_beside};
use crate::{Hashed, Store, StoreError};

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

    /// The same as an integrity.
    #[must_use]
    pub fn integrity(&self) -> Option<Integrity> {
        let digest = hex::decode(&self.sha512).ok()?;
        Integrity::from_digest(Algorithm::Sha512, &digest).ok()
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

    /// Keeps a tarball. `expected` is what the packument promised for it.
    ///
    /// # Errors
    /// [`StoreError::Integrity`] when these are other bytes; nothing is kept then. Otherwise when
    /// the file cannot be written or renamed, or its digest not noted.
    pub async fn keep_blob(
        &self,
        hashed: &Hashed,
        expected: &Integrity,
    ) -> Result<Blob, StoreError> {
        let (algorithm, _) = expected.strongest();
        let digest = hashed.digest(algorithm);
        if !expected.holds(algorithm, digest.as_ref()) {
            let actual = Integrity::from_digest(algorithm, digest.as_ref()).map_or_else(
                |_| alias_key(algorithm, digest.as_ref()),
                |found| found.to_string(),
            );
            return Err(StoreError::Integrity {
                expected: expected.to_string(),
                actual,
            });
        }
        let name = hashed.sha512_hex();
        let path = self.blob_path(&name);
        // The final name appears only once all bytes are there: parts live beside the shards.
        let part = part_beside(&self.inner.folder.join("blobs").join("incoming"));
        let (target, chunks) = (path.clone(), hashed.chunks().to_vec());
        // One change of threads for all of it: there are thousands of small ones.
        tokio::task::spawn_blocking(move || write_whole(&part, &target, &chunks))
            .await
            .map_err(|_| StoreError::Closed)??;
        self.inner.verified.insert(&name);
        if algorithm != Algorithm::Sha512 {
            self.note_alias(&alias_key(algorithm, digest.as_ref()), &name)
                .await?;
        }
        Ok(Blob {
            path,
            length: hashed.length(),
            sha512: name,
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

/// Writes a file under another name and moves it into place.
fn write_whole(part: &Path, target: &Path, chunks: &[Bytes]) -> Result<(), StoreError> {
    use std::io::Write as _;
    let _part = Part(part);
    std::fs::File::create_new(part)
        .and_then(|mut file| chunks.iter().try_for_each(|chunk| file.write_all(chunk)))
        .map_err(StoreError::file("write", part))?;
    if let Some(shard) = target.parent() {
        std::fs::create_dir_all(shard).map_err(StoreError::file("create", shard))?;
    }
    std::fs::rename(part, target).map_err(StoreError::file("rename", part))
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

/// A half-written file, removed unless it was moved into place.
struct Part<'a>(&'a Path);

impl Drop for Part<'_> {
    fn drop(&mut self) {
        debug_assert!(self.0.extension().is_some_and(|ending| ending == PART));
        // Usually it is gone. What stays behind is swept when the folder is next opened.
        let _ = std::fs::remove_file(self.0);
    }
}

/// A digest as a key, `sha1-<hex>`.
fn alias_key(algorithm: Algorithm, raw: &[u8]) -> String {
    format!("{algorithm}-{}", hex::encode(raw))
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
