//! `users.v1.AuthService`.

use axum::Router;

use super::call::{open, signed};
use super::messages::{LoginRequest, RefreshRequest, Tokens, User};
use crate::app::App;
use crate::auth;
use crate::caller::Caller;
use crate::error::Error;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/users.v1.AuthService/Login", open(login))
        .route("/users.v1.AuthService/Refresh", open(refresh))
        .route("/users.v1.AuthService/Logout", signed(logout))
        .route("/users.v1.AuthService/Me", signed(me))
}

fn login(app: &App, asked: LoginRequest) -> Result<Tokens, Error> {
    let given = auth::Credentials {
        email: asked.email,
        username: asked.username,
        password: asked.password,
    };
    app.login(given, |grant| Ok(grant.into()))
}

fn refresh(app: &App, asked: RefreshRequest) -> Result<Tokens, Error> {
    let given = auth::RefreshRequest {
        refresh_token: asked.refresh_token,
    };
    app.refresh(given, |grant| Ok(grant.into()))
}

fn logout(app: &App, caller: Caller, (): ()) -> Result<(), Error> {
    app.logout(caller);
    Ok(())
}

fn me(app: &App, caller: Caller, (): ()) -> Result<User, Error> {
    app.me(caller, |user| Ok(user.into()))
}

impl From<auth::Grant<'_>> for Tokens {
    fn from(grant: auth::Grant<'_>) -> Self {
        Self {
            access_token: grant.access_token,
            refresh_token: grant.refresh_token,
            token_type: grant.token_type.into(),
            expires_in: grant.expires_in,
            user: Some(grant.user.into()),
        }
    }
}
