//! What TLS is told: whom to trust, who we are, which versions, which name. Made once from the plan, shared by all workers.
//!
//! What must stay true: a certificate is judged by name, issuer and date unless the plan says `insecure`; a key never
//! shows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme, SupportedProtocolVersion};
use vespeiro_plan::{TlsSettings, TlsVersion};

use super::pem::{certificates, unreadable};
use super::protocol::ProtocolWish;
use super::setup_error::DialSetupError;
use super::trust::{Anyone, verifier};

/// Sessions that are kept for resumption. A dialer speaks to one name, for which the library keeps no more.
const SESSIONS: usize = 8;

/// TLS, ready to be used. Cheap to clone, also for another thread: reading the system's certificates is what costs.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    sni: Option<ServerName<'static>>,
    resumption: bool,
    identity: Arc<Identity>,
}

/// What one dialer needs of it: its own sessions, and the protocols that it asks for.
pub(super) struct Session {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
    identity: Arc<Identity>,
}

/// Our certificate, if we have one, and whether a target has asked for it.
#[derive(Debug)]
struct Identity {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Tls {
    /// Read the files and the system's certificates. `insecure` takes any certificate of the target.
    pub fn new(options: &TlsSettings, insecure: bool) -> Result<Self, DialSetupError> {
        let provider = Arc::new(ring::default_provider());
        let versions = versions(options.min, options.max)?;
        let verifier: Arc<dyn ServerCertVerifier> = if insecure {
            Arc::new(Anyone(provider.clone()))
        } else {
            verifier(&options.ca_certs, provider.clone())?
        };
        let identity = Arc::new(Identity {
            key: identity(options, &provider)?.map(Arc::new),
            asked: AtomicBool::new(false),
        });
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|error| DialSetupError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(identity.clone());
        let sni = options.sni.as_deref().map(server_name).transpose()?;
        Ok(Self {
            config: Arc::new(config),
            sni,
            resumption: options.resumption,
            identity,
        })
    }

    /// What a dialer to `host` needs.
    pub(super) fn session(
        &self,
        host: &str,
        wish: ProtocolWish,
    ) -> Result<Session, DialSetupError> {
        let name = match &self.sni {
            Some(name) => name.clone(),
            None => server_name(host)?,
        };
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = match wish {
            ProtocolWish::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ProtocolWish::Http1 => vec![b"http/1.1".to_vec()],
            ProtocolWish::Http2 => vec![b"h2".to_vec()],
        };
        config.resumption = if self.resumption {
            Resumption::in_memory_sessions(SESSIONS)
        } else {
            Resumption::disabled()
        };
        Ok(Session {
            config: Arc::new(config),
            name,
            identity: self.identity.clone(),
        })
    }
}

impl Session {
    /// Whether a target has asked for a certificate; what it thinks of ours, it says by an alert.
    pub(super) fn is_asked_who_we_are(&self) -> bool {
        self.identity.asked.load(Ordering::Relaxed)
    }

    pub(super) fn has_identity(&self) -> bool {
        self.identity.key.is_some()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("sni", &self.sni)
            .field("resumption", &self.resumption)
            .field("identity", &self.identity.key.is_some())
            .finish_non_exhaustive()
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, DialSetupError> {
    let bare = host.trim_matches(['[', ']']);
    let name = ServerName::try_from(bare.to_owned());
    name.map_err(|_| DialSetupError::ServerName(host.to_owned()))
}

fn versions(
    min: TlsVersion,
    max: TlsVersion,
) -> Result<Vec<&'static SupportedProtocolVersion>, DialSetupError> {
    let versions: Vec<_> = [
        (TlsVersion::V1_3, &rustls::version::TLS13),
        (TlsVersion::V1_2, &rustls::version::TLS12),
    ]
    .into_iter()
    .filter(|(version, _)| (min..=max).contains(version))
    .map(|(_, supported)| supported)
    .collect();
    if versions.is_empty() {
        return Err(DialSetupError::Versions {
            min: min.as_str(),
            max: max.as_str(),
        });
    }
    Ok(versions)
}

fn identity(
    options: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<Option<CertifiedKey>, DialSetupError> {
    let (certificate, key) = match (&options.client_cert, &options.client_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        _ => return Err(DialSetupError::HalfIdentity),
    };
    let chain = certificates("--client-cert", certificate)?;
    let key = match PrivateKeyDer::from_pem_file(key) {
        Ok(key) => key,
        Err(pem::Error::Io(error)) => return Err(unreadable("--client-key", key, &error)),
        Err(_) => {
            return Err(DialSetupError::NoKey {
                path: key.display().to_string(),
            });
        }
    };
    let identity = CertifiedKey::from_der(chain, key, provider);
    let identity = identity.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            DialSetupError::Identity("the key is not that of the certificate".to_owned())
        }
        other => DialSetupError::Identity(other.to_string()),
    })?;
    Ok(Some(identity))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn refused(options: TlsSettings) -> String {
        Tls::new(&options, false).unwrap_err().to_string()
    }

    #[test]
    fn files_that_do_not_work_are_named_with_their_setting() {
        let missing = PathBuf::from("/nowhere/ca.pem");
        let message = refused(TlsSettings {
            ca_certs: vec![missing.clone()],
            ..Default::default()
        });
        assert!(
            message.starts_with("--ca-cert: /nowhere/ca.pem cannot be read"),
            "{message}"
        );
        let (_kept, empty) = written("empty.pem", "hello");
        let message = refused(TlsSettings {
            ca_certs: vec![empty.clone()],
            ..Default::default()
        });
        assert!(message.contains("holds no certificate"), "{message}");
        let (_kept, torn) = written(
            "torn.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        );
        let message = refused(TlsSettings {
            ca_certs: vec![torn.clone()],
            ..Default::default()
        });
        assert!(
            message.contains("torn.pem holds a certificate that is not one"),
            "{message}"
        );
        let half = TlsSettings {
            client_cert: Some(empty.clone()),
            ..Default::default()
        };
        assert!(refused(half).contains("--client-cert goes with --client-key"));
        let own = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let other = rcgen::KeyPair::generate().unwrap();
        let (_kept, cert) = written("cert.pem", &own.cert.pem());
        let (_kept2, key) = written("key.pem", &other.serialize_pem());
        let identity = |cert: &PathBuf, key: &PathBuf| TlsSettings {
            client_cert: Some(cert.clone()),
            client_key: Some(key.clone()),
            ..Default::default()
        };
        assert!(refused(identity(&cert, &key)).contains("not that of the certificate"));
        assert!(refused(identity(&cert, &cert)).contains("holds no private key"));
        assert!(refused(identity(&cert, &missing)).contains("--client-key: /nowhere"));
        let (_kept3, key) = written("key.pem", &own.signing_key.serialize_pem());
        let tls = Tls::new(&identity(&cert, &key), false).unwrap();
        assert!(!format!("{tls:?}").contains("Der"), "{tls:?}");
    }

    #[test]
    fn versions_and_names() {
        let crossed = TlsSettings {
            min: TlsVersion::V1_3,
            max: TlsVersion::V1_2,
            ..Default::default()
        };
        assert_eq!(refused(crossed), "--tls-min 1.3 is above --tls-max 1.2");
        let count = |min, max| versions(min, max).unwrap().len();
        assert_eq!(count(TlsVersion::V1_2, TlsVersion::V1_3), 2);
        assert_eq!(count(TlsVersion::V1_2, TlsVersion::V1_2), 1);
        let name = TlsSettings {
            sni: Some("not a name".into()),
            ..Default::default()
        };
        assert!(refused(name).contains("--sni"));
    }
}
