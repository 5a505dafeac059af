//! Histories as no honest registry writes them: every signal looks at them, none of them panics, none is
//! silent where it should speak, and what is not known is said.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_model::Severity;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;

use crate::sample::{NOW, Scene, by_hand, from_workflow};
use crate::{NameIndex, Observation, Stage, Subject, Surroundings, moments, observe_all};

fn says(observation: &Observation, signal: &str) -> Vec<Severity> {
    let findings = observation.findings.iter();
    let of_signal = findings.filter(|finding| finding.signal == signal);
    of_signal.map(|finding| finding.severity).collect()
}

fn gap(observation: &Observation, what: &str) -> bool {
    observation.incomplete.iter().any(|gap| gap.what == what)
}

/// What all signals say of a release of a document, and what a baseline would learn from it.
fn observe(document: &Value, version: &str) -> Observation {
    observe_seen(document, version, None)
}

/// The same of a release that weir first saw then.
fn observe_seen(document: &Value, version: &str, first_seen: Option<&str>) -> Observation {
    let name = PackageName::parse("left-lib").unwrap();
    let packument = Packument::parse(&name, Bytes::from(document.to_string())).unwrap();
    let names = NameIndex::embedded().unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let surroundings = Surroundings {
        before: moments(&packument, now, &|_| false, None),
        ..Surroundings::default()
    };
    let mut subject = Subject::new(&name, version, &names, now);
    subject.packument = Stage::Known(&packument);
    subject.surroundings = Some(&surroundings);
    subject.first_seen = first_seen.map(|time| time.parse().unwrap());
    observe_all(&subject)
}

fn document(versions: &[(&str, Value)]) -> Value {
    let mut document = json!({"name": "left-lib", "versions": {}, "time": {}});
    for (version, time) in versions {
        document["versions"][version] = json!({
            "name": "left-lib", "version": version,
            "dist": {"tarball": format!("https://registry.example.invalid/left-lib/-/left-lib-{version}.tgz")},
        });
        if !time.is_null() {
            document["time"][version] = time.clone();
        }
    }
    document
}

#[test]
fn a_history_without_times_is_a_gap_and_no_calm() {
    let untimed = document(&[("1.0.0", Value::Null), ("1.0.1", Value::Null)]);
    assert!(gap(&observe(&untimed, "1.0.1"), "publish time"));
    // Times that are none count as none.
    for nonsense in [
        json!("yesterday"),
        json!(17),
        json!({}),
        json!("2026-13-45T99:00:00Z"),
        json!(""),
    ] {
        let document = document(&[
            ("1.0.0", json!("2026-01-01T00:00:00Z")),
            ("1.0.1", nonsense.clone()),
        ]);
        assert!(
            gap(&observe(&document, "1.0.1"), "publish time"),
            "{nonsense}"
        );
    }
    // One release without a time does not hide those that have one.
    let mixed = document(&[
        ("1.0.0", json!("2026-01-01T00:00:00Z")),
        ("1.0.1", Value::Null),
        ("1.0.2", json!("2026-06-15T11:00:00Z")),
    ]);
    let observation = observe(&mixed, "1.0.2");
    assert!(!gap(&observation, "publish time"));
    assert_eq!(says(&observation, "young-release").len(), 1);
}

#[test]
fn people_and_trust_are_measured_without_times_by_numbers() {
    let day = "2026-01-01T09:00:00Z";
    let old = ["2020-01-01T09:00:00Z", "2021-01-01T09:00:00Z", day];
    let now = "2026-06-14T09:00:00Z";
    for (past, own, untimed) in [
        (old, "", true),
        (["", "", ""], "", true),
        (["", "", day], "", true),
        (old, "yesterday", true),
        (old, "0000-00-00T00:00:00Z", true),
        (["", "", ""], now, false),
    ] {
        let scene = |before: &str, after: &str| {
            let versions = ["1.0.0", "1.1.0", "1.1.1"].into_iter().zip(past);
            let scene = Scene::of("left-lib", "1.2.0")
                // What comes later by its number is no past.
                .release("2.0.0", "", &by_hand("lena"))
                .release("1.2.0", own, after);
            versions.fold(scene, |scene, (version, time)| {
                scene.release(version, time, before)
            })
        };
        let case = format!("{past:?} {own}");
        let taken = scene(&by_hand("mara"), &taken_over()).observe();
        assert!(tells_the_takeover(&taken), "{case}");
        assert_eq!(gap(&taken, "publish time"), untimed, "{case}");
        assert!(says(&taken, "dormant-revival").is_empty(), "{case}");
        assert!(says(&taken, "odd-version").is_empty(), "{case}");
        let by_laptop = scene(&from_workflow(), &by_hand("lena")).observe();
        assert_eq!(
            says(&by_laptop, "trust-downgrade"),
            [Severity::High],
            "{case}"
        );
        let nobody = scene("{}", "{}").observe();
        assert!(gap(&nobody, weir_model::assessment::PUBLISHER), "{case}");
        let as_ever = scene(&by_hand("mara"), &by_hand("mara")).observe();
        for signal in ["new-publisher", "maintainer-change", "trust-downgrade"] {
            assert!(says(&as_ever, signal).is_empty(), "{signal} {case}");
        }
    }
}

/// The one finding of a signal, in its words.
fn words(observation: &Observation, signal: &str) -> String {
    let findings = observation.findings.iter();
    let of_signal = findings.filter(|finding| finding.signal == signal);
    let all: Vec<&str> = of_signal.map(|finding| finding.message.as_str()).collect();
    assert_eq!(all.len(), 1, "{signal}: {all:?}");
    all.concat()
}

/// A history whose first three releases have a publish time and whose next three have that one (or none), and a release
/// after them.
fn handed_over(early: &str, late: &str, time: &'static str, own: (&'static str, &str)) -> Scene {
    Scene::of("left-lib", "1.4.0")
        .release("1.0.0", "2021-01-01T09:00:00Z", early)
        .release("1.0.1", "2021-02-01T09:00:00Z", early)
        .release("1.0.2", "2021-03-01T09:00:00Z", early)
        .release("1.1.0", time, late)
        .release("1.2.0", time, late)
        .release("1.3.0", time, late)
        .release("1.4.0", own.0, own.1)
}

#[test]
fn a_release_without_a_time_is_measured_by_all_of_lower_numbers() {
    let lena = taken_over();
    let mara = by_hand("mara");
    let signals = ["new-publisher", "maintainer-change"];
    // Who has published since the times end is nobody new, and evidence that was given up long ago is not missed.
    let calm = handed_over(&mara, &lena, "", ("", &lena)).observe();
    for signal in signals {
        assert!(says(&calm, signal).is_empty(), "{signal}");
    }
    let by_hand_now = handed_over(&from_workflow(), &lena, "", ("", &lena)).observe();
    assert_eq!(says(&by_hand_now, "trust-downgrade"), [Severity::Info]);
    assert!(says(&by_hand_now, "new-publisher").is_empty());
    // Who comes after all of them is new, whatever those below them were.
    let taken = handed_over(&mara, &mara, "", ("", &lena)).observe();
    for signal in signals {
        assert_eq!(says(&taken, signal).len(), 1, "{signal}");
    }
    let back = handed_over(&lena, &mara, "", ("", &lena)).observe();
    assert_eq!(says(&back, "maintainer-change").len(), 1);
}

#[test]
fn of_one_without_a_time_it_is_known_who_is_at_home_above_it() {
    let (lena, mara) = (taken_over(), by_hand("mara"));
    // Out for long, for a day, and nobody knows for how long.
    for (above, at_home) in [
        ("2025-01-01T09:00:00Z", true),
        ("2026-06-14T09:00:00Z", false),
        ("", false),
    ] {
        let observation = handed_over(&mara, &mara, "2021-04-01T09:00:00Z", ("", &lena))
            .release("2.0.0", above, &lena)
            .observe();
        for signal in ["new-publisher", "maintainer-change"] {
            assert_eq!(
                says(&observation, signal).is_empty(),
                at_home,
                "{signal} {above}"
            );
        }
    }
    let from_above = handed_over(&from_workflow(), &from_workflow(), "", ("", &lena))
        .release("2.0.0", "2025-01-01T09:00:00Z", &lena)
        .observe();
    assert_eq!(says(&from_above, "trust-downgrade"), [Severity::Medium]);
}

#[test]
fn a_release_with_a_time_is_not_said_to_be_the_first_where_others_have_none() {
    let (lena, mara) = (taken_over(), by_hand("mara"));
    let now = "2026-06-14T09:00:00Z";
    let timed = handed_over(&mara, &lena, "", (now, &lena)).observe();
    assert!(tells_the_takeover(&timed));
    let told = words(&timed, "new-publisher");
    assert!(
        told.starts_with(
            "lena published this and 1.3.0 (when is not known), but none of the releases that are known to have been \
             out for a week"
        ),
        "{told}"
    );
    let by_laptop = handed_over(&from_workflow(), &lena, "", (now, &lena)).observe();
    let told = words(&by_laptop, "trust-downgrade");
    assert!(told.contains("not known when they published"), "{told}");
    // What has a higher number tells nothing here.
    let stranger = handed_over(&mara, &mara, "", (now, &lena))
        .release("2.0.0", "", &lena)
        .observe();
    let told = words(&stranger, "new-publisher");
    assert!(
        told.contains("this and none of the releases before"),
        "{told}"
    );
}

#[test]
fn a_time_is_believed_whatever_the_package_says_of_its_beginning() {
    for created in ["2025-09-30T09:00:00Z", "2026-05-01T09:00:00Z"] {
        let scene = Scene::of("left-lib", "1.0.3")
            .release("1.0.0", "2025-10-01T09:00:00Z", &by_hand("mara"))
            .release("1.0.1", "2026-01-01T09:00:00Z", &by_hand("mara"))
            .release("1.0.3", "2023-01-01T09:00:00Z", &taken_over())
            .removed("created", created);
        let previous = scene.with_subject(|subject| subject.previous().is_some());
        assert!(!previous, "{created}");
        let observation = scene.observe();
        for signal in ["unusual-timing", "new-publisher"] {
            assert!(says(&observation, signal).is_empty(), "{signal} {created}");
        }
    }
}

#[test]
fn a_release_of_the_same_moment_is_said_to_be_one() {
    let (lena, mara) = (taken_over(), by_hand("mara"));
    let now = "2026-06-14T09:00:00Z";
    let observation = handed_over(&mara, &mara, "2021-04-01T09:00:00Z", (now, &lena))
        .release("1.3.1", now, &lena)
        .observe();
    let told = words(&observation, "new-publisher");
    assert!(told.contains("this and 1.3.1 (at the same time)"), "{told}");
}

#[test]
fn when_it_was_first_seen_is_no_publish_time() {
    let untimed = document(&[("1.0.0", Value::Null), ("1.0.1", Value::Null)]);
    // Two hours before, and last year.
    for (first_seen, young) in [
        ("2026-06-15T10:00:00Z", true),
        ("2025-06-15T10:00:00Z", false),
    ] {
        let observation = observe_seen(&untimed, "1.0.1", Some(first_seen));
        assert!(gap(&observation, "publish time"), "{first_seen}");
        let findings = observation.findings.iter();
        let told: Vec<&str> = findings
            .filter(|finding| finding.signal == "young-release")
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(told.len(), usize::from(young), "{first_seen}");
        assert!(
            told.iter()
                .all(|text| text.contains("was first seen 2 hours ago")),
            "{told:?}"
        );
    }
}

#[test]
fn a_release_from_the_future_is_young_and_so_is_one_by_a_wrong_clock() {
    for time in [
        "2026-06-15T12:00:01Z",
        "2026-07-01T00:00:00Z",
        "9999-12-30T00:00:00Z",
    ] {
        let observation = Scene::of("left-lib", "1.0.1")
            .release("1.0.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
            .release("1.0.1", time, &by_hand("mara"))
            .observe();
        assert_eq!(says(&observation, "young-release").len(), 1, "{time}");
    }
    // A release before it that claims to come later is none that it could be excused by.
    let observation = Scene::of("left-lib", "1.0.1")
        .release("1.0.0", "2026-01-01T09:00:00Z", "{}")
        .release(
            "1.0.1",
            "2026-06-15T09:00:00Z",
            r#"{"scripts":{"postinstall":"node x.js"}}"#,
        )
        .release(
            "1.0.0-x",
            "2027-01-01T09:00:00Z",
            r#"{"scripts":{"postinstall":"node x.js"}}"#,
        )
        .observe();
    assert!(!says(&observation, "new-install-script").is_empty());
    // The times of registries and of this machine differ by seconds: order is told by times alone.
    let skewed = Scene::of("left-lib", "1.0.1")
        .release("1.0.1", "1970-01-01T00:00:00Z", "{}")
        .release("1.0.0", "1970-01-01T00:00:00Z", "{}")
        .observe();
    assert!(says(&skewed, "dormant-revival").is_empty());
}

#[test]
fn thousands_of_versions_are_gone_through_like_few() {
    let first: Timestamp = "2010-01-01T00:00:00Z".parse().unwrap();
    let versions: Vec<(String, Value)> = (0..6_000_i64)
        .map(|number| {
            let at = first + SignedDuration::from_hours(number * 24);
            (
                format!("{}.{}.{}", number / 1_000, number / 10 % 100, number % 10),
                json!(at.to_string()),
            )
        })
        .collect();
    let listed: Vec<(&str, Value)> = versions
        .iter()
        .map(|(version, time)| (version.as_str(), time.clone()))
        .collect();
    let document = document(&listed);
    let observation = observe(&document, "5.99.9");
    assert!(!gap(&observation, "history"));
}

#[test]
fn versions_that_are_none_are_left_out_and_not_stumbled_over() {
    let odd = [
        "latest",
        "1",
        "1.2",
        "v1.0.0",
        "1.0.0.0",
        "..",
        "99999999999999999999.0.0",
        "1.0.0-",
        "constructor",
    ];
    let mut versions: Vec<(&str, Value)> = odd
        .iter()
        .map(|version| (*version, json!("2026-06-14T09:00:00Z")))
        .collect();
    versions.push(("1.0.0", json!("2026-01-01T09:00:00Z")));
    versions.push(("1.0.1", json!("2026-06-14T09:00:00Z")));
    let document = document(&versions);
    let observation = observe(&document, "1.0.1");
    assert!(!gap(&observation, "history"));
    for version in odd {
        // Looked at by themselves they are compared with nothing, and age is all there is to say.
        let observation = observe(&document, version);
        assert!(
            says(&observation, "many-lines-patched").is_empty(),
            "{version}"
        );
    }
}

/// The manifest of a release that lena took over and that runs something at install.
fn taken_over() -> String {
    json!({
        "_npmUser": {"name": "lena", "email": "lena@mail.example"},
        "maintainers": [{"name": "lena", "email": "lena@mail.example"}],
        "scripts": {"postinstall": "node setup.js"},
    })
    .to_string()
}

/// Whether a release by somebody else, with an install script that is new, is told as just that.
fn tells_the_takeover(observation: &Observation) -> bool {
    let hook = |signal: &str| {
        let mut findings = observation.findings.iter();
        findings.any(|it| it.signal == signal && !it.message.starts_with("the first release"))
    };
    hook("new-install-script")
        && !says(observation, "new-publisher").is_empty()
        && !says(observation, "maintainer-change").is_empty()
}

#[test]
fn a_version_that_is_none_is_placed_by_its_time_or_its_history_is_a_gap() {
    for version in ["1.2.0", "1.2.0.1", "1.2", "latest"] {
        for time in ["2026-06-14T09:00:00Z", "2026-04-01T09:00:00Z"] {
            let observation = Scene::of("left-lib", version)
                .release("1.0.0", "2025-10-01T09:00:00Z", &by_hand("mara"))
                .release("1.1.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
                .release("1.1.1", "2026-04-01T09:00:00Z", &by_hand("mara"))
                .release(version, time, &taken_over())
                .observe();
            assert!(tells_the_takeover(&observation), "{version} {time}");
            assert!(!gap(&observation, "history"), "{version} {time}");
        }
    }
    let time = || json!("2026-06-01T09:00:00Z");
    for (version, own, other, unknown) in [
        ("1.0.0.1", json!("2026-06-14T09:00:00Z"), time(), false),
        ("1.0.0.1", json!("2026-06-14T09:00:00Z"), Value::Null, true),
        ("1.0.0.1", Value::Null, time(), true),
        // Numbers tell where times do not, and what was published first is compared with nothing.
        ("1.0.1", Value::Null, time(), false),
        ("1.0.0.1", json!("2026-01-01T09:00:00Z"), time(), false),
    ] {
        let document = document(&[("1.0.0", other.clone()), (version, own.clone())]);
        let observation = observe(&document, version);
        assert_eq!(
            gap(&observation, "history"),
            unknown,
            "{version} {own} {other}"
        );
    }
}

#[test]
fn releases_of_one_time_are_ordered_by_their_versions() {
    let time = "2026-01-01T09:00:00Z";
    // In no order, and one that sorts wrongly as text.
    let past = ["1.4.0", "1.1.0", "1.9.0", "1.3.0", "1.7.0", "1.2.0"];
    let scene = |version| {
        let scene = Scene::of("left-lib", version).release("1.10.0", time, &taken_over());
        past.into_iter().fold(scene, |scene, version| {
            scene.release(version, time, &by_hand("mara"))
        })
    };
    assert!(tells_the_takeover(&scene("1.10.0").observe()));
    for (version, before) in [
        ("1.10.0", Some("1.9.0")),
        ("1.7.0", Some("1.4.0")),
        ("1.1.0", None),
    ] {
        let previous = scene(version)
            .with_subject(|subject| subject.previous().map(|it| it.version.to_owned()));
        assert_eq!(previous.as_deref(), before, "{version}");
    }
}

#[test]
fn two_maintainers_with_one_address_are_two_accounts_and_one_person() {
    let person = |name: &str| {
        json!({
            "_npmUser": {"name": name, "email": "team@mail.example"},
            "maintainers": [
                {"name": "mara", "email": "team@mail.example"},
                {"name": "otto", "email": "team@mail.example"},
            ],
        })
        .to_string()
    };
    let observation = Scene::of("left-lib", "1.3.0")
        .release("1.0.0", "2025-10-01T09:00:00Z", &person("mara"))
        .release("1.1.0", "2026-01-01T09:00:00Z", &person("mara"))
        .release("1.2.0", "2026-04-01T09:00:00Z", &person("mara"))
        .release("1.3.0", "2026-06-14T09:00:00Z", &person("otto"))
        .observe();
    // Another account, whatever mail address it states.
    assert_eq!(says(&observation, "new-publisher"), [Severity::Low]);
}

#[test]
fn a_name_that_was_taken_down_and_taken_again_has_no_past_to_rest_on() {
    let gone = |version: &str, published: &str| crate::Gone {
        version: version.to_owned(),
        published: published.parse().ok(),
        missed: None,
        whole: true,
    };
    let taken = Scene::of("left-lib", "1.0.2")
        .release("1.0.2", "2026-06-14T09:00:00Z", &by_hand("lena"))
        .removed("1.0.0", "2019-01-01T09:00:00Z")
        .removed("1.0.1", "2020-01-01T09:00:00Z")
        .gone(gone("1.0.0", "2019-01-01T09:00:00Z"))
        .gone(gone("1.0.1", "2020-01-01T09:00:00Z"))
        .observe();
    assert_eq!(says(&taken, "vanished-versions"), [Severity::Medium]);
    // Where this weir saw nothing before, the times that are left are mentioned if they are near.
    let unseen = Scene::of("left-lib", "1.0.2")
        .release("1.0.2", "2026-06-14T09:00:00Z", &by_hand("lena"))
        .removed("1.0.1", "2026-06-10T09:00:00Z")
        .observe();
    assert_eq!(says(&unseen, "vanished-versions"), [Severity::Info]);
}
