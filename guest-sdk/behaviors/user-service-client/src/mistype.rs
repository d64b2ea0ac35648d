//! A wrong password before the right one: as people have it, and where the host wants wrong credentials.

use serde::Serialize;
use vespeiro_guest::{Fault, Result};

use crate::client::Client;
use crate::routes;
use crate::temper::Pause;

/// Types a wrong password before the right one, when the host asks for wrong credentials. At most once before each login,
/// so that a service that locks accounts has no reason to.
pub(crate) async fn mistype(client: Client<'_>) -> Result<()> {
    let me = client.me();
    if client.spare(2) == 0 {
        return Ok(());
    }
    match me.fault() {
        Some(Fault::BadCredentials) => Box::pin(wrong_password(client)).await,
        _ => Ok(()), // it is asked for again
    }
}

pub(crate) async fn wrong_password(client: Client<'_>) -> Result<()> {
    let me = client.me();
    client.pause(Pause::Form).await?;
    let given = me.user().password.as_str();
    let typed = match me.range(0..4) {
        0 => given.to_lowercase() + "1",
        1 => format!("{given}{given}"),
        2 => format!("x{given}"),
        _ => given.chars().rev().collect(),
    };
    let call = me.call(routes::LOGIN).json(&Login {
        email: client.tokens().name(),
        password: &typed,
    });
    call.fault(Fault::BadCredentials).send().await.map(drop)
}

#[derive(Serialize)]
struct Login<'a> {
    email: &'a str,
    password: &'a str,
}
