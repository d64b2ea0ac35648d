//! The plan of a run: its parts in their order, and the settings that belong to no part. Filled by `resolve.rs`, read by
//! every room above.

use std::path::Path;
use std::time::Duration;

use crate::archetypes::Archetype;
use crate::common::Common;
use crate::connections::Connections;
use crate::environment::Environment;
use crate::feeds::Feed;
use crate::files::BodyFiles;
use crate::layers::{Fallback, Reader, Section, Setting, section};
use crate::mix::{ErrorMix, FaultMix, RequestMix, error_mix, fault_mix, request_mix};
use crate::preset;
use crate::profile::Profile;
use crate::secrets::Secrets;
use crate::settings::cleanup::CleanupSettings;
use crate::settings::connections;
use crate::settings::control::ControlSettings;
use crate::settings::guard::{GuardSettings, Judging};
use crate::settings::guest::GuestSettings;
use crate::settings::load::{LoadSettings, load};
use crate::settings::meet::{MeetSettings, MeetingPlace};
use crate::settings::output::OutputSettings;
use crate::settings::resilience::ResilienceSettings;
use crate::settings::shard::{self, Process};
use crate::settings::target::Target;
use crate::split::deal::Deal;
use crate::split::part::{Place, Shard};
use crate::targets::NamedTarget;
use crate::value_types::{count, run_id, text};
use crate::workloads::{Workload, workloads};

section! {
    /// Everything that one run needs to know.
    #[derive(Debug, Clone)]
    pub struct Plan(r, locale: Option<&str>, state: Option<&Path>, process: &Process) {
        /// Name of the preset that the plan started from.
        preset: String = ("preset", "mixed", text("NAME"), format!("Preset to start from: {}; or a .toml file", preset::names()));
        /// Which part of the plan this process plays.
        shard: Shard = { process.shard() };
        /// Which part of the plan the figures are of that this process shows: of all, at shard 0 of shards that meet.
        shown: Shard = { process.shard() };
        /// The seed of all randomness.
        seed: u64 = ("seed", process.seed().unwrap_or_else(random_seed), count(0..=u64::MAX),
            "Seed of all randomness; it repeats a run exactly where mix and error_mix are off");
        /// Identifier of the run: 8 lower-case letters and digits.
        run_id: String = ("run_id", process.run_id().unwrap_or_else(random_run_id), run_id(), "Marks everything that the run creates");
        meet: MeetSettings = { MeetSettings::read(r) };
        load: LoadSettings = { r.under(Section::Load); load(r) };
        /// Held by feedback: while one of the two mixes is on, what a user decides depends on all the others too. With both
        /// off the seed alone decides.
        mix: Option<RequestMix> = ("mix", "auth=20,user-query=35,user-mutation=15,profile=15,role-permission=10,admin=5",
            request_mix(), "Shares of the requests by category, in percent, or off, as without newcomer, active, admin and power; [mix.requests] in a plan file");
        /// What share of the requests the tool makes fail on purpose.
        error_mix: Option<ErrorMix> = ("error_mix", "success=85,client=12,server=3", error_mix(),
            "Shares of successes and of errors made on purpose, in percent, or off, as without newcomer, active, admin and power; [mix.errors] in a plan file");
        /// Of which kind they are.
        faults: FaultMix = ("faults", "bad-credentials=28,forbidden=18,invalid-data=25,not-found=28,rate-limit=1,timeout=1,server-error=5",
            fault_mix(), "Kinds of the errors made on purpose: weights among client errors and, for timeout and server-error, \
             among server errors; [mix.faults] in a plan file");
        /// OS threads that play users.
        workers: usize = ("workers", cores(), count(1..=1024), "OS threads that play users");
        target: Target = { r.under(Section::Target); Target::read(r) };
        resilience: ResilienceSettings = { ResilienceSettings::read(r) };
        connections: Connections = { r.under(Section::Connections); connections::read(r) };
        guest: GuestSettings = { r.under(Section::Behaviors); GuestSettings::read(r) };
        guard: GuardSettings = { r.under(Section::Guard); GuardSettings::read(r) };
        cleanup: CleanupSettings = {
            r.under(Section::Cleanup);
            let run_id = r.find("run_id").map_or_else(String::new, |one| one.value.clone());
            CleanupSettings::read(r, &run_id, state)
        };
        output: OutputSettings = { r.under(Section::Output); OutputSettings::read(r, locale) };
        control: ControlSettings = { ControlSettings::read(r) };
        /// Why this may be one of several processes that each play the whole plan.
        unsplit: Option<String> = { process.unsplit() };
        /// At least one; weights are relative and positive.
        archetypes: Vec<Archetype> = { Vec::new() };
        /// Ordered by name.
        feeds: Vec<Feed> = { Vec::new() };
        /// What the run plays against beside `target`, ordered by name.
        targets: Vec<NamedTarget> = { Vec::new() };
        /// What all shards of a run have in common: never print it.
        common: Common = { Common::default() };
        /// What behaviors may send, by name.
        files: BodyFiles = { BodyFiles::default() };
        /// What behaviors may ask for and nobody may see.
        secrets: Secrets = { Secrets::default() };
    }
}

/// Reads a whole plan, except its archetypes, feeds, files, further targets and secrets, as this environment has it.
pub(crate) fn read_plan(r: &mut Reader<'_>, env: &Environment) -> Plan {
    let process = shard::read(r, &env.engine);
    let mut plan = Plan::read(r, env.locale.as_deref(), env.state.as_deref(), &process);
    if plan.meeting().is_some() && plan.shard.index == 0 {
        plan.shown = Shard::ALONE;
    }
    plan.output.name_results(&plan.run_id, plan.shown);
    plan.cleanup.journal = plan.shard.file(&plan.cleanup.journal);
    shard::fit(r, &plan);
    let load = &plan.load;
    let holds = load.min_request_count <= load.max_request_count;
    r.in_order("min_request_count", "max_request_count", holds);
    r.in_order("delay_min", "delay_max", load.delay_min <= load.delay_max);
    let is_unix = plan.target.base_url.scheme() == "unix";
    connections::fit(r, &plan, &plan.connections, is_unix);
    plan
}

/// All settings in the order of their declaration, for help texts and tests.
pub fn settings() -> Vec<Setting> {
    let mut reader = Reader::new(&[]);
    read_plan(&mut reader, &Environment::default());
    reader.settings.into_iter().map(|one| one.setting).collect()
}

impl Plan {
    /// Whether a threshold that nothing was there to judge by fails: what tests are read by CI has to say so.
    pub fn is_strict(&self) -> bool {
        match self.guard.judging {
            Judging::Strict => true,
            Judging::Lenient => false,
            Judging::Auto => self.output.junit.is_some(),
        }
    }

    /// The load profiles that play side by side: the run's first, if anybody shares it, then the archetypes' own.
    pub fn workloads(&self) -> Vec<Workload> {
        workloads(&self.load.profile, &self.archetypes)
    }

    /// The run's own profile, if anybody plays by it: the one whose stages have numbers.
    pub fn shared_profile(&self) -> Option<&Profile> {
        let shares = |archetype: &Archetype| archetype.overrides.profile.is_none();
        let shared = self.archetypes.iter().any(shares);
        shared.then_some(&self.load.profile)
    }

    /// Where this shard meets the others, if they play as one run.
    pub fn meeting(&self) -> Option<&MeetingPlace> {
        self.meet.place.as_ref().filter(|_| !self.shard.is_alone())
    }

    /// Whether another shard shows the figures of this one.
    pub fn follows(&self) -> bool {
        self.shard.index > 0 && self.meeting().is_some()
    }

    /// One of this shard's workers among all of the run.
    pub fn place(&self, worker: usize) -> Place {
        self.shard.place(worker, self.workers)
    }

    /// Users to reckon with of the part that is shown, of all profiles together.
    pub fn usual_users(&self) -> u32 {
        self.users_when(None)
    }

    /// Most users that there are here at a time, as far as the profiles decide.
    pub fn most_users(&self) -> u32 {
        self.users_of(self.shard, |workload| workload.profile.most_users())
    }

    /// The same when somebody has asked for so many of the run's own profile.
    pub fn users_when(&self, asked: Option<u32>) -> u32 {
        self.users_of(self.shown, |workload| match asked {
            Some(asked) if workload.is_shared => asked,
            _ => workload.profile.usual_users(),
        })
    }

    /// What a shard has of so many users of each profile.
    fn users_of(&self, shard: Shard, users: impl Fn(&Workload) -> u32) -> u32 {
        let part = shard.whole().part();
        let own = self.workloads().into_iter().map(|workload| {
            let deal = Deal::new(&self.archetypes, &workload.archetypes);
            deal.share(users(&workload), part) as u32
        });
        own.fold(0, u32::saturating_add)
    }

    /// The load profile's name; `per-archetype` where there are several.
    pub fn profile_name(&self) -> &'static str {
        match self.workloads().as_slice() {
            [workload] => workload.profile.name(),
            _ => "per-archetype",
        }
    }

    /// The name of the load profile that an archetype has of its own.
    pub fn own_profile(&self, archetype: &str) -> Option<String> {
        let archetype = self.archetypes.iter().find(|a| a.name == archetype)?;
        Some(archetype.overrides.profile.as_ref()?.name().to_owned())
    }

    /// When the run ends at the latest: after `duration`, or when the last of its profiles ends by itself.
    pub(crate) fn ends(&self, duration: Option<Duration>) -> Option<Duration> {
        duration.into_iter().chain(self.profiles_end()).min()
    }

    /// When the last of its profiles ends by itself, in the profiles' time; `None` where one of them does not.
    pub fn profiles_end(&self) -> Option<Duration> {
        let ends = self.workloads().into_iter().map(|workload| workload.ends);
        ends.reduce(|a, b| Some(a?.max(b?))).flatten()
    }
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

fn cores() -> Fallback {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(1024));
    Fallback::Made {
        text: cores.to_string(),
        from: "available cores",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_written_the_same_way() {
        let mut keys: Vec<_> = settings().iter().map(|setting| setting.key).collect();
        assert!(keys.iter().all(|key| {
            key.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        }));
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
