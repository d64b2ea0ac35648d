//! The service on a real socket: keep-alive, large bodies, exact counts under concurrency, shutdown.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use user_service::Config;

pub struct Running {
    pub address: SocketAddr,
    pub stop: oneshot::Sender<()>,
    pub ended: JoinHandle<std::io::Result<()>>,
}

pub async fn start(config: Config) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        let _ = stopped.await;
    };
    Running {
        address,
        stop,
        ended: tokio::spawn(user_service::serve(listener, config, shutdown)),
    }
}

/// One keep-alive connection.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    pub async fn ask(&mut self, head: &str, body: &[u8]) -> (u16, String) {
        let length = body.len();
        let head = format!("{head} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
        // In two writes, so that the service can answer before it has all of the body.
        self.0.get_mut().write_all(head.as_bytes()).await.unwrap();
        self.0.get_mut().write_all(body).await.unwrap();
        self.answer().await
    }

    async fn answer(&mut self) -> (u16, String) {
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            assert!(
                self.0.read_line(&mut line).await.unwrap() > 0,
                "the connection closed early"
            );
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (status, String::from_utf8(body).unwrap())
    }
}

#[tokio::test]
async fn a_connection_survives_refusals_with_bodies() {
    let service = start(Config::default()).await;
    let mut connection = Connection::open(service.address).await;
    for _ in 0..3 {
        assert_eq!(
            connection
                .ask("POST /api/v1/users", &vec![b' '; 1 << 20])
                .await
                .0,
            413
        );
        assert_eq!(
            connection
                .ask("PUT /api/v1/users/x", &vec![b' '; 60_000])
                .await
                .0,
            401
        );
        assert_eq!(connection.ask("POST /nowhere", b"{}").await.0, 404);
        assert_eq!(
            connection.ask("GET /health", b"").await,
            (200, "{\"status\":\"ok\"}".into())
        );
    }
    service.stop.send(()).unwrap();
    service.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn counts_are_exact_under_concurrency() {
    let service = start(Config::default()).await;
    let clients: Vec<_> = (0..16)
        .map(|client| {
            tokio::spawn(async move {
                let mut connection = Connection::open(service.address).await;
                for at in 0..50 {
                    let name = format!("wasp-{client}-{at}");
                    let user = format!(
                        "{{\"username\":\"{name}\",\"email\":\"{name}@x.test\",\"password\":\"Secret123\",\"name\":\"x\"}}"
                    );
                    assert_eq!(connection.ask("POST /api/v1/users", user.as_bytes()).await.0, 201);
                    assert_eq!(connection.ask("POST /api/v1/users", user.as_bytes()).await.0, 409);
                    assert_eq!(connection.ask("GET /api/v1/users", b"").await.0, 401);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let (_, text) = Connection::open(service.address)
        .await
        .ask("GET /metrics", b"")
        .await;
    for line in [
        "user_service_requests_total{method=\"POST\",route=\"/api/v1/users\",status=\"201\"} 800",
        "user_service_requests_total{method=\"POST\",route=\"/api/v1/users\",status=\"409\"} 800",
        "user_service_requests_total{method=\"GET\",route=\"/api/v1/users\",status=\"401\"} 800",
        "user_service_users 801",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_is_counted() {
    let service = start(Config {
        allow_faults: true,
        ..Config::default()
    })
    .await;
    let mut leaving = TcpStream::connect(service.address).await.unwrap();
    let request =
        "GET /api/v1/roles HTTP/1.1\r\nhost: x\r\nx-envoy-fault-delay-request: 60000\r\n\r\n";
    leaving.write_all(request.as_bytes()).await.unwrap();
    drop(leaving);
    let line =
        "user_service_requests_total{method=\"GET\",route=\"/api/v1/roles\",status=\"499\"} 1\n";
    let mut connection = Connection::open(service.address).await;
    let counted = async {
        while !connection.ask("GET /metrics", b"").await.1.contains(line) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), counted)
        .await
        .unwrap();
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_does_not_wait_for_ever() {
    let service = start(Config {
        allow_faults: true,
        ..Config::default()
    })
    .await;
    let mut idle = Connection::open(service.address).await;
    assert_eq!(idle.ask("GET /health", b"").await.0, 200);
    service.stop.send(()).unwrap();
    service.ended.await.unwrap().unwrap();
    let mut rest = Vec::new();
    assert_eq!(idle.0.read_to_end(&mut rest).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn shutdown_leaves_a_stuck_request_behind() {
    let service = start(Config {
        allow_faults: true,
        ..Config::default()
    })
    .await;
    let mut stuck = TcpStream::connect(service.address).await.unwrap();
    let request = "GET /health HTTP/1.1\r\nhost: x\r\nx-envoy-fault-delay-request: 60000\r\n\r\n";
    stuck.write_all(request.as_bytes()).await.unwrap();
    // Connections are taken in order: once a later one is served, the stuck one is waiting.
    Connection::open(service.address)
        .await
        .ask("GET /health", b"")
        .await;
    let before = tokio::time::Instant::now();
    service.stop.send(()).unwrap();
    service.ended.await.unwrap().unwrap();
    assert!(before.elapsed() < Duration::from_secs(60));
}
