//! `goose-peer`: what users of goose cost that play the journey of the behavior `bench`. Called by `scripts/bench --part
//! scripted` with goose's own flags; prints its figures as one line of JSON. It has to send what `guest-sdk/rust/examples/
//! bench.rs` sends, and to read what that reads.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use goose::goose::GooseResponse;
use goose::prelude::*;
use serde::{Deserialize, Serialize};

/// What a user keeps from one step to the next.
#[derive(Clone)]
struct Me {
    bearer: String,
    id: String,
    sequence: u32,
}

#[derive(Serialize)]
struct Login<'a> {
    email: &'a str,
    password: &'a str,
}

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
struct Answer {
    data: Person,
}

#[derive(Deserialize)]
struct Person {
    id: String,
    access_token: String,
}

// One worker: it gets one core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let attack = GooseAttack::initialize()?.register_scenario(
        scenario!("bench")
            .register_transaction(transaction!(login).set_on_start())
            .register_transaction(transaction!(create))
            .register_transaction(transaction!(read)),
    );
    let began = Instant::now();
    let metrics = attack.execute().await?;
    let seconds = began.elapsed().as_secs_f64();

    let mut times = BTreeMap::new();
    for route in metrics.requests.values() {
        ensure!(route.fail_count == 0, "requests failed: {route:?}");
        for (time, count) in &route.raw_data.times_us {
            *times.entry(*time).or_insert(0) += *count;
        }
    }
    println!(
        r#"{{"requests":{},"seconds":{seconds},"p50_us":{},"p99_us":{}}}"#,
        times.values().sum::<usize>(),
        quantile(&times, 0.5),
        quantile(&times, 0.99)
    );
    Ok(())
}

fn quantile(times: &BTreeMap<u64, usize>, share: f64) -> u64 {
    let mut left = (times.values().sum::<usize>() as f64 * share).ceil() as usize;
    let reached = times.iter().find(|(_, count)| {
        left = left.saturating_sub(**count);
        left == 0
    });
    reached.map_or(0, |(time, _)| *time)
}

async fn login(user: &mut GooseUser) -> TransactionResult {
    let index = user.weighted_users_index;
    let body = Login {
        email: &format!("sim_user_{index}@simulation.test"),
        password: "SimPass123!",
    };
    let person = person(user.post_json("/api/v1/auth/login", &body).await?).await?;
    user.set_session_data(Me {
        bearer: format!("Bearer {}", person.access_token),
        id: person.id,
        sequence: 0,
    });
    Ok(())
}

async fn create(user: &mut GooseUser) -> TransactionResult {
    let index = user.weighted_users_index;
    let me = user.get_session_data_unchecked::<Me>();
    let username = format!("sim_user_abcdefgh_{index}");
    let body = NewUser {
        username: &username,
        email: &format!("{username}@simulation.test"),
        password: "SimPass123!",
        name: &format!("Simulation User {index}"),
        city: "Lisbon",
        bio: "someone who is written and read in turn, to see what it costs",
        sequence: me.sequence,
    };
    let request = user
        .get_request_builder(&GooseMethod::Post, "/api/v1/users")?
        .header("accept", "application/json")
        .header("authorization", &me.bearer)
        .json(&body);
    let request = GooseRequest::builder().set_request_builder(request).build();
    let person = person(user.request(request).await?).await?;
    let me = user.get_session_data_unchecked_mut::<Me>();
    me.id = person.id;
    me.sequence += 1;
    Ok(())
}

async fn read(user: &mut GooseUser) -> TransactionResult {
    let me = user.get_session_data_unchecked::<Me>();
    let path = format!("/api/v1/users/{}", me.id);
    let request = user
        .get_request_builder(&GooseMethod::Get, &path)?
        .header("accept", "application/json")
        .header("authorization", &me.bearer);
    let request = GooseRequest::builder()
        .name("/api/v1/users/{id}")
        .set_request_builder(request)
        .build();
    let person = person(user.request(request).await?).await?;
    user.get_session_data_unchecked_mut::<Me>().id = person.id;
    Ok(())
}

async fn person(reply: GooseResponse) -> Result<Person, Box<TransactionError>> {
    Ok(reply.response?.json::<Answer>().await?.data)
}
