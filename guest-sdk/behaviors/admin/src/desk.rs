//! What lies on an administrator's desk: the users, roles and permissions that this session has created, and what is
//! done with them. The journey calls it; only what lies here is ever changed, and all of it goes before the session ends.
//!
//! What must stay true: whoever asks for something says how many requests it may send at `most`; the deletions that it
//! makes necessary are among them.

use user_service_client::{Client, Created, Member, NewUser, Pause, Standing, numbered};
use vespeiro_guest::prelude::*;

/// The fewest requests of a user's life: registration and deletion.
const A_USER: u32 = 2;
/// The same for a permission and a role that grants it.
const RIGHTS: u32 = 4;

/// What administrators do to the things on their desks.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Chore {
    TakeIn,
    Batch,
    Amend,
    Profiles,
    Lock,
    Rights,
    Assign,
}

impl Chore {
    /// Whether it is for somebody who has little time: it is done to the one who is here, and makes nothing that has to go.
    pub(crate) fn is_quick(self) -> bool {
        matches!(self, Chore::Amend | Chore::Profiles)
    }
}

#[derive(Default)]
pub(crate) struct Desk {
    users: Vec<Member>,
    roles: Vec<Created>,
    permissions: Vec<Created>,
    /// How many things this session has named.
    named: u32,
}

impl Desk {
    /// How many requests it takes to clear it.
    pub(crate) fn size(&self) -> u32 {
        (self.users.len() + self.roles.len() + self.permissions.len()) as u32
    }

    /// What an administrator may err with.
    pub(crate) fn standing(&self) -> Standing<'_> {
        Standing::Admin {
            users: &self.users,
            roles: &self.roles,
            permissions: &self.permissions,
        }
    }

    /// Whether it is a time for this chore, if it fits into so many requests. Who is created has to be deleted, and deletions
    /// are administrative: where the mix has had enough of those, one user is enough for all that is done.
    pub(crate) fn is_time_for(&self, client: Client<'_>, chore: Chore, most: u32) -> bool {
        let creates = matches!(chore, Chore::TakeIn | Chore::Batch);
        let many = creates && !self.users.is_empty() || chore == Chore::Batch;
        let has_room = || client.who().has_room(client.me(), "admin");
        self.least(chore) <= most && (!many || has_room())
    }

    /// The fewest requests that a chore takes, with what it has to delete later.
    fn least(&self, chore: Chore) -> u32 {
        let someone = if self.users.is_empty() { A_USER } else { 0 };
        match chore {
            Chore::TakeIn => A_USER,
            Chore::Batch => 2 * A_USER,
            Chore::Amend => someone + 1,
            Chore::Profiles => someone + 2,
            Chore::Lock => someone + 3,
            Chore::Rights => RIGHTS,
            Chore::Assign => someone + 3 + if self.roles.is_empty() { RIGHTS } else { 0 },
        }
    }

    /// Does a chore; there have to be enough requests for it.
    pub(crate) async fn see_to(
        &mut self,
        client: Client<'_>,
        chore: Chore,
        most: u32,
    ) -> Result<()> {
        match chore {
            Chore::TakeIn => self.take_in(client, most).await.map(drop),
            Chore::Batch => self.take_in_several(client, most).await,
            Chore::Amend => self.amend(client, most).await,
            Chore::Profiles => self.profiles(client, most).await,
            Chore::Lock => self.lock(client, most).await,
            Chore::Rights => self.rights(client, most).await,
            Chore::Assign => self.assign(client, most).await,
        }
    }

    /// Whoever was taken in has their name put right, is locked out and let in again, gets a profile, and goes: what of it
    /// can be left out goes by the plan's mix.
    pub(crate) async fn end_life(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let (me, who) = (client.me(), client.who());
        if self.users.iter().all(|user| user.renamed == 0) {
            self.amend(client, 1).await?;
        }
        let mut spare = most.saturating_sub(A_USER);
        if spare >= 3 && who.has_room(me, "admin") {
            self.lock(client, 3).await?;
            spare -= 3;
        }
        while spare >= 2 && who.does_more(me, "profile") {
            self.profiles(client, 2).await?;
            spare -= 2;
        }
        self.clear_users(client).await
    }

    /// All who are here go.
    pub(crate) async fn clear_users(&mut self, client: Client<'_>) -> Result<()> {
        let users = std::mem::take(&mut self.users);
        client.delete_users(&users).await
    }

    /// Permissions and roles come, are looked at and described, given to somebody and taken back, and go.
    pub(crate) async fn all_of_rights(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let (me, who) = (client.me(), client.who());
        let lean = if who.has_room(me, "role-permission") {
            most
        } else {
            RIGHTS
        };
        self.rights(client, lean).await?;
        if most >= 13 && who.has_room(me, "admin") {
            self.assign(client, most - 8).await?;
        }
        self.clear_rights(client).await
    }

    fn number(&mut self) -> u32 {
        self.named += 1;
        self.named
    }

    /// Registers someone, and looks whether they are there. Where they lie on the desk.
    async fn take_in(&mut self, client: Client<'_>, most: u32) -> Result<usize> {
        let number = self.number();
        let user = NewUser::made_up(client.me(), number);
        let user = client.create_user(user).await?;
        let name = user.account.name.clone();
        self.users.push(user);
        if most > A_USER {
            client.get_user_by_username(&name).await?;
        }
        Ok(self.users.len() - 1)
    }

    /// Registers several people at once.
    async fn take_in_several(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let me = client.me();
        let largest = if client.who().has_room(me, "admin") {
            4
        } else {
            2
        };
        let several = me.range(2..=largest).min(most / A_USER);
        let several = (0..several)
            .map(|_| NewUser::made_up(me, self.number()))
            .collect();
        self.users.extend(client.create_users(several).await?);
        Ok(())
    }

    /// Writes someone's name in another way, after a look at them where the mix has room for that.
    async fn amend(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let (at, most) = self.someone(client, most).await?;
        let user = &mut self.users[at];
        let name = user.another_name();
        let id = user.account.id.clone();
        if most >= 2 && client.who().has_room(client.me(), "user-query") {
            client.get_user(&id).await?;
        }
        client.rename_user(&id, &name).await
    }

    /// Writes someone's profile, or looks at it and changes a field or two; it goes with them.
    async fn profiles(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let (at, mut most) = self.someone(client, most).await?;
        let user = &self.users[at];
        let (id, person) = (user.account.id.clone(), user.person);
        if user.has_profile {
            client.open_profile(&id).await?;
        } else {
            client.create_profile(&id, &person.profile()).await?;
            self.users[at].has_profile = true;
        }
        most -= 1;
        if most > 0 {
            let edit = client.me().with_rng(|rng| person.edit(rng));
            client.edit_profile(&id, &edit).await?;
        }
        Ok(())
    }

    /// Locks someone out and lets them in again, with a new password.
    async fn lock(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let (at, _) = self.someone(client, most).await?;
        let id = self.users[at].account.id.clone();
        client.deactivate_user(&id).await?;
        client.activate_user(&id).await?;
        client.reset_password(&id, "SimPass456!").await
    }

    /// Makes a permission and a role that grants it, looks at them, and describes both better.
    async fn rights(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let me = client.me();
        let number = self.number();
        let permission = client
            .create_permission(numbered(me, "permission", number))
            .await?;
        self.permissions.push(permission.clone());
        let role = client
            .create_role(numbered(me, "role", number), &[&permission.name])
            .await?;
        self.roles.push(role.clone());
        if most >= RIGHTS + 2 {
            client.compare(&role.id, &permission.id).await?;
        }
        if most >= RIGHTS + 4 {
            client
                .describe_permission(&permission.id, "lets a simulation pass")
                .await?;
            client
                .describe_role(&role.id, "those whom a simulation trusts")
                .await?;
        }
        Ok(())
    }

    /// Gives someone a role, looks, and takes it back.
    async fn assign(&mut self, client: Client<'_>, most: u32) -> Result<()> {
        let mut most = most;
        if self.roles.is_empty() {
            self.rights(client, RIGHTS).await?;
            most -= RIGHTS;
        }
        let (at, _) = self.someone(client, most).await?;
        let user = self.users[at].account.id.clone();
        let Some(role) = client.me().pick(&self.roles).cloned() else {
            return Ok(());
        };
        client.assign_role(&user, &role.id).await?;
        client.list_user_roles(&user).await?;
        client.revoke_role(&user, &role.id).await
    }

    /// Deletes everything, in batches.
    pub(crate) async fn clear(&mut self, client: Client<'_>) -> Result<()> {
        self.clear_users(client).await?;
        self.clear_rights(client).await
    }

    async fn clear_rights(&mut self, client: Client<'_>) -> Result<()> {
        let roles = std::mem::take(&mut self.roles);
        client.delete_roles(&roles).await?;
        let permissions = std::mem::take(&mut self.permissions);
        client.delete_permissions(&permissions).await
    }

    /// The one on the desk whose name has been touched least, and what is left of `most`; somebody is taken in if there is
    /// nobody.
    async fn someone(&mut self, client: Client<'_>, most: u32) -> Result<(usize, u32)> {
        if self.users.is_empty() {
            let at = self.take_in(client, A_USER).await?;
            return Ok((at, most - A_USER));
        }
        let numbered = self.users.iter().enumerate();
        let least = numbered.min_by_key(|(_, user)| user.renamed);
        Ok((least.map_or(0, |(at, _)| at), most))
    }
}

/// Watches over the service: how many people, the newest, those locked out, the roles and permissions.
pub(crate) async fn watch(client: Client<'_>, most: u32) -> Result<()> {
    // How many there are is all that is read of it.
    let mut calls = vec![client.listing_users(1, 1).capture_body()];
    if most >= 3 {
        calls.push(client.searching(&[("sort", "-created_at"), ("per_page", "20")]));
        calls.push(client.searching(&[("active", "false"), ("per_page", "20")]));
    }
    let replies = client.together(Pause::Look, calls).await?;
    if let Some(first) = replies.first() {
        let people: user_service_client::Extent = first.json()?;
        client
            .me()
            .observe("users_total", f64::from(people.meta.total));
    }
    drop(replies);
    if most >= 5 && client.who().has_room(client.me(), "role-permission") {
        client.skim_rights().await?;
    }
    Ok(())
}
