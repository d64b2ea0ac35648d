//! Write Vespeiro behaviors in Rust: a journey is straight-line `async` code that reads like what a person does, and
//! becomes, step by step, what the host asks for.
//!
//! ```
//! use vespeiro_guest::prelude::*;
//!
//! const LIST: Route = Route::get("/articles", "query");
//! const READ: Route = Route::get("/articles/{id}", "query");
//!
//! #[derive(serde::Deserialize)]
//! struct Article {
//!     id: u64,
//! }
//!
//! async fn journey(me: &mut Me) -> Result<()> {
//!     let reply = me.call(LIST).query("page", 1).capture_body().send().await?.expect_status(200)?;
//!     let articles: Vec<Article> = reply.json()?;
//!     for article in articles.iter().take(3) {
//!         me.think().await; // a human pause, within the plan's pace
//!         me.call(READ).arg(article.id).send().await?.expect_success()?;
//!     }
//!     Ok(())
//! }
//!
//! behavior! { name: "reader", version: "0.1.0", routes: [LIST, READ], journey: journey }
//!
//! # fn main() {
//! // Natively, the harness plays it with scripted replies:
//! use serde_json::json;
//! use vespeiro_guest::harness::Harness;
//!
//! let played = Harness::new(&BEHAVIOR)
//!     .reply(LIST, 200, json!([{ "id": 7 }]))
//!     .reply(READ, 200, json!({}))
//!     .run();
//! assert_eq!(played.paths(), ["/articles?page=1", "/articles/7"]);
//! # }
//! ```
//!
//! A crate with `crate-type = ["cdylib"]`, built for `wasm32-unknown-unknown`, is a behavior module.
#![deny(missing_docs)]

#[cfg(any(target_arch = "wasm32", test))]
mod alloc;
mod auth;
mod behavior;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
mod call;
mod channel;
pub mod contract;
mod error;
mod fake;
mod fault;
mod grpc;
pub mod harness;
pub mod host;
mod join;
mod me;
mod multipart;
mod pace;
mod random;
mod reply;
mod session;
mod tokens;

pub use auth::Auth;
pub use behavior::{Behavior, Journey, Route};
pub use call::{Call, Opening, Sending, encode};
pub use channel::Channel;
pub use contract::{Failure, Kind, Level, Method};
pub use error::{Error, Result};
pub use fault::Fault;
pub use grpc::{Code, Status};
pub use join::{join, join_all};
pub use me::Me;
pub use multipart::Multipart;
pub use random::Choice;
pub use reply::Reply;
pub use session::Session;
pub use tokens::Tokens;

/// Everything that a behavior usually needs.
pub mod prelude {

    pub use crate::{
        Auth, Call, Channel, Choice, Code, Error, Failure, Fault, Level, Me, Method, Multipart,
        Reply, Result, Route, Tokens, behavior, join, join_all,
    };
}
