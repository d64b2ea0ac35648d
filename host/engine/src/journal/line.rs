//! The lines of a journal: a header, then `+ kind:name` for what may exist and `- kind:name` for what is gone. Written
//! by `writer.rs` and `compact.rs`, read by `read.rs`. Whatever a name holds, it is one line.

/// What a journal begins with, before its version.
const MAGIC: &str = "vespeiro-journal";
/// Version of the form.
const VERSION: &str = "1";

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
}

/// What one line says of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Mark,
    Unmark,
}

/// Append the line of a thing, with its end.
pub(super) fn write(sign: Sign, thing: &str, text: &mut String) {
    text.push_str(match sign {
        Sign::Mark => "+ ",
        Sign::Unmark => "- ",
    });
    escape(thing, text);
    text.push('\n');
}

/// Read a line without its end; `None` for one that nobody writes.
pub(super) fn parse(line: &str) -> Option<(Sign, String)> {
    let (sign, rest) = match line.split_at_checked(2)? {
        ("+ ", rest) => (Sign::Mark, rest),
        ("- ", rest) => (Sign::Unmark, rest),
        _ => return None,
    };
    Some((sign, unescape(rest)?))
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            c => into.push(c),
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            c => c,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_name_is_one_line_that_reads_back(name in "(?s).{0,40}", gone: bool) {
            let sign = if gone { Sign::Unmark } else { Sign::Mark };
            let mut text = String::new();
            write(sign, &name, &mut text);
            let line = text.strip_suffix('\n').unwrap();
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert_eq!(parse(line), Some((sign, name)));
        }

        #[test]
        fn any_header_reads_back(run in "[a-z0-9]{8}", target in "(?s).{0,40}") {
            let header = Header { run, target };
            let line = header.line();
            prop_assert_eq!(Header::read(line.strip_suffix('\n').unwrap()), Ok(Some(header)));
        }
    }

    #[test]
    fn a_later_version_is_told_from_no_journal() {
        assert_eq!(
            Header::read("vespeiro-journal 2 whatever"),
            Err("2".to_owned())
        );
        assert_eq!(Header::read("# a text"), Ok(None));
    }
}
