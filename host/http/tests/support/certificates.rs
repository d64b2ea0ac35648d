//! Certificates of every kind that a test needs, made on the spot.

use std::fs;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

/// A CA of the test's own, and a folder for what it issues.
pub struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    pub pem: PathBuf,
}

/// A certificate and its key.
pub struct Issued {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Issuers are told apart by name before their signatures are looked at.
        params.distinguished_name = named(&folder.path().display().to_string());
        let key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("a certificate");
        let pem = folder.path().join("ca.pem");
        fs::write(&pem, cert.pem()).expect("a file");
        Self {
            folder,
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A server's certificate for these names, good today.
    pub fn server(&self, names: &[&str]) -> Issued {
        self.issue(names, |_| {})
    }

    /// A server's certificate, changed before it is signed.
    pub fn issue(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new(owned(names)).expect("names");
        params.distinguished_name = named(names.first().copied().unwrap_or("nobody"));
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate");
        self.write(&cert.pem(), &key.serialize_pem())
    }

    pub fn expired(&self, name: &str) -> Issued {
        self.issue(&[name], |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 2, 3);
        })
    }

    pub fn of_tomorrow(&self, name: &str) -> Issued {
        self.issue(&[name], |params| {
            params.not_before = date_time_ymd(4000, 1, 1);
            params.not_after = date_time_ymd(4001, 1, 1);
        })
    }

    /// As `openssl req -x509` makes it: its own issuer, and a CA. Good until this year.
    pub fn ca_as_server(&self, name: &str, until: i32) -> Issued {
        let mut params = CertificateParams::new(owned(&[name])).expect("a name");
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("a certificate");
        self.write(&cert.pem(), &key.serialize_pem())
    }

    fn write(&self, cert: &str, key: &str) -> Issued {
        let count = fs::read_dir(self.folder.path())
            .expect("the folder")
            .count();
        let path = |kind: &str| self.folder.path().join(format!("{count}.{kind}.pem"));
        let issued = Issued {
            cert: path("cert"),
            key: path("key"),
        };
        fs::write(&issued.cert, cert).expect("a file");
        fs::write(&issued.key, key).expect("a file");
        issued
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn named(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}
