//! R10: provenance that holds and says something else than always.

use jiff::Timestamp;

use super::deviations::{expected, package, release};
use super::parts::Stage;
use super::{Attack, Scenario, history, minutes_before};
use crate::Provenance;

/// R10: releases of `@kiln/router` were always built from tags by one workflow; one comes from a branch,
/// by another workflow, started by a pull request.
///
/// Twin: the same project, from a tag as always.
pub fn other_claims(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let repository = "https://git.example.invalid/kiln/router";
    let usual = |version: &str| {
        release(version)
            .trusted_publisher()
            .attested_with(Provenance::from_repository(repository))
    };
    let versions = [
        "1.160.0", "1.161.0", "1.162.0", "1.163.0", "1.164.0", "1.165.0",
    ];
    let changed = Provenance::from_repository(repository)
        .reference("refs/heads/fix-cache")
        .workflow(".github/workflows/bundle-size.yml")
        .trigger("pull_request_target");
    stage.registry.add(
        package("@kiln/router", "kiln-bot")
            .releases(history(now, &versions, (300, 5), usual))
            .release(
                release("1.166.5")
                    .trusted_publisher()
                    .attested_with(changed)
                    .published_at(minutes_before(now, 7)),
            ),
    );
    stage.registry.add(
        package("@kiln/start", "kiln-bot")
            .releases(history(now, &versions, (300, 5), usual))
            .release(usual("1.166.0").published_at(minutes_before(now, 19))),
    );
    stage.attacks.push(Attack {
        name: "@kiln/router",
        version: "1.166.5",
        good: Some("1.165.0"),
        incidents: &[],
        parts_of: &[],
        separable: true,
        expected: vec![expected(
            "M6",
            "trust",
            "another ref, workflow and trigger than ever",
        )],
    });
    stage.twin(
        "@kiln/start",
        "1.166.0",
        "built from a tag by the usual workflow",
    );
    stage.end(
        "R10-other-claims",
        "Valid provenance from another branch, workflow and trigger than ever before.",
    )
}
