//! A timestamping authority (RFC 3161): says when it saw a signature.

use jiff::Timestamp;

use super::certificate::{Body, ECDSA_WITH_SHA256, extension, name, signed};
use super::der::{bits, generalized, integer, octets, oid, sequence, set, tlv};
use super::key::{Pair, sha256};

const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// Under which rules it stamps: nobody's.
const RULES: &str = "1.3.6.1.4.1.57264.2";

/// The number of its certificate.
const SERIAL: u8 = 5;

/// The authority: a certificate that signs stamps, and the root above it.
pub(super) struct TimeAuthority {
    pub(super) root: Vec<u8>,
    pub(super) leaf: Vec<u8>,
    signer: Pair,
}

impl TimeAuthority {
    pub(super) fn generate(from: Timestamp) -> Self {
        let (top, signer) = (Pair::generate(), Pair::generate());
        let until = crate::package::timestamp("2049-01-01T00:00:00Z");
        let certificate = |serial, subject, key: &Pair, extensions: &[Vec<u8>]| {
            let body = Body {
                serial,
                issuer: "clock root",
                subject: Some(subject),
                from,
                until,
                key: &key.spki,
                extensions,
            };
            signed(body.to_der(), &top)
        };
        let authority = [
            extension("2.5.29.15", true, &bits(1, &[0x06])),
            extension("2.5.29.19", true, &sequence(&[super::der::truth()])),
        ];
        let stamping = [
            extension("2.5.29.15", true, &bits(7, &[0x80])),
            extension("2.5.29.37", true, &sequence(&[oid(TIME_STAMPING)])),
        ];
        Self {
            root: certificate(4, "clock root", &top, &authority),
            leaf: certificate(SERIAL, "clock", &signer, &stamping),
            signer,
        }
    }

    /// Its answer for a signature it is shown.
    pub(super) fn stamp(&self, signature: &[u8], at: Timestamp) -> Vec<u8> {
        let digest = sequence(&[oid(SHA256)]);
        let seen = sequence(&[
            integer(&[1]),
            oid(RULES),
            sequence(&[digest.clone(), octets(&sha256(signature))]),
            integer(&[7]),
            generalized(at),
        ]);
        let attribute = |kind: &str, value: Vec<u8>| sequence(&[oid(kind), set(&[value])]);
        let attributes = [
            attribute(CONTENT_TYPE, oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, octets(&sha256(&seen))),
        ];
        let signature = self.signer.sign(&set(&attributes));
        let signer = sequence(&[
            integer(&[1]),
            sequence(&[name("clock root"), integer(&[SERIAL])]),
            digest.clone(),
            tlv(0xa0, &attributes.concat()),
            sequence(&[oid(ECDSA_WITH_SHA256)]),
            octets(&signature),
        ]);
        let data = sequence(&[
            integer(&[3]),
            set(&[digest]),
            sequence(&[oid(TST_INFO), tlv(0xa0, &octets(&seen))]),
            set(&[signer]),
        ]);
        let token = sequence(&[oid(SIGNED_DATA), tlv(0xa0, &data)]);
        let granted = sequence(&[tlv(0x02, &[0])]);
        sequence(&[granted, token])
    }
}
