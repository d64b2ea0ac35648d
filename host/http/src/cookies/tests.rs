use proptest::prelude::*;

use super::*;
use std::time::Duration;

const SITE: Site<'_> = Site {
    https: false,
    host: "shop.example.test",
    path: "/a/b?q=/x",
};

/// Sun, 06 Nov 1994 08:49:37 GMT
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

fn jar(lines: &[&str]) -> Jar {
    let mut jar = Jar::default();
    for line in lines {
        assert!(jar.take(line, SITE, now()), "{line}");
    }
    jar
}

fn sent(jar: &mut Jar, host: &str, path: &str) -> Option<String> {
    jar.header(None, Site { host, path, ..SITE }, now())
}

#[test]
fn a_cookie_goes_back_where_it_came_from() {
    let mut jar = jar(&["sid=1; HttpOnly; SameSite=Lax", "lang = pt ; Path=/"]);
    assert_eq!(
        sent(&mut jar, "shop.example.test", "/a/c").unwrap(),
        "sid=1; lang=pt"
    );
    assert_eq!(
        sent(&mut jar, "shop.example.test", "/a").unwrap(),
        "sid=1; lang=pt"
    );
    assert_eq!(
        sent(&mut jar, "shop.example.test", "/ab").unwrap(),
        "lang=pt"
    );
    for other in [
        "example.test",
        "www.shop.example.test",
        "shop.example.test.evil.test",
    ] {
        assert_eq!(sent(&mut jar, other, "/a/c"), None, "{other}");
    }
}

#[test]
fn a_domain_is_the_hosts_own_or_one_above_it() {
    let mut above = jar(&["a=1; Domain=.Example.TEST; Path=/"]);
    for host in ["example.test", "shop.example.test", "x.y.example.test"] {
        assert_eq!(sent(&mut above, host, "/").unwrap(), "a=1", "{host}");
    }
    for host in ["badexample.test", "test", "10.0.0.1"] {
        assert_eq!(sent(&mut above, host, "/"), None, "{host}");
    }
    for refused in [
        "a=1; Domain=other.test",
        "a=1; Domain=test",
        "a=1; Domain=x.shop.example.test",
        "a=1; Domain=op.example.test",
    ] {
        assert!(jar(&[refused]).is_empty(), "{refused}");
    }
    assert!(!jar(&["a=1; Domain="]).is_empty());
    // An address has no hosts below it.
    let mut jar = Jar::default();
    let site = Site {
        host: "127.0.0.1",
        ..SITE
    };
    jar.take("a=1; Domain=127.0.0.1; Path=/", site, now());
    jar.take("b=1; Domain=0.0.1; Path=/", site, now());
    assert_eq!(sent(&mut jar, "127.0.0.1", "/").unwrap(), "a=1");
}

#[test]
fn secure_ones_stay_within_tls_and_this_machine() {
    for (host, https, goes) in [
        ("shop.test", false, false),
        ("shop.test", true, true),
        ("localhost", false, true),
        ("a.localhost", false, true),
        ("127.0.0.1", false, true),
        ("[::1]", false, true),
        ("10.0.0.1", false, false),
    ] {
        let site = Site {
            host,
            https,
            path: "/",
        };
        let mut jar = Jar::default();
        jar.take("a=1; Secure", site, now());
        assert_eq!(
            jar.header(None, site, now()).is_some(),
            goes,
            "{host} {https}"
        );
    }
}

#[test]
fn it_expires_by_the_clock_that_it_is_handed() {
    for (line, lives) in [
        ("a=1", true),
        ("a=1; Max-Age=0", false),
        ("a=1; Max-Age=-5", false),
        ("a=1; Max-Age=60", true),
        ("a=1; Max-Age=99999999999999999999", true),
        ("a=1; Expires=Sun, 06 Nov 1994 08:49:38 GMT", true),
        ("a=1; Expires=Sunday, 06-Nov-94 08:49:38 GMT", true),
        ("a=1; expires=Sun, 06-Nov-1994 08:49:38 GMT", true),
        ("a=1; Expires=Sun Nov  6 08:49:37 1994", false),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false),
        (
            "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60",
            true,
        ),
        ("a=1; Expires=soon", true),
    ] {
        assert_eq!(!jar(&[line]).is_empty(), lives, "{line}");
    }
    let mut jar = jar(&["a=1; Max-Age=60", "b=2"]);
    let later = |seconds| now() + Duration::from_secs(seconds);
    assert_eq!(jar.header(None, SITE, later(59)).unwrap(), "a=1; b=2");
    assert_eq!(jar.header(None, SITE, later(60)).unwrap(), "b=2");
}

#[test]
fn the_same_cookie_is_replaced_in_its_place_and_removed_by_an_end_in_the_past() {
    let mut jar = jar(&["a=1", "b=2", "a=3"]);
    assert_eq!(sent(&mut jar, SITE.host, SITE.path).unwrap(), "a=3; b=2");
    jar.take("a=; Max-Age=0", SITE, now());
    assert_eq!(sent(&mut jar, SITE.host, SITE.path).unwrap(), "b=2");
    // Of the same name, and another cookie.
    jar.take("b=4; Path=/", SITE, now());
    assert_eq!(sent(&mut jar, SITE.host, SITE.path).unwrap(), "b=2; b=4");
}

#[test]
fn what_the_sender_has_set_wins_name_by_name() {
    let mut jar = jar(&["sid=1", "lang=pt"]);
    let header = |jar: &mut Jar, own| jar.header(Some(own), SITE, now());
    assert_eq!(
        header(&mut jar, "seen=yes; sid=mine").unwrap(),
        "seen=yes; sid=mine; lang=pt"
    );
    assert_eq!(header(&mut jar, "lang=x;sid=y"), None);
    assert_eq!(header(&mut jar, " "), None);
}

#[test]
fn a_jar_is_bounded_and_says_so() {
    let mut jar = Jar::default();
    assert!(jar.take(&format!("a={}", "x".repeat(4096)), SITE, now()));
    assert!(jar.is_empty());
    for n in 0..MOST {
        assert!(jar.take(&format!("c{n}={n}"), SITE, now()));
    }
    assert!(!jar.take("one=more", SITE, now()));
    let header = sent(&mut jar, SITE.host, SITE.path).unwrap();
    assert_eq!(header.split("; ").count(), MOST);
    assert!(!header.contains("c0=0;") && header.ends_with("one=more"));
    let large = "x".repeat(4000);
    let fits = (0..9)
        .map(|n| jar.take(&format!("large{n}={large}"), SITE, now()))
        .collect::<Vec<_>>();
    assert!(fits.contains(&false));
    assert!(sent(&mut jar, SITE.host, SITE.path).unwrap().len() <= MOST_BYTES + 2 * MOST);
}

#[test]
fn a_value_is_never_shown() {
    let shown = format!("{:?}", jar(&["sid=s3cret"]));
    assert_eq!(shown, "Jar(1)");
}

proptest! {
    /// Whatever a target sends: bounds hold, what goes out is one line, and only where the cookie belongs.
    #[test]
    fn nothing_gets_out_of_bounds(
        lines in prop::collection::vec("(a|b|__Host-c|)=?[ -~\u{80}-\u{ff}]{0,12}(; ?(Domain=(\\.?test|example.test|other.test|)|Path=[/a]{0,3}|Max-Age=-?[0-9]{0,22}|Secure|Expires=[ -~]{0,30})){0,4}|\\PC{0,40}", 0..60),
        own in prop::option::of("[ -~]{0,20}"),
        path in "/[ab/?]{0,6}",
    ) {
        let mut jar = Jar::default();
        for line in &lines {
            jar.take(line, SITE, now());
        }
        prop_assert!(jar.0.len() <= MOST);
        prop_assert!(jar.0.iter().map(Cookie::bytes).sum::<usize>() <= MOST_BYTES);
        let elsewhere = Site { host: "elsewhere.invalid", ..SITE };
        prop_assert_eq!(jar.header(own.as_deref(), elsewhere, now()), None);
        let site = Site { path: &path, ..SITE };
        if let Some(header) = jar.header(own.as_deref(), site, now()) {
            prop_assert!(header.starts_with(trimmed(own.as_deref().unwrap_or_default())));
            prop_assert!(!header.contains(|c: char| c.is_ascii_control() && c != '\t'));
        }
    }
}
