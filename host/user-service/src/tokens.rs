//! Making and checking tokens. `auth` issues them, `caller` checks them. A token is only proof that this process
//! issued it: whether its session still lives is the store's to say.
//!
//! Written on hmac and sha2 because the JWT crates bring RSA and elliptic curves along for the thirty lines of HS256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::store::sessions::SessionId;

/// `{"alg":"HS256","typ":"JWT"}`, the only header ever issued, so the only one accepted.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// What an access token says. Times are seconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    pub sub: Uuid,
    pub sid: SessionId,
    pub iat: u64,
    pub exp: u64,
}

/// The two signing keys of this process.
pub struct Keys {
    access: Hmac<Sha256>,
    refresh: Hmac<Sha256>,
}

impl Keys {
    pub fn random() -> Self {
        let key = || Hmac::new(&rand::random::<[u8; 64]>().into());
        Self {
            access: key(),
            refresh: key(),
        }
    }

    /// A JWT with these claims.
    pub fn access_token(&self, claims: &Claims) -> Result<String, serde_json::Error> {
        let mut token = String::with_capacity(256);
        token.push_str(HEADER);
        token.push('.');
        BASE64.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = self
            .access
            .clone()
            .chain_update(&token)
            .finalize()
            .into_bytes();
        token.push('.');
        BASE64.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The claims of a JWT that this process signed and that has not expired by `now`.
    pub fn check_access(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let claims = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
        let signature = BASE64.decode(signature).ok()?;
        self.access
            .clone()
            .chain_update(signed)
            .verify_slice(&signature)
            .ok()?;
        let claims: Claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
        (now.0 < claims.exp.saturating_mul(1_000_000)).then_some(claims)
    }

    /// The refresh token of a session after `rotation` refreshes: both numbers and their MAC. Signed rather than
    /// stored, so that an old one is known for old, and a forged one for forged, without remembering any.
    pub fn refresh_token(&self, session: SessionId, rotation: u32) -> String {
        let mut token = [0; 44];
        token[..8].copy_from_slice(&session.to_be_bytes());
        token[8..12].copy_from_slice(&rotation.to_be_bytes());
        let mac = self
            .refresh
            .clone()
            .chain_update(&token[..12])
            .finalize()
            .into_bytes();
        token[12..].copy_from_slice(&mac);
        BASE64.encode(token)
    }

    /// Session and rotation of a refresh token that this process issued.
    pub fn check_refresh(&self, token: &str) -> Option<(SessionId, u32)> {
        let token: [u8; 44] = BASE64.decode(token).ok()?.try_into().ok()?;
        let (numbers, mac) = token.split_at(12);
        self.refresh
            .clone()
            .chain_update(numbers)
            .verify_slice(mac)
            .ok()?;
        let (session, rotation) = numbers.split_at(8);
        Some((
            u64::from_be_bytes(session.try_into().ok()?),
            u32::from_be_bytes(rotation.try_into().ok()?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims() -> Claims {
        Claims {
            sub: Uuid::from_u128(7),
            sid: 3,
            iat: 1_000,
            exp: 1_010,
        }
    }

    #[test]
    fn the_header_says_what_it_should() {
        assert_eq!(
            BASE64.decode(HEADER).unwrap(),
            br#"{"alg":"HS256","typ":"JWT"}"#
        );
    }

    #[test]
    fn signs_as_the_standard_says() {
        // The published HS256 example of jwt.io, key `your-256-bit-secret`.
        let signed = format!(
            "{HEADER}.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        );
        let mac = Hmac::<Sha256>::new_from_slice(b"your-256-bit-secret").unwrap();
        let signature = mac.chain_update(signed).finalize().into_bytes();
        assert_eq!(
            BASE64.encode(signature),
            "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
        );
    }

    #[test]
    fn an_access_token_holds_until_its_expiry_and_for_its_process_only() {
        let keys = Keys::random();
        let token = keys.access_token(&claims()).unwrap();
        assert_eq!(
            keys.check_access(&token, Timestamp(1_009_999_999))
                .unwrap()
                .sid,
            3
        );
        assert!(
            keys.check_access(&token, Timestamp(1_010_000_000))
                .is_none()
        );
        assert!(Keys::random().check_access(&token, Timestamp(0)).is_none());
    }

    #[test]
    fn the_algorithm_none_is_refused() {
        let payload = BASE64.encode(serde_json::to_vec(&claims()).unwrap());
        let none = BASE64.encode(br#"{"alg":"none","typ":"JWT"}"#);
        let keys = Keys::random();
        for token in [
            format!("{none}.{payload}."),
            format!("{HEADER}.{payload}."),
            format!("{HEADER}.{payload}"),
        ] {
            assert!(keys.check_access(&token, Timestamp(0)).is_none(), "{token}");
        }
    }

    proptest! {
        #[test]
        fn a_refresh_token_gives_back_what_it_was_made_of(session: u64, rotation: u32) {
            let keys = Keys::random();
            prop_assert_eq!(keys.check_refresh(&keys.refresh_token(session, rotation)), Some((session, rotation)));
        }

        #[test]
        fn a_changed_token_is_refused(place in 0usize..59, with in "[A-Za-z0-9_-]") {
            let keys = Keys::random();
            let token = keys.refresh_token(1, 1);
            let mut changed = token.clone();
            changed.replace_range(place..=place, &with);
            prop_assume!(changed != token);
            prop_assert_eq!(keys.check_refresh(&changed), None);
        }

        #[test]
        fn no_text_breaks_the_check(text in ".{0,200}") {
            let keys = Keys::random();
            prop_assert!(keys.check_refresh(&text).is_none());
            prop_assert!(keys.check_access(&text, Timestamp(0)).is_none());
        }
    }
}
