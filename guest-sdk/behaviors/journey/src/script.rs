//! The file once all of it is checked: what `play` goes by.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use vespeiro_guest::{Kind, Method, Route};

use crate::condition::Condition;
use crate::document::{self, Choice, Document, Expect, Step, Text, read, told};
use crate::pause::Pause;
use crate::template::Template;
use crate::values::Names;

/// What requests count for where the file does not say.
const CATEGORY: &str = "request";
/// The category whose POST requests without a token of their own are logins.
const AUTH: &str = "auth";
/// Most rounds of one step.
const MAX_ROUNDS: u32 = 1_000_000;

/// A journey.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) routes: &'static [Route],
    pub(crate) feeds: Vec<String>,
    /// Names of the plan's secrets.
    pub(crate) secrets: Vec<String>,
    pub(crate) vars: Vec<(String, Value)>,
    pub(crate) steps: Vec<Played>,
}

/// A step, and when and how often it is taken.
pub(crate) struct Played {
    pub(crate) when: Option<Condition>,
    pub(crate) rounds: u32,
    /// Each round is one of this name.
    pub(crate) transaction: Option<String>,
    pub(crate) pause: Pause,
    pub(crate) what: What,
    /// Names, and what has to hold afterwards.
    pub(crate) checks: Vec<(String, Condition)>,
}

pub(crate) enum What {
    Request(Box<Request>),
    Steps(Vec<Played>),
    /// One of them, by weight.
    Choice(Vec<Chosen>),
    Nothing,
}

pub(crate) struct Chosen {
    pub(crate) weight: f64,
    pub(crate) when: Option<Condition>,
    pub(crate) steps: Vec<Played>,
}

pub(crate) struct Request {
    pub(crate) route: Route,
    pub(crate) path: Template,
    pub(crate) headers: Vec<(String, Template)>,
    pub(crate) body: Body,
    /// `None`: any below 400.
    pub(crate) expect: Option<Expect>,
    pub(crate) captures: Vec<(String, Source)>,
    pub(crate) mark: Option<Template>,
    pub(crate) unmark: Option<Template>,
}

pub(crate) enum Body {
    None,
    Json(Json),
    Form(Vec<(String, Template)>),
    Text(Template),
}

/// JSON with `${…}` in its texts.
pub(crate) enum Json {
    Plain(Value),
    Text(Template),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

/// Where a captured value is.
pub(crate) enum Source {
    /// A JSON pointer into the body, RFC 6901.
    Pointer(String),
    Header(String),
    /// The body as text.
    Body,
}

impl Script {
    /// Reads a file. All of its mistakes are told, one line each, unless it cannot be read at all.
    pub(crate) fn read(file: &str, text: &str) -> Result<Script, String> {
        let document = read(text)?;
        let mut reader = Reader {
            text,
            names: names(&document),
            errors: Vec::new(),
            routes: Vec::new(),
            headers: Vec::new(),
            pause: Pause::Think,
        };
        let script = reader.script(file, document);
        match reader.errors.is_empty() {
            true => Ok(script),
            false => Err(reader.errors.join("\n")),
        }
    }
}

/// All that the file gives a name, wherever in it.
fn names(document: &Document) -> Names {
    fn captures(steps: &[Spanned<Step>], names: &mut Names) {
        for step in steps {
            let step = step.get_ref();
            step.capture.keys().for_each(|name| names.add(name));
            captures(&step.step, names);
            for choice in &step.choose {
                captures(&choice.get_ref().step, names);
            }
        }
    }
    let mut names = Names::new();
    document.vars.keys().for_each(|name| names.add(name));
    for feed in &document.feeds {
        names.open(feed.get_ref());
    }
    captures(&document.step, &mut names);
    names
}

struct Reader<'a> {
    text: &'a str,
    names: Names,
    errors: Vec<String>,
    routes: Vec<Route>,
    headers: Vec<(String, Template)>,
    pause: Pause,
}

impl Reader<'_> {
    fn script(&mut self, file: &str, document: Document) -> Script {
        let Document {
            name,
            version,
            pause,
            feeds,
            headers,
            vars,
            step,
        } = document;
        if let Some(pause) = pause {
            self.pause = self.hear(&pause, Pause::read).unwrap_or(self.pause);
        }
        self.headers = self.templates(headers);
        let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let stem = stem.split('.').next().unwrap_or(stem).to_owned();
        if step.is_empty() {
            self.refuse(0, "there is no [[step]], so that nothing would be played");
        }
        let steps = self.steps(step);
        let plain = |(name, value): (String, toml::Value)| (name, plain(value));
        Script {
            name: name.map_or(stem, Spanned::into_inner).leak(),
            version: version.map_or("0.0.0".into(), Spanned::into_inner).leak(),
            routes: std::mem::take(&mut self.routes).leak(),
            feeds: feeds.into_iter().map(Spanned::into_inner).collect(),
            vars: vars.into_iter().map(plain).collect(),
            secrets: self.names.secrets(),
            steps,
        }
    }

    fn steps(&mut self, steps: Vec<Spanned<Step>>) -> Vec<Played> {
        let mut all = Vec::with_capacity(steps.len());
        for step in steps {
            let place = step.span();
            all.extend(self.step(step.into_inner(), place));
        }
        all
    }

    fn step(&mut self, step: Step, place: Range<usize>) -> Option<Played> {
        let mut step = step;
        let when = step.when.take().and_then(|text| self.condition(&text));
        let pause = step.pause.take();
        let pause = pause.and_then(|text| self.hear(&text, Pause::read));
        let rounds = step.repeat.unwrap_or(1);
        if rounds > MAX_ROUNDS {
            self.refuse(place.start, &format!("repeat is at most {MAX_ROUNDS}"));
        }
        let transaction = step.transaction.take().map(Spanned::into_inner);
        let mut checks = Vec::new();
        for (name, text) in std::mem::take(&mut step.check) {
            checks.extend(self.condition(&text).map(|condition| (name, condition)));
        }
        let asks = method(&mut step);
        let kinds = [
            asks.len(),
            usize::from(!step.step.is_empty()),
            usize::from(!step.choose.is_empty()),
        ];
        if kinds.iter().sum::<usize>() > 1 {
            self.refuse(
                place.start,
                "a step is one thing: one request, or steps of its own, or a choice; make several steps of it",
            );
            return None;
        }
        let of_requests = [
            ("category", step.category.is_some()),
            ("target", step.target.is_some()),
            ("headers", !step.headers.is_empty()),
            ("json", step.json.is_some()),
            ("form", step.form.is_some()),
            ("body", step.body.is_some()),
            ("expect", step.expect.is_some()),
            ("capture", !step.capture.is_empty()),
            ("mark", step.mark.is_some()),
            ("unmark", step.unmark.is_some()),
        ];
        let asked = asks.into_iter().next();
        let odd = of_requests
            .iter()
            .find(|(_, given)| *given && asked.is_none());
        if let Some((key, _)) = odd {
            self.refuse(place.start, &format!("`{key}` is of a request, and this step makes none: say get, post or another method"));
            return None;
        }
        let is_request = asked.is_some();
        let what = match asked {
            Some((method, path)) => What::Request(Box::new(self.request(method, &path, step)?)),
            None if !step.step.is_empty() => What::Steps(self.steps(step.step)),
            None if !step.choose.is_empty() => What::Choice(self.choices(step.choose)),
            None if pause.is_some() => What::Nothing,
            None => {
                self.refuse(place.start, "this step does nothing: say get, post or another method, step, choose or pause");
                return None;
            }
        };
        let usual = if is_request { self.pause } else { Pause::None };
        Some(Played {
            when,
            rounds,
            transaction,
            pause: pause.unwrap_or(usual),
            what,
            checks,
        })
    }

    fn choices(&mut self, choices: Vec<Spanned<Choice>>) -> Vec<Chosen> {
        let mut all = Vec::with_capacity(choices.len());
        for choice in choices {
            let place = choice.span().start;
            let Choice { weight, when, step } = choice.into_inner();
            if !(weight.is_finite() && weight >= 0.0) {
                self.refuse(place, "a weight is a number from 0 on");
            }
            all.push(Chosen {
                weight,
                when: when.and_then(|text| self.condition(&text)),
                steps: self.steps(step),
            });
        }
        all
    }

    fn request(&mut self, method: Method, path: &Text, step: Step) -> Option<Request> {
        let template = self.template(path)?;
        if !template.is_path() {
            self.refuse(
                path.span().start,
                "a path begins with a slash; the host is the plan's base_url, or that of the step's target",
            );
            return None;
        }
        let route = self.route(method, template.label(), &step);
        let mut headers = self.headers.clone();
        for (name, value) in self.templates(step.headers) {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            headers.push((name, value));
        }
        let bodies = [
            step.json.is_some(),
            step.form.is_some(),
            step.body.is_some(),
        ];
        if bodies.iter().filter(|given| **given).count() > 1 {
            self.refuse(
                path.span().start,
                "a request has one body: json, form or body",
            );
        }
        let body = match (step.json, step.form, step.body) {
            (Some(json), _, _) => {
                let place = json.span().start;
                Body::Json(self.json(json.into_inner(), place)?)
            }
            (_, Some(form), _) => Body::Form(self.templates(form)),
            (_, _, Some(text)) => Body::Text(self.template(&text)?),
            _ => Body::None,
        };
        let mut captures = Vec::new();
        for (name, from) in step.capture {
            captures.extend(self.hear(&from, source).map(|source| (name, source)));
        }
        Some(Request {
            route,
            path: template,
            headers,
            body,
            expect: step.expect,
            captures,
            mark: step.mark.and_then(|text| self.template(&text)),
            unmark: step.unmark.and_then(|text| self.template(&text)),
        })
    }

    /// The route of that label, known or new.
    fn route(&mut self, method: Method, label: String, step: &Step) -> Route {
        let category = step
            .category
            .as_ref()
            .map_or(CATEGORY, |text| text.get_ref());
        let target = step.target.as_ref().map(|text| text.get_ref().as_str());
        let mut headers = step.headers.keys();
        let is_authorized = headers.any(|name| name.eq_ignore_ascii_case("authorization"));
        let is_login = method == Method::Post && category == AUTH && !is_authorized;
        let same = |route: &&Route| {
            route.method == method
                && route.path == label
                && route.category == category
                && route.target == target
                && (route.kind == Kind::Login) == is_login
        };
        if let Some(route) = self.routes.iter().find(same) {
            return *route;
        }
        let mut route = Route::new(method, label.leak(), category.to_owned().leak());
        if is_login {
            route = route.login();
        }
        if let Some(target) = target {
            route = route.at(target.to_owned().leak());
        }
        self.routes.push(route);
        route
    }

    fn templates(&mut self, texts: BTreeMap<String, Text>) -> Vec<(String, Template)> {
        let mut all = Vec::with_capacity(texts.len());
        for (name, text) in texts {
            all.extend(self.template(&text).map(|template| (name, template)));
        }
        all
    }

    /// JSON as a table of TOML, or as a text that is JSON itself.
    fn json(&mut self, value: toml::Value, place: usize) -> Option<Json> {
        let value = match value {
            toml::Value::String(text) => serde_json::from_str(&text)
                .map_err(|error| self.refuse(place, &format!("the text is no JSON: {error}")))
                .ok()?,
            other => plain(other),
        };
        self.filled(value, place)
    }

    fn filled(&mut self, value: Value, place: usize) -> Option<Json> {
        Some(match value {
            Value::String(text) => {
                let read = Template::read(&text, &self.names);
                Json::Text(read.map_err(|what| self.refuse(place, &what)).ok()?)
            }
            Value::Array(list) => {
                let each = list.into_iter().map(|one| self.filled(one, place));
                Json::List(each.collect::<Option<_>>()?)
            }
            Value::Object(map) => {
                let each = map.into_iter();
                let each = each.map(|(key, one)| Some((key, self.filled(one, place)?)));
                Json::Map(each.collect::<Option<_>>()?)
            }
            other => Json::Plain(other),
        })
    }

    fn template(&mut self, text: &Text) -> Option<Template> {
        let read = Template::read(text.get_ref(), &self.names);
        read.map_err(|what| self.refuse(text.span().start, &what))
            .ok()
    }

    fn condition(&mut self, text: &Text) -> Option<Condition> {
        let read = Condition::read(text.get_ref(), &self.names);
        read.map_err(|what| self.refuse(text.span().start, &what))
            .ok()
    }

    fn hear<T>(&mut self, text: &Text, read: fn(&str) -> Result<T, String>) -> Option<T> {
        read(text.get_ref())
            .map_err(|what| self.refuse(text.span().start, &what))
            .ok()
    }

    fn refuse(&mut self, place: usize, what: &str) {
        self.errors.push(told(self.text, place, what));
    }
}

/// The requests that a step makes: one, if it is right.
fn method(step: &mut Step) -> Vec<(Method, document::Text)> {
    let asks = [
        (Method::Get, step.get.take()),
        (Method::Head, step.head.take()),
        (Method::Post, step.post.take()),
        (Method::Put, step.put.take()),
        (Method::Patch, step.patch.take()),
        (Method::Delete, step.delete.take()),
        (Method::Options, step.options.take()),
    ];
    let asked = asks.into_iter();
    asked
        .filter_map(|(method, path)| Some((method, path?)))
        .collect()
}

fn source(text: &str) -> Result<Source, String> {
    if text == "body" {
        return Ok(Source::Body);
    }
    if let Some(name) = text.strip_prefix("header:") {
        return Ok(Source::Header(name.trim().to_ascii_lowercase()));
    }
    if text.is_empty() || text.starts_with('/') {
        return Ok(Source::Pointer(text.to_owned()));
    }
    Err("a capture is a JSON pointer as /data/id, header:NAME, or body".into())
}

/// A value of TOML as one of JSON; dates become texts.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(is) => is.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(list) => list.into_iter().map(plain).collect(),
        toml::Value::Table(table) => {
            let each = table.into_iter().map(|(key, one)| (key, plain(one)));
            Value::Object(each.collect())
        }
    }
}
