//! `bundled-binary`: programs and archives among the files, and what their names say instead.

use weir_model::contents::{Binary, BinaryFormat, CapabilityKind, Contents, InstallStep, Surface};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::settled::is_settled;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Files listed per finding; the rest is counted.
const LISTED: usize = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "bundled-binary",
    summary: "Programs or archives lie among the files",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Contents],
    incidents: &["eslint-config-prettier, 2025"],
    documentation: Documentation {
        sees: "Files that are programs, libraries, archives or compiled code by their first bytes, whatever they \
               are called. One whose name says that it is something else (a `.js`, a `.png`, a `LICENSE`), or \
               that begins behind a few other bytes, weighs most, and more if an install script reaches it. A program outside the places where prebuilt \
               addons are kept, and not called `.node`, weighs something if the package also runs something at install \
               time, and much if a hook starts it, or if code loads an addon by its path and the file is not called \
               one. A `.node` file outside these places weighs something if install loads it. Everything else is only \
               mentioned.",
        matters: "Nobody reviews a binary, and no analysis of code sees into it. A picture that is a program has \
                  no innocent explanation.",
        wrong: "Packages for one platform consist of a binary, and tools bring helpers for Windows. Test data is \
                sometimes misnamed on purpose. Archives are recognised and not opened. A hook that only makes files \
                executable (`chmod`) starts none of them. In a release of a popular package that has been out for a \
                month, a program that a hook starts weighs less, and any other that says what it is is only mentioned.",
        todo: "Ask what the file is for and where it was built. The digest in the evidence is the first half of \
               its SHA-256: look it up, or compare it with the project's own build.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let mut weighed: Vec<(Severity, bool, &Binary)> = contents
        .binaries
        .iter()
        .map(|binary| {
            let severity = match is_settled(subject) {
                true => settled(binary, contents),
                false => weigh(binary, contents),
            };
            (severity, binary.disguise.is_some(), binary)
        })
        .collect();
    weighed.sort_by_key(|(severity, disguised, _)| std::cmp::Reverse((*severity, *disguised)));
    for group in weighed.chunk_by(|(a, b, _), (c, d, _)| a == c && b == d) {
        let Some((severity, disguised, first)) = group.first() else {
            continue;
        };
        let is_run = *severity == Severity::High
            || is_reached(first, contents)
            || is_loaded_at_install(first, contents);
        let mut finding = SIGNAL.finding(message(first, *severity, is_run, group.len()));
        finding.severity = *severity;
        if *disguised {
            // The same fact that makes a file of code unreadable: one group of evidence.
            finding.group = Group::Code;
        }
        finding.evidence = group
            .iter()
            .take(LISTED)
            .map(|(_, _, binary)| {
                let what = in_words(binary.format);
                let text = format!("{what}, {} bytes, {}", binary.bytes, binary.digest);
                Evidence::place(&binary.path, None, &text)
            })
            .collect();
        observation.find(finding);
    }
}

const fn is_program(format: BinaryFormat) -> bool {
    use BinaryFormat::{Elf, JavaClass, MachO, Pe, PythonBytecode};
    matches!(format, Elf | MachO | Pe | JavaClass | PythonBytecode)
}

/// What is left of a weight in a settled release: a program that its hook starts stays worth a look, and so does a
/// file that is not what its name says.
fn settled(binary: &Binary, contents: &Contents) -> Severity {
    let severity = weigh(binary, contents);
    match binary.disguise.is_some() {
        true => severity,
        false if is_reached(binary, contents) => severity.min(Severity::Medium),
        false => Severity::Info,
    }
}

/// Whether a step's own command starts a file: names it, and not only to make it executable.
fn starts(step: &InstallStep, path: &str) -> bool {
    parts(&step.command).any(|part| part.contains(path) && !is_chmod(part))
}

/// Whether a step runs anything. To make files executable runs none of them.
fn runs_something(step: &InstallStep) -> bool {
    let mut parts = parts(&step.command).filter(|part| !part.trim().is_empty());
    parts.any(|part| !is_chmod(part))
}

/// The commands of a line. Quotes are not looked at: what stands in them is a command of its own at worst.
fn parts(command: &str) -> impl Iterator<Item = &str> {
    command.split(['&', '|', ';', '\n', '`', '(', ')'])
}

fn is_chmod(part: &str) -> bool {
    part.split_whitespace().next() == Some("chmod")
}

fn is_reached(binary: &Binary, contents: &Contents) -> bool {
    let mut steps = contents.install_steps.iter();
    steps.any(|step| starts(step, &binary.path) || step.reaches.contains(&binary.path))
}

fn weigh(binary: &Binary, contents: &Contents) -> Severity {
    let steps = || contents.install_steps.iter();
    let started = steps().any(|step| starts(step, &binary.path));
    let reached = is_reached(binary, contents);
    let is_code = binary.format == BinaryFormat::NotText;
    match &binary.disguise {
        Some(_) if reached => Severity::High,
        Some(_) if is_program(binary.format) => Severity::High,
        Some(_) if is_code => Severity::Medium,
        Some(_) => Severity::Low,
        // The hook's own command starts it, wherever it lies.
        None if started && is_program(binary.format) => Severity::High,
        // An addon that install loads is code that nobody could read. Where builders of addons put theirs, it is
        // their own that is tried out.
        None if is_loaded_at_install(binary, contents) => Severity::Medium,
        None if binary.usual_place || !is_program(binary.format) => Severity::Info,
        // The hook starts it, or something loads an addon that is not called one.
        None if reached || (loads_by_path(contents) && !is_named(&binary.path)) => Severity::High,
        None if !steps().any(runs_something) => Severity::Info,
        None => Severity::Medium,
    }
}

/// Whether code that runs at install time loads a library as a module, and it lies in a folder of the package's own.
fn is_loaded_at_install(binary: &Binary, contents: &Contents) -> bool {
    let (folders, name) = binary.path.rsplit_once('/').unwrap_or(("", &binary.path));
    let mut folders = folders.split('/');
    let is_built = folders.any(|it| {
        matches!(
            it,
            "prebuilds" | "prebuild" | "prebuilt" | "build" | "binding" | "bin"
        )
    });
    let is_it = |detail: &str| detail.rsplit('/').next() == Some(name);
    let mut able = contents.capabilities.iter();
    is_program(binary.format)
        && !is_built
        && able.any(|one| {
            one.kind == CapabilityKind::Native
                && one.surface == Surface::Install
                && one.each().any(|it| is_it(&it.detail))
        })
}

/// Whether code that runs loads an addon by its path rather than as a module.
fn loads_by_path(contents: &Contents) -> bool {
    contents.capabilities.iter().any(|one| {
        one.kind == CapabilityKind::Native
            && one.surface != Surface::Unreferenced
            && one.detail.ends_with("dlopen")
    })
}

/// Whether a file is called what a program or library is called.
fn is_named(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, extension)) => matches!(
            extension.to_ascii_lowercase().as_str(),
            "node" | "so" | "dll" | "dylib" | "exe" | "bin" | "elf" | "class" | "jar" | "pyc"
        ),
        // Programs of Linux and macOS have no ending.
        None => true,
    }
}

fn message(binary: &Binary, severity: Severity, is_run: bool, count: usize) -> String {
    let path = weir_model::finding::printable(&binary.path, 200);
    let what = in_words(binary.format);
    let more = match count {
        0 | 1 => String::new(),
        _ => format!(" (and {} more)", count - 1),
    };
    match (&binary.disguise, severity) {
        (Some(name), _) => {
            let name = weir_model::finding::printable(name, 40);
            format!("{path} is called {name} and is {what}{more}")
        }
        (None, Severity::Info) => format!("{path} is {what}{more}"),
        (None, _) if is_run => {
            format!("{path} is {what}, and the package starts or loads it{more}")
        }
        (None, _) => format!(
            "{path} is {what}, outside the usual places for prebuilt addons, and the package runs \
             something at install time{more}"
        ),
    }
}

const fn in_words(format: BinaryFormat) -> &'static str {
    match format {
        BinaryFormat::Elf => "a program or library for Linux",
        BinaryFormat::MachO => "a program or library for macOS",
        BinaryFormat::Pe => "a program or library for Windows",
        BinaryFormat::Wasm => "WebAssembly",
        BinaryFormat::Archive => "an archive",
        BinaryFormat::JavaClass => "compiled Java",
        BinaryFormat::PythonBytecode => "compiled Python",
        BinaryFormat::NotText => "no text",
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able, step};
    let scene = |path: &str, format, disguise: Option<&str>, usual_place, installs: bool| {
        let binary = Binary {
            path: path.to_owned(),
            format,
            bytes: 48_640,
            disguise: disguise.map(str::to_owned),
            usual_place,
            digest: "1f0c6b7a3e5d49c2b8a7f6e5d4c3b2a1".to_owned(),
        };
        let install_steps = if installs {
            vec![step("install", "node install.js", &["install.js"])]
        } else {
            Vec::new()
        };
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(Contents {
                install_steps,
                binaries: vec![binary],
                ..Contents::default()
            })
    };
    let runs = |name, published, path: &str, step| {
        let program = Binary {
            path: path.to_owned(),
            format: BinaryFormat::Elf,
            bytes: 48_640,
            disguise: None,
            usual_place: false,
            digest: "1f0c6b7a3e5d49c2b8a7f6e5d4c3b2a1".to_owned(),
        };
        Scene::of(name, "1.4.1")
            .release("1.4.1", published, "{}")
            .contents(Contents {
                install_steps: vec![step],
                binaries: vec![program],
                ..Contents::default()
            })
    };
    let loads = |path: &str| {
        let addon = Binary {
            path: path.to_owned(),
            format: BinaryFormat::Elf,
            bytes: 48_640,
            disguise: None,
            usual_place: true,
            digest: "1f0c6b7a3e5d49c2b8a7f6e5d4c3b2a1".to_owned(),
        };
        let contents = Contents {
            install_steps: vec![step("postinstall", "node setup.js", &["setup.js"])],
            binaries: vec![addon],
            ..able(
                Surface::Install,
                CapabilityKind::Native,
                &format!("./{path}"),
            )
        };
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(contents)
    };
    let started = |name, published, command: &str| {
        runs(name, published, "helper", step("postinstall", command, &[]))
    };
    vec![
        Sample::flagged(
            "A picture that is a program for Linux",
            scene(
                "assets/logo.png",
                BinaryFormat::Elf,
                Some(".png"),
                false,
                false,
            ),
        ),
        Sample::flagged(
            "A program for Linux behind four other bytes",
            scene(
                "model.bin",
                BinaryFormat::Elf,
                Some("data, by the 4 bytes in front of it,"),
                false,
                false,
            ),
        ),
        Sample::flagged(
            "A Windows library in the top folder of a package of settings, beside an install script",
            scene("node-gyp.dll", BinaryFormat::Pe, None, false, true),
        ),
        Sample::flagged(
            "A .js file that is no text",
            scene(
                "lib/table.js",
                BinaryFormat::NotText,
                Some(".js"),
                false,
                false,
            ),
        ),
        Sample::flagged(
            "A hook starts a program of the package",
            runs(
                "left-lib",
                "2026-06-01T09:00:00Z",
                "bin/helper",
                step("install", "./bin/helper", &["bin/helper"]),
            ),
        ),
        Sample::flagged(
            "A hook makes a program of the package executable and starts it",
            started(
                "left-lib",
                "2026-06-01T09:00:00Z",
                "chmod +x helper && ./helper",
            ),
        ),
        Sample::flagged(
            "Near miss: a hook starts it in a popular package too, in a release that has been out for long",
            started("express", "2026-01-15T09:00:00Z", "./helper --setup"),
        ),
        Sample::passing(
            "A program beside another hook, in a release of a popular package that has been out for long",
            started("express", "2026-01-15T09:00:00Z", "node setup.js"),
        ),
        Sample::flagged(
            "Near miss: the same in a release of this morning",
            started("express", "2026-06-15T09:00:00Z", "node setup.js"),
        ),
        Sample::passing(
            "Near miss: a hook only makes the program of the package executable",
            started("left-lib", "2026-06-01T09:00:00Z", "chmod u+x helper"),
        ),
        Sample::passing(
            "Near miss: a prebuilt addon where prebuilt addons are kept, beside an install script",
            scene(
                "prebuilds/linux-x64/left.node",
                BinaryFormat::Elf,
                None,
                true,
                true,
            ),
        ),
        Sample::flagged(
            "An install script loads an addon that lies among the code",
            loads("lib/left.node"),
        ),
        Sample::passing(
            "Near miss: an install script tries out the addon that was built for the machine",
            loads("build/Release/left.node"),
        ),
        Sample::passing(
            "WebAssembly that says that it is",
            scene("dist/left.wasm", BinaryFormat::Wasm, None, true, false),
        ),
        Sample::passing(
            "Archives for tests",
            scene(
                "test/fixtures/a.zip",
                BinaryFormat::Archive,
                None,
                false,
                true,
            ),
        ),
    ]
}
