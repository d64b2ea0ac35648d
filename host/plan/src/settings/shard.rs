//! The setting that splits a run over processes: which of them this one is. Read by `plan.rs` before all others, since what all
//! shards have to have in common follows from it.

use std::collections::BTreeMap;
use std::fmt;

use crate::condition::{Condition, Dimension};
use crate::errors::{Origin, ValueError};
use crate::layers::{Fallback, Reader};
use crate::plan::Plan;
use crate::split::engines::{self, Job, MOST};
use crate::split::part::Shard;
use crate::value_types::ValueType;

/// Which shard somebody wants this process to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    This(Shard),
    /// The one that its engine says, of so many.
    Auto(Option<usize>),
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wish::This(shard) => write!(f, "{shard}"),
            Wish::Auto(None) => f.write_str("auto"),
            Wish::Auto(Some(shards)) => write!(f, "auto/{shards}"),
        }
    }
}

/// This process among those that play the plan.
#[derive(Debug)]
pub(crate) struct Process {
    shard: Shard,
    job: Option<Job>,
    unsplit: Option<String>,
}

impl Process {
    pub(crate) fn shard(&self) -> Shard {
        self.shard
    }

    pub(crate) fn unsplit(&self) -> Option<String> {
        self.unsplit.clone()
    }

    /// The same for all shards of a job, where there is one.
    pub(crate) fn seed(&self) -> Option<Fallback> {
        Some(of_job(self.job?.seed().to_string()))
    }

    pub(crate) fn run_id(&self) -> Option<Fallback> {
        Some(of_job(self.job?.run_id()))
    }
}

fn of_job(text: String) -> Fallback {
    Fallback::Made {
        text,
        from: "the engine's job",
    }
}

/// Reads which shard this is. `engine` holds the variables of the engine that started this process.
pub(crate) fn read(r: &mut Reader<'_>, engine: &BTreeMap<String, String>) -> Process {
    let asked = r.read(
        "shard",
        "none",
        wish().or_none(),
        "Play one part of the plan, I/N with I from 0, or auto: as Kubernetes, Slurm, AWS Batch, Open MPI, Nomad, Cloud Run or a CI says; auto/N where it tells no N",
    );
    let is_said = r.find("shard").is_some_and(|one| one.origin.is_given());
    let mut process = Process {
        shard: Shard::ALONE,
        job: None,
        unsplit: None,
    };
    match asked {
        None if is_said => {}
        None => process.unsplit = engines::unsplit(engine),
        Some(Wish::This(shard)) => process.shard = shard,
        Some(Wish::Auto(shards)) => match engines::auto(shards, engine) {
            Ok((shard, job)) => {
                process.shard = shard;
                process.job = job.filter(|_| !shard.is_alone());
            }
            Err(bad) => r.refuse("shard", bad),
        },
    }
    process
}

/// Refuses what shards cannot do apart.
pub(crate) fn fit(r: &mut Reader<'_>, plan: &Plan) {
    let meets = plan.meet.place.is_some();
    if plan.shard.is_alone() {
        // One of one has nobody to wait for.
        if meets && r.find("shard").is_some_and(|one| one.value == "none") {
            let bad = ValueError::new(
                "there is nobody to meet",
                "give --shard too, as I/N or auto, or leave it out",
            );
            r.refuse("meet", bad);
        }
        return;
    }
    if meets && plan.load.start_at.is_some() {
        let bad = ValueError::new(
            "shards that meet begin when all are there",
            "leave it out, or leave out --meet",
        );
        r.refuse("start_at", bad);
    }
    for key in ["run_id", "seed"] {
        let origin = r.find(key).map(|one| &one.origin);
        if origin == Some(&Origin::Default("random")) {
            let bad = ValueError::new(
                "each shard would have another one",
                format!("give all of them the same --{}", key.replace('_', "-")),
            );
            r.refuse(key, bad);
        }
    }
    if meets {
        // Shard 0 judges the figures of all.
        return;
    }
    let guard = &plan.guard;
    let stopping = guard.thresholds.iter().filter(|threshold| threshold.abort);
    let stopping = stopping.map(|threshold| ("threshold", &threshold.condition));
    let aborting = guard
        .abort_on
        .iter()
        .map(|condition| ("abort_on", condition));
    for (key, condition) in aborting.chain(stopping) {
        if counts(condition) {
            let bad = ValueError::new(
                format!(
                    "a shard counts its own part alone, and \"{condition}\" stops it by a count"
                ),
                "stop by a time or a share, or judge the whole, by --meet or vespeiro report",
            );
            r.refuse(key, bad);
        }
    }
}

fn counts(condition: &Condition) -> bool {
    let dimension = condition.metric.dimension();
    matches!(dimension, Dimension::Count | Dimension::PerSecond)
}

fn wish() -> ValueType<Wish> {
    let read = |text: &str| {
        let bad = |problem: String| {
            let fix = format!("give I/N with I from 0 and N to {MOST}, as 0/3, auto or auto/N");
            ValueError::new(problem, fix)
        };
        let number = |text: &str| {
            text.parse::<usize>()
                .ok()
                .filter(|_| !text.starts_with('+'))
        };
        let count = |text: &str| number(text).filter(|shards| (1..=MOST).contains(shards));
        let wish = match text.split_once('/') {
            None => (text == "auto").then_some(Wish::Auto(None)),
            Some(("auto", shards)) => count(shards).map(|shards| Wish::Auto(Some(shards))),
            Some((index, shards)) => number(index)
                .zip(count(shards))
                .map(|(index, shards)| Wish::This(Shard { index, shards })),
        };
        match wish {
            None => Err(bad(format!("{text:?} is no shard"))),
            Some(Wish::This(Shard { index, shards })) if index >= shards => {
                Err(bad(format!("there is no shard {index} of {shards}")))
            }
            Some(wish) => Ok(wish),
        }
    };
    ValueType::new("I/N", read, Wish::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flags, Sources, resolve};

    #[test]
    fn a_shard_is_a_number_of_a_number_or_left_to_the_engine() {
        let form = wish().or_none();
        for text in ["none", "0/1", "2/3", "auto", "auto/10000"] {
            let value = (form.parse)(text).unwrap();
            assert_eq!((form.show)(&value), text);
        }
        for text in [
            "", "3/3", "-1/3", "+1/3", "1", "1/0", "a/3", "auto/", "auto/0", "1/10001", "1/3/4",
        ] {
            assert!((form.parse)(text).is_err(), "{text}");
        }
    }

    fn refusals(flags: &[(&str, &str)], env: &[(&str, &str)]) -> Result<Plan, String> {
        let mut given = Flags::default();
        flags
            .iter()
            .for_each(|(key, text)| given.set(key, *text, "test"));
        let env = env
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let sources = Sources {
            base: None,
            flags: given,
            env: env.collect::<Vec<_>>(),
        };
        resolve(sources)
            .map(|resolved| resolved.plan)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn several_shards_have_one_run_and_one_seed() {
        let shard = ("shard", "1/3");
        let refused = refusals(&[shard], &[]).unwrap_err();
        assert!(
            refused.contains("run_id") && refused.contains("seed"),
            "{refused}"
        );
        assert!(refusals(&[("shard", "0/1")], &[]).is_ok());
        let meet = ("meet", "node1:7072");
        let of_one = refusals(&[("shard", "0/1"), meet], &[]).unwrap();
        assert_eq!(of_one.meeting(), None);
        let nobody = refusals(&[meet], &[]).unwrap_err();
        assert!(nobody.contains("nobody to meet"), "{nobody}");
        let both = [shard, ("run_id", "k3x9a2b7"), ("seed", "4")];
        let plan = refusals(&both, &[]).unwrap();
        let meets = refusals(&[&both[..], &[meet]].concat(), &[]).unwrap();
        assert_eq!(meets.meeting().unwrap().to_string(), "node1:7072");
        let late = [&both[..], &[meet, ("start_at", "+5s")]].concat();
        assert!(refusals(&late, &[]).unwrap_err().contains("start_at"));
        assert_eq!(
            (plan.shard, plan.unsplit),
            (
                Shard {
                    index: 1,
                    shards: 3
                },
                None
            )
        );
        assert!(
            plan.cleanup.journal.ends_with("k3x9a2b7-1-of-3.journal")
                || plan
                    .cleanup
                    .journal
                    .ends_with("vespeiro-k3x9a2b7-1-of-3.journal")
        );
        let ci = |index| {
            [
                ("CI_NODE_INDEX", index),
                ("CI_NODE_TOTAL", "3"),
                ("CI_PIPELINE_ID", "77"),
            ]
        };
        let auto = |index| refusals(&[("shard", "auto")], &ci(index)).unwrap();
        let (first, last) = (auto("1"), auto("3"));
        assert_eq!((first.seed, &first.run_id), (last.seed, &last.run_id));
        assert_eq!(last.shard.to_string(), "2/3");
        assert!(refusals(&[], &ci("2")).unwrap().unsplit.is_some());
        assert!(
            refusals(&[("shard", "none")], &ci("2"))
                .unwrap()
                .unsplit
                .is_none()
        );
    }

    #[test]
    fn what_is_shared_out_has_to_go_round_and_a_count_stops_no_shard() {
        let own = [
            ("shard", "0/3"),
            ("run_id", "k3x9a2b7"),
            ("seed", "4"),
            ("workers", "2"),
        ];
        for (key, text, part) in [
            ("max_connections", "5", "give 6 or more"),
            ("max_in_flight", "3", "of each of 3 shards"),
            ("abort_on", "errors>100", "its own part"),
            ("threshold", "rate>5/s abort", "its own part"),
        ] {
            let refused = refusals(&[&own[..], &[(key, text)]].concat(), &[]).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
        for (key, text) in [
            ("max_connections", "6"),
            ("abort_on", "p95>1s"),
            ("threshold", "rate>5/s"),
        ] {
            assert!(
                refusals(&[&own[..], &[(key, text)]].concat(), &[]).is_ok(),
                "{key}"
            );
        }
    }
}
