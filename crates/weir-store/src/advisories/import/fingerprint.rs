//! Whether a file is still the one that was read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use weir_model::ordinary::what_else;

use crate::StoreError;

/// What fingerprints begin with. The number is counted up whenever records are read in another way, so that
/// a file which has not changed is read again all the same.
const FORM: &str = "osv2-sha256:";

/// Stands for the bytes of a file and how records are read; nothing for a folder.
///
/// # Errors
/// When the file cannot be read, or is a pipe or a device.
pub fn fingerprint(path: &Path) -> Result<Option<String>, StoreError> {
    let failed = |error: io::Error| StoreError::file("read", path)(error);
    let kind = fs::metadata(path).map_err(failed)?.file_type();
    if kind.is_dir() {
        return Ok(None);
    }
    // Looked at before it is opened: opening a pipe waits for somebody who writes.
    if let Some(what) = what_else(kind) {
        return Err(StoreError::Import {
            path: path.to_owned(),
            why: format!("{what}, not an ordinary file"),
        });
    }
    let mut file = File::open(path).map_err(failed)?;
    let (mut context, mut buffer) = (Context::new(&SHA256), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        let Some(bytes) = buffer.get(..read).filter(|it| !it.is_empty()) else {
            break;
        };
        context.update(bytes);
    }
    Ok(Some(format!("{FORM}{}", hex::encode(context.finish()))))
}
