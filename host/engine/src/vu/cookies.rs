//! What a user keeps of the target's cookies. Used by `exchange.rs` around each attempt, emptied by `live.rs` and the teardown
//! at the beginning of a session where the plan says so.
//!
//! What must stay true: a user who was told no cookie costs a pointer and nothing else.

use std::cell::Cell;
use std::fmt;
use std::time::SystemTime;

use vespeiro_http::cookies::Jar;
use vespeiro_http::{Answer, Call};
use vespeiro_plan::{CookiesFor, Plan};

/// One user's cookies.
#[derive(Default)]
pub(crate) struct UserCookies(Cell<Option<Box<Jar>>>);

impl fmt::Debug for UserCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserCookies").finish_non_exhaustive()
    }
}

impl UserCookies {
    /// A session begins.
    pub(crate) fn begin_session(&self, plan: &Plan) {
        if plan.target.cookies != CookiesFor::PerUser {
            self.0.take();
        }
    }

    /// Send with a request what belongs to it now.
    pub(crate) fn attach(&self, call: &mut Call, wall: impl FnOnce() -> SystemTime) {
        let Some(mut jar) = self.0.take() else {
            // Of an earlier attempt.
            if call.has_merged_cookies() {
                call.merge_cookies(|_, _| None);
            }
            return;
        };
        let now = wall();
        call.merge_cookies(|own, site| jar.header(own, site, now));
        self.keep(jar);
    }

    /// Take what an answer sets. `false`: some had to go, since they were too many.
    pub(crate) fn learn(&self, call: &Call, answer: &Answer, now: SystemTime) -> bool {
        let mut jar = self.0.take().unwrap_or_default();
        let mut fits = true;
        call.at_site(|site| {
            for line in &answer.set_cookies {
                fits &= jar.take(line, site, now);
            }
        });
        self.keep(jar);
        fits
    }

    fn keep(&self, jar: Box<Jar>) {
        self.0.set((!jar.is_empty()).then_some(jar));
    }
}
