//! What happened in each stage of the run's profile. A part of the timeline, and kept with it.
//!
//! What must stay true: each interval is in one stage at most, so that the stages add up to the run.

use std::collections::BTreeMap;

use crate::build::Detail;
use crate::build::requests::{distribution, rate};
use crate::json::{Requests, StageFigures};
use crate::sampler::SampledInterval;
use vespeiro_metrics::Aggregate;
use vespeiro_plan::{Plan, Profile};

/// Keeps the stages of a run that goes on.
#[derive(Debug, Default)]
pub(super) struct StageRecorder {
    asked: Vec<String>,
    figures: BTreeMap<usize, Aggregate>,
}

impl StageRecorder {
    pub(super) fn of(plan: &Plan) -> StageRecorder {
        let stages = plan.shared_profile().map_or(&[][..], Profile::stages);
        StageRecorder {
            asked: stages.iter().map(ToString::to_string).collect(),
            figures: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, interval: &SampledInterval<'_>) {
        if let Some(stage) = interval.snapshot.stage {
            let figures = self.figures.entry(stage).or_default();
            figures.add(&interval.figures);
        }
    }

    pub(super) fn finish(self) -> Vec<StageFigures> {
        let asked = |stage: usize| {
            let asked = self.asked.get(stage.wrapping_sub(1));
            asked.cloned().unwrap_or_default()
        };
        let stages = self.figures.iter();
        let stages = stages.map(|(stage, figures)| stage_figures(*stage, asked(*stage), figures));
        stages.collect()
    }
}

fn stage_figures(stage: usize, asked: String, of: &Aggregate) -> StageFigures {
    let successes = of.requests.saturating_sub(of.failures);
    let (seconds, sending) = (of.over.as_secs_f64(), of.sending.as_secs_f64());
    StageFigures {
        stage,
        asked,
        seconds,
        sending_seconds: sending,
        sent: of.sent,
        requests: Requests {
            requests: of.requests,
            successes,
            failures: of.failures,
            injected: of.injected,
            errors: of.errors,
            success_share: (of.requests > 0).then(|| successes as f64 / of.requests as f64),
            per_second: rate(of.sent, sending),
            throughput: rate(of.requests, seconds),
            bytes_sent: of.bytes_sent,
            bytes_received: of.bytes_received,
            latency: distribution(&of.latency, Detail::Histogram),
            latency_by_outcome: BTreeMap::new(),
            phases: BTreeMap::new(),
        },
    }
}
