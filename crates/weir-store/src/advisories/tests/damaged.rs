//! Records of which a part is not what it should be: what can be read is kept, what cannot is named.

use super::super::osv::{Reduced, reduce};
use super::*;

/// A record about `a` below 2.0.0 and `b` in 1.0.0.
fn usual() -> Value {
    let mut usual = record(
        "X-1",
        affected("a", json!([{"introduced": "0"}, {"fixed": "2.0.0"}])),
    );
    usual["aliases"] = json!(["CVE-1"]);
    let listed = json!({"package": {"ecosystem": "npm", "name": "b"}, "versions": ["1.0.0"]});
    usual["affected"].as_array_mut().unwrap().push(listed);
    usual
}

fn read(record: &Value) -> Result<Reduced, String> {
    reduce(record.to_string().as_bytes(), at(0))
}

/// What a record says of a version of a package: nothing where it does not name the package.
fn standing(found: &Reduced, name: &str, version: &str) -> Option<Standing> {
    let parsed = weir_npm::version::Version::parse(version).ok();
    let about = found.record.affected.iter().filter(|it| it.name == name);
    about.map(|it| it.standing(version, parsed.as_ref())).min()
}

/// `(where, what is put there, what is said of it)`.
type Case = (&'static str, Value, &'static str);

fn put(at: &str, value: Value) -> Value {
    let mut record = usual();
    match record.pointer_mut(at) {
        Some(place) => *place = value,
        None => {
            let (parent, key) = at.rsplit_once('/').unwrap();
            record.pointer_mut(parent).unwrap()[key] = value;
        }
    }
    record
}

#[test]
fn a_field_that_decides_nothing_is_named_and_the_rest_counts() {
    let table: &[Case] = &[
        (
            "/aliases",
            json!("x"),
            "aliases: is a text, and should be a list",
        ),
        (
            "/aliases",
            json!(["CVE-1", 7]),
            "aliases[1]: is a number, and should be a text",
        ),
        (
            "/summary",
            json!([]),
            "summary: is a list, and should be a text",
        ),
        (
            "/details",
            json!(true),
            "details: is true or false, and should be a text",
        ),
        (
            "/severity",
            json!({}),
            "severity: is an object, and should be a list",
        ),
        (
            "/severity",
            json!(["x"]),
            "severity[0]: is a text, and should be an object",
        ),
        (
            "/severity",
            json!([{"type": 5}]),
            "severity[0]: invalid type",
        ),
        (
            "/references",
            json!([null]),
            "references[0]: is null, and should be an object",
        ),
        (
            "/affected/0/severity",
            json!("x"),
            "affected[0].severity: is a text, and should be a list",
        ),
        ("/modified", json!(5), "modified: \"5\" is no time"),
        (
            "/withdrawn",
            json!(true),
            "withdrawn: \"true\" is no time; the record stays in force",
        ),
    ];
    for (at, value, why) in table {
        let found = read(&put(at, value.clone())).unwrap();
        assert_eq!(found.problems.len(), 1, "{at}: {:?}", found.problems);
        assert!(found.problems[0].starts_with(why), "{:?}", found.problems);
        assert!(!found.withdrawn);
        let said = ["1.0.0", "3.0.0"].map(|version| standing(&found, "a", version));
        assert_eq!(
            said,
            [Some(Standing::Affected), Some(Standing::Clear)],
            "{at}"
        );
        assert_eq!(
            standing(&found, "b", "1.0.0"),
            Some(Standing::Affected),
            "{at}"
        );
    }
    // Of a list, what can be read is kept.
    let found = read(&put("/aliases", json!(["CVE-1", 7]))).unwrap();
    assert_eq!(found.record.aliases, ["CVE-1"]);
}

#[test]
fn a_field_that_decides_which_versions_are_affected_leaves_its_part_unclear() {
    let table: &[Case] = &[
        (
            "/affected/0/ranges",
            json!({}),
            "affected[0].ranges: is an object, and should be a list",
        ),
        (
            "/affected/0/ranges/0",
            json!("x"),
            "affected[0].ranges[0]: is a text, and should be an object",
        ),
        (
            "/affected/0/ranges/0/type",
            json!(1),
            "affected[0].ranges[0].type: is a number",
        ),
        (
            "/affected/0/ranges/0/type",
            Value::Null,
            "affected[0].ranges[0].type: is missing",
        ),
        (
            "/affected/0/ranges/0/events",
            json!("x"),
            "affected[0].ranges[0].events: is a text",
        ),
        (
            "/affected/0/ranges/0/events/0",
            json!("0"),
            "affected[0].ranges[0].events[0]: is a text",
        ),
        (
            "/affected/0/ranges/0/events/0",
            json!([]),
            "affected[0].ranges[0].events[0]: is a list",
        ),
        (
            "/affected/0/ranges/0/events/0/introduced",
            json!(1.2),
            "affected[0].ranges[0].events[0]: introduced: is no text",
        ),
        (
            "/affected/0/ranges/0/events/1/fixed",
            json!(2),
            "affected[0].ranges[0].events[1]: invalid type",
        ),
        (
            "/affected/0/versions",
            json!("1.0.0"),
            "affected[0].versions: is a text, and should be a list",
        ),
        (
            "/affected/0/versions",
            json!([1]),
            "affected[0].versions[0]: is a number",
        ),
        (
            "/affected/0/package/ecosystem",
            json!(1),
            "affected[0].package.ecosystem: is a number",
        ),
        (
            "/affected/0/package/ecosystem",
            Value::Null,
            "affected[0].package.ecosystem: is missing",
        ),
        (
            "/affected/0/database_specific",
            json!({"last_known_affected_version_range": 3}),
            "affected[0].database_specific.last_known_affected_version_range: 3 is no bound",
        ),
    ];
    for (at, value, why) in table {
        let found = read(&put(at, value.clone())).unwrap();
        assert_eq!(found.problems.len(), 1, "{at}: {:?}", found.problems);
        assert!(found.problems[0].starts_with(why), "{:?}", found.problems);
        assert_eq!(
            standing(&found, "a", "3.0.0"),
            Some(Standing::Unclear),
            "{at}"
        );
        // The other part is as sure as before.
        let said = ["1.0.0", "3.0.0"].map(|version| standing(&found, "b", version));
        assert_eq!(
            said,
            [Some(Standing::Affected), Some(Standing::Clear)],
            "{at}"
        );
        assert_eq!(found.record.aliases, ["CVE-1"]);
    }
    // What can be read of it still counts.
    let found = read(&put("/affected/0/versions", json!([1, "9.0.0"]))).unwrap();
    for version in ["1.0.0", "9.0.0"] {
        assert_eq!(standing(&found, "a", version), Some(Standing::Affected));
    }
}

#[test]
fn a_part_that_names_no_package_is_named_and_the_others_count() {
    for (value, why) in [
        (
            json!("x"),
            "affected[0]: is a text, and should be an object",
        ),
        (json!([]), "affected[0]: is a list, and should be an object"),
        (
            json!({"package": "a"}),
            "affected[0].package: is a text, and should be an object",
        ),
        (
            json!({"package": {"ecosystem": "npm"}}),
            "affected[0].package.name: is missing",
        ),
        (
            json!({"package": {"ecosystem": "npm", "name": 1}}),
            "affected[0].package.name: is a number",
        ),
    ] {
        let found = read(&put("/affected/0", value.clone())).unwrap();
        assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
        assert!(found.problems[0].starts_with(why), "{:?}", found.problems);
        assert_eq!(standing(&found, "b", "1.0.0"), Some(Standing::Affected));
        // Without another part it is about nothing.
        let alone = put("/affected", json!([value]));
        assert!(read(&alone).unwrap_err().contains(why));
    }
    assert!(
        read(&put("/affected", json!("x")))
            .unwrap_err()
            .contains("affected: is a text")
    );
}

#[test]
fn only_what_is_no_record_is_refused() {
    for (text, why) in [
        ("{\"id\":", "EOF"),
        ("", "EOF"),
        ("[]", "is a list, and should be an object"),
        ("[\"X-1\"]", "is a list, and should be an object"),
        ("7", "is a number, and should be an object"),
        ("{}", "id: is missing"),
        ("{\"id\": 7}", "id: is a number, and should be a text"),
        ("{\"id\": \" \"}", "id: is empty or not printable"),
        ("{\"id\": \"a\\u0007\"}", "id: is empty or not printable"),
    ] {
        let said = reduce(text.as_bytes(), at(0)).unwrap_err();
        assert!(said.contains(why), "{text}: {said}");
    }
}

/// As some databases write it.
#[test]
fn zero_as_a_number_is_the_beginning() {
    let found = read(&put("/affected/0/ranges/0/events/0/introduced", json!(0))).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    assert_eq!(found.record, read(&usual()).unwrap().record);
}

/// A tree of values would keep the last one and say nothing.
#[test]
fn a_key_twice_leaves_everything_unclear() {
    let text = usual().to_string();
    for (from, to, key) in [
        ("{\"id\":", "{\"aliases\":[],\"id\":", "aliases"),
        ("\"versions\":", "\"versions\":[],\"versions\":", "versions"),
    ] {
        let text = text.replacen(from, to, 1);
        let found = reduce(text.as_bytes(), at(0)).unwrap();
        let why = format!("the key \"{key}\" is there twice in one object");
        assert_eq!(found.problems, [why]);
        for name in ["a", "b"] {
            assert_eq!(standing(&found, name, "3.0.0"), Some(Standing::Unclear));
        }
    }
    // One of two withdrawals is none.
    let twice = "{\"withdrawn\":null,\"withdrawn\":\"2020-01-01T00:00:00Z\",\"id\":";
    let found = reduce(text.replacen("{\"id\":", twice, 1).as_bytes(), at(0)).unwrap();
    assert!(!found.withdrawn);
    // Of an empty second list nobody knows that it is the one that is meant.
    let text = text.replacen("\"affected\":[", "\"affected\":[],\"x\":[", 1);
    assert!(
        reduce(text.as_bytes(), at(0)).is_ok(),
        "about nothing of npm's"
    );
    let text = text.replacen(
        "\"x\":[",
        "\"affected\":[{\"package\":1}],\"affected\":[],\"x\":[",
        1,
    );
    assert!(reduce(text.as_bytes(), at(0)).is_err());
}

#[test]
fn records_of_others_are_not_complained_of() {
    let mut other = usual();
    other["aliases"] = json!("x");
    for number in [0, 1] {
        other["affected"][number]["package"] = json!({"ecosystem": "Maven", "name": 7});
        other["affected"][number]["versions"] = json!("x");
    }
    let found = read(&other).unwrap();
    assert_eq!((found.record.affected.len(), found.problems.len()), (0, 0));
}

/// Only an event that says so is a fix: not the last affected version, nor one after it, nor the limit of what
/// a range speaks of, nor the note about the last version known to be affected.
#[test]
fn only_what_is_called_fixed_is_a_fix() {
    for (events, fixes, words) in [
        (
            json!([{"introduced": "0"}, {"fixed": "1.2.0"}]),
            &["1.2.0"][..],
            "<1.2.0",
        ),
        (
            json!([{"introduced": "0"}, {"last_affected": "1.2.0"}]),
            &[],
            "<=1.2.0",
        ),
        (
            json!([{"introduced": "0"}, {"limit": "1.2.0"}]),
            &[],
            "<1.2.0",
        ),
        (
            json!([{"introduced": "1.0.0"}, {"limit": "*"}]),
            &[],
            ">=1.0.0",
        ),
        (
            json!([{"introduced": "0"}, {"fixed": "1.2.0"}, {"limit": "2.0.0"}]),
            &["1.2.0"],
            "<1.2.0 <2.0.0",
        ),
        (
            json!([
                {"introduced": "0"}, {"last_affected": "1.2.0"},
                {"introduced": "2.0.0"}, {"fixed": "2.1.0"},
            ]),
            &["2.1.0"],
            "<=1.2.0 || >=2.0.0 <2.1.0",
        ),
    ] {
        let found = read(&record("X-1", affected("a", events.clone()))).unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
        let part = &found.record.affected[0];
        let named: Vec<&str> = part.fixes().map(|it| it.as_str()).collect();
        assert_eq!(named, fixes, "{events}");
        assert_eq!(part.alternatives().join(" || "), words, "{events}");
    }
    for bound in ["< 1.2.0", "<= 1.2.0"] {
        let mut noted = affected("a", json!([{"introduced": "0"}]));
        noted["database_specific"] = json!({"last_known_affected_version_range": bound});
        let found = read(&record("X-1", noted)).unwrap();
        assert_eq!(found.record.affected[0].fixes().count(), 0, "{bound}");
        assert_eq!(standing(&found, "a", "1.3.0"), Some(Standing::Beyond));
    }
}
