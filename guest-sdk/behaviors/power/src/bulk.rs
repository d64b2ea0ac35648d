//! Bulk operations, in an administrator's session: a group of people is registered, renamed, locked, let in, given
//! new passwords and deleted, each in one batch. The journey calls it; a group never outlives its call.

use user_service_client::routes::{ACTIVATE_USER, DEACTIVATE_USER, DELETE_USER};
use user_service_client::{Client, Created, NewUser};
use vespeiro_guest::prelude::*;

pub(crate) struct Bulk<'a> {
    client: Client<'a>,
    named: u32,
}

impl<'a> Bulk<'a> {
    /// The administrator logs in with the first request.
    pub(crate) fn new(me: &'a Me, admin: &'a Tokens) -> Bulk<'a> {
        Bulk {
            client: Client::new(me, admin),
            named: 0,
        }
    }

    /// One group from the cradle to the grave.
    pub(crate) async fn once(&mut self) -> Result<()> {
        let me = self.client.me();
        let size = me.range(2..=4);
        if me.requests_left() < size * 6 {
            return Ok(()); // a group that is begun has to be ended
        }
        me.think_long().await;
        let group = (0..size).map(|_| self.next()).collect();
        let group = self.client.create_users(group).await?;
        me.think().await;
        let names: Vec<String> = group.iter().map(|_| me.fake_name()).collect();
        let renames = group
            .iter()
            .zip(&names)
            .map(|(user, name)| self.client.renaming(&user.id, name));
        self.client.all(renames.collect()).await?;
        self.each(&group, DEACTIVATE_USER).await?;
        self.each(&group, ACTIVATE_USER).await?;
        if me.ordinal() == 0 || me.chance(0.3) {
            let resets = group
                .iter()
                .map(|user| self.client.resetting(&user.id, "SimPass456!"));
            self.client.all(resets.collect()).await?;
        }
        self.each(&group, DELETE_USER).await?;
        for user in &group {
            me.unmark(&format!("user:{}", user.name));
        }
        Ok(())
    }

    async fn each(&self, group: &[Created], route: Route) -> Result<()> {
        self.client.me().think().await;
        let calls = group
            .iter()
            .map(|user| self.client.call(route).arg(&user.id));
        self.client.all(calls.collect()).await.map(drop)
    }

    fn next(&mut self) -> NewUser {
        self.named += 1;
        NewUser::made_up(self.client.me(), self.named)
    }
}
