//! Who may do what; roles, permissions and their assignment; what is protected.

use serde_json::{Value, json};
use user_service::Config;

use crate::client::Client;

/// Every request of the table that changes something of others, with a body that would pass, for user, role and
/// permission with these ids.
fn managing(
    user: &str,
    role: &str,
    permission: &str,
) -> Vec<(&'static str, &'static str, String, Option<Value>)> {
    let user = format!("/api/v1/users/{user}");
    let some = |value| Some(value);
    vec![
        (
            "users.manage",
            "PUT",
            user.clone(),
            some(json!({"name": "New"})),
        ),
        ("users.manage", "PUT", format!("{user}/activate"), None),
        ("users.manage", "PUT", format!("{user}/deactivate"), None),
        (
            "users.manage",
            "PUT",
            format!("{user}/reset-password"),
            some(json!({"new_password": "Secret456"})),
        ),
        (
            "users.manage",
            "POST",
            format!("{user}/profile"),
            some(json!({})),
        ),
        (
            "users.manage",
            "PUT",
            format!("{user}/profile"),
            some(json!({})),
        ),
        ("users.manage", "DELETE", format!("{user}/profile"), None),
        (
            "roles.manage",
            "POST",
            "/api/v1/roles".into(),
            some(json!({"name": "fresh"})),
        ),
        (
            "roles.manage",
            "PUT",
            format!("/api/v1/roles/{role}"),
            some(json!({"description": "x"})),
        ),
        ("roles.manage", "POST", format!("{user}/roles/{role}"), None),
        (
            "roles.manage",
            "DELETE",
            format!("{user}/roles/{role}"),
            None,
        ),
        (
            "roles.manage",
            "DELETE",
            format!("/api/v1/roles/{role}"),
            None,
        ),
        (
            "permissions.manage",
            "POST",
            "/api/v1/permissions".into(),
            some(json!({"name": "fresh"})),
        ),
        (
            "permissions.manage",
            "PUT",
            format!("/api/v1/permissions/{permission}"),
            some(json!({"description": "x"})),
        ),
        (
            "permissions.manage",
            "DELETE",
            format!("/api/v1/permissions/{permission}"),
            None,
        ),
        ("users.manage", "DELETE", user, None),
    ]
}

/// What every signed-in user may read.
fn reading(user: &str, role: &str, permission: &str) -> Vec<String> {
    vec![
        "/api/v1/users".into(),
        "/api/v1/users/search?q=a".into(),
        format!("/api/v1/users/{user}"),
        "/api/v1/users/email/admin@example.test".into(),
        "/api/v1/users/username/admin".into(),
        format!("/api/v1/users/{user}/profile"),
        format!("/api/v1/users/{user}/roles"),
        "/api/v1/roles".into(),
        format!("/api/v1/roles/{role}"),
        "/api/v1/permissions".into(),
        format!("/api/v1/permissions/{permission}"),
    ]
}

#[tokio::test]
async fn each_permission_opens_its_part_and_no_other() {
    for held in ["none", "users.manage", "roles.manage", "permissions.manage"] {
        let client = Client::new(Config::default());
        let admin = client.admin().await;
        let victim = client.register("victim").await;
        let role = admin
            .post("/api/v1/roles", json!({"name": "some-role"}))
            .await
            .is(201)
            .id();
        let permission = admin
            .post("/api/v1/permissions", json!({"name": "some.permission"}))
            .await
            .is(201)
            .id();
        let (id, caller) = client.plain("caller").await;
        if held != "none" {
            let given = json!({"name": "holder", "permissions": [held]});
            let holder = admin.post("/api/v1/roles", given).await.is(201).id();
            admin
                .send("POST", &format!("/api/v1/users/{id}/roles/{holder}"), None)
                .await
                .is(201);
        }
        for (needed, method, path, body) in managing(&victim, &role, &permission) {
            client.send(method, &path, body.clone()).await.is(401);
            let answer = caller.send(method, &path, body).await;
            if needed == held {
                assert!(
                    (200..300).contains(&answer.status),
                    "{held}: {method} {path}: {answer:?}"
                );
            } else {
                assert_eq!(answer.status, 403, "{held}: {method} {path}: {answer:?}");
                assert!(answer.text("/message").contains(needed));
            }
        }
    }
}

#[tokio::test]
async fn everyone_signed_in_reads_and_nobody_else() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let (id, wasp) = client.plain("wasp").await;
    let (_, other) = client.plain("other").await;
    wasp.post(&format!("/api/v1/users/{id}/profile"), json!({}))
        .await
        .is(201);
    let role = admin.get("/api/v1/roles").await.text("/data/0/id");
    let permission = admin.get("/api/v1/permissions").await.text("/data/0/id");
    for path in reading(&id, &role, &permission) {
        client.get(&path).await.is(401);
        other.get(&path).await.is(200);
    }
}

#[tokio::test]
async fn permission_comes_before_existence() {
    let client = Client::new(Config::default());
    let (_, wasp) = client.plain("wasp").await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let admin = client.admin().await;
    for (_, method, path, body) in managing(nobody, nobody, nobody) {
        wasp.send(method, &path, body.clone()).await.is(403);
        if !["/api/v1/roles", "/api/v1/permissions"].contains(&path.as_str()) {
            admin.send(method, &path, body).await.is(404);
        }
    }
    wasp.get(&format!("/api/v1/users/{nobody}/roles"))
        .await
        .is(404);
    wasp.get(&format!("/api/v1/roles/{nobody}")).await.is(404);
    wasp.get(&format!("/api/v1/permissions/{nobody}"))
        .await
        .is(404);
}

#[tokio::test]
async fn roles_carry_permissions_by_id_or_name() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let permission = admin
        .post("/api/v1/permissions", json!({"name": "nests.build"}))
        .await
        .is(201)
        .id();
    let role = admin
        .post(
            "/api/v1/roles",
            json!({"name": "builder", "permissions": [permission]}),
        )
        .await
        .is(201);
    assert_eq!(role.body["data"]["permissions"], json!(["nests.build"]));
    let path = format!("/api/v1/roles/{}", role.id());
    let role = admin
        .put(
            &path,
            json!({"permissions": ["users.manage"], "description": "x"}),
        )
        .await
        .is(200);
    assert_eq!(role.body["data"]["permissions"], json!(["users.manage"]));
    assert_eq!(
        admin
            .put(&path, json!({"permissions": ["nope"]}))
            .await
            .fields(),
        ["permissions"]
    );
    let role = admin
        .put(&path, json!({"name": "mason", "description": null}))
        .await
        .is(200);
    assert_eq!(
        (role.text("/data/name"), &role.body["data"]["description"]),
        ("mason".into(), &Value::Null)
    );
    assert_eq!(role.body["data"]["permissions"], json!(["users.manage"]));

    // A permission taken from the role is taken from who has it, at once.
    let (id, wasp) = client.plain("wasp").await;
    let activate = format!("/api/v1/users/{id}/activate");
    admin
        .send(
            "POST",
            &format!("/api/v1/users/{id}/roles/{}", role.id()),
            None,
        )
        .await
        .is(201);
    wasp.send("PUT", &activate, None).await.is(200);
    admin.put(&path, json!({"permissions": []})).await.is(200);
    wasp.send("PUT", &activate, None).await.is(403);
}

#[tokio::test]
async fn catalog_names_are_unique_and_well_formed() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    for path in ["/api/v1/roles", "/api/v1/permissions"] {
        let one = admin.post(path, json!({"name": "one"})).await.is(201).id();
        let two = admin.post(path, json!({"name": "two"})).await.is(201).id();
        admin.post(path, json!({"name": "ONE"})).await.is(409);
        admin
            .put(&format!("{path}/{two}"), json!({"name": "one"}))
            .await
            .is(409);
        admin
            .put(&format!("{path}/{one}"), json!({"name": "One"}))
            .await
            .is(200);
        assert_eq!(admin.post(path, json!({})).await.fields(), ["name"]);
        let bad = json!({"name": "a b", "description": "x".repeat(256)});
        assert_eq!(
            admin.post(path, bad.clone()).await.fields(),
            ["description", "name"]
        );
        assert_eq!(
            admin.put(&format!("{path}/{two}"), bad).await.fields(),
            ["description", "name"]
        );
        admin.delete(&format!("{path}/{one}")).await.is(204);
        admin.get(&format!("{path}/{one}")).await.is(404);
        admin.post(path, json!({"name": "one"})).await.is(201);
    }
    assert_eq!(client.metric("user_service_roles").await, 3);
    assert_eq!(client.metric("user_service_permissions").await, 5);
}

#[tokio::test]
async fn assignments_begin_and_end() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let (id, wasp) = client.plain("wasp").await;
    let role = admin
        .post("/api/v1/roles", json!({"name": "builder"}))
        .await
        .is(201)
        .id();
    let path = format!("/api/v1/users/{id}/roles/{role}");
    admin.delete(&path).await.is(404);
    assert_eq!(
        admin
            .send("POST", &path, None)
            .await
            .is(201)
            .text("/data/name"),
        "builder"
    );
    admin.send("POST", &path, None).await.is(409);
    let roles = wasp.get(&format!("/api/v1/users/{id}/roles")).await.is(200);
    assert_eq!(
        (roles.text("/data/0/id"), &roles.body["meta"]["total"]),
        (role.clone(), &json!(1))
    );
    assert_eq!(
        wasp.get(&format!("/api/v1/users/{id}")).await.body["data"]["roles"],
        json!(["builder"])
    );
    assert_eq!(client.metric("user_service_role_assignments").await, 2);
    admin.delete(&path).await.is(204);
    admin.send("POST", &path, None).await.is(201);
    // Deleting the role ends the assignment too.
    admin.delete(&format!("/api/v1/roles/{role}")).await.is(204);
    assert_eq!(client.metric("user_service_role_assignments").await, 1);
    assert_eq!(
        wasp.get(&format!("/api/v1/users/{id}/roles")).await.body["data"],
        json!([])
    );
    admin.send("POST", &path, None).await.is(404);
}

#[tokio::test]
async fn what_the_service_seeded_is_protected() {
    let client = Client::new(Config::default());
    let admin = client.admin().await;
    let me = admin.send("POST", "/api/v1/auth/me", None).await.id();
    let role = admin.get("/api/v1/roles").await.text("/data/0/id");
    let (id, other) = client.plain("other").await;
    admin
        .send("POST", &format!("/api/v1/users/{id}/roles/{role}"), None)
        .await
        .is(201);
    for caller in [&admin, &other] {
        caller.delete(&format!("/api/v1/users/{me}")).await.is(409);
        caller
            .send("PUT", &format!("/api/v1/users/{me}/deactivate"), None)
            .await
            .is(409);
        caller
            .delete(&format!("/api/v1/users/{me}/roles/{role}"))
            .await
            .is(409);
        caller
            .delete(&format!("/api/v1/roles/{role}"))
            .await
            .is(409);
        caller
            .put(&format!("/api/v1/roles/{role}"), json!({"name": "x-admin"}))
            .await
            .is(409);
        caller
            .put(&format!("/api/v1/roles/{role}"), json!({"permissions": []}))
            .await
            .is(409);
        let permissions = caller.get("/api/v1/permissions").await.is(200);
        for at in 0..3 {
            let path = format!(
                "/api/v1/permissions/{}",
                permissions.text(&format!("/data/{at}/id"))
            );
            caller.delete(&path).await.is(409);
            caller.put(&path, json!({"name": "x.other"})).await.is(409);
            caller
                .put(&path, json!({"description": "still the same"}))
                .await
                .is(200);
        }
    }
    let reset = json!({"new_password": "Secret456"});
    other
        .put(&format!("/api/v1/users/{me}/reset-password"), reset)
        .await
        .is(409);
    other
        .put(&format!("/api/v1/users/{me}"), json!({"username": "gone"}))
        .await
        .is(409);
    admin
        .put(&format!("/api/v1/users/{me}"), json!({"name": "The Queen"}))
        .await
        .is(200);
    client.login("admin", "Admin123!").await.is(200);
}
