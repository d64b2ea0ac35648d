//! A service of scripted replies for the archetypes' unit tests: every endpoint answers as a healthy service does,
//! with a new identifier for whatever is created, and with the profile that was written last. The real rules are the end-to-end tests' part.

mod town;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use vespeiro_guest::harness::Harness;
use vespeiro_guest::{Behavior, Route};

use crate::routes::{self, ALL};
pub use town::{Asked, Town, split};

/// A harness for the behavior with the whole service scripted and an administrator configured.
#[must_use]
pub fn service(behavior: &'static Behavior) -> Harness {
    let harness = Harness::new(behavior)
        .config(json!({ "admin": { "email": "admin@example.test", "password": "Admin123!" } }));
    let world = Rc::new(RefCell::new(World {
        created: 0,
        profile: json!({}),
    }));
    ALL.iter()
        .fold(harness, |harness, &route| answered(harness, route, &world))
}

/// The little that the service remembers.
struct World {
    created: u32,
    profile: Value,
}

fn answered(harness: Harness, route: Route, world: &Rc<RefCell<World>>) -> Harness {
    let list = |items: Value| {
        let total = items.as_array().map_or(0, Vec::len);
        json!({ "data": items, "meta": { "page": 1, "per_page": 20, "total": total, "total_pages": 1 } })
    };
    match route {
        routes::LOGIN | routes::REFRESH => harness.reply(
            route,
            200,
            json!({ "data": {
                "access_token": "access", "refresh_token": "refresh", "token_type": "Bearer", "expires_in": 900,
                "user": { "id": "00000000-0000-4000-8000-000000000000", "username": "sim_user_testrun0_0" },
            } }),
        ),
        routes::LIST_USERS | routes::SEARCH_USERS => harness.reply(
            route,
            200,
            list(json!([
                { "id": "stays", "username": "admin", "email": "admin@example.test" },
                { "id": "stays-too", "username": "sim_user_testrun0_4", "email": "sim_user_testrun0_4@simulation.test" },
                { "id": "goes", "username": "sim_user_testrun0_4_1", "email": "goes@simulation.test" },
            ])),
        ),
        routes::LIST_ROLES | routes::LIST_PERMISSIONS => harness.reply(
            route,
            200,
            list(json!([{ "id": "stays", "name": "admin" }, { "id": "goes", "name": "sim_role_testrun0_4_1" }])),
        ),
        routes::CREATE_USER | routes::CREATE_ROLE | routes::CREATE_PERMISSION => {
            let world = Rc::clone(world);
            harness.answer(route, move |_| {
                let mut world = world.borrow_mut();
                world.created += 1;
                (201, json!({ "data": { "id": format!("created-{}", world.created) } }))
            })
        }
        routes::CREATE_PROFILE | routes::UPDATE_PROFILE => {
            let world = Rc::clone(world);
            harness.answer(route, move |request| {
                let body = request.body.as_deref().unwrap_or_default();
                world.borrow_mut().profile = serde_json::from_slice(body).unwrap_or_default();
                (200, json!({ "data": {} }))
            })
        }
        routes::GET_PROFILE => {
            let world = Rc::clone(world);
            harness.answer(route, move |_| (200, json!({ "data": world.borrow().profile })))
        }
        _ => harness.reply(route, 200, json!({ "data": { "id": "something" } })),
    }
}
