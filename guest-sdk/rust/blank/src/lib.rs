//! What one person does, top to bottom. `./build` makes a module of it.

use vespeiro_guest::prelude::*;

const HEALTH: Route = Route::get("/health", "monitoring");

async fn journey(me: &mut Me) -> Result<()> {
    let health = me.call(HEALTH).send().await?;
    me.check("the service is up", health.status == 200);
    me.think().await;
    Ok(())
}

behavior! {
    name: "my-behavior",
    version: env!("CARGO_PKG_VERSION"),
    routes: [HEALTH],
    journey: journey,
}

#[cfg(test)]
mod tests;
