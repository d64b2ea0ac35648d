//! The label tables: what archetype, route and category numbers mean. Made once by `run` from the behaviors'
//! descriptions, then shared by recorders, snapshots and reports. It is what bounds every label of the metrics.

/// Label of a request whose route the behavior did not announce.
pub const OTHER_ROUTE: &str = "other";

/// All labels of one run. An archetype, route or category is known everywhere by its position in here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    pub archetypes: Vec<ArchetypeLabels>,
    /// Keys of the request mix; [`RouteLabel::category`] points in here.
    pub categories: Vec<String>,
}

/// One archetype and the behavior that plays it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchetypeLabels {
    pub name: String,
    /// Name that the behavior gives itself.
    pub behavior: String,
    /// Version that the behavior gives itself.
    pub version: String,
    /// Content hash of the module.
    pub hash: String,
    /// A sample's route number points in here; `routes.len()` stands for [`OTHER_ROUTE`].
    pub routes: Vec<RouteLabel>,
}

/// A method and path template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteLabel {
    /// In capitals: `GET`.
    pub method: String,
    /// Path template: `/api/v1/users/{id}`.
    pub path: String,
    /// Position in [`Catalog::categories`].
    pub category: u16,
}

impl Catalog {
    /// Name of an archetype; empty for a number that is not in the catalog.
    pub fn archetype(&self, archetype: u16) -> &str {
        self.archetypes
            .get(usize::from(archetype))
            .map_or("", |a| a.name.as_str())
    }

    /// Method and path template of a route; `-` and [`OTHER_ROUTE`] past the announced ones.
    pub fn route(&self, archetype: u16, route: u16) -> (&str, &str) {
        self.archetypes
            .get(usize::from(archetype))
            .and_then(|a| a.routes.get(usize::from(route)))
            .map_or(("-", OTHER_ROUTE), |r| (r.method.as_str(), r.path.as_str()))
    }

    /// Name of a category; [`OTHER_ROUTE`] past the known ones.
    pub fn category(&self, category: usize) -> &str {
        self.categories
            .get(category)
            .map_or(OTHER_ROUTE, String::as_str)
    }
}
