//! One session of a journey.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use vespeiro_guest::{Error, Journey, Level, Me, Reply, Result, encode};

use crate::SCRIPT;
use crate::document::Expect;
use crate::script::{Body, Chosen, Json, Played, Request, Source, What};
use crate::template::Template;
use crate::values::{SECRET, Values};

/// Begins a session.
pub(crate) fn play(me: Me) -> Journey {
    Box::pin(async move {
        let Some(script) = SCRIPT.get() else {
            return Ok(());
        };
        let mut values = Values::default();
        for (name, value) in &script.vars {
            values.set(name, value.clone());
        }
        let config: Value = me.config()?;
        let explains = config["explain"] == true;
        values.set("config", config);
        for feed in &script.feeds {
            // The host tells of a feed that has no row.
            let row: Value = me.feed(feed)?.ok_or(Error::GaveUp)?;
            values.set(feed, row);
        }
        for name in &script.secrets {
            let value = me.secret(name)?;
            values.set(&format!("{SECRET}.{name}"), value.into());
        }
        let mut session = Session {
            me: &me,
            values,
            is_first: true,
            explains,
        };
        session.steps(&script.steps).await
    })
}

struct Session<'a> {
    me: &'a Me,
    values: Values,
    /// Nothing was sent yet, so that there is nothing to think about.
    is_first: bool,
    /// Its log tells what is captured.
    explains: bool,
}

type Playing<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

impl Session<'_> {
    fn steps<'a>(&'a mut self, steps: &'a [Played]) -> Playing<'a> {
        Box::pin(async move {
            for step in steps {
                if step.rounds == 1 {
                    self.step(step).await?;
                    continue;
                }
                for round in 1..=step.rounds {
                    self.values.set("round", round.into());
                    self.step(step).await?;
                }
            }
            Ok(())
        })
    }

    async fn step(&mut self, step: &Played) -> Result<()> {
        let me = self.me;
        if let Some(when) = &step.when
            && !when.holds(me, &self.values)
        {
            return Ok(());
        }
        let is_first = matches!(step.what, What::Request(_)) && std::mem::take(&mut self.is_first);
        if !is_first {
            step.pause.wait(me).await;
        }
        match &step.transaction {
            Some(name) => me.transaction(name, self.take(&step.what)).await?,
            None => self.take(&step.what).await?,
        }
        for (name, condition) in &step.checks {
            me.check(name, condition.holds(me, &self.values));
        }
        Ok(())
    }

    async fn take(&mut self, what: &What) -> Result<()> {
        match what {
            What::Request(request) => self.request(request).await?,
            What::Steps(steps) => self.steps(steps).await?,
            What::Choice(choices) => {
                if let Some(chosen) = self.choose(choices) {
                    self.steps(&chosen.steps).await?;
                }
            }
            What::Nothing => {}
        }
        Ok(())
    }

    /// One of those that may be taken now, by weight.
    fn choose<'c>(&self, choices: &'c [Chosen]) -> Option<&'c Chosen> {
        let may = |one: &&Chosen| {
            let when = one.when.as_ref();
            when.is_none_or(|when| when.holds(self.me, &self.values))
        };
        let all: f64 = choices.iter().filter(may).map(|one| one.weight).sum();
        let mut left = self.me.with_rng(|rng| rng.f64()) * all;
        let mut open = choices.iter().filter(may).filter(|one| one.weight > 0.0);
        let mut last = None;
        for one in &mut open {
            left -= one.weight;
            last = Some(one);
            if left < 0.0 {
                break;
            }
        }
        last
    }

    async fn request(&mut self, request: &Request) -> Result<()> {
        let (me, values) = (self.me, &self.values);
        let mut call = me
            .call(request.route)
            .path(request.path.fill_path(me, values));
        for (name, value) in &request.headers {
            call = call.header(name.as_str(), value.fill(me, values));
        }
        call = match &request.body {
            Body::None => call,
            Body::Json(json) => call.json(&filled(json, me, values)),
            Body::Form(fields) => call
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form(fields, me, values)),
            Body::Text(text) => call.body(text.fill(me, values)),
        };
        if let Some(Expect::These(statuses)) = &request.expect {
            call = call.expect(statuses);
        }
        if let Some(mark) = &request.mark {
            call = call.mark(mark.fill(me, values));
        }
        let is_header = |(_, source): &(_, Source)| matches!(source, Source::Header(_));
        if request.captures.iter().any(is_header) {
            call = call.capture_headers();
        }
        if !request.captures.iter().all(is_header) {
            call = call.capture_body();
        }
        let reply = call.send().await?;
        self.values.set("status", reply.status.into());
        self.expect(request, &reply)?;
        if let Some(unmark) = &request.unmark {
            me.unmark(&unmark.fill(me, &self.values));
        }
        self.capture(request, &reply)
    }

    /// Give up where the status is another one; the checks tell of it.
    fn expect(&self, request: &Request, reply: &Reply) -> Result<()> {
        let (is_right, wanted) = match &request.expect {
            Some(Expect::Any) => return Ok(()),
            None => (reply.status < 400, "below 400".to_owned()),
            Some(Expect::These(statuses)) => (
                statuses.contains(&reply.status),
                statuses
                    .iter()
                    .map(u16::to_string)
                    .collect::<Vec<_>>()
                    .join(" or "),
            ),
        };
        if is_right {
            return Ok(());
        }
        let place = place(request);
        self.me.check(&format!("{place} answers {wanted}"), false);
        Err(reply.unexpected())
    }

    fn capture(&mut self, request: &Request, reply: &Reply) -> Result<()> {
        let is_pointer = |(_, source): &(_, Source)| matches!(source, Source::Pointer(_));
        let body: Value = match request.captures.iter().any(is_pointer) {
            true => reply.json().unwrap_or_default(),
            false => Value::Null,
        };
        for (name, source) in &request.captures {
            let (found, told) = match source {
                Source::Pointer(pointer) => (body.pointer(pointer).cloned(), pointer.as_str()),
                Source::Header(header) => (reply.header(header).map(Value::from), header.as_str()),
                Source::Body => {
                    let text = String::from_utf8_lossy(&reply.body);
                    (Some(text.into_owned().into()), "body")
                }
            };
            let Some(value) = found.filter(|value| !value.is_null()) else {
                self.me
                    .check(&format!("{} has {told} for {name}", place(request)), false);
                return Err(Error::GaveUp);
            };
            if self.explains {
                let shown = explained(name, told, &value);
                self.me
                    .log(Level::Debug, &format!("captured {name} = {shown}"));
            }
            self.values.set(name, value);
        }
        Ok(())
    }
}

/// A captured value for the log, unless it sounds like a secret or is a whole body.
fn explained(name: &str, from: &str, value: &Value) -> String {
    const SECRET: [&str; 6] = [
        "password",
        "secret",
        "token",
        "authorization",
        "cookie",
        "api",
    ];
    let said = format!("{name} {from}").to_ascii_lowercase();
    if SECRET.iter().any(|sound| said.contains(sound)) {
        return "(withheld)".into();
    }
    match value {
        Value::String(text) if from == "body" => format!("({} bytes)", text.len()),
        value => value.to_string(),
    }
}

/// A request as messages call it: `GET /users/{id}`.
fn place(request: &Request) -> String {
    let method = format!("{:?}", request.route.method).to_ascii_uppercase();
    format!("{method} {}", request.route.path)
}

fn filled(json: &Json, me: &Me, values: &Values) -> Value {
    match json {
        Json::Plain(value) => value.clone(),
        Json::Text(template) => template.fill_json(me, values),
        Json::List(list) => list.iter().map(|one| filled(one, me, values)).collect(),
        Json::Map(map) => {
            let each = map.iter();
            let each = each.map(|(key, one)| (key.clone(), filled(one, me, values)));
            Value::Object(each.collect())
        }
    }
}

fn form(fields: &[(String, Template)], me: &Me, values: &Values) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        encode(&mut body, name);
        body.push('=');
        encode(&mut body, value.fill(me, values));
    }
    body
}
