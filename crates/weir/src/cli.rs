//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use jiff::Timestamp;

/// An npm supply-chain defence: a registry gateway that holds releases which deviate from their own
/// past or behave like an attack, and lets everything else through.
#[derive(Debug, Parser)]
#[command(name = "weir", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What was typed, and the environment; ends the program where it makes no sense. A variable that is set to
    /// nothing counts as not set: that is what an unset one of a CI system becomes.
    pub(crate) fn read() -> Self {
        let command = Self::command();
        let empty: Vec<clap::Id> = command
            .get_arguments()
            .filter(|argument| {
                let value = argument.get_env().and_then(std::env::var_os);
                value.is_some_and(|value| value.is_empty())
            })
            .map(|argument| argument.get_id().clone())
            .collect();
        let unset = |command: clap::Command, id: clap::Id| {
            command.mut_arg(id, |argument| argument.env(Resettable::Reset))
        };
        let command = empty.into_iter().fold(command, unset);
        let from_environment: Vec<clap::Id> = command
            .get_arguments()
            .filter(|argument| argument.get_env().is_some())
            .map(|argument| argument.get_id().clone())
            .collect();
        let bare = || from_environment.into_iter().fold(command.clone(), unset);
        let matches = command.clone().try_get_matches();
        let matches = matches.unwrap_or_else(|error| wrong(bare, error).exit());
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// What is said of a command line that makes no sense. What the environment gave is left out of it: usage lines would
/// show `--data` as if it had to be typed, and nothing at all would count as something.
fn wrong(bare: impl FnOnce() -> clap::Command, error: clap::Error) -> clap::Error {
    if !error.use_stderr() {
        return error;
    }
    with_a_client(bare().try_get_matches().err().unwrap_or(error))
}

/// Commands of clients that who comes to weir may type without the client.
const OF_CLIENTS: [&str; 18] = [
    "add",
    "ci",
    "create",
    "dlx",
    "exec",
    "i",
    "init",
    "install",
    "ls",
    "outdated",
    "publish",
    "remove",
    "run",
    "start",
    "test",
    "uninstall",
    "update",
    "view",
];

/// Says how a client's command is run through weir, where that is what was typed.
fn with_a_client(error: clap::Error) -> clap::Error {
    let named = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(named)) if OF_CLIENTS.contains(&named.as_str()) => named,
        _ => return error,
    };
    let text = format!(
        "{named:?} is a command of a client: write the client behind weir, as in `weir npm {named}`"
    );
    Cli::command().error(ErrorKind::InvalidSubcommand, text)
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Decide as if it were this moment (RFC 3339), so that the past can be replayed.
    ///
    /// That is a question and no event: no verdict, no moment of first sight, no line of the ledger and
    /// nothing of what is usual is kept of it. Gateways (`serve` and the clients) hand releases out all the
    /// same, and keep what they do as ever.
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_time)]
    pub now: Option<Timestamp>,
    /// What is done at the moment of `--now` is done, and kept. For gateways and tests.
    #[arg(hide = true, long, global = true)]
    pub as_it_happens: bool,
    /// The registry behind weir, instead of the one in your npm configuration.
    #[arg(long, global = true, value_name = "URL", value_parser = parse_upstream)]
    pub upstream: Option<String>,
    /// The data folder: assessments, tarballs, ledger.
    #[arg(long, global = true, env = "WEIR_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The policy file, instead of the nearest weir.toml.
    #[arg(long, global = true, env = "WEIR_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Trust this root (Sigstore's `trusted_root.json`) instead of the one that comes with weir or was
    /// kept by `weir trust-root refresh`.
    #[arg(long, global = true, env = "WEIR_TRUSTED_ROOT", value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// What to log on standard error, e.g. `info` or `weir_gateway=debug`.
    #[arg(long, global = true, env = "WEIR_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

impl Command {
    /// Whether it hands releases out. What it does happens, whatever the time it is told.
    pub(crate) const fn is_gateway(&self) -> bool {
        matches!(
            self,
            Self::Npm(_)
                | Self::Npx(_)
                | Self::Pnpm(_)
                | Self::Yarn(_)
                | Self::Bun(_)
                | Self::Serve(_)
        )
    }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    weir_npm::time::parse(text)
        .ok_or_else(|| format!("{text:?} is not a time like 2026-05-11T19:30:00Z"))
}

/// A registry's address. One that may hold credentials is left to who asks the registry, whose words do not repeat it.
fn parse_upstream(text: &str) -> Result<String, String> {
    let is_web = weir_upstream::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_web || text.contains('@') {
        return Ok(text.to_owned());
    }
    Err(
        "it has to be an address like https://registry.example/ or http://127.0.0.1:4873/"
            .to_owned(),
    )
}

/// An address that tarballs' addresses can begin with: clients write it into lockfiles, as it is.
fn parse_public_url(text: &str) -> Result<String, String> {
    let url = weir_upstream::Url::parse(text).ok();
    let url = url.filter(|it| matches!(it.scheme(), "http" | "https") && it.has_host());
    let Some(url) = url else {
        return Err("it has to be an address like https://weir.example/npm/".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials in it would be shown to every client: leave them out".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("paths are added to it, so that it can have no ? and no #".to_owned());
    }
    Ok(url.into())
}

/// A count that is no wish for nothing.
fn parse_count<T: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    let count = text.parse().ok().filter(|count| *count >= T::from(1));
    count.ok_or_else(|| format!("{text:?} is not a number from 1 on"))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run npm through weir, e.g. `weir npm install`.
    #[command(disable_help_flag = true)]
    Npm(ClientArguments),
    /// Run npx through weir.
    #[command(disable_help_flag = true)]
    Npx(ClientArguments),
    /// Run pnpm through weir.
    #[command(disable_help_flag = true)]
    Pnpm(ClientArguments),
    /// Run yarn (classic or berry) through weir.
    #[command(disable_help_flag = true)]
    Yarn(ClientArguments),
    /// Run bun through weir.
    #[command(disable_help_flag = true)]
    Bun(ClientArguments),
    /// Run the gateway as a service.
    Serve(Serve),
    /// Assess a release, a tarball or a folder, with evidence.
    Inspect(Inspect),
    /// Check a project's lockfile: present, in step, complete, and untampered.
    Check(Check),
    /// Report what advisories say of everything a lockfile locks, and what to change.
    Audit(Audit),
    /// Verify registry signatures and provenance of everything a lockfile locks.
    Verify(Verify),
    /// Write a bill of materials (CycloneDX or SPDX) of everything a lockfile locks.
    Sbom(Sbom),
    /// Compare two releases, tarballs or folders: what one does that the other does not.
    Diff(Diff),
    /// Show the ways by which a package comes into a project, and what is known of each step.
    Why(Why),
    /// Learn or show what is usual for scopes, accounts and packages.
    Baseline {
        #[command(subcommand)]
        command: BaselineCommand,
    },
    /// Explain a refusal by the id shown with it.
    Explain(Explain),
    /// Take a kept decision again, under another policy or at another time.
    Decide(Decide),
    /// List what was decided and what was served to whom.
    Ledger(Ledger),
    /// Show or check the policy.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Import advisories (OSV records).
    Advisories {
        #[command(subcommand)]
        command: AdvisoriesCommand,
    },
    /// Show whom verifying trusts, or bring that up to date.
    TrustRoot {
        #[command(subcommand)]
        command: TrustRootCommand,
    },
    /// Take in content that others found to be malicious, to know its copies.
    KnownBad {
        #[command(subcommand)]
        command: KnownBadCommand,
    },
    /// List the signals, or show one.
    Signals {
        #[command(subcommand)]
        command: SignalsCommand,
    },
    /// Read package contents for a gateway (started by weir itself).
    #[command(hide = true)]
    Worker(Worker),
}

/// What is passed on to a client.
#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    /// The client's own arguments.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    pub arguments: Vec<String>,
}

/// `weir serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4874", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// The address clients reach the gateway under, where it is not what they put in `Host`, or on loopback not a
    /// name of this machine.
    #[arg(long, value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<String>,
}

/// `weir inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// `name`, `name@version`, a `.tgz` file or a folder; several are assessed one after another.
    #[arg(required_unless_present = "from", value_name = "RELEASE")]
    pub releases: Vec<String>,
    /// Print one JSON object per release (schema `weir.assessment/v1`).
    #[arg(long)]
    pub json: bool,
    /// Read more releases from this file, one per line; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Also write the release among its past to this file, as a picture (SVG). One release only.
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub svg: Option<PathBuf>,
}

/// `weir check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The project's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// This lockfile, instead of those in the folder; where no folder is given, the project is where it lies.
    #[arg(long, value_name = "FILE")]
    pub lockfile: Option<PathBuf>,
    /// Tell only what a change since this commit brings in, with what weir makes of it. Runs git to read
    /// the earlier files; nothing is checked out.
    #[arg(long, value_name = "REF", help_heading = "What to check")]
    pub base: Option<String>,
    /// Ask no registry anything.
    #[arg(long, conflicts_with = "online", help_heading = "What to check")]
    pub offline: bool,
    /// Compare every digest with the one its registry gives.
    #[arg(long, help_heading = "What to check")]
    pub online: bool,
    /// Print one JSON object (schema `weir.check/v1`).
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Print annotations for GitHub Actions, and add to the job's summary.
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub github: bool,
    /// Also write what was found to this file, as SARIF 2.1.0.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub sarif: Option<PathBuf>,
    /// Also write what was found to this file, as JUnit XML.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
}

/// `weir audit`.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The project's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// This lockfile, instead of those in the folder; where no folder is given, the project is where it lies.
    #[arg(long, value_name = "FILE")]
    pub lockfile: Option<PathBuf>,
    /// Leave out what is needed for nothing else.
    #[arg(long, value_name = "KIND")]
    pub omit: Vec<Omit>,
    /// Milder flaws are counted, and are no reason to fail. Malware, and flaws whose severity nobody
    /// states, always are.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub severity: weir_model::FlawSeverity,
    /// Ask no registry which versions there are: only what is kept from before is known.
    #[arg(long)]
    pub offline: bool,
    /// Print one JSON object (schema `weir.audit/v1`).
    #[arg(long)]
    pub json: bool,
    /// Also write what was found to this file, as SARIF 2.1.0.
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
}

/// What `weir audit` may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Omit {
    /// What only development needs.
    Dev,
    /// What may be left out, as on other platforms.
    Optional,
}

/// `weir verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The project's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// This lockfile, instead of those in the folder; where no folder is given, the project is where it lies.
    #[arg(long, value_name = "FILE")]
    pub lockfile: Option<PathBuf>,
    /// Print one JSON object (schema `weir.verify/v1`).
    #[arg(long)]
    pub json: bool,
    /// Also write what was found to this file, as SARIF 2.1.0.
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
}

/// `weir sbom`.
#[derive(Debug, Args)]
pub(crate) struct Sbom {
    /// The project's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// This lockfile, instead of the one in the folder; where no folder is given, the project is where it lies.
    #[arg(long, value_name = "FILE")]
    pub lockfile: Option<PathBuf>,
    /// The form: CycloneDX 1.6 or SPDX 2.3, both in JSON.
    #[arg(long, value_enum, default_value_t = SbomFormat::Cyclonedx, value_name = "FORM")]
    pub format: SbomFormat,
    /// Verify signatures and provenance of every release now, instead of using what is kept.
    #[arg(long)]
    pub verify: bool,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The form of a bill of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SbomFormat {
    /// CycloneDX 1.6 in JSON.
    Cyclonedx,
    /// SPDX 2.3 in JSON.
    Spdx,
}

/// `weir diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The earlier one: `name@version`, a `.tgz` file or a folder.
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The later one. Without it, BEFORE is compared with the release before it.
    #[arg(value_name = "AFTER")]
    pub after: Option<String>,
    /// Print one JSON object (schema `weir.diff/v1`).
    #[arg(long)]
    pub json: bool,
}

/// `weir why`.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The package: `name`, or `name@version` with a version or range.
    #[arg(value_name = "PACKAGE")]
    pub package: String,
    /// The project's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// This lockfile, instead of those in the folder; where no folder is given, the project is where it lies.
    #[arg(long, value_name = "FILE")]
    pub lockfile: Option<PathBuf>,
    /// At most this many ways to each release, the shortest.
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = parse_count::<usize>)]
    pub limit: usize,
    /// Ask no registry: only what this weir has seen is told.
    #[arg(long)]
    pub offline: bool,
    /// Print one JSON object (schema `weir.why/v1`).
    #[arg(long)]
    pub json: bool,
}

/// `weir baseline …`.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Learn what is usual from the past of everything that a project locks.
    Backfill(Backfill),
    /// Show what is usual for a scope (`@scope`), an account (`~account`) or a package.
    Show {
        /// Whose.
        #[arg(value_name = "OWNER")]
        owner: String,
        /// Print one JSON object (schema `weir.baseline/v1`).
        #[arg(long)]
        json: bool,
    },
}

/// `weir baseline backfill`.
#[derive(Debug, Args)]
pub(crate) struct Backfill {
    /// The project's folder; several are learned one after another.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// These lockfiles, instead of those in the folders.
    #[arg(long, value_name = "FILE")]
    pub lockfile: Vec<PathBuf>,
}

/// `weir explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The id shown with the refusal, e.g. `w-3k9x2m4q7c`.
    pub id: String,
    /// Print the assessment as JSON (schema `weir.assessment/v1`).
    #[arg(long)]
    pub json: bool,
}

/// `weir decide`.
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// A refusal's id, a `name@version` that was decided here, or a file with what `weir inspect --json`
    /// printed; `-` is standard input.
    #[arg(value_name = "WHAT")]
    pub what: String,
    /// Show what every rule said, and what would have to differ for another decision.
    #[arg(long)]
    pub explain: bool,
    /// Print one JSON object per release (schema `weir.decide/v1`).
    #[arg(long)]
    pub json: bool,
}

/// `weir ledger`.
#[derive(Debug, Args)]
pub(crate) struct Ledger {
    /// Only this package.
    #[arg(long, value_name = "NAME")]
    pub package: Option<String>,
    /// Only this version.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Only this event: served, refused or decided.
    #[arg(long, value_name = "EVENT")]
    pub event: Option<weir_model::ledger::LedgerEvent>,
    /// Only with this decision: allow, notice, hold, block.
    #[arg(long, value_name = "ACTION")]
    pub action: Option<weir_model::Action>,
    /// Only the refusal with this id.
    #[arg(long, value_name = "ID")]
    pub block: Option<String>,
    /// Only clients whose address or user agent contains this.
    #[arg(long, value_name = "TEXT")]
    pub client: Option<String>,
    /// Only from this moment on (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub since: Option<Timestamp>,
    /// Only before this moment (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<Timestamp>,
    /// At most this many, the newest.
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = parse_count::<u64>)]
    pub limit: u64,
    /// Print one JSON object per entry (schema `weir.ledger/v1`).
    #[arg(long)]
    pub json: bool,
}

/// `weir policy …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print every key with its value and where it comes from.
    Show,
    /// Check a policy file and say what is wrong with it.
    Check {
        /// The file; without it the one that is in force.
        file: Option<PathBuf>,
    },
    /// Print the JSON schema of weir.toml.
    Schema,
}

/// `weir advisories …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AdvisoriesCommand {
    /// Import OSV records into a feed: those that are new or have changed.
    Import(AdvisoriesImport),
    /// Read feeds again from where they came from.
    Update {
        /// The feeds; without any, all that have a source.
        #[arg(value_name = "FEED")]
        feeds: Vec<String>,
        /// Go on when a source has lost most of its records.
        #[arg(long)]
        allow_removals: bool,
    },
    /// List the feeds.
    List {
        /// Print one JSON object (schema `weir.feeds/v1`).
        #[arg(long)]
        json: bool,
    },
    /// Show what is known: how much, of a package, of a release, or by an id.
    Show {
        /// `name`, `name@version`, or the id of an advisory's record.
        #[arg(value_name = "WHAT")]
        what: Option<String>,
    },
    /// Remove a feed and all its records.
    Remove {
        /// The feed.
        feed: String,
    },
}

/// `weir advisories import`.
#[derive(Debug, Args)]
pub(crate) struct AdvisoriesImport {
    /// A folder (a git checkout, for example), a zip archive, a `.json` file, or an https: or file: address
    /// of one of the latter two.
    pub source: String,
    /// The feed's name; without it, that of the folder or file.
    #[arg(long, value_name = "NAME")]
    pub feed: Option<String>,
    /// The source holds only a part of the feed: keep the records it does not have.
    #[arg(long)]
    pub partial: bool,
    /// Go on when the source has lost most of the feed's records.
    #[arg(long)]
    pub allow_removals: bool,
}

/// `weir trust-root …`.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustRootCommand {
    /// Print whom the trusted root names, where it comes from, and the kept keys of registries.
    Show,
    /// Fetch the trusted root and keys of registries anew, verify their signatures, and keep them.
    Refresh {
        /// A TUF repository (an address, or a folder that mirrors one), or a `trusted_root.json`, which
        /// is taken as it is. Without it Sigstore's public repository.
        #[arg(long, value_name = "FROM")]
        from: Option<String>,
        /// The root metadata (`root.json`) that the repository's chain begins with, instead of those of
        /// Sigstore's public repository that come with weir.
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
    },
    /// Ask the registries in the npm configuration for their keys now.
    Keys,
}

/// `weir known-bad …`.
#[derive(Debug, Subcommand)]
pub(crate) enum KnownBadCommand {
    /// Take in lists of SHA-256 digests, packages (`.tgz`) and files, or folders of them.
    Import {
        /// Files and folders: `.txt`, `.sha256`, `.csv` and `.list` are lists, `.tgz` and `.tar.gz` packages,
        /// everything else is a malicious file as it is.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Only exact copies: remember nothing by which near copies of packages would be known.
        #[arg(long)]
        exact: bool,
    },
    /// List what is known, and where from.
    Show,
    /// Forget digests, the near copies of a package by its name, or all that was taken in from a path.
    Forget {
        /// Digests (a whole SHA-256 digest, as `show` prints it, or its first digits, eight at least), names,
        /// or files and folders as they were given to `import`.
        #[arg(required = true, value_name = "WHAT")]
        what: Vec<String>,
    },
}

/// `weir signals …`.
#[derive(Debug, Subcommand)]
pub(crate) enum SignalsCommand {
    /// One line per signal.
    List,
    /// What one signal sees, why that matters, when it is wrong and what to do.
    Show {
        /// Its id.
        id: String,
    },
}

/// The hidden worker command.
#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// Bytes of memory it may hold.
    #[arg(long)]
    pub memory: u64,
    /// Most bytes a tarball may unpack to.
    #[arg(long, default_value_t = weir_policy::config::Limits::default().unpacked_size.bytes())]
    pub unpacked: u64,
    /// Most files a tarball may hold.
    #[arg(long, default_value_t = weir_policy::config::Limits::default().files.into())]
    pub files: u64,
    /// Step back behind other work.
    #[arg(long)]
    pub background: bool,
    /// Let jobs order a misbehaviour. For tests.
    #[arg(long, hide = true)]
    pub may_misbehave: bool,
}
