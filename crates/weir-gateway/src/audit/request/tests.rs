use std::io::Write as _;

use serde_json::json;

use super::*;

fn refused(form: Form, encoding: Option<&[u8]>, body: &[u8]) -> (u16, String) {
    let refused = read(form, encoding, body).unwrap_err();
    (refused.status.as_u16(), refused.why)
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lists_are_read_plain_and_packed() {
    let body = json!({"a": ["1.0.0", "1.0.0", "2.0.0"], "@s/b": []}).to_string();
    for (encoding, body) in [
        (None, body.clone().into_bytes()),
        (Some(&b"identity"[..]), body.clone().into_bytes()),
        (Some(&b"GZip"[..]), gzip(body.as_bytes())),
    ] {
        let request = read(Form::Bulk, encoding, &body).unwrap();
        assert_eq!(request.releases["a"].len(), 2);
        assert!(request.releases["@s/b"].is_empty());
    }
}

#[test]
fn bad_bodies_are_refused_with_the_place() {
    for (encoding, body, status, why) in [
        (None, &b""[..], 400, "not JSON"),
        (None, b"[]", 400, "not a JSON object"),
        (
            None,
            b"{\"a\": \"1.0.0\"}",
            400,
            "\"a\": not a list of versions",
        ),
        (None, b"{\"a\": [1]}", 400, "\"a\": not a list of versions"),
        (
            None,
            b"{\"ee\": [\"1.0.0\"], \"ee\": [\"2.0.0\"]}",
            400,
            "\"ee\": a key given twice",
        ),
        (Some(&b"gzip"[..]), b"{}", 400, "no whole gzip"),
        (Some(b"br"), b"{}", 415, "\"br\" is not supported"),
    ] {
        let found = refused(Form::Bulk, encoding, body);
        assert_eq!(found.0, status, "{found:?}");
        assert!(found.1.contains(why), "{found:?}");
    }
    let mut cut = gzip(b"{\"a\": [\"1.0.0\"]}");
    cut.truncate(cut.len() - 6);
    assert_eq!(refused(Form::Bulk, Some(b"gzip"), &cut).0, 400);
    let bomb = gzip(&vec![b' '; (UNPACKED_LIMIT + 10) as usize]);
    assert_eq!(refused(Form::Bulk, Some(b"gzip"), &bomb).0, 413);
    let long = json!({ "a".repeat(LONGEST + 1): ["1.0.0"] }).to_string();
    assert_eq!(refused(Form::Bulk, None, long.as_bytes()).0, 400);
}

#[test]
fn trees_are_read_with_their_paths() {
    let body = json!({
        "name": "p", "version": "1.0.0", "requires": {"a": "^1"},
        "dependencies": {
            "a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0", "dev": true}}},
            "b": {"version": "1.0.0", "optional": true},
            "c": {"version": "npm:@s/real@3.0.0"},
            ".": {"dependencies": {"d": {"version": "4.0.0"}}},
        },
    });
    let request = read(Form::Tree, None, body.to_string().as_bytes()).unwrap();
    let paths: Vec<String> = request.places.iter().map(|it| it.path.join(">")).collect();
    assert_eq!(paths, [".>d", "a", "a>b", "b", "c"]);
    assert_eq!(request.releases["b"].len(), 2);
    assert!(request.releases["@s/real"].contains("3.0.0"));
    assert!(request.places[2].dev && request.places[3].optional);
}

/// What is passed over would be answered with "0 vulnerabilities".
#[test]
fn trees_that_are_none_are_refused() {
    let neither = "neither \"dependencies\" nor \"requires\"";
    let nothing = "lists nothing of what it requires";
    for (body, why) in [
        (json!({}), neither),
        (json!({"dependencies": null}), neither),
        (json!({"requires": null}), neither),
        (json!({"requires": ["a"]}), "requires is no object"),
        (json!({"dependencies": []}), "dependencies is no object"),
        (json!({"dependencies": {"a": "1.0.0"}}), "\"a\": no object"),
        (
            json!({"dependencies": {"a": {"version": "1.0.0", "dependencies": 1}}}),
            "\"a\": dependencies is no object",
        ),
        (
            json!({"dependencies": {"a": {"version": "1.0.0", "dependencies": {"ee": {"version": 5}}}}}),
            "\"a>ee\": its version is no text",
        ),
        (
            json!({"dependencies": {"ee": {"version": null, "dev": false}}}),
            "\"ee\": its version is no text",
        ),
        (
            json!({"dependencies": {".": {"version": ["1.0.0"]}}}),
            "\".\": its version is no text",
        ),
        (
            json!({"dependencies": {"aa": {}}}),
            "\"aa\": it has no version",
        ),
        (
            json!({"dependencies": {"aa": {"dev": false, "integrity": "sha512-AA=="}}}),
            "\"aa\": it has no version",
        ),
        (
            json!({"dependencies": {"aa": {"dependencies": {"b": {"version": "1.0.0"}}}}}),
            "\"aa\": it has no version",
        ),
        (json!({"requires": {"aa": "^1"}}), nothing),
        (
            json!({"requires": {"aa": "^1"}, "dependencies": null}),
            nothing,
        ),
        (
            json!({"requires": {"aa": "^1"}, "dependencies": {}}),
            nothing,
        ),
        (
            json!({"requires": {"aa": "^1"}, "dependencies": {".": {"dependencies": {}}}}),
            nothing,
        ),
    ] {
        let found = refused(Form::Tree, None, body.to_string().as_bytes());
        assert_eq!(found.0, 400, "{body}");
        assert!(found.1.contains(why), "{body}: {found:?}");
    }
    let twice = br#"{"dependencies": {"ee": {"version": "1.0.0", "version": "2.0.0"}}}"#;
    let found = refused(Form::Tree, None, twice);
    assert_eq!(found, (400, "\"version\": a key given twice".to_owned()));
    let mut deep = json!({"version": "1.0.0"});
    for _ in 0..MOST_LEVELS + 1 {
        deep = json!({"version": "1.0.0", "dependencies": {"a": deep}});
    }
    let found = refused(Form::Tree, None, deep.to_string().as_bytes());
    assert_eq!(found.0, 400, "{found:?}");
}

/// Empty projects, and what clients send of what is no release: npm's links have a version that is a path,
/// pnpm's folders have none, and yarn 1 lists what a release requires beside it.
#[test]
fn what_real_clients_send_is_read() {
    for (body, places) in [
        (json!({"requires": {}}), 0),
        (json!({"requires": true, "lockfileVersion": 1}), 0),
        (json!({"requires": {}, "dependencies": null}), 0),
        (json!({"dependencies": {}}), 0),
        (
            json!({"requires": {"b": "*"}, "dependencies": {"b": {"version": "file:b"}}}),
            1,
        ),
        (
            json!({"dependencies": {
                "b": {"link": true}, "c": {"resolved": "file:../c"}, "d": {"resolved": "link:d"},
            }}),
            0,
        ),
        (
            json!({"requires": {".": "0.0.0"}, "dependencies": {".": {
                "dev": false, "requires": {}, "version": "0.0.0",
                "dependencies": {"folder": {
                    "dev": false, "requires": {"a": "1.0.0"},
                    "dependencies": {"a": {"dev": false, "version": "1.0.0"}},
                }},
            }}}),
            2,
        ),
        (
            json!({"requires": {"a": "^1"}, "dependencies": {
                "a": {"version": "1.0.0", "requires": {"b": "^1"}, "dependencies": {}},
                "b": {"version": "1.0.0", "requires": {}, "dependencies": {}},
            }}),
            2,
        ),
    ] {
        let read = read(Form::Tree, None, body.to_string().as_bytes());
        assert_eq!(read.map(|it| it.places.len()), Ok(places), "{body}");
    }
}

/// A few megabytes of long names, each repeated in the paths of all that lies below them.
#[test]
fn a_tree_with_more_path_than_memory_is_refused() {
    let leaves = (0..20_000).map(|it| (it.to_string(), json!({"version": "1.0.0"})));
    let mut tree = json!({ "dependencies": leaves.collect::<serde_json::Map<_, _>>() });
    for _ in 0..MOST_LEVELS - 2 {
        tree["version"] = json!("1.0.0");
        tree = json!({"dependencies": { "a".repeat(LONGEST): tree }});
    }
    let found = refused(Form::Tree, None, tree.to_string().as_bytes());
    assert_eq!(found.0, 413, "{found:?}");
    assert!(found.1.contains("paths"), "{found:?}");
}
