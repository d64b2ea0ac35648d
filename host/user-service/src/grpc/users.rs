//! `users.v1.UserService`.

use axum::Router;
use futures_util::{Stream, stream};
use tonic::Status;

use super::call::{open, signed, streamed};
use super::messages::{
    ActivateUserRequest, ChangePasswordRequest, CreateUserRequest, DeactivateUserRequest,
    DeleteUserRequest, GetUserByEmailRequest, GetUserByUsernameRequest, GetUserRequest,
    ListUsersRequest, ResetPasswordRequest, SearchUsersRequest, UpdateUserRequest, User, UserEvent,
    UserList,
};
use super::value::{self, moment, timestamp};
use crate::app::App;
use crate::caller::Caller;
use crate::error::{Error, FieldMap};
use crate::events::{End, Listener};
use crate::hub::Kind;
use crate::page::Listing;
use crate::search::Wanted;
use crate::user_view::UserView;
use crate::users;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/users.v1.UserService/ListUsers", signed(list))
        .route("/users.v1.UserService/SearchUsers", signed(search))
        .route("/users.v1.UserService/GetUser", signed(by_id))
        .route("/users.v1.UserService/GetUserByEmail", signed(by_email))
        .route(
            "/users.v1.UserService/GetUserByUsername",
            signed(by_username),
        )
        .route("/users.v1.UserService/CreateUser", open(create))
        .route("/users.v1.UserService/UpdateUser", signed(update))
        .route("/users.v1.UserService/DeleteUser", signed(remove))
        .route("/users.v1.UserService/ActivateUser", signed(activate))
        .route("/users.v1.UserService/DeactivateUser", signed(deactivate))
        .route(
            "/users.v1.UserService/ChangePassword",
            signed(change_password),
        )
        .route(
            "/users.v1.UserService/ResetPassword",
            signed(reset_password),
        )
        .route("/users.v1.UserService/WatchUsers", streamed(watch))
}

fn list(app: &App, _: Caller, asked: ListUsersRequest) -> Result<UserList, Error> {
    let mut errors = FieldMap::new();
    let page = value::page(asked.page, &mut errors);
    let wanted = Wanted {
        active: asked.active,
        role: given(asked.role),
        ..Wanted::default()
    };
    app.users(wanted, page, errors, |users| Ok(users.into()))
}

fn search(app: &App, _: Caller, asked: SearchUsersRequest) -> Result<UserList, Error> {
    let mut errors = FieldMap::new();
    let page = value::page(asked.page, &mut errors);
    let wanted = Wanted {
        any: given(asked.q),
        username: given(asked.username),
        email: given(asked.email),
        name: given(asked.name),
        active: asked.active,
        role: given(asked.role),
        after: asked.created_after.map(timestamp),
        before: asked.created_before.map(timestamp),
        sort: given(asked.sort),
    };
    app.users(wanted, page, errors, |users| Ok(users.into()))
}

/// An empty text is as good as none.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn by_id(app: &App, _: Caller, asked: GetUserRequest) -> Result<User, Error> {
    app.user(|users| users.find(&asked.id), |user| Ok(user.into()))
}

fn by_email(app: &App, _: Caller, asked: GetUserByEmailRequest) -> Result<User, Error> {
    app.user(
        |users| users.find_by_email(&asked.email),
        |user| Ok(user.into()),
    )
}

fn by_username(app: &App, _: Caller, asked: GetUserByUsernameRequest) -> Result<User, Error> {
    app.user(
        |users| users.find_by_username(&asked.username),
        |user| Ok(user.into()),
    )
}

fn create(app: &App, asked: CreateUserRequest) -> Result<User, Error> {
    let given = users::Registration {
        username: asked.username,
        email: asked.email,
        password: asked.password,
        name: asked.name,
    };
    app.register(given, |user| Ok(user.into()))
}

fn update(app: &App, caller: Caller, asked: UpdateUserRequest) -> Result<User, Error> {
    let given = users::Update {
        username: asked.username,
        email: asked.email,
        name: asked.name,
    };
    app.update_user(caller, &asked.id, given, |user| Ok(user.into()))
}

fn remove(app: &App, caller: Caller, asked: DeleteUserRequest) -> Result<(), Error> {
    app.remove_user(caller, &asked.id)
}

fn activate(app: &App, caller: Caller, asked: ActivateUserRequest) -> Result<User, Error> {
    app.activate(caller, &asked.id, |user| Ok(user.into()))
}

fn deactivate(app: &App, caller: Caller, asked: DeactivateUserRequest) -> Result<User, Error> {
    app.deactivate(caller, &asked.id, |user| Ok(user.into()))
}

fn change_password(app: &App, caller: Caller, asked: ChangePasswordRequest) -> Result<(), Error> {
    let given = users::ChangePassword {
        current_password: asked.current_password,
        new_password: asked.new_password,
    };
    app.change_password(caller, &asked.id, given)
}

fn reset_password(app: &App, caller: Caller, asked: ResetPasswordRequest) -> Result<(), Error> {
    let given = users::ResetPassword {
        new_password: asked.new_password,
    };
    app.reset_password(caller, &asked.id, given)
}

fn watch(
    app: &App,
    caller: Caller,
    (): (),
) -> impl Stream<Item = Result<UserEvent, Status>> + Send + use<> {
    let listener = Listener::new(app.clone(), caller, Kind::Watches);
    // After a status there is nothing.
    stream::unfold(Some(listener), |listener| async move {
        let mut listener = listener?;
        let end = match listener.next().await {
            Ok(event) => {
                let event = UserEvent {
                    number: event.number,
                    r#type: event.name.into(),
                    id: event.id.to_string(),
                    username: event.username.clone(),
                    at: moment(event.at),
                };
                return Some((Ok(event), Some(listener)));
            }
            Err(End::Session) => Status::unauthenticated("the session has ended"),
            Err(End::Service) => Status::unavailable("the service stops"),
        };
        Some((Err(end), None))
    })
}

impl From<UserView<'_>> for User {
    fn from(user: UserView<'_>) -> Self {
        Self {
            id: user.id.to_string(),
            username: user.username.into(),
            email: user.email.into(),
            name: user.name.into(),
            active: user.active,
            roles: user.roles.into_iter().map(str::to_owned).collect(),
            created_at: moment(user.created_at),
            updated_at: moment(user.updated_at),
        }
    }
}

impl From<Listing<UserView<'_>>> for UserList {
    fn from(users: Listing<UserView<'_>>) -> Self {
        Self {
            users: users.data.into_iter().map(User::from).collect(),
            page: Some(users.meta.into()),
        }
    }
}
