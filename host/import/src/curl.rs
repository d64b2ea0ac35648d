//! A curl line, as a browser's tools copy it.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use url::Url;

use crate::ImportError;
use crate::journey::{Journey, Step, literal};
use crate::project::Project;
use crate::recorded::{body, is_ours_to_set};

/// Options that take a value and say nothing about the request itself.
const LEFT_OUT: [&str; 8] = [
    "-o",
    "--output",
    "-m",
    "--max-time",
    "--connect-timeout",
    "-x",
    "--proxy",
    "--retry",
];

pub(crate) fn read(text: &str) -> Result<Project, ImportError> {
    let words = words(text)
        .ok_or_else(|| ImportError::Curl("a quote of the curl line is not closed".into()))?;
    let mut step = Step::default();
    let (mut url, mut data, mut notes) = (None, Vec::new(), Vec::new());
    let mut follows = false;
    let mut given = words.into_iter().skip(1);
    while let Some(word) = given.next() {
        let (option, joined) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => {
                (option.to_owned(), Some(value.to_owned()))
            }
            _ => (word.clone(), None),
        };
        let mut value = || joined.clone().or_else(|| given.next()).unwrap_or_default();
        match option.as_str() {
            "-X" | "--request" => step.method = value().to_lowercase(),
            "-H" | "--header" => {
                let header = value();
                if let Some((name, text)) = header.split_once(':') {
                    step.headers
                        .push((name.trim().to_lowercase(), literal(text.trim())));
                }
            }
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-ascii"
            | "--data-urlencode" => data.push(value()),
            "--json" => {
                data.push(value());
                step.headers
                    .push(("content-type".into(), "application/json".into()));
            }
            "-u" | "--user" => {
                let login = BASE64_STANDARD.encode(value());
                step.headers
                    .push(("authorization".into(), format!("Basic {login}")));
            }
            "-b" | "--cookie" => step.headers.push(("cookie".into(), literal(&value()))),
            "-A" | "--user-agent" => step.headers.push(("user-agent".into(), literal(&value()))),
            "-e" | "--referer" => step.headers.push(("referer".into(), literal(&value()))),
            "--url" => url = Some(value()),
            "-I" | "--head" => step.method = "head".into(),
            "-L" | "--location" => follows = true,
            "-F" | "--form" => {
                let _ = value();
                notes.push("the multipart form (-F)".to_owned());
            }
            option if LEFT_OUT.contains(&option) => drop(value()),
            option if option.starts_with('-') && option.len() > 1 => {}
            _ => url = Some(word),
        }
    }
    let url = url.ok_or_else(|| ImportError::Curl("the curl line names no URL".into()))?;
    let url = if url.contains("://") {
        url
    } else {
        format!("http://{url}")
    };
    let url = Url::parse(&url)
        .map_err(|error| ImportError::Curl(format!("the URL of the curl line: {error}")))?;
    if step.method.is_empty() {
        step.method = if data.is_empty() { "get" } else { "post" }.into();
    }
    step.path = literal(&url[url::Position::BeforePath..url::Position::AfterQuery]);
    step.headers.retain(|(name, _)| is_ours_to_set(name));
    step.body = body(&data.join("&"), &mut step.headers);
    Ok(Project {
        base_url: Some(url[..url::Position::BeforePath].to_owned()),
        journeys: vec![Journey {
            name: "curl".into(),
            steps: vec![step],
            ..Journey::default()
        }],
        follows,
        notes,
        ..Project::default()
    })
}

/// Words as a POSIX shell takes them, and `$'…'` as browsers write it. `None`: a quote is open.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut is_word) = (Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some('\r') => drop(rest.next_if_eq(&'\n')),
                Some(next) => {
                    word.push(next);
                    is_word = true;
                }
            },
            '\'' | '"' => {
                is_word = true;
                loop {
                    match rest.next()? {
                        end if end == c => break,
                        '\\' if c == '"' => word.push(rest.next()?),
                        inner => word.push(inner),
                    }
                }
            }
            '$' if rest.peek() == Some(&'\'') => {
                rest.next();
                is_word = true;
                loop {
                    match rest.next()? {
                        '\'' => break,
                        '\\' => match rest.next()? {
                            'n' => word.push('\n'),
                            'r' => word.push('\r'),
                            't' => word.push('\t'),
                            'u' => {
                                let digits: String = rest.by_ref().take(4).collect();
                                word.extend(
                                    u32::from_str_radix(&digits, 16)
                                        .ok()
                                        .and_then(char::from_u32),
                                );
                            }
                            other => word.push(other),
                        },
                        inner => word.push(inner),
                    }
                }
            }
            c if c.is_whitespace() => {
                if std::mem::take(&mut is_word) {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => {
                word.push(c);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let line = "curl 'a b' \"c\\\"d\" e\\ f \\\n $'g\\'h\\n' ''";
        assert_eq!(
            words(line).unwrap(),
            ["curl", "a b", "c\"d", "e f", "g'h\n", ""]
        );
        assert_eq!(words("curl 'open"), None);
    }
}
