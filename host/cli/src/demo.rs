//! `vespeiro demo`: a short run against the embedded user service.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::embedded::Service;
use super::settings::PlanFlags;
use crate::exit::{Exit, Misuse};
use vespeiro_output::{Console, stdout};
use vespeiro_plan::Preset;

/// What the demo does unless told otherwise: little enough for a laptop, quick enough to watch.
pub(super) const PRESET: Preset = Preset {
    name: "demo",
    about: "a short run to watch",
    settings: &[
        ("users", "20"),
        ("duration", "20s"),
        ("delay_min", "50ms"),
        ("delay_max", "400ms"),
    ],
};

/// Requests per second of one session in the demo's service: more than a person needs, less than a burst.
const RATE_LIMIT: f64 = 30.0;
/// With shorter pauses than this, users would reach that limit all the time.
const PERSON: Duration = Duration::from_millis(20);

/// Watch a short run against an embedded user service
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    #[command(flatten)]
    pub(super) plan: PlanFlags,
}

impl Demo {
    pub(super) fn execute(mut self, console: &Console) -> anyhow::Result<Exit> {
        let given = super::resolve_here(self.plan.0.clone(), Some(&PRESET))?;
        if given.origins.by_flag("base_url") {
            return Err(Misuse(
                "the demo plays against its own service: leave base_url out, or use `vespeiro run`"
                    .into(),
            )
            .into());
        }
        let config = user_service::Config {
            admin_email: given.plan.target.admin.email.clone(),
            admin_password: given.plan.target.admin.password.clone(),
            allow_faults: true,
            rate_limit: (given.plan.load.delay_min >= PERSON).then_some(RATE_LIMIT),
            ..user_service::Config::default()
        };
        let service = Service::start((Ipv4Addr::LOCALHOST, 0).into(), config)?;
        let url = format!("http://{}", service.address());
        self.plan.0.set("base_url", url, "the demo's own service");
        let plan = super::resolve_here(self.plan.0, Some(&PRESET))?.plan;
        let before = service.holds(&plan)?;
        let played = super::play::play(plan.clone(), console);
        let after = service.holds(&plan);
        service.stop()?;
        let exit = played?;
        let after = after?;
        let told = match after == before {
            true => format!("The service holds what it held before the run: {after}."),
            false => format!("The service held {before} before the run, and now {after}."),
        };
        stdout::print(&(console.translated(&told) + "\n"))?;
        Ok(exit)
    }
}
