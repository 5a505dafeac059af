//! The advisories of all feeds in one file, by package: made from the database whenever that has changed,
//! and read record by record, so that hundreds of thousands of them cost a few megabytes of memory.
//!
//! All numbers are little-endian.
//!
//! ```text
//! 0   8  magic; the digit is the form
//! 8   8  count of changes to the records in the database
//! 16  8  number of packages
//! 24  8  number of records in force
//! 32  8  length of the packages' texts
//! 40  4  length of the list of feeds
//! 44  4  CRC-32 of the list of feeds and the table
//! 48  4  CRC-32 of bytes 0..48
//! 52     the list of feeds, in JSON
//!        the table: per package 24 bytes, sorted: hash of its name (8), place of its text (8), length of
//!        its text (4), CRC-32 of its text (4)
//!        the texts, in JSON
//! ```

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use flate2::Crc;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::record::Record;
use crate::store::part_beside;
use crate::{Store, StoreError};

/// The file's name in the folder of advisories.
const FILE: &str = "index";
const MAGIC: [u8; 8] = *b"weiradv1";
const HEAD: usize = 52;
const ENTRY: usize = 24;
/// Most packages in a table: the registry has a few million.
const MAX_PACKAGES: u64 = 50_000_000;
/// Longest list of feeds, in bytes.
const MAX_FEEDS: usize = 1 << 20;
/// Longest text about one package, in bytes.
const MAX_TEXT: u32 = 64 << 20;

/// One record as a feed has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Number of the feed in the list of feeds.
    #[serde(rename = "f")]
    pub(super) feed: usize,
    /// Milliseconds since 1970-01-01 UTC.
    #[serde(rename = "m")]
    pub(super) modified: i64,
    /// Whether its authors took it back.
    #[serde(rename = "w")]
    pub(super) withdrawn: bool,
    #[serde(rename = "r")]
    pub(super) record: Record,
}

/// All that is known of one package.
#[derive(Debug, Deserialize)]
struct Package {
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "k")]
    kept: Vec<Kept>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: u64,
    place: u64,
    length: u32,
    crc: u32,
}

/// The file, open.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    file: File,
    table: Vec<Entry>,
    pub(super) feeds: Vec<String>,
    pub(super) generation: u64,
    pub(super) in_force: u64,
}

impl Index {
    /// Opens the file if it is whole and of this generation; else makes it anew.
    pub(super) async fn of(store: &Store, generation: u64) -> Result<Self, StoreError> {
        let path = store.folder().join(super::FOLDER).join(FILE);
        match Self::open(&path) {
            Ok(index) if index.generation == generation => return Ok(index),
            Ok(_) => {}
            Err(why) if path.exists() => {
                tracing::warn!(file.path = %path.display(), %why, "making the index of advisories anew");
            }
            Err(_) => {}
        }
        write(store, generation, &path).await?;
        Self::open(&path).map_err(|why| damaged(&path, why))
    }

    fn open(path: &Path) -> Result<Self, String> {
        let said = |error: std::io::Error| error.to_string();
        let mut file = File::open(path).map_err(said)?;
        let size = file.metadata().map_err(said)?.len();
        let mut head = [0; HEAD];
        file.read_exact(&mut head).map_err(said)?;
        let number = |at: usize| -> u64 {
            let bytes = head.get(at..at + 8).and_then(|it| it.try_into().ok());
            u64::from_le_bytes(bytes.unwrap_or_default())
        };
        let short = |at: usize| -> u32 {
            let bytes = head.get(at..at + 4).and_then(|it| it.try_into().ok());
            u32::from_le_bytes(bytes.unwrap_or_default())
        };
        if head.get(..8) != Some(&MAGIC) {
            return Err("it is of another form".to_owned());
        }
        if crc(head.get(..48).unwrap_or_default()) != short(48) {
            return Err("its head is damaged".to_owned());
        }
        let (packages, texts) = (number(16), number(32));
        let feeds = usize::try_from(short(40)).unwrap_or(usize::MAX);
        if packages > MAX_PACKAGES || feeds > MAX_FEEDS {
            return Err("its head is out of bounds".to_owned());
        }
        let table = packages * ENTRY as u64;
        let start = HEAD as u64 + feeds as u64 + table;
        if start.checked_add(texts) != Some(size) {
            return Err("its length is wrong".to_owned());
        }
        let mut rest = vec![0; feeds + usize::try_from(table).map_err(|error| error.to_string())?];
        file.read_exact(&mut rest).map_err(said)?;
        if crc(&rest) != short(44) {
            return Err("its table is damaged".to_owned());
        }
        let (feeds, table) = rest.split_at(feeds);
        Ok(Self {
            path: path.to_owned(),
            file,
            table: table
                .chunks_exact(ENTRY)
                .filter_map(|it| Entry::read(it, start))
                .collect(),
            feeds: serde_json::from_slice(feeds).map_err(|error| error.to_string())?,
            generation: number(8),
            in_force: number(24),
        })
    }

    /// What is known of a package, in the order of the records' ids, and the length of its text.
    pub(super) fn about(&self, name: &str) -> Result<(Vec<Kept>, u32), StoreError> {
        let wanted = hash(name);
        let from = self.table.partition_point(|entry| entry.hash < wanted);
        let entries = self.table.get(from..).unwrap_or_default();
        for entry in entries.iter().take_while(|entry| entry.hash == wanted) {
            let package = self.read(*entry)?;
            // Another name may have the same hash.
            if package.name == name {
                return Ok((package.kept, entry.length));
            }
        }
        Ok((Vec::new(), 0))
    }

    fn read(&self, entry: Entry) -> Result<Package, StoreError> {
        if entry.length > MAX_TEXT {
            return Err(damaged(&self.path, "a text is out of bounds".to_owned()));
        }
        let mut text = vec![0; usize::try_from(entry.length).unwrap_or_default()];
        read_at(&self.file, &mut text, entry.place)
            .map_err(StoreError::file("read", &self.path))?;
        if crc(&text) != entry.crc {
            return Err(damaged(&self.path, "a text has changed".to_owned()));
        }
        serde_json::from_slice(&text).map_err(|error| damaged(&self.path, error.to_string()))
    }
}

impl Entry {
    /// Reads an entry; places are kept from the beginning of the texts.
    fn read(bytes: &[u8], start: u64) -> Option<Self> {
        let (hash, rest) = bytes.split_first_chunk::<8>()?;
        let (place, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (crc, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            hash: u64::from_le_bytes(*hash),
            place: u64::from_le_bytes(*place).checked_add(start)?,
            length: u32::from_le_bytes(*length),
            crc: u32::from_le_bytes(*crc),
        })
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.hash.to_le_bytes());
        out.extend(self.place.to_le_bytes());
        out.extend(self.length.to_le_bytes());
        out.extend(self.crc.to_le_bytes());
    }
}

fn damaged(path: &Path, why: String) -> StoreError {
    StoreError::Index {
        path: path.to_owned(),
        why,
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The same in every process, and not to be steered by whoever chooses names.
fn hash(name: &str) -> u64 {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    let first = digest.as_ref().first_chunk::<8>();
    u64::from_le_bytes(first.copied().unwrap_or_default())
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], place: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, place)
}

#[cfg(not(unix))]
fn read_at(file: &File, into: &mut [u8], place: u64) -> std::io::Result<()> {
    // A handle of one's own, as reading moves the place of the shared one.
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(into)
}

/// A record on its way into the file: whose it is, and where its text waits.
struct Waiting {
    hash: u64,
    place: u64,
    /// Length of name, line feed and text.
    length: usize,
}

/// Makes the file from the database. Texts wait in a second file meanwhile: the database gives them in the
/// order of their ids, and they are needed by package.
async fn write(store: &Store, generation: u64, path: &Path) -> Result<(), StoreError> {
    let mut feeds = store.advisory_feed_names().await?;
    let beside = part_beside(path);
    let texts = tempfile(&beside)?;
    let mut texts = BufWriter::with_capacity(1 << 20, texts);
    let (mut waiting, mut place, mut in_force) = (Vec::new(), 0_u64, 0_u64);
    let sql = "SELECT feed, modified_ms, withdrawn, names, record FROM advisory_record \
               ORDER BY id, feed";
    let mut rows = sqlx::query(sql).fetch(&store.inner.database.read);
    let failed = || StoreError::query("advisory_record", "read advisories");
    while let Some(row) = rows.try_next().await.map_err(failed())? {
        let feed: String = row.try_get(0).map_err(failed())?;
        let withdrawn = row.try_get::<i64, _>(2).map_err(failed())? != 0;
        let names: String = row.try_get(3).map_err(failed())?;
        let record: String = row.try_get(4).map_err(failed())?;
        in_force += u64::from(!withdrawn);
        let number = feeds.iter().position(|known| *known == feed);
        let number = number.unwrap_or_else(|| {
            feeds.push(feed);
            feeds.len() - 1
        });
        let head = format!(
            "{{\"f\":{number},\"m\":{},\"w\":{withdrawn},\"r\":",
            row.try_get::<i64, _>(1).map_err(failed())?,
        );
        for name in names.lines() {
            let text = format!("{name}\n{head}{}}}", only(&record, &names, name)?);
            waiting.push(Waiting {
                hash: hash(name),
                place,
                length: text.len(),
            });
            texts
                .write_all(text.as_bytes())
                .map_err(StoreError::file("write", &beside))?;
            place += text.len() as u64;
        }
    }
    drop(rows);
    let texts = texts
        .into_inner()
        .map_err(|error| StoreError::file("write", &beside)(error.into_error()))?;
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || {
        let done = assemble(&path, generation, &feeds, in_force, waiting, &texts);
        drop(texts);
        // What is left behind is swept by the next opener.
        let _ = std::fs::remove_file(&beside);
        done
    });
    done.await.map_err(|_| StoreError::Closed)?
}

fn tempfile(path: &Path) -> Result<File, StoreError> {
    File::options()
        .create_new(true)
        .read(true)
        .write(true)
        .open(path)
        .map_err(StoreError::file("create", path))
}

/// A record's text with what it says of one package only.
fn only(record: &str, names: &str, name: &str) -> Result<String, StoreError> {
    if !names.contains('\n') {
        return Ok(record.to_owned());
    }
    let failed = |error: serde_json::Error| StoreError::Row {
        table: "advisory_record",
        why: error.to_string(),
    };
    let mut record: Record = serde_json::from_str(record).map_err(failed)?;
    record.affected.retain(|affected| affected.name == name);
    serde_json::to_string(&record).map_err(failed)
}

/// Groups the waiting texts by package.
fn assemble(
    path: &Path,
    generation: u64,
    feeds: &[String],
    in_force: u64,
    mut waiting: Vec<Waiting>,
    texts: &File,
) -> Result<(), StoreError> {
    // Stable: the records of one package stay in the order of their ids.
    waiting.sort_by_key(|it| it.hash);
    let part = part_beside(path);
    let failed = || StoreError::file("write", &part);
    let file = tempfile(&part)?;
    let feeds = serde_json::to_vec(feeds).map_err(|error| damaged(path, error.to_string()))?;
    let packages = count_packages(&waiting, texts).map_err(failed())?;
    let start = (HEAD + feeds.len() + packages * ENTRY) as u64;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    out.seek(SeekFrom::Start(start)).map_err(failed())?;
    let (mut table, mut place) = (Vec::with_capacity(packages * ENTRY), 0_u64);
    for group in waiting.chunk_by(|a, b| a.hash == b.hash) {
        for (name, kept) in by_name(group, texts).map_err(failed())? {
            let name = serde_json::to_string(&name).unwrap_or_default();
            let text = format!("{{\"n\":{name},\"k\":[{}]}}", kept.join(","));
            let length = u32::try_from(text.len())
                .ok()
                .filter(|length| *length <= MAX_TEXT);
            let length = length.ok_or_else(|| damaged(path, format!("too much about {name}")))?;
            let hash = group.first().map_or(0, |it| it.hash);
            let crc = crc(text.as_bytes());
            Entry {
                hash,
                place,
                length,
                crc,
            }
            .write(&mut table);
            out.write_all(text.as_bytes()).map_err(failed())?;
            place += u64::from(length);
        }
    }
    let mut guarded = feeds.clone();
    guarded.extend(&table);
    let mut head = MAGIC.to_vec();
    for number in [generation, packages as u64, in_force, place] {
        head.extend(number.to_le_bytes());
    }
    head.extend(u32::try_from(feeds.len()).unwrap_or(u32::MAX).to_le_bytes());
    head.extend(crc(&guarded).to_le_bytes());
    head.extend(crc(&head).to_le_bytes());
    out.seek(SeekFrom::Start(0)).map_err(failed())?;
    out.write_all(&head)
        .and_then(|()| out.write_all(&guarded))
        .map_err(failed())?;
    out.flush().map_err(failed())?;
    drop(out);
    std::fs::rename(&part, path).map_err(StoreError::file("replace", path))
}

fn count_packages(waiting: &[Waiting], texts: &File) -> std::io::Result<usize> {
    let mut count = 0;
    for group in waiting.chunk_by(|a, b| a.hash == b.hash) {
        count += match group {
            [_] => 1,
            several => by_name(several, texts)?.len(),
        };
    }
    Ok(count)
}

/// The texts of one hash, by the names they belong to: nearly always one.
fn by_name(group: &[Waiting], texts: &File) -> std::io::Result<Vec<(String, Vec<String>)>> {
    let mut names: Vec<(String, Vec<String>)> = Vec::new();
    for waiting in group {
        let (name, text) = fetch(waiting, texts)?;
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, kept)) => kept.push(text),
            None => names.push((name, vec![text])),
        }
    }
    Ok(names)
}

fn fetch(waiting: &Waiting, texts: &File) -> std::io::Result<(String, String)> {
    let cut = || std::io::Error::other("a text that waited is not as it was written");
    let mut bytes = vec![0; waiting.length];
    read_at(texts, &mut bytes, waiting.place)?;
    let text = String::from_utf8(bytes).map_err(|_| cut())?;
    let (name, text) = text.split_once('\n').ok_or_else(cut)?;
    Ok((name.to_owned(), text.to_owned()))
}
