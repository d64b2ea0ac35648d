//! The archetype `active`: someone who uses the service every day. They log in, look people up, see to their own
//! account, profile and rights in whatever order the day brings, and log out.

use user_service_client::routes::*;
use user_service_client::{Account, Client, Profile, Standing, maybe_err};
use vespeiro_guest::prelude::*;

#[derive(Clone, Copy)]
enum Errand {
    Browse,
    Search,
    LookMyselfUp,
    Rename,
    ChangePassword,
    EditProfile,
    RemakeProfile,
    Rights,
    Whoami,
    Renew,
}

const ERRANDS: [Choice<Errand>; 10] = [
    Choice::new(Errand::Browse, 18.0, "user-query"),
    Choice::new(Errand::Search, 8.0, "user-query"),
    Choice::new(Errand::LookMyselfUp, 8.0, "user-query"),
    Choice::new(Errand::Rename, 18.0, "user-mutation"),
    Choice::new(Errand::ChangePassword, 6.0, "user-mutation"),
    Choice::new(Errand::EditProfile, 14.0, "profile"),
    Choice::new(Errand::RemakeProfile, 3.0, "profile"),
    Choice::new(Errand::Rights, 14.0, "role-permission"),
    Choice::new(Errand::Whoami, 14.0, "auth"),
    Choice::new(Errand::Renew, 6.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let account = Account::enter(me).await?;
    account.ensure_profile(me).await?;
    for _ in 0..me.range(6..=12) {
        maybe_err(account.client(me), Standing::Plain(&account.id)).await?;
        me.think().await;
        let Some(errand) = me.choose(&ERRANDS) else {
            break;
        };
        run(account.client(me), &account, errand).await?;
    }
    me.think().await;
    account.tokens.logout(me).await
}

async fn run(client: Client<'_>, account: &Account, errand: Errand) -> Result<()> {
    let me = client.me();
    let id = &account.id;
    match errand {
        Errand::Browse => client.browse().await,
        Errand::Search => client.search_around().await,
        Errand::LookMyselfUp => match me.range(0..3) {
            0 => client.get_user(id).await,
            1 => client.get_user_by_email(&me.user().email).await,
            _ => client.get_user_by_username(&me.user().username).await,
        },
        Errand::Rename => {
            me.think_long().await;
            client.rename_user(id, &me.fake_name()).await
        }
        Errand::ChangePassword => {
            me.think_long().await;
            client.change_password(id, &me.user().password).await
        }
        Errand::EditProfile => {
            client.open_profile(id).await?;
            me.think_long().await;
            client.update_profile(id, &Profile::made_up(me)).await
        }
        Errand::RemakeProfile => {
            client.delete_profile(id).await?;
            me.think_long().await;
            client.create_profile(id, &Profile::made_up(me)).await
        }
        Errand::Rights => client.look_at_rights(id).await,
        Errand::Whoami => client.whoami().await,
        Errand::Renew => account.tokens.refresh(me).await,
    }
}

behavior! {
    name: "active",
    version: env!("CARGO_PKG_VERSION"),
    routes: [
        LOGIN, LOGOUT, REFRESH, WHOAMI,
        LIST_USERS, SEARCH_USERS, GET_USER, GET_USER_BY_EMAIL, GET_USER_BY_USERNAME,
        CREATE_USER, UPDATE_USER, CHANGE_PASSWORD,
        CREATE_PROFILE, GET_PROFILE, UPDATE_PROFILE, DELETE_PROFILE,
        LIST_ROLES, GET_ROLE, LIST_PERMISSIONS, GET_PERMISSION, LIST_USER_ROLES,
        DEACTIVATE_USER,
    ],
    journey: journey,
}
