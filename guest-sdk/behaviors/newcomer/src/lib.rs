//! The archetype `newcomer`: registers, tells who they are, looks around the directory, thinks again about what they told,
//! and logs out. In later sessions they come back for another look.

use user_service_client::routes::*;
use user_service_client::{
    Account, Client, Day, Parts, Passwords, Settings, Standing, given_up, maybe_err,
};
use vespeiro_guest::prelude::*;

/// How slow they are, in deviations of a pause. They read what is new to them.
const SLOWER: f64 = 0.3;
/// What ends a session: the logout.
const LEAVE: u32 = 1;
/// With fewer requests than this after the login, a first session has one of each and no more.
const FEW: u32 = 14;
/// What else a newcomer looks at before they go back to their profile, at most.
const MOST_MORE: u32 = 4;

#[derive(Clone, Copy)]
enum Curiosity {
    Browse,
    Search,
    Rights,
    Rename,
    Password,
    OwnProfile,
    EditProfile,
    OwnAccount,
    Renew,
}

const CURIOSITIES: [Choice<Curiosity>; 9] = [
    Choice::new(Curiosity::Browse, 14.0, "user-query"),
    Choice::new(Curiosity::Search, 24.0, "user-query"),
    Choice::new(Curiosity::Rights, 10.0, "role-permission"),
    Choice::new(Curiosity::Rename, 2.0, "user-mutation"),
    Choice::new(Curiosity::Password, 2.0, "user-mutation"),
    Choice::new(Curiosity::OwnProfile, 10.0, "profile"),
    Choice::new(Curiosity::EditProfile, 8.0, "profile"),
    Choice::new(Curiosity::OwnAccount, 10.0, "auth"),
    Choice::new(Curiosity::Renew, 2.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let played = play(me).await;
    given_up(me, played).await
}

async fn play(me: &Me) -> Result<()> {
    let settings = Settings::of(me, SLOWER)?;
    let account = Account::enter(me, &settings, Passwords::Changed).await?;
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
    let who = account.who();
    let mut parts = Parts::default();
    let has_few = me.requests_left() < FEW;
    let at_most = |most: u32| if has_few { most.min(1) } else { most };
    maybe_err(client, standing, 5).await?;
    if let Some(most) = parts.next(client, 1, 3 + LEAVE) {
        let reads = who.has_room(me, "profile") && !has_few;
        account
            .ensure_profile(me, if reads { most } else { 1 })
            .await?;
    }
    maybe_err(client, standing, 4).await?;
    if let Some(most) = parts.next(client, 1, 2 + LEAVE) {
        client.browse(at_most(most)).await?;
    }
    maybe_err(client, standing, 3).await?;
    if let Some(most) = parts.next(client, 1, 1 + LEAVE) {
        client.search_around(at_most(most)).await?;
    }
    for _ in 0..MOST_MORE {
        if client.spare(1 + LEAVE) > 0 && !who.has_room(me, "profile") {
            look_further(client, account).await?;
        }
    }
    // Nothing is left over that would be too little for another session.
    while Day::over().goes_on(me, 1 + LEAVE).is_some() {
        look_further(client, account).await?;
    }
    maybe_err(client, standing, 2).await?;
    if let Some(most) = parts.next(client, 1, LEAVE) {
        // They have just written it: there is no need to look first.
        account.edit_profile(me, most.min(1)).await?;
    }
    Ok(())
}

/// Something else than their profile.
async fn look_further(client: Client<'_>, account: &Account) -> Result<()> {
    let me = client.me();
    let fits = |curiosity| match curiosity {
        // A name is looked over when it is new.
        Curiosity::Rename => 3.0 * account.reason_to_rename(me),
        // Login and logout are enough of the kind for now.
        Curiosity::OwnAccount | Curiosity::Renew => 0.0,
        Curiosity::OwnProfile | Curiosity::EditProfile | Curiosity::Password => 0.0,
        _ => 1.0,
    };
    let curiosity = account.who().choose(me, &CURIOSITIES, fits);
    let curiosity = curiosity.unwrap_or(Curiosity::Browse);
    satisfy(client, account, curiosity, client.spare(1 + LEAVE)).await
}

async fn come_back(me: &Me, account: &Account) -> Result<()> {
    let client = account.client(me);
    let mut day = Day::of(me, account.who(), 4..=8);
    while day.goes_on(me, LEAVE).is_some() {
        maybe_err(client, Standing::Plain(account), 1 + LEAVE).await?;
        if account.changes_password() {
            account.change_password(me).await?;
            continue;
        }
        let fits = |curiosity| match curiosity {
            Curiosity::Rename => account.reason_to_rename(me),
            Curiosity::Renew => day.is_under_way().into(),
            Curiosity::Password => account.reason_for_another_password(),
            _ => 1.0,
        };
        let Some(curiosity) = account.who().choose(me, &CURIOSITIES, fits) else {
            break;
        };
        satisfy(client, account, curiosity, client.spare(LEAVE).max(1)).await?;
    }
    Ok(())
}

async fn satisfy(
    client: Client<'_>,
    account: &Account,
    curiosity: Curiosity,
    most: u32,
) -> Result<()> {
    let me = client.me();
    match curiosity {
        Curiosity::Browse => client.browse(most).await,
        Curiosity::Search => client.search_around(most).await,
        Curiosity::Rights => client.look_at_rights(&account.id, most).await,
        Curiosity::Rename => account.edit_name(me).await,
        Curiosity::Password => account.change_password(me).await,
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
