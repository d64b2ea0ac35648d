//! From the words of a behavior's requests to the small numbers that the recorder counts under.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;

use vespeiro_behavior::{Behavior, types};
use vespeiro_metrics::{
    ArchetypeLabels, Catalog, OLDER, OTHER_ROUTE, Role, RouteLabel, UNKNOWN, VersionLabels,
};
use vespeiro_plan::{MAIN_TARGET, Plan};

/// The label tables of a run: all that a series can be named by.
pub(crate) fn catalog(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Arc<Catalog> {
    let archetypes = plan.archetypes.iter().map(|archetype| ArchetypeLabels {
        name: archetype.name.clone(),
        ..ArchetypeLabels::default()
    });
    let mut catalog = Catalog {
        archetypes: archetypes.collect(),
        targets: plan.all_targets().map(|one| one.name.to_owned()).collect(),
        ..Catalog::default()
    };
    for (archetype, behavior) in behaviors.iter().enumerate() {
        let role = enter(&mut catalog, archetype as u16, behavior);
        catalog.share_out(role.archetype, &[(role.version, 1.0)]);
    }
    Arc::new(catalog)
}

/// Make a behavior known that is to play an archetype: its routes, its categories, its version.
pub(crate) fn enter(catalog: &mut Catalog, archetype: u16, behavior: &Behavior) -> Role {
    for category in &behavior.categories {
        catalog.add_category(category);
    }
    for target in 1..catalog.targets.len() as u16 {
        let path = path_at(catalog, target, OTHER_ROUTE);
        let (method, category) = (NO_METHOD.into(), UNKNOWN);
        let label = RouteLabel {
            method,
            path,
            category,
            target,
        };
        catalog.add_route(archetype, label);
    }
    for route in &behavior.routes {
        let category = catalog.add_category(&route.category);
        let target = target_of(catalog, route);
        let label = RouteLabel {
            method: method(route.method).to_string(),
            path: path_at(catalog, target, &route.path),
            category,
            target,
        };
        catalog.add_route(archetype, label);
    }
    let version = catalog.add_version(VersionLabels {
        archetype,
        behavior: behavior.name.clone(),
        version: behavior.version.clone(),
        hash: behavior.hash.clone(),
        ..VersionLabels::default()
    });
    Role { archetype, version }
}

/// The method of requests to no route that was announced.
const NO_METHOD: &str = "-";

/// What a route at this target is called.
fn path_at(catalog: &Catalog, target: u16, path: &str) -> String {
    match target {
        0 => path.to_owned(),
        _ => format!("{}:{path}", catalog.target(target)),
    }
}

/// The position of a route's target in the catalog.
fn target_of(catalog: &Catalog, route: &types::Route) -> u16 {
    let name = route.target.as_deref().unwrap_or(MAIN_TARGET);
    let mut targets = catalog.targets.iter();
    // One that the plan has not was refused before.
    targets.position(|known| known == name).unwrap_or(0) as u16
}

/// The line for a behavior that has a route at a target which the plan does not declare.
pub(crate) fn undeclared(plan: &Plan, behavior: &Behavior) -> Option<String> {
    let is_declared = |name: &str| plan.all_targets().any(|one| one.name == name);
    let mut routes = behavior.routes.iter();
    routes.find_map(|route| {
        let name = route.target.as_deref().filter(|name| !is_declared(name))?;
        let (source, path) = (&behavior.source, &route.path);
        Some(format!(
            "{source}: its route {path:?} is at the target {name:?}, which the plan does not declare: add [targets.{name}] with its base_url to the plan"
        ))
    })
}

/// One behavior's lookups in the part of an archetype, kept per worker.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) role: Role,
    /// The behavior's own routes in its order, as numbers in the catalog.
    routes: Vec<u16>,
    /// The targets of these routes, as positions in the catalog's.
    targets: Vec<u16>,
    /// By target: what counts there that belongs to none of the routes.
    others: Vec<u16>,
    /// The behavior's own categories in its order, as positions in the catalog's.
    categories: Vec<u16>,
}

impl Labels {
    /// Of a behavior that has been entered into the catalog.
    pub(crate) fn new(behavior: &Behavior, archetype: u16, catalog: &Catalog) -> Self {
        let labels = catalog.archetypes.get(usize::from(archetype));
        let known = labels.map_or(&[][..], |labels| &labels.routes);
        let mut numbers = HashMap::new();
        for (number, route) in known.iter().enumerate() {
            let key = (route.method.as_str(), route.path.clone());
            numbers.insert(key, number as u16);
        }
        let numbered = |method, target, path| {
            let key = (method, path_at(catalog, target, path));
            numbers.get(&key).copied().unwrap_or(UNKNOWN)
        };
        let targets = behavior.routes.iter();
        let targets: Vec<u16> = targets.map(|route| target_of(catalog, route)).collect();
        let routes = behavior.routes.iter().zip(&targets);
        let routes = routes
            .map(|(route, target)| numbered(route.method.as_str(), *target, &route.path))
            .collect();
        let others = 0..catalog.targets.len() as u16;
        let others = others
            .map(|target| numbered(NO_METHOD, target, OTHER_ROUTE))
            .collect();
        let same = |v: &&VersionLabels| v.archetype == archetype && v.hash == behavior.hash;
        let version = catalog
            .versions
            .iter()
            .find(same)
            .map_or(OLDER, |v| v.number);
        let categories = behavior.categories.iter();
        Self {
            role: Role { archetype, version },
            routes,
            targets,
            others,
            categories: categories
                .map(|name| position(&catalog.categories, name))
                .collect(),
        }
    }

    /// The route's number in the catalog; [`UNKNOWN`] for one that the behavior did not describe.
    pub(crate) fn route(&self, route: &types::RouteRef) -> u16 {
        match route {
            types::RouteRef::Described(place) => at(&self.routes, *place),
            types::RouteRef::Undescribed(_) => UNKNOWN,
        }
    }

    /// The target of a route; the run's own for one that the behavior did not describe.
    pub(crate) fn target(&self, route: &types::RouteRef) -> u16 {
        match route {
            types::RouteRef::Described(place) => {
                let target = self.targets.get(usize::from(*place));
                target.copied().unwrap_or_default()
            }
            types::RouteRef::Undescribed(_) => 0,
        }
    }

    /// The number of the route of `behavior`, whose labels these are, that a path at a target belongs to: the one that is it
    /// to the letter, else that with the most of it; for a path of none, what its target has for those.
    pub(crate) fn route_of(
        &self,
        behavior: &Behavior,
        target: u16,
        method: &Method,
        path: &str,
    ) -> u16 {
        let path = path.split('?').next().unwrap_or_default();
        let numbers = self.routes.iter().zip(&self.targets);
        let routes = behavior.routes.iter().zip(numbers);
        let of_method = routes
            .filter(|(route, (_, at))| **at == target && route.method.as_str() == method.as_str());
        let fitting =
            of_method.filter_map(|(route, (number, _))| Some((fits(&route.path, path)?, *number)));
        let best = fitting.max_by_key(|(literal, _)| *literal);
        best.map_or_else(|| at(&self.others, target), |(_, number)| number)
    }

    /// The behavior's categories in its own order, as positions in the catalog.
    pub(crate) fn categories(&self) -> impl Iterator<Item = u16> {
        self.categories.iter().copied()
    }

    /// The category's position in the catalog; [`UNKNOWN`] for one that the behavior did not describe.
    pub(crate) fn category(&self, place: Option<u16>) -> u16 {
        place.map_or(UNKNOWN, |place| at(&self.categories, place))
    }
}

fn at(numbers: &[u16], place: u16) -> u16 {
    let number = numbers.get(usize::from(place));
    number.copied().unwrap_or(UNKNOWN)
}

/// How many segments of a template are those of the path, where it fits; in those with a `{` anything may stand.
fn fits(template: &str, path: &str) -> Option<usize> {
    let (mut literal, mut theirs) = (0, path.split('/'));
    for part in template.split('?').next().unwrap_or_default().split('/') {
        let segment = theirs.next()?;
        match part == segment {
            true => literal += 1,
            false if part.contains('{') && !segment.is_empty() => {}
            false => return None,
        }
    }
    theirs.next().is_none().then_some(literal)
}

fn position(categories: &[String], name: &str) -> u16 {
    categories
        .iter()
        .position(|c| c == name)
        .map_or(UNKNOWN, |p| p as u16)
}

/// The contract's method as HTTP has it.
pub(crate) fn method(method: types::Method) -> Method {
    match method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Patch => Method::PATCH,
        types::Method::Delete => Method::DELETE,
        types::Method::Options => Method::OPTIONS,
    }
}
