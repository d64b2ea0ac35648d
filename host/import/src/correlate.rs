//! Values of an answer that come back in a later request, as ids and tokens do: they become captures, so that each session has
//! its own.

use std::collections::HashMap;

use serde_json::Value;

use crate::journey::{Body, identifier};
use crate::recorded::Recorded;

/// Shorter texts come back by chance.
const SHORTEST: usize = 6;
/// Values of one answer that are looked at.
const MOST: usize = 2000;

/// Puts captures in place.
pub(crate) fn correlate(recorded: &mut [Recorded]) {
    let mut taken: Vec<String> = Vec::new();
    // Nearly all values come back nowhere, and each would be looked for in all of the recording.
    let last_use = last_uses(recorded);
    for at in 0..recorded.len() {
        let (before, after) = recorded.split_at_mut(at + 1);
        let one = &mut before[at];
        if one.status >= 400 {
            continue;
        }
        let mut found = Vec::new();
        collect(&one.answer, String::new(), &mut found);
        for (pointer, value) in found.into_iter().take(MOST) {
            if last_use.get(&value).is_none_or(|&last| last <= at) {
                continue;
            }
            let last = pointer
                .rsplit('/')
                .find(|part| part.parse::<usize>().is_err());
            let mut name = identifier(last.unwrap_or("value"));
            while taken.contains(&name) {
                name.push('2');
            }
            let mut is_used = false;
            for later in after.iter_mut() {
                is_used |= replace(later, &value, &name);
            }
            if is_used {
                one.step.capture.push((name.clone(), pointer));
                taken.push(name);
            }
        }
    }
}

/// The words of all requests that [`replace`] looks at, each with the place of the last one that has it.
fn last_uses(recorded: &[Recorded]) -> HashMap<String, usize> {
    let mut last = HashMap::new();
    for (at, one) in recorded.iter().enumerate() {
        let (path, query) = one
            .step
            .path
            .split_once('?')
            .unwrap_or((&one.step.path, ""));
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        let path = path.split('/').chain(values.map(|(_, value)| value));
        let headers = one.step.headers.iter();
        let headers = headers.flat_map(|(_, text)| text.split(' '));
        last.extend(path.chain(headers).map(|word| (word.to_owned(), at)));
        if let Body::Json(body) = &one.step.body {
            let mut texts = vec![body];
            while let Some(value) = texts.pop() {
                match value {
                    Value::String(text) => drop(last.insert(text.clone(), at)),
                    Value::Array(list) => texts.extend(list),
                    Value::Object(map) => texts.extend(map.values()),
                    _ => {}
                }
            }
        }
    }
    last
}

/// Texts, and numbers that are called ids, with where they are.
fn collect(value: &Value, at: String, found: &mut Vec<(String, String)>) {
    if found.len() >= MOST {
        return;
    }
    match value {
        Value::String(text) if text.len() >= SHORTEST && !text.contains("${") => {
            found.push((at, text.clone()));
        }
        Value::Number(number) if at.to_ascii_lowercase().ends_with("id") => {
            found.push((at, number.to_string()));
        }
        Value::Array(list) => {
            for (index, one) in list.iter().enumerate() {
                collect(one, format!("{at}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (key, one) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(one, format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// A later request with the name in place of the value; whether it has any.
fn replace(later: &mut Recorded, value: &str, name: &str) -> bool {
    let filled = format!("${{{name}}}");
    let mut is_used = false;
    // Of a path whole parts only: an id of one digit is in many numbers.
    let (path, query) = match later.step.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (later.step.path.as_str(), None),
    };
    let mut part = |text: &str| {
        let is_it = text == value;
        is_used |= is_it;
        if is_it {
            filled.clone()
        } else {
            text.to_owned()
        }
    };
    let mut made = path.split('/').map(&mut part).collect::<Vec<_>>().join("/");
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, text)) => format!("{key}={}", part(text)),
            None => pair.to_owned(),
        });
        made = format!("{made}?{}", pairs.collect::<Vec<_>>().join("&"));
    }
    later.step.path = made;
    for (_, text) in &mut later.step.headers {
        let words = text.split(' ').map(&mut part).collect::<Vec<_>>();
        *text = words.join(" ");
    }
    if let Body::Json(body) = &mut later.step.body {
        replace_json(body, value, &filled, &mut is_used);
    }
    is_used
}

fn replace_json(body: &mut Value, value: &str, filled: &str, is_used: &mut bool) {
    match body {
        Value::String(text) if text == value => {
            *text = filled.to_owned();
            *is_used = true;
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|one| replace_json(one, value, filled, is_used)),
        Value::Object(map) => map
            .values_mut()
            .for_each(|one| replace_json(one, value, filled, is_used)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;
    use crate::journey::Step;

    fn got(path: String, answer: Value) -> Recorded {
        let step = Step {
            method: "get".into(),
            path,
            ..Step::default()
        };
        Recorded {
            step,
            status: 200,
            answer,
        }
    }

    // Looked for one by one, these values take hours.
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn a_long_recording_is_gone_through_once() {
        let answer = |at: usize| {
            let items = (0..50).map(|n| format!("value-{at}-{n}"));
            json!({ "id": format!("id-{at}-abc"), "items": items.collect::<Vec<_>>() })
        };
        let path = |at: usize| match at {
            2999 => "/last/id-1000-abc?with=value-7-3".into(),
            _ => format!("/page/{at}"),
        };
        let mut recorded: Vec<Recorded> = (0..3000).map(|at| got(path(at), answer(at))).collect();
        let began = Instant::now();
        correlate(&mut recorded);
        assert!(began.elapsed() < Duration::from_secs(60));
        assert_eq!(recorded[2999].step.path, "/last/${id}?with=${items}");
        let captures = recorded.iter().map(|one| one.step.capture.len());
        assert_eq!(captures.sum::<usize>(), 2);
    }
}
