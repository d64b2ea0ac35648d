//! Journeys from what people have already: OpenAPI documents, browser recordings (HAR), Postman collections, curl lines. Text
//! in, files out, journeys as data or as scripts: this room reads and writes nothing itself. Called by `vespeiro import`.
//!
//! What must stay true: a document says what it is by its content, and whatever of it is not taken over is told.

mod correlate;
mod curl;
mod har;
mod javascript;
mod journey;
mod links;
mod openapi;
mod postman;
mod project;
mod recorded;
mod schema;
mod script;

use serde_json::Value;

pub use journey::{Body, Journey, Step};
pub use project::Project;
pub use script::Language;

/// A document that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error(
        "it is neither an OpenAPI 3 document, a HAR recording, a Postman collection nor a curl line"
    )]
    Unknown,
    #[error("it is neither JSON nor YAML: {0}")]
    Syntax(String),
    #[error(
        "it is of {0}: of its kind only OpenAPI 3.0 and 3.1 and Postman 2.0 and 2.1 are read; convert it first"
    )]
    Version(String),
    #[error("there is no request in it that could be played")]
    Empty,
    #[error("{0}")]
    Curl(String),
}

/// How to read a document.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Keep pictures, scripts and styles of a recording.
    pub keep_static: bool,
}

/// Reads a document.
///
/// # Errors
/// It is none of those that are known, or has nothing that could be played.
pub fn import(text: &str, options: ImportOptions) -> Result<Project, ImportError> {
    let project = if text.trim_start().starts_with("curl ") {
        curl::read(text)?
    } else {
        of_document(&parse(text)?, options)?
    };
    match project
        .journeys
        .iter()
        .all(|journey| journey.steps.is_empty())
    {
        true => Err(ImportError::Empty),
        false => Ok(project),
    }
}

fn parse(text: &str) -> Result<Value, ImportError> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.to_string();
        ImportError::Syntax(line.lines().next().unwrap_or_default().to_owned())
    })
}

fn of_document(document: &Value, options: ImportOptions) -> Result<Project, ImportError> {
    if let Some(version) = document.get("openapi").and_then(Value::as_str) {
        return match version.starts_with("3.") {
            true => Ok(openapi::read(document)),
            false => Err(ImportError::Version(format!("OpenAPI {version}"))),
        };
    }
    if let Some(version) = document.get("swagger") {
        return Err(ImportError::Version(format!("Swagger {version}")));
    }
    if document.pointer("/log/entries").is_some() {
        return Ok(har::read(document, options));
    }
    if document.get("info").is_some() && document.get("item").is_some_and(Value::is_array) {
        return Ok(postman::read(document));
    }
    if document.get("requests").is_some_and(Value::is_array) && document.get("order").is_some() {
        return Err(ImportError::Version("Postman 1".into()));
    }
    Err(ImportError::Unknown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHOP: &str = include_str!("../../../tests/e2e/documents/shop.openapi.yaml");
    const FOLDERS: &str = include_str!("../../../tests/e2e/documents/folders.postman.json");

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*", at in 0..SHOP.len(), word in "[a-z0-9:{}\\[\\]$#/\"-]{0,8}") {
            let options = ImportOptions::default();
            let _ = import(&text, options);
            let _ = import(&format!("curl {text}"), options);
            // A document with a piece of it overwritten.
            for document in [SHOP, FOLDERS] {
                let (before, after) = document.split_at(document.floor_char_boundary(at));
                let after = after.get(word.len()..).unwrap_or_default();
                if let Ok(project) = import(&format!("{before}{word}{after}"), options) {
                    for (_, language) in Language::ALL {
                        let files = project.files(language, "x", "http://x");
                        prop_assert!(files[0].1.contains("base_url"));
                        prop_assert!(files.iter().all(|(_, text)| !text.is_empty()));
                    }
                }
            }
        }
    }
}
