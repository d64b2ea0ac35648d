//! What `check` and `rehearse` share: a module from the command line, a plan that is all defaults, and sessions of one user.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::exit::Misuse;
use crate::log;
use crate::module_loader::ModuleLoader;
use vespeiro_behavior::types::Once;
use vespeiro_behavior::{Behavior, Feeder, GuestEvent, LoadError, LoadErrorKind, Slot};
use vespeiro_engine::feeds::read_all;
use vespeiro_engine::rehearsal::{Bounds, Happening, Played, Replies, play};
use vespeiro_engine::{FeedSet, journey, once};
use vespeiro_model::Clock;
use vespeiro_output::Console;
use vespeiro_plan::{Flags, Module, Plan, Secrets, Sources, resolve};

/// The run id of a rehearsal. Nothing is created in its name.
const RUN_ID: &str = "rehearse";

/// The flags of both.
#[derive(Debug, clap::Args)]
pub(super) struct RehearsalFlags {
    /// Configuration of the archetype, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = object)]
    config: Value,
    /// File with replies, one JSON object a line; requests without a line get made-up replies
    #[arg(long, value_name = "FILE")]
    pub(super) replies: Option<PathBuf>,
    /// Seed of all random decisions
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Most requests of all sessions together
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) requests: u32,
    /// A .csv, .jsonl or .json file with the rows of a data feed; ORDER is in-turn, random or once; may be given
    /// again
    #[arg(long = "feed", value_name = "NAME=FILE[:ORDER]")]
    feeds: Vec<String>,
}

fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value.is_object() {
        Ok(value)
    } else {
        Err("give a JSON object, for instance {\"greeting\": \"hello\"}".into())
    }
}

/// A behavior, and a plan for one user of it.
pub(super) struct Rehearsal {
    pub(super) behavior: Arc<Behavior>,
    plan: Plan,
    feeds: Arc<FeedSet>,
    config: String,
    clock: Clock,
}

/// The instance that plays the sessions of one user, and the rows that they get.
pub(super) struct User {
    pub(super) slot: Slot,
    feeder: Feeder,
}

impl Rehearsal {
    /// Load the module. A file that is not there is the caller's mistake; all else is the module's.
    pub(super) fn load(
        module: &str,
        options: &RehearsalFlags,
        clock: Clock,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let mut flags = Flags::default();
        flags.set("seed", options.seed.to_string(), "--seed");
        flags.set("run_id", RUN_ID, "--run-id");
        flags.set("users", "1", "--users");
        flags.feeds.clone_from(&options.feeds);
        let mut plan = resolve(Sources {
            base: None,
            flags,
            env: [],
        })?
        .plan;
        plan.secrets = Secrets::made_up();
        log::start_rehearsal(console);
        let rows = read_all(&plan.feeds).map_err(|errors| Misuse(errors.to_string()))?;
        let module = match module.strip_prefix("builtin:") {
            Some(name) => Module::BuiltIn(name.to_owned()),
            None => Module::File(module.into()),
        };
        // The admin account is in every archetype's config, unless the config speaks of one.
        let mut config = plan.archetypes.first().map_or_else(
            || serde_json::json!({}),
            |archetype| archetype.config.clone(),
        );
        if let (Some(config), Some(given)) = (config.as_object_mut(), options.config.as_object()) {
            config.extend(given.clone());
        }
        let behavior = ModuleLoader::new(&plan, clock)?
            .load_now(&module)
            .map_err(absent)?;
        Ok(Self {
            behavior,
            config: config.to_string(),
            feeds: FeedSet::new(&plan, rows),
            plan,
            clock,
        })
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn user(&self) -> User {
        User {
            slot: Slot::rehearsing(Arc::clone(&self.behavior), self.plan.seed),
            feeder: self.feeds.rehearsing(&self.plan, 0),
        }
    }

    /// What the behavior does once in a run, if it does; its sessions that begin later have what it shares.
    pub(super) fn once(
        &self,
        what: Once,
        replies: &mut Replies,
        budget: u32,
        mut watch: impl FnMut(u64, Happening<'_>),
    ) -> Option<Played> {
        if !self.behavior.once.contains(&what) {
            return None;
        }
        let mut user = self.user();
        let setup = once(&self.plan, what, &self.config);
        let bounds = Bounds {
            plan: &self.plan,
            budget,
            clock: self.clock,
        };
        let mut shared = None;
        let watch = |at, happening: Happening<'_>| {
            if let Happening::Said(GuestEvent::Share(value)) = &happening {
                shared = Some(value.clone());
            }
            watch(at, happening);
        };
        let played = play(&mut user.slot, &setup, &user.feeder, replies, bounds, watch);
        if let Some(value) = shared {
            self.feeds.share(0, value);
        }
        Some(played)
    }

    /// One session of the one user.
    pub(super) fn play(
        &self,
        user: &mut User,
        ordinal: u32,
        replies: &mut Replies,
        budget: u32,
        watch: impl FnMut(u64, Happening<'_>),
    ) -> Played {
        let setup = journey(&self.plan, 0, ordinal, &self.config);
        play(
            &mut user.slot,
            &setup,
            &user.feeder,
            replies,
            Bounds {
                plan: &self.plan,
                budget,
                clock: self.clock,
            },
            watch,
        )
    }
}

fn absent(error: LoadError) -> anyhow::Error {
    match &error.kind {
        LoadErrorKind::Read(_) | LoadErrorKind::NoBuiltIn => Misuse(error.to_string()).into(),
        _ => error.into(),
    }
}

impl RehearsalFlags {
    /// The replies that were asked for.
    pub(super) fn replies(&self) -> Result<Replies, Misuse> {
        match &self.replies {
            Some(path) => Replies::read(path).map_err(|error| Misuse(error.to_string())),
            None => Ok(Replies::made_up()),
        }
    }
}
