//! Plays a list of requests, one after the other and from the beginning again, as fast as they are answered: what
//! `vespeiro hit` sends. Each user begins at another one.
//!
//! A program is one line of JSON, `{"requests": [{"method": "GET", "path": "/", "headers": [["a", "b"]], "body": null}]}`,
//! where `body` is a number of bytes, and behind that line the bodies, without anything between them.

use std::cell::RefCell;

use player::player;
use serde::Deserialize;
use vespeiro_guest::prelude::*;
use vespeiro_guest::{Behavior, Journey};

/// The category of all its requests.
const CATEGORY: &str = "request";

#[derive(Deserialize)]
struct Program {
    requests: Vec<Listed>,
}

/// A request as the program has it.
#[derive(Deserialize)]
struct Listed {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<usize>,
}

/// A request that is ready to be sent.
struct Ready {
    route: Route,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

thread_local! {
    // A module has one thread and is loaded once: what is in here stays.
    static READY: RefCell<&'static [Ready]> = const { RefCell::new(&[]) };
}

/// The behavior of such a program.
///
/// # Errors
/// It is none, or lists nothing that can be sent.
pub fn load(_name: &str, source: &[u8]) -> Result<&'static Behavior, String> {
    let end = source.iter().position(|byte| *byte == b'\n');
    let (head, mut bodies) = source.split_at(end.unwrap_or(source.len()));
    bodies = bodies.get(1..).unwrap_or_default();
    let program: Program =
        serde_json::from_slice(head).map_err(|error| format!("is no list of requests: {error}"))?;
    let mut ready = Vec::with_capacity(program.requests.len());
    let mut routes: Vec<Route> = Vec::new();
    for Listed {
        method,
        path,
        headers,
        body,
    } in program.requests
    {
        let body = body.map(|length| {
            let (body, rest) = bodies.split_at(length.min(bodies.len()));
            bodies = rest;
            body.to_vec()
        });
        let method = method_of(&method).ok_or_else(|| format!("no method is named {method:?}"))?;
        let template = path.split('?').next().unwrap_or_default();
        let known = routes
            .iter()
            .find(|route| route.method == method && route.path == template);
        let route = match known {
            Some(route) => *route,
            None => {
                let route = Route::new(method, template.to_owned().leak(), CATEGORY);
                routes.push(route);
                route
            }
        };
        ready.push(Ready {
            route,
            path,
            headers,
            body,
        });
    }
    if ready.is_empty() {
        return Err("there is no request to send".into());
    }
    READY.set(ready.leak());
    let behavior = Behavior::new("requests", env!("CARGO_PKG_VERSION"), routes.leak(), play);
    Ok(Box::leak(Box::new(behavior)))
}

fn method_of(name: &str) -> Option<Method> {
    Some(match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        _ => return None,
    })
}

fn play(me: Me) -> Journey {
    let ready = READY.with_borrow(|ready| *ready);
    let first = me.user().index as usize % ready.len().max(1);
    Box::pin(async move {
        for request in ready.iter().cycle().skip(first) {
            if me.requests_left() == 0 {
                break;
            }
            let mut call = me.call(request.route).path(&*request.path);
            for (name, value) in &request.headers {
                call = call.header(&**name, &**value);
            }
            if let Some(body) = &request.body {
                call = call.body(&**body);
            }
            match call.send().await {
                // Whatever the target does is in the figures: there is nobody here to mind.
                Ok(_) | Err(Error::Failed { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })
}

player!(load);
