//! `decoded-code`: code that lies in the package as encoded text.

use weir_model::contents::{Flow, SinkKind, SourceKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, report_flows, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "decoded-code",
    summary: "Text is decoded or decrypted and then run",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[
        "event-stream, 2018",
        "Contagious Interview, 2024",
        "velora-dex, 2026",
    ],
    documentation: Documentation {
        sees: "A value that travels from a decoder (base64, hexadecimal, character codes, decompression, decryption) into \
               code made of text, a process, a start-up file or another package.",
        matters: "There is one reason to encode code that is then evaluated: that nobody reads it.",
        wrong: "Bundles carry workers and WebAssembly glue as base64. Licence checks and some test tools decrypt code. \
                Installers unpack what they download, which weighs little here. Where only a command reaches it, and in releases of popular packages that have been out for a \
                month, it weighs less.",
        todo: "Decode the text and read it.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let flows = contents
        .flows
        .iter()
        .filter(|flow| flow.source == SourceKind::Decoded);
    report_flows(
        &SIGNAL,
        subject,
        flows,
        |flow| Some(weigh(flow, &contents.flows)),
        observation,
    );
}

fn weigh(flow: &Flow, all: &[Flow]) -> Weight {
    if is_download(flow, all) {
        return MENTION;
    }
    match flow.surface {
        Surface::Install => weight(Severity::High, Confidence::Medium),
        Surface::Import | Surface::Worker => weight(Severity::High, Confidence::Medium),
        Surface::Command | Surface::Unreferenced => MENTION,
    }
}

/// Whether what is written into a program's file is, as far as can be told, the download that was unpacked:
/// the same call writes what was fetched. `download-and-run` judges that, by where it comes from.
fn is_download(flow: &Flow, all: &[Flow]) -> bool {
    flow.sink == SinkKind::ProgramFile
        && all.iter().any(|other| {
            other.source == SourceKind::Fetched
                && other.sink == flow.sink
                && other.sink_place == flow.sink_place
        })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, flow};
    let mut download = flow(
        Surface::Install,
        (SourceKind::Decoded, "zlib.unzipSync"),
        (SinkKind::ProgramFile, "fs.writeFileSync of ./bin/tool"),
    );
    let fetched = flow(
        Surface::Install,
        (SourceKind::Fetched, "https.get"),
        (SinkKind::ProgramFile, "fs.writeFileSync of ./bin/tool"),
    );
    let unpacked = download.clone();
    download.flows.extend(fetched.flows);
    vec![
        Sample::flagged(
            "An install script unpacks a program that it carries",
            Scene::of_code(unpacked),
        ),
        Sample::passing(
            "Near miss: the program that is unpacked was downloaded",
            Scene::of_code(download),
        ),
        Sample::flagged(
            "An install script evaluates base64",
            Scene::of_code(flow(
                Surface::Install,
                (SourceKind::Decoded, "Buffer.from"),
                (SinkKind::DynamicCode, "eval"),
            )),
        ),
        Sample::flagged(
            "A library runs a command that it decodes first",
            Scene::of_code(flow(
                Surface::Import,
                (SourceKind::Decoded, "atob"),
                (SinkKind::Process, "child_process.exec"),
            )),
        ),
        Sample::passing(
            "A command-line tool that evaluates what it decodes",
            Scene::of_code(flow(
                Surface::Command,
                (SourceKind::Decoded, "zlib.gunzipSync"),
                (SinkKind::DynamicCode, "vm.Script"),
            )),
        ),
        Sample::passing(
            "Near miss: the same code where nothing leads to it",
            Scene::of_code(flow(
                Surface::Unreferenced,
                (SourceKind::Decoded, "Buffer.from"),
                (SinkKind::DynamicCode, "eval"),
            )),
        ),
    ]
}
