//! Bulk operations, in an administrator's session: a group of people is registered, their names are put right, once or
//! oftener, perhaps they are locked out, let in and given new passwords, and they are deleted, each in one batch. The journey
//! calls it; a group never outlives its call.

use user_service_client::routes::{ACTIVATE_USER, DEACTIVATE_USER};
use user_service_client::{Account, Client, Member, NewUser, Pause, maybe_err_twofold};
use vespeiro_guest::prelude::*;

/// The fewest of a group.
pub(crate) const FEWEST: u32 = 2;
/// How often their names are put right, at most.
const MOST_RENAMES: u32 = 4;
/// How far the mix is short of changes to users, in points, when names are put right more than twice.
const MUCH: f32 = 4.0;
/// Requests for each of them that nothing can be left out of: the registration, the deletion.
const EACH: u32 = 2;

/// The fewest requests that a group takes, the administrator's login and logout included.
pub(crate) const LEAST: u32 = FEWEST * EACH + 2;

pub(crate) struct Bulk<'a> {
    client: Client<'a>,
    named: u32,
}

impl<'a> Bulk<'a> {
    /// In the session of this client, which logs in when it is first needed.
    pub(crate) fn new(client: Client<'a>) -> Bulk<'a> {
        Bulk { client, named: 0 }
    }

    /// How many requests end the administrator's session.
    pub(crate) fn to_leave(&self) -> u32 {
        u32::from(self.client.tokens().is_logged_in())
    }

    /// Whether it fits into so many requests.
    pub(crate) fn fits(&self, most: u32) -> bool {
        most >= LEAST - 2 * self.to_leave()
    }

    /// One group from the cradle to the grave. `most` requests are to be enough for the logout, too, if nobody has been
    /// logged in. `locks`: they are locked out and let in again.
    pub(crate) async fn once(&mut self, most: u32, locks: bool) -> Result<()> {
        if !self.fits(most) {
            return Ok(()); // a group that is begun has to be ended
        }
        let (client, me) = (self.client, self.client.me());
        let mut most = most;
        if !client.tokens().is_logged_in() {
            client.log_in().await?;
            most -= 2;
        }
        // Who is created has to be deleted, and deletions are administrative.
        let largest = if client.who().has_room(me, "admin") {
            4
        } else {
            FEWEST
        };
        let size = me
            .range(FEWEST..=largest)
            .min(most / (EACH + 3))
            .max(FEWEST);
        let mut spare = most - size * EACH;
        let group = (0..size).map(|_| self.next()).collect();
        let mut group = client.create_users(group).await?;
        for time in 0..MOST_RENAMES {
            let has_time = spare >= size && !(time > 0 && locks);
            let likes = || match time {
                0 | 1 => client.who().does_more(me, "user-mutation"),
                _ => me.wanted("user-mutation") > MUCH,
            };
            if !has_time || !likes() {
                break;
            }
            spare -= size;
            self.rename(&mut group).await?;
        }
        if locks && spare >= 2 * size {
            spare -= 2 * size;
            self.each(&group, DEACTIVATE_USER).await?;
            self.each(&group, ACTIVATE_USER).await?;
            if spare >= size && me.chance(0.3) {
                let resets = group
                    .iter()
                    .map(|user| client.resetting(&user.account.id, "SimPass456!"));
                client.together(Pause::Form, resets.collect()).await?;
            }
        }
        client.delete_users(&group).await
    }

    /// Commits what the host asks for, as oneself or as the administrator.
    pub(crate) async fn maybe_err(&self, account: &Account, reserve: u32) -> Result<()> {
        let reserve = reserve + self.to_leave();
        maybe_err_twofold(self.client.me(), account, self.client, reserve).await
    }

    async fn rename(&self, group: &mut [Member]) -> Result<()> {
        let client = self.client;
        let names: Vec<String> = group.iter_mut().map(Member::another_name).collect();
        let renames = group.iter().zip(&names);
        let renames = renames.map(|(user, name)| client.renaming(&user.account.id, name));
        let renames = renames.collect();
        client.together(Pause::Form, renames).await.map(drop)
    }

    async fn each(&self, group: &[Member], route: Route) -> Result<()> {
        let calls = group
            .iter()
            .map(|user| self.client.call(route).arg(&user.account.id));
        let calls = calls.collect();
        self.client.together(Pause::Look, calls).await.map(drop)
    }

    fn next(&mut self) -> NewUser {
        self.named += 1;
        NewUser::made_up(self.client.me(), self.named)
    }
}
