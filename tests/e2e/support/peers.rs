//! Servers from packages that tests play against or through: each on a free port, ended with its test.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use super::{Owned, eventually, tool};

/// A program that listens.
pub struct Peer {
    child: Owned,
    pub port: u16,
}

impl Peer {
    /// Whatever `start` makes listen on the port that it is given.
    pub fn start(start: impl Fn(u16) -> Command) -> Peer {
        // Somebody else may take the port in between.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut command = start(port);
            let command = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let mut peer = Peer {
                child: Owned(command.spawn().unwrap()),
                port,
            };
            let listens = eventually("a peer that listens", || {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Some(true);
                }
                peer.child.try_wait().unwrap().map(|_| false)
            });
            if listens {
                return peer;
            }
        }
        panic!("no peer came to listen");
    }

    /// nginx with this in its `http` block; `@PORT@` stands for the port. Its log of requests is `access.log`.
    pub fn nginx(folder: &Path, servers: &str) -> Option<Peer> {
        let nginx = tool("nginx", "nginx-light")?;
        let here = folder.display();
        Some(Peer::start(|port| {
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {here}/{kind};\n"))
                .concat();
            let text = format!(
                "daemon off; master_process off; error_log {here}/error.log; pid {here}/pid;\n\
                 events {{ worker_connections 512; }}\n\
                 http {{ log_format line '$connection $ssl_session_reused $ssl_client_s_dn $ssl_protocol $status';\n\
                 access_log {here}/access.log line;\n{temporary}{}\n}}\n",
                servers.replace("@PORT@", &port.to_string())
            );
            let config = folder.join("nginx.conf");
            std::fs::write(&config, text).unwrap();
            let mut command = Command::new(&nginx);
            command.arg("-p").arg(folder).arg("-c").arg(config);
            command
        }))
    }

    /// `openssl s_server` with `NAME.pem` and `NAME.key` of the folder.
    pub fn openssl(openssl: &Path, folder: &Path, name: &str, options: &str) -> Peer {
        Peer::start(|port| {
            let mut command = Command::new(openssl);
            command
                .arg("s_server")
                .args(["-accept", &format!("127.0.0.1:{port}"), "-www"]);
            let file = |ending: &str| folder.join(format!("{name}.{ending}"));
            command
                .arg("-cert")
                .arg(file("pem"))
                .arg("-key")
                .arg(file("key"));
            command.args(options.split_whitespace());
            command
        })
    }

    /// A SOCKS5 server.
    pub fn microsocks(options: &[&str]) -> Option<Peer> {
        let microsocks = tool("microsocks", "microsocks")?;
        Some(Peer::start(|port| {
            let mut command = Command::new(&microsocks);
            command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
            command.args(options);
            command
        }))
    }

    /// An HTTP proxy that writes what it does into `tinyproxy.log`.
    pub fn tinyproxy(folder: &Path, lines: &str) -> Option<Peer> {
        let tinyproxy = tool("tinyproxy", "tinyproxy-bin")?;
        let here = folder.display();
        Some(Peer::start(|port| {
            let text = format!(
                "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogFile \"{here}/tinyproxy.log\"\nLogLevel Connect\n{lines}\n"
            );
            let config = folder.join("tinyproxy.conf");
            std::fs::write(&config, text).unwrap();
            let mut command = Command::new(&tinyproxy);
            command.arg("-d").arg("-c").arg(config);
            command
        }))
    }
}

/// PEM files in a folder: a CA, and certificates that it has signed.
pub struct Certificates {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Certificates {
    pub fn new(folder: &Path) -> Certificates {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap();
        std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
        Certificates {
            folder: folder.to_owned(),
            issuer: Issuer::new(params, key),
        }
    }

    /// `NAME.pem` and `NAME.key`.
    pub fn issue(&self, name: &str) {
        self.write(name, name, |_| {});
    }

    /// `FILE.pem` and `FILE.key` of a certificate that was good until 3 February 2021.
    pub fn expired(&self, name: &str, file: &str) {
        self.write(name, file, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 2, 3);
        });
    }

    fn write(&self, name: &str, file: &str, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        // One that has its issuer's name is taken for its own issuer.
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let path = |ending: &str| self.folder.join(format!("{file}.{ending}"));
        std::fs::write(path("pem"), cert.pem()).unwrap();
        std::fs::write(path("key"), key.serialize_pem()).unwrap();
    }
}
