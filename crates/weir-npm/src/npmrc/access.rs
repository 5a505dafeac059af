//! What a request shows of itself: credentials in a header, and a certificate while the connection is made.

use std::fmt;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::Npmrc;

/// What goes along with a request. Nothing, unless something is set for its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// For the `authorization` header.
    pub credentials: Option<Credentials>,
    /// For the server that asks for one.
    pub certificate: Option<ClientCertificate>,
}

/// What to send to a registry. `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Bearer(String),
    /// `user:password` in base64.
    Basic(String),
}

impl Credentials {
    /// A token.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self(Kind::Bearer(token.to_owned()))
    }

    /// A user name and a password.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self(Kind::Basic(STANDARD.encode(format!("{user}:{password}"))))
    }

    /// The value of the `authorization` header. Keep it out of logs.
    #[must_use]
    pub fn authorization_header(&self) -> String {
        match &self.0 {
            Kind::Bearer(token) => format!("Bearer {token}"),
            Kind::Basic(encoded) => format!("Basic {encoded}"),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Bearer(_) => "Bearer(redacted)",
            Kind::Basic(_) => "Basic(redacted)",
        })
    }
}

/// A client certificate and the key that belongs to it, as settings name them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientCertificate {
    /// `certfile` or `cert`: the certificate, and what lies between it and its authority.
    pub chain: Pem,
    /// `keyfile` or `key`.
    pub key: Pem,
}

/// Something in PEM that a setting gives. Shown, it is the setting and the file, never what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pem {
    setting: String,
    source: PemSource,
}

/// Where something in PEM is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PemSource {
    /// In a file, by the path that is set; `~/` is not replaced.
    File(String),
    /// In the setting itself.
    Text(String),
}

impl Pem {
    /// Where it is. Keep a text out of logs: it may be a key.
    #[must_use]
    pub const fn source(&self) -> &PemSource {
        &self.source
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.setting)?;
        match &self.source {
            PemSource::File(path) => write!(f, " ({path})"),
            PemSource::Text(_) => Ok(()),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Npmrc {
    /// What is tied to exactly this part of an address; `None` if it is nothing. A certificate counts like
    /// credentials, and both may go along together.
    pub(super) fn access_by_key(&self, key: &str) -> Option<Access> {
        let access = Access {
            credentials: self.credentials(key),
            certificate: self.certificate_files(key),
        };
        (access != Access::default()).then_some(access)
    }

    fn credentials(&self, key: &str) -> Option<Credentials> {
        let field = |name: &str| self.not_empty(&format!("{key}:{name}"));
        if let Some(token) = field("_authToken") {
            return Some(Credentials::bearer(token));
        }
        if let Some(encoded) = field("_auth") {
            return Some(Credentials(Kind::Basic(encoded.to_owned())));
        }
        let password = LENIENT.decode(field("_password")?).ok()?;
        Some(Credentials::basic(
            field("username")?,
            &String::from_utf8_lossy(&password),
        ))
    }

    fn certificate_files(&self, key: &str) -> Option<ClientCertificate> {
        let file = |name: &str| {
            let setting = format!("{key}:{name}");
            let source = PemSource::File(self.not_empty(&setting)?.to_owned());
            Some(Pem { setting, source })
        };
        Some(ClientCertificate {
            chain: file("certfile")?,
            key: file("keyfile")?,
        })
    }

    /// `cert` and `key`, which hold the PEM itself, with line ends that may be written as `\n`. npm calls them
    /// deprecated and still presents them.
    pub(super) fn certificate_in_settings(&self) -> Option<ClientCertificate> {
        let text = |setting: &str| {
            let text = self.not_empty(setting)?.replace("\\n", "\n");
            Some(Pem {
                setting: setting.to_owned(),
                source: PemSource::Text(text),
            })
        };
        Some(ClientCertificate {
            chain: text("cert")?,
            key: text("key")?,
        })
    }

    /// Settings that give half of what a client certificate needs, and so none: each as it is spelled, and the
    /// one that it lacks.
    pub fn half_certificates(&self) -> impl Iterator<Item = (&str, String)> {
        self.values.keys().filter_map(|setting| {
            let lacking = match setting.as_str() {
                "cert" => "key".to_owned(),
                "key" => "cert".to_owned(),
                tied => match (
                    tied.strip_suffix(":certfile"),
                    tied.strip_suffix(":keyfile"),
                ) {
                    (Some(key), _) => format!("{key}:keyfile"),
                    (_, Some(key)) => format!("{key}:certfile"),
                    _ => return None,
                },
            };
            self.not_empty(setting)?;
            let is_whole = self.not_empty(&lacking).is_some();
            (!is_whole).then_some((setting.as_str(), lacking))
        })
    }

    fn not_empty(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| !value.is_empty())
    }
}

/// Passwords are decoded as Node does, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
