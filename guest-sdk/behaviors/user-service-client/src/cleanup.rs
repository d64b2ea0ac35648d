//! Removing what a run has left behind, by name, as the configured administrator. The host starts it as a session of
//! the archetype `admin`. It is idempotent: what is gone already counts as removed, and what cannot be removed keeps
//! its mark for the next attempt.

use vespeiro_guest::{Call, Level, Me, Reply, Result, Route, Tokens};

use crate::model::{Data, Id, Identified, Named, Page};
use crate::routes::{self, AUTH};
use crate::settings::Settings;

/// How many removals are under way at a time.
const AT_ONCE: usize = 8;

/// Logs the marked tokens out, then removes users, then roles, then permissions.
///
/// Only names that carry the run's id as a word of its own are looked up: a mark that somebody made up must not remove an
/// account that was there before the run. The others keep their marks.
///
/// # Errors
/// When the administrator cannot log in, or the service's lists cannot be read.
pub async fn cleanup(me: &mut Me) -> Result<()> {
    // Sessions that were cut need no administrator to end: a token goes by itself.
    let marks = AUTH.log_out_marked(me).await;
    let mut users = Vec::new();
    let mut roles = Vec::new();
    let mut permissions = Vec::new();
    for mark in &marks {
        let named = mark.split_once(':');
        if named.is_some_and(|(_, name)| !is_of_run(name, me.run())) {
            let run = me.run();
            let why =
                format!("cleanup: `{mark}` stays: its name does not carry the run's id, {run}");
            me.log(Level::Warn, &why);
            continue;
        }
        match named {
            Some(("user", name)) => users.push(name),
            Some(("role", name)) => roles.push(name),
            Some(("permission", name)) => permissions.push(name),
            _ => me.log(Level::Warn, &format!("cleanup: no way to remove `{mark}`")),
        }
    }
    if users.is_empty() && roles.is_empty() && permissions.is_empty() {
        return Ok(());
    }
    let tokens = Settings::of(me, 0.0)?.operator()?;
    tokens.login(me).await?;
    // No client: nobody sits at the keyboard here, and nobody reads a page.
    let client = Operator {
        me,
        tokens: &tokens,
    };
    let removed = async {
        remove_users(client, &users).await?;
        remove_named(client, "role", &roles).await?;
        remove_named(client, "permission", &permissions).await
    }
    .await;
    // However that went: it leaves nothing of its own either.
    removed.and(tokens.logout(me).await)
}

/// Whether a name is one that this run gives: the run's id is a word of it, beside others.
fn is_of_run(name: &str, run: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    name != run && words.any(|word| word == run)
}

/// The administrator who tidies up.
#[derive(Clone, Copy)]
struct Operator<'a> {
    me: &'a Me,
    tokens: &'a Tokens,
}

impl<'a> Operator<'a> {
    fn call(&self, route: Route) -> Call<'a> {
        self.me.call(route).bearer(self.tokens)
    }

    async fn list(&self, route: Route, page: u32) -> Result<Page<Named>> {
        let call = self.call(route).query("page", page).query("per_page", 100);
        let reply = call.capture_body().send().await;
        reply.and_then(Reply::expect_success)?.json()
    }
}

async fn remove_users(client: Operator<'_>, names: &[&str]) -> Result<()> {
    let me = client.me;
    for names in names.chunks(AT_ONCE) {
        let lookups = names.iter().map(|name| {
            client
                .call(routes::GET_USER_BY_USERNAME)
                .arg(name)
                .capture_body()
        });
        let mut found: Vec<(&str, Id)> = Vec::new();
        for (name, reply) in names.iter().zip(me.batch(lookups.collect()).await) {
            match reply {
                Ok(reply) if reply.status == 404 => me.unmark(&format!("user:{name}")),
                Ok(reply) if reply.is_success() => {
                    found.push((name, reply.json::<Data<Identified>>()?.data.id))
                }
                other => complain(me, "user", name, &other.map(|reply| reply.status)),
            }
        }
        remove(client, "user", found, |id| {
            client.call(routes::DELETE_USER).arg(id)
        })
        .await;
    }
    Ok(())
}

/// Roles and permissions: there is no look-up by name, so the lists are read once, before anything moves in them.
async fn remove_named(client: Operator<'_>, kind: &str, names: &[&str]) -> Result<()> {
    let me = client.me;
    let mut missing = names.to_vec();
    let mut found: Vec<(&str, Id)> = Vec::new();
    let (lists, route) = match kind {
        "role" => (routes::LIST_ROLES, routes::DELETE_ROLE),
        _ => (routes::LIST_PERMISSIONS, routes::DELETE_PERMISSION),
    };
    let mut page = 1;
    while !missing.is_empty() {
        let list = client.list(lists, page).await?;
        for item in list.items {
            if let Some(at) = missing.iter().position(|name| **name == *item.name) {
                found.push((missing.swap_remove(at), item.id));
            }
        }
        if page >= list.meta.total_pages {
            break;
        }
        page += 1;
    }
    for name in missing {
        me.unmark(&format!("{kind}:{name}"));
    }
    while !found.is_empty() {
        let rest = found.split_off(found.len().min(AT_ONCE));
        remove(client, kind, found, |id| client.call(route).arg(id)).await;
        found = rest;
    }
    Ok(())
}

async fn remove<'a>(
    client: Operator<'a>,
    kind: &str,
    found: Vec<(&str, Id)>,
    deletion: impl Fn(&Id) -> Call<'a>,
) {
    let me = client.me;
    let replies = me
        .batch(found.iter().map(|(_, id)| deletion(id)).collect())
        .await;
    for ((name, _), reply) in found.iter().zip(replies) {
        match reply {
            Ok(reply) if reply.is_success() || reply.status == 404 => {
                me.unmark(&format!("{kind}:{name}"))
            }
            other => complain(me, kind, name, &other.map(|reply| reply.status)),
        }
    }
}

fn complain(me: &Me, kind: &str, name: &str, outcome: &Result<u16>) {
    let reason = match outcome {
        Ok(status) => format!("status {status}"),
        Err(error) => error.to_string(),
    };
    // That it was too fast is no news of the thing: it is still marked, so it has its turn again.
    let level = match outcome {
        Ok(429) => Level::Debug,
        _ => Level::Warn,
    };
    me.log(level, &format!("cleanup: {kind} `{name}` stays: {reason}"));
}

#[cfg(test)]
mod tests {
    use super::is_of_run;

    #[test]
    fn a_name_is_the_runs_where_its_id_is_a_word_of_it() {
        for name in [
            "sim_user_k3x9a2b7_17",
            "k3x9a2b7-17",
            "sim_role_k3x9a2b7_4_1",
        ] {
            assert!(is_of_run(name, "k3x9a2b7"), "{name}");
        }
        for name in [
            "realhuman",
            "k3x9a2b7",
            "sim_user_k3x9a2b8_17",
            "xk3x9a2b7_1",
            "",
        ] {
            assert!(!is_of_run(name, "k3x9a2b7"), "{name}");
        }
    }
}
