//! A Sigstore of our own: a certificate authority, its log, a transparency log, and bundles that verify
//! against the trusted root it gives out. Nobody else's verifier trusts it.

pub(crate) mod certificate;
pub(crate) mod der;
pub(crate) mod key;
mod log;
mod repository;
mod timestamp;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use certificate::Authority;
pub use certificate::Identity;
use key::{Pair, sha256};
pub use log::Kind;
use log::Signed;
pub use repository::TufRepository;
use timestamp::TimeAuthority;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The issuer that GitHub's builds have: a name, never asked.
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// The issuer that GitLab's builds have.
pub const GITLAB: &str = "https://gitlab.com";

/// A test Sigstore, with keys of its own.
pub struct Sigstore {
    authority: Authority,
    log: Pair,
    /// A log of the second generation.
    tiles: Pair,
    clock: TimeAuthority,
    from: Timestamp,
}

/// A registry key for attestations, as `/-/npm/v1/keys` would name it.
pub struct SigningKey {
    pair: Pair,
    /// Its label.
    pub id: String,
}

impl SigningKey {
    /// A fresh key with a label.
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[must_use]
    pub fn generate(id: &str) -> Self {
        Self {
            pair: Pair::generate(),
            id: id.to_owned(),
        }
    }

    /// A fresh key whose label is made from its digest.
    pub(crate) fn labelled_by_digest() -> Self {
        let pair = Pair::generate();
        let id = format!("SHA256:{}", STANDARD_NO_PAD.encode(sha256(&pair.spki)));
        Self { pair, id }
    }

    /// Its public half, in base64.
    #[must_use]
    pub fn public(&self) -> String {
        STANDARD.encode(&self.pair.spki)
    }

    /// Signs a message: DER in base64, as `dist.signatures` has it.
    #[must_use]
    pub fn sign(&self, message: &str) -> String {
        STANDARD.encode(self.pair.sign(message.as_bytes()))
    }

    /// The document of a registry that has this key and no other.
    #[must_use]
    pub fn document(&self, expires: Option<&str>) -> Value {
        json!({"keys": [{
            "expires": expires,
            "keyid": self.id,
            "keytype": "ecdsa-sha2-nistp256",
            "scheme": "ecdsa-sha2-nistp256",
            "key": self.public(),
        }]})
    }
}

impl Sigstore {
    /// A fresh one, in force since 2015.
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[must_use]
    pub fn generate() -> Self {
        let from = crate::package::timestamp("2015-01-01T00:00:00Z");
        Self {
            authority: Authority::generate(from),
            log: Pair::generate(),
            tiles: Pair::generate(),
            clock: TimeAuthority::generate(from),
            from,
        }
    }

    /// The one that all registries of a process share, so that one trusted root serves a whole test.
    pub fn of_process() -> &'static Self {
        static SHARED: std::sync::OnceLock<Sigstore> = std::sync::OnceLock::new();
        SHARED.get_or_init(Self::generate)
    }

    /// What a verifier has to trust, in the form of Sigstore's `trusted_root.json`.
    #[must_use]
    pub fn trusted_root(&self) -> String {
        self.root(true).to_string()
    }

    /// The same from before there was a log of the second generation, and an authority for times.
    #[must_use]
    pub fn older_root(&self) -> String {
        self.root(false).to_string()
    }

    fn root(&self, newer: bool) -> Value {
        let from = json!({"start": self.from.to_string()});
        let log = |pair: &Pair, address: &str| {
            json!({
                "baseUrl": address,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(&pair.spki),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": from,
                },
                "logId": {"keyId": STANDARD.encode(sha256(&pair.spki))},
            })
        };
        let chain = [&self.authority.intermediate, &self.authority.root]
            .map(|certificate| json!({"rawBytes": STANDARD.encode(certificate)}));
        let mut logs = vec![log(&self.log, "https://log.example.invalid")];
        let mut clocks = Vec::new();
        if newer {
            logs.push(log(&self.tiles, "https://tiles.example.invalid"));
            let chain = [&self.clock.leaf, &self.clock.root]
                .map(|certificate| json!({"rawBytes": STANDARD.encode(certificate)}));
            clocks.push(json!({
                "subject": {"organization": "test sigstore", "commonName": "clock"},
                "uri": "https://clock.example.invalid",
                "certChain": {"certificates": chain},
                "validFor": from,
            }));
        }
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": logs,
            "certificateAuthorities": [{
                "subject": {"organization": "test sigstore", "commonName": "intermediate"},
                "uri": "https://ca.example.invalid",
                "certChain": {"certificates": chain},
                "validFor": from,
            }],
            "ctlogs": [log(&self.authority.log, "https://ctlog.example.invalid")],
            "timestampAuthorities": clocks,
        })
    }

    /// Signs a statement as a build does: with a certificate of ten minutes.
    #[must_use]
    pub fn sign(&self, statement: &Value, identity: &Identity, kind: Kind, at: Timestamp) -> Value {
        let pair = Pair::generate();
        let certificate = self.authority.certify(identity, &pair, at);
        let payload = statement.to_string().into_bytes();
        let signature = pair.sign(&encoded(&payload));
        let signed = Signed {
            payload: &payload,
            signature: &signature,
            keyid: "",
            label: "CERTIFICATE",
            verifier: &certificate,
        };
        let certificate = json!({"rawBytes": STANDARD.encode(&certificate)});
        let (version, material) = match kind {
            Kind::Intoto => (
                "application/vnd.dev.sigstore.bundle+json;version=0.2",
                json!({"x509CertificateChain": {"certificates": [
                    certificate,
                    {"rawBytes": STANDARD.encode(&self.authority.intermediate)},
                ]}}),
            ),
            Kind::Dsse | Kind::Rekord => (
                "application/vnd.dev.sigstore.bundle.v0.3+json",
                json!({"certificate": certificate}),
            ),
        };
        self.bundle(version, material, &signed, kind, at)
    }

    /// Signs a statement with a registry's key.
    #[must_use]
    pub fn sign_with_key(
        &self,
        statement: &Value,
        key: &SigningKey,
        kind: Kind,
        at: Timestamp,
    ) -> Value {
        let payload = statement.to_string().into_bytes();
        let signature = key.pair.sign(&encoded(&payload));
        let signed = Signed {
            payload: &payload,
            signature: &signature,
            keyid: &key.id,
            label: "PUBLIC KEY",
            verifier: &key.pair.spki,
        };
        let version = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let material = json!({"publicKey": {"hint": key.id}});
        self.bundle(version, material, &signed, kind, at)
    }

    fn bundle(
        &self,
        version: &str,
        mut material: Value,
        signed: &Signed<'_>,
        kind: Kind,
        at: Timestamp,
    ) -> Value {
        let (log, stamps) = match kind {
            Kind::Intoto | Kind::Dsse => (&self.log, json!([])),
            Kind::Rekord => {
                let stamp = self.clock.stamp(signed.signature, at);
                let stamp = json!({"signedTimestamp": STANDARD.encode(stamp)});
                (&self.tiles, json!([stamp]))
            }
        };
        let entry = log::entry(log, kind, signed, at);
        material["tlogEntries"] = json!([entry]);
        material["timestampVerificationData"] = json!({"rfc3161Timestamps": stamps});
        json!({
            "mediaType": version,
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": STANDARD.encode(signed.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": STANDARD.encode(signed.signature), "keyid": signed.keyid}],
            },
        })
    }
}

/// What an envelope's signature is made over.
fn encoded(payload: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "DSSEv1 {} {PAYLOAD_TYPE} {} ",
        PAYLOAD_TYPE.len(),
        payload.len()
    )
    .into_bytes();
    out.extend(payload);
    out
}
