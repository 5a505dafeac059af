//! The HTTP client: certificates, proxies, connections.

use std::path::Path;
use std::time::Duration;

use reqwest::{ClientBuilder, NoProxy, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;
use weir_npm::npmrc::Npmrc;

use crate::certificate::Identity;
use crate::config::Environment;
use crate::error::{UpstreamError, chain, shown};
use crate::named;
use crate::tarball::OwnRegistry;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// A packument or small document, from first to last.
    pub document: Duration,
    /// A tarball, from first to last.
    pub tarball: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            document: Duration::from_secs(120),
            tarball: Duration::from_secs(900),
        }
    }
}

/// How much may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a packument, decoded.
    pub packument: u64,
    /// Bytes of any other document, decoded.
    pub document: u64,
    /// Bytes of a tarball.
    pub tarball: u64,
}

impl Default for Limits {
    /// About twice the largest packuments in the wild; a tarball of 1 GiB.
    fn default() -> Self {
        Self {
            packument: 64 << 20,
            document: 16 << 20,
            tarball: 1 << 30,
        }
    }
}

/// What is not in `.npmrc`.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The registry to use when none is configured.
    pub default_registry: Option<Url>,
    /// Where `NODE_EXTRA_CA_CERTS` and the proxy variables are looked up.
    pub environment: Environment,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How much may come.
    pub limits: Limits,
    /// npm's own registry.
    pub own_registry: OwnRegistry,
}

/// What is said about us.
const USER_AGENT: &str = concat!("weir/", env!("CARGO_PKG_VERSION"));

/// Idle connections kept per host. Over HTTP/2 one carries everything; over HTTP/1.1 installs of all
/// known clients stay below this (PROTOCOL 3.1, parallel sockets).
const IDLE_CONNECTIONS: usize = 64;

/// What an HTTP/2 upstream may send ahead on one stream, and on all of them. The second is 64 times
/// the first, so that slow readers of some tarballs do not hold up everybody else.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 64 << 20;

/// Builds a client. With an identity, it presents that to whoever asks for one.
///
/// # Errors
/// When a proxy or the system's authorities cannot be used.
pub(crate) fn build(
    npmrc: &Npmrc,
    options: &Options,
    trust: &Trust,
    needs_tls: bool,
    identity: Option<&Identity>,
) -> Result<reqwest::Client, UpstreamError> {
    let builder = || {
        let builder = ClientBuilder::new()
            .user_agent(USER_AGENT)
            .connect_timeout(options.timeouts.connect)
            .read_timeout(options.timeouts.idle)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(Duration::from_secs(90))
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            // Followed by hand: who gets credentials is our decision.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        proxied(builder, npmrc, &options.environment)
    };
    let failed = |error: reqwest::Error| UpstreamError::Client { why: chain(&error) };
    let trusting = trust.applied(builder()?, identity);
    match trusting.and_then(|trusting| trusting.build().map_err(failed)) {
        // A machine without any certificate authorities can still use a plain HTTP upstream.
        Err(error) if !needs_tls => {
            tracing::warn!(%error, "no certificate authorities: HTTPS will not work");
            builder()?.tls_certs_only([]).build().map_err(failed)
        }
        built => built,
    }
}

/// Which servers are believed.
#[derive(Debug)]
pub(crate) enum Trust {
    /// Whoever answers.
    Anybody,
    /// Those that the system's authorities vouch for. `SSL_CERT_FILE` and `SSL_CERT_DIR` name them, and the
    /// verifier itself reads them.
    System,
    /// These authorities besides the system's.
    Besides(Vec<CertificateDer<'static>>),
    /// These authorities and no other.
    Only(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// Decides as npm does: `ca` and `cafile` replace the system's authorities, `NODE_EXTRA_CA_CERTS` adds to
    /// them, unless there is nothing in it that can be used.
    ///
    /// # Errors
    /// When `ca` or `cafile` hold no usable certificate, or cannot be read.
    pub(crate) fn read(npmrc: &Npmrc, environment: &Environment) -> Result<Self, UpstreamError> {
        if !npmrc.strict_ssl() {
            tracing::warn!(
                "strict-ssl=false: upstream certificates are NOT verified, anybody on the way can \
                 replace what is downloaded; remove the setting, or set `cafile` to your authority"
            );
            return Ok(Self::Anybody);
        }
        let mut own = Vec::new();
        for pem in npmrc
            .ca()
            .iter()
            .filter(|pem| !pem.trim().is_empty() && *pem != "null")
        {
            own.extend(certificates(
                pem.replace("\\n", "\n").as_bytes(),
                "the `ca` setting",
            )?);
        }
        if let Some(file) = npmrc.cafile() {
            own.extend(certificate_file(&environment.expand(file), "cafile")?);
        }
        if !own.is_empty() {
            return Ok(Self::Only(own));
        }
        let extra = environment.get("NODE_EXTRA_CA_CERTS");
        let extra = match extra.filter(|file| !file.is_empty()) {
            None => Vec::new(),
            Some(file) => extra_certificates(Path::new(file)),
        };
        Ok(if extra.is_empty() {
            Self::System
        } else {
            Self::Besides(extra)
        })
    }

    fn applied(
        &self,
        builder: ClientBuilder,
        identity: Option<&Identity>,
    ) -> Result<ClientBuilder, UpstreamError> {
        let (named, alone) = match self {
            Self::Anybody | Self::System => {
                let anybody = matches!(self, Self::Anybody);
                let builder = builder.tls_danger_accept_invalid_certs(anybody);
                return Ok(match identity {
                    None => builder,
                    Some(identity) => builder.identity(identity.for_reqwest()?),
                });
            }
            Self::Besides(extra) => (extra, false),
            Self::Only(own) => (own, true),
        };
        let tls = named::tls(named, alone, identity)
            .map_err(|error| UpstreamError::Client { why: chain(&error) })?;
        Ok(builder.tls_backend_preconfigured(tls))
    }
}

/// The certificates that `NODE_EXTRA_CA_CERTS` names. Node warns of a file that it cannot use, and goes on without: as
/// it only adds to who is believed, that takes nothing from anybody.
fn extra_certificates(path: &Path) -> Vec<CertificateDer<'static>> {
    /// It is read for every set of clients, and one warning is enough.
    static SAID: std::sync::Once = std::sync::Once::new();
    match certificate_file(path, "NODE_EXTRA_CA_CERTS") {
        Ok(found) => found,
        Err(error) => {
            SAID.call_once(|| {
                tracing::warn!(%error, "extra certificate authorities are ignored, as Node does");
            });
            Vec::new()
        }
    }
}

/// The certificates in a file. One that is not there is passed over with a warning, as npm and
/// Node do.
fn certificate_file(
    path: &Path,
    setting: &str,
) -> Result<Vec<CertificateDer<'static>>, UpstreamError> {
    let origin = format!("{setting} ({})", path.display());
    match std::fs::read(path) {
        Ok(pem) => certificates(&pem, &origin),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            tracing::warn!(%origin, "the file of certificate authorities does not exist");
            Ok(Vec::new())
        }
        Err(error) => Err(UpstreamError::Certificates {
            origin,
            why: error.to_string(),
        }),
    }
}

/// The usable certificates in PEM text. Bundles of distributions hold a few that no verifier takes;
/// these are left out.
fn certificates(pem: &[u8], origin: &str) -> Result<Vec<CertificateDer<'static>>, UpstreamError> {
    let failed = |why: String| UpstreamError::Certificates {
        origin: origin.to_owned(),
        why,
    };
    let mut usable = Vec::new();
    let mut unusable = 0_u32;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        if rustls::RootCertStore::empty()
            .add(certificate.clone())
            .is_ok()
        {
            usable.push(certificate);
        } else {
            unusable += 1;
        }
    }
    if unusable > 0 {
        tracing::warn!(%origin, unusable, "left out certificates that cannot be used");
    }
    if usable.is_empty() {
        return Err(failed("no usable certificate in it".to_owned()));
    }
    Ok(usable)
}

/// A proxy that is set: its address, and the setting or variable that names it.
#[derive(Clone, Copy)]
struct Named<'a> {
    address: &'a str,
    setting: &'static str,
}

/// The proxies for addresses of either scheme.
struct Proxies<'a> {
    https: Option<Named<'a>>,
    http: Option<Named<'a>>,
}

impl<'a> Proxies<'a> {
    /// Those that npm would go through: `https-proxy` or `proxy` for everything, else the environment's.
    fn of(npmrc: &'a Npmrc, environment: &'a Environment) -> Self {
        let set = |value: &&str| !matches!(*value, "" | "null" | "false");
        let configured = named(npmrc.https_proxy().filter(set), "https-proxy");
        let configured = configured.or(named(npmrc.proxy().filter(set), "proxy"));
        let https = configured.or(named(environment.either("https_proxy"), "HTTPS_PROXY"));
        let http = named(environment.either("http_proxy"), "HTTP_PROXY");
        let last = named(environment.either("proxy"), "PROXY");
        Self {
            https,
            http: https.or(http).or(last),
        }
    }
}

fn named<'a>(address: Option<&'a str>, setting: &'static str) -> Option<Named<'a>> {
    address.map(|address| Named { address, setting })
}

/// The proxy that addresses of this scheme are asked through unless their host is left out, in words.
pub(crate) fn proxy_for(npmrc: &Npmrc, environment: &Environment, scheme: &str) -> Option<String> {
    let proxies = Proxies::of(npmrc, environment);
    let proxy = match scheme {
        "https" => proxies.https,
        _ => proxies.http,
    }?;
    // A password may be in it, and without a scheme it is not told where.
    let url = Url::parse(proxy.address).ok();
    let url = url.filter(Url::has_host).as_ref().map(shown);
    let address = url.unwrap_or_else(|| "whose address has no scheme".to_owned());
    let place = npmrc.place_of(proxy.setting);
    let place = place.map_or_else(String::new, |place| format!(" in {place}"));
    Some(format!("the proxy {address} ({}{place})", proxy.setting))
}

/// Goes through a proxy where npm would; never for hosts in `noproxy` or `NO_PROXY`.
fn proxied(
    builder: ClientBuilder,
    npmrc: &Npmrc,
    environment: &Environment,
) -> Result<ClientBuilder, UpstreamError> {
    let noproxy = npmrc.noproxy().join(",");
    let noproxy = if noproxy.is_empty() {
        environment
            .either("no_proxy")
            .unwrap_or_default()
            .to_owned()
    } else {
        noproxy
    };
    let usable = |built: reqwest::Result<Proxy>| match built {
        Ok(proxy) => Ok(proxy.no_proxy(NoProxy::from_string(&noproxy))),
        // The address may hold a password: it is not repeated.
        Err(error) => Err(UpstreamError::Client {
            why: format!(
                "a proxy's address cannot be used: {}",
                chain(&error.without_url())
            ),
        }),
    };
    // Nothing is taken from the process environment behind our back.
    let mut builder = builder.no_proxy();
    let proxies = Proxies::of(npmrc, environment);
    if let Some(proxy) = proxies.https {
        builder = builder.proxy(usable(Proxy::https(proxy.address))?);
    }
    if let Some(proxy) = proxies.http {
        builder = builder.proxy(usable(Proxy::http(proxy.address))?);
    }
    Ok(builder)
}

/// Has the random numbers that TLS needs seeded while nobody waits: the library measures jitter for that once in each
/// process, for some tens of milliseconds, and the first connection would wait for it.
pub(crate) fn seed_randomness() {
    let fill = || {
        rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(&mut [0])
    };
    // Where this fails the first connection says so.
    let _ = std::thread::Builder::new()
        .name("randomness".to_owned())
        .spawn(fill);
}
