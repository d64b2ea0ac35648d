//! A behavior that calls methods of gRPC in the way its config names: what a host's tests run. The messages are those of
//! `tests/e2e/strangers/grpc_catalog/server.py`. Config: `{"mode": "find"}`; see [`Mode`].

use serde::Deserialize;
use vespeiro_guest::prelude::*;

const FIND: Route = Route::grpc("/shop.v1.Catalog/Find", "query");
const REMOVE: Route = Route::grpc("/shop.v1.Catalog/Remove", "change");
/// Takes as many milliseconds as it is told.
const WAIT: Route = Route::grpc("/shop.v1.Catalog/Wait", "query");
/// Answers with as many bytes as it is told.
const LARGE: Route = Route::grpc("/shop.v1.Catalog/Large", "query");

#[derive(Clone, PartialEq, prost::Message)]
struct FindRequest {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    size: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct FindReply {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    price: u32,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// Finds something, looks for what is not there, twice where that is no error, and removes what it may not.
    Shop,
    /// Waits for longer than it may take.
    Late,
    /// Asks for more than it is given.
    Large,
}

#[derive(Deserialize)]
struct Config {
    mode: Mode,
    #[serde(default)]
    size: u32,
}

fn asked(name: &str, size: u32) -> FindRequest {
    FindRequest {
        name: name.into(),
        size,
    }
}

async fn journey(me: &mut Me) -> Result<()> {
    let Config { mode, size } = me.config()?;
    match mode {
        Mode::Shop => shop(me).await,
        Mode::Late => {
            let wait = me.call(WAIT).message(&asked("", 60_000)).timeout_ms(300);
            let late = wait.send().await?.code();
            me.check("it is too late", late == Code::DeadlineExceeded);
            Ok(())
        }
        Mode::Large => {
            let large = me.call(LARGE).message(&asked("", size)).send().await?;
            let name = large.message::<FindReply>()?.name;
            me.check("it is as large", name.len() == size as usize);
            Ok(())
        }
    }
}

async fn shop(me: &mut Me) -> Result<()> {
    // Longer than a frame of HTTP/2.
    let long = "tea".repeat(10_000);
    let found = me.call(FIND).message(&asked(&long, 7)).capture_headers();
    let found = found.header("x-trace", "abc").send().await?;
    let reply: FindReply = found.message()?;
    me.check(
        "its name comes back",
        reply.name == long && reply.price == 8,
    );
    let trailers = found.grpc.map(|status| status.trailers).unwrap_or_default();
    let price = ("x-trace".to_owned(), "abc".to_owned());
    me.check("metadata comes with it", trailers.contains(&price));

    let none = me.call(FIND).message(&asked("nothing", 0)).send().await?;
    let said = none.grpc.map(|status| (status.code, status.message));
    let expected = (Code::NotFound, "no \u{e9}clair, 100%".to_owned());
    me.check("it is not there", said == Some(expected));

    let none = me.call(FIND).message(&asked("nothing", 0));
    let none = none.expect_codes(&[Code::NotFound]).send().await?;
    none.expect_code(Code::NotFound)?;

    me.think().await;
    let removed = me.call(REMOVE).message(&asked("tea", 0)).send().await?;
    removed.expect_success()?;
    Ok(())
}

behavior! {
    name: "grpc", version: "0.1.0",
    routes: [FIND, REMOVE, WAIT, LARGE],
    journey: journey,
}
