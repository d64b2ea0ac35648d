//! How a target hands out tokens, for the token holder; and the way to log out those that nobody holds any more.

use crate::contract::Level;
use crate::{Me, Reply, Result, Route};

/// What the mark of a token begins with; behind it, what logging out takes.
const TOKEN: &str = "token:";
/// Marked tokens that are logged out at a time.
const AT_ONCE: usize = 8;

/// How a target hands out tokens. The login takes a JSON object with a name and a `password`; login and refresh
/// answer with `access_token`, and optionally `refresh_token` and `expires_in` (seconds), bare or under `data`.
#[derive(Debug, Clone, Copy)]
pub struct Auth {
    pub(crate) login: Route,
    pub(crate) refresh: Option<Route>,
    pub(crate) logout: Option<Route>,
    pub(crate) name_field: &'static str,
}

impl Auth {
    /// Tokens from this route; the account's name goes into the field `email`.
    #[must_use]
    pub const fn new(login: Route) -> Auth {
        Auth {
            login,
            refresh: None,
            logout: None,
            name_field: "email",
        }
    }

    /// Renew with a POST of `{"refresh_token": …}` instead of logging in again.
    #[must_use]
    pub const fn refresh(mut self, route: Route) -> Auth {
        self.refresh = Some(route);
        self
    }

    /// End a token's life here.
    #[must_use]
    pub const fn logout(mut self, route: Route) -> Auth {
        self.logout = Some(route);
        self
    }

    /// The login's field for the account's name.
    #[must_use]
    pub const fn name_field(mut self, field: &'static str) -> Auth {
        self.name_field = field;
        self
    }

    /// For a cleanup: take its [marks](Me::marks), log out the tokens among them, and give the others back. What there is
    /// to log out is what [lasting](crate::Tokens::lasting) holders could not; it takes no login. A token keeps its mark where the
    /// target does not let it go, or has no such route.
    pub async fn log_out_marked(&self, me: &Me) -> Vec<String> {
        let of_token = |mark: &String| mark.starts_with(TOKEN);
        let (tokens, others): (Vec<String>, _) = me.marks().into_iter().partition(of_token);
        let Some(route) = self.logout else {
            return others;
        };
        for marks in tokens.chunks(AT_ONCE) {
            let logouts = marks.iter().map(|mark| {
                let bearer = mark.strip_prefix(TOKEN).unwrap_or_default();
                me.call(route).header("authorization", bearer)
            });
            for (mark, reply) in marks.iter().zip(me.batch(logouts.collect()).await) {
                match reply {
                    Ok(reply) if is_out(&reply) => me.unmark(mark),
                    reply => complain(me, &reply),
                }
            }
        }
        others
    }
}

/// How the host knows a token for a secret.
pub(crate) fn mark_of(bearer: &str) -> String {
    format!("{TOKEN}{bearer}")
}

/// Whether a logout's answer means that the token is worth nothing any more: one that is refused is as good as gone.
pub(crate) fn is_out(reply: &Reply) -> bool {
    reply.is_success() || reply.status == 401
}

fn complain(me: &Me, outcome: &Result<Reply>) {
    let (level, why) = match outcome {
        // That it was too fast is no news of the token: it is still marked, so it has its turn again.
        Ok(reply) if reply.status == 429 => (Level::Debug, "status 429".to_owned()),
        Ok(reply) => (Level::Warn, format!("status {}", reply.status)),
        Err(error) => (Level::Warn, error.to_string()),
    };
    me.log(level, &format!("cleanup: a token stays: {why}"));
}
