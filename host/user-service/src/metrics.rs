//! `/health` and `/metrics`.

use std::fmt::Write;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;
use crate::reply::{self, Reply};

/// `GET /health`
pub async fn health() -> Reply {
    reply::json(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /metrics`, in Prometheus' text format.
pub async fn scrape(State(app): State<App>) -> Response {
    let mut text = String::with_capacity(8 * 1024);
    match render(&app, &mut text) {
        Ok(()) => (
            [(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn render(app: &App, text: &mut String) -> std::fmt::Result {
    text.push_str("# HELP user_service_requests_total Requests received, each counted once when its answer is made.\n");
    text.push_str("# TYPE user_service_requests_total counter\n");
    app.ledger().write(text)?;
    app.hub().write(text)?;
    let gauges = {
        let now = app.now();
        let mut store = app.write();
        store.sessions.sweep(now);
        [
            ("users", "Users that exist.", store.users.len()),
            ("profiles", "Profiles that exist.", store.users.profiles()),
            ("roles", "Roles that exist.", store.roles.len()),
            (
                "permissions",
                "Permissions that exist.",
                store.permissions.len(),
            ),
            (
                "role_assignments",
                "Pairs of user and role.",
                store.users.assignments(),
            ),
            (
                "sessions",
                "Sessions that can still act or be refreshed.",
                store.sessions.len(),
            ),
        ]
    };
    for (name, help, value) in gauges {
        writeln!(text, "# HELP user_service_{name} {help}")?;
        writeln!(text, "# TYPE user_service_{name} gauge")?;
        writeln!(text, "user_service_{name} {value}")?;
    }
    Ok(())
}
