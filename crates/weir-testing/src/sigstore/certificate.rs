//! Certificates as Sigstore's authority gives them to builds, with the certificate log's receipt inside.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::der::{bits, integer, octets, oid, sequence, set, text, time, tlv, truth};
use super::key::{Pair, sha256};

pub(super) const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";
const FULCIO: &str = "1.3.6.1.4.1.57264.1";
const RECEIPTS: &str = "1.3.6.1.4.1.11129.2.4.2";

/// Who a certificate is given to.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The issuer of the build's identity token.
    pub issuer: String,
    /// The address in the certificate's subject: the workflow that signs.
    pub subject: String,
    /// Claims by the last number of their object identifier, 9 to 24.
    pub claims: Vec<(u8, String)>,
}

impl Identity {
    /// Replaces or adds a claim.
    #[must_use]
    pub fn claim(mut self, number: u8, value: impl Into<String>) -> Self {
        self.claims.retain(|(known, _)| *known != number);
        self.claims.push((number, value.into()));
        self
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without(mut self, number: u8) -> Self {
        self.claims.retain(|(known, _)| *known != number);
        self
    }
}

pub(super) fn name(common: &str) -> Vec<u8> {
    let part = |kind: &str, value: &str| set(&[sequence(&[oid(kind), text(value)])]);
    sequence(&[part("2.5.4.10", "test sigstore"), part("2.5.4.3", common)])
}

pub(crate) fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(id)];
    if critical {
        parts.push(truth());
    }
    parts.push(octets(value));
    sequence(&parts)
}

pub(crate) struct Body<'body> {
    pub(crate) serial: u8,
    pub(crate) issuer: &'body str,
    pub(crate) subject: Option<&'body str>,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) key: &'body [u8],
    pub(crate) extensions: &'body [Vec<u8>],
}

impl Body<'_> {
    pub(crate) fn to_der(&self) -> Vec<u8> {
        sequence(&[
            tlv(0xa0, &integer(&[2])),
            integer(&[self.serial]),
            sequence(&[oid(ECDSA_WITH_SHA256)]),
            name(self.issuer),
            sequence(&[time(self.from), time(self.until)]),
            self.subject.map_or_else(|| sequence(&[]), name),
            self.key.to_vec(),
            tlv(0xa3, &sequence(self.extensions)),
        ])
    }
}

pub(crate) fn signed(body: Vec<u8>, by: &Pair) -> Vec<u8> {
    let signature = by.sign(&body);
    sequence(&[
        body,
        sequence(&[oid(ECDSA_WITH_SHA256)]),
        bits(0, &signature),
    ])
}

/// A certificate authority of two steps, and the certificate log it reports to.
pub(super) struct Authority {
    pub(super) root: Vec<u8>,
    pub(super) intermediate: Vec<u8>,
    signer: Pair,
    pub(super) log: Pair,
}

impl Authority {
    pub(super) fn generate(from: Timestamp) -> Self {
        let (top, signer) = (Pair::generate(), Pair::generate());
        let until = crate::package::timestamp("2049-01-01T00:00:00Z");
        let authority = |serial, subject, key: &Pair| {
            let extensions = [
                extension("2.5.29.15", true, &bits(1, &[0x06])),
                extension("2.5.29.19", true, &sequence(&[truth()])),
            ];
            let body = Body {
                serial,
                issuer: "root",
                subject: Some(subject),
                from,
                until,
                key: &key.spki,
                extensions: &extensions,
            };
            signed(body.to_der(), &top)
        };
        Self {
            root: authority(1, "root", &top),
            intermediate: authority(2, "intermediate", &signer),
            signer,
            log: Pair::generate(),
        }
    }

    /// Gives a build a certificate of ten minutes.
    pub(super) fn certify(&self, identity: &Identity, key: &Pair, at: Timestamp) -> Vec<u8> {
        let mut extensions = vec![
            extension("2.5.29.15", true, &bits(7, &[0x80])),
            extension("2.5.29.37", false, &sequence(&[oid("1.3.6.1.5.5.7.3.3")])),
            extension(
                "2.5.29.17",
                true,
                &sequence(&[tlv(0x86, identity.subject.as_bytes())]),
            ),
            extension(&format!("{FULCIO}.8"), false, &text(&identity.issuer)),
        ];
        for (number, value) in &identity.claims {
            extensions.push(extension(
                &format!("{FULCIO}.{number}"),
                false,
                &text(value),
            ));
        }
        let from = at - SignedDuration::from_secs(60);
        let body = |extensions: &[Vec<u8>]| {
            let body = Body {
                serial: 3,
                issuer: "intermediate",
                subject: None,
                from,
                until: at + SignedDuration::from_secs(540),
                key: &key.spki,
                extensions,
            };
            body.to_der()
        };
        let receipt = self.receipt(&body(&extensions), from);
        extensions.push(extension(RECEIPTS, false, &octets(&receipt)));
        signed(body(&extensions), &self.signer)
    }

    /// The log's receipt for a certificate without one (RFC 6962, section 3.2).
    fn receipt(&self, body: &[u8], at: Timestamp) -> Vec<u8> {
        let millis = u64::try_from(at.as_millisecond()).expect("a time after 1970");
        let mut message = vec![0, 0];
        message.extend(millis.to_be_bytes());
        message.extend([0, 1]);
        message.extend(sha256(&self.signer.spki));
        let length = u32::try_from(body.len()).expect("a certificate is small");
        message.extend(&length.to_be_bytes()[1..]);
        message.extend(body);
        message.extend([0, 0]);
        let signature = self.log.sign(&message);
        let mut receipt = vec![0];
        receipt.extend(sha256(&self.log.spki));
        receipt.extend(millis.to_be_bytes());
        receipt.extend([0, 0, 4, 3]);
        receipt.extend(short(&signature));
        short(&short(&receipt))
    }
}

/// Bytes behind their length in two bytes.
fn short(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a receipt is small");
    let mut out = length.to_be_bytes().to_vec();
    out.extend(bytes);
    out
}

/// As PEM writes it.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
