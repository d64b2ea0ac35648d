//! `vespeiro check`: what a module is, and whether it could play. Loads it as a run would, then rehearses: with replies
//! that suit it, and with a target that fails.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::exit::Exit;
use crate::rehearsal::{Rehearsal, RehearsalFlags, User};
use vespeiro_behavior::types::Once;
use vespeiro_behavior::{GuestEvent, NoRow};
use vespeiro_engine::SessionEnd;
use vespeiro_engine::rehearsal::{Happening, Replies};
use vespeiro_model::{Clock, Failure};
use vespeiro_output::{Console, stdout, word};

/// Most requests of what it does once.
const PREPARES: u32 = 1000;

/// Sessions against replies that suit the behavior, and against each kind of failing target.
const SESSIONS: u32 = 5;
const FAILING_SESSIONS: u32 = 2;
/// What may be the reason where nobody has given replies.
const MADE_UP: &str =
    ", which made-up replies may be the reason of: give it real ones with --replies";

/// Check whether a module could play, and describe it
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// A .wasm, .js, .ts or .toml file, or builtin:NAME
    #[arg(value_name = "MODULE")]
    module: String,
    #[command(flatten)]
    options: RehearsalFlags,
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
    /// Why it is not known whether it can play.
    doubt: Option<String>,
    /// How a session failed first.
    failure: Option<SessionEnd>,
    /// What its author should know.
    notes: Vec<String>,
}

impl Check {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let clock = Clock::system();
        let began = clock.now();
        let rehearsal = Rehearsal::load(&self.module, &self.options, clock, console)?;
        let loaded = clock.since(began);
        let mut found = Findings::default();
        // Its sessions need what it shares.
        rehearsal.once(Once::Prepare, &mut Replies::made_up(), PREPARES, |_, _| {});
        let mut user = rehearsal.user();
        let mut replies = self.options.replies()?;
        let scripted = self.options.replies.is_some();
        found.rehearse(
            &rehearsal,
            &mut user,
            &mut replies,
            self.options.requests,
            &Round {
                sessions: SESSIONS,
                when: None,
                failed: |how: &str| match scripted {
                    true => Err(how.to_owned()),
                    false => Ok(format!("{how}{MADE_UP}")),
                },
            },
        );
        found.judge_endings(scripted);
        let memory = user.slot.memory();
        let failing = [
            ("every reply is 503", Replies::status(503)),
            (
                "every request times out",
                Replies::failing(Failure::Timeout),
            ),
        ];
        for (when, mut replies) in failing {
            let mut user = rehearsal.user();
            found.rehearse(
                &rehearsal,
                &mut user,
                &mut replies,
                self.options.requests,
                &Round {
                    sessions: FAILING_SESSIONS,
                    when: Some(when),
                    failed: |how: &str| Ok(format!("when {when}, {how}")),
                },
            );
        }
        let report = self.report(&rehearsal, &found, loaded, memory, console);
        stdout::print(&report)?;
        match found.problem {
            Some(problem) => anyhow::bail!("behavior {}: {problem}", self.module),
            None => Ok(Exit::Fine),
        }
    }

    fn report(
        &self,
        rehearsal: &Rehearsal,
        found: &Findings,
        loaded: Duration,
        memory: usize,
        console: &Console,
    ) -> String {
        // What the behavior calls itself and its routes is its own.
        let say = |text: String| console.translated(&text);
        let behavior = &rehearsal.behavior;
        let (size, hash) = (say(bytes(behavior.size)), &behavior.hash);
        let (name, version, form) = (&behavior.name, &behavior.version, &behavior.form);
        let mut lines = vec![
            ("module", format!("{} ({size}, {form})", behavior.source)),
            ("behavior", {
                let content = say(format!("content {hash}"));
                format!("{name} {version}, {content}")
            }),
            ("contract", behavior.contract.clone()),
            ("imports", listed(&behavior.imports, console)),
            ("categories", listed(&behavior.categories, console)),
            ("routes", behavior.routes.len().to_string()),
        ];
        lines.extend(behavior.routes.iter().map(|route| {
            let (method, path) = (route.method.as_str(), &route.path);
            let protocol = if route.grpc { "gRPC " } else { "" };
            (
                "",
                format!("{protocol}{method} {path} ({})", route.category),
            )
        }));
        lines.push(("loaded in", say(millis(loaded))));
        let [completed, abandoned, cut, failed] = found.sessions;
        let sessions: u32 = found.sessions.iter().sum();
        let (steps, requests) = (found.calls.len(), found.requests);
        lines.push((
            "rehearsed",
            say(format!(
                "{sessions} sessions ({completed} completed, {abandoned} abandoned, {cut} cut, {failed} failed), {steps} steps, {requests} requests"
            )),
        ));
        let mut calls = found.calls.clone();
        calls.sort_unstable();
        if let (Some(median), Some(longest)) = (calls.get(calls.len() / 2), calls.last()) {
            let limit = rehearsal.plan().guest.call_timeout.as_millis();
            let (median, longest) = (say(millis(*median)), say(millis(*longest)));
            let text = format!("median {median}, longest {longest}, allowed {limit} ms");
            lines.push(("next", say(text)));
        }
        let cap = say(bytes(behavior.memory_cap()));
        let of = word("of", console.language());
        lines.push(("memory", format!("{} {of} {cap}", say(bytes(memory)))));
        let undeclared = found.undeclared.iter().map(|route| {
            format!("{route} is not among the routes of describe: it counts as other")
        });
        let unfed = found.unfed.iter().map(|feed| {
            format!("it asks for the feed {feed:?} and gets no row: name its file with --feed")
        });
        let refused: Vec<&str> = behavior.refused().collect();
        let refused = (!refused.is_empty()).then(|| {
            let names = refused.join(", ");
            format!("it does not get what it imports as {names}: a call of these ends with a crash")
        });
        let notes = undeclared.chain(unfed).chain(refused);
        let notes = notes.chain(found.notes.iter().cloned());
        lines.extend(notes.map(|note| ("note", say(note))));
        match (&found.problem, &found.doubt) {
            (Some(_), _) => {}
            (None, Some(doubt)) => lines.push(("verdict", say(doubt.clone()))),
            (None, None) => lines.push(("verdict", say("it can play".into()))),
        }
        let lines = lines.into_iter();
        let lines: Vec<_> = lines
            .map(|(what, text)| (word(what, console.language()), text))
            .collect();
        let widest = lines.iter().map(|(what, _)| what.chars().count()).max();
        let width = widest.unwrap_or_default();
        let mut printed = String::new();
        for (what, text) in lines {
            let text = text.escape_debug().to_string();
            let text = text.replace("\\\"", "\"").replace("\\'", "'");
            printed += &format!("{what:width$}  {text}\n");
        }
        printed
    }
}

/// Some of the sessions, under one condition.
struct Round<F> {
    sessions: u32,
    /// The condition, where it is a bad one.
    when: Option<&'static str>,
    /// Judges a session that fails: `Err` keeps the module from playing.
    failed: F,
}

impl Findings {
    /// Where no session got through, it cannot play, as far as is known. Those that were given replies and all gave up show
    /// nothing of the rest of the journey.
    fn judge_endings(&mut self, scripted: bool) {
        let [completed, abandoned, cut, failed] = self.sessions;
        let none_gets_through = completed + cut == 0 && abandoned + failed > 0;
        if self.problem.is_some() || !none_gets_through {
            return;
        }
        if let Some(how) = self.failure.take() {
            let hint = if scripted { "" } else { MADE_UP };
            let sessions = abandoned + failed;
            let problem = match how {
                SessionEnd::Failed(words) => {
                    format!("no session gets through, {failed} of {sessions} fail: {words}")
                }
                SessionEnd::Refused(why) => {
                    format!("no session gets through, {failed} of {sessions} are ended: {why}")
                }
                _ => return,
            };
            self.problem = Some(problem + hint);
            return;
        }
        if self.requests == 0 {
            self.problem = Some(format!(
                "it gives up before its first request, in each of {abandoned} sessions"
            ));
            return;
        }
        let hint = if scripted { "" } else { MADE_UP };
        self.doubt = Some(format!(
            "whether it can play is not known: it gave up in each of {abandoned} sessions with replies{hint}"
        ));
    }

    fn rehearse(
        &mut self,
        rehearsal: &Rehearsal,
        user: &mut User,
        replies: &mut Replies,
        budget: u32,
        round: &Round<impl Fn(&str) -> Result<String, String>>,
    ) {
        for ordinal in 0..round.sessions {
            let (undeclared, unfed) = (&mut self.undeclared, &mut self.unfed);
            let watch = |_: u64, happening: Happening<'_>| match happening {
                Happening::Sent {
                    request,
                    route,
                    undeclared: true,
                    ..
                } if undeclared.len() < 10 => {
                    undeclared.insert(format!("{} {route}", request.method.as_str()));
                }
                Happening::Said(GuestEvent::NoRow {
                    feed,
                    why: NoRow::Unknown,
                }) if unfed.len() < 10 => {
                    unfed.insert(feed);
                }
                _ => {}
            };
            let played = rehearsal.play(user, ordinal, replies, budget, watch);
            self.requests += played.requests;
            self.calls.extend(played.calls);
            let (ending, judged) = match &played.ended {
                SessionEnd::Completed => (0, None),
                SessionEnd::Abandoned => (1, None),
                SessionEnd::Cut => (2, None),
                // As a swap and a run judge it.
                SessionEnd::Failed(words) if played.requests == 0 => {
                    let problem = format!("it fails before its first request: {words}");
                    (3, Some(Err(problem)))
                }
                SessionEnd::Refused(why) if played.requests == 0 => {
                    let problem = format!("it is ended before its first request: {why}");
                    (3, Some(Err(problem)))
                }
                SessionEnd::Failed(why) | SessionEnd::Refused(why) => {
                    if round.when.is_none() {
                        self.failure.get_or_insert_with(|| played.ended.clone());
                    }
                    let how = match &played.ended {
                        SessionEnd::Failed(words) => format!("a session fails: {words}"),
                        _ => format!("a session is ended: {why}"),
                    };
                    (3, Some((round.failed)(&how)))
                }
                SessionEnd::Crashed(crash) => {
                    let when = round.when.map(|when| format!("when {when}, it "));
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

fn listed(names: &[String], console: &Console) -> String {
    if names.is_empty() {
        word("none", console.language())
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
