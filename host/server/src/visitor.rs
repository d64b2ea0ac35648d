//! Who asks: whether a request comes from a page of another site, or under a name that somebody made point at this machine.
//! Used by every router of this room.
//!
//! What must stay true: without a secret, no page in a browser gets an answer that is not for it.

use axum::http::{HeaderMap, HeaderValue, header};

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers
        .get(name)
        .and_then(|value: &HeaderValue| value.to_str().ok())
}

/// Whether the `Host` is localhost or an IP address, which no DNS server can redirect.
pub(super) fn is_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, header::HOST) else {
        return false;
    };
    let url = url::Url::parse(&format!("http://{host}/"));
    match url.as_ref().ok().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(_) => true,
        None => false,
    }
}

/// Whether the `Origin`, if there is one, is this server.
pub(super) fn is_own_page(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let origin = text(headers, header::ORIGIN).and_then(|origin| origin.split_once("://"));
    match (origin, text(headers, header::HOST)) {
        // A proxy in front may add TLS.
        (Some(("http" | "https", origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let given = given.iter().cloned();
        given
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_name_that_somebody_made_point_here_is_no_address() {
        for host in [
            "127.0.0.1:7071",
            "localhost:7071",
            "localhost",
            "[::1]:7071",
        ] {
            assert!(is_this_machine(&headers(&[(header::HOST, host)])), "{host}");
        }
        for host in [
            "evil.test:7071",
            "localhost.evil.test",
            "",
            "a b",
            "127.0.0.1.evil.test",
        ] {
            assert!(
                !is_this_machine(&headers(&[(header::HOST, host)])),
                "{host}"
            );
        }
        assert!(!is_this_machine(&HeaderMap::new()));
    }

    #[test]
    fn a_page_of_another_site_has_another_origin() {
        let host = (header::HOST, "127.0.0.1:7071");
        assert!(is_own_page(&headers(std::slice::from_ref(&host))));
        for (origin, own) in [
            ("http://127.0.0.1:7071", true),
            ("https://127.0.0.1:7071", true),
            ("http://127.0.0.1:7072", false),
            ("http://evil.test", false),
            ("null", false),
        ] {
            let both = headers(&[host.clone(), (header::ORIGIN, origin)]);
            assert_eq!(is_own_page(&both), own, "{origin}");
        }
    }
}
