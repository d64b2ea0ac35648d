//! A request of a collection as a step: address, headers, authorization, body, and what its test script keeps.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;
use url::Url;

use super::reader::{Asked, DEEPEST, Reader, enabled, list, placeholder, text_at};
use super::script::{Set, sets};
use crate::journey::{Body, Step, identifier};
use crate::recorded::is_ours_to_set;

/// Methods that a journey has.
const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

impl<'a> Reader<'a> {
    pub(super) fn request(
        &mut self,
        item: &'a Value,
        request: &'a Value,
        auth: Option<&'a Value>,
        top: &str,
        about: String,
    ) {
        let method = request.get("method").and_then(Value::as_str);
        let method = method.unwrap_or("GET").to_ascii_lowercase();
        if !METHODS.contains(&method.as_str()) {
            return self.note(format!("requests with the method {method}"));
        }
        self.needs.clear();
        let url = request.get("url").unwrap_or(request);
        let (base, mut path) = self.address(url);
        let mut headers = Vec::new();
        for header in enabled(request.get("header")) {
            let name = text_at(header, "/key").to_ascii_lowercase();
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if is_name && is_ours_to_set(&name) {
                headers.push((name, self.filled(text_at(header, "/value"))));
            }
        }
        let auth = request.get("auth").filter(|auth| !auth.is_null()).or(auth);
        if let Some(auth) = auth {
            self.authorize(auth, &mut headers, &mut path);
        }
        let body = self.body(request.get("body"), &mut headers);
        let mut capture = Vec::new();
        if let Some(lines) = test_script(item) {
            for Set { name, pointer } in sets(&lines) {
                capture.push((name, pointer));
            }
            if lines.contains("pm.test") || lines.contains("tests[") {
                self.note("the checks of test scripts".into());
            }
        }
        if script_of(item, "prerequest").is_some() {
            self.note("scripts that run before a request".into());
        }
        let step = Step {
            about: (!about.is_empty()).then_some(about),
            method,
            path,
            headers,
            body,
            capture,
            ..Step::default()
        };
        let needs = std::mem::take(&mut self.needs);
        let folder = identifier(top);
        self.asked.push(Asked {
            folder,
            step,
            base,
            needs,
        });
    }

    /// Where the service is, and the path with its query.
    fn address(&mut self, url: &'a Value) -> (Option<String>, String) {
        let raw = url.as_str().unwrap_or_else(|| text_at(url, "/raw"));
        let (raw, query) = raw.split_once('?').unwrap_or((raw, ""));
        let mut raw = raw.split('#').next().unwrap_or_default().to_owned();
        // What stands in front of the first path is resolved as far as the collection knows.
        for _ in 0..DEEPEST {
            let host = raw.find("://").map_or(0, |at| at + 3);
            let host = raw[host..].find('/').map_or(raw.len(), |at| host + at);
            let Some((start, end, name)) = placeholder(&raw[..host]) else {
                break;
            };
            let Some(value) = self.variables.get(name).filter(|value| !value.is_empty()) else {
                break;
            };
            raw = format!(
                "{}{}{}",
                &raw[..start],
                value.trim_end_matches('/'),
                &raw[end..]
            );
        }
        let scheme = if raw.contains("://") { "" } else { "http://" };
        let host = raw.find("://").map_or(0, |at| at + 3);
        let host = raw[host..].find('/').map_or(raw.len(), |at| host + at);
        let (front, path) = raw.split_at(host);
        let base = match placeholder(front) {
            Some(_) => None,
            None => Url::parse(&format!("{scheme}{front}")).ok(),
        };
        let base = base.filter(|url| url.has_host());
        let base = base.map(|url| url[..url::Position::BeforePath].to_owned());
        let given: BTreeMap<&str, &str> = list(url.get("variable"))
            .map(|one| (text_at(one, "/key"), text_at(one, "/value")))
            .collect();
        let mut made = String::new();
        for part in path.split('/').skip(1) {
            made.push('/');
            match part.strip_prefix(':') {
                Some(name) => {
                    let value = given.get(name).copied().unwrap_or_default();
                    made += &self.filled(if value.is_empty() { "1" } else { value });
                }
                None => made += &self.filled(part),
            }
        }
        if made.is_empty() {
            made.push('/');
        }
        let mut pairs = Vec::new();
        if url.get("query").is_some_and(Value::is_array) {
            for pair in enabled(url.get("query")) {
                let [key, value] = ["/key", "/value"].map(|part| self.filled(text_at(pair, part)));
                pairs.push(format!("{key}={value}"));
            }
        } else if !query.is_empty() {
            pairs.push(self.filled(query));
        }
        if !pairs.is_empty() {
            made = format!("{made}?{}", pairs.join("&"));
        }
        (base, printable(&made))
    }

    fn authorize(
        &mut self,
        auth: &'a Value,
        headers: &mut Vec<(String, String)>,
        path: &mut String,
    ) {
        let kind = text_at(auth, "/type");
        let has = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(known, _)| known == name)
        };
        match kind {
            "" | "noauth" => {}
            "bearer" if !has(headers, "authorization") => {
                let token = self.filled(part_of(auth, "token"));
                headers.push(("authorization".into(), format!("Bearer {token}")));
            }
            "basic" if !has(headers, "authorization") => {
                let login = ["username", "password"].map(|part| part_of(auth, part));
                let [user, password] = login.map(|text| self.resolved(text));
                match placeholder(&user).or_else(|| placeholder(&password)) {
                    Some(_) => {
                        let about = "user and password as basic authentication has them, in base64";
                        self.config.insert("basic".into(), about.into());
                        headers.push(("authorization".into(), "Basic ${config.basic}".into()));
                    }
                    None => {
                        let login = BASE64_STANDARD.encode(format!("{user}:{password}"));
                        headers.push(("authorization".into(), format!("Basic {login}")));
                    }
                }
            }
            "apikey" => {
                let [key, value] = ["key", "value"].map(|part| self.filled(part_of(auth, part)));
                if part_of(auth, "in") == "query" {
                    let mark = if path.contains('?') { '&' } else { '?' };
                    *path = printable(&format!("{path}{mark}{key}={value}"));
                } else if is_ours_to_set(&key.to_ascii_lowercase()) && !key.is_empty() {
                    headers.push((key.to_ascii_lowercase(), value));
                }
            }
            "bearer" | "basic" => {}
            other => self.note(format!("the authorization {other:?}")),
        }
    }

    fn body(&mut self, body: Option<&'a Value>, headers: &mut Vec<(String, String)>) -> Body {
        let Some(body) = body.filter(|body| body.get("disabled") != Some(&Value::Bool(true)))
        else {
            return Body::None;
        };
        match text_at(body, "/mode") {
            "raw" => {
                let raw = text_at(body, "/raw");
                if raw.trim().is_empty() {
                    return Body::None;
                }
                let kind = headers.iter().position(|(name, _)| name == "content-type");
                let is_json = text_at(body, "/options/raw/language") == "json"
                    || kind.is_none_or(|at| headers[at].1.contains("json"));
                let parsed = serde_json::from_str(&self.quoted_placeholders(raw)).ok();
                match parsed.filter(|_| is_json) {
                    Some(value) => {
                        headers.retain(|(name, _)| name != "content-type");
                        Body::Json(self.filled_json(value))
                    }
                    None => {
                        if kind.is_none() {
                            headers.push(("content-type".into(), "text/plain".into()));
                        }
                        Body::Text(self.filled(raw))
                    }
                }
            }
            "urlencoded" => {
                let mut fields = Vec::new();
                for field in enabled(body.get("urlencoded")) {
                    let [key, value] = ["/key", "/value"].map(|part| text_at(field, part));
                    fields.push((self.filled(key), self.filled(value)));
                }
                headers.retain(|(name, _)| name != "content-type");
                Body::Form(fields)
            }
            "graphql" => {
                let variables = text_at(body, "/graphql/variables");
                let variables: Value =
                    serde_json::from_str(&self.quoted_placeholders(variables)).unwrap_or_default();
                let query = text_at(body, "/graphql/query");
                let asked = serde_json::json!({ "query": query, "variables": variables });
                headers.retain(|(name, _)| name != "content-type");
                Body::Json(self.filled_json(asked))
            }
            mode @ ("formdata" | "file") => {
                self.note(match mode {
                    "file" => "bodies that are files".into(),
                    _ => "multipart bodies".to_owned(),
                });
                Body::None
            }
            _ => Body::None,
        }
    }
}

/// Of an authorization: a list of pairs in 2.1, an object in 2.0.
fn part_of<'a>(auth: &'a Value, name: &str) -> &'a str {
    let of_kind = auth.get(text_at(auth, "/type")).unwrap_or(&Value::Null);
    let pair = list(Some(of_kind)).find(|pair| text_at(pair, "/key") == name);
    let value = pair
        .and_then(|pair| pair.get("value"))
        .or_else(|| of_kind.get(name));
    value.and_then(Value::as_str).unwrap_or_default()
}

fn script_of(item: &Value, listens: &str) -> Option<String> {
    let mut events = list(item.get("event"));
    let script = events
        .find(|event| text_at(event, "/listen") == listens)?
        .pointer("/script/exec")?;
    let lines: Vec<&str> = match script {
        Value::String(text) => vec![text],
        lines => list(Some(lines)).filter_map(Value::as_str).collect(),
    };
    let text = lines.join("\n");
    (!text.trim().is_empty()).then_some(text)
}

pub(super) fn test_script(item: &Value) -> Option<String> {
    script_of(item, "test")
}

/// As a path may have it.
fn printable(path: &str) -> String {
    let mut made = String::new();
    for byte in path.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'"' && byte != b'<' && byte != b'>' => {
                made.push(char::from(byte))
            }
            other => made += &format!("%{other:02X}"),
        }
    }
    made
}
