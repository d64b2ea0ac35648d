//! The alerts and when they fire, in one table that [`super::rules`] writes. The bounds are a place to start from; those
//! of the generator are the same as in panel and summary.

use super::query::Queries;
use vespeiro_metrics::families::table::{
    ARRIVALS_DROPPED, AUTHENTICATIONS, BREAKER_STATE, CATEGORY_REQUESTS, CHECKS, ERRORS,
    MIX_TARGET, PROCESS_CPU, PROCESS_RESIDENT_MEMORY, REQUEST_DURATION, REQUESTS,
    REQUESTS_NOT_SENT, SCHEDULING_LAG, SESSIONS_ENDED, THRESHOLD_CROSSED, TRAPS, USABLE_CORES,
};

pub(super) struct Alert {
    pub(super) name: &'static str,
    pub(super) query: String,
    pub(super) trigger: Trigger,
    /// How long the condition has to hold.
    pub(super) hold: &'static str,
    pub(super) severity: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Trigger {
    Above(f64),
    Below(f64),
}

/// Each row: name, severity, how long it has to hold, query, trigger, summary and description.
macro_rules! alerts {
    ($($name:literal $severity:literal $hold:literal: $query:expr, $trigger:ident($at:literal), $summary:literal, $description:literal;)*) => {
        vec![$(Alert {
            name: $name,
            query: $query,
            trigger: Trigger::$trigger($at),
            hold: $hold,
            severity: $severity,
            summary: $summary,
            description: $description,
        }),*]
    };
}

/// One series for each generator.
const EACH: &str = "job, instance";

pub(super) fn alerts(q: &Queries) -> Vec<Alert> {
    alerts! {
        "VespeiroErrors" "critical" "1m": q.per(&ERRORS, &REQUESTS, EACH), Above(0.05),
            "More than 5 % of the requests fail",
            "{{ $value | humanizePercentage }} of the requests fail though nobody asked for it. See the panel Errors by kind.";
        "VespeiroSlow" "warning" "1m": q.quantile(0.95, &REQUEST_DURATION, EACH, ""), Above(1.0),
            "The 95th percentile is over a second",
            "The 95th percentile is {{ $value | humanizeDuration }}. See the panels of the row Routes.";
        "VespeiroLoginsRefused" "warning" "1m":
            q.part_of(&AUTHENTICATIONS, EACH, r#"result="refused", expected="false""#), Above(0.05),
            "Logins are refused",
            "{{ $value | humanizePercentage }} of the logins and token requests are refused though nobody asked for it.";
        "VespeiroNoRequests" "critical" "2m": q.rate(&REQUESTS, EACH, ""), Below(0.01),
            "The run sends nothing",
            "The run goes on, but no request has been sent for a while: the target may hold all connections.";
        "VespeiroThresholdCrossed" "warning" "0s":
            format!("max by (job, instance, threshold) ({})", q.raw(&THRESHOLD_CROSSED, "")), Above(0.0),
            "A threshold of the run is crossed",
            "{{ $labels.threshold }} does not hold as the run stands.";
        "VespeiroArrivalsDropped" "warning" "30s": q.rate(&ARRIVALS_DROPPED, EACH, ""), Above(0.0),
            "Arrivals are dropped",
            "{{ $value | humanize }} sessions per second find no user in time: the load is less than was asked for.";
        "VespeiroBreakerOpen" "critical" "30s": q.sum(&BREAKER_STATE, EACH, r#"state="open""#), Above(0.0),
            "A circuit breaker is open",
            "The breakers of {{ $value }} workers are open: the target fails, and they send nothing but probes.";
        "VespeiroHeldBack" "warning" "0s": q.rate(&REQUESTS_NOT_SENT, EACH, r#"failure="circuit-open""#), Above(0.0),
            "The breaker holds requests back",
            "{{ $value | humanize }} requests per second are held back because the target failed too often.";
        "VespeiroSessionsFail" "warning" "1m":
            q.part_of(&SESSIONS_ENDED, EACH, r#"ending=~"failed|crashed""#), Above(0.05),
            "Sessions end by the behavior's own fault",
            "{{ $value | humanizePercentage }} of the sessions fail or crash. See the log of the run.";
        "VespeiroBehaviorTraps" "warning" "0s": q.increase(&TRAPS, "job, instance, archetype", ""), Above(0.0),
            "A behavior traps",
            "The behavior of {{ $labels.archetype }} has trapped: the sessions of its instance are lost.";
        "VespeiroChecksFail" "warning" "1m": q.part_of(&CHECKS, EACH, r#"result="failed""#), Above(0.01),
            "Checks fail",
            "{{ $value | humanizePercentage }} of the behaviors' checks fail: the target answers, but not with what it should.";
        "VespeiroMixMissed" "info" "5m": mix_distance(q), Above(0.05),
            "The request mix is not what was asked for",
            "A category is {{ $value | humanizePercentage }} of all requests away from its share.";
        "VespeiroGeneratorBusy" "warning" "30s":
            format!("{} / {}", q.rate(&PROCESS_CPU, EACH, ""), q.sum(&USABLE_CORES, EACH, "")), Above(0.9),
            "The generator is the limit",
            "The generator keeps {{ $value | humanizePercentage }} of its cores busy: its figures are not the target's alone.";
        "VespeiroGeneratorLate" "warning" "30s": q.quantile(0.99, &SCHEDULING_LAG, EACH, ""), Above(0.01),
            "The generator is late",
            "Timers fire {{ $value | humanizeDuration }} late: the figures are not the target's alone.";
        "VespeiroMemoryGrows" "warning" "15m":
            format!("sum by ({EACH}) (deriv({}[15m])) * 3600", q.raw(&PROCESS_RESIDENT_MEMORY, "")), Above(104_857_600.0),
            "The generator's memory grows",
            "Resident memory grows by {{ $value | humanize1024 }}B an hour.";
    }
}

/// How far the worst category is from its share, by generator.
fn mix_distance(q: &Queries) -> String {
    let by_category = q.rate(&CATEGORY_REQUESTS, "job, instance, category", "");
    let all = q.rate(&CATEGORY_REQUESTS, EACH, "");
    let target = q.raw(&MIX_TARGET, "");
    format!(
        "max by ({EACH}) (abs({by_category} / on (job, instance) group_left () {all} \
         - on (job, instance, category) {target}))"
    )
}
