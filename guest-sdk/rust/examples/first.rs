//! The first behavior of the README: someone who looks whether the service is up, then rests. Build it with
//! `cargo build --release --target wasm32-unknown-unknown --example first`.

use vespeiro_guest::prelude::*;

const HEALTH: Route = Route::get("/health", "monitoring");

async fn journey(me: &mut Me) -> Result<()> {
    let reply = me.call(HEALTH).send().await?;
    me.check("the service is up", reply.status == 200);
    me.think().await;
    Ok(())
}

behavior! { name: "first", version: "0.1.0", routes: [HEALTH], journey: journey }
