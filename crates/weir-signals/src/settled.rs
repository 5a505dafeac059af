//! Releases of popular packages that have been out for long: what their code is able to do weighs
//! less, because many have run it and nobody has found it hostile so far. So does what a fresh
//! release of them merely goes on doing, and what any package goes on doing at install time that has
//! run the same there for half a year of releases.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use weir_model::contents::{Capability, Flow, SourceKind, Surface};
use weir_model::{Contents, Severity};
use weir_npm::manifest::Manifest;

use crate::Subject;
use crate::chain::{MENTION, Weight};
use crate::history::new_install_script::same_but_for_numbers;
use crate::timeline::Event;

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

/// Releases in a row, of as many days, that must have run the same at install, so that it counts as a habit of the package,
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

/// How long the release must have been out whose code says what a habit comes to: as long as the slowest hijack on
/// record but one took to be found (INCIDENTS I03). The first release of an attack must not excuse the next.
const WITNESSED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The release that tells what the habit of a package comes to, where it has one: the same commands at install in all
/// of its releases of half a year, on as many days, and of these the newest that has been out for
/// [`WITNESSED`]. Stable ones, in the order of their numbers, because mirrors stamp old versions with the time they
/// fetched them (PROTOCOL 3.14). What the commands lead to is not compared here: see [`is_known_flow`].
pub(crate) fn habit<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    let packument: &'a _ = *subject.packument.known()?;
    let own = subject.manifest().ok()?;
    let timeline = subject.timeline();
    let number = &timeline.own.as_ref()?.version;
    own.manifest.install_scripts().next()?;
    let mut past: Vec<_> = timeline
        .comparable()
        .filter(|it| timeline.ago(it).is_some() && timeline.has_settled(it))
        .filter(|it| it.version.precedence(number).is_lt())
        .collect();
    past.sort_unstable_by(|one, other| other.version.cmp(&one.version));
    let age = |event: &Event<'_>| subject.now.duration_since(event.published);
    let (mut witness, mut oldest, mut days) = (None, SignedDuration::ZERO, BTreeSet::new());
    for event in past.into_iter().take(HABIT_LOOKED_AT) {
        let manifest = packument.manifest(event.text)?.ok()?;
        if !runs_the_same(&manifest.manifest, &own.manifest) {
            return None;
        }
        if witness.is_none() && age(event) >= WITNESSED {
            witness = Some(event.text);
        }
        oldest = oldest.max(age(event));
        days.insert(event.published.as_second() / (24 * 3600));
        if days.len() >= HABIT_RELEASES && oldest >= HABIT {
            return witness;
        }
    }
    None
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

/// The release that is worth reading to learn whether something that would decide is a habit, however old the
/// release at hand is: what was a habit while it was young is one still.
pub(crate) fn asks_for_habit<'a>(subject: &Subject<'a>, contents: &Contents) -> Option<&'a str> {
    let decides = |flow: &Flow| {
        flow.surface == Surface::Install
            && flow.sink.leaves()
            && !matches!(flow.source, SourceKind::Fetched | SourceKind::Decoded)
    };
    let is_open = contents.flows.iter().any(decides) && !is_settled(subject);
    is_open.then(|| subject.habit()).flatten()
}

/// Whether the release has been out for a year, in a package of many releases, whatever its rank.
pub(crate) fn has_stood(subject: &Subject<'_>) -> bool {
    let releases = subject.packument.known().map(|it| it.versions().len());
    releases.is_some_and(|count| count >= STOOD_RELEASES)
        && subject.now.duration_since(subject.out_by_now()) >= STOOD
}

/// Whether a release that has stood is joined by something that has been there for as long: whoever was to be caught
/// by the two has been. What came later, under a name that the release asked for all along, is not.
pub(crate) fn have_both_stood(subject: &Subject<'_>, since: Timestamp) -> bool {
    has_stood(subject) && subject.now.duration_since(since) >= STOOD
}

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

/// What a package is known for on a surface: a popular one for all that it did before, any other for what its habit at
/// install comes to.
fn known<'a>(subject: &Subject<'a>, surface: Surface) -> impl Iterator<Item = &'a Contents> {
    let is_habit = surface == Surface::Install && subject.habit().is_some();
    let witness = subject.habit_contents.known().copied();
    known_before(subject)
        .into_iter()
        .chain(witness.filter(|_| is_habit))
}

/// Whether this is known of the package: a release before has the same flow.
pub(crate) fn is_known_flow(subject: &Subject<'_>, flow: &Flow) -> bool {
    let same = |old: &Flow| {
        (old.source, old.sink) == (flow.source, flow.sink)
            && old.source_detail == flow.source_detail
            && old.sink_detail == flow.sink_detail
            && old.at_load >= flow.at_load
            && old.surface.covers(flow.surface)
    };
    known(subject, flow.surface).any(|before| before.flows.iter().any(same))
}

/// The same of an ability.
pub(crate) fn is_known_ability(subject: &Subject<'_>, capability: &Capability) -> bool {
    let same = |old: &Capability| {
        old.kind == capability.kind
            && old.surface.covers(capability.surface)
            && old
                .each()
                .any(|it| it.detail == capability.detail && it.at_load >= capability.at_load)
    };
    known(subject, capability.surface).any(|before| before.capabilities.iter().any(same))
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
