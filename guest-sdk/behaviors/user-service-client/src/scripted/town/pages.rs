//! Pages of the town's users, and what a path says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Resident, Town};

impl Town {
    pub(super) fn list(&self, query: &BTreeMap<String, String>) -> Answer {
        let number = |name: &str, usual: usize, most: usize| match query.get(name) {
            None => Ok(usual),
            Some(text) => {
                let number = text.parse().ok().filter(|n| (1..=most).contains(n));
                number.ok_or(422u16)
            }
        };
        let (page, per_page) = (number("page", 1, usize::MAX)?, number("per_page", 20, 100)?);
        let flag = query.get("active").map(|text| text.parse::<bool>());
        let active = flag.transpose().map_err(|_| 422u16)?;
        let dated = |text: &String| text.starts_with("20");
        if !query.get("created_after").is_none_or(dated)
            || query.get("sort").is_some_and(|sort| sort.contains(' '))
        {
            return Err(422);
        }
        let has = |name: &str, text: &str| {
            let wanted = query.get(name).map(|wanted| wanted.to_lowercase());
            wanted.is_none_or(|wanted| text.to_lowercase().contains(&wanted))
        };
        let found: Vec<&Resident> = self
            .users
            .iter()
            .filter(|user| active.is_none_or(|active| user.active == active))
            .filter(|user| has("username", &user.username) && has("email", &user.email))
            .filter(|user| has("name", &user.name))
            .filter(|user| {
                has(
                    "q",
                    &format!("{} {} {}", user.username, user.email, user.name),
                )
            })
            .collect();
        let total = found.len();
        let shown: Vec<Value> = found
            .into_iter()
            .skip((page - 1) * per_page)
            .take(per_page)
            .map(Resident::shown)
            .collect();
        Ok((200, listing(shown, page, per_page, total)))
    }
}

pub(super) fn listing(items: Vec<Value>, page: usize, per_page: usize, total: usize) -> Value {
    let total_pages = total.div_ceil(per_page);
    json!({ "data": items, "meta": { "page": page, "per_page": per_page, "total": total, "total_pages": total_pages } })
}

/// The path without its query, and the query's fields, decoded.
pub fn split(path: &str) -> (String, BTreeMap<String, String>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    let fields = fields.map(|(name, value)| (decoded(name), decoded(value)));
    (decoded(path), fields.collect())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = |rest: &mut std::str::Bytes<'_>| {
            let hex = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()
        };
        bytes.push(match byte {
            b'%' => escaped(&mut rest).unwrap_or(b'%'),
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
