//! Packuments as the upstream sent them, one file each.
//!
//! A file is a fixed head, a little JSON (what is needed to ask the upstream again), the packument as
//! it is, and its checksum. All numbers are little-endian. Not compressed: even the fastest level takes
//! 9 ms per megabyte, seconds of an install that has a thousand packuments to keep, and clients keep
//! theirs as plain files too.
//!
//! ```text
//! 0   8  magic
//! 8   8  fetched at, milliseconds since 1970-01-01 UTC
//! 16  8  the same, all bits flipped: these sixteen bytes are rewritten in place by a touch
//! 24  8  length of the packument
//! 32  4  length of the JSON
//! 36  4  CRC-32 of bytes 24..36 and the JSON
//! 40     the JSON, then the packument, then its CRC-32
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use bytes::Bytes;
use flate2::Crc;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::part_beside;
use crate::{Store, StoreError};

/// A packument as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPackument {
    /// The upstream's bytes, decoded.
    pub raw: Bytes,
    /// Its entity tag, to ask again with.
    pub etag: Option<String>,
    /// Its date of last change as the upstream wrote it, to ask again with.
    pub last_modified: Option<String>,
    /// When the upstream last said that this is the present state. Kept in milliseconds.
    pub fetched_at: Timestamp,
}

/// First bytes of every file; the digit is the form.
const MAGIC: [u8; 8] = *b"weirpkm2";
/// Length of the fixed head.
const HEAD: usize = 40;
/// Most JSON in a file: two headers of at most 8 KiB each and names.
const MAX_META: usize = 64 * 1024;
/// Longest packument kept. The largest seen in the wild are some tens of megabytes.
const MAX_PACKUMENT: u64 = 256 * 1024 * 1024;

/// What is needed to ask again, and whose packument it is.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    name: String,
    upstream: String,
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Store {
    /// The packument of a package as this upstream last sent it, if it is kept. A damaged file
    /// counts as absent.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub async fn packument(
        &self,
        name: &str,
        upstream: &str,
    ) -> Result<Option<StoredPackument>, StoreError> {
        let path = self.packument_path(name, upstream);
        // Whether it is there is known without reading, and sooner than by a change of threads.
        if fs::metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let (name, upstream) = (name.to_owned(), upstream.to_owned());
        blocking(move || load(&path, &name, &upstream)).await
    }

    /// When the upstream last said that the packument that is kept is its present state. A few bytes are read for it;
    /// nothing where none is kept, or the file is damaged there.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub async fn packument_fetched_at(
        &self,
        name: &str,
        upstream: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let path = self.packument_path(name, upstream);
        blocking(move || fetched_at(&path)).await
    }

    /// Keeps a packument, in place of the one before.
    ///
    /// # Errors
    /// When it cannot be written, or is longer than 256 MiB.
    pub async fn put_packument(
        &self,
        name: &str,
        upstream: &str,
        packument: &StoredPackument,
    ) -> Result<(), StoreError> {
        let path = self.packument_path(name, upstream);
        let meta = Meta {
            name: name.to_owned(),
            upstream: upstream.to_owned(),
            etag: packument.etag.clone(),
            last_modified: packument.last_modified.clone(),
        };
        let (raw, fetched_at) = (packument.raw.clone(), packument.fetched_at);
        blocking(move || save(&path, &meta, &raw, fetched_at)).await
    }

    /// Notes that the upstream said "not modified" just now. Does nothing if the packument is not
    /// kept.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn touch_packument(
        &self,
        name: &str,
        upstream: &str,
        fetched_at: Timestamp,
    ) -> Result<(), StoreError> {
        let path = self.packument_path(name, upstream);
        blocking(move || touch(&path, fetched_at)).await
    }

    /// Named by digest: names may differ in case only, and upstreams are addresses.
    fn packument_path(&self, name: &str, upstream: &str) -> PathBuf {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(name.as_bytes());
        context.update(&[0]);
        context.update(upstream.as_bytes());
        let file = hex::encode(context.finish());
        let shard = file.get(..2).unwrap_or("__").to_owned();
        self.inner.folder.join("packuments").join(shard).join(file)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::Closed)?
}

/// The sixteen bytes that say when.
fn stamp(at: Timestamp) -> [u8; 16] {
    let at = at.as_millisecond();
    let mut bytes = [0; 16];
    let (plain, flipped) = bytes.split_at_mut(8);
    plain.copy_from_slice(&at.to_le_bytes());
    flipped.copy_from_slice(&(!at).to_le_bytes());
    bytes
}

fn touch(path: &Path, at: Timestamp) -> Result<(), StoreError> {
    use io::Seek as _;
    let mut file = match File::options().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::file("open", path)(error)),
    };
    let write = |file: &mut File| {
        file.seek(io::SeekFrom::Start(MAGIC.len() as u64))?;
        file.write_all(&stamp(at))
    };
    write(&mut file).map_err(StoreError::file("write", path))
}

fn save(path: &Path, meta: &Meta, raw: &[u8], at: Timestamp) -> Result<(), StoreError> {
    if let Some(shard) = path.parent() {
        fs::create_dir_all(shard).map_err(StoreError::file("create", shard))?;
    }
    let part = part_beside(path);
    let written = write_file(&part, meta, raw, at)
        .and_then(|()| fs::rename(&part, path))
        .map_err(StoreError::file("write", path));
    if written.is_err() {
        // What stays behind is swept when the folder is next opened.
        let _ = fs::remove_file(&part);
    }
    written
}

fn write_file(part: &Path, meta: &Meta, raw: &[u8], at: Timestamp) -> io::Result<()> {
    let too_large = |what| io::Error::new(io::ErrorKind::FileTooLarge, what);
    if raw.len() as u64 > MAX_PACKUMENT {
        return Err(too_large("the packument is too large to keep"));
    }
    let json = serde_json::to_vec(meta)?;
    let json_length = u32::try_from(json.len()).map_err(|_| too_large("headers too long"))?;
    if json.len() > MAX_META {
        return Err(too_large("the headers are too long to keep"));
    }
    let mut head = Vec::with_capacity(HEAD + json.len());
    head.extend_from_slice(&MAGIC);
    head.extend_from_slice(&stamp(at));
    head.extend_from_slice(&(raw.len() as u64).to_le_bytes());
    head.extend_from_slice(&json_length.to_le_bytes());
    let mut crc = Crc::new();
    crc.update(head.get(24..).unwrap_or_default());
    crc.update(&json);
    head.extend_from_slice(&crc.sum().to_le_bytes());
    head.extend_from_slice(&json);

    let mut file = File::create_new(part)?;
    file.write_all(&head)?;
    file.write_all(raw)?;
    file.write_all(&checksum(raw).to_le_bytes())
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn fetched_at(path: &Path) -> Result<Option<Timestamp>, StoreError> {
    use io::Read as _;
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file("open", path)(error)),
    };
    let (mut magic, mut plain, mut flipped) = ([0; 8], [0; 8], [0; 8]);
    for field in [&mut magic, &mut plain, &mut flipped] {
        match file.read_exact(field) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(StoreError::file("read", path)(error)),
        }
    }
    let at = i64::from_le_bytes(plain);
    let is_whole = magic == MAGIC && i64::from_le_bytes(flipped) == !at;
    Ok(Timestamp::from_millisecond(at).ok().filter(|_| is_whole))
}

fn load(path: &Path, name: &str, upstream: &str) -> Result<Option<StoredPackument>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => Bytes::from(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file("read", path)(error)),
    };
    match parse(&bytes) {
        Ok((meta, found)) if meta.name == name && meta.upstream == upstream => Ok(Some(found)),
        Ok(_) => {
            tracing::warn!(file.path = %path.display(), "a stored packument is another package's");
            Ok(None)
        }
        Err(why) => {
            tracing::warn!(file.path = %path.display(), why, "a stored packument is damaged");
            Ok(None)
        }
    }
}

fn parse(bytes: &Bytes) -> Result<(Meta, StoredPackument), &'static str> {
    let (head, rest) = bytes
        .split_at_checked(HEAD)
        .ok_or("shorter than its head")?;
    let field = |from: usize| -> Result<[u8; 8], &'static str> {
        head.get(from..from + 8)
            .and_then(|part| part.try_into().ok())
            .ok_or("shorter than its head")
    };
    let half = |from: usize| -> Result<u32, &'static str> {
        let part = head
            .get(from..from + 4)
            .and_then(|part| part.try_into().ok());
        part.map(u32::from_le_bytes).ok_or("shorter than its head")
    };
    if field(0)? != MAGIC {
        return Err("not a stored packument, or of another form");
    }
    let at = i64::from_le_bytes(field(8)?);
    if i64::from_le_bytes(field(16)?) != !at {
        return Err("its time is damaged");
    }
    let fetched_at = Timestamp::from_millisecond(at).map_err(|_| "its time is damaged")?;
    let length = u64::from_le_bytes(field(24)?);
    let json_length = usize::try_from(half(32)?).map_err(|_| "its head is damaged")?;
    if json_length > MAX_META || length > MAX_PACKUMENT {
        return Err("its head is damaged");
    }
    let (json, rest) = rest
        .split_at_checked(json_length)
        .ok_or("shorter than its headers")?;
    let mut crc = Crc::new();
    crc.update(head.get(24..36).unwrap_or_default());
    crc.update(json);
    if crc.sum() != half(36)? {
        return Err("its head is damaged");
    }
    let meta: Meta = serde_json::from_slice(json).map_err(|_| "its headers are damaged")?;
    let (raw, sum) = rest.split_last_chunk().ok_or("shorter than its checksum")?;
    if raw.len() as u64 != length {
        return Err("its packument has another length");
    }
    if checksum(raw) != u32::from_le_bytes(*sum) {
        return Err("its packument is damaged");
    }
    let found = StoredPackument {
        raw: bytes.slice_ref(raw),
        etag: meta.etag.clone(),
        last_modified: meta.last_modified.clone(),
        fetched_at,
    };
    Ok((meta, found))
}

#[cfg(test)]
mod tests;
