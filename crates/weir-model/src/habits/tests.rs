use super::*;

fn lesson(version: &str, published: &str) -> Lesson {
    Lesson {
        version: version.to_owned(),
        line: 1,
        published: published.parse().unwrap(),
        by: Some(By::Account("Mara".to_owned())),
        origin: Origin::Provenance,
        hooks: false,
        licence: Some("MIT".to_owned()),
        repository: Some("git.example.invalid/mara".to_owned()),
        dependencies: vec!["left-lib".to_owned()],
    }
}

#[test]
fn what_is_taken_back_leaves_nothing_behind() {
    let mut habits = Habits::default();
    let one = lesson("1.0.0", "2026-01-01T09:30:00Z");
    habits.learn(&one);
    let before = habits.clone();
    let mut other = lesson("1.0.1", "2025-12-01T23:59:00Z");
    other.by = None;
    other.hooks = true;
    other.origin = Origin::None;
    other.licence = Some("ISC".to_owned());
    habits.learn(&other);
    assert_eq!((habits.releases, habits.hooks, habits.nobody), (2, 1, 1));
    assert_eq!(habits.hours[23], 1);
    assert!(habits.moments[0].minute < habits.moments[1].minute);
    assert!(!habits.always(Origin::Provenance));
    habits.unlearn(&other);
    assert_eq!(habits, before);
    assert!(habits.always(Origin::Provenance));
    habits.unlearn(&one);
    assert_eq!(habits, Habits::default());
    assert!(!habits.always(Origin::None), "nothing is known of nothing");
}

#[test]
fn a_made_up_history_costs_no_more_than_the_bounds() {
    let mut habits = Habits::default();
    let lessons: Vec<Lesson> = (0..500)
        .map(|number| {
            let mut lesson = lesson(&format!("1.0.{number}"), "2026-01-01T09:30:00Z");
            lesson.licence = Some(format!("made up {number}"));
            lesson.published += jiff::SignedDuration::from_hours(number);
            lesson
        })
        .collect();
    for lesson in &lessons {
        habits.learn(lesson);
    }
    assert_eq!(habits.licences.ranked().len(), MOST_VALUES);
    assert_eq!(habits.moments.len(), MOST_MOMENTS);
    assert_eq!(
        habits.moments.last().map(|moment| moment.minute),
        lessons.last().map(|lesson| minute(lesson.published))
    );
    for lesson in &lessons {
        habits.unlearn(lesson);
    }
    assert_eq!(habits, Habits::default());
}

#[test]
fn a_burst_is_packages_and_lines_within_an_hour() {
    let at = |minute, line| Moment { minute, line };
    let burst = |moments: &[(&'static str, Moment)]| busiest(moments.to_vec());
    assert_eq!(burst(&[]), 0);
    // The same line of the same package twice is one.
    assert_eq!(burst(&[("a", at(0, 1)), ("a", at(5, 1))]), 1);
    assert_eq!(burst(&[("a", at(0, 1)), ("a", at(5, 2))]), 2);
    assert_eq!(
        burst(&[("c", at(61, 1)), ("a", at(0, 1)), ("b", at(60, 1))]),
        2
    );
    assert_eq!(
        burst(&[("c", at(60, 1)), ("a", at(0, 1)), ("b", at(60, 1))]),
        3
    );
    // One that leaves the hour and comes back is there once.
    assert_eq!(
        burst(&[("a", at(0, 1)), ("a", at(70, 1)), ("b", at(100, 1))]),
        2
    );
}

#[test]
fn a_baseline_is_what_its_packages_come_to() {
    let mut packages = BTreeMap::new();
    for name in ["@millpond/sluice", "@millpond/weir"] {
        let mut habits = Habits::default();
        habits.learn(&lesson("1.0.0", "2026-01-01T09:30:00Z"));
        packages.insert(name.to_owned(), habits);
    }
    let baseline = Baseline::new("@millpond", packages);
    assert_eq!(baseline.owner(), "@millpond");
    assert_eq!(baseline.all().releases, 2);
    assert_eq!(baseline.all().publishers.ranked(), [("~Mara", 2)]);
    assert_eq!(baseline.peak(), 2);
}

#[test]
fn the_form_kept_in_the_store_is_read_again() {
    let mut habits = Habits::default();
    let lesson = lesson("1.0.0", "2026-01-01T09:30:00Z");
    habits.learn(&lesson);
    let json = serde_json::to_string(&habits).unwrap();
    assert_eq!(serde_json::from_str::<Habits>(&json).unwrap(), habits);
    let json = serde_json::to_string(&lesson).unwrap();
    assert_eq!(serde_json::from_str::<Lesson>(&json).unwrap(), lesson);
}

#[test]
fn accounts_that_differ_in_case_are_counted_apart() {
    for (one, other, same) in [
        ("mara", "mara", true),
        ("mara", "Mara", false),
        ("mara", "mara ", false),
    ] {
        let mut habits = Habits::default();
        let mut learned = lesson("1.0.0", "2026-01-01T09:30:00Z");
        learned.by = Some(By::Account(one.to_owned()));
        habits.learn(&learned);
        let label = By::Account(other.to_owned()).label();
        assert_eq!(habits.publishers.has(&label), same, "{one} {other:?}");
    }
}
