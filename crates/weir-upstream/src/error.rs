//! What can go wrong with an upstream, by situation.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::named::is_only_an_authoritys;

/// Who is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The settings on this machine.
    Configuration,
    /// The way to the upstream: names, connections, TLS, time.
    Network,
    /// The upstream answered, and its answer is the trouble.
    Upstream,
    /// What was asked for.
    Request,
}

/// Why an upstream did not give what was asked. Addresses are shown without user, password and
/// query, where secrets travel; credentials are in no variant.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamError {
    /// No registry is configured, and the caller gave no default.
    #[error("no registry is configured: set `registry` in .npmrc or npm_config_registry")]
    NoRegistry,
    /// A registry's address cannot be used.
    #[error("the registry address {address:?}{setting} cannot be used: {why}")]
    Address {
        /// As configured, without user and password.
        address: String,
        /// Which setting it is and where that was found, as ` of key (place)`; empty where nobody set it.
        setting: String,
        /// Why not.
        why: String,
    },
    /// A settings file exists and cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// Configured certificate authorities cannot be used.
    #[error("cannot use the certificate authorities of {origin}: {why}")]
    Certificates {
        /// The setting or file.
        origin: String,
        /// Why not.
        why: String,
    },
    /// A configured client certificate, or its key, cannot be used.
    #[error("cannot use the client certificate of {origin}: {why}")]
    ClientCertificate {
        /// The setting, and the file that it names.
        origin: String,
        /// Why not; nothing of what is in it.
        why: String,
    },
    /// The HTTP client cannot be built.
    #[error("cannot set up HTTP: {why}")]
    Client {
        /// Why not.
        why: String,
    },
    /// 404 or 410.
    #[error("{url}: not found")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// 401 or 403, or any other refusal where credentials were kept back: the upstream does not let us.
    #[error(
        "{url}: the upstream refused with {status}{}",
        refused(*with_credentials, withheld.as_deref())
    )]
    Denied {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// Whether credentials were sent.
        with_credentials: bool,
        /// Why those were not sent that a project's settings have for it.
        withheld: Option<String>,
    },
    /// The upstream ended the connection over the client certificate.
    #[error("{url}: the upstream refused the connection: {why}")]
    Uncertified {
        /// What was asked for.
        url: String,
        /// What it said, what was presented, and where that is set.
        why: String,
    },
    /// Any other answer that is not a success.
    #[error("{url}: the upstream answered {status}{}", meaning(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// How long the upstream asks us to wait, where it says so in seconds.
        retry_after: Option<Duration>,
    },
    /// No connection: name, route, TLS or proxy.
    #[error("{url}: cannot connect: {why}")]
    Connect {
        /// What was asked for.
        url: String,
        /// What the network said.
        why: String,
    },
    /// What answers is not believed to be the upstream, or does not speak TLS: somebody has to set that right.
    #[error("{url}: cannot connect: {why}")]
    Untrusted {
        /// What was asked for.
        url: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// It took too long.
    #[error("{url}: no answer in time")]
    Timeout {
        /// What was asked for.
        url: String,
    },
    /// The answer broke off or cannot be decoded.
    #[error("{url}: the answer is broken: {why}")]
    Body {
        /// What was asked for.
        url: String,
        /// How.
        why: String,
    },
    /// The answer is packed in a way that was not asked for, and that is not read.
    #[error("{url}: the answer is encoded as {encoding:?}, which was not asked for")]
    Encoded {
        /// What was asked for.
        url: String,
        /// How, made printable.
        encoding: String,
    },
    /// The answer is longer than we are willing to read.
    #[error("{url}: the answer is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit, in bytes, decoded.
        limit: u64,
    },
    /// Something else came than what was asked for: a login page, say.
    #[error("{url}: expected {expected}, got {content_type} starting with {start:?}")]
    Unexpected {
        /// What was asked for.
        url: String,
        /// What it should have been.
        expected: &'static str,
        /// What the upstream says it is.
        content_type: String,
        /// Its first 60 characters, made printable.
        start: String,
    },
    /// A redirect that is not followed.
    #[error("{url}: a redirect is not followed: {why}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Why not.
        why: String,
    },
    /// A path that is not handed on.
    #[error("the path {path:?} is not handed on to an upstream")]
    Path {
        /// The path, made printable.
        path: String,
    },
}

/// The status of what no upstream said in so many words: "failed dependency". No client repeats a request that is
/// answered with it.
pub const UNUSABLE: u16 = 424;

impl UpstreamError {
    /// Who is at fault.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::NoRegistry
            | Self::Address { .. }
            | Self::Settings { .. }
            | Self::Certificates { .. }
            | Self::ClientCertificate { .. }
            | Self::Client { .. } => Fault::Configuration,
            Self::Connect { .. } | Self::Untrusted { .. } | Self::Timeout { .. } => Fault::Network,
            Self::NotFound { .. }
            | Self::Denied { .. }
            | Self::Uncertified { .. }
            | Self::Path { .. } => Fault::Request,
            Self::Status { .. }
            | Self::Body { .. }
            | Self::Encoded { .. }
            | Self::TooLarge { .. }
            | Self::Unexpected { .. }
            | Self::Redirect { .. } => Fault::Upstream,
        }
    }

    /// Whether asking again a little later may help. This is also when an older answer may be
    /// served in place of the failed one; "not found" never is (PROTOCOL 3.11, 21).
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } | Self::Body { .. } => true,
            Self::Status { status, .. } => matches!(*status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The status to hand on where asking again changes nothing: the upstream has answered for good, or cannot be
    /// asked as things are set. Clients repeat what fails on a gateway's side for more than a minute.
    #[must_use]
    pub const fn final_status(&self) -> Option<u16> {
        match self {
            Self::NotFound { .. } => Some(404),
            Self::Denied { .. } | Self::Uncertified { .. } => Some(401),
            _ if self.is_temporary() || matches!(self, Self::Timeout { .. }) => None,
            // 407 is a proxy's, and would have clients ask their user about one of theirs.
            Self::Status { status, .. } if matches!(*status, 400..=499) && *status != 407 => {
                Some(*status)
            }
            _ => Some(UNUSABLE),
        }
    }

    /// Whether the upstream has answered for good that there is nothing to be had at this address, if in other words
    /// than "not found": it refuses, redirects in circles, or shows a page.
    pub(crate) const fn leads_nowhere(&self) -> bool {
        match self {
            Self::Denied { .. } | Self::Unexpected { .. } | Self::Redirect { .. } => true,
            Self::Status { .. } => !self.is_temporary(),
            _ => false,
        }
    }

    /// Whether the upstream wants credentials or a client certificate, or other ones.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::Uncertified { .. })
    }

    /// Whether the upstream says that there is no such thing.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

/// What a status means, and what to do about it, where its number does not tell.
const fn meaning(status: u16) -> &'static str {
    match status {
        402 => {
            " (payment required): whoever runs it wants to be paid for this; see your account there"
        }
        407 => " (proxy authentication required): the proxy on the way wants a user and a password",
        423 => " (locked): it does not hand this out at present; ask whoever runs it",
        451 => {
            " (unavailable for legal reasons): it may not hand this out; take another version or another package, or ask \
             whoever runs it"
        }
        _ => "",
    }
}

/// What went along with a request that was refused.
fn refused(with_credentials: bool, withheld: Option<&str>) -> String {
    match withheld {
        _ if with_credentials => ", in spite of credentials".to_owned(),
        Some(why) => format!("; no credentials were sent: {why}"),
        None => "; no credentials are configured for it".to_owned(),
    }
}

/// An address without user, password, query and fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses without a host refuse these; they have no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Sorts what the HTTP client reports into our situations.
pub(crate) fn sort(url: &Url, error: reqwest::Error) -> UpstreamError {
    let error = error.without_url();
    let url = shown(url);
    if error.is_timeout() {
        return UpstreamError::Timeout { url };
    }
    let why = chain(&error);
    if let Some(todo) = beneath(&error).and_then(todo) {
        let why = format!("{why}; {todo}");
        return UpstreamError::Untrusted { url, why };
    }
    if error.is_body() || error.is_decode() {
        UpstreamError::Body { url, why }
    } else {
        // Connections that break before an answer are reported as request errors.
        UpstreamError::Connect { url, why }
    }
}

/// What TLS failed with. It lies within errors of input and output, which give out what is beneath what they hold
/// and not what they hold.
pub(crate) fn beneath(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let held = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

/// What helps against it, where the machine's own settings do.
fn todo(error: &rustls::Error) -> Option<&'static str> {
    use rustls::CertificateError as Wrong;
    use rustls::{Error, InvalidMessage};
    match error {
        Error::InvalidCertificate(Wrong::UnknownIssuer) => Some(
            "no authority that is known here signed it: name yours with `cafile` in .npmrc, which then counts alone, \
             or with NODE_EXTRA_CA_CERTS, which comes beside the system's",
        ),
        Error::InvalidCertificate(
            Wrong::Expired
            | Wrong::ExpiredContext { .. }
            | Wrong::NotValidYet
            | Wrong::NotValidYetContext { .. },
        ) => Some("its certificate is out of date, or the clock of this machine is"),
        Error::InvalidCertificate(
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. },
        ) => Some("the registry's address has to name the host as its certificate does"),
        Error::InvalidCertificate(wrong) if is_only_an_authoritys(wrong) => Some(
            "the certificate is an authority's own: it counts where it is named itself, with `cafile` in .npmrc or \
             with NODE_EXTRA_CA_CERTS",
        ),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("what answers there speaks no TLS: the address may have to begin with http://")
        }
        _ => None,
    }
}

/// An error and what lies beneath it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        inner = error.source();
    }
    weir_model::finding::printable(&text, 400)
}
