//! `vespeiro try`: one session of one user against the real target, told in full while it is played. What plays it is what
//! plays a run; the journal and the cleanup are a run's too.

mod entry;
mod text;

use std::cell::RefCell;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tokio::runtime::LocalOptions;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::settings::PlanFlags;
use super::{log, once_per_run, open_files, teardown};
use crate::exit::{Exit, Misuse};
use crate::module_loader::ModuleLoader;
use entry::{Entry, Scribe};
use text::{Style, shorten};
use vespeiro_engine::feeds::read_all;
use vespeiro_engine::{
    FeedSet, OncePerRun, Seen, SessionEnd, Stopper, Tokens, Trial, Witness, try_session,
};
use vespeiro_model::{Clock, Instant};
use vespeiro_output::Console;
use vespeiro_output::stdout::{Printer, is_colored};
use vespeiro_plan::{Module, Plan, Preset, Resolved, Secrets, Section};

/// Somebody looks on: no pauses, no errors on purpose, nothing that keeps a request back.
pub(super) const PRESET: Preset = Preset {
    name: "try",
    about: "one session of one user, told in full",
    settings: &[
        ("min_request_count", "1000"),
        ("max_request_count", "1000"),
        ("delay_min", "0ms"),
        ("delay_max", "0ms"),
        ("mix", "off"),
        ("error_mix", "off"),
        ("breaker", "off"),
        ("backoff", "off"),
        ("preflight", "false"),
    ],
};

/// Settings of a load that say something of one session too.
const OF_A_SESSION: [&str; 6] = [
    "min_request_count",
    "max_request_count",
    "delay_min",
    "delay_max",
    "grace",
    "log",
];

/// Play one session against the target, and show every request and answer
#[derive(Debug, clap::Args)]
pub(super) struct Try {
    /// A .wasm, .js, .ts or .toml file, builtin:NAME, or the name of one of the plan's archetypes
    #[arg(value_name = "BEHAVIOR")]
    behavior: String,
    /// Stop before each step: Enter goes on, q ends the session
    #[arg(long = "break", help_heading = "Output")]
    breaks: bool,
    /// Print a line of JSON for each thing that happens
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Most characters of each body that are shown
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        help_heading = "Output"
    )]
    body_chars: usize,
    #[command(flatten)]
    plan: PlanFlags,
}

impl Try {
    pub(super) fn execute(mut self, console: &Console) -> anyhow::Result<Exit> {
        if self.breaks && !std::io::stdin().is_terminal() {
            return Err(Misuse(
                "--break waits for keys, and standard input is no terminal: leave it out, or run this in a terminal"
                    .into(),
            )
            .into());
        }
        if !self.plan.0.archetypes.is_empty() {
            return Err(Misuse(
                "try plays the behavior that it names: leave --archetype out".into(),
            )
            .into());
        }
        self.plan.0.archetypes = vec![archetype(&self.behavior)];
        let resolved = super::resolve_here(self.plan.0.clone(), Some(&PRESET))?;
        refuse_load(&resolved)?;
        let mut plan = resolved.plan;
        explain(&mut plan);
        open_files::raise();
        log::start(&plan, console);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())?;
        runtime.block_on(self.play(&plan, console))
    }

    async fn play(&self, plan: &Plan, console: &Console) -> anyhow::Result<Exit> {
        let clock = Clock::system();
        let stopper = Stopper::new();
        let signals = stopper.on_signals()?;
        let rows = read_all(&plan.feeds).map_err(|errors| Misuse(errors.to_string()))?;
        let feeds = FeedSet::new(plan, rows);
        let loader = ModuleLoader::new(plan, clock)?;
        let module = plan.archetypes[0].module.clone();
        let loaded = loader.load(vec![module], stopper.stop_requested()).await?;
        let Some(behavior) = loaded.and_then(|mut all| all.pop()) else {
            console.line("stopped before the session began");
            return Ok(Exit::Fine);
        };
        super::play::check_target(plan, clock).await?;
        let journal = teardown::journal(plan)?;
        let watcher = Rc::new(Watcher {
            began: clock.now(),
            clock,
            form: match self.json {
                true => Form::Json(self.body_chars),
                false => Form::Text(Style {
                    colored: is_colored(),
                    body: self.body_chars,
                    language: plan.output.language,
                }),
            },
            told: RefCell::new(Told {
                scribe: Scribe::without(&plan.secrets),
                ..Told::default()
            }),
            secrets: plan.secrets.clone(),
            keys: self.breaks.then(|| Mutex::new(keys())),
            console: console.clone(),
        });
        watcher.tell(&Entry::Session {
            behavior: behavior.name.clone(),
            version: behavior.version.clone(),
            module: behavior.source.clone(),
            target: plan.target.base_url.to_string(),
            seed: plan.seed,
        });
        let behaviors = [Arc::clone(&behavior)];
        let once = OncePerRun {
            plan,
            behaviors: &behaviors,
            feeds: &feeds,
            journal: &journal,
            stopper: &stopper,
            clock,
        };
        let mut tokens = Tokens::default();
        let prepared = once_per_run::prepare(&once, &mut tokens, console).await;
        let trial = Trial {
            behavior,
            feeds: &feeds,
            journal: &journal,
            witness: Rc::<Watcher>::clone(&watcher),
            stopper: &stopper,
            clock,
        };
        let mut ended = match prepared {
            Ok(()) => try_session(plan, trial).await.map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        let mut torn_down = true;
        if let Ok(ended) = &mut ended {
            ended.tokens.join(tokens);
            torn_down = once_per_run::teardown(&once, &mut ended.tokens, console).await?;
        }
        let cleaned = teardown::after_run(
            plan,
            &loader,
            journal,
            &stopper,
            ended.as_mut().ok(),
            clock,
            console,
        )
        .await;
        signals.abort();
        let was_ended = watcher.told.borrow().well.is_some();
        if !was_ended && stopper.is_stop_requested() {
            watcher.saw(Seen::Ended(&SessionEnd::Cut));
        }
        let told = watcher.told.take();
        told.printer.finish()?;
        let ended = ended?;
        let failed = cleaned?.failed;
        if let Some(why) = ended.journal_failure {
            anyhow::bail!("{why}: what the session has created could not be kept track of");
        }
        let Some(well) = told.well else {
            anyhow::bail!("the session could not begin: see the log above");
        };
        Ok(match well && !failed && torn_down {
            true => Exit::Fine,
            false => Exit::Failed,
        })
    }
}

/// What `--archetype` takes: a file gets the name that it has.
fn archetype(behavior: &str) -> String {
    let is_name = |text: &str| !text.contains(['=', '.', '/', ':']);
    if is_name(behavior) || behavior.contains('=') {
        return behavior.to_owned();
    }
    if let Some(name) = behavior.strip_prefix("builtin:") {
        return format!("{name}={behavior}");
    }
    let stem = Path::new(behavior).file_stem().unwrap_or_default();
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name: String = stem
        .to_string_lossy()
        .chars()
        .filter(fits)
        .take(32)
        .collect();
    let name = if name.is_empty() { "try" } else { &name };
    format!("{name}={behavior}")
}

/// Flags of a load, of which there is none.
fn refuse_load(resolved: &Resolved) -> Result<(), Misuse> {
    let origins = &resolved.origins;
    let mut flags = origins.settings.iter().filter(|one| {
        let setting = &one.setting;
        let of_a_run = matches!(
            setting.section,
            Section::Load | Section::Guard | Section::Output
        );
        of_a_run && !OF_A_SESSION.contains(&setting.key) && origins.by_flag(setting.key)
    });
    match flags.next() {
        Some(flag) => Err(Misuse(format!(
            "try plays one session, of which --{} says nothing: leave it out, or use vespeiro run",
            flag.setting.flag()
        ))),
        None => Ok(()),
    }
}

/// A journey file tells what it captures where its config asks for it.
fn explain(plan: &mut Plan) {
    let archetype = &mut plan.archetypes[0];
    if let Module::File(path) = &archetype.module
        && path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("toml"))
        && let Some(config) = archetype.config.as_object_mut()
    {
        config.entry("explain").or_insert(true.into());
    }
}

/// Lines from the terminal, read by a thread of their own: nothing waits for it at the end.
fn keys() -> UnboundedReceiver<String> {
    let (lines, keys) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    keys
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Text(Style),
    /// With so many characters of each body.
    Json(usize),
}

/// Prints what happens, as it happens.
#[derive(Debug)]
struct Watcher {
    began: Instant,
    clock: Clock,
    form: Form,
    told: RefCell<Told>,
    secrets: Secrets,
    keys: Option<Mutex<UnboundedReceiver<String>>>,
    console: Console,
}

#[derive(Debug, Default)]
struct Told {
    scribe: Scribe,
    printer: Printer,
    /// The step that is to be carried out, in words.
    next: Option<String>,
    /// Whether the session came to a good end.
    well: Option<bool>,
}

impl Watcher {
    fn tell(&self, entry: &Entry) {
        let at = self.clock.since(self.began).as_secs_f64();
        let text = match self.form {
            Form::Text(style) => style.write(at, entry),
            Form::Json(most) => line(at, entry, most),
        };
        let text = self.secrets.veil(&text);
        let printer = &mut self.told.borrow_mut().printer;
        // What cannot be written is told at the end; a reader that has seen enough may close the pipe.
        let _ = printer.write_all(text.as_bytes());
        let _ = printer.flush();
    }
}

/// An entry as a line of JSON, with the beginnings of long bodies.
fn line(at: f64, entry: &Entry, most: usize) -> String {
    let mut entry = serde_json::to_value(entry).unwrap_or_default();
    entry["at"] = json!(at);
    let body = match &entry["body"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        body => Some(body.to_string()),
    };
    if let Some(body) = body {
        let (short, cut) = shorten(&body, most);
        if cut {
            entry["body"] = short.into();
        }
        entry["body_cut"] = cut.into();
    }
    format!("{entry}\n")
}

impl Witness for Watcher {
    fn saw(&self, seen: Seen<'_>) {
        let entry = self.told.borrow_mut().scribe.entry(&seen);
        let Some(entry) = entry else { return };
        match &entry {
            Entry::Step { step, requests, .. } => {
                let what = match requests.as_slice() {
                    [] => "a pause".to_owned(),
                    requests => requests.join(", "),
                };
                self.told.borrow_mut().next = Some(format!("step {step}: {what}"));
            }
            Entry::End { end, .. } => {
                self.told.borrow_mut().well = Some(["completed", "cut"].contains(end));
            }
            _ => {}
        }
        self.tell(&entry);
    }

    fn lets_go(&self) -> LocalBoxFuture<'_, bool> {
        async {
            let next = self.told.borrow_mut().next.take();
            let (Some(keys), Some(next)) = (&self.keys, next) else {
                return true;
            };
            let next = crate::session_text::shown(&self.secrets.veil(&next));
            self.console
                .line(format!("{next} (Enter goes on, q ends the session)"));
            let key = keys.lock().await.recv().await;
            key.is_some_and(|key| !key.trim().eq_ignore_ascii_case("q"))
        }
        .boxed_local()
    }
}
