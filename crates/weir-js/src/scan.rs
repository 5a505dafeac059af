//! What can be said of a file without a syntax tree: words that stand in its bytes.

use std::sync::OnceLock;

use aho_corasick::packed::Searcher;

/// What the byte search saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// Something that reads secrets.
    pub(crate) source: Option<&'static str>,
    /// Something that talks to the network.
    pub(crate) sink: Option<&'static str>,
}

const SOURCES: [&str; 9] = [
    "process.env",
    "process['env']",
    "process[\"env\"]",
    ".npmrc",
    ".aws/credentials",
    "id_rsa",
    "id_ed25519",
    "NPM_TOKEN",
    "GITHUB_TOKEN",
];

const SINKS: [&str; 12] = [
    "https.request",
    "http.request",
    "fetch(",
    "node-fetch",
    "axios",
    "XMLHttpRequest",
    "child_process",
    "'https'",
    "\"https\"",
    "'http'",
    "\"http\"",
    "WebSocket",
];

/// What reads secrets in languages that are not analysed.
const SCRIPT_SOURCES: [&str; 9] = [
    "ENV",
    "environ",
    "getenv",
    "Environment(",
    ".npmrc",
    ".aws/credentials",
    "id_rsa",
    "id_ed25519",
    "TOKEN",
];

/// What talks to the network there.
const SCRIPT_SINKS: [&str; 6] = ["http", "HTTP", "ocket", "curl", "wget", "XMLHTTP"];

/// Names without which no code makes text out of other text.
const COMPUTES: [&str; 14] = [
    "CharCode",
    "fromCodePoint",
    "codePointAt",
    "atob",
    "base64",
    "'hex'",
    "\"hex\"",
    "parseInt",
    "reverse",
    "split(",
    "join(",
    "replace(",
    "unescape",
    "TextDecoder",
];

/// Names without which no code makes code of text.
const EVALUATES: [&str; 5] = ["eval", "_compile", "CharCode", "atob", "Buffer.from"];

/// Whether a file may hold a decoder. Names that are themselves assembled (`['spl' + 'it']`) or
/// escaped show by their pieces.
pub(crate) fn computes(bytes: &[u8]) -> bool {
    static WORDS: OnceLock<Option<Searcher>> = OnceLock::new();
    has_any(&WORDS, COMPUTES.iter().chain(&PIECES).copied(), bytes)
}

/// Whether a file may evaluate code that it holds as text.
pub(crate) fn evaluates(bytes: &[u8]) -> bool {
    static WORDS: OnceLock<Option<Searcher>> = OnceLock::new();
    has_any(&WORDS, EVALUATES.iter().copied(), bytes)
}

fn has_any(
    searcher: &OnceLock<Option<Searcher>>,
    mut words: impl Iterator<Item = &'static str> + Clone,
    bytes: &[u8],
) -> bool {
    match searcher.get_or_init(|| Searcher::new(words.clone())) {
        Some(searcher) => searcher.find(bytes).is_some(),
        // Without vector instructions.
        None => words.any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some()),
    }
}

/// Escapes, and strings put together.
const PIECES: [&str; 5] = ["\\x", "'+'", "' + '", "\"+\"", "\" + \""];

/// Searches the bytes of JavaScript.
pub(crate) fn words(bytes: &[u8]) -> Words {
    found(bytes, &SOURCES, &SINKS)
}

/// Searches the bytes of a script in another language.
pub(crate) fn script_words(bytes: &[u8]) -> Words {
    found(bytes, &SCRIPT_SOURCES, &SCRIPT_SINKS)
}

fn found(bytes: &[u8], sources: &[&'static str], sinks: &[&'static str]) -> Words {
    let find = |list: &[&'static str]| {
        list.iter()
            .copied()
            .find(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
    };
    Words {
        source: find(sources),
        sink: find(sinks),
    }
}

impl Words {
    /// Both halves of a flow are named.
    pub(crate) fn is_pair(self) -> bool {
        self.source.is_some() && self.sink.is_some()
    }

    /// What was seen, for a report.
    pub(crate) fn describe(self) -> String {
        match (self.source, self.sink) {
            (Some(source), Some(sink)) => format!("its text names `{source}` and `{sink}`"),
            (Some(word), None) | (None, Some(word)) => format!("its text names `{word}`"),
            (None, None) => "its text names neither secrets nor the network".to_owned(),
        }
    }
}
