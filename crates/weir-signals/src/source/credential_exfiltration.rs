//! `credential-exfiltration`: secrets travel to the network.

use weir_model::contents::{Flow, SinkKind, SourceKind, Surface};
use weir_model::{Confidence, Evidence, Finding, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Flows shown per finding; the rest is counted.
const LISTED: usize = 3;

/// Steps shown per flow, besides its two ends.
const STEPS: usize = 4;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "credential-exfiltration",
    summary: "Credentials are read and sent away",
    since: "0.1.0",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Stable,
    group: Group::Code,
    severity: Severity::Critical,
    confidence: Confidence::High,
    needs: &[Input::Contents],
    incidents: &[
        "crossenv, 2017",
        "eslint-scope, 2018",
        "Shai-Hulud, 2025",
        "CanisterWorm, 2026",
    ],
    documentation: Documentation {
        sees: "A value that travels, through the package's own code, from a source of secrets (the whole \
               environment, a variable whose name says that it holds a secret, a credential file) to the network: \
               a request, a socket, a name lookup, a command. Where the code runs at install time the finding is \
               decisive; where it runs on import or from a command it weighs less, and where nothing leads to it \
               it is only mentioned.",
        matters: "This is what nearly all of the attacks on record are for. No install script has a reason to send \
                  the environment anywhere.",
        wrong: "Reading a token from the environment and sending it is what every API client does, so a single \
                secret variable in library code is only mentioned, as is a download at install time that shows a \
                host its own token. Crash reporters and deployment tools that send more are worth knowing about, \
                and are reported below the weight that blocks.",
        todo: "Follow the path in the evidence. If it ran at install time on your machines, rotate what was read.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let mut weighed: Vec<(Weight, &Flow)> = contents
        .flows
        .iter()
        .filter(|flow| source_in_words(flow.source).is_some() && sink_in_words(flow.sink).is_some())
        .map(|flow| (weigh(flow), flow))
        .collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        if let Some(finding) = report(group) {
            observation.find(finding);
        }
    }
}

/// What a flow is worth: whether it is decisive, its severity, its confidence.
type Weight = (bool, Severity, Confidence);

fn weigh(flow: &Flow) -> Weight {
    use SourceKind::{CredentialFile, Environment, SecretVariable};
    match (flow.surface, flow.source) {
        (Surface::Install, SecretVariable) if shows_host_its_own_token(flow) => {
            (false, Severity::Info, Confidence::Medium)
        }
        (Surface::Install, _) => (true, Severity::Critical, Confidence::High),
        // A secret in a name lookup or on a command line is not how services are called.
        (Surface::Import | Surface::Worker, SecretVariable)
            if matches!(flow.sink, SinkKind::Dns | SinkKind::NetworkCommand) =>
        {
            (false, Severity::Medium, Confidence::Medium)
        }
        (Surface::Import | Surface::Worker, Environment) => {
            (false, Severity::Medium, Confidence::Medium)
        }
        (Surface::Import | Surface::Worker, CredentialFile) => {
            (false, Severity::High, Confidence::Medium)
        }
        (Surface::Command, Environment | CredentialFile) => {
            (false, Severity::Low, Confidence::Medium)
        }
        _ => (false, Severity::Info, Confidence::Low),
    }
}

/// Variables that installers of ready-made binaries show to the host they download from, to be
/// served more often, with the only domains for which that is an explanation.
const DOWNLOAD_TOKENS: &[(&[&str], &[&str])] = &[
    (
        &["GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_TOKEN"],
        &["github.com", "githubusercontent.com"],
    ),
    (&["GITLAB_TOKEN", "CI_JOB_TOKEN"], &["gitlab.com"]),
];

/// Whether a download shows the host its own token and nothing else. Only a host that is spelled
/// out in full counts.
fn shows_host_its_own_token(flow: &Flow) -> bool {
    if flow.sink != SinkKind::Http {
        return false;
    }
    let variable = flow
        .source_detail
        .trim_start_matches("process.env.")
        .to_ascii_uppercase();
    let hosts: Vec<&str> = flow
        .sink_detail
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
        .filter(|word| word.contains('.'))
        .collect();
    DOWNLOAD_TOKENS.iter().any(|(variables, domains)| {
        let is_theirs = |host: &&str| {
            domains.iter().any(|domain| {
                host.strip_suffix(domain)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        };
        variables.contains(&variable.as_str())
            && hosts.iter().any(is_theirs)
            && hosts.iter().all(|host| is_theirs(host) || is_call(host))
    })
}

/// Whether a dotted word is the called function rather than a host.
fn is_call(word: &str) -> bool {
    matches!(
        word,
        "http.get"
            | "https.get"
            | "http.request"
            | "https.request"
            | "axios.get"
            | "axios.request"
            | "undici.request"
            | "got.get"
            | "got.stream"
    )
}

fn report(group: &[(Weight, &Flow)]) -> Option<Finding> {
    let ((decisive, severity, confidence), flow) = *group.first()?;
    let when = match flow.surface {
        Surface::Install => "at install time",
        Surface::Import | Surface::Worker => "when it is imported or used",
        Surface::Command => "when its command is run",
        Surface::Unreferenced => "in code that nothing in the package leads to",
    };
    let more = match group.len() {
        1 => String::new(),
        count => format!(" (and {} more such flows)", count - 1),
    };
    let printable = |text: &str| weir_model::finding::printable(text, 120);
    let mut finding = SIGNAL.finding(format!(
        "{} ({}) is sent away by {} ({}) {when}{more}",
        source_in_words(flow.source)?,
        printable(&flow.source_detail),
        sink_in_words(flow.sink)?,
        printable(&flow.sink_detail),
    ));
    finding.decisive = decisive;
    finding.severity = severity;
    finding.confidence = confidence;
    for (_, flow) in group.iter().take(LISTED) {
        let places = std::iter::once(&flow.source_place)
            .chain(flow.steps.iter().take(STEPS).map(|step| &step.place))
            .chain(std::iter::once(&flow.sink_place));
        finding.evidence.extend(
            places.map(|place| Evidence::place(&place.path, Some(place.line), &place.snippet)),
        );
    }
    Some(finding)
}

/// Nothing for what is no secret.
const fn source_in_words(source: SourceKind) -> Option<&'static str> {
    match source {
        SourceKind::Environment => Some("the whole environment"),
        SourceKind::SecretVariable => Some("a secret variable"),
        SourceKind::CredentialFile => Some("a credential file"),
        _ => None,
    }
}

/// Nothing for what does not lead to the network.
const fn sink_in_words(sink: SinkKind) -> Option<&'static str> {
    match sink {
        SinkKind::Http => Some("a web request"),
        SinkKind::Socket => Some("a socket"),
        SinkKind::Dns => Some("a name lookup"),
        SinkKind::NetworkCommand => Some("a command"),
        _ => None,
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, flow};
    let scene = |surface, from, to| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(flow(surface, from, to))
    };
    let environment = (SourceKind::Environment, "process.env");
    let npmrc = (SourceKind::CredentialFile, "~/.npmrc");
    let post = (SinkKind::Http, "https.request to collector.example");
    vec![
        Sample::flagged(
            "An install script posts the whole environment",
            scene(Surface::Install, environment, post),
        ),
        Sample::flagged(
            "An install script hides the registry token in name lookups",
            scene(Surface::Install, npmrc, (SinkKind::Dns, "dns.resolveTxt")),
        ),
        Sample::flagged(
            "A library sends a credential file away when it is imported",
            scene(Surface::Import, npmrc, post),
        ),
        Sample::flagged(
            "An install script sends the code host's token to another host",
            scene(
                Surface::Install,
                (SourceKind::SecretVariable, "GITHUB_TOKEN"),
                (SinkKind::Http, "https.get to github.com.collector.example"),
            ),
        ),
        Sample::passing(
            "Near miss: an API client that sends its own key",
            scene(
                Surface::Import,
                (SourceKind::SecretVariable, "ACME_API_KEY"),
                (SinkKind::Http, "fetch to api.acme.example"),
            ),
        ),
        Sample::passing(
            "An installer that shows the host it downloads from its own token",
            scene(
                Surface::Install,
                (SourceKind::SecretVariable, "GITHUB_TOKEN"),
                (SinkKind::Http, "https.get to api.github.com"),
            ),
        ),
        Sample::passing(
            "The same code, where nothing leads to it",
            scene(Surface::Unreferenced, environment, post),
        ),
    ]
}
