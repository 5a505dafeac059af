use super::*;

fn sources(files: &[(&str, &str)]) -> Sources {
    Sources::of(
        files
            .iter()
            .map(|(name, text)| Source {
                name: (*name).to_owned(),
                text: (*text).to_owned(),
            })
            .collect(),
    )
}

const COLLECTOR: &str = r#"
rule collector : exfiltration march {
    meta:
        severity = "high"
        description = "the host of March"
        weight = 3
    strings:
        $host = "collector.example"
    condition:
        $host
}
"#;

#[test]
fn hits_carry_metadata_and_places() {
    let rules = RuleSet::compile(&sources(&[
        ("acme.yar", COLLECTOR),
        ("more/acme.yar", COLLECTOR),
    ]))
    .unwrap();
    let mut scan = Scan::default();
    scan.file(
        &rules,
        "lib/a.js",
        b"// first\nfetch('https://collector.example/')\n",
    );
    scan.file(&rules, "lib/b.bin", b"\x7fELF\0\0collector.example\0");
    scan.file(&rules, "lib/c.js", b"nothing");
    let Scanned {
        hits,
        left_out,
        unread,
        unscanned,
    } = scan.finish();
    assert!(unread.is_empty() && unscanned.is_empty() && left_out == 0);
    assert_eq!(hits.len(), 2, "one for each file of rules");
    let hit = &hits[0];
    assert_eq!(
        (hit.rule.as_str(), hit.source.as_str()),
        ("collector", "acme.yar")
    );
    assert_eq!(hit.metadata["severity"], "high");
    assert_eq!(hit.metadata["weight"], "3");
    assert_eq!(hit.metadata["tags"], "exfiltration, march");
    assert_eq!(hit.places.len(), 2);
    assert_eq!(
        (hit.places[0].path.as_str(), hit.places[0].line),
        ("lib/a.js", 2)
    );
}

#[test]
fn bad_rules_are_refused_with_file_line_column_and_reason() {
    for (text, place, reason) in [
        (
            "rule a {\n  condition:\n    $x\n}",
            "bad.yar:3:5",
            "unknown",
        ),
        ("rule a { condition: tru", "bad.yar:1:", "syntax"),
        (
            "include \"/etc/passwd\"\nrule a { condition: true }",
            "bad.yar:1:1",
            "includes are not allowed",
        ),
        (
            "rule fine { condition: true }\nrule odd { meta: severity = \"grave\" condition: true }",
            "bad.yar:2:6",
            "\"grave\" is not one of info",
        ),
        (
            "import \"pe\"\nrule a { condition: pe.is_pe }",
            "bad.yar:1:1",
            "pe",
        ),
        (
            "import \"elf\"\nrule a { condition: true }",
            "bad.yar:1:1",
            "there are hash, math, string and time",
        ),
        (
            "include \"other.yar\"",
            "bad.yar:1:1",
            "the folder is read as a whole",
        ),
        (
            "rule a { condition: true }\nrule a { condition: true }",
            "bad.yar:2:6",
            "already",
        ),
    ] {
        let error = RuleSet::compile(&sources(&[("ok.yar", COLLECTOR), ("bad.yar", text)]))
            .unwrap_err()
            .to_string();
        assert!(error.contains(place), "{text:?}: {error}");
        assert!(error.contains(reason), "{text:?}: {error}");
    }
}

#[test]
fn mistakes_in_several_files_are_told_at_once() {
    let told = |texts: &[(&str, &str)]| match RuleSet::compile(&sources(texts)) {
        Err(RulesError::Rules(mistakes)) => mistakes,
        other => panic!("{other:?}"),
    };
    let broken = told(&[
        ("a.yar", "rule a { condition: nothing }"),
        ("ok.yar", COLLECTOR),
        ("b.yar", "rule b { condition: "),
    ]);
    assert_eq!(broken.len(), 2, "{broken:?}");
    assert!(broken[0].starts_with("a.yar:1:") && broken[1].starts_with("b.yar:1:"));
    let odd = "rule odd { meta: severity = \"grave\" condition: true }";
    let severities = told(&[("a.yar", odd), ("b.yar", odd)]);
    assert_eq!(severities.len(), 2, "{severities:?}");
}

/// A comment of 35 MB in front of code costs little more than nothing once it is packed.
#[test]
fn code_that_is_too_large_was_not_checked() {
    let mut scan = Scan::default();
    scan.too_large("addon.node", false);
    scan.too_large("index.js", true);
    let scanned = scan.finish();
    let paths =
        |list: &[Unread]| -> Vec<String> { list.iter().map(|it| it.path.clone()).collect() };
    assert_eq!(paths(&scanned.unread), ["addon.node"]);
    assert_eq!(paths(&scanned.unscanned), ["index.js"]);
}

#[test]
fn a_scan_that_takes_too_long_is_named() {
    // A loop without end in a condition.
    let endless = "rule slow { condition: for any i in (0..1000000000000) : (i == 1000000000001) }";
    let rules = RuleSet::compile(&sources(&[("slow.yar", endless)])).unwrap();
    let mut scan = Scan::default();
    let start = Instant::now();
    for index in 0..20 {
        scan.file(&rules, &format!("{index}.js"), b"anything");
    }
    assert!(start.elapsed() < FILE_TIME * 5, "{:?}", start.elapsed());
    scan.too_large("data.bin", false);
    let scanned = scan.finish();
    assert!(scanned.hits.is_empty());
    let why = |index: usize| scanned.unscanned[index].why.as_str();
    assert_eq!(scanned.unscanned.len(), 20);
    let named = "longer than 1 s for it (it was at rule slow of slow.yar)";
    assert!(why(0).contains(named), "{}", why(0));
    assert!(why(1).contains(named), "{}", why(1));
    assert!(
        why(SLOW_FILES).contains("each of 3 other files"),
        "{}",
        why(SLOW_FILES)
    );
    assert_eq!(scanned.unread.len(), 1);
    assert!(scanned.unread[0].why.contains("larger than 32 MiB"));
}

#[test]
fn the_slow_one_among_several_rules_is_named() {
    let quick = |name: &str| format!("rule {name} {{ strings: $a = \"anything\" condition: $a }}");
    let endless = "rule slow { condition: for any i in (0..1000000000000) : (i == 1000000000001) }";
    let files = [
        ("first.yar", quick("first")),
        ("slow.yar", endless.to_owned()),
        ("third.yar", quick("third")),
    ];
    let texts: Vec<(&str, &str)> = files
        .iter()
        .map(|(file, text)| (*file, text.as_str()))
        .collect();
    let rules = RuleSet::compile(&sources(&texts)).unwrap();
    let mut scan = Scan::default();
    scan.file(&rules, "a.js", b"anything");
    let scanned = scan.finish();
    let why = &scanned.unscanned[0].why;
    assert!(why.contains("at rule slow of slow.yar"), "{why}");
    // What came to an end before it counts.
    assert_eq!(scanned.hits[0].rule, "first");
}

#[test]
fn folders_are_read_and_named_by_what_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let none = Sources::read(folder.path()).unwrap_err();
    assert!(matches!(none, RulesError::None(_)), "{none}");
    std::fs::create_dir(folder.path().join("more")).unwrap();
    std::fs::write(folder.path().join("a.yar"), COLLECTOR).unwrap();
    std::fs::write(folder.path().join("more/b.yara"), COLLECTOR).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a rule").unwrap();
    let read = Sources::read(folder.path()).unwrap();
    assert_eq!(
        read,
        sources(&[("a.yar", COLLECTOR), ("more/b.yara", COLLECTOR)])
    );
    // As some editors begin a file.
    let marked = format!("\u{feff}{COLLECTOR}");
    std::fs::write(folder.path().join("a.yar"), marked).unwrap();
    assert_eq!(Sources::read(folder.path()).unwrap(), read);
    std::fs::write(folder.path().join("a.yar"), b"// first\n// caf\xe9\n").unwrap();
    let error = Sources::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("a.yar:2: not UTF-8"), "{error}");
    std::fs::write(folder.path().join("a.yar"), COLLECTOR).unwrap();
    let digest = read.digest();
    assert_eq!(digest.len(), 32);
    std::fs::write(folder.path().join("a.yar"), format!("{COLLECTOR} ")).unwrap();
    assert_ne!(Sources::read(folder.path()).unwrap().digest(), digest);
    assert!(Sources::read(&folder.path().join("nowhere")).is_err());
}

#[test]
fn a_rule_that_matches_everywhere_is_cut_short() {
    let everywhere = "rule all { strings: $a = /[a-z]/ condition: $a }";
    let rules = RuleSet::compile(&sources(&[("all.yar", everywhere)])).unwrap();
    let mut scan = Scan::default();
    for _ in 0..20 {
        scan.file(&rules, "index.js", &b"abcdefgh\n".repeat(10_000));
    }
    let hits = scan.finish().hits;
    assert_eq!(hits[0].places.len(), PLACES);
}

/// Whoever knows the rules writes what the mild ones look for into the file that is read first.
#[test]
fn too_many_hits_leave_out_the_mildest_and_say_how_many() {
    let rule = |name: &str, severity: &str, word: &str| {
        format!(
            "rule {name} {{ meta: severity = \"{severity}\" strings: $a = \"{word}\" condition: $a }}\n"
        )
    };
    let words: Vec<String> = (100..100 + HITS + 5)
        .map(|it| format!("word{it}"))
        .collect();
    let mild: String = words.iter().map(|word| rule(word, "info", word)).collect();
    let text = format!(
        "{mild}{}rule unsaid {{ strings: $a = \"unsaid\" condition: $a }}\n",
        rule("grave", "critical", "grave")
    );
    let rules = RuleSet::compile(&sources(&[("many.yar", &text)])).unwrap();
    let all = words.join(" ");
    for (files, left_out) in [
        (vec![all.as_str(), "grave unsaid"], 7),
        (vec!["grave unsaid", &all], 7),
        // What was left out once is counted once.
        (vec![&all, "grave unsaid", &all], 7),
    ] {
        let mut scan = Scan::default();
        for file in &files {
            scan.file(&rules, "a.js", file.as_bytes());
        }
        let scanned = scan.finish();
        assert_eq!((scanned.hits.len(), scanned.left_out), (HITS, left_out));
        for told in ["grave", "unsaid"] {
            assert!(scanned.hits.iter().any(|hit| hit.rule == told), "{told}");
        }
    }
    // Near miss: as many as are told.
    let mut scan = Scan::default();
    scan.file(&rules, "a.js", words[..HITS].join(" ").as_bytes());
    let scanned = scan.finish();
    assert_eq!((scanned.hits.len(), scanned.left_out), (HITS, 0));
}
