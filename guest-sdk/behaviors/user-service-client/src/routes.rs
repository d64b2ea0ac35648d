//! Every endpoint of the user service, with the category its requests count for. Behaviors declare the ones they use.

use vespeiro_guest::{Auth, Route};

const AUTH_CATEGORY: &str = "auth";
const QUERY: &str = "user-query";
const MUTATION: &str = "user-mutation";
const PROFILE: &str = "profile";
const ROLES: &str = "role-permission";
const ADMIN: &str = "admin";

macro_rules! routes {
    ($($(#[$doc:meta])* $name:ident = $method:ident $path:literal $category:ident $($kind:ident)?;)*) => {
        $($(#[$doc])* pub const $name: Route = Route::$method($path, $category)$(.$kind())?;)*

        /// All of them.
        pub const ALL: &[Route] = &[$($name),*];
    };
}

routes! {
    /// Tokens for a name and a password.
    LOGIN = post "/api/v1/auth/login" AUTH_CATEGORY login;
    /// The end of a token.
    LOGOUT = post "/api/v1/auth/logout" AUTH_CATEGORY logout;
    /// New tokens for a refresh token.
    REFRESH = post "/api/v1/auth/refresh" AUTH_CATEGORY refresh;
    /// Who the token belongs to.
    WHOAMI = post "/api/v1/auth/me" AUTH_CATEGORY;
    /// A page of users.
    LIST_USERS = get "/api/v1/users" QUERY;
    /// A page of users that match.
    SEARCH_USERS = get "/api/v1/users/search" QUERY;
    /// A user.
    GET_USER = get "/api/v1/users/{id}" QUERY;
    /// A user by e-mail address.
    GET_USER_BY_EMAIL = get "/api/v1/users/email/{email}" QUERY;
    /// A user by login name.
    GET_USER_BY_USERNAME = get "/api/v1/users/username/{username}" QUERY;
    /// Registration; open to anyone.
    CREATE_USER = post "/api/v1/users" MUTATION;
    /// Change a user; one's own, or as administrator.
    UPDATE_USER = put "/api/v1/users/{id}" MUTATION;
    /// Delete a user, as administrator.
    DELETE_USER = delete "/api/v1/users/{id}" ADMIN;
    /// Let a user in, as administrator.
    ACTIVATE_USER = put "/api/v1/users/{id}/activate" ADMIN;
    /// Lock a user out, as administrator.
    DEACTIVATE_USER = put "/api/v1/users/{id}/deactivate" ADMIN;
    /// Change one's own password.
    CHANGE_PASSWORD = put "/api/v1/users/{id}/change-password" MUTATION;
    /// Set a user's password, as administrator.
    RESET_PASSWORD = put "/api/v1/users/{id}/reset-password" ADMIN;
    /// Give a user a profile.
    CREATE_PROFILE = post "/api/v1/users/{userId}/profile" PROFILE;
    /// A user's profile.
    GET_PROFILE = get "/api/v1/users/{userId}/profile" PROFILE;
    /// Change a profile.
    UPDATE_PROFILE = put "/api/v1/users/{userId}/profile" PROFILE;
    /// Remove a profile.
    DELETE_PROFILE = delete "/api/v1/users/{userId}/profile" PROFILE;
    /// A page of roles.
    LIST_ROLES = get "/api/v1/roles" ROLES;
    /// Make a role, as administrator.
    CREATE_ROLE = post "/api/v1/roles" ROLES;
    /// A role.
    GET_ROLE = get "/api/v1/roles/{id}" ROLES;
    /// Change a role, as administrator.
    UPDATE_ROLE = put "/api/v1/roles/{id}" ROLES;
    /// Delete a role, as administrator.
    DELETE_ROLE = delete "/api/v1/roles/{id}" ROLES;
    /// A page of permissions.
    LIST_PERMISSIONS = get "/api/v1/permissions" ROLES;
    /// Make a permission, as administrator.
    CREATE_PERMISSION = post "/api/v1/permissions" ROLES;
    /// A permission.
    GET_PERMISSION = get "/api/v1/permissions/{id}" ROLES;
    /// Change a permission, as administrator.
    UPDATE_PERMISSION = put "/api/v1/permissions/{id}" ROLES;
    /// Delete a permission, as administrator.
    DELETE_PERMISSION = delete "/api/v1/permissions/{id}" ROLES;
    /// The roles of a user.
    LIST_USER_ROLES = get "/api/v1/users/{userId}/roles" ROLES;
    /// Give a user a role, as administrator.
    ASSIGN_ROLE = post "/api/v1/users/{userId}/roles/{roleId}" ADMIN;
    /// Take a role from a user, as administrator.
    REVOKE_ROLE = delete "/api/v1/users/{userId}/roles/{roleId}" ADMIN;
}

/// How the service hands out tokens.
pub static AUTH: Auth = Auth::new(LOGIN).refresh(REFRESH).logout(LOGOUT);
