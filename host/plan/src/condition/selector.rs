//! Which part of the run a condition is about: `{archetype=admin,route!=/api/health*,stage=2}`. Read by `parse/selector.rs`,
//! applied by `metrics`; the guard alone knows when a stage is.
//!
//! What must stay true: an empty selector picks everything, and each test more picks less.

use std::fmt;

use vespeiro_model::{GrpcCode, Outcome, OutcomeKind, RequestPhase, words};

words! {
    /// What a selector narrows by.
    pub enum Field {
        Archetype => "archetype",
        Route => "route",
        Method => "method",
        Category => "category",
        Status => "status",
        Check => "check",
        Phase => "phase",
        Outcome => "outcome",
        Stage => "stage",
        Target => "target",
        Transaction => "transaction",
        Pauses => "pauses",
    }

    /// Whether the time of a transaction has the pauses of its user in it.
    pub enum Pauses {
        Without => "without",
        With => "with",
    }
}

/// What counts: that for which all of these hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    pub names: Vec<NameTest>,
    pub statuses: Vec<StatusTest>,
    /// Times are those that requests spent in this phase, instead of their latency.
    pub phase: Option<RequestPhase>,
    /// Times are those of successes or of failures alone.
    pub outcome: Option<OutcomeKind>,
    /// Times are those of transactions, with or without pauses; without where nothing is said.
    pub pauses: Option<Pauses>,
    /// What happened in this stage of the run's profile, from 1.
    pub stage: Option<usize>,
}

/// Whether a name is the one that is meant, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameTest {
    pub field: Field,
    pub negated: bool,
    /// The name; with a `*` at its end, what names begin with.
    pub pattern: String,
}

/// Whether a status is the one that is meant, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusTest {
    pub negated: bool,
    pub status: Status,
}

/// Statuses that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Code(u16),
    /// By the first digit: `5xx`; that of a gRPC code too, by what it stands for.
    Class(u16),
    /// The code of a gRPC call.
    Grpc(GrpcCode),
}

impl NameTest {
    fn holds(&self, name: &str) -> bool {
        let is = match self.pattern.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == self.pattern,
        };
        is != self.negated
    }
}

impl Selector {
    /// Whether a series with these labels counts.
    pub fn picks(
        &self,
        archetype: &str,
        method: &str,
        route: &str,
        category: &str,
        target: &str,
    ) -> bool {
        self.hold(|field| match field {
            Field::Target => Some(target),
            Field::Archetype => Some(archetype),
            Field::Method => Some(method),
            Field::Route => Some(route),
            Field::Category => Some(category),
            _ => None,
        })
    }

    /// Whether figures that know only their archetype count.
    pub fn picks_archetype(&self, archetype: &str) -> bool {
        self.hold(|field| (field == Field::Archetype).then_some(archetype))
    }

    /// Whether a check of this name counts.
    pub fn picks_check(&self, check: &str) -> bool {
        self.hold(|field| (field == Field::Check).then_some(check))
    }

    /// Whether transactions of this name count.
    pub fn picks_transaction(&self, archetype: &str, transaction: &str) -> bool {
        self.hold(|field| match field {
            Field::Archetype => Some(archetype),
            Field::Transaction => Some(transaction),
            _ => None,
        })
    }

    /// Whether it is about transactions, and their times instead of those of requests.
    pub fn names_transactions(&self) -> bool {
        let mut names = self.names.iter();
        names.any(|test| test.field == Field::Transaction)
    }

    /// Whether requests with this outcome count; one without an answer has no status.
    pub fn picks_status(&self, outcome: Outcome) -> bool {
        self.statuses.iter().all(|test| {
            let is = match test.status {
                Status::Code(code) => outcome.grpc().is_none() && outcome.status() == Some(code),
                Status::Class(class) => outcome.status().map(|status| status / 100) == Some(class),
                Status::Grpc(code) => outcome.grpc() == Some(code),
            };
            is != test.negated
        })
    }

    /// Whether it is about some requests of an archetype, not about all of them.
    pub fn names_requests(&self) -> bool {
        let mut names = self.names.iter();
        let of_sessions =
            |field| matches!(field, Field::Archetype | Field::Check | Field::Transaction);
        names.any(|test| !of_sessions(test.field))
    }

    /// Whether it narrows by the request mix's categories.
    pub fn names_categories(&self) -> bool {
        let mut names = self.names.iter();
        names.any(|test| test.field == Field::Category)
    }

    /// Whether all names that are known hold.
    fn hold<'a>(&self, known: impl Fn(Field) -> Option<&'a str>) -> bool {
        let mut names = self.names.iter();
        names.all(|test| known(test.field).is_none_or(|name| test.holds(name)))
    }

    /// Each test: its field, whether it is negated, its value.
    fn tests(&self) -> Vec<(Field, bool, String)> {
        let names = self.names.iter();
        let names = names.map(|test| (test.field, test.negated, test.pattern.clone()));
        let statuses = self.statuses.iter();
        let statuses = statuses.map(|test| (Field::Status, test.negated, test.status.to_string()));
        let word = |field, word: Option<String>| word.map(|word| (field, false, word));
        let words = [
            word(Field::Phase, self.phase.map(|phase| phase.as_str().into())),
            word(Field::Outcome, self.outcome.map(|it| it.as_str().into())),
            word(Field::Pauses, self.pauses.map(|it| it.as_str().into())),
            word(Field::Stage, self.stage.map(|stage| stage.to_string())),
        ];
        names
            .chain(statuses)
            .chain(words.into_iter().flatten())
            .collect()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Code(code) => write!(f, "{code}"),
            Status::Class(class) => write!(f, "{class}xx"),
            Status::Grpc(code) => f.write_str(code.as_str()),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests = self.tests();
        for (at, (field, negated, value)) in tests.iter().enumerate() {
            f.write_str(if at == 0 { "{" } else { "," })?;
            let sign = if *negated { "!=" } else { "=" };
            write!(f, "{}{sign}", field.as_str())?;
            if is_plain(value) {
                f.write_str(value)?;
            } else {
                let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{escaped}\"")?;
            }
        }
        f.write_str(if tests.is_empty() { "" } else { "}" })
    }
}

/// Whether a selector's value needs no quotes: nothing in it that ends it, and braces in pairs.
fn is_plain(value: &str) -> bool {
    let mut depth = 0i32;
    let fits = |c: char| c.is_alphanumeric() || "-_/.:@~%+*{}".contains(c);
    let balanced = value.chars().all(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth >= 0
    });
    balanced && depth == 0 && !value.is_empty() && value.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::lists::conditions;
    use vespeiro_model::Failure;

    fn selector(text: &str) -> Selector {
        let conditions = (conditions().parse)(text).unwrap();
        conditions[0].selector.clone()
    }

    #[test]
    fn a_selector_picks_what_it_names() {
        let one = selector("p95{route=/u/{id},method=get}<1s");
        assert!(one.picks("admin", "GET", "/u/{id}", "user-query", "main"));
        assert!(!one.picks("admin", "PUT", "/u/{id}", "user-query", "main"));
        assert!(!one.picks("admin", "GET", "/u", "user-query", "main"));
    }

    #[test]
    fn a_star_takes_what_begins_so_and_a_negation_the_rest() {
        let api = selector("p95{route=/api/*,route!=/api/health*,archetype!=admin}<1s");
        assert!(api.picks("active", "GET", "/api/users", "user-query", "main"));
        for (archetype, route) in [
            ("active", "/apis"),
            ("active", "/api/health"),
            ("active", "/api/healthz"),
            ("admin", "/api/users"),
        ] {
            assert!(
                !api.picks(archetype, "GET", route, "user-query", "main"),
                "{route}"
            );
        }
        assert!(api.picks_archetype("active") && !api.picks_archetype("admin"));
        let checks = selector("checks{check=\"mine *\"}>99%");
        assert!(checks.picks_check("mine is here") && !checks.picks_check("yours"));
        let spans = selector("p95{transaction=check*,archetype=shop}<1s");
        assert!(spans.names_transactions() && spans.picks_transaction("shop", "checkout"));
        assert!(!spans.picks_transaction("shop", "sign up"));
        assert!(!spans.picks_transaction("admin", "checkout"));
        assert!(!selector("failed_transactions<1%").names_transactions());
    }

    #[test]
    fn a_status_is_a_code_or_a_class_and_who_did_not_answer_has_none() {
        let picks = |text: &str, outcome| selector(text).picks_status(outcome);
        let lost = Outcome::Failed(Failure::Timeout);
        assert!(picks("requests{status=503}<1", Outcome::Status(503)));
        assert!(!picks("requests{status=503}<1", Outcome::Status(500)));
        assert!(picks("requests{status=5xx}<1", Outcome::Status(500)));
        assert!(!picks("requests{status=5xx}<1", lost));
        let other = "requests{status!=2xx,status!=401}<1";
        assert!(picks(other, lost) && picks(other, Outcome::Status(404)));
        assert!(!picks(other, Outcome::Status(401)) && !picks(other, Outcome::Status(200)));
        let none = Outcome::Grpc(GrpcCode::NotFound);
        assert!(picks("requests{status=not_found}<1", none));
        assert!(picks("requests{status=4xx}<1", none));
        assert!(!picks("requests{status=404}<1", none) && !picks("requests{status=OK}<1", none));
        assert!(!picks("requests{status=NOT_FOUND}<1", Outcome::Status(404)));
    }
}
