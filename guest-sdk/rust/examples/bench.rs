//! What `scripts/bench` measures: one login, then a user is written and read in turn until the budget is spent. Each
//! body is built and each reply is parsed here, so that nothing that a real behavior costs is left out. Works against
//! the user service and against a server that gives the same reply to everything.

use serde::{Deserialize, Serialize};
use vespeiro_guest::prelude::*;

const LOGIN: Route = Route::post("/api/v1/auth/login", "auth").login();
const CREATE_USER: Route = Route::post("/api/v1/users", "user-mutation");
const GET_USER: Route = Route::get("/api/v1/users/{id}", "user-query");

static AUTH: Auth = Auth::new(LOGIN);

#[derive(Serialize)]
struct NewUser<'a> {
    username: &'a str,
    email: &'a str,
    password: &'a str,
    name: &'a str,
    city: &'a str,
    bio: &'a str,
    sequence: u32,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Person<'a>,
}

#[derive(Deserialize)]
struct Person<'a> {
    id: Option<&'a str>,
    username: Option<&'a str>,
    email: Option<&'a str>,
    /// The login's answer has the person one level deeper.
    #[serde(borrow)]
    user: Option<Owner<'a>>,
}

#[derive(Deserialize)]
struct Owner<'a> {
    id: &'a str,
}

async fn journey(me: &mut Me) -> Result<()> {
    let user = me.user();
    let tokens = Tokens::new(&AUTH, user.email.as_str(), user.password.as_str());
    let mut id = String::from("0");
    read(&tokens.login(me).await?, &mut id);
    for sequence in 0.. {
        me.think().await;
        let body = NewUser {
            username: &user.username,
            email: &user.email,
            password: &user.password,
            name: &user.name,
            city: me.fake_city(),
            bio: "someone who is written and read in turn, to see what it costs",
            sequence,
        };
        let reply = me
            .call(CREATE_USER)
            .json(&body)
            .bearer(&tokens)
            .capture_body()
            .send()
            .await?;
        read(&reply, &mut id);
        drop(reply);
        me.think().await;
        let reply = me
            .call(GET_USER)
            .arg(&id)
            .bearer(&tokens)
            .capture_body()
            .send()
            .await?;
        read(&reply, &mut id);
    }
    Ok(())
}

fn read(reply: &Reply, id: &mut String) {
    let Ok(Answer { data }) = reply.json::<Answer>() else {
        return;
    };
    std::hint::black_box((data.username, data.email));
    if let Some(found) = data.user.map(|user| user.id).or(data.id) {
        id.clear();
        id.push_str(found);
    }
}

behavior! { name: "bench", version: "0.1.0", routes: [LOGIN, CREATE_USER, GET_USER], journey: journey }
