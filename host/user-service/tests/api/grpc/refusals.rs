//! What is refused, slowed down or given up: each with its code, and once in the ledger.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Version, header};
use tonic::Code;
use user_service::Config;

use super::*;

#[tokio::test]
async fn each_refusal_has_its_code_and_is_counted_under_it() {
    let client = Client::new(Config::default());
    let anyone = Caller::of(&client);
    let user = anyone.register("wasp").await;
    let me = anyone.signed_in("wasp", "Secret123").await;
    let refused = |answer: Result<User, Status>| answer.unwrap_err();

    let wrong = CreateUserRequest {
        username: Some("x".into()),
        email: None,
        ..registration("y")
    };
    let invalid = refused(anyone.call("UserService/CreateUser", wrong).await);
    assert_eq!(
        (invalid.code(), invalid.message()),
        (
            Code::InvalidArgument,
            "the given data is invalid: email is required; username must be 3 to 64 letters, digits, '_', '.' or '-'"
        )
    );
    let page = PageRequest {
        page: Some(0),
        per_page: Some(101),
    };
    let far = me
        .call::<RoleList>("RoleService/ListRoles", page)
        .await
        .unwrap_err();
    assert_eq!(
        (far.code(), far.message()),
        (
            Code::InvalidArgument,
            "the given data is invalid: page must be a whole number from 1; per_page must be a whole number from 1 to 100"
        )
    );
    let nobody = refused(anyone.call("UserService/GetUser", get(&user.id)).await);
    assert_eq!(
        (nobody.code(), nobody.message()),
        (Code::Unauthenticated, "a bearer token is required")
    );
    let forged = anyone.with("authorization", "Bearer x.y.z");
    assert_eq!(
        refused(forged.call("UserService/GetUser", get(&user.id)).await).code(),
        Code::Unauthenticated
    );
    let stranger = ActivateUserRequest {
        id: user.id.clone(),
    };
    assert_eq!(
        refused(me.call("UserService/ActivateUser", stranger).await).code(),
        Code::PermissionDenied
    );
    let missing = refused(me.call("UserService/GetUser", get("nobody")).await);
    assert_eq!(
        (missing.code(), missing.message()),
        (Code::NotFound, "no such user")
    );
    let twice = refused(
        anyone
            .call("UserService/CreateUser", registration("wasp"))
            .await,
    );
    assert_eq!(twice.code(), Code::AlreadyExists);
    // No message of this kind.
    let garbage = Tokens {
        access_token: "\u{1}".into(),
        expires_in: 1,
        ..Default::default()
    };
    let unread = refused(me.call("UserService/UpdateUser", garbage).await);
    assert_eq!(unread.code(), Code::Internal);
    let large = get(&"x".repeat(user_service::MAX_BODY));
    assert_eq!(
        refused(me.call("UserService/GetUser", large).await).code(),
        Code::OutOfRange
    );
    assert_eq!(
        refused(me.call("UserService/Nothing", get("")).await).code(),
        Code::Unimplemented
    );

    for (method, status, count) in [
        ("UserService/CreateUser", "OK", 1),
        ("UserService/CreateUser", "INVALID_ARGUMENT", 1),
        ("UserService/CreateUser", "ALREADY_EXISTS", 1),
        ("AuthService/Login", "OK", 1),
        ("RoleService/ListRoles", "INVALID_ARGUMENT", 1),
        ("UserService/GetUser", "UNAUTHENTICATED", 2),
        ("UserService/GetUser", "NOT_FOUND", 1),
        ("UserService/GetUser", "OUT_OF_RANGE", 1),
        ("UserService/UpdateUser", "INTERNAL", 1),
        ("UserService/ActivateUser", "PERMISSION_DENIED", 1),
    ] {
        assert_eq!(
            counted(&client, method, status).await,
            count,
            "{method} {status}"
        );
    }
    let unmatched =
        "user_service_requests_total{method=\"POST\",route=\"unmatched\",status=\"UNIMPLEMENTED\"}";
    assert_eq!(client.metric(unmatched).await, 1);
}

#[tokio::test]
async fn what_is_no_call_is_told_so() {
    let client = Client::new(Config::default());
    let ask = |method: &str, version, kind: &'static str| {
        let request = Request::builder()
            .method(method)
            .uri("/users.v1.AuthService/Login")
            .version(version)
            .header(header::CONTENT_TYPE, kind)
            .body(Body::empty())
            .unwrap();
        client.raw(request)
    };
    for (version, kind) in [
        (Version::HTTP_11, "application/grpc"),
        (Version::HTTP_2, "application/json"),
        (Version::HTTP_2, "application/grpc-web"),
        (Version::HTTP_2, "application/grpc+json"),
    ] {
        let answer = ask("POST", version, kind).await.is(415);
        assert_eq!(
            answer.body["message"],
            "a gRPC call takes HTTP/2 and the content type application/grpc"
        );
    }
    ask("GET", Version::HTTP_2, "application/grpc")
        .await
        .is(405);
    for (method, status, count) in [("POST", 415, 4), ("GET", 405, 1)] {
        let series = format!(
            "user_service_requests_total{{method=\"{method}\",route=\"/users.v1.AuthService/Login\",status=\"{status}\"}}"
        );
        assert_eq!(client.metric(&series).await, count);
    }
}

#[tokio::test(start_paused = true)]
async fn limits_faults_and_latency_are_those_of_rest() {
    let client = Client::new(Config {
        rate_limit: Some(1.0),
        allow_faults: true,
        latency: Some(Duration::from_secs(5)),
        ..Config::default()
    });
    let anyone = Caller::of(&client);
    let began = tokio::time::Instant::now();
    let admin = anyone.admin().await;
    let took = began.elapsed();
    assert!(
        (Duration::from_millis(100)..Duration::from_secs(250)).contains(&took),
        "{took:?}"
    );
    // One bucket for both interfaces.
    let gone = admin.call::<User>("AuthService/Me", ());
    tokio::time::timeout(Duration::from_millis(1), gone)
        .await
        .unwrap_err();
    let limited = admin.call::<User>("AuthService/Me", ()).await.unwrap_err();
    assert_eq!(
        (limited.code(), limited.message()),
        (Code::ResourceExhausted, "too many requests")
    );
    assert_eq!(limited.metadata().get("retry-after").unwrap(), "1");
    for (asked, code) in [
        ("503", Code::Unavailable),
        ("429", Code::Unavailable),
        ("500", Code::Unknown),
        ("403", Code::PermissionDenied),
    ] {
        let faulty = anyone.with("x-envoy-fault-abort-request", asked);
        let answer = faulty.call::<User>("AuthService/Me", ()).await.unwrap_err();
        assert_eq!(
            (answer.code(), answer.message()),
            (code, "fault filter abort"),
            "{asked}"
        );
    }
    let chosen = anyone.with("x-envoy-fault-abort-grpc-request", "10");
    let answer = chosen.call::<User>("AuthService/Me", ()).await.unwrap_err();
    assert_eq!(
        (answer.code(), answer.message()),
        (Code::Aborted, "fault filter abort")
    );
    let began = tokio::time::Instant::now();
    let slow = anyone
        .with("x-envoy-fault-delay-request", "7000")
        .with("x-envoy-fault-abort-request", "503");
    slow.call::<User>("AuthService/Me", ()).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(7));
    for (status, count) in [
        ("CANCELLED", 1),
        ("RESOURCE_EXHAUSTED", 1),
        ("UNAVAILABLE", 3),
        ("UNKNOWN", 1),
        ("ABORTED", 1),
        ("PERMISSION_DENIED", 1),
        ("OK", 0),
    ] {
        assert_eq!(
            counted(&client, "AuthService/Me", status).await,
            count,
            "{status}"
        );
    }
}
