//! Searches that combine filters, and the directory filtered. The journey calls them; only people who stay for the
//! whole run are opened.

use user_service_client::routes::LIST_USERS;
use user_service_client::{Client, Extent, Page, Person};
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

/// A few searches, each narrower than the last, until someone is found worth a look.
pub(crate) async fn hunt(client: Client<'_>) -> Result<()> {
    let me = client.me();
    let word = me.fake_search();
    let mut filters = vec![("q", word), ("per_page", "10")];
    for round in 0..me.range(2..=4) {
        match round {
            1 => filters.push(("active", "true")),
            2 => filters.push(("created_after", me.pick(&SINCE).unwrap_or(&SINCE[0]))),
            3 => filters.push(("email", "simulation.test")),
            _ => {}
        }
        filters.push(("sort", me.pick(&SORTS).unwrap_or(&SORTS[0])));
        let reply = client.search_users(&filters).await?;
        filters.pop();
        let look = {
            let found: Page<Person<'_>> = reply.json()?;
            let mut people = found.items.iter();
            people
                .find(|person| person.stays(me.run()))
                .map(|person| client.looking_at(person))
        };
        drop(reply);
        if let Some(look) = look {
            me.think_briefly().await;
            look.send().await?.expect_success()?;
        }
        me.think_briefly().await;
    }
    Ok(())
}

/// The directory by status and role, page by page.
pub(crate) async fn filter(client: Client<'_>) -> Result<()> {
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
    // How many pages there are is all that is read; the others are leafed through.
    let first = list(1).capture_body().send().await?.expect_success()?;
    let Extent { meta } = first.json()?;
    drop(first);
    for page in 2..=me.range(1..=3).min(meta.total_pages) {
        me.think_briefly().await;
        list(page).send().await?.expect_success()?;
    }
    Ok(())
}
