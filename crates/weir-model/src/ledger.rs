//! The append-only record of what was decided and what was served to whom.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Action;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerEvent {
    /// A tarball was handed to a client.
    Served,
    /// A tarball, version document or packument was refused.
    Refused,
    /// A release was assessed and decided on.
    Decided,
}

impl LedgerEvent {
    /// The name as printed and as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Refused => "refused",
            Self::Decided => "decided",
        }
    }
}

impl std::str::FromStr for LedgerEvent {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "served" => Ok(Self::Served),
            "refused" => Ok(Self::Refused),
            "decided" => Ok(Self::Decided),
            other => Err(format!(
                "{other:?} is not a ledger event; one of: served, refused, decided"
            )),
        }
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// When.
    pub time: Timestamp,
    /// What happened.
    pub event: LedgerEvent,
    /// Package name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Integrity of the tarball, where known.
    pub integrity: Option<String>,
    /// The client: peer address and user agent, or `weir inspect`.
    pub client: String,
    /// The decision in force.
    pub action: Action,
    /// The refusal's id, where there was one.
    pub block_id: Option<String>,
    /// Where the bytes came from, or any other remark: `cache`, `upstream`, `stale`.
    pub note: Option<String>,
}
