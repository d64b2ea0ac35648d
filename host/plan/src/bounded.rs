//! Reads files that somebody names on a command line, up to a bound: a file that is by far too long, or that never ends, is
//! refused before it fills the memory. Used by every room that reads one whole.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Most bytes of a plan file.
pub const MAX_PLAN: u64 = 16 << 20;
/// Most bytes of scripted replies or of a summary.
pub const MAX_FILE: u64 = 256 << 20;

/// The bytes of a file that has `most` of them at most.
///
/// # Errors
/// It cannot be read, or it has more.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let told = file.metadata()?.len();
    let mut bytes = Vec::new();
    if told <= most {
        // A pipe or a device tells no length: one byte more shows that there are too many.
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= most {
            return Ok(bytes);
        }
    }
    let why = format!("it has more than the {} MiB that are read", most >> 20);
    Err(io::Error::new(io::ErrorKind::FileTooLarge, why))
}

/// The same for text.
///
/// # Errors
/// As [`read`]; or it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8 text");
    String::from_utf8(read(path, most)?).map_err(no_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_never_ends_is_refused() {
        let refused = read(Path::new("/dev/zero"), 1 << 20).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        let whole = read(Path::new("/proc/self/stat"), 1 << 20).unwrap();
        assert!(!whole.is_empty(), "it tells no length");
    }
}
