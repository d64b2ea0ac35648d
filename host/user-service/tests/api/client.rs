//! A client of one in-process service, for the tests of this target.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;
use user_service::Config;

/// A service and who to ask it as.
#[derive(Clone)]
pub struct Client {
    pub router: Router,
    token: Option<String>,
}

/// An answer, its body as JSON (`null` if it has none, a string if it is not JSON).
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// This answer, which must have this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The names of the fields that a 422 complains about.
    #[track_caller]
    pub fn fields(self) -> Vec<String> {
        self.is(422).body["errors"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    }

    pub fn text(&self, pointer: &str) -> String {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{}", self.body))
            .to_owned()
    }

    pub fn id(&self) -> String {
        self.text("/data/id")
    }
}

impl Client {
    pub fn new(config: Config) -> Self {
        Self {
            router: user_service::router(config),
            token: None,
        }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self {
            router: self.router.clone(),
            token: Some(token.to_owned()),
        }
    }

    pub fn anonymous(&self) -> Self {
        Self {
            router: self.router.clone(),
            token: None,
        }
    }

    pub async fn raw(&self, mut request: Request<Body>) -> Answer {
        if let Some(token) = &self.token {
            request.headers_mut().insert(
                header::AUTHORIZATION,
                format!("Bearer {token}").parse().unwrap(),
            );
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(_) if bytes.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
        };
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or(Body::empty(), |value| Body::from(value.to_string()));
        self.raw(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    pub async fn login(&self, username: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "password": password });
        self.anonymous().post("/api/v1/auth/login", body).await
    }

    /// This service, asked as `username`.
    pub async fn signed_in(&self, username: &str, password: &str) -> Self {
        self.with_token(
            &self
                .login(username, password)
                .await
                .is(200)
                .text("/data/access_token"),
        )
    }

    pub async fn admin(&self) -> Self {
        self.signed_in("admin", "Admin123!").await
    }

    /// Registers `username` (password `Secret123`): its id.
    pub async fn register(&self, username: &str) -> String {
        let body = json!({
            "username": username,
            "email": format!("{username}@example.test"),
            "password": "Secret123",
            "name": format!("Name of {username}"),
        });
        self.anonymous()
            .post("/api/v1/users", body)
            .await
            .is(StatusCode::CREATED.as_u16())
            .id()
    }

    /// A new plain user: its id, and the service asked as it.
    pub async fn plain(&self, username: &str) -> (String, Self) {
        let id = self.register(username).await;
        (id, self.signed_in(username, "Secret123").await)
    }

    /// The number behind `series` at `/metrics`; 0 if it is not there.
    pub async fn metric(&self, series: &str) -> u64 {
        let answer = self.anonymous().get("/metrics").await.is(200);
        let text = answer.body.as_str().unwrap();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }
}
