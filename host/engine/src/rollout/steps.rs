//! What the shards of a run do to their behaviors, one step after the other, as shard 0 says: the list of what has to be done
//! still, which knows no network. Owned by the orchestrator of shard 0.
//!
//! What must stay true: each shard does the steps in their order, so that all count under the same numbers; a step is kept until
//! each has done it.

use serde::{Deserialize, Serialize};

use super::rollouts::Mode;

/// One thing that each of the others does to an archetype's behavior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 1.
    pub number: u64,
    pub archetype: u16,
    pub task: Task,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Fetch, compile and rehearse it.
    Prepare(Offer),
    /// Play what was prepared last.
    Publish { share: f64, mode: Mode },
    /// What was published last has stood the test.
    Settle,
    /// What was published last has not: play what was before it.
    TakeBack,
}

/// A behavior that all are to play.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// In messages; of a built-in one, where it comes from.
    pub name: String,
    pub is_built_in: bool,
    /// Of its content.
    pub hash: String,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    issued: u64,
    open: Vec<Step>,
    /// The last one that each shard has done.
    done: Vec<u64>,
}

impl Steps {
    /// For so many others.
    pub(crate) fn of(shards: usize) -> Steps {
        Steps {
            done: vec![0; shards],
            ..Steps::default()
        }
    }

    /// All are to do this too. Only the last thing to be prepared is wanted.
    pub(crate) fn issue(&mut self, archetype: u16, task: Task) -> u64 {
        if matches!(task, Task::Prepare(_)) {
            self.withdraw();
        }
        self.issued += 1;
        if !self.done.is_empty() {
            self.open.push(Step {
                number: self.issued,
                archetype,
                task,
            });
            self.prune();
        }
        self.issued
    }

    /// Nothing has to be prepared any more.
    pub(crate) fn withdraw(&mut self) {
        self.open
            .retain(|step| !matches!(step.task, Task::Prepare(_)));
    }

    /// A shard has done this step and all before it.
    pub(crate) fn done(&mut self, shard: usize, number: u64) {
        let issued = self.issued;
        if let Some(done) = self.done.get_mut(shard).filter(|_| number <= issued) {
            *done = number.max(*done);
        }
        self.prune();
    }

    /// Nobody waits for this shard any more.
    pub(crate) fn ended(&mut self, shard: usize) {
        if let Some(done) = self.done.get_mut(shard) {
            *done = u64::MAX;
        }
        self.prune();
    }

    pub(crate) fn all_have_done(&self, number: u64) -> bool {
        self.done.iter().all(|done| *done >= number)
    }

    /// What somebody has to do still.
    pub(crate) fn open(&self) -> &[Step] {
        &self.open
    }

    fn prune(&mut self) {
        let least = self.done.iter().copied().min().unwrap_or(u64::MAX);
        self.open.retain(|step| step.number > least);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prepare() -> Task {
        Task::Prepare(Offer {
            name: "mine.wasm".into(),
            is_built_in: false,
            hash: "ab".into(),
        })
    }

    fn numbers(steps: &Steps) -> Vec<u64> {
        steps.open().iter().map(|step| step.number).collect()
    }

    #[test]
    fn a_step_is_kept_until_each_has_done_it_and_only_the_last_is_prepared() {
        let mut steps = Steps::of(2);
        assert_eq!(steps.issue(0, Task::Settle), 1);
        assert_eq!(steps.issue(0, prepare()), 2);
        assert_eq!(steps.issue(1, prepare()), 3);
        assert_eq!(numbers(&steps), [1, 3]);
        steps.done(0, 3);
        assert_eq!(numbers(&steps), [1, 3]);
        assert!(!steps.all_have_done(3));
        // What was never asked for is done by nobody.
        steps.done(1, 99);
        assert_eq!(numbers(&steps), [1, 3]);
        steps.done(1, 1);
        assert_eq!(numbers(&steps), [3]);
        steps.withdraw();
        steps.issue(1, Task::TakeBack);
        assert_eq!(numbers(&steps), [4]);
        steps.ended(1);
        steps.done(0, 4);
        assert!(steps.open().is_empty() && steps.all_have_done(4));
        assert!(Steps::of(0).all_have_done(1));
    }

    proptest! {
        /// Whatever comes from whom: who does what is open, in order, has done each step that was not withdrawn, once.
        #[test]
        fn each_shard_does_the_same_steps(
            events in prop::collection::vec((0..4u8, 0..3usize), 0..60),
        ) {
            let mut steps = Steps::of(3);
            let mut done: [Vec<Step>; 3] = Default::default();
            let mut lasting = Vec::new();
            for (what, shard) in events {
                match what {
                    0 => drop(steps.issue(0, prepare())),
                    1 => {
                        steps.issue(1, Task::Settle);
                        lasting.push(steps.issued);
                    }
                    _ => {
                        let last = done[shard].last().map_or(0, |step| step.number);
                        let new: Vec<Step> =
                            steps.open().iter().filter(|step| step.number > last).cloned().collect();
                        if let Some(last) = new.last() {
                            steps.done(shard, last.number);
                        }
                        done[shard].extend(new);
                    }
                }
            }
            for own in &done {
                let own: Vec<u64> = own.iter().filter(|step| step.task == Task::Settle).map(|step| step.number).collect();
                prop_assert_eq!(&own[..], &lasting[..own.len()]);
            }
        }
    }
}
