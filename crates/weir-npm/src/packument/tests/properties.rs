use super::*;
use crate::version::Version;

/// A version's text, from few enough that lines and prereleases meet.
fn version_text() -> impl Strategy<Value = String> {
    (
        0..3_u8,
        0..3_u8,
        0..3_u8,
        prop_oneof![3 => Just(""), 1 => Just("-rc.1"), 1 => Just("-beta.2")],
    )
        .prop_map(|(major, minor, patch, pre)| format!("{major}.{minor}.{patch}{pre}"))
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~é\"\\\\\n]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z\"\\\\]{1,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A manifest with some of the fields that matter, in any order, among others.
fn manifest(version: String) -> impl Strategy<Value = Value> {
    let fields = (
        prop::option::weighted(0.95, json_value()),
        prop::option::of(prop_oneof![
            Just(json!("old")),
            Just(json!("")),
            Just(json!(false))
        ]),
        prop::option::of(json_value()),
        prop::option::of(json_value()),
        any::<bool>(),
    );
    fields.prop_flat_map(move |(tarball, deprecated, extra, dependencies, scripts)| {
        let mut members = vec![("version".to_owned(), json!(version))];
        if let Some(before) = tarball {
            members.push((
                "dist".to_owned(),
                json!({"x": before, "tarball": "https://t.example/\"x", "sig": [1]}),
            ));
        }
        members.extend(deprecated.map(|it| ("deprecated".to_owned(), it)));
        members.extend(extra.map(|it| ("extra\"".to_owned(), it)));
        members.extend(dependencies.map(|it| ("dependencies".to_owned(), it)));
        if scripts {
            members.push(("scripts".to_owned(), json!({"install": "x"})));
        }
        Just(members)
            .prop_shuffle()
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    })
}

/// A document and what to do with it: versions with manifests, times and treatments (0 hide, 1 mark).
fn document() -> impl Strategy<Value = (Value, BTreeMap<String, u8>)> {
    let version = version_text().prop_flat_map(|version| {
        let time = prop::option::of(prop_oneof![
            3 => Just(json!("2020-01-01T00:00:00.000Z")), 1 => Just(json!("soon")), 1 => Just(Value::Null)
        ]);
        (Just(version.clone()), manifest(version), time, 0..4_u8)
    });
    let parts = (
        prop::collection::vec(version, 0..8),
        prop::option::of(json_value()),
        prop::option::of(version_text()),
        0..3_u8,
        any::<bool>(),
    );
    parts.prop_flat_map(|(versions, extra, latest, time_kind, policy)| {
        let mut manifests = serde_json::Map::new();
        let mut times = serde_json::Map::new();
        let mut treatments = BTreeMap::new();
        times.insert("created".to_owned(), json!("2019-01-01T00:00:00.000Z"));
        for (version, manifest, time, treatment) in versions {
            times.extend(time.map(|time| (version.clone(), time)));
            manifests.insert(version.clone(), manifest);
            treatments.insert(version, treatment);
        }
        let mut members = vec![
            ("name".to_owned(), json!("n")),
            ("versions".to_owned(), Value::Object(manifests)),
        ];
        members.extend(extra.map(|it| ("readme".to_owned(), it)));
        members.extend(latest.map(|it| ("dist-tags".to_owned(), json!({"latest": it}))));
        match time_kind {
            0 => {}
            1 => members.push(("time".to_owned(), Value::Null)),
            _ => members.push(("time".to_owned(), Value::Object(times))),
        }
        if policy {
            members.push((
                "policyRestrictions".to_owned(),
                json!({"message": "theirs"}),
            ));
        }
        let members = Just(members).prop_shuffle();
        (
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
            Just(treatments),
        )
    })
}

const FILL: &str = "2026-01-01T00:00:00.000Z";

/// The same edits on a tree, without `policyRestrictions`.
fn edited(
    mut document: Value,
    treatments: &BTreeMap<String, u8>,
    tags: &[(String, String)],
) -> Value {
    let mut times = match document.get("time") {
        Some(Value::Object(times)) => times.clone(),
        _ => serde_json::Map::new(),
    };
    let versions = document["versions"].as_object_mut().unwrap();
    versions.retain(|version, manifest| {
        let kept = manifest.get("dist").is_some() && treatments[version] != 0;
        if !kept {
            times.remove(version);
            return false;
        }
        manifest["dist"]["tarball"] = json!(format!("http://g.example/n/-/n-{version}.tgz"));
        if treatments[version] == 1 {
            manifest["deprecated"] = json!("HELD");
        }
        let time = times.entry(version.clone()).or_insert(Value::Null);
        if time != "2020-01-01T00:00:00.000Z" {
            *time = json!(FILL);
        }
        true
    });
    document["time"] = Value::Object(times);
    document["dist-tags"] = Value::Object(
        tags.iter()
            .map(|(tag, version)| (tag.clone(), json!(version)))
            .collect(),
    );
    document
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn full_rendering_is_the_same_edits_on_a_tree((document, treatments) in document(), pretty in any::<bool>()) {
        let source = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let packument = parse(source.unwrap()).unwrap();
        let versions = |version: &str| match treatments[version] {
            0 => Treatment::Hide,
            1 => Treatment::Mark { deprecated: "HELD".to_owned() },
            _ => Treatment::Keep,
        };
        let tags = retag(&packument, |version| treatments[version] > 1);
        let plan = Plan {
            tarball_base: "http://g.example/", versions: &versions, policy_message: None, tags: tags.clone(),
            times: &|_| Some(FILL.to_owned()),
        };
        let full: Value = serde_json::from_slice(&render(&packument, &plan, Form::Full).unwrap().body).unwrap();
        let want = edited(document, &treatments, &tags);
        prop_assert_eq!(&full, &want);

        let abbreviated: Value =
            serde_json::from_slice(&render(&packument, &plan, Form::Abbreviated).unwrap().body).unwrap();
        prop_assert!(abbreviated["time"].is_object());
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(keys(&abbreviated["versions"]), keys(&want["versions"]));
        for (version, manifest) in abbreviated["versions"].as_object().unwrap() {
            prop_assert_eq!(&abbreviated["time"][version], &want["time"][version]);
            for (field, value) in manifest.as_object().unwrap() {
                if field != "hasInstallScript" {
                    prop_assert_eq!(value, &want["versions"][version][field]);
                }
            }
            let hook = want["versions"][version].get("scripts").is_some();
            prop_assert_eq!(manifest.get("hasInstallScript").is_some(), hook);
        }
    }

    #[test]
    fn latest_is_served_and_not_above_the_old_one(
        versions in prop::collection::btree_set(version_text(), 0..10), old in version_text(), withheld in any::<u16>(),
    ) {
        let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
        let packument = of_versions(&versions, &[("latest", &old)]);
        let served = |version: &str| versions.iter().position(|it| *it == version).is_some_and(|at| withheld & (1 << at) == 0);
        let tags = retag(&packument, served);
        let any_served = versions.iter().any(|version| served(version));
        prop_assert_eq!(tags.len(), usize::from(any_served));
        if let Some((tag, new)) = tags.first() {
            prop_assert_eq!(tag, "latest");
            prop_assert!(served(new));
            let above = |version: &str| Version::parse(version).unwrap() > Version::parse(&old).unwrap();
            let any_below = versions.iter().any(|version| served(version) && !above(version));
            prop_assert_eq!(above(new), !any_below);
            if served(&old) {
                prop_assert_eq!(new, &old);
            }
        }
    }

    #[test]
    fn nothing_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        crate::fuzz::packument(&bytes);
    }

    #[test]
    fn nothing_panics_on_broken_documents(
        (document, _) in document(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..6),
    ) {
        let mut bytes = document.to_string().into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"{}[]\",:\\<"[usize::from(byte) % 9]),
                _ => { let copy = bytes[..at].to_vec(); bytes.splice(at..at, copy); }
            }
        }
        crate::fuzz::packument(&bytes);
    }
}
