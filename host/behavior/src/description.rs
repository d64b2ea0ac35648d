//! Checks what a behavior says of itself. Called by `load.rs`.
//!
//! What must stay true: it becomes metric labels and lines on a terminal, so that it has to be bounded and printable.

use super::types::Description;

/// Most routes that a behavior may describe: they become metric labels.
const MAX_ROUTES: usize = 512;
/// Most categories that a behavior may describe.
const MAX_CATEGORIES: usize = 32;
/// Longest name, version, category or path template, in bytes.
const MAX_LABEL: usize = 200;

/// Bounded, printable, and consistent with itself.
pub(super) fn validate(description: &Description) -> Result<(), String> {
    let label = |what: &str, text: &str| {
        if text.is_empty() || text.len() > MAX_LABEL || text.chars().any(char::is_control) {
            return Err(format!(
                "{what} must have 1 to {MAX_LABEL} bytes and no control character"
            ));
        }
        Ok(())
    };
    label("its name", &description.name)?;
    label("its version", &description.version)?;
    if description.routes.len() > MAX_ROUTES {
        return Err(format!(
            "{} routes, and {MAX_ROUTES} are allowed",
            description.routes.len()
        ));
    }
    if description.categories.len() > MAX_CATEGORIES {
        return Err(format!(
            "{} categories, and {MAX_CATEGORIES} are allowed",
            description.categories.len()
        ));
    }
    for category in &description.categories {
        label("a category", category)?;
    }
    for route in &description.routes {
        label("a route's path", &route.path)?;
        if !route.path.starts_with('/') {
            return Err(format!(
                "the route {:?} does not start with a slash",
                route.path
            ));
        }
        if let Some(target) = &route.target {
            label("the target of a route", target)?;
        }
        if !description.categories.contains(&route.category) {
            return Err(format!(
                "the route {:?} has the category {:?}, which is not among its categories",
                route.path, route.category
            ));
        }
    }
    Ok(())
}
