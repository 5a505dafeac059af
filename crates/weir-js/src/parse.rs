//! From bytes to a syntax tree, or to a reason why there is none.

use std::borrow::Cow;

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

use crate::guard;

/// Patches of one file before it counts as unparsable. Twelve recovered all but three of 664 odd
/// snippets that V8 takes and oxc refuses (CRATES section 1).
const PATCHES: usize = 12;

/// Largest file that is tried again as TypeScript, in bytes: that grammar has shapes that are slow
/// to refuse.
const TYPESCRIPT_RETRY: usize = 1 << 20;

/// Bytes of the syntax tree for each byte of text, at most in what is popular: minified code that is all names and
/// calls came to 19, most large files come to 5 to 8 (`lib/index.cjs` of @dbml/core, measured over 4,600 packages).
const TREE: usize = 20;

/// Length of a text from which its arena is made in one piece, in bytes.
const LARGE: usize = 1 << 20;

/// Why a file has no syntax tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unparsed {
    /// The bytes are no text.
    Binary(String),
    /// Built in a way that would break the parser.
    Guarded(guard::Refusal),
    /// Larger than the limit, in bytes.
    TooLarge(usize),
    /// Only its name is known, and why.
    Unkept(String),
    /// The parser refuses it, with its first message.
    Syntax(String),
}

impl std::fmt::Display for Unparsed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Binary(what) => write!(out, "named like JavaScript, but not text: {what}"),
            Self::Guarded(refusal) => write!(out, "not given to the parser: {refusal}"),
            Self::TooLarge(limit) => {
                write!(out, "larger than {limit} bytes, so only searched for words")
            }
            Self::Unkept(why) => write!(out, "not read: {why}"),
            Self::Syntax(message) => write!(out, "does not parse: {message}"),
        }
    }
}

/// The text of a file that claims to be JavaScript.
///
/// # Errors
/// Binary contents, by magic number or by their share of bytes that no text has.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unparsed> {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"\x7fELF", "an ELF program"),
        (b"MZ\x90", "a Windows program"),
        (b"\0asm", "WebAssembly"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "gzip data"),
        (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
        (b"\xca\xfe\xba\xbe", "a Mach-O or Java program"),
        (b"\x89PNG", "an image"),
        (b"\xff\xfe", "UTF-16 text, which Node does not read"),
    ];
    for (magic, what) in MAGIC {
        if bytes.starts_with(magic) {
            return Err(Unparsed::Binary(what.to_owned()));
        }
    }
    // Zeros stand in a few real files, inside strings and regular expressions.
    let zeros = memchr::memchr_iter(0, bytes).count();
    if zeros > 16 && zeros > bytes.len() / 100 {
        return Err(Unparsed::Binary(format!("{zeros} zero bytes")));
    }
    // The check of the standard library is many times faster than its replacing of what is broken.
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let text = String::from_utf8_lossy(bytes);
    if let Cow::Owned(lossy) = &text {
        let broken = lossy.matches('\u{fffd}').count();
        if broken > 16 && broken > bytes.len() / 10 {
            return Err(Unparsed::Binary(format!("{broken} bytes are not UTF-8")));
        }
    }
    Ok(text)
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// `type: module` in the manifest.
    pub(crate) module: bool,
}

/// The ways to read `path`, likeliest first.
fn source_types(path: &str, kind: Kind, length: usize) -> Vec<SourceType> {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match extension {
        "mjs" => vec![SourceType::mjs(), SourceType::unambiguous()],
        "cjs" => vec![SourceType::cjs(), SourceType::unambiguous()],
        "ts" | "mts" | "cts" => vec![SourceType::ts(), SourceType::tsx()],
        "tsx" => vec![SourceType::tsx()],
        _ => {
            let mut types = Vec::new();
            if kind.module {
                types.push(SourceType::mjs());
            }
            types.push(SourceType::unambiguous());
            types.push(SourceType::unambiguous().with_jsx(true));
            if length <= TYPESCRIPT_RETRY {
                types.push(SourceType::ts());
            }
            types
        }
    }
}

/// Parses `text` and hands the tree to `then`. The arena is emptied first.
///
/// # Errors
/// See [`Unparsed`]. `then` is not called then.
pub(crate) fn with_program<T>(
    allocator: &mut Allocator,
    path: &str,
    text: &str,
    kind: Kind,
    bracket_depth: usize,
    then: impl FnOnce(&Program<'_>) -> T,
) -> Result<T, Unparsed> {
    guard::check(text.as_bytes(), bracket_depth).map_err(Unparsed::Guarded)?;
    with_checked(allocator, path, text, kind, then)
}

/// The same for a file that was parsed before.
///
/// # Errors
/// See [`with_program`].
pub(crate) fn with_checked<T>(
    allocator: &mut Allocator,
    path: &str,
    text: &str,
    kind: Kind,
    then: impl FnOnce(&Program<'_>) -> T,
) -> Result<T, Unparsed> {
    let mut first_message = None;
    let text = without_mark(text);
    let text = &*text;
    make_room(allocator, text.len());
    let mut patched = Cow::Borrowed(text);
    for source_type in source_types(path, kind, text.len()) {
        // JavaScript alone is patched: the patches know its odd corners.
        let rounds = if source_type.is_javascript() {
            PATCHES
        } else {
            1
        };
        patched = Cow::Borrowed(text);
        for _ in 0..rounds {
            allocator.reset();
            let next = {
                let parsed = Parser::new(allocator, &patched, source_type)
                    .with_options(ParseOptions {
                        allow_return_outside_function: true,
                        preserve_parens: false,
                        ..ParseOptions::default()
                    })
                    .parse();
                let mut diagnostics = parsed.diagnostics.iter();
                let is_cut = diagnostics.clone().any(|found| cuts(&found.to_string()));
                if !parsed.panicked && !is_cut && !parsed.is_flow_language {
                    return Ok(then(&parsed.program));
                }
                let message = diagnostics.clone().next().map(ToString::to_string);
                first_message.get_or_insert_with(|| message.unwrap_or_default());
                // The one that ended it comes last; `new.target` outside of a function, say, is
                // only remarked on.
                diagnostics.next_back().and_then(|found| {
                    let label = found.labels.first()?;
                    let (offset, length) = (as_index(label.offset()), as_index(label.len()));
                    match parsed.is_flow_language {
                        true => without_flow(&patched, offset, length),
                        false => patch(&patched, &found.to_string(), offset, length),
                    }
                })
            };
            match next {
                Some(text) => patched = Cow::Owned(text),
                None => break,
            }
        }
    }
    drop(patched);
    Err(Unparsed::Syntax(first_message.unwrap_or_default()))
}

/// Gets the arena of a large text in one piece, where the process may have that much. It grows by pieces twice as large
/// as all before otherwise: a worker's memory is limited, and what is set aside and never used counts too.
fn make_room(allocator: &mut Allocator, length: usize) {
    let wanted = length.saturating_mul(TREE);
    if length < LARGE || allocator.capacity() >= wanted {
        return;
    }
    *allocator = Allocator::new();
    // The arena ends the process where it cannot have what it asks for; this does not.
    let can_have = Vec::<u8>::new().try_reserve_exact(wanted).is_ok();
    if can_have {
        *allocator = Allocator::with_capacity(wanted);
    }
}

/// Gives back the arena that a very large file needed, so that what comes now may have as much.
pub(crate) fn give_back(allocator: &mut Allocator) {
    if allocator.capacity() >= TREE * 4 * LARGE {
        *allocator = Allocator::new();
    }
}

/// Whether an error is one of those at which the lexer ends the text: it calls the rest, or what is left of
/// it, the end of the file, and the parser is content if that is where a statement may end. V8 compiles no
/// such file. All other errors leave a whole tree, or none.
fn cuts(message: &str) -> bool {
    const CUTS: [&str; 5] = [
        "Invalid Character",
        "Invalid characters after number",
        "Unterminated",
        "Unexpected end of file",
        "File appears to be binary",
    ];
    CUTS.iter().any(|cut| message.starts_with(cut))
}

/// The text without the mark of Flow in its first comment: with it, the parser tells of nothing but the mark,
/// and whether it has read the file to its end is not known.
fn without_flow(text: &str, offset: usize, length: usize) -> Option<String> {
    const MARK: &str = "@flow";
    let comment = text.get(offset..offset.saturating_add(length))?;
    let at = offset + comment.find(MARK)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some(format!("{before} {}", rest.strip_prefix('@')?))
}

/// A byte order mark in front of `#!` is gone when Node reads a module, so that the line is a comment; oxc
/// knows no such comment. The text keeps its length.
fn without_mark(text: &str) -> Cow<'_, str> {
    match text.strip_prefix("\u{feff}#!") {
        Some(rest) => Cow::Owned(format!("   //{rest}")),
        None => Cow::Borrowed(text),
    }
}

fn as_index(value: impl TryInto<usize>) -> usize {
    value.try_into().unwrap_or(usize::MAX)
}

/// V8 takes some programs that oxc refuses: a call as the target of an assignment, which fails only
/// when it runs, and sloppy code that uses `let` as a name. Overwriting these few bytes in place
/// keeps the rest of the file readable and all offsets true (CRATES section 1, hostile input 3).
fn patch(text: &str, message: &str, offset: usize, length: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let end = offset.saturating_add(length).min(bytes.len());
    if message.starts_with("Cannot assign") || message.starts_with("Invalid left-hand side") {
        let target = bytes.get_mut(offset..end)?;
        if target.is_empty() || target.iter().all(|&byte| byte == b'_' || byte == b'\n') {
            return None;
        }
        for byte in target.iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b'_';
        }
    } else {
        let before = bytes.get(..offset.min(end))?;
        let found = last_let(before).or_else(|| last_let(bytes.get(..end)?))?;
        *bytes.get_mut(found + 1)? = b'_';
    }
    String::from_utf8(bytes).ok()
}

/// Where the last `let` begins that stands as a word.
fn last_let(bytes: &[u8]) -> Option<usize> {
    let is_name = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
    };
    memchr::memmem::rfind_iter(bytes, b"let").find(|&at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !is_name(before) && !is_name(bytes.get(at + 3))
    })
}
