//! Looking around, as every archetype does: turning the pages of the directory, bursts of searches that grow narrower,
//! looking at people, roles and permissions. Looks only at what stays for the whole run, so that a healthy service has an
//! answer to everything.
//!
//! Each of these takes how many requests it may send at `most`, sends at least one, and needs at least one.

use vespeiro_guest::{Call, Reply, Result};

use crate::client::Client;
use crate::model::{Id, Listed, Named, Page};
use crate::person::{Person, unknown};
use crate::routes;
use crate::temper::Pause;

/// People on a page of the directory.
const PER_PAGE: u32 = 10;
/// Pages that anybody turns, at the very most.
const MOST_PAGES: u32 = 5;

impl<'a> Client<'a> {
    /// Opens the directory at its first page, looks at one or two of the people on it, and turns a page or two, as far as
    /// there are more.
    ///
    /// # Errors
    /// When the service refuses; so with all of these.
    pub async fn browse(&self, most: u32) -> Result<()> {
        let me = self.me();
        let reply = self.list_users(1, PER_PAGE).await?;
        let mut left = most.saturating_sub(1);
        let (looks, mut pages) = self.looks(&reply, me.range(1..=2).min(left))?;
        drop(reply);
        left -= looks.len() as u32;
        for look in looks {
            self.done(Pause::Look, look).await?;
        }
        // The more patient, the more pages.
        let goes_on = f64::from(0.3 * self.who().temper.patience()).min(0.6);
        let mut page = 2;
        while page <= pages.min(MOST_PAGES) && left > 0 && me.chance(goes_on) {
            left -= 1;
            // Many leaf no further than that; some find somebody there.
            if left == 0 || me.chance(0.5) {
                let call = self.listing_users(page, PER_PAGE);
                return self.done(Pause::Look, call).await;
            }
            let reply = self.list_users(page, PER_PAGE).await?;
            let looks;
            (looks, pages) = self.looks(&reply, 1)?;
            drop(reply);
            left -= looks.len() as u32;
            for look in looks {
                self.done(Pause::Look, look).await?;
            }
            page += 1;
        }
        Ok(())
    }

    /// Ways to look at some of those on a page who stay, and how many pages there are.
    fn looks(&self, reply: &Reply, wishes: u32) -> Result<(Vec<Call<'a>>, u32)> {
        let me = self.me();
        let Page { items, meta } = reply.json::<Page<Listed<'_>>>()?;
        me.check(
            "a page has no more people than there are",
            items.len() <= meta.total as usize,
        );
        let mut people = items;
        people.retain(|person| person.stays(me.run()));
        let picked = (0..wishes).filter_map(|_| me.pick(&people));
        let looks = picked.map(|person| self.looking_at(person)).collect();
        Ok((looks, meta.total_pages))
    }

    /// Opening one person, by one of the three ways.
    pub fn looking_at(&self, person: &Listed<'_>) -> Call<'a> {
        match self.me().range(0..3) {
            0 => self.call(routes::GET_USER).arg(&person.id),
            1 => self.call(routes::GET_USER_BY_EMAIL).arg(&person.email),
            _ => self
                .call(routes::GET_USER_BY_USERNAME)
                .arg(&person.username),
        }
    }

    /// A burst of searches for somebody: by the first name, then by the whole one, and a look at who is found. About as
    /// often as not there is nobody of that name.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn search_around(&self, most: u32) -> Result<()> {
        let me = self.me();
        let mut most = most;
        if me.chance(0.2) {
            self.search_account(Pause::Look).await?;
            if most >= 3 {
                self.search_account(Pause::Hurry).await?;
            }
            return Ok(());
        }
        let wanted = Wanted::of(self);
        let by = if me.chance(0.3) { "name" } else { "q" };
        self.skim(Pause::Look, &[(by, &wanted.first)]).await?;
        if most < 2 {
            return Ok(());
        }
        let whole = wanted.whole();
        if most >= 3 && me.chance(0.4) {
            // Typed half, and looked at already.
            let begun = wanted.begun(&whole);
            self.skim(Pause::Hurry, &[(by, begun)]).await?;
            most -= 1;
        }
        if !wanted.is_there {
            self.skim(Pause::Hurry, &[(by, &whole)]).await?;
            if most >= 3 && me.chance(0.5) {
                // Perhaps under the other name alone.
                self.skim(Pause::Hurry, &[(by, &wanted.last)]).await?;
            }
            return Ok(());
        }
        let call = self.searching(&[(by, &whole), ("per_page", "10")]);
        let reply = self.ask(Pause::Hurry, call.capture_body()).await?;
        let (looks, _) = self.looks(&reply, u32::from(most >= 3))?;
        drop(reply);
        for look in looks {
            self.done(Pause::Look, look).await?;
        }
        if most >= 4 && me.chance(0.4) {
            self.search_account(Pause::Hurry).await?;
        }
        Ok(())
    }

    /// A search by login name or address, for an account that is there: one's own, or those named like it.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn search_account(&self, pause: Pause) -> Result<()> {
        let me = self.me();
        let email = self.tokens().name();
        let is_own = email == me.user().email;
        let local = email.split('@').next().unwrap_or(email);
        let (field, text) = match me.range(0..3) {
            0 if is_own => ("username", me.user().username.as_str()),
            // All whose number begins like one's own.
            1 if is_own => ("username", shortened(&me.user().username)),
            2 => ("email", local),
            _ => ("email", email),
        };
        self.skim(pause, &[(field, text)]).await
    }

    /// A page of what is found, without a look at it.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn skim(&self, pause: Pause, filters: &[(&str, &str)]) -> Result<()> {
        let call = self.searching(filters).query("per_page", PER_PAGE);
        self.done(pause, call).await
    }

    /// Looks at the roles or permissions there are, or at one's own.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn look_at_rights(&self, own: &Id, most: u32) -> Result<()> {
        match self.me().range(0..3) {
            0 => self.look_at_roles(most).await,
            1 => self.look_at_permissions(most).await,
            _ => self.list_user_roles(own).await,
        }
    }

    /// Looks at the roles or permissions there are.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn look_at_rights_of_all(&self, most: u32) -> Result<()> {
        match self.me().range(0..3) {
            0 => self.look_at_roles(most).await,
            1 => self.look_at_permissions(most).await,
            _ if most >= 2 => self.skim_rights().await,
            _ => self.list_roles(1, PER_PAGE).await.map(drop),
        }
    }

    /// Looks at the roles there are, and at one of them.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn look_at_roles(&self, most: u32) -> Result<()> {
        let roles = self.list_roles(1, PER_PAGE).await?;
        match self.one_that_stays(roles.items) {
            Some(role) if most >= 2 => self.get_role(&role).await,
            _ => Ok(()),
        }
    }

    /// Looks at the permissions there are, and at one of them.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn look_at_permissions(&self, most: u32) -> Result<()> {
        let permissions = self.list_permissions(1, PER_PAGE).await?;
        match self.one_that_stays(permissions.items) {
            Some(permission) if most >= 2 => self.get_permission(&permission).await,
            _ => Ok(()),
        }
    }

    fn one_that_stays(&self, mut items: Vec<Named>) -> Option<Id> {
        items.retain(Named::stays);
        self.me().pick(&items).map(|item| item.id.clone())
    }
}

/// Whom somebody looks for.
#[derive(Debug)]
pub struct Wanted {
    /// First name, as one types it.
    pub first: String,
    last: String,
    /// As far as the virtual users go: whoever has come before is registered, unless they are administrators.
    pub is_there: bool,
}

impl Wanted {
    /// One of the users who came before, or somebody who never comes.
    #[must_use]
    pub fn of(client: &Client<'_>) -> Wanted {
        let me = client.me();
        let person = Person::of(me.range(0..=me.user().index));
        if me.chance(0.5) {
            return Wanted {
                first: person.first_name().to_lowercase(),
                last: person.last_name().to_lowercase(),
                is_there: true,
            };
        }
        let (first, last) = me.with_rng(|rng| unknown(rng, &person));
        Wanted {
            first: first.into(),
            last: last.into(),
            is_there: false,
        }
    }

    /// Of the whole name, the first one and the first letter of the last.
    fn begun<'a>(&self, whole: &'a str) -> &'a str {
        let first_letter = self.last.chars().next().map_or(0, char::len_utf8);
        &whole[..self.first.len() + 1 + first_letter]
    }

    /// Both names.
    #[must_use]
    pub fn whole(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// A login name without the last digit of its number, if it has more than one.
fn shortened(username: &str) -> &str {
    let short = username.get(..username.len().saturating_sub(1));
    match short {
        Some(short) if short.ends_with(|last: char| last.is_ascii_digit()) => short,
        _ => username,
    }
}
