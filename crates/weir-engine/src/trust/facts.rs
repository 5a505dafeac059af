//! What a registry says of a release to verify it by.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_npm::packument::{Packument, Signature};
use weir_npm::version::Version;

/// Versions looked back over for an earlier release with provenance.
const LOOK_BACK: usize = 60;

/// Other releases whose attestations are asked for where those of one are missing.
const OTHERS: usize = 3;

/// Why nothing is known of a package that its registry does not have.
pub const NO_SUCH_PACKAGE: &str = "the registry has no such package";

/// Why nothing is known of a release that its registry does not list.
pub const NO_SUCH_VERSION: &str = "the registry has no such version";

/// How the reason begins where a registry's own entry cannot be read.
pub const UNREADABLE_ENTRY: &str = "the registry's entry cannot be read";

/// What is needed to verify a release, as the registry wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// `dist.integrity`, to the letter: it is part of what is signed.
    pub(crate) integrity: Option<String>,
    /// `dist.shasum`, which no signature covers. Records of an older weir do not have it.
    #[serde(default)]
    pub(crate) shasum: Option<String>,
    /// `dist.signatures`: label and signature.
    pub(crate) signatures: Vec<(String, String)>,
    /// When it was published.
    pub(crate) published: Option<Timestamp>,
    /// Whether `dist.attestations` announces attestations.
    pub(crate) attested: bool,
    /// Whether it announces provenance among them.
    pub(crate) provenance: bool,
    /// Whether it says that a trusted publisher published it, and not a token.
    pub(crate) trusted_publisher: bool,
    /// Whether it says that a person approved it before it went out.
    pub(crate) approved: bool,
    /// The earlier release whose claims its own are compared with.
    pub(crate) before: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    dist: Dist,
    #[serde(rename = "_npmUser")]
    user: Option<Lenient>,
}

/// Who published it; whatever else stands there says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient {
    User(User),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    trusted_publisher: Option<serde::de::IgnoredAny>,
    approver: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct Dist {
    integrity: Option<String>,
    // Whatever else stands there is nothing to compare with.
    shasum: Option<serde_json::Value>,
    #[serde(default)]
    signatures: Vec<WrittenSignature>,
    attestations: Option<Announced>,
}

#[derive(Deserialize)]
struct WrittenSignature {
    keyid: String,
    sig: String,
}

#[derive(Deserialize)]
struct Announced {
    provenance: Option<serde::de::IgnoredAny>,
}

impl Facts {
    /// Reads them from a packument, looking back for a release to compare with only where that is wanted:
    /// it parses others.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub(crate) fn read(
        packument: &Packument,
        version: &str,
        look_back: bool,
    ) -> Result<Self, String> {
        let raw = packument
            .version_raw(version)
            .ok_or_else(|| NO_SUCH_VERSION.to_owned())?;
        let Manifest { dist, user } =
            serde_json::from_str(raw).map_err(|error| format!("{UNREADABLE_ENTRY}: {error}"))?;
        let provenance = dist
            .attestations
            .as_ref()
            .is_some_and(|announced| announced.provenance.is_some());
        let signatures = dist.signatures.into_iter();
        let (trusted_publisher, approved) = match user {
            Some(Lenient::User(user)) => {
                (user.trusted_publisher.is_some(), user.approver.is_some())
            }
            Some(Lenient::Other(_)) | None => (false, false),
        };
        Ok(Self {
            integrity: dist.integrity,
            shasum: dist.shasum.and_then(|it| Some(it.as_str()?.to_owned())),
            signatures: signatures.map(|it| (it.keyid, it.sig)).collect(),
            published: packument.published(version),
            attested: dist.attestations.is_some(),
            provenance,
            trusted_publisher,
            approved,
            before: look_back.then(|| before(packument, version)).flatten(),
        })
    }

    /// The signatures as the verifier takes them.
    pub(crate) fn signatures(&self) -> Vec<Signature> {
        let pairs = self.signatures.iter();
        pairs
            .map(|(keyid, sig)| Signature {
                keyid: keyid.clone(),
                sig: sig.clone(),
            })
            .collect()
    }
}

/// Other releases that announce attestations, newest first: a few of the last ones.
pub(super) fn other_attested(packument: &Packument, version: &str) -> Vec<String> {
    let order = packument.by_publish_time();
    let others = order.iter().rev().filter(|known| **known != version);
    let attested = others.take(LOOK_BACK).filter(|known| {
        let facts = Facts::read(packument, known, false);
        facts.is_ok_and(|facts| facts.attested)
    });
    let attested = attested.take(OTHERS);
    attested.map(|known| (*known).to_owned()).collect()
}

/// The release before that has provenance: the last one of the same release line, else the last one, by
/// publish time. A back-port is compared with its own line.
fn before(packument: &Packument, version: &str) -> Option<String> {
    let order = packument.by_publish_time();
    let at = order.iter().position(|known| *known == version)?;
    let line = major(version);
    let earlier = order.get(..at)?.iter().rev().take(LOOK_BACK);
    let mut with = earlier.filter(|known| {
        packument
            .publication(known)
            .is_some_and(|publication| publication.provenance)
    });
    let first = with.next()?;
    if major(first) == line {
        return Some((*first).to_owned());
    }
    let same = with.find(|known| major(known) == line);
    Some((*same.unwrap_or(first)).to_owned())
}

fn major(version: &str) -> Option<u64> {
    Version::parse(version).ok().map(|version| version.major())
}
