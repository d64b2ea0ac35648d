//! The archetype `active`: someone who uses the service every day. In their first session they see to their account, to
//! what there is of roles and permissions, and to their profile; later they look people up and see to their own things in
//! whatever order the day brings.

use user_service_client::routes::*;
use user_service_client::{
    Account, Client, Day, Parts, Passwords, SHORTEST, Settings, Standing, given_up, maybe_err,
};
use vespeiro_guest::prelude::*;

/// What ends a session: the logout.
const LEAVE: u32 = 1;
/// The fewest requests with which a first session goes through all its parts: with fewer they would be most of what the
/// person does.
const WHOLE: u32 = 16;
/// What else somebody does among the users in a first session, at most.
const MOST_MORE: u32 = 5;

#[derive(Clone, Copy, PartialEq)]
enum Errand {
    Browse,
    Search,
    LookMyselfUp,
    Rename,
    Password,
    OwnProfile,
    EditProfile,
    RemakeProfile,
    Rights,
    Whoami,
    Renew,
}

const ERRANDS: [Choice<Errand>; 11] = [
    Choice::new(Errand::Browse, 8.0, "user-query"),
    Choice::new(Errand::Search, 12.0, "user-query"),
    Choice::new(Errand::LookMyselfUp, 12.0, "user-query"),
    Choice::new(Errand::Rename, 4.0, "user-mutation"),
    Choice::new(Errand::Password, 2.0, "user-mutation"),
    Choice::new(Errand::OwnProfile, 5.0, "profile"),
    Choice::new(Errand::EditProfile, 7.0, "profile"),
    Choice::new(Errand::RemakeProfile, 2.0, "profile"),
    Choice::new(Errand::Rights, 10.0, "role-permission"),
    Choice::new(Errand::Whoami, 12.0, "auth"),
    Choice::new(Errand::Renew, 4.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let played = play(me).await;
    given_up(me, played).await
}

async fn play(me: &Me) -> Result<()> {
    let settings = Settings::of(me, 0.0)?;
    let budget = me.requests_left();
    let account = Account::enter(me, &settings, Passwords::Changed).await?;
    if !account.is_new && me.ordinal() > 0 {
        let day = Day::of(me, account.who(), 6..=12);
        pass_the_day(me, &account, day).await?;
    } else if (SHORTEST..WHOLE).contains(&budget) {
        pass_the_day(me, &account, Day::only(budget)).await?;
    } else {
        settle_in(me, &account).await?;
    }
    account.leave(me).await
}

/// The first session: users and the own account, roles and permissions, profile.
async fn settle_in(me: &Me, account: &Account) -> Result<()> {
    let client = account.client(me);
    let standing = Standing::Plain(account);
    let who = account.who();
    let mut parts = Parts::default();
    for _ in 0..2 {
        if client.spare(5 + LEAVE) > 0 && who.does_more(me, "auth") {
            client.whoami().await?;
        }
    }
    maybe_err(client, standing, 6).await?;
    if let Some(most) = parts.next(client, 1, 4 + LEAVE) {
        client.browse(most).await?;
        if client.spare(4 + LEAVE) > 0 && who.does_more(me, "user-query") {
            client.search_around(client.spare(4 + LEAVE)).await?;
        }
    }
    if let Some(most) = parts.next(client, 1, 3 + LEAVE) {
        let edits = most >= 3 || who.has_room(me, "user-mutation");
        if !edits || most >= 2 && who.does_more(me, "user-query") {
            look_myself_up(client, account).await?;
        }
        if edits {
            account.edit_name(me).await?;
        }
    }
    if account.changes_password() && client.spare(4 + LEAVE) > 0 {
        account.change_password(me).await?;
    }
    for _ in 0..MOST_MORE {
        // All begin with this: the mix has no room for the rights of many at once.
        if client.spare(4 + LEAVE) == 0 || who.has_room(me, "role-permission") {
            break;
        }
        let of_users = |errand: Errand| match errand {
            Errand::Rename => account.reason_to_rename(me),
            Errand::Browse | Errand::Search | Errand::LookMyselfUp => 1.0,
            _ => 0.0,
        };
        if let Some(errand) = who.choose(me, &ERRANDS, of_users) {
            run(client, account, errand, 1).await?;
        }
    }
    maybe_err(client, standing, 4).await?;
    if let Some(most) = parts.next(client, 1, 2 + LEAVE) {
        client.look_at_roles(most).await?;
    }
    if let Some(most) = parts.next(client, 1, 1 + LEAVE) {
        client.look_at_permissions(most).await?;
    }
    if client.spare(1 + LEAVE) > 0 && who.does_more(me, "role-permission") {
        client.list_user_roles(&account.id).await?;
    }
    maybe_err(client, standing, 2).await?;
    if let Some(most) = parts.next(client, 1, LEAVE) {
        account.ensure_profile(me, most).await?;
        if client.spare(LEAVE) > 0 {
            account.edit_profile(me, 1).await?;
        }
        // Nothing is left over that would be too little for another session.
        while Day::over().goes_on(me, LEAVE).is_some() {
            client.open_profile(&account.id).await?;
        }
    }
    Ok(())
}

async fn pass_the_day(me: &Me, account: &Account, mut day: Day) -> Result<()> {
    let client = account.client(me);
    while let Some(most) = day.goes_on(me, LEAVE) {
        maybe_err(client, Standing::Plain(account), 1 + LEAVE).await?;
        if account.changes_password() {
            // First thing, so that it is not forgotten; some want to see whether it works.
            account.change_password(me).await?;
            if day.has_room_for_auth() && client.spare(LEAVE) >= 3 && me.chance(0.3) {
                account.log_in_again(me).await?;
            }
            continue;
        }
        let most = client.spare(LEAVE).clamp(1, most);
        let fits = |errand: Errand| match errand {
            Errand::Rename => account.reason_to_rename(me),
            Errand::Password => account.reason_for_another_password(),
            Errand::Whoami => day.has_room_for_auth().into(),
            Errand::Renew => (day.has_room_for_auth() && day.is_under_way()).into(),
            Errand::RemakeProfile => (most >= 2 && account.has_profile()).into(),
            _ => 1.0,
        };
        let Some(errand) = account.who().choose(me, &ERRANDS, fits) else {
            break;
        };
        run(client, account, errand, most).await?;
    }
    Ok(())
}

async fn run(client: Client<'_>, account: &Account, errand: Errand, most: u32) -> Result<()> {
    let me = client.me();
    match errand {
        Errand::Browse => client.browse(most).await,
        Errand::Search => client.search_around(most).await,
        Errand::LookMyselfUp => look_myself_up(client, account).await,
        Errand::Rename => account.edit_name(me).await,
        Errand::Password => account.change_password(me).await,
        Errand::OwnProfile => account.look_at_profile(me).await,
        Errand::EditProfile => account.edit_profile(me, most).await,
        Errand::RemakeProfile => account.remake_profile(me).await,
        Errand::Rights => client.look_at_rights(&account.id, most).await,
        Errand::Whoami => client.whoami().await,
        Errand::Renew => client.renew().await,
    }
}

async fn look_myself_up(client: Client<'_>, account: &Account) -> Result<()> {
    let me = client.me();
    match me.range(0..3) {
        0 => client.get_user(&account.id).await,
        1 => client.get_user_by_email(&me.user().email).await,
        _ => client.get_user_by_username(&me.user().username).await,
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
        // What they are refused.
        CREATE_ROLE, UPDATE_ROLE, DELETE_ROLE, CREATE_PERMISSION, UPDATE_PERMISSION, DELETE_PERMISSION,
    ],
    journey: journey,
}
