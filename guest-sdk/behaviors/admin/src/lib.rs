//! The archetype `admin`: someone who runs the service. They log in as the administrator that the config names, take
//! people in, see to their rights, work on several at once, watch over the whole, and leave nothing behind: in this order
//! the first time, later as it comes. Cleanup after a run is theirs too.
//!
//! Config: `admin = { email = "…", password = "…" }`.

mod desk;

use desk::{Chore, Desk};
use user_service_client::routes;
use user_service_client::{Client, Day, Parts, Settings, Who, cleanup, maybe_err};
use vespeiro_guest::prelude::*;

/// What ends a session beside clearing the desk: the logout.
const LEAVE: u32 = 1;

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
    let settings = Settings::of(me)?;
    let tokens = settings.operator()?;
    let who = Who::of(me, &settings);
    let client = Client::new(me, &tokens, &who);
    let mut desk = Desk::default();
    if me.ordinal() == 0 {
        // Nothing comes before it: a run begins with administrators who are there.
        tokens.login(me).await?;
        inspect(client, &mut desk).await?;
    } else {
        client.log_in().await?;
        serve(client, &mut desk).await?;
    }
    client.log_out().await
}

/// The first session: users, rights, batches, a look over the whole.
async fn inspect(client: Client<'_>, desk: &mut Desk) -> Result<()> {
    let (me, who) = (client.me(), client.who());
    let mut parts = Parts::default();
    for _ in 0..3 {
        if client.spare(17 + LEAVE) > 0 && who.does_more(me, "auth") {
            client.whoami().await?;
        }
    }
    maybe_err(client, desk.standing(), 18).await?;
    if let Some(most) = parts.next(client, 4, 13 + LEAVE) {
        desk.one_life(client, most).await?;
    }
    maybe_err(client, desk.standing(), 14).await?;
    if let Some(most) = parts.next(client, 6, 7 + LEAVE) {
        desk.all_of_rights(client, most).await?;
    }
    maybe_err(client, desk.standing(), 8 + desk.size()).await?;
    if let Some(most) = parts.next(client, 4 + desk.size(), 3 + LEAVE) {
        desk.batch(client, most - desk.size()).await?;
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

async fn serve(client: Client<'_>, desk: &mut Desk) -> Result<()> {
    let me = client.me();
    let mut day = Day::of(me, client.who(), 5..=11);
    while day.goes_on(me, desk.size() + LEAVE).is_some() {
        maybe_err(client, desk.standing(), desk.size() + 1 + LEAVE).await?;
        let most = client.spare(desk.size() + LEAVE);
        let fits = |duty: Duty| match duty {
            Duty::Do(chore) => desk.is_time_for(client, chore, most),
            _ => most >= 1,
        };
        let Some(duty) = client.who().choose(me, &DUTIES, fits) else {
            break;
        };
        match duty {
            Duty::Do(chore) => desk.see_to(client, chore, most).await?,
            Duty::Watch => desk::watch(client, most).await?,
            Duty::Look => client.browse(most).await?,
            Duty::Search => client.search_around(most).await?,
            Duty::Rights => client.look_at_rights_of_all(most).await?,
            Duty::Whoami => client.whoami().await?,
            Duty::Renew => client.renew().await?,
        }
    }
    desk.clear(client).await
}

behavior! {
    name: "admin",
    version: env!("CARGO_PKG_VERSION"),
    routes: routes::ALL,
    journey: journey,
    cleanup: cleanup,
}
