//! What an operation asks for so that it knows who is calling: headers, cookies or parts of the query, with values that the plan's
//! author fills in.

use serde_json::Value;

use super::{Operation, Reader, add_query};
use crate::journey::{Step, identifier};

impl<'a> Reader<'a, '_> {
    pub(super) fn security(&mut self, one: &Operation<'a>, step: &mut Step) {
        let asked = one
            .operation
            .get("security")
            .or_else(|| self.document.0.get("security"));
        let asked = asked.and_then(Value::as_array).and_then(|all| all.first());
        for name in asked
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            let pointer = format!(
                "/components/securitySchemes/{}",
                name.replace('~', "~0").replace('/', "~1")
            );
            let Some(scheme) = self.document.0.pointer(&pointer) else {
                continue;
            };
            let scheme = self.document.resolve(scheme);
            let word = |key| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
            let key = identifier(name);
            let value = format!("${{config.{key}}}");
            let about = match (
                word("type"),
                word("scheme").to_ascii_lowercase().as_str(),
                word("in"),
            ) {
                ("apiKey", _, "query") => {
                    add_query(&mut step.path, word("name"), &value);
                    "the API key"
                }
                ("apiKey", _, "cookie") => {
                    step.headers
                        .push(("cookie".into(), format!("{}={value}", word("name"))));
                    "the cookie's value"
                }
                ("apiKey", ..) => {
                    step.headers.push((word("name").to_owned(), value));
                    "the API key"
                }
                ("http", "basic", _) => {
                    step.headers
                        .push(("authorization".into(), format!("Basic {value}")));
                    "name:password in base64"
                }
                _ => {
                    step.headers
                        .push(("authorization".into(), format!("Bearer {value}")));
                    "a token"
                }
            };
            if !self.project.config.iter().any(|(known, _)| *known == key) {
                self.project.config.push((key, about.to_owned()));
            }
        }
    }
}
