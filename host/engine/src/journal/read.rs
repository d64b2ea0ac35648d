//! Reads a journal back: which things of a run may still exist. It forgives what a crash can do to the file, and
//! refuses one that is no journal.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::line::{self, Header, Sign};

/// More than any header has, in bytes.
const LONGEST_HEADER: u64 = 16 << 10;
/// Complaints about single lines that are kept.
const MAX_WARNINGS: usize = 10;

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub header: Header,
    /// Things that were marked and not unmarked since, oldest mark first.
    pub outstanding: Vec<String>,
    /// Lines that were skipped, one sentence each.
    pub warnings: Vec<String>,
    /// Some complete line is none that anybody writes.
    pub(super) damaged: bool,
    /// Bytes up to the end of the last complete line.
    pub(super) whole: u64,
}

/// The journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the journal {}: {damage}", path.display())]
pub struct ReadError {
    pub path: PathBuf,
    pub damage: Damage,
}

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("there is no such file: a cleanup that has removed everything removes its journal too")]
    Gone,
    #[error("this is no journal: name the file that the run has printed")]
    NotAJournal,
    #[error("it ends within its first line, so nothing was created under it: remove it")]
    Beheaded,
    #[error("its form {0:?} is not known here: use the version of vespeiro that wrote it")]
    Version(String),
}

/// Read a whole journal.
pub fn read(path: &Path) -> Result<Contents, ReadError> {
    let error = |damage| ReadError {
        path: path.to_owned(),
        damage,
    };
    let file = File::open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => error(Damage::Gone),
        _ => error(e.into()),
    })?;
    parse(BufReader::new(file)).map_err(error)
}

fn parse(mut from: impl BufRead) -> Result<Contents, Damage> {
    let mut bytes = Vec::new();
    from.by_ref()
        .take(LONGEST_HEADER)
        .read_until(b'\n', &mut bytes)?;
    let mut whole = bytes.len() as u64;
    let ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
    let header = match std::str::from_utf8(&bytes).map(Header::read) {
        Ok(Err(version)) if ended => return Err(Damage::Version(version)),
        Ok(Ok(Some(header))) if ended => header,
        _ if !ended && b"vespeiro-journal ".starts_with(&bytes[..bytes.len().min(17)]) => {
            return Err(Damage::Beheaded);
        }
        _ => return Err(Damage::NotAJournal),
    };
    let mut things = Things::default();
    let mut warnings = Vec::new();
    let mut damaged = false;
    for number in 2u64.. {
        bytes.clear();
        let read = from.read_until(b'\n', &mut bytes)? as u64;
        if read == 0 {
            break;
        }
        if bytes.pop_if(|byte| *byte == b'\n').is_none() {
            warnings.push(format!(
                "line {number} is torn, as a crash leaves it: skipped"
            ));
            break;
        }
        whole += read;
        match std::str::from_utf8(&bytes).ok().and_then(line::parse) {
            Some((Sign::Mark, thing)) => things.mark(thing),
            Some((Sign::Unmark, thing)) => things.unmark(&thing),
            None => {
                damaged = true;
                if warnings.len() < MAX_WARNINGS {
                    warnings.push(format!("line {number} is not a journal's: skipped"));
                }
            }
        }
    }
    Ok(Contents {
        header,
        outstanding: things.in_order(),
        warnings,
        damaged,
        whole,
    })
}

/// Outstanding things and when each was marked.
#[derive(Default)]
struct Things {
    since: HashMap<String, u64>,
    marks: u64,
}

impl Things {
    fn mark(&mut self, thing: String) {
        self.marks += 1;
        self.since.entry(thing).or_insert(self.marks);
    }

    fn unmark(&mut self, thing: &str) {
        self.since.remove(thing);
    }

    fn in_order(self) -> Vec<String> {
        let mut things: Vec<_> = self.since.into_iter().collect();
        things.sort_unstable_by_key(|(_, since)| *since);
        things.into_iter().map(|(thing, _)| thing).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "vespeiro-journal 1 k3x9a2b7 http://127.0.0.1:9501\n";

    /// What the complete lines say, told the slow and obvious way.
    fn expected(lines: &[(Sign, String)]) -> Vec<String> {
        let mut outstanding: Vec<String> = Vec::new();
        for (sign, thing) in lines {
            match sign {
                Sign::Mark if outstanding.contains(thing) => {}
                Sign::Mark => outstanding.push(thing.clone()),
                Sign::Unmark => outstanding.retain(|other| other != thing),
            }
        }
        outstanding
    }

    proptest! {
        #[test]
        fn any_lines_cut_at_any_byte_give_what_the_complete_ones_say(
            lines in proptest::collection::vec((any::<bool>(), "(user|role):[a-c\n\\\\é]{1,2}"), 0..40),
            cut in 0.0..=1.0f64,
        ) {
            let lines: Vec<(Sign, String)> = lines
                .into_iter()
                .map(|(gone, thing)| (if gone { Sign::Unmark } else { Sign::Mark }, thing))
                .collect();
            let mut text = HEADER.to_owned();
            let mut ends = Vec::new();
            for (sign, thing) in &lines {
                line::write(*sign, thing, &mut text);
                ends.push(text.len());
            }
            let cut = (cut * text.len() as f64) as usize;
            let read = parse(&text.as_bytes()[..cut]);
            if cut < HEADER.len() {
                prop_assert!(matches!(read, Err(Damage::Beheaded)));
            } else {
                let complete = ends.iter().take_while(|end| **end <= cut).count();
                let whole = ends[..complete].last().copied().unwrap_or(HEADER.len());
                let contents = read.unwrap();
                prop_assert_eq!(contents.outstanding, expected(&lines[..complete]));
                prop_assert_eq!(contents.whole, whole as u64);
                prop_assert_eq!(contents.warnings.len(), usize::from(whole < cut));
            }
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), headed: bool) {
            let mut file = if headed { HEADER.as_bytes().to_vec() } else { Vec::new() };
            file.extend(bytes);
            let read = parse(&*file);
            prop_assert!(!headed || read.is_ok());
        }
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        for text in [
            "hello\n",
            "{}",
            "vespeiro-journal\n",
            "\u{7f}ELF",
            "vespeirx",
        ] {
            let read = parse(text.as_bytes());
            assert!(matches!(read, Err(Damage::NotAJournal)), "{text}: {read:?}");
        }
        assert!(matches!(parse(&b""[..]), Err(Damage::Beheaded)));
        let later = "vespeiro-journal 2 abc\n";
        assert!(matches!(parse(later.as_bytes()), Err(Damage::Version(_))));
    }

    #[test]
    fn a_damaged_line_in_the_middle_costs_only_itself() {
        let text = format!("{HEADER}+ user:a\n+ us\0\u{1}\\x\n? x\n+ user:b\n");
        let contents = parse(text.as_bytes()).unwrap();
        assert_eq!(contents.outstanding, ["user:a", "user:b"]);
        assert_eq!(contents.warnings.len(), 2);
    }
}
