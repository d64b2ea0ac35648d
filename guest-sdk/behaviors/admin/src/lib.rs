//! The archetype `admin`: someone who runs the service. They log in as the administrator that the config names, take
//! people in, see to their rights, work on several at once, watch over the whole, and leave nothing behind: in this order
//! the first time, later as it comes. Cleanup after a run is theirs too.
//!
//! Config: `admin = { email = "…", password = "…" }`.

mod desk;

use desk::{Chore, Desk};
use user_service_client::routes;
use user_service_client::{
    Client, Day, Parts, SHORTEST, Settings, Who, cleanup, given_up, maybe_err,
};
use vespeiro_guest::prelude::*;

/// What ends a session beside clearing the desk: the logout.
const LEAVE: u32 = 1;
/// The fewest requests with which a first session goes through all its parts: with fewer they would be most of what the
/// person does.
const WHOLE: u32 = 30;
/// What else is done while a part of a first session waits, at most.
const MOST_BETWEEN: u32 = 24;

#[derive(Clone, Copy)]
enum Duty {
    Do(Chore),
    Watch,
    Look,
    Search,
    Rights,
    Whoami,
    Renew,
}

const DUTIES: [Choice<Duty>; 13] = [
    Choice::new(Duty::Do(Chore::TakeIn), 6.0, "user-mutation"),
    Choice::new(Duty::Do(Chore::Batch), 3.0, "user-mutation"),
    Choice::new(Duty::Do(Chore::Amend), 24.0, "user-mutation"),
    Choice::new(Duty::Do(Chore::Profiles), 10.0, "profile"),
    Choice::new(Duty::Do(Chore::Lock), 4.0, "admin"),
    Choice::new(Duty::Do(Chore::Assign), 4.0, "admin"),
    Choice::new(Duty::Do(Chore::Rights), 4.0, "role-permission"),
    Choice::new(Duty::Rights, 10.0, "role-permission"),
    Choice::new(Duty::Watch, 12.0, "user-query"),
    Choice::new(Duty::Look, 8.0, "user-query"),
    Choice::new(Duty::Search, 8.0, "user-query"),
    Choice::new(Duty::Whoami, 8.0, "auth"),
    Choice::new(Duty::Renew, 4.0, "auth"),
];

async fn journey(me: &mut Me) -> Result<()> {
    let played = play(me).await;
    given_up(me, played).await
}

async fn play(me: &Me) -> Result<()> {
    let settings = Settings::of(me, 0.0)?;
    let tokens = settings.operator()?;
    let who = Who::of(me, &settings);
    let client = Client::new(me, &tokens, &who);
    let mut desk = Desk::default();
    let budget = me.requests_left();
    if me.ordinal() > 0 {
        client.log_in().await?;
        let day = Day::of(me, &who, 5..=11);
        serve(client, &mut desk, day).await?;
        return client.log_out().await;
    }
    // Nothing comes before it: a run begins with administrators who are there.
    tokens.login(me).await?;
    if (SHORTEST..WHOLE).contains(&budget) {
        serve(client, &mut desk, Day::only(budget)).await?;
    } else {
        inspect(client, &mut desk).await?;
    }
    client.log_out().await
}

/// The first session: users, rights, batches, a look over the whole.
async fn inspect(client: Client<'_>, desk: &mut Desk) -> Result<()> {
    let (me, who) = (client.me(), client.who());
    let mut parts = Parts::default();
    maybe_err(client, desk.standing(), 18).await?;
    meanwhile(client, desk, &["user-mutation"], 17 + LEAVE).await?;
    if let Some(most) = parts.next(client, 4, 13 + LEAVE) {
        desk.see_to(client, Chore::TakeIn, most).await?;
        // The rights follow upon the end of this life, and wait with it: there is more to do while somebody is here.
        let next = ["admin", "role-permission"];
        meanwhile(client, desk, &next, 1 + 13 + LEAVE).await?;
        desk.end_life(client, client.spare(13 + LEAVE)).await?;
    }
    maybe_err(client, desk.standing(), 14).await?;
    if let Some(most) = parts.next(client, 6, 7 + LEAVE) {
        desk.all_of_rights(client, most).await?;
    }
    maybe_err(client, desk.standing(), 8 + desk.size()).await?;
    if let Some(most) = parts.next(client, 4 + desk.size(), 3 + LEAVE) {
        let most = most - desk.size();
        desk.see_to(client, Chore::Batch, most).await?;
        meanwhile(client, desk, &["admin"], 3 + LEAVE).await?;
        desk.clear_users(client).await?;
    }
    maybe_err(client, desk.standing(), 2).await?;
    if let Some(most) = parts.next(client, 1, LEAVE) {
        desk::watch(client, most).await?;
        for _ in 0..3 {
            if client.spare(LEAVE) > 0 && who.does_more(me, "user-query") {
                client.browse(client.spare(LEAVE)).await?;
            }
        }
    }
    // Nothing is left over that would be too little for another session.
    while let Some(most) = Day::over().goes_on(me, LEAVE) {
        desk::watch(client, most.min(1)).await?;
    }
    Ok(())
}

async fn serve(client: Client<'_>, desk: &mut Desk, mut day: Day) -> Result<()> {
    let me = client.me();
    // Whoever is taken in has to go again: that is not for all who have little time.
    let takes_in = !day.is_only() || client.who().is_among(me, 0.5);
    if takes_in && day.is_only() && client.spare(LEAVE) >= 2 {
        desk.see_to(client, Chore::TakeIn, 2).await?;
    }
    while day.goes_on(me, desk.size() + LEAVE).is_some() {
        maybe_err(client, desk.standing(), desk.size() + 1 + LEAVE).await?;
        let most = client.spare(desk.size() + LEAVE).max(1);
        let is_time = |duty: Duty| match duty {
            Duty::Do(chore) => {
                takes_in
                    && (!day.is_only() || chore.is_quick())
                    && desk.is_time_for(client, chore, most)
            }
            Duty::Whoami => most >= 1 && day.has_room_for_auth(),
            Duty::Renew => most >= 1 && day.has_room_for_auth() && day.is_under_way(),
            _ => most >= 1,
        };
        // Of those who have little time, some are here for the one whom they take in, the others for a look.
        // Who is taken in has to be deleted: the less room the mix has for that, the fewer are.
        let room = client.who().room(me, "admin");
        let liking = |duty: Duty| match duty {
            Duty::Do(_) if day.is_only() => 6.0,
            Duty::Do(Chore::TakeIn | Chore::Batch) => room,
            Duty::Do(Chore::Amend | Chore::Profiles) if desk.size() == 0 => room,
            _ => 1.0,
        };
        let fits = |duty: Duty| f32::from(is_time(duty)) * liking(duty);
        let Some(duty) = client.who().choose(me, &DUTIES, fits) else {
            break;
        };
        do_duty(client, desk, duty, most).await?;
    }
    desk.clear(client).await
}

async fn do_duty(client: Client<'_>, desk: &mut Desk, duty: Duty, most: u32) -> Result<()> {
    match duty {
        Duty::Do(chore) => desk.see_to(client, chore, most).await,
        Duty::Watch => desk::watch(client, most).await,
        Duty::Look => client.browse(most).await,
        Duty::Search => client.search_around(most).await,
        Duty::Rights => client.look_at_rights_of_all(most).await,
        Duty::Whoami => client.whoami().await,
        Duty::Renew => client.renew().await,
    }
}

/// While the mix has had enough of what comes next, something else, that leaves so many requests. Searches are of the
/// last part.
async fn meanwhile(
    client: Client<'_>,
    desk: &mut Desk,
    next: &[&'static str],
    reserve: u32,
) -> Result<()> {
    let (me, who) = (client.me(), client.who());
    for _ in 0..MOST_BETWEEN {
        let most = client.spare(desk.size() + reserve);
        if most == 0 || next.iter().all(|category| who.has_room(me, category)) {
            break;
        }
        let fits = |duty: Duty| match duty {
            Duty::Do(Chore::Amend | Chore::Profiles) => desk.size() > 0,
            Duty::Look | Duty::Rights | Duty::Whoami | Duty::Renew => true,
            _ => false,
        };
        let Some(duty) = who.choose(me, &DUTIES, fits) else {
            break;
        };
        // One role looked at would be a part of its own.
        let most = if matches!(duty, Duty::Rights) {
            1
        } else {
            most.min(3)
        };
        do_duty(client, desk, duty, most).await?;
    }
    Ok(())
}

behavior! {
    name: "admin",
    version: env!("CARGO_PKG_VERSION"),
    routes: routes::ALL,
    journey: journey,
    cleanup: cleanup,
}
