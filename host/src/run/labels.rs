//! From the words of a behavior's requests to the small numbers that the recorder counts under.

use std::collections::HashMap;
use std::sync::Arc;

use crate::behavior::{Behavior, types};
use crate::metrics::{ArchetypeLabels, Catalog, RouteLabel};
use crate::plan::Plan;

/// Methods of the contract; the last index of a row.
const METHODS: usize = 7;
/// A method that a behavior does not describe for a path.
const NONE: u16 = u16::MAX;

/// The label tables of a run: all that a series can be named by.
pub(super) fn catalog(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Arc<Catalog> {
    let mut categories: Vec<String> = Vec::new();
    for category in behaviors.iter().flat_map(|b| &b.categories) {
        if !categories.contains(category) {
            categories.push(category.clone());
        }
    }
    let archetypes = plan
        .archetypes
        .iter()
        .zip(behaviors)
        .map(|(archetype, behavior)| ArchetypeLabels {
            name: archetype.name.clone(),
            behavior: behavior.name.clone(),
            version: behavior.version.clone(),
            hash: behavior.hash.clone(),
            routes: behavior
                .routes
                .iter()
                .map(|route| RouteLabel {
                    method: method_name(route.method).to_owned(),
                    path: route.path.clone(),
                    category: position(&categories, &route.category),
                })
                .collect(),
        })
        .collect();
    Arc::new(Catalog {
        archetypes,
        categories,
    })
}

/// One archetype's lookups, kept per worker.
#[derive(Debug)]
pub(super) struct Labels {
    routes: HashMap<String, [u16; METHODS]>,
    /// The behavior's own categories, as positions in the catalog's.
    categories: Vec<(String, u16)>,
    other: u16,
}

impl Labels {
    pub(super) fn new(behavior: &Behavior, catalog: &Catalog) -> Self {
        let mut routes: HashMap<String, [u16; METHODS]> = HashMap::new();
        for (index, route) in behavior.routes.iter().enumerate() {
            let row = routes.entry(route.path.clone()).or_insert([NONE; METHODS]);
            row[route.method as usize] = index as u16;
        }
        let categories = behavior
            .categories
            .iter()
            .map(|name| (name.clone(), position(&catalog.categories, name)))
            .collect();
        Self {
            routes,
            categories,
            other: behavior.routes.len() as u16,
        }
    }

    /// The route's index, or the index of `other` for one that the behavior did not describe.
    pub(super) fn route(&self, method: types::Method, template: &str) -> u16 {
        match self.routes.get(template).map(|row| row[method as usize]) {
            Some(index) if index != NONE => index,
            _ => self.other,
        }
    }

    /// The behavior's categories in its own order, as positions in the catalog.
    pub(super) fn categories(&self) -> impl Iterator<Item = u16> {
        self.categories.iter().map(|(_, position)| *position)
    }

    /// The category's position in the catalog, or one past the end for an unknown one.
    pub(super) fn category(&self, name: &str) -> u16 {
        let known = self.categories.iter().find(|(known, _)| known == name);
        known.map_or(u16::MAX, |(_, position)| *position)
    }
}

fn position(categories: &[String], name: &str) -> u16 {
    categories
        .iter()
        .position(|c| c == name)
        .map_or(u16::MAX, |p| p as u16)
}

/// The contract's method as HTTP names it.
pub(super) fn method_name(method: types::Method) -> &'static str {
    match method {
        types::Method::Get => "GET",
        types::Method::Head => "HEAD",
        types::Method::Post => "POST",
        types::Method::Put => "PUT",
        types::Method::Patch => "PATCH",
        types::Method::Delete => "DELETE",
        types::Method::Options => "OPTIONS",
    }
}
