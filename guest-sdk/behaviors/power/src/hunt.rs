//! Searches that combine filters, in one window or in several at once, and the directory filtered. The journey calls them;
//! only people who stay for the whole run are opened.

use user_service_client::routes::LIST_USERS;
use user_service_client::{Client, Extent, Listed, Page, Pause, Wanted};
use vespeiro_guest::prelude::*;

const SORTS: [&str; 6] = [
    "name",
    "-name",
    "created_at",
    "-created_at",
    "username",
    "-updated_at",
];
const SINCE: [&str; 3] = ["2020-01-01", "2024-06-30T00:00:00Z", "2025-01-01"];

/// What somebody looks for in one window.
struct Hunt {
    wanted: Wanted,
    whole: String,
    since: &'static str,
}

impl Hunt {
    fn begin(client: Client<'_>) -> Hunt {
        let wanted = Wanted::of(&client);
        Hunt {
            whole: wanted.whole(),
            wanted,
            since: client.me().pick(&SINCE).unwrap_or(&SINCE[0]),
        }
    }

    /// Each round is narrower than the one before.
    fn filters(&self, round: u32) -> Vec<(&str, &str)> {
        let name = if round == 0 {
            &self.wanted.first
        } else {
            &self.whole
        };
        let mut filters = vec![("q", name.as_str()), ("per_page", "10")];
        if round >= 1 {
            filters.push(("active", "true"));
        }
        if round >= 2 {
            filters.push(("created_after", self.since));
        }
        if round >= 3 {
            filters.push(("email", "simulation.test"));
        }
        filters
    }
}

/// A few searches, each narrower than the last, and a look at who is found. In several windows they take turns. Sends at
/// most so many requests, and at least one for each window.
pub(crate) async fn hunt(windows: &[Client<'_>], most: u32) -> Result<()> {
    let Some(me) = windows.first().map(Client::me) else {
        return Ok(());
    };
    let mut left = most;
    let hunts: Vec<Hunt> = windows.iter().map(|client| Hunt::begin(*client)).collect();
    let mut pause = Pause::Look;
    for round in 0..me.range(2..=4) {
        for (client, hunt) in windows.iter().zip(&hunts) {
            if round > 0 && left == 0 {
                return Ok(());
            }
            left = left.saturating_sub(1);
            if let Some(look) = search(*client, hunt, round, pause).await?
                && left > windows.len() as u32
            {
                left -= 1;
                client.ask(Pause::Hurry, look).await?;
            }
            pause = Pause::Hurry;
        }
    }
    Ok(())
}

/// One search; the way to look at somebody whom it finds.
async fn search<'a>(
    client: Client<'a>,
    hunt: &Hunt,
    round: u32,
    pause: Pause,
) -> Result<Option<Call<'a>>> {
    let me = client.me();
    let mut filters = hunt.filters(round);
    filters.push(("sort", me.pick(&SORTS).unwrap_or(&SORTS[0])));
    let call = client.searching(&filters);
    drop(filters);
    if !hunt.wanted.is_there {
        // Whoever finds nobody has nothing to read.
        return client.ask(pause, call).await.map(|_| None);
    }
    let reply = client.ask(pause, call.capture_body()).await?;
    let found: Page<Listed<'_>> = reply.json()?;
    let mut people = found.items.iter();
    let stays = people.find(|person| person.stays(me.run()));
    Ok(stays.map(|person| client.looking_at(person)))
}

/// The directory by status and role, page by page, as far as it goes.
pub(crate) async fn filter(client: Client<'_>, most: u32) -> Result<()> {
    let me = client.me();
    let role = me.chance(0.3).then_some("admin");
    let per_page = *me.pick(&[10_u32, 25, 50]).unwrap_or(&10);
    let list = |page: u32| {
        client
            .call(LIST_USERS)
            .query("page", page)
            .query("per_page", per_page)
            .query("active", true)
            .query_opt("role", role)
    };
    let (last, mut page, mut pause) = (me.range(1..=3).min(most), 1, Pause::Look);
    while page < last {
        // How many pages there are is all that is read; it may change while somebody leafs through them.
        let reply = client.ask(pause, list(page).capture_body()).await?;
        let Extent { meta } = reply.json()?;
        drop(reply);
        if page >= meta.total_pages {
            return Ok(());
        }
        page += 1;
        pause = Pause::Hurry;
    }
    client.ask(pause, list(page)).await.map(drop)
}
