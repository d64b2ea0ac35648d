//! What a target tells a browser, line by line: `Set-Cookie`, and with the last line `Location`. Whatever it says, a jar is
//! bounded, nothing of it ends a line or goes to another host, and a redirect leads to the target or nowhere.
#![no_main]

use std::time::{Duration, SystemTime};

use http::Method;
use libfuzzer_sys::fuzz_target;
use vespeiro_http::codec::text_of;
use vespeiro_http::cookies::{Jar, MOST, MOST_BYTES, Site};
use vespeiro_fuzz::plan;
use vespeiro_http::{Answer, Heads, Reads};
use vespeiro_plan::Flags;

const BASE: &str = "http://shop.example.test/api";

thread_local! {
    static HEADS: Heads = {
        let mut flags = Flags::default();
        flags.set("base_url", BASE, "--base-url");
        let plan = plan(flags).expect("a plan").plan;
        Heads::unsent(&plan).expect("heads")
    };
}

fuzz_target!(|said: &[u8]| {
    // As the wire has them: without line breaks.
    let lines: Vec<String> = said.split(|byte| *byte == b'\n').map(text_of).collect();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let site = Site {
        https: false,
        host: "shop.example.test",
        path: "/api/x?y",
    };
    let mut jar = Jar::default();
    for line in &lines {
        jar.take(line, site, now);
    }
    let elsewhere = Site {
        host: "elsewhere.invalid",
        ..site
    };
    assert_eq!(jar.header(None, elsewhere, now), None);
    if let Some(header) = jar.header(Some("own=1"), site, now) {
        assert!(header.starts_with("own=1; ") && header.len() <= MOST_BYTES + 3 * (MOST + 3));
        assert!(!header.contains(|c: char| c.is_ascii_control() && c != '\t'));
    }

    let heads = HEADS.with(Heads::clone);
    let headers = vec![("cookie".to_owned(), "own=1".to_owned())];
    let call = heads.call(0, &Method::POST, "/x?y".into(), headers, Some(vec![1]));
    let mut call = call.expect("a request").reads(Reads {
        cookies: true,
        location: true,
    });
    call.merge_cookies(|own, site| jar.header(own, site, now));
    for status in [301, 303, 307] {
        let answer = Answer {
            status,
            location: lines.last().cloned(),
            set_cookies: lines.clone(),
            ..Answer::default()
        };
        if let Ok(next) = heads.follow(&call, &answer, 0, 1) {
            let next = next.expect("a redirect");
            assert!(next.path().starts_with('/'));
            let head = next.written_head();
            assert_eq!(head.matches("\r\n\r\n").count(), 1);
            assert!(head.contains(" /api/") && head.contains("host: shop.example.test\r\n"));
        }
        assert!(heads.follow(&call, &answer, 1, 1).is_err());
    }
    if let Some(link) = lines.first() {
        let linked = heads.call(0, &Method::GET, link.clone(), Vec::new(), None);
        assert!(linked.is_err() || link.starts_with('/') || link.to_ascii_lowercase().starts_with("http://shop.example.test/api/"));
    }
});
