use super::super::tests::{answer, heard};
use super::*;

fn place(path: &str, version: &str) -> Place {
    let path: Vec<String> = path.split('>').map(str::to_owned).collect();
    Place {
        name: path.last().unwrap().clone(),
        version: version.to_owned(),
        path,
        dev: false,
        optional: false,
        bundled: false,
    }
}

fn about(id: &str, versions: &[&str]) -> Heard {
    let mut heard = heard(id, None);
    heard.versions = versions.iter().map(|it| (*it).to_owned()).collect();
    heard
}

#[test]
fn an_advisory_about_two_packages_is_in_the_answer_twice() {
    let found = answer([
        ("mud", vec![about("GHSA-1", &["1.0.0"])]),
        ("reed", vec![about("GHSA-1", &["1.0.0"])]),
    ]);
    let document = tree(&found, &[place("mud", "1.0.0"), place("reed", "1.0.0")]);
    let advisories = document["advisories"].as_object().unwrap();
    let mut names: Vec<&str> = advisories
        .values()
        .map(|it| it["module_name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["mud", "reed"]);
    for (number, advisory) in advisories {
        assert_eq!(*number, advisory["id"].to_string());
    }
    let document = bulk(&found);
    assert_ne!(document["mud"][0]["id"], document["reed"][0]["id"]);
}

#[test]
fn each_place_of_an_affected_version_is_named_and_no_other() {
    let found = answer([("reed", vec![about("GHSA-1", &["1.0.0", "1.1.0"])])]);
    let places = [
        place("mud", "1.0.0"),
        place("mud>reed", "1.1.0"),
        place("reed", "1.0.0"),
        place("stalk>reed", "1.0.0"),
        place("shore>reed", "2.0.0"),
    ];
    let document = tree(&found, &places);
    let advisories = document["advisories"].as_object().unwrap();
    let advisory = advisories.values().next().unwrap();
    let findings = advisory["findings"].as_array().unwrap();
    let told: Vec<(&Value, &Value)> = findings
        .iter()
        .map(|it| (&it["version"], &it["paths"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("1.0.0"), &json!(["reed", "stalk>reed"])),
            (&json!("1.1.0"), &json!(["mud>reed"])),
        ]
    );
    assert_eq!(document["metadata"]["vulnerabilities"]["high"], 3);
    assert_eq!(document["metadata"]["totalDependencies"], 5);
    assert_eq!(
        document["actions"][0]["resolves"].as_array().unwrap().len(),
        3
    );
}

/// Many places with long paths, and many advisories about each: what does not fit is counted and said.
#[test]
fn an_answer_has_no_more_paths_than_there_is_room_for() {
    let above = "a".repeat(2_000);
    let places: Vec<Place> = (0..2_000)
        .map(|it| place(&format!("{above}{it}>reed"), "1.0.0"))
        .collect();
    let all: Vec<Heard> = (0..20)
        .map(|it| about(&format!("GHSA-{it}"), &["1.0.0"]))
        .collect();
    let document = tree(&answer([("reed", all)]), &places);
    let advisories = document["advisories"].as_object().unwrap();
    assert_eq!(advisories.len(), 20);
    let mut listed = 0;
    for advisory in advisories.values() {
        let paths = advisory["findings"][0]["paths"].as_array().unwrap();
        assert!(!paths.is_empty());
        listed += paths
            .iter()
            .map(|it| it.as_str().unwrap().len())
            .sum::<usize>();
        let cut = advisory["overview"]
            .as_str()
            .unwrap()
            .contains("in 2000 places");
        assert_eq!(cut, paths.len() < 2_000);
    }
    // One path of each advisory may go beyond.
    assert!(listed < PATHS + 21 * 3_000, "{listed}");
    assert_eq!(document["metadata"]["vulnerabilities"]["high"], 40_000);
}
