//! The operator's own rules, in the language of YARA.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use boreal::compiler::{Compiler, CompilerParams};
use boreal::scanner::{
    CallbackEvents, EvaluatedRule, ScanCallbackResult, ScanError, ScanEvent, ScanParams, Scanner,
};
use boreal::{Metadata, MetadataValue};
use serde::{Deserialize, Serialize};
use weir_model::contents::{RuleHit, Unread};

use crate::{Digest, TextFile, place};

/// Most bytes of rules. The largest public collections have a few megabytes.
const RULES_BYTES: u64 = 16 << 20;

/// Folders are followed to this depth.
const DEPTH: usize = 8;

/// Largest file that rules are run over, in bytes.
pub const SCANNED_BYTES: u64 = 32 << 20;

/// Longest time for one file, and for all files of a package.
const FILE_TIME: Duration = Duration::from_secs(1);
const PACKAGE_TIME: Duration = Duration::from_secs(8);

/// Files that may take longer than that before the rest is left: the release is known not to be checked then, and
/// somebody waits for the answer.
const SLOW_FILES: usize = 3;

/// Most matches of one string that are counted, and their longest length.
const MATCHES: u32 = 100;
const MATCH_BYTES: usize = 128;

/// Most places shown per rule, and most rules whose hits in one package are told.
const PLACES: usize = 5;
const HITS: usize = 200;

/// What `severity` may be in a rule's metadata, mildest first.
pub const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];

/// The severity of a rule that does not say.
const UNSAID: &str = "medium";

/// Why rules are refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file or folder cannot be read.
    #[error("{path}: {why}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        why: std::io::Error,
    },
    /// A file in another encoding.
    #[error("{path}:{line}: not UTF-8; save the file in that encoding")]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The line with the first bytes that are none, counted from 1.
        line: usize,
    },
    /// There are no rules, which would look as if nothing was ever found.
    #[error("{0}: no file that ends in .yar or .yara")]
    None(PathBuf),
    /// More rules than a worker should compile.
    #[error("{0}: more than {limit} MiB of rules", limit = RULES_BYTES >> 20)]
    TooLarge(PathBuf),
    /// Rules that do not compile or say something they may not: each with file, line, column and reason.
    #[error("{}", .0.join("\n"))]
    Rules(Vec<String>),
}

/// One file of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name, relative to the folder.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// All rules as text: read once where files may be read, and handed to workers, which read none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Reads every `.yar` and `.yara` file of a folder and the folders in it.
    ///
    /// # Errors
    /// When something cannot be read, is no text, or there are no rules.
    pub fn read(folder: &Path) -> Result<Self, RulesError> {
        let mut sources = Self::default();
        let mut bytes = 0;
        read_folder(folder, "", 0, &mut bytes, &mut sources.files)?;
        if sources.files.is_empty() {
            return Err(RulesError::None(folder.to_owned()));
        }
        Ok(sources)
    }

    /// Rules given as text.
    #[must_use]
    pub fn of(files: Vec<Source>) -> Self {
        Self { files }
    }

    /// SHA-256 over names and texts, the first 16 bytes in hexadecimal: other rules, other findings.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Digest::default();
        for file in &self.files {
            for part in [&file.name, &file.text] {
                digest.update(&(part.len() as u64).to_le_bytes());
                digest.update(part.as_bytes());
            }
        }
        digest.finish()
    }
}

fn read_folder(
    folder: &Path,
    inside: &str,
    depth: usize,
    bytes: &mut u64,
    files: &mut Vec<Source>,
) -> Result<(), RulesError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |why| RulesError::Read { path, why }
    };
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .map_err(failed(folder))?
        .collect::<Result<_, _>>()
        .map_err(failed(folder))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = format!("{inside}{}", entry.file_name().to_string_lossy());
        let meta = std::fs::metadata(&path).map_err(failed(&path))?;
        if meta.is_dir() && depth < DEPTH {
            read_folder(&path, &format!("{name}/"), depth + 1, bytes, files)?;
        } else if meta.is_file()
            && path
                .extension()
                .is_some_and(|extension| extension == "yar" || extension == "yara")
        {
            *bytes = bytes.saturating_add(meta.len());
            if *bytes > RULES_BYTES {
                return Err(RulesError::TooLarge(path));
            }
            let bytes = std::fs::read(&path).map_err(failed(&path))?;
            let text = text(&path, bytes)?;
            files.push(Source { name, text });
        }
    }
    Ok(())
}

/// The text of a file of rules, without the mark of its encoding.
fn text(path: &Path, bytes: Vec<u8>) -> Result<String, RulesError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let sound = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..sound).unwrap_or_default();
        RulesError::Encoding {
            path: path.to_owned(),
            line: memchr::memchr_iter(b'\n', before).count() + 1,
        }
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Compiled rules. Made once per process.
pub struct RuleSet {
    scanner: Scanner,
    warnings: Vec<String>,
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleSet").finish_non_exhaustive()
    }
}

impl RuleSet {
    /// Compiles rules. Each file is a namespace of its own, so that names may repeat.
    ///
    /// # Errors
    /// The first mistake of each file, with file, line, column and reason; where there is none, every severity
    /// that is none.
    pub fn compile(sources: &Sources) -> Result<Self, RulesError> {
        let mut compiler = Compiler::new();
        // A rule that includes a file would make a worker read it.
        compiler.set_params(CompilerParams::default().disable_includes(true));
        let (mut warnings, mut mistakes) = (Vec::new(), Vec::new());
        for file in &sources.files {
            match compiler.add_rules_str_in_namespace(&file.text, &file.name) {
                Ok(status) => warnings.extend(
                    status
                        .warnings()
                        .map(|warning| located(&warning.to_string(), &file.name)),
                ),
                Err(error) => mistakes.push(located(&error.to_string(), &file.name)),
            }
        }
        if !mistakes.is_empty() {
            return Err(RulesError::Rules(mistakes));
        }
        let mut scanner = compiler.finalize();
        scanner.set_scan_params(
            ScanParams::default()
                .compute_full_matches(true)
                .match_max_length(MATCH_BYTES)
                .string_max_nb_matches(MATCHES)
                .timeout_duration(Some(FILE_TIME)),
        );
        let set = Self { scanner, warnings };
        set.check_severities(sources)?;
        Ok(set)
    }

    /// What the compiler warned of: slow or pointless patterns, with their places.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The rule over which a scan does not come to an end, in words: rules are gone through in their order, so it is the
    /// one after the last that came to an end. Nothing where none of several did, as the search for patterns before them
    /// may be what is slow.
    fn slow_rule(&self, bytes: &[u8]) -> Option<String> {
        let mut scanner = self.scanner.clone();
        let params = scanner.scan_params().clone();
        scanner.set_scan_params(
            params
                .include_not_matched_rules(true)
                .callback_events(CallbackEvents::RULE_MATCH | CallbackEvents::RULE_NO_MATCH),
        );
        let last = Mutex::new(None);
        let ended = scanner.scan_mem_with_callback(bytes, |event| {
            if let ScanEvent::RuleMatch(rule) | ScanEvent::RuleNoMatch(rule) = event
                && let Ok(mut last) = last.lock()
            {
                *last = Some((rule.namespace.to_owned(), rule.name.to_owned()));
            }
            ScanCallbackResult::Continue
        });
        // Quicker than the first time.
        ended.err()?;
        let last = last.into_inner().ok()?;
        let mut rules = self.scanner.rules();
        let next = match last {
            Some((file, name)) => {
                rules.find(|rule| rule.namespace == file && rule.name == name)?;
                rules.next()?
            }
            None => {
                let only = rules.next()?;
                if rules.next().is_some() {
                    return None;
                }
                only
            }
        };
        Some(format!(
            " (it was at rule {} of {})",
            next.name, next.namespace
        ))
    }

    /// A severity that is none would silently count as another.
    fn check_severities(&self, sources: &Sources) -> Result<(), RulesError> {
        let mut mistakes = Vec::new();
        for rule in self.scanner.rules() {
            let metadata = self.metadata(rule.metadatas);
            let Some(severity) = metadata.get("severity") else {
                continue;
            };
            if !SEVERITIES.contains(&severity.as_str()) {
                let (line, column) = position(sources, rule.namespace, rule.name);
                mistakes.push(format!(
                    "{}:{line}:{column}: error: rule {}: severity {severity:?} is not one of {}",
                    rule.namespace,
                    rule.name,
                    SEVERITIES.join(", ")
                ));
            }
        }
        if mistakes.is_empty() {
            return Ok(());
        }
        Err(RulesError::Rules(mistakes))
    }

    /// What a rule says of itself. Its tags stand beside the metadata, where that has no field of the name.
    fn said_by(&self, rule: &EvaluatedRule<'_>) -> BTreeMap<String, String> {
        let mut said = self.metadata(rule.metadatas);
        if !rule.tags.is_empty() {
            let names: Vec<&str> = rule
                .tags
                .iter()
                .map(|tag| self.scanner.get_string_symbol(*tag))
                .collect();
            let tags = said.entry("tags".to_owned());
            tags.or_insert_with(|| names.join(", "));
        }
        said
    }

    fn metadata(&self, all: &[Metadata]) -> BTreeMap<String, String> {
        /// Longest value that is carried along, in characters.
        const VALUE: usize = 500;
        all.iter()
            .map(|one| {
                let value = match one.value {
                    MetadataValue::Bytes(symbol) => {
                        String::from_utf8_lossy(self.scanner.get_bytes_symbol(symbol)).into_owned()
                    }
                    MetadataValue::Integer(number) => number.to_string(),
                    MetadataValue::Boolean(value) => value.to_string(),
                };
                (
                    self.scanner.get_string_symbol(one.name).to_owned(),
                    value.chars().take(VALUE).collect(),
                )
            })
            .collect()
    }
}

/// The compiler calls every text `mem`.
fn located(message: &str, file: &str) -> String {
    let located = match message.strip_prefix("mem:") {
        Some(rest) => format!("{file}:{rest}"),
        None => format!("{file}: {message}"),
    };
    format!("{located}{}", hint(message))
}

/// What to do about mistakes that are none in rules for other scanners.
fn hint(message: &str) -> &'static str {
    if message.contains("unknown import") {
        "; of YARA's modules there are hash, math, string and time: take rules that need others out of the folder"
    } else if message.contains("include") {
        "; the folder is read as a whole: take the line out"
    } else {
        ""
    }
}

/// Line and column of a rule's name, counted from 1.
fn position(sources: &Sources, file: &str, rule: &str) -> (usize, usize) {
    let text = sources
        .files
        .iter()
        .find(|source| source.name == file)
        .map_or("", |source| source.text.as_str());
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        if words.by_ref().any(|word| word == "rule") && words.next() == Some(rule) {
            let column = line.find(rule).unwrap_or(0) + 1;
            return (index + 1, column);
        }
    }
    (1, 1)
}

/// Hits of rules over one package.
#[derive(Debug, Default)]
pub struct Scan {
    hits: BTreeMap<(String, String), RuleHit>,
    /// Rules that hit and are not told, by file and name.
    left_out: BTreeSet<(String, String)>,
    unread: Vec<Unread>,
    unscanned: Vec<Unread>,
    spent: Duration,
    slow: usize,
    /// Which rule took so long, in words, where it was looked for and found.
    culprit: Option<Option<String>>,
}

/// What came of running rules over one package.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Hits.
    pub hits: Vec<RuleHit>,
    /// How many more rules hit, none of which weighs more than those.
    pub left_out: u64,
    /// Files that were too large to be kept in memory, so that no rule was begun.
    pub unread: Vec<Unread>,
    /// Files over which the rules did not come to an end.
    pub unscanned: Vec<Unread>,
}

impl Scan {
    /// Runs all rules over one file.
    pub fn file(&mut self, rules: &RuleSet, path: &str, bytes: &[u8]) {
        if self.spent > PACKAGE_TIME {
            let why = format!(
                "your rules took longer than {} s for this package",
                PACKAGE_TIME.as_secs()
            );
            self.not_finished(path, why);
            return;
        }
        if self.slow >= SLOW_FILES {
            let why = format!(
                "your rules took longer than {} s for each of {SLOW_FILES} other files",
                FILE_TIME.as_secs()
            );
            self.not_finished(path, why);
            return;
        }
        let start = Instant::now();
        let result = match rules.scanner.scan_mem(bytes) {
            Ok(result) => result,
            // Never printed as they are: partial results hold the file's bytes.
            Err((error, partial)) => {
                let why = match error {
                    ScanError::Timeout => {
                        self.slow += 1;
                        // Looked for once: it takes as long again.
                        let culprit = self.culprit.get_or_insert_with(|| rules.slow_rule(bytes));
                        format!(
                            "your rules took longer than {} s for it{}",
                            FILE_TIME.as_secs(),
                            culprit.as_deref().unwrap_or_default()
                        )
                    }
                    _ => "your rules could not be run over it".to_owned(),
                };
                self.not_finished(path, why);
                partial
            }
        };
        for rule in &result.rules {
            self.hit(rules, rule, path, bytes);
        }
        self.spent += start.elapsed();
    }

    /// A file that no rule has seen, because it was not in memory. Code that is padded beyond every reader's patience is
    /// nothing that was checked; programs and images of that size are common.
    pub fn too_large(&mut self, path: &str, is_code: bool) {
        let why = format!(
            "larger than {} MiB: your rules were not run over it",
            SCANNED_BYTES >> 20
        );
        match is_code {
            true => self.not_finished(path, why),
            false => note(&mut self.unread, path, why),
        }
    }

    /// What came of it.
    #[must_use]
    pub fn finish(self) -> Scanned {
        Scanned {
            hits: self.hits.into_values().collect(),
            left_out: self.left_out.len() as u64,
            unread: self.unread,
            unscanned: self.unscanned,
        }
    }

    fn not_finished(&mut self, path: &str, why: String) {
        note(&mut self.unscanned, path, why);
    }

    /// Whether a hit is told: where there are too many, the mildest gives way, or it is left out itself.
    fn has_room_for(&mut self, hit: &RuleHit) -> bool {
        if self.hits.len() < HITS {
            return true;
        }
        let mildest = self.hits.iter().min_by_key(|(_, hit)| weight(hit));
        let Some((key, _)) = mildest.filter(|(_, mildest)| weight(mildest) < weight(hit)) else {
            return false;
        };
        let key = key.clone();
        self.hits.remove(&key);
        self.left_out.insert(key);
        true
    }

    fn hit(&mut self, rules: &RuleSet, rule: &EvaluatedRule<'_>, path: &str, bytes: &[u8]) {
        let key = (rule.namespace.to_owned(), rule.name.to_owned());
        if self.left_out.contains(&key) {
            return;
        }
        if !self.hits.contains_key(&key) {
            let hit = RuleHit {
                rule: rule.name.to_owned(),
                source: rule.namespace.to_owned(),
                metadata: rules.said_by(rule),
                places: Vec::new(),
            };
            if !self.has_room_for(&hit) {
                self.left_out.insert(key);
                return;
            }
            self.hits.insert(key.clone(), hit);
        }
        let Some(hit) = self.hits.get_mut(&key) else {
            return;
        };
        let file = TextFile { path, bytes };
        let matches = rule
            .matches
            .iter()
            .filter_map(|string| string.matches.first());
        let mut offsets: Vec<usize> = matches.map(|found| found.offset).collect();
        if offsets.is_empty() {
            // A condition on the file itself.
            offsets.push(0);
        }
        offsets.sort_unstable();
        offsets.dedup();
        for offset in offsets {
            if hit.places.len() < PLACES {
                hit.places.push(place(&file, offset, offset));
            }
        }
    }
}

/// The place of a hit's severity among [`SEVERITIES`].
fn weight(hit: &RuleHit) -> usize {
    let said = hit.metadata.get("severity").map_or(UNSAID, String::as_str);
    let mut known = SEVERITIES.iter();
    known.position(|it| *it == said).unwrap_or_default()
}

/// Adds a file to a list that says no more from some length on.
fn note(list: &mut Vec<Unread>, path: &str, why: String) {
    if list.len() < HITS {
        list.push(Unread {
            path: path.to_owned(),
            why,
            suspicious: false,
        });
    }
}

#[cfg(test)]
mod tests;
