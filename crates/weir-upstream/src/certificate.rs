//! Client certificates: read from where npm's settings have them, and checked before anybody is shown one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription as Alert, Error, InconsistentKeys};
use url::Url;
use weir_npm::npmrc::{ClientCertificate, Npmrc, Pem, PemSource};

use crate::config::{Environment, ordinary};
use crate::error::{UpstreamError, beneath, chain, shown, sort};

/// A client certificate with those that vouch for it, and its key.
pub(crate) struct Identity {
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    /// The setting that names the certificate.
    origin: Pem,
}

impl Identity {
    /// The same as the HTTP client takes it.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(crate) fn for_reqwest(&self) -> Result<reqwest::Identity, UpstreamError> {
        let text = joined(&self.certificates, &self.key);
        let identity = reqwest::Identity::from_pem(text.as_bytes());
        // Our own text, so this does not happen.
        identity.map_err(|error| unusable(&self.origin, chain(&error)))
    }
}

/// What came of a client certificate that is set.
pub(crate) enum Found {
    /// It can be presented.
    Usable(Identity),
    /// A file of it does not exist: this one.
    Absent(String),
}

/// What a connection shows of itself, as far as errors have to tell.
#[derive(Debug, Clone)]
pub(crate) enum Presented {
    /// Nothing, as nothing is set for the address.
    Nothing,
    /// The certificate of this setting.
    Certificate(String),
    /// Nothing, as this file is set and does not exist.
    Absent(String),
}

/// Reads a client certificate and its key. Where a file is not there, npm goes without, and so do we; who hears
/// of it is up to the caller.
///
/// # Errors
/// When a file cannot be read, is not what it should be, or the key is not the certificate's. Nothing of what is
/// in a file is repeated.
pub(crate) fn read(
    set: &ClientCertificate,
    environment: &Environment,
) -> Result<Found, UpstreamError> {
    let absent = |pem: &Pem| Ok(Found::Absent(pem.to_string()));
    let Some(chain_text) = text(&set.chain, environment)? else {
        return absent(&set.chain);
    };
    let Some(key_text) = text(&set.key, environment)? else {
        return absent(&set.key);
    };
    let certificates = certificates(&set.chain, &chain_text)?;
    let key = key(&set.key, &key_text)?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    match CertifiedKey::from_der(certificates.clone(), key.clone_key(), &provider) {
        Ok(_) => {}
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let why = format!("it is not the key of the certificate in {}", set.chain);
            return Err(unusable(&set.key, why));
        }
        Err(Error::InvalidCertificate(why)) => {
            return Err(unusable(
                &set.chain,
                format!("its certificate is broken: {why:?}"),
            ));
        }
        Err(_) => return Err(unusable(&set.key, "its key is of no supported kind")),
    }
    Ok(Found::Usable(Identity {
        certificates,
        key,
        origin: set.chain.clone(),
    }))
}

fn text(pem: &Pem, environment: &Environment) -> Result<Option<Vec<u8>>, UpstreamError> {
    match pem.source() {
        PemSource::Text(text) => Ok(Some(text.clone().into_bytes())),
        PemSource::File(path) => {
            ordinary(&environment.expand(path)).map_err(|why| unusable(pem, why))
        }
    }
}

fn certificates(origin: &Pem, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, UpstreamError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unusable(origin, "no certificate in PEM in it")),
        Ok(found) => Ok(found),
        Err(_) => Err(unusable(origin, "its PEM is broken")),
    }
}

fn key(origin: &Pem, text: &[u8]) -> Result<PrivateKeyDer<'static>, UpstreamError> {
    let why = match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => return Ok(key),
        Err(_) if is_locked(text) => {
            "its key is encrypted, and npm has no setting for the password: it has to be stored without one"
        }
        Err(pem::Error::NoItemsFound) => "no private key in PEM in it",
        Err(_) => "its PEM is broken",
    };
    Err(unusable(origin, why))
}

/// Whether a key is behind a password, in the new form or in the one of old.
fn is_locked(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

/// Certificates and key in one text, and nothing of what else the files held: reqwest refuses some of that.
fn joined(certificates: &[CertificateDer<'_>], key: &PrivateKeyDer<'_>) -> String {
    let section = |label: &str, der: &[u8]| {
        let encoded = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{encoded}\n-----END {label}-----\n")
    };
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let mut text: String = certificates
        .iter()
        .map(|certificate| section("CERTIFICATE", certificate))
        .collect();
    text.push_str(&section(label, key.secret_der()));
    text
}

fn unusable(pem: &Pem, why: impl Into<String>) -> UpstreamError {
    UpstreamError::ClientCertificate {
        origin: pem.to_string(),
        why: why.into(),
    }
}

/// Says which settings give half of a client certificate: npm presents nothing then.
pub(crate) fn warn_of_halves(npmrc: &Npmrc) {
    for (setting, lacking) in npmrc.half_certificates() {
        tracing::warn!(
            setting,
            "no client certificate is presented: `{lacking}` is not set, and one is nothing without the other"
        );
    }
}

impl Presented {
    /// Sorts what the HTTP client reports, and says what to do where the server ended the connection over a client
    /// certificate. Where that is only likely it stays a broken connection, with a hint.
    pub(crate) fn sorted(&self, url: &Url, error: reqwest::Error) -> UpstreamError {
        let Some(alert) = alert(&error) else {
            return sort(url, error);
        };
        if self.is_settled_by(alert) {
            return UpstreamError::Uncertified {
                url: shown(url),
                why: format!("{alert:?}; {}", self.told("wants")),
            };
        }
        // Before TLS 1.3 there was no alert of its own for "I want one".
        let is_likely = matches!(alert, Alert::HandshakeFailure | Alert::BadCertificate);
        match sort(url, error) {
            UpstreamError::Connect { url, why } if is_likely => UpstreamError::Connect {
                url,
                why: format!("{why}; {}", self.told("may want")),
            },
            sorted => sorted,
        }
    }

    const fn is_settled_by(&self, alert: Alert) -> bool {
        match alert {
            Alert::CertificateRequired => true,
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied => matches!(self, Self::Certificate(_)),
            _ => false,
        }
    }

    fn told(&self, wants: &str) -> String {
        match self {
            Self::Nothing => format!(
                "it {wants} a client certificate, and none is set for it (`certfile` and `keyfile` in .npmrc)"
            ),
            Self::Absent(file) => {
                format!("it {wants} a client certificate, and the file of {file} does not exist")
            }
            Self::Certificate(setting) => {
                format!("the client certificate of {setting} was presented")
            }
        }
    }
}

/// The alert that the other side ended TLS with.
fn alert(error: &reqwest::Error) -> Option<Alert> {
    match beneath(error)? {
        Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}
