//! What of a dialer's options does not work out: files, names, versions. Told before the first connection.

use std::net::IpAddr;

/// What a dialer is told does not work out. Each names the setting and the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialSetupError {
    #[error("{setting}: {path} cannot be read: {why}")]
    Unreadable {
        setting: &'static str,
        path: String,
        why: String,
    },
    #[error(
        "{setting}: {path} holds no certificate: it has to be PEM, with a BEGIN CERTIFICATE line"
    )]
    NoCertificate { setting: &'static str, path: String },
    #[error("{setting}: {path} holds a certificate that is not one: {why}")]
    BadCertificate {
        setting: &'static str,
        path: String,
        why: String,
    },
    #[error(
        "--client-key: {path} holds no private key: it has to be PEM, without a password (PKCS #8, PKCS #1 or SEC1)"
    )]
    NoKey { path: String },
    #[error("--client-cert and --client-key do not work: {0}")]
    Identity(String),
    #[error("--client-cert goes with --client-key: give both or neither")]
    HalfIdentity,
    #[error("--tls-min {min} is above --tls-max {max}")]
    Versions {
        min: &'static str,
        max: &'static str,
    },
    #[error("{0:?} is no name that a TLS certificate can have: give one with --sni")]
    ServerName(String),
    #[error(
        "this machine has no certificates to trust: install them (Debian's ca-certificates), name a file with --ca-cert, or do not verify with --insecure"
    )]
    NoRoots,
    #[error("--local-address {address} is none that this machine can send from: {why}")]
    LocalAddress { address: IpAddr, why: String },
    #[error("a Unix socket is spoken to in clear text: write http, not https")]
    TlsOverUnix,
    #[error("a Unix socket cannot be reached through a proxy: leave out --proxy")]
    ProxyToUnix,
    #[error("{0}")]
    Tls(String),
}
