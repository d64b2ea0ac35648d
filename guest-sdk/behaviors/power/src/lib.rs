//! The archetype `power`: someone who gets everything out of the service. Several sessions of their own account run
//! at once, each with searches that combine filters, while an administrator's session changes people in bulk.
//!
//! Config: `admin = { email = "…", password = "…" }`.

mod bulk;
mod hunt;

use user_service_client::routes::*;
use user_service_client::{Account, Client, Standing, maybe_err, operator};
use vespeiro_guest::prelude::*;

#[derive(Clone, Copy)]
enum Move {
    Hunt,
    HuntTwice,
    Filter,
    Bulk,
    Rights,
    Rename,
    Profile,
    Whoami,
    AnotherSession,
}

const MOVES: [Choice<Move>; 9] = [
    Choice::new(Move::Hunt, 16.0, "user-query"),
    Choice::new(Move::HuntTwice, 8.0, "user-query"),
    Choice::new(Move::Filter, 14.0, "user-query"),
    Choice::new(Move::Bulk, 8.0, "admin"),
    Choice::new(Move::Rights, 10.0, "role-permission"),
    Choice::new(Move::Rename, 12.0, "user-mutation"),
    Choice::new(Move::Profile, 12.0, "profile"),
    Choice::new(Move::Whoami, 10.0, "auth"),
    Choice::new(Move::AnotherSession, 10.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let admin = operator(me)?;
    let account = Account::enter(me).await?;
    account.ensure_profile(me).await?;
    let mut bulk = bulk::Bulk::new(me, &admin);
    if me.ordinal() == 0 {
        bulk.once().await?;
    }
    for _ in 0..me.range(5..=10) {
        maybe_err(account.client(me), Standing::Plain(&account.id)).await?;
        me.think().await;
        go(
            me,
            &account,
            &mut bulk,
            me.choose(&MOVES).unwrap_or(Move::Hunt),
        )
        .await?;
    }
    me.think().await;
    // Both sessions end together.
    let (mine, admins) = join(account.tokens.logout(me), admin.logout(me)).await;
    mine.and(admins)
}

async fn go(me: &Me, account: &Account, bulk: &mut bulk::Bulk<'_>, next: Move) -> Result<()> {
    let client = account.client(me);
    match next {
        Move::Hunt => hunt::hunt(client).await,
        Move::Filter => hunt::filter(client).await,
        Move::Bulk => bulk.once().await,
        Move::Rights => client.look_at_rights(&account.id).await,
        Move::Rename => {
            me.think_long().await;
            client.rename_user(&account.id, &me.fake_name()).await
        }
        Move::Profile => client.open_profile(&account.id).await,
        Move::Whoami => client.whoami().await,
        // Two windows, one hunt in each, at the same time.
        Move::HuntTwice => {
            let other = another(me);
            let (here, there) = join(hunt::hunt(client), hunt::hunt(Client::new(me, &other))).await;
            here.and(there)?;
            other.logout(me).await
        }
        Move::AnotherSession => {
            let other = another(me);
            let client = Client::new(me, &other);
            client.whoami().await?;
            me.think().await;
            other.refresh(me).await?;
            client.get_user_by_username(&me.user().username).await?;
            other.logout(me).await
        }
    }
}

/// Another session of the same account; its first request logs in.
fn another(me: &Me) -> Tokens {
    Tokens::new(&AUTH, me.user().email.as_str(), me.user().password.as_str())
}

behavior! {
    name: "power",
    version: env!("CARGO_PKG_VERSION"),
    routes: [
        LOGIN, LOGOUT, REFRESH, WHOAMI,
        LIST_USERS, SEARCH_USERS, GET_USER, GET_USER_BY_EMAIL, GET_USER_BY_USERNAME,
        CREATE_USER, UPDATE_USER,
        DELETE_USER, ACTIVATE_USER, DEACTIVATE_USER, RESET_PASSWORD,
        CREATE_PROFILE, GET_PROFILE,
        LIST_ROLES, GET_ROLE, LIST_PERMISSIONS, GET_PERMISSION, LIST_USER_ROLES,
    ],
    journey: journey,
}
