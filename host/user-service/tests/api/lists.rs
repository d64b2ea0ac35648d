//! Pages, filters, search and sorting.

use serde_json::{Value, json};
use user_service::Config;

use crate::client::{Answer, Client};

async fn nest() -> (Client, Client) {
    let client = Client::new(Config::default());
    for at in 0..45 {
        client.register(&format!("wasp{at:02}")).await;
    }
    let admin = client.admin().await;
    (client, admin)
}

fn usernames(answer: &Answer) -> Vec<&str> {
    answer.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect()
}

fn meta(page: u64, per_page: u64, total: u64, pages: u64) -> Value {
    json!({"page": page, "per_page": per_page, "total": total, "total_pages": pages})
}

#[tokio::test]
async fn pages_cover_the_list_once_and_tell_where_they_are() {
    let (_, admin) = nest().await;
    let first = admin.get("/api/v1/users").await.is(200);
    assert_eq!(first.body["meta"], meta(1, 20, 46, 3));
    assert_eq!(
        (usernames(&first).len(), usernames(&first)[0]),
        (20, "admin")
    );
    let mut all = Vec::new();
    for page in 1..=7 {
        let answer = admin
            .get(&format!("/api/v1/users?page={page}&per_page=7"))
            .await
            .is(200);
        assert_eq!(answer.body["meta"], meta(page, 7, 46, 7));
        all.extend(usernames(&answer).into_iter().map(str::to_owned));
    }
    let mut expected: Vec<_> = (0..45).map(|at| format!("wasp{at:02}")).collect();
    expected.insert(0, "admin".into());
    assert_eq!(all, expected);
}

#[tokio::test]
async fn page_bounds_hold_on_every_list() {
    let (_, admin) = nest().await;
    let me = admin.send("POST", "/api/v1/auth/me", None).await.id();
    let of_user = format!("/api/v1/users/{me}/roles");
    for path in [
        "/api/v1/users",
        "/api/v1/users/search",
        "/api/v1/roles",
        "/api/v1/permissions",
        &of_user,
    ] {
        admin
            .get(&format!("{path}?page=1&per_page=1"))
            .await
            .is(200);
        assert_eq!(
            admin
                .get(&format!("{path}?per_page=100"))
                .await
                .is(200)
                .body["meta"]["per_page"],
            100
        );
        for bad in ["0", "101", "-1", "x", "1.5"] {
            assert_eq!(
                admin.get(&format!("{path}?per_page={bad}")).await.fields(),
                ["per_page"],
                "{path}"
            );
        }
        for bad in ["0", "-1", "x", "99999999999999999999"] {
            assert_eq!(
                admin.get(&format!("{path}?page={bad}")).await.fields(),
                ["page"],
                "{path}"
            );
        }
        for far in ["1000", "18446744073709551615"] {
            let answer = admin
                .get(&format!("{path}?page={far}&per_page=100"))
                .await
                .is(200);
            assert_eq!(
                (&answer.body["data"], &answer.body["meta"]["total_pages"]),
                (&json!([]), &json!(1))
            );
        }
    }
}

#[tokio::test]
async fn lists_filter_by_state_and_role() {
    let (client, admin) = nest().await;
    let id = admin.get("/api/v1/users/username/wasp07").await.id();
    admin
        .send("PUT", &format!("/api/v1/users/{id}/deactivate"), None)
        .await
        .is(200);
    for path in ["/api/v1/users", "/api/v1/users/search"] {
        let inactive = admin.get(&format!("{path}?active=false")).await.is(200);
        assert_eq!(usernames(&inactive), ["wasp07"]);
        assert_eq!(
            admin.get(&format!("{path}?active=1")).await.body["meta"],
            meta(1, 20, 45, 3)
        );
        assert_eq!(
            usernames(&admin.get(&format!("{path}?role=admin")).await),
            ["admin"]
        );
        assert_eq!(
            admin
                .get(&format!("{path}?role=admin&active=false"))
                .await
                .body["meta"]["total"],
            0
        );
        assert_eq!(
            admin
                .get(&format!("{path}?role=nobody-has-it"))
                .await
                .is(200)
                .body["meta"],
            meta(1, 20, 0, 0)
        );
        assert_eq!(
            admin.get(&format!("{path}?active=maybe")).await.fields(),
            ["active"]
        );
    }
    client.get("/api/v1/users?active=maybe").await.is(401);
}

#[tokio::test]
async fn search_matches_substrings_of_each_field() {
    let (_, admin) = nest().await;
    for (query, total) in [
        ("", 46),
        ("q=", 46),
        ("q=WASP1", 10),
        ("q=name+of+wasp0", 10),
        ("q=wasp4&name=OF", 5),
        ("username=asp3", 10),
        ("email=p44%40example", 1),
        ("name=administrator", 1),
        ("email=name", 0),
        ("q=nothing", 0),
        ("q=p4&username=44&active=true", 1),
        ("created_after=2020-01-01", 46),
        ("created_before=2020-01-01T00:00:00Z", 0),
        ("created_after=2020-01-01&created_before=2999-01-01", 46),
    ] {
        let answer = admin
            .get(&format!("/api/v1/users/search?{query}"))
            .await
            .is(200);
        assert_eq!(answer.body["meta"]["total"], total, "{query}");
    }
}

#[tokio::test]
async fn creation_times_are_exclusive_bounds() {
    let (_, admin) = nest().await;
    let of = async |name: &str| {
        admin
            .get(&format!("/api/v1/users/username/{name}"))
            .await
            .text("/data/created_at")
    };
    let (from, to) = (of("wasp10").await, of("wasp13").await);
    let path = format!("/api/v1/users/search?created_after={from}&created_before={to}");
    assert_eq!(
        usernames(&admin.get(&path).await.is(200)),
        ["wasp11", "wasp12"]
    );
}

#[tokio::test]
async fn search_sorts_both_ways_and_refuses_what_it_does_not_know() {
    let (_, admin) = nest().await;
    let id = admin.get("/api/v1/users/username/wasp30").await.id();
    admin
        .put(&format!("/api/v1/users/{id}"), json!({"name": "AAA"}))
        .await
        .is(200);
    for (sort, first) in [
        ("created_at", "admin"),
        ("-created_at", "wasp44"),
        ("username", "admin"),
        ("-username", "wasp44"),
        ("email", "admin"),
        ("-email", "wasp44"),
        ("name", "wasp30"),
        ("-name", "wasp44"),
        ("updated_at", "admin"),
        ("-updated_at", "wasp30"),
    ] {
        let answer = admin
            .get(&format!("/api/v1/users/search?sort={sort}&per_page=3"))
            .await
            .is(200);
        assert_eq!(usernames(&answer)[0], first, "{sort}");
    }
    let second = admin
        .get("/api/v1/users/search?sort=-username&page=2&per_page=3&q=wasp")
        .await
        .is(200);
    assert_eq!(usernames(&second), ["wasp41", "wasp40", "wasp39"]);
    for bad in ["password", "-", "name,email", "+name"] {
        assert_eq!(
            admin
                .get(&format!("/api/v1/users/search?sort={bad}"))
                .await
                .fields(),
            ["sort"]
        );
    }
    let path = "/api/v1/users/search?sort=x&page=0&created_after=soon&active=x";
    assert_eq!(
        admin.get(path).await.fields(),
        ["active", "created_after", "page", "sort"]
    );
}
