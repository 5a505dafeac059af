//! The clients of one configuration: one for what is asked without a certificate, and one for each certificate
//! that is presented, as connections that showed one are not to serve for what may not show it.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use reqwest::Client;
use url::Url;
use weir_npm::npmrc::{ClientCertificate, Npmrc};

use crate::UpstreamError;
use crate::certificate::{self, Found, Presented};
use crate::client::{self, Options, Trust};

/// Makes clients when they are first needed: authorities, proxies and certificates are read then, which takes
/// longer than all else that a command without requests does.
#[derive(Debug)]
pub(crate) struct Clients {
    npmrc: Npmrc,
    options: Options,
    needs_tls: bool,
    trust: OnceLock<Trust>,
    plain: OnceLock<Client>,
    presenting: Mutex<BTreeMap<ClientCertificate, Chosen>>,
}

/// What the HTTP client says of a proxy that did not lead on to a host: one of HTTP, and one of SOCKS.
const BY_PROXY: [&str; 2] = ["tunnel error", "socks proxy"];

/// A client, and what it shows of itself.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) client: Client,
    pub(crate) presented: Presented,
}

impl Clients {
    pub(crate) fn new(npmrc: &Npmrc, options: &Options, needs_tls: bool) -> Self {
        Self {
            npmrc: npmrc.clone(),
            options: options.clone(),
            needs_tls,
            trust: OnceLock::new(),
            plain: OnceLock::new(),
            presenting: Mutex::default(),
        }
    }

    /// The client for a request that may show this certificate, or none.
    ///
    /// # Errors
    /// When a file of certificate authorities, a proxy or the certificate cannot be used. What cannot be used is
    /// read anew the next time.
    pub(crate) fn choose(
        &self,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Chosen, UpstreamError> {
        let Some(certificate) = certificate else {
            return Ok(Chosen {
                client: self.plain()?.clone(),
                presented: Presented::Nothing,
            });
        };
        // Held while one is made, so that nothing is made or said twice.
        let mut presenting = self
            .presenting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(chosen) = presenting.get(certificate) {
            return Ok(chosen.clone());
        }
        let chosen = self.presenting(certificate)?;
        presenting.insert(certificate.clone(), chosen.clone());
        Ok(chosen)
    }

    /// Says of a connection that did not come about through which proxy it was to go: what failed may be that one.
    pub(crate) fn explained(&self, url: &Url, error: UpstreamError) -> UpstreamError {
        match error {
            UpstreamError::Connect { url: address, why } => UpstreamError::Connect {
                url: address,
                why: self.and_ignored(self.through(url, why)),
            },
            UpstreamError::Untrusted { url: address, why } => UpstreamError::Untrusted {
                url: address,
                why: self.and_ignored(why),
            },
            error => error,
        }
    }

    fn through(&self, url: &Url, why: String) -> String {
        let proxy = client::proxy_for(&self.npmrc, &self.options.environment, url.scheme());
        match proxy {
            Some(proxy) if BY_PROXY.iter().any(|it| why.contains(it)) => {
                format!("{why}; it was asked through {proxy}")
            }
            // Without TLS nothing tells a proxy that is out of reach from a host.
            Some(proxy) if url.scheme() == "http" => {
                format!("{why}; asked through {proxy}, unless `noproxy` leaves the host out")
            }
            _ => why,
        }
    }

    /// What was left out of the settings may be what the way there needs.
    fn and_ignored(&self, why: String) -> String {
        match self.npmrc.why_ignored() {
            Some(ignored) => format!("{why}; {ignored}"),
            None => why,
        }
    }

    fn presenting(&self, certificate: &ClientCertificate) -> Result<Chosen, UpstreamError> {
        Ok(
            match certificate::read(certificate, &self.options.environment)? {
                Found::Usable(identity) => Chosen {
                    client: client::build(
                        &self.npmrc,
                        &self.options,
                        self.trust()?,
                        true,
                        Some(&identity),
                    )?,
                    presented: Presented::Certificate(certificate.chain.to_string()),
                },
                Found::Absent(origin) => {
                    tracing::warn!(%origin, "the file of a client certificate does not exist: none is presented");
                    Chosen {
                        client: self.plain()?.clone(),
                        presented: Presented::Absent(origin),
                    }
                }
            },
        )
    }

    fn plain(&self) -> Result<&Client, UpstreamError> {
        if let Some(client) = self.plain.get() {
            return Ok(client);
        }
        let trust = self.trust()?;
        let built = client::build(&self.npmrc, &self.options, trust, self.needs_tls, None)?;
        Ok(self.plain.get_or_init(|| built))
    }

    fn trust(&self) -> Result<&Trust, UpstreamError> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust);
        }
        let read = Trust::read(&self.npmrc, &self.options.environment)?;
        certificate::warn_of_halves(&self.npmrc);
        Ok(self.trust.get_or_init(|| read))
    }
}
