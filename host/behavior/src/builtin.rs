//! The four behaviors of the user service and the players of programs, embedded in the binary by `build.rs`. They are loaded
//! like any other module.

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The bytes of a built-in behavior, by name: `newcomer`, `active`, `admin`, `power`; or of a player: `requests`, `journey`, `script`.
pub fn built_in(name: &str) -> Option<&'static [u8]> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, bytes)| *bytes)
}
