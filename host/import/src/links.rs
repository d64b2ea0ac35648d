//! Links of an OpenAPI document: where an answer says what another request is to be made with. Used by `openapi.rs`.

use serde_json::Value;

use crate::schema::Document;

/// A value of an answer's body that goes into a parameter of another operation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub(super) target: Target<'a>,
    /// Where the parameter is, if that is said: `path`, `query` or `header`.
    pub(super) place: Option<&'a str>,
    pub(super) parameter: &'a str,
    /// Where in the body, as a JSON pointer.
    pub(super) pointer: &'a str,
}

/// How a link names its operation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Id(&'a str),
    /// A path and a method of this document.
    Place(String, &'a str),
}

/// The links of an answer; those that say something else than a value of its body are left out.
pub(super) fn links<'a>(document: Document<'a>, answer: &'a Value) -> Vec<Link<'a>> {
    let all = answer.get("links").and_then(Value::as_object);
    let all = all.into_iter().flatten();
    let of = |link: &'a Value| {
        let link = document.resolve(link);
        let parameters = link.get("parameters").and_then(Value::as_object);
        let parameters = parameters.into_iter().flatten();
        parameters.filter_map(move |(name, value)| {
            let pointer = value.as_str()?.strip_prefix("$response.body#")?;
            // An answer as a whole is no value of a parameter.
            let pointer = Some(pointer).filter(|pointer| pointer.starts_with('/'))?;
            let (place, parameter) = match name.split_once('.') {
                Some((place @ ("path" | "query" | "header"), name)) => (Some(place), name),
                _ => (None, name.as_str()),
            };
            Some(Link {
                target: target(link)?,
                place,
                parameter,
                pointer,
            })
        })
    };
    all.flat_map(|(_, link)| of(link)).collect()
}

fn target(link: &Value) -> Option<Target<'_>> {
    if let Some(id) = link.get("operationId").and_then(Value::as_str) {
        return Some(Target::Id(id));
    }
    let reference = link.get("operationRef")?.as_str()?;
    let (path, method) = reference.strip_prefix("#/paths/")?.rsplit_once('/')?;
    Some(Target::Place(
        path.replace("~1", "/").replace("~0", "~"),
        method,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_answer_is_good_for_is_read() {
        let answer = json!({ "links": {
            "cancel": { "$ref": "#/components/links/cancel" },
            "again": { "operationRef": "#/paths/~1orders~1{id}/get", "parameters": { "path.id": "$response.body#/data/id" } },
            "elsewhere": { "operationRef": "other.yaml#/paths/~1x/get", "parameters": { "id": "$response.body#/id" } },
            "fixed": { "operationId": "fixed", "parameters": { "id": "7", "key": "$request.path.id" } },
        } });
        let root = json!({ "components": { "links": { "cancel": {
            "operationId": "cancelOrder", "parameters": { "orderId": "$response.body#/id" },
        } } } });
        let one = |target, place, parameter, pointer| Link {
            target,
            place,
            parameter,
            pointer,
        };
        assert_eq!(
            links(Document(&root), &answer),
            [
                one(
                    Target::Place("/orders/{id}".into(), "get"),
                    Some("path"),
                    "id",
                    "/data/id"
                ),
                one(Target::Id("cancelOrder"), None, "orderId", "/id"),
            ]
        );
    }
}
