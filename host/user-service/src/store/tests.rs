//! The store's invariant under any sequence of changes: links agree in both directions and counts agree with what
//! is there.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Change {
    AddUser(u8),
    RenameUser(usize, u8),
    RemoveUser(usize),
    AddRole(u8),
    RemoveRole(usize),
    AddPermission(u8),
    RemovePermission(usize),
    Grant(usize, Vec<usize>),
    Assign(usize, usize),
    Unassign(usize, usize),
    Profile(usize, bool),
    Activate(usize, bool),
    Login(usize),
}

fn change() -> impl Strategy<Value = Change> {
    use Change::*;
    let pick = || 0..8usize;
    prop_oneof![
        (0..12u8).prop_map(AddUser),
        (pick(), 0..12u8).prop_map(|(at, name)| RenameUser(at, name)),
        pick().prop_map(RemoveUser),
        (0..12u8).prop_map(AddRole),
        pick().prop_map(RemoveRole),
        (0..12u8).prop_map(AddPermission),
        pick().prop_map(RemovePermission),
        (pick(), prop::collection::vec(pick(), 0..4))
            .prop_map(|(role, granted)| Grant(role, granted)),
        (pick(), pick()).prop_map(|(user, role)| Assign(user, role)),
        (pick(), pick()).prop_map(|(user, role)| Unassign(user, role)),
        (pick(), any::<bool>()).prop_map(|(user, there)| Profile(user, there)),
        (pick(), any::<bool>()).prop_map(|(user, active)| Activate(user, active)),
        pick().prop_map(Login),
    ]
}

fn apply(store: &mut Store, change: Change) {
    let now = Timestamp(1);
    let user = |store: &Store, at: usize| store.users.iter().nth(at).map(|user| user.key);
    let role = |store: &Store, at: usize| store.roles.iter().nth(at).map(|role| role.key);
    let permission = |store: &Store, at: usize| store.permissions.iter().nth(at).map(|row| row.key);
    match change {
        Change::AddUser(n) => {
            let (name, email) = (format!("User{n}"), format!("u{n}@x.test"));
            let _ = store
                .users
                .insert(&name, &email, "x", Password::new("x"), now);
        }
        Change::RenameUser(at, n) => {
            if let Some(key) = user(store, at) {
                let _ = store
                    .users
                    .update(key, Some(format!("USER{n}")), None, None, now);
            }
        }
        Change::RemoveUser(at) => user(store, at)
            .into_iter()
            .for_each(|key| store.remove_user(key)),
        Change::AddRole(n) => drop(store.roles.insert(&format!("r{n}"), None, now)),
        Change::RemoveRole(at) => role(store, at)
            .into_iter()
            .for_each(|key| store.remove_role(key)),
        Change::AddPermission(n) => drop(store.permissions.insert(&format!("p{n}"), None, now)),
        Change::RemovePermission(at) => {
            permission(store, at)
                .into_iter()
                .for_each(|key| store.remove_permission(key));
        }
        Change::Grant(at, granted) => {
            let granted = granted
                .into_iter()
                .filter_map(|at| permission(store, at))
                .collect();
            if let Some(key) = role(store, at) {
                store.grant(key, granted);
            }
        }
        Change::Assign(at, to) => {
            if let (Some(user), Some(role)) = (user(store, at), role(store, to)) {
                store.assign(user, role);
            }
        }
        Change::Unassign(at, from) => {
            if let (Some(user), Some(role)) = (user(store, at), role(store, from)) {
                store.unassign(user, role);
            }
        }
        Change::Profile(at, there) => {
            let profile = there.then_some(users::Profile {
                bio: None,
                phone: None,
                location: None,
                website: None,
                birth_date: None,
                created_at: now,
                updated_at: now,
            });
            if let Some(key) = user(store, at) {
                store.users.set_profile(key, profile);
            }
        }
        Change::Activate(at, active) => {
            if let Some(key) = user(store, at) {
                store.users.set_active(key, active, now);
            }
        }
        Change::Login(at) => {
            if let Some(key) = user(store, at) {
                store.sessions.begin(key, now, Timestamp(100));
            }
        }
    }
}

proptest! {
    #[test]
    fn links_and_counts_agree_after_any_changes(changes in prop::collection::vec(change(), 0..120)) {
        let mut store = Store::seeded(&Config::default(), Timestamp(0));
        for change in changes {
            apply(&mut store, change);
        }
        let (mut assignments, mut profiles) = (0, 0);
        for user in store.users.iter() {
            prop_assert_eq!(user.active, !store.users.inactive().contains(&user.key));
            assignments += user.roles.len();
            profiles += usize::from(user.profile.is_some());
            for role in &user.roles {
                prop_assert!(store.roles.get(*role).is_some_and(|role| role.links.members.contains(&user.key)));
            }
            prop_assert_eq!(store.users.find(&user.id.to_string()).unwrap().key, user.key);
            prop_assert_eq!(store.users.find_by_email(&user.email).unwrap().key, user.key);
            prop_assert_eq!(store.users.find_by_username(&user.username).unwrap().key, user.key);
        }
        prop_assert_eq!(assignments, store.users.assignments());
        prop_assert_eq!(profiles, store.users.profiles());
        prop_assert_eq!(assignments, store.roles.iter().map(|role| role.links.members.len()).sum::<usize>());
        for role in store.roles.iter() {
            for right in &role.links.grants {
                prop_assert!(store.permissions.get(*right).is_some_and(|row| row.links.holders.contains(&role.key)));
            }
        }
        let granted = store.roles.iter().map(|role| role.links.grants.len()).sum::<usize>();
        prop_assert_eq!(granted, store.permissions.iter().map(|row| row.links.holders.len()).sum::<usize>());
        let users: Vec<_> = store.users.iter().map(|user| user.key).collect();
        users.into_iter().for_each(|key| store.remove_user(key));
        prop_assert_eq!((store.sessions.len(), store.users.inactive().len()), (0, 0));
        prop_assert_eq!((store.users.assignments(), store.users.profiles()), (0, 0));
    }
}
