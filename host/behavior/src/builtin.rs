//! The four behaviors of the user service and the players of programs, packed and embedded in the binary by `build.rs`. They are loaded
//! like any other module.

use std::io::Read as _;

use flate2::read::DeflateDecoder;

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The bytes of a built-in behavior, by name: `newcomer`, `active`, `admin`, `power`; or of a player: `requests`, `journey`, `script`.
pub fn built_in(name: &str) -> Option<Vec<u8>> {
    let (_, packed) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    let mut module = Vec::new();
    // What `build.rs` has packed can be unpacked: a test does so with all of them.
    DeflateDecoder::new(*packed).read_to_end(&mut module).ok()?;
    Some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_can_be_unpacked() {
        for (name, packed) in BUILT_IN {
            let module = built_in(name).unwrap();
            assert!(
                module.starts_with(b"\0asm") && module.len() > packed.len(),
                "{name}"
            );
        }
    }
}
