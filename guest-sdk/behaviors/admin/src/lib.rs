//! The archetype `admin`: someone who runs the service. They log in as the administrator that the config names, take
//! people in, see to their rights, lock and unlock them, watch over the whole, and leave nothing behind. Cleanup after
//! a run is theirs too.
//!
//! Config: `admin = { email = "…", password = "…" }`.

mod desk;

use desk::Desk;
use user_service_client::routes::*;
use user_service_client::{Client, Standing, cleanup, maybe_err, operator};
use vespeiro_guest::prelude::*;

#[derive(Clone, Copy)]
enum Duty {
    TakeIn,
    Batch,
    Amend,
    Profiles,
    Lock,
    Rights,
    Assign,
    Watch,
    Look,
    Whoami,
}

const DUTIES: [Choice<Duty>; 10] = [
    Choice::new(Duty::TakeIn, 10.0, "user-mutation"),
    Choice::new(Duty::Batch, 5.0, "user-mutation"),
    Choice::new(Duty::Amend, 12.0, "user-mutation"),
    Choice::new(Duty::Profiles, 6.0, "profile"),
    Choice::new(Duty::Lock, 12.0, "admin"),
    Choice::new(Duty::Rights, 15.0, "role-permission"),
    Choice::new(Duty::Assign, 8.0, "admin"),
    Choice::new(Duty::Watch, 14.0, "user-query"),
    Choice::new(Duty::Look, 10.0, "user-query"),
    Choice::new(Duty::Whoami, 8.0, "auth"),
];

/// The first session sees to everything once.
const ROUND: [Duty; 5] = [
    Duty::TakeIn,
    Duty::Rights,
    Duty::Assign,
    Duty::Lock,
    Duty::Amend,
];

async fn journey(me: &mut Me) -> Result<()> {
    let tokens = operator(me)?;
    tokens.login(me).await?;
    let client = Client::new(me, &tokens);
    let mut desk = Desk::default();
    if me.ordinal() == 0 {
        for duty in ROUND {
            see_to(client, &mut desk, duty).await?;
        }
    }
    for _ in 0..me.range(4..=9) {
        if me.requests_left() < desk.size() + 10 {
            break; // time to tidy up
        }
        see_to(client, &mut desk, me.choose(&DUTIES).unwrap_or(Duty::Watch)).await?;
    }
    desk.clear(client).await?;
    me.think().await;
    tokens.logout(me).await
}

async fn see_to(client: Client<'_>, desk: &mut Desk, duty: Duty) -> Result<()> {
    maybe_err(client, Standing::Admin).await?;
    client.me().think().await;
    match duty {
        Duty::TakeIn => desk.take_in(client).await,
        Duty::Batch => desk.take_in_several(client).await,
        Duty::Amend => desk.amend(client).await,
        Duty::Profiles => desk.profiles(client).await,
        Duty::Lock => desk.lock(client).await,
        Duty::Rights => desk.rights(client).await,
        Duty::Assign => desk.assign(client).await,
        Duty::Watch => desk::watch(client).await,
        Duty::Look => client.browse().await,
        Duty::Whoami => client.whoami().await,
    }
}

behavior! {
    name: "admin",
    version: env!("CARGO_PKG_VERSION"),
    routes: [
        LOGIN, LOGOUT, REFRESH, WHOAMI,
        LIST_USERS, SEARCH_USERS, GET_USER, GET_USER_BY_EMAIL, GET_USER_BY_USERNAME,
        CREATE_USER, UPDATE_USER, CHANGE_PASSWORD,
        DELETE_USER, ACTIVATE_USER, DEACTIVATE_USER, RESET_PASSWORD, ASSIGN_ROLE, REVOKE_ROLE,
        CREATE_PROFILE, GET_PROFILE, UPDATE_PROFILE,
        LIST_ROLES, CREATE_ROLE, GET_ROLE, UPDATE_ROLE, DELETE_ROLE,
        LIST_PERMISSIONS, CREATE_PERMISSION, GET_PERMISSION, UPDATE_PERMISSION, DELETE_PERMISSION,
        LIST_USER_ROLES,
    ],
    journey: journey,
    cleanup: cleanup,
}
