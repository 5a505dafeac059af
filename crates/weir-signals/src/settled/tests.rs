use weir_model::contents::SinkKind;

use jiff::Timestamp;

use super::*;
use crate::Observation;
use crate::sample::{NOW, Scene, flow};
use crate::source::credential_exfiltration::SIGNAL;

/// How a tool that few use came out.
#[derive(Clone, Copy)]
struct Past {
    releases: i64,
    /// Days from one to the next.
    apart: i64,
    /// How many of the last run another command at install than those before.
    changed: i64,
    /// Days since the last.
    out: i64,
}

const STEADY: Past = Past {
    releases: 30,
    apart: 10,
    changed: 0,
    out: 40,
};

/// The last of the releases, with a flow that decides by itself.
fn tool(past: Past) -> Scene {
    let now: Timestamp = NOW.parse().unwrap();
    let version = |number: i64| -> &'static str { format!("1.{number}.0").leak() };
    let mut scene = Scene::of("harbour-cli", version(past.releases - 1)).contents(sends());
    for number in 0..past.releases {
        let left = past.releases - 1 - number;
        let published = now - SignedDuration::from_hours((past.out + left * past.apart) * 24);
        let command = match left < past.changed {
            true => "node other.js",
            false => "node scripts/after.js",
        };
        let manifest = format!(r#"{{"scripts":{{"postinstall":"{command}"}}}}"#);
        scene = scene.release(version(number), published.to_string().leak(), &manifest);
    }
    scene
}

fn sends() -> Contents {
    flow(
        Surface::Install,
        (SourceKind::Environment, "process.env"),
        (SinkKind::Http, "open to app.harbour.example"),
    )
}

fn found(scene: &Scene) -> (bool, Severity) {
    let mut observation = Observation::default();
    scene.with_subject(|subject| SIGNAL.run(subject, &mut observation));
    let finding = observation.findings.first().unwrap();
    (finding.decisive, finding.severity)
}

#[test]
fn what_a_package_has_long_done_at_install_decides_nothing_whatever_its_rank() {
    let calm = (false, Severity::Medium);
    let decides = (true, Severity::Critical);
    for (says, past, before, expected) in [
        ("half a year of releases", STEADY, sends(), calm),
        (
            "a quarter ago it did nothing of the kind",
            STEADY,
            Contents::default(),
            decides,
        ),
        (
            "the first release there is",
            Past {
                releases: 1,
                ..STEADY
            },
            Contents::default(),
            decides,
        ),
        (
            "the first one of an attack and a few more",
            Past {
                releases: 12,
                apart: 30,
                ..STEADY
            },
            sends(),
            decides,
        ),
        (
            "many within a few weeks",
            Past { apart: 1, ..STEADY },
            sends(),
            decides,
        ),
        (
            "another command since three months ago",
            Past {
                changed: 9,
                ..STEADY
            },
            sends(),
            decides,
        ),
        (
            "all of one day but the first",
            Past {
                apart: 0,
                out: 200,
                ..STEADY
            },
            sends(),
            decides,
        ),
        (
            "a release of this week after many others",
            Past {
                apart: 1,
                out: 1,
                releases: 200,
                ..STEADY
            },
            sends(),
            calm,
        ),
    ] {
        // The release before may be the first of an attack.
        let scene = tool(past).previous_contents(sends()).habit_contents(before);
        assert_eq!(found(&scene), expected, "{says}");
    }
}

/// What was calmed while it was young is not refused once it is too old to be compared.
#[test]
fn the_newest_release_of_a_quarter_ago_is_read_for_a_habit_however_old_a_release_is() {
    let old = Past { out: 200, ..STEADY };
    let few = Past { releases: 5, ..old };
    let wanted = |scene: Scene| {
        scene.with_subject(|subject| subject.wants_habit_contents().map(str::to_owned))
    };
    assert_eq!(wanted(tool(old)).as_deref(), Some("1.28.0"));
    assert_eq!(wanted(tool(STEADY)).as_deref(), Some("1.24.0"));
    assert_eq!(wanted(tool(few)), None);
    assert_eq!(wanted(tool(old).contents(Contents::default())), None);
}
