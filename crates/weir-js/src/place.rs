//! Lines and snippets of places in files.

use weir_model::contents::Place;

/// Longest snippet that is kept, in characters.
const SNIPPET: usize = 160;

/// The place at byte `offset` of a text.
pub(crate) fn at(path: &str, text: &(impl AsRef<[u8]> + ?Sized), offset: usize) -> Place {
    let bytes = text.as_ref();
    let offset = offset.min(bytes.len());
    let before = bytes.get(..offset).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |found| found + 1);
    let rest = bytes.get(offset..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).map_or(bytes.len(), |found| offset + found);
    // On a very long line the part around the offset says more than its beginning.
    let start = if offset - start > SNIPPET {
        offset - SNIPPET / 4
    } else {
        start
    };
    let end = end.min(start.saturating_add(4 * SNIPPET));
    Place {
        path: path.to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        snippet: clean(&String::from_utf8_lossy(
            bytes.get(start..end).unwrap_or_default(),
        )),
    }
}

/// Hostile text, fit to be shown: one line, no control or invisible formatting characters, short.
pub(crate) fn clean(text: &str) -> String {
    let mut snippet: String = text
        .trim()
        .chars()
        .map(|character| {
            match character {
                // The folder of the file itself, in folded paths.
                '\u{f8fe}' => '.',
                // A piece that nobody knows.
                '\u{f8ff}' => '…',
                other if is_invisible(other) => ' ',
                other => other,
            }
        })
        .take(SNIPPET)
        .collect();
    let trimmed = snippet.trim_end().len();
    snippet.truncate(trimmed);
    snippet
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e01ef}')
}
