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
pub struct Credentials {
    pub email: Option<String>,
    pub username: Option<String>,
    pub password: Option<String>,
}

#[derive(Deserialize)]
pub struct RefreshRequest {
    pub refresh_token: Option<String>,
}

#[derive(Serialize)]
pub struct Grant<'a> {
    pub access_token: String,
    pub refresh_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    pub user: UserView<'a>,
}

async fn login(State(app): State<App>, Json(given): Json<Credentials>) -> Reply {
    app.login(given, |grant| reply::data(StatusCode::OK, grant))
}

async fn refresh(State(app): State<App>, Json(given): Json<RefreshRequest>) -> Reply {
    app.refresh(given, |grant| reply::data(StatusCode::OK, grant))
}

async fn logout(State(app): State<App>, caller: Caller) -> Reply {
    app.logout(caller);
    reply::nothing()
}

async fn me(State(app): State<App>, caller: Caller) -> Reply {
    app.me(caller, |user| reply::data(StatusCode::OK, user))
}

impl App {
    pub fn login<T>(
        &self,
        given: Credentials,
        show: impl FnOnce(Grant<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut check = Check::default();
        let password = check.required("password", &given.password);
        if given.username.is_none() {
            check.required("email", &given.email);
        }
        check.done()?;
        let mut store = self.write();
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
        let (user, now) = (user.key, self.now());
        if !store.permits(user, USERS_MANAGE) {
            store.sessions.make_room(user, MAX_SESSIONS_OF_A_USER);
        }
        let session = store
            .sessions
            .begin(user, now, now.plus(self.config().refresh_ttl));
        show(self.grant(&store, user, session, 0, now)?)
    }

    pub fn refresh<T>(
        &self,
        given: RefreshRequest,
        show: impl FnOnce(Grant<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut check = Check::default();
        let token = check.required("refresh_token", &given.refresh_token);
        check.done()?;
        let refused = Error::Unauthorized("the refresh token is invalid, used or expired");
        let Some((session, rotation)) = self.keys().check_refresh(token) else {
            return Err(refused);
        };
        let mut store = self.write();
        let now = self.now();
        match store
            .sessions
            .refresh(session, rotation, now, now.plus(self.config().refresh_ttl))
        {
            Some((user, rotation)) => show(self.grant(&store, user, session, rotation, now)?),
            None => Err(refused),
        }
    }

    pub fn logout(&self, caller: Caller) {
        self.write().sessions.end(caller.session);
    }

    pub fn me<T>(
        &self,
        caller: Caller,
        show: impl FnOnce(UserView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        show(UserView::of(&store, caller.user)?)
    }

    fn grant<'a>(
        &self,
        store: &'a Store,
        user: Key,
        session: SessionId,
        rotation: u32,
        now: Timestamp,
    ) -> Result<Grant<'a>, Error> {
        let user = UserView::of(store, user)?;
        let exp = now.plus(self.config().access_ttl).seconds_ceil();
        let claims = Claims {
            sub: user.id,
            sid: session,
            iat: now.0 / 1_000_000,
            exp,
        };
        let keys = self.keys();
        Ok(Grant {
            access_token: keys.access_token(&claims)?,
            refresh_token: keys.refresh_token(session, rotation),
            token_type: "Bearer",
            expires_in: self.config().access_ttl.as_secs(),
            user,
        })
    }
}
