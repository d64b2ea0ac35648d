//! The archetype `power`: someone who gets everything out of the service. Searches that combine filters, bulk operations in
//! an administrator's session, the directory filtered, and several sessions of their own account at once: in this order
//! the first time, later as it comes.
//!
//! Config: `admin = { email = "…", password = "…" }`.

mod bulk;
mod hunt;

use bulk::Bulk;
use user_service_client::routes;
use user_service_client::{
    Account, Client, Day, Parts, Passwords, SHORTEST, Settings, Standing, given_up, maybe_err,
};
use vespeiro_guest::prelude::*;

/// How slow they are, in deviations of a pause. They know their way about.
const SLOWER: f64 = -0.3;
/// What ends a session beside the administrator's: the logout.
const LEAVE: u32 = 1;
/// The fewest requests of a second session beside the first: login, a search in each, logout.
const WINDOWS: u32 = 4;
/// The fewest requests with which a first session goes through all its parts: with fewer they would be most of what the
/// person does.
const WHOLE: u32 = 30;
/// What else is done between two parts of a first session, at most.
const MOST_BETWEEN: u32 = 9;

/// How far the mix is short of administrative requests, in points, when bulk operations do not wait.
const MUCH: f32 = 3.0;

#[derive(Clone, Copy)]
enum Move {
    Hunt,
    TwoWindows,
    Filter,
    BulkEdit,
    BulkLock,
    Rights,
    Rename,
    OwnProfile,
    EditProfile,
    Whoami,
    AnotherSession,
}

const MOVES: [Choice<Move>; 11] = [
    Choice::new(Move::Hunt, 16.0, "user-query"),
    Choice::new(Move::TwoWindows, 6.0, "user-query"),
    Choice::new(Move::Filter, 12.0, "user-query"),
    Choice::new(Move::BulkEdit, 6.0, "user-mutation"),
    Choice::new(Move::Rename, 10.0, "user-mutation"),
    Choice::new(Move::BulkLock, 1.0, "admin"),
    Choice::new(Move::Rights, 18.0, "role-permission"),
    Choice::new(Move::OwnProfile, 16.0, "profile"),
    Choice::new(Move::EditProfile, 16.0, "profile"),
    Choice::new(Move::Whoami, 14.0, "auth"),
    Choice::new(Move::AnotherSession, 6.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let played = play(me).await;
    given_up(me, played).await
}

async fn play(me: &Me) -> Result<()> {
    let settings = Settings::of(me, SLOWER)?;
    let admin = settings.operator()?;
    let budget = me.requests_left();
    let account = Account::enter(me, &settings, Passwords::Kept).await?;
    let mut bulk = Bulk::new(Client::new(me, &admin, account.who()));
    if !account.is_new && me.ordinal() > 0 {
        let day = Day::of(me, account.who(), 5..=10);
        work(me, &account, &mut bulk, day).await?;
    } else if (SHORTEST..WHOLE).contains(&budget) {
        // Bulk operations are all that needs so many requests that there is no time for them later.
        let most = me.requests_left().saturating_sub(LEAVE);
        if bulk.fits(most) && account.who().is_among(me, 0.15) {
            bulk.once(most, false).await?;
        }
        work(me, &account, &mut bulk, Day::only(budget)).await?;
    } else {
        try_everything(me, &account, &mut bulk).await?;
    }
    if !admin.is_logged_in() {
        return account.leave(me).await;
    }
    let admins = Client::new(me, &admin, account.who());
    account.client(me).log_out_with(&admins).await
}

/// The first session: searches, bulk operations, filters, several sessions.
async fn try_everything(me: &Me, account: &Account, bulk: &mut Bulk<'_>) -> Result<()> {
    let client = account.client(me);
    let standing = Standing::Plain(account);
    let mut parts = Parts::default();
    if let Some(most) = parts.next(client, 1, 2 + bulk::LEAST + WINDOWS + LEAVE) {
        account.ensure_profile(me, most.min(1)).await?;
    }
    maybe_err(client, standing, 2 + bulk::LEAST + WINDOWS + LEAVE).await?;
    if let Some(most) = parts.next(client, 1, 1 + bulk::LEAST + WINDOWS + LEAVE) {
        hunt::hunt(&[client], most.min(10)).await?;
    }
    let after = 1 + WINDOWS + LEAVE;
    meanwhile(client, account, bulk, bulk::LEAST + after).await?;
    if let Some(most) = parts.next(client, bulk::LEAST, after) {
        // Small, for all begin with it: the mix has no room for many.
        let locks = match me.wanted("admin") {
            MUCH.. => me.chance(0.6),
            -1.0.. => me.chance(0.2),
            _ => false,
        };
        bulk.once(most.min(5 * bulk::FEWEST + 2), locks).await?;
    }
    let leave = LEAVE + bulk.to_leave();
    maybe_err(client, standing, 1 + WINDOWS + leave).await?;
    if let Some(most) = parts.next(client, 1, WINDOWS + leave) {
        hunt::filter(client, most).await?;
    }
    meanwhile(client, account, bulk, WINDOWS + leave).await?;
    if let Some(most) = parts.next(client, WINDOWS, leave) {
        two_windows(client, account, most.min(8)).await?;
    }
    // Nothing is left over that would be too little for another session.
    while let Some(most) = Day::over().goes_on(me, leave) {
        hunt::filter(client, most).await?;
    }
    Ok(())
}

/// Some other things, that leave so many requests. How many is drawn, and not for the mix to say: all would wait for it, and then
/// go on, at the same time. Where it is far short of what only bulk operations bring, they do not wait.
async fn meanwhile(
    client: Client<'_>,
    account: &Account,
    bulk: &mut Bulk<'_>,
    reserve: u32,
) -> Result<()> {
    let (me, who) = (client.me(), account.who());
    for _ in 0..me.range(0..=MOST_BETWEEN) {
        let most = client.spare(reserve);
        if most == 0 || me.wanted("admin") > MUCH {
            break;
        }
        let fits = |next: Move| match next {
            Move::Rights | Move::OwnProfile | Move::EditProfile | Move::Whoami => 1.0,
            Move::Rename => account.reason_to_rename(me),
            _ => 0.0,
        };
        let Some(next) = who.choose(me, &MOVES, fits) else {
            break;
        };
        go(client, account, bulk, next, most.min(2)).await?;
    }
    Ok(())
}

/// Halves what the mix says of a category, for a choice by it ([`Me::choose`] multiplies by e^(n/3)). What takes many requests is
/// chosen long before they are sent, and by many people at the same time: they would go far beyond what is wanted.
fn halved(me: &Me, category: &str) -> f32 {
    (-me.wanted(category) / 6.0).exp()
}

async fn work(me: &Me, account: &Account, bulk: &mut Bulk<'_>, mut day: Day) -> Result<()> {
    let client = account.client(me);
    while day.goes_on(me, LEAVE + bulk.to_leave()).is_some() {
        bulk.maybe_err(account, 1 + LEAVE).await?;
        let most = client.spare(LEAVE + bulk.to_leave()).max(1);
        let is_only = day.is_only();
        let is_time = |next: Move| match next {
            Move::BulkEdit | Move::BulkLock => !is_only && bulk.fits(most),
            Move::TwoWindows => !is_only && most >= WINDOWS,
            Move::AnotherSession => !is_only && most >= 5,
            Move::Whoami => day.has_room_for_auth(),
            _ => most >= 1,
        };
        // Whoever is registered has to be deleted: the less room the mix has for that, the fewer are.
        let room = account.who().room(me, "admin");
        let likes = |next: Move| match next {
            Move::Rename => account.reason_to_rename(me),
            Move::BulkEdit => room * halved(me, "user-mutation"),
            Move::BulkLock => halved(me, "admin"),
            Move::Hunt | Move::TwoWindows => halved(me, "user-query"),
            Move::AnotherSession => halved(me, "auth"),
            _ => 1.0,
        };
        let fits = |next: Move| f32::from(is_time(next)) * likes(next);
        let Some(next) = account.who().choose(me, &MOVES, fits) else {
            break;
        };
        go(client, account, bulk, next, most).await?;
    }
    Ok(())
}

async fn go(
    client: Client<'_>,
    account: &Account,
    bulk: &mut Bulk<'_>,
    next: Move,
    most: u32,
) -> Result<()> {
    let me = client.me();
    match next {
        Move::Hunt => hunt::hunt(&[client], most).await,
        Move::TwoWindows => two_windows(client, account, most).await,
        Move::Filter => hunt::filter(client, most).await,
        Move::BulkEdit => bulk.once(most, false).await,
        Move::BulkLock => bulk.once(most, true).await,
        Move::Rights => client.look_at_rights(&account.id, most).await,
        Move::Rename => account.edit_name(me).await,
        Move::OwnProfile => account.look_at_profile(me).await,
        Move::EditProfile => account.edit_profile(me, most).await,
        Move::Whoami => client.whoami().await,
        Move::AnotherSession => another_session(me, account).await,
    }
}

/// Two windows, each with a session of its own and a hunt in it, at the same time.
async fn two_windows(client: Client<'_>, account: &Account, most: u32) -> Result<()> {
    let me = client.me();
    let other = account.another_session(me);
    let there = account.client_of(me, &other);
    there.log_in().await?;
    hunt::hunt(&[client, there], most.saturating_sub(2)).await?;
    there.log_out().await
}

/// Another session, as on a telephone: who am I here, stay logged in, look myself up.
async fn another_session(me: &Me, account: &Account) -> Result<()> {
    let other = account.another_session(me);
    let client = account.client_of(me, &other);
    client.log_in().await?;
    client.whoami().await?;
    client.renew().await?;
    client.get_user_by_username(&me.user().username).await?;
    client.log_out().await
}

behavior! {
    name: "power",
    version: env!("CARGO_PKG_VERSION"),
    // What they may not do, they try all the same.
    routes: routes::ALL,
    journey: journey,
}
