//! OpenAPI 3.0 and 3.1: a journey for each tag, which creates before it reads, changes and removes. Values come from examples
//! or are made from schemas; the id that a creation answers with goes into the paths behind it.

mod security;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::journey::{Body, Journey, Step, identifier, literal};
use crate::links::{Link, Target, links};
use crate::project::Project;
use crate::schema::{Document, said};

/// In the order in which a journey takes them on one resource.
const METHODS: [&str; 7] = ["post", "get", "put", "patch", "head", "options", "delete"];

/// One method of a path.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    operation: &'a Value,
    parameters: Vec<&'a Value>,
}

pub(crate) fn read(root: &Value) -> Project {
    let document = Document(root);
    let mut project = Project {
        base_url: base_url(root),
        ..Project::default()
    };
    let mut by_tag: BTreeMap<String, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in root
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let item = document.resolve(item);
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let shared = array(item, "parameters").iter();
            let parameters = shared.chain(array(operation, "parameters"));
            let parameters = parameters
                .map(|parameter| document.resolve(parameter))
                .collect();
            let tag = array(operation, "tags").first().and_then(Value::as_str);
            let first = path
                .split('/')
                .find(|part| !part.is_empty() && !part.starts_with('{'));
            let tag = identifier(tag.or(first).unwrap_or("journey"));
            by_tag.entry(tag).or_default().push(Operation {
                method,
                path,
                operation,
                parameters,
            });
        }
    }
    for (name, mut operations) in by_tag {
        // What a resource has below it comes between its reading and its removal.
        operations.sort_by_key(|one| {
            (
                one.method == "delete",
                depth(one),
                place(one.method),
                one.path,
            )
        });
        let mut reader = Reader {
            document,
            linked: Vec::new(),
            project: &mut project,
            journey: Journey {
                name,
                ..Journey::default()
            },
        };
        for operation in &operations {
            reader.take(operation, &operations);
        }
        let journey = reader.journey;
        if !journey.steps.is_empty() {
            project.journeys.push(journey);
        }
    }
    project
}

/// Parameters in its path: first what needs none. What removes goes the other way.
fn depth(operation: &Operation<'_>) -> usize {
    let parameters = operation.path.matches('{').count();
    match operation.method {
        "delete" => 100_usize.saturating_sub(parameters),
        _ => parameters,
    }
}

fn place(method: &str) -> usize {
    METHODS
        .iter()
        .position(|known| *known == method)
        .unwrap_or(METHODS.len())
}

/// The first server, with its variables at their defaults; `None` where it names no host.
fn base_url(root: &Value) -> Option<String> {
    let server = array(root, "servers").first()?;
    let mut url = server.get("url")?.as_str()?.to_owned();
    for (name, variable) in server
        .get("variables")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let default = variable
            .get("default")
            .and_then(Value::as_str)
            .unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    is_http.then(|| url.trim_end_matches('/').to_owned())
}

struct Reader<'a, 'p> {
    document: Document<'a>,
    /// Parameters of the query that an answer has the value of: method and path, the parameter, and what was captured.
    linked: Vec<(&'static str, &'a str, &'a str, String)>,
    project: &'p mut Project,
    journey: Journey,
}

impl<'a> Reader<'a, '_> {
    fn take(&mut self, one: &Operation<'a>, all: &[Operation<'a>]) {
        let about = ["summary", "operationId"]
            .iter()
            .find_map(|key| one.operation.get(key));
        let mut step = Step {
            about: about.and_then(Value::as_str).map(str::to_owned),
            method: one.method.to_owned(),
            ..Step::default()
        };
        if let Err(why) = self.body(one, &mut step) {
            let name = format!("{} {}", one.method.to_uppercase(), one.path);
            self.project.notes.push(format!("{name}: {why}"));
            return;
        }
        step.path = self.path(one);
        self.parameters(one, &mut step);
        self.security(one, &mut step);
        self.answer(one, all, &mut step);
        self.journey.steps.push(step);
    }

    /// The path, with what was captured or a constant in place of each parameter.
    fn path(&mut self, one: &Operation<'a>) -> String {
        let mut path = String::new();
        let mut rest = one.path;
        while let Some((before, after)) = rest.split_once('{') {
            let (parameter, after) = after.split_once('}').unwrap_or((after, ""));
            let name = name_of(before, parameter);
            path.push_str(before);
            path.push_str(&format!("${{{name}}}"));
            let captures = self.journey.steps.iter().flat_map(|step| &step.capture);
            let is_known = captures.chain([]).any(|(known, _)| *known == name)
                || self.journey.vars.iter().any(|(known, _)| *known == name);
            if !is_known {
                let mut declared = one.parameters.iter();
                let declared = declared.find(|it| it.get("name").is_some_and(|it| it == parameter));
                let value = declared.map_or(Value::from(1), |it| self.parameter(parameter, it));
                self.journey.vars.push((name, value));
            }
            rest = after;
        }
        path.push_str(rest);
        path
    }

    /// The value of a parameter.
    fn parameter(&self, name: &str, parameter: &'a Value) -> Value {
        if let Some(said) = said(parameter) {
            return said.clone();
        }
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        match self.document.value(name, schema) {
            Value::Null => 1.into(),
            value => value,
        }
    }

    /// Those of the query and the headers that are required, and those that an earlier answer has the value of.
    fn parameters(&mut self, one: &Operation<'a>, step: &mut Step) {
        let linked = |of: &&(&str, &str, &str, String)| of.0 == one.method && of.1 == one.path;
        for (.., name, captured) in self.linked.iter().filter(linked) {
            add_query(&mut step.path, name, &format!("${{{captured}}}"));
        }
        for parameter in &one.parameters {
            let name = parameter
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let is_linked = self
                .linked
                .iter()
                .filter(linked)
                .any(|(.., known, _)| *known == name);
            if is_linked || parameter.get("required") != Some(&Value::Bool(true)) {
                continue;
            }
            let value = text(&self.parameter(name, parameter));
            match parameter.get("in").and_then(Value::as_str) {
                Some("query") => add_query(&mut step.path, name, &value),
                Some("header") => step.headers.push((name.to_owned(), value)),
                Some("cookie") => step
                    .headers
                    .push(("cookie".to_owned(), format!("{name}={value}"))),
                _ => {}
            }
        }
    }

    fn body(&mut self, one: &Operation<'a>, step: &mut Step) -> Result<(), String> {
        let Some(body) = one.operation.get("requestBody") else {
            return Ok(());
        };
        let body = self.document.resolve(body);
        let content = body.get("content").and_then(Value::as_object);
        let mut content = content.into_iter().flatten().collect::<Vec<_>>();
        content.sort_by_key(|(kind, _)| (!is_json(kind), !kind.contains("urlencoded")));
        let Some((kind, media)) = content.first() else {
            return Ok(());
        };
        let schema = media.get("schema").unwrap_or(&Value::Null);
        let value = said(media)
            .cloned()
            .unwrap_or_else(|| self.document.value("", schema));
        if is_json(kind) {
            step.body = Body::Json(value);
        } else if kind.contains("urlencoded") {
            let fields = value.as_object().into_iter().flatten();
            step.body = Body::Form(
                fields
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
            );
        } else if kind.starts_with("text/") {
            step.headers.push(("content-type".into(), kind.to_string()));
            step.body = Body::Text(text(&value));
        } else {
            return Err(format!("its body is {kind}"));
        }
        Ok(())
    }

    /// What is expected, and the id of what was created.
    fn answer(&mut self, one: &Operation<'a>, all: &[Operation<'a>], step: &mut Step) {
        let responses = one.operation.get("responses").and_then(Value::as_object);
        let good = responses
            .into_iter()
            .flatten()
            .filter_map(|(status, answer)| {
                let status: u16 = status.parse().ok()?;
                (200..300).contains(&status).then_some((status, answer))
            });
        let good: Vec<_> = good.collect();
        step.expect = good.iter().map(|(status, _)| *status).collect();
        for (_, answer) in &good {
            for link in links(self.document, self.document.resolve(answer)) {
                self.follow(&link, all, step);
            }
        }
        if one.method != "post" || !step.capture.is_empty() {
            return;
        }
        let below = format!("{}/{{", one.path.trim_end_matches('/'));
        let mut items = all
            .iter()
            .filter_map(|other| other.path.strip_prefix(&below));
        let Some((parameter, _)) = items.find_map(|rest| rest.split_once('}')) else {
            return;
        };
        let schemas = good.iter().filter_map(|(_, answer)| {
            let content = self.document.resolve(answer).get("content")?.as_object()?;
            let (_, media) = content.iter().find(|(kind, _)| is_json(kind))?;
            media.get("schema")
        });
        let found = schemas
            .into_iter()
            .find_map(|schema| self.pointer(schema, parameter, ""));
        if let Some(pointer) = found {
            step.capture
                .push((name_of(&format!("{}/", one.path), parameter), pointer));
        }
    }

    /// Capture what a link says, for the operation that it leads to in this journey.
    fn follow(&mut self, link: &Link<'a>, all: &[Operation<'a>], step: &mut Step) {
        let is_target = |one: &&Operation<'a>| match &link.target {
            Target::Id(id) => one
                .operation
                .get("operationId")
                .is_some_and(|own| own == id),
            Target::Place(path, method) => one.path == path && one.method == *method,
        };
        let Some(target) = all.iter().find(is_target) else {
            return;
        };
        let in_path = target.path.split_once(&format!("{{{}}}", link.parameter));
        let captured = match (in_path, link.place) {
            (Some((before, _)), None | Some("path")) => name_of(before, link.parameter),
            (_, None | Some("query")) => {
                let captured = identifier(link.parameter);
                let is_same = |of: &(&str, &str, &str, String)| {
                    (of.0, of.1, of.2) == (target.method, target.path, link.parameter)
                };
                if self.linked.iter().any(is_same) {
                    return;
                }
                let whose = (target.method, target.path, link.parameter, captured.clone());
                self.linked.push(whose);
                captured
            }
            _ => return,
        };
        if !step.capture.iter().any(|(known, _)| *known == captured) {
            step.capture.push((captured, link.pointer.to_owned()));
        }
    }

    /// Where in an answer the value of that parameter is: a property of its name, or `id`, here or one level deeper.
    fn pointer(&self, schema: &'a Value, parameter: &str, at: &str) -> Option<String> {
        let properties = self.document.properties(schema);
        let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
        let direct = [plain(parameter), "id".into(), "uuid".into()]
            .into_iter()
            .find_map(|wanted| {
                let mut named = properties.iter();
                named.find(|(name, _)| plain(name) == wanted)
            });
        if let Some((name, _)) = direct {
            return Some(format!(
                "{at}/{}",
                name.replace('~', "~0").replace('/', "~1")
            ));
        }
        if !at.is_empty() {
            return None;
        }
        properties
            .iter()
            .find_map(|(name, property)| self.pointer(property, parameter, &format!("/{name}")))
    }
}

/// What a path parameter is called: with its resource where it is only `id`.
fn name_of(before: &str, parameter: &str) -> String {
    let parameter = identifier(parameter);
    let mut parts = before.split('/').rev().filter(|part| !part.is_empty());
    match parts.find(|part| !part.contains('{') && !part.contains('}')) {
        Some(resource) if ["id", "uuid", "name", "key"].contains(&parameter.as_str()) => {
            identifier(&format!("{resource}_{parameter}"))
        }
        _ => parameter,
    }
}

fn add_query(path: &mut String, name: &str, value: &str) {
    let value = match value.starts_with("${") {
        // It is encoded when it is filled in.
        true => value.to_owned(),
        false => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
    };
    let sign = if path.contains('?') { '&' } else { '?' };
    path.push_str(&format!("{sign}{name}={value}"));
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or(kind).trim();
    kind == "application/json" || kind.ends_with("+json") || kind == "*/*"
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    match value {
        // What the schema made may name the user.
        Value::String(text) if text.starts_with("${user.") => text.clone(),
        Value::String(text) => literal(text),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
