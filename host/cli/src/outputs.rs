//! The outputs of a command that plays a plan, one row each: whatever shows or writes a run's results. A new one is a file
//! of its own and a row here.

use crate::exit::Misuse;
use vespeiro_engine::EndReason;
use vespeiro_output::{
    End, OutputContext, OutputError, Outputs, html, json, junit, lines, panel, push, stdout,
    timeseries,
};
use vespeiro_server::{RunHandle, metrics, ui};

/// All that the plan asks for. What can be found out before the run is found out here.
pub(super) fn outputs(context: &OutputContext<'_>, run: &RunHandle) -> Result<Outputs, Misuse> {
    // Shard 0 shows all; this one keeps a summary of its part.
    let kept = || Ok::<_, OutputError>(Outputs::new(context.plan, [json::output(context)?]));
    let all = || {
        Ok::<_, OutputError>(Outputs::new(
            context.plan,
            [
                panel::output(context)?,
                lines::output(context)?,
                stdout::output(context)?,
                json::output(context)?,
                junit::output(context)?,
                html::output(context)?,
                timeseries::output(context)?,
                push::remote_write(context)?,
                push::otlp(context)?,
                metrics::output(context, &run.stopper)?,
                ui::output(context, run)?,
            ],
        ))
    };
    let outputs = if context.plan.follows() {
        kept()
    } else {
        all()
    };
    outputs.map_err(|error| Misuse(error.to_string()))
}

/// Why the run is over, as outputs have it.
pub(super) fn end(why: EndReason) -> End {
    match why {
        EndReason::Finished => End::Finished,
        EndReason::Duration => End::Duration,
        EndReason::Stopped => End::Stopped,
        EndReason::Aborted => End::Aborted,
    }
}
