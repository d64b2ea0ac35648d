//! What does not exist, on every route with an identifier that the account may use.

use std::cell::Cell;

use vespeiro_guest::{Me, Route};

use super::{Standing, Wrong, known, one_of, says, to_nothing};
use crate::client::Client;
use crate::model::Id;
use crate::routes::*;

/// What anybody may look at.
const OPEN: [Route; 7] = [
    GET_USER,
    GET_USER_BY_EMAIL,
    GET_USER_BY_USERNAME,
    GET_PROFILE,
    GET_ROLE,
    GET_PERMISSION,
    LIST_USER_ROLES,
];

/// What only an administrator learns the absence of: others are refused before.
const MANAGED: [Route; 14] = [
    UPDATE_USER,
    DELETE_USER,
    ACTIVATE_USER,
    DEACTIVATE_USER,
    RESET_PASSWORD,
    CREATE_PROFILE,
    UPDATE_PROFILE,
    DELETE_PROFILE,
    UPDATE_ROLE,
    DELETE_ROLE,
    UPDATE_PERMISSION,
    DELETE_PERMISSION,
    ASSIGN_ROLE,
    REVOKE_ROLE,
];

thread_local! {
    /// How often one of [`MANAGED`] was asked for, by all users of this instance, from a start that is drawn.
    static TURN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// One after the other: so few of these requests are made that drawing them would leave some routes out.
fn next_managed(me: &Me) -> Option<Route> {
    let known: Vec<Route> = known(me, &MANAGED).collect();
    let turn = TURN
        .get()
        .unwrap_or_else(|| me.range(0..MANAGED.len() as u32) as usize);
    TURN.set(Some(turn + 1));
    known.get(turn.checked_rem(known.len())?).copied()
}

pub(super) fn request<'a>(client: Client<'a>, standing: Standing<'_>) -> Wrong<'a> {
    let me = client.me();
    let managed = match standing {
        // There are fewer administrators than people who ask for the others.
        Standing::Admin { .. } if me.chance(0.8) => next_managed(me),
        _ => None,
    };
    let route = managed.or_else(|| one_of(me, &OPEN)).unwrap_or(GET_USER);
    if matches!(route, GET_USER_BY_EMAIL | GET_USER_BY_USERNAME) {
        let nobody = Id::unknown(me).to_string();
        let name = format!("sim_nobody_{}", &nobody[..8]);
        let call = client.call(route);
        return Wrong::look(match route {
            GET_USER_BY_EMAIL => call.arg(format_args!("{name}@simulation.test")),
            _ => call.arg(name),
        });
    }
    let call = to_nothing(client, route);
    let body = match route {
        UPDATE_USER => r#"{"name":"Nobody"}"#,
        RESET_PASSWORD => r#"{"new_password":"SimPass456!"}"#,
        CREATE_PROFILE | UPDATE_PROFILE => r#"{"bio":"nobody's"}"#,
        UPDATE_ROLE | UPDATE_PERMISSION => r#"{"description":"nothing's"}"#,
        _ => return Wrong::look(call),
    };
    Wrong::form(says(call, body))
}
