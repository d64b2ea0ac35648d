//! What the tests of connections share: programs to play against, their certificates, their ports.

pub mod certificates;
pub mod program;
#[path = "../../../../tests/e2e/support/tools.rs"]
pub mod tools;
