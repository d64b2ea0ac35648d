//! Streams of events, and calls over a real socket.

use std::time::Duration;

use serde_json::json;
use tonic::Code;
use tonic::transport::Endpoint;
use user_service::Config;

use super::*;
use crate::socket::start;

#[tokio::test]
async fn whoever_watches_hears_of_users_until_the_session_ends() {
    let client = Client::new(Config::default());
    let anyone = Caller::of(&client);
    let me = anyone.admin().await;
    let mut events = me.watch().await.unwrap();
    let user = anyone.register("wasp").await;
    let (_, over_rest) = client.plain("bee").await;
    let change = json!({ "name": "Other" });
    let bee = over_rest.post("/api/v1/auth/me", json!({})).await.id();
    over_rest
        .put(&format!("/api/v1/users/{bee}"), change)
        .await
        .is(200);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let event = events.message().await.unwrap().unwrap();
        assert!(event.at.unwrap().seconds >= user.created_at.unwrap().seconds);
        seen.push((
            event.number,
            event.r#type,
            event.username,
            event.id == user.id,
        ));
    }
    let expected = [
        (1, "user.created".into(), "wasp".into(), true),
        (2, "user.created".into(), "bee".into(), false),
        (3, "user.updated".into(), "bee".into(), false),
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        counted(&client, "UserService/WatchUsers", "OK").await,
        0,
        "it has no status yet"
    );
    me.call::<()>("AuthService/Logout", ()).await.unwrap();
    anyone.register("hornet").await;
    let end = events.message().await.unwrap_err();
    assert_eq!(
        (end.code(), end.message()),
        (Code::Unauthenticated, "the session has ended")
    );
    assert_eq!(
        counted(&client, "UserService/WatchUsers", "UNAUTHENTICATED").await,
        1
    );
    for (series, count) in [
        ("messages_total{channel=\"watches\",direction=\"sent\"}", 3),
        ("messages_total{channel=\"events\",direction=\"sent\"}", 0),
        ("channels_total{channel=\"watches\"}", 1),
        ("channels{channel=\"watches\"}", 0),
    ] {
        assert_eq!(
            client.metric(&format!("user_service_{series}")).await,
            count,
            "{series}"
        );
    }
    // Whoever leaves has cancelled.
    let other = anyone.admin().await;
    drop(other.watch().await.unwrap());
    assert_eq!(
        counted(&client, "UserService/WatchUsers", "CANCELLED").await,
        1
    );
}

#[tokio::test]
async fn over_a_socket_calls_are_answered_beside_rest_and_watches_end_with_the_service() {
    let service = start(Config::default()).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", service.address)).unwrap();
    let anyone = Caller {
        grpc: Grpc::new(endpoint.connect().await.unwrap()),
        metadata: MetadataMap::new(),
    };
    let me = anyone.admin().await;
    let mut events = me.watch().await.unwrap();
    let user = anyone.register("wasp").await;
    let seen: User = me.call("UserService/GetUser", get(&user.id)).await.unwrap();
    assert_eq!(seen, user);
    let none = me
        .call::<User>("UserService/GetUser", get("x"))
        .await
        .unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
    let large = get(&"x".repeat(10 * user_service::MAX_BODY));
    let large = me
        .call::<User>("UserService/GetUser", large)
        .await
        .unwrap_err();
    assert_eq!(large.code(), Code::OutOfRange);
    assert_eq!(events.message().await.unwrap().unwrap().username, "wasp");
    service.stop.send(()).unwrap();
    let end = events.message().await.unwrap_err();
    assert_eq!(
        (end.code(), end.message()),
        (Code::Unavailable, "the service stops")
    );
    let ended = tokio::time::timeout(Duration::from_secs(4), service.ended).await;
    ended.unwrap().unwrap().unwrap();
}
