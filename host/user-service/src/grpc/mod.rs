//! The same service over gRPC, on the same port: `proto/users/v1/users.proto` says what it offers. A call is handed to the same
//! method of [`App`] as the request over REST that it stands for; this room only makes messages of views and statuses of errors.
//! Reflection tells clients what there is.

mod auth;
mod call;
mod gate;
mod messages;
mod permissions;
mod profiles;
mod roles;
mod status;
mod users;
mod value;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::post_service;
use tonic_reflection::server::Builder;

use crate::MAX_BODY;
use crate::app::App;
use crate::error;

pub use gate::is_call;
pub use status::{code_of, name};

use messages::DESCRIPTORS;

/// All methods, behind a gate of their own: what comes after a call's answer counts too.
pub fn routes(app: &App) -> Router<App> {
    Router::new()
        .merge(auth::routes())
        .merge(users::routes())
        .merge(profiles::routes())
        .merge(roles::routes())
        .merge(permissions::routes())
        .merge(reflection())
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn_with_state(app.clone(), gate::pass))
}

/// Both versions, for clients ask for either.
fn reflection() -> Router<App> {
    let about = || Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS);
    let readable = "protox wrote the descriptors";
    let v1 = about().build_v1().expect(readable);
    let v1alpha = about().build_v1alpha().expect(readable);
    Router::new()
        .route(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            post_service(v1.max_decoding_message_size(MAX_BODY)),
        )
        .route(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            post_service(v1alpha.max_decoding_message_size(MAX_BODY)),
        )
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode, Version, header};
    use prost::Message;
    use prost_types::FileDescriptorSet;
    use tonic::{Code, Status};
    use tower::ServiceExt;

    use super::*;
    use crate::Config;

    #[tokio::test]
    async fn every_method_of_the_proto_is_there_and_only_three_are_for_anyone() {
        let router = crate::router(Config::default());
        let mut anyone = Vec::new();
        for file in FileDescriptorSet::decode(DESCRIPTORS).unwrap().file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    // One message with nothing in it.
                    let request = Request::post(&path)
                        .version(Version::HTTP_2)
                        .header(header::CONTENT_TYPE, "application/grpc")
                        .body(Body::from(&[0; 5][..]));
                    let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK, "{path}");
                    let code = answer.headers()[Status::GRPC_STATUS].as_bytes();
                    match Code::from_bytes(code) {
                        Code::Unauthenticated => {}
                        Code::InvalidArgument => anyone.push(method.name().to_owned()),
                        other => panic!("{path}: {other:?}"),
                    }
                }
            }
        }
        assert_eq!(anyone, ["Login", "Refresh", "CreateUser"]);
    }
}
