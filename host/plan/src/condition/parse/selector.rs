//! Reads the selector of a condition: what stands between its braces. A part of `parse.rs`.

use vespeiro_model::{GrpcCode, Word};

use super::Cursor;
use crate::condition::selector::{Field, NameTest, Selector, Status, StatusTest};
use crate::condition::{FIELDS, Metric};
use crate::errors::ValueError;
use crate::profile::MAX_STAGES;

impl Cursor<'_> {
    /// What follows the opening brace, with the closing one.
    pub(super) fn selector(&mut self, metric: Metric) -> Result<Selector, ValueError> {
        let mut selector = Selector::default();
        let mut given: Vec<Field> = Vec::new();
        loop {
            self.space();
            let place = self.place;
            let field = self.field(metric)?;
            self.space();
            let negated = self.take("!=");
            if !negated && !self.take("=") {
                return Err(self.bad("= or != is missing", "write it as {archetype=admin}"));
            }
            // What is two things at once is nothing; what is neither of two may well be.
            let problem = if !negated && given.contains(&field) {
                Some("is given twice")
            } else if negated
                && matches!(
                    field,
                    Field::Phase | Field::Outcome | Field::Pauses | Field::Stage
                )
            {
                Some("takes = alone")
            } else {
                None
            };
            if let Some(problem) = problem {
                self.place = place;
                let name = field.as_str();
                return Err(self.bad(format!("{name} {problem}"), format!("remove {name}")));
            }
            given.extend((!negated).then_some(field));
            self.space();
            let place = self.place;
            let value = self.value()?;
            self.test(&mut selector, field, negated, value, place)?;
            self.space();
            if selector.phase.is_some() && selector.outcome.is_some() {
                self.place = place;
                return Err(self.bad(
                    "phases are not known by outcome",
                    "give either phase or outcome",
                ));
            }
            if self.take("}") {
                return self.of_one_kind(selector, &given, metric);
            }
            if !self.take(",") {
                return Err(self.bad("the selector has no end", "close it with }"));
            }
        }
    }

    /// Times are those of requests or of transactions, and only those have pauses in them.
    fn of_one_kind(
        &self,
        selector: Selector,
        given: &[Field],
        metric: Metric,
    ) -> Result<Selector, ValueError> {
        let named = selector.names.iter().map(|test| test.field);
        let mut all = named.chain(given.iter().copied());
        let of_requests = all.find(|field| {
            matches!(
                field,
                Field::Route | Field::Method | Field::Category | Field::Target | Field::Phase
            )
        });
        match (selector.names_transactions(), of_requests) {
            (true, Some(field)) => {
                let name = field.as_str();
                Err(self.bad(
                    format!("transactions are not known by {name}"),
                    format!("remove either transaction or {name}"),
                ))
            }
            (false, _) if selector.pauses.is_some() => Err(self.bad(
                format!("{} of requests has no pauses", metric.as_str()),
                "name the transactions too, as in {transaction=checkout,pauses=with}",
            )),
            _ => Ok(selector),
        }
    }

    /// The name of a field by which the metric is known.
    fn field(&mut self, metric: Metric) -> Result<Field, ValueError> {
        let place = self.place;
        let list = |fields: &[Field]| -> String {
            let names: Vec<_> = fields.iter().map(|field| field.as_str()).collect();
            names.join(", ")
        };
        let name = self.while_is(|c| c.is_alphanumeric() || c == '_');
        let Some(field) = Field::from_word(name) else {
            self.place = place;
            return Err(self.bad(
                "a selector's field is missing or unknown",
                format!("use {}, as in {{archetype=admin}}", list(&FIELDS)),
            ));
        };
        if !metric.fields().contains(&field) {
            self.place = place;
            let problem = format!(
                "{} are known by {} only",
                metric.as_str(),
                list(metric.fields())
            );
            return Err(self.bad(problem, format!("remove {name}")));
        }
        Ok(field)
    }

    /// Adds one test to the selector.
    fn test(
        &mut self,
        selector: &mut Selector,
        field: Field,
        negated: bool,
        value: String,
        place: usize,
    ) -> Result<(), ValueError> {
        match field {
            Field::Phase => selector.phase = Some(self.word(field, &value, place)?),
            Field::Outcome => selector.outcome = Some(self.word(field, &value, place)?),
            Field::Pauses => selector.pauses = Some(self.word(field, &value, place)?),
            Field::Stage => {
                let number = value.parse().ok();
                let stage = number.filter(|stage| (1..=MAX_STAGES).contains(stage));
                let fix = "count the stages from 1, as in {stage=2}";
                selector.stage = Some(self.some(stage, field, &value, place, fix)?);
            }
            Field::Status => {
                let status = status(&value);
                let fix = "write it as 503, 5xx or UNAVAILABLE";
                let status = self.some(status, field, &value, place, fix)?;
                selector.statuses.push(StatusTest { negated, status });
            }
            Field::Archetype
            | Field::Route
            | Field::Method
            | Field::Category
            | Field::Target
            | Field::Transaction
            | Field::Check => {
                let pattern = match field {
                    Field::Method => value.to_uppercase(),
                    _ => value,
                };
                selector.names.push(NameTest {
                    field,
                    negated,
                    pattern,
                });
            }
        }
        Ok(())
    }

    /// The value of a field that takes one of a few words.
    fn word<T: Word>(&mut self, field: Field, word: &str, place: usize) -> Result<T, ValueError> {
        let fix = format!("use one of {}", T::list());
        self.some(T::from_word(word), field, word, place, &fix)
    }

    fn some<T>(
        &mut self,
        value: Option<T>,
        field: Field,
        text: &str,
        place: usize,
        fix: &str,
    ) -> Result<T, ValueError> {
        value.ok_or_else(|| {
            self.place = place;
            self.bad(format!("no {} is named {text:?}", field.as_str()), fix)
        })
    }

    /// A quoted text, or all up to a comma or the brace that closes the selector: a path template has its own braces.
    fn value(&mut self) -> Result<String, ValueError> {
        let place = self.place;
        let missing = |at: &mut Self| {
            at.place = place;
            Err(at.bad("a value is missing", "write it as {archetype=admin}"))
        };
        if self.take("\"") {
            let mut value = String::new();
            let mut chars = self.rest().char_indices();
            while let Some((offset, c)) = chars.next() {
                match c {
                    '"' if value.is_empty() => return missing(self),
                    '"' => {
                        self.place += offset + 1;
                        return Ok(value);
                    }
                    '\\' => value.extend(chars.next().map(|(_, c)| c)),
                    c => value.push(c),
                }
            }
            self.place = place;
            return Err(self.bad("the quotes are not closed", "close them with \""));
        }
        let mut depth = 0u32;
        let rest = self.rest();
        let end = rest.find(|c| match c {
            '{' => {
                depth += 1;
                false
            }
            '}' if depth > 0 => {
                depth -= 1;
                false
            }
            c => matches!(c, '}' | ',' | '"'),
        });
        let value = rest[..end.unwrap_or(rest.len())].trim();
        if value.is_empty() {
            return missing(self);
        }
        self.place += end.unwrap_or(rest.len());
        Ok(value.to_owned())
    }
}

/// `503`, `5xx`, or the name of a gRPC code.
fn status(text: &str) -> Option<Status> {
    if let Some(code) = GrpcCode::from_word(&text.to_uppercase()) {
        return Some(Status::Grpc(code));
    }
    let text = text.to_lowercase();
    let digits = |digits: &str, count: usize| {
        let plain = digits.len() == count && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<u16>().ok()).flatten()
    };
    match text.strip_suffix("xx") {
        Some(class) => digits(class, 1).filter(|c| *c > 0).map(Status::Class),
        None => digits(&text, 3).filter(|c| *c >= 100).map(Status::Code),
    }
}
