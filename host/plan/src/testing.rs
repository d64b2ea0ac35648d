//! A plan and conditions for the tests of the rooms above. Compiled for tests alone.

use std::time::Duration;

use crate::{
    Admin, Archetype, Arrivals, Bad, CleanUp, Cleanup, Condition, Connections, Control, ErrorMix,
    Guard, Guest, Headers, HttpVersion, Language, Load, LoadOverrides, LogLevel, Module, Output,
    Plan, Pool, Profile, RequestMix, Resilience, Target, Threshold,
};

/// The conditions of an `abort_on`.
pub fn conditions(text: &str) -> Result<Vec<Condition>, Bad> {
    (crate::condition::lists::conditions().parse)(text)
}

/// The conditions of a `thresholds`.
pub fn thresholds(text: &str) -> Result<Vec<Threshold>, Bad> {
    (crate::condition::lists::thresholds().parse)(text)
}

/// A run of 100 users of two archetypes for at most as long as their budgets last.
pub fn plan(language: Language) -> Plan {
    let archetype = |name: &str| Archetype {
        name: name.into(),
        weight: 50,
        module: Module::BuiltIn(name.into()),
        config: serde_json::json!({}),
        own: LoadOverrides::default(),
    };
    Plan {
        scenario: "mixed".into(),
        run_id: "k3x9a2b7".into(),
        seed: 42,
        workers: 2,
        target: Target {
            base_url: "http://joe:secret@127.0.0.1:9501".parse().unwrap(),
            allow_host: Vec::new(),
            insecure: false,
            http: HttpVersion::Auto,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            trace_context: false,
            max_body: 1 << 20,
            admin: Admin {
                email: "admin@x".into(),
                password: "secret".into(),
            },
        },
        connections: Connections::default(),
        resilience: Resilience {
            breaker: None,
            backoff: true,
            retries: 0,
            max_auth_failures: None,
        },
        load: Load {
            profile: Profile::UserBudget { users: 100 },
            pool: Pool {
                users: 0,
                max_users: 1000,
                arrivals: Arrivals::Requests,
                max_wait: Duration::from_secs(10),
            },
            start_at: None,
            users: 100,
            min_request_count: 10,
            max_request_count: 1000,
            duration: None,
            limit: None,
            ramp_up: Duration::ZERO,
            grace: Duration::from_secs(30),
            delay_min: Duration::from_millis(100),
            delay_max: Duration::from_secs(2),
        },
        mix: Some(RequestMix(vec![
            ("auth".into(), 30.0),
            ("user-query".into(), 40.0),
            ("user-mutation".into(), 30.0),
        ])),
        error_mix: Some(ErrorMix {
            success: 85.0,
            client: 12.0,
            server: 3.0,
        }),
        archetypes: vec![archetype("active"), archetype("admin")],
        feeds: Vec::new(),
        guest: Guest {
            memory: 1 << 26,
            call_timeout: Duration::from_secs(1),
            cache: false,
        },
        guard: Guard::default(),
        cleanup: Cleanup {
            when: CleanUp::Always,
            rate: 200,
            archetype: archetype("admin"),
            journal: "k3x9a2b7.journal".into(),
        },
        control: Control {
            address: None,
            token: None,
            watch: true,
            page: None,
        },
        output: Output {
            metrics: None,
            remote_write: None,
            otlp: None,
            push_interval: Duration::from_secs(5),
            push_headers: Headers::default(),
            native_histograms: false,
            panel: true,
            language,
            summary_json: None,
            trace_record: None,
            trace_user: 0,
            junit: None,
            html: None,
            timeseries: None,
            slowest: 10,
            log: LogLevel::Warn,
        },
    }
}
