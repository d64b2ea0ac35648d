//! One call: who asks is known before the message is read, and the message is read by tonic.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use futures_util::Stream;
use prost::Message;
use tonic::Status;
use tonic::server::{Grpc, ServerStreamingService, UnaryService};
use tonic_prost::ProstCodec;

use crate::MAX_BODY;
use crate::app::App;
use crate::caller::{self, Caller};
use crate::error::Error;

/// A method for whoever is signed in.
pub fn signed<Q, A>(
    answer: fn(&App, Caller, Q) -> Result<A, Error>,
) -> MethodRouter<App, Infallible>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    post(move |State(app): State<App>, request: Request| async move {
        match caller::of(&app, &request) {
            Ok(caller) => unary(request, |asked| answer(&app, caller, asked)).await,
            Err(error) => Status::from(error).into_http(),
        }
    })
}

/// A method for anyone.
pub fn open<Q, A>(answer: fn(&App, Q) -> Result<A, Error>) -> MethodRouter<App, Infallible>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    post(move |State(app): State<App>, request: Request| async move {
        unary(request, |asked| answer(&app, asked)).await
    })
}

/// A method whose answer is a stream, for whoever is signed in.
pub fn streamed<Q, A, S>(answer: fn(&App, Caller, Q) -> S) -> MethodRouter<App, Infallible>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
    S: Stream<Item = Result<A, Status>> + Send + 'static,
{
    post(move |State(app): State<App>, request: Request| async move {
        let caller = match caller::of(&app, &request) {
            Ok(caller) => caller,
            Err(error) => return Status::from(error).into_http(),
        };
        let answer = Streaming(|asked| answer(&app, caller, asked), PhantomData);
        let answered = grpc().server_streaming(answer, request).await;
        answered.map(Body::new)
    })
}

async fn unary<Q, A>(request: Request, answer: impl Fn(Q) -> Result<A, Error>) -> Response
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    grpc()
        .unary(Unary(answer, PhantomData), request)
        .await
        .map(Body::new)
}

fn grpc<Q, A>() -> Grpc<ProstCodec<A, Q>>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    Grpc::new(ProstCodec::default()).max_decoding_message_size(MAX_BODY)
}

struct Unary<F, Q>(F, PhantomData<fn(Q)>);

impl<F, Q, A> UnaryService<Q> for Unary<F, Q>
where
    F: Fn(Q) -> Result<A, Error>,
{
    type Response = A;
    type Future = Ready<Result<tonic::Response<A>, Status>>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        let answer = (self.0)(request.into_inner());
        ready(answer.map(tonic::Response::new).map_err(Status::from))
    }
}

struct Streaming<F, Q>(F, PhantomData<fn(Q)>);

impl<F, Q, A, S> ServerStreamingService<Q> for Streaming<F, Q>
where
    F: Fn(Q) -> S,
    S: Stream<Item = Result<A, Status>>,
{
    type Response = A;
    type ResponseStream = S;
    type Future = Ready<Result<tonic::Response<S>, Status>>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        ready(Ok(tonic::Response::new((self.0)(request.into_inner()))))
    }
}
