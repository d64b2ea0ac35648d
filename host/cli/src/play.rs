//! Plays a resolved plan to its end: load the behaviors, check the target, run, report. Behind `run` and `demo`.

use std::sync::Arc;

use super::conclusion::conclude;
use super::log;
use super::once_per_run;
use super::open_files;
use super::secrecy;
use crate::exit::{Exit, Misuse};
use crate::meeting::{Met, meet};
use crate::module_loader::ModuleLoader;
use crate::outputs::{end, outputs};
use crate::results_folder::ResultsFolder;
use crate::teardown;
use tokio::runtime::LocalOptions;
use tokio::task::JoinHandle;
use vespeiro_engine::capacity;
use vespeiro_engine::feeds::read_all;
use vespeiro_engine::watch;
use vespeiro_engine::{
    Control, FeedSet, OncePerRun, Run, Stopper, Swapper, Tokens, execute, only_alone,
    requests_planned, undeclared_target, unmatched_condition,
};
use vespeiro_http::{Targets, check_reach, preflight};
use vespeiro_model::Clock;
use vespeiro_output::{Console, End, OutputContext, OutputError, RunResult, RunShape};
use vespeiro_plan::Plan;
use vespeiro_server::{Attempts, Listener, RunHandle, control};
use vespeiro_summary::Summary;
use vespeiro_summary::files::writable;

/// Play `plan` to its end on the calling thread.
pub(super) fn play(plan: Plan, console: &Console) -> anyhow::Result<Exit> {
    open_files::raise();
    if plan.control.core_dumps {
        secrecy::allow_core_dumps();
    }
    log::start(&plan, console);
    if let Some(why) = &plan.unsplit {
        tracing::warn!("{why}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(play_on(Arc::new(plan), console))
}

async fn play_on(plan: Arc<Plan>, console: &Console) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let (stopper, control) = (Stopper::new(), Control::new());
    let signals = stopper.on_signals()?;
    capacity::check(plan.most_users()).map_err(|many| Misuse(many.to_string()))?;
    check_start(&plan, clock)?;
    let rows = read_all(&plan.feeds).map_err(|errors| Misuse(errors.to_string()))?;
    let feeds = FeedSet::new(&plan, rows);
    let loader = ModuleLoader::new(&plan, clock)?;
    let swapper = Swapper::new(
        Arc::clone(&plan),
        Arc::clone(&feeds),
        loader.engine.aside(),
        loader.limits,
        control.clone(),
        clock,
    );
    let shape = RunShape {
        users_total: plan.usual_users(),
        requests_planned: requests_planned(&plan).unwrap_or(0),
        duration: plan.load.duration,
    };
    let run = RunHandle {
        plan: Arc::clone(&plan),
        shape,
        stopper: stopper.clone(),
        control: control.clone(),
        swapper: swapper.clone(),
        attempts: Attempts::default(),
    };
    let context = OutputContext {
        plan: &plan,
        shape,
        console,
        clock,
    };
    let results = plan.output.results.as_deref();
    let results = results.map(ResultsFolder::make).transpose()?;
    let mut outputs = outputs(&context, &run)?;
    if let Some(path) = &plan.output.trace_record {
        writable("recording", path).map_err(|error| Misuse(error.to_string()))?;
    }
    let modules = plan.archetypes.iter();
    let modules = modules.map(|archetype| archetype.module.clone());
    let Some(behaviors) = loader
        .load(modules.collect(), stopper.stop_requested())
        .await?
    else {
        console.line("stopped before the run began");
        return Ok(Exit::Fine);
    };
    let unfit = undeclared_target(&plan, &behaviors)
        .or_else(|| unmatched_condition(&plan, &behaviors))
        .or_else(|| only_alone(&plan, &behaviors));
    if let Some(line) = unfit {
        return Err(Misuse(line).into());
    }
    // Shard 0 is where a run is steered.
    let control_server = match plan.control.address.filter(|_| !plan.follows()) {
        Some(address) => Some(serve_control(&run, address, console)?),
        None => None,
    };
    tokio::select! {
        checked = check_target(&plan, clock) => checked?,
        // The run begins all the same, and ends at once.
        () = stopper.stop_requested() => {}
    }
    let journal = teardown::journal(&plan)?;
    let once = OncePerRun {
        plan: &plan,
        behaviors: &behaviors.clone(),
        feeds: &feeds,
        journal: &journal,
        stopper: &stopper,
        clock,
    };
    let mut tokens = Tokens::default();
    let mut has_prepared = false;
    let mut prepare = async || {
        has_prepared = true;
        once_per_run::prepare(&once, &mut tokens, console).await
    };
    let met = match plan.meeting() {
        None => prepare().await.map(|()| Some(None)),
        Some(place) => {
            let own = (&behaviors[..], &*feeds);
            let met = meet(place, &run, own, clock, console, prepare).await;
            met.map(|met| met.map(Some))
        }
    };
    let met = match met {
        Ok(Some(met)) => met,
        none => {
            if has_prepared {
                let cleaned =
                    teardown::after_run(&plan, &loader, journal, &stopper, None, clock, console);
                drop(cleaned.await);
            } else {
                // Nothing was created.
                journal.remove()?;
            }
            none?;
            console.line("stopped before the run began");
            return Ok(Exit::Fine);
        }
    };
    if let Some(results) = results {
        console.line(format!("results in {}", results.keep().display()));
    }
    wait_for_start(&plan, &stopper, clock, console).await;
    let others = met.as_ref();
    let (others, between) = others.map(|met| met.others(&swapper)).unwrap_or_default();
    // The others do what shard 0 does.
    let watching = (plan.control.watch && !plan.follows())
        .then(|| tokio::spawn(watch(&plan, &behaviors, swapper)));
    outputs.start();
    let mut printed = 0;
    let ended = execute(
        Run {
            plan: Arc::clone(&plan),
            behaviors,
            feeds: &feeds,
            journal: &journal,
            stopper: &stopper,
            control: &control,
            clock,
            start: met.as_ref().map(Met::start),
            others,
        },
        |snapshot| {
            for news in control.news(printed) {
                printed = news.number;
                // What went wrong is in the log.
                if !news.is_bad {
                    console.line(news.text);
                }
            }
            outputs.update(snapshot, &run.swap_events());
        },
    )
    .await;
    if let Some(watching) = watching {
        watching.abort();
    }
    if let Some(server) = control_server {
        server.close().await;
    }
    let mut ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            // Say what is left in the journal, and let the outputs show that the run failed.
            let cleaned =
                teardown::after_run(&plan, &loader, journal, &stopper, None, clock, console);
            drop(cleaned.await);
            let result = RunResult {
                end: End::Failed,
                snapshot: control.status(),
                summary: None,
            };
            print_failures(&outputs.finish(result).await, console);
            let failed = Err(error.into());
            return match &met {
                Some(met) => met.done(failed, None, console).await,
                None => failed,
            };
        }
    };
    let snapshot = Arc::new(ended.snapshot.clone());
    ended.tokens.join(tokens);
    // Of shards that meet all have played by now.
    let torn_down = match plan.follows() {
        true => Ok(true),
        false => once_per_run::teardown(&once, &mut ended.tokens, console).await,
    };
    let timeline = outputs.load_ended(&snapshot, &run.swap_events());
    let cleaned = teardown::after_run(
        &plan,
        &loader,
        journal,
        &stopper,
        Some(&mut ended),
        clock,
        console,
    )
    .await;
    let mut summary = Summary::new(&plan, &snapshot);
    summary.timeline = Some(timeline);
    summary.cleanup = cleaned.as_ref().ok().map(|cleaned| cleaned.figures.clone());
    let mut concluded = conclude(&ended, &summary, cleaned, plan.follows());
    if let Some(met) = &met {
        concluded = met.whole(concluded, &mut summary).await;
    }
    let cleanup = summary.cleanup.clone();
    let result = RunResult {
        end: end(ended.why),
        snapshot: Some(snapshot),
        summary: Some(summary),
    };
    let failures = outputs.finish(result).await;
    print_failures(&failures, console);
    // Written down by then, where it could be: shard 0 is told last.
    let concluded = concluded.and_then(|exit| match failures.is_empty() && torn_down? {
        true => Ok(exit),
        false => Ok(Exit::Failed),
    });
    let concluded = match &met {
        Some(met) if ended.lost.is_empty() => met.done(concluded, cleanup, console).await,
        _ => concluded,
    };
    between.inspect(JoinHandle::abort);
    // Not earlier: without this task a signal does nothing, and the third one has to end the process.
    signals.abort();
    concluded
}

fn serve_control(
    run: &RunHandle,
    address: std::net::SocketAddr,
    console: &Console,
) -> Result<vespeiro_server::Server, Misuse> {
    let listener = Listener::bind_private(&run.plan, "control", address);
    let listener = listener.map_err(|error| Misuse(error.to_string()))?;
    // Scripts read the address from this line, so it never changes.
    console.line(format!("control: http://{}", listener.address()));
    Ok(control::open(listener, run))
}

fn print_failures(failures: &[OutputError], console: &Console) {
    for failure in failures {
        console.error(&console.translated(&failure.to_string()));
    }
}

/// Refuse a start time in the past.
fn check_start(plan: &Plan, clock: Clock) -> Result<(), Misuse> {
    match plan.load.start_at {
        Some(at) if at.from(clock.wall()).is_none() => Err(Misuse(format!(
            "start_at {at} is over: name a later moment, or leave it out"
        ))),
        _ => Ok(()),
    }
}

/// Wait for the moment that the plan names, or until somebody stops the run.
async fn wait_for_start(plan: &Plan, stopper: &Stopper, clock: Clock, console: &Console) {
    let Some(at) = plan.load.start_at else {
        return;
    };
    let Some(wait) = at.from(clock.wall()) else {
        tracing::warn!("the run starts late: {at} was over before its behaviors were ready");
        return;
    };
    console.line(format!("ready; the run starts at {at}"));
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stopper.stop_requested() => {}
    }
}

/// Refuse a target that is neither local nor allowed, and files or addresses that do not work; then check that it answers.
pub(super) async fn check_target(plan: &Plan, clock: Clock) -> anyhow::Result<()> {
    check_reach(plan).await?;
    let targets = Targets::new(plan, 0, clock).map_err(|error| Misuse(error.to_string()))?;
    if plan.target.preflight {
        preflight(&targets).await?;
    }
    Ok(())
}
