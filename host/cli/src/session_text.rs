//! What happens in a session, in words of the user's language, for `rehearse` and `try`. Behaviors and targets have written
//! much of it, which stays as it is: but what would steer a terminal or turn the text around is made visible.

use vespeiro_behavior::{GuestEvent, Level, NoRow};
use vespeiro_engine::SessionEnd;
use vespeiro_engine::rehearsal::veil_mark;
use vespeiro_metrics::Span;
use vespeiro_model::text::is_hidden;
use vespeiro_output::{translated, word as word_in};
use vespeiro_plan::Language;

/// What a session has told the host, in one line.
pub(super) fn said(event: &GuestEvent, language: Language) -> String {
    let line = match event {
        GuestEvent::Log { level, message } => format!("log {} {message:?}", word(*level)),
        GuestEvent::Check { name, passed } => match passed {
            true => format!("check {name:?}: passed"),
            false => format!("check {name:?}: failed"),
        },
        GuestEvent::Observe { metric, value } => format!("observe {metric:?}: {value}"),
        GuestEvent::Share(value) => shares(value.len()),
        GuestEvent::Abandoned { reason, place } => gives_up(reason, place.as_deref()),
        GuestEvent::Begin(name) => return transaction(name, None, language),
        GuestEvent::End {
            transaction: name,
            passed,
        } => return transaction(name, Some((*passed, Span::default())), language),
        GuestEvent::Mark(thing) => format!("mark {:?}", veil_mark(thing)),
        GuestEvent::Unmark(thing) => format!("unmark {:?}", veil_mark(thing)),
        GuestEvent::NoRow { feed, why } => {
            let problem = translated(no_row(*why), language);
            return format!("feed {feed:?}: {problem}");
        }
    };
    translated(&line, language)
}

/// What is handed to all sessions.
pub(super) fn shares(length: usize) -> String {
    format!("share {length} bytes")
}

/// Why a person gives up, and where.
pub(super) fn gives_up(reason: &str, place: Option<&str>) -> String {
    match place {
        Some(place) => format!("gives up: {reason:?} at {place:?}"),
        None => format!("gives up: {reason:?}"),
    }
}

/// A transaction that begins, or has ended, in one line.
pub(super) fn transaction(name: &str, ended: Option<(bool, Span)>, language: Language) -> String {
    let line = match ended {
        None => format!("transaction {name:?}: begins"),
        Some((passed, span)) => {
            let (took, active) = (span.duration.as_secs_f64(), span.active.as_secs_f64());
            match passed {
                true => format!(
                    "transaction {name:?}: passed after {took:.3} s, {active:.3} s without pauses"
                ),
                false => format!(
                    "transaction {name:?}: failed after {took:.3} s, {active:.3} s without pauses"
                ),
            }
        }
    };
    translated(&line, language)
}

pub(super) fn word(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

pub(super) fn no_row(why: NoRow) -> &'static str {
    match why {
        NoRow::Spent => "it has no more rows",
        NoRow::Unknown | NoRow::Withheld => "there is none: name its file with --feed",
    }
}

/// How it ended, in one line.
pub(super) fn ended(ended: &SessionEnd, language: Language) -> String {
    let line = match ended {
        SessionEnd::Completed => return word_in("completed", language),
        SessionEnd::Abandoned => return word_in("abandoned", language),
        SessionEnd::Cut => "cut: its budget is spent".to_owned(),
        SessionEnd::Failed(why) => {
            let words = why.escape_debug();
            format!("failed: {words}")
        }
        SessionEnd::Refused(why) => format!("ended: {}", why.escape_debug()),
        SessionEnd::Crashed(crash) => format!("crashed: {}", crash.to_string().escape_debug()),
    };
    translated(&line, language)
}

/// The text as it is, but for what is hidden in it.
pub(super) fn shown(text: &str) -> String {
    text.chars().flat_map(visible).collect()
}

/// The character, or how Rust would write it.
fn visible(c: char) -> impl Iterator<Item = char> {
    let escaped = is_hidden(c).then(|| c.escape_debug());
    let plain = escaped.is_none().then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_in_a_text_is_written_out() {
        assert_eq!(
            shown("a\x1b[2J\u{202e}\u{feff}é"),
            "a\\u{1b}[2J\\u{202e}\\u{feff}é"
        );
    }
}
