//! The archetype `newcomer`: registers, tells who they are, looks around the directory, thinks again about what they told,
//! and logs out. In later sessions they come back for another look.

use user_service_client::routes::*;
use user_service_client::{Account, Client, Day, Parts, Passwords, Settings, Standing, maybe_err};
use vespeiro_guest::prelude::*;

/// What ends a session: the logout.
const LEAVE: u32 = 1;

#[derive(Clone, Copy)]
enum Curiosity {
    Browse,
    Search,
    Rights,
    Rename,
    OwnProfile,
    EditProfile,
    OwnAccount,
    Renew,
}

const CURIOSITIES: [Choice<Curiosity>; 8] = [
    Choice::new(Curiosity::Browse, 14.0, "user-query"),
    Choice::new(Curiosity::Search, 24.0, "user-query"),
    Choice::new(Curiosity::Rights, 10.0, "role-permission"),
    Choice::new(Curiosity::Rename, 2.0, "user-mutation"),
    Choice::new(Curiosity::OwnProfile, 10.0, "profile"),
    Choice::new(Curiosity::EditProfile, 8.0, "profile"),
    Choice::new(Curiosity::OwnAccount, 10.0, "auth"),
    Choice::new(Curiosity::Renew, 2.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let settings = Settings::of(me)?;
    let account = Account::enter(me, &settings, Passwords::Kept).await?;
    if account.is_new || me.ordinal() == 0 {
        arrive(me, &account).await?;
    } else {
        come_back(me, &account).await?;
    }
    account.leave(me).await
}

/// The first session: profile, directory, search, profile again.
async fn arrive(me: &Me, account: &Account) -> Result<()> {
    let client = account.client(me);
    let standing = Standing::Plain(account);
    let mut parts = Parts::default();
    maybe_err(client, standing, 5).await?;
    if let Some(most) = parts.next(client, 1, 3 + LEAVE) {
        account.ensure_profile(me, most).await?;
    }
    maybe_err(client, standing, 4).await?;
    if let Some(most) = parts.next(client, 1, 2 + LEAVE) {
        client.browse(most).await?;
    }
    maybe_err(client, standing, 3).await?;
    if let Some(most) = parts.next(client, 1, 1 + LEAVE) {
        client.search_around(most).await?;
        if client.spare(1 + LEAVE) > 0 && account.who().does_more(me, "user-query") {
            client.search_around(client.spare(1 + LEAVE)).await?;
        }
    }
    // Nothing is left over that would be too little for another session.
    while let Some(most) = Day::over().goes_on(me, 1 + LEAVE) {
        client.browse(most).await?;
    }
    maybe_err(client, standing, 2).await?;
    if let Some(most) = parts.next(client, 1, LEAVE) {
        // They have just written it: there is no need to look first.
        account.edit_profile(me, most.min(1)).await?;
    }
    Ok(())
}

async fn come_back(me: &Me, account: &Account) -> Result<()> {
    let client = account.client(me);
    let mut day = Day::of(me, account.who(), 4..=8);
    while day.goes_on(me, LEAVE).is_some() {
        maybe_err(client, Standing::Plain(account), 1 + LEAVE).await?;
        let fits = |curiosity| !matches!(curiosity, Curiosity::Rename) || account.may_rename();
        let Some(curiosity) = account.who().choose(me, &CURIOSITIES, fits) else {
            break;
        };
        satisfy(client, account, curiosity).await?;
    }
    Ok(())
}

async fn satisfy(client: Client<'_>, account: &Account, curiosity: Curiosity) -> Result<()> {
    let (me, most) = (client.me(), client.spare(LEAVE));
    match curiosity {
        Curiosity::Browse => client.browse(most).await,
        Curiosity::Search => client.search_around(most).await,
        Curiosity::Rights => client.look_at_rights(&account.id, most).await,
        Curiosity::Rename => account.edit_name(me).await,
        Curiosity::OwnProfile => account.look_at_profile(me).await,
        Curiosity::EditProfile => account.edit_profile(me, most).await,
        Curiosity::OwnAccount => client.whoami().await,
        Curiosity::Renew => client.renew().await,
    }
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
        // What they are refused.
        CHANGE_PASSWORD, DELETE_PROFILE,
        CREATE_ROLE, UPDATE_ROLE, DELETE_ROLE, CREATE_PERMISSION, UPDATE_PERMISSION, DELETE_PERMISSION,
    ],
    journey: journey,
}
