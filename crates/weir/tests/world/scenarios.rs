//! The replay scenarios through real npm, wrapped: on the day, and three days later when age holds
//! nothing any more and evidence has to do it alone.

use serde_json::Value;
use weir_testing::Project;
use weir_testing::clients::{self, Kind, Output};
use weir_testing::scenarios::{
    Attack, Scenario, bait_dependency, default_now, first_hook, lost_provenance,
    official_scope_lookalike, other_hands, remote_dependency, winning_number, woken_lines,
};

use crate::support::{NOW, NPM, World, assert_explained, output};

const LATER: &str = "2026-11-23T12:00:00Z";
/// Beyond `age.young_for_rules` for everything that was minutes old.
const MUCH_LATER: &str = "2026-12-24T12:00:00Z";

/// Installs one dependency in a fresh project, with a secret in the home folder to steal. npm's
/// hooks run: what keeps the sink untouched is weir alone.
fn install(
    world: &World,
    scenario: &Scenario,
    name: &str,
    range: &str,
) -> Option<(Project, Output)> {
    let npm = clients::or_skip(Kind::Npm)?;
    let project = Project::new()
        .file(".npmrc", format!("registry={}\n", scenario.registry.url()))
        .home_file(
            ".npmrc",
            "//registry.example.invalid/:_authToken=made-up-token\n",
        )
        .dependency(name, range);
    let run = output(
        world
            .wrapper(&npm, &project)
            .args(["npm", "install", "--fetch-retries=0"]),
    );
    Some((project, run))
}

fn inspected(world: &World, scenario: &Scenario, name: &str, version: &str) -> Value {
    let release = format!("{name}@{version}");
    let run = world.run_before(&scenario.registry, &["inspect", "--json", &release]);
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.text()))
}

fn refused(world: &World, scenario: &Scenario, attack: &Attack) {
    let Attack { name, version, .. } = attack;
    let Some((project, run)) = install(world, scenario, name, version) else {
        return;
    };
    assert_ne!(run.code, Some(0), "{}", run.text());
    assert_eq!(project.installed(name), None, "{name}@{version}");
    assert_explained(world, &run.text(), &format!("{name}@{version}"));
}

fn replaced(world: &World, scenario: &Scenario, attack: &Attack) {
    let Some(good) = attack.good else { return };
    let range = format!("^{}", good.split('.').next().unwrap());
    for range in [range.as_str(), "latest", "*"] {
        let Some((project, run)) = install(world, scenario, attack.name, range) else {
            return;
        };
        run.assert_success();
        assert_eq!(
            project.installed(attack.name).as_deref(),
            Some(good),
            "{} {range}",
            attack.name
        );
    }
}

/// Attacks are refused and replaced, nothing arrives at the sink.
fn attacks_do_not_pass(scenario: &Scenario, now: &str) {
    let world = World::new().at(now);
    for attack in &scenario.attacks {
        refused(&world, scenario, attack);
        replaced(&world, scenario, attack);
    }
    scenario.sink.assert_untouched();
}

/// Whether the groups of a scenario's minimum are all among the findings.
fn assert_noticed(assessment: &Value, attack: &Attack) {
    let findings = assessment["findings"].as_array().unwrap();
    for expected in &attack.expected {
        assert!(
            findings
                .iter()
                .any(|finding| finding["group"] == expected.group),
            "{}: nobody saw that {}: {assessment:#}",
            attack.name,
            expected.seen
        );
    }
}

fn twins_pass(scenario: &Scenario, now: &str) {
    let world = World::new().at(now);
    for twin in &scenario.twins {
        let assessment = inspected(&world, scenario, twin.name, twin.version);
        let decision = &assessment["decision"];
        // Its age alone may hold it: that ends by itself.
        let for_age = decision["groups"] == serde_json::json!([]) && decision["until"].is_string();
        let passes = decision["action"] == "allow" || (decision["action"] == "hold" && for_age);
        assert!(passes, "{}: {} {assessment:#}", twin.name, twin.why);
    }
}

#[test]
fn a_lookalike_of_an_official_scope_is_blocked_for_what_it_does() {
    let scenario = official_scope_lookalike(default_now());
    attacks_do_not_pass(&scenario, NOW);
    for now in [NOW, LATER, MUCH_LATER] {
        let world = World::new().at(now);
        for attack in &scenario.attacks {
            let assessment = inspected(&world, &scenario, attack.name, attack.version);
            assert_eq!(
                assessment["decision"]["action"], "block",
                "{now}: {assessment:#}"
            );
            assert_noticed(&assessment, attack);
            let findings = assessment["findings"].as_array().unwrap();
            assert!(
                findings
                    .iter()
                    .any(|finding| finding["signal"] == "credential-exfiltration")
            );
        }
    }
    scenario.sink.assert_untouched();
}

#[test]
fn a_lookalike_is_refused_days_later_too() {
    let scenario = official_scope_lookalike(default_now());
    attacks_do_not_pass(&scenario, LATER);
}

#[test]
fn twins_of_the_lookalike_pass() {
    let scenario = official_scope_lookalike(default_now());
    twins_pass(&scenario, NOW);
    let world = World::new().at(LATER);
    for name in [
        "@tanstack/react-something",
        "@tanstack/react-query",
        "expresso",
    ] {
        let Some((_, run)) = install(&world, &scenario, name, "*") else {
            return;
        };
        run.assert_success();
    }
    // The official package installs on the very day: nothing about it is new.
    let world = World::new();
    let Some((project, run)) = install(&world, &scenario, "@tanstack/react-query", "^5") else {
        return;
    };
    run.assert_success();
    assert_eq!(
        project.installed("@tanstack/query-core").as_deref(),
        Some("5.90.2")
    );
    scenario.sink.assert_untouched();
}

#[test]
fn a_first_hook_that_steals_is_blocked_and_the_release_before_it_is_used() {
    let scenario = first_hook(default_now());
    attacks_do_not_pass(&scenario, NOW);
    for now in [NOW, LATER, MUCH_LATER] {
        let world = World::new().at(now);
        let assessment = inspected(&world, &scenario, "ledger-format", "1.4.2");
        assert_eq!(
            assessment["decision"]["action"], "block",
            "{now}: {assessment:#}"
        );
        assert_noticed(&assessment, &scenario.attacks[0]);
    }
}

#[test]
fn a_first_hook_that_steals_is_refused_days_later_too() {
    let scenario = first_hook(default_now());
    attacks_do_not_pass(&scenario, LATER);
}

#[test]
fn twins_of_the_first_hook_pass() {
    let scenario = first_hook(default_now());
    twins_pass(&scenario, NOW);
    let world = World::new().at(LATER);
    for name in ["portable-canvas", "schema-engine-cli"] {
        let twin = scenario
            .twins
            .iter()
            .find(|twin| twin.name == name)
            .unwrap();
        let Some((project, run)) = install(&world, &scenario, name, "*") else {
            return;
        };
        run.assert_success();
        assert_eq!(project.installed(name).as_deref(), Some(twin.version));
    }
}

#[test]
fn remote_dependencies_are_held_with_their_age_and_noticed_afterwards() {
    let scenario = remote_dependency(default_now());
    let world = World::new();
    for attack in &scenario.attacks {
        refused(&world, &scenario, attack);
        replaced(&world, &scenario, attack);
        for now in [LATER, MUCH_LATER] {
            let later = World::new().at(now);
            let assessment = inspected(&later, &scenario, attack.name, attack.version);
            // One kind of evidence and nothing else: a notice.
            assert_eq!(
                assessment["decision"]["action"], "notice",
                "{now}: {assessment:#}"
            );
            assert_noticed(&assessment, attack);
        }
    }
    twins_pass(&scenario, NOW);
}

#[test]
fn a_notice_days_later_is_in_the_answer_the_ledger_and_not_in_the_way() {
    let scenario = remote_dependency(default_now());
    let world = World::new().at(LATER);
    let gateway = world.serve(&scenario.registry);
    let reply = gateway.get(
        "/report-writer/-/report-writer-1.11.2.tgz",
        &[("user-agent", NPM)],
    );
    assert_eq!(
        (reply.status, reply.header("x-weir-decision")),
        (200, Some("notice"))
    );
    assert_eq!(
        gateway.packument(NPM, "report-writer")["dist-tags"]["latest"],
        "1.11.2"
    );
    assert_eq!(
        world
            .ledger(&["--action", "notice", "--event", "served"])
            .len(),
        1
    );
}

/// Asserts what is decided of each attack on the day and once age counts no more, that what must be
/// noticed is, and that twins pass.
fn decided(scenario: &Scenario, on_the_day: &str, later: &str) {
    for (now, action) in [(NOW, on_the_day), (MUCH_LATER, later)] {
        let world = World::new().at(now);
        for attack in &scenario.attacks {
            let assessment = inspected(&world, scenario, attack.name, attack.version);
            assert_eq!(
                assessment["decision"]["action"], action,
                "{} {now}: {assessment:#}",
                attack.name
            );
            assert_noticed(&assessment, attack);
        }
    }
    twins_pass(scenario, NOW);
    scenario.sink.assert_untouched();
}

#[test]
fn three_lines_of_a_sleeping_package_are_held_for_two_kinds_of_evidence() {
    let scenario = woken_lines(default_now());
    decided(&scenario, "hold", "hold");
    let world = World::new().at(MUCH_LATER);
    for attack in &scenario.attacks {
        refused(&world, &scenario, attack);
        replaced(&world, &scenario, attack);
    }
}

#[test]
fn provenance_that_is_gone_is_noticed_and_age_holds_it() {
    let scenario = lost_provenance(default_now());
    // One kind of evidence: on the day its age holds it, later it is a notice.
    decided(&scenario, "hold", "notice");
    let world = World::new();
    refused(&world, &scenario, &scenario.attacks[0]);
    replaced(&world, &scenario, &scenario.attacks[0]);
}

#[test]
fn a_bait_dependency_published_by_hand_is_blocked_on_the_day_and_held_later() {
    let scenario = bait_dependency(default_now());
    decided(&scenario, "block", "hold");
    for now in [NOW, MUCH_LATER] {
        let world = World::new().at(now);
        refused(&world, &scenario, &scenario.attacks[0]);
        replaced(&world, &scenario, &scenario.attacks[0]);
    }
}

#[test]
fn other_hands_are_noticed_and_age_holds_what_they_publish() {
    let scenario = other_hands(default_now());
    // One kind of evidence: on the day its age holds it, later it is a notice.
    decided(&scenario, "hold", "notice");
    let world = World::new();
    for attack in &scenario.attacks {
        refused(&world, &scenario, attack);
        replaced(&world, &scenario, attack);
    }
}

#[test]
fn a_number_that_wins_every_comparison_is_held_with_its_hook() {
    let scenario = winning_number(default_now());
    decided(&scenario, "hold", "hold");
    refused(
        &World::new().at(MUCH_LATER),
        &scenario,
        &scenario.attacks[0],
    );
}
