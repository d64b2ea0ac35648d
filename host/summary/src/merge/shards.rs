//! Which summaries belong together: all shards of one run, each once, or runs that nobody split. Asked before summaries are merged.
//!
//! What must stay true: a shard that is missing is never taken for one that had nothing to do.

use super::MergeError;
use crate::json::{Shard, Summary};

/// Shards that are named when they are missing.
const MOST_NAMED: usize = 10;

/// Refuses what is no whole.
pub(super) fn check(parts: &[Summary]) -> Result<(), MergeError> {
    let Some((first, shard)) = parts.iter().find_map(|part| Some((part, part.run.shard?))) else {
        return Ok(());
    };
    let run = &first.run;
    let mut seen = vec![false; shard.shards];
    for part in parts {
        let other = &part.run;
        let Some(Shard { index, shards }) = other.shard else {
            return Err(MergeError::Mixed(run.id.clone(), other.id.clone()));
        };
        let same = (&other.id, other.seed, shards) == (&run.id, run.seed, shard.shards)
            && (&other.target, &other.profile) == (&run.target, &run.profile)
            && conditions(part).eq(conditions(first));
        if !same {
            return Err(MergeError::Mixed(run.id.clone(), other.id.clone()));
        }
        match seen.get_mut(index) {
            Some(seen) if !*seen => *seen = true,
            Some(_) => {
                return Err(MergeError::ShardTwice {
                    index,
                    run: run.id.clone(),
                });
            }
            None => return Err(MergeError::Mixed(run.id.clone(), other.id.clone())),
        }
    }
    let missing = seen.iter().enumerate().filter(|(_, seen)| !**seen);
    let missing: Vec<String> = missing.map(|(index, _)| index.to_string()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let more = if missing.len() > MOST_NAMED {
        ", …"
    } else {
        ""
    };
    let named: Vec<String> = missing.into_iter().take(MOST_NAMED).collect();
    Err(MergeError::Missing {
        missing: named.join(", ") + more,
        shards: shard.shards,
        run: run.id.clone(),
    })
}

fn conditions(part: &Summary) -> impl Iterator<Item = &String> {
    part.thresholds.iter().map(|threshold| &threshold.condition)
}
