//! The log, on standard error like all other lines.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format;

use vespeiro_output::{Console, translated};
use vespeiro_plan::{LogLevel, Plan};

/// Begin to log at the plan's level.
pub(super) fn start(plan: &Plan, console: &Console) {
    let level = match plan.output.log {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    // Of libraries, only warnings and errors.
    console.speak(plan.output.language);
    begin(&format!("warn,vespeiro={level},guest={level}"), console);
}

/// Begin to log what is wrong with the cache alone: a rehearsal tells itself what a behavior does.
pub(super) fn start_rehearsal(console: &Console) {
    let filter = "error,vespeiro_behavior::engine=warn,vespeiro_behavior::code_cache=warn";
    begin(filter, console);
}

fn begin(filter: &str, console: &Console) {
    let language = console.language();
    let console = console.clone();
    let fields = format::debug_fn(move |out, field, value| match field.name() {
        "message" => write!(out, "{}", translated(&format!("{value:?}"), language)),
        // A guest's.
        "words" => write!(out, "{value:?}"),
        name => write!(out, "{name}={value:?}"),
    });
    // A second log in one process, as tests make it, is refused: the first one goes on.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_target(false)
        .with_ansi(false)
        .fmt_fields(fields.delimited(" "))
        .with_writer(move || console.clone())
        .try_init();
}
