//! The one pass that finds where things are.
//!
//! It walks down to `versions.*.dist`, checks on the way that the document is JSON, and notes byte positions.
//! Everything else is skipped, not parsed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range as ByteRange;

use jiff::Timestamp;

use super::{PackumentError, Person, SkipReason, VersionEntry};
use crate::json;
use crate::json::walk::{Flaw, Walker};
use crate::version::Version;

/// A half-open range of byte positions. Empty means absent.
pub(super) type Span = ByteRange<u32>;

/// One member of `time`.
#[derive(Debug, Clone)]
pub(super) struct TimeMember {
    /// The key with its quotes.
    pub(super) key: Span,
    pub(super) value: Span,
    /// Position of the version in `entries`, for keys that are versions of this document.
    pub(super) entry: Option<u32>,
}

/// Everything the pass finds.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) entries: Vec<VersionEntry>,
    /// Positions in `entries`, sorted by version text.
    pub(super) order: Vec<u32>,
    pub(super) times: Vec<TimeMember>,
    pub(super) name: Option<String>,
    pub(super) id: Option<String>,
    pub(super) dist_tags: Vec<(String, String)>,
    pub(super) maintainers: Vec<Person>,
    pub(super) created: Option<Timestamp>,
    pub(super) time_modified: Option<Timestamp>,
    pub(super) modified: Option<Timestamp>,
    pub(super) unpublished: bool,
    pub(super) has_versions: bool,
    /// Position after the opening brace of the document.
    pub(super) open: u32,
    /// Whether the document has any member.
    pub(super) has_members: bool,
    /// The values of these top-level members.
    pub(super) dist_tags_span: Span,
    pub(super) time_span: Span,
    /// Whether `time` is an object; anything else is replaced as a whole.
    pub(super) time_is_object: bool,
    pub(super) policy_span: Span,
}

/// Most versions of a package. The largest in the wild have some ten thousand, and each is measured by the others.
const MOST_VERSIONS: usize = 100_000;

/// Reads a document that is known to be UTF-8 and to fit 32-bit positions.
pub(super) fn read(text: &str) -> Result<Index, PackumentError> {
    let mut scan = Scan {
        walker: Walker::new(text),
        index: Index::default(),
        times: Vec::new(),
    };
    scan.document().map_err(|stop| stop.explain(text))?;
    let Scan {
        mut index, times, ..
    } = scan;
    sort_versions(&mut index)?;
    join_times(text, &mut index, times)?;
    Ok(index)
}

/// Why the pass ended early.
enum Stop {
    Flaw(Flaw),
    Refused(PackumentError),
}

impl From<Flaw> for Stop {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

impl From<PackumentError> for Stop {
    fn from(error: PackumentError) -> Self {
        Self::Refused(error)
    }
}

impl Stop {
    /// What is wrong with JSON is told in serde_json's words, with the line and the column.
    fn explain(self, text: &str) -> PackumentError {
        match self {
            Self::Refused(error) => error,
            Self::Flaw(Flaw::TooDeep) => PackumentError::TooDeep,
            Self::Flaw(Flaw::NotJson) => {
                let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err();
                let error = error.map_or_else(|| "it is malformed".to_owned(), |it| it.to_string());
                PackumentError::NotJson(error)
            }
        }
    }
}

/// State of the pass.
struct Scan<'t> {
    walker: Walker<'t>,
    index: Index,
    times: Vec<(Cow<'t, str>, TimeMember)>,
}

/// A position in a document, which has to fit 32 bits.
fn position(at: usize) -> Result<u32, PackumentError> {
    u32::try_from(at).map_err(|_| PackumentError::TooLarge)
}

fn span_of(range: &ByteRange<usize>) -> Result<Span, PackumentError> {
    Ok(position(range.start)?..position(range.end)?)
}

impl<'t> Scan<'t> {
    fn here(&self) -> Result<u32, PackumentError> {
        position(self.walker.position())
    }

    /// The next value as it is written, and where it lies.
    fn value(&mut self) -> Result<(&'t str, Span), Stop> {
        let span = self.walker.value()?;
        Ok((self.walker.slice(&span), span_of(&span)?))
    }

    /// The whole document.
    fn document(&mut self) -> Result<(), Stop> {
        let mut seen = HashSet::new();
        let open = self.here()? + 1;
        let mut more = self.walker.enter()?;
        self.index.open = open;
        self.index.has_members = more;
        while more {
            let key = self.walker.key()?.text();
            let (start, is_object) = (self.here()?, self.walker.is_at_object());
            match &*key {
                "versions" if is_object => {
                    self.versions()?;
                    self.index.has_versions = true;
                }
                "versions" => return Err(PackumentError::WrongType("versions").into()),
                "time" if is_object => {
                    self.time()?;
                    self.index.time_span = start..self.here()?;
                    self.index.time_is_object = true;
                }
                _ => {
                    let (value, span) = self.value()?;
                    top_level(&mut self.index, &key, value, span)?;
                }
            }
            if seen.contains(&key) {
                return Err(PackumentError::DuplicateKey(key.into_owned()).into());
            }
            seen.insert(key);
            more = self.walker.next()?;
        }
        Ok(self.walker.finish()?)
    }

    /// `versions`.
    fn versions(&mut self) -> Result<(), Stop> {
        let mut more = self.walker.enter()?;
        while more {
            let key = self.walker.key()?;
            let mut entry = VersionEntry::new(key.text().into_owned(), span_of(&key.span)?);
            let start = self.here()?;
            if self.walker.is_at_object() {
                self.version(&mut entry)?;
                if entry.tarball.is_empty() {
                    entry.problem.get_or_insert(SkipReason::NoTarball);
                }
            } else {
                self.walker.value()?;
                entry.problem = Some(SkipReason::NotAnObject);
            }
            entry.value = start..self.here()?;
            if !is_version_key(&entry.version) {
                entry.problem = Some(SkipReason::NotAVersion);
            }
            self.index.entries.push(entry);
            more = self.walker.next()?;
        }
        Ok(())
    }

    /// One version's object.
    fn version(&mut self, entry: &mut VersionEntry) -> Result<(), Stop> {
        let mut seen = 0_u64;
        let mut more = self.walker.enter()?;
        while more {
            let key = self.walker.key()?.text();
            note(&mut seen, super::manifest::field_bit(&key), &key)?;
            if &*key == "dist" && self.walker.is_at_object() {
                self.dist(entry)?;
            } else {
                let (value, span) = self.value()?;
                let publication = &mut entry.publication;
                match &*key {
                    "deprecated" => entry.deprecated = span,
                    // Where one of these is there twice, the last one counts.
                    "_npmUser" => publication.npm_user = span,
                    "maintainers" => publication.maintainers = span,
                    "gitHead" => publication.git_head = span,
                    "_npmVersion" => publication.npm_version = span,
                    "_nodeVersion" => publication.node_version = span,
                    "version" if !says_version(value, &entry.version) => {
                        entry.problem = Some(SkipReason::OtherVersion);
                    }
                    _ => {}
                }
            }
            more = self.walker.next()?;
        }
        Ok(())
    }

    /// `dist`.
    fn dist(&mut self, entry: &mut VersionEntry) -> Result<(), Stop> {
        let mut seen = 0_u64;
        let mut more = self.walker.enter()?;
        while more {
            let key = self.walker.key()?.text();
            note(&mut seen, super::manifest::dist_field_bit(&key), &key)?;
            let (value, span) = self.value()?;
            match &*key {
                "tarball" if value.len() > 2 && json::string(value).is_some() => {
                    entry.tarball = span;
                }
                "attestations" => entry.publication.attestations = span,
                _ => {}
            }
            more = self.walker.next()?;
        }
        Ok(())
    }

    /// `time`.
    fn time(&mut self) -> Result<(), Stop> {
        let mut more = self.walker.enter()?;
        while more {
            let key = self.walker.key()?;
            let (_, value) = self.value()?;
            let member = TimeMember {
                key: span_of(&key.span)?,
                value,
                entry: None,
            };
            self.times.push((key.text(), member));
            more = self.walker.next()?;
        }
        Ok(())
    }
}

/// Notes that one of the fields that decide something was seen; twice in one object it is refused.
fn note(seen: &mut u64, field: u64, key: &str) -> Result<(), PackumentError> {
    if *seen & field != 0 {
        return Err(PackumentError::DuplicateKey(key.to_owned()));
    }
    *seen |= field;
    Ok(())
}

/// The small members of the document.
fn top_level(index: &mut Index, key: &str, value: &str, span: Span) -> Result<(), PackumentError> {
    let text = || json::string(value).map(Cow::into_owned);
    match key {
        // A name that is no string is a wrong name, not a missing one.
        "name" => index.name = text().or_else(|| Some(value.chars().take(80).collect())),
        "_id" => index.id = text(),
        "modified" => index.modified = text().and_then(|time| crate::time::parse(&time)),
        "time" => index.time_span = span,
        "policyRestrictions" => index.policy_span = span,
        "maintainers" => index.maintainers = super::manifest::people(value),
        "dist-tags" => {
            index.dist_tags_span = span;
            index.dist_tags = read_tags(value)?;
        }
        _ => {}
    }
    Ok(())
}

/// Tags with a text for a version; others name nothing.
fn read_tags(value: &str) -> Result<Vec<(String, String)>, PackumentError> {
    let members = json::members(value).map_err(|_| PackumentError::WrongType("dist-tags"))?;
    let mut seen = HashSet::new();
    let mut tags = Vec::with_capacity(members.len());
    for (tag, version) in members {
        if let Some(version) = json::string(version) {
            tags.push((tag.clone().into_owned(), version.into_owned()));
        }
        if let Some(tag) = seen.replace(tag) {
            return Err(PackumentError::DuplicateKey(tag.into_owned()));
        }
    }
    Ok(tags)
}

/// Whether a key is a version that can stand in a URL. Versions with blanks or `=`, which npm's lenient
/// parser reads, are not: no registry has such keys.
pub(super) fn is_version_key(key: &str) -> bool {
    let friendly = |byte: u8| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte);
    key.bytes().all(friendly) && Version::parse(key).is_ok()
}

/// Whether a `version` field means its key: the same text, or another spelling of the same version.
fn says_version(value: &str, key: &str) -> bool {
    let Some(text) = json::string(value) else {
        return false;
    };
    if text == key {
        return true;
    }
    match (Version::parse(&text), Version::parse(key)) {
        (Ok(inner), Ok(outer)) => inner.canonical() == outer.canonical(),
        _ => false,
    }
}

/// Sorts for look-up, and refuses a version that is there twice.
fn sort_versions(index: &mut Index) -> Result<(), PackumentError> {
    let entries = &index.entries;
    if entries.len() > MOST_VERSIONS {
        return Err(PackumentError::TooManyVersions(MOST_VERSIONS));
    }
    let version = |at: &u32| {
        entries
            .get(*at as usize)
            .map(|entry| entry.version.as_str())
    };
    let count = u32::try_from(entries.len()).map_err(|_| PackumentError::TooLarge)?;
    let mut order: Vec<u32> = (0..count).collect();
    order.sort_unstable_by(|a, b| version(a).cmp(&version(b)));
    for pair in order.windows(2) {
        if let [a, b] = pair
            && version(a) == version(b)
        {
            return Err(PackumentError::DuplicateKey(
                version(a).unwrap_or_default().to_owned(),
            ));
        }
    }
    index.order = order;
    Ok(())
}

/// The position of a version in `entries`.
pub(super) fn find(entries: &[VersionEntry], order: &[u32], version: &str) -> Option<u32> {
    let text = |at: &u32| {
        entries
            .get(*at as usize)
            .map_or("", |entry| entry.version.as_str())
    };
    order
        .binary_search_by(|at| text(at).cmp(version))
        .ok()
        .and_then(|found| order.get(found).copied())
}

/// Gives every version its publish time.
fn join_times(
    text: &str,
    index: &mut Index,
    times: Vec<(Cow<'_, str>, TimeMember)>,
) -> Result<(), PackumentError> {
    let mut timed = vec![false; index.entries.len()];
    let mut others = HashSet::new();
    index.times.reserve_exact(times.len());
    for (key, mut member) in times {
        let value = text
            .get(member.value.start as usize..member.value.end as usize)
            .unwrap_or_default();
        let time = json::string(value).and_then(|value| crate::time::parse(&value));
        member.entry = find(&index.entries, &index.order, &key);
        let twice = match member.entry.map(|at| at as usize) {
            Some(at) => {
                if let Some(entry) = index.entries.get_mut(at) {
                    entry.published = time;
                }
                timed
                    .get_mut(at)
                    .is_some_and(|timed| std::mem::replace(timed, true))
            }
            None => {
                match &*key {
                    "created" => index.created = time,
                    "modified" => index.time_modified = time,
                    "unpublished" => index.unpublished = true,
                    _ => {}
                }
                others.contains(&key)
            }
        };
        if twice {
            return Err(PackumentError::DuplicateKey(key.into_owned()));
        }
        if member.entry.is_none() {
            others.insert(key);
        }
        index.times.push(member);
    }
    Ok(())
}
