//! `--junit`: thresholds, checks and sessions as test cases, for CI systems that show those. Written by the commands at the end
//! of a run, from the [`Summary`] alone. A test case fails where its threshold is crossed, or its check did not always
//! hold; a threshold without data fails where thresholds are strict, and is skipped elsewhere.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::file::ResultFile;
use crate::language::harmless;
use crate::output::{MaybeOutput, OutputContext};
use vespeiro_metrics::ThresholdState;
use vespeiro_summary::files::{WriteError, write_whole};
use vespeiro_summary::json::Summary;
use vespeiro_summary::thresholds::ThresholdReport;

const NAME: &str = "JUnit report";

/// The report, if the plan asks for it.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    ResultFile::wanted(NAME, context.plan.output.junit.as_deref(), write)
}

fn write(summary: &Summary, path: &Path) -> Result<(), WriteError> {
    write_whole(NAME, path, |file| {
        // Not straight into the file: what is wrong with that would not be told.
        let text = report(summary).to_string().map_err(std::io::Error::other)?;
        file.write_all(text.as_bytes())
    })
}

pub(crate) fn report(summary: &Summary) -> Report {
    let mut report = Report::new(harmless(&format!("vespeiro {}", summary.run.id)));
    report.set_time(elapsed(summary));
    if let Some(aborted) = &summary.aborted {
        let message = format!("{} came true: {}", aborted.condition, aborted.achieved);
        let mut suite = suite("run", summary);
        suite.add_test_case(case("run", "the run goes to its end", Some(&message)));
        report.add_test_suite(suite);
    }
    let mut thresholds = suite("thresholds", summary);
    thresholds.add_test_cases(summary.thresholds.iter().map(threshold));
    let mut checks = suite("checks", summary);
    checks.add_test_cases(summary.checks.iter().map(|check| {
        let failed = (check.failed > 0).then(|| {
            let all = check.passed + check.failed;
            format!("{} of {all} did not hold", check.failed)
        });
        case(&check.archetype, &check.name, failed.as_deref())
    }));
    let mut sessions = suite("sessions", summary);
    sessions.add_test_cases(summary.archetypes.iter().map(|archetype| {
        let share = archetype.figures.sessions.unwell();
        let failed = share.map(|share| format!("{:.1} % failed or crashed", share * 100.0));
        let name = "at most 1 % of the sessions fail or crash";
        case(&archetype.name, name, failed.as_deref())
    }));
    report.add_test_suites([thresholds, checks, sessions]);
    report
}

fn elapsed(summary: &Summary) -> Duration {
    Duration::try_from_secs_f64(summary.run.elapsed_seconds).unwrap_or_default()
}

fn suite(name: &str, summary: &Summary) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.set_time(elapsed(summary));
    suite
}

fn case(class: &str, name: &str, failed: Option<&str>) -> TestCase {
    let status = match failed {
        None => TestCaseStatus::success(),
        Some(message) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(harmless(message));
            status
        }
    };
    let mut case = TestCase::new(harmless(name), status);
    case.set_classname(harmless(class));
    case
}

fn threshold(threshold: &ThresholdReport) -> TestCase {
    let achieved = threshold.achieved.unwrap_or_default();
    let crossed = format!("{} was {achieved}", threshold.metric);
    match threshold.state {
        ThresholdState::Ok => case("thresholds", &threshold.condition, None),
        ThresholdState::Crossed => case("thresholds", &threshold.condition, Some(&crossed)),
        ThresholdState::NoData if threshold.strict => {
            let message = "there was no data to judge it by";
            case("thresholds", &threshold.condition, Some(message))
        }
        ThresholdState::NoData => {
            let mut case = TestCase::new(harmless(&threshold.condition), TestCaseStatus::skipped());
            case.set_classname("thresholds");
            case
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
    fn names_that_xml_cannot_hold_leave_it_whole() {
        let mut summary = Summary::new(&plan(Language::English), &snapshot());
        let odd = "a\u{1}\u{0}b\u{fffe}c\u{ffff}d\u{202e}e\u{fffd}f";
        summary.checks[0].name = odd.into();
        summary.checks[0].archetype = odd.into();
        summary.thresholds[0].condition = odd.into();
        summary.thresholds[2].condition = odd.into();
        summary.archetypes[0].name = odd.into();
        summary.run.id = odd.into();
        let text = report(&summary).to_string().unwrap();
        let fits = |c: char| matches!(c, '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(
            text.chars().all(fits) && !text.contains('\u{202e}'),
            "{text:?}"
        );
        let read = Report::deserialize_from_str(&text).unwrap();
        let case = &read.test_suites[1].test_cases[0];
        assert_eq!(
            case.name.as_str(),
            "a??b\\u{fffe}c\\u{ffff}d\\u{202e}e\u{fffd}f"
        );
    }

    #[test]
    fn thresholds_and_checks_are_test_cases() {
        let summary = Summary::new(&plan(Language::English), &snapshot());
        let read = Report::deserialize_from_str(&report(&summary).to_string().unwrap()).unwrap();
        let cases: Vec<String> = read
            .test_suites
            .iter()
            .flat_map(|suite| {
                suite.test_cases.iter().map(|case| {
                    let status = match &case.status {
                        TestCaseStatus::Success { .. } => "fine".to_owned(),
                        TestCaseStatus::NonSuccess { message, .. } => {
                            message.as_deref().unwrap_or_default().to_owned()
                        }
                        TestCaseStatus::Skipped { .. } => "skipped".to_owned(),
                    };
                    format!("{}: {}: {status}", suite.name.as_str(), case.name.as_str())
                })
            })
            .collect();
        assert_eq!(
            cases,
            [
                "thresholds: p95<500ms: fine",
                "thresholds: error_rate{archetype=admin}<1%:30s abort: error_rate was 0.04",
                "thresholds: checks{archetype=admin}>99%: skipped",
                "checks: profile is mine: 1 of 40 did not hold",
                "sessions: at most 1 % of the sessions fail or crash: fine",
                "sessions: at most 1 % of the sessions fail or crash: 4.8 % failed or crashed",
            ]
        );
    }
}
