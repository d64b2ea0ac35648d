//! Every setting there is, declared once: key, default, form and help stand where the value goes into the [`Plan`].
//! Flags, `VESPEIRO_*` variables, plan file keys, help texts and `vespeiro plan` all follow from this one function.

use std::path::Path;
use std::time::Duration;

use super::condition::{conditions, thresholds};
use super::forms::{
    base_url, choice, count, duration, headers, hosts, path, receiver, run_id, secret, size,
    socket_address, switch, text, timeseries,
};
use super::guard::degradation;
use super::layers::{Fallback, Heading, Reader, Setting};
use super::mix::{error_mix, request_mix};
use super::profile::{NAMES, Parts, rate, stages};
use super::start::start_at;
use super::units::Bare::{Milliseconds, Seconds};
use super::{
    Admin, Archetype, Arrivals, BreakerRules, CleanUp, Cleanup, Control, Guard, Guest, HttpVersion,
    Language, Load, LogLevel, Module, Output, OwnLoad, Plan, Pool, Profile, Regard, Target,
    scenario,
};

/// The languages by name.
pub const LANGUAGES: &[(&str, Language)] =
    &[("en", Language::English), ("pt-BR", Language::Portuguese)];
const LOG_LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];
const CLEAN_UPS: &[(&str, CleanUp)] = &[
    ("always", CleanUp::Always),
    ("on-success", CleanUp::OnSuccess),
    ("never", CleanUp::Never),
];
pub(super) const ARRIVALS: &[(&str, Arrivals)] = &[
    ("requests", Arrivals::Requests),
    ("sessions", Arrivals::Sessions),
];
const ON_OFF: &[(&str, bool)] = &[("on", true), ("off", false)];
const HTTP_VERSIONS: &[(&str, HttpVersion)] = &[
    ("auto", HttpVersion::Auto),
    ("1", HttpVersion::Http1),
    ("2", HttpVersion::Http2),
];

/// The longest pause that the contract lets a step ask for.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
pub(super) const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// A receiver that keeps more than a few samples a second of each series is rare.
const SOON: Duration = Duration::from_millis(100);
pub(super) const A_MOMENT: Duration = Duration::from_millis(1);
const A_PAGE: usize = 64 << 10;
/// All that 32-bit linear memory can address.
const ALL_PAGES: usize = 4 << 30;

/// Reads a whole plan, all but its archetypes. `locale` is the user's, as in `LANG`; `state` is the folder for journals.
pub(super) fn read_plan(r: &mut Reader<'_>, locale: Option<&str>, state: Option<&Path>) -> Plan {
    r.under(Heading::Plan);
    let scenario = r.read(
        "scenario",
        "mixed",
        text("NAME"),
        format!(
            "Preset to start from: {}; or a .toml file",
            scenario::names()
        ),
    );
    let seed = r.read(
        "seed",
        random_seed(),
        count(0..=u64::MAX),
        "Where all randomness comes from; repeats a run exactly where mix and error_mix are off",
    );
    let run_id = r.read(
        "run_id",
        random_run_id(),
        run_id(),
        "Marks all that the run creates",
    );

    r.under(Heading::Load);
    let parts = Parts {
        name: r.read(
            "profile",
            "auto",
            choice("NAME", NAMES),
            "Load profile; auto: what rate, stage and requests make of it",
        ),
        users: r.read(
            "users",
            "100",
            count(1..=u32::MAX),
            "Virtual users, all at the same time",
        ),
        requests: r.read(
            "requests",
            "none",
            count(1..=u64::MAX).or_none(),
            "Send so many requests in all, whoever sends them",
        ),
        rate: r.read(
            "rate",
            "none",
            rate().or_none(),
            "Arrivals in a time, however slow the target is: 500/s, 90/m",
        ),
        stages: r.read(
            "stage",
            "none",
            stages(),
            "Go to so many users, or to such a rate, within this time; repeatable, one after the other",
        ),
        pool: Pool {
            users: 0,
            max_users: r.read(
                "max_users",
                "1000",
                count(1..=u32::MAX),
                "With a rate: most users that may be there to take arrivals",
            ),
            arrivals: r.read(
                "arrivals",
                "requests",
                choice("WHAT", ARRIVALS),
                "With a rate: what arrives, single requests or whole sessions",
            ),
            max_wait: r.read(
                "max_wait",
                "10s",
                duration(Seconds, Duration::ZERO..=LONGEST_PAUSE),
                "With a rate: longest that an arrival waits for a free user before it is dropped",
            ),
        },
    };
    let start_at = r.read(
        "start_at",
        "none",
        start_at().or_none(),
        "Begin at this moment, or so long from now, so that several generators begin together",
    );
    let profile = match parts.profile("") {
        Ok(profile) => profile,
        Err((key, bad)) => {
            r.refuse(key, bad);
            Profile::UserBudget { users: parts.users }
        }
    };
    let load = Load {
        profile,
        pool: parts.pool,
        start_at,
        users: parts.users,
        min_request_count: r.read(
            "min_request_count",
            "10",
            count(1..=u32::MAX),
            "Fewest requests of a user",
        ),
        max_request_count: r.read(
            "max_request_count",
            "1000",
            count(1..=u32::MAX),
            "Most requests of a user",
        ),
        duration: r.read(
            "duration",
            "none",
            duration(Seconds, A_MOMENT..=LONGEST).or_none(),
            "End the run after this long; bare numbers are seconds",
        ),
        ramp_up: r.read(
            "ramp_up",
            "0s",
            duration(Seconds, Duration::ZERO..=LONGEST),
            "Spread the users' starts over this long; bare numbers are seconds",
        ),
        grace: r.read(
            "grace",
            "30s",
            duration(Seconds, Duration::ZERO..=LONGEST_PAUSE),
            "How long requests under way may take to finish when the run stops",
        ),
        delay_min: r.read(
            "delay_min",
            "100ms",
            duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Shortest pause between two steps of a user; bare numbers are milliseconds",
        ),
        delay_max: r.read(
            "delay_max",
            "2s",
            duration(Milliseconds, Duration::ZERO..=LONGEST_PAUSE),
            "Longest pause between two steps of a user; bare numbers are milliseconds",
        ),
    };
    let mix = r.read(
        "mix",
        "auth=20,user-query=35,user-mutation=15,profile=15,role-permission=10,admin=5",
        request_mix(),
        "Shares of the requests by category, in percent, or off; [mix.requests] in a plan file",
    );
    let error_mix = r.read(
        "error_mix",
        "success=85,client=12,server=3",
        error_mix(),
        "Shares of successes and of errors made on purpose, in percent, or off; [mix.errors] in a plan file",
    );
    let workers = r.read(
        "workers",
        cores(),
        count(1..=1024),
        "OS threads that play users",
    );

    r.under(Heading::Target);
    let target = Target {
        base_url: r.read("base_url", "http://localhost:9501", base_url(), "The service under test"),
        allow_host: r.read(
            "allow_host",
            "none",
            hosts(),
            "Hosts, with commas, that may be played against though they are neither this machine nor private",
        ),
        insecure: r.read("insecure", "false", switch(), "Accept any TLS certificate"),
        http: r.read("http", "auto", choice("VERSION", HTTP_VERSIONS), "HTTP version: auto, 1, or 2 without asking"),
        compressed: r.read("compressed", "false", switch(), "Ask for gzip, and decode it"),
        connect_timeout: r.read(
            "connect_timeout",
            "5s",
            duration(Seconds, A_MOMENT..=LONGEST_PAUSE),
            "Longest wait for a connection; bare numbers are seconds",
        ),
        request_timeout: r.read(
            "request_timeout",
            "30s",
            duration(Seconds, A_MOMENT..=LONGEST_PAUSE),
            "Longest wait for a whole response; bare numbers are seconds",
        ),
        max_connections: r.read(
            "max_connections",
            "1024",
            count(0..=1_000_000),
            "Most requests in flight over all workers; 0 for no cap",
        ),
        trace_context: r.read(
            "trace_context",
            "false",
            switch(),
            "Send a W3C traceparent with each request, so that it can be found in the target's traces",
        ),
        max_body: r.read("max_body", "1MiB", size(1..=ALL_PAGES), "Largest response body; bare numbers are bytes"),
        admin: Admin {
            email: r.read("admin_email", "admin@example.test", text("EMAIL"), "Account of the privileged archetypes"),
            password: r.read(
                "admin_password",
                "Admin123!",
                secret(),
                "Its password, never printed; VESPEIRO_ADMIN_PASSWORD keeps it out of the process list",
            ),
        },
    };

    let regard = regard(r);

    r.under(Heading::Behaviors);
    let guest = Guest {
        memory: r.read(
            "guest_memory",
            "1GiB",
            size(A_PAGE..=ALL_PAGES),
            "Most memory of one behavior in one worker; bare numbers are bytes",
        ),
        call_timeout: r.read(
            "guest_timeout",
            "100ms",
            duration(Milliseconds, A_MOMENT..=LONGEST_PAUSE),
            "Longest time of one call into a behavior; bare numbers are milliseconds",
        ),
        cache: r.read("cache", "true", switch(), "Keep compiled behaviors on disk"),
    };

    r.under(Heading::Guard);
    let guard = Guard {
        abort_on: r.read(
            "abort_on",
            "none",
            conditions(),
            "Stop the run when this holds, for instance 'error_rate>50%:30s'; repeatable",
        ),
        degradation: r.read(
            "degradation",
            "10:2m",
            degradation(),
            "Stop the run when latency or errors are this many times those of its beginning, or off",
        ),
        thresholds: r.read(
            "threshold",
            "none",
            thresholds(),
            "What should hold, for instance 'p95<500ms'; repeatable; [thresholds] in a plan file",
        ),
    };

    r.under(Heading::Cleanup);
    let cleanup = Cleanup {
        when: r.read(
            "cleanup",
            "always",
            choice("WHEN", CLEAN_UPS),
            "Remove what the run has created: always, on-success or never",
        ),
        rate: r.read(
            "cleanup_rate",
            "200",
            count(1..=1_000_000),
            "Most requests per second of the cleanup",
        ),
        archetype: cleaner(r.read(
            "cleanup_archetype",
            "admin",
            text("NAME"),
            "Archetype that cleans up, of the plan or built in",
        )),
        journal: r.read(
            "journal",
            journal(&run_id, state),
            path(),
            "Keep the journal of what the run creates in this file",
        ),
    };

    r.under(Heading::Output);
    let output = Output {
        metrics: r.read(
            "metrics",
            "none",
            socket_address().or_none(),
            "Serve Prometheus metrics on this address, for instance 127.0.0.1:9090",
        ),
        remote_write: r.read(
            "remote_write",
            "none",
            receiver("/api/v1/write", &[]).or_none(),
            "Push metrics by Prometheus remote write, for instance to http://127.0.0.1:9090",
        ),
        otlp: r.read(
            "otlp",
            "none",
            receiver("/v1/metrics", &["", "/api/v1/otlp", "/otlp"]).or_none(),
            "Push metrics by OTLP over HTTP, for instance to http://127.0.0.1:4318",
        ),
        push_interval: r.read(
            "push_interval",
            "5s",
            duration(Seconds, SOON..=LONGEST_PAUSE),
            "Time between two pushes; bare numbers are seconds",
        ),
        push_headers: r.read(
            "push_headers",
            "none",
            headers(),
            "Headers of every push, as Authorization=Bearer x,X-Scope-OrgID=team; never printed",
        ),
        native_histograms: r.read(
            "native_histograms",
            "false",
            switch(),
            "Push exponential histograms (Prometheus calls them native) instead of fixed buckets",
        ),
        panel: r.read(
            "panel",
            "true",
            switch(),
            "Draw the live panel on a terminal",
        ),
        language: r.read(
            "lang",
            locale_language(locale),
            choice("LANG", LANGUAGES),
            "Language: en or pt-BR",
        ),
        summary_json: r.read(
            "summary_json",
            "none",
            path().or_none(),
            "Write the summary to this file, as JSON",
        ),
        trace_record: r.read(
            "trace_record",
            "none",
            path().or_none(),
            "Record one user's replies in this file, for vespeiro trace --replies",
        ),
        trace_user: r.read(
            "trace_user",
            "0",
            count(0..=u32::MAX),
            "The user whose replies are recorded",
        ),
        junit: r.read(
            "junit",
            "none",
            path().or_none(),
            "Write thresholds and checks to this file, as JUnit XML",
        ),
        html: r.read(
            "html",
            "none",
            path().or_none(),
            "Write the summary to this file, as a page with charts",
        ),
        timeseries: r.read(
            "timeseries",
            "none",
            timeseries(),
            "Write one row a second to this file: .csv or .jsonl",
        ),
        slowest: r.read(
            "slowest",
            "10",
            count(0..=1000),
            "Name so many of the slowest requests in the summary",
        ),
        log: r.read(
            "log",
            "warn",
            choice("LEVEL", LOG_LEVELS),
            "Log on standard error: error, warn, info or debug",
        ),
    };

    let control = Control {
        address: r.read(
            "control",
            "none",
            socket_address().or_none(),
            "Let the run be steered on this address, for instance 127.0.0.1:7070: vespeiro swap, and GET /status",
        ),
        token: r.read(
            "control_token",
            "none",
            secret().or_none(),
            "What whoever steers has to know; needed where others can reach the address; never printed",
        ),
        watch: r.read(
            "watch",
            "true",
            switch(),
            "Swap an archetype's behavior when its module file changes",
        ),
        page: r.read(
            "ui",
            "none",
            socket_address().or_none(),
            "Serve a live page on this address, for instance 127.0.0.1:7071: watch the run in a browser, and steer it",
        ),
    };

    // Straight after the reading, so that a line about two settings stands beside those about one.
    r.in_order(
        "min_request_count",
        "max_request_count",
        load.min_request_count <= load.max_request_count,
    );
    r.in_order("delay_min", "delay_max", load.delay_min <= load.delay_max);

    Plan {
        scenario,
        run_id,
        seed,
        workers,
        target,
        regard,
        load,
        mix,
        error_mix,
        archetypes: Vec::new(),
        guest,
        guard,
        cleanup,
        control,
        output,
    }
}

fn regard(r: &mut Reader<'_>) -> Regard {
    let on = r.read(
        "breaker",
        "on",
        choice("WHEN", ON_OFF),
        "Circuit breaker: send nothing for a while when the target fails; off for stress tests",
    );
    let rules = BreakerRules {
        threshold: f64::from(r.read(
            "breaker_threshold",
            "50",
            count::<u32>(1..=100),
            "Failures, in percent of the last requests, that open the breaker",
        )) / 100.0,
        volume: r.read(
            "breaker_volume",
            "20",
            count(1..=1_000_000),
            "Fewest requests of a worker that the breaker judges by",
        ),
        window: r.read(
            "breaker_window",
            "10s",
            duration(Seconds, Duration::from_millis(100)..=LONGEST_PAUSE),
            "How far back the breaker looks; bare numbers are seconds",
        ),
        cool_down: r.read(
            "breaker_cool_down",
            "5s",
            duration(Seconds, A_MOMENT..=LONGEST_PAUSE),
            "How long the breaker stays open, and up to half as long again; bare numbers are seconds",
        ),
        probes: r.read(
            "breaker_probes",
            "3",
            count(1..=1_000),
            "Requests that have to succeed before the breaker closes",
        ),
    };
    Regard {
        breaker: on.then_some(rules),
        backoff: r.read(
            "backoff",
            "on",
            choice("WHEN", ON_OFF),
            "Wait after 429, Retry-After and failed connections; off for stress tests",
        ),
        retries: r.read(
            "retries",
            "0",
            count(0..=100),
            "Send GET, HEAD, PUT, DELETE and OPTIONS again that failed, up to so many times",
        ),
        max_auth_failures: r.read(
            "max_auth_failures",
            "30",
            count(1..=1_000_000).or_none(),
            "Most refused logins per minute, beyond which nobody logs in for a while",
        ),
    }
}

/// All settings in the order in which they are declared, for help texts and tests.
pub fn settings() -> Vec<Setting> {
    let mut reader = Reader::new(&[]);
    read_plan(&mut reader, None, None);
    reader.lines.into_iter().map(|line| line.setting).collect()
}

fn random_seed() -> Fallback {
    Fallback::Made {
        text: rand::random::<u64>().to_string(),
        from: "random",
    }
}

fn random_run_id() -> Fallback {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let text = (0..8)
        .map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]))
        .collect();
    Fallback::Made {
        text,
        from: "random",
    }
}

/// Stands for the archetype until the cast is known.
fn cleaner(name: String) -> Archetype {
    Archetype {
        module: Module::BuiltIn(name.clone()),
        name,
        weight: 1,
        config: serde_json::json!({}),
        own: OwnLoad::default(),
    }
}

fn journal(run_id: &str, state: Option<&Path>) -> Fallback {
    let name = format!("{run_id}.journal");
    let text = state
        .map(|state| state.join("vespeiro").join(&name).display().to_string())
        // The form of a path would refuse it, and nobody has said it.
        .filter(|text| !text.contains(char::is_control));
    Fallback::Made {
        text: text.unwrap_or_else(|| format!("vespeiro-{name}")),
        from: "state folder",
    }
}

fn cores() -> Fallback {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(1024));
    Fallback::Made {
        text: cores.to_string(),
        from: "available cores",
    }
}

fn locale_language(locale: Option<&str>) -> Fallback {
    let text = if locale.is_some_and(|locale| locale.starts_with("pt")) {
        "pt-BR"
    } else {
        "en"
    };
    Fallback::Made {
        text: text.to_owned(),
        from: "locale",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_written_the_same_way() {
        let mut keys: Vec<_> = settings().iter().map(|setting| setting.key).collect();
        assert!(
            keys.iter()
                .all(|key| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
        let declared = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), declared);
    }

    #[test]
    fn the_flag_and_the_variable_follow_from_the_key() {
        let settings = settings();
        let setting = settings
            .iter()
            .find(|setting| setting.key == "min_request_count")
            .unwrap();
        assert_eq!(setting.flag(), "min-request-count");
        assert_eq!(setting.variable(), "VESPEIRO_MIN_REQUEST_COUNT");
    }

    #[test]
    fn no_declaration_shows_the_default_password() {
        assert!(!format!("{:?}", settings()).contains("Admin123!"));
    }
}
