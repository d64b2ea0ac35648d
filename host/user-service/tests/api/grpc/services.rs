//! What the five services do: the state is that of REST.

use serde_json::json;
use tonic::Code;
use user_service::Config;

use super::*;

#[tokio::test]
async fn a_session_lives_as_over_rest() {
    let client = Client::new(Config::default());
    let anyone = Caller::of(&client);
    let user = anyone.register("wasp").await;
    let tokens: Tokens = anyone
        .call("AuthService/Login", login("WASP", "Secret123"))
        .await
        .unwrap();
    assert_eq!(
        (tokens.token_type.as_str(), tokens.expires_in, &tokens.user),
        ("Bearer", 900, &Some(user.clone()))
    );
    let by_email = LoginRequest {
        email: Some(user.email.clone()),
        username: None,
        ..login("", "Secret123")
    };
    let _: Tokens = anyone.call("AuthService/Login", by_email).await.unwrap();
    let me = anyone.with("authorization", &format!("bearer {}", tokens.access_token));
    assert_eq!(me.call::<User>("AuthService/Me", ()).await.unwrap(), user);
    let refresh = RefreshRequest {
        refresh_token: Some(tokens.refresh_token),
    };
    let renewed: Tokens = anyone.call("AuthService/Refresh", refresh).await.unwrap();
    // A token is good at either interface, and void at both once its session is over.
    let over_rest = client.with_token(&renewed.access_token);
    let seen = over_rest.post("/api/v1/auth/me", json!({})).await.is(200);
    assert_eq!(seen.id(), user.id);
    me.call::<()>("AuthService/Logout", ()).await.unwrap();
    let ended = me.call::<User>("AuthService/Me", ()).await.unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated);
    over_rest.post("/api/v1/auth/me", json!({})).await.is(401);
}

#[tokio::test]
async fn users_are_those_of_rest() {
    let client = Client::new(Config::default());
    let anyone = Caller::of(&client);
    let (user, other) = (anyone.register("wasp").await, anyone.register("bee").await);
    let admin = anyone.admin().await;
    let rest = client.admin().await;
    let seen = rest
        .get(&format!("/api/v1/users/{}", user.id))
        .await
        .is(200);
    assert_eq!(seen.text("/data/email"), user.email);
    let created = user.created_at.unwrap();
    let shown = seen.text("/data/created_at");
    assert!(
        shown.ends_with(&format!(".{:06}Z", created.nanos / 1000)),
        "{shown}"
    );
    let email = GetUserByEmailRequest {
        email: user.email.to_uppercase(),
    };
    let username = GetUserByUsernameRequest {
        username: "Wasp".into(),
    };
    assert_eq!(
        admin
            .call::<User>("UserService/GetUser", get(&user.id))
            .await
            .unwrap(),
        user
    );
    assert_eq!(
        admin
            .call::<User>("UserService/GetUserByEmail", email)
            .await
            .unwrap(),
        user
    );
    assert_eq!(
        admin
            .call::<User>("UserService/GetUserByUsername", username)
            .await
            .unwrap(),
        user
    );
    let page = PageRequest {
        page: Some(2),
        per_page: Some(2),
    };
    let list = ListUsersRequest {
        page: Some(page),
        ..Default::default()
    };
    let listed: UserList = admin.call("UserService/ListUsers", list).await.unwrap();
    assert_eq!(listed.users, std::slice::from_ref(&other));
    let told = Page {
        page: 2,
        per_page: 2,
        total: 3,
        total_pages: 2,
    };
    assert_eq!(listed.page, Some(told));
    let search = SearchUsersRequest {
        q: Some("EXAMPLE".into()),
        username: Some(String::new()),
        created_after: user.created_at,
        sort: Some("-username".into()),
        ..Default::default()
    };
    let found: UserList = admin.call("UserService/SearchUsers", search).await.unwrap();
    assert_eq!(found.users, [other], "only who came after the wasp");
    let change = UpdateUserRequest {
        id: user.id.clone(),
        name: Some("Other".into()),
        ..Default::default()
    };
    let me = anyone.signed_in("wasp", "Secret123").await;
    let changed: User = me.call("UserService/UpdateUser", change).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), &changed.email),
        ("Other", &user.email)
    );
    let password = ChangePasswordRequest {
        id: user.id.clone(),
        current_password: Some("Secret123".into()),
        new_password: Some("Secret456".into()),
    };
    me.call::<()>("UserService/ChangePassword", password)
        .await
        .unwrap();
    client.login("wasp", "Secret456").await.is(200);
    let reset = ResetPasswordRequest {
        id: user.id.clone(),
        new_password: Some("Secret789".into()),
    };
    admin
        .call::<()>("UserService/ResetPassword", reset)
        .await
        .unwrap();
    client.login("wasp", "Secret789").await.is(200);
    let id = || user.id.clone();
    let off: User = admin
        .call(
            "UserService/DeactivateUser",
            DeactivateUserRequest { id: id() },
        )
        .await
        .unwrap();
    assert!(!off.active);
    client.login("wasp", "Secret789").await.is(403);
    let on: User = admin
        .call("UserService/ActivateUser", ActivateUserRequest { id: id() })
        .await
        .unwrap();
    assert!(on.active);
    admin
        .call::<()>("UserService/DeleteUser", DeleteUserRequest { id: id() })
        .await
        .unwrap();
    rest.get(&format!("/api/v1/users/{}", user.id))
        .await
        .is(404);
}

#[tokio::test]
async fn profiles_roles_and_permissions_are_those_of_rest() {
    let client = Client::new(Config::default());
    let anyone = Caller::of(&client);
    let user = anyone.register("wasp").await;
    let me = anyone.signed_in("wasp", "Secret123").await;
    let fields = |bio: Option<&str>, phone: Option<&str>| ProfileFields {
        user_id: user.id.clone(),
        bio: bio.map(str::to_owned),
        phone: phone.map(str::to_owned),
        ..Default::default()
    };
    let made: Profile = me
        .call("ProfileService/CreateProfile", fields(Some("x"), Some("1")))
        .await
        .unwrap();
    assert_eq!(
        (made.bio.as_deref(), made.phone.as_deref(), made.website),
        (Some("x"), Some("1"), None)
    );
    let changed: Profile = me
        .call("ProfileService/UpdateProfile", fields(Some(""), None))
        .await
        .unwrap();
    assert_eq!(
        (changed.bio, changed.phone.as_deref()),
        (None, Some("1")),
        "the empty text clears, absence keeps"
    );
    let of_user = GetProfileRequest {
        user_id: user.id.clone(),
    };
    let seen: Profile = me.call("ProfileService/GetProfile", of_user).await.unwrap();
    assert_eq!(seen.phone.as_deref(), Some("1"));
    me.call::<()>(
        "ProfileService/DeleteProfile",
        DeleteProfileRequest {
            user_id: user.id.clone(),
        },
    )
    .await
    .unwrap();
    assert_eq!(client.metric("user_service_profiles").await, 0);

    let admin = anyone.admin().await;
    let permission = CreatePermissionRequest {
        name: Some("nests.build".into()),
        description: Some("d".into()),
    };
    let permission: Permission = admin
        .call("PermissionService/CreatePermission", permission)
        .await
        .unwrap();
    let change = UpdatePermissionRequest {
        id: permission.id.clone(),
        name: None,
        description: Some(String::new()),
    };
    let permission: Permission = admin
        .call("PermissionService/UpdatePermission", change)
        .await
        .unwrap();
    assert_eq!(
        (permission.name.as_str(), &permission.description),
        ("nests.build", &None)
    );
    let listed: PermissionList = me
        .call("PermissionService/ListPermissions", PageRequest::default())
        .await
        .unwrap();
    assert_eq!(
        (listed.permissions.len(), listed.permissions.last()),
        (4, Some(&permission))
    );
    let role = CreateRoleRequest {
        name: Some("builder".into()),
        description: None,
        permissions: vec![permission.id.clone(), "users.manage".into()],
    };
    let role: Role = admin.call("RoleService/CreateRole", role).await.unwrap();
    assert_eq!(role.permissions, ["users.manage", "nests.build"]);
    let keep = UpdateRoleRequest {
        id: role.id.clone(),
        name: Some("mason".into()),
        ..Default::default()
    };
    let kept: Role = admin.call("RoleService/UpdateRole", keep).await.unwrap();
    assert_eq!((kept.name.as_str(), kept.permissions.len()), ("mason", 2));
    let strip = UpdateRoleRequest {
        id: role.id.clone(),
        permissions: Some(PermissionSet::default()),
        ..Default::default()
    };
    let stripped: Role = admin.call("RoleService/UpdateRole", strip).await.unwrap();
    assert!(stripped.permissions.is_empty());
    let pair = || RoleAssignment {
        user_id: user.id.clone(),
        role_id: role.id.clone(),
    };
    let given: Role = admin.call("RoleService/AssignRole", pair()).await.unwrap();
    assert_eq!(given, stripped);
    let of_user = || ListUserRolesRequest {
        user_id: user.id.clone(),
        page: None,
    };
    let roles: RoleList = me
        .call("RoleService/ListUserRoles", of_user())
        .await
        .unwrap();
    assert_eq!(roles.roles, std::slice::from_ref(&stripped));
    let again = admin
        .call::<Role>("RoleService/AssignRole", pair())
        .await
        .unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    admin
        .call::<()>("RoleService/RevokeRole", pair())
        .await
        .unwrap();
    let roles: RoleList = me
        .call("RoleService/ListUserRoles", of_user())
        .await
        .unwrap();
    assert_eq!(roles.page.unwrap().total, 0);
    let seen: Role = me
        .call(
            "RoleService/GetRole",
            GetRoleRequest {
                id: role.id.clone(),
            },
        )
        .await
        .unwrap();
    assert_eq!(seen, stripped);
    let listed: RoleList = me
        .call("RoleService/ListRoles", PageRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.roles.len(), 2);
    admin
        .call::<()>(
            "RoleService/DeleteRole",
            DeleteRoleRequest {
                id: role.id.clone(),
            },
        )
        .await
        .unwrap();
    let id = permission.id;
    let seen = GetPermissionRequest { id: id.clone() };
    let seen: Permission = me
        .call("PermissionService/GetPermission", seen)
        .await
        .unwrap();
    assert_eq!(seen.name, "nests.build");
    admin
        .call::<()>(
            "PermissionService/DeletePermission",
            DeletePermissionRequest { id },
        )
        .await
        .unwrap();
    let left = [("roles", 1), ("permissions", 3), ("role_assignments", 1)];
    for (gauge, value) in left {
        assert_eq!(
            client.metric(&format!("user_service_{gauge}")).await,
            value,
            "{gauge}"
        );
    }
}

/// The services that reflection of this version tells of.
macro_rules! told {
    ($version:ident, $caller:expr) => {{
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
        use tonic_reflection::pb::$version::{ServerReflectionRequest, ServerReflectionResponse};
        let asked = ServerReflectionRequest {
            message_request: Some(MessageRequest::ListServices(String::new())),
            ..Default::default()
        };
        let path = concat!(
            "/grpc.reflection.",
            stringify!($version),
            ".ServerReflection/ServerReflectionInfo"
        );
        let mut grpc = $caller.grpc.clone();
        grpc.ready().await.unwrap();
        let codec = ProstCodec::<_, ServerReflectionResponse>::default();
        let asked = tonic::Request::new(futures_util::stream::iter([asked]));
        let answers = grpc
            .streaming(asked, PathAndQuery::from_static(path), codec)
            .await;
        let mut answers = answers.unwrap().into_inner();
        let Some(MessageResponse::ListServicesResponse(list)) =
            answers.message().await.unwrap().unwrap().message_response
        else {
            panic!("no list")
        };
        assert!(answers.message().await.unwrap().is_none());
        let names: Vec<String> = list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect();
        (path, names)
    }};
}

#[tokio::test]
async fn reflection_of_both_versions_tells_of_the_five_services() {
    let client = Client::new(Config::default());
    let anyone = Caller::of(&client);
    for (path, mut names) in [told!(v1, anyone), told!(v1alpha, anyone)] {
        names.sort_unstable();
        let ours = ["Auth", "Permission", "Profile", "Role", "User"];
        assert_eq!(
            names[1..],
            ours.map(|name| format!("users.v1.{name}Service"))
        );
        let series = format!(
            "user_service_requests_total{{method=\"POST\",route=\"{path}\",status=\"OK\"}}"
        );
        assert_eq!(client.metric(&series).await, 1);
    }
}
