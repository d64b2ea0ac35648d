//! What does not exist, on every route with an identifier that the account may use.

use vespeiro_guest::Route;

use super::{Standing, Wrong, one_of, says, to_nothing};
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

pub(super) fn request<'a>(client: Client<'a>, standing: Standing<'_>) -> Wrong<'a> {
    let me = client.me();
    let managed = match standing {
        // As many as each of the two has.
        Standing::Admin { .. } if me.chance(2.0 / 3.0) => one_of(me, &MANAGED),
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
