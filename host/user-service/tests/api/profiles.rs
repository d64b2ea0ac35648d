//! Profiles.

use serde_json::{Value, json};
use user_service::Config;

use crate::client::Client;

#[tokio::test]
async fn a_profile_lives_from_create_to_delete() {
    let client = Client::new(Config::default());
    let (id, wasp) = client.plain("wasp").await;
    let path = format!("/api/v1/users/{id}/profile");
    wasp.get(&path).await.is(404);
    wasp.put(&path, json!({"bio": "x"})).await.is(404);
    wasp.delete(&path).await.is(404);
    let made = wasp
        .post(
            &path,
            json!({"bio": "I build nests", "birth_date": "1990-05-17"}),
        )
        .await
        .is(201);
    assert_eq!(made.body["data"]["user_id"], json!(id));
    assert_eq!(
        (
            &made.body["data"]["birth_date"],
            &made.body["data"]["phone"]
        ),
        (&json!("1990-05-17"), &Value::Null)
    );
    wasp.post(&path, json!({})).await.is(409);
    wasp.put(&path, json!({"bio": null, "website": "https://x.test"}))
        .await
        .is(200);
    let shown = wasp.get(&path).await.is(200).body["data"].clone();
    assert_eq!(
        (&shown["bio"], &shown["website"]),
        (&Value::Null, &json!("https://x.test"))
    );
    assert_eq!(shown["birth_date"], "1990-05-17");
    assert_eq!(client.metric("user_service_profiles").await, 1);
    wasp.delete(&path).await.is(204);
    assert_eq!(client.metric("user_service_profiles").await, 0);
    wasp.get(&path).await.is(404);
}

#[tokio::test]
async fn lengths_are_limited_and_users_must_exist() {
    let client = Client::new(Config::default());
    let (id, wasp) = client.plain("wasp").await;
    let path = format!("/api/v1/users/{id}/profile");
    let long = "é".repeat(1001);
    let given =
        json!({"bio": long, "phone": long, "location": long, "website": long, "birth_date": long});
    assert_eq!(wasp.post(&path, given).await.fields().len(), 5);
    assert_eq!(wasp.post(&path, json!({"bio": 5})).await.fields(), ["bio"]);
    wasp.post(&path, json!({"bio": "é".repeat(1000)}))
        .await
        .is(201);
    wasp.get("/api/v1/users/00000000-0000-4000-8000-000000000000/profile")
        .await
        .is(404);
    client
        .admin()
        .await
        .post("/api/v1/users/7/profile", json!({}))
        .await
        .is(404);
}
