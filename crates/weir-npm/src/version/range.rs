//! Ranges, read as npm reads them: node-semver's lenient grammar, in which a comparator that makes no
//! sense is left out as long as another remains.
//!
//! deno_semver's ranges are not used: they fold comparators into one interval, so that `>=10 1.1.0` admits
//! 1.1.0, they drop an empty alternative (`1 ||`), and they overflow on the largest numbers. Each form is
//! rewritten here into plain comparators, as node-semver documents it, and those are compared one by one.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use super::{MAX_COMPONENT, MAX_LENGTH, MAX_RANGE_LENGTH, Version, VersionError};

/// What a dependency asks of a version: a semver range, or the name of a tag.
#[derive(Clone)]
pub struct Range {
    raw: Box<str>,
    kind: Kind,
    prereleases: Prereleases,
    /// Whether something in it made no sense and was left out.
    left_out: bool,
}

/// Which prereleases a range admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prereleases {
    /// Those that share their three numbers with a comparator that has a prerelease.
    Named,
    /// All that lie between the bounds.
    All,
}

impl Prereleases {
    /// The prerelease of the lowest version in an open range: `1.x` begins at `1.0.0`, or at `1.0.0-0`.
    const fn lowest(self) -> &'static str {
        match self {
            Self::Named => "",
            Self::All => "0",
        }
    }
}

#[derive(Clone)]
enum Kind {
    /// Alternatives; each holds comparators that must all hold. None of them means any release.
    Alternatives(Vec<Vec<Comparator>>),
    Tag,
}

impl Range {
    /// Reads a range as npm does; a word that is no range is a tag. Empty text means any version.
    ///
    /// # Errors
    /// [`VersionError::TooLong`] beyond [`MAX_RANGE_LENGTH`], [`VersionError::NotARange`] for text that
    /// is neither.
    pub fn parse_from_npm(text: &str) -> Result<Self, VersionError> {
        Self::parse(text, Prereleases::Named)
    }

    /// Reads a range that admits every prerelease between its bounds: node-semver's `includePrerelease`,
    /// by which audits judge the affected versions of an advisory.
    ///
    /// # Errors
    /// As for [`Self::parse_from_npm`].
    pub fn parse_with_prereleases(text: &str) -> Result<Self, VersionError> {
        Self::parse(text, Prereleases::All)
    }

    fn parse(text: &str, prereleases: Prereleases) -> Result<Self, VersionError> {
        if text.len() > MAX_RANGE_LENGTH {
            return Err(VersionError::TooLong);
        }
        let mut alternatives = Vec::with_capacity(1);
        let mut left_out = false;
        for alternative in text.split("||") {
            alternatives.extend(read_alternative(alternative, prereleases, &mut left_out)?);
        }
        // An alternative that admits any release stands for all of them, prereleases in others included.
        if let Some(any) = alternatives.iter().position(Vec::is_empty) {
            alternatives = vec![alternatives.swap_remove(any)];
        }
        let kind = match alternatives.is_empty() {
            false => Kind::Alternatives(alternatives),
            true if is_tag(text.trim()) => Kind::Tag,
            true => return Err(VersionError::NotARange),
        };
        Ok(Self {
            raw: text.into(),
            kind,
            prereleases,
            left_out,
        })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// Whether it names versions, and every word of it was read. npm leaves out what makes no sense; whoever
    /// is warned of versions cannot.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        !self.left_out && !self.is_tag()
    }

    /// Whether it names a tag rather than versions.
    #[must_use]
    pub fn is_tag(&self) -> bool {
        self.tag().is_some()
    }

    /// The tag it names, if it does.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        match self.kind {
            Kind::Tag => Some(self.raw.trim()),
            Kind::Alternatives(_) => None,
        }
    }

    /// Whether a version is in the range. Unless it was read with all prereleases, a prerelease must also
    /// share its three numbers with a comparator that has a prerelease. A tag matches no version.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        let Kind::Alternatives(alternatives) = &self.kind else {
            return false;
        };
        alternatives.iter().any(|comparators| {
            comparators
                .iter()
                .all(|comparator| comparator.admits(version))
                && (self.prereleases == Prereleases::All
                    || !version.is_prerelease()
                    || comparators.iter().any(|it| it.names_prerelease_of(version)))
        })
    }
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw && self.prereleases == other.prereleases
    }
}

impl Eq for Range {}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.raw, f)
    }
}

/// The highest version in the range, by semver.
#[must_use]
pub fn satisfying_max<'v>(range: &Range, versions: &'v [Version]) -> Option<&'v Version> {
    versions
        .iter()
        .filter(|version| range.matches(version))
        .max()
}

/// The text of a range that admits what any of several admit, each alternative once and in its first
/// place. One that admits everything stands for all. Nothing for no range at all.
#[must_use]
pub fn join_ranges<'t>(ranges: impl IntoIterator<Item = &'t str>) -> String {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut alternatives: Vec<&str> = Vec::new();
    for alternative in ranges.into_iter().flat_map(|range| range.split("||")) {
        match alternative.trim() {
            "" | "*" => return "*".to_owned(),
            alternative if seen.insert(alternative) => alternatives.push(alternative),
            _ => {}
        }
    }
    alternatives.join(" || ")
}

/// Names of tags hold only what a URL leaves as it is.
fn is_tag(text: &str) -> bool {
    let friendly = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    !text.is_empty() && text.bytes().all(friendly)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
struct Comparator {
    operator: Operator,
    bound: deno_semver::Version,
}

impl Comparator {
    fn new(
        operator: Operator,
        major: u64,
        minor: u64,
        patch: u64,
        pre: &str,
    ) -> Result<Self, VersionError> {
        // node-semver refuses the whole range for a bound it cannot hold.
        if major.max(minor).max(patch) > MAX_COMPONENT {
            return Err(VersionError::NotARange);
        }
        let bound = match pre {
            // Most bounds are three numbers, which need not become text to be read again.
            "" => deno_semver::Version {
                major,
                minor,
                patch,
                ..deno_semver::Version::default()
            },
            _ => {
                let text = format!("{major}.{minor}.{patch}-{pre}");
                if text.len() > MAX_LENGTH {
                    return Err(VersionError::NotARange);
                }
                let bound = Version::parse(&text).map_err(|_| VersionError::NotARange)?;
                bound.inner
            }
        };
        Ok(Self { operator, bound })
    }

    /// `<major.minor.patch-0`: below this version and all its prereleases.
    fn below(major: u64, minor: u64, patch: u64) -> Result<Self, VersionError> {
        Self::new(Operator::Less, major, minor, patch, "0")
    }

    fn from(major: u64, minor: u64, patch: u64, pre: &str) -> Result<Self, VersionError> {
        Self::new(Operator::GreaterOrEqual, major, minor, patch, pre)
    }

    fn admits(&self, version: &Version) -> bool {
        let ordering = version.inner.cmp(&self.bound);
        match self.operator {
            Operator::Equal => ordering == Ordering::Equal,
            Operator::Less => ordering == Ordering::Less,
            Operator::LessOrEqual => ordering != Ordering::Greater,
            Operator::Greater => ordering == Ordering::Greater,
            Operator::GreaterOrEqual => ordering != Ordering::Less,
        }
    }

    /// `>=0.0.0`, or `>=0.0.0-0` with all prereleases, which says nothing.
    fn is_from_zero(&self, prereleases: Prereleases) -> bool {
        let bound = &self.bound;
        let zero = (bound.major, bound.minor, bound.patch) == (0, 0, 0);
        let pre = match prereleases {
            Prereleases::Named => bound.pre.is_empty(),
            Prereleases::All => matches!(bound.pre.as_slice(), [one] if one.as_str() == "0"),
        };
        zero && pre && self.operator == Operator::GreaterOrEqual
    }

    fn names_prerelease_of(&self, version: &Version) -> bool {
        let numbers = (self.bound.major, self.bound.minor, self.bound.patch);
        !self.bound.pre.is_empty() && numbers == (version.major(), version.minor(), version.patch())
    }
}

/// The comparators of one alternative. `None` when nothing in it makes sense. Notes whether anything was left
/// out.
fn read_alternative(
    text: &str,
    prereleases: Prereleases,
    left_out: &mut bool,
) -> Result<Option<Vec<Comparator>>, VersionError> {
    let lowest = prereleases.lowest();
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        return Ok(Some(Vec::new()));
    }
    if let [from, "-", to] = words.as_slice()
        && let (Some(from), Some(to)) = (Partial::read(from), Partial::read(to))
    {
        let mut comparators = hyphen(&from, &to, lowest)?;
        comparators.retain(|comparator| !comparator.is_from_zero(prereleases));
        return Ok(Some(comparators));
    }
    let mut comparators = Vec::with_capacity(words.len());
    let mut any_read = false;
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let (sign, rest) = split_sign(word);
        // An operator may stand apart from its version.
        let starts_version =
            |next: &&str| next.starts_with(|c: char| c.is_ascii_digit() || "xX*v=".contains(c));
        let rest = match words
            .peek()
            .filter(|next| rest.is_empty() && starts_version(next))
        {
            Some(next) => next,
            None => rest,
        };
        if !word.ends_with(rest) {
            words.next();
        }
        if let Some(partial) = Partial::read(rest)
            && let Some(desugared) = desugar(sign, &partial, lowest)?
        {
            comparators.extend(
                desugared
                    .into_iter()
                    .filter(|comparator| !comparator.is_from_zero(prereleases)),
            );
            any_read = true;
        } else {
            *left_out = true;
        }
    }
    Ok(any_read.then_some(comparators))
}

/// The operator at the start of a word, and the rest.
fn split_sign(word: &str) -> (&str, &str) {
    let signs = ["<=", ">=", "<", ">", "=", "~>", "~", "^"];
    let length = signs
        .iter()
        .find(|sign| word.starts_with(**sign))
        .map_or(0, |sign| sign.len());
    word.split_at(length)
}

/// A version of which parts are missing or `x`.
struct Partial<'t> {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    /// Empty when there is none.
    pre: &'t str,
    /// A number after an `x`, as in `1.x.3`: only `~`, `^` and hyphen ranges take it.
    is_disordered: bool,
}

impl<'t> Partial<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let text = text.trim_start_matches(['v', '=']);
        // Build metadata counts for nothing, and has to be some.
        let text = match text.split_once('+') {
            Some((text, build)) if build.split('.').all(is_identifier) => text,
            Some(_) => return None,
            None => text,
        };
        let (major, rest) = read_part(text)?;
        let (minor, rest) = read_next_part(rest)?;
        let (patch, rest) = if minor.is_some() {
            read_next_part(rest)?
        } else {
            (None, rest)
        };
        let pre = match rest.strip_prefix('-') {
            Some("") => rest,
            Some(pre) => pre,
            None => rest,
        };
        if !pre.is_empty() && (patch.is_none() || !pre.split('.').all(is_identifier)) {
            return None;
        }
        let (minor, patch) = (minor.flatten(), patch.flatten());
        let is_disordered =
            (major.is_none() && minor.is_some()) || (minor.is_none() && patch.is_some());
        Some(Self {
            major,
            minor,
            patch,
            pre,
            is_disordered,
        })
    }
}

/// A part of a prerelease or of build metadata.
fn is_identifier(text: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_fine)
}

/// A number, or `None` for `x`, and what follows.
fn read_part(text: &str) -> Option<(Option<u64>, &str)> {
    if let Some(rest) = text.strip_prefix(['x', 'X', '*']) {
        return Some((None, rest));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    // Too large a number is still a number; the comparator refuses it.
    let number = digits.parse().unwrap_or(u64::MAX);
    (!digits.is_empty()).then_some((Some(number), rest))
}

/// A part after a period; the outer option is empty when there is no period.
#[expect(
    clippy::option_option,
    reason = "a missing part and an `x` are two things here"
)]
fn read_next_part(text: &str) -> Option<(Option<Option<u64>>, &str)> {
    match text.strip_prefix('.') {
        Some(text) => read_part(text).map(|(part, rest)| (Some(part), rest)),
        None => Some((None, text)),
    }
}

/// `from - to`.
fn hyphen(
    from: &Partial<'_>,
    to: &Partial<'_>,
    lowest: &str,
) -> Result<Vec<Comparator>, VersionError> {
    let mut comparators = Vec::with_capacity(2);
    comparators.extend(match (from.major, from.minor, from.patch) {
        (None, ..) => None,
        (Some(major), None, _) => Some(Comparator::from(major, 0, 0, lowest)?),
        (Some(major), Some(minor), None) => Some(Comparator::from(major, minor, 0, lowest)?),
        (Some(major), Some(minor), Some(patch)) => {
            let pre = if from.pre.is_empty() {
                lowest
            } else {
                from.pre
            };
            Some(Comparator::from(major, minor, patch, pre)?)
        }
    });
    comparators.extend(match (to.major, to.minor, to.patch) {
        (None, ..) => None,
        (Some(major), None, _) => Some(Comparator::below(next(major), 0, 0)?),
        (Some(major), Some(minor), None) => Some(Comparator::below(major, next(minor), 0)?),
        // With all prereleases, what follows the last version's own is the next one's first.
        (Some(major), Some(minor), Some(patch)) if to.pre.is_empty() && !lowest.is_empty() => {
            Some(Comparator::below(major, minor, next(patch))?)
        }
        (Some(major), Some(minor), Some(patch)) => Some(Comparator::new(
            Operator::LessOrEqual,
            major,
            minor,
            patch,
            to.pre,
        )?),
    });
    Ok(comparators)
}

fn next(number: u64) -> u64 {
    number.saturating_add(1)
}

/// One comparator with its sign, as plain comparators. `None` when it makes no sense.
fn desugar(
    sign: &str,
    partial: &Partial<'_>,
    lowest: &str,
) -> Result<Option<Vec<Comparator>>, VersionError> {
    if matches!(sign, "~" | "~>") {
        return tilde(partial, lowest).map(Some);
    }
    if sign == "^" {
        return caret(partial, lowest).map(Some);
    }
    if partial.is_disordered {
        return Ok(None);
    }
    plain(sign, partial, lowest).map(Some)
}

/// `~1.2.3`: the same minor, or the same major if that is all there is.
fn tilde(partial: &Partial<'_>, lowest: &str) -> Result<Vec<Comparator>, VersionError> {
    Ok(match (partial.major, partial.minor, partial.patch) {
        (None, ..) => Vec::new(),
        (Some(major), None, _) => vec![
            Comparator::from(major, 0, 0, lowest)?,
            Comparator::below(next(major), 0, 0)?,
        ],
        (Some(major), Some(minor), patch) => {
            let pre = if patch.is_some() { partial.pre } else { lowest };
            let from = Comparator::from(major, minor, patch.unwrap_or(0), pre)?;
            vec![from, Comparator::below(major, next(minor), 0)?]
        }
    })
}

/// `^1.2.3`: the left-most number that is not zero stays.
fn caret(partial: &Partial<'_>, lowest: &str) -> Result<Vec<Comparator>, VersionError> {
    let Some(major) = partial.major else {
        return Ok(Vec::new());
    };
    let Some(minor) = partial.minor else {
        return Ok(vec![
            Comparator::from(major, 0, 0, lowest)?,
            Comparator::below(next(major), 0, 0)?,
        ]);
    };
    let pre = if partial.patch.is_some() {
        partial.pre
    } else {
        lowest
    };
    let from = Comparator::from(major, minor, partial.patch.unwrap_or(0), pre)?;
    let below = match (major, minor, partial.patch) {
        (0, 0, Some(patch)) => Comparator::below(0, 0, next(patch))?,
        (0, minor, _) => Comparator::below(0, next(minor), 0)?,
        _ => Comparator::below(next(major), 0, 0)?,
    };
    Ok(vec![from, below])
}

/// A comparison, or a version with parts left open.
fn plain(sign: &str, partial: &Partial<'_>, lowest: &str) -> Result<Vec<Comparator>, VersionError> {
    let Some(major) = partial.major else {
        // Nothing is above or below everything.
        let nothing = matches!(sign, "<" | ">");
        return Ok(if nothing {
            vec![Comparator::below(0, 0, 0)?]
        } else {
            Vec::new()
        });
    };
    if let (Some(minor), Some(patch)) = (partial.minor, partial.patch) {
        let operator = match sign {
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            _ => Operator::Equal,
        };
        return Ok(vec![Comparator::new(
            operator,
            major,
            minor,
            patch,
            partial.pre,
        )?]);
    }
    let minor = partial.minor.unwrap_or(0);
    // The first version after everything the open parts stand for.
    let (after_major, after_minor) = match partial.minor {
        Some(minor) => (major, next(minor)),
        None => (next(major), 0),
    };
    Ok(match sign {
        "<" => vec![Comparator::below(major, minor, 0)?],
        "<=" => vec![Comparator::below(after_major, after_minor, 0)?],
        ">" => vec![Comparator::from(after_major, after_minor, 0, lowest)?],
        ">=" => vec![Comparator::from(major, minor, 0, lowest)?],
        _ => vec![
            Comparator::from(major, minor, 0, lowest)?,
            Comparator::below(after_major, after_minor, 0)?,
        ],
    })
}
