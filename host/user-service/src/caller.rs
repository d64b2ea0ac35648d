//! Who is asking. Handlers that need a signed-in user take [`Caller`]; a token counts only while its session lives.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Request, header};

use crate::app::App;
use crate::error::Error;
pub use crate::store::sessions::Caller;

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        known(app, &parts.extensions, &parts.headers)
    }
}

/// Who makes this request.
pub fn of<B>(app: &App, request: &Request<B>) -> Result<Caller, Error> {
    known(app, request.extensions(), request.headers())
}

fn known(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Result<Caller, Error> {
    // With a rate limit on, the gate knows the caller already.
    match extensions.get::<Caller>() {
        Some(caller) => Ok(*caller),
        None => identify(app, headers),
    }
}

impl Caller {
    /// Its session lives on.
    pub fn is_signed_in(self, app: &App) -> bool {
        let now = app.now();
        app.read().sessions.user_of(self.session, now).is_some()
    }
}

/// The caller that the `Authorization` header proves.
pub fn identify(app: &App, headers: &HeaderMap) -> Result<Caller, Error> {
    let token = bearer(headers).ok_or(Error::Unauthorized("a bearer token is required"))?;
    let now = app.now();
    let claims = app
        .keys()
        .check_access(token, now)
        .ok_or(Error::Unauthorized(
            "the access token is invalid or expired",
        ))?;
    let user = app
        .read()
        .sessions
        .user_of(claims.sid, now)
        .ok_or(Error::Unauthorized("the session has ended"))?;
    Ok(Caller {
        user,
        session: claims.sid,
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
