//! A behavior that talks over channels in the way its config names: what a host's tests run. Config: `{"mode": "echo",
//! "messages": 5}`; see [`Mode`].

use serde::Deserialize;
use serde_json::{Value, json};
use vespeiro_guest::prelude::*;

const SOCKET: Route = Route::get("/socket", "channels");
const EVENTS: Route = Route::get("/events", "channels");
const NOTIFICATIONS: Route = Route::get("/api/v1/notifications", "channels");
const USER_EVENTS: Route = Route::get("/api/v1/users/events", "channels");
const LOGIN: Route = Route::post("/api/v1/auth/login", "auth").login();
const REGISTER: Route = Route::post("/api/v1/users", "auth");

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// Sends texts and bytes in turn over a WebSocket, and waits for each to come back.
    Echo,
    /// Opens a WebSocket, and waits for so many messages.
    Listen,
    /// Opens a stream of events, and waits for so many.
    Events,
    /// Opens a WebSocket, and waits for messages that do not come, an hour each.
    Idle,
    /// Uses a WebSocket that it has closed.
    Closed,
    /// Opens a WebSocket, rests for a second, and takes what waits and comes until its end.
    Slow,
    /// Hears of so many users that it registers at the reference service, and writes as many notes to itself.
    Service,
}

#[derive(Deserialize)]
struct Config {
    mode: Mode,
    #[serde(default)]
    messages: u32,
}

async fn journey(me: &mut Me) -> Result<()> {
    let Config { mode, messages } = me.config()?;
    match mode {
        Mode::Events => {
            let events = me.call(EVENTS).events().await?;
            return listen(me, &events, messages).await;
        }
        Mode::Service => return service(me, messages).await,
        _ => {}
    }
    let socket = me.call(SOCKET).websocket().await?;
    match mode {
        Mode::Echo => echo(me, &socket, messages).await,
        Mode::Listen => listen(me, &socket, messages).await,
        Mode::Closed => {
            socket.close().await?;
            socket.send("again").await
        }
        Mode::Slow => {
            me.wait_ms(1000).await;
            while !socket.has_ended() {
                let some = socket.receive(256, 10_000).await?;
                me.observe("taken", some.len() as f64);
            }
            Ok(())
        }
        _ => {
            while !socket.has_ended() {
                socket.next(3_600_000).await?;
            }
            Ok(())
        }
    }
}

async fn echo(me: &Me, socket: &Channel<'_>, messages: u32) -> Result<()> {
    for number in 0..messages {
        let text = format!("{} {number}", me.user().username);
        let says = async {
            match number % 2 {
                0 => socket.send(text.clone()).await,
                _ => socket.send_bytes(text.clone()).await,
            }
        };
        let (said, answer) = join(says, socket.next(10_000)).await;
        said?;
        let is_same = answer?.is_some_and(|answer| answer.bytes() == text.as_bytes());
        me.check("the answer is what was said", is_same);
        me.think().await;
    }
    socket.close().await
}

async fn listen(me: &Me, channel: &Channel<'_>, messages: u32) -> Result<()> {
    for _ in 0..messages {
        let come = channel.next(10_000).await?.is_some();
        if !me.check("a message comes", come) {
            break;
        }
    }
    Ok(())
}

async fn service(me: &Me, messages: u32) -> Result<()> {
    let login = json!({ "username": "admin", "password": "Admin123!" });
    let login = me.call(LOGIN).json(&login).capture_body().send().await?;
    let login: Value = login.expect_status(200)?.json()?;
    let token = login["data"]["access_token"].as_str().unwrap_or_default();
    let bearer = format!("Bearer {token}");
    let events = me.call(USER_EVENTS).header("authorization", bearer.clone());
    let notes = me.call(NOTIFICATIONS).header("authorization", bearer);
    let (events, notes) = join(events.events(), notes.websocket()).await;
    let (events, notes) = (events?, notes?);
    for number in 0..messages {
        let name = format!("{}_{number}", me.user().username);
        let user = json!({ "username": name, "email": format!("{name}@example.test"), "password": "Secret123", "name": "A" });
        me.call(REGISTER)
            .json(&user)
            .send()
            .await?
            .expect_status(201)?;
        let event = events.next(10_000).await?;
        let told = event.as_ref().and_then(|event| event.json::<Value>());
        let is_this = told.is_some_and(|told| told["username"] == name.as_str());
        me.check("the stream tells of the user", is_this);
        notes
            .send_json(&json!({ "to": "admin", "text": name }))
            .await?;
        let come = notes.receive(2, 10_000).await?;
        let is_this = |one: &vespeiro_guest::contract::Message| {
            one.json::<Value>()
                .is_some_and(|note| note["text"] == name.as_str())
        };
        me.check(
            "the note comes, and its receipt",
            come.len() == 2 && come.iter().any(is_this),
        );
    }
    notes.close().await?;
    events.close().await
}

behavior! {
    name: "channels", version: "0.1.0", routes: [SOCKET, EVENTS, NOTIFICATIONS, USER_EVENTS, LOGIN, REGISTER],
    journey: journey
}
