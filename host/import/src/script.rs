//! How a journey is written as a script, in JavaScript or TypeScript: for those who want to go on in code.
//!
//! What must stay true: whatever a document says is a text or a comment in the script, and never code.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::javascript::{Part, braced, comment, key, member, millis, parts, string};
use super::journey::{Body, Journey, Step};

/// What a journey is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `journey.toml`.
    Toml,
    JavaScript,
    TypeScript,
}

impl Language {
    /// Each, by the word for it and the end of its files.
    pub const ALL: [(&'static str, Language); 3] = [
        ("toml", Language::Toml),
        ("js", Language::JavaScript),
        ("ts", Language::TypeScript),
    ];

    /// What its files end with.
    pub fn ending(self) -> &'static str {
        let found = Language::ALL.iter().find(|(_, language)| *language == self);
        found.map_or("", |(word, _)| word)
    }
}

/// What comes first where a script needs it.
const AT: &str = "
/** What stands at a JSON pointer of the answer; without it the person gives up. */
function at(reply, pointer) {
  const key = (part) => part.replaceAll('~1', '/').replaceAll('~0', '~');
  const value = pointer.split('/').slice(1).reduce((within, part) => within?.[key(part)], reply.json());
  if (value === undefined) {
    throw new GaveUp(`${reply.line}: there is no ${pointer} in the answer`);
  }
  return value;
}
";
const FINE: &str = "
/** Any status below 400 will do. */
function fine(reply) {
  return reply.status < 400 ? reply : reply.expect();
}
";

/// A script and what it uses.
struct Script<'a> {
    journey: &'a Journey,
    language: Language,
    /// Routes by category.
    routes: BTreeMap<&'a str, Vec<String>>,
    imports: Vec<&'static str>,
    body: String,
    /// It keeps parts of answers, knows constants, is told a config.
    keeps: bool,
    configured: bool,
}

/// The script of a journey. `from` says what it was made of.
pub(super) fn write(journey: &Journey, language: Language, from: &str) -> String {
    let mut script = Script {
        journey,
        language,
        routes: BTreeMap::new(),
        imports: vec!["behavior"],
        body: String::new(),
        keeps: false,
        configured: false,
    };
    for (at, step) in journey.steps.iter().enumerate() {
        script.step(step, at == 0);
    }
    script.text(from)
}

impl<'a> Script<'a> {
    fn text(mut self, from: &str) -> String {
        self.imports.sort_unstable();
        self.imports.dedup();
        let typed = self.language == Language::TypeScript;
        let types = if typed {
            ", type Me, type Reply, type Steps"
        } else {
            ""
        };
        let mut text = format!(
            "// Made by vespeiro import from {}.\n\nimport {{ {}{types} }} from 'vespeiro';\n",
            comment(from),
            self.imports.join(", ")
        );
        if !self.journey.vars.is_empty() {
            text.push_str("\nconst vars = {\n");
            for (name, value) in &self.journey.vars {
                let _ = writeln!(text, "  {}: {value},", key(name));
            }
            text.push_str("};\n");
        }
        let signed = |part: &str| match typed {
            true => part
                .replace("(reply, pointer)", "(reply: Reply, pointer: string): any")
                .replace("(part)", "(part: string)")
                .replace("fine(reply)", "fine(reply: Reply): Reply"),
            false => part.to_owned(),
        };
        if self.body.contains("at(") {
            text.push_str(&signed(AT).replace("key(part: string)", "key(part)"));
        }
        if self.body.contains("fine(") {
            text.push_str(&signed(FINE));
        }
        text.push_str(if typed {
            "\nfunction* journey(me: Me): Steps {\n"
        } else {
            "\nfunction* journey(me) {\n"
        });
        if self.configured {
            text.push_str("  const { config } = me;\n");
        }
        if self.keeps {
            text.push_str(if typed {
                "  const seen: Record<string, any> = {};\n"
            } else {
                "  const seen = {};\n"
            });
        }
        text.push_str(self.body.trim_end());
        text.push('\n');
        text.push_str("}\n\nexport default behavior({\n");
        let _ = writeln!(text, "  name: {},", string(&self.journey.name));
        text.push_str("  version: '0.0.0',\n  routes: {\n");
        for (category, routes) in &self.routes {
            let _ = writeln!(text, "    {}: [", key(category));
            for route in routes {
                let _ = writeln!(text, "      {},", string(route));
            }
            text.push_str("    ],\n");
        }
        text.push_str("  },\n  journey,\n});\n");
        text
    }

    fn step(&mut self, step: &'a Step, is_first: bool) {
        if let Some(about) = &step.about {
            let _ = writeln!(self.body, "  // {}", comment(about));
        }
        self.pause(step.pause.as_deref(), is_first);
        let (path, query) = step.path.split_once('?').unwrap_or((&step.path, ""));
        let (path, args) = self.route(path);
        let category = step.category.as_deref().unwrap_or("request");
        let line = format!("{} {path}", step.method.to_uppercase());
        let routes = self.routes.entry(category).or_default();
        if !routes.contains(&line) {
            routes.push(line);
        }
        let mut options = Vec::new();
        let query = self.query(query);
        options.extend((!query.is_empty()).then(|| format!("query: {{ {query} }}")));
        if !step.headers.is_empty() {
            let headers = self.pairs(&step.headers);
            options.push(format!("headers: {{ {headers} }}"));
        }
        match &step.body {
            Body::None => {}
            Body::Json(value) => {
                let value = self.json(value, "    ");
                options.push(format!("json: {value}"));
            }
            Body::Form(fields) => {
                let fields = self.pairs(fields);
                options.push(format!("form: {{ {fields} }}"));
            }
            Body::Text(text) => {
                let text = self.filled(text);
                options.push(format!("body: {text}"));
            }
        }
        let asks = |kind: fn(&str) -> bool| step.capture.iter().any(|(_, place)| kind(place));
        if asks(|place| place.starts_with("header:")) {
            options.push("capture: 'all'".to_owned());
        }
        let verb = match step.method.as_str() {
            "delete" => "del",
            method => method,
        };
        // A known word, so that it can stand in the list of what is imported.
        let known = ["get", "head", "post", "put", "patch", "del", "options"];
        self.imports
            .extend(known.iter().find(|word| **word == verb));
        let mut call = format!("yield* {verb}({}", string(&path));
        if !args.is_empty() || !options.is_empty() {
            let _ = write!(call, ", {}", braced(&args));
        }
        if !options.is_empty() {
            let _ = write!(call, ", {{\n    {},\n  }}", options.join(",\n    "));
        }
        call.push(')');
        let judged = match &step.expect[..] {
            [] => format!("fine({call})"),
            statuses => {
                let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
                format!("({call}).expect({})", statuses.join(", "))
            }
        };
        if step.capture.is_empty() {
            let _ = writeln!(self.body, "  {judged};\n");
            return;
        }
        self.keeps = true;
        let _ = writeln!(
            self.body,
            "  {{\n    const reply = {};",
            judged.replace('\n', "\n  ")
        );
        for (name, place) in &step.capture {
            let value = match place.strip_prefix("header:") {
                Some(header) => format!("reply.header({})", string(&header.to_ascii_lowercase())),
                None if place == "body" => "reply.text()".to_owned(),
                None => {
                    self.imports.push("GaveUp");
                    format!("at(reply, {})", string(place))
                }
            };
            let _ = writeln!(self.body, "    {} = {value};", member("seen", name));
        }
        self.body.push_str("  }\n\n");
    }

    fn pause(&mut self, pause: Option<&str>, is_first: bool) {
        let text = match pause {
            Some("none") => return,
            None if is_first => return,
            None | Some("think") => {
                self.imports.push("think");
                "think()".to_owned()
            }
            Some(pause) => {
                let (from, to) = pause.split_once("..").unwrap_or((pause, ""));
                match (millis(from), millis(to)) {
                    (Some(from), Some(to)) => {
                        self.imports.push("thinkBetween");
                        format!("thinkBetween({from}, {to})")
                    }
                    (Some(exact), None) => {
                        self.imports.push("wait");
                        format!("wait({exact})")
                    }
                    _ => return,
                }
            }
        };
        let _ = writeln!(self.body, "  yield {text};");
    }

    /// The route of a path with `${…}`, and what fills its placeholders.
    fn route(&mut self, path: &str) -> (String, Vec<String>) {
        let (mut route, mut args) = (String::new(), Vec::new());
        for part in parts(path) {
            match part {
                Part::Text(text) => route.push_str(&text),
                Part::Name(name) => {
                    let placeholder = name.replace('.', "_");
                    let _ = write!(route, "{{{placeholder}}}");
                    let value = self.value(&name);
                    args.push(format!("{}: {value}", key(&placeholder)));
                }
            }
        }
        (route, args)
    }

    /// The pairs of a query, decoded, for the SDK encodes them.
    fn query(&mut self, query: &str) -> String {
        let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match pairs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(self.filled(&value)),
                None => pairs.push((name.into_owned(), vec![self.filled(&value)])),
            }
        }
        let pairs = pairs.iter().map(|(name, values)| match &values[..] {
            [one] => format!("{}: {one}", key(name)),
            several => format!("{}: [{}]", key(name), several.join(", ")),
        });
        pairs.collect::<Vec<_>>().join(", ")
    }

    fn pairs(&mut self, pairs: &[(String, String)]) -> String {
        let pairs = pairs
            .iter()
            .map(|(name, value)| format!("{}: {}", key(name), self.filled(value)));
        pairs.collect::<Vec<_>>().join(", ")
    }

    /// A JSON value; a text in it that is nothing but a name keeps the type of what it names.
    fn json(&mut self, value: &Value, indent: &str) -> String {
        let deeper = format!("{indent}  ");
        let (open, lines, close) = match value {
            Value::String(text) => return self.filled(text),
            Value::Array(items) if !items.is_empty() => {
                let items = items.iter().map(|item| self.json(item, &deeper));
                ('[', items.collect::<Vec<_>>(), ']')
            }
            Value::Object(fields) if !fields.is_empty() => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| format!("{}: {}", key(name), self.json(value, &deeper)));
                ('{', fields.collect(), '}')
            }
            other => return other.to_string(),
        };
        let lines: String = lines
            .iter()
            .map(|line| format!("{deeper}{line},\n"))
            .collect();
        format!("{open}\n{lines}{indent}{close}")
    }

    /// A text with `${…}` as an expression.
    fn filled(&mut self, text: &str) -> String {
        let parts = parts(text);
        match &parts[..] {
            [] => "''".to_owned(),
            [Part::Text(text)] => string(text),
            [Part::Name(name)] => self.value(name),
            several => {
                let mut made = String::from("`");
                for part in several {
                    match part {
                        Part::Text(text) => {
                            let text = text
                                .replace('\\', "\\\\")
                                .replace('`', "\\`")
                                .replace('$', "\\$");
                            made.push_str(&text.replace('\r', "\\r"));
                        }
                        Part::Name(name) => {
                            let _ = write!(made, "${{{}}}", self.value(name));
                        }
                    }
                }
                made + "`"
            }
        }
    }

    /// What a name stands for.
    fn value(&mut self, name: &str) -> String {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match (first, rest) {
            ("user", field) => format!("me.user.{field}"),
            ("config", path) => {
                self.configured = true;
                format!("config.{}", path.replace('.', "?."))
            }
            ("run", "") => "me.run".to_owned(),
            ("session", "") => "me.ordinal".to_owned(),
            (name, _) if self.journey.vars.iter().any(|(known, _)| known == name) => {
                member("vars", name)
            }
            (name, _) => member("seen", name),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_become_expressions_and_all_else_is_text() {
        let journey = Journey {
            name: "shop".into(),
            vars: vec![("size".into(), json!(10))],
            steps: vec![Step {
                about: Some("first\u{2028}evil()".into()),
                method: "post".into(),
                path: "/a/${id}/b?size=${size}&x=1&x=2".into(),
                headers: vec![("authorization".into(), "Bearer ${config.key}".into())],
                body: Body::Json(
                    json!({"email": "${user.email}", "t": "`$${a}${b c}\\", "__proto__": {"n": [1]}}),
                ),
                expect: vec![200, 201],
                capture: vec![("id".into(), "/data/id".into())],
                ..Step::default()
            }],
        };
        let text = write(&journey, Language::JavaScript, "x\ny");
        for part in [
            "// Made by vespeiro import from x y.",
            "  // first evil()",
            "'/a/{id}/b', { id: seen.id }",
            "query: { size: vars.size, x: ['1', '2'] }",
            "authorization: `Bearer ${config.key}`",
            "email: me.user.email,",
            "t: \"`${a}${b c}\\\\\",",
            "['__proto__']: {",
            ".expect(200, 201)",
            "seen.id = at(reply, '/data/id');",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
