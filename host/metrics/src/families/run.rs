//! What the run is and aims at, and its clock, as metric families; part of [`super::families`].

use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

use super::table::{
    BUILD_INFO, ELAPSED, ERROR_MIX_TARGET, MIX_TARGET, RUN_INFO, START_TIME, THRESHOLD_CROSSED,
};
use super::{Page, RunInfo, Snapshot};
use vespeiro_model::{OutcomeClass, ThresholdState};

pub(super) fn tell(s: &Snapshot, about: &RunInfo, page: &mut Page<'_>) {
    page.family(&BUILD_INFO, |f| f.number(&[env!("CARGO_PKG_VERSION")], 1.0));
    page.family(&RUN_INFO, |f| {
        f.number(&[&about.run, &about.scenario, &about.target], 1.0)
    });
    let since_1970 = s.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    page.single(&START_TIME, since_1970.as_secs_f64());
    page.single(&ELAPSED, s.elapsed.as_secs_f64());
    page.family(&THRESHOLD_CROSSED, |f| {
        let mut told = BTreeSet::new();
        for verdict in &s.guard.thresholds {
            let threshold = verdict.threshold.to_string();
            // The same one may stand in a plan twice.
            if told.insert(threshold.clone()) {
                let crossed = verdict.state == ThresholdState::Crossed;
                f.number(&[&threshold], f64::from(u8::from(crossed)));
            }
        }
    });
    page.family(&MIX_TARGET, |f| {
        for (category, percent) in about.mix.iter().flat_map(|mix| &mix.0) {
            f.number(&[category], percent / 100.0);
        }
    });
    page.family(&ERROR_MIX_TARGET, |f| {
        if let Some(mix) = about.error_mix {
            for (class, percent) in OutcomeClass::ALL.into_iter().zip(mix.shares()) {
                f.number(&[class.as_str()], percent / 100.0);
            }
        }
    });
}
