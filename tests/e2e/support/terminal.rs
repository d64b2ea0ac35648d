//! A terminal of a test's own.

use std::fs::File;
use std::process::Stdio;

use rustix::pty::OpenptFlags;

/// The test's side of it, which whoever types and reads has, and its name. It vanishes with the file.
pub fn terminal() -> (File, String) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    (master.into(), name.into_string().unwrap())
}

/// A stream of a program that runs in it.
pub fn in_terminal(name: &str) -> Stdio {
    let mut options = File::options();
    Stdio::from(options.read(true).write(true).open(name).unwrap())
}
