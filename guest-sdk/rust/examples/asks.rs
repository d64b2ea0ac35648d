//! Someone who asks for what the config names and checks what comes back: what a host's tests look at the wire with.
//! Config: `{"kind": "drop", "of": "3", "headers": {"X-Name": "a"}, "body": "b", "echo": "x-name", "together": 2}`, all but `kind` optional:
//! GET `/drop/3`, or POST where there is a body. `echo` names a header that the answer is to have as it was sent; a `raw`
//! path has dots and slashes in it that nobody may tidy up. So many as are to be sent `together` are.

use std::collections::BTreeMap;

use serde::Deserialize;
use vespeiro_guest::prelude::*;

const GET: Route = Route::get("/{kind}/{of}", "monitoring");
const POST: Route = Route::post("/{kind}/{of}", "monitoring");
const RAW: Route = Route::get("/a/../%2e%2E/b\\c//?d=..&e=%5c", "monitoring");

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    of: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    echo: Option<String>,
    #[serde(default)]
    raw: bool,
    #[serde(default)]
    together: u32,
}

async fn journey(me: &mut Me) -> Result<()> {
    let config: Config = me.config()?;
    let calls = (0..config.together.max(1)).map(|_| call(me, &config));
    for reply in me.batch(calls.collect()).await {
        me.check("answered", reply.is_ok());
        if let Ok(reply) = &reply {
            me.observe("body_bytes", reply.body.len() as f64);
            if let Some(name) = &config.echo {
                let sent = config.headers.get(name).map(String::as_str);
                me.check("echoed", reply.header(&name.to_lowercase()) == sent);
            }
        }
    }
    me.think().await;
    Ok(())
}

fn call<'a>(me: &'a Me, config: &'a Config) -> Call<'a> {
    let mut call = match (&config.body, config.raw) {
        (_, true) => me.call(RAW),
        (None, _) => me.call(GET).arg(&config.kind).arg(&config.of),
        (Some(body), _) => {
            let call = me.call(POST).arg(&config.kind).arg(&config.of);
            call.body(body.as_bytes())
        }
    };
    for (name, value) in &config.headers {
        call = call.header(name, value);
    }
    call.capture_headers().capture_body()
}

behavior! { name: "asks", version: "0.1.0", routes: [GET, POST, RAW], journey: journey }
