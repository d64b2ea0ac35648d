//! Where the time of each route went, as stacked bars: the mean of a request, phase by phase. Used by the page.
//!
//! What must stay true: a bar is as long as its mean against the longest, and tells the same to who cannot see it.

use maud::{Markup, html};

use crate::Locale;
use crate::language::harmless;
use vespeiro_summary::json::{Requests, Route, Summary};

/// Of the drawing; it is stretched to the width that there is.
const WIDTH: f64 = 1000.0;
/// Routes with a bar at most, the slowest: the table of routes has all of them.
const MOST: usize = 30;

/// Nothing of a summary without phases.
pub(super) fn bars(summary: &Summary, locale: Locale) -> Markup {
    let w = locale.words();
    let mut routes: Vec<(&Route, f64)> = summary
        .routes
        .iter()
        .map(|route| (route, mean(&route.requests)))
        .filter(|(_, mean)| *mean > 0.0)
        .collect();
    routes.sort_by(|a, b| b.1.total_cmp(&a.1));
    routes.truncate(MOST);
    let Some(longest) = routes.first().map(|(_, mean)| *mean) else {
        return html! {};
    };
    html! {
        section .card.phases {
            h2 { (w.where_time_goes) " · " (w.mean) }
            ul .legend {
                @for phase in summary.total.phases.keys() {
                    li { span class={ "swatch phase-" (phase) } {} (w.phase(*phase)) }
                }
            }
            dl {
                @for (route, mean) in &routes {
                    dt { code .method { (harmless(&route.method)) } " " (harmless(&route.path)) }
                    dd {
                        (bar(&route.requests, longest, locale))
                        span .soft.small { (locale.time(*mean)) }
                    }
                }
            }
        }
    }
}

/// Of all of a request's time.
fn mean(requests: &Requests) -> f64 {
    let sum: f64 = requests.phases.values().map(|of| of.sum).sum();
    sum / requests.requests.max(1) as f64
}

fn bar(requests: &Requests, longest: f64, locale: Locale) -> Markup {
    let each = requests.phases.iter().map(|(phase, of)| {
        let mean = of.sum / requests.requests.max(1) as f64;
        (*phase, mean)
    });
    let told: Vec<String> = each
        .clone()
        .map(|(phase, mean)| format!("{} {}", locale.words().phase(phase), locale.time(mean)))
        .collect();
    let mut from = 0.0;
    let parts: Vec<_> = each
        .map(|(phase, mean)| {
            let (start, width) = (from, mean / longest * WIDTH);
            from += width;
            (phase, start, width)
        })
        .collect();
    html! {
        svg role="img" aria-label=(told.join(", ")) viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" {
            @for (phase, start, width) in parts {
                rect class={ "phase-" (phase) } x=(format!("{start:.2}")) y="0" width=(format!("{width:.2}")) height="10" {
                    title { (locale.words().phase(phase)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    #[test]
    fn the_longest_bar_is_full_and_each_tells_its_phases() {
        let mut summary = Summary::new(&plan(Language::English), &snapshot());
        let locale = Locale::new(Language::English);
        let page = bars(&summary, locale).into_string();
        let widths = |svg: &str| -> f64 {
            let rects = svg.split("<rect ").skip(1);
            let width = |rect: &str| {
                rect.split("width=\"")
                    .nth(1)?
                    .split('"')
                    .next()?
                    .parse::<f64>()
                    .ok()
            };
            rects.filter_map(width).sum::<f64>()
        };
        let drawn: Vec<f64> = page.split("<svg ").skip(1).map(widths).collect();
        assert_eq!(drawn.len(), summary.routes.len());
        assert!((drawn[0] - WIDTH).abs() < 0.1, "{drawn:?}");
        assert!(
            drawn
                .iter()
                .all(|width| *width <= drawn[0] + 0.1 && *width > 0.0)
        );
        assert!(page.contains("aria-label=\"blocked "), "{page}");
        let routes = summary.routes.iter_mut();
        routes.for_each(|route| route.requests.phases.clear());
        assert_eq!(bars(&summary, locale).into_string(), "");
    }
}
