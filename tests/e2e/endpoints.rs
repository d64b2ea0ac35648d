//! The four archetypes together use the whole service, and use it rightly.

use std::collections::BTreeSet;

use crate::support::{RunOf, Service};

/// The table of the issue that the service was built from.
const ENDPOINTS: [(&str, &str); 33] = [
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/me"),
    ("GET", "/api/v1/users"),
    ("GET", "/api/v1/users/search"),
    ("GET", "/api/v1/users/{id}"),
    ("GET", "/api/v1/users/email/{email}"),
    ("GET", "/api/v1/users/username/{username}"),
    ("POST", "/api/v1/users"),
    ("PUT", "/api/v1/users/{id}"),
    ("DELETE", "/api/v1/users/{id}"),
    ("PUT", "/api/v1/users/{id}/activate"),
    ("PUT", "/api/v1/users/{id}/deactivate"),
    ("PUT", "/api/v1/users/{id}/change-password"),
    ("PUT", "/api/v1/users/{id}/reset-password"),
    ("POST", "/api/v1/users/{userId}/profile"),
    ("GET", "/api/v1/users/{userId}/profile"),
    ("PUT", "/api/v1/users/{userId}/profile"),
    ("DELETE", "/api/v1/users/{userId}/profile"),
    ("GET", "/api/v1/roles"),
    ("POST", "/api/v1/roles"),
    ("GET", "/api/v1/roles/{id}"),
    ("PUT", "/api/v1/roles/{id}"),
    ("DELETE", "/api/v1/roles/{id}"),
    ("GET", "/api/v1/permissions"),
    ("POST", "/api/v1/permissions"),
    ("GET", "/api/v1/permissions/{id}"),
    ("PUT", "/api/v1/permissions/{id}"),
    ("DELETE", "/api/v1/permissions/{id}"),
    ("GET", "/api/v1/users/{userId}/roles"),
    ("POST", "/api/v1/users/{userId}/roles/{roleId}"),
    ("DELETE", "/api/v1/users/{userId}/roles/{roleId}"),
];

#[test]
fn a_modest_run_uses_every_endpoint_and_meets_no_unexpected_failure() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        "--users 20 --min-request-count 30 --max-request-count 60 --delay-min 0 --delay-max 5ms --seed 7 --workers 2",
    );
    let ledger = service.ledger(1);

    let used: BTreeSet<_> = ledger
        .keys()
        .map(|(method, route, _)| (method.as_str(), route.as_str()))
        .collect();
    assert_eq!(used, BTreeSet::from(ENDPOINTS));
    let refused: Vec<_> = ledger
        .keys()
        .filter(|(.., status)| *status >= 400)
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(played.errors(), 0);
    for archetype in ["newcomer", "active", "admin", "power"] {
        assert_eq!(played.sessions(archetype, "failed"), 0, "{archetype}");
        assert_eq!(played.sessions(archetype, "crashed"), 0, "{archetype}");
        assert!(played.sessions(archetype, "completed") > 0, "{archetype}");
    }
    assert_eq!(
        played.archetypes(),
        ["newcomer", "active", "admin", "power"]
    );
}
