//! Checks what a behavior says of itself. Called by `load.rs`.
//!
//! What must stay true: it becomes metric labels and lines on a terminal, so that it has to be bounded and printable.

use super::types::{Description, Method, Route};

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
        if route.grpc && !is_grpc(route) {
            return Err(format!(
                "the gRPC route {:?} is not of the form POST /package.Service/Method",
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

/// The path of a method of gRPC is a service and a method.
fn is_grpc(route: &Route) -> bool {
    let mut parts = route.path.split('/').skip(1);
    let is_name = |part: Option<&str>| {
        part.is_some_and(|name| !name.is_empty() && !name.contains(['{', '?', '#', ' ']))
    };
    route.method == Method::Post
        && is_name(parts.next())
        && is_name(parts.next())
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_of_grpc_is_a_service_and_a_method() {
        let told = |method, path: &str| {
            validate(&Description {
                name: "one".into(),
                version: "1.0.0".into(),
                routes: vec![Route {
                    method,
                    path: path.into(),
                    category: "query".into(),
                    target: None,
                    grpc: true,
                }],
                categories: vec!["query".into()],
                once: Vec::new(),
            })
        };
        assert_eq!(told(Method::Post, "/pkg.v1.Users/Get"), Ok(()));
        for (method, path) in [
            (Method::Get, "/pkg.Users/Get"),
            (Method::Post, "/pkg.Users"),
            (Method::Post, "/pkg.Users/"),
            (Method::Post, "//Get"),
            (Method::Post, "/pkg.Users/Get/more"),
            (Method::Post, "/pkg.Users/{id}"),
        ] {
            let told = told(method, path).unwrap_err();
            assert!(told.contains("POST /package.Service/Method"), "{told}");
        }
    }
}
