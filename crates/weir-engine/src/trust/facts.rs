//! What a registry says of a release to verify it by.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use weir_npm::packument::{Packument, Signature};
use weir_npm::version::Version;

/// Versions looked back over for earlier releases with provenance.
const LOOK_BACK: usize = 60;

/// Earlier releases whose provenance is asked for, until that of one holds.
const EARLIER: usize = 3;

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
    /// Whether something stands there that is no signature.
    #[serde(default)]
    pub(crate) odd_signatures: bool,
    /// When it was published.
    pub(crate) published: Option<Timestamp>,
    /// Whether `dist.attestations` announces attestations.
    pub(crate) attested: bool,
    /// Whether what stands there announces nothing that could be read.
    #[serde(default)]
    pub(crate) odd_attestations: bool,
    /// Whether it announces provenance among them.
    pub(crate) provenance: bool,
    /// Whether it says that a trusted publisher published it, and not a token.
    pub(crate) trusted_publisher: bool,
    /// Whether it says that a person approved it before it went out.
    pub(crate) approved: bool,
    /// Earlier releases with provenance: its own claims are compared with those of the first that holds.
    #[serde(default)]
    pub(crate) earlier: Vec<String>,
}

/// Both are read apart from each other and from the rest: what is odd about one takes the other not away.
#[derive(Deserialize)]
struct Manifest<'raw> {
    #[serde(borrow)]
    dist: Option<&'raw RawValue>,
    #[serde(borrow, rename = "_npmUser")]
    user: Option<&'raw RawValue>,
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
        let manifest = match serde_json::from_str::<Manifest<'_>>(raw) {
            Ok(manifest) => Some(manifest),
            Err(_) if raw.trim_start().starts_with('{') => None,
            Err(error) => return Err(format!("{UNREADABLE_ENTRY}: {error}")),
        };
        let user = manifest.as_ref().and_then(|it| it.user);
        let user = user.and_then(|raw| serde_json::from_str::<Map<String, Value>>(raw.get()).ok());
        let dist = manifest.and_then(|manifest| match manifest.dist {
            Some(raw) => serde_json::from_str::<Map<String, Value>>(raw.get()).ok(),
            None => Some(Map::new()),
        });
        // Half a surrogate pair is enough, and clients read on: what stands there may be anything.
        let is_odd = dist.is_none();
        let dist = dist.unwrap_or_default();
        let names = |field| {
            user.as_ref()
                .is_some_and(|user| said(user, field).is_some())
        };
        let text = |field| Some(dist.get(field)?.as_str()?.to_owned());
        let (signatures, odd_signatures) = signatures(said(&dist, "signatures"));
        let announced = said(&dist, "attestations");
        let provenance = announced.and_then(|it| said(it.as_object()?, "provenance"));
        Ok(Self {
            integrity: text("integrity"),
            shasum: text("shasum"),
            signatures,
            odd_signatures: odd_signatures || is_odd,
            published: packument.published(version),
            attested: announced.is_some() || is_odd,
            odd_attestations: is_odd || announced.is_some_and(|it| !it.is_object()),
            provenance: provenance.is_some(),
            trusted_publisher: names("trustedPublisher"),
            approved: names("approver"),
            earlier: match look_back {
                true => earlier(packument, version),
                false => Vec::new(),
            },
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

/// What a field says. What counts as nothing in JavaScript is passed over by clients.
fn said<'v>(object: &'v Map<String, Value>, field: &str) -> Option<&'v Value> {
    object.get(field).filter(|value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    })
}

/// The signatures that can be read, and whether anything there is none.
fn signatures(value: Option<&Value>) -> (Vec<(String, String)>, bool) {
    let Some(value) = value else {
        return (Vec::new(), false);
    };
    let Some(items) = value.as_array() else {
        return (Vec::new(), true);
    };
    let text = |item: &Value, field| Some(item.get(field)?.as_str()?.to_owned());
    let read = |item| Some((text(item, "keyid")?, text(item, "sig")?));
    let signatures: Vec<_> = items.iter().filter_map(read).collect();
    let odd = signatures.len() < items.len();
    (signatures, odd)
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

/// The last releases before that have provenance: those of the same release line first, the newest first. A
/// back-port is compared with its own line.
fn earlier(packument: &Packument, version: &str) -> Vec<String> {
    let line = major(version);
    let has_provenance = |known: &&str| {
        let publication = packument.publication(known);
        publication.is_some_and(|publication| publication.provenance)
    };
    let before = before(packument, version).into_iter().take(LOOK_BACK);
    let (mut own, others): (Vec<&str>, Vec<&str>) = before
        .filter(has_provenance)
        .partition(|known| major(known) == line);
    own.extend(others);
    let first = own.into_iter().take(EARLIER);
    first.map(str::to_owned).collect()
}

/// The releases before one, the last first: by publish time, and where it is not known when one was published, by
/// number. Whoever leaves out times does not keep a release from being compared.
fn before<'p>(packument: &'p Packument, version: &str) -> Vec<&'p str> {
    let number = Version::parse(version).ok();
    let lower = |timed: bool| {
        let entries = packument.versions().iter();
        let entries = entries.filter(move |entry| timed || entry.published().is_none());
        let numbers = entries.filter_map(|entry| {
            let other = Version::parse(&entry.version).ok()?;
            Some((other, entry.version.as_str()))
        });
        let mut lower: Vec<(Version, &str)> = numbers
            .filter(|(other, _)| number.as_ref().is_some_and(|number| other < number))
            .collect();
        lower.sort_by(|(one, _), (other, _)| other.cmp(one));
        lower.into_iter().map(|(_, version)| version)
    };
    if packument.published(version).is_none() {
        return lower(true).collect();
    }
    let order = packument.by_publish_time();
    let at = order.iter().position(|known| *known == version);
    let dated = order.into_iter().take(at.unwrap_or_default());
    let mut before: Vec<&str> = dated.collect();
    before.reverse();
    before.extend(lower(false));
    before
}

fn major(version: &str) -> Option<u64> {
    Version::parse(version).ok().map(|version| version.major())
}

#[cfg(test)]
mod tests;
