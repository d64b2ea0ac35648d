//! What a behavior or a plan may ask for: paths and headers, judged before anything is written.
//!
//! What must stay true: nothing that passes can end a line, frame the message or lead to another target.

use http::uri::Authority;

/// Headers that belong to the host: they frame the message, are about one connection, or mark what the run sends.
const RESERVED: [&str; 9] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
    "x-vespeiro-run",
];
/// The lengths of their names, as bits.
const RESERVED_LENGTHS: u64 = {
    let (mut lengths, mut at) = (0, 0);
    while at < RESERVED.len() {
        lengths |= length_bit(RESERVED[at].len());
        at += 1;
    }
    lengths
};
/// Longest path and query, in bytes.
const MAX_PATH: usize = 8192;

/// What is not sent because somebody asked for something that they may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the path {0:?} must start with '/', or be a URL below the target's")]
    NotAPath(String),
    #[error(
        "the URL {url:?} lies outside of {base}, which the run plays against: declare [targets.NAME] with its base_url in the plan, or leave it out"
    )]
    Elsewhere { url: String, base: String },
    #[error(
        "the path {0:?} has a space, a control character or a byte beyond ASCII: percent-encode it"
    )]
    Unencoded(String),
    #[error("the path {path:?} has a {byte:?}, which no URL may have: percent-encode it")]
    NotInUrls { path: String, byte: char },
    #[error("a path of {0} bytes is over the {MAX_PATH} that are allowed")]
    TooLong(usize),
    #[error(
        "the path {path:?} would leave {prefix:?}, which the base URL ends with: drop a '..', or use a base URL without it"
    )]
    Leaves { path: String, prefix: String },
    #[error("the header {0:?} is not a valid name and value")]
    Header(String),
    #[error("the header {0:?} is the host's to set")]
    Reserved(String),
    #[error("a message of {0} bytes is more than a frame of gRPC has room for")]
    Message(usize),
    #[error("the header Host is to be one name, perhaps with a port, and not {0:?}")]
    Host(String),
}

/// Check all headers of a request that a behavior asks for.
pub fn check_headers(headers: &[(String, String)]) -> Result<(), Refused> {
    let mut hosts = 0;
    for (name, value) in headers {
        check_header(name, value)?;
        if name.len() == 4 && name.eq_ignore_ascii_case("host") {
            hosts += 1;
            // It is the authority over HTTP/2, which has no credentials.
            let names_one = value.parse::<Authority>().is_ok() && !value.contains('@');
            if hosts > 1 || !names_one {
                return Err(Refused::Host(shorten(value)));
            }
        }
    }
    Ok(())
}

/// Check a header that a behavior or a plan asks for.
pub fn check_header(name: &str, value: &str) -> Result<(), Refused> {
    check_field(name, value)?;
    // Lengths differ mostly, which is quicker to see than names.
    if RESERVED_LENGTHS & length_bit(name.len()) == 0 {
        return Ok(());
    }
    let is = |reserved: &&str| name.eq_ignore_ascii_case(reserved);
    match RESERVED.iter().find(|reserved| is(reserved)) {
        Some(reserved) => Err(Refused::Reserved((*reserved).to_owned())),
        None => Ok(()),
    }
}

pub(super) fn check_field(name: &str, value: &str) -> Result<(), Refused> {
    let named = !name.is_empty()
        && name
            .bytes()
            .fold(true, |all, byte| all & TOKEN[usize::from(byte)]);
    // A byte beyond ASCII is part of a character that is written as one byte beyond ASCII, or as it stands.
    let wrong = |byte: u8| ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f);
    let valued = !value.bytes().fold(false, |any, byte| any | wrong(byte));
    if named && valued {
        Ok(())
    } else {
        Err(Refused::Header(shorten(name)))
    }
}

/// What names of headers are made of (RFC 9110, section 5.6.2).
const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        token[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < MARKS.len() {
        token[MARKS[at] as usize] = true;
        at += 1;
    }
    token
};
const MARKS: &[u8] = b"!#$%&'*+-.^_`|~";

pub(super) fn check_path(path: &str) -> Result<(), Refused> {
    if path.len() > MAX_PATH {
        return Err(Refused::TooLong(path.len()));
    }
    if !path.starts_with('/') {
        return Err(Refused::NotAPath(shorten(path)));
    }
    // Without a branch for each byte: nearly all paths are fine.
    let is_plain = |byte: u8| PLAIN[usize::from(byte)];
    if path.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return Ok(());
    }
    for byte in path.bytes() {
        if REFUSED.contains(&byte) {
            return Err(Refused::NotInUrls {
                path: shorten(path),
                byte: byte.into(),
            });
        }
        if !is_plain(byte) {
            break;
        }
    }
    Err(Refused::Unencoded(shorten(path)))
}

/// HTTP/2's library takes none of these, and a target takes the first for the end of the path.
const REFUSED: [u8; 5] = *b"#\"<>`";

/// What a path may have.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        plain[byte as usize] = !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'`');
        byte += 1;
    }
    plain
};

/// Check a path behind a prefix, which may be empty and is not left.
pub(super) fn check_within(prefix: &str, path: &str) -> Result<(), Refused> {
    check_path(path)?;
    if !prefix.is_empty() && leaves(path) {
        return Err(Refused::Leaves {
            path: shorten(path),
            prefix: prefix.to_owned(),
        });
    }
    Ok(())
}

/// Whether a target could take this path for one above its root: whatever servers read as a separator counts as one,
/// and whatever they read as `..`.
fn leaves(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    // Most paths have nothing of the kind.
    if !path.contains("..") && !path.contains('%') {
        return false;
    }
    let mut plain = path.to_ascii_lowercase();
    for (coded, meant) in [("%2e", "."), ("%2f", "/"), ("%5c", "/"), ("\\", "/")] {
        plain = plain.replace(coded, meant);
    }
    let mut depth = 0usize;
    for segment in plain.split('/') {
        // What follows a semicolon are parameters, to some servers.
        match segment.split(';').next().unwrap_or_default() {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

/// A length as a bit; all long ones share the last.
pub(super) const fn length_bit(length: usize) -> u64 {
    1 << if length < 63 { length } else { 63 }
}

/// Enough of a text to recognize it, and no more.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_hosts_and_unencoded_paths_are_refused() {
        for path in [
            "http://example.org/",
            "example.org/",
            "@example.org/",
            "",
            ":80/",
        ] {
            assert!(
                matches!(check_path(path), Err(Refused::NotAPath(_))),
                "{path}"
            );
        }
        for path in ["/a b", "/a\r\nx: y", "/\0", "/\u{fc}", "/\x7f"] {
            assert!(
                matches!(check_path(path), Err(Refused::Unencoded(_))),
                "{path:?}"
            );
        }
        assert!(matches!(
            check_path("/a#b"),
            Err(Refused::NotInUrls { byte: '#', .. })
        ));
        assert!(matches!(
            check_path(&"/".repeat(MAX_PATH + 1)),
            Err(Refused::TooLong(_))
        ));
    }

    #[test]
    fn what_the_base_url_ends_with_is_not_left() {
        for path in [
            "/..",
            "/../x",
            "/a/../../x",
            "/%2e%2E/x",
            "/.%2e/x",
            "/..\\x",
            "/a\\..\\..\\x",
            "/%2e%2e%2fx",
            "/..%5cx",
            "/..;/x",
            "/..;a=b/x",
            "//../x",
            "/./../x",
            "/%2e/%2e%2e",
        ] {
            assert!(
                matches!(check_within("/api", path), Err(Refused::Leaves { .. })),
                "{path}"
            );
            assert_eq!(check_within("", path), Ok(()), "{path}");
        }
        for path in [
            "/a/../b",
            "/a/..",
            "/...",
            "/..a",
            "/a?b=/../../..",
            "/a%20b",
            "/a\\b",
            "/%2e",
            "/%252e%252e/x",
        ] {
            assert_eq!(check_within("/api", path), Ok(()), "{path}");
        }
    }

    #[test]
    fn header_injection_and_reserved_headers_are_refused() {
        for (name, value) in [
            ("x", "a\r\nhost: b"),
            ("x y", "a"),
            ("", "a"),
            ("x:", "a"),
            (":path", "/"),
            ("x", "\0"),
            ("\u{fc}", "a"),
        ] {
            assert!(
                matches!(check_header(name, value), Err(Refused::Header(_))),
                "{name:?}: {value:?}"
            );
        }
        for name in RESERVED {
            let refused = Err(Refused::Reserved(name.to_owned()));
            assert_eq!(check_header(&name.to_ascii_uppercase(), "a"), refused);
        }
        assert_eq!(check_header("Trailers", "a\tb"), Ok(()));
    }

    #[test]
    fn a_host_is_one_name() {
        let host = |value: &str| ("Host".to_owned(), value.to_owned());
        assert_eq!(check_headers(&[host("other.test:81")]), Ok(()));
        for wrong in ["", "a b", "a/b", "me@other.test"] {
            let refused = check_headers(&[host(wrong)]);
            assert_eq!(refused, Err(Refused::Host(wrong.into())), "{wrong}");
        }
        let twice = [host("a.test"), ("hOST".to_owned(), "a.test".to_owned())];
        assert_eq!(check_headers(&twice), Err(Refused::Host("a.test".into())));
    }
}
