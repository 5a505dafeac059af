//! What samples are made of: manifests and contents with one thing in them.

use serde_json::json;
use weir_model::contents::{
    Capability, CapabilityKind, FileDigest, Flow, Host, HostClass, InstallStep, Place, SinkKind,
    SourceKind, Step, Surface,
};
use weir_model::{AttestationState, Claims, Contents, SignatureState, Trust};
use weir_npm::manifest::Manifest;

use super::{NOW, Scene};
use crate::Sibling;

/// The contents of a tarball with that `package.json`.
///
/// # Panics
/// If it is not one.
#[must_use]
pub fn tarball(package_json: &str) -> Contents {
    Contents {
        manifest: Some(Manifest::from_json(package_json).expect("the sample is a package.json")),
        ..Contents::default()
    }
}

/// The manifest of a release published from that account's machine, without provenance.
#[must_use]
pub fn by_hand(name: &str) -> String {
    json!({
        "_npmUser": { "name": name, "email": format!("{name}@mail.example") },
        "maintainers": [{ "name": "mara", "email": "mara@mail.example" }],
        "gitHead": "0123456789abcdef0123456789abcdef01234567",
        "_npmVersion": "10.8.2",
        "_nodeVersion": "20.17.0",
    })
    .to_string()
}

/// The manifest of a release published from the project's workflow, with provenance.
#[must_use]
pub fn from_workflow() -> String {
    json!({
        "_npmUser": {
            "name": "GitHub Actions",
            "trustedPublisher": { "id": "github" },
        },
        "maintainers": [{ "name": "mara", "email": "mara@mail.example" }],
        "gitHead": "0123456789abcdef0123456789abcdef01234567",
        "_npmVersion": "11.5.1",
        "_nodeVersion": "22.14.0",
        "dist": { "attestations": { "provenance": { "predicateType": "https://slsa.dev/provenance/v1" } } },
    })
    .to_string()
}

/// Contents with something that runs at install time.
#[must_use]
pub fn step(event: &str, command: &str, reaches: &[&str]) -> InstallStep {
    InstallStep {
        event: event.to_owned(),
        command: command.to_owned(),
        reaches: reaches.iter().map(|path| (*path).to_owned()).collect(),
    }
}

/// A place in the package.
#[must_use]
pub fn place(path: &str, line: u32, snippet: &str) -> Place {
    Place {
        path: path.to_owned(),
        line,
        snippet: snippet.to_owned(),
    }
}

/// Contents in which one value travels from `from` to `to`, in one file.
#[must_use]
pub fn flow(surface: Surface, from: (SourceKind, &str), to: (SinkKind, &str)) -> Contents {
    Contents {
        flows: vec![Flow {
            source: from.0,
            source_detail: from.1.to_owned(),
            source_place: place("lib/index.js", 3, "const found = read();"),
            steps: vec![Step {
                place: place("lib/index.js", 5, "const body = JSON.stringify(found);"),
                folded: None,
            }],
            sink: to.0,
            sink_detail: to.1.to_owned(),
            sink_place: place("lib/index.js", 9, "send(body);"),
            surface,
            gates: Vec::new(),
            at_load: false,
        }],
        ..Contents::default()
    }
}

/// A release of two weeks ago with these contents, and the one of March before it, `1.4.0`.
#[must_use]
pub fn compared(version: &'static str, before: Contents, after: Contents) -> Scene {
    Scene::of("left-lib", version)
        .release("1.4.0", "2026-03-01T09:00:00Z", "{}")
        .release(version, "2026-06-01T09:00:00Z", "{}")
        .previous_contents(before)
        .contents(after)
}

/// Contents with these abilities: kind, detail, surface.
#[must_use]
pub fn abilities(list: &[(CapabilityKind, &str, Surface)]) -> Contents {
    Contents {
        capabilities: list
            .iter()
            .map(|(kind, detail, surface)| {
                let place = place("lib/index.js", 3, &format!("{detail}(…)"));
                Capability::at(*kind, (*detail).to_owned(), place, *surface, false)
            })
            .collect(),
        ..tarball(r#"{"name":"left-lib"}"#)
    }
}

/// Contents that talk to these hosts: name, class, surface.
#[must_use]
pub fn talks_to(hosts: &[(&str, HostClass, Surface)]) -> Contents {
    Contents {
        hosts: hosts
            .iter()
            .map(|(host, class, surface)| Host {
                host: (*host).to_owned(),
                class: *class,
                place: place("lib/index.js", 3, &format!("request('https://{host}/')")),
                surface: *surface,
            })
            .collect(),
        ..tarball(r#"{"name":"left-lib"}"#)
    }
}

/// Contents with these files of code: path, bytes, surface. Files of one path and length have one
/// digest.
#[must_use]
pub fn code(files: &[(&str, u64, Option<Surface>)]) -> Contents {
    Contents {
        files: files
            .iter()
            .map(|(path, bytes, surface)| FileDigest {
                path: (*path).to_owned(),
                bytes: *bytes,
                digest: format!("{path} {bytes}"),
                surface: *surface,
                longest_line: 100,
            })
            .collect(),
        ..tarball(r#"{"name":"left-lib"}"#)
    }
}

/// A release of another package that added these files: path, bytes.
///
/// # Panics
/// If `published` is no time.
#[must_use]
pub fn sibling(name: &str, version: &str, published: &str, added: &[(&str, u64)]) -> Sibling {
    let files: Vec<_> = added
        .iter()
        .map(|(path, bytes)| (*path, *bytes, Some(Surface::Import)))
        .collect();
    Sibling {
        name: name.to_owned(),
        version: version.to_owned(),
        published: published.parse().expect("the sample has a time"),
        added: code(&files).files,
    }
}

/// Contents whose code is able to do that.
#[must_use]
pub fn able(surface: Surface, kind: CapabilityKind, detail: &str) -> Contents {
    Contents {
        capabilities: vec![Capability::at(
            kind,
            detail.to_owned(),
            place("lib/index.js", 7, "act();"),
            surface,
            false,
        )],
        ..Contents::default()
    }
}

/// The same contents, whose code acts as soon as it is loaded.
#[must_use]
pub fn at_load(mut contents: Contents) -> Contents {
    for capability in &mut contents.capabilities {
        capability.at_load = true;
    }
    for flow in &mut contents.flows {
        flow.at_load = true;
    }
    contents
}

/// Contents whose code talks to that host.
#[must_use]
pub fn contact(surface: Surface, host: &str, class: HostClass) -> Contents {
    Contents {
        hosts: vec![Host {
            host: host.to_owned(),
            class,
            place: place("lib/index.js", 4, &format!("send('https://{host}/x');")),
            surface,
        }],
        ..Contents::default()
    }
}

/// What was verified of a release, compared with nothing.
#[must_use]
pub fn trust(signature: SignatureState, attestations: AttestationState) -> Trust {
    Trust {
        signature,
        attestations,
        since: None,
        changes: Vec::new(),
        breaches: Vec::new(),
    }
}

/// The claims of a release from a version tag of `left-lib`'s own repository.
///
/// # Panics
/// Never: its time is a constant.
#[must_use]
pub fn claims() -> Claims {
    let text = |value: &str| Some(value.to_owned());
    let repository = "https://git.example.invalid/mara/left-lib";
    Claims {
        predicate: "https://slsa.dev/provenance/v1".to_owned(),
        issuer: "https://issuer.example.invalid".to_owned(),
        repository: repository.to_owned(),
        repository_id: text("42"),
        owner: text("https://git.example.invalid/mara"),
        owner_id: text("7"),
        commit: text("aa"),
        reference: text("refs/tags/v1.4.0"),
        workflow: text(".github/workflows/release.yml"),
        signer: None,
        trigger: text("push"),
        runner: text("github-hosted"),
        environment: None,
        visibility: text("public"),
        run: Some(format!("{repository}/actions/runs/1")),
        signed_at: NOW.parse().expect("a constant time"),
    }
}
