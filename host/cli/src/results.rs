//! The files of results that a plan asks for, and what the results mean for the exit code. Used by the commands that
//! play a plan: what cannot be written is found before the run.

use std::path::Path;

use crate::exit::{Exit, Misuse};
use vespeiro_metrics::{AbortReason, Snapshot, ThresholdState};
use vespeiro_output::{TimeSeries, html, junit};
use vespeiro_plan::Plan;
use vespeiro_summary::files::{WriteError, writable};
use vespeiro_summary::{SampledInterval, Sampler, Summary, Timeline, TimelineRecorder, json};

/// See the module's documentation.
pub(super) struct Results<'a> {
    plan: &'a Plan,
    beat: Sampler,
    series: Option<TimeSeries>,
    timeline: Option<TimelineRecorder>,
}

impl<'a> Results<'a> {
    /// Before the run: see that each file can be written, and begin those that grow with it.
    pub(super) fn begin(plan: &'a Plan) -> Result<Self, Misuse> {
        let misuse = |error: WriteError| Misuse(error.to_string());
        let asked: [(&'static str, Option<&Path>); 3] = [
            ("summary", plan.output.summary_json.as_deref()),
            ("JUnit report", plan.output.junit.as_deref()),
            ("page", plan.output.html.as_deref()),
        ];
        for (what, path) in asked {
            path.map_or(Ok(()), |path| writable(what, path))
                .map_err(misuse)?;
        }
        let series = plan.output.timeseries.as_deref();
        let series = series.map(TimeSeries::create).transpose().map_err(misuse)?;
        let timed = plan.output.summary_json.is_some() || plan.output.html.is_some();
        Ok(Self {
            plan,
            beat: Sampler::default(),
            series,
            timeline: timed.then(TimelineRecorder::default),
        })
    }

    /// While it runs.
    pub(super) fn update(&mut self, snapshot: &Snapshot) {
        if let Some(timeline) = &mut self.timeline {
            timeline.watch(snapshot);
        }
        if self.series.is_some() || self.timeline.is_some() {
            let stretch = self.beat.update(snapshot);
            self.add(stretch);
        }
    }

    fn add(&mut self, stretch: Option<SampledInterval<'_>>) {
        let Some(stretch) = stretch else { return };
        if let Some(series) = &mut self.series {
            series.add(&stretch);
        }
        if let Some(timeline) = &mut self.timeline {
            timeline.add(&stretch);
        }
    }

    /// The run is over, in this state unless it broke: what it was over time, where somebody wants that.
    pub(super) fn close(&mut self, snapshot: Option<&Snapshot>) -> Option<Timeline> {
        if let Some(snapshot) = snapshot {
            let rest = self.beat.rest(snapshot);
            self.add(rest);
        }
        if let Some(series) = self.series.take() {
            series.finish();
        }
        Some(self.timeline.take()?.finish(snapshot?))
    }

    /// Write what is written once.
    pub(super) fn write(&self, summary: &Summary) -> Result<(), WriteError> {
        let output = &self.plan.output;
        let summary_json = output.summary_json.as_deref();
        summary_json.map_or(Ok(()), |path| json::write(summary, path))?;
        let junit = output.junit.as_deref();
        junit.map_or(Ok(()), |path| junit::write(summary, path))?;
        let page = output.html.as_deref();
        page.map_or(Ok(()), |path| {
            html::write(summary, None, output.language, path)
        })
    }
}

/// The code of a run that could do its job.
pub(super) fn exit(summary: &Summary) -> Exit {
    let aborted = summary.aborted.as_ref();
    let crossed = |state| state == ThresholdState::Crossed;
    if aborted.is_some_and(|aborted| aborted.cause != AbortReason::Threshold) {
        Exit::Aborted
    } else if aborted.is_some() || summary.thresholds.iter().any(|t| crossed(t.state)) {
        Exit::Thresholds
    } else {
        Exit::Fine
    }
}
