//! What of a package is kept for analysis, gathered from an archive or a folder.

use std::io::Read;
use std::path::Path;

use weir_archive::{Entry, File, Visitor};
use weir_files::rules::RuleSet;
use weir_model::contents::{Size, Unread};

use super::beside::Beside;
use super::shrinkwrap;

/// Most text kept for analysis, in bytes. The largest real package in the reference corpus holds
/// 69 MB of JavaScript (PEERS section 6); what is beyond is reported as not read.
const TEXT_LIMIT: u64 = 160 << 20;

/// Files without an extension are read up to this size, in bytes: scripts that a hook or `bin`
/// starts are small, executables are not.
const BARE_LIMIT: u64 = 1 << 20;

/// Largest JSON file that is kept for the code that loads it, in bytes. Tables of words and
/// translations are larger, and no value flow needs them.
const DATA_LIMIT: u64 = 64 << 10;
/// Most bytes of such files of one package.
const ALL_DATA_LIMIT: u64 = 1 << 20;

/// Extensions of files whose text is analysed.
const TEXT: &[&str] = &[
    "js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "sh", "bash", "gyp", "gypi",
];

/// Extensions of scripts in other languages, which hooks start.
const SCRIPTS: &[&str] = &[
    "py", "pyw", "bat", "cmd", "ps1", "psm1", "rb", "pl", "php", "lua", "vbs", "wsf", "hta", "zsh",
    "fish", "ksh",
];

/// Largest script in another language that is kept, in bytes, and most of them in one package.
const SCRIPT_LIMIT: u64 = 1 << 20;
const ALL_SCRIPTS_LIMIT: u64 = 8 << 20;

/// Extensions of files that nobody takes for code. Node takes every other ending for JavaScript, so that
/// small files of endings that are in no list are kept like data: nothing looks at them unless code loads
/// or a hook starts them.
const NO_CODE: &[&str] = &[
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "avif",
    "ico",
    "bmp",
    "woff",
    "woff2",
    "ttf",
    "eot",
    "otf",
    "css",
    "scss",
    "sass",
    "less",
    "styl",
    "pcss",
    "md",
    "mdx",
    "markdown",
    "rst",
    "html",
    "htm",
    "xml",
    "map",
    "wasm",
    "wat",
    "node",
    "so",
    "dll",
    "exe",
    "dylib",
    "a",
    "o",
    "lib",
    "h",
    "hpp",
    "hh",
    "c",
    "cc",
    "cpp",
    "m",
    "mm",
    "swift",
    "java",
    "kt",
    "rs",
    "go",
    "pdf",
    "mp3",
    "mp4",
    "ogg",
    "wav",
    "webm",
    "zip",
    "gz",
    "tgz",
    "br",
    "zst",
    "xz",
    "jar",
    "yml",
    "yaml",
    "toml",
    "lock",
    "csv",
    "tsv",
    "proto",
    "graphql",
    "gql",
    "astro",
    "hbs",
    "handlebars",
    "ejs",
    "pug",
    "mustache",
    "liquid",
    "njk",
    "snap",
    "glsl",
    "vert",
    "frag",
    "tmpl",
    "tpl",
    "patch",
    "diff",
    "log",
    "ini",
    "json5",
    "jsonc",
    "po",
];

/// Text worth analysing, gathered from an archive or a folder.
#[derive(Debug, Default)]
pub(super) struct Collected<'r> {
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// Programs with the name of a script: their beginning, which is enough to know that something
    /// starts them.
    pub(super) programs: Vec<(String, Vec<u8>)>,
    /// Small JSON files, which code may load: paths, addresses and texts hide there. Scripts in other
    /// languages, and files of endings that Node takes for JavaScript.
    pub(super) data: Vec<(String, Vec<u8>)>,
    data_bytes: u64,
    odd_bytes: u64,
    declared_bytes: u64,
    script_bytes: u64,
    /// Whether the file at hand is one of those whose text is analysed.
    keeps: bool,
    /// What is looked at in every file, text or not.
    pub(super) beside: Beside<'r>,
    text_bytes: u64,
    /// The other files, by name.
    pub(super) unkept: Vec<Left>,
    pub(super) manifest: Option<Vec<u8>>,
    /// What fixes the versions of the package's dependencies; without text where it is too large.
    pub(super) locks: Vec<(String, Option<Vec<u8>>)>,
    /// Such a file is at hand, and is kept as data as well.
    is_data: bool,
    pub(super) size: Size,
    pub(super) unread: Vec<Unread>,
}

/// A file whose text is not kept.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) path: String,
    pub(super) why: String,
    /// It may be code, by its name.
    pub(super) is_code: bool,
    /// It is said even if nothing runs it.
    pub(super) is_told: bool,
}

impl<'r> Collected<'r> {
    /// Nothing yet; every file that comes is searched by the operator's rules as well.
    pub(super) fn new(rules: Option<&'r RuleSet>) -> Self {
        Self {
            beside: Beside::new(rules),
            ..Self::default()
        }
    }
}

impl Collected<'_> {
    /// Whether a file's text is to be analysed.
    fn wants_text(&mut self, path: &str, size: u64) -> bool {
        if path == "package.json" {
            return true;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        if shrinkwrap::is_one(path) {
            self.is_data = self.wants_data(path, name, size);
            let is_read = size <= shrinkwrap::MOST_BYTES;
            if !is_read {
                self.locks.push((path.to_owned(), None));
            }
            return is_read;
        }
        if is_beside(name) {
            return self.wants_data(path, name, size);
        }
        if extension(name).is_empty() && size > BARE_LIMIT {
            let why = format!(
                "a file without an ending, larger than {} KiB",
                BARE_LIMIT >> 10
            );
            self.leave(path, why, true, false);
            return false;
        }
        if self.text_bytes.saturating_add(size) > TEXT_LIMIT {
            let why = format!(
                "the package holds more than {} MiB of text to analyse",
                TEXT_LIMIT >> 20
            );
            self.leave(path, why, true, true);
            return false;
        }
        self.text_bytes += size;
        true
    }

    /// Whether a file that is data, or code in another language, is small enough to be looked at where
    /// code loads or a hook starts it.
    fn wants_data(&mut self, path: &str, name: &str, size: u64) -> bool {
        let extension = extension(name);
        let (kept, one, all) = match extension.as_str() {
            "json" => (&mut self.data_bytes, DATA_LIMIT, ALL_DATA_LIMIT),
            script if SCRIPTS.contains(&script) => {
                (&mut self.script_bytes, SCRIPT_LIMIT, ALL_SCRIPTS_LIMIT)
            }
            _ if is_declaration(name) => (&mut self.declared_bytes, DATA_LIMIT, ALL_DATA_LIMIT),
            other if NO_CODE.contains(&other) => {
                let why = format!("no code by its ending (.{other})");
                self.leave(path, why, false, false);
                return false;
            }
            _ => (&mut self.odd_bytes, DATA_LIMIT, ALL_DATA_LIMIT),
        };
        let total = kept.saturating_add(size);
        if size <= one && total <= all {
            *kept = total;
            return true;
        }
        if SCRIPTS.contains(&extension.as_str()) {
            let why = format!(
                "a script larger than {} MiB, or one of more than {} MiB in all",
                SCRIPT_LIMIT >> 20,
                ALL_SCRIPTS_LIMIT >> 20
            );
            self.leave(path, why, true, true);
        } else {
            let why = format!(
                "data by its ending, larger than {} KiB, or more than {} KiB of such files",
                DATA_LIMIT >> 10,
                ALL_DATA_LIMIT >> 10
            );
            let is_code = extension != "json" && !is_declaration(name);
            self.leave(path, why, is_code, false);
        }
        false
    }

    fn leave(&mut self, path: &str, why: String, is_code: bool, is_told: bool) {
        self.unkept.push(Left {
            path: path.to_owned(),
            why,
            is_code,
            is_told,
        });
    }

    /// A file of which all is in memory.
    fn whole(&mut self, path: &str, data: &[u8]) {
        let before = self.files.len();
        if self.keeps {
            self.keep(path, data);
        }
        let is_code = self.files.len() > before && path != "package.json";
        self.beside.whole(path, data, is_code);
    }

    fn keep(&mut self, path: &str, data: &[u8]) {
        if shrinkwrap::is_one(path) {
            self.locks.push((path.to_owned(), Some(data.to_vec())));
            if !self.is_data {
                return;
            }
        }
        if Beside::is_program(path, data) {
            let head = data.get(..weir_files::HEAD_BYTES).unwrap_or(data);
            self.programs.push((path.to_owned(), head.to_vec()));
            return;
        }
        if is_beside(path.rsplit('/').next().unwrap_or(path)) {
            self.data.push((path.to_owned(), data.to_vec()));
            return;
        }
        if path == "package.json" {
            // npm takes the last of several; the archive's violation names the others.
            self.manifest = Some(data.to_vec());
        }
        self.files.push((path.to_owned(), data.to_vec()));
    }

    pub(super) fn walk(&mut self, folder: &Path, inside: &str, depth: usize) -> Result<(), String> {
        /// Folders are followed to this depth; deeper ones are no package anybody wrote.
        const DEPTH: usize = 64;
        let why = |error: std::io::Error| format!("{}: {error}", folder.display());
        if depth > DEPTH {
            let why = format!("deeper than {DEPTH} folders");
            self.unread.push(Unread {
                path: inside.to_owned(),
                why,
                suspicious: true,
            });
            return Ok(());
        }
        let mut entries: Vec<_> = std::fs::read_dir(folder)
            .map_err(why)?
            .collect::<Result<_, _>>()
            .map_err(why)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if inside.is_empty() {
                name.clone()
            } else {
                format!("{inside}/{name}")
            };
            let kind = entry.file_type().map_err(why)?;
            if kind.is_dir() {
                // What a bundled package needs lies below it, and is packed with it.
                let is_left = match name.as_str() {
                    "node_modules" => !inside.starts_with("node_modules/"),
                    other => matches!(other, ".git" | ".hg" | ".svn" | "CVS"),
                };
                if !is_left {
                    self.walk(&entry.path(), &path, depth + 1)?;
                }
            } else if kind.is_file() {
                self.take(&entry.path(), &path)?;
            } else {
                let why = "not a regular file; npm does not pack it".to_owned();
                self.unread.push(Unread {
                    path,
                    why,
                    suspicious: false,
                });
            }
        }
        Ok(())
    }

    fn take(&mut self, file: &Path, path: &str) -> Result<(), String> {
        let why = |error: std::io::Error| format!("{}: {error}", file.display());
        let size = std::fs::metadata(file).map_err(why)?.len();
        self.size.files += 1;
        self.size.bytes += size;
        self.keeps = self.wants_text(path, size);
        if self.keeps || self.beside.wants(path, size) {
            let data = std::fs::read(file).map_err(why)?;
            self.whole(path, &data);
            return Ok(());
        }
        let mut open = std::fs::File::open(file).map_err(why)?;
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = open.read(&mut piece).map_err(why)?;
            self.beside.piece(piece.get(..read).unwrap_or_default());
            if read == 0 || !self.beside.is_busy() {
                break;
            }
        }
        self.beside.end(path, size);
        Ok(())
    }

    pub(super) fn not_read(&mut self, path: &str, why: String, suspicious: bool) {
        self.unread.push(Unread {
            path: path.to_owned(),
            why,
            suspicious,
        });
    }
}

/// The ending of a file's name, in lower case; empty where there is none.
fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// Whether a file is kept beside the code, for what loads or starts it, by its name.
fn is_beside(name: &str) -> bool {
    let extension = extension(name);
    let is_text = extension.is_empty() || TEXT.contains(&extension.as_str());
    name != "package.json" && (is_declaration(name) || !is_text)
}

/// Declarations of types hold no code, unless somebody gives code their name.
fn is_declaration(name: &str) -> bool {
    [".d.ts", ".d.mts", ".d.cts"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

impl Visitor for Collected<'_> {
    fn wants(&mut self, file: &File<'_>) -> bool {
        self.keeps = self.wants_text(file.path, file.size);
        let beside = self.beside.wants(file.path, file.size);
        self.keeps || beside
    }

    fn piece(&mut self, piece: &[u8]) {
        self.beside.piece(piece);
    }

    fn entry(&mut self, entry: Entry<'_>) {
        match entry.data() {
            Some(data) => self.whole(entry.path(), data),
            None => self.beside.end(entry.path(), entry.file.size),
        }
    }
}
