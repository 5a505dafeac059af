//! What is no ordinary file. It is found out before anything is opened: a device has no end, and opening a
//! pipe waits for somebody who writes to it.

use std::fs::FileType;

/// What something on disk is in place of an ordinary file, in words; nothing for an ordinary file.
#[must_use]
pub fn what_else(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_symlink() {
        Some("a link")
    } else {
        Some(special(kind))
    }
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;

    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "neither a file nor a folder"
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "neither a file nor a folder"
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_is_no_file_is_called_what_it_is() {
        let kind = |path: &str| {
            std::fs::symlink_metadata(Path::new(path))
                .unwrap()
                .file_type()
        };
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (path, what) in [
            (here, None),
            ("/", Some("a folder")),
            ("/dev/null", Some("a device")),
        ] {
            assert_eq!(what_else(kind(path)), what, "{path}");
        }
    }
}
