//! The label tables: what archetype, route, category and version numbers mean. Made by the engine from the behaviors'
//! descriptions, shared by recorders, snapshots and outputs.
//!
//! What must stay true: a swap makes a next generation that only appends, so that a number means the same in every later one;
//! and everything is bounded, since this bounds the metrics' labels.

/// Label of a request whose route the behavior did not announce.
pub const OTHER_ROUTE: &str = "other";
/// Number of a route or a category that is not in the catalog.
pub const UNKNOWN: u16 = u16::MAX;
/// Stands for the versions of an archetype that the catalog has forgotten.
pub const OLDER: u32 = 0;
/// Versions of one archetype that are told apart; the oldest ones are then counted together.
pub const MAX_VERSIONS: usize = 64;

/// Routes of one archetype over all its versions; further ones are [`OTHER_ROUTE`].
const MAX_ROUTES: usize = 1024;
/// Categories over all behaviors; further ones are unknown.
const MAX_CATEGORIES: usize = 256;

/// All labels of one run. An archetype, route or category is known everywhere by its position in here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    pub archetypes: Vec<ArchetypeLabels>,
    /// What the run plays against, its own target first.
    pub targets: Vec<String>,
    /// Keys of the request mix; [`RouteLabel::category`] points in here.
    pub categories: Vec<String>,
    /// The behaviors that play or have played, oldest first.
    pub versions: Vec<VersionLabels>,
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
    /// Of all its versions. A sample's route number points in here; whatever is past the end is [`OTHER_ROUTE`].
    pub routes: Vec<RouteLabel>,
}

/// A method and path template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteLabel {
    /// In capitals: `GET`.
    pub method: String,
    /// Path template: `/api/v1/users/{id}`; of another target than the run's own behind its name: `billing:/invoices`.
    pub path: String,
    /// Position in [`Catalog::categories`].
    pub category: u16,
    /// Position in [`Catalog::targets`].
    pub target: u16,
}

/// One behavior that plays or has played an archetype: the same content is the same version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VersionLabels {
    /// Never given to another version of the run; above [`OLDER`].
    pub number: u32,
    pub archetype: u16,
    /// Name that the behavior gives itself.
    pub behavior: String,
    /// Version that the behavior gives itself.
    pub version: String,
    /// Content hash of the module.
    pub hash: String,
    /// Part of the archetype's new sessions that it gets, 0 to 1.
    pub share: f64,
}

impl VersionLabels {
    pub fn role(&self) -> super::Role {
        super::Role {
            archetype: self.archetype,
            version: self.number,
        }
    }

    /// Short, and different for two builds whose author forgot to raise the version: `0.2.0#1a2b`.
    pub fn short(&self) -> String {
        let hash: String = self.hash.chars().take(4).collect();
        format!("{}#{hash}", self.version)
    }
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

    /// Category of a route; [`OTHER_ROUTE`] past the announced ones.
    pub fn category_of(&self, archetype: u16, route: u16) -> &str {
        self.archetypes
            .get(usize::from(archetype))
            .and_then(|a| a.routes.get(usize::from(route)))
            .map_or(OTHER_ROUTE, |r| self.category(usize::from(r.category)))
    }

    /// Position of a route's target in [`Catalog::targets`]; 0 past the announced ones.
    pub fn target_of(&self, archetype: u16, route: u16) -> u16 {
        self.archetypes
            .get(usize::from(archetype))
            .and_then(|a| a.routes.get(usize::from(route)))
            .map_or(0, |r| r.target)
    }

    /// Name of a target; empty past the known ones.
    pub fn target(&self, target: u16) -> &str {
        self.targets
            .get(usize::from(target))
            .map_or("", String::as_str)
    }

    /// Name of a category; [`OTHER_ROUTE`] past the known ones.
    pub fn category(&self, category: usize) -> &str {
        self.categories
            .get(category)
            .map_or(OTHER_ROUTE, String::as_str)
    }

    /// A version by its number; `None` for [`OLDER`] and whatever was forgotten.
    pub fn version(&self, number: u32) -> Option<&VersionLabels> {
        self.versions.iter().find(|v| v.number == number)
    }

    /// Whether an archetype has been played by more than one behavior.
    pub fn was_swapped(&self, archetype: u16) -> bool {
        let newest = self.versions.iter().rev();
        let mut own = newest.filter(|v| v.archetype == archetype);
        own.next().is_some() && own.next().is_some()
    }

    /// The category's number, a new one if need be; [`UNKNOWN`] when there are too many.
    pub fn add_category(&mut self, name: &str) -> u16 {
        let known = self.categories.iter().position(|c| c == name);
        known.map_or_else(
            || {
                if self.categories.len() >= MAX_CATEGORIES {
                    return UNKNOWN;
                }
                self.categories.push(name.into());
                (self.categories.len() - 1) as u16
            },
            |at| at as u16,
        )
    }

    /// The route's number, a new one if need be; [`UNKNOWN`] when the archetype has too many, or does not exist.
    pub fn add_route(&mut self, archetype: u16, route: RouteLabel) -> u16 {
        let Some(labels) = self.archetypes.get_mut(usize::from(archetype)) else {
            return UNKNOWN;
        };
        let same = |r: &RouteLabel| r.method == route.method && r.path == route.path;
        if let Some(at) = labels.routes.iter().position(same) {
            return at as u16;
        }
        if labels.routes.len() >= MAX_ROUTES {
            return UNKNOWN;
        }
        labels.routes.push(route);
        (labels.routes.len() - 1) as u16
    }

    /// The number of a version by archetype and content, a new one if need be. It gets no sessions yet.
    pub fn add_version(&mut self, version: VersionLabels) -> u32 {
        let of_archetype = |v: &VersionLabels| v.archetype == version.archetype;
        let same = |v: &&VersionLabels| of_archetype(v) && v.hash == version.hash;
        if let Some(known) = self.versions.iter().find(same) {
            return known.number;
        }
        let highest = self.versions.iter().map(|v| v.number).max();
        let number = highest.unwrap_or(OLDER) + 1;
        let archetype = version.archetype;
        self.versions.push(VersionLabels {
            number,
            share: 0.0,
            ..version
        });
        let own = |v: &VersionLabels| v.archetype == archetype;
        if self.versions.iter().filter(|v| own(v)).count() > MAX_VERSIONS
            && let Some(oldest) = self
                .versions
                .iter()
                .position(|v| own(v) && v.share == 0.0 && v.number != number)
        {
            self.versions.remove(oldest);
        }
        number
    }

    /// Give an archetype's new sessions to these versions. The first one is what plays the archetype.
    pub fn share_out(&mut self, archetype: u16, shares: &[(u32, f64)]) {
        for version in &mut self.versions {
            if version.archetype == archetype {
                let given = shares.iter().find(|(number, _)| *number == version.number);
                version.share = given.map_or(0.0, |(_, share)| *share);
            }
        }
        let main = shares.first().and_then(|(number, _)| self.version(*number));
        if let (Some(main), Some(labels)) = (
            main.cloned(),
            self.archetypes.get_mut(usize::from(archetype)),
        ) {
            labels.behavior = main.behavior;
            labels.version = main.version;
            labels.hash = main.hash;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{catalog, version};

    #[test]
    fn what_is_known_keeps_its_number_and_what_is_new_is_appended() {
        let before = catalog();
        let mut after = (*before).clone();
        let route = |path: &str| RouteLabel {
            method: "GET".into(),
            path: path.into(),
            category: 1,
            target: 0,
        };
        assert_eq!(after.add_route(0, route("/api/v1/users/{id}")), 0);
        assert_eq!(after.add_route(0, route("/new")), 3);
        assert_eq!(after.add_route(9, route("/new")), UNKNOWN);
        assert_eq!(after.add_category("auth"), 0);
        assert_eq!(after.add_category("brand-new"), 3);
        assert_eq!(after.archetypes[0].routes[..3], before.archetypes[0].routes);
        assert_eq!(after.categories[..3], before.categories);
    }

    #[test]
    fn the_same_content_is_the_same_version_and_the_oldest_that_rest_are_forgotten() {
        let mut catalog = (*catalog()).clone();
        let first = catalog.add_version(version(0, "aaaa"));
        assert_eq!(catalog.add_version(version(0, "aaaa")), first);
        assert_ne!(catalog.add_version(version(1, "aaaa")), first);
        catalog.share_out(0, &[(first, 1.0)]);
        let numbers: Vec<u32> = (0..100)
            .map(|i| catalog.add_version(version(0, &format!("b{i:03}"))))
            .collect();
        let own = catalog.versions.iter().filter(|v| v.archetype == 0);
        assert_eq!(own.count(), MAX_VERSIONS);
        assert!(catalog.version(first).is_some(), "one that plays is gone");
        assert!(catalog.version(numbers[0]).is_none());
        assert!(catalog.version(numbers[99]).is_some());
        assert!(numbers.is_sorted());
        catalog.share_out(0, &[(numbers[99], 0.9), (first, 0.1)]);
        assert_eq!(catalog.archetypes[0].hash, "b099");
        assert_eq!(catalog.version(first).unwrap().share, 0.1);
        assert!(catalog.was_swapped(0));
    }
}
