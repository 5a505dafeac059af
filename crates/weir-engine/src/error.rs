//! Why the engine could not answer.

use weir_npm::packument::PackumentError;
use weir_store::StoreError;
use weir_upstream::UpstreamError;

use crate::flight::BrokenOff;

/// Why the engine could not answer. A refusal by policy is not an error.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The upstream has no such package.
    #[error("{name} is not found on {upstream}")]
    NoSuchPackage {
        /// The package.
        name: String,
        /// The upstream asked.
        upstream: String,
    },
    /// The package has no such version.
    #[error("{name} has no version {version}")]
    NoSuchVersion {
        /// The package.
        name: String,
        /// The version or file asked for.
        version: String,
    },
    /// The upstream wants credentials, or other ones.
    #[error("{upstream} refuses access to {name}: {why}")]
    Denied {
        /// The package.
        name: String,
        /// The upstream asked.
        upstream: String,
        /// What it said.
        why: String,
    },
    /// The upstream has answered, for good, that it does not hand this out.
    #[error("{what} could not be had from the upstream: {why}")]
    Declined {
        /// What was asked for.
        what: String,
        /// What it said.
        why: String,
        /// Its status, of those that say so.
        status: u16,
    },
    /// The upstream did not answer, or with something else than asked for.
    #[error("{what} could not be had from the upstream: {why}")]
    Upstream {
        /// What was asked for.
        what: String,
        /// What went wrong.
        why: String,
    },
    /// The upstream's packument cannot be used.
    #[error("the packument of {name} is not usable: {why}")]
    BadPackument {
        /// The package.
        name: String,
        /// What is wrong, and where.
        why: String,
    },
    /// The operator's own rules cannot be used.
    #[error("rules.folder: {0}")]
    Rules(String),
    /// Releases cannot be verified at all.
    #[error("{0}")]
    Trust(String),
    /// An audit ended before it had an answer.
    #[error("the audit could not be carried out: {0}")]
    Audit(String),
    /// The data folder fails.
    #[error("the data folder fails: {0}")]
    Store(String),
}

impl EngineError {
    pub(crate) fn packument(name: &str, error: &PackumentError) -> Self {
        Self::BadPackument {
            name: name.to_owned(),
            why: error.to_string(),
        }
    }

    pub(crate) fn upstream(what: &str, upstream: &str, error: &UpstreamError) -> Self {
        if error.is_not_found() {
            return Self::NoSuchPackage {
                name: what.to_owned(),
                upstream: upstream.to_owned(),
            };
        }
        if error.is_denied() {
            return Self::Denied {
                name: what.to_owned(),
                upstream: upstream.to_owned(),
                why: error.to_string(),
            };
        }
        match error.final_status() {
            Some(status) => Self::Declined {
                what: what.to_owned(),
                why: error.to_string(),
                status,
            },
            None => Self::Upstream {
                what: what.to_owned(),
                why: error.to_string(),
            },
        }
    }

    /// The same for the tarball of a release: where that is not to be had, the release is there all the same.
    pub(crate) fn download(what: String, broken: &BrokenOff) -> Self {
        let why = broken.why.to_string();
        match broken.status {
            Some(status) => Self::Declined { what, why, status },
            None => Self::Upstream { what, why },
        }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}
