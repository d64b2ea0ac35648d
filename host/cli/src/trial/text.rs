//! Entries for people: below each other, in their language, with colors on a terminal.

use serde_json::Value;

use super::entry::{Answered, Entry, Fields};
use crate::session_text::{gives_up, shares, shown, transaction};
use vespeiro_model::GrpcCode;
use vespeiro_output::{Locale, translated, word};
use vespeiro_plan::Language;

/// Colors, where there are some.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) colored: bool,
    /// Most characters of a body.
    pub(super) body: usize,
    pub(super) language: Language,
}

const MARGIN: &str = "            ";

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";
const BOLD: &str = "1";
const DIM: &str = "2";

impl Style {
    /// A text of ours; what behaviors and targets say stays as it is.
    fn say(self, text: &str) -> String {
        translated(text, self.language)
    }

    fn word(self, english: &str) -> String {
        word(english, self.language)
    }

    fn paint(self, color: &str, text: &str) -> String {
        match self.colored {
            true => format!("\x1b[{color}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    /// An entry, `at` so many seconds since the begin. With line ends.
    pub(super) fn write(self, at: f64, entry: &Entry) -> String {
        let at = format!("{at:>10.3}");
        match entry {
            Entry::Session {
                behavior,
                version,
                module,
                target,
                seed,
            } => {
                let target = shown(target);
                let against = self.say(&format!("one session against {target}, seed {seed}"));
                let behavior = self.paint(BOLD, &shown(behavior));
                format!(
                    "{behavior} {} ({}), {against}\n",
                    shown(version),
                    shown(module)
                )
            }
            Entry::Step {
                step,
                pause,
                requests,
            } => {
                let step = self.say(&format!("step {step}"));
                let mut told = format!("\n{}", self.paint(BOLD, &step));
                if requests.is_empty() {
                    told += &self.say(": no request");
                }
                if *pause > 0.0 {
                    told += &self.say(&format!(", after a pause of {pause:.3} s"));
                }
                told + "\n"
            }
            Entry::Request {
                request,
                method,
                path,
                route,
                category,
                fault,
                headers,
                body,
                body_bytes,
            } => {
                let asked = format!("{method} {}", shown(path));
                let label = format!("{}, {}", shown(route), shown(category));
                let fault = match fault {
                    true => self.say(", wrong on purpose"),
                    false => String::new(),
                };
                format!(
                    "{at}  → {} {}\n{}",
                    self.paint(CYAN, &asked),
                    self.paint(DIM, &format!("(#{request}: {label}{fault})")),
                    self.message(headers, body.as_ref(), *body_bytes)
                )
            }
            Entry::Answer(answered) => self.answer(&at, answered),
            Entry::Message {
                channel,
                sent,
                name,
                end,
                body,
                body_bytes,
            } => {
                let arrow = if *sent { "→" } else { "←" };
                let number = self.say(&format!("channel #{channel}"));
                let number = self.paint(CYAN, &number);
                let what = match (end, name.is_empty()) {
                    (true, _) => format!(": {}", self.word("end")),
                    (false, true) => String::new(),
                    (false, false) => format!(": {}", shown(name)),
                };
                let body = self.message(&Fields::new(), body.as_ref(), *body_bytes);
                format!("{at}  {arrow} {number}{what}\n{body}")
            }
            Entry::Check { name, passed } => {
                let (color, word) = match passed {
                    true => (GREEN, "passed"),
                    false => (RED, "failed"),
                };
                let word = self.paint(color, &self.word(word));
                let check = self.word("check");
                format!("{MARGIN}{check} {name:?}: {word}\n")
            }
            Entry::Log { level, message } => match message.strip_prefix("captured ") {
                Some(captured) if *level == "debug" => {
                    let captured = shown(captured);
                    let word = self.paint(CYAN, &self.word("captured"));
                    format!("{MARGIN}{word} {captured}\n")
                }
                _ => {
                    let told = self.say(&format!("log {level} {message:?}"));
                    format!("{MARGIN}{told}\n")
                }
            },
            Entry::Observe { metric, value } => {
                let told = self.say(&format!("observe {metric:?}: {value}"));
                format!("{MARGIN}{told}\n")
            }
            Entry::Share { bytes } => format!("{MARGIN}{}\n", self.say(&shares(*bytes))),
            Entry::Abandoned { reason, place } => {
                let told = self.say(&gives_up(reason, place.as_deref()));
                format!("{MARGIN}{}\n", self.paint(YELLOW, &told))
            }
            Entry::Transaction {
                name, passed, span, ..
            } => {
                let told = transaction(name, passed.zip(*span), self.language);
                let told = match passed {
                    Some(false) => self.paint(RED, &told),
                    _ => told,
                };
                format!("{at}  {told}\n")
            }
            Entry::Mark { thing } => {
                format!("{MARGIN}{}\n", self.say(&format!("mark {thing:?}")))
            }
            Entry::Unmark { thing } => {
                format!("{MARGIN}{}\n", self.say(&format!("unmark {thing:?}")))
            }
            Entry::Feed { feed, problem } => {
                let problem = self.paint(YELLOW, &self.say(problem));
                let told = self.say(&format!("feed {feed:?}: {problem}"));
                format!("{MARGIN}{told}\n")
            }
            Entry::End {
                end,
                why,
                is_ours,
                steps,
                requests,
                checks_passed,
                checks_failed,
            } => {
                let color = match *end {
                    "completed" => GREEN,
                    "cut" => YELLOW,
                    _ => RED,
                };
                let why = why.as_ref().map(|why| match is_ours {
                    true => format!(": {}", self.say(&why.escape_debug().to_string())),
                    false => format!(": {}", why.escape_debug()),
                });
                let end = self.paint(color, &self.word(end));
                let figures = self.say(&format!(
                    "{steps} steps, {requests} requests, checks: {checks_passed} passed, {checks_failed} failed"
                ));
                format!("\n{at}  {end}{}: {figures}\n", why.unwrap_or_default())
            }
        }
    }

    fn answer(self, at: &str, answered: &Answered) -> String {
        let standing = answered.grpc.map(GrpcCode::http).or(answered.status);
        let (color, what) = match standing {
            Some(status) => {
                let color = match status {
                    ..300 => GREEN,
                    300..400 => CYAN,
                    400..500 => YELLOW,
                    _ => RED,
                };
                let code = answered.grpc.map(|code| code.as_str().to_owned());
                (color, code.unwrap_or_else(|| status.to_string()))
            }
            None => {
                let failure = answered.failure;
                let words = failure.map(|failure| Locale::new(self.language).failure(failure));
                (RED, words.unwrap_or_default().to_owned())
            }
        };
        let ms = |seconds: f64| format!("{:.1}", seconds * 1e3);
        let spent = answered.phases.iter().filter(|(_, took)| *took >= 5e-5);
        let phases: Vec<String> = spent
            .map(|(phase, took)| format!("{} {}", self.word(phase), ms(*took)))
            .collect();
        let phases = match phases.is_empty() {
            true => String::new(),
            false => format!(": {}", phases.join(", ")),
        };
        let over = match &answered.connection {
            Some(address) => {
                let protocol = answered.protocol.unwrap_or_default();
                let to = format!("{}, {protocol}", shown(address));
                self.say(&match answered.reused {
                    true => format!("; same connection to {to}"),
                    false => format!("; new connection to {to}"),
                })
            }
            None => String::new(),
        };
        let captured = self.say(match answered.captured.as_slice() {
            [] => "captures nothing",
            ["headers"] => "captures headers",
            ["body"] => "captures body",
            _ => "captures headers and body",
        });
        let about = format!(
            "(#{}: {} ms{phases}{over}; {captured})",
            answered.request,
            ms(answered.seconds)
        );
        let mut told = format!(
            "{at}  ← {} {}\n",
            self.paint(color, &what),
            self.paint(DIM, &about)
        );
        if let Some(cause) = &answered.cause {
            told += &format!("{MARGIN}{}\n", self.say(&shown(cause)));
        }
        told += &self.message(
            &answered.headers,
            answered.body.as_ref(),
            answered.body_bytes,
        );
        told + &self.fields(&answered.trailers)
    }

    fn fields(self, fields: &Fields) -> String {
        let line = |(name, value): &(String, String)| {
            let name = self.paint(DIM, &format!("{}:", shown(name)));
            format!("{MARGIN}{name} {}\n", shown(value))
        };
        fields.iter().map(line).collect()
    }

    fn message(self, headers: &Fields, body: Option<&Value>, bytes: usize) -> String {
        let mut told = self.fields(headers);
        if bytes == 0 {
            return told;
        }
        let text = match body {
            None => self.say(&format!("({bytes} bytes that are no text)")),
            Some(Value::String(text)) => text.clone(),
            Some(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        };
        told.push('\n');
        let (short, cut) = shorten(&text, self.body);
        for line in short.split('\n') {
            told += &format!("{MARGIN}{}\n", shown(line.trim_end_matches('\r')));
        }
        if cut {
            let note = self.say(&format!("… {bytes} bytes; --body-chars shows more"));
            told += &format!("{MARGIN}{}\n", self.paint(DIM, &note));
        }
        told
    }
}

/// The beginning of a text, and whether that is not all.
pub(super) fn shorten(text: &str, most: usize) -> (&str, bool) {
    match text.char_indices().nth(most) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}
