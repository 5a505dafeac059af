//! Each kind of file: keys, values, lines, and what is refused.

use super::{Said, Settings};

/// `key=value @line`, for short tables.
fn told(settings: &Settings) -> Vec<String> {
    let told = settings.iter().map(|setting| {
        let value = match &setting.value {
            Said::Nothing => "-".to_owned(),
            Said::Flag(flag) => flag.to_string(),
            Said::Text(text) => text.clone(),
        };
        format!("{}={value} @{}", setting.key.join("/"), setting.line)
    });
    told.collect()
}

#[test]
fn yaml_has_keys_lists_and_lines() {
    let text = b"packages:\n  - 'a/*'\nminimumReleaseAge: 1440\nallowBuilds:\n  esbuild: true\n  '@s/x': false\nempty: []\nnothing: ~\n";
    let settings = Settings::yaml("pnpm-workspace.yaml", text).unwrap();
    assert_eq!(
        told(&settings),
        [
            "packages/0=a/* @2",
            "minimumReleaseAge=1440 @3",
            "allowBuilds/esbuild=true @5",
            "allowBuilds/@s/x=false @6",
            "empty=- @7",
            "nothing=- @8",
        ]
    );
    assert_eq!(settings.under(&["allowBuilds"]).count(), 2);
    assert!(settings.get(&["allowBuilds", "esbuild"]).unwrap().is_on());
    assert!(settings.get(&["packages"]).is_none());
    for empty in ["", "# nothing\n", "{}\n"] {
        assert_eq!(
            told(&Settings::yaml("x", empty.as_bytes()).unwrap()),
            [""; 0]
        );
    }
}

/// As people write a version once for several packages.
#[test]
fn yaml_repeats_single_values() {
    let text = b"catalog:\n  react: &r 18.2.0\n  react-dom: *r\n  reed: &s '1'\n  sedge: *s\nages: &list [1]\non: &on true\noff: *on\n";
    let settings = Settings::yaml("pnpm-workspace.yaml", text).unwrap();
    assert_eq!(
        told(&settings),
        [
            "catalog/react=18.2.0 @2",
            "catalog/react-dom=18.2.0 @3",
            "catalog/reed=1 @4",
            "catalog/sedge=1 @5",
            "ages/0=1 @6",
            "on=true @7",
            "off=true @8",
        ]
    );
}

#[test]
fn toml_has_lines() {
    let text = b"telemetry = false\n\n[install]\nminimumReleaseAge = 259200\nregistry = { url = \"https://registry.example.invalid/\" }\n\n[install.scopes]\n\"@s\" = \"https://registry.example.invalid/s/\"\n";
    let settings = Settings::toml("bunfig.toml", text).unwrap();
    let mut told = told(&settings);
    told.sort();
    assert_eq!(
        told,
        [
            "install/minimumReleaseAge=259200 @4",
            "install/registry/url=https://registry.example.invalid/ @5",
            "install/scopes/@s=https://registry.example.invalid/s/ @8",
            "telemetry=false @1",
        ]
    );
}

#[test]
fn npmrc_is_read_as_npm_does() {
    let text = "; why\nignore-scripts = true\nmin-release-age=3\nregistry=\"https://registry.example.invalid/\"\n//registry.example.invalid/:_authToken=${TOKEN}\nflag\nca=null\n[section]\nstrict-ssl=false\n";
    assert_eq!(
        told(&Settings::npmrc(text)),
        [
            "ignore-scripts=true @2",
            "min-release-age=3 @3",
            "registry=https://registry.example.invalid/ @4",
            "//registry.example.invalid/:_authToken=${TOKEN} @5",
            "flag=true @6",
            "ca=- @7",
        ]
    );
    let twice = Settings::npmrc("strict-ssl=true\nstrict-ssl=false\n");
    assert_eq!(twice.get(&["strict-ssl"]).unwrap().line, 2);
}

#[test]
fn yarnrc_is_keys_and_values() {
    let text = "# yarn\nregistry \"https://registry.example.invalid/\"\n\"strict-ssl\" false\n--install.ignore-scripts true\nlastUpdateCheck 1\n";
    assert_eq!(
        told(&Settings::yarnrc(text)),
        [
            "registry=https://registry.example.invalid/ @2",
            "strict-ssl=false @3",
            "--install.ignore-scripts=true @4",
            "lastUpdateCheck=1 @5",
        ]
    );
}

#[test]
fn what_cannot_be_read_says_where() {
    let deep = format!("a: {}1{}\n", "[".repeat(5_000), "]".repeat(5_000));
    // More than is repeated of one value.
    let much = format!(
        "a: &x {}\nb:\n{}",
        "y".repeat(1_000),
        "- *x\n".repeat(1_100)
    );
    let cases: [(&str, Vec<u8>, u32, &str); 9] = [
        (
            "pnpm-workspace.yaml",
            b"a: 1\nb: &x [2]\nc: *x\n".to_vec(),
            3,
            "aliases",
        ),
        ("pnpm-workspace.yaml", b"a: !!str 1\n".to_vec(), 1, "tags"),
        ("pnpm-workspace.yaml", much.into_bytes(), 1_051, "aliases"),
        (
            "pnpm-workspace.yaml",
            b"a: 1\na: 2\n".to_vec(),
            2,
            "there twice",
        ),
        (
            "pnpm-workspace.yaml",
            b"a: 1\n---\nb: 1\n".to_vec(),
            3,
            "more than one",
        ),
        ("pnpm-workspace.yaml", deep.into_bytes(), 1, "not YAML"),
        ("package.json", b"{\n\"a\": }".to_vec(), 2, "not JSON"),
        ("bunfig.toml", b"[install]\nx = \n".to_vec(), 2, "not TOML"),
        ("bunfig.toml", b"x = \"\n\xff".to_vec(), 2, "not UTF-8"),
    ];
    for (file, text, line, words) in cases {
        let read = match file {
            "package.json" => Settings::json(file, &text),
            "bunfig.toml" => Settings::toml(file, &text),
            _ => Settings::yaml(file, &text),
        };
        let said = read.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
        assert!(said.starts_with(&format!("{file}:{line}: ")), "{said}");
    }
    let large = vec![b' '; super::MAX_SIZE + 1];
    assert!(Settings::yaml("x", &large).is_err());
    let nested = format!("x = {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(Settings::toml("x", nested.as_bytes()).is_err());
}
