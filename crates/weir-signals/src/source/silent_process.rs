//! `silent-process`: processes that outlive what started them, without a word.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, is_unasked, report_abilities, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "silent-process",
    summary: "Starts a detached process whose output is thrown away",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &["axios, 2026", "velora-dex, 2026"],
    documentation: Documentation {
        sees: "A child process that is detached and whose output is ignored, or its like in shell (`nohup ... &`, \
               `(... > /dev/null &)`), or one that is handed to what keeps it: a process manager (`pm2`, `forever`), a \
               terminal that nobody looks at (`tmux`, `screen`), the system (`at`, `systemd-run`). At install it is a \
               finding, and in a library that does so as soon as it is loaded; elsewhere it is mentioned.",
        matters: "Install waits for its scripts and shows what they print. A process that is left behind has found a way \
                  around both, and sandboxes that stop with the script never see it. A library that nobody has called \
                  yet was asked for none.",
        wrong: "Some telemetry and update checks are sent this way so as not to slow the user down. In \
                popular packages whose release has been out for a month it weighs less.",
        todo: "See which program is started, and look for it among the running processes.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(
        &SIGNAL,
        subject,
        "Leaves a silent process behind",
        weigh,
        observation,
    );
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
    if !matches!(capability.kind, CapabilityKind::DetachedProcess) {
        return None;
    }
    Some(match capability.surface {
        Surface::Install => weight(Severity::High, Confidence::Medium),
        _ if is_unasked(capability.surface, capability.at_load) => {
            weight(Severity::High, Confidence::Medium)
        }
        Surface::Import | Surface::Worker => MENTION,
        Surface::Command => MENTION,
        Surface::Unreferenced => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able, at_load};
    vec![
        Sample::flagged(
            "An install script leaves a process behind",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DetachedProcess,
                "child_process.spawn",
            )),
        ),
        Sample::flagged(
            "An install command leaves a process behind",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DetachedProcess,
                "nohup node x.js",
            )),
        ),
        Sample::flagged(
            "An install command hands a process to a manager",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DetachedProcess,
                "pm2 start worker.js",
            )),
        ),
        Sample::flagged(
            "A library leaves a process behind as soon as it is loaded",
            Scene::of_code(at_load(able(
                Surface::Import,
                CapabilityKind::DetachedProcess,
                "child_process.spawn",
            ))),
        ),
        Sample::passing(
            "Near miss: a program that is called does so as soon as it is loaded",
            Scene::of_code(at_load(able(
                Surface::Command,
                CapabilityKind::DetachedProcess,
                "child_process.spawn",
            ))),
        ),
        Sample::passing(
            "Near miss: a deployment tool that does so when it is used",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::DetachedProcess,
                "pm2 start worker.js",
            )),
        ),
        Sample::passing(
            "Near miss: a library that checks for updates in the background",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::DetachedProcess,
                "child_process.spawn",
            )),
        ),
        Sample::passing(
            "An install script that waits for what it starts",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Process,
                "child_process.spawnSync of node-gyp",
            )),
        ),
    ]
}
