//! An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
//! `./build` makes a module of it.

use serde::Deserialize;
use serde_json::json;
use vespeiro_guest::prelude::*;

const LOGIN: Route = Route::post("/api/v1/auth/login", "auth").login();
const REFRESH: Route = Route::post("/api/v1/auth/refresh", "auth").refresh();
const LOGOUT: Route = Route::post("/api/v1/auth/logout", "auth").logout();
const LIST: Route = Route::get("/api/v1/users", "user-query");
const READ: Route = Route::get("/api/v1/users/{id}", "user-query");
const FIND: Route = Route::get("/api/v1/users/username/{username}", "user-query");
const CREATE: Route = Route::post("/api/v1/users", "user-mutation");
const EDIT: Route = Route::put("/api/v1/users/{id}", "user-mutation");
const ROLES: Route = Route::get("/api/v1/users/{userId}/roles", "role-permission");
const DEACTIVATE: Route = Route::put("/api/v1/users/{id}/deactivate", "admin");
const REMOVE: Route = Route::delete("/api/v1/users/{id}", "admin");

static AUTH: Auth = Auth::new(LOGIN).refresh(REFRESH).logout(LOGOUT);

#[derive(Deserialize)]
struct Config {
    admin: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct User {
    id: String,
    name: Option<String>,
}

async fn journey(me: &mut Me) -> Result<()> {
    let tokens = administrator(me)?;
    tokens.login(me).await?;
    for page in 1..=me.range(1..=3) {
        me.think().await;
        let list = me
            .call(LIST)
            .query("page", page)
            .query("per_page", 20)
            .bearer(&tokens);
        let people: Data<Vec<User>> = list
            .capture_body()
            .send()
            .await?
            .expect_status(200)?
            .json()?;
        me.observe("people on a page", people.data.len() as f64);
    }
    mistake(me, &tokens).await?;

    me.think_long().await;
    let username = format!(
        "sim_user_{}_{}_{}",
        me.run(),
        me.user().index,
        u64::from(me.ordinal()) * 1000
    );
    let mark = format!("user:{username}");
    let body = json!({
        "username": username,
        "email": format!("{username}@simulation.test"),
        "password": "SimPass123!",
        "name": me.fake_name(),
    });
    let create = me
        .call(CREATE)
        .json(&body)
        .bearer(&tokens)
        .mark(mark.as_str())
        .capture_body();
    let created: Data<User> = create.send().await?.expect_status(201)?.json()?;
    let id = created.data.id;

    me.think_long().await;
    let renamed = me.fake_name();
    let edit = me
        .call(EDIT)
        .arg(&id)
        .json(&json!({ "name": renamed }))
        .bearer(&tokens);
    edit.send().await?.expect_status(200)?;
    let (read, roles) = join(
        me.call(READ).arg(&id).bearer(&tokens).capture_body().send(),
        me.call(ROLES).arg(&id).bearer(&tokens).send(),
    )
    .await;
    roles?.expect_status(200)?;
    let read: Data<User> = read?.expect_status(200)?.json()?;
    me.check(
        "a new name reads as written",
        read.data.name == Some(renamed),
    );

    me.think().await;
    me.call(DEACTIVATE)
        .arg(&id)
        .bearer(&tokens)
        .send()
        .await?
        .expect_status(200)?;
    me.think().await;
    me.call(REMOVE)
        .arg(&id)
        .bearer(&tokens)
        .send()
        .await?
        .expect_status(204)?;
    me.unmark(&mark);
    tokens.logout(me).await
}

/// Removes the users that earlier sessions have left behind, a few at a time, and ends the sessions that could not log
/// out themselves.
async fn cleanup(me: &mut Me) -> Result<()> {
    let tokens = administrator(me)?;
    let marks = AUTH.log_out_marked(me).await;
    let names: Vec<&str> = marks
        .iter()
        .filter_map(|mark| mark.strip_prefix("user:"))
        .collect();
    for some in names.chunks(8) {
        for done in join_all(some.iter().map(|name| remove(me, &tokens, name))).await {
            done?;
        }
    }
    tokens.logout(me).await
}

async fn remove(me: &Me, tokens: &Tokens, username: &str) -> Result<()> {
    let found = me
        .call(FIND)
        .arg(username)
        .bearer(tokens)
        .capture_body()
        .send()
        .await?;
    if found.is_success() {
        let user: Data<User> = found.json()?;
        let reply = me
            .call(REMOVE)
            .arg(&user.data.id)
            .bearer(tokens)
            .send()
            .await?;
        if reply.status != 404 {
            reply.expect_status(204)?;
        }
    }
    if found.is_success() || found.status == 404 {
        me.unmark(&format!("user:{username}"));
    }
    Ok(())
}

/// A wrong request, when the run's error mix asks for one.
async fn mistake(me: &Me, tokens: &Tokens) -> Result<()> {
    let Some(fault) = me.fault() else {
        return Ok(());
    };
    let call = match fault {
        Fault::NotFound => me.call(READ).arg("nobody").bearer(tokens),
        Fault::InvalidData => me
            .call(CREATE)
            .json(&json!({ "username": "" }))
            .bearer(tokens),
        _ => return Ok(()),
    };
    call.fault(fault).send().await.map(drop)
}

fn administrator(me: &Me) -> Result<Tokens> {
    let Config { admin } = me.config()?;
    let Some(Account { email, password }) = admin else {
        return Err(Error::config(
            "`admin` is missing: give the archetype's config `admin = { email = \"…\", password = \"…\" }`",
        ));
    };
    Ok(Tokens::new(&AUTH, email, password).lasting())
}

behavior! {
    name: "my-behavior",
    version: env!("CARGO_PKG_VERSION"),
    routes: [LOGIN, REFRESH, LOGOUT, LIST, READ, FIND, CREATE, EDIT, ROLES, DEACTIVATE, REMOVE],
    journey: journey,
    cleanup: cleanup,
}

#[cfg(test)]
mod tests;
