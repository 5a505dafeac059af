//! What is kept is its owner's only, also in a folder that was there before: made by `mkdir`, a volume, or a cache that a
//! CI restored. The folder itself is left as it is, as it may be anybody's; what weir makes in it is closed.

use std::path::Path;

/// Creates the database file, if it is not there, and sees to it that only its owner may read it. SQLite gives the files
/// beside it the same mode. What cannot be opened here is told when the database is.
#[cfg(unix)]
pub(crate) fn create_database(path: &Path) {
    use std::fs::{File, Metadata, metadata};
    use std::os::unix::fs::OpenOptionsExt as _;
    if metadata(path)
        .as_ref()
        .is_ok_and(|it: &Metadata| !it.is_file())
    {
        return;
    }
    let mut options = File::options();
    let options = options.create(true).truncate(false).write(true).mode(0o600);
    drop(options.open(path));
    for ending in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        close(Path::new(&file), 0o600);
    }
}

/// Lets only its owner into a folder of weir's own.
#[cfg(unix)]
pub(crate) fn close_folder(path: &Path) {
    close(path, 0o700);
}

/// Tells of a data folder in which others may replace the database.
#[cfg(unix)]
pub(crate) fn warn_of_writable(folder: &Path) {
    if mode(folder).is_some_and(|mode| mode & 0o002 != 0) {
        tracing::warn!(folder.path = %folder.display(),
            "other accounts may write to the data folder, and so replace what weir keeps there: let only its owner in \
             (chmod 700)");
    }
}

/// Takes all rights from others, where they have some.
#[cfg(unix)]
fn close(path: &Path, to: u32) {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    if mode(path).is_none_or(|mode| mode & 0o077 == 0) {
        return;
    }
    if let Err(error) = set_permissions(path, Permissions::from_mode(to)) {
        tracing::warn!(file.path = %path.display(), %error,
            "other accounts may read what weir keeps here, and that cannot be changed");
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(std::fs::metadata(path).ok()?.permissions().mode())
}

#[cfg(not(unix))]
pub(crate) fn create_database(_: &Path) {}

#[cfg(not(unix))]
pub(crate) fn close_folder(_: &Path) {}

#[cfg(not(unix))]
pub(crate) fn warn_of_writable(_: &Path) {}
