//! Files of a project. A stranger may have put them there: they are read up to a limit, and only if they
//! are ordinary files. A device has no end, and a pipe may have no beginning.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use weir_model::ordinary::what_else;

/// Reads a file that may be there; `None` if there is none.
///
/// # Errors
/// Why it is there and cannot be read, in words.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, String> {
    // Looked at before it is opened: opening a pipe waits for somebody who writes.
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if is_absent(&error) && path.symlink_metadata().is_err() => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if let Some(what) = what_else(found.file_type()) {
        return Err(format!("{what}, not an ordinary file"));
    }
    check_size(found.len(), limit)?;
    let file = File::open(path).map_err(|error| error.to_string())?;
    // It may have grown since, and some files do not say how large they are.
    let mut file = file.take((limit as u64).saturating_add(1));
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    check_size(bytes.len() as u64, limit)?;
    Ok(Some(bytes))
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Says so where something is larger than a limit.
///
/// # Errors
/// That it is.
pub(crate) fn check_size(size: u64, limit: usize) -> Result<(), String> {
    if size > limit as u64 {
        return Err(format!("larger than {} MB", limit >> 20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("package.json");
        assert_eq!(read(&file, LIMIT), Ok(None));
        std::fs::write(&file, "{}").unwrap();
        assert_eq!(read(&file, LIMIT), Ok(Some(b"{}".to_vec())));
        assert_eq!(read(&file.join("inner"), LIMIT), Ok(None));
        std::fs::write(&file, vec![b' '; LIMIT + 1]).unwrap();
        assert_eq!(read(&file, LIMIT), Err("larger than 1 MB".to_owned()));
        let why = read(folder.path(), LIMIT).unwrap_err();
        assert_eq!(why, "a folder, not an ordinary file");
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_or_no_beginning_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("package-lock.json");
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        let pipe = folder.path().join("yarn.lock");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let link = folder.path().join("bun.lock");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        for file in [device, pipe] {
            let why = read(&file, LIMIT).unwrap_err();
            assert!(why.contains("not an ordinary file"), "{why}");
        }
        assert!(read(&link, LIMIT).is_err(), "a link that leads nowhere");
    }
}
