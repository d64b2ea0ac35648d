//! `/api/v1/auth`: login, refresh, logout, me. The only place where tokens are issued.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::Json;
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::reply::{self, Reply};
use crate::store::sessions::{MAX_SESSIONS_OF_A_USER, SessionId};
use crate::store::{Key, Store, USERS_MANAGE};
use crate::tokens::Claims;
use crate::user_view::UserView;
use crate::validate::Check;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/auth/login", post(login))
        .route("/api/v1/auth/refresh", post(refresh))
        .route("/api/v1/auth/logout", post(logout))
        .route("/api/v1/auth/me", post(me))
}

#[derive(Deserialize)]
struct Credentials {
    email: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

#[derive(Deserialize)]
struct RefreshRequest {
    refresh_token: Option<String>,
}

#[derive(Serialize)]
struct Grant<'a> {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    user: UserView<'a>,
}

async fn login(State(app): State<App>, Json(given): Json<Credentials>) -> Reply {
    let mut check = Check::default();
    let password = check.required("password", &given.password);
    if given.username.is_none() {
        check.required("email", &given.email);
    }
    check.done()?;
    let mut store = app.write();
    let found = match (&given.email, &given.username) {
        (Some(email), _) => store.users.find_by_email(email),
        (None, username) => store
            .users
            .find_by_username(username.as_deref().unwrap_or_default()),
    };
    // One answer for both, so that login does not tell who exists.
    let user = found.ok().filter(|user| user.password.matches(password));
    let user = user.ok_or(Error::Unauthorized("the credentials do not match"))?;
    if !user.active {
        return Err(Error::Forbidden("the account is inactive".into()));
    }
    let (user, now) = (user.key, app.now());
    if !store.permits(user, USERS_MANAGE) {
        store.sessions.make_room(user, MAX_SESSIONS_OF_A_USER);
    }
    let session = store
        .sessions
        .begin(user, now, now.plus(app.config().refresh_ttl));
    grant(&app, &store, user, session, 0, now)
}

async fn refresh(State(app): State<App>, Json(given): Json<RefreshRequest>) -> Reply {
    let mut check = Check::default();
    let token = check.required("refresh_token", &given.refresh_token);
    check.done()?;
    let refused = Error::Unauthorized("the refresh token is invalid, used or expired");
    let Some((session, rotation)) = app.keys().check_refresh(token) else {
        return Err(refused);
    };
    let mut store = app.write();
    let now = app.now();
    match store
        .sessions
        .refresh(session, rotation, now, now.plus(app.config().refresh_ttl))
    {
        Some((user, rotation)) => grant(&app, &store, user, session, rotation, now),
        None => Err(refused),
    }
}

async fn logout(State(app): State<App>, caller: Caller) -> Reply {
    app.write().sessions.end(caller.session);
    reply::nothing()
}

async fn me(State(app): State<App>, caller: Caller) -> Reply {
    let store = app.read();
    reply::data(StatusCode::OK, UserView::of(&store, caller.user)?)
}

fn grant(
    app: &App,
    store: &Store,
    user: Key,
    session: SessionId,
    rotation: u32,
    now: Timestamp,
) -> Reply {
    let user = UserView::of(store, user)?;
    let exp = now.plus(app.config().access_ttl).seconds_ceil();
    let claims = Claims {
        sub: user.id,
        sid: session,
        iat: now.0 / 1_000_000,
        exp,
    };
    let keys = app.keys();
    reply::data(
        StatusCode::OK,
        Grant {
            access_token: keys.access_token(&claims)?,
            refresh_token: keys.refresh_token(session, rotation),
            token_type: "Bearer",
            expires_in: app.config().access_ttl.as_secs(),
            user,
        },
    )
}
