//! Tests of [`resolve`] as a whole: every setting through every layer, every kind of mistake. They see what a command
//! sees, files and variables included.

use std::path::PathBuf;

use serde_json::json;

use super::layers::variable;
use super::*;

/// Two different right values of each setting, in canonical form.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("shard", "0/1", "none"),
    ("seed", "1", "18446744073709551615"),
    ("run_id", "abcdefgh", "00000000"),
    ("meet", "none", "none"),
    ("meet_timeout", "1s", "2m"),
    ("profile", "constant-users", "user-budget"),
    ("users", "1", "2"),
    ("requests", "5", "none"),
    ("rate", "5/s", "none"),
    ("stage", "30s:100; 1m:0", "none"),
    ("max_users", "2000", "3000"),
    ("arrivals", "sessions", "requests"),
    ("max_wait", "0s", "5s"),
    ("start_at", "2030-01-01T00:00:00Z", "+10s"),
    ("min_request_count", "11", "12"),
    ("max_request_count", "101", "102"),
    ("duration", "none", "90s"),
    ("grace", "1s", "2s"),
    ("delay_min", "1ms", "2ms"),
    ("delay_max", "250ms", "5s"),
    ("form_delay", "1", "2.5"),
    (
        "behavior_config",
        "pace=0,taste=0,patience=0",
        "pace=1,taste=0.5,patience=0.25",
    ),
    ("ramp_up", "0s", "1h"),
    ("mix", "auth=100", "off"),
    ("error_mix", "success=90,client=5,server=5", "off"),
    ("faults", "bad-credentials=1", "not-found=2,server-error=1"),
    ("workers", "3", "5"),
    ("base_url", "https://a.test/api", "http://127.0.0.1:1"),
    ("allow_host", "a.test,b.test", "none"),
    ("insecure", "true", "false"),
    ("http", "1", "2"),
    ("connect_timeout", "1s", "20ms"),
    ("request_timeout", "1s", "20ms"),
    ("preflight", "false", "true"),
    ("trace_context", "true", "false"),
    ("max_body", "64KiB", "10MB"),
    ("cookies", "off", "per-user"),
    ("redirects", "3", "0"),
    ("admin_email", "a@b.test", "c@d.test"),
    ("admin_password", "one", "two"),
    ("breaker", "off", "on"),
    ("breaker_threshold", "1", "100"),
    ("breaker_volume", "1", "99"),
    ("breaker_window", "1s", "1m"),
    ("breaker_cool_down", "100ms", "30s"),
    ("breaker_probes", "1", "9"),
    ("backoff", "off", "on"),
    ("retries", "1", "2"),
    ("max_auth_failures", "1", "none"),
    ("connections", "per-user", "shared"),
    ("connections_per_user", "2", "0"),
    ("close_between_sessions", "true", "false"),
    ("reuse", "false", "true"),
    ("max_connections", "0", "9999"),
    ("max_in_flight", "9999", "0"),
    ("idle_timeout", "1s", "20ms"),
    ("http2_connections", "2", "1"),
    ("http2_streams", "9", "0"),
    (
        "resolve",
        "a.test:80:127.0.0.1,[::1]; b.test:1:10.0.0.1",
        "none",
    ),
    ("dns_ttl", "0s", "5m"),
    ("local_address", "127.0.0.2,::1", "none"),
    ("header", "A: b; c", "C: d"),
    ("host_header", "a.test:80", "none"),
    ("user_agent", "me/1", "you/2"),
    ("max_headers", "16KiB", "1MiB"),
    ("compressed", "gzip,br", "false"),
    ("ca_cert", "a.pem; b.pem", "none"),
    ("client_cert", "none", "none"),
    ("client_key", "none", "none"),
    ("tls_min", "1.3", "1.2"),
    ("tls_max", "1.2", "1.3"),
    ("sni", "a.test", "none"),
    ("tls_resumption", "off", "on"),
    ("proxy", "socks5://127.0.0.1:1080", "http://[::1]:3128"),
    ("guest_memory", "2GiB", "64KiB"),
    ("guest_timeout", "1ms", "2s"),
    ("compile_timeout", "45s", "50s"),
    ("compile_memory", "1GiB", "4GiB"),
    ("cache", "false", "true"),
    ("precompiled", "a", "/b/c"),
    ("abort_on", "error_rate>50%:30s; p99>5s:1m", "none"),
    ("degradation", "off", "5:30s"),
    ("threshold", "p95<500ms; checks>99% abort", "none"),
    ("thresholds", "strict", "lenient"),
    ("cleanup", "never", "on-success"),
    ("cleanup_rate", "1", "5000"),
    ("cleanup_archetype", "active", "power"),
    ("journal", "a.journal", "/b/c.journal"),
    ("results", "there", "none"),
    ("metrics", "127.0.0.1:9090", "none"),
    ("remote_write", "http://a.test/api/v1/write", "none"),
    ("otlp", "http://a.test:4318/v1/metrics", "none"),
    ("push_interval", "1s", "250ms"),
    ("push_headers", "A=b", "C=d"),
    ("native_histograms", "true", "false"),
    ("panel", "false", "true"),
    ("lang", "pt-BR", "en"),
    ("summary_json", "a.json", "none"),
    ("trace_record", "a.jsonl", "none"),
    ("trace_user", "1", "2"),
    ("junit", "a.xml", "none"),
    ("html", "a.html", "none"),
    ("timeseries", "a.csv", "b.jsonl"),
    ("slowest", "0", "25"),
    ("log", "info", "debug"),
    ("control", "127.0.0.1:7070", "none"),
    ("control_token", "one", "two"),
    ("core_dumps", "true", "false"),
    ("watch", "false", "true"),
    ("ui", "127.0.0.1:7071", "none"),
];

/// A folder to write plan files to, and what else a test says.
#[derive(Default)]
struct Case {
    folder: Option<tempfile::TempDir>,
    base: Option<Preset>,
    flags: Flags,
    env: Vec<(String, String)>,
}

impl Case {
    fn file(&mut self, name: &str, text: &str) -> PathBuf {
        let folder = self
            .folder
            .get_or_insert_with(|| tempfile::tempdir().unwrap());
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn plan_file(mut self, text: &str) -> Case {
        self.flags.plan = Some(self.file("plan.toml", text));
        self
    }

    fn flag(mut self, key: &str, text: &str) -> Case {
        self.flags
            .set(key, text, format!("--{}", key.replace('_', "-")));
        self
    }

    fn env(mut self, name: &str, value: &str) -> Case {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says a setting in one of the five layers above the defaults.
    fn say(mut self, layer: usize, key: &'static str, text: &'static str) -> Case {
        match layer {
            0 => {
                let pair: &'static (&str, &str) = Box::leak(Box::new((key, text)));
                let settings = std::slice::from_ref(pair);
                self.base = Some(Preset {
                    name: "own",
                    about: "",
                    settings,
                });
                self
            }
            1 => {
                let path = self.file("scenario.toml", &format!("{key} = \"{text}\"\n"));
                self.flag("scenario", path.to_str().unwrap())
            }
            2 => self.plan_file(&format!("\n{key} = \"{text}\"\n")),
            3 => self.env(&variable(key), text),
            _ => self.flag(key, text),
        }
    }

    fn resolve(self) -> Result<Resolved, PlanErrors> {
        resolve(Sources {
            base: self.base.as_ref(),
            flags: self.flags,
            env: self.env,
        })
    }

    fn errors(self) -> Vec<String> {
        let folder = self
            .folder
            .as_ref()
            .map_or(String::new(), |f| format!("{}/", f.path().display()));
        let text = self
            .resolve()
            .expect_err("a mistake was expected")
            .to_string();
        text.lines().map(|line| line.replace(&folder, "")).collect()
    }

    fn line(self, key: &str) -> (String, String) {
        let folder = self
            .folder
            .as_ref()
            .map_or(String::new(), |f| format!("{}/", f.path().display()));
        let resolved = self.resolve().unwrap_or_else(|errors| panic!("{errors}"));
        let line = resolved
            .origins
            .settings
            .iter()
            .find(|line| line.setting.key == key)
            .unwrap();
        (
            line.value.clone(),
            line.origin.to_string().replace(&folder, ""),
        )
    }
}

#[test]
fn each_layer_overrides_those_below_it_for_every_setting() {
    let examples: Vec<&str> = EXAMPLES.iter().map(|(key, ..)| *key).collect();
    let declared: Vec<&str> = settings()
        .iter()
        .map(|setting| setting.key)
        .filter(|key| *key != "preset")
        .collect();
    assert_eq!(examples, declared, "every setting has its examples here");
    for (key, one, two) in EXAMPLES {
        let flag = format!("--{}", key.replace('_', "-"));
        let variable = variable(key);
        let origins = [
            "preset own",
            "scenario.toml:1",
            "plan.toml:2",
            &variable,
            &flag,
        ];
        for (high, expected) in origins.into_iter().enumerate() {
            // Alone it overrides the default; over each lower layer it wins both ways round.
            let (value, origin) = Case::default().say(high, key, two).line(key);
            let shown = |text: &str| {
                if ["admin_password", "push_headers", "control_token", "header"].contains(key) {
                    "(hidden)".into()
                } else {
                    text.to_owned()
                }
            };
            assert_eq!((value, origin.as_str()), (shown(two), expected), "{key}");
            for low in 0..high {
                for (below, above) in [(*one, *two), (*two, *one)] {
                    let (value, origin) = Case::default()
                        .say(low, key, below)
                        .say(high, key, above)
                        .line(key);
                    assert_eq!(
                        (value, origin.as_str()),
                        (shown(above), expected),
                        "{key} over layer {low}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_setting_of_connections_has_a_row_of_its_page() {
    let page = include_str!("../../docs/http.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let firsts: Vec<&str> = rows.filter_map(|row| row.split(" | ").next()).collect();
    for setting in settings() {
        if setting.section != Section::Connections {
            continue;
        }
        let flag = match setting.key {
            "reuse" => "--no-reuse".to_owned(),
            _ => format!("--{}", setting.flag()),
        };
        let is_it = |cell: &&str| cell.split(['`', ' ', '=', '[']).any(|word| word == flag);
        assert!(
            firsts.iter().any(is_it),
            "host/docs/http.md has no row of {flag}"
        );
    }
}

#[test]
fn values_reach_the_plan_with_the_right_units() {
    let case = Case::default()
        .flag("delay_min", "250")
        .flag("delay_max", "1s")
        .flag("duration", "3600");
    let plan = case
        .flag("max_body", "64KiB")
        .flag("guest_timeout", "50")
        .resolve()
        .unwrap()
        .plan;
    assert_eq!(
        (
            plan.load.delay_min.as_millis(),
            plan.load.delay_max.as_millis()
        ),
        (250, 1000)
    );
    assert_eq!(plan.load.duration.unwrap().as_secs(), 3600);
    assert_eq!(
        (plan.target.max_body, plan.guest.call_timeout.as_millis()),
        (65_536, 50)
    );
}

#[test]
fn defaults_are_those_of_the_specification() {
    let plan = Case::default().resolve().unwrap().plan;
    let load = &plan.load;
    assert_eq!(
        (load.users, load.min_request_count, load.max_request_count),
        (100, 10, 1000)
    );
    assert_eq!(
        (
            load.delay_min.as_millis(),
            load.delay_max.as_millis(),
            load.duration
        ),
        (100, 2000, None)
    );
    assert_eq!(
        (plan.target.base_url.as_str(), plan.preset.as_str()),
        ("http://localhost:9501/", "mixed")
    );
    assert!(plan.guest.cache && plan.output.panel && !plan.target.insecure);
    let other = Case::default().resolve().unwrap().plan;
    assert!(
        plan.seed != other.seed && plan.run_id != other.run_id,
        "drawn anew for each run"
    );
    assert_eq!(plan.archetypes.iter().map(|a| a.weight).sum::<u32>(), 100);
    assert_eq!(
        plan.archetypes[2].config["admin"]["email"],
        "admin@example.test"
    );
}

#[test]
fn a_preset_has_two_names_in_every_layer_and_one_of_them_at_a_time() {
    let said = |layer: &str, key: &str| match layer {
        "file" => Case::default().plan_file(&format!("{key} = \"load_test\"\n")),
        "env" => Case::default().env(&variable(key), "load_test"),
        _ => Case::default().flag(key, "load_test"),
    };
    for layer in ["file", "env", "flag"] {
        for key in ["preset", "scenario"] {
            let plan = said(layer, key).resolve().unwrap().plan;
            assert_eq!((plan.preset.as_str(), plan.load.users), ("load_test", 500));
        }
    }
    // A higher layer wins, whatever the names.
    let case = said("env", "scenario").flag("preset", "testing");
    assert_eq!(case.line("preset"), ("testing".into(), "--preset".into()));
    let case = said("env", "preset").flag("scenario", "testing");
    assert_eq!(case.line("preset"), ("testing".into(), "--scenario".into()));
    let both = [
        Case::default().plan_file("preset = \"testing\"\nscenario = \"testing\"\n"),
        said("env", "preset").env("VESPEIRO_SCENARIO", "testing"),
        said("flag", "preset").flag("scenario", "testing"),
    ];
    for (case, at) in both
        .into_iter()
        .zip(["plan.toml:2", "VESPEIRO_SCENARIO", "--scenario"])
    {
        let said = format!(
            "scenario ({at}): is another name of preset, and both are given; keep one of them"
        );
        assert_eq!(case.errors(), [said]);
    }
    let errors = Case::default().flag("preset", "mixd").errors();
    assert!(errors[0].starts_with("preset (--preset): no preset is named \"mixd\"; did you mean"));
}

#[test]
fn every_preset_resolves_whatever_layer_names_it() {
    for preset in preset::PRESETS {
        let plan = Case::default()
            .env("VESPEIRO_SCENARIO", preset.name)
            .resolve()
            .unwrap()
            .plan;
        assert_eq!(plan.preset, preset.name);
    }
    let case = Case::default().plan_file("scenario = \"load_test\"\nusers = 7\n");
    assert_eq!(
        case.line("ramp_up"),
        ("30s".into(), "preset load_test".into())
    );
    let case = Case::default().plan_file("scenario = \"load_test\"\nusers = 7\n");
    assert_eq!(case.line("users"), ("7".into(), "plan.toml:2".into()));
    let case = Case::default()
        .plan_file("scenario = \"load_test\"")
        .flag("scenario", "development");
    assert_eq!(
        case.line("users"),
        ("10".into(), "preset development".into())
    );
}

#[test]
fn what_the_run_says_to_behaviors_goes_into_each_config_that_says_nothing_of_it() {
    let config = |case: Case, archetype: &str| {
        let plan = case.resolve().unwrap().plan;
        let found = plan.archetypes.iter().find(|one| one.name == archetype);
        let mut config = found.unwrap().config.clone();
        let admin = config.as_object_mut().unwrap().remove("admin");
        (config, admin.unwrap()["email"].clone())
    };
    let ways = json!({ "pace": 0.5, "taste": 0.3, "patience": 0.3 });
    let usual = json!({ "form_delay": 2.0, "behavior_config": ways });
    let admin = json!("admin@example.test");
    assert_eq!(config(Case::default(), "newcomer"), (usual, admin.clone()));
    let file = "form_delay = 4\nadmin_email = \"a@b\"\n[behavior_config]\ntaste = 1\n\
        [[archetype]]\nname = \"active\"\n\
        [[archetype]]\nname = \"power\"\nconfig = { x = 1, form_delay = 1, behavior_config = { pace = 0 } }\n";
    let ways = json!({ "pace": 0.5, "taste": 1.0, "patience": 0.3 });
    let theirs = json!({ "form_delay": 3.5, "behavior_config": ways });
    let case = || {
        let case = Case::default().plan_file(file);
        case.env("VESPEIRO_FORM_DELAY", "3")
            .flag("form_delay", "3.5")
    };
    assert_eq!(config(case(), "active"), (theirs, json!("a@b")));
    let ways = json!({ "pace": 0, "taste": 1.0, "patience": 0.3 });
    let own = json!({ "x": 1, "form_delay": 1, "behavior_config": ways });
    assert_eq!(config(case(), "power"), (own, json!("a@b")));
    assert_eq!(
        case().line("form_delay"),
        ("3.5".into(), "--form-delay".into())
    );
}

#[test]
fn the_locale_chooses_the_language_until_someone_does() {
    let lang = |case: Case| case.line("lang").0;
    assert_eq!(lang(Case::default().env("LANG", "pt_BR.UTF-8")), "pt-BR");
    assert_eq!(
        lang(
            Case::default()
                .env("LANG", "pt_BR.UTF-8")
                .env("LC_ALL", "C")
        ),
        "en"
    );
    assert_eq!(
        lang(
            Case::default()
                .env("LC_ALL", "")
                .env("LC_MESSAGES", "pt_PT")
                .env("LANG", "C")
        ),
        "pt-BR"
    );
    assert_eq!(
        lang(
            Case::default()
                .env("LANG", "pt_BR")
                .env("VESPEIRO_LANG", "en")
        ),
        "en"
    );
}

#[test]
fn all_mistakes_are_told_at_once_each_in_its_place() {
    let case = Case::default()
        .plan_file(
            "usres = 5\nusers = 0\nbase-url = \"x\"\nno_cache = true\nduration = [1, 2]\nscenario = \"lod_test\"\n\
             [[archetype]]\nname = \"power\"\nmodule = \"gone.wasm\"\n[lions]\nauth = 1\n",
        )
        .env("VESPEIRO_WORKERS", "many")
        .env("VESPEIRO_USER", "3")
        .env("VESPEIRO_SERVICE_HOST", "10.0.0.1")
        .env("VESPEIRO_HTTP", "")
        .flag("base_url", "localhost:9501")
        .flag("min_request_count", "2000")
        .flag("delay_min", "3s");
    assert_eq!(
        case.errors(),
        [
            "archetype.power.module (plan.toml:9): module gone.wasm is not there; \
             give the path of a .wasm, .js, .ts or .toml file, or builtin:<name>",
            "scenario (plan.toml:6): no scenario is named \"lod_test\"; did you mean \"load_test\"? use mixed, \
             development, testing, staging, load_test, metrics_generation or the path of a .toml file",
            "base-url (plan.toml:3): no such key; did you mean `base_url`?",
            "lions (plan.toml:10): no such key; remove it; `vespeiro plan` prints all keys",
            "no_cache (plan.toml:4): no such key; did you mean `cache = false`?",
            "usres (plan.toml:1): no such key; did you mean `users`?",
            "user (VESPEIRO_USER): no such key; did you mean `users`?",
            "users (plan.toml:2): 0 is out of range; give 1 to 4294967295",
            "duration (plan.toml:5): \"1,2\" is no duration in whole milliseconds; write it as 250ms, 30s, 5m, 1h or 1h30m",
            "workers (VESPEIRO_WORKERS): \"many\" is no whole number; give 1 to 1024",
            "base_url (--base-url): \"localhost:9501\" has no scheme; write it as http://localhost:9501",
            "min_request_count (--min-request-count): 2000 is more than max_request_count 1000 (default); \
             lower min_request_count or raise max_request_count",
            "delay_min (--delay-min): 3s is more than delay_max 2s (default); lower delay_min or raise delay_max",
        ]
    );
}

#[test]
fn files_that_cannot_be_read_name_who_asked_for_them() {
    let mut case = Case::default().flag("scenario", "/nowhere/s.toml");
    case.flags.plan = Some("/nowhere/plan.toml".into());
    let errors = case.errors();
    assert!(
        errors[0].starts_with("plan (--plan): cannot read /nowhere/plan.toml: "),
        "{errors:?}"
    );
    assert!(
        errors[1].starts_with("scenario (--scenario): cannot read /nowhere/s.toml: "),
        "{errors:?}"
    );
    let errors = Case::default()
        .env("VESPEIRO_PLAN", "/nowhere/plan.toml")
        .errors();
    assert!(
        errors[0].starts_with("plan (VESPEIRO_PLAN): "),
        "{errors:?}"
    );
}

#[test]
fn a_scenario_file_names_no_other_and_is_found_beside_the_plan_file() {
    let mut case = Case::default().plan_file("scenario = \"mine.toml\"\n");
    case.file("mine.toml", "users = 3\nscenario = \"mixed\"\n");
    assert_eq!(
        case.errors(),
        [
            "scenario (mine.toml:2): a scenario cannot name another scenario; remove it, or give this file to --plan"
        ]
    );
}

#[test]
fn modules_are_found_beside_the_plan_file_and_the_highest_source_casts() {
    let mut case = Case::default().plan_file(
        "[[archetype]]\nname = \"mine\"\nmodule = \"m.wasm\"\nweight = 4\nconfig = { a = 1 }\n\
         [[archetype]]\nname = \"active\"\n",
    );
    let module = case.file("m.wasm", "");
    case.flags.archetypes = vec!["mine".into(), "power".into()];
    let plan = case.resolve().unwrap().plan;
    let [mine, power] = plan.archetypes.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(
        (&mine.module, mine.weight, &mine.config["a"]),
        (&Module::File(module), 4, &1.into())
    );
    assert_eq!(
        (&power.module, power.weight),
        (&Module::BuiltIn("power".into()), 20)
    );
}

#[test]
fn the_mixes_of_the_user_service_are_not_for_strangers() {
    let mixes = |archetypes: &[&str], asked: Option<&str>| {
        let mut case = Case::default();
        let module = case.file("m.wasm", "").display().to_string();
        let with_module = |name: &&str| match *name {
            "mine" => format!("mine={module}"),
            "active" => format!("active={module}"),
            other => other.to_owned(),
        };
        case.flags.archetypes = archetypes.iter().map(with_module).collect();
        if let Some(asked) = asked {
            case = case.flag("error_mix", asked);
        }
        let plan = case.resolve().unwrap().plan;
        (plan.mix.is_some(), plan.error_mix.is_some())
    };
    assert_eq!(mixes(&[], None), (true, true));
    assert_eq!(mixes(&["mine"], None), (false, false));
    // It stands in for a built-in one.
    assert_eq!(mixes(&["active"], None), (true, true));
    assert_eq!(mixes(&["mine", "vip=builtin:power"], None), (true, true));
    assert_eq!(
        mixes(&["mine"], Some("success=90,client=10")),
        (false, true)
    );
}

#[test]
fn the_environment_may_cast_too() {
    let plan = Case::default()
        .env("VESPEIRO_ARCHETYPE", "active,vip=builtin:power:2")
        .resolve()
        .unwrap()
        .plan;
    let names: Vec<_> = plan
        .archetypes
        .iter()
        .map(|archetype| archetype.name.as_str())
        .collect();
    assert_eq!(names, ["active", "vip"]);
}

#[test]
fn no_error_and_no_debug_form_shows_the_password() {
    let case = Case::default()
        .flag("admin_password", "hunter2\n")
        .env("VESPEIRO_ADMIN_PASSWORD", "hunter2");
    assert!(!format!("{:?}", case.flags).contains("hunter2"));
    assert!(!case.errors().join("\n").contains("hunter2"));
    let resolved = Case::default()
        .flag("admin_password", "hunter2")
        .resolve()
        .unwrap();
    assert_eq!(
        resolved.plan.archetypes[0].config["admin"]["password"],
        "hunter2"
    );
    assert!(!format!("{resolved:?}").contains("hunter2"));
}

proptest::proptest! {
    #[test]
    fn whatever_the_texts_a_plan_or_lines_come_of_it(
        index in 0..EXAMPLES.len(),
        text in "\\PC{1,12}",
        toml in "(\"?[a-z_]{1,9}(\\\\n)?\"?) = [0-9a-z\".{}\\[\\]]{1,9}\n",
    ) {
        let (key, ..) = EXAMPLES[index];
        if let Err(errors) = Case::default().plan_file(&toml).env(&variable(key), &text).resolve() {
            proptest::prop_assert_eq!(errors.to_string().lines().count(), errors.0.len());
        }
    }
}

#[test]
fn whoever_is_named_cleans_up_with_the_admin_account() {
    let cleaner = |case: Case| case.resolve().unwrap().plan.cleanup.archetype;
    let own = cleaner(Case::default().plan_file("[[archetype]]\nname = \"active\"\n"));
    assert_eq!(own.module, Module::BuiltIn("admin".into()));
    assert_eq!(own.config["admin"]["email"], "admin@example.test");
    let text = "[[archetype]]\nname = \"admin\"\nmodule = \"builtin:power\"\n";
    let given = cleaner(Case::default().plan_file(text));
    assert_eq!(given.module, Module::BuiltIn("power".into()));
    let errors = Case::default().flag("cleanup_archetype", "nobody").errors();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("cleanup_archetype (--cleanup-archetype): no archetype is named"),
        "{errors:?}"
    );
}

#[test]
fn journals_go_to_the_folder_for_state() {
    let journal = |env: &[(&str, &str)]| {
        let case = env.iter().fold(
            Case::default().flag("run_id", "abcdefgh"),
            |case, (k, v)| case.env(k, v),
        );
        case.line("journal").0
    };
    assert_eq!(
        journal(&[("HOME", "/home/me"), ("XDG_STATE_HOME", "/state")]),
        "/state/vespeiro/abcdefgh.journal"
    );
    assert_eq!(
        journal(&[("HOME", "/home/me"), ("XDG_STATE_HOME", "relative")]),
        "/home/me/.local/state/vespeiro/abcdefgh.journal"
    );
    assert_eq!(journal(&[]), "vespeiro-abcdefgh.journal");
}

#[test]
fn a_preset_gives_its_profile_up_where_another_load_is_asked_for() {
    let profile = |case: Case| case.resolve().unwrap().plan.load.profile.name();
    let steady = || Case::default().flag("preset", "load_test");
    assert_eq!(profile(steady()), "steady-users");
    assert_eq!(profile(steady().flag("rate", "5/s")), "constant-rate");
    assert_eq!(profile(steady().flag("requests", "50")), "shared-total");
    assert_eq!(
        profile(steady().plan_file("stage = [\"30s:5\"]\n")),
        "ramping-users"
    );
    assert_eq!(
        profile(steady().flag("profile", "user-budget")),
        "user-budget"
    );
}

#[test]
fn a_folder_for_results_names_what_has_no_path_of_its_own() {
    let case = Case::default()
        .flag("preset", "metrics_generation")
        .flag("run_id", "k3x9a2b7")
        .flag("html", "mine.html");
    let output = case.resolve().unwrap().plan.output;
    assert!(output.metrics.is_some_and(|metrics| metrics.port() == 0));
    let path = |path: Option<std::path::PathBuf>| path.unwrap().display().to_string();
    assert_eq!(path(output.html), "mine.html");
    assert_eq!(path(output.timeseries), "vespeiro-k3x9a2b7/timeseries.csv");
    assert_eq!(path(output.summary_json), "vespeiro-k3x9a2b7/summary.json");
    let none = Case::default()
        .flag("preset", "metrics_generation")
        .flag("results", "none");
    assert!(none.resolve().unwrap().plan.output.html.is_none());
}
