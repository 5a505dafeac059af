//! Releases of popular packages that have been out for long: what their code is able to do weighs
//! less, because many have run it and nobody has found it hostile so far.

use weir_model::Severity;
use weir_model::contents::Surface;

use crate::Subject;
use crate::chain::{MENTION, Weight};

/// Names that count as popular (DESIGN, "Deciding": a package among the first 10,000 is never blocked
/// on evidence of code alone).
const POPULAR: u32 = 10_000;

/// Days after which a popular release counts as old. A compromise: most hijacked releases on record
/// were found within hours or days, but one stayed for two months and one for fourteen (INCIDENTS I03,
/// I34), and such a one is calmed while it still runs.
const DAYS: i64 = 30;

/// Whether the name is popular and the release older than a month. A fresh release of a popular
/// package is judged like any other: that is how hijacks arrive.
pub(crate) fn is_settled(subject: &Subject<'_>) -> bool {
    let is_old = |published| subject.now.duration_since(published).as_hours() >= DAYS * 24;
    subject.names.is_popular(subject.name.as_str(), POPULAR)
        && subject.published().is_some_and(is_old)
}

/// What is left of a weight in a settled release: code that runs at install stays worth a look, the
/// rest is mentioned. Nothing is decisive.
pub(crate) fn calmed(weight: Weight, surface: Surface) -> Weight {
    let (_, severity, confidence) = weight;
    match surface {
        Surface::Install => (false, severity.min(Severity::Medium), confidence),
        _ => MENTION,
    }
}
