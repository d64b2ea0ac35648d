//! Whom TLS trusts: the issuers of the system and of the plan, or anyone. Asked when TLS is made ready.
//!
//! What must stay true: what is given is trusted for what it says of itself, names and dates included, and for no more.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::pem::certificates;
use super::setup_error::DialSetupError;

/// What OpenSSL's programs read their issuers from.
const SSL_CERT_FILE: &str = "SSL_CERT_FILE";

/// Judges as the library does, but for one thing: a certificate that was given and that the target shows as its own does
/// also when it is that of a CA. Such are made by `openssl req -x509`, and curl takes them as well. The library judges
/// dates before it says what it is.
#[derive(Debug)]
struct Judge {
    library: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let judged = (self.library).verify_server_cert(shown, between, name, ocsp, now);
        match &judged {
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why))))
                if why.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
                    && self
                        .given
                        .iter()
                        .any(|given| given.as_ref() == shown.as_ref()) =>
            {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            _ => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        (self.library).verify_tls12_signature(message, shown, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        (self.library).verify_tls13_signature(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.library.supported_verify_schemes()
    }
}

/// Who judges by the system's issuers and these.
pub(super) fn verifier(
    ca_certs: &[PathBuf],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, DialSetupError> {
    let mut roots = system_roots()?;
    let mut given = Vec::new();
    for path in ca_certs {
        for certificate in certificates("--ca-cert", path)? {
            given.push(certificate.clone());
            roots
                .add(certificate)
                .map_err(|error| DialSetupError::BadCertificate {
                    setting: "--ca-cert",
                    path: path.display().to_string(),
                    why: error.to_string(),
                })?;
        }
    }
    if roots.is_empty() {
        return Err(DialSetupError::NoRoots);
    }
    let library = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let library = library.map_err(|error| DialSetupError::Tls(error.to_string()))?;
    Ok(Arc::new(Judge { library, given }))
}

/// Those of SSL_CERT_FILE and SSL_CERT_DIR where one is set, otherwise the system's. Some systems have some that cannot
/// be read; a file that was named is another matter.
fn system_roots() -> Result<RootCertStore, DialSetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if let Some(named) = std::env::var_os(SSL_CERT_FILE).map(PathBuf::from) {
        match certificates(SSL_CERT_FILE, &named) {
            // Of many, some may be of no use.
            Err(DialSetupError::BadCertificate { .. }) if !roots.is_empty() => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(roots)
}

/// Takes any certificate, by any signature.
#[derive(Debug)]
pub(super) struct Anyone(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
