//! Reads a journal back: which things of a run may still exist. It forgives what a crash can do to the file, and
//! refuses one that is no journal.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::line::{Header, Sign};

/// More than any line has, in bytes.
const LONGEST_LINE: u64 = 16 << 10;
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
    /// Complete lines that this run has not written.
    pub foreign: u64,
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
    #[error(
        "everybody may write to it: take that back with `chmod o-w`, if you trust what it says"
    )]
    Open,
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
    // To open a FIFO would be to wait for whoever writes to it.
    if path.metadata().is_ok_and(|about| !about.is_file()) {
        return Err(error(Damage::NotAJournal));
    }
    let file = File::open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => error(Damage::Gone),
        _ => error(e.into()),
    })?;
    let about = file.metadata().map_err(|e| error(e.into()))?;
    if about.permissions().mode() & 0o002 != 0 {
        return Err(error(Damage::Open));
    }
    parse(BufReader::new(file)).map_err(error)
}

fn parse(mut from: impl BufRead) -> Result<Contents, Damage> {
    let mut bytes = Vec::new();
    from.by_ref()
        .take(LONGEST_LINE)
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
    let binding = header.binding();
    let mut things = Things::default();
    let mut warnings = Vec::new();
    let mut foreign = 0;
    for number in 2u64.. {
        bytes.clear();
        let mut read = from
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes)? as u64;
        if read == LONGEST_LINE && bytes.last() != Some(&b'\n') {
            read += from.skip_until(b'\n')? as u64;
            // It is no torn one, and none that is written.
            bytes = b"\n".to_vec();
        }
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
        match std::str::from_utf8(&bytes)
            .ok()
            .and_then(|line| binding.parse(line))
        {
            Some((Sign::Mark, thing)) => things.mark(thing),
            Some((Sign::Unmark, thing)) => things.unmark(&thing),
            None => {
                foreign += 1;
                if warnings.len() < MAX_WARNINGS {
                    warnings.push(format!(
                        "line {number} was not written by this run, or was edited: skipped"
                    ));
                }
            }
        }
    }
    Ok(Contents {
        header,
        outstanding: things.in_order(),
        warnings,
        foreign,
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

    const HEADER: &str = "vespeiro-journal 2 k3x9a2b7 http://127.0.0.1:9501\n";

    fn text_of(lines: &[(Sign, &str)]) -> String {
        let mut text = HEADER.to_owned();
        let binding = Header::read(HEADER.trim_end()).unwrap().unwrap().binding();
        for (sign, thing) in lines {
            binding.write(*sign, thing, &mut text);
        }
        text
    }

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
            let binding = Header::read(HEADER.trim_end()).unwrap().unwrap().binding();
            let mut text = HEADER.to_owned();
            let mut ends = Vec::new();
            for (sign, thing) in &lines {
                binding.write(*sign, thing, &mut text);
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
        let later = "vespeiro-journal 3 abc\n";
        assert!(matches!(parse(later.as_bytes()), Err(Damage::Version(_))));
    }

    #[test]
    fn a_damaged_line_in_the_middle_costs_only_itself() {
        let text = text_of(&[(Sign::Mark, "user:a")]);
        let long = "x".repeat(5 * LONGEST_LINE as usize);
        let damage = format!("+ us\0\u{1}\\x\n? x\n+ user:stranger\n{long}\n");
        let last = text_of(&[(Sign::Mark, "user:b")]).replace(HEADER, "");
        let contents = parse((text + &damage + &last).as_bytes()).unwrap();
        assert_eq!(contents.outstanding, ["user:a", "user:b"]);
        assert_eq!((contents.warnings.len(), contents.foreign), (4, 4));
    }

    #[test]
    fn what_everybody_may_write_to_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("open.journal");
        std::fs::write(&path, text_of(&[(Sign::Mark, "user:a")])).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let refused = read(&path).unwrap_err();
        assert!(matches!(refused.damage, Damage::Open), "{refused}");
        let no_file = read(folder.path()).unwrap_err();
        assert!(matches!(no_file.damage, Damage::NotAJournal), "{no_file}");
    }
}
