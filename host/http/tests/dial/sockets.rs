//! Plain sockets: refused, silent, several, from where, Unix.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixSocket};
use vespeiro_http::Failure;
use vespeiro_http::dial::{DialOptions, Endpoint, Names, Protocol, ProtocolWish, Remote, Stream};

use crate::{closed, dial, dialer, names, to, worker};
use vespeiro_model::Clock;

async fn listener(ip: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((ip, 0)).await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    (listener, port)
}

/// A port that answers no SYN: its queue is full. Kept full as long as what is returned is kept.
async fn silent(ip: &str, port: u16) -> (tokio::net::TcpListener, Vec<TcpStream>, u16) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::new(ip.parse().expect("an address"), port))
        .expect("the port");
    let listener = socket.listen(0).expect("a queue");
    let address = listener.local_addr().expect("its address");
    let mut queue = Vec::new();
    for _ in 0..8 {
        let wait = Duration::from_millis(200);
        match tokio::time::timeout(wait, TcpStream::connect(address)).await {
            Ok(stream) => queue.push(stream.expect("a connection")),
            Err(_) => return (listener, queue, address.port()),
        }
    }
    panic!("the queue does not fill");
}

/// A name that has these addresses.
fn known(addresses: &[&str]) -> Names {
    let addresses: Vec<IpAddr> = addresses
        .iter()
        .map(|one| one.parse().expect("an address"))
        .collect();
    Names::with_lookup(&[], Duration::MAX, move |_| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

#[test]
fn a_connection_is_made_without_delay_of_small_writes() {
    worker(async {
        let (listener, port) = listener("127.0.0.1").await;
        let dialed = dial(to("localhost", port)).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let Stream::Tcp(tcp) = &dialed.stream else {
            panic!("{:?}", dialed.stream);
        };
        assert!(tcp.nodelay().unwrap());
        assert_eq!(dialed.protocol, Protocol::Http1);
        assert_eq!(dialed.resumed, None);
        assert_eq!(dialed.remote, Remote::Tcp(([127, 0, 0, 1], port).into()));
        assert!(dialed.phases.lookup + dialed.phases.connect > Duration::ZERO);
        assert_eq!(dialed.phases.tls, Duration::ZERO);
        let mut stream = dialed.stream;
        stream.write_all(b"hi").await.unwrap();
        let mut got = [0; 2];
        peer.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hi");
    });
}

#[test]
fn clear_text_speaks_http2_only_where_it_is_asked_for() {
    worker(async {
        let (_listener, port) = listener("127.0.0.1").await;
        for (protocol, spoken) in [
            (ProtocolWish::Auto, Protocol::Http1),
            (ProtocolWish::Http1, Protocol::Http1),
            (ProtocolWish::Http2, Protocol::Http2),
        ] {
            let options = DialOptions {
                protocol,
                ..to("127.0.0.1", port)
            };
            assert_eq!(dial(options).await.unwrap().protocol, spoken);
        }
    });
}

#[test]
fn refused_unknown_and_silent_are_told_apart() {
    worker(async {
        let (_held, port) = closed();
        let error = dial(to("127.0.0.1", port)).await.unwrap_err();
        assert_eq!(error.failure, Failure::Connect);
        assert!(error.cause.contains("refused"), "{error}");

        let options = DialOptions {
            names: Names::with_lookup(&[], Duration::MAX, |_| {
                Box::pin(async { Err(io::Error::other("no such name")) })
            }),
            ..to("nobody.invalid", 80)
        };
        let error = dial(options).await.unwrap_err();
        assert_eq!(error.failure, Failure::Connect);
        assert!(error.cause.contains("nobody.invalid"), "{error}");

        let (_listener, _queue, port) = silent("127.0.0.1", 0).await;
        let options = DialOptions {
            connect_timeout: Duration::from_millis(300),
            ..to("127.0.0.1", port)
        };
        let begun = Instant::now();
        let error = dial(options).await.unwrap_err();
        assert_eq!(error.failure, Failure::Timeout);
        assert!(
            error.cause.contains("took no connection within 300ms"),
            "{error}"
        );
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert!(
            error.phases.connect >= Duration::from_millis(290),
            "{:?}",
            error.phases
        );

        let options = DialOptions {
            connect_timeout: Duration::from_millis(50),
            names: Names::with_lookup(&[], Duration::MAX, |_| Box::pin(std::future::pending())),
            ..to("slow.test", 80)
        };
        let error = dial(options).await.unwrap_err();
        assert_eq!(error.failure, Failure::Timeout);
        assert!(error.phases.lookup >= Duration::from_millis(50));
        assert!(error.cause.contains("not looked up"), "{error}");
    });
}

#[test]
fn of_several_addresses_a_dead_one_costs_its_share_of_the_time() {
    worker(async {
        let (live, port) = listener("127.0.0.3").await;
        let (_dead, _queue, _) = silent("127.0.0.2", port).await;
        let options = DialOptions {
            connect_timeout: Duration::from_secs(2),
            names: known(&["127.0.0.2", "127.0.0.3"]),
            ..to("two.test", port)
        };
        let dialer = dialer(options);
        let dialed = dialer.dial().await.unwrap();
        assert_eq!(dialed.remote, Remote::Tcp(([127, 0, 0, 3], port).into()));
        assert!(dialed.phases.connect >= Duration::from_millis(990));
        // The next in turn is the live one.
        let dialed = dialer.dial().await.unwrap();
        assert_eq!(dialed.remote, Remote::Tcp(([127, 0, 0, 3], port).into()));
        assert!(dialed.phases.connect < Duration::from_millis(900));
        drop(live);
        let error = dialer.dial().await.unwrap_err();
        assert_eq!(error.failure, Failure::Timeout);
        assert!(
            error.cause.contains("127.0.0.2") && error.cause.contains("127.0.0.3"),
            "{error}"
        );
    });
}

#[test]
fn several_addresses_and_local_ones_are_taken_in_turn() {
    worker(async {
        let (one, port) = listener("127.0.0.1").await;
        let two = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
        let options = DialOptions {
            names: names(&[&format!("two.test:{port}:127.0.0.1,127.0.0.2")]),
            local_addresses: vec!["127.0.0.8".parse().unwrap(), "127.0.0.9".parse().unwrap()],
            turn: 1,
            ..to("two.test", port)
        };
        let dialer = dialer(options);
        for (listener, from) in [(&two, 9), (&one, 8), (&two, 9)] {
            let dialed = dialer.dial().await.unwrap();
            let (_, peer) = listener.accept().await.unwrap();
            assert_eq!(peer.ip(), IpAddr::from([127, 0, 0, from]));
            assert_eq!(dialed.remote, Remote::Tcp(listener.local_addr().unwrap()));
        }
    });
}

#[test]
fn the_guard_judges_every_address_before_anything_is_sent() {
    worker(async {
        let (listener, port) = listener("127.0.0.1").await;
        let guard: vespeiro_http::dial::Guard = Rc::new(|host, address| {
            match address.filter(|address| *address == Ipv4Addr::new(127, 0, 0, 2)) {
                Some(address) => Err(format!("{host} is a stranger at {address}")),
                None => Ok(()),
            }
        });
        for (host, names) in [
            ("a.test", known(&["127.0.0.1", "127.0.0.2"])),
            ("127.0.0.2", names(&[])),
            ("a.test", names(&[&format!("a.test:{port}:127.0.0.2")])),
        ] {
            let options = DialOptions {
                names,
                guard: Some(guard.clone()),
                ..to(host, port)
            };
            let error = dial(options).await.unwrap_err();
            assert_eq!(error.failure, Failure::Generator);
            assert_eq!(error.cause, format!("{host} is a stranger at 127.0.0.2"));
        }
        let wait = tokio::time::timeout(Duration::from_millis(50), listener.accept());
        assert!(wait.await.is_err(), "nobody may have called");
        let options = DialOptions {
            guard: Some(guard),
            ..to("127.0.0.1", port)
        };
        dial(options).await.unwrap();
    });
}

#[test]
fn a_unix_socket_is_a_target() {
    worker(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let options = || DialOptions {
            connect_timeout: Duration::from_millis(500),
            ..DialOptions::new(Endpoint::Unix(path.clone()), names(&[]), Clock::system())
        };
        let error = dial(options()).await.unwrap_err();
        assert_eq!(error.failure, Failure::Connect);
        assert!(error.cause.contains("there is no socket at"), "{error}");

        let listener = UnixListener::bind(&path).unwrap();
        let mut dialed = dial(options()).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        dialed.stream.write_all(b"hi").await.unwrap();
        let mut got = [0; 2];
        peer.read_exact(&mut got).await.unwrap();
        assert_eq!(
            dialed.remote.to_string(),
            format!("unix:{}", path.display())
        );

        drop(listener);
        let error = dial(options()).await.unwrap_err();
        assert_eq!(error.failure, Failure::Connect);
        assert!(error.cause.contains("refused"), "{error}");
    });
}

#[test]
fn a_unix_socket_with_a_full_queue_is_waited_for() {
    worker(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let listener = socket.listen(0).unwrap();
        let options = |ms| DialOptions {
            connect_timeout: Duration::from_millis(ms),
            ..DialOptions::new(Endpoint::Unix(path.clone()), names(&[]), Clock::system())
        };
        let mut held = Vec::new();
        let error = loop {
            match dial(options(200)).await {
                Ok(dialed) => held.push(dialed),
                Err(error) => break error,
            }
            assert!(held.len() < 16, "the queue does not fill");
        };
        assert_eq!(error.failure, Failure::Timeout);
        let waiting = tokio::task::spawn_local(dial(options(10_000)));
        tokio::task::yield_now().await;
        listener.accept().await.unwrap();
        waiting.await.unwrap().unwrap();
    });
}

#[test]
fn what_cannot_work_is_refused_before_the_first_dial() {
    let refused = |options| {
        vespeiro_http::dial::Dialer::new(options)
            .unwrap_err()
            .to_string()
    };
    let error = refused(DialOptions {
        local_addresses: vec!["192.0.2.1".parse().unwrap()],
        ..to("127.0.0.1", 80)
    });
    assert!(error.starts_with("--local-address 192.0.2.1"), "{error}");
    let unix = || {
        DialOptions::new(
            Endpoint::Unix("/nowhere".into()),
            names(&[]),
            Clock::system(),
        )
    };
    let error = refused(DialOptions {
        tls: Some(vespeiro_http::dial::Tls::new(&Default::default(), true).unwrap()),
        ..unix()
    });
    assert!(error.contains("write http, not https"), "{error}");
    let error = refused(DialOptions {
        proxy: Some(vespeiro_http::dial::Proxy::parse("http://localhost").unwrap()),
        ..unix()
    });
    assert!(error.contains("--proxy"), "{error}");
}
