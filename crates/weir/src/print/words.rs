//! Small phrases that several printouts share.

use std::borrow::Cow;

use jiff::Timestamp;
use weir_model::contents::{Flow, Place};
use weir_model::finding::printable;

/// A number of bytes as people say it.
pub(super) fn size(bytes: u64) -> String {
    // Precision beyond a tenth is not shown.
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A day.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// Text from a package, short enough for a line among others.
pub(super) fn short(text: &str) -> String {
    printable(text.trim(), 100)
}

/// `path:line`.
pub(super) fn at(place: &Place) -> String {
    format!("{}:{}", printable(&place.path, 200), place.line)
}

/// What a flow does, without its verb's subject.
pub(super) fn flow(flow: &Flow) -> String {
    format!(
        "{} ({}) {} {} ({}) {}",
        flow.source.in_words(),
        short(&flow.source_detail),
        flow.source.goes(),
        flow.sink.in_words(),
        short(&flow.sink_detail),
        flow.surface.in_words()
    )
}

/// The text with a capital first letter.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// "a, b and c".
pub(super) fn list<'a>(parts: impl IntoIterator<Item = impl Into<Cow<'a, str>>>) -> String {
    let mut parts: Vec<Cow<'a, str>> = parts.into_iter().map(Into::into).collect();
    let Some(last) = parts.pop() else {
        return String::new();
    };
    if parts.is_empty() {
        return last.into_owned();
    }
    format!("{} and {last}", parts.join(", "))
}
