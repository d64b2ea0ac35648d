//! The archetype `newcomer`: registers, tells who they are, looks around, thinks again about what they told, and logs
//! out. In later sessions they come back for another look.

use user_service_client::routes::*;
use user_service_client::{Account, Profile, Standing, maybe_err};
use vespeiro_guest::prelude::*;

#[derive(Clone, Copy)]
enum Curiosity {
    Browse,
    Search,
    Rights,
    Rename,
    OwnProfile,
    OwnAccount,
}

const CURIOSITIES: [Choice<Curiosity>; 6] = [
    Choice::new(Curiosity::Browse, 25.0, "user-query"),
    Choice::new(Curiosity::Search, 20.0, "user-query"),
    Choice::new(Curiosity::Rights, 8.0, "role-permission"),
    Choice::new(Curiosity::Rename, 10.0, "user-mutation"),
    Choice::new(Curiosity::OwnProfile, 15.0, "profile"),
    Choice::new(Curiosity::OwnAccount, 15.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let account = Account::enter(me).await?;
    let client = account.client(me);
    account.ensure_profile(me).await?;
    for _ in 0..me.range(4..=8) {
        maybe_err(client, Standing::Plain(&account.id)).await?;
        me.think().await;
        let Some(curiosity) = me.choose(&CURIOSITIES) else {
            break;
        };
        match curiosity {
            Curiosity::Browse => client.browse().await?,
            Curiosity::Search => client.search_around().await?,
            Curiosity::Rights => client.look_at_rights(&account.id).await?,
            Curiosity::Rename => {
                me.think_long().await;
                client.rename_user(&account.id, &me.fake_name()).await?;
            }
            Curiosity::OwnProfile => client.open_profile(&account.id).await?,
            Curiosity::OwnAccount => client.whoami().await?,
        }
    }
    me.think_long().await;
    client
        .update_profile(&account.id, &Profile::made_up(me))
        .await?;
    me.think().await;
    account.tokens.logout(me).await
}

behavior! {
    name: "newcomer",
    version: env!("CARGO_PKG_VERSION"),
    routes: [
        LOGIN, LOGOUT, REFRESH, WHOAMI,
        LIST_USERS, SEARCH_USERS, GET_USER, GET_USER_BY_EMAIL, GET_USER_BY_USERNAME,
        CREATE_USER, UPDATE_USER,
        CREATE_PROFILE, GET_PROFILE, UPDATE_PROFILE,
        LIST_ROLES, GET_ROLE, LIST_PERMISSIONS, GET_PERMISSION, LIST_USER_ROLES,
        DEACTIVATE_USER,
    ],
    journey: journey,
}
