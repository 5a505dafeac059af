use super::*;

const BASE: &str = "http://127.0.0.1:4873/";

fn keep(_: &str) -> Treatment {
    Treatment::Keep
}

fn no_time(_: &str) -> Option<String> {
    None
}

fn plan<'a>(
    versions: &'a dyn Fn(&str) -> Treatment,
    times: &'a dyn Fn(&str) -> Option<String>,
) -> Plan<'a> {
    Plan {
        tarball_base: BASE,
        versions,
        policy_message: None,
        tags: Vec::new(),
        times,
    }
}

fn text(packument: &Packument, plan: &Plan<'_>, form: Form) -> String {
    String::from_utf8(render(packument, plan, form).unwrap().body).unwrap()
}

/// Oddly spaced on purpose: only the edits may change anything.
const SPACED: &str = r#"{ "name" : "n",
  "dist-tags" : { "latest" : "3.0.0" } ,
  "versions" : {
    "1.0.0" : { "dist" : { "tarball" : "https:\/\/t.example/1" , "signatures" : [ 1.50 ] } },
    "2.0.0" : { "deprecated" : "old" , "dist" : { "tarball" : "https://t.example/2" } },
    "3.0.0" : { "dist" : { "tarball" : "https://t.example/3" } }
  },
  "time" : { "1.0.0" : "2020-01-01T00:00:00.000Z" , "2.0.0" : "2020-01-02T00:00:00.000Z", "3.0.0" : "2020-01-03T00:00:00.000Z" }
}"#;

#[test]
fn only_edits_change_the_full_document() {
    let packument = parse(SPACED).unwrap();
    let versions = |version: &str| match version {
        "3.0.0" => Treatment::Hide,
        "2.0.0" => Treatment::Mark {
            deprecated: "HELD \"why\"".to_owned(),
        },
        _ => Treatment::Keep,
    };
    let mut plan = plan(&versions, &no_time);
    plan.tags = vec![("latest".to_owned(), "1.0.0".to_owned())];
    insta::assert_snapshot!(text(&packument, &plan, Form::Full), @r#"
    { "name" : "n",
      "dist-tags" : {"latest":"1.0.0"} ,
      "versions" : {
        "1.0.0" : { "dist" : { "tarball" : "http://127.0.0.1:4873/n/-/n-1.0.0.tgz" , "signatures" : [ 1.50 ] } },
        "2.0.0" : { "deprecated" : "HELD \"why\"" , "dist" : { "tarball" : "http://127.0.0.1:4873/n/-/n-2.0.0.tgz" } }
      },
      "time" : { "1.0.0" : "2020-01-01T00:00:00.000Z" , "2.0.0" : "2020-01-02T00:00:00.000Z" }
    }
    "#);
}

#[test]
fn any_versions_can_be_hidden() {
    let packument = parse(SPACED).unwrap();
    for hidden in 0..8_u32 {
        let versions = |version: &str| {
            let at = packument
                .versions()
                .iter()
                .position(|entry| entry.version == version)
                .unwrap();
            if hidden & (1 << at) != 0 {
                Treatment::Hide
            } else {
                Treatment::Keep
            }
        };
        let full: Value =
            serde_json::from_str(&text(&packument, &plan(&versions, &no_time), Form::Full))
                .unwrap();
        let keys = |value: &Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let kept: Vec<&str> = ["1.0.0", "2.0.0", "3.0.0"]
            .into_iter()
            .filter(|version| versions(version) == Treatment::Keep)
            .collect();
        assert_eq!(
            (keys(&full["versions"]), keys(&full["time"])),
            (
                kept.iter().map(|it| (*it).to_owned()).collect(),
                kept.iter().map(|it| (*it).to_owned()).collect()
            )
        );
    }
}

#[test]
fn the_abbreviated_document() {
    let packument = parse(
        r#"{"_id": "n", "name": "n", "readme": "long", "maintainers": [], "dist-tags": {"latest": "2.0.0"}, "versions": {
            "1.0.0": {"name": "n", "version": "1.0.0", "description": "d", "scripts": {"postinstall": "x", "test": "y"}, "engines": {"node": ">=1"},
                "_npmUser": {"name": "a"}, "dist": {"shasum": "0", "tarball": "https://t.example/1", "signatures": [{"keyid": "k", "sig": "s"}]},
                "dependencies": { "x" : "1" }, "_hasShrinkwrap": false, "hasInstallScript": false},
            "2.0.0": {"name": "n", "version": "2.0.0", "deprecated": "old", "bin": {"n": "x.js"}, "dist": {"tarball": "https://t.example/2"}}
        }, "time": {"modified": "2020-01-01T00:00:00.000Z", "created": "2019-01-01T00:00:00.000Z",
            "1.0.0": "2019-01-01T00:00:00+00:00", "0.1.0": "2018-01-01T00:00:00.000Z"}}"#,
    )
    .unwrap();
    let versions = |version: &str| match version {
        "1.0.0" => Treatment::Mark {
            deprecated: "HELD".to_owned(),
        },
        _ => Treatment::Keep,
    };
    let times = |_: &str| Some("2026-01-01T00:00:00.000Z".to_owned());
    let mut plan = plan(&versions, &times);
    plan.policy_message = Some("because");
    plan.tags = vec![("latest".to_owned(), "2.0.0".to_owned())];
    let body = text(&packument, &plan, Form::Abbreviated);
    assert!(
        body.contains(r#""dependencies":{ "x" : "1" }"#),
        "values are copied as they are: {body}"
    );
    let value: Value = serde_json::from_str(&body).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap(), @r#"
    {
      "name": "n",
      "dist-tags": {
        "latest": "2.0.0"
      },
      "versions": {
        "1.0.0": {
          "dist": {
            "shasum": "0",
            "tarball": "http://127.0.0.1:4873/n/-/n-1.0.0.tgz",
            "signatures": [
              {
                "keyid": "k",
                "sig": "s"
              }
            ]
          },
          "name": "n",
          "version": "1.0.0",
          "engines": {
            "node": ">=1"
          },
          "dependencies": {
            "x": "1"
          },
          "_hasShrinkwrap": false,
          "deprecated": "HELD",
          "hasInstallScript": true
        },
        "2.0.0": {
          "dist": {
            "tarball": "http://127.0.0.1:4873/n/-/n-2.0.0.tgz"
          },
          "name": "n",
          "version": "2.0.0",
          "bin": {
            "n": "x.js"
          },
          "deprecated": "old"
        }
      },
      "modified": "2026-01-01T00:00:00.000Z",
      "time": {
        "created": "2019-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "1.0.0": "2019-01-01T00:00:00+00:00",
        "2.0.0": "2026-01-01T00:00:00.000Z"
      },
      "policyRestrictions": {
        "message": "because",
        "versions": {
          "1.0.0": {
            "dist": {
              "shasum": "0",
              "tarball": "http://127.0.0.1:4873/n/-/n-1.0.0.tgz",
              "signatures": [
                {
                  "keyid": "k",
                  "sig": "s"
                }
              ]
            },
            "name": "n",
            "version": "1.0.0",
            "engines": {
              "node": ">=1"
            },
            "dependencies": {
              "x": "1"
            },
            "_hasShrinkwrap": false,
            "deprecated": "HELD",
            "hasInstallScript": true
          }
        }
      }
    }
    "#);
}

#[test]
fn times_are_filled_in_where_clients_could_not_read_one() {
    let fill = |version: &str| (version != "4.0.0").then(|| "2026-01-01T00:00:00.000Z".to_owned());
    for (time, want) in [
        // No `time`, an unreadable one, and one that is not an object.
        (
            "",
            r#"{"1.0.0":"2026-01-01T00:00:00.000Z","2.0.0":"2026-01-01T00:00:00.000Z"}"#,
        ),
        (
            r#", "time": null"#,
            r#"{"1.0.0":"2026-01-01T00:00:00.000Z","2.0.0":"2026-01-01T00:00:00.000Z"}"#,
        ),
        (
            r#", "time": {}"#,
            r#"{"1.0.0":"2026-01-01T00:00:00.000Z","2.0.0":"2026-01-01T00:00:00.000Z"}"#,
        ),
        (
            r#", "time": {"4.0.0": "x"}"#,
            r#"{"1.0.0":"2026-01-01T00:00:00.000Z","2.0.0":"2026-01-01T00:00:00.000Z","4.0.0":"x"}"#,
        ),
        (
            r#", "time": {"2.0.0": "2020-01-01T00:00:00Z"}"#,
            r#"{"1.0.0":"2026-01-01T00:00:00.000Z","2.0.0":"2020-01-01T00:00:00Z"}"#,
        ),
        (
            r#", "time": {"2.0.0": 7, "1.0.0": "soon"}"#,
            r#"{"2.0.0":"2026-01-01T00:00:00.000Z","1.0.0":"2026-01-01T00:00:00.000Z"}"#,
        ),
        (
            r#", "time": {"3.0.0": "2020-01-01T00:00:00Z"}"#,
            r#"{"1.0.0":"2026-01-01T00:00:00.000Z","2.0.0":"2026-01-01T00:00:00.000Z"}"#,
        ),
    ] {
        let version = |version: &str| {
            format!(r#""{version}": {{"dist": {{"tarball": "https://t.example/"}}}}"#)
        };
        let document = format!(
            r#"{{"versions": {{{}, {}, {}, {}}}{time}}}"#,
            version("1.0.0"),
            version("2.0.0"),
            version("3.0.0"),
            version("4.0.0"),
        );
        let packument = parse(document).unwrap();
        let versions = |version: &str| {
            if version == "3.0.0" {
                Treatment::Hide
            } else {
                Treatment::Keep
            }
        };
        let plan = plan(&versions, &fill);
        let rendered = render(&packument, &plan, Form::Full).unwrap();
        assert_eq!(rendered.without_time, ["4.0.0"], "{time}");
        let value: Value = serde_json::from_slice(&rendered.body).unwrap();
        assert_eq!(value["time"].to_string(), want, "{time}");
        let value: Value =
            serde_json::from_str(&text(&packument, &plan, Form::Abbreviated)).unwrap();
        assert!(
            value["time"]["1.0.0"].is_string() && value["time"]["4.0.0"].is_null(),
            "{value}"
        );
    }
}

#[test]
fn a_fill_that_is_no_time_is_not_written() {
    let packument = parse(r#"{"versions": {"1.0.0": {"dist": {"tarball": "x"}}}}"#).unwrap();
    let rendered = render(
        &packument,
        &plan(&keep, &|_| Some("soon".to_owned())),
        Form::Full,
    )
    .unwrap();
    assert_eq!(rendered.without_time, ["1.0.0"]);
    assert!(!String::from_utf8(rendered.body).unwrap().contains("soon"));
}

#[test]
fn broken_versions_are_left_out_and_named() {
    let packument = parse(
        r#"{"versions": {"latest": {"dist": {"tarball": "x"}}, "1.0.0": {}, "2.0.0": 7, "3.0.0": {"version": "3.0.1", "dist": {"tarball": "x"}},
            "4.0.0": {"dist": {"tarball": "x"}}}, "time": {"1.0.0": "2020-01-01T00:00:00Z", "latest": "2020-01-01T00:00:00Z"}}"#,
    )
    .unwrap();
    for form in [Form::Full, Form::Abbreviated] {
        let rendered = render(&packument, &plan(&keep, &no_time), form).unwrap();
        let skipped: Vec<_> = rendered
            .skipped
            .iter()
            .map(|it| (it.version.as_str(), it.reason))
            .collect();
        assert_eq!(
            skipped,
            [
                ("latest", SkipReason::NotAVersion),
                ("1.0.0", SkipReason::NoTarball),
                ("2.0.0", SkipReason::NotAnObject),
                ("3.0.0", SkipReason::OtherVersion),
            ]
        );
        let value: Value = serde_json::from_slice(&rendered.body).unwrap();
        assert_eq!(
            value["versions"]
                .as_object()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            ["4.0.0"]
        );
        assert_eq!(value["time"], json!({}));
    }
}

#[test]
fn policy_restrictions_of_upstream() {
    let document = r#"{"versions": {"1.0.0": {"dist": {"tarball": "x"}}}, "policyRestrictions": {"message": "theirs", "versions": {}}}"#;
    let packument = parse(document).unwrap();
    let mark = |_: &str| Treatment::Mark {
        deprecated: "HELD".to_owned(),
    };
    for form in [Form::Full, Form::Abbreviated] {
        let message = |plan: &Plan<'_>| {
            let value: Value = serde_json::from_str(&text(&packument, plan, form)).unwrap();
            value["policyRestrictions"]["message"].clone()
        };
        assert_eq!(
            message(&Plan {
                policy_message: Some("ours"),
                ..plan(&keep, &no_time)
            }),
            "theirs"
        );
        assert_eq!(message(&plan(&mark, &no_time)), "theirs");
        assert_eq!(
            message(&Plan {
                policy_message: Some("ours"),
                ..plan(&mark, &no_time)
            }),
            "ours"
        );
    }
}

#[test]
fn one_version() {
    let packument = parse(SPACED).unwrap();
    assert_eq!(
        render_version(&packument, "1.0.0", "http://g.example/npm", None).as_deref(),
        Some(
            r#"{ "dist" : { "tarball" : "http://g.example/npm/n/-/n-1.0.0.tgz" , "signatures" : [ 1.50 ] } }"#
        )
    );
    assert_eq!(
        render_version(&packument, "1.0.0", BASE, Some("why\n")).as_deref(),
        Some(
            r#"{"deprecated":"why\u000a", "dist" : { "tarball" : "http://127.0.0.1:4873/n/-/n-1.0.0.tgz" , "signatures" : [ 1.50 ] } }"#
        )
    );
    assert_eq!(
        render_version(&packument, "2.0.0", BASE, Some("new")).as_deref(),
        Some(
            r#"{ "deprecated" : "new" , "dist" : { "tarball" : "http://127.0.0.1:4873/n/-/n-2.0.0.tgz" } }"#
        )
    );
    assert_eq!(render_version(&packument, "9.0.0", BASE, None), None);
}

#[test]
fn scoped_tarball_addresses() {
    let package = PackageName::parse("@s/n").unwrap();
    let document = r#"{"name": "@s/n", "versions": {"1.0.0": {"dist": {"tarball": "x"}}}}"#;
    let packument = Packument::parse(&package, Bytes::from_static(document.as_bytes())).unwrap();
    for form in [Form::Full, Form::Abbreviated] {
        let value: Value =
            serde_json::from_str(&text(&packument, &plan(&keep, &no_time), form)).unwrap();
        assert_eq!(
            value["versions"]["1.0.0"]["dist"]["tarball"],
            "http://127.0.0.1:4873/@s/n/-/n-1.0.0.tgz"
        );
    }
}

#[test]
fn a_large_document_is_rendered_whole() {
    let versions: Vec<String> = (0..3000)
        .map(|at| format!("{}.{}.0", at / 50, at % 50))
        .collect();
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    let packument = of_versions(&versions, &[("latest", "59.49.0")]);
    let hide = |version: &str| {
        if version.ends_with("7.0") {
            Treatment::Hide
        } else {
            Treatment::Keep
        }
    };
    for form in [Form::Full, Form::Abbreviated] {
        let value: Value =
            serde_json::from_str(&text(&packument, &plan(&hide, &no_time), form)).unwrap();
        assert_eq!(value["versions"].as_object().unwrap().len(), 2700);
    }
}
