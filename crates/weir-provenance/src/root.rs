//! What a trusted root names, for people to read.

use jiff::Timestamp;
use sigstore_trust_root::{SigstoreInstance, TrustedRoot};

use crate::verifier::Refusal;

/// Somebody whom a trusted root names, and when they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What they do: authority, log, certificate log, clock.
    pub role: &'static str,
    /// Their address.
    pub address: String,
    /// From when on they count.
    pub from: Option<Timestamp>,
    /// Until when, if that is over or planned.
    pub until: Option<Timestamp>,
}

/// Everybody whom a trusted root names; of the one that comes with weir, where none is given.
///
/// # Errors
/// [`Refusal::Root`].
pub fn named(root: Option<&str>) -> Result<Vec<Named>, Refusal> {
    let root = match root {
        Some(json) => TrustedRoot::from_json(json),
        None => TrustedRoot::from_embedded(SigstoreInstance::PublicGood),
    };
    let root = root.map_err(|error| Refusal::Root(error.to_string()))?;
    let mut named = Vec::new();
    let mut add = |role, address: &str, window: Option<sigstore_types::TimeRange>| {
        named.push(Named {
            role,
            address: weir_model::finding::printable(address, 200),
            from: window.map(|window| window.start),
            until: window.and_then(|window| window.end),
        });
    };
    for authority in &root.certificate_authorities {
        add("certificate authority", &authority.uri, authority.valid_for);
    }
    for log in &root.tlogs {
        add("transparency log", &log.base_url, log.public_key.valid_for);
    }
    for log in &root.ctlogs {
        add("certificate log", &log.base_url, log.public_key.valid_for);
    }
    for clock in &root.timestamp_authorities {
        let address = clock.uri.as_deref().unwrap_or("(without an address)");
        add("timestamp authority", address, clock.valid_for);
    }
    Ok(named)
}
