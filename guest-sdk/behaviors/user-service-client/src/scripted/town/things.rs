//! What can be done with one user of the town, and with its roles and permissions.

use serde_json::{Value, json};
use vespeiro_guest::Method;

use super::pages::listing;
use super::{Answer, Resident, Town};

impl Town {
    pub(super) fn user(
        &mut self,
        at: usize,
        method: Method,
        rest: &[&str],
        body: &Value,
    ) -> Answer {
        let user = &mut self.users[at];
        let text = |field: &str| body[field].as_str().map(str::to_owned);
        match (method, rest) {
            (Method::Get, []) => {}
            (Method::Put, []) => {
                let name = text("name").filter(|name| (1..=120).contains(&name.len()));
                user.name = name.ok_or(422u16)?;
            }
            (Method::Delete, []) => {
                let gone = self.users.remove(at);
                self.tokens.retain(|_, owner| *owner != gone.username);
                return Ok((204, Value::Null));
            }
            (Method::Put, ["activate"]) => user.active = true,
            (Method::Put, ["deactivate"]) => user.active = false,
            (Method::Put, ["reset-password"]) => {
                let new = text("new_password").filter(|new| new.len() >= 8);
                user.password = new.ok_or(422u16)?;
                return Ok((204, Value::Null));
            }
            (_, ["profile"]) => return profile(user, method, body),
            (Method::Get, ["roles"]) => {
                let roles: Vec<Value> = user.roles.iter().map(|id| json!({ "id": id })).collect();
                let total = roles.len();
                return Ok((200, listing(roles, 1, 20, total)));
            }
            (Method::Post, ["roles", role]) => {
                if !self.roles.contains_key(*role) {
                    return Err(404);
                }
                if user.roles.iter().any(|has| has == role) {
                    return Err(409);
                }
                user.roles.push((*role).to_owned());
                return Ok((201, json!({ "data": { "id": role } })));
            }
            (Method::Delete, ["roles", role]) => {
                let before = user.roles.len();
                user.roles.retain(|has| has != role);
                return if user.roles.len() < before {
                    Ok((204, Value::Null))
                } else {
                    Err(404)
                };
            }
            _ => return Err(405),
        }
        Ok((200, json!({ "data": user.shown() })))
    }

    pub(super) fn catalog(
        &mut self,
        kind: &str,
        method: Method,
        rest: &[&str],
        text: &dyn Fn(&str) -> Option<String>,
    ) -> Answer {
        let things = if kind == "roles" {
            &mut self.roles
        } else {
            &mut self.permissions
        };
        let shown = |(id, name): (&String, &String)| json!({ "id": id, "name": name });
        match (method, rest) {
            (Method::Get, []) => {
                let all: Vec<Value> = things.iter().map(shown).collect();
                let total = all.len();
                Ok((200, listing(all, 1, 20, total)))
            }
            (Method::Post, []) => {
                let name = text("name").filter(|name| name.len() >= 2).ok_or(422u16)?;
                if things.values().any(|known| *known == name) {
                    return Err(409);
                }
                self.made += 1;
                let id = format!("id-{kind}-{}", self.made);
                things.insert(id.clone(), name.clone());
                Ok((201, json!({ "data": { "id": id, "name": name } })))
            }
            (method, [id]) => {
                let name = things.get(*id).cloned().ok_or(404u16)?;
                if method == Method::Delete {
                    things.remove(*id);
                    return Ok((204, Value::Null));
                }
                Ok((200, json!({ "data": { "id": id, "name": name } })))
            }
            _ => Err(405),
        }
    }
}

fn profile(user: &mut Resident, method: Method, body: &Value) -> Answer {
    let fields = body.as_object().cloned().unwrap_or_default();
    let short = |value: &Value| value.is_null() || value.as_str().is_some_and(|t| t.len() <= 1000);
    match (method, &mut user.profile) {
        (Method::Post, Some(_)) => return Err(409),
        (Method::Get | Method::Put | Method::Delete, None) => return Err(404),
        (Method::Post | Method::Put, _) if !fields.values().all(short) => return Err(422),
        (Method::Post, none) => *none = Some(fields),
        (Method::Put, Some(profile)) => profile.extend(fields),
        (Method::Delete, some) => {
            *some = None;
            return Ok((204, Value::Null));
        }
        _ => {}
    }
    let created = if method == Method::Post { 201 } else { 200 };
    Ok((created, json!({ "data": user.profile })))
}
