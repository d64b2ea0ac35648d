//! The gRPC interface, asked by tonic's client: the same state and rules as over REST, and each call once in the ledger.

mod refusals;
mod services;
mod watch;

use axum::Router;
use axum::http::uri::PathAndQuery;
use prost::Message;
use tonic::client::{Grpc, GrpcService};
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

use crate::client::Client;

#[allow(clippy::all, dead_code)]
mod messages {
    include!("../../../src/grpc/generated/users.v1.rs");
}

use messages::*;

/// A caller of one service; `T` is what carries its calls.
struct Caller<T> {
    grpc: Grpc<T>,
    metadata: MetadataMap,
}

impl Caller<Router> {
    fn of(client: &Client) -> Self {
        Self {
            grpc: Grpc::new(client.router.clone()),
            metadata: MetadataMap::new(),
        }
    }
}

impl<T> Caller<T>
where
    T: GrpcService<tonic::body::Body, Error: std::fmt::Debug> + Clone,
    T::ResponseBody: axum::body::HttpBody<Data = axum::body::Bytes> + Send + 'static,
    <T::ResponseBody as axum::body::HttpBody>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn with(&self, name: &'static str, value: &str) -> Self {
        let mut metadata = self.metadata.clone();
        metadata.insert(name, value.parse().unwrap());
        Self {
            grpc: self.grpc.clone(),
            metadata,
        }
    }

    async fn call<A: Message + Default + 'static>(
        &self,
        method: &str,
        asked: impl Message + 'static,
    ) -> Result<A, Status> {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.unwrap();
        let request =
            tonic::Request::from_parts(self.metadata.clone(), tonic::Extensions::default(), asked);
        let codec = ProstCodec::default();
        let answer = grpc.unary(request, path(method), codec).await?;
        Ok(answer.into_inner())
    }

    async fn watch(&self) -> Result<Streaming<UserEvent>, Status> {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.unwrap();
        let request =
            tonic::Request::from_parts(self.metadata.clone(), tonic::Extensions::default(), ());
        let codec = ProstCodec::default();
        let path = path("UserService/WatchUsers");
        let answer = grpc.server_streaming(request, path, codec).await?;
        Ok(answer.into_inner())
    }

    async fn signed_in(&self, username: &str, password: &str) -> Self {
        let tokens: Tokens = self
            .call("AuthService/Login", login(username, password))
            .await
            .unwrap();
        self.with("authorization", &format!("Bearer {}", tokens.access_token))
    }

    async fn admin(&self) -> Self {
        self.signed_in("admin", "Admin123!").await
    }

    /// A new user, whose password is `Secret123`.
    async fn register(&self, username: &str) -> User {
        let answer = self.call("UserService/CreateUser", registration(username));
        answer.await.unwrap()
    }
}

fn path(method: &str) -> PathAndQuery {
    format!("/users.v1.{method}").parse().unwrap()
}

fn login(username: &str, password: &str) -> LoginRequest {
    LoginRequest {
        username: Some(username.into()),
        password: Some(password.into()),
        ..LoginRequest::default()
    }
}

fn registration(username: &str) -> CreateUserRequest {
    CreateUserRequest {
        username: Some(username.into()),
        email: Some(format!("{username}@example.test")),
        password: Some("Secret123".into()),
        name: Some(format!("Name of {username}")),
    }
}

fn get(id: &str) -> GetUserRequest {
    GetUserRequest { id: id.into() }
}

async fn counted(client: &Client, method: &str, status: &str) -> u64 {
    let series = format!(
        "user_service_requests_total{{method=\"POST\",route=\"/users.v1.{method}\",status=\"{status}\"}}"
    );
    client.metric(&series).await
}
