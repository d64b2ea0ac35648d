//! Someone who registers the people of a data feed, one in each session. Config: `{"feed": "people"}` names the feed, and
//! `"people": 5` would be so many in a session. With each person go who has registered it and in which session, so that a
//! host's tests see who got which row.

use serde::Deserialize;
use serde_json::{Map, Value};
use vespeiro_guest::prelude::*;

const REGISTER: Route = Route::post("/api/v1/users", "user-mutation");
const HEALTH: Route = Route::get("/health", "monitoring");

#[derive(Deserialize)]
struct Config {
    feed: String,
    people: Option<u32>,
}

type Person = Map<String, Value>;

async fn journey(me: &mut Me) -> Result<()> {
    let Config { feed, people } = me.config()?;
    // Of the version before, in a swap: its row is taken, and not registered yet.
    let mut kept: Option<Person> = me.kept()?;
    for _ in 0..people.unwrap_or(1) {
        let person = match kept.take() {
            Some(person) => Some(person),
            None => me.feed(&feed)?,
        };
        match person {
            Some(mut person) => {
                person.insert("by".into(), me.user().index.into());
                person.insert("session".into(), me.ordinal().into());
                me.keep(&person)?;
                me.call(REGISTER).json(&person).send().await?;
            }
            // No more rows are this user's.
            None => drop(me.call(HEALTH).send().await?),
        }
        me.think().await;
    }
    Ok(())
}

behavior! { name: "registrar", version: "0.1.0", routes: [REGISTER, HEALTH], journey: journey }
