//! The types of settings that are addresses on the network, and of the headers that are sent there. Used by the declarations
//! in `settings/`.
//!
//! What must stay true: no message repeats a password that a URL contains.

use std::fmt;
use std::net::SocketAddr;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::connection_types::unix_url;
use crate::errors::ValueError;
use crate::value_types::{SettingKind, ValueType};

/// Names and values of headers, which may hold a secret: never print them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// Where the target is: `http` or `https`, a host, and perhaps a port and a path prefix; or `unix:` and a path.
pub(crate) fn base_url() -> ValueType<Url> {
    let parse = |text: &str| unix_url(text).unwrap_or_else(|| parse_base_url(text));
    ValueType::new("URL", parse, |url: &Url| match url.scheme() {
        // As it was given: only URLs have it percent-encoded.
        "unix" => format!("unix:{}", socket_path(url)),
        _ => url.as_str().trim_end_matches('/').to_owned(),
    })
}

/// The path of a Unix socket, out of a base URL.
pub fn socket_path(url: &Url) -> String {
    percent_decode_str(url.path())
        .decode_utf8_lossy()
        .into_owned()
}

fn parse_base_url(text: &str) -> Result<Url, ValueError> {
    const EXAMPLE: &str = "write it as http://localhost:9501";
    if !text.contains("://") {
        return Err(ValueError::new(format!("{text:?} has no scheme"), EXAMPLE));
    }
    // The parser's message alone: the text may hold a password.
    let mut url = Url::parse(text)
        .map_err(|error| ValueError::new(format!("this is no URL ({error})"), EXAMPLE))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ValueError::new(
            format!("the scheme {:?} is not supported", url.scheme()),
            "use http or https",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ValueError::new(
            "the URL contains credentials",
            "leave them out; see admin_email and admin_password",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ValueError::new(
            "the URL contains a query or a fragment",
            "end it with the host, the port or a path prefix",
        ));
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&prefix);
    Ok(url)
}

/// Names or addresses of hosts, separated by commas; `none` for none.
pub(crate) fn hosts() -> ValueType<Vec<String>> {
    let host = |text: &str| {
        let bare = text.parse::<std::net::Ipv6Addr>();
        let parsed = bare.map_or_else(|_| Host::parse(text), |address| Ok(Host::Ipv6(address)));
        // The rules of international names turn some letters into a comma.
        let parsed = parsed.ok().map(|host| host.to_string());
        parsed.filter(|host| !host.contains(',')).ok_or_else(|| {
            ValueError::new(
                format!("{text:?} is no host"),
                "write it as staging.example.test, without scheme and port",
            )
        })
    };
    ValueType::new("HOST", move |text| host(text.trim()), String::clone).list(
        |text| text.split(',').collect(),
        ",",
        usize::MAX,
    )
}

/// Where metrics are pushed to. A URL without a path gets `path`; one whose path is one of `prefixes` gets it appended.
fn receiver(path: &'static str, prefixes: &'static [&'static str]) -> ValueType<Url> {
    let parse = move |text: &str| {
        let mut url = parse_base_url(text).map_err(|bad| ValueError {
            fix: if bad.problem.contains("credentials") {
                "leave them out; see push_headers".into()
            } else {
                bad.fix
            },
            ..bad
        })?;
        let given = url.path().trim_end_matches('/').to_owned();
        if given.is_empty() || prefixes.contains(&given.as_str()) {
            url.set_path(&format!("{given}{path}"));
        }
        Ok(url)
    };
    ValueType::new("URL", parse, |url| url.as_str().to_owned())
}

/// A receiver of Prometheus remote write.
pub(crate) fn remote_write() -> ValueType<Url> {
    receiver("/api/v1/write", &[])
}

/// A receiver of OTLP over HTTP.
pub(crate) fn otlp() -> ValueType<Url> {
    receiver("/v1/metrics", &["", "/api/v1/otlp", "/otlp"])
}

/// Reads a receiver of Prometheus remote write, for commands without a plan.
pub fn remote_write_url(text: &str) -> Result<Url, ValueError> {
    (remote_write().parse)(text)
}

/// Reads a receiver of OTLP over HTTP, for commands without a plan.
pub fn otlp_url(text: &str) -> Result<Url, ValueError> {
    (otlp().parse)(text)
}

/// Reads the headers of pushes, for commands without a plan.
pub fn push_headers(text: &str) -> Result<Headers, ValueError> {
    (headers().parse)(text)
}

/// Names and values of headers: `Authorization=Bearer x,X-Scope-OrgID=team`; `none` for none. They are never shown.
pub(crate) fn headers() -> ValueType<Headers> {
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
                ValueError::new(
                    "the headers are not names and values",
                    "write them as Name=value, joined by commas",
                )
            })
        }
    };
    ValueType::new("HEADERS", parse, |_| "(hidden)".into()).of_kind(SettingKind::Secret)
}

/// Address and port to listen on.
pub(crate) fn socket_address() -> ValueType<SocketAddr> {
    let parse = |text: &str| {
        text.parse().map_err(|_| {
            ValueError::new(
                format!("{text:?} is no address with a port"),
                "write it as 127.0.0.1:9090",
            )
        })
    };
    ValueType::new("ADDR", parse, SocketAddr::to_string)
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
                remote_write(),
                "https://a.test",
                "https://a.test/api/v1/write",
            ),
            (
                remote_write(),
                "http://a.test/api/v1/push",
                "http://a.test/api/v1/push",
            ),
        ] {
            let url = (form.parse)(text).unwrap();
            assert_eq!((form.show)(&url), shown);
            assert_eq!((form.parse)(shown).unwrap(), url);
        }
        let bad = (otlp().parse)("http://me:hunter2@a.test").unwrap_err();
        assert!(bad.fix.contains("push_headers") && !bad.to_string().contains("hunter2"));
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
        for text in ["", "a,,b", "http://a", "a:80", "a/b", "a b", "\u{1f101}"] {
            assert!((form.parse)(text).is_err(), "{text:?}");
        }
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
            let _ = (socket_address().parse)(&text);
            if let Ok(list) = (hosts().parse)(&text) {
                prop_assert_eq!((hosts().parse)(&(hosts().show)(&list)), Ok(list));
            }
        }
    }
}
