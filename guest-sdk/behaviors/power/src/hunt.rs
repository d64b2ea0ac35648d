//! Searches that combine filters, and the directory filtered. The journey calls them; only people who stay for the
//! whole run are opened.

use user_service_client::routes::LIST_USERS;
use user_service_client::{Client, Page, Person};
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
    let mut filters = vec![("q", word), ("per_page", "50")];
    for round in 0..me.range(2..=4) {
        match round {
            1 => filters.push(("active", "true")),
            2 => filters.push(("created_after", me.pick(&SINCE).unwrap_or(&SINCE[0]))),
            3 => filters.push(("email", "simulation.test")),
            _ => {}
        }
        filters.push(("sort", me.pick(&SORTS).unwrap_or(&SORTS[0])));
        let found = client.search_users(&filters).await?;
        filters.pop();
        if let Some(person) = found.items.iter().find(|person| person.stays(me.run())) {
            me.think_briefly().await;
            client.look_at(person).await?;
        }
        me.think_briefly().await;
    }
    Ok(())
}

/// The directory by status and role, page by page.
pub(crate) async fn filter(client: Client<'_>) -> Result<()> {
    let me = client.me();
    let role = me.chance(0.3).then_some("admin");
    let per_page = *me.pick(&[25_u32, 50, 100]).unwrap_or(&25);
    for page in 1..=me.range(1..=3) {
        let list = client
            .call(LIST_USERS)
            .query("page", page)
            .query("per_page", per_page)
            .query("active", true)
            .query_opt("role", role);
        let found: Page<Person> = list.capture_body().send().await?.expect_success()?.json()?;
        if page >= found.meta.total_pages {
            break;
        }
        me.think_briefly().await;
    }
    Ok(())
}
