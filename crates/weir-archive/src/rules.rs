//! The rules of the strict reader, and the list of violations found in one archive.

use std::collections::HashMap;

use weir_model::contents::Violation;

/// How many violations of one rule are kept in full. An archive can break a rule once per block of
/// 512 bytes, and nobody reads the ninth.
const KEPT_PER_RULE: u64 = 8;

/// Bytes of a path or detail that a violation repeats.
const CLIP_BYTES: usize = 300;

/// Whether breaking a rule lets extractors disagree on what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ambiguity {
    /// They may: the release is refused.
    Always,
    /// They do not: the oddity is mentioned.
    Never,
    /// It depends on what was seen; the place that reports it decides.
    Depends,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $ambiguity:ident;)+) => {
        /// A rule that an npm tarball should keep. The README lists for each whether extractors may
        /// disagree about an archive that breaks it, and why.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rule { $($(#[$doc])* $name,)+ }

        impl Rule {
            /// Every rule, in the order of the README's table.
            pub const ALL: &[Rule] = &[$(Rule::$name,)+];

            /// The stable kebab-case id, as in [`Violation::rule`].
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Rule::$name => $id,)+ }
            }

            pub(crate) fn ambiguity(self) -> Ambiguity {
                match self { $(Rule::$name => Ambiguity::$ambiguity,)+ }
            }
        }
    };
}

rules! {
    /// A tar stream without compression.
    NotCompressed = "not-compressed", Always;
    /// More than one gzip member.
    SeveralGzipMembers = "several-gzip-members", Always;
    /// Something other than zeros after the last gzip member.
    BytesAfterGzip = "bytes-after-gzip", Always;
    /// Zeros after the last gzip member.
    ZerosAfterGzip = "zeros-after-gzip", Never;
    /// Checksum or length in the gzip trailer are wrong.
    GzipChecksum = "gzip-checksum", Always;
    /// Reserved flags or a wrong checksum in the gzip header.
    GzipHeader = "gzip-header", Always;
    /// A header whose checksum is wrong, or right for some readers only.
    BadChecksum = "bad-checksum", Always;
    /// A number that npm's extractor cannot read, for which it skips the header.
    UnreadableNumber = "unreadable-number", Always;
    /// A size that is not plain octal.
    OddSize = "odd-size", Always;
    /// A header without a name.
    NoName = "no-name", Always;
    /// A header that is no link and names a link target.
    LinkNameOnFile = "link-name-on-file", Always;
    /// Entries after a single block of zeros.
    EntryAfterZeroBlock = "entry-after-zero-block", Always;
    /// Data after the two blocks of zeros that end an archive.
    DataAfterEnd = "data-after-end", Always;
    /// The two blocks of zeros that end an archive are missing.
    NoEndMarker = "no-end-marker", Never;
    /// The stream's length is not a multiple of 512.
    PartialBlock = "partial-block", Depends;
    /// Something other than zeros between a file's data and the next header.
    NonzeroPadding = "nonzero-padding", Never;
    /// Headers in a format older than ustar.
    OldFormat = "old-format", Never;
    /// A name prefix that not every extractor reads.
    PrefixMisread = "prefix-misread", Always;
    /// Something behind the zero byte that ends a name.
    BytesAfterName = "bytes-after-name", Depends;
    /// A symbolic or hard link.
    Link = "link", Always;
    /// A device or fifo.
    SpecialFile = "special-file", Always;
    /// A type of entry that no npm client writes.
    UnusualType = "unusual-type", Always;
    /// A file whose name ends in a slash.
    FileWithSlash = "file-with-slash", Always;
    /// A folder that has data.
    FolderWithData = "folder-with-data", Always;
    /// A header for all entries.
    GlobalHeader = "global-header", Depends;
    /// An extended header that cannot be read, or that readers read differently.
    MalformedExtendedHeader = "malformed-extended-header", Always;
    /// An extended header beyond the limit.
    ExtendedHeaderTooBig = "extended-header-too-big", Always;
    /// An extended header that no entry follows.
    ExtendedHeaderUnused = "extended-header-unused", Always;
    /// Two extended headers name the same entry.
    TwoLongNames = "two-long-names", Always;
    /// An extended header changes the entry's size.
    PaxSize = "pax-size", Depends;
    /// An extended header sets a link target.
    PaxLink = "pax-link", Always;
    /// An extended header says something that is not known to be harmless.
    PaxUnknownKey = "pax-unknown-key", Always;
    /// An extended header carries times, owners or comments.
    PaxMetadata = "pax-metadata", Never;
    /// A name in an extended header that would have fitted the header, which has another.
    NameContradictsHeader = "name-contradicts-header", Always;
    /// A name that is not UTF-8.
    NameNotUtf8 = "name-not-utf8", Always;
    /// An absolute path or one with a drive letter.
    AbsolutePath = "absolute-path", Always;
    /// A path with a `..` component.
    ParentPath = "parent-path", Always;
    /// A path with an empty component, or a `.` before the top folder.
    UnnormalisedPath = "unnormalised-path", Always;
    /// A path with a `.` component below the top folder.
    DotComponent = "dot-component", Never;
    /// A path with a backslash.
    Backslash = "backslash", Always;
    /// A file outside the top folder.
    NoTopFolder = "no-top-folder", Always;
    /// Several top folders.
    SeveralTopFolders = "several-top-folders", Never;
    /// A control character in a path.
    ControlCharacter = "control-character", Never;
    /// A path beyond the limit in bytes, or a component no file system takes.
    PathTooLong = "path-too-long", Always;
    /// A path beyond the limit in components.
    PathTooDeep = "path-too-deep", Always;
    /// A path that occurs twice.
    DuplicatePath = "duplicate-path", Depends;
    /// Paths that are one on some file systems.
    NameClash = "name-clash", Depends;
    /// A file below a path that is itself a file.
    FileAndFolder = "file-and-folder", Depends;
    /// Mode bits other than the permissions.
    SpecialMode = "special-mode", Never;
}

/// Builds a violation, with path and detail cut to a length that is fit for a report.
pub(crate) fn violation(
    rule: &str,
    path: Option<&str>,
    detail: String,
    ambiguous: bool,
) -> Violation {
    Violation {
        rule: rule.to_owned(),
        path: path.map(clip),
        detail: clip(&detail),
        ambiguous,
    }
}

/// Cuts text that an archive supplied.
pub(crate) fn clip(text: &str) -> String {
    let mut end = text.len().min(CLIP_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    match text.split_at_checked(end) {
        Some((start, rest)) if !rest.is_empty() => format!("{start}…"),
        _ => text.to_owned(),
    }
}

/// The violations of one archive, bounded per rule.
#[derive(Debug, Default)]
pub(crate) struct Report {
    kept: Vec<Violation>,
    seen: HashMap<(Rule, bool), u64>,
    left_out: u64,
}

impl Report {
    /// Reports a rule that is always or never ambiguous.
    pub(crate) fn add(&mut self, rule: Rule, path: Option<&str>, detail: impl FnOnce() -> String) {
        debug_assert!(rule.ambiguity() != Ambiguity::Depends, "{}", rule.id());
        self.put(rule, rule.ambiguity() != Ambiguity::Never, path, detail);
    }

    /// Reports a rule whose weight depends on what was seen.
    pub(crate) fn judge(
        &mut self,
        rule: Rule,
        ambiguous: bool,
        path: Option<&str>,
        detail: impl FnOnce() -> String,
    ) {
        debug_assert!(rule.ambiguity() == Ambiguity::Depends, "{}", rule.id());
        self.put(rule, ambiguous, path, detail);
    }

    /// Reports a rule at its first occurrence only.
    pub(crate) fn add_once(
        &mut self,
        rule: Rule,
        path: Option<&str>,
        detail: impl FnOnce() -> String,
    ) {
        if !self.has(rule) {
            self.add(rule, path, detail);
        }
    }

    pub(crate) fn has(&self, rule: Rule) -> bool {
        self.seen.contains_key(&(rule, true)) || self.seen.contains_key(&(rule, false))
    }

    /// Forgets everything: the stream turned out to be no archive.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The violations kept, and how many more there were.
    pub(crate) fn finish(self) -> (Vec<Violation>, u64) {
        (self.kept, self.left_out)
    }

    fn put(
        &mut self,
        rule: Rule,
        ambiguous: bool,
        path: Option<&str>,
        detail: impl FnOnce() -> String,
    ) {
        let seen = self.seen.entry((rule, ambiguous)).or_default();
        *seen += 1;
        if *seen > KEPT_PER_RULE {
            self.left_out += 1;
        } else {
            self.kept
                .push(violation(rule.id(), path, detail(), ambiguous));
        }
    }
}
