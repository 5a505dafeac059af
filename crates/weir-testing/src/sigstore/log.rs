//! A transparency log of three entries: the one in the middle is ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::certificate::pem;
use super::key::{Pair, sha256};

/// How a log writes an entry down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `intoto` 0.0.2, as npm's first bundles have it.
    Intoto,
    /// `dsse` 0.0.1, as later ones have it.
    Dsse,
    /// `hashedrekord` 0.0.2, as the second generation of logs has it: without a time of its own.
    Rekord,
}

/// What was signed, and with what.
pub(super) struct Signed<'signed> {
    pub(super) payload: &'signed [u8],
    pub(super) signature: &'signed [u8],
    pub(super) keyid: &'signed str,
    pub(super) label: &'static str,
    pub(super) verifier: &'signed [u8],
}

const ORIGIN: &str = "log.example.invalid - 1234567890";
const NAME: &str = "log.example.invalid";

fn node(left: &[u8], right: &[u8]) -> Vec<u8> {
    sha256(&[&[1], left, right].concat())
}

fn leaf(body: &[u8]) -> Vec<u8> {
    sha256(&[&[0], body].concat())
}

fn digest(bytes: &[u8]) -> Value {
    json!({"algorithm": "sha256", "value": hex::encode(sha256(bytes))})
}

fn body(kind: Kind, signed: &Signed<'_>) -> Value {
    let verifier = STANDARD.encode(pem(signed.label, signed.verifier));
    let signature = STANDARD.encode(signed.signature);
    match kind {
        Kind::Intoto => {
            let mut written = json!({
                "publicKey": verifier,
                // Twice: the log's own way of writing it.
                "sig": STANDARD.encode(&signature),
            });
            if !signed.keyid.is_empty() {
                written["keyid"] = signed.keyid.into();
            }
            json!({"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": {
                "envelope": {
                    "payloadType": super::PAYLOAD_TYPE,
                    "signatures": [written],
                },
                "hash": digest(signed.signature),
                "payloadHash": digest(signed.payload),
            }}})
        }
        Kind::Dsse => json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "envelopeHash": digest(signed.signature),
            "payloadHash": digest(signed.payload),
            "signatures": [{"signature": signature, "verifier": verifier}],
        }}),
        Kind::Rekord => {
            let raw = json!({"rawBytes": STANDARD.encode(signed.verifier)});
            let part = match signed.label {
                "CERTIFICATE" => "x509Certificate",
                _ => "publicKey",
            };
            let encoded = super::encoded(signed.payload);
            json!({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": STANDARD.encode(sha256(&encoded))},
                "signature": {
                    "content": signature,
                    "verifier": {"keyDetails": "PKIX_ECDSA_P256_SHA_256", part: raw},
                },
            }}})
        }
    }
}

/// The log's entry in a bundle: promise, proof and checkpoint.
pub(super) fn entry(log: &Pair, kind: Kind, signed: &Signed<'_>, at: Timestamp) -> Value {
    let body = body(kind, signed).to_string();
    let number = sha256(&log.spki);
    let (index, seconds) = (73_001, at.as_second());
    let promised = format!(
        "{{\"body\":\"{}\",\"integratedTime\":{seconds},\"logID\":\"{}\",\"logIndex\":{index}}}",
        STANDARD.encode(&body),
        hex::encode(&number),
    );
    let (before, after) = (sha256(b"the entry before"), sha256(b"the entry after"));
    let root = node(&node(&before, &leaf(body.as_bytes())), &after);
    let note = format!("{ORIGIN}\n3\n{}\n", STANDARD.encode(&root));
    let mut signature = number[..4].to_vec();
    signature.extend(log.sign(note.as_bytes()));
    let envelope = format!("{note}\n\u{2014} {NAME} {}\n", STANDARD.encode(signature));
    let (kind, version) = match kind {
        Kind::Intoto => ("intoto", "0.0.2"),
        Kind::Dsse => ("dsse", "0.0.1"),
        // The index is the one in the tree, and nothing is promised: the proof is there at once.
        Kind::Rekord => {
            return json!({
                "logIndex": "1",
                "logId": {"keyId": STANDARD.encode(&number)},
                "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
                "inclusionProof": {
                    "logIndex": "1",
                    "rootHash": STANDARD.encode(&root),
                    "treeSize": "3",
                    "hashes": [STANDARD.encode(before), STANDARD.encode(after)],
                    "checkpoint": {"envelope": envelope},
                },
                "canonicalizedBody": STANDARD.encode(&body),
            });
        }
    };
    json!({
        "logIndex": index.to_string(),
        "logId": {"keyId": STANDARD.encode(&number)},
        "kindVersion": {"kind": kind, "version": version},
        "integratedTime": seconds.to_string(),
        "inclusionPromise": {
            "signedEntryTimestamp": STANDARD.encode(log.sign(promised.as_bytes())),
        },
        "inclusionProof": {
            "logIndex": "1",
            "rootHash": STANDARD.encode(&root),
            "treeSize": "3",
            "hashes": [STANDARD.encode(before), STANDARD.encode(after)],
            "checkpoint": {"envelope": envelope},
        },
        "canonicalizedBody": STANDARD.encode(&body),
    })
}
