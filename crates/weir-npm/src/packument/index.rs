//! The one pass that finds where things are.
//!
//! serde_json reads the document and checks that it is JSON; the visitors here walk down to
//! `versions.*.dist` and note byte positions on the way. Everything else is skipped, not parsed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range as ByteRange;

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{PackumentError, Person, SkipReason, VersionEntry};
use crate::json;
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

/// Reads a document that is known to be UTF-8 and to fit 32-bit positions.
pub(super) fn read(text: &str) -> Result<Index, PackumentError> {
    let mut scan = Scan {
        text,
        index: Index::default(),
        times: Vec::new(),
        failure: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outcome = deserializer
        .deserialize_map(Document(&mut scan))
        .and_then(|()| deserializer.end());
    if let Some(failure) = scan.failure {
        return Err(failure);
    }
    outcome.map_err(|error| PackumentError::NotJson(error.to_string()))?;
    let Scan {
        mut index, times, ..
    } = scan;
    sort_versions(&mut index)?;
    join_times(text, &mut index, times)?;
    Ok(index)
}

/// State of the pass. `failure` carries our own errors past serde's.
struct Scan<'t> {
    text: &'t str,
    index: Index,
    times: Vec<(Cow<'t, str>, TimeMember)>,
    failure: Option<PackumentError>,
}

impl<'t> Scan<'t> {
    fn fail<E: serde::de::Error>(&mut self, failure: PackumentError) -> E {
        self.failure.get_or_insert(failure);
        E::custom("refused")
    }

    /// The next value as it is written, and where it lies. Refuses one that is nested too deeply, which
    /// skipping would not notice.
    fn next_value<A: MapAccess<'t>>(&mut self, map: &mut A) -> Result<(&'t str, Span), A::Error> {
        let value: &'t RawValue = map.next_value()?;
        if !json::depth_is_fine(value.get().as_bytes()) {
            return Err(self.fail(PackumentError::TooDeep));
        }
        Ok((value.get(), self.span(value.get())?))
    }

    /// Where a slice of the document lies.
    fn span<E: serde::de::Error>(&self, part: &str) -> Result<Span, E> {
        let start =
            json::offset_in(self.text, part).ok_or_else(|| E::custom("outside of the document"))?;
        Ok(position(start)?..position(start + part.len())?)
    }

    /// The position of the value that follows a key, and whether it is an object.
    fn value_after<E: serde::de::Error>(&self, key: &Span) -> Result<(u32, bool), E> {
        let bytes = self.text.as_bytes();
        let colon = json::skip_whitespace(bytes, key.end as usize);
        let start = json::skip_whitespace(bytes, colon + 1);
        Ok((position(start)?, bytes.get(start) == Some(&b'{')))
    }

    /// The position after the brace that closes an object, given where its last member ends.
    fn object_end<E: serde::de::Error>(&self, last: u32) -> Result<u32, E> {
        position(json::skip_whitespace(self.text.as_bytes(), last as usize) + 1)
    }
}

fn position<E: serde::de::Error>(at: usize) -> Result<u32, E> {
    u32::try_from(at).map_err(|_| E::custom("beyond 4 GiB"))
}

/// The whole document.
struct Document<'s, 't>(&'s mut Scan<'t>);

impl<'t> Visitor<'t> for Document<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a packument")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let scan = self.0;
        let mut seen = HashSet::new();
        scan.index.open = scan.object_end(0)?;
        while let Some(key) = map.next_key::<&RawValue>()? {
            scan.index.has_members = true;
            let key_span = scan.span(key.get())?;
            let (start, is_object) = scan.value_after(&key_span)?;
            let key = json::key_text(key.get());
            match &*key {
                "versions" if is_object => {
                    map.next_value_seed(Versions(scan))?;
                    scan.index.has_versions = true;
                }
                "versions" => return Err(scan.fail(PackumentError::WrongType("versions"))),
                "time" if is_object => {
                    let end = map.next_value_seed(Times { scan, start })?;
                    scan.index.time_span = start..end;
                    scan.index.time_is_object = true;
                }
                _ => {
                    let (value, span) = scan.next_value(&mut map)?;
                    top_level(&mut scan.index, &key, value, span)
                        .map_err(|error| scan.fail::<A::Error>(error))?;
                }
            }
            if seen.contains(&key) {
                return Err(scan.fail(PackumentError::DuplicateKey(key.into_owned())));
            }
            seen.insert(key);
        }
        Ok(())
    }
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

/// `versions`.
struct Versions<'s, 't>(&'s mut Scan<'t>);

impl<'t> DeserializeSeed<'t> for Versions<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'t> Visitor<'t> for Versions<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of versions")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let scan = self.0;
        while let Some(key) = map.next_key::<&RawValue>()? {
            let key_span = scan.span(key.get())?;
            let (start, is_object) = scan.value_after(&key_span)?;
            let mut entry = VersionEntry::new(json::key_text(key.get()).into_owned(), key_span);
            if is_object {
                entry.value = start..map.next_value_seed(OneVersion {
                    scan,
                    entry: &mut entry,
                    start,
                })?;
                if entry.tarball.is_empty() {
                    entry.problem.get_or_insert(SkipReason::NoTarball);
                }
            } else {
                (_, entry.value) = scan.next_value(&mut map)?;
                entry.problem = Some(SkipReason::NotAnObject);
            }
            if !is_version_key(&entry.version) {
                entry.problem = Some(SkipReason::NotAVersion);
            }
            scan.index.entries.push(entry);
        }
        Ok(())
    }
}

/// Whether a key is a version that can stand in a URL. Versions with blanks or `=`, which npm's lenient
/// parser reads, are not: no registry has such keys.
pub(super) fn is_version_key(key: &str) -> bool {
    let friendly = |byte: u8| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte);
    key.bytes().all(friendly) && (is_plain_version(key) || Version::parse(key).is_ok())
}

/// The common forms `1.22.333` and `1.22.333-rc.4`, decided without parsing.
fn is_plain_version(key: &str) -> bool {
    let number = |part: &str| {
        (1..=15).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let (numbers, pre) = key
        .split_once('-')
        .map_or((key, None), |(numbers, pre)| (numbers, Some(pre)));
    let mut parts = numbers.split('.');
    key.len() <= crate::version::MAX_LENGTH
        && (0..3).all(|_| parts.next().is_some_and(number))
        && parts.next().is_none()
        && pre.is_none_or(|pre| pre.split('.').all(word))
}

/// One version's object. Its value is the position after its closing brace.
struct OneVersion<'s, 't> {
    scan: &'s mut Scan<'t>,
    entry: &'s mut VersionEntry,
    start: u32,
}

impl<'t> DeserializeSeed<'t> for OneVersion<'_, 't> {
    type Value = u32;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'t> Visitor<'t> for OneVersion<'_, 't> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version's manifest")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<u32, A::Error> {
        let Self { scan, entry, start } = self;
        let (mut seen, mut last) = (0_u64, start + 1);
        while let Some(key) = map.next_key::<&RawValue>()? {
            let raw_key = key.get();
            let key = json::key_text(raw_key);
            let field = super::manifest::field_bit(&key);
            if seen & field != 0 {
                return Err(scan.fail(PackumentError::DuplicateKey(key.into_owned())));
            }
            seen |= field;
            if &*key == "dist" {
                let (start, is_object) = scan.value_after(&scan.span(raw_key)?)?;
                if is_object {
                    last = map.next_value_seed(DistSeed { scan, entry, start })?;
                    continue;
                }
            }
            let (value, span) = scan.next_value(&mut map)?;
            last = span.end;
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
        scan.object_end(last)
    }
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

/// `dist`. Its value is the position after its closing brace.
struct DistSeed<'s, 't> {
    scan: &'s mut Scan<'t>,
    entry: &'s mut VersionEntry,
    start: u32,
}

impl<'t> DeserializeSeed<'t> for DistSeed<'_, 't> {
    type Value = u32;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'t> Visitor<'t> for DistSeed<'_, 't> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a dist")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<u32, A::Error> {
        let Self { scan, entry, start } = self;
        let (mut seen, mut last) = (0_u64, start + 1);
        while let Some(key) = map.next_key::<&'t RawValue>()? {
            let key = json::key_text(key.get());
            let field = super::manifest::dist_field_bit(&key);
            if seen & field != 0 {
                return Err(scan.fail(PackumentError::DuplicateKey(key.into_owned())));
            }
            seen |= field;
            let (value, span) = scan.next_value(&mut map)?;
            last = span.end;
            match &*key {
                "tarball" if value.len() > 2 && json::string(value).is_some() => {
                    entry.tarball = span;
                }
                "attestations" => entry.publication.attestations = span,
                _ => {}
            }
        }
        scan.object_end(last)
    }
}

/// `time`. Its value is the position after its closing brace.
struct Times<'s, 't> {
    scan: &'s mut Scan<'t>,
    start: u32,
}

impl<'t> DeserializeSeed<'t> for Times<'_, 't> {
    type Value = u32;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'t> Visitor<'t> for Times<'_, 't> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of times")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<u32, A::Error> {
        let Self { scan, start } = self;
        let mut last = start + 1;
        while let Some(key) = map.next_key::<&'t RawValue>()? {
            let (_, value) = scan.next_value(&mut map)?;
            last = value.end;
            let member = TimeMember {
                key: scan.span(key.get())?,
                value,
                entry: None,
            };
            scan.times.push((json::key_text(key.get()), member));
        }
        scan.object_end(last)
    }
}

/// Sorts for look-up, and refuses a version that is there twice.
fn sort_versions(index: &mut Index) -> Result<(), PackumentError> {
    let entries = &index.entries;
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
