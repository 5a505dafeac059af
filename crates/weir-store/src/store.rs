//! The data folder: opening, sharing between processes, closing.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StoreError;
use crate::blobs::Verified;
use crate::database::Database;
use crate::ledger::Ledger;
use crate::presence::{Openings, Presence};
use crate::private;

/// The data folder. Cheap to clone; all clones are one store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) folder: PathBuf,
    pub(crate) database: Database,
    pub(crate) verified: Verified,
    pub(crate) presence: Presence,
    pub(crate) ledger: Ledger,
    /// The number that contents are kept under, where the operator has rules of its own.
    pub(crate) analyser: std::sync::OnceLock<i64>,
    /// Held shared for as long as the store is open: while anybody holds it, nobody sweeps.
    _lock: File,
}

impl Store {
    /// Opens the data folder, creating what is missing, and sweeps what an earlier process left
    /// half-written, unless another process has the folder open.
    ///
    /// # Errors
    /// When the folder cannot be created, read or locked, or its database cannot be opened or was
    /// written by a newer weir.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let wanted = folder.to_owned();
        let prepared = tokio::task::spawn_blocking(move || prepare(&wanted));
        let Prepared {
            folder,
            lock,
            alone,
        } = prepared.await.map_err(|_| StoreError::Closed)??;

        let database = Database::open(&folder.join(DATABASE)).await?;

        // From here on others may come in: a first opener held them back until the database stood.
        // Aside, because whoever comes first may hold us back in turn.
        let path = folder.join(LOCK);
        let share = move || {
            if alone {
                lock.unlock().map_err(StoreError::file("unlock", &path))?;
                lock.lock_shared()
                    .map_err(StoreError::file("lock", &path))?;
            }
            Ok(lock)
        };
        let lock = tokio::task::spawn_blocking(share)
            .await
            .map_err(|_| StoreError::Closed)??;
        let presence = Presence::new(openings(&folder, alone)?);
        if alone {
            presence
                .load(&database)
                .await
                .map_err(StoreError::query("verdict", "list what is kept"))?;
        }
        let ledger = Ledger::start(database.clone());
        Ok(Self {
            inner: Arc::new(Inner {
                folder,
                database,
                verified: Verified::default(),
                presence,
                ledger,
                analyser: std::sync::OnceLock::new(),
                _lock: lock,
            }),
        })
    }

    /// The data folder's absolute path.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Tries whether the data folder can be written, by writing: a file as large as a small tarball where tarballs
    /// are, which is removed again, and to the database.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn try_to_write(&self) -> Result<(), StoreError> {
        let path = part_beside(&self.inner.folder.join("blobs/room"));
        let tried = tokio::task::spawn_blocking(move || {
            let written = fs::write(&path, [0; ROOM]);
            let removed = fs::remove_file(&path);
            let tried = written.and(removed);
            tried.map_err(StoreError::file("write", &path))
        });
        tried.await.map_err(|_| StoreError::Closed)??;
        self.inner.database.try_to_write().await?;
        // The ledger has a task of its own, which may have ended.
        self.ledger().flush().await
    }

    /// Commits what is still waiting, then closes the database. Later calls fail with
    /// [`StoreError::Closed`] or a query error. Not calling this loses nothing that was awaited.
    ///
    /// # Errors
    /// When the last ledger entries could not be committed.
    pub async fn close(&self) -> Result<(), StoreError> {
        let last = self.inner.ledger.close().await;
        self.inner.database.close().await;
        last
    }
}

/// Bytes that are written to see whether there is room for more.
const ROOM: usize = 64 << 10;

/// The database.
const DATABASE: &str = "weir.db";

/// The file whose lock says that somebody has the folder open.
const LOCK: &str = "weir.lock";

/// Notes in the file of openings that this process is there, so that the others know.
fn openings(folder: &Path, alone: bool) -> Result<Openings, StoreError> {
    let path = folder.join(OPENINGS);
    Openings::add(&path, alone).map_err(StoreError::file("write", &path))
}

/// Grows by a byte with every process that opens the folder.
const OPENINGS: &str = "weir.openings";

struct Prepared {
    folder: PathBuf,
    lock: File,
    alone: bool,
}

/// Creates folders, takes the lock, and sweeps if nobody else is there.
fn prepare(folder: &Path) -> Result<Prepared, StoreError> {
    create_private(folder)?;
    let folder = folder
        .canonicalize()
        .map_err(StoreError::file("resolve", folder))?;
    for inner in ["blobs", "packuments", crate::advisories::FOLDER] {
        let inner = folder.join(inner);
        create_private(&inner)?;
        private::close_folder(&inner);
    }
    private::warn_of_writable(&folder);
    let database = folder.join(DATABASE);
    // A database would be made at its end, wherever that is.
    if database.symlink_metadata().is_ok_and(|it| it.is_symlink()) {
        fs::metadata(&database).map_err(StoreError::file("follow the link", &database))?;
    }
    private::create_database(&database);
    let path = folder.join(LOCK);
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(&path)
        .map_err(StoreError::file("create", &path))?;
    let alone = match lock.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => {
            lock.lock_shared()
                .map_err(StoreError::file("lock", &path))?;
            false
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::file("lock", &path)(error)),
    };
    if alone {
        sweep(&folder.join("blobs"), 2);
        sweep(&folder.join("packuments"), 1);
        sweep(&folder.join(crate::advisories::FOLDER), 0);
    }
    Ok(Prepared {
        folder,
        lock,
        alone,
    })
}

/// Creates a folder that only its owner may enter: the ledger says who fetched what.
fn create_private(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(StoreError::file("create", folder))
}

/// Ending of the names of files that are still being written.
pub(crate) const PART: &str = "part";

/// Removes half-written files, `depth` folders down. What cannot be removed only wastes space.
fn sweep(folder: &Path, depth: u32) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth > 0 {
            sweep(&path, depth - 1);
        } else if !is_folder && path.extension().is_some_and(|ending| ending == PART) {
            match fs::remove_file(&path) {
                Ok(()) => {
                    tracing::debug!(file.path = %path.display(), "removed a half-written file")
                }
                Err(error) => tracing::warn!(
                    file.path = %path.display(), %error, "cannot remove a half-written file"
                ),
            }
        }
    }
}

/// A name beside `target` that no other writer, of this or another process, uses.
pub(crate) fn part_beside(target: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{number}.{PART}", std::process::id()));
    target.with_file_name(name)
}

#[cfg(test)]
pub(crate) mod tests;
