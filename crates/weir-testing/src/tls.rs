//! Certificates for TLS on loopback: an authority that nobody else trusts, and what it gives to servers and
//! clients, in PEM as settings want it.

use crate::sigstore::certificate::{Body, extension, pem, signed};
use crate::sigstore::der::{bits, oid, sequence, tlv, truth};
use crate::sigstore::key::Pair;

const SERVES: &str = "1.3.6.1.5.5.7.3.1";
const ASKS: &str = "1.3.6.1.5.5.7.3.2";

/// A certificate authority.
pub struct TlsAuthority {
    name: String,
    pair: Pair,
    certificate: Vec<u8>,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    /// The certificate.
    pub certificate: String,
    /// The key in PKCS#8.
    pub key: String,
    /// The same key in the form that is for elliptic curves only.
    pub ec_key: String,
}

impl TlsAuthority {
    /// A fresh one, in force from 2015 to 2049.
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[must_use]
    pub fn generate(name: &str) -> Self {
        let pair = Pair::generate();
        let extensions = [
            extension("2.5.29.15", true, &bits(1, &[0x06])),
            extension("2.5.29.19", true, &sequence(&[truth()])),
        ];
        let certificate = certify(name, name, &pair, &pair.spki, &extensions, LONG);
        Self {
            name: name.to_owned(),
            pair,
            certificate,
        }
    }

    /// Its own certificate, as `cafile` takes it.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// What a server at 127.0.0.1 shows.
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[must_use]
    pub fn server(&self) -> TlsIdentity {
        let loopback = tlv(0x87, &[127, 0, 0, 1]);
        let names = extension("2.5.29.17", false, &sequence(&[loopback]));
        self.issue("loopback", SERVES, vec![names])
    }

    /// What a client shows.
    ///
    /// # Panics
    /// When the system gives no randomness.
    #[must_use]
    pub fn client(&self, name: &str) -> TlsIdentity {
        self.issue(name, ASKS, Vec::new())
    }

    /// What a server at this address shows that nobody vouches for but itself, and that is an authority's
    /// certificate at once, as `openssl req -x509` makes it. In force until this moment.
    ///
    /// # Panics
    /// When the system gives no randomness, or the moment is none.
    #[must_use]
    pub fn server_of_its_own(address: [u8; 4], until: &str) -> TlsIdentity {
        let pair = Pair::generate();
        let names = sequence(&[tlv(0x87, &address)]);
        let extensions = [
            extension("2.5.29.17", false, &names),
            extension("2.5.29.19", true, &sequence(&[truth()])),
        ];
        let certificate = certify("own", "own", &pair, &pair.spki, &extensions, until);
        TlsIdentity::of(&certificate, &pair)
    }

    fn issue(&self, name: &str, purpose: &str, mut extensions: Vec<Vec<u8>>) -> TlsIdentity {
        let pair = Pair::generate();
        extensions.push(extension("2.5.29.15", true, &bits(7, &[0x80])));
        extensions.push(extension("2.5.29.37", false, &sequence(&[oid(purpose)])));
        let certificate = certify(&self.name, name, &self.pair, &pair.spki, &extensions, LONG);
        TlsIdentity::of(&certificate, &pair)
    }
}

impl TlsIdentity {
    fn of(certificate: &[u8], pair: &Pair) -> Self {
        Self {
            certificate: pem("CERTIFICATE", certificate),
            key: pem("PRIVATE KEY", &pair.pkcs8()),
            ec_key: pem("EC PRIVATE KEY", &pair.sec1()),
        }
    }
}

/// Until when nearly everything is in force.
const LONG: &str = "2049-01-01T00:00:00Z";

fn certify(
    issuer: &str,
    subject: &str,
    by: &Pair,
    key: &[u8],
    extensions: &[Vec<u8>],
    until: &str,
) -> Vec<u8> {
    let body = Body {
        serial: 1,
        issuer,
        subject: Some(subject),
        from: crate::package::timestamp("2015-01-01T00:00:00Z"),
        until: crate::package::timestamp(until),
        key,
        extensions,
    };
    signed(body.to_der(), by)
}
