//! `credential-exfiltration`: secrets travel to the network.

use weir_model::contents::{Flow, SinkKind, SourceKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, is_unasked, report_flows, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

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
               environment, a variable whose name says that it holds a secret, a credential file, a wallet or \
               browser profile, a cloud's metadata service, the memory of another process, the clipboard, what \
               a credential tool prints, key material handed over by a caller, what others hand to a function of Node or of a \
               page that the code has replaced, what is typed into a page, facts about host and user) to the \
               network: a request, a socket, a name lookup, a command. Where the code runs at install time the finding is \
               decisive; where it runs on import or from a command it is as severe, but does not decide alone, and \
               where nothing leads to it it is only mentioned.",
        matters: "This is what nearly all of the attacks on record are for. No install script has a reason to send \
                  the environment anywhere.",
        wrong: "Reading a token from the environment and sending it is what every API client does, so a \
                secret variable in library code is only mentioned, unless one of another service leaves with it as soon as the \
                library is loaded; and so are the clipboard and facts about host and user, unless they leave in name lookups \
                or commands as soon as it is loaded, as is a download at install time that shows a \
                host its own token, and in library code a cluster's token that goes to that cluster. A cloud's \
                credentials in a request whose host is put together when it runs weigh less on import, and the identity \
                that a cloud gives to a library is only mentioned unless it is asked for as soon as the library is \
                loaded. In a release of \
                a popular package that has been out for a month, or that only goes on with what its release \
                before did, out for a week, nothing of it decides; nor does it, whatever the rank, where at least \
                20 releases in a row, of as many days and over half a year, ran the same at install and the newest that has been \
                out for 90 days had the same flow. Crash reporters and deployment tools that send more are worth knowing about, \
                and are reported below the weight that blocks. Tools that measure wrap what asks the network: what others hand to that \
                weighs less on import, and counts only where the code names the host.",
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
    let flows: Vec<&Flow> = contents
        .flows
        .iter()
        .filter(|flow| is_secret(flow.source) && leaves(flow.sink))
        .collect();
    let weigh = |flow: &Flow| {
        let weight = weigh(flow);
        Some(match is_collected(flow, &flows) {
            true => weight.max(self::weight(Severity::High, Confidence::Medium)),
            false => weight,
        })
    };
    report_flows(&SIGNAL, subject, flows.iter().copied(), weigh, observation);
}

/// Words in the names of variables that say whose secret they hold, by owner. Who holds two of these has no service
/// in common with them.
const OWNERS: &[&[&str]] = &[
    &["NPM", "NODE_AUTH"],
    &["GITHUB", "GH"],
    &["GITLAB", "CI_JOB"],
    &["AWS"],
    &["AZURE", "ARM"],
    &["GOOGLE", "GCP", "GCLOUD", "GEMINI"],
    &["DOCKER", "DOCKERHUB"],
    &["OPENAI"],
    &["ANTHROPIC", "CLAUDE"],
    &["HF", "HUGGINGFACE"],
    &["STRIPE"],
    &["SLACK"],
    &["TWILIO"],
    &["SENDGRID"],
    &["CLOUDFLARE", "CF"],
    &["DIGITALOCEAN"],
    &["HEROKU"],
    &["VERCEL"],
    &["NETLIFY"],
    &["CIRCLE", "CIRCLECI"],
    &["VAULT"],
    &["PYPI", "TWINE"],
];

/// Whose secret a variable holds, as an index into [`OWNERS`].
fn owner(flow: &Flow) -> Option<usize> {
    let name = flow
        .source_detail
        .trim_start_matches("process.env.")
        .to_ascii_uppercase();
    let begins = |word: &&str| {
        name.strip_prefix(*word)
            .is_some_and(|rest| rest.starts_with('_'))
    };
    OWNERS.iter().position(|words| words.iter().any(begins))
}

/// Whether a secret leaves, as soon as a library is loaded, together with one of somebody else: no service asks for
/// both, and nobody has called the library yet.
fn is_collected(flow: &Flow, flows: &[&Flow]) -> bool {
    if flow.source != SourceKind::SecretVariable || !is_unasked(flow.surface, flow.at_load) {
        return false;
    }
    let Some(own) = owner(flow) else {
        return false;
    };
    flows.iter().any(|other| {
        other.source == SourceKind::SecretVariable
            && other.at_load
            && other.sink_place == flow.sink_place
            && owner(other).is_some_and(|theirs| theirs != own)
    })
}

const fn is_secret(source: SourceKind) -> bool {
    !matches!(source, SourceKind::Fetched | SourceKind::Decoded)
}

const fn leaves(sink: SinkKind) -> bool {
    matches!(
        sink,
        SinkKind::Http | SinkKind::Socket | SinkKind::Dns | SinkKind::NetworkCommand
    )
}

fn weigh(flow: &Flow) -> Weight {
    match flow.surface {
        Surface::Install => at_install(flow),
        Surface::Import | Surface::Worker => at_import(flow),
        Surface::Command => match flow.source {
            SourceKind::Environment
            | SourceKind::CredentialFile
            | SourceKind::WalletOrProfile
            | SourceKind::CredentialTool
            | SourceKind::ProcessMemory => weight(Severity::High, Confidence::Medium),
            _ => MENTION,
        },
        Surface::Unreferenced => MENTION,
    }
}

fn at_install(flow: &Flow) -> Weight {
    match flow.source {
        SourceKind::SecretVariable if shows_host_its_own_token(flow) => {
            weight(Severity::Info, Confidence::Medium)
        }
        SourceKind::HostFacts
        | SourceKind::Clipboard
        | SourceKind::KeyArgument
        | SourceKind::Overheard => weight(Severity::High, Confidence::Medium),
        _ => (true, Severity::Critical, Confidence::High),
    }
}

fn at_import(flow: &Flow) -> Weight {
    use SourceKind::{
        Clipboard, CloudMetadata, CredentialFile, CredentialTool, Environment, HostFacts,
        KeyArgument, Overheard, ProcessMemory, SecretVariable, WalletOrProfile,
    };
    let is_quiet = matches!(flow.sink, SinkKind::Dns | SinkKind::NetworkCommand);
    match flow.source {
        // As bad as at install: nearly every package that is installed is also imported, and half of
        // this year's attacks had no hook. A key that its caller hands over is for use, not for sending.
        CredentialFile | CloudMetadata if is_own_cluster(flow) => MENTION,
        CredentialFile if is_unnamed_cloud(flow) => weight(Severity::Medium, Confidence::Medium),
        // Libraries of a cloud ask who they are when they are called for the first time.
        CloudMetadata if is_unasked(flow.surface, flow.at_load) => {
            weight(Severity::High, Confidence::Medium)
        }
        ProcessMemory | WalletOrProfile | CredentialFile | Environment | CredentialTool
        | KeyArgument => weight(Severity::High, Confidence::Medium),
        // A secret in a name lookup or on a command line is not how services are called.
        SecretVariable if is_quiet => weight(Severity::High, Confidence::Medium),
        // Who measures how a library is used asks a web service.
        HostFacts | Clipboard if is_quiet && is_unasked(flow.surface, flow.at_load) => {
            weight(Severity::High, Confidence::Medium)
        }
        // Who measures a page or a service wraps what asks the network, and tells a host of its own of it.
        Overheard if is_request(&flow.source_detail) => {
            weight(Severity::Medium, Confidence::Medium)
        }
        Overheard => weight(Severity::High, Confidence::Medium),
        _ => MENTION,
    }
}

/// Whether what is overheard was handed to a function that asks the network.
fn is_request(detail: &str) -> bool {
    ["http", "fetch", "XMLHttpRequest", "WebSocket", "undici"]
        .iter()
        .any(|name| detail.starts_with(name))
}

/// Parts of the paths of credentials that libraries of a cloud read to sign requests to it.
const CLOUD_FILES: &[&str] = &["/.aws/", "/.azure/", "/gcloud/"];

/// Where code in a cluster reads its own token.
const CLUSTER_TOKEN: &str = "/serviceaccount/";

/// The names of a cluster's own service, which only the cluster answers to.
const CLUSTER: &[&str] = &["kubernetes.default.svc", "kubernetes.default"];

/// Whether a web request may well carry a cloud's credentials to that cloud: its libraries put the
/// host together from service and region, so one that is not spelled out says little. A spelled-out
/// host of a cloud is no excuse: anybody can rent one.
fn is_unnamed_cloud(flow: &Flow) -> bool {
    flow.sink == SinkKind::Http
        && host_of(flow).is_none()
        && CLOUD_FILES
            .iter()
            .any(|path| flow.source_detail.contains(path))
}

/// Whether a cluster's token goes to the cluster that it is of.
fn is_own_cluster(flow: &Flow) -> bool {
    flow.sink == SinkKind::Http
        && flow.source_detail.contains(CLUSTER_TOKEN)
        && host_of(flow).is_some_and(|host| CLUSTER.contains(&host))
}

/// The host that a flow names as its end, without a port.
fn host_of(flow: &Flow) -> Option<&str> {
    let (_, host) = flow.sink_detail.rsplit_once(" to ")?;
    host.split(':').next()
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

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, at_load, flow};
    let scene = |surface, from, to| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(flow(surface, from, to))
    };
    let environment = (SourceKind::Environment, "process.env");
    let npmrc = (SourceKind::CredentialFile, "~/.npmrc");
    let post = (SinkKind::Http, "https.request to collector.example");
    // Two variables that leave in one request of a library.
    let variables = |names: [&str; 2]| {
        let one = |name| flow(Surface::Import, (SourceKind::SecretVariable, name), post);
        let flows = names.into_iter().flat_map(|name| one(name).flows).collect();
        weir_model::Contents {
            flows,
            ..weir_model::Contents::default()
        }
    };
    let known = |surface, to| {
        Scene::of("express", "9.9.9")
            .release("9.9.8", "2026-04-15T09:00:00Z", "{}")
            .release("9.9.9", "2026-06-15T09:00:00Z", "{}")
            .previous_contents(flow(surface, environment, post))
            .contents(flow(surface, environment, to))
    };
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
        Sample::flagged(
            "A library sends a browser's passwords away when it is imported",
            scene(
                Surface::Import,
                (
                    SourceKind::WalletOrProfile,
                    "~/.config/google-chrome/Default/Login Data",
                ),
                post,
            ),
        ),
        Sample::flagged(
            "An install script looks up a name made of the host's name",
            scene(
                Surface::Install,
                (SourceKind::HostFacts, "os.hostname"),
                (SinkKind::Dns, "dns.lookup"),
            ),
        ),
        Sample::passing(
            "A cloud client that asks who it is and says so to its service",
            scene(
                Surface::Import,
                (SourceKind::CloudMetadata, "fetch from 169.254.169.254"),
                (SinkKind::Http, "fetch to api.acme.example"),
            ),
        ),
        Sample::flagged(
            "A library asks a cloud who it is as soon as it is loaded, and tells another host",
            Scene::of_code(at_load(flow(
                Surface::Import,
                (SourceKind::CloudMetadata, "fetch from 169.254.169.254"),
                (SinkKind::Http, "fetch to collector.invalid"),
            ))),
        ),
        Sample::flagged(
            "A library posts the whole environment when it is imported",
            scene(Surface::Import, environment, post),
        ),
        Sample::flagged(
            "Near miss: the same in a popular package, in a release of this morning",
            Scene::of("express", "9.9.9")
                .release("9.9.9", "2026-06-15T09:00:00Z", "{}")
                .contents(flow(Surface::Import, environment, post)),
        ),
        Sample::passing(
            "A popular package whose release has been out for long",
            Scene::of("express", "9.9.9")
                .release("9.9.9", "2026-01-15T09:00:00Z", "{}")
                .contents(flow(Surface::Import, environment, post)),
        ),
        Sample::passing(
            "A fresh release of a popular package that sends what its release of two months ago sent",
            known(Surface::Import, post),
        ),
        Sample::flagged(
            "Near miss: the same, to another host than before",
            known(
                Surface::Import,
                (SinkKind::Http, "fetch to collector.invalid"),
            ),
        ),
        Sample::flagged(
            "Near miss: the release before sent it too, and is a day old",
            Scene::of("express", "9.9.9")
                .release("9.9.8", "2026-06-14T09:00:00Z", "{}")
                .release("9.9.9", "2026-06-15T09:00:00Z", "{}")
                .previous_contents(flow(Surface::Import, environment, post))
                .contents(flow(Surface::Import, environment, post)),
        ),
        Sample::flagged(
            "A cluster's token goes to a host that only begins like the cluster's own",
            scene(
                Surface::Import,
                (
                    SourceKind::CredentialFile,
                    "/var/run/secrets/kubernetes.io/serviceaccount/token",
                ),
                (
                    SinkKind::Http,
                    "https.request to kubernetes.default.svc.collector.example",
                ),
            ),
        ),
        Sample::flagged(
            "An install script shows a cloud's credentials to a host of that cloud, which anybody can rent",
            scene(
                Surface::Install,
                (SourceKind::CredentialFile, "~/.aws/credentials"),
                (SinkKind::Http, "fetch to collector.s3.amazonaws.com"),
            ),
        ),
        Sample::passing(
            "A resource detector shows a cluster its own token",
            scene(
                Surface::Import,
                (
                    SourceKind::CredentialFile,
                    "/var/run/secrets/kubernetes.io/serviceaccount/token",
                ),
                (SinkKind::Http, "https.request to kubernetes.default.svc"),
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
        Sample::flagged(
            "A library replaces what reads files, and sends away what others read",
            scene(
                Surface::Import,
                (SourceKind::Overheard, "fs.readFileSync, replaced"),
                (SinkKind::Http, "fetch to collector.example"),
            ),
        ),
        Sample::passing(
            "The same code, where nothing leads to it",
            scene(Surface::Unreferenced, environment, post),
        ),
        Sample::flagged(
            "A library sends secrets of two services together as soon as it is loaded",
            Scene::of_code(at_load(variables(["NPM_TOKEN", "AWS_SECRET_ACCESS_KEY"]))),
        ),
        Sample::passing(
            "Near miss: both are of one service",
            Scene::of_code(at_load(variables([
                "AWS_SESSION_TOKEN",
                "AWS_SECRET_ACCESS_KEY",
            ]))),
        ),
        Sample::passing(
            "Near miss: they leave when somebody calls it",
            Scene::of_code(variables(["OPENAI_API_KEY", "ANTHROPIC_API_KEY"])),
        ),
        Sample::flagged(
            "A library looks up a name made of the host's name as soon as it is loaded",
            Scene::of_code(at_load(flow(
                Surface::Import,
                (SourceKind::HostFacts, "os.hostname"),
                (SinkKind::Dns, "dns.lookup"),
            ))),
        ),
    ]
}
