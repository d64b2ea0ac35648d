//! The dashboard in Grafana's JSON model: panels of [`super::panels`] laid out on its grid. Nothing of it depends on a
//! Grafana that was set up in some way: data source, job and generators are chosen on the page.

use serde_json::{Value, json};

use super::annotations::{Annotation, annotations};
use super::panels::{Panel, Visualization, rows};
use super::query::Queries;
use vespeiro_metrics::families::table::BUILD_INFO;

/// Columns of Grafana's grid.
const COLUMNS: u32 = 24;

/// The whole dashboard, for classic or native histograms.
pub fn dashboard(native: bool) -> Value {
    let queries = Queries::of_panels(native);
    let mut panels = Vec::new();
    let mut y = 0;
    let mut id = 0;
    for row in rows(&queries) {
        id += 1;
        panels.push(json!({
            "id": id, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": y, "w": COLUMNS, "h": 1 },
        }));
        y += 1;
        let (mut x, mut tallest) = (0, 0);
        for panel in &row.panels {
            if x + panel.width > COLUMNS {
                (x, y, tallest) = (0, y + tallest, 0);
            }
            let height = if panel.visualization == Visualization::Stat {
                4
            } else {
                8
            };
            tallest = tallest.max(height);
            id += 1;
            let place = json!({ "x": x, "y": y, "w": panel.width, "h": height });
            panels.push(drawn(panel, id, place));
            x += panel.width;
        }
        y += tallest;
    }
    json!({
        "title": "Vespeiro",
        "uid": if native { "vespeiro-native" } else { "vespeiro" },
        "tags": ["vespeiro", "load"],
        "description": "Load runs of Vespeiro: what the virtual users see of the target, and whether the generator kept up.",
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": { "from": "now-15m", "to": "now" },
        "timezone": "browser",
        "templating": { "list": variables() },
        "annotations": { "list": annotations(&queries).iter().map(marked).collect::<Vec<_>>() },
        "panels": panels,
    })
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn variables() -> Value {
    let build = BUILD_INFO.query();
    let choice = |name: &str, label: &str, query: String| {
        json!({
            "name": name, "label": label, "type": "query", "datasource": source(),
            "query": { "query": query, "refId": name }, "definition": query,
            "refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".*",
            "current": { "text": ["All"], "value": ["$__all"] },
        })
    };
    json!([
        { "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus" },
        choice("job", "Job", format!("label_values({build}, job)")),
        choice("instance", "Generator", format!("label_values({build}{{job=~\"$job\"}}, instance)")),
    ])
}

fn marked(annotation: &Annotation) -> Value {
    json!({
        "name": annotation.name, "datasource": source(), "enable": true, "hide": false,
        "iconColor": annotation.color, "expr": annotation.query, "titleFormat": annotation.title,
        "textFormat": "{{scenario}} {{target}}", "useValueForTime": annotation.value_is_time,
    })
}

fn drawn(panel: &Panel, id: u32, place: Value) -> Value {
    let format = match panel.visualization {
        Visualization::HeatMap => "heatmap",
        Visualization::Table => "table",
        _ => "time_series",
    };
    let targets: Vec<Value> = panel
        .queries
        .iter()
        .zip('A'..)
        .map(|((query, legend), reference)| {
            json!({
                "refId": reference.to_string(), "datasource": source(), "expr": query, "legendFormat": legend,
                "format": format, "instant": panel.visualization == Visualization::Table, "range": panel.visualization != Visualization::Table,
            })
        })
        .collect();
    let (kind, custom, options) = visualization(panel);
    let mut drawn = json!({
        "id": id, "type": kind, "title": panel.title, "description": panel.help,
        "datasource": source(), "gridPos": place, "targets": targets, "options": options,
        "fieldConfig": { "defaults": { "unit": panel.unit, "min": 0, "custom": custom }, "overrides": [] },
    });
    if panel.visualization == Visualization::Table {
        drawn["transformations"] = json!([{
            "id": "organize", "options": { "excludeByName": { "Time": true, "Value": true } },
        }]);
    }
    drawn
}

/// Grafana's type of the panel, the settings of its fields, and its options.
fn visualization(panel: &Panel) -> (&'static str, Value, Value) {
    let legend = json!({
        "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
        "tooltip": { "mode": "multi", "sort": "desc" },
    });
    match panel.visualization {
        Visualization::Stat => (
            "stat",
            json!({}),
            json!({
                "colorMode": "none", "graphMode": "area", "justifyMode": "auto",
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            }),
        ),
        Visualization::Lines => (
            "timeseries",
            json!({ "lineWidth": 1, "fillOpacity": 0, "showPoints": "never" }),
            legend,
        ),
        Visualization::Stacked => (
            "timeseries",
            json!({
                "lineWidth": 1, "fillOpacity": 40, "showPoints": "never",
                "stacking": { "mode": "normal", "group": "A" },
            }),
            legend,
        ),
        Visualization::HeatMap => (
            "heatmap",
            json!({}),
            json!({
                "calculate": false, "cellGap": 1, "legend": { "show": true },
                "color": { "mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "scale": "exponential" },
                "yAxis": { "unit": panel.unit, "axisPlacement": "left" },
                "tooltip": { "mode": "single", "yHistogram": true },
            }),
        ),
        Visualization::Table => ("table", json!({}), json!({ "showHeader": true })),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_panel_overlaps_another_and_each_has_its_own_id() {
        let dashboard = dashboard(false);
        let panels = dashboard["panels"].as_array().unwrap();
        let mut cells = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for panel in panels {
            assert!(ids.insert(panel["id"].as_u64().unwrap()));
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("x") + at("w") <= u64::from(COLUMNS), "{panel}");
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(cells.insert((x, y)), "{panel}");
                }
            }
        }
    }

    #[test]
    fn every_panel_says_what_to_see_in_it() {
        for row in rows(&Queries::of_panels(true)) {
            for panel in row.panels {
                assert!(!panel.help.is_empty() && !panel.queries.is_empty());
            }
        }
    }
}
