//! The shape of a bundle, stricter than the library that verifies it: nothing may be in it that no
//! signature covers.
//!
//! A bundle is JSON made from a protocol buffer, whose readers refuse unknown fields. Everything below is
//! either covered by a signature or compared here with something that is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::verifier::Refusal;

/// Most log entries in a bundle; npm's have one.
const MAX_ENTRIES: usize = 4;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Bundle {
    #[serde(rename = "mediaType")]
    _media_type: String,
    verification_material: Material,
    pub(crate) dsse_envelope: Envelope,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    public_key: Option<PublicKey>,
    x509_certificate_chain: Option<Chain>,
    certificate: Option<Certificate>,
    tlog_entries: Vec<Entry>,
    #[serde(rename = "timestampVerificationData")]
    _timestamps: Option<Timestamps>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicKey {
    hint: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    certificates: Vec<Certificate>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Certificate {
    raw_bytes: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Timestamps {
    #[serde(rename = "rfc3161Timestamps")]
    _timestamps: Option<Vec<Timestamp>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Timestamp {
    #[serde(rename = "signedTimestamp")]
    _signed_timestamp: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    log_index: Number,
    log_id: LogId,
    kind_version: KindVersion,
    integrated_time: Option<Number>,
    inclusion_promise: Option<Promise>,
    inclusion_proof: Option<Proof>,
    #[serde(rename = "canonicalizedBody")]
    _canonicalized_body: String,
}

/// A 64-bit number: as text in this form of protocol buffers, as a number from lax writers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(u64),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogId {
    key_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindVersion {
    kind: String,
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Promise {
    #[serde(rename = "signedEntryTimestamp")]
    _signed_entry_timestamp: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Proof {
    log_index: Number,
    root_hash: String,
    tree_size: Number,
    #[serde(rename = "hashes", default)]
    _hashes: Vec<String>,
    checkpoint: Option<Checkpoint>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    envelope: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Envelope {
    pub(crate) payload: String,
    #[serde(rename = "payloadType")]
    _payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    #[serde(rename = "sig")]
    _sig: String,
    #[serde(default)]
    keyid: String,
}

/// What the trusted root names.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The certificates of its authorities, in DER.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// The numbers of its transparency logs.
    pub(crate) logs: Vec<Vec<u8>>,
}

impl Bundle {
    /// Reads a bundle and compares what no signature covers.
    pub(crate) fn read(json: &str, known: &Known) -> Result<Self, Refusal> {
        let bundle: Self =
            serde_json::from_str(json).map_err(|error| Refusal::Shape(error.to_string()))?;
        let material = &bundle.verification_material;
        let kinds = [
            material.public_key.is_some(),
            material.x509_certificate_chain.is_some(),
            material.certificate.is_some(),
        ];
        if kinds.into_iter().filter(|there| *there).count() != 1 {
            return Err(shape("it has to be verified in exactly one way"));
        }
        bundle.check_key()?;
        material.check_chain(&known.certificates)?;
        if material.tlog_entries.is_empty() || material.tlog_entries.len() > MAX_ENTRIES {
            return Err(shape("it needs one to four log entries"));
        }
        for entry in &material.tlog_entries {
            entry.check()?;
            entry.check_generation(known)?;
        }
        Ok(bundle)
    }

    /// The label of the key it is signed with, where that is not a certificate's.
    pub(crate) fn key_label(&self) -> Option<&str> {
        let key = self.verification_material.public_key.as_ref()?;
        Some(&key.hint)
    }

    /// The payload of the envelope.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, Refusal> {
        STANDARD
            .decode(&self.dsse_envelope.payload)
            .map_err(|_| shape("the payload is not base64"))
    }

    /// The envelope names the key that the bundle names, or none.
    fn check_key(&self) -> Result<(), Refusal> {
        let [signature] = self.dsse_envelope.signatures.as_slice() else {
            return Err(shape("the envelope needs exactly one signature"));
        };
        if signature.keyid == self.key_label().unwrap_or_default() {
            Ok(())
        } else {
            Err(shape("the envelope names another key than the bundle"))
        }
    }
}

impl Material {
    /// Certificates behind the first one are only a convenience, so they have to be known ones.
    fn check_chain(&self, known: &[Vec<u8>]) -> Result<(), Refusal> {
        let Some(chain) = &self.x509_certificate_chain else {
            return Ok(());
        };
        if chain.certificates.is_empty() {
            return Err(shape("the certificate chain is empty"));
        }
        for certificate in chain.certificates.iter().skip(1) {
            let bytes = STANDARD
                .decode(&certificate.raw_bytes)
                .map_err(|_| shape("a certificate is not base64"))?;
            if !known.contains(&bytes) {
                return Err(shape(
                    "the chain holds a certificate that is not in the trusted root",
                ));
            }
        }
        Ok(())
    }
}

impl Entry {
    /// The checkpoint is of the log that the entry names, of the size that the proof names, and holds
    /// nothing but signed text and signatures.
    fn check(&self) -> Result<(), Refusal> {
        let Some(proof) = &self.inclusion_proof else {
            // Without either, nothing says that the log has it.
            return self
                .inclusion_promise
                .as_ref()
                .map(|_| ())
                .ok_or_else(|| shape("a log entry has neither a promise nor a proof"));
        };
        let Some(checkpoint) = &proof.checkpoint else {
            return Err(shape("an inclusion proof has no checkpoint"));
        };
        let log = STANDARD
            .decode(&self.log_id.key_id)
            .map_err(|_| shape("a log's number is not base64"))?;
        let (body, lines) = checkpoint
            .envelope
            .split_once("\n\n")
            .ok_or_else(|| shape("a checkpoint has no signature"))?;
        let mut body = body.split('\n');
        let (origin, size, root) = (body.next(), body.next(), body.next());
        let size_agrees = size == Some(proof.tree_size.to_text().as_str());
        if !size_agrees || root != Some(proof.root_hash.as_str()) {
            return Err(shape(
                "the inclusion proof is of another tree than its checkpoint",
            ));
        }
        let name = origin.and_then(|origin| origin.split(' ').next());
        let line = lines
            .strip_suffix('\n')
            .ok_or_else(|| shape("a checkpoint is cut short"))?;
        let mut lines = line.split('\n');
        // The log's own comes first. A second one would be nobody's, as the log's is enough to accept the
        // checkpoint; only logs of the second generation are countersigned by witnesses, by design.
        let own = lines.next().and_then(signature_of);
        let is_own = own.is_some_and(|(by, bytes)| {
            Some(by) == name && bytes.get(..4) == log.get(..4) && log.len() >= 4
        });
        let witnessed =
            lines.all(|line| self.is_second_generation() && signature_of(line).is_some());
        if is_own && witnessed {
            Ok(())
        } else {
            Err(shape(
                "a checkpoint is not signed by the log it is of, alone",
            ))
        }
    }

    /// Whether the log that holds it is one of tiles ("Rekor 2"), which promise nothing and know no times.
    fn is_second_generation(&self) -> bool {
        let KindVersion { kind, version } = &self.kind_version;
        kind == "hashedrekord" && version == "0.0.2"
    }

    /// What differs between the generations of logs: in an entry of the second, what the first one's
    /// promise covers must not be there, and the one index has to be the other.
    fn check_generation(&self, known: &Known) -> Result<(), Refusal> {
        if !self.is_second_generation() {
            return Ok(());
        }
        let log = STANDARD
            .decode(&self.log_id.key_id)
            .map_err(|_| shape("a log's number is not base64"))?;
        if !known.logs.contains(&log) {
            return Err(Refusal::UnknownLog(weir_model::finding::printable(
                &self.log_id.key_id,
                80,
            )));
        }
        let timed = self.integrated_time.as_ref();
        if self.inclusion_promise.is_some() || timed.is_some_and(|time| time.to_text() != "0") {
            return Err(shape(
                "an entry of a log without promises and times has one nevertheless",
            ));
        }
        match &self.inclusion_proof {
            Some(proof) if proof.log_index.to_text() == self.log_index.to_text() => Ok(()),
            Some(_) => Err(shape("the inclusion proof is of another entry")),
            None => Err(shape("a log entry has no proof")),
        }
    }
}

/// Who signed, and what: a line of a signed note.
fn signature_of(line: &str) -> Option<(&str, Vec<u8>)> {
    let (by, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    (!by.is_empty() && bytes.len() > 4).then_some((by, bytes))
}

impl Number {
    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

fn shape(why: &str) -> Refusal {
    Refusal::Shape(why.to_owned())
}
