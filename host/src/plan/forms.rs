//! The forms a setting's value can take: how its text is read, and how the value is shown again. Used by the
//! declarations in `settings.rs`. What a form shows, it reads back as the same value, so a printed plan can be replayed.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};

use super::Headers;
use super::errors::Bad;
use super::layers::Kind;
use super::units::{Bare, parse_duration, parse_size, show_duration, show_size};

type Parse<T> = dyn Fn(&str) -> Result<T, Bad>;

/// How the text of one setting becomes a value, and back.
pub(super) struct Form<T> {
    /// Stands for the value in help texts.
    pub(super) value_name: &'static str,
    pub(super) kind: Kind,
    pub(super) parse: Box<Parse<T>>,
    pub(super) show: Box<dyn Fn(&T) -> String>,
}

impl<T: 'static> Form<T> {
    pub(super) fn new(
        value_name: &'static str,
        parse: impl Fn(&str) -> Result<T, Bad> + 'static,
        show: impl Fn(&T) -> String + 'static,
    ) -> Form<T> {
        Form {
            value_name,
            kind: Kind::Value,
            parse: Box::new(parse),
            show: Box::new(show),
        }
    }

    /// The same, but `none` stands for no value.
    pub(super) fn or_none(self) -> Form<Option<T>> {
        self.or_word("none")
    }

    /// The same, but this word stands for no value.
    pub(super) fn or_word(self, word: &'static str) -> Form<Option<T>> {
        let Form {
            value_name,
            kind,
            parse,
            show,
        } = self;
        let form = Form::new(
            value_name,
            move |text| {
                if text == word {
                    Ok(None)
                } else {
                    parse(text).map(Some)
                }
            },
            move |value| value.as_ref().map_or_else(|| word.to_owned(), &show),
        );
        Form { kind, ..form }
    }
}

/// A whole number within bounds.
pub(super) fn count<T>(range: RangeInclusive<T>) -> Form<T>
where
    T: TryFrom<u128> + PartialOrd + Display + Copy + 'static,
{
    Form::new(
        "N",
        move |text| {
            let bounds = format!("give {} to {}", range.start(), range.end());
            if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
                return Err(Bad::new(format!("{text:?} is no whole number"), bounds));
            }
            let number = text
                .parse::<u128>()
                .ok()
                .and_then(|number| T::try_from(number).ok());
            number
                .filter(|number| range.contains(number))
                .ok_or_else(|| Bad::new(format!("{text} is out of range"), bounds))
        },
        T::to_string,
    )
}

/// A duration within bounds.
pub(super) fn duration(bare: Bare, range: RangeInclusive<Duration>) -> Form<Duration> {
    Form::new(
        "TIME",
        move |text| {
            let duration = parse_duration(text, bare)?;
            if range.contains(&duration) {
                return Ok(duration);
            }
            let (start, end) = (show_duration(*range.start()), show_duration(*range.end()));
            Err(Bad::new(
                format!("{} is out of range", show_duration(duration)),
                format!("give {start} to {end}"),
            ))
        },
        |duration| show_duration(*duration),
    )
}

/// A number of bytes within bounds.
pub(super) fn size(range: RangeInclusive<usize>) -> Form<usize> {
    Form::new(
        "SIZE",
        move |text| {
            let bytes = parse_size(text)?;
            usize::try_from(bytes)
                .ok()
                .filter(|bytes| range.contains(bytes))
                .ok_or_else(|| {
                    let (start, end) = (
                        show_size(*range.start() as u64),
                        show_size(*range.end() as u64),
                    );
                    Bad::new(
                        format!("{} is out of range", show_size(bytes)),
                        format!("give {start} to {end}"),
                    )
                })
        },
        |bytes| show_size(*bytes as u64),
    )
}

/// On or off: a flag that needs no value.
pub(super) fn switch() -> Form<bool> {
    let form = Form::new(
        "BOOL",
        |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(Bad::new(
                format!("{text:?} is neither true nor false"),
                "use true or false",
            )),
        },
        bool::to_string,
    );
    Form {
        kind: Kind::Switch,
        ..form
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy + PartialEq + 'static>(
    value_name: &'static str,
    choices: &'static [(&'static str, T)],
) -> Form<T> {
    let words = || {
        choices
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Form::new(
        value_name,
        move |text| {
            choices
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(text))
                .map(|(_, value)| *value)
                .ok_or_else(|| {
                    Bad::new(
                        format!("{text:?} is not among the choices"),
                        format!("use one of {}", words()),
                    )
                })
        },
        // Every value of a choice is in its table.
        move |value| {
            choices
                .iter()
                .find(|(_, v)| v == value)
                .map_or_else(String::new, |(word, _)| (*word).to_owned())
        },
    )
}

/// Any text on one line, but not an empty one.
pub(super) fn text(value_name: &'static str) -> Form<String> {
    let parse = |text: &str| {
        if text.trim().is_empty() || text.contains(char::is_control) {
            return Err(Bad::new(
                "the text is empty or holds control characters",
                "give a text of one line",
            ));
        }
        Ok(text.to_owned())
    };
    Form::new(value_name, parse, String::clone)
}

/// A text that nobody may see again.
pub(super) fn secret() -> Form<String> {
    Form {
        kind: Kind::Secret,
        ..text("SECRET")
    }
}

/// 8 lower-case letters and digits.
pub(super) fn run_id() -> Form<String> {
    let parse = |text: &str| {
        if text.len() == 8
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        {
            Ok(text.to_owned())
        } else {
            Err(Bad::new(
                format!("{text:?} is no run id"),
                "give 8 lower-case letters and digits, or leave it out",
            ))
        }
    };
    Form::new("ID", parse, String::clone)
}

/// Address and port to listen on.
pub(super) fn socket_address() -> Form<SocketAddr> {
    let parse = |text: &str| {
        text.parse().map_err(|_| {
            Bad::new(
                format!("{text:?} is no address with a port"),
                "write it as 127.0.0.1:9090",
            )
        })
    };
    Form::new("ADDR", parse, SocketAddr::to_string)
}

/// A file's path, as the process sees it.
pub(super) fn path() -> Form<PathBuf> {
    let Form { parse, .. } = text("FILE");
    Form::new(
        "FILE",
        move |text| parse(text).map(PathBuf::from),
        |path| path.display().to_string(),
    )
}

/// The path of a file whose ending tells its form; `none` for none.
pub(super) fn timeseries() -> Form<Option<PathBuf>> {
    let Form { parse, show, .. } = path();
    let parse = move |text: &str| {
        let path = parse(text)?;
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv" | "jsonl") => Ok(path),
            _ => Err(Bad::new(
                format!("the ending of {text:?} tells no form"),
                "name a file that ends in .csv or .jsonl",
            )),
        }
    };
    Form::new("FILE", parse, show).or_none()
}

/// Names or addresses of hosts, separated by commas; `none` for none.
pub(super) fn hosts() -> Form<Vec<String>> {
    let host = |text: &str| {
        let bare = text.parse::<std::net::Ipv6Addr>();
        let parsed = bare.map_or_else(|_| Host::parse(text), |address| Ok(Host::Ipv6(address)));
        parsed.map(|host| host.to_string()).map_err(|_| {
            Bad::new(
                format!("{text:?} is no host"),
                "write it as staging.example.test, without scheme and port",
            )
        })
    };
    Form::new(
        "HOST",
        move |text| match text.trim() {
            "none" => Ok(Vec::new()),
            text => text.split(',').map(|part| host(part.trim())).collect(),
        },
        |hosts| match hosts.is_empty() {
            true => "none".to_owned(),
            false => hosts.join(","),
        },
    )
}

/// Where metrics are pushed to. `path` stands for one that is left out, and goes after one of the `prefixes`.
pub(super) fn receiver(path: &'static str, prefixes: &'static [&'static str]) -> Form<Url> {
    let parse = move |text: &str| {
        let mut url = parse_base_url(text).map_err(|bad| Bad {
            mend: if bad.problem.contains("credentials") {
                "leave them out; see push_headers".into()
            } else {
                bad.mend
            },
            ..bad
        })?;
        let given = url.path().trim_end_matches('/').to_owned();
        if given.is_empty() || prefixes.contains(&given.as_str()) {
            url.set_path(&format!("{given}{path}"));
        }
        Ok(url)
    };
    Form::new("URL", parse, |url| url.as_str().to_owned())
}

/// Names and values of headers: `Authorization=Bearer x,X-Scope-OrgID=team`; `none` for none. Nobody may see them.
pub(super) fn headers() -> Form<Headers> {
    let one = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let right = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && value.bytes().all(|b| (b' '..=b'~').contains(&b));
        right.then(|| (name.to_owned(), value.to_owned()))
    };
    let parse = move |text: &str| match text.trim() {
        "none" => Ok(Headers::default()),
        text => {
            let all: Option<Vec<_>> = text.split(',').map(one).collect();
            all.map(Headers).ok_or_else(|| {
                Bad::new(
                    "the headers are not names and values",
                    "write them as Name=value, joined by commas",
                )
            })
        }
    };
    Form {
        kind: Kind::Secret,
        ..Form::new("HEADERS", parse, |_| "(hidden)".into())
    }
}

/// Where the target is: `http` or `https`, a host, and perhaps a port and a path prefix.
pub(super) fn base_url() -> Form<Url> {
    Form::new("URL", parse_base_url, |url| {
        url.as_str().trim_end_matches('/').to_owned()
    })
}

fn parse_base_url(text: &str) -> Result<Url, Bad> {
    const EXAMPLE: &str = "write it as http://localhost:9501";
    if !text.contains("://") {
        return Err(Bad::new(format!("{text:?} has no scheme"), EXAMPLE));
    }
    // The parser's word alone: the text may hold a password.
    let mut url =
        Url::parse(text).map_err(|error| Bad::new(format!("this is no URL ({error})"), EXAMPLE))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Bad::new(
            format!("the scheme {:?} is not spoken here", url.scheme()),
            "use http or https",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Bad::new(
            "a URL with credentials",
            "leave them out; see admin_email and admin_password",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Bad::new(
            "a URL with a query or fragment",
            "end it with the host, the port or a path prefix",
        ));
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&prefix);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base_urls_are_normalized() {
        for (text, shown) in [
            ("http://localhost:9501", "http://localhost:9501"),
            ("http://localhost:9501/", "http://localhost:9501"),
            ("HTTPS://Example.test/api/", "https://example.test/api"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            let form = base_url();
            let url = (form.parse)(text).unwrap();
            assert_eq!((form.show)(&url), shown);
        }
    }

    #[test]
    fn base_urls_that_cannot_be_a_target() {
        for (text, problem) in [
            ("localhost:9501", "has no scheme"),
            ("", "has no scheme"),
            ("ftp://localhost", "\"ftp\""),
            ("http://", "no URL"),
            ("http://localhost:99999", "no URL"),
            ("http://me:hunter2@localhost", "credentials"),
            ("http://localhost/?a=1", "query"),
        ] {
            let bad = parse_base_url(text).unwrap_err();
            assert!(bad.problem.contains(problem), "{text}: {bad}");
            assert!(!bad.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn receivers_know_the_usual_paths() {
        let otlp = || receiver("/v1/metrics", &["", "/api/v1/otlp", "/otlp"]);
        for (form, text, shown) in [
            (
                otlp(),
                "http://a.test:4318",
                "http://a.test:4318/v1/metrics",
            ),
            (
                otlp(),
                "http://a.test/api/v1/otlp/",
                "http://a.test/api/v1/otlp/v1/metrics",
            ),
            (otlp(), "http://a.test/mine", "http://a.test/mine"),
            (
                receiver("/api/v1/write", &[]),
                "https://a.test",
                "https://a.test/api/v1/write",
            ),
            (
                receiver("/api/v1/write", &[]),
                "http://a.test/api/v1/push",
                "http://a.test/api/v1/push",
            ),
        ] {
            let url = (form.parse)(text).unwrap();
            assert_eq!((form.show)(&url), shown);
            assert_eq!((form.parse)(shown).unwrap(), url);
        }
        let bad = (otlp().parse)("http://me:hunter2@a.test").unwrap_err();
        assert!(bad.mend.contains("push_headers") && !bad.to_string().contains("hunter2"));
    }

    #[test]
    fn headers_are_read_and_never_shown() {
        let form = headers();
        let read = (form.parse)("Authorization=Bearer a=b, X-Scope-OrgID=team").unwrap();
        assert_eq!(read.0[0], ("Authorization".into(), "Bearer a=b".into()));
        assert_eq!(read.0[1], ("X-Scope-OrgID".into(), "team".into()));
        assert!(!format!("{read:?}").contains("Bearer") && !(form.show)(&read).contains("Bearer"));
        for text in ["", "a", "=b", "a b=c", "a=b,,c=d", "a=\u{7}"] {
            assert!((form.parse)(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn hosts_are_written_as_urls_have_them() {
        let form = hosts();
        for (text, shown) in [
            ("none", "none"),
            ("Example.Test, 10.0.0.1", "example.test,10.0.0.1"),
            ("::1,[2001:DB8::1]", "[::1],[2001:db8::1]"),
        ] {
            assert_eq!(
                (form.parse)(text).map(|hosts| (form.show)(&hosts)),
                Ok(shown.into())
            );
        }
        for text in ["", "a,,b", "http://a", "a:80", "a/b", "a b"] {
            assert!((form.parse)(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn numbers_name_their_bounds() {
        let form = count::<u32>(1..=u32::MAX);
        assert_eq!((form.parse)("7"), Ok(7));
        for text in [
            "0",
            "-1",
            "1.5",
            "",
            "abc",
            "4294967296",
            "340282366920938463463374607431768211456",
        ] {
            assert_eq!(
                (form.parse)(text).unwrap_err().mend,
                "give 1 to 4294967295",
                "{text}"
            );
        }
    }

    #[test]
    fn none_is_a_value_where_a_setting_may_be_absent() {
        let form = duration(
            Bare::Seconds,
            Duration::from_secs(1)..=Duration::from_secs(9),
        )
        .or_none();
        assert_eq!((form.parse)("none"), Ok(None));
        assert_eq!((form.show)(&None), "none");
        assert_eq!((form.parse)("2"), Ok(Some(Duration::from_secs(2))));
        assert!((form.parse)("10").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_shown_reads_back(text in "\\PC*") {
            let form = base_url();
            for candidate in [text.clone(), format!("http://{text}")] {
                if let Ok(url) = (form.parse)(&candidate) {
                    prop_assert_eq!((form.parse)(&(form.show)(&url)), Ok(url));
                }
            }
            let _ = (count::<u32>(1..=9).parse)(&text);
            let _ = (socket_address().parse)(&text);
            let _ = (run_id().parse)(&text);
            if let Ok(list) = (hosts().parse)(&text) {
                prop_assert_eq!((hosts().parse)(&(hosts().show)(&list)), Ok(list));
            }
        }
    }
}
