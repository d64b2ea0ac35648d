//! Which shard a process is by what the engine that started it has put into its environment, and whether others like it may play
//! the same plan. Asked by `settings/shard.rs`.
//!
//! What must stay true: these are pure functions of the variables, and nothing is guessed: what an engine leaves open is asked for.

use std::collections::BTreeMap;

use super::part::Shard;
use crate::errors::ValueError;
use vespeiro_model::random;

/// Most shards of a run.
pub(crate) const MOST: usize = 10_000;

/// An engine that starts several processes alike, and the variables by which each knows which one it is.
struct Engine {
    name: &'static str,
    /// Without it, the engine has not started this process.
    index: &'static str,
    /// How many there are; `None` where the engine does not tell.
    count: Option<&'static str>,
    first: First,
    /// What all of them have in common and no other run has.
    job: &'static [&'static str],
    /// The job's text ends with this and the index.
    own_end: Option<char>,
    /// Another variable that has to be there.
    within: Option<&'static str>,
}

/// What the first index is.
enum First {
    At(usize),
    /// The values of these two variables: the first and the last index.
    Named(&'static str, &'static str),
}

const USUAL: Engine = Engine {
    name: "",
    index: "",
    count: None,
    first: First::At(0),
    job: &[],
    own_end: None,
    within: None,
};

/// In the order in which they are asked.
const ENGINES: [Engine; 8] = [
    Engine {
        name: "Kubernetes",
        index: "JOB_COMPLETION_INDEX",
        // A pod of an Indexed Job is named after its job and its index.
        job: &["HOSTNAME"],
        own_end: Some('-'),
        ..USUAL
    },
    Engine {
        name: "Slurm",
        index: "SLURM_PROCID",
        count: Some("SLURM_NTASKS"),
        job: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
        // A batch script has the number of its tasks too, and is none of them.
        within: Some("SLURM_STEP_ID"),
        ..USUAL
    },
    Engine {
        name: "Slurm's array",
        index: "SLURM_ARRAY_TASK_ID",
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        first: First::Named("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"),
        job: &["SLURM_ARRAY_JOB_ID"],
        ..USUAL
    },
    Engine {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        count: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
        job: &["AWS_BATCH_JOB_ID"],
        own_end: Some(':'),
        ..USUAL
    },
    Engine {
        name: "Open MPI",
        index: "OMPI_COMM_WORLD_RANK",
        count: Some("OMPI_COMM_WORLD_SIZE"),
        job: &["PMIX_NAMESPACE"],
        ..USUAL
    },
    Engine {
        name: "Nomad",
        index: "NOMAD_ALLOC_INDEX",
        job: &["NOMAD_JOB_ID"],
        ..USUAL
    },
    Engine {
        name: "Cloud Run",
        index: "CLOUD_RUN_TASK_INDEX",
        count: Some("CLOUD_RUN_TASK_COUNT"),
        job: &["CLOUD_RUN_EXECUTION"],
        ..USUAL
    },
    Engine {
        name: "the CI",
        index: "CI_NODE_INDEX",
        count: Some("CI_NODE_TOTAL"),
        first: First::At(1),
        job: &["CI_PIPELINE_ID"],
        ..USUAL
    },
];

/// Whether a variable of this name says something of a process that an engine has started.
pub(crate) fn tells(name: &str) -> bool {
    ENGINES.iter().any(|engine| {
        let own = [Some(engine.index), engine.count, engine.within];
        let bounds = match engine.first {
            First::Named(first, last) => [Some(first), Some(last)],
            First::At(_) => [None, None],
        };
        own.into_iter()
            .chain(bounds)
            .flatten()
            .any(|own| own == name)
            || engine.job.contains(&name)
    })
}

type Variables = BTreeMap<String, String>;

/// What an engine says of this process.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    engine: &'static str,
    /// Says which one it is.
    variable: &'static str,
    index: usize,
    shards: Option<usize>,
    job: Option<String>,
}

impl Engine {
    fn find(&self, variables: &Variables) -> Result<Option<Found>, ValueError> {
        let given = |name: &str| variables.contains_key(name);
        let others = self.count.into_iter().chain(self.within);
        if !given(self.index) || !others.into_iter().all(given) {
            return Ok(None);
        }
        let number = |name: &str| {
            let text = variables.get(name).map_or("", |text| text.as_str());
            text.parse::<usize>().map_err(|_| {
                let problem = format!("{} says {name}={text:?}, which is no number", self.name);
                ValueError::new(problem, "give --shard I/N")
            })
        };
        let shards = self.count.map(number).transpose()?;
        let first = match self.first {
            First::At(first) => first,
            First::Named(first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if last.checked_sub(first).map(|more| more + 1) != shards {
                    return Err(ValueError::new(
                        format!("{} has gaps from {first} to {last}", self.name),
                        "submit an array without steps or gaps, such as --array=0-9",
                    ));
                }
                first
            }
        };
        let index = number(self.index)?;
        let job = self.job.iter().map(|name| variables.get(*name).cloned());
        let job = job.collect::<Option<Vec<_>>>().map(|texts| texts.join("."));
        let job = job.and_then(|job| match self.own_end {
            None => Some(job),
            Some(mark) => Some(job.strip_suffix(&format!("{mark}{index}"))?.to_owned()),
        });
        match index.checked_sub(first) {
            Some(index) => Ok(Some(Found {
                engine: self.name,
                variable: self.index,
                index,
                shards,
                job: job.filter(|job| !job.is_empty()),
            })),
            None => Err(ValueError::new(
                format!("{} counts from {first}, and this is {index}", self.name),
                "give --shard I/N",
            )),
        }
    }
}

/// The first engine that may have started several, else the first that has started this one alone.
fn find(variables: &Variables) -> Result<Option<Found>, ValueError> {
    let mut alone = None;
    for engine in &ENGINES {
        match engine.find(variables)? {
            Some(found) if found.shards != Some(1) => return Ok(Some(found)),
            found => alone = alone.or(found),
        }
    }
    Ok(alone)
}

/// Which shard this is, of as many as are `asked` for where somebody did, and what its job's run and seed are made from.
pub(crate) fn auto(
    asked: Option<usize>,
    variables: &Variables,
) -> Result<(Shard, Option<Job>), ValueError> {
    let Some(found) = find(variables)? else {
        let known: Vec<&str> = ENGINES.iter().map(|engine| engine.index).collect();
        return Err(ValueError::new(
            format!("none of {} is set", known.join(", ")),
            "start it by an engine that sets one, or give --shard I/N",
        ));
    };
    let Found { engine, index, .. } = found;
    let shards = match (found.shards, asked) {
        (Some(started), Some(asked)) if started != asked => {
            return Err(ValueError::new(
                format!("{engine} has started {started} and not {asked}"),
                "give --shard auto",
            ));
        }
        (Some(shards), _) | (None, Some(shards)) => shards,
        (None, None) => {
            return Err(ValueError::new(
                format!("{engine} does not tell how many there are"),
                "give --shard auto/N",
            ));
        }
    };
    if index >= shards || shards > MOST {
        return Err(ValueError::new(
            format!("{engine} calls this shard {index} of {shards}, counted from 0"),
            format!("start as many as --shard says, {MOST} at most"),
        ));
    }
    Ok((
        Shard { index, shards },
        found.job.map(|id| Job::new(engine, &id)),
    ))
}

/// Why the load may be several times what the plan says, where nobody has said which shard this is.
pub(crate) fn unsplit(variables: &Variables) -> Option<String> {
    let Found {
        engine,
        variable,
        index,
        shards,
        ..
    } = find(variables).ok()??;
    let many = match shards {
        Some(shards) if shards > 1 => format!("the load is {shards} times the plan's"),
        // Nomad numbers a single one too.
        None if index > 0 || variable == ENGINES[0].index => {
            "the load is several times the plan's".to_owned()
        }
        _ => return None,
    };
    Some(format!(
        "{engine} has started several of these ({variable}={index}), and each plays the whole plan: {many}; give --shard auto, or --shard none where that is meant"
    ))
}

/// What all shards of a job make the same run id and seed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job(u64);

impl Job {
    fn new(engine: &str, id: &str) -> Job {
        let text = engine.bytes().chain([0]).chain(id.bytes());
        Job(text.fold(0, |state, byte| {
            random::scramble((state ^ u64::from(byte)).wrapping_add(random::STEP))
        }))
    }

    pub(crate) fn seed(self) -> u64 {
        self.0
    }

    pub(crate) fn run_id(self) -> String {
        const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut state = self.0;
        let letter = |_| char::from(ALPHABET[(random::draw(&mut state) % 36) as usize]);
        (0..8).map(letter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(text: &str) -> Variables {
        let pairs = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        let pairs = pairs.filter(|(name, _)| tells(name));
        pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn every_engine_tells_which_shard_it_is() {
        let slurm = "SLURM_STEP_ID=0 SLURM_JOB_ID=7";
        let array = "SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_JOB_ID=7";
        for (text, asked, shard) in [
            ("JOB_COMPLETION_INDEX=2 HOSTNAME=load-2", Some(3), "2/3"),
            (
                &*format!("SLURM_PROCID=1 SLURM_NTASKS=4 {slurm}"),
                None,
                "1/4",
            ),
            (
                &format!("SLURM_PROCID=1 SLURM_NTASKS=4 {slurm}"),
                Some(4),
                "1/4",
            ),
            (
                &format!("SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=4 {array}"),
                None,
                "0/4",
            ),
            (
                &format!("SLURM_ARRAY_TASK_ID=8 SLURM_ARRAY_TASK_COUNT=4 {array}"),
                None,
                "3/4",
            ),
            (
                "AWS_BATCH_JOB_ARRAY_INDEX=9 AWS_BATCH_JOB_ARRAY_SIZE=10 AWS_BATCH_JOB_ID=x:9",
                None,
                "9/10",
            ),
            (
                "OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 PMIX_NAMESPACE=y",
                None,
                "0/2",
            ),
            ("NOMAD_ALLOC_INDEX=4 NOMAD_JOB_ID=load", Some(5), "4/5"),
            (
                "CLOUD_RUN_TASK_INDEX=0 CLOUD_RUN_TASK_COUNT=1 CLOUD_RUN_EXECUTION=z",
                None,
                "0/1",
            ),
            (
                "CI_NODE_INDEX=1 CI_NODE_TOTAL=3 CI_PIPELINE_ID=8",
                None,
                "0/3",
            ),
            (
                "CI_NODE_INDEX=3 CI_NODE_TOTAL=3 CI_PIPELINE_ID=8",
                None,
                "2/3",
            ),
            // The first in the order that has several.
            (
                &format!("SLURM_PROCID=0 SLURM_NTASKS=1 {slurm} CI_NODE_INDEX=2 CI_NODE_TOTAL=3"),
                None,
                "1/3",
            ),
            (
                &format!("SLURM_PROCID=1 SLURM_NTASKS=2 {slurm} CI_NODE_INDEX=2 CI_NODE_TOTAL=3"),
                None,
                "1/2",
            ),
            // A batch script is none of its tasks; an element of an array is one of the array's.
            (
                &format!(
                    "SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_ARRAY_TASK_ID=6 SLURM_ARRAY_TASK_COUNT=4 {array}"
                ),
                None,
                "1/4",
            ),
        ] {
            let (found, job) = auto(asked, &variables(text)).unwrap();
            assert_eq!(found.to_string(), shard, "{text}");
            let has_job = ["JOB_ID", "HOSTNAME", "PMIX", "EXECUTION", "PIPELINE"];
            assert_eq!(
                job.is_some(),
                has_job.iter().any(|name| text.contains(name)) && !text.contains("TASKS=1"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_an_engine_leaves_open_or_contradicts_is_refused() {
        for (text, asked, problem) in [
            ("", None, "none of JOB_COMPLETION_INDEX"),
            ("SLURM_PROCID=0 SLURM_NTASKS=3", None, "none of"),
            ("JOB_COMPLETION_INDEX=2", None, "does not tell how many"),
            ("JOB_COMPLETION_INDEX=3", Some(3), "shard 3 of 3"),
            (
                "CI_NODE_INDEX=1 CI_NODE_TOTAL=3",
                Some(4),
                "started 3 and not 4",
            ),
            ("CI_NODE_INDEX=0 CI_NODE_TOTAL=3", None, "counts from 1"),
            (
                "CI_NODE_INDEX=x CI_NODE_TOTAL=3",
                None,
                "CI_NODE_INDEX=\"x\"",
            ),
            (
                "SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=4",
                None,
                "gaps from 0 to 4",
            ),
        ] {
            let refused = auto(asked, &variables(text)).unwrap_err();
            assert!(refused.problem.contains(problem), "{text}: {refused}");
        }
    }

    #[test]
    fn shards_of_one_job_have_one_run_and_those_of_another_have_another() {
        let job = |text: &str| auto(Some(3), &variables(text)).unwrap().1;
        let pod = |index: usize, name: &str| {
            job(&format!(
                "JOB_COMPLETION_INDEX={index} HOSTNAME={name}-{index}"
            ))
        };
        assert_eq!(pod(0, "load"), pod(2, "load"));
        assert_ne!(pod(0, "load"), pod(0, "load-2"));
        // Named by somebody else: not known to be the same for all.
        assert_eq!(job("JOB_COMPLETION_INDEX=0 HOSTNAME=mine"), None);
        let (one, other) = (pod(0, "a").unwrap(), pod(0, "b").unwrap());
        assert_ne!(one.seed(), other.seed());
        assert_ne!(one.run_id(), other.run_id());
        assert!((crate::value_types::run_id().parse)(&one.run_id()).is_ok());
        let tasks = |step| {
            job(&format!(
                "SLURM_PROCID=1 SLURM_NTASKS=3 SLURM_JOB_ID=5 SLURM_STEP_ID={step}"
            ))
        };
        assert_ne!(tasks(0), tasks(1));
    }

    #[test]
    fn several_without_a_shard_are_warned_of_and_one_alone_is_not() {
        for (text, warned) in [
            ("", None),
            ("CI_NODE_INDEX=1 CI_NODE_TOTAL=1", None),
            ("CI_NODE_INDEX=1 CI_NODE_TOTAL=3", Some("3 times")),
            ("NOMAD_ALLOC_INDEX=0", None),
            ("NOMAD_ALLOC_INDEX=1", Some("several times")),
            ("JOB_COMPLETION_INDEX=0", Some("JOB_COMPLETION_INDEX=0")),
            // A batch script of three tasks that starts a run of its own.
            ("SLURM_PROCID=0 SLURM_NTASKS=3", None),
        ] {
            let told = unsplit(&variables(text));
            assert_eq!(told.is_some(), warned.is_some(), "{text}");
            assert!(
                warned.is_none_or(|part| told.unwrap().contains(part)),
                "{text}"
            );
        }
    }
}
