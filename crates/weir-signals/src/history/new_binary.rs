//! `new-binary`: a file that is no text, in a package that had none of its kind.

use weir_model::contents::{Binary, BinaryFormat};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::comparison::of_binary;
use crate::{
    Comparison, Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject,
};

/// Files shown per finding; the rest is counted.
const LISTED: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-binary",
    summary: "A program, library or archive appears in a package that had none",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Contents, Input::History, Input::PreviousContents],
    incidents: &[
        "ua-parser-js, 2021",
        "coa and rc, 2021",
        "eslint-config-prettier, 2025",
    ],
    documentation: Documentation {
        sees: "A file that is a program, a library or an archive by its first bytes, and of a format that nothing in \
               the previous release had. One whose name says that it is something else (a picture, a text, a script) \
               is reported whatever there was before. Addons where prebuilt addons are kept, and WebAssembly, are \
               not reported.",
        matters: "A binary is the part of a package that nobody reads. Several hijacked releases carried a stealer or \
                  a miner as a file beside the script that started it.",
        wrong: "Packages begin to ship tools that they used to download. Where they ship them is usually a package of \
                their own for each platform.",
        todo: "Find out what starts it and where it was built; ask for its digest in the project's own release.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(comparison) = subject.comparison() else {
        return;
    };
    let difference = &comparison.difference;
    let mut files: Vec<(Severity, &Binary)> = difference
        .binaries
        .added
        .iter()
        .chain(difference.rebuilt.iter().map(|(_, after)| after))
        .filter(|file| is_new(comparison, file))
        .map(|file| (comparison.weigh(of_binary(file)), *file))
        .filter(|(severity, _)| *severity > Severity::Info)
        .collect();
    files.sort_by_key(|(severity, file)| (std::cmp::Reverse(*severity), file.format));
    let Some((severity, first)) = files.first() else {
        return;
    };
    let disguise = first
        .disguise
        .as_ref()
        .map_or(String::new(), |name| format!(" with the name of a {name}"));
    let more = match files.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!(
            "{} is {}{disguise}, {} bytes{more}; {} had nothing of the kind",
            first.path,
            first.format.in_words(),
            first.bytes,
            comparison.version
        ),
        400,
    ));
    finding.severity = *severity;
    finding.evidence = files
        .iter()
        .take(LISTED)
        .map(|(_, file)| {
            let about = format!(
                "{}, {} bytes, sha256 {}…",
                file.format.in_words(),
                file.bytes,
                file.digest
            );
            Evidence::place(&file.path, None, &about)
        })
        .collect();
    observation.find(finding);
}

/// Programs for another system are not another kind of thing.
fn kind(format: BinaryFormat) -> BinaryFormat {
    if format.is_program() {
        BinaryFormat::Elf
    } else {
        format
    }
}

fn is_new(comparison: &Comparison<'_>, file: &Binary) -> bool {
    let before = &comparison.difference.before.binaries;
    let disguised = |file: &Binary| file.disguise.is_some() || file.format == BinaryFormat::NotText;
    if disguised(file) {
        // One that has been there under this name, or whose bytes have, is known.
        return !before
            .iter()
            .any(|old| old.digest == file.digest || (old.path == file.path && disguised(old)));
    }
    before
        .iter()
        .all(|old| kind(old.format) != kind(file.format) || old.usual_place != file.usual_place)
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, compared, tarball};
    use weir_model::Contents;
    let with = |binaries: &[(&str, BinaryFormat, Option<&str>, bool, &str)]| Contents {
        binaries: binaries
            .iter()
            .map(|(path, format, disguise, usual_place, digest)| Binary {
                path: (*path).to_owned(),
                format: *format,
                bytes: 91_136,
                disguise: disguise.map(str::to_owned),
                usual_place: *usual_place,
                digest: (*digest).to_owned(),
            })
            .collect(),
        ..tarball(r#"{"name":"left-lib","version":"1.4.0"}"#)
    };
    let addon = |digest| {
        (
            "prebuilds/linux-x64/addon.node",
            BinaryFormat::Elf,
            None,
            true,
            digest,
        )
    };
    vec![
        Sample::flagged(
            "A patch of a package of settings brings a library for Windows",
            compared(
                "1.4.1",
                with(&[]),
                with(&[("node-gyp.dll", BinaryFormat::Pe, None, false, "aa")]),
            ),
        ),
        Sample::flagged(
            "A program with the name of a picture, beside honest addons",
            compared(
                "1.4.1",
                with(&[addon("aa")]),
                with(&[
                    addon("bb"),
                    (
                        "assets/logo.png",
                        BinaryFormat::Elf,
                        Some(".png"),
                        false,
                        "cc",
                    ),
                ]),
            ),
        ),
        Sample::flagged(
            "A script that was text is an archive now",
            compared(
                "1.4.1",
                with(&[]),
                with(&[("lib/data.js", BinaryFormat::NotText, None, false, "dd")]),
            ),
        ),
        Sample::passing(
            "Near miss: a program that has been there for years is built anew",
            compared(
                "1.4.1",
                with(&[("vendor/notifier.exe", BinaryFormat::Pe, None, false, "aa")]),
                with(&[("vendor/notifier.exe", BinaryFormat::Pe, None, false, "bb")]),
            ),
        ),
        Sample::passing(
            "A package begins to ship its addon ready-made, where addons are kept",
            compared("1.5.0", with(&[]), with(&[addon("aa")])),
        ),
        Sample::passing(
            "A new major version ships an archive of its templates",
            compared(
                "2.0.0",
                with(&[]),
                with(&[("templates.zip", BinaryFormat::Archive, None, false, "ee")]),
            ),
        ),
    ]
}
