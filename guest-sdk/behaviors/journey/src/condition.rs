//! `when` and `check`: a name alone, or two values compared.

use std::cmp::Ordering;

use serde_json::Value;
use vespeiro_guest::Me;

use crate::values::{Names, Values};

type Holds = fn(Ordering) -> bool;

/// Longer ones first, so that `<=` is not read as `<`.
const OPERATORS: [(&str, Holds); 6] = [
    ("==", Ordering::is_eq),
    ("!=", Ordering::is_ne),
    ("<=", Ordering::is_le),
    (">=", Ordering::is_ge),
    ("<", Ordering::is_lt),
    (">", Ordering::is_gt),
];

/// Something that holds or does not.
#[derive(Debug)]
pub(crate) enum Condition {
    /// There, and neither `false`, 0 nor empty.
    Is(Operand),
    Not(Operand),
    Compares(Operand, Holds, Operand),
}

#[derive(Debug)]
pub(crate) enum Operand {
    Name(String),
    Value(Value),
}

impl Condition {
    /// Reads `count > 3`, `status == 200`, `name != 'Ana'`, `token`, `not token`.
    pub(crate) fn read(text: &str, names: &Names) -> Result<Condition, String> {
        let outside = |text: &str, at: usize| text[..at].matches('\'').count().is_multiple_of(2);
        for (word, holds) in OPERATORS {
            let found = text.match_indices(word).find(|(at, _)| outside(text, *at));
            if let Some((at, _)) = found {
                let left = Operand::read(&text[..at], names)?;
                let right = Operand::read(&text[at + word.len()..], names)?;
                return Ok(Condition::Compares(left, holds, right));
            }
        }
        match text.trim().strip_prefix("not ") {
            Some(rest) => Operand::read(rest, names).map(Condition::Not),
            None => Operand::read(text, names).map(Condition::Is),
        }
    }

    pub(crate) fn holds(&self, me: &Me, values: &Values) -> bool {
        match self {
            Condition::Is(operand) => is_something(&operand.value(me, values)),
            Condition::Not(operand) => !is_something(&operand.value(me, values)),
            Condition::Compares(left, holds, right) => {
                let (left, right) = (left.value(me, values), right.value(me, values));
                match order(&left, &right) {
                    Some(order) => holds(order),
                    // What cannot be ordered is only ever unequal.
                    None => holds(Ordering::Less) && holds(Ordering::Greater),
                }
            }
        }
    }
}

impl Operand {
    fn read(text: &str, names: &Names) -> Result<Operand, String> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('\'') {
            let inner = rest
                .strip_suffix('\'')
                .filter(|inner| !inner.contains('\''));
            let inner = inner.ok_or_else(|| format!("{text} has no closing quote"))?;
            return Ok(Operand::Value(inner.into()));
        }
        if let Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) =
            serde_json::from_str(text)
        {
            return Ok(Operand::Value(value));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if text.is_empty() || !text.bytes().all(is_name) {
            return Err(format!(
                "{text:?} is neither a name, a number nor a 'text'; write as in count > 3 or name == 'Ana'"
            ));
        }
        names.check(text)?;
        Ok(Operand::Name(text.to_owned()))
    }

    fn value(&self, me: &Me, values: &Values) -> Value {
        match self {
            Operand::Name(name) => values.get(me, name),
            Operand::Value(value) => value.clone(),
        }
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Numbers by size, also those that a feed has as text; texts by their letters; other things only when they are equal.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        _ => match (left, right) {
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            _ => (left == right).then_some(Ordering::Equal),
        },
    }
}
