//! Releases that only stand out beside what is usual for their scope, their account or their tree.

use jiff::Timestamp;
use serde_json::json;

use super::deviations::{elsewhere, expected, package, release};
use super::parts::Stage;
use super::{Attack, Scenario, days_before, history, minutes_before};
use crate::samples::FORMATTER;
use crate::{Package, Release};

/// A scope's packages, which come from its workflow with provenance and never run anything at install, get
/// a new one from an account nobody knows there.
///
/// Twin: a new package that one of the scope's people publishes by hand, as first releases are.
pub fn unlike_siblings(now: Timestamp) -> Scenario {
    const PARTS: [&str; 6] = ["charts", "tides", "berths", "pilots", "signals", "locks"];
    let mut stage = Stage::new(now);
    for part in PARTS {
        let name: &'static str = Box::leak(format!("@harbour/{part}").into_boxed_str());
        let mut past = history(
            now,
            &["1.0.0", "1.1.0", "1.2.0", "1.3.0"],
            (700, 40),
            |version| release(version).trusted_publisher().attested(),
        );
        // The first ones were published by hand, from the build that attests them.
        past.insert(
            0,
            release("0.9.0")
                .publisher("harbour-lead")
                .attested()
                .published_at(days_before(now, 800)),
        );
        stage.registry.add(harbour(name).releases(past));
        stage.known.push(name);
    }
    stage.registry.add(
        Package::new("@harbour/setup-kit")
            .maintainer("deploy-7731")
            .repository("https://git.example.invalid/deploy-7731/setup-kit")
            .release(
                release("1.0.0")
                    .file("setup.js", FORMATTER)
                    .script("postinstall", "node setup.js")
                    .publisher("deploy-7731")
                    .published_at(minutes_before(now, 17)),
            ),
    );
    stage.attacks.push(Attack {
        name: "@harbour/setup-kit",
        version: "1.0.0",
        good: None,
        incidents: &[],
        parts_of: &["I45"],
        separable: true,
        expected: vec![
            expected(
                "M4",
                "trust",
                "an account no sibling knows, and no provenance",
            ),
            expected("M7", "execution", "a hook where no sibling has one"),
        ],
    });
    stage.registry.add(
        harbour("@harbour/moorings").release(
            release("0.1.0")
                .publisher("harbour-lead")
                .published_at(minutes_before(now, 25)),
        ),
    );
    stage.twin(
        "@harbour/moorings",
        "0.1.0",
        "a first release by hand, by one who has published its siblings",
    );
    stage.end(
        "unlike-siblings",
        "A new package of an established scope, from nobody its siblings know.",
    )
}

fn harbour(name: &str) -> Package {
    Package::new(name)
        .maintainer("harbour-lead")
        .repository("https://git.example.invalid/harbour/monorepo")
}

/// Nine packages of one account, each of which has always been released when it was due, get a patch
/// within eight minutes, from another machine.
///
/// Twin: nine packages of another account that have always come out together.
pub fn whole_account(now: Timestamp) -> Scenario {
    const NAMES: [(&str, &str); 9] = [
        ("quiet-lathe", "loud-lathe"),
        ("amber-gear", "ochre-gear"),
        ("salt-hinge", "iron-hinge"),
        ("river-plane", "hill-plane"),
        ("oak-gauge", "elm-gauge"),
        ("slow-clamp", "swift-clamp"),
        ("blue-chisel", "red-chisel"),
        ("fine-rasp", "rough-rasp"),
        ("north-vise", "south-vise"),
    ];
    let mut stage = Stage::new(now);
    for (position, (apart, together)) in (0..).zip(NAMES) {
        let days = (640 - position * 17, 30 + position * 11);
        let versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];
        stage.registry.add(
            package(apart, "thea")
                .releases(history(now, &versions, days, release))
                .release(
                    elsewhere(release("1.3.1")).published_at(minutes_before(now, 11 - position)),
                ),
        );
        stage.attacks.push(Attack {
            name: apart,
            version: "1.3.1",
            good: Some("1.3.0"),
            incidents: &[],
            parts_of: &["I22", "I41"],
            separable: true,
            expected: vec![expected(
                "M12",
                "shape",
                "packages that were never released together",
            )],
        });
        stage.registry.add(
            package(together, "noor")
                .releases(history(now, &versions, (640, 30), release))
                .release(release("1.3.1").published_at(minutes_before(now, 20 - position))),
        );
        stage.twin(
            together,
            "1.3.1",
            "one of nine packages that have always come out together",
        );
    }
    stage.end(
        "whole-account",
        "Everything that one account may publish gets a patch within minutes.",
    )
}

/// I31: one new account publishes packages under random words every few minutes, all of one template.
///
/// Twin: a new account that publishes the parts of one project.
pub fn flood_of_names(now: Timestamp) -> Scenario {
    const NAMES: [&str; 9] = [
        "kasar-rendang99-sluey",
        "manis-sate31-zorro",
        "gulai-nasi77-kembung",
        "pecel-soto12-miwok",
        "bakso-rawon45-ploeg",
        "tahu-opor08-bravo",
        "lontong-gado63-wisp",
        "ketupat-sayur27-ohm",
        "serabi-klepon54-yarn",
    ];
    let mut stage = Stage::new(now);
    let loop_text = "const { execSync } = require('child_process');\nconst fs = require('fs');\nsetInterval(() => {\n  \
                     const file = '/weir-inert/none/package.json';\n  const manifest = JSON.parse(fs.readFileSync(file));\n  \
                     manifest.name = `word-${Date.now()}`;\n  fs.writeFileSync(file, JSON.stringify(manifest));\n  \
                     execSync('npm publish --access public', { cwd: '/weir-inert/none' });\n}, 7000);\n";
    for (position, name) in (0..).zip(NAMES) {
        let next = NAMES.get((position as usize + 1) % NAMES.len());
        stage.newcomer(
            Package::new(name).maintainer("teatree-2291").release(
                release("1.0.0")
                    .file(
                        "tea.yaml",
                        "version: 1.0.0\ncodeOwners:\n  - '0x0000'\nquorum: 1\n",
                    )
                    .file("auto.js", loop_text)
                    .field("bin", json!({"auto": "auto.js"}))
                    .dependency(next.unwrap_or(&name), "^1.0.0")
                    .published_at(minutes_before(now, 52 - position * 5)),
            ),
            (name, "1.0.0"),
            &["I31"],
            vec![expected(
                "M12",
                "shape",
                "random names by one new account within the hour",
            )],
        );
    }
    for part in ["core", "cli", "web", "parser", "printer", "runtime"] {
        let name: &'static str = Box::leak(format!("waterwheel-{part}").into_boxed_str());
        let new = package(name, "ines").release(
            Release::new("0.1.0")
                .file("index.js", FORMATTER)
                .published_at(minutes_before(now, 14)),
        );
        stage.registry.add(new);
        stage.twin(name, "0.1.0", "one of six packages of one new project");
    }
    stage.end(
        "flood-of-names",
        "One new account publishes template packages under random words, one every few minutes.",
    )
}

/// A patch takes in a package of long standing, whose last release has taken in one that is hours old.
///
/// Twin: a patch that takes in a new part of the same project.
pub fn deep_bait(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    stage.registry.add(
        package("hollow-reed-cipher", "glass-4417")
            .release(release("1.0.0").published_at(days_before(now, 1))),
    );
    stage.registry.add(
        package("reed-pipe-tools", "pia")
            .releases(history(
                now,
                &["2.0.0", "2.0.1", "2.0.2"],
                (900, 200),
                release,
            ))
            .release(
                release("2.0.3")
                    .dependency("hollow-reed-cipher", "^1.0.0")
                    .published_at(minutes_before(now, 700)),
            ),
    );
    let bad = stage.updated("harp-client-tools", "mara", release, 15, |next| {
        elsewhere(next.dependency("reed-pipe-tools", "^2.0.0"))
    });
    stage.registry.add(bad);
    stage.bad_update(
        "harp-client-tools",
        &[],
        vec![expected(
            "M8",
            "dependency",
            "a package made yesterday comes along, two steps down",
        )],
    );
    stage.side_of(&["I03", "I38"]);
    stage.registry.add(
        package("lyre-strings", "ines").release(release("1.0.0").published_at(days_before(now, 1))),
    );
    stage.honest(
        "lyre-client-tools",
        "a new part of its own, by the same people, comes along",
        release,
        |next| next.dependency("lyre-strings", "^1.0.0"),
    );
    stage.end(
        "deep-bait",
        "A patch brings along a package of yesterday, two steps down.",
    )
}
