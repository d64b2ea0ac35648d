//! A user's cookies, by RFC 6265: which of an answer's are kept, and which go with a request. The run keeps a jar for each
//! user who was told a cookie; `rules` says what one line of a target means.
//!
//! What must stay true: it is a pure function of lines, sites and times, bounded whatever a target sends, and shows no value.

mod rules;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::SystemTime;

use rules::Cookie;
pub use rules::Site;

/// Most cookies of one jar.
pub const MOST: usize = 50;
/// Most bytes of one jar: far more than servers take in a request.
pub const MOST_BYTES: usize = 32 << 10;

/// One user's cookies, oldest first.
#[derive(Default, Clone)]
pub struct Jar(Vec<Cookie>);

// Cookies are secrets.
impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jar").field(&self.0.len()).finish()
    }
}

impl Jar {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Take one `Set-Cookie` of an answer. What is none, or not this site's to set, is left. `false`: the jar was full, and
    /// the oldest had to go.
    pub fn take(&mut self, line: &str, site: Site<'_>, now: SystemTime) -> bool {
        let Some(cookie) = rules::read(line, site, now) else {
            return true;
        };
        self.0.retain(|known| known.lives(now));
        let known = self.0.iter().position(|known| known.is_same(&cookie));
        match (known, cookie.lives(now)) {
            // It keeps its place in the order.
            (Some(at), true) => self.0[at] = cookie,
            (Some(at), false) => drop(self.0.remove(at)),
            (None, true) => self.0.push(cookie),
            (None, false) => {}
        }
        let mut bytes: usize = self.0.iter().map(Cookie::bytes).sum();
        let mut gone = 0;
        while self.0.len() - gone > MOST || bytes > MOST_BYTES {
            bytes -= self.0[gone].bytes();
            gone += 1;
        }
        self.0.drain(..gone);
        gone == 0
    }

    /// What `cookie` says in a request: `own`, which its sender has set, and behind it what the jar has under other names,
    /// those of longer paths first. `None`: as the sender has it, who may ask for no cookies with a blank `own`.
    pub fn header(&mut self, own: Option<&str>, site: Site<'_>, now: SystemTime) -> Option<String> {
        self.0.retain(|known| known.lives(now));
        let mut header = trimmed(own.unwrap_or_default()).to_owned();
        if own.is_some() && header.is_empty() {
            return None;
        }
        let is_new =
            |cookie: &&Cookie| own.is_none_or(|own| !names(own).any(|name| name == &*cookie.name));
        let going = self.0.iter().filter(|cookie| cookie.goes_to(site));
        let mut going: Vec<&Cookie> = going.filter(is_new).collect();
        if going.is_empty() {
            return None;
        }
        going.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        for cookie in going {
            if !header.is_empty() {
                header.push_str("; ");
            }
            header.push_str(&cookie.name);
            header.push('=');
            header.push_str(&cookie.value);
        }
        Some(header)
    }
}

fn trimmed(header: &str) -> &str {
    header.trim_matches([' ', '\t', ';'])
}

/// The names of what a `cookie` header says.
pub(crate) fn names(header: &str) -> impl Iterator<Item = &str> {
    header.split(';').map(name)
}

/// The name of one pair, of either header.
pub(crate) fn name(pair: &str) -> &str {
    let pair = pair.split(';').next().unwrap_or_default();
    pair.split('=').next().unwrap_or_default().trim()
}
