//! What the generator costs and whether it kept up, as metric families; part of [`super::families`].

use super::table::{
    PROCESS_CPU, PROCESS_OPEN_FDS, PROCESS_RESIDENT_MEMORY, PROCESS_THREADS, SCHEDULING_LAG,
    USABLE_CORES, WORKERS,
};
use super::{Page, Snapshot};

pub(super) fn tell<'a>(s: &'a Snapshot, page: &mut Page<'a>) {
    page.family(&SCHEDULING_LAG, |f| f.histogram(&[], &s.lag));
    page.single(&WORKERS, s.workers as f64);
    page.single(&USABLE_CORES, s.cpu.cores as f64);
    page.single(&PROCESS_CPU, s.process.cpu.as_secs_f64());
    page.single(&PROCESS_RESIDENT_MEMORY, s.process.rss as f64);
    page.single(&PROCESS_OPEN_FDS, s.process.open_files as f64);
    page.single(&PROCESS_THREADS, s.process.threads as f64);
}
