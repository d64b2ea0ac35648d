//! `vespeiro rehearse` (also `trace`): the author's debugger. Prints what a behavior does, step by step, without any
//! network; the same module, seed and replies print the same. With `--record`, a run that keeps one user's replies for it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use super::{Cli, Command};
use crate::exit::{Exit, Misuse};
use crate::rehearsal::{Rehearsal, RehearsalFlags};
use crate::session_text::{ended, said, shown, transaction};
use vespeiro_behavior::types::{Content, Once, Outcome, Request};
use vespeiro_engine::SessionEnd;
use vespeiro_engine::rehearsal::{Answer, Happening, Played, Replies, veil_body, veil_mark};
use vespeiro_model::Clock;
use vespeiro_output::stdout::Printer;
use vespeiro_output::{Console, Locale};

/// Longest body that is printed, in characters.
const MAX_BODY: usize = 160;

/// Print what a behavior does, step by step, without any network
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "trace",
    after_help = "\
`vespeiro rehearse --record FILE -- run --users 10 …` plays that run and keeps the replies that user 0 gets, without
passwords and tokens; it is the same as `vespeiro run --trace-record FILE …`. `vespeiro rehearse MODULE --replies FILE`
then plays the module against them."
)]
pub(super) struct Rehearse {
    /// A .wasm, .js, .ts or .toml file, or builtin:NAME
    #[arg(value_name = "MODULE", required_unless_present = "record")]
    module: Option<String>,
    /// How many sessions of one user to play, one after the other
    #[arg(long, value_name = "K", default_value_t = 1)]
    sessions: u32,
    #[command(flatten)]
    options: RehearsalFlags,
    /// Record one user's replies of the run that follows after --
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "module",
        requires = "command"
    )]
    record: Option<PathBuf>,
    /// The run to record: run or demo, with its flags
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Rehearse {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        if let Some(file) = self.record {
            return record(file, self.command, console);
        }
        let rehearsal = Rehearsal::load(
            self.module.as_deref().unwrap_or_default(),
            &self.options,
            Clock::system(),
            console,
        )?;
        let mut replies = self.options.replies()?;
        let mut left = self.options.requests;
        let mut out = Printer::default();
        let mut well = true;
        well &= once(
            &rehearsal,
            Once::Prepare,
            &mut replies,
            &mut left,
            &mut out,
            console,
        );
        let mut user = rehearsal.user();
        for ordinal in 0..self.sessions {
            let behavior = &rehearsal.behavior;
            let (name, version) = (shown(&behavior.name), shown(&behavior.version));
            let seed = rehearsal.plan().seed;
            // A reader that has seen enough may close the pipe.
            let begin = format!("session {ordinal}: {name} {version}, seed {seed}");
            let _ = writeln!(out, "{}", console.translated(&begin));
            let played = rehearsal.play(&mut user, ordinal, &mut replies, left, |at, happening| {
                let _ = print_event(&mut out, at, &happening, console);
            });
            left -= played.requests;
            well &= matches!(
                played.ended,
                SessionEnd::Completed | SessionEnd::Abandoned | SessionEnd::Cut
            );
            if print_end(&mut out, &played, console).is_err() || left == 0 {
                break;
            }
        }
        well &= once(
            &rehearsal,
            Once::Teardown,
            &mut replies,
            &mut left,
            &mut out,
            console,
        );
        out.finish()?;
        Ok(if well { Exit::Fine } else { Exit::Failed })
    }
}

/// What the behavior does once in a run. `false`: it does not complete.
fn once(
    rehearsal: &Rehearsal,
    what: Once,
    replies: &mut Replies,
    left: &mut u32,
    out: &mut Printer,
    console: &Console,
) -> bool {
    let mut begun = false;
    let played = rehearsal.once(what, replies, *left, |at, happening| {
        if !std::mem::replace(&mut begun, true) {
            let _ = writeln!(out, "{}:", what.as_str());
        }
        let _ = print_event(out, at, &happening, console);
    });
    let Some(played) = played else {
        return true;
    };
    *left = left.saturating_sub(played.requests);
    let _ = print_end(out, &played, console);
    matches!(played.ended, SessionEnd::Completed)
}

fn record(file: PathBuf, command: Vec<OsString>, console: &Console) -> anyhow::Result<Exit> {
    let line = [OsString::from("vespeiro")].into_iter().chain(command);
    let mut cli = match Cli::parse_from(line, console.language()) {
        Ok(cli) => cli,
        Err(no_command) => return Ok(no_command.report(console)),
    };
    let settings = match &mut cli.command {
        Command::Run(run) => &mut run.plan.0,
        Command::Demo(demo) => &mut demo.plan.0,
        _ => {
            let way = "only a run can be recorded: vespeiro rehearse --record FILE -- run …";
            return Err(Misuse(way.into()).into());
        }
    };
    settings.set("trace_record", file.to_string_lossy(), "--record");
    cli.execute(console)
}

/// Seconds and milliseconds, so wide that all lines stand below each other.
fn time(ms: u64) -> String {
    format!("{:>6}.{:03}", ms / 1000, ms % 1000)
}

const MARGIN: &str = "          ";

fn print_event(
    out: &mut impl Write,
    at: u64,
    happening: &Happening<'_>,
    console: &Console,
) -> io::Result<()> {
    let say = |text: String| console.translated(&text);
    match happening {
        Happening::Wait { ms } => writeln!(out, "{}  {}", time(at), say(format!("wait {ms} ms"))),
        Happening::Sent {
            request,
            route,
            category,
            answer,
            undeclared,
        } => {
            sent(out, at, request, (route, category), console)?;
            if *undeclared {
                let route = format!("{} {}", request.method.as_str(), route.escape_debug());
                let note =
                    format!("{route} is not among the routes of describe: it counts as other");
                writeln!(out, "{MARGIN}  ! {}", say(note))?;
            }
            print_answer(out, answer, console)
        }
        Happening::Message {
            channel,
            sent,
            content,
        } => {
            let arrow = if *sent { "->" } else { "<-" };
            let content = content_text(content);
            writeln!(out, "{MARGIN}  #{channel} {arrow} {content}")
        }
        Happening::Said(event) => {
            writeln!(out, "{MARGIN}  {}", said(event, console.language()))
        }
        Happening::Transaction { name, ended } => {
            let line = transaction(name, *ended, console.language());
            writeln!(out, "{MARGIN}  {line}")
        }
    }
}

fn sent(
    out: &mut impl Write,
    at: u64,
    request: &Request,
    (route, category): (&str, &str),
    console: &Console,
) -> io::Result<()> {
    write!(
        out,
        "{}  {} {}  ({}, {})",
        time(at),
        request.method.as_str(),
        shown(&request.path),
        shown(route),
        category.escape_debug()
    )?;
    if let Some(body) = &request.body {
        write!(out, "  {}", short(&body.shown()))?;
    }
    if let Some(fault) = &request.fault {
        let words = Locale::new(console.language()).fault(*fault);
        let wrong = console.translated(&format!("wrong on purpose: {words}"));
        write!(out, "  {wrong}")?;
    }
    if let Some(mark) = &request.mark {
        let mark = console.translated(&format!("mark {:?}", veil_mark(mark)));
        write!(out, "  {mark}")?;
    }
    writeln!(out)
}

fn print_answer(out: &mut impl Write, answer: &Answer, console: &Console) -> io::Result<()> {
    match &answer.outcome {
        Outcome::Failed(failure) => {
            let words = Locale::new(console.language()).failure(*failure);
            write!(out, "{MARGIN}  -> {words}")?;
        }
        Outcome::Response(response) => {
            match &response.grpc {
                Some(grpc) => write!(out, "{MARGIN}  -> {}", grpc.code.as_str())?,
                None => write!(out, "{MARGIN}  -> {}", response.status)?,
            }
            if !response.body.is_empty() {
                write!(out, " {}", short(&response.body))?;
            }
        }
        // What a line says is a response or a failure.
        Outcome::Opened(_) | Outcome::Received(_) | Outcome::Done => {}
    }
    match answer.made_up {
        true => writeln!(out, "  {}", console.translated("(made up)")),
        false => writeln!(out),
    }
}

fn content_text(content: &Content) -> String {
    match content {
        Content::Text(text) => short(text.as_bytes()),
        Content::Binary(bytes) => short(bytes),
        Content::End => "end".into(),
    }
}

fn short(body: &[u8]) -> String {
    let text = match veil_body(body) {
        serde_json::Value::String(text) => text,
        value => value.to_string(),
    };
    let mut short: String = text.chars().take(MAX_BODY).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    shown(&short)
}

fn print_end(out: &mut impl Write, played: &Played, console: &Console) -> io::Result<()> {
    let words = ended(&played.ended, console.language());
    let (steps, requests) = (played.steps, played.requests);
    let end = console.translated(&format!("{words} ({steps} steps, {requests} requests)"));
    writeln!(out, "{}  {end}\n", time(played.elapsed_ms))
}
