//! Packuments as clients get them.

use jiff::Timestamp;

mod abbreviated;
mod edits;
mod full;

use super::index::Span;
use super::{Packument, PackumentError, VersionEntry};
use crate::json;

/// Which of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Everything upstream says (`application/json`).
    Full,
    /// What installing needs (`application/vnd.npm.install-v1+json`), always with `time`.
    Abbreviated,
}

/// What to do with one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// List it.
    Keep,
    /// Leave it out of `versions` and `time`.
    Hide,
    /// List it as deprecated, and under `policyRestrictions` if the plan has a message.
    Mark {
        /// The text clients print.
        deprecated: String,
    },
}

/// How a packument is to be rendered.
pub struct Plan<'a> {
    /// Our own registry address, such as `http://127.0.0.1:4873/`. Every listed tarball becomes
    /// `{base}{name}/-/{basename}-{version}.tgz` (PROTOCOL 3.6).
    pub tarball_base: &'a str,
    /// What to do with each version.
    pub versions: &'a dyn Fn(&str) -> Treatment,
    /// The message of `policyRestrictions` (PROTOCOL 3.4); only written when a version is marked.
    pub policy_message: Option<&'a str>,
    /// Replaces `dist-tags` entirely; see [`super::retag`].
    pub tags: Vec<(String, String)>,
    /// The publish time of versions that have none upstream (first-seen clock, PROTOCOL 3.2), as RFC 3339.
    pub times: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a version is not in a rendered document though nobody asked to hide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// Its key is not a version.
    NotAVersion,
    /// Its value is not an object.
    NotAnObject,
    /// It has no `dist.tarball`.
    NoTarball,
    /// Its own `version` field says something else than its key.
    OtherVersion,
}

/// A version that was left out because it is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its key in `versions`.
    pub version: String,
    /// What is wrong with it.
    pub reason: SkipReason,
}

/// A rendered document, and what is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// JSON.
    pub body: Vec<u8>,
    /// Broken versions that were left out.
    pub skipped: Vec<Skipped>,
    /// Listed versions without a publish time: clients would take them at once (PROTOCOL 3.2).
    pub without_time: Vec<String>,
}

/// Renders a packument. [`Form::Full`] is upstream's document with edits: what is not edited is the same
/// byte for byte. [`Form::Abbreviated`] is written anew from upstream's values.
///
/// # Errors
/// None today; the signature leaves room.
pub fn render(
    packument: &Packument,
    plan: &Plan<'_>,
    form: Form,
) -> Result<Rendered, PackumentError> {
    let selection = Selection::new(packument, plan);
    let body = match form {
        Form::Full => full::full(packument, plan, &selection),
        Form::Abbreviated => abbreviated::abbreviated(packument, plan, &selection),
    };
    let without_time = selection.kept().filter(|kept| kept.time.is_none());
    let without_time = without_time
        .map(|kept| kept.entry.version.clone())
        .collect();
    Ok(Rendered {
        body,
        without_time,
        skipped: selection.skipped,
    })
}

/// Renders one version, for `GET /name/version`: upstream's value with our tarball address, and with a
/// deprecation if one is given. `None` when the packument does not have it, or has it broken (see
/// [`SkipReason`]).
#[must_use]
pub fn render_version(
    packument: &Packument,
    version: &str,
    tarball_base: &str,
    deprecated: Option<&str>,
) -> Option<String> {
    let entry = packument
        .entry(version)
        .filter(|entry| entry.problem.is_none())?;
    let mut edits = edits::Edits::default();
    full::edit_version(
        &mut edits,
        entry,
        &Tarballs::new(packument, tarball_base),
        deprecated,
    );
    let mut out = Vec::with_capacity(entry.value.len() + 256);
    edits.apply(packument, &entry.value, &mut out);
    String::from_utf8(out).ok()
}

/// A version that is listed.
struct Kept<'p> {
    entry: &'p VersionEntry,
    /// The deprecation to show.
    mark: Option<String>,
    /// Its time member upstream, readable or not. Empty when there is none.
    upstream_time: Span,
    /// The time to fill in, when upstream has none that clients can read.
    filled_time: Option<String>,
    /// The time that clients will read.
    time: Option<Timestamp>,
}

/// What becomes of each version, in document order.
struct Selection<'p> {
    versions: Vec<Option<Kept<'p>>>,
    skipped: Vec<Skipped>,
}

impl<'p> Selection<'p> {
    fn new(packument: &'p Packument, plan: &Plan<'_>) -> Self {
        let mut time_spans = vec![0..0; packument.versions().len()];
        for member in &packument.index.times {
            if let Some(span) = member.entry.and_then(|at| time_spans.get_mut(at as usize)) {
                *span = member.value.clone();
            }
        }
        let mut selection = Self {
            versions: Vec::with_capacity(time_spans.len()),
            skipped: Vec::new(),
        };
        for (entry, upstream_time) in packument.versions().iter().zip(time_spans) {
            if let Some(reason) = entry.problem {
                selection.skipped.push(Skipped {
                    version: entry.version.clone(),
                    reason,
                });
                selection.versions.push(None);
                continue;
            }
            let mark = match (plan.versions)(&entry.version) {
                Treatment::Keep => None,
                Treatment::Mark { deprecated } => Some(deprecated),
                Treatment::Hide => {
                    selection.versions.push(None);
                    continue;
                }
            };
            let (mut filled_time, mut time) = (None, entry.published);
            if time.is_none() {
                filled_time = (plan.times)(&entry.version);
                time = filled_time.as_deref().and_then(crate::time::parse);
                filled_time = filled_time.filter(|_| time.is_some());
            }
            selection.versions.push(Some(Kept {
                entry,
                mark,
                upstream_time,
                filled_time,
                time,
            }));
        }
        selection
    }

    fn kept(&self) -> impl Iterator<Item = &Kept<'p>> {
        self.versions.iter().flatten()
    }

    fn is_kept(&self, at: u32) -> bool {
        self.versions.get(at as usize).is_some_and(Option::is_some)
    }
}

/// Where clients are told to fetch tarballs (PROTOCOL 3.6).
struct Tarballs {
    prefix: String,
}

impl Tarballs {
    fn new(packument: &Packument, base: &str) -> Self {
        let name = packument.name();
        let slash = if base.ends_with('/') { "" } else { "/" };
        Self {
            prefix: format!("{base}{slash}{name}/-/{}-", name.base()),
        }
    }

    fn push(&self, out: &mut Vec<u8>, version: &str) {
        let mut url = String::with_capacity(self.prefix.len() + version.len() + 4);
        url.push_str(&self.prefix);
        url.push_str(version);
        url.push_str(".tgz");
        json::push_string(out, &url);
    }
}
