//! Registration, reading, editing, passwords, deletion; and requests that are wrong in themselves.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use user_service::{Config, MAX_BODY};

use crate::client::Client;

#[tokio::test]
async fn registration_is_open_and_shows_the_user() {
    let client = Client::new(Config::default());
    let given = json!({"username": "wasp", "email": "Wasp@example.test", "password": "Secret123", "name": "Wasp Ção"});
    let user = client.post("/api/v1/users", given).await.is(201).body["data"].clone();
    assert_eq!(
        (&user["username"], &user["email"]),
        (&json!("wasp"), &json!("Wasp@example.test"))
    );
    assert_eq!(
        (&user["name"], &user["active"], &user["roles"]),
        (&json!("Wasp Ção"), &json!(true), &json!([]))
    );
    assert_eq!(user["created_at"], user["updated_at"]);
    assert_eq!(user["id"].as_str().unwrap().len(), 36);
    assert!(user.get("password").is_none());
}

#[tokio::test]
async fn registration_names_every_wrong_field() {
    let client = Client::new(Config::default());
    let all = ["email", "name", "password", "username"];
    assert_eq!(client.post("/api/v1/users", json!({})).await.fields(), all);
    let wrong = json!({"username": "a b", "email": "nope", "password": "short", "name": " "});
    assert_eq!(client.post("/api/v1/users", wrong).await.fields(), all);
    let typed = json!({"username": ["x"], "email": "a@b.co", "password": "Secret123", "name": "x"});
    assert_eq!(
        client.post("/api/v1/users", typed).await.fields(),
        ["username"]
    );
}

#[tokio::test]
async fn taken_names_and_addresses_conflict_whatever_their_case() {
    let client = Client::new(Config::default());
    client.register("wasp").await;
    let mut given = json!({"username": "WASP", "email": "new@example.test", "password": "Secret123", "name": "x"});
    client.post("/api/v1/users", given.clone()).await.is(409);
    given["username"] = json!("other");
    given["email"] = json!("wasp@EXAMPLE.test");
    client.post("/api/v1/users", given).await.is(409);
    assert_eq!(client.metric("user_service_users").await, 2);
}

#[tokio::test]
async fn users_are_found_by_id_email_and_username() {
    let client = Client::new(Config::default());
    let (id, wasp) = client.plain("wasp").await;
    for path in [
        id.as_str(),
        "email/wasp@example.test",
        "email/wasp%40example.test",
        "username/Wasp",
    ] {
        assert_eq!(
            wasp.get(&format!("/api/v1/users/{path}"))
                .await
                .is(200)
                .id(),
            id,
            "{path}"
        );
    }
    for path in [
        "00000000-0000-4000-8000-000000000000",
        "7",
        "email/no@example.test",
        "username/nobody",
    ] {
        wasp.get(&format!("/api/v1/users/{path}")).await.is(404);
    }
}

#[tokio::test]
async fn an_edit_merges_and_moves_the_indexes() {
    let client = Client::new(Config::default());
    let (id, wasp) = client.plain("wasp").await;
    client.register("bee").await;
    let path = format!("/api/v1/users/{id}");
    let user = wasp.put(&path, json!({"name": "New"})).await.is(200);
    assert_eq!(
        (user.text("/data/name"), user.text("/data/username")),
        ("New".into(), "wasp".into())
    );
    wasp.put(&path, json!({"username": "bee"})).await.is(409);
    wasp.put(&path, json!({"email": "BEE@example.test"}))
        .await
        .is(409);
    assert_eq!(
        wasp.put(&path, json!({"username": "x", "email": "", "name": ""}))
            .await
            .fields()
            .len(),
        3
    );
    let user = wasp
        .put(
            &path,
            json!({"username": "Hornet", "email": "hornet@example.test"}),
        )
        .await
        .is(200);
    assert!(user.text("/data/updated_at") > user.text("/data/created_at"));
    wasp.get("/api/v1/users/username/wasp").await.is(404);
    wasp.get("/api/v1/users/email/wasp@example.test")
        .await
        .is(404);
    assert_eq!(
        wasp.get("/api/v1/users/username/hornet").await.is(200).id(),
        id
    );
    client.register("wasp").await;
    // Another case of the own name is no conflict.
    wasp.put(&path, json!({"username": "HORNET"})).await.is(200);
}

#[tokio::test]
async fn a_password_is_changed_with_the_current_one_by_its_owner() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let (id, wasp) = client.plain("wasp").await;
    let path = format!("/api/v1/users/{id}/change-password");
    let change =
        |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    assert_eq!(
        wasp.put(&path, change("wrong", "Secret456")).await.fields(),
        ["current_password"]
    );
    assert_eq!(
        wasp.put(&path, change("Secret123", "weak")).await.fields(),
        ["new_password"]
    );
    assert_eq!(
        wasp.put(&path, json!({})).await.fields(),
        ["current_password", "new_password"]
    );
    admin
        .put(&path, change("Secret123", "Secret456"))
        .await
        .is(403);
    wasp.put(&path, change("Secret123", "Secret456"))
        .await
        .is(204);
    wasp.send("POST", "/api/v1/auth/me", None).await.is(200);
    client.login("wasp", "Secret123").await.is(401);
    client.login("wasp", "Secret456").await.is(200);
}

#[tokio::test]
async fn a_reset_password_signs_the_user_out() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let (id, wasp) = client.plain("wasp").await;
    let path = format!("/api/v1/users/{id}/reset-password");
    assert_eq!(
        admin
            .put(&path, json!({"new_password": "weak"}))
            .await
            .fields(),
        ["new_password"]
    );
    admin
        .put(&path, json!({"new_password": "Secret456"}))
        .await
        .is(204);
    wasp.send("POST", "/api/v1/auth/me", None).await.is(401);
    client.login("wasp", "Secret456").await.is(200);
}

#[tokio::test]
async fn deleting_a_user_deletes_what_hangs_on_it() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let (id, wasp) = client.plain("wasp").await;
    let path = format!("/api/v1/users/{id}");
    wasp.post(&format!("{path}/profile"), json!({"bio": "x"}))
        .await
        .is(201);
    let role = admin
        .post("/api/v1/roles", json!({"name": "keeper"}))
        .await
        .is(201)
        .id();
    admin
        .send("POST", &format!("{path}/roles/{role}"), None)
        .await
        .is(201);
    admin.delete(&path).await.is(204);
    admin.delete(&path).await.is(404);
    wasp.send("POST", "/api/v1/auth/me", None).await.is(401);
    client.login("wasp", "Secret123").await.is(401);
    for (gauge, value) in [
        ("users", 1),
        ("profiles", 0),
        ("role_assignments", 1),
        ("sessions", 1),
        ("roles", 2),
    ] {
        assert_eq!(
            client.metric(&format!("user_service_{gauge}")).await,
            value,
            "{gauge}"
        );
    }
    client.register("wasp").await;
}

#[tokio::test]
async fn requests_wrong_in_themselves_get_the_status_that_says_so() {
    let client = Client::new(Config::default());
    let post = |kind: &str, body: Body| {
        client.raw(
            Request::post("/api/v1/users")
                .header("content-type", kind)
                .body(body)
                .unwrap(),
        )
    };
    let malformed = post("application/json", Body::from("{\"username\": "))
        .await
        .is(400);
    assert!(malformed.text("/message").starts_with("malformed request"));
    post("application/json", Body::empty()).await.is(400);
    post("application/json; charset=utf-8", Body::from("{}"))
        .await
        .is(422);
    post("text/plain", Body::from("{}")).await.is(415);
    post("application/json", Body::from("[1]")).await.is(422);
    post("application/json", Body::from(vec![b' '; MAX_BODY]))
        .await
        .is(400);
    post("application/json", Body::from(vec![b' '; MAX_BODY + 1]))
        .await
        .is(413);
    client.get("/api/v1/nothing").await.is(404).text("/message");
    let wrong = client.send("PATCH", "/api/v1/users", None).await.is(405);
    assert!(wrong.headers["allow"].to_str().unwrap().contains("POST"));
    wrong.text("/message");
    client.send("GET", "/api/v1/auth/login", None).await.is(405);
    let undecodable = client.admin().await.get("/api/v1/users/%FF").await.is(400);
    undecodable.text("/message");
}
