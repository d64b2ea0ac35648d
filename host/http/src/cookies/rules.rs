//! What one `Set-Cookie` means: RFC 6265, sections 5.1 to 5.4. Its line is taken apart by the crate `cookie`.
//!
//! What must stay true: no cookie is kept that its site may not set, and none goes where it does not belong.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

/// Longest cookie, with its attributes, in bytes: what browsers take.
const LONGEST: usize = 4096;
/// Longest life: what browsers allow.
const LONGEST_LIFE: Duration = Duration::from_secs(400 * 24 * 3600);

/// Where a request goes, as far as cookies care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site<'a> {
    /// Over TLS.
    pub https: bool,
    /// In lower case, without a port; IPv6 in brackets.
    pub host: &'a str,
    /// Begins with a slash; what follows it, a query for instance, is left out.
    pub path: &'a str,
}

/// A cookie that is kept.
#[derive(Clone)]
pub(super) struct Cookie {
    pub(super) name: Box<str>,
    pub(super) value: Box<str>,
    /// In lower case, without a dot in front.
    domain: Box<str>,
    pub(super) path: Box<str>,
    /// It goes to hosts below its domain too.
    goes_below: bool,
    is_secure: bool,
    /// `None`: it lives as long as its jar.
    expires: Option<SystemTime>,
}

/// The cookie of one line, if it is one that this site may set.
pub(super) fn read(line: &str, site: Site<'_>, now: SystemTime) -> Option<Cookie> {
    if line
        .bytes()
        .any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f)
    {
        return None;
    }
    let read = cookie::Cookie::parse(line).ok()?;
    let said = read
        .domain()
        .map(|domain| domain.trim_start_matches('.').to_ascii_lowercase());
    let (domain, goes_below) = match said {
        Some(domain) if domain == site.host => (domain, !is_address(site.host)),
        // One without a dot is nobody's to set for others: `com`.
        Some(domain) if domain.contains('.') && is_below(site.host, &domain) => (domain, true),
        Some(domain) if !domain.is_empty() => return None,
        _ => (site.host.to_owned(), false),
    };
    let path = read.path().filter(|path| path.starts_with('/'));
    let path = path.unwrap_or_else(|| default_path(site.path));
    let cookie = Cookie {
        name: read.name().into(),
        value: read.value().into(),
        domain: domain.into(),
        path: path.into(),
        goes_below,
        is_secure: read.secure() == Some(true),
        expires: expires(&read, now),
    };
    (cookie.bytes() <= LONGEST).then_some(cookie)
}

/// `Max-Age` wins.
fn expires(read: &cookie::Cookie<'_>, now: SystemTime) -> Option<SystemTime> {
    if let Some(age) = read.max_age() {
        let age = Duration::from_secs(u64::try_from(age.whole_seconds()).unwrap_or(0));
        return Some(now + age.min(LONGEST_LIFE));
    }
    let at = SystemTime::from(read.expires_datetime()?);
    Some(at.min(now + LONGEST_LIFE))
}

impl Cookie {
    pub(super) fn bytes(&self) -> usize {
        self.name.len() + self.value.len() + self.domain.len() + self.path.len()
    }

    pub(super) fn lives(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|at| at > now)
    }

    /// It takes the other's place.
    pub(super) fn is_same(&self, other: &Cookie) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
            && self.goes_below == other.goes_below
    }

    pub(super) fn goes_to(&self, site: Site<'_>) -> bool {
        let is_there =
            *self.domain == *site.host || (self.goes_below && is_below(site.host, &self.domain));
        is_there && is_within(site.path, &self.path) && (!self.is_secure || is_trusted(site))
    }
}

/// Over TLS; on this machine too, as browsers have it.
fn is_trusted(site: Site<'_>) -> bool {
    let loopback = || {
        site.host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
    };
    site.https
        || site.host == "localhost"
        || site.host.ends_with(".localhost")
        || site.host == "[::1]"
        || loopback()
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
}

fn is_below(host: &str, domain: &str) -> bool {
    let above = host.strip_suffix(domain).unwrap_or_default();
    above.ends_with('.') && !is_address(host)
}

/// The folder of the request that was answered.
fn default_path(path: &str) -> &str {
    let path = plain(path);
    match path.rfind('/') {
        Some(at) if at > 0 && path.starts_with('/') => &path[..at],
        _ => "/",
    }
}

fn is_within(path: &str, folder: &str) -> bool {
    let rest = plain(path).strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
}

/// Without a query.
fn plain(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}
