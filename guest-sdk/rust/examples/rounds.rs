//! Someone who looks whether the service is up, round after round, and knows how many it was: what a session takes along
//! when its behavior is swapped with `--mode migrate`.

use serde::{Deserialize, Serialize};
use vespeiro_guest::prelude::*;

const HEALTH: Route = Route::get("/health", "monitoring");
const ROUNDS: u32 = 1_000_000;

#[derive(Default, Serialize, Deserialize)]
struct State {
    rounds: u32,
}

async fn journey(me: &mut Me) -> Result<()> {
    let kept: Option<State> = me.kept()?;
    if let Some(state) = &kept {
        me.check("moved with its rounds", state.rounds > 0);
    }
    let mut state = kept.unwrap_or_default();
    while state.rounds < ROUNDS {
        me.think().await;
        me.keep(&state)?;
        me.call(HEALTH).send().await?;
        state.rounds += 1;
    }
    Ok(())
}

behavior! { name: "rounds", version: "0.1.0", routes: [HEALTH], journey: journey }
