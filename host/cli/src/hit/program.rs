//! The list of requests that `vespeiro hit` plays: read from URLs, written in the form that the player `requests` takes.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::json;

use super::body::Body;
use crate::exit::Misuse;
use url::Url;
use vespeiro_behavior::MAX_PROGRAM;
use vespeiro_plan::bounded;

/// The methods of the contract.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Values that a printed command leaves out: they may be secret.
const SECRET: [&str; 6] = ["-H", "--header", "-u", "--user", "-d", "--data"];

/// A URL in the parts that matter here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Scheme, host and port.
    pub(super) base: String,
    /// Name and password.
    pub(super) user: Option<String>,
    /// Path and query, as they were written.
    path: String,
}

impl Address {
    /// Without a scheme it is `http`, as curl has it. The path is taken as it is: nothing is resolved or encoded.
    pub(super) fn read(text: &str) -> Result<Address, Misuse> {
        let bad = |why: &str| {
            Misuse(format!(
                "the URL {text:?} {why}: write it as http://localhost:8080/path"
            ))
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !["http", "https"].contains(&scheme) {
            return Err(bad("is neither http nor https"));
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        let base = format!("{scheme}://{host}");
        let parsed = Url::parse(&base).ok();
        if host.is_empty() || parsed.is_none_or(|url| url.path() != "/") {
            return Err(bad("names no host"));
        }
        let path = rest.split('#').next().unwrap_or_default();
        let odd = |byte: u8| byte <= b' ' || byte >= 0x7f;
        if path.bytes().any(odd) {
            return Err(bad(
                "has a space or another character that has to be percent-encoded",
            ));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Address {
            base,
            user,
            path: format!("{slash}{path}"),
        })
    }
}

/// A request of the list.
pub(super) struct Listed {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Listed {
    pub(super) fn new(
        method: &'static str,
        address: &Address,
        user: Option<&str>,
        body: Option<&Body>,
    ) -> Listed {
        let mut headers = Vec::new();
        if let Some(user) = user {
            let value = format!("Basic {}", BASE64_STANDARD.encode(user));
            headers.push(("authorization".to_owned(), value));
        }
        if let Some(content_type) = body.and_then(|body| body.content_type.clone()) {
            headers.push(("content-type".to_owned(), content_type));
        }
        Listed {
            method,
            path: address.path.clone(),
            headers,
            body: body.map(|body| body.bytes.clone()),
        }
    }

    /// Leave a header to the plan.
    pub(super) fn without(&mut self, header: &str) {
        let keeps = |(name, _): &(String, String)| !name.eq_ignore_ascii_case(header);
        self.headers.retain(keeps);
    }
}

/// The URLs of a file.
pub(super) fn urls(path: &Path) -> Result<Vec<String>, Misuse> {
    let text = bounded::read_text(path, MAX_PROGRAM as u64).map_err(|error| {
        Misuse(format!(
            "{}: the URLs cannot be read: {error}: check the path",
            path.display()
        ))
    })?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

/// A method that the contract has.
pub(super) fn method(name: &str) -> Result<&'static str, Misuse> {
    let mut known = METHODS.into_iter();
    known
        .find(|known| known.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            Misuse(format!(
                "-X {name:?} is no method that can be sent: use one of {}",
                METHODS.join(", ")
            ))
        })
}

/// A line of JSON, and behind it the bodies.
pub(super) fn write(requests: &[Listed]) -> Vec<u8> {
    let heads = requests.iter().map(|request| {
        json!({
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
            "body": request.body.as_ref().map(Vec::len),
        })
    });
    let mut program = json!({ "requests": heads.collect::<Vec<_>>() })
        .to_string()
        .into_bytes();
    program.push(b'\n');
    for request in requests {
        program.extend_from_slice(request.body.as_deref().unwrap_or_default());
    }
    program
}

/// The command line with the host allowed, for a shell. What may be secret is left out.
pub(super) fn command(arguments: impl Iterator<Item = String>, base: &Url) -> String {
    let mut words = vec!["vespeiro".to_owned()];
    let mut hidden = false;
    for argument in arguments {
        words.push(if std::mem::replace(&mut hidden, false) {
            "'…'".into()
        } else {
            hidden = SECRET.contains(&argument.as_str());
            shell(&argument)
        });
    }
    words.push(format!(
        "--allow-host {}",
        base.host_str().unwrap_or_default()
    ));
    words.join(" ")
}

fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_its_path_left_alone() {
        let read = |text: &str| {
            let address = Address::read(text).unwrap();
            (address.base, address.path)
        };
        for (text, base, path) in [
            ("localhost:80", "http://localhost:80", "/"),
            (
                "http://a.test/x/../y?z=%2e#f",
                "http://a.test",
                "/x/../y?z=%2e",
            ),
            ("https://[::1]:8443?q", "https://[::1]:8443", "/?q"),
            ("http://u:p@h/a", "http://h", "/a"),
        ] {
            assert_eq!(read(text), (base.to_owned(), path.to_owned()), "{text}");
        }
        for text in [
            "ftp://x/",
            "http:///x",
            "http://h/a b",
            "http://h/é",
            "",
            "http://h:99999/",
        ] {
            let refused = Address::read(text).unwrap_err().to_string();
            assert!(refused.contains("write it as"), "{refused}");
        }
    }

    #[test]
    fn the_printed_command_can_be_pasted_and_holds_no_secret() {
        let line = ["hit", "http://a.test/?x=1&y", "-H", "Authorization: s3cret"];
        let told = command(
            line.into_iter().map(str::to_owned),
            &Url::parse("http://a.test").unwrap(),
        );
        assert_eq!(
            told,
            "vespeiro hit 'http://a.test/?x=1&y' -H '…' --allow-host a.test"
        );
    }
}
