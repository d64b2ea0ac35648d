//! Every setting there is, declared once: key, default, form and help stand where the value goes into the [`Plan`].
//! Flags, `VESPEIRO_*` variables, plan file keys, help texts and `vespeiro plan` all follow from that. There is a file
//! for each part of the plan; here are their order and what belongs to no part.

mod cleanup;
mod connections;
mod control;
mod guard;
mod guest;
mod load;
mod output;
mod resilience;
mod target;

use std::path::Path;
use std::time::Duration;

use super::layers::{Fallback, Heading, Reader, Setting};
use super::mix::{error_mix, request_mix};
use super::{Arrivals, Plan};
use crate::preset;
use crate::value_types::{count, run_id, text};

pub use output::LANGUAGES;

/// Not in `load.rs`, since an archetype may have them of its own too.
pub(super) const ARRIVALS: &[(&str, Arrivals)] = &[
    ("requests", Arrivals::Requests),
    ("sessions", Arrivals::Sessions),
];

/// The longest pause that the contract lets a step ask for.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
pub(super) const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
pub(super) const A_MOMENT: Duration = Duration::from_millis(1);
/// All that 32-bit linear memory can address.
const ALL_PAGES: usize = 4 << 30;

/// Reads a whole plan, all but its archetypes. `locale` is the user's, as in `LANG`; `state` is the folder for journals.
pub(super) fn read_plan(r: &mut Reader<'_>, locale: Option<&str>, state: Option<&Path>) -> Plan {
    r.under(Heading::Plan);
    let scenario = r.read(
        "scenario",
        "mixed",
        text("NAME"),
        format!("Preset to start from: {}; or a .toml file", preset::names()),
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
    let load = load::read(r);
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
    let target = target::read(r);
    let resilience = resilience::read(r);

    r.under(Heading::Connections);
    let connections = connections::read(r);

    r.under(Heading::Behaviors);
    let guest = guest::read(r);

    r.under(Heading::Guard);
    let guard = guard::read(r);

    r.under(Heading::Cleanup);
    let cleanup = cleanup::read(r, &run_id, state);

    r.under(Heading::Output);
    let output = output::read(r, locale);
    let control = control::read(r);

    // Straight after the reading, so that a line about two settings stands beside those about one.
    r.in_order(
        "min_request_count",
        "max_request_count",
        load.min_request_count <= load.max_request_count,
    );
    r.in_order("delay_min", "delay_max", load.delay_min <= load.delay_max);
    let is_unix = target.base_url.scheme() == "unix";
    connections::fit(r, &connections, workers, is_unix);

    Plan {
        scenario,
        run_id,
        seed,
        workers,
        target,
        connections,
        resilience,
        load,
        mix,
        error_mix,
        archetypes: Vec::new(),
        feeds: Vec::new(),
        guest,
        guard,
        cleanup,
        control,
        output,
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
