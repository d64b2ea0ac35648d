//! Keeps one user's replies of a real run in a file that a rehearsal takes back. Opened by the command that runs, written
//! by the worker that the user plays on.
//!
//! What must stay true: it is bounded, and no password or token gets into it.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::replies::Line;
use super::secrets::{WITHHELD, is_secret, veil_body, veil_path};
use vespeiro_behavior::types::{Outcome, Request};
use vespeiro_plan::Secrets;

/// Most lines of a tape.
const MAX_LINES: usize = 10_000;
/// Largest tape, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// The file, as long as there is room in it.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    secrets: Secrets,
    file: Option<File>,
    lines: usize,
    bytes: usize,
}

/// What of a request stays known until it is answered.
#[derive(Debug)]
pub struct Asked {
    method: &'static str,
    path: String,
    route: String,
}

impl Asked {
    /// Of a request to a route of this template.
    pub fn of(request: &Request, route: &str) -> Self {
        Self {
            method: request.method.as_str(),
            path: veil_path(&request.path),
            route: route.to_owned(),
        }
    }
}

impl Tape {
    /// Begin an empty one, without these secrets.
    pub fn create(path: &Path, secrets: &Secrets) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            secrets: secrets.clone(),
            file: Some(File::create(path)?),
            lines: 0,
            bytes: 0,
        })
    }

    /// Keep the outcomes of requests, in their order.
    pub fn keep(&mut self, asked: Vec<Asked>, outcomes: &[Outcome]) {
        for (asked, outcome) in asked.into_iter().zip(outcomes) {
            self.keep_one(asked, outcome);
        }
    }

    fn keep_one(&mut self, asked: Asked, outcome: &Outcome) {
        let Some(file) = &mut self.file else { return };
        let mut text = line(asked, outcome);
        self.secrets.veil_in(&mut text);
        text.push('\n');
        let path = self.path.display();
        if self.lines == MAX_LINES || self.bytes + text.len() > MAX_BYTES {
            tracing::warn!(
                "{path}: full after {} replies: the rest is not recorded",
                self.lines
            );
            self.file = None;
            return;
        }
        // Straight to the file: what a run that is killed has recorded is what its author wants to see.
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::warn!("{path}: cannot be written, the rest is not recorded: {error}");
            self.file = None;
            return;
        }
        self.lines += 1;
        self.bytes += text.len();
    }
}

fn line(asked: Asked, outcome: &Outcome) -> String {
    let mut line = Line {
        method: asked.method.to_owned(),
        route: Some(asked.route),
        path: Some(asked.path),
        ..Line::default()
    };
    match outcome {
        Outcome::Failed(failure) => line.failed = Some(failure.as_str().to_owned()),
        Outcome::Response(response) => {
            line.grpc = response.grpc.as_ref().map(|grpc| grpc.code);
            line.status = line.grpc.is_none().then_some(response.status);
            let headers = response.headers.iter().map(|(name, value)| {
                let value = if is_secret(name) { WITHHELD } else { value };
                (name.clone(), value.to_owned())
            });
            line.headers = headers.collect();
            line.body = (!response.body.is_empty()).then(|| veil_body(&response.body));
        }
        // Of requests alone.
        Outcome::Opened(_) | Outcome::Received(_) | Outcome::Done => {}
    }
    serde_json::to_string(&line).unwrap_or_default()
}
