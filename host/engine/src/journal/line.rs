//! The lines of a journal: a header, then `+ check kind:name` for what may exist and `- check kind:name` for what is gone.
//! Written by `writer.rs` and `compact.rs`, read by `read.rs`. Whatever a name holds, it is one line that a terminal can show.
//!
//! What must stay true: a line counts in the journal of its own run alone. The check is no secret: it tells lines that were
//! edited, or copied from another journal. Who may write the file is the file system's business, which gives it to its
//! owner alone.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use vespeiro_model::text::is_hidden;

/// What a journal begins with, before its version.
const MAGIC: &str = "vespeiro-journal";
/// Version of the form.
const VERSION: &str = "2";
/// Digits of a line's check: a line that was edited without regard to it passes once in 2^64 times.
const CHECK: usize = 16;

/// Which run a journal belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// 8 lower-case letters and digits.
    pub run: String,
    /// Base URL of the target, without credentials.
    pub target: String,
}

impl Header {
    /// The header's line, with its end.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{MAGIC} {VERSION} {} ", self.run);
        escape(&self.target, &mut line);
        line.push('\n');
        line
    }

    /// Reads a line without its end; `Err` holds the version of a journal that this program does not know.
    pub(super) fn read(line: &str) -> Result<Option<Header>, String> {
        let mut words = line.splitn(4, ' ');
        if words.next() != Some(MAGIC) {
            return Ok(None);
        }
        let Some(version) = words.next() else {
            return Ok(None);
        };
        if version != VERSION {
            return Err(version.chars().take(20).collect());
        }
        let (Some(run), Some(target)) = (words.next(), words.next().and_then(unescape)) else {
            return Ok(None);
        };
        Ok(Some(Header {
            run: run.to_owned(),
            target,
        }))
    }

    pub(super) fn binding(&self) -> Binding {
        let mut digest = Sha256::new();
        for part in [&self.run, &self.target] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Binding(digest)
    }
}

/// What ties lines to one run and target.
#[derive(Debug, Clone)]
pub(super) struct Binding(Sha256);

impl Binding {
    /// Append the check of a line.
    fn check(&self, sign: Sign, thing: &str, text: &mut String) {
        let mut digest = self.0.clone();
        digest.update(sign.as_str());
        digest.update(thing);
        let digest = digest.finalize();
        for byte in &digest[..CHECK / 2] {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
    }

    /// Append the line of a thing, with its end.
    pub(super) fn write(&self, sign: Sign, thing: &str, text: &mut String) {
        text.push_str(sign.as_str());
        text.push(' ');
        self.check(sign, thing, text);
        text.push(' ');
        escape(thing, text);
        text.push('\n');
    }

    /// Read a line without its end; `None` for one that this run has not written.
    pub(super) fn parse(&self, line: &str) -> Option<(Sign, String)> {
        let mut words = line.splitn(3, ' ');
        let sign = match words.next()? {
            "+" => Sign::Mark,
            "-" => Sign::Unmark,
            _ => return None,
        };
        let given = words.next()?;
        let thing = unescape(words.next()?)?;
        let mut check = String::with_capacity(CHECK);
        self.check(sign, &thing, &mut check);
        (given == check).then_some((sign, thing))
    }
}

/// What one line says of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Mark,
    Unmark,
}

impl Sign {
    fn as_str(self) -> &'static str {
        match self {
            Sign::Mark => "+",
            Sign::Unmark => "-",
        }
    }
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            c if is_hidden(c) => {
                let _ = write!(into, "\\u{{{:x}}}", u32::from(c));
            }
            c => into.push(c),
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let c = after.chars().next()?;
        rest = &after[c.len_utf8()..];
        plain.push(match c {
            '\\' => '\\',
            'n' => '\n',
            'r' => '\r',
            'u' => {
                let (digits, after) = rest.strip_prefix('{')?.split_once('}')?;
                rest = after;
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            _ => return None,
        });
    }
    plain.push_str(rest);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        Header {
            run: "k3x9a2b7".into(),
            target: "http://127.0.0.1:9501".into(),
        }
    }

    proptest! {
        #[test]
        fn any_name_is_one_line_that_can_be_shown_and_reads_back(name in "(?s).{0,40}", gone: bool) {
            let binding = header().binding();
            let sign = if gone { Sign::Unmark } else { Sign::Mark };
            let mut text = String::new();
            binding.write(sign, &name, &mut text);
            let line = text.strip_suffix('\n').unwrap();
            prop_assert!(!line.contains(is_hidden), "{:?}", line);
            prop_assert_eq!(binding.parse(line), Some((sign, name)));
        }

        #[test]
        fn any_header_reads_back(run in "[a-z0-9]{8}", target in "(?s).{0,40}") {
            let header = Header { run, target };
            let line = header.line();
            prop_assert_eq!(Header::read(line.strip_suffix('\n').unwrap()), Ok(Some(header)));
        }

        #[test]
        fn no_line_counts_that_was_edited(name in "[a-z]{1,20}", other in "[a-z]{1,20}", at in 0usize..60, digit in "[0-9a-f+-]") {
            let binding = header().binding();
            let mut text = String::new();
            binding.write(Sign::Mark, &name, &mut text);
            let line = text.trim_end();
            let renamed = line.replace(&name, &other);
            prop_assert!(name == other || binding.parse(&renamed).is_none(), "{}", renamed);
            let mut edited = line.to_owned();
            if at < line.len() {
                edited.replace_range(at..=at, &digit);
                prop_assert!(edited == line || binding.parse(&edited).is_none(), "{}", edited);
            }
        }
    }

    #[test]
    fn a_line_belongs_to_one_run_at_one_target() {
        let mut text = String::new();
        header().binding().write(Sign::Mark, "user:a", &mut text);
        let others = [
            ("zzzzzzzz", "http://127.0.0.1:9501"),
            ("k3x9a2b7", "http://127.0.0.1:9502"),
        ];
        for (run, target) in others {
            let (run, target) = (run.into(), target.into());
            let binding = Header { run, target }.binding();
            assert_eq!(binding.parse(text.trim_end()), None);
        }
    }

    #[test]
    fn a_later_version_is_told_from_no_journal() {
        assert_eq!(
            Header::read("vespeiro-journal 3 whatever"),
            Err("3".to_owned())
        );
        assert_eq!(Header::read("# a text"), Ok(None));
    }
}
