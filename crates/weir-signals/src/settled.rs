//! Releases of popular packages that have been out for long: what their code is able to do weighs
//! less, because many have run it and nobody has found it hostile so far. So does what a fresh
//! release of them merely goes on doing, and what any package goes on doing at install time that has
//! run the same there for half a year of releases.

use jiff::{SignedDuration, Timestamp};
use weir_model::contents::{Capability, Flow, SourceKind, Surface};
use weir_model::{Contents, Severity};
use weir_npm::manifest::Manifest;

use crate::Subject;
use crate::chain::{MENTION, Weight};
use crate::history::new_install_script::same_but_for_numbers;

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

/// Releases in a row that must have run the same at install, so that it counts as a habit of the package,
/// whatever its rank. A compromise: an attack that nobody finds comes to a handful of releases, and tools
/// that are worked on come to this many within a few months.
const HABIT_RELEASES: usize = 20;

/// For how long they must have done so. Twice what the slowest hijack on record but one took to be found
/// (INCIDENTS I03).
const HABIT: SignedDuration = SignedDuration::from_hours(180 * 24);

/// Most releases that are looked at for it: two a day reach back that far.
const HABIT_LOOKED_AT: usize = 400;

/// For how long a release must have been out, so that a file of its user's project that it writes tells
/// nothing new, and how many its package must have.
const STOOD: SignedDuration = SignedDuration::from_hours(365 * 24);
const STOOD_RELEASES: usize = 10;

/// Whether the package has run the same commands at install in all of its releases of half a year: stable
/// ones, in the order of their numbers, because mirrors stamp old versions with the time they fetched them
/// (PROTOCOL 3.14). What the commands lead to is not compared here: see [`is_known_flow`].
pub(crate) fn has_habit(subject: &Subject<'_>) -> bool {
    let (Some(packument), Ok(own)) = (subject.packument.known(), subject.manifest()) else {
        return false;
    };
    let timeline = subject.timeline();
    let Some(number) = timeline.own.as_ref().map(|own| &own.version) else {
        return false;
    };
    if own.manifest.install_scripts().next().is_none() {
        return false;
    }
    let mut past: Vec<_> = timeline
        .comparable()
        .filter(|it| timeline.ago(it).is_some() && timeline.has_settled(it))
        .filter(|it| it.version.precedence(number).is_lt())
        .collect();
    past.sort_unstable_by(|one, other| other.version.cmp(&one.version));
    let mut first: Option<Timestamp> = None;
    for (before, event) in past.into_iter().take(HABIT_LOOKED_AT).enumerate() {
        let Some(Ok(manifest)) = packument.manifest(event.text) else {
            return false;
        };
        if !runs_the_same(&manifest.manifest, &own.manifest) {
            return false;
        }
        let oldest = first.map_or(event.published, |first| first.min(event.published));
        first = Some(oldest);
        if before + 1 >= HABIT_RELEASES && subject.now.duration_since(oldest) >= HABIT {
            return true;
        }
    }
    false
}

/// Whether two releases run the same at install, as far as their manifests say.
fn runs_the_same(one: &Manifest, other: &Manifest) -> bool {
    let (mut ours, mut theirs) = (one.install_scripts(), other.install_scripts());
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some((event, command)), Some((other_event, other_command)))
                if event == other_event
                    && same_but_for_numbers(command.trim(), other_command.trim()) => {}
            _ => return false,
        }
    }
}

/// Whether it is worth reading the release before to learn whether something that would decide is a habit,
/// however old the release is: what was a habit while it was young is one still.
pub(crate) fn asks_for_habit(subject: &Subject<'_>, contents: &Contents) -> bool {
    let decides = |flow: &Flow| {
        flow.surface == Surface::Install
            && flow.sink.leaves()
            && !matches!(flow.source, SourceKind::Fetched | SourceKind::Decoded)
    };
    contents.flows.iter().any(decides) && !is_settled(subject) && subject.has_habit()
}

/// Whether the release has been out for a year, in a package of many releases, whatever its rank.
pub(crate) fn has_stood(subject: &Subject<'_>) -> bool {
    let releases = subject.packument.known().map(|it| it.versions().len());
    releases.is_some_and(|count| count >= STOOD_RELEASES)
        && subject.now.duration_since(subject.out_by_now()) >= STOOD
}

/// The contents of the release before, where that one has been out for long enough that the package is
/// known for what it does there: a popular one for all of it, any other for what its habit at install
/// comes to.
fn known_before<'a>(subject: &Subject<'a>, surface: Surface) -> Option<&'a Contents> {
    let before: &'a Contents = *subject.previous_contents.known()?;
    let published = subject
        .packument
        .known()?
        .published(subject.previous()?.version)?;
    let is_old = subject.now.duration_since(published).as_hours() >= DAYS_BEFORE * 24;
    let is_known = || {
        subject.names.is_popular(subject.name.as_str(), POPULAR)
            || (surface == Surface::Install && subject.has_habit())
    };
    (is_old && is_known()).then_some(before)
}

/// Whether this is known of the package: the release before has the same flow.
pub(crate) fn is_known_flow(subject: &Subject<'_>, flow: &Flow) -> bool {
    let same = |old: &Flow| {
        (old.source, old.sink) == (flow.source, flow.sink)
            && old.source_detail == flow.source_detail
            && old.sink_detail == flow.sink_detail
            && old.surface.covers(flow.surface)
    };
    known_before(subject, flow.surface).is_some_and(|before| before.flows.iter().any(same))
}

/// The same of an ability.
pub(crate) fn is_known_ability(subject: &Subject<'_>, capability: &Capability) -> bool {
    let same = |old: &Capability| {
        old.kind == capability.kind
            && old.detail == capability.detail
            && old.surface.covers(capability.surface)
    };
    known_before(subject, capability.surface)
        .is_some_and(|before| before.capabilities.iter().any(same))
}

/// What is left of a weight in a settled release, or of what is known: code that runs at install stays worth a look, the
/// rest is mentioned. Nothing is decisive.
pub(crate) fn calmed(weight: Weight, surface: Surface) -> Weight {
    let (_, severity, confidence) = weight;
    match surface {
        Surface::Install => (false, severity.min(Severity::Medium), confidence),
        _ => MENTION,
    }
}

#[cfg(test)]
mod tests;
