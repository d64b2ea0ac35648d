//! The value types of lists of conditions: `--abort-on` and `--threshold`. Used by `settings/guard.rs`; each condition of a
//! list is read by `parse.rs`.

use std::fmt;

use super::{Condition, Threshold, parse};
use crate::errors::ValueError;
use crate::value_types::{SettingKind, ValueType};

/// Conditions that one setting can hold: what bounds the guard's memory.
const MAX_CONDITIONS: usize = 32;
/// What a list of conditions is separated by.
const SEPARATOR: char = ';';

/// Conditions, separated by `;`; `none` for none.
pub(crate) fn conditions() -> ValueType<Vec<Condition>> {
    list("CONDITION", parse::condition)
}

/// Conditions that should hold, separated by `;`; `none` for none.
pub(crate) fn thresholds() -> ValueType<Vec<Threshold>> {
    list("CONDITION", parse::threshold)
}

fn list<T: fmt::Display + 'static>(
    value_name: &'static str,
    parse: fn(&str) -> Result<T, ValueError>,
) -> ValueType<Vec<T>> {
    ValueType::new(value_name, parse, T::to_string)
        .list(split, "; ", MAX_CONDITIONS)
        .of_kind(SettingKind::List)
}

/// Cuts at the separators that are not within quotes.
fn split(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(|c| {
        let at_quote = c == '"' && !(quoted && escaped);
        escaped = quoted && c == '\\' && !escaped;
        quoted ^= at_quote;
        c == SEPARATOR && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::selector::{Field, NameTest, Pauses, Selector, Status, StatusTest};
    use super::super::{Bound, BoundUnit, Comparator, Dimension, Metric, UNITS};
    use super::*;
    use vespeiro_model::{GrpcCode, OutcomeKind, RequestPhase};

    fn bound(dimension: Dimension) -> impl Strategy<Value = Bound> {
        let units: Vec<BoundUnit> = UNITS
            .iter()
            .filter(|(_, _, of, _)| *of == dimension)
            .map(|(_, unit, _, _)| *unit)
            .collect();
        let number = prop_oneof![(0..=1_000u32).prop_map(f64::from), 0.0..1.0f64, 0.0..1e9f64];
        (number, prop::sample::select(units)).prop_filter_map("a share is at most 1", {
            move |(number, unit)| {
                let bound = Bound { number, unit };
                (dimension != Dimension::Share || bound.value() <= 1.0).then_some(bound)
            }
        })
    }

    /// Any tests that the metric is known by.
    fn selector(metric: Metric) -> impl Strategy<Value = Selector> {
        let known = move |field: Field| metric.fields().contains(&field);
        let field = prop::sample::select(vec![
            Field::Archetype,
            Field::Route,
            Field::Method,
            Field::Category,
            Field::Target,
            Field::Transaction,
            Field::Check,
        ]);
        let name = (field, any::<bool>(), "[a-z/{}\",;=!* \\\\é]{1,9}");
        let name = name.prop_map(|(field, negated, text)| NameTest {
            field,
            negated,
            pattern: match field {
                Field::Method => text.trim().to_uppercase(),
                _ => text.trim().to_owned(),
            },
        });
        let status = prop_oneof![
            (100..=999u16).prop_map(Status::Code),
            (1..=9u16).prop_map(Status::Class),
            prop::sample::select(GrpcCode::ALL.to_vec()).prop_map(Status::Grpc)
        ];
        let status = (any::<bool>(), status);
        let status = status.prop_map(|(negated, status)| StatusTest { negated, status });
        // Of these two at most one.
        let narrow = prop_oneof![
            Just((None, None)),
            prop::sample::select(RequestPhase::ALL.to_vec()).prop_map(|phase| (Some(phase), None)),
            prop::sample::select(OutcomeKind::ALL.to_vec()).prop_map(|kind| (None, Some(kind))),
        ];
        (
            prop::collection::vec(name, 0..6),
            prop::collection::vec(status, 0..3),
            narrow,
            prop::option::of(prop::sample::select(Pauses::ALL.to_vec())),
            prop::option::of(1..=100usize),
        )
            .prop_map(move |(names, statuses, (phase, outcome), pauses, stage)| {
                let mut given = Vec::new();
                let mut fits = |field: Field, negated: bool| {
                    let twice = !negated && given.contains(&field);
                    given.extend((!negated).then_some(field));
                    known(field) && !twice
                };
                let names = names.into_iter();
                let names = names.filter(|it| !it.pattern.is_empty() && fits(it.field, it.negated));
                let names = names.collect();
                let statuses = statuses.into_iter();
                let mut selector = Selector {
                    names,
                    statuses: statuses
                        .filter(|it| fits(Field::Status, it.negated))
                        .collect(),
                    phase: phase.filter(|_| known(Field::Phase)),
                    outcome: outcome.filter(|_| known(Field::Outcome)),
                    pauses,
                    stage,
                };
                // Times are those of requests or of transactions.
                if selector.names_transactions() {
                    let fits = |field| matches!(field, Field::Archetype | Field::Transaction);
                    selector.names.retain(|test| fits(test.field));
                    selector.phase = None;
                }
                if !selector.names_transactions() || !known(Field::Pauses) {
                    selector.pauses = None;
                }
                selector
            })
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let metric = prop::sample::select(Metric::ALL.to_vec());
        metric.prop_flat_map(|metric| {
            let comparison = prop::sample::select(Comparator::ALL.to_vec());
            let window = prop::option::of((1_000u64..3_600_000).prop_map(Duration::from_millis));
            let bound = bound(metric.dimension());
            (selector(metric), comparison, bound, window).prop_map(
                move |(selector, comparison, bound, window)| Condition {
                    metric,
                    selector,
                    comparison,
                    bound,
                    window,
                },
            )
        })
    }

    proptest! {
        #[test]
        fn a_shown_condition_reads_back(list in prop::collection::vec((any_condition(), any::<bool>()), 0..5)) {
            let conditions: Vec<Condition> = list.iter().map(|(condition, _)| condition.clone()).collect();
            let form = conditions_form();
            prop_assert_eq!((form.parse)(&(form.show)(&conditions)), Ok(conditions));
            let thresholds: Vec<Threshold> = list
                .into_iter()
                .map(|(condition, abort)| Threshold { abort: abort && parse::may_abort(&condition), condition })
                .collect();
            let form = super::thresholds();
            prop_assert_eq!((form.parse)(&(form.show)(&thresholds)), Ok(thresholds));
        }

        #[test]
        fn no_text_panics(
            text in "\\PC*",
            near in "(p95|error_rate|checks|x)? ?(\\{[a-z]{0,9}=?\"?[a-z{}é]{0,3}\"?,?\\}?)?[<>=]{0,2}[0-9.]{0,6}(ms|%|/s|µ)?(:[0-9]{0,3}[sm]?)?( abort|;)?",
        ) {
            for text in [text, near] {
                let _ = (conditions_form().parse)(&text);
                let _ = (super::thresholds().parse)(&text);
            }
        }
    }

    fn conditions_form() -> ValueType<Vec<Condition>> {
        conditions()
    }

    #[test]
    fn several_stand_in_one_text() {
        let form = conditions();
        let text = " error_rate > 50% : 30s;p99{route=\"/a;b\", method=get}>=5s ";
        let shown = (form.show)(&(form.parse)(text).unwrap());
        assert_eq!(
            shown,
            "error_rate>50%:30s; p99{route=\"/a;b\",method=GET}>=5s"
        );
        assert_eq!((form.parse)("none"), Ok(Vec::new()));
        assert_eq!((form.show)(&Vec::new()), "none");
        assert!((form.parse)(&vec!["max<1s"; 33].join(";")).is_err());
    }
}
