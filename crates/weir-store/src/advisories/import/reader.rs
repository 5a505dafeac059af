//! Reading OSV records from a folder, an archive or a file, within limits.

use std::fs::{self, File, FileType};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::sync::mpsc;
use weir_model::ordinary::what_else;

use super::{ImportLimits, ImportReport, Progress};
use crate::StoreError;
use crate::advisories::osv::{self, Reduced};

/// Deepest folder looked into.
const MAX_DEPTH: u32 = 16;
/// Records in one transaction: other writers wait some tens of milliseconds at most.
const GROUP: usize = 2000;

/// A record, and the file it is from.
pub(super) struct Read {
    pub(super) file: String,
    pub(super) found: Reduced,
}

/// Records on their way to the database.
pub(super) struct Group {
    pub(super) records: Vec<Read>,
    /// Ids whose files could not be read, by the names of the files: that is how collections name them.
    pub(super) unreadable: Vec<String>,
    pub(super) progress: Progress,
}

/// Reads files and hands records on in groups.
pub(super) struct Reader {
    source: PathBuf,
    limits: ImportLimits,
    now: Timestamp,
    groups: mpsc::Sender<Group>,
    report: ImportReport,
    bytes: u64,
    group: Vec<Read>,
    unreadable: Vec<String>,
    done: u64,
    total: u64,
}

impl Reader {
    /// Reads everything and hands it on. Runs aside: it blocks on files and on the receiver.
    pub(super) fn run(
        source: &Path,
        limits: ImportLimits,
        now: Timestamp,
        groups: mpsc::Sender<Group>,
    ) -> Result<ImportReport, StoreError> {
        let mut reader = Self {
            source: source.to_owned(),
            limits,
            now,
            groups,
            report: ImportReport::default(),
            bytes: 0,
            group: Vec::new(),
            unreadable: Vec::new(),
            done: 0,
            total: 0,
        };
        let kind = fs::metadata(source).map_err(StoreError::file("read", source))?;
        if kind.is_dir() {
            reader.folder(source)?;
        } else if let Some(what) = what_else(kind.file_type()) {
            // Opening a pipe would wait for somebody who writes to it.
            return Err(reader.refuse(format!("{what}, not an ordinary file")));
        } else if has_ending(source, "zip") {
            reader.archive(source)?;
        } else {
            reader.expect(1)?;
            reader.file(source, source)?;
        }
        // Most likely the wrong place, or a mirror that broke: no feed is empty.
        if reader.report.read == 0 {
            return Err(reader.refuse(reader.what_was_there()));
        }
        reader.hand_on()?;
        Ok(reader.report)
    }

    /// What a source without a single record holds instead.
    fn what_was_there(&self) -> String {
        let count = |number: u64, of: &str| match number {
            0 => None,
            1 => Some(format!("1 file {of}")),
            more => Some(format!("{more} files {of}")),
        };
        let first = self.report.skipped.first().map(|(file, why)| {
            let [file, why] = [file, why].map(|it| weir_model::finding::printable(it, 300));
            format!("that cannot be used ({file}: {why})")
        });
        let unusable = count(self.report.unusable(), &first.unwrap_or_default());
        let ignored = count(self.report.ignored, "whose name does not end in .json");
        let there: Vec<String> = [unusable, ignored].into_iter().flatten().collect();
        match there.is_empty() {
            true => "it holds no OSV record, and no file at all".to_owned(),
            false => format!("it holds no OSV record, but {}", there.join(" and ")),
        }
    }

    fn refuse(&self, why: String) -> StoreError {
        StoreError::Import {
            path: self.source.clone(),
            why,
        }
    }

    fn expect(&mut self, files: usize) -> Result<(), StoreError> {
        self.total = files as u64;
        if self.total > self.limits.files {
            let limit = self.limits.files;
            return Err(self.refuse(format!("{files} files, and at most {limit} are read")));
        }
        Ok(())
    }

    fn folder(&mut self, folder: &Path) -> Result<(), StoreError> {
        let mut files = Vec::new();
        self.list(folder, MAX_DEPTH, &mut files)?;
        files.sort_unstable();
        self.expect(files.len())?;
        for path in files {
            self.file(folder, &path)?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        folder: &Path,
        depth: u32,
        files: &mut Vec<PathBuf>,
    ) -> Result<(), StoreError> {
        let entries = fs::read_dir(folder).map_err(StoreError::file("read", folder))?;
        for entry in entries {
            let entry = entry.map_err(StoreError::file("read", folder))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(StoreError::file("read", &path))?;
            if kind.is_dir() && entry.file_name() == ".git" {
                // A checkout's own memory; nothing in it is a record.
            } else if kind.is_dir() && depth == 0 {
                self.report
                    .skip(&path.display().to_string(), "too deep a folder".to_owned());
            } else if kind.is_dir() {
                self.list(&path, depth - 1, files)?;
            } else if !has_ending(&path, "json") {
                self.report.ignored += 1;
            } else if kind.is_file() {
                files.push(path);
                self.expect(files.len())?;
            } else {
                let why = format!("not a file of its own: {}", what_it_is(kind));
                self.skip(&path.display().to_string(), why);
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &Path, path: &Path) -> Result<(), StoreError> {
        let inner = path
            .strip_prefix(folder)
            .ok()
            .filter(|inner| !inner.as_os_str().is_empty());
        let name = inner.unwrap_or(path).display().to_string();
        match File::open(path) {
            Ok(file) => self.record(&name, file),
            Err(error) => {
                self.skip(&name, format!("cannot be opened: {error}"));
                self.step()
            }
        }
    }

    fn archive(&mut self, path: &Path) -> Result<(), StoreError> {
        let file = File::open(path).map_err(StoreError::file("open", path))?;
        // Every entry begins with a jump, which empties the buffer: a record or two is enough.
        let file = io::BufReader::with_capacity(8 * 1024, file);
        let mut archive = zip::ZipArchive::new(file)
            .map_err(|error| self.refuse(format!("not a readable zip archive: {error}")))?;
        self.expect(archive.len())?;
        for index in 0..archive.len() {
            let name = archive.name_for_index(index).map_or_else(
                || format!("entry {index}"),
                |name| weir_model::finding::printable(name, 300),
            );
            if name.ends_with('/') || !has_ending(Path::new(&name), "json") {
                self.report.ignored += u64::from(!name.ends_with('/'));
                self.step()?;
                continue;
            }
            match archive.by_index(index) {
                Ok(entry) => self.record(&name, entry)?,
                Err(error) => {
                    self.skip(&name, format!("cannot be unpacked: {error}"));
                    self.step()?;
                }
            }
        }
        Ok(())
    }

    /// Reads one record within the limits.
    fn record(&mut self, name: &str, source: impl io::Read) -> Result<(), StoreError> {
        let limit = self.limits.file_bytes;
        let mut text = Vec::new();
        let read = source.take(limit.saturating_add(1)).read_to_end(&mut text);
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        if self.bytes > self.limits.total_bytes {
            let limit = self.limits.total_bytes;
            return Err(self.refuse(format!("more than {limit} bytes in all, at {name}")));
        }
        if let Err(error) = read {
            self.skip(name, format!("cannot be read: {error}"));
        } else if text.len() as u64 > limit {
            self.skip(name, format!("larger than {limit} bytes"));
        } else {
            match osv::reduce(&text, self.now) {
                Ok(mut found) => {
                    self.report.count(name, &mut found);
                    self.group.push(Read {
                        file: name.to_owned(),
                        found,
                    });
                }
                Err(why) => self.skip(name, why),
            }
        }
        self.step()
    }

    /// Notes a file that is not used at all. What is kept of its record stays.
    fn skip(&mut self, name: &str, why: String) {
        self.report.skip(name, why);
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let id = base.get(..base.len().saturating_sub(".json".len()));
        self.unreadable.extend(id.map(str::to_owned));
    }

    fn step(&mut self) -> Result<(), StoreError> {
        self.done += 1;
        if self.group.len() >= GROUP || self.done.is_multiple_of(GROUP as u64) {
            self.hand_on()?;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> Result<(), StoreError> {
        let group = Group {
            records: std::mem::take(&mut self.group),
            unreadable: std::mem::take(&mut self.unreadable),
            progress: Progress {
                done: self.done,
                total: self.total,
            },
        };
        // Nobody listens any more when writing failed; the writer has the reason.
        self.groups
            .blocking_send(group)
            .map_err(|_| StoreError::Closed)
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// What there is in place of a file or a folder.
fn what_it_is(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        return "a link, and links are not followed";
    }
    what_else(kind).unwrap_or("a file")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_called_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("nowhere", place("link.json")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place("socket.json")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(place("pipe.json"))
            .status();
        assert!(made.unwrap().success());
        for (path, what) in [
            (place("link.json"), "a link, and links are not followed"),
            (place("socket.json"), "a socket"),
            (place("pipe.json"), "a pipe"),
            (PathBuf::from("/dev/null"), "a device"),
        ] {
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            assert_eq!(what_it_is(kind), what, "{}", path.display());
        }
    }

    #[test]
    fn a_source_that_is_no_file_is_refused_and_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("feed.json");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for (path, what) in [
            (pipe, "a pipe, not an ordinary file"),
            (PathBuf::from("/dev/null"), "a device, not an ordinary file"),
        ] {
            let (groups, _waiting) = mpsc::channel(1);
            let limits = ImportLimits::default();
            let error = Reader::run(&path, limits, Timestamp::UNIX_EPOCH, groups).unwrap_err();
            assert!(error.to_string().ends_with(what), "{error}");
            let error = super::super::fingerprint(&path).unwrap_err();
            assert!(error.to_string().ends_with(what), "{error}");
        }
    }
}
