//! Over TLS: what the target chooses to speak is learned from the first connection, sessions go on, and every byte
//! arrives.

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use vespeiro_http::dial::{Names, Protocol, Tls, TlsSettings};
use vespeiro_http::{Client, ClientOptions};

use crate::server::{Log, OK, Peer, dial, listen, run, together};
use crate::support::certificates::{Authority, Issued};
use crate::{answer, body, get, with};

fn acceptor(issued: &Issued, alpn: &[&str]) -> TlsAcceptor {
    let certs = CertificateDer::pem_file_iter(&issued.cert)
        .expect("TLS of this machine")
        .map(|one| one.expect("PEM"))
        .collect();
    let key = PrivateKeyDer::from_pem_file(&issued.key).expect("TLS of this machine");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS of this machine");
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(certs, key)
        .expect("TLS of this machine");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config).into()
}

/// A target that speaks what `alpn` says, and a client of it.
async fn target(alpn: &[&str], options: ClientOptions) -> (Client, Log) {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.server(&["target.test"]), alpn);
    let (address, log) = listen(move |peer| {
        let acceptor = acceptor.clone();
        async move {
            let (log, index) = (Rc::clone(&peer.log), peer.index);
            let (stream, open) = peer.split();
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                let mut peer = Peer::again(stream, index, &log, open);
                while let Some(request) = peer.request().await {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    let length = request.body.len();
                    match length {
                        0 => peer.say(OK).await,
                        _ => {
                            peer.say(format!(
                                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"
                            ))
                            .await;
                            peer.say(&request.body).await;
                        }
                    }
                }
                return;
            }
            let mut connection = h2::server::handshake(stream)
                .await
                .expect("TLS of this machine");
            while let Some(Ok((_, mut reply))) = connection.accept().await {
                tokio::task::spawn_local(async move {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    let mut body = reply
                        .send_response(Response::new(()), false)
                        .expect("TLS of this machine");
                    let _ = body.send_data(Bytes::from_static(b"ok"), true);
                });
            }
        }
    })
    .await;
    (client_of(&authority, address, options), log)
}

/// A target whose connections are done by `script`, where they speak HTTP/1.1, and a client of it.
pub async fn encrypted<F: Future<Output = ()> + 'static>(
    alpn: &[&str],
    script: impl Fn(Peer<TlsStream<TcpStream>>) -> F + Clone + 'static,
) -> (Client, Log) {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.server(&["target.test"]), alpn);
    let (address, log) = listen(move |peer| {
        let (acceptor, script) = (acceptor.clone(), script.clone());
        async move {
            let (log, index) = (Rc::clone(&peer.log), peer.index);
            let (stream, open) = peer.split();
            let stream = acceptor.accept(stream).await.expect("TLS");
            assert_ne!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
            script(Peer::again(stream, index, &log, open)).await;
        }
    })
    .await;
    (
        client_of(&authority, address, ClientOptions::default()),
        log,
    )
}

fn client_of(authority: &Authority, address: SocketAddr, options: ClientOptions) -> Client {
    let tls = TlsSettings {
        ca_certs: vec![authority.pem.clone()],
        ..TlsSettings::default()
    };
    let mut dial = dial(address);
    dial.endpoint = vespeiro_http::dial::Endpoint::Tcp {
        host: "target.test".into(),
        port: address.port(),
    };
    let resolve = format!("target.test:{}:127.0.0.1", address.port())
        .parse()
        .expect("TLS of this machine");
    dial.names = Names::new(&[resolve], Duration::from_secs(60));
    dial.tls = Some(Tls::new(&tls, false).expect("TLS of this machine"));
    Client::new(dial, options).expect("TLS of this machine")
}

#[test]
fn http_2_is_learned_from_the_first_connection() {
    run(async {
        let (client, log) = target(&["h2", "http/1.1"], ClientOptions::default()).await;
        let outcomes = together(&client, 20).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| outcome.protocol == Some(Protocol::Http2) && body(outcome) == "ok")
        );
        assert_eq!(log.borrow().connections, 1);
        let handshakes = outcomes
            .iter()
            .filter(|outcome| outcome.phases.tls > Duration::ZERO);
        assert_eq!(handshakes.count(), 1);
        assert_eq!(
            outcomes
                .iter()
                .filter(|outcome| outcome.phases.tls.is_zero())
                .filter(|outcome| outcome.phases.blocked > Duration::from_micros(100))
                .count(),
            19,
            "whoever did not connect has waited"
        );
    });
}

#[test]
fn so_is_http_1_1_and_sessions_go_on() {
    run(async {
        for alpn in [&["http/1.1"][..], &[]] {
            let (client, log) = target(alpn, ClientOptions::default()).await;
            let outcomes = together(&client, 6).await;
            assert!(
                outcomes
                    .iter()
                    .all(|outcome| outcome.protocol == Some(Protocol::Http1)
                        && body(outcome) == "ok")
            );
            assert!(
                outcomes
                    .iter()
                    .all(|outcome| outcome.phases.tls > Duration::ZERO)
            );
            // All but the first at the same time.
            assert_eq!((log.borrow().connections, log.borrow().most_open), (6, 6));
            let counts = client.counts();
            assert_eq!(counts.tls_full + counts.tls_resumed, 6);
            assert!(counts.tls_full >= 1);
        }
        let options = ClientOptions {
            reuse: false,
            ..ClientOptions::default()
        };
        let (client, _) = target(&["http/1.1"], options).await;
        for _ in 0..4 {
            answer(&client.send(&get("/")).await);
        }
        assert_eq!(
            (client.counts().tls_full, client.counts().tls_resumed),
            (1, 3)
        );
    });
}

#[test]
fn large_bodies_both_ways() {
    run(async {
        let (client, log) = target(&["http/1.1"], ClientOptions::default()).await;
        let bytes: Vec<u8> = (0..5 << 20)
            .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for reused in [false, true, true] {
            let outcome = client
                .send(&with(Method::POST, "/", &[], Some(bytes.clone())))
                .await;
            assert!(answer(&outcome).body == bytes);
            assert_eq!((outcome.reused, outcome.sent.body), (reused, 5 << 20));
        }
        assert_eq!(log.borrow().connections, 1);
    });
}
