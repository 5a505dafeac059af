//! `unusual-burst`: an owner's packages came out together as never before.

use std::collections::BTreeSet;

use weir_model::habits::{BURST_MINUTES, Moment, busiest, minute};
use weir_model::{Confidence, Evidence, Finding, Group, Severity};

use crate::lesson::line_number;
use crate::surroundings::{Arrival, Known};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Fewer at once than this are nobody's campaign (DETECTION section 3, rank 7).
const MANY: usize = 5;

/// A burst is unusual if it is this many times larger than any before: families grow.
const FACTOR: usize = 2;

/// Releases listed as evidence.
const LISTED: usize = 8;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "unusual-burst",
    summary: "Packages of one owner came out within minutes, more than ever before",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Manifest, Input::PublishTime, Input::Publisher],
    incidents: &["Shai-Hulud, 2025", "AntV, 2026", "IndonesianFoods, 2025"],
    documentation: Documentation {
        sees: "Five or more packages (or lines of one package) of the same scope or the same account that came out \
               within an hour of this release, as far as weir has seen, if that is more than twice what ever came out \
               together before. What came before is what weir has learned of the owner and what the packuments of \
               these very packages say. An account without any past counts too, unless its packages belong together: \
               one scope, or a word in common.",
        matters: "Whoever steals an account publishes everything it may publish, and worms do so by themselves. People \
                  who maintain many packages release them at their own times, and projects that release all at once \
                  have always done so.",
        wrong: "A first release of everything at once, after a move to a shared build or a change of licence, looks the \
                same. Only packages that went through this weir are counted, so that a burst may be larger than it \
                seems. Where the registry leaves publishers out, only scopes are compared, and that is said.",
        todo: "Look at two or three of the others: what changed in all of them?",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let (Some(surroundings), Some(published)) = (subject.surroundings, subject.published()) else {
        return;
    };
    let timeline = subject.timeline();
    // Mirrors stamp old versions with the time at which they fetched them (PROTOCOL 3.14).
    if timeline
        .own
        .as_ref()
        .is_some_and(|own| !timeline.is_update(own))
    {
        return;
    }
    let own = Moment {
        minute: minute(published),
        line: line_number(subject.version),
    };
    let scope = subject
        .name
        .as_str()
        .split_once('/')
        .map(|(scope, _)| scope.to_owned());
    let account = subject.by().map(|by| by.label());
    let owners = [
        (scope, &surroundings.scope, &surroundings.before),
        (
            account,
            &surroundings.account,
            &surroundings.before_by_account,
        ),
    ];
    // One burst is told once, of the owner where it is larger.
    let told = owners
        .into_iter()
        .filter_map(|(owner, known, before)| burst(subject, &owner?, known, (own, before)))
        .max_by_key(|(size, _)| *size);
    if let Some((_, finding)) = told {
        observation.find(finding);
    }
}

/// What came out with this release, if it is unusual for this owner: how much, and the finding.
fn burst(
    subject: &Subject<'_>,
    owner: &str,
    known: &Known,
    (own, before): (Moment, &[Moment]),
) -> Option<(usize, Finding)> {
    let name = subject.name.as_str();
    let together = |arrival: &&Arrival| (arrival.moment.minute - own.minute).abs() <= BURST_MINUTES;
    let others: Vec<&Arrival> = known.arrivals.iter().filter(together).collect();
    let mut now: Vec<(&str, Moment)> = vec![(name, own)];
    now.extend(others.iter().map(|it| (it.name.as_str(), it.moment)));
    let size = busiest(now);
    if size < MANY {
        return None;
    }
    let learned = known
        .baseline
        .as_ref()
        .map_or(0, |baseline| baseline.peak());
    if size <= learned * FACTOR {
        return None;
    }
    let mut past: Vec<(&str, Moment)> = before.iter().map(|moment| (name, *moment)).collect();
    let mut seen = BTreeSet::from([name]);
    for arrival in others.iter().filter(|it| seen.insert(it.name.as_str())) {
        past.extend(
            arrival
                .before
                .iter()
                .map(|moment| (arrival.name.as_str(), *moment)),
        );
    }
    let most = busiest(past).max(learned);
    if size <= most * FACTOR {
        return None;
    }
    if most == 0 && belong_together(seen.iter().copied()) {
        return None;
    }
    let packages = seen.len();
    let what = match packages {
        1 => format!("{size} lines of {name}"),
        _ => format!("{packages} packages of {owner}"),
    };
    let past = match most {
        0 => "which has nothing older".to_owned(),
        most => format!("never more than {most} before"),
    };
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!("{what} came out within an hour, {past}"),
        400,
    ));
    // An account without a past may be a newcomer with many small things.
    if most > 0 {
        finding.severity = Severity::Medium;
    }
    let listed: Vec<String> = others
        .iter()
        .take(LISTED)
        .map(|it| format!("{}@{}", it.name, it.version))
        .collect();
    finding.evidence.push(Evidence::change(
        format!("released within {BURST_MINUTES} minutes, {owner}"),
        Some(format!("at most {most}")),
        Some(format!("{size}: {}", listed.join(", "))),
    ));
    Some((size, finding))
}

/// Whether packages are parts of one thing: of one scope, or nearly all with a word in common.
fn belong_together<'n>(names: impl Iterator<Item = &'n str> + Clone) -> bool {
    let scope = |name: &'n str| name.split_once('/').map(|(scope, _)| scope);
    let scopes: BTreeSet<Option<&str>> = names.clone().map(scope).collect();
    if scopes.len() == 1 && !scopes.contains(&None) {
        return true;
    }
    let count = names.clone().count();
    let mut words: Vec<&str> = names
        .flat_map(|name| {
            let base = name.rsplit('/').next().unwrap_or(name);
            let words: BTreeSet<&str> = base.split(['-', '_', '.']).collect();
            words
        })
        .collect();
    words.sort_unstable();
    let most = words
        .chunk_by(|one, other| one == other)
        .map(<[_]>::len)
        .max();
    most.is_some_and(|most| most * 5 >= count * 4)
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, arrival, by_hand, siblings};
    const AT: &str = "2026-06-15T11:30:00Z";
    let mara = || by_hand("mara");
    let update = || {
        Scene::of("left-lib", "1.4.1")
            .release("1.3.0", "2025-10-01T09:00:00Z", &mara())
            .release("1.4.0", "2026-04-01T09:00:00Z", &mara())
            .release("1.4.1", AT, &mara())
    };
    let others = [
        "tide-table",
        "oat-mill",
        "row-boat",
        "night-owl",
        "blue-ink",
    ];
    // Each has come out on days of its own.
    let apart = [
        "2026-01-03T09:00:00Z",
        "2026-01-20T09:00:00Z",
        "2026-02-09T09:00:00Z",
        "2026-02-28T09:00:00Z",
        "2026-03-14T09:00:00Z",
    ];
    let with = |scene: Scene, count: usize, past: &[&str]| {
        others
            .iter()
            .zip(past.iter().cycle())
            .take(count)
            .fold(scene, |scene, (name, before)| {
                scene.by_account(arrival(name, "2.0.1", AT, &[before]))
            })
    };
    let fresh = |names: &[&'static str]| {
        let scene = Scene::of(names[0], "1.0.0").release("1.0.0", AT, &by_hand("lena"));
        names[1..].iter().fold(scene, |scene, name| {
            scene.by_account(arrival(name, "1.0.0", AT, &[]))
        })
    };
    vec![
        Sample::flagged(
            "Six packages of one account within minutes, which were always released apart",
            with(update(), 5, &apart),
        ),
        Sample::flagged(
            "Six unrelated packages by an account that has nothing older",
            fresh(&[
                "kasar-rendang",
                "manis-sate",
                "gulai-nasi",
                "pecel-soto",
                "bakso-rawon",
                "tahu-opor",
            ]),
        ),
        Sample::passing(
            "Near miss: six packages that have come out together before",
            with(update(), 5, &["2026-04-01T09:10:00Z"]),
        ),
        Sample::passing(
            "Six first packages of one new project",
            fresh(&[
                "millwheel",
                "millwheel-cli",
                "millwheel-core",
                "millwheel-web",
                "millwheel-db",
                "millwheel-ui",
            ]),
        ),
        Sample::passing("Four packages at once", with(update(), 3, &apart)),
        Sample::passing(
            "A scope that is known to release everything at once",
            ["router", "forms", "start", "tasks"].iter().fold(
                Scene::of("@kiln/query", "1.4.1")
                    .release("1.4.0", "2026-01-01T09:00:00Z", &mara())
                    .release("1.4.1", AT, &mara())
                    .usual(siblings(
                        "@kiln",
                        &["tasks", "router", "forms", "start"],
                        &mara(),
                    )),
                |scene, part| {
                    let name = Box::leak(format!("@kiln/{part}").into_boxed_str());
                    scene.in_scope(arrival(name, "1.4.1", AT, &[]))
                },
            ),
        ),
    ]
}
