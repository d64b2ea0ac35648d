//! What somebody has no permission for, on every route that takes one. The things it is about do not exist, and what would
//! make one lacks its name.

use vespeiro_guest::{Method, Route};

use super::{Standing, Wrong, one_of, says, to_nothing};
use crate::client::Client;
use crate::routes::*;

/// What only administrators do.
const ADMINISTRATIVE: [Route; 6] = [
    DELETE_USER,
    ACTIVATE_USER,
    DEACTIVATE_USER,
    RESET_PASSWORD,
    ASSIGN_ROLE,
    REVOKE_ROLE,
];

/// What else plain users may not do: to others, and to what is everybody's.
const OTHERS: [Route; 11] = [
    UPDATE_USER,
    CHANGE_PASSWORD,
    CREATE_PROFILE,
    UPDATE_PROFILE,
    DELETE_PROFILE,
    CREATE_ROLE,
    UPDATE_ROLE,
    DELETE_ROLE,
    CREATE_PERMISSION,
    UPDATE_PERMISSION,
    DELETE_PERMISSION,
];

pub(super) fn request<'a>(client: Client<'a>, standing: Standing<'_>) -> Wrong<'a> {
    let me = client.me();
    let route = match standing {
        // Only the owner may change a password this way.
        Standing::Admin { .. } => Some(CHANGE_PASSWORD),
        // Few behaviors declare the administrative ones; who does leaves the others to those who do not.
        Standing::Plain(_) if me.chance(0.9) => {
            one_of(me, &ADMINISTRATIVE).or_else(|| one_of(me, &OTHERS))
        }
        Standing::Plain(_) => one_of(me, &OTHERS),
    };
    let route = route.unwrap_or(UPDATE_USER);
    let call = to_nothing(client, route);
    let body = match route {
        UPDATE_USER => r#"{"name":"Nobody"}"#,
        CHANGE_PASSWORD => r#"{"current_password":"SimPass123!","new_password":"SimPass123!"}"#,
        RESET_PASSWORD => r#"{"new_password":"SimPass123!"}"#,
        CREATE_PROFILE | UPDATE_PROFILE => r#"{"bio":"nobody's"}"#,
        // Not even where everybody may: they have no name.
        CREATE_ROLE | CREATE_PERMISSION => r#"{"description":"it has no name"}"#,
        UPDATE_ROLE | UPDATE_PERMISSION => r#"{"description":"nothing's"}"#,
        _ => return Wrong::look(call),
    };
    debug_assert_ne!(route.method, Method::Get);
    Wrong::form(says(call, body))
}
