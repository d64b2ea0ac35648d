//! Where the time of requests goes, what becomes of connections, and what comes over channels; part of [`super::rows`].

use super::super::query::Queries;
use super::{Row, Visualization, lines, panel};
use vespeiro_metrics::families::table::{
    ADDRESS_REQUESTS, CHANNEL_DURATION, CHANNELS_BROKEN, CHANNELS_OPEN, CHANNELS_OPENED,
    CONNECTIONS_CLOSED, CONNECTIONS_OPEN, CONNECTIONS_OPENED, CONNECTIONS_REUSED,
    FIRST_MESSAGE_DURATION, MESSAGES, REQUEST_PHASE_DURATION, REQUESTS, REQUESTS_RESENT,
    TLS_HANDSHAKES, WIRE,
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

pub(super) fn channels(q: &Queries) -> Row {
    row! { "Channels" {
        lines(8, "short", "Open channels", "WebSockets and streams of events, of all workers",
            [(q.sum(&CHANNELS_OPEN, "protocol", ""), "{{protocol}}")]);
        lines(8, "ops", "Channels opened and broken", "One that breaks was not closed by either side",
            [
                (q.rate(&CHANNELS_OPENED, "protocol", ""), "{{protocol}} opened"),
                (q.rate(&CHANNELS_BROKEN, "protocol", ""), "{{protocol}} broken"),
            ]);
        lines(8, "ops", "Messages", "dropped: received, and taken by no session in time",
            [(q.rate(&MESSAGES, "protocol, direction", ""), "{{protocol}} {{direction}}")]);
        lines(12, "s", "Time to the first message, 95th percentile", "From when a channel was open",
            [(q.quantile(0.95, &FIRST_MESSAGE_DURATION, "protocol", ""), "{{protocol}}")]);
        lines(12, "s", "Time that channels were open, median", "Of those that have ended",
            [(q.quantile(0.5, &CHANNEL_DURATION, "protocol", ""), "{{protocol}}")]);
    } }
}
