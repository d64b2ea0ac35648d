//! A browser's recording: the requests to its main host, in order and with its pauses, without pictures and the like.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::Url;

use crate::ImportOptions;
use crate::correlate::correlate;
use crate::journey::{Journey, Step, literal};
use crate::project::Project;
use crate::recorded::{Recorded, body, is_ours_to_set};

/// Ends of paths that are no part of a journey.
const STATIC: [&str; 16] = [
    "css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "woff",
    "woff2", "ttf", "mp4",
];
/// The shortest pause that people make, in milliseconds: what is shorter came from the page.
const PAUSE: f64 = 300.0;

pub(crate) fn read(root: &Value, options: ImportOptions) -> Project {
    let entries = root.pointer("/log/entries").and_then(Value::as_array);
    let entries: Vec<_> = entries
        .into_iter()
        .flatten()
        .filter_map(Entry::read)
        .collect();
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &entries {
        *hosts.entry(&entry.base).or_default() += 1;
    }
    let Some(base) = hosts
        .iter()
        .max_by_key(|(_, count)| **count)
        .map(|(base, _)| (*base).to_owned())
    else {
        return Project::default();
    };
    let mut notes: Vec<String> = hosts
        .iter()
        .filter(|(other, _)| **other != base)
        .map(|(other, count)| format!("{count} requests to {other}: a journey has one host"))
        .collect();
    let ours = || entries.iter().filter(|entry| entry.base == base);
    let elsewhere = ours()
        .filter_map(Entry::redirect)
        .find(|to| base_of(to) != base);
    if let Some(to) = &elsewhere {
        notes.push(format!(
            "redirects, one of which leads to {}: none is followed, each request of the recording is a step of its own",
            base_of(to)
        ));
    }
    let set: BTreeSet<&str> = ours().flat_map(Entry::sets).collect();
    let mut cookies: BTreeSet<&str> = BTreeSet::new();
    let mut left_out = 0_u64;
    let mut recorded: Vec<Recorded> = Vec::new();
    let mut ended: Option<f64> = None;
    // Where the run is sent on to by itself.
    let mut sent_on: Option<Url> = None;
    let mut follows = false;
    for entry in ours() {
        cookies.extend(entry.sends().filter(|name| !set.contains(name)));
        let next = entry.redirect().filter(|_| elsewhere.is_none());
        let is_hop = sent_on.as_ref() == Some(&entry.url);
        if is_hop && let Some(last) = recorded.last_mut() {
            follows = true;
            let one = entry.recorded();
            (last.status, last.answer) = (one.status, one.answer);
            ended = entry.began.map(|began| began + entry.took);
            sent_on = next;
            continue;
        }
        if !options.keep_static && entry.is_static() {
            left_out += 1;
            continue;
        }
        let mut one = entry.recorded();
        sent_on = next;
        one.step.headers.retain(|(name, _)| name != "cookie");
        let pause = ended
            .zip(entry.began)
            .map_or(0.0, |(ended, began)| began - ended);
        one.step.pause = Some(match pause >= PAUSE {
            true => format!("{}ms", pause.min(600_000.0).round()),
            false => "none".to_owned(),
        });
        ended = entry.began.map(|began| began + entry.took);
        recorded.push(one);
    }
    if left_out > 0 {
        notes.push(format!(
            "{left_out} pictures, scripts and styles: --keep-static keeps them"
        ));
    }
    if !cookies.is_empty() {
        let names: Vec<&str> = cookies.into_iter().collect();
        notes.push(format!(
            "cookies that no answer of the recording sets: {}",
            names.join(", ")
        ));
    }
    correlate(&mut recorded);
    Project {
        journeys: vec![Journey {
            name: "recording".into(),
            steps: recorded.into_iter().map(|one| one.step).collect(),
            ..Journey::default()
        }],
        base_url: Some(base),
        follows,
        notes,
        ..Project::default()
    }
}

/// An entry as far as it matters.
struct Entry<'a> {
    entry: &'a Value,
    url: Url,
    base: String,
    /// Milliseconds since some moment.
    began: Option<f64>,
    took: f64,
}

impl<'a> Entry<'a> {
    fn read(entry: &'a Value) -> Option<Entry<'a>> {
        let mut url = Url::parse(entry.pointer("/request/url")?.as_str()?).ok()?;
        if !["http", "https"].contains(&url.scheme()) {
            return None;
        }
        url.set_fragment(None);
        let base = base_of(&url);
        let began = entry
            .get("startedDateTime")
            .and_then(Value::as_str)
            .and_then(millis);
        let took = entry
            .get("time")
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
            .max(0.0);
        Some(Entry {
            entry,
            url,
            base,
            began,
            took,
        })
    }

    /// Values of a header of one side, `request` or `response`.
    fn values(&self, side: &str, name: &'static str) -> impl Iterator<Item = &'a str> {
        let headers = self.entry.pointer(&format!("/{side}/headers"));
        let headers = headers.and_then(Value::as_array).into_iter().flatten();
        let part = |header: &'a Value, key| header.get(key).and_then(Value::as_str);
        let named = headers.filter(move |header| {
            part(header, "name").is_some_and(|known| known.eq_ignore_ascii_case(name))
        });
        // Some browsers write all cookies of an answer as one value of several lines.
        named
            .filter_map(move |header| part(header, "value"))
            .flat_map(str::lines)
    }

    /// The names of the cookies that it sends.
    fn sends(&self) -> impl Iterator<Item = &'a str> {
        self.values("request", "cookie")
            .flat_map(|all| all.split(';'))
            .map(name_of)
    }

    /// The names of the cookies that its answer sets.
    fn sets(&self) -> impl Iterator<Item = &'a str> {
        self.values("response", "set-cookie").map(name_of)
    }

    /// Where its answer sends it on to.
    fn redirect(&self) -> Option<Url> {
        let status = self.entry.pointer("/response/status")?.as_u64()?;
        let said = self
            .entry
            .pointer("/response/redirectURL")
            .and_then(Value::as_str);
        let said = said.filter(|to| !to.is_empty());
        let to = said.or_else(|| self.values("response", "location").next())?;
        let mut to = self.url.join(to).ok()?;
        to.set_fragment(None);
        [301, 302, 303, 307, 308].contains(&status).then_some(to)
    }

    fn is_static(&self) -> bool {
        let end = self.url.path().rsplit('/').next().unwrap_or_default();
        let end = end.rsplit_once('.').map_or("", |(_, end)| end);
        let kind = self
            .entry
            .pointer("/response/content/mimeType")
            .and_then(Value::as_str);
        let kind = kind.unwrap_or_default();
        let is_asset = ["image/", "font/", "text/css", "video/", "audio/"]
            .iter()
            .any(|one| kind.starts_with(one));
        is_asset
            || kind.contains("javascript")
            || STATIC.contains(&end.to_ascii_lowercase().as_str())
    }

    fn recorded(&self) -> Recorded {
        let word = |pointer| {
            self.entry
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let mut headers = Vec::new();
        let given = self
            .entry
            .pointer("/request/headers")
            .and_then(Value::as_array);
        for header in given.into_iter().flatten() {
            let part = |key| header.get(key).and_then(Value::as_str).unwrap_or_default();
            let name = part("name").to_ascii_lowercase();
            if is_ours_to_set(&name) {
                headers.push((name, literal(part("value"))));
            }
        }
        let body = body(word("/request/postData/text"), &mut headers);
        let status = self
            .entry
            .pointer("/response/status")
            .and_then(Value::as_u64);
        Recorded {
            step: Step {
                method: word("/request/method").to_ascii_lowercase(),
                path: literal(&self.url[url::Position::BeforePath..url::Position::AfterQuery]),
                headers,
                body,
                ..Step::default()
            },
            status: status.unwrap_or(0) as u16,
            answer: serde_json::from_str(word("/response/content/text")).unwrap_or_default(),
        }
    }
}

/// Scheme, host and port.
fn base_of(url: &Url) -> String {
    url[..url::Position::BeforePath].to_owned()
}

/// The name of a cookie, of either header.
fn name_of(pair: &str) -> &str {
    let pair = pair.split(';').next().unwrap_or_default();
    pair.split('=').next().unwrap_or_default().trim()
}

/// Milliseconds within a month of an RFC 3339 time, all in the zone that it is written in: enough for what lies between two.
fn millis(text: &str) -> Option<f64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let day: f64 = date.rsplit('-').next()?.parse().ok()?;
    let time = time.split(['Z', '+']).next()?;
    let time = time.rsplit_once('-').map_or(time, |(time, _)| time);
    let mut parts = time.split(':').map(|part| part.parse::<f64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    Some((((day * 24.0 + hours) * 60.0 + minutes) * 60.0 + seconds) * 1e3)
}
