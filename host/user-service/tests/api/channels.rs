//! Event streams and notification sockets, over real connections: who hears what, what is counted, and how they end.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use user_service::Config;

use crate::socket::{Connection, Running, start};

type Socket = WebSocketStream<TcpStream>;

async fn connect(address: SocketAddr, token: Option<&str>) -> Result<Socket, Error> {
    let url = format!("ws://{address}/api/v1/notifications");
    let mut request = url.into_client_request().unwrap();
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    let stream = TcpStream::connect(address).await.unwrap();
    client_async(request, stream)
        .await
        .map(|(socket, _)| socket)
}

async fn next(socket: &mut Socket) -> Value {
    let next = tokio::time::timeout(Duration::from_secs(10), socket.next());
    match next.await.expect("a message").expect("it is open") {
        Ok(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn closed(socket: &mut Socket) -> u16 {
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => frame.code.into(),
        other => panic!("{other:?}"),
    }
}

struct Api(Connection);

impl Api {
    async fn of(service: &Running) -> Self {
        Self(Connection::open(service.address).await)
    }

    async fn ask(&mut self, head: &str, token: &str, body: Value, status: u16) -> Value {
        let (path, body) = (
            format!(
                "{head} HTTP/1.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\nx: "
            ),
            body.to_string(),
        );
        let (got, text) = self.0.ask(&path, body.as_bytes()).await;
        assert_eq!(got, status, "{text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn token(&mut self, username: &str, password: &str) -> String {
        let body = json!({ "username": username, "password": password });
        let answer = self.ask("POST /api/v1/auth/login", "", body, 200).await;
        answer["data"]["access_token"].as_str().unwrap().to_owned()
    }

    /// A new user: its id and its token.
    async fn user(&mut self, name: &str) -> (String, String) {
        let body = json!({ "username": name, "email": format!("{name}@example.test"), "password": "Secret123", "name": name });
        let answer = self.ask("POST /api/v1/users", "", body, 201).await;
        let token = self.token(name, "Secret123").await;
        (answer["data"]["id"].as_str().unwrap().to_owned(), token)
    }

    async fn metric(&mut self, series: &str) -> u64 {
        let (_, text) = self.0.ask("GET /metrics", b"").await;
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("{text}"))
            .trim()
            .parse()
            .unwrap()
    }

    async fn messages(&mut self, channel: &str) -> [u64; 3] {
        let mut counts = [0; 3];
        for (count, direction) in counts.iter_mut().zip(["sent", "received", "dropped"]) {
            let series = format!(
                "user_service_messages_total{{channel=\"{channel}\",direction=\"{direction}\"}}"
            );
            *count = self.metric(&series).await;
        }
        counts
    }
}

#[tokio::test]
async fn notes_reach_their_users_and_are_counted() {
    let service = start(Config::default()).await;
    let mut api = Api::of(&service).await;
    let refused = connect(service.address, None).await;
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status() == 401));
    let (ana, ana_token) = api.user("ana").await;
    let (_, bia_token) = api.user("bia").await;
    api.ask("GET /api/v1/notifications", &ana_token, Value::Null, 400)
        .await;
    let mut first = connect(service.address, Some(&ana_token)).await.unwrap();
    let mut second = connect(service.address, Some(&ana_token)).await.unwrap();
    let mut bia = connect(service.address, Some(&bia_token)).await.unwrap();
    for (note, answer) in [
        (
            json!({ "to": "ANA", "text": "hi" }),
            json!({ "type": "sent", "to": "ANA", "delivered": 2 }),
        ),
        (
            json!({ "to": "admin", "text": "hi" }),
            json!({ "type": "sent", "to": "admin", "delivered": 0 }),
        ),
        (
            json!({ "to": "nobody", "text": "hi" }),
            json!({ "type": "error", "message": "no such user" }),
        ),
    ] {
        bia.send(Message::text(note.to_string())).await.unwrap();
        assert_eq!(next(&mut bia).await, answer);
    }
    bia.send(Message::text("?")).await.unwrap();
    assert_eq!(next(&mut bia).await["type"], "error");
    let head = format!("PUT /api/v1/users/{ana}");
    api.ask(&head, &ana_token, json!({ "name": "Ana" }), 200)
        .await;
    for socket in [&mut first, &mut second] {
        assert_eq!(
            next(socket).await,
            json!({ "type": "note", "from": "bia", "text": "hi" })
        );
        let told = next(socket).await;
        assert_eq!(
            (&told["type"], &told["id"], &told["username"]),
            (&json!("user.updated"), &json!(ana), &json!("ana"))
        );
    }
    assert_eq!(api.messages("notifications").await, [8, 4, 0]);
    // What is too large, and what is not text.
    first
        .send(Message::text("x".repeat(user_service::MAX_BODY + 1)))
        .await
        .unwrap();
    assert_eq!(closed(&mut first).await, 1009);
    second.send(Message::binary("x")).await.unwrap();
    assert_eq!(closed(&mut second).await, 1003);
    // A socket ends with its session.
    api.ask("POST /api/v1/auth/logout", &bia_token, Value::Null, 204)
        .await;
    bia.send(Message::text("?")).await.unwrap();
    assert_eq!(closed(&mut bia).await, 1008);
    let opened = "user_service_channels_total{channel=\"notifications\"}";
    assert_eq!(api.metric(opened).await, 3);
    let answered = "user_service_requests_total{method=\"GET\",route=\"/api/v1/notifications\",status=\"101\"}";
    assert_eq!(api.metric(answered).await, 3);
}

#[tokio::test]
async fn whoever_does_not_read_misses_notes_and_holds_nobody_up() {
    let service = start(Config::default()).await;
    let mut api = Api::of(&service).await;
    let (_, ana) = api.user("ana").await;
    let (_, bia) = api.user("bia").await;
    let _deaf = connect(service.address, Some(&ana)).await.unwrap();
    let mut bia = connect(service.address, Some(&bia)).await.unwrap();
    let note = json!({ "to": "ana", "text": "x".repeat(60_000) }).to_string();
    let mut sent = 0;
    loop {
        sent += 1;
        assert!(sent < 2000, "nothing is dropped");
        bia.send(Message::text(note.clone())).await.unwrap();
        if next(&mut bia).await["delivered"] == 0 {
            break;
        }
    }
    assert_eq!(api.messages("notifications").await[2], 1);
}

#[tokio::test]
async fn an_event_stream_tells_what_happens_to_users_until_the_service_stops() {
    let service = start(Config::default()).await;
    let mut api = Api::of(&service).await;
    let admin = api.token("admin", "Admin123!").await;
    let mut stream = BufReader::new(TcpStream::connect(service.address).await.unwrap());
    let head = format!(
        "GET /api/v1/users/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {admin}\r\n\r\n"
    );
    stream.get_mut().write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
    }
    let (ana, _) = api.user("ana").await;
    for (head, status) in [
        ("PUT /api/v1/users/{}/deactivate", 200),
        ("PUT /api/v1/users/{}/activate", 200),
        ("DELETE /api/v1/users/{}", 204),
    ] {
        api.ask(&head.replace("{}", &ana), &admin, Value::Null, status)
            .await;
    }
    let stopped = Duration::from_secs(4);
    let _ = service.stop.send(());
    // The stream ends at once, and not with the grace period.
    let mut text = String::new();
    tokio::time::timeout(stopped, stream.read_to_string(&mut text))
        .await
        .expect("an end")
        .unwrap();
    tokio::time::timeout(stopped, service.ended)
        .await
        .expect("an end")
        .unwrap()
        .unwrap();
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(
        names,
        [
            "user.created",
            "user.deactivated",
            "user.activated",
            "user.deleted"
        ]
    );
    let ids: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data: Vec<Value> = data
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert!(
        data.iter()
            .all(|data| data["id"] == ana.as_str() && data["username"] == "ana")
    );
    assert!(text.ends_with("0\r\n\r\n"), "{text}");
}
