//! Package tarballs from memory: a small ustar writer and gzip, the same bytes every time.

use std::io::Write;

use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

/// The modification time npm writes into every entry: 1985-10-26T08:15:00Z, in seconds.
const NPM_MTIME: u64 = 499_162_500;

const BLOCK: usize = 512;

/// One tar entry. [`Entry::file`] is an ordinary file; the fields are open so that hostile
/// archives (links, devices, odd modes, wrong checksums) can be written too.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The full path in the archive, first component included (`package/index.js`).
    pub path: String,
    /// The type flag: `b'0'` file, `b'1'` hard link, `b'2'` symbolic link, `b'5'` folder, ...
    pub kind: u8,
    /// The permission bits.
    pub mode: u32,
    /// The target of a link, otherwise empty.
    pub link: String,
    /// The content.
    pub data: Vec<u8>,
    /// The size written into the header when it should differ from the content's, in bytes.
    pub claimed_size: Option<u64>,
}

/// SHA-256 of a file in hexadecimal, as lists of digests name it.
#[must_use]
pub fn sha256(data: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data))
}

impl Entry {
    /// A regular file, mode 0644.
    pub fn file(path: impl Into<String>, data: impl Into<Vec<u8>>) -> Entry {
        Entry {
            path: path.into(),
            kind: b'0',
            mode: 0o644,
            link: String::new(),
            data: data.into(),
            claimed_size: None,
        }
    }

    /// A symbolic link.
    pub fn symlink(path: impl Into<String>, target: impl Into<String>) -> Entry {
        Entry {
            kind: b'2',
            mode: 0o777,
            link: target.into(),
            ..Entry::file(path, Vec::new())
        }
    }
}

/// An uncompressed ustar archive with the two closing zero blocks.
///
/// # Panics
/// When a path fits neither the name field (100 bytes) nor name plus prefix (155 bytes).
pub fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    for entry in entries {
        archive.extend_from_slice(&header(entry));
        archive.extend_from_slice(&entry.data);
        let padding = entry.data.len().next_multiple_of(BLOCK) - entry.data.len();
        archive.resize(archive.len() + padding, 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// Compresses with gzip: no name, no time, always the same bytes for the same input.
///
/// # Panics
/// Never in practice: writing to memory does not fail.
pub fn gzip(data: &[u8]) -> Bytes {
    let mut encoder: GzEncoder<Vec<u8>> = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
    encoder.write_all(data).expect("gzip into memory");
    Bytes::from(encoder.finish().expect("gzip into memory"))
}

/// `tar` then `gzip`: what a registry serves as `.tgz`.
///
/// # Panics
/// As [`tar`].
pub fn tgz(entries: &[Entry]) -> Bytes {
    gzip(&tar(entries))
}

fn header(entry: &Entry) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let (prefix, name) = split_path(&entry.path);
    let size = entry.claimed_size.unwrap_or(entry.data.len() as u64);
    put(&mut block, 0, name.as_bytes());
    put(&mut block, 100, format!("{:07o}\0", entry.mode).as_bytes());
    put(&mut block, 108, b"0000000\0");
    put(&mut block, 116, b"0000000\0");
    put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    put(&mut block, 136, format!("{NPM_MTIME:011o}\0").as_bytes());
    put(&mut block, 148, b"        ");
    put(&mut block, 156, &[entry.kind]);
    put(&mut block, 157, entry.link.as_bytes());
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 345, prefix.as_bytes());
    let checksum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    put(&mut block, 148, format!("{checksum:06o}\0 ").as_bytes());
    block
}

fn put(block: &mut [u8; BLOCK], offset: usize, bytes: &[u8]) {
    block[offset..offset + bytes.len()].copy_from_slice(bytes);
}

fn split_path(path: &str) -> (&str, &str) {
    if path.len() <= 100 {
        return ("", path);
    }
    path.match_indices('/')
        .map(|(at, _)| (&path[..at], &path[at + 1..]))
        .find(|(prefix, name)| prefix.len() <= 155 && name.len() <= 100)
        .unwrap_or_else(|| panic!("path too long for ustar: {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_whole_blocks_and_repeatable() {
        let entries = [
            Entry::file("package/package.json", "{}"),
            Entry::file(format!("package/{}/index.js", "deep/".repeat(30)), "x"),
        ];
        let archive = tar(&entries);
        assert_eq!(archive.len(), 512 * 6);
        assert_eq!(tgz(&entries), tgz(&entries));
    }
}
