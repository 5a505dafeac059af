//! Releases of popular packages that have been out for long: what their code is able to do weighs
//! less, because many have run it and nobody has found it hostile so far. So does what a fresh
//! release of them merely goes on doing.

use weir_model::contents::{Capability, Flow, Surface};
use weir_model::{Contents, Severity};

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
        && subject.out_since().is_some_and(is_old)
}

/// Days that the release before must have been out, so that what it did counts as known. Whoever
/// hijacks a package often publishes several releases within hours (INCIDENTS I26, I28), and the
/// first must not excuse the second; nearly all on record were found within this time.
const DAYS_BEFORE: i64 = 7;

/// The contents of the release before, where that one is of a popular package and has been out
/// for long enough that the package is known for what it does there.
fn known_before<'a>(subject: &Subject<'a>) -> Option<&'a Contents> {
    if !subject.names.is_popular(subject.name.as_str(), POPULAR) {
        return None;
    }
    let published = subject
        .packument
        .known()?
        .published(subject.previous()?.version)?;
    let is_old = subject.now.duration_since(published).as_hours() >= DAYS_BEFORE * 24;
    is_old.then_some(*subject.previous_contents.known()?)
}

/// Whether this is known of the package: the release before has the same flow.
pub(crate) fn is_known_flow(subject: &Subject<'_>, flow: &Flow) -> bool {
    let same = |old: &Flow| {
        (old.source, old.sink) == (flow.source, flow.sink)
            && old.source_detail == flow.source_detail
            && old.sink_detail == flow.sink_detail
            && old.surface.covers(flow.surface)
    };
    known_before(subject).is_some_and(|before| before.flows.iter().any(same))
}

/// The same of an ability.
pub(crate) fn is_known_ability(subject: &Subject<'_>, capability: &Capability) -> bool {
    let same = |old: &Capability| {
        old.kind == capability.kind
            && old.detail == capability.detail
            && old.surface.covers(capability.surface)
    };
    known_before(subject).is_some_and(|before| before.capabilities.iter().any(same))
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
