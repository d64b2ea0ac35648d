//! Someone who logs in, looks around and changes their own name. `./build` makes a module of it.

use serde::Deserialize;
use serde_json::json;
use vespeiro_guest::prelude::*;

const LOGIN: Route = Route::post("/api/v1/auth/login", "auth").login();
const REFRESH: Route = Route::post("/api/v1/auth/refresh", "auth").refresh();
const LOGOUT: Route = Route::post("/api/v1/auth/logout", "auth").logout();
const LIST: Route = Route::get("/api/v1/users", "user-query");
const READ: Route = Route::get("/api/v1/users/{id}", "user-query");
const REGISTER: Route = Route::post("/api/v1/users", "user-mutation");
const EDIT: Route = Route::put("/api/v1/users/{id}", "user-mutation");
const ROLES: Route = Route::get("/api/v1/users/{userId}/roles", "role-permission");

static AUTH: Auth = Auth::new(LOGIN).refresh(REFRESH).logout(LOGOUT);

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Login {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    name: Option<String>,
}

async fn journey(me: &mut Me) -> Result<()> {
    let user = me.user();
    if me.ordinal() == 0 {
        me.think_long().await;
        let body = json!({ "username": user.username, "email": user.email, "password": user.password, "name": user.name });
        let mark = format!("user:{}", user.username);
        let reply = me.call(REGISTER).json(&body).mark(mark).send().await?;
        if reply.status != 409 {
            reply.expect_success()?;
        }
    }
    me.think().await;
    let tokens = Tokens::new(&AUTH, user.email.as_str(), user.password.as_str());
    let login: Data<Login> = tokens.login(me).await?.json()?;
    let id = login.data.user.id;

    for page in 1..=me.range(1..=3) {
        me.think().await;
        let list = me
            .call(LIST)
            .query("page", page)
            .query("per_page", 10)
            .bearer(&tokens);
        let people: Data<Vec<User>> = list
            .capture_body()
            .send()
            .await?
            .expect_status(200)?
            .json()?;
        me.observe("people on a page", people.data.len() as f64);
    }
    mistake(me, &id, &tokens).await?;
    me.think().await;
    let (mine, _) = join(
        me.call(READ).arg(&id).bearer(&tokens).send(),
        me.call(ROLES).arg(&id).bearer(&tokens).send(),
    )
    .await;
    mine?.expect_status(200)?;

    me.think_long().await;
    let renamed = me.fake_name();
    let edit = me
        .call(EDIT)
        .arg(&id)
        .json(&json!({ "name": renamed }))
        .bearer(&tokens);
    edit.send().await?.expect_status(200)?;
    let read = me.call(READ).arg(&id).bearer(&tokens).capture_body();
    let read: Data<User> = read.send().await?.expect_status(200)?.json()?;
    me.check(
        "a new name reads as written",
        read.data.name == Some(renamed),
    );
    tokens.logout(me).await
}

/// A wrong request, when the run's error mix asks for one.
async fn mistake(me: &Me, id: &str, tokens: &Tokens) -> Result<()> {
    let Some(fault) = me.fault() else {
        return Ok(());
    };
    let call = match fault {
        Fault::NotFound => me.call(READ).arg("nobody").bearer(tokens),
        Fault::InvalidData => me
            .call(EDIT)
            .arg(id)
            .json(&json!({ "name": "" }))
            .bearer(tokens),
        Fault::BadCredentials => me
            .call(LOGIN)
            .json(&json!({ "email": me.user().email, "password": "not-the-password-1" })),
        _ => return Ok(()),
    };
    call.fault(fault).send().await.map(drop)
}

behavior! {
    name: "my-behavior",
    version: env!("CARGO_PKG_VERSION"),
    routes: [LOGIN, REFRESH, LOGOUT, LIST, READ, REGISTER, EDIT, ROLES],
    journey: journey,
}

#[cfg(test)]
mod tests;
