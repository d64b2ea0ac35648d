//! A Postman collection, 2.0 or 2.1: a journey for each folder at its top, in the order of the collection. Variables become
//! `vars`, what test scripts read out of answers becomes captures, and what an environment would say is asked for as config.

mod reader;
mod request;
mod script;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::journey::{Journey, identifier, literal};
use crate::project::Project;
use reader::{Asked, DEEPEST, Reader, enabled, list, text_at};
use request::test_script;
use script::sets;

pub(crate) fn read(root: &Value) -> Project {
    let mut reader = Reader {
        variables: variables(root),
        ..Reader::default()
    };
    reader.scripts(root.get("item"), 0);
    let name = text_at(root, "/info/name");
    reader.folder(root, root.get("auth"), name, &[]);
    reader.project()
}

impl<'a> Reader<'a> {
    /// Learn what test scripts set, before anything is read that may need it.
    fn scripts(&mut self, items: Option<&'a Value>, depth: usize) {
        for item in list(items) {
            let known = test_script(item).into_iter().flat_map(|lines| sets(&lines));
            self.set.extend(known.map(|set| set.name));
            if depth < DEEPEST {
                self.scripts(item.get("item"), depth + 1);
            }
        }
    }

    fn folder(
        &mut self,
        folder: &'a Value,
        auth: Option<&'a Value>,
        top: &str,
        within: &[&'a str],
    ) {
        for item in list(folder.get("item")) {
            let name = text_at(item, "/name");
            let auth = item.get("auth").or(auth);
            if item.get("item").is_some() {
                if within.len() < DEEPEST {
                    let top = if within.is_empty() { name } else { top };
                    let within: Vec<&str> = within.iter().copied().chain([name]).collect();
                    self.folder(item, auth, top, &within);
                }
            } else if let Some(request) = item.get("request") {
                let about = within.iter().skip(1).copied().chain([name]);
                let about = about.collect::<Vec<_>>().join(" / ");
                self.request(item, request, auth, top, about);
            }
        }
    }

    fn project(self) -> Project {
        let mut bases: BTreeMap<&str, usize> = BTreeMap::new();
        for base in self.asked.iter().filter_map(|one| one.base.as_deref()) {
            *bases.entry(base).or_default() += 1;
        }
        let most = bases.iter().max_by_key(|(_, count)| **count);
        let base_url = most.map(|(base, _)| (*base).to_owned());
        let mut notes: Vec<String> = bases
            .iter()
            .filter(|(base, _)| Some(**base) != base_url.as_deref())
            .map(|(base, count)| format!("{count} requests to {base}: a journey has one host"))
            .collect();
        notes.extend(
            self.notes
                .iter()
                .map(|(what, count)| format!("{what} ({count})")),
        );
        let ours = |one: &&Asked| one.base.is_none() || one.base == base_url;
        let asked: Vec<&Asked> = self.asked.iter().filter(ours).collect();
        let mut folders: Vec<&str> = Vec::new();
        for one in &asked {
            if !folders.contains(&one.folder.as_str()) {
                folders.push(&one.folder);
            }
        }
        let journeys = folders.iter().map(|folder| self.journey(folder, &asked));
        Project {
            journeys: journeys.collect(),
            base_url: base_url.clone(),
            config: self.config.clone().into_iter().collect(),
            notes,
            ..Project::default()
        }
    }

    /// The requests of a folder, after those elsewhere that set what they need.
    fn journey(&self, folder: &str, asked: &[&Asked]) -> Journey {
        let mut order: Vec<usize> = Vec::new();
        for (at, one) in asked.iter().enumerate() {
            if one.folder == folder {
                before(at, asked, &mut order, 0);
                order.push(at);
            }
        }
        let needs: BTreeSet<&String> = order.iter().flat_map(|at| &asked[*at].needs).collect();
        let vars = self.variables.iter().filter_map(|(name, value)| {
            let known = identifier(name);
            let value = self.resolved(value);
            let bare = self.bare.contains(&known);
            let bare = bare.then(|| serde_json::from_str(&value).ok()).flatten();
            let bare = bare.filter(|value: &Value| value.is_number() || value.is_boolean());
            let value = bare.unwrap_or_else(|| literal(&value).into());
            needs.contains(&known).then_some((known, value))
        });
        let mut vars: Vec<(String, Value)> = vars.collect();
        vars.dedup_by(|one, other| one.0 == other.0);
        let captured: BTreeSet<&str> = order
            .iter()
            .flat_map(|at| {
                asked[*at]
                    .step
                    .capture
                    .iter()
                    .map(|(name, _)| name.as_str())
            })
            .collect();
        // What only a host that is left out would set is empty.
        for name in needs {
            let is_known =
                captured.contains(name.as_str()) || vars.iter().any(|(known, _)| known == name);
            if !is_known {
                vars.push((name.clone(), "".into()));
            }
        }
        vars.retain(|(name, _)| !captured.contains(name.as_str()));
        Journey {
            name: folder.to_owned(),
            vars,
            steps: order.into_iter().map(|at| asked[at].step.clone()).collect(),
        }
    }
}

/// Have what a request needs, and is set nowhere before it, set by the request that does.
fn before(at: usize, asked: &[&Asked], order: &mut Vec<usize>, depth: usize) {
    for name in &asked[at].needs {
        let does = |one: &usize| {
            asked[*one]
                .step
                .capture
                .iter()
                .any(|(known, _)| known == name)
        };
        if depth == DEEPEST || order.iter().any(does) {
            continue;
        }
        let found = (0..asked.len())
            .filter(|one| *one != at && asked[*one].folder != asked[at].folder)
            .find(does);
        if let Some(found) = found {
            before(found, asked, order, depth + 1);
            order.push(found);
        }
    }
}

fn variables(root: &Value) -> BTreeMap<&str, &str> {
    enabled(root.get("variable"))
        .map(|one| (text_at(one, "/key"), text_at(one, "/value")))
        .filter(|(key, _)| !key.is_empty())
        .collect()
}
