//! Someone who registers the people of a data feed, one in each session. Config: `{"feed": "people"}` names the feed. With
//! each person go who has registered it and in which session, so that a host's tests see who got which row.

use serde::Deserialize;
use serde_json::{Map, Value};
use vespeiro_guest::prelude::*;

const REGISTER: Route = Route::post("/api/v1/users", "user-mutation");
const HEALTH: Route = Route::get("/health", "monitoring");

#[derive(Deserialize)]
struct Config {
    feed: String,
}

async fn journey(me: &mut Me) -> Result<()> {
    let Config { feed } = me.config()?;
    match me.feed::<Map<String, Value>>(&feed)? {
        Some(mut person) => {
            person.insert("by".into(), me.user().index.into());
            person.insert("session".into(), me.ordinal().into());
            me.call(REGISTER).json(&person).send().await?;
        }
        // All rows of this user are used up.
        None => drop(me.call(HEALTH).send().await?),
    }
    me.think().await;
    Ok(())
}

behavior! { name: "registrar", version: "0.1.0", routes: [REGISTER, HEALTH], journey: journey }
