//! What a TLS error means, in words and with the mend. The dialer says it of a handshake; connections ask for what comes
//! later, for a target may judge a client's certificate after the handshake.
//!
//! What must stay true: the error's type decides, never its text.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
};

use super::cause::{Broken, exhausted};
use crate::Failure;

/// The TLS error within an error of a stream, in words; `None` where TLS is not the cause.
pub fn tls_cause(error: &io::Error) -> Option<String> {
    within(error).map(|error| words(error, CertificateRequest::None))
}

/// What it means that a stream which stood has broken: whose failure it is, and why in words. Of either protocol.
pub fn broken(error: &io::Error) -> (Failure, String) {
    if let Some(cause) = tls_cause(error) {
        return (Failure::Tls, cause);
    }
    if let Some(Broken { failure, cause }) = exhausted(error) {
        return (failure, cause);
    }
    match error.kind() {
        io::ErrorKind::TimedOut => (
            Failure::Timeout,
            "the target no longer takes what is sent (TCP timed out)".to_owned(),
        ),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            (Failure::Reset, "the target reset the connection".to_owned())
        }
        io::ErrorKind::UnexpectedEof => (
            Failure::Reset,
            "the target closed the connection".to_owned(),
        ),
        _ => (Failure::Reset, format!("the connection broke: {error}")),
    }
}

pub(super) fn within(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether the target has asked for our certificate, and whether we have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificateRequest {
    None,
    Unanswered,
    Answered,
}

pub(super) fn words(error: &Error, request: CertificateRequest) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::NoCertificatesPresented => "the target shows no certificate".to_owned(),
        Error::AlertReceived(alert) => self::alert(*alert, request),
        Error::PeerIncompatible(error) => incompatible(error),
        Error::NoApplicationProtocol => no_http(),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        )
        | Error::PeerSentOversizedRecord => {
            "the target does not speak TLS on this port: write http instead of https, or the port that does".to_owned()
        }
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_)
        | Error::DecryptError => format!("the target does not keep to TLS: {error}"),
        other => format!("TLS failed: {other}"),
    }
}

/// The target has chosen no HTTP version of those that were offered.
pub(super) fn no_http() -> String {
    "the target does not choose HTTP/2 in the TLS handshake (ALPN): ask for another version with --http auto".to_owned()
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "the target's certificate is of an unknown issuer: trust its CA with --ca-cert FILE, or do not verify with --insecure".to_owned()
        }
        CertificateError::Expired => {
            "the target's certificate has expired: renew it, or do not verify with --insecure".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the target's certificate expired on {}: renew it, or do not verify with --insecure",
            date(*not_after)
        ),
        CertificateError::NotValidYet => {
            "the target's certificate is not valid yet: look at this machine's clock, or do not verify with --insecure".to_owned()
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the target's certificate is not valid before {}: look at this machine's clock, or do not verify with --insecure",
            date(*not_before)
        ),
        CertificateError::NotValidForName => {
            "the target's certificate is for another name: ask for the one that it has with --sni NAME, or do not verify with --insecure".to_owned()
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => wrong_name(expected, presented),
        CertificateError::Revoked => "the target's certificate was revoked: renew it".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the target's certificate is not one for servers (extended key usage): make one that is, or do not verify with --insecure".to_owned()
        }
        CertificateError::BadSignature => {
            "the target's certificate is not signed by the issuer that it names: another CA of the same name may be trusted, see --ca-cert, or do not verify with --insecure".to_owned()
        }
        CertificateError::BadEncoding => "the target's certificate cannot be read".to_owned(),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the target's certificate is signed in a way that is not known or too weak (SHA-1, a short key): renew it, or do not verify with --insecure".to_owned()
        }
        CertificateError::Other(OtherError(other)) => match other.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::CaUsedAsEndEntity) => {
                "the target shows a CA's certificate as its own (basicConstraints CA:TRUE), which is not trusted: trust it with --ca-cert FILE, or do not verify with --insecure".to_owned()
            }
            Some(webpki::Error::UnsupportedCertVersion) => {
                "the target's certificate is of an old form (X.509 version 1, without names): make one of version 3, or do not verify with --insecure".to_owned()
            }
            _ => unfit(error),
        },
        _ => unfit(error),
    }
}

fn unfit(error: &CertificateError) -> String {
    format!("the target's certificate does not do: {error}: or do not verify with --insecure")
}

fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let expected = expected.to_str();
    // `DnsName("a.test")` as the library has it; what is shown is what the certificate says.
    let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
    let most = 8;
    match names.as_slice() {
        [] => format!(
            "the target's certificate has no names, and so not {expected}: make one with subjectAltName, or do not verify with --insecure"
        ),
        names => format!(
            "the target's certificate is for {}{}, not for {expected}: ask for the name that it has with --sni NAME, or do not verify with --insecure",
            names[..names.len().min(most)].join(", "),
            if names.len() > most { ", …" } else { "" }
        ),
    }
}

/// The name within `Kind("name")` or `Kind(name)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

fn incompatible(error: &PeerIncompatible) -> String {
    match error {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => no_version(),
        PeerIncompatible::NoCipherSuitesInCommon
        | PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoEcPointFormatsInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => no_cipher(),
        other => format!("the target's TLS is not compatible: {other:?}"),
    }
}

fn no_version() -> String {
    "the target speaks no TLS version that is asked for: TLS 1.2 and 1.3 can be, see --tls-min and --tls-max".to_owned()
}

fn no_cipher() -> String {
    "the target has no cipher, curve or signature in common with this tool".to_owned()
}

fn alert(alert: AlertDescription, request: CertificateRequest) -> String {
    use AlertDescription as Alert;
    match (alert, request) {
        (Alert::CertificateRequired, _) => demanded(),
        (
            Alert::HandshakeFailure
            | Alert::BadCertificate
            | Alert::NoCertificate
            | Alert::AccessDenied
            | Alert::CertificateUnknown
            | Alert::UnknownCA,
            CertificateRequest::Unanswered,
        ) => demanded(),
        (
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError,
            _,
        ) => format!(
            "the target does not take this client's certificate ({}): look at --client-cert",
            name(alert)
        ),
        (Alert::ProtocolVersion, _) => no_version(),
        (Alert::HandshakeFailure | Alert::InsufficientSecurity, _) => format!(
            "{}, or no version: it sent the alert {}, see --tls-min and --tls-max",
            no_cipher(),
            name(alert)
        ),
        (Alert::UnrecognisedName, _) => {
            "the target does not know the name that it is asked for: give one that it has with --sni NAME".to_owned()
        }
        (Alert::NoApplicationProtocol, _) => no_http(),
        (other, _) => format!("the target ended TLS with the alert {}", name(other)),
    }
}

fn demanded() -> String {
    "the target demands a client certificate: give one with --client-cert and --client-key"
        .to_owned()
}

/// As RFC 8446 writes it: `handshake_failure`.
fn name(alert: AlertDescription) -> String {
    let mut name = String::new();
    let mut upper = true;
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && !upper {
            name.push('_');
        }
        upper = letter.is_ascii_uppercase();
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn date(time: UnixTime) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    // A certificate may say any date; what is past the year 9999 has none that can be written.
    match time {
        Some(time)
            if time
                .duration_since(UNIX_EPOCH)
                .is_ok_and(|since| since.as_secs() < 253_402_300_800) =>
        {
            httpdate::fmt_http_date(time)
        }
        _ => "a day far away".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_named_as_the_specification_does() {
        assert_eq!(
            name(AlertDescription::HandshakeFailure),
            "handshake_failure"
        );
        assert_eq!(name(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(name(AlertDescription::InternalError), "internal_error");
    }

    #[test]
    fn a_handshake_failure_means_what_was_asked_for() {
        let error = Error::AlertReceived(AlertDescription::HandshakeFailure);
        assert!(words(&error, CertificateRequest::None).contains("no cipher"));
        assert!(
            words(&error, CertificateRequest::Unanswered).contains("demands a client certificate")
        );
        let error = Error::AlertReceived(AlertDescription::UnknownCA);
        assert!(words(&error, CertificateRequest::Answered).contains("unknown_ca"));
    }

    #[test]
    fn names_are_shown_as_the_certificate_has_them() {
        let presented = [
            "DnsName(\"a.test\")".to_owned(),
            "IpAddress(10.0.0.1)".to_owned(),
        ];
        let expected = ServerName::try_from("b.test").unwrap();
        let words = wrong_name(&expected, &presented);
        assert!(
            words.contains("is for a.test, 10.0.0.1, not for b.test"),
            "{words}"
        );
        assert!(wrong_name(&expected, &[]).contains("no names"));
    }

    #[test]
    fn only_tls_errors_have_a_tls_cause() {
        assert_eq!(tls_cause(&io::ErrorKind::ConnectionReset.into()), None);
        assert_eq!(tls_cause(&io::Error::other("AlertReceived")), None);
        let alert = Error::AlertReceived(AlertDescription::CertificateRequired);
        let error = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert!(tls_cause(&error).unwrap().contains("--client-cert"));
    }

    #[test]
    fn dates_of_any_kind_are_written() {
        let at = |secs| date(UnixTime::since_unix_epoch(Duration::from_secs(secs)));
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(u64::MAX), "a day far away");
        assert_eq!(at(253_402_300_800), "a day far away");
    }
}
