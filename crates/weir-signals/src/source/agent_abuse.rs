//! `agent-abuse`: coding agents that are driven, or told what to do.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, is_unasked, report_abilities, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "agent-abuse",
    summary: "Drives command-line agents or writes what they follow",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &["nx, 2025", "SANDWORM_MODE, 2026", "antv, 2026"],
    documentation: Documentation {
        sees: "A command-line agent that is started with a prompt or with its permissions switched off, by its name, its \
               path or its package, the same by an agent's library, or a write to the configuration, tool servers, hooks \
               or instructions of an agent. The use of a library is mentioned where neither install nor loading runs it.",
        matters: "An agent reads every file its user can read and has been told to be helpful. Attacks have it search for \
                  secrets, or plant a hook that runs at its next start.",
        wrong: "Packages that add a tool server or a skill to agents do so by command, and ask before.",
        todo: "Look at the agents' configuration on the machine: hooks, tool servers, instructions.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(
        &SIGNAL,
        subject,
        "Drives or instructs coding agents",
        weigh,
        observation,
    );
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
    if !matches!(capability.kind, CapabilityKind::DrivesAgents) {
        return None;
    }
    Some(match capability.surface {
        _ if is_unasked(capability.surface, capability.at_load) => {
            weight(Severity::High, Confidence::Medium)
        }
        // What is built on assistants drives them when it is used.
        Surface::Import | Surface::Worker
            if capability.detail.starts_with("an assistant's library") =>
        {
            MENTION
        }
        Surface::Install | Surface::Import | Surface::Worker => {
            weight(Severity::High, Confidence::Medium)
        }
        Surface::Command | Surface::Unreferenced => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able, at_load};
    vec![
        Sample::flagged(
            "An install script prompts an agent without permissions",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DrivesAgents,
                "claude --dangerously-skip-permissions -p",
            )),
        ),
        Sample::flagged(
            "A library writes an agent's settings when it is imported",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::DrivesAgents,
                "an agent's configuration, ~/.claude/settings.json by writeFileSync",
            )),
        ),
        Sample::flagged(
            "An install script has an agent's library act unasked",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DrivesAgents,
                "an assistant's library, permissionMode",
            )),
        ),
        Sample::flagged(
            "A library has an agent's library act unasked as soon as it is loaded",
            Scene::of_code(at_load(able(
                Surface::Import,
                CapabilityKind::DrivesAgents,
                "an assistant's library, permissionMode",
            ))),
        ),
        Sample::passing(
            "Near miss: a library that is built on an agent's",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::DrivesAgents,
                "an assistant's library, permissionMode",
            )),
        ),
        Sample::passing(
            "Near miss: a command that adds its tool server",
            Scene::of_code(able(
                Surface::Command,
                CapabilityKind::DrivesAgents,
                "an agent's configuration, ~/.cursor/mcp.json by writeFileSync",
            )),
        ),
        Sample::passing(
            "An install script that starts a compiler",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Process,
                "child_process.spawnSync of node-gyp",
            )),
        ),
    ]
}
