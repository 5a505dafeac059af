//! A release beside the one before it: what every signal that compares contents shares. The
//! weights here are those of something *new*; what a package has always done is quiet.

use weir_model::contents::{
    Binary, Capability, CapabilityKind, Flow, HiddenKind, HiddenText, Host, HostClass, Obfuscated,
    SinkKind, SourceKind, Surface,
};
use weir_model::{Contents, Difference, Evidence, Severity};
use weir_npm::version::Version;

use crate::history::own_shrinkwrap;

/// Releases older than this are not compared by their contents, so that a lockfile of last year
/// costs no second download: of the hijacked releases on record nearly all were found within
/// hours, the slowest within three months (INCIDENTS I03).
pub(crate) const COMPARED_DAYS: i64 = 90;

/// A line of code of this length, in bytes, is one that no person wrote or reads (DETECTION section
/// 3, rank 11).
pub(crate) const LONG_LINE: u64 = 500_000;

/// The contents of a release and of the one before it.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// What is different.
    pub difference: Difference<'a>,
    /// What the earlier release is called.
    pub version: String,
    /// Whether semver announces a break between the two: another major version, or another minor
    /// one below 1.0.0. New abilities are to be expected there, and weigh less.
    pub leap: bool,
}

impl<'a> Comparison<'a> {
    /// Compares the contents of `current` with those of `previous`.
    #[must_use]
    pub fn new(
        (previous, before): (&str, &'a Contents),
        (current, after): (&str, &'a Contents),
    ) -> Self {
        Self {
            difference: Difference::between(before, after),
            version: previous.to_owned(),
            leap: is_leap(previous, current),
        }
    }

    /// What something new weighs, given that it may have been announced.
    pub(crate) fn weigh(&self, severity: Severity) -> Severity {
        match (self.leap, severity) {
            (false, severity) => severity,
            (true, Severity::Critical) => Severity::Medium,
            (true, Severity::High) => Severity::Low,
            (true, _) => Severity::Info,
        }
    }
}

/// Whether a version is above the one that it is compared with; of what is no version nobody knows that it is not.
pub(crate) fn is_forward(previous: &str, current: &str) -> bool {
    match (Version::parse(previous), Version::parse(current)) {
        (Ok(previous), Ok(current)) => previous.precedence(&current).is_lt(),
        _ => true,
    }
}

/// Whether semver announces a break from one version to the other.
pub(crate) fn is_leap(previous: &str, current: &str) -> bool {
    let (Ok(previous), Ok(current)) = (Version::parse(previous), Version::parse(current)) else {
        return false;
    };
    let line = |version: &Version| match version.major() {
        0 => (0, version.minor()),
        major => (major, 0),
    };
    line(&current) > line(&previous)
}

/// Whether the version says that nothing but fixes came.
#[must_use]
pub fn is_patch(previous: &str, current: &str) -> bool {
    let (Ok(previous), Ok(current)) = (Version::parse(previous), Version::parse(current)) else {
        return false;
    };
    (previous.major(), previous.minor()) == (current.major(), current.minor())
}

/// Whether there is anything in the contents that would be a finding if the previous release did
/// not have it. Only then is the previous tarball worth fetching.
#[must_use]
pub fn is_worth_comparing(contents: &Contents) -> bool {
    let counts = |severity: Severity| severity > Severity::Info;
    contents
        .capabilities
        .iter()
        .any(|it| counts(of_capability(it)))
        || contents.hosts.iter().any(|it| counts(of_host(it)))
        || contents.flows.iter().any(|it| counts(of_flow(it)))
        || contents.binaries.iter().any(|it| counts(of_binary(it)))
        || contents.hidden.iter().any(|it| counts(of_hidden(it)))
        || contents
            .obfuscated
            .iter()
            .any(|it| counts(of_obfuscated(it)))
        || contents
            .files
            .iter()
            .any(|file| file.surface.is_some() && file.longest_line >= LONG_LINE)
        || own_shrinkwrap::is_worth_comparing(contents)
}

/// What a new ability weighs, by where it runs. Reading the environment or facts about the host
/// is next to nothing by itself; where it goes is a flow.
pub(crate) fn of_capability(capability: &Capability) -> Severity {
    use CapabilityKind as Kind;
    let [install, import, command] = match capability.kind {
        // Honest install scripts and libraries alike have little reason for these.
        Kind::SecretFiles
        | Kind::WritesPackages
        | Kind::Publishes
        | Kind::DetachedProcess
        | Kind::Persists
        | Kind::RemovesHome
        | Kind::RemovesItself
        | Kind::DrivesAgents => [Severity::High, Severity::Medium, Severity::Info],
        Kind::Clipboard | Kind::Wallet | Kind::WrapsRequests | Kind::DisablesTls => {
            [Severity::High, Severity::Low, Severity::Info]
        }
        // Who has the other host decides from then on what runs in the pages of all users.
        Kind::RemoteScript => [Severity::High, Severity::Medium, Severity::Info],
        // What installers do, and libraries seldom begin to do in a patch.
        Kind::Network | Kind::Process | Kind::DynamicCode | Kind::WritesOutside => {
            [Severity::Medium, Severity::Low, Severity::Info]
        }
        Kind::Dns => [Severity::Medium, Severity::Low, Severity::Info],
        Kind::Removes => [Severity::Low, Severity::Info, Severity::Info],
        Kind::Native | Kind::Environment | Kind::HostFacts => {
            [Severity::Info, Severity::Info, Severity::Info]
        }
    };
    by_surface(capability.surface, install, import, command)
}

/// What a new host weighs, by its kind and by where the code runs that talks to it.
pub(crate) fn of_host(host: &Host) -> Severity {
    let [install, import, command] = match host.class {
        HostClass::Tunnel | HostClass::Paste | HostClass::CloudMetadata => {
            [Severity::High, Severity::Medium, Severity::Info]
        }
        HostClass::Webhook | HostClass::RawAddress | HostClass::ChainRpc => {
            [Severity::High, Severity::Low, Severity::Info]
        }
        HostClass::Throwaway => [Severity::High, Severity::Medium, Severity::Low],
        HostClass::Other => [Severity::Low, Severity::Info, Severity::Info],
        HostClass::Local => [Severity::Info, Severity::Info, Severity::Info],
    };
    by_surface(host.surface, install, import, command)
}

/// What a new flow weighs, by what travels and where it goes.
pub(crate) fn of_flow(flow: &Flow) -> Severity {
    use SinkKind as Sink;
    use SourceKind as Source;
    let leaves = flow.sink.leaves();
    let runs = matches!(
        flow.sink,
        Sink::DynamicCode | Sink::Process | Sink::ProgramFile
    );
    let stays = matches!(
        flow.sink,
        Sink::Persistence | Sink::OtherPackage | Sink::Wallet
    );
    let [install, import, command] = match flow.source {
        Source::KeyArgument
        | Source::CredentialFile
        | Source::WalletOrProfile
        | Source::CloudMetadata
        | Source::ProcessMemory
        | Source::CredentialTool
            if leaves =>
        {
            [Severity::High, Severity::High, Severity::Low]
        }
        Source::Environment | Source::Clipboard | Source::Overheard if leaves => {
            [Severity::High, Severity::Medium, Severity::Low]
        }
        Source::SecretVariable if leaves => [Severity::Medium, Severity::Info, Severity::Info],
        Source::HostFacts if leaves => [Severity::Medium, Severity::Info, Severity::Info],
        Source::Fetched if runs || stays => [Severity::Medium, Severity::Medium, Severity::Low],
        Source::Decoded if runs => [Severity::Medium, Severity::Medium, Severity::Info],
        _ if stays => [Severity::Medium, Severity::Low, Severity::Info],
        _ => [Severity::Info, Severity::Info, Severity::Info],
    };
    by_surface(flow.surface, install, import, command)
}

/// What a new binary weighs. Where prebuilt addons are kept, an addon is what one expects.
pub(crate) fn of_binary(binary: &Binary) -> Severity {
    use weir_model::contents::BinaryFormat as Format;
    if binary.disguise.is_some() || binary.format == Format::NotText {
        return Severity::Medium;
    }
    match binary.format {
        format if format.is_program() && !binary.usual_place => Severity::Medium,
        Format::JavaClass | Format::PythonBytecode | Format::Archive if !binary.usual_place => {
            Severity::Low
        }
        _ => Severity::Info,
    }
}

/// What new hidden text weighs.
pub(crate) fn of_hidden(hidden: &HiddenText) -> Severity {
    match (hidden.surface, hidden.kind) {
        (None | Some(Surface::Unreferenced), _) => Severity::Info,
        (Some(_), HiddenKind::OffScreen | HiddenKind::VariationSelectors) => Severity::High,
        (Some(_), HiddenKind::Bidi) => Severity::Medium,
        // One such character comes with text pasted from a page.
        (Some(_), HiddenKind::Invisible) => Severity::Low,
    }
}

/// What new obfuscation weighs.
pub(crate) fn of_obfuscated(obfuscated: &Obfuscated) -> Severity {
    by_surface(
        obfuscated.surface,
        Severity::High,
        Severity::Medium,
        Severity::Low,
    )
}

const fn by_surface(
    surface: Surface,
    install: Severity,
    import: Severity,
    command: Severity,
) -> Severity {
    match surface {
        Surface::Install => install,
        Surface::Import | Surface::Worker => import,
        Surface::Command => command,
        Surface::Unreferenced => Severity::Info,
    }
}

/// A place as evidence.
pub(crate) fn at(place: &weir_model::contents::Place) -> Evidence {
    Evidence::place(&place.path, Some(place.line), &place.snippet)
}

/// The part of a host's name that somebody registered, as nearly as can be told without a list of
/// public suffixes: the last two labels, three where the second to last is as short as `co` in
/// `co.uk`. Numeric addresses stay whole.
pub(crate) fn registered(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    if host.contains(':')
        || host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return host;
    }
    let dots: Vec<usize> = host.match_indices('.').map(|(at, _)| at).collect();
    let from = |nth: usize| {
        dots.len()
            .checked_sub(nth)
            .and_then(|index| dots.get(index))
            .map_or(0, |at| at + 1)
    };
    let second_to_last = host
        .get(from(2)..)
        .and_then(|rest| rest.split('.').next())
        .unwrap_or_default();
    let start = if second_to_last.len() <= 3 && dots.len() >= 2 {
        from(3)
    } else {
        from(2)
    };
    host.get(start..).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaps_are_what_semver_announces() {
        for (previous, current, leap) in [
            ("1.4.0", "1.4.1", false),
            ("1.4.0", "1.5.0", false),
            ("1.4.0", "2.0.0", true),
            ("2.0.0", "1.4.1", false),
            ("0.4.0", "0.4.1", false),
            ("0.4.0", "0.5.0", true),
            ("0.9.0", "1.0.0", true),
            ("1.0.0-rc.1", "1.0.0", false),
            ("no version", "2.0.0", false),
        ] {
            assert_eq!(is_leap(previous, current), leap, "{previous} {current}");
        }
    }

    #[test]
    fn hosts_belong_to_who_registered_them() {
        for (host, registered_part) in [
            ("api.acme.example", "acme.example"),
            ("acme.example", "acme.example"),
            ("a.b.acme.example", "acme.example"),
            ("api.acme.co.uk", "acme.co.uk"),
            ("acme.co.uk", "acme.co.uk"),
            ("localhost", "localhost"),
            ("192.0.2.7", "192.0.2.7"),
            ("::1", "::1"),
            ("", ""),
            ("..", ""),
        ] {
            assert_eq!(registered(host), registered_part, "{host}");
        }
    }
}
