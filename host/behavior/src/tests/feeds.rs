//! Rows on their way into a guest: whose count they come from, and what is kept of a guest that gets none.

use super::*;
use crate::{NoRow, RowSource};
use vespeiro_plan::Secrets;

const FEED: &str =
    r#"(import "vespeiro:behavior/host@0.1.0" "feed" (func $feed (param i32 i32 i32)))"#;
/// Takes the next row and says it.
const SAY: &str = "
    (call $feed (i32.const 600) (i32.const 6) (i32.const 640))
    (if (i32.load8_u (i32.const 640))
        (then (call $log (i32.const 1) (i32.load (i32.const 644)) (i32.load (i32.const 648)))))";

/// Counts its rows.
#[derive(Debug)]
struct Counted(u32, Secrets);

impl RowSource for Counted {
    fn next(&mut self, name: &str) -> Result<String, NoRow> {
        assert_eq!(name, "people");
        self.0 += 1;
        match self.0 {
            ..5 => Ok(self.0.to_string()),
            _ => Err(NoRow::Spent),
        }
    }

    fn secrets(&self) -> &Secrets {
        &self.1
    }

    fn remember(&mut self, _: &str) {}

    fn remembered(&self) -> Option<&str> {
        None
    }

    fn shared(&self) -> Option<&str> {
        None
    }
}

fn said(events: &[GuestEvent]) -> Vec<String> {
    let each = events.iter().map(|event| match event {
        GuestEvent::Log { message, .. } => message.clone(),
        GuestEvent::NoRow { feed, why } => format!("{feed}: {why:?}"),
        other => panic!("{other:?}"),
    });
    each.collect()
}

#[test]
fn a_users_rows_go_on_over_its_sessions_and_over_a_trap() {
    let mut slot = slot(&by_hand(&[
        ("imports", FEED),
        ("data", r#"(data (i32.const 600) "people")"#),
        ("begin", SAY),
        ("next", SAY),
        ("next again", "(unreachable)"),
    ]));
    let (one, other) = (
        Feeder::new(Counted(0, Secrets::default())),
        Feeder::new(Counted(2, Secrets::default())),
    );
    let mut play = |feeder: &Feeder| {
        let mut session = slot.begin(setup(1), feeder.clone()).unwrap().session;
        let mut events = Vec::new();
        session.events(|event| events.push(event));
        let (answer, more) = next(&mut session, 0);
        answer.unwrap().unwrap();
        events.extend(more);
        assert!(next(&mut session, 0).0.is_err());
        assert!(session.lost().is_some());
        said(&events)
    };
    assert_eq!(play(&one), ["1", "2"]);
    assert_eq!(play(&other), ["3", "4"]);
    assert_eq!(play(&one), ["3", "4"]);
    assert_eq!(play(&one), ["people: Spent", "people: Spent"]);
}

#[test]
fn a_guest_that_asks_for_what_is_not_there_does_not_fill_the_host() {
    let code = "
        (local.set $mixes (i32.const 5000))
        (loop $more
            (call $feed (i32.const 1024) (i32.const 2000) (i32.const 640))
            (local.set $mixes (i32.sub (local.get $mixes) (i32.const 1)))
            (br_if $more (local.get $mixes)))";
    let mut slot = slot(&by_hand(&[("imports", FEED), ("next", code)]));
    let mut session = begin(&mut slot, 1);
    let (answer, events) = next(&mut session, 0);
    answer.unwrap().unwrap();
    assert_eq!(events.len(), 1024);
    let unknown = GuestEvent::NoRow {
        feed: "\0".repeat(256),
        why: NoRow::Unknown,
    };
    assert_eq!(events[0], unknown);
}
