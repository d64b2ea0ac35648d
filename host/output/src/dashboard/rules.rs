//! The alerts as a rule file for Prometheus, in YAML. Written by hand: it is a list of a few texts, all of them quoted.

use super::alerts::{Alert, Trigger, alerts};
use super::query::Queries;

/// The whole file, for classic or native histograms.
pub fn rules(native: bool) -> String {
    let head = "groups:\n- name: vespeiro\n  rules:\n";
    let alerts = alerts(&Queries::of_alerts(native));
    let rules: String = alerts.iter().map(rule).collect();
    format!("{head}{rules}")
}

fn rule(alert: &Alert) -> String {
    let condition = match alert.trigger {
        Trigger::Above(trigger) => format!("> {trigger}"),
        Trigger::Below(trigger) => format!("< {trigger}"),
    };
    let expression = quoted(&format!("{} {condition}", alert.query));
    format!(
        "  - alert: {}\n    expr: {expression}\n    for: {}\n    labels:\n      severity: {}\n    \
         annotations:\n      summary: {}\n      description: {}\n",
        alert.name,
        alert.hold,
        alert.severity,
        quoted(alert.summary),
        quoted(alert.description),
    )
}

/// In single quotes, where nothing but the quote itself is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_ends_no_text() {
        assert_eq!(quoted("the tool's {{ x }}: y"), "'the tool''s {{ x }}: y'");
    }

    #[test]
    fn every_alert_is_one_rule() {
        let rules = rules(false);
        let count = alerts(&Queries::of_alerts(false)).len();
        for part in ["\n  - alert: Vespeiro", "\n    expr: '", "\n    for: "] {
            assert_eq!(rules.matches(part).count(), count, "{rules}");
        }
    }
}
