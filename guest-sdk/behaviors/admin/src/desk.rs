//! What lies on an administrator's desk: the users, roles and permissions that this session has created, and what is
//! done with them. The journey calls it; only what lies here is ever changed, and all of it goes before the session ends.

use user_service_client::{Client, Created, NewUser, Profile, numbered};
use vespeiro_guest::prelude::*;

#[derive(Default)]
pub(crate) struct Desk {
    users: Vec<Created>,
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

    fn number(&mut self) -> u32 {
        self.named += 1;
        self.named
    }

    /// Registers someone, and looks whether they are there.
    pub(crate) async fn take_in(&mut self, client: Client<'_>) -> Result<()> {
        let me = client.me();
        me.think_long().await;
        let number = self.number();
        let user = client.create_user(NewUser::made_up(me, number)).await?;
        let name = user.name.clone();
        self.users.push(user);
        client.get_user_by_username(&name).await
    }

    /// Registers several people at once.
    pub(crate) async fn take_in_several(&mut self, client: Client<'_>) -> Result<()> {
        let me = client.me();
        me.think_long().await;
        let several = (0..me.range(2..=4))
            .map(|_| NewUser::made_up(me, self.number()))
            .collect();
        self.users.extend(client.create_users(several).await?);
        Ok(())
    }

    /// Gives someone another name.
    pub(crate) async fn amend(&mut self, client: Client<'_>) -> Result<()> {
        let me = client.me();
        let user = self.someone(client).await?;
        client.get_user(&user.id).await?;
        me.think_long().await;
        client.rename_user(&user.id, &me.fake_name()).await
    }

    /// Writes someone's profile; it goes with them.
    pub(crate) async fn profiles(&mut self, client: Client<'_>) -> Result<()> {
        let me = client.me();
        let number = self.number();
        let user = client.create_user(NewUser::made_up(me, number)).await?;
        self.users.push(user.clone());
        client
            .create_profile(&user.id, &Profile::made_up(me))
            .await?;
        me.think_long().await;
        client.update_profile(&user.id, &Profile::made_up(me)).await
    }

    /// Locks someone out and lets them in again, with a new password.
    pub(crate) async fn lock(&mut self, client: Client<'_>) -> Result<()> {
        let me = client.me();
        let user = self.someone(client).await?;
        client.deactivate_user(&user.id).await?;
        me.think().await;
        client.activate_user(&user.id).await?;
        client.reset_password(&user.id, "SimPass456!").await
    }

    /// Makes a permission and a role that grants it, and describes both better.
    pub(crate) async fn rights(&mut self, client: Client<'_>) -> Result<()> {
        let me = client.me();
        me.think_long().await;
        let number = self.number();
        let permission = client
            .create_permission(numbered(me, "permission", number))
            .await?;
        self.permissions.push(permission.clone());
        let role = client
            .create_role(numbered(me, "role", number), &[&permission.name])
            .await?;
        self.roles.push(role.clone());
        let (granted, made) = join(
            client.get_permission(&permission.id),
            client.get_role(&role.id),
        )
        .await;
        granted?;
        made?;
        me.think_long().await;
        client
            .describe_permission(&permission.id, "lets a simulation pass")
            .await?;
        client
            .describe_role(&role.id, "those whom a simulation trusts")
            .await
    }

    /// Gives someone a role, looks, and takes it back.
    pub(crate) async fn assign(&mut self, client: Client<'_>) -> Result<()> {
        let me = client.me();
        if self.roles.is_empty() {
            self.rights(client).await?;
        }
        let user = self.someone(client).await?;
        let Some(role) = me.pick(&self.roles).cloned() else {
            return Ok(());
        };
        client.assign_role(&user.id, &role.id).await?;
        me.think().await;
        client.list_user_roles(&user.id).await?;
        me.think_briefly().await;
        client.revoke_role(&user.id, &role.id).await
    }

    /// Deletes everything, in batches.
    pub(crate) async fn clear(&mut self, client: Client<'_>) -> Result<()> {
        client.me().think().await;
        let users = std::mem::take(&mut self.users);
        all(join_all(users.iter().map(|user| client.delete_user(user))).await)?;
        let roles = std::mem::take(&mut self.roles);
        all(join_all(roles.iter().map(|role| client.delete_role(role))).await)?;
        let permissions = std::mem::take(&mut self.permissions);
        all(join_all(
            permissions
                .iter()
                .map(|permission| client.delete_permission(permission)),
        )
        .await)
    }

    async fn someone(&mut self, client: Client<'_>) -> Result<Created> {
        if self.users.is_empty() {
            self.take_in(client).await?;
        }
        let someone = client.me().pick(&self.users).cloned();
        someone.ok_or_else(|| Error::usage("there is no one on the desk"))
    }
}

/// Watches over the service: how many people, the newest, those locked out, the roles.
pub(crate) async fn watch(client: Client<'_>) -> Result<()> {
    let newest = [("sort", "-created_at"), ("per_page", "20")];
    let locked = [("active", "false"), ("per_page", "20")];
    let (people, (newest, locked)) = join(
        client.count_users(),
        join(client.skim_users(&newest), client.skim_users(&locked)),
    )
    .await;
    newest.and(locked)?;
    client.me().observe("users_total", f64::from(people?));
    client.me().think().await;
    client.skim_rights().await
}

fn all(results: Vec<Result<()>>) -> Result<()> {
    results.into_iter().collect()
}
