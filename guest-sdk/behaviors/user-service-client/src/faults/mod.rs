//! Wrong requests on purpose: the host says when and of which kind, this shapes them. Behaviors call [`maybe_err`]
//! between their actions; nothing that it sends can change anything, not even in a service without rules.

use serde_json::json;
use vespeiro_guest::{Fault, Me, Result};

use crate::client::Client;
use crate::model::Id;
use crate::routes;

/// How many light requests make a burst: more than a person's session sends in a second.
const BURST: u32 = 40;
/// How long to leave a rate limit alone after that, so that what follows goes through.
const REST_MS: u32 = 1_000;

/// What the account may do, and so which requests it has no permission for.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'a> {
    /// A plain user with this identifier.
    Plain(&'a Id),
    /// An administrator.
    Admin,
}

/// Commits the fault that the host asks for, if any.
///
/// # Errors
/// When a request gets no reply; a refusal is what it is for.
pub async fn maybe_err(client: Client<'_>, standing: Standing<'_>) -> Result<()> {
    let Some(fault) = client.me().fault() else {
        return Ok(());
    };
    // Boxed: a rare branch must not make every waiting journey larger.
    Box::pin(commit(client, standing, fault)).await
}

async fn commit(client: Client<'_>, standing: Standing<'_>, fault: Fault) -> Result<()> {
    let me: &Me = client.me();
    me.think().await;
    let call = match (fault, standing) {
        (Fault::BadCredentials, _) if me.chance(0.5) => me
            .call(routes::WHOAMI)
            .header("authorization", "Bearer expired.or.forged"),
        (Fault::BadCredentials, _) => {
            let body = json!({ "email": me.user().email, "password": "not-the-password-1" });
            me.call(routes::LOGIN).json(&body)
        }
        (Fault::Forbidden, Standing::Plain(_)) => {
            client.call(routes::DEACTIVATE_USER).arg(Id::unknown(me))
        }
        (Fault::Forbidden, Standing::Admin) => {
            // Only the owner may change a password this way.
            let body = json!({ "current_password": "SimPass123!", "new_password": "SimPass123!" });
            client
                .call(routes::CHANGE_PASSWORD)
                .arg(Id::unknown(me))
                .json(&body)
        }
        (Fault::InvalidData, Standing::Plain(id)) => client
            .call(routes::UPDATE_USER)
            .arg(id)
            .json(&json!({ "name": "" })),
        (Fault::InvalidData, Standing::Admin) => client
            .call(routes::CREATE_PERMISSION)
            .json(&json!({ "description": "it has no name" })),
        (Fault::NotFound, _) => client.call(routes::GET_USER).arg(Id::unknown(me)),
        (Fault::RateLimit, _) => {
            if me.requests_left() < 2 * BURST {
                return Ok(()); // what the session has begun has to be ended
            }
            let light = || client.call(routes::WHOAMI).fault(Fault::RateLimit);
            let mut limited = false;
            for reply in me.batch((0..BURST).map(|_| light()).collect()).await {
                limited |= reply?.status == 429;
            }
            if limited {
                me.wait_ms(REST_MS).await;
            }
            return Ok(());
        }
    };
    call.fault(fault).send().await?;
    Ok(())
}
