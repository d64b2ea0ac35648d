//! Where an answer sends its request on to, and what goes along, as the Fetch standard has it (section 4.4, "HTTP-redirect
//! fetch"). `heads.rs` makes the next request of it.
//!
//! What must stay true: who the request is from does not go to another origin.

use http::Method;
use url::Url;

/// Why a request is not sent on. What the target has said of the way there may be secret, and is not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Astray {
    #[error(
        "the target redirects to {0}, which is outside of what the run plays against: --base-url and the [targets] of its plan"
    )]
    Elsewhere(String),
    #[error("the target redirects to something that is no URL over HTTP")]
    Unreadable,
    #[error("the target redirects once more after {0} times: --redirects allows no more")]
    TooOften(u32),
}

/// What an answer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    pub url: Url,
    pub method: Method,
    /// With it go the headers that describe it.
    pub keeps_body: bool,
    /// Scheme, host and port stay.
    pub is_same_origin: bool,
}

/// The statuses that send a request on, given that there is a `Location`.
pub fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Where an answer with such a status sends a request on to.
pub fn hop(from: &Url, method: &Method, status: u16, location: &str) -> Result<Hop, Astray> {
    let mut url = from.join(location).map_err(|_| Astray::Unreadable)?;
    if !["http", "https"].contains(&url.scheme())
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(Astray::Unreadable);
    }
    url.set_fragment(None);
    let becomes_get = match status {
        301 | 302 => *method == Method::POST,
        303 => ![Method::GET, Method::HEAD].contains(method),
        _ => false,
    };
    Ok(Hop {
        is_same_origin: url.origin() == from.origin(),
        url,
        method: if becomes_get {
            Method::GET
        } else {
            method.clone()
        },
        keeps_body: !becomes_get,
    })
}

/// Whether a header goes along.
pub fn goes_along(name: &str, hop: &Hop) -> bool {
    let is_one = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    (hop.keeps_body
        || !is_one(&[
            "content-encoding",
            "content-language",
            "content-location",
            "content-type",
        ]))
        && (hop.is_same_origin || !is_one(&["authorization", "cookie", "host"]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to(method: Method, status: u16, location: &str) -> Result<Hop, Astray> {
        hop(
            &Url::parse("http://a.test:81/x/y?z").unwrap(),
            &method,
            status,
            location,
        )
    }

    #[test]
    fn methods_and_bodies_as_browsers_treat_them() {
        for (status, method, becomes) in [
            (301, Method::POST, Method::GET),
            (302, Method::POST, Method::GET),
            (302, Method::PUT, Method::PUT),
            (302, Method::HEAD, Method::HEAD),
            (303, Method::PUT, Method::GET),
            (303, Method::DELETE, Method::GET),
            (303, Method::HEAD, Method::HEAD),
            (307, Method::POST, Method::POST),
            (308, Method::PATCH, Method::PATCH),
        ] {
            let hop = to(method.clone(), status, "/n").unwrap();
            let keeps = becomes == method;
            assert_eq!(
                (hop.method, hop.keeps_body),
                (becomes, keeps),
                "{status} {method}"
            );
        }
        for status in [200, 300, 304, 305, 306, 404] {
            assert!(!is_redirect(status));
        }
    }

    #[test]
    fn locations_lead_where_a_browser_goes() {
        for (location, url) in [
            ("/n?a=b#part", "http://a.test:81/n?a=b"),
            ("n", "http://a.test:81/x/n"),
            ("", "http://a.test:81/x/y?z"),
            ("?page=2", "http://a.test:81/x/y?page=2"),
            ("../../n", "http://a.test:81/n"),
            ("//b.test/n", "http://b.test/n"),
            ("https://a.test:81/n", "https://a.test:81/n"),
            ("/a b", "http://a.test:81/a%20b"),
            ("/\u{fc}", "http://a.test:81/%C3%BC"),
        ] {
            assert_eq!(
                to(Method::GET, 302, location).unwrap().url.as_str(),
                url,
                "{location}"
            );
        }
        for location in [
            "ftp://a.test/",
            "javascript:alert(1)",
            "http://",
            "http://me@a.test:81/",
            "http://:x@a.test:81/",
        ] {
            assert_eq!(
                to(Method::GET, 302, location),
                Err(Astray::Unreadable),
                "{location}"
            );
        }
    }

    #[test]
    fn who_it_is_from_stays_with_the_origin() {
        let along = |location: &str, status| {
            let hop = to(Method::POST, status, location).unwrap();
            let names = ["Authorization", "Cookie", "Host", "Content-Type", "X-Mine"];
            names
                .into_iter()
                .filter(|name| goes_along(name, &hop))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            along("/n", 307),
            ["Authorization", "Cookie", "Host", "Content-Type", "X-Mine"]
        );
        assert_eq!(
            along("/n", 302),
            ["Authorization", "Cookie", "Host", "X-Mine"]
        );
        assert_eq!(along("http://a.test:82/n", 307), ["Content-Type", "X-Mine"]);
        assert_eq!(along("https://a.test:81/n", 302), ["X-Mine"]);
    }

    proptest! {
        /// Whatever a target says.
        #[test]
        fn a_hop_is_http_and_keeps_no_secret_of_another_origin(location in "(https?:)?/{0,3}[ -~]{0,24}|\\PC{0,24}", status in 300..310u16, post: bool) {
            let method = if post { Method::POST } else { Method::GET };
            let Ok(hop) = to(method.clone(), status, &location) else { return Ok(()) };
            prop_assert!(hop.url.scheme().starts_with("http") && hop.url.fragment().is_none() && hop.url.host_str().is_some());
            let is_same = (hop.url.scheme(), hop.url.host_str(), hop.url.port()) == ("http", Some("a.test"), Some(81));
            prop_assert_eq!(goes_along("authorization", &hop), is_same);
            prop_assert!(hop.method == method || (hop.method == Method::GET && !hop.keeps_body));
        }
    }
}
