//! Login, tokens and sessions.

use std::time::Duration;

use serde_json::json;
use user_service::Config;

use crate::client::Client;

const ME: &str = "/api/v1/auth/me";
const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";

async fn refresh(client: &Client, token: &str) -> crate::client::Answer {
    client
        .anonymous()
        .post(REFRESH, json!({ "refresh_token": token }))
        .await
}

#[tokio::test]
async fn login_answers_with_tokens_and_the_user() {
    let client = Client::new(Config::default());
    let id = client.register("wasp").await;
    for given in [
        json!({"email": "wasp@example.test", "password": "Secret123"}),
        json!({"email": "WASP@example.TEST", "password": "Secret123"}),
        json!({"username": "wasp", "password": "Secret123"}),
    ] {
        let answer = client.post(LOGIN, given).await.is(200);
        assert_eq!(answer.text("/data/token_type"), "Bearer");
        assert_eq!(answer.body["data"]["expires_in"], 900);
        assert_eq!(answer.text("/data/user/id"), id);
        assert!(answer.body["data"]["user"].get("password").is_none());
        let me = client
            .with_token(&answer.text("/data/access_token"))
            .send("POST", ME, None)
            .await
            .is(200);
        assert_eq!(me.body["data"], answer.body["data"]["user"]);
    }
}

#[tokio::test]
async fn login_refuses_wrong_credentials_alike_and_incomplete_ones_by_field() {
    let client = Client::new(Config::default());
    client.register("wasp").await;
    let wrong = client.login("wasp", "Secret124").await.is(401);
    let unknown = client.login("nobody", "Secret123").await.is(401);
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(
        client.post(LOGIN, json!({})).await.fields(),
        ["email", "password"]
    );
    assert_eq!(
        client
            .post(LOGIN, json!({"username": "wasp"}))
            .await
            .fields(),
        ["password"]
    );
    assert_eq!(
        client
            .post(LOGIN, json!({"username": 1, "password": "x"}))
            .await
            .fields(),
        ["username"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_access_token_dies_at_its_expiry_and_a_refresh_token_outlives_it() {
    let config = Config {
        access_ttl: Duration::from_secs(60),
        ..Config::default()
    };
    let client = Client::new(config);
    client.register("wasp").await;
    let login = client.login("wasp", "Secret123").await.is(200);
    assert_eq!(login.body["data"]["expires_in"], 60);
    let wasp = client.with_token(&login.text("/data/access_token"));
    tokio::time::advance(Duration::from_millis(59_900)).await;
    wasp.send("POST", ME, None).await.is(200);
    // The expiry is rounded up to a whole second.
    tokio::time::advance(Duration::from_millis(1_100)).await;
    let refused = wasp.send("POST", ME, None).await.is(401);
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    let renewed = refresh(&client, &login.text("/data/refresh_token"))
        .await
        .is(200);
    client
        .with_token(&renewed.text("/data/access_token"))
        .send("POST", ME, None)
        .await
        .is(200);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_it_is_not_refreshed_in_time() {
    let day = Duration::from_secs(86_400);
    let client = Client::new(Config {
        access_ttl: 10 * day,
        refresh_ttl: day,
        ..Config::default()
    });
    client.register("wasp").await;
    let login = client.login("wasp", "Secret123").await;
    tokio::time::advance(day / 2).await;
    let renewed = refresh(&client, &login.text("/data/refresh_token"))
        .await
        .is(200);
    tokio::time::advance(day * 3 / 4).await;
    assert_eq!(client.metric("user_service_sessions").await, 1);
    tokio::time::advance(day / 4).await;
    refresh(&client, &renewed.text("/data/refresh_token"))
        .await
        .is(401);
    client
        .with_token(&renewed.text("/data/access_token"))
        .send("POST", ME, None)
        .await
        .is(401);
    assert_eq!(client.metric("user_service_sessions").await, 0);
}

#[tokio::test]
async fn logout_voids_both_tokens_of_this_session_only() {
    let client = Client::new(Config::default());
    client.register("wasp").await;
    let (one, other) = (
        client.login("wasp", "Secret123").await,
        client.login("wasp", "Secret123").await,
    );
    let wasp = client.with_token(&one.text("/data/access_token"));
    wasp.send("POST", LOGOUT, None).await.is(204);
    wasp.send("POST", ME, None).await.is(401);
    wasp.send("POST", LOGOUT, None).await.is(401);
    refresh(&client, &one.text("/data/refresh_token"))
        .await
        .is(401);
    client
        .with_token(&other.text("/data/access_token"))
        .send("POST", ME, None)
        .await
        .is(200);
    refresh(&client, &other.text("/data/refresh_token"))
        .await
        .is(200);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_ends_the_session() {
    let client = Client::new(Config::default());
    client.register("wasp").await;
    let first = client.login("wasp", "Secret123").await;
    let second = refresh(&client, &first.text("/data/refresh_token"))
        .await
        .is(200);
    assert_ne!(
        first.text("/data/refresh_token"),
        second.text("/data/refresh_token")
    );
    // Until the reuse, old and new access tokens both hold.
    for answer in [&first, &second] {
        client
            .with_token(&answer.text("/data/access_token"))
            .send("POST", ME, None)
            .await
            .is(200);
    }
    refresh(&client, &first.text("/data/refresh_token"))
        .await
        .is(401);
    refresh(&client, &second.text("/data/refresh_token"))
        .await
        .is(401);
    client
        .with_token(&second.text("/data/access_token"))
        .send("POST", ME, None)
        .await
        .is(401);
}

#[tokio::test]
async fn a_forged_refresh_token_harms_no_session() {
    let client = Client::new(Config::default());
    client.register("wasp").await;
    let login = client.login("wasp", "Secret123").await;
    let token = login.text("/data/refresh_token");
    let forged = format!("{}{}", &token[..token.len() - 8], "AAAAAAAA");
    for bad in [forged.as_str(), "", "x", &login.text("/data/access_token")] {
        refresh(&client, bad).await.is(401);
    }
    refresh(&client, &token).await.is(200);
    assert_eq!(
        client.post(REFRESH, json!({})).await.fields(),
        ["refresh_token"]
    );
}

#[tokio::test]
async fn bad_tokens_are_refused() {
    let client = Client::new(Config::default());
    let elsewhere = Client::new(Config::default())
        .login("admin", "Admin123!")
        .await
        .text("/data/access_token");
    client.send("POST", ME, None).await.is(401);
    for token in ["", "x", "a.b.c", elsewhere.as_str()] {
        client
            .with_token(token)
            .send("POST", ME, None)
            .await
            .is(401);
    }
    let basic = axum::http::Request::post(ME)
        .header("authorization", "Basic YTpi")
        .body(axum::body::Body::empty());
    client.raw(basic.unwrap()).await.is(401);
}

#[tokio::test]
async fn an_inactive_user_is_signed_out_and_cannot_come_back() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let (id, wasp) = client.plain("wasp").await;
    let login = client.login("wasp", "Secret123").await;
    let answer = admin
        .send("PUT", &format!("/api/v1/users/{id}/deactivate"), None)
        .await
        .is(200);
    assert_eq!(answer.body["data"]["active"], false);
    wasp.send("POST", ME, None).await.is(401);
    refresh(&client, &login.text("/data/refresh_token"))
        .await
        .is(401);
    client.login("wasp", "Secret123").await.is(403);
    client.login("wasp", "wrong").await.is(401);
    let answer = admin
        .send("PUT", &format!("/api/v1/users/{id}/activate"), None)
        .await
        .is(200);
    assert_eq!(answer.body["data"]["active"], true);
    client.login("wasp", "Secret123").await.is(200);
    wasp.send("POST", ME, None).await.is(401);
}

#[tokio::test]
async fn the_administrator_is_seeded_as_configured() {
    let config = Config {
        admin_email: "root@x.test".into(),
        admin_password: "x".into(),
        ..Config::default()
    };
    assert!(!format!("{config:?}").contains("admin_password"));
    let client = Client::new(config);
    let answer = client
        .post(LOGIN, json!({"email": "root@x.test", "password": "x"}))
        .await
        .is(200);
    assert_eq!(answer.body["data"]["user"]["roles"], json!(["admin"]));
}
