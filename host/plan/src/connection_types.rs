//! The forms of settings that say how the target is connected to: pinned addresses, headers, codings, proxies. Used by
//! `settings/connections.rs`.
//!
//! What must stay true: what is shown holds no value of a header and no credentials.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;

use url::Host;

use crate::errors::ValueError;
use crate::value_types::SettingKind;
use crate::value_types::{ValueType, path, switch, text};
use crate::{Codings, Headers, Proxy, Resolve, literal};

/// What credentials are shown as.
const HIDDEN: &str = "(hidden)";

/// Headers that no plan sets, and what does so.
const RESERVED: [(&str, &str); 11] = [
    ("host", "use --host-header"),
    ("user-agent", "use --user-agent"),
    ("x-vespeiro-run", "use --run-id"),
    ("content-length", OWN),
    ("transfer-encoding", OWN),
    ("connection", OWN),
    ("upgrade", OWN),
    ("te", OWN),
    ("trailer", OWN),
    ("keep-alive", OWN),
    ("proxy-connection", OWN),
];
const OWN: &str = "leave it out: it is about one message or connection";

/// `HOST:PORT:ADDR[,ADDR]`, several separated by `;`.
pub(super) fn pins() -> ValueType<Vec<Resolve>> {
    let one = |text: &str| {
        text.parse::<Resolve>().map_err(|error| {
            ValueError::new(error.to_string(), "write it as example.test:443:127.0.0.1")
        })
    };
    ValueType {
        kind: SettingKind::List,
        ..listed("HOST:PORT:ADDR[,ADDR]", one)
    }
}

/// Files, separated by `;`.
pub(super) fn trusted() -> ValueType<Vec<PathBuf>> {
    let ValueType { parse, show, .. } = path();
    let parse = move |text: &str| match text.trim() {
        "none" => Ok(Vec::new()),
        text => text.split(';').map(|part| parse(part.trim())).collect(),
    };
    let show = move |paths: &Vec<PathBuf>| match paths.is_empty() {
        true => "none".to_owned(),
        false => paths.iter().map(&show).collect::<Vec<_>>().join("; "),
    };
    ValueType {
        kind: SettingKind::List,
        ..ValueType::new("FILE", parse, show)
    }
}

/// `;` between what is shown as it is written; `none` for nothing.
fn listed<T: Display + 'static>(
    value_name: &'static str,
    one: impl Fn(&str) -> Result<T, ValueError> + 'static,
) -> ValueType<Vec<T>> {
    let parse = move |text: &str| match text.trim() {
        "none" => Ok(Vec::new()),
        text => text.split(';').map(|part| one(part.trim())).collect(),
    };
    let show = |all: &Vec<T>| match all.is_empty() {
        true => "none".to_owned(),
        false => all.iter().map(T::to_string).collect::<Vec<_>>().join("; "),
    };
    ValueType::new(value_name, parse, show)
}

/// Addresses, separated by commas; `none` for none.
pub(super) fn local_addresses() -> ValueType<Vec<IpAddr>> {
    let one = |text: &str| {
        literal(text).ok_or_else(|| {
            ValueError::new(
                format!("{text:?} is no IP address"),
                "write it as 127.0.0.2,127.0.0.3",
            )
        })
    };
    ValueType::new(
        "ADDR[,ADDR]",
        move |text| match text.trim() {
            "none" => Ok(Vec::new()),
            text => text.split(',').map(|part| one(part.trim())).collect(),
        },
        |all: &Vec<IpAddr>| match all.is_empty() {
            true => "none".to_owned(),
            false => all
                .iter()
                .map(IpAddr::to_string)
                .collect::<Vec<_>>()
                .join(","),
        },
    )
}

/// `Name: value`, one a line; `none` for none. Nobody may see them.
pub(super) fn header_lines() -> ValueType<Headers> {
    let parse = |text: &str| match text.trim() {
        "none" => Ok(Headers::default()),
        text => text
            .lines()
            .map(header)
            .collect::<Result<_, _>>()
            .map(Headers),
    };
    ValueType {
        kind: SettingKind::SecretList,
        ..ValueType::new("NAME: VALUE", parse, |_| HIDDEN.into())
    }
}

/// The text is not repeated: all of it may be the value.
fn header(line: &str) -> Result<(String, String), ValueError> {
    const EXAMPLE: &str = "write it as 'Name: value'";
    let Some((name, value)) = line.split_once(':') else {
        return Err(ValueError::new("a header without a colon", EXAMPLE));
    };
    let (name, value) = (name.trim(), value.trim());
    let in_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(in_token) {
        return Err(ValueError::new("a header whose name is none", EXAMPLE));
    }
    let lower = name.to_ascii_lowercase();
    if let Some((_, mend)) = RESERVED.iter().find(|(reserved, _)| *reserved == lower) {
        return Err(ValueError::new(
            format!("a plan cannot set the header {name}"),
            *mend,
        ));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        let problem = format!("the value of the header {name} has a control character");
        return Err(ValueError::new(problem, "give a value of one line"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A host and perhaps a port, as `Host` has them.
pub(super) fn host_header() -> ValueType<String> {
    let parse = |text: &str| {
        let plain = text.bytes().all(|b| b.is_ascii_graphic());
        if text.is_empty() || !plain || text.contains(['/', '@', '?', '#', '\\']) {
            return Err(ValueError::new(
                format!("{text:?} is no host"),
                "write it as example.test or example.test:8080",
            ));
        }
        Ok(text.to_owned())
    };
    ValueType::new("HOST", parse, String::clone)
}

/// A host's name or address, without a port.
pub(super) fn base_name() -> ValueType<String> {
    let parse = |text: &str| match Host::parse(text) {
        Ok(host) => Ok(host.to_string().trim_matches(['[', ']']).to_owned()),
        Err(_) if literal(text).is_some() => Ok(text.to_owned()),
        Err(_) => Err(ValueError::new(
            format!("{text:?} is no host's name"),
            "write it as example.test, without scheme and port",
        )),
    };
    ValueType::new("NAME", parse, String::clone)
}

/// A switch, or the codings by name.
pub(super) fn codings() -> ValueType<Codings> {
    let ValueType { parse, .. } = switch();
    let parse = move |text: &str| {
        if let Ok(on) = parse(text) {
            return Ok(Codings {
                gzip: on,
                ..Codings::default()
            });
        }
        let mut codings = Codings::default();
        for name in text.split(',') {
            match name.trim().to_ascii_lowercase().as_str() {
                "gzip" => codings.gzip = true,
                "br" => codings.br = true,
                "zstd" => codings.zstd = true,
                odd => {
                    return Err(ValueError::new(
                        format!("{odd:?} is no coding that is known here"),
                        "use gzip, br and zstd with commas, true (gzip) or false",
                    ));
                }
            }
        }
        Ok(codings)
    };
    let show = |codings: &Codings| match codings.names() {
        Some(names) => names.replace(", ", ","),
        None => "false".to_owned(),
    };
    ValueType {
        kind: SettingKind::Switch,
        ..ValueType::new("CODINGS", parse, show)
    }
}

/// A proxy. Shown without its credentials, and what is shown in their place is not taken back for them.
pub(super) fn proxy() -> ValueType<Proxy> {
    let parse = |text: &str| {
        let proxy = Proxy::parse(text).map_err(|error| {
            ValueError::new(
                error.to_string(),
                "write it as http://proxy.test:3128 or socks5://127.0.0.1:1080",
            )
        })?;
        match &proxy.credentials {
            Some((user, _)) if user == HIDDEN => Err(ValueError::new(
                "the proxy's credentials were left out when this was printed",
                "put USER:PASSWORD in their place",
            )),
            _ => Ok(proxy),
        }
    };
    let show = |proxy: &Proxy| {
        let shown = proxy.to_string();
        match proxy.credentials {
            Some(_) => shown.replacen("://", &format!("://{HIDDEN}:{HIDDEN}@"), 1),
            None => shown,
        }
    };
    ValueType::new("URL", parse, show)
}

/// An address that a Unix socket has, as base URL.
pub(super) fn unix_url(text: &str) -> Option<Result<url::Url, ValueError>> {
    let path = text.strip_prefix("unix:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let wrong = |problem: String| ValueError::new(problem, "write it as unix:/run/service.sock");
    let ValueType { parse, .. } = self::text("PATH");
    if !path.starts_with('/') || path.ends_with('/') || parse(path).is_err() {
        let problem = format!("{path:?} is no absolute path of a Unix socket");
        return Some(Err(wrong(problem)));
    }
    let mut url = match url::Url::parse("unix:/") {
        Ok(url) => url,
        Err(error) => return Some(Err(wrong(error.to_string()))),
    };
    url.set_path(&path.replace('%', "%25"));
    Some(Ok(url))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown<T: 'static>(form: ValueType<T>, text: &str) -> String {
        match (form.parse)(text) {
            Ok(value) => (form.show)(&value),
            Err(bad) => bad.to_string(),
        }
    }

    #[test]
    fn headers_are_lines_whose_values_never_show() {
        let form = header_lines();
        let read = (form.parse)("Cookie: a=b; c=d\nX-Empty:\nAccept-Language: pt:BR").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read.0,
            [
                pair("Cookie", "a=b; c=d"),
                pair("X-Empty", ""),
                pair("Accept-Language", "pt:BR")
            ]
        );
        assert_eq!((form.show)(&read), "(hidden)");
        for (text, why) in [
            ("hunter2", "without a colon"),
            (": hunter2", "whose name is none"),
            ("a b: hunter2", "whose name is none"),
            ("X: hunter2\u{7}", "the value of the header X"),
            ("Host: hunter2", "use --host-header"),
            ("user-agent: hunter2", "use --user-agent"),
            ("Transfer-Encoding: hunter2", "leave it out"),
        ] {
            let bad = (form.parse)(text).unwrap_err().to_string();
            assert!(bad.contains(why) && !bad.contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn codings_are_a_switch_or_named() {
        for (text, is) in [
            ("true", "gzip"),
            ("false", "false"),
            ("br,gzip", "gzip,br"),
            ("zstd", "zstd"),
        ] {
            assert_eq!(shown(codings(), text), is);
        }
        assert!(shown(codings(), "gzip,deflate").contains("\"deflate\" is no coding"));
    }

    #[test]
    fn a_proxy_is_shown_without_its_credentials_and_not_read_back_without_them() {
        assert_eq!(shown(proxy(), "http://a.test:3128"), "http://a.test:3128");
        let hidden = shown(proxy(), "socks5://joe:hunter2@a.test");
        assert_eq!(hidden, "socks5://(hidden):(hidden)@a.test:1080");
        assert!(shown(proxy(), &hidden).contains("were left out"));
        assert!(!shown(proxy(), "ftp://joe:hunter2@a.test").contains("hunter2"));
    }

    #[test]
    fn lists_are_read_back() {
        let text = "a.test:1:127.0.0.1,[::1]; b.test:2:10.0.0.1";
        assert_eq!(shown(pins(), text), text);
        assert_eq!(shown(pins(), "none"), "none");
        assert!(shown(pins(), "a.test").contains("HOST:PORT:ADDR"));
        assert_eq!(shown(trusted(), "a.pem; /b/c.pem"), "a.pem; /b/c.pem");
        assert_eq!(shown(local_addresses(), "127.0.0.2,::1"), "127.0.0.2,::1");
        assert!(shown(local_addresses(), "lo").contains("is no IP address"));
    }

    #[test]
    fn unix_sockets_have_absolute_paths() {
        for (text, is) in [
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("unix:///run/x.sock", "unix:/run/x.sock"),
        ] {
            assert_eq!(unix_url(text).unwrap().unwrap().as_str(), is);
        }
        for text in ["unix:", "unix:x.sock", "unix:/", "unix:/run/", "unix:/a\n"] {
            assert!(unix_url(text).unwrap().is_err(), "{text:?}");
        }
        assert!(unix_url("http://a.test").is_none());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = (pins().parse)(&text);
            let _ = (header_lines().parse)(&text);
            let _ = (codings().parse)(&text);
            let _ = (proxy().parse)(&text);
            let _ = (host_header().parse)(&text);
            let _ = (base_name().parse)(&text);
            let _ = unix_url(&format!("unix:/{text}"));
        }
    }
}
