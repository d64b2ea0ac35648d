//! The child's side: compiles one module after the other, within the bounds that each job names. Started by the hidden
//! command of the binary.
//!
//! What must stay true: it ends when its parent does, even in the midst of a job.

use std::io;
use std::sync::mpsc;
use std::thread;

use rayon::ThreadPool;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::check::{check_imports, facts, survey};
use super::job::{Compiled, Facts, Job, Told, receive, send};
use crate::componentize::componentize;
use crate::load_error::LoadErrorKind;
use crate::wasmtime_config::{EngineError, Processor, compiling, yield_to_others};
use vespeiro_model::Clock;

/// Compile what comes in on standard input, and answer on standard output, until the input ends.
///
/// # Errors
/// The machine does not give the compiler what it needs.
pub fn serve_compile_jobs(clock: Clock, processor: Processor) -> Result<(), EngineError> {
    let engine = compiling(clock, processor)?;
    let aside = aside()?;
    // Its threads have to be there before their stacks are bounded.
    rayon::ThreadPoolBuilder::new()
        .build_global()
        .map_err(|e| EngineError::Unsupported(format!("no thread to compile on: {e}")))?;
    let (handed, jobs) = mpsc::sync_channel::<(Job, Vec<u8>)>(1);
    let reader = thread::Builder::new().name("jobs".into()).spawn(move || {
        while let Ok(job) = receive(&mut io::stdin().lock()) {
            if handed.send(job).is_err() {
                break;
            }
        }
        // Nobody waits any more for what is being compiled.
        std::process::exit(0);
    });
    reader.map_err(|error| EngineError::Unsupported(error.to_string()))?;
    for (job, bytes) in jobs {
        bound(job);
        let told = match job.aside {
            true => aside.install(|| compile(&engine, &bytes)),
            false => compile(&engine, &bytes),
        };
        let (told, code) = match told {
            Ok(Compiled { facts, code }) => (Told::Compiled(facts), code),
            Err(why) => (Told::Refused(why), Vec::new()),
        };
        if send(&mut io::stdout().lock(), &told, &code).is_err() {
            break;
        }
    }
    Ok(())
}

/// Threads for work beside a run: few, and they give way to all others.
fn aside() -> Result<ThreadPool, EngineError> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    rayon::ThreadPoolBuilder::new()
        .num_threads((cores / 4).max(1))
        .thread_name(|_| "compiler".into())
        .start_handler(|_| yield_to_others())
        .build()
        .map_err(|e| EngineError::Unsupported(format!("no thread to compile on: {e}")))
}

/// Hold this process to what a job may cost. Where the system refuses a bound, the others hold.
fn bound(job: Job) {
    let lower = |resource, most: u64| {
        let Rlimit { maximum, .. } = getrlimit(resource);
        let current = Some(maximum.map_or(most, |maximum| maximum.min(most)));
        let _ = setrlimit(resource, Rlimit { current, maximum });
    };
    // Counted since its start, and its time goes on from job to job.
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec as u64;
    lower(Resource::Cpu, used + 1 + job.cpu_seconds);
    lower(Resource::Data, job.memory);
    lower(Resource::Core, 0);
}

/// Check a module as far as that goes without compiling it, then compile it.
pub(crate) fn compile(engine: &wasmtime::Engine, bytes: &[u8]) -> Result<Compiled, LoadErrorKind> {
    let (component, form) = componentize(engine, bytes)?;
    let survey = survey(&component)?;
    let contract = facts(&survey.exports)?;
    let imports = check_imports(survey.imports)?;
    let code = engine
        .precompile_component(&component)
        .map_err(|error| LoadErrorKind::of_compiler(&error))?;
    let facts = Facts {
        form,
        contract,
        imports,
    };
    Ok(Compiled { facts, code })
}
