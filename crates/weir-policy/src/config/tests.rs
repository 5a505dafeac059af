use super::*;

/// Every mistake in a text, one per line, hints behind an arrow.
fn mistakes(text: &str) -> String {
    let error = Policy::from_toml(text, "weir.toml").unwrap_err();
    told(&error)
}

fn told(error: &PolicyError) -> String {
    let line = |mistake: &PolicyError| match mistake.hint() {
        Some(hint) => format!("{mistake} -> {hint}"),
        None => mistake.to_string(),
    };
    error
        .mistakes()
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn without_origins(mut policy: Policy) -> Policy {
    policy.origins = Origins::default();
    policy
}

const WAIVER: &str = r#"
[[waiver]]
package = "@acme/*"
versions = "1.2.3 || ^2"
signals = ["new-hook"]
action = "notice"
reason = "reviewed the diff"
author = "Jo"
expires = 2026-12-31
"#;

const EXPECT: &str = r#"
[[expect]]
package = "@acme/*"
evidence = "trusted-publisher"
repository = ["acme/*"]
workflow = [".github/workflows/release.yml"]
reference = ["tags", "refs/heads/main"]
trigger = ["push"]
environment = ["release"]
issuer = ["https://issuer.example.invalid"]
runner = "hosted"
since = 2026-07-01
on_breach = "count"
"#;

#[test]
fn expectations_are_read_and_printed() {
    let policy = Policy::from_toml(EXPECT, "weir.toml").unwrap();
    let [expectation] = policy.expectations.as_slice() else {
        panic!("{:?}", policy.expectations);
    };
    assert_eq!(expectation.evidence, Evidence::TrustedPublisher);
    assert_eq!(expectation.reference.len(), 2);
    assert!(policy.expects("@acme/tools") && !policy.expects("tools"));
    assert_eq!(policy.expectation_origin(0).to_string(), "weir.toml:2:1");
    let least = Policy::from_toml("[[expect]]\npackage = \"a\"\n", "weir.toml").unwrap();
    assert_eq!(least.expectations[0].evidence, Evidence::Provenance);
    assert_eq!(least.expectations[0].on_breach, OnBreach::Block);
}

#[test]
fn mistakes_in_expectations_are_named_at_their_lines() {
    assert_eq!(
        mistakes(
            "[[expect]]\nrepository = [\"*/x\"]\nref = [\"main\"]\n[[expect]]\npackage = \"a\"\nreference = [\n\
             \"main\"]\nrunner = \"hostd\"\n[[expect]]\npackage = \"a\"\nevidence = \"signature\"\nworkflow = [\"x\"]"
        ),
        "\
weir.toml:1:1: this expectation lacks `package`
weir.toml:2:15: `expect.repository`: \"*/x\" would match repositories of anybody
weir.toml:3:1: `expect.ref` is not a setting
weir.toml:7:1: `expect.reference`: \"main\" is no ref: write \"tags\", \"branches\", \"refs/heads/main\" or \"refs/tags/main\"
weir.toml:8:10: `expect.runner`: \"hostd\" is not one of \"hosted\", \"any\"; did you mean \"hosted\"?
weir.toml:12:1: `expect.workflow`: evidence = \"signature\" is not enough for it: only provenance says the workflow"
    );
    assert!(
        mistakes("[expect]\npackage = \"a\"").contains("takes a list of expectations"),
        "a table is no list"
    );
}

#[test]
fn an_empty_file_is_the_default_and_the_default_is_the_specification() {
    let policy = Policy::from_toml("", "weir.toml").unwrap();
    assert_eq!(policy, Policy::default());
    assert_eq!(policy.age.minimum, Period::from_hours(24));
    assert_eq!(policy.age.young_for_rules, Period::from_hours(72));
    assert_eq!(
        (policy.decide.block_groups, policy.decide.hold_groups),
        (3, 2)
    );
    assert_eq!(policy.decide.popular, 10_000);
    assert_eq!(policy.decide.incomplete_unseen, Action::Hold);
    assert_eq!(policy.decide.incomplete_established, Action::Notice);
    assert_eq!(policy.gate.mode, GateMode::Enforce);
}

#[test]
fn every_kind_of_value_is_read() {
    let text = r#"
        age.minimum = "2d"
        age.exclude = ["@acme/*", "name@1.2.3"]
        [gate]
        mode = "observe"
        [names]
        own = ["@acme/*", "acme-*"]
        [signals]
        "new-binary" = "off"
        new-bin = "low"
        [limits]
        workers = 0x10
        worker_memory = "512 MiB"
    "#;
    let policy = Policy::from_toml(&format!("{text}{WAIVER}"), "weir.toml").unwrap();
    assert_eq!(policy.age.minimum, Period::from_days(2));
    assert!(policy.age.excludes("name", "1.2.3") && !policy.age.excludes("name", "1.2.4"));
    assert_eq!(policy.gate.mode, GateMode::Observe);
    assert!(policy.names.is_own("acme-x") && policy.names.is_own("@acme/x"));
    assert_eq!(policy.signals["new-binary"], SignalSetting::Off);
    assert_eq!(policy.signals["new-bin"].severity(), Some(Severity::Low));
    assert_eq!(policy.limits.workers, 16);
    assert_eq!(policy.limits.worker_memory.bytes(), 512 << 20);
    let waiver = &policy.waivers[0];
    assert_eq!(waiver.expires.to_string(), "2026-12-31");
    assert_eq!(waiver.action, WaiverAction::Notice);
    // What was not set keeps its default.
    assert_eq!(policy.age.young_for_rules, Period::from_hours(72));
}

#[test]
fn internal_names_are_your_own_whatever_the_version() {
    let text = r#"names = { own = ["@acme/*"], internal = ["billing-core@<5", "ledger-*"] }"#;
    let names = Policy::from_toml(text, "weir.toml").unwrap().names;
    for (name, own) in [
        ("@acme/x", true),
        ("billing-core", true),
        ("ledger-web", true),
        ("billing", false),
        ("left-pad", false),
    ] {
        assert_eq!(names.is_own(name), own, "{name}");
    }
}

#[test]
fn unknown_keys_are_refused_at_their_place_with_the_nearest_valid_one() {
    let text = "\
[age]
minimun = \"24h\"
block_groups = 3
zzz = 1

[ages]
minimum = \"24h\"

[wavier]
x = 1
";
    assert_eq!(
        mistakes(text),
        "\
weir.toml:2:1: `age.minimun` is not a setting -> did you mean `age.minimum`?
weir.toml:3:1: `age.block_groups` is not a setting -> did you mean `decide.block_groups`?
weir.toml:4:1: `age.zzz` is not a setting
weir.toml:6:2: `ages` is not a setting -> did you mean `age`?
weir.toml:9:2: `wavier` is not a setting -> did you mean `waiver`?"
    );
    assert_eq!(
        mistakes("minimum = \"24h\"\n"),
        "weir.toml:1:1: `minimum` is not a setting -> did you mean `age.minimum`?"
    );
}

#[test]
fn wrong_types_are_refused_at_the_value() {
    let text = "\
[age]
minimum = 24
exclude = \"@acme/*\"
[decide]
block_groups = \"3\"
hold_groups = 1.5
[gate]
mode = true
[names]
own = [\"@acme/*\", 3]
[signals]
new-hook = { off = true }
[limits]
files = 2026-01-01
";
    assert_eq!(
        mistakes(text),
        "\
weir.toml:2:11: `age.minimum` takes a duration such as \"24h\", not a whole number
weir.toml:3:11: `age.exclude` takes a list, each a package pattern such as \"@acme/*\" or \"name@1.2.3\", not text
weir.toml:5:16: `decide.block_groups` takes a whole number, not text
weir.toml:6:15: `decide.hold_groups` takes a whole number, not a number with a fraction
weir.toml:8:8: `gate.mode` takes one of \"enforce\", \"observe\", not true or false
weir.toml:10:19: `names.own` takes a list, each a package pattern such as \"@acme/*\", not a whole number
weir.toml:12:12: `signals.new-hook` takes one of \"off\", \"info\", \"low\", \"medium\", \"high\", \"critical\", not a table
weir.toml:14:9: `limits.files` takes a whole number, not a date"
    );
    assert_eq!(
        mistakes("age = \"24h\"\nwaiver = 1\n"),
        "\
weir.toml:1:7: `age` takes settings of its own, under a line [age], not a single value
weir.toml:2:10: `waiver` takes a list of waivers, each under a line [[waiver]], not something else"
    );
}

#[test]
fn values_that_make_no_sense_are_refused_at_the_value() {
    let text = "\
[age]
minimum = \"7\"
young_for_rules = \"3 days\"
exclude = [
  \"@acme/*\",
  \"name@latest\",
]
[decide]
popular = -1
hold_groups = 5000000000
incomplete_unseen = \"holt\"
[names]
own = [\"*\"]
[limits]
worker_memory = \"512\"
";
    assert_eq!(
        mistakes(text),
        "\
weir.toml:2:11: `age.minimum`: \"7\" has no unit: write \"7h\" for hours or \"7d\" for days
weir.toml:3:19: `age.young_for_rules`: \"3 days\" has an unknown unit \" days\": use one of ms, s, m, h, d, w, right behind the number
weir.toml:6:3: `age.exclude`: \"latest\" is a tag, not a version range: what it names may change; write \"1.2.3\" or \"^2\"
weir.toml:9:11: `decide.popular`: -1 is not between 0 and 4294967295
weir.toml:10:15: `decide.hold_groups`: 5000000000 is not between 0 and 4294967295
weir.toml:11:21: `decide.incomplete_unseen`: \"holt\" is not one of \"allow\", \"notice\", \"hold\", \"block\"; did you mean \"hold\"?
weir.toml:13:8: `names.own`: \"*\" would match every package: name packages or scopes, such as \"@acme/*\"
weir.toml:15:17: `limits.worker_memory`: \"512\" has no unit: write \"512 MiB\" for mebibytes"
    );
}

#[test]
fn bounds_are_checked_where_the_value_was_set() {
    let text = "\
[age]
minimum = \"400d\"
[decide]
block_groups = 1
incomplete_unseen = \"allow\"
[gate]
analysis_budget = \"26s\"
[limits]
workers = 257
worker_memory = \"1 MiB\"
worker_time = \"0s\"
files = 0
[cache]
packument_ttl = \"25h\"
";
    assert_eq!(
        mistakes(text),
        "\
weir.toml:2:1: `age.minimum`: more than a year: nothing would ever be new enough
weir.toml:4:1: `decide.block_groups`: below decide.hold_groups: what holds would never be reached
weir.toml:5:1: `decide.incomplete_unseen`: milder than decide.incomplete_established: established releases deserve more trust, not less
weir.toml:7:1: `gate.analysis_budget`: more than 25s: some clients give up after 30, and then try again
weir.toml:9:1: `limits.workers`: more than 256
weir.toml:10:1: `limits.worker_memory`: less than 64 MiB
weir.toml:11:1: `limits.worker_time`: has to be more than 0
weir.toml:12:1: `limits.files`: has to be at least 1
weir.toml:14:1: `cache.packument_ttl`: more than a day"
    );
    // On the bound is fine.
    let kept = "[gate]\nanalysis_budget = \"25s\"\n[limits]\nworkers = 256\nworker_memory = \"64 MiB\"\n\
                [decide]\nblock_groups = 9\nhold_groups = 9\n[age]\nminimum = \"366d\"\n";
    Policy::from_toml(kept, "weir.toml").unwrap();
    assert!(mistakes("[decide]\nblock_groups = 10").contains("has to be 1 to 9"));
    assert!(mistakes("[decide]\nhold_groups = 0").contains("has to be 1 to 9"));
}

#[test]
fn bounds_are_told_beside_values_that_cannot_be_read() {
    assert_eq!(
        mistakes("[limits]\nworkers = 1000\nworker_memory = \"1\"\nfiles = 0\n"),
        "\
weir.toml:2:1: `limits.workers`: more than 256
weir.toml:3:17: `limits.worker_memory`: \"1\" has no unit: write \"1 MiB\" for mebibytes
weir.toml:4:1: `limits.files`: has to be at least 1"
    );
    // Not compared with what stands in for a value that nobody could read.
    assert_eq!(
        mistakes("[decide]\nblock_groups = 1\nhold_groups = \"1\"\n"),
        "weir.toml:3:15: `decide.hold_groups` takes a whole number, not text"
    );
}

#[test]
fn incomplete_waivers_are_refused() {
    let text = "\
[age]
minimum = \"24h\"

[[waiver]]
package = \"left-pad\"
versions = \"1.3.0\"
action = \"allow\"
expire = \"2026-12-31\"

[[waiver]]
package = \"*\"
versions = \"latest\"
signals = [\"Young Release\"]
action = \"block\"
reason = \" \"
author = \"<your name>\"
expires = \"next year\"
";
    assert_eq!(
        mistakes(text),
        "\
weir.toml:4:1: this waiver lacks `reason`, `author`, `expires` -> a waiver names its package, versions, action, reason, author and last day, so that whoever reads it later knows what was accepted and by whom
weir.toml:8:1: `waiver.expire` is not a setting -> did you mean `waiver.expires`?
weir.toml:11:11: `waiver.package`: \"*\" would match every package: name packages or scopes, such as \"@acme/*\"
weir.toml:12:12: `waiver.versions`: \"latest\" is a tag, not a version range: what it names may change; write \"1.2.3\" or \"^2\"
weir.toml:13:12: `waiver.signals`: \"Young Release\" is not the id of a signal, such as \"young-release\"
weir.toml:14:10: `waiver.action`: \"block\" is not one of \"notice\", \"allow\"
weir.toml:15:10: `waiver.reason`: empty: somebody will read this when the waiver is questioned
weir.toml:16:10: `waiver.author`: \"<your name>\" is a placeholder: replace it by your own words
weir.toml:17:11: `waiver.expires`: \"next year\" is neither a date such as \"2026-12-31\" nor a timestamp with an offset such as \"2026-12-31T18:00:00Z\""
    );
}

#[test]
fn expired_waivers_are_told_with_their_line_and_do_not_stop_a_gateway() {
    let policy = Policy::from_toml(&format!("{WAIVER}{WAIVER}"), "weir.toml").unwrap();
    let last_moment: Timestamp = "2026-12-31T23:59:59Z".parse().unwrap();
    let after: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    assert!(policy.expired_waivers(last_moment).is_empty());
    let expired = policy.expired_waivers(after);
    assert_eq!(
        expired[0].to_string(),
        "weir.toml:2:1: the waiver for `@acme/*` expired: 2026-12-31"
    );
    assert_eq!(
        expired[1].to_string(),
        "weir.toml:11:1: the waiver for `@acme/*` expired: 2026-12-31"
    );
    assert!(expired[0].hint().is_some());
    assert_eq!(policy.next_expiry(last_moment), Some(after));
    assert_eq!(policy.next_expiry(after), None);
}

#[test]
fn text_that_is_not_toml_is_refused_at_its_line() {
    let told = mistakes("[age]\nminimum = 24h\n");
    assert!(told.starts_with("weir.toml:2:"), "{told}");
    assert!(told.contains("not valid TOML"), "{told}");
    let twice = mistakes("[age]\nminimum = \"1h\"\nminimum = \"2h\"\n");
    assert!(
        twice.starts_with("weir.toml:3:1: not valid TOML: duplicate key"),
        "{twice}"
    );
    assert!(!twice.contains('\n'));
}

#[test]
fn columns_count_characters() {
    let told = mistakes("[names]\nown = [\"\u{e4}\u{f6}\", 3]\n");
    assert!(told.contains("weir.toml:2:8:"), "{told}");
    let told = mistakes("# \u{1f30a}\r\n[age]\r\nx = 1 # \u{e4}\r\n");
    assert!(told.starts_with("weir.toml:3:1:"), "{told}");
}

#[test]
fn signals_are_checked_against_the_list_the_caller_brings() {
    let text = format!(
        "[signals]\nnew-hok = \"off\"\nyoung-release = \"off\"\nnew-hook = \"low\"\nintegrity-mismatch = \"off\"\n\
         failed-verification = \"info\"\nincomplete-assessment = \"off\"\n{}",
        WAIVER.replace("new-hook", "new-host")
    );
    let load = |ids: &[&'static str]| {
        Policy::loader()
            .signals(ids.iter().copied())
            .file("weir.toml", &text)
            .load()
    };
    assert_eq!(
        told(&load(&["new-hook", "other"]).unwrap_err()),
        "\
weir.toml:2:1: there is no signal `new-hok` -> did you mean `new-hook`?
weir.toml:5:1: `signals.integrity-mismatch`: this signal cannot be silenced; a waiver may name it for one release
weir.toml:6:1: `signals.failed-verification`: this signal cannot be silenced; a waiver may name it for one release
weir.toml:7:1: `signals.incomplete-assessment`: what could not be checked is set by decide.incomplete_unseen and decide.incomplete_established
weir.toml:9:1: there is no signal `new-host` -> did you mean `new-hook`?"
    );
    let loud = "[signals]\nintegrity-mismatch = \"critical\"\n";
    Policy::loader()
        .signals(["x"])
        .file("weir.toml", loud)
        .load()
        .unwrap();
}

#[test]
fn what_would_cover_more_than_was_meant_is_refused_at_its_line() {
    let told = mistakes(&WAIVER.replace("1.2.3 || ^2", ">=1.0.0 <1.5.O"));
    assert!(
        told.starts_with(
            "weir.toml:4:12: `waiver.versions`: \">=1.0.0 <1.5.O\" is not a version range: a part"
        ),
        "{told}"
    );
    let told = mistakes(&WAIVER.replace("[\"new-hook\"]", "[]"));
    assert!(
        told.starts_with("weir.toml:5:1: `waiver.signals`: empty"),
        "{told}"
    );
    let told = mistakes("[[expect]]\npackage = \"a\"\nrepository = []\n");
    assert!(
        told.starts_with("weir.toml:3:1: `expect.repository`: empty"),
        "{told}"
    );
    for key in ["[age]\nexclude", "[names]\ninternal"] {
        let told = mistakes(&format!("{key} = [\"tide\", \"base@>=1.0.0 <1.5.O\"]\n"));
        assert!(
            told.starts_with("weir.toml:2:") && told.contains("makes no sense"),
            "{told}"
        );
    }
}

#[test]
fn later_layers_win_and_origins_are_kept() {
    let base = "[age]\nminimum = \"48h\"\nexclude = [\"a\"]\n[signals]\nx = \"off\"\ny = \"off\"\n";
    let own = "[age]\nexclude = [\"b\"]\n[signals]\ny = \"low\"\n";
    let base = format!("{base}{WAIVER}");
    let own = format!("{own}{WAIVER}");
    let policy = Policy::loader()
        .file("/etc/weir.toml", &base)
        .file("weir.toml", &own)
        .setting("WEIR_GATE_MODE", "gate.mode", "observe")
        .setting("WEIR_LIMITS_WORKERS", "limits.workers", "4")
        .setting("WEIR_NAMES_OWN", "names.own", "@acme/*, acme-*")
        .load()
        .unwrap();
    assert_eq!(policy.age.minimum, Period::from_hours(48));
    assert_eq!(
        policy.origin("age.minimum").to_string(),
        "/etc/weir.toml:2:1"
    );
    assert!(policy.age.excludes("b", "1.0.0") && !policy.age.excludes("a", "1.0.0"));
    assert_eq!(policy.origin("age.exclude").to_string(), "weir.toml:2:1");
    assert_eq!(policy.signals["x"], SignalSetting::Off);
    assert_eq!(policy.signals["y"], SignalSetting::Low);
    assert_eq!(policy.waivers.len(), 2);
    assert_eq!(policy.waiver_origin(1).to_string(), "weir.toml:6:1");
    assert_eq!(policy.gate.mode, GateMode::Observe);
    assert_eq!(policy.limits.workers, 4);
    assert_eq!(policy.names.own.len(), 2);
    assert_eq!(policy.origin("gate.mode").to_string(), "WEIR_GATE_MODE");
    assert_eq!(policy.origin("cache.memory"), &Origin::Default);
}

#[test]
fn single_settings_are_checked_like_files() {
    let load = |key: &str, value: &str| {
        told(
            &Policy::loader()
                .setting("WEIR_X", key, value)
                .load()
                .unwrap_err(),
        )
    };
    assert_eq!(
        load("age.minimum", "7"),
        "WEIR_X: `age.minimum`: \"7\" has no unit: write \"7h\" for hours or \"7d\" for days"
    );
    assert_eq!(
        load("limits.workers", "many"),
        "WEIR_X: `limits.workers` takes a whole number, not text"
    );
    assert_eq!(
        load("age.minimun", "7h"),
        "WEIR_X: `age.minimun` is not a setting -> did you mean `age.minimum`?"
    );
    assert_eq!(
        load("agge", "7h"),
        "WEIR_X: `agge` is not a setting -> did you mean `age`?"
    );
    assert!(
        load("waiver.package", "a").contains("cannot be given"),
        "{}",
        load("waiver.package", "a")
    );
}

#[test]
fn a_policy_reads_back_from_its_own_print() {
    let default = Policy::default();
    let text = default.to_toml_commented();
    assert_eq!(
        without_origins(Policy::from_toml(&text, "x").unwrap()),
        default
    );

    let set = format!(
        "[age]\nexclude = [\"@acme/*\", \"n@^1\"]\n[signals]\nnew-hook = \"off\"\n{WAIVER}{EXPECT}{WAIVER}"
    );
    let policy = without_origins(Policy::from_toml(&set, "weir.toml").unwrap());
    for text in [policy.to_toml(), policy.to_toml_commented()] {
        assert_eq!(
            without_origins(Policy::from_toml(&text, "x").unwrap()),
            policy,
            "{text}"
        );
    }
}

#[test]
fn the_print_names_every_key_with_its_meaning() {
    let text = Policy::default().to_toml_commented();
    // Lists are empty by default, whatever their items are.
    let settings = |key: &&Key| !super::keys::LISTS.contains(&key.section.as_str());
    for key in keys()
        .iter()
        .filter(settings)
        .filter(|key| key.default.is_some())
    {
        let line = format!("\n{} = {}\n", key.name, key.default.as_deref().unwrap());
        assert!(text.contains(&line), "{line}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn the_schema_covers_every_value_of_a_policy() {
    let mut policy = Policy::from_toml(&format!("{WAIVER}{EXPECT}"), "weir.toml").unwrap();
    policy
        .signals
        .insert("new-hook".to_owned(), SignalSetting::Low);
    let values = toml::Table::try_from(&policy).unwrap();
    let mut found = 0;
    for (section, value) in &values {
        let table = match value {
            toml::Value::Array(items) => items[0].as_table().unwrap(),
            other => other.as_table().unwrap(),
        };
        for name in table.keys() {
            let key = super::keys::find(section, name);
            assert!(key.is_some(), "{section}.{name} is not among the keys");
            found += 1;
        }
    }
    assert_eq!(found, keys().len(), "a key has no value");
    let schema = schema();
    for key in keys() {
        assert!(
            key.description.ends_with(['.', '?']),
            "{}: {}",
            key.path,
            key.description
        );
        assert!(
            key.required
                || key.default.is_some()
                || super::keys::LISTS.contains(&key.section.as_str())
                || key.section == "signals"
        );
        assert!(
            key.kind.check("").is_err() || key.kind == Kind::Number,
            "{}: its form is not checked",
            key.path
        );
        let section = &schema["properties"][&key.section];
        assert!(section["description"].is_string(), "{}", key.section);
    }
}

#[test]
fn what_is_shown_has_values_and_origins() {
    let text = format!("[age]\nminimum = \"48h\"\n[signals]\nnew-hook = \"off\"\n{WAIVER}");
    let shown = Policy::from_toml(&text, "weir.toml").unwrap().show();
    let line = |key: &str| {
        let shown = shown.iter().find(|shown| shown.key == key).unwrap();
        format!("{} {}", shown.value, shown.origin)
    };
    assert_eq!(line("age.minimum"), "\"48h\" weir.toml:2:1");
    assert_eq!(line("age.young_for_rules"), "\"72h\" default");
    assert_eq!(line("signals.new-hook"), "\"off\" weir.toml:4:1");
    assert!(line("waiver").ends_with("weir.toml:6:1"));
}

#[test]
fn fingerprints_follow_values_and_nothing_else() {
    let of = |text: &str| Policy::from_toml(text, "a").unwrap().fingerprint();
    let default = Policy::default().fingerprint();
    assert_eq!(of("# nothing\n[age]\nminimum = \"1440m\"\n"), default);
    assert_ne!(of("[age]\nminimum = \"25h\"\n"), default);
    assert_ne!(of("[signals]\nx = \"off\"\n"), default);
    assert_ne!(of(WAIVER), default);
    assert_ne!(of(EXPECT), default);
    assert_ne!(of(&WAIVER.replace("2026-12-31", "2026-12-30")), of(WAIVER));
    assert_eq!(default.len(), 16);
}

#[test]
fn releases_establish_themselves_by_age_sooner_when_popular() {
    let policy = Policy::default();
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let days = |days: i64| Some(now - jiff::SignedDuration::from_hours(24 * days));
    let almost = |count: i64| days(count).map(|time| time + jiff::SignedDuration::from_secs(1));
    for (published, rank, expected) in [
        (days(30), None, true),
        (almost(30), None, false),
        (days(7), Some(10_000), true),
        (almost(7), Some(1), false),
        (days(7), Some(10_001), false),
        (None, Some(1), false),
    ] {
        assert_eq!(
            policy.is_established(published, rank, now),
            expected,
            "{published:?} {rank:?}"
        );
    }
}

/// `docs/policy.md` holds the reference between two marks. `WEIR_BLESS=1` writes it anew.
#[test]
fn the_reference_in_the_docs_is_current() {
    const START: &str = "<!-- generated from the doc comments of weir-policy; do not edit -->\n";
    const END: &str = "<!-- end of the generated part -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (generated, after) = rest.split_once(END).unwrap();
    let wanted = format!("\n{}\n", reference_markdown());
    if generated == wanted {
        return;
    }
    if std::env::var_os("WEIR_BLESS").is_some() {
        std::fs::write(path, format!("{before}{START}{wanted}{END}{after}")).unwrap();
    } else {
        panic!("docs/policy.md is out of date: run the tests with WEIR_BLESS=1");
    }
}
