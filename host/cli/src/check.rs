//! `vespeiro check`: what a module is, and whether it could play. Loads it as a run would, then rehearses: with replies
//! that suit it, and with a target that fails.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::exit::Exit;
use crate::rehearsal::{Actor, Rehearse, Stage};
use vespeiro_behavior::types::Failure;
use vespeiro_behavior::{GuestEvent, NoRow};
use vespeiro_engine::SessionEnd;
use vespeiro_engine::rehearsal::{Happening, Replies};

/// Sessions against replies that suit the behavior, and against each kind of failing target.
const SESSIONS: u32 = 5;
const FAILING_SESSIONS: u32 = 2;

/// Say whether a module could play, and what it is
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// A .wasm file, or builtin:NAME
    #[arg(value_name = "MODULE")]
    module: String,
    #[command(flatten)]
    options: Rehearse,
}

/// What the rehearsals have shown.
#[derive(Default)]
struct Findings {
    sessions: [u32; 4],
    requests: u32,
    calls: Vec<Duration>,
    undeclared: BTreeSet<String>,
    /// Feeds that it asks for and that are not given.
    unfed: BTreeSet<String>,
    /// What keeps the module from playing.
    problem: Option<String>,
    /// What its author should know.
    notes: Vec<String>,
}

impl Check {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let began = Instant::now();
        let stage = Stage::set(&self.module, &self.options)?;
        let loaded = began.elapsed();
        let mut found = Findings::default();
        let mut actor = stage.actor();
        let mut replies = self.options.replies()?;
        let scripted = self.options.replies.is_some();
        found.rehearse(&stage, &mut actor, &mut replies, self.options.requests, &Part {
            sessions: SESSIONS,
            when: None,
            failed: |why: &str| {
                if scripted {
                    Err(format!("a session fails: {why}"))
                } else {
                    Ok(format!(
                        "a session fails, which made-up replies may be the reason of: {why}: give it real ones with --replies"
                    ))
                }
            },
        });
        let memory = actor.slot.memory();
        let failing = [
            ("every reply is 503", Replies::status(503)),
            (
                "every request times out",
                Replies::failing(Failure::Timeout),
            ),
        ];
        for (when, mut replies) in failing {
            let mut actor = stage.actor();
            found.rehearse(
                &stage,
                &mut actor,
                &mut replies,
                self.options.requests,
                &Part {
                    sessions: FAILING_SESSIONS,
                    when: Some(when),
                    failed: |why: &str| Ok(format!("when {when}, a session fails: {why}")),
                },
            );
        }
        self.print(&stage, &found, loaded, memory);
        match found.problem {
            Some(problem) => anyhow::bail!("behavior {}: {problem}", self.module),
            None => Ok(Exit::Fine),
        }
    }

    fn print(&self, stage: &Stage, found: &Findings, loaded: Duration, memory: usize) {
        let behavior = &stage.behavior;
        let mut lines = vec![
            (
                "module",
                format!(
                    "{} ({}, {})",
                    behavior.source,
                    bytes(behavior.size),
                    behavior.form
                ),
            ),
            (
                "behavior",
                format!(
                    "{} {}, content {}",
                    behavior.name, behavior.version, behavior.hash
                ),
            ),
            ("contract", behavior.contract.clone()),
            ("imports", listed(&behavior.imports)),
            ("categories", listed(&behavior.categories)),
        ];
        let routes = behavior.routes.iter().map(|route| {
            format!(
                "{} {} ({})",
                route.method.as_str(),
                route.path,
                route.category
            )
        });
        let routes: Vec<String> = routes.collect();
        lines.push(("routes", routes.len().to_string()));
        lines.extend(routes.into_iter().map(|route| ("", route)));
        lines.push(("loaded in", millis(loaded)));
        let [completed, abandoned, cut, failed] = found.sessions;
        lines.push((
            "rehearsed",
            format!(
                "{} sessions ({completed} completed, {abandoned} abandoned, {cut} cut, {failed} failed), {} steps, {} requests",
                found.sessions.iter().sum::<u32>(),
                found.calls.len(),
                found.requests
            ),
        ));
        let mut calls = found.calls.clone();
        calls.sort_unstable();
        if let (Some(median), Some(longest)) = (calls.get(calls.len() / 2), calls.last()) {
            let limit = stage.plan().guest.call_timeout.as_millis();
            lines.push((
                "next",
                format!(
                    "median {}, longest {}, allowed {limit} ms",
                    millis(*median),
                    millis(*longest)
                ),
            ));
        }
        let cap = bytes(behavior.memory_cap());
        lines.push(("memory", format!("{} of {cap}", bytes(memory))));
        for route in &found.undeclared {
            lines.push((
                "note",
                format!("{route} is not among the routes of describe: it counts as other"),
            ));
        }
        for feed in &found.unfed {
            lines.push((
                "note",
                format!("it asks for the feed {feed:?} and gets no row: name its file with --feed"),
            ));
        }
        lines.extend(found.notes.iter().map(|note| ("note", note.clone())));
        if found.problem.is_none() {
            lines.push(("verdict", "it can play".into()));
        }
        let mut out = std::io::stdout().lock();
        for (what, text) in lines {
            // A reader that has seen enough may close the pipe.
            let _ = writeln!(
                out,
                "{what:10}  {}",
                text.escape_debug()
                    .to_string()
                    .replace("\\\"", "\"")
                    .replace("\\'", "'")
            );
        }
    }
}

/// Some of the sessions, under one condition.
struct Part<F> {
    sessions: u32,
    /// The condition, where it is a bad one.
    when: Option<&'static str>,
    /// Judges a session that fails: `Err` keeps the module from playing.
    failed: F,
}

impl Findings {
    fn rehearse(
        &mut self,
        stage: &Stage,
        actor: &mut Actor,
        replies: &mut Replies,
        budget: u32,
        part: &Part<impl Fn(&str) -> Result<String, String>>,
    ) {
        for ordinal in 0..part.sessions {
            let (undeclared, unfed) = (&mut self.undeclared, &mut self.unfed);
            let played = stage.play(
                actor,
                ordinal,
                replies,
                budget,
                |_, happening| match happening {
                    Happening::Sent {
                        request,
                        undeclared: true,
                        ..
                    } if undeclared.len() < 10 => {
                        undeclared.insert(format!("{} {}", request.method.as_str(), request.route));
                    }
                    Happening::Said(GuestEvent::NoRow {
                        feed,
                        why: NoRow::Unknown,
                    }) if unfed.len() < 10 => {
                        unfed.insert(feed);
                    }
                    _ => {}
                },
            );
            self.requests += played.requests;
            self.calls.extend(played.calls);
            let (ending, judged) = match &played.ended {
                SessionEnd::Completed => (0, None),
                SessionEnd::Abandoned => (1, None),
                SessionEnd::Cut => (2, None),
                SessionEnd::Failed(why) => (3, Some((part.failed)(why))),
                SessionEnd::Crashed(crash) => {
                    let when = part.when.map(|when| format!("when {when}, it "));
                    let when = when.unwrap_or_default();
                    (
                        3,
                        Some(Err(format!(
                            "{when}crashed in {}: {}",
                            crash.call, crash.reason
                        ))),
                    )
                }
            };
            self.sessions[ending] += 1;
            match judged {
                Some(Err(problem)) => {
                    self.problem.get_or_insert(problem);
                    return;
                }
                Some(Ok(note)) if !self.notes.contains(&note) => self.notes.push(note),
                _ => {}
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    }
}

fn bytes(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{:.1} KiB", size as f64 / 1024.0),
        _ => format!("{:.1} MiB", size as f64 / 1_048_576.0),
    }
}

fn millis(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}
