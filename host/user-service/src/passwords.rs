//! Stored passwords. Called at registration, login and the two password changes; the clear text is never kept.

use std::fmt;

use sha2::{Digest, Sha256};

/// A salted SHA-256 digest. A real service would pay 100 ms of argon2 per login; here that would make the service,
/// not the load tool, the limit of every measurement.
pub struct Password {
    salt: [u8; 16],
    digest: [u8; 32],
}

impl Password {
    pub fn new(clear: &str) -> Self {
        let salt = rand::random();
        Self {
            salt,
            digest: digest(&salt, clear),
        }
    }

    pub fn matches(&self, clear: &str) -> bool {
        // Digests of a secret salt: their comparison needs no constant time.
        digest(&self.salt, clear) == self.digest
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

fn digest(salt: &[u8; 16], clear: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(salt)
        .chain_update(clear)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::Password;

    #[test]
    fn only_the_same_password_matches_and_equal_ones_are_stored_differently() {
        let (one, other) = (Password::new("Secret123"), Password::new("Secret123"));
        assert!(one.matches("Secret123") && !one.matches("Secret124") && !one.matches(""));
        assert_ne!(one.digest, other.digest);
    }
}
