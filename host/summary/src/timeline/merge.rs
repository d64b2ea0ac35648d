//! Several timelines as one: those of runs that went on at the same time. Called when summaries are merged.

use std::ops::Range;

use super::{EVENTS, POINTS, PointBuilder, PointsBuilder};
use crate::json::{Event, Point, Timeline};
use crate::on_cores::on_cores;
use vespeiro_metrics::DecodeError;

/// Cells that are filled at a time.
const STRETCH: usize = 32;

/// The timelines, each with the seconds by which its run began after the first one. They are laid on one grid: a point
/// belongs to the cell in which its middle lies.
pub(crate) fn merge(parts: &[(f64, &Timeline)]) -> Result<Timeline, DecodeError> {
    let mut merged = Timeline::default();
    let (mut end, mut longest) = (0f64, 1f64);
    for (shift, part) in parts {
        for point in &part.points {
            end = end.max(shift + point.at);
            longest = longest.max(point.over.round());
        }
    }
    let step = longest.max((end / POINTS as f64).ceil());
    let cells = (end / step).ceil() as usize;
    for (_, part) in parts {
        for name in &part.categories {
            if !merged.categories.contains(name) {
                merged.categories.push(name.clone());
            }
        }
    }
    for (shift, part) in parts {
        merged.events.extend(part.events.iter().map(|event| Event {
            at: event.at + shift,
            ..event.clone()
        }));
        merged.events_lost += part.events_lost;
    }
    let stretches: Vec<_> = (0..cells)
        .step_by(STRETCH)
        .map(|from| from..cells.min(from + STRETCH))
        .collect();
    let grid = on_cores(&stretches, |stretch| {
        let grid = Grid { step, cells };
        grid.filled(stretch, parts, &merged.categories)
    });
    let grid = grid.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut builder = PointsBuilder::new();
    for (at, cell) in grid.into_iter().flatten().enumerate() {
        let mut point_builder = cell.unwrap_or_else(|| PointBuilder {
            point: Point::default(),
            histogram: Default::default(),
        });
        let begins = at as f64 * step;
        point_builder.point.at = (begins + step).min(end);
        point_builder.point.over = point_builder.point.at - begins;
        builder.push(point_builder);
    }
    merged.points = builder.finish();
    merged.events.sort_by(|a, b| a.at.total_cmp(&b.at));
    merged.events_lost += merged.events.len().saturating_sub(EVENTS) as u64;
    merged.events.truncate(EVENTS);
    Ok(merged)
}

/// Cells of equal length.
struct Grid {
    /// Seconds of each.
    step: f64,
    cells: usize,
}

impl Grid {
    /// These cells, with the points of all parts that lie in them.
    fn filled(
        &self,
        stretch: &Range<usize>,
        parts: &[(f64, &Timeline)],
        categories: &[String],
    ) -> Result<Vec<Option<PointBuilder>>, DecodeError> {
        let mut filled: Vec<Option<PointBuilder>> = vec![None; stretch.len()];
        for (shift, part) in parts {
            // Of one run, a cell holds points that follow each other; of several, such that went on at the same time.
            let mut own: Vec<Option<PointBuilder>> = vec![None; stretch.len()];
            for point in &part.points {
                let middle = shift + point.at - point.over / 2.0;
                let cell = ((middle / self.step) as usize).min(self.cells.saturating_sub(1));
                if !stretch.contains(&cell) {
                    continue;
                }
                let point_builder = point_builder(point, part, categories)?;
                match &mut own[cell - stretch.start] {
                    Some(earlier) => earlier.append(&point_builder),
                    empty => *empty = Some(point_builder),
                }
            }
            for (cell, own) in filled.iter_mut().zip(own) {
                let Some(own) = own else { continue };
                match cell {
                    Some(other) => beside(other, &own),
                    empty => *empty = Some(own),
                }
            }
        }
        Ok(filled)
    }
}

/// Another run's figures of the same time.
fn beside(one: &mut PointBuilder, other: &PointBuilder) {
    one.point.users += other.point.users;
    one.point.sessions += other.point.sessions;
    one.point.cpu_cores += other.point.cpu_cores;
    one.point.memory_bytes += other.point.memory_bytes;
    one.count(other);
}

fn point_builder(
    point: &Point,
    part: &Timeline,
    categories: &[String],
) -> Result<PointBuilder, DecodeError> {
    let mut mix = vec![0; categories.len()];
    for (name, count) in part.categories.iter().zip(&point.mix) {
        if let Some(at) = categories.iter().position(|known| known == name) {
            mix[at] += count;
        }
    }
    let histogram = point.latency.as_ref().map(|latency| latency.histogram());
    Ok(PointBuilder {
        histogram: histogram.transpose()?.unwrap_or_default(),
        point: Point {
            mix,
            latency: None,
            ..point.clone()
        },
    })
}
