//! The query string. A parameter that is given twice counts as last given, unknown ones are ignored, and what has the
//! wrong form ends up in a field map rather than in a rejection of its own.

use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::clock::Timestamp;
use crate::error::FieldMap;

/// The decoded query string, in its order.
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    pub fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self(pairs.map(|(name, value)| (own(name), own(value))).collect())
    }

    /// The value of `name`; an empty one is as good as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(given, _)| given == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        default: u64,
        errors: &mut FieldMap,
    ) -> u64 {
        let text = self.get(name);
        text.map_or(default, |text| {
            within(name, text.parse().ok(), range, default, errors)
        })
    }

    pub fn flag(&self, name: &str, errors: &mut FieldMap) -> Option<bool> {
        match self.get(name)? {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => {
                complain(errors, name, "must be true or false".into());
                None
            }
        }
    }

    pub fn moment(&self, name: &str, errors: &mut FieldMap) -> Option<Timestamp> {
        let parsed = Timestamp::parse(self.get(name)?);
        if parsed.is_none() {
            complain(
                errors,
                name,
                "must be a date (2026-01-31) or a UTC time (2026-01-31T10:00:00Z)".into(),
            );
        }
        parsed
    }
}

/// The number, if it is one and in the range; else `default`, and a complaint.
pub fn within(
    name: &str,
    number: Option<u64>,
    range: RangeInclusive<u64>,
    default: u64,
    errors: &mut FieldMap,
) -> u64 {
    if let Some(number) = number.filter(|number| range.contains(number)) {
        return number;
    }
    let expected = match *range.end() {
        u64::MAX => format!("must be a whole number from {}", range.start()),
        end => format!("must be a whole number from {} to {end}", range.start()),
    };
    complain(errors, name, expected);
    default
}

fn own(text: Cow<'_, str>) -> String {
    text.into_owned()
}

fn complain(errors: &mut FieldMap, name: &str, problem: String) {
    errors.entry(name.to_owned()).or_default().push(problem);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_empty_is_absent() {
        let params = Params::parse("a=1&a=2&b=&c=x+y%40z");
        assert_eq!(
            (params.get("a"), params.get("b"), params.get("c")),
            (Some("2"), None, Some("x y@z"))
        );
    }

    #[test]
    fn wrong_values_are_named_and_replaced_by_the_default() {
        let params = Params::parse("page=0&per_page=101&active=maybe&created_after=soon");
        let mut errors = FieldMap::new();
        assert_eq!(params.number("page", 1..=u64::MAX, 1, &mut errors), 1);
        assert_eq!(params.number("per_page", 1..=100, 20, &mut errors), 20);
        assert_eq!(params.flag("active", &mut errors), None);
        assert_eq!(params.moment("created_after", &mut errors), None);
        assert_eq!(
            errors.keys().collect::<Vec<_>>(),
            ["active", "created_after", "page", "per_page"]
        );
    }
}
