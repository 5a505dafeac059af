//! TLS by certificates that the settings name. What is named vouches for others, and for itself: `openssl req -x509`
//! makes a server's certificate an authority's at once, which may vouch for itself nowhere else.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use crate::certificate::Identity;

/// What is spoken within TLS, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS that believes those named, and unless they stand alone those whom the system's authorities vouch for. With an
/// identity, it presents that to whoever asks for one.
///
/// # Errors
/// When the system's authorities cannot be read, or the identity cannot be used.
pub(crate) fn tls(
    named: &[CertificateDer<'static>],
    alone: bool,
    identity: Option<&Identity>,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let vouching: Arc<dyn ServerCertVerifier> = if alone {
        let mut roots = RootCertStore::empty();
        for certificate in named {
            roots.add(certificate.clone())?;
        }
        let built =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        built
            .build()
            .map_err(|error| Error::General(error.to_string()))?
    } else {
        let named = named.iter().cloned();
        let provider = Arc::clone(&provider);
        Arc::new(rustls_platform_verifier::Verifier::new_with_extra_roots(
            named, provider,
        )?)
    };
    let verifier = NamedOrVouchedFor {
        named: named.to_vec(),
        vouching,
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let certificates = identity.certificates.clone();
            config.with_client_auth_cert(certificates, identity.key.clone_key())?
        }
    };
    config.alpn_protocols = PROTOCOLS.iter().map(|it| it.to_vec()).collect();
    Ok(config)
}

/// Believes who is vouched for, and who shows a certificate that is named as it is.
#[derive(Debug)]
struct NamedOrVouchedFor {
    named: Vec<CertificateDer<'static>>,
    vouching: Arc<dyn ServerCertVerifier>,
}

/// Whether a server's certificate is not believed only because it is an authority's. That is found out after
/// whether it is in force.
pub(crate) fn is_only_an_authoritys(wrong: &CertificateError) -> bool {
    matches!(wrong, CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity")
}

impl ServerCertVerifier for NamedOrVouchedFor {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let vouched = self.vouching.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match &vouched {
            Err(Error::InvalidCertificate(wrong))
                if is_only_an_authoritys(wrong) && self.named.contains(end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            _ => vouched,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.vouching
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.vouching
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.vouching.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.vouching.root_hint_subjects()
    }
}
