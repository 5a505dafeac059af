//! `download-and-run`: what is fetched from the network is run.

use weir_model::contents::{Flow, HostClass, SinkKind, SourceKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, report_flows, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "download-and-run",
    summary: "Code or programs are fetched from the network and run",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[
        "ua-parser-js, 2021",
        "rspack, 2024",
        "Shai-Hulud 2.0, 2025",
        "velora-dex, 2026",
    ],
    documentation: Documentation {
        sees: "A value that travels from a download (fetch, a client, `curl`, `wget`, PowerShell, a TXT record) into code made of text, a \
               process, a program file that is then started, a start-up file, or another installed package; also in \
               shell text, as `curl ... | sh`. An image of a registry that is not open to everybody and that is run \
               (`docker run`) is such a download.",
        matters: "What runs then is in no file of the release: it can be different for every victim, and gone tomorrow. \
                  Most loaders of this year's attacks begin so.",
        wrong: "Installers of ready-made binaries download a program and start it once to see whether it works. As long as \
                it comes from an ordinary host and lies in a folder of their own that is only mentioned. Module loaders for browsers evaluate what \
                they fetch, and say so in their name. In popular packages whose release has been out for a month nothing of \
                this weighs more than a look.",
        todo: "Look at the address in the evidence and at who decides what lies there.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let is_odd = |flow: &Flow| {
        contents.hosts.iter().any(|host| {
            !matches!(
                host.class,
                HostClass::Other
                    | HostClass::Local
                    | HostClass::ChainRpc
                    | HostClass::CloudMetadata
            ) && flow.source_detail.ends_with(host.host.as_str())
        })
    };
    let flows = contents
        .flows
        .iter()
        .filter(|flow| flow.source == SourceKind::Fetched);
    report_flows(
        &SIGNAL,
        subject,
        flows,
        |flow| Some(weigh(flow, is_odd(flow))),
        observation,
    );
}

/// What a chain is worth, given whether the download comes from a host of the odd kinds.
fn weigh(flow: &Flow, is_odd: bool) -> Weight {
    use Surface::{Import, Install, Worker};
    match (flow.surface, flow.sink) {
        (Install, SinkKind::ProgramFile) if !is_odd && !is_stray(flow) => MENTION,
        (Import | Worker, SinkKind::ProgramFile) if is_stray(flow) => {
            weight(Severity::High, Confidence::Medium)
        }
        (Install, _) => weight(Severity::High, Confidence::Medium),
        (Import | Worker, _) if is_odd => weight(Severity::High, Confidence::Medium),
        (
            Import | Worker,
            SinkKind::Persistence
            | SinkKind::OtherPackage
            | SinkKind::DynamicCode
            | SinkKind::Process,
        ) => weight(Severity::High, Confidence::Medium),
        (Surface::Command, SinkKind::DynamicCode) => weight(Severity::High, Confidence::Medium),
        _ => MENTION,
    }
}

/// Whether a program file lies where no installer keeps its own: among temporary files, at a fixed
/// place of the system, or under a hidden name.
fn is_stray(flow: &Flow) -> bool {
    let path = flow
        .sink_detail
        .rsplit_once(" of ")
        .map_or(flow.sink_detail.as_str(), |(_, path)| path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_hidden = name.len() > 1 && name.starts_with('.') && !name.starts_with("..");
    path.starts_with('/') || (is_hidden && !path.starts_with('~'))
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, flow};
    vec![
        Sample::flagged(
            "An install script pipes a download into a shell",
            Scene::of_code(flow(
                Surface::Install,
                (SourceKind::Fetched, "download from a.invalid"),
                (SinkKind::Process, "sh"),
            )),
        ),
        Sample::flagged(
            "An install script evaluates what it fetched",
            Scene::of_code(flow(
                Surface::Install,
                (SourceKind::Fetched, "fetch from a.invalid"),
                (SinkKind::DynamicCode, "eval"),
            )),
        ),
        Sample::flagged(
            "A library evaluates what it fetched when it is imported",
            Scene::of_code(flow(
                Surface::Import,
                (SourceKind::Fetched, "https.get from a.invalid"),
                (SinkKind::DynamicCode, "Function"),
            )),
        ),
        Sample::flagged(
            "A library starts a program that it downloaded to the temporary folder",
            Scene::of_code(flow(
                Surface::Import,
                (SourceKind::Fetched, "fetch from downloads.example"),
                (SinkKind::ProgramFile, "fs.writeFile of /tmp/.cache-7f"),
            )),
        ),
        Sample::flagged(
            "An install script runs an image of a foreign registry",
            Scene::of_code(flow(
                Surface::Install,
                (SourceKind::Fetched, "download from images.a.invalid"),
                (SinkKind::Process, "docker run"),
            )),
        ),
        Sample::passing(
            "Near miss: an installer that starts the binary it downloaded",
            Scene::of_code(flow(
                Surface::Install,
                (SourceKind::Fetched, "https.get from downloads.example"),
                (SinkKind::ProgramFile, "bin/tool"),
            )),
        ),
        Sample::passing(
            "A command that runs what it downloaded",
            Scene::of_code(flow(
                Surface::Command,
                (SourceKind::Fetched, "fetch from downloads.example"),
                (SinkKind::Process, "spawn"),
            )),
        ),
    ]
}
