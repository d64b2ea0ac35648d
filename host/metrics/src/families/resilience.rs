//! What was held back out of regard for the target, and what is under way, as metric families; part of
//! [`super::families`].

use super::table::{
    BREAKER_STATE, BREAKER_TRANSITIONS, COROUTINES, GENERATOR_LIMIT, HOLD, HOLDS, LOGIN_PAUSES,
    LOGINS_PAUSED, LOGINS_REFUSED, PACE_FACTOR, PROCESS_OPEN_SOCKETS, REQUESTS_IN_FLIGHT, RETRIES,
    USERS_HELD,
};
use super::{Page, Snapshot};
use vespeiro_model::{BreakerState, HoldReason};

pub(super) fn tell(s: &Snapshot, page: &mut Page<'_>) {
    let (stands, holds) = (&s.worker_statuses, &s.resilience);
    page.family(&BREAKER_STATE, |f| {
        for state in BreakerState::ALL {
            f.count(&[state.as_str()], stands.breakers(state) as u64);
        }
    });
    page.family(&BREAKER_TRANSITIONS, |f| {
        for state in BreakerState::ALL {
            f.count(&[state.as_str()], holds.transitions_to(state));
        }
    });
    page.family(&HOLDS, |f| {
        for reason in HoldReason::ALL {
            f.count(&[reason.as_str()], holds.wait(reason).count);
        }
    });
    page.family(&HOLD, |f| {
        for reason in HoldReason::ALL {
            f.number(&[reason.as_str()], holds.wait(reason).time.as_secs_f64());
        }
    });
    page.single(&USERS_HELD, stands.held() as f64);
    page.single(&PACE_FACTOR, stands.pace());
    page.single(&RETRIES, holds.retries as f64);
    page.single(&LOGINS_REFUSED, holds.refused_logins as f64);
    page.single(&LOGIN_PAUSES, holds.login_pauses as f64);
    page.single(&LOGINS_PAUSED, stands.logins_paused() as f64);
    page.single(&COROUTINES, stands.coroutines() as f64);
    page.single(&REQUESTS_IN_FLIGHT, stands.in_flight() as f64);
    page.single(&PROCESS_OPEN_SOCKETS, s.process.open_sockets as f64);
    page.family(&GENERATOR_LIMIT, |f| {
        for gauge in s.generator_limits() {
            f.count(&[gauge.kind.as_str()], u64::from(gauge.is_over()));
        }
    });
}
