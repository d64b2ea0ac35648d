//! Wrong requests on purpose: the host says when and of which kind, this shapes them, each kind over all the routes where
//! it can happen. Behaviors call [`maybe_err`] between their actions; nothing that it sends can change anything of
//! anybody else's, not even in a service without rules.

mod forbidden;
mod invalid;
mod missing;

use vespeiro_guest::{Call, Fault, Me, Result, Route};

use crate::account::Account;
use crate::client::Client;
use crate::created::{Created, Member};
use crate::mistype::wrong_password;
use crate::model::Id;
use crate::routes;
use crate::temper::Pause;

/// How many light requests make a burst: more than a person's session sends in a second.
const BURST: u32 = 40;
/// How long to leave a rate limit alone after that, so that what follows goes through.
const REST_MS: u32 = 1_000;

/// What the account may do, and so which requests it has no permission for.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'a> {
    /// A plain user.
    Plain(&'a Account),
    /// An administrator, who has made these in this session.
    Admin {
        /// Users.
        users: &'a [Member],
        /// Roles.
        roles: &'a [Created],
        /// Permissions.
        permissions: &'a [Created],
    },
}

/// Commits the fault that the host asks for, if any, as long as so many requests are left after it.
///
/// # Errors
/// When a request gets no reply; a refusal is what it is for.
pub async fn maybe_err(client: Client<'_>, standing: Standing<'_>, reserve: u32) -> Result<()> {
    if client.spare(reserve) == 0 {
        return Ok(()); // what the session has begun has to be ended
    }
    let Some(fault) = client.me().fault() else {
        return Ok(());
    };
    // Boxed: a rare branch must not make every waiting journey larger.
    Box::pin(commit(client, standing, fault, reserve)).await
}

/// The same for somebody who has an administrator's session open beside their own: what a plain user is refused is tried as
/// one, what only administrators are told is missing is looked for as one.
///
/// # Errors
/// As [`maybe_err`].
pub async fn maybe_err_twofold(
    me: &Me,
    account: &Account,
    admin: Client<'_>,
    reserve: u32,
) -> Result<()> {
    let own = account.client(me);
    if own.spare(reserve) == 0 {
        return Ok(());
    }
    let Some(fault) = me.fault() else {
        return Ok(());
    };
    let as_admin = match fault {
        Fault::NotFound => true,
        Fault::Forbidden | Fault::RateLimit => false,
        Fault::BadCredentials | Fault::InvalidData => me.chance(0.5),
    };
    if !(as_admin && admin.tokens().is_logged_in()) {
        return Box::pin(commit(own, Standing::Plain(account), fault, reserve)).await;
    }
    let standing = Standing::Admin {
        users: &[],
        roles: &[],
        permissions: &[],
    };
    Box::pin(commit(admin, standing, fault, reserve)).await
}

async fn commit(
    client: Client<'_>,
    standing: Standing<'_>,
    fault: Fault,
    reserve: u32,
) -> Result<()> {
    let me = client.me();
    let wrong = match fault {
        Fault::BadCredentials => {
            // A first session has its order.
            if let Standing::Plain(account) = standing
                && me.ordinal() > 0
                && client.spare(reserve) >= 4
                && me.chance(0.3)
            {
                return in_another_window(account, me).await;
            }
            forged(client, standing)
        }
        Fault::Forbidden => forbidden::request(client, standing),
        Fault::InvalidData => invalid::request(client, standing),
        Fault::NotFound => missing::request(client, standing),
        Fault::RateLimit => return burst(client, reserve).await,
    };
    client.pause(wrong.pause).await?;
    wrong.call.fault(fault).send().await.map(drop)
}

/// A wrong request, ready to be sent, and the pause before it.
struct Wrong<'a> {
    pause: Pause,
    call: Call<'a>,
}

impl<'a> Wrong<'a> {
    fn look(call: Call<'a>) -> Wrong<'a> {
        let pause = Pause::Look;
        Wrong { pause, call }
    }

    fn form(call: Call<'a>) -> Wrong<'a> {
        let pause = Pause::Form;
        Wrong { pause, call }
    }
}

/// Another session of the account, at the second attempt. An administrator's account is many people's: nobody plays with
/// that.
async fn in_another_window(account: &Account, me: &Me) -> Result<()> {
    let other = account.another_session(me);
    let there = account.client_of(me, &other);
    wrong_password(there).await?;
    there.log_in().await?;
    there.whoami().await?;
    there.log_out().await
}

/// A page that is asked for with a token that is none.
fn forged<'a>(client: Client<'a>, standing: Standing<'_>) -> Wrong<'a> {
    let me = client.me();
    // Whose it is stands in it, so that a target's log can be read.
    let name = &me.user().username;
    let token = match me.range(0..3) {
        0 => format!("expired.{name}.forged"),
        1 => format!("eyJhbGciOiJub25lIn0.{name}."),
        _ => format!("0.{name}"),
    };
    let own = match standing {
        Standing::Plain(account) => Some(&account.id),
        Standing::Admin { users, .. } => me.pick(users).map(|user| &user.account.id),
    };
    let call = match (me.range(0..8), own) {
        (0, _) => {
            let body = format!(r#"{{"refresh_token":"{token}"}}"#);
            return Wrong::look(says(me.call(routes::REFRESH), body));
        }
        (1, _) => me.call(routes::LIST_USERS).query("page", 1),
        (2, _) => me.call(routes::LIST_ROLES),
        (3, _) => me.call(routes::LIST_PERMISSIONS),
        (4, Some(id)) => me.call(routes::GET_USER).arg(id),
        (5, Some(id)) => me.call(routes::GET_PROFILE).arg(id),
        (6, Some(id)) => me.call(routes::LIST_USER_ROLES).arg(id),
        _ => me.call(routes::WHOAMI),
    };
    Wrong::look(call.header("authorization", format!("Bearer {token}")))
}

async fn burst(client: Client<'_>, reserve: u32) -> Result<()> {
    let me = client.me();
    if client.spare(reserve) < 2 * BURST {
        return Ok(());
    }
    client.pause(Pause::Look).await?;
    let light = || client.call(routes::WHOAMI).fault(Fault::RateLimit);
    let mut limited = false;
    for reply in me.batch((0..BURST).map(|_| light()).collect()).await {
        limited |= reply?.status == 429;
    }
    if limited {
        client.who().rests(me, REST_MS);
    }
    Ok(())
}

/// A body as it is, which says of itself that it is JSON.
fn says<'a>(call: Call<'a>, text: impl Into<String>) -> Call<'a> {
    let call = call.header("content-type", "application/json");
    call.body(text.into())
}

/// One of these that the behavior may call.
fn one_of(me: &Me, routes: &[Route]) -> Option<Route> {
    let known: Vec<Route> = known(me, routes).collect();
    me.pick(&known).copied()
}

/// Those of them that the behavior may call.
fn known(me: &Me, routes: &[Route]) -> impl Iterator<Item = Route> {
    let routes = routes.iter().copied();
    routes.filter(|route| me.may_call(route))
}

/// A call to a route with identifiers that nothing has.
fn to_nothing(client: Client<'_>, route: Route) -> Call<'_> {
    let me = client.me();
    let args = route.path.matches('{').count();
    (0..args).fold(client.call(route), |call, _| call.arg(Id::unknown(me)))
}
