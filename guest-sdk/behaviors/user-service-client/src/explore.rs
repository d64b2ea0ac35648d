//! Looking around, as every archetype does: browsing the directory, bursts of searches, looking at people, roles and
//! permissions. Looks only at what stays for the whole run, so that a healthy service has an answer to everything.

use vespeiro_guest::{Call, Result};

use crate::client::{Client, done};
use crate::model::{Id, Named, Page, Person};
use crate::routes;

impl<'a> Client<'a> {
    /// Opens a page of the directory and looks at one or two of the people on it.
    ///
    /// # Errors
    /// When the service refuses; so with all of these.
    pub async fn browse(&self) -> Result<()> {
        let me = self.me();
        let reply = self.list_users(me.range(1..=3), 10).await?;
        let looks: Vec<Call<'a>> = {
            let Page { items, meta } = reply.json::<Page<Person<'_>>>()?;
            me.check(
                "a page has no more people than there are",
                items.len() <= meta.total as usize,
            );
            let mut people = items;
            people.retain(|person| person.stays(me.run()));
            (0..me.range(1..=2))
                .filter_map(|_| me.pick(&people).map(|person| self.looking_at(person)))
                .collect()
        };
        drop(reply);
        for look in looks {
            me.think().await;
            done(look).await?;
        }
        Ok(())
    }

    /// Opening one person, by one of the three ways.
    pub fn looking_at(&self, person: &Person<'_>) -> Call<'a> {
        match self.me().range(0..3) {
            0 => self.call(routes::GET_USER).arg(&person.id),
            1 => self.call(routes::GET_USER_BY_EMAIL).arg(&person.email),
            _ => self
                .call(routes::GET_USER_BY_USERNAME)
                .arg(&person.username),
        }
    }

    /// A burst of quick searches, as someone does who does not know how it is spelled.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn search_around(&self) -> Result<()> {
        let me = self.me();
        for _ in 0..me.range(2..=5) {
            let word = me.fake_search();
            let field = match me.range(0..6) {
                0 => "username",
                1 => "name",
                2 => "email",
                _ => "q",
            };
            self.skim_users(&[(field, word), ("per_page", "10")])
                .await?;
            me.think_briefly().await;
        }
        Ok(())
    }

    /// Looks at the roles or permissions there are, and at one's own.
    ///
    /// # Errors
    /// As [`Client::browse`].
    pub async fn look_at_rights(&self, own: &Id) -> Result<()> {
        let me = self.me();
        match me.range(0..3) {
            0 => {
                let roles = self.list_roles(1, 10).await?;
                if let Some(role) = self.one_that_stays(roles.items) {
                    me.think().await;
                    self.get_role(&role).await?;
                }
            }
            1 => {
                let permissions = self.list_permissions(1, 10).await?;
                if let Some(permission) = self.one_that_stays(permissions.items) {
                    me.think().await;
                    self.get_permission(&permission).await?;
                }
            }
            _ => self.list_user_roles(own).await?,
        }
        Ok(())
    }

    fn one_that_stays(&self, mut items: Vec<Named>) -> Option<Id> {
        items.retain(Named::stays);
        self.me().pick(&items).map(|item| item.id.clone())
    }
}
