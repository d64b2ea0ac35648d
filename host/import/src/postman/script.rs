//! The one thing that a journey takes out of a Postman test script: which part of an answer it keeps under which name, as in
//! `pm.environment.set("token", pm.response.json().data.token)`. Used by `postman` and its `request`.

use crate::journey::identifier;

/// A name, and where in the answer its value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) pointer: String,
}

/// Who may keep something.
const KEEPERS: [&str; 6] = [
    "pm.environment.set(",
    "pm.collectionVariables.set(",
    "pm.globals.set(",
    "pm.variables.set(",
    "postman.setEnvironmentVariable(",
    "postman.setGlobalVariable(",
];
/// What an answer's body is called.
const BODIES: [&str; 2] = ["pm.response.json()", "JSON.parse(responseBody)"];

pub(crate) fn sets(script: &str) -> Vec<Set> {
    // `const data = pm.response.json().data;`
    let mut known: Vec<(String, String)> = Vec::new();
    for statement in script.split([';', '\n']) {
        let Some((name, value)) = statement.split_once('=') else {
            continue;
        };
        let name = name.trim().rsplit(' ').next().unwrap_or_default();
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '$');
        if is_name && let Some(pointer) = pointer(value.trim(), &known) {
            known.push((name.to_owned(), pointer));
        }
    }
    let mut found = Vec::new();
    for keeper in KEEPERS {
        for call in script.split(keeper).skip(1) {
            let Some((name, rest)) = call.split_once(',') else {
                continue;
            };
            let name = name.trim().trim_matches(['"', '\'', '`']);
            let value = rest.split(['\n', ';']).next().unwrap_or_default().trim();
            let value = value.strip_suffix(')').unwrap_or(value).trim();
            // The whole body is no part that a journey keeps.
            if let Some(pointer) = pointer(value, &known).filter(|it| !it.is_empty()) {
                let name = identifier(name);
                found.push(Set { name, pointer });
            }
        }
    }
    found
}

/// Of `pm.response.json().data[0]["id"]` or what was called so before: `/data/0/id`.
fn pointer(value: &str, known: &[(String, String)]) -> Option<String> {
    let body = BODIES.iter().find_map(|body| value.strip_prefix(body));
    let (mut made, mut rest) = match body {
        Some(rest) => (String::new(), rest),
        None => {
            let (name, pointer) = known.iter().rev().find(|(name, _)| {
                let rest = value.strip_prefix(name.as_str());
                rest.is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            })?;
            (pointer.clone(), &value[name.len()..])
        }
    };
    while !rest.is_empty() {
        let (part, after) = if let Some(inner) = rest.strip_prefix('[') {
            let (part, after) = inner.split_once(']')?;
            (part.trim().trim_matches(['"', '\'']), after)
        } else {
            let name = rest.strip_prefix("?.").or_else(|| rest.strip_prefix('.'))?;
            let end = name.find(['.', '[', '?']).unwrap_or(name.len());
            name.split_at(end)
        };
        let is_name = !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || "_-$".contains(c));
        if !is_name {
            return None;
        }
        made = format!("{made}/{part}");
        rest = after;
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_an_answer_is_found() {
        let script = "var jsonData = JSON.parse(responseBody);\nconst data = pm.response.json().data;\n\
             postman.setEnvironmentVariable(\"id\", jsonData.items[0][\"id\"]);\n\
             pm.environment.set('Token', data.token);\npm.globals.set('now', Date.now());\n\
             pm.collectionVariables.set(\"all\", pm.response.json())";
        let found: Vec<(String, String)> = sets(script)
            .into_iter()
            .map(|set| (set.name, set.pointer))
            .collect();
        let pair = |name: &str, pointer: &str| (name.to_owned(), pointer.to_owned());
        assert_eq!(
            found,
            [pair("token", "/data/token"), pair("id", "/items/0/id")]
        );
    }
}
