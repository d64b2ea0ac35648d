//! Through proxies: those of Debian, and one that is scripted for what they do not do.

use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vespeiro_http::Failure;
use vespeiro_http::dial::{DialError, DialOptions, Dialed, Guard, Proxy, Remote, Tls, TlsSettings};

use crate::support::certificates::Authority;
use crate::support::program::{Program, microsocks, openssl, tinyproxy};
use crate::{closed, dial, names, to, worker};

/// A target that greets and then says back what it hears.
async fn greeter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::task::spawn_local(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::task::spawn_local(async move {
                stream.write_all(b"hello").await.expect("written");
                let (mut from, mut into) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut into).await;
            });
        }
    });
    port
}

fn through(kind: &str, credentials: &str, program: &Program, options: DialOptions) -> DialOptions {
    let url = format!("{kind}://{credentials}{}", program.address);
    DialOptions {
        proxy: Some(Proxy::parse(&url).expect("a proxy")),
        ..options
    }
}

async fn greets(dialed: Dialed, proxy: &Program) {
    assert_eq!(dialed.remote, Remote::Tcp(proxy.address));
    let mut stream = dialed.stream;
    let mut heard = [0; 5];
    stream.read_exact(&mut heard).await.expect("a greeting");
    assert_eq!(&heard, b"hello");
    stream.write_all(b"again").await.expect("written");
    stream.read_exact(&mut heard).await.expect("an echo");
    assert_eq!(&heard, b"again");
}

fn shows_nothing(error: &DialError) {
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("c2Vj"),
        "{shown}"
    );
}

#[test]
fn socks5_leads_to_names_and_addresses() {
    let Some(proxy) = microsocks(&[]) else {
        return;
    };
    worker(async {
        let port = greeter().await;
        // The proxy looks the name up; `names` would not.
        for host in ["localhost", "127.0.0.1"] {
            let dialed = dial(through("socks5", "", &proxy, to(host, port))).await;
            greets(dialed.expect("a connection"), &proxy).await;
        }
        let given = DialOptions {
            names: names(&[&format!("nobody.invalid:{port}:127.0.0.1")]),
            ..to("nobody.invalid", port)
        };
        let dialed = dial(through("socks5h", "", &proxy, given)).await;
        greets(dialed.expect("a connection"), &proxy).await;

        let (_held, closed) = closed();
        let error = dial(through("socks5", "", &proxy, to("127.0.0.1", closed))).await;
        let error = error.expect_err("refused");
        assert_eq!(error.failure, Failure::Connect);
        assert!(error.cause.contains("refused the connection"), "{error}");
        let error = dial(through("socks5", "", &proxy, to("nobody.invalid", 80))).await;
        let error = error.expect_err("not known");
        assert_eq!(error.failure, Failure::Connect);
        assert!(
            error
                .cause
                .contains("does not connect to nobody.invalid:80"),
            "{error}"
        );
    });
}

#[test]
fn socks5_with_a_password() {
    let Some(proxy) = microsocks(&["-u", "us@er", "-P", "secret"]) else {
        return;
    };
    worker(async {
        let port = greeter().await;
        let options = || to("127.0.0.1", port);
        let dialed = dial(through("socks5", "us%40er:secret@", &proxy, options())).await;
        greets(dialed.expect("a connection"), &proxy).await;
        let error = dial(through("socks5", "", &proxy, options())).await;
        let error = error.expect_err("no password");
        assert_eq!(error.failure, Failure::Connect);
        assert!(
            error.cause.contains("demands a user and a password"),
            "{error}"
        );
        let error = dial(through("socks5", "user:secret2@", &proxy, options())).await;
        let error = error.expect_err("another password");
        assert!(error.cause.contains("does not take this user"), "{error}");
        shows_nothing(&error);
    });
}

#[test]
fn connect_leads_to_names_and_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(proxy) = tinyproxy(folder.path(), "") else {
        return;
    };
    worker(async {
        let port = greeter().await;
        for host in ["localhost", "127.0.0.1"] {
            let dialed = dial(through("http", "", &proxy, to(host, port))).await;
            greets(dialed.expect("a connection"), &proxy).await;
        }
        let (_held, closed) = closed();
        let error = dial(through("http", "", &proxy, to("127.0.0.1", closed))).await;
        let error = error.expect_err("refused");
        assert_eq!(error.failure, Failure::Connect);
        assert!(error.cause.contains("it answers 500"), "{error}");
    });
}

#[test]
fn connect_with_a_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(proxy) = tinyproxy(folder.path(), "BasicAuth user secret") else {
        return;
    };
    worker(async {
        let port = greeter().await;
        let options = || to("127.0.0.1", port);
        let dialed = dial(through("http", "user:secret@", &proxy, options())).await;
        greets(dialed.expect("a connection"), &proxy).await;
        let error = dial(through("http", "", &proxy, options())).await;
        let error = error.expect_err("no password");
        assert!(error.cause.contains("407"), "{error}");
        assert!(error.cause.contains("USER:PASSWORD@"), "{error}");
        let error = dial(through("http", "user:secret2@", &proxy, options())).await;
        let error = error.expect_err("another password");
        assert_eq!(error.failure, Failure::Connect);
        shows_nothing(&error);
    });
}

#[test]
fn tls_goes_through_both() {
    let ca = Authority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(target) = openssl(&ca.server(&["localhost"]), &[]) else {
        return;
    };
    let proxies = [
        ("socks5", microsocks(&[])),
        ("http", tinyproxy(folder.path(), "")),
    ];
    for (kind, proxy) in proxies {
        let Some(proxy) = proxy else { continue };
        let tls = TlsSettings {
            ca_certs: vec![ca.pem.clone()],
            ..TlsSettings::default()
        };
        let options = DialOptions {
            tls: Some(Tls::new(&tls, false).expect("TLS")),
            ..to("localhost", target.address.port())
        };
        let dialed = worker(dial(through(kind, "", &proxy, options))).expect("a connection");
        assert_eq!(dialed.resumed, Some(false));
        assert!(dialed.phases.connect > Duration::ZERO && dialed.phases.tls > Duration::ZERO);
    }
}

#[test]
fn the_guard_judges_what_a_proxy_is_asked_for() {
    let Some(proxy) = microsocks(&[]) else {
        return;
    };
    let guard: Guard = Rc::new(|host, address| match (host, address) {
        ("127.0.0.1", Some(_)) => Ok(()),
        (_, Some(address)) => Err(format!("{host} is at {address}")),
        (_, None) => Err(format!("nobody knows where {host} is")),
    });
    worker(async {
        let port = greeter().await;
        let judged = |options: DialOptions| DialOptions {
            guard: Some(guard.clone()),
            ..options
        };
        let error = dial(judged(through("socks5", "", &proxy, to("localhost", port)))).await;
        assert_eq!(
            error.expect_err("refused").cause,
            "nobody knows where localhost is"
        );
        let given = DialOptions {
            names: names(&[&format!("a.test:{port}:127.0.0.9")]),
            ..to("a.test", port)
        };
        let error = dial(judged(through("socks5", "", &proxy, given))).await;
        assert_eq!(error.expect_err("refused").cause, "a.test is at 127.0.0.9");
        let dialed = dial(judged(through("socks5", "", &proxy, to("127.0.0.1", port)))).await;
        greets(dialed.expect("a connection"), &proxy).await;
    });
}

/// What an HTTP proxy answers in these pieces, and what becomes of the dial.
async fn scripted(kind: &str, pieces: &[&[u8]]) -> Result<Dialed, DialError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    tokio::task::spawn_local(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("set");
        let _ = stream.read(&mut [0; 1024]).await;
        for piece in pieces {
            if stream.write_all(&piece).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let proxy = Proxy::parse(&format!("{kind}://user:secret@{address}")).expect("a proxy");
    dial(DialOptions {
        proxy: Some(proxy),
        ..to("target.test", 80)
    })
    .await
}

#[test]
fn what_comes_behind_the_proxys_answer_is_the_targets() {
    worker(async {
        let cuts: [&[&[u8]]; 4] = [
            &[b"HTTP/1.1 200 Connection established\r\n\r\nhello"],
            &[b"HTTP/1.1 200 OK\r\nVia: x\r", b"\n\r", b"\nhe", b"llo"],
            &[b"H", b"TTP/1.0 200\r\n", b"\r\nhello"],
            &[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
        ];
        for pieces in cuts {
            let mut stream = scripted("http", pieces).await.expect("a connection").stream;
            let mut heard = String::new();
            stream.read_to_string(&mut heard).await.expect("the rest");
            assert_eq!(heard, "hello");
        }
    });
}

#[test]
fn a_proxy_that_is_none_is_named_without_its_password() {
    worker(async {
        let endless = vec![b'a'; 64 << 10];
        let cases: [(&str, &[&[u8]], &str); 7] = [
            ("http", &[], "closed the connection"),
            (
                "http",
                &[b"SSH-2.0-OpenSSH\r\n\r\n"],
                "answers as no http proxy",
            ),
            ("http", &[&endless], "answers as no http proxy"),
            (
                "http",
                &[b"HTTP/1.1 403 Forbidden\r\n\r\n"],
                "it answers 403",
            ),
            (
                "http",
                &[b"HTTP/1.1 407 Who\r\n\r\n"],
                "does not take this user",
            ),
            ("socks5", &[], "closed the connection"),
            (
                "socks5",
                &[b"HTTP/1.1 400 Bad Request\r\n\r\n"],
                "answers as no socks5 proxy",
            ),
        ];
        for (kind, pieces, expected) in cases {
            let error = scripted(kind, pieces).await.expect_err("no connection");
            assert_eq!(error.failure, Failure::Connect, "{error}");
            assert!(error.cause.contains(expected), "{error}");
            shows_nothing(&error);
        }
        // One that says nothing costs the time for connecting.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let error = dial(DialOptions {
            proxy: Some(Proxy::parse(&format!("http://{address}")).expect("a proxy")),
            connect_timeout: Duration::from_millis(100),
            ..to("target.test", 80)
        });
        let error = error.await.expect_err("silence");
        assert_eq!(error.failure, Failure::Timeout);
        assert!(error.cause.contains("the proxy"), "{error}");
    });
}
