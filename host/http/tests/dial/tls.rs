//! TLS against `openssl s_server`: each cause of a failure in words, names, versions, identities, sessions.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vespeiro_http::Failure;
use vespeiro_http::dial::{
    DialError, DialOptions, Dialed, Protocol, ProtocolWish, Tls, TlsSettings, TlsVersion, tls_cause,
};

use crate::support::certificates::{Authority, Issued};
use crate::support::program::{Program, again, inside, openssl};
use crate::{dial, dialer, names, to, worker};

fn trusting(authority: &Authority) -> TlsSettings {
    TlsSettings {
        ca_certs: vec![authority.pem.clone()],
        ..TlsSettings::default()
    }
}

fn with(tls: &TlsSettings, host: &str, port: u16) -> DialOptions {
    DialOptions {
        tls: Some(Tls::new(tls, false).expect("TLS")),
        names: names(&[&format!("{host}:{port}:127.0.0.1")]),
        ..to(host, port)
    }
}

/// Any certificate does.
fn insecure(host: &str, port: u16) -> DialOptions {
    DialOptions {
        tls: Some(Tls::new(&TlsSettings::default(), true).expect("TLS")),
        ..with(&TlsSettings::default(), host, port)
    }
}

fn against(program: &Program, tls: &TlsSettings, host: &str) -> Result<Dialed, DialError> {
    worker(dial(with(tls, host, program.address.port())))
}

fn cause(program: &Program, tls: &TlsSettings, host: &str) -> String {
    let error = against(program, tls, host).expect_err("a failure");
    assert_eq!(error.failure, Failure::Tls, "{error}");
    error.cause
}

#[test]
fn a_certificate_that_does_not_do_is_told_in_words() {
    let ca = Authority::new();
    let stranger = Authority::new();
    let name = "right.test";
    let client_only = ca.issue(&[name], |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let cases: [(&str, Issued, &[&str]); 7] = [
        (
            "expired",
            ca.expired(name),
            &["expired on Wed, 03 Feb 2021", "--insecure"],
        ),
        (
            "early",
            ca.of_tomorrow(name),
            &["not valid before", "4000", "clock"],
        ),
        (
            "name",
            ca.server(&["wrong.test", "*.other.test"]),
            &[
                "is for wrong.test, *.other.test, not for right.test",
                "--sni",
            ],
        ),
        ("nameless", ca.server(&[]), &["has no names", "right.test"]),
        (
            "issuer",
            stranger.server(&[name]),
            &["unknown issuer", "--ca-cert"],
        ),
        ("ca", ca.ca_as_server(name, 4000), &["CA:TRUE"]),
        ("purpose", client_only, &["not one for servers"]),
    ];
    for (what, issued, expected) in cases {
        let Some(program) = openssl(&issued, &[]) else {
            return;
        };
        let cause = cause(&program, &trusting(&ca), name);
        for part in expected {
            assert!(cause.contains(part), "{what}: {cause}");
        }
        // Each of them does where none is judged.
        let dialed = worker(dial(insecure(name, program.address.port()))).expect("a connection");
        assert!(dialed.phases.tls > Duration::ZERO);
        assert_eq!(dialed.protocol, Protocol::Http1);
    }
}

#[test]
fn a_certificate_of_a_trusted_issuer_does() {
    let ca = Authority::new();
    let Some(program) = openssl(&ca.server(&["right.test", "127.0.0.1"]), &[]) else {
        return;
    };
    for host in ["right.test", "RIGHT.test", "127.0.0.1"] {
        let dialed = against(&program, &trusting(&ca), host).expect("a connection");
        assert_eq!(dialed.resumed, Some(false));
        assert!(dialed.phases.tls > Duration::ZERO);
    }
    // Another name is asked for and verified.
    let sni = TlsSettings {
        sni: Some("right.test".into()),
        ..trusting(&ca)
    };
    against(&program, &sni, "elsewhere.test").expect("a connection");
    let sni = TlsSettings {
        sni: Some("elsewhere.test".into()),
        ..trusting(&ca)
    };
    assert!(cause(&program, &sni, "right.test").contains("not for elsewhere.test"));
}

/// As curl has it. Neither its dates nor its names are thereby taken on trust.
#[test]
fn a_cas_own_certificate_does_where_it_is_given() {
    let folder = Authority::new();
    let own = |until| folder.ca_as_server("right.test", until);
    let (good, old) = (own(4000), own(2020));
    let given = |issued: &Issued| TlsSettings {
        ca_certs: vec![issued.cert.clone()],
        ..TlsSettings::default()
    };
    let Some(program) = openssl(&good, &[]) else {
        return;
    };
    against(&program, &given(&good), "right.test").expect("a connection");
    assert!(cause(&program, &given(&good), "wrong.test").contains("not for wrong.test"));
    assert!(cause(&program, &given(&old), "right.test").contains("CA:TRUE"));
    let Some(program) = openssl(&old, &[]) else {
        return;
    };
    assert!(cause(&program, &given(&old), "right.test").contains("expired on"));
}

#[test]
fn ssl_cert_file_is_trusted() {
    let variable = "SSL_CERT_FILE";
    if inside() {
        let port = std::env::var("PORT").map_or(1, |port| port.parse().expect("a number"));
        worker(dial(with(&TlsSettings::default(), "right.test", port))).expect("a connection");
        return;
    }
    let ca = Authority::new();
    let Some(program) = openssl(&ca.server(&["right.test"]), &[]) else {
        return;
    };
    let port = program.address.port().to_string();
    let run = |file: &Path| {
        let variables = [(variable, file.as_os_str()), ("PORT", OsStr::new(&port))];
        again("tls::ssl_cert_file_is_trusted", &[], &variables)
    };
    let (fine, text) = run(&ca.pem);
    assert!(fine, "{text}");
    let (fine, text) = run(&Authority::new().pem);
    assert!(!fine && text.contains("unknown issuer"), "{text}");
    let (fine, text) = run(Path::new("/nowhere"));
    assert!(!fine && text.contains("Unreadable"), "{text}");
    let variables = [("SSL_CERT_DIR", Path::new("/nowhere").as_os_str())];
    let (fine, text) = again(
        "tls::ssl_cert_file_is_trusted",
        &["env", "-u", variable],
        &variables,
    );
    assert!(!fine && text.contains("NoRoots"), "{text}");
}

#[test]
fn versions_and_ciphers_without_one_in_common() {
    let ca = Authority::new();
    let issued = ca.server(&["right.test"]);
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    let Some(program) = openssl(&issued, &old) else {
        return;
    };
    assert!(cause(&program, &trusting(&ca), "right.test").contains("no TLS version"));

    let Some(program) = openssl(&issued, &["-tls1_2", "-cipher", "AES128-SHA256"]) else {
        return;
    };
    let said = cause(&program, &trusting(&ca), "right.test");
    assert!(
        said.contains("no cipher") && said.contains("handshake_failure"),
        "{said}"
    );

    let Some(program) = openssl(&issued, &["-tls1_2"]) else {
        return;
    };
    let new = TlsSettings {
        min: TlsVersion::V1_3,
        ..trusting(&ca)
    };
    assert!(cause(&program, &new, "right.test").contains("no TLS version"));
    let middle = TlsSettings {
        max: TlsVersion::V1_2,
        ..trusting(&ca)
    };
    against(&program, &middle, "right.test").expect("a connection");

    let Some(program) = openssl(&issued, &["-tls1_3"]) else {
        return;
    };
    assert!(cause(&program, &middle, "right.test").contains("no TLS version"));
}

/// With TLS 1.3 a server judges a client's certificate after the client has ended the handshake.
fn heard_later(program: &Program, tls: &TlsSettings) -> String {
    worker(async {
        let dialed = dial(with(tls, "right.test", program.address.port())).await;
        let mut stream = dialed.expect("a handshake").stream;
        let error = stream.read(&mut [0; 16]).await.expect_err("an alert");
        tls_cause(&error).expect("a cause of TLS")
    })
}

#[test]
fn a_client_certificate_is_demanded_taken_or_not() {
    let ca = Authority::new();
    let stranger = Authority::new();
    let server = ca.server(&["right.test"]);
    let identity = |issued: &Issued| TlsSettings {
        client_cert: Some(issued.cert.clone()),
        client_key: Some(issued.key.clone()),
        ..trusting(&ca)
    };
    let demand = |version| {
        let file = ca.pem.to_string_lossy().into_owned();
        let options = [
            version,
            "-Verify",
            "2",
            "-verify_return_error",
            "-CAfile",
            &file,
        ];
        openssl(&server, &options)
    };
    let Some(program) = demand("-tls1_2") else {
        return;
    };
    let none = cause(&program, &trusting(&ca), "right.test");
    assert!(none.contains("demands a client certificate"), "{none}");
    let other = cause(&program, &identity(&stranger.server(&["me"])), "right.test");
    assert!(
        other.contains("does not take this client's certificate"),
        "{other}"
    );
    let expired = cause(&program, &identity(&ca.expired("me")), "right.test");
    assert!(
        expired.contains("does not take this client's certificate"),
        "{expired}"
    );
    against(&program, &identity(&ca.server(&["me"])), "right.test").expect("a connection");

    let Some(mut program) = demand("-tls1_3") else {
        return;
    };
    let none = heard_later(&program, &trusting(&ca));
    assert!(none.contains("demands a client certificate"), "{none}");
    let other = heard_later(&program, &identity(&stranger.server(&["me"])));
    assert!(
        other.contains("does not take this client's certificate"),
        "{other}"
    );
    let taken = identity(&ca.server(&["me"]));
    worker(async {
        let dialed = dial(with(&taken, "right.test", program.address.port())).await;
        let mut stream = dialed.expect("a connection").stream;
        program.say(
            "hello
",
        );
        stream.read_exact(&mut [0; 6]).await.expect("it is taken");
    });
}

#[test]
fn sessions_are_resumed_where_they_may_be() {
    let ca = Authority::new();
    for version in ["-tls1_2", "-tls1_3"] {
        let Some(mut program) = openssl(&ca.server(&["right.test"]), &[version]) else {
            return;
        };
        let port = program.address.port();
        for (resumption, expected) in [(true, true), (false, false)] {
            let tls = TlsSettings {
                resumption,
                ..trusting(&ca)
            };
            worker(async {
                let dialer = dialer(with(&tls, "right.test", port));
                let mut first = dialer.dial().await.expect("a connection");
                assert_eq!(first.resumed, Some(false));
                // A session comes before the first bytes that are read.
                program.say("hello\n");
                first.stream.read_exact(&mut [0; 6]).await.expect("a line");
                drop(first);
                let second = dialer.dial().await.expect("a connection");
                assert_eq!(second.resumed, Some(expected), "{version}");
            });
        }
    }
}

#[test]
fn the_handshake_settles_on_a_version_of_http() {
    let ca = Authority::new();
    let issued = ca.server(&["right.test"]);
    let spoken = |program: &Program, protocol| {
        let options = DialOptions {
            protocol,
            ..with(&trusting(&ca), "right.test", program.address.port())
        };
        worker(dial(options)).map(|dialed| dialed.protocol)
    };
    let Some(both) = openssl(&issued, &["-alpn", "h2,http/1.1"]) else {
        return;
    };
    assert_eq!(spoken(&both, ProtocolWish::Auto), Ok(Protocol::Http2));
    assert_eq!(spoken(&both, ProtocolWish::Http1), Ok(Protocol::Http1));
    assert_eq!(spoken(&both, ProtocolWish::Http2), Ok(Protocol::Http2));
    let Some(old) = openssl(&issued, &["-alpn", "http/1.1"]) else {
        return;
    };
    assert_eq!(spoken(&old, ProtocolWish::Auto), Ok(Protocol::Http1));
    let Some(silent) = openssl(&issued, &[]) else {
        return;
    };
    assert_eq!(spoken(&silent, ProtocolWish::Auto), Ok(Protocol::Http1));
    for program in [&old, &silent] {
        let error = spoken(program, ProtocolWish::Http2).expect_err("no HTTP/2");
        assert_eq!(error.failure, Failure::Tls);
        assert!(error.cause.contains("ALPN"), "{error}");
    }
}

#[test]
fn a_peer_that_speaks_no_tls_hangs_up_or_says_nothing() {
    worker(async {
        for (answer, failure, expected) in [
            (
                "HTTP/1.1 400 Bad Request\r\n\r\n",
                Failure::Tls,
                "does not speak TLS",
            ),
            (
                "SSH-2.0-OpenSSH_9.2\r\n",
                Failure::Tls,
                "does not speak TLS",
            ),
            (
                "220 smtp.test ESMTP\r\n",
                Failure::Tls,
                "does not speak TLS",
            ),
            (
                "",
                Failure::Connect,
                "closed the connection in the TLS handshake",
            ),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let peer = tokio::task::spawn_local(async move {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let _ = stream.read(&mut [0; 1024]).await;
                stream.write_all(answer.as_bytes()).await.expect("written");
            });
            let error = dial(insecure("right.test", port))
                .await
                .expect_err("no TLS");
            assert_eq!(error.failure, failure, "{answer:?}: {error}");
            assert!(error.cause.contains(expected), "{answer:?}: {error}");
            peer.await.expect("it ended");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let options = DialOptions {
            connect_timeout: Duration::from_millis(200),
            ..insecure("right.test", port)
        };
        let error = dial(options).await.expect_err("silence");
        assert_eq!(error.failure, Failure::Timeout);
        assert!(
            error.cause.contains("did not end the TLS handshake"),
            "{error}"
        );
        assert!(
            error.phases.tls >= Duration::from_millis(150),
            "{:?}",
            error.phases
        );
    });
}
