//! From the bytes of a tarball, or from a folder, to facts. Runs in a worker process only.

use std::io::Read;
use std::path::Path;

use weir_archive::{Archive, Entry, File, Visitor};
use weir_files::TextFile;
use weir_files::rules::RuleSet;
use weir_js::{Package, SourceFile};
use weir_model::Contents;
use weir_model::contents::{Size, Unread, Violation};
use weir_npm::manifest::Manifest;

use super::beside::Beside;
use super::mentions;

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
    "vue",
    "svelte",
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

/// The facts about a tarball.
///
/// # Errors
/// When nothing in it could be read at all; what could be read in part is in the facts.
pub fn of_tarball(bytes: &[u8], limits: &weir_archive::Limits) -> Result<Contents, String> {
    of_tarball_with(bytes, limits, None)
}

/// The same, with the operator's rules run over every file.
///
/// # Errors
/// As for [`of_tarball`].
pub fn of_tarball_with(
    bytes: &[u8],
    limits: &weir_archive::Limits,
    rules: Option<&RuleSet>,
) -> Result<Contents, String> {
    let mut collected = Collected {
        beside: Beside::new(rules),
        ..Collected::default()
    };
    let archive = weir_archive::read(bytes, limits, &mut collected);
    if archive.files == 0
        && let Err(error) = &archive.ended
        && error.to_violation().is_none()
    {
        return Err(error.to_string());
    }
    collected.size = Size {
        files: archive.files,
        bytes: archive.bytes,
        javascript_bytes: 0,
    };
    let left_out = archive.violations_left_out;
    let mut violations = Archive::into_violations(archive);
    if left_out > 0 {
        violations.push(Violation {
            rule: "more-violations".to_owned(),
            path: None,
            detail: format!("{left_out} more of the same rules"),
            ambiguous: false,
        });
    }
    Ok(collected.analyse(violations))
}

/// The facts about a folder, taken as `npm pack` would take it but for ignore files: everything
/// except `node_modules` and version control.
///
/// # Errors
/// When the folder cannot be read.
pub fn of_folder(folder: &Path, rules: Option<&RuleSet>) -> Result<Contents, String> {
    let mut collected = Collected {
        beside: Beside::new(rules),
        ..Collected::default()
    };
    collected.walk(folder, "", 0)?;
    Ok(collected.analyse(Vec::new()))
}

/// Text worth analysing, gathered from an archive or a folder.
#[derive(Debug, Default)]
struct Collected<'r> {
    files: Vec<(String, Vec<u8>)>,
    /// Programs with the name of a script: their beginning, which is enough to know that something
    /// starts them.
    programs: Vec<(String, Vec<u8>)>,
    /// Small JSON files, which code may load: paths, addresses and texts hide there. Scripts in other
    /// languages, and files of endings that Node takes for JavaScript.
    data: Vec<(String, Vec<u8>)>,
    data_bytes: u64,
    odd_bytes: u64,
    declared_bytes: u64,
    script_bytes: u64,
    /// Whether the file at hand is one of those whose text is analysed.
    keeps: bool,
    /// What is looked at in every file, text or not.
    beside: Beside<'r>,
    text_bytes: u64,
    manifest: Option<Vec<u8>>,
    size: Size,
    unread: Vec<Unread>,
}

impl Collected<'_> {
    /// Whether a file's text is to be analysed.
    fn wants_text(&mut self, path: &str, size: u64) -> bool {
        if path == "package.json" {
            return true;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        if is_beside(name) {
            return self.wants_data(path, name, size);
        }
        if extension(name).is_empty() && size > BARE_LIMIT {
            return false;
        }
        if self.text_bytes.saturating_add(size) > TEXT_LIMIT {
            self.unread.push(Unread {
                path: path.to_owned(),
                why: format!(
                    "the package holds more than {} MiB of text to analyse",
                    TEXT_LIMIT >> 20
                ),
                suspicious: false,
            });
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
            other if NO_CODE.contains(&other) => return false,
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
            self.not_read(path, why, false);
        }
        false
    }

    /// A file of which all is in memory.
    fn whole(&mut self, path: &str, data: &[u8]) {
        self.beside.whole(path, data);
        if self.keeps {
            self.keep(path, data);
        }
    }

    fn keep(&mut self, path: &str, data: &[u8]) {
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

    fn walk(&mut self, folder: &Path, inside: &str, depth: usize) -> Result<(), String> {
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
                if !matches!(
                    name.as_str(),
                    "node_modules" | ".git" | ".hg" | ".svn" | "CVS"
                ) {
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

    fn analyse(mut self, violations: Vec<Violation>) -> Contents {
        let manifest = match self.manifest.as_deref().map(Manifest::from_json) {
            Some(Ok(manifest)) => Some(manifest),
            Some(Err(error)) => {
                self.not_read("package.json", error.to_string(), true);
                None
            }
            None => {
                self.not_read("package.json", "there is none".to_owned(), true);
                None
            }
        };
        let files: Vec<SourceFile<'_>> = self
            .files
            .iter()
            .chain(&self.programs)
            .chain(&self.data)
            .map(|(path, bytes)| SourceFile { path, bytes })
            .collect();
        let fallback = Manifest::default();
        let package = Package::new(&files, manifest.as_ref().unwrap_or(&fallback));
        let facts = weir_js::analyse(&package, &weir_js::Limits::default());
        self.size.javascript_bytes = facts.javascript_bytes;
        self.unread.extend(facts.unread);
        let texts: Vec<TextFile<'_>> = self
            .files
            .iter()
            .filter(|(path, _)| path != "package.json")
            .map(|(path, bytes)| TextFile { path, bytes })
            .collect();
        let looked = weir_files::look(&texts, &facts.surfaces, &weir_files::Limits::default());
        self.unread.extend(looked.unread);
        let (binaries, rule_hits, unread) = self.beside.finish();
        self.unread.extend(unread);
        let unmentioned = match &manifest {
            Some(manifest) if self.unread.is_empty() => mentions::missing(manifest, &texts),
            _ => Vec::new(),
        };
        Contents {
            unmentioned,
            manifest,
            size: self.size,
            violations,
            install_steps: facts.install_steps,
            flows: facts.flows,
            capabilities: facts.capabilities,
            hosts: facts.hosts,
            binaries,
            hidden: looked.hidden,
            obfuscated: looked.obfuscated,
            rule_hits,
            files: looked.files,
            files_left_out: looked.files_left_out,
            sketch: looked.sketch,
            unread: self.unread,
        }
    }

    fn not_read(&mut self, path: &str, why: String, suspicious: bool) {
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
