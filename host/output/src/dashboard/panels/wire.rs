//! Where the time of requests goes, and what becomes of connections; part of [`super::rows`].

use super::super::query::Queries;
use super::{Row, Visualization, lines, panel};
use vespeiro_metrics::families::table::{
    ADDRESS_REQUESTS, CONNECTIONS_CLOSED, CONNECTIONS_OPEN, CONNECTIONS_OPENED, CONNECTIONS_REUSED,
    REQUEST_PHASE_DURATION, REQUESTS, REQUESTS_RESENT, TLS_HANDSHAKES, WIRE,
};

pub(super) fn connections(q: &Queries) -> Row {
    row! { "Phases and connections" {
        panel(Visualization::Stacked, 12, "s", "Where the time goes",
            "Mean time of a request in each phase; blocked is the generator's own, all others are the latency",
            [(q.time_per(&REQUEST_PHASE_DURATION, "phase", &REQUESTS), "{{phase}}")]);
        lines(12, "s", "95th percentile by phase", "Of the requests that spent time in it",
            [(q.quantile(0.95, &REQUEST_PHASE_DURATION, "phase", ""), "{{phase}}")]);
        lines(8, "short", "Open connections", "To the target, of all workers", [(q.sum(&CONNECTIONS_OPEN, "", ""), "open")]);
        lines(8, "ops", "Connections opened and closed", "By whom they were closed, and TLS handshakes by kind",
            [
                (q.rate(&CONNECTIONS_OPENED, "", ""), "opened"),
                (q.rate(&CONNECTIONS_CLOSED, "by", ""), "closed by {{by}}"),
                (q.rate(&TLS_HANDSHAKES, "kind", ""), "{{kind}} handshakes"),
            ]);
        lines(8, "percentunit", "Reused connections", "Part of the requests that went over a connection that had carried one before",
            [(q.per(&CONNECTIONS_REUSED, &REQUESTS, ""), "reused")]);
        lines(8, "reqps", "Requests sent again",
            "stale: the connection had just been closed; unprocessed: the target said that it did not process them",
            [(q.rate(&REQUESTS_RESENT, "why", ""), "{{why}}")]);
        lines(8, "reqps", "Requests by address", "Whether the machines behind the target's name share the load",
            [(q.rate(&ADDRESS_REQUESTS, "address", ""), "{{address}}")]);
        lines(8, "Bps", "On the wire", "Bytes of HTTP, heads and framing included, TLS not",
            [(q.rate(&WIRE, "direction", ""), "{{direction}}")]);
    } }
}
