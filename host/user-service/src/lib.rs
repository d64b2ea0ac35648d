//! The reference user service: a real, in-memory implementation of the API that Vespeiro's archetypes load.
//! `vespeiro demo` embeds it, `vespeiro serve` runs it alone, the end-to-end tests hold their counts against its
//! ledger. One thing must stay true: every request it receives is counted exactly once at `/metrics`.
//!
//! # API
//!
//! All bodies are JSON. An answer carries `{"data": ...}`, a list adds `"meta": {"page", "per_page", "total",
//! "total_pages"}`, an error is `{"message": "..."}`, with `"errors": {"field": ["..."]}` when it is a 422.
//!
//! | endpoint | who | answers |
//! | --- | --- | --- |
//! | `POST /api/v1/auth/login` `{"email" or "username", "password"}` | anyone | 200 tokens and user, 401, 403 inactive |
//! | `POST /api/v1/auth/refresh` `{"refresh_token"}` | anyone | 200 as login, 401 |
//! | `POST /api/v1/auth/logout` | signed in | 204; access and refresh token are void at once |
//! | `POST /api/v1/auth/me` | signed in | 200 user |
//! | `GET /api/v1/users` `?page&per_page&active&role` | signed in | 200 list |
//! | `GET /api/v1/users/search` `?q&username&email&name&active&role&created_after&created_before&sort` | signed in | 200 list, 422 |
//! | `GET /api/v1/users/{id}`, `/email/{email}`, `/username/{username}` | signed in | 200, 404 |
//! | `POST /api/v1/users` `{"username", "email", "password", "name"}` | anyone | 201, 409, 422 |
//! | `PUT /api/v1/users/{id}` `{"username"?, "email"?, "name"?}` | self, manager | 200, 404, 409, 422 |
//! | `DELETE /api/v1/users/{id}` | manager | 204, 404, 409 |
//! | `PUT /api/v1/users/{id}/activate`, `/deactivate` | manager | 200 user, 404, 409 |
//! | `PUT /api/v1/users/{id}/change-password` `{"current_password", "new_password"}` | self only | 204, 422 |
//! | `PUT /api/v1/users/{id}/reset-password` `{"new_password"}` | manager | 204, 404, 409, 422 |
//! | `GET /api/v1/users/{userId}/profile` | signed in | 200, 404 |
//! | `POST`, `PUT`, `DELETE /api/v1/users/{userId}/profile` `{"bio"?, "phone"?, "location"?, "website"?, "birth_date"?}` | self, manager | 201, 200, 204; 404, 409, 422 |
//! | `GET /api/v1/roles`, `/roles/{id}`; `GET /api/v1/permissions`, `/permissions/{id}` | signed in | 200, 404 |
//! | `POST /api/v1/roles` `{"name", "description"?, "permissions"?: [id or name]}`, `PUT`, `DELETE /roles/{id}` | `roles.manage` | 201, 200, 204; 404, 409, 422 |
//! | `POST /api/v1/permissions` `{"name", "description"?}`, `PUT`, `DELETE /permissions/{id}` | `permissions.manage` | 201, 200, 204; 404, 409, 422 |
//! | `GET /api/v1/users/{userId}/roles` | signed in | 200, 404 |
//! | `POST`, `DELETE /api/v1/users/{userId}/roles/{roleId}` | `roles.manage` | 201 role, 204; 404, 409 |
//! | `GET /api/v1/users/events` | signed in | 200 stream of events (`text/event-stream`): what happens to users |
//! | `GET /api/v1/notifications`, upgraded to a WebSocket | signed in | 101; 400 for what is no request of one |
//! | `GET /health`, `GET /metrics` | anyone | 200 |
//!
//! A *manager* holds the permission `users.manage`. Besides the statuses above: 400 malformed JSON, 401 without a
//! valid access token, 403 without the permission, 404 and 405 off the table, 413 past [`MAX_BODY`] bytes, 415 for
//! a body that says it is not JSON, 429 over the rate limit. They are decided in the order 413, 429, 401, 415, 400,
//! 403, 404, 422, 409; only a field of the wrong JSON type is a 422 at the place of the 400.
//!
//! # gRPC
//!
//! The same over gRPC, on the same port: HTTP/2 with prior knowledge, the services `AuthService`, `UserService`,
//! `ProfileService`, `RoleService` and `PermissionService` of `proto/users/v1/users.proto`, which says what each method
//! takes, and reflection (`grpc.reflection.v1` and `v1alpha`). Users, sessions, tokens (`authorization: Bearer` in the
//! metadata), rate limit, service time and faults are those of REST.
//!
//! | REST | gRPC |
//! | --- | --- |
//! | 400, 422 | `INVALID_ARGUMENT`; the message names the fields. What is no message: `INTERNAL` |
//! | 401, 403, 404, 409 | `UNAUTHENTICATED`, `PERMISSION_DENIED`, `NOT_FOUND`, `ALREADY_EXISTS` |
//! | 413 | `OUT_OF_RANGE` |
//! | 415 | HTTP's 415, without a gRPC status, for what is no call: HTTP/1.1, another content type |
//! | 429 | `RESOURCE_EXHAUSTED`, with `retry-after` in the metadata |
//! | off the table | `UNIMPLEMENTED` |
//! | a fault's status | what gRPC makes of it: 403 `PERMISSION_DENIED`, 429 and 502 to 504 `UNAVAILABLE`, others `UNKNOWN` … |
//!
//! `UserService/WatchUsers` is the stream of events: it ends with its session (`UNAUTHENTICATED`) or the service
//! (`UNAVAILABLE`).
//!
//! # Rules worth knowing
//!
//! - **Sessions.** An access token (HS256, a new key per process) lives [`Config::access_ttl`] and dies with its
//!   session. A refresh token works once; showing a used one again ends the session. Logout, deactivation,
//!   reset-password and deletion end sessions; change-password does not. A user who is no
//!   manager has at most [`MAX_SESSIONS_OF_A_USER`]: the next login ends the oldest. At most [`MAX_SESSIONS`] live at
//!   once: past that, the one nearest to its expiry ends.
//! - **The seeded administrator** can be edited by nobody but itself, and not even by itself be deleted, deactivated
//!   or stripped of its role; the seeded role `admin` and the three permissions keep their names and grants. Every
//!   such attempt is a 409: permitted to the caller, but in conflict with what the service needs to stay manageable.
//! - **PUT merges**: an absent field keeps its value; `null` clears a profile field or a description.
//! - **E-mails and usernames** are unique and looked up without regard to case.
//! - **Pages**: `page` from 1, `per_page` 1 to 100 (default 20); anything else is a 422. A page past the end is empty.
//! - **Search**: text filters match substrings without regard to case, all filters must hold; times are RFC 3339 or
//!   dates, exclusive; `sort` is `username`, `email`, `name`, `created_at` (default) or `updated_at`, `-` in front
//!   reverses.
//! - **Rate limit** ([`Config::rate_limit`]): a token bucket per session, one second's worth of burst. Anonymous
//!   requests (login, registration, refresh) are exempt: a load tool's users all come from one address.
//! - **Faults** ([`Config::allow_faults`]): `x-envoy-fault-delay-request: <ms>` waits (60 s at most), then
//!   `x-envoy-fault-abort-request: <200..599>` answers with that status; values out of form are ignored. A gRPC call
//!   may ask for a code instead: `x-envoy-fault-abort-grpc-request: <1..16>`.
//! - **Events** are named `user.created`, `user.updated`, `user.activated`, `user.deactivated` and `user.deleted`; their data
//!   is `{"type", "id", "username", "at"}`, their id counts them. Whoever connects hears of what happens from then on, and of
//!   nothing that is more than [`MAX_BEHIND`] events ago.
//! - **Notifications**: a user is told of what happens to its own account, as above. It may send
//!   `{"to": username, "text": "..."}`: each open notification socket of that user gets `{"type": "note", "from", "text"}`, and
//!   the sender `{"type": "sent", "to", "delivered": sockets}`, or `{"type": "error", "message"}`. Whoever is [`MAX_UNSENT`]
//!   messages behind gets no more until it has read some. Past [`MAX_BODY`] bytes, and for what is not text, the socket is
//!   closed.
//! - Both end with their session, at the next message after that, and with the service.
//! - **Ledger**: `user_service_requests_total{method,route,status}` counts when the answer is made, before it is
//!   sent, so a client that has its answer finds it counted; a scrape does not yet hold itself. A request whose client
//!   went away first counts as status 499. Off the table the route is `unmatched`. What is not HTTP is no request.
//!   A gRPC call counts under its path (`/users.v1.UserService/GetUser`) and the name of its code (`OK`, `NOT_FOUND`), which
//!   ends its answer: a stream counts when it ends, `CANCELLED` where its client ended it.
//!   `user_service_messages_total{channel,direction}` counts messages of event streams (`events`, over gRPC `watches`) and
//!   notification sockets: `sent` those that were handed to a connection, `received` those that came, `dropped` those whose
//!   reader was too far behind.
//!   `user_service_channels_total{channel}` counts those that were opened, and `user_service_channels{channel}` those that are
//!   open.

mod app;
mod assignments;
mod auth;
mod body;
mod caller;
mod clock;
mod error;
mod events;
mod faults;
mod gate;
mod grpc;
mod hub;
mod ledger;
mod limits;
mod metrics;
mod notifications;
mod page;
mod params;
mod passwords;
mod path;
mod permissions;
mod profiles;
mod reply;
mod roles;
mod search;
mod store;
mod tokens;
mod user_view;
mod users;
mod validate;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::app::App;

pub use crate::gate::MAX_BODY;
pub use crate::hub::{MAX_BEHIND, MAX_UNSENT};
pub use crate::store::sessions::{MAX_SESSIONS, MAX_SESSIONS_OF_A_USER};

/// How long [`serve`] waits, once told to stop, for requests still being answered.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// How the service behaves; [`Config::default`] is a service without faults, limits or added latency.
#[derive(Clone)]
pub struct Config {
    /// Obey the fault headers of requests.
    pub allow_faults: bool,
    /// Requests per second that one session may make. `None`, zero, or no finite number: no limit.
    pub rate_limit: Option<f64>,
    /// Median of the log-normal service time (sigma 0.5, timer steps of 1 ms) added to every request under `/api`.
    pub latency: Option<Duration>,
    /// Life of an access token; the token rounds it up to whole seconds.
    pub access_ttl: Duration,
    /// Life of a session since its login or last refresh.
    pub refresh_ttl: Duration,
    /// E-mail of the seeded administrator, whose username is `admin`.
    pub admin_email: String,
    /// Password of the seeded administrator; the rules for other passwords do not apply to it.
    pub admin_password: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow_faults: false,
            rate_limit: None,
            latency: None,
            access_ttl: Duration::from_secs(15 * 60),
            refresh_ttl: Duration::from_secs(24 * 60 * 60),
            admin_email: "admin@example.test".into(),
            admin_password: "Admin123!".into(),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("allow_faults", &self.allow_faults)
            .field("rate_limit", &self.rate_limit)
            .field("latency", &self.latency)
            .field("access_ttl", &self.access_ttl)
            .field("refresh_ttl", &self.refresh_ttl)
            .field("admin_email", &self.admin_email)
            .finish_non_exhaustive()
    }
}

/// The whole service with fresh state: only the administrator, its role and the three permissions exist.
pub fn router(config: Config) -> Router {
    routes(App::new(config))
}

fn routes(app: App) -> Router {
    Router::new()
        .merge(auth::routes())
        .merge(users::routes())
        .merge(events::routes())
        .merge(notifications::routes())
        .merge(profiles::routes())
        .merge(roles::routes())
        .merge(permissions::routes())
        .merge(assignments::routes())
        .route("/health", get(metrics::health))
        .route("/metrics", get(metrics::scrape))
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            gate::pass,
        ))
        .merge(grpc::routes(&app))
        .with_state(app)
}

/// Serves a fresh [`router`] on `listener` (HTTP/1.1 and HTTP/2 with prior knowledge, `TCP_NODELAY` on) until
/// `shutdown` resolves; requests still being answered then get 5 s. Port 0 works: ask the listener for its address.
///
/// # Errors
/// None today beyond what [`axum::serve()`] may come to report; a failed `accept` is retried.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (announce, announced) = oneshot::channel::<()>();
    let listener = listener.tap_io(|stream| {
        // A socket that refuses the option still works, only slower.
        let _ = stream.set_nodelay(true);
    });
    let app = App::new(config);
    let server = axum::serve(listener, routes(app.clone())).with_graceful_shutdown(async move {
        shutdown.await;
        app.hub().close();
        drop(announce);
    });
    let overdue = async {
        // The sender is only ever dropped; that is the message.
        let _ = announced.await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended,
        () = overdue => Ok(()),
    }
}
